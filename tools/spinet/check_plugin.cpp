// spinet check-plugin
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "commands.hpp"
#include "conformance/conformance.hpp"

namespace spinet::tool {
namespace {

/// What the process that checks tells the one that waits, however it ends.
struct Progress {
  char check[256];       ///< that is being made
  char parameters[256];  ///< with which it is made, or ""
  bool done;
};

template <std::size_t n>
void write_down(const std::string& text, char (&to)[n]) {
  to[text.copy(to, n - 1)] = 0;
}

/// A check with one set of parameters begins: what it does not finish in its time, the kernel ends. Computing
/// counts, so that a busy machine changes nothing; and ten times as long on the wall, for what waits.
void set_alarm(unsigned seconds) {
  const itimerval computing{{0, 0}, {static_cast<time_t>(seconds), 0}};
  setitimer(ITIMER_PROF, &computing, nullptr);
  alarm(10 * seconds);
}

int check(const std::string& file, std::uint32_t seed, unsigned seconds, Progress& progress) {
  int failed = 0, all = 0;
  Battery battery;
  battery.seed = seed;
  battery.begins = [&, seconds](const std::string& holds) {
    write_down(holds, progress.check);
    write_down("", progress.parameters);
    set_alarm(seconds);
  };
  battery.tries = [&, seconds](const std::string& parameters) {
    write_down(parameters, progress.parameters);
    set_alarm(seconds);
  };
  battery.found = [&](const Finding& f) {
    ++all;
    failed += !f.passed;
    fmt::print("{}  {}\n", f.passed ? "ok    " : "FAILED", f.check);
    if (!f.passed && !f.detail.empty()) fmt::print("        {}\n", f.detail);
    std::fflush(stdout);
  };
  check_plugin(file, battery);
  if (failed)
    fmt::print("\n{}: {} of {} checks failed; the same again with --seed {}\n", file, failed, all, seed);
  else fmt::print("\n{}: all {} checks passed (--seed {})\n", file, all, seed);
  std::fflush(stdout);
  return failed ? input_wrong : fine;
}

/// In a process of its own: a plugin under test may crash, end the program or never come back.
int check_apart(const std::string& file, std::uint32_t seed, unsigned seconds) {
  void* const shared =
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::runtime_error(std::string("mmap: ") + std::strerror(errno));
  Progress& progress = *static_cast<Progress*>(shared);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (child == 0) {
    set_alarm(seconds);
    int code = run_failed;
    try {
      code = check(file, seed, seconds, progress);
    } catch (...) {
      code = report(std::current_exception());
    }
    progress.done = true;
    _exit(code);  // without destructors: plugins stay loaded
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string where = fmt::format("in this check: {}{}{} (--seed {})", progress.check,
                                        progress.parameters[0] ? "; with " : "", progress.parameters, seed);
  if (WIFEXITED(status) && progress.done) return WEXITSTATUS(status);
  if (WIFEXITED(status)) throw UserError(fmt::format("{}: ended the program {}", file, where));
  if (WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGALRM)
    throw UserError(fmt::format("{}: not done after {} s {}", file,
                                WTERMSIG(status) == SIGPROF ? seconds : 10 * seconds, where));
  throw UserError(fmt::format("{}: crashed ({}) {}", file, strsignal(WTERMSIG(status)), where));
}

}  // namespace

void add_check_plugin(CLI::App& app, Action& action) {
  auto* sub =
      app.add_subcommand("check-plugin", "Check that a plugin keeps the promises that results depend on");
  auto file = std::make_shared<std::string>();
  auto seed = std::make_shared<std::uint32_t>(1);
  sub->add_option("FILE", *file, "The shared library")->required();
  sub->add_option("--seed", *seed, "Of the histories and parameters that are tried (1)")->type_name("N");
  auto seconds = std::make_shared<unsigned>(20);
  sub->add_option("--time-limit", *seconds, "For one check with one set of parameters, of computing (20)")
      ->type_name("SECONDS")
      ->check(CLI::Range(1u, 1000000u));
  sub->callback([file, seed, seconds, &action] {
    action = [file, seed, seconds] { return check_apart(*file, *seed, *seconds); };
  });
}

}  // namespace spinet::tool
