// Superposed trains: what a block takes as one sorted train gives the spikes of the same events sent one by
// one. Trains are drawn by slabs of time that begin at multiples of their length; the delay moves a train
// across the frames of its block, so that some have their base in one frame and arrivals in the next.
#include <catch2/catch.hpp>

#include "core/input/emitter.hpp"
#include "core/input/train.hpp"
#include "support/histories.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct Plan {
  std::string model;
  Values values;
  double weight;                ///< of the excitatory train, mV or pA
  std::uint32_t minus = 0;      ///< port of the inhibitory one
  std::uint32_t neurons = 300;  ///< a unit of 256 sources and one of fewer
  double rate = 5000;           ///< Hz, of each excitatory source
  Tick duration = ms(250);
  bool alike = true;  ///< excitatory weights
  double most = 0.5;  ///< spikes per event: where one event is enough to fire, sums are not tested
};

/// One to one from `excitation` and `inhibition`, Poisson populations or, if given, the events of an earlier
/// run.
NetworkBuilder driven(const Plan& plan, const std::vector<Spike>* events) {
  NetworkBuilder b(plan.duration, 21);
  b.network().block = 256;
  const auto cells = b.add(plan.model, plan.neurons, plan.values);
  const auto input = [&](double rate) {
    if (!events) return b.add("poisson", plan.neurons, {{"rate", rate}}, Kind::source);
    const Gid first = b.network().gid_count();
    std::vector<ListedSpike> listed;
    for (const auto& s : *events)
      if (s.gid - first < plan.neurons) listed.push_back({s.tick, s.gid - first});
    return b.source(plan.neurons, listed);
  };
  const auto excitation = input(plan.rate), inhibition = input(plan.rate / 4);
  const Value w = plan.alike ? Value(plan.weight) : Value(uniform(0.5 * plan.weight, 1.5 * plan.weight));
  b.connect(excitation, cells, Rule::one_to_one, w, ms(1.5));
  b.connect(inhibition, cells, Rule::one_to_one, uniform(-1.2 * plan.weight, -0.8 * plan.weight), ms(0.7))
      .port = plan.minus;
  b.record_spikes(cells);
  b.record_spikes(excitation);
  b.record_spikes(inhibition);
  return b;
}

/// Events of the excitatory train that arrive in a later frame than the one its base lies in.
std::size_t beyond_a_frame(const Network& net, const std::vector<Spike>& spikes) {
  const auto& cells = net.populations[0];
  const Tick frame = spinet::test::detail::frame_of(*cells.model, cells.params, net.ticks_per_ms());
  if (frame == 0) return 0;
  const Tick slab = Source::slab(net, frame), delay = ms(1.5);
  std::size_t n = 0;
  for (const auto& s : spikes)
    if (s.gid - net.populations[1].first < net.populations[1].size)
      n += (s.tick / slab * slab + delay) / frame != (s.tick + delay) / frame;
  return n;
}

void check(const Plan& plan, std::size_t least_spikes, std::size_t least_beyond) {
  auto superposed = driven(plan, nullptr);
  const auto first = run(superposed.network());
  REQUIRE(first.statistics.superposed > 0);
  REQUIRE(first.statistics.deliveries == 0);
  auto listed = driven(plan, &first.spikes());
  const auto second = run(listed.network());
  REQUIRE(second.statistics.superposed == 0);
  CHECK(second.statistics.deliveries == first.statistics.superposed);
  CHECK(first_difference(first.spikes(), second.spikes()) == "");
  CHECK(first.statistics.spikes > least_spikes);
  CHECK(static_cast<double>(first.statistics.spikes) <
        plan.most * static_cast<double>(first.statistics.superposed));
  CHECK(beyond_a_frame(superposed.network(), first.spikes()) >= least_beyond);
}

/// Time constants that make frames of about a millisecond: hundreds of them in a run.
Values cell(const Values& more, double tau_m = 0.25) {
  Values v{{"tau_m", tau_m}, {"C_m", 200}, {"E_L", -66}, {"v_th", uniform(-57, -55)},
           {"v_reset", -66}, {"t_ref", 1}, {"I_dc", 0},  {"V", -66}};
  v.insert(v.end(), more.begin(), more.end());
  return v;
}

}  // namespace

TEST_CASE("superposed trains of lif_delta, across frames", "[superposed]") {
  Plan plan{.model = "lif_delta", .values = cell({}), .weight = 5};
  check(plan, 1000, 5000);
  plan.alike = false;
  check(plan, 1000, 5000);
}

TEST_CASE("superposed trains of lif_exp with equal synaptic time constants, across frames", "[superposed]") {
  Plan plan{.model = "lif_exp",
            .values = cell({{"tau_syn_exc", 0.2}, {"tau_syn_inh", 0.2}}, 2),
            .weight = 10'000,
            .minus = 1};
  check(plan, 1000, 5000);
  plan.alike = false;
  check(plan, 1000, 5000);
}

TEST_CASE("superposed trains of lif_exp with unequal synaptic time constants, across frames",
          "[superposed]") {
  for (const auto& [exc, inh] :
       {std::pair{0.2, 0.5}, {2.0, 0.2}, {0.2, 2.0}}) {  // 2 ms is that of the membrane
    CAPTURE(exc, inh);
    Plan plan{.model = "lif_exp",
              .values = cell({{"tau_syn_exc", exc}, {"tau_syn_inh", inh}}, 2),
              .weight = 2000 / exc,
              .minus = 1};
    check(plan, 1000, 5000);
    plan.alike = false;
    check(plan, 1000, 5000);
  }
}

TEST_CASE("superposed trains of models without frames", "[superposed]") {
  // adex, and the kernels of neurons that differ in their time constants.
  Plan adex{.model = "adex", .values = {}, .weight = 400, .minus = 1, .neurons = 270, .duration = ms(60)};
  check(adex, 50, 0);
  Values v = cell({});
  v[0].second = uniform(0.2, 0.3);
  check({.model = "lif_delta", .values = v, .weight = 5, .alike = false}, 2000, 0);
  v = cell({{"tau_syn_exc", uniform(0.2, 0.3)}, {"tau_syn_inh", 0.2}}, 2);
  check({.model = "lif_exp", .values = v, .weight = 10'000, .minus = 1}, 2000, 0);
}

TEST_CASE("superposed trains of a model that is evaluated at every tick with arrivals", "[superposed]") {
  // Two neurons, so that several arrivals of a tick are common; and more than a word of them.
  check({.model = "stochastic_binary",
         .values = {{"bias", 0}, {"flip", 0.1}},
         .weight = 1,
         .neurons = 2,
         .rate = 2e6,
         .duration = ms(20),
         .most = 0.8},
        2000, 0);
  check({.model = "stochastic_binary",
         .values = {{"bias", 0}, {"flip", 0.1}},
         .weight = 1,
         .alike = false,
         .most = 0.8},
        2000, 0);
}

TEST_CASE("superposed trains that wake a sleeping block in a later frame than their base's", "[superposed]") {
  for (const std::string model : {"lif_delta", "lif_exp"}) {
    CAPTURE(model);
    const bool exponential = model == "lif_exp";
    Plan plan{.model = model,
              .values = cell(exponential ? Values{{"tau_syn_exc", 0.2}, {"tau_syn_inh", 0.5}} : Values{},
                             exponential ? 2 : 0.25),
              .weight = exponential ? 20'000.0 : 8.9,
              .minus = exponential ? 1u : 0u,
              .neurons = 3,
              .rate = 100,
              .duration = ms(40'000),
              .most = 0.8};
    check(plan, 50, 100);
  }
}

TEST_CASE("spikes of sources that are drawn in superposition alone are not counted", "[superposed]") {
  auto b = driven({.model = "lif_delta", .values = {{"v_th", -50.0}}, .weight = 0.1}, nullptr);
  const auto counted = run(b.network()).statistics;
  auto& recordings = b.network().spikes;
  recordings.resize(1);
  const auto not_counted = run(b.network()).statistics;
  CHECK(counted.spikes_of_population[1] > 1000);
  CHECK(not_counted.spikes_of_population[0] == counted.spikes_of_population[0]);
  CHECK(not_counted.spikes_of_population[1] == Statistics::not_counted);
  CHECK(not_counted.events() == counted.events());
}
