#include "random/variants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "comm/loopback.hpp"
#include "core/simulation.hpp"
#include "support/memory_checkpoints.hpp"

namespace spinet::test {
namespace {

/// Everything a recorder hears, as bytes by kind and index: "spikes 0", "report 2", ...
class Bytes : public Recorder {
 public:
  explicit Bytes(std::map<std::string, std::vector<std::byte>>& to) : to_(to) {}
  void spikes(std::span<const Spike> s) override {
    for (const auto& x : s) put("spikes", x.tick), put("spikes", x.gid);
  }
  void frames(std::uint32_t r, std::span<const float> v) override { put_all(fmt::format("report {}", r), v); }
  void weights(std::uint32_t w, std::span<const float> v) override {
    put_all(fmt::format("weights {}", w), v);
  }
  void weight_events(std::uint32_t r, std::span<const WeightEvent> v) override {
    const auto name = fmt::format("weight events {}", r);
    for (const auto& e : v) put(name, e.tick), put(name, e.edge), put(name, e.value);
  }
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}

 private:
  template <class T>
  void put(const std::string& name, const T& x) {
    put_all(name, std::span(&x, 1));
  }
  template <class T>
  void put_all(const std::string& name, std::span<T> some) {
    const auto bytes = std::as_bytes(some);
    to_[name].insert(to_[name].end(), bytes.begin(), bytes.end());
  }
  std::map<std::string, std::vector<std::byte>>& to_;
};
using Data = std::map<std::string, std::vector<std::byte>>;

struct Way {
  int ranks = 1;
  SimulationOptions options{};
  MemoryCheckpoints* save = nullptr;  ///< checkpoints at multiples of `every` go here
  Tick every = 0;
  const MemoryCheckpoints* from = nullptr;
};

Data run(const Network& net, const Way& way) {
  Data data;
  run_loopback(way.ranks, [&](Transport& t) {
    Simulation s(net, t, way.options);
    if (way.from) s.restore(*way.from);
    Bytes bytes(data);
    RunHooks hooks;
    hooks.checkpoints.every = way.every;
    hooks.checkpoints.sink = t.rank() == 0 ? way.save : nullptr;
    s.run(t.rank() == 0 ? &bytes : nullptr, hooks);
  });
  return data;
}

/// Compares `got` with `all`, or with its end where `tail` is set: what a run from a checkpoint goes on with.
std::string difference(const Data& all, const Data& got, const char* what, bool tail = false) {
  for (const auto& [name, bytes] : all) {
    const auto other = got.count(name) ? got.at(name) : std::vector<std::byte>{};
    const bool fits = tail ? other.size() <= bytes.size() : other.size() == bytes.size();
    const std::size_t skip = fits ? bytes.size() - other.size() : 0;
    if (!fits)
      return fmt::format("{}: {} bytes of {}, {} in the first run", what, other.size(), name, bytes.size());
    const auto at =
        std::mismatch(other.begin(), other.end(), bytes.begin() + static_cast<std::ptrdiff_t>(skip)).first;
    if (at != other.end())
      return fmt::format("{}: {} differs from byte {} of {} on", what, name,
                         skip + static_cast<std::size_t>(at - other.begin()), bytes.size());
  }
  for (const auto& [name, bytes] : got)
    if (!all.count(name)) return fmt::format("{}: {} only there", what, name);
  return "";
}

/// Spikes of `data` from tick `from` on.
std::uint64_t spikes_from(const Data& data, Tick from) {
  constexpr std::size_t size = sizeof(Tick) + sizeof(Gid);
  std::uint64_t n = 0;
  if (!data.count("spikes")) return 0;
  const auto& bytes = data.at("spikes");
  for (std::size_t i = 0; i + size <= bytes.size(); i += size) {
    Tick tick;
    std::memcpy(&tick, &bytes[i], sizeof tick);
    n += tick >= from;
  }
  return n;
}

}  // namespace

std::string compare_variants(const Network& net, std::uint64_t choice, std::uint64_t& spikes) {
  const int more = 2 + static_cast<int>(choice % 2);
  const Data all = run(net, {});
  spikes = spikes_from(all, 0);

  Network blocks = net;
  blocks.block = std::vector<std::uint32_t>{1, 3, 16, 64}[choice / 2 % 4];
  if (auto d = difference(all, run(blocks, {.ranks = more}), "ranks and blocks"); !d.empty()) return d;

  Way large{.ranks = 1 + static_cast<int>(choice % 3)};
  large.options = {
      .l2_bytes = 2048, .window_cap = static_cast<Tick>(1000 + choice % 500'000), .small_slices = 0};
  if (auto d = difference(all, run(blocks, large), "large blocks, short windows"); !d.empty()) return d;

  Network less = net;
  less.reports.clear(), less.weights.clear(), less.weight_events.clear();
  Data only;
  if (all.count("spikes")) only["spikes"] = all.at("spikes");
  if (auto d = difference(only, run(less, {.ranks = more}), "recording less"); !d.empty()) return d;

  MemoryCheckpoints saved;
  Way saving{.ranks = more};
  saving.save = &saved;
  saving.every = net.duration / 3 + static_cast<Tick>(choice % 1'000'000);
  if (auto d = difference(all, run(net, saving), "writing checkpoints"); !d.empty()) return d;
  for (const auto& [at, parts] : saved.saved) {
    saved.chosen = at;
    Way going_on{.ranks = 1 + static_cast<int>((choice + 1) % 3)};
    going_on.from = &saved;
    const Data rest = run(blocks, going_on);
    if (auto d = difference(all, rest, "from a checkpoint", true); !d.empty()) return d;
    if (spikes_from(rest, at) != spikes_from(all, at)) return "from a checkpoint: another number of spikes";
  }
  return "";
}

}  // namespace spinet::test
