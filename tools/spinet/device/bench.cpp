#include "device/bench.hpp"

#include <cmath>
#include <cstring>
#include <utility>

namespace spinet::tool {

DeviceBench::DeviceBench(const SynapseTable& table, Make make)
    : make_(std::move(make)),
      extended_(extended(table, make_.params)),
      t_(extended_ ? extended_->table() : table),
      shared_(std::max(table.shared_size, 64u)),
      state_(std::max(t_.state_size, 64u)),
      slice_state_(std::max(table.slice_state_size, 64u)),
      gid_(1 + make_.number) {
  prepare(shared_, raw_);
  const Fields& variables = t_.model.variables;
  for (std::uint32_t v = 0; v < variables.count; ++v)
    if (!(variables.data[v].flags & Flag::initial))
      put(state_.data(), variables.data[v], variables.data[v].preset);
  for (std::uint32_t v = 0; v < variables.count; ++v)
    if (variables.data[v].flags & Flag::initial) put(state_.data(), variables.data[v], make_.initial[v]);
  const Slice begin = at(0);
  if (t_.init) t_.init(&begin);
  neuron_.read = [](const NeuronBlock*, Tick, std::uint32_t, std::uint32_t) noexcept -> double {
    return 0;
  };  // a target at rest
  reads_.resize(t_.read_count);
}

/// What the model makes of the present parameters; `raw` becomes its `Params`.
void DeviceBench::prepare(Buffer<std::byte>& shared, std::vector<double>& raw) const {
  raw.assign(t_.params_size / sizeof(double) + 1, 0);
  const Fields& fields = t_.model.params;
  for (std::uint32_t f = 0; f < fields.count; ++f) put(raw.data(), fields.data[f], make_.params[f]);
  const RunInfo run{ticks_per_second * 1e-3};
  if (t_.prepare) t_.prepare(shared.data(), raw.data(), &run);
}

Slice DeviceBench::at(double seconds) {
  static constexpr std::uint16_t target = 0;
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
  s.gids = &gid_;
  s.copies = &copy;
  s.random = {make_.seed, 0};
  s.neuron = &neuron_;
  s.block = &block_;
  s.reads = reads_.data();
  s.run = {ticks_per_second * 1e-3};
  s.extras = t_.extras;
  s.params = raw_.data();
  return s;
}
void DeviceBench::apply(double seconds, const Control& control) {
  const Slice s = at(seconds);
  t_.on_control_of(s, control);
}
void DeviceBench::set(double seconds, std::uint32_t param, double value) {
  const Slice s = at(seconds);
  if (t_.catch_up) t_.catch_up(&s);
  make_.params[param] = value;
  Buffer<std::byte> next(shared_.size());
  std::vector<double> raw;
  prepare(next, raw);
  t_.set(&s, raw.data(), next.data());
  shared_ = std::move(next);
  raw_ = std::move(raw);
}
double DeviceBench::read(double seconds, std::uint32_t variable) {
  const Slice s = at(seconds);
  return t_.read(&s, 0, variable);
}
DeviceBench::State DeviceBench::save() const {
  State s(state_.size() + slice_state_.size());
  std::memcpy(s.data(), state_.data(), state_.size());
  std::memcpy(s.data() + state_.size(), slice_state_.data(), slice_state_.size());
  return s;
}
void DeviceBench::restore(const State& s) {
  std::memcpy(state_.data(), s.data(), state_.size());
  std::memcpy(slice_state_.data(), s.data() + state_.size(), slice_state_.size());
}

}  // namespace spinet::tool
