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
  enum class Of : std::uint8_t { population_model, synapse_model, rule, variable, key };
  Of of;
  std::string_view given;  ///< case does not count
  /// The line to write, `key: value`; empty: there is no such thing here.  '@' stands for the value that was
  /// given, "..." for one that only the user knows: a line that is copied never holds a value that nobody
  /// meant.
  std::string_view right;
  std::string_view say;  ///< what there is not, or what else is to be known; may be empty, and hold '@'
  std::string_view beside = {};  ///< of a key that has several meanings: one that only the map meant has
  /// Is the value that was given right for the key that is right?
  bool keeps_value() const { return right.ends_with(": @"); }
};
std::span<const Spelling> spellings();

/// The first row that answers a name; null if it is no other simulator's.  A key is answered only where the
/// key that is right for it is `allowed`, a model or variable only where its name is.
const Spelling* spelling(Spelling::Of of, std::string_view given,
                         const std::vector<std::string>& allowed = {});

/// "here: model: lif_exp", or what there is not.  `value`: what was given, as one writes it; empty: not
/// known.
std::string answer(const Spelling& s, std::string_view value = {});

/// The key of the line that is right for another simulator's key; empty if there is none.
std::string right_key(std::string_view given, const std::vector<std::string>& allowed);

/// The model, rule or variable that is right for another simulator's; empty if there is none.
std::string right_name(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed = {});

/// The answer if there is one, else `suggest`.
std::string meant(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed,
                  std::string_view kind);

/// "ms" for "millisecond", "milliseconds", "msec"; empty if it is no unit that is written out.
std::string unit_symbol(std::string_view written_out);

}  // namespace spinet
