#include "random/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "spinet/random.hpp"

namespace spinet::test {
namespace {

/// Numbers of one network, from seed and number alone.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t number) : seed_(seed), number_(number) {}
  std::uint32_t below(std::uint32_t n) { return word() % n; }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }
  bool once_in(std::uint32_t n) { return below(n) == 0; }
  double real(double low, double high) { return low + (high - low) * (word() / 4294967296.0); }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(static_cast<std::uint32_t>(all.size()))];
  }

 private:
  std::uint32_t word() {
    const auto at = counter_++;
    return draw({static_cast<std::uint32_t>(seed_), 2027}, number_, at / 4)[at % 4];
  }
  std::uint64_t seed_, number_, counter_ = 0;
};

/// What a model is driven with: unit of its weights and sizes at which neurons neither sleep nor burst.
struct Model {
  std::string name, unit;
  double exc, inh;    ///< weights of the order of a tenth of the threshold
  bool inh_by_name;   ///< inhibitory weights are positive and name the port
  double rest, span;  ///< E_L and v_th - E_L [mV]
};
const std::vector<Model> models = {
    {"lif_delta", "mV", 1.5, -1.5, false, -70, 15},
    {"lif_exp", "pA", 250, -300, false, -70, 15},
    {"adex", "pA", 250, -300, false, -70.6, 20},
    {"lif_cond_exp", "nS", 4, 8, true, -60, 10},
};

struct Population {
  std::string name;
  std::uint32_t size;
  const Model* model;  ///< null: a source
};

class Writer {
 public:
  Writer(std::uint64_t seed, std::uint64_t number) : draw_(seed, number) {
    text_ = fmt::format("spinet: 1\nname: random_{}_{}\nseed: {}\nduration: {} ms\nblock: {}\n", seed, number,
                        draw_.below(1000), draw_.between(40, 120), draw_.one_of<int>({1, 4, 16, 256}));
    populations();
    projections();
    schedule();
    record();
  }
  std::string text() const { return text_; }

 private:
  template <class... A>
  void line(fmt::format_string<A...> f, A&&... a) {
    text_ += fmt::format(f, std::forward<A>(a)...) + "\n";
  }

  std::string number(double x, const std::string& unit) { return fmt::format("{:.4g} {}", x, unit); }
  std::string drawn(double low, double high, const std::string& unit) {
    return fmt::format("{{uniform: {{low: {}, high: {}}}}}", number(low, unit), number(high, unit));
  }

  void neurons(const std::string& name) {
    const Model& m = draw_.one_of(models);
    const std::uint32_t size = draw_.once_in(4) ? draw_.between(40, 90) : draw_.between(1, 24);
    std::string params = fmt::format("t_ref: {}", number(draw_.below(4) * 0.7, "ms"));
    if (m.name != "adex") params += fmt::format(", v_reset: {}", number(m.rest - draw_.below(3), "mV"));
    const double th = m.rest + m.span;
    if (draw_.once_in(2)) params += ", v_th: " + drawn(th - 2, th + 1, "mV");
    if (m.name[0] == 'l' && m.name != "lif_cond_exp")
      params += ", tau_m: " + (draw_.once_in(4) ? drawn(8, 20, "ms") : number(draw_.between(5, 20), "ms"));
    if (m.name != "lif_delta")
      params += fmt::format(", tau_syn_exc: {}, tau_syn_inh: {}", number(draw_.between(1, 10) * 0.5, "ms"),
                            number(draw_.between(1, 10) * 0.5, "ms"));
    if (draw_.once_in(2))
      params += ", I_dc: " + (draw_.once_in(2) ? drawn(0, 500, "pA") : number(draw_.between(0, 450), "pA"));
    line("  {}: {{model: {}, size: {}, params: {{{}}}, initial: {{V: {}}}}}", name, m.name, size, params,
         drawn(m.rest, th - 1, "mV"));
    targets_.push_back({name, size, &m});
  }

  void populations() {
    text_ += "populations:\n";
    const auto n = draw_.between(1, 4);
    for (std::uint32_t i = 0; i < n; ++i) neurons(fmt::format("n{}", i));
    const auto& first = targets_[0];
    line("  noise: {{model: poisson, size: {}, params: {{rate: {}}}}}", first.size,
         number(draw_.between(2, 60) * 100, "Hz"));
    sources_.push_back({"noise", first.size, nullptr});
    if (draw_.once_in(2)) {
      const auto size = draw_.between(1, 300);
      line("  slow: {{model: poisson, size: {}, params: {{rate: {}}}}}", size,
           number(draw_.between(1, 100), "Hz"));
      sources_.push_back({"slow", size, nullptr});
    }
    if (draw_.once_in(2)) {
      std::string lists;
      const auto size = draw_.between(1, 5);
      for (std::uint32_t i = 0; i < size; ++i) {
        std::vector<std::uint32_t> at(draw_.below(6));
        for (auto& t : at) t = draw_.below(400);
        std::sort(at.begin(), at.end());
        std::string list;
        for (const auto t : at) list += fmt::format("{}{:.1f} ms", list.empty() ? "" : ", ", t * 0.1);
        lists += fmt::format("{}[{}]", i ? ", " : "", list);
      }
      line("  listed: {{model: spike_source, size: {}, spikes: [{}]}}", size, lists);
      sources_.push_back({"listed", size, nullptr});
    }
  }

  std::string rule(const Population& from, const Population& to) {
    const bool same = from.name == to.name;
    const std::string flags = same && draw_.once_in(2) ? ", autapses: false" : "";
    const std::uint32_t room = from.size - (same ? 1 : 0);
    switch (draw_.below(6)) {
      case 0:
        return "{rule: all_to_all" + flags + "}";
      case 1:
        return fmt::format("{{pairwise_bernoulli: {:.3f}{}}}", draw_.real(0.02, 0.6), flags);
      case 2:
        return fmt::format("{{fixed_total_number: {}}}", draw_.between(1, 3 * from.size + 5));
      case 3:
        return fmt::format("{{fixed_outdegree: {}}}", draw_.between(1, 10));
      case 4:
        if (room > 0 && draw_.once_in(2))
          return fmt::format("{{fixed_indegree: {}, multapses: false}}",
                             draw_.between(1, std::min(room, 12u)));
        [[fallthrough]];
      default:
        return fmt::format("{{fixed_indegree: {}}}", draw_.between(1, 12));
    }
  }
  std::string delay() {
    switch (draw_.below(5)) {
      case 0:
        return drawn(0.3, 4, "ms");
      case 1:
        return "{lognormal: {median: 1.5 ms, sigma: 0.6, min: 0.2 ms, max: 40 ms}}";
      case 2:
        return "{normal: {mean: 2 ms, sd: 1 ms, min: 0.1 ms}}";
      default:
        return number(draw_.between(1, 30) * 0.1, "ms");
    }
  }
  std::string weight(const Model& m, bool inhibitory, double scale) {
    const double w = (inhibitory ? m.inh : m.exc) * scale;
    switch (draw_.below(4)) {
      case 0:
        return w > 0 ? fmt::format("{{normal: {{mean: {0}, sd: {1}, min: 0 {2}}}}}", number(w, m.unit),
                                   number(w / 5, m.unit), m.unit)
                     : fmt::format("{{normal: {{mean: {0}, sd: {1}, max: 0 {2}}}}}", number(w, m.unit),
                                   number(-w / 5, m.unit), m.unit);
      case 1:
        return drawn(std::min(w / 2, w * 1.5), std::max(w / 2, w * 1.5), m.unit);
      default:
        return number(w, m.unit);
    }
  }
  /// A plastic or static synapse of excitatory weights, or a static one of inhibitory weights.
  std::string synapse(const std::string& projection, const Model& m, bool inhibitory, double scale) {
    const std::string w = ", weight: " + weight(m, inhibitory, scale);
    const std::string end =
        fmt::format("{}, delay: {}", inhibitory && m.inh_by_name ? ", port: inh" : "", delay());
    const std::string most = number(3 * m.exc * scale, m.unit);
    if (!inhibitory) switch (draw_.below(6)) {
        case 0:
          plastic_.push_back({projection, "stdp"});
          return fmt::format("model: stdp{}, w_max: {}, lambda: 0.05, nearest: {}{}", w, most, draw_.below(2),
                             end);
        case 1:
          plastic_.push_back({projection, "rstdp"});
          return fmt::format("model: rstdp{}, w_max: {}, tau_c: 50 ms, tau_d: {}{}", w, most,
                             number(draw_.below(2) * 20, "ms"), end);
        case 2:
          return fmt::format("model: tsodyks_markram{}, U: 0.3, tau_rec: 100 ms, tau_fac: {}{}", w,
                             number(draw_.below(2) * 50, "ms"), end);
        case 3:
          plastic_.push_back({projection, "spin_valve"});
          return fmt::format(
              "model: spin_valve, w_max: {}, u: {{uniform: {{low: 0, high: 1}}}}, cycle_noise: 0.1, "
              "read_noise: {}{}",
              most, draw_.below(2) * 0.1, end);
        default:
          break;
      }
    return "model: static" + w + end;
  }

  void projection(const std::string& name, const Population& from, const Population& to,
                  const std::string& connect, double scale) {
    const bool inhibitory = from.model && draw_.once_in(3);
    line("  {}: {{from: {}, to: {}, connect: {}, synapse: {{{}}}}}", name, from.name, to.name, connect,
         synapse(name, *to.model, inhibitory, scale));
    projections_.push_back(name);
  }
  void projections() {
    text_ += "projections:\n";
    if (draw_.once_in(4)) projection("drive", sources_[0], targets_[0], "one_to_one", 0.6);
    else {
      const Model& m = *targets_[0].model;
      line(
          "  drive: {{from: noise, to: {}, connect: one_to_one, synapse: {{model: static, weight: {}, delay: "
          "{}}}}}",
          targets_[0].name, number(m.exc * 0.6, m.unit), number(draw_.between(1, 20) * 0.1, "ms"));
      projections_.push_back("drive");
    }
    std::vector<Population> all = targets_;
    all.insert(all.end(), sources_.begin(), sources_.end());
    const auto n = draw_.between(1, 7);
    for (std::uint32_t i = 0; i < n; ++i) {
      const auto& from = draw_.one_of(all);
      const auto& to = draw_.one_of(targets_);
      projection(fmt::format("p{}", i), from, to, rule(from, to), 0.5);
    }
  }

  void schedule() {
    text_ += "schedule:\n";
    line("  - {{at: {} ms, set: {{noise: {{rate: {}}}}}}}", draw_.between(5, 60),
         number(draw_.between(2, 60) * 100, "Hz"));
    if (draw_.once_in(2))
      line("  - {{at: {} ms, set: {{\"{}[0:1]\": {{I_dc: 400 pA}}}}}}", draw_.between(5, 60),
           targets_[0].name);
    if (draw_.once_in(3))
      line(
          "  - {{at: 3 ms, set: {{{}: {{I_dc: {{normal: {{mean: 100 pA, sd: 80 pA}}}}}}}}, repeat: {{every: "
          "1.7 ms}}}}",
          targets_[0].name);
    if (draw_.once_in(3)) {
      const auto& p = draw_.one_of(projections_);
      line("  - {{at: 12 ms, weights: off, to: {}}}\n  - {{at: 21 ms, weights: {}, to: {}}}", p,
           draw_.one_of<std::string>({"on", "0.5"}), p);
    }
    for (const auto& [name, model] : plastic_) {
      if (model == "rstdp") line("  - {{at: 20 ms, reward: 1, to: {}, repeat: {{every: 9.3 ms}}}}", name);
      if (model == "spin_valve") {
        line("  - {{at: 11 ms, pulse: {{amplitude: {} V, width: 1 ms, count: 9, period: 3 ms}}, to: {}}}",
             draw_.one_of<double>({2.5, -2.5, 1.9}), name);
        line("  - {{at: {} ms, field: {{state: antiparallel}}, to: {}}}", draw_.between(10, 30), name);
      }
    }
  }

  void record() {
    std::string names;
    for (const auto& t : targets_) names += (names.empty() ? "" : ", ") + t.name;
    if (draw_.once_in(4)) names += ", noise";
    line("record:\n  spikes: [{}]", names);
    const auto& t = draw_.one_of(targets_);
    line("  reports: [{{population: {}, variable: V, every: {} ms}}]", t.name,
         draw_.one_of<double>({0.1, 1, 2.3}));
    if (plastic_.empty()) return;
    text_ += "  weights:\n";
    for (const auto& [name, model] : plastic_)
      if (draw_.once_in(2)) line("    - {{projection: {}, every: {} ms}}", name, draw_.between(3, 20));
      else line("    - {{projection: {}, on_change: true}}", name);
  }

  Draws draw_;
  std::string text_;
  std::vector<Population> targets_, sources_;
  std::vector<std::string> projections_;
  struct Plastic {
    std::string name, model;
  };
  std::vector<Plastic> plastic_;
};

}  // namespace

std::string random_network(std::uint64_t seed, std::uint64_t number) { return Writer(seed, number).text(); }

}  // namespace spinet::test
