// spinet graph
#include <fmt/core.h>

#include "inputs.hpp"
#include "network/graph.hpp"

namespace spinet::tool {

void add_graph(CLI::App& app, Action& action) {
  auto* sub =
      app.add_subcommand("graph", "Print the graph of populations in the DOT language (for Graphviz)");
  auto o = std::make_shared<NetworkOptions>();
  add_network_options(*sub, *o);
  sub->footer("A picture: spinet graph FILE | dot -Tsvg > FILE.svg");
  sub->callback([o, &action] {
    action = [o] {
      const Catalogue catalogue = read_catalogue(o->plugin_path);
      fmt::print("{}", dot(read_network(*o, catalogue)));
      return fine;
    };
  });
}

}  // namespace spinet::tool
