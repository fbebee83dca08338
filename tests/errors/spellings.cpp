// Names of other simulators: each row of the table by its whole message, and the line it proposes put in its place.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "network/loader.hpp"
#include "network/spellings.hpp"

using namespace spinet;

namespace {

/// A network in which `@` stands for a line of the place that a row is about.
const std::string networks[] = {
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\n@\n",                                                        // a section
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\n  x: {model: lif_exp, size: 2, @}\n",                        // a population
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2, params: {@}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2, initial: {@}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nprojections:\n  p: {from: exc, to: exc, connect: all_to_all, synapse: {model: static, delay: 1 ms}, @}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nprojections:\n  p: {from: exc, to: exc, connect: all_to_all, synapse: {model: static, delay: 1 ms, @}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nprojections:\n  p: {from: exc, to: exc, connect: {fixed_indegree: 1, @}, synapse: {model: static, delay: 1 ms}}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nrecord: {@}\n",
    "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nrecord: {reports: {population: exc, variable: V, every: 1 ms, @}}\n",
};
const std::string model_network = "spinet: 1\nduration: 1 s\npopulations:\n  x: {size: 2, @}\n";
const std::string synapse_network = "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 2}\nprojections:\n"
                                    "  p: {from: exc, to: exc, connect: all_to_all, synapse: {@, delay: 1 ms, port: exc}}\n";
const std::string rule_network = "spinet: 1\nduration: 1 s\npopulations:\n  exc: {model: lif_exp, size: 100}\nprojections:\n"
                                 "  p: {from: exc, to: exc, @, synapse: {model: static, delay: 1 ms, port: exc}}\n";
const std::string unit_network = "spinet: 1\nduration: 1 s\npopulations:\n  x: {model: lif_exp, size: 2}\nparameters: {p: @}\n";

const Catalogue& builtin() {
  static const Catalogue all = [] {
    Catalogue c;
    add_builtin(c);
    return c;
  }();
  return all;
}

std::string with(std::string network, const std::string& line) { return network.replace(network.find('@'), 1, line); }

std::string message(const std::string& network) {
  try {
    load_text(network, "x.yaml", builtin());
  } catch (const InvalidNetwork& e) {
    return e.rendered;
  }
  return {};
}

/// The places where the row answers, as networks with the place open; and the line that holds the name.
std::vector<std::string> places(const Spelling& s, std::string& line) {
  const std::string given(s.given);
  line = "model: " + given;
  if (s.of == Spelling::Of::population_model) return {model_network};
  if (s.of == Spelling::Of::synapse_model) return {synapse_network};
  if (s.of == Spelling::Of::rule) return line = "connect: " + given, std::vector{rule_network};
  if (s.of == Spelling::Of::unit) return line = "10 " + given, std::vector{unit_network};
  line = given + ": 1";
  std::vector<std::string> found;
  const std::string help = s.right.empty() ? std::string(s.say) : "here: " + std::string(s.right);
  for (const auto& n : networks)
    if (message(with(n, line)).find(help) != std::string::npos) found.push_back(n);
  return found;
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
  for (const char* given : {"model: lif_exp, ", "size: 2, ", "from: exc, ", "to: exc, ", "connect: all_to_all, ", "synapse: {model: static, delay: 1 ms}, ", "model: static, ", "fixed_indegree: 1, ", "variable: V, ", "every: 1 ms, "}) {
    const std::string g(given);
    const auto at = g.starts_with(key + ":") ? network.rfind(g, network.find("@")) : std::string::npos;
    if (at != std::string::npos && (nearest == std::string::npos || at > nearest)) nearest = at, length = g.size();
  }
  if (nearest != std::string::npos) network.erase(nearest, length);  // the one of the map that the line stands in
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

TEST_CASE("names of other simulators: the line proposed is right") {
  for (const auto& s : spellings()) {
    if (s.right.empty()) continue;
    std::string line;
    const auto where = places(s, line);
    REQUIRE_FALSE(where.empty());
    const auto network = with(opened(where[0], s), std::string(s.right));
    INFO(network);
    CHECK(message(network) == "");
  }
}

TEST_CASE("a rule and its number apart, as NEST has them") {
  for (const auto& [given, right] : {std::pair<std::string, std::string>{"{rule: fixed_indegree, indegree: 3}", "{fixed_indegree: 3}"},
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
  for (const auto& [line, part, column] : {std::tuple<std::string, std::string, int>{"from: exc[0:10], to: exc", "exc[0:10]", 19},
                                           {"from: [exc[5], exc[7:]], to: exc", "exc[5]", 20},
                                           {"from: exc, to: exc[:7]", "exc[:7]", 28}}) {
    const auto text = message("spinet: 1\nduration: 1 s\npopulations: {exc: {model: lif_exp, size: 100}}\nprojections:\n  project: {" + line +
                              ", connect: all_to_all, synapse: {model: static, delay: 1 ms}}\n");
    INFO(text);
    CHECK(text.starts_with(fmt::format("x.yaml:5:{}: error: YAML syntax: inside '{{' or '[' a part of a population must be in quotes\n", column)));
    CHECK(text.find(std::string(part.size(), '^') + "\n   help: \"" + part + "\"\n") != std::string::npos);
  }
}
