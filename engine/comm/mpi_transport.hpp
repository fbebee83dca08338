// The transport over MPI.  Includes mpi.h: only mpi_*.cpp use this header; everyone else has mpi_session.hpp.
#pragma once
#include <mpi.h>

#include <optional>

#include "comm/mpi_slots.hpp"
#include "comm/transport.hpp"

namespace spinet {

/// Every collective begins with an exchange of equal *slots*: a header (what it is, how long) and the
/// message's first `capacity_` bytes; between ranks of one machine through memory that all see, else by one
/// MPI_Allgather. What does not fit follows in a second step.  So
/// - a small message costs one look at the others' slots, or one MPI call;
/// - a rank that has failed joins whichever collective the others come to with its message in the slot, and
/// they
///   throw RankFailed: nobody hangs, and MPI is left in a state in which it can be finalised.
class MpiTransport final : public Transport {
 public:
  /// How ranks of one machine exchange slots.
  enum class Slots : std::uint8_t { shared, messages };
  /// `chunk`: most bytes handed to one MPI call, whose counts are ints (tests make it small).  Collective.
  MpiTransport(MPI_Comm parent, std::size_t chunk, Slots slots = Slots::shared);
  ~MpiTransport() override;
  MpiTransport(const MpiTransport&) = delete;
  MpiTransport& operator=(const MpiTransport&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void all_gather(std::span<const std::byte> mine, Gathered& all) override;
  void all_see(std::span<const std::byte> mine, Seen& all) override;
  void gather(std::span<const std::byte> mine, Gathered& all) override;

  /// The last collective of every rank: returns the highest of the exit codes handed in.  A rank that comes
  /// here while others are still at work makes their present collective throw RankFailed(this rank, message).
  /// Does nothing more after a RankFailed that came out of this transport: that rank's farewell has been
  /// heard.
  int farewell(int exit_code, const std::string& message);

  /// True after a farewell without a message that left other ranks waiting in a collective: a mistake in the
  /// program.
  bool left_waiting() const { return left_waiting_; }
  /// Bytes of a message that travel in the first step at present.
  std::size_t capacity() const { return capacity_; }

 private:
  enum class What : std::uint64_t { all_gather = 1, gather = 2, farewell = 3 };
  static constexpr std::size_t header_bytes = sizeof(std::uint64_t);

  void exchange(What what, std::span<const std::byte> mine);
  void send_slots(std::uint64_t header, std::span<const std::byte> mine);
  std::uint64_t header_of(int rank) const;
  std::span<const std::byte> slot_payload(int rank, std::size_t length) const;
  std::size_t size_of(int rank) const { return header_of(rank) & 0x00FF'FFFF'FFFF'FFFF; }
  What what_of(int rank) const { return static_cast<What>(header_of(rank) >> 56); }
  /// Begin of each rank's bytes in the result, with room made and the first step's part put in place.
  void lay_out(Gathered& all) const;
  void copy_all(std::span<const std::byte> mine, Gathered& all);
  void all_gather_rest(std::span<const std::byte> mine, Gathered& all);
  void all_gather_rest_at_once(std::span<const std::byte> mine, Gathered& all) const;
  void adapt();
  [[noreturn]] void throw_farewell();

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  std::size_t chunk_;
  std::size_t capacity_ = 248;
  std::size_t largest_now_ = 0, largest_of_period_ = 0;  ///< message sizes, over all ranks
  std::uint32_t calls_of_period_ = 0;
  bool ended_ = false, left_waiting_ = false;
  int agreed_code_ = 0;
  std::vector<std::byte> slot_, slots_, scratch_;
  std::optional<MpiSlots> shared_;
};

}  // namespace spinet
