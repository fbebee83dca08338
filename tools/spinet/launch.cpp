#include "launch.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "commands.hpp"

namespace spinet::tool {
namespace {

/// Physical cores among the processors we may use, or all that the machine has (a launcher may have bound us
/// to one): two hardware threads of one core count once, as mpirun counts.
int physical_cores(bool all = false) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (!all && sched_getaffinity(0, sizeof usable, &usable) != 0) return 1;
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  std::set<std::string> cores;
  for (int cpu = 0; cpu < (all ? static_cast<int>(processors) : CPU_SETSIZE); ++cpu) {
    if (!all && !CPU_ISSET(cpu, &usable)) continue;
    std::string siblings;
    std::ifstream(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu)) >>
        siblings;
    cores.insert(siblings.empty() ? std::to_string(cpu) : siblings);
  }
  return std::max<int>(1, static_cast<int>(cores.size()));
}

/// What ended mpirun, or a rank, as mpirun reports it.
std::string end_of_mpirun(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("mpirun was killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  const int code = WEXITSTATUS(status);
  if (code > 128 && code < 128 + NSIG)
    return fmt::format("a rank was killed by signal {} ({}; mpirun: exit code {})", code - 128,
                       strsignal(code - 128), code);
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
      if (name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z')
        return true;
    }
  }
  return told ? std::optional(false) : std::nullopt;
}

/// Open MPI 4.1 waits for ever if a rank is killed while it starts: an mpirun that had ranks and has had none
/// for 5 s.
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

/// mpirun, started; or why it could not be.
struct Started {
  pid_t process = -1;
  int output = -1;  ///< what it prints, to be read
  int error = 0;    ///< of exec
};
Started start(const std::vector<std::string>& command, const sigset_t& signals) {
  std::vector<char*> argv;
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int failure[2], output[2];  // how the child tells that exec has failed
  if (pipe2(failure, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0)
    throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
  Started s;
  const pid_t parent = getpid();
  s.process = fork();
  if (s.process < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (s.process == 0) {
    // A process group of its own: Ctrl-C reaches us only, and we pass on what lets the ranks end in good
    // order.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(run_failed);
    if (const int null = open("/dev/null", O_RDONLY); null >= 0) dup2(null, STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    sigprocmask(SIG_SETMASK, &signals, nullptr);
    execvp(argv[0], argv.data());
    const int error = errno;
    [[maybe_unused]] const auto told = write(failure[1], &error, sizeof error);
    _exit(run_failed);
  }
  close(failure[1]);
  close(output[1]);
  s.output = output[0];
  if (read(failure[0], &s.error, sizeof s.error) != sizeof s.error) s.error = 0;
  close(failure[0]);
  return s;
}

/// Hands on what mpirun prints, in a thread, and finds out whether it has arrived: mpirun does not say.
class HandOn {
 public:
  explicit HandOn(int from) : from_(from), thread_([this] { copy(); }) {}
  ~HandOn() { finish(); }
  /// Once mpirun has ended.  The error of the first write that failed, or 0.
  int finish() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
    if (from_ >= 0) close(std::exchange(from_, -1));
    return error_;
  }

 private:
  void copy() {
    sigset_t all;  // signals are for the thread that waits for them
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    char text[1 << 14];
    for (;;) {
      pollfd ready{from_, POLLIN, 0};
      const bool last = ended_;  // what there is after this is of others that have kept the pipe
      const int some = poll(&ready, 1, 100);
      if (some == 0 && last) return;
      if (some <= 0) continue;
      const ssize_t n = read(from_, text, sizeof text);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      write_out(text, static_cast<std::size_t>(n));
    }
  }
  void write_out(const char* text, std::size_t bytes) {
    while (bytes > 0 && error_ == 0) {  // after a failure the rest is read only, so that mpirun does not wait
      const ssize_t n = write(STDOUT_FILENO, text, bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) {
        pollfd ready{STDOUT_FILENO, POLLOUT, 0};
        poll(&ready, 1, 100);
        continue;
      }
      if (n < 0) error_ = errno;
      else text += n, bytes -= static_cast<std::size_t>(n);
    }
  }

  int from_;
  std::atomic<bool> ended_{false};
  int error_ = 0;  ///< of the thread, until it has been joined
  std::thread thread_;
};

/// Waits for mpirun and passes signals on.  Its status, or nothing where it does not end though its ranks
/// have.
std::optional<int> wait_for(pid_t mpirun, const sigset_t& signals) {
  int status = 0, asked = 0;
  Abandoned abandoned(mpirun);
  const timespec second{1, 0};
  for (;;) {
    const int signal = sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGCHLD) {
      if (waitpid(mpirun, &status, WNOHANG) == mpirun) return status;
    } else if (signal > 0) {
      // mpirun hands SIGUSR1 to the ranks; at SIGTERM it ends them itself.
      const int passed_on[] = {SIGUSR1, SIGTERM, SIGKILL};
      kill(mpirun, passed_on[std::min(asked++, 2)]);
    } else if (abandoned()) {
      kill(mpirun, SIGKILL);
      waitpid(mpirun, &status, 0);
      return std::nullopt;
    }
  }
}

}  // namespace

Machine this_machine() { return {physical_cores(), geteuid() == 0, isatty(STDERR_FILENO) != 0}; }

std::string crowded(int ranks, int cores) {
  if (ranks <= cores) return {};
  return fmt::format(
      "note: {} ranks on {} core{}: ranks that share a core wait for one another, and {} would be faster\n",
      ranks, cores, cores == 1 ? "" : "s", cores == 1 ? "one" : std::to_string(cores));
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
  if (std::find(arguments.begin(), arguments.end(), "--quiet") == arguments.end())
    fmt::print(stderr, "{}", crowded(ranks, machine.cores));
  const auto command =
      mpirun_command(ranks, machine, std::filesystem::read_symlink("/proc/self/exe").string(), arguments);
  setenv("SPINET_TERMINAL", machine.terminal ? "1" : "0", 1);

  // Signals are waited for, not handled: nothing of ours runs between one and the next.
  sigset_t signals, before;
  sigemptyset(&signals);
  for (const int s : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, s);
  sigprocmask(SIG_BLOCK, &signals, &before);
  const Started mpirun = start(command, before);
  if (mpirun.error) {
    waitpid(mpirun.process, nullptr, 0);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    throw UserError(fmt::format("spinet: cannot start {}: {}; several ranks need it (Debian: openmpi-bin)",
                                command[0], std::strerror(mpirun.error)));
  }
  HandOn output(mpirun.output);
  const auto status = wait_for(mpirun.process, signals);
  const int lost = output.finish();
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (!status) {
    fmt::print(stderr, "spinet: the run on {} ranks ended abnormally: its ranks have ended, mpirun has not\n",
               ranks);
    return run_failed;
  }
  const int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
  if (code == fine && lost) {
    fmt::print(stderr, "spinet: the output cannot be written: {}\n", std::strerror(lost));
    return run_failed;
  }
  if (code == fine || code == input_wrong || code == run_failed) return code;
  fmt::print(stderr, "spinet: the run on {} ranks ended abnormally: {}\n", ranks, end_of_mpirun(*status));
  return run_failed;
}

}  // namespace spinet::tool
