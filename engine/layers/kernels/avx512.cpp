// Compiled for AVX-512: nothing here may be inline elsewhere, too.
#include "layers/kernels/kernels.hpp"

#if defined(__AVX512F__)
#include "layers/kernels/avx512_lanes.hpp"
#include "layers/kernels/table.hpp"

namespace spinet::layers {
const Kernels<float>* avx512_kernels() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma") ? &table_of<Avx512Lanes>
                                                                            : nullptr;
}
}  // namespace spinet::layers
#else
namespace spinet::layers {
const Kernels<float>* avx512_kernels() { return nullptr; }
}  // namespace spinet::layers
#endif
