// What the schedule and the log order, made as it is asked for, against a list of all of it.
#include <catch2/catch.hpp>

#include <algorithm>

#include "core/actions.hpp"
#include "support/network_builder.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// All actions, sorted as actions.hpp says.
std::vector<Action> list_of(const Network& net) {
  std::vector<Action> all;
  for (const auto& s : net.schedule)
    for (std::uint32_t i = 0; i < s.count && s.tick + i * s.every < net.duration; ++i)
      all.push_back({s.tick + i * s.every, Ordered{&s}});
  for (std::uint32_t r = 0; r < net.reports.size(); ++r)
    for (Tick t = net.reports[r].from; t < std::min(net.reports[r].to, net.duration);
         t += net.reports[r].every)
      all.push_back({t, SampleReport{r}});
  for (std::uint32_t w = 0; w < net.weights.size(); ++w)
    for (Tick t = net.weights[w].from; t < std::min(net.weights[w].to, net.duration);
         t += net.weights[w].every)
      all.push_back({t, SampleWeights{w}});
  for (std::uint32_t w = 0; w < net.weight_events.size(); ++w) {
    const WeightEventRecording& r = net.weight_events[w];
    for (const Tick t : r.at)
      if (t < net.duration) all.push_back({t, SampleEvents{w, true}});
    const Tick second = ms(1000);
    if (r.on_change)
      for (Tick t = r.from; t < std::min(r.to, net.duration); t = (t / second + 1) * second)
        if (!std::binary_search(r.at.begin(), r.at.end(), t))
          all.push_back({t, SampleEvents{w, t == r.from}});
  }
  std::stable_sort(all.begin(), all.end(), [](const Action& a, const Action& b) {
    return a.tick != b.tick ? a.tick < b.tick : !a.ordered() < !b.ordered();
  });
  return all;
}

Network busy() {
  NetworkBuilder b(ms(7000));
  const auto a = b.add("lif_delta", 3, {});
  b.connect(a, a, Rule::all_to_all, 1, ms(1));
  for (const double at : {0.0, 5.0, 5.0, 1000.0, 6999.0, 8000.0}) b.schedule(ms(at), a, "I_dc", at);
  Network& net = b.network();
  for (std::size_t i = 0; i < net.schedule.size(); ++i)
    if (i % 2)
      net.schedule[i].every = ms(static_cast<double>(i) * 3),
      net.schedule[i].count = static_cast<std::uint32_t>(40 * i);
  net.schedule[1].count = 4'000'000'000u;
  b.report(a, "V", ms(5));
  b.report(a, "V", ms(7), ms(3));
  net.reports[1].to = ms(5000);
  net.weights.push_back({0, 0, ms(10), ms(5), never});
  for (const Tick from : {Tick{0}, ms(1000), ms(1500)}) {
    WeightEventRecording r{};
    r.on_change = true;
    r.from = from;
    r.at = {ms(5), ms(1000), ms(3000), ms(3001), ms(9000)};
    net.weight_events.push_back(r);
  }
  net.weight_events[2].to = ms(4000);
  return net;
}

}  // namespace

TEST_CASE("actions come in the order of the list, whatever the windows and the begin") {
  const Network net = busy();
  const auto all = list_of(net);
  for (const Tick from : {Tick{0}, Tick{1}, ms(5), ms(999.5), ms(1000), ms(1500.1), ms(6999), ms(7000)})
    for (const Tick window : {ms(0.7), ms(5), ms(400)}) {
      std::vector<Action> made, expected;
      for (const Action& a : all)
        if (a.tick >= from) expected.push_back(a);
      Actions actions(net, from);
      for (Tick t = from; t < net.duration; t += window) {
        const std::size_t had = made.size();
        const Tick next = actions.next();
        actions.take(std::min(t + window, net.duration), made);
        REQUIRE((made.size() > had) == (next < std::min(t + window, net.duration)));
        if (made.size() > had) REQUIRE(made[had].tick == next);
      }
      INFO(from << " " << window);
      REQUIRE(made.size() == expected.size());
      REQUIRE(std::equal(made.begin(), made.end(), expected.begin()));
      CHECK(actions.next() == never);
    }
}

TEST_CASE("an hour of frames every tenth of a millisecond is one entry", "[long]") {
  NetworkBuilder b(ms(3'600'000));
  const auto a = b.add("lif_delta", 1, {});
  b.report(a, "V", ms(0.1));
  Actions actions(b.network(), 0);
  std::vector<Action> some;
  std::uint64_t n = 0;
  for (Tick t = 0; t < ms(3'600'000); t += ms(10)) {
    some.clear();
    actions.take(t + ms(10), some);
    n += some.size();
  }
  CHECK(n == 36'000'000);
  CHECK(some.capacity() < 1000);
}
