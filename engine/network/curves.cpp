// `curves` of a population: a preset, or measured ones from a file.
#include "layers/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "network/device_curves.hpp"
#include "network/layer_numbers.hpp"
#include "network/parts.hpp"
#include "network/preset.hpp"
#include "network/suggest.hpp"
#include "spinet/device.hpp"

namespace spinet::reading {
namespace {

constexpr Key entry_keys[] = {
    {"preset", false, "name", "em_reference"},
    {"device", false, "name", "a synapse model: curves are measured by pulsing one"},
    {"fields", false, "quantities",
     "of the preset or a device: magnetic fields, two curves each (0, 50, ..., 350 G)"},
    {"tmr", false, "number", "of the preset: tunnelling magnetoresistance at the high resistance (15 %)"},
    {"tmr_low", false, "number", "of the preset: the same at the low resistance (-43.9 %)"},
    {"copies", false, "integer", "of the preset: noisy copies of each curve, beside it (0)"},
    {"noise", false, "number", "of the preset: standard deviation of copies over the resistance (1 %)"},
    {"pulses", false, "integer",
     "of the preset or a device: curves are fitted from 0 to as many pulses (64)"},
    {"potentiation", false, "quantities", "of a device: voltage and duration of a pulse ([-0.8 V, 10 ms])"},
    {"depression", false, "quantities", "of a device: the same the other way ([1.5 V, 10 ms])"},
    {"count", false, "integer", "of the preset: as many of these curves, from the first (all)"},
    {"file", false, "text", "a CSV file of measured curves: pulses, and a column for each curve"},
    {"taus", false, "numbers",
     "of a file or a device: the two time constants of the fit, in pulses ([4, 25])"},
};
constexpr std::size_t most_curves = 1024;

class CurvesReader {
 public:
  explicit CurvesReader(Reader& r) : r_(r) {}

  std::optional<layers::Curves> read(const Node& n) {
    if (n.is_scalar()) {
      return known(n) ? std::optional(layers::em_reference({})) : std::nullopt;
    }
    if (!r_.map(n, entry_keys, "'curves'", n.mark) || !n.is_map()) return {};
    static constexpr std::string_view kinds[] = {"preset", "file", "device"};
    const Node* of[3];
    int given = 0;
    for (int k = 0; k < 3; ++k) given += (of[k] = n.find(kinds[k])) != nullptr;
    if (given != 1) {
      r_.errors.error(n.mark,
                      given ? "'curves' has more than one of 'preset', 'file' and 'device'"
                            : "'curves' has none of 'preset', 'file' and 'device'",
                      "curves: em_reference, or curves: {file: measured.csv}, or curves: {device: pvdf}");
      return {};
    }
    const std::size_t kind = of[0] ? 0 : of[1] ? 1 : 2;
    for (const auto& k : n.keys) check_key(k, kind);
    return kind == 0 ? reference(n, *of[0]) : kind == 1 ? measured(n, *of[1]) : on_device(n, *of[2]);
  }

 private:
  /// Refuses keys that mean nothing for a preset, a file, a device.
  void check_key(const Node::Key& k, std::size_t kind) {
    static constexpr std::string_view meant[][9] = {
        {"preset", "fields", "tmr", "tmr_low", "copies", "noise", "pulses", "count"},
        {"file", "taus"},
        {"device", "fields", "pulses", "potentiation", "depression", "taus"}};
    static constexpr std::string_view who[] = {"a preset", "a file", "a device"};
    for (const auto name : meant[kind])
      if (k.name == name) return;
    const auto all = names(entry_keys);
    if (std::find(all.begin(), all.end(), k.name) == all.end()) return;  // misspelt, which has been said
    r_.errors.error(k.mark, fmt::format("'{}' means nothing for {}", k.name, who[kind]));
    good_ = false;
  }
  bool known(const Node& n) {
    const auto name = r_.text(n, "curves");
    if (name && *name != "em_reference")
      r_.errors.error(n.mark, fmt::format("there are no curves {}", in_quotes(*name)),
                      suggest(*name, {"em_reference"}, "curves"));
    return name && *name == "em_reference";
  }
  void number(const Node& map, const Wanted& w, double& to) {
    const Node* const v = map.find(w.what);
    const auto x = v ? r_.number(*v, w) : std::optional(to);
    good_ = good_ && x;
    to = x.value_or(to);
  }
  void count(const Node& map, std::string_view key, const std::pair<std::uint64_t, std::uint64_t>& range,
             std::uint32_t& to) {
    const Node* const v = map.find(key);
    const auto x = v ? r_.integer(*v, key, range.first, range.second) : std::optional<std::uint64_t>(to);
    good_ = good_ && x;
    to = static_cast<std::uint32_t>(x.value_or(to));
  }

  /// `fields`, where they are given; false after an error.
  bool fields(const Node& n, std::vector<double>& to) {
    const Node* const given = n.find("fields");
    if (!given) return true;
    to.clear();
    const Node& v = r_.resolved(*given);
    std::vector<const Node*> items;
    if (v.is_list())
      for (const auto& i : v.items) items.push_back(&i);
    else items.push_back(&v);
    for (const Node* i : items) {
      const auto field = r_.number(*i, {"fields", "G"});
      good_ = good_ && field;
      to.push_back(field.value_or(0));
    }
    if (items.empty()) r_.errors.error(v.mark, "'fields' is an empty list", "fields: [0 G]");
    return !items.empty();
  }

  std::optional<layers::Curves> reference(const Node& n, const Node& preset) {
    good_ = known(preset) && good_;
    layers::EmReference e;
    e.seed = r_.network.seed;
    number(n, {"tmr", "1", -1, 100}, e.tmr_high);
    number(n, {"tmr_low", "1", -1, 100}, e.tmr_low);
    number(n, {"noise", "1", 0, 1}, e.noise);
    count(n, "copies", {0, most_curves}, e.copies);
    count(n, "pulses", {3, 100'000}, e.pulses);
    if (!fields(n, e.fields)) return {};
    const std::size_t curves = 2 * e.fields.size() * (e.copies + std::size_t{1});
    if (curves > most_curves) {
      r_.errors.error(n.mark, fmt::format("more than {} curves", most_curves));
      return {};
    }
    if (n.find("count")) count(n, "count", {1, curves}, e.count);
    if (!good_) return {};
    return layers::em_reference(e);
  }

  std::optional<std::pair<double, double>> time_constants(const Node& n) {
    const Node* const given = n.find("taus");
    if (!given) return std::pair(4.0, 25.0);
    const Node& v = r_.resolved(*given);
    if (!v.is_list() || v.items.size() != 2) {
      r_.errors.error(v.mark, "'taus' must be a list of two numbers of pulses", "taus: [4, 25]");
      return {};
    }
    const auto fast = r_.number(v.items[0], {"taus", "1", 0, 1e9, low_open}),
               slow = r_.number(v.items[1], {"taus", "1", 0, 1e9, low_open});
    if (!fast || !slow) return {};
    if (*fast < *slow) return std::pair(*fast, *slow);
    r_.errors.error(v.mark, "the second of 'taus' must be above the first");
    return {};
  }

  /// A pulse, [voltage, duration], where it is given.
  bool pulse(const Node& n, const char* key, Control& to) {
    const Node* const given = n.find(key);
    if (!given) return true;
    const Node& v = r_.resolved(*given);
    if (!v.is_list() || v.items.size() != 2) {
      r_.errors.error(v.mark, fmt::format("'{}' must be a voltage and a duration", key),
                      fmt::format("{}: [-0.8 V, 10 ms]", key));
      return false;
    }
    const auto V = r_.number(v.items[0], {key, "V"}),
               seconds = r_.number(v.items[1], {key, "s", 0, 1e6, low_open});
    to.value[0] = V.value_or(0), to.value[1] = seconds.value_or(1);
    return V && seconds;
  }
  /// The model that `given` names, if curves can be made of it; null after an error.
  const SynapseTable* device(const Node& given) {
    const auto name = r_.text(given, "device");
    if (!name) return nullptr;
    std::vector<std::string> known;
    for (const auto& e : r_.catalogue.all())
      if (e.model->kind == Kind::synapse && makes_curves(*e.model)) known.emplace_back(e.model->name);
    const Model* const m = r_.catalogue.find(Kind::synapse, *name);
    if (m && makes_curves(*m)) return reinterpret_cast<const SynapseTable*>(m);
    r_.errors.error(
        given.mark,
        m ? fmt::format("synapses of model {} have no curves: no pulses change a conductance G", *name)
          : fmt::format("{} is no synapse model", in_quotes(*name)),
        suggest(*name, known, "devices"));
    return nullptr;
  }
  static bool makes_curves(const Model& m) {
    for (std::uint32_t v = 0; v < m.variables.count; ++v)
      if (std::string_view(m.variables.data[v].name) == "G")
        return stimulus_named(m, device::pulse.name).has_value();
    return false;
  }
  std::optional<layers::Curves> on_device(const Node& n, const Node& given) {
    const SynapseTable* const table = device(given);
    const auto taus = time_constants(n);
    CurvesOnDevice what{{}, {}, {}, 0, 64, {0, 50, 100, 150, 200, 250, 300, 350}};
    what.potentiation = {0, 0, {-0.8, 10e-3}}, what.depression = {0, 0, {1.5, 10e-3}};
    good_ = fields(n, what.fields) && good_;
    good_ = pulse(n, "potentiation", what.potentiation) && good_;
    good_ = pulse(n, "depression", what.depression) && good_;
    count(n, "pulses", {3, 10'000}, what.pulses);
    if (!table || !taus || !good_) return {};
    if (2 * what.fields.size() > most_curves) {
      r_.errors.error(n.mark, fmt::format("more than {} curves", most_curves));
      return {};
    }
    what.potentiation.stimulus = what.depression.stimulus = *stimulus_named(table->model, device::pulse.name);
    what.period = 2 * std::max(what.potentiation.value[1], what.depression.value[1]);
    for (const Fields* f : {&table->model.params, &table->model.variables})
      for (std::uint32_t i = 0; i < f->count; ++i)
        (f == &table->model.params ? what.make.params : what.make.initial).push_back(field(*f, i).preset);
    what.make.seed = r_.network.seed;
    return of_resistances(given, what, curves_on_device(*table, what), {taus->first, taus->second});
  }
  std::optional<layers::Curves> of_resistances(const Node& given, const CurvesOnDevice& what,
                                               const std::vector<std::vector<double>>& R,
                                               const std::vector<double>& taus) {
    const auto refuse = [&](const std::string& reason) {
      const auto series = [&](const Control& c) {
        return fmt::format("{} x {:g} V {:g} ms", what.pulses, c.value[0], c.value[1] * 1e3);
      };
      r_.errors.error(
          given.mark, reason,
          fmt::format("other pulses, fewer of them or other fields; spinet device {} --pulses \"{}, "
                      "{}\" shows what these do",
                      given.text, series(what.potentiation), series(what.depression)));
      return std::optional<layers::Curves>{};
    };
    for (std::size_t k = 0; k < R.size(); ++k)
      for (std::size_t n = 0; n < R[k].size(); ++n) {
        if (std::isfinite(R[k][n])) continue;
        const bool depressed = k % 2 == 1 || n == 0;  // the first of potentiation is the end of depression
        return refuse(
            fmt::format("in a field of {:g} G, {} pulses of {} leave {} a conductance G of {:g}: its "
                        "resistance 1 / G, of "
                        "which curves are made, is infinite",
                        what.fields[k / 2], k % 2 == 0 && n == 0 ? what.pulses : n,
                        depressed ? "depression" : "potentiation", given.text, 1 / R[k][n]));
      }
    for (std::size_t k = 0; k < R.size(); k += 2) {
      if (!(R[k].back() < R[k].front() && R[k + 1].back() > R[k + 1].front()))
        return refuse(fmt::format(
            "in a field of {:g} G, potentiation takes the resistance of {} from {:.4g} to "
            "{:.4g} and depression from {:.4g} to {:.4g} (times that of the first curve's begin); "
            "the former must lower it, the latter raise it",
            what.fields[k / 2], given.text, R[k].front() / R[0][0], R[k].back() / R[0][0],
            R[k + 1].front() / R[0][0], R[k + 1].back() / R[0][0]));
    }
    std::vector<double> pulses;
    for (std::uint32_t n = 0; n <= what.pulses; ++n) pulses.push_back(n);
    return layers::measured(pulses, R, taus);
  }

  /// The columns of a file: pulses, then each curve.  None after an error.
  std::vector<Column> columns_of(const std::filesystem::path& file, Mark where) {
    auto all = csv_header(file);
    const auto refuse = [&](const std::string& reason) {
      r_.errors.error(where, fmt::format("{} {}", in_quotes(file.string()), reason),
                      "its first line names the columns, separated by commas: pulses, curve1, curve2, ...");
      return std::vector<Column>{};
    };
    const auto pulses =
        std::find_if(all.begin(), all.end(), [](const Column& c) { return c.name == "pulses"; });
    if (all.empty()) return refuse("is empty");
    if (pulses == all.end()) return refuse("has no column 'pulses'");
    if (all.size() < 2) return refuse("has no curve beside 'pulses'");
    if (all.size() - 1 > most_curves)
      return refuse(
          fmt::format("has {} curves, and at most {} can be read out", all.size() - 1, most_curves));
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].name.empty()) return refuse(fmt::format("has no name for its column {}", i + 1));
    pulses->unit = "1";
    std::rotate(all.begin(), pulses, pulses + 1);
    return all;
  }

  std::optional<layers::Curves> measured(const Node& n, const Node& given) {
    const auto taus = time_constants(n);
    const auto file = r_.data_file(given);
    if (!taus || !file || !good_) return {};
    const auto columns = columns_of(*file, given.mark);
    if (columns.empty()) return {};
    std::vector<double> pulses;
    std::vector<std::vector<double>> curves(columns.size() - 1);
    const std::size_t before = r_.errors.count();
    read_csv(
        r_, {*file, given.mark}, columns, [](const std::vector<bool>&) { return std::string{}; },
        [&](std::span<const double> row) -> RowFault {
          if (!(row[0] >= 0 && row[0] <= 1e6)) return {"a number of pulses lies between 0 and 1e6", 0};
          pulses.push_back(row[0]);
          for (std::size_t k = 1; k < row.size(); ++k) curves[k - 1].push_back(row[k]);
          return {};
        });
    if (r_.errors.count() != before) return {};
    return fit(*file, given.mark, pulses, curves, {taus->first, taus->second});
  }
  std::optional<layers::Curves> fit(const std::filesystem::path& file, Mark where,
                                    const std::vector<double>& pulses,
                                    const std::vector<std::vector<double>>& curves,
                                    const std::vector<double>& taus) {
    const auto fault = [&](const char* reason) {
      r_.errors.error(where, fmt::format("{}: {}", in_quotes(file.string()), reason));
      return std::optional<layers::Curves>{};
    };
    if (std::set<double>(pulses.begin(), pulses.end()).size() < 3)
      return fault("three numbers have to be fitted, and fewer different numbers of pulses are there");
    const auto apart = [](const std::vector<double>& c) {
      return std::adjacent_find(c.begin(), c.end(), std::not_equal_to<>()) != c.end();
    };
    if (std::none_of(curves.begin(), curves.end(), apart)) return fault("all values are alike");
    layers::Curves all = layers::measured(pulses, curves, taus);
    for (const auto& c : all.curves)
      for (const double x : {c.constant, c.amplitudes[0], c.amplitudes[1]})
        if (!(std::fabs(x) < 1e6))
          return fault("its pulses do not tell the two time constants of 'taus' apart");
    return all;
  }

  Reader& r_;
  bool good_ = true;
};

}  // namespace

std::span<const Key> curves_keys() { return entry_keys; }

bool takes_curves(const Model& m) {
  return parameter_of(m, "constant") && parameter_of(m, "fast") && parameter_of(m, "slow");
}

std::optional<layers::Curves> read_curves(Reader& r, const Node& n) {
  return CurvesReader(r).read(r.resolved(n));
}

}  // namespace spinet::reading
