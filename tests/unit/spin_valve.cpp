// The molecular spin valve against the figures of its paper, and its events in networks.
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "comm/loopback.hpp"
#include "core/connect.hpp"
#include "network/loader.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

const SynapseTable& valve() { return *reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, "spin_valve")); }
std::uint32_t index_of(const Fields& f, const std::string& name) {
  for (std::uint32_t i = 0; i < f.count; ++i)
    if (name == f.data[i].name) return i;
  throw std::logic_error("no field " + name);
}

/// Some devices of one set of parameters; `given` names parameters and initial values.
struct Devices {
  std::vector<double> shared, state;
  std::vector<std::uint16_t> targets;
  std::vector<std::uint8_t> copies;
  std::vector<Gid> gids;
  std::uint32_t count;
  Tick now = 0;

  explicit Devices(std::vector<std::pair<std::string, double>> given = {}, std::uint32_t n = 1)
      : shared(valve().shared_size / 8 + 1), state(std::size_t{valve().state_size} / 8 * n), copies(n), count(n) {
    std::vector<double> params(valve().params_size / 8);
    const auto& m = valve().model;
    const auto value = [&](const Field& f) {
      for (const auto& [name, x] : given)
        if (name == f.name) return x;
      return f.preset;
    };
    for (std::uint32_t i = 0; i < m.params.count; ++i) put(params.data(), m.params.data[i], value(m.params.data[i]));
    REQUIRE(valve().check(params.data()) == nullptr);
    const RunInfo run{1e6};
    valve().prepare(shared.data(), params.data(), &run);
    for (std::uint32_t k = 0; k < n; ++k) {
      for (std::uint32_t i = 0; i < m.variables.count; ++i)
        if (m.variables.data[i].flags & initial) put(state.data() + valve().state_size / 8 * k, m.variables.data[i], value(m.variables.data[i]));
      valve().init(state.data() + valve().state_size / 8 * k, shared.data());
      targets.push_back(static_cast<std::uint16_t>(k));
      gids.push_back(k);
    }
  }
  Slice slice() {
    Slice s{};
    s.tick = now;
    s.delay = 1;
    s.payload = 1;
    s.count = count;
    s.targets = targets.data();
    s.state = state.data();
    s.shared = shared.data();
    s.copies = copies.data();
    s.gids = gids.data();
    s.random = {1, 2};
    return s;
  }
  Devices& pulse(double V, double seconds, int n = 1) {
    Control c;
    c.kind = Control::Kind::pulse;
    c.value[0] = V;
    c.value[1] = seconds;
    for (int i = 0; i < n; ++i, now += 10'000'000) {
      const Slice s = slice();
      valve().on_control_of(s, c);
    }
    return *this;
  }
  Devices& field(double tesla, int state_wanted = 0) {
    Control c;
    c.kind = Control::Kind::field;
    c.value[0] = tesla;
    c.value[1] = state_wanted;
    const Slice s = slice();
    valve().on_control_of(s, c);
    return *this;
  }
  double operator()(const std::string& variable, std::uint32_t i = 0) {
    const Slice s = slice();
    return valve().read(&s, i, index_of(valve().model.variables, variable));
  }
  std::vector<double> weights() {
    std::vector<double> w(count);
    const Slice s = slice();
    valve().on_pre_of(s, w.data());
    return w;
  }
};
using Given = std::vector<std::pair<std::string, double>>;

}  // namespace

TEST_CASE("spin_valve: 50 pulses multiply the conductance by 47 and divide it by 31, in both maps") {
  for (const bool linear : {false, true}) {
    Devices d(Given{{"linear", linear}});
    d.pulse(-4, 1);
    CHECK(d("G") == Approx(0.64).epsilon(1e-14));
    d.pulse(2.5, 5e-3, 10);
    const double ten = d("G");
    d.pulse(2.5, 5e-3, 40);
    CHECK(d("G") / 0.64 == Approx(47).epsilon(1e-9));
    CHECK((ten - 0.64) / (d("G") - 0.64) == Approx(linear ? 0.23 : 0.057).margin(linear ? 0.005 : 0.0005));  // gradual
    d.pulse(4, 1);
    CHECK(d("G") == Approx(89).epsilon(1e-14));
    d.pulse(-2.35, 5e-3, 10);
    const double after_ten = d("G");
    d.pulse(-2.35, 5e-3, 40);
    CHECK(89 / d("G") == Approx(31).epsilon(1e-9));
    CHECK((89 - after_ten) / (89 - d("G")) == Approx(linear ? 0.53 : 0.67).margin(0.005));  // more abrupt
  }
}

TEST_CASE("spin_valve: a pulse in pieces does what it does whole") {
  for (const double V : {2.5, -2.35, 1.3, -3.1}) {
    Devices whole(Given{{"u", 0.4}, {"energy", 1}}), pieces(Given{{"u", 0.4}, {"energy", 1}});
    whole.pulse(V, 40e-3);
    pieces.pulse(V, 1e-3, 40);
    CHECK(pieces("u") == Approx(whole("u")).epsilon(1e-13));
    CHECK(pieces("energy") == Approx(whole("energy")).epsilon(1e-9));
  }
}

TEST_CASE("spin_valve: below the threshold a million pulses change no bit") {
  Devices d(Given{{"u", 0.37}, {"pair", 1}, {"u2", 0.81}});
  d.field(0, -1);
  const auto before = d.state;
  for (const double V : {1.2, -1.2, 0.1, -0.7})
    d.pulse(V, 1, 250'000);
  CHECK(std::memcmp(before.data(), d.state.data(), 8 * before.size()) == 0);
  d.pulse(1.2001, 1);  // and just above it does
  CHECK(std::memcmp(before.data(), d.state.data(), 8 * before.size()) != 0);
}

TEST_CASE("spin_valve: magnetoconductance") {
  const auto MG = [](double u) {
    Devices d(Given{{"u", u}});
    const double parallel = d("G");
    CHECK(d("state") == 1);
    d.field(0, -1);
    CHECK(d("state") == -1);
    const double ratio = d("G") / parallel - 1;
    d.field(0, 1);
    CHECK(d("G") == parallel);
    return std::pair{parallel, ratio};
  };
  CHECK(MG(1).second == Approx(0.25).epsilon(1e-12));
  CHECK(MG(0).second == 0);
  const double span = std::log(89 / 0.64), at_threshold = std::log(1.13 / 0.64) / span;
  CHECK(MG(at_threshold - 1e-9).second == 0);
  CHECK(MG(at_threshold + 1e-6).second > 0);
  // A straight line of slope 3/4 in the logarithms, over the whole range.
  for (double u = at_threshold + 0.01; u < 0.99; u += 0.05) {
    const auto [G, mg] = MG(u);
    CHECK(std::log(mg / 0.25) / std::log((G - 1.13) / (89 - 1.13)) == Approx(0.75).epsilon(1e-9));
  }
  // The boost G MG(G): its slope tends to 7/4.
  const auto [G1, mg1] = MG(1);
  const auto [G2, mg2] = MG(0.99);
  CHECK(std::log(G1 * mg1 / (G2 * mg2)) / std::log(G1 / G2) == Approx(1 + 0.75 / (1 - 1.13 / 89)).epsilon(1e-3));
}

TEST_CASE("spin_valve: the field turns the soft electrode, then the hard one") {
  Devices d(Given{{"u", 1}});
  const auto state_at = [&](double oersted) { return d.field(oersted / 1e4)("state"); };
  CHECK(state_at(-2000) == 1);
  CHECK(state_at(89) == 1);
  CHECK(state_at(90) == -1);
  CHECK(state_at(0) == -1);  // remanence
  CHECK(state_at(249) == -1);
  CHECK(state_at(251) == 1);
  CHECK(state_at(0) == 1);
  CHECK(state_at(-100) == -1);
  CHECK(state_at(-251) == 1);
  CHECK(d.field(0, -1)("state") == -1);
}

TEST_CASE("spin_valve: a field event writes by a power law of the conductance, above a threshold") {
  for (const bool linear : {false, true}) {
    const auto change = [&](double u) {
      Devices d(Given{{"u", u}, {"update", 0.01}, {"linear", linear}, {"MG_max", 0}});
      const double before = d("G");
      d.field(0, 1);
      CHECK(d("G") == before);  // parallel: nothing
      d.field(0, -1);
      return std::pair{before, d("G") - before};
    };
    const auto [a, da] = change(0.7);
    const auto [b, db] = change(0.9);
    CHECK(std::log(db / da) / std::log(b / a) == Approx(1.75).epsilon(1e-9));
    CHECK(da == Approx(0.01 * 89 * std::pow(a / 89, 1.75)).epsilon(1e-9));
    CHECK(change(0.0).second == 0);  // below the threshold: depressed devices do not respond
    CHECK(change(1.0).second == 0);  // no further than G_max
  }
}

TEST_CASE("spin_valve: weights") {
  Devices one(Given{{"u", 1}, {"w_max", 30}});
  CHECK(one.weights()[0] == Approx(30).epsilon(1e-12));
  CHECK(one.field(0, -1).weights()[0] == Approx(37.5).epsilon(1e-12));
  Devices shifted(Given{{"u", 0}, {"w_max", 30}, {"G_ref", 10}});
  CHECK(shifted.weights()[0] == Approx(30 * (0.64 - 10) / 89).epsilon(1e-12));
  // A pair: positive pulses raise the weight, negative ones lower it, through 0 and beyond.
  Devices pair(Given{{"pair", 1}, {"u", 0.5}, {"u2", 0.5}, {"w_max", 30}});
  CHECK(pair.weights()[0] == 0);
  CHECK(pair.pulse(2.5, 5e-3, 20).weights()[0] > 5);
  CHECK(pair("G2") < 2);
  CHECK(pair.pulse(-2.5, 5e-3, 60).weights()[0] < -5);
  CHECK(pair("weight") == pair.weights()[0]);
}

TEST_CASE("spin_valve: spread, noise and energy") {
  Devices spread(Given{{"u", 0.5}, {"g", 1.25}, {"k", 2}});
  Devices plain(Given{{"u", 0.5}});
  CHECK(spread("G") / plain("G") == Approx(1.25).epsilon(1e-6));
  spread.pulse(2.5, 5e-3);
  plain.pulse(2.5, 10e-3);
  CHECK(spread("u") == Approx(plain("u")).epsilon(1e-12));

  constexpr std::uint32_t n = 2000;
  const auto moments = [](const std::vector<double>& x) {
    double sum = 0, squares = 0;
    for (const double v : x) sum += v, squares += v * v;
    const double mean = sum / static_cast<double>(x.size());
    return std::pair{mean, std::sqrt(squares / static_cast<double>(x.size()) - mean * mean)};
  };
  {
    Devices read(Given{{"u", 1}, {"read_noise", 0.1}, {"w_max", 1}}, n);
    const auto [mean, sd] = moments(read.weights());
    CHECK(mean == Approx(1).margin(0.01));   // 4.5 standard errors
    CHECK(sd == Approx(0.1).margin(0.007));
    CHECK(read("weight") == 1);              // logs show the device, not the noise of a read
  }
  {
    Devices cycle(Given{{"cycle_noise", 0.3}}, n);
    cycle.pulse(2.5, 5e-3);
    std::vector<double> rates;
    for (std::uint32_t i = 0; i < n; ++i) rates.push_back(-std::log1p(-cycle("u", i)));
    const auto [mean, sd] = moments(rates);
    const double expected = 6.059855083280222 * 5e-3;
    CHECK(mean / expected == Approx(1).margin(0.03));
    CHECK(sd / mean == Approx(std::sqrt(std::expm1(0.09))).margin(0.03));
    const double first = cycle("u", 7);
    cycle.pulse(2.5, 5e-3);
    CHECK(-std::log1p(-cycle("u", 7)) != Approx(-2 * std::log1p(-first)).epsilon(1e-6));  // another draw each time
  }
  // Energy against a sum over a million short steps.
  for (const bool linear : {false, true})
    for (const double V : {2.5, -2.35, 0.1, -4.0}) {
      Devices d(Given{{"u", 0.6}, {"energy", 1}, {"linear", linear}});
      d.pulse(V, 50e-3);
      const double k = V > 1.2 ? (linear ? 1.620955147829948 : 6.059855083280222) : V == -2.35 ? (linear ? 14.715935688887892 : 4.7609922946856456)
                       : V < -1.2 ? (linear ? 0.1494241554400564 : 0.04834264485317148) * std::expm1(2.8 / 0.25) : 0;
      double sum = 0;
      constexpr int steps = 1'000'000;
      for (int i = 0; i < steps; ++i) {
        const double t = 50e-3 * (i + 0.5) / steps, u = V > 0 ? 1 - 0.4 * std::exp(-k * t) : 0.6 * std::exp(-k * t);
        sum += V * V * (linear ? 0.64 + 88.36 * u : 0.64 * std::pow(89 / 0.64, u)) * 50e-3 / steps;
      }
      CHECK(d("energy") == Approx(1e3 * sum).epsilon(1e-6));
    }
  CHECK(Devices(Given{{"u", 0.6}}).pulse(2.5, 1)("energy") == 0);  // off unless asked for
}

TEST_CASE("spin_valve: parameters that contradict each other") {
  const auto reason = [](const std::string& name, double x) {
    std::vector<double> params(valve().params_size / 8);
    for (std::uint32_t i = 0; i < valve().model.params.count; ++i) {
      const Field& f = valve().model.params.data[i];
      put(params.data(), f, name == f.name ? x : f.preset);
    }
    const char* why = valve().check(params.data());
    return std::string(why ? why : "");
  };
  CHECK(reason("G_max", 0.5).find("G_min must be below G_max") != std::string::npos);
  CHECK(reason("G_th", 100).find("G_th") != std::string::npos);
  CHECK(reason("G_ref", 100).find("outside the device's range") != std::string::npos);
  CHECK(reason("field_hard", 10).find("field_hard") != std::string::npos);
}

namespace {

/// Ten devices onto ten neurons, one to one and all to all, with noise and spread; `schedule` is a block of YAML.
std::string network(const std::string& schedule, const std::string& more = "") {
  return "spinet: 1\nduration: 2 s\nblock: 1\npopulations:\n"
         "  s: {model: spike_source, size: 10, spikes: {0: [1.9 s], 3: [1.95 s]}}\n"
         "  n: {model: lif_delta, size: 10}\n"
         "projections:\n"
         "  one: {from: s, to: n, connect: one_to_one, synapse: {model: spin_valve, u: 0, w_max: 3 mV, delay: 1 ms}}\n"
         "  all: {from: s, to: n, connect: {fixed_indegree: 5}, synapse: {model: spin_valve, u: {uniform: {low: 0, high: 1}}, w_max: 1 mV,\n"
         "        g: {normal: {mean: 1, sd: 0.1, min: 0.5}}, cycle_noise: 0.2, read_noise: 0.1, delay: {uniform: {low: 1 ms, high: 3 ms}}}}\n"
         "schedule:\n" + schedule +
         "record:\n  spikes: [n]\n  reports: {population: n, variable: V, every: 10 ms}\n"
         "  weights: [{projection: one, variable: u, every: 100 ms}, {projection: all, every: 100 ms}]\n" + more;
}
struct Heard : Recorder {
  std::vector<Spike> all;
  std::map<std::uint32_t, std::vector<float>> reports, frames_of;
  std::vector<Edge> edges_of_all;
  void spikes(std::span<const Spike> s) override { all.insert(all.end(), s.begin(), s.end()); }
  void frames(std::uint32_t r, std::span<const float> v) override { reports[r].insert(reports[r].end(), v.begin(), v.end()); }
  void weights(std::uint32_t w, std::span<const float> v) override { frames_of[w].insert(frames_of[w].end(), v.begin(), v.end()); }
  void edges(std::uint32_t p, std::span<const Edge> e) override {
    if (p == 1) edges_of_all.insert(edges_of_all.end(), e.begin(), e.end());
  }
  void commit(Tick) override {}
};
Heard heard(const std::string& text) {
  const auto net = load_text(text, "test.yaml", builtin());
  Heard h;
  OneRank one;
  Simulation simulation(net, one);
  simulation.run(&h);
  return h;
}

}  // namespace

TEST_CASE("schedule: a train of pulses reaches the synapses named, and no others") {
  const auto h = heard(network("  - {at: 0.5 s, pulse: {amplitude: 2.5 V, width: 5 ms, count: 50, period: 10 ms}, to: one, synapses: [[3, 3], [7, 7]]}\n"));
  const auto& u = h.frames_of.at(0);
  REQUIRE(u.size() == 200);
  for (std::size_t frame = 0; frame < 20; ++frame)
    for (std::size_t i = 0; i < 10; ++i) {
      // Pulses up to and at the frame's time: controls come first in a tick.
      const int pulses = i != 3 && i != 7 ? 0 : frame < 5 ? 0 : std::min<int>(50, static_cast<int>(frame - 5) * 10 + 1);
      CHECK(static_cast<double>(u[frame * 10 + i]) == Approx(-std::expm1(-6.059855083280222 * 5e-3 * pulses)).epsilon(1e-6).margin(1e-12));
    }
}

TEST_CASE("schedule: what repeats is what is written out") {
  const std::string train = "  - {at: 0.5 s, pulse: {amplitude: 2.5 V, width: 5 ms, count: 3, period: 10 ms}, to: [one, all], repeat: {every: 200 ms, count: 2}}\n"
                            "  - {at: 0.6 s, field: {state: antiparallel}, repeat: {every: 0.7 s, count: 2}}\n"
                            "  - {at: 0.7 s, pulse: {amplitude: {from: -1.5 V, to: -2.5 V}, width: 5 ms, count: 5, period: 0.1 s}, to: all}\n"
                            "  - {at: 1 s, set: {n: {I_dc: {from: 100 pA, to: 300 pA}}}, repeat: {every: 10 ms, count: 3}}\n";
  std::string written;
  for (const char* at : {"500", "510", "520", "700", "710", "720"}) written += fmt::format("  - {{at: {} ms, pulse: {{amplitude: 2.5 V, width: 5 ms}}, to: [one, all]}}\n", at);
  for (const char* at : {"600", "1300"}) written += fmt::format("  - {{at: {} ms, field: {{state: antiparallel}}}}\n", at);
  for (int i = 0; i < 5; ++i) written += fmt::format("  - {{at: {} ms, pulse: {{amplitude: {} V, width: 5 ms}}, to: all}}\n", 700 + 100 * i, -1.5 - 0.25 * i);
  for (int i = 0; i < 3; ++i) written += fmt::format("  - {{at: {} ms, set: {{n: {{I_dc: {} pA}}}}}}\n", 1000 + 10 * i, 100 + 100 * i);
  const auto a = heard(network(train)), b = heard(network(written));
  CHECK(a.all == b.all);
  CHECK(a.reports == b.reports);
  CHECK(a.frames_of == b.frames_of);
  CHECK(a.frames_of.at(1) != heard(network("  - {at: 1.99 s, field: 0 Oe}\n")).frames_of.at(1));
}

TEST_CASE("schedule: pulses give the same data on any number of ranks") {
  const auto text = network("  - {at: 0.5 s, pulse: {amplitude: 2.5 V, width: 5 ms, count: 50, period: 10 ms}, to: all}\n"
                            "  - {at: 1.2 s, pulse: {amplitude: -2 V, width: 5 ms, count: 7, period: 10 ms}, to: one, synapses: [[0, 0], [9, 9], [3, 3]]}\n"
                            "  - {at: 1.3 s, field: 90 Oe}\n");
  const auto alone = heard(text);
  CHECK(alone.frames_of.at(1).size() == 20 * 50);
  for (const int ranks : {2, 3}) {
    Heard h;
    run_loopback(ranks, [&](Transport& t) {
      const auto net = load_text(text, "test.yaml", builtin());
      Simulation simulation(net, t);
      simulation.run(t.rank() == 0 ? &h : nullptr);
    });
    CHECK(h.all == alone.all);
    CHECK(h.reports == alone.reports);
    CHECK(h.frames_of == alone.frames_of);
  }
}

TEST_CASE("schedule: synapses that were not drawn are found before the run") {
  const auto first = heard(network("  - {at: 1.99 s, field: 0 Oe}\n"));
  std::set<std::pair<Gid, Gid>> drawn;
  for (const auto& e : first.edges_of_all) drawn.emplace(e.source, e.target - 10);
  int missing = 0;
  for (Gid s = 0; s < 10; ++s)
    for (Gid t = 0; t < 10; ++t) {
      const auto net = load_text(network(fmt::format("  - {{at: 1 s, pulse: {{amplitude: 2 V, width: 1 ms}}, to: all, synapses: [[{}, {}]]}}\n", s, t)), "test.yaml", builtin());
      const auto fault = missing_synapse(net);
      CHECK(fault.empty() == (drawn.count({s, t}) == 1));
      missing += !fault.empty();
      if (!fault.empty()) CHECK(fault.find(fmt::format("from source {} to target {} of projection 'all'", s, t)) != std::string::npos);
    }
  CHECK(missing > 20);
}

TEST_CASE("schedule: a million pulses are one control") {
  const auto net = load_text("spinet: 1\nduration: 1000 s\npopulations:\n  s: {model: spike_source, size: 1, spikes: [1 s]}\n  n: {model: lif_delta, size: 1}\nprojections:\n"
                             "  p: {from: s, to: n, connect: one_to_one, synapse: {model: spin_valve, u: 0.3, delay: 1 ms}}\nschedule:\n"
                             "  - {at: 0 s, pulse: {amplitude: 1 V, width: 0.5 ms, count: 1000000, period: 1 ms}, to: p}\n"
                             "record:\n  weights: {projection: p, variable: u, every: 500 s}\n", "test.yaml", builtin());
  CHECK(net.schedule.size() == 1);
  Heard h;
  OneRank one;
  Simulation simulation(net, one);
  simulation.run(&h);
  CHECK(h.frames_of.at(0) == std::vector<float>{0.3f, 0.3f});
}
