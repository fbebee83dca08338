// spinet check-plugin
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "commands.hpp"
#include "conformance/conformance.hpp"

namespace spinet::tool {
namespace {

int check(const std::string& file) {
  int failed = 0, all = 0;
  check_plugin(file, [&](const Finding& f) {
    ++all;
    failed += !f.passed;
    fmt::print("{}  {}\n", f.passed ? "ok    " : "FAILED", f.check);
    if (!f.passed && !f.detail.empty()) fmt::print("        {}\n", f.detail);
    std::fflush(stdout);
  });
  if (failed) fmt::print("\n{}: {} of {} checks failed\n", file, failed, all);
  else fmt::print("\n{}: all {} checks passed\n", file, all);
  std::fflush(stdout);
  return failed ? input_wrong : fine;
}

/// In a process of its own: a plugin under test may crash or never come back.
int check_apart(const std::string& file) {
  constexpr unsigned seconds = 60;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (child == 0) {
    alarm(seconds);
    int code = run_failed;
    try {
      code = check(file);
    } catch (...) {
      code = report(std::current_exception());
    }
    _exit(code);  // without destructors: plugins stay loaded
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  if (WTERMSIG(status) == SIGALRM)
    throw UserError(fmt::format("{}: not done after {} s; the check after the last one above does not end", file, seconds));
  throw UserError(fmt::format("{}: crashed ({}) in the check after the last one above", file, strsignal(WTERMSIG(status))));
}

}  // namespace

void add_check_plugin(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("check-plugin", "Check that a plugin keeps the promises that results depend on");
  auto file = std::make_shared<std::string>();
  sub->add_option("FILE", *file, "The shared library")->required();
  sub->callback([file, &action] { action = [file] { return check_apart(*file); }; });
}

}  // namespace spinet::tool
