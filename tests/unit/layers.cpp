// Layered networks: gradients against differences, closed forms and numpy.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <sstream>

#include "comm/serial.hpp"
#include "layers/kernels/plain_lanes.hpp"
#include "layers/kernels/table.hpp"
#include "layers/pass.hpp"
#include "layers/trainer.hpp"
#include "support/layered.hpp"

namespace {
using namespace spinet::test;
using spinet::SerialTransport;

/// Largest |gradient - difference| / (1e-5 |gradient| + 1e-8) over all parameters.
double worst_gradient(const Plan& plan, const Data& d) {
  SerialTransport serial;
  Pass<double> pass(plan, table_of<PlainLanes<double>>, serial, 8);
  const auto images = static_cast<double>(d.labels.size());
  auto p = some_parameters<double>(plan);
  const auto statistics = fresh_statistics<double>(plan);
  const auto loss = [&] { return pass.train(p, statistics, {d.images, d.labels}, {1, 0}).loss / images; };
  const auto result = pass.train(p, statistics, {d.images, d.labels}, {1, 0});
  REQUIRE(result.bad_layer == -1);
  const std::vector<double> gradient(result.gradient.begin(), result.gradient.end());
  double worst = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double kept = p[i], h = 3e-5;
    const auto at = [&](double by) {
      p[i] = kept + by;
      return loss();
    };
    const double difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    p[i] = kept;
    const double error = std::abs(gradient[i] - difference) / (1e-5 * std::abs(gradient[i]) + 1e-8);
    if (error > 1) UNSCOPED_INFO("parameter " << i << ": " << gradient[i] << " beside " << difference);
    worst = std::max(worst, error);
  }
  return worst;
}

double worst_gradient(const Plan& plan, std::size_t images) {
  return worst_gradient(plan, some_data(plan, images));
}

}  // namespace

TEST_CASE("layers: gradients of dense layers are those of differences") {
  for (const Answer a : {Answer::linear, Answer::relu, Answer::em}) {
    CAPTURE(int(a));
    CHECK(worst_gradient(dense_net(a).plan, 11) < 1);
  }
}

TEST_CASE("layers: gradients of convolutions are those of differences") {
  struct Case {
    Window window;
    Shape in, out;
  };
  const Case cases[] = {
      {{{3, 2}, {1, 1}, {0, 0}, {1, 1}, 1}, {2, 4, 3}, {7, 2, 2}},
      {{{3, 3}, {2, 1}, {1, 2}, {1, 1}, 1}, {3, 5, 3}, {2, 3, 5}},
      {{{2, 3}, {1, 2}, {3, 0}, {2, 1}, 2}, {4, 3, 5}, {4, 7, 2}},
      {{{1, 6}, {3, 1}, {0, 1}, {1, 1}, 1}, {1, 4, 6}, {5, 2, 3}},
      {{{2, 2}, {2, 2}, {1, 1}, {2, 2}, 3}, {3, 4, 4}, {3, 2, 2}},
  };
  for (const Case& c : cases) {
    Made m;
    m.layer({2, c.in.height, c.in.width});
    m.layer(c.in, Answer::em, c.in.channels);
    m.join(Join::convolution);  // 1 x 1: so that the next one has a gradient to give on
    m.bounded_curves();
    m.layer(c.out, Answer::linear, c.out.channels);
    m.join(Join::convolution, c.window);
    m.normalise(c.in.channels);
    m.layer({3, 1, 1}, Answer::linear, 3);
    m.join(Join::dense);
    CAPTURE(c.in.channels, c.out.channels);
    CHECK(worst_gradient(m.plan, 5) < 1);
  }
}

namespace {
/// A convolution of three normalised channels, of 4 x 4 pixels.
Made first_convolution() {
  Made m;
  m.layer({3, 4, 4});
  m.layer({2, 2, 2}, Answer::em, 2);
  m.join(Join::convolution, {{3, 3}, {1, 1}, {0, 0}, {1, 1}, 1});
  m.normalise(3);
  m.curves();
  m.layer({3, 1, 1}, Answer::linear, 3);
  m.join(Join::dense);
  return m;
}
}  // namespace

TEST_CASE("layers: channels that are alike are taken as one, others by themselves") {
  const Made m = first_convolution();
  Data grey = some_data(m.plan, 6);
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t k = 0; k < 32; ++k) grey.images[48 * i + 16 + k] = grey.images[48 * i + k % 16];
  CHECK(worst_gradient(m.plan, grey) < 1);
  Data colour = grey;
  colour.images[50] += 1e-6F;  // ends it, and changes next to nothing
  CHECK(worst_gradient(m.plan, colour) < 1);
  SerialTransport serial;
  const auto model = some_model(m.plan);
  const auto a = outputs(m.plan, model, grey.images, serial),
             b = outputs(m.plan, model, colour.images, serial);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).margin(1e-4));
  std::vector<float> one;  // channel of each, which stands for all
  for (std::size_t i = 0; i < 6; ++i)
    one.insert(one.end(), grey.images.begin() + 48 * static_cast<std::ptrdiff_t>(i),
               grey.images.begin() + 48 * static_cast<std::ptrdiff_t>(i) + 16);
  CHECK(outputs(m.plan, model, one, serial, Channels::alike) == a);
  Made flat;  // dense connections take no channels as one
  flat.layer({3, 4, 4});
  flat.layer({3, 1, 1}, Answer::linear, 3);
  flat.join(Join::dense);
  const auto other = some_model(flat.plan);
  CHECK(outputs(flat.plan, other, one, serial, Channels::alike) ==
        outputs(flat.plan, other, grey.images, serial));
}

TEST_CASE("layers: gradients of pools and of what skips layers are those of differences") {
  for (const Join pool : {Join::average_pool, Join::sum_pool, Join::max_pool}) {
    for (const bool tiling : {false, true}) {  // or windows that overlap
      Made m;
      m.layer({1, 4, 4});
      m.layer({2, 4, 4}, Answer::em, 2);
      m.join(Join::convolution, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 1});
      m.curves();
      m.layer({2, 2, 2});
      m.join(pool, tiling ? Window{{2, 2}, {2, 2}} : Window{{3, 3}, {2, 1}, {1, 0}});
      m.layer({8, 1, 1}, Answer::relu, 8);
      if (!tiling) {
        m.join(Join::dense, {}, 0);
        m.join(Join::dense, {}, 1);
        m.normalise(32);
      }
      m.join(Join::one_to_one);
      m.normalise(8);
      m.layer({4, 1, 1}, Answer::linear, 4);
      m.join(Join::dense);
      m.plan.connections.back().dropout = 0.3;
      CAPTURE(int(pool), tiling);
      CHECK(worst_gradient(m.plan, 5) < 1);
    }
  }
}

TEST_CASE("layers: gradients of em neurons are those of their curves") {
  Made m;
  m.layer({3, 1, 1});
  m.layer({3, 1, 1}, Answer::em, 3);
  m.join(Join::one_to_one);
  m.curves();
  m.layer({3, 1, 1});
  m.join(Join::one_to_one);
  SerialTransport serial;
  Pass<double> pass(m.plan, table_of<PlainLanes<double>>, serial, 8);
  const Data d = some_data(m.plan, 1);
  const auto p = some_parameters<double>(m.plan);
  const auto gradient = pass.train(p, {}, {d.images, d.labels}, {1, 0}).gradient;
  const Layer& l = m.plan.layers[1];
  double a[3], slope[3], curve[3][3], sum = 0;
  for (int i = 0; i < 3; ++i) {
    const double n = l.curves.gain * (static_cast<double>(d.images[i]) + p[l.bias.first + i]);
    a[i] = p[l.read_out.first + 3], slope[i] = 0;
    for (int k = 0; k < 3; ++k) {
      const Curve& c = l.curves.curves[k];
      curve[i][k] = c.constant + c.amplitudes[0] * std::exp(-n / 4) + c.amplitudes[1] * std::exp(-n / 25);
      a[i] += p[l.read_out.first + k] * curve[i][k];
      slope[i] -= p[l.read_out.first + k] * l.curves.gain *
                  (c.amplitudes[0] / 4 * std::exp(-n / 4) + c.amplitudes[1] / 25 * std::exp(-n / 25));
    }
    sum += std::exp(a[i]);
  }
  double read_out[4] = {};
  for (int i = 0; i < 3; ++i) {
    const double back = std::exp(a[i]) / sum - (d.labels[0] == static_cast<unsigned>(i));
    CHECK(gradient[l.bias.first + i] == Approx(back * slope[i]).epsilon(1e-12));
    for (int k = 0; k < 3; ++k) read_out[k] += back * curve[i][k];
    read_out[3] += back;
  }
  for (int k = 0; k < 4; ++k)
    CHECK(gradient[l.read_out.first + k] == Approx(read_out[k]).epsilon(1e-12).margin(1e-15));
}

TEST_CASE("layers: gradients of spiking layers are those of numpy") {
  std::ifstream file(VALIDATION_DATA "/surrogate_gradients.csv");
  std::string line;
  REQUIRE(std::getline(file, line));
  int rows = 0;
  for (; std::getline(file, line); ++rows) {
    std::stringstream fields(line);
    std::vector<std::string> f;
    for (std::string s; std::getline(fields, s, ',');) f.push_back(s);
    Spiking spiking;
    spiking.surrogate = f[0] == "arctan" ? Spiking::Surrogate::arctan : Spiking::Surrogate::fast_sigmoid;
    spiking.soft_reset = f[1] == "1";
    spiking.synaptic_decay = std::stod(f[2]);
    spiking.membrane_decay = 0.8, spiking.threshold = 0.9, spiking.slope = 2.5;
    Made m;
    m.plan.steps = 7;
    m.layer({6, 1, 1});
    for (const std::uint32_t size : {5U, 4U, 3U}) {
      m.layer({size, 1, 1}, size == 3 ? Answer::linear : Answer::lif, size);
      m.plan.layers.back().spiking = spiking;
      m.join(Join::dense);
    }
    std::vector<double> p;
    for (std::size_t i = 0; i < m.plan.parameters; ++i)
      p.push_back(0.5 * std::sin(1.7 * double(i) + 0.3) + 0.08);
    Data d;
    for (int i = 0; i < 18; ++i) d.images.push_back(static_cast<float>(0.5 + 0.5 * std::cos(2.1 * i)));
    d.labels = {0, 1, 2};
    SerialTransport serial;
    Pass<double> pass(m.plan, table_of<PlainLanes<double>>, serial, 8);
    const auto gradient = pass.train(p, {}, {d.images, d.labels}, {1, 0}).gradient;
    REQUIRE(gradient.size() + 4 == f.size());
    CAPTURE(rows);
    for (std::size_t i = 0; i < gradient.size(); ++i)
      CHECK(gradient[i] == Approx(std::stod(f[4 + i])).epsilon(1e-5).margin(1e-8));  // pixels are floats
  }
  CHECK(rows == 8);
}
