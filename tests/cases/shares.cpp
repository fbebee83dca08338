// How the networks of ranks.py are shared out: several ranks own neurons, or comparing rank counts would
// compare nothing.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/simulation.hpp"
#include "mpi_world.hpp"
#include "network/loader.hpp"
#include "support/run.hpp"

using namespace spinet;

namespace {

Network network(const std::string& name) {
  static const Catalogue catalogue = [] {
    Catalogue c;
    add_builtin(c);
    return c;
  }();
  return load((std::filesystem::path(NETWORKS) / name).replace_extension(".yaml"), catalogue);
}

/// Neurons owned by each rank, known to all.
std::vector<std::uint64_t> owned(const Simulation& s) {
  const std::uint64_t mine = s.owned();
  Gathered all;
  world().all_gather(std::as_bytes(std::span(&mine, 1)), all);
  std::vector<std::uint64_t> of_rank(static_cast<std::size_t>(world().size()));
  std::memcpy(of_rank.data(), all.bytes.data(), all.bytes.size());
  return of_rank;
}

}  // namespace

TEST_CASE("a population of a few thousand is shared by all ranks, evenly") {
  for (const std::string name : {"delta", "exponential"}) {
    const auto net = network(name);
    CHECK(net.block == 256);
    const auto of_rank = owned(Simulation(net, world()));
    CAPTURE(name, of_rank);
    std::uint64_t neurons = 0;
    for (const auto& p : net.populations) neurons += p.neuron() ? p.size : 0;
    CHECK(std::accumulate(of_rank.begin(), of_rank.end(), std::uint64_t{0}) == neurons);
    // A run of gids is the grain, and inhibitory neurons cost as much as others.
    const auto [least, most] = std::minmax_element(of_rank.begin(), of_rank.end());
    CHECK(*least > 0);
    CHECK(*most <= neurons / of_rank.size() + 2 * 256);
  }
}

TEST_CASE("block: 1 shares a small network, and its spikes are those of one rank") {
  const auto net = network("small");
  CHECK(net.block == 1);
  Simulation simulation(net, world());
  const auto of_rank = owned(simulation);
  CAPTURE(of_rank);
  const auto owning = std::count_if(of_rank.begin(), of_rank.end(), [](std::uint64_t n) { return n > 0; });
  CHECK(owning >= std::min(world().size(), 2));
  test::MemoryRecorder recorder;
  simulation.run(&recorder);
  if (world().rank() == 0) {
    const auto alone = test::run(net);
    CHECK(alone.spikes().size() > 50);
    CHECK(recorder.spikes() == alone.spikes());
  }
}
