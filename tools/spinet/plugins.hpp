// Which plugins a run uses, so that its resumption takes the same.
#pragma once
#include <string>
#include <vector>

#include "network/catalogue.hpp"
#include "network/checked.hpp"

namespace spinet::tool {

/// The plugins that a network uses, as a checkpoint names them: "KIND NAME SHA256", the digest that of the
/// plugin's file.
std::vector<std::string> plugins_of(const Network& network, const Catalogue& catalogue);
/// Throws UserError unless the catalogue has all of `plugins`, from files of the same contents.  `origin`:
/// who wants them.
void require_plugins(const std::vector<std::string>& plugins, const Catalogue& catalogue,
                     const std::string& origin);

}  // namespace spinet::tool
