#include "outputs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "log/file.hpp"
#include "log/journal.hpp"
#include "log/reader.hpp"
#include "network/printable.hpp"

namespace spinet::tool {
namespace fs = std::filesystem;

std::vector<Input> inputs_of_log(const fs::path& log) {
  std::vector<Input> all{{log, "the log itself"}, {logging::Journal::path_of(log), "the log's journal"}};
  try {
    for (const auto& file : files_of_run(log)) all.push_back({file, "a file that the run has read"});
  } catch (const LogError&) {
    // What is wrong with the log is said where it is read.
  }
  return all;
}

void check_output(const fs::path& output, Replace replace, const std::vector<Input>& inputs) {
  std::error_code ignored;
  const auto name = printable_line(output.string());  // a checkpoint names its log
  for (const auto& input : inputs)
    if (fs::equivalent(input.path, output, ignored))
      throw UserError(fmt::format("{}: is {}; give another name with -o", name, input.what));
  const auto there = fs::symlink_status(output, ignored);
  if (fs::is_directory(there))
    throw UserError(fmt::format("{}: is a folder; give a file's name with -o", name));
  if (fs::is_symlink(there))
    throw UserError(
        fmt::format("{}: is a symbolic link, which is not replaced; give the name of a file with -o", name));
  if (fs::exists(there) && !fs::is_regular_file(there))
    throw UserError(
        fmt::format("{}: is not a regular file and is not replaced; give another name with -o", name));
  if (fs::exists(there) && replace == Replace::no)
    throw UserError(
        fmt::format("{}: exists already; give another name with -o, or --force to replace it", name));
  const auto folder = fs::absolute(output).parent_path();
  if (!fs::is_directory(folder, ignored))
    throw UserError(fmt::format("{}: there is no folder {}", name, folder.string()));
  if (access(folder.c_str(), W_OK) != 0)
    throw UserError(fmt::format("{}: the folder {} cannot be written to; give a name elsewhere with -o", name,
                                folder.string()));
}

std::shared_ptr<OutputLock> lock_output(const fs::path& output) {
  try {
    return std::make_shared<OutputLock>(output);
  } catch (const OutputInUse& e) {
    throw UserError(printable_line(e.what()));
  } catch (const ForeignFile& e) {
    throw UserError(printable_line(e.what()));
  }
}

std::shared_ptr<OutputLock> claim_output(const fs::path& output, Replace replace,
                                         const std::vector<Input>& inputs) {
  auto lock = lock_output(output);
  check_output(output, replace, inputs);
  return lock;
}

void refuse_in_use(const fs::path& output) {
  if (const auto who = OutputLock::holder(output))
    throw UserError(
        fmt::format("{}: is in use: a run is still writing it ({})", printable_line(output.string()), *who));
}

void refuse_readers(const fs::path& output) {
  try {
    if (!fs::exists(output) || logging::File(output, logging::File::Mode::read).lock_exclusive()) return;
  } catch (const LogError&) {
    return;  // who may not read it can replace it nevertheless
  }
  throw UserError(fmt::format("{}: is in use: another process reads it", printable_line(output.string())));
}

}  // namespace spinet::tool
