#include "log/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace spinet::logging {

File::File(std::filesystem::path path, Mode mode, WriteFault fault)
    : path_(std::move(path)), fault_(std::move(fault)) {
  const int flags = mode == Mode::read ? O_RDONLY : mode == Mode::write ? O_RDWR : O_RDWR | O_CREAT | O_EXCL;
  do
    fd_ = ::open(path_.c_str(), flags | O_CLOEXEC | O_NONBLOCK,
                 0666);  // opening a FIFO must not wait for its other end
  while (fd_ < 0 && errno == EINTR);
  if (fd_ < 0) fail(mode == Mode::create ? "cannot create the file" : "cannot open the file", errno);
  struct stat s {};
  if (::fstat(fd_, &s) == 0 && !S_ISREG(s.st_mode)) {
    ::close(std::exchange(fd_, -1));
    throw LogError(path_, S_ISDIR(s.st_mode) ? "is a folder, not a file" : "is not a regular file");
  }
}

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), fault_(std::move(other.fault_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(fault_, other.fault_);
  return *this;
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

void File::fail(const char* doing, int error) const {
  throw LogError(path_, std::string(doing) + ": " + std::strerror(error));
}

std::uint64_t File::size() const {
  struct stat s {};
  if (::fstat(fd_, &s) != 0) fail("cannot read the size", errno);
  return static_cast<std::uint64_t>(s.st_size);
}

std::size_t File::read(std::uint64_t offset, std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot read", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  std::memset(into.data() + done, 0, into.size() - done);
  return done;
}

void File::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::size_t allowed = bytes.size();
  const int fault = fault_ ? fault_(path_, offset, bytes, allowed) : 0;
  std::size_t done = 0;
  while (done < allowed) {
    const ssize_t n = ::pwrite(fd_, bytes.data() + done, allowed - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot write", errno);
    done += static_cast<std::size_t>(n);
  }
  if (fault) fail("cannot write", fault);
}

void File::resize(std::uint64_t bytes) {
  std::size_t none = 0;
  const int fault = fault_ ? fault_(path_, bytes, {}, none) : 0;
  if (fault) fail("cannot change the size", fault);
  while (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0)
    if (errno != EINTR) fail("cannot change the size", errno);
}

void File::sync() {
  if (::fsync(fd_) != 0 && errno != EINVAL && errno != ENOTSUP) fail("cannot write to the disk", errno);
}

bool File::lock_exclusive() { return lock(LOCK_EX); }
bool File::lock_shared() { return lock(LOCK_SH); }

bool File::lock(int how) {
  int rc;
  do rc = ::flock(fd_, how | LOCK_NB);
  while (rc != 0 && errno == EINTR);
  return rc == 0 || errno != EWOULDBLOCK;
}

void require_hdf5(const File& file) {
  static constexpr unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  const auto size = file.size();
  if (size == 0) throw LogError(file.path(), "is empty");
  for (std::uint64_t at = 0; at < size; at = at ? 2 * at : 512) {
    std::byte there[sizeof signature];
    if (file.read(at, there) == sizeof there && std::memcmp(there, signature, sizeof there) == 0) return;
  }
  throw LogError(file.path(), "is not an HDF5 file");
}

void require_hdf5(const std::filesystem::path& path) { require_hdf5(File(path, File::Mode::read)); }

void sync_folder(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace spinet::logging
