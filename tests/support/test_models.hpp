// Small models that exercise each function of the contract.  They prove nothing about neurons.
#pragma once
#include "spinet/neuron.hpp"
#include "spinet/synapse.hpp"

namespace spinet::test {

/// Writes down in decimal digits what is called, in the order it happens: 1 a control event, 2 wake, 3 an
/// arrival through the first port, 4 one through the second, 5 test, 6 evaluate.  The first arrival asks for
/// the other three `later` ticks on.
inline constexpr Field note_values[] = {stimulus_value("value", "1", "what it says")};
/// Leaves a note; has a neuron wake up after that many ticks.
inline constexpr Stimulus note = stimulus("note", "keep notes", "a note", note_values);
inline constexpr Stimulus alarm = stimulus("alarm", "wake up", "an alarm", note_values);

struct Diary {
  static constexpr Stimulus stimuli[] = {test::note, alarm};
  static constexpr const char* name = "test_diary";
  static constexpr const char* doc = "Records the order of calls.";
  struct Params {
    double later = 1000;
  };
  struct State {
    double digits, asked, last;
  };
  struct Constants {
    Tick later;
  };
  static constexpr Port ports[] = {{"a", "1", "first", 0, 1}, {"b", "1", "second", 0, 1}};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::later, "later", "1", 1000, at_least(0), plain, "ticks from the first arrival to the rest");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::digits, "digits", "1", 0, any(), recorded, "calls so far");
    return t;
  }
  static void init(Neurons<Diary> n, std::uint32_t j, const Params& p, const double*) {
    n.state(j) = {0, 0, 0};
    n.constants(j).later = static_cast<Tick>(p.later);
  }
  static void note(Neurons<Diary> n, std::uint32_t j, int digit) {
    n.state(j).digits = n.state(j).digits * 10 + digit;
  }
  static void arrive(Neurons<Diary> n, Tick tick, std::uint32_t port, std::uint32_t j, double) {
    if (n.state(j).asked == 0) {
      n.state(j).asked = 1;
      const Tick then = tick + n.constants(j).later;
      n.out().evaluate_at(then, j);
      n.out().test_at(then, j);
    } else {
      note(n, j, port == 0 ? 3 : 4);
    }
  }
  static void wake(Neurons<Diary> n, Tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) note(n, j, 2);
  }
  static void test(Neurons<Diary> n, Tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) note(n, j, 5);
  }
  static void evaluate(Neurons<Diary> n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      note(n, j, 6);
      n.out().emit(tick, j);
    }
  }
  static void on_control(Neurons<Diary> n, Tick tick, const Control& c, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      if (c.stimulus == 1) n.out().wake_at(tick + static_cast<Tick>(c.value[0]), j);
      else note(n, j, 1);
    }
  }
  static double read(Neurons<Diary> n, Tick, std::uint32_t j, std::uint32_t) { return n.state(j).digits; }
};

/// Appends the weight of each arrival as a digit: shows the order of arrivals within a tick.
struct Digits {
  static constexpr const char* name = "test_digits";
  static constexpr const char* doc = "Appends arrivals as decimal digits.";
  struct Params {};
  struct State {
    double digits;
  };
  static constexpr Port ports[] = {{"a", "1", "first", 0, 0}, {"b", "1", "second", 0, 0}};
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::digits, "digits", "1", 0, any(), initial | recorded, "arrivals so far");
    return t;
  }
  static void init(Neurons<Digits> n, std::uint32_t j, const Params&, const double* given) {
    n.state(j).digits = given[0];
  }
  static void arrive(Neurons<Digits> n, Tick, std::uint32_t, std::uint32_t j, double w) {
    n.state(j).digits = n.state(j).digits * 10 + w;
  }
  static double read(Neurons<Digits> n, Tick, std::uint32_t j, std::uint32_t) { return n.state(j).digits; }
};

/// A graded neuron: at the end of a tick with input it emits gain * (sum of port `in`) + (sum of port
/// `offset`).
struct Graded {
  static constexpr const char* name = "test_graded";
  static constexpr const char* doc = "Emits a linear function of the tick's inputs.";
  static constexpr std::uint32_t graded = 1;
  struct Params {
    double gain = 1;
  };
  struct State {
    double in[2], last, asked, gain;
  };
  static constexpr Port ports[] = {{"in", "1", "multiplied", 0, 1}, {"offset", "1", "added", 0, 1}};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::gain, "gain", "1", 1, any(), scheduled, "factor");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::last, "last", "1", 0, any(), recorded, "last value emitted");
    return t;
  }
  static void init(Neurons<Graded> n, std::uint32_t j, const Params& p, const double*) {
    n.state(j) = {{0, 0}, 0, 0, p.gain};
  }
  static void set(Neurons<Graded> n, Tick, std::uint32_t j, const Params& p) { n.state(j).gain = p.gain; }
  static void arrive(Neurons<Graded> n, Tick tick, std::uint32_t port, std::uint32_t j, double w) {
    State& s = n.state(j);
    s.in[port] += w;
    if (s.asked == 0) n.out().evaluate_at(tick, j);
    s.asked = 1;
  }
  static void evaluate(Neurons<Graded> n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j);
      s.last = s.gain * s.in[0] + s.in[1];
      s.in[0] = s.in[1] = s.asked = 0;
      n.out().emit(tick, j, s.last);
    }
  }
  static double read(Neurons<Graded> n, Tick, std::uint32_t j, std::uint32_t) { return n.state(j).last; }
};

/// Counts the frames it is taken through, and how often an arrival lay outside the present frame.
struct FrameCounter {
  static constexpr const char* name = "test_frames";
  static constexpr const char* doc = "Counts frames.";
  struct Params {
    double frame = 1000;
  };
  struct State {
    double frames, wrong, arrivals;
  };
  static constexpr Port ports[] = {{"in", "1", "any", 0, 0}};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::frame, "frame", "1", 1000, above(0), shared, "ticks");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::frames, "frames", "1", 0, any(), recorded, "frames passed at the last arrival")
        .add(&State::wrong, "wrong", "1", 0, any(), recorded,
             "arrivals outside the frame, or at a wrong count")
        .add(&State::arrivals, "arrivals", "1", 0, any(), recorded, "arrivals");
    return t;
  }
  static Tick frame(const Params& p, const RunInfo&) { return static_cast<Tick>(p.frame); }
  static void init(Neurons<FrameCounter> n, std::uint32_t j, const Params&, const double*) {
    n.state(j) = {0, 0, 0};
  }
  static void arrive(Neurons<FrameCounter> n, Tick tick, std::uint32_t, std::uint32_t j, double) {
    State& s = n.state(j);
    const auto& b = n.b;
    ++s.arrivals;
    if (tick < b.frame_begin || tick >= b.frame_begin + b.frame_length ||
        b.frame_begin % b.frame_length != 0 || s.frames != static_cast<double>(tick / b.frame_length))
      ++s.wrong;
  }
  static std::uint32_t renormalise(Neurons<FrameCounter> n, std::uint64_t frames) {
    for (std::uint32_t j = 0; j < n.size(); ++j) n.state(j).frames += static_cast<double>(frames);
    return 1;
  }
  static double read(Neurons<FrameCounter> n, Tick, std::uint32_t j, std::uint32_t v) {
    const State& s = n.state(j);
    return v == 0 ? s.frames : v == 1 ? s.wrong : s.arrivals;
  }
};

/// Asks in `init` for a test, and emits at it and at every `period` ticks after it.
struct Clock {
  static constexpr const char* name = "test_clock";
  static constexpr const char* doc = "Fires by itself.";
  struct Params {
    double first = 0, period = 1000;
  };
  struct State {
    double count;
  };
  struct Constants {
    Tick period;
  };
  static constexpr Port ports[] = {{"in", "1", "ignored", 0, 0}};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::first, "first", "1", 0, at_least(0), plain, "tick of the first event")
        .add(&Params::period, "period", "1", 1000, above(0), plain, "ticks");
    return t;
  }
  static auto variables() { return FieldTable<State>{}; }
  static void init(Neurons<Clock> n, std::uint32_t j, const Params& p, const double*) {
    n.state(j).count = 0;
    n.constants(j).period = static_cast<Tick>(p.period);
    n.out().test_at(static_cast<Tick>(p.first), j);
  }
  static void arrive(Neurons<Clock>, Tick, std::uint32_t, std::uint32_t, double) {}
  static void test(Neurons<Clock> n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      n.out().emit(tick, j);
      n.out().test_at(tick + n.constants(j).period, j);
    }
  }
  static double read(Neurons<Clock>, Tick, std::uint32_t, std::uint32_t) { return 0; }
};

/// A synapse that knows its slice: transmits weight * factor, where control events multiply the factor, and
/// counts.
struct Adjustable {
  static constexpr Stimulus stimuli[] = {test::note};
  static constexpr const char* name = "test_adjustable";
  static constexpr const char* doc = "A weight that control events multiply.";
  struct Params {
    double gain = 1;
  };
  struct State {
    float weight;
    float factor;
  };
  struct Shared {
    double gain;
  };
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::gain, "gain", "1", 1, any(), plain, "factor of the projection");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "weight")
        .add(&State::factor, "factor", "1", 1, any(), initial, "factor");
    return t;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo&) { s.gain = p.gain; }
  static double weight(State& s, const Shared& sh, const Slice&) {
    return static_cast<double>(s.weight) * s.factor * sh.gain;
  }
  static void on_control(Synapses<Adjustable> s, const Control& c) {
    for (std::uint32_t i = 0; i < s.size(); ++i) s[i].factor *= static_cast<float>(c.value[0]);
  }
  static double read(const State& s, const Shared& sh, Tick) {
    return static_cast<double>(s.weight) * s.factor * sh.gain;
  }
};

/// Transmits the emission's age in ticks times weight, plus the payload, plus 1000 for each event so far.
struct Aware {
  static constexpr const char* name = "test_aware";
  static constexpr const char* doc = "Uses payload, delay and tick.";
  struct Params {};
  struct State {
    float weight;
  };
  struct SliceState {
    double events;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "weight");
    return t;
  }
  static void on_pre(Synapses<Aware> s, double* out) {
    s.slice_state().events += 1;
    for (std::uint32_t i = 0; i < s.size(); ++i)
      out[i] = static_cast<double>(s[i].weight) * static_cast<double>(s.s.delay) + s.s.payload +
               1000 * s.slice_state().events;
  }
};

}  // namespace spinet::test
