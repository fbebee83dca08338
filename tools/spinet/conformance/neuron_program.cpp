#include "neuron_program.hpp"

#include <algorithm>
#include <cmath>

namespace spinet {

Program::Program(const NeuronTable& table, double strength, Tick until, std::uint32_t seed)
    : duration(until) {
  make_acts(table, seed);
  Dice dice(seed + 2);
  make_batches(table, strength, dice);
  make_input(table, strength, dice);
}

/// What the model answers, to all neurons and to some; and parameters that a schedule may change.
void Program::make_acts(const NeuronTable& t, std::uint32_t seed) {
  Dice dice(seed + 70);
  std::vector<std::uint32_t> settable;
  for (std::uint32_t f = 0; f < t.model.params.count && t.set; ++f)
    if ((t.model.params.data[f].flags & scheduled) && !(t.model.params.data[f].flags & shared))
      settable.push_back(f);
  std::uint32_t epoch = 0, changes = 0;
  for (Tick tick = 2'000'000; tick < duration; tick += 1 + static_cast<Tick>(2e7 * dice.uniform())) {
    std::vector<std::uint32_t> who;
    const bool everyone = dice.uniform() < 0.5;
    for (std::uint32_t j = 0; j < population; ++j)
      if (everyone || dice.uniform() < 0.2) who.push_back(j);
    for (std::uint32_t k = 0; k < t.model.stimulus_count && !who.empty(); ++k) {
      const Stimulus& s = t.model.stimuli[k];
      Control c{k, 0, {}};
      for (std::uint32_t v = 0; v < s.count; ++v)
        c.value[v] = drawn_in_range(s.fields[v], dice) * (s.fields[v].flags & integer ? 1 : 5);
      if (s.flags & batched) c.value[0] = static_cast<double>(epoch++);
      if (everyone || !(s.flags & batched)) acts.push_back({tick, false, 0, c, who});
    }
    for (const auto f : settable) {
      if (who.empty() || dice.uniform() >= 0.5) continue;
      const Field& field = t.model.params.data[f];
      const auto special = special_values(field);  // ends of its range, by turns with others
      const bool drawn = special.empty() || changes % 2 == 0;
      const double x = drawn ? drawn_in_range(field, dice) : special[changes / 2 % special.size()];
      acts.push_back({tick, true, f, {0, 0, {x}}, who});
      ++changes;
    }
  }
}

void Program::make_batches(const NeuronTable& t, double strength, Dice& dice) {
  Tick tick = 1;
  while (tick < duration) {
    Batch in{tick, dice.below(t.port_count), {}, {}};
    const auto sign = t.ports[in.port].sign;
    for (std::uint32_t j = 0; j < population; ++j)
      if (dice.uniform() < 0.4) {
        const double w = strength * dice.uniform();
        in.targets.push_back(j);
        in.weights.push_back(static_cast<float>(sign < 0 || (sign == 0 && dice.uniform() < 0.3) ? -w : w));
      }
    if (!in.targets.empty()) batches.push_back(std::move(in));
    // Gaps of one tick (ties and near ties) up to many milliseconds (frames without input).
    tick += dice.uniform() < 0.1 ? static_cast<Tick>(dice.below(2))
                                 : 1 + static_cast<Tick>(4e7 * std::pow(dice.uniform(), 6));
  }
}

void Program::make_input(const NeuronTable& t, double strength, Dice& dice) {
  input.delay = 1'500'000;
  input.weight = (t.ports[0].sign < 0 ? -strength : strength) / 8;
  const auto add = [&](Tick tick, std::uint32_t j) { input.events.push_back({tick - input.delay, j}); };
  for (Tick tick = input.delay; tick < duration; tick += 1 + dice.below(150'000))
    add(tick, dice.below(population));
  for (std::size_t i = 3; i < batches.size(); i += 7)  // some at the very tick of a batch
    if (batches[i].tick >= input.delay) add(batches[i].tick, static_cast<std::uint32_t>(i % population));
  std::sort(input.events.begin(), input.events.end(), [](const ListedSpike& a, const ListedSpike& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.index < b.index;
  });
}

std::vector<NeuronParams> Program::params(const NeuronTable& table, const ParameterSet& set) {
  const Fields& fields = table.model.params;
  NeuronParams same(table);
  for (std::uint32_t i = 0; i < fields.count; ++i) same.set(i, set.values[i]);
  NeuronParams varied = same;
  for (std::uint32_t i = 0; i < fields.count; ++i) {
    const Field& f = fields.data[i];
    const double x = set.values[i];
    if (f.flags & (spinet::shared | integer)) continue;
    const auto fits = [&](double y) { return y > f.low && y < f.high; };
    if (fits(x * 4 / 3)) varied.set(i, x * 4 / 3);
    else if (fits(x * 2 / 3)) varied.set(i, x * 2 / 3);
  }
  if (table.check && table.check(varied.data())) varied = same;
  std::vector<NeuronParams> all;
  for (std::uint32_t j = 0; j < population; ++j) all.push_back(j % 3 == 1 ? varied : same);
  return all;
}

void Program::give(NeuronBench& bench, const NeuronTable& table, std::vector<NeuronParams> params) const {
  for (const Batch& b : batches)
    for (std::size_t i = 0; i < b.targets.size(); ++i)
      bench.arrival(b.tick, b.port, b.targets[i], static_cast<double>(b.weights[i]));
  for (const Act& a : acts) {
    if (!a.sets) {
      bench.control(a.tick, a.control, a.who);
      continue;
    }
    for (const std::uint32_t j : a.who) {
      const double before = params[j].values()[a.field], x = a.control.value[0];
      params[j].set(a.field, x);
      if (table.check && table.check(params[j].data())) params[j].set(a.field, before);
      else bench.change(a.tick, j, a.field, x);
    }
  }
}

}  // namespace spinet
