// From the last layer to the first, within that pack by pack, as far as no sums over the whole batch are
// needed.
#include <algorithm>
#include <vector>

#include "layers/first_convolution.hpp"
#include "layers/pass_state.hpp"

namespace spinet::layers {
namespace {

template <class T>
class Backward {
 public:
  explicit Backward(PassState<T>& state) : s_(state) {}

  std::span<const T> run() {
    std::size_t had = s_.plan.layers.size();  // the last layer that is done
    for (std::size_t l = had - 1; l > 0; --l) {
      if (l > 1 && !normalises(l)) continue;
      for (std::size_t p = 0; p < s_.pack_count(); ++p) stretch(s_.pack(p), had, l);
      if (normalises(l)) observe(l);
      had = l;
    }
    TreeSum<T>& tree = s_.shards_of_copy() == 2 ? s_.pairs : s_.large;
    return tree.sum({s_.gradients.data(), s_.gradient_copies() * s_.plan.parameters}, s_.plan.parameters);
  }

 private:
  bool normalises(std::size_t layer) const {
    const LayerPlace& l = s_.places.layers[layer];
    for (std::size_t c = l.first; c < l.last; ++c)
      if (s_.plan.connections[c].normalisation.on && !s_.folded(c)) return true;
    return false;
  }

  void stretch(const Pack<T>& p, std::size_t had, std::size_t to) {
    if (had < s_.plan.layers.size()) normalise(p, had);
    for (std::size_t l = had - 1; l >= to; --l) layer(p, l);
  }

  void layer(const Pack<T>& p, std::size_t i) {
    answer(p, i);
    const Layer& l = s_.plan.layers[i];
    const LayerPlace& place = s_.places.layers[i];
    const std::size_t size = l.shape.size();
    if (l.bias.count)
      for (std::uint32_t f = 0; f < place.x_steps; ++f)
        s_.k.sum({s_.at(p, place.gradient + f * size), l.bias.count, size / l.bias.count},
                 s_.gradient_of(p, l.bias.first).to);
    for (std::size_t c = place.first; c < place.last; ++c) {
      join(p, c);
      send(p, c);
    }
  }

  void answer(const Pack<T>& p, std::size_t i) {
    const Layer& l = s_.plan.layers[i];
    const LayerPlace& place = s_.places.layers[i];
    const std::size_t count = place.x_steps * l.shape.size();
    T* const gradient = s_.at(p, place.gradient);
    if (l.answer == Answer::relu) s_.k.relu_back(s_.at(p, place.answer), gradient, count);
    if (l.answer == Answer::em) em(p, i);
    if (l.answer == Answer::lif)
      s_.k.spikes_back({spikes_of(s_, p, i), gradient, static_cast<T>(l.spiking.slope),
                        l.spiking.surrogate == Spiking::Surrogate::arctan});
  }

  /// Of the read-out: a curve's weight gets what the curve's constant and exponentials get together.
  void em(const Pack<T>& p, std::size_t i) {
    const Layer& l = s_.plan.layers[i];
    const LayerPlace& place = s_.places.layers[i];
    const EmArguments<T> e(l, s_.part(l.read_out), s_.at(p, place.x), place.x_steps * l.shape.size());
    const std::size_t terms = l.curves.taus.size(), curves = l.curves.curves.size();
    std::vector<double> sums(most_halves * (terms + 1));
    double* to[most_halves];
    for (std::size_t h = 0; h < most_halves; ++h) to[h] = sums.data() + h * (terms + 1);
    s_.k.em_back(e.of, s_.at(p, place.gradient), to);
    const auto gradient = s_.gradient_of(p, l.read_out.first);
    for (std::uint32_t h = 0; h < s_.halves(); ++h) {
      for (std::size_t k = 0; k < curves; ++k) {
        double sum = l.curves.curves[k].constant * to[h][0];
        for (std::size_t t = 0; t < terms; ++t) sum += l.curves.curves[k].amplitudes[t] * to[h][1 + t];
        gradient.to[h][k] += static_cast<T>(sum);
      }
      gradient.to[h][curves] += static_cast<T>(to[h][0]);
    }
  }

  void join(const Pack<T>& p, std::size_t i) {
    const Connection& c = s_.plan.connections[i];
    const ConnectionPlace& place = s_.places.connections[i];
    const LayerPlace &source = s_.places.layers[c.source], &target = s_.places.layers[c.target];
    const std::size_t from = s_.plan.layers[c.source].shape.size() * s_.k.lanes,
                      size = s_.plan.layers[c.target].shape.size(), to = size * s_.k.lanes;
    const T* gradient = s_.at(p, target.gradient);
    if (source.steps != target.x_steps) {  // it was the same in every step
      s_.k.fill(s_.widest.data(), nullptr, 1, size);
      for (std::uint32_t f = 0; f < target.x_steps; ++f) s_.k.add(gradient + f * to, s_.widest.data(), size);
      gradient = s_.widest.data();
    }
    T* const back = c.source > 0 || (c.normalisation.on && !s_.folded(i)) ? s_.at(p, place.back) : nullptr;
    for (std::uint32_t f = 0; f < source.steps; ++f) {
      const T* const sent = s_.at(p, place.sent) + f * from;
      weights(p, i, {sent, gradient + f * to, nullptr, nullptr}, f == 0);
      if (back) sources(i, {sent, gradient + f * to, back + f * from, s_.at(p, target.x) + f * to});
    }
  }

  /// A step of a connection: what was sent and became of it, and the gradients of both.
  struct Step {
    const T *sent, *gradient;
    T* back;
    const T* x;
  };
  void weights(const Pack<T>& p, std::size_t i, const Step& f, bool first) {
    const T *const sent = f.sent, *const gradient = f.gradient;
    const Connection& c = s_.plan.connections[i];
    const Shape &from = s_.plan.layers[c.source].shape, &to = s_.plan.layers[c.target].shape;
    if (c.join == Join::dense) {
      const auto target = s_.gradient_of(p, c.weights.first);
      Outer<T> outer{sent,
                     gradient,
                     target.to,
                     static_cast<std::uint32_t>(to.size()),
                     static_cast<std::uint32_t>(from.size()),
                     s_.turned.data(),
                     {}};
      for (std::uint32_t h = 0; h < s_.halves(); ++h) outer.fresh[h] = first && s_.begins_copy(p, h);
      s_.k.outer(outer);
    }
    if (c.join != Join::convolution) return;
    if (s_.folded(i)) return FirstConvolution<T>(s_, i).weights_back(p, sent, gradient);
    const Geometry& g = s_.places.connections[i].geometry;
    const std::uint32_t groups = c.window.groups, ins = from.channels / groups, outs = to.channels / groups;
    const T* const in = padded(s_, i, sent);
    for (std::uint32_t n = 0; n < groups; ++n) {
      const auto target =
          s_.gradient_of(p, c.weights.first + std::size_t{n} * outs * ins * g.size[0] * g.size[1]);
      s_.k.weight_gradient({in + std::size_t{n} * ins * g.in[0] * g.in[1] * s_.k.lanes,
                            gradient + n * outs * to.area() * s_.k.lanes, target.to, ins, outs, g});
    }
  }

  void sources(std::size_t i, const Step& f) {
    const Connection& c = s_.plan.connections[i];
    const Geometry& g = s_.places.connections[i].geometry;
    const Shape &from = s_.plan.layers[c.source].shape, &to = s_.plan.layers[c.target].shape;
    const T area = static_cast<T>(g.size[0] * g.size[1]);
    const bool covers = s_.places.connections[i].covers;
    switch (c.join) {
      case Join::dense:
        s_.k.product({s_.part(c.weights), f.gradient, f.back, static_cast<std::uint32_t>(from.size()),
                      static_cast<std::uint32_t>(to.size()), 1, from.size()});
        break;
      case Join::convolution:
        convolve(i, f);
        break;
      case Join::average_pool:
        s_.k.pool_back({f.sent, f.x, f.gradient, f.back, from.channels, g, T(1) / area, covers});
        break;
      case Join::sum_pool:
        s_.k.pool_back({f.sent, f.x, f.gradient, f.back, from.channels, g, T(1), covers});
        break;
      case Join::max_pool:
        s_.k.maximum_back({f.sent, f.x, f.gradient, f.back, from.channels, g, T(1), false});
        break;
      case Join::one_to_one:
        s_.k.add(f.gradient, f.back, from.size());
        break;
    }
  }

  /// A correlation with the kernel turned, of the gradient spread by the stride, with room around.
  void convolve(std::size_t i, const Step& f) {
    const Connection& c = s_.plan.connections[i];
    const Geometry& g = s_.places.connections[i].geometry;
    const Shape &from = s_.plan.layers[c.source].shape, &to = s_.plan.layers[c.target].shape;
    const std::uint32_t groups = c.window.groups, ins = from.channels / groups, outs = to.channels / groups;
    Spread<T> spread{f.gradient, s_.padded.data(), to.channels, {to.height, to.width}, {}, {}, {}};
    Correlation<T> back{s_.padded.data(),
                        f.back,
                        s_.shared.data() + s_.places.connections[i].packed_back,
                        nullptr,
                        outs,
                        ins,
                        g,
                        {},
                        {},
                        {}};
    const std::uint32_t in[2] = {from.height, from.width}, out[2] = {to.height, to.width};
    for (int d = 0; d < 2; ++d) {
      const std::uint32_t reach = (g.size[d] - 1) * g.dilation[d], size = in[d] + reach;
      const auto before = static_cast<std::int64_t>(reach) - c.window.padding[d];
      const std::int64_t step = g.stride[d], behind = before + (out[d] - 1) * step + 1;
      spread.to_size[d] = size, spread.step[d] = g.stride[d];
      spread.before[d] = static_cast<std::int32_t>(before);
      back.first[d] = static_cast<std::uint32_t>(before >= 0 ? before : (step - -before % step) % step);
      back.last[d] = static_cast<std::uint32_t>(std::clamp<std::int64_t>(behind, 0, size));
      back.step[d] = g.stride[d];
      back.geometry.in[d] = size, back.geometry.out[d] = in[d], back.geometry.stride[d] = 1;
    }
    s_.k.spread(spread);
    for (std::uint32_t n = 0; n < groups; ++n) {
      s_.k.correlate(back);
      back.in += std::size_t{outs} * back.geometry.in[0] * back.geometry.in[1] * s_.k.lanes;
      back.out += ins * from.area() * s_.k.lanes;
      back.weights += s_.k.packed_size(ins, outs, g.size[0] * g.size[1]);
    }
  }

  /// Dropout, and what goes on to the source where nothing is normalised.
  void send(const Pack<T>& p, std::size_t i) {
    const Connection& c = s_.plan.connections[i];
    const ConnectionPlace& place = s_.places.connections[i];
    if (!place.changed) return;
    const LayerPlace& source = s_.places.layers[c.source];
    const std::size_t size = place.units * place.area;
    for (std::uint32_t f = 0; f < source.steps; ++f) {
      T* const back = s_.at(p, place.back + f * size);
      if (c.dropout > 0) s_.k.multiply(back, s_.at(p, place.mask), back, size);
      if (!c.normalisation.on && c.source > 0) s_.k.add(back, s_.at(p, source.gradient + f * size), size);
    }
  }

  NormalisationBack<T> arguments(const Pack<T>& p, std::size_t i, std::uint32_t f) const {
    const ConnectionPlace& place = s_.places.connections[i];
    const LayerPlace& source = s_.places.layers[s_.plan.connections[i].source];
    const std::size_t size = place.units * place.area;
    return {{s_.at(p, source.answer + f * size), place.units, place.area},
            s_.at(p, place.back + f * size),
            s_.norms(place, mean),
            s_.norms(place, inverse),
            s_.norms(place, scale),
            s_.norms(place, mean_dy),
            s_.norms(place, mean_dyx),
            p.present,
            s_.at(p, source.gradient + f * size)};
  }

  /// The sums over the batch are the gradients of shift and scale, too: the first shard keeps them.
  void observe(std::size_t layer) {
    const LayerPlace& l = s_.places.layers[layer];
    for (std::size_t i = l.first; i < l.last; ++i) {
      const Connection& c = s_.plan.connections[i];
      if (!c.normalisation.on || s_.folded(i)) continue;
      const ConnectionPlace& place = s_.places.connections[i];
      const std::uint32_t steps = s_.places.layers[c.source].steps;
      const std::size_t numbers = 2 * place.units;
      s_.clear_sums(numbers);
      for (std::size_t n = 0; n < s_.pack_count(); ++n) {
        const Pack<T> p = s_.pack(n);
        for (std::uint32_t f = 0; f < steps; ++f)
          s_.k.normalisation_sums(arguments(p, i, f), s_.sums_of(p, numbers).to);
      }
      const auto sums = s_.total(numbers);
      const double count = static_cast<double>(s_.images * place.area) * steps;
      const bool keeps = s_.shares.count() > 0 && s_.shares.begin() == 0;
      for (std::size_t u = 0; u < place.units; ++u) {
        s_.norms(place, mean_dy)[u] = static_cast<T>(sums[2 * u] / count);
        s_.norms(place, mean_dyx)[u] = static_cast<T>(sums[2 * u + 1] / count);
        if (!keeps) continue;
        s_.gradients.data()[c.normalisation.shift.first + u] = static_cast<T>(sums[2 * u]);
        s_.gradients.data()[c.normalisation.scale.first + u] = static_cast<T>(sums[2 * u + 1]);
      }
    }
  }

  /// On to the sources of a layer's normalised connections.
  void normalise(const Pack<T>& p, std::size_t layer) {
    const LayerPlace& l = s_.places.layers[layer];
    for (std::size_t i = l.first; i < l.last; ++i) {
      const Connection& c = s_.plan.connections[i];
      if (!c.normalisation.on || c.source == 0) continue;
      for (std::uint32_t f = 0; f < s_.places.layers[c.source].steps; ++f)
        s_.k.normalisation_back(arguments(p, i, f));
    }
  }

  PassState<T>& s_;
};

}  // namespace

template <class T>
std::span<const T> run_backward(PassState<T>& state) {
  return Backward<T>(state).run();
}
template std::span<const float> run_backward(PassState<float>&);
template std::span<const double> run_backward(PassState<double>&);

}  // namespace spinet::layers
