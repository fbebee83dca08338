#include "nir/draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "network/suggest.hpp"

namespace spinet::nir {

double exact_time(double tau, const Reading& reading) {
  if (reading.euler == 0) return tau;
  const double step = static_cast<double>(reading.euler) * 1e-9;
  return -step / std::log1p(-step / tau);
}

double time_of_file(double tau, const Reading& reading) {
  if (reading.euler == 0) return tau;
  const double step = static_cast<double>(reading.euler) * 1e-9;
  return -step / std::expm1(-step / tau);
}

namespace {

/// A name as networks have it: letters, digits and _, not beginning with a digit.
std::string plain_name(const std::string& text) {
  std::string name;
  for (const char c : text) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) name.insert(name.begin(), 'n');
  return name;
}

std::string another_name(const std::string& wanted, std::set<std::string>& taken) {
  std::string name = wanted;
  for (int n = 2; !taken.insert(name).second; ++n) name = fmt::format("{}_{}", wanted, n);
  return name;
}

class Drafting {
 public:
  Drafting(const GraphFile& file, const Reading& reading) : reading_(reading) {
    d_.vertices = flatten(file);
    d_.connected = connect(d_.vertices);
  }

  Draft work() {
    place_.assign(d_.vertices.size(), -1);
    for (std::uint32_t v = 0; v < d_.vertices.size(); ++v)
      if (d_.vertices[v].is_end() && d_.vertices[v].kind != Kind::output) population(v);
    for (std::uint32_t v = 0; v < d_.vertices.size(); ++v)
      if (d_.vertices[v].is_end() && d_.vertices[v].kind == Kind::output) output(v);
    thresholds();
    for (std::uint32_t b = 0; b < d_.connected.bundles.size(); ++b) projection(b);
    return std::move(d_);
  }

 private:
  static std::string named(const Vertex& v) {
    return fmt::format("node {} ({})", in_quotes(v.path), v.node->type);
  }

  void population(std::uint32_t v) {
    const Vertex& x = d_.vertices[v];
    PopulationDraft p{v, another_name(plain_name(x.path), taken_), "integrator",
                      static_cast<std::uint32_t>(x.size())};
    if (x.kind == Kind::input) {
      p.model = reading_.current ? "step_signal" : "spike_source";
      p.sends = reading_.current ? Signal::steps : spikes();
    } else if (x.kind == Kind::threshold) {
      p.model = "step_signal";
      p.choices = {{"answer", "threshold"}};
      field(p, "threshold", "threshold", "1");
      constants(p, "value", "1");
    } else {
      neuron(p, x);
    }
    place_[v] = static_cast<std::int64_t>(d_.populations.size());
    d_.populations.push_back(std::move(p));
  }
  Signal spikes() const { return reading_.spike > 0 ? Signal::lasting : Signal::impulses; }

  void neuron(PopulationDraft& p, const Vertex& x) {
    const bool leaks = x.kind != Kind::integrator && x.kind != Kind::integrate_fire;
    const bool filters = x.kind == Kind::filtered_leaky || x.kind == Kind::filtered_fire;
    p.sends = is_continuous(x.kind) ? Signal::continuous : spikes();
    if (leaks) time(p, "tau_m", filters ? "tau_mem" : "tau");
    else p.settings.push_back({"tau_m", "s", {1}});
    if (filters) time(p, "tau_syn", "tau_syn");
    field(p, "R", "r", "GOhm");
    if (x.node->find("w_in")) field(p, "gain", "w_in", "1");
    if (leaks) field(p, "E_L", "v_leak", "mV");
    else p.choices.emplace_back("leak", "off");
    constants(p, "I_dc", "pA");
    if (is_continuous(x.kind)) {
      p.choices.emplace_back("spiking", "no");
      return;
    }
    field(p, "v_th", "v_threshold", "mV");
    if (x.node->find("v_reset")) field(p, "v_reset", "v_reset", "mV");
    if (reading_.by_subtraction) p.choices.emplace_back("reset", "soft");
    check_reset(x);
  }
  static void check_reset(const Vertex& x) {
    const auto& th = x.node->find("v_threshold")->numbers;
    const Value* reset = x.node->find("v_reset");
    const std::vector<double> r = reset ? reset->numbers : std::vector<double>{0};
    for (std::size_t i = 0; i < std::max(th.size(), r.size()); ++i) {
      const double above = th[th.size() == 1 ? 0 : i], below = r[r.size() == 1 ? 0 : i];
      if (!(below < above))
        throw Fault(
            fmt::format("{}: neuron {} has 'v_threshold' {} and is reset to {}: it would fire without end",
                        named(x), i, above, below));
    }
  }

  void field(PopulationDraft& p, const char* name, const char* field, const char* unit) const {
    p.settings.push_back(
        {name, unit, d_.vertices[p.vertex].node->find(field)->numbers, Setting::From::field, field});
    shorten(p.settings.back().values);
  }
  void time(PopulationDraft& p, const char* name, const char* field) const {
    const Vertex& x = d_.vertices[p.vertex];
    Setting s{name, "s", x.node->find(field)->numbers, Setting::From::time, field};
    for (double& tau : s.values) {
      const double step = static_cast<double>(reading_.euler) * 1e-9;
      if (!(tau > step))
        throw Fault(
            reading_.euler == 0
                ? fmt::format("{}: {} has the value {} s; it must be above 0", named(x), in_quotes(field),
                              tau)
                : fmt::format("{}: {} has the value {} s, which is not longer than the step of {} s that "
                              "--euler gives",
                              named(x), in_quotes(field), tau, step));
      tau = exact_time(tau, reading_);
    }
    shorten(s.values);
    p.settings.push_back(std::move(s));
  }
  void constants(PopulationDraft& p, const char* name, const char* unit) const {
    std::vector<double> c = d_.connected.constants[p.vertex];
    if (std::all_of(c.begin(), c.end(), [](double x) { return x == 0; })) c = {0};
    p.settings.push_back({name, unit, std::move(c), Setting::From::sum});
    shorten(p.settings.back().values);
  }
  /// One number where all are alike.
  static void shorten(std::vector<double>& values) {
    if (std::all_of(values.begin(), values.end(), [&](double x) { return x == values[0]; })) values.resize(1);
  }

  /// The population itself is shown where nothing stands between; else one adds up what comes.
  void output(std::uint32_t v) {
    std::vector<const Bundle*> in;
    for (const auto& b : d_.connected.bundles)
      if (b.target == v) in.push_back(&b);
    const auto& constant = d_.connected.constants[v];
    if (in.empty() && constant.empty()) return;
    if (in.size() == 1 && in[0]->is_identity && constant.empty()) {
      const auto p = static_cast<std::uint32_t>(place_[in[0]->source]);
      const auto& source = d_.populations[p];
      d_.outputs.push_back({v, p, source.sends != Signal::continuous && source.model != "step_signal"});
      return;
    }
    const Vertex& x = d_.vertices[v];
    PopulationDraft p{v, another_name(plain_name(x.path), taken_), "integrator",
                      static_cast<std::uint32_t>(x.size())};
    p.settings = {{"tau_m", "s", {1}}};
    constants(p, "I_dc", "pA");
    p.choices = {{"leak", "off"}, {"spiking", "no"}};
    p.sends = Signal::continuous;
    place_[v] = static_cast<std::int64_t>(d_.populations.size());
    d_.outputs.push_back({v, static_cast<std::uint32_t>(place_[v]), false});
    d_.populations.push_back(std::move(p));
  }

  /// A threshold answers to impulses with impulses, to steps with steps.
  void thresholds() {
    for (auto& p : d_.populations)
      if (d_.vertices[p.vertex].kind == Kind::threshold)
        p.sends = reading_.spike > 0 ? Signal::steps : Signal::impulses;
    for (bool changed = true; std::exchange(changed, false);)
      for (const auto& b : d_.connected.bundles) {
        if (place_[b.target] < 0 || d_.vertices[b.target].kind != Kind::threshold) continue;
        auto& t = d_.populations[static_cast<std::size_t>(place_[b.target])];
        const auto& s = d_.populations[static_cast<std::size_t>(place_[b.source])];
        if (s.sends == Signal::steps && t.sends == Signal::impulses) t.sends = Signal::steps, changed = true;
      }
  }

  void projection(std::uint32_t i) {
    const Bundle& b = d_.connected.bundles[i];
    if (place_[b.target] < 0) return;  // an Output that shows its source
    const auto source = static_cast<std::uint32_t>(place_[b.source]),
               target = static_cast<std::uint32_t>(place_[b.target]);
    const PopulationDraft &s = d_.populations[source], &t = d_.populations[target];
    const Vertex &from = d_.vertices[b.source], &to = d_.vertices[b.target];
    if (s.sends == Signal::continuous)
      throw Fault(
          fmt::format("{} sends a potential, which changes all the time, to {}: between populations there "
                      "are events only; it may go to an Output as it is",
                      named(from), named(to)));
    if (b.connections.empty()) return;
    ProjectionDraft p{another_name(s.name + "_to_" + t.name, projections_taken_),
                      source,
                      target,
                      i,
                      "step",
                      "pA",
                      s.sends == Signal::lasting,
                      false};
    if (s.sends == Signal::impulses) p.port = "charge", p.unit = "pC";
    if (to.kind == Kind::threshold) {
      p.unit = "1";
      if (s.sends == Signal::impulses && t.sends == Signal::steps)
        throw Fault(
            fmt::format("{} gets impulses from {} and steps from others: say how long a spike lasts "
                        "(--spike)",
                        named(to), named(from)));
      if (s.sends == Signal::impulses) p.port = "pulse";
    }
    p.lists_delays = p.lasts || std::any_of(b.connections.begin(), b.connections.end(),
                                            [](const Connection& c) { return c.delay != 0; });
    for (const auto& c : b.connections)
      if (c.delay < 0 || c.delay > std::int64_t{100'000'000'000'000})
        throw Fault(fmt::format("a delay {} between {} and {}; 0 s to 100,000 s are possible",
                                c.delay < 0 ? "below 0 s" : "above 100,000 s", named(from), named(to)));
    d_.projections.push_back(std::move(p));
  }

  const Reading& reading_;
  Draft d_;
  std::vector<std::int64_t> place_;  ///< by vertex: its population, or -1
  std::set<std::string> taken_, projections_taken_;
};

}  // namespace

Draft draft(const GraphFile& file, const Reading& reading) { return Drafting(file, reading).work(); }

double charge_of(const ProjectionDraft& p, const Reading& reading) {
  return p.port == "charge" ? static_cast<double>(reading.area) * 1e-9 : 1;
}

std::vector<Row> rows(const Draft& d, const ProjectionDraft& p, const Reading& reading) {
  std::vector<Row> all;
  const double charge = charge_of(p, reading);
  for (const auto& c : d.connected.bundles[p.bundle].connections) {
    all.push_back({c.from, c.to, c.weight * charge, c.delay + reading.delay});
    if (p.lasts) all.push_back({c.from, c.to, -c.weight, c.delay + reading.delay + reading.spike});
  }
  return all;
}

std::int64_t delay_resolution(const Draft& d, const Reading& reading) {
  std::int64_t step = reading.delay;
  for (const auto& p : d.projections) {
    if (p.lasts) step = std::gcd(step, reading.spike);
    for (const auto& c : d.connected.bundles[p.bundle].connections) step = std::gcd(step, c.delay);
  }
  return step;
}

}  // namespace spinet::nir
