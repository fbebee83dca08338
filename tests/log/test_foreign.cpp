// Reading spikes of other programs.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "fixture.hpp"
#include "log/h5.hpp"
#include "log/log_data.hpp"
#include "log/reader.hpp"

using namespace spinet;
using namespace spinet::test;
using Catch::Contains;

namespace {

/// A spikes file as other programs write it: unsorted, 32-bit ids, no attributes.
void foreign(const std::filesystem::path& path, const std::vector<double>& times,
             const std::vector<std::uint32_t>& ids, const std::vector<std::string>& populations = {"a"},
             const char* units = nullptr) {
  const auto file = new_file(path);
  const auto all = h5::create_group(file, "spikes");
  for (const auto& p : populations) {
    const auto g = h5::create_group(all, p);
    const auto d = h5::write_dataset<double>(g, "timestamps", times);
    if (units) h5::write_vlen_attribute(d, "units", units);
    h5::write_dataset<std::uint32_t>(g, "node_ids", ids);
  }
}

/// The ids of such a file as numbers of another type.
template <class T>
void replace_ids(const std::filesystem::path& path, const std::vector<T>& ids) {
  const h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), "opening"));
  const auto group = h5::open_group(h5::open_group(file, "spikes"), "a");
  H5Ldelete(group, "node_ids", H5P_DEFAULT);
  h5::write_dataset<T>(group, "node_ids", ids);
}

}  // namespace

TEST_CASE("spikes of any SONATA file are listed by tick and index", "[read]") {
  const Folder folder;
  const auto path = folder / "spikes.h5";
  foreign(path, {3.5, 0.0, 1.2345674, 1.2345676, 1.2}, {2, 1, 0, 1, 2});
  const auto s = read_sonata_spikes(path, "", 1e6, 3);
  REQUIRE(s.size() == 5);
  const std::vector<std::pair<Tick, std::uint32_t>> expected{
      {0, 1}, {1'200'000, 2}, {1'234'567, 0}, {1'234'568, 1}, {3'500'000, 2}};
  for (std::size_t i = 0; i < s.size(); ++i) CHECK(std::pair(s[i].tick, s[i].index) == expected[i]);

  CHECK_THROWS_WITH(read_sonata_spikes(path, "b", 1e6, 3),
                    Contains("has no spikes of a population \"b\" (it has: a)"));
  CHECK_THROWS_WITH(read_sonata_spikes(path, "a", 1e6, 2),
                    Contains("spike 0 of a is of node 2, but the population has only 2"));
  for (const auto& [id, what] : {std::pair<double, const char*>{-1, "-1"},
                                 {1.7, "1.7"},
                                 {2e19, "2e+19"},
                                 {std::numeric_limits<double>::quiet_NaN(), "nan"}}) {
    foreign(path, {1.0, 2.0}, {});
    replace_ids<double>(path, {0, id});
    CHECK_THROWS_WITH(read_sonata_spikes(path, "a", 1e6, 2),
                      Contains(std::string("entry 1 of node_ids is ") + what +
                               "; whole numbers from 0 to 18446744073709551615 are expected"));
  }
  foreign(path, {1.0, 2.0}, {});
  replace_ids<std::int32_t>(path, {0, -1});
  CHECK_THROWS_WITH(read_sonata_spikes(path, "a", 1e6, 2), Contains("entry 1 of node_ids is -1;"));
  replace_ids<std::int64_t>(path, {0, 1});
  CHECK(read_sonata_spikes(path, "a", 1e6, 2).size() == 2);
  replace_ids<double>(path, {0, 1});
  CHECK(read_sonata_spikes(path, "a", 1e6, 2)[1].index == 1);
  foreign(path, {1.0, -0.5}, {0, 0});
  CHECK_THROWS_WITH(read_sonata_spikes(path, "a", 1e6, 2), Contains("spike 1 of a has the time -0.5 ms"));
  foreign(path, {1.0, std::numeric_limits<double>::quiet_NaN()}, {0, 0});
  CHECK_THROWS_WITH(read_sonata_spikes(path, "a", 1e6, 2), Contains("spike 1 of a has the time nan ms"));
  foreign(path, {1e300}, {0});
  CHECK_THROWS_WITH(read_sonata_spikes(path, "a", 1e6, 2), Contains("has the time 1e+300 ms"));
  foreign(path, {1.0}, {0, 1});
  CHECK_THROWS_WITH(read_sonata_spikes(path, "a", 1e6, 2), Contains("1 times but 2 node ids"));
  foreign(path, {1.0}, {0}, {"a", "b"});
  CHECK_THROWS_WITH(read_sonata_spikes(path, "", 1e6, 2),
                    Contains("has 2 populations with spikes (a, b): one must be named"));
  foreign(path, {1.0}, {0}, {"a"}, "s");
  CHECK_THROWS_WITH(read_sonata_spikes(path, "a", 1e6, 2), Contains("are in s, not in ms"));
  foreign(path, {}, {});
  CHECK(read_sonata_spikes(path, "a", 1e6, 2).empty());
  { const auto file = new_file(path); }
  CHECK_THROWS_WITH(read_sonata_spikes(path, "", 1e6, 2), Contains("has no group /spikes"));
}
