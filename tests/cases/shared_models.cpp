// `lif_delta` and `static` as shared libraries give the data that they give built in.  The command has no way
// to show it (a plugin may not take the name of a built-in model), so the catalogue here has them from the
// libraries alone.
#include <catch2/catch.hpp>

#include "network/loader.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// The libraries, and of the built-in models the rest.
const Catalogue& from_libraries() {
  static const Catalogue made = [] {
    Catalogue c;
    for (const char* name : {"lif_delta", "static"})
      c.load((std::filesystem::path(SHARED_MODELS) / name).replace_extension(".so"));
    for (const auto& [model, origin] : builtin().all())
      if (!c.find(model->kind, model->name)) c.add(model, origin);
    return c;
  }();
  return made;
}

}  // namespace

TEST_CASE("lif_delta and static as shared libraries give the data that they give built in") {
  for (const char* name :
       {"delta", "small"}) {  // delta: weights drawn and alike; small: time constants of neurons differ
    CAPTURE(name);
    const auto file = (std::filesystem::path(NETWORKS) / name).replace_extension(".yaml");
    auto own = load(file, builtin()), other = load(file, from_libraries());
    bool neurons = false;
    for (std::size_t p = 0; p < own.populations.size(); ++p) {
      const bool library = std::string(own.populations[p].model->name) == "lif_delta";
      CHECK((own.populations[p].model != other.populations[p].model) == library);
      neurons = neurons || library;
    }
    CHECK(neurons);
    for (std::size_t p = 0; p < own.projections.size(); ++p)
      CHECK(own.projections[p].synapse != other.projections[p].synapse);

    auto a = run(own), b = run(other);
    CHECK(a.spikes().size() > 300);
    CHECK(first_difference(a.spikes(), b.spikes()) == "");
    CHECK(a.statistics.deliveries == b.statistics.deliveries);
    CHECK(a.statistics.superposed == b.statistics.superposed);
    REQUIRE(!own.reports.empty());
    for (std::uint32_t r = 0; r < own.reports.size(); ++r) {
      CHECK(!a.recorder.report(r).empty());
      CHECK((a.recorder.report(r) == b.recorder.report(r)));
    }
  }
}

TEST_CASE("a library cannot take the name of a built-in model unnoticed") {
  Catalogue c;
  add_builtin(c);
  CHECK_THROWS_WITH(c.load_folder(SHARED_MODELS),
                    Catch::Contains(".so: there is already a ") && Catch::Contains(" (built in)"));
}
