// image_task: an environment that shows images and reads what a network makes of them.
//
// Image k begins at k times `period`, and is shown `onset` later: members whose pixel is not 0 send it as a
// graded event, or over `steps` time steps as spikes or pulses (spinet/encoding.hpp).  Recorded spikes are
// pairs in the image's row, ticks from its first moment and member, sorted; times below 0 are none.  Where
// images have fewer pixels than there are members, all channels of the population's shape are sent the same.
// What has arrived at port `answer` of member c when the next image is `latency` away is the output of class
// c, leaking away with `tau_out` until then; silence is 0.  The greatest is the predicted label, the first of
// equals. `latency` later, as the next image begins, comes a control event with
//     value = (1 if the label was predicted, else 0; predicted label; label; number of the image from 0).
#include <algorithm>
#include <cmath>

#include "spinet/encoding.hpp"
#include "spinet/math.hpp"
#include "spinet/neuron.hpp"

namespace {
using namespace spinet;

constexpr Field answered_values[] = {
    stimulus_value("right", "1", "1 if the label was predicted, else 0"),
    stimulus_value("predicted", "1", "class of the greatest output"),
    stimulus_value("label", "1", "class of the image"),
    stimulus_value("image", "1", "number of the image, from 0"),
};
constexpr Stimulus answered = stimulus("answered", "learn from the label of an image",
                                       "what a network made of an image", answered_values, scored);

struct ImageTask {
  static constexpr const char* name = "image_task";
  static constexpr const char* doc =
      "Environment: shows an image every period as graded events or spikes, reads the outputs and predicts "
      "the label.";
  static constexpr std::uint32_t environment = 1, graded = 1;
  static constexpr Stimulus posts[] = {answered};
  static constexpr const char* metrics[] = {"right", "predicted", "label", "image"};
  struct Params {
    double period, latency, encoding, steps, step, onset, tau_out, surrogate, slope;
  };
  struct State {
    double heard;         ///< output of this member's class
    Tick at;              ///< when it was so much; it does not leak before
    std::uint64_t shown;  ///< images so far; of member 0
    std::uint64_t next;   ///< what member 0 wakes for: 0 an image's begin, else what it sends, from 1 on
  };
  struct Constants {
    Tick period, latency, onset, step;
    double leak;  ///< of outputs, per tick
    encoding::Code code;
    std::uint32_t steps;
  };
  static constexpr Port ports[] = {{"answer", "1", "outputs, one to each member", 0, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::period, "period", "ms", 1, above(0), shared | in_ticks, "time between images")
        .add(&Params::latency, "latency", "ms", 0.1, above(0), shared | in_ticks,
             "time from the reading of the outputs to the next image; not below the shortest delay")
        .choice(&Params::encoding, "encoding", encoding::names,
                "how a pixel is sent: graded as one event; over steps, current as one in each, rate as that "
                "share of the steps in spikes, latency as a spike after 1 - pixel of the steps; events are "
                "recorded spikes in place of pixels")
        .add(&Params::step, "step", "ms", 1, above(0), shared | in_ticks, "length of a time step")
        .add(&Params::steps, "steps", "1", 20, between(1, encoding::most_steps), shared | integer,
             "time steps of an image that is not graded")
        .add(&Params::onset, "onset", "ms", 0, at_least(0), shared | in_ticks,
             "from an image's begin to its first event, while neurons come to rest")
        .add(&Params::tau_out, "tau_out", "ms", 0, at_least(0), shared,
             "time constant with which outputs leak away until they are read; 0: they add up")
        .choice(&Params::surrogate, "surrogate", "fast_sigmoid arctan",
                "in training through steps, what stands for the derivative of a spike at potential u: h / "
                "threshold, with v = slope (u / threshold - 1) h = 1 / (1 + |v|)^2, arctan: 1 / (1 + v^2)")
        .add(&Params::slope, "slope", "1", 0, at_least(0), plain,
             "of the surrogate; 0: 25 of fast_sigmoid, 3 of arctan");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::heard, "output", "1", 0, any(), recorded, "what has arrived of the present image's answer");
    return t;
  }
  static bool is_graded(const Params& p) { return p.encoding == 0; }
  static double last_step(const Params& p) { return is_graded(p) ? 0 : (p.steps - 1) * p.step; }
  static const char* check(const Params& p) {
    if (!(p.latency < p.period)) return "latency must be shorter than period";
    if (p.onset + last_step(p) + p.latency < p.period) return nullptr;
    return is_graded(p) ? "onset and latency together must be shorter than period"
                        : "onset, (steps - 1) * step and latency together must be shorter than period";
  }
  /// At least a tick from image to reading, and from there to the next image; all steps before the reading.
  static Constants constants_of(const Params& p, const RunInfo& r) {
    const auto ticks = [&](double ms) { return static_cast<Tick>(std::llround(ms * r.ticks_per_ms)); };
    Constants c;
    c.latency = std::max<Tick>(1, ticks(p.latency));
    c.period = std::max(c.latency + 1, ticks(p.period));
    c.code = static_cast<encoding::Code>(p.encoding);
    c.steps = is_graded(p) ? 1 : static_cast<std::uint32_t>(p.steps);
    const Tick room = c.period - c.latency;
    c.onset = std::min(ticks(p.onset), room);
    c.step =
        std::min(std::max<Tick>(1, ticks(p.step)), c.steps > 1 ? (room - c.onset) / (c.steps - 1) : room);
    c.leak = p.tau_out > 0 ? 1 / (p.tau_out * r.ticks_per_ms) : 0;
    return c;
  }
  static void timing(const Params& p, const RunInfo& r, Tick& deadline, Tick& latency) {
    const Constants c = constants_of(p, r);
    latency = c.latency;
    deadline = c.period - c.latency;
  }

  using N = Neurons<ImageTask>;
  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    n.state(j) = {0, 0, 0, 0};
    n.constants(j) = constants_of(p, n.b.run);
    if (j == 0 && n.b.table_rows > 0) n.out().wake_at(0, 0);
  }
  /// The row of the image that is shown as the k-th.
  static const double* row(N n, std::uint64_t k) {
    return n.b.table + k * (std::size_t{n.b.table_inputs} + n.b.table_targets);
  }

  static void wake(N n, Tick tick, std::span<const std::uint32_t>) {
    const Constants& c = n.constants(0);
    std::uint64_t& next = n.state(0).next;
    const Tick first = static_cast<Tick>(n.state(0).shown) * c.period + c.onset;
    if (next == 0) {
      for (std::uint32_t j = 0; j < n.size(); ++j) n.state(j).heard = 0, n.state(j).at = tick;
      n.out().evaluate_at(tick + c.period - c.latency, 0);
      next = 1;
    }
    const bool recorded = c.code == encoding::Code::events;
    while (next > 0) {
      const double at = moment(n, next - 1);
      if (at < 0) next = 0;
      else if (const Tick due = first + static_cast<Tick>(at); due > tick) return n.out().wake_at(due, 0);
      else next = 1 + (recorded ? replay(n, tick, next - 1) : show(n, tick, next - 1));
    }
  }
  /// When the k-th step or recorded spike is, in ticks from the image's first; below 0: there is none.
  static double moment(N n, std::uint64_t k) {
    const Constants& c = n.constants(0);
    if (c.code == encoding::Code::events)
      return 2 * k < n.b.table_inputs ? row(n, n.state(0).shown)[2 * k] : -1;
    return k < c.steps ? static_cast<double>(k) * static_cast<double>(c.step) : -1;
  }
  /// What is sent in a step; the next one.
  static std::uint64_t show(N n, Tick tick, std::uint64_t step) {
    const Constants& c = n.constants(0);
    const double* const pixels = row(n, n.state(0).shown);
    for (std::uint32_t j = 0, p = 0; j < n.size(); ++j) {
      const double x = encoding::sent(c.code, pixels[p], static_cast<std::uint32_t>(step), c.steps);
      if (x != 0) n.out().emit(tick, j, x);
      if (++p == n.b.table_inputs) p = 0;
    }
    return step + 1;
  }
  /// Spikes of this moment, those of a member together; the first one of a later moment.
  static std::uint64_t replay(N n, Tick tick, std::uint64_t k) {
    const double *const spikes = row(n, n.state(0).shown), at = spikes[2 * k];
    while (moment(n, k) == at) {
      const double member = spikes[2 * k + 1];
      double count = 0;
      for (; moment(n, k) == at && spikes[2 * k + 1] == member; ++k) ++count;
      if (member < n.size()) n.out().emit(tick, static_cast<std::uint32_t>(member), count);
    }
    return k;
  }
  /// What is left at `tick` of what member j has heard.
  static double left(N n, Tick tick, std::uint32_t j) {
    const State& s = n.state(j);
    const double leak = n.constants(j).leak;
    return leak == 0 || tick <= s.at ? s.heard
                                     : s.heard * math::exp(-leak * static_cast<double>(tick - s.at));
  }
  static void arrive(N n, Tick tick, std::uint32_t, std::uint32_t j, double w) {
    State& s = n.state(j);
    s.heard = left(n, tick, j) + w;
    s.at = std::max(s.at, tick);
  }
  /// What the outputs are now they stay until the next image.
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t>) {
    std::uint64_t& shown = n.state(0).shown;
    const Tick next = tick + n.constants(0).latency;
    const double* const targets = row(n, shown) + n.b.table_inputs;
    std::uint32_t label = 0, predicted = 0;
    for (std::uint32_t c = 0; c < n.b.table_targets; ++c) {
      n.state(c).heard = left(n, tick, c);
      n.state(c).at = next;
      if (targets[c] > targets[label]) label = c;
      if (n.state(c).heard > n.state(predicted).heard) predicted = c;
    }
    n.out().post(next, {0,
                        0,
                        {label == predicted ? 1.0 : 0.0, static_cast<double>(predicted),
                         static_cast<double>(label), static_cast<double>(shown)}});
    if (++shown < n.b.table_rows) n.out().wake_at(next, 0);
  }
  static double read(N n, Tick tick, std::uint32_t j, std::uint32_t) { return left(n, tick, j); }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<ImageTask>())
