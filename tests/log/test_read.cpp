// Reading: files that are in use, misplaced, damaged or not ours.
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

#include "fixture.hpp"
#include "log/checkpoint_file.hpp"
#include "log/h5.hpp"
#include "log/log_data.hpp"
#include "log/output_lock.hpp"
#include "log/pack.hpp"
#include "log/reader.hpp"
#include "log/writer.hpp"

using namespace spinet;
using namespace spinet::test;
using Catch::Contains;

namespace {

std::vector<char> bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(const std::filesystem::path& path, const std::vector<char>& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void write_log(const std::filesystem::path& path, const Network& n, std::uint64_t windows = 50,
               RunLogOptions o = {}) {
  RunLog log(path, n, {"0.1.0", 1, "", "", ""}, o);
  for (const auto p : n.edge_recordings) log.edges(p, edges(n, p));
  for (std::uint64_t w = 0; w < windows; ++w) record_window(log, n, w, 40);
  log.finish({}, static_cast<Tick>(windows) * window, Ending::complete);
}

/// Leaves a log and its journal as a killed writer does.
void killed_log(const std::filesystem::path& path, const Network& n) {
  const pid_t child = ::fork();
  if (child == 0) {
    RunLogOptions o;
    o.flush_seconds = o.tail_seconds = 0;
    o.chunk = 256;
    RunLog log(path, n, {}, o);
    for (std::uint64_t w = 0; w < 20; ++w) record_window(log, n, w, 40);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
}

}  // namespace

TEST_CASE("ticks survive milliseconds in a double up to 2^51, and are written as they are beyond", "[read]") {
  // The bound itself: the largest ticks below it, and many more, through the same arithmetic as writer and
  // readers.
  for (const double per_ms : {1e6, 1e9, 1e-3 / 3e-10, 1e3}) {
    std::uint64_t x = 1;
    for (int i = 0; i < 1'000'000; ++i) {
      x = x * 6364136223846793005u + 1442695040888963407u;
      const Tick t = i < 1000 ? (Tick{1} << 51) - 1 - i : static_cast<Tick>(x >> 13);
      if (std::llround(static_cast<double>(t) / per_ms * per_ms) != t)
        FAIL(t << " is lost at " << per_ms << " per ms");
    }
  }
  auto n = small_network();
  n.reports.clear();
  n.edge_recordings.clear();
  n.seconds_per_tick = 1e-12;
  const Folder folder;
  for (const Tick duration : {Tick{1} << 51, Tick{1} << 60}) {
    n.duration = duration;
    const auto path = folder / "out.h5";
    std::vector<Spike> given;
    for (Tick t = duration - 1000; t < duration; t += 7) given.push_back({t, static_cast<Gid>(t % 100)});
    {
      RunLogOptions o;
      o.force = true;
      RunLog log(path, n, {}, o);
      log.spikes(given);
      log.finish({}, duration, Ending::complete);
    }
    const auto found = read_sonata_spikes(path, "exc", 1e9, 100);
    REQUIRE(found.size() == given.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      REQUIRE((found[i].tick == given[i].tick && found[i].index == given[i].gid));
  }
}

TEST_CASE("a packed chunk is what HDF5's own filters undo", "[read]") {
  std::uint64_t x = 1;
  const auto random = [&] { return x = x * 6364136223846793005u + 1442695040888963407u, x >> 32; };
  const Folder folder;
  logging::Packer packer;
  for (const std::size_t n : {65536, 1, 100}) {
    std::vector<std::vector<std::uint64_t>> cases(4, std::vector<std::uint64_t>(n));
    for (std::size_t i = 0; i < n; ++i) {
      cases[1][i] = i * i;
      cases[2][i] = random() << 32 | random();
      cases[3][i] = i % 2 ? random() : 0;
    }
    for (const auto& values : cases) {
      const auto file = new_file(folder / "chunk.h5");
      const auto d = h5::create_growing(file, "x", H5T_NATIVE_UINT64, {}, {{n}, true});
      h5::set_rows(d, n);
      const hsize_t at = 0;
      const auto packed = packer.pack(std::as_bytes(std::span(values)), 8);
      CHECK(packed.size() < n * 8 + n / 100 + 200);
      h5::write_chunk(d, std::span(&at, 1), packed);
      CHECK(h5::read_all<std::uint64_t>(file, "x") == values);
    }
  }
}

TEST_CASE("frames wider than a chunk are cut into pieces", "[read]") {
  auto n = small_network();
  n.edge_recordings.clear();
  n.spikes.clear();
  n.populations.resize(1);
  n.populations[0].size = 1000;
  std::vector<std::uint32_t> all(1000);
  for (std::uint32_t i = 0; i < 1000; ++i) all[i] = i;
  n.reports = {{"v", 0, 0, all, 1000, 0, never}};
  for (const bool compress : {true, false}) {
    const Folder folder;
    RunLogOptions o;
    o.chunk = 300;  // four pieces of 250
    o.compress = compress;
    const auto path = folder / "out.h5";
    {
      RunLog log(path, n, {}, o);
      for (std::uint64_t f = 0; f < 9; ++f) log.frames(0, frame(n, 0, f));
      log.finish({}, 9 * window, Ending::complete);
    }
    const h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening"));
    const auto d = h5::open_dataset(file, "report/exc/data");
    REQUIRE(h5::shape_of(d) == std::vector<hsize_t>{9, 1000});
    std::vector<float> values(9000);
    REQUIRE(H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
    for (std::uint64_t f = 0; f < 9; ++f) {
      const auto e = frame(n, 0, f);
      CHECK(std::equal(e.begin(), e.end(), values.begin() + static_cast<std::ptrdiff_t>(1000 * f)));
    }
  }
}

TEST_CASE("an existing log is replaced only when asked to", "[read]") {
  const Folder folder;
  const auto path = folder / "out.h5";
  const auto n = small_network();
  write_log(path, n);
  const auto before = bytes_of(path);
  CHECK_THROWS_WITH(RunLog(path, n, {}), path.string() + ": exists already (--force replaces it)");
  CHECK(bytes_of(path) == before);
  RunLogOptions force;
  force.force = true;
  write_log(path, n, 10, force);
  CHECK(summarise(path).reached == 10 * window);

  put(folder / "note.txt", {'x'});
  CHECK_THROWS_WITH(RunLog(folder / "note.txt", n, {}), Contains("exists already"));
  CHECK_THROWS_WITH(RunLog(folder.path(), n, {}, force), Contains("is not a regular file"));
  CHECK_THROWS_WITH(RunLog(folder / "no/such/out.h5", n, {}), Contains("there is no folder"));

  // A journal whose log has been moved away is not overwritten either.
  killed_log(folder / "killed.h5", n);
  std::filesystem::rename(folder / "killed.h5", folder / "moved.h5");
  CHECK_THROWS_WITH(RunLog(folder / "killed.h5", n, {}), Contains("its log has been moved away"));
}

TEST_CASE("a log in use is neither read nor repaired nor replaced", "[read]") {
  const Folder folder;
  const auto path = folder / "out.h5";
  const auto n = small_network();
  RunLog log(path, n, {});
  record_window(log, n, 0, 40);
  CHECK_THROWS_WITH(summarise(path), Contains("is in use: a run is still writing it"));
  CHECK_THROWS_WITH(recover(path), Contains("is in use"));
  CHECK_THROWS_WITH(read_sonata_spikes(path, "exc", 1e6, 100), Contains("is in use"));
  RunLogOptions force;
  force.force = true;
  CHECK_THROWS_WITH(RunLog(path, n, {}, force), Contains("is in use: a run is still writing it (process "));
  log.finish({}, window, Ending::complete);
  CHECK(summarise(path).reached == window);
}

TEST_CASE("a run that ends with an exception keeps its data", "[read]") {
  const Folder folder;
  const auto path = folder / "out.h5";
  const auto n = small_network();
  {
    RunLog log(path, n, {});
    for (const auto p : n.edge_recordings) log.edges(p, edges(n, p));
    for (std::uint64_t w = 0; w < 5; ++w) record_window(log, n, w, 40);
  }
  CHECK(summarise(path).status == RunStatus::interrupted);
  CHECK(check_data(path, n, 40, 5 * window, Edges::all) == "");
}

TEST_CASE("a journal of another run is refused and nothing is touched", "[read]") {
  const Folder folder;
  const auto n = small_network();
  const auto path = folder / "out.h5", journal = folder / "out.h5.journal";
  killed_log(path, n);
  killed_log(folder / "other.h5", n);
  std::filesystem::copy_file(folder / "other.h5", path, std::filesystem::copy_options::overwrite_existing);
  const auto log_before = bytes_of(path), journal_before = bytes_of(journal);
  CHECK_THROWS_WITH(recover(path), Contains("belongs to another run than"));
  CHECK(bytes_of(path) == log_before);
  CHECK(bytes_of(journal) == journal_before);
}

TEST_CASE("without its journal a log says what it has, and is not taken for whole", "[read]") {
  const Folder folder;
  const auto n = small_network();
  const auto path = folder / "out.h5", journal = folder / "out.h5.journal";
  killed_log(path, n);
  const auto log_before = bytes_of(path), journal_before = bytes_of(journal);
  std::filesystem::remove(journal);
  CHECK_FALSE(recover(path).needed);
  const auto s = summarise(path);
  CHECK(s.status == RunStatus::killed);
  CHECK(s.without_journal);
  CHECK_THAT(s.warning,
             Contains("its journal is missing") && Contains("out.h5.journal") && Contains("whole before"));
  CHECK(extent_of(path).without_journal);
  CHECK_THROWS_WITH(read_sonata_spikes(path, "exc", 1e6, 100), Contains("its journal is missing"));
  // What it says it has on its own is there.
  CHECK(s.reached < 20 * window);
  const auto whole_before = s.reached;
  put(journal, journal_before);
  CHECK(check_data(path, n, 40, 20 * window) == "");
  CHECK(summarise(path).warning.empty());
  CHECK(extent_of(path).before == 20 * window);
  const auto all = read_sonata_spikes(path, "exc", 1e6, 100);
  put(folder / "cut.h5", log_before);
  const h5::Id file(h5::check(H5Fopen((folder / "cut.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening"));
  const auto alone = h5::read_all<double>(file, "spikes/exc/timestamps");
  const auto due =
      std::count_if(all.begin(), all.end(), [&](const ListedSpike& x) { return x.tick < whole_before; });
  CHECK(alone.size() >= static_cast<std::size_t>(due));
  CHECK(alone.size() < all.size());
}

TEST_CASE("a file is whole alone before the time it says, whenever its writer dies", "[read]") {
  auto n = small_network();
  n.edge_recordings.clear();
  const Folder folder;
  for (const std::uint64_t windows : {1, 7, 30, 31, 64, 200}) {
    const auto path = folder / "out.h5";
    const pid_t child = ::fork();
    if (child == 0) {
      RunLogOptions o;
      o.force = true;
      o.flush_seconds = o.tail_seconds = 0;
      o.chunk = 64;
      RunLog log(path, n, {}, o);
      for (std::uint64_t w = 0; w < windows; ++w) record_window(log, n, w, 40);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    std::filesystem::remove(folder / "out.h5.journal");
    const auto extent = extent_of(path);
    REQUIRE(extent.without_journal);
    INFO(windows << " windows, whole before " << extent.before);
    CHECK(extent.before <= static_cast<Tick>(windows) * window);
    CHECK((windows < 200 || extent.before > 100 * window));
    const h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening"));
    std::size_t exc = 0, inh = 0;
    for (std::uint64_t w = 0; w < windows; ++w)
      for (const auto& s : spikes_of_window(n, w, 40))
        if (s.tick < extent.before) ++(s.gid < 100 ? exc : inh);
    CHECK(h5::read_all<double>(file, "spikes/exc/timestamps").size() >= exc);
    CHECK(h5::read_all<double>(file, "spikes/inh/timestamps").size() >= inh);
    for (const auto& r : n.reports)
      CHECK(h5::shape_of(h5::open_dataset(file, "report/" +
                                                    (&r == &n.reports[0]   ? std::string("exc")
                                                     : &r == &n.reports[2] ? "inh"
                                                                           : "exc." + r.name) +
                                                    "/data"))[0] >=
            static_cast<hsize_t>((extent.before - r.from + r.every - 1) / r.every));
  }
}

TEST_CASE("one process at a time writes a log, and its leavings are cleared up", "[read]") {
  const Folder folder;
  const auto path = folder / "out.h5";
  const auto n = small_network();
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& e : std::filesystem::directory_iterator(folder.path()))
      all.push_back(e.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  };
  {
    const OutputLock lock(path);
    CHECK(OutputLock::holder(path).has_value());
    CHECK_THROWS_AS(OutputLock(path), OutputInUse);
    CHECK_THROWS_AS(RunLog(path, n, {}), OutputInUse);
    // Another way to write the name is the same log.
    std::filesystem::create_symlink(path, folder / "link.h5");
    put(path, {'x'});
    CHECK_THROWS_AS(OutputLock(folder / "link.h5"), OutputInUse);
    std::filesystem::remove(folder / "link.h5");
    std::filesystem::remove(path);
  }
  CHECK_FALSE(OutputLock::holder(path).has_value());
  CHECK(names().empty());
  // What kills leave is removed by the next owner; what only looks like it stays, and so does another log's.
  const std::vector<std::string> stale{"out.h5.new-0123456789abcdef", "out.h5.journal.new-0123456789abcdef",
                                       "out.ckpt.3.h5.new-0123456789abcdef"};
  const std::vector<std::string> kept{"other.h5.new-0123456789abcdef", "out.h5.new", "out.h5.new-012345678",
                                      "out.h5.before", "out.ckpt.x.h5.new-0123456789abcdef"};
  for (const auto* list : {&stale, &kept})
    for (const auto& name : *list) put(folder.path() / name, {'x'});
  write_log(path, n);
  auto expected = kept;
  expected.push_back("out.h5");
  std::sort(expected.begin(), expected.end());
  CHECK(names() == expected);
  CHECK(summarise(path).reached == 50 * window);  // out.h5.before has replaced nothing
  // A file of somebody else in the lock's place is left alone.
  put(folder / "mine.h5.lock", {'m', 'i', 'n', 'e'});
  CHECK_THROWS_WITH(OutputLock(folder / "mine.h5"), Contains("is not a lock of spinet"));
  CHECK(bytes_of(folder / "mine.h5.lock") == std::vector<char>{'m', 'i', 'n', 'e'});
}

TEST_CASE("a journal that was whole but had no name yet belongs to its log only", "[read]") {
  const Folder folder;
  const auto n = small_network();
  const auto path = folder / "out.h5", other = folder / "other.h5";
  killed_log(path, n);
  killed_log(other, n);
  std::filesystem::rename(folder / "out.h5.journal", folder / "out.h5.journal.new-0123456789abcdef");
  std::filesystem::rename(folder / "other.h5.journal", folder / "out.h5.journal.new-fedcba9876543210");
  CHECK(recover(path).needed);
  CHECK(check_data(path, n, 40, 20 * window) == "");
  for (const auto& e : std::filesystem::directory_iterator(folder.path()))
    CHECK((e.path() == path || e.path() == other ||
           e.path() == folder / "other.h5.lock"));  // nobody has locked the other since
}

TEST_CASE("checkpoints of two logs never share a name", "[read]") {
  const auto name = [](const char* log) { return CheckpointFiles::path_of(log, 7).string(); };
  CHECK(name("a/rate.h5") == "a/rate.ckpt.7.h5");
  CHECK(name("a/rate.1") == "a/rate.1.ckpt.7");
  CHECK(name("rate.2") == "rate.2.ckpt.7");
  CHECK(name("rate") == "rate.ckpt.7");
  CHECK(CheckpointFiles::number_of("rate.h5", "rate.ckpt.12.h5") == 12u);
  CHECK(CheckpointFiles::number_of("rate", "rate.ckpt.12") == 12u);
  for (const char* no :
       {"rate.ckpt.12", "rate.ckpt..h5", "rate.ckpt.-1.h5", "rate.1.ckpt.1.h5", "rate.ckpt.1.h5.h5"})
    CHECK_FALSE(CheckpointFiles::number_of("rate.h5", no).has_value());
}

TEST_CASE("reading a killed log writes nothing, and gives what putting it in order gives", "[read]") {
  const Folder folder;
  const auto path = folder / "out.h5", journal = folder / "out.h5.journal";
  const auto n = small_network();
  killed_log(path, n);
  const auto log_before = bytes_of(path), journal_before = bytes_of(journal);
  const auto s = summarise(path);
  CHECK(s.reached == 20 * window);
  CHECK(s.status == RunStatus::killed);
  CHECK(s.pending.needed);
  CHECK(s.pending.rows > 0);
  const auto spikes = read_sonata_spikes(path, "exc", 1e6, 100);
  CHECK(bytes_of(path) == log_before);
  CHECK(bytes_of(journal) == journal_before);

  CHECK(recover(path).rows == s.pending.rows);
  const auto after = summarise(path);
  CHECK_FALSE(after.pending.needed);
  CHECK(after.reached == s.reached);
  CHECK(after.populations[0].spikes == s.populations[0].spikes);
  const auto again = read_sonata_spikes(path, "exc", 1e6, 100);
  CHECK(std::equal(spikes.begin(), spikes.end(), again.begin(), again.end(),
                   [](const auto& a, const auto& b) { return a.tick == b.tick && a.index == b.index; }));
}

TEST_CASE("a log whose times make no sense is refused", "[read]") {
  const Folder folder;
  const auto path = folder / "out.h5";
  const auto n = small_network();
  write_log(path, n, 3);
  const auto whole = bytes_of(path);
  const auto refused = [&](const char* name, auto value) {
    put(path, whole);
    {
      const h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), "opening"));
      h5::replace_attribute(h5::open_group(file, "spinet"), name, value);
    }
    INFO(name << " " << value);
    CHECK_THROWS_WITH(summarise(path), Contains("is damaged: its times make no sense"));
    CHECK_THROWS_WITH(LogData(path), Contains("is damaged: its times make no sense"));
  };
  refused("duration_ticks", std::numeric_limits<Tick>::min());
  refused("reached_ticks", std::numeric_limits<Tick>::max());
  refused("reached_ticks", Tick{-1});
  for (const double x : {std::nan(""), 0.0, -1.0, HUGE_VAL}) {
    refused("ticks_per_ms", x);
    refused("time_resolution", x);
  }
  refused("ticks_per_ms", 1e3);  // a tick is not 1 us
  put(path, whole);
  CHECK(summarise(path).reached == 3 * window);
}

TEST_CASE("what is not a log is said to be none", "[read]") {
  const Folder folder;
  const auto path = folder / "x";
  CHECK_THROWS_WITH(summarise(path), Contains("cannot open the file: No such file or directory"));
  CHECK_THROWS_WITH(summarise(folder.path()), Contains("is a folder, not a file"));
  put(path, {});
  CHECK_THROWS_WITH(summarise(path), Contains("x: is empty"));
  put(path, std::vector<char>(100'000, 'x'));
  CHECK_THROWS_WITH(summarise(path), Contains("x: is not an HDF5 file"));
  { const auto file = new_file(path); }
  auto cut = bytes_of(path);
  cut.resize(cut.size() / 2);
  put(path, cut);
  CHECK_THROWS_WITH(summarise(path), Contains("is a truncated or damaged HDF5 file"));
  { const auto file = new_file(path); }
  CHECK_THROWS_WITH(summarise(path), Contains("is an HDF5 file, but not the log of a Spinet run"));
  put(folder / "x.journal", std::vector<char>(1000, 'x'));
  CHECK_THROWS_WITH(recover(path), Contains("is not the journal of a log"));
}
