#include "connect/positions.hpp"

#include <algorithm>
#include <cmath>

#include "connect/draws.hpp"
#include "network/lookup.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace {

/// Calls f(population) for each that a range lies in; a range may go on into the next.
template <class F>
void each_population(const Network& n, const std::vector<GidRange>& ranges, F&& f) {
  for (const auto& r : ranges)
    for (std::uint32_t p = population_of(n, r.first);
         p < n.populations.size() && n.populations[p].first < std::uint64_t{r.first} + r.count; ++p)
      f(p);
}

const Positions& positions_of_first(const Ends& e) {
  return e.network.populations[population_of(e.network, e.projection.sources[0].first)].positions;
}

}  // namespace

Point position_of(const Network& net, std::uint32_t p, std::uint32_t member) {
  const Positions& of = net.populations[p].positions;
  Point point{};
  switch (of.kind) {
    case Positions::Kind::none:
      break;
    case Positions::Kind::grid: {
      std::uint32_t rest = member;
      for (std::uint32_t k = 0; k < of.dimensions; ++k) {
        point[k] = of.origin[k] + of.extent[k] * ((rest % of.grid[k] + 0.5) / of.grid[k]);
        rest /= of.grid[k];
      }
      break;
    }
    case Positions::Kind::random: {
      const auto key = stream_key(net.population_identity(p), Purpose::position);
      const auto w = draw(key, member, 0), more = of.dimensions > 2 ? draw(key, member, 1) : w;
      const double u[] = {uniform01(w[0], w[1]), uniform01(w[2], w[3]), uniform01(more[0], more[1])};
      for (std::uint32_t k = 0; k < of.dimensions; ++k) point[k] = of.origin[k] + of.extent[k] * u[k];
      break;
    }
    case Positions::Kind::listed:
      for (std::uint32_t k = 0; k < of.dimensions; ++k)
        point[k] = of.listed[std::size_t{member} * of.dimensions + k];
      break;
  }
  return point;
}

Point position_of(const Network& net, Gid gid) {
  const std::uint32_t p = population_of(net, gid);
  return position_of(net, p, gid - net.populations[p].first);
}

std::vector<Point> positions_of(const Network& net, const std::vector<GidRange>& ranges) {
  std::vector<Point> all;
  for (const auto& r : ranges)
    for (std::uint32_t i = 0; i < r.count; ++i) all.push_back(position_of(net, r.first + i));
  return all;
}

Box box_of(const Network& net, std::uint32_t p) {
  const Positions& of = net.populations[p].positions;
  Box box{of.origin, of.origin};
  for (std::uint32_t k = 0; k < of.dimensions; ++k) box.high[k] += of.extent[k];
  return box;
}

std::string Space::fault(const Ends& e) {
  const Population* first = nullptr;
  std::string reason;
  const auto check = [&](std::uint32_t i) {
    const Population& p = e.network.populations[i];
    const Positions& a = p.positions;
    if (!reason.empty()) return;
    if (a.kind == Positions::Kind::none) {
      reason = in_quotes(p.name) + " has no positions";
      return;
    }
    if (!first) first = &p;
    const Positions& b = first->positions;
    const std::string both = in_quotes(first->name) + " and " + in_quotes(p.name);
    if (a.dimensions != b.dimensions)
      reason = "the positions of " + both + " have " + std::to_string(b.dimensions) + " and " +
               std::to_string(a.dimensions) + " dimensions";
    else if (a.periodic != b.periodic)
      reason = "the positions of " + in_quotes(a.periodic ? p.name : first->name) +
               " are periodic, those of " + in_quotes(a.periodic ? first->name : p.name) + " are not";
    else if (a.periodic && (a.origin != b.origin || a.extent != b.extent))
      reason = "the periodic boxes of " + both + " differ";
  };
  each_population(e.network, e.projection.sources, check);
  each_population(e.network, e.projection.targets, check);
  return reason;
}

Space::Space(const Ends& e) {
  const Positions& of = positions_of_first(e);
  dimensions_ = of.dimensions;
  periodic_ = of.periodic;
  origin_ = of.origin;
  period_ = of.extent;
  for (std::uint32_t k = 0; k < 3; ++k) half_[k] = 0.5 * period_[k];
}

double Space::distance(const Point& a, const Point& b) const { return std::sqrt(square(a, b)); }

double Space::longest(const Ends& e) const {
  double sum = 0;
  Box all{{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};
  const auto widen = [&](std::uint32_t p) {
    const Box box = box_of(e.network, p);
    for (std::uint32_t k = 0; k < 3; ++k) {
      all.low[k] = std::min(all.low[k], box.low[k]);
      all.high[k] = std::max(all.high[k], box.high[k]);
    }
  };
  each_population(e.network, e.projection.sources, widen);
  each_population(e.network, e.projection.targets, widen);
  for (std::uint32_t k = 0; k < dimensions_; ++k) {
    const double side = periodic_ ? half_[k] : all.high[k] - all.low[k];
    sum += side * side;
  }
  return std::sqrt(sum);
}

}  // namespace spinet
