// Memory that all ranks of one machine see, in which each has a slot that it writes and all others read.
// Includes mpi.h: for mpi_*.cpp alone.
#pragma once
#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace spinet {

class MpiSlots {
 public:
  /// Collective.  Without ranks beside this one, or with ranks on other machines, there are none.
  explicit MpiSlots(MPI_Comm comm);
  ~MpiSlots();
  MpiSlots(const MpiSlots&) = delete;
  MpiSlots& operator=(const MpiSlots&) = delete;

  bool there() const { return base_ != nullptr; }
  std::size_t capacity() const { return capacity_; }  ///< bytes of a message that a slot holds
  /// Shows the others a header and a message of at most `capacity` bytes, and waits until all have shown
  /// theirs. What they have shown stays until this rank comes to the next exchange.  Collective.
  void exchange(std::uint64_t header, std::span<const std::byte> mine);
  std::uint64_t header_of(int rank) const;
  const std::byte* payload(int rank) const;

 private:
  std::byte* part(int rank, std::uint64_t turn) const;
  std::uint64_t& turn_of(int rank) const;
  void wait_for(int rank) const;

  std::byte* base_ = nullptr;  ///< of the memory that all share
  std::size_t mapped_ = 0;
  int rank_ = 0, size_ = 1;
  std::size_t capacity_ = 0, pitch_ = 0;
  std::uint64_t turn_ = 0;  ///< exchanges so far
  bool yields_ = true;      ///< while it waits
};

}  // namespace spinet
