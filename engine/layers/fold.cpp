#include "layers/fold.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

#include "connect/window.hpp"
#include "network/layer_numbers.hpp"

namespace spinet::layers {
namespace {

/// y = scale x + shift, of each channel or neuron of the sources; nothing where they are not normalised.
struct Affine {
  std::vector<double> scale, shift;
  Affine(const Normalisation& n, const Model& m) {
    if (!n.on) return;
    for (std::size_t i = 0; i < n.scale.count; ++i) {
      const auto of = [&](const std::vector<float>& all, const Part& p) {
        return static_cast<double>(all[p.first + i]);
      };
      const double factor = of(m.parameters, n.scale) / std::sqrt(of(m.statistics, n.variance) + n.epsilon);
      scale.push_back(factor);
      shift.push_back(of(m.parameters, n.shift) - of(m.statistics, n.mean) * factor);
    }
  }
  double scale_of(std::size_t i) const { return scale.empty() ? 1 : scale[i]; }
  double shift_of(std::size_t i) const { return shift.empty() ? 0 : shift[i]; }
};

/// Where the weights of a convolution lie.
struct KernelWeights {
  std::uint32_t channels, area, of_group;
  KernelWeights(const Connection& c, const Plan& plan)
      : channels(plan.layers[c.source].shape.channels / c.window.groups),
        area(c.window.size[0] * c.window.size[1]),
        of_group(plan.layers[c.target].shape.channels / c.window.groups) {}
  /// The source channel that kernel `k` of channel `o` slides over, and its first weight.
  std::uint32_t source(std::uint32_t o, std::uint32_t k) const { return o / of_group * channels + k; }
  std::size_t first(std::uint32_t o, std::uint32_t k) const { return (std::size_t{o} * channels + k) * area; }
};

class Folder {
 public:
  Folder(const Plan& plan, const Model& model, Network& network) : plan_(plan), m_(model), n_(network) {}

  void operator()() {
    for (std::uint32_t t = 1; t < plan_.layers.size(); ++t) {
      const Layer& l = plan_.layers[t];
      bias_.assign(l.shape.size(), 0);
      if (l.bias.count != 0)
        for (std::size_t i = 0; i < bias_.size(); ++i)
          bias_[i] = static_cast<double>(m_.parameters[l.bias.first + i / (bias_.size() / l.bias.count)]);
      for (const Connection& c : plan_.connections)
        if (c.target == t) take(c);
      Population& p = n_.populations[l.population];
      if (!parameter_of(*p.model, "bias")) continue;
      set(p, "bias", {Distribution::Kind::listed, 0, 0, -limit, limit, false, bias_});
      p.bias_from.reset();
      if (l.answer == Answer::em) read_out(l, p);
    }
  }

 private:
  static constexpr double limit = std::numeric_limits<double>::infinity();
  static void set(Population& p, std::string_view name, Distribution d) {
    p.params[*parameter_of(*p.model, name)] = std::move(d);
  }
  std::span<const float> weights(const Connection& c) const {
    return std::span(m_.parameters).subspan(c.weights.first, c.weights.count);
  }

  void take(const Connection& c) {
    const Affine affine(c.normalisation, m_);
    auto& made = n_.projections[c.projection].shared_weights;
    if (c.join == Join::dense) dense(c, affine, made);
    else if (c.join == Join::convolution) convolution(c, affine, made);
    else if (c.join != Join::one_to_one && c.normalisation.on) pool(c, affine, made);
  }
  void dense(const Connection& c, const Affine& a, std::vector<double>& made) {
    const std::span<const float> w = weights(c);
    const std::size_t sources = w.size() / bias_.size();
    made = folded_weights(c, plan_, m_);
    for (std::size_t i = 0; i < w.size(); ++i)
      bias_[i / sources] += static_cast<double>(w[i]) * a.shift_of(i % sources);
  }
  void convolution(const Connection& c, const Affine& a, std::vector<double>& made) {
    const std::span<const float> w = weights(c);
    const KernelWeights all(c, plan_);
    made = folded_weights(c, plan_, m_);
    if (a.shift.empty()) return;
    for (std::uint32_t o = 0; o < plan_.layers[c.target].shape.channels; ++o)
      for (std::uint32_t k = 0; k < all.channels; ++k)
        each_place(c, o, [&](std::size_t target, std::uint32_t i) {
          bias_[target] += static_cast<double>(w[all.first(o, k) + i]) * a.shift_of(all.source(o, k));
        });
  }
  void pool(const Connection& c, const Affine& a, std::vector<double>& made) {
    const double share =
        c.join == Join::average_pool ? 1.0 / (double{1} * c.window.size[0] * c.window.size[1]) : 1.0;
    const std::uint32_t channels = plan_.layers[c.target].shape.channels;
    made.resize(channels);
    for (std::uint32_t k = 0; k < channels; ++k) {
      made[k] = share * a.scale_of(k);
      if (c.join != Join::max_pool)
        each_place(c, k, [&](std::size_t target, std::uint32_t) { bias_[target] += share * a.shift_of(k); });
    }
    if (c.join != Join::max_pool) return;
    const std::size_t area = plan_.layers[c.target].shape.area();
    for (std::size_t i = 0; i < bias_.size(); ++i) bias_[i] += a.shift_of(i / area);
  }
  /// Calls f(target, place in the window) for what the window covers of one channel, of all targets of
  /// channel `of`.
  template <class F>
  void each_place(const Connection& c, std::uint32_t of, F&& f) const {
    const Shape &from = plan_.layers[c.source].shape, &to = plan_.layers[c.target].shape;
    for (std::uint32_t place = 0; place < to.area(); ++place)
      sliding::each_covered(c.window, from, 0, {place / to.width, place % to.width},
                            [&](std::uint32_t, std::uint32_t i) { f(of * to.area() + place, i); });
  }
  void read_out(const Layer& l, Population& p) const {
    if (l.curves.taus.size() != 2) throw std::logic_error("curves have two time constants");
    const auto weight = [&](std::size_t i) {
      return static_cast<double>(m_.parameters[l.read_out.first + i]);
    };
    double constant = weight(l.curves.curves.size()), amplitudes[2] = {0, 0};
    for (std::size_t k = 0; k < l.curves.curves.size(); ++k) {
      constant += weight(k) * l.curves.curves[k].constant;
      for (std::size_t i = 0; i < 2; ++i) amplitudes[i] += weight(k) * l.curves.curves[k].amplitudes[i];
    }
    const auto number = [](double x) { return Distribution{Distribution::Kind::constant, x}; };
    set(p, "constant", number(constant));
    set(p, "fast", number(amplitudes[0]));
    set(p, "slow", number(amplitudes[1]));
    set(p, "tau_fast", number(l.curves.taus[0]));
    set(p, "tau_slow", number(l.curves.taus[1]));
  }

  const Plan& plan_;
  const Model& m_;
  Network& n_;
  std::vector<double> bias_;  ///< of the layer at hand, by neuron
};

}  // namespace

void fold(const Plan& plan, const Model& model, Network& network) { Folder(plan, model, network)(); }

std::vector<double> folded_weights(const Connection& c, const Plan& plan, const Model& model) {
  const Affine affine(c.normalisation, model);
  const auto w = std::span(model.parameters).subspan(c.weights.first, c.weights.count);
  std::vector<double> made(w.begin(), w.end());
  if (c.join == Join::dense) {
    const std::size_t sources = plan.layers[c.source].shape.size();
    for (std::size_t i = 0; i < made.size(); ++i) made[i] *= affine.scale_of(i % sources);
    return made;
  }
  const KernelWeights all(c, plan);
  for (std::uint32_t o = 0; o < plan.layers[c.target].shape.channels; ++o)
    for (std::uint32_t k = 0; k < all.channels; ++k)
      for (std::uint32_t i = 0; i < all.area; ++i)
        made[all.first(o, k) + i] *= affine.scale_of(all.source(o, k));
  return made;
}

void each_synapse(const Connection& c, const Plan& plan,
                  const std::function<void(std::size_t source, std::size_t weight)>& f) {
  const Shape &from = plan.layers[c.source].shape, &to = plan.layers[c.target].shape;
  if (c.join == Join::dense) {
    for (std::size_t w = 0; w < c.weights.count; ++w) f(w % from.size(), w);
    return;
  }
  const KernelWeights all(c, plan);
  for (std::uint32_t o = 0; o < to.channels; ++o)
    for (std::uint32_t k = 0; k < all.channels; ++k)
      for (std::uint32_t place = 0; place < to.area(); ++place)
        sliding::each_covered(c.window, from, all.source(o, k), {place / to.width, place % to.width},
                              [&](std::uint32_t source, std::uint32_t i) { f(source, all.first(o, k) + i); });
}

}  // namespace spinet::layers
