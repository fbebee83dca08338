#include "memory.hpp"

#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <thread>

#include "comm/collectively.hpp"
#include "comm/machine.hpp"
#include "exits.hpp"
#include "network/estimate.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

constexpr double of_library = 6e6;  ///< what HDF5 and the program itself take once they are used
constexpr double of_mpi = 14e6;     ///< and MPI, where there are several ranks

/// Bytes of a line of /proc/self/status: VmHWM, what this process has taken at most until now; VmRSS, what it
/// has now.  (The peak that getrusage knows is also that of the process which has started this one.)
double status(std::string_view line) {
  std::ifstream in("/proc/self/status");
  for (std::string name; in >> name; in.ignore(std::numeric_limits<std::streamsize>::max(), '\n'))
    if (double kilobytes = 0; name == line && in >> kilobytes) return kilobytes * 1024;
  return 0;
}
double peak() { return status("VmHWM:"); }

/// Bytes of the process of a rank, at their highest.  To be asked for after the network has been read, and
/// before anything is built: what this process has taken until now is a part of it.
double process_bytes(const Memory& m, int rank, int ranks) {
  // Memory that reading the network has used and given back is used again.
  const double free = static_cast<double>(mallinfo2().fordblks);
  const double then =
      status("VmRSS:") + of_library + (ranks > 1 ? of_mpi : 0) + std::max(0.0, m.of_rank(rank, ranks) - free);
  return std::max(peak(), then);
}

/// The part of the network that takes most.
std::string largest(const Network& n, const Memory& m) {
  std::string what;
  double most = 0;
  for (std::size_t p = 0; p < m.populations.size(); ++p)
    if (m.populations[p] > most) most = m.populations[p], what = "population " + n.populations[p].name;
  for (std::size_t p = 0; p < m.projections.size(); ++p)
    if (m.projections[p] > most) most = m.projections[p], what = "projection " + n.projections[p].name;
  return fmt::format("the largest part is {}, {} in all", what, readable_bytes(most));
}

/// What the ranks of one machine need, and what it has.
struct Shortage {
  int ranks_here, ranks;
  double need, there;  ///< bytes
};
[[noreturn]] void refuse(const Network& n, const Memory& m, const Shortage& s) {
  throw UserError(fmt::format(
      "{}: does not fit: {} of {} here need{} about {}, and this machine has {}; {}\n"
      "  use more machines, or a smaller network; `spinet validate` says what fits where",
      n.source_path, s.ranks_here == 1 ? "1 rank" : fmt::format("{} ranks", s.ranks_here), s.ranks,
      s.ranks_here == 1 ? "s" : "", readable_bytes(s.need), readable_bytes(s.there), largest(n, m)));
}

/// The fewest machines like this one, with a rank on each core or one on each, that hold the run; 0: none.
int machines(const Memory& m, int cores, double there) {
  for (int n = 1; n <= 1 << 20; n += std::max(1, n / 64)) {
    const int ranks = n * cores;
    if (cores * process_bytes(m, 1, ranks) + m.first_rank <= there) return n;
  }
  return 0;
}

}  // namespace

void check_memory(Transport& t, const Network& n) {
  const auto here = ranks_here(t);
  const Memory m = memory_of(n);
  collectively(t, [&] {
    double need = 0;
    for (const int rank : here) need += process_bytes(m, rank, t.size());
    if (const auto there = static_cast<double>(machine_memory()); need > there)
      refuse(n, m, {static_cast<int>(here.size()), t.size(), need, there});
  });
}

void check_memory(const Network& n, int ranks) {
  const Memory m = memory_of(n);
  double need = 0;
  for (int rank = 0; rank < ranks; ++rank) need += process_bytes(m, rank, ranks);
  if (const auto there = static_cast<double>(machine_memory()); need > there)
    refuse(n, m, {ranks, ranks, need, there});
}

void check_memory_of_each(const Network& n, int ranks, double copies) {
  const Memory m = memory_of(n);
  const double need = ranks * (peak() + of_library + copies * (m.every_rank + m.shared));
  if (const auto there = static_cast<double>(machine_memory()); need > there)
    refuse(n, m, {ranks, ranks, need, there});
}

std::string where_it_fits(const Network& n) {
  const Memory m = memory_of(n);
  const auto there = static_cast<double>(machine_memory());
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const double alone = process_bytes(m, 0, 1);
  std::string s = fmt::format("  {:<12}about {} on one rank", "memory", readable_bytes(alone));
  if (cores > 1 && alone > 1e9)
    s += fmt::format(", {} a rank on {}", readable_bytes(process_bytes(m, 1, cores)), cores);
  if (alone <= there) return s + fmt::format("; this machine has {}\n", readable_bytes(there));
  s +=
      fmt::format(";\n  {:<12}on one machine like this, with {}, it does not fit", "", readable_bytes(there));
  int each = cores, count = machines(m, each, there);
  if (count == 0) each = 1, count = machines(m, each, there);
  if (count == 0) return s + ", nor on any number of them: every rank holds the whole description\n";
  return s + fmt::format("; {} it does: {} a rank, {} rank{} each\n",
                         count == 1 ? "with more ranks" : fmt::format("from {} on", count),
                         readable_bytes(process_bytes(m, 1, count * each)), each, each == 1 ? "" : "s");
}

}  // namespace spinet::tool
