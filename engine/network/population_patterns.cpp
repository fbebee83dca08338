// The patterns of an environment.
#include <fmt/format.h>

#include "network/parts.hpp"

namespace spinet::reading {
namespace {

constexpr Key pattern_entry_keys[] = {
    {"in", true, "bits", "0 or 1 for each input line"},
    {"out", true, "bits", "0 or 1 for each answer wanted"},
};

}  // namespace

std::span<const Key> pattern_keys() { return pattern_entry_keys; }

void read_patterns(Reader& r, Population& p, const Node& given) {
  const Node& n = r.resolved(given);
  if (!n.is_list() || n.items.empty()) {
    r.errors.error(n.mark, "'patterns' must be a list, not " + (n.is_list() ? "an empty one" : kind_name(n)),
                   "patterns: [{in: [0, 1], out: [1]}, ...]");
    return;
  }
  for (const auto& item : n.items) {
    const Node& row = r.resolved(item);
    r.map(row, pattern_entry_keys, "a pattern", row.mark);
    for (const auto* key : {"in", "out"}) {
      if (!row.find(key)) continue;
      const Node& bits = r.resolved(*row.find(key));
      auto& width = key[0] == 'i' ? p.pattern_inputs : p.pattern_targets;
      if (!bits.is_list() || bits.items.empty()) {
        r.errors.error(bits.mark, fmt::format("'{}' must be a list of 0 and 1", key), "for example [0, 1]");
        continue;
      }
      if (width == 0) width = static_cast<std::uint32_t>(bits.items.size());
      if (bits.items.size() != width) {
        r.errors.error(bits.mark, fmt::format("'{}' has {} entries here and {} in the first pattern", key,
                                              bits.items.size(), width));
        continue;
      }
      if (p.size > 0 && width > p.size) {
        r.errors.error(bits.mark,
                       fmt::format("'{}' has {} entries for a population of {}", key, width, p.size),
                       fmt::format("one line per entry: size: {} at least", width));
        return;
      }
      if (!r.take(width, bits.mark)) return;
      for (const auto& bit : bits.items) {
        const auto x = r.number(bit, {key, "1"});
        if (x && *x != 0 && *x != 1) r.errors.error(bit.mark, "patterns are made of 0 and 1");
        p.patterns.push_back(x.value_or(0));
      }
    }
  }
}

}  // namespace spinet::reading
