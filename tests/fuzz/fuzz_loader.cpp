// 10,000 mutants of the shipped networks: bytes flipped, pieces cut, doubled and moved, tokens of one file
// put into another.  Each is loaded or refused with a message; what is loaded keeps every promise of
// checked.hpp (load() checks that itself and throws std::logic_error otherwise).
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "errors/models.hpp"
#include "network/check.hpp"
#include "network/estimate.hpp"
#include "network/graph.hpp"
#include "network/loader.hpp"
#include "spinet/random.hpp"

namespace fs = std::filesystem;
using namespace spinet;

namespace {

/// SPINET_MUTANTS in the environment asks for more.
std::uint64_t mutants() {
  const char* more = std::getenv("SPINET_MUTANTS");
  return more ? std::stoull(more) : 10'000;
}

/// Numbers of one mutant, from its index alone.
class Draws {
 public:
  explicit Draws(std::uint64_t mutant) : mutant_(mutant) {}
  std::size_t below(std::size_t n) { return n ? draw({2026, 1}, mutant_, counter_++)[0] % n : 0; }

 private:
  std::uint64_t mutant_, counter_ = 0;
};

struct Sample {
  fs::path file;
  std::string text;
  std::vector<std::string> tokens;
};

std::vector<std::string> tokens_of(const std::string& text) {
  std::vector<std::string> tokens;
  std::string word;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.') {
      word += c;
      continue;
    }
    if (!word.empty()) tokens.push_back(word);
    word.clear();
    tokens.emplace_back(1, c);
  }
  if (!word.empty()) tokens.push_back(word);
  return tokens;
}

std::vector<Sample> samples() {
  std::vector<Sample> all;
  for (const fs::path& root : {fs::path(SAMPLES), fs::path(NETWORKS)}) {
    if (!fs::exists(root)) continue;
    for (const auto& f : fs::recursive_directory_iterator(root)) {
      const std::string name = f.path().stem().string();
      if (f.path().extension() != ".yaml" || f.file_size() > 200'000) continue;
      if (name.starts_with("expected") || name == "digests") continue;  // no networks
      std::ifstream in(f.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      all.push_back({f.path(), text.str(), tokens_of(text.str())});
    }
  }
  std::sort(all.begin(), all.end(), [](const Sample& a, const Sample& b) { return a.file < b.file; });
  return all;
}

std::string mutate(const std::vector<Sample>& all, const Sample& s, Draws& d) {
  static const std::vector<std::string> odd{
      "nan",   "-1",    "0",    "1e18", "1e308", "-0.0",     "<<",
      "*a",    "&a ",   "{",    "}",    "[",     "]",        ": ",
      "- ",    "? ",    "\n",   "\t",   "\"",    "'",        "!!int",
      "|",     "#",     "$g",   "=1/0", "=g*J",  "true",     "null",
      "~",     "---\n", "1 ms", "0 ms", "-5 mV", "%",        "1 kOe",
      "[0:1]", "0..5",  "all",  "like", "\xff",  "\xc3\xa9", std::string(1, '\0')};
  if (d.below(2) == 0) {  // bytes
    std::string t = s.text;
    for (std::size_t k = 1 + d.below(1 + d.below(6)); k > 0 && !t.empty(); --k) {
      const std::size_t at = d.below(t.size());
      switch (d.below(5)) {
        case 0:
          t[at] = static_cast<char>(t[at] ^ (1 << d.below(8)));
          break;
        case 1:
          t[at] = static_cast<char>(32 + d.below(95));
          break;
        case 2:
          t.erase(at, 1 + d.below(20));
          break;
        case 3:
          t.insert(at, t.substr(d.below(t.size()), 1 + d.below(40)));
          break;
        default:
          t.insert(at, odd[d.below(odd.size())]);
          break;
      }
    }
    return t;
  }
  auto t = s.tokens;
  for (std::size_t k = 1 + d.below(1 + d.below(6)); k > 0 && !t.empty(); --k) {
    const std::size_t at = d.below(t.size());
    const auto& other = all[d.below(all.size())].tokens;
    switch (d.below(6)) {
      case 0:
        t[at] = other[d.below(other.size())];
        break;
      case 1:
        t[at] = odd[d.below(odd.size())];
        break;
      case 2:
        std::swap(t[at], t[d.below(t.size())]);
        break;
      case 3:
        t.erase(t.begin() + static_cast<std::ptrdiff_t>(at),
                t.begin() + static_cast<std::ptrdiff_t>(std::min(t.size(), at + 1 + d.below(6))));
        break;
      case 4: {
        const std::size_t from = d.below(other.size()), n = std::min(other.size() - from, 1 + d.below(30));
        t.insert(t.begin() + static_cast<std::ptrdiff_t>(at),
                 other.begin() + static_cast<std::ptrdiff_t>(from),
                 other.begin() + static_cast<std::ptrdiff_t>(from + n));
        break;
      }
      default:
        t.insert(t.begin() + static_cast<std::ptrdiff_t>(at), odd[d.below(odd.size())]);
        break;
    }
  }
  std::string text;
  for (const auto& x : t) text += x;
  return text;
}

}  // namespace

TEST_CASE("mutants of the networks are loaded or refused") {
  auto models = test::test_models();
  {
    Catalogue builtin;  // the test models go first: none has the name of a built-in
    add_builtin(builtin);
    for (const auto& e : builtin.all()) models.add(e.model, e.origin);
  }
  const auto all = samples();
  REQUIRE(all.size() >= 3);

  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4ull << 30);
  setrlimit(RLIMIT_AS, &limit);

  const std::uint64_t count = mutants();
  std::uint64_t loaded = 0, refused = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Draws d(i);
    const auto& s = all[i % all.size()];
    const auto text = i < all.size() ? s.text : mutate(all, s, d);
    LoadOptions options;
    options.memory_limit = 64'000'000'000;
    options.data_root = s.file.parent_path();
    options.read_sonata = [](const fs::path&, const std::string&) -> std::vector<FileSpike> {
      throw std::runtime_error("not here");
    };
    const std::clock_t begin = std::clock();  // of this process: the machine may be busy
    try {
      const auto n = load_text(text, "mutant.yaml", models, options);
      ++loaded;
      if (!first_fault(n).empty()) FAIL("mutant " << i << ": " << first_fault(n));
      if (describe(n, estimate(n)).empty() || dot(n).empty()) FAIL("mutant " << i << " has no description");
    } catch (const InvalidNetwork& e) {
      ++refused;
      if (e.diagnostics.empty() || e.rendered.find("error: ") == std::string::npos)
        FAIL("mutant " << i << " is refused without a reason");
      for (const auto& x : e.diagnostics)
        if (x.line > 0 && x.caret > x.source_line.size() + 1)
          FAIL("mutant " << i << " has its caret off the line: " << e.rendered);
      if (i < all.size()) FAIL(s.file << " itself is refused:\n" << e.rendered);
    } catch (const std::exception& e) {
      FAIL("mutant " << i << " of " << s.file << ": " << e.what() << "\n" << text);
    }
    if (std::clock() - begin > 10 * CLOCKS_PER_SEC) FAIL("mutant " << i << " takes too long\n" << text);
  }
  std::cout << loaded << " mutants loaded, " << refused << " refused\n";
  CHECK(loaded > 100);
  CHECK(refused > 1000);
}
