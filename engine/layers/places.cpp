#include "layers/places.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace spinet::layers {
namespace {

[[noreturn]] void misfit(const Plan& plan, const Connection& c, const char* what) {
  throw std::invalid_argument("layers: " + plan.layers[c.source].name + " to " + plan.layers[c.target].name +
                              ": " + what);
}

/// Do images come as spikes?
bool images_spike(const Plan& plan) {
  return plan.code != encoding::Code::graded && plan.code != encoding::Code::current;
}

struct Placing {
  const Plan& plan;
  std::size_t (*packed_size)(std::uint32_t, std::uint32_t, std::uint32_t);
  Places places;

  std::size_t take(std::size_t vectors) {
    const std::size_t at = places.pack;
    places.pack += vectors;
    return at;
  }
  std::size_t take_shared(std::size_t numbers) {
    const std::size_t at = places.shared;
    places.shared += (numbers + 15) / 16 * 16;
    return at;
  }

  void layer(std::size_t i) {
    const Layer& l = plan.layers[i];
    LayerPlace& p = places.layers[i];
    const std::size_t size = l.shape.size();
    while (p.last < plan.connections.size() && plan.connections[p.last].target < i) ++p.last;
    p.first = p.last;
    for (; p.last < plan.connections.size() && plan.connections[p.last].target == i; ++p.last)
      if (const auto source = plan.connections[p.last].source; source < i)
        p.x_steps = std::max(p.x_steps, places.layers[source].steps);
    const bool has_steps = l.answer == Answer::lif || (i == 0 && images_spike(plan));
    p.steps = has_steps ? plan.steps : p.x_steps;
    if (i > 0 && p.first == p.last) throw std::invalid_argument("layers: " + l.name + " hears nothing");
    p.x = take(p.x_steps * size);
    p.answer = l.answer == Answer::em || has_steps ? take(p.steps * size) : p.x;
    p.gradient = take(p.steps * size);
    if (l.answer == Answer::lif) p.potential = take(p.steps * size);
    places.widest = std::max(places.widest, size);
    if (l.answer == Answer::em) check_em(l);
    if (l.bias.count != 0 && (size % l.bias.count != 0 || l.bias.first + l.bias.count > plan.parameters))
      throw std::invalid_argument("layers: " + l.name + ": biases that do not fit its neurons");
    if (l.maximum && (p.last - p.first != 1 || plan.connections[p.first].join != Join::max_pool))
      throw std::invalid_argument("layers: " + l.name + ": a maximum has one connection, a max pool");
    if (l.bias.count != 0 && l.maximum)
      throw std::invalid_argument("layers: " + l.name + ": a maximum has no biases");
  }
  void check_em(const Layer& l) const {
    bool fits = l.read_out.count == l.curves.curves.size() + 1 && l.curves.taus.size() <= most_terms &&
                l.read_out.first + l.read_out.count <= plan.parameters;
    for (const Curve& c : l.curves.curves) fits &= c.amplitudes.size() == l.curves.taus.size();
    if (!fits) throw std::invalid_argument("layers: " + l.name + ": curves that do not fit their read-out");
  }

  void connection(std::size_t i) {
    const Connection& c = plan.connections[i];
    if (c.source >= c.target || c.target >= plan.layers.size()) throw std::invalid_argument("layers: order");
    if (!(c.dropout >= 0 && c.dropout < 1)) misfit(plan, c, "a dropout that is no share below 1");
    ConnectionPlace& p = places.connections[i];
    const LayerPlace& source = places.layers[c.source];
    const Shape &from = plan.layers[c.source].shape, &to = plan.layers[c.target].shape;
    p.changed = c.normalisation.on || c.dropout > 0;
    p.sent = p.changed ? take(source.steps * from.size()) : source.answer;
    p.back = p.changed ? take(source.steps * from.size()) : source.gradient;
    if (c.dropout > 0) p.mask = take(from.size());
    p.units = c.normalisation.on ? c.normalisation.scale.count : 1;
    if (p.units == 0 || from.size() % p.units != 0) misfit(plan, c, "a normalisation that does not fit");
    p.area = from.size() / p.units;
    if (p.changed) p.norms = take_shared(norms_count * p.units);
    const bool pools = c.join == Join::average_pool || c.join == Join::sum_pool || c.join == Join::max_pool;
    if (c.join == Join::convolution || pools) window(c, p);
    const auto tiles = [&](int d) {
      const Geometry& g = p.geometry;
      return g.padding[d] == 0 && g.dilation[d] == 1 && g.stride[d] == g.size[d] &&
             g.in[d] == g.out[d] * g.size[d];
    };
    p.covers = pools && c.join != Join::max_pool && source.leave == 1 && !p.changed && tiles(0) && tiles(1);
    if (p.covers) places.layers[c.source].covered = true;
    if (pools && from.channels != to.channels) misfit(plan, c, "a pool of other channels");
    if ((c.join == Join::max_pool) != plan.layers[c.target].maximum) misfit(plan, c, "a max pool of sums");
    if (c.join == Join::one_to_one && from.size() != to.size()) misfit(plan, c, "layers of different sizes");
    if (c.join == Join::dense && c.weights.count != from.size() * to.size())
      misfit(plan, c, "weights that do not fit");
    if (c.weights.first + c.weights.count > plan.parameters) misfit(plan, c, "weights out of range");
  }

  void window(const Connection& c, ConnectionPlace& p) {
    const Shape &from = plan.layers[c.source].shape, &to = plan.layers[c.target].shape;
    const Window& w = c.window;
    Geometry& g = p.geometry;
    const std::uint32_t in[2] = {from.height, from.width}, out[2] = {to.height, to.width};
    for (int d = 0; d < 2; ++d) {
      const std::uint64_t reach = std::uint64_t{w.size[d] - 1} * w.dilation[d] + 1;
      const std::uint64_t room = std::uint64_t{in[d]} + 2ull * w.padding[d];
      if (w.size[d] == 0 || w.stride[d] == 0 || room < reach || (room - reach) / w.stride[d] + 1 != out[d])
        misfit(plan, c, "a window that does not fit");
      g.in[d] = in[d], g.out[d] = out[d], g.size[d] = w.size[d], g.stride[d] = w.stride[d];
      g.padding[d] = w.padding[d], g.dilation[d] = w.dilation[d];
    }
    if (c.join == Join::convolution) convolution(c, p);
  }
  void convolution(const Connection& c, ConnectionPlace& p) {
    const Shape &from = plan.layers[c.source].shape, &to = plan.layers[c.target].shape;
    const Window& w = c.window;
    const std::uint32_t groups = w.groups, taps = w.size[0] * w.size[1];
    if (groups == 0 || from.channels % groups != 0 || to.channels % groups != 0 ||
        c.weights.count != std::size_t{to.channels} * (from.channels / groups) * taps)
      misfit(plan, c, "weights or groups that do not fit");
    const std::uint32_t ins = from.channels / groups, outs = to.channels / groups;
    p.packed = take_shared(groups * packed_size(outs, ins, taps));
    p.packed_back = take_shared(groups * packed_size(ins, outs, taps));
    std::size_t ahead = from.channels, back = to.channels;
    for (int d = 0; d < 2; ++d) {
      p.geometry.in[d] += 2 * w.padding[d];
      ahead *= p.geometry.in[d];
      back *= (d == 0 ? from.height : from.width) + (w.size[d] - 1) * w.dilation[d];
    }
    places.padded = std::max({places.padded, ahead, back});
    const std::size_t biases = plan.layers[c.target].bias.count;
    const LayerPlace& target = places.layers[c.target];
    p.folds = c.source == 0 && !images_spike(plan) && groups == 1 && target.last - target.first == 1 &&
              c.dropout == 0 && w.padding[0] == 0 && w.padding[1] == 0 && places.layers[0].leave == 1 &&
              (biases == 0 || biases == to.channels);
    if (!p.folds) return;
    const std::size_t numbers = std::size_t{outs} * (taps + 1);
    p.folded =
        take_shared(numbers + packed_size(outs, 1, taps) + 2 * std::size_t{ins} + most_halves * numbers);
  }
};

}  // namespace

Places places_of(const Plan& plan, std::size_t (*packed_size)(std::uint32_t, std::uint32_t, std::uint32_t)) {
  if (plan.layers.size() < 2 || plan.steps == 0) throw std::invalid_argument("layers: nothing to train");
  Placing placing{plan, packed_size, {}};
  placing.places.layers.resize(plan.layers.size());
  placing.places.connections.resize(plan.connections.size());
  for (const Connection& c : plan.connections)
    if (c.source < plan.layers.size()) ++placing.places.layers[c.source].leave;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) placing.layer(i);
  for (std::size_t i = 0; i < plan.connections.size(); ++i) placing.connection(i);
  Places& p = placing.places;
  for (std::size_t i = 0; i < plan.connections.size(); ++i) {
    if (plan.connections[i].join == Join::dense) p.dense.push_back(plan.connections[i].weights);
    p.folds |= p.connections[i].folds;
  }
  std::sort(p.dense.begin(), p.dense.end(), [](const Part& a, const Part& b) { return a.first < b.first; });
  const std::uint32_t steps = p.layers.back().steps;
  if (!plan.left.empty() && plan.left.size() != steps)
    throw std::invalid_argument("layers: as many steps in which outputs leak as they have");
  return std::move(p);
}

}  // namespace spinet::layers
