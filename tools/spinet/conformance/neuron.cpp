// The battery for neuron models.
#include <algorithm>
#include <memory>

#include "conformance.hpp"
#include "neuron_bench.hpp"
#include "slabs.hpp"

namespace spinet {
namespace {

std::string difference(std::vector<Fired> a, std::vector<Fired> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i].tick != b[i].tick || a[i].neuron != b[i].neuron || !same_bits(a[i].payload, b[i].payload))
      return "event " + std::to_string(i) + ": neuron " + std::to_string(a[i].neuron) + " at tick " +
             std::to_string(a[i].tick) + " became neuron " + std::to_string(b[i].neuron) + " at tick " +
             std::to_string(b[i].tick);
  return a.size() == b.size() ? "" : std::to_string(a.size()) + " events became " + std::to_string(b.size());
}

/// "" if both ended with the same events and every variable reads the same at the end.
std::string difference(const BlockBench& whole, std::initializer_list<BlockBench*> parts, Tick duration) {
  std::vector<Fired> emissions;
  for (BlockBench* part : parts) {
    if (!part->trouble.empty()) return part->trouble;
    emissions.insert(emissions.end(), part->emissions.begin(), part->emissions.end());
  }
  if (auto d = difference(whole.emissions, emissions); !d.empty()) return d;
  Outbox box{};
  BlockBench reference = whole;
  const NeuronBlock a = reference.block(box);
  for (BlockBench* part : parts) {
    const NeuronBlock b = part->block(box);
    for (std::uint32_t j = 0; j < part->count; ++j)
      for (std::uint32_t v = 0; v < whole.t->model.variables.count; ++v) {
        const double x = whole.t->read(&a, duration, part->from + j, v),
                     y = part->t->read(&b, duration, j, v);
        if (!same_bits(x, y))
          return std::string("neuron ") + std::to_string(part->from + j) + ": " +
                 whole.t->model.variables.data[v].name + " is " + std::to_string(y) + " where it was " +
                 std::to_string(x);
      }
  }
  return "";
}

/// Too little input to fire: once as a train, once as slices of one arrival each.  The sums may round
/// differently.
std::string train_against_slices(const NeuronTable& table, const ParameterSet& set, double strength,
                                 Tick duration, std::uint32_t seed) {
  Program train = program(table, strength, duration, seed), slices;
  train.slices.clear();
  train.acts.clear();
  for (const auto& [tick, j] : train.train) slices.slices.push_back({tick, 0, {j}, {train.train_weight}});
  BlockBench a(table, set, 0, population), b(table, set, 0, population);
  Outbox box{};
  for (Tick tick = 0; tick < duration; tick += 7'300'000) {
    a.run(train, tick, {});
    b.run(slices, tick, {});
    if (!a.trouble.empty() || !b.trouble.empty()) return a.trouble.empty() ? b.trouble : a.trouble;
    if (difference(a.emissions, b.emissions) != "")
      return "at tick " + std::to_string(tick) + " they have fired differently";
    const NeuronBlock block_a = a.block(box), block_b = b.block(box);
    for (std::uint32_t j = 0; j < population; ++j)
      for (std::uint32_t v = 0; v < table.model.variables.count; ++v) {
        const double x = table.read(&block_a, tick, j, v), y = table.read(&block_b, tick, j, v);
        if (std::abs(x - y) > 1e-9 * std::max({1.0, std::abs(x), std::abs(y)}))
          return "at tick " + std::to_string(tick) + " " + table.model.variables.data[v].name + " is " +
                 std::to_string(x) + " after the train and " + std::to_string(y) + " after the slices";
      }
  }
  return "";
}

/// What the checks ask of one model with one set of parameters.  Each returns "" or what is wrong.
class NeuronChecks {
 public:
  NeuronChecks(const NeuronTable& table, const NeuronTable& restarted, const ParameterSet& set, Tick duration,
               double strength, std::uint32_t seed)
      : t_(table),
        restarted_(restarted),
        set_(set),
        duration_(duration),
        seed_(seed),
        input_(program(table, strength, duration, seed)),
        whole_(std::make_unique<BlockBench>(table, set, 0, population)) {
    whole_->run(input_, duration, {});
  }
  std::size_t emitted() const { return whole_->emissions.size(); }
  bool sound() const { return whole_->trouble.empty(); }
  const ParameterSet& set() const { return set_; }

  std::string asks() { return whole_->trouble; }
  std::string numbers() {
    Outbox box{};
    const NeuronBlock b = whole_->block(box);
    for (std::uint32_t j = 0; j < population; ++j)
      for (std::uint32_t v = 0; v < t_.model.variables.count; ++v)
        if (std::isnan(t_.read(&b, duration_, j, v)))
          return std::string(t_.model.variables.data[v].name) + " of neuron " + std::to_string(j) +
                 " is not a number";
    return "";
  }
  std::string mode() { return run(0, population, {.read = true}).mode_trouble; }
  std::string repeats() { return against(run(0, population, {})); }
  std::string splits() { return against(run(0, population, {.slices = true, .trains = true})); }
  std::string blocks() {
    BlockBench low = run(0, 10, {}), high = run(10, population - 10, {});
    return difference(*whole_, {&low, &high}, duration_);
  }
  std::string reads() { return against(run(0, population, {.read = true})); }
  std::string restarts() {
    BlockBench saved(t_, set_, 0, population);
    saved.run(input_, duration_ / 2, {});
    BlockBench resumed = saved;
    resumed.t = &restarted_;
    resumed.prepare();
    resumed.run(input_, duration_, {});
    return difference(*whole_, {&resumed}, duration_);
  }
  /// Random numbers of a neuron come from its own key.
  std::string draws() {
    if (against(run(0, population, {}, {.first = 4000})).empty()) return "";  // none, or none that show
    for (std::uint32_t k = 0; k < other_seeds; ++k)
      if (!against(run(0, population, {}, {.seed = 4711 + 100 * k})).empty()) return "";
    return "its random numbers ignore the seed: they come not from `NeuronBlock::draw` or `random`";
  }
  std::string trains(double strength) { return train_against_slices(t_, set_, strength, duration_, seed_); }
  std::string sleeps();

 private:
  BlockBench run(std::uint32_t from, std::uint32_t count, const Cut& cut,
                 const NeuronIdentity& who = {}) const {
    BlockBench b(t_, set_, from, count, who);
    b.run(input_, duration_, cut);
    return b;
  }
  std::string against(BlockBench other) const { return difference(*whole_, {&other}, duration_); }
  const NeuronTable &t_, &restarted_;
  ParameterSet set_;
  Tick duration_;
  std::uint32_t seed_;
  Program input_;
  std::unique_ptr<BlockBench> whole_;
};

std::string NeuronChecks::sleeps() {
  BlockBench idle = *whole_;
  const Program nothing;
  for (int i = 0; i < 2000 && !idle.asleep && idle.trouble.empty(); ++i)
    idle.run(nothing, idle.frame_begin + idle.frame_length + 1, {});
  if (!idle.asleep || !idle.pending.empty()) return "";
  BlockBench one_by_one = idle;
  idle.renormalise(3);
  for (int i = 0; i < 3; ++i) one_by_one.renormalise(1);
  Outbox box{};
  const NeuronBlock a = idle.block(box), b = one_by_one.block(box);
  for (std::uint32_t j = 0; j < population; ++j)
    for (std::uint32_t v = 0; v < t_.model.variables.count; ++v)
      if (!same_bits(t_.read(&a, idle.frame_begin, j, v), t_.read(&b, idle.frame_begin, j, v)))
        return std::string(t_.model.variables.data[v].name) + " of neuron " + std::to_string(j) + " differs";
  return "";
}

/// The table that the engine uses for these parameters.
const NeuronTable& chosen(const NeuronTable& table, const ParameterSet& set) {
  const NeuronTable* const other =
      table.choose ? table.choose(set.bytes(table.model.params, table.params_size).data()) : nullptr;
  return other ? *other : table;
}

/// What weight makes it fire is not known: raise the weights until it does.
double strong_enough(const NeuronTable& table, const NeuronTable& restarted, const ParameterSet& defaults,
                     Tick duration, std::uint32_t seed) {
  double strength = 1;
  for (; strength < 1e6; strength *= 4) {
    NeuronChecks checks(chosen(table, defaults), chosen(restarted, defaults), defaults, duration, strength,
                        seed);
    if (!checks.sound() || checks.emitted() > population) break;
  }
  return strength;
}

}  // namespace

void check_neuron(const NeuronTable& table, const NeuronTable& restarted, const Battery& battery) {
  constexpr Tick long_run = 300'000'000;
  if (table.per_neuron && restarted.per_neuron) {
    Battery of_each = battery;
    of_each.found = [&](const Finding& f) {
      battery.found({f.check + " (time constants per neuron)", f.passed, f.detail});
    };
    check_neuron(*table.per_neuron, *restarted.per_neuron, of_each);
  }
  const auto sets = parameter_sets(table.model.params, table.params_size, table.check, battery.seed);
  std::vector<NeuronChecks> all;
  double strength = 1;
  battery.check(
      "asks only for what it may: present and future ticks, its own neurons, the room it has; sends numbers, "
      "once a tick",
      [&]() -> std::string {
        strength = strong_enough(table, restarted, sets[0], long_run, battery.seed);
        for (const auto& set : sets) {
          if (battery.tries) battery.tries(set.name);
          all.emplace_back(chosen(table, set), chosen(restarted, set), set,
                           all.empty() ? long_run : battery.short_run, strength, battery.seed);
          if (!all.back().sound()) return all.back().asks() + "; with " + set.name;
        }
        return "";
      });
  if (!all.back().sound()) return;
  const auto with_all = [&](const std::string& holds, std::string (NeuronChecks::*look)()) {
    battery.check_each(
        holds, all, [](auto& checks) -> const ParameterSet& { return checks.set(); },
        [&](auto& checks) { return (checks.*look)(); });
  };
  with_all("leaves the floating-point mode of the processor as it is", &NeuronChecks::mode);
  with_all("variables are numbers (" + std::to_string(all[0].emitted()) + " events were provoked)",
           &NeuronChecks::numbers);
  with_all("the same history gives the same events", &NeuronChecks::repeats);
  with_all("one batch equals split batches", &NeuronChecks::splits);
  battery.check("a train does what its arrivals do one by one", [&] { return all[0].trains(strength / 50); });
  if (!table.environment)
    with_all("one block equals two blocks", &NeuronChecks::blocks);  // an environment is always one block
  with_all("`read` changes nothing", &NeuronChecks::reads);
  with_all("states saved and restored as bytes go on as if nothing had happened", &NeuronChecks::restarts);
  with_all("random numbers follow the seed", &NeuronChecks::draws);
  // Whole runs: the defaults, and of the others those that have been drawn.
  std::vector<const ParameterSet*> some;
  for (const ParameterSet& set : sets)
    if (chosen(table, set).take_slab && (&set == &sets[0] || set.spreads)) some.push_back(&set);
  if (!some.empty())
    battery.check_each(
        "noise without order makes it fire as it does in order", some,
        [](const ParameterSet* set) -> const ParameterSet& { return *set; },
        [&](const ParameterSet* set) { return without_order(table, *set, strength, battery.seed); });
  if (table.frame) with_all("three frames asleep at once equal three in turn", &NeuronChecks::sleeps);
}

}  // namespace spinet
