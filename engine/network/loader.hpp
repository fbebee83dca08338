// From a YAML file to a checked network.  The format is described in networks/README.md.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/catalogue.hpp"
#include "network/checked.hpp"
#include "network/source.hpp"

namespace spinet {

/// A spike of a data file: time in ms, neuron within its population.
struct FileSpike {
  double ms;
  std::uint64_t id;
};

/// Connections of a data file between two populations, as SONATA has them; one entry of each list per edge.
struct FileEdges {
  std::string group;           ///< name in the file, for messages
  std::string source, target;  ///< names of the populations; empty where the file does not say
  std::vector<std::uint64_t> sources, targets;  ///< node ids within these populations
  std::vector<double> weights, delays;          ///< empty if the file has none; delays in ms
  std::vector<std::uint64_t> counts;            ///< synapses of each edge; empty: one
  std::string weight_unit;                      ///< empty: not said
  struct Property {
    std::vector<double> values;  ///< empty if the file has none
    std::string unit;            ///< empty: not said
  };
  std::vector<Property> properties;  ///< as asked for
};

/// Weights of a run's log, in its canonical order of edges.
struct FileWeights {
  struct Row {
    std::uint32_t source_population, target_population;  ///< of `populations`
    std::uint64_t source, target;                        ///< indices within them
  };
  std::vector<std::string> populations;
  std::vector<Row> rows;
  std::vector<std::vector<double>> values;  ///< by variable asked for, then by row
  std::vector<std::string> missing;         ///< by variable: why the log does not have it; empty: it does
};

/// What a network begins with of an earlier run: the last of the log's frames, of its events, or what its
/// edges hold.
struct WantedState {
  std::string projection, values;      ///< values: frame, events, edges
  std::vector<std::string> variables;  ///< names
  std::string in_place;                ///< the variable whose place in the log is the projection's name alone
  bool weight = false;                 ///< variables[0] is the weight, `syn_weight` of edges
};

struct LoadOptions {
  /// Values that replace those of the file, path and text: {"parameters.g", "4.5"}, {"duration", "200 ms"},
  /// {"schedule.0.at", "1 s"}.  Errors in them are reported like those of the file.
  std::vector<std::pair<std::string, std::string>> overrides;
  /// More of them, of a sweep: messages name --vary instead of --set.
  std::vector<std::pair<std::string, std::string>> varied;
  /// Bytes that lists read from files may take, which every rank holds whole; 0: any number.
  std::uint64_t memory_limit = 0;
  /// Folder that the network's data files are relative to; empty: the folder of the YAML file.
  std::filesystem::path data_root;
  /// Reads the spikes of a population from a SONATA file, in any order; throws std::exception with a reason.
  /// Without it, networks that name such a file are refused.
  std::function<std::vector<FileSpike>(const std::filesystem::path& file, const std::string& population)>
      read_sonata;
  /// Reads the edge population `name` of a SONATA file, or the projection of that name of a Spinet log (one
  /// group per pair of populations), with those of the `properties` that it has; empty: the only one of the
  /// file. Refuses more than `most` edges.  Throws as above.
  std::function<std::vector<FileEdges>(const std::filesystem::path& file, const std::string& name,
                                       std::uint64_t most, const std::vector<std::string>& properties)>
      read_sonata_edges;
  /// Reads variables of a projection's synapses from a log; the first of them must be there.  Throws
  /// std::exception with a reason.
  std::function<FileWeights(const std::filesystem::path& file, const WantedState& wanted)> read_weights;
  /// For each place what it names and its projection, which draws its synapses, has not: "synapse from source
  /// 3 to target 1", say; empty: it is there.  Asked once, of a network without other errors; without it all
  /// are taken to be there.
  std::function<std::vector<std::string>(const Network& network, const std::vector<Place>& places)> not_drawn;
  /// Told of every data file that the network names and that is there: the name as given, and where it is.
  std::function<void(const std::string& name, const std::filesystem::path& file)> data_file;
};

/// Every error of a network.  what() is `rendered`.
class InvalidNetwork : public std::runtime_error {
 public:
  InvalidNetwork(std::vector<Diagnostic> diagnostics, std::string rendered)
      : std::runtime_error(rendered), diagnostics(std::move(diagnostics)), rendered(std::move(rendered)) {}
  std::vector<Diagnostic> diagnostics;  ///< in the order of the file
  std::string rendered;                 ///< all of them for people, ending with a newline
};

/// Reads and checks a network.  Throws InvalidNetwork.
Network load(const std::filesystem::path& file, const Catalogue& catalogue, const LoadOptions& options = {});

/// The same for a text in memory; `name` stands for the file in messages.
Network load_text(std::string_view text, const std::string& name, const Catalogue& catalogue,
                  const LoadOptions& options = {});

/// What is wrong with a checked network for some purpose, shown at a name of its text; without a place about
/// all of it.
InvalidNetwork unfit(const Network& network, const TextPlace& place, const std::string& reason);

}  // namespace spinet
