#include "look/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "commands.hpp"
#include "log/output_lock.hpp"

namespace spinet::look {

using tool::UserError;
namespace fs = std::filesystem;

void check_log(const std::string& log) {
  std::error_code ignored;
  if (!fs::exists(log, ignored)) throw UserError(fmt::format("{}: no such file", log));
  if (fs::is_directory(log, ignored)) throw UserError(fmt::format("{}: is a folder, not a log", log));
  if (!fs::is_regular_file(log, ignored)) throw UserError(fmt::format("{}: is not a regular file", log));
}

void replace_file(const fs::path& path, const std::function<void(std::FILE*)>& write) {
  const auto fail = [&](int error) {
    throw std::runtime_error(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
  };
  const auto part = logging::temporary_name(path);
  std::FILE* f = std::fopen(part.c_str(), "wbx");
  if (!f) fail(errno);
  errno = 0;
  try {
    write(f);
  } catch (...) {
    std::fclose(f);
    ::unlink(part.c_str());
    throw;
  }
  const int error = errno;
  const bool failed = std::ferror(f) != 0;
  if (std::fclose(f) != 0 || failed) {
    const int why = failed && error ? error : errno ? errno : EIO;
    ::unlink(part.c_str());
    fail(why);
  }
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    const int why = errno;
    ::unlink(part.c_str());
    fail(why);
  }
}

}  // namespace spinet::look
