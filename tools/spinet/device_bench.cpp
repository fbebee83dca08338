#include "device_bench.hpp"

#include <fmt/core.h>

#include <cmath>
#include <cstring>
#include <regex>

#include "commands.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"

namespace spinet::tool {

DeviceBench::DeviceBench(const SynapseTable& table, const std::vector<double>& params,
                         const std::vector<double>& initial, std::uint32_t seed)
    : t_(table),
      shared_(std::max(table.shared_size, 64u)),
      state_(std::max(table.state_size, 64u)),
      slice_state_(std::max(table.slice_state_size, 64u)),
      seed_(seed) {
  const Fields &fields = t_.model.params, &variables = t_.model.variables;
  std::vector<double> raw(t_.params_size / sizeof(double) + 1);
  for (std::uint32_t f = 0; f < fields.count; ++f) put(raw.data(), fields.data[f], params[f]);
  const RunInfo run{ticks_per_second * 1e-3};
  if (t_.prepare) t_.prepare(shared_.data(), raw.data(), &run);
  for (std::uint32_t v = 0; v < variables.count; ++v)
    if (!(variables.data[v].flags & Flag::initial))
      put(state_.data(), variables.data[v], variables.data[v].preset);
  for (std::uint32_t v = 0; v < variables.count; ++v)
    if (variables.data[v].flags & Flag::initial) put(state_.data(), variables.data[v], initial[v]);
  if (t_.init) t_.init(state_.data(), shared_.data());
  neuron_.read = [](const NeuronBlock*, Tick, std::uint32_t, std::uint32_t) noexcept -> double {
    return 0;
  };  // a target at rest
  reads_.resize(t_.read_count);
}

Slice DeviceBench::at(double seconds) {
  static constexpr std::uint16_t target = 0;
  static constexpr Gid gid = 1;
  static constexpr std::uint8_t copy = 0;
  Slice s{};
  s.delay = 1;
  s.tick = s.delay + std::llround(seconds * ticks_per_second);
  s.payload = 1;
  s.count = 1;
  s.targets = &target;
  s.state = state_.data();
  s.slice_state = slice_state_.data();
  s.shared = shared_.data();
  s.history = t_.post_tau ? silent_.heads() : nullptr;
  s.gids = &gid;
  s.copies = &copy;
  s.random = {seed_, 0};
  s.neuron = &neuron_;
  s.block = &block_;
  s.reads = reads_.data();
  s.run = {ticks_per_second * 1e-3};
  return s;
}
void DeviceBench::apply(double seconds, const Control& control) {
  const Slice s = at(seconds);
  t_.on_control_of(s, control);
}
double DeviceBench::read(double seconds, std::uint32_t variable) {
  const Slice s = at(seconds);
  return t_.read(&s, 0, variable);
}

std::vector<PulseSeries> read_pulses(const std::string& text) {
  static const std::string number = "([-+]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][-+]?[0-9]+)?)",
                           unit = "((?!x\\b)[^\\s0-9.,+-]+)";
  static const std::regex form("\\s*(?:([0-9]+)\\s*x\\s*)?" + number + "\\s*" + unit + "\\s+" + number +
                               "\\s*" + unit + "(?:\\s+every\\s+" + number + "\\s*" + unit + ")?\\s*");
  const auto quantity = [](const std::string& value, const std::string& symbol, const char* what,
                           const char* base) {
    const auto u = parse_unit(symbol), wanted = parse_unit(base);
    if (!u) throw UserError(fmt::format("--pulses: unknown unit {} of the {}", in_quotes(symbol), what));
    if (u->dimension != wanted->dimension)
      throw UserError(fmt::format("--pulses: the {} must be {}; '{} {}' is {}", what,
                                  dimension_name(wanted->dimension), value, symbol,
                                  dimension_name(u->dimension)));
    return scaled(std::stod(value) * u->factor, u->decade);
  };
  std::vector<PulseSeries> all;
  std::uint64_t pulses = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    std::smatch m;
    if (!std::regex_match(part, m, form))
      throw UserError(
          fmt::format("--pulses: {} is no series of pulses; write amplitude and width, for example \"50 x "
                      "2.5 V 5 ms\" or \"-4 V 1 s\", series separated by commas",
                      in_quotes(part)));
    PulseSeries s;
    if (m[1].matched) s.count = m[1].length() > 9 ? ~std::uint64_t{0} : std::stoull(m[1]);
    s.amplitude = quantity(m[2], m[3], "amplitude", "V");
    s.width = quantity(m[4], m[5], "width", "s");
    if (m[6].matched) s.period = quantity(m[6], m[7], "time after 'every'", "s");
    if (s.count == 0 || s.count > 10'000'000 || (pulses += s.count) > 10'000'000)
      throw UserError("--pulses: 1 to 10,000,000 pulses can be given");
    if (!(s.width > 0))
      throw UserError(
          fmt::format("--pulses: the width of a pulse must be above 0 s, in {}", in_quotes(part)));
    if (m[6].matched && s.period < s.width)
      throw UserError(fmt::format("--pulses: pulses overlap: they last longer than they are apart, in {}",
                                  in_quotes(part)));
    all.push_back(s);
  }
  return all;
}

}  // namespace spinet::tool
