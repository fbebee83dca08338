// A small engine of one population of neurons, which cuts batches, blocks, trains and time in different ways.
#pragma once
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "parameters.hpp"
#include "spinet/neuron.hpp"

namespace spinet {

inline constexpr RunInfo neuron_run_info{1e6};  // ticks of 1 ns
inline constexpr std::uint32_t population = 29;
constexpr Tick train_delay = 1'500'000,
               longest_slab = 65536;  // a train comes slab by slab, shifted by its delay

/// A control event, or a parameter that changes.
struct Act {
  Tick tick;
  bool sets;
  std::uint32_t field;  ///< sets: of `Model::params`, to control.value[0]
  Control control;
  std::vector<std::uint32_t> who;
};

/// Arrivals of one slice.
struct Input {
  Tick tick;
  std::uint32_t port;
  std::vector<std::uint16_t> targets;
  std::vector<float> weights;
};

/// What a run of the bench does to the neurons.
struct Program {
  std::vector<Input> slices;
  std::vector<std::pair<Tick, std::uint16_t>> train;  ///< superposed input on port 0
  float train_weight = 0;
  std::vector<Act> acts;
  Tick duration = 0;
};

/// What the model answers, to all neurons and to some; and parameters that a schedule may change.
inline std::vector<Act> some_acts(const NeuronTable& t, Tick duration, std::uint32_t seed) {
  Dice dice(seed + 70);
  std::vector<std::uint32_t> settable;
  for (std::uint32_t f = 0; f < t.model.params.count && t.set; ++f)
    if ((t.model.params.data[f].flags & scheduled) && !(t.model.params.data[f].flags & shared))
      settable.push_back(f);
  std::vector<Act> acts;
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
  return acts;
}

inline Program program(const NeuronTable& t, double strength, Tick duration, std::uint32_t seed) {
  Dice dice(seed + 2);
  Program s;
  s.duration = duration;
  s.acts = some_acts(t, duration, seed);
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
    tick += dice.uniform() < 0.1 ? static_cast<Tick>(dice.below(2))
                                 : 1 + static_cast<Tick>(4e7 * std::pow(dice.uniform(), 6));
  }
  s.train_weight = static_cast<float>(t.ports[0].sign < 0 ? -strength : strength) / 8;
  for (tick = train_delay; tick < duration; tick += 1 + dice.below(150'000))
    s.train.emplace_back(tick, static_cast<std::uint16_t>(dice.below(population)));
  for (std::size_t i = 3; i < s.slices.size(); i += 7)  // some at the very tick of a slice
    if (s.slices[i].tick >= train_delay)
      s.train.emplace_back(s.slices[i].tick, static_cast<std::uint16_t>(i % population));
  std::sort(s.train.begin(), s.train.end());
  return s;
}

struct Fired {
  Tick tick;
  std::uint32_t neuron;
  double payload;
  auto operator<=>(const Fired&) const = default;
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

/// Whose random numbers a run of the bench draws: others give others, and nothing else.
struct NeuronIdentity {
  std::uint32_t seed = 42;
  Gid first = 1000;
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
  std::size_t next_slice = 0, next_train = 0, next_act = 0;
  bool asleep = false;
  std::vector<Fired> emissions;
  std::vector<Tick> last_emission;
  std::vector<Fenced> params;  ///< of each neuron
  ParameterSet set;
  std::string trouble;       ///< first breach of the contract
  std::string mode_trouble;  ///< of the floating-point mode

  BlockBench(const BlockBench&) = default;
  BlockBench(const NeuronTable& table, const ParameterSet& with, std::uint32_t from_, std::uint32_t count_,
             const NeuronIdentity& who = {})
      : t(&table),
        from(from_),
        count(count_),
        state(std::size_t{table.state_size} * count_),
        constants(std::size_t{table.constants_size} * count_),
        shared(table.shared_size),
        common(table.common_size),
        gids(count_),
        keys(count_),
        last_emission(count_, -1),
        set(with) {
    for (std::uint32_t j = 0; j < count; ++j)
      gids[j] = who.first + from + j, keys[j] = {who.seed + (from + j) / 2, 5};
    prepare();
    const Fields& variables = t->model.variables;
    std::vector<double> values;
    for (std::uint32_t v = 0; v < variables.count; ++v)
      if (variables.data[v].flags & initial) values.push_back(variables.data[v].preset);
    for (std::uint32_t j = 0; j < count; ++j) {
      params.push_back(of_neuron((from + j) % 3 == 1));
      call("init", limit::requests_per_neuron,
           [&](NeuronBlock* b) { t->init(b, j, params[j].data(), values.data()); });
    }
    if (t->frame) renormalise(0);
  }

  /// The set's parameters, or some a third larger (smaller) where that fits; time constants that a block has
  /// in common stay.
  Fenced of_neuron(bool varied) const {
    const Fields& fields = t->model.params;
    ParameterSet mine = set;
    for (std::uint32_t i = 0; i < fields.count && varied; ++i) {
      const Field& f = fields.data[i];
      double& x = mine.values[i];
      if (f.flags & (spinet::shared | integer)) continue;
      const auto fits = [&](double y) { return y > f.low && y < f.high; };
      if (fits(x * 4 / 3)) x = x * 4 / 3;
      else if (fits(x * 2 / 3)) x = x * 2 / 3;
    }
    Fenced p = mine.bytes(fields, t->params_size);
    return varied && t->check && t->check(p.data()) ? of_neuron(false) : p;
  }
  void prepare() {
    const Fenced p = of_neuron(false);
    std::memset(shared.data(), 0, shared.size());
    const ModeWatch watch("prepare", mode_trouble);
    if (t->frame) frame_length = t->frame(p.data(), &neuron_run_info);
    if (t->frame && frame_length <= 0) breach("its frames have " + std::to_string(frame_length) + " ticks");
    if (t->prepare) t->prepare(shared.data(), p.data(), &neuron_run_info, frame_length);
  }
  void breach(const std::string& what) {
    if (trouble.empty()) trouble = what;
  }

  static constexpr double patterns[] = {0, 1, 1, 0};  ///< for environments: two of one input and one target
  DrivenSize driven{};                                ///< and one projection that they may address
  NeuronBlock block(Outbox& box) {
    driven = {count, count};
    return {state.data(),
            constants.data(),
            shared.data(),
            common.data(),
            gids.data(),
            &box,
            count,
            keys.data(),
            frame_begin,
            frame_length,
            neuron_run_info,
            patterns,
            t->environment ? 2u : 0u,
            1,
            1,
            nullptr,
            0,
            0,
            t->environment ? &driven : nullptr,
            t->environment ? 1u : 0u};
  }

  /// Calls into the model with room for exactly `room` requests, and takes what it asked for.
  template <class F>
  void call(const char* what, std::uint32_t room, F&& f) {
    Fenced memory((std::size_t{room} + 1) * sizeof(Request), 1 << 14);
    Posting posted[limit::postings + 1];
    Outbox box{reinterpret_cast<Request*>(memory.data()), 0, room, posted, 0,
               t->environment ? limit::postings : 0};
    NeuronBlock b = block(box);
    {
      const ModeWatch watch(what, mode_trouble);
      f(&b);
    }
    if (box.size > room || !memory.intact())
      return breach(std::string(what) + " asked for more than it has room for (" + std::to_string(room) +
                    " requests)");
    if (box.posting_count > box.posting_capacity)
      return breach(std::string(what) + " posted " + std::to_string(box.posting_count) +
                    " control events where " + std::to_string(box.posting_capacity) + " are allowed");
    for (const Posting& p : std::span(posted, box.posting_count)) check_posting(p);
    if (!state.intact() || !constants.intact() || !shared.intact() || !common.intact())
      return breach(std::string(what) + " wrote outside its memory");
    for (std::uint32_t i = 0; i < box.size; ++i) {
      const Request& r = box.data[i];
      if (r.neuron >= count)
        return breach(std::string(what) + " asked for neuron " + std::to_string(r.neuron) +
                      " of a block of " + std::to_string(count));
      if (r.tick < now)
        return breach(std::string(what) + " asked for tick " + std::to_string(r.tick) +
                      ", before the present tick " + std::to_string(now));
      switch (r.ask) {
        case Ask::wake:
          pending[r.tick].wake.insert(r.neuron);
          break;
        case Ask::test:
          pending[r.tick].test.insert(r.neuron);
          break;
        case Ask::evaluate:
          pending[r.tick].evaluate.insert(r.neuron);
          break;
        case Ask::emit:
          if (r.tick != now)
            return breach(std::string(what) + " emitted at another tick than the present one");
          if (std::exchange(last_emission[r.neuron], now) == now)
            return breach(std::string(what) + " emitted twice in one tick");
          if (!std::isfinite(r.payload))
            return breach(std::string(what) + " emitted the payload " + std::to_string(r.payload));
          if (!t->graded && r.payload != 1)
            return breach(std::string(what) + " emitted the payload " + std::to_string(r.payload) +
                          " and does not say that it is graded");
          emissions.push_back({r.tick, from + r.neuron, r.payload});
          break;
        case Ask::fail:
          return breach(std::string(what) + " cannot go on: " + reason_of(r));
        default:
          return breach(std::string(what) + " asked for something unknown");
      }
    }
  }

  void check_posting(const Posting& p) {
    if (p.control.stimulus >= t->post_count)
      breach("it posted number " + std::to_string(p.control.stimulus) + " of its " +
             std::to_string(t->post_count) + " stimuli");
    if (p.tick <= now) breach("it posted a control event for the present or the past");
    for (const double x : p.control.value)
      if (!std::isfinite(x)) breach("it posted a control event with the value " + std::to_string(x));
  }

  /// Control events and changes of parameters of this tick.
  void act(const Act& a) {
    std::vector<std::uint32_t> js;
    for (const auto j : a.who)
      if (j >= from && j < from + count) js.push_back(j - from);
    if (js.empty()) return;
    const auto n = static_cast<std::uint32_t>(js.size());
    if (!a.sets) {
      call("on_control", limit::requests_per_neuron * (t->environment ? count : n),
           [&](NeuronBlock* b) { t->on_control(b, now, &a.control, js.data(), n); });
      return;
    }
    const Field& f = t->model.params.data[a.field];
    for (const auto j : js) {
      const double before = get(params[j].data(), f);
      put(params[j].data(), f, a.control.value[0]);
      if (t->check && t->check(params[j].data())) put(params[j].data(), f, before);
      else
        call("set", limit::requests_per_neuron, [&](NeuronBlock* b) { t->set(b, now, j, params[j].data()); });
    }
  }

  void renormalise(std::uint64_t frames) {
    frame_begin += static_cast<Tick>(frames) * frame_length;
    call("renormalise", limit::requests_per_neuron * count,
         [&](NeuronBlock* b) { asleep = t->renormalise(b, frames) != 0; });
  }

  /// wake, test or evaluate for the neurons of a set, in their order.
  void batch(const char* what, void (*f)(NeuronBlock*, Tick, const std::uint32_t*, std::uint32_t) noexcept,
             std::set<std::uint32_t>& who) {
    if (who.empty()) return;
    const std::vector<std::uint32_t> js(who.begin(), who.end());
    who.clear();
    if (!f) return breach(std::string("it asks for ") + what + " and has no such function");
    const auto n = static_cast<std::uint32_t>(js.size());
    call(what, limit::requests_per_neuron * (t->environment ? count : n),
         [&](NeuronBlock* b) { f(b, now, js.data(), n); });
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
      call("receive", limit::requests_per_arrival * n, [&](NeuronBlock* b) { t->receive(b, &a); });
      if (t->ports[in.port].evaluates) pending[now].evaluate.insert(a.targets, a.targets + n);
    }
  }

  /// Hands over arrivals of the train before tick `until`; stops when the model asks for something.
  void take_train(const Program& s, Tick until, bool split) {
    while (next_train < s.train.size() && s.train[next_train].first < until) {
      std::vector<std::uint32_t> keys;
      std::vector<std::size_t> upto;  // for each arrival the position in the train after it
      // All arrivals of a slab have its begin as their base, however they are cut; it may lie before the
      // present frame.
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
      call("receive_train", limit::requests_per_train, [&](NeuronBlock* b) {
        taken = t->receive_train(b, &train);
        requests_ += b->out->size;
        if (taken > 0 && taken <= n)
          now = base + (keys[taken - 1] >> 16);  // what it asks for, it asks for then
      });
      if (!trouble.empty()) return;
      if (taken == 0 || taken > n)
        return breach("receive_train took " + std::to_string(taken) + " of " + std::to_string(n) +
                      " arrivals");
      if (taken < n && requests_ == before)
        return breach("receive_train stopped without asking for anything");
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
    const ModeWatch watch("read", mode_trouble);
    const Fenced state_before = state, constants_before = constants, shared_before = shared,
                 common_before = common;
    for (std::uint32_t j = 0; j < count; ++j)
      for (std::uint32_t v = 0; v < t->model.variables.count; ++v)
        if (!same_bits(t->read(&b, tick, j, v), t->read(&b, tick, j, v)))
          return "two reads at one tick differ";
    const bool same = state.same_bytes(state_before) && constants.same_bytes(constants_before) &&
                      shared.same_bytes(shared_before) && common.same_bytes(common_before);
    return same && box.size == 0 ? "" : "read has written to the state";
  }

  /// Runs to tick `end` (not included).
  void run(const Program& s, Tick end, const Cut& cut) {
    while (trouble.empty()) {
      const Tick slice_tick = next_slice < s.slices.size() ? s.slices[next_slice].tick : never;
      const Tick asked = pending.empty() ? never : pending.begin()->first;
      const Tick acts_at = next_act < s.acts.size() ? s.acts[next_act].tick : never;
      const Tick boundary = t->frame ? frame_begin + frame_length : never;
      const Tick next = std::min({slice_tick, asked, acts_at, boundary, end});
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

  void tick(const Program& s, const Cut& cut) {
    // A model may ask for a later phase of the present tick, never for an earlier one.
    for (; next_act < s.acts.size() && s.acts[next_act].tick == now && trouble.empty(); ++next_act)
      act(s.acts[next_act]);
    batch("wake", t->wake, pending[now].wake);
    for (; next_slice < s.slices.size() && s.slices[next_slice].tick == now; ++next_slice)
      receive(s.slices[next_slice], cut.slices);
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

}  // namespace spinet
