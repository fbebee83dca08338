// distance: each pair with a probability that falls with the distance between the two.
//
// Sources are sorted into cells.  For a target, each cell within the cut-off has an upper bound of the
// probability, and its sources are candidates with that probability; a candidate is accepted with the ratio
// of its own probability and the bound.  Candidates are found without looking at those between them: with h =
// -log(1 - bound), the sum of h over the sources passed is exponentially distributed.  So the work follows
// the number of synapses, not that of pairs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "connect/positions.hpp"
#include "connect/rule.hpp"
#include "network/reading.hpp"
#include "network/suggest.hpp"
#include "spinet/math.hpp"

namespace spinet {
namespace {

using reading::Key;
using reading::Named;

constexpr double least_length = 1e-9;  // um: a femtometre; squares of lengths are numbers, too

constexpr Key gaussian_keys[] = {
    {"p", true, "number", "probability at distance 0"},
    {"sigma", true, "quantity", "p exp(-d^2 / (2 sigma^2)) at distance d"},
    {"cutoff", false, "quantity", "no synapses beyond it (5 sigma)"},
};
constexpr Key exponential_keys[] = {
    {"p", true, "number", "probability at distance 0"},
    {"length", true, "quantity", "p exp(-d / length) at distance d"},
    {"cutoff", false, "quantity", "no synapses beyond it (12 lengths)"},
};
constexpr Key box_keys[] = {
    {"p", true, "number", "probability"},
    {"radius", true, "quantity", "p up to this distance, 0 beyond"},
};
constexpr Named shapes[] = {
    {"gaussian", gaussian_keys}, {"exponential", exponential_keys}, {"box", box_keys}};

/// The probability as a function of distance, from Projection::numbers.
struct Kernel {
  enum Shape { gaussian, exponential, box } shape;
  double p, scale, cutoff;
  explicit Kernel(const Projection& of)
      : shape(static_cast<Shape>(of.numbers[0])),
        p(of.numbers[1]),
        scale(of.numbers[2]),
        cutoff(of.numbers[3]) {}
  double at(double square) const {
    if (square > cutoff * cutoff) return 0;
    switch (shape) {
      case gaussian:
        return p * math::exp(-0.5 * square / (scale * scale));
      case exponential:
        return p * math::exp(-std::sqrt(square) / scale);
      default:
        return p;
    }
  }
};

/// The sources of a projection in cells.
class Cells {
 public:
  Cells(const Ends& ends, const Space& space, double cutoff);

  /// What a target sees of the cells along one axis: those within the cut-off, and the square of how near
  /// they are.
  struct Near {
    std::vector<std::uint32_t> cell;
    std::vector<double> square;
  };
  void near(std::uint32_t axis, double x, Near& out) const;

  /// Calls f(first, last, square): the sources of each cell within the cut-off of `at`, as places in
  /// `sorted`, in an order that is always the same, and the least square of their distance.
  template <class F>
  void each(const Point& at, F&& f) {
    for (std::uint32_t k = 0; k < 3; ++k) near(k, at[k], near_[k]);
    for (std::size_t k = 0; k < near_[2].cell.size(); ++k)
      for (std::size_t j = 0; j < near_[1].cell.size(); ++j) {
        const std::uint32_t row = near_[2].cell[k] * count_[1] + near_[1].cell[j];
        const double of_row = near_[2].square[k] + near_[1].square[j];
        for (std::size_t i = 0; i < near_[0].cell.size(); ++i) {
          const double square = of_row + near_[0].square[i];
          const std::uint32_t cell = row * count_[0] + near_[0].cell[i];
          if (square <= reach_ * reach_ && begin_[cell] < begin_[cell + 1])
            f(begin_[cell], begin_[cell + 1], square);
        }
      }
  }
  const Point& position(std::uint32_t place) const { return sorted_[place].position; }
  std::uint32_t source(std::uint32_t place) const { return sorted_[place].source; }
  void prefetch(std::uint32_t place) const { __builtin_prefetch(&sorted_[place]); }

 private:
  std::uint32_t cell_of(const Point& p) const;
  const bool periodic_;
  const double reach_;  ///< a little more than the cut-off, for rounding
  Point slack_{};       ///< how far the border of a cell may lie off by rounding
  Point low_{}, period_{}, width_{};
  std::array<std::uint32_t, 3> count_{1, 1, 1};  ///< cells along each axis
  std::vector<std::uint32_t> begin_;             ///< of each cell
  struct alignas(32) Source {                    // one in a line of the cache
    Point position;
    std::uint32_t source;
  };
  std::vector<Source> sorted_;  ///< cell by cell
  Near near_[3];                ///< of the target asked for last
};

Cells::Cells(const Ends& ends, const Space& space, double cutoff)
    : periodic_(space.periodic()), reach_(cutoff * (1 + 1e-9)), period_(space.period()) {
  const auto at = positions_of(ends.network, ends.projection.sources);
  Point high{};
  low_ = space.origin();
  for (std::uint32_t k = 0; k < space.dimensions(); ++k) {
    high[k] = low_[k] + period_[k];
    if (periodic_) continue;
    const auto [least, most] = std::minmax_element(
        at.begin(), at.end(), [k](const Point& a, const Point& b) { return a[k] < b[k]; });
    low_[k] = (*least)[k];
    high[k] = (*most)[k];
  }
  for (std::uint32_t k = 0; k < space.dimensions(); ++k)
    slack_[k] = 4 * std::numeric_limits<double>::epsilon() * std::max(std::fabs(low_[k]), std::fabs(high[k]));
  // Some cells to the cut-off, so that bounds are close; but not more than one for four sources.
  constexpr double most_cells = 1 << 24;
  const double most = std::clamp(static_cast<double>(at.size()) / 4, 1.0, most_cells);
  for (double width = cutoff / (space.dimensions() > 2 ? 4 : 6);; width *= 1.25) {
    double all = 1;
    for (std::uint32_t k = 0; k < 3; ++k) all *= std::max(1.0, std::floor((high[k] - low_[k]) / width));
    if (all > most) continue;
    for (std::uint32_t k = 0; k < 3; ++k) {
      count_[k] = static_cast<std::uint32_t>(std::max(1.0, std::floor((high[k] - low_[k]) / width)));
      width_[k] = (high[k] - low_[k]) / count_[k];
    }
    break;
  }
  begin_.assign(std::size_t{count_[0]} * count_[1] * count_[2] + 1, 0);
  for (const auto& p : at) ++begin_[cell_of(p) + 1];
  for (std::size_t c = 1; c < begin_.size(); ++c) begin_[c] += begin_[c - 1];
  auto next = begin_;
  sorted_.resize(at.size());
  for (std::uint32_t s = 0; s < at.size(); ++s) {
    const std::uint32_t place = next[cell_of(at[s])]++;
    sorted_[place] = {at[s], s};
  }
}

std::uint32_t Cells::cell_of(const Point& p) const {
  std::uint32_t cell = 0;
  for (std::uint32_t k = 3; k-- > 0;) {
    const double place = width_[k] > 0 ? (p[k] - low_[k]) / width_[k] : 0;
    cell = cell * count_[k] + std::min(count_[k] - 1, static_cast<std::uint32_t>(std::max(0.0, place)));
  }
  return cell;
}

void Cells::near(std::uint32_t axis, double x, Near& out) const {
  out.cell.clear();
  out.square.clear();
  const double width = width_[axis], period = periodic_ ? period_[axis] : 0;
  const std::int64_t n = count_[axis];
  std::int64_t first = 0, last = n - 1;
  if (width > 0) {
    const double low = std::floor((x - reach_ - low_[axis]) / width),
                 high = std::floor((x + reach_ - low_[axis]) / width);
    const bool wraps = period > 0;
    if (!wraps || high - low < static_cast<double>(n)) {  // else all cells, each once
      first = static_cast<std::int64_t>(
          std::clamp(low, wraps ? -1e9 : 0.0, wraps ? 1e9 : static_cast<double>(n)));
      last = static_cast<std::int64_t>(
          std::clamp(high, wraps ? -1e9 : -1.0, wraps ? 1e9 : static_cast<double>(n - 1)));
    }
  }
  for (std::int64_t c = first; c <= last; ++c) {
    const std::int64_t cell = ((c % n) + n) % n;
    const double from = low_[axis] + static_cast<double>(cell) * width, to = from + width;
    double gap = std::max({from - x, x - to, 0.0});
    if (period > 0)
      gap = std::min({gap, std::max({from - period - x, x - to + period, 0.0}),
                      std::max({from + period - x, x - to - period, 0.0})});
    out.cell.push_back(static_cast<std::uint32_t>(cell));
    gap = std::max(gap - slack_[axis], 0.0);
    out.square.push_back(gap * gap);
  }
}

/// Upper bounds of a kernel that falls, by square of the distance.
class Bounds {
 public:
  explicit Bounds(const Kernel& kernel) : per_square_(rings / (kernel.cutoff * kernel.cutoff)) {
    for (std::uint32_t r = 0; r <= rings; ++r) {
      const double p = kernel.at(std::min(1.0, (r / static_cast<double>(rings)) * (1 - 1e-9)) *
                                 kernel.cutoff * kernel.cutoff);
      bound_[r] = p;
      hazard_[r] = p < 1 ? -math::log1p(-p) : 0;
    }
  }
  std::uint32_t ring(double square) const {
    return static_cast<std::uint32_t>(
        std::min(static_cast<double>(rings), square * per_square_ * (1 - 1e-9)));
  }
  double bound(std::uint32_t ring) const { return bound_[ring]; }
  /// -log(1 - bound); not of a bound of 1.
  double hazard(std::uint32_t ring) const { return hazard_[ring]; }

 private:
  static constexpr std::uint32_t rings = 256;
  double per_square_;
  double bound_[rings + 1], hazard_[rings + 1];
};

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys)
      : ends_(ends),
        keys_(keys),
        space_(ends),
        kernel_(ends.projection),
        bounds_(kernel_),
        cells_(ends, space_, kernel_.cutoff) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    for (std::uint32_t t = 0; t < stretch.count; ++t)
      if (stretch.wanted[t]) of_target(stretch.first + t, t, to);
  }

 private:
  void of_target(std::uint32_t target, std::uint32_t t, EdgeBatch& to) {
    const Gid gid = ends_.target_gid(target);
    const Point at = position_of(ends_.network, gid);
    find(at, target);
    for (const Candidate& c : candidates_) {
      const std::uint32_t source = cells_.source(c.place);
      const double p = kernel_.at(space_.square(at, cells_.position(c.place)));
      if (uniform01(c.words[1]) * c.bound >= p) continue;
      if (!ends_.projection.autapses && ends_.source_gid(source) == gid) continue;
      to.add({source, t, c.words[2], c.words[3], 0});
    }
  }

  /// The candidates of a target.  They are looked at once all are known: by then they have come from memory.
  void find(const Point& at, std::uint32_t target) {
    candidates_.clear();
    const auto add = [&](std::uint32_t place, double bound, const Words& words) {
      cells_.prefetch(place);
      candidates_.push_back({bound, place, words});
    };
    WordStream words(keys_.first, target);
    auto w = words.next();
    double gap = -math::log(uniform01(w[0]));  // of hazard, to the next candidate
    cells_.each(at, [&](std::uint32_t place, std::uint32_t last, double square) {
      const std::uint32_t ring = bounds_.ring(square);
      const double bound = bounds_.bound(ring), hazard = bounds_.hazard(ring);
      if (bound >= 1) {  // all are
        for (; place < last; ++place) add(place, bound, words.next());
        return;
      }
      if (!(hazard > 0)) return;
      while (gap < hazard * (last - place)) {
        place = std::min(last - 1, place + static_cast<std::uint32_t>(gap / hazard));
        add(place++, bound, w);
        w = words.next();
        gap = -math::log(uniform01(w[0]));
      }
      gap -= hazard * (last - place);
    });
  }

  struct Candidate {
    double bound;
    std::uint32_t place;
    Words words;
  };
  std::vector<Candidate> candidates_;
  const Ends ends_;
  const EdgeKeys keys_;
  const Space space_;
  const Kernel kernel_;
  const Bounds bounds_;
  Cells cells_;
};

std::string length_text(double um) { return reading::with_unit(um, "um"); }

class Distance final : public ConnectionRule {
 public:
  Distance()
      : ConnectionRule(
            {"distance", "distance", "probability of each pair by distance", true, false, {}, shapes}) {}

  bool read(reading::Reader& r, const Node& value, Projection& p) const override;
  std::string label(const Projection& p) const override {
    const Kernel k(p);
    return fmt::format("{}, p = {}, {}", shapes[k.shape].name, k.p, length_text(k.scale));
  }
  bool spatial() const override { return true; }
  double reach(const Projection& p) const override { return Kernel(p).cutoff; }

  Refusal refusal(const Ends& e) const override {
    if (const auto fault = Space::fault(e); !fault.empty())
      return {
          "distance: " + fault,
          "positions: {grid: [100, 100], extent: [1 mm, 1 mm]}, {random: [1 mm, 1 mm]} or {list: cells.csv}"};
    const Space space(e);
    const Kernel kernel(e.projection);
    const double cutoff = kernel.cutoff;
    for (std::uint32_t k = 0; space.periodic() && k < space.dimensions(); ++k)
      if (cutoff > 0.5 * space.period()[k] * (1 + 1e-12))
        return {fmt::format("distance: up to {}, more than half of the periodic box, which has {} along {}",
                            length_text(cutoff), length_text(space.period()[k]), "xyz"[k]),
                fmt::format("give a smaller '{}', or positions that are not periodic",
                            kernel.shape == Kernel::box ? "radius" : "cutoff")};
    return {};
  }

  /// Summed over the pairs of some targets, evenly among all; exact where these are all.
  double count(const Ends& e) const override {
    const Space space(e);
    const Kernel kernel(e.projection);
    Cells cells(e, space, kernel.cutoff);
    constexpr std::uint64_t most_pairs = 1 << 23, most_targets = 2048;
    std::uint64_t pairs = 0;
    double sum = 0;
    std::uint32_t asked = 0;
    const bool all = e.targets <= most_targets;
    for (std::uint32_t i = 0; i < (all ? e.targets : most_targets) && (all || pairs < most_pairs);
         ++i, ++asked) {
      // Multiples of the golden ratio: even, and in step with no grid.
      const std::uint32_t spread = i * 2654435769u;
      const std::uint32_t t = all ? i : static_cast<std::uint32_t>((std::uint64_t{spread} * e.targets) >> 32);
      const Gid gid = e.target_gid(t);
      const Point at = position_of(e.network, gid);
      cells.each(at, [&](std::uint32_t place, std::uint32_t last, double) {
        pairs += last - place;
        for (; place < last; ++place)
          if (e.projection.autapses || e.source_gid(cells.source(place)) != gid)
            sum += kernel.at(space.square(at, cells.position(place)));
      });
    }
    return asked ? sum / asked * e.targets : 0;
  }
  /// Positions and numbers of the sources, and their cells.
  double bytes(const Ends& e) const override { return e.sources * (2.0 * sizeof(Point) + 1); }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

bool Distance::read(reading::Reader& r, const Node& given, Projection& p) const {
  p.numbers.assign(4, 0);
  const Node& value = r.resolved(given);
  std::vector<std::string> known;
  for (const auto& s : shapes) known.emplace_back(s.name);
  const std::string example = "distance: {gaussian: {p: 0.1, sigma: 100 um}}";
  if (!value.is_map() || value.keys.size() != 1) {
    r.errors.error(value.mark,
                   "'distance' must be a map of one shape, not " +
                       (value.is_map() ? fmt::format("of {}", value.keys.size()) : kind_name(value)),
                   example);
    return false;
  }
  const auto& name = value.keys[0];
  const auto at = std::find(known.begin(), known.end(), name.name);
  if (at == known.end()) {
    r.errors.error(name.mark, fmt::format("unknown shape {}", in_quotes(name.name)),
                   suggest(name.name, known, "shapes"));
    return false;
  }
  const auto& shape = shapes[at - known.begin()];
  const Node& n = r.resolved(value.items[0]);
  if (!r.map(n, shape.keys, *at, name.mark)) return false;
  const auto length = [&](std::string_view key) {
    return r.number(*n.find(key), {std::string(key), "um", least_length, 1e15});
  };
  const auto probability = r.number(*n.find("p"), {"p", "1", 0, 1});
  const auto scale = length(shape.keys[1].name);
  std::optional<double> cutoff = scale;  // of a box
  if (shape.keys.size() > 2 && scale) cutoff = *scale * (*at == "gaussian" ? 5 : 12);
  if (n.find("cutoff") && shape.keys.size() > 2) cutoff = length("cutoff");
  if (!probability || !scale || !cutoff) return false;
  p.numbers = {static_cast<double>(at - known.begin()), *probability, *scale, *cutoff};
  return true;
}

}  // namespace

const ConnectionRule& distance_rule() {
  static const Distance rule;
  return rule;
}

}  // namespace spinet
