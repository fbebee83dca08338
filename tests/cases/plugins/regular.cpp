// A sound source that fires at every whole multiple of its period, at 0 for the first time.
#include "spinet/source.hpp"

namespace {
struct Regular {
  static constexpr const char* name = "regular";
  static constexpr const char* doc = "Fires at every multiple of a period, for the tests of check-plugin.";
  static constexpr std::uint32_t superposable = 0;
  struct Params {
    double period;
  };
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::period, "period", "ms", 10, spinet::between(0.1, 1e6), 0, "time between events");
    return t;
  }
  static double rate(const Params& p) { return 1 / p.period; }
  static bool generate(const spinet::SourceUnit& u, spinet::Tick from, std::uint32_t length,
                       spinet::EventSink& out) {
    const auto* params = static_cast<const Params*>(u.params);
    for (std::uint32_t j = 0; j < u.size; ++j) {
      const auto period = static_cast<spinet::Tick>(params[j].period * u.run.ticks_per_ms) + 1;
      for (spinet::Tick tick = (from + period - 1) / period * period; tick < from + length; tick += period) {
        if (out.size == out.capacity) return false;
        out.data[out.size++] = static_cast<std::uint32_t>(tick - from) << 16 | j;
      }
    }
    return true;
  }
};
}  // namespace

SPINET_MODEL(spinet::source_table<Regular>())
