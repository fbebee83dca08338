#include "synapse_program.hpp"

#include <algorithm>
#include <cmath>

namespace spinet {
namespace {

constexpr Tick delay = 1'500'000;  // ticks of 1 ns

/// Every stimulus that the model answers, as schedules and environments send them: values all over their
/// ranges.
std::vector<Control> some_controls(const SynapseTable& t, std::uint32_t i, Dice& dice) {
  std::vector<Control> all;
  for (std::uint32_t k = 0; k < t.model.stimulus_count; ++k) {
    const Stimulus& s = t.model.stimuli[k];
    if (s.flags & batched && i % 20 != 17) continue;
    for (const double strength : {1.0, 4.0}) {  // as the fields of devices of their kind, and more
      Control c{k, 0, {}};
      for (std::uint32_t v = 0; v < s.count; ++v) {
        const Field& f = s.fields[v];
        c.value[v] = drawn_in_range(f, dice);
        if (f.flags & integer) continue;
        if (f.flags & lasting) c.value[v] *= 0.01;
        else if (const double more = strength * 5 * c.value[v]; more >= f.low && more <= f.high)
          c.value[v] = more;
      }
      all.push_back(c);
    }
  }
  return all;
}

/// The parameters that a schedule may change, and what it may change them to.
class Settable {
 public:
  explicit Settable(const SynapseTable& t) {
    for (std::uint32_t f = 0; f < t.model.params.count && t.set; ++f) {
      const Field& field = t.model.params.data[f];
      if (!(field.flags & scheduled)) continue;
      fields_.emplace_back(f, &field);
      for (const double x : special_values(field)) special_.emplace_back(f, x);
    }
  }
  /// Of the `k`-th change of a history: drawn ones and, every other time, ends of ranges, all of them by
  /// turns.
  std::vector<std::pair<std::uint32_t, double>> values(std::uint32_t k, Dice& dice) const {
    std::vector<std::pair<std::uint32_t, double>> set;
    constexpr std::uint32_t turns = event_count / 20;
    if (k % 2 == 0)
      for (std::size_t i = k / 2; i < special_.size(); i += turns) set.push_back(special_[i]);
    else
      for (const auto& [f, field] : fields_)
        if (dice.uniform() < 0.7) set.emplace_back(f, drawn_in_range(*field, dice));
    return set;
  }

 private:
  std::vector<std::pair<std::uint32_t, const Field*>> fields_;
  std::vector<std::pair<std::uint32_t, double>> special_;
};

}  // namespace

std::vector<SynapseEvent> synapse_history(const SynapseTable& table, std::uint32_t seed) {
  Dice dice(seed + 10);
  const Settable settable(table);
  std::vector<SynapseEvent> events;
  Tick tick = delay;
  for (std::uint32_t i = 0; i < event_count; ++i) {
    tick += 1 + static_cast<Tick>(5e8 * std::pow(dice.uniform(), 8));
    const double payload = dice.uniform() * 2;
    SynapseEvent e{tick, i % 3 != 0 ? payload : 1.0, {}, {}};
    if (i % 10 == 7)
      for (const Control& c : some_controls(table, i, dice))
        e.controls.push_back({c, SynapseBench::everyone});
    if (i % 10 == 4)
      for (const Control& c : some_controls(table, i, dice))  // what networks may send to single synapses
        if (table.model.stimuli[c.stimulus].flags & wired)
          e.controls.push_back({c, dice.below(synapse_count)});
    if (i % 10 == 2) e.set = settable.values(i / 10, dice);
    events.push_back(std::move(e));
  }
  return events;
}

void SynapseEvent::prepare(SynapseBench& bench) const {
  if (!set.empty()) {
    std::vector<double> params = bench.parameters();
    for (const auto& [f, x] : set) params[f] = x;
    bench.set(tick, params);
  }
  for (const Sent& sent : controls) bench.control(tick, sent.control, sent.to);
}

namespace {

/// Draws what synapses begin with.
class Beginning {
 public:
  Beginning(const SynapseTable& model, const ParameterSet& set, std::uint32_t seed)
      : model_(model), set_(set), seed_(seed) {}
  std::vector<double> operator()(const SynapseTable& t, std::uint32_t i) const {
    const Fields& variables = t.model.variables;
    const std::uint32_t own = variables.count - (t.extras ? t.extras->devices * t.extras->drawn_count : 0);
    Dice dice(seed_ + 5000 + i);
    std::vector<double> values;
    for (std::uint32_t v = 0; v < variables.count; ++v) {
      const Field& f = variables.data[v];
      values.push_back(f.preset);
      if (v >= own || !(f.flags & initial)) continue;
      // Defaults, ends of the range and others, by turns.
      const std::uint32_t turn = (i + v) % 4;
      const bool low = turn == 1 && std::isfinite(f.low) && !(f.flags & low_open),
                 high = turn == 2 && std::isfinite(f.high) && !(f.flags & high_open);
      if (turn != 0) values[v] = low ? f.low : high ? f.high : drawn_in_range(f, dice);
    }
    for (std::uint32_t v = own; v < variables.count; ++v) draw_parameter(t, v, values, dice);
    return values;
  }

 private:
  /// Some percent from what the others have, where the model takes that.
  void draw_parameter(const SynapseTable& t, std::uint32_t v, std::vector<double>& values, Dice& dice) const {
    const Field& f = t.model.variables.data[v];
    const double x = f.preset * (0.95 + 0.1 * dice.uniform());
    if (!(x > f.low && x < f.high)) return;
    values[v] = x;
    std::vector<std::byte> state(t.state_size);
    for (std::uint32_t k = 0; k < t.model.variables.count; ++k)
      put(state.data(), t.model.variables.data[k], values[k]);
    for (std::uint32_t d = 0; d < t.extras->devices && t.check; ++d) {
      Fenced own = set_.bytes(model_.model.params, model_.params_size);
      t.extras->put_drawn(state.data(), d, own.data());
      if (t.check(own.data())) values[v] = f.preset;
    }
  }
  const SynapseTable& model_;
  const ParameterSet& set_;
  std::uint32_t seed_;
};

}  // namespace

SynapseBench synapses_of(const SynapseTable& table, const ParameterSet& set, std::uint32_t seed,
                         const Identity& who, std::pair<std::uint32_t, std::uint32_t> which) {
  SynapseSetting setting;
  setting.params = set.values;
  for (std::uint32_t f = 0; f < table.model.params.count && set.spreads; ++f)
    if (table.model.params.data[f].flags & spread) setting.drawn.push_back(f);
  setting.first = which.first, setting.count = which.second, setting.stride = 3;
  setting.begin = Beginning(table, set, seed);
  setting.seed = who.seed, setting.source = who.source, setting.first_target = who.first_target;
  setting.delay = delay;
  setting.target_variable = [](Tick tick, std::uint32_t j, std::uint32_t v) noexcept {
    return uniform01(draw({7, v}, j, static_cast<std::uint64_t>(tick))[0]);
  };
  SynapseBench bench(table, setting);
  if (!table.post_tau) return bench;
  for (std::uint32_t i = which.first; i < which.first + which.second; ++i) {
    Dice dice(100 + 3 * i);
    Tick tick = 0;
    for (int k = 0; k < 200; ++k)
      bench.spike(3 * i, tick += 1'000'000 + static_cast<Tick>(2e8 * std::pow(dice.uniform(), 4)));
  }
  return bench;
}

}  // namespace spinet
