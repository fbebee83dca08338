// What rules have in common whose edges the network lists: `list` and `sonata` differ in how these are read.
#pragma once
#include "connect/rule.hpp"

namespace spinet {

class ListedRule : public ConnectionRule {
 public:
  explicit ListedRule(const Format& f) : ConnectionRule(f) {}
  bool lists() const override { return true; }
  std::string label(const Projection& p) const override;
  double count(const Ends& e) const override { return static_cast<double>(e.projection.edges.size()); }
  void known(const Ends& e, const Pair& f) const override;
  std::string absent(const Ends& e, SynapseAddress a) const override;
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override;
};

}  // namespace spinet
