#include "inputs.hpp"

#include <fmt/core.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "comm/machine.hpp"
#include "core/connect.hpp"
#include "crash.hpp"
#include "log/reader.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"

namespace spinet::tool {
namespace {

std::vector<FileSpike> read_sonata(const std::filesystem::path& file, const std::string& population) {
  constexpr double ticks_per_ms = 1e9;  // ps: finer than any network's resolution
  std::vector<FileSpike> spikes;
  for (const auto& s :
       read_sonata_spikes(file, population, ticks_per_ms, std::numeric_limits<std::uint32_t>::max()))
    spikes.push_back({static_cast<double>(s.tick) / ticks_per_ms, s.index});
  return spikes;
}

std::vector<FileEdges> read_edges(const std::filesystem::path& file, const std::string& name,
                                  std::uint64_t most, const std::vector<std::string>& properties) {
  std::vector<FileEdges> groups;
  for (auto& g : read_sonata_edges(file, name, most, properties))
    groups.push_back({std::move(g.group), std::move(g.source), std::move(g.target), std::move(g.sources),
                      std::move(g.targets), std::move(g.weights), std::move(g.delays), std::move(g.counts),
                      std::move(g.weight_unit), std::move(g.properties)});
  return groups;
}

}  // namespace

void add_plugin_path(CLI::App& sub, std::vector<std::string>& folders) {
  sub.add_option("--plugin-path", folders,
                 "Load every *.so of this folder (may be repeated; also SPINET_PLUGIN_PATH)")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

std::string not_empty(const std::string& text) { return text.empty() ? "a value is missing" : ""; }

void add_network_options(CLI::App& sub, NetworkOptions& o) {
  sub.add_option("FILE", o.file, "The network, a YAML file")->required();
  sub.add_option("--set", o.set, "Replace a value of the file: --set parameters.g=4.5 (may be repeated)")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  sub.add_option("--duration", o.duration, "Replace the duration: --duration 200ms")
      ->type_name("TIME")
      ->check(not_empty);
  sub.add_option("--seed", o.seed, "Replace the seed")->type_name("N")->check(not_empty);
  add_plugin_path(sub, o.plugin_path);
}

Catalogue read_catalogue(const std::vector<std::string>& folders) {
  Catalogue catalogue;
  add_builtin(catalogue);
  const auto load = [&](const std::string& folder) {
    name_plugins_that_crash(folder);
    catalogue.load_folder(folder);
  };
  for (const auto& folder : folders) load(folder);
  if (const char* path = std::getenv("SPINET_PLUGIN_PATH")) {
    std::istringstream list(path);
    for (std::string folder; std::getline(list, folder, ':');)
      if (!folder.empty()) load(folder);
  }
  return catalogue;
}

LoadOptions load_options() {
  LoadOptions options;
  options.memory_limit = machine_memory();
  options.read_sonata = read_sonata;
  options.read_sonata_edges = read_edges;
  options.read_weights = read_weights;
  return options;
}

double time_in(const std::string& text, double seconds_per_unit, const std::string& option) {
  const auto unit_at = text.find_first_not_of("0123456789.+-eE ");
  double number = 0;
  bool good = unit_at != std::string::npos && unit_at > 0;
  if (good) {
    const auto digits = text.substr(0, unit_at);
    char* end = nullptr;
    number = std::strtod(digits.c_str(), &end);
    good = end != digits.c_str() &&
           digits.find_first_not_of(' ', static_cast<std::size_t>(end - digits.c_str())) == std::string::npos;
  }
  const auto unit = good ? parse_unit(text.substr(unit_at)) : std::nullopt;
  const auto second = parse_unit("s");
  if (!unit || unit->dimension != second->dimension || !(number > 0))
    throw UserError(fmt::format("{} {}: a time is wanted, for example 10s or 500ms", option, text));
  return number * unit->factor * std::pow(10.0, unit->decade) / seconds_per_unit;
}

double ticks_in(const std::string& text, double seconds_per_tick, const std::string& option) {
  const double ticks = std::round(time_in(text, seconds_per_tick, option));
  if (!(ticks >= 1 && ticks <= 0x1p60))
    throw UserError(fmt::format("{} {}: {} (time_resolution: {} ns)", option, text,
                                ticks < 1 ? "shorter than a tick" : "too long: more than 2^60 ticks",
                                seconds_per_tick * 1e9));
  return ticks;
}

LoadOptions load_options(const NetworkOptions& o) {
  LoadOptions options = load_options();
  for (const auto& assignment : o.set) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UserError(
          fmt::format("--set {}: a value is given as PATH=VALUE, for example parameters.g=4.5", assignment));
    options.overrides.emplace_back(assignment.substr(0, equals), assignment.substr(equals + 1));
  }
  if (!o.duration.empty()) options.overrides.emplace_back("duration", o.duration);
  if (!o.seed.empty()) options.overrides.emplace_back("seed", o.seed);
  options.not_drawn = not_drawn;
  return options;
}

std::string text_of_file(const std::string& file, std::size_t most, const std::string& option) {
  const auto refuse = [&](const std::string& why) {
    throw UserError(fmt::format("{}: {} {}", option, in_quotes(file), why));
  };
  std::error_code code;
  if (std::filesystem::is_directory(file, code)) refuse("is a folder, not a file");
  std::ifstream in(file, std::ios::binary);
  if (!in) refuse("cannot be read");
  std::string text;
  char some[1 << 16];
  while (in.read(some, sizeof some), in.gcount() > 0) {
    text.append(some, static_cast<std::size_t>(in.gcount()));
    if (text.size() > most) refuse(fmt::format("has more than {} MiB", most >> 20));
  }
  if (in.bad()) refuse("cannot be read");
  if (text.find('\0') != std::string::npos) refuse("is no text");
  return text;
}

Network read_network(const NetworkOptions& o, const Catalogue& catalogue, DataFiles* files) {
  LoadOptions options = load_options(o);
  if (files) options.data_file = collect_into(*files);
  return load(o.file, catalogue, options);
}

}  // namespace spinet::tool
