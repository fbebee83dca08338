// The battery for synapse models.
#include <algorithm>
#include <memory>

#include "bench.hpp"
#include "conformance.hpp"
#include "core/history.hpp"

namespace spinet {
namespace {

constexpr RunInfo run_info{1e6};  // ticks of 1 ns
constexpr std::uint32_t synapse_count = 37, event_count = 120;
constexpr Tick delay = 1'500'000;

struct Event {
  Tick tick;
  double payload;
  bool control;  ///< a control event comes just before it
};

/// Intervals from one tick to half a second, so that fast and slow processes are met.
std::vector<Event> history(bool graded) {
  Dice dice(11);
  std::vector<Event> events;
  Tick tick = delay;
  for (std::uint32_t i = 0; i < event_count; ++i) {
    tick += 1 + static_cast<Tick>(5e8 * std::pow(dice.uniform(), 8));
    events.push_back({tick, graded ? dice.uniform() * 2 : 1.0, i % 10 == 7});
  }
  return events;
}

/// What plastic synapses see of their targets: every target spikes at times of its own; all of the run is there at
/// once, so that a model that looks past `seen()` gives itself away.
class Targets {
 public:
  Targets(const SynapseTable& t, bool varied) {
    double tau = 0, pre_tau = 0;
    if (t.post_tau) {
      Fenced params(t.params_size);
      for (std::uint32_t i = 0; i < t.model.params.count; ++i) store(params.data(), t.model.params.data[i], value_for(t.model.params.data[i], varied));
      tau = t.post_tau(params.data()) * run_info.ticks_per_ms;
      if (t.pre_tau) pre_tau = t.pre_tau(params.data()) * run_info.ticks_per_ms;
    }
    histories_ = std::make_unique<PostHistories>(3 * synapse_count, tau, pre_tau, Tick{1} << 60);
    for (std::uint32_t j = 0; j < 3 * synapse_count; ++j) {
      gids_.push_back(1000 + j);
      Dice dice(100 + j);
      Tick tick = 0;
      for (int k = 0; k < 200; ++k) {
        histories_->add(j, tick += 1'000'000 + static_cast<Tick>(2e8 * std::pow(dice.uniform(), 4)));
      }
    }
    neuron_.read = [](const NeuronBlock*, Tick tick, std::uint32_t j, std::uint32_t v) noexcept -> double {
      return uniform01(draw({7, v}, j, static_cast<std::uint64_t>(tick))[0]);
    };
    for (std::uint32_t k = 0; k < t.read_count; ++k) reads_.push_back(k);
  }
  void show(Slice& s, bool histories) const {
    histories_->rebase(s.tick);
    s.history = histories ? histories_->heads() : nullptr;
    s.base = histories_->base();
    s.gids = gids_.data();
    s.neuron = &neuron_;
    s.block = &block_;
    s.reads = reads_.data();
  }

 private:
  std::unique_ptr<PostHistories> histories_;
  std::vector<Gid> gids_;
  std::vector<std::uint32_t> reads_;
  NeuronTable neuron_{};
  NeuronBlock block_{};
};

/// The synapses [from, from + count) as one slice, with memory of their own.
struct SliceBench {
  const SynapseTable* t;
  std::uint32_t from, count;
  Fenced shared, state, slice_state;
  std::vector<std::uint16_t> targets;
  std::vector<std::uint8_t> copies;
  std::shared_ptr<const Targets> neurons;

  SliceBench(const SynapseTable& table, bool varied, std::uint32_t from_, std::uint32_t count_)
      : t(&table), from(from_), count(count_), shared(table.shared_size), state(std::size_t{table.state_size} * count_),
        slice_state(table.slice_state_size), targets(count_), copies(count_),
        neurons(std::make_shared<Targets>(table, varied)) {
    prepare(varied);
    const Fields& variables = t->model.variables;
    for (std::uint32_t i = 0; i < count; ++i) {
      targets[i] = static_cast<std::uint16_t>(3 * (from + i));
      std::byte* s = state.data() + std::size_t{i} * t->state_size;
      for (std::uint32_t v = 0; v < variables.count; ++v)
        if (variables.data[v].flags & initial) store(s, variables.data[v], value_for(variables.data[v], (from + i) % 3 == 1));
      if (t->init) t->init(s, shared.data());
    }
  }

  /// What a restart finds: the saved states, `Shared` prepared anew, by the model as another process loads it.
  SliceBench(const SliceBench& saved, const SynapseTable& table, bool varied) : SliceBench(saved) {
    t = &table;
    std::memset(shared.data(), 0, shared.size());
    prepare(varied);
  }
  SliceBench(const SliceBench&) = default;

  void prepare(bool varied) {
    if (!t->prepare) return;
    Fenced params(t->params_size);
    const Fields& fields = t->model.params;
    for (std::uint32_t i = 0; i < fields.count; ++i) store(params.data(), fields.data[i], value_for(fields.data[i], varied));
    t->prepare(shared.data(), params.data(), &run_info);
  }

  Slice slice(const Event& e) {
    return at(e.tick, e.payload);
  }
  Slice at(Tick tick, double payload = 1) {
    Slice s{};
    s.tick = tick;
    s.delay = delay;
    s.payload = payload;
    s.count = count;
    s.source = 17;
    s.targets = targets.data();
    s.state = state.data();
    s.slice_state = slice_state.data();
    s.shared = shared.data();
    s.copies = copies.data();
    s.random = {42, 9};
    s.run = run_info;
    neurons->show(s, t->post_tau != nullptr);
    return s;
  }

  /// Appends the weights of one event, as doubles, to `weights`; false if memory next to ours was written to.
  bool deliver(const Event& e, std::vector<double>& weights) {
    const Slice s = slice(e);
    if (e.control && t->on_control) {
      Control c;
      c.kind = Control::Kind::field;
      c.value[0] = e.payload * 0.01;
      t->on_control_of(s, c);
      // Pulses of both signs, some of them weak.
      c.kind = Control::Kind::pulse;
      c.value[0] = static_cast<double>(e.tick % 9 - 4);
      c.value[1] = 0.005;
      t->on_control_of(s, c);
    }
    const std::size_t width = t->weight_kind == 2 ? sizeof(double) : sizeof(float);
    Fenced out(width * count);
    if (t->on_pre) t->on_pre_of(s, out.data());
    else std::memcpy(out.data(), state.data(), out.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      double wide;
      float narrow;
      if (width == sizeof wide) std::memcpy(&wide, out.data() + i * width, width);
      else std::memcpy(&narrow, out.data() + i * width, width), wide = static_cast<double>(narrow);
      weights.push_back(wide);
    }
    return out.intact() && state.intact() && slice_state.intact() && shared.intact();
  }

  double read(std::uint32_t i, Tick tick, std::uint32_t variable) {
    const Slice s = at(tick);
    return t->read(&s, i, variable);
  }
};

/// "" or where two histories of weights part.
std::string difference(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (!same_bits(a[i], b[i]))
      return "event " + std::to_string(i / synapse_count) + ", synapse " + std::to_string(i % synapse_count) + ": weight " +
             std::to_string(a[i]) + " became " + std::to_string(b[i]);
  return a.size() == b.size() ? "" : "a different number of weights";
}

}  // namespace

void check_synapse(const SynapseTable& table, const SynapseTable& restarted, const Findings& found) {
  const auto events = history(table.graded != 0);
  for (const bool varied : {false, true}) {
    const std::string with = varied ? " (other parameters)" : "";
    std::vector<double> whole;
    bool fences = true;
    SliceBench at_once(table, varied, 0, synapse_count);
    std::unique_ptr<SliceBench> saved;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (i == events.size() / 2) saved = std::make_unique<SliceBench>(at_once);
      fences &= at_once.deliver(events[i], whole);
    }
    const bool finite = std::all_of(whole.begin(), whole.end(), [](double w) { return std::isfinite(w); });
    found({"writes only its own memory" + with, fences, fences ? "" : "bytes beside its states, weights or Shared have changed"});
    found({"weights are finite" + with, finite, ""});

    {
      std::vector<double> again;
      SliceBench second(table, varied, 0, synapse_count);
      for (const auto& e : events) second.deliver(e, again);
      const auto d = difference(whole, again);
      found({"the same history gives the same weights" + with, d.empty(), d});
    }
    {
      // Three slices where there was one: blocks differ between ranks and machines, edges keep their keys.
      SliceBench parts[] = {{table, varied, 0, 1}, {table, varied, 1, 19}, {table, varied, 20, synapse_count - 20}};
      std::vector<double> split;
      for (const auto& e : events)
        for (auto& part : parts) part.deliver(e, split);
      const auto d = difference(whole, split);
      found({"one batch equals split batches" + with, d.empty(), d});
    }
    {
      SliceBench resumed(*saved, restarted, varied);
      std::vector<double> rest(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(events.size() / 2 * synapse_count));
      for (std::size_t i = events.size() / 2; i < events.size(); ++i) resumed.deliver(events[i], rest);
      const auto d = difference(whole, rest);
      found({"states saved and restored as bytes go on as if nothing had happened" + with, d.empty(), d});
    }
    {
      SliceBench observed(table, varied, 0, synapse_count);
      std::vector<double> weights;
      std::string detail;
      Tick last = 0;
      for (const auto& e : events) {
        const Fenced before = observed.state, shared_before = observed.shared, slice_before = observed.slice_state;
        for (std::uint32_t i = 0; i < synapse_count; ++i)
          for (const Tick tick : {last, (last + e.tick) / 2, e.tick})
            for (std::uint32_t v = 0; v < table.model.variables.count; ++v) {
              const double once = observed.read(i, tick, v), twice = observed.read(i, tick, v);
              if (!same_bits(once, twice)) detail = "two reads at one tick differ";
              if (!std::isfinite(once)) detail = "read returns " + std::to_string(once);
            }
        if (!observed.state.same_bytes(before) || !observed.shared.same_bytes(shared_before) || !observed.slice_state.same_bytes(slice_before))
          detail = "read has written to the state";
        observed.deliver(e, weights);
        last = e.tick;
      }
      if (detail.empty()) detail = difference(whole, weights);
      found({"`read` changes nothing" + with, detail.empty(), detail});
    }
    if (table.catch_up) {
      SliceBench swept(table, varied, 0, synapse_count);
      std::vector<double> weights;
      Tick last = 0;
      for (const auto& e : events) {
        for (const Tick tick : {(last + e.tick) / 2, e.tick}) {
          const Slice s = swept.at(tick);
          if (tick > last) table.catch_up(&s);
        }
        swept.deliver(e, weights);
        last = e.tick;
      }
      const auto d = difference(whole, weights);
      found({"`catch_up` changes nothing that follows" + with, d.empty(), d});
    }
    if (table.model.params.count == 0) break;  // nothing to vary
  }
}

}  // namespace spinet
