// What the engine needs of a message layer.  Three implementations: serial, MPI, loopback (threads, for
// tests).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace spinet {

/// Bytes of all ranks, in rank order.
struct Gathered {
  std::vector<std::byte> bytes;
  std::vector<std::size_t> begin;  ///< size() + 1 offsets into `bytes`
  std::span<const std::byte> of(int rank) const {
    return {bytes.data() + begin[static_cast<std::size_t>(rank)],
            begin[static_cast<std::size_t>(rank) + 1] - begin[static_cast<std::size_t>(rank)]};
  }
};

/// Bytes of all ranks where they lie.
struct Seen {
  std::vector<std::span<const std::byte>> of;  ///< by rank
  Gathered copied;                             ///< where there is no other place
};

/// Thrown on every rank when one has failed; the message is that rank's.
struct RankFailed : std::runtime_error {
  int rank;
  RankFailed(int r, const std::string& message) : std::runtime_error(message), rank(r) {}
};

/// Collective calls only: every rank makes the same calls in the same order.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Everyone's bytes to everyone.  Called once a window with small messages: latency counts.
  virtual void all_gather(std::span<const std::byte> mine, Gathered& all) = 0;
  /// The same without a copy, if there is a way: what is seen stays until this rank's next call.
  virtual void all_see(std::span<const std::byte> mine, Seen& all) {
    all_gather(mine, all.copied);
    all.of.clear();
    for (int r = 0; r < size(); ++r) all.of.push_back(all.copied.of(r));
  }
  /// Everyone's bytes to rank 0; `all` is left empty elsewhere.  Messages may exceed 2 GiB.
  virtual void gather(std::span<const std::byte> mine, Gathered& all) = 0;
};

}  // namespace spinet
