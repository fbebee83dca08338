// Samples of neurons and synapses on their way to rank 0, and the connectivity for the log.
#include <algorithm>

#include "core/errors.hpp"
#include "core/simulation_parts.hpp"

namespace spinet {

/// Tells rank 0 whose samples it will get.  A sample of a weight recording is named by the index of its
/// target in the projection; a target's synapses are consecutive, in the order of their draws, and all on one
/// rank.
void Simulation::Impl::prepare_reports() {
  prepare_changes();
  frames_waiting.assign(series(), 0);
  edges_recorded.assign(net.weights.size(), 0);
  for (const auto& w : net.weights) weights_expected.push_back(wirings[w.projection]->connector.expected());
  if (series() == 0) return;
  Gathered all;
  transport.gather(sampled_here(), all);
  if (transport.rank() != 0) return;
  read_columns(all);
  for (std::uint32_t w = 0; w < net.weights.size(); ++w) order_edges(w);
}

/// For each block and series what is sampled here: how many, then the neurons' or targets' ids.
std::vector<std::byte> Simulation::Impl::sampled_here() {
  std::vector<std::byte> message;
  for (std::uint32_t b = 0; b < blocks.size(); ++b) {
    const auto& block = blocks[b];
    for (std::size_t r = 0; r < series(); ++r) {
      std::vector<std::uint32_t> ids;
      if (r < net.reports.size()) {
        for (const auto j : block->sampled[r])
          ids.push_back(block->gids()[j] - net.populations[net.reports[r].population].first);
      } else {
        const auto w = static_cast<std::uint32_t>(r - net.reports.size());
        std::vector<std::pair<std::uint32_t, std::uint32_t>> order;  // (target, position)
        block->synapses().edges_of(net.weights[w].projection, edges_into(b),
                                   [&](const DrawnEdge&, std::uint32_t target, std::uint32_t position) {
                                     order.push_back({target, position});
                                   });
        std::stable_sort(order.begin(), order.end(),
                         [](const auto& x, const auto& y) { return x.first < y.first; });
        std::vector<std::uint32_t> positions;
        for (const auto& [target, position] : order) {
          ids.push_back(target);
          positions.push_back(position);
        }
        block->watch(w, std::move(positions));
      }
      const auto n = static_cast<std::uint64_t>(ids.size());
      append(message, &n, 1);
      append(message, ids.data(), ids.size());
    }
  }
  return message;
}

/// Where the samples of all ranks go, in a frame: of reports; of weights their targets.
void Simulation::Impl::read_columns(const Gathered& all) {
  for (int rank = 0; rank < transport.size(); ++rank) {
    auto part = all.of(rank);
    auto& of_rank = columns.emplace_back();
    while (!part.empty()) {
      auto& of_block = of_rank.emplace_back(series());
      for (std::size_t r = 0; r < series(); ++r) {
        std::uint64_t n;
        std::memcpy(&n, part.data(), sizeof n);
        auto& column = of_block[r].column;
        column.resize(n);
        std::memcpy(column.data(), part.data() + sizeof n, n * sizeof(std::uint32_t));
        part = part.subspan(sizeof n + n * sizeof(std::uint32_t));
        if (r >= net.reports.size()) continue;
        const auto& ids = net.reports[r].ids;
        for (auto& c : column)
          c = static_cast<std::uint32_t>(std::lower_bound(ids.begin(), ids.end(), c) - ids.begin());
      }
    }
  }
}

/// From targets to places in the canonical order of edges.
void Simulation::Impl::order_edges(std::uint32_t w) {
  const std::size_t r = net.reports.size() + w;
  std::vector<std::uint64_t> begin(net.projections[net.weights[w].projection].target_count() + 1, 0);
  for (const auto& of_rank : columns)
    for (const auto& of_block : of_rank)
      for (const auto target : of_block[r].column) ++begin[target + 1];
  for (std::size_t t = 1; t < begin.size(); ++t) begin[t] += begin[t - 1];
  edges_recorded[w] = begin.back();
  if (begin.back() > 0xFFFFFFFFull)
    throw TooMany("weights in one recording", 0xFFFFFFFFu, "record fewer synapses");
  for (auto& of_rank : columns)
    for (auto& of_block : of_rank)
      for (auto& c : of_block[r].column) c = static_cast<std::uint32_t>(begin[c]++);
}

/// Brings all samples since the last call to rank 0 and hands them over as whole frames.
void Simulation::Impl::flush_reports(Recorder* recorder) {
  flush_changes(recorder);
  if (series() == 0) return;
  std::vector<std::byte> message;
  for (auto& of_block : samples)
    for (auto& values : of_block) {
      append(message, values.data(), values.size());
      values.clear();
    }
  Gathered all;
  transport.gather(message, all);
  if (transport.rank() == 0 && recorder) {
    std::vector<std::vector<float>> frames(series());
    for (std::size_t r = 0; r < series(); ++r) frames[r].resize(frames_waiting[r] * width(r));
    for (std::size_t rank = 0; rank < columns.size(); ++rank) {
      const std::byte* at = all.of(static_cast<int>(rank)).data();
      for (const auto& of_block : columns[rank])
        for (std::size_t r = 0; r < series(); ++r)
          for (std::uint64_t f = 0; f < frames_waiting[r]; ++f)
            for (const auto column : of_block[r].column) {
              std::memcpy(&frames[r][f * width(r) + column], at, sizeof(float));
              at += sizeof(float);
            }
    }
    guarded([&] {
      const auto reports = static_cast<std::uint32_t>(net.reports.size());
      for (std::uint32_t r = 0; r < frames.size(); ++r) {
        if (frames[r].empty()) continue;
        if (r < reports) recorder->frames(r, frames[r]);
        else recorder->weights(r - reports, frames[r]);
      }
    });
  }
  std::fill(frames_waiting.begin(), frames_waiting.end(), 0);
}

/// Canonical order: by target, then draw; the edge with number k of its target has the id (projection,
/// target, k).
void Simulation::Impl::record_edges(Recorder& recorder, const std::atomic<bool>* stop) {
  bool wanted[target_stretch];
  std::fill(std::begin(wanted), std::end(wanted), true);
  struct Found {
    std::uint32_t target;
    std::size_t values;  ///< where they begin in `of_run_values`
    Edge edge;
  };
  std::vector<Found> of_run;
  std::vector<Edge> some;
  std::vector<double> of_run_values, values;
  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    if (!net.records_edges(p)) continue;
    const Wiring& wiring = *wirings[p];
    InitialState state(net, p, wiring);
    const std::size_t width = edge_variables(*net.projections[p].synapse).size();
    for (std::uint32_t stretch = 0; stretch < wiring.connector.stretch_count(); ++stretch) {
      if (stop && stop->load(std::memory_order_relaxed))
        throw Stopped("while the edges were logged; the log is not whole");
      of_run.clear();
      of_run_values.clear();
      wiring.connector.edges(stretch, wanted, [&](const DrawnEdge* e, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
          const std::size_t begin = of_run_values.size();
          const double weight = state.of(e[i], stretch, of_run_values);
          of_run.push_back(
              {e[i].target,
               begin,
               {wiring.connector.source_gid(e[i].source), wiring.connector.target_gid(stretch, e[i].target),
                weight,
                net.delay_resolution *
                    wiring.delay_steps(e[i], stretch * target_stretch + e[i].target, net.delay_resolution)}});
        }
      });
      std::stable_sort(of_run.begin(), of_run.end(),
                       [](const auto& x, const auto& y) { return x.target < y.target; });
      for (const auto& found : of_run) {
        some.push_back(found.edge);
        const auto from = of_run_values.begin() + static_cast<std::ptrdiff_t>(found.values);
        values.insert(values.end(), from, from + static_cast<std::ptrdiff_t>(width));
      }
      if (some.size() > 65536 || stretch + 1 == wiring.connector.stretch_count()) {
        recorder.edges_with_values(p, some, values);
        some.clear();
        values.clear();
      }
    }
  }
}

}  // namespace spinet
