// A writer that dies at every single write, in the middle of it; and a repair that dies the same way.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "fixture.hpp"
#include "log/reader.hpp"
#include "log/writer.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

constexpr std::uint32_t per_window = 40;
constexpr std::uint64_t windows = 12;

/// Dies in write `n` (from 0), after `part` of its bytes.
logging::WriteFault dies_at(std::uint64_t n, double part) {
  return [n, part, count = std::uint64_t{0}](const std::filesystem::path& path, std::uint64_t offset,
                                             std::span<const std::byte> data, std::size_t&) mutable {
    if (count++ != n) return 0;
    const int fd = ::open(path.c_str(), O_WRONLY);
    const auto bytes = static_cast<std::size_t>(part * static_cast<double>(data.size()));
    if (bytes && ::pwrite(fd, data.data(), bytes, static_cast<off_t>(offset)) < 0) ::_exit(2);
    ::_exit(9);
  };
}

/// Runs f in a process of its own, which reports durable ticks through `f`'s argument.  Returns its exit code
/// and the last tick it reported.
template <class F>
std::pair<int, Tick> in_child(F&& f) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    try {
      f([&](Tick t) {
        if (::write(ends[1], &t, sizeof t) < 0) ::_exit(3);
      });
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  Tick last = 0, t = 0;
  while (::read(ends[0], &t, sizeof t) == sizeof t) last = t;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, last};
}

struct Pace {
  double flush, tail;
};

/// The process dies when it writes for the n-th time, after that part of what it was to write.
struct Death {
  std::uint64_t n;
  double part;
};
int write_until(const std::filesystem::path& path, const Network& network, Pace pace, Death death,
                Tick& durable) {
  const auto [code, last] = in_child([&](auto report) {
    RunLogOptions options;
    options.chunk = 64;
    options.flush_seconds = pace.flush;
    options.tail_seconds = pace.tail;
    options.fault = dies_at(death.n, death.part);
    RunLog log(path, network, {}, options);
    for (const auto p : network.edge_recordings) log.edges(p, edges(network, p));
    for (std::uint64_t w = 0; w < windows; ++w) {
      record_window(log, network, w, per_window);
      report(log.durable());
    }
    log.finish({}, windows * window, Ending::complete);
    report(windows * window);
  });
  durable = last;
  return code;
}

Network without_edges() {
  auto n = small_network();
  n.edge_recordings.clear();
  return n;
}

}  // namespace

TEST_CASE("a writer killed in any write leaves every committed row", "[crash]") {
  const auto network = without_edges();
  // Every commit at once; chunks at once and tails never; tails at once and chunks never before the end.
  for (const Pace pace : {Pace{0, 0}, Pace{0, 1e9}, Pace{1e9, 0}}) {
    int code = 9;
    std::uint64_t n = 0, repaired = 0;
    for (; code == 9; n += 2) {  // tests/kill kills a run in every write, this one in the middle of it
      const Folder folder(Folder::In::memory);
      const auto path = folder / "out.h5";
      Tick durable = 0;
      code = write_until(path, network, pace, {n, n / 2 % 3 * 0.5}, durable);
      INFO("write " << n << ", flush " << pace.flush << " s, tail " << pace.tail << " s");
      REQUIRE((code == 9 || code == 0));
      if (!std::filesystem::exists(path)) {
        REQUIRE(durable == 0);  // it died while the file was being created, under another name
        continue;
      }
      repaired += std::filesystem::exists(path.string() + ".journal");
      REQUIRE(check_data(path, network, per_window, durable) == "");
      REQUIRE_FALSE(std::filesystem::exists(path.string() + ".journal"));
    }
    CHECK(code == 0);
    CHECK(n > 20);
    CHECK(repaired > 10);
  }
}

TEST_CASE("edges are whole once the first window is committed", "[crash]") {
  const auto network = small_network();
  int code = 9;
  for (std::uint64_t n = 0; code == 9; n += 23) {
    const Folder folder(Folder::In::memory);
    const auto path = folder / "out.h5";
    Tick durable = 0;
    code = write_until(path, network, {0, 0}, {n, 0.5}, durable);
    INFO("write " << n);
    if (std::filesystem::exists(path))
      REQUIRE(check_data(path, network, per_window, durable,
                         durable > 0 ? Edges::all : Edges::unless_killed_before) == "");
  }
  CHECK(code == 0);
}

TEST_CASE("a repair killed in any write can be repeated", "[crash]") {
  const auto network = without_edges();
  std::uint64_t total = 0;
  for (const std::uint64_t n : {40, 60, 75, 90, 120, 150}) {
    int code = 9;
    for (std::uint64_t m = 0; code == 9; ++m) {
      const Folder folder(Folder::In::memory);
      const auto path = folder / "out.h5";
      Tick durable = 0;
      write_until(path, network, {0, 0}, {n, 0.5}, durable);
      if (!std::filesystem::exists(path.string() + ".journal")) break;
      code = in_child([&](auto) { recover(path, dies_at(m, m % 3 * 0.5)); }).first;
      INFO("killed in write " << n << ", repair killed in write " << m);
      REQUIRE((code == 9 || code == 0));
      REQUIRE(check_data(path, network, per_window, durable) == "");
      ++total;
    }
  }
  CHECK(total > 20);
}

TEST_CASE("the journal is cut back when it grows", "[crash]") {
  // One population makes chunks all the time, the other's tail lives in the journal for long.
  auto network = without_edges();
  network.reports.clear();
  const Folder folder;
  const auto path = folder / "out.h5";
  const auto [code, durable] = in_child([&](auto report) {
    RunLogOptions options;
    options.flush_seconds = 0;
    options.tail_seconds = 0;
    options.chunk = 4096;
    RunLog log(path, network, {}, options);
    for (std::uint64_t w = 0; w < 3000; ++w) {
      record_window(log, network, w, 1000);
      report(log.durable());
    }
    ::_exit(9);
  });
  REQUIRE(code == 9);
  CHECK(durable == 3000 * window);
  CHECK(std::filesystem::file_size(path.string() + ".journal") < (20u << 20));
  CHECK(check_data(path, network, 1000, durable) == "");
}
