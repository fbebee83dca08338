// The edges of a projection, drawn stretch of targets by stretch of targets: whoever owns some targets of a
// stretch draws them all, so nothing depends on ranks.  How they are drawn is the rule's (connect/rule.hpp).
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connect/edges.hpp"
#include "connect/ends.hpp"

namespace spinet {

class Connector {
 public:
  /// `index`: of the projection in the network.  Throws std::runtime_error if the rule cannot be drawn. While
  /// `stop` is set and until `built`, `edges` throws Stopped.
  Connector(const Network& network, std::uint32_t index, const std::atomic<bool>* stop = nullptr);

  /// From here on edges are asked for to save or to log what there is, which a wish to stop must not prevent.
  void built() { stop_ = nullptr; }
  std::uint32_t stretch_count() const { return stretches_; }
  Gid source_gid(std::uint32_t source) const { return ends_.source_gid(source); }
  Gid target_gid(std::uint32_t stretch, std::uint32_t t) const {
    return ends_.target_gid(stretch * target_stretch + t);
  }
  std::uint32_t targets_in(std::uint32_t stretch) const {
    return std::min<std::uint32_t>(target_stretch, ends_.targets - stretch * target_stretch);
  }
  /// Synapses expected of the projection.
  double expected() const { return expected_; }

  /// Hands on the stretch's edges in canonical order, in pieces.  Targets for which `wanted[t]` is false may
  /// be left out.
  void edges(std::uint32_t stretch, const bool* wanted, const EdgeTaker& take) const;

  const Projection& projection;

 private:
  void draw(std::uint32_t stretch, const bool* wanted, const EdgeTaker& take) const;
  void match(std::uint32_t stretch, const bool* wanted, const EdgeTaker& take) const;

  Ends ends_;
  std::uint32_t stretches_;
  double expected_ = 0;
  const std::atomic<bool>* stop_;
  std::unique_ptr<EdgeDrawer> drawer_;
};

/// For each place what it names and its projection has not drawn ("synapse from source 3 to target 1"), or
/// nothing.  Draws the connections of the targets named, and those of others until each row has one.
std::vector<std::string> not_drawn(const Network& network, const std::vector<Place>& places);

}  // namespace spinet
