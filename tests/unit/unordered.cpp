// Superposed input that is taken without order: the spikes of the same input taken in order, on random
// networks; the same bits whatever the partition, and from a checkpoint in the middle of a slab.
#include <catch2/catch.hpp>

#include "comm/loopback.hpp"
#include "support/histories.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct Plan {
  std::string model = "lif_exp";
  double tick = 1e-3;  ///< us; with long ones a slab has few ticks, and ties are common
  Values cells = {};   ///< in place of what `network` takes
  double rate = 9000;  ///< Hz, of each source
  double pull = 1;     ///< of the drive, where 1 takes the mean V just below the threshold
  bool weights_alike = false;
  double delay = 1.3;    ///< ms, of the drive
  double duration = 60;  ///< ms
};

/// Cells of two populations, driven by sources that do not end where they do, with recurrent synapses of both
/// signs, settings in the middle of slabs, and a rate that changes, to 0 and back.
Network network(const Plan& plan, std::uint32_t seed) {
  const double per_ms = 1e3 / plan.tick;
  const auto t = [&](double ms) { return std::max<Tick>(1, std::llround(ms * per_ms)); };
  NetworkBuilder b(t(plan.duration), seed);
  Network& net = b.network();
  net.seconds_per_tick = plan.tick * 1e-6;
  net.delay_resolution = t(0.1);
  net.block = 32;
  const bool exponential = plan.model == "lif_exp";
  Numbers n(seed, 4321);
  Values cells{{"tau_m", 10},
               {"C_m", 250},
               {"E_L", 0},
               {"v_th", uniform(14, 20)},
               {"v_reset", uniform(-3, 3)},
               {"V", uniform(0, 13)},
               {"t_ref", n.chance(0.3)   ? 0.0
                         : n.chance(0.5) ? 0.05
                                         : 2}};
  if (exponential) cells.insert(cells.end(), {{"tau_syn_exc", 0.5}, {"tau_syn_inh", 0.5}});
  for (const auto& [name, value] : plan.cells) {
    std::erase_if(cells, [&](const auto& c) { return c.first == name; });
    cells.emplace_back(name, value);
  }
  const auto exc = b.add(plan.model, 330, cells), inh = b.add(plan.model, 70, cells);
  const auto noise = b.add("poisson", 400, {{"rate", plan.rate}}, Kind::source);
  const double mv = exponential ? 250 / 0.5 : 1;  // pA that take V as far as 1 mV at once
  const double w = plan.pull * 15 / (plan.rate * 1e-3 * 10) * mv;
  const Value weight = plan.weights_alike ? Value(w) : Value(uniform(0.8 * w, 1.2 * w));
  auto& drive = b.connect(noise, exc, Rule::one_to_one, weight, t(plan.delay));
  drive.targets.push_back(b.range(inh));
  const auto wire = [&](std::uint32_t from, double mean, std::uint32_t port, std::uint32_t number) {
    const double one = 0.5 * mean, other = 1.5 * mean;
    const auto some = uniform(std::min(one, other), std::max(one, other));
    auto& p = b.connect(from, exc, Rule::fixed_indegree, some, 1);
    p.port = port;
    p.targets.push_back(b.range(inh));
    p.numbers = {static_cast<double>(number)};
    p.delay = uniform(0.2 * per_ms, 2 * per_ms);
  };
  wire(exc, 0.6 * mv, 0, 20);
  wire(inh, -2.5 * mv, exponential ? 1 : 0, 10);
  // Neurons above their threshold without input, and back; two settings at one tick.
  const double over = 250 / 10.0 * 25;
  b.schedule(t(plan.duration * 0.31) + 7, inh, "I_dc", over);
  b.schedule(t(plan.duration * 0.47) + 1, inh, "I_dc", -20);
  b.schedule(t(plan.duration * 0.47) + 1, exc, "I_dc", 15);
  b.schedule(t(plan.duration * 0.55) + 3, noise, "rate", 0);
  b.schedule(t(plan.duration * 0.60) + 5, noise, "rate", 0.9 * plan.rate);
  record_all(net);
  b.report(exc, "V", t(0.37));
  if (exponential) b.report(inh, "I_syn", t(1.1));
  return net;
}

struct Outcome {
  MemoryRecorder recorder;
  MemoryCheckpoints checkpoints;
  Statistics statistics;
  const std::vector<Spike>& spikes() const { return recorder.spikes(); }
};

Outcome outcome(const Network& net, const SimulationOptions& options, int ranks = 1,
                const MemoryCheckpoints* from = nullptr) {
  Outcome o;
  std::vector<Statistics> all(static_cast<std::size_t>(ranks));
  run_loopback(ranks, [&](Transport& t) {
    Simulation simulation(net, t, options);
    if (from) simulation.restore(*from);
    RunHooks hooks;
    hooks.checkpoints.every = net.duration / 9;
    if (t.rank() == 0) hooks.checkpoints.sink = &o.checkpoints;
    MemoryRecorder recorder;
    all[static_cast<std::size_t>(t.rank())] = simulation.run(t.rank() == 0 ? &recorder : nullptr, hooks);
    if (t.rank() == 0) o.recorder = std::move(recorder);
  });
  for (const auto& s : all) o.statistics.superposed += s.superposed, o.statistics.deliveries += s.deliveries;
  o.statistics.spikes = all[0].spikes;
  return o;
}

/// Of each neuron of a population in a checkpoint: its state and whether it is exact; not what it has asked
/// for.
std::vector<std::byte> states(const Network& net, const MemoryCheckpoints& c, Tick at,
                              std::uint32_t population) {
  const Population& p = net.populations[population];
  const auto& bytes = c.saved.at(at).at("neurons/" + p.name);
  const std::size_t each = bytes.size() / p.size;
  std::vector<std::byte> all;
  for (std::size_t i = 0; i < p.size; ++i) {
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(i * each);
    all.insert(all.end(), first, first + (p.model == builtin().find(Kind::neuron, "lif_exp") ? 16 : 8));
    all.push_back(*(first + static_cast<std::ptrdiff_t>(each - 1)));
  }
  return all;
}
std::size_t virtual_ones(const Network& net, const MemoryCheckpoints& c) {
  std::size_t n = 0;
  for (const auto& [at, parts] : c.saved) {
    const Population& p = net.populations[0];
    const auto& bytes = parts.at("neurons/" + p.name);
    const std::size_t each = bytes.size() / p.size;
    for (std::size_t i = 0; i < p.size; ++i) n += bytes[(i + 1) * each - 1] == std::byte{0};
  }
  return n;
}

void check_states(const Network& net, const Outcome& a, const Outcome& b) {
  for (const auto& [at, parts] : b.checkpoints.saved)
    for (const std::uint32_t p : {0u, 1u}) {
      INFO("at " << at);
      REQUIRE(a.checkpoints.saved.count(at) == 1);
      CHECK((states(net, a.checkpoints, at, p) == states(net, b.checkpoints, at, p)));
    }
}

void check(const Plan& plan, std::uint32_t seed, std::size_t least_virtual = 500) {
  CAPTURE(plan.model, plan.tick, plan.pull, seed);
  Network net = network(plan, seed);
  SimulationOptions in_order;
  in_order.order = SimulationOptions::Order::everywhere;
  auto ordered = outcome(net, in_order);
  auto free = outcome(net, {});
  CHECK(virtual_ones(net, ordered.checkpoints) == 0);
  CHECK(virtual_ones(net, free.checkpoints) >= least_virtual);
  CHECK(first_difference(ordered.spikes(), free.spikes()) == "");
  CHECK(ordered.spikes().size() > 250);
  CHECK(ordered.statistics.superposed == free.statistics.superposed);
  CHECK(ordered.statistics.deliveries == free.statistics.deliveries);
  const auto &v = ordered.recorder.report(0), &u = free.recorder.report(0);
  REQUIRE(v.size() == u.size());
  std::size_t differ = 0;
  for (std::size_t i = 0; i < v.size(); ++i) differ += !(std::abs(v[i] - u[i]) < 1e-5);
  CHECK(differ == 0);

  // Other blocks, other ranks; from each checkpoint on.
  SimulationOptions small;
  small.l2_bytes = 1;
  net.block = 7;
  small.small_slices = 0;
  const auto parts = outcome(net, small, 3);
  CHECK(first_difference(free.spikes(), parts.spikes()) == "");
  CHECK(free.recorder.same_samples(parts.recorder));
  CHECK(free.statistics.superposed == parts.statistics.superposed);
  check_states(net, free, parts);
  int k = 0;
  for (const auto& [at, unused] : parts.checkpoints.saved) {
    if (++k % 3) continue;
    MemoryCheckpoints from = parts.checkpoints;
    from.chosen = at;
    net.block = 32;
    const auto rest = outcome(net, {}, 1 + k % 2, &from);
    std::vector<Spike> expected;
    for (const auto& s : free.spikes())
      if (s.tick >= at) expected.push_back(s);
    INFO("from " << at);
    CHECK(first_difference(rest.spikes(), expected) == "");
    CHECK(rest.statistics.superposed == free.statistics.superposed);
    check_states(net, free, rest);
  }
}

}  // namespace

TEST_CASE("without order: lif_delta", "[unordered]") {
  for (const std::uint32_t seed : {1, 2, 3})
    check({.model = "lif_delta", .pull = 1.25, .weights_alike = seed == 1}, seed);
}
TEST_CASE("without order: lif_exp", "[unordered]") {
  for (const std::uint32_t seed : {1, 2, 3}) check({.pull = 1.25, .weights_alike = seed == 1}, seed);
}
TEST_CASE("without order: long ticks, where slices, drive, settings and the ends of slabs meet",
          "[unordered]") {
  for (const std::string model : {"lif_delta", "lif_exp"})
    for (const std::uint32_t seed : {4, 5, 6}) {
      Plan plan{.model = model, .tick = 2, .rate = 4000, .pull = 1.2, .duration = 80};
      plan.delay = 0.512;  // slabs and frames begin together
      check(plan, seed, 100);
      plan.tick = 20, plan.delay = 1.3, plan.duration = 200;
      check(plan, seed, 100);
    }
}
TEST_CASE("without order: soft resets", "[unordered]") {
  for (const std::string model : {"lif_delta", "lif_exp"}) {
    const Values soft{{"reset", 1}, {"t_ref", 0}, {"v_reset", uniform(9, 13)}};
    check({.model = model, .cells = soft, .pull = 1.25, .duration = 50}, 11, 50);
    check({.model = model, .tick = 20, .cells = soft, .rate = 4000, .pull = 1.2, .duration = 60}, 12, 50);
  }
}
TEST_CASE("without order: events that are large, and neurons that fire without any", "[unordered]") {
  for (const std::string model : {"lif_delta", "lif_exp"}) {
    check({.model = model, .rate = 4500, .pull = 1.6, .duration = 40}, 7, 50);
    check({.model = model, .cells = {{"I_dc", uniform(0, 600)}}, .pull = 0.8, .duration = 40}, 8, 50);
    const Values wide{{"v_th", uniform(1, 20)}, {"t_ref", 5}, {"v_reset", -1}, {"V", 0}};
    check({.model = model, .cells = wide, .pull = 1, .duration = 40}, 9, 50);
  }
}
