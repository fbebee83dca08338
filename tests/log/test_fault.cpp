// A disk that fails: every write in turn, once or for good, and a disk that is really full.
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <cerrno>

#include "fixture.hpp"
#include "log/h5.hpp"
#include "log/reader.hpp"
#include "log/writer.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

constexpr std::uint32_t per_window = 40;
constexpr std::uint64_t windows = 12;

enum class Disk {
  hiccup,  ///< one write fails, with half of its bytes written
  full,    ///< from some write on, all that make a file longer do
  dead,    ///< from some write on, all do
};

logging::WriteFault fails_at(std::uint64_t n, Disk how) {
  return [n, how, count = std::make_shared<std::uint64_t>(0)](
             const std::filesystem::path& path, std::uint64_t offset, std::span<const std::byte> data,
             std::size_t& bytes) {
    const auto k = (*count)++;
    if (k < n || (how == Disk::hiccup && k > n)) return 0;
    if (how == Disk::full && offset + data.size() <= std::filesystem::file_size(path)) return 0;
    bytes = data.size() / 2;
    return ENOSPC;
  };
}

/// True if plain HDF5, without us and without the journal, opens the file and reads its spikes.
bool plain_hdf5_reads(const std::filesystem::path& path) {
  try {
    const h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening"));
    for (const auto* name : {"exc", "inh"}) {
      const auto times = h5::read_all<double>(file, std::string("spikes/") + name + "/timestamps");
      const auto ids = h5::read_all<std::uint64_t>(file, std::string("spikes/") + name + "/node_ids");
      if (times.size() != ids.size()) return false;
    }
    return true;
  } catch (const h5::Error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("a failed write gives a clear error and a readable log", "[fault]") {
  const auto network = [] {
    auto n = small_network();
    n.edge_recordings.clear();
    return n;
  }();
  for (const auto how : {Disk::hiccup, Disk::full, Disk::dead}) {
    bool went_through = false;
    std::uint64_t created = 0, failed = 0;
    for (std::uint64_t n = 0; !went_through; ++n) {
      const Folder folder(Folder::In::memory);
      const auto path = folder / "out.h5";
      INFO("write " << n << ", disk " << static_cast<int>(how));
      RunLogOptions options;
      options.chunk = 64;
      options.flush_seconds = 0;
      options.tail_seconds = 0;
      options.fault = fails_at(n, how);
      try {
        RunLog log(path, network, {}, options);
        ++created;
        for (std::uint64_t w = 0; w < windows; ++w) record_window(log, network, w, per_window);
        log.finish({}, windows * window, Ending::complete);
        went_through = true;
      } catch (const LogError& e) {
        ++failed;
        CHECK(e.path == path);
        CHECK_THAT(e.what(), Catch::Contains("No space left on device") &&
                                 Catch::StartsWith(path.string() + ": the log cannot be "));
        if (!e.valid_until) {
          // Creation failed: nothing is left behind.
          CHECK(std::filesystem::is_empty(folder.path()));
          continue;
        }
        CHECK_THAT(e.what(), Catch::Contains("holds everything before"));
        // A disk that died while committed pages were being replaced leaves the repair to the journal.
        if (how != Disk::dead) CHECK(plain_hdf5_reads(path));
        REQUIRE(check_data(path, network, per_window, *e.valid_until) == "");
      }
    }
    CHECK(created > 20);
    CHECK(failed > 20);
  }
}

TEST_CASE("after a failure the log says the same again and stays as it is", "[fault]") {
  const auto network = small_network();
  const Folder folder;
  const auto path = folder / "out.h5";
  RunLogOptions options;
  options.flush_seconds = options.tail_seconds = 0;
  bool broken = false;
  options.fault = [&](const std::filesystem::path&, std::uint64_t, std::span<const std::byte>, std::size_t&) {
    return broken ? EIO : 0;
  };
  std::string first;
  {
    RunLog log(path, network, {}, options);
    for (std::uint64_t w = 0; w < 5; ++w) record_window(log, network, w, per_window);
    broken = true;
    try {
      record_window(log, network, 5, per_window);
    } catch (const LogError& e) {
      first = e.what();
      CHECK(e.valid_until == 5 * window);
    }
    CHECK_THAT(first, Catch::Contains("Input/output error") &&
                          Catch::Contains("everything before 0.005 ms") &&
                          Catch::Contains("`spinet info --repair` folds in"));
    CHECK_THROWS_WITH(log.spikes({}), first);
    CHECK_THROWS_WITH(log.commit(6 * window), first);
    CHECK_THROWS_WITH(log.finish({}, 6 * window, Ending::complete), first);
  }
  CHECK(plain_hdf5_reads(path));
  CHECK(std::filesystem::exists(path.string() + ".journal"));
  CHECK(check_data(path, network, per_window, 5 * window) == "");
}

TEST_CASE("a full disk", "[fault]") {
  const Folder folder;
  if (::geteuid() != 0 || ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=2m") != 0) {
    WARN("left out: mounting a small file system takes root");
    return;
  }
  struct Unmount {
    const Folder& f;
    ~Unmount() { ::umount2(f.path().c_str(), MNT_DETACH); }
  } unmount{folder};
  auto network = small_network();
  network.edge_recordings.clear();
  const auto path = folder / "out.h5";
  RunLogOptions options;
  options.flush_seconds = options.tail_seconds = 0;
  options.chunk = 4096;
  Tick valid = -1;
  {
    RunLog log(path, network, {}, options);
    try {
      for (std::uint64_t w = 0; w < 100'000; ++w) record_window(log, network, w, 200);
    } catch (const LogError& e) {
      CHECK_THAT(e.what(), Catch::Contains("No space left on device"));
      valid = e.valid_until.value();
    }
  }
  REQUIRE(valid > 100 * window);
  CHECK(plain_hdf5_reads(path));
  // Someone makes room.
  REQUIRE(::mount("tmpfs", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=32m") == 0);
  CHECK(check_data(path, network, 200, valid) == "");
}
