// The right to write OUT and what stands beside it (its journal, checkpoints, temporary files): one process
// at a time.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "log/error.hpp"

namespace spinet {

/// May a file that is there already be replaced?
enum class Replace : bool { no, yes };

/// Another process writes this file.  The message says which, as far as it is known.
struct OutputInUse : LogError {
  using LogError::LogError;
};

/// A lock (flock) on OUT.lock, which holds "spinet PID HOST".  The system drops it when the process ends,
/// however it ends.  The file is removed with the lock, and after a kill by the next one who takes it.
class OutputLock {
 public:
  /// Takes the lock, and puts in order what killed owners have left: temporary files are removed, a journal
  /// that was whole but had not got its name yet gets it.  Throws OutputInUse if another process holds the
  /// lock for longer than half a second, ForeignFile if what is called OUT.lock is none, LogError if there
  /// can be no lock file.  Where the file system has no locks, nothing is locked and nothing removed.
  explicit OutputLock(const std::filesystem::path& output);
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

  const std::filesystem::path& output() const { return output_; }
  /// OUT.lock; symbolic links to OUT share it.
  static std::filesystem::path path_of(const std::filesystem::path& output);
  /// Who holds the lock of `output` ("process 12 on node3"); empty if nobody does.
  static std::optional<std::string> holder(const std::filesystem::path& output);

 private:
  std::filesystem::path output_, path_;
  int fd_ = -1;
};

namespace logging {

/// A name beside `path` that nobody else uses, for a file that gets its own name when it is whole.
std::filesystem::path temporary_name(const std::filesystem::path& path);
/// The files of such names for `output`, its journal or its checkpoints; of a folder, also those for tables
/// (*.csv) in it.
std::vector<std::filesystem::path> temporaries_of(const std::filesystem::path& output);
/// What a log is called: a symbolic link's target, so that a log has one journal and one lock.
std::filesystem::path without_links(const std::filesystem::path& path);

}  // namespace logging
}  // namespace spinet
