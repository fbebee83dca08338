// reward_rule: learning from a reward through an eligibility of one presentation, with three ways to write
// the weight.
//
// A presentation leaves an eligibility e = the payload of the event that came (0 without one).  A reward R
// with the expected reward Rb (a control event `reward`, value = (R, Rb, ...)) changes the synapse by the
// advantage R - Rb:
//     D += rate (R - Rb) gradient e - decay sign(w)
// gradient is a variable of the target: y - p of a stochastic_binary neuron (R. J. Williams, "Simple
// statistical gradient-following algorithms for connectionist reinforcement learning", 1992), feedback y (1 -
// y) of a sigmoid. D becomes weight at every reward (write: each) or at the end of a batch (control event
// `batch_end`):
//     linear     w += D
//     power      w += sign(D) |D|^exponent where |D| > threshold, else nothing
// The power law stands for the magnetoconductance of molecular spin valves: the boost of the conductance by a
// global field grows as (G - Gth)^(7/4).
#include <algorithm>
#include <bit>

#include "spinet/math.hpp"
#include "spinet/reward.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct RewardRule {
  static constexpr const char* name = "reward_rule";
  static constexpr const char* doc =
      "Reward times eligibility, written linearly or by a thresholded power law at the end of a batch.";
  static constexpr bool wide = true;
  static constexpr Stimulus stimuli[] = {spinet::reward, spinet::batch_end};
  enum { a_reward, a_batch_end };
  static constexpr const char* reads[] = {"gradient"};
  static constexpr std::uint32_t reads_at_control = 1;
  struct Params {
    double write, update, rate, decay, exponent, threshold;
  };
  enum : std::uint32_t { batch, each };
  enum : std::uint32_t { linear, power };
  struct Shared {
    double rate, decay, exponent, threshold;
    std::uint32_t write, update;
  };
  struct State {
    double weight, change;  ///< change: D since the last write
  };
  struct SliceState {
    double eligibility;  ///< of the present presentation; the same for all synapses of the slice
  };

  static auto params() {
    FieldTable<Params> t;
    t.choice(&Params::write, "write", "batch each",
             "when changes become weight: at batch_end, or at every reward")
        .choice(&Params::update, "update", "linear power",
                "how: as they are, or by the thresholded power law")
        .add(&Params::rate, "rate", "1", 1, any(), scheduled, "learning rate")
        .add(&Params::decay, "decay", "1", 0, at_least(0), scheduled,
             "taken off the weight's magnitude at every reward")
        .add(&Params::exponent, "exponent", "1", 1.75, above(0), scheduled, "of the power law")
        .add(&Params::threshold, "threshold", "1", 0.4, at_least(0), scheduled,
             "smallest change that the power law writes");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 0, any(), initial | port_unit, "weight")
        .add(&State::change, "change", "1", 0, any(), 0, "change that has not been written yet");
    return t;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo&) {
    s = {p.rate,
         p.decay,
         p.exponent,
         p.threshold,
         static_cast<std::uint32_t>(p.write),
         static_cast<std::uint32_t>(p.update)};
  }

  static Sign sign(const Params&) { return Sign::either; }
  static void set(Synapses<RewardRule>, const Params&, const Shared&) {
  }  // nothing is kept that the parameters made

  static void on_pre(Synapses<RewardRule> n, double* out) {
    n.slice_state().eligibility = n.s.payload;
    for (std::uint32_t i = 0; i < n.size(); ++i) out[i] = n[i].weight;
  }
  static void write(State& s, const Shared& p) {
    const double size = math::abs(s.change);
    if (p.update == linear) s.weight += s.change;
    else if (size > p.threshold) s.weight += with_sign(math::exp(p.exponent * math::log(size)), s.change);
    s.change = 0;
  }
  /// `size`, not negative, with the sign of x; 0 where x is 0.  No branch: signs of weights are in no order.
  static double with_sign(double size, double x) {
    const auto bits =
        std::bit_cast<std::uint64_t>(size) | (std::bit_cast<std::uint64_t>(x) & std::uint64_t{1} << 63);
    return std::bit_cast<double>(bits & -std::uint64_t{x != 0});
  }
  static void reward(Synapses<RewardRule> n, double advantage) {
    const Shared& p = n.shared();
    const double e = n.slice_state().eligibility, gain = p.rate * advantage, decay = p.decay;
    n.slice_state().eligibility = 0;
    if (p.write == batch && decay == 0) {
      for (std::uint32_t i = 0; i < n.size() && e != 0; ++i) n[i].change += gain * n.s.target(i) * e;
      return;
    }
    State* const s = &n[0];
    const std::uint32_t count = n.size();
    const auto changed = [&](std::uint32_t i, double eligible) {
      return s[i].change + eligible - with_sign(decay, s[i].weight);
    };
    if (p.write == each && p.update == linear) {
      if (e == 0) {
        for (std::uint32_t i = 0; i < count; ++i) s[i] = {s[i].weight + changed(i, 0), 0};
        return;
      }
      double gradient[32];  // gathered first: the arithmetic then is a loop over arrays, which the compiler
                            // makes wide
      for (std::uint32_t i = 0; i < count;) {
        const std::uint32_t first = i, last = std::min(count, first + 32);
        for (; i < last; ++i) gradient[i - first] = n.s.target(i);
        for (i = first; i < last; ++i) s[i] = {s[i].weight + changed(i, gain * gradient[i - first] * e), 0};
      }
      return;
    }
    for (std::uint32_t i = 0; i < count; ++i) s[i].change = changed(i, e != 0 ? gain * n.s.target(i) * e : 0);
    for (std::uint32_t i = 0; i < count && p.write == each; ++i) write(s[i], p);
  }
  static void on_control(Synapses<RewardRule> n, const Control& control) {
    const Shared& p = n.shared();
    if (control.stimulus == a_reward) {
      reward(n, control.value[0] - control.value[1]);
    } else if (control.stimulus == a_batch_end && p.write == batch) {
      for (std::uint32_t i = 0; i < n.size(); ++i) write(n[i], p);
    }
  }
};
}  // namespace

SPINET_MODEL(synapse_table<RewardRule>())
