// `curves` of a population: a preset, or measured ones from a file.
#include "layers/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "network/layer_numbers.hpp"
#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key entry_keys[] = {
    {"preset", false, "name", "em_reference"},
    {"fields", false, "quantities", "of the preset: magnetic fields, two curves each (0, 50, ..., 350 G)"},
    {"tmr", false, "number", "of the preset: tunnelling magnetoresistance at the high resistance (15 %)"},
    {"tmr_low", false, "number", "of the preset: the same at the low resistance (-43.9 %)"},
    {"copies", false, "integer", "of the preset: noisy copies of each curve, beside it (0)"},
    {"noise", false, "number", "of the preset: standard deviation of copies over the resistance (1 %)"},
    {"pulses", false, "integer", "of the preset: curves are fitted from 0 to as many pulses (64)"},
    {"count", false, "integer", "of the preset: as many of these curves, from the first (all)"},
    {"file", false, "text", "a CSV file of measured curves: pulses, and a column for each curve"},
    {"taus", false, "numbers", "of a file: the two time constants of the fit, in pulses ([4, 25])"},
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
    const Node *preset = n.find("preset"), *file = n.find("file");
    if (!preset == !file) {
      r_.errors.error(n.mark,
                      preset ? "'preset' and 'file' are given" : "'curves' has neither 'preset' nor 'file'",
                      "curves: em_reference, or curves: {file: measured.csv}");
      return {};
    }
    for (const auto& k : n.keys) {
      const bool of_file = k.name == "file" || k.name == "taus";
      if (of_file == (file != nullptr) || k.name == "preset") continue;
      r_.errors.error(k.mark, fmt::format("'{}' means nothing for {}", k.name, file ? "a file" : "a preset"));
      good_ = false;
    }
    return file ? measured(n, *file) : reference(n, *preset);
  }

 private:
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

  std::optional<layers::Curves> reference(const Node& n, const Node& preset) {
    good_ = known(preset) && good_;
    layers::EmReference e;
    e.seed = r_.network.seed;
    number(n, {"tmr", "1", -1, 100}, e.tmr_high);
    number(n, {"tmr_low", "1", -1, 100}, e.tmr_low);
    number(n, {"noise", "1", 0, 1}, e.noise);
    count(n, "copies", {0, most_curves}, e.copies);
    count(n, "pulses", {3, 100'000}, e.pulses);
    if (const Node* fields = n.find("fields")) {
      e.fields.clear();
      const Node& v = r_.resolved(*fields);
      std::vector<const Node*> items;
      if (v.is_list())
        for (const auto& i : v.items) items.push_back(&i);
      else items.push_back(&v);
      for (const Node* i : items) {
        const auto field = r_.number(*i, {"fields", "G"});
        good_ = good_ && field;
        e.fields.push_back(field.value_or(0));
      }
      if (items.empty()) {
        r_.errors.error(v.mark, "'fields' is an empty list", "fields: [0 G]");
        return {};
      }
    }
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

  /// The names in the first line of a file: one for each column.
  static std::vector<Column> columns_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    std::vector<Column> all;
    for (std::size_t at = 0; at <= line.size() && all.size() <= most_curves;) {
      const std::size_t end = std::min(line.find(',', at), line.size());
      std::string name(trimmed(std::string_view(line).substr(at, end - at)));
      if (name.size() > 1 && name.front() == '"' && name.back() == '"')
        name = name.substr(1, name.size() - 2);
      all.push_back({std::move(name), "1", true});
      at = end + 1;
    }
    return all;
  }

  std::optional<layers::Curves> measured(const Node& n, const Node& given) {
    const auto taus = time_constants(n);
    const auto file = r_.data_file(given);
    if (!taus || !file || !good_) return {};
    const auto columns = columns_of(*file);
    if (columns.size() < 2 || columns.size() > most_curves || columns[0].name != "pulses") {
      r_.errors.error(
          given.mark,
          fmt::format("{} does not begin with the names of its columns", in_quotes(file->string())),
          "pulses, curve1, curve2, ...");
      return {};
    }
    std::vector<double> pulses;
    std::vector<std::vector<double>> curves(columns.size() - 1);
    const std::size_t before = r_.errors.count();
    read_csv(
        r_, *file, given.mark, columns, [](const std::vector<bool>&) { return std::string{}; },
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
