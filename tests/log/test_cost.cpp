// What logging costs; by hand, on a quiet machine: log_unit '[cost]'
#include <time.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "fixture.hpp"
#include "log/writer.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
}  // namespace

TEST_CASE("400,000 spikes of 12,500 neurons, in windows of 1.5 ms, take under 5 % of 1.3 s", "[.cost]") {
  auto n = small_network();
  n.reports.clear();
  n.edge_recordings.clear();
  n.projections.clear();
  Gid first = 0;
  for (std::size_t p = 0; p < n.populations.size(); ++p) {
    n.populations[p].size = p == 0 ? 10'000 : p == 1 ? 2'500 : 1;
    n.populations[p].first = first;
    first += n.populations[p].size;
  }
  std::mt19937_64 random(1);
  std::vector<Spike> all(400'000);
  for (auto& s : all) s = {static_cast<Tick>(random() % 1'000'000'000), static_cast<Gid>(random() % 12'500)};
  std::sort(all.begin(), all.end(), [](const Spike& a, const Spike& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.gid < b.gid;
  });
  std::vector<double> costs;
  for (int repeat = 0; repeat < 9; ++repeat) {
    const Folder folder;
    const double begin = cpu_seconds();
    RunLog log(folder / "out.h5", n, {});
    std::size_t at = 0;
    for (Tick to = 1'500'000; at < all.size(); to += 1'500'000) {
      const auto from = at;
      while (at < all.size() && all[at].tick < to) ++at;
      log.spikes(std::span(all).subspan(from, at - from));
      log.commit(to);
    }
    log.finish({}, 1'000'000'000, Ending::complete);
    costs.push_back(cpu_seconds() - begin);
  }
  std::sort(costs.begin(), costs.end());
  WARN("median " << 1e3 * costs[4] << " ms of CPU time");
  CHECK(costs[4] < 0.05 * 1.3);
}

TEST_CASE("an empty window costs under 100 ns", "[.cost]") {
  auto n = small_network();
  n.edge_recordings.clear();
  const Folder folder;
  RunLog log(folder / "out.h5", n, {});
  const double begin = cpu_seconds();
  constexpr int windows = 5'000'000;
  for (Tick t = 0; t < windows; ++t) log.commit(t);
  const double each = (cpu_seconds() - begin) / windows;
  WARN(1e9 * each << " ns");
  CHECK(each < 100e-9);
}
