// What the parts of a pass share.
#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "layers/pass.hpp"
#include "layers/places.hpp"

namespace spinet::layers {

/// A pack: where its numbers begin, and the images of its halves.
template <class T>
struct Pack {
  T* begin;
  const Group* half[most_halves];  ///< null: none
  const T* present;                ///< a vector: 1 where there is an image
};

template <class T>
struct PassState {
  const Plan& plan;
  const Kernels<T>& k;
  const Shares shares;
  const Places places;
  TreeSum<double> small;
  TreeSum<T> large, pairs;
  Room<T> packs, shared, padded, widest, turned, gradients, present;
  std::vector<double> sums;  ///< of each shard here, and one that stands for none
  std::vector<double> statistics, counted;
  // of the present batch
  Mode mode = Mode::apply;
  const T *parameters = nullptr, *running = nullptr;
  std::span<const float> pixels{};
  std::size_t pitch = 0;  ///< numbers from an image to the next
  std::span<const std::uint32_t> labels{};
  std::pair<std::uint32_t, std::uint64_t> draw{};
  std::size_t images = 0;
  std::vector<Group> groups{};
  bool alike = false;       ///< the channels of each image
  std::vector<bool> bad{};  ///< layers with a number that is none, here
  bool watches = false;
  std::vector<double> greatest;  ///< of each layer, the size of a sum since `watches`

  PassState(const Plan& p, const Kernels<T>& kernels, Transport& transport, std::uint32_t shards)
      : plan(p),
        k(kernels),
        shares{shards, transport.size(), transport.rank()},
        places(places_of(p, kernels.packed_size)),
        small(transport, shards,
              [](const double* from, double* to, std::size_t n) {
                for (std::size_t i = 0; i < n; ++i) to[i] += from[i];
              }),
        large(transport, shards, kernels.accumulate),
        pairs(transport, shards > 1 ? shards / 2 : 1, kernels.accumulate),
        statistics(p.statistics),
        counted(p.statistics),
        greatest(p.layers.size()) {
    shared.need(places.shared);
    padded.need(places.padded * k.lanes);
    widest.need(places.widest * k.lanes);
    turned.need(places.widest * k.lanes);
  }

  std::uint32_t halves() const { return k.lanes / half_lanes; }
  std::size_t pack_count() const { return (groups.size() + halves() - 1) / halves(); }
  Pack<T> pack(std::size_t i) const {
    Pack<T> p{packs.data() + i * places.pack * k.lanes, {}, present.data() + i * k.lanes};
    for (std::uint32_t h = 0; h < halves(); ++h)
      p.half[h] = i * halves() + h < groups.size() ? &groups[i * halves() + h] : nullptr;
    return p;
  }
  bool folded(std::size_t connection) const { return alike && places.connections[connection].folds; }
  T* at(const Pack<T>& p, std::size_t vectors) const { return p.begin + vectors * k.lanes; }
  T* norms(const ConnectionPlace& c, Norms which) const { return shared.data() + c.norms + which * c.units; }
  const T* part(const Part& p) const { return parameters + p.first; }

  /// Place of a half's shard among those of this rank; that behind the last one stands for none.
  std::size_t shard_place(const Pack<T>& p, std::uint32_t h) const {
    return p.half[h] ? p.half[h]->shard - shares.begin() : shares.count();
  }
  /// Gradients of two shards that are neighbours in the tree may be added up at once, if no two ranks share
  /// any and each shard adds once to a number: it has one group at most, and layers have one time step.
  std::uint32_t shards_of_copy() const {
    bool pairs =
        (shares.shards & (shares.shards - 1)) == 0 && images <= std::size_t{shares.shards} * half_lanes;
    for (const LayerPlace& l : places.layers) pairs &= l.steps <= 1 && l.x_steps <= 1;
    for (int r = 0; r <= shares.ranks; ++r) pairs &= shares.first(r) % 2 == 0;
    return pairs ? 2 : 1;
  }
  std::size_t gradient_copies() const { return shares.count() / shards_of_copy(); }
  std::size_t gradient_copy(const Group* g) const {
    return g ? (g->shard - shares.begin()) / shards_of_copy() : gradient_copies();
  }
  /// Is a half's group the first one that adds to its gradients?
  bool begins_copy(const Pack<T>& p, std::uint32_t h) const {
    const Group* const g = p.half[h];
    return !g || g == groups.data() || gradient_copy(g - 1) != gradient_copy(g);
  }
  struct Targets {
    T* to[most_halves];
  };
  Targets gradient_of(const Pack<T>& p, std::size_t first) const {
    Targets t{};
    for (std::uint32_t h = 0; h < halves(); ++h)
      t.to[h] = gradients.data() + gradient_copy(p.half[h]) * plan.parameters + first;
    return t;
  }
  struct Doubles {
    double* to[most_halves];
  };
  Doubles sums_of(const Pack<T>& p, std::size_t numbers) {
    Doubles d{};
    for (std::uint32_t h = 0; h < halves(); ++h) d.to[h] = sums.data() + shard_place(p, h) * numbers;
    return d;
  }
  void clear_sums(std::size_t numbers) { sums.assign((shares.count() + 1) * numbers, 0); }
  /// Over all shards of all ranks.  Collective.
  std::span<const double> total(std::size_t numbers) {
    return small.sum(std::span(sums).first(shares.count() * numbers), numbers);
  }
};

/// An em layer's numbers as its kernels want them.
template <class T>
struct EmArguments {
  T amplitudes[most_terms], powers[most_terms], slopes[most_terms];
  Em<T> of;
  EmArguments(const Layer& l, const T* read_out, const T* x, std::size_t count) {
    constexpr double log2_e = 1.44269504088896340736;
    const EmNumbers e = em_numbers(l.curves, read_out);
    for (std::size_t t = 0; t < e.amplitudes.size(); ++t) {
      amplitudes[t] = static_cast<T>(e.amplitudes[t]);
      powers[t] = static_cast<T>(-log2_e / l.curves.taus[t]);
      slopes[t] = static_cast<T>(-e.amplitudes[t] / l.curves.taus[t] * l.curves.gain);
    }
    of = {x,
          count,
          static_cast<std::uint32_t>(e.amplitudes.size()),
          amplitudes,
          powers,
          slopes,
          static_cast<T>(e.constant),
          static_cast<T>(l.curves.gain),
          static_cast<T>(l.curves.n_min),
          static_cast<T>(l.curves.n_max),
          l.curves.n_max > l.curves.n_min};
  }
  EmArguments(const EmArguments&) = delete;
  EmArguments& operator=(const EmArguments&) = delete;
};

template <class T>
Spikes<T> spikes_of(const PassState<T>& s, const Pack<T>& p, std::size_t layer) {
  const Spiking& n = s.plan.layers[layer].spiking;
  const LayerPlace& place = s.places.layers[layer];
  const std::size_t size = s.plan.layers[layer].shape.size();
  return {s.at(p, place.x),
          size,
          place.x_steps > 1 ? size * s.k.lanes : 0,
          place.steps,
          s.at(p, place.potential),
          s.at(p, place.answer),
          static_cast<T>(n.membrane_decay),
          static_cast<T>(n.synaptic_decay),
          static_cast<T>(n.threshold),
          static_cast<T>(n.reset),
          n.soft_reset};
}

/// What a convolution reads: with its padding.
template <class T>
const T* padded(const PassState<T>& s, std::size_t connection, const T* in) {
  const Connection& c = s.plan.connections[connection];
  const Shape& from = s.plan.layers[c.source].shape;
  const Geometry& g = s.places.connections[connection].geometry;
  if (c.window.padding[0] == 0 && c.window.padding[1] == 0) return in;
  s.k.spread(
      {in,
       s.padded.data(),
       from.channels,
       {from.height, from.width},
       {g.in[0], g.in[1]},
       {1, 1},
       {static_cast<std::int32_t>(c.window.padding[0]), static_cast<std::int32_t>(c.window.padding[1])}});
  return s.padded.data();
}

/// Makes room for a batch, brings its images into lanes, and computes all layers.
template <class T>
void run_forward(PassState<T>&);
/// The gradient's sum over all shards, from that of the outputs in the last layer's place.
template <class T>
std::span<const T> run_backward(PassState<T>&);

}  // namespace spinet::layers
