// What devices have drawn of one parameter, for kernels that look at many of them: `Synapses::params` puts
// together all the parameters of one.
#pragma once
#include "spinet/synapse.hpp"

namespace spinet {

/// Parameter `P` of the first devices of the synapses of a slice: what each has drawn, or what all have.
template <class M>
class Drawn {
 public:
  template <class Owner>
  Drawn(Synapses<M> n, double Owner::*parameter)
      : stride_(n.s.extras ? n.s.extras->stride : sizeof(typename M::State)) {
    const auto& all = *static_cast<const typename M::Params*>(n.s.params);
    common_ = all.*parameter;
    const auto at =
        reinterpret_cast<const std::byte*>(&(all.*parameter)) - reinterpret_cast<const std::byte*>(&all);
    for (std::uint32_t k = 0; n.s.extras && k < n.s.extras->drawn_count; ++k)
      if (n.s.extras->drawn[k] == static_cast<std::size_t>(at))
        place_ = n.s.extras->begin + k * std::uint32_t{sizeof(float)};
  }
  bool differs() const { return place_ != no_place; }
  double of(const typename M::State& s) const { return differs() ? read(address(s)) : common_; }
  /// Those of `count` synapses, the first of which has the state `s`.
  void of_each(const typename M::State& s, std::uint32_t count, double* out) const {
    const std::byte* from = address(s);
    for (std::uint32_t k = 0; k < count; ++k, from += stride_) out[k] = differs() ? read(from) : common_;
  }

 private:
  const std::byte* address(const typename M::State& s) const {
    return reinterpret_cast<const std::byte*>(&s) + (differs() ? place_ : 0);
  }
  static double read(const std::byte* from) {
    float x;
    std::memcpy(&x, from, sizeof x);
    return static_cast<double>(x);
  }
  std::size_t stride_;
  double common_;
  std::uint32_t place_ = no_place;
};

}  // namespace spinet
