#include "mapping/tile.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace spinet::mapping {
namespace {

/// One bit for each slot, set with probability `p`.
std::uint32_t train_of(double p, std::uint32_t slots, RandomKey key, std::uint64_t line) {
  std::uint32_t bits = 0;
  for (std::uint32_t s = 0; s < slots; s += 4) {
    const Words w = draw(key, line, s);
    for (std::uint32_t k = 0; k < 4 && s + k < slots; ++k)
      if (uniform01(w[k]) < p) bits |= 1u << (s + k);
  }
  return bits;
}

double greatest_of(std::span<const double> numbers) {
  double most = 0;
  for (const double x : numbers) most = std::max(most, std::fabs(x));
  return most;
}

}  // namespace

Tile::Tile(const SynapseTable& table, const TileDevices& devices, const Scheme& scheme,
           const TileShape& shape, double reach)
    : table_(table),
      devices_(table, devices.weights),
      references_(table, devices.references),
      scheme_(scheme),
      shape_(shape),
      reach_(reach),
      found_(devices_.size()),
      zero_(devices_.size(), scheme.range.low + 0.5 * scheme.range.span()) {
  measure_step(table, devices.weights);
  now_ = mapping::write(references_, scheme_, zero_, 0).seconds;
}

/// Devices alike, from the middle of the range: one pulse up each, then one down.
void Tile::measure_step(const SynapseTable& table, Devices::Make make) {
  constexpr std::uint32_t devices = 64;
  make = in_order(table, std::move(make));
  make.own.clear();
  make.count = devices;
  Devices all(table, std::move(make));
  const std::vector<double> middle(devices, scheme_.range.low + 0.5 * scheme_.range.span());
  double now = mapping::write(all, scheme_, middle, 0).seconds, changes = 0;
  const auto reading = [&](std::uint32_t d) { return all.read(now, d, 0); };
  for (const Control* pulse : {&scheme_.pulses.up, &scheme_.pulses.down})
    for (std::uint32_t d = 0; d < devices; ++d) {
      const double before = reading(d);
      all.apply(now, *pulse, d);
      changes += pulse == &scheme_.pulses.up ? reading(d) - before : before - reading(d);
    }
  step_ = std::max(0.0, changes / (2 * devices)) / scheme_.range.span() * 2 * reach_;
}

double Tile::spent() const {
  return mapping::spent(devices_, table_, now_) + mapping::spent(references_, table_, now_);
}

Written Tile::write(std::span<const float> weights) {
  std::vector<double> wanted(weights.size());
  references_.transmit(now_, zero_);
  for (std::size_t d = 0; d < weights.size(); ++d)
    wanted[d] = zero_[d] + static_cast<double>(weights[d]) / reach_ * 0.5 * scheme_.range.span();
  const Written w = mapping::write(devices_, scheme_, wanted, now_);
  now_ = w.seconds;
  return w;
}

void Tile::balance(std::uint32_t pulses) {
  for (std::uint32_t k = 0; k < pulses; ++k, now_ += scheme_.pulses.period)
    devices_.apply(now_, k % 2 == 0 ? scheme_.pulses.up : scheme_.pulses.down);
  devices_.transmit(now_, found_);
  now_ = mapping::write(references_, scheme_, found_, now_).seconds;
}

void Tile::read(std::span<float> weights) {
  devices_.transmit(now_, found_);
  references_.transmit(now_, zero_);
  for (std::size_t d = 0; d < found_.size(); ++d)
    weights[d] = static_cast<float>((found_[d] - zero_[d]) / scheme_.range.span() * 2 * reach_);
}

void Tile::update(const Outer& outer, std::uint32_t slots, RandomKey draw) {
  const double x = greatest_of(outer.sources), d = greatest_of(outer.targets);
  now_ += slots * scheme_.pulses.period;
  if (!(x > 0 && d > 0 && step_ > 0)) return;
  // Probabilities whose product in a slot, times slots and step, is the change; the greatest of either side
  // are alike (T. Gokmen, M. Onen, W. Haensch, "Training deep convolutional neural networks with resistive
  // cross-point devices", 2017).
  const double gain = std::sqrt(std::fabs(outer.rate) / (slots * step_) * x * d);
  double wanted = slots * step_, made = wanted;
  const auto trains = [&](std::span<const double> numbers, double greatest, std::uint64_t first) {
    std::vector<std::uint32_t> all;
    double asked = 0, sent = 0;
    for (const double number : numbers) {
      const double p = gain * std::fabs(number) / greatest;
      asked += p, sent += std::min(p, 1.0);
      trains_.sent += p > 0, trains_.saturated += p > 1;
      all.push_back(train_of(p, slots, draw, first + all.size()));
    }
    wanted *= asked, made *= sent;
    return all;
  };
  const auto rows = trains(outer.sources, x, 0), columns = trains(outer.targets, d, shape_.sources);
  trains_.wanted += wanted, trains_.made += made;
  for (std::uint32_t j = 0; j < shape_.targets; ++j) {
    if (columns[j] == 0) continue;
    for (std::uint32_t i = 0; i < shape_.sources; ++i) {
      const auto met = static_cast<std::uint32_t>(std::popcount(rows[i] & columns[j]));
      if (met == 0) continue;
      const bool up = outer.sources[i] * outer.targets[j] * outer.rate > 0;
      const Control& pulse = up ? scheme_.pulses.up : scheme_.pulses.down;
      for (std::uint32_t k = 0; k < met; ++k)
        devices_.apply(now_ - (met - k) * scheme_.pulses.period, pulse, j * shape_.sources + i);
      pulses_ += met;
    }
  }
}

}  // namespace spinet::mapping
