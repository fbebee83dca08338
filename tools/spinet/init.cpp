// spinet init
#include <fmt/core.h>

#include <iterator>

#include "commands.hpp"
#include "log/new_file.hpp"
#include "outputs.hpp"
#include "templates.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

void write_new(const std::string& file, const char* text, bool force) {
  check_output(file, Replace{force}, {});
  logging::write_whole(file, text);
}

}  // namespace

void add_init(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("init", "Write a commented network to start from");
  struct Options {
    std::string which = "two_neurons", output;
    bool force = false;
  };
  auto o = std::make_shared<Options>();
  std::vector<std::string> names;
  for (const auto& t : templates) names.emplace_back(t.name);
  sub->add_option("WHICH", o->which,
                  "two_neurons: the smallest; balanced: excitation and inhibition driven by noise; stdp: "
                  "plastic synapses")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  sub->add_option("-o,--output", o->output, "The file to write (WHICH.yaml)")->type_name("FILE");
  sub->add_flag("--force", o->force, "Replace an existing file");
  sub->callback([o, &action] {
    action = [o] {
      const std::string file = o->output.empty() ? o->which + ".yaml" : o->output;
      for (const auto& t : templates)
        if (o->which == t.name) write_new(file, t.text, o->force);
      fmt::print("wrote {}\nNext: spinet run {}\n", file, in_shell(file));
      return fine;
    };
  });
}

}  // namespace spinet::tool
