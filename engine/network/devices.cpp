#include "network/devices.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

namespace spinet {
namespace {

constexpr std::uint32_t slice_size = 4096;  ///< synapses of one, which have a slice_state together

/// The history of a target that never spikes.
PostHistory silent_history() {
  static const auto never_were = [] {
    std::array<PostSpike, PostHistory::spare> all;
    all.fill({long_ago, 0, 0, 0});
    return all;
  }();
  return {never_were.data() + PostHistory::spare, 0, 0};
}

std::vector<std::uint32_t> drawn_of(const Devices::Make& make) {
  std::vector<std::uint32_t> all;
  for (const auto& own : make.own)
    if (own.is_param) all.push_back(own.index);
  return all;
}

/// With the middle of those that differ; zeros of all have no sign.
Devices::Make with_middles(Devices::Make make) {
  for (double& x : make.params) x += 0.0;
  for (const auto f : drawn_of(make)) make.params[f] = middle_of(make.params[f]);
  return make;
}

std::vector<std::byte> raw_params(const SynapseTable& table, std::span<const double> params) {
  std::vector<std::byte> raw(table.params_size);
  for (std::uint32_t f = 0; f < table.model.params.count; ++f)
    put(raw.data(), table.model.params.data[f], params[f]);
  return raw;
}

}  // namespace

std::uint32_t devices_of_synapse(const SynapseTable& table, std::span<const double> params) {
  return table.devices ? std::max(1u, table.devices(raw_params(table, params).data())) : 1;
}

struct Devices::Impl {
  /// Bytes that begin where any model's struct may lie.
  class AlignedBytes {
   public:
    explicit AlignedBytes(std::size_t size = 0) : lines_((size + sizeof(Line) - 1) / sizeof(Line)) {}
    std::byte* data() { return reinterpret_cast<std::byte*>(lines_.data()); }
    const std::byte* data() const { return reinterpret_cast<const std::byte*>(lines_.data()); }
    std::size_t size() const { return lines_.size() * sizeof(Line); }

   private:
    struct alignas(64) Line {
      std::byte bytes[64];
    };
    std::vector<Line> lines_;
  };

  Make make;
  std::shared_ptr<const ExtendedTable> extension;  ///< where the parameters ask for more than the `State`
  const SynapseTable& t;
  std::size_t stride, slice_stride;
  AlignedBytes params, shared, states, slice_states;
  std::vector<Gid> gids;
  std::vector<std::uint16_t> targets;
  std::vector<std::uint8_t> copies;
  std::vector<std::uint32_t> reads;
  std::vector<PostHistory> histories;
  NeuronTable neuron{};
  NeuronBlock block{};

  Impl(const SynapseTable& table, Make m)
      : make(with_middles(std::move(m))),
        extension(extended(table, make.params, drawn_of(make))),
        t(extension ? extension->table() : table),
        stride(t.state_size),
        slice_stride((t.slice_state_size + 63) / 64 * 64),
        params(table.params_size + sizeof(double)),
        shared(std::max(table.shared_size, 64u)),
        states(make.count * stride),
        slice_states((make.count + slice_size - 1) / slice_size * slice_stride),
        copies(std::min(make.count, slice_size), 0),
        reads(t.read_count),
        histories(copies.size(), silent_history()) {
    for (std::uint32_t i = 0; i < make.count; ++i) gids.push_back(1 + make.first + i);
    for (std::size_t i = 0; i < copies.size(); ++i) targets.push_back(static_cast<std::uint16_t>(i));
    neuron.read = [](const NeuronBlock*, Tick, std::uint32_t, std::uint32_t) noexcept -> double {
      return 0;
    };  // a target at rest
    prepare(shared, params);
    for (std::uint32_t i = 0; i < make.count; ++i) begin(i);
  }

  /// What the model makes of the present parameters; `raw` becomes its `Params`.
  void prepare(AlignedBytes& to, AlignedBytes& raw) const {
    const auto bytes = raw_params(t, make.params);
    std::copy(bytes.begin(), bytes.end(), raw.data());
    const RunInfo run{ticks_per_second * 1e-3};
    if (t.prepare) t.prepare(to.data(), raw.data(), &run);
  }

  /// The numbers that synapse `i` begins with.
  void begin(std::uint32_t i) {
    const Fields& variables = t.model.variables;
    std::byte* const state = states.data() + i * stride;
    const std::uint32_t drawn = t.extras ? t.extras->drawn_count : 0,
                        devices = t.extras ? t.extras->devices : 1, own = variables.count - devices * drawn;
    for (std::uint32_t v = 0; v < own; ++v)
      if (!(variables.data[v].flags & Flag::initial)) put(state, variables.data[v], variables.data[v].preset);
    for (std::uint32_t v = 0; v < own; ++v)
      if (variables.data[v].flags & Flag::initial) put(state, variables.data[v], make.initial[v]);
    std::uint32_t k = 0;
    for (const Own& o : make.own) {
      if (!o.is_param) put(state, variables.data[o.index], o.values[i]);
      for (std::uint32_t d = 0; o.is_param && d < devices; ++d)
        put(state, variables.data[own + d * drawn + k], o.values[i * devices + d]);
      k += o.is_param;
    }
    const Slice s = part(0, i, 1);
    if (t.init) t.init(&s);
  }

  /// Synapses `from` to before `from + count`, of one slice.
  Slice part(double seconds, std::uint32_t from, std::uint32_t count) {
    const std::uint32_t slice = from / slice_size, first = slice * slice_size;
    Slice s{};
    s.delay = 1;
    s.tick = s.delay + std::llround(seconds * ticks_per_second);
    s.payload = 1;
    s.count = count;
    s.targets = targets.data() + (from - first);
    s.state = states.data() + from * stride;
    s.slice_state = slice_states.data() + slice * slice_stride;
    s.shared = shared.data();
    s.history = t.post_tau ? histories.data() : nullptr;
    s.gids = gids.data() + first;
    s.copies = copies.data();
    s.random = {make.seed, 0};
    s.neuron = &neuron;
    s.block = &block;
    s.reads = reads.data();
    s.run = {ticks_per_second * 1e-3};
    s.extras = t.extras;
    s.params = params.data();
    return s;
  }
  /// Calls f(slice, its first synapse) for all.
  template <class F>
  void each_slice(double seconds, F&& f) {
    for (std::uint32_t from = 0; from < make.count; from += slice_size)
      f(part(seconds, from, std::min(slice_size, make.count - from)), from);
  }
  void transmit(const Slice& s, double* weights) const {
    if (t.on_pre) return t.on_pre_of(s, weights);
    for (std::uint32_t i = 0; i < s.count; ++i)
      weights[i] = static_cast<double>(static_cast<const float*>(s.state)[i]);
  }
};

Devices::Devices(const SynapseTable& table, Make make)
    : impl_(std::make_unique<Impl>(table, std::move(make))) {}
Devices::Devices(Devices&&) noexcept = default;
Devices& Devices::operator=(Devices&&) noexcept = default;
Devices::~Devices() = default;

std::uint32_t Devices::size() const { return impl_->make.count; }
const Model& Devices::model() const { return impl_->t.model; }
const std::vector<double>& Devices::params() const { return impl_->make.params; }

void Devices::apply(double seconds, const Control& control, std::uint32_t device) {
  impl_->t.on_control_of(impl_->part(seconds, device, 1), control);
}
void Devices::apply(double seconds, const Control& control) {
  impl_->each_slice(seconds, [&](const Slice& s, std::uint32_t) { impl_->t.on_control_of(s, control); });
}
double Devices::transmit(double seconds, std::uint32_t device) {
  double weight = 0;
  impl_->transmit(impl_->part(seconds, device, 1), &weight);
  return weight;
}
void Devices::transmit(double seconds, std::span<double> weights) {
  impl_->each_slice(seconds,
                    [&](const Slice& s, std::uint32_t from) { impl_->transmit(s, weights.data() + from); });
}
double Devices::read(double seconds, std::uint32_t device, std::uint32_t variable) const {
  const Slice s = impl_->part(seconds, device, 1);
  return impl_->t.read(&s, 0, variable);
}
void Devices::set(double seconds, std::uint32_t param, double value) {
  Impl& i = *impl_;
  i.each_slice(seconds, [&](const Slice& s, std::uint32_t) {
    if (i.t.catch_up) i.t.catch_up(&s);
  });
  i.make.params[param] = value;
  Impl::AlignedBytes next(i.shared.size()), raw(i.params.size());
  i.prepare(next, raw);
  i.each_slice(seconds, [&](const Slice& s, std::uint32_t) { i.t.set(&s, raw.data(), next.data()); });
  i.shared = std::move(next);
  i.params = std::move(raw);
}
Devices::State Devices::save() const {
  const Impl& i = *impl_;
  State s(i.states.size() + i.slice_states.size());
  std::memcpy(s.data(), i.states.data(), i.states.size());
  if (i.slice_states.size() > 0)
    std::memcpy(s.data() + i.states.size(), i.slice_states.data(), i.slice_states.size());
  return s;
}
void Devices::restore(const State& s) {
  Impl& i = *impl_;
  std::memcpy(i.states.data(), s.data(), i.states.size());
  if (i.slice_states.size() > 0)
    std::memcpy(i.slice_states.data(), s.data() + i.states.size(), i.slice_states.size());
}

}  // namespace spinet
