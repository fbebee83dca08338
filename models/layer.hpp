// What the neurons of layered networks have in common: they add up what arrives in a tick, and at its end
// answer with one graded event, or none where the answer is 0.
//
// A layer answers to every image, also those of its neurons that hear nothing of it.  Images begin every
// `period`, and what they cause is at the layer `phase` later: then a neuron whose answer to no input is not
// 0 asks to be evaluated.  All others are evaluated where something arrives.
//
// Where a converter reads the sums, as behind a crossbar, it is here that it does: at the end of the tick,
// when a sum is complete.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>

#include "spinet/converter.hpp"
#include "spinet/neuron.hpp"
#include "unrolled.hpp"

namespace spinet::layer {

struct Params {
  double bias = 0, period = automatic, phase = automatic, adc_bits = 0, adc_range = 1;
};
/// All but the sum, which is what arrivals touch.
struct Constants {
  double bias, y;
  Tick period;          ///< 0: silent neurons do not answer
  Tick next;            ///< time of the next answer that does not wait for input
  double steps, range;  ///< of the converter (spinet/converter.hpp); 0 steps: none

  double converted(double sum) const { return steps > 0 ? Converter::of_steps(sum, steps, range) : sum; }
};

template <class P>
void add_params(FieldTable<P>& t) {
  t.add(&P::bias, "bias", "1", 0, any(), plain,
        "added to what arrives; drawn for each channel where a convolution ends")
      .derives(&P::period, "period", "ms", at_least(0), in_ticks,
               "time from image to image, of the population of images; 0: answers to input alone")
      .derives(&P::phase, "phase", "ms", at_least(0), in_ticks,
               "from an image to the answer: the delays on the way")
      .add(&P::adc_bits, "adc_bits", "1", 0, between(0, 32), integer,
           "of a converter that reads the sum before it is answered, at least 2; 0: none")
      .add(&P::adc_range, "adc_range", "1", 1, above(0), plain,
           "that converter shows sums from minus this to this");
}
inline Constants constants(const Params& p, const RunInfo& run) {
  const auto ticks = [&](double ms) {
    return is_auto(ms) ? Tick{0} : static_cast<Tick>(std::round(ms * run.ticks_per_ms));
  };
  const Converter adc{static_cast<std::uint32_t>(p.adc_bits), p.adc_range};
  return {p.bias, 0, ticks(p.period), ticks(p.phase), adc.steps(), adc.range};
}

/// The model M has `answers(n, js, x)`, which makes answers of sums, at most `at_once`; its `constants(j)`
/// begin with Constants as `common`, its `State` has `input`.
inline constexpr std::size_t at_once = 64;

/// Asks for the first answer of neuron j, if silence is not 0; its constants are there.
template <class M>
void begin(Neurons<M> n, std::uint32_t j) {
  Constants& c = n.constants(j).common;
  if (c.period == 0) return;
  double x = c.converted(M::silent(n, j));
  M::answers(n, std::span(&j, 1), &x);
  if (x == 0) c.period = 0;
  else n.out().evaluate_at(c.next, j);
}

template <class M>
void evaluate(Neurons<M> n, Tick tick, std::span<const std::uint32_t> all) {
  double x[at_once];
  for (; !all.empty(); all = all.subspan(std::min(at_once, all.size()))) {
    const auto js = all.first(std::min(at_once, all.size()));
    for (std::size_t i = 0; i < js.size(); ++i)
      x[i] = n.constants(js[i]).common.converted(M::taken(n, js[i]));
    M::answers(n, js, x);
    for (std::size_t i = 0; i < js.size(); ++i) {
      Constants& c = n.constants(js[i]).common;
      c.y = x[i];
      if (!std::isfinite(x[i]))
        n.out().fail(tick, js[i], "its answer is no number: weights or inputs are too large");
      else if (x[i] != 0) n.out().emit(tick, js[i], x[i]);
      if (c.period != 0 && c.next == tick) n.out().evaluate_at(c.next += c.period, js[i]);
    }
  }
}

/// A neuron that adds up: all but its name and its answer.
template <class M, class P = Params>
struct Adding {
  static constexpr std::uint32_t graded = 1;
  static constexpr bool wide = true;
  using Params = P;
  struct State {
    double input;
  };
  struct Constants {
    layer::Constants common;
  };
  static constexpr Port ports[] = {{"in", "1", "what is added up", 0, 1, 1}};

  static auto params() {
    FieldTable<Params> t;
    add_params(t);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("y", "1", 0, any(), recorded, "last answer");
    return t;
  }
  static const char* check(const P& p) {
    return p.adc_bits == 1 ? "adc_bits is 0, no converter, or at least 2" : nullptr;
  }
  using N = Neurons<M>;
  static void init(N n, std::uint32_t j, const P& p, const double*) {
    n.state(j) = {0};
    n.constants(j) = M::constants_of(p, n.b.run);
    begin<M>(n, j);
  }
  static Constants constants_of(const P& p, const RunInfo& run) { return {constants(p, run)}; }
  static double silent(N n, std::uint32_t j) { return n.constants(j).common.bias; }
  static double taken(N n, std::uint32_t j) {
    return std::exchange(n.state(j).input, 0) + n.constants(j).common.bias;
  }
  static void receive(N n, const Arrivals& a) {
    double* const input = &n.state(0).input;
    each_unrolled(a, [=](std::uint16_t j, double w) { input[j] += w; });
  }
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t> js) { layer::evaluate<M>(n, tick, js); }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t) { return n.constants(j).common.y; }
};

}  // namespace spinet::layer
