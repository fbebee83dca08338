// networks/spinet.schema.json is what the tables say.  SPINET_REGENERATE in the environment writes it anew.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "network/loader.hpp"
#include "network/schema.hpp"

using namespace spinet;

TEST_CASE("the published schema is current") {
  Catalogue c;
  add_builtin(c);
  const auto schema = json_schema(c);
  if (std::getenv("SPINET_REGENERATE")) std::ofstream(SCHEMA) << schema;
  std::ifstream in(SCHEMA);
  std::ostringstream published;
  published << in.rdbuf();
  CHECK(published.str() == schema);
}

TEST_CASE("every key of the schema is one the loader knows") {
  // A key of the tables that the loader does not read would be accepted and ignored: each must be refused
  // when it has a value that none of them takes.
  Catalogue c;
  add_builtin(c);
  for (const char* key : {"name", "description", "seed", "duration", "time_resolution", "delay_resolution",
                          "block", "parameters", "populations", "projections", "schedule", "record"}) {
    INFO(key);
    bool refused = false;
    try {
      load_text(std::string(key) + ": [{nonsense: {}}]\n", "schema.yaml", c);
    } catch (const InvalidNetwork& e) {
      for (const auto& d : e.diagnostics) refused |= d.column > 1 || d.reason.find(key) != std::string::npos;
      for (const auto& d : e.diagnostics)
        CHECK(d.reason.find("unknown key '" + std::string(key)) == std::string::npos);
    }
    CHECK(refused);
  }
}
