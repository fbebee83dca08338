#include "look/isolated.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "exits.hpp"
#include "log/output_lock.hpp"
#include "network/printable.hpp"

namespace spinet::look {

using tool::fine, tool::input_wrong, tool::run_failed;

namespace {

int say(tool::Exit code, const std::string& message) { return tool::say({code, message}); }

int guarded(const std::function<int()>& work) {
  int code = run_failed;
  try {
    tool::as_input([&] { code = work(); });
  } catch (...) {
    return tool::say(tool::ending_of(std::current_exception(), ""));
  }
  return code;
}

/// Time enough for any file that can be read at all: reading takes under 0.1 s per megabyte.
void limit_cpu_time(const std::string& file) {
  std::error_code no_file;
  const auto bytes = std::filesystem::file_size(file, no_file);
  rlimit limit{};
  if (getrlimit(RLIMIT_CPU, &limit) != 0) return;
  const rlim_t seconds = 60 + (no_file ? 0 : bytes / 500'000);
  if (limit.rlim_cur == RLIM_INFINITY || seconds < limit.rlim_cur) limit.rlim_cur = seconds;
  setrlimit(RLIMIT_CPU, &limit);
  const rlimit no_core{0, limit.rlim_max == 0 ? 0 : RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &no_core);
}

/// As the next command with this output would: who takes the lock of a dead process removes what it has left.
void tidy(const std::filesystem::path& output) {
  try {
    const OutputLock taken(output);
  } catch (const std::exception&) {
    // Another process has it by now.
  }
}

}  // namespace

int isolated(const std::string& file, const std::vector<std::filesystem::path>& outputs,
             const std::function<int()>& work) {
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return guarded(work);  // no room for a process: read without the safety net
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(run_failed);
    limit_cpu_time(file);
    const int code = guarded(work);
    const bool written = std::fflush(stdout) == 0 && !std::ferror(stdout);
    // Without HDF5's own clean-up, which walks what a damaged file has left in memory.
    _exit(written || code != fine ? code : say(run_failed, "spinet: the output cannot be written"));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return say(run_failed, fmt::format("spinet: {}", std::strerror(errno)));
  if (WIFSIGNALED(status)) {
    for (const auto& output : outputs) tidy(output);
    const int s = WTERMSIG(status);
    if (s == SIGKILL)
      return say(run_failed,
                 fmt::format("spinet: {}: the reader was killed; did the machine run out of memory?", file));
    if (s == SIGINT || s == SIGTERM || s == SIGHUP || s == SIGPIPE) return run_failed;
    if (s == SIGXCPU)
      return say(input_wrong, fmt::format("{}: is damaged: reading it does not come to an end", file));
    return say(input_wrong, fmt::format("{}: is damaged: reading it crashed in the HDF5 library ({})", file,
                                        strsignal(s)));
  }
  const int code = WEXITSTATUS(status);
  if (code == fine || code == input_wrong || code == run_failed) return code;
  return say(input_wrong, fmt::format("{}: is damaged: reading it ended with code {}", file, code));
}

}  // namespace spinet::look
