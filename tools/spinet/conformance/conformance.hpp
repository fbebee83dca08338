// What `spinet check-plugin` asks of a plugin: that the engine may cut time, batches and blocks as it likes,
// move and save states as bytes, and read them, without changing a result; that it bears every parameter and
// event that a network may hold; and that results do not depend on the machine.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/arithmetic.hpp"
#include "spinet/neuron.hpp"
#include "spinet/source.hpp"
#include "spinet/synapse.hpp"

namespace spinet {

struct Finding {
  std::string check;  ///< what was checked, as a sentence that holds if it passed
  bool passed;
  std::string detail;  ///< why not, and with which parameters
};
/// How a battery is run, and who hears of it.
struct Battery {
  std::function<void(const Finding&)> found;
  std::function<void(const std::string&)>
      begins;  ///< before each check, which a plugin may not survive; may be empty
  std::function<void(const std::string&)> tries;  ///< before each set of parameters of a check; may be empty
  std::uint32_t seed = 1;                         ///< of histories and of drawn parameters
  Tick short_run = 60'000'000;  ///< how long neurons run with parameters that are not the defaults

  /// Runs one check; `look()` returns "" or what is wrong.  Returns whether it passed.
  template <class Look>
  bool check(const std::string& holds, Look&& look) const {
    if (begins) begins(holds);
    const auto mode = FloatingPointMode::now();
    std::string trouble = look();
    if (const auto now = FloatingPointMode::now(); now != mode) {
      mode.restore();
      if (trouble.empty())
        trouble = "it has changed the processor's floating-point mode: " + now.changed_since(mode);
    }
    found({holds, trouble.empty(), trouble});
    return trouble.empty();
  }
  /// The same with each of `all`; `with(one)` is the set of parameters that it is made with, `look(one)` as
  /// above.
  template <class All, class With, class Look>
  bool check_each(const std::string& holds, All& all, With&& with, Look&& look) const {
    return check(holds, [&]() -> std::string {
      for (auto& one : all) {
        const std::string& parameters = with(one).name;
        if (tries) tries(parameters);
        if (const std::string trouble = look(one); !trouble.empty()) return trouble + "; with " + parameters;
      }
      return "";
    });
  }
};

/// Runs the whole battery on a plugin file and hands over each finding as it is made.  Throws PluginError if
/// the file cannot be loaded at all.  A second copy of the library is loaded to stand for another process.
void check_plugin(const std::filesystem::path& file, const Battery& battery);

// The parts, on tables that have passed check_table.  `restarted` is the same model as another process sees
// it.
void check_synapse(const SynapseTable& table, const SynapseTable& restarted, const Battery& battery);
void check_neuron(const NeuronTable& table, const NeuronTable& restarted, const Battery& battery);
void check_source(const SourceTable& table, const SourceTable& restarted, const Battery& battery);

}  // namespace spinet
