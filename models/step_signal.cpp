// step_signal: a signal that is constant between events.
//
// x = value + what has come in steps; the answer is x, or 1 where x is above the threshold and else 0.  At
// the end of the settings and arrivals of a tick a graded event leaves that is the change of the answer:
// whoever gets it adds it to what he has (port `step`).  What comes at `pulse` counts in its tick alone, and
// the answer to it leaves as an impulse.
#include "spinet/neuron.hpp"

namespace {
using namespace spinet;

struct StepSignal {
  static constexpr const char* name = "step_signal";
  static constexpr const char* doc =
      "Graded neuron for signals that are constant between events: sends the changes of its answer.";
  static constexpr std::uint32_t graded = 1;
  enum : std::uint32_t { step, pulse };
  static constexpr Port ports[] = {{"step", "1", "change of what it gets, which stays", 0, 1},
                                   {"pulse", "1", "counts in its tick alone", 0, 1}};
  struct Params {
    double value = 0, answer = 0, threshold = 0;
  };
  struct State {
    double held, pulses;  ///< what has come in steps; what has come at `pulse` in the tick `asked`
    double answer;        ///< as it was sent
    Tick asked;           ///< of the last test
  };
  struct Constants {
    double value, has_threshold, threshold;
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::value, "value", "1", 0, any(), scheduled, "added to what arrives")
        .choice(&Params::answer, "answer", "linear threshold",
                "linear: x, the sum; threshold: 1 where x is above the threshold, else 0")
        .add(&Params::threshold, "threshold", "1", 0, any(), plain, "of an answer by threshold");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("answer", "1", 0, any(), recorded, "as it was sent, without the answers to pulses");
    return t;
  }
  using N = Neurons<StepSignal>;
  static void derive(N n, std::uint32_t j, const Params& p) {
    n.constants(j) = {p.value, p.answer, p.threshold};
  }
  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    n.state(j) = {0, 0, 0, never};
    derive(n, j, p);
    ask(n, 0, j);
  }
  static void set(N n, Tick tick, std::uint32_t j, const Params& p) {
    derive(n, j, p);
    ask(n, tick, j);
  }
  static void arrive(N n, Tick tick, std::uint32_t port, std::uint32_t j, double w) {
    ask(n, tick, j);
    State& s = n.state(j);
    (port == step ? s.held : s.pulses) += w;
  }
  static void test(N n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) {
      State& s = n.state(j);
      const Constants& c = n.constants(j);
      const double x = c.value + s.held, answer = answer_to(c, x);
      double change = answer - s.answer;
      if (s.pulses != 0) change += answer_to(c, x + s.pulses) - answer;
      s.pulses = 0;
      s.answer = answer;
      if (change - change != 0) n.out().fail(tick, j, "its answer is not a number that can be sent");
      else if (change != 0) n.out().emit(tick, j, change);
    }
  }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t) { return n.state(j).answer; }

 private:
  static double answer_to(const Constants& c, double x) {
    return c.has_threshold == 0 ? x : x > c.threshold ? 1 : 0;
  }
  static void ask(N n, Tick tick, std::uint32_t j) {
    State& s = n.state(j);
    if (s.asked == tick) return;
    s.asked = tick;
    n.out().test_at(tick, j);
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<StepSignal>())
