#include "mapping/mapped.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>

namespace spinet::mapping {
namespace {
double square(double x) { return x * x; }

/// What devices have of their own, parameters in the model's order: states that were kept depend on it.
Devices::Make sorted(Devices::Make make) {
  std::stable_sort(make.own.begin(), make.own.end(), [](const auto& a, const auto& b) {
    return a.is_param != b.is_param ? a.is_param : a.index < b.index;
  });
  return make;
}

double rms_off(const Devices& devices, std::span<const double> wanted, const Range& range, double seconds) {
  double squares = 0;
  for (std::uint32_t d = 0; d < devices.size(); ++d)
    squares += square(devices.read(seconds, d, 0) - wanted[d]);
  return devices.size() ? std::sqrt(squares / devices.size()) / range.span() : 0;
}

std::optional<std::uint32_t> energy_variable(const SynapseTable& t) {
  for (std::uint32_t v = 0; v < t.model.variables.count; ++v)
    if (std::string_view(t.model.variables.data[v].name) == "energy") return v;
  return {};
}
}  // namespace

Devices::Make in_order(const SynapseTable& table, Devices::Make make) {
  const Fields& f = table.model.params;
  for (std::uint32_t k = 0; k < f.count; ++k)
    for (const std::string_view fault : {"stuck", "endurance"})
      if (fault == f.data[k].name) make.params[k] = 0;
  return make;
}

FoundRange range_of(const SynapseTable& table, const Devices::Make& common, const Pulses& pulses,
                    std::uint32_t most) {
  constexpr std::uint32_t devices = 64;
  constexpr double margin = 0.05;
  Devices::Make make = in_order(table, common);
  make.own.clear();
  make.count = devices;
  Devices all(table, std::move(make));
  double now = 0;
  const auto after = [&](const Control& pulse) {
    for (std::uint32_t k = 0; k < most; ++k, now += pulses.period) all.apply(now, pulse);
    std::vector<double> found;
    for (std::uint32_t i = 0; i < devices; ++i) found.push_back(all.read(now, i, 0));
    return found;
  };
  const auto mean = [](const std::vector<double>& x) {
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  };
  const auto up = after(pulses.up), down = after(pulses.down), again = after(pulses.up);
  const double high = mean(up), low = mean(down), edge = margin * (high - low);
  const double rise = mean(again) - low;
  double squares = 0;
  for (std::uint32_t i = 0; i < devices; ++i) squares += square(again[i] - down[i] - rise);
  return {{low + edge, high - edge}, rise, std::sqrt(squares / (devices - 1) / devices)};
}

Scheme scheme_of(const Pulses& pulses, const Range& range, double tolerance, std::uint32_t most) {
  const auto &up = pulses.up.value, &down = pulses.down.value;
  return {pulses,
          {tolerance * range.span(), up[0], up[1], down[0], down[1], 0, static_cast<double>(most)},
          range};
}

Written write(Devices& devices, const Scheme& scheme, std::span<const double> wanted, double seconds) {
  Written w;
  w.devices = devices.size();
  std::vector<std::uint32_t> open(devices.size()), left, pulses(devices.size(), 0);
  std::iota(open.begin(), open.end(), 0u);
  double squares = 0, now = seconds;
  for (; !open.empty(); open.swap(left), now += scheme.pulses.period) {
    left.clear();
    for (const std::uint32_t d : open) {
      const double reading = devices.transmit(now, d), off = reading - wanted[d];
      const auto next = scheme.rule(reading, wanted[d], pulses[d]);
      if (next.finished) {
        w.reached += next.reached;
        w.pulses += pulses[d];
        squares += square(devices.read(now, d, 0) - wanted[d]);
        continue;
      }
      Control pulse = off < 0 ? scheme.pulses.up : scheme.pulses.down;
      pulse.value[0] = next.amplitude, pulse.value[1] = next.width;
      devices.apply(now + scheme.pulses.period / 2, pulse, d);
      ++pulses[d];
      left.push_back(d);
    }
  }
  if (w.devices > 0) {
    w.pulses /= static_cast<double>(w.devices);
    w.error = std::sqrt(squares / static_cast<double>(w.devices)) / scheme.range.span();
  }
  w.error_at_end = rms_off(devices, wanted, scheme.range, now);
  w.seconds = now;
  return w;
}

double spent(const Devices& devices, const SynapseTable& table, double seconds) {
  const auto energy = energy_variable(table);
  double sum = 0;
  for (std::uint32_t d = 0; energy && d < devices.size(); ++d) sum += devices.read(seconds, d, *energy);
  return sum;
}

std::uint32_t Mapped::devices_of(std::size_t weights, const Scheme& scheme) {
  return static_cast<std::uint32_t>(weights) * (scheme.pairs ? 2u : 1u);
}

Mapped::Mapped(const SynapseTable& table, Devices::Make make, const Scheme& scheme,
               std::span<const float> weights)
    : table_(table),
      make_(sorted(std::move(make))),
      devices_(table, make_),
      scheme_(scheme),
      weights_(weights.begin(), weights.end()),
      found_(devices_.size()) {
  for (const float w : weights_) greatest_ = std::max(greatest_, std::fabs(static_cast<double>(w)));
}

/// The reading that device `device` should have.
double Mapped::wanted(std::uint32_t device) const {
  const Range& range = scheme_.range;
  const double share =
      greatest_ > 0 ? static_cast<double>(weights_[scheme_.pairs ? device / 2 : device]) / greatest_ : 0;
  if (!scheme_.pairs) return range.low + range.span() * (0.5 + 0.5 * share);
  return range.low + range.span() * std::max(0.0, device % 2 == 0 ? share : -share);
}

double Mapped::sum(std::span<const double> readings) {
  return std::accumulate(readings.begin(), readings.end(), 0.0);
}

Written Mapped::write() {
  std::vector<double> all;
  for (std::uint32_t d = 0; d < devices_.size(); ++d) all.push_back(wanted(d));
  const Written w = mapping::write(devices_, scheme_, all, 0);
  end_ = w.seconds;
  devices_.transmit(end_, found_);
  sum_ = sum(found_);
  return w;
}

void Mapped::read(double seconds, Reading how, std::span<float> weights) {
  devices_.transmit(end_ + seconds, found_);
  now_ = end_ + seconds;
  put(found_, how, weights);
}

void Mapped::in_mean(Reading how, std::span<float> weights) const {
  std::vector<double> readings;
  for (std::uint32_t d = 0; d < devices_.size(); ++d) readings.push_back(devices_.read(now_, d, 0));
  put(readings, how, weights);
}

void Mapped::put(std::span<const double> readings, Reading how, std::span<float> weights) const {
  const double all = how == Reading::compensated ? sum(readings) : sum_, factor = all != 0 ? sum_ / all : 1;
  const Range& range = scheme_.range;
  for (std::size_t k = 0; k < size(); ++k) {
    const double share = scheme_.pairs ? factor * (readings[2 * k] - readings[2 * k + 1]) / range.span()
                                       : (factor * readings[k] - range.low) / range.span() * 2 - 1;
    weights[k] = static_cast<float>(share * greatest_);
  }
}

Mapped::Mapped(const SynapseTable& table, Kept k)
    : table_(table),
      make_(sorted(std::move(k.make))),
      devices_(table, make_),
      found_(devices_.size()),
      greatest_(k.greatest),
      end_(k.seconds),
      sum_(k.sum) {
  scheme_.range = k.range, scheme_.pairs = k.pairs;
  if (k.state.empty()) return;
  if (const auto size = devices_.save().size(); k.state.size() != size)
    throw std::invalid_argument("states have " + std::to_string(k.state.size()) + " bytes, not " +
                                std::to_string(size));
  devices_.restore(k.state);
}

double Mapped::error() const {
  std::vector<double> all;
  for (std::uint32_t d = 0; d < devices_.size(); ++d) all.push_back(wanted(d));
  return rms_off(devices_, all, scheme_.range, now_);
}

Kept Mapped::kept() const {
  Kept k{in_order(table_, make_), scheme_.range, scheme_.pairs, greatest_, sum_};
  const auto gone = [&](const Devices::Own& o) {
    return !o.is_param || std::string_view(table_.model.params.data[o.index].name) == "endurance";
  };
  std::erase_if(k.make.own, gone);
  const Fields& variables = table_.model.variables;
  for (std::uint32_t v = 0; v < variables.count; ++v) {
    if (!(variables.data[v].flags & Flag::initial)) continue;
    k.make.own.push_back({false, v, {}});
    for (std::uint32_t d = 0; d < devices_.size(); ++d)
      k.make.own.back().values.push_back(devices_.read(now_, d, v));
  }
  return same_reads(k) ? k : with_states(std::move(k));
}

/// Do devices made of these variables read as these do: at once, and without noise in an hour?
bool Mapped::same_reads(const Kept& k) const {
  constexpr double hour = 3600, off = 1e-5;
  Devices again(table_, k.make);
  const auto alike = [&](double x, double y) { return std::fabs(x - y) <= off * scheme_.range.span(); };
  std::vector<double> found(found_.size());
  for (std::uint32_t d = 0; d < devices_.size(); ++d)
    if (!alike(again.read(hour, d, 0), devices_.read(now_ + hour, d, 0))) return false;
  again.transmit(0, found);
  return std::equal(found.begin(), found.end(), found_.begin(), alike);
}

/// Parameters as they are, then: states are made for these.
Kept Mapped::with_states(Kept k) const {
  std::erase_if(k.make.own, [](const auto& o) { return o.is_param; });
  k.make.params = make_.params;
  for (const auto& o : make_.own)
    if (o.is_param) k.make.own.push_back(o);
  k.state = devices_.save(), k.seconds = now_;
  return k;
}

std::vector<double> Mapped::cost_of_read(double seconds) {
  const auto energy = energy_variable(table_);
  if (!energy) return {};
  const double now = end_ + seconds;
  std::vector<double> costs(size(), 0);
  const auto add = [&](double sign) {
    for (std::uint32_t d = 0; d < devices_.size(); ++d)
      costs[scheme_.pairs ? d / 2 : d] += sign * devices_.read(now, d, *energy);
  };
  add(-1);
  devices_.transmit(now, found_);
  add(1);
  if (std::all_of(costs.begin(), costs.end(), [](double nJ) { return nJ == 0; })) costs.clear();
  return costs;
}

double Mapped::spent() const { return mapping::spent(devices_, table_, end_); }

}  // namespace spinet::mapping
