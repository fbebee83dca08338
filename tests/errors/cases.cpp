// Every file in cases/ against the whole message written down beside it.  With SPINET_REGENERATE set in the
// environment the messages are written anew; read the difference before you commit it.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "errors/models.hpp"
#include "network/loader.hpp"

namespace fs = std::filesystem;

static std::string read(const fs::path& p) {
  std::ifstream in(p, std::ios::binary);
  std::ostringstream s;
  s << in.rdbuf();
  return s.str();
}

/// Comment lines at the top may hold "# --set path=value".
static spinet::LoadOptions options_of(const std::string& text) {
  spinet::LoadOptions o;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && line.starts_with("#");) {
    if (line.starts_with("# --set ")) {
      const auto equal = line.find('=');
      o.overrides.emplace_back(line.substr(8, equal - 8), line.substr(equal + 1));
    }
  }
  return o;
}

/// Those of the tests; of the program where the text begins with "# built-in models".
static const spinet::Catalogue& models_of(const std::string& text) {
  static const auto of_tests = spinet::test::test_models();
  static const auto built_in = [] {
    spinet::Catalogue c;
    spinet::add_builtin(c);
    return c;
  }();
  return text.starts_with("# built-in models") ? built_in : of_tests;
}

TEST_CASE("the whole message of every case") {
  fs::current_path(fs::path(CASES));  // so that messages hold plain file names
  int count = 0;
  std::vector<fs::path> files;
  for (const auto& f : fs::directory_iterator("."))
    if (f.path().extension() == ".yaml") files.push_back(f.path().filename());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    INFO(file.string());
    std::string message = "no error\n";
    try {
      auto options = options_of(read(file));
      if (options.memory_limit == 0) options.memory_limit = 8'000'000'000;
      spinet::load(file, models_of(read(file)), options);
    } catch (const spinet::InvalidNetwork& e) {
      message = e.rendered;
      CHECK(std::string(e.what()) == e.rendered);
      CHECK_FALSE(e.diagnostics.empty());
    }
    auto expected = file;
    expected.replace_extension(".expected");
    if (std::getenv("SPINET_REGENERATE")) std::ofstream(expected) << message;
    CHECK(message == read(expected));
    ++count;
  }
  CHECK(count >= 30);
}
