#include "plugins.hpp"

#include <fmt/core.h>

#include <set>
#include <sstream>

#include "exits.hpp"
#include "network/digest.hpp"
#include "network/suggest.hpp"

namespace spinet::tool {
namespace {

const char* name_of(Kind kind) {
  return kind == Kind::synapse ? "synapse" : kind == Kind::source ? "source" : "neuron";
}

/// "KIND NAME SHA256" of every plugin that satisfies `wanted`.
template <class Wanted>
std::set<std::string> texts(const Catalogue& catalogue, Wanted wanted) {
  std::set<std::string> found;
  for (const auto& [model, origin] : catalogue.all())
    if (origin != "built in" && wanted(*model))
      found.insert(fmt::format("{} {} {}", name_of(model->kind), model->name, hex(sha256_of_file(origin))));
  return found;
}

}  // namespace

std::vector<std::string> plugins_of(const Network& network, const Catalogue& catalogue) {
  std::set<const Model*> used;
  for (const auto& p : network.populations) used.insert(p.model);
  for (const auto& p : network.projections) used.insert(&p.synapse->model);
  const auto found = texts(catalogue, [&](const Model& m) { return used.contains(&m); });
  return {found.begin(), found.end()};
}

void require_plugins(const std::vector<std::string>& plugins, const Catalogue& catalogue,
                     const std::string& origin) {
  const auto here = texts(catalogue, [](const Model&) { return true; });
  for (const auto& plugin : plugins) {
    if (here.contains(plugin)) continue;
    std::istringstream words(plugin);
    std::string kind, name, digest;
    words >> kind >> name >> digest;
    const auto other = here.lower_bound(kind + " " + name + " ");
    if (other != here.end() && other->starts_with(kind + " " + name + " "))
      throw UserError(
          fmt::format("{}: the {} model {} is another one than that of the run: its file has the SHA-256\n  "
                      "{}, the run's had\n  {}",
                      origin, kind, in_quotes(name), other->substr(kind.size() + name.size() + 2), digest));
    throw UserError(
        fmt::format("{}: the {} model {} is a plugin; name its folder with --plugin-path or "
                    "SPINET_PLUGIN_PATH (SHA-256 {})",
                    origin, kind, in_quotes(name), digest));
  }
}

}  // namespace spinet::tool
