// The molecular spin valve against the figures of its paper.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "comm/loopback.hpp"
#include "core/connect.hpp"
#include "network/loader.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"
#include "support/synapses_on_bench.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

const SynapseTable& valve() {
  return *reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, "spin_valve"));
}
/// Some devices of one set of parameters; `given` names parameters and initial values.
struct Valves : SynapsesOnBench {
  explicit Valves(const Given& given = {}, std::uint32_t n = 1)
      : SynapsesOnBench("spin_valve", given, {.count = n, .delay = 1}) {
    now = 0;
  }
  Valves& pulse(double V, double seconds, int n = 1) {
    for (int i = 0; i < n; ++i, now += 10'000'000) control(device::pulse, V, seconds);
    return *this;
  }
  Valves& field(double tesla, int state_wanted = 0) {
    control(device::field, tesla,
            state_wanted == 0  ? device::unchanged
            : state_wanted > 0 ? device::parallel
                               : device::antiparallel);
    return *this;
  }
};

}  // namespace

TEST_CASE("spin_valve: 50 pulses multiply the conductance by 47 and divide it by 31, in both maps") {
  for (const bool linear : {false, true}) {
    Valves d(Given{{"linear", linear}});
    d.pulse(-4, 1);
    CHECK(d("G") == Approx(0.64).epsilon(1e-14));
    d.pulse(2.5, 5e-3, 10);
    const double ten = d("G");
    d.pulse(2.5, 5e-3, 40);
    CHECK(d("G") / 0.64 == Approx(47).epsilon(1e-9));
    CHECK((ten - 0.64) / (d("G") - 0.64) ==
          Approx(linear ? 0.23 : 0.057).margin(linear ? 0.005 : 0.0005));  // gradual
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
    Valves whole(Given{{"u", 0.4}, {"energy", 1}}), pieces(Given{{"u", 0.4}, {"energy", 1}});
    whole.pulse(V, 40e-3);
    pieces.pulse(V, 1e-3, 40);
    CHECK(pieces("u") == Approx(whole("u")).epsilon(1e-13));
    CHECK(pieces("energy") == Approx(whole("energy")).epsilon(1e-9));
  }
}

TEST_CASE("spin_valve: below the threshold a million pulses change no bit") {
  Valves d(Given{{"u", 0.37}, {"pair", 1}, {"u2", 0.81}});
  d.field(0, -1);
  const SynapseBench before = d.bench;
  for (const double V : {1.2, -1.2, 0.1, -0.7}) d.pulse(V, 1, 250'000);
  CHECK(d.bench.same_states(before));
  d.pulse(1.2001, 1);  // and just above it does
  CHECK(!d.bench.same_states(before));
}

TEST_CASE("spin_valve: magnetoconductance") {
  const auto MG = [](double u) {
    Valves d(Given{{"u", u}});
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
  CHECK(std::log(G1 * mg1 / (G2 * mg2)) / std::log(G1 / G2) ==
        Approx(1 + 0.75 / (1 - 1.13 / 89)).epsilon(1e-3));
}

TEST_CASE("spin_valve: the field turns the soft electrode, then the hard one") {
  Valves d(Given{{"u", 1}});
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

TEST_CASE(
    "spin_valve: a field writes once each time that devices become antiparallel, in however many steps it "
    "comes") {
  const auto ramp = [](double from, double to, int steps) {
    Valves d(Given{{"u", 0.8}, {"pair", 1}, {"u2", 0.6}, {"update", 0.01}});
    for (int i = 0; i < steps; ++i) d.field((from + (to - from) * i / (steps - 1)) / 1e4);
    return std::pair{d("u"), d("u2")};
  };
  const Valves before(Given{{"u", 0.8}});
  for (const double to : {90.0, 200.0, 249.0, 350.0, 2000.0}) {  // antiparallel in the end, or on the way
    const auto few = ramp(0, to, 2);
    CHECK(few.first > 0.8);
    CHECK(few.second > 0.6);
    for (const int steps : {3, 8, 32, 1000}) CHECK(ramp(0, to, steps) == few);
  }
  CHECK(ramp(0, 89, 32) == std::pair{0.8, 0.6});
  CHECK(ramp(0, -2000, 32) == std::pair{0.8, 0.6});
  Valves d(Given{{"u", 0.8}, {"update", 0.01}});
  const double once = d.field(0, -1)("u");
  for (int i = 0; i < 20; ++i) CHECK(d.field(0, -1)("u") == once);
  CHECK(d.field(0, 1)("u") == once);
  CHECK(d.field(0, -1)("u") > once);  // and again when it becomes antiparallel again
}

TEST_CASE("spin_valve: a field event writes by a power law of the conductance, above a threshold") {
  for (const bool linear : {false, true}) {
    const auto change = [&](double u) {
      Valves d(Given{{"u", u}, {"update", 0.01}, {"linear", linear}, {"MG_max", 0}});
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
  Valves one(Given{{"u", 1}, {"w_max", 30}});
  CHECK(one.weights()[0] == Approx(30).epsilon(1e-12));
  CHECK(one.field(0, -1).weights()[0] == Approx(37.5).epsilon(1e-12));
  Valves shifted(Given{{"u", 0}, {"w_max", 30}, {"G_ref", 10}});
  CHECK(shifted.weights()[0] == Approx(30 * (0.64 - 10) / 89).epsilon(1e-12));
  // A pair: positive pulses raise the weight, negative ones lower it, through 0 and beyond.
  Valves pair(Given{{"pair", 1}, {"u", 0.5}, {"u2", 0.5}, {"w_max", 30}});
  CHECK(pair.weights()[0] == 0);
  CHECK(pair.pulse(2.5, 5e-3, 20).weights()[0] > 5);
  CHECK(pair("G2") < 2);
  CHECK(pair.pulse(-2.5, 5e-3, 60).weights()[0] < -5);
  CHECK(pair("weight") == pair.weights()[0]);
}

TEST_CASE("spin_valve: spread, noise and energy") {
  Valves spread(Given{{"u", 0.5}, {"g", 1.25}, {"k", 2}});
  Valves plain(Given{{"u", 0.5}});
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
    Valves read(Given{{"u", 1}, {"read_noise", 0.1}, {"w_max", 1}}, n);
    const auto [mean, sd] = moments(read.weights());
    CHECK(mean == Approx(1).margin(0.01));  // 4.5 standard errors
    CHECK(sd == Approx(0.1).margin(0.007));
    CHECK(read("weight") == 1);  // logs show the device, not the noise of a read
  }
  {
    Valves cycle(Given{{"cycle_noise", 0.3}}, n);
    cycle.pulse(2.5, 5e-3);
    std::vector<double> rates;
    for (std::uint32_t i = 0; i < n; ++i) rates.push_back(-std::log1p(-cycle("u", i)));
    const auto [mean, sd] = moments(rates);
    const double expected = 6.059855083280222 * 5e-3;
    CHECK(mean / expected == Approx(1).margin(0.03));
    CHECK(sd / mean == Approx(std::sqrt(std::expm1(0.09))).margin(0.03));
    const double first = cycle("u", 7);
    cycle.pulse(2.5, 5e-3);
    CHECK(-std::log1p(-cycle("u", 7)) !=
          Approx(-2 * std::log1p(-first)).epsilon(1e-6));  // another draw each time
  }
  // Energy against a sum over a million short steps.
  for (const bool linear : {false, true})
    for (const double V : {2.5, -2.35, 0.1, -4.0}) {
      Valves d(Given{{"u", 0.6}, {"energy", 1}, {"linear", linear}});
      d.pulse(V, 50e-3);
      const double k = V > 1.2      ? (linear ? 1.620955147829948 : 6.059855083280222)
                       : V == -2.35 ? (linear ? 14.715935688887892 : 4.7609922946856456)
                       : V < -1.2
                           ? (linear ? 0.1494241554400564 : 0.04834264485317148) * std::expm1(2.8 / 0.25)
                           : 0;
      double sum = 0;
      constexpr int steps = 1'000'000;
      for (int i = 0; i < steps; ++i) {
        const double t = 50e-3 * (i + 0.5) / steps,
                     u = V > 0 ? 1 - 0.4 * std::exp(-k * t) : 0.6 * std::exp(-k * t);
        sum += V * V * (linear ? 0.64 + 88.36 * u : 0.64 * std::pow(89 / 0.64, u)) * 50e-3 / steps;
      }
      CHECK(d("energy") == Approx(1e3 * sum).epsilon(1e-6));
    }
  CHECK(Valves(Given{{"u", 0.6}}).pulse(2.5, 1)("energy") == 0);  // off unless asked for
}

TEST_CASE("spin_valve: a pulse costs what flows in the present magnetic state") {
  Valves high(Given{{"u", 1}, {"energy", 1}});
  CHECK(high.pulse(0.1, 1e-3)("energy") == Approx(0.89).epsilon(1e-12));
  high.field(0, -1).pulse(0.1, 1e-3);
  CHECK(high("energy") - 0.89 == Approx(1.1125).epsilon(1e-12));  // 0.01 V^2 x 89 uS x 1.25 x 1 ms
  // While the device is switched, through G_th and past it, up and down: against a sum over short steps.
  for (const bool linear : {false, true})
    for (const double V : {2.5, -2.35, -4.0, 3.5, 1.25})
      for (const double u0 : {0.0, 0.1, 0.6, 1.0}) {
        INFO(V << " V from " << u0 << (linear ? ", linear" : ""));
        Valves d(Given{{"u", u0}, {"energy", 1}, {"linear", linear}});
        const double t = 200e-3, k0 = linear ? (V > 0 ? 0.00899170682612663 : 0.1494241554400564)
                                             : (V > 0 ? 0.03361502037278161 : 0.04834264485317148);
        const double k = k0 * std::expm1((std::abs(V) - 1.2) / 0.25);
        d.field(0, -1).pulse(V, t);
        double sum = 0;
        constexpr int steps = 200'000;
        for (int i = 0; i < steps; ++i) {
          const double s = t * (i + 0.5) / steps,
                       u = V > 0 ? 1 - (1 - u0) * std::exp(-k * s) : u0 * std::exp(-k * s);
          const double G = linear ? 0.64 + 88.36 * u : 0.64 * std::pow(89 / 0.64, u);
          sum += V * V * G * (1 + (G > 1.13 ? 0.25 * std::pow((G - 1.13) / 87.87, 0.75) : 0)) * t / steps;
        }
        CHECK(d("energy") == Approx(1e3 * sum).epsilon(1e-6));
        Valves pieces(Given{{"u", u0}, {"energy", 1}, {"linear", linear}});
        pieces.field(0, -1).pulse(V, t / 40, 40);
        CHECK(pieces("energy") == Approx(d("energy")).epsilon(1e-9));
      }
  // As long and as strong as can be: the end state's conductance for all of it.
  for (const double V : {1e3, -1e3, 1e100, -1e100}) {
    Valves d(Given{{"u", 0.5}, {"energy", 1}});
    d.field(0, -1).pulse(V, 1e-3);
    CHECK(d("energy") == Approx(V * V * (V > 0 ? 89 * 1.25 : 0.64)).epsilon(1e-9));
  }
}

TEST_CASE("spin_valve: reads cost energy, by events and by the schedule") {
  Valves d(Given{{"u", 1}, {"energy", 1}}),
      pair(Given{{"u", 1}, {"pair", 1}, {"u2", 0}, {"energy", 1}, {"read_noise", 0.1}});
  d.weights();
  CHECK(d("energy") == Approx(0.89).epsilon(1e-12));
  d.field(0, -1).weights();
  CHECK(d("energy") == Approx(0.89 + 1.1125).epsilon(1e-12));
  for (int i = 0; i < 10; ++i) pair.weights();
  CHECK(pair("energy") ==
        Approx(10 * (0.89 + 0.0064)).epsilon(1e-12));  // both devices; noise adds nothing in the mean
  Valves free(Given{{"u", 1}});
  free.weights();
  CHECK(free("energy") == 0);
}

TEST_CASE("spin_valve: read noise keeps the mean and makes no conductance negative") {
  constexpr std::uint32_t n = 4000;
  for (const double noise : {0.05, 0.8, 3.0, 1e9, 1e300}) {
    Valves d(Given{{"u", 1}, {"read_noise", noise}, {"w_max", 1}}, n);
    double sum = 0;
    std::uint32_t above = 0;
    for (const double w : d.weights()) {
      CHECK(w >= 0);
      CHECK(std::isfinite(w));
      sum += w;
      above += w > 1;
    }
    if (noise < 1) CHECK(sum / n == Approx(1).margin(5 * noise / std::sqrt(n)));
    // Half of the reads lie above the median exp(-s^2 / 2), s^2 = ln(1 + noise^2); this many above the mean.
    const double s = std::sqrt(noise < 1e8 ? std::log1p(noise * noise) : 2 * std::log(noise)),
                 share = 0.5 * std::erfc(s / 2 / std::sqrt(2.0));
    CHECK(above == Approx(share * n).margin(5 * std::sqrt(share * (1 - share) * n) + 1));
  }
}

TEST_CASE("spin_valve: rates that are not given follow the constants; zero is zero") {
  for (const auto& more :
       {Given{{"G_max", 60}}, Given{{"V_0", 0.4}}, Given{{"V_th", 0.9}}, Given{{"G_min", 0.1}, {"linear", 1}},
        Given{{"G_max", 40}, {"V_0", 0.1}, {"linear", 1}}}) {
    Valves up(more), down(more);
    down.pulse(4, 1e3);
    const double least = up("G"), most = down("G");
    CHECK(up.pulse(2.5, 5e-3, 50)("G") / least == Approx(47).epsilon(1e-9));
    CHECK(most / down.pulse(-2.35, 5e-3, 50)("G") == Approx(31).epsilon(1e-9));
  }
  Valves still(Given{{"k_up", 0}, {"k_down", 0}, {"u", 0.5}});
  CHECK(still.pulse(4, 1).pulse(-4, 1)("u") == 0.5);
  Valves given(Given{{"k_down", 2}, {"u", 0.5}});
  CHECK(given.pulse(-2.35, 1e-3)("u") ==
        Approx(0.5 * std::exp(-2e-3 * std::expm1(1.15 / 0.25))).epsilon(1e-12));
}

TEST_CASE("spin_valve: `auto` in networks, and what cannot be derived") {
  const auto loaded = [](const std::string& more) {
    return load_text(
        "spinet: 1\nduration: 1 s\nparameters: {k: auto}\npopulations:\n  s: {model: spike_source, size: 1, "
        "spikes: [1 ms]}\n  n: {model: lif_delta, size: 1}\nprojections:\n"
        "  p: {from: s, to: n, connect: one_to_one, synapse: {model: spin_valve, delay: 1 ms" +
            more + "}}\n",
        "test.yaml", builtin());
  };
  const std::uint32_t k = field_of(valve().model.params, "k_down");
  for (const char* text : {"", ", k_down: auto", ", k_down: $k"})
    CHECK(is_auto(loaded(text).projections[0].params[k]));
  CHECK(loaded(", k_down: 0").projections[0].params[k] == 0);
  CHECK(loaded(", k_down: 3 1/s").projections[0].params[k] == 3);
  const auto refused = [&](const std::string& more) -> std::string {
    try {
      loaded(more);
    } catch (const InvalidNetwork& e) {
      return e.rendered;
    }
    return "";
  };
  CHECK(refused(", G_max: auto").find("G_max") != std::string::npos);  // only derived parameters
  CHECK(refused(", k_down: automatic").find("k_down") != std::string::npos);
  CHECK(refused(", G_max: 25 uS").find("k_up must be given where G_max is not above 47 G_min") !=
        std::string::npos);
  CHECK(
      refused(", G_max: 15 uS, k_up: 1 1/s").find("k_down must be given where G_max is not above 31 G_min") !=
      std::string::npos);
  CHECK(refused(", V_th: 2.4 V").find("k_down must be given where V_th is not below 2.35 V") !=
        std::string::npos);
  CHECK(refused(", V_th: 2.6 V, k_down: 1 1/s").find("k_up must be given where V_th is not below 2.5 V") !=
        std::string::npos);
  CHECK(refused(", G_max: 15 uS, k_up: 1 1/s, k_down: 0").empty());
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
  // Rates that follow from pulses which would be beyond all numbers: they would be 0.
  for (const double V_0 : {1.84e-3, 1e-6, 1e-300})
    CHECK(reason("V_0", V_0).find("where V_0 is below") != std::string::npos);
  CHECK(reason("V_0", 2e-3).empty());
}
