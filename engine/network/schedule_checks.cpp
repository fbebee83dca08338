#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "network/lookup.hpp"
#include "network/scheduling.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

/// Population or projection, and its number.
using Who = std::pair<bool, std::uint32_t>;

/// What no entry of the schedule shows by itself.
class ScheduleChecks {
 public:
  ScheduleChecks(Loading& l, const std::vector<Entry>& all) : l_(l), all_(all) {}

  /// Values that are in range one by one may contradict each other: the model's own check sees them in time
  /// order, those that change together at once.  Changes of a part of a population are checked as if all of
  /// it changed; ramps and waveforms at both ends.
  void combinations() {
    std::vector<bool> last(all_.size());
    std::set<Address> later;
    for (std::size_t i = all_.size(); i-- > 0;) {
      const ScheduledControl& c = all_[i].control;
      if (!c.sets() || (i + 1 < all_.size() && all_[i + 1].control.tick != c.tick)) later.clear();
      if (c.sets()) last[i] = later.insert(c.to).second;
    }
    std::map<Who, std::vector<Distribution>> now;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const ScheduledControl& c = all_[i].control;
      if (!c.sets()) continue;
      const Who who = who_of(c);
      if ((who.first ? l_.projections : l_.populations).flawed[who.second]) continue;
      const auto [at, fresh] = now.try_emplace(who);
      std::vector<Distribution>& params = at->second;
      if (fresh) params = params_of(who);
      for (const Distribution& value : values_of(c)) {
        params[c.field] = value;
        if (last[i] && !combination(c, who, params, all_[i].mark)) break;
      }
    }
  }

  /// A waveform has what it drives for itself, as long as it goes on.
  void overlaps() {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const ScheduledControl& one = all_[i].control;
      if (!one.waveform() || reported_.count(all_[i].number)) continue;
      for (std::size_t k = 0; k < all_.size(); ++k)
        if (k != i && overlap(one, all_[k].control) && !(all_[k].control.waveform() && k < i)) {
          report(all_[i], all_[k]);
          break;
        }
    }
  }

 private:
  Who who_of(const ScheduledControl& c) const {
    const auto* const p = projection_of(c.to.places[0]);
    if (p) return {true, *p};
    return {false, population_of(l_.net, std::get<GidRange>(c.to.places[0]).first)};
  }
  std::vector<Distribution> params_of(Who who) const {
    if (!who.first) return l_.net.populations[who.second].params;
    return reading::params_of(l_.net.projections[who.second]);
  }
  /// What it may set the parameter to; the last of them stays.
  static std::vector<Distribution> values_of(const ScheduledControl& c) {
    const auto is = [](double x) { return Distribution{Distribution::Kind::constant, x}; };
    if (c.drawn()) return {*c.drawn()};
    if (const Waveform* const w = c.waveform()) return {is(w->bounds().first), is(w->bounds().second)};
    if (const auto* const r = std::get_if<Ramp>(&c.course)) return {is(c.value[0]), is(r->to)};
    return {is(c.value[0])};
  }
  bool combination(const ScheduledControl& c, Who who, const std::vector<Distribution>& params, Mark where) {
    auto& errors = l_.read.errors;
    const Projection* p = who.first ? &l_.net.projections[who.second] : nullptr;
    const Population* population = p ? nullptr : &l_.net.populations[who.second];
    const Model& m = p ? p->synapse->model : *population->model;
    const std::string from =
        fmt::format("from {} on, {} {}: ", l_.read.time_text(static_cast<double>(c.tick)),
                    p ? "projection" : "population", in_quotes(p ? p->name : population->name));
    const std::size_t before = errors.count();
    if (const auto found = check_params(m, params); found.reason) {
      errors.error(where, from + found.reason);
    } else if (p) {
      // What histories keep of postsynaptic spikes is a sum over all of the past: its time constants are
      // fixed.
      std::vector<double> values;
      for (const auto& d : params) values.push_back(typical(d));
      if (history_taus(*p->synapse, values) != history_taus(*p->synapse, p->params))
        errors.error(where, from + "the time constants of traces of spikes cannot change during a run");
      const Port& port =
          l_.net.populations[population_of(l_.net, p->targets[0].first)].neuron()->ports[p->port];
      const Sign sign = sign_of(*p->synapse, values);
      if (port.sign != 0 && sign != Sign::given &&
          (sign == Sign::either || p->sign * static_cast<double>(sign) != static_cast<double>(port.sign)))
        errors.error(where,
                     from + fmt::format("weights would no longer all have the sign of port '{}'", port.name));
    }
    return errors.count() == before;
  }
  static std::pair<double, double> history_taus(const SynapseTable& t, const std::vector<double>& values) {
    std::vector<std::byte> params(t.params_size);
    for (std::uint32_t f = 0; f < t.model.params.count; ++f)
      put(params.data(), field(t.model.params, f), values[f]);
    return {t.post_tau ? t.post_tau(params.data()) : 0, t.pre_tau ? t.pre_tau(params.data()) : 0};
  }

  /// Do they drive one thing at one time, and not the same?
  bool overlap(const ScheduledControl& wave, const ScheduledControl& other) const {
    const bool same = wave.kind == other.kind && (!wave.sets() || wave.field == other.field) &&
                      (!wave.stimulus || index_of(*wave.stimulus, other.stimulus, 1) == 0);
    if (!same || (!wave.sets() && !other.waveform())) return false;
    const Tick first = std::max(wave.tick, other.tick), last = std::min(end_of(wave), end_of(other));
    return first < last && meet(wave.to, other.to);
  }
  Tick end_of(const ScheduledControl& c) const {
    return c.waveform() ? c.waveform()->until : c.last_before(std::max(c.tick + 1, l_.net.duration)) + 1;
  }
  static bool meet(const Address& a, const Address& b) {
    if (a.everyone() || b.everyone()) return true;
    for (const Place& x : a.places)
      for (const Place& y : b.places)
        if (meet(x, y)) return true;
    return false;
  }
  static bool meet(const Place& a, const Place& b) {
    const auto *x = std::get_if<GidRange>(&a), *y = std::get_if<GidRange>(&b);
    if (x || y) return x && y && x->first < y->first + y->count && y->first < x->first + x->count;
    if (*projection_of(a) != *projection_of(b)) return false;
    const auto *r = std::get_if<Row>(&a), *s = std::get_if<Row>(&b);
    const auto *c = std::get_if<spinet::Column>(&a), *d = std::get_if<spinet::Column>(&b);
    const auto *p = std::get_if<Pairs>(&a), *q = std::get_if<Pairs>(&b);
    if (r && s) return r->source == s->source;
    if (c && d) return c->target == d->target;
    if (p && q)
      return std::any_of(p->synapses.begin(), p->synapses.end(), [q](const SynapseAddress& i) {
        return std::count(q->synapses.begin(), q->synapses.end(), i) > 0;
      });
    return true;
  }
  void report(const Entry& a, const Entry& b) {
    const Entry &first = a.number < b.number ? a : b, &second = a.number < b.number ? b : a;
    reported_.insert({a.number, b.number});
    const bool both = a.control.waveform() && b.control.waveform();
    l_.read.errors.error(second.mark,
                         fmt::format("{} the same thing at one time as line {}",
                                     both                        ? "this waveform drives"
                                     : second.control.waveform() ? "this waveform drives"
                                                                 : "this sets",
                                     first.mark.line),
                         both ? "forms of one waveform are added: waveform: [{sine: ...}, {ramp: ...}]"
                              : "a waveform has 'until'");
  }

  Loading& l_;
  const std::vector<Entry>& all_;
  std::set<std::size_t> reported_;  ///< entries of the file
};

}  // namespace

void check_schedule(Loading& l, const std::vector<Entry>& all) {
  ScheduleChecks checks(l, all);
  checks.combinations();
  checks.overlaps();
}

}  // namespace spinet::reading
