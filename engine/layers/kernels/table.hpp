// All kernels for one kind of vector.
#pragma once
#include "layers/kernels/correlate.hpp"
#include "layers/kernels/dense.hpp"
#include "layers/kernels/numbers.hpp"
#include "layers/kernels/pools.hpp"
#include "layers/kernels/spikes.hpp"
#include "layers/kernels/units.hpp"

namespace spinet::layers {

template <class V>
inline constexpr Kernels<typename V::Scalar> table_of = {
    .lanes = V::lanes,
    .name = V::name,
    .packed_size = Correlate<V>::packed_size,
    .pack = Correlate<V>::pack,
    .correlate = Correlate<V>::correlate,
    .weight_gradient = Correlate<V>::weight_gradient,
    .product = Dense<V>::product,
    .outer = Dense<V>::outer,
    .pool = Pools<V>::pool,
    .pool_back = Pools<V>::pool_back,
    .maximum = Pools<V>::maximum,
    .maximum_back = Pools<V>::maximum_back,
    .spread = Pools<V>::spread,
    .fill = UnitKernels<V>::fill,
    .add = UnitKernels<V>::add,
    .multiply = UnitKernels<V>::multiply,
    .sum = UnitKernels<V>::sum,
    .moments = UnitKernels<V>::moments,
    .scale = UnitKernels<V>::scale,
    .normalisation_sums = UnitKernels<V>::normalisation_sums,
    .normalisation_back = UnitKernels<V>::normalisation_back,
    .relu = UnitKernels<V>::relu,
    .relu_back = UnitKernels<V>::relu_back,
    .em = UnitKernels<V>::em,
    .em_back = UnitKernels<V>::em_back,
    .spikes = SpikeKernels<V>::spikes,
    .spikes_back = SpikeKernels<V>::spikes_back,
    .load = NumberKernels<V>::load,
    .finite = NumberKernels<V>::finite,
    .accumulate = NumberKernels<V>::accumulate,
    .adam = NumberKernels<V>::adam,
    .descend = NumberKernels<V>::descend,
};

}  // namespace spinet::layers
