// The battery for source models.
#include <algorithm>
#include <cmath>

#include "conformance.hpp"
#include "parameters.hpp"

namespace spinet {
namespace {

constexpr RunInfo run_info{1e6};
constexpr std::uint32_t unit_size = 64, slab = 65536;

struct UnitBench {
  const SourceTable& t;
  Fenced params;
  std::vector<ListedSpike> listed;
  RandomKey key{42, 3};
  Gid first = 512;
  double rate = 0;  ///< of the unit, events per ms
  mutable std::string mode_trouble;

  UnitBench(const SourceTable& table, const ParameterSet& set, std::uint32_t slabs, std::uint32_t seed)
      : t(table), params(std::size_t{table.params_size} * unit_size) {
    const Fields& fields = t.model.params;
    for (std::uint32_t j = 0; j < unit_size; ++j) {
      std::byte* p = params.data() + std::size_t{j} * t.params_size;
      for (std::uint32_t i = 0; i < fields.count; ++i) put(p, fields.data[i], set.values[i]);
      const ModeWatch watch("rate", mode_trouble);
      rate += t.rate(p);
    }
    Dice dice(seed + 4);
    for (Tick tick = 7; tick < Tick{slab} * slabs; tick += 1 + dice.below(90'000))
      listed.push_back({tick, dice.below(unit_size)});
  }

  SourceUnit unit() const {
    return {first, unit_size, params.data(), 1, 0, listed.data(), listed.size(), key, run_info};
  }

  /// Events of one slab, sorted; `room`: the size of the first sink, doubled until it is enough.
  std::vector<std::uint32_t> events(std::uint32_t i, std::uint32_t room, bool& sound) const {
    const SourceUnit u = unit();
    for (;; room *= 2) {
      Fenced memory(std::size_t{room} * sizeof(std::uint32_t), 1 << 18);
      EventSink sink{reinterpret_cast<std::uint32_t*>(memory.data()), 0, room};
      const auto done = [&] {
        const ModeWatch watch("generate", mode_trouble);
        return t.generate(&u, Tick{slab} * i, slab, &sink);
      }();
      sound &= memory.intact() && sink.size <= sink.capacity;
      if (!sound) return {};
      if (!done && room < (1u << 26)) continue;
      sound &= done != 0;
      std::vector<std::uint32_t> out(sink.data, sink.data + sink.size);
      std::sort(out.begin(), out.end());
      return out;
    }
  }
};

/// One unit over some slabs of time.
struct Made {
  const ParameterSet* set;
  UnitBench bench, restarted;
  std::vector<std::vector<std::uint32_t>> all;
  std::size_t count = 0;
  bool sound = true;

  Made(const SourceTable& table, const SourceTable& again, const ParameterSet& with, std::uint32_t slabs,
       std::uint32_t seed)
      : set(&with), bench(table, with, slabs, seed), restarted(again, with, slabs, seed) {
    constexpr std::size_t enough = 300'000;  // at the highest rate a slab is a million events
    for (std::uint32_t i = 0; i < slabs && std::isfinite(bench.rate) && sound && count < enough; ++i) {
      all.push_back(bench.events(i, 1u << 16, sound));
      count += all.back().size();
    }
  }
  std::string mode() { return bench.mode_trouble; }
  std::string rates() {
    return std::isfinite(bench.rate) && bench.rate >= 0
               ? ""
               : "together they are " + std::to_string(bench.rate) + " per ms";
  }
  std::string fits() {
    return sound ? "" : "it writes past the end of the sink, or says again and again that there is no room";
  }
  std::string mine() {
    for (const auto& slab_events : all)
      for (const auto key : slab_events)
        if ((key & 0xFFFF) >= unit_size)
          return "an event of neuron " + std::to_string(key & 0xFFFF) + " of " + std::to_string(unit_size);
    return "";
  }
  std::string again() {
    for (std::size_t k = 0; k < all.size(); ++k) {
      const std::size_t i = all.size() - 1 - k;  // backwards, in a sink that is too small at first
      bool good = true;
      if (restarted.events(static_cast<std::uint32_t>(i), 4, good) != all[i] || !good)
        return "slab " + std::to_string(i) + " differs when asked for again";
    }
    return "";
  }
  std::string seeded() {
    const auto differs = [&](const UnitBench& other) {
      bool good = true;
      for (std::size_t i = 0; i < all.size(); ++i)
        if (other.events(static_cast<std::uint32_t>(i), 1u << 16, good) != all[i]) return true;
      return false;
    };
    UnitBench other_seed = bench, other_gids = bench;
    other_gids.first = 4096;
    if (!differs(other_gids)) return "";  // none, or none that show
    for (std::uint32_t k = 0; k < other_seeds; ++k) {
      other_seed.key = {43 + k, 4};
      if (differs(other_seed)) return "";
    }
    return "its random numbers ignore the seed: they come not from the unit's `random`";
  }
  std::string as_stated() {
    if (bench.rate > 0) {
      const double bound = bench.rate * slab * static_cast<double>(all.size()) / run_info.ticks_per_ms;
      // A neuron that fires regularly may begin with an event, and has one more in a stretch of time than its
      // rate.
      return static_cast<double>(count) <= bound + unit_size + 6 * std::sqrt(bound) + 6
                 ? ""
                 : std::to_string(count) + " events where " + std::to_string(bound) + " are stated";
    }
    std::vector<std::uint64_t> sent, wanted;
    for (std::size_t i = 0; i < all.size(); ++i)
      for (const auto key : all[i])
        sent.push_back((std::uint64_t{slab} * i + (key >> 16)) << 16 | (key & 0xFFFF));
    for (const auto& spike : bench.listed)
      wanted.push_back(static_cast<std::uint64_t>(spike.tick) << 16 | spike.index);
    std::sort(sent.begin(), sent.end());
    // With a rate of zero a source may be one that takes no listed spikes, and silent.
    return sent == wanted || (sent.empty() && bench.t.model.params.count > 0)
               ? ""
               : std::to_string(sent.size()) + " events where " + std::to_string(wanted.size()) +
                     " are listed";
  }
};

}  // namespace

void check_source(const SourceTable& table, const SourceTable& restarted, const Battery& battery) {
  constexpr std::uint32_t most = 400, some = 40;
  auto sets = parameter_sets(table.model.params, table.params_size, table.check, battery.seed);
  // A rate whose default is zero would give nothing to check.
  for (std::uint32_t i = 0; i < table.model.params.count; ++i)
    if (const Field& f = table.model.params.data[i]; f.preset == 0 && f.high > 1000 && !(f.flags & integer))
      sets[0].values[i] = 1000;
  std::vector<Made> all;
  battery.check("events can be asked for", [&]() -> std::string {
    for (const auto& set : sets) {
      if (battery.tries) battery.tries(set.name);
      all.emplace_back(table, restarted, set, all.empty() ? most : some, battery.seed);
    }
    return "";
  });
  const auto with_all = [&](const char* holds, std::string (Made::*look)()) {
    battery.check_each(
        holds, all, [](auto& made) -> const ParameterSet& { return *made.set; },
        [&](auto& made) { return (made.*look)(); });
  };
  with_all("leaves the floating-point mode of the processor as it is", &Made::mode);
  with_all("rates are finite and not negative", &Made::rates);
  with_all("stays inside the sink it is given", &Made::fits);
  with_all("events belong to neurons of the unit", &Made::mine);
  with_all("the same stretch of time gives the same events, in any order, on any rank, with any sink",
           &Made::again);
  with_all("random numbers follow the seed", &Made::seeded);
  with_all("sends no more than the rate it states, or the listed spikes, each once", &Made::as_stated);
}

}  // namespace spinet
