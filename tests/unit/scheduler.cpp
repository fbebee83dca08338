// The engine's promises about order, time, frames, control events and payloads, with models made for the
// purpose.
#include <catch2/catch.hpp>

#include "support/network_builder.hpp"
#include "support/run.hpp"
#include "support/test_models.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
const Model& diary() { return neuron_table<Diary>().model; }
const Model& digits() { return neuron_table<Digits>().model; }
const Model& graded() { return neuron_table<Graded>().model; }
const Model& frames() { return neuron_table<FrameCounter>().model; }
const Model& timer() { return neuron_table<Clock>().model; }

/// The last frame of a report as whole numbers.
std::vector<long> last(Run& r, std::uint32_t report, std::size_t n) {
  const auto& v = r.recorder.report(report);
  REQUIRE(v.size() >= n);
  return std::vector<long>(v.end() - static_cast<std::ptrdiff_t>(n), v.end());
}
}  // namespace

TEST_CASE("order within a tick: control, wake, arrivals, test, evaluate, whatever was asked first") {
  for (const Tick later : {Tick{1}, Tick{100'000}, Tick{5'000'000}}) {
    NetworkBuilder b(ms(20));
    const auto in = b.source(2, {{ms(1), 0}, {ms(1) + later, 0}, {ms(1) + later, 1}});
    const auto cell = b.add(diary(), 1, {{"later", static_cast<double>(later)}});
    b.connect(in, cell, {{1, 0, 1, 100'000}},
              1);  // the later source's projection first: order is by source gid
    b.connect(in, cell, {{0, 0, 1, 100'000}}, 0);
    const Tick t = ms(1) + 100'000 + later;
    b.at(t, note, {0}, {b.range(cell)});
    b.at(ms(1), test::alarm, {static_cast<double>(t - ms(1))}, {b.range(cell)});
    b.record_spikes(cell);
    const auto r = b.report(cell, "digits", ms(20) - 1);
    auto got = run(b.network());
    CHECK(last(got, r, 1) == std::vector<long>{123456});
    CHECK(got.spikes() == std::vector<Spike>{{t, b.first(cell)}});
  }
}

TEST_CASE("arrivals of a tick come in the order source gid, delay, projection, edge") {
  NetworkBuilder b(ms(20));
  // All arrive at 10 ms.  Source 0 twice through different delays, source 1 through two projections and two
  // edges.
  const auto late = b.add(timer(), 1, {{"first", static_cast<double>(ms(8))}, {"period", 1e9}});  // gid 0
  const auto in = b.source(2, {{ms(9), 0}, {ms(7), 0}, {ms(5), 1}});  // gids 1 and 2
  const auto cell = b.add(digits(), 1);
  b.connect(in, cell, {{1, 0, 6, ms(5)}, {1, 0, 7, ms(5)}}, 1);  // projection 0
  b.connect(in, cell, {{1, 0, 8, ms(5)}, {0, 0, 3, ms(1)}}, 0);  // projection 1
  b.connect(in, cell, {{0, 0, 5, ms(3)}}, 0);                    // projection 2
  b.connect(late, cell, {{0, 0, 2, ms(2)}}, 0);                  // projection 3
  const auto r = b.report(cell, "digits", ms(20) - 1);
  b.network().reports[r].from = ms(9.5);
  b.network().reports[r].every = ms(1);
  b.network().reports[r].to = ms(10.6);
  auto got = run(b.network());
  // At 8 ms gid 1's earlier event (3).  At 10 ms gid 0 (2); gid 1: delay 1 ms (3), delay 3 ms (5); gid 2, one
  // delay: projection 0 (6, 7), projection 1 (8).
  CHECK(last(got, r, 1) == std::vector<long>{3235678});
}

TEST_CASE(
    "two events of one neuron in one tick meet its synapses in the order of these, then of the events") {
  NetworkBuilder b(ms(20));
  const auto in = b.source(2, {{ms(1), 0}, {ms(1), 0}, {ms(1), 1}});
  const auto cell = b.add(digits(), 1);
  b.connect(in, cell, {{0, 0, 1, ms(1)}, {1, 0, 3, ms(1)}}, 0);
  b.connect(in, cell, {{0, 0, 2, ms(1)}}, 1);
  const auto r = b.report(cell, "digits", ms(20) - 1);
  auto got = run(b.network());
  CHECK(last(got, r, 1) == std::vector<long>{11223});
}

TEST_CASE("a graded event carries its payload through delays and layers, evaluated once per tick") {
  NetworkBuilder b(ms(50));
  const auto in = b.source(3, {{ms(1), 0}, {ms(1), 1}, {ms(2), 2}});
  const auto first = b.add(graded(), 2, {{"gain", 2}});
  const auto second = b.add(graded(), 1, {{"gain", 10}});
  b.connect(in, first, {{0, 0, 3, ms(1)}, {1, 0, 4, ms(1)}, {2, 1, 0.5, ms(1)}}, 0);  // at 2 ms, 2 ms; 3 ms
  b.connect(in, first, {{1, 0, 100, ms(1)}}, 1);
  b.connect(first, second, {{0, 0, 1.5, ms(3)}, {1, 0, -2, ms(2)}}, 0);  // both at 5 ms
  b.record_spikes(first);
  b.record_spikes(second);
  const auto r1 = b.report(first, "last", ms(50) - 1), r2 = b.report(second, "last", ms(50) - 1);
  auto got = run(b.network());
  const Gid g = b.first(first);
  CHECK(got.spikes() == std::vector<Spike>{{ms(2), g}, {ms(3), g + 1}, {ms(5), g + 2}});
  CHECK(last(got, r1, 2) == std::vector<long>{114, 1});          // 2 * (3 + 4) + 100; 2 * 0.5
  CHECK(last(got, r2, 1) == std::vector<long>{10 * (171 - 2)});  // 10 * (1.5 * 114 - 2 * 1)
}

TEST_CASE("a graded zero is an event") {
  NetworkBuilder b(ms(10));
  const auto in = b.source(2, {{ms(1), 0}, {ms(1), 1}});
  const auto first = b.add(graded(), 1), second = b.add(graded(), 1);
  b.connect(in, first, {{0, 0, 5, ms(1)}, {1, 0, -5, ms(1)}});
  b.connect(first, second, Rule::one_to_one, 1.0, ms(1));
  b.record_spikes(first);
  b.record_spikes(second);
  CHECK(run(b.network()).spikes() == std::vector<Spike>{{ms(2), b.first(first)}, {ms(3), b.first(second)}});
}

TEST_CASE("a loop of graded neurons repeats for ever, exactly one delay apart") {
  NetworkBuilder b(ms(1000));
  const auto in = b.source(1, {{ms(1), 0}});
  const auto loop = b.add(graded(), 3, {{"gain", -1}});
  b.connect(in, loop, {{0, 0, 1, ms(1)}});
  b.connect(loop, loop, {{0, 1, 1, ms(0.1)}, {1, 2, 1, ms(0.3)}, {2, 0, 1, ms(0.6)}});
  b.record_spikes(loop);
  const auto got = run(b.network());
  std::vector<Spike> expected;
  for (Tick t = ms(2); t < ms(1000); t += ms(1)) {
    const Gid g = b.first(loop);
    for (const auto& s : {Spike{t, g}, Spike{t + ms(0.1), g + 1}, Spike{t + ms(0.4), g + 2}})
      if (s.tick < ms(1000)) expected.push_back(s);
  }
  CHECK(got.spikes() == expected);
}

TEST_CASE(
    "a synapse is told of delay and payload, and keeps a slice's state; the payload multiplies what it "
    "transmits") {
  NetworkBuilder b(ms(20));
  const auto in = b.source(1, {{ms(1), 0}, {ms(11), 0}});
  const auto first = b.add(graded(), 1);
  const auto second = b.add(graded(), 2);
  b.connect(in, first, Rule::one_to_one, 7.0, ms(1));
  b.connect(first, second, {{0, 0, 1, 200'000}, {0, 1, 1, 300'000}}).synapse = &synapse_table<Aware>();
  b.record_spikes(second);
  const auto r = b.report(second, "last", ms(9), ms(10));
  auto got = run(b.network());
  const auto& v = got.recorder.report(r);
  REQUIRE(v.size() == 4);
  CHECK(v == std::vector<float>{7 * 201007, 7 * 301007, 7 * 202007, 7 * 302007});
}

TEST_CASE("control events reach the neurons and synapses they are addressed to, before the tick's arrivals") {
  NetworkBuilder b(ms(20));
  const auto in = b.source(1, {{ms(4), 0}, {ms(9), 0}});
  const auto cells = b.add(digits(), 4);
  auto& p0 = b.connect(in, cells, {{0, 0, 1, ms(1)}, {0, 1, 2, ms(1)}});
  p0.synapse = &synapse_table<Adjustable>();
  p0.params = {1.0};
  p0.state = {Value(0).d, Value(1).d};
  auto& p1 = b.connect(in, cells, {{0, 2, 1, ms(1)}, {0, 3, 2, ms(1)}});
  p1.synapse = &synapse_table<Adjustable>();
  p1.params = {2.0};
  p1.state = {Value(0).d, Value(1).d};
  b.at(ms(10), note, {3}, {WholeProjection{1}});
  const auto r = b.report(cells, "digits", ms(20) - 1);
  auto got = run(b.network());
  // Twice a digit: 1 1, 2 2; projection 1 has gain 2, and 3 times that from the very tick of the second
  // arrival on.
  CHECK(last(got, r, 4) == std::vector<long>{11, 22, 26, 52});  // 4 * 10 + 12
}

TEST_CASE("a control event without an address reaches everyone; one for some neurons only those") {
  NetworkBuilder b(ms(20));
  const auto a = b.add(diary(), 3), c = b.add(diary(), 6);
  b.at(ms(5), note, {0});
  b.at(ms(6), note, {0}, {GidRange{b.first(c) + 1, 4}, GidRange{b.first(a), 1}});
  b.at(ms(6), note, {0}, {GidRange{b.first(c) + 2, 1}});
  const auto ra = b.report(a, "digits", ms(20) - 1), rc = b.report(c, "digits", ms(20) - 1);
  auto got = run(b.network());
  CHECK(last(got, ra, 3) == std::vector<long>{11, 1, 1});
  CHECK(last(got, rc, 6) == std::vector<long>{1, 11, 111, 11, 11, 1});
}

TEST_CASE("control events at tick 0 and at the last tick act, later ones do not") {
  NetworkBuilder b(ms(20));
  const auto a = b.add(diary(), 1);
  b.at(0, note, {0});
  b.at(ms(20) - 1, note, {0});
  b.at(ms(20), note, {0});
  const auto r = b.report(a, "digits", ms(20) - 1);
  auto got = run(b.network());
  CHECK(last(got, r, 1) == std::vector<long>{11});
}

TEST_CASE("a scheduled parameter of some neurons") {
  NetworkBuilder b(ms(20));
  const auto in = b.source(1, {{ms(4), 0}, {ms(9), 0}});
  const auto cells = b.add(graded(), 3, {{"gain", std::vector<double>{1, 2, 3}}});
  b.connect(in, cells, Rule::all_to_all, 1.0, ms(1));
  b.schedule(ms(10), cells, "gain", 50).to.places = {GidRange{b.first(cells) + 1, 1}};
  const auto r = b.report(cells, "last", ms(1), ms(6));
  b.network().reports[r].to = ms(12);
  auto got = run(b.network());
  CHECK(last(got, r, 3) == std::vector<long>{1, 50, 3});
  CHECK(got.recorder.report(r)[1] == 2);
}

TEST_CASE("timers asked for in init fire, far in the future and every few ticks") {
  NetworkBuilder b(ms(5000));
  const auto cells = b.add(timer(), 5,
                           {{"first", std::vector<double>{0, 1, 123'456'789, 4'999'999'999.0, 5e9}},
                            {"period", std::vector<double>{1e9, 3e9, 1e8 + 1, 1, 1}}});
  b.record_spikes(cells);
  const auto got = run(b.network());
  CHECK(got.recorder.ticks_of(0) == std::vector<Tick>{0, ms(1000), ms(2000), ms(3000), ms(4000)});
  CHECK(got.recorder.ticks_of(1) == std::vector<Tick>{1, ms(3000) + 1});
  CHECK(got.recorder.ticks_of(2).size() == 49);
  CHECK(got.recorder.ticks_of(3) == std::vector<Tick>{ms(5000) - 1});
  CHECK(got.recorder.ticks_of(4).empty());
  CHECK(got.statistics.spikes == got.spikes().size());
}

TEST_CASE("dense timers: every tick of a short run") {
  NetworkBuilder b(20'000);
  const auto cells =
      b.add(timer(), 2, {{"first", std::vector<double>{0, 7}}, {"period", std::vector<double>{1, 3}}});
  b.record_spikes(cells);
  CHECK(run(b.network()).spikes().size() == 20'000 + (20'000 - 7 + 2) / 3);
}

TEST_CASE("frames are anchored at tick 0 whatever the arrivals, and every arrival sees its own frame") {
  for (const double frame : {1000.0, 4096.0, 999'983.0, 4'000'000.0}) {
    INFO("frame " << frame);
    NetworkBuilder b(ms(2000));
    const auto f = static_cast<Tick>(frame);
    std::vector<ListedSpike> s;
    for (Tick k : {1, 2, 3, 7, 100, 101})
      for (Tick off : {-1, 0, 1}) {
        const Tick t = k * ((200'000 + f - 1) / f) * f + off - 100'000;
        if (t >= 0 && t < ms(1800)) s.push_back({t, 0});
      }
    s.push_back({ms(1890), 0});  // after a long silence
    const auto in = b.source(1, s);
    const auto cells = b.add(frames(), 9, {{"frame", frame}});
    b.connect(in, cells, Rule::all_to_all, 1.0, 100'000);
    const auto rw = b.report(cells, "wrong", ms(2000) - 1), ra = b.report(cells, "arrivals", ms(2000) - 1);
    auto got = run(b.network());
    CHECK(last(got, rw, 9) == std::vector<long>(9, 0));
    CHECK(last(got, ra, 9) == std::vector<long>(9, static_cast<long>(s.size())));
  }
}

TEST_CASE("nothing happens or is sampled at the duration and later") {
  NetworkBuilder b(ms(10));
  const auto in = b.source(1, {{ms(8.9), 0}, {ms(9) - 1, 0}, {ms(9), 0}, {ms(9.5), 0}});
  const auto cells = b.add(graded(), 1);
  b.connect(in, cells, Rule::one_to_one, 1.0, ms(1));
  b.record_spikes(cells);
  const auto r = b.report(cells, "last", ms(5)), every = b.report(cells, "last", 1, ms(10) - 3);
  auto got = run(b.network());
  CHECK(got.spikes() == std::vector<Spike>{{ms(9.9), 1}, {ms(10) - 1, 1}});
  CHECK(got.recorder.report(r) == std::vector<float>{0, 0});
  CHECK(got.recorder.report(every).size() == 3);
  CHECK(got.statistics.reached == ms(10));
  CHECK(got.recorder.committed() == ms(10));
}

TEST_CASE("an empty network, one without connections, one of a single tick") {
  {
    NetworkBuilder b(ms(1000));
    CHECK(run(b.network()).spikes().empty());
  }
  {
    NetworkBuilder b(ms(3'000'000));  // 50 minutes of nothing take no time
    const auto cells = b.add("lif_delta", 10);
    b.record_spikes(cells);
    const auto got = run(b.network());
    CHECK(got.spikes().empty());
    CHECK(got.statistics.run_seconds < 1);
  }
  {
    NetworkBuilder b(1);
    const auto cells = b.add(timer(), 1);
    b.record_spikes(cells);
    CHECK(run(b.network()).spikes() == std::vector<Spike>{{0, 0}});
  }
}

TEST_CASE("recording of a subset by id and time") {
  NetworkBuilder b(ms(10));
  const auto cells = b.add(timer(), 6, {{"first", 0.0}, {"period", static_cast<double>(ms(1))}});
  b.network().spikes.push_back({cells, {1, 4}, ms(2), ms(4)});
  CHECK(run(b.network()).spikes() == std::vector<Spike>{{ms(2), 1}, {ms(2), 4}, {ms(3), 1}, {ms(3), 4}});
}

TEST_CASE("source events are recorded as listed; a source without targets too") {
  NetworkBuilder b(ms(10));
  const auto in =
      b.source(300, {{0, 299}, {ms(3), 0}, {ms(3), 255}, {ms(3), 256}, {ms(10) - 1, 7}, {ms(10), 8}});
  b.record_spikes(in);
  CHECK(run(b.network()).spikes() ==
        std::vector<Spike>{{0, 299}, {ms(3), 0}, {ms(3), 255}, {ms(3), 256}, {ms(10) - 1, 7}});
}

TEST_CASE("concatenated sources and targets count through, parts of populations too") {
  NetworkBuilder b(ms(10));
  const auto in = b.source(6, {{ms(1), 0}, {ms(1), 1}, {ms(1), 2}, {ms(1), 3}, {ms(1), 4}, {ms(1), 5}});
  const auto a = b.add(digits(), 3), c = b.add(digits(), 4);
  auto& p = b.connect(in, a, Rule::one_to_one, 1.0, ms(1));
  p.sources = {{b.first(in) + 4, 2}, {b.first(in), 2}};
  p.targets = {{b.first(a) + 1, 1}, {b.first(c) + 1, 3}};
  p.rule = &Rule::listed;
  p.listed_weights = p.listed_delays = true;
  p.edges = {{0, 0, 1, ms(1)}, {1, 1, 2, ms(1)}, {2, 2, 3, ms(1)}, {3, 2, 4, ms(1)}, {3, 3, 5, ms(1)}};
  const auto ra = b.report(a, "digits", ms(10) - 1), rc = b.report(c, "digits", ms(10) - 1);
  auto got = run(b.network());
  CHECK(last(got, ra, 3) == std::vector<long>{0, 1, 0});
  CHECK(last(got, rc, 4) == std::vector<long>{0, 2, 34, 5});
}

TEST_CASE("delays are rounded to the resolution, never under one step") {
  for (const auto& [given, used] : std::vector<std::pair<double, Tick>>{{1, 100'000},
                                                                        {149'000, 100'000},
                                                                        {151'000, 200'000},
                                                                        {1'234'567, 1'200'000},
                                                                        {60e6, 60'000'000}}) {
    NetworkBuilder b(ms(100));
    const auto in = b.source(1, {{ms(1), 0}});
    const auto cells = b.add(graded(), 1);
    b.connect(in, cells, Rule::one_to_one, 1.0, static_cast<Tick>(given));
    b.record_spikes(cells);
    CHECK(run(b.network()).spikes() == std::vector<Spike>{{ms(1) + used, 1}});
  }
}

TEST_CASE("thousands of different delays, up to seconds") {
  NetworkBuilder b(ms(8000));
  const auto in = b.source(1, {{0, 0}, {ms(1.23), 0}});
  const auto cells = b.add(graded(), 3000);
  std::vector<ListedEdge> e;
  std::vector<Spike> expected;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const Tick d = Tick{100'000} * (1 + (i * 2654435761u) % 60'000);
    e.push_back({0, i, 1, d});
    expected.push_back({d, b.first(cells) + i});
    expected.push_back({d + ms(1.23), b.first(cells) + i});
  }
  std::sort(expected.begin(), expected.end(),
            [](auto& x, auto& y) { return std::tie(x.tick, x.gid) < std::tie(y.tick, y.gid); });
  b.connect(in, cells, e);
  b.record_spikes(cells);
  CHECK(run(b.network()).spikes() == expected);
}
