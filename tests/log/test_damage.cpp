// Damaged logs and journals: a LogError or data, never a crash, a hang or another exception.
#include <dlfcn.h>
#include <execinfo.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "fixture.hpp"
#include "log/reader.hpp"
#include "log/writer.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

using Bytes = std::vector<char>;

Bytes bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Flipped bits, changed bytes, blocks copied over others, a cut end, extreme numbers.
Bytes mutant(Bytes b, std::mt19937_64& random) {
  const auto at = [&] { return random() % b.size(); };
  for (auto n = 1 + random() % 6; n > 0; --n) switch (random() % 6) {
      case 0:
        b[at()] ^= static_cast<char>(1u << (random() % 8));
        break;
      case 1:
        b[at()] = static_cast<char>(random());
        break;
      case 2: {
        const auto from = at(), to = at(), size = random() % 64;
        for (std::uint64_t i = 0; i < size && from + i < b.size() && to + i < b.size(); ++i)
          b[to + i] = b[from + i];
        break;
      }
      case 3:
        if (random() % 8 == 0) b.resize(at() + 1);
        break;
      case 4: {
        const auto i = at();
        for (std::uint64_t k = i; k < std::min<std::uint64_t>(i + 8, b.size()); ++k)
          b[k] = static_cast<char>(0xff);
        break;
      }
      case 5: {
        const auto i = at() / 8 * 8;
        for (std::uint64_t k = i; k < std::min<std::uint64_t>(i + 8, b.size()); ++k) b[k] = 0;
        break;
      }
    }
  return b;
}

void read_everything(const std::filesystem::path& path) {
  const auto quietly = [](auto&& f) {
    try {
      f();
    } catch (const LogError&) {
    }
  };
  quietly([&] { summarise(path); });
  quietly([&] { network_text(path); });
  for (const auto* name : {"exc", "inh", "quiet"}) quietly([&] { read_sonata_spikes(path, name, 1e6, 100); });
}

/// Ends the child with 40 if it died inside HDF5, else with 41.  What we read from a file is checked before
/// HDF5 acts on it where we can; HDF5 1.10.8 still has faults of its own (a damaged local heap makes it read
/// past its buffer).
void on_death(int) {
  void* frames[64];
  const int n = ::backtrace(frames, 64);
  for (int i = 1; i < n; ++i) {
    Dl_info info{};
    if (!::dladdr(frames[i], &info) || !info.dli_fname) continue;
    const char* file = info.dli_fname;
    if (std::strstr(file, "libhdf5")) ::_exit(40);
    if (std::strstr(file, "log_unit") && i > 1) ::_exit(41);
  }
  ::_exit(41);
}

struct Deaths {
  std::vector<std::string> ours;
  std::uint64_t inside_hdf5 = 0;
};

/// Runs f on each of `count` seeds in children, and counts those that end in a signal, a hang or a foreign
/// exception.
template <class F>
Deaths failing(std::uint64_t count, F&& f) {
  Deaths bad;
  for (std::uint64_t done = 0; done < count;) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      void* warm[1];
      ::backtrace(warm, 1);  // loads what it needs before the heap may be broken
      for (const int s : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGPROF}) std::signal(s, on_death);
      for (; done < count; ++done) {
        // CPU time: a busy or paused machine is not a hang.
        const itimerval limit{{0, 0}, {20, 0}};
        ::setitimer(ITIMER_PROF, &limit, nullptr);
        if (::write(ends[1], &done, sizeof done) < 0) ::_exit(2);
        try {
          f(done);
        } catch (const std::exception&) {
          ::_exit(1);
        }
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    std::uint64_t last = 0, k = 0;
    while (::read(ends[0], &k, sizeof k) == sizeof k) last = k;
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (code == 0) break;
    if (code == 40) ++bad.inside_hdf5;
    else bad.ours.push_back("seed " + std::to_string(last) + ": " + std::to_string(code));
    done = last + 1;
  }
  if (bad.inside_hdf5) WARN(bad.inside_hdf5 << " of " << count << " made HDF5 itself fail");
  return bad;
}

std::string list(const std::vector<std::string>& all) {
  std::string s;
  for (const auto& x : all) s += x + "\n";
  return s;
}

/// A log and the journal beside it, as a killed writer leaves them.
void killed_log(const std::filesystem::path& path) {
  const auto network = small_network();
  const pid_t child = ::fork();
  if (child == 0) {
    RunLogOptions o;
    o.flush_seconds = o.tail_seconds = 0;
    o.chunk = 256;
    RunLog log(path, network, {"0.1.0", 1, "", "", ""}, o);
    for (std::uint64_t w = 0; w < 20; ++w) record_window(log, network, w, 40);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
}

std::uint64_t trials() {
  const char* n = std::getenv("SPINET_DAMAGE_TRIALS");
  return n ? std::stoull(n) : 1000;
}

}  // namespace

TEST_CASE("damaged logs", "[damage]") {
  const Folder folder(Folder::In::memory);
  auto network = small_network();
  {
    RunLogOptions o;
    o.chunk = 256;
    RunLog log(folder / "whole.h5", network, {"0.1.0", 1, "", "", ""}, o);
    for (std::uint64_t w = 0; w < 20; ++w) record_window(log, network, w, 40);
    log.finish({}, 20 * window, Ending::complete);
  }
  const auto whole = bytes_of(folder / "whole.h5");
  const auto bad = failing(trials(), [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto path = folder / "damaged.h5";
    put(path, mutant(whole, random));
    read_everything(path);
  });
  CHECK(list(bad.ours) == "");
}

TEST_CASE("damaged journals", "[damage]") {
  const Folder folder(Folder::In::memory);
  killed_log(folder / "killed.h5");
  const auto whole = bytes_of(folder / "killed.h5"), journal = bytes_of(folder / "killed.h5.journal");
  const auto bad = failing(trials(), [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto path = folder / "damaged.h5";
    put(path, random() % 2 ? whole : mutant(whole, random));
    put(folder / "damaged.h5.journal", mutant(journal, random));
    read_everything(path);
  });
  CHECK(list(bad.ours) == "");
}

TEST_CASE("a journal cut anywhere gives the commits before the cut", "[damage]") {
  const Folder folder(Folder::In::memory);
  killed_log(folder / "killed.h5");
  const auto whole = bytes_of(folder / "killed.h5"), journal = bytes_of(folder / "killed.h5.journal");
  const auto path = folder / "cut.h5";
  const auto network = small_network();
  Tick before = never;
  for (std::size_t size = journal.size(); size > 2000; size -= journal.size() / 97) {
    put(path, whole);
    auto part = journal;
    part.resize(size);
    put(folder / "cut.h5.journal", part);
    const auto s = summarise(path);
    CHECK(s.reached <= before);
    before = s.reached;
    // Every spike before `reached` is there; of some populations there may be later ones.
    std::vector<std::vector<ListedSpike>> expected(2);
    for (std::uint64_t w = 0; w < static_cast<std::uint64_t>(s.reached / window); ++w)
      for (const auto& spike : spikes_of_window(network, w, 40))
        expected[spike.gid >= 100].push_back({spike.tick, spike.gid % 100});
    for (std::size_t p = 0; p < 2; ++p) {
      const auto found = read_sonata_spikes(path, network.populations[p].name, 1e6, 100);
      REQUIRE(found.size() >= expected[p].size());
      for (std::size_t i = 0; i < expected[p].size(); ++i)
        REQUIRE((found[i].tick == expected[p][i].tick && found[i].index == expected[p][i].index));
    }
  }
  CHECK(before < 5 * window);
}
