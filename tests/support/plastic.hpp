// Plastic synapses between spike trains of the test's choice, and what an independent calculation needs to
// know of them.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/network_builder.hpp"
#include "support/repeater.hpp"
#include "support/run.hpp"

namespace spinet::test {

using SpikeTrain = std::vector<Tick>;

/// A spike train that is unpleasant: regular, random or in bursts, on a grid that makes ties and off it, with
/// silences.
inline SpikeTrain random_train(Numbers& n, Tick duration, double hz) {
  const Tick grid = n.chance(0.4) ? ms(1) : n.chance(0.5) ? 100'000 : 1;
  const double mean = 1e9 / hz;
  const bool bursts = n.chance(0.3);
  SpikeTrain train;
  for (double t = n.uniform(0, mean);;) {
    t += bursts && n.chance(0.8) ? n.uniform(1e6, 4e6) : -mean * (bursts ? 5 : 1) * std::log(1 - n.uniform());
    const Tick tick = (static_cast<Tick>(t) + ms(1)) / grid * grid;
    if (tick >= duration) return train;
    if (train.empty() || tick > train.back()) train.push_back(tick);
  }
}

/// Sources `pre` and neurons `post` that fire at exactly the given ticks (from 0.1 ms on), whatever they
/// hear.
struct Trained {
  Trained(Tick duration, std::vector<SpikeTrain> pre_trains, std::vector<SpikeTrain> post_trains,
          std::uint32_t seed = 1)
      : b(duration, seed), pre(std::move(pre_trains)), post(std::move(post_trains)) {
    const auto listed = [&](const std::vector<SpikeTrain>& trains, Tick shift) {
      std::vector<ListedSpike> spikes;
      for (std::uint32_t i = 0; i < trains.size(); ++i)
        for (const Tick t : trains[i]) spikes.push_back({t - shift, i});
      return b.source(static_cast<std::uint32_t>(trains.size()), std::move(spikes));
    };
    from = listed(pre, 0);
    const auto drive = listed(post, 100'000);
    to = b.add(neuron_table<Repeater>().model, static_cast<std::uint32_t>(post.size()));
    b.connect(drive, to, Rule::one_to_one, 1.0, 100'000);
    b.record_spikes(to);
  }
  /// All sources to all neurons through the port `hear`; the projection's index.
  std::uint32_t plastic(std::string_view model, const Values& values, Tick delay,
                        const ConnectionRule& rule = Rule::all_to_all) {
    b.connect(from, to, rule, SynapsesOf{model, values}, delay).port = 1;
    return static_cast<std::uint32_t>(b.network().projections.size() - 1);
  }
  /// Pairs with a weight and a delay of their own.
  std::uint32_t plastic(std::string_view model, const Values& values, std::vector<ListedEdge> edges) {
    auto& p = b.connect(from, to, Rule::listed, SynapsesOf{model, values}, b.network().delay_resolution);
    p.port = 1;
    std::stable_sort(edges.begin(), edges.end(),
                     [](const ListedEdge& x, const ListedEdge& y) { return x.target < y.target; });
    p.edges = std::move(edges);
    p.listed_weights = p.listed_delays = true;
    return static_cast<std::uint32_t>(b.network().projections.size() - 1);
  }
  const SpikeTrain& pre_of(const Edge& e) const { return pre[e.source - b.first(from)]; }
  const SpikeTrain& post_of(const Edge& e) const { return post[e.target - b.first(to)]; }

  NetworkBuilder b;
  std::vector<SpikeTrain> pre, post;
  std::uint32_t from, to;
};

}  // namespace spinet::test
