// image_task: an environment that shows images and reads what a network makes of them.
//
// Image k begins at k times `period`: members whose pixel is not 0 send it, as a graded event.  Where images
// have fewer pixels than there are members, all channels of the population's shape are sent the same.  What
// has arrived at port `answer` of member c when the next image is `latency` away is the output of class c;
// silence is 0.  The greatest is the predicted label, the first of equals.  `latency` later, as the next
// image begins, comes a control event with
//     value = (1 if the label was predicted, else 0; predicted label; label; number of the image from 0).
#include <algorithm>
#include <cmath>

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
      "Environment: shows an image every period as graded events, reads the outputs and predicts the label.";
  static constexpr std::uint32_t environment = 1, graded = 1;
  static constexpr Stimulus posts[] = {answered};
  static constexpr const char* metrics[] = {"right", "predicted", "label", "image"};
  struct Params {
    double period, latency;
  };
  struct State {
    double heard;         ///< output of this member's class
    std::uint64_t shown;  ///< images so far; of member 0
  };
  struct Constants {
    Tick period, latency;
  };
  static constexpr Port ports[] = {{"answer", "1", "outputs, one to each member", 0, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::period, "period", "ms", 1, above(0), shared | in_ticks, "time between images")
        .add(&Params::latency, "latency", "ms", 0.1, above(0), shared | in_ticks,
             "time from the reading of the outputs to the next image; not below the shortest delay");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::heard, "output", "1", 0, any(), recorded, "what has arrived of the present image's answer");
    return t;
  }
  static const char* check(const Params& p) {
    return p.latency < p.period ? nullptr : "latency must be shorter than period";
  }
  /// At least a tick from image to reading, and from there to the next image.
  static Constants constants_of(const Params& p, const RunInfo& r) {
    const auto ticks = [&](double ms) { return static_cast<Tick>(std::llround(ms * r.ticks_per_ms)); };
    const Tick latency = std::max<Tick>(1, ticks(p.latency));
    return {std::max(latency + 1, ticks(p.period)), latency};
  }
  static void timing(const Params& p, const RunInfo& r, Tick& deadline, Tick& latency) {
    const Constants c = constants_of(p, r);
    latency = c.latency;
    deadline = c.period - c.latency;
  }

  using N = Neurons<ImageTask>;
  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    n.state(j) = {0, 0};
    n.constants(j) = constants_of(p, n.b.run);
    if (j == 0 && n.b.table_rows > 0) n.out().wake_at(0, 0);
  }
  /// The row of the image that is shown as the k-th.
  static const double* row(N n, std::uint64_t k) {
    return n.b.table + k * (std::size_t{n.b.table_inputs} + n.b.table_targets);
  }

  static void wake(N n, Tick tick, std::span<const std::uint32_t>) {
    const double* const pixels = row(n, n.state(0).shown);
    for (std::uint32_t j = 0, p = 0; j < n.size(); ++j) {
      n.state(j).heard = 0;
      if (pixels[p] != 0) n.out().emit(tick, j, pixels[p]);
      if (++p == n.b.table_inputs) p = 0;
    }
    n.out().evaluate_at(tick + n.constants(0).period - n.constants(0).latency, 0);
  }
  static void arrive(N n, Tick, std::uint32_t, std::uint32_t j, double w) { n.state(j).heard += w; }
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t>) {
    std::uint64_t& shown = n.state(0).shown;
    const double* const targets = row(n, shown) + n.b.table_inputs;
    std::uint32_t label = 0, predicted = 0;
    for (std::uint32_t c = 1; c < n.b.table_targets; ++c) {
      if (targets[c] > targets[label]) label = c;
      if (n.state(c).heard > n.state(predicted).heard) predicted = c;
    }
    const Tick next = tick + n.constants(0).latency;
    n.out().post(next, {0,
                        0,
                        {label == predicted ? 1.0 : 0.0, static_cast<double>(predicted),
                         static_cast<double>(label), static_cast<double>(shown)}});
    if (++shown < n.b.table_rows) n.out().wake_at(next, 0);
  }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t) { return n.state(j).heard; }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<ImageTask>())
