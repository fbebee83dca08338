// stdp against Brian2 (stdp_brian2.py made stdp_reference.csv): weights in the course of a run and what the
// neurons got.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <set>

#include "support/plastic.hpp"

using namespace spinet;
using namespace spinet::test;

TEST_CASE("stdp with delays on the post pathway, and on both pathways, as Brian2 has it") {
  struct Sample {
    std::uint32_t i, j;
    Tick tick;
    double w;
  };
  struct Case {
    Values parameters;
    std::map<std::string, std::vector<Sample>> weights;  ///< by the way of delaying
    std::map<Gid, double> sent;
  };
  std::map<std::string, Case> cases;
  std::map<std::string, std::vector<SpikeTrain>> trains;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Tick> delays;
  std::ifstream file(std::string(VALIDATION_DATA) + "/stdp_reference.csv");
  REQUIRE(file.good());
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> f;
    std::istringstream fields(line);
    for (std::string s; std::getline(fields, s, ',');) f.push_back(s);
    const auto index = [&](std::size_t k) { return static_cast<std::uint32_t>(std::stoul(f.at(k))); };
    if (f[0] == "spike") {
      auto& side = trains[f.at(1)];
      side.resize(std::max<std::size_t>(side.size(), index(2) + 1));
      side[index(2)].push_back(std::stol(f.at(3)));
    } else if (f[0] == "delay") {
      delays[{index(1), index(2)}] = std::stol(f.at(3));
    } else if (f[0] == "case") {
      cases[f.at(1)].parameters.emplace_back(f.at(2), std::stod(f.at(3)));
    } else if (f[0] == "weight") {
      cases[f.at(1)].weights[f.at(2)].push_back({index(3), index(4), std::stol(f.at(5)), std::stod(f.at(6))});
    } else {
      REQUIRE(f[0] == "sent");
      cases[f.at(1)].sent[index(2)] = std::stod(f.at(3));
    }
  }
  REQUIRE(cases.size() == 5);

  const Tick duration = ms(600), step = 100'000;
  std::set<float> different;
  for (const auto& [name, c] : cases) {
    INFO(name);
    Trained t(duration, trains["pre"], trains["post"]);
    auto values = c.parameters;
    values.insert(values.end(), {{"weight", 0.5}, {"w_max", 1.0}});
    std::vector<ListedEdge> edges;
    for (const auto& [pair, delay] : delays) edges.push_back({pair.first, pair.second, 0.5, delay});
    // Between two of Brian2's steps, so that it does not matter what comes first in a step.
    const auto w = t.b.record_weights(t.plastic("stdp", values, edges), step, step / 2);
    std::vector<Repeater::Heard> heard;
    Repeater::notes = &heard;
    auto got = run_once(t.b.network());
    Repeater::notes = nullptr;

    const auto& recorded = got.recorder.edges_of(1);
    const auto& weights = got.recorder.weights_of(w);
    REQUIRE(recorded.size() == delays.size());
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> column;
    for (std::size_t e = 0; e < recorded.size(); ++e)
      column[{recorded[e].source - t.b.first(t.from), recorded[e].target - t.b.first(t.to)}] = e;
    for (const auto& [way, samples] : c.weights) {
      std::size_t compared = 0;
      double furthest = 0;
      for (const auto& s : samples) {
        // What Brian2 has before its step at s.tick; its synapse with a delay on the post pathway alone is
        // `delay` ahead.
        const Tick frame = (s.tick + (way == "post" ? delays.at({s.i, s.j}) : 0)) / step - 1;
        if (frame >= duration / step) continue;
        const float x = weights[static_cast<std::size_t>(frame) * recorded.size() + column.at({s.i, s.j})];
        furthest = std::max(furthest, std::abs(x - s.w));
        different.insert(x);
        ++compared;
      }
      INFO("delay on the pathway: " << way);
      CHECK(compared > 120);
      CHECK(furthest < 2e-6);  // up to 60 roundings to float
    }
    REQUIRE(c.sent.size() == 3);
    for (const auto& [j, expected] : c.sent) {
      double sum = 0;
      for (const auto& h : heard)
        if (h.gid - t.b.first(t.to) == j) sum += h.weight;
      CHECK(sum == Approx(expected).epsilon(1e-6));
    }
  }
  CHECK(different.size() > 500);  // the samples are of weights that move
}
