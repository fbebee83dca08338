// A library for LD_PRELOAD that counts the calls by which a process changes files of one folder, and before
// the n-th kills the process or makes the call fail.  Everything by environment variables:
//   EVERY_WRITE_FOLDER   absolute; only calls on files below it count
//   EVERY_WRITE_PART     only calls on files whose path has this text, if given
//   EVERY_WRITE_COUNTER  a file of 8 bytes that all processes share: the calls so far
//   EVERY_WRITE_AT       n, from 1; 0: only count
//   EVERY_WRITE_HOW      kill | torn (half of the bytes, then kill) | ENOSPC | EIO
//   EVERY_WRITE_ALWAYS   1: also every call after the n-th fails
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

std::string_view setting(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

std::atomic<std::uint64_t>* shared_counter() {
  const int fd = ::open(std::getenv("EVERY_WRITE_COUNTER"), O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* at = ::mmap(nullptr, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<std::atomic<std::uint64_t>*>(at);
}

template <class F>
F* real(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

bool counts(std::string_view path) {
  const auto folder = setting("EVERY_WRITE_FOLDER"), part = setting("EVERY_WRITE_PART");
  return !folder.empty() && path.starts_with(folder) && path.find(part) != std::string_view::npos;
}

/// What becomes of a call: 0 it goes on, -1 the process dies, else the errno to fail with.
int verdict(std::string_view path) {
  if (!counts(path)) return 0;
  static std::atomic<std::uint64_t>* const counter = shared_counter();
  static const std::uint64_t at =
      std::strtoull(std::getenv("EVERY_WRITE_AT") ? std::getenv("EVERY_WRITE_AT") : "0", nullptr, 10);
  if (!counter) return 0;
  const std::uint64_t n = counter->fetch_add(1) + 1;
  if (at == 0 || n < at || (n > at && setting("EVERY_WRITE_ALWAYS") != "1")) return 0;
  const auto how = setting("EVERY_WRITE_HOW");
  return how == "ENOSPC" ? ENOSPC : how == "EIO" ? EIO : -1;
}

[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

/// False: the call fails, errno is set.
bool passes(std::string_view path) {
  const int v = verdict(path);
  if (v < 0) die();
  if (v > 0) errno = v;
  return v == 0;
}

std::string_view path_of(int fd, char (&room)[PATH_MAX]) {
  char link[32];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = ::readlink(link, room, sizeof room);
  return n < 0 ? std::string_view() : std::string_view(room, static_cast<std::size_t>(n));
}

std::string_view path_of(const char* name, char (&room)[PATH_MAX]) {
  if (name[0] == '/') return name;
  if (!::getcwd(room, sizeof room)) return name;
  const std::size_t n = std::strlen(room);
  std::snprintf(room + n, sizeof room - n, "/%s", name);
  return room;
}

bool passes(int fd) {
  char room[PATH_MAX];
  return passes(path_of(fd, room));
}
bool passes(const char* name) {
  char room[PATH_MAX];
  return passes(path_of(name, room));
}

/// `put` writes so many bytes.
template <class Put>
ssize_t written(int fd, std::size_t bytes, Put put) {
  char room[PATH_MAX];
  const int v = verdict(path_of(fd, room));
  if (v == 0) return put(bytes);
  if (v < 0) {
    if (setting("EVERY_WRITE_HOW") == "torn") put(bytes / 2);
    die();
  }
  errno = v;
  return -1;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* from, size_t bytes) {
  static auto* const next = real<ssize_t(int, const void*, size_t)>("write");
  return written(fd, bytes, [&](size_t n) { return next(fd, from, n); });
}
ssize_t pwrite64(int fd, const void* from, size_t bytes, off64_t at) {
  static auto* const next = real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return written(fd, bytes, [&](size_t n) { return next(fd, from, n, at); });
}
ssize_t pwrite(int fd, const void* from, size_t bytes, off_t at) { return pwrite64(fd, from, bytes, at); }
int fsync(int fd) {
  static auto* const next = real<int(int)>("fsync");
  return passes(fd) ? next(fd) : -1;
}
int ftruncate64(int fd, off64_t size) noexcept {
  static auto* const next = real<int(int, off64_t)>("ftruncate64");
  return passes(fd) ? next(fd, size) : -1;
}
int ftruncate(int fd, off_t size) noexcept { return ftruncate64(fd, size); }
int rename(const char* from, const char* to) noexcept {
  static auto* const next = real<int(const char*, const char*)>("rename");
  return passes(from) ? next(from, to) : -1;
}
int link(const char* from, const char* to) noexcept {
  static auto* const next = real<int(const char*, const char*)>("link");
  return passes(to) ? next(from, to) : -1;
}
int unlink(const char* name) noexcept {
  static auto* const next = real<int(const char*)>("unlink");
  return passes(name) ? next(name) : -1;
}
int remove(const char* name) noexcept {
  static auto* const next = real<int(const char*)>("remove");
  return passes(name) ? next(name) : -1;
}

}  // extern "C"
