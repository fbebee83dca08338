// The catalogue refuses what it cannot use, and touches nothing before it knows what it has.
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>

#include "network/catalogue.hpp"
#include "spinet/neuron.hpp"
#include "spinet/source.hpp"
#include "spinet/synapse.hpp"
#include "support/bench.hpp"

namespace {

struct Depressing {
  static constexpr const char* name = "depressing";
  static constexpr const char* doc = "A synapse for this test.";
  struct Params {
    double tau, use;
  };
  struct State {
    float weight, resource;
  };
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::tau, "tau", "ms", 100, spinet::above(0), 0, "recovery time")
        .add(&Params::use, "use", "1", 0.5, spinet::between(0, 1), 0, "used part");
    return t;
  }
  static auto variables() {
    spinet::FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, spinet::any(), spinet::initial | spinet::port_unit, "weight");
    return t;
  }
  static float weight(State& s, const spinet::Nothing&, const spinet::Slice&) { return s.weight; }
};

/// A copy of the table that a test may damage.
struct Copy {
  spinet::SynapseTable table = spinet::synapse_table<Depressing>();
  std::vector<spinet::Field> params{table.model.params.data,
                                    table.model.params.data + table.model.params.count};
  std::vector<spinet::Field> variables{table.model.variables.data,
                                       table.model.variables.data + table.model.variables.count};
  Copy() {
    table.model.params.data = params.data();
    table.model.variables.data = variables.data();
  }
  Copy(const Copy&) = delete;
  std::string refusal() const {
    spinet::Catalogue c;
    try {
      c.add(&table.model, "x.so");
    } catch (const spinet::PluginError& e) {
      return e.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("a sound table is taken, once") {
  const Copy x;
  spinet::Catalogue c;
  c.add(&x.table.model, "x.so");
  c.add(&x.table.model, "again/x.so");
  REQUIRE(c.all().size() == 1);
  CHECK(c.find(spinet::Kind::synapse, "depressing") == &x.table.model);
  CHECK(c.find(spinet::Kind::neuron, "depressing") == nullptr);
  const Copy y;
  CHECK_THROWS_WITH(c.add(&y.table.model, "y.so"),
                    "y.so: there is already a synapse model 'depressing' (x.so)");
}

TEST_CASE("nothing but the head is touched when the version differs") {
  // The head alone, at the end of a page-sized allocation with every pointer bad: reading more would crash.
  spinet::Model head{};
  head.abi_version = spinet::abi_version + 1;
  head.name = reinterpret_cast<const char*>(8);
  head.params = {reinterpret_cast<const spinet::Field*>(8), 1000, sizeof(spinet::Field)};
  spinet::Catalogue c;
  CHECK_THROWS_WITH(c.add(&head, "old.so"), "old.so: made for plugin interface version " +
                                                std::to_string(spinet::abi_version + 1) +
                                                ", this is version " + std::to_string(spinet::abi_version) +
                                                "; rebuild it against the headers of this spinet");
  head.abi_version = spinet::abi_version;
  head.kind = static_cast<spinet::Kind>(77);
  CHECK_THROWS_WITH(c.add(&head, "old.so"), "old.so: its kind, 77, is none of neuron, synapse, source");
  head.kind = spinet::Kind::source;
  head.struct_size = 40;
  CHECK_THROWS_WITH(c.add(&head, "old.so"), Catch::Contains("its table has 40 bytes where this spinet has"));
  CHECK_THROWS_WITH(c.add(nullptr, "none.so"), "none.so: its spinet_model() returned no table");
}

TEST_CASE("a damaged table is refused with the reason") {
  using Damage = void (*)(Copy&);
  const std::pair<Damage, const char*> cases[] = {
      {[](Copy& x) { x.table.model.name = nullptr; },
       "x.so: the model has no name, or one that is more than letters, digits and underscores"},
      {[](Copy& x) { x.table.model.name = "two words"; },
       "x.so: the model has no name, or one that is more than letters, digits and underscores"},
      {[](Copy& x) { x.table.model.doc = ""; }, "x.so: the model 'depressing' has no description"},
      {[](Copy& x) { x.params[1].name = nullptr; },
       "x.so: parameter 1 has no name, or one that is more than letters, digits and underscores"},
      {[](Copy& x) { x.params[1].name = "tau"; }, "x.so: parameter 'tau' occurs twice"},
      {[](Copy& x) { x.params[0].unit = nullptr; },
       "x.so: parameter 'tau' has no unit (\"1\" for a plain number)"},
      {[](Copy& x) { x.params[0].doc = nullptr; }, "x.so: parameter 'tau' has no description"},
      {[](Copy& x) { x.params[0].preset = 0; },
       "x.so: parameter 'tau': its default, 0.000000, lies outside its own range"},
      {[](Copy& x) { x.params[1].preset = 1.5; },
       "x.so: parameter 'use': its default, 1.500000, lies outside its own range"},
      {[](Copy& x) { x.params[1].preset = std::numeric_limits<double>::quiet_NaN(); },
       "x.so: parameter 'use': its default, nan, lies outside its own range"},
      {[](Copy& x) { x.params[1].offset = 16; },
       "x.so: parameter 'use' lies outside its struct (offset 16 of 16 bytes)"},
      {[](Copy& x) { x.params[1].offset = 4294967288u; },
       "x.so: parameter 'use' lies outside its struct (offset 4294967288 of 16 bytes)"},
      {[](Copy& x) { x.params[1].offset = 3; },
       "x.so: parameter 'use' lies outside its struct (offset 3 of 16 bytes)"},
      {[](Copy& x) { x.params[0].type = static_cast<spinet::Type>(9); },
       "x.so: parameter 'tau' is of unknown type 9"},
      {[](Copy& x) { x.table.model.params.stride = 80; },
       "x.so: the table of its parameters was made with other headers; rebuild it"},
      {[](Copy& x) { x.table.on_pre = nullptr, x.table.state_size = 8; },
       "x.so: without on_pre the state is the weight, one float"},
      {[](Copy& x) { x.table.shared_size = 8; },
       "x.so: it has Shared data but no function that prepares them"},
      {[](Copy& x) { x.params[1].offset = 0; }, "x.so: parameter 'use' lies where 'tau' lies"},
      {[](Copy& x) { x.params[1].offset = spinet::no_place; },
       "x.so: parameter 'use' has no place in its struct; only variables may be computed"},
      {[](Copy& x) { x.variables[0].offset = spinet::no_place; },
       "x.so: variable 'weight' is flagged `initial` and has no place in the state for the value that a "
       "network gives"},
      {[](Copy& x) { x.table.state_size = 1u << 21; },
       "x.so: its State has 2097152 bytes where 1048576 are allowed"},
      {[](Copy& x) { x.table.model.params.count = 1u << 20; },
       "x.so: it has 1048576 parameters where 1024 are allowed"},
      {[](Copy& x) { x.table.read_count = 1; },
       "x.so: what it reads, number 0 has no name, or one that is more than letters, digits and underscores"},
      {[](Copy& x) { x.params[1].flags |= spinet::scheduled; },
       "x.so: parameter 'use' is flagged `scheduled`, and the model has no function `set`: a change would "
       "have no effect"},
      {[](Copy& x) { x.variables[0].flags = 0; },
       "x.so: no variable is flagged `initial`; the first such one is the weight that networks give"},
  };
  for (const auto& [damage, message] : cases) {
    Copy x;
    damage(x);
    CHECK(x.refusal() == message);
  }
}

TEST_CASE("a neuron model with a port that evaluates has an evaluate") {
  spinet::NeuronTable table = spinet::test::neuron("sigmoid");
  table.model.name = "copy";
  table.evaluate = nullptr;
  spinet::Catalogue c;
  CHECK_THROWS_WITH(c.add(&table.model, "x.so"),
                    "x.so: port 'in' has neurons evaluated, and the model has no 'evaluate'");
}

TEST_CASE("a neuron model with a scheduled parameter has a function that takes the change") {
  spinet::NeuronTable table = spinet::test::neuron("lif_exp");
  table.model.name = "copy";
  spinet::Catalogue c;
  CHECK_NOTHROW(c.add(&table.model, "x.so"));
  table.set = nullptr;
  table.model.name = "other";
  CHECK_THROWS_WITH(c.add(&table.model, "y.so"),
                    "y.so: parameter 'I_dc' is flagged `scheduled`, and the model has no function `set`: a "
                    "change would have no effect");
}

TEST_CASE("all built-in models are sound") {
  spinet::Catalogue c;
  CHECK_NOTHROW(spinet::add_builtin(c));
  CHECK(c.find(spinet::Kind::synapse, "static") != nullptr);
  CHECK(c.all().size() >= 2);
}
