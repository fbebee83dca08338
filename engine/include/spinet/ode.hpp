// Neurons whose model is a differential equation: the author writes its right side, threshold and reset, and
// if wanted a bound that spares looking ahead and lets blocks sleep.  Between events the solution is a Taylor
// series (spinet/taylor.hpp).
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "spinet/taylor.hpp"
#include "spinet/threshold.hpp"

namespace spinet {

namespace ode {
/// Of the parameter that every such model has.
inline constexpr const char* tolerance_doc =
    "largest estimated error of V in one step: spikes are right to about 1 ns at 1e-9, to 1 us at 1e-6 in "
    "two thirds of the time";
}  // namespace ode

/// `struct MyNeuron : Ode<MyNeuron, N, P>` with `SPINET_MODEL(neuron_table<MyNeuron>())` is a whole neuron
/// model: N variables y, of which y[0] fires, and inputs x of P ports, each of which an arrival raises by its
/// weight and which decays with a time constant of its own.  The model has `name`, `doc`, `Params`, `ports`,
/// `params()`, `variables()` (the first N of those flagged `initial` are y, the others x), `beyond` (why a
/// run ends where the solution cannot be followed), and
///   Constants(p, run)     from parameters p: a struct derived from `Timing`, with the parameters as `p`,
///                         among them `tolerance`
///   tau(c, port)          time constant in ms of the port's input
///   slope(c, y, x, dy)    dy[i] := dy[i]/dt per ms; a template on the type of y, x and dy, whose
///                         `+ - * / exp log` it uses
///   threshold(c)          the neuron fires where y[0] comes to it from below
///   reset(c, s)           what a spike does to s.y
/// and may have
///   below(c, y, x, ms)    `quiet` of `Threshold`, a template on the type of y, x and ms, which is a number
///                         or those of four neurons (`Lanes`): without branches, but for constants
///   arriving(weight)      what an arrival adds to its input, if not its weight
///   value(c, s, variable) what `variables()` lists, if not y and then x
///   size(c, i)            how many units of the tolerance an error 1 of y[i] is worth; 1 unless said
///   alone                 says that the model is long: four neurons at a time would double the code
///   Steep                 another form for where y[0] runs away to infinity: slope, threshold and size as
///                         above for a y[0] = from(c, V), of which V = back(c, y[0]), wherever holds(c, V)
template <class M, int variables_, int inputs_>
struct Ode : Threshold<M> {
  static constexpr int N = variables_, P = inputs_;
  struct State : Course {
    double y[N];
    double x[P];
  };

  template <class Block, class Params>
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    State& s = n.state(j);
    s = {};
    M::derive(n, j, p);
    for (int i = 0; i < N; ++i) s.y[i] = initial[i];
    if constexpr (requires { M::inputs_given; })
      for (int i = 0; i < P; ++i) s.x[i] = initial[N + i];
  }
  static double arriving(double weight) { return weight; }
  template <class C>
  static void take(const C&, State& s, std::uint32_t port, double weight) {
    s.x[port] += M::arriving(weight);
  }
  template <class C>
  static double value(const C&, const State& s, std::uint32_t variable) {
    return variable < N ? s.y[variable] : s.x[variable - N];
  }
  template <class C>
  static double size(const C&, int) {
    return 1;
  }
  template <class C>
  static bool quiet(const C& c, const State& s, double ms) {
    if constexpr (requires { M::below(c, s.y, s.x, ms); }) return M::below(c, s.y, s.x, ms);
    else return false;
  }
  template <class C>
  static bool crossed(const C& c, const State& s) {
    return s.y[0] >= M::threshold(c);
  }

  /// Neurons that events meet together are brought to their ticks four at a time.
  static constexpr bool wide = true;
  /// Four events of one port, or fewer: then the others repeat the first.
  struct Four {
    std::uint32_t count, port, js[4];
    Tick ticks[4];
    double weights[4];
    bool waits;  ///< what comes after a request is not taken
  };
  template <class Block>
  static void receive(Block n, const Arrivals& a) {
    for (std::uint32_t i = 0; i < a.count; i += 4) {
      Four four{std::min(a.count - i, 4u), a.port, {}, {a.tick, a.tick, a.tick, a.tick}, {}, false};
      for (std::uint32_t l = 0; l < 4; ++l) {
        const std::uint32_t k = i + (l < four.count ? l : 0);
        four.js[l] = a.targets[k];
        const double weight = a.weights     ? static_cast<double>(a.weights[k])
                              : a.weights64 ? a.weights64[k]
                                            : a.weight;
        four.weights[l] = weight * a.scale;
      }
      M::take_four(n, four);
    }
  }
  template <class Block>
  static std::uint32_t receive_train(Block n, const Train& a) {
    std::uint32_t taken = 0;
    while (a.keys[taken] < a.limit) {
      Four four{0, a.port, {}, {}, {}, true};
      for (; four.count < 4 && a.keys[taken + four.count] < a.limit; ++four.count) {
        const std::uint32_t l = four.count, key = a.keys[taken + l];
        four.js[l] = key & 0xffff;
        four.ticks[l] = a.base + (key >> 16);
        four.weights[l] = a.at(static_cast<std::uint16_t>(four.js[l]));
        if (std::find(four.js, four.js + l, four.js[l]) != four.js + l) break;
      }
      for (std::uint32_t l = four.count; l < 4; ++l)
        four.js[l] = four.js[0], four.ticks[l] = four.ticks[0], four.weights[l] = four.weights[0];
      taken += M::take_four(n, four);
      if (n.b.out->size != 0) return taken;
    }
    return taken;
  }
  /// Returns how many have been taken.
  template <class Block>
  static std::uint32_t take_four(Block n, const Four& four) {
    const auto& c = n.constants(four.js[0]);
    Group group(n, four.js, four.ticks, four.count);
    group.go(c);
    [[maybe_unused]] const LaneTicks sure = group.take(n, c, four);
    for (std::uint32_t l = 0; l < four.count; ++l) {
      State& s = *group.states[l];
      if (!group.keep(l)) {
        Threshold<M>::arrive(n, four.ticks[l], four.port, four.js[l], four.weights[l]);
      } else if constexpr (Group::bounded) {
        s.crossing = never;
        s.sure = sure[l];
        if (s.sure == 0) Threshold<M>::look(n, c, four.js[l]);
      } else {
        Threshold<M>::meet(n, c, four.port, four.js[l], four.weights[l]);
      }
      if (four.waits && n.b.out->size != 0) {
        for (std::uint32_t i = l + 1; i < 4; ++i) group.undo(i);
        return l + 1;
      }
    }
    return four.count;
  }
  template <class Block>
  static void advance_each(Block n, Tick tick, std::span<const std::uint32_t> some) {
    if (some.empty()) return;
    std::uint32_t js[4];
    for (std::size_t l = 0; l < 4; ++l) js[l] = some[l < some.size() ? l : 0];
    Group group(n, js, {tick, tick, tick, tick}, static_cast<std::uint32_t>(some.size()));
    group.go(n.constants(js[0]));
    for (std::uint32_t l = 0; l < some.size(); ++l)
      if (!group.keep(l)) M::advance(n, js[l], tick);
  }

  template <class C>
  [[gnu::noinline]] static bool go(const C& c, State& s, double ms) {
    ode::Solver<M> solver(c, s);
    solver.go(ms);
    return solver.leave(s, ms);
  }
  template <class C>
  [[gnu::noinline]] static bool hold(const C& c, State& s, double ms) {
    const double V = s.y[0];
    ode::Solver<M> solver(c, s);
    if constexpr (N > 1) solver.hold().go(ms);
    const bool good = solver.leave(s, ms);
    s.y[0] = V;
    return good;
  }
  /// y[0] is the threshold then, the rest as of the moment at which it came there.
  template <class C>
  [[gnu::noinline]] static bool reach(const C& c, State& s, double ms) {
    ode::Solver<M> solver(c, s);
    solver.next(ms);
    const bool good = solver.leave(s, ms);
    s.y[0] = M::threshold(c);
    return good;
  }
  template <class C>
  [[gnu::noinline]] static double next(const C& c, const State& s, double ms) {
    return ode::Solver<M>(c, s).next(ms);
  }
  /// `go` for four neurons with the same constants; tells which have been brought on.
  template <class C>
  [[gnu::always_inline]] static LaneMask go_lanes(const C& c, Lanes (&y)[N], Lanes (&x)[P], const Lanes& ms) {
    return ode::LaneSolver<M>::go(c, y, x, ms);
  }

 private:
  typedef Tick LaneTicks __attribute__((vector_size(32)));

  /// Four neurons, or fewer, on their way to their ticks.
  struct Group {
    static constexpr bool alone = requires { M::alone; };
    static constexpr bool bounded = requires(const typename M::Constants& c, Lanes (&y)[N], Lanes (&x)[P]) {
      M::below(c, y, x, Lanes{});
    };
    State* states[4];
    Tick before[4];
    Lanes y[N], x[P], ms;
    LaneMask good;

    /// Those that can be brought there are counted as being there.
    template <class Block>
    [[gnu::always_inline]] Group(Block n, const std::uint32_t (&js)[4], const Tick (&ticks)[4],
                                 std::uint32_t count) {
      const auto& c = n.constants(js[0]);
      const std::uint64_t kind = n.state(js[0]).kind;
      double time[4];
      for (unsigned l = 0; l < 4; ++l) {
        State& s = *(states[l] = &n.state(js[l]));
        before[l] = s.last;
        const bool can = !alone && l < count && s.last < ticks[l] && s.last >= s.free &&
                         ticks[l] < s.crossing && s.kind == kind && s.risen == 0 && plain_form(c, s);
        time[l] = can ? static_cast<double>(ticks[l] - s.last) * c.ms_per_tick : 0;
        s.last = can ? ticks[l] : s.last;  // who stands here twice can do so once
      }
      ms = Lanes{time[0], time[1], time[2], time[3]};
    }
    template <class C>
    [[gnu::always_inline]] void go(const C& c) {
      good = ms > 0;
      if constexpr (!alone) {
        for (int i = 0; i < N; ++i)
          y[i] = Lanes{states[0]->y[i], states[1]->y[i], states[2]->y[i], states[3]->y[i]};
        for (int k = 0; k < P; ++k)
          x[k] = Lanes{states[0]->x[k], states[1]->x[k], states[2]->x[k], states[3]->x[k]};
        good &= M::go_lanes(c, y, x, ms);
      }
    }
    /// What arrives is added to the inputs; until when each is sure to stay below the threshold then: 0 if it
    /// may not to the frame's end.
    template <class Block, class C>
    [[gnu::always_inline]] LaneTicks take(Block n, const C& c, const Four& a) {
      LaneTicks sure{};
      if constexpr (bounded && !alone) {
        const double w[4] = {M::arriving(a.weights[0]), M::arriving(a.weights[1]), M::arriving(a.weights[2]),
                             M::arriving(a.weights[3])};
        x[a.port] += Lanes{w[0], w[1], w[2], w[3]};
        const typename Threshold<M>::FrameEnd end{n.b.frame_begin + n.b.frame_length, n.b.frame_length};
        const auto left = [&](int l) { return static_cast<double>(end.tick - a.ticks[l]) * c.ms_per_tick; };
        const Lanes near = {left(0), left(1), left(2), left(3)};
        const double more = static_cast<double>(end.far() - end.tick) * c.ms_per_tick;
        const LaneMask far = M::below(c, y, x, near + more);
        sure = far & (LaneTicks{} + end.far());
        if (ode::any(good & ~far)) sure |= M::below(c, y, x, near) & ~far & (LaneTicks{} + end.tick);
      }
      return sure;
    }
    /// Writes neuron l if it has been brought there, or leaves it where it was.
    [[gnu::always_inline]] bool keep(std::uint32_t l) {
      if (good[l] == 0) return undo(l), false;
      State& s = *states[l];
      for (int i = 0; i < N; ++i) s.y[i] = y[i][l];
      for (int k = 0; k < P; ++k) s.x[k] = x[k][l];
      return true;
    }
    [[gnu::always_inline]] void undo(std::uint32_t l) {
      if (ms[l] > 0) states[l]->last = before[l];
    }
  };
  template <class C>
  static bool plain_form(const C& c, const State& s) {
    if constexpr (requires { typename M::Steep; }) return !M::Steep::holds(c, s.y[0]);
    else return true;
  }
};

}  // namespace spinet
