// The environment that shows images: what it sends, hears and posts; and what a layered network makes of
// images event by event, against what the trainer computes of them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "comm/loopback.hpp"
#include "core/simulation.hpp"
#include "layers/fold.hpp"
#include "layers/plan_of.hpp"
#include "layers/trainer.hpp"
#include "network/loader.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/memory_recorder.hpp"
#include "support/one_rank.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

constexpr Tick period = 1'000'000;  // 1 ms

Network network_of_images(const std::string& body) {
  Catalogue catalogue;
  add_builtin(catalogue);
  try {
    return load_text("spinet: 1\nname: images\nduration: 1 ms\ndelay_resolution: 0.1 ms\n" + body,
                     "images.yaml", catalogue);
  } catch (const InvalidNetwork& e) {
    FAIL(e.rendered);
  }
  return {};
}

/// Rows of pixels, and a label of each.
struct Labelled {
  std::uint32_t pixels, classes;
  std::vector<float> all;
  std::vector<std::uint32_t> labels;
};
/// Puts them into the population that shows them, which is the first one.
void give(Network& net, const Labelled& images, Tick every = period) {
  const auto& [pixels, classes, all, labels] = images;
  Population& p = net.populations[0];
  p.pattern_inputs = pixels;
  p.pattern_targets = classes;
  p.patterns.clear();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    p.patterns.insert(p.patterns.end(), all.begin() + static_cast<std::ptrdiff_t>(i * pixels),
                      all.begin() + static_cast<std::ptrdiff_t>((i + 1) * pixels));
    for (std::uint32_t c = 0; c < classes; ++c) p.patterns.push_back(c == labels[i] ? 1 : 0);
  }
  net.duration = every * static_cast<Tick>(labels.size()) + 1;
  for (std::uint32_t q = 0; q < net.populations.size(); ++q) net.spikes.push_back({q, {}, 0, never});
  Report outputs{"outputs", 0, 0, {}, every, every, never};
  for (std::uint32_t c = 0; c < classes; ++c) outputs.ids.push_back(c);
  net.reports = {outputs};
}

struct Scores : MemoryRecorder {
  std::vector<std::vector<double>> rows;
  void metrics(std::uint32_t, Tick tick, std::span<const double> values) override {
    rows.emplace_back(values.begin(), values.end());
    rows.back().push_back(static_cast<double>(tick));
  }
};

struct Outcome {
  Scores recorder;
  Statistics figures;
  std::vector<std::uint64_t> fan_out;
};

Outcome run_images(const Network& net, int ranks, MemoryCheckpoints* saving = nullptr,
                   const MemoryCheckpoints* from = nullptr) {
  Outcome o;
  o.fan_out.assign(net.gid_count(), 0);
  std::vector<std::vector<std::uint64_t>> parts(static_cast<std::size_t>(ranks));
  std::vector<std::uint64_t> deliveries(static_cast<std::size_t>(ranks));
  run_loopback(ranks, [&](Transport& t) {
    Simulation s(net, t);
    if (from) s.restore(*from);
    const auto rank = static_cast<std::size_t>(t.rank());
    parts[rank] = s.fan_out();
    RunHooks hooks;
    hooks.checkpoints.every = saving ? net.duration / 7 * 5 / 4 : 0;
    if (t.rank() == 0) hooks.checkpoints.sink = saving;
    const auto figures = s.run(t.rank() == 0 ? &o.recorder : nullptr, hooks);
    deliveries[rank] = figures.deliveries;
    if (t.rank() == 0) o.figures = figures;
  });
  o.figures.deliveries = 0;
  for (const auto n : deliveries) o.figures.deliveries += n;
  for (const auto& part : parts)
    for (std::size_t g = 0; g < part.size(); ++g) o.fan_out[g] += part[g];
  return o;
}

const char* const small_network = R"(
populations:
  image: {model: image_task, shape: [3, 9, 9]}
  c1: {model: relu, shape: [4, 8, 8], params: {bias: {fan_in: uniform}}}
  p1: {model: linear, shape: [4, 4, 4]}
  c2: {model: em_activation, shape: [6, 4, 4], curves: em_reference, params: {bias: {fan_in: uniform}}}
  p2: {model: maximum, shape: [6, 2, 2]}
  f1: {model: relu, shape: [13], params: {bias: {fan_in: uniform}}}
  out: {model: linear, shape: [5], params: {bias: {fan_in: uniform}}}
projections:
  conv1: {from: image, to: c1, connect: {convolution: {kernel: 4, padding: 1}}, normalise: batch,
          synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  pool1: {from: c1, to: p1, connect: {pool: {kind: average, size: 2}},
          synapse: {model: static, delay: 0.1 ms}}
  conv2: {from: p1, to: c2, connect: {convolution: {kernel: 3, padding: 1}}, normalise: batch,
          synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  pool2: {from: c2, to: p2, connect: {pool: {kind: max, size: 2}}, synapse: {model: static, delay: 0.1 ms}}
  dense: {from: p2, to: f1, connect: dense, normalise: batch,
          synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  read: {from: f1, to: out, connect: dense, normalise: batch,
         synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  answers: {from: out, to: "image[0:5]", connect: one_to_one,
            synapse: {model: static, weight: 1, delay: 0.1 ms}}
)";

constexpr std::uint32_t shown = 7, side = 9 * 9;

/// Half of the pixels are dark, and the last image is all dark.
std::vector<float> drawn_pixels() {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> even(-1, 1);
  std::vector<float> all(std::size_t{shown} * side);
  for (std::size_t i = 0; i < std::size_t{shown - 1} * side; ++i) all[i] = std::max(even(random), 0.0f);
  return all;
}

/// As after training: nothing is where it began.
void disturb_model(layers::Model& m) {
  std::mt19937 random(12);
  std::normal_distribution<float> normal(0, 0.2f);
  for (float& x : m.parameters) x += normal(random);
  for (float& x : m.statistics) x = std::abs(x + normal(random)) + 0.05f;
}

}  // namespace

TEST_CASE("image_task: pixels go out as they are, answers come in, the first greatest is predicted") {
  auto net = network_of_images(R"(
populations:
  image: {model: image_task, size: 4, params: {latency: 0.2 ms}}
  out: {model: linear, size: 3}
projections:
  there: {from: image, to: out, connect: {list: [[0, 0, 1], [1, 1, 1], [2, 2, -1], [3, 0, 0.5]]},
          synapse: {model: static, delay: 0.1 ms}}
  back: {from: out, to: "image[0:3]", connect: one_to_one, synapse: {model: static, weight: 1, delay: 0.1 ms}}
)");
  // Two pixels for four members: the third and fourth see the first and second again.
  give(net, {2, 3, {0.25f, 0.5f, 0, 1, 0, 0, -1, 0.125f}, {1, 0, 2, 2}});
  const auto o = run_images(net, 1);
  const std::vector<std::vector<float>> outputs{
      {0.5f, 0.5f, -0.25f}, {0.5f, 1, 0}, {0, 0, 0}, {-0.9375f, 0.125f, 1}};
  auto recorder = o.recorder;
  std::vector<float> all;
  for (const auto& row : outputs) all.insert(all.end(), row.begin(), row.end());
  CHECK(recorder.report(0) == all);
  // right, predicted, label, image, when
  CHECK((o.recorder.rows == std::vector<std::vector<double>>{
                                {0, 0, 1, 0, 1e6}, {0, 1, 0, 1, 2e6}, {0, 0, 2, 2, 3e6}, {1, 2, 2, 3, 4e6}}));
  std::vector<Spike> sent;
  for (const auto& s : o.recorder.spikes())
    if (s.gid < 4) sent.push_back(s);
  CHECK((sent == std::vector<Spike>{{0, 0},
                                    {0, 1},
                                    {0, 2},
                                    {0, 3},
                                    {period, 1},
                                    {period, 3},
                                    {3 * period, 0},
                                    {3 * period, 1},
                                    {3 * period, 2},
                                    {3 * period, 3}}));
}

TEST_CASE("image_task without images does nothing") {
  auto net = network_of_images("populations:\n  image: {model: image_task, size: 4}\n");
  net.duration = 3 * period;
  const auto o = run_images(net, 1);
  CHECK(o.figures.spikes == 0);
  CHECK(o.recorder.rows.empty());
}

TEST_CASE("images event by event: the outputs are the trainer's, and events are answers times fan-out") {
  const auto pixels = drawn_pixels();
  std::vector<float> copied;  // to all channels, as the trainer gets them
  for (std::uint32_t i = 0; i < shown; ++i)
    for (int c = 0; c < 3; ++c)
      copied.insert(copied.end(), pixels.begin() + i * side, pixels.begin() + (i + 1) * side);
  const std::vector<std::uint32_t> labels{0, 1, 2, 3, 4, 0, 1};
  OneRank alone;
  std::vector<float> same;
  for (const auto& [block, ranks] : {std::pair("256", 1), std::pair("1", 2), std::pair("4", 3)}) {
    CAPTURE(block, ranks);
    auto net = network_of_images(std::string("block: ") + block + small_network);
    auto [plan, model] = layers::layered(net);
    disturb_model(model);
    layers::fold(plan, model, net);
    give(net, {side, 5, pixels, labels});
    auto o = run_images(net, ranks);
    const auto got = o.recorder.report(0), wanted = layers::outputs(plan, model, copied, alone);
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(wanted[i]).margin(1e-5));
    if (same.empty()) same = got;
    CHECK(got == same);
    // Every arrival is of an answer that is not 0, sent on to all it is connected to; nothing else arrives.
    std::uint64_t events = 0;
    for (const auto& s : o.recorder.spikes()) events += o.fan_out[s.gid];
    CHECK(events == o.figures.deliveries);
    std::uint64_t bright = 0;
    for (const auto& s : o.recorder.spikes()) bright += s.gid < 3 * side;
    CHECK(bright == static_cast<std::uint64_t>(
                        std::count_if(copied.begin(), copied.end(), [](float x) { return x != 0; })));
    // Kernels of 4 x 4 with a margin of 1 on 9 x 9 inputs and 8 x 8 outputs: the middle pixel is seen 16
    // times by each of 4 channels, the corner by 2 x 2.
    CHECK(o.fan_out[4 * 9 + 4] == 64);
    CHECK(o.fan_out[0] == 16);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto* const first = got.data() + i * 5;
      CHECK(o.recorder.rows.at(i)[1] == static_cast<double>(std::max_element(first, first + 5) - first));
    }
  }
}

TEST_CASE("images: a run goes on from any checkpoint with the same bits") {
  auto net = network_of_images(small_network);
  auto [plan, model] = layers::layered(net);
  disturb_model(model);
  layers::fold(plan, model, net);
  give(net, {side, 5, drawn_pixels(), {0, 1, 2, 3, 4, 0, 1}});
  MemoryCheckpoints checkpoints;
  auto whole = run_images(net, 1, &checkpoints);
  REQUIRE(checkpoints.saved.size() == 5);  // every 1.25 ms: at and between the begins of images
  for (const auto& [at, unused] : checkpoints.saved) {
    CAPTURE(at);
    checkpoints.chosen = at;
    auto rest = run_images(net, at % 2 ? 1 : 2, nullptr, &checkpoints);
    const auto samples = rest.recorder.report(0), all = whole.recorder.report(0);
    REQUIRE(!samples.empty());
    CHECK(
        (std::vector<float>(all.end() - static_cast<std::ptrdiff_t>(samples.size()), all.end()) == samples));
    CHECK(rest.recorder.rows ==
          std::vector<std::vector<double>>(
              whole.recorder.rows.end() - static_cast<std::ptrdiff_t>(rest.recorder.rows.size()),
              whole.recorder.rows.end()));
  }
}

namespace {

constexpr Tick long_period = 160'000'000;  // 160 ms

/// Spikes in and out, or a read-out that leaks.
Network spiking_network(const std::string& block, const std::string& code, bool leaks) {
  return network_of_images("block: " + block + "\nparameters: {code: " + code + ", " +
                           (leaks ? "onset: 150 ms, tau_out: 5 ms" : "onset: 0 ms, tau_out: 0 ms") + R"(,
             learned: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
populations:
  image: {model: image_task, shape: [3, 9, 9],
          params: {period: 160 ms, encoding: $code, steps: 9, onset: $onset, tau_out: $tau_out}}
  c1: {model: lif_delta, shape: [4, 8, 8], initial: {V: 0 mV},
       params: {tau_m: 8 ms, E_L: 0 mV, v_reset: 0 mV, v_th: 0.7 mV, t_ref: 0 ms}}
  p1: {model: linear, shape: [4, 4, 4]}
  f1: {like: c1, shape: [13]}
  out: {)" + (leaks ? "model: linear" : "like: f1") +
                           R"(, shape: [5]}
projections:
  conv1: {from: image, to: c1, connect: {convolution: {kernel: 4, padding: 1}}, synapse: $learned}
  pool1: {from: c1, to: p1, connect: {pool: {kind: average, size: 2}},
          synapse: {model: static, delay: 0.1 ms}}
  dense: {from: p1, to: f1, connect: dense, synapse: $learned}
  read: {from: f1, to: out, connect: dense, synapse: $learned}
  answers: {from: out, to: "image[0:5]", connect: one_to_one, synapse: {model: static, delay: 0.2 ms}}
)");
}

}  // namespace

TEST_CASE("images in steps: outputs are the trainer's, on any rank and block and from any checkpoint") {
  const auto pixels = drawn_pixels();
  std::vector<float> copied;
  for (std::uint32_t i = 0; i < shown; ++i)
    for (int c = 0; c < 3; ++c)
      copied.insert(copied.end(), pixels.begin() + i * side, pixels.begin() + (i + 1) * side);
  OneRank alone;
  for (const std::string code : {"rate", "latency", "current"}) {
    CAPTURE(code);
    const bool leak = code != "rate";
    std::vector<float> same;
    std::vector<Spike> spikes;
    for (const auto& [block, ranks] : {std::pair("256", 1), std::pair("1", 2), std::pair("4", 3)}) {
      CAPTURE(block, ranks);
      auto net = spiking_network(block, code, leak);
      auto [plan, model] = layers::layered(net);
      for (float& w : model.parameters) w *= 3;
      layers::fold(plan, model, net);
      give(net, {side, 5, pixels, {0, 1, 2, 3, 4, 0, 1}}, long_period);
      MemoryCheckpoints checkpoints;
      auto o = run_images(net, ranks, ranks == 1 ? &checkpoints : nullptr);
      const auto got = o.recorder.report(0), wanted = layers::outputs(plan, model, copied, alone);
      REQUIRE(got.size() == wanted.size());
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(wanted[i]).margin(1e-5));
      if (same.empty()) same = got, spikes = o.recorder.spikes();
      CHECK(got == same);
      CHECK(o.recorder.spikes() == spikes);
      std::uint64_t fired = 0;
      for (const Spike& s : spikes) fired += s.gid >= 3 * side && s.gid < 3 * side + 4 * 8 * 8;
      CHECK(fired > 100);
      for (const auto& [at, unused] : checkpoints.saved) {
        checkpoints.chosen = at;
        auto rest = run_images(net, 2, nullptr, &checkpoints);
        const auto later = rest.recorder.report(0);
        CHECK(
            (std::vector<float>(got.end() - static_cast<std::ptrdiff_t>(later.size()), got.end()) == later));
      }
    }
  }
}
