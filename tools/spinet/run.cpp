// spinet run
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>

#include "comm/collectively.hpp"
#include "comm/launcher.hpp"
#include "comm/serial.hpp"
#include "core/simulation.hpp"
#include "inputs.hpp"
#include "launch.hpp"
#include "log/writer.hpp"
#include "network/estimate.hpp"
#include "progress.hpp"
#include "signals.hpp"
#include "summary.hpp"
#include "text.hpp"
#ifdef SPINET_HAS_MPI
#include "comm/mpi_session.hpp"
#endif

namespace spinet::tool {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

struct RunOptions {
  NetworkOptions network;
  std::string output;
  int ranks = 0;  ///< 0: not given
  bool quiet = false, force = false;
  std::string command_line;
};

/// The name of the log, found writable before anything is built.
std::filesystem::path output_path(const RunOptions& o, const Network& n) {
  const std::filesystem::path path = o.output.empty() ? n.name + ".h5" : o.output;
  if (std::filesystem::exists(path) && !o.force)
    throw UserError(fmt::format("{}: exists already; give another name with -o, or --force to replace it", path.string()));
  if (std::filesystem::is_directory(path)) throw UserError(fmt::format("{}: is a folder", path.string()));
  const auto folder = std::filesystem::absolute(path).parent_path();
  if (!std::filesystem::is_directory(folder)) throw UserError(fmt::format("{}: there is no folder {}", path.string(), folder.string()));
  if (access(folder.c_str(), W_OK) != 0) throw UserError(fmt::format("{}: the folder {} cannot be written to", path.string(), folder.string()));
  return path;
}

std::uint64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

/// Sums over all ranks of what each has only a part of.
Totals total(Transport& t, const Statistics& s) {
  struct Part {
    std::uint64_t deliveries, superposed, synapses, synapse_bytes, peak_bytes;
    double build_seconds, run_seconds;
  };
  const Part mine{s.deliveries, s.superposed, s.synapses, s.synapse_bytes, peak_memory(), s.build_seconds, s.run_seconds};
  Gathered all;
  t.all_gather(std::as_bytes(std::span(&mine, 1)), all);
  Totals sum;
  sum.statistics = s;
  auto& x = sum.statistics;
  x.deliveries = x.superposed = x.synapses = x.synapse_bytes = 0;
  x.build_seconds = x.run_seconds = 0;
  sum.ranks = t.size();
  for (int r = 0; r < t.size(); ++r) {
    Part p;
    std::memcpy(&p, all.of(r).data(), sizeof p);
    x.deliveries += p.deliveries;
    x.superposed += p.superposed;
    x.synapses += p.synapses;
    x.synapse_bytes += p.synapse_bytes;
    sum.peak_bytes += p.peak_bytes;
    x.build_seconds = std::max(x.build_seconds, p.build_seconds);
    x.run_seconds = std::max(x.run_seconds, p.run_seconds);
  }
  return sum;
}

int run_on(Transport& t, const RunOptions& o) {
  const bool first = t.rank() == 0;
  const auto begin = Clock::now();
  Catalogue catalogue;
  Network network;
  std::filesystem::path path;
  collectively(t, [&] {
    catalogue = read_catalogue(o.network.plugin_path);
    network = read_network(o.network, catalogue);
    if (first) path = output_path(o, network);
  });
  const double load_seconds = seconds_since(begin);
  const Show show = what_suits(o.quiet);
  if (first && show != Show::nothing) {
    fmt::print(stderr, "{}: {} on {} rank{}, building ...\n", network.name, time_text(static_cast<double>(network.duration) * network.seconds_per_tick),
               t.size(), t.size() == 1 ? "" : "s");
    std::fflush(stderr);
  }

  Simulation simulation(network, t);
  std::unique_ptr<RunLog> log;
  collectively(t, [&] {
    if (!first) return;
    RunProvenance from{.version = SPINET_VERSION, .ranks = t.size(), .command_line = o.command_line, .started = {}, .host = {}};
    char host[256] = {};
    if (gethostname(host, sizeof host - 1) == 0) from.host = host;
    log = std::make_unique<RunLog>(path, network, from, RunLogOptions{.force = o.force, .weight_widths = simulation.weight_widths()});
  });

  Statistics mine;
  {
    std::optional<ProgressLine> line;
    RunHooks hooks;
    hooks.stop = &stop_wanted;
    if (first) {
      line.emplace(show, network, path);
      hooks.progress = [&](const Progress& p) { (*line)(p); };
    }
    mine = simulation.run(log.get(), hooks);
  }
  Totals sum = total(t, mine);
  const auto closing = Clock::now();
  collectively(t, [&] {
    if (log) log->finish(sum.statistics, mine.reached, !mine.stopped);
    log.reset();
  });
  if (!first) return mine.stopped ? run_failed : fine;

  sum.load_seconds = load_seconds;
  sum.close_seconds = seconds_since(closing);
  if (!o.quiet) fmt::print("{}", summary(network, sum, path));
  if (mine.stopped)
    fmt::print(stderr, "spinet: stopped by {} at {} of {}; {} holds everything before that\n", *stop_signal() ? stop_signal() : "another rank",
               time_text(static_cast<double>(mine.reached) * network.seconds_per_tick),
               time_text(static_cast<double>(network.duration) * network.seconds_per_tick), path.string());
  else if (!o.quiet) fmt::print("\nNext: spinet info {}\n", path.string());
  std::fflush(stdout);
  return mine.stopped ? run_failed : fine;
}

int run(const RunOptions& o, const std::vector<std::string>& arguments) {
  const auto launched = find_launch();
  const int processes = launched ? launched->processes : 1;
  if (launched && o.ranks > 0 && o.ranks != processes)
    throw UserError(fmt::format("spinet: -n {} inside a launcher that has started {} ({}); leave -n out", o.ranks, processes, launched->variable));
#ifdef SPINET_HAS_MPI
  if (!launched && o.ranks > 1) {
    // What is wrong with the input is said at once, without starting MPI.
    output_path(o, read_network(o.network, read_catalogue(o.network.plugin_path)));
    return launch(o.ranks, arguments);
  }
  if (launched) {
    stop_on_signals();
    MpiSession mpi;
    return mpi.run([&](Transport& t) { return run_on(t, o); }, report);
  }
#else
  if (processes > 1 || o.ranks > 1)
    throw UserError("spinet: this spinet was built without MPI (SPINET_MPI=OFF) and runs on one rank only");
#endif
  stop_on_signals();
  SerialTransport alone;
  return run_on(alone, o);
}

/// The command line as it was given, program name first.
std::vector<std::string> own_command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
  return words;
}

/// The arguments for the ranks: all but the program's name and -n.
std::vector<std::string> without_ranks(const std::vector<std::string>& words) {
  std::vector<std::string> rest;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "-n" || words[i] == "--ranks") ++i;
    else if (!words[i].starts_with("--ranks=") && !words[i].starts_with("-n")) rest.push_back(words[i]);
  }
  return rest;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("run", "Run a network and write its log");
  auto o = std::make_shared<RunOptions>();
  add_network_options(*sub, o->network);
  sub->add_option("-o,--output", o->output, "The log to write (NAME.h5 in this folder, NAME from the file)")->type_name("OUT.h5");
  sub->add_option("-n,--ranks", o->ranks, "Ranks; more than one are started with mpirun")->type_name("N")->check(CLI::Range(1, 1'000'000));
  sub->add_flag("--quiet", o->quiet, "Print nothing but errors");
  sub->add_flag("--force", o->force, "Replace an existing log");
  sub->footer("Ctrl-C ends the run after the present window and closes the log; a second one quits.\n"
              "Exit codes: 0 fine, 2 the input is wrong, 3 the run failed or was stopped.");
  sub->callback([o, &action] {
    action = [o] {
      const auto words = own_command_line();
      for (const auto& word : words) o->command_line += (o->command_line.empty() ? "" : " ") + word;
      return run(*o, without_ranks(words));
    };
  });
}

}  // namespace spinet::tool
