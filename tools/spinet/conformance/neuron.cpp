// The battery for neuron models.
#include <algorithm>
#include <memory>

#include "conformance.hpp"
#include "neuron_program.hpp"
#include "slabs.hpp"

namespace spinet {
namespace {

constexpr std::uint32_t population = Program::population;

std::string difference(std::vector<Emitted> a, std::vector<Emitted> b) {
  const auto earlier = [](const Emitted& x, const Emitted& y) {
    return x.tick != y.tick ? x.tick < y.tick : x.neuron < y.neuron;
  };
  std::sort(a.begin(), a.end(), earlier);
  std::sort(b.begin(), b.end(), earlier);
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i].tick != b[i].tick || a[i].neuron != b[i].neuron || !same_bits(a[i].payload, b[i].payload))
      return "event " + std::to_string(i) + ": neuron " + std::to_string(a[i].neuron) + " at tick " +
             std::to_string(a[i].tick) + " became neuron " + std::to_string(b[i].neuron) + " at tick " +
             std::to_string(b[i].tick);
  return a.size() == b.size() ? "" : std::to_string(a.size()) + " events became " + std::to_string(b.size());
}

/// Whose random numbers a run draws: others give others, and nothing else.
struct Identity {
  std::uint32_t seed = 42;
  Gid first = 1000;
};

/// What neurons have done and what became of them.
struct Outcome {
  std::vector<Emitted> emitted;
  std::vector<double> variables;  ///< of each neuron each
  std::string trouble, mode_trouble;

  void append(const Outcome& o) {
    emitted.insert(emitted.end(), o.emitted.begin(), o.emitted.end());
    variables.insert(variables.end(), o.variables.begin(), o.variables.end());
    if (trouble.empty()) trouble = o.trouble;
  }
};

/// What the neurons live through, drawn from a seed: how long, and how strong their weights are.
struct History {
  Tick duration;
  double strength;
  std::uint32_t seed;
};

/// What the checks ask of one model with one set of parameters.  Each returns "" or what is wrong.
class NeuronChecks {
 public:
  NeuronChecks(const NeuronTable& table, const NeuronTable& restarted, const ParameterSet& set,
               const History& h)
      : t_(table),
        restarted_(restarted),
        set_(set),
        program_(table, h.strength, h.duration, h.seed),
        whole_(run({})) {}
  std::size_t emitted() const { return whole_.emitted.size(); }
  bool sound() const { return whole_.trouble.empty(); }
  const ParameterSet& set() const { return set_; }

  std::string asks() { return whole_.trouble; }
  std::string numbers() {
    for (std::size_t i = 0; i < whole_.variables.size(); ++i)
      if (std::isnan(whole_.variables[i])) return variable(i) + " is not a number";
    return "";
  }
  std::string mode() { return run({.cut = {.reads = true}}).mode_trouble; }
  std::string repeats() { return against(run({})); }
  std::string splits() { return against(run({.cut = {.slices = true, .trains = true}})); }
  std::string blocks() {
    Outcome both = run({.part = {0, 10}});
    both.append(run({.part = {10, population - 10}}));
    return against(both);
  }
  std::string reads() { return against(run({.cut = {.reads = true}})); }
  std::string restarts() {
    constexpr Tick ms = 1'000'000;  // states are saved between two of them
    const auto before = bench(t_, {}), after = bench(restarted_, {});
    before->run(program_.duration / 2 / ms * ms);
    if (!before->failure().empty()) return before->failure();
    after->restore(before->save());
    Outcome all{before->emitted(), {}, before->failure(), {}};
    all.append(finish(*after));
    return against(all);
  }
  /// Random numbers of a neuron come from its own key.
  std::string draws() {
    if (against(run({}, {.first = 4000})).empty()) return "";  // none, or none that show
    for (std::uint32_t k = 0; k < other_seeds; ++k)
      if (!against(run({}, {.seed = 4711 + 100 * k})).empty()) return "";
    return "its random numbers ignore the seed: they come not from `NeuronBlock::draw` or `random`";
  }
  std::string trains(double strength, std::uint32_t seed);
  std::string sleeps();

 private:
  std::unique_ptr<NeuronBench> bench(const NeuronTable& table, BenchSetting setting,
                                     const Identity& who = {}) {
    return bench(table, std::move(setting), who, program_);
  }
  std::unique_ptr<NeuronBench> bench(const NeuronTable& table, BenchSetting setting, const Identity& who,
                                     const Program& program) {
    setting.first = who.first;
    const std::uint32_t from = setting.part.first, n = setting.part.count ? setting.part.count : population;
    for (std::uint32_t j = from; j < from + n; ++j)  // as where runs with several seeds lie in one block
      setting.keys.push_back({who.seed + j / 2, 5});
    setting.input = program.input;
    const auto params = Program::params(table, set_);
    auto made = std::make_unique<NeuronBench>(table, params, setting);
    program.give(*made, table, params);
    return made;
  }
  Outcome run(BenchSetting setting, const Identity& who = {}) {
    return finish(*bench(t_, std::move(setting), who));
  }
  Outcome finish(NeuronBench& b) {
    auto variables = read_after(b, program_.duration);
    return {b.emitted(), std::move(variables), b.failure(), b.mode_trouble()};
  }
  /// All variables of all neurons at the begin of `tick`, before which all has happened.
  std::vector<double> read_after(NeuronBench& b, Tick tick);
  std::string variable(std::size_t i) const {
    const std::size_t n = t_.model.variables.count;
    return std::string(t_.model.variables.data[i % n].name) + " of neuron " + std::to_string(i / n);
  }
  std::string against(const Outcome& other) const {
    if (!other.trouble.empty()) return other.trouble;
    if (auto d = difference(whole_.emitted, other.emitted); !d.empty()) return d;
    for (std::size_t i = 0; i < other.variables.size(); ++i)
      if (!same_bits(whole_.variables[i], other.variables[i]))
        return variable(i) + " is " + std::to_string(other.variables[i]) + " where it was " +
               std::to_string(whole_.variables[i]);
    return "";
  }
  const NeuronTable &t_, &restarted_;
  ParameterSet set_;
  Program program_;
  Outcome whole_;
};

std::vector<double> NeuronChecks::read_after(NeuronBench& b, Tick tick) {
  std::vector<double> all;
  b.run(tick);
  for (std::uint32_t j = 0; j < population; ++j)
    for (std::uint32_t v = 0; v < t_.model.variables.count; ++v) b.sample(tick, j, v, all);
  b.run(tick + 1);
  return all;
}

/// Too little input to fire: once superposed, once as slices of one arrival each.  The sums may round
/// differently.
std::string NeuronChecks::trains(double strength, std::uint32_t seed) {
  Program train(t_, strength, program_.duration, seed);
  train.acts.clear();
  train.batches.clear();
  Program slices = train;
  slices.input.events.clear();
  for (const ListedSpike& s : train.input.events)
    slices.batches.push_back(
        {s.tick + train.input.delay, 0, {s.index}, {static_cast<float>(train.input.weight)}});
  const auto a = bench(t_, {}, {}, train), b = bench(t_, {}, {}, slices);
  for (Tick tick = 7'300'000; tick < program_.duration; tick += 7'300'000) {
    const auto x = read_after(*a, tick), y = read_after(*b, tick);
    if (!a->failure().empty() || !b->failure().empty())
      return a->failure().empty() ? b->failure() : a->failure();
    if (!difference(a->emitted(), b->emitted()).empty())
      return "at tick " + std::to_string(tick) + " they have fired differently";
    for (std::size_t i = 0; i < x.size(); ++i)
      if (std::abs(x[i] - y[i]) > 1e-9 * std::max({1.0, std::abs(x[i]), std::abs(y[i])}))
        return "at tick " + std::to_string(tick) + " " + variable(i) + " is " + std::to_string(x[i]) +
               " after the train and " + std::to_string(y[i]) + " after the slices";
  }
  return "";
}

/// Read in every frame, a sleeping block goes from frame to frame; else it takes several at once.
std::string NeuronChecks::sleeps() {
  const auto idle = bench(t_, {});
  idle->run(program_.duration);
  const Tick length = idle->frame_length();
  if (length <= 0) return idle->failure();
  Tick begin = program_.duration / length * length;  // of a frame
  for (int i = 0; i < 2000 && !idle->asleep() && idle->failure().empty(); ++i)
    idle->run((begin += length) + 1);
  if (!idle->asleep()) return "";
  const auto one_by_one = bench(t_, {});
  for (int i = 1; i < 3; ++i) read_after(*one_by_one, begin + i * length + 1);
  const auto x = read_after(*idle, begin + 3 * length + 1),
             y = read_after(*one_by_one, begin + 3 * length + 1);
  if (!one_by_one->failure().empty()) return one_by_one->failure();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!same_bits(x[i], y[i])) return variable(i) + " differs";
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
    NeuronChecks checks(chosen(table, defaults), chosen(restarted, defaults), defaults,
                        {duration, strength, seed});
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
                           History{all.empty() ? long_run : battery.short_run, strength, battery.seed});
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
  battery.check("a train does what its arrivals do one by one",
                [&] { return all[0].trains(strength / 50, battery.seed); });
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
