#include "connect/rule.hpp"

#include <algorithm>

namespace spinet {

void ConnectionRule::read_edges(const Node&, const Node&, reading::EdgeList&) const {}

const ConnectionRule* connection_rule(std::string_view name) {
  const auto all = connection_rules();
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const ConnectionRule* r) { return r->format.name == name; });
  return at == all.end() ? nullptr : *at;
}

}  // namespace spinet
