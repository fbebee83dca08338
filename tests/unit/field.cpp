#include <catch2/catch.hpp>

#include "network/catalogue.hpp"
#include "spinet/synapse.hpp"

TEST_CASE("a field table knows names, units and offsets") {
  struct P { double a, b; };
  spinet::FieldTable<P> t;
  t.add(&P::b, "b", "mV", 2.0, spinet::above(0), spinet::shared, "second").add(&P::a, "a", "ms", 1.0, spinet::any(), 0, "first");
  const auto f = t.view();
  REQUIRE(f.count == 2);
  CHECK(f.data[0].offset == sizeof(double));
  CHECK(f.data[1].offset == 0);
  CHECK((f.data[0].flags & spinet::low_open) != 0);
  CHECK(std::string(f.data[0].unit) == "mV");
}
