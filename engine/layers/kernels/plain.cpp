#include "layers/kernels/plain_lanes.hpp"
#include "layers/kernels/table.hpp"

namespace spinet::layers {

const Kernels<float>* plain_kernels() { return &table_of<PlainLanes<float>>; }

}  // namespace spinet::layers
