// Typed reading of a description: what the parts of the loader share.  Private to engine/network.
//
// Every function here reports what is wrong and returns an empty optional, so that callers go on and a file's
// errors come out in one pass.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/description.hpp"
#include "network/loader.hpp"
#include "network/source.hpp"
#include "network/units.hpp"

namespace spinet::reading {

/// Thrown where a value could not be read for a reason that has been reported where it lies.
struct AlreadyReported {};

/// One key of a map: drives the checks, the messages and the JSON schema.
struct Key {
  std::string_view name;
  bool required;
  std::string_view schema;  ///< name of its type in the schema
  std::string_view doc;
};

/// A choice among maps: a distribution's name and its arguments.
struct Named {
  std::string_view name;
  std::span<const Key> keys;
};
std::span<const Named> distribution_keys();

/// Unit of a number whose unit is not known, as what says it has an error of its own.
inline constexpr std::string_view any_unit = "?";

/// What a number must be.
struct Wanted {
  std::string what;  ///< "tau_m", for messages
  std::string unit = "1";
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::uint32_t flags = 0;  ///< Flag: low_open, high_open, integer, in_ticks
  bool single = false;      ///< is stored in single precision
};
/// Of a model's field; `unit_of_port` replaces the unit of fields flagged `port_unit`.
Wanted wanted(const Field& f, std::string_view unit_of_port = {});

/// "above 0 ms", "from 0 to 1", "a whole number from 1 to 10", "finite".
std::string range_text(const Wanted& w);
/// The shortest text of a number with its unit.
std::string with_unit(double value, std::string_view unit);

/// What the keys of a map may be, for messages about one that is not.
struct Allowed {
  std::vector<std::string> names;
  std::string_view kind;  ///< "parameters"; all of the help where there are no names
  /// Unit of the value of a name; `any_unit`: any.  Without it nothing is known of the values.
  std::function<std::string(const std::string& name)> unit = {};
};
/// Units of a model's fields, for Allowed; those of ports are not known here.
std::string unit_of(const Fields& fields, const std::string& name);

/// A value as it is written in one line, "..." if it is none that fits there.
std::string written(const Node& n);

/// The state of one load.
class Reader {
 public:
  Reader(const Catalogue& catalogue, const LoadOptions& options, Texts& texts, Diagnostics& errors,
         Network& network)
      : catalogue(catalogue), options(options), texts(texts), errors(errors), network(network) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  const Catalogue& catalogue;
  const LoadOptions& options;
  Texts& texts;
  Diagnostics& errors;
  Network& network;
  std::filesystem::path folder;       ///< that data files are relative to
  std::uint64_t memory_limit = 0;     ///< bytes
  Quantity tick{1, -9, {{0, 0, 1}}};  ///< time_resolution, as written so that times convert exactly

  void set_parameters(const Node& map);

  /// A `$name` that stands for a list or a map, or the node itself.
  const Node& resolved(const Node& n) const;

  /// The scalar as a number with its dimension; `hint` helps with misspelt units.
  /// `otherwise` is the help of messages that have none of their own.
  std::optional<Quantity> quantity(const Node& n, std::string_view what, const Dimension& hint = {},
                                   const std::string& otherwise = {});
  /// A number in the wanted unit and range; of a `derived` field also `auto`, which is `automatic`.
  std::optional<double> number(const Node& n, const Wanted& w);
  /// A whole number.
  std::optional<std::uint64_t> integer(const Node& n, std::string_view what, std::uint64_t low,
                                       std::uint64_t high);
  std::optional<std::string> text(const Node& n, std::string_view what);
  /// The number of one of a field's named choices; such a field takes no distribution.
  std::optional<double> choice(const Node& n, const Field& f);
  std::optional<bool> boolean(const Node& n, std::string_view what);
  /// A time in ticks, rounded to the nearest; refused below `low`.
  std::optional<Tick> time(const Node& n, std::string_view what, Tick low = 0);
  double ticks(const Quantity& time) const;
  /// "1.5 ms"
  std::string time_text(double ticks) const;
  /// A number, a named distribution, or (where `listed` is not 0) a list of that many values.
  static constexpr std::uint64_t any_number = ~std::uint64_t{0};
  std::optional<Distribution> distribution(const Node& n, const Wanted& w, std::uint64_t listed);

  /// Checks that n is a map with these keys only, all required ones there; `where` is blamed for missing
  /// ones. True if it is a map with all required keys, misspelt ones included.
  bool map(const Node& n, std::span<const Key> keys, std::string_view what, Mark where);

  /// The range that also what stores the value allows: single precision, whole numbers, ticks.
  Wanted limited(Wanted w) const;
  /// Why a value, of a network or a data file, cannot be; empty if it can.
  std::string fault(double value, const Wanted& w) const;
  /// Reports the key of a map that is none of those allowed, and notes which of them it may stand for, so
  /// that its value is checked all the same and the key meant is not found missing.
  void unknown_key(const Node& n, const Node::Key& k, const Allowed& allowed, std::string reason);
  /// Refuses a value that has a fault; the message goes to `where`.
  bool in_range(double value, const Wanted& w, Mark where);

  Mark inside(const Node& scalar, std::size_t position, std::size_t length) const;
  /// Counts values read from lists; false, with an error, when a small file has asked for too many of them.
  bool take(std::size_t values, Mark where);
  /// A file named by the network, in its folder; refuses what cannot be read.
  std::optional<std::filesystem::path> data_file(const Node& n);

 private:
  struct Parameter {
    const Node* node = nullptr;
    enum class State { unread, reading, number, other, failed } state = State::unread;
    Quantity value{};
  };
  Quantity parameter(std::string_view name);
  Quantity evaluate_scalar(const Node& n, const Dimension& hint);
  std::optional<double> convert(const Quantity& q, const Node& n, const Wanted& w);
  std::string guessed(const Node& value, std::string_view given, const Allowed& allowed) const;
  std::optional<Distribution> named_distribution(const Node& n, const Wanted& w);
  std::optional<Distribution> values(const Node& list, const Wanted& w, std::uint64_t count);
  std::optional<double> argument(const Node& args, const char* name, Wanted w);
  std::optional<Distribution> uniform(const Node& args, const Wanted& w);
  std::optional<Distribution> normal(const Node& args, const Wanted& w);
  std::optional<Distribution> exponential(const Node& args, const Wanted& w);
  std::optional<Distribution> lognormal(const Node& args, Mark where, const Wanted& w);
  bool bounds(const Node& map, const Wanted& w, Distribution& d);
  bool drawable(const Distribution& d, const Node& n, const Wanted& w);

  std::map<std::string, Parameter, std::less<>> parameters_;
  std::size_t taken_ = 0;
  std::vector<std::string> path_;  ///< parameters being read, outermost first
};

std::vector<std::string> names(std::span<const Key> keys);
/// True if one of n's keys stands for `name`, or was dropped: then its lack has been reported.
bool misspelt(const Node& n, std::string_view name);
/// Names of a model's fields that have all of `flags`.
std::vector<std::string> names(const Fields& fields, std::uint32_t flags = 0);
/// Field `i` of a table whose entries may be longer than ours.
const Field& field(const Fields& fields, std::uint32_t i);

}  // namespace spinet::reading
