#include "network/layer_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "connect/draws.hpp"
#include "connect/rule.hpp"
#include "network/lookup.hpp"
#include "network/reading.hpp"

namespace spinet {

std::optional<std::uint32_t> parameter_of(const Model& m, std::string_view name) {
  for (std::uint32_t i = 0; i < m.params.count; ++i)
    if (reading::field(m.params, i).name == name) return i;
  return {};
}

std::optional<std::uint32_t> whole_population(const Network& n, const std::vector<GidRange>& ends) {
  if (ends.size() != 1) return {};
  const std::uint32_t p = population_of(n, ends[0].first);
  if (n.populations[p].first != ends[0].first || n.populations[p].size != ends[0].count) return {};
  return p;
}

std::optional<std::uint32_t> images_of(const Network& n) {
  for (std::uint32_t p = 0; p < n.populations.size(); ++p) {
    const NeuronTable* const t = n.populations[p].model ? n.populations[p].neuron() : nullptr;
    if (t && t->environment && n.populations[p].shape) return p;
  }
  return {};
}

std::optional<Showing> showing_of(const Network& n) {
  const auto images = images_of(n);
  if (!images) return {};
  const Population& p = n.populations[*images];
  const auto value = [&](std::string_view name) {
    const auto i = parameter_of(*p.model, name);
    return i && p.params[*i].kind == Distribution::Kind::constant ? p.params[*i].a : 0;
  };
  const auto ticks = [&](double ms) { return static_cast<Tick>(std::llround(ms * n.ticks_per_ms())); };
  Showing s;
  s.population = *images;
  s.code = static_cast<encoding::Code>(value("encoding"));
  if (s.in_steps()) s.steps = static_cast<std::uint32_t>(value("steps"));
  s.step = value("step");
  s.onset = ticks(value("onset"));
  s.period = ticks(value("period"));
  s.read = s.period - std::min(s.period, std::max<Tick>(1, ticks(value("latency"))));
  s.tau_out = value("tau_out");
  s.surrogate = static_cast<int>(value("surrogate"));
  s.slope = value("slope");
  return s;
}

bool can_spike(const Model& m) {
  const std::string_view name = m.name;
  return name == "lif_delta" || name == "integrator";
}

namespace {

bool in_steps(const Network& n) {
  const auto s = showing_of(n);
  return s && s->in_steps();
}

}  // namespace

bool learns(const Network& n, std::uint32_t p) {
  const Projection& q = n.projections[p];
  if (!q.rule || !q.rule->learns()) return false;
  const auto target = whole_population(n, q.targets);
  const NeuronTable* const t = target ? n.populations[*target].neuron() : nullptr;
  if (!t || t->environment) return false;
  return parameter_of(t->model, "bias") || (can_spike(t->model) && in_steps(n));
}

Trained trained_of_projection(const Network& n, std::uint32_t p) {
  const Projection& q = n.projections[p];
  Trained t;
  if (learns(n, p)) t.weights = q.rule->weights(Ends(n, q));
  if (!q.preparation.normalise) return t;
  const auto source = whole_population(n, q.sources);
  const bool by_channel = !q.numbers.empty() && source && n.populations[*source].shape;
  t.normalisation = 2 * (by_channel ? n.populations[*source].shape->channels : q.source_count());
  return t;
}

Trained trained_of_population(const Network& n, std::uint32_t p) {
  const Population& q = n.populations[p];
  Trained t;
  bool by_channel = false, by_neuron = false;
  for (std::uint32_t k = 0; k < n.projections.size(); ++k) {
    if (!learns(n, k) || whole_population(n, n.projections[k].targets) != p) continue;
    (n.projections[k].numbers.empty() ? by_neuron : by_channel) = true;
  }
  if ((by_channel || by_neuron) && in_steps(n)) by_channel = by_neuron = false;
  if (by_channel) t.biases = q.shape->channels;
  else if (by_neuron) t.biases = q.size;
  if (q.curves) t.read_out = q.curves->curves.size() + 1;
  return t;
}

Parameters parameters_of(const Network& n) {
  Parameters all;
  std::set<std::uint32_t> trained, fixed;  // populations in which such weights end
  for (std::uint32_t p = 0; p < n.projections.size(); ++p) {
    const bool stays = n.projections[p].preparation.fixed;
    (stays ? all.fixed : all.trained) += trained_of_projection(n, p).all();
    if (learns(n, p)) (stays ? fixed : trained).insert(*whole_population(n, n.projections[p].targets));
  }
  const bool any = !trained.empty() || !fixed.empty();
  for (std::uint32_t p = 0; p < n.populations.size(); ++p) {  // there may be 100,000, none of them a layer
    if (!any && !n.populations[p].curves) continue;
    const bool stays = fixed.contains(p) && !trained.contains(p);
    (stays ? all.fixed : all.trained) += trained_of_population(n, p).all();
  }
  return all;
}

namespace {

float drawn(const Sampler& from, RandomKey key, std::uint64_t number) {
  const Words w = draw(key, number, 0);
  return static_cast<float>(from(uniform01(w[0], w[1])));
}

}  // namespace

void draw_layers(Network& n) {
  for (std::uint32_t p = 0; p < n.projections.size(); ++p) {
    auto& weights = n.projections[p].shared_weights;
    if (weights.empty() || n.projections[p].rule->lists()) continue;
    const Sampler from(n.projections[p].state[0]);
    const RandomKey key = stream_key(n.projection_identity(p), Purpose::shared_weight);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>(drawn(from, key, i));
  }
  for (std::uint32_t p = 0; p < n.populations.size(); ++p) {
    Population& q = n.populations[p];
    if (!q.bias_from) continue;
    const Sampler from(*q.bias_from);
    const RandomKey key = stream_key(n.population_identity(p), Purpose::bias);
    Distribution& biases = q.params[*parameter_of(*q.model, "bias")];
    const std::size_t channels = trained_of_population(n, p).biases, area = q.size / channels;
    biases = {Distribution::Kind::listed};
    for (std::size_t c = 0; c < channels; ++c)
      biases.values.insert(biases.values.end(), area, static_cast<double>(drawn(from, key, c)));
  }
}

bool as_drawn(const Network& n) {
  const auto shares = [](const Projection& p) { return !p.shared_weights.empty(); };
  if (std::none_of(n.projections.begin(), n.projections.end(), shares)) return false;
  Network again = n;
  draw_layers(again);
  for (std::size_t p = 0; p < n.projections.size(); ++p)
    if (n.projections[p].shared_weights != again.projections[p].shared_weights) return false;
  return true;
}

namespace {

/// The way of an image through the layers.
class Ways {
 public:
  Ways(const Network& n, std::uint32_t images) : n_(n), images_(images), in_steps_(in_steps(n)) {
    for (std::uint32_t p = 0; p < n.projections.size(); ++p) {
      const Projection& q = n.projections[p];
      for (const auto& s : q.sources)
        for (const auto& t : q.targets)
          if (const std::uint32_t to = population_of(n, t.first); layer(to))
            ways_.push_back({p, population_of(n, s.first), to});
    }
    std::stable_sort(ways_.begin(), ways_.end(), [](const Way& a, const Way& b) { return a.from < b.from; });
  }
  LayerTimes operator()() {
    LayerTimes all;
    all.answer.resize(n_.populations.size());
    std::vector<std::uint32_t> waits(n_.populations.size(), 0);  // ways that come from the image
    std::vector<bool> reached(n_.populations.size(), false);
    std::vector<std::uint32_t> next{images_};
    reached[images_] = true;
    while (!next.empty()) {
      const std::uint32_t p = next.back();
      next.pop_back();
      for (const Way& w : from(p)) {
        ++waits[w.to];
        if (!reached[w.to]) next.push_back(w.to);
        reached[w.to] = true;
      }
    }
    std::vector<std::uint32_t> by(n_.populations.size(), 0);  // the projection that gave the time
    all.answer[images_] = 0;
    all.order.push_back(images_);
    for (std::size_t i = 0; i < all.order.size(); ++i)
      for (const Way& w : from(all.order[i])) {
        go(w, all, by);
        if (--waits[w.to] == 0) all.order.push_back(w.to);
      }
    for (const Way& w : ways_)
      if (reached[w.from] && waits[w.to] != 0 && waits[w.from] != 0) {
        all.faults.push_back({w.projection,
                              fmt::format("layers are connected in a loop: '{}' hears of itself through '{}'",
                                          n_.populations[w.from].name, n_.populations[w.to].name),
                              "a layer answers once to an image; its sources come before it"});
        break;
      }
    return all;
  }

 private:
  struct Way {
    std::uint32_t projection, from, to;
  };
  bool layer(std::uint32_t p) const {
    const Population& q = n_.populations[p];
    return p != images_ && q.model && q.neuron() &&
           (parameter_of(*q.model, "phase") || (in_steps_ && can_spike(*q.model)));
  }
  std::span<const Way> from(std::uint32_t p) const {
    const auto first = std::lower_bound(ways_.begin(), ways_.end(), p,
                                        [](const Way& w, std::uint32_t of) { return w.from < of; });
    const auto last = std::find_if(first, ways_.end(), [p](const Way& w) { return w.from != p; });
    return {first, last};
  }
  void go(const Way& w, LayerTimes& all, std::vector<std::uint32_t>& by) const {
    const Projection& q = n_.projections[w.projection];
    if (q.listed_delays || q.delay.kind != Distribution::Kind::constant) {
      all.faults.push_back({w.projection,
                            fmt::format("the delays of '{}' differ, and '{}' answers once to an image",
                                        q.name, n_.populations[w.to].name),
                            "one delay for all synapses between layers"});
      return;
    }
    if (!all.answer[w.from]) return;
    const Tick at = *all.answer[w.from] + static_cast<Tick>(q.delay.a);
    auto& answer = all.answer[w.to];
    if (!answer) answer = at, by[w.to] = w.projection;
    if (*answer == at) return;
    const auto time = [&](Tick t) { return static_cast<double>(t) / n_.ticks_per_ms(); };
    all.faults.push_back(
        {w.projection,
         fmt::format(
             "'{}' hears of an image after {} ms through '{}' and after {} ms through '{}'; it answers once",
             n_.populations[w.to].name, time(*answer), n_.projections[by[w.to]].name, time(at), q.name),
         "all ways to a layer take equally long: give the shorter one a longer delay"});
  }
  const Network& n_;
  const std::uint32_t images_;
  const bool in_steps_;
  std::vector<Way> ways_;
};

}  // namespace

LayerTimes layer_times(const Network& n, std::uint32_t images) { return Ways(n, images)(); }

}  // namespace spinet
