// Files that commands write: what may be replaced, and by one process at a time.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "exits.hpp"
#include "log/output_lock.hpp"

namespace spinet::tool {

/// A file that the command reads, and that its output must not replace.
struct Input {
  std::filesystem::path path;
  std::string what;  ///< "the log itself"
};

/// The log, its journal, and the files that its run has read, as far as the log tells.
std::vector<Input> inputs_of_log(const std::filesystem::path& log);

/// Throws UserError if `output` cannot be written: it exists and is not to be replaced; is a folder, a
/// link, a device or an input; lies in no folder, or in one that cannot be written to.
void check_output(const std::filesystem::path& output, Replace replace, const std::vector<Input>& inputs);

/// The path without a slash at its end: of a folder, as its lock names it.
inline std::filesystem::path named(const std::filesystem::path& output) {
  return output.has_filename() ? output : output.parent_path();
}

/// Takes the lock of an output.  Throws UserError if another process writes it.
std::shared_ptr<OutputLock> lock_output(const std::filesystem::path& output);

/// Takes the lock of an output and then checks it: another process may have written it since it was checked
/// first.
std::shared_ptr<OutputLock> claim_output(const std::filesystem::path& output, Replace replace,
                                         const std::vector<Input>& inputs);

/// Throws UserError if another process writes `output`, without taking the lock: for a message before ranks
/// are started.
void refuse_in_use(const std::filesystem::path& output);

/// Throws UserError if a process has the log `output` open, whose place another log is to take: readers lock
/// it.
void refuse_readers(const std::filesystem::path& output);

}  // namespace spinet::tool
