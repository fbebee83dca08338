// Synapses whose values are logged: all of a projection at given times (weight recordings), and chosen ones
// whenever they change, at given times and at the end of batches (weight event recordings).
#pragma once
#include <cstdint>
#include <vector>

#include "core/block/faults.hpp"
#include "core/block/slices.hpp"
#include "core/recorder.hpp"

namespace spinet {

/// A synapse whose changes are logged.
struct WatchedSynapse {
  std::uint32_t slice, index, recording;
  std::uint64_t edge;
  double last;  ///< the value last logged, NaN before the first
};

class Watched {
 public:
  /// Both must outlive it; the slices follow once they are there.
  Watched(const Network& network, const Faults& faults) : network_(network), faults_(faults) {}
  void look_at(SliceViews& slices) { slices_ = &slices; }

  /// Positions in their store of the synapses that weight recording `w` samples, in the order of the samples.
  void sample(std::uint32_t w, std::vector<std::uint32_t> positions);
  /// Samples of a frame of weight recording `w`.
  std::size_t sample_count(std::size_t w) const { return w < sampled_.size() ? sampled_[w].size() : 0; }
  /// Appends the weights of recording `w` as events arriving at `tick` would meet them.
  void take_samples(std::uint32_t w, Tick tick, std::vector<float>& to);

  /// The synapses of all weight event recordings; changes go to `noted`.
  void note_changes(std::vector<WatchedSynapse> some);
  bool any_changes() const { return !first_.empty(); }
  std::vector<WatchedSynapse>& changing() { return changing_; }
  const std::vector<WatchedSynapse>& changing() const { return changing_; }
  /// Something has happened to all synapses of slice `s`.
  void changed(std::uint32_t s, Tick tick);
  /// Synapses that follow each other in a slice.
  struct Piece {
    std::uint32_t slice, first, count;
  };
  /// A stimulus has come to these synapses, and to no others: which lie beside them in the slice depends on
  /// ranks and blocks.  What is logged each time that it comes is noted by `after`.
  void controlled(const Piece& piece, Tick tick, const Stimulus& stimulus);
  /// All have had the stimulus: what is logged each time is, also several times a tick.
  void after(const ScheduledControl& s, Tick tick);
  enum class Values { all, changed };
  void note_recording(std::uint32_t recording, Tick tick, Values which);
  std::vector<std::vector<WeightEvent>> noted;  ///< by recording, in time order

 private:
  void note_piece(const Piece& piece, Tick tick, const Stimulus* after);
  void note(WatchedSynapse& w, const Slice& slice, Values which);
  const Network& network_;
  const Faults& faults_;
  SliceViews* slices_ = nullptr;
  std::vector<std::vector<std::uint32_t>> sampled_;  ///< positions, by weight recording
  std::vector<WatchedSynapse> changing_;             ///< sorted by slice and index
  std::vector<std::uint32_t> first_;  ///< of `changing_`, by slice; empty where nothing is watched
};

}  // namespace spinet
