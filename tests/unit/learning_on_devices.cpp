// Tiles of devices that learn by coincident pulses, against the closed form and plain descent.
#include <catch2/catch.hpp>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "comm/serial.hpp"
#include "layers/trainer.hpp"
#include "mapping/learner.hpp"
#include "mapping/tile.hpp"
#include "network/catalogue.hpp"
#include "support/layered.hpp"
#include "train/order.hpp"

namespace {

using namespace spinet::test;
namespace mapping = spinet::mapping;
using spinet::Control;
using spinet::Devices;

const spinet::SynapseTable& pcm_table() {
  static const auto catalogue = [] {
    spinet::Catalogue c;
    spinet::add_builtin(c);
    return c;
  }();
  return *reinterpret_cast<const spinet::SynapseTable*>(catalogue.find(spinet::Kind::synapse, "pcm"));
}
/// Steps of a thousandth of the range, without noise or drift: nearly a number.
Devices::Make steady(std::uint32_t first, std::uint32_t count) {
  Devices::Make m;
  const spinet::Model& model = pcm_table().model;
  const auto value = [](const std::string& name, double preset) {
    return name == "step"                                                         ? 1e-3
           : name == "drift" || name == "programming_noise" || name == "noise_1f" ? 0
                                                                                  : preset;
  };
  for (std::uint32_t i = 0; i < model.params.count; ++i)
    m.params.push_back(value(model.params.data[i].name, model.params.data[i].preset));
  for (std::uint32_t i = 0; i < model.variables.count; ++i)
    m.initial.push_back(model.variables.data[i].preset);
  m.first = first, m.count = count;
  return m;
}
mapping::Scheme steady_scheme() {
  mapping::Pulses pulses;
  pulses.up.value[0] = 2, pulses.up.value[1] = 1e-3;
  pulses.down.value[0] = -2, pulses.down.value[1] = 1e-3;
  mapping::Scheme s = mapping::scheme_of(pulses, {0, 100}, 0.001, 2000);  // w_max is 100
  s.pairs = false;
  return s;
}

}  // namespace

TEST_CASE("a tile of devices: coincident pulses change weights by the product in the mean") {
  const mapping::TileShape shape{3, 2};
  mapping::Tile tile(pcm_table(), {steady(0, shape.size()), steady(50, shape.size())}, steady_scheme(), shape,
                     1);
  CHECK(tile.step() == Approx(2e-3).epsilon(1e-4));  // a thousandth of -1 .. 1
  std::vector<float> w(shape.size(), 0), at(shape.size());
  const auto written = tile.write(w);
  CHECK(written.reached == shape.size());
  tile.read(at);
  for (const float x : at) CHECK(std::fabs(x) < 2.1e-3);
  const std::vector<double> x{1, -0.5, 0}, d{0.8, -0.2};
  const double rate = 0.01;
  const int updates = 100;
  for (std::uint32_t k = 0; k < updates; ++k) tile.update({x, d, rate}, 31, {7, k});
  std::vector<float> after(shape.size());
  tile.read(after);
  double pulses = 0;
  for (std::size_t j = 0; j < 2; ++j)
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i, j);
      const double wanted = updates * rate * x[i] * d[j], number = std::fabs(wanted) / tile.step();
      pulses += number;
      // A number of coincidences is binomial: its variance is below its mean.
      const double found = static_cast<double>(after[j * 3 + i]) - static_cast<double>(at[j * 3 + i]);
      CHECK(std::fabs(found - wanted) < 4 * std::sqrt(number + 1e-9) * tile.step() + 1e-5);
    }
  CHECK(std::fabs(static_cast<double>(tile.pulses()) - pulses) < 4 * std::sqrt(3 * pulses));
  // Nothing to do, and nothing done.
  const auto before = tile.pulses();
  tile.update({std::vector<double>{0, 0, 0}, d, rate}, 31, {7, 7});
  tile.update({x, d, 0}, 31, {7, 8});
  CHECK(tile.pulses() == before);
}

TEST_CASE("a tile of devices: where up and down undo each other is a weight of 0") {
  const mapping::TileShape shape{4, 5};
  mapping::Tile tile(pcm_table(), {steady(0, shape.size()), steady(50, shape.size())}, steady_scheme(), shape,
                     1);
  tile.balance(10);
  std::vector<float> w(shape.size());
  tile.read(w);
  for (const float x : w) CHECK(std::fabs(x) < 2.1e-3);  // the tolerance of references
  tile.update({std::vector<double>{1, 1, 1, 1}, std::vector<double>{1, 1, 1, 1, 1}, 1}, 32, {1, 1});
  tile.read(w);
  for (const float x : w) CHECK(x > 0.01);
}

TEST_CASE("a tile of devices: trains with a pulse in every slot, and what they make of an update") {
  const mapping::TileShape shape{3, 2};
  mapping::Tile tile(pcm_table(), {steady(0, shape.size()), steady(50, shape.size())}, steady_scheme(), shape,
                     1);
  std::vector<float> at(shape.size(), 0), after(shape.size());
  tile.write(at);
  tile.read(at);
  const std::vector<double> x{1, -0.5, 0}, d{0.8, -0.2};
  const int updates = 5;
  for (std::uint32_t k = 0; k < updates; ++k) tile.update({x, d, 1}, 31, {7, k});
  tile.read(after);
  double changes = 0;
  for (std::size_t i = 0; i < at.size(); ++i) changes += static_cast<double>(std::fabs(after[i] - at[i]));
  const auto& trains = tile.trains();
  // Of 4 trains that are sent only that of the lesser error has less than a pulse for each slot.
  CHECK(trains.sent == 4 * updates);
  CHECK(trains.saturated == 3 * updates);
  CHECK(trains.wanted == Approx(updates * 1.5 * 1.0));  // the sums of |x| and |d|
  const double slots = 31 * tile.step();
  CHECK(trains.made == Approx(updates * slots * 2 * (1 + std::sqrt(0.8 / slots) / 4)));
  CHECK(changes == Approx(trains.made).epsilon(0.05));
  CHECK(changes < 0.2 * trains.wanted);
}

TEST_CASE("learning on devices: nothing of what is fixed is learnt") {
  Plan plan = dense_net(Answer::relu).plan;
  for (auto& c : plan.connections) c.normalisation.on = false;
  plan.connections[0].fixed = true;
  const Data d = some_data(plan, 10);
  spinet::images::Images images;
  images.count = 10, images.shape = plan.input(), images.classes = plan.classes();
  images.numbers = d.images, images.labels = d.labels;
  const Model start{some_parameters<float>(plan), fresh_statistics<float>(plan)};
  for (const auto rule : {mapping::Rule::exact, mapping::Rule::pulses}) {
    CAPTURE(static_cast<int>(rule));
    mapping::Learning learning;
    learning.rule = rule;
    mapping::Learner learner(plan, start, learning, {&pcm_table(), steady_scheme(), steady});
    learner.epoch(images);
    const auto now = learner.read().parameters;
    const auto same = [&](const Part& p) {
      const auto at = static_cast<std::ptrdiff_t>(p.first), count = static_cast<std::ptrdiff_t>(p.count);
      return std::equal(now.begin() + at, now.begin() + at + count, start.parameters.begin() + at);
    };
    CHECK(same(plan.connections[0].weights));
    CHECK(same(plan.layers[1].bias));
    CHECK(!same(plan.connections[1].weights));
    CHECK(!same(plan.layers[2].bias));
  }
}

TEST_CASE("learning on devices: the rule 'exact' is descent on single images, pulses follow it") {
  const Made net = dense_net(Answer::relu);
  const std::uint32_t count = 40;
  const Data d = some_data(net.plan, count);
  spinet::images::Images images;
  images.count = count;
  images.shape = net.plan.input();
  images.numbers = d.images;
  images.labels = d.labels;
  images.classes = net.plan.classes();
  Plan plan = net.plan;
  for (auto& c : plan.connections) c.normalisation.on = false, c.dropout = 0;
  REQUIRE(mapping::not_learnable(plan).empty());
  const Model start{some_parameters<float>(plan), fresh_statistics<float>(plan)};
  mapping::Learning learning;
  learning.rule = mapping::Rule::exact;
  learning.seed = 5, learning.rate = 0.02;
  mapping::Learner exact(plan, start, learning, {});
  const auto first = exact.epoch(images);
  // The same by the trainer.
  spinet::SerialTransport alone;
  Descent descent;
  descent.optimiser = Optimiser::sgd;
  Trainer trainer(plan, start, descent, alone);
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  double loss = 0;
  for (const std::uint32_t i : spinet::train::order_of(order, 5, 0)) {
    const std::span<const float> pixels(d.images.data() + i * plan.input().size(), plan.input().size());
    loss += trainer.step({pixels, std::span(&d.labels[i], 1)}, 0.02).loss / count;
  }
  CHECK(first.loss == Approx(loss).epsilon(1e-6));
  const auto reached = exact.read().parameters;
  for (std::size_t i = 0; i < reached.size(); ++i)
    CHECK(reached[i] == Approx(trainer.model().parameters[i]).margin(2e-6));

  learning.rule = mapping::Rule::pulses;
  mapping::Learner pulsed(plan, start, learning, {&pcm_table(), steady_scheme(), steady});
  const auto begun = pulsed.read().parameters;
  const auto epoch = pulsed.epoch(images);
  CHECK(epoch.loss == Approx(loss).epsilon(0.1));
  CHECK(epoch.pulses > 0);
  // Weights go where descent goes: the two changes are nearly along one line.
  const auto now = pulsed.read().parameters;
  double both = 0, mine = 0, theirs = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const double a = now[i] - begun[i], b = reached[i] - start.parameters[i];
    both += a * b, mine += a * a, theirs += b * b;
  }
  CHECK(both / std::sqrt(mine * theirs) > 0.8);
}
