// Where the numbers of a pass lie: within a pack of images, and those that all packs share.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "layers/kernels/kernels.hpp"
#include "layers/plan.hpp"

namespace spinet::layers {

/// Numbers that begin on a cache line; 0 at first.
template <class T>
class Room {
 public:
  void need(std::size_t n) {
    if (n <= size_) return;
    memory_ = std::make_unique<T[]>(n + 64 / sizeof(T));
    const auto at = reinterpret_cast<std::uintptr_t>(memory_.get());
    begin_ = memory_.get() + (64 - at % 64) % 64 / sizeof(T);
    size_ = n;
  }
  T* data() const { return begin_; }

 private:
  std::unique_ptr<T[]> memory_;
  T* begin_ = nullptr;
  std::size_t size_ = 0;
};

/// Of a layer, within a pack, in vectors.  Spikes, those of images and those of layers, have numbers for each
/// time step, and so has what depends on them; the rest has those of one step.
struct LayerPlace {
  std::uint32_t x_steps = 1, steps = 1;
  std::size_t x = 0;         ///< sums of inputs
  std::size_t answer = 0;    ///< may be `x`
  std::size_t gradient = 0;  ///< of the answers, then of the sums
  std::size_t potential = 0;
  std::size_t first = 0, last = 0;  ///< connections that end in it
  std::uint32_t leave = 0;          ///< connections that begin in it
  bool covered = false;             ///< its gradient is written at once, not added up
};

struct ConnectionPlace {
  std::size_t units = 0, area = 0;          ///< of batch normalisation
  std::size_t sent = 0;                     ///< what is weighted: the source's answers, or a copy, changed
  std::size_t back = 0;                     ///< gradient of `sent`: that of the source, or its own
  std::size_t mask = 0;                     ///< of dropout
  bool changed = false;                     ///< normalised or with dropout: `sent` and `back` are its own
  Geometry geometry{};                      ///< without padding where it is convolved: that is put in before
  std::size_t packed = 0, packed_back = 0;  ///< weights of a convolution, as numbers
  bool covers = false;                      ///< its source is `covered`
  /// The first convolution, without padding and dropout: it may take one plane for all channels.
  bool folds = false;
  std::size_t folded = 0;  ///< numbers for that: FirstConvolution
  std::size_t norms = 0;   ///< numbers for batch normalisation: Norms
};

/// Of a connection, `units` each.
enum Norms : std::size_t { mean, inverse, scale, shift, mean_dy, mean_dyx, norms_count };

struct Places {
  std::vector<LayerPlace> layers;
  std::vector<ConnectionPlace> connections;
  std::size_t pack = 0;     ///< vectors of a pack
  std::size_t shared = 0;   ///< numbers that packs share
  std::size_t padded = 0;   ///< vectors of the largest padded planes
  std::size_t widest = 0;   ///< vectors of the largest layer
  std::vector<Part> dense;  ///< weights of dense connections, in order
  bool folds = false;       ///< a connection does
};

/// Throws std::invalid_argument where parts of the plan do not fit together.
Places places_of(const Plan&, std::size_t (*packed_size)(std::uint32_t, std::uint32_t, std::uint32_t));

/// An em layer's read-out with its curves put together: constant + sum of amplitude exp(-n / tau).
struct EmNumbers {
  double constant = 0;
  std::vector<double> amplitudes;
};
template <class T>
EmNumbers em_numbers(const Curves& curves, const T* read_out) {
  EmNumbers e;
  const std::size_t terms = curves.taus.size(), count = curves.curves.size();
  e.constant = static_cast<double>(read_out[count]);
  e.amplitudes.assign(terms, 0);
  for (std::size_t k = 0; k < count; ++k) {
    const auto weight = static_cast<double>(read_out[k]);
    e.constant += weight * curves.curves[k].constant;
    for (std::size_t t = 0; t < terms; ++t) e.amplitudes[t] += weight * curves.curves[k].amplitudes[t];
  }
  return e;
}

}  // namespace spinet::layers
