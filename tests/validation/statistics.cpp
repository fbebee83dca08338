// Statistics of drawn numbers as they come out of a run.
#include <catch2/catch.hpp>

#include <cmath>

#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
/// 300 Poisson neurons; superposed into targets that never fire, or heard by a drawn projection.
NetworkBuilder noisy(std::uint32_t seed, bool superposed, double rate) {
  NetworkBuilder b(ms(2000), seed);
  const auto noise = b.add("poisson", 300, {{"rate", rate}}, Kind::source);
  const auto cells = b.add("lif_delta", 300, {{"tau_m", 10}, {"v_th", 1e9}});
  if (superposed) b.connect(noise, cells, Rule::one_to_one, 0.1, ms(1));
  else b.connect(noise, cells, Rule::all_to_all, 0.1, ms(1)).targets[0].count = 2;
  b.record_spikes(noise);
  return b;
}
}  // namespace

TEST_CASE(
    "Poisson neurons have exponential intervals, independent of each other and of the way they are drawn") {
  for (const bool superposed : {true, false}) {
    INFO("superposed " << superposed);
    const double rate = 200;  // Hz, 400 expected spikes each
    auto b = noisy(11, superposed, rate);
    const auto got = run(b.network());
    std::vector<std::vector<Tick>> trains(300);
    for (const auto& s : got.spikes()) trains[s.gid].push_back(s.tick);
    double sum = 0, squares = 0, n = 0;
    std::vector<double> quantile;  // of the exponential distribution: uniform if it is one
    double fano_sum = 0, fano_squares = 0;
    for (const auto& t : trains) {
      for (std::size_t i = 1; i < t.size(); ++i) {
        const double x = static_cast<double>(t[i] - t[i - 1]) * 1e-9 * rate;
        sum += x, squares += x * x, ++n;
        quantile.push_back(1 - std::exp(-x));
      }
      fano_sum += static_cast<double>(t.size());
      fano_squares += static_cast<double>(t.size() * t.size());
    }
    const double mean = sum / n, cv2 = (squares / n - mean * mean) / (mean * mean);
    // Four standard errors: 1/sqrt(n) of the mean, sqrt(8/n) of the squared coefficient of variation.
    CHECK(mean ==
          Approx(1).margin(4 / std::sqrt(n) + 1.0 / 400));  // censoring by the end lowers it by up to 1/400
    CHECK(cv2 == Approx(1).margin(4 * std::sqrt(8 / n) + 2.0 / 400));
    std::sort(quantile.begin(), quantile.end());
    double distance = 0;
    for (std::size_t i = 0; i < quantile.size(); ++i)
      distance = std::max(distance, std::fabs(quantile[i] - (static_cast<double>(i) + 0.5) / n));
    CHECK(distance * std::sqrt(n) < 1.95 + std::sqrt(n) / 400);  // Kolmogorov and Smirnov, one in a thousand
    const double count = fano_sum / 300, fano = (fano_squares / 300 - count * count) / count;
    CHECK(count == Approx(400).margin(4 * std::sqrt(400.0 / 300)));
    CHECK(fano == Approx(1).margin(4 * std::sqrt(2.0 / 300)));
    // Neighbours: coincidences within 0.1 ms of pairs (i, i+1), against their expectation.
    double pairs = 0;
    for (std::size_t k = 0; k + 1 < 300; ++k)
      for (const Tick t : trains[k]) {
        const auto at = std::lower_bound(trains[k + 1].begin(), trains[k + 1].end(), t - 50'000);
        for (auto i = at; i != trains[k + 1].end() && *i < t + 50'000; ++i) ++pairs;
      }
    const double expected = 299 * 400 * 400 * 1e-4 / 2;
    CHECK(pairs == Approx(expected).margin(4 * std::sqrt(expected)));
  }
}

TEST_CASE("a seed repeats, two seeds differ, and spikes of both agree by chance only") {
  for (const bool superposed : {true, false}) {
    auto a = noisy(1, superposed, 50), again = noisy(1, superposed, 50), other = noisy(2, superposed, 50);
    const auto x = run(a.network()).spikes(), y = run(again.network()).spikes(),
               z = run(other.network()).spikes();
    CHECK(x == y);
    CHECK(x != z);
    std::vector<Spike> common;
    std::set_intersection(x.begin(), x.end(), z.begin(), z.end(), std::back_inserter(common),
                          [](auto& p, auto& q) { return std::tie(p.tick, p.gid) < std::tie(q.tick, q.gid); });
    CHECK(common.size() <= 1);
  }
}

TEST_CASE("a scheduled rate acts from its tick on") {
  for (const bool superposed : {true, false}) {
    auto b = noisy(5, superposed, 100);
    b.schedule(ms(700), 0, "rate", 0);
    b.schedule(ms(1300), 0, "rate", 400);
    double before = 0, silent = 0, after = 0;
    const auto got = run(b.network());
    for (const auto& s : got.spikes()) (s.tick < ms(700) ? before : s.tick < ms(1300) ? silent : after) += 1;
    CHECK(silent == 0);
    CHECK(before == Approx(300 * 70).margin(4 * std::sqrt(300 * 70.0)));
    CHECK(after == Approx(300 * 280).margin(4 * std::sqrt(300 * 280.0)));
  }
}

TEST_CASE("membrane statistics under Poisson input agree with Campbell's theorem") {
  // Without a threshold: mean w r tau, variance w^2 r tau/2 for delta synapses; for exponential currents of
  // charge q, mean q r tau/C and variance (q/C)^2 r tau_m^2/(2 (tau_m + tau_s)).
  const double rate = 5, tau = 10, tau_s = 2, w = 0.5, q = 100, C = 200;  // 1/ms, ms, ms, mV, pA ms, pF
  for (const bool exponential : {false, true}) {
    NetworkBuilder b(ms(600), 3);
    const auto noise = b.add("poisson", 1000, {{"rate", rate * 1000}}, Kind::source);
    Values v{{"tau_m", tau}, {"C_m", C}, {"E_L", 0}, {"v_th", 1e9}, {"V", 0}};
    if (exponential) v.insert(v.end(), {{"tau_syn_exc", tau_s}, {"tau_syn_inh", tau_s}});
    const auto cells = b.add(exponential ? "lif_exp" : "lif_delta", 1000, v);
    b.connect(noise, cells, Rule::one_to_one, exponential ? q / tau_s : w, ms(1));
    const auto r = b.report(cells, "V", ms(100), ms(199));
    auto got = run(b.network());
    const auto& V = got.recorder.report(r);
    double sum = 0, squares = 0;
    for (const float x : V) sum += x, squares += static_cast<double>(x) * x;
    const double n = static_cast<double>(V.size()), mean = sum / n, variance = squares / n - mean * mean;
    REQUIRE(n == 5000);
    const double jump = exponential ? q / C : w;
    const double expected_variance =
        exponential ? jump * jump * rate * tau * tau / (2 * (tau + tau_s)) : w * w * rate * tau / 2;
    CHECK(mean == Approx(jump * rate * tau).margin(4 * std::sqrt(expected_variance / n)));
    CHECK(variance == Approx(expected_variance).epsilon(4 * std::sqrt(2 / n)));
  }
}
