// The neurons of one model on a bench: a block of the engine (core/block), with its phases, arrivals, frames
// and fences around its memory, and events that are given by hand in place of a network.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connect/rule.hpp"
#include "core/block/block.hpp"
#include "core/connect.hpp"
#include "core/failure.hpp"
#include "core/partition.hpp"
#include "network/catalogue.hpp"
#include "network/grouping.hpp"
#include "spinet/neuron.hpp"
#include "spinet/source.hpp"
#include "spinet/synapse.hpp"

namespace spinet::test {

/// The built-in neuron model of this name.
inline const NeuronTable& neuron(std::string_view name) {
  static const Catalogue catalogue = [] {
    Catalogue c;
    add_builtin(c);
    return c;
  }();
  const Model* model = catalogue.find(Kind::neuron, name);
  if (model == nullptr) throw std::runtime_error("no neuron model " + std::string(name));
  return *reinterpret_cast<const NeuronTable*>(model);
}

/// The field of this name; throws std::runtime_error if there is none.
inline std::uint32_t index_of(const Fields& fields, std::string_view name) {
  for (std::uint32_t i = 0; i < fields.count; ++i)
    if (name == fields.data[i].name) return i;
  throw std::runtime_error("no parameter or variable " + std::string(name));
}

/// Parameters of one neuron: the presets, changed by name.
class Params {
 public:
  using Changes = std::vector<std::pair<std::string_view, double>>;
  explicit Params(const NeuronTable& table, const Changes& changes = {})
      : table_(&table), bytes_(table.params_size) {
    const Fields& f = table.model.params;
    for (std::uint32_t i = 0; i < f.count; ++i) {
      values_.push_back(f.data[i].preset);
      put(bytes_.data(), f.data[i], f.data[i].preset);
    }
    for (const auto& [name, value] : changes) set(name, value);
  }
  void set(std::string_view name, double value) {
    const std::uint32_t i = index_of(table_->model.params, name);
    values_[i] = value;
    put(bytes_.data(), table_->model.params.data[i], value);
  }
  const std::vector<double>& values() const { return values_; }  ///< one per field
  /// The model's struct.
  const void* data() const { return bytes_.data(); }

 private:
  const NeuronTable* table_;
  std::vector<double> values_;
  std::vector<std::byte> bytes_;
};

/// A spike or graded event that a neuron has emitted.
struct Emitted {
  Tick tick;
  std::uint32_t neuron;
  double payload;
  bool operator==(const Emitted&) const = default;
};

namespace on_bench {

/// What an arrival comes from: nothing is drawn, the bench posts the events itself.
struct Hand {
  static constexpr const char* name = "hand";
  static constexpr const char* doc = "Events that are given by hand.";
  struct Params {};
  static constexpr bool superposable = false;
  static auto params() { return FieldTable<Params>{}; }
  static double rate(const Params&) { return 0; }
  static bool generate(const SourceUnit&, Tick, std::uint32_t, EventSink&) { return true; }
};

/// Hands on the payload, which is the weight of an arrival.
struct Wire {
  static constexpr const char* name = "wire";
  static constexpr const char* doc = "Hands on the payload of an event.";
  struct Params {};
  struct State {
    float weight;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1.0, any(), initial | port_unit, "1");
    return t;
  }
};

inline Distribution of_all(std::vector<double> values) {
  Distribution d;
  d.a = values.front();
  if (std::count(values.begin(), values.end(), d.a) == static_cast<std::ptrdiff_t>(values.size())) return d;
  d.kind = Distribution::Kind::listed;
  d.values = std::move(values);
  return d;
}

/// One population of neurons; for each port a population of hands, one for each neuron.
inline Network network_of(const NeuronTable& table, const std::vector<Params>& params, double ticks_per_ms,
                          const Params::Changes& initial) {
  Network net;
  net.name = "bench";
  net.seconds_per_tick = 1e-3 / ticks_per_ms;
  net.duration = Tick{1} << 61;
  net.delay_resolution = 1;
  const auto size = static_cast<std::uint32_t>(params.size());
  const auto add = [&](const Model& model) -> Population& {
    Population p;
    p.name = model.name;
    p.first = net.gid_count();
    p.size = size;
    p.model = &model;
    net.populations.push_back(std::move(p));
    return net.populations.back();
  };
  Population& neurons = add(table.model);
  for (std::uint32_t f = 0; f < table.model.params.count; ++f) {
    std::vector<double> values;
    for (const Params& p : params) values.push_back(p.values()[f]);
    neurons.params.push_back(of_all(std::move(values)));
  }
  for (std::uint32_t v = 0; v < table.model.variables.count; ++v) {
    const Field& f = table.model.variables.data[v];
    if (!(f.flags & Flag::initial)) continue;
    double x = f.preset;
    for (const auto& [name, value] : initial)
      if (name == f.name) x = value;
    neurons.initial.push_back(of_all({x}));
  }
  for (std::uint32_t port = 0; port < table.port_count; ++port) {
    Projection p;
    p.name = table.ports[port].name;
    p.targets = {{0, size}};
    p.sources = {{add(source_table<Hand>().model).first, size}};
    p.rule = connection_rule("one_to_one");
    p.synapse = &synapse_table<Wire>();
    p.state = {of_all({1})};
    p.delay = of_all({1});
    p.port = port;
    net.projections.push_back(std::move(p));
  }
  ScheduledControl never_set;  // parameters may change: the block keeps them
  never_set.tick = never;
  never_set.to.places = {GidRange{0, size}};
  net.schedule.push_back(std::move(never_set));
  return net;
}

inline KernelGroup group_of(const Network& net) {
  const Kernel kernel = kernel_of(net, 0);
  if (kernel.fault) throw ModelFailure(net, 0, 0, 0, kernel.fault);
  const NeuronTable& table = *kernel.table;
  KernelGroup group{&table, kernel.key, Buffer<std::byte>(table.shared_size), 0};
  const RunInfo run{net.ticks_per_ms()};
  if (table.frame) group.frame_length = table.frame(kernel.params.data(), &run);
  if (table.prepare) table.prepare(group.shared.data(), kernel.params.data(), &run, group.frame_length);
  return group;
}

inline std::vector<Gid> gids_of(const Population& p) {
  std::vector<Gid> all(p.size);
  std::iota(all.begin(), all.end(), p.first);
  return all;
}

}  // namespace on_bench

class Bench {
 public:
  /// One neuron per entry of `params`.  `initial` changes the variables' presets by name.
  Bench(const NeuronTable& table, const std::vector<Params>& params, double ticks_per_ms = 1e6,
        const Params::Changes& initial = {})
      : net_(on_bench::network_of(table, params, ticks_per_ms, initial)),
        group_(on_bench::group_of(net_)),
        partition_(net_, 1),
        locator_(partition_),
        window_(std::max<Tick>(1, static_cast<Tick>(ticks_per_ms))) {
    for (std::uint32_t r = 0; r < partition_.runs().size(); ++r)
      if (const GidRun& run = partition_.runs()[r]; run.population == 0) locator_.place(r, {0, run.first});
    for (std::uint32_t p = 0; p < net_.projections.size(); ++p)
      wirings_.push_back(std::make_unique<Wiring>(net_, p));
    guarded([&] {
      block_ = std::make_unique<Block>(net_, group_, on_bench::gids_of(net_.populations[0]), heart_);
      const std::vector<bool> none(net_.projections.size(), false);
      block_->connect(std::make_unique<BlockSynapses>(net_, wirings_, none, locator_, 0), {},
                      {window_, true, 4096});
      block_->start();
    });
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// An event of weight `weight`, as it reaches the model, arrives at neuron j, at a tick above 0 that has
  /// not been run.
  void arrival(Tick tick, std::uint32_t port, std::uint32_t j, double weight, double payload = 1) {
    if (tick < 1 || tick < done_) throw std::logic_error("an arrival in the past");
    arrivals_.emplace(tick, Emission{tick - 1, weight * payload, net_.populations[1 + port].first + j});
  }
  /// The schedule changes a parameter of neuron j.
  void change(Tick tick, std::uint32_t j, std::string_view parameter, double value) {
    ScheduledControl& c = changes_.emplace_back();
    c.tick = tick;
    c.field = index_of(model().params, parameter);
    c.value[0] = value;
    c.to.places = {GidRange{j, 1}};
    actions_.emplace(tick, Action{tick, Ordered{&c}});
  }
  /// A variable of neuron j is read at the begin of `tick`, after the changes of that tick that have been
  /// given before, and appended to `samples`, which must outlive the run.
  void sample(Tick tick, std::uint32_t j, std::string_view variable, std::vector<double>& samples) {
    actions_.emplace(tick, Action{tick, ReadNeuron{&samples, j, index_of(model().variables, variable)}});
  }
  /// Everything before tick `end` happens; nothing more once a neuron cannot go on.
  void run(Tick end) {
    for (bool more = true; more && failure_.empty();) guarded([&] { more = walk(end); });
    done_ = std::max(done_, end);
  }

  /// All emissions so far, by tick.
  const std::vector<Emitted>& emitted() const { return emitted_; }
  /// Ticks of neuron j's emissions.
  std::vector<Tick> spikes(std::uint32_t j = 0) const {
    std::vector<Tick> ticks;
    for (const Emitted& e : emitted_)
      if (e.neuron == j) ticks.push_back(e.tick);
    return ticks;
  }
  bool asleep() const { return block_->asleep(); }
  Tick frame_length() const { return group_.frame_length; }  ///< 0: none
  /// Why a neuron cannot go on or what of the contract its model has broken, or nothing.
  const std::string& failure() const { return failure_; }

 private:
  const Model& model() const { return *net_.populations[0].model; }

  template <class F>
  void guarded(F&& f) {
    try {
      f();
      if (!block_->intact()) failure_ = "its model has written outside its memory";
    } catch (const ModelFailure& e) {
      failure_ = e.reason;
    }
  }
  /// The next window with anything in it, as far as tick `end`; false if there is none.
  bool walk(Tick end) {
    Tick soonest = block_->due();
    if (!arrivals_.empty()) soonest = std::min(soonest, arrivals_.begin()->first);
    if (!actions_.empty()) soonest = std::min(soonest, actions_.begin()->first);
    if (soonest >= end) return false;
    // A window may be walked through in pieces; each begins where the window does.
    const Tick begin = std::max(soonest, done_) / window_ * window_, to = std::min(begin + window_, end);
    if (to <= done_) return false;
    while (!arrivals_.empty() && arrivals_.begin()->first < to) {
      block_->post({&arrivals_.begin()->second, 1});
      arrivals_.erase(arrivals_.begin());
    }
    std::vector<Action> now;
    const auto first_later = actions_.lower_bound(to);
    for (auto a = actions_.begin(); a != first_later; ++a) now.push_back(a->second);
    actions_.erase(actions_.begin(), first_later);
    mark_complete(now);
    std::vector<std::vector<float>> no_reports;
    out_.clear();
    block_->walk({begin, to, to}, now, out_, no_reports);
    for (const Emission& e : out_) emitted_.push_back({e.tick, e.gid, e.payload});
    done_ = to;
    return true;
  }

  Network net_;
  KernelGroup group_;
  Heart heart_{nullptr};
  Partition partition_;
  Locator locator_;
  std::vector<std::unique_ptr<Wiring>> wirings_;
  std::unique_ptr<Block> block_;
  Tick window_, done_ = 0;
  std::multimap<Tick, Emission> arrivals_;  ///< that have not been posted, by their ticks
  std::multimap<Tick, Action> actions_;
  std::deque<ScheduledControl> changes_;
  Emissions out_;
  std::vector<Emitted> emitted_;
  std::string failure_;
};

}  // namespace spinet::test
