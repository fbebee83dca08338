#include <catch2/catch.hpp>

#include "fixture.hpp"
#include "log/reader.hpp"
#include "log/writer.hpp"

using namespace spinet;
using namespace spinet::test;

TEST_CASE("what is written is summarised") {
  const Folder folder;
  const auto network = small_network();
  const auto path = folder / "out.h5";
  {
    RunLog log(path, network, {"0.1.0", 2, "spinet run small.yaml", "2024-05-06T07:08:09Z", "host"});
    for (const auto p : network.edge_recordings) log.edges(p, edges(network, p));
    for (std::uint64_t w = 0; w < 1000; ++w) {
      log.spikes(spikes_of_window(network, w, 40));
      for (std::uint32_t r = 0; r < 3; ++r) log.frames(r, frame(network, r, w));
      log.commit(static_cast<Tick>(w + 1) * window);
    }
    Statistics s;
    s.spikes = 123;
    log.finish(s, 1000 * window, true);
  }
  const auto s = summarise(path);
  CHECK(s.status == RunStatus::complete);
  CHECK(s.populations.size() == 4);
  CHECK(s.populations[0].spikes > 30000);
}
