#include <catch2/catch.hpp>

#include "connect/positions.hpp"
#include "fixture.hpp"
#include "log/h5.hpp"
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
    log.finish(s, 1000 * window, Ending::complete);
  }
  const auto s = summarise(path);
  CHECK(s.status == RunStatus::complete);
  CHECK(s.populations.size() == 4);
  CHECK(s.populations[0].spikes > 30000);
}

TEST_CASE("positions are in the log, and their damage is found") {
  const Folder folder;
  auto network = small_network();
  Population &exc = network.populations[0], &inh = network.populations[1];
  exc.positions = {Positions::Kind::grid, 2, {20, 5, 1}, {0, -100, 0}, {1000, 200, 0}, true};
  inh.positions = {Positions::Kind::random, 3, {1, 1, 1}, {0, 0, 0}, {10, 20, 30}};
  const auto path = folder / "out.h5";
  { RunLog(path, network, {}).finish({}, 0, Ending::complete); }
  const auto s = summarise(path);
  CHECK(s.populations[0].dimensions == 2);
  CHECK(s.populations[1].dimensions == 3);
  CHECK(s.populations[2].dimensions == 0);
  {
    const h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), "opening"));
    CHECK_FALSE(h5::exists(file, "nodes/quiet"));
    const auto at = [&](const std::string& name) { return h5::read_all<double>(file, "nodes/" + name); };
    const auto x = at("exc/0/x"), y = at("exc/0/y"), z = at("inh/0/z");
    REQUIRE((x.size() == exc.size && z.size() == inh.size));
    CHECK((x[0] == 25 && x[19] == 975 && x[20] == 25));  // centres of cells of 50 um by 40 um
    CHECK((y[0] == -80 && y[99] == 80));
    for (std::uint32_t i = 0; i < inh.size; ++i) CHECK(z[i] == position_of(network, 1, i)[2]);
    h5::set_rows(h5::open_dataset(file, "nodes/inh/0/z"), 7);
  }
  CHECK_THROWS_WITH(summarise(path), Catch::Contains("positions of inh are not one for each neuron"));
}
