// The bench itself (engine/bench): the order within a tick, and what models do that they may not.
#include "bench/neuron_bench.hpp"

#include <catch2/catch.hpp>

#include "spinet/neuron.hpp"

namespace {

using namespace spinet;
using Bench = NeuronBench;

enum class Flaw { none, beyond, before, greedy, past };

/// Adds up what arrives and fires at 10.
template <Flaw flaw>
struct Adder {
  static constexpr const char* name = "adder";
  static constexpr const char* doc = "Adds up.";
  struct Params {
    double th;
  };
  struct State {
    double v, th;
  };
  static constexpr Port ports[] = {{"in", "mV", "adds", 0, 1}};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::th, "th", "mV", 10, any(), scheduled, "threshold");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::v, "v", "mV", 0, any(), initial | recorded, "sum");
    return t;
  }
  using N = Neurons<Adder>;
  static void init(N n, std::uint32_t j, const Params& p, const double* v) { n.state(j) = {v[0], p.th}; }
  static void set(N n, Tick, std::uint32_t j, const Params& p) { n.state(j).th = p.th; }
  static void arrive(N n, Tick tick, std::uint32_t, std::uint32_t j, double w) {
    n.state(j).v += w;
    if (flaw == Flaw::beyond) n.state(n.size()).v = w;
    if (flaw == Flaw::before) (&n.state(0))[-1].th = w;
    const int asked = flaw == Flaw::greedy ? 1000 : 1;
    for (int i = 0; i < asked; ++i) n.out().test_at(flaw == Flaw::past ? tick - 1 : tick, j);
  }
  static void test(N n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js)
      if (n.state(j).v >= n.state(j).th) n.state(j).v = 0, n.out().emit(tick, j);
  }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t) { return n.state(j).v; }
};

template <Flaw flaw>
std::string failure() {
  const NeuronTable& table = neuron_table<Adder<flaw>>();
  Bench b(table, {NeuronParams(table), NeuronParams(table)});
  b.arrival(7, 0, 0, 1);
  b.arrival(9, 0, 1, 1);
  b.run(100);
  return b.failure();
}

}  // namespace

TEST_CASE("a bench keeps the order within a tick, and goes on where it was", "[bench]") {
  const NeuronTable& table = neuron_table<Adder<Flaw::none>>();
  Bench b(table, {NeuronParams(table), NeuronParams(table, {{"th", 3}})}, 1e6, {{"v", 0.5}});
  std::vector<double> v;
  b.arrival(5, 0, 0, 8);
  b.sample(5, 0, "v", v);  // before the arrivals of its tick
  b.sample(6, 0, "v", v);
  b.arrival(6, 0, 0, 4);
  b.arrival(6, 0, 0, -4);  // the test sees the sum
  b.arrival(6, 0, 1, 1.25, 2);
  b.change(6, 0, "th", 9);
  b.run(6);
  CHECK(b.spikes(0).empty());
  b.run(7);
  CHECK(b.emitted() == std::vector<Emitted>{{6, 1, 1}});
  CHECK(v == std::vector<double>{0.5, 8.5});
  constexpr Tick far = Tick{1} << 51;
  b.arrival(far, 0, 0, 0.5);
  b.run(far);
  CHECK(b.spikes(0).empty());
  b.run(far + 1);
  CHECK(b.spikes(0) == std::vector<Tick>{far});
  CHECK(b.failure() == "");
  CHECK_THROWS_AS(b.arrival(far, 0, 0, 1), std::logic_error);
}

TEST_CASE("a bench says what a model does that it may not", "[bench]") {
  CHECK(failure<Flaw::none>() == "");
  CHECK(failure<Flaw::beyond>() == "its model has written outside its memory");
  CHECK(failure<Flaw::before>() == "its model has written outside its memory");
  CHECK(failure<Flaw::greedy>() == "receive asked for more than it has room for (2 requests)");
  CHECK(failure<Flaw::past>() != "");
}

TEST_CASE("a bench restored from another goes on as that one would have", "[bench]") {
  const NeuronTable& table = neuron_table<Adder<Flaw::none>>();
  const std::vector<NeuronParams> params{NeuronParams(table), NeuronParams(table, {{"th", 3}})};
  BenchSetting setting;
  setting.input = {{{100, 0}, {900'000, 1}, {2'500'000, 1}}, 7, 2};  // superposed, 7 ticks later
  const auto given = [&](Bench& b) {
    b.arrival(1'500'000, 0, 0, 6);
    b.change(1'600'000, 1, "th", 3.5);
    b.arrival(2'600'000, 0, 0, 2);
  };
  Bench whole(table, params, setting), before(table, params, setting);
  given(whole), given(before);
  whole.run(3'000'000);
  before.run(2'000'000);
  setting.part = {1, 1};
  Bench after(table, params, BenchSetting{.input = setting.input}), part(table, params, setting);
  given(after), given(part);
  after.restore(before.save());
  after.run(3'000'000);
  part.run(3'000'000);
  CHECK(whole.emitted() == std::vector<Emitted>{{2'500'007, 1, 1}, {2'600'000, 0, 1}});
  CHECK(after.emitted() == whole.emitted());
  CHECK(part.emitted() == std::vector<Emitted>{{2'500'007, 1, 1}});
  CHECK(whole.failure() + after.failure() + part.failure() == "");
}
