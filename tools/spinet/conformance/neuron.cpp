// The battery for neuron models: a small engine of one population, which cuts batches, blocks, trains and time in
// different ways and compares what comes out.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "bench.hpp"
#include "conformance.hpp"

namespace spinet {
namespace {

constexpr RunInfo run_info{1e6};
constexpr std::uint32_t population = 29;
constexpr Tick duration = 300'000'000;
constexpr Tick train_delay = 1'500'000, longest_slab = 65536;  // a train comes slab by slab, shifted by its delay

/// Arrivals of one slice.
struct Input {
  Tick tick;
  std::uint32_t port;
  std::vector<std::uint16_t> targets;
  std::vector<float> weights;
};

struct Stimulus {
  std::vector<Input> slices;
  std::vector<std::pair<Tick, std::uint16_t>> train;  ///< superposed input on port 0
  float train_weight = 0;
};

Stimulus stimulus(const NeuronTable& t, double strength) {
  Dice dice(3);
  Stimulus s;
  Tick tick = 1;
  while (tick < duration) {
    Input in{tick, dice.below(t.port_count), {}, {}};
    const auto sign = t.ports[in.port].sign;
    for (std::uint16_t j = 0; j < population; ++j)
      if (dice.uniform() < 0.4) {
        const double w = strength * dice.uniform();
        in.targets.push_back(j);
        in.weights.push_back(static_cast<float>(sign < 0 || (sign == 0 && dice.uniform() < 0.3) ? -w : w));
      }
    if (!in.targets.empty()) s.slices.push_back(std::move(in));
    // Gaps of one tick (ties and near ties) up to many milliseconds (frames without input).
    tick += dice.uniform() < 0.1 ? static_cast<Tick>(dice.below(2)) : 1 + static_cast<Tick>(4e7 * std::pow(dice.uniform(), 6));
  }
  s.train_weight = static_cast<float>(t.ports[0].sign < 0 ? -strength : strength) / 8;
  for (tick = train_delay; tick < duration; tick += 1 + dice.below(150'000))
    s.train.emplace_back(tick, static_cast<std::uint16_t>(dice.below(population)));
  for (std::size_t i = 3; i < s.slices.size(); i += 7)  // some at the very tick of a slice
    if (s.slices[i].tick >= train_delay) s.train.emplace_back(s.slices[i].tick, static_cast<std::uint16_t>(i % population));
  std::sort(s.train.begin(), s.train.end());
  return s;
}

struct Emission {
  Tick tick;
  std::uint32_t neuron;
  double payload;
  auto operator<=>(const Emission&) const = default;
};

/// How the small engine cuts its calls.
struct Cut {
  bool slices = false;  ///< every slice in up to three calls
  bool trains = false;  ///< trains in pieces of one to three arrivals
  bool read = false;    ///< read every variable of every neuron before every tick
};

struct Pending {
  std::set<std::uint32_t> wake, test, evaluate;
};

/// The neurons [from, from + count) as one block, and what the engine keeps beside it.
struct BlockBench {
  const NeuronTable* t;
  std::uint32_t from, count;
  Fenced state, constants, shared, common;
  std::vector<Gid> gids;
  std::vector<RandomKey> keys;
  std::map<Tick, Pending> pending;
  Tick now = 0, frame_begin = 0, frame_length = 0;
  std::size_t next_slice = 0, next_train = 0;
  bool asleep = false;
  std::vector<Emission> emissions;
  std::string trouble;  ///< first breach of the contract

  BlockBench(const BlockBench&) = default;
  BlockBench(const NeuronTable& table, std::uint32_t from_, std::uint32_t count_)
      : t(&table), from(from_), count(count_), state(std::size_t{table.state_size} * count_),
        constants(std::size_t{table.constants_size} * count_), shared(table.shared_size), common(table.common_size), gids(count_), keys(count_) {
    for (std::uint32_t j = 0; j < count; ++j) gids[j] = 1000 + from + j, keys[j] = {42 + (from + j) / 2, 5};
    prepare();
    const Fields& variables = t->model.variables;
    std::vector<double> values;
    for (std::uint32_t v = 0; v < variables.count; ++v)
      if (variables.data[v].flags & initial) values.push_back(variables.data[v].preset);
    for (std::uint32_t j = 0; j < count; ++j) {
      const Fenced p = params((from + j) % 3 == 1);
      call("init", 4, [&](NeuronBlock* b) { t->init(b, j, p.data(), values.data()); });
    }
    if (t->frame) renormalise(0);
  }

  /// Defaults, or others where they fit together; time constants that a block must have in common stay.
  Fenced params(bool varied) const {
    Fenced p(t->params_size);
    const Fields& fields = t->model.params;
    for (std::uint32_t i = 0; i < fields.count; ++i)
      store(p.data(), fields.data[i], value_for(fields.data[i], varied && !(fields.data[i].flags & spinet::shared) && fields.data[i].preset != 0));
    return varied && t->check && t->check(p.data()) ? params(false) : p;
  }
  void prepare() {
    const Fenced p = params(false);
    std::memset(shared.data(), 0, shared.size());
    if (t->frame) frame_length = t->frame(p.data(), &run_info);
    if (t->frame && frame_length <= 0) breach("its frames have " + std::to_string(frame_length) + " ticks");
    if (t->prepare) t->prepare(shared.data(), p.data(), &run_info, frame_length);
  }
  void breach(const std::string& what) {
    if (trouble.empty()) trouble = what;
  }

  static constexpr double patterns[] = {0, 1, 1, 0};  ///< for environments: two of one input and one target
  NeuronBlock block(Outbox& box) {
    return {state.data(), constants.data(), shared.data(), common.data(), gids.data(), &box, count, keys.data(), frame_begin, frame_length, run_info, patterns, t->environment ? 2u : 0u, 1, 1};
  }

  /// Calls into the model with room for exactly `room` requests, and takes what it asked for.
  template <class F>
  void call(const char* what, std::uint32_t room, F&& f) {
    Fenced memory(std::size_t{room} * sizeof(Request), 1 << 14);
    Posting posted[16];
    Outbox box{reinterpret_cast<Request*>(memory.data()), 0, room, posted, 0, 16};
    NeuronBlock b = block(box);
    f(&b);
    if (box.size > room || !memory.intact()) return breach(std::string(what) + " asked for more than it has room for");
    if (!state.intact() || !constants.intact() || !shared.intact() || !common.intact()) return breach(std::string(what) + " wrote outside its memory");
    for (std::uint32_t i = 0; i < box.size; ++i) {
      const Request& r = box.data[i];
      if (r.neuron >= count) return breach(std::string(what) + " asked for neuron " + std::to_string(r.neuron) + " of a block of " + std::to_string(count));
      if (r.tick < now) return breach(std::string(what) + " asked for tick " + std::to_string(r.tick) + ", before the present tick " + std::to_string(now));
      switch (r.ask) {
        case Ask::wake: pending[r.tick].wake.insert(r.neuron); break;
        case Ask::test: pending[r.tick].test.insert(r.neuron); break;
        case Ask::evaluate: pending[r.tick].evaluate.insert(r.neuron); break;
        case Ask::emit:
          if (r.tick != now) return breach(std::string(what) + " emitted at another tick than the present one");
          emissions.push_back({r.tick, from + r.neuron, r.payload});
          break;
        default: return breach(std::string(what) + " asked for something unknown");
      }
    }
  }

  void renormalise(std::uint64_t frames) {
    frame_begin += static_cast<Tick>(frames) * frame_length;
    call("renormalise", 4 * count, [&](NeuronBlock* b) { asleep = t->renormalise(b, frames) != 0; });
  }

  /// wake, test or evaluate for the neurons of a set, in their order.
  void batch(const char* what, void (*f)(NeuronBlock*, Tick, const std::uint32_t*, std::uint32_t) noexcept, std::set<std::uint32_t>& who) {
    if (who.empty()) return;
    const std::vector<std::uint32_t> js(who.begin(), who.end());
    who.clear();
    if (!f) return breach(std::string("it asks for ") + what + " and has no such function");
    const auto n = static_cast<std::uint32_t>(js.size());
    call(what, 4 * (t->environment ? count : n), [&](NeuronBlock* b) { f(b, now, js.data(), n); });
  }

  void receive(const Input& in, bool split) {
    std::vector<std::uint16_t> targets;
    std::vector<float> weights;
    for (std::size_t i = 0; i < in.targets.size(); ++i)
      if (in.targets[i] >= from && in.targets[i] < from + count) {
        targets.push_back(static_cast<std::uint16_t>(in.targets[i] - from));
        weights.push_back(in.weights[i]);
      }
    const std::size_t piece = split ? targets.size() / 3 + 1 : std::max<std::size_t>(targets.size(), 1);
    for (std::size_t i = 0; i < targets.size(); i += piece) {
      const auto n = static_cast<std::uint32_t>(std::min(piece, targets.size() - i));
      const Arrivals a{now, n, in.port, targets.data() + i, weights.data() + i, nullptr, 0, 1};
      call("receive", 2 * n, [&](NeuronBlock* b) { t->receive(b, &a); });
      if (t->ports[in.port].evaluates) pending[now].evaluate.insert(a.targets, a.targets + n);
    }
  }

  /// Hands over arrivals of the train before tick `until`; stops when the model asks for something.
  void take_train(const Stimulus& s, Tick until, bool split) {
    while (next_train < s.train.size() && s.train[next_train].first < until) {
      std::vector<std::uint32_t> keys;
      std::vector<std::size_t> upto;  // for each arrival the position in the train after it
      // All arrivals of a slab have its begin as their base, however they are cut; it may lie before the present frame.
      const Tick first = s.train[next_train].first;
      const Tick slab = frame_length > 0 ? std::min(longest_slab, frame_length) : longest_slab;
      const Tick base = (first - train_delay) / slab * slab + train_delay;
      const std::size_t most = split ? 1 + next_train % 3 : 64;
      std::size_t i = next_train;
      for (; i < s.train.size() && keys.size() < most; ++i) {
        const auto [tick, j] = s.train[i];
        if (tick >= until || tick - base >= slab || (t->ports[0].evaluates && tick != first)) break;
        if (j < from || j >= from + count) continue;
        keys.push_back(static_cast<std::uint32_t>(tick - base) << 16 | (j - from));
        upto.push_back(i + 1);
      }
      if (keys.empty()) {
        next_train = i;
        continue;
      }
      // Behind the limit the list goes on, as it does in the engine.
      const auto n = static_cast<std::uint32_t>(keys.size());
      const std::uint32_t last_offset = keys.back() >> 16;
      const std::uint32_t limit = last_offset == 0xFFFF ? ~0u : (last_offset + 1) << 16;
      keys.push_back(limit);
      keys.push_back(~0u);
      const Train train{base, keys.data(), limit, 0, static_cast<double>(s.train_weight), nullptr};
      std::uint32_t taken = 0;
      now = first;
      const auto before = requests_;
      call("receive_train", 4, [&](NeuronBlock* b) {
        taken = t->receive_train(b, &train);
        requests_ += b->out->size;
        if (taken > 0 && taken <= n) now = base + (keys[taken - 1] >> 16);  // what it asks for, it asks for then
      });
      if (!trouble.empty()) return;
      if (taken == 0 || taken > n) return breach("receive_train took " + std::to_string(taken) + " of " + std::to_string(n) + " arrivals");
      if (taken < n && requests_ == before) return breach("receive_train stopped without asking for anything");
      next_train = upto[taken - 1];
      if (t->ports[0].evaluates) {
        for (std::uint32_t i = 0; i < taken; ++i) pending[now].evaluate.insert(keys[i] & 0xFFFFu);
        return;
      }
      if (requests_ != before) return;
    }
  }

  std::string read_all(Tick tick) {
    Outbox box{};
    const NeuronBlock b = block(box);
    const Fenced state_before = state, constants_before = constants, shared_before = shared, common_before = common;
    for (std::uint32_t j = 0; j < count; ++j)
      for (std::uint32_t v = 0; v < t->model.variables.count; ++v)
        if (!same_bits(t->read(&b, tick, j, v), t->read(&b, tick, j, v))) return "two reads at one tick differ";
    const bool same = state.same_bytes(state_before) && constants.same_bytes(constants_before) && shared.same_bytes(shared_before) && common.same_bytes(common_before);
    return same && box.size == 0 ? "" : "read has written to the state";
  }

  /// Runs to tick `end` (not included).
  void run(const Stimulus& s, Tick end, const Cut& cut) {
    while (trouble.empty()) {
      const Tick slice_tick = next_slice < s.slices.size() ? s.slices[next_slice].tick : never;
      const Tick asked = pending.empty() ? never : pending.begin()->first;
      const Tick boundary = t->frame ? frame_begin + frame_length : never;
      const Tick next = std::min({slice_tick, asked, boundary, end});
      const auto train_at = next_train;
      take_train(s, next, cut.trains);
      if (next_train != train_at) continue;  // it may have asked for something earlier
      if (next == end) break;
      now = next;
      if (cut.read) {
        if (const auto d = read_all(now); !d.empty()) breach(d);
      }
      if (next == boundary) {
        renormalise(1);
        continue;  // with what the new frame's crossings have asked for
      }
      tick(s, cut);
    }
  }

  void tick(const Stimulus& s, const Cut& cut) {
    // A model may ask for a later phase of the present tick, never for an earlier one.
    batch("wake", t->wake, pending[now].wake);
    for (; next_slice < s.slices.size() && s.slices[next_slice].tick == now; ++next_slice) receive(s.slices[next_slice], cut.slices);
    for (std::size_t before = next_train + 1; before != next_train && trouble.empty();) {
      before = next_train;
      const Tick present = now;
      take_train(s, present + 1, cut.trains);
      now = present;
    }
    batch("test", t->test, pending[now].test);
    batch("evaluate", t->evaluate, pending[now].evaluate);
    const Pending& left = pending[now];
    if (!left.wake.empty() || !left.test.empty() || !left.evaluate.empty())
      breach("it asked at tick " + std::to_string(now) + " for a phase of that tick that had passed");
    pending.erase(now);
  }

 private:
  std::uint64_t requests_ = 0;
};

std::string difference(std::vector<Emission> a, std::vector<Emission> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i].tick != b[i].tick || a[i].neuron != b[i].neuron || !same_bits(a[i].payload, b[i].payload))
      return "event " + std::to_string(i) + ": neuron " + std::to_string(a[i].neuron) + " at tick " + std::to_string(a[i].tick) + " became neuron " +
             std::to_string(b[i].neuron) + " at tick " + std::to_string(b[i].tick);
  return a.size() == b.size() ? "" : std::to_string(a.size()) + " events became " + std::to_string(b.size());
}

/// "" if both ended with the same events and every variable reads the same at the end.
std::string difference(const BlockBench& whole, std::initializer_list<BlockBench*> parts) {
  std::vector<Emission> emissions;
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
        const double x = whole.t->read(&a, duration, part->from + j, v), y = part->t->read(&b, duration, j, v);
        if (!same_bits(x, y))
          return std::string("neuron ") + std::to_string(part->from + j) + ": " + whole.t->model.variables.data[v].name + " is " + std::to_string(y) +
                 " where it was " + std::to_string(x);
      }
  }
  return "";
}

/// Too little input to fire: once as a train, once as slices of one arrival each.  The sums may round differently.
std::string train_against_slices(const NeuronTable& table, double strength) {
  Stimulus train = stimulus(table, strength), slices;
  train.slices.clear();
  for (const auto& [tick, j] : train.train) slices.slices.push_back({tick, 0, {j}, {train.train_weight}});
  BlockBench a(table, 0, population), b(table, 0, population);
  Outbox box{};
  for (Tick tick = 0; tick < duration; tick += 7'300'000) {
    a.run(train, tick, {});
    b.run(slices, tick, {});
    if (!a.trouble.empty() || !b.trouble.empty()) return a.trouble.empty() ? b.trouble : a.trouble;
    if (difference(a.emissions, b.emissions) != "") return "at tick " + std::to_string(tick) + " they have fired differently";
    const NeuronBlock block_a = a.block(box), block_b = b.block(box);
    for (std::uint32_t j = 0; j < population; ++j)
      for (std::uint32_t v = 0; v < table.model.variables.count; ++v) {
        const double x = table.read(&block_a, tick, j, v), y = table.read(&block_b, tick, j, v);
        if (std::abs(x - y) > 1e-9 * std::max({1.0, std::abs(x), std::abs(y)}))
          return "at tick " + std::to_string(tick) + " " + table.model.variables.data[v].name + " is " + std::to_string(x) + " after the train and " +
                 std::to_string(y) + " after the slices";
      }
  }
  return "";
}

}  // namespace

void check_neuron(const NeuronTable& table, const NeuronTable& restarted, const Findings& found) {
  if (table.per_neuron && restarted.per_neuron)
    check_neuron(*table.per_neuron, *restarted.per_neuron,
                 [&](const Finding& f) { found({f.check + " (time constants per neuron)", f.passed, f.detail}); });
  // What weight makes it fire is not known: raise the weights until it does.
  std::unique_ptr<BlockBench> whole;
  Stimulus input;
  double strength = 1;
  for (; strength < 1e6; strength *= 4) {
    input = stimulus(table, strength);
    whole = std::make_unique<BlockBench>(table, 0, population);
    whole->run(input, duration, {});
    if (!whole->trouble.empty() || whole->emissions.size() > population) break;
  }
  found({"asks only for what it may: present and future ticks, its own neurons, the room it has", whole->trouble.empty(), whole->trouble});
  if (!whole->trouble.empty()) return;
  bool finite = true;
  for (std::uint32_t j = 0; j < population; ++j)
    for (std::uint32_t v = 0; v < table.model.variables.count; ++v) {
      Outbox box{};
      const NeuronBlock b = whole->block(box);
      finite &= !std::isnan(table.read(&b, duration, j, v));
    }
  found({"variables are numbers (" + std::to_string(whole->emissions.size()) + " events were provoked)", finite, ""});

  const auto compare = [&](const char* check, std::initializer_list<BlockBench*> parts) {
    const auto d = difference(*whole, parts);
    found({check, d.empty(), d});
  };
  {
    BlockBench again(table, 0, population);
    again.run(input, duration, {});
    compare("the same history gives the same events", {&again});
  }
  {
    BlockBench split(table, 0, population);
    split.run(input, duration, {.slices = true, .trains = true});
    compare("one batch equals split batches", {&split});
  }
  {
    const auto d = train_against_slices(table, strength / 50);
    found({"a train does what its arrivals do one by one", d.empty(), d});
  }
  if (!table.environment) {  // an environment is always one block
    BlockBench low(table, 0, 10), high(table, 10, population - 10);
    low.run(input, duration, {});
    high.run(input, duration, {});
    compare("one block equals two blocks", {&low, &high});
  }
  {
    BlockBench observed(table, 0, population);
    observed.run(input, duration, {.read = true});
    compare("`read` changes nothing", {&observed});
  }
  {
    BlockBench saved(table, 0, population);
    saved.run(input, duration / 2, {});
    BlockBench resumed = saved;
    resumed.t = &restarted;
    resumed.prepare();
    resumed.run(input, duration, {});
    compare("states saved and restored as bytes go on as if nothing had happened", {&resumed});
  }
  if (table.frame) {
    BlockBench idle = *whole;
    const Stimulus nothing;
    for (int i = 0; i < 2000 && !idle.asleep && idle.trouble.empty(); ++i) idle.run(nothing, idle.frame_begin + idle.frame_length + 1, {});
    if (idle.asleep && idle.pending.empty()) {
      BlockBench one_by_one = idle;
      idle.renormalise(3);
      for (int i = 0; i < 3; ++i) one_by_one.renormalise(1);
      Outbox box{};
      std::string d;
      const NeuronBlock a = idle.block(box), b = one_by_one.block(box);
      for (std::uint32_t j = 0; j < population && d.empty(); ++j)
        for (std::uint32_t v = 0; v < table.model.variables.count; ++v)
          if (!same_bits(table.read(&a, idle.frame_begin, j, v), table.read(&b, idle.frame_begin, j, v)))
            d = std::string(table.model.variables.data[v].name) + " of neuron " + std::to_string(j) + " differs";
      found({"three frames asleep at once equal three in turn", d.empty(), d});
    }
  }
}

}  // namespace spinet
