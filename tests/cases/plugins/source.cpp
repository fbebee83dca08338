// A Bernoulli source (one event per neuron and millisecond with probability p), sound (FLAW 0) or flawed.
#include <cfenv>

#include "spinet/random.hpp"
#include "spinet/source.hpp"

namespace {
enum { sound, hidden_state, overfull, too_many, foreign_neuron, own_key, endless, rate_at_end, rounding };
constexpr int flaw = FLAW;

/// What only a flawed model keeps.
inline std::uint64_t& kept() {
  static std::uint64_t calls = 0;
  return calls;
}

struct Bernoulli {
  static constexpr const char* name = "bernoulli";
  static constexpr const char* doc = "For the tests of check-plugin.";
  struct Params {
    double p;
  };
  static constexpr std::uint32_t superposable = 0;
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::p, "p", "1", 0.05, spinet::between(0, 1), 0, "probability per 10,000 ticks");
    return t;
  }
  static double rate(const Params& p) {
    return flaw == rate_at_end && p.p == 1 ? __builtin_nan("") : p.p * 100;
  }
  static bool generate(const spinet::SourceUnit& u, spinet::Tick from, std::uint32_t length,
                       spinet::EventSink& out) {
    if (flaw == endless) return false;
    if (flaw == rounding) std::fesetround(FE_UPWARD);
    const auto* params = static_cast<const Params*>(u.params);
    for (spinet::Tick tick = (from + 9'999) / 10'000 * 10'000; tick < from + length; tick += 10'000)
      for (std::uint32_t j = 0; j < u.size; ++j) {
        const auto counter = flaw == hidden_state ? ++kept() : static_cast<std::uint64_t>(tick);
        if (spinet::uniform01(spinet::draw(flaw == own_key ? spinet::RandomKey{1, 2} : u.random, u.first + j,
                                           counter)[0]) >= params[j].p * (flaw == too_many ? 1.2 : 1))
          continue;
        if (out.size == out.capacity && flaw != overfull) return false;
        out.data[out.size++] =
            static_cast<std::uint32_t>(tick - from) << 16 | (flaw == foreign_neuron ? u.size : j);
      }
    return true;
  }
};
}  // namespace

SPINET_MODEL(spinet::source_table<Bernoulli>())
