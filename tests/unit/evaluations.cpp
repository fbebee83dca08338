// The set of neurons that are to be evaluated, against std::set, in blocks of one word and in larger ones.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "core/block/evaluations.hpp"
#include "spinet/random.hpp"

using namespace spinet;

TEST_CASE("evaluations: each neuron once, in their order, whatever the order and number of arrivals") {
  for (const std::uint32_t neurons : {1u, 2u, 63u, 64u, 65u, 700u, 1025u, 5000u}) {
    INFO(neurons << " neurons");
    Evaluations set(neurons);
    std::size_t wrong = !set.empty();
    for (std::uint64_t tick = 0; tick < 300; ++tick) {
      std::set<std::uint32_t> expected;
      const std::uint32_t batches = draw({1, 1}, tick, 0)[0] % 4;
      for (std::uint32_t b = 0; b < batches; ++b) {
        const auto size = draw({1, 2}, tick, b);  // more than there are neurons, or a few
        std::vector<std::uint16_t> js(size[0] % (size[1] % 2 ? 2 * neurons : neurons / 50 + 2));
        for (std::size_t i = 0; i < js.size(); ++i)
          js[i] = static_cast<std::uint16_t>(draw({b, 3}, tick, i)[0] % neurons);
        set.add(std::span<const std::uint16_t>(js));
        expected.insert(js.begin(), js.end());
        // Neighbours as a range, up to the last neuron and across words.
        const auto w = draw({1, 4}, tick, b);
        const std::uint32_t first = w[0] % neurons,
                            count = 1 + w[1] % std::min(w[2] % 2 ? 64u : neurons, neurons - first);
        set.add_range(first, count);
        for (std::uint32_t j = first; j < first + count; ++j) expected.insert(j);
      }
      wrong += set.empty() != expected.empty();
      const auto all = set.take();
      wrong += !std::equal(all.begin(), all.end(), expected.begin(), expected.end()) || !set.empty();
    }
    CHECK(wrong == 0);
  }
}
