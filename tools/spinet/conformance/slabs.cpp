// Input without order (spinet/neuron.hpp, `SlabEvents`): whole runs of the engine in which a model takes
// noise without order, and the same in order.
#include <algorithm>
#include <cmath>

#include "bench/small_network.hpp"
#include "comm/serial.hpp"
#include "conformance.hpp"
#include "core/simulation.hpp"
#include "parameters.hpp"
#include "slabs.hpp"

namespace spinet {
namespace {

constexpr std::uint32_t neurons = 48;
constexpr Tick ms = 1'000'000, duration = 12 * ms;

/// Events at a rate, as many in a slab as it has in the mean.
struct Noise {
  static constexpr const char* name = "noise";
  static constexpr const char* doc = "Events at random times.";
  struct Params {
    double rate;
  };
  static constexpr bool superposable = true;
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::rate, "rate", "1/ms", 20, at_least(0), 0, "of each");
    return t;
  }
  static double rate(const Params& p) { return p.rate; }
  static bool generate(const SourceUnit& u, Tick from, std::uint32_t length, EventSink& out) {
    const double per_tick = static_cast<const Params*>(u.params)->rate / u.run.ticks_per_ms;
    const auto w = draw(u.random, u.first, static_cast<std::uint64_t>(from) << 20);
    const auto n = static_cast<std::uint32_t>(per_tick * length * u.size + uniform01(w[0]));
    if (n > out.capacity) return false;
    for (std::uint32_t i = 0; i < n; ++i) {
      const auto e = draw(u.random, u.first, (static_cast<std::uint64_t>(from) << 20) + 1 + i);
      const auto below = [](std::uint32_t word, std::uint32_t most) {
        return static_cast<std::uint32_t>(std::uint64_t{word} * most >> 32);
      };
      out.data[i] = below(e[0], length) << 16 | below(e[1], u.size);
    }
    out.size = n;
    return true;
  }
};

/// Spikes in order, and what is sampled.
struct Kept : Recorder {
  std::vector<Spike> all;
  std::vector<float> samples;
  void spikes(std::span<const Spike> some) override { all.insert(all.end(), some.begin(), some.end()); }
  void frames(std::uint32_t, std::span<const float> values) override {
    samples.insert(samples.end(), values.begin(), values.end());
  }
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}
};

/// Noise at each neuron through port 0, a few synapses among the neurons through all ports, parameters that
/// change in the middle of slabs.
class Noisy {
 public:
  Noisy(const NeuronTable& table, const ParameterSet& set, double strength, std::uint32_t seed)
      : t_(table), seed_(seed) {
    net_.name = "check";
    net_.duration = duration;
    net_.seed = seed;
    net_.block = neurons;
    set_initial(add_population(net_, table.model, neurons, set.values), table);
    for (std::uint32_t v = 0; v < table.model.variables.count; ++v)
      if (const Field& f = table.model.variables.data[v]; f.flags & Flag::initial)
        net_.reports.push_back({f.name, 0, v, ids(), 170'001, 0, never});
    add_population(net_, source_table<Noise>().model, neurons, {20});
    connect("one_to_one", {neurons, neurons}, 0, 1);
    for (std::uint32_t port = 0; port < table.port_count; ++port) {
      connect("fixed_indegree", {0, neurons}, port, table.ports[port].sign < 0 ? -2 : 2);
      net_.projections.back().numbers = {4};
    }
    weigh(strength);
    net_.spikes.push_back({0, {}, 0, never});
    change(set);
  }
  /// Of an event of the noise; those of the synapses follow it.
  void weigh(double strength) {
    for (std::uint32_t p = 0; p < net_.projections.size(); ++p)
      net_.projections[p].state = {of_all({strength * factors_[p]})};
  }
  Kept run(SimulationOptions::Order order, std::uint32_t block = neurons) {
    Kept kept;
    SerialTransport alone;
    SimulationOptions options;
    options.order = order;
    net_.block = block;
    if (block < neurons) options.l2_bytes = 1;
    Simulation(net_, alone, options).run(&kept);
    return kept;
  }

 private:
  static std::vector<std::uint32_t> ids() {
    std::vector<std::uint32_t> all(neurons);
    for (std::uint32_t i = 0; i < neurons; ++i) all[i] = i;
    return all;
  }
  void connect(const char* rule, GidRange from, std::uint32_t port, double factor) {
    add_projection(net_, rule, from, {0, neurons}, port).delay = of_all({1.3 * ms});
    factors_.push_back(factor);
  }
  void change(const ParameterSet& set) {
    Dice dice(seed_ + 40);
    for (std::uint32_t f = 0; f < t_.model.params.count && t_.set; ++f) {
      const Field& field = t_.model.params.data[f];
      if (!(field.flags & scheduled) || (field.flags & shared)) continue;
      ParameterSet next = set;
      next.values[f] = drawn_in_range(field, dice);
      if (t_.check && t_.check(next.bytes(t_.model.params, t_.params_size).data())) continue;
      ScheduledControl c;
      c.field = f;
      c.to.places = {GidRange{0, neurons}};
      for (const auto& [tick, value] :
           {std::pair{duration / 3 + 7, next.values[f]}, {duration / 2, set.values[f]}}) {
        c.tick = tick, c.value[0] = value;
        net_.schedule.push_back(c);
      }
    }
    std::stable_sort(net_.schedule.begin(), net_.schedule.end(),
                     [](const auto& a, const auto& b) { return a.tick < b.tick; });
  }
  const NeuronTable& t_;
  std::uint32_t seed_;
  Network net_;
  std::vector<double> factors_;
};

std::string different(const std::vector<Spike>& a, const std::vector<Spike>& b) {
  const auto text = [](const Spike& s) {
    return "neuron " + std::to_string(s.gid) + " at tick " + std::to_string(s.tick);
  };
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i].tick != b[i].tick || a[i].gid != b[i].gid)
      return "spike " + std::to_string(i) + ": " + text(a[i]) + " became " + text(b[i]);
  return a.size() == b.size() ? "" : std::to_string(a.size()) + " spikes became " + std::to_string(b.size());
}

bool close(float a, float b) { return std::abs(a - b) <= 1e-5f * (1 + std::max(std::abs(a), std::abs(b))); }

}  // namespace

std::string without_order(const NeuronTable& table, const ParameterSet& set, double strength,
                          std::uint32_t seed) {
  using Order = SimulationOptions::Order;
  try {
    Noisy noisy(table, set, strength, seed);
    // Weights with which some neurons fire, and few do at every event.
    double weight = strength;
    for (int halvings = 0; halvings < 14; ++halvings) {
      noisy.weigh(weight / 2);
      if (noisy.run(Order::everywhere).all.size() < neurons) break;
      weight /= 2;
    }
    for (const double w : {weight, weight / 2}) {
      noisy.weigh(w);
      const Kept in_order = noisy.run(Order::everywhere), free = noisy.run(Order::where_needed),
                 parts = noisy.run(Order::where_needed, 7);
      if (const auto d = different(in_order.all, free.all); !d.empty()) return d;
      for (std::size_t i = 0; i < in_order.samples.size(); ++i)
        if (!close(in_order.samples[i], free.samples[i]))
          return "a variable is " + std::to_string(free.samples[i]) + " where it is " +
                 std::to_string(in_order.samples[i]) + " in order";
      if (const auto d = different(free.all, parts.all); !d.empty()) return d + " in other blocks";
      if (free.samples != parts.samples) return "in other blocks a variable has other bits";
    }
  } catch (const ModelFailure& e) {
    return e.what();
  }
  return "";
}

}  // namespace spinet
