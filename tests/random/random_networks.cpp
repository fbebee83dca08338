// random_networks [SEED [SECONDS]]: networks at random, each run in ways that must not matter (README.md).
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "network/loader.hpp"
#include "random/variants.hpp"
#include "random/writer.hpp"
#include "spinet/random.hpp"

using namespace spinet;

namespace {

/// What is wrong with network `k`; empty if nothing is.
std::string check(std::uint64_t seed, std::uint64_t k, const Catalogue& models, std::uint64_t& spikes) {
  const std::string text = test::random_network(seed, k);
  std::string wrong;
  try {
    const Network net = load_text(text, fmt::format("random_{}_{}.yaml", seed, k), models);
    wrong = test::compare_variants(net, draw({static_cast<std::uint32_t>(seed), 1}, k, 0)[0], spikes);
  } catch (const std::exception& e) {
    wrong = e.what();
  }
  if (wrong.empty()) return wrong;
  const std::string name = fmt::format("random_{}_{}.yaml", seed, k);
  std::ofstream(name) << text;
  return fmt::format("{}: {}", name, wrong);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const double seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 10;
  Catalogue models;
  add_builtin(models);
  const auto begin = std::chrono::steady_clock::now();
  const auto passed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  std::uint64_t networks = 0, silent = 0, all = 0, failures = 0;
  for (; passed() < seconds && failures < 20; ++networks) {
    std::uint64_t spikes = 0;
    const std::string wrong = check(seed, networks, models, spikes);
    if (!wrong.empty()) fmt::print("{}\n", wrong), ++failures;
    silent += spikes == 0;
    all += spikes;
  }
  fmt::print("{} networks, {} spikes, {} silent, {} wrong\n", networks, all, silent, failures);
  if (networks < 3) return fmt::print("too few networks in {} s to say anything\n", seconds), EXIT_FAILURE;
  return failures == 0 && silent * 2 < networks ? EXIT_SUCCESS : EXIT_FAILURE;
}
