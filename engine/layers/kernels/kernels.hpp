// What is computed on packs of images: the arguments, plain data, and the table of functions.  A pack's
// images are the lanes of vectors: where `x` is said to have n numbers, it has n * lanes, those of one neuron
// side by side.  Every lane does the same operations in the same order whatever the width, so all tables of
// one scalar type give the same bits.  Lanes 8h to 8h+7 are half h of a pack: the images of one shard, whose
// sums are kept apart.
#pragma once
#include <cstddef>
#include <cstdint>

namespace spinet::layers {

inline constexpr std::uint32_t half_lanes = 8;  ///< images of a shard that are worked on together
inline constexpr std::uint32_t most_halves = 2;

/// Rows and columns of planes, and how windows lie on them.
struct Geometry {
  std::uint32_t in[2] = {1, 1}, out[2] = {1, 1};  ///< rows, columns
  std::uint32_t size[2] = {1, 1}, stride[2] = {1, 1}, padding[2] = {0, 0}, dilation[2] = {1, 1};
};

/// out[o][y][x] += sum over c, i, j of weight(o, c, i, j) in[c][y stride + i dilation][x stride + j
/// dilation]; no padding: `in` has it already.
template <class T>
struct Correlation {
  const T* in;
  T* out;
  const T* weights;  ///< as Packing leaves them
  const T* start;    ///< for each out: `out` counts as this; null: it is there
  std::uint32_t channels, outs;
  Geometry geometry;
  /// Where `in` may differ from 0: rows and columns from `first` to before `last`, every `step` of them.
  std::uint32_t first[2], last[2], step[2];
};

/// Weights in the order in which Correlation reads them.
template <class T>
struct Packing {
  const T* weights;
  T* packed;
  std::uint32_t outs, channels, taps;
  std::size_t out_stride, channel_stride;  ///< in `weights`; taps are adjacent
  bool turned;                             ///< last tap first
};

/// to[h][o][c][i][j] += sum over half h and y, x of gradient[o][y][x] in[c][y stride + i dilation][...]
template <class T>
struct WeightGradient {
  const T *in, *gradient;
  T* const* to;
  std::uint32_t channels, outs;
  Geometry geometry;
};

/// out[i] += sum over j of matrix[i row + j column] in[j]
template <class T>
struct Product {
  const T *matrix, *in;
  T* out;
  std::uint32_t outs, ins;
  std::size_t row, column;
};

/// to[h][i * ins + j] += sum over half h of gradient[i] in[j]; halves may have one target, if their order is
/// kept
template <class T>
struct Outer {
  const T *in, *gradient;
  T* const* to;
  std::uint32_t outs, ins;
  T* scratch;               ///< as `in`
  bool fresh[most_halves];  ///< to[h] counts as 0
};

/// Planes into planes: out += factor * sum over the window; out = greatest of the window.
template <class T>
struct Pooling {
  const T* in;
  T* out;
  std::uint32_t channels;
  Geometry geometry;
  T factor;
};

/// in_gradient += what comes back from out_gradient; of equal greatest ones the first has it all.
template <class T>
struct PoolingBack {
  const T *in, *out, *out_gradient;  ///< `in` and `out`: of max pools
  T* in_gradient;
  std::uint32_t channels;
  Geometry geometry;
  T factor;
  bool covers;  ///< each number of `in` is in one window, and its gradient counts as 0
};

/// Planes into planes with room around or between: to[c][y step + before][...] = from[c][y][x], the rest 0.
/// What falls outside is left out.
template <class T>
struct Spread {
  const T* from;
  T* to;
  std::uint32_t channels, from_size[2], to_size[2], step[2];
  std::int32_t before[2];
};

/// Numbers of `units`, each of `area` neurons.
template <class T>
struct Units {
  const T* x;
  std::size_t units, area;
};

/// y = x scale[u] + shift[u], times mask where there is one.
template <class T>
struct Scaling {
  Units<T> of;
  const T *scale, *shift, *mask;
  T* y;
};

/// Batch normalisation backwards: to += scale[u] (dy - mean_dy[u] - xhat mean_dyx[u]), xhat = (x - mean[u])
/// inverse[u], in images that are there.
template <class T>
struct NormalisationBack {
  Units<T> of;
  const T *dy, *mean, *inverse, *scale, *mean_dy, *mean_dyx, *present;
  T* to;
};

inline constexpr std::uint32_t most_terms = 8;  ///< of Em

/// Electrical-magnetic neurons: a = constant + sum over t of amplitude[t] 2^(power[t] n), n = gain x in
/// bounds.
template <class T>
struct Em {
  const T* x;
  std::size_t count;
  std::uint32_t terms;
  const T *amplitude, *power;
  const T* slope;  ///< d/dx of a term over its power of two
  T constant, gain, n_min, n_max;
  bool bounded;
};

/// A leaky integrate-and-fire layer of `count` neurons, over `steps` time steps.
template <class T>
struct Spikes {
  const T* x;
  std::size_t count, x_stride;  ///< numbers from a step of x to the next; 0: x is the same in all
  std::uint32_t steps;
  T *potential, *spikes;
  T membrane_decay, synaptic_decay, threshold, reset;
  bool soft_reset;
};

template <class T>
struct SpikesBack {
  Spikes<T> of;
  T* gradient;  ///< of the spikes; becomes that of x
  T slope;
  bool arctan;
};

/// One step of descent, number by number: *_to may be where * is.
template <class T>
struct Update {
  const T *parameter, *gradient, *first, *second;
  T *parameter_to, *first_to, *second_to;
  std::size_t count;
  T rate, decay, beta1, beta2, root, epsilon;  ///< SGD: beta1 is the momentum
};

template <class T>
struct Kernels {
  std::uint32_t lanes;
  const char* name;
  std::size_t (*packed_size)(std::uint32_t outs, std::uint32_t channels, std::uint32_t taps);
  void (*pack)(const Packing<T>&);
  void (*correlate)(const Correlation<T>&);
  void (*weight_gradient)(const WeightGradient<T>&);
  void (*product)(const Product<T>&);
  void (*outer)(const Outer<T>&);
  void (*pool)(const Pooling<T>&);
  void (*pool_back)(const PoolingBack<T>&);
  void (*maximum)(const Pooling<T>&);
  void (*maximum_back)(const PoolingBack<T>&);
  void (*spread)(const Spread<T>&);
  /// x[u][...] = value[u]; without values 0.
  void (*fill)(T* x, const T* value, std::size_t units, std::size_t area);
  /// to += from
  void (*add)(const T* from, T* to, std::size_t count);
  /// to = from * factor
  void (*multiply)(const T* from, const T* factor, T* to, std::size_t count);
  /// to[h][u] += sum of the unit's numbers
  void (*sum)(const Units<T>&, T* const* to);
  /// to[h][2u] += sum of x - about[u], to[h][2u + 1] += sum of its square, of images that are there
  void (*moments)(const Units<T>&, const T* about, const T* present, double* const* to);
  void (*scale)(const Scaling<T>&);
  /// to[h][2u] += sum of dy, to[h][2u + 1] += sum of dy xhat
  void (*normalisation_sums)(const NormalisationBack<T>&, double* const* to);
  void (*normalisation_back)(const NormalisationBack<T>&);
  /// These return whether all they got and gave is finite.
  bool (*relu)(T* x, std::size_t count);
  /// gradient = 0 where a is not above 0
  void (*relu_back)(const T* a, T* gradient, std::size_t count);
  bool (*em)(const Em<T>&, T* a);
  /// to[h][0] += sum of the gradient, to[h][1 + t] += of gradient 2^(power[t] n); then it becomes that of x.
  void (*em_back)(const Em<T>&, T* gradient, double* const* to);
  bool (*spikes)(const Spikes<T>&);
  void (*spikes_back)(const SpikesBack<T>&);
  /// x[j] of lane l = image[l][j]
  void (*load)(const float* const* image, std::size_t count, T* x);
  bool (*finite)(const T* x, std::size_t numbers);  ///< all of them, lanes counted
  /// to[i] += from[i], no lanes
  void (*accumulate)(const T* from, T* to, std::size_t numbers);
  /// These return whether all they gave is finite; false also where the sum of a parameter and its moments is
  /// not.
  bool (*adam)(const Update<T>&);
  bool (*descend)(const Update<T>&);
};

/// The tables of this program for floats; null where the compiler or this machine's processor has not got it.
const Kernels<float>* plain_kernels();
const Kernels<float>* avx2_kernels();
const Kernels<float>* avx512_kernels();

}  // namespace spinet::layers
