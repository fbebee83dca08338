// Every error of a network comes out in one pass, and nothing that only follows from one.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "errors/models.hpp"
#include "network/loader.hpp"

using namespace spinet;

namespace {

/// What must be said of some lines.
struct Planted {
  std::uint32_t first, last;
  std::vector<std::string> texts;
};

/// After "#!", separated by " | ", stands what must be said of the line; where a line has nothing else, of
/// those since the last such text, or more of what that is about.
std::vector<Planted> planted(const std::string& text) {
  std::vector<Planted> all;
  std::istringstream lines(text);
  std::uint32_t number = 0, last_mark = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto mark = line.find("#!");
    if (mark == std::string::npos) continue;
    const bool alone = line.find_first_not_of(' ') == mark;
    if (!alone) all.push_back({number, number, {}});
    else if (last_mark + 1 != number) all.push_back({last_mark + 1, number - 1, {}});
    last_mark = number;
    std::string rest = line.substr(mark + 3);
    for (std::size_t bar; (bar = rest.find(" | ")) != std::string::npos; rest = rest.substr(bar + 3))
      all.back().texts.push_back(rest.substr(0, bar));
    all.back().texts.push_back(rest);
  }
  return all;
}

void check_all_found(const std::string& text, const Catalogue& models = test::test_models()) {
  std::vector<Diagnostic> found;
  try {
    load_text(text, "planted.yaml", models);
  } catch (const InvalidNetwork& e) {
    found = e.diagnostics;
  }
  auto wanted = planted(text);
  for (const auto& d : found) {
    const auto here = std::find_if(wanted.begin(), wanted.end(),
                                   [&](const Planted& p) { return d.line >= p.first && d.line <= p.last; });
    const auto says = [&](const std::string& w) { return d.reason.find(w) != std::string::npos; };
    const bool known = here != wanted.end() && std::any_of(here->texts.begin(), here->texts.end(), says);
    if (known) here->texts.erase(std::find_if(here->texts.begin(), here->texts.end(), says));
    else FAIL_CHECK("said, but not planted: " << render(d));
  }
  for (const Planted& p : wanted)
    for (const auto& text : p.texts) FAIL_CHECK("planted on line " << p.first << ", but not said: " << text);
}

}  // namespace

TEST_CASE("an error of a projection hides none beside it") {
  const Catalogue builtin = [] {
    Catalogue c;
    add_builtin(c);
    return c;
  }();
  check_all_found(R"(
spinet: 1
duration: 100 ms
populations:
  exc: {model: lif_exp, size: 10}
  bad: {model: aeif_cond_exp, size: 2, params: {a: 4, nonsense: 5 mV, v_th: 3 nS}}
      #! unknown model | 'a' needs a unit | unknown parameter 'nonsense' | 'v_th' must be a voltage
  noise: {model: poisson, size: 10}
projections:
  p1: {from: exc, to: exc, connect: {fixed_indegree: 3}, synapse: {model: static, weight: -1 pA, port: exc,
      delay: 1.55 ms}}
      #! takes positive weights | a delay must be a multiple
  p2: {from: noise, to: noise, connect: {fixed_indegree: 30, multapses: false}, synapse: {model: static,
      weight: 1 pA, delay: 1 ms}}
      #! is a source | 30 different sources
  p3: {from: exc, to: exc, connect: {list: [[0, 1]]}, synapse: {model: stdp, weight: 12 pA, delay: 1.44 ms}}
      #! a delay must be a multiple
  p5: {from: exc, to: exc, connect: {list: [[0, 1]]}, synapse: {model: static,
      weight: {normal: {mean: 1 pA, sd: 5 pA}}, port: exc}}
      #! both signs | has no 'delay'
schedule:
  - {at: 1 ms, set: {p3: {lambda: -3}}}  #! 'lambda' must be
  - {at: 1 ms, set: {p3: {w_max: 3 mV}}}  #! 'w_max' must be a current
  - {at: 1 ms, set: {p4: {lambda: 0.02}}}  #! unknown population or projection 'p4'
)",
                  builtin);
}

TEST_CASE("weights above w_max are refused, given or drawn") {
  const std::string net =
      "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 4}\nprojections:\n"
      "  p: {from: exc, to: exc, connect: @, delay: 1 ms}}\n";
  Catalogue models;
  add_builtin(models);
  const auto reason = [&](const std::string& synapse) {
    std::string text = net;
    text.replace(text.find('@'), 1, synapse);
    try {
      load_text(text, "x.yaml", models);
    } catch (const InvalidNetwork& e) {
      return e.rendered;
    }
    return std::string();
  };
  using Catch::Matchers::Contains;
  for (const std::string model : {"stdp", "istdp", "rstdp"}) {
    const auto synapse = [&](const std::string& rest) {
      return "all_to_all, synapse: {model: " + model + ", port: exc, " + rest;
    };
    INFO(model);
    CHECK_THAT(reason(synapse("weight: 12 pA, w_max: 1 pA")),
               Contains("a weight of 12 pA, and the largest of these synapses, 'w_max', is 1 pA"));
    CHECK_THAT(reason(synapse("w_max: 0.5 pA")), Contains("a weight of 1 pA, and"));  // the preset
    CHECK_THAT(reason(synapse("weight: {uniform: {low: 0 pA, high: 3 pA}}, w_max: 2 pA")),
               Contains("weights of up to 3 pA may be drawn"));
    CHECK_THAT(reason(synapse("weight: {normal: {mean: 1 pA, sd: 1 pA, min: 0 pA}}, w_max: 2 pA")),
               Contains("'max: 2 pA'"));
    CHECK(reason(synapse("weight: {normal: {mean: 1 pA, sd: 1 pA, min: 0 pA, max: 2 pA}}, w_max: 2 pA"))
              .empty());
    CHECK(reason(synapse("weight: {normal: {mean: 1 pA, sd: 0.1 pA, min: 0 pA}}, w_max: 2 pA")).empty());
    CHECK(reason(synapse("weight: 0.1 pA, w_max: 0.1 pA")).empty());
    const auto listed = [&](const std::string& w) {
      return "{list: [[0, 1, 1 pA], [1, 2, " + w + "]]}, synapse: {model: " + model +
             ", port: exc, w_max: 2 pA";
    };
    CHECK_THAT(reason(listed("3 pA")), Contains("a weight of 3 pA, and"));
    CHECK(reason(listed("2 pA")).empty());
  }
}

TEST_CASE("errors of every section in one pass") {
  check_all_found(R"(
spinet: 1
seed: 1.5                                                    #! 'seed' must be a whole number
block: 0                                                     #! 'block' must be
partition: costly                                            #! unknown partition 'costly'
durration: 1000  #! unknown key 'durration' | 'duration' needs a unit
parameters:
  J: 1 pAA                                                   #! unknown unit 'pAA'
  k: =2*missing                                              #! unknown parameter 'missing'
populations:
  exc: {model: cell, size: 10, params: {tau_m: -1 ms, v_tt: 3 mV}, initial: {V: 3 pA}}
      #! 'tau_m' must be | unknown parameter 'v_tt' | 'V' must be a voltage
  inh: {model: cel, size: 5, params: {C_m: 3 mV}}
      #! unknown model 'cel' | 'C_m' must be a capacitance
  two: {model: cell, size: x, params: {share: 2}}            #! 'size' | 'share' must be
  src: {model: noise, size: 3, params: {rate: -1 Hz}}        #! 'rate' must be
  heir: {like: exx, size: 0, colour: red}
      #! unknown population 'exx' | 'size' must be | unknown key 'colour'
  none: {model: nothing_like_it, size: 2.5}
      #! unknown model 'nothing_like_it' | 'size' must be a whole number
  late: {model: listed, size: 2, spikes: [[-1 ms], [1 pA]]}
      #! 'spike time' must not be negative | 'spike time' must be a time
projections:
  a: {from: exc, to: exc, connect: {fixed_indegree: -1}, synapse: {model: plain, weight: 3 mV, delay: 0 ms}}
      #! 'fixed_indegree' must be | 'weight' must be a current | a delay must be above 0
  b: {from: exx, to: inh, connect: all_to_al, synapse: {model: device, tau: 1 pA, weight: 1 pA, delay: 1}}
      #! unknown population 'exx' | unknown rule 'all_to_al' | 'tau' must be a time | 'delay' needs a unit
  c: {from: exc, to: exk, connect: {fixed_indegree: 3, autapses: maybe}, synapse: {model: plian,
      weight: 1 mV, delay: 1 ms}}
      #! unknown population 'exk' | 'autapses' must be true or false | unknown synapse model 'plian'
      #! 'weight' must be a current
  d: {from: [exc, "exc[3]"], to: none, connect: {fixed_in: 3.5}, synapse: {model: plain, weight: 1 xyz,
      delay: 1 pA}}
      #! has named already | unknown rule 'fixed_in' | unknown unit 'xyz' | 'delay' must be a time
  e: {from: two, to: two, connect: {list: [[0, 1, 5 mV], [7, 8, 1 pA]]}, synapse: {model: plain,
      delay: 1.03 ms, prot: exc}}
      #! 'weight' must be a current | a delay must be a multiple | unknown key 'prot'
  f: {from: exc, to: src, connect: one_to_one, synapse: {model: valve, u: 2, delay: {uniform: {low: 1 ms,
      high: 1 pA}}}}
      #! is a source | one_to_one needs | 'u' must be | 'high of delay' must be a time
  g: {from: exc, to: gone_for_good, connect: {pairwise_bernoulli: 2}, synapse: {weight: nan, delay: 1 ms}}
      #! unknown population 'gone_for_good' | 'pairwise_bernoulli' must be | has no 'model'
  h: {from: exc, to: exc, connect: {fixed_outdegree: 2}, synapse: {model: plain,
      weight: {nromal: {mean: 1 mV, sd: -1 pA}}, delay: 1 ms, port: ecx}}
      #! unknown distribution 'nromal' | 'mean of weight' must be | 'sd of weight' must be | has no port 'ecx'
  i: {from: exc, to: exc, connect: all_to_all, synapse: {modle: plain, weight: 1 mV, delay: 1 ms}}
      #! unknown key 'modle' | 'weight' must be a current
schedule:
  - {at: -1 ms, set: {exc: {I_dc: 1 mV, share: 7}, inh: {I_dx: 5 pA}}}
      #! 'at' must not be negative | 'I_dc' must be a current | 'share' must be | unknown parameter 'I_dx'
  - {set: {exc: {I_dc: 1 pF}}, repeat: {every: 0 ms, count: 0.5}}
      #! lacks 'at' | 'I_dc' must be a current | 'every' must be | 'count' must be
  - {at: 1 pA, feild: 90 mV, to: nobody}
      #! 'at' must be a time | unknown key 'feild' | 'field' must be a magnetic field
      #! unknown population or projection 'nobody'
  - {at: 1 ms, pulse: {amplitude: 1 pA, count: -1, period: 1 mV}, to: f}
      #! lacks 'width' | 'amplitude' must be | 'count' must be | 'period' must be
  - {at: 1 ms, reward: 1 mV, field: 3 pA}
      #! one action | 'reward' must be a plain number | 'field' must be
until: nothing > 3                                                         #! is no stop condition
record:
  spikes:
    - {population: exx, from: 3 pA, ids: [1.5]}
        #! unknown population 'exx' | 'from' must be a time | 'ids' must be
    - {popolation: exc, every: 0}
        #! unknown key 'popolation' | 'every' must be
  reports:
    - {variable: W, every: 0.3 ns, name: "a b", population: exc}
        #! has no variable 'W' | 'every' must be | is no name for a report
    - {population: two, variable: V, ids: [900, x]}                        #! lacks 'every' | 'ids'
  edges: [aa, a, a]
      #! unknown projection 'aa' | named twice
  weights:
    - {projection: a, every: 1 mV, variable: w}
        #! 'every' must be a time | has no variable 'w'
    - {projection: a, at: [1 pA, -1 ms], epochs: [0], synapses: [[0, x]]}
        #! 'at' must be a time | 'at' must not be negative | 'epochs' must be | needs an environment
        #! 'target'
)");
}

TEST_CASE("a section that cannot be read makes no errors of those who name its parts") {
  const std::string rest = R"(
projections:
  p: {from: exc, to: [exc, inh], connect: all_to_all, synapse: {model: plain, weight: 1 pA, delay: 1 ms}}
schedule:
  - {at: 1 ms, set: {exc: {I_dc: 1 pA}}}
record: {spikes: [exc], reports: [{population: exc, variable: V, every: 1 ms}]}
)";
  const std::string head = "spinet: 1\nduration: 1 s\n";
  check_all_found(head + "populations: []  #! must be a map" + rest);
  check_all_found(
      head +
      "population: {exc: {model: cell, size: 3}, inh: {model: cell, size: 3}}  #! unknown key 'population'" +
      rest);
  check_all_found(
      head + "nodes: {exc: {model: cell, size: 3}, inh: {model: cell, size: 3}}  #! unknown key 'nodes'" +
      rest);
  check_all_found(
      "spinet: 1\nsim_time: 1000.0  #! unknown key 'sim_time' | 'duration' needs a unit\npopulations: {exc: "
      "{model: cell, size: 3}, inh: {model: cell, size: 3}}" +
      rest);
  check_all_found(head +
                  "populations: {exc: {model: cell, size: 3, params: {tau_m: 1 mV}}, inh: {model: cell, "
                  "size: 0}}  #! 'tau_m' must be | 'size' must be" +
                  rest);
  check_all_found(head +
                  "populations: {exc: {model: cell, size: 3}, inh: {model: cell, size: 3}}\nprojections: 7  "
                  "#! must be a map\n"
                  "record: {edges: [p], weights: [{projection: p, every: 1 ms}]}\nschedule: [{at: 1 ms, "
                  "weights: off, to: p}]\n");
}

TEST_CASE(
    "models of other simulators are taken for those that are right here, and what follows them is checked") {
  Catalogue all;
  add_builtin(all);
  check_all_found(R"(
spinet: 1
duration: 100 ms
populations:
  exc: {model: iaf_psc_exp, size: 10, params: {tau_m: 10, V_th: -50 mV, C_m: 5 ms, t_ref: -1 ms}}
      #! unknown model 'iaf_psc_exp' | 'tau_m' needs a unit | unknown parameter 'V_th'
      #! 'C_m' must be a capacitance | 't_ref' must be
  n: {model: poisson_generator, size: 10, params: {rate: 8 kHx}}
      #! unknown model 'poisson_generator' | unknown unit 'kHx'
projections:
  p: {from: n, to: exc, connect: one_to_one, synapse: {model: static_synapse, weight: 3 mV, dely: 1 ms}}
      #! unknown synapse model 'static_synapse' | 'weight' must be a current | unknown key 'dely'
  q: {from: exc, to: n, connect: one_to_one, synapse: {model: static, weight: 3 pA, delay: 1 ms}}
      #! is a source
schedule: [{at: 5 ms, set: {exc: {I_d: 3 pA}}}]
    #! unknown parameter 'I_d'
record: {reports: [{population: exc, variable: W, every: 1 ms}]}
    #! has no variable 'W'
)",
                  all);
}

TEST_CASE("fields that contradict each other are found beside other errors, if they are right one by one") {
  check_all_found(R"(
spinet: 1
duration: 100 ms
populations:
  a: {model: cell, size: 10, params: {v_th: -80 mV, v_reset: -50 mV, tau_m: 1 mV}, initial: {V: 3 pA}}
      #! v_reset must be below v_th | 'tau_m' must be a time | 'V' must be a voltage
  b: {model: cell, size: 10, params: {v_th: -80 pA, v_reset: -50 mV}}
      #! 'v_th' must be a voltage
  c: {model: cel, size: 10, params: {v_reset: -40 mV}}
      #! unknown model 'cel'
  d: {model: cell, size: 0, params: {v_reset: -40 mV, v_th: -50 mV}}
      #! 'size' must be | v_reset must be below v_th
projections:
  p: {from: a, to: a, connect: all_to_all, synapse: {model: device, g_min: 5 nS, g_max: 4 nS, tau: 1 mV,
      delay: 1 pA, weight: 1 pA}}
      #! g_min must be below g_max | 'tau' must be a time | 'delay' must be a time
  q: {from: a, to: a, connect: all_to_all, synapse: {model: device, g_min: 5 pA, g_max: 4 nS, delay: 1 ms,
      weight: 1 pA}}
      #! 'g_min' must be a conductance
)");
}
