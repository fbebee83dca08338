// spinet validate
#include <fmt/core.h>

#include "inputs.hpp"
#include "memory.hpp"
#include "network/estimate.hpp"
#include "network/notes.hpp"

namespace spinet::tool {

void add_validate(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("validate", "Check a network; say what it will take");
  auto o = std::make_shared<NetworkOptions>();
  add_network_options(*sub, *o);
  sub->callback([o, &action] {
    action = [o] {
      const Catalogue catalogue = read_catalogue(o->plugin_path);
      const Network network = read_network(*o, catalogue);
      fmt::print("{}{}", describe(network, estimate(network)), where_it_fits(network));
      for (const auto& note : notes(network)) fmt::print("note: {}\n", note);
      return fine;
    };
  });
}

}  // namespace spinet::tool
