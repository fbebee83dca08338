// What every model table starts with, and how a file hands its table to the engine.
#pragma once
#include <cstdint>

#include "spinet/field.hpp"

namespace spinet {

/// Raised whenever a struct that crosses the plugin boundary changes its meaning (engine/README.md, "ABI policy").
inline constexpr std::uint32_t abi_version = 4;

enum class Kind : std::uint32_t { neuron = 1, synapse = 2, source = 3 };

/// One control event as models see it: network-wide or addressed, known to all ranks before its window.
///   field    value[0] flux density [T], value[1] magnetic state: 1 parallel, -1 antiparallel, 0 not given
///   pulse    value[0] voltage [V], value[1] width [s]; addressed to synapses only
///   read     a scheduled reading of devices: the model makes it and keeps it in its variable `reading`
///   reward   value[0], and value[1] what a critic expected
struct Control {
  enum class Kind : std::uint32_t { set_parameter, field, reward, pulse, batch_end, custom, read, transmission };  // transmission: of the engine alone
  Kind kind = Kind::custom;
  std::uint32_t field = 0;  ///< set_parameter: index of the parameter in `Model::params`
  double value[4] = {0, 0, 0, 0};
};
/// The bit of `Model::controls`.
constexpr std::uint32_t answers(Control::Kind kind) { return 1u << static_cast<std::uint32_t>(kind); }

/// Head of every model table.  `abi_version` and `struct_size` are read before anything else is touched.
struct Model {
  std::uint32_t abi_version;
  std::uint32_t struct_size;
  Kind kind;
  std::uint32_t controls;  ///< kinds of control events that the model answers, `answers(kind) | ...`; 0: it does not say
  const char* name;  ///< the name networks use
  const char* doc;   ///< one or two lines: what it is, source
  Fields params;     ///< parameters of one neuron, or of one projection's synapses
  Fields variables;  ///< state that a network may initialise or record
};

/// Key of an entity's random numbers: the run's seed and what the numbers are for.  The entity and a counter
/// make the rest of the Philox counter, so no draw depends on ranks, blocks or order.
struct RandomKey {
  std::uint32_t seed = 0;
  std::uint32_t stream = 0;
};

}  // namespace spinet

// A model file ends with `SPINET_MODEL(spinet::neuron_table<LifDelta>())`.  The symbol is `spinet_model` in a
// shared library; the build gives each built-in file a name of its own.  (extern "C" needs a macro.)
#ifndef SPINET_ENTRY
#define SPINET_ENTRY spinet_model
#endif
#define SPINET_MODEL(table_expression)                                                             \
  extern "C" __attribute__((visibility("default"))) const ::spinet::Model* SPINET_ENTRY() noexcept { \
    return &(table_expression).model;                                                              \
  }
