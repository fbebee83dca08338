// The spin-orbit-torque device and the neuron that is made of it, against the figures of its model, its
// differential equations, and with each gate shut.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <cmath>

#include "network/loader.hpp"
#include "support/histories.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct Push {
  double at, current, width = 0.01;  // s, mA, s
};
std::vector<Push> train(int n, double gap, double current, double width = 0.01) {
  std::vector<Push> all;
  for (int i = 0; i < n; ++i) all.push_back({1 + i * gap, current, width});
  return all;
}
/// What a device shows at some times [s] of the pulses' course, which begins at 1 s; m unless another is
/// named.
std::vector<double> shown(const std::vector<Push>& pulses, const std::vector<double>& times,
                          const std::string& more = "", const std::string& variable = "m") {
  std::string text = fmt::format(
      "spinet: 1\nduration: {} s\ntime_resolution: 1 us\npopulations:\n  s: {{model: spike_source, size: 1, "
      "spikes: [1 ms]}}\n  n: {{model: lif_delta, size: 1}}\nprojections:\n  p: {{from: s, to: n, connect: "
      "one_to_one, synapse: {{model: sot_device, delay: 0.1 ms{}}}}}\nschedule:\n",
      times.back() + 0.001, more.empty() ? "" : ", " + more);
  for (const Push& p : pulses)
    text += fmt::format("  - {{at: {:.6f} s, current: {{amplitude: {} mA, width: {} s}}, to: p}}\n", p.at,
                        p.current, p.width);
  text += fmt::format("record:\n  weights: {{projection: p, variable: {}, at: [", variable);
  for (std::size_t i = 0; i < times.size(); ++i) text += fmt::format("{}{:.6f} s", i ? ", " : "", times[i]);
  text += "]}\n";
  struct Last : MemoryRecorder {
    std::vector<double> values;
    void weight_events(std::uint32_t, std::span<const WeightEvent> some) override {
      for (const auto& e : some) values.push_back(e.value);
    }
  } seen;
  const auto net = load_text(text, "test.yaml", builtin());
  OneRank one;
  Simulation simulation(net, one);
  simulation.run(&seen);
  REQUIRE(seen.values.size() == times.size());
  return seen.values;
}
double shown_at(const std::vector<Push>& pulses, double time, const std::string& more = "",
                const std::string& variable = "m") {
  return shown(pulses, {time}, more, variable)[0];
}

/// The model as it is written down: the differential equations between pulses, in small steps.
struct Written {
  double r = 0, v = 0, h = 0;
  double m() const { return r + v; }
  void wait(double seconds) {
    const int n = 1 + static_cast<int>(seconds / 2e-3);
    const double dt = seconds / n;
    const auto slope = [](double x, double heat) { return -x * (1 + 0.1 * heat) / 2; };
    for (int i = 0; i < n; ++i) {
      const double half = h - h * dt / 2 + h * dt * dt / 8, next = h - dt * half;
      const double k1 = slope(v, h), k2 = slope(v + k1 * dt / 2, half), k3 = slope(v + k2 * dt / 2, half),
                   k4 = slope(v + k3 * dt, next);
      v += dt * (k1 + 2 * k2 + 2 * k3 + k4) / 6;
      h = next;
    }
  }
  void pulse(double I, double width) {
    const auto sig = [](double x) { return 1 / (1 + std::exp(-x)); };
    const double Ic = 10 * std::pow(0.01 / width, 0.2);
    const double q = (sig(std::abs(I) - Ic) - sig(-Ic)) / (1 - sig(-Ic));
    const double after = m() + q * ((I > 0 ? 1 : -1) - m()), S = h / (h + 0.5), c = std::pow(q, 8);
    r += (after - r) * (c + (1 - c) * S * q * q) - 0.3 * q * (1 - q) * (1 - S) * r;
    v = after - r;
    h += 0.3 * (width / 0.01) * I * I / 100;
  }
};

}  // namespace

TEST_CASE("sot_device: multilevel in the current, and the decay of a half switched state") {
  const auto single = [](double I, double after) { return shown_at({{1, I}}, 1 + after); };
  // At 0.5 s a logistic function, centre 10.6 and width 1.19.
  for (double I = 6; I <= 15; I += 0.5)
    CHECK(single(I, 0.5) == Approx(1 / (1 + std::exp(-(I - 10.6) / 1.19))).margin(0.02));
  CHECK(single(10, 0) == Approx(0.50).epsilon(0.05));
  CHECK(single(10, 0.5) == Approx(0.39).epsilon(0.05));
  CHECK(single(10, 2) == Approx(0.18).epsilon(0.05));
  CHECK(single(10, 5) == Approx(0.04).epsilon(0.06));  // 0.0422: one digit is given
  CHECK(single(20, 100) == Approx(1).epsilon(0.05));
}

TEST_CASE("sot_device: trains stay, isolated pulses fade, weak and brief ones leave nothing") {
  // Each figure 0.1 s after the pulse.
  CHECK(shown_at(train(10, 0.1, 10), 2.0) == Approx(0.96).epsilon(0.05));
  CHECK(shown_at(train(10, 0.1, 10), 32) == Approx(0.72).epsilon(0.05));
  CHECK(shown_at(train(10, 10, 10), 101, "r: 0.6") == Approx(0.28).epsilon(0.05));
  CHECK(shown_at(train(5, 0.1, 7), 1.5) == Approx(0.19).epsilon(0.05));
  CHECK(shown_at(train(5, 0.1, 7), 31.5) == Approx(0.0005).epsilon(0.05));
  CHECK(shown_at(train(5, 0.1, 10, 0.002), 1.5) == Approx(0.09).epsilon(0.05));
  CHECK(shown_at(train(5, 0.1, 10, 0.002), 31.5) == Approx(0).margin(1e-4));
  CHECK(shown_at(train(5, 0.1, -7), 1.5, "r: 0.6") == Approx(0.30).epsilon(0.05));
  CHECK(shown_at(train(5, 0.1, -7), 31.5, "r: 0.6") == Approx(0.57).epsilon(0.05));
  // The same ten pulses, by the time between them.
  CHECK(shown_at(train(10, 0.1, 10), 200, "r: 0.3") == Approx(0.77).epsilon(0.05));
  CHECK(shown_at(train(10, 1, 10), 200, "r: 0.3") == Approx(0.39).epsilon(0.05));
  CHECK(shown_at(train(10, 2, 10), 200, "r: 0.3") == Approx(0.23).epsilon(0.05));
}

TEST_CASE("sot_device: random pulses against the differential equations") {
  Numbers n(4, 1);
  for (int k = 0; k < 6; ++k) {
    std::vector<Push> pulses;
    std::vector<double> times, wanted;
    Written w;
    double t = 1;
    for (int i = 0; i < 12; ++i) {
      const double gap = std::round(1e6 * std::exp(n.uniform(std::log(0.02), std::log(4)))) * 1e-6;
      const Push p{t, n.uniform(-14, 18), n.uniform(0.001, 0.02)};
      pulses.push_back(p);
      w.pulse(p.current, p.width);
      w.wait(gap / 2), times.push_back(t + gap / 2), wanted.push_back(w.m());
      w.wait(gap / 2), t += gap;
    }
    const auto got = shown(pulses, times);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(wanted[i]).margin(2e-6));
  }
}

TEST_CASE("sot: each gate does its work") {
  const auto ten = train(10, 0.1, 10);
  // Write: shut, the same train leaves nothing; what is there is not written over.
  CHECK(shown_at(ten, 60, "", "r") > 0.7);
  CHECK(shown_at(ten, 60, "write: 0", "r") == 0);
  CHECK(shown_at(train(1, 1, 20), 60, "write: 0") < 1e-6);
  CHECK(shown_at(train(1, 1, 20), 60) > 0.99);
  // Forget: shut, neither isolated pulses nor negative ones lower r, and trains still write.
  const auto isolated = train(10, 10, 10), against = train(10, 0.1, -10);
  CHECK(shown_at(isolated, 130, "r: 0.6", "r") < 0.3);
  CHECK(shown_at(isolated, 130, "r: 0.6, forget: 0", "r") >= 0.6);
  CHECK(shown_at(against, 60, "r: 0.6", "r") < 0);
  CHECK(shown_at(against, 60, "r: 0.6, forget: 0", "r") == 0.6);
  CHECK(shown_at(ten, 60, "forget: 0", "r") > 0.7);
  // ... by width: longer negative pulses forget more.
  CHECK(shown_at(train(5, 0.1, -8, 0.02), 60, "r: 0.6", "r") <
        shown_at(train(5, 0.1, -8, 0.005), 60, "r: 0.6", "r") - 0.05);
  // Heat: shut, a train is no more than its pulses one by one, and decays at the plain rate.
  CHECK(shown_at(ten, 60, "heat: 0", "r") < 0.1);
  CHECK(shown_at(ten, 60, "heat: 0", "h") == 0);
  const auto cold = shown(train(1, 1, 10), {1, 3}, "heat: 0, forget: 0, write: 0");
  CHECK(cold[1] / cold[0] == Approx(std::exp(-1)).epsilon(1e-12));
  const auto warm = shown(train(1, 1, 10), {1, 3}, "forget: 0, write: 0");
  CHECK(warm[1] / warm[0] < std::exp(-1) * 0.99);
}

namespace {

/// One sot_lstm neuron and pulses of 1 mA times their number; its spikes, and its variables each ms.
struct Cell {
  NetworkBuilder b;
  std::uint32_t source, cell;
  explicit Cell(Tick duration, const std::vector<std::pair<Tick, double>>& pulses, const Values& values = {})
      : b(duration) {
    std::vector<ListedSpike> spikes;
    std::vector<ListedEdge> edges;
    for (std::uint32_t i = 0; i < pulses.size(); ++i) {
      spikes.push_back({pulses[i].first - 100'000, i});
      edges.push_back({i, 0, pulses[i].second, 100'000});
    }
    source = b.source(static_cast<std::uint32_t>(pulses.size()), spikes);
    cell = b.add("sot_lstm", 1, values);
    b.connect(source, cell, edges);
    b.record_spikes(cell);
  }
  std::vector<Tick> spikes() { return run(b.network()).recorder.ticks_of(b.first(cell)); }
};

}  // namespace

TEST_CASE("sot_lstm: fires where a pulse takes m to the threshold; r survives, v is reset") {
  Cell n(ms(2000), {{ms(100), 10}, {ms(200), 10}, {ms(300), 7}, {ms(400), 10}});
  const auto r = n.b.report(n.cell, "r", ms(1)), v = n.b.report(n.cell, "v", ms(1));
  auto got = run(n.b.network());
  Written w;  // m = 0.49998 after the first pulse
  std::vector<Tick> wanted;
  double last = 0;
  for (const auto& [at, I] : {std::pair{0.1, 10.0}, {0.2, 10.0}, {0.3, 7.0}, {0.4, 10.0}}) {
    w.wait(at - last), last = at;
    const double before = w.m();
    w.pulse(I, 0.01);
    if (w.m() >= 0.5 && w.m() > before) wanted.push_back(ms(at * 1e3)), w.v = 0;
  }
  CHECK(got.recorder.ticks_of(n.b.first(n.cell)) == wanted);
  CHECK(wanted.size() == 2);
  CHECK(static_cast<double>(got.recorder.report(r)[401]) == Approx(w.r).epsilon(1e-5));
  CHECK(got.recorder.report(v)[401] == 0);
  CHECK(w.r > 0.05);
}

TEST_CASE("sot_lstm: currents of one tick are one pulse") {
  const auto m_after = [](const std::vector<std::pair<Tick, double>>& pulses) {
    Cell n(ms(60), pulses, {{"threshold", 1}});
    const auto r = n.b.report(n.cell, "m", ms(50));
    auto got = run(n.b.network());
    return got.recorder.report(r).back();
  };
  CHECK(m_after({{ms(20), 4}, {ms(20), 5}}) == m_after({{ms(20), 9}}));
  CHECK(m_after({{ms(20), 5}, {ms(20), -5}}) == 0);
  CHECK(m_after({{ms(20), 4}, {ms(21), 5}}) < m_after({{ms(20), 9}}) / 2);
}

TEST_CASE("sot_lstm: a crossing on its own way is found to the tick") {
  for (const double r : {0.500001, 0.51, 0.6, 0.9})
    for (const double v : {-1e-6, -0.05, -0.7, -1.3})
      for (const double h : {0.0, 0.7, 30.0}) {
        Cell n(ms(30000), {{ms(29999), 0}}, {{"r", r}, {"v", v}, {"h", h}});
        const auto got = n.spikes();
        INFO("r " << r << ", v " << v << ", h " << h);
        if (r + v >= 0.5) {
          CHECK(got == std::vector<Tick>{0});
          continue;
        }
        // The first tick with m >= threshold, by halving, in long double.
        const auto m = [&](Tick t) {
          const long double s = static_cast<long double>(t) * 1e-9L;
          return r + v * std::exp(-s / 2 - 0.1L * h * 0.5L * (1 - std::exp(-s)));
        };
        Tick low = 0, high = ms(30000);
        while (high - low > 1) (m((low + high) / 2) >= 0.5L ? high : low) = (low + high) / 2;
        if (high == ms(30000)) {
          CHECK(got.empty());
          continue;
        }
        REQUIRE(got.size() == 1);
        // Rounding of m (1e-16) over its slope: 1e-6 of v's approach at r - threshold = 1e-6 takes some
        // ticks.
        const double slope = 0.5 * (r - 0.5) * 1e-9;
        CHECK(std::abs(static_cast<double>(got[0] - high)) <= 1 + 4e-16 / slope);
      }
  // With a reset below the threshold, what is retained makes it fire on and on.
  Cell tonic(ms(5000), {{ms(4999), 0}}, {{"r", 0.8}, {"v", -0.5}, {"v_reset", -0.6}});
  const auto t = tonic.spikes();
  REQUIRE(t.size() > 2);
  for (std::size_t i = 1; i < t.size(); ++i)
    CHECK(static_cast<double>(t[i] - t[i - 1]) == Approx(2e9 * std::log(2.0)).epsilon(1e-8));
}

TEST_CASE("sot_device: a current on rows and columns of a crossbar flows at their crossings alone") {
  const auto net = load_text(
      "spinet: 1\nduration: 100 ms\npopulations:\n  r: {model: lif_delta, size: 3}\n  c: {model: lif_delta, "
      "size: 4}\nprojections:\n  d: {from: r, to: c, connect: all_to_all, layout: crossbar, synapse: {model: "
      "sot_device, w_max: 1 mV, delay: 1 ms}}\nschedule:\n  - {at: 10 ms, current: {amplitude: 12 mA, width: "
      "10 ms}, to: d, rows: [0, 2], columns: 3}\nrecord:\n  weights: {projection: d, variable: m, every: 50 "
      "ms}\n",
      "test.yaml", builtin());
  MemoryRecorder h;
  run_loopback(1, [&](Transport& t) {
    Simulation simulation(net, t);
    simulation.run(&h);
  });
  const auto& m = h.weights_of(0);
  REQUIRE(m.size() == 24);
  int moved = 0;
  for (std::size_t k = 0; k < 12; ++k) {
    CHECK(m[k] == 0);
    moved += m[12 + k] > 0.1F;
  }
  CHECK(moved == 2);
}

TEST_CASE("sot_lstm: the same data on any ranks and blocks, and after a restart") {
  const auto text = [](int block) {
    return fmt::format(
        "spinet: 1\nduration: 2 s\nblock: {}\nseed: 3\npopulations:\n"
        "  s: {{model: poisson, size: 5, params: {{rate: 6 Hz}}}}\n"
        "  f: {{model: poisson, size: 2, params: {{rate: 2 Hz}}}}\n"
        "  n: {{model: sot_lstm, size: 11, params: {{v_reset: -0.4}}, initial: {{r: {{uniform: {{low: 0, "
        "high: "
        "0.8}}}}}}}}\n"
        "projections:\n"
        "  p: {{from: s, to: n, connect: all_to_all, synapse: {{model: static, weight: {{normal: {{mean: 9 "
        "mA, "
        "sd: 2 mA}}}}, delay: {{uniform: {{low: 1 ms, high: 30 ms}}}}}}}}\n"
        "  q: {{from: f, to: n, connect: all_to_all, synapse: {{model: sot_device, r: -0.9, w_max: 11 mA, "
        "delay: 2 ms}}}}\n"
        "  e: {{from: n, to: n, connect: {{fixed_indegree: 2}}, synapse: {{model: static, weight: -3 mA, "
        "delay: 5 "
        "ms}}}}\n"
        "schedule:\n  - {{at: 1 s, current: {{amplitude: 12 mA, width: 5 ms}}, to: q, rows: 1}}\n"
        "  - {{at: 1.5 s, read: q}}\n"
        "record:\n  spikes: [n]\n  reports: [{{population: n, variable: r, every: 20 ms}}, {{population: n, "
        "variable: m, every: 20 ms}}]\n  weights: {{projection: q, variable: m, every: 50 ms}}\n",
        block);
  };
  const auto done = [&](int ranks, int block, MemoryCheckpoints* save = nullptr,
                        const MemoryCheckpoints* from = nullptr) {
    return on_ranks(load_text(text(block), "test.yaml", builtin()), ranks, {ms(600), save, from});
  };
  MemoryCheckpoints saved;
  MemoryRecorder one = done(1, 256, &saved);
  CHECK(one.spikes().size() > 30);
  for (const int ranks : {1, 2, 3})
    for (const int block : {1, 4}) {
      const MemoryRecorder other = done(ranks, block);
      CHECK(first_difference(other.spikes(), one.spikes()) == "");
      CHECK(other.same_samples(one));
    }
  for (const auto& [at, parts] : saved.saved) {
    saved.chosen = at;
    MemoryRecorder rest = done(2, 4, nullptr, &saved);
    CHECK(std::equal(rest.spikes().rbegin(), rest.spikes().rend(), one.spikes().rbegin()));
    CHECK(std::equal(rest.report(1).rbegin(), rest.report(1).rend(), one.report(1).rbegin()));
  }
}
