// Layers: shapes, what prepares their inputs, and what follows from all of a network.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "connect/rule.hpp"
#include "connect/window.hpp"
#include "network/layer_numbers.hpp"
#include "network/lookup.hpp"
#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr std::uint64_t most_neurons = 1u << 28;  // of a layer

constexpr Key normalise_entry_keys[] = {
    {"momentum", false, "number", "weight of the newest batch in the running mean and variance (0.1)"},
    {"epsilon", false, "number", "added to the variance (1e-5)"},
};

bool read_normalise(Reader& r, const Node& given, layers::Preparation& to) {
  const Node& n = r.resolved(given);
  constexpr const char* form = "normalise: batch, or normalise: {batch: {momentum: 0.1}}";
  const bool named = n.is_map() && n.keys.size() == 1;
  const std::string name = n.is_scalar() ? n.text : named ? n.keys[0].name : "";
  if (name != "batch") {
    r.errors.error(named ? n.keys[0].mark : n.mark,
                   name.empty() ? fmt::format("'normalise' must be 'batch', not {}", kind_name(n))
                                : fmt::format("there is no normalisation {}", in_quotes(name)),
                   form);
    return false;
  }
  to.normalise = true;
  if (!named) return true;
  const Node& numbers = r.resolved(n.items[0]);
  if (!r.map(numbers, normalise_entry_keys, "'batch'", n.keys[0].mark) || !numbers.is_map()) return false;
  bool good = true;
  const auto take = [&](const Wanted& w, double& x) {
    const Node* const v = numbers.find(w.what);
    const auto y = v ? r.number(*v, w) : std::optional(x);
    good = good && y;
    x = y.value_or(x);
  };
  take({"momentum", "1", 0, 1, low_open}, to.momentum);
  take({"epsilon", "1", 0, 1, low_open}, to.epsilon);
  return good;
}

/// Layers that a projection of a rule for the greatest ends in: how many inputs each neuron has.
class Inputs {
 public:
  explicit Inputs(Loading& l) : l_(l) {}
  void all() {
    for (std::uint32_t p = 0; p < l_.net.projections.size(); ++p) {
      const Projection& q = l_.net.projections[p];
      if (l_.projections.flawed[p] || !q.rule->greatest(q)) continue;
      Population& target = l_.net.populations[*whole_population(l_.net, q.targets)];
      if (const auto inputs = parameter_of(*target.model, "inputs")) count(q, target.params[*inputs]);
      else
        l_.read.errors.error(
            l_.projections.marks[p],
            fmt::format("the targets of a max pool answer with the greatest of their inputs; {} is of "
                        "model {}",
                        in_quotes(target.name), target.model->name),
            "model: maximum");
    }
  }

 private:
  void count(const Projection& q, Distribution& inputs) const {
    if (!is_auto(inputs.a)) return;
    const layers::Window w = sliding::window_of(q);
    const layers::Shape &from = *sliding::shaped(l_.net, q.sources)->shape,
                        &to = *sliding::shaped(l_.net, q.targets)->shape;
    if (w.padding[0] == 0 && w.padding[1] == 0) {
      inputs.a = double{1} * w.size[0] * w.size[1];
      return;
    }
    inputs = {Distribution::Kind::listed};
    for (std::uint32_t i = 0; i < to.size(); ++i) {
      const auto place = static_cast<std::uint32_t>(i % to.area());
      double n = 0;
      sliding::each_covered(w, from, 0, {place / to.width, place % to.width},
                            [&](std::uint32_t, std::uint32_t) { n += 1; });
      inputs.values.push_back(n);
    }
  }
  Loading& l_;
};

/// What a neuron hears through projections that learn; without any, through all.
double fan_in_of(const Network& n, std::uint32_t population) {
  double learned = 0, all = 0;
  for (std::uint32_t p = 0; p < n.projections.size(); ++p) {
    const Projection& q = n.projections[p];
    if (whole_population(n, q.targets) != population) continue;
    const double of = q.rule->fan_in(Ends(n, q));
    all += of;
    if (learns(n, p)) learned += of;
  }
  return learned > 0 ? learned : all;
}

void draw_by_fan_in(Loading& l) {
  for (const ByFanIn& b : l.by_fan_in) {
    const Population& p = l.net.populations[b.population];
    const double n = fan_in_of(l.net, b.population);
    if (n > 0) {
      Distribution& d = l.net.populations[b.population].params[b.parameter];
      d.a /= std::sqrt(n), d.b /= std::sqrt(n);
    } else {
      l.read.errors.error(b.where,
                          fmt::format("no projection ends in {}: there is no fan-in to draw '{}' by",
                                      in_quotes(p.name), field(p.model->params, b.parameter).name),
                          "a number or a distribution");
    }
  }
}

/// Biases of layers are drawn as weights are, so that training begins with what a run does.
void keep_biases(Network& n) {
  for (std::uint32_t p = 0; p < n.populations.size(); ++p) {
    Population& q = n.populations[p];
    const auto bias = q.model ? parameter_of(*q.model, "bias") : std::nullopt;
    if (!bias || trained_of_population(n, p).biases == 0) continue;
    const Distribution& d = q.params[*bias];
    if (d.kind != Distribution::Kind::constant && d.kind != Distribution::Kind::listed) q.bias_from = d;
  }
}

void check_normalised(Loading& l) {
  for (std::uint32_t p = 0; p < l.net.projections.size(); ++p) {
    const Projection& q = l.net.projections[p];
    if (q.preparation.normalise && q.shared_weights.empty())
      l.read.errors.error(
          l.projections.marks[p],
          fmt::format("{}: normalisation is folded into weights, and rule {} with synapses of model {} "
                      "has none to fold it into",
                      in_quotes(q.name), q.rule->format.name, q.synapse->model.name),
          "dense, convolution and pool with static synapses have");
  }
}

bool is_near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)); }

/// Layers that have not been told are told when images come; not where these come in steps, for then silence
/// is no answer.
void tell_times(Loading& l) {
  const auto images = images_of(l.net);
  if (!images || showing_of(l.net)->in_steps()) return;
  const LayerTimes times = layer_times(l.net, *images);
  for (const auto& f : times.faults) l.read.errors.error(l.projections.marks[f.projection], f.reason, f.help);
  const Population& source = l.net.populations[*images];
  const auto period = parameter_of(*source.model, "period");
  if (!period || source.params[*period].kind != Distribution::Kind::constant) return;
  const auto start = parameter_of(*source.model, "start");
  const double first = start ? source.params[*start].a : 0;
  for (const std::uint32_t p : times.order) {
    Population& q = l.net.populations[p];
    if (p == *images) continue;
    Distribution& own = q.params[*parameter_of(*q.model, "period")];
    Distribution& phase = q.params[*parameter_of(*q.model, "phase")];
    const double answers = first + static_cast<double>(*times.answer[p]) / l.net.ticks_per_ms();
    const auto tell = [&](Distribution& d, const char* name, double value) {
      if (is_auto(d.a)) d.a = value;
      else if (d.kind != Distribution::Kind::constant || !is_near(d.a, value))
        l.read.errors.error(l.populations.marks[p],
                            fmt::format("{} is told another {} than images have here: {} ms, not {} ms",
                                        in_quotes(q.name), name, d.a, value),
                            fmt::format("without '{}' it follows from the delays on the way", name));
    };
    tell(own, "period", source.params[*period].a);
    tell(phase, "phase", answers);
  }
}

}  // namespace

std::span<const Key> normalise_keys() { return normalise_entry_keys; }

bool asks_fan_in(const Node& n) { return n.is_map() && n.keys.size() == 1 && n.keys[0].name == "fan_in"; }

std::optional<Distribution> by_fan_in(Reader& r, const Node& n, const Wanted& w, double fan_in) {
  static const std::vector<std::string> known{"uniform", "normal"};
  const auto name = r.text(n.items[0], "fan_in");
  if (!name) return {};
  if (std::find(known.begin(), known.end(), *name) == known.end()) {
    r.errors.error(n.items[0].mark, fmt::format("{} is not drawn by fan-in", in_quotes(*name)),
                   suggest(*name, known, "distributions"));
    return {};
  }
  if (std::isfinite(w.low) || std::isfinite(w.high)) {
    r.errors.error(
        n.mark,
        fmt::format("'{}' must be {}, and what is drawn by fan-in has both signs", w.what, range_text(w)),
        "a number or a distribution");
    return {};
  }
  const double width = 1 / std::sqrt(fan_in);
  if (*name == "uniform") return Distribution{Distribution::Kind::uniform, -width, width};
  return Distribution{Distribution::Kind::normal, 0, width};
}

std::optional<layers::Shape> read_shape(Reader& r, const Node& given) {
  const Node& n = r.resolved(given);
  constexpr const char* form = "[neurons], [rows, columns] or [channels, rows, columns]";
  if (!n.is_list() || n.items.empty() || n.items.size() > 3) {
    r.errors.error(n.mark,
                   "'shape' must be a list of 1 to 3 numbers, not " +
                       (n.is_list() ? fmt::format("of {}", n.items.size()) : kind_name(n)),
                   form);
    return {};
  }
  std::uint32_t sizes[3] = {1, 1, 1};
  std::uint64_t product = 1;
  const std::size_t first = n.items.size() == 2 ? 1 : 0;
  for (std::size_t i = 0; i < n.items.size(); ++i) {
    const auto x = r.integer(n.items[i], "shape", 1, most_neurons);
    if (!x) return {};
    sizes[first + i] = static_cast<std::uint32_t>(*x);
    product = product > most_neurons ? product : product * *x;
  }
  if (product > most_neurons) {
    r.errors.error(n.mark, fmt::format("a shape of more than {} neurons", most_neurons));
    return {};
  }
  return layers::Shape{sizes[0], sizes[1], sizes[2]};
}

bool read_preparation(Reader& r, const Node& projection, layers::Preparation& to) {
  bool good = true;
  if (const Node* n = projection.find("normalise")) good = read_normalise(r, *n, to);
  if (const Node* n = projection.find("dropout")) {
    const auto x = r.number(*n, {"dropout", "1", 0, 1, high_open});
    good = good && x;
    to.dropout = x.value_or(0);
  }
  return good;
}

void load_layers(Loading& l) {
  const auto whole = [](const Names& n) {
    return n.complete && std::count(n.flawed.begin(), n.flawed.end(), true) == 0;
  };
  if (!whole(l.populations) || !whole(l.projections)) return;
  check_normalised(l);
  draw_by_fan_in(l);
  keep_biases(l.net);
  draw_layers(l.net);
  Inputs(l).all();
  tell_times(l);
}

}  // namespace spinet::reading
