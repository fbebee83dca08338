// What `spinet check-plugin` asks of a plugin: that the engine may cut time, batches and blocks as it likes, move and
// save states as bytes, and read them, without changing a result; and that results do not depend on the machine.
#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "spinet/neuron.hpp"
#include "spinet/source.hpp"
#include "spinet/synapse.hpp"

namespace spinet {

struct Finding {
  std::string check;   ///< what was checked, as a sentence that holds if it passed
  bool passed;
  std::string detail;  ///< why not; or a figure worth knowing
};
using Findings = std::function<void(const Finding&)>;

/// Runs the whole battery on a plugin file and hands over each finding as it is made.  Throws PluginError if the file
/// cannot be loaded at all.  A second copy of the library is loaded to stand for another process.
void check_plugin(const std::filesystem::path& file, const Findings& found);

// The parts, on tables that have passed check_table.  `restarted` is the same model as another process sees it.
void check_synapse(const SynapseTable& table, const SynapseTable& restarted, const Findings& found);
void check_neuron(const NeuronTable& table, const NeuronTable& restarted, const Findings& found);
void check_source(const SourceTable& table, const SourceTable& restarted, const Findings& found);

}  // namespace spinet
