// golden [--write] FOLDER...: digests of results, the same on any ranks and in both kinds of block
// (README.md).
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "comm/loopback.hpp"
#include "core/simulation.hpp"
#include "network/digest.hpp"
#include "network/loader.hpp"

using namespace spinet;

namespace {

/// Hashes what it is given to record.
class Hashing : public Recorder {
 public:
  void spikes(std::span<const Spike> some) override {
    for (const auto& s : some) {
      std::byte row[sizeof s.tick + sizeof s.gid];
      std::memcpy(row, &s.tick, sizeof s.tick);
      std::memcpy(row + sizeof s.tick, &s.gid, sizeof s.gid);
      spikes_.add(row);
      ++count;
    }
  }
  void weights(std::uint32_t w, std::span<const float> some) override {
    weights_[w].add(std::as_bytes(some));
  }
  void frames(std::uint32_t, std::span<const float>) override {}
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}
  std::string text() {
    Sha256 all;
    all.add(hex(spikes_.finish()));
    for (auto& [w, weights] : weights_) all.add(hex(weights.finish()));
    return hex(all.finish());
  }
  std::uint64_t count = 0;

 private:
  Sha256 spikes_;
  std::map<std::uint32_t, Sha256> weights_;
};

/// Everything that the digest is of, and nothing else.
void record(Network& net) {
  net.spikes.clear(), net.reports.clear(), net.weights.clear(), net.weight_events.clear(),
      net.edge_recordings.clear();
  for (std::uint32_t p = 0; p < net.populations.size(); ++p)
    if (net.populations[p].neuron()) net.spikes.push_back({p, {}, 0, never});
  for (std::uint32_t p = 0; p < net.projections.size(); ++p)
    if (net.projections[p].synapse->on_pre)
      net.weights.push_back({p, 0, net.duration, net.duration - 1, never});
}

struct Found {
  std::string digest;
  std::uint64_t spikes;
};

Found run(const Network& net, int ranks, bool large) {
  Hashing digest;
  run_loopback(ranks, [&](Transport& t) {
    SimulationOptions options;
    if (large) options.small_slices = 0;
    Simulation simulation(net, t, options);
    simulation.run(t.rank() == 0 ? &digest : nullptr);
  });
  return {digest.text(), digest.count};
}

/// One entry of a digests.yaml: `network`, what is `set` and the digest that is expected.  Returns what was
/// found on one rank.
Found check(const std::filesystem::path& folder, const YAML::Node& entry, const Catalogue& models,
            int& wrong) {
  const auto file = folder / entry["network"].as<std::string>();
  LoadOptions options;
  for (const auto& o : entry["set"])
    options.overrides.emplace_back(o.first.as<std::string>(), o.second.as<std::string>());
  Network net = load(file, models, options);
  record(net);
  const auto expected = entry["sha256"] ? entry["sha256"].as<std::string>() : "";
  const Found first = run(net, 1, false);
  fmt::print("{} {} {} spikes{}\n", file.string(), first.digest, first.spikes,
             first.digest == expected ? "" : "  <-- ANOTHER DIGEST");
  wrong += first.digest != expected;
  for (const int ranks : {1, 2, 3})
    for (const bool large : {false, true}) {
      if (ranks == 1 && !large) continue;
      if (run(net, ranks, large).digest == first.digest) continue;
      fmt::print("  on {} ranks{}: another result  <-- WRONG\n", ranks, large ? " with large blocks" : "");
      ++wrong;
    }
  return first;
}

int check_folder(const std::filesystem::path& folder, const Catalogue& models, bool write) {
  const auto file = folder / "digests.yaml";
  const auto entries = YAML::LoadFile(file.string());
  int wrong = 0;
  std::string text = "# SHA-256 of spikes and weights, made by `golden --write` (tests/golden).\n";
  for (const auto& entry : entries) {
    const Found found = check(folder, entry, models, wrong);
    text += fmt::format("- network: {}\n", entry["network"].as<std::string>());
    if (entry["set"]) {
      text += "  set:\n";
      for (const auto& o : entry["set"])
        text += fmt::format("    {}: {}\n", o.first.as<std::string>(), o.second.as<std::string>());
    }
    text += fmt::format("  spikes: {}\n  sha256: {}\n", found.spikes, found.digest);
  }
  if (write) std::ofstream(file) << text;
  return write ? 0 : wrong;
}

}  // namespace

int main(int argc, char** argv) try {
  int wrong = 0, folders = 0;
  bool write = false;
  Catalogue models;
  add_builtin(models);
  for (int i = 1; i < argc; ++i)
    if (!std::strcmp(argv[i], "--write")) write = true;
    else wrong += check_folder(argv[i], models, write), ++folders;
  if (folders == 0) return fmt::print(stderr, "usage: golden [--write] FOLDER...\n"), EXIT_FAILURE;
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return EXIT_FAILURE;
}
