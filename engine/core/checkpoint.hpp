// Where a checkpoint goes and comes from: the seam between the simulation and checkpoint files.  A checkpoint
// is a set of named byte strings that name neurons by gid and synapses by (projection, target, number), never
// by rank or block.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "spinet/time.hpp"

namespace spinet {

/// Used on rank 0 only.
class CheckpointSink {
 public:
  virtual ~CheckpointSink() = default;
  /// A checkpoint of the state at the begin of tick `at`; every recorded event before it has been handed to
  /// the recorder, and `Recorder::secure` has been called.
  virtual void begin(Tick at) = 0;
  /// Appends to the byte string `name`.
  virtual void put(const std::string& name, std::span<const std::byte> bytes) = 0;
  /// The checkpoint is whole.
  virtual void end() = 0;
};

/// Used on every rank.
class CheckpointSource {
 public:
  virtual ~CheckpointSource() = default;
  /// Bytes of `name`, 0 if there is none.
  virtual std::uint64_t size(const std::string& name) const = 0;
  virtual void read(const std::string& name, std::uint64_t offset, std::span<std::byte> to) const = 0;
};

}  // namespace spinet
