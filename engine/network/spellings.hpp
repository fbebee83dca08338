// What other simulators call things: names that a network may hold by habit, and the line that is right here.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spinet {

/// A name of NEST, PyNN, Brian2, Arbor or SONATA.
struct Spelling {
  enum class Of : std::uint8_t { population_model, synapse_model, rule, key, unit };
  Of of;
  std::string_view given;  ///< case does not count
  std::string_view right;  ///< the line to write, `key: value`; empty: there is no such thing here
  std::string_view say;    ///< what there is not, or what else is to be known; may be empty
  std::string_view beside = {};  ///< of a key that has several meanings: one that only the map meant has
};
std::span<const Spelling> spellings();

/// "here: model: lif_exp", or what there is not; empty if the name is no other simulator's.  A key is answered only where
/// the key that is right for it is `allowed`, a model only where its name is.
std::string foreign(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed = {});

/// The key of the line that is right for another simulator's key; empty if there is none.
std::string right_key(std::string_view given, const std::vector<std::string>& allowed);

/// `foreign` if it knows the name, else `suggest`.
std::string meant(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed, std::string_view kind);

}  // namespace spinet
