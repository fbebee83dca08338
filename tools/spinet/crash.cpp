#include "crash.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "exits.hpp"

namespace spinet::tool {
namespace {

// Handlers of signals and of exit can reach nothing but globals.
constexpr int most_folders = 64;
const char* folders[most_folders];  // each ends with a slash; they live as long as the process
std::atomic<int> folder_count{0};
std::atomic<bool> ended{false};
alignas(64) char handler_stack[64 * 1024];  // the crash may be that there is no stack left

void say(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

/// The file of the library that `address` lies in, if it is a plugin.
const char* plugin_at(void* address) {
  Dl_info info;
  if (!address || !dladdr(address, &info) || !info.dli_fname) return nullptr;
  for (int i = 0; i < folder_count; ++i) {
    const std::size_t n = std::strlen(folders[i]);
    if (std::strncmp(info.dli_fname, folders[i], n) == 0 && !std::strchr(info.dli_fname + n, '/'))
      return info.dli_fname;
  }
  return nullptr;
}

/// The plugin that has called, directly or through others, or null.
const char* plugin_on_stack() {
  void* frames[128];
  const int n = backtrace(frames, 128);
  for (int i = 0; i < n; ++i)
    if (const char* file = plugin_at(frames[i])) return file;
  return nullptr;
}

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "Segmentation fault";
    case SIGBUS:
      return "Bus error";
    case SIGFPE:
      return "Arithmetic error";
    case SIGILL:
      return "Illegal instruction";
    default:
      return "Aborted";
  }
}

[[noreturn]] void blame(const char* file, const char* what, const char* detail) {
  say("spinet: the plugin ");
  say(file);
  say(what);
  say(detail);
  say("; `spinet check-plugin` says more\n");
  _exit(run_failed);
}

extern "C" void crashed(int signal, siginfo_t*, void*) {
  if (const char* file = plugin_on_stack()) blame(file, " has crashed: ", name_of(signal));
  raise(signal);  // not a plugin's: as if there were no handler (SA_RESETHAND), once this one returns
}

void left() {
  if (ended) return;
  if (const char* file = plugin_on_stack()) blame(file, " has ended the program", "");
}

void install() {
  void* frame;
  backtrace(&frame, 1);  // loads what it needs now, not in a handler
  const stack_t stack{handler_stack, 0, sizeof handler_stack};
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = crashed;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_ONSTACK | SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(signal, &action, nullptr);
  std::atexit(left);
}

}  // namespace

void name_plugins_that_crash(const std::filesystem::path& folder) {
  if (folder_count == 0) install();
  if (folder_count == most_folders) return;
  std::string path = std::filesystem::absolute(folder).string();
  if (!path.ends_with('/')) path += '/';
  folders[folder_count] = strdup(path.c_str());
  if (folders[folder_count]) ++folder_count;
}

void command_has_ended() { ended = true; }

}  // namespace spinet::tool
