// A projection while it is read: what its parts know of each other.  Private to engine/network and
// engine/connect.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "network/lookup.hpp"
#include "network/parts.hpp"

namespace spinet::reading {

/// What is known of the weights while they are read.
struct Weights {
  const Node* node = nullptr;    ///< where the synapse gives them
  const Field* field = nullptr;  ///< null: the model has none
  std::string unit;
  int sign = 1;         ///< +1, -1, or 0: both
  bool failed = false;  ///< the sign is not known
};

struct Draft {
  Loading& l;
  Reader& r;
  Projection& p;
  bool sources_known = false, targets_known = false, onto_neurons = false;
  const Node* synapse = nullptr;    ///< the map, once it has been read as one
  bool port_named = true;           ///< its port, if it names one, is one
  std::optional<int> ports_sign{};  ///< of the port that is named; 0: its weights choose; none: it has none
  std::optional<double> most{};     ///< the largest weight of the synapses, if they have one
  std::shared_ptr<const Node> plain{};  ///< what `synapse` is where the weights go onto devices later
  bool rule_good = false;               ///< `connect` could be read
  bool port_known = false;              ///< the targets' port, or those that a sign would choose among
  bool sign_sure = false;               ///< all that the sign of the weights depends on could be read
  bool connected = false;               ///< rule and synapses could be read
  bool listed_ends = false;             ///< the connections are listed, and perhaps their weights

  const Population& population_of(const GidRange& range) const {
    return l.net.populations[spinet::population_of(l.net, range.first)];
  }
  std::vector<const NeuronTable*> target_models() const;
  /// Have all ends the positions that the network gives them?  False where these are errors of their own.
  bool placed() const;
  /// Place of a neuron along the concatenated ranges.
  std::optional<std::uint32_t> along(const std::vector<GidRange>& ranges, std::string_view population,
                                     std::uint64_t id) const;
};

/// The variables that networks may initialise, in the order of `Projection::state`.
std::vector<const Field*> initials(const SynapseTable& t);
/// Does `synapse` give the variable, whatever a file has of it?  Of drawn parameters it says only that they
/// are drawn.
bool gives(const Draft& d, const Field& f);
/// A field in the unit of the port; where that is not known, any unit and range will do.
Wanted wanted_here(const Field& f, const std::optional<std::string>& port);
/// A number of a file, in its unit if it says so, as the field's; an empty reason if it can be that.
struct FileValue {
  double x;
  std::string_view unit = {};
};
std::string take_value(const Reader& r, const FileValue& value, const Field& f, std::string_view port,
                       double& to);

// --- synapse.cpp ---
/// `synapse`; false after an error.  `rule`: what `connect` has been read as.
bool read_synapse(Draft& d, const Node& given, Mark where, const RuleRead& rule);
/// Why weights of up to `most` cannot be; a synapse holds 32 bits of them.
std::string excess(const Draft& d, double least, double most, const std::string& unit);

// --- mapped_synapse.cpp ---
/// Reads `program` of a synapse, and what is said of the devices, into the projection; what is left to read
/// are `Draft::plain`, static synapses.  False after an error.
bool read_mapped(Draft& d, const Node& synapse);

// --- synapse_delay.cpp ---
/// False after an error.
bool read_delay(Draft& d, const Node& given);
/// Why a fixed delay cannot be, and what could be meant.
std::pair<std::string, std::string> delay_fault(const Loading& l, double ms, double ticks);
/// The longest that is drawn, from a word of 32 bits.
double longest_drawn(const Distribution& d);

// --- synapse_port.cpp ---
/// Unit of the weights; the ports that a sign would choose among must share it.  Empty also where the targets
/// are not known.
std::optional<std::string> port_unit_of(Draft& d, const Node& synapse);
/// The sign of the port that is named, 0 if the weights' sign will choose one, nothing if the port has no
/// sign.
std::optional<int> sign_of_port(Draft& d, const Node& synapse);
void choose_port(Draft& d, const Node& synapse, const Weights& w);

// --- synapse_weights.cpp ---
/// The state that an earlier run's log has of the synapses, matched with the connections listed here, or left
/// to be matched with those drawn.
void read_weights(Draft& d, const Node& n, Weights& w);

}  // namespace spinet::reading
