// What several subcommands read: models and networks.
#pragma once
#include <string>
#include <vector>

#include "commands.hpp"
#include "manifest.hpp"
#include "network/loader.hpp"

namespace spinet::tool {

/// The options that say which network is meant.
struct NetworkOptions {
  std::string file;
  std::vector<std::string> set;
  std::string duration, seed;
  std::vector<std::string> plugin_path;
};

/// A check of options: an empty text is not as if the option were not there.
std::string not_empty(const std::string& text);

/// Adds FILE, --set, --duration, --seed and --plugin-path.
void add_network_options(CLI::App& sub, NetworkOptions& o);
void add_plugin_path(CLI::App& sub, std::vector<std::string>& folders);

/// Built-in models, then the folders given, then those of SPINET_PLUGIN_PATH (separated by colons).
Catalogue read_catalogue(const std::vector<std::string>& folders);

/// Reads recorded spikes for networks that play them back.
LoadOptions load_options();
/// The same with the values that the options replace.  Throws UserError.
LoadOptions load_options(const NetworkOptions& o);
/// "200 ms" as ticks or, with a tick of 1 s, as seconds; throws UserError naming `option`.
double time_in(const std::string& text, double seconds_per_unit, const std::string& option);
/// The same in whole ticks, at least one and at most 2^60.
double ticks_in(const std::string& text, double seconds_per_tick, const std::string& option);

/// All of a text file, or of a pipe, of at most `most` bytes.  Throws UserError naming `option`.
std::string text_of_file(const std::string& file, std::size_t most, const std::string& option);

/// Throws UserError, InvalidNetwork.  `files`: gets the data files that were read.
Network read_network(const NetworkOptions& o, const Catalogue& catalogue, DataFiles* files = nullptr);

}  // namespace spinet::tool
