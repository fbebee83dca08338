// Parameters that the schedule draws anew at an interval: noise currents.
#include <catch2/catch.hpp>

#include <cmath>

#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
/// I_dc of a population is drawn every `interval`, from `from` on.
void noise(NetworkBuilder& b, std::uint32_t population, const Distribution& current, Tick interval,
           Tick from = 0) {
  b.schedule(from, population, "I_dc", 0);
  for (auto& s : b.network().schedule)
    if (s.tick == from && s.to.places == std::vector<Place>{b.range(population)} && !s.drawn()) {
      s.course = current;
      s.every = interval;
      s.count = static_cast<std::uint32_t>((b.network().duration - from + interval - 1) / interval);
    }
}
}  // namespace

TEST_CASE(
    "a noise current gives a passive membrane the mean, variance and correlation of their closed forms") {
  constexpr double tau = 10, C = 250, R = tau / C * 1e3, mean = 40, sd = 60;  // ms, pF, mV/nA = MOhm, pA, pA
  for (const char* model : {"lif_delta", "lif_exp", "lif_cond_exp"})
    for (const double interval : {0.1, 1.0, 5.0}) {
      CAPTURE(model, interval);
      NetworkBuilder b(ms(400), 11);
      const bool conductance = std::string_view(model) == "lif_cond_exp";
      const Values values =
          conductance ? Values{{"C_m", C}, {"g_L", C / tau}, {"E_L", -70}, {"v_th", 1e3}, {"V", -70}}
                      : Values{{"C_m", C}, {"tau_m", tau}, {"E_L", -70}, {"v_th", 1e3}, {"V", -70}};
      const auto n = b.add(model, 200, values);
      noise(b, n, normal(mean, sd), ms(interval));
      b.report(n, "V", ms(5), ms(100));  // ends of intervals, after ten time constants
      auto got = run(b.network());
      const auto& V = got.recorder.report(0);
      REQUIRE(V.size() == 60 * 200);
      double sum = 0, squares = 0, products = 0;
      std::size_t pairs = 0;
      for (std::size_t i = 0; i < V.size(); ++i) {
        const double v = V[i] + 70 - R * mean * 1e-3;
        sum += v, squares += v * v;
        if (i + 200 < V.size()) products += v * (V[i + 200] + 70 - R * mean * 1e-3), ++pairs;
      }
      const double count = static_cast<double>(V.size()), a = std::exp(-interval / tau),
                   decay = std::exp(-5 / tau);
      const double variance = R * R * sd * sd * 1e-6 * (1 - a) / (1 + a);
      const double effective = count * (1 - decay) / (1 + decay);  // samples 5 ms apart are correlated
      CHECK(sum / count == Approx(0).margin(4 * std::sqrt(variance / effective)));
      CHECK(squares / count == Approx(variance).epsilon(4 * std::sqrt(2 / effective)));
      CHECK(products / static_cast<double>(pairs) / variance ==
            Approx(decay).margin(4 / std::sqrt(effective)));
      // Neighbours are independent.
      double across = 0;
      for (std::size_t i = 0; i < V.size(); ++i)
        if (i % 200 != 199) across += (V[i] + 70 - R * mean * 1e-3) * (V[i + 1] + 70 - R * mean * 1e-3);
      CHECK(across / count / variance == Approx(0).margin(4 / std::sqrt(effective)));
    }
}

TEST_CASE("a noise current is the same on 1, 2 and 3 ranks, in any block, whatever is recorded") {
  NetworkBuilder b(ms(100), 5);
  const Values cell{{"E_L", -65}, {"v_th", -50}, {"v_reset", -65}, {"V", -65}};
  const auto n = b.add("lif_exp", 70, cell), m = b.add("adex", 9), c = b.add("lif_cond_exp", 12);
  noise(b, n, normal(500, 400), ms(0.5));
  noise(b, m, uniform(0, 1500), ms(0.7), ms(3));
  noise(b, c, normal(150, 100, 0), ms(0.2));
  b.connect(n, c, Rule::all_to_all, 0.5, ms(1));
  for (const auto p : {n, m, c}) b.record_spikes(p);
  const auto expected = on_ranks(b.network(), 1).spikes();
  REQUIRE(expected.size() > 200);
  for (const std::uint32_t block : {1u, 4u, 256u}) {
    b.network().block = block;
    for (const int ranks : {1, 2, 3}) {
      CAPTURE(block, ranks);
      int owning = 0;
      CHECK((on_ranks(b.network(), ranks, &owning).spikes() == expected));
      CHECK(owning >= std::min(ranks, 2));
    }
  }
  b.report(n, "V", ms(0.3));
  CHECK((on_ranks(b.network(), 2).spikes() == expected));
}
