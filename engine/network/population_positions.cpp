// `positions` of a population.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr double farthest = 1e15;  // um

constexpr Key positions_entry_keys[] = {
    {"grid", false, "integers",
     "points along x, y (and z), at the centres of equal cells of the box; x changes first"},
    {"random", false, "quantities", "sides of the box in which they are drawn evenly"},
    {"list", false, "points", "a CSV file with columns x, y (and z) in um, or a list of points"},
    {"extent", false, "quantities", "sides of the box of a grid, or of a list that is periodic"},
    {"origin", false, "quantities", "its corner (0)"},
    {"periodic", false, "boolean", "whether the box is repeated in all directions (false)"},
};
constexpr std::string_view form_of_positions = "for example {grid: [100, 100], extent: [1 mm, 1 mm]}";

class PositionsReader {
 public:
  PositionsReader(Reader& r, Population& p) : r_(r), p_(p), to_(p.positions) {}

  bool read(const Node& given) {
    const Node& n = r_.resolved(given);
    const std::size_t before = r_.errors.count();
    if (!r_.map(n, positions_entry_keys, "'positions'", n.mark)) return false;
    const Node* how = choose(n);
    if (!how) return false;
    const Node* extent = n.find("extent");
    if (const Node* p = n.find("periodic")) to_.periodic = r_.boolean(*p, "periodic").value_or(false);
    const Node* box = n.find("random");
    if (box && extent) r_.errors.error(extent->mark, "'random' gives the box already", "leave 'extent' out");
    if (how == n.find("grid")) grid(*how);
    else if (!box) list(*how);
    if (box) extent = box, to_.kind = Positions::Kind::random;
    if (extent) sides(*extent, box ? "random" : "extent");
    else if (to_.kind == Positions::Kind::grid || to_.periodic)
      r_.errors.error(
          how->mark,
          fmt::format("{} needs the sides of its box", to_.periodic ? "a periodic space" : "a grid"),
          "extent: [1 mm, 1 mm]");
    if (const Node* o = n.find("origin")) lengths(*o, "origin", -farthest, to_.origin);
    if (r_.errors.count() != before) return false;
    if (to_.kind == Positions::Kind::listed && to_.dimensions == 0)
      r_.errors.error(how->mark, "a list of no positions", "one for each neuron; or no 'positions' at all");
    else if (to_.kind == Positions::Kind::listed) enclose(how->mark);
    return r_.errors.count() == before;
  }

 private:
  /// What says where they are; null after an error.
  const Node* choose(const Node& n) {
    const Node* chosen = nullptr;
    for (const auto* name : {"grid", "random", "list"}) {
      const Node* one = n.find(name);
      if (!one) continue;
      if (chosen) {
        r_.errors.error(one->mark, "'positions' are a grid, random or a list, and two of these are given",
                        std::string(form_of_positions));
        return nullptr;
      }
      chosen = one;
    }
    if (!chosen && !misspelt(n, "grid") && !misspelt(n, "random") && !misspelt(n, "list"))
      r_.errors.error(n.mark, "'positions' must be a grid, random or a list", std::string(form_of_positions));
    return chosen;
  }

  /// Each section says how many dimensions it has; all must agree.
  bool dimensions(std::size_t n, const Node& at, std::string_view what) {
    if (n != 2 && n != 3) {
      r_.errors.error(at.mark, fmt::format("'{}' has {} value{}; there are 2 or 3 dimensions", what, n,
                                           n == 1 ? "" : "s"));
      return false;
    }
    if (to_.dimensions == 0) to_.dimensions = static_cast<std::uint32_t>(n);
    if (to_.dimensions == n) return true;
    r_.errors.error(at.mark,
                    fmt::format("'{}' has {} dimensions here, and {} before", what, n, to_.dimensions));
    return false;
  }

  bool is_list(const Node& n, std::string_view what, std::string_view help) {
    if (n.is_list()) return true;
    r_.errors.error(n.mark, fmt::format("'{}' must be a list, not {}", what, kind_name(n)),
                    std::string(help));
    return false;
  }

  void grid(const Node& given) {
    const Node& n = r_.resolved(given);
    to_.kind = Positions::Kind::grid;
    if (!is_list(n, "grid", "points along x and y: [100, 100]") || !dimensions(n.items.size(), n, "grid"))
      return;
    double all = 1;
    bool good = true;
    for (std::size_t k = 0; k < n.items.size(); ++k) {
      const auto points = r_.integer(n.items[k], "grid", 1, 0xFFFFFFFFu);
      good = good && points;
      to_.grid[k] = static_cast<std::uint32_t>(points.value_or(1));
      all *= to_.grid[k];
    }
    if (good && p_.size > 0 && all != p_.size)
      r_.errors.error(n.mark, fmt::format("a grid of {:.0f} points for a population of {}", all, p_.size),
                      "as many points as neurons");
  }

  void lengths(const Node& given, std::string_view what, double low, std::array<double, 3>& to) {
    const Node& n = r_.resolved(given);
    if (!is_list(n, what, "a length along each axis: [1 mm, 1 mm]") || !dimensions(n.items.size(), n, what))
      return;
    const bool positive = low == 0;
    for (std::size_t k = 0; k < n.items.size(); ++k)
      to[k] = r_.number(n.items[k],
                        {std::string(what), "um", low, farthest, positive ? std::uint32_t{low_open} : 0})
                  .value_or(1);
  }
  void sides(const Node& n, std::string_view what) { lengths(n, what, 0, to_.extent); }

  void list(const Node& given) {
    const Node& n = r_.resolved(given);
    to_.kind = Positions::Kind::listed;
    if (n.is_scalar()) return file(n);
    if (!is_list(n, "list", "a CSV file, or [[0 um, 0 um], [10 um, 0 um]]") ||
        !r_.take(n.items.size(), n.mark))
      return;
    for (const auto& item : n.items) {
      const Node& point = r_.resolved(item);
      if (!is_list(point, "list", "a point is [x, y] or [x, y, z]") ||
          !dimensions(point.items.size(), point, "list"))
        return;
      for (const auto& x : point.items)
        to_.listed.push_back(r_.number(x, {"list", "um", -farthest, farthest}).value_or(0));
    }
    sized(n.mark, n.items.size());
  }
  void file(const Node& name) {
    const auto path = r_.data_file(name);
    if (!path) return;
    const Column columns[] = {{"x", "um", true}, {"y", "um", true}, {"z", "um", false}};
    const std::size_t before = r_.errors.count();
    const auto begin = [&](const std::vector<bool>& there) {
      const std::uint32_t n = there[2] ? 3 : 2;
      if (to_.dimensions != 0 && to_.dimensions != n)
        return fmt::format("{} columns for {} dimensions", n, to_.dimensions);
      to_.dimensions = n;
      return std::string();
    };
    const auto row = [&](std::span<const double> v) -> RowFault {
      for (std::uint32_t k = 0; k < to_.dimensions; ++k) {
        if (!(std::fabs(v[k]) <= farthest))
          return {fmt::format("a position must be within {:g} um; it is {:g} um", farthest, v[k]), k};
        to_.listed.push_back(v[k]);
      }
      if (p_.size > 0 && to_.listed.size() / to_.dimensions == p_.size + 1)  // said once
        return {fmt::format("more than {} positions, one for each neuron", p_.size)};
      return {};
    };
    read_csv(r_, {*path, name.mark}, columns, begin, row);
    if (r_.errors.count() == before && to_.dimensions > 0)
      sized(name.mark, to_.listed.size() / to_.dimensions);
  }
  void sized(Mark where, std::size_t n) {
    if (p_.size > 0 && n != p_.size)
      r_.errors.error(where, fmt::format("{} positions for a population of {}", n, p_.size),
                      "one for each neuron");
  }

  /// The box of a list: that which is given must hold all, or the smallest that does.
  void enclose(Mark where) {
    std::array<double, 3> low{INFINITY, INFINITY, INFINITY}, high{-INFINITY, -INFINITY, -INFINITY};
    for (std::size_t i = 0; i < to_.listed.size(); ++i) {
      const std::size_t k = i % to_.dimensions;
      low[k] = std::min(low[k], to_.listed[i]);
      high[k] = std::max(high[k], to_.listed[i]);
    }
    for (std::uint32_t k = 0; k < to_.dimensions; ++k) {
      if (!to_.periodic) {
        to_.origin[k] = low[k];
        to_.extent[k] = high[k] - low[k];
      } else if (low[k] < to_.origin[k] || high[k] > to_.origin[k] + to_.extent[k]) {
        const double out = low[k] < to_.origin[k] ? low[k] : high[k];
        r_.errors.error(
            where, fmt::format("a position with {} {} lies outside the periodic box, from {} to {}", "xyz"[k],
                               with_unit(out, "um"), with_unit(to_.origin[k], "um"),
                               with_unit(to_.origin[k] + to_.extent[k], "um")));
      }
    }
  }

  Reader& r_;
  Population& p_;
  Positions& to_;
};

}  // namespace

std::span<const Key> positions_keys() { return positions_entry_keys; }

bool read_positions(Loading& l, Population& p, const Node& n) {
  if (PositionsReader(l.read, p).read(n)) return true;
  p.positions = {};
  return false;
}

}  // namespace spinet::reading
