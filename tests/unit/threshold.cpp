// Neurons that stay at the tick of their last event (spinet/threshold.hpp): they sleep at rest, and a neuron
// has the same bits whichever neurons events meet together with it.
#include <catch2/catch.hpp>

#include <cstring>
#include <vector>

#include "spinet/random.hpp"
#include "support/bench.hpp"

namespace {

using namespace spinet;
using Bench = spinet::NeuronBench;
using spinet::test::neuron;

struct Tried {
  const char* name;
  double weight[2];  ///< of an arrival at each port
  double awake;      ///< a current that keeps it firing
};
const std::vector<Tried> tried{
    {"adex", {400, -600}, 2000}, {"lif_cond_exp", {5, 20}, 2000}, {"izhikevich", {8, -10}, 50}};

constexpr std::uint32_t size = 23;
constexpr Tick ms = 1'000'000, step = 50'000, duration = 60 * ms;

double uniform(std::uint32_t what, std::uint64_t counter) {
  const auto w = draw({11, what}, 0, counter);
  return uniform01(w[0], w[1]);
}

/// A block of `size` neurons, two of which differ from the others, under events that meet some of them at
/// once.
class Events {
 public:
  explicit Events(const Tried& kind) : kind_(kind), table_(neuron(kind.name)) {
    const auto lines = [](std::size_t bytes) { return std::vector<Line>(bytes / sizeof(Line) + 1); };
    state_ = lines(size * std::size_t{table_.state_size});
    constants_ = lines(size * std::size_t{table_.constants_size});
    common_ = lines(table_.common_size);
    for (Gid g = 0; g < size; ++g) gids_.push_back(g);
    keys_.assign(size, {1, 1});
    block_.state = state_.data(), block_.constants = constants_.data(), block_.common = common_.data();
    block_.gids = gids_.data(), block_.random = keys_.data(), block_.out = &out_, block_.size = size,
    block_.run = {1e6};
    const NeuronParams usual(table_), other(table_, {{"I_dc", 20}});
    block_.frame_length = table_.frame(usual.data(), &block_.run);
    std::vector<double> initial;
    const Fields& v = table_.model.variables;
    for (std::uint32_t i = 0; i < v.count; ++i)
      if ((v.data[i].flags & spinet::initial) != 0) initial.push_back(v.data[i].preset);
    out_ = {requests_, 0, 1000, nullptr, 0, 0};
    for (std::uint32_t j = 0; j < size; ++j)
      table_.init(&block_, j, (j % 9 == 4 ? other : usual).data(), initial.data());
    table_.renormalise(&block_, 0);
  }
  /// `together`: how many neurons of an event are handed over in one call; `as_train`: in a list of single
  /// arrivals.
  std::vector<Tick> run(std::uint32_t together, bool as_train) {
    std::vector<Tick> spikes;
    for (Tick tick = step; tick < duration; tick += step) {
      serve(tick, spikes);
      const auto event = static_cast<std::uint64_t>(tick / step);
      const std::uint32_t port = uniform(1, event) < 0.2 ? 1 : 0;
      std::vector<std::uint16_t> targets;
      for (std::uint32_t k = 0; k < 9; ++k) {
        const auto j = static_cast<std::uint16_t>(uniform(2, 16 * event + k) * size);
        targets.push_back(j);
        if (uniform(3, 16 * event + k) < 0.1) targets.push_back(j);  // twice
      }
      for (std::size_t i = 0; i < targets.size(); i += together)
        deliver(tick, port, {targets.data() + i, std::min<std::size_t>(together, targets.size() - i)},
                as_train);
      serve(tick, spikes);
    }
    return spikes;
  }
  std::vector<std::uint64_t> bits() const {
    std::vector<std::uint64_t> words(size * std::size_t{table_.state_size} / 8);
    std::memcpy(words.data(), state_.data(), 8 * words.size());
    return words;
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  void deliver(Tick tick, std::uint32_t port, std::span<const std::uint16_t> targets, bool as_train) {
    if (!as_train) {
      const auto count = static_cast<std::uint32_t>(targets.size());
      const Arrivals a{tick, count, port, targets.data(), nullptr, nullptr, kind_.weight[port], 1};
      table_.receive(&block_, &a);
      take();
      return;
    }
    std::vector<std::uint32_t> keys(targets.begin(), targets.end());
    keys.push_back(0xffffffffu);
    for (std::uint32_t done = 0; done < targets.size();) {
      const Train t{tick, keys.data() + done, 1u << 16, port, kind_.weight[port], nullptr};
      done += table_.receive_train(&block_, &t);
      take();
    }
  }
  /// Frames and requests before `tick`, and those at it.
  void serve(Tick tick, std::vector<Tick>& spikes) {
    for (;;) {
      Tick next = std::min(tick, block_.frame_begin + block_.frame_length);
      for (const Request& r : asked_) next = std::min(next, r.tick);
      if (next == block_.frame_begin + block_.frame_length) {
        block_.frame_begin = next;
        table_.renormalise(&block_, 1);
        take();
        continue;
      }
      const auto due =
          std::find_if(asked_.begin(), asked_.end(), [&](const Request& r) { return r.tick == next; });
      if (due == asked_.end()) return;
      const Request r = *due;
      asked_.erase(due);
      (r.ask == Ask::wake ? table_.wake : table_.test)(&block_, next, &r.neuron, 1);
      for (std::uint32_t i = 0; i < out_.size; ++i)
        if (requests_[i].ask == Ask::emit) spikes.push_back(next * size + r.neuron);
      take();
    }
  }
  void take() {
    for (std::uint32_t i = 0; i < out_.size; ++i) {
      REQUIRE(requests_[i].ask != Ask::fail);
      if (requests_[i].ask != Ask::emit) asked_.push_back(requests_[i]);
    }
    out_.size = 0;
  }

  Tried kind_;
  const NeuronTable& table_;
  std::vector<Line> state_, constants_, common_;
  std::vector<Gid> gids_;
  std::vector<RandomKey> keys_;
  Request requests_[1001];
  Outbox out_{};
  NeuronBlock block_{};
  std::vector<Request> asked_;
};

}  // namespace

TEST_CASE("a neuron has the same bits whichever others an event meets with it", "[threshold]") {
  for (const Tried& kind : tried) {
    INFO(kind.name);
    Events alone(kind);
    const auto spikes = alone.run(1, false);
    CHECK(spikes.size() > 20);
    for (const std::uint32_t together : {2u, 3u, 4u, 7u, 64u})
      for (const bool as_train : {false, true}) {
        INFO(together << (as_train ? " in a train" : " in a slice"));
        Events bench(kind);
        CHECK(bench.run(together, as_train) == spikes);
        CHECK(bench.bits() == alone.bits());
      }
  }
}

TEST_CASE("blocks of neurons at rest sleep, also for years, and wake as if they had not", "[threshold]") {
  for (const Tried& kind : tried) {
    INFO(kind.name);
    const auto& table = neuron(kind.name);
    const NeuronParams p(table);
    Bench d(table, {p, p});
    CHECK(d.asleep());
    d.arrival(5 * ms, 0, 0, kind.weight[0]);
    d.run(400 * ms);
    CHECK(d.asleep());
    const Tick year = Tick{31'536'000'000} * ms / 4;
    d.arrival(year, 0, 0, kind.weight[0]);
    std::vector<double> V;
    d.sample(year + ms, 0, table.model.variables.data[0].name, V);
    d.run(year + 10 * ms);
    // One that is kept awake by its neighbour, and asked at every frame.
    std::vector<double> same[2];
    for (int i = 0; i < 2; ++i) {
      Bench other(table, {p, i == 0 ? p : NeuronParams(table, {{"I_dc", kind.awake}})});
      CHECK(other.asleep() == (i == 0));
      other.arrival(5 * ms, 0, 0, kind.weight[0]);
      other.sample(390 * ms, 0, table.model.variables.data[0].name, same[i]);
      other.run(400 * ms);
    }
    CHECK(same[0] == same[1]);
    Bench fresh(table, {p});
    std::vector<double> first;
    fresh.arrival(9'000 * ms, 0, 0, kind.weight[0]);
    fresh.sample(9'001 * ms, 0, table.model.variables.data[0].name, first);
    fresh.run(9'010 * ms);
    CHECK(V.at(0) == Approx(first.at(0)).epsilon(1e-9));
  }
}
