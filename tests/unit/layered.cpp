// Layers: rules against plain loops, the plan of a network, and events that carry what a plain loop computes.
#include <catch2/catch.hpp>

#include <cmath>
#include <map>
#include <random>

#include "connect/rule.hpp"
#include "core/connect.hpp"
#include "layers/fold.hpp"
#include "layers/plan_of.hpp"
#include "layers/trainer.hpp"
#include "network/layer_numbers.hpp"
#include "network/loader.hpp"
#include "network/replicas.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/memory_recorder.hpp"
#include "support/on_ranks.hpp"
#include "support/one_rank.hpp"

using namespace spinet;
using namespace spinet::test;
using namespace spinet::layers;

namespace {

/// Shows images, each member a pixel, one every period; a pixel of 0 is no event.
struct Images {
  static constexpr const char* name = "test_images";
  static constexpr const char* doc = "Shows images.";
  static constexpr std::uint32_t graded = 1, environment = 1;
  static constexpr Port ports[] = {{"answer", "1", "answers", 0, 1, 0}};
  static inline std::vector<float> shown;
  struct Params {
    double period;
  };
  struct Constants {
    Tick period;
  };
  struct State {
    double image;
  };
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::period, "period", "ms", 2, above(0), in_ticks | spinet::shared, "from image to image");
    return t;
  }
  static auto variables() { return FieldTable<State>(); }
  using N = Neurons<Images>;
  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    n.constants(j) = {static_cast<Tick>(std::round(p.period * n.b.run.ticks_per_ms))};
    n.state(j) = {0};
    if (j == 0) n.out().wake_at(0, 0);
  }
  static void wake(N n, Tick tick, std::span<const std::uint32_t>) {
    const auto first = static_cast<std::size_t>(n.state(0).image++) * n.size();
    if (first >= shown.size()) return;
    for (std::uint32_t j = 0; j < n.size(); ++j)
      if (shown[first + j] != 0) n.out().emit(tick, j, static_cast<double>(shown[first + j]));
    n.out().wake_at(tick + n.constants(0).period, 0);
  }
  static void arrive(N, Tick, std::uint32_t, std::uint32_t, double) {}
  static double read(N, Tick, std::uint32_t, std::uint32_t) { return 0; }
};

const Catalogue& catalogue() {
  static const Catalogue all = [] {
    Catalogue c;
    add_builtin(c);
    c.add(&neuron_table<Images>().model, "test");
    return c;
  }();
  return all;
}

Network read(const std::string& body) {
  try {
    return load_text("spinet: 1\nname: layers\nduration: 20 ms\n" + body, "layers.yaml", catalogue());
  } catch (const InvalidNetwork& e) {
    FAIL(e.rendered);
  }
  return {};
}

/// A network with one projection between two shapes.
Network between(const std::string& from, const std::string& to, const std::string& connect) {
  return read("populations:\n  a: {model: linear, shape: " + from + "}\n  b: {model: maximum, shape: " + to +
              "}\nprojections:\n  p: {from: a, to: b, connect: " + connect +
              ", synapse: {model: static, weight: {uniform: {low: -1, high: 1}}, delay: 0.1 ms}}\n");
}

using Edges = std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>;  // (source, target): weight

Edges edges_of(const Network& net) {
  const Connector c(net, 0);
  bool all[target_stretch];
  std::fill(std::begin(all), std::end(all), true);
  Edges found;
  for (std::uint32_t stretch = 0; stretch < c.stretch_count(); ++stretch)
    c.edges(stretch, all, [&](const DrawnEdge* e, std::size_t n) {
      for (; n; --n, ++e)
        CHECK(
            found.emplace(std::pair(e->source, stretch * target_stretch + e->target), e->weight_word).second);
    });
  CHECK(net.projections[0].rule->count(Ends(net, net.projections[0])) == static_cast<double>(found.size()));
  return found;
}

struct Grid {
  int channels, height, width;
};

struct Kernel {
  int size[2], stride[2] = {1, 1}, padding[2] = {0, 0}, dilation[2] = {1, 1};
};

/// Every input of every kernel, the kernel laid over the padded input by hand.
Edges convolved(Grid a, Grid b, int groups, const Kernel& kernel) {
  const auto& [size, stride, padding, dilation] = kernel;
  Edges all;
  const int in = a.channels / groups, out = b.channels / groups;
  for (int o = 0; o < b.channels; ++o)
    for (int c = 0; c < in; ++c)
      for (int y = 0; y < a.height; ++y)
        for (int x = 0; x < a.width; ++x)
          for (int i = 0; i < size[0]; ++i)
            for (int k = 0; k < size[1]; ++k) {
              const int r = y + padding[0] - i * dilation[0], s = x + padding[1] - k * dilation[1];
              if (r < 0 || s < 0 || r % stride[0] || s % stride[1]) continue;
              if (r / stride[0] >= b.height || s / stride[1] >= b.width) continue;
              const int source = ((o / out * in + c) * a.height + y) * a.width + x;
              const int target = (o * b.height + r / stride[0]) * b.width + s / stride[1];
              all[{static_cast<std::uint32_t>(source), static_cast<std::uint32_t>(target)}] =
                  static_cast<std::uint32_t>(((o * in + c) * size[0] + i) * size[1] + k);
            }
  return all;
}

}  // namespace

TEST_CASE("convolution: the edges and weights of a plain loop; strides, padding, dilation and groups") {
  const auto plain = between("[3, 9, 8]", "[6, 7, 6]", "{convolution: {kernel: 3}}");
  CHECK((edges_of(plain) == convolved({3, 9, 8}, {6, 7, 6}, 1, {.size = {3, 3}})));
  CHECK(plain.projections[0].shared_weights.size() == 6 * 3 * 9);
  const auto odd = between(
      "[4, 11, 9]", "[6, 6, 6]",
      "{convolution: {kernel: [3, 2], stride: [2, 1], padding: [1, 0], dilation: [1, 3], groups: 2}}");
  CHECK((edges_of(odd) ==
         convolved({4, 11, 9}, {6, 6, 6}, 2,
                   {.size = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 3}})));
  CHECK(odd.projections[0].shared_weights.size() == 6 * 2 * 6);
}

TEST_CASE(
    "pool: the edges of a plain loop, weights that average; dense: a weight for each pair in its order") {
  Edges wanted;
  for (auto& [ends, weight] :
       convolved({3, 6, 5}, {3, 3, 3}, 3, {.size = {2, 2}, .stride = {2, 2}, .padding = {0, 1}}))
    wanted[ends] = 0;
  for (const std::string kind : {"average", "sum", "max"}) {
    const Network net =
        between("[3, 6, 5]", "[3, 3, 3]", "{pool: {kind: " + kind + ", size: 2, padding: [0, 1]}}");
    Edges got;
    for (const auto& [ends, weight] : edges_of(net)) got[ends] = 0;
    CHECK((got == wanted));
    const double share = kind == "average" ? 0.25 : 1;
    CHECK(net.projections[0].state[0].a == -share);
    CHECK(net.projections[0].state[0].b == share);
    const Distribution& inputs =
        net.populations[1].params[*parameter_of(*net.populations[1].model, "inputs")];
    std::vector<double> windows;
    for (int i = 0; i < 9; ++i) windows.insert(windows.end(), {2, 4, 4});
    if (kind == "max") CHECK((inputs.values == windows));
    else CHECK(is_auto(inputs.a));
  }
  const Network net = between("[300]", "[5]", "dense");
  Edges dense;
  for (std::uint32_t t = 0; t < 5; ++t)
    for (std::uint32_t s = 0; s < 300; ++s) dense[{s, t}] = t * 300 + s;
  CHECK((edges_of(net) == dense));
}

namespace {

/// A network with everything that layers have, small.
const std::string everything = R"(
block: BLOCK
populations:
  image: {model: test_images, shape: [2, 9, 9], params: {period: 2 ms}}
  c1: {model: relu, shape: [4, 9, 9], params: {bias: {fan_in: uniform}}}
  p1: {model: linear, shape: [4, 5, 5]}
  c2: {model: linear, shape: [6, 3, 3], params: {bias: {fan_in: normal}}}
  m2: {model: maximum, shape: [6, 2, 2]}
  flat: {model: linear, shape: [24]}
  f1: {model: relu, shape: [11], params: {bias: {fan_in: uniform}}}
  out: {model: linear, shape: [5], params: {bias: 0.25}}
projections:
  conv1: {from: image, to: c1, connect: {convolution: {kernel: 3, padding: 1}},
    normalise: {batch: {momentum: 0.2}},
    synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  pool1: {from: c1, to: p1, connect: {pool: {kind: average, size: 3, stride: 2, padding: 1}},
    normalise: batch,
    synapse: {model: static, delay: 0.2 ms}}
  conv2: {from: p1, to: c2, connect: {convolution: {kernel: 3, groups: 2}}, normalise: batch,
    synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  pool2: {from: c2, to: m2, connect: {pool: {kind: max, size: 2, padding: 1}}, normalise: batch,
    synapse: {model: static, delay: 0.1 ms}}
  flatten: {from: m2, to: flat, connect: one_to_one, synapse: {model: static, weight: 1, delay: 0.1 ms}}
  read: {from: flat, to: f1, connect: dense, dropout: 0.2, normalise: batch,
    synapse: {model: static, weight: {fan_in: normal}, delay: 0.1 ms}}
  last: {from: f1, to: out, connect: dense, synapse: {model: static, weight: {fan_in: uniform},
    delay: 0.1 ms}}
  skip: {from: flat, to: out, connect: dense, synapse: {model: static, weight: {fan_in: uniform},
    delay: 0.2 ms}}
record:
  reports:
    - {population: out, variable: y, every: 2 ms, from: 0.8001 ms, ids: [0..4]}
training: {epochs: 3, batch: 16, rate: 0.01, optimiser: {sgd: {momentum: 0.5}}, validation: 10 %, patience: 2,
  schedule: {step: {every: 2, factor: 0.5}}, fixed: [conv2]}
)";
Network with_block(std::string text, const std::string& block) {
  text.replace(text.find("BLOCK"), 5, block);
  return read(text);
}

/// What a connection sends to each neuron of its target: plain loops over padded input, in double.
void plain(const Plan& plan, const layers::Model& m, const Connection& c, std::vector<double> in,
           std::vector<double>& to) {
  const Shape &a = plan.layers[c.source].shape, &b = plan.layers[c.target].shape;
  const auto p = [&](std::size_t i) { return static_cast<double>(m.parameters[i]); };
  if (const auto& n = c.normalisation; n.on)
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::size_t k = n.scale.count == in.size() ? i : i / a.area();
      const double mean = static_cast<double>(m.statistics[n.mean.first + k]),
                   variance = static_cast<double>(m.statistics[n.variance.first + k]);
      in[i] = p(n.scale.first + k) * (in[i] - mean) / std::sqrt(variance + n.epsilon) + p(n.shift.first + k);
    }
  if (c.join == Join::one_to_one)
    for (std::size_t i = 0; i < in.size(); ++i) to[i] += in[i];
  if (c.join == Join::dense)
    for (std::size_t t = 0; t < to.size(); ++t)
      for (std::size_t s = 0; s < in.size(); ++s) to[t] += p(c.weights.first + t * in.size() + s) * in[s];
  if (c.join == Join::one_to_one || c.join == Join::dense) return;
  const auto& w = c.window;
  const bool conv = c.join == Join::convolution;
  const std::uint32_t channels = conv ? a.channels / w.groups : 1;
  for (std::uint32_t o = 0; o < b.channels; ++o)
    for (std::uint32_t y = 0; y < b.height; ++y)
      for (std::uint32_t x = 0; x < b.width; ++x) {
        double sum = 0, greatest = -1e300;
        for (std::uint32_t k = 0; k < channels; ++k)
          for (std::uint32_t i = 0; i < w.size[0]; ++i)
            for (std::uint32_t j = 0; j < w.size[1]; ++j) {
              const int r = int(y * w.stride[0] + i * w.dilation[0]) - int(w.padding[0]),
                        s = int(x * w.stride[1] + j * w.dilation[1]) - int(w.padding[1]);
              if (r < 0 || s < 0 || r >= int(a.height) || s >= int(a.width)) continue;
              const std::uint32_t from = conv ? o / (b.channels / w.groups) * channels + k : o;
              const double v = in[(from * a.height + unsigned(r)) * a.width + unsigned(s)];
              sum +=
                  v * (conv ? p(c.weights.first + ((o * channels + k) * w.size[0] + i) * w.size[1] + j) : 1);
              greatest = std::max(greatest, v);
            }
        if (c.join == Join::average_pool) sum /= w.size[0] * w.size[1];
        to[(o * b.height + y) * b.width + x] += c.join == Join::max_pool ? greatest : sum;
      }
}

std::vector<std::vector<double>> plain_layers(const Plan& plan, const layers::Model& m,
                                              std::span<const float> image) {
  std::vector<std::vector<double>> y{{image.begin(), image.end()}};
  for (std::uint32_t t = 1; t < plan.layers.size(); ++t) {
    const Layer& l = plan.layers[t];
    std::vector<double> x(l.shape.size(), 0);
    for (std::size_t i = 0; i < x.size() && l.bias.count; ++i)
      x[i] = static_cast<double>(m.parameters[l.bias.first + i / (x.size() / l.bias.count)]);
    for (const Connection& c : plan.connections)
      if (c.target == t) plain(plan, m, c, y[c.source], x);
    for (double& v : x) {
      if (l.answer == Answer::relu) v = std::max(v, 0.0);
      if (l.answer != Answer::em) continue;
      double n = l.curves.gain * v,
             sum = static_cast<double>(m.parameters[l.read_out.first + l.curves.curves.size()]);
      if (l.curves.n_max > l.curves.n_min) n = std::clamp(n, l.curves.n_min, l.curves.n_max);
      for (std::size_t k = 0; k < l.curves.curves.size(); ++k) {
        double curve = l.curves.curves[k].constant;
        for (std::size_t i = 0; i < l.curves.taus.size(); ++i)
          curve += l.curves.curves[k].amplitudes[i] * std::exp(-n / l.curves.taus[i]);
        sum += static_cast<double>(m.parameters[l.read_out.first + k]) * curve;
      }
      v = sum;
    }
    y.push_back(std::move(x));
  }
  return y;
}

/// Images with many dark pixels, and one that is all dark.
void show(std::size_t pixels, std::size_t images) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> even(-1, 1);
  Images::shown.assign(pixels * images, 0);
  for (std::size_t i = 0; i < pixels * (images - 1); ++i) Images::shown[i] = std::max(even(random), 0.0f);
}
/// As after some training.
void disturb(layers::Model& m) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 0.3f);
  for (float& x : m.parameters) x += normal(random);
  for (std::size_t i = 0; i < m.statistics.size(); ++i)
    m.statistics[i] = std::abs(m.statistics[i] + normal(random));
}

/// The engine's answers are those of the plain loop, for all images and neurons.
void check_answers(const Network& net, const Plan& plan, const layers::Model& m, int ranks) {
  auto recorder = on_ranks(net, ranks);
  const std::size_t pixels = plan.input().size(), images = Images::shown.size() / pixels,
                    classes = plan.classes();
  const auto& samples = recorder.report(0);
  REQUIRE(samples.size() >= images * classes);
  OneRank alone;
  const std::vector<float> trained = outputs(plan, m, Images::shown, alone);
  for (std::size_t i = 0; i < images; ++i) {
    const auto y = plain_layers(plan, m, std::span(Images::shown).subspan(i * pixels, pixels));
    for (std::size_t k = 0; k < classes; ++k) {
      CAPTURE(i, k);
      CHECK(static_cast<double>(samples[i * classes + k]) == Approx(y.back()[k]).margin(1e-5));
      CHECK(std::abs(trained[i * classes + k] - samples[i * classes + k]) < 1e-4f);
    }
  }
}

}  // namespace

TEST_CASE("layers: the plan has what the network says") {
  const Network net = with_block(everything, "256");
  const auto [plan, initial] = layered(net);
  REQUIRE(plan.layers.size() == 8);
  REQUIRE(plan.connections.size() == 8);
  CHECK(plan.layers[0].name == "image");
  CHECK((plan.input() == Shape{2, 9, 9}));
  CHECK(plan.layers.back().name == "out");
  CHECK(plan.classes() == 5);
  const Join joins[] = {Join::convolution, Join::average_pool, Join::convolution, Join::max_pool,
                        Join::one_to_one,  Join::dense,        Join::dense,       Join::dense};
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const Connection& c = plan.connections[i];
    CHECK(c.join == joins[i]);
    CHECK(c.source < c.target);
    CHECK(c.fixed == (c.name == "conv2"));
    CHECK(c.dropout == (c.name == "read" ? 0.2 : 0));
    parameters += trained_of_projection(net, c.projection).all();
  }
  for (std::size_t i = 1; i < 8; ++i)
    parameters += trained_of_population(net, plan.layers[i].population).all();
  CHECK(plan.parameters == parameters);
  CHECK(initial.parameters.size() == parameters);
  // convolutions, pools by channel, dense by neuron; scale and shift, weights, biases
  CHECK(parameters == 2 * 2 + 4 * 2 * 9 + 4 + 2 * 4 + 2 * 4 + 6 * 2 * 9 + 6 + 2 * 6 + 2 * 24 + 24 * 11 + 11 +
                          11 * 5 + 24 * 5 + 5);
  CHECK(initial.statistics.size() == plan.statistics);
  CHECK(plan.connections[0].normalisation.momentum == 0.2);
  CHECK(plan.connections[1].normalisation.momentum == 0.1);
  // conv2 is fixed, and nothing else ends where it does
  std::size_t fixed = 0;
  for (const Part& part : fixed_parts(plan)) fixed += part.count;
  CHECK(fixed == 2 * 4 + 6 * 2 * 9 + 6);
  CHECK(parameters_of(net).fixed == fixed);
  CHECK(parameters_of(net).trained == parameters - fixed);
  REQUIRE(net.training);
  CHECK(net.training->rate_in(0, 3) == 0.01);
  CHECK(net.training->rate_in(2, 3) == 0.005);
  CHECK(net.training->momentum == 0.5);
  CHECK((net.training->optimiser == Training::Optimiser::sgd));
}

TEST_CASE("layers: weights and biases are drawn by fan-in, the same for a seed") {
  const auto [plan, one] = layered(with_block(everything, "256"));
  const auto [again, same] = layered(with_block(everything, "16"));
  CHECK(one == same);
  const auto [other, different] = layered(with_block("seed: 2\n" + everything, "256"));
  CHECK(!(one == different));
  const Network alone = with_block("seed: 2\n" + everything, "256");
  const std::uint32_t seeds[] = {1, 2};
  const Network both = replicate(with_block(everything, "256"), seeds);
  for (std::size_t p = 0; p < alone.projections.size(); ++p)
    CHECK((both.projections[2 * p + 1].shared_weights == alone.projections[p].shared_weights));
  CHECK((both.populations[3].params[0] == alone.populations[1].params[0]));  // biases of c1
  CHECK(!(both.populations[2].params[0] == alone.populations[1].params[0]));
  for (const Connection& c : plan.connections) {
    if (c.weights.count == 0) continue;
    const Layer& from = plan.layers[c.source];
    const double fan_in = c.join == Join::dense ? static_cast<double>(from.shape.size())
                                                : static_cast<double>(from.shape.channels / c.window.groups *
                                                                      c.window.size[0] * c.window.size[1]);
    double square = 0;
    for (std::size_t i = 0; i < c.weights.count; ++i)
      square += std::pow(static_cast<double>(one.parameters[c.weights.first + i]), 2);
    const double variance = square / static_cast<double>(c.weights.count) * fan_in;
    const bool normal = c.name == "read";
    CAPTURE(c.name);
    // Its own deviation is sqrt(2 / n) of a normal, sqrt(0.8 / n) of an even distribution.
    CHECK(std::abs(variance - (normal ? 1 : 1. / 3)) <
          5 * std::sqrt((normal ? 2 : 0.8 / 9) / static_cast<double>(c.weights.count)));
  }
}

TEST_CASE("layers: events carry what plain loops compute, before and after training, on any rank and block") {
  show(162, 4);
  for (const auto& [block, ranks] :
       {std::pair("256", 1), std::pair("1", 1), std::pair("16", 3), std::pair("4096", 2)}) {
    CAPTURE(block, ranks);
    Network net = with_block(everything, block);
    auto [plan, model] = layered(net);
    fold(plan, model, net);
    check_answers(net, plan, model, ranks);
    disturb(model);
    fold(plan, model, net);
    check_answers(net, plan, model, ranks);
  }
}

TEST_CASE("electrical-magnetic neurons: events carry what curves read out give, kept within bounds or not") {
  for (const std::string bounds : {"", ", n_min: 0, n_max: 64"}) {
    Network net = read(R"(
populations:
  image: {model: test_images, shape: [1, 6, 6]}
  c1: {model: em_activation, shape: [3, 4, 4], params: {bias: {fan_in: uniform}, gain: 3)" +
                       bounds + R"(},
    curves: {preset: em_reference, fields: [0 G, 100 G]}}
  out: {model: linear, shape: [4], params: {bias: {fan_in: uniform}}}
projections:
  conv: {from: image, to: c1, connect: {convolution: {kernel: 3}}, normalise: batch,
    synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  read: {from: c1, to: out, connect: dense, normalise: batch,
    synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
record: {reports: [{population: out, variable: y, every: 2 ms, from: 0.2001 ms, ids: [0..3]}]}
)");
    show(36, 5);
    auto [plan, model] = layered(net);
    CHECK(plan.layers[1].read_out.count == 5);
    fold(plan, model, net);
    check_answers(net, plan, model, 1);
    disturb(model);
    fold(plan, model, net);
    check_answers(net, plan, model, 2);
  }
}

TEST_CASE(
    "layers: a run that is continued answers as one that was not, on other ranks, wherever it was stopped") {
  show(162, 6);
  Network net = with_block(everything, "16");
  auto [plan, model] = layered(net);
  disturb(model);
  fold(plan, model, net);
  const auto whole = on_ranks(net, 1).report(0);
  MemoryCheckpoints checkpoints;
  RunHooks hooks;
  hooks.checkpoints.sink = &checkpoints;
  hooks.checkpoints.every = 700'000;  // 0.7 ms: between the layers of an image, too
  OneRank one;
  Simulation(net, one).run(nullptr, hooks);
  REQUIRE(checkpoints.saved.size() > 10);
  for (const auto& [at, parts] : checkpoints.saved) {
    if (at % 3 != 0) continue;
    CAPTURE(at);
    checkpoints.chosen = at;
    MemoryRecorder rest;
    run_loopback(2, [&, at = at](Transport& t) {
      Simulation s(net, t);
      s.restore(checkpoints);
      s.run(t.rank() == 0 ? &rest : nullptr);
    });
    const auto& got = rest.report(0);
    REQUIRE(got.size() <= whole.size());
    CHECK((std::vector(whole.end() - static_cast<std::ptrdiff_t>(got.size()), whole.end()) == got));
  }
}

TEST_CASE("layers: parameters of the networks for clothes") {
  const std::pair<const char*, std::size_t> networks[] = {
      {"relu", 45'664}, {"set1", 45'676}, {"set2", 45'732}};
  for (const auto& [name, parameters] : networks) {
    CAPTURE(name);
    const auto net = load(std::string(NETWORKS) + "/fashion_mnist/" + name + ".yaml", catalogue(), {});
    CHECK(parameters_of(net).trained == parameters);
    CHECK(layered(net).plan.parameters == parameters);
  }
}
