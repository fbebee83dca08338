#include "network/signs.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace spinet {
namespace {

/// What a population has been seen to transmit.
struct Seen {
  bool positive = false, negative = false, either = false;
  void add(double weight) { positive = positive || weight > 0, negative = negative || weight < 0; }
  int sign() const { return either || positive == negative ? 0 : positive ? 1 : -1; }
};

/// The smallest and the largest weight to expect.
std::pair<double, double> range(const Distribution& d) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto [least, most] = [&]() -> std::pair<double, double> {
    switch (d.kind) {
      case Distribution::Kind::constant:
        return {d.a, d.a};
      case Distribution::Kind::uniform:
        return {d.a, d.b};
      case Distribution::Kind::normal:
        return {d.a - 3 * d.b, d.a + 3 * d.b};
      case Distribution::Kind::exponential:
      case Distribution::Kind::lognormal:
        return {0, infinity};
      case Distribution::Kind::listed:
        break;
    }
    if (d.values.empty()) return {0, 0};
    const auto [a, b] = std::minmax_element(d.values.begin(), d.values.end());
    return {*a, *b};
  }();
  return {std::max(least, d.low), std::min(most, d.high)};
}

std::size_t population_at(const Network& n, Gid gid) {
  const auto after = std::upper_bound(n.populations.begin(), n.populations.end(), gid,
                                      [](Gid g, const Population& p) { return g < p.first; });
  return static_cast<std::size_t>(after - n.populations.begin()) - 1;
}

bool hears_only_as_environment(const Network& n, const Projection& p) {
  return std::all_of(p.targets.begin(), p.targets.end(), [&](const GidRange& r) {
    const auto* table = n.populations[population_at(n, r.first)].neuron();
    return table && table->environment;
  });
}

/// Adds what projection `p` transmits to `seen`, one per population.
void look(const Network& n, const Projection& p, std::vector<Seen>& seen) {
  const auto each = [&](auto&& add) {
    for (const auto& r : p.sources)
      for (auto k = population_at(n, r.first); r.count > 0 && k <= population_at(n, r.first + (r.count - 1));
           ++k)
        add(seen[k]);
  };
  const Sign s = sign_of(*p.synapse, p.params);
  if (s == Sign::either) return each([](Seen& of) { of.either = true; });
  if (s != Sign::given) return each([&](Seen& of) { of.add(p.sign * static_cast<double>(s)); });
  if (p.listed_weights || !p.weights_from.empty()) {
    for (const auto& e : p.edges) {
      std::uint64_t index = e.source;
      std::size_t r = 0;
      while (index >= p.sources[r].count) index -= p.sources[r++].count;
      seen[population_at(n, static_cast<Gid>(p.sources[r].first + index))].add(p.sign * e.weight);
    }
    return;
  }
  if (p.state.empty()) return each([](Seen& of) { of.either = true; });
  const auto bounds = range(p.state.front());
  each([&](Seen& of) { of.add(p.sign * bounds.first), of.add(p.sign * bounds.second); });
}

}  // namespace

std::vector<int> transmitted_signs(const Network& n) {
  std::vector<Seen> seen(n.populations.size());
  for (const auto& p : n.projections)
    if (!hears_only_as_environment(n, p)) look(n, p, seen);
  std::vector<int> signs;
  for (const auto& s : seen) signs.push_back(s.sign());
  return signs;
}

}  // namespace spinet
