// The reference simulator itself: against closed forms worked by hand, and against small integration steps.
#include "support/reference.hpp"

#include <catch2/catch.hpp>

#include "spinet/random.hpp"

using namespace spinet;
using reference::Neuron;
using reference::Real;

namespace {
constexpr double per_ms = 1e6;
double as_double(Real x) { return static_cast<double>(x); }
Neuron::Params usual() { return {20, 250, {0.5, 0.5}, 0, 20, 0, 2, 0, 0}; }

/// V of one lif_exp neuron by Runge and Kutta's fourth-order rule, in long double.
struct Integrated {
  long double V, I[2];
  void run(const Neuron::Params& p, double ms, int steps) {
    const long double h = static_cast<long double>(ms) / steps;
    const auto slope = [&](const long double* y, long double* d) {
      d[0] = -(y[0] - p.E_L) / p.tau_m + (y[1] + y[2] + p.I_dc) / p.C_m;
      d[1] = -y[1] / p.tau_syn[0];
      d[2] = -y[2] / p.tau_syn[1];
    };
    for (int i = 0; i < steps; ++i) {
      long double y[3] = {V, I[0], I[1]}, k1[3], k2[3], k3[3], k4[3], z[3];
      slope(y, k1);
      for (int j = 0; j < 3; ++j) z[j] = y[j] + h / 2 * k1[j];
      slope(z, k2);
      for (int j = 0; j < 3; ++j) z[j] = y[j] + h / 2 * k2[j];
      slope(z, k3);
      for (int j = 0; j < 3; ++j) z[j] = y[j] + h * k3[j];
      slope(z, k4);
      V += h / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0]);
      for (int j = 0; j < 2; ++j) I[j] += h / 6 * (k1[j + 1] + 2 * k2[j + 1] + 2 * k3[j + 1] + k4[j + 1]);
    }
  }
};
}  // namespace

TEST_CASE("reference: a delta jump decays with tau_m", "[reference]") {
  auto p = usual();
  Neuron n(Neuron::Synapses::delta, p, 0, 0, per_ms);
  n.advance(3'000'000);
  n.receive(0, 7.5);
  n.advance(23'000'000);
  CHECK(as_double(n.V()) == Approx(7.5 * std::exp(-1.0)).epsilon(1e-15));
}

TEST_CASE("reference: constant current fires at the closed-form tick", "[reference]") {
  auto p = usual();
  p.I_dc = 300;  // rest 24 mV
  Neuron n(Neuron::Synapses::delta, p, 0, 0, per_ms);
  const long double crossing = 20.0L * std::log(24.0L / 4.0L) * 1e6L;
  CHECK(n.first_at_or_above(20, 1'000'000'000).value() == static_cast<Tick>(std::ceil(crossing)));
}

TEST_CASE("reference: potentials and first crossings agree with small integration steps", "[reference]") {
  const RandomKey key{99, 1};
  int crossed = 0;
  for (std::uint64_t trial = 0; trial < 300; ++trial) {
    const auto a = draw(key, trial, 0), b = draw(key, trial, 1);
    auto p = usual();
    p.tau_m = 2 + 20 * uniform01(a[0]);
    p.tau_syn[0] = trial % 5 == 0   ? p.tau_m
                   : trial % 5 == 1 ? p.tau_m * (1 + 1e-9)
                                    : 0.3 + 12 * uniform01(a[1]);
    p.tau_syn[1] = trial % 7 == 0 ? p.tau_m : 0.3 + 12 * uniform01(a[2]);
    p.I_dc = 100 * uniform01(a[3]);
    const double V = 19 * uniform01(b[0]), Ie = 4000 * uniform01(b[1]), Ii = -4000 * uniform01(b[2]);
    Neuron n(Neuron::Synapses::exponential, p, V, 0, per_ms);
    n.receive(0, Ie);
    n.receive(1, Ii);
    const Tick horizon = 30'000'000;
    Integrated y{V, {Ie, Ii}};
    // The first crossing on a 10 us raster bounds the reference's: no earlier raster point may lie at or
    // above.
    const auto t = n.first_at_or_above(20, horizon);
    bool above = false;
    for (Tick at = 0; at < horizon && !above; at += 10'000) {
      y.run(p, 0.01, 4);
      above = y.V >= 20;
      if (above) {
        REQUIRE(t);
        CHECK(*t > at - 10'000);
        CHECK(*t <= at + 10'000);
        ++crossed;
      }
    }
    if (!above) {
      Neuron m = n;
      m.advance(horizon);
      CHECK(as_double(m.V()) == Approx(static_cast<double>(y.V)).epsilon(1e-9).margin(1e-9));
      if (t) {  // a passage so short that the raster missed it
        Neuron k = n;
        k.advance(*t + 10'000);
        CHECK(as_double(k.V()) < 20);
      }
    }
    if (t) {  // the definition of a first crossing
      Neuron before = n, at = n;
      before.advance(*t - 1);
      at.advance(*t);
      CHECK(before.V() < 20);
      CHECK(at.V() >= 20);
    }
  }
  CHECK(crossed > 50);
}

TEST_CASE("reference: a refractory neuron loses delta input until its end and no longer", "[reference]") {
  auto p = usual();
  for (const Tick offset : {-1, 0, 1}) {
    Neuron n(Neuron::Synapses::delta, p, 0, 0, per_ms);
    n.advance(5'000'000);
    n.spike();
    n.advance(7'000'000 + offset);
    n.receive(0, 5);
    CHECK(as_double(n.V()) == (offset < 0 ? 0.0 : 5.0));
  }
}

TEST_CASE("reference: currents of a refractory neuron go on", "[reference]") {
  auto p = usual();
  Neuron n(Neuron::Synapses::exponential, p, 0, 0, per_ms);
  n.spike();
  n.advance(1'000'000);
  n.receive(0, 100);
  n.advance(2'000'000);
  CHECK(as_double(n.V()) == 0);
  CHECK(as_double(n.I_syn()) == Approx(100 * std::exp(-2.0)).epsilon(1e-15));
}

TEST_CASE("reference: the screening in double misses nothing that a plain walk over all ticks finds",
          "[reference]") {
  // At a coarse resolution, where every tick can be looked at.
  const RandomKey key{7, 2};
  int crossed = 0;
  for (std::uint64_t trial = 0; trial < 120; ++trial) {
    const auto a = draw(key, trial, 0), b = draw(key, trial, 1);
    auto p = usual();
    p.tau_m = 1 + 20 * uniform01(a[0]);
    p.tau_syn[0] = trial % 4 == 0 ? p.tau_m : 0.1 + 30 * uniform01(a[1]);
    p.tau_syn[1] = 0.1 + 30 * uniform01(a[2]);
    p.I_dc = 250 * 20 / p.tau_m * (0.2 + 1.6 * uniform01(a[3]));
    Neuron n(Neuron::Synapses::exponential, p, 20 - 60 * uniform01(b[0]), 0, 50);  // a tick is 20 us
    n.receive(0, 3000 * uniform01(b[1]) / p.tau_syn[0]);
    n.receive(1, -6000 * uniform01(b[2]) / p.tau_syn[1]);
    std::optional<Tick> plain;
    for (Tick t = 1; t <= 1500 && !plain; ++t) {
      Neuron m = n;
      m.advance(t);
      if (m.V() >= 20) plain = t;
    }
    CHECK(n.first_at_or_above(20, 1500) == plain);
    crossed += plain.has_value();
  }
  CHECK(crossed > 20);
  CHECK(crossed < 100);
}
