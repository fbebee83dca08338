// The neurons of a block: their state, constants and parameters, who they are, and whose random numbers they
// draw.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/block/faults.hpp"
#include "core/buffer.hpp"
#include "core/pulse.hpp"
#include "network/checked.hpp"

namespace spinet {

/// Neurons with one model and one set of shared parameters.
struct KernelGroup {
  const NeuronTable* table;
  std::vector<double> key;   ///< values of the shared parameters
  Buffer<std::byte> shared;  ///< aligned to cache lines, as models expect
  Tick frame_length = 0;
};

class Requests;
struct Ordered;

class Members {
 public:
  Members(const Network& network, const KernelGroup& group, std::vector<Gid> gids);
  /// Draws parameters and initial values and puts all neurons into their state at t = 0.
  void init(const Requests& requests, const Faults& faults, Heart& heart);

  const NeuronTable& table() const { return table_; }
  std::uint32_t size() const { return block.size; }
  const std::vector<Gid>& gids() const { return gids_; }
  /// Of gid, or of the first after it.
  std::uint32_t index_of(Gid gid) const;
  /// The neurons of a population: the first's index, and that after the last.
  std::pair<std::uint32_t, std::uint32_t> of(const Population& p) const;
  /// The one replica whose neurons these are; none: there are several, or no replicas at all.
  std::optional<std::uint32_t> replica() const { return replica_; }
  /// Appends those whom an address names, in ascending order.
  void addressed(const Address& to, std::vector<std::uint32_t>& js) const;
  /// A parameter of the neurons `js`; the model hears of it once all that change with it are there: with a
  /// `complete` one.
  void set(const Ordered& o, Tick tick, std::span<const std::uint32_t> js);

  void save(std::uint32_t j, std::byte* to) const;
  void restore(std::uint32_t j, const std::byte* from);
  /// Has the model written nowhere beside its states, constants and what is common to the block?
  bool intact() const { return state_.intact() && constants_.intact() && common_.intact(); }

  NeuronBlock block{};  ///< as models see it

 private:
  class Drawer;
  const Network& network_;
  const NeuronTable& table_;
  std::vector<Gid> gids_;      ///< ascending
  std::vector<Gid> drawn_as_;  ///< as random numbers count them, where the network has replicas
  std::vector<RandomKey> keys_;
  std::vector<std::uint32_t> replicas_;  ///< by neuron, where there are several
  std::optional<std::uint32_t> replica_;
  std::vector<DrivenSize> driven_;
  std::vector<std::vector<std::byte>> params_;  ///< per neuron, kept only where the schedule changes some
  FencedBuffer state_, constants_, common_;
};

}  // namespace spinet
