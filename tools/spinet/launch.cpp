#include "launch.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

#include "commands.hpp"

namespace spinet::tool {
namespace {

/// Physical cores among the processors we may use, or all that the machine has (a launcher may have bound us to one):
/// two hardware threads of one core count once, as mpirun counts.
int physical_cores(bool all = false) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (!all && sched_getaffinity(0, sizeof usable, &usable) != 0) return 1;
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  std::set<std::string> cores;
  for (int cpu = 0; cpu < (all ? static_cast<int>(processors) : CPU_SETSIZE); ++cpu) {
    if (!all && !CPU_ISSET(cpu, &usable)) continue;
    std::string siblings;
    std::ifstream(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu)) >> siblings;
    cores.insert(siblings.empty() ? std::to_string(cpu) : siblings);
  }
  return std::max<int>(1, static_cast<int>(cores.size()));
}

/// What ended mpirun, or a rank, as mpirun reports it.
std::string end_of_mpirun(int status) {
  if (WIFSIGNALED(status)) return fmt::format("mpirun was killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  const int code = WEXITSTATUS(status);
  if (code > 128 && code < 128 + NSIG)
    return fmt::format("a rank was killed by signal {} ({}; mpirun: exit code {})", code - 128, strsignal(code - 128), code);
  return fmt::format("mpirun: exit code {}", code);
}

/// Whether a process is a parent of others that live; nothing where the system does not tell.
std::optional<bool> has_living_children(pid_t process) {
  namespace fs = std::filesystem;
  std::error_code gone;
  bool told = false;
  for (const auto& thread : fs::directory_iterator(fmt::format("/proc/{}/task", process), gone)) {
    std::ifstream children(thread.path() / "children");
    told = told || children.is_open();
    for (pid_t child; children >> child;) {
      std::ifstream file(fmt::format("/proc/{}/stat", child));
      const std::string stat(std::istreambuf_iterator<char>(file), {});
      const auto name_end = stat.rfind(')');  // the state is the letter after the name
      if (name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z') return true;
    }
  }
  return told ? std::optional(false) : std::nullopt;
}

/// Open MPI 4.1 waits for ever if a rank is killed while it starts: an mpirun that had ranks and has had none for 5 s.
class Abandoned {
 public:
  explicit Abandoned(pid_t mpirun) : mpirun_(mpirun) {}
  /// To be asked once a second.
  bool operator()() {
    const auto living = has_living_children(mpirun_);
    if (living.value_or(false)) had_ranks_ = true, seconds_ = 0;
    else if (living && had_ranks_) ++seconds_;
    return seconds_ > 5;
  }

 private:
  pid_t mpirun_;
  bool had_ranks_ = false;
  int seconds_ = 0;
};

}  // namespace

Machine this_machine() { return {physical_cores(), geteuid() == 0, isatty(STDERR_FILENO) != 0}; }

std::string crowded(int ranks, int cores) {
  if (ranks <= cores) return {};
  return fmt::format("note: {} ranks on {} core{}: ranks that share a core wait for one another, and {} would be faster\n", ranks, cores, cores == 1 ? "" : "s",
                     cores == 1 ? "one" : std::to_string(cores));
}

std::string crowded_here() {
  const auto number = [](std::initializer_list<const char*> variables) {
    for (const char* v : variables)
      if (const char* text = std::getenv(v)) return std::atoi(text);
    return -1;
  };
  const int rank = number({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID"});
  const int here = number({"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_LOCAL_SIZE"});
  if (rank != 0 || std::getenv("SPINET_TERMINAL")) return {};
  return crowded(here, physical_cores(true));
}

std::vector<std::string> mpirun_command(int ranks, const Machine& machine, const std::string& program,
                                        const std::vector<std::string>& arguments) {
  std::vector<std::string> command{SPINET_MPIRUN};
  if (SPINET_MPI_IS_OPEN_MPI) {
    // Waiting ranks let others have the core: a third of the time on a machine with other work, and under a
    // microsecond per window where there is none.
    command.insert(command.end(), {"--quiet", "--mca", "mpi_yield_when_idle", "1", "-x", "SPINET_TERMINAL"});
    if (machine.root) command.push_back("--allow-run-as-root");
    if (ranks > machine.cores) command.push_back("--oversubscribe");
  }
  command.insert(command.end(), {"-n", std::to_string(ranks), program});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

int launch(int ranks, const std::vector<std::string>& arguments) {
  const Machine machine = this_machine();
  if (std::find(arguments.begin(), arguments.end(), "--quiet") == arguments.end()) fmt::print(stderr, "{}", crowded(ranks, machine.cores));
  const auto command = mpirun_command(ranks, machine, std::filesystem::read_symlink("/proc/self/exe").string(), arguments);
  std::vector<char*> argv;
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  setenv("SPINET_TERMINAL", machine.terminal ? "1" : "0", 1);

  // Signals are waited for, not handled: nothing of ours runs between one and the next.
  sigset_t signals, before;
  sigemptyset(&signals);
  for (const int s : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, s);
  sigprocmask(SIG_BLOCK, &signals, &before);

  int failure[2];  // how the child tells that exec has failed
  if (pipe2(failure, O_CLOEXEC) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
  const pid_t parent = getpid(), child = fork();
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (child == 0) {
    // A process group of its own: Ctrl-C reaches us only, and we pass on what lets the ranks end in good order.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(run_failed);
    if (const int null = open("/dev/null", O_RDONLY); null >= 0) dup2(null, STDIN_FILENO);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    execvp(argv[0], argv.data());
    const int error = errno;
    [[maybe_unused]] const auto told = write(failure[1], &error, sizeof error);
    _exit(run_failed);
  }
  close(failure[1]);
  int error = 0;
  const bool started = read(failure[0], &error, sizeof error) == 0;
  close(failure[0]);

  int status = 0, asked = 0;
  Abandoned abandoned(child);
  const timespec second{1, 0};
  while (started) {
    const int signal = sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGCHLD) {
      if (waitpid(child, &status, WNOHANG) == child) break;
    } else if (signal > 0) {
      // mpirun hands SIGUSR1 to the ranks; at SIGTERM it ends them itself.
      const int passed_on[] = {SIGUSR1, SIGTERM, SIGKILL};
      kill(child, passed_on[std::min(asked++, 2)]);
    } else if (abandoned()) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      sigprocmask(SIG_SETMASK, &before, nullptr);
      fmt::print(stderr, "spinet: the run on {} ranks ended abnormally: its ranks have ended, mpirun has not\n", ranks);
      return run_failed;
    }
  }
  if (!started) waitpid(child, &status, 0);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (!started)
    throw UserError(fmt::format("spinet: cannot start {}: {}; several ranks need it (Debian: openmpi-bin)", command[0], std::strerror(error)));
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == fine || code == input_wrong || code == run_failed) return code;
  fmt::print(stderr, "spinet: the run on {} ranks ended abnormally: {}\n", ranks, end_of_mpirun(status));
  return run_failed;
}

}  // namespace spinet::tool
