// The `spinet` command.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include <fmt/core.h>

#include "commands.hpp"
#include "crash.hpp"
#include "inputs.hpp"
#include "network/suggest.hpp"

namespace {

using namespace spinet;

/// "spinet rnu": CLI11 only says that it did not expect it.
void refuse_unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  if (std::find(names.begin(), names.end(), argv[1]) == names.end())
    throw tool::UserError(
        fmt::format("spinet: no command {}; {}", in_quotes(argv[1]), suggest(argv[1], names, "commands")));
}

int command(int argc, char** argv) {
  CLI::App app{"Spinet: event-driven simulation of spiking networks, exact in time."};
  app.name("spinet");
  app.require_subcommand(1);
  app.set_version_flag("--version", "spinet " SPINET_VERSION,
                       "Print the version; `spinet version` says what it was built with");
  app.footer(
      "Exit codes: 0 fine, 2 the input is wrong, 3 the run failed or was stopped.\nStart here: spinet init "
      "two_neurons, "
      "then spinet run two_neurons.yaml");
  tool::Action action;
  for (const auto add :
       {tool::add_run, tool::add_resume, tool::add_train, tool::add_program, tool::add_learn, tool::add_sweep,
        tool::add_validate, tool::add_init, tool::add_models, tool::add_graph, tool::add_import,
        tool::add_device, tool::add_crossbar, tool::add_check_plugin, tool::add_info, tool::add_report,
        tool::add_view, tool::add_export, tool::add_version})
    add(app, action);
  refuse_unknown_command(app, argc, argv);
  // An empty name, number or path is a variable of a script that was not set, wherever it stands.
  for (auto* sub : app.get_subcommands([](CLI::App*) { return true; }))
    for (auto* option : sub->get_options())
      if (option->get_items_expected_max() > 0) option->check(tool::not_empty);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? tool::fine : tool::input_wrong;
  }
  const int code = action();
  tool::command_has_ended();
  return code;
}

/// Files of ours must never get the number of an output that the caller has closed: messages would go into
/// them.
void fill_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
        open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) < 0)
      std::abort();
}

/// The exit code, unless what was printed has not arrived.
int after_output(int code) {
  errno = 0;
  const bool whole = std::fflush(stdout) == 0 && !std::ferror(stdout) && std::cout.flush().good();
  if (whole || code != tool::fine) return code;
  fmt::print(stderr, "spinet: the output cannot be written{}\n",
             errno ? std::string(": ") + std::strerror(errno) : "");
  return tool::run_failed;
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  int code = tool::run_failed;
  try {
    code = command(argc, argv);
  } catch (...) {
    tool::command_has_ended();
    code = tool::report(std::current_exception());
  }
  return after_output(code);
}
