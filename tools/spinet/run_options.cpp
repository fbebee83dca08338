// The options of `spinet run` and `spinet resume`.
#include "run_options.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "number_range.hpp"
#include "ranks.hpp"

namespace spinet::tool {
namespace {

void add_checkpoints(CLI::App& sub, RunOptions& o) {
  sub.add_option("--checkpoint-every", o.checkpoint_every,
                 "Model time between checkpoints: 10s; each at the end of its window, which is at most "
                 "10 ms long. Also one on SIGTERM and Ctrl-C")
      ->type_name("TIME")
      ->check(not_empty);
  sub.add_option("--checkpoint-wall", o.checkpoint_wall, "Wall time between checkpoints: 10min is 600s")
      ->type_name("TIME")
      ->check(not_empty);
}

Action start(std::shared_ptr<RunOptions> o) {
  return [o] {
    for (const auto& word : own_command_line())
      o->command_line += (o->command_line.empty() ? "" : " ") + word;
    return run(*o);
  };
}

}  // namespace

void add_resume(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("resume", "Go on with a run from a checkpoint");
  auto o = std::make_shared<RunOptions>();
  sub->add_option("CHECKPOINT", o->resume, "A checkpoint, OUT.ckpt.N.h5, in the folder of its log")
      ->required()
      ->type_name("FILE");
  sub->add_option("-o,--output", o->output,
                  "Write a log of another name; the run's own log is then left as it is")
      ->type_name("OUT.h5")
      ->check(not_empty);
  sub->add_option("-n,--ranks", o->ranks, "Ranks; any number, whatever the run had before")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  add_plugin_path(*sub, o->network.plugin_path);
  add_checkpoints(*sub, *o);
  sub->add_flag("--quiet", o->quiet, "Print nothing but errors");
  sub->add_flag("--force", o->force, "Replace an existing log");
  sub->add_flag("--json", o->json,
                "At the end one JSON object, as of `spinet info --json`, in place of the summary");
  sub->footer(
      "What the log holds from the checkpoint's time on is replaced; the result is that of the run without "
      "interruption.\n"
      "Exit codes: 0 fine, 2 the input is wrong, 3 the run failed or was stopped.");
  sub->callback([o, &action] { action = start(o); });
}

void add_run(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("run", "Run a network and write its log");
  auto o = std::make_shared<RunOptions>();
  add_network_options(*sub, o->network);
  sub->add_option("-o,--output", o->output, "The log to write (NAME.h5 in this folder, NAME from the file)")
      ->type_name("OUT.h5")
      ->check(not_empty);
  sub->add_option("-n,--ranks", o->ranks, "Ranks; more than one are started with mpirun")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  auto* dry = sub->add_flag(
      "--dry-run", o->dry,
      "Simulate nothing: say what each of so many ranks would take, building a few of them one by one");
  add_image_options(*sub, o->images);
  sub->add_option("--rate", o->rate, "Mean rate of the neurons that a dry run assumes (10 Hz)")
      ->type_name("HZ")
      ->check(number_range(0, 1e6))
      ->needs(dry);
  add_checkpoints(*sub, *o);
  sub->add_flag("--quiet", o->quiet, "Print nothing but errors");
  sub->add_flag("--force", o->force, "Replace an existing log");
  sub->add_flag("--json", o->json,
                "At the end one JSON object, as of `spinet info --json`, in place of the summary")
      ->excludes(dry);
  sub->footer(
      "Ctrl-C ends the run after the present window and closes the log; a second one quits.\n"
      "Exit codes: 0 fine, 2 the input is wrong, 3 the run failed or was stopped.");
  sub->callback([o, &action] { action = start(o); });
}

}  // namespace spinet::tool
