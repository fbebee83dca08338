// The edges of a projection, drawn run of targets by run of targets: whoever owns some targets of a run draws them all,
// so nothing depends on ranks.  An edge costs one Philox block: its words are (source, target, delay, weight).
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/draws.hpp"
#include "network/checked.hpp"

namespace spinet {

/// Targets drawn together, whatever Network::block is.
inline constexpr std::uint32_t target_run = 256;

/// One edge as drawn; `source` counts along the projection's concatenated sources, `target` within the run.
struct DrawnEdge {
  std::uint32_t source;
  std::uint32_t target;
  std::uint32_t delay_word, weight_word;
  std::uint32_t listed;  ///< index in Projection::edges, for Rule::listed and where weights come from a file
};

class Connector {
 public:
  /// `index`: of the projection in the network.  Throws std::runtime_error if the rule cannot be drawn.  While `stop` is
  /// set and until `built`, `edges` throws Stopped.
  Connector(const Network& network, std::uint32_t index, const std::atomic<bool>* stop = nullptr);

  /// From here on edges are asked for to save or to log what there is, which a wish to stop must not prevent.
  void built() { stop_ = nullptr; }
  std::uint32_t run_count() const { return runs_; }
  Gid source_gid(std::uint32_t source) const { return locate(sources_, source); }
  Gid target_gid(std::uint32_t run, std::uint32_t t) const { return locate(targets_, run * target_run + t); }
  std::uint32_t targets_in(std::uint32_t run) const {
    return std::min<std::uint32_t>(target_run, target_count_ - run * target_run);
  }
  /// Upper bound of the synapses of the projection, for memory and statistics.
  std::uint64_t expected() const;

  /// Calls take(span of DrawnEdge) with the run's edges in canonical order, in pieces.  Targets for which
  /// `wanted[t]` is false may be left out.
  void edges(std::uint32_t run, const bool* wanted, const std::function<void(const DrawnEdge*, std::size_t)>& take) const;

  const Projection& projection;

 private:
  static Gid locate(const std::vector<GidRange>& ranges, std::uint32_t i) {
    std::size_t r = 0;
    while (i >= ranges[r].count) i -= ranges[r++].count;
    return ranges[r].first + i;
  }
  void draw_edges(std::uint32_t run, const bool* wanted, const std::function<void(const DrawnEdge*, std::size_t)>& take) const;
  void match(std::uint32_t run, const bool* wanted, const std::function<void(const DrawnEdge*, std::size_t)>& take) const;
  void split(std::uint32_t first, std::uint32_t last, std::uint64_t number, std::uint64_t node);
  /// fixed_outdegree: how many synapses of each source end in `run`.
  const std::vector<std::uint32_t>& outgoing(std::uint32_t run) const;
  /// Index of `gid` along the concatenated targets, or target_count_.
  std::uint32_t target_index(Gid gid) const;

  std::vector<GidRange> sources_, targets_;
  std::uint32_t source_count_, target_count_, runs_;
  const std::atomic<bool>* stop_;
  RandomKey key_, again_, split_key_;
  std::vector<std::uint64_t> number_of_run_;   ///< fixed_total_number
  std::vector<std::uint64_t> pairs_before_;    ///< fixed_total_number: allowed pairs in the runs before
  std::vector<std::uint64_t> listed_begin_;    ///< listed: first edge of each run
  /// fixed_outdegree: the nodes of the tree of runs from the root to the run asked for last, each with the number of
  /// synapses that every source has there.  Runs are asked for in order, so a node is drawn once or twice.
  struct Node {
    std::uint32_t first, last;
    std::uint64_t number;  ///< of the node, 1 at the root
    std::vector<std::uint32_t> counts;
  };
  mutable std::vector<Node> path_;
  mutable std::vector<std::vector<std::uint32_t>> kept_;  ///< counts of the runs asked for so far, where all together are few
};

/// What is wrong with the first control event addressed to a synapse that its projection does not have, as a sentence; or
/// nothing.  Draws the connections of the targets named.
std::string missing_synapse(const Network& network);

}  // namespace spinet
