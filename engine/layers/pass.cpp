#include "layers/pass.hpp"

#include <algorithm>
#include <cstring>

#include "layers/pass_state.hpp"
#include "spinet/math.hpp"

namespace spinet::layers {

std::vector<Group> groups_of(std::size_t images, std::uint32_t shards, std::uint32_t begin,
                             std::uint32_t end) {
  const std::size_t all = (images + half_lanes - 1) / half_lanes;
  std::vector<Group> groups;
  for (std::uint32_t s = begin; s < end; ++s)
    for (std::size_t g = all * s / shards; g < all * (s + 1) / shards; ++g)
      groups.push_back(
          {s, static_cast<std::uint32_t>(std::min<std::size_t>(half_lanes, images - g * half_lanes)),
           g * half_lanes});
  return groups;
}

Channels channels_of(const Plan& plan, std::span<const float> pixels) {
  if (plan.code == encoding::Code::events) return Channels::differ;
  const Shape& shape = plan.input();
  const std::size_t area = shape.area(), size = shape.size();
  for (std::size_t i = 0; i < pixels.size(); i += size)
    if (std::memcmp(pixels.data() + i, pixels.data() + i + area, (size - area) * sizeof(float)) != 0)
      return Channels::differ;
  return Channels::alike;
}

template <class T>
struct Pass<T>::Impl {
  PassState<T> s;

  void begin(Mode mode, std::span<const T> parameters, std::span<const T> running,
             std::span<const float> pixels, std::optional<Channels> channels) {
    s.mode = mode;
    s.parameters = parameters.data();
    s.running = running.data();
    s.pixels = pixels;
    s.pitch = numbers_of_image(s.plan, channels);
    s.images = pixels.size() / s.pitch;
    s.bad.assign(s.plan.layers.size(), false);
    s.alike = (channels ? *channels : channels_of(s.plan, pixels)) == Channels::alike;
  }
  void share() {
    s.groups = groups_of(s.images, s.shares.shards, s.shares.begin(), s.shares.begin() + s.shares.count());
  }

  /// What is left of a step of the last layer when the outputs are read.
  double left(std::uint32_t step) const { return s.plan.left.empty() ? 1 : s.plan.left[step]; }

  /// What the outputs of lane l of a pack are, summed over their steps.
  void outputs(const Pack<T>& p, std::uint32_t l, std::vector<double>& to) const {
    const LayerPlace& last = s.places.layers.back();
    const std::size_t classes = s.plan.classes();
    to.assign(classes, 0);
    const T* from = s.at(p, last.answer) + l;
    for (std::uint32_t f = 0; f < last.steps; ++f)
      for (std::size_t k = 0; k < classes; ++k, from += s.k.lanes)
        to[k] += left(f) * static_cast<double>(*from);
  }

  /// Cross entropy of an image; `z` becomes its gradient.
  static double loss(std::vector<double>& z, std::uint32_t label) {
    const double most = *std::max_element(z.begin(), z.end()), own = z[label] - most;
    double sum = 0;
    for (double& x : z) sum += x = math::exp(x - most);
    for (double& x : z) x /= sum;
    z[label] -= 1;
    return math::log(sum) - own;
  }

  /// Per shard: loss, images that are right, and the layers with numbers that are none.
  void judge() {
    const std::size_t layers = s.plan.layers.size(), numbers = layers + 2;
    s.clear_sums(numbers);
    std::vector<double> z;
    const LayerPlace& last = s.places.layers.back();
    for (std::size_t n = 0; n < s.pack_count(); ++n) {
      const Pack<T> p = s.pack(n);
      s.k.fill(s.at(p, last.gradient), nullptr, 1, last.steps * s.plan.classes());
      const auto to = s.sums_of(p, numbers);
      for (std::uint32_t l = 0; l < s.k.lanes; ++l) {
        const Group* const g = p.half[l / half_lanes];
        if (!g || l % half_lanes >= g->count) continue;
        const std::uint32_t label = s.labels[g->first + l % half_lanes];
        outputs(p, l, z);
        const auto greatest = static_cast<std::uint32_t>(std::max_element(z.begin(), z.end()) - z.begin());
        to.to[l / half_lanes][0] += loss(z, label);
        to.to[l / half_lanes][1] += greatest == label;
        T* gradient = s.at(p, last.gradient) + l;
        for (std::uint32_t f = 0; f < last.steps; ++f)
          for (const double x : z)
            *gradient = static_cast<T>(left(f) * (x / static_cast<double>(s.images))), gradient += s.k.lanes;
      }
    }
    for (std::size_t i = 0; i < layers; ++i) s.sums[i + 2] += s.bad[i];
  }

  /// Where no shard is here, nothing is bad, either.
  Result<T> result() {
    judge();
    const auto sums = s.total(s.plan.layers.size() + 2);
    Result<T> r;
    r.loss = sums[0];
    r.right = static_cast<std::uint32_t>(sums[1]);
    for (std::size_t i = s.plan.layers.size(); i-- > 0;)
      if (sums[i + 2] > 0) r.bad_layer = static_cast<int>(i);
    return r;
  }
};

template <class T>
Pass<T>::Pass(const Plan& plan, const Kernels<T>& kernels, Transport& transport, std::uint32_t shards)
    : impl_(new Impl{{plan, kernels, transport, shards}}) {}
template <class T>
Pass<T>::~Pass() = default;

template <class T>
Result<T> Pass<T>::train(std::span<const T> parameters, std::span<const T> running, const Images& images,
                         std::pair<std::uint32_t, std::uint64_t> draw) {
  impl_->begin(Mode::train, parameters, running, images.pixels, images.channels);
  impl_->share();
  PassState<T>& s = impl_->s;
  s.labels = images.labels;
  s.draw = draw;
  run_forward(s);
  Result<T> r = impl_->result();
  if (r.bad_layer < 0) r.gradient = run_backward(s);
  return r;
}

template <class T>
void Pass<T>::observe(std::span<const T> parameters, std::span<const T> running, const Images& images) {
  impl_->begin(Mode::observe, parameters, running, images.pixels, images.channels);
  impl_->share();
  run_forward(impl_->s);
}

template <class T>
void Pass<T>::apply(std::span<const T> parameters, std::span<const T> running, const Images& images, T* to) {
  impl_->begin(Mode::apply, parameters, running, images.pixels, images.channels);
  PassState<T>& s = impl_->s;
  s.groups = groups_of(s.images, 1, 0, 1);
  run_forward(s);
  std::vector<double> z;
  for (std::size_t n = 0; n < s.pack_count(); ++n) {
    const Pack<T> p = s.pack(n);
    for (std::uint32_t l = 0; l < s.k.lanes; ++l) {
      const Group* const g = p.half[l / half_lanes];
      if (!g || l % half_lanes >= g->count) continue;
      impl_->outputs(p, l, z);
      for (std::size_t k = 0; k < z.size(); ++k)
        to[(g->first + l % half_lanes) * z.size() + k] = static_cast<T>(z[k]);
    }
  }
}

template <class T>
std::span<const double> Pass<T>::statistics() const {
  return impl_->s.statistics;
}
template <class T>
std::span<const double> Pass<T>::watch() {
  impl_->s.watches = true;
  return impl_->s.greatest;
}
template <class T>
std::span<const double> Pass<T>::counted() const {
  return impl_->s.counted;
}

template class Pass<float>;
template class Pass<double>;

}  // namespace spinet::layers
