// The description: the tree of a YAML text, with the place each value came from.  Nothing is interpreted
// here.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/source.hpp"

namespace spinet {

/// A value of the text.  Aliases have been replaced by what they stand for.
struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  struct Key {
    std::string name;
    Mark mark;
    /// Set where the name is an error and has been reported: the key it was taken for.
    mutable std::string meant{};
    mutable bool taken = false;  ///< `meant` is but a misspelling: the value is read as that key's
  };
  Kind kind = Kind::null;
  Mark mark;
  std::string text;         ///< of a scalar, unescaped
  std::vector<Key> keys;    ///< of a map, unique, in file order
  std::vector<Node> items;  ///< of a list, or the values of `keys`
  bool incomplete = false;  ///< a key of the map was an error and has been dropped

  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  /// Value of a key, or of one taken for it; null if there is none.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
};

/// "a list", "a map", "nothing", "'text'" for messages.
std::string kind_name(const Node& n);

/// Reads text `i` of `texts`.  Errors go to `errors`; empty if the text is no YAML that a network may use.
/// Refused before they cost memory: more than 64 levels, more than 2,000,000 values, aliases that unfold to
/// more than 100,000; and `<<`, duplicate keys, keys that are no plain names, tags, several documents.
std::optional<Node> parse_yaml(const Texts& texts, std::uint32_t i, Diagnostics& errors);

/// Reads text[from..] of text `i` as one value, for options such as "parameters.g=4.5".
std::optional<Node> parse_value(const Texts& texts, std::uint32_t i, std::size_t from, Diagnostics& errors);

}  // namespace spinet
