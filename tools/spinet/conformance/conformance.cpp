#include "conformance.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "elf.hpp"
#include "network/catalogue.hpp"

namespace spinet {
namespace {

// Functions whose last bit differs between C libraries, or between CPUs with one library.  What is not listed (sqrt,
// fma, floor, fmod, ...) is exact or correctly rounded everywhere.
constexpr std::array inexact = {
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp", "exp10",
    "exp2", "expm1", "hypot", "j0", "j1", "jn", "lgamma", "lgamma_r", "log", "log10", "log1p", "log2", "pow", "sin",
    "sincos", "sinh", "tan", "tanh", "tgamma", "y0", "y1", "yn"};
// Sources of numbers that no other run, rank or restart sees again.
constexpr std::array unrepeatable = {
    "rand", "rand_r", "srand", "random", "srandom", "drand48", "erand48", "lrand48", "time", "clock", "gettimeofday",
    "clock_gettime", "getrandom", "getpid", "_ZNSt13random_device9_M_getvalEv"};

template <std::size_t N>
bool contains(const std::array<const char*, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; });
}

/// exp, expf, expl, and glibc's __exp_finite and vector _ZGVdN4v_exp are all exp.
bool is_inexact(std::string_view name) {
  if (name.starts_with("_ZGV")) {
    const auto underscore = name.find('_', 4);
    if (underscore != std::string_view::npos) name = name.substr(underscore + 1);
  }
  if (name.starts_with("__") && name.ends_with("_finite")) name = name.substr(2, name.size() - 9);
  if (contains(inexact, name)) return true;
  return name.size() > 1 && (name.back() == 'f' || name.back() == 'l') && contains(inexact, name.substr(0, name.size() - 1));
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

void check_imports(const std::filesystem::path& file, const Battery& battery) {
  std::vector<std::string> maths, chance, mpi, all;
  const bool readable = battery.check("its imports can be read", [&]() -> std::string {
    try {
      all = imported_symbols(file);
    } catch (const NotElf& e) {
      return e.what();
    }
    return "";
  });
  if (!readable) return;
  for (const auto& name : all) {
    if (is_inexact(name)) maths.push_back(name);
    if (contains(unrepeatable, std::string_view(name))) chance.push_back(name);
    if (name.starts_with("MPI_")) mpi.push_back(name);
  }
  battery.check("imports no function of libm whose last bit differs between machines", [&]() -> std::string {
    return maths.empty() ? "" : "imports " + listed(maths) + "; spinet/math.hpp has the same functions with the same bits everywhere";
  });
  battery.check("imports nothing that a second run would not see again", [&]() -> std::string {
    return chance.empty() ? "" : "imports " + listed(chance) + "; random numbers come from spinet/random.hpp";
  });
  if (!mpi.empty()) battery.found({"knows nothing of MPI", false, "imports " + listed(mpi)});
}

/// A copy of a file under another name, gone at the end of its life.
class TemporaryCopy {
 public:
  explicit TemporaryCopy(const std::filesystem::path& file) {
    std::string name = (std::filesystem::temp_directory_path() / "spinet-check-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a folder in " + std::filesystem::temp_directory_path().string());
    folder_ = name;
    std::error_code none;  // a file that cannot be read is refused by whoever loads it, with its name
    std::filesystem::copy_file(file, path(), none);
    readable_ = !none;
  }
  ~TemporaryCopy() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryCopy(const TemporaryCopy&) = delete;
  TemporaryCopy& operator=(const TemporaryCopy&) = delete;
  std::filesystem::path path() const { return folder_ / "copy.so"; }
  bool readable() const { return readable_; }

 private:
  bool readable_ = false;
  std::filesystem::path folder_;
};

}  // namespace

void check_plugin(const std::filesystem::path& file, const Battery& battery) {
  Catalogue first, second;
  const TemporaryCopy copy(file);
  if (!copy.readable()) return void(Catalogue{}.load(file));  // throws, and says why
  // What is wrong with a table ends the check at once: nothing else can be tried.
  const char* const sound = "its table is sound: version, sizes, names, units, defaults in range, fields inside their structs";
  if (battery.begins) battery.begins(sound);
  first.load(file);
  second.load(copy.path());
  battery.found({sound, true, ""});
  const Model& model = *first.all().front().model;
  const Model& restarted = *second.all().front().model;
  check_imports(file, battery);
  switch (model.kind) {
    case Kind::neuron: return check_neuron(reinterpret_cast<const NeuronTable&>(model), reinterpret_cast<const NeuronTable&>(restarted), battery);
    case Kind::synapse: return check_synapse(reinterpret_cast<const SynapseTable&>(model), reinterpret_cast<const SynapseTable&>(restarted), battery);
    case Kind::source: return check_source(reinterpret_cast<const SourceTable&>(model), reinterpret_cast<const SourceTable&>(restarted), battery);
  }
}

}  // namespace spinet
