#include "sweep/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "exits.hpp"
#include "network/printable.hpp"

namespace spinet::tool {
namespace {

constexpr std::uint64_t magic = 0x31706565'77735053;  // "SPsweep1"
constexpr std::uint32_t longest_row = 1u << 26;

std::uint64_t fnv(std::string_view bytes, std::uint64_t h = 0xcbf29ce484222325ull) {
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return h;
}

struct Head {
  std::uint64_t magic, identity;
};
struct RowHead {
  std::uint64_t check;
  std::uint32_t bytes, zero;
};

struct Out {
  std::string bytes;
  template <class T>
  void put(T x) {
    bytes.append(reinterpret_cast<const char*>(&x), sizeof x);
  }
  void put(const std::string& s) {
    put(static_cast<std::uint32_t>(s.size()));
    bytes += s;
  }
  void put(const std::vector<std::pair<std::string, double>>& pairs) {
    put(static_cast<std::uint32_t>(pairs.size()));
    for (const auto& [n, x] : pairs) put(n), put(x);
  }
  void put(const std::vector<float>& v) {
    put(static_cast<std::uint32_t>(v.size()));
    bytes.append(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(float));
  }
};

/// Reads what passed the check; running past the end would be a mistake of ours.
struct In {
  std::string_view rest;
  std::string_view take(std::size_t n) {
    if (n > rest.size()) throw std::logic_error("a row of a journal is too short");
    const auto s = rest.substr(0, n);
    rest.remove_prefix(n);
    return s;
  }
  template <class T>
  T get() {
    T x;
    std::memcpy(&x, take(sizeof x).data(), sizeof x);
    return x;
  }
  std::string text() { return std::string(take(get<std::uint32_t>())); }
  std::vector<std::pair<std::string, double>> pairs() {
    std::vector<std::pair<std::string, double>> all(get<std::uint32_t>());
    for (auto& [n, x] : all) n = text(), x = get<double>();
    return all;
  }
  std::vector<float> floats() {
    std::vector<float> v(get<std::uint32_t>());
    std::memcpy(v.data(), take(v.size() * sizeof(float)).data(), v.size() * sizeof(float));
    return v;
  }
};

std::string packed(const Row& r) {
  Out o;
  o.put(r.run);
  o.put(static_cast<std::uint8_t>(r.failed));
  o.put(static_cast<std::uint8_t>(r.until_met));
  o.put(r.message);
  o.put(r.reached);
  o.put(r.spikes);
  o.put(r.seconds);
  o.put(r.metrics);
  o.put(r.rates);
  o.put(r.x);
  o.put(r.y);
  return std::move(o.bytes);
}

Row unpacked(std::string_view bytes) {
  In i{bytes};
  Row r;
  r.run = i.get<std::uint64_t>();
  r.failed = i.get<std::uint8_t>();
  r.until_met = i.get<std::uint8_t>();
  r.message = i.text();
  r.reached = i.get<double>();
  r.spikes = i.get<double>();
  r.seconds = i.get<double>();
  r.metrics = i.pairs();
  r.rates = i.pairs();
  r.x = i.floats();
  r.y = i.floats();
  return r;
}

[[noreturn]] void fail(const std::filesystem::path& path, const char* doing) {
  throw std::runtime_error(fmt::format("{}: {}: {}", path.string(), doing, std::strerror(errno)));
}

void write_whole(int fd, const std::filesystem::path& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(path, "cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::filesystem::path with(const std::filesystem::path& out, const std::string& suffix) {
  auto p = out;
  p += suffix;
  return p;
}

}  // namespace

std::uint64_t identity(const Sweep& s) {
  std::uint64_t h = fnv(s.version);
  const auto add = [&h](const std::string& text) {
    h = fnv(text, fnv(std::to_string(text.size()) + ":", h));
  };
  add(s.network_text);
  for (const auto* list : {&s.set, &s.vary, &s.files}) {
    add(std::to_string(list->size()));
    for (const auto& x : *list) add(x);
  }
  add(fmt::format("{} {}", s.trials, s.seed));
  return h;
}

RunJournal::RunJournal(const std::filesystem::path& out, int rank, std::uint64_t identity)
    : path_(with(out, fmt::format(".runs.{}", rank))) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (fd_ < 0) fail(path_, "cannot create the journal");
  ::flock(fd_, LOCK_EX | LOCK_NB);  // best effort: it tells others that this sweep runs
  const Head head{magic, identity};
  write_whole(fd_, path_, {reinterpret_cast<const char*>(&head), sizeof head});
}

RunJournal::~RunJournal() {
  if (fd_ >= 0) ::close(fd_);
}

void RunJournal::append(const Row& row) {
  const std::string body = packed(row);
  const RowHead head{fnv(body), static_cast<std::uint32_t>(body.size()), 0};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes += body;
  write_whole(fd_, path_, bytes);
}

std::vector<Row> JournalReader::read() {
  std::vector<Row> rows;
  for (const auto& p : journals(out_))
    if (std::none_of(tails_.begin(), tails_.end(), [&](const Tail& t) { return t.path == p; }))
      tails_.push_back({p, 0});
  for (auto& t : tails_) {
    std::ifstream in(t.path, std::ios::binary);
    if (!in.seekg(static_cast<std::streamoff>(t.at))) continue;
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::size_t at = 0;
    if (t.at == 0) {
      Head head;
      if (bytes.size() < sizeof head) continue;
      std::memcpy(&head, bytes.data(), sizeof head);
      if (head.magic != magic || head.identity != identity_) continue;
      at = sizeof head;
    }
    for (RowHead head; at + sizeof head <= bytes.size();) {
      std::memcpy(&head, bytes.data() + at, sizeof head);
      if (head.bytes > longest_row || at + sizeof head + head.bytes > bytes.size()) break;
      const std::string_view body(bytes.data() + at + sizeof head, head.bytes);
      if (fnv(body) != head.check) break;
      rows.push_back(unpacked(body));
      at += sizeof head + head.bytes;
    }
    t.at += at;
  }
  return rows;
}

std::vector<std::filesystem::path> journals(const std::filesystem::path& out) {
  std::vector<std::filesystem::path> found;
  const std::string prefix = out.filename().string() + ".runs.";
  std::error_code ignored;
  for (const auto& f :
       std::filesystem::directory_iterator(std::filesystem::absolute(out).parent_path(), ignored)) {
    const auto name = f.path().filename().string();
    if (name.starts_with(prefix) && name.find_first_not_of("0123456789", prefix.size()) == std::string::npos)
      found.push_back(f.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void refuse_foreign(const std::filesystem::path& out) {
  // A kill may leave any of them before its first bytes were written.
  const auto ours = [](const std::filesystem::path& p, auto&& looks_right) {
    const int fd = ::open(p.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat s;
    std::uint64_t first = 0;
    const bool good =
        fd >= 0 && ::fstat(fd, &s) == 0 && S_ISREG(s.st_mode) &&
        (s.st_size == 0 ||
         looks_right(s.st_size, ::pread(fd, &first, sizeof first, 0) == sizeof first ? first : 0));
    if (fd >= 0) ::close(fd);
    return good;
  };
  const auto refuse = [&](const std::filesystem::path& p) {
    throw UserError(
        fmt::format("{}: is called as a file of a running sweep of {} would be, but is none; it is not "
                    "replaced: move it away, "
                    "or give another name with -o",
                    printable_line(p.string()), printable_line(out.filename().string())));
  };
  for (const auto& p : journals(out))
    if (!ours(p, [](off_t, std::uint64_t first) { return first == magic; })) refuse(p);
  const auto counter = with(out, ".next");
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(counter, ignored)) &&
      !ours(counter, [](off_t size, std::uint64_t) { return size == sizeof(std::uint64_t); }))
    refuse(counter);
}

bool in_use(const std::filesystem::path& out) {
  for (int attempt = 0;; ++attempt) {
    bool locked = false;
    for (const auto& p : journals(out)) {
      const int fd = ::open(p.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) continue;
      locked = locked || (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK);
      ::close(fd);
    }
    if (!locked || attempt == 30) return locked;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

void clear_up(const std::filesystem::path& out) {
  for (const auto& p : journals(out)) std::filesystem::remove(p);
  std::filesystem::remove(with(out, ".next"));
}

void Dealer::reset(const std::filesystem::path& out) {
  const auto path = with(out, ".next");
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) fail(path, "cannot create the file");
  ::close(fd);
}

Dealer::Dealer(const std::filesystem::path& out) {
  fd_ = ::open(with(out, ".next").c_str(), O_RDWR | O_CLOEXEC);
  works_ = fd_ >= 0 && ::flock(fd_, LOCK_EX) == 0;
  if (works_) ::flock(fd_, LOCK_UN);
}

Dealer::~Dealer() {
  if (fd_ >= 0) ::close(fd_);
}

std::uint64_t Dealer::next() {
  while (::flock(fd_, LOCK_EX) != 0)
    if (errno != EINTR)
      throw std::runtime_error(std::string("locking the sweep's counter: ") + std::strerror(errno));
  std::uint64_t n = 0;
  const auto got = ::pread(fd_, &n, sizeof n, 0);
  const std::uint64_t after = n + 1;
  const bool good = got >= 0 && ::pwrite(fd_, &after, sizeof after, 0) == sizeof after;
  ::flock(fd_, LOCK_UN);
  if (!good) throw std::runtime_error(std::string("the sweep's counter: ") + std::strerror(errno));
  return n;
}

}  // namespace spinet::tool
