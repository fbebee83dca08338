// Whom an entry of the schedule, or what an environment posts, concerns.
#pragma once
#include <algorithm>
#include <compare>
#include <cstdint>
#include <variant>
#include <vector>

#include "spinet/random.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// A run of consecutive gids.
struct GidRange {
  Gid first;
  std::uint32_t count;
  auto operator<=>(const GidRange&) const = default;
};

/// A synapse by its ends: indices along the concatenated sources and targets of its projection.
struct SynapseAddress {
  std::uint32_t source, target;
  auto operator<=>(const SynapseAddress&) const = default;
};

/// All synapses of a projection.
struct WholeProjection {
  std::uint32_t projection;
  auto operator<=>(const WholeProjection&) const = default;
};
/// Those of one source.
struct Row {
  std::uint32_t projection, source;
  auto operator<=>(const Row&) const = default;
};
/// Those of one target.
struct Column {
  std::uint32_t projection, target;
  auto operator<=>(const Column&) const = default;
};
/// Those named one by one.
struct Pairs {
  std::uint32_t projection;
  std::vector<SynapseAddress> synapses;
  auto operator<=>(const Pairs&) const = default;
};
/// How the lines of a crossbar are driven that a stimulus does not address.
enum class Scheme : std::uint8_t {
  none,   ///< as if each device had its own switch: those addressed feel V, no other feels anything
  half,   ///< V/2 on the rows, -V/2 on the columns, all others grounded
  third,  ///< V on the rows and 0 on the columns, V/3 and 2V/3 on the others
};
/// Those at the crossings of some rows and columns of a projection, and what the others feel by the way.
struct CrossPoints {
  std::uint32_t projection;
  std::vector<std::uint32_t> rows, columns;  ///< ascending; none: all
  Scheme scheme = Scheme::none;
  auto operator<=>(const CrossPoints&) const = default;
};
/// Which of its two lines a device shares with those addressed.
enum class Lines : std::uint8_t { both, one, neither };
/// What it feels of V.
inline double felt(Scheme scheme, Lines lines, double V) {
  if (lines == Lines::both) return V;
  if (scheme == Scheme::third) return (lines == Lines::one ? V : -V) / 3;
  return scheme == Scheme::half && lines == Lines::one ? V / 2 : 0;
}
/// Does it notice?
inline bool feels(Scheme scheme, Lines lines) {
  return lines == Lines::both || scheme == Scheme::third || (scheme == Scheme::half && lines == Lines::one);
}
/// A population or a part of it is a range of gids.
using Place = std::variant<GidRange, WholeProjection, Row, Column, Pairs, CrossPoints>;

/// The projection that a place lies in; none if it is one of neurons.
inline const std::uint32_t* projection_of(const Place& place) {
  return std::visit(
      []<class P>(const P& p) -> const std::uint32_t* {
        if constexpr (requires { p.projection; }) return &p.projection;
        else return nullptr;
      },
      place);
}

struct Address {
  static constexpr std::int32_t every_replica = -1;
  std::vector<Place> places{};           ///< in the order of the file; none: everyone
  std::int32_t replica = every_replica;  ///< if it concerns one of the replicas that run together

  bool everyone() const { return places.empty(); }
  auto operator<=>(const Address&) const = default;
  /// Does it reach any synapse of projection `p` by naming it?
  bool names(std::uint32_t p) const {
    return std::any_of(places.begin(), places.end(), [p](const Place& place) {
      const std::uint32_t* const named = projection_of(place);
      return named && *named == p;
    });
  }
  /// Does it name neurons?
  bool names_neurons() const {
    return std::any_of(places.begin(), places.end(),
                       [](const Place& p) { return std::holds_alternative<GidRange>(p); });
  }
};

}  // namespace spinet
