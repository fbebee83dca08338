// The calendar queue against a sorted set: few and many requests, near and far, at ticks that only grow.
#include <catch2/catch.hpp>
#include <set>
#include <tuple>

#include "connect/draws.hpp"
#include "core/queue/calendar.hpp"

using namespace spinet;

TEST_CASE(
    "calendar: in order of tick, phase and neuron, however many requests there are and however far ahead",
    "[long]") {
  for (const Tick window : {Tick{1}, Tick{100'000}, Tick{1'500'000}}) {
    INFO("window " << window);
    Calendar calendar(window);
    std::multiset<std::tuple<Tick, Ask, std::uint32_t>> expected;
    Tick now = 0;
    std::size_t most = 0, wrong = 0;
    for (std::uint64_t step = 0; step < 60'000; ++step) {
      const Words w = draw({1, 2}, step, static_cast<std::uint64_t>(window));
      // Waves: from empty to thousands of requests, and back.
      const bool push = w[0] % 100 < (step / 6000 % 2 ? 35u : 65u);
      if (push || expected.empty()) {
        const int reach = static_cast<int>(w[1] % 36);  // from this tick to farther than the ring of buckets
        Tick tick = now + static_cast<Tick>(w[2] % (std::uint64_t{1} << reach));
        if (w[0] / 100 % 2) tick = (tick / 1'000'000 + 1) * 1'000'000;  // with many others
        const Calendar::Entry e{tick, w[3] % 2 ? Ask::wake : Ask::test, w[3] / 2 % 50};
        calendar.push(e);
        expected.insert({e.tick, e.phase, e.neuron});
      } else {
        now = calendar.next();
        const auto& e = calendar.front();
        wrong += std::tuple(e.tick, e.phase, e.neuron) != *expected.begin() || now != e.tick;
        calendar.pop();
        expected.erase(expected.begin());
      }
      most = std::max(most, expected.size());
      wrong += calendar.size() != expected.size() || calendar.entries().size() != expected.size();
    }
    CHECK(wrong == 0);
    CHECK(most > 500);
  }
}
