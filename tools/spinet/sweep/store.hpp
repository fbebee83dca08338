// How the results of a running sweep survive a kill, and how ranks share its runs.
//
// Each rank appends its rows to a journal of its own, OUT.h5.runs.RANK, one write per run; rank 0 folds all
// journals into OUT.h5 now and then and at the end.  So a run costs neither HDF5 nor a message, and nobody
// waits for anybody.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweep/results.hpp"

namespace spinet::tool {

/// FNV-1a of what `difference` compares.
std::uint64_t identity(const Sweep& sweep);

/// The journal of one rank; locked as long as it is open.  Throws std::runtime_error.
class RunJournal {
 public:
  RunJournal(const std::filesystem::path& out, int rank, std::uint64_t identity);
  ~RunJournal();
  RunJournal(const RunJournal&) = delete;
  void append(const Row& row);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

/// Reads what ranks have appended since the last time; a row cut short by a kill is left out.
class JournalReader {
 public:
  JournalReader(const std::filesystem::path& out, std::uint64_t identity) : out_(out), identity_(identity) {}
  /// New whole rows of all journals.
  std::vector<Row> read();

 private:
  struct Tail {
    std::filesystem::path path;
    std::uint64_t at = 0;
  };
  std::filesystem::path out_;
  std::uint64_t identity_;
  std::vector<Tail> tails_;
};

/// All journals of `out`, also those of ranks that are no more.
std::vector<std::filesystem::path> journals(const std::filesystem::path& out);
/// Throws UserError if a journal or the counter of `out` is there under its name and is none: nothing of
/// others is removed.
void refuse_foreign(const std::filesystem::path& out);
/// True if a process that still runs writes one of them; waits a little for one that is just being killed.
bool in_use(const std::filesystem::path& out);
/// Removes the journals and the counter.
void clear_up(const std::filesystem::path& out);

/// Deals out the numbers 0, 1, ..., each once, to whichever rank asks: a counter in a locked file.
class Dealer {
 public:
  /// Rank 0 calls `reset` before any other rank constructs one.
  static void reset(const std::filesystem::path& out);
  explicit Dealer(const std::filesystem::path& out);
  ~Dealer();
  Dealer(const Dealer&) = delete;
  /// Does the file system lock?  If not, numbers must be dealt out by rank.
  bool works() const { return works_; }
  std::uint64_t next();

 private:
  int fd_ = -1;
  bool works_ = false;
};

}  // namespace spinet::tool
