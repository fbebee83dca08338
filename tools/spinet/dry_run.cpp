#include "dry_run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "comm/machine.hpp"
#include "connect/rule.hpp"
#include "core/partition.hpp"
#include "core/simulation.hpp"
#include "network/estimate.hpp"
#include "network/grouping.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

/// One rank of many: the others say nothing.  Enough for construction, not for a run.
class LoneRank : public Transport {
 public:
  LoneRank(int rank, int size) : rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  /// All seem to have said the same: that nothing has failed.
  void all_gather(std::span<const std::byte> mine, Gathered& all) override {
    all.bytes.clear();
    all.begin = {0};
    for (int r = 0; r < size_; ++r) {
      all.bytes.insert(all.bytes.end(), mine.begin(), mine.end());
      all.begin.push_back(all.bytes.size());
    }
  }
  void gather(std::span<const std::byte> mine, Gathered& all) override {
    all.bytes.assign(mine.begin(), mine.end());
    all.begin.assign(static_cast<std::size_t>(size_) + 1, mine.size());
    all.begin[0] = 0;
    if (rank_ != 0) all.bytes.clear(), all.begin.clear();
  }

 private:
  int rank_, size_;
};

/// Which of how many ranks, and its neurons.
struct RankOf {
  int rank, ranks;
  double neurons, share;  ///< and what part they are of all
};
/// A rank's part, built if this machine holds it, else estimated from its share of the neurons.
RankPart built(const Network& net, const RankOf& r, const Estimate& whole, DryRun& d) {
  const double bytes = whole.memory.every_rank + whole.memory.shared * r.share;
  const auto part_of = [&r](double all) { return static_cast<std::uint64_t>(all * r.share); };
  if (bytes > 0.8 * static_cast<double>(machine_memory()))
    return {.rank = r.rank,
            .neurons = static_cast<std::uint64_t>(r.neurons),
            .sources = 0,
            .synapses = part_of(whole.synapses + whole.superposed),
            .stored = part_of(whole.synapses),
            .slices = part_of(whole.memory.slices),
            .bytes = bytes,
            .built = false,
            .sent = 0,
            .deliveries = 0};
  LoneRank transport(r.rank, r.ranks);
  const Simulation simulation(net, transport);
  const Statistics& s = simulation.built();
  d.windows = 1 / (static_cast<double>(simulation.window()) * net.seconds_per_tick);
  return {.rank = r.rank,
          .neurons = simulation.owned(),
          .sources = 0,
          .synapses = s.synapses,
          .stored = s.stored_synapses,
          .slices = s.slices,
          .bytes = static_cast<double>(s.synapse_bytes),
          .built = true,
          .sent = 0,
          .deliveries = 0};
}

/// What neurons and sources send and hear, by population.
struct Traffic {
  std::vector<double> hz;  ///< mean rate of a neuron
  /// 1: its spikes travel, since they are heard other than in superposition, or recorded.
  std::vector<double> sends;
  std::vector<double> heard;  ///< events a second at a neuron
  bool payloads = false;
};

Traffic traffic(const Network& net, const Partition& partition, double rate) {
  const double seconds = static_cast<double>(net.duration) * net.seconds_per_tick;
  Traffic t;
  t.sends.resize(net.populations.size());
  t.heard.resize(net.populations.size());
  for (std::size_t p = 0; p < net.populations.size(); ++p) {
    const auto& population = net.populations[p];
    t.hz.push_back(mean_rate(population, rate, seconds));
    const auto recorded = [p](const SpikeRecording& s) { return s.population == p; };
    t.sends[p] = population.neuron() || std::any_of(net.spikes.begin(), net.spikes.end(), recorded);
    t.payloads |= population.neuron() && population.neuron()->graded;
  }
  for (const auto& projection : net.projections) {
    const double targets = static_cast<double>(projection.target_count()),
                 synapses = expected_synapses(net, projection);
    if (targets == 0 || synapses == 0) continue;
    double source_rate = 0;
    for (const auto& r : projection.sources) {
      const auto p = partition.population_of(r.first);
      source_rate += t.hz[p] * r.count / static_cast<double>(projection.source_count());
      if (!is_superposed(net, projection)) t.sends[p] = 1;
    }
    for (const auto& r : projection.targets) {
      const auto p = partition.population_of(r.first);
      t.heard[p] += synapses / targets * source_rate * r.count / net.populations[p].size;
    }
  }
  return t;
}

/// The ranks that are built: all, or else the emptiest and the fullest, and others at equal distances.
std::vector<int> choose_ranks(const std::vector<double>& neurons, int samples) {
  const int ranks = static_cast<int>(neurons.size());
  std::vector<int> chosen;
  if (ranks <= samples) {
    for (int r = 0; r < ranks; ++r) chosen.push_back(r);
    return chosen;
  }
  chosen.push_back(static_cast<int>(std::min_element(neurons.begin(), neurons.end()) - neurons.begin()));
  chosen.push_back(static_cast<int>(std::max_element(neurons.begin(), neurons.end()) - neurons.begin()));
  const auto add = [&](int r) {
    if (static_cast<int>(chosen.size()) < samples &&
        std::find(chosen.begin(), chosen.end(), r) == chosen.end())
      chosen.push_back(r);
  };
  if (chosen[0] == chosen[1]) chosen.pop_back();
  for (int k = 0; k < samples - 2; ++k)
    add(static_cast<int>(static_cast<std::int64_t>(k) * (ranks - 1) / (samples - 3)));
  for (int r = 0; r < ranks; ++r) add((ranks / 2 + r) % ranks);  // in place of any that were the same
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

constexpr double bytes_per_spike = 8, bytes_of_payload = 8, bytes_of_head = 40;

}  // namespace

DryRun dry_run(const Network& given, int ranks, double rate, int samples) {
  Network net = given;
  net.reports.clear();  // samples are gathered from all ranks, of which there is one
  net.weights.clear();
  const Partition partition(net, ranks);
  std::vector<std::vector<double>> members(static_cast<std::size_t>(ranks),
                                           std::vector<double>(net.populations.size()));
  for (const auto& r : partition.stretches())
    members[static_cast<std::size_t>(r.owner)][r.population] += r.count;
  std::vector<double> neurons(members.size(), 0);
  for (std::size_t r = 0; r < members.size(); ++r)
    for (std::size_t p = 0; p < net.populations.size(); ++p)
      if (net.populations[p].neuron()) neurons[r] += members[r][p];

  DryRun d;
  d.idle = static_cast<int>(std::count(neurons.begin(), neurons.end(), 0.0));
  d.least = *std::min_element(neurons.begin(), neurons.end());
  d.most = *std::max_element(neurons.begin(), neurons.end());
  const double all_neurons = std::accumulate(neurons.begin(), neurons.end(), 0.0);
  d.mean = all_neurons / ranks;
  const Traffic t = traffic(net, partition, rate);
  for (std::size_t p = 0; p < net.populations.size(); ++p)
    d.spikes += t.sends[p] * t.hz[p] * net.populations[p].size;

  const Estimate whole = estimate(net);
  d.windows = whole.windows_per_second;
  for (const int r : choose_ranks(neurons, samples)) {
    const auto& own = members[static_cast<std::size_t>(r)];
    const double mine = neurons[static_cast<std::size_t>(r)];
    RankPart part = built(net, {r, ranks, mine, mine / std::max(1.0, all_neurons)}, whole, d);
    for (std::size_t p = 0; p < net.populations.size(); ++p) {
      const auto& population = net.populations[p];
      if (population.source()) part.sources += static_cast<std::uint64_t>(own[p]);
      else if (part.built)
        part.bytes += own[p] * (population.neuron()->state_size + population.neuron()->constants_size);
      part.sent += own[p] * t.hz[p] * t.sends[p];
      part.deliveries += own[p] * t.heard[p];
    }
    d.parts.push_back(part);
  }
  d.bytes =
      d.spikes * (bytes_per_spike + (t.payloads ? bytes_of_payload : 0)) + d.windows * bytes_of_head * ranks;
  return d;
}

std::string describe(const Network& n, const DryRun& d, int ranks, double rate) {
  std::string s = fmt::format("{} on {} rank{}: a dry run, nothing is simulated\n", n.name,
                              grouped(static_cast<std::uint64_t>(ranks)), ranks == 1 ? "" : "s");
  s += fmt::format("neurons per rank: {:.0f} to {:.0f}, {:.4g} in the mean\n", d.least, d.most, d.mean);
  if (d.idle)
    s += fmt::format(
        "{} rank{} without neurons: fewer ranks, or a smaller `block` ({} now), would share them better\n",
        grouped(static_cast<std::uint64_t>(d.idle)), d.idle == 1 ? "" : "s", n.block);
  s += fmt::format("\n{:>7}  {:>9}  {:>9}  {:>13}  {:>11}  {:>10}  {:>9}  {:>10}  {:>9}\n", "rank", "neurons",
                   "sources", "synapses", "slices", "mean slice", "memory", "events/s", "sends/s");
  for (const auto& p : d.parts)
    s += fmt::format("{:>7}  {:>9}  {:>9}  {:>13}  {:>11}  {:>10.3g}  {:>9}  {:>10}  {:>9}\n", p.rank,
                     grouped(p.neurons), grouped(p.sources), grouped(p.synapses), grouped(p.slices),
                     p.slices ? static_cast<double>(p.stored) / static_cast<double>(p.slices) : 0.0,
                     readable_bytes(p.bytes), count_text(p.deliveries), count_text(p.sent));
  if (std::any_of(d.parts.begin(), d.parts.end(), [](const RankPart& p) { return !p.built; }))
    s += "parts that this machine cannot hold have not been built: their synapses, slices and memory are "
         "estimates\n";
  s += fmt::format(
      "\nper second of model time, if neurons fire at {:g} Hz (--rate) and sources at their rates:\n", rate);
  s += fmt::format("  {} exchanges of all ranks (windows; fewer where nothing happens)\n",
                   count_text(d.windows));
  s += fmt::format("  {} spikes and {} received by every rank\n", count_text(d.spikes),
                   readable_bytes(d.bytes));
  return s;
}

}  // namespace spinet::tool
