// A synapse with a random release, sound (FLAW 0) or with one flaw that `check-plugin` must find.
#include <cfenv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

#include "spinet/device.hpp"
#include "spinet/random.hpp"
#include "spinet/reward.hpp"
#include "spinet/synapse.hpp"

namespace {
enum {
  sound,
  libm,
  hidden_counter,
  read_writes,
  key_of_position,
  overrun,
  chance,
  infinite,
  hidden_history,
  crash,
  forever,
  ends,
  nan_at_end,
  undeclared_key,
  own_key,
  computed_weight,
  unread,
  reward_nan,
  batch_counts,
  read_position,
  reward_overrun,
  computed_first,
  rounding,
  flushing,
  negative,
  forever_at_end,
  reads_twice,
  allocates,
  prints,
  throws,
  no_reading,
  unit,
  payload_twice,
  late_counter
};
constexpr int flaw = FLAW;

/// What only flawed models keep.
struct Kept {
  float batches;
  std::uint64_t counter;
  spinet::Tick first;
};
inline Kept& kept() {
  static Kept all;
  return all;
}

struct Release {
  static constexpr const char* name = "release";
  static constexpr const char* doc = "Releases with probability p, for the tests of check-plugin.";
  struct Params {
    double p;
  };
  struct Shared {
    double p;
  };
  struct State {
    float released, weight, reading;
  };  // what a network gives does not lie first
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::p, "p", flaw == unit ? "furlong" : "1", 0.6, spinet::between(0, 1), 0,
          "probability of release");
    return t;
  }
  static auto variables() {
    spinet::FieldTable<State> t;
    if (flaw == computed_weight)
      t.computed("weight", "1", 1, spinet::any(), spinet::initial, "weight of a release");
    else
      t.add(&State::weight, "weight", "1", 1, flaw == negative ? spinet::at_least(0) : spinet::any(),
            spinet::initial | spinet::port_unit, "weight of a release");
    t.add(&State::released, "released", "1", 0, spinet::any(), 0, "releases so far");
    t.computed("twice", "1", 0.1, spinet::any(), 0, "twice the releases");
    t.add(&State::reading, flaw == no_reading ? "found" : "reading", "1", 0, spinet::any(), 0,
          "the weight that was read last");
    if (flaw == computed_first) {  // as a table made by hand has it: the computed variable lies where the
                                   // first one lies
      static auto fields = t;
      const_cast<spinet::Field*>(fields.view().data)[2].offset = 0;
      return fields;
    }
    return t;
  }
  static void prepare(Shared& s, const Params& p, const spinet::RunInfo&) { s.p = p.p; }

  static constexpr bool draws = flaw != undeclared_key && flaw != reads_twice;
  static constexpr spinet::Stimulus stimuli[] = {spinet::reward, spinet::batch_end, spinet::device::read};
  enum Kind { a_reward, a_batch_end, a_read };
  static void on_control(spinet::Synapses<Release> synapses, const spinet::Control& c) {
    for (std::uint32_t i = 0; i < synapses.size(); ++i) {
      float& w = synapses[i].weight;
      if (c.stimulus == a_reward) w += static_cast<float>(0.01 * c.value[0]);
      if (c.stimulus == a_reward && flaw == reward_nan) w = static_cast<float>(__builtin_sqrt(c.value[0]));
      if (c.stimulus == a_batch_end) w *= flaw == batch_counts ? 1 + 0.01f * ++kept().batches : 1.01f;
      if (c.stimulus == a_read && flaw == read_position) w *= 1 + 0.01f * static_cast<float>(i);
      if (c.stimulus == a_read) synapses[i].reading = w;
    }
    if (c.stimulus == a_reward && flaw == reward_overrun) synapses[synapses.size()].weight = 1;
  }
  static void on_pre(spinet::Synapses<Release> synapses, double* out) {
    if (flaw == hidden_history && kept().first == 0) kept().first = synapses.s.tick;
    for (std::uint32_t i = 0; i < synapses.size(); ++i) {
      State& s = synapses[i];
      auto u = flaw == reads_twice ? 0 : spinet::uniform01(synapses.s.draw(i)[0]);
      if (flaw == key_of_position)
        u = spinet::uniform01(
            spinet::draw(synapses.s.random, i, static_cast<std::uint64_t>(synapses.s.tick))[0]);
      if (flaw == hidden_counter)
        u = spinet::uniform01(spinet::draw(synapses.s.random, i, ++kept().counter)[0]);
      if (flaw == own_key)
        u = spinet::uniform01(spinet::draw({1, 2}, synapses.s.gids[synapses.s.targets[i]],
                                           static_cast<std::uint64_t>(synapses.s.tick))[0]);
      if (flaw == nan_at_end && synapses.shared().p == 1) u = 0, s.weight = __builtin_nanf("");
      if (flaw == chance) u = std::rand() / (RAND_MAX + 1.0);
      const bool release = u < synapses.shared().p;
      s.released += release ? 1.0f : 0.0f;
      out[i] = release ? s.weight : 0.0f;
      if (flaw == negative && s.released > 3) out[i] = -out[i];
      if (flaw == payload_twice) out[i] *= static_cast<float>(synapses.s.payload);
      if (flaw == libm) out[i] *= static_cast<float>(std::exp(-1e-3 * static_cast<double>(s.released)));
      if (flaw == infinite) out[i] /= s.released;
      if (flaw == hidden_history) out[i] *= static_cast<float>(synapses.s.tick - kept().first);
    }
    if (flaw == late_counter && ++kept().counter == 10'000'000) out[0] *= 2;
    if (flaw == rounding) std::fesetround(FE_UPWARD);
#ifdef __SSE2__
    if (flaw == flushing) _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    if (flaw == allocates) {
      int* volatile kept = new int(1);
      out[0] *= static_cast<float>(*kept);
    }
    if (flaw == prints) std::puts("transmitted");
    if (flaw == throws && synapses.size() == 0) throw 1;
    if (flaw == overrun) out[synapses.size()] = 0;
    if (flaw == ends) std::exit(0);
    if (flaw == crash) *reinterpret_cast<volatile int*>(8) = 1;
    if (flaw == forever || (flaw == forever_at_end && synapses.shared().p == 1))
      for (volatile int i = 0;; i = i + 1) {
      }
  }
  static double read(spinet::Synapses<Release> n, std::uint32_t i, std::uint32_t variable) {
    const State& s = n[i];
    if (flaw == read_writes) const_cast<State&>(s).released = 0;
    if (variable == 2) return flaw == unread ? spinet::get(&s, variables().view().data[2]) : 2.0 * s.released;
    if (variable == 3) return s.reading;
    return variable == 1 ? s.released : s.weight * (flaw == reads_twice ? 2 : 1);
  }
};
}  // namespace

SPINET_MODEL(spinet::synapse_table<Release>())
