#include <catch2/catch.hpp>
#include <cmath>

#include "network/catalogue.hpp"
#include "spinet/synapse.hpp"

TEST_CASE("a field table knows names, units and offsets") {
  struct P {
    double a, b;
  };
  spinet::FieldTable<P> t;
  t.add(&P::b, "b", "mV", 2.0, spinet::above(0), spinet::shared, "second")
      .add(&P::a, "a", "ms", 1.0, spinet::any(), 0, "first");
  const auto f = t.view();
  REQUIRE(f.count == 2);
  CHECK(f.data[0].offset == sizeof(double));
  CHECK(f.data[1].offset == 0);
  CHECK((f.data[0].flags & spinet::low_open) != 0);
  CHECK(std::string(f.data[0].unit) == "mV");
}

TEST_CASE("a computed field has no place: writing it changes nothing, and there is nothing to read") {
  struct State {
    float first, second;
  };
  spinet::FieldTable<State> t;
  t.add(&State::second, "second", "1", 2, spinet::any(), 0, "stored")
      .computed("product", "1", 0.1, spinet::any(), 0, "computed");
  State s{3, 4};
  for (std::uint32_t i = 0; i < t.view().count; ++i)
    spinet::put(&s, t.view().data[i], t.view().data[i].preset);
  CHECK(s.first == 3);
  CHECK(s.second == 2);
  CHECK(std::isnan(spinet::get(&s, t.view().data[1])));
}
