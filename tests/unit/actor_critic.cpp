// The XOR task by events against the loops of its pseudocode, with the same draws.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <map>

#include "comm/loopback.hpp"
#include "connect/draws.hpp"
#include "network/loader.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

Network xor_network(std::vector<std::pair<std::string, std::string>> overrides = {}) {
  LoadOptions options;
  options.overrides = std::move(overrides);
  return load(std::string(NETWORKS) + "/actor_critic_xor/reference.yaml", builtin(), options);
}

struct Metric {
  Tick tick;
  std::vector<double> values;
  bool operator==(const Metric&) const = default;
};
class Listener : public Recorder {
 public:
  void spikes(std::span<const Spike> s) override { heard.insert(heard.end(), s.begin(), s.end()); }
  void frames(std::uint32_t, std::span<const float>) override {}
  void edges(std::uint32_t p, std::span<const Edge> s) override {
    edges_of[p].insert(edges_of[p].end(), s.begin(), s.end());
  }
  void metrics(std::uint32_t, Tick t, std::span<const double> v) override {
    rewards.push_back({t, {v.begin(), v.end()}});
  }
  void commit(Tick) override {}
  std::vector<Spike> heard;
  std::map<std::uint32_t, std::vector<Edge>> edges_of;
  std::vector<Metric> rewards;
};

std::uint32_t projection(const Network& net, const std::string& name) {
  std::uint32_t p = 0;
  while (net.projections[p].name != name) ++p;
  return p;
}
const Population& population(const Network& net, const std::string& name) {
  for (const auto& p : net.populations)
    if (p.name == name) return p;
  throw std::logic_error(name);
}

double sig(double x) { return 1 / (1 + std::exp(-x)); }
double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

/// Weights by target, then source: [target][source].
using Matrix = std::vector<std::vector<double>>;
Matrix drawn(const std::vector<Edge>& edges, std::size_t targets) {
  Matrix m(targets);
  for (std::size_t i = 0; i < edges.size(); ++i) m[i / (edges.size() / targets)].push_back(edges[i].weight);
  return m;
}
Matrix saved(const MemoryCheckpoints& c, const Network& net, const std::string& name, std::size_t targets) {
  const auto& bytes = c.saved.rbegin()->second.at("synapses/" + net.projections[projection(net, name)].name);
  std::vector<double> numbers(bytes.size() / sizeof(double));  // weight, change, weight, change ...
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  Matrix m(targets);
  for (std::size_t i = 0; i < numbers.size() / 2; ++i)
    m[i / (numbers.size() / 2 / targets)].push_back(numbers[2 * i]);
  return m;
}

void check_close(const Matrix& a, const Matrix& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].size() == b[i].size());
    for (std::size_t k = 0; k < a[i].size(); ++k) CHECK(std::abs(a[i][k] - b[i][k]) <= 1e-12);
  }
}

}  // namespace

TEST_CASE("200 presentations of XOR are those of the plain loops") {
  for (const bool power : {true, false}) {
    auto net = xor_network({{"duration", "1300 ms"}, {"seed", power ? "5" : "6"}});
    if (!power)
      for (const auto* name : {"actor_in", "actor_bias"})
        net.projections[projection(net, name)].params[1] = 0;  // update: linear
    for (const auto* name : {"actor_in", "actor_bias", "out_in", "out_bias", "critic_in", "critic_bias"})
      net.edge_recordings.push_back(projection(net, name));
    Listener listener;
    MemoryCheckpoints end;
    {
      OneRank one;
      Simulation simulation(net, one);
      RunHooks hooks;
      hooks.checkpoints = {&end, ms(1201), 0, false};
      simulation.run(&listener, hooks);
    }
    REQUIRE(listener.rewards.size() >= 200);

    const auto first = [&](const char* name) {
      return drawn(listener.edges_of.at(projection(net, name)),
                   net.projections[projection(net, name)].target_count());
    };
    Matrix hidden = first("actor_in"), hidden_bias = first("actor_bias"), out = first("out_in"),
           out_bias = first("out_bias"), c = first("critic_in"), d = first("critic_bias");
    const auto& units = population(net, "critic_hidden");
    std::vector<double> v;
    const std::uint32_t p_index = static_cast<std::uint32_t>(&units - net.populations.data());
    for (std::uint32_t i = 0; i < units.size; ++i) {
      const auto w = draw(stream_key(net.seed, Purpose::parameter, p_index), units.first + i, 1);
      v.push_back(Sampler(units.params[1])(uniform01(w[0], w[1])));
    }
    const Gid hidden_gid = population(net, "actor_hidden").first,
              out_gid = population(net, "actor_out").first;
    const auto answer = [&](Gid gid, Tick tick, double p, double flip) {
      const auto w = draw(stream_key(net.seed, Purpose::neuron, 0), gid, static_cast<std::uint64_t>(tick));
      bool y = uniform01(w[0], w[1]) < p;
      if (uniform01(w[2], w[3]) < flip) y = !y;
      return y ? 1.0 : 0.0;
    };
    const double rate_hidden = 1.1, rate_out = 0.55;
    Matrix Dh(10, {0, 0}), Dhb(10, {0}), Do(1, std::vector<double>(10, 0)), Dob(1, {0});
    double filtered = 0;
    const auto write = [](double& w, double& D, bool by_power) {
      if (!by_power) w += D;
      else if (std::abs(D) > 0.4) w += sign(D) * std::pow(std::abs(D), 1.75);
      D = 0;
    };
    for (int k = 0; k < 200; ++k) {
      const double x[2] = {k % 4 >= 2 ? 1.0 : 0.0, k % 2 ? 1.0 : 0.0};
      const Tick begin = ms(6) * k;
      std::vector<double> h(20);
      double sum = 0;
      for (std::size_t i = 0; i < 20; ++i)
        sum += v[i] * (h[i] = sig(c[i][0] * x[0] + c[i][1] * x[1] + d[i][0]));
      const double expected = sig(sum + 0.5), flip = 0.1 * (1 - expected);
      std::vector<double> p(10), y(10);
      double input = 0;
      for (std::size_t i = 0; i < 10; ++i) {
        p[i] = sig(hidden[i][0] * x[0] + hidden[i][1] * x[1] + hidden_bias[i][0]);
        y[i] = answer(hidden_gid + static_cast<Gid>(i), begin + ms(3), p[i], flip);
        input += out[0][i] * y[i];
      }
      const double po = sig(input + out_bias[0][0]), yo = answer(out_gid, begin + ms(4), po, flip);
      const double reward = (yo != 0) == (x[0] != x[1]) ? 1 : 0, advantage = reward - expected;
      for (std::size_t i = 0; i < 10; ++i) {
        for (std::size_t s = 0; s < 2; ++s) Dh[i][s] += rate_hidden * advantage * (y[i] - p[i]) * x[s];
        Dhb[i][0] += rate_hidden * advantage * (y[i] - p[i]);
        Do[0][i] += rate_out * advantage * (yo - po) * y[i];
      }
      Dob[0][0] += rate_out * advantage * (yo - po);
      for (std::size_t i = 0; i < 20; ++i) {
        const double g = advantage * v[i] * h[i] * (1 - h[i]);
        for (std::size_t s = 0; s < 2; ++s) c[i][s] += g * x[s] - 0.001 * sign(c[i][s]);
        d[i][0] += g;
      }
      filtered = 0.999 * filtered + 0.001 * reward;
      const Metric& m = listener.rewards[static_cast<std::size_t>(k)];
      CHECK(m.tick == begin + ms(6));
      REQUIRE(m.values.size() == 4);
      CHECK(m.values[0] == reward);
      CHECK(std::abs(m.values[1] - expected) <= 1e-12);
      CHECK(std::abs(m.values[2] - filtered) <= 1e-12);
      CHECK(m.values[3] == k / 10 + 1);
      if (k % 10 == 9)
        for (std::size_t i = 0; i < 10; ++i) {
          for (std::size_t s = 0; s < 2; ++s) write(hidden[i][s], Dh[i][s], power);
          write(hidden_bias[i][0], Dhb[i][0], power);
          write(out[0][i], Do[0][i], false);
          if (i == 0) write(out_bias[0][0], Dob[0][0], false);
        }
    }
    check_close(saved(end, net, "actor_in", 10), hidden);
    check_close(saved(end, net, "actor_bias", 10), hidden_bias);
    check_close(saved(end, net, "out_in", 1), out);
    check_close(saved(end, net, "out_bias", 1), out_bias);
    check_close(saved(end, net, "critic_in", 20), c);
    check_close(saved(end, net, "critic_bias", 20), d);
  }
}

TEST_CASE("an environment's task is the same on any number of ranks and after a restart") {
  auto net = xor_network({{"duration", "900 ms"}, {"block", "1"}});
  record_all(net);
  Listener whole;
  MemoryCheckpoints checkpoints;
  for (const int ranks : {1, 2, 3}) {
    Listener one;
    std::vector<std::uint64_t> owned(static_cast<std::size_t>(ranks));
    run_loopback(ranks, [&](Transport& t) {
      Simulation simulation(net, t);
      owned[static_cast<std::size_t>(t.rank())] = simulation.owned();
      RunHooks hooks;
      hooks.checkpoints.every = ms(310);
      if (t.rank() == 0) hooks.checkpoints.sink = &checkpoints;
      simulation.run(t.rank() == 0 ? &one : nullptr, hooks);
    });
    for (const auto n : owned) CHECK(n > 0);
    if (ranks == 1) whole = one;
    CHECK((one.heard == whole.heard));
    CHECK((one.rewards == whole.rewards));
  }
  REQUIRE(whole.rewards.size() > 100);
  checkpoints.chosen = checkpoints.saved.begin()->first;
  Listener rest;
  run_loopback(2, [&](Transport& t) {
    Simulation simulation(net, t);
    simulation.restore(checkpoints);
    simulation.run(t.rank() == 0 ? &rest : nullptr);
  });
  std::erase_if(whole.heard, [&](const Spike& s) { return s.tick < checkpoints.chosen; });
  std::erase_if(whole.rewards, [&](const Metric& m) { return m.tick < checkpoints.chosen; });
  CHECK((rest.heard == whole.heard));
  CHECK((rest.rewards == whole.rewards));
}

TEST_CASE("the log of a trial holds its rewards: they follow from the events") {
  auto net = xor_network({{"duration", "600 ms"}});
  record_all(net);
  Listener l;
  OneRank one;
  Simulation(net, one).run(&l);
  const Gid task = population(net, "task").first, out = population(net, "actor_out").first;
  REQUIRE(l.rewards.size() == 99);  // the hundredth acts at 600 ms
  for (std::size_t k = 0; k < l.rewards.size(); ++k) {
    const Tick begin = ms(6) * static_cast<Tick>(k);
    int inputs = 0, answers = 0;
    for (const auto& s : l.heard) {
      inputs += s.tick == begin && (s.gid == task || s.gid == task + 1);
      answers += s.gid == out && s.tick == begin + ms(4);
    }
    CHECK(l.rewards[k].values[0] == ((answers == 1) == (inputs == 1) ? 1 : 0));
  }
}

TEST_CASE("a stop condition ends the run on every rank at the tick its metric acts") {
  for (const int ranks : {1, 3}) {
    auto net = xor_network({{"until", "epoch >= 7"}, {"block", "1"}});
    Listener l;
    Statistics figures;
    run_loopback(ranks, [&](Transport& t) {
      Simulation simulation(net, t);
      const auto s = simulation.run(t.rank() == 0 ? &l : nullptr);
      if (t.rank() == 0) figures = s;
    });
    CHECK(figures.until_met == ms(6) * 61);  // the first presentation of the seventh epoch
    CHECK(figures.reached == ms(6) * 61 + 1);
    CHECK_FALSE(figures.stopped);
    REQUIRE(l.rewards.size() == 61);
    CHECK(l.rewards.back().values[3] == 7);
  }
}

TEST_CASE("the orders of patterns: cycled, each once in a round, drawn") {
  for (const auto* order : {"cycled", "shuffled", "random"}) {
    auto net = xor_network(
        {{"duration", "4800 ms"}, {"populations.task.params.order", order}, {"until", "epoch >= 1000"}});
    record_all(net);
    Listener l;
    OneRank one;
    Simulation(net, one).run(&l);
    std::vector<int> shown(800, 0);
    const Gid task = population(net, "task").first;
    for (const auto& s : l.heard)
      if (s.gid == task || s.gid == task + 1)
        shown[static_cast<std::size_t>(s.tick / ms(6))] |= s.gid == task ? 2 : 1;
    int total[4] = {}, in_order = 0, whole_rounds = 0;
    for (std::size_t round = 0; round < 200; ++round) {
      int seen = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        const int x = shown[4 * round + i];
        ++total[x];
        seen |= 1 << x;
        in_order += x == static_cast<int>(i);
      }
      whole_rounds += seen == 15;
    }
    INFO(order);
    if (order[0] == 'c') CHECK(in_order == 800);
    else CHECK(in_order < 300);                     // 200 by chance, sd 12
    if (order[0] == 'r') CHECK(whole_rounds < 60);  // a share of 3/32 by chance
    else CHECK(whole_rounds == 200);
    for (const int n : total) CHECK(std::abs(n - 200) < (order[0] == 'r' ? 62 : 1));  // 5 sd
  }
}
