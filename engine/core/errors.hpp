// Why a network cannot be built, a run cannot go on or a checkpoint cannot be used, beyond a model's own
// failure (core/failure.hpp): types that carry what a program may want to know, with a message for people.
#pragma once
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "network/checked.hpp"

namespace spinet {

/// A projection cannot be made as the network says.
struct ProjectionFailure : std::runtime_error {
  std::string projection, reason;
  ProjectionFailure(const Projection& p, std::string_view why);
};

/// There is more of something than can be counted in one place.
struct TooMany : std::runtime_error {
  std::string what, help;
  std::uint64_t most;
  TooMany(std::string_view what_of, std::uint64_t most_of, std::string_view what_helps);
};

/// A model, one of these, has changed the floating-point mode.
struct ModeChanged : std::runtime_error {
  std::set<std::string> models;
  std::string change;
  /// `where_one`: "population 'x', from 1 ms to 2 ms: one of its models", say; `when` may be empty.
  ModeChanged(std::string_view where_one, std::set<std::string> of, std::string_view when,
              std::string_view what_changed);
};

/// A checkpoint's part is damaged, or of another network.  Which file it is knows who has opened it.
struct UnfitCheckpoint : std::runtime_error {
  std::string part;  ///< empty: the whole
  std::string reason;
  UnfitCheckpoint(std::string_view part_of, std::string_view why);
};

}  // namespace spinet
