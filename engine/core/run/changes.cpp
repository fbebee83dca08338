// Weight events: values of chosen synapses whenever they change, at given times, and at the end of batches.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "core/run/checkpoint_parts.hpp"

namespace spinet {
namespace {

/// Place in `synapses`, sorted by (target, source); their number if it is not there.
std::size_t place_of(const std::vector<SynapseAddress>& synapses, SynapseAddress a) {
  const auto before = [](const SynapseAddress& x, const SynapseAddress& y) {
    return x.target != y.target ? x.target < y.target : x.source < y.source;
  };
  const auto at = std::lower_bound(synapses.begin(), synapses.end(), a, before);
  return at != synapses.end() && *at == a ? static_cast<std::size_t>(at - synapses.begin()) : synapses.size();
}

struct Last {
  std::uint64_t edge;
  double value;
};

}  // namespace

/// Finds the synapses that are watched, numbers them, and tells rank 0.
void Simulation::Impl::prepare_changes() {
  if (net.weight_events.empty()) return;
  std::vector<std::vector<WatchedSynapse>> of_block(blocks.size());
  std::optional<ProjectionFailure> problem;
  Gathered all;
  for (std::uint32_t r = 0; r < net.weight_events.size(); ++r) {
    const WeightEventRecording& recording = net.weight_events[r];
    const Projection& projection = net.projections[recording.projection];
    // Canonical order: by target, then draw.  A target's synapses are all in one block.
    std::vector<std::uint32_t> count(projection.target_count(), 0);
    const auto edges = [&](std::uint32_t b, const BlockSynapses::EdgeVisitor& f) {
      blocks[b]->synapses().edges_of(recording.projection, edges_into(b), f);
    };
    for (std::uint32_t b = 0; b < blocks.size(); ++b)
      edges(b, [&](const DrawnEdge&, std::uint32_t target, std::uint32_t) { ++count[target]; });
    transport.all_gather(std::as_bytes(std::span(count)), all);
    std::vector<std::uint64_t> next(count.size() + 1, 0);
    for (int rank = 0; rank < transport.size(); ++rank)
      for (std::size_t t = 0; t < count.size(); ++t) {
        std::uint32_t n;
        std::memcpy(&n, all.of(rank).data() + t * sizeof n, sizeof n);
        next[t + 1] += n;
      }
    std::partial_sum(next.begin(), next.end(), next.begin());

    std::vector<WatchedEdge> mine;
    std::vector<std::uint8_t> found(recording.synapses.size(), 0);
    for (std::uint32_t b = 0; b < blocks.size(); ++b) {
      const BlockSynapses& synapses = blocks[b]->synapses();
      const std::uint32_t k = synapses.store_of(recording.projection);
      if (k == synapses.stores().size()) continue;
      std::vector<std::pair<std::uint64_t, std::uint32_t>> begins;  // of this store's slices
      for (std::uint32_t s = 0; s < synapses.slice_count(); ++s)
        if (synapses.slice(s).store == k) begins.push_back({synapses.slice(s).begin, s});
      std::sort(begins.begin(), begins.end());
      edges(b, [&](const DrawnEdge& e, std::uint32_t target, std::uint32_t position) {
        const std::uint64_t id = next[target]++;
        const std::size_t i = place_of(recording.synapses, {e.source, target});
        if (i < found.size()) found[i] = 1;
        else if (!found.empty()) return;
        const auto slice = std::upper_bound(begins.begin(), begins.end(),
                                            std::pair<std::uint64_t, std::uint32_t>{position, 0xFFFFFFFFu}) -
                           1;
        of_block[b].push_back({slice->second, static_cast<std::uint32_t>(position - slice->first), r, id,
                               std::numeric_limits<double>::quiet_NaN()});
        const Connector& c = wirings[recording.projection]->connector;
        mine.push_back(
            {id, c.source_gid(e.source), c.target_gid(target / target_stretch, target % target_stretch)});
      });
    }
    transport.all_gather(std::as_bytes(std::span(found)), all);
    for (int rank = 0; rank < transport.size(); ++rank)
      for (std::size_t i = 0; i < found.size(); ++i) found[i] |= static_cast<std::uint8_t>(all.of(rank)[i]);
    if (const auto lost = std::find(found.begin(), found.end(), 0); lost != found.end() && !problem) {
      const auto& a = recording.synapses[static_cast<std::size_t>(lost - found.begin())];
      problem = ProjectionFailure(projection, "has drawn no synapse from source " + std::to_string(a.source) +
                                                  " to target " + std::to_string(a.target) +
                                                  ", whose changes are to be recorded");
    }
    transport.gather(std::as_bytes(std::span(mine)), all);
    if (transport.rank() != 0) continue;
    auto& together = watched.emplace_back(all.bytes.size() / sizeof(WatchedEdge));
    std::memcpy(together.data(), all.bytes.data(), all.bytes.size());
    std::sort(together.begin(), together.end(),
              [](const WatchedEdge& a, const WatchedEdge& b) { return a.id < b.id; });
  }
  if (problem) throw *problem;  // on all ranks alike
  for (std::size_t b = 0; b < blocks.size(); ++b) blocks[b]->watch_changes(std::move(of_block[b]));
}

/// At the end of a batch that a recording asks for: all its values, after the event has acted.
void Simulation::Impl::sample_epoch(const Posted& p, std::vector<Action>& due) const {
  for (std::size_t w = 0; w < net.weight_events.size(); ++w) {
    const WeightEventRecording& r = net.weight_events[w];
    if (r.epochs.empty() || partition.population_of(p.gid) != r.environment ||
        !std::binary_search(r.epochs.begin(), r.epochs.end(), static_cast<std::uint32_t>(p.control.value[0])))
      continue;
    const auto place = std::find_if(due.begin(), due.end(), [&](const Action& a) { return a.tick > p.tick; });
    due.insert(place, {p.tick, SampleEvents{static_cast<std::uint32_t>(w), true}});
  }
}

/// Brings all events since the last call to rank 0.
void Simulation::Impl::flush_changes(Recorder* recorder) {
  for (std::uint32_t r = 0; r < net.weight_events.size(); ++r) {
    std::vector<std::byte> mine;
    for (auto& b : blocks) {
      append(mine, b->noted()[r].data(), b->noted()[r].size());
      b->noted()[r].clear();
    }
    Gathered all;
    transport.gather(mine, all);
    if (transport.rank() != 0 || !recorder || all.bytes.empty()) continue;
    std::vector<WeightEvent> events(all.bytes.size() / sizeof(WeightEvent));
    std::memcpy(events.data(), all.bytes.data(), all.bytes.size());
    // Several events of one synapse and tick are in one block, in their order.
    std::stable_sort(events.begin(), events.end(), [](const WeightEvent& a, const WeightEvent& b) {
      return a.tick != b.tick ? a.tick < b.tick : a.edge < b.edge;
    });
    guarded([&] { recorder->weight_events(r, events); });
  }
}

void Simulation::Impl::save_changes(CheckpointSink* sink) {
  for (std::uint32_t r = 0; r < net.weight_events.size(); ++r) {
    std::vector<Last> mine;
    for (auto& b : blocks)
      for (const auto& w : b->changing())
        if (w.recording == r && !std::isnan(w.last)) mine.push_back({w.edge, w.last});
    collect(sink, "weight_events/" + std::to_string(r), std::as_bytes(std::span(mine)));
  }
}

void Simulation::Impl::restore_changes(const CheckpointSource& from) {
  for (std::uint32_t r = 0; r < net.weight_events.size(); ++r) {
    const std::string name = "weight_events/" + std::to_string(r);
    auto all = read_all<Last>(from, name);
    std::sort(all.begin(), all.end(), [](const Last& a, const Last& b) { return a.edge < b.edge; });
    for (auto& b : blocks)
      for (auto& w : b->changing()) {
        if (w.recording != r) continue;
        const auto at = std::lower_bound(all.begin(), all.end(), w.edge,
                                         [](const Last& a, std::uint64_t e) { return a.edge < e; });
        if (at != all.end() && at->edge == w.edge) w.last = at->value;
      }
  }
}

}  // namespace spinet
