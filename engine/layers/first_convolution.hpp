// The convolution of images whose channels are alike, as those of a grey image are: normalised, channel c is
// a_c x + b_c of one plane x, so its kernels add up to one of that plane, and a constant.  The gradient with
// respect to this kernel holds those of all weights, and of scales and shifts: no image's own is needed.
#pragma once
#include <algorithm>
#include <cstddef>

#include "layers/pass_state.hpp"

namespace spinet::layers {

template <class T>
class FirstConvolution {
 public:
  FirstConvolution(PassState<T>& state, std::size_t connection)
      : s_(state),
        c_(state.plan.connections[connection]),
        place_(state.places.connections[connection]),
        ins_(state.plan.input().channels),
        outs_(state.plan.layers[c_.target].shape.channels),
        taps_(place_.geometry.size[0] * place_.geometry.size[1]) {}

  /// Of this batch, once means and variances are known.
  void prepare() {
    channels();
    T *const kernel = begin(), *const constant = start();
    const T* w = s_.part(c_.weights);
    const Part& bias = s_.plan.layers[c_.target].bias;
    std::fill_n(kernel, std::size_t{outs_} * taps_, T(0));
    for (std::uint32_t o = 0; o < outs_; ++o) {
      constant[o] = bias.count ? s_.part(bias)[o] : T(0);
      for (std::uint32_t c = 0; c < ins_; ++c) {
        T sum = 0;
        for (std::uint32_t t = 0; t < taps_; ++t, ++w) kernel[o * taps_ + t] += factor()[c] * *w, sum += *w;
        constant[o] += offset()[c] * sum;
      }
    }
    s_.k.pack({kernel, packed(), outs_, 1, taps_, taps_, taps_, false});
  }
  /// For each channel out: the bias and what the offsets make.
  T* start() const { return begin() + std::size_t{outs_} * taps_; }
  T* packed() const { return start() + outs_; }

  void weights_back(const Pack<T>& p, const T* in, const T* gradient) {
    const std::size_t numbers = std::size_t{outs_} * (taps_ + 1);
    T* const sums = offset() + ins_;
    std::fill_n(sums, most_halves * numbers, T(0));
    T *to[most_halves], *total[most_halves];
    for (std::uint32_t h = 0; h < most_halves; ++h)
      to[h] = sums + h * numbers, total[h] = to[h] + std::size_t{outs_} * taps_;
    s_.k.weight_gradient({in, gradient, to, 1, outs_, place_.geometry});
    s_.k.sum({gradient, outs_, s_.plan.layers[c_.target].shape.area()}, total);
    for (std::uint32_t h = 0; h < s_.halves(); ++h) spread(s_.gradient_of(p, 0).to[h], to[h], total[h]);
  }

 private:
  T* begin() const { return s_.shared.data() + place_.folded; }
  T* factor() const { return packed() + s_.k.packed_size(outs_, 1, taps_); }
  T* offset() const { return factor() + ins_; }

  /// The plane is normalised as channel 0 is.
  void channels() {
    for (std::uint32_t c = 0; c < ins_; ++c) {
      factor()[c] = 1, offset()[c] = 0;
      if (!c_.normalisation.on) continue;
      const auto number = [&](Norms which, std::uint32_t u) {
        return static_cast<double>(s_.norms(place_, which)[u]);
      };
      const double own = number(scale, c);
      factor()[c] = static_cast<T>(own / number(inverse, 0));
      offset()[c] = static_cast<T>(static_cast<double>(s_.parameters[c_.normalisation.shift.first + c]) +
                                   own * (number(mean, 0) - number(mean, c)));
    }
  }

  /// Each number of the gradient is added to once: two shards may have one place for it (PassState).
  void spread(T* gradient, const T* kernel, const T* total) const {
    for (std::uint32_t c = 0; c < ins_; ++c) {
      T scales = 0, shifts = 0;
      for (std::uint32_t o = 0; o < outs_; ++o) {
        const std::size_t first = (std::size_t{o} * ins_ + c) * taps_;
        const T* const w = s_.part(c_.weights) + first;
        T* const to = gradient + c_.weights.first + first;
        const T constant = offset()[c] * total[o];
        T product = 0, sum = 0;
        for (std::uint32_t t = 0; t < taps_; ++t) {
          to[t] += factor()[c] * kernel[o * taps_ + t] + constant;
          product += w[t] * kernel[o * taps_ + t];
          sum += w[t];
        }
        scales += product;
        shifts += sum * total[o];
      }
      if (!c_.normalisation.on) continue;
      gradient[c_.normalisation.scale.first + c] += scales;
      gradient[c_.normalisation.shift.first + c] += shifts;
    }
  }

  PassState<T>& s_;
  const Connection& c_;
  const ConnectionPlace& place_;
  const std::uint32_t ins_, outs_, taps_;
};

}  // namespace spinet::layers
