// pattern_task: an environment that shows patterns, reads the answers at a deadline and rewards the right
// ones.
//
// A presentation begins every `period`: the input lines whose bit is 1 spike, and so do the members beyond
// the pattern's inputs (lines for biases).  What has arrived at port `answer` of member k by the deadline is
// answer k; silence is 0.  The reward, 1 if all answers are right and else 0, acts `latency` after the
// deadline as a control event with
//     value = (reward, expected reward as last heard, filtered reward, epoch),
// and with the last presentation of a batch comes a control event batch_end.
#include <cmath>

#include "spinet/neuron.hpp"
#include "spinet/reward.hpp"

namespace {
using namespace spinet;

struct PatternTask {
  static constexpr const char* name = "pattern_task";
  static constexpr const char* doc =
      "Environment: shows input patterns, reads the answer at a deadline, rewards the right one.";
  static constexpr std::uint32_t environment = 1, patterns = 1;
  static constexpr Stimulus posts[] = {reward, batch_end};
  enum { a_reward, a_batch_end };
  static constexpr const char* metrics[] = {"reward", "expected", "reward_filtered", "epoch"};
  struct Params {
    double start, period, deadline, latency, batch, filter, order;
  };
  struct State {  // of member 0, but for `heard`
    double heard, expected, filtered;
    std::uint64_t shown;  ///< presentations so far
  };
  struct Constants {
    Tick start, period, deadline, latency;
    std::uint64_t batch;
    double filter;
    std::uint32_t order, reserved;
  };
  enum : std::uint32_t { cycled, shuffled, random };
  static constexpr Port ports[] = {
      {"answer", "1", "output units, one to each member", 0, 1},
      {"expected", "1", "expected reward (a critic's graded answer), at member 0", 0, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::start, "start", "ms", 0, at_least(0), shared | in_ticks, "first presentation")
        .add(&Params::period, "period", "ms", 10, above(0), shared | in_ticks, "time between presentations")
        .add(&Params::deadline, "deadline", "ms", 5, above(0), shared | in_ticks,
             "time from a presentation to the reading of its answer")
        .add(&Params::latency, "latency", "ms", 1, above(0), shared | in_ticks,
             "time from there to the reward")
        .add(&Params::batch, "batch", "1", 10, at_least(1), shared | integer,
             "presentations of a batch, or epoch")
        .add(&Params::filter, "filter", "1", 0.001, between(0, 1), shared,
             "weight of the newest reward in reward_filtered")
        .choice(&Params::order, "order", "cycled shuffled random",
                "patterns one after the other, shuffled in each round, or drawn at random");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::expected, "expected", "1", 0, any(), initial | recorded, "expected reward, member 0")
        .add(&State::filtered, "reward_filtered", "1", 0, any(), initial | recorded,
             "filtered reward, member 0");
    return t;
  }
  static const char* check(const Params& p) {
    if (p.deadline >= p.period) return "deadline must be shorter than period";
    return nullptr;
  }
  static Tick ticks(double ms, const RunInfo& r) {
    return static_cast<Tick>(std::llround(ms * r.ticks_per_ms));
  }
  static void timing(const Params& p, const RunInfo& r, Tick& deadline, Tick& latency) {
    deadline = ticks(p.deadline, r);
    latency = ticks(p.latency, r);
  }

  using N = Neurons<PatternTask>;
  static void init(N n, std::uint32_t j, const Params& p, const double* initial) {
    n.state(j) = {0, initial[0], initial[1], 0};
    const RunInfo& r = n.b.run;
    n.constants(j) = {ticks(p.start, r),
                      ticks(p.period, r),
                      ticks(p.deadline, r),
                      ticks(p.latency, r),
                      static_cast<std::uint64_t>(p.batch),
                      p.filter,
                      static_cast<std::uint32_t>(p.order),
                      0};
    if (j == 0) n.out().wake_at(n.constants(0).start, 0);
  }

  /// Row of the pattern shown as the k-th, from 0.
  static std::uint32_t row(N n, std::uint64_t k) {
    const std::uint32_t rows = n.b.table_rows;
    if (n.constants(0).order == cycled) return static_cast<std::uint32_t>(k % rows);
    const auto below = [&](std::uint32_t count, std::uint64_t counter) {
      return static_cast<std::uint32_t>(std::uint64_t{n.b.draw(0, counter)[0]} * count >> 32);
    };
    if (n.constants(0).order == random) return below(rows, k);
    // The k-th of a round is found by following its place back through the round's swaps (Fisher and Yates).
    const std::uint64_t round = k / rows;
    auto place = static_cast<std::uint32_t>(k % rows);
    for (std::uint32_t i = place; i < rows; ++i) {
      const std::uint32_t other = below(i + 1, round * rows + i);
      if (place == i) place = other;
      else if (place == other) place = i;
    }
    return place;
  }
  static const double* pattern(N n, std::uint64_t k) {
    return n.b.table + std::size_t{row(n, k)} * (n.b.table_inputs + n.b.table_targets);
  }

  static void wake(N n, Tick tick, std::span<const std::uint32_t>) {
    const double* const bits = pattern(n, n.state(0).shown);
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      n.state(j).heard = 0;
      if (j >= n.b.table_inputs || bits[j] != 0) n.out().emit(tick, j);
    }
    n.out().evaluate_at(tick + n.constants(0).deadline, 0);
    n.out().wake_at(tick + n.constants(0).period, 0);
  }
  static void arrive(N n, Tick, std::uint32_t port, std::uint32_t j, double w) {
    if (port == 0) n.state(j).heard += w;
    else n.state(0).expected = w;
  }
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t>) {
    State& s = n.state(0);
    const Constants& c = n.constants(0);
    const double* const wanted = pattern(n, s.shown) + n.b.table_inputs;
    bool right = true;
    for (std::uint32_t k = 0; k < n.b.table_targets; ++k)
      right = right && (n.state(k).heard != 0) == (wanted[k] != 0);
    const double earned = right ? 1 : 0;
    s.filtered = (1 - c.filter) * s.filtered + c.filter * earned;
    ++s.shown;
    const auto epoch = static_cast<double>((s.shown + c.batch - 1) / c.batch);
    n.out().post(tick + c.latency, {a_reward, 0, {earned, s.expected, s.filtered, epoch}});
    if (s.shown % c.batch == 0) n.out().post(tick + c.latency, {a_batch_end, 0, {epoch, 0, 0, 0}});
  }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t variable) {
    return variable == 0 ? n.state(j).expected : n.state(j).filtered;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<PatternTask>())
