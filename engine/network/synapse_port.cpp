// `port` and `sign` of a synapse: which input of the targets it is, and the sign of what arrives there.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/draft.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

class PortReader {
 public:
  explicit PortReader(Draft& d) : d_(d), r_(d.r), p_(d.p) {}
  std::optional<std::string> unit(const Node& synapse) {
    std::optional<std::string> unit;
    const Node* given = synapse.find("port");
    d_.port_named = true;
    const auto name = given ? r_.text(*given, "port") : std::nullopt;
    if (given && !name) return std::nullopt;
    for (const auto* m : d_.target_models()) {
      if (m->port_count == 0) {
        r_.errors.error(synapse.mark,
                        fmt::format("model {} has no port; nothing can be connected to it", m->model.name));
        return std::nullopt;
      }
      bool any = false;
      for (std::uint32_t i = 0; i < m->port_count; ++i) {
        const bool candidate = name ? *name == m->ports[i].name : m->port_count == 1 || m->ports[i].sign != 0;
        if (!candidate) continue;
        any = true;
        if (!unit) unit = m->ports[i].unit;
        if (*unit == m->ports[i].unit) continue;
        r_.errors.error(
            given ? given->mark : synapse.mark,
            fmt::format("ports of the targets have different units, {} and {}", *unit, m->ports[i].unit),
            name ? "make a projection for each model" : common_ports());
        return std::nullopt;
      }
      if (!any) {
        if (name) {
          r_.errors.error(given->mark,
                          fmt::format("model {} has no port {}", m->model.name, in_quotes(*name)),
                          suggest(*name, port_names(*m), "ports"));
          d_.port_named = false;
          const auto meant =
              meant_surely(*name, port_names(*m));  // a misspelt one has the unit of the one meant
          for (std::uint32_t i = 0; i < m->port_count; ++i)
            if (meant == m->ports[i].name) unit = m->ports[i].unit;
          return unit;
        }
        r_.errors.error(synapse.mark,
                        fmt::format("'port' must say which input of {} is meant", m->model.name),
                        "ports: " + joined(port_names(*m)));
        return std::nullopt;
      }
    }
    return unit;
  }

  std::optional<int> sign(const Node& synapse) const {
    const Node* given = synapse.find("port");
    for (const auto* m : d_.target_models()) {
      if (!given && m->port_count > 1) return 0;
      for (std::uint32_t i = 0; i < m->port_count; ++i)
        if (m->ports[i].sign != 0 && (!given || r_.resolved(*given).text == m->ports[i].name))
          return m->ports[i].sign;
    }
    return std::nullopt;
  }
  void choose(const Node& synapse, const Weights& w) {
    int sign = w.sign;
    const Node *given = synapse.find("port"), *weight = w.node ? w.node : synapse.find("weights");
    const Mark where = weight ? weight->mark : synapse.mark;
    if (d_.sign_sure)
      if (const Sign s = sign_of(*p_.synapse, p_.params); s != Sign::given) sign = static_cast<int>(s);
    std::optional<std::uint32_t> port;
    const NeuronTable* first = nullptr;
    for (const auto* m : d_.target_models()) {
      std::optional<std::uint32_t> mine;
      for (std::uint32_t i = 0; i < m->port_count; ++i)
        if (given ? r_.resolved(*given).text == m->ports[i].name
                  : m->port_count == 1 || (sign != 0 && m->ports[i].sign == sign)) {
          mine = i;
          break;
        }
      if (!mine && sign == 0)
        return both_signs(synapse, where, fmt::format("{} has a port for each", m->model.name));
      if (!mine) {
        r_.errors.error(
            where,
            fmt::format("{} has no port for {} weights", m->model.name, sign < 0 ? "negative" : "positive"),
            "name one: port: " + joined(port_names(*m)));
        return;
      }
      const bool same = !first || first->ports[*port].sign == m->ports[*mine].sign;
      if (port && (*port != *mine || !same)) {
        const std::string differ =
            same ? fmt::format("is number {} of {} and number {} of {}", *port + 1, first->model.name,
                               *mine + 1, m->model.name)
                 : fmt::format("has another sign at {} than at {}", first->model.name, m->model.name);
        r_.errors.error(given ? given->mark : where, "the port " + differ,
                        "make a projection for each model");
        return;
      }
      port = mine;
      first = m;
    }
    p_.port = port.value_or(0);
    if (first && d_.sign_sure && first->ports[p_.port].sign != 0) give_sign(synapse, where, sign, *first);
    if (const Node* own = synapse.find("sign"); own && first) own_sign(*own, *first);
  }

 private:
  static std::vector<std::string> port_names(const NeuronTable& m) {
    std::vector<std::string> n;
    for (std::uint32_t i = 0; i < m.port_count; ++i) n.emplace_back(m.ports[i].name);
    return n;
  }

  /// Ports that all models of the targets have, in one unit; what to name, or that there is no such port.
  std::string common_ports() const {
    std::vector<std::string> all;
    const auto models = d_.target_models();
    for (std::uint32_t i = 0; i < models[0]->port_count; ++i) {
      const Port& port = models[0]->ports[i];
      const auto has = [&](const NeuronTable* m) {
        for (std::uint32_t k = 0; k < m->port_count; ++k)
          if (std::string_view(m->ports[k].name) == port.name)
            return std::string_view(m->ports[k].unit) == port.unit;
        return false;
      };
      if (std::all_of(models.begin(), models.end(), has)) all.emplace_back(port.name);
    }
    return all.empty() ? "make a projection for each model" : "name one: port: " + joined(all);
  }

  /// All that arrives at a port with a sign has it: weights of the port's sign as they are, positive ones as
  /// magnitudes.
  void give_sign(const Node& synapse, Mark where, int sign, const NeuronTable& m) {
    const Port& port = m.ports[p_.port];
    if (sign == 0)
      return both_signs(synapse, where, fmt::format("port '{}' of {} has one", port.name, m.model.name));
    if (sign < 0 && port.sign > 0) {
      std::string other;
      for (std::uint32_t i = 0; i < m.port_count && other.empty(); ++i)
        if (m.ports[i].sign < 0) other = m.ports[i].name;
      r_.errors.error(
          where,
          fmt::format("port '{}' of {} takes positive weights, and these are negative", port.name,
                      m.model.name),
          other.empty() ? "" : fmt::format("port: {}, or no 'port': negative weights choose it", other));
      return;
    }
    p_.sign = sign == port.sign ? 1 : -1;
  }
  /// The key `sign`: magnitudes that are to be negative where no port says so.
  void own_sign(const Node& n, const NeuronTable& m) {
    const auto x = r_.number(n, {"sign", "1", -1, 1, integer});
    if (!x) return;
    const Port& port = m.ports[p_.port];
    if (*x == 0) {
      r_.errors.error(n.mark, "'sign' must be 1 or -1; it is 0");
    } else if (port.sign != 0 && *x != port.sign) {
      r_.errors.error(n.mark,
                      fmt::format("port '{}' of {} has the other sign already", port.name, m.model.name),
                      "leave 'sign' out: the port gives its sign to all weights");
    } else if (port.sign == 0 && *x < 0 && sign_of(*p_.synapse, p_.params) == Sign::given) {
      r_.errors.error(n.mark,
                      fmt::format("weights of model {} have a sign of their own", p_.synapse->model.name),
                      "leave 'sign' out, and give the weight with its sign");
    } else if (port.sign == 0) {
      p_.sign = *x;
    }
  }
  void both_signs(const Node& synapse, Mark where, const std::string& but) {
    if (sign_of(*p_.synapse, p_.params) == Sign::either) {
      std::vector<std::string> takers;
      for (const auto& e : r_.catalogue.all())
        if (e.model->kind == Kind::neuron)
          for (std::uint32_t i = 0; i < reinterpret_cast<const NeuronTable*>(e.model)->port_count; ++i)
            if (const Port& port = reinterpret_cast<const NeuronTable*>(e.model)->ports[i]; port.sign == 0)
              takers.push_back(fmt::format("{} of {}", port.name, e.model->name));
      r_.errors.error(
          synapse.find("model")->mark,
          fmt::format(
              "weights of model {} may become positive and negative{}, and {}", p_.synapse->model.name,
              p_.synapse->sign && p_.synapse->model.params.count ? " with these parameters" : "", but),
          takers.empty() ? "" : "ports that take both: " + joined(takers));
      return;
    }
    r_.errors.error(
        where, "the weights have both signs, and " + but,
        p_.listed_weights ? "make a projection for each sign" : "give the distribution 'min: 0' or 'max: 0'");
  }
  Draft& d_;
  Reader& r_;
  Projection& p_;
};

}  // namespace

std::vector<const NeuronTable*> Draft::target_models() const {
  std::vector<const NeuronTable*> models;
  for (const auto& t : p.targets) {
    const auto& population = population_of(t);
    const auto* m = population.model ? population.neuron() : nullptr;  // errors of their own
    if (m && std::find(models.begin(), models.end(), m) == models.end()) models.push_back(m);
  }
  return models;
}

std::optional<std::string> port_unit_of(Draft& d, const Node& synapse) { return PortReader(d).unit(synapse); }
std::optional<int> sign_of_port(Draft& d, const Node& synapse) { return PortReader(d).sign(synapse); }
void choose_port(Draft& d, const Node& synapse, const Weights& w) { PortReader(d).choose(synapse, w); }

}  // namespace spinet::reading
