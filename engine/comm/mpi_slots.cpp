#include "comm/mpi_slots.hpp"

#include <fcntl.h>
#include <immintrin.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <utility>

namespace spinet {
namespace {

constexpr std::size_t line = 64, largest = 1024 * 1024;
constexpr std::size_t of_all = 32 * 1024 * 1024;  // where there are many ranks

/// Are all ranks on this machine?
bool together(MPI_Comm comm, int size) {
  MPI_Comm here;
  if (MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here) != MPI_SUCCESS) return false;
  int beside = 1;
  MPI_Comm_size(here, &beside);
  MPI_Comm_free(&here);
  return beside == size;
}

/// Has every rank a processor of its own?  Where not, one that waits is in the way of those it waits for.
bool roomy(MPI_Comm comm, int size) {
  cpu_set_t usable, all;
  CPU_ZERO(&usable);
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) CPU_ZERO(&usable);
  CPU_ZERO(&all);
  const bool told =
      MPI_Allreduce(&usable, &all, static_cast<int>(sizeof usable), MPI_BYTE, MPI_BOR, comm) == MPI_SUCCESS;
  return told && CPU_COUNT(&all) >= size;
}

/// Memory of `bytes` that rank 0 makes and the others open: a file without a name, which is in no folder that
/// may be full.  Null, on all ranks, where one of them cannot have it.  Collective.
std::byte* shared_memory(MPI_Comm comm, int rank, std::size_t bytes) {
  // Not MPI_Win_allocate_shared: where it fails on rank 0, Open MPI has the others wait for ever.
  struct {
    long process = 0, file = -1;
    dev_t device = 0;  // with `inode`, whether it is the same file: ranks may not see each other's processes
    ino_t inode = 0;
  } made;
  struct stat is {};
  int file = -1;
  if (rank == 0) {
    file = memfd_create("spinet", MFD_CLOEXEC);
    if (file >= 0 && ftruncate(file, static_cast<off_t>(bytes)) == 0 && fstat(file, &is) == 0)
      made = {getpid(), file, is.st_dev, is.st_ino};
  }
  const bool heard = MPI_Bcast(&made, sizeof made, MPI_BYTE, 0, comm) == MPI_SUCCESS && made.file >= 0;
  if (rank != 0 && heard) {
    const std::string path = "/proc/" + std::to_string(made.process) + "/fd/" + std::to_string(made.file);
    file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  }
  const bool same =
      heard && file >= 0 && fstat(file, &is) == 0 && is.st_dev == made.device && is.st_ino == made.inode;
  void* at = same ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
  int got = at != MAP_FAILED, all_got = 0;
  const bool told = MPI_Allreduce(&got, &all_got, 1, MPI_INT, MPI_MIN, comm) == MPI_SUCCESS;
  if (file >= 0) close(file);
  if (told && all_got) return static_cast<std::byte*>(at);
  if (got) munmap(at, bytes);
  return nullptr;
}

}  // namespace

// Each rank's memory: a line with the number of its exchanges, and two parts that take turns, of a header and
// a message each.  Who shows message n + 2 overwrites n: all have shown n + 1 by then, so that they have read
// n.
MpiSlots::MpiSlots(MPI_Comm comm) {
  MPI_Comm_rank(comm, &rank_);
  MPI_Comm_size(comm, &size_);
  if (size_ == 1 || !together(comm, size_)) return;
  capacity_ = std::clamp(of_all / static_cast<std::size_t>(2 * size_) / line * line, line, largest);
  pitch_ = line + 2 * (line + capacity_);
  mapped_ = pitch_ * static_cast<std::size_t>(size_);
  base_ = shared_memory(comm, rank_, mapped_);
  yields_ = !roomy(comm, size_);
}

MpiSlots::~MpiSlots() {
  if (base_) munmap(base_, mapped_);
}

std::uint64_t& MpiSlots::turn_of(int rank) const {
  return *reinterpret_cast<std::uint64_t*>(base_ + pitch_ * static_cast<std::size_t>(rank));
}
std::byte* MpiSlots::part(int rank, std::uint64_t turn) const {
  return base_ + pitch_ * static_cast<std::size_t>(rank) + line + (turn & 1) * (line + capacity_);
}
std::uint64_t MpiSlots::header_of(int rank) const {
  std::uint64_t header;
  std::memcpy(&header, part(rank, turn_), sizeof header);
  return header;
}
const std::byte* MpiSlots::payload(int rank) const { return part(rank, turn_) + line; }

void MpiSlots::wait_for(int rank) const {
  const std::atomic_ref<std::uint64_t> turn(turn_of(rank));
  while (turn.load(std::memory_order_acquire) < turn_) {
    if (yields_) sched_yield();
    else _mm_pause();
  }
}

void MpiSlots::exchange(std::uint64_t header, std::span<const std::byte> mine) {
  ++turn_;
  std::byte* const to = part(rank_, turn_);
  std::memcpy(to, &header, sizeof header);
  if (!mine.empty()) std::memcpy(to + line, mine.data(), mine.size());
  std::atomic_ref<std::uint64_t>(turn_of(rank_)).store(turn_, std::memory_order_release);
  for (int r = 0; r < size_; ++r)
    if (r != rank_) wait_for(r);
}

}  // namespace spinet
