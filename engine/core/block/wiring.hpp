// The synapses of a projection before they lie in blocks: who is connected, with which delays, and with what
// state they begin. Functions of keys and places, the same whoever asks.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "connect/positions.hpp"
#include "core/buffer.hpp"
#include "core/connect.hpp"
#include "core/partition.hpp"
#include "network/checked.hpp"

namespace spinet {

/// Where this rank keeps its neurons: gid -> (block, index in the block).
class Locator {
 public:
  static constexpr std::uint32_t nowhere = 0xFFFFFFFFu;
  struct Place {
    std::uint32_t block = nowhere;
    std::uint32_t first = 0;  ///< index in the block of the stretch's first neuron
  };
  Locator(const Partition& partition) : partition_(partition), places_(partition.stretches().size()) {}
  void place(std::uint32_t stretch, Place p) { places_[stretch] = p; }
  /// Index of `gid` in `block`, or `nowhere`.
  std::uint32_t in_block(Gid gid, std::uint32_t block) const {
    const std::uint32_t stretch = partition_.stretch_of(gid);
    return places_[stretch].block == block
               ? places_[stretch].first + (gid - partition_.stretches()[stretch].first)
               : nowhere;
  }
  Place of_stretch(std::uint32_t stretch) const { return places_[stretch]; }

 private:
  const Partition& partition_;
  std::vector<Place> places_;
};

/// A projection's plan shared by all blocks: connector, delays, weights.
struct Wiring {
  Wiring(const Network& network, std::uint32_t index, const std::atomic<bool>* stop = nullptr);
  Connector connector;
  DelaySampler delay;
  std::vector<Sampler> state;
  RandomKey variable_key;
  double weight_of(const DrawnEdge& e) const;
  /// The one copy on this rank of the weights that synapses of the projection share; empty: each has its own.
  std::vector<float> shared_weights;
  /// `target`: of the edge, along the projection's targets.
  std::uint32_t delay_steps(const DrawnEdge& e, std::uint32_t target, Tick resolution) const;
  /// The projection's steps of delay, at least and at most (explicit lists included).
  std::uint32_t least_delay, most_delay;

 private:
  /// Where delays follow the distance: the positions of all ends.
  struct ByDistance {
    explicit ByDistance(const Ends& ends);
    Space space;
    std::vector<Point> sources, targets;
  };
  std::optional<ByDistance> by_distance_;
};

/// Writes the variables of a synapse that the network initialises.
class StateMaker {
 public:
  /// `shared`: what the model has made of the projection's parameters `params`.
  StateMaker(const Network& net, const Wiring& w, const void* shared, const void* params);
  void make(std::byte* state, const DrawnEdge& e, std::uint32_t target);

 private:
  void begin(std::byte* state, const DrawnEdge& e, std::uint32_t target);
  const Projection& projection_;
  const Wiring& wiring_;
  std::vector<std::byte> prototype_;
  std::vector<const Field*> drawn_;
  std::vector<std::uint32_t> numbers_;  ///< of their draws
  Slice slice_{};
  bool keyed_;                         ///< is there something to draw or to check beside the variables?
  std::vector<std::byte> own_params_;  ///< of a device, where parameters are drawn and to be checked
};

/// What the edges of a projection hold at t = 0, for the log.
class InitialState {
 public:
  InitialState(const Network& network, std::uint32_t projection, const Wiring& wiring);
  /// The weight of an edge of the stretch of targets `stretch` (NaN: the model needs its targets to tell);
  /// appends its values of `edge_variables`.
  double of(const DrawnEdge& e, std::uint32_t stretch, std::vector<double>& values);

 private:
  const Network& net_;
  const Wiring& wiring_;
  std::vector<std::uint32_t> variables_;
  bool weight_given_ = true, weight_known_ = true;
  Buffer<std::byte> shared_, state_;
  std::vector<std::byte> slice_state_, params_;
  std::optional<StateMaker> maker_;
};

// For every synapse of a network: inlined.
inline void StateMaker::make(std::byte* state, const DrawnEdge& e, std::uint32_t target) {
  std::memcpy(state, prototype_.data(), prototype_.size());
  for (std::size_t v = 0; v < drawn_.size(); ++v) {
    double value;
    if (v == 0) {
      value = wiring_.weight_of(e);
    } else if (projection_.lists(v)) {
      value = projection_.listed_state[v][e.listed];
    } else {
      const std::uint64_t edge = std::uint64_t{e.source} << 32 | target,
                          of = std::uint64_t{numbers_[v]} << 32 | e.weight_word;
      const auto w = draw(wiring_.variable_key, edge, of);
      value = wiring_.state[v](uniform01(w[0], w[1]));
    }
    put(state, *drawn_[v], value);
  }
  if (keyed_) return begin(state, e, target);
  if (!projection_.synapse->init) return;
  slice_.state = state;
  projection_.synapse->init(&slice_);
}

/// An edge as it ends in a block.
struct EndingEdge {
  const DrawnEdge& drawn;
  Gid source;
  std::uint32_t delay;   ///< steps
  std::uint32_t target;  ///< its index in the projection
  std::uint16_t local;   ///< and in the block
};

/// The edges of all projections that end in one block.
struct BlockEdges {
  const Network& network;
  const std::vector<std::unique_ptr<Wiring>>& wirings;
  const Locator& locator;
  std::uint32_t block;
  /// Calls f(EndingEdge) for those of projection `p`, in canonical order.
  template <class F>
  void each(std::uint32_t p, F&& f) const;
  /// How many are expected of these projections, by the block's share of their targets.
  double expected(const std::vector<std::uint32_t>& projections) const;
};

template <class F>
void BlockEdges::each(std::uint32_t p, F&& f) const {
  const Wiring& wiring = *wirings[p];
  const Connector& connector = wiring.connector;
  const bool one_delay = wiring.least_delay == wiring.most_delay;
  const auto& sources = connector.projection.sources;
  for (std::uint32_t stretch = 0; stretch < connector.stretch_count(); ++stretch) {
    std::uint16_t local[target_stretch];
    bool wanted[target_stretch], any = false;
    for (std::uint32_t t = 0; t < connector.targets_in(stretch); ++t) {
      const std::uint32_t j = locator.in_block(connector.target_gid(stretch, t), block);
      wanted[t] = j != Locator::nowhere;
      local[t] = static_cast<std::uint16_t>(j);
      any |= wanted[t];
    }
    if (!any) continue;
    connector.edges(stretch, wanted, [&](const DrawnEdge* e, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        const Gid gid =
            sources.size() == 1 ? sources[0].first + e[i].source : connector.source_gid(e[i].source);
        const std::uint32_t d = one_delay ? wiring.least_delay
                                          : wiring.delay_steps(e[i], stretch * target_stretch + e[i].target,
                                                               network.delay_resolution);
        f(EndingEdge{e[i], gid, d, stretch * target_stretch + e[i].target, local[e[i].target]});
      }
    });
  }
}

}  // namespace spinet
