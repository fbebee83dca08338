// spike_source: neurons that fire when the network's file says so.
#include <algorithm>

#include "spinet/source.hpp"

struct SpikeSource {
  static constexpr const char* name = "spike_source";
  static constexpr const char* doc =
      "Fires at the times the network lists (in its file, a CSV or a SONATA file); a time listed twice is "
      "two spikes.";
  struct Params {};
  static auto params() { return spinet::FieldTable<Params>{}; }
  static constexpr bool superposable = false;
  static double rate(const Params&) { return 0; }

  static bool generate(const spinet::SourceUnit& u, spinet::Tick from, std::uint32_t length,
                       spinet::EventSink& out) {
    const auto before = [](const spinet::ListedSpike& s, spinet::Tick t) { return s.tick < t; };
    const spinet::ListedSpike* const last = u.listed + u.listed_count;
    const auto* first = std::lower_bound(u.listed, last, from, before);
    const auto* end = std::lower_bound(first, last, from + length, before);
    if (end - first > static_cast<std::ptrdiff_t>(out.capacity - out.size)) return false;
    for (; first != end; ++first)
      out.data[out.size++] = (static_cast<std::uint32_t>(first->tick - from) << 16) | first->index;
    return true;
  }
};

SPINET_MODEL(spinet::source_table<SpikeSource>())
