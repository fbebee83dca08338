// `set` in the schedule: every parameter of every built-in model that says it may change during a run has an
// effect when it does, from its tick on; synapses change with what they have met by then.
#include <catch2/catch.hpp>

#include <cmath>
#include <map>

#include "comm/loopback.hpp"
#include "network/catalogue.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/on_ranks.hpp"
#include "support/plastic.hpp"

#include "spinet/device.hpp"
#include "spinet/reward.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

void set(NetworkBuilder& b, Tick tick, std::uint32_t projection, std::string_view param, double value) {
  b.schedule_synapses(tick, projection, param, value);
}

/// Another allowed value of a field.
double another(const Field& f, double now) {
  for (const double x : {now + 1, now - 1, now * 0.5, now + 0.1, now - 0.1, now * 2})
    if (x != now && x >= f.low && x <= f.high && !((f.flags & low_open) && x == f.low) &&
        !((f.flags & high_open) && x == f.high) && (!(f.flags & integer) || x == std::floor(x)))
      return x;
  FAIL("no other value of " << f.name);
  return now;
}

/// A plain weight with a factor that the schedule may change: the state follows.
struct Scaled {
  static constexpr const char* name = "test_scaled";
  static constexpr const char* doc = "A constant weight times a factor.";
  struct Params {
    double scale;
  };
  struct Shared {
    double scale;
  };
  struct State {
    float weight;
  };
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::scale, "scale", "1", 1, above(0), scheduled, "factor");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "weight");
    return t;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo&) { s.scale = p.scale; }
  static void set(Synapses<Scaled> n, const Params& p, const Shared& next) {
    REQUIRE(p.scale == next.scale);
    for (std::uint32_t i = 0; i < n.size(); ++i)
      n[i].weight *= static_cast<float>(next.scale / n.shared().scale);
  }
};

/// Notes the pairs of parameters that it has ever been given.
struct Bounded {
  static constexpr const char* name = "test_bounded";
  static constexpr const char* doc = "A weight between two bounds.";
  static constexpr Stimulus stimuli[] = {reward};
  struct Params {
    double low, high;
  };
  struct Shared {
    double low, high;
  };
  struct State {
    float weight;
  };
  static inline std::vector<std::pair<double, double>>* notes = nullptr;
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::low, "low", "1", 1, any(), scheduled, "lower bound")
        .add(&Params::high, "high", "1", 2, any(), scheduled, "upper bound");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "weight");
    return t;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo&) { s = {p.low, p.high}; }
  static float weight(State& s, const Shared&, const Slice&) { return s.weight; }
  static void on_control(Synapses<Bounded>, const Control&) {}
  static void set(Synapses<Bounded>, const Params& p, const Shared&) {
    if (notes) notes->push_back({p.low, p.high});
  }
};

constexpr Tick half = ms(300), whole = ms(600);

/// A network in which a model shows what it does: spikes, everything that may be recorded of neurons, every
/// variable of synapses.  `values`: of the model under test.
struct Shown {
  explicit Shown(const Model& model, const Values& values) : b(whole, 3) {
    if (model.kind == Kind::source) {
      subject = b.add(model, 20, values);
      const auto cell = b.add("lif_exp", 2);
      b.connect(subject, cell, Rule::all_to_all, 100, ms(1));
      b.record_spikes(subject);
    } else if (model.kind == Kind::neuron) {
      subject = b.add(model, 4, values);
      const NeuronTable& t = *b.network().populations[subject].neuron();
      const auto noise = b.add("poisson", 20, {{"rate", 200}}, Kind::source);
      for (std::uint32_t port = 0; port < t.port_count; ++port) {
        const double weight = t.ports[port].unit[0] == 'p' ? 100 : 0.5;
        b.connect(noise, subject, Rule::all_to_all, t.ports[port].sign < 0 ? -weight : weight, ms(1)).port =
            port;
      }
      show(subject);
    } else {
      synapses(*reinterpret_cast<const SynapseTable*>(&model), values);
    }
  }
  void synapses(const SynapseTable& t, const Values& values) {
    std::vector<ListedSpike> spikes;
    for (int i = 0; i < 58; ++i) spikes.push_back({ms(10 * i + 5), static_cast<std::uint32_t>(i % 3)});
    const auto in = b.source(3, std::move(spikes));
    const auto noise = b.add("poisson", 20, {{"rate", 200}}, Kind::source);
    std::uint32_t cells;
    if (t.read_count) {  // a gradient
      cells = b.add("sigmoid", 3);
      b.connect(noise, cells, Rule::all_to_all, 0.5, ms(1));
    } else {
      cells = b.add("lif_exp", 3);
      b.connect(noise, cells, Rule::all_to_all, 150, ms(1));
    }
    subject = static_cast<std::uint32_t>(b.network().projections.size());
    b.connect(in, cells, Rule::all_to_all, SynapsesOf{t, values}, ms(2));
    for (std::uint32_t v = 0; v < t.model.variables.count; ++v) b.record_weights(subject, ms(1), 0, v);
    show(cells);
    for (int i = 0; i < 11; ++i) control(ms(50 * i + 40), reward, i % 2 ? -0.7 : 1.5);
    for (int i = 0; i < 11; ++i) control(ms(50 * i + 45), batch_end, i + 1);
    for (int i = 0; i < 11; ++i) control(ms(50 * i + 46), device::pulse, i % 2 ? -2.3 : 2.5, 5e-3);
    for (int i = 0; i < 11; ++i)
      control(ms(50 * i + 47), device::field, i % 3 ? 0.01 : 0.03,
              i % 3 ? device::antiparallel : device::parallel);
    for (int i = 0; i < 11; ++i) control(ms(50 * i + 48), device::read, 0);
  }
  void control(Tick tick, const Stimulus& stimulus, double value, double second = 0) {
    std::vector<Place> to;
    if (stimulus.flags & wired) to = {WholeProjection{subject}};
    b.at(tick, stimulus, {value, second}, std::move(to));
  }
  void show(std::uint32_t population) {
    b.record_spikes(population);
    const Fields& variables = b.network().populations[population].model->variables;
    for (std::uint32_t v = 0; v < variables.count; ++v)
      if (variables.data[v].flags & recorded) b.report(population, variables.data[v].name, ms(1));
  }
  NetworkBuilder b;
  std::uint32_t subject = 0;
};

/// What a field needs to have an effect, by model and field; and another value than one made up, by the
/// field's own name.
const std::map<std::string, Values> needs = {
    {"reward_rule exponent", {{"update", 1}, {"threshold", 0.001}}},
    {"reward_rule threshold", {{"update", 1}, {"threshold", 0.001}}},
    {"istdp w_max", {{"w_max", 50}, {"weight", 50}, {"eta", 5}, {"rho0", 0}}},
    {"rstdp A_minus", {{"A_minus", 2}}},
    {"stdp mu_plus", {{"weight", 40}}},
    {"stdp mu_minus", {{"weight", 40}}},
    {"stdp alpha", {{"weight", 40}}},
    {"stdp w_max", {{"weight", 80}}},
    {"rstdp w_max", {{"weight", 80}}},
};

}  // namespace

TEST_CASE(
    "every parameter that may change during a run has an effect from the tick on at which it is set, and "
    "none before") {
  std::size_t pairs = 0;
  for (const auto& entry : builtin().all()) {
    const Model& model = *entry.model;
    for (std::uint32_t k = 0; k < model.params.count; ++k) {
      const Field& f = model.params.data[k];
      if (!(f.flags & scheduled)) continue;
      ++pairs;
      const std::string name = std::string(model.name) + " " + f.name;
      INFO(name);
      const auto extra = needs.find(name);
      const Values values = extra == needs.end() ? Values{} : extra->second;
      Shown as_it_was(model, values), changed(model, values);
      double now = f.preset;
      for (const auto& [key, v] : values)
        if (key == f.name) now = v.d.a;
      if (model.kind == Kind::synapse) set(changed.b, half, changed.subject, f.name, another(f, now));
      else changed.b.schedule(half, changed.subject, f.name, another(f, now));
      Run a = run(as_it_was.b.network()), b = run(changed.b.network());
      const Network& net = as_it_was.b.network();
      const auto before = [](const std::vector<Spike>& all) {
        return std::vector<Spike>(
            all.begin(), std::find_if(all.begin(), all.end(), [](const Spike& s) { return s.tick >= half; }));
      };
      CHECK(first_difference(before(a.spikes()), before(b.spikes())) == "");
      bool differs = first_difference(a.spikes(), b.spikes()) != "";
      const auto samples = [&](const std::vector<float>& x, const std::vector<float>& y) {
        REQUIRE(x.size() == y.size());
        const std::size_t at = x.size() / (whole / ms(1)) * (half / ms(1));
        CHECK(std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(at), y.begin()));
        differs = differs || x != y;
      };
      for (std::uint32_t r = 0; r < net.reports.size(); ++r)
        samples(a.recorder.report(r), b.recorder.report(r));
      for (std::uint32_t w = 0; w < net.weights.size(); ++w)
        samples(a.recorder.weights_of(w), b.recorder.weights_of(w));
      CHECK(differs);
    }
  }
  CHECK(pairs >= 20);
}

TEST_CASE("a pair of spikes counts with the parameters that hold when it meets the synapse, to the tick") {
  // Additive: each pair adds lambda w_max exp(-dt / tau) or takes alpha lambda w_max exp(-dt / tau).
  const Tick delay = ms(2), at = ms(200);  // what a control at 200 ms finds is the synapse at 198 ms
  const auto weight_after = [&](Tick pre, Tick post) {
    Trained t(ms(400), {{pre}}, {{post - delay}});  // `post`: when it meets the synapse
    const auto p =
        t.plastic("stdp", {{"lambda", 0.01}, {"mu_plus", 0}, {"mu_minus", 0}, {"weight", 50}}, delay);
    set(t.b, at, p, "lambda", 0.05);
    const auto w = t.b.record_weights(p, ms(1), ms(399));
    return static_cast<double>(run(t.b.network()).recorder.weights_of(w).back());
  };
  const double step = std::exp(-0.5);
  const Tick change = at - delay;
  CHECK(weight_after(change - ms(10), change) == Approx(50 + 1 * step).epsilon(1e-7));
  CHECK(weight_after(change - ms(10) + 1, change + 1) == Approx(50 + 5 * step).epsilon(1e-7));
  CHECK(weight_after(change - 1, change - 1 - ms(10)) == Approx(50 - 1 * step).epsilon(1e-7));
  CHECK(weight_after(change, change - ms(10)) ==
        Approx(50 - 5 * step).epsilon(1e-7));  // control events come before arrivals
}

TEST_CASE("rstdp: the eligibility of before meets the new baseline from the change on") {
  const Tick delay = ms(1), at = ms(601);
  Trained t(ms(2000), {{ms(500)}}, {{ms(510) - delay}});
  const auto p = t.plastic("rstdp", {{"A_plus", 1}, {"weight", 50}}, delay);
  set(t.b, at, p, "baseline", 0.2);
  set(t.b, ms(1002), p, "w_max", 50.5);
  const auto w = t.b.record_weights(p, ms(500), ms(501));
  auto got = run(t.b.network());
  const double c = std::exp(-0.5);  // at 510 ms, in w_max per second
  CHECK(got.recorder.weights_of(w)[0] == 50);
  CHECK(static_cast<double>(got.recorder.weights_of(w)[1]) ==
        Approx(50 + 100 * c * 0.2 * (std::exp(-0.090) - std::exp(-0.490))).epsilon(1e-7));
  CHECK(got.recorder.weights_of(w)[2] == 50.5f);
}

TEST_CASE("tsodyks_markram: u and x go on from where they were, with the new time constants") {
  NetworkBuilder b(ms(500));
  const auto in = b.source(1, {{ms(100), 0}, {ms(300), 0}});
  const auto to = b.add(neuron_table<Repeater>().model, 1);
  b.connect(in, to, Rule::all_to_all,
            SynapsesOf{"tsodyks_markram", {{"U", 0.5}, {"tau_rec", 100}, {"tau_fac", 50}, {"weight", 8}}},
            ms(1))
      .port = 1;
  set(b, ms(201), 0, "tau_rec", 400);
  set(b, ms(201), 0, "tau_fac", 200);
  const auto r = b.report(to, "heard", ms(1));
  auto got = run(b.network());
  const double used = 0.5 * std::exp(-1) * std::exp(-0.25), u = 0.5 * std::exp(-2) * std::exp(-0.5),
               second = u + 0.5 * (1 - u);
  CHECK(static_cast<double>(got.recorder.report(r)[499]) ==
        Approx(2 + 8 * second * (1 - used)).epsilon(1e-6));
}

TEST_CASE(
    "a projection that is set keeps its synapses to itself: others like it stay as they are, drives too") {
  NetworkBuilder b(ms(100));
  const auto in = b.source(2, {{ms(10), 0}, {ms(60), 0}, {ms(60), 1}});
  const auto noise = b.add("poisson", 3, {{"rate", 2000}}, Kind::source);
  const auto cells = b.add(neuron_table<Repeater>().model, 3),
             driven = b.add("lif_delta", 3, {{"v_th", 1e6}});
  const SynapseTable& scaled = synapse_table<Scaled>();
  for (int i = 0; i < 2; ++i)
    b.connect(in, cells, Rule::all_to_all, SynapsesOf{scaled, {{"weight", 4}}}, ms(1)).port = 1;
  for (int i = 0; i < 2; ++i)
    b.connect(noise, driven, Rule::one_to_one, SynapsesOf{scaled, {{"weight", 0.5}}}, ms(1));
  const auto heard = b.report(cells, "heard", ms(1)), V = b.report(driven, "V", ms(1));
  for (std::uint32_t p = 0; p < 4; ++p) b.record_weights(p, ms(99));
  auto plain = run(b.network());
  set(b, ms(50), 1, "scale", 3);
  set(b, ms(50), 3, "scale", 3);
  auto got = run(b.network());
  // heard halves at each arrival: 4, then 4; 10 ms: 2 + 4 = 6.  60 ms, source 0 and then 1: 4, 12, 4, 12.
  CHECK(got.recorder.report(heard)[3 * 20] == 6);
  CHECK(got.recorder.report(heard)[3 * 99] == 6 / 16.0f + 4 / 8.0f + 12 / 4.0f + 4 / 2.0f + 12);
  for (const std::uint32_t p : {0u, 1u, 3u}) {  // 2 is a drive, drawn straight into its targets
    const auto& weights = got.recorder.weights_of(p);
    REQUIRE(weights.size() == (p < 2 ? 12 : 6));
    CHECK(weights.front() == (p < 2 ? 4.0f : 0.5f));
    CHECK(weights.back() == (p % 2 ? 3.0f : 1.0f) * (p < 2 ? 4.0f : 0.5f));
  }
  const auto &before = plain.recorder.report(V), &after = got.recorder.report(V);
  CHECK(std::equal(before.begin(), before.begin() + 3 * 50, after.begin()));
  CHECK(before[3 * 99] < after[3 * 99]);
}

TEST_CASE(
    "parameters that are set together reach the model together, and one by one where something else happens "
    "between") {
  for (const bool between : {false, true}) {
    NetworkBuilder b(ms(100));
    const auto in = b.source(1, {{ms(10), 0}});
    const auto cells = b.add(neuron_table<Repeater>().model, 1);
    b.connect(in, cells, Rule::all_to_all, SynapsesOf{synapse_table<Bounded>(), {}}, ms(1)).port = 1;
    set(b, ms(50), 0, "low", 5);
    if (between) {
      b.at(ms(50), reward, {0});
    }
    set(b, ms(50), 0, "high", 6);
    set(b, ms(51), 0, "low", 4);
    std::vector<std::pair<double, double>> seen;
    Bounded::notes = &seen;
    run_once(b.network());
    Bounded::notes = nullptr;
    std::vector<std::pair<double, double>> wanted = {{5, 6}, {4, 6}};
    if (between) wanted.insert(wanted.begin(), {5, 2});
    CHECK(seen == wanted);
  }
}
