// The battery for source models.
#include <algorithm>

#include "bench.hpp"
#include "conformance.hpp"

namespace spinet {
namespace {

constexpr RunInfo run_info{1e6};
constexpr std::uint32_t unit_size = 64, slab = 65536, slabs = 400;

struct UnitBench {
  const SourceTable& t;
  Fenced params;
  std::vector<ListedSpike> listed;
  double rate = 0;  ///< of the unit, events per ms

  explicit UnitBench(const SourceTable& table) : t(table), params(std::size_t{table.params_size} * unit_size) {
    const Fields& fields = t.model.params;
    for (std::uint32_t j = 0; j < unit_size; ++j) {
      std::byte* p = params.data() + std::size_t{j} * t.params_size;
      for (std::uint32_t i = 0; i < fields.count; ++i) {
        // A rate whose default is zero would give nothing to check.
        const Field& f = fields.data[i];
        store(p, f, f.preset == 0 && f.high > 1000 && !(f.flags & integer) ? 1000.0 : f.preset);
      }
      rate += t.rate(p);
    }
    Dice dice(5);
    for (Tick tick = 7; tick < Tick{slab} * slabs; tick += 1 + dice.below(90'000)) listed.push_back({tick, dice.below(unit_size)});
  }

  SourceUnit unit() const {
    return {512, unit_size, params.data(), 1, 0, listed.data(), listed.size(), {42, 3}, run_info};
  }

  /// Events of one slab, sorted; `room`: the size of the first sink, doubled until it is enough.
  std::vector<std::uint32_t> events(std::uint32_t i, std::uint32_t room, bool& sound) const {
    const SourceUnit u = unit();
    for (;; room *= 2) {
      Fenced memory(std::size_t{room} * sizeof(std::uint32_t), 1 << 18);
      EventSink sink{reinterpret_cast<std::uint32_t*>(memory.data()), 0, room};
      const auto done = t.generate(&u, Tick{slab} * i, slab, &sink);
      sound &= memory.intact() && sink.size <= sink.capacity;
      if (!sound) return {};
      if (!done && room < (1u << 26)) continue;
      std::vector<std::uint32_t> out(sink.data, sink.data + sink.size);
      std::sort(out.begin(), out.end());
      return out;
    }
  }
};

}  // namespace

void check_source(const SourceTable& table, const SourceTable& restarted, const Findings& found) {
  const UnitBench bench(table), other(restarted);
  found({"rates are finite and not negative", std::isfinite(bench.rate) && bench.rate >= 0, ""});

  bool sound = true, ids = true;
  std::vector<std::vector<std::uint32_t>> all;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < slabs; ++i) {
    all.push_back(bench.events(i, 1u << 16, sound));
    count += all.back().size();
    for (const auto key : all.back()) ids &= (key & 0xFFFF) < unit_size;
  }
  found({"stays inside the sink it is given", sound, ""});
  found({"events belong to neurons of the unit", ids, ""});

  std::string detail;
  for (std::uint32_t k = 0; k < slabs && detail.empty(); ++k) {
    const std::uint32_t i = slabs - 1 - k;  // backwards, in a sink that is too small at first
    if (other.events(i, 4, sound) != all[i]) detail = "slab " + std::to_string(i) + " differs when asked for again";
  }
  found({"the same stretch of time gives the same events, in any order, on any rank, with any sink", detail.empty() && sound, detail});

  if (bench.rate > 0) {
    const double bound = bench.rate * slab * slabs / run_info.ticks_per_ms;
    const bool within = static_cast<double>(count) <= bound + 6 * std::sqrt(bound) + 6;
    found({"sends no more than the rate it states", within,
           std::to_string(count) + " events where " + std::to_string(bound) + " are stated"});
  } else {
    std::vector<std::uint64_t> sent, wanted;
    for (std::uint32_t i = 0; i < slabs; ++i)
      for (const auto key : all[i]) sent.push_back((std::uint64_t{slab} * i + (key >> 16)) << 16 | (key & 0xFFFF));
    for (const auto& spike : bench.listed) wanted.push_back(static_cast<std::uint64_t>(spike.tick) << 16 | spike.index);
    std::sort(sent.begin(), sent.end());
    found({"sends the listed spikes, each once", sent == wanted,
           sent == wanted ? "" : std::to_string(sent.size()) + " events where " + std::to_string(wanted.size()) + " are listed"});
  }
}

}  // namespace spinet
