// Input made to break a reader: each gets a message, quickly, before memory is taken.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "errors/models.hpp"
#include "network/loader.hpp"

using namespace spinet;

namespace {

std::string refusal(const std::string& text, std::uint64_t memory = 8'000'000'000) {
  const auto c = test::test_models();
  LoadOptions o;
  o.memory_limit = memory;
  const std::clock_t begin = std::clock();  // of this process: the machine may be busy
  std::string message;
  try {
    load_text(text, "hostile.yaml", c, o);
  } catch (const InvalidNetwork& e) {
    message = e.rendered;
  }
  CHECK(std::clock() - begin < 20 * CLOCKS_PER_SEC);
  return message;
}

std::string times(const std::string& s, std::size_t n) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) all += s;
  return all;
}

const std::string head = "spinet: 1\nduration: 1 s\n";
const std::string one = head + "populations:\n  a: {model: cell, size: 10}\n";

}  // namespace

using Catch::Matchers::Contains;

TEST_CASE("deep nesting is refused before it is followed") {
  for (const std::size_t depth : {100u, 10'000u, 1'000'000u}) {
    CHECK_THAT(refusal("a: " + times("[", depth)), Contains("levels of nesting"));
    CHECK_THAT(refusal("a: " + times("{a: ", depth)), Contains("levels of nesting"));
    CHECK_THAT(refusal(times("- ", depth) + "1"), Contains("levels of nesting"));
    CHECK_FALSE(refusal(times("? ", depth) + "1").empty());
  }
  std::string stairs;
  for (int i = 0; i < 3000; ++i) stairs += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK_THAT(refusal(stairs), Contains("levels of nesting"));
}

TEST_CASE("nested expressions are refused") {
  CHECK_THAT(refusal(one + "parameters: {x: \"=" + times("(", 100'000) + "1\"}"),
             Contains("nested too deeply"));
  CHECK_THAT(refusal(one + "parameters: {x: \"=" + times("sqrt(", 100'000) + "1\"}"),
             Contains("nested too deeply"));
  CHECK_THAT(refusal(one + "parameters: {x: \"=" + times("2^", 100'000) + "1\"}"),
             Contains("nested too deeply"));
  CHECK_THAT(refusal(one + "parameters: {x: \"=" + times("-", 100'000) + "1 mV\", y: =x+1}"),
             Contains("cannot be added"));
}

TEST_CASE("a long chain of parameters does not overflow the stack") {
  std::string s = one + "parameters:\n  p0: 1\n";
  for (int i = 1; i < 100'000; ++i) s += fmt::format("  q{}: =q{}+1\n", 100'000 - i, 100'001 - i);
  CHECK_THAT(refusal(s), Contains("refer to one another") || Contains("unknown parameter"));
}

TEST_CASE("many unknown names cost no time in suggestions") {
  std::string s = one + "parameters:\n";
  for (int i = 0; i < 100'000; ++i) s += fmt::format("  p{}: =missing{}\n", i, i);
  CHECK_THAT(refusal(s), Contains("unknown parameter") && Contains("only the first 200 errors"));
}

TEST_CASE("alias bombs are refused") {
  std::string s = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 30; ++i) {
    const auto p = fmt::format("*a{}", i - 1);
    s += fmt::format("a{0}: &a{0} [{1}{2}]\n", i, p, times(", " + p, 9));
  }
  CHECK_THAT(refusal(s), Contains("aliases unfold to more than 100000 values"));
  CHECK_THAT(refusal("a: &a [*a]"), Contains("inside the value it stands for"));
  CHECK_THAT(refusal("a: &a {b: *a}"), Contains("inside the value it stands for"));
  // Depth by aliases.
  std::string deep = "a0: &a0 [1]\n";
  for (int i = 1; i < 200; ++i) deep += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
  CHECK_THAT(refusal(deep), Contains("levels of nesting"));
  // Anchors inside anchors: every level keeps a copy.
  std::string nested;
  for (int i = 0; i < 60; ++i) nested += fmt::format("&n{} [", i);
  CHECK_FALSE(refusal("a: " + nested + times("1,", 200'000) + "1" + times("]", 60)).empty());
}

TEST_CASE("the bomb of `like`, of lists by parameter, and of ids") {
  std::string s =
      head + "populations:\n  a: {model: listed, size: 1, spikes: [" + times("1 ms,", 100'000) + "1 ms]}\n";
  for (int i = 0; i < 10'000; ++i) s += "  b" + std::to_string(i) + ": {like: a}\n";
  CHECK_THAT(refusal(s), Contains("'like' copies more than"));
  s = head + "parameters: {v: [" + times("-50 mV,", 100'000) + "-50 mV]}\npopulations:\n";
  for (int i = 0; i < 1'000; ++i)
    s += "  b" + std::to_string(i) + ": {model: cell, size: 100001, params: {v_th: $v}}\n";
  CHECK_THAT(refusal(s), Contains("lists unfold to more than"));
  s = head + "populations:\n  a: {model: cell, size: 10000000}\nrecord:\n  reports:\n";
  for (int i = 0; i < 1'000; ++i)
    s += "    - {population: a, variable: V, every: 1 ms, name: r" + std::to_string(i) + "}\n";
  CHECK_THAT(refusal(s), Contains("lists unfold to more than"));
}

TEST_CASE("many values and many errors") {
  CHECK_THAT(refusal("a: [" + times("1,", 3'000'000) + "1]"), Contains("more than 2000000 values"));
  const auto many = refusal(one + times("  b: {model: x, size: 1}\n", 10'000));
  CHECK_THAT(many, Contains("duplicate key 'b'") && Contains("only the first 200 errors"));
  CHECK(many.size() < 100'000);
}

TEST_CASE("sizes that no machine holds are read: what fits is for those to say who know the machines") {
  CHECK_THAT(refusal(head + "populations: {a: {model: cell, size: 1e18}}"),
             Contains("'size' must be a whole number from 1 to 4000000000"));
  CHECK_THAT(refusal(head + "populations: {a: {model: cell, size: 1e300}}"),
             Contains("'size' must be a whole number from 1 to 4000000000"));
  CHECK(refusal(head + "populations: {a: {model: cell, size: 3000000000}}").empty());
  const std::string p =
      "projections: {p: {from: a, to: a, connect: RULE, synapse: {model: plain, weight: 1 pA, delay: 1 "
      "ms}}}\n";
  const auto with = [&](const std::string& rule) {
    auto t = p;
    return head + "populations: {a: {model: cell, size: 1000000}}\n" + t.replace(t.find("RULE"), 4, rule);
  };
  for (const char* rule : {"all_to_all", "{fixed_indegree: 1000000}", "{fixed_total_number: 1e15}",
                           "{pairwise_bernoulli: 0.5}", "one_to_one"})
    CHECK(refusal(with(rule)).empty());
  CHECK_THAT(refusal(with("{fixed_total_number: 1e30}")),
             Contains("must be a whole number from 0 to 9007199254740992"));
}

TEST_CASE("files that are no networks") {
  namespace fs = std::filesystem;
  const auto c = test::test_models();
  const auto folder = fs::temp_directory_path() / "spinet_hostile";
  fs::create_directories(folder);
  const auto message = [&](const fs::path& p) {
    try {
      load(p, c);
    } catch (const InvalidNetwork& e) {
      return e.rendered;
    }
    return std::string();
  };
  CHECK_THAT(message(folder / "none.yaml"), Contains("there is no such file"));
  CHECK_THAT(message(folder), Contains("this is a folder"));
  CHECK_THAT(message("/dev/zero"), Contains("not a regular file"));
  std::ofstream(folder / "empty.yaml").close();
  CHECK_THAT(message(folder / "empty.yaml"), Contains("the file is empty"));
  {
    std::ofstream big(folder / "big.yaml");
    big.seekp(20 << 20);
    big << "x";
  }
  CHECK_THAT(message(folder / "big.yaml"), Contains("too large"));
  std::ofstream(folder / "binary.yaml", std::ios::binary).write("\x89HDF\r\n\x1a\n\0\0", 10);
  CHECK_THAT(message(folder / "binary.yaml"), Contains("is this a binary file?"));
  std::ofstream(folder / "utf16.yaml", std::ios::binary).write("\xff\xfes\0p\0i\0", 8);
  CHECK_THAT(message(folder / "utf16.yaml"), Contains("UTF-8"));
  fs::remove_all(folder);
}

TEST_CASE("long lines, long names, odd characters") {
  const auto m = refusal(one + "x" + times("y", 1'000'000) + ": 1\n");
  CHECK(m.size() < 2'000);
  CHECK_FALSE(refusal(one + "\"\\x1b[31mred\": 1\n").empty());
  CHECK(refusal(one + "\"\\x1b[31mred\": 1\n").find('\x1b') == std::string::npos);
  CHECK_FALSE(refusal("%YAML 9.9\n---\na: 1").empty());
  CHECK_FALSE(refusal("\"").empty());
  CHECK_FALSE(refusal("[").empty());
  CHECK_FALSE(refusal("? ").empty());
  CHECK_FALSE(refusal("&a").empty());
  CHECK_FALSE(refusal("*a").empty());
  CHECK_FALSE(refusal("!<").empty());
  CHECK_FALSE(refusal("|").empty());
  CHECK_FALSE(refusal("...").empty());
  CHECK_FALSE(refusal("---").empty());
}
