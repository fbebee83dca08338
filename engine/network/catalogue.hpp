// The models a network may name: built in, or loaded from the plugin path.
#pragma once
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "spinet/model.hpp"

namespace spinet {

/// A plugin file that cannot be used, with the reason a person can act on.
struct PluginError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Checks a table's head, then its fields, ports and functions.  Nothing past the head is touched before the
/// version and the size have been found right.  Throws PluginError with `origin` and the reason.
void check_table(const Model* model, const std::string& origin);

class Catalogue {
 public:
  /// Adds a table after check_table.  Throws PluginError, also where the name is taken (neurons and sources
  /// share one set of names, synapses have their own).  Adding the same table again does nothing.
  void add(const Model* model, std::string origin);
  /// Loads a shared library (dlopen; stays loaded).  Throws PluginError.
  void load(const std::filesystem::path& library);
  /// Loads every *.so of a folder, by name.  Throws PluginError.
  void load_folder(const std::filesystem::path& folder);
  const Model* find(Kind kind, std::string_view name) const;  ///< null if there is none
  struct Entry {
    const Model* model;
    std::string origin;
  };                               ///< origin: "built in" or a path
  std::vector<Entry> all() const;  ///< by kind, then name
  /// What models answer and environments post, each once, by name.
  std::vector<const Stimulus*> stimuli() const;

 private:
  std::vector<Entry> entries_;
};

/// All models compiled into this program (the list is made by CMake from models/ and plugins/).
void add_builtin(Catalogue& c);

}  // namespace spinet
