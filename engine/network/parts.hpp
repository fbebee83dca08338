// The parts of the loader, in the order they run.  Private to engine/network.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "network/address.hpp"
#include "network/reading.hpp"

namespace spinet::reading {

/// Names that later parts refer to, with where they stand.
struct Names {
  std::map<std::string, std::uint32_t, std::less<>> index;
  std::vector<Mark> marks;
  /// Had an error: references to it are resolved, and nothing is said that may follow from it.
  std::vector<bool> flawed;
  std::vector<bool> unsized;   ///< of populations: the size is an error and stands at 1
  std::vector<bool> unplaced;  ///< of populations: the positions are an error
  bool complete = true;        ///< names of the section could be read: one that is not there is unknown
};

/// A parameter of a population that is drawn by fan-in, which its projections tell: until then as if it
/// were 1.
struct ByFanIn {
  std::uint32_t population, parameter;
  Mark where;
};
struct Loading {
  Reader& read;
  Network& net;
  Names populations, projections;
  std::vector<ByFanIn> by_fan_in{};
  /// Synapses that are named one by one, or rows and columns, whose rule draws them.
  struct Named {
    Mark where;
    Place place;
  };
  std::vector<Named> named{};
};

/// "exc", or a part of it: "exc[0:100]" (half-open, as in Python).
struct Selected {
  std::uint32_t population;
  GidRange range;
  bool whole;
  /// False: the name is misspelt or the size an error; nothing is to be said that follows from them.
  bool sure;
};
/// Empty after an error that leaves no population.
std::optional<Selected> select(Loading& l, const std::string& text, Mark where);

/// A rule that has been read into its projection, with what is still to be read.
struct RuleRead {
  bool good = true;              ///< false after an error
  const Node* edges = nullptr;   ///< value of a rule that lists edges
  const Node* beside = nullptr;  ///< the map that it stands in
};
/// What `connect` has to be where another simulator's keys say it: `value` of a rule, its number `beside` it.
std::string rule_line(const Node& value, const Node& beside);
RuleRead load_rule(Loading& l, Projection& p, const Node& connect, Mark where);

/// Is this `{fan_in: ...}`?
bool asks_fan_in(const Node& n);
/// What `{fan_in: uniform}` is drawn from with this fan-in; empty after an error.
std::optional<Distribution> by_fan_in(Reader& r, const Node& n, const Wanted& w, double fan_in);
/// `shape` of a population; empty after an error.
std::optional<layers::Shape> read_shape(Reader& r, const Node& n);
/// Has a model curves that it reads out?
bool takes_curves(const Model& m);
/// `curves` of a population; empty after an error.
std::optional<layers::Curves> read_curves(Reader& r, const Node& n);
/// `normalise` and `dropout` of a projection; false after an error.
bool read_preparation(Reader& r, const Node& projection, layers::Preparation& to);
/// Once all ends and synapses are known: what of layers follows from both.
void load_layers(Loading& l);
void load_training(Loading& l, const Node& n);
/// `devices`: how those are read that weights have been written onto.
void load_devices(Loading& l, const Node& n);

/// `positions` of a population; false after an error.
bool read_positions(Loading& l, Population& p, const Node& n);
/// `spikes` of a population whose model takes them.
void read_spikes(Reader& r, Population& p, const Node& n);
/// `patterns` of an environment: a row of numbers per pattern, inputs then targets, all of one width.
void read_patterns(Reader& r, Population& p, const Node& n);
void load_populations(Loading& l, const Node& map);
void load_projections(Loading& l, const Node& map);
void load_schedule(Loading& l, const Node& list);
/// Which projections environments may address, once those are there.
void load_drives(Loading& l, const Node& populations);
void load_recording(Loading& l, const Node& map);
/// [[source, target], ...], by number along the concatenated sources and targets of a projection.  False
/// after an error.
bool synapse_list(Loading& l, std::uint32_t projection, const Node& list,
                  std::vector<SynapseAddress>& synapses);
/// `until: task.reward_filtered >= 0.975`
void load_until(Loading& l, const Node& n);
/// Refuses environments that answer sooner than events travel.
void check_environments(Loading& l);
/// Refuses a network that memory does not hold.
void check_memory(Loading& l);

/// `preset` of a population or synapse of model `m`; null without one and after an error.
const Preset* read_preset(Reader& r, const Node& n, const Model& m);

/// Keys of the maps of a network, for the checks and the schema.
std::span<const Key> top_keys();
std::span<const Key> population_keys();
std::span<const Key> pattern_keys();
std::span<const Key> training_keys();
std::span<const Named> optimiser_keys();
std::span<const Named> rate_schedule_keys();
std::span<const Key> normalise_keys();
std::span<const Key> curves_keys();
std::span<const Key> positions_keys();
std::span<const Key> projection_keys();
std::span<const Key> connect_keys();
std::span<const Key> synapse_keys();
std::span<const Key> program_keys();
std::span<const Key> devices_keys();
std::span<const Key> delay_keys();
std::span<const Key> weights_from_keys();
std::vector<Key> schedule_keys(const Catalogue& c);
std::span<const Key> record_keys();
std::span<const Key> spikes_keys();
std::span<const Key> report_keys();
std::span<const Key> weight_keys();

/// A column of a data file.
struct Column {
  std::string name;
  std::string unit;  ///< of the numbers handed on; a header may name another: "delay [s]"
  bool required;
  bool by_name = false;  ///< only where the first line names it; these come last
};
/// Why a row cannot be, and which of the columns is to blame.
struct RowFault {
  std::string reason;              ///< empty: it can
  std::size_t column = no_column;  ///< of those given
  static constexpr std::size_t no_column = ~std::size_t{0};
  bool empty() const { return reason.empty(); }
};
/// A file of numbers, and where the description names it.
struct DataFile {
  std::filesystem::path path;
  Mark named_at;
};
/// Reads a CSV file.  A first line that is no data names the columns; without it they come in the order
/// given. `begin` hears once which columns there are; `row` gets one number per column given (NaN where
/// absent). Either returns a reason to refuse, or an empty one.
void read_csv(Reader& r, const DataFile& file, std::span<const Column> columns,
              const std::function<std::string(const std::vector<bool>&)>& begin,
              const std::function<RowFault(std::span<const double>)>& row);

/// The columns that the first line of a CSV file names, whatever they are; none where there is no line.
std::vector<Column> csv_header(const std::filesystem::path& file);

/// What a reader of files says, without the file's name in front: messages name it once.
std::string without_name(const std::filesystem::path& file, std::string_view reason);

}  // namespace spinet::reading
