#include "network/catalogue.hpp"

#include <algorithm>

namespace spinet {

void Catalogue::add(const Model* model, std::string origin) {
  if (model->abi_version != abi_version)
    throw PluginError(origin + ": made for plugin interface version " + std::to_string(model->abi_version) + ", this is version " +
                      std::to_string(abi_version) + "; rebuild it");
  entries_.push_back({model, std::move(origin)});
}

const Model* Catalogue::find(Kind kind, std::string_view name) const {
  for (const auto& e : entries_)
    if (e.model->kind == kind && name == e.model->name) return e.model;
  return nullptr;
}

std::vector<Catalogue::Entry> Catalogue::all() const {
  auto sorted = entries_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
    return a.model->kind != b.model->kind ? a.model->kind < b.model->kind : std::string_view(a.model->name) < b.model->name;
  });
  return sorted;
}

}  // namespace spinet
