// `program` of a synapse: weights that training finds as numbers and that devices are to hold; the section
// `devices`.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "connect/rule.hpp"
#include "network/draft.hpp"
#include "network/lookup.hpp"
#include "network/mapping.hpp"
#include "network/preset.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"
#include "spinet/device.hpp"

namespace spinet::reading {
namespace {

constexpr Key program_entry_keys[] = {
    {"up", true, "numbers", "a pulse that raises what events find: [2 V, 1 ms]"},
    {"down", true, "numbers", "a pulse that lowers it"},
    {"spread", false, "values",
     "standard deviations of parameters from device to device, over the value or in its unit"},
    {"tolerance", false, "number", "distance from the wanted reading, over the range (1 %)"},
    {"most", false, "integer", "pulses after which a device is given up; as many find the range (100)"},
    {"period", false, "quantity", "from one read of writing to the next, with a pulse half way (20 ms)"},
};
constexpr Key devices_entry_keys[] = {
    {"seed", false, "integer", "of the devices' spread and noise (1)"},
    {"after", false, "quantities", "times after writing at which images are shown again"},
    {"compensate", false, "boolean", "scale weights by what all readings together have lost since writing"},
    {"recalibrate", false, "boolean", "estimate batch normalisation anew, with the weights as read"},
    {"adc_bits", false, "integer", "of the converters behind each layer's sums (exact)"},
    {"adc_range", false, "number", "their range, over the greatest sum of 1,024 training images (1)"},
    {"images_per_read", false, "integer", "images that one read of all devices serves (250)"},
    {"read_period", false, "quantity", "from one such read to the next (1 ms)"},
};
constexpr std::string_view of_weights[] = {"weight", "delay", "port", "sign", "weights"};

class MappedReader {
 public:
  MappedReader(Draft& d, const Node& n) : d_(d), r_(d.r), n_(n) {}

  /// False after an error.  What is left to read is `d.plain`.
  bool read() {
    const std::size_t before = r_.errors.count();
    const Node& program = *n_.find("program");
    if (d_.p.rule && !d_.p.rule->learns())
      r_.errors.error(
          program.mark,
          fmt::format("'program' is of weights that training finds, and {} has none", d_.p.rule->format.name),
          "connect: dense, or {convolution: {kernel: ...}}");
    table_ = device();
    if (table_) check_keys();
    split();
    if (table_) {
      read_fields();
      read_program(r_.resolved(program), program.mark);
      check_together();
    }
    if (r_.errors.count() != before) return false;
    made_.table = table_;
    d_.p.mapping = std::make_shared<const DeviceMapping>(std::move(made_));
    return true;
  }

 private:
  std::vector<std::string> devices() const {
    std::vector<std::string> known;
    for (const auto& e : r_.catalogue.all())
      if (e.model->kind == Kind::synapse && plain_stimulus(*e.model) < e.model->stimulus_count)
        known.emplace_back(e.model->name);
    return known;
  }
  const SynapseTable* device() {
    const Node* const m = n_.find("model");
    const auto name = m ? r_.text(*m, "model") : std::nullopt;
    if (!name) {
      if (!m && !misspelt(n_, "model"))
        r_.errors.error(n_.mark, "the synapse has no 'model'", suggest("", devices(), "devices"));
      return nullptr;
    }
    const Model* const found = r_.catalogue.find(Kind::synapse, *name);
    if (found && plain_stimulus(*found) < found->stimulus_count)
      return reinterpret_cast<const SynapseTable*>(found);
    r_.errors.error(
        m->mark,
        found ? fmt::format("pulses do nothing to synapses of model {}: no weights can be written onto them",
                            *name)
              : fmt::format("unknown synapse model {}", in_quotes(*name)),
        suggest(*name, devices(), "devices"));
    return nullptr;
  }

  const Fields& params() const { return table_->model.params; }
  const Fields& variables() const { return table_->model.variables; }
  static std::optional<std::uint32_t> place(const Fields& all, std::string_view name) {
    for (std::uint32_t i = 0; i < all.count; ++i)
      if (field(all, i).name == name) return i;
    return {};
  }

  void check_keys() {
    std::vector<std::string> allowed{"model", "preset", "program", "pair"};
    for (const auto name : of_weights) allowed.emplace_back(name);
    for (auto& name : names(params())) allowed.push_back(std::move(name));
    for (auto& name : names(variables(), Flag::initial)) allowed.push_back(std::move(name));
    for (const auto& k : n_.keys)
      if (std::find(allowed.begin(), allowed.end(), k.name) == allowed.end())
        r_.unknown_key(
            n_, k, {allowed, "keys"},
            fmt::format("unknown key {} of a synapse of model {}", in_quotes(k.name), table_->model.name));
  }
  /// The weights are those of static synapses.
  void split() {
    auto plain = std::make_shared<Node>();
    plain->kind = Node::Kind::map;
    plain->mark = n_.mark;
    plain->incomplete = n_.incomplete;
    const auto add = [&](const std::string& name, Mark mark, const Node& value) {
      plain->keys.push_back({name, mark});
      plain->items.push_back(value);
    };
    for (std::size_t i = 0; i < n_.keys.size(); ++i) {
      const Node::Key& k = n_.keys[i];
      const std::string& name = k.meant.empty() ? k.name : k.meant;
      if (std::find(std::begin(of_weights), std::end(of_weights), name) == std::end(of_weights)) continue;
      if (k.meant.empty() || k.taken) add(name, k.mark, n_.items[i]);
      else plain->incomplete = true;
    }
    const Node* const m = n_.find("model");
    Node model;
    model.kind = Node::Kind::scalar;
    model.mark = m ? m->mark : n_.mark;
    model.text = "static";
    add("model", model.mark, model);
    d_.plain = std::move(plain);
  }

  void read_fields() {
    const Preset* const preset = read_preset(r_, n_, table_->model);
    for (std::uint32_t i = 0; i < params().count; ++i)
      made_.params.push_back(value(field(params(), i), value_without(field(params(), i), preset)));
    for (std::uint32_t i = 0; i < variables().count; ++i) {
      const Field& f = field(variables(), i);
      const bool own = f.flags & Flag::initial && std::find(std::begin(of_weights), std::end(of_weights),
                                                            f.name) == std::end(of_weights);
      made_.initial.push_back(own ? value(f, f.preset) : f.preset);
    }
    const Node* const pair = n_.find("pair");
    if (!pair) return;
    // A model's own pair is one device to whoever writes it.
    made_.pairs = !place(params(), "pair") && r_.integer(*pair, "pair", 0, 1).value_or(1) == 1;
  }
  double value(const Field& f, double otherwise) {
    const Node* const given = n_.find(f.name);
    if (!given) return otherwise;
    const Node& v = r_.resolved(*given);
    if (v.is_map() || v.is_list()) {
      r_.errors.error(v.mark,
                      fmt::format("'{}' is one number for all devices that weights are written onto", f.name),
                      fmt::format("program: {{spread: {{{}: 10 %}}}} has them differ", f.name));
      return otherwise;
    }
    return (f.choices ? r_.choice(v, f) : r_.number(v, wanted(f, "1"))).value_or(otherwise);
  }

  void read_program(const Node& n, Mark where) {
    if (!r_.map(n, program_entry_keys, "'program'", where) || !n.is_map()) return;
    if (const Node* v = n.find("up")) pulse(*v, "up", made_.up);
    if (const Node* v = n.find("down")) pulse(*v, "down", made_.down);
    if (const Node* v = n.find("spread")) spread(r_.resolved(*v));
    if (const Node* v = n.find("tolerance"))
      made_.tolerance = r_.number(*v, {"tolerance", "1", 0, 1}).value_or(made_.tolerance);
    if (const Node* v = n.find("most"))
      made_.most = static_cast<std::uint32_t>(r_.integer(*v, "most", 1, 1'000'000).value_or(made_.most));
    if (const Node* v = n.find("period"))
      made_.period = r_.number(*v, {"period", "s", 0, 1e9, low_open}).value_or(made_.period);
    for (const Control* c : {&made_.up, &made_.down})
      if (c->value[1] > made_.period / 2) {
        const Node* const given = n.find("period");
        r_.errors.error(
            given ? given->mark : n.mark,
            fmt::format("a pulse of {:g} ms begins half way from read to read, of which there is one "
                        "every {:g} ms, and would not be over by the next",
                        c->value[1] * 1e3, made_.period * 1e3),
            "a longer 'period'");
        return;
      }
  }
  void pulse(const Node& given, const char* key, Control& to) {
    to.stimulus = plain_stimulus(table_->model);
    const Stimulus& s = table_->model.stimuli[to.stimulus];
    const Node& v = r_.resolved(given);
    if (!v.is_list() || v.items.size() != 2) {
      r_.errors.error(v.mark, fmt::format("'{}' must be {} and {}", key, s.fields[0].name, s.fields[1].name),
                      fmt::format("{}: [2 {}, 1 ms]", key, s.fields[0].unit));
      return;
    }
    for (std::uint32_t i = 0; i < 2; ++i)
      to.value[i] = r_.number(v.items[i], wanted(s.fields[i])).value_or(0);
  }
  void spread(const Node& n) {
    if (!n.is_map()) {
      r_.errors.error(n.mark, "'spread' must be a map of parameters, not " + kind_name(n),
                      "spread: {G_max: 10 %}");
      return;
    }
    std::vector<std::string> known = names(params(), Flag::spread);
    for (auto& name : names(variables(), Flag::initial)) known.push_back(std::move(name));
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      const auto of = place(params(), n.keys[i].name), at = place(variables(), n.keys[i].name);
      if (std::find(known.begin(), known.end(), n.keys[i].name) == known.end()) {
        r_.errors.error(
            n.keys[i].mark,
            of ? fmt::format("devices of model {} cannot differ in '{}'", table_->model.name, n.keys[i].name)
               : fmt::format("model {} has no {}", table_->model.name, in_quotes(n.keys[i].name)),
            suggest(n.keys[i].name, known, "parameters and initial values"));
        continue;
      }
      const Field& f = of ? field(params(), *of) : field(variables(), *at);
      DeviceSpread s{of.has_value(), of.value_or(at.value_or(0))};
      if (!deviation(n.items[i], f, s)) continue;
      if (of && is_auto(made_.params[*of]))
        r_.errors.error(
            n.keys[i].mark,
            fmt::format("'{}' is worked out by the model unless it is given, and cannot be spread", f.name),
            fmt::format("give '{}', too", f.name));
      else if (s.relative > 0 && (of ? made_.params[*of] : made_.initial[*at]) == 0)
        r_.errors.error(n.items[i].mark,
                        fmt::format("'{}' is 0, and a share of 0 is 0: devices would not differ", f.name),
                        fmt::format("give '{}' a value, too", f.name));
      made_.spreads.push_back(s);
    }
  }
  /// A share of the value, or a number in the field's unit.
  bool deviation(const Node& given, const Field& f, DeviceSpread& to) {
    const auto q = r_.quantity(given, f.name);
    if (!q) return false;
    const std::string unit = f.flags & port_unit ? "1" : f.unit;
    const bool share = q->dimension.none();
    const auto x = r_.number(given, {f.name, share ? std::string("1") : unit, 0});
    if (!x) return false;
    (share ? to.relative : to.absolute) = *x;
    return true;
  }

  void check_together() {
    std::vector<Distribution> all;
    for (const double x : made_.params) all.push_back({Distribution::Kind::constant, x});
    const auto c = check_params(table_->model, all);
    if (!c.reason) return;
    const auto named = fields_named(params(), c.reason);
    const auto first =
        std::find_if(named.begin(), named.end(), [&](const std::string& name) { return n_.find(name); });
    r_.errors.error(first != named.end() ? n_.find(*first)->mark : n_.mark, c.reason);
  }

  Draft& d_;
  Reader& r_;
  const Node& n_;
  const SynapseTable* table_ = nullptr;
  DeviceMapping made_;
};

class DevicesReader {
 public:
  DevicesReader(Loading& l, const Node& n) : l_(l), r_(l.read), n_(n) {}
  void read() {
    if (!r_.map(n_, devices_entry_keys, "'devices'", n_.mark) || !n_.is_map()) return;
    count("seed", {0, 0xFFFFFFFFu}, to_.seed);
    count("adc_bits", {2, 32}, to_.adc_bits);
    count("images_per_read", {1, 1'000'000'000}, to_.images_per_read);
    flag("compensate", to_.compensate);
    flag("recalibrate", to_.recalibrate);
    number({"adc_range", "1", 1e-6, 1e6}, to_.adc_range);
    number({"read_period", "s", 0, 6e9, low_open}, to_.read_period);
    times();
    l_.net.devices = to_;
  }

 private:
  void count(const char* key, std::pair<std::uint64_t, std::uint64_t> range, std::uint32_t& to) {
    const Node* const v = n_.find(key);
    const auto x = v ? r_.integer(*v, key, range.first, range.second) : std::nullopt;
    if (x) to = static_cast<std::uint32_t>(*x);
  }
  void flag(const char* key, bool& to) {
    const Node* const v = n_.find(key);
    if (v) to = r_.boolean(*v, key).value_or(to);
  }
  void number(const Wanted& w, double& to) {
    const Node* const v = n_.find(w.what);
    if (v) to = r_.number(*v, w).value_or(to);
  }
  void times() {
    const Node* const given = n_.find("after");
    if (!given) return;
    const Node& v = r_.resolved(*given);
    const std::span<const Node> items = v.is_list() ? std::span<const Node>(v.items) : std::span(&v, 1);
    for (const Node& item : items) {
      const auto t = r_.number(item, {"after", "s", 0, 6e9, low_open});
      if (!t) return;
      if (!to_.after.empty() && *t <= to_.after.back())
        r_.errors.error(item.mark, "the times of 'after' must grow");
      to_.after.push_back(*t);
    }
  }
  Loading& l_;
  Reader& r_;
  const Node& n_;
  DeviceReading to_;
};

}  // namespace

std::span<const Key> program_keys() { return program_entry_keys; }
std::span<const Key> devices_keys() { return devices_entry_keys; }

bool read_mapped(Draft& d, const Node& n) { return MappedReader(d, n).read(); }

void load_devices(Loading& l, const Node& given) { DevicesReader(l, l.read.resolved(given)).read(); }

}  // namespace spinet::reading

namespace spinet {

bool DeviceMapping::operator==(const DeviceMapping& o) const {
  const auto alike = [](double a, double b) { return a == b || (is_auto(a) && is_auto(b)); };
  const auto same = [&](const Control& a, const Control& b) {
    return a.stimulus == b.stimulus &&
           std::equal(std::begin(a.value), std::end(a.value), std::begin(b.value));
  };
  return table == o.table && std::ranges::equal(params, o.params, alike) &&
         std::ranges::equal(initial, o.initial, alike) && spreads == o.spreads && pairs == o.pairs &&
         same(up, o.up) && same(down, o.down) && tolerance == o.tolerance && most == o.most &&
         period == o.period;
}

std::uint32_t plain_stimulus(const Model& m) {
  const std::uint32_t pulse = stimulus_of(m, device::pulse);
  if (pulse < m.stimulus_count) return pulse;
  std::uint32_t i = 0;
  while (i < m.stimulus_count && !(m.stimuli[i].flags & wired && m.stimuli[i].count > 0)) ++i;
  return i;
}

}  // namespace spinet
