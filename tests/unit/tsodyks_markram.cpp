// tsodyks_markram against closed forms for regular trains, and against the differential equations for random
// ones.
#include <catch2/catch.hpp>
#include <cmath>

#include "support/plastic.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct Dynamics {
  double U, tau_rec, tau_fac;
};

/// What every spike of `train` transmits, from one source through one synapse of weight `w`.
std::vector<double> transmitted(const Dynamics& p, const SpikeTrain& train, double w, Tick delay) {
  Trained t(train.back() + delay + ms(1), {train}, {{}});
  t.plastic("tsodyks_markram", {{"U", p.U}, {"tau_rec", p.tau_rec}, {"tau_fac", p.tau_fac}, {"weight", w}},
            delay);
  std::vector<Repeater::Heard> heard;
  Repeater::notes = &heard;
  run_once(t.b.network());
  Repeater::notes = nullptr;
  std::vector<double> weights;
  REQUIRE(heard.size() == train.size());
  for (std::size_t i = 0; i < heard.size(); ++i) {
    CHECK(heard[i].tick == train[i] + delay);
    weights.push_back(heard[i].weight);
  }
  return weights;
}

SpikeTrain regular(double interval, int count) {
  SpikeTrain t;
  for (int i = 0; i < count; ++i) t.push_back(ms(5) + i * ms(interval));
  return t;
}

}  // namespace

TEST_CASE("tsodyks_markram: depression by a regular train, transient and steady state") {
  for (const double U : {0.1, 0.5, 0.9, 1.0})
    for (const double interval : {2.5, 20.0, 300.0}) {
      INFO("U " << U << ", interval " << interval);
      const double tau = 800, e = std::exp(-interval / tau), kept = (1 - U) * e;
      const auto got = transmitted({U, tau, 0}, regular(interval, 200), 3, ms(1.5));
      // x' = 1 - (1 - (1 - U) x) e: a geometric approach to the fixed point.
      const double fixed = (1 - e) / (1 - kept);
      for (std::size_t n = 0; n < got.size(); ++n) {
        const double x = fixed + (1 - fixed) * std::pow(kept, static_cast<double>(n));
        CHECK(got[n] == Approx(3 * U * x).epsilon(1e-7).margin(0));
      }
      if (kept < 0.9) CHECK(got.back() == Approx(3 * U * fixed).epsilon(1e-6));
      CHECK(got.back() < got.front());
    }
}

TEST_CASE("tsodyks_markram: facilitation by a regular train, transient and steady state") {
  for (const double U : {0.02, 0.15, 0.5})
    for (const double interval : {5.0, 25.0, 200.0}) {
      INFO("U " << U << ", interval " << interval);
      const double tau_rec = 130, tau_fac = 530;
      const double e = std::exp(-interval / tau_rec), a = (1 - U) * std::exp(-interval / tau_fac);
      const auto got = transmitted({U, tau_rec, tau_fac}, regular(interval, 300), -2, ms(0.3));
      // u' = U + (1 - U) u exp(-interval / tau_fac) in closed form; x as the sum of what has recovered and
      // not been used.
      const double u_fixed = U / (1 - a);
      const auto u = [&](std::size_t n) {
        return u_fixed + (U - u_fixed) * std::pow(a, static_cast<double>(n));
      };
      for (std::size_t n = 0; n < got.size(); n += n < 20 ? 1 : 7) {
        double x = 0, product = 1;
        for (std::size_t k = n; k-- > 0;) x += (1 - e) * product, product *= (1 - u(k)) * e;
        x += product;
        CHECK(got[n] == Approx(-2 * u(n) * x).epsilon(1e-7).margin(0));
      }
      const double x_fixed = (1 - e) / (1 - (1 - u_fixed) * e);
      CHECK(got.back() == Approx(-2 * u_fixed * x_fixed).epsilon(1e-5));
      if (U < 0.1 && interval == 25) CHECK(got[3] < 1.2 * got[0]);  // negative: it grows
    }
}

TEST_CASE("tsodyks_markram: a random train against the differential equations in small steps") {
  for (const auto& p : {Dynamics{0.5, 800, 0}, Dynamics{0.05, 100, 700}, Dynamics{0.3, 60, 20}}) {
    Numbers n(3, static_cast<std::uint64_t>(p.tau_rec));
    SpikeTrain train;
    for (double t = 3; train.size() < 60; t += n.chance(0.3) ? n.uniform(0.2, 3) : n.uniform(0, 120))
      train.push_back(ms(t));
    const auto got = transmitted(p, train, 1, ms(2));
    // Runge-Kutta steps of at most 0.05 ms of u' = -u / tau_fac, x' = (1 - x) / tau_rec.
    double u = 0, x = 1, now = 0;
    for (std::size_t i = 0; i < train.size(); ++i) {
      const double then = static_cast<double>(train[i]) / 1e6;
      const int steps = 1 + static_cast<int>((then - now) / 0.05);
      const double h = (then - now) / steps;
      const auto step = [h](double y, double rate, double rest) {  // y' = rate (rest - y)
        const double k1 = rate * (rest - y), k2 = rate * (rest - y - h / 2 * k1),
                     k3 = rate * (rest - y - h / 2 * k2), k4 = rate * (rest - y - h * k3);
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
      };
      for (int k = 0; k < steps; ++k) {
        u = p.tau_fac > 0 ? step(u, 1 / p.tau_fac, 0) : 0;
        x = step(x, 1 / p.tau_rec, 1);
      }
      now = then;
      u += p.U * (1 - u);
      CHECK(got[i] == Approx(u * x).epsilon(2e-7).margin(0));
      x -= u * x;
    }
  }
}

TEST_CASE("tsodyks_markram: recorded weights are what an event of that tick would transmit") {
  const double U = 0.4, tau_rec = 200, tau_fac = 90;
  Trained t(ms(100), {{ms(10), ms(30)}}, {{}});
  const auto w = t.b.record_weights(
      t.plastic("tsodyks_markram", {{"U", U}, {"tau_rec", tau_rec}, {"tau_fac", tau_fac}, {"weight", 5}},
                ms(1)),
      ms(1));
  auto got = run(t.b.network());
  const auto& values = got.recorder.weights_of(w);
  REQUIRE(values.size() == 100);
  double u = 0, used = 0, last = 0;
  for (int k = 0; k < 100; ++k) {
    const auto at = [&](double now) {
      const double v = u * std::exp(-(now - last) / tau_fac);
      return std::pair(v + U * (1 - v), 1 - used * std::exp(-(now - last) / tau_rec));
    };
    const auto [v, x] = at(k);
    CHECK(values[static_cast<std::size_t>(k)] == Approx(5 * v * x).epsilon(1e-6));
    if (k == 11 || k == 31)
      u = v, used = 1 - x * (1 - v), last = k;  // samples come before the tick's arrivals
  }
}

TEST_CASE(
    "tsodyks_markram: projections with other parameters, and slices with other delays, know nothing of each "
    "other") {
  Numbers n(8, 1);
  const auto train = random_train(n, ms(800), 40);
  Trained t(ms(850), {train}, {{}, {}, {}});
  std::vector<Repeater::Heard> heard;
  t.plastic("tsodyks_markram", {{"U", 0.5}, {"tau_rec", 300}, {"weight", 1}},
            {{0, 0, 1, ms(1)}, {0, 1, 2, ms(7)}});
  t.plastic("tsodyks_markram", {{"U", 0.2}, {"tau_rec", 50}, {"weight", 1}}, {{0, 2, 4, ms(1)}});
  Repeater::notes = &heard;
  run_once(t.b.network());
  Repeater::notes = nullptr;
  std::vector<std::vector<double>> of(3);
  for (const auto& h : heard) of[h.gid - t.b.first(t.to)].push_back(h.weight);
  REQUIRE(of[0].size() == train.size());
  REQUIRE(of[1].size() == train.size());
  REQUIRE(of[2].size() == train.size());
  const auto alone = transmitted({0.2, 50, 0}, train, 4, ms(1));
  CHECK(of[2] == alone);
  for (std::size_t i = 0; i < train.size(); ++i) CHECK(of[1][i] == Approx(2 * of[0][i]).epsilon(1e-7));
}
