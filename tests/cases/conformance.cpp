// `check-plugin` passes sound plugins and finds the flaw of each flawed one.
#include "conformance/conformance.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "conformance/elf.hpp"
#include "network/catalogue.hpp"

namespace {

template <class Table>
const Table* as(const spinet::Model* m, spinet::Kind kind) {
  return m->kind == kind ? reinterpret_cast<const Table*>(m) : nullptr;
}

const std::filesystem::path folder = TEST_PLUGINS;
constexpr spinet::Tick short_run = 5'000'000;  // a twelfth of what check-plugin takes: there are many models

/// The checks that failed, and their number in all.
std::pair<std::vector<std::string>, int> failed_checks(const std::string& plugin) {
  std::vector<std::string> failed;
  int all = 0;
  spinet::Battery battery;
  battery.short_run = short_run;
  battery.found = [&](const spinet::Finding& f) {
    ++all;
    if (!f.passed) failed.push_back(f.check + ": " + f.detail);
  };
  spinet::check_plugin(folder / (plugin + ".so"), battery);
  return {failed, all};
}

}  // namespace

TEST_CASE("sound plugins pass every check") {
  for (const auto& [plugin, at_least] : {std::pair{"synapse_sound", 12},
                                         {"neuron_sound", 14},
                                         {"slab_sound", 14},
                                         {"source_sound", 11},
                                         {"environment_sound", 12},
                                         {"plastic_sound", 14},
                                         {"source_regular", 11}}) {
    const auto [failed, all] = failed_checks(plugin);
    INFO(plugin);
    CHECK(failed == std::vector<std::string>{});
    CHECK(all >= at_least);
  }
}

TEST_CASE("every model that comes with spinet passes every check") {
  std::vector<std::string> failed;
  const auto found = [&](const std::string& model) {
    spinet::Battery battery;
    battery.short_run = short_run;
    battery.found = [&, model](const spinet::Finding& f) {
      if (!f.passed) failed.push_back(model + ": " + f.check + ": " + f.detail);
    };
    return battery;
  };
  spinet::Catalogue c;
  spinet::add_builtin(c);
  for (const auto& [model, origin] : c.all()) {
    if (std::filesystem::exists(std::filesystem::path(SHARED_MODELS) / (model->name + std::string(".so"))))
      continue;  // below
    if (const auto* t = as<spinet::NeuronTable>(model, spinet::Kind::neuron))
      check_neuron(*t, *t, found(model->name));
    if (const auto* t = as<spinet::SynapseTable>(model, spinet::Kind::synapse))
      check_synapse(*t, *t, found(model->name));
    if (const auto* t = as<spinet::SourceTable>(model, spinet::Kind::source))
      check_source(*t, *t, found(model->name));
  }
  for (const auto& file : std::filesystem::directory_iterator(SHARED_MODELS))
    if (file.path().extension() == ".so") spinet::check_plugin(file, found(file.path().string()));
  CHECK(failed == std::vector<std::string>{});
}

TEST_CASE("a flaw is found, by the check that is meant for it") {
  for (const auto& [plugin, check] : {
           std::pair{"synapse_libm", "imports no function of libm"},
           {"synapse_hidden_counter", "the same history gives the same weights"},
           {"synapse_hidden_history", "states saved and restored as bytes"},
           {"synapse_read_writes", "`read` changes nothing"},
           {"synapse_key_of_position", "one batch equals split batches"},
           {"synapse_overrun", "writes only its own memory"},
           {"synapse_chance", "imports nothing that a second run would not see again"},
           {"synapse_infinite", "weights are finite"},
           {"synapse_nan_at_end", "weights are finite"},
           {"synapse_undeclared_key", "random numbers follow the seed"},
           {"synapse_own_key", "random numbers follow the seed"},
           {"synapse_unread", "`read` changes nothing, and returns numbers"},
           {"synapse_reward_nan", "weights are finite"},
           {"synapse_batch_counts", "the same history gives the same weights"},
           {"synapse_read_position", "one batch equals split batches"},
           {"synapse_reward_overrun", "writes only its own memory"},
           {"synapse_rounding", "leaves the floating-point mode"},
           {"synapse_flushing", "leaves the floating-point mode"},
           {"neuron_rounding", "leaves the floating-point mode"},
           {"source_rounding", "leaves the floating-point mode"},
           {"synapse_negative", "what it transmits has the sign that it says"},
           {"synapse_reads_twice", "the weight that is read is the one that is transmitted"},
           {"synapse_payload_twice", "the payload of an event is counted once"},
           {"synapse_late_counter",
            "keeps nothing in variables of its own: it can write to (anonymous namespace)::kept()::all; "
            "constants"},
           {"plastic_whole_history", "of spikes that it has seen it needs each target's last alone"},
           {"plastic_set_nan_at_end", "weights are finite"},
           {"synapse_allocates", "imports nothing that allocates or throws"},
           {"synapse_throws", "imports nothing that allocates or throws"},
           {"synapse_prints", "imports nothing that prints"},
           {"neuron_own_key", "random numbers follow the seed"},
           {"neuron_twice", "asks only for what it may"},
           {"neuron_payload", "asks only for what it may"},
           {"neuron_posts", "asks only for what it may"},
           {"neuron_stranger", "asks only for what it may"},
           {"neuron_passed", "asks only for what it may"},
           {"neuron_reward_nan", "variables are numbers"},
           {"neuron_nan_at_end", "variables are numbers"},
           {"neuron_reward_counts", "the same history gives the same events"},
           {"neuron_batch_index", "one block equals two blocks"},
           {"neuron_set_index", "one block equals two blocks"},
           {"environment_postings", "asks only for what it may"},
           {"environment_kind", "asks only for what it may"},
           {"environment_nan_reward", "asks only for what it may"},
           {"environment_past", "asks only for what it may"},
           {"source_own_key", "random numbers follow the seed"},
           {"source_endless", "stays inside the sink"},
           {"source_rate_at_end", "rates are finite"},
           {"neuron_past", "asks only for what it may"},
           {"slab_crosses", "noise without order"},
           {"slab_forgets", "noise without order"},
           {"neuron_greedy", "asks only for what it may"},
           {"neuron_hidden_counter", "the same history gives the same events"},
           {"neuron_read_writes", "`read` changes nothing"},
           {"neuron_batch_size", "one batch equals split batches"},
           {"neuron_train_differs", "one batch equals split batches"},
           {"neuron_block_index", "one block equals two blocks"},
           {"neuron_one_key", "one block equals two blocks"},
           {"neuron_sleeps_wrongly", "three frames asleep at once"},
           {"source_hidden_state", "the same stretch of time gives the same events"},
           {"source_overfull", "the same stretch of time gives the same events"},
           {"source_too_many", "sends no more than the rate it states"},
           {"source_foreign_neuron", "events belong to neurons of the unit"},
       }) {
    const auto failed = failed_checks(plugin).first;
    INFO(plugin);
    CAPTURE(failed);
    CHECK(std::any_of(failed.begin(), failed.end(), [&](const auto& f) { return f.starts_with(check); }));
  }
}

TEST_CASE("what is no plugin is refused with the reason") {
  const auto refusal = [](const std::filesystem::path& file) -> std::string {
    spinet::Catalogue c;
    try {
      c.load(file);
    } catch (const spinet::PluginError& e) {
      return e.what();
    }
    return "";
  };
  CHECK(refusal(folder / "other_version.so") ==
        (folder / "other_version.so").string() + ": made for plugin interface version " +
            std::to_string(spinet::abi_version + 41) + ", this is version " +
            std::to_string(spinet::abi_version) + "; rebuild it against the headers of this spinet");
  const auto refused = [&](const char* plugin) {
    return refusal(folder / plugin).substr((folder / plugin).string().size());
  };
  CHECK(refused("synapse_computed_weight.so") ==
        ": variable 'weight' is flagged `initial` and has no place in the state for the value that a network "
        "gives");
  CHECK(refused("synapse_computed_first.so") == ": variable 'twice' lies where 'weight' lies");
  CHECK(refused("synapse_no_reading.so") ==
        ": it answers 'read' and has no variable 'reading', which is logged then");
  CHECK(refused("synapse_unit.so") ==
        ": parameter 'p': 'furlong' is no unit (as ms, mV, pA/ms, 1/s, or 1 for a plain number)");
  CHECK(refused("neuron_unit.so") ==
        ": port 'exc': 'mV/' is no unit (as ms, mV, pA/ms, 1/s, or 1 for a plain number)");
  CHECK(refused("environment_metrics.so") == ": it has 5 metrics where 4 are allowed");
  CHECK(refused("entry_null.so") == ": its spinet_model() returned no table");
  CHECK(
      refusal(folder / "no_plugin.so") ==
      (folder / "no_plugin.so").string() +
          ": not a spinet plugin: it has no symbol spinet_model (does the file end with SPINET_MODEL(...)?)");
  CHECK(refusal(folder / "nowhere.so") ==
        (folder / "nowhere.so").string() +
            ": cannot be loaded: cannot open shared object file: No such file or directory");
  const auto text = std::filesystem::temp_directory_path() / "spinet_text.so";
  std::ofstream(text) << "this is a text, not a library\n";
  CHECK(refusal(text) == text.string() + ": cannot be loaded: file too short");
  std::filesystem::remove(text);
}

TEST_CASE("a plugin built with -ffast-math is refused and leaves arithmetic as it was") {
  spinet::Catalogue c;
  CHECK_THROWS_WITH(c.load(folder / "fast_math.so"), Catch::Contains("-ffast-math"));
  volatile double smallest = 2.2250738585072014e-308;
  volatile double half = smallest / 2;
  CHECK(half > 0);
}

TEST_CASE("a folder is loaded by name, and loading it twice changes nothing") {
  spinet::Catalogue c;
  c.load_folder(SHARED_MODELS);
  const auto models = c.all();
  c.load_folder(SHARED_MODELS);
  CHECK(c.all().size() == models.size());
  CHECK(c.find(spinet::Kind::synapse, "static") != nullptr);
  CHECK_THROWS_AS(c.load_folder(folder / "nowhere"), spinet::PluginError);
}

TEST_CASE("imports are read from the file; a damaged file is an error") {
  const auto imports = spinet::imported_symbols(folder / "synapse_libm.so");
  CHECK(std::count(imports.begin(), imports.end(), "exp") == 1);
  std::ifstream in(folder / "synapse_sound.so", std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  const auto damaged = std::filesystem::temp_directory_path() / "spinet_damaged.so";
  const auto try_bytes = [&](const std::string& bytes) {
    std::ofstream(damaged, std::ios::binary) << bytes;
    try {
      spinet::imported_symbols(damaged);
      spinet::writable_variables(damaged);
    } catch (const spinet::NotElf&) {
      return;
    }
  };
  for (std::size_t size = 0; size < whole.size(); size += whole.size() / 97) try_bytes(whole.substr(0, size));
  for (std::size_t at = 0; at < 64; ++at) {  // every byte of the head
    auto bytes = whole;
    bytes[at] = static_cast<char>(~bytes[at]);
    try_bytes(bytes);
  }
  std::filesystem::remove(damaged);
}
