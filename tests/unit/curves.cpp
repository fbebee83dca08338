// Curves of electrical-magnetic neurons: the preset and fits, against another program.
#include "layers/curves.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace spinet::layers;

TEST_CASE("em_reference: curves as least squares of another program; measured ones from a file's columns") {
  EmReference e;
  e.fields = {0, 100, 350};
  const Curves all = em_reference(e);
  // numpy.linalg.lstsq of the same resistances
  const double wanted[][3] = {{-1.0000520993595687, 0.5000531852056095, 0.49999891415395925},
                              {1.000057572056823, -0.5000016505025866, -0.5000559215542364},
                              {-1.3066736289143697, 0.8130652688204498, 0.49360836009391984},
                              {1.3388876895393067, -0.5097153904063892, -0.8291722991329176},
                              {-1.014546863024596, 0.5148500462834414, 0.49969681674115446},
                              {1.0160749159225082, -0.500460843190109, -0.5156140727323992}};
  REQUIRE(all.curves.size() == 6);
  for (std::size_t k = 0; k < 6; ++k) {
    CHECK(all.curves[k].constant == Approx(wanted[k][0]).epsilon(1e-10));
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(all.curves[k].amplitudes[i] == Approx(wanted[k][1 + i]).epsilon(1e-10));
  }
  e.fields = {0};
  e.copies = 7;
  const Curves noisy = em_reference(e);
  REQUIRE(noisy.curves.size() == 16);
  CHECK(noisy.curves[0] == all.curves[0]);
  for (std::size_t k = 2; k < 16; ++k) {
    const double off = noisy.curves[k].amplitudes[1] - all.curves[k % 2].amplitudes[1];
    CHECK(off != 0);
    CHECK(std::abs(off) < 0.1);  // 1 % of resistances up to 3, from 65 points
  }
  e.count = 3;
  const Curves few = em_reference(e);
  CHECK((few.curves == std::vector(noisy.curves.begin(), noisy.curves.begin() + 3)));
  std::vector<double> pulses, values;
  for (int n = 0; n < 30; n += 3) {
    pulses.push_back(n);
    values.push_back(7 - 2 * std::exp(-n / 3.0) + 0.5 * std::exp(-n / 40.0));
  }
  const double taus[] = {3, 40};
  const Curve exact = fitted(pulses, values, taus);
  CHECK(exact.constant == Approx(7).epsilon(1e-10));
  CHECK(exact.amplitudes[0] == Approx(-2).epsilon(1e-10));
  CHECK(exact.amplitudes[1] == Approx(0.5).epsilon(1e-9));
}
