// Stochastic tunnel junctions: the probability of pulses against an independent solution of the macrospin,
// what many junctions do against binomial distributions, energies, waits, and that chance is the same
// everywhere.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "../../plugins/mtj_law.hpp"
#include "comm/loopback.hpp"
#include "network/loader.hpp"
#include "spinet/reality.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"
#include "support/synapses_on_bench.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

constexpr double V_c = 0.15, tau_D = 2, R_P = 6e3, R_AP = 15e3;  // V, ns, Ohm

/// Some synapses of junctions.
struct Junctions : SynapsesOnBench {
  explicit Junctions(std::uint32_t n = 1, const Given& given = {}, const char* model = "mtj")
      : SynapsesOnBench(model, given, {.count = n, .seed = 1, .delay = 1}), count(n) {
    now = 10;
  }
  Junctions& spikes() {  // of all targets
    for (std::uint32_t j = 0; j < count; ++j) bench.spike(j, now - 2 * delay);
    return *this;
  }
  Junctions& pulse(double V, double ns, int n = 1) {
    for (int i = 0; i < n; ++i, now += 1000) control(device::pulse, V, 1e-9 * ns);
    return *this;
  }
  Junctions& wait(double seconds) {
    SynapsesOnBench::wait(seconds);
    return *this;
  }
  /// Mean of a variable.
  double mean(const char* variable) {
    double sum = 0;
    for (std::uint32_t i = 0; i < count; ++i) sum += (*this)(variable, i);
    return sum / count;
  }
  std::uint32_t count;
};
/// Four standard deviations of a share of n.
double four_sd(double p, double n) { return 4 * std::sqrt(p * (1 - p) / n); }

const mtj::Law& law() {
  static const auto made = [] {
    auto l = std::make_unique<mtj::Law>();
    l->make(60);
    return l;
  }();
  return *made;
}
double P(double V, double ns, double Delta = 60) {
  return -std::expm1(-law().hazard(Delta, V / V_c, ns / tau_D));
}
/// The width of a pulse of probability `p` [ns].
double width_of(double V, double p) {
  double low = 1e-3, high = 1e9;
  while (high > low * (1 + 1e-12)) {
    const double middle = std::sqrt(low * high);
    (P(V, middle) < p ? low : high) = middle;
  }
  return low;
}

}  // namespace

TEST_CASE("mtj: probability over amplitude and width") {
  struct Row {
    double V, ns, P;
  };
  const Row rows[] = {{.105, 50, .038}, {.105, 100, .095}, {.12, 20, .054},  {.12, 50, .319},
                      {.12, 100, .618}, {.135, 10, .016},  {.135, 20, .243}, {.135, 50, .785},
                      {.15, 10, .073},  {.15, 20, .555},   {.15, 50, .975},  {.18, 5, .007},
                      {.18, 10, .407},  {.18, 20, .941},   {.225, 5, .136},  {.225, 10, .885},
                      {.30, 5, .725},   {.30, 10, .998},   {.45, 2, .182},   {.45, 5, .996}};
  constexpr std::uint32_t n = 4000;
  Junctions begin(n), begin_up(n, {{"u", 1}});
  for (const Row& r : rows) {
    CAPTURE(r.V, r.ns);
    CHECK(P(r.V, r.ns) == Approx(r.P).margin(0.003));
    Junctions up = begin, down = begin_up;
    CHECK(std::abs(up.pulse(r.V, r.ns).mean("u") - r.P) < 0.003 + four_sd(r.P, n));
    CHECK(std::abs(1 - down.pulse(-r.V, r.ns).mean("u") - r.P) < 0.003 + four_sd(r.P, n));
    CHECK(down.mean("flips") == Approx(1 - down.mean("u")));
    Junctions other = begin;
    CHECK(other.pulse(-r.V, r.ns).mean("flips") == 0);  // it would make them what they are
  }
}

TEST_CASE("mtj: probability against an independent solution, also of devices that differ in Delta") {
  std::ifstream file(std::string(VALIDATION_DATA) + "/mtj_reference.csv");
  std::string line;
  std::getline(file, line);
  std::map<double, std::unique_ptr<mtj::Law>> laws;
  int rows = 0;
  for (double Delta, i, w, P; std::getline(file, line); ++rows) {
    REQUIRE(std::sscanf(line.c_str(), "%lf,%lf,%lf,%lf", &Delta, &i, &w, &P) == 4);
    auto& own = laws[Delta];
    if (!own) (own = std::make_unique<mtj::Law>())->make(Delta);
    CAPTURE(Delta, i, w);
    const double found = -std::expm1(-own->hazard(Delta, i, w)), x = (i - 1) * std::sqrt(Delta);
    CHECK(found == Approx(P).margin(x > 16 ? 0.005 : 0.002));
    if (P > 0.02 && P < 0.2 && x < 10) CHECK(found == Approx(P).epsilon(0.03));
    if (Delta == 48 || Delta == 75)  // drawn, where the middle is 60
      CHECK(-std::expm1(-law().hazard(Delta, i, w)) == Approx(P).margin(0.006));
  }
  CHECK(rows > 500);
}

TEST_CASE("mtj: what sets the probability: critical voltage, time constant, cycle noise") {
  const auto mean = [](const Given& given, double V, double ns) {
    return Junctions(4000, given).pulse(V, ns).mean("u");
  };
  CHECK(std::abs(mean({{"V_c", 0.3}}, 0.36, 10) - 0.407) < 0.003 + four_sd(0.4, 4000));
  CHECK(std::abs(mean({{"tau_D", 1}}, 0.18, 5) - 0.407) < 0.003 + four_sd(0.4, 4000));
  // The hazard times a lognormal factor of mean 1: P = 1 - E exp(-H f), by the middles of 1,000 shares.
  const double H = -std::log1p(-P(.18, 10)), sd = 0.8;
  double wanted = 0;
  for (int k = 0; k < 1000; ++k)
    wanted -= std::expm1(-H * std::exp(sd * (math::normal_quantile((k + 0.5) / 1000) - sd / 2))) / 1000;
  CHECK(std::abs(wanted - P(.18, 10)) > 0.04);
  CHECK(std::abs(mean({{"cycle_noise", sd}}, 0.18, 10) - wanted) < four_sd(wanted, 4000));
  // d ln P / d ln V_c at P = 0.1.
  for (const auto& [i, slope] : {std::pair{.5, -26.7}, {.8, -14.4}, {1.2, -11.2}, {3.0, -10.4}}) {
    const double w = width_of(i * V_c, 0.1), h = 1e-3;
    CHECK(std::log(P(i * V_c / (1 + h), w) / P(i * V_c / (1 - h), w)) / (2 * h) ==
          Approx(slope).epsilon(0.025));
  }
}

TEST_CASE("mtj: several junctions and several pulses are binomial") {
  const double w = width_of(V_c, 0.1);
  for (const int m : {8, 16}) {
    CAPTURE(m);
    constexpr std::uint32_t n = 5000;
    Junctions all(n, {{"junctions", double(m)}});
    double full = 0;  // pulses until all are parallel, on average
    for (int N = 1; N <= 130; ++N) {
      all.pulse(V_c, w);
      double sum = 0, square = 0;
      for (std::uint32_t i = 0; i < n; ++i) {
        const double up = m * all("u", i);
        sum += up / n, square += up * up / n, full += (up < m - 0.5) / double(n);
      }
      if (m != 8 || (N != 10 && N != 30)) continue;
      const double q = 1 - std::pow(0.9, N), variance = m * q * (1 - q);
      CHECK(m * q == Approx(N == 10 ? 5.211 : 7.661).margin(1e-3));
      CHECK(std::abs(sum - m * q) < 4 * std::sqrt(variance / n) + m * 0.001);
      CHECK(square - sum * sum == Approx(variance).epsilon(0.08));
    }
    CHECK(full + 1 == Approx(m == 8 ? 26.3 : 32.6).epsilon(0.02));  // the first pulse was one, too
  }
  // Each has its bit; as many as the network says begin parallel.
  Junctions some(50, {{"junctions", 24}, {"u", 0.4}}), given(1, {{"junctions", 10}, {"bits", 0x2a5}});
  CHECK(some("bits", 7) == (1 << 10) - 1);
  CHECK(given("bits") == 0x2a5);
  CHECK(given("u") == Approx(0.5));
  some.pulse(V_c, width_of(V_c, 0.3));
  std::set<double> different;
  for (std::uint32_t i = 0; i < 50; ++i) {
    different.insert(some("bits", i));
    CHECK(std::popcount(std::uint32_t(some("bits", i))) == std::lround(24 * some("u", i)));
  }
  CHECK(different.size() > 45);
}

TEST_CASE("mtj: conductance and weight") {
  Junctions d(1, {{"junctions", 4}, {"bits", 0b0110}, {"w_max", 80}, {"g", 1.5}});
  CHECK(d("G") == Approx(1.5 * (2e6 / R_P + 2e6 / R_AP)));
  CHECK(d("weight") == Approx(80 * (0.5 + 0.5 * R_P / R_AP)));
  CHECK(d.spike() == d("weight"));
  CHECK(Junctions(1, {{"G_ref", 1e6 / R_AP}}).spike() == Approx(0).margin(1e-12));  // a reference column
  CHECK(Junctions(1, {{"G_ref", 1e6 / R_AP}, {"u", 1}}).spike() == Approx(60));
}

TEST_CASE("mtj: energy of pulses") {
  // Those that do not switch, of probability 0.1, and a write that misses once in a million [fJ, ns].
  for (const auto& [i, fJ] :
       {std::pair{.7, 77.0}, {.8, 24.0}, {1.0, 16.0}, {1.2, 15.3}, {1.5, 16.1}, {2.0, 18.7}, {3.0, 25.0}}) {
    CAPTURE(i);
    const double V = i * V_c, ns = width_of(V, 0.1);
    Junctions d(200, {{"energy", 1}});
    d.pulse(V, ns);
    double mean_switched = 0, switched = 0;
    for (std::uint32_t k = 0; k < 200; ++k) {
      const double spent = 1e6 * d("energy", k);
      if (d("u", k) == 0) CHECK(spent == Approx(fJ).epsilon(0.011));
      else ++switched, mean_switched += spent;
    }
    CHECK(mean_switched / switched > 1.01 * fJ);  // 2.5 times the current after the flip
    CHECK(mean_switched / switched < 1.9 * fJ);
    Junctions back(1, {{"energy", 1}, {"u", 1}});
    CHECK(1e6 * back.pulse(V, ns)("energy") == Approx(2.5 * fJ).epsilon(0.011));
  }
  CHECK(width_of(0.6 * V_c, 0.1) > 0);
  CHECK(1e15 * .075 * .075 / R_AP * 1e-9 * width_of(.075, 0.1) == Approx(168e3).epsilon(0.01));
  double write = 10;
  while (law().hazard(60, 2, write / tau_D) < -std::log(1e-6)) write += 0.01;
  CHECK(write == Approx(17.6).margin(0.1));
  CHECK(1e6 * 0.3 * 0.3 / R_AP * write == Approx(105).epsilon(0.005));
  // The mean, by the times at which junctions have flipped: the integral of G (1 + 1.5 P(t)) over the pulse.
  double charge = 0;
  for (int k = 0; k < 2000; ++k) charge += (1 + 1.5 * P(0.3, write * (k + 0.5) / 2000)) / 2000;
  Junctions all(4000, {{"energy", 1}});
  CHECK(1e6 * all.pulse(0.3, write).mean("energy") == Approx(105.2 * charge).epsilon(0.01));
  // I-V, reads; a junction that is stuck pays for what it keeps.
  const double V = 0.1, scale = 0.05, sinh = std::sinh(V / scale) / (V / scale);
  Junctions iv(1, {{"energy", 1}, {"iv_scale", scale}, {"read_voltage", V}, {"read_width", 1e-6}});
  CHECK(iv.pulse(-V, 1)("energy") == Approx(V * V / R_AP * sinh).epsilon(1e-12));  // nJ
  iv.spike();
  CHECK(iv("energy") == Approx(2 * V * V / R_AP * sinh).epsilon(1e-12));
  Junctions stuck(1, {{"energy", 1}, {"stuck", 1}});
  CHECK(1e6 * stuck.pulse(0.3, 20)("energy") == Approx(120).epsilon(1e-12));
}

TEST_CASE("mtj: switching by itself") {
  // exp(-Delta) / tau_0 either way: shares that have stayed at t / tau of .05 ... 2, tau = 0.49 s.
  const double tau = 1e-9 * std::exp(20.0);
  constexpr std::uint32_t n = 20'000;
  CHECK(tau == Approx(0.49).epsilon(0.01));
  Junctions all(n, {{"Delta", 20}});
  double before = 0;
  for (const auto& [t, left] : {std::pair{.05, .952}, {.2, .835}, {.5, .684}, {1.0, .569}, {2.0, .509}}) {
    all.wait((t - before) * tau);
    before = t;
    CHECK(std::abs(1 - all.mean("u") - left) < 0.001 + four_sd(left, n));
  }
  CHECK(all.mean("flips") == Approx(2).epsilon(0.03));
  all.wait(1e6 * tau);  // at no cost, and even
  CHECK(std::abs(all.mean("u") - 0.5) < four_sd(0.5, n));
  CHECK(all.mean("flips") == Approx(1e6).epsilon(0.001));
  // Of 60 what is lost in ten years is 3e-9; of 40 it is .47 (our own clock ends after 292 years).
  const double years = 3.156e8;
  CHECK(std::abs(Junctions(2000, {{"Delta", 60}}).wait(years).mean("u")) == 0);
  CHECK(std::abs(Junctions(n, {{"Delta", 40}}).wait(years).mean("u") - 0.47) < 0.003 + four_sd(0.47, n));
  CHECK(std::abs(Junctions(n, {{"Delta", 45}}).wait(years).mean("u") - 9e-3) < 2e-4 + four_sd(9e-3, n));
}

TEST_CASE("mtj: a wait in pieces is the wait, whether or not somebody looks") {
  Junctions whole(50, {{"Delta", 21}, {"junctions", 3}}), pieces = whole, events = whole;
  whole.pulse(0.1, 5).wait(3);
  pieces.pulse(0.1, 5), events.pulse(0.1, 5);
  for (int k = 0; k < 300; ++k) {
    pieces.wait(0.01).mean("weight");
    events.wait(0.01);
  }
  for (std::uint32_t i = 0; i < 50; ++i)
    for (const char* v : {"bits", "flips", "weight"}) CHECK(pieces(v, i) == whole(v, i));
  CHECK(pieces.bench.same_states(whole.bench));
  CHECK(whole.mean("flips") > 3);
  CHECK(events.weights() == whole.weights());
}

TEST_CASE("mtj: stuck and worn junctions, each for itself") {
  Junctions stuck(1000, {{"junctions", 8}, {"stuck", 0.3}, {"stuck_at", 0}});
  stuck.pulse(0.5, 50);
  CHECK(std::abs(stuck.mean("u") - 0.7) < four_sd(0.3, 8000));
  CHECK(stuck.mean("stuck") == Approx(8 * (1 - stuck.mean("u"))));
  Junctions half(1, {{"junctions", 8}, {"stuck", 1}, {"stuck_at", 0.5}});
  CHECK(half.pulse(0.5, 50)("G") == Approx(4e6 / R_P + 4e6 / R_AP));
  const auto worn = [](double how) {
    Junctions d(1, {{"endurance", 3}, {"worn", how}});
    std::vector<double> G;
    for (int n = 0; n < 8; ++n) G.push_back(d.pulse(n % 2 ? -0.5 : 0.5, 50)("G") * 1e-6);
    CHECK(d("changes") >= 4);
    CHECK(G[0] == Approx(1 / R_P));
    CHECK(G[1] == Approx(1 / R_AP));
    CHECK(G[2] == Approx(1 / R_P));
    return G;
  };
  for (int n = 3; n < 8; ++n) {
    CHECK(worn(device::worn_frozen)[n] == Approx(1 / R_P));
    CHECK(worn(device::worn_low)[n] == Approx(1 / R_AP));
    CHECK(worn(device::worn_high)[n] == Approx(1 / R_P));
    const double part = 0.5 + (n % 2 ? -0.5 : 0.5) * 3 / (n + 1);  // of the range
    CHECK(worn(3)[n] == Approx(1 / R_AP + part * (1 / R_P - 1 / R_AP)));
  }
}

TEST_CASE("mtj: reads are noisy by what is said, junction by junction") {
  constexpr std::uint32_t n = 10'000;
  for (const double m : {1.0, 9.0}) {
    Junctions d(n, {{"junctions", m}, {"u", 1}, {"read_noise", 0.2}});
    d.control(device::read);
    const auto met = d.weights();
    double square = 0, square_met = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      square += std::pow(d("reading", i) / d("G", i) - 1, 2) / n;
      square_met += std::pow(met[i] / d("weight", i) - 1, 2) / n;
    }
    CHECK(std::sqrt(square) == Approx(0.2 / std::sqrt(m)).epsilon(0.05));
    CHECK(std::sqrt(square_met) == Approx(0.2 / std::sqrt(m)).epsilon(0.05));
    CHECK(d.mean("reading") == Approx(d.mean("G")).epsilon(4 * 0.2 / std::sqrt(m * n)));
  }
}

namespace {
std::string network(int block, const std::string& synapse, const std::string& schedule) {
  std::string record;
  for (const char* v : {"weight", "bits", "flips", "reading"})
    record += fmt::format("    - {{projection: p, variable: {}, every: 10 ms}}\n", v);
  return fmt::format(
      "spinet: 1\nduration: 100 ms\nblock: {}\npopulations:\n"
      "  s: {{model: spike_source, size: 30, spikes: {{0: [1 ms, 1 ms, 40 ms, 55 ms], 2: [33 ms, 70 ms]}}}}\n"
      "  n: {{model: lif_delta, size: 40, params: {{I_dc: 900 pA}}}}\nprojections:\n"
      "  p: {{from: s, to: n, connect: all_to_all, synapse: {{model: {}, w_max: 0.1 mV, delay: 1 ms}}}}\n"
      "schedule:\n{}record:\n  spikes: [n]\n  reports: {{population: n, variable: V, every: 5 ms}}\n"
      "  weights:\n{}",
      block, synapse, schedule, record);
}
}  // namespace

TEST_CASE("mtj: the same data on any ranks and blocks, and after a restart") {
  const std::string pulses =
      "  - {at: 5 ms, pulse: {amplitude: 0.15 V, width: 11 ns, count: 9, period: 7 ms}, to: p}\n"
      "  - {at: 20 ms, pulse: {amplitude: -0.16 V, width: 12 ns}, to: p, columns: [3]}\n";
  const std::string real =
      ", Delta: {normal: {mean: 21, sd: 0.3}}, V_c: {normal: {mean: 0.15 V, sd: 8 mV}}, u: {uniform: {low: "
      "0, "
      "high: 1}}, stuck: 0.1, endurance: 2, worn: window, read_noise: 0.2, flicker_noise: 0.1, "
      "telegraph_noise: 0.2, energy: 1";
  for (const std::string& synapse :
       {std::string("mtj"), "mtj, junctions: 5, cycle_noise: 0.3" + real, "mtj_stdp, p_plus: 0.6" + real}) {
    CAPTURE(synapse);
    const std::string schedule =
        (synapse[3] == '_' ? "" : pulses) +
        "  - {at: 20 ms, read: p}\n  - {at: 20 ms, read: p}\n  - {at: 80 ms, read: p}\n";
    const auto done = [&](int ranks, int block, MemoryCheckpoints* save = nullptr,
                          const MemoryCheckpoints* from = nullptr) {
      MemoryRecorder kept;
      run_loopback(ranks, [&](Transport& t) {
        const Network net = load_text(network(block, synapse, schedule), "test.yaml", builtin());
        Simulation simulation(net, t);
        if (from) simulation.restore(*from);
        RunHooks hooks;
        hooks.checkpoints.every = ms(35);
        if (t.rank() == 0) hooks.checkpoints.sink = save;
        MemoryRecorder recorder;
        simulation.run(t.rank() == 0 ? &recorder : nullptr, hooks);
        if (t.rank() == 0) kept = std::move(recorder);
      });
      return kept;
    };
    MemoryCheckpoints saved;
    MemoryRecorder one = done(1, 256, &saved);
    REQUIRE(one.weights_of(0).size() == 10 * 1200);
    CHECK(std::set<float>(one.weights_of(1).end() - 1200, one.weights_of(1).end()).size() > 1);
    for (const auto& [ranks, block] : {std::pair{1, 1}, {2, 4}, {3, 16}}) {
      const MemoryRecorder other = done(ranks, block);
      CHECK(first_difference(other.spikes(), one.spikes()) == "");
      CHECK(other.same_samples(one));
    }
    saved.chosen = saved.saved.begin()->first;
    MemoryRecorder rest = done(2, 4, nullptr, &saved);
    for (std::uint32_t v = 0; v < 4; ++v) {
      const auto &whole = one.weights_of(v), &part = rest.weights_of(v);
      REQUIRE(part.size() >= 1200);
      CHECK(std::memcmp(part.data(), whole.data() + whole.size() - part.size(),
                        part.size() * sizeof(float)) == 0);
    }
    if (synapse != "mtj") continue;
    double up = 0;  // through the engine: nine pulses, and of a column one the other way
    const auto& bits = one.weights_of(1);
    for (std::size_t i = bits.size() - 1200; i < bits.size(); ++i) up += static_cast<double>(bits[i]) / 1200;
    const double q = 1 - std::pow(1 - P(0.15, 11), 9);
    CHECK(std::abs(up - q) < four_sd(q, 1200) + 1.0 / 40);
  }
}

TEST_CASE("mtj_stdp: postsynaptic spikes switch by what the source did last, events do not") {
  constexpr std::uint32_t n = 4000;
  struct Learns : Junctions {
    explicit Learns(const Given& given = {}) : Junctions(n, given, "mtj_stdp") {}
  };
  const auto within = [](double found, double p) { return std::abs(found - p) < four_sd(p, n) + 0.002; };
  Learns up, down({{"u", 1}}), late, never, drawn({{"p_plus", 0.3}, {"p_minus", 0.2}});
  up.weights(), late.weights(), drawn.weights();
  CHECK(up.wait(0.1).spikes().mean("flips") > 0.07);  // the end of the window belongs to it
  CHECK(within(up.mean("u"), 0.1));
  CHECK(late.wait(0.100000001).spikes().mean("flips") == 0);  // a pulse down, and they are
  CHECK(never.spikes().mean("flips") == 0);
  CHECK(within(1 - down.spikes().mean("u"), 0.05));
  CHECK(within(drawn.wait(0.01).spikes().mean("u"), 0.3));
  CHECK(within(drawn.wait(0.2).spikes().mean("u"), 0.3 * 0.8));
  // Some spikes before they are looked at: a chain with these probabilities.
  Learns chain;
  double p = 0;
  for (int k = 0; k < 12; ++k) {
    if (k % 4 == 0) chain.weights();
    chain.wait(0.04).spikes();
    p += k % 4 < 2 ? 0.1 * (1 - p) : -0.05 * p;
  }
  const double before = chain.mean("u");
  CHECK(within(before, p));
  chain.wait(1).weights();
  CHECK(chain.mean("u") == before);
  // An event of the tick of the spike comes after it.
  Learns together;
  together.spikes().weights();
  CHECK(together.mean("flips") == 0);
  // Pulses of 10.7 and 9.3 ns on an antiparallel junction.
  Learns paid({{"energy", 1}, {"p_plus", 0}, {"read_width", 1e-9}});
  paid.weights();
  paid.wait(0.01).spikes().wait(0.2).spikes();
  CHECK(1e6 * paid.mean("energy") == Approx(1e6 * 0.15 * 0.15 / R_AP * 20e-9 * 1e9).epsilon(1e-4));
}
