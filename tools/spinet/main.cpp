// The `spinet` command.
#include <unistd.h>

#include <cstdio>

#include <fmt/core.h>

#include "commands.hpp"
#include "crash.hpp"
#include "network/suggest.hpp"

namespace {

using namespace spinet;

/// "spinet rnu": CLI11 only says that it did not expect it.
void refuse_unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
  if (std::find(names.begin(), names.end(), argv[1]) == names.end())
    throw tool::UserError(fmt::format("spinet: no command {}; {}", in_quotes(argv[1]), suggest(argv[1], names, "commands")));
}

int command(int argc, char** argv) {
  CLI::App app{"Spinet: event-driven simulation of spiking networks, exact in time."};
  app.name("spinet");
  app.require_subcommand(1);
  app.footer("Exit codes: 0 fine, 2 the input is wrong, 3 the run failed or was stopped.\nStart here: spinet init two_neurons, "
             "then spinet run two_neurons.yaml");
  tool::Action action;
  for (const auto add : {tool::add_run, tool::add_resume, tool::add_sweep, tool::add_validate, tool::add_init, tool::add_models, tool::add_graph,
                         tool::add_device, tool::add_check_plugin, tool::add_info, tool::add_report, tool::add_view, tool::add_export, tool::add_version})
    add(app, action);
  refuse_unknown_command(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? tool::fine : tool::input_wrong;
  }
  const int code = action();
  tool::command_has_ended();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command(argc, argv);
  } catch (...) {
    tool::command_has_ended();
    return tool::report(std::current_exception());
  }
}
