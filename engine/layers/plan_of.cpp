#include "layers/plan_of.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "connect/draws.hpp"
#include "connect/rule.hpp"
#include "connect/window.hpp"
#include "layers/spiking.hpp"
#include "network/layer_numbers.hpp"

namespace spinet::layers {
namespace {

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> reason, Args&&... args) {
  throw NotLayered(fmt::format(reason, std::forward<Args>(args)...));
}

class Planner {
 public:
  explicit Planner(const Network& n) : n_(n) {}

  Layered operator()() {
    try {
      return made();
    } catch (NotLayered& e) {
      e.place = at_;
      throw;
    }
  }

 private:
  Layered made() {
    const auto images = images_of(n_);
    if (!images) refuse("the network has no population of images: an environment with a 'shape'");
    for (std::uint32_t p = *images + 1; p < n_.populations.size(); ++p)
      if (const NeuronTable* t = n_.populations[p].neuron(); t && t->environment && n_.populations[p].shape) {
        at_ = n_.populations[p].named_at;
        refuse("'{}' and '{}' both show images, and training knows one population that does",
               n_.populations[*images].name, n_.populations[p].name);
      }
    shown_ = *showing_of(n_);
    for (const Population& p : n_.populations)
      if (p.shape && can_spike(*p.model)) at_ = p.named_at, spiking_of(n_, p, shown_);
    const LayerTimes times = layer_times(n_, *images);
    if (!times.faults.empty()) {
      at_ = n_.projections[times.faults[0].projection].named_at;
      refuse("{}", times.faults[0].reason);
    }
    place_.resize(n_.populations.size());
    for (const std::uint32_t p : times.order) {
      place_[p] = static_cast<std::uint32_t>(plan().layers.size());
      plan().layers.push_back(layer(p, p == *images));
    }
    for (std::uint32_t p = 0; p < n_.projections.size(); ++p) join(p, *images);
    check_outputs();
    show(times);
    std::stable_sort(plan().connections.begin(), plan().connections.end(),
                     [](const Connection& a, const Connection& b) {
                       return a.target != b.target ? a.target < b.target : a.source < b.source;
                     });
    number();
    return std::move(made_);
  }

  Plan& plan() { return made_.plan; }
  TextPlace place_of(std::size_t layer) const {
    return n_.populations[made_.plan.layers[layer].population].named_at;
  }
  Model& model() { return made_.initial; }

  Layer layer(std::uint32_t p, bool images) const {
    const Population& q = n_.populations[p];
    at_ = q.named_at;
    Layer l;
    l.name = q.name;
    l.population = p;
    l.shape = q.shape.value_or(Shape{q.size, 1, 1});
    if (images) return l;
    const std::string_view name = q.model->name;
    if (name == "relu") l.answer = Answer::relu;
    else if (name == "em_activation") l.answer = Answer::em;
    else if (name == "maximum") l.maximum = true;
    else if (can_spike(*q.model)) l.answer = Answer::lif, l.spiking = spiking_of(n_, q, shown_);
    else if (name != "linear")
      refuse(
          "'{}' is of model {}, which cannot be trained; relu, linear, em_activation and maximum can, and "
          "lif_delta and integrator",
          q.name, name);
    if (l.answer == Answer::em && shown_.in_steps())
      refuse("'{}' is of model {}, whose silence is an answer, and images come in steps", q.name, name);
    if (l.answer != Answer::lif)
      l.converter = {static_cast<std::uint32_t>(fixed_parameter(q, "adc_bits")),
                     fixed_parameter(q, "adc_range")};
    if (l.answer != Answer::em) return l;
    if (!q.curves) refuse("'{}' has no 'curves' that training could read out", q.name);
    l.curves = *q.curves;
    l.curves.gain = fixed_parameter(q, "gain");
    l.curves.n_min = fixed_parameter(q, "n_min");
    l.curves.n_max = fixed_parameter(q, "n_max");
    l.whole = fixed_parameter(q, "mode") != 0;
    return l;
  }
  double fixed_parameter(const Population& q, std::string_view name) const {
    const Distribution& d = q.params[*parameter_of(*q.model, name)];
    if (d.kind != Distribution::Kind::constant) refuse("'{}' of '{}' must be one number", name, q.name);
    return d.a;
  }

  /// Projection `p`, if it is between layers.
  void join(std::uint32_t p, std::uint32_t images) {
    const Projection& q = n_.projections[p];
    at_ = q.named_at;
    const auto source = whole_population(n_, q.sources), target = whole_population(n_, q.targets);
    const auto is_layer = [&](const std::optional<std::uint32_t>& of) { return of && place_[*of]; };
    const Population& shown = n_.populations[images];
    if (std::all_of(q.targets.begin(), q.targets.end(),
                    [&](const GidRange& r) { return r.first - shown.first < shown.size; })) {
      if (is_layer(source)) check_answers(q, shown);
      if (is_layer(source)) answered_.push_back({*place_[*source], static_cast<Tick>(q.delay.a)});
      return;
    }
    if (!is_layer(target)) {
      for (const GidRange& r : q.targets)
        for (std::uint32_t k = 0; k < n_.populations.size(); ++k)
          if (place_[k] && r.first - n_.populations[k].first < n_.populations[k].size)
            refuse("'{}' ends in a part of layer '{}'", q.name, n_.populations[k].name);
      if (is_layer(source))
        refuse("'{}' goes from layer '{}' to what is no layer", q.name, n_.populations[*source].name);
      return;
    }
    if (!is_layer(source))
      refuse("'{}' brings layer '{}' what does not come from images", q.name, n_.populations[*target].name);
    plan().connections.push_back(connection(p, *place_[*source], *place_[*target]));
  }

  /// A trainer compares the outputs as they are with the label, member by member.
  void check_answers(const Projection& q, const Population& shown) const {
    const Distribution& w = q.state[0];
    const bool as_they_are = std::string_view(q.rule->format.name) == "one_to_one" && q.targets.size() == 1 &&
                             q.targets[0].first == shown.first && !q.synapse->on_pre &&
                             !q.synapse->on_control && !q.listed_weights &&
                             w.kind == Distribution::Kind::constant && w.a == 1;
    if (!as_they_are)
      refuse(
          "'{}' brings answers back to '{}' otherwise than one_to_one, from its first member on, with weight "
          "1: the answers that are trained would not be those of a run",
          q.name, shown.name);
  }

  Connection connection(std::uint32_t p, std::uint32_t source, std::uint32_t target) const {
    const Projection& q = n_.projections[p];
    Connection c;
    c.name = q.name;
    c.projection = p;
    c.source = source, c.target = target;
    c.dropout = q.preparation.dropout;
    c.fixed = q.preparation.fixed;
    c.normalisation.on = q.preparation.normalise;
    if (c.normalisation.on && shown_.in_steps())
      refuse("'{}' normalises, which makes biases, and layers of images that come in steps have none",
             q.name);
    c.normalisation.momentum = q.preparation.momentum;
    c.normalisation.epsilon = q.preparation.epsilon;
    const std::string_view rule = q.rule->format.name;
    if (rule == "dense") c.join = Join::dense;
    else if (rule == "convolution") c.join = Join::convolution;
    else if (rule == "one_to_one") c.join = Join::one_to_one;
    else if (rule == "pool")
      c.join = q.rule->greatest(q)     ? Join::max_pool
               : q.rule->share(q) != 1 ? Join::average_pool
                                       : Join::sum_pool;
    else
      refuse("'{}' connects by {}; layers are connected by dense, convolution, pool and one_to_one", q.name,
             rule);
    if (rule == "convolution" || rule == "pool") c.window = sliding::window_of(q);
    if (q.synapse->on_pre || q.synapse->on_control)
      refuse("'{}' has synapses of model {}; those that are trained are static", q.name,
             q.synapse->model.name);
    if (q.rule->learns()) {
      if (q.shared_weights.empty()) refuse("'{}' takes its weights from a file", q.name);
      return c;
    }
    const Distribution& w = q.state[0];
    if (w.kind != Distribution::Kind::constant ||
        static_cast<float>(w.a) != static_cast<float>(q.rule->share(q)))
      refuse("'{}' has a weight; those of {} are 1", q.name, rule);
    return c;
  }

  /// The last layer is the only one that nothing goes on from, and where there are answers, theirs.
  void check_outputs() const {
    std::vector<bool> goes_on(made_.plan.layers.size(), false);
    for (const Connection& c : made_.plan.connections) goes_on[c.source] = true;
    for (std::size_t i = 0; i + 1 < goes_on.size(); ++i)
      if (at_ = place_of(i); !goes_on[i])
        refuse("'{}' and '{}' both are outputs: nothing goes on from them", made_.plan.layers[i].name,
               made_.plan.layers.back().name);
    for (std::size_t i = 0; i < made_.plan.layers.size(); ++i) {
      if (!made_.plan.layers[i].maximum) continue;
      at_ = place_of(i);
      std::size_t all = 0, pools = 0;
      for (const Connection& c : made_.plan.connections)
        if (c.target == i) ++all, pools += c.join == Join::max_pool;
      if (all != 1 || pools != 1)
        refuse(
            "'{}' is of model maximum, which can be trained where one max pool ends in it and nothing else",
            made_.plan.layers[i].name);
    }
    at_ = place_of(made_.plan.layers.size() - 1);
    if (made_.plan.layers.size() == 1) refuse("'{}' sends images to no layer", made_.plan.layers[0].name);
    for (const Answers& a : answered_)
      if (a.layer + 1 != made_.plan.layers.size())
        refuse("the answers come from '{}', and the last layer is '{}'", made_.plan.layers[a.layer].name,
               made_.plan.layers.back().name);
  }

  /// How images come in over time, and their answers go out.
  void show(const LayerTimes& times) {
    at_ = place_of(0);
    plan().code = shown_.code;
    plan().steps = shown_.steps;
    plan().step = shown_.step;
    const bool spikes = std::any_of(plan().layers.begin(), plan().layers.end(),
                                    [](const Layer& l) { return l.answer == Answer::lif; });
    if (shown_.code == encoding::Code::current && !spikes)
      refuse("'{}' shows images as currents, and no layer integrates them: lif_delta and integrator do",
             plan().layers[0].name);
    if (answered_.empty()) return;
    plan().left = left_of_answers(shown_, *times.answer[plan().layers.back().population],
                                  answered_.front().delay, n_.ticks_per_ms());
  }

  // --- where numbers lie, and what they are at first

  Part parameters(std::size_t count) {
    const Part part{plan().parameters, count};
    plan().parameters += count;
    return part;
  }
  Part statistics(std::size_t count, float value) {
    const Part part{plan().statistics, count};
    plan().statistics += count;
    model().statistics.insert(model().statistics.end(), count, value);
    return part;
  }
  void fill(std::size_t count, float value) {
    model().parameters.insert(model().parameters.end(), count, value);
  }

  void number() {
    auto c = plan().connections.begin();
    for (std::uint32_t t = 1; t < plan().layers.size(); ++t) {
      for (; c != plan().connections.end() && c->target == t; ++c) number(*c);
      number(plan().layers[t], t);
    }
  }
  void number(Connection& c) {
    const Projection& q = n_.projections[c.projection];
    if (Normalisation& n = c.normalisation; n.on) {
      const std::size_t count = trained_of_projection(n_, c.projection).normalisation / 2;
      n.scale = parameters(count), fill(count, 1);
      n.shift = parameters(count), fill(count, 0);
      n.mean = statistics(count, 0);
      n.variance = statistics(count, 1);
    }
    if (!q.rule->learns()) return;
    c.weights = parameters(q.shared_weights.size());
    for (const double w : q.shared_weights) model().parameters.push_back(static_cast<float>(w));
  }
  void number(Layer& l, std::uint32_t) {
    const Population& q = n_.populations[l.population];
    at_ = q.named_at;
    const Trained trained = trained_of_population(n_, l.population);
    l.bias = parameters(trained.biases);
    if (const auto bias = parameter_of(*q.model, "bias")) take_biases(l, q.params[*bias]);
    if (l.answer != Answer::em) return;
    l.read_out = parameters(trained.read_out);
    const double width = 1 / std::sqrt(static_cast<double>(l.curves.curves.size()));
    const Sampler from({Distribution::Kind::uniform, -width, width});
    const RandomKey key = stream_key(n_.population_identity(l.population), Purpose::read_out);
    for (std::size_t i = 0; i < l.read_out.count; ++i) {
      const Words w = draw(key, i, 0);
      model().parameters.push_back(static_cast<float>(from(uniform01(w[0], w[1]))));
    }
  }
  void take_biases(const Layer& l, const Distribution& d) {
    const auto of = [&](std::size_t neuron) {
      return static_cast<float>(d.kind == Distribution::Kind::listed ? d.values[neuron] : d.a);
    };
    if (shown_.in_steps() && (d.kind != Distribution::Kind::constant || d.a != 0))
      refuse("'{}' has a bias, and layers of images that come in steps have none", l.name);
    const std::size_t each = l.bias.count ? l.shape.size() / l.bias.count : 0;
    if (d.kind != Distribution::Kind::constant && d.kind != Distribution::Kind::listed)
      refuse("the bias of '{}' is drawn, and no weights end there that are trained", l.name);
    for (std::size_t neuron = 0; neuron < l.shape.size(); ++neuron)
      if (each == 0 ? of(neuron) != 0 : of(neuron) != of(neuron / each * each)) {
        if (each == 0) refuse("'{}' has a bias, and no weights end there that are trained", l.name);
        refuse("the biases of '{}' differ within a channel, where a convolution ends", l.name);
      }
    for (std::size_t i = 0; i < l.bias.count; ++i) model().parameters.push_back(of(i * each));
  }

  const Network& n_;
  Layered made_;
  std::vector<std::optional<std::uint32_t>> place_;  ///< of a population among the layers
  struct Answers {
    std::uint32_t layer;
    Tick delay;
  };
  std::vector<Answers> answered_;  ///< what goes back to the images
  Showing shown_;
  mutable TextPlace at_{};  ///< of what is looked at
};

}  // namespace

Layered layered(const Network& n) { return Planner(n)(); }

}  // namespace spinet::layers
