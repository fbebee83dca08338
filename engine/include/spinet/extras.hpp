// What the synapses of a projection have beside their `State`, where its parameters ask for it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "spinet/field.hpp"

namespace spinet {

/// What the synapses of a projection hold behind their `State`, because its parameters ask for it (C layout):
/// a record for each device of a synapse, parameters that are drawn (floats) and then the parts of its model.
struct Extras {
  std::uint32_t stride;        ///< bytes of a synapse, all included
  std::uint32_t begin;         ///< of the first record, from the begin of the `State`
  std::uint32_t record;        ///< bytes of one
  std::uint32_t devices;       ///< records of a synapse
  const std::uint32_t* drawn;  ///< where each of the drawn parameters lies in `Params`
  const std::uint32_t* parts;  ///< where each of the model's parts lies in a record, or `no_place`
  std::uint32_t drawn_count, part_count;
  Fields variables;  ///< of the projection: those of the model, and then the drawn parameters
  const std::byte* record_of(const void* state, std::uint32_t device) const noexcept {
    return static_cast<const std::byte*>(state) + begin + std::size_t{device} * record;
  }
  /// Puts what the device has drawn into `params`, which hold what it has not.
  void put_drawn(const void* state, std::uint32_t device, void* params) const noexcept {
    const std::byte* from = record_of(state, device);
    for (std::uint32_t k = 0; k < drawn_count; ++k, from += sizeof(float)) {
      float x;
      std::memcpy(&x, from, sizeof x);
      const double wide = static_cast<double>(x);
      std::memcpy(static_cast<std::byte*>(params) + drawn[k], &wide, sizeof wide);
    }
  }
  /// Variable `f` of the model, which lies in a part: of all devices together.
  double of_part(const void* state, const Field& f) const noexcept {
    if (parts[f.part - 1] == no_place) return f.preset;
    Field there = f;
    there.offset += parts[f.part - 1];
    there.part = 0;
    double sum = 0;
    for (std::uint32_t d = 0; d < devices; ++d) sum += get(record_of(state, d), there);
    return sum;
  }
};

/// Structs of memory that a synapse has where its parameters ask for it; a model names its as `Parts`.
template <class... P>
struct Parts {
  static constexpr std::uint32_t count = sizeof...(P);
  static constexpr std::uint32_t sizes[] = {static_cast<std::uint32_t>(sizeof(P))..., 0};
  /// Number of a part, counted from 1; 0: it is none of them.
  template <class Q>
  static constexpr std::uint32_t number() {
    std::uint32_t k = 0, found = 0;
    ((++k, found = std::is_same_v<P, Q> ? k : found), ...);
    return found;
  }
  static_assert((std::is_trivially_copyable_v<P> && ...), "the engine moves and saves parts as bytes");
};

}  // namespace spinet
