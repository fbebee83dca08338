// What spinet/reality.hpp adds, of every device: the same knobs, the same closed forms.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <stdexcept>

#include "network/devices.hpp"
#include "network/loader.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"
#include "support/synapses_on_bench.hpp"

using namespace spinet;
using namespace spinet::test;

namespace alike {
namespace {

/// A device in the middle of its range, where it stays by itself.
struct OneKind {
  const char *synapse, *state;
  double low, high;   ///< the ends of `state`
  const char* pulse;  ///< a strong one, up, of 5 ms
  const char *signal = "G", *event = "pulse";
  double at(double u) const { return low + (high - low) * u; }
};
const OneKind kinds[] = {
    {"spin_valve, u: 0.5", "u", 0, 1, "amplitude: 3.3 V"},  // more makes it 1, which no pulse changes
    {"pvdf, s: 0.5", "s", 0, 1, "amplitude: -2.4 V"},
    {"glassy, p: 0.5", "p", 0, 1, "amplitude: 4 V"},
    {"glassy_6, p: 0.5", "p", 0, 1, "amplitude: 4 V"},
    {"glassy_ensemble, p: 0.5, barriers: 32", "p", 0, 1, "amplitude: 4 V"},
    {"sot_device, r: 0.5", "m", -1, 1, "amplitude: 20 mA", "m", "current"},
};

std::string recorded(const std::string& variable, const std::string& when) {
  return "    - {projection: p, variable: " + variable + ", " + when + "}\n";
}
/// `side`^2 devices for 100 ms.
std::string network_of(const std::string& synapse, int side, const std::string& schedule,
                       const std::string& record) {
  return fmt::format(
      "spinet: 1\nduration: 100 ms\npopulations:\n"
      "  s: {{model: spike_source, size: {0}, spikes: {{0: [1 ms]}}}}\n"
      "  n: {{model: lif_delta, size: {0}, params: {{v_th: 1 V}}}}\nprojections:\n"
      "  p: {{from: s, to: n, connect: all_to_all, synapse: {{model: {1}, delay: 1 ms}}}}\n"
      "schedule:\n{2}record:\n  weights:\n{3}",
      side, synapse, schedule, record);
}
using Numbers = std::vector<double>;
/// The samples of each record, in a row.
std::vector<Numbers> logged(const std::string& text, std::uint32_t records) {
  Run r = run_once(load_text(text, "test.yaml", builtin()));
  std::vector<Numbers> all;
  for (std::uint32_t w = 0; w < records; ++w) {
    const auto& x = r.recorder.weights_of(w);
    all.emplace_back(x.begin(), x.end());
  }
  return all;
}
std::string pulses(const OneKind& k, int count) {
  return fmt::format("  - {{at: 10 ms, {}: {{{}, width: 5 ms, count: {}, period: 10 ms}}, to: p}}\n", k.event,
                     k.pulse, count);
}
constexpr double n_devices = 10'000;

}  // namespace

TEST_CASE("reality: reads of every device are noisy by what is said") {
  for (const OneKind& k : kinds) {
    INFO(k.synapse);
    const std::string frames = "every: 1 s, from: 50 ms", read = "  - {at: 10 ms, read: p}\n";
    auto x = logged(network_of(k.synapse + std::string(", read_noise: 0.2"), 100, read,
                               recorded("reading", frames) + recorded(k.signal, frames)),
                    2);
    REQUIRE(x[0].size() == n_devices);
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < x[0].size(); ++i) {
      const double r = x[0][i] / x[1][i] - 1;
      mean += r / n_devices, square += r * r / n_devices;
    }
    CHECK(std::abs(mean) < 4 * 0.2 / std::sqrt(n_devices));
    CHECK(std::sqrt(square) == Approx(0.2).epsilon(0.05));
    x = logged(network_of(k.synapse + std::string(", telegraph_noise: 0.5, telegraph_filled: 10 ms, "
                                                  "telegraph_empty: 30 ms"),
                          100, read, recorded("reading", frames) + recorded(k.signal, frames)),
               2);
    double filled = 0, wrong = 0;
    for (std::size_t i = 0; i < x[0].size(); ++i) {
      const double r = x[0][i] / x[1][i];
      filled += r < 0.75;
      wrong += std::abs(std::abs(r - 0.75) - 0.25) > 1e-6;
    }
    CHECK(wrong == 0);
    CHECK(std::abs(filled / n_devices - 0.25) < 4 * std::sqrt(0.25 * 0.75 / n_devices));
  }
}

TEST_CASE("reality: stuck devices of every kind neither change nor relax") {
  for (const OneKind& k : kinds) {
    INFO(k.synapse);
    const auto x = logged(network_of(k.synapse + std::string(", stuck: 0.3, stuck_at: 0.25"), 50,
                                     pulses(k, 3), recorded(k.state, "every: 1 s, from: 99 ms")),
                          1);
    double stuck = 0, moved = 0;
    for (const double s : x[0]) {
      stuck += std::abs(s - k.at(0.25)) < 1e-5;
      moved += s > k.at(0.75);
    }
    CHECK(stuck + moved == 2500);
    CHECK(std::abs(stuck / 2500 - 0.3) < 4 * std::sqrt(0.3 * 0.7 / 2500));
  }
}

TEST_CASE("reality: worn devices of every kind freeze, fall, rise or lose range") {
  for (const OneKind& k : kinds) {
    const auto after = [&](const std::string& more) {
      auto x = logged(network_of(k.synapse + more, 1, pulses(k, 6),
                                 recorded(k.state, "every: 10 ms, from: 19 ms") +
                                     recorded("changes", "every: 1 s, from: 79 ms")),
                      2);
      for (double& s : x[0]) s = (s - k.low) / (k.high - k.low);
      CAPTURE(k.synapse, more);
      REQUIRE(x[0].size() == 9);
      if (more.find("window") != more.npos) CHECK(x[1].at(0) >= 4);
      else if (!more.empty()) CHECK(x[1].at(0) == 4);
      return x[0];
    };
    const Numbers unworn = after(""), frozen = after(", endurance: 3, worn: frozen"),
                  low = after(", endurance: 3, worn: low"), high = after(", endurance: 3, worn: high"),
                  window = after(", endurance: 3, worn: window");
    INFO(k.synapse);
    CHECK(unworn[2] > 0.8);
    for (const Numbers& x : {frozen, low, high, window})
      for (std::size_t i = 0; i < 3; ++i) CHECK(x[i] == unworn[i]);
    CHECK(std::abs(frozen[3] - frozen[2]) < 0.05);  // what relaxes does so until the fourth pulse
    for (std::size_t i = 3; i < 9; ++i) {
      CHECK(frozen[i] == frozen[3]);
      CHECK(low[i] == Approx(0).margin(1e-6));
      CHECK(high[i] == Approx(1).epsilon(1e-6));
    }
    for (std::size_t i = 3; i < 6; ++i) {  // relaxing brings it nearer to the middle
      const double top = 0.5 + 0.5 * 3 / static_cast<double>(i + 1);
      CHECK(window[i] < top + 0.003);
      CHECK(window[i] > top - 0.1);
    }
  }
}

TEST_CASE("reality: what pulses, reads and fields cost, with the I-V of the device") {
  const double V = 0.5, scale = 0.2, factor = std::sinh(V / scale) / (V / scale),
               at_read = std::sinh(0.2 / scale) / (0.2 / scale);
  for (const OneKind& k : kinds) {
    if (k.event != std::string("pulse")) continue;
    for (const bool ohmic : {true, false}) {
      INFO(k.synapse << (ohmic ? " ohmic" : " sinh"));
      const auto x = logged(
          network_of(
              k.synapse +
                  std::string(", energy: 1, read_voltage: 0.2 V, read_width: 3 ms, "
                              "field_energy: 0.02 nJ, iv_scale: ") +
                  (ohmic ? "0 V" : "0.2 V"),
              1,
              "  - {at: 10 ms, pulse: {amplitude: 0.5 V, width: 5 ms}, to: p}\n  - {at: 20 ms, read: p}\n"
              "  - {at: 30 ms, field: 1 Oe}\n",
              recorded("energy", "every: 10 ms, from: 15 ms") + recorded("G", "every: 10 ms")),
          2);
      const double G = x[1][0], pulse = 1e3 * V * V * G * 5e-3 * (ohmic ? 1 : factor),
                   read = 0.2 * 0.2 * G * 3 * (ohmic ? 1 : at_read);  // the spike at 2 ms is one, too
      CHECK(x[0][0] == Approx(read + pulse).epsilon(1e-5));
      CHECK(x[0][1] == Approx(2 * read + pulse).epsilon(1e-5));
      CHECK(x[0][2] == Approx(2 * read + pulse + 0.02).epsilon(1e-5));
    }
  }
  // I^2 R t, and V^2 t / R of the read.
  SynapsesOnBench sot("sot_device", {{"energy", 1}, {"resistance", 500}, {"read_width", 2}});
  Control c;
  c.value[0] = 8, c.value[1] = 3e-3;
  sot.bench.control(sot.now, c);
  CHECK(sot("energy") == Approx(8e-3 * 8e-3 * 500 * 3e-3 * 1e9).epsilon(1e-12));
  sot.spike();
  CHECK(sot("energy") == Approx((8e-3 * 8e-3 * 500 * 3e-3 + 0.1 * 0.1 / 500 * 2e-3) * 1e9).epsilon(1e-12));
}

TEST_CASE("energy: devices that are stuck or worn pay for the conductance that they keep") {
  struct Held {
    const char *synapse, *pulse;
    double V;
  };
  for (const Held& h : {Held{"spin_valve, u: 0", "4 V", 4}, Held{"pvdf, s: 0", "-2.4 V", 2.4}})
    for (const char* why : {", stuck: 1", ", endurance: 0.5"}) {  // the first change is one too many
      INFO(h.synapse << why);
      const auto x = logged(
          network_of(
              h.synapse + std::string(", energy: 1") + why, 1,
              fmt::format("  - {{at: 10 ms, pulse: {{amplitude: {}, width: 50 ms}}, to: p}}\n", h.pulse),
              recorded("energy", "every: 1 s, from: 11 ms") + recorded("G", "every: 1 s, from: 11 ms")),
          2);
      CHECK(x[0][0] ==
            Approx(1e3 * h.V * h.V * x[1][0] * 0.05).epsilon(1e-4));  // and some reads of 0.1 V, 1 ms
    }
}

TEST_CASE("reality: a knob that devices have is on, also where it is 0 in the middle of them") {
  const std::pair<const char*, double> knobs[] = {{"read_noise", 0.25},  {"flicker_noise", 0.25},
                                                  {"cycle_noise", 0.25}, {"telegraph_noise", 0.25},
                                                  {"endurance", 2},      {"iv_scale", 0.25}};
  for (const OneKind& k : kinds) {
    const std::string name(k.synapse, std::strcspn(k.synapse, ","));
    const SynapseTable& table = table_of(name.c_str());
    const bool current = std::strcmp(k.event, "current") == 0;
    for (const auto& [knob, value] : knobs) {
      if (current && std::strcmp(knob, "iv_scale") == 0) continue;  // a metal
      INFO(name << ' ' << knob);
      const Devices::Make plain{values_of(table.model.params, {{"energy", 1}}),
                                values_of(table.model.variables, {{"u", 0.5}, {"s", 0.5}}),
                                7,
                                0,
                                3,
                                {}};
      std::uint32_t param = 0;
      while (std::strcmp(table.model.params.data[param].name, knob) != 0) ++param;
      // What events find and what it costs, before and after each of some pulses.
      const auto history = [&](const Devices::Make& make) {
        Devices d(table, make);
        std::uint32_t energy = 0;
        while (std::strcmp(d.model().variables.data[energy].name, "energy") != 0) ++energy;
        Control c;
        for (std::uint32_t s = 0; s < table.model.stimulus_count; ++s)
          if (std::strcmp(table.model.stimuli[s].name, k.event) == 0) c.stimulus = s;
        c.value[0] = current ? 20 : name == "pvdf" ? -1.4 : 2.4, c.value[1] = 5e-3;
        std::array<Numbers, 3> all;
        for (int n = 0; n < 6; ++n) {
          if (n > 0) d.apply(n, c);
          for (std::uint32_t i = 0; i < 3; ++i) {
            all[i].push_back(d.transmit(n + 0.5, i));
            all[i].push_back(d.read(n + 0.6, i, energy));
          }
        }
        return all;
      };
      Devices::Make whole = plain, own = plain;
      whole.params[param] = value;
      own.own = {{true, param, {value, 0, value}}};
      const auto none = history(plain), all = history(whole), some = history(own);
      CHECK(some[0] == all[0]);
      for (std::size_t i = 0; i < none[1].size(); ++i) CHECK(some[1][i] == Approx(none[1][i]).epsilon(1e-12));
      CHECK(some[2] == all[2]);
      CHECK(all[0] != none[0]);
    }
  }
}

TEST_CASE("spread: a spin valve of a higher threshold answers the same pulses less") {
  const auto x = logged(
      network_of("spin_valve, V_th: {uniform: {low: 1 V, high: 1.4 V}}", 20,
                 "  - {at: 10 ms, pulse: {amplitude: 2.5 V, width: 5 ms}, to: p}\n",
                 recorded("u", "every: 1 s, from: 20 ms") + recorded("V_th", "every: 1 s, from: 20 ms")),
      2);
  // u = 1 - exp(-k t), k = k0 (exp((V - V_th) / 0.25 V) - 1) with the k0 of a device of 1.2 V, of which 50
  // such pulses multiply the conductance by 47.
  const double k0 = -std::log1p(-std::log(47.0) / std::log(89 / 0.64)) / 0.25 / std::expm1(1.3 / 0.25);
  for (std::size_t i = 0; i < x[0].size(); ++i)
    CHECK(x[0][i] == Approx(-std::expm1(-5e-3 * k0 * std::expm1((2.5 - x[1][i]) / 0.25))).epsilon(1e-5));
}

TEST_CASE("spread: each device has its own threshold, range and current") {
  struct Threshold {
    const char *synapse, *pulse, *state;
    double from;
  };
  const Threshold all[] = {
      {"glassy, V_up: {normal: {mean: 1.75 V, sd: 0.1 V}}", "1.85 V", "p", 0.5},
      {"glassy_6, V_up: {normal: {mean: 1.75 V, sd: 0.1 V}}", "1.85 V", "p", 0.5},
      {"glassy_ensemble, barriers: 16, V_up: {normal: {mean: 1.75 V, sd: 0.1 V}}", "1.85 V", "p", 0.5},
      {"pvdf, V_neg: {normal: {mean: 0.67 V, sd: 20 mV}}", "-0.69 V", "s", 0}};
  for (const Threshold& t : all) {
    INFO(t.synapse);
    const auto x = logged(
        network_of(t.synapse, 100,
                   fmt::format("  - {{at: 10 ms, pulse: {{amplitude: {}, width: 5 ms}}, to: p}}\n", t.pulse),
                   recorded(t.state, "every: 1 s, from: 16 ms")),
        1);
    double moved = 0;
    for (const double s : x[0]) moved += s != t.from;
    CHECK(std::abs(moved / n_devices - 0.5 * std::erfc(-1 / std::sqrt(2))) <
          4 * std::sqrt(0.84 * 0.16 / 1e4));
  }
  for (const char* name : {"glassy", "glassy_6", "glassy_ensemble"}) {
    INFO(name);
    const auto x = logged(network_of(name + std::string(", w_max: 2 mV, p: 0.7, G_min: {lognormal: {median: "
                                                        "1e-4 uS, sigma: 0.3}}, span: {uniform: "
                                                        "{low: 12, high: 14}}"),
                                     20, "  - {at: 1 ms, field: 1 Oe}\n",
                                     recorded("G", "every: 1 s") + recorded("G_min", "every: 1 s") +
                                         recorded("span", "every: 1 s") + recorded("p", "every: 1 s") +
                                         recorded("weight", "every: 1 s")),
                          5);
    std::set<double> different;
    for (std::size_t i = 0; i < x[0].size(); ++i) {
      different.insert(x[0][i]);
      CHECK(x[0][i] == Approx(x[1][i] * std::exp(x[2][i] * x[3][i])).epsilon(1e-3));
      CHECK(x[4][i] == Approx(2 * x[0][i] / (1e-4 * std::exp(13.0))).epsilon(1e-5));
    }
    CHECK(different.size() > 390);
  }
  const auto x = logged(
      network_of("sot_device, I_0: {normal: {mean: 10 mA, sd: 1 mA}}", 20,
                 "  - {at: 10 ms, current: {amplitude: 10 mA, width: 10 ms}, to: p}\n",
                 recorded("m", "every: 1 s, from: 11 ms") + recorded("I_0", "every: 1 s, from: 11 ms")),
      2);
  const auto sig = [](double y) { return 1 / (1 + std::exp(-y)); };
  for (std::size_t i = 0; i < x[0].size(); ++i) {
    const double I = x[1][i], q = (sig(10 - I) - sig(-I)) / (1 - sig(-I));
    CHECK(x[0][i] == Approx(q).epsilon(1e-3));  // it relaxes for a tick of the delay
  }
}

TEST_CASE("spread: pairs of spikes of a pvdf device go by its own constants") {
  // Of devices that differ in what the table of pairs does not know, each pair must do what the table says.
  const auto text = [](const char* more) {
    return fmt::format(
        "spinet: 1\nduration: 300 ms\npopulations:\n"
        "  s: {{model: spike_source, size: 1, spikes: {{0: [50 ms, 150 ms, 155 ms]}}}}\n"
        "  n: {{model: lif_delta, size: 3, params: {{I_dc: 700 pA}}}}\nprojections:\n"
        "  p: {{from: s, to: n, connect: all_to_all, synapse: {{model: pvdf, stdp: 1, s: 0.4, w_max: 0.1 mV, "
        "delay: 1 ms{}}}}}\n"
        "record:\n  weights:\n    - {{projection: p, variable: s, every: 100 ms, from: 99 ms}}\n",
        more);
  };
  const Numbers table = logged(text(""), 1)[0],
                own = logged(text(", G_max: {uniform: {low: 9 uS, high: 11 uS}}"), 1)[0],
                eager = logged(text(", k_neg: {uniform: {low: 8 1/s, high: 9 1/s}}"), 1)[0];
  REQUIRE(table.size() == own.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    CHECK(table[i] != static_cast<double>(0.4F));
    CHECK(own[i] == Approx(table[i]).margin(2e-5));
    CHECK(std::abs(eager[i] - table[i]) > 1e-3);
  }
}

TEST_CASE(
    "reality: all of it at once, of every device: the same on any ranks, in any blocks, after a restart") {
  struct Whole {
    std::string synapse, schedule;
    std::vector<std::string> variables;
  };
  const std::string
      held = ", stuck: 0.2, endurance: {lognormal: {median: 3, sigma: 0.5}}, worn: window",
      reads = ", read_noise: 0.2, flicker_noise: 0.1, telegraph_noise: 0.3",
      cycle = ", cycle_noise: 0.3, energy: 1, iv_scale: 0.5 V",
      volts =
          "  - {at: 5 ms, pulse: {amplitude: 2.2 V, width: 1 ms, count: 9, period: 7 ms}, to: p}\n"
          "  - {at: 20 ms, pulse: {amplitude: -2 V, width: 1 ms}, to: p, columns: [3]}\n",
      field = "  - {at: 51 ms, field: 100 Oe}\n",
      look = "  - {at: 20 ms, read: p}\n  - {at: 20 ms, read: p}\n  - {at: 80 ms, read: p}\n";
  const std::vector<std::string> device = {"weight", "energy", "changes", "stuck", "reading"};
  const std::string glassy =
      "p: {uniform: {low: 0.2, high: 0.8}}, V_up: {normal: {mean: 1.75 V, sd: 0.1 V}}, "
      "span: {uniform: {low: 13, high: 14}}";
  const Whole all[] = {
      {"glassy, " + glassy + held + reads + cycle, volts + field + look, device},
      {"glassy_6, " + glassy + held + reads + cycle, volts + field + look, device},
      {"glassy_ensemble, barriers: 16, " + glassy + held + reads + cycle, volts + field + look, device},
      {"glassy_stdp, energy: 1, amplitude_plus: {uniform: {low: 1.9 V, high: 2.1 V}}, window_plus: 30 ms, "
       "window_minus: 30 ms, " +
           glassy + held + reads,
       field + look, device},
      {"pvdf, s: {uniform: {low: 0, high: 1}}, V_pos: {normal: {mean: 1 V, sd: 50 mV}}" + held + reads +
           cycle,
       volts + field + look, device},
      {"pvdf, stdp: 1, energy: 1, s: {uniform: {low: 0, high: 1}}, G_max: {uniform: {low: 9 uS, high: 11 "
       "uS}}" +
           held + reads,
       field + look, device},
      {"sot_device, r: {uniform: {low: -0.5, high: 0.5}}, I_0: {normal: {mean: 10 mA, sd: 1 mA}}, "
       "cycle_noise: 0.3, "
       "energy: 1, resistance: {normal: {mean: 500 Ohm, sd: 50 Ohm}}" +
           held + reads,
       "  - {at: 5 ms, current: {amplitude: 12 mA, width: 1 ms, count: 9, period: 7 ms}, to: p}\n" + look,
       device},
      {"nl_sb, weight: 0.5 mV, n: {uniform: {low: 4, high: 9}}, window_plus: 30 ms" + held + reads,
       "  - {at: 51 ms, weights: 0.9, to: p}\n",
       {"weight", "changes", "stuck"}},
      {"lhb, weight: 0.5 mV, n: {uniform: {low: 4, high: 9}}, window_plus: 30 ms" + held + reads,
       "  - {at: 51 ms, weights: 0.9, to: p}\n",
       {"weight", "changes", "stuck"}}};
  for (const Whole& w : all) {
    INFO(w.synapse);
    const auto text = [&](int block) {
      std::string record;
      for (const auto& v : w.variables) record += recorded(v, "every: 10 ms");
      return fmt::format(
          "spinet: 1\nduration: 100 ms\nblock: {}\npopulations:\n"
          "  s: {{model: spike_source, size: 3, spikes: {{0: [1 ms, 1 ms, 40 ms, 55 ms], 2: [33 ms, 47 ms, "
          "70 ms]}}}}\n"
          "  n: {{model: lif_delta, size: 11, params: {{I_dc: 900 pA}}}}\nprojections:\n"
          "  p: {{from: s, to: n, connect: all_to_all, synapse: {{model: {}, w_max: 1 mV, delay: 1 ms}}}}\n"
          "schedule:\n{}record:\n  reports: {{population: n, variable: V, every: 5 ms}}\n  weights:\n{}",
          block, w.synapse, w.schedule, record);
    };
    const auto done = [&](int ranks, int block, MemoryCheckpoints* save = nullptr,
                          const MemoryCheckpoints* from = nullptr) {
      return on_ranks(load_text(text(block), "test.yaml", builtin()), ranks, {ms(35), save, from});
    };
    MemoryCheckpoints saved;
    MemoryRecorder one = done(1, 256, &saved);
    for (const auto& [ranks, block] : {std::pair{1, 1}, {2, 4}, {3, 256}})
      CHECK(done(ranks, block).same_samples(one));
    saved.chosen = saved.saved.begin()->first;
    MemoryRecorder rest = done(2, 4, nullptr, &saved);
    for (std::uint32_t v = 0; v < w.variables.size(); ++v) {
      const auto &whole = one.weights_of(v), &part = rest.weights_of(v);
      CAPTURE(w.variables[v]);
      REQUIRE(part.size() > 33);
      CHECK(std::memcmp(part.data(), whole.data() + whole.size() - part.size(),
                        part.size() * sizeof(float)) == 0);
      CHECK(std::set<float>(whole.end() - 33, whole.end()).size() >
            (w.variables[v] == "stuck" || w.variables[v] == "changes" ? 1 : 15));
    }
  }
}

TEST_CASE("preset: a named set of parameters, which gives way to what the network says itself") {
  const auto number = [](const std::string& synapse, const char* parameter) {
    const Network net =
        load_text(network_of(synapse, 1, "  - {at: 1 ms, field: 1 Oe}\n", recorded("weight", "every: 1 s")),
                  "test.yaml", builtin());
    const Projection& p = net.projections[0];
    const Fields& f = p.synapse->model.params;
    for (std::uint32_t i = 0; i < f.count; ++i)
      if (f.data[i].name == std::string(parameter)) return p.params[i];
    throw std::logic_error(parameter);
  };
  CHECK(number("spin_valve, preset: lsmo_alq3_co", "G_max") == 89);
  CHECK(number("spin_valve, preset: lsmo_alq3_co, G_max: 95 uS", "G_max") == 95);
  CHECK(number("glassy, preset: lsmo_gaq3_co", "temperature") == 76);
  CHECK(number("glassy_6, preset: lsmo_gaq3_co_3x1", "temperature") == 100);
  CHECK(number("pvdf, preset: lsmo_pvdf_co", "read_voltage") == 0.01);
  const auto refused = [&](const std::string& synapse, const char* message) {
    try {
      number(synapse, "w_max");
      FAIL_CHECK("taken: " + synapse);
    } catch (const InvalidNetwork& e) {
      CAPTURE(e.rendered);
      CHECK(e.rendered.find(message) != std::string::npos);
      CHECK(e.rendered.find("test.yaml:") != std::string::npos);
    }
  };
  refused("glassy, preset: lsmo_gaq_co", "model glassy has no preset 'lsmo_gaq_co'");
  refused("glassy, preset: lsmo_gaq_co", "lsmo_gaq3_co");  // did you mean
  refused("pcm, preset: pcm", "model pcm has no presets");
  refused("spin_valve, preset: lsmo_alq3_co, G_min: 90 uS", "G_min must be below G_max");
}

}  // namespace alike
