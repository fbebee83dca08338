// Leaky integrate-and-fire neurons on a grid of time steps, and back through time with a surrogate for the
// derivative of the step function (E. O. Neftci, H. Mostafa, F. Zenke, "Surrogate Gradient Learning in
// Spiking Neural Networks", IEEE Signal Processing Magazine, 2019).
#pragma once
#include "layers/kernels/units.hpp"

namespace spinet::layers {

/// In every step: current = synaptic_decay current + x; potential = membrane_decay potential + current; a
/// neuron at or above the threshold spikes, and afterwards is at `reset`.  A soft reset takes threshold -
/// reset away; who is at or above the threshold then spikes again, as in a run with the next tick, so that a
/// step may have several spikes.
template <class V>
struct SpikeKernels {
  using T = typename V::Scalar;
  static constexpr std::size_t lanes = V::lanes;
  static constexpr T most_more = 1 << 20;  ///< spikes of a step after the first one

  /// The greatest whole number that x, from 0 to `most_more`, is not below.
  static V whole(V x) {
    const V magic = V::of(sizeof(T) == sizeof(float) ? T(0x1.8p23) : static_cast<T>(0x1.8p52));
    const V nearest = (x + magic) - magic;
    return V::select(V::greater(nearest, x), nearest - V::of(1), nearest);
  }

  static bool spikes(const Spikes<T>& s) {
    V check = V::of(0);
    const V leak = V::of(s.membrane_decay), fade = V::of(s.synaptic_decay), threshold = V::of(s.threshold);
    const V none = V::of(0), one = V::of(1), reset = V::of(s.reset);
    const std::size_t stride = s.count * lanes;
    for (std::size_t i = 0; i < stride; i += lanes) {
      V current = none, left = none;
      for (std::uint32_t t = 0; t < s.steps; ++t) {
        current = V::fma(current, fade, V::load(s.x + t * s.x_stride + i));
        const V u = V::fma(left, leak, current);
        const auto fires = V::at_least(u, threshold);
        check = V::fma(u, none, check);
        u.store(s.potential + t * stride + i);
        V fired = one, after = reset;
        if (s.soft_reset) {
          const V more = whole(V::min((u - threshold) / (threshold - reset), V::of(most_more)));
          fired = one + more, after = V::fma(none - more, threshold - reset, (u - threshold) + reset);
        }
        V::select(fires, fired, none).store(s.spikes + t * stride + i);
        left = V::select(fires, after, u);
      }
    }
    return UnitKernels<V>::zero(check);
  }

  /// The reset is not differentiated through: a spike's effect on its own neuron counts as given.
  static void spikes_back(const SpikesBack<T>& b) {
    const Spikes<T>& s = b.of;
    const V leak = V::of(s.membrane_decay), fade = V::of(s.synaptic_decay), threshold = V::of(s.threshold);
    const V none = V::of(0), one = V::of(1), inverse = one / threshold;
    const std::size_t stride = s.count * lanes;
    for (std::size_t i = 0; i < stride; i += lanes) {
      V after = none, current = none, total = none;  // gradients of the potential left, of the current, of x
      for (std::uint32_t t = s.steps; t-- > 0;) {
        const V u = V::load(s.potential + t * stride + i), spike = V::load(s.spikes + t * stride + i);
        const V distance = V::fma(u, inverse, none - one) * V::of(b.slope);
        const V size = V::max(distance, none - distance);
        const V bottom = b.arctan ? V::fma(size, size, one) : (one + size) * (one + size);
        V du = V::load(b.gradient + t * stride + i) * (inverse / bottom);
        du = du + (s.soft_reset ? after : after * (one - spike));
        current = V::fma(current, fade, du);
        after = du * leak;
        total = total + current;
        if (s.x_stride) current.store(b.gradient + t * stride + i);
      }
      if (!s.x_stride) total.store(b.gradient + i);
    }
  }
};

}  // namespace spinet::layers
