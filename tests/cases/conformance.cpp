// `check-plugin` passes sound plugins and finds the flaw of each flawed one.
#include "conformance/conformance.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "conformance/elf.hpp"
#include "network/catalogue.hpp"

namespace {

template <class Table>
const Table* as(const spinet::Model* m, spinet::Kind kind) { return m->kind == kind ? reinterpret_cast<const Table*>(m) : nullptr; }

const std::filesystem::path folder = TEST_PLUGINS;

/// The checks that failed, and their number in all.
std::pair<std::vector<std::string>, int> failed_checks(const std::string& plugin) {
  std::vector<std::string> failed;
  int all = 0;
  spinet::check_plugin(folder / (plugin + ".so"), [&](const spinet::Finding& f) {
    ++all;
    if (!f.passed) failed.push_back(f.check + ": " + f.detail);
  });
  return {failed, all};
}

}  // namespace

TEST_CASE("sound plugins pass every check") {
  for (const auto& [plugin, at_least] : {std::pair{"synapse_sound", 15}, {"neuron_sound", 9}, {"source_sound", 7}}) {
    const auto [failed, all] = failed_checks(plugin);
    INFO(plugin);
    CHECK(failed == std::vector<std::string>{});
    CHECK(all >= at_least);
  }
}

TEST_CASE("every model that comes with spinet passes every check") {
  std::vector<std::string> failed;
  const auto found = [&](const std::string& model) {
    return [&, model](const spinet::Finding& f) {
      if (!f.passed) failed.push_back(model + ": " + f.check + ": " + f.detail);
    };
  };
  spinet::Catalogue c;
  spinet::add_builtin(c);
  for (const auto& [model, origin] : c.all()) {
    if (const auto* t = as<spinet::NeuronTable>(model, spinet::Kind::neuron)) check_neuron(*t, *t, found(model->name));
    if (const auto* t = as<spinet::SynapseTable>(model, spinet::Kind::synapse)) check_synapse(*t, *t, found(model->name));
    if (const auto* t = as<spinet::SourceTable>(model, spinet::Kind::source)) check_source(*t, *t, found(model->name));
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
           {"neuron_past", "asks only for what it may"},
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
        (folder / "other_version.so").string() + ": made for plugin interface version 47, this is version 6; rebuild it against the headers of this spinet");
  CHECK(refusal(folder / "no_plugin.so") ==
        (folder / "no_plugin.so").string() + ": not a spinet plugin: it has no symbol spinet_model (does the file end with SPINET_MODEL(...)?)");
  CHECK(refusal(folder / "nowhere.so") ==
        (folder / "nowhere.so").string() + ": cannot be loaded: cannot open shared object file: No such file or directory");
  const auto text = std::filesystem::temp_directory_path() / "spinet_text.so";
  std::ofstream(text) << "this is a text, not a library\n";
  CHECK(refusal(text) == text.string() + ": cannot be loaded: file too short");
  std::filesystem::remove(text);
}

TEST_CASE("a plugin built with -ffast-math is refused and leaves arithmetic as it was") {
  spinet::Catalogue c;
  CHECK_THROWS_WITH(c.load(folder / "synapse_fast_math.so"), Catch::Contains("-ffast-math"));
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
