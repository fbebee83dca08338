#include "conformance.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string_view>

#include "elf.hpp"
#include "network/catalogue.hpp"

namespace spinet {
namespace {

// Functions whose last bit differs between C libraries, or between CPUs with one library.  What is not listed
// (sqrt, fma, floor, fmod, ...) is exact or correctly rounded everywhere.
constexpr std::array inexact = {"acos",   "acosh", "asin", "asinh", "atan",   "atan2",    "atanh", "cbrt",
                                "cos",    "cosh",  "erf",  "erfc",  "exp",    "exp10",    "exp2",  "expm1",
                                "hypot",  "j0",    "j1",   "jn",    "lgamma", "lgamma_r", "log",   "log10",
                                "log1p",  "log2",  "pow",  "sin",   "sincos", "sinh",     "tan",   "tanh",
                                "tgamma", "y0",    "y1",   "yn"};
// Sources of numbers that no other run, rank or restart sees again.
constexpr std::array unrepeatable = {
    "rand",         "rand_r",        "srand",     "random", "srandom",
    "drand48",      "erand48",       "lrand48",   "time",   "clock",
    "gettimeofday", "clock_gettime", "getrandom", "getpid", "_ZNSt13random_device9_M_getvalEv"};

// What allocates or throws: memory is the engine's, and an exception takes some.  Names that begin so.
constexpr std::array allocating = {"_Znw",          "_Zna",
                                   "_Zdl",          "_Zda",
                                   "malloc",        "calloc",
                                   "realloc",       "free",
                                   "aligned_alloc", "posix_memalign",
                                   "memalign",      "strdup",
                                   "mmap",          "sbrk",
                                   "brk",           "__cxa_allocate_exception",
                                   "__cxa_throw",   "_ZSt17rethrow_exception"};
// What prints, reads files or asks the surroundings; streams by the names of their classes.
constexpr std::array outside = {
    "puts",           "fputs",           "putchar",       "putc",           "fputc",
    "printf",         "vprintf",         "fprintf",       "vfprintf",       "dprintf",
    "__printf_chk",   "__fprintf_chk",   "__vprintf_chk", "__vfprintf_chk", "__dprintf_chk",
    "fwrite",         "write",           "writev",        "perror",         "syslog",
    "fopen",          "fopen64",         "open",          "open64",         "openat",
    "read",           "fread",           "fgets",         "getc",           "fgetc",
    "getchar",        "scanf",           "fscanf",        "__isoc99_scanf", "__isoc99_fscanf",
    "__isoc23_scanf", "__isoc23_fscanf", "stdout",        "stderr",         "stdin",
    "getenv",         "secure_getenv",   "system",        "popen",          "fork",
    "sleep",          "usleep",          "nanosleep",     "socket"};
constexpr std::array streams = {"_ZSo",      "_ZNSo",     "_ZNKSo",    "_ZSi",     "_ZNSi",
                                "_ZSt4cout", "_ZSt4cerr", "_ZSt4clog", "_ZSt3cin", "_ZStlsIS"};

template <std::size_t N>
bool begins_with_one(const std::array<const char*, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const char* n) { return name.starts_with(n); });
}
bool is_allocating(std::string_view name) {
  const auto one = [&](const char* n) {
    return n[0] == '_' && n[1] == 'Z' ? name.starts_with(n) : name == n;
  };
  return std::any_of(allocating.begin(), allocating.end(), one);
}
bool is_stream(std::string_view name) {
  return begins_with_one(streams, name) || name.find("basic_ostream") != name.npos ||
         name.find("basic_istream") != name.npos || name.find("basic_ofstream") != name.npos ||
         name.find("basic_ifstream") != name.npos || name.find("basic_filebuf") != name.npos ||
         name.find("__ostream_insert") != name.npos;
}

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
  return name.size() > 1 && (name.back() == 'f' || name.back() == 'l') &&
         contains(inexact, name.substr(0, name.size() - 1));
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

/// Of the functions that make a model's table.
bool is_of_table(std::string_view name) {
  for (const char* begin : {"_ZZN6spinet", "_ZGVZN6spinet"})
    for (const char* kind : {"12neuron_tableI", "13synapse_tableI", "12source_tableI"})
      if (name.starts_with(std::string(begin) + kind)) return true;
  return false;
}

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && text ? text.get() : name;
}

/// What a model keeps elsewhere no checkpoint holds, and no other rank sees.
std::string kept_elsewhere(const std::filesystem::path& file) {
  std::vector<std::string> own;
  try {
    for (const auto& name : writable_variables(file))
      if (!is_of_table(name)) own.push_back(demangled(name));
  } catch (const NotElf& e) {
    return e.what();
  }
  return own.empty() ? ""
                     : "it can write to " + listed(own) +
                           "; constants are constexpr, and what changes lies in State, SliceState or Shared";
}

/// Returns whether the plugin can be tried further.
bool check_imports(const std::filesystem::path& file, const Battery& battery) {
  std::vector<std::string> maths, chance, memory, beyond, mpi, all;
  const bool readable = battery.check("its imports can be read", [&]() -> std::string {
    try {
      all = imported_symbols(file);
    } catch (const NotElf& e) {
      return e.what();
    }
    return "";
  });
  if (!readable) return true;
  for (const auto& name : all) {
    if (is_inexact(name)) maths.push_back(name);
    if (contains(unrepeatable, std::string_view(name))) chance.push_back(name);
    if (is_allocating(name)) memory.push_back(name);
    if (contains(outside, std::string_view(name)) || is_stream(name)) beyond.push_back(name);
    if (name.starts_with("MPI_")) mpi.push_back(name);
  }
  battery.check("imports no function of libm whose last bit differs between machines", [&]() -> std::string {
    return maths.empty() ? ""
                         : "imports " + listed(maths) +
                               "; spinet/math.hpp has the same functions with the same bits everywhere";
  });
  battery.check("imports nothing that a second run would not see again", [&]() -> std::string {
    return chance.empty() ? "" : "imports " + listed(chance) + "; random numbers come from spinet/random.hpp";
  });
  const bool quiet =
      battery.check("imports nothing that prints, or reads what lies outside", [&]() -> std::string {
        return beyond.empty()
                   ? ""
                   : "imports " + listed(beyond) +
                         "; a model knows its state, parameters and events alone.  It is not tried further";
      });
  battery.check("keeps nothing in variables of its own", [&] { return kept_elsewhere(file); });
  if (!mpi.empty()) battery.found({"knows nothing of MPI", false, "imports " + listed(mpi)});
  const bool lean = battery.check("imports nothing that allocates or throws", [&]() -> std::string {
    return memory.empty() ? ""
                          : "imports " + listed(memory) +
                                "; memory is State, SliceState and Shared, which the engine keeps.  It is "
                                "not tried further";
  });
  return quiet && lean;
}

/// A copy of a file under another name, gone at the end of its life.
class TemporaryCopy {
 public:
  explicit TemporaryCopy(const std::filesystem::path& file) {
    std::string name = (std::filesystem::temp_directory_path() / "spinet-check-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw std::runtime_error("cannot make a folder in " + std::filesystem::temp_directory_path().string());
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
  const char* const sound =
      "its table is sound: version, sizes, names, units, defaults in range, fields inside their structs";
  if (battery.begins) battery.begins(sound);
  first.load(file);
  second.load(copy.path());
  battery.found({sound, true, ""});
  const Model& model = *first.all().front().model;
  const Model& restarted = *second.all().front().model;
  if (!check_imports(file, battery)) return;
  switch (model.kind) {
    case Kind::neuron:
      return check_neuron(reinterpret_cast<const NeuronTable&>(model),
                          reinterpret_cast<const NeuronTable&>(restarted), battery);
    case Kind::synapse:
      return check_synapse(reinterpret_cast<const SynapseTable&>(model),
                           reinterpret_cast<const SynapseTable&>(restarted), battery);
    case Kind::source:
      return check_source(reinterpret_cast<const SourceTable&>(model),
                          reinterpret_cast<const SourceTable&>(restarted), battery);
  }
}

}  // namespace spinet
