// spinet crossbar: the currents of a crossbar of devices in the state that a run has left them in.
#include <fmt/core.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "circuit/crossbar.hpp"
#include "circuit/readout.hpp"
#include "commands.hpp"
#include "log/ends.hpp"
#include "log/log_data.hpp"
#include "look/isolated.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"
#include "ranks.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

struct CrossbarOptions {
  std::string log, projection, variable = "G", voltage = "0.1 V", resistance = "0 Ohm", V_0,
                               lines = "grounded";
  std::string dac_range, adc_range, limit, reference;
  std::vector<std::uint32_t> device;  ///< row and column, or nothing
  std::uint32_t dac_bits = 0, adc_bits = 0;
  bool pairs = false, all = false;
};

/// "0.1 V" in the unit `wanted`; throws UserError.
double quantity_of(const std::string& text, const char* wanted, const std::string& option) {
  char* end = nullptr;
  const double x = std::strtod(text.c_str(), &end);
  const std::string_view rest(end);
  const auto unit = parse_unit(rest.substr(std::min(rest.find_first_not_of(' '), rest.size())));
  const auto u = parse_unit(wanted);
  if (end == text.c_str() || !unit || unit->dimension != u->dimension)
    throw UserError(fmt::format("{} {}: {} is wanted, for example \"1 {}\"", option, in_quotes(text),
                                dimension_name(u->dimension), wanted));
  const double value = Quantity{x * unit->factor, unit->decade, unit->dimension}.in(*u);
  if (!std::isfinite(value)) throw UserError(fmt::format("{} {}: no finite number", option, in_quotes(text)));
  return value;
}
double positive(const std::string& text, const char* unit, const std::string& option) {
  const double x = quantity_of(text, unit, option);
  if (!(x > 0)) throw UserError(fmt::format("{} {}: it must be above 0", option, in_quotes(text)));
  return x;
}

/// One voltage for all rows, or one for each, separated by commas.
std::vector<double> voltages_of(const std::string& text, std::uint32_t rows) {
  std::vector<double> all;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    all.push_back(quantity_of(text.substr(at, comma - at), "V", "--voltage"));
    at = comma + 1;
  }
  if (all.size() == 1) all.resize(rows, all[0]);
  if (all.size() != rows)
    throw UserError(fmt::format("--voltage: {} do not fit a crossbar of {}", plural(all.size(), "voltage"),
                                plural(rows, "row")));
  return all;
}

/// What the log says that is asked for; throws UserError.
LoggedWeights frames_of(const LogData& log, const CrossbarOptions& o) {
  std::vector<std::string> there;
  std::vector<LoggedWeights> found;
  for (auto& w : log.weights()) {
    there.push_back(w.projection + " (" + w.variable + ")");
    if (w.variable == o.variable && (o.projection.empty() || w.projection == o.projection))
      found.push_back(std::move(w));
  }
  if (found.size() == 1) return found[0];
  std::vector<std::string> single;
  std::string name = o.projection.empty() ? "NAME" : o.projection;
  for (const auto& w : log.weight_events()) {
    single.push_back(w.projection + " (" + w.variable + ")");
    if (o.projection.empty() && w.variable == o.variable) name = w.projection;
  }
  std::string has = there.empty() ? single.empty() ? "no weights at all" : "no frames of any" : joined(there);
  if (!single.empty()) has += fmt::format(", and values at single times or changes of {}", joined(single));
  if (found.empty())
    throw UserError(fmt::format(
        "{}: no frames of {}{}; the log has {}\n"
        "Wanted is a frame, which holds all devices at one time: a network records them with weights: "
        "{{projection: {}, variable: {}, every: 1 s}} (not at, on_change or epochs); the last one counts, "
        "and "
        "from: 5 s, to: 5.1 s leaves that of 5 s alone",
        o.log, o.variable, o.projection.empty() ? "" : " of " + in_quotes(o.projection), has, name,
        o.variable));
  throw UserError(fmt::format("{}: --projection says which is meant of {}", o.log, has));
}

/// Rows or columns of an array: the neurons of one end of a projection, in its order.
class ArrayLines {
 public:
  /// `parts` empty: the log of an older version, and the lines are those of the neurons that are `noted`.
  explicit ArrayLines(const std::vector<LoggedEnds::Part>& parts) : known_(!parts.empty()) {
    for (const auto& p : parts) {
      parts_.push_back({p, count_});
      count_ += p.count;
    }
  }
  void note(std::uint32_t population, std::uint64_t neuron) {
    if (!known_) noted_[{population, neuron}] = 0;
  }
  void noted() {
    for (auto& [neuron, number] : noted_) number = count_++;
  }
  bool known() const { return known_; }
  std::uint64_t count() const { return count_; }
  /// Nothing: the neuron is none of them.
  std::optional<std::uint32_t> of(std::uint32_t population, std::uint64_t neuron) const {
    for (const auto& [p, before] : parts_)
      if (p.population == population && neuron >= p.first && neuron - p.first < p.count)
        return static_cast<std::uint32_t>(before + (neuron - p.first));
    const auto at = noted_.find({population, neuron});
    if (at == noted_.end()) return std::nullopt;
    return static_cast<std::uint32_t>(at->second);
  }

 private:
  bool known_;
  std::uint64_t count_ = 0;
  std::vector<std::pair<LoggedEnds::Part, std::uint64_t>> parts_;  ///< and how many are before it
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> noted_;
};

constexpr std::uint64_t most_crossings = 100'000'000;

/// The conductances of the last frame; rows and columns in the order of the projection's sources and targets,
/// 0 where there is no device.
circuit::Crossbar array_of(const LogData& log, const CrossbarOptions& o) {
  const LoggedWeights frames = frames_of(log, o);
  const auto unit = parse_unit(frames.units), siemens = parse_unit("S");
  if (!unit || unit->dimension != siemens->dimension)
    throw UserError(fmt::format("{}: {} of {} is no conductance (unit {})", o.log, o.variable,
                                in_quotes(frames.projection), in_quotes(frames.units)));
  const FileWeights w = read_weights(o.log, {frames.projection, "frame", {o.variable}, "", false});
  const LoggedEnds ends = read_ends(o.log, frames.name);
  ArrayLines rows(ends.sources), columns(ends.targets);
  for (const auto& r : w.rows) {
    rows.note(r.source_population, r.source);
    columns.note(r.target_population, r.target);
  }
  rows.noted(), columns.noted();
  if (!rows.known())
    fmt::print(stderr,
               "spinet: {}: an older version wrote it, and lines without devices are not known: they are "
               "left out\n",
               o.log);
  if (columns.count() > 0 && rows.count() > most_crossings / columns.count())
    throw UserError(fmt::format("{}: {} is an array of {} x {}, larger than can be solved ({} crossings)",
                                o.log, in_quotes(frames.projection), rows.count(), columns.count(),
                                most_crossings));
  circuit::Crossbar a{
      static_cast<std::uint32_t>(rows.count()), static_cast<std::uint32_t>(columns.count()), {}};
  a.conductance.assign(std::size_t{a.rows} * a.columns, 0.0);
  std::vector<bool> taken(a.conductance.size());
  for (std::size_t k = 0; k < w.rows.size(); ++k) {
    const auto& r = w.rows[k];
    const auto i = rows.of(r.source_population, r.source), j = columns.of(r.target_population, r.target);
    if (!i || !j)
      throw UserError(fmt::format("{}: a device of {} lies outside its rows or columns", o.log,
                                  in_quotes(frames.projection)));
    const std::size_t at = std::size_t{*i} * a.columns + *j;
    if (taken[at])
      throw UserError(fmt::format("{}: {} is no crossbar: source {} and target {} are connected twice", o.log,
                                  in_quotes(frames.projection), *i, *j));
    taken[at] = true;
    a.conductance[at] = Quantity{w.values[0][k] * unit->factor, unit->decade, unit->dimension}.in(*siemens);
  }
  a.row_resistance = a.column_resistance = quantity_of(o.resistance, "Ohm", "--line-resistance");
  if (a.row_resistance < 0)
    throw UserError(fmt::format("--line-resistance {}: it must not be below 0", in_quotes(o.resistance)));
  if (!o.V_0.empty()) a.V_0 = positive(o.V_0, "V", "--V0");
  return a;
}

circuit::ReadOut chain_of(const CrossbarOptions& o, double largest_voltage) {
  circuit::ReadOut chain;
  const auto bits = [](std::uint32_t n, const char* option) {
    if (n == 1 || n > 32) throw UserError(fmt::format("{} {}: from 2 to 32 bits", option, n));
    return n;
  };
  chain.dac.bits = bits(o.dac_bits, "--dac-bits");
  chain.dac.range = o.dac_range.empty() ? largest_voltage : positive(o.dac_range, "V", "--dac-range");
  if (chain.dac.range == 0) chain.dac.bits = 0;
  chain.adc.bits = bits(o.adc_bits, "--adc-bits");
  if (chain.adc.bits > 0 && o.adc_range.empty())
    throw UserError(
        "--adc-bits needs --adc-range: the current of the greatest number, for example \"100 uA\"");
  if (!o.adc_range.empty()) chain.adc.range = positive(o.adc_range, "A", "--adc-range");
  if (!o.limit.empty()) chain.current_limit = positive(o.limit, "A", "--current-limit");
  chain.pairs = o.pairs;
  if (!o.reference.empty()) {
    char* end = nullptr;
    const double x = std::strtod(o.reference.c_str(), &end);
    if (*end || !(x >= 0 && x < 0x1p32) || x != std::floor(x))
      throw UserError(fmt::format("--reference {}: the number of a column, counted from 0", o.reference));
    chain.reference = static_cast<std::uint32_t>(x);
  }
  return chain;
}

std::string amperes(double I) {
  for (const auto& [unit, size] :
       {std::pair("A", 1.0), {"mA", 1e-3}, {"uA", 1e-6}, {"nA", 1e-9}, {"pA", 1e-12}})
    if (std::fabs(I) >= size) return fmt::format("{:.5g} {}", I / size, unit);
  return fmt::format("{:.5g} A", I);
}

/// All rows driven, all columns read at virtual grounds: the product of voltages and conductances.
void product(const circuit::Crossbar& a, const CrossbarOptions& o) {
  const auto wanted = voltages_of(o.voltage, a.rows);
  double largest = 0;
  for (const double V : wanted) largest = std::max(largest, std::fabs(V));
  const circuit::ReadOut chain = chain_of(o, largest);
  circuit::ReadOut exact;  // differences alone
  exact.pairs = chain.pairs;
  exact.reference = chain.reference;
  const auto ideal = circuit::outputs(exact, circuit::ideal(a, wanted));
  const auto s =
      circuit::Solver(a).solve({circuit::inputs(chain, wanted), std::vector<double>(a.columns, 0.0)});
  const auto found = circuit::outputs(chain, s.out_of_columns);
  fmt::print("{:>6} {:>14} {:>14} {:>10}\n", "output", "wanted", "found", "error");
  double off = 0, size = 0;
  constexpr std::size_t few = 16;
  for (std::size_t j = 0; j < ideal.size(); ++j) {
    off += (found[j] - ideal[j]) * (found[j] - ideal[j]);
    size += ideal[j] * ideal[j];
    if (j >= few && !o.all) continue;
    fmt::print("{:>6} {:>14} {:>14} {:>10}\n", j, amperes(ideal[j]), amperes(found[j]),
               ideal[j] == 0 ? "" : fmt::format("{:+.3f} %", 100 * (found[j] / ideal[j] - 1)));
  }
  if (ideal.size() > few && !o.all) fmt::print("{:>6}  {} more: --all\n", "...", ideal.size() - few);
  if (size > 0)
    fmt::print("\nerror of the product {:.4g} % (root of the mean square, of that of the outputs)\n",
               100 * std::sqrt(off / size));
}

/// Does the line carry a device?  Without one no current flows in it, whatever its voltage.
bool any_in_row(const circuit::Crossbar& a, std::uint32_t i) {
  const auto begin = a.conductance.begin() + static_cast<std::ptrdiff_t>(std::size_t{i} * a.columns);
  return std::any_of(begin, begin + a.columns, [](double G) { return G > 0; });
}
bool any_in_column(const circuit::Crossbar& a, std::uint32_t j) {
  for (std::size_t at = j; at < a.conductance.size(); at += a.columns)
    if (a.conductance[at] > 0) return true;
  return false;
}

/// One column read at a virtual ground: one row driven, or all of them and all columns held, as for the
/// product.
void one_device(const circuit::Crossbar& a, const CrossbarOptions& o) {
  const std::uint32_t row = o.device[0], column = o.device[1];
  if (row >= a.rows || column >= a.columns)
    throw UserError(fmt::format("--device {} {}: the crossbar has {} and {}, counted from 0", row, column,
                                plural(a.rows, "row"), plural(a.columns, "column")));
  const bool all = o.lines == "driven";
  if (!all && o.voltage.find(',') != std::string::npos)
    throw UserError("--voltage: one for the row of --device; with --lines driven, one for each");
  const std::vector<double> volts = voltages_of(o.voltage, a.rows);
  const auto [least, most] = std::minmax_element(volts.begin(), volts.end());
  const circuit::ReadOut chain = chain_of(o, std::max(std::fabs(*least), std::fabs(*most)));
  const double rest = o.lines == "floating" ? circuit::floating : 0;
  circuit::Terminals at{circuit::inputs(chain, volts), std::vector<double>(a.columns, rest)};
  for (std::uint32_t i = 0; i < a.rows && !all; ++i)
    if (i != row) at.rows[i] = any_in_row(a, i) ? rest : 0;
  for (std::uint32_t j = 0; j < a.columns; ++j)
    if (!any_in_column(a, j)) at.columns[j] = 0;
  at.columns[column] = 0;
  const auto s = circuit::Solver(a).solve(at);
  const std::size_t k = std::size_t{row} * a.columns + column;
  const double wanted = volts[row] * a.conductance[k], through = s.device_current[k];
  circuit::ReadOut single = chain;  // one column alone has no partner
  single.pairs = false;
  single.reference.reset();
  const double found = circuit::outputs(single, {s.out_of_columns[column]})[0];
  fmt::print("device in row {}, column {}; other lines {}\n\n", row, column, o.lines);
  fmt::print("V G             {:>14}\nthrough it      {:>14}\nread            {:>14}", amperes(wanted),
             amperes(through), amperes(found));
  if (wanted != 0 && !all) fmt::print("   error {:+.3f} %", 100 * (found / wanted - 1));
  fmt::print("\n{}  {:>14}\n", all ? "other devices " : "sneak currents",
             amperes(s.out_of_columns[column] - through));
}

/// Options that would do nothing are refused.
void check_together(const CLI::App& given, const CrossbarOptions& o) {
  const auto needs = [&](const char* option, bool there, const char* what) {
    if (given.count(option) > 0 && !there) throw UserError(fmt::format("{} needs {}", option, what));
  };
  const bool one = !o.device.empty();
  needs("--lines", one, "--device: where all columns are read, every line is held");
  needs("--dac-range", o.dac_bits > 0, "--dac-bits: without them voltages pass as they are");
  needs("--adc-range", o.adc_bits > 0, "--adc-bits: without them currents pass as they are");
  for (const char* const option : {"--pairs", "--reference", "--all"})
    if (one && given.count(option) > 0)
      throw UserError(fmt::format("{} is about all columns, and --device reads one", option));
}

/// "devices", or how many there are where some crossings are empty.
std::string crossings_text(const circuit::Crossbar& a) {
  const auto devices = a.conductance.size() -
                       static_cast<std::size_t>(std::count(a.conductance.begin(), a.conductance.end(), 0.0));
  return devices == a.conductance.size() ? "devices" : "crossings with " + plural(devices, "device");
}

int crossbar(const CrossbarOptions& o) {
  return look::isolated(o.log, {}, [&] {
    const LogData log(o.log);
    try {
      const circuit::Crossbar a = array_of(log, o);
      fmt::print("{}: {} x {} {}, lines of {} from crossing to crossing{}\n", o.log, a.rows, a.columns,
                 crossings_text(a), o.resistance,
                 std::isinf(a.V_0) ? "" : fmt::format(", I = G V_0 sinh(V / V_0), V_0 = {}", o.V_0));
      if (o.device.empty()) product(a, o);
      else one_device(a, o);
    } catch (const circuit::CircuitError& e) {
      throw UserError(fmt::format("{}: {}", o.log, e.what()));
    }
    return static_cast<int>(fine);
  });
}

}  // namespace

void add_crossbar(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "crossbar",
      "Currents of a crossbar in the state that a run has left it in, with the resistance of its lines");
  auto o = std::make_shared<CrossbarOptions>();
  sub->add_option("LOG", o->log, "Log of a run that has recorded the conductances")->required();
  sub->add_option("--projection", o->projection, "The crossbar, if the log has several")->type_name("NAME");
  sub->add_option("--variable", o->variable, "The conductance: its last frame is taken")
      ->type_name("NAME")
      ->capture_default_str();
  sub->add_option("--voltage", o->voltage, "Of the rows: one for all, or one for each, separated by commas")
      ->type_name("VOLTAGES")
      ->capture_default_str();
  sub->add_option("--line-resistance", o->resistance, "From one crossing to the next, and to the terminal")
      ->type_name("RESISTANCE")
      ->capture_default_str();
  sub->add_option("--V0", o->V_0, "Devices with I = G V0 sinh(V / V0) instead of I = G V")
      ->type_name("VOLTAGE");
  sub->add_option("--device", o->device, "Read one device, by row and column, instead of all columns")
      ->type_name("ROW COLUMN")
      ->expected(2);
  sub->add_option("--lines", o->lines, "Of --device: what the other lines are; driven: as without --device")
      ->check(CLI::IsMember({"grounded", "floating", "driven"}))
      ->capture_default_str();
  sub->add_option("--dac-bits", o->dac_bits, "Of the converters of the rows")->type_name("N");
  sub->add_option("--dac-range", o->dac_range, "Their greatest voltage (the greatest of --voltage)")
      ->type_name("VOLTAGE");
  sub->add_option("--adc-bits", o->adc_bits, "Of the converters of the outputs")->type_name("N");
  sub->add_option("--adc-range", o->adc_range, "Their greatest current")->type_name("CURRENT");
  sub->add_option("--current-limit", o->limit, "The most that the amplifier of a column takes up")
      ->type_name("CURRENT");
  sub->add_flag("--pairs", o->pairs, "Outputs are differences of columns 0 and 1, 2 and 3, ...");
  sub->add_option("--reference", o->reference, "Outputs are differences from this column")
      ->type_name("COLUMN");
  sub->add_flag("--all", o->all, "Print all outputs, not the first 16");
  sub->footer(
      "Rows are the sources, columns the targets, in the order of the projection; a crossing may have no\n"
      "device. Rows are driven at their first\n"
      "column, columns read behind their last row, at virtual grounds. Bits, limits and differences are off "
      "unless\n"
      "given; what is wanted is the exact product of voltages and conductances.");
  sub->callback([o, sub, &action] {
    action = [o, sub] {
      refuse_ranks("crossbar");
      check_together(*sub, *o);
      return crossbar(*o);
    };
  });
}

}  // namespace spinet::tool
