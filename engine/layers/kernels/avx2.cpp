// Compiled for AVX2: nothing here may be inline elsewhere, too.
#include "layers/kernels/kernels.hpp"

#if defined(__AVX2__) && defined(__FMA__)
#include "layers/kernels/avx2_lanes.hpp"
#include "layers/kernels/table.hpp"

namespace spinet::layers {
const Kernels<float>* avx2_kernels() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &table_of<Avx2Lanes> : nullptr;
}
}  // namespace spinet::layers
#else
namespace spinet::layers {
const Kernels<float>* avx2_kernels() { return nullptr; }
}  // namespace spinet::layers
#endif
