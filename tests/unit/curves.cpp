// Curves of electrical-magnetic neurons: the preset and fits, against another program.
#include "layers/curves.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <string>

#include "network/catalogue.hpp"
#include "network/device_curves.hpp"
#include "network/loader.hpp"

using namespace spinet::layers;

namespace {

const spinet::Catalogue& all_models() {
  static const auto catalogue = [] {
    spinet::Catalogue c;
    spinet::add_builtin(c);
    return c;
  }();
  return catalogue;
}
spinet::Network with_curves(const std::string& curves) {
  return spinet::load_text(
      "spinet: 1\nduration: 10 ms\npopulations:\n"
      "  image: {model: image_task, shape: [4], params: {period: 1 ms}}\n"
      "  e: {model: em_activation, shape: [3], curves: " +
          curves +
          "}\nprojections:\n  p: {from: image, to: e, connect: dense, "
          "synapse: {model: static, weight: 1, delay: 0.1 ms}}\n",
      "test.yaml", all_models());
}
/// The PVDF memristor as its paper's model says: the share s of its range, and the resistance over that of s
/// = 1.
struct Memristor {
  double s = 0;
  void pulse(double V, double seconds) {
    const double x = std::fabs(V);
    if (V < 0) {
      const double to = std::min(1.0, (1 - std::exp(-(x - 0.67) / 0.6)) / (1 - std::exp(-1.73 / 0.6)));
      if (s < to) s = to + (s - to) * std::exp(-4 * std::exp((x - 1.15) / 0.35) * seconds);
    } else {
      const double to = std::max(0.0, (std::exp(-(x - 1) / 0.2) - std::exp(-5.0)) / (1 - std::exp(-5.0)));
      if (s > to) s = to + (s - to) * std::exp(-1.2 * std::exp((x - 1.2) / 0.5) * seconds);
    }
  }
  double resistance(double H) const {
    const double at = 0.6168;
    const double TMR = s > at ? -0.439 * std::pow((s - at) / (1 - at), 2) : 0.15 * (at - s) / at;
    const double m = 0.25 * (1 + std::tanh((H - 90) / 20)) * (1 - std::tanh((H - 250) / 60));
    return std::pow(111, 1 - s) / (1 - m + m * (1 - TMR));
  }
};

}  // namespace

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

TEST_CASE("curves of a device: the PVDF memristor, pulse by pulse, in each field") {
  const auto net = with_curves(
      "{device: pvdf, fields: [50 G, 150 G], pulses: 64, potentiation: [-1.3 V, 10 ms], depression: [2 V, 10 "
      "ms]}");
  const Curves& c = *net.populations[1].curves;
  std::vector<std::vector<double>> R;
  for (const double H : {50.0, 150.0}) {
    Memristor m;
    for (int n = 0; n < 64; ++n) m.pulse(2, 10e-3);
    for (const double V : {-1.3, 2.0}) {
      R.push_back({m.resistance(H)});
      for (int n = 0; n < 64; ++n) {
        m.pulse(V, 10e-3);
        R.back().push_back(m.resistance(H));
      }
    }
  }
  CHECK(R[0].front() / R[0].back() > 8);  // potentiation from the high resistance
  std::vector<double> pulses;
  for (int n = 0; n <= 64; ++n) pulses.push_back(n);
  const Curves wanted = measured(pulses, R, std::vector<double>{4, 25});
  REQUIRE(c.curves.size() == 4);
  for (std::size_t k = 0; k < 4; ++k) {
    CAPTURE(k);
    CHECK(c.curves[k].constant == Approx(wanted.curves[k].constant).epsilon(1e-8));
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(c.curves[k].amplitudes[i] == Approx(wanted.curves[k].amplitudes[i]).epsilon(1e-8));
  }
}

TEST_CASE("curves of a device: what is refused") {
  const auto says = [](const std::string& curves) {
    try {
      with_curves(curves);
    } catch (const spinet::InvalidNetwork& e) {
      return std::string(e.what());
    }
    return std::string("nothing");
  };
  using Catch::Contains;
  CHECK_THAT(says("{device: pvfd}"),
             Contains("'pvfd' is no synapse model") && Contains("did you mean 'pvdf'"));
  CHECK_THAT(says("{device: static}"), Contains("have no curves"));
  CHECK_THAT(says("{device: pvdf, tmr: 15 %}"), Contains("'tmr' means nothing for a device"));
  CHECK_THAT(says("{device: pvdf, preset: em_reference}"), Contains("more than one of"));
  CHECK_THAT(says("{device: pvdf, potentiation: [1 V]}"), Contains("a voltage and a duration"));
  CHECK_THAT(says("{device: pvdf, potentiation: [1.5 V, 10 ms], depression: [-0.8 V, 10 ms]}"),
             Contains("potentiation takes the resistance of pvdf from") && Contains("must lower it"));
}
