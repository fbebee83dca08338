// CSV files as other programs write them, and values in them that cannot be; what is allowed but hardly
// meant.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "errors/models.hpp"
#include "network/loader.hpp"
#include "network/notes.hpp"

using namespace spinet;
using Catch::Matchers::Contains;

namespace {

/// A network with one CSV file, in a folder of its own.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               fmt::format("spinet_csv_{}", reinterpret_cast<std::uintptr_t>(this));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }

  std::string edges(const std::string& csv, const std::string& model = "plain",
                    std::vector<ListedEdge>* found = nullptr) const {
    const auto c = test::test_models();
    std::ofstream(path / "edges.csv", std::ios::binary) << csv;
    std::ofstream(path / "net.yaml")
        << "spinet: 1\nduration: 1 s\npopulations: {a: {model: cell, size: 3}}\nprojections:\n"
           "  p: {from: a, to: a, connect: {list: edges.csv}, synapse: {model: "
        << model << ", delay: 1 ms, port: exc}}\n";
    try {
      const Network n = load(path / "net.yaml", c);
      if (found) *found = n.projections[0].edges;
    } catch (const InvalidNetwork& e) {
      return e.rendered;
    }
    return {};
  }
};

}  // namespace

TEST_CASE("CSV files with marks, line ends and quotes of other programs") {
  const Folder f;
  std::vector<ListedEdge> plain, other;
  REQUIRE(f.edges("source,target,weight\n0,1,2.5\n1,2,3\n", "plain", &plain) == "");
  REQUIRE(plain.size() == 2);
  for (const std::string csv :
       {"\xEF\xBB\xBFsource,target,weight\n0,1,2.5\n1,2,3\n", "source,target,weight\r\n0,1,2.5\r\n1,2,3\r\n",
        "source,target,weight\r0,1,2.5\r1,2,3\r",
        "\"source\",\"target\",\"weight [pA]\"\n\"0\", \"1\" ,\"2.5\"\n1,2,\"3\"\n",
        "\xEF\xBB\xBF"
        "0,1,+2.5\r\n1,2,3",
        "# a comment\n\nsource , target,\tweight\n 0,1 ,2.5\n\n1,2,3\n"}) {
    INFO(csv);
    other.clear();
    CHECK(f.edges(csv, "plain", &other) == "");
    REQUIRE(other.size() == plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i)
      CHECK((other[i].source == plain[i].source && other[i].target == plain[i].target &&
             other[i].weight == plain[i].weight));
  }
  CHECK_THAT(f.edges("source;target\n0;1\n"),
             Contains("is not a CSV file with these columns: source, target, weight, delay"));
  CHECK_THAT(f.edges("source,target\n\"0,1\n"), Contains(":2:1: error: '\"0' is not a finite number"));
  CHECK_THAT(f.edges("source,target\n0,\"1\"2\n"), Contains("is not a finite number"));
}

TEST_CASE("numbers of CSV files that cannot be") {
  const Folder f;
  for (const auto& [cell, reason] :
       {std::pair<std::string, std::string>{"0,1,nan", "'nan' is not a finite number"},
        {"0,1,1e999", "'1e999' is not a finite number"},
        {"0,1,1e-400", "'1e-400' is too small for a floating-point number"},
        {"0,1,1e39", "'weight' must be from -3.4028e+38 to 3.4028e+38 pA; it is 1e+39 pA"},
        {"-1,1,1", "there is no source -1; there are 3, counted from 0"},
        {"1.7,1,1", "there is no source 1.7; there are 3, counted from 0"},
        {"0,3,1", "there is no target 3; there are 3, counted from 0"},
        {"0,1e30,1", "there is no target 1e+30; there are 3, counted from 0"}}) {
    const auto message = f.edges("source,target,weight\n" + cell + "\n");
    INFO(message);
    CHECK_THAT(message, Contains(reason));
    CHECK_THAT(message, Contains("edges.csv:2:"));
  }
  CHECK_THAT(f.edges("source,target,weight\n0,1,1.5\n", "valve"),
             Contains("'u' must be from 0 to 1; it is 1.5"));
}

TEST_CASE("the caret of a CSV file is under the cell to blame") {
  const Folder f;
  for (const auto& [row, column, length] : {std::tuple<std::string, int, int>{"  9,1,2.5", 3, 1},
                                            {"0, 77,2.5", 4, 2},
                                            {"0,1,1e39", 5, 4},
                                            {"0,1,-2", 5, 2}}) {
    const auto message = f.edges("source,target,weight\n" + row + "\n");
    INFO(message);
    CHECK_THAT(message, Contains(fmt::format("edges.csv:2:{}: error", column)));
    CHECK_THAT(message, Contains(" | " + std::string(static_cast<std::size_t>(column - 1), ' ') +
                                 std::string(static_cast<std::size_t>(length), '^') + "\n"));
  }
}

TEST_CASE("more synapses of a pair than a model that draws can tell apart are an error of the list") {
  Catalogue c;
  add_builtin(c);
  const auto text = [&](const std::string& model, int count) {
    std::string rows;
    for (int i = 0; i < count; ++i) rows += "[0, 1], ";
    try {
      load_text(
          "spinet: 1\nduration: 1 s\npopulations: {a: {model: lif_exp, size: 3}}\nprojections:\n  p: {from: "
          "a, to: a, connect: {list: [" +
              rows + "[1, 0]]},\n      synapse: {model: " + model + ", delay: 1 ms}}\n",
          "x.yaml", c);
    } catch (const InvalidNetwork& e) {
      return e.rendered;
    }
    return std::string();
  };
  std::string draws, plain;
  for (const auto& e : c.all())
    if (e.model->kind == Kind::synapse)
      (reinterpret_cast<const SynapseTable*>(e.model)->draws ? draws : plain) = e.model->name;
  REQUIRE_FALSE(draws.empty());
  CHECK_THAT(text(draws, 257),
             Contains("x.yaml:5:39: error: more than 256 synapses from source 0 to target 1 with one delay"));
  CHECK(text(draws, 256).find("more than 256") == std::string::npos);
  CHECK(text("static", 257) == "");
}

TEST_CASE("texts with escapes that are no characters") {
  const auto refusal = [](const std::string& value) {
    try {
      load_text(
          "spinet: 1\nduration: 1 s\npopulations: {a: {model: cell, size: 3}}\ndescription: " + value + "\n",
          "x.yaml", test::test_models());
    } catch (const InvalidNetwork& e) {
      return e.rendered;
    }
    return std::string();
  };
  CHECK(refusal("\"\\u03bc \\u20ac \\U0001F600 \\t\"") == "");
  for (const char* bad : {"\"\\ud800\"", "\"a\\udfff\"", "\"\\ud83d\\ude00\"", "\"\\U00110000\""}) {
    INFO(bad);
    const auto message = refusal(bad);
    CHECK_THAT(message, Contains("x.yaml:4:"));
    for (const unsigned char c : message) CHECK(c < 0x80 + 0x80 * (c >= 0xC2));  // and the message is text
  }
  CHECK_THAT(
      refusal("\"a \\ud83d\\ude00\""),
      Contains("two escapes, as in JSON") && Contains("help: write the character itself, or \\U0001F600"));
  CHECK_THAT(refusal("\"\\x1b[2J\""), Contains("holds the control character 0x1B"));
  CHECK_THAT(refusal("\"\\0\""), Contains("holds the control character 0x00"));
  for (const char* raw : {"\xed\xa0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xc0\x80"})
    CHECK_THAT(refusal(raw), Contains("does not belong into a text"));
}

TEST_CASE("notes: pulses that disturb the other devices of a crossbar") {
  Catalogue c;
  add_builtin(c);
  const auto all = [&](const std::string& pulse, const std::string& model = "spin_valve") {
    return notes(
        load_text("spinet: 1\nduration: 10 s\npopulations:\n  a: {model: lif_delta, size: 4}\nprojections:\n"
                  "  d: {from: a, to: a, connect: all_to_all, layout: crossbar, synapse: {model: " +
                      model + ", delay: 1 ms}}\nschedule:\n  - {at: 2 s, " + pulse + "}\n",
                  "x.yaml", c));
  };
  const std::string at = ", width: 5 ms}, to: d, rows: 0, columns: 1";
  using Notes = std::vector<std::string>;
  CHECK(all("pulse: {amplitude: 2.4 V" + at) == Notes{});
  CHECK(
      all("pulse: {amplitude: 2.5 V" + at) ==
      Notes{"a pulse on 'd' at 2 s disturbs devices that it does not address: they feel 1.25 V, beyond their "
            "threshold (V_th) of 1.2 V"});
  CHECK(
      all("pulse: {amplitude: -3 V" + at) ==
      Notes{"a pulse on 'd' at 2 s disturbs devices that it does not address: they feel -1.5 V, beyond their "
            "threshold (V_th) of -1.2 V"});
  CHECK(all("pulse: {amplitude: 3.6 V" + at + ", scheme: third") == Notes{});
  CHECK(all("pulse: {amplitude: 4 V" + at + ", scheme: third").size() == 2);  // of either sign
  CHECK(all("pulse: {amplitude: 4 V" + at + ", scheme: none") == Notes{});
  CHECK(all("pulse: {amplitude: 4 V, width: 5 ms}, to: d") == Notes{});  // all are addressed
  CHECK(all("pulse: {amplitude: {from: 1 V, to: 3 V}, count: 3, period: 10 ms" + at).size() == 1);
  CHECK(all("pulse: {amplitude: 2.5 V" + at, "spin_valve, V_th: 1.25 V") == Notes{});
  // Drawn thresholds: the share of devices, Phi(-0.5) of a normal distribution, a quarter of a uniform one.
  const std::string drawn =
      "a pulse on 'd' at 2 s disturbs devices that it does not address: they feel 1.15 V, "
      "beyond the threshold (V_th, drawn around 1.2 V) of ";
  CHECK(all("pulse: {amplitude: 2.3 V" + at, "spin_valve, V_th: {normal: {mean: 1.2 V, sd: 0.1 V}}") ==
        Notes{drawn + "31 % of them"});
  CHECK(all("pulse: {amplitude: 2.3 V" + at, "spin_valve, V_th: {uniform: {low: 1.1 V, high: 1.3 V}}") ==
        Notes{drawn + "25 % of them"});
  CHECK(all("pulse: {amplitude: 2.3 V" + at,
            "spin_valve, V_th: {normal: {mean: 1.2 V, sd: 0.1 V, min: 1.15 V}}") == Notes{});
  CHECK(all("pulse: {amplitude: 1.4 V" + at, "spin_valve, V_th: {normal: {mean: 1.2 V, sd: 0.1 V}}") ==
        Notes{});
}

TEST_CASE("notes: environments without wires, times that the run does not reach") {
  Catalogue c;
  add_builtin(c);
  const std::string head =
      "spinet: 1\nduration: 1 s\npopulations:\n  task: {model: pattern_task, size: 3, patterns: [{in: [0, "
      "1], out: [1, 0]}]}\n  n: {model: stochastic_binary, size: 3}\n";
  const auto all = [&](const std::string& projections) {
    return notes(load_text(head + projections, "x.yaml", c));
  };
  const auto wire = [](const std::string& name, const std::string& from, const std::string& to,
                       const std::string& more) {
    return "  " + name + ": {from: " + from + ", to: " + to +
           ", connect: all_to_all, synapse: {model: static, weight: 1, delay: 1 ms" + more + "}}\n";
  };
  const std::string out = wire("out", "task", "n", ", port: in"),
                    in = wire("back", "n", "task", ", port: answer"),
                    critic = wire("critic", "n", "task", ", port: expected");
  const std::string p = "projections:\n";
  using Notes = std::vector<std::string>;
  CHECK(all(p + out + in) == Notes{});
  CHECK(all("") == Notes{"environment 'task' is connected to nothing"});
  CHECK(all(p + out) ==
        Notes{"environment 'task' hears no answers: no projection reaches its port 'answer'"});
  CHECK(all(p + out + critic) ==
        Notes{"environment 'task' hears no answers: no projection reaches its port 'answer'"});
  CHECK(all(p + in) == Notes{"environment 'task' shows its patterns to nobody: no projection is from it"});
  CHECK(all(p + wire("out", "\"task[1:]\"", "n", ", port: in") +
            wire("back", "n", "\"task[0]\"", ", port: answer")) ==
        Notes{"environment 'task': no projection is from member 0",
              "environment 'task': no projection reaches member 1 at port 'answer', where an answer is "
              "expected"});
  const std::string record = "record: {weights: [{projection: out, at: [0 s, 999 ms, TIMES]}]}\n";
  const auto at = [&](const std::string& times) {
    auto r = record;
    return all(p + out + in + r.replace(r.find("TIMES"), 5, times));
  };
  CHECK(at("0.5 s") == Notes{});
  CHECK(at("1 s") == Notes{"weights of 'out' at 1 s are not logged: the run ends before, at 1 s"});
  CHECK(at("1 s, 2 s") ==
        Notes{"weights of 'out' at 1 s and later are not logged: the run ends before, at 1 s"});
}
