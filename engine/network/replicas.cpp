#include "network/replicas.hpp"

#include <cassert>

#include "network/layer_numbers.hpp"

namespace spinet {
namespace {

class Replicator {
 public:
  Replicator(const Network& network, std::span<const std::uint32_t> seeds)
      : net_(network), n_(static_cast<std::uint32_t>(seeds.size())) {
    assert(n_ > 0 && net_.replicas.empty());
  }
  Network operator()(std::span<const std::uint32_t> seeds) const {
    Network all = net_;
    all.replicas.assign(seeds.begin(), seeds.end());
    if (n_ == 1) {
      all.seed = seeds[0];
      all.replicas.clear();
      return all;
    }
    all.populations = each(net_.populations, [&](Population p, std::uint32_t r) {
      for (auto& q : p.drives) q = q * n_ + r;
      p.first = n_ * p.first + r * p.size;
      return p;
    });
    all.projections = each(net_.projections, [&](Projection p, std::uint32_t r) {
      p.sources = ranges(p.sources, r);
      p.targets = ranges(p.targets, r);
      return p;
    });
    all.schedule.clear();
    for (const ScheduledControl& c : net_.schedule) {
      for (std::uint32_t r = 0; r < (c.to.everyone() ? 1 : n_); ++r) {
        ScheduledControl& one = all.schedule.emplace_back(c);
        one.to.places = places(c.to.places, r);
      }
    }
    const auto of_population = [&](auto x, std::uint32_t r) {
      x.population = x.population * n_ + r;
      return x;
    };
    all.spikes = each(net_.spikes, of_population);
    all.reports = each(net_.reports, of_population);
    all.weights = each(net_.weights, [&](WeightRecording w, std::uint32_t r) {
      w.projection = w.projection * n_ + r;
      return w;
    });
    all.weight_events = each(net_.weight_events, [&](WeightEventRecording w, std::uint32_t r) {
      w.projection = w.projection * n_ + r;
      w.environment = w.environment * n_ + r;
      return w;
    });
    all.edge_recordings =
        each(net_.edge_recordings, [&](std::uint32_t p, std::uint32_t r) { return p * n_ + r; });
    if (all.until) all.until->population *= n_;  // of the first replica
    return all;
  }

 private:
  template <class T, class F>
  std::vector<T> each(const std::vector<T>& some, F&& f) const {
    std::vector<T> all;
    all.reserve(some.size() * n_);
    for (const T& x : some)
      for (std::uint32_t r = 0; r < n_; ++r) all.push_back(f(x, r));
    return all;
  }
  /// Where the neurons of these ranges are in replica `r`, in the same order.
  std::vector<GidRange> ranges(const std::vector<GidRange>& some, std::uint32_t r) const {
    std::vector<GidRange> all;
    for (GidRange left : some)
      for (const Population& p : net_.populations) {  // a range may go on into the next population
        if (left.count == 0) break;
        if (left.first - p.first >= p.size) continue;
        const std::uint32_t at = left.first - p.first, count = std::min(left.count, p.size - at);
        all.push_back({n_ * p.first + r * p.size + at, count});
        left = {left.first + count, left.count - count};
      }
    return all;
  }
  /// Where these places are in replica `r`.
  std::vector<Place> places(const std::vector<Place>& some, std::uint32_t r) const {
    std::vector<Place> all;
    for (Place place : some) {
      if (const auto* gids = std::get_if<GidRange>(&place)) {
        for (const GidRange& part : ranges({*gids}, r)) all.emplace_back(part);
        continue;
      }
      std::visit(
          [&]<class P>(P& p) {
            if constexpr (requires { p.projection; }) p.projection = p.projection * n_ + r;
          },
          place);
      all.push_back(std::move(place));
    }
    return all;
  }
  const Network& net_;
  std::uint32_t n_;
};

}  // namespace

Network replicate(const Network& network, std::span<const std::uint32_t> seeds) {
  Network all = Replicator(network, seeds)(seeds);
  if (as_drawn(network)) draw_layers(all);  // each with its own seed
  return all;
}

}  // namespace spinet
