#include "log/output_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <utility>

#include "log/checkpoint_file.hpp"
#include "log/journal.hpp"

namespace spinet {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view mark = "spinet ";     // what a lock file of ours begins with, if anything is in it
constexpr std::string_view temporary = ".new-";  // then 16 hexadecimal digits
constexpr auto patience = std::chrono::milliseconds(500);

fs::path with_suffix(fs::path path, const char* suffix) { return path += suffix; }

std::string text_of(int fd) {
  char text[300];
  const auto n = ::pread(fd, text, sizeof text, 0);
  return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0);
}

/// "spinet 12 node3" as "process 12 on node3".
std::string who(const std::string& text) {
  const auto pid = mark.size(), space = text.find(' ', pid), end = text.find('\n');
  if (!text.starts_with(mark) || space == std::string::npos || end == std::string::npos || end < space)
    return "another process";
  for (const char c : text.substr(0, end))
    if (c < ' ' || c > '~') return "another process";
  return fmt::format("process {} on {}", text.substr(pid, space - pid),
                     text.substr(space + 1, end - space - 1));
}

/// Opens the lock file; without write access as far as reading goes, which suffices to lock on most file
/// systems.
int open_lock(const fs::path& path) {
  int fd;
  do fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  while (fd < 0 && errno == EINTR);
  if (fd < 0 && errno == EACCES) fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  return fd;
}

/// Whether `path` still is the file that `fd` is open on.
bool still_there(int fd, const fs::path& path) {
  struct stat open {
  }, named{};
  return ::fstat(fd, &open) == 0 && ::lstat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
         open.st_dev == named.st_dev;
}

/// flock without waiting: true, false (another holds it) or nothing (the file system has no locks).
std::optional<bool> try_lock(int fd, int how) {
  int rc;
  do rc = ::flock(fd, how | LOCK_NB);
  while (rc != 0 && errno == EINTR);
  if (rc == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return std::nullopt;
}

void sign(int fd) {
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) std::strcpy(host, "?");
  const auto text = fmt::format("{}{} {}\n", mark, ::getpid(), host);
  // Only a help for messages: a full disk does not matter here.
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, text.data(), text.size(), 0) < 0) errno = 0;
}

/// The journal that a run had begun when it was killed, just after its log got its name.
bool adopt(const fs::path& log, const fs::path& temporary_journal) {
  try {
    const auto found = logging::read_journal_file(temporary_journal);
    if (!logging::belongs_to(found, log)) return false;
    const auto journal = logging::Journal::path_of(log);
    if (fs::exists(journal) && logging::belongs_to(logging::read_journal(log), log)) return false;
    fs::rename(temporary_journal, journal);
    return true;
  } catch (const std::exception&) {
    return false;  // torn, or not one
  }
}

void put_in_order(const fs::path& output) {
  const auto journal = logging::Journal::path_of(output).filename().string() + std::string(temporary);
  std::error_code ignored;
  for (const auto& path : logging::temporaries_of(output))
    if (!path.filename().string().starts_with(journal) || !adopt(output, path)) fs::remove(path, ignored);
}

}  // namespace

fs::path OutputLock::path_of(const fs::path& output) {
  return with_suffix(logging::without_links(output), ".lock");
}

OutputLock::OutputLock(const fs::path& output) : output_(output), path_(path_of(output)) {
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    fd_ = open_lock(path_);
    const int error = errno;
    struct stat s {};
    const bool there = fd_ < 0 ? ::lstat(path_.c_str(), &s) == 0 : ::fstat(fd_, &s) == 0;
    const auto text = there && S_ISREG(s.st_mode) && fd_ >= 0 ? text_of(fd_) : std::string();
    if ((there && !S_ISREG(s.st_mode)) || !(text.empty() || text.starts_with(mark))) {
      if (fd_ >= 0) ::close(std::exchange(fd_, -1));
      throw ForeignFile(
          output,
          fmt::format(
              "cannot be locked: {} is not a lock of spinet; move it away, or give another name with -o",
              path_.string()));
    }
    if (fd_ < 0)
      throw LogError(output, fmt::format("cannot be locked: {}: {}", path_.string(), std::strerror(error)));
    const auto locked = try_lock(fd_, LOCK_EX);
    if (!locked) return;  // no locks here
    if (*locked && still_there(fd_, path_)) break;
    ::close(std::exchange(fd_, -1));
    if (*locked) continue;  // its last owner has removed it
    // A command that only looks holds it for a moment.
    if (std::chrono::steady_clock::now() - begin > patience)
      throw OutputInUse(output, fmt::format("is in use: a run is still writing it ({})", who(text)));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  sign(fd_);
  put_in_order(logging::without_links(output));
}

OutputLock::~OutputLock() {
  if (fd_ < 0) return;
  if (still_there(fd_, path_)) ::unlink(path_.c_str());
  ::close(fd_);
}

std::optional<std::string> OutputLock::holder(const fs::path& output) {
  const int fd = ::open(path_of(output).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  const auto free = try_lock(fd, LOCK_SH);
  std::optional<std::string> holder;
  if (free && !*free) holder = who(text_of(fd));
  ::close(fd);
  return holder;
}

namespace logging {

namespace {

/// What a temporary file's name is without its ending; empty for other files.
std::string before_temporary(const fs::path& path) {
  auto file = path.filename().string();
  const auto at = file.size() - std::min(file.size(), temporary.size() + 16);
  if (file.compare(at, temporary.size(), temporary) != 0 ||
      file.find_first_not_of("0123456789abcdef", at + temporary.size()) != std::string::npos)
    return {};
  file.resize(at);
  return file;
}

}  // namespace

fs::path temporary_name(const fs::path& path) {
  std::random_device device;
  const auto number = std::uint64_t{device()} << 32 | device();
  return with_suffix(path, fmt::format("{}{:016x}", temporary, number).c_str());
}

std::vector<fs::path> temporaries_of(const fs::path& output) {
  std::vector<fs::path> found;
  const auto name = output.filename().string(), journal = Journal::path_of(output).filename().string();
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(fs::absolute(output).parent_path(), ignored)) {
    const auto base = before_temporary(entry.path());
    if (base == name || base == journal || CheckpointFiles::number_of(output, base))
      found.push_back(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(output, ignored))  // a folder of tables
    if (before_temporary(entry.path()).ends_with(".csv")) found.push_back(entry.path());
  return found;
}

fs::path without_links(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(fs::symlink_status(path, error))) return path;
  const auto target = fs::canonical(path, error);
  return error ? path : target;
}

}  // namespace logging
}  // namespace spinet
