// Sources whose spikes go through the exchange as any neuron's do: those that are recorded, or heard in
// another way than one to one.
#pragma once
#include <utility>
#include <vector>

#include "core/input/source.hpp"
#include "core/pulse.hpp"
#include "core/recorder.hpp"

namespace spinet {

/// Sources whose spikes this rank emits into the exchange.
class Emitter {
 public:
  /// `own[i]`: neuron i of the unit belongs to this rank.
  Emitter(Source source, Gid first, std::vector<bool> own, Tick slab)
      : source_(std::move(source)), first_(first), own_(std::move(own)), slab_(slab) {}
  /// First tick >= `from` that may have a spike.
  Tick next() const;
  /// Appends the spikes in [begin of what is left, to), unsorted.
  void emit(Tick to, std::vector<Spike>& out, Heart& heart);
  /// As if everything before tick `at` had been emitted.
  void resume(Tick at, Heart& heart);

 private:
  Source source_;
  Gid first_;
  std::vector<bool> own_;
  Tick slab_, from_ = 0;
  std::vector<Spike> left_;  ///< drawn, not yet due
};

}  // namespace spinet
