#include "network/catalogue.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <span>

#include "network/units.hpp"
#include "spinet/neuron.hpp"
#include "spinet/source.hpp"
#include "spinet/synapse.hpp"

namespace spinet {
namespace {

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::neuron:
      return "neuron";
    case Kind::synapse:
      return "synapse";
    case Kind::source:
      return "source";
  }
  return nullptr;
}

/// What a network's file may call something: a letter, then letters, digits and underscores.
bool is_name(const char* text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!text || !letter(*text)) return false;
  for (; *text; ++text)
    if (!letter(*text) && !(*text >= '0' && *text <= '9') && *text != '_') return false;
  return true;
}

/// Checks a table, in an order that touches nothing before what it depends on has been found right.
class TableCheck {
 public:
  TableCheck(const Model* model, const std::string& origin) : model_(model), origin_(origin) {}

  void all() {
    if (!model_) fail("its spinet_model() returned no table");
    head();
    switch (model_->kind) {
      case Kind::neuron:
        neuron(*reinterpret_cast<const NeuronTable*>(model_));
        break;
      case Kind::synapse:
        synapse(*reinterpret_cast<const SynapseTable*>(model_));
        break;
      case Kind::source:
        source(*reinterpret_cast<const SourceTable*>(model_));
        break;
    }
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { throw PluginError(origin_ + ": " + reason); }
  void need(bool holds, const std::string& reason) const {
    if (!holds) fail(reason);
  }

  void head() const {
    need(model_->abi_version == abi_version,
         "made for plugin interface version " + std::to_string(model_->abi_version) + ", this is version " +
             std::to_string(abi_version) + "; rebuild it against the headers of this spinet");
    need(name_of(model_->kind) != nullptr, "its kind, " +
                                               std::to_string(static_cast<std::uint32_t>(model_->kind)) +
                                               ", is none of neuron, synapse, source");
    const std::size_t size = model_->kind == Kind::neuron    ? sizeof(NeuronTable)
                             : model_->kind == Kind::synapse ? sizeof(SynapseTable)
                                                             : sizeof(SourceTable);
    need(model_->struct_size == size, "its table has " + std::to_string(model_->struct_size) +
                                          " bytes where this spinet has " + std::to_string(size) +
                                          "; rebuild it against the headers of this spinet");
    need(is_name(model_->name),
         "the model has no name, or one that is more than letters, digits and underscores");
    need(model_->doc && *model_->doc, "the model '" + std::string(model_->name) + "' has no description");
  }

  /// How much there is of something, against what the contract allows.
  void at_most(const char* what, std::uint32_t n, std::uint32_t most) const {
    need(n <= most, std::string("it has ") + std::to_string(n) + " " + what + " where " +
                        std::to_string(most) + " are allowed");
  }
  void sizes(std::initializer_list<std::pair<std::string, std::uint32_t>> structs) const {
    for (const auto& [name, bytes] : structs)
      need(bytes <= limit::bytes, "its " + name + " has " + std::to_string(bytes) + " bytes where " +
                                      std::to_string(limit::bytes) + " are allowed");
  }
  /// Names of metrics or of variables that are read.
  void names(const char* const* some, std::uint32_t n, const char* what) const {
    for (std::uint32_t i = 0; i < n; ++i)
      need(some && is_name(some[i]),
           std::string(what) + " " + std::to_string(i) +
               " has no name, or one that is more than letters, digits and underscores");
  }

  /// Where fields lie in a struct: inside it, and no two in one place.
  void places(const Fields& f, const char* what, std::uint32_t struct_size, bool may_be_computed) const {
    std::map<std::uint32_t, std::pair<std::uint32_t, const char*>> taken;  // begin: end, whose
    for (std::uint32_t i = 0; i < f.count; ++i) {
      const Field& field = f.data[i];
      const std::string who = std::string(what) + " '" + field.name + "'";
      if (field.part != 0) {
        need(!(field.flags & initial), who + " lies in a part, and no network can give its value");
        continue;
      }
      if (field.offset == no_place) {
        need(may_be_computed, who + " has no place in its struct; only variables may be computed");
        need(!(field.flags & initial),
             who + " is flagged `initial` and has no place in the state for the value that a network gives");
        continue;
      }
      const std::uint32_t width = field.type == Type::f64 ? sizeof(double) : sizeof(float);
      need(field.offset % width == 0 && std::uint64_t{field.offset} + width <= struct_size,
           who + " lies outside its struct (offset " + std::to_string(field.offset) + " of " +
               std::to_string(struct_size) + " bytes)");
      const auto next = taken.lower_bound(field.offset + width);
      if (next != taken.begin()) {
        const auto& [end, other] = std::prev(next)->second;
        need(end <= field.offset, who + " lies where '" + other + "' lies");
      }
      taken[field.offset] = {field.offset + width, field.name};
    }
  }

  /// A unit that values in networks can be given in.
  void unit(const char* text, const std::string& who) const {
    need(parse_unit(text).has_value(),
         who + ": '" + text + "' is no unit (as ms, mV, pA/ms, 1/s, or 1 for a plain number)");
  }

  void fields(const Fields& f, const char* what) const {
    at_most((std::string(what) + "s").c_str(), f.count, limit::fields);
    if (f.count == 0) return;
    need(f.data != nullptr && f.stride == sizeof(Field),
         std::string("the table of its ") + what + "s was made with other headers; rebuild it");
    std::set<std::string> names;
    for (std::uint32_t i = 0; i < f.count; ++i) {
      const Field& field = f.data[i];
      need(is_name(field.name), std::string(what) + " " + std::to_string(i) +
                                    " has no name, or one that is more than letters, digits and underscores");
      const std::string who = std::string(what) + " '" + field.name + "'";
      need(names.insert(field.name).second, who + " occurs twice");
      need(field.unit && *field.unit, who + " has no unit (\"1\" for a plain number)");
      unit(field.unit, who);
      need(field.doc && *field.doc, who + " has no description");
      need(field.type == Type::f64 || field.type == Type::f32,
           who + " is of unknown type " + std::to_string(static_cast<std::uint32_t>(field.type)));
      const bool low_ok = field.flags & low_open ? field.preset > field.low : field.preset >= field.low;
      const bool high_ok = field.flags & high_open ? field.preset < field.high : field.preset <= field.high;
      if (field.flags & derived) {
        need(is_auto(field.preset),
             who + ": its default is derived and must be `automatic`, not " + std::to_string(field.preset));
        need(std::string_view(what) == "parameter" && field.type == Type::f64 && !(field.flags & shared) &&
                 !field.choices,
             who +
                 " cannot be derived: only parameters are that are doubles, no choices and not flagged "
                 "`shared`");
      } else if (!(field.flags & required)) {
        need(std::isfinite(field.preset) && low_ok && high_ok,
             who + ": its default, " + std::to_string(field.preset) + ", lies outside its own range");
      }
    }
  }

  /// A parameter that the schedule may change needs a function that takes the change.
  void changes(bool has_set) const {
    for (std::uint32_t i = 0; i < model_->params.count && !has_set; ++i)
      need(
          !(model_->params.data[i].flags & scheduled),
          "parameter '" + std::string(model_->params.data[i].name) +
              "' is flagged `scheduled`, and the model has no function `set`: a change would have no effect");
  }

  /// Named sets of parameters: each parameter is one of the model's, and in its range.
  void presets() const {
    at_most("presets", model_->preset_count, limit::fields);
    need(model_->preset_count == 0 || model_->presets, "its table of presets is missing");
    for (std::uint32_t i = 0; i < model_->params.count; ++i)
      need(model_->preset_count == 0 || std::string_view(model_->params.data[i].name) != "preset",
           "parameter 'preset' has the name of the key that chooses one of its presets");
    for (std::uint32_t i = 0; i < model_->preset_count; ++i) {
      const Preset& p = model_->presets[i];
      need(is_name(p.name), "preset " + std::to_string(i) +
                                " has no name, or one that is more than letters, digits and underscores");
      const std::string who = std::string("preset '") + p.name + "'";
      for (std::uint32_t k = 0; k < i; ++k)
        need(std::string_view(model_->presets[k].name) != p.name, who + " occurs twice");
      need(p.source && *p.source, who + " does not say where its values are from");
      at_most("settings of a preset", p.count, limit::fields);
      need(p.count > 0 && p.settings, who + " sets no parameter");
      for (std::uint32_t k = 0; k < p.count; ++k) setting(p.settings[k], who);
    }
  }
  void setting(const Setting& s, const std::string& who) const {
    need(is_name(s.name), who + " sets a parameter without a name");
    const Field* f = nullptr;
    for (std::uint32_t i = 0; i < model_->params.count; ++i)
      if (std::string_view(model_->params.data[i].name) == s.name) f = &model_->params.data[i];
    const std::string what = who + " sets '" + s.name + "'";
    need(f != nullptr, what + ", which is none of the model's parameters");
    need(!(f->flags & port_unit), what + ", whose unit is that of a port");
    const bool inside = std::isfinite(s.value) &&
                        (f->flags & low_open ? s.value > f->low : s.value >= f->low) &&
                        (f->flags & high_open ? s.value < f->high : s.value <= f->high) &&
                        (!(f->flags & integer) || s.value == std::floor(s.value));
    need(inside, what + " to " + std::to_string(s.value) + ", which lies outside its range");
  }

  /// What the model answers, or an environment posts.
  void stimuli(const Stimulus* some, std::uint32_t n, const char* what) const {
    at_most(what, n, limit::fields);
    need(n == 0 || some, std::string("its table of ") + what + " is missing");
    for (std::uint32_t i = 0; i < n; ++i) {
      const Stimulus& s = some[i];
      need(is_name(s.name), std::string(what) + ", number " + std::to_string(i) +
                                ": no name, or one that is more than letters, digits and underscores");
      const std::string who = std::string("stimulus '") + s.name + "'";
      for (std::uint32_t k = 0; k < i; ++k)
        need(std::string_view(some[k].name) != s.name, who + " occurs twice");
      for (const char* taken :
           {"at", "set", "weights", "to", "rows", "columns", "synapses", "scheme", "repeat"})
        need(std::string_view(s.name) != taken, who + " has the name of a key of schedules");
      need(s.doc && *s.doc && s.does && *s.does, who + " has no description");
      at_most("values of a stimulus", s.count, most_stimulus_values);
      need(s.count == 0 || s.fields, who + " has no table of its values");
      need(s.count > 0 || s.flags & wired,
           who + " has no value that says whom it reaches, and is not `wired`");
      fields({s.fields, s.count, sizeof(Field)}, "value");
    }
  }
  void answers_what() const { stimuli(model_->stimuli, model_->stimulus_count, "stimuli"); }

  void neuron(const NeuronTable& t) const {
    if (t.per_neuron) check_table(&t.per_neuron->model, origin_ + " (time constants per neuron)");
    sizes({{"Params", t.params_size},
           {"State", t.state_size},
           {"Constants", t.constants_size},
           {"Shared", t.shared_size},
           {"Common", t.common_size}});
    fields(model_->params, "parameter");
    places(model_->params, "parameter", t.params_size, false);
    presets();
    fields(model_->variables, "variable");  // read by a function, not by place
    need(t.port_count > 0 && t.ports, "a neuron model needs a port");
    at_most("ports", t.port_count, limit::fields);
    at_most("metrics", t.metric_count, limit::metrics);
    names(t.metrics, t.metric_count, "metric");
    answers_what();
    need((t.on_control == nullptr) == (model_->stimulus_count == 0),
         "`on_control` and `stimuli` come together or not at all");
    for (std::uint32_t i = 0; i < model_->stimulus_count; ++i)
      need(!(model_->stimuli[i].flags & wired),
           std::string("stimulus '") + model_->stimuli[i].name + "' is one of synapses");
    stimuli(t.posts, t.post_count, "posts");
    need(t.environment || t.post_count == 0, "it posts something, and is no environment");
    need(t.following == nullptr || (t.following->follow && t.following->followed < t.model.params.count),
         "`Following` has no `follow`, or no parameter of the name in `followed`");
    if (t.following) check_table(&t.following->model, origin_ + " (what follows waveforms)");
    need(t.environment || t.metric_count == 0,
         "it has metrics, which rewards of an environment hold, and is none");
    std::set<std::string> names;
    for (std::uint32_t i = 0; i < t.port_count; ++i) {
      const Port& port = t.ports[i];
      need(is_name(port.name), "port " + std::to_string(i) +
                                   " has no name, or one that is more than letters, digits and underscores");
      need(names.insert(port.name).second, "port '" + std::string(port.name) + "' occurs twice");
      need(port.unit && *port.unit && port.doc && *port.doc,
           "port '" + std::string(port.name) + "' has no unit or no description");
      unit(port.unit, "port '" + std::string(port.name) + "'");
      need(port.sign >= -1 && port.sign <= 1,
           "port '" + std::string(port.name) + "': its sign is none of -1, 0, 1");
      need(!port.evaluates || t.evaluate,
           "port '" + std::string(port.name) + "' has neurons evaluated, and the model has no 'evaluate'");
    }
    need(t.init && t.receive && t.receive_train && t.read,
         "a function that every neuron model needs is missing");
    need(t.shared_size == 0 || t.prepare, "it has Shared data but no function that prepares them");
    changes(t.set != nullptr);
    need((t.frame == nullptr) == (t.renormalise == nullptr),
         "frame and renormalise come together or not at all");
    const int of_slabs =
        (t.begin_slab != nullptr) + (t.take_slab != nullptr) + (t.take_out != nullptr) + (t.look != nullptr);
    need(of_slabs == 0 || of_slabs == 4,
         "begin_slab, take_slab, take_out and look come together or not at all");
  }

  void synapse(const SynapseTable& t) const {
    sizes({{"Params", t.params_size},
           {"State", t.state_size},
           {"SliceState", t.slice_state_size},
           {"Shared", t.shared_size}});
    fields(model_->params, "parameter");
    places(model_->params, "parameter", t.params_size, false);
    presets();
    fields(model_->variables, "variable");
    places(model_->variables, "variable", t.state_size, true);
    at_most("reads", t.read_count, limit::fields);
    names(t.reads, t.read_count, "what it reads, number");
    need(t.on_pre || t.state_size == sizeof(float), "without on_pre the state is the weight, one float");
    need(t.read != nullptr, "a function that every synapse model needs is missing");
    need(t.shared_size == 0 || t.prepare, "it has Shared data but no function that prepares them");
    answers_what();
    need((t.on_control == nullptr) == (model_->stimulus_count == 0),
         "`on_control` and `stimuli` come together or not at all");
    changes(t.set != nullptr);
    extends(t);
    bool has_weight = false;
    for (std::uint32_t i = 0; i < model_->variables.count; ++i)
      has_weight |= (model_->variables.data[i].flags & initial) != 0;
    for (std::uint32_t i = 0; i < model_->stimulus_count; ++i) {
      const Stimulus& s = model_->stimuli[i];
      bool has_variable = !s.logs;
      for (std::uint32_t v = 0; v < model_->variables.count && !has_variable; ++v)
        has_variable = std::string_view(model_->variables.data[v].name) == s.logs;
      need(has_variable, std::string("it answers '") + s.name + "' and has no variable '" +
                             (s.logs ? s.logs : "") + "', which is logged then");
    }
    need(has_weight, "no variable is flagged `initial`; the first such one is the weight that networks give");
  }

  /// Parameters that may be drawn for each device, and parts.
  void extends(const SynapseTable& t) const {
    at_most("parts", t.part_count, 32);
    need((t.part_count == 0) == (t.parts == nullptr), "`Parts` that are not empty and `parts` come together");
    need(!t.extras, "its `extras` are the engine's to make");
    for (std::uint32_t k = 0; k < t.part_count; ++k)
      sizes({{"part " + std::to_string(k + 1), t.part_sizes[k]}});
    for (std::uint32_t i = 0; i < model_->variables.count; ++i) {
      const Field& f = model_->variables.data[i];
      const std::uint32_t width = f.type == Type::f64 ? sizeof(double) : sizeof(float);
      need(f.part <= t.part_count &&
               (f.part == 0 || (f.offset % width == 0 && f.offset + width <= t.part_sizes[f.part - 1])),
           std::string("variable '") + f.name + "' lies in no part");
    }
    for (std::uint32_t i = 0; i < model_->params.count; ++i) {
      const Field& f = model_->params.data[i];
      if (!(f.flags & spread)) continue;
      need(t.extensible && t.on_pre && f.type == Type::f64,
           std::string("parameter '") + f.name + "' is flagged `spread`, and the model has no `Parts`");
      need(!(f.flags & (integer | shared | scheduled)) && !f.choices,
           std::string("parameter '") + f.name +
               "' is flagged `spread`, and is a whole number, a choice or one that the schedule changes");
    }
  }

  void source(const SourceTable& t) const {
    sizes({{"Params", t.params_size}});
    fields(model_->params, "parameter");
    places(model_->params, "parameter", t.params_size, false);
    presets();
    need(t.rate && t.generate, "a function that every source model needs is missing");
  }

  const Model* model_;
  const std::string& origin_;
};

/// A library linked with -ffast-math makes the processor flush denormal numbers when it is loaded, for
/// everyone. Not inlined, and volatile inside: the arithmetic must not move past the loading of a library.
[[gnu::noinline]] bool denormals_are_flushed() {
  volatile double smallest = std::numeric_limits<double>::min();
  return smallest / 2 == 0;
}

}  // namespace

void check_table(const Model* model, const std::string& origin) { TableCheck(model, origin).all(); }

namespace {

/// Why two models cannot both have a stimulus of one name; empty if they can.
std::string other_stimulus(const Stimulus& a, const Stimulus& b) {
  if (std::string_view(a.name) != b.name) return {};
  bool same = a.count == b.count && a.flags == b.flags && !a.logs == !b.logs &&
              (!a.logs || std::string_view(a.logs) == b.logs);
  for (std::uint32_t i = 0; same && i < a.count; ++i) {
    const Field &x = a.fields[i], &y = b.fields[i];
    same = std::string_view(x.name) == y.name && std::string_view(x.unit) == y.unit && x.low == y.low &&
           x.high == y.high && x.flags == y.flags && !x.choices == !y.choices &&
           (!x.choices || std::string_view(x.choices) == y.choices);
  }
  return same ? "" : std::string("stimulus '") + a.name + "' is not what another model has under this name";
}

std::vector<std::span<const Stimulus>> stimuli_of(const Model& m) {
  std::vector<std::span<const Stimulus>> all{{m.stimuli, m.stimulus_count}};
  if (m.kind == Kind::neuron) {
    const auto& t = reinterpret_cast<const NeuronTable&>(m);
    all.push_back({t.posts, t.post_count});
  }
  return all;
}

}  // namespace

std::vector<const Stimulus*> Catalogue::stimuli() const {
  std::map<std::string_view, const Stimulus*> by_name;
  for (const auto& e : entries_)
    for (const auto& some : stimuli_of(*e.model))
      for (const Stimulus& s : some) by_name.emplace(s.name, &s);
  std::vector<const Stimulus*> all;
  for (const auto& [name, s] : by_name) all.push_back(s);
  return all;
}

void Catalogue::add(const Model* model, std::string origin) {
  check_table(model, origin);
  for (const Stimulus* known : stimuli())
    for (const auto& some : stimuli_of(*model))
      for (const Stimulus& s : some)
        if (const std::string why = other_stimulus(s, *known); !why.empty())
          throw PluginError(origin + ": " + why);
  for (const auto& e : entries_) {
    if (e.model == model) return;  // the same library, found on two paths
    // Populations name neurons and sources with the same key.
    const bool one_namespace = (e.model->kind == Kind::synapse) == (model->kind == Kind::synapse);
    if (one_namespace && std::string_view(e.model->name) == model->name)
      throw PluginError(origin + ": there is already a " + name_of(e.model->kind) + " model '" + model->name +
                        "' (" + e.origin + ")");
  }
  entries_.push_back({model, std::move(origin)});
}

void Catalogue::load(const std::filesystem::path& library) {
  // A name without a slash would be searched on the system's library path.
  const auto path = std::filesystem::absolute(library).string();
  const bool flushed_before = denormals_are_flushed();
  std::fenv_t arithmetic;
  std::fegetenv(&arithmetic);
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (denormals_are_flushed() != flushed_before) {
    std::fesetenv(&arithmetic);
    throw PluginError(
        library.string() +
        ": built with -ffast-math, which changes the arithmetic of the whole program; build it without");
  }
  if (!handle) {
    std::string reason = dlerror();
    if (reason.starts_with(path + ": ")) reason.erase(0, path.size() + 2);
    throw PluginError(library.string() + ": cannot be loaded: " + reason);
  }
  using Entry = const Model* (*)() noexcept;
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "spinet_model"));
  if (!entry) {
    dlclose(handle);
    throw PluginError(
        library.string() +
        ": not a spinet plugin: it has no symbol spinet_model (does the file end with SPINET_MODEL(...)?)");
  }
  add(entry(), library.string());
}

void Catalogue::load_folder(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder))
    throw PluginError(folder.string() + ": no such folder of plugins");
  std::vector<std::filesystem::path> libraries;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".so") libraries.push_back(entry.path());
  std::sort(libraries.begin(), libraries.end());  // the order of messages must not depend on the file system
  for (const auto& library : libraries) load(library);
}

const Model* Catalogue::find(Kind kind, std::string_view name) const {
  for (const auto& e : entries_)
    if (e.model->kind == kind && name == e.model->name) return e.model;
  return nullptr;
}

std::vector<Catalogue::Entry> Catalogue::all() const {
  auto sorted = entries_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
    return a.model->kind != b.model->kind ? a.model->kind < b.model->kind
                                          : std::string_view(a.model->name) < b.model->name;
  });
  return sorted;
}

}  // namespace spinet
