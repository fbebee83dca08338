// Layer by layer, and within that pack by pack, as far as no sums over the whole batch are needed.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "layers/first_convolution.hpp"
#include "layers/pass_state.hpp"
#include "spinet/math.hpp"
#include "spinet/random_batch.hpp"

namespace spinet::layers {
namespace {

constexpr std::uint32_t dropout_stream = 0x44726F70;  // of random numbers; connections count on from it

template <class T>
class Forward {
 public:
  explicit Forward(PassState<T>& state) : s_(state) {}

  void run() {
    room();
    for (std::size_t c = 0; c < s_.plan.connections.size(); ++c) {
      if (!s_.plan.connections[c].normalisation.on) norms_of_none(c);
      else if (s_.mode == Mode::apply) norms_of_running(c);
      const bool known = s_.mode == Mode::apply || !s_.plan.connections[c].normalisation.on;
      if (!s_.folded(c)) pack_weights(c);
      else if (known) FirstConvolution<T>(s_, c).prepare();
    }
    std::size_t from = 0;  // the first layer that some packs have not got yet
    for (std::size_t l = 1; l <= s_.plan.layers.size(); ++l) {
      if (l < s_.plan.layers.size() && !observes(l)) continue;
      for (std::size_t p = 0; p < s_.pack_count(); ++p) stretch(s_.pack(p), from, l);
      if (l < s_.plan.layers.size()) observe(l);
      from = l;
    }
  }

 private:
  void room() {
    const std::size_t packs = s_.pack_count(), lanes = s_.k.lanes;
    s_.packs.need(packs * s_.places.pack * lanes);
    s_.present.need(packs * lanes);
    for (std::size_t p = 0; p < packs; ++p)
      for (std::uint32_t l = 0; l < lanes; ++l) {
        const Group* const g = s_.pack(p).half[l / half_lanes];
        s_.present.data()[p * lanes + l] = g && l % half_lanes < g->count ? T(1) : T(0);
      }
    if (s_.mode != Mode::train) return;
    s_.gradients.need((s_.gradient_copies() + 1) * s_.plan.parameters);
    clear_gradients();
  }

  /// All but the weights of dense connections, which the first group of a copy writes.
  void clear_gradients() {
    std::vector<bool> has(s_.gradient_copies() + 1, false);
    for (const Group& g : s_.groups) has[s_.gradient_copy(&g)] = true;
    for (std::size_t copy = 0; copy < has.size(); ++copy) {
      T* const to = s_.gradients.data() + copy * s_.plan.parameters;
      std::size_t from = 0;
      for (const Part& dense : s_.places.dense) {
        if (!has[copy]) break;
        std::fill(to + from, to + dense.first, T(0));
        from = dense.first + dense.count;
      }
      std::fill(to + from, to + s_.plan.parameters, T(0));
    }
  }

  bool observes(std::size_t layer) const {
    if (s_.mode == Mode::apply) return false;
    const LayerPlace& l = s_.places.layers[layer];
    for (std::size_t c = l.first; c < l.last; ++c)
      if (s_.plan.connections[c].normalisation.on) return true;
    return false;
  }

  /// Layers `from` to before `to` of a pack.
  void stretch(const Pack<T>& p, std::size_t from, std::size_t to) {
    for (std::size_t l = from; l < to; ++l) {
      if (l == 0) load(p);
      else layer(p, l);
    }
  }

  /// Lanes without an image have a copy of one, so that they bring up no numbers that are none.
  void load(const Pack<T>& p) {
    const std::size_t size = s_.plan.image_size();
    const float* image[most_halves * half_lanes];
    for (std::uint32_t l = 0; l < s_.k.lanes; ++l) {
      const Group* g = p.half[l / half_lanes];
      if (!g) g = p.half[0];
      image[l] = s_.pixels.data() + (g->first + std::min(l % half_lanes, g->count - 1)) * s_.pitch;
    }
    const bool encoded = s_.places.layers[0].steps > 1 && s_.plan.code != encoding::Code::events;
    T* const x = s_.at(p, encoded ? s_.places.layers[0].x : s_.places.layers[0].answer);
    const std::size_t count = s_.alike && s_.places.folds ? s_.plan.input().area() : size;
    for (std::size_t from = 0; from < count; from += s_.pitch)  // one channel may stand for all
      s_.k.load(image, std::min(s_.pitch, count), x + from * s_.k.lanes);
    if (!s_.k.finite(x, count * s_.k.lanes)) s_.bad[0] = true;
    if (encoded) encode(x, s_.at(p, s_.places.layers[0].answer), size * s_.k.lanes);
  }

  /// Spikes in each step, of `count` pixels.
  void encode(const T* pixels, T* spikes, std::size_t count) {
    const std::uint32_t steps = s_.plan.steps;
    levels_.resize(count);
    for (std::size_t i = 0; i < count; ++i) levels_[i] = encoding::level_of(static_cast<double>(pixels[i]));
    if (s_.plan.code == encoding::Code::latency) {
      std::fill_n(spikes, steps * count, T(0));
      for (std::size_t i = 0; i < count; ++i)
        if (levels_[i] > 0) spikes[encoding::step_of(levels_[i], steps) * count + i] = T(1);
      return;
    }
    for (std::uint32_t f = 0; f < steps; ++f)
      for (std::size_t i = 0; i < count; ++i)
        spikes[f * count + i] = static_cast<T>(encoding::spikes_before(levels_[i], f + 1) -
                                               encoding::spikes_before(levels_[i], f));
  }

  void layer(const Pack<T>& p, std::size_t i) {
    const Layer& l = s_.plan.layers[i];
    const LayerPlace& place = s_.places.layers[i];
    const std::size_t size = l.shape.size();
    for (std::uint32_t f = 0; f < place.x_steps && !starts(place.first); ++f) {
      T* const x = s_.at(p, place.x + f * size);
      if (l.bias.count) s_.k.fill(x, s_.part(l.bias), l.bias.count, size / l.bias.count);
      else s_.k.fill(x, nullptr, 1, size);
    }
    for (std::size_t c = place.first; c < place.last; ++c) {
      send(p, c);
      join(p, c);
    }
    answer(p, i);
    if (s_.mode == Mode::train && !place.covered)
      s_.k.fill(s_.at(p, place.gradient), nullptr, 1, place.steps * size);
  }

  /// Biases of the channels that a convolution begins with, where it is all that its target hears; else null.
  const T* starts(std::size_t connection) const {
    const Connection& c = s_.plan.connections[connection];
    const Layer& target = s_.plan.layers[c.target];
    const LayerPlace& place = s_.places.layers[c.target];
    if (c.join != Join::convolution || place.last - place.first != 1) return nullptr;
    if (s_.folded(connection)) return FirstConvolution<T>(s_, connection).start();
    return target.bias.count == target.shape.channels ? s_.part(target.bias) : nullptr;
  }

  void answer(const Pack<T>& p, std::size_t i) {
    const Layer& l = s_.plan.layers[i];
    const LayerPlace& place = s_.places.layers[i];
    const std::size_t size = l.shape.size(), numbers = place.x_steps * size * s_.k.lanes;
    T* const x = s_.at(p, place.x);
    T* const a = s_.at(p, place.answer);
    bool fine = true;
    if (s_.mode == Mode::apply) measure(i, x, numbers);
    switch (l.answer) {
      case Answer::linear:
        fine = s_.k.finite(x, numbers);
        break;
      case Answer::relu:
        fine = s_.k.relu(x, place.x_steps * size);
        break;
      case Answer::em:
        fine = s_.k.em(EmArguments<T>(l, s_.part(l.read_out), x, place.x_steps * size).of, a);
        break;
      case Answer::lif:
        fine = s_.k.spikes(spikes_of(s_, p, i));
        break;
    }
    if (!fine) s_.bad[i] = true;
  }

  /// What a crossbar's converters make of the sums, and how far these reach.
  void measure(std::size_t i, T* x, std::size_t numbers) {
    double& greatest = s_.greatest[i];
    for (std::size_t k = 0; k < numbers && s_.watches; ++k)
      greatest = std::max(greatest, math::abs(static_cast<double>(x[k])));
    const auto& converter = s_.plan.layers[i].converter;
    for (std::size_t k = 0; k < numbers && converter.bits != 0; ++k)
      x[k] = static_cast<T>(converter(static_cast<double>(x[k])));
    const Layer& l = s_.plan.layers[i];
    const Curves& c = l.curves;
    for (std::size_t k = 0; k < numbers && l.whole && c.gain != 0; ++k) {
      const double n = c.gain * static_cast<double>(x[k]);
      x[k] = static_cast<T>(std::nearbyint(c.n_max > c.n_min ? std::clamp(n, c.n_min, c.n_max) : n) / c.gain);
    }
  }

  /// What a connection's sources send: normalised, some left out.
  void send(const Pack<T>& p, std::size_t i) {
    const ConnectionPlace& place = s_.places.connections[i];
    if (!place.changed) return;
    const Connection& c = s_.plan.connections[i];
    const LayerPlace& source = s_.places.layers[c.source];
    if (s_.folded(i)) return send_plane(p, i);
    const std::size_t size = place.units * place.area;
    const bool drops = c.dropout > 0 && s_.mode == Mode::train;
    if (drops) draw_mask(p, i);
    for (std::uint32_t f = 0; f < source.steps; ++f)
      s_.k.scale({{s_.at(p, source.answer + f * size), place.units, place.area},
                  s_.norms(place, scale),
                  s_.norms(place, shift),
                  drops ? s_.at(p, place.mask) : nullptr,
                  s_.at(p, place.sent + f * size)});
    if (s_.mode == Mode::train) s_.k.fill(s_.at(p, place.back), nullptr, 1, source.steps * size);
  }

  /// Normalised as the first channel is, but for its own scale and shift.
  void send_plane(const Pack<T>& p, std::size_t i) {
    const ConnectionPlace& place = s_.places.connections[i];
    const T one_over = *s_.norms(place, inverse), shift_by = T(0) - *s_.norms(place, mean) * one_over;
    s_.k.scale({{s_.at(p, s_.places.layers[0].answer), 1, place.area},
                &one_over,
                &shift_by,
                nullptr,
                s_.at(p, place.sent)});
  }

  /// A number of an image depends on the step, the connection, the image's place in the batch and the neuron.
  void draw_mask(const Pack<T>& p, std::size_t i) {
    const Connection& c = s_.plan.connections[i];
    const auto size = static_cast<std::uint32_t>(s_.plan.layers[c.source].shape.size());
    T* const mask = s_.at(p, s_.places.connections[i].mask);
    const T kept = static_cast<T>(1 / (1 - c.dropout));
    words_.resize(philox_words((size + 3) / 4) + 16);
    for (std::uint32_t l = 0; l < s_.k.lanes; ++l) {
      const Group* const g = p.half[l / half_lanes];
      const std::uint64_t image = g ? g->first + l % half_lanes : 0;
      philox_fill({s_.draw.first, dropout_stream + static_cast<std::uint32_t>(i)}, image,
                  s_.draw.second << 32, words_.data(), (size + 3) / 4);
      for (std::uint32_t j = 0; j < size; ++j)
        mask[std::size_t{j} * s_.k.lanes + l] = uniform01(words_[j]) < c.dropout ? T(0) : kept;
    }
  }

  void join(const Pack<T>& p, std::size_t i) {
    const Connection& c = s_.plan.connections[i];
    const LayerPlace &source = s_.places.layers[c.source], &target = s_.places.layers[c.target];
    const std::size_t from = s_.plan.layers[c.source].shape.size(),
                      to = s_.plan.layers[c.target].shape.size();
    const T* const sent = s_.at(p, s_.places.connections[i].sent);
    T* const x = s_.at(p, target.x);
    if (source.steps == target.x_steps) {
      for (std::uint32_t f = 0; f < source.steps; ++f)
        one_step(i, sent + f * from * s_.k.lanes, x + f * to * s_.k.lanes);
      return;
    }
    s_.k.fill(s_.widest.data(), nullptr, 1, to);  // the same in every step
    one_step(i, sent, s_.widest.data());
    for (std::uint32_t f = 0; f < target.x_steps; ++f)
      s_.k.add(s_.widest.data(), x + f * to * s_.k.lanes, to);
  }

  void one_step(std::size_t i, const T* in, T* out) {
    const Connection& c = s_.plan.connections[i];
    const Geometry& g = s_.places.connections[i].geometry;
    const Shape &from = s_.plan.layers[c.source].shape, &to = s_.plan.layers[c.target].shape;
    const T area = static_cast<T>(g.size[0] * g.size[1]);
    switch (c.join) {
      case Join::dense:
        s_.k.product({s_.part(c.weights), in, out, static_cast<std::uint32_t>(to.size()),
                      static_cast<std::uint32_t>(from.size()), from.size(), 1});
        break;
      case Join::convolution:
        convolve(i, in, out);
        break;
      case Join::average_pool:
        s_.k.pool({in, out, from.channels, g, T(1) / area});
        break;
      case Join::sum_pool:
        s_.k.pool({in, out, from.channels, g, T(1)});
        break;
      case Join::max_pool:
        s_.k.maximum({in, out, from.channels, g, T(1)});
        break;
      case Join::one_to_one:
        s_.k.add(in, out, from.size());
        break;
    }
  }

  void convolve(std::size_t i, const T* in, T* out) {
    const Connection& c = s_.plan.connections[i];
    const ConnectionPlace& place = s_.places.connections[i];
    const Geometry& g = place.geometry;
    const std::uint32_t groups = c.window.groups, ins = s_.plan.layers[c.source].shape.channels / groups,
                        outs = s_.plan.layers[c.target].shape.channels / groups;
    const bool folded = s_.folded(i);
    in = padded(s_, i, in);
    Correlation<T> to{in, out, s_.shared.data() + place.packed, starts(i), ins, outs, g, {}, {}, {1, 1}};
    if (folded) to.weights = FirstConvolution<T>(s_, i).packed(), to.channels = 1;
    for (int d = 0; d < 2; ++d) to.first[d] = c.window.padding[d], to.last[d] = g.in[d] - c.window.padding[d];
    for (std::uint32_t group = 0; group < groups; ++group) {
      s_.k.correlate(to);
      to.in += std::size_t{ins} * g.in[0] * g.in[1] * s_.k.lanes;
      to.out += std::size_t{outs} * g.out[0] * g.out[1] * s_.k.lanes;
      to.weights += s_.k.packed_size(outs, ins, g.size[0] * g.size[1]);
      if (to.start) to.start += outs;
    }
  }

  void pack_weights(std::size_t i) {
    const Connection& c = s_.plan.connections[i];
    if (c.join != Join::convolution) return;
    const ConnectionPlace& place = s_.places.connections[i];
    const std::uint32_t groups = c.window.groups, ins = s_.plan.layers[c.source].shape.channels / groups,
                        outs = s_.plan.layers[c.target].shape.channels / groups,
                        taps = place.geometry.size[0] * place.geometry.size[1];
    const std::size_t all = s_.k.packed_size(outs, ins, taps), back = s_.k.packed_size(ins, outs, taps);
    for (std::uint32_t g = 0; g < groups; ++g) {
      const T* const w = s_.part(c.weights) + std::size_t{g} * outs * ins * taps;
      T* const to = s_.shared.data();
      s_.k.pack({w, to + place.packed + g * all, outs, ins, taps, std::size_t{ins} * taps, taps, false});
      if (s_.mode == Mode::train)
        s_.k.pack(
            {w, to + place.packed_back + g * back, ins, outs, taps, taps, std::size_t{ins} * taps, true});
    }
  }

  /// Means and variances of what arrives at a layer's normalised connections.
  void observe(std::size_t layer) {
    const LayerPlace& l = s_.places.layers[layer];
    for (std::size_t i = l.first; i < l.last; ++i) {
      if (!s_.plan.connections[i].normalisation.on) continue;
      const ConnectionPlace& place = s_.places.connections[i];
      const Connection& c = s_.plan.connections[i];
      const LayerPlace& source = s_.places.layers[c.source];
      const bool folded = s_.folded(i);
      const std::size_t size = place.units * place.area, units = folded ? 1 : place.units,
                        numbers = 2 * units;
      const T* const about = s_.running + c.normalisation.mean.first;
      s_.clear_sums(numbers);
      for (std::size_t n = 0; n < s_.pack_count(); ++n) {
        const Pack<T> p = s_.pack(n);
        const auto to = s_.sums_of(p, numbers);
        for (std::uint32_t f = 0; f < source.steps; ++f)
          s_.k.moments({s_.at(p, source.answer + f * size), units, place.area}, about, p.present, to.to);
      }
      norms_of_batch(i, s_.total(numbers));
      if (folded) FirstConvolution<T>(s_, i).prepare();
    }
  }

  void norms_of_batch(std::size_t i, std::span<const double> sums) {
    const Normalisation& n = s_.plan.connections[i].normalisation;
    const ConnectionPlace& place = s_.places.connections[i];
    const double count =
        static_cast<double>(s_.images * place.area) * s_.places.layers[s_.plan.connections[i].source].steps;
    for (std::size_t u = 0; u < place.units; ++u) {
      const std::size_t of = s_.folded(i) ? 0 : u;
      const double off = sums[2 * of] / count;
      const double variance = std::max(0.0, sums[2 * of + 1] / count - off * off);
      const double average = static_cast<double>(s_.running[n.mean.first + of]) + off;
      s_.statistics[n.mean.first + u] = average;
      s_.statistics[n.variance.first + u] = count > 1 ? variance * (count / (count - 1)) : 0;
      s_.counted[n.mean.first + u] = s_.counted[n.variance.first + u] = count;
      set_norms(i, u, average, sums[2 * of + 1] == sums[2 * of + 1] ? variance : math::nan);
    }
  }
  void norms_of_running(std::size_t i) {
    const Normalisation& n = s_.plan.connections[i].normalisation;
    for (std::size_t u = 0; u < s_.places.connections[i].units; ++u)
      set_norms(i, u, static_cast<double>(s_.running[n.mean.first + u]),
                static_cast<double>(s_.running[n.variance.first + u]));
  }
  void norms_of_none(std::size_t i) {
    const ConnectionPlace& place = s_.places.connections[i];
    if (!place.changed) return;
    *s_.norms(place, scale) = T(1);
    *s_.norms(place, shift) = T(0);
  }
  void set_norms(std::size_t i, std::size_t u, double average, double variance) {
    const Normalisation& n = s_.plan.connections[i].normalisation;
    const ConnectionPlace& place = s_.places.connections[i];
    const double one_over = 1 / math::sqrt(variance + n.epsilon);
    const double factor = static_cast<double>(s_.parameters[n.scale.first + u]) * one_over;
    s_.norms(place, mean)[u] = static_cast<T>(average);
    s_.norms(place, inverse)[u] = static_cast<T>(one_over);
    s_.norms(place, scale)[u] = static_cast<T>(factor);
    s_.norms(place, shift)[u] =
        static_cast<T>(static_cast<double>(s_.parameters[n.shift.first + u]) - average * factor);
  }

  PassState<T>& s_;
  std::vector<std::uint32_t> words_, levels_;
};

}  // namespace

template <class T>
void run_forward(PassState<T>& state) {
  Forward<T>(state).run();
}
template void run_forward(PassState<float>&);
template void run_forward(PassState<double>&);

}  // namespace spinet::layers
