#include "signals.hpp"

#include <csignal>

namespace spinet::tool {
namespace {

// Signal handlers can reach nothing but globals.
std::atomic<bool> stop{false};
std::atomic<int> which{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void note(int signal) {
  which = signal;
  stop = true;
}

}  // namespace

const std::atomic<bool>& stop_wanted = stop;

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

const char* stop_signal() {
  switch (which.load()) {
    case 0: return "";
    case SIGINT: return "SIGINT";
    case SIGTERM: return "SIGTERM";
    default: return "a signal";
  }
}

}  // namespace spinet::tool
