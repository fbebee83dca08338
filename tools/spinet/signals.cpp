#include "signals.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "exits.hpp"

namespace spinet::tool {
namespace {

// Signal handlers can reach nothing but globals.
std::atomic<bool> stop{false};
std::atomic<int> which{0};
Pulse the_pulse;
std::atomic<std::uint64_t> seen{0};  ///< beats at the last look
std::atomic<int> still{0};           ///< looks since the last beat
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

constexpr int look_every = 100'000, looks = 8;  ///< microseconds; so many without a beat are too many

const char* name_of(int signal) {
  switch (signal) {
    case 0:
      return "";
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    default:
      return "a signal";
  }
}

void say(std::initializer_list<const char*> words) {  // nothing here allocates or locks
  char text[512];
  std::size_t n = 0;
  for (const char* word : words)
    for (; *word && n < sizeof text; ++word) text[n++] = *word;
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, n);
}

/// Does the run still get on, if it is in a function of a model?
extern "C" void look(int) {
  const char* const model = the_pulse.model.load();
  const std::uint64_t beats = the_pulse.beats.load();
  if (!model || beats != seen.load()) {
    seen = beats;
    still = 0;
    return;
  }
  if (++still < looks) return;
  const char* const synapse = the_pulse.synapse.load();
  const char* const population = the_pulse.population.load();
  if (synapse)
    say({"spinet: stopped by ", name_of(which.load()), ": synapse model '", synapse, "' (onto population '",
         population});
  else say({"spinet: stopped by ", name_of(which.load()), ": model '", model, "' (population '", population});
  say({"') does not return; the log holds everything up to its last commit\n"});
  _exit(run_failed);
}

extern "C" void note(int signal) {
  which = signal;
  stop = true;
  seen = the_pulse.beats.load();
  still = 0;
  const itimerval every{{0, look_every}, {0, look_every}};
  setitimer(ITIMER_REAL, &every, nullptr);
}

}  // namespace

const std::atomic<bool>& stop_wanted = stop;
Pulse& pulse = the_pulse;

void stop_on_signals() {
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = look;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

const char* stop_signal() { return name_of(which.load()); }

}  // namespace spinet::tool
