// Names of other simulators: each row of the table by its whole message, and the line it proposes put in its
// place.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "network/loader.hpp"
#include "network/spellings.hpp"

using namespace spinet;

namespace {

/// A network in which `@` stands for a line of the place that a row is about.
const std::string networks[] = {
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\n@\n",  // a section
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\n  x: {model: lif_exp, size: "
    "2, @}\n",  // a population
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2, params: {@}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_cond_exp, size: 2, params: {@}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: poisson, size: 2, params: {@}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: spike_source, size: 2, @}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2, initial: {@}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nprojections:\n  p: {from: "
    "exc, to: exc, connect: all_to_all, synapse: {model: static, delay: 1 ms}, @}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nprojections:\n  p: {from: "
    "exc, to: exc, connect: all_to_all, synapse: {model: static, delay: 1 ms, @}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nprojections:\n  p: {from: "
    "exc, to: exc, connect: {fixed_indegree: 1, @}, synapse: {model: static, delay: 1 ms}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nrecord: {@}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nrecord: {reports: "
    "{population: exc, variable: V, every: 1 ms, @}}\n",
};
const std::string model_network = "spinet: 1\nduration: 1 s\npopulations:\n  x: {size: 2, @}\n";
const std::string synapse_network =
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nprojections:\n"
    "  p: {from: exc, to: exc, connect: all_to_all, synapse: {@, delay: 1 ms, port: exc}}\n";
const std::string rule_network =
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 100}\nprojections:\n"
    "  p: {from: exc, to: exc, @, synapse: {model: static, delay: 1 ms, port: exc}}\n";

const Catalogue& builtin() {
  static const Catalogue all = [] {
    Catalogue c;
    add_builtin(c);
    return c;
  }();
  return all;
}

std::string with(std::string network, const std::string& line) {
  return network.replace(network.find('@'), 1, line);
}

std::string message(const std::string& network) {
  try {
    load_text(network, "x.yaml", builtin());
  } catch (const InvalidNetwork& e) {
    return e.rendered;
  }
  return {};
}

/// A value that the key which a row proposes takes.
std::string sample(const Spelling& s) {
  if (s.of == Spelling::Of::rule)
    return s.right.find("bernoulli") != std::string_view::npos ? "0.3"
           : s.right.find("list") != std::string_view::npos    ? "[[0, 7]]"
                                                               : "7";
  if (s.right.starts_with("connect: {pair")) return "0.3";
  if (s.right.starts_with("connect: {fixed")) return "7";
  if (s.given == "synapse_type") return "StaticSynapse";
  if (s.right.starts_with("synapse: {")) return s.given == "delay" ? "7 ms" : "7 pA";
  static const std::map<std::string, std::string, std::less<>> of_keys{
      {"populations", "{b: {model: lif_exp, size: 7}}"},
      {"projections", "{}"},
      {"duration", "700 ms"},
      {"seed", "7"},
      {"size", "7"},
      {"model", "lif_delta"},
      {"params", "{tau_m: 7 ms}"},
      {"initial", "{V: -61 mV}"},
      {"V", "-61 mV"},
      {"I_dc", "7 pA"},
      {"tau_syn_exc", "7 ms"},
      {"tau_syn_inh", "7 ms"},
      {"t_ref", "7 ms"},
      {"E_L", "-71 mV"},
      {"E_exc", "7 mV"},
      {"E_inh", "-77 mV"},
      {"C_m", "270 pF"},
      {"v_th", "-47 mV"},
      {"v_reset", "-77 mV"},
      {"from", "exc"},
      {"to", "exc"},
      {"connect", "all_to_all"},
      {"synapse", "{model: static, weight: 7 pA, delay: 7 ms}"},
      {"weight", "7 pA"},
      {"fixed_indegree", "7"},
      {"fixed_outdegree", "7"},
      {"fixed_total_number", "7"},
      {"pairwise_bernoulli", "0.3"},
      {"autapses", "false"},
      {"multapses", "false"},
      {"spikes", "exc"},
      {"population", "exc"},
      {"variable", "V"},
      {"every", "7 ms"}};
  if (s.given == "start" || s.given == "start_time") return "70 ms";
  if (s.given == "stop" || s.given == "end_time") return "90 ms";
  if (s.given == "synapse_model") return "stdp";
  const auto at = of_keys.find(s.right.substr(0, s.right.find(':')));
  return at == of_keys.end() ? "7" : at->second;
}

std::string opened(std::string network, const Spelling& s);

/// The places where the row answers, as networks with the place open; and the line that holds the name.
std::vector<std::string> places(const Spelling& s, std::string& line) {
  const std::string given(s.given), value = sample(s);
  line = "model: " + given;
  if (s.of == Spelling::Of::population_model) return {model_network};
  if (s.of == Spelling::Of::synapse_model) return {synapse_network};
  if (s.of == Spelling::Of::rule)
    return line = "connect: " +
                  (s.right.find('@') == std::string_view::npos ? given : "{" + given + ": " + value + "}"),
           std::vector{rule_network};
  if (s.of == Spelling::Of::variable) {
    line = "variable: " + given;
    const std::string model =
        s.right.ends_with("g_exc") || s.right.ends_with("g_inh") ? "lif_cond_exp" : "lif_exp";
    return {"spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: " + model +
            ", size: 2}\nrecord: {reports: {population: exc, every: 1 ms, @}}\n"};
  }
  line = given + ": " + value;
  std::vector<std::string> found;
  const std::string help = "help: " + answer(s, value.starts_with('{') ? std::string() : value) + "\n";
  for (const auto& n : networks)
    if (const auto open = opened(n, s); message(with(open, line)).find(help) != std::string::npos)
      found.push_back(open);
  return found;
}

/// The line that a message says is right; empty if it says none.
std::string proposed(const std::string& text, const Spelling& s) {
  const auto at = text.find("help: here: ");
  if (at == std::string::npos) return {};
  auto line = text.substr(at + 12, text.find('\n', at) - at - 12);
  if (!s.say.empty()) line.resize(line.size() - s.say.size() - 3);  // " (...)"
  return line;
}

/// The place with what the proposed line replaces taken out of it.
std::string opened(std::string network, const Spelling& s) {
  const std::string key(s.right.substr(0, s.right.find(':')));
  if (s.of != Spelling::Of::key) return network;
  const auto erase = [&](const std::string& what) {
    if (const auto at = network.find(what); at != std::string::npos) network.erase(at, what.size());
  };
  if (key == "duration") erase("duration: 1 s\n");
  if (key.starts_with("fixed_") || key.starts_with("pairwise_")) erase("fixed_indegree: 1, ");
  if (key == "populations") return "spinet: 1\nduration: 1 s\n@\n";
  if (key == "projections") network.replace(network.find("size: 2"), 7, "size: 100");
  std::size_t nearest = std::string::npos, length = 0;
  for (const char* given :
       {"model: lif_exp, ", "size: 2, ", "from: exc, ", "to: exc, ", "connect: all_to_all, ",
        "synapse: {model: static, delay: 1 ms}, ", "model: static, ", "fixed_indegree: 1, ",
        "population: exc, ", "variable: V, ", "every: 1 ms, "}) {
    const std::string g(given);
    const auto at = g.starts_with(key + ":") ? network.rfind(g, network.find("@")) : std::string::npos;
    if (at != std::string::npos && (nearest == std::string::npos || at > nearest))
      nearest = at, length = g.size();
  }
  if (nearest != std::string::npos)
    network.erase(nearest, length);  // the one of the map that the line stands in
  return network;
}

}  // namespace

TEST_CASE("names of other simulators: whole messages") {
  std::string all;
  for (const auto& s : spellings()) {
    std::string line;
    const auto where = places(s, line);
    INFO(s.given << ": " << s.right << s.say);
    REQUIRE_FALSE(where.empty());  // a row that never answers
    all += message(with(where[0], line)) + "\n";
  }
  const char* const path = CASES "/spellings.txt";
  if (std::getenv("SPINET_REGENERATE")) std::ofstream(path) << all;
  std::ifstream in(path);
  std::ostringstream expected;
  expected << in.rdbuf();
  CHECK(all == expected.str());
  CHECK(spellings().size() >= 40);
}

TEST_CASE("names of other simulators: the line proposed has the value that was given, and is right") {
  int loaded = 0;
  for (const auto& s : spellings()) {
    if (s.right.empty()) continue;
    std::string line;
    const auto where = places(s, line);
    REQUIRE_FALSE(where.empty());
    const auto right = proposed(message(with(where[0], line)), s);
    INFO(line << " -> " << right);
    REQUIRE_FALSE(right.empty());
    if (right.find("...") != std::string::npos) continue;  // it leaves the value open
    if (s.right.find('@') != std::string_view::npos) CHECK(right.find(sample(s)) != std::string::npos);
    const auto network = with(where[0], right);
    INFO(network);
    CHECK(message(network) == "");
    ++loaded;
  }
  CHECK(loaded > 60);
}

TEST_CASE("help holds no value that nobody gave") {
  const auto helps = [](const std::string& text) {
    std::string all;
    for (auto at = text.find("help: "); at != std::string::npos; at = text.find("help: ", at + 1))
      all += text.substr(at + 6, text.find('\n', at) - at - 6) + "\n";
    return all;
  };
  const std::string projection =
      "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 100}\nprojections:\n"
      "  p: {from: exc, to: exc, @, synapse: {model: static, weight: 1 pA, delay: 1 ms}}\n";
  CHECK(helps(message(with(projection, "rule: all_to_all"))) == "here: connect: all_to_all\n");
  CHECK(helps(message(with(projection, "conn_spec: {rule: one_to_one}"))) == "here: connect: one_to_one\n");
  CHECK(helps(message(with(projection, "conn_spec: AllToAllConnector"))) == "here: connect: all_to_all\n");
  CHECK(helps(message(with(projection, "rule: pairwise_bernoulli, p: 0.3"))) ==
        "here: connect: {pairwise_bernoulli: 0.3}\nhere: connect: {pairwise_bernoulli: 0.3}\n");
  CHECK(helps(message(with(projection, "conn_spec: {rule: fixed_indegree, indegree: 3}"))) ==
        "here: connect: {fixed_indegree: 3}\n");
  CHECK(helps(message(with(projection, "rule: fixed_indegree"))) == "here: connect: {fixed_indegree: ...}\n");
  CHECK(helps(message(with(projection, "connect: fixed_indegree"))) ==
        "here: connect: {fixed_indegree: ...}\n");
  CHECK(helps(message(with(projection, "connect: {rule: FixedProbabilityConnector, p: 0.3}"))) ==
        "here: connect: {pairwise_bernoulli: 0.3}\n");
  const std::string cell =
      "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2, params: {@}}\n";
  CHECK(helps(message(with(cell, "I_e: 10 pA"))) == "here: I_dc: 10 pA\n");
  CHECK(helps(message(with(cell, "threshold: v > -50*mV"))) ==
        "here: v_th: ...\n");  // an equation is no value
  CHECK(helps(message(with(cell, "i_offset: 0.1"))).starts_with("here: I_dc: ...\n"));  // nA elsewhere
  const std::string connect = with(projection, "connect: {@}");
  CHECK(helps(message(with(connect, "fixed_indegree: 3, allow_autapses: False")))
            .starts_with("here: autapses: false\n"));
  const auto symmetric = message(with(connect, "rule: symmetric_pairwise_bernoulli, p: 0.1"));
  CHECK(symmetric.find("error:") == symmetric.rfind("error:"));
  const std::string population = "spinet: 1\nduration: 1 s\npopulations:\n  exc: {size: 2, @}\n";
  CHECK(helps(message(with(population, "model_template: \"nest:iaf_psc_alpha\"")))
            .starts_with("here: model: lif_alpha"));
  CHECK(helps(message(with(population, "model_template: \"ctdb:cell.hoc\"")))
            .starts_with("here: model: ...\n"));
  CHECK(helps(message(with(population, "model: lif_exp, dynamics_params: a.json")))
            .starts_with("here: params: ... ("));
  const std::string top = "spinet: 1\npopulations:\n  exc: {model: lif_exp, size: 2}\n@\n";
  CHECK(helps(message(with(top, "tstop: 100"))).starts_with("here: duration: 100 ms\n"));
  CHECK(helps(message(with(top, "duration: 1 s\ntstop: 100"))) ==
        "'duration' is given already, and means the same: leave 'tstop' out\n");
  CHECK(helps(message(with(cell, "g_L: 10 nS"))) ==
        "the leak conductance follows from two parameters, C_m / tau_m\n");
  CHECK(helps(message(with(cell, "V_m: -60 mV"))) ==
        "it is a variable; at t = 0 by initial: {V: -60 mV}, beside 'params'\n");
}

TEST_CASE("a short name is taken for another only where the dimension of its value is right") {
  const std::string cell =
      "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2, params: {@}}\n";
  const auto wrong = message(with(cell, "g_E: 10 nS"));  // one edit from E_L, which is a voltage
  CHECK(wrong.find("did you mean") == std::string::npos);
  CHECK(wrong.find("error:") == wrong.rfind("error:"));
  CHECK(message(with(cell, "E_K: -60 mV")).find("did you mean 'E_L'?") != std::string::npos);
  CHECK(message(with(cell, "E_K: -60")).find("did you mean 'E_L'?") != std::string::npos);
  CHECK(message(with(cell, "tau_syn_ecx: 1 mV")).find("'tau_syn_exc' must be a time") !=
        std::string::npos);  // a long one is sure
}

TEST_CASE("units written out, with the number that was given") {
  const std::string cell =
      "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2, params: {@}}\n";
  for (const auto& [given, right] : {std::pair<std::string, std::string>{"tau_m: 0.01 second", "0.01 s"},
                                     {"v_th: -50 millivolt", "-50 mV"},
                                     {"v_th: -0.05 volts", "-0.05 V"},
                                     {"I_dc: 0.3 nanoamperes", "0.3 nA"},
                                     {"C_m: 250 pfarad", "250 pF"},
                                     {"tau_m: 10000 usec", "10000 us"},
                                     {"tau_m: 25*ms", "25 ms"},
                                     {"tau_m: 25*msecond", ""},
                                     {"tau_m: =2*0.01 second", "0.01 s"}}) {
    const auto text = message(with(cell, given));
    INFO(text);
    if (right.empty()) CHECK(text.find("here: ") == std::string::npos);
    else CHECK(text.find("help: here: " + right + "\n") != std::string::npos);
  }
}

TEST_CASE("a rule and its number apart, as NEST has them") {
  for (const auto& [given, right] :
       {std::pair<std::string, std::string>{"{rule: fixed_indegree, indegree: 3}", "{fixed_indegree: 3}"},
        {"{rule: fixed_outdegree, outdegree: 4}", "{fixed_outdegree: 4}"},
        {"{rule: fixed_total_number, N: 5}", "{fixed_total_number: 5}"},
        {"{rule: pairwise_bernoulli, p: 0.1}", "{pairwise_bernoulli: 0.1}"}}) {
    const auto name = given.substr(7, given.find(',') - 7);
    const auto text = message(with(rule_network, "connect: " + given));
    CHECK(text.find("error: rule '" + name + "' needs a value\n") != std::string::npos);
    CHECK(text.find("   help: here: connect: " + right + "\n") != std::string::npos);
    CHECK(text.find("error:") == text.rfind("error:"));  // and nothing else
    CHECK(message(with(rule_network, "connect: " + right)) == "");
  }
}

TEST_CASE("a part of a population without quotes") {
  for (const auto& [line, part, column] :
       {std::tuple<std::string, std::string, int>{"from: exc[0:10], to: exc", "exc[0:10]", 19},
        {"from: [exc[5], exc[7:]], to: exc", "exc[5]", 20},
        {"from: exc, to: exc[:7]", "exc[:7]", 28}}) {
    const auto text = message(
        "spinet: 1\nduration: 1 s\npopulations: {exc: {model: lif_exp, size: 100}}\nprojections:\n  project: "
        "{" +
        line + ", connect: all_to_all, synapse: {model: static, delay: 1 ms}}\n");
    INFO(text);
    CHECK(text.starts_with(fmt::format(
        "x.yaml:5:{}: error: YAML syntax: inside '{{' or '[' a part of a population must be in quotes\n",
        column)));
    CHECK(text.find(std::string(part.size(), '^') + "\n   help: \"" + part + "\"\n") != std::string::npos);
  }
}

TEST_CASE("all parts of populations without quotes are named, and the other errors of the file") {
  const auto text = message(
      "spinet: 1\nduration: 1 s\npopulations: {a: {model: lif_exp, size: 10, sise: 3}, b: {model: lif_exp, "
      "size: 10}}\nprojections:\n"
      "  p: {from: a[0:5], to: b[0:5], connect: one_to_one, synapse: {model: static, delay: 1 ms}}\n"
      "  q: {from: [a[0], b[:20]], to: b, connect: all_to_all, synapse: {model: static, weight: 3 mV, delay: "
      "1 ms}}\n");
  INFO(text);
  for (const auto* part : {"\"a[0:5]\"", "\"b[0:5]\"", "\"a[0]\"", "\"b[:20]\""})
    CHECK(text.find(std::string("help: ") + part + "\n") != std::string::npos);
  for (const auto* reason :
       {"unknown key 'sise'", "'b[:20]' is not within the 10 neurons", "'weight' must be a current"})
    CHECK(text.find(reason) != std::string::npos);
  std::size_t errors = 0;
  for (auto at = text.find("error:"); at != std::string::npos; at = text.find("error:", at + 1)) ++errors;
  CHECK(errors == 7);
}
