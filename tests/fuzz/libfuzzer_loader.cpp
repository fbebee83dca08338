// The loader under libFuzzer: any text is loaded, or refused with a message.  Built by libfuzzer.py with
// clang++.
#include <cstdlib>
#include <string_view>

#include "errors/models.hpp"
#include "network/check.hpp"
#include "network/estimate.hpp"
#include "network/graph.hpp"
#include "network/loader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const spinet::Catalogue models = spinet::test::test_models();
  spinet::LoadOptions options;
  options.memory_limit = 1'000'000'000;
  options.data_root = "/nonexistent";  // texts are tested here, not what files they may name
  try {
    const auto network =
        spinet::load_text({reinterpret_cast<const char*>(data), size}, "fuzz.yaml", models, options);
    if (!spinet::first_fault(network).empty()) std::abort();
    if (spinet::describe(network, spinet::estimate(network)).empty() || spinet::dot(network).empty())
      std::abort();
  } catch (const spinet::InvalidNetwork& e) {
    if (e.diagnostics.empty()) std::abort();
  }
  return 0;  // any other exception ends the program, which is a finding
}
