// The subcommands.  Each lives in a file of its own: it declares its options and returns what to do.
#pragma once
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "exits.hpp"
#include "network/catalogue.hpp"

namespace spinet::tool {

/// What a subcommand does once the command line has been read; the result is the exit code.
using Action = std::function<int()>;

/// Adds the subcommand to `app`; when it is chosen, `action` is set.
void add_run(CLI::App& app, Action& action);
void add_resume(CLI::App& app, Action& action);
void add_program(CLI::App& app, Action& action);
void add_learn(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_sweep(CLI::App& app, Action& action);
void add_validate(CLI::App& app, Action& action);
void add_init(CLI::App& app, Action& action);
void add_models(CLI::App& app, Action& action);
void add_graph(CLI::App& app, Action& action);
void add_import(CLI::App& app, Action& action);
void add_check_plugin(CLI::App& app, Action& action);
void add_device(CLI::App& app, Action& action);
void add_crossbar(CLI::App& app, Action& action);
void add_info(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_view(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_version(CLI::App& app, Action& action);

}  // namespace spinet::tool
