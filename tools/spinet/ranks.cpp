#include "ranks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>

#include "comm/launcher.hpp"
#include "comm/serial.hpp"
#include "commands.hpp"
#include "launch.hpp"
#include "manifest.hpp"
#include "signals.hpp"
#ifdef SPINET_HAS_MPI
#include "comm/mpi_session.hpp"
#endif

namespace spinet::tool {
namespace {

/// The arguments for the ranks: all but the program's name and -n.
[[maybe_unused]] std::vector<std::string> without_ranks(const std::vector<std::string>& words) {
  std::vector<std::string> rest;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "-n" || words[i] == "--ranks") ++i;
    else if (!words[i].starts_with("--ranks=") && !words[i].starts_with("-n")) rest.push_back(words[i]);
  }
  return rest;
}

}  // namespace

std::vector<std::string> own_command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
  return words;
}

void refuse_ranks(const char* command) {
  const auto launched = find_launch();
  if (launched && launched->processes > 1)
    throw UserError(
        fmt::format("spinet {0}: works on one rank, and a launcher has started {1} ({2}); "
                    "type `spinet {0}` without it",
                    command, launched->processes, launched->variable));
}

int on_ranks(int ranks, [[maybe_unused]] const std::function<void()>& check,
             const std::function<int(Transport&)>& work) {
  const auto launched = find_launch();
  const int processes = launched ? launched->processes : 1;
  if (launched && ranks > 0 && ranks != processes)
    throw UserError(fmt::format("spinet: -n {} inside a launcher that has started {} ({}); leave -n out",
                                ranks, processes, launched->variable));
#ifdef SPINET_HAS_MPI
  if (!launched && ranks > 1) {
    check();
    return launch(ranks, without_ranks(own_command_line()));
  }
  if (launched) {
    const auto words = own_command_line();
    if (std::find(words.begin(), words.end(), "--quiet") == words.end())
      fmt::print(stderr, "{}", crowded_here());
    stop_on_signals();
    MpiSession mpi;
    return mpi.run(work, [&](std::exception_ptr error) {
      const int code = report(error);
      // Rank 0 has found nothing wrong, or it would have spoken.
      if (code == input_wrong && mpi.rank() > 0)
        fmt::print(stderr,
                   "spinet: so it is for rank {} on {}, but not for rank 0; give every node the same files\n",
                   mpi.rank(), host_name());
      return code;
    });
  }
#else
  if (processes > 1 || ranks > 1)
    throw UserError("spinet: this spinet was built without MPI (SPINET_MPI=OFF) and runs on one rank only");
#endif
  stop_on_signals();
  SerialTransport alone;
  return work(alone);
}

}  // namespace spinet::tool
