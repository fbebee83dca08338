// Training of layered networks: the same bits however it is cut, restored and computed; outputs against plain
// loops; what it refuses.
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "comm/loopback.hpp"
#include "comm/serial.hpp"
#include "layers/pass.hpp"
#include "layers/trainer.hpp"
#include "support/layered.hpp"

namespace {
using namespace spinet::test;
using spinet::SerialTransport;
using spinet::Transport;

/// Everything at once, small: two convolutions, pools, em and relu, normalised, with dropout.
Made mixture() {
  Made m;
  m.layer({2, 8, 8});
  m.layer({5, 6, 6}, Answer::em, 5);
  m.join(Join::convolution, {{3, 3}, {1, 1}, {0, 0}, {1, 1}, 1});
  m.normalise(2);
  m.curves();
  m.layer({5, 3, 3});
  m.join(Join::average_pool, {{2, 2}, {2, 2}, {0, 0}, {1, 1}, 1});
  m.layer({7, 3, 3}, Answer::relu, 7);
  m.join(Join::convolution, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 1});
  m.normalise(5);
  m.layer({7, 2, 2});
  m.join(Join::max_pool, {{2, 2}, {1, 1}, {0, 0}, {1, 1}, 1});
  m.layer({9, 1, 1}, Answer::em, 9);
  m.join(Join::dense);
  m.normalise(28);
  m.plan.connections.back().dropout = 0.2;
  m.bounded_curves();
  m.layer({4, 1, 1}, Answer::linear, 4);
  m.join(Join::dense);
  return m;
}

/// The same with spikes over time steps.
Made spiking_mixture() {
  Made m = mixture();
  m.plan.steps = 3;
  for (const std::size_t l : {3U, 5U}) {
    m.plan.layers[l].answer = Answer::lif;
    m.plan.layers[l].spiking.membrane_decay = 0.7;
    m.plan.layers[l].spiking.threshold = 0.4;
  }
  return m;
}

/// All channels of an image as its first.
void make_grey(const Plan& plan, Data& d) {
  const std::size_t area = plan.input().area(), size = plan.input().size();
  for (std::size_t i = 0; i < d.images.size(); ++i) d.images[i] = d.images[i / size * size + i % area];
}

/// What one of several ranks is given: one channel of grey images, and no other rank's.
Batch share_of_rank(const Plan& plan, Data& d, Share own, bool grey) {
  const std::size_t size = plan.input().size(), area = plan.input().area(), images = d.labels.size();
  const std::size_t each = grey ? area : size;
  for (std::size_t i = 0; i < images * each; ++i) {
    const std::size_t image = i / each;
    const bool here = image >= own.begin && image < own.end;
    d.images[i] = here ? d.images[image * size + i % each] : std::numeric_limits<float>::quiet_NaN();
  }
  d.images.resize(images * each);
  return {d.images, d.labels, grey ? Channels::alike : Channels::differ};
}

/// Three steps, the last two batches shorter than the first.  One rank has all images with all channels.
std::pair<Model, Trainer::State> some_steps(const Plan& plan, Transport& transport, const Descent& descent,
                                            bool grey = false) {
  Trainer trainer(plan, some_model(plan), descent, transport);
  for (const std::size_t images : {64UL, 33UL, 10UL}) {
    Data d = some_data(plan, images, 5 + static_cast<unsigned>(images));
    if (grey) make_grey(plan, d);
    Batch batch{d.images, d.labels};
    if (transport.size() > 1)
      batch = share_of_rank(plan, d, share_of(images, transport, descent.shards), grey);
    trainer.step(batch, 0.01);
  }
  return {trainer.model(), trainer.state()};
}
}  // namespace

TEST_CASE("layers: the same bits on any number of ranks") {
  const Made m = mixture();
  for (const std::uint32_t shards : {8U, 5U}) {
    Descent descent;
    descent.shards = shards;
    SerialTransport serial;
    const auto alone = some_steps(m.plan, serial, descent);
    CHECK(alone.first.parameters != some_model(m.plan).parameters);
    const Data d = some_data(m.plan, 21, 9);
    const auto out = outputs(m.plan, alone.first, d.images, serial);
    const Model again = recalibrated(m.plan, alone.first, d.images, serial);
    for (const int ranks : {2, 3, 4, 8, 11}) {
      std::atomic<int> equal = 0;
      spinet::run_loopback(ranks, [&](Transport& t) {
        const auto here = some_steps(m.plan, t, descent);
        equal += here.first == alone.first && here.second.moments == alone.second.moments &&
                 outputs(m.plan, alone.first, d.images, t) == out &&
                 recalibrated(m.plan, alone.first, d.images, t) == again;
      });
      CAPTURE(ranks, shards);
      CHECK(equal == ranks);
    }
  }
}

TEST_CASE("layers: the same bits on any number of ranks, of grey images and of spikes") {
  for (const auto& [m, grey] :
       {std::pair{mixture(), true}, {spiking_mixture(), false}, {spiking_mixture(), true}}) {
    SerialTransport serial;
    const auto alone = some_steps(m.plan, serial, {}, grey);
    for (const int ranks : {2, 3, 4, 8}) {
      std::atomic<int> equal = 0;
      spinet::run_loopback(ranks, [&, &plan = m.plan, shade = grey](Transport& t) {
        const auto here = some_steps(plan, t, {}, shade);
        equal += here.first == alone.first && here.second.moments == alone.second.moments;
      });
      CAPTURE(ranks, grey, m.plan.steps);
      CHECK(equal == ranks);
    }
  }
}

TEST_CASE("layers: the same bits with all kinds of vectors") {
  const Made m = mixture();
  const auto p = some_parameters<float>(m.plan), statistics = fresh_statistics<float>(m.plan);
  Made spiking;
  spiking.plan.steps = 5;
  spiking.layer({11, 1, 1});
  spiking.layer({10, 1, 1}, Answer::lif, 10);
  spiking.join(Join::dense);
  spiking.layer({3, 1, 1}, Answer::linear, 3);
  spiking.join(Join::dense);
  const auto q = some_parameters<float>(spiking.plan);
  for (const auto* table : {avx2_kernels(), avx512_kernels()}) {
    if (!table) {
      WARN("this processor, or compiler, lacks a kind of vectors");
      continue;
    }
    CAPTURE(table->name);
    SerialTransport serial;
    const auto compare = [&](const Plan& plan, const std::vector<float>& parameters, std::size_t images) {
      Pass<float> plain(plan, *plain_kernels(), serial, 8), other(plan, *table, serial, 8);
      const Data d = some_data(plan, images);
      const auto a = plain.train(parameters, statistics, {d.images, d.labels}, {3, 4});
      const auto b = other.train(parameters, statistics, {d.images, d.labels}, {3, 4});
      CHECK(a.loss == b.loss);
      REQUIRE(a.gradient.size() == b.gradient.size());
      CHECK(std::memcmp(a.gradient.data(), b.gradient.data(), a.gradient.size_bytes()) == 0);
    };
    for (const std::size_t images : {64UL, 20UL, 3UL, 130UL}) compare(m.plan, p, images);
    compare(spiking.plan, q, 19);
    for (const auto step : {plain_kernels()->adam, plain_kernels()->descend}) {
      std::vector<float> to[2];
      for (const auto* k : {plain_kernels(), table}) {
        std::vector<float> x(37), first(37), second(37), g(37);
        for (std::size_t i = 0; i < 37; ++i)
          x[i] = float(i) - 11, first[i] = x[i] * 0.1F, second[i] = 0.3F, g[i] = 1 / x[i];
        g[11] = 2;
        Update<float> u{
            x.data(), g.data(), first.data(), second.data(), x.data(), first.data(), second.data(), 37,
            1e-2F,    1e-3F,    0.9F,         0.999F,        3,        1e-8F};
        (step == plain_kernels()->adam ? k->adam : k->descend)(u);
        for (const auto& part : {x, first, second})
          to[k == table].insert(to[k == table].end(), part.begin(), part.end());
      }
      CHECK(to[0] == to[1]);
    }
  }
}

TEST_CASE("layers: a run that is restored goes on with the same bits") {
  const Made m = mixture();
  SerialTransport serial;
  for (const Optimiser optimiser : {Optimiser::adam, Optimiser::sgd}) {
    Descent descent;
    descent.optimiser = optimiser;
    descent.momentum = 0.9;
    descent.weight_decay = 1e-3;
    Trainer straight(m.plan, some_model(m.plan), descent, serial),
        first(m.plan, some_model(m.plan), descent, serial);
    const Data d = some_data(m.plan, 24);
    for (int i = 0; i < 2; ++i)
      straight.step({d.images, d.labels}, 0.01), first.step({d.images, d.labels}, 0.01);
    Trainer second(m.plan, some_model(m.plan, 7), descent, serial);
    second.restore(first.model(), first.state());
    for (int i = 0; i < 2; ++i) {
      const Outcome a = straight.step({d.images, d.labels}, 0.01),
                    b = second.step({d.images, d.labels}, 0.01);
      CHECK(a.loss == b.loss);
    }
    CHECK(straight.model() == second.model());
    CHECK(straight.state().moments == second.state().moments);
    CHECK_THROWS_AS(second.restore({}, first.state()), std::invalid_argument);
    CHECK_THROWS_AS(second.restore(first.model(), {}), std::invalid_argument);
  }
}

TEST_CASE("layers: a number that is none is named after its layer and leaves the model alone") {
  const Made m = mixture();
  const Data d = some_data(m.plan, 20);
  const auto refuses = [&](const Model& bad, const Data& data, double rate, const std::string& name) {
    for (const int ranks : {1, 3}) {
      std::atomic<int> told = 0;
      spinet::run_loopback(ranks, [&](Transport& t) {
        Trainer trainer(m.plan, bad, {}, t);
        const auto before = trainer.state();
        try {
          trainer.step({data.images, data.labels}, rate);
        } catch (const NotFinite& e) {
          told += e.layer == name &&
                  std::memcmp(trainer.model().parameters.data(), bad.parameters.data(),
                              bad.parameters.size() * sizeof(float)) == 0 &&
                  trainer.model().statistics == bad.statistics && trainer.state().steps == before.steps &&
                  trainer.state().moments == before.moments;
        }
      });
      CAPTURE(name, ranks);
      CHECK(told == ranks);
    }
  };
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), huge = 3e38F;
  for (const std::size_t layer : {1UL, 3UL, 5UL, 6UL}) {
    for (const float value : {nan, -huge * 10}) {
      Model bad = some_model(m.plan);
      bad.parameters[m.plan.layers[layer].bias.first + 2] = value;
      refuses(bad, d, 0.01, m.plan.layers[layer].name);
    }
  }
  Data dark = d;
  dark.images[300] = nan;
  refuses(some_model(m.plan), dark, 0.01, "layer0");
  refuses(some_model(m.plan), d, std::numeric_limits<double>::infinity(), "layer6");
  Model large = some_model(m.plan);
  large.parameters[m.plan.connections.back().weights.first] = huge;
  refuses(large, d, 0.01, "layer5");
}

TEST_CASE("layers: what does not fit is refused") {
  Made m = mixture();
  SerialTransport serial;
  const Data d = some_data(m.plan, 4);
  Trainer trainer(m.plan, some_model(m.plan), {}, serial);
  CHECK_THROWS_AS(trainer.step({}, 0.1), std::invalid_argument);
  CHECK_THROWS_AS(trainer.step({std::span(d.images).first(100), d.labels}, 0.1), std::invalid_argument);
  std::vector<std::uint32_t> labels(4, 4);
  CHECK_THROWS_WITH(trainer.step({d.images, labels}, 0.1), Catch::Contains("label 4 of 4 classes"));
  CHECK_THROWS_AS(outputs(m.plan, {}, d.images, serial), std::invalid_argument);
  m.plan.layers[1].shape = {5, 6, 7};
  CHECK_THROWS_AS(Trainer(m.plan, some_model(m.plan), {}, serial), std::invalid_argument);
}

TEST_CASE("layers: outputs are those of plain loops") {
  Made m;
  m.layer({2, 5, 6});
  m.layer({4, 3, 3}, Answer::em, 4);
  m.join(Join::convolution, {{3, 2}, {2, 2}, {1, 0}, {1, 1}, 2});
  m.normalise(2);
  m.bounded_curves();
  m.layer({4, 2, 2});
  m.join(Join::max_pool, {{2, 2}, {1, 1}, {0, 0}, {1, 1}, 1});
  m.layer({5, 1, 1}, Answer::relu, 5);
  m.join(Join::dense);
  m.normalise(16);
  m.layer({3, 1, 1}, Answer::linear, 3);
  m.join(Join::dense);
  m.plan.connections.back().dropout = 0.5;  // in training alone
  Model model = some_model(m.plan);
  for (std::size_t i = 0; i < m.plan.statistics; ++i) model.statistics[i] = 0.3F + 0.05F * float(i % 7);
  const Data d = some_data(m.plan, 13);
  SerialTransport serial;
  const auto found = outputs(m.plan, model, d.images, serial);
  const auto w = [&](const Part& part, std::size_t i) { return double(model.parameters[part.first + i]); };
  const auto normal = [&](int connection, std::size_t u, double x) {
    const Normalisation& n = m.plan.connections[connection].normalisation;
    return w(n.scale, u) * (x - model.statistics[n.mean.first + u]) /
               std::sqrt(model.statistics[n.variance.first + u] + n.epsilon) +
           w(n.shift, u);
  };
  for (std::size_t image = 0; image < 13; ++image) {
    double c1[4][3][3], p1[16], h[5];
    for (int o = 0; o < 4; ++o)
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 3; ++x) {
          double sum = w(m.plan.layers[1].bias, o);
          for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 2; ++j) {
              const int row = 2 * y + i - 1, column = 2 * x + j;
              if (row < 0 || row >= 5) continue;
              const double pixel = d.images[image * 60 + (o / 2) * 30 + row * 6 + column];
              sum += w(m.plan.connections[0].weights, (o * 3 + i) * 2 + j) * normal(0, o / 2, pixel);
            }
          const Layer& l = m.plan.layers[1];
          const double n = std::clamp(3 * sum, 0.0, 6.0);
          c1[o][y][x] = w(l.read_out, 3);
          for (int k = 0; k < 3; ++k)
            c1[o][y][x] += w(l.read_out, k) * (l.curves.curves[k].constant +
                                               l.curves.curves[k].amplitudes[0] * std::exp(-n / 4) +
                                               l.curves.curves[k].amplitudes[1] * std::exp(-n / 25));
        }
    for (int i = 0; i < 16; ++i) {
      const int o = i / 4, y = i / 2 % 2, x = i % 2;
      p1[i] = std::max({c1[o][y][x], c1[o][y][x + 1], c1[o][y + 1][x], c1[o][y + 1][x + 1]});
    }
    for (int t = 0; t < 5; ++t) {
      h[t] = w(m.plan.layers[3].bias, t);
      for (int i = 0; i < 16; ++i) h[t] += w(m.plan.connections[2].weights, t * 16 + i) * normal(2, i, p1[i]);
      h[t] = std::max(0.0, h[t]);
    }
    for (int k = 0; k < 3; ++k) {
      double z = w(m.plan.layers[4].bias, k);
      for (int t = 0; t < 5; ++t) z += w(m.plan.connections[3].weights, k * 5 + t) * h[t];
      CHECK(found[image * 3 + k] == Approx(z).epsilon(1e-5).margin(1e-5));
    }
  }
}

TEST_CASE("layers: statistics estimated anew are those of all images") {
  const Made m = mixture();
  SerialTransport serial;
  const Data d = some_data(m.plan, 150);
  const Model again = recalibrated(m.plan, some_model(m.plan), d.images, serial);
  const Normalisation& n = m.plan.connections[0].normalisation;
  for (std::size_t c = 0; c < 2; ++c) {
    double sum = 0, square = 0;
    for (std::size_t i = 0; i < 150 * 64; ++i) {
      const double x = d.images[i / 64 * 128 + c * 64 + i % 64];
      sum += x, square += x * x;
    }
    const double count = 150 * 64, mean = sum / count;
    CHECK(again.statistics[n.mean.first + c] == Approx(mean).epsilon(1e-6));
    CHECK(again.statistics[n.variance.first + c] ==
          Approx((square - count * mean * mean) / (count - 1)).epsilon(1e-5));
  }
  CHECK(again.parameters == some_model(m.plan).parameters);
}

TEST_CASE("layers: powers of two to an ulp") {
  const float one = 1;
  float worst = 0;
  for (const auto* table : {plain_kernels(), avx2_kernels(), avx512_kernels()}) {
    if (!table) continue;
    std::vector<float> x(table->lanes), a(table->lanes);
    const auto at = [&](float n) {
      std::fill(x.begin(), x.end(), n);
      table->em({x.data(), 1, 1, &one, &one, &one, 0, 1, 0, 0, false}, a.data());
      return a.back();
    };
    for (float n = -125.9F; n < 127; n += 0.173F)
      worst = std::max(worst, std::abs(at(n) / static_cast<float>(std::exp2(double(n))) - 1));
    CHECK(worst < 1.5e-7F);
    CHECK(at(0) == 1);
    CHECK(at(-127) == 0);
    CHECK(at(-std::numeric_limits<float>::infinity()) == 0);
    CHECK(at(128) == std::numeric_limits<float>::infinity());
    CHECK(at(3e38F) == std::numeric_limits<float>::infinity());
    CHECK(std::isnan(at(std::numeric_limits<float>::quiet_NaN())));
  }
}

TEST_CASE("layers: descent learns a small set by heart, and leaves alone what is fixed") {
  Made m = dense_net(Answer::em);
  m.plan.connections[0].fixed = true;
  SerialTransport serial;
  const Model start = some_model(m.plan);
  Trainer trainer(m.plan, start, {}, serial);
  const Data d = some_data(m.plan, 12);
  Outcome last;
  for (int i = 0; i < 1500; ++i) last = trainer.step({d.images, d.labels}, 0.02);
  CHECK(last.right >= 11);
  const auto same = [&](const Part& p) {
    REQUIRE(p.count > 0);
    const auto at = static_cast<std::ptrdiff_t>(p.first), count = static_cast<std::ptrdiff_t>(p.count);
    return std::equal(start.parameters.begin() + at, start.parameters.begin() + at + count,
                      trainer.model().parameters.begin() + at);
  };
  const Connection &fixed = m.plan.connections[0], &other = m.plan.connections[1];
  for (const Part& p : {fixed.weights, fixed.normalisation.scale, fixed.normalisation.shift,
                        m.plan.layers[1].bias, m.plan.layers[1].read_out})  // all of its weights are
    CHECK(same(p));
  for (const Part& p :
       {other.weights, other.normalisation.scale, other.normalisation.shift, m.plan.layers[2].bias})
    CHECK(!same(p));
}
