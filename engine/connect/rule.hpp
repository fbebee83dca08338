// A connection rule: which pairs of neurons a projection connects.  One file a rule; README.md shows how to
// write one.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "connect/edges.hpp"
#include "connect/ends.hpp"

namespace spinet {

struct Node;
namespace reading {
class Reader;
class EdgeList;
struct Key;
struct Named;
}  // namespace reading

/// Why something cannot be, and what would help; without a reason it can.
struct Refusal {
  std::string reason, help;
  explicit operator bool() const { return !reason.empty(); }
};

/// A rule has no state: what a network gives it lies in the projection, in an order that is the rule's own.
class ConnectionRule {
 public:
  /// As `connect` has it: `{name: value}`, or the name alone.
  struct Format {
    std::string_view name;
    std::string_view schema;  ///< type of the value in the JSON schema; empty: there is none
    std::string_view doc;
    bool autapses = true, multapses = false;    ///< do these options mean anything?
    std::span<const reading::Key> beside = {};  ///< further keys, beside the name
    std::span<const reading::Named> types =
        {};                                   ///< choices of which the value is one, by name, for the schema
    std::span<const reading::Key> keys = {};  ///< of the value, where it is a map, for the schema
  };
  explicit ConnectionRule(const Format& f) : format(f) {}
  virtual ~ConnectionRule() = default;
  ConnectionRule(const ConnectionRule&) = delete;
  ConnectionRule& operator=(const ConnectionRule&) = delete;

  const Format format;

  // --- parse: the text
  // ---------------------------------------------------------------------------------------------

  /// Reads the value, or the map of a name alone, into `Projection::numbers`.  False after an error.
  virtual bool read(reading::Reader&, const Node&, Projection&) const { return true; }
  /// Does the network hold the edges themselves (`Projection::edges`)?  They are read after the synapse, by
  /// `read_edges`.
  virtual bool lists() const { return false; }
  virtual void read_edges(const Node& value, const Node& beside, reading::EdgeList&) const;
  /// "indegree 100", for drawings of the network.
  virtual std::string label(const Projection&) const = 0;

  // --- check and count: nothing is drawn
  // ---------------------------------------------------------------------------

  /// Why there are no such edges between these ends.
  virtual Refusal refusal(const Ends&) const { return {}; }
  /// Synapses expected; exact unless their number is drawn.
  virtual double count(const Ends&) const = 0;
  /// Weights that its synapses share, numbered where `DrawnEdge::weight_word` has a word otherwise; 0: none.
  virtual std::size_t weights(const Ends&) const { return 0; }
  /// Does training change these weights?
  virtual bool learns() const { return false; }
  /// Inputs of a target that see its weights, for what they are drawn from.
  virtual double fan_in(const Ends& e) const { return count(e) / std::max<std::uint32_t>(e.targets, 1); }
  /// What a synapse transmits is this times its weight: of an average over so many.
  virtual double share(const Projection&) const { return 1; }
  /// Are its targets to answer with the greatest of what arrives?
  virtual bool greatest(const Projection&) const { return false; }
  /// Does it ask for positions?
  virtual bool spatial() const { return false; }
  /// No synapse is longer [um].
  virtual double reach(const Projection&) const { return std::numeric_limits<double>::infinity(); }
  /// Bytes that its drawer takes.
  virtual double bytes(const Ends&) const { return 0; }
  /// Is source i connected with target i, and with no other?
  virtual bool pairs_in_order() const { return false; }
  /// Calls f(source, target) for all edges where they are known before anything is drawn.
  using Pair = std::function<void(std::uint32_t source, std::uint32_t target)>;
  virtual void known(const Ends&, const Pair&) const {}
  /// Why it makes no such synapse; empty if it does, or may.
  virtual std::string absent(const Ends&, SynapseAddress) const { return {}; }

  // --- draw
  // --------------------------------------------------------------------------------------------------------

  /// For ends that are not refused.
  virtual std::unique_ptr<EdgeDrawer> drawer(const Ends&, const EdgeKeys&) const = 0;
};

/// All rules, in the order in which messages name them: that of CMakeLists.txt.
std::span<const ConnectionRule* const> connection_rules();
/// The rule of a name; null: there is none.
const ConnectionRule* connection_rule(std::string_view name);

/// Synapses expected of a projection: what construction, partition and estimate go by.
inline double expected_synapses(const Network& n, const Projection& p) { return p.rule->count(Ends(n, p)); }

}  // namespace spinet
