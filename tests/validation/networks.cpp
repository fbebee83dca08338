// Every networks/NAME/expected*.yaml against a run: exact spike times, bands of rates, weights at the end,
// variables of devices. Argument: the folder of one network, or one expected file.  Exit code 0 if all is as
// expected.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "core/simulation.hpp"
#include "network/loader.hpp"
#include "support/one_rank.hpp"

using namespace spinet;

namespace {

/// Counts and, on demand, keeps spikes by population.
class Counter : public Recorder {
 public:
  Counter(const Network& net, Tick from) : net_(net), from_(from) {}
  void spikes(std::span<const Spike> some) override {
    for (const auto& s : some)
      for (const auto& p : net_.populations)
        if (s.gid >= p.first && s.gid - p.first < p.size) {
          if (s.tick >= from_) ++count[p.name];
          if (times[p.name].size() < most_times) times[p.name].push_back(s.tick);
        }
  }
  void frames(std::uint32_t, std::span<const float>) override {}
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void weights(std::uint32_t w, std::span<const float> values) override {
    final[w].assign(values.begin(), values.end());
    sampled[w].insert(sampled[w].end(), values.begin(), values.end());
  }
  void commit(Tick) override {}
  std::map<std::uint32_t, std::vector<float>> final;  ///< by weight recording
  std::map<std::string, std::uint64_t> count;
  std::map<std::string, std::vector<Tick>> times;
  std::map<std::uint32_t, std::vector<float>> sampled;

 private:
  static constexpr std::size_t most_times = 1'000'000;
  const Network& net_;
  Tick from_;
};

/// Amplitude [Hz] and lag [turns] of the first harmonic of a rate at a frequency [per tick], from whole
/// periods.
std::pair<double, double> harmonic(const std::vector<Tick>& times, std::uint32_t neurons, double frequency,
                                   Tick from, Tick to, double ticks_per_s) {
  double c = 0, s = 0;
  for (const Tick t : times) {
    if (t < from || t >= to) continue;
    const double angle = 2 * M_PI * std::fmod(static_cast<double>(t) * frequency, 1.0);
    c += std::cos(angle), s += std::sin(angle);
  }
  const double scale = 2 / (static_cast<double>(neurons) * static_cast<double>(to - from) / ticks_per_s);
  return {scale * std::hypot(c, s), std::atan2(-c, s) / (2 * M_PI)};  // of a sine: c = 0, s > 0
}

double number(const YAML::Node& n, const std::string& unit) {
  const auto text = n.as<std::string>();
  if (!text.ends_with(" " + unit)) throw std::runtime_error("'" + text + "' is not in " + unit);
  return std::stod(text);
}

int check(const std::filesystem::path& file) {
  const auto expected = YAML::LoadFile(file.string());
  Catalogue catalogue;
  add_builtin(catalogue);
  LoadOptions options;
  for (const auto& o : expected["set"])
    options.overrides.emplace_back(o.first.as<std::string>(), o.second.as<std::string>());
  auto net = load(file.parent_path() / expected["network"].as<std::string>(), catalogue, options);
  const double ticks = net.ticks_per_ms();
  const Tick from = expected["from"] ? std::llround(number(expected["from"], "ms") * ticks) : 0;
  // Weights as they are at the end; recording them changes nothing.
  const auto recorded = static_cast<std::uint32_t>(net.weights.size());
  for (const auto& w : expected["weights"]) {
    const auto name = w.first.as<std::string>();
    const auto p = std::find_if(net.projections.begin(), net.projections.end(),
                                [&](const Projection& x) { return x.name == name; });
    if (p == net.projections.end()) throw std::runtime_error("no projection " + name);
    net.weights.push_back(
        {static_cast<std::uint32_t>(p - net.projections.begin()), 0, net.duration, net.duration - 1, never});
  }
  Counter counter(net, from);
  test::OneRank one;
  Simulation simulation(net, one);
  const auto statistics = simulation.run(&counter);
  const double seconds = static_cast<double>(net.duration - from) * net.seconds_per_tick;
  int wrong = 0;
  fmt::print("{}: {} spikes, {:.3g} s\n", file.string(), statistics.spikes, statistics.run_seconds);
  for (const auto& band : expected["rates"]) {
    const auto name = band.first.as<std::string>();
    std::uint64_t neurons = 0, spikes = 0;
    for (const auto& p : net.populations)
      if (p.name == name || (name == "all" && p.neuron())) neurons += p.size, spikes += counter.count[p.name];
    const double low = number(band.second[0], "Hz"), high = number(band.second[1], "Hz");
    const double rate = static_cast<double>(spikes) / static_cast<double>(neurons) / seconds;
    const bool fine = rate >= low && rate <= high;
    fmt::print("  {:8} {:9.4f} Hz, expected {} to {} Hz{}\n", name, rate, low, high,
               fine ? "" : "  <-- WRONG");
    wrong += !fine;
  }
  for (const auto& m : expected["modulation"]) {
    const auto name = m.first.as<std::string>();
    const double per_tick = number(m.second["frequency"], "Hz") * net.seconds_per_tick;
    const auto period = static_cast<Tick>(std::llround(1 / per_tick));
    const Tick to = from + (net.duration - from) / period * period;
    const auto p = std::find_if(net.populations.begin(), net.populations.end(),
                                [&](const Population& x) { return x.name == name; });
    if (p == net.populations.end()) throw std::runtime_error("no population " + name);
    const auto [amplitude, lag] =
        harmonic(counter.times[name], p->size, per_tick, from, to, 1 / net.seconds_per_tick);
    const auto within = [&](const char* what, double x, const YAML::Node& band) {
      const bool fine = x >= band[0].as<double>() && x <= band[1].as<double>();
      fmt::print("  {:10} {} {:.4f}, expected {} to {}{}\n", name, what, x, band[0].as<double>(),
                 band[1].as<double>(), fine ? "" : "  <-- WRONG");
      wrong += !fine;
    };
    within("amplitude [Hz]", amplitude, m.second["amplitude"]);
    within("lag [turns]", lag, m.second["lag"]);
  }
  for (const auto& train : expected["spikes"]) {
    const auto name = train.first.as<std::string>();
    std::vector<Tick> wanted;
    for (const auto& t : train.second) wanted.push_back(t.as<Tick>());
    const bool fine = counter.times[name] == wanted;
    fmt::print("  {:8} {} spikes{}\n", name, wanted.size(),
               fine ? " at the expected ticks" : "  <-- WRONG, got:");
    if (!fine) fmt::print("    [{}]\n", fmt::join(counter.times[name], ", "));
    wrong += !fine;
  }
  std::uint32_t index = recorded;
  for (const auto& weights : expected["weights"]) {
    const auto name = weights.first.as<std::string>();
    const auto& w = counter.final[index++];
    const auto within = [&](const std::string& what, double x, double low, double high) {
      const bool fine = x >= low && x <= high;
      fmt::print("  {:8} {} {:.6f}, expected {} to {}{}\n", name, what, x, low, high,
                 fine ? "" : "  <-- WRONG");
      wrong += !fine;
    };
    const auto band = [&](const std::string& what, double x, const YAML::Node& b) {
      within(what, x, b[0].as<double>(), b[1].as<double>());
    };
    double sum = 0;
    for (const float x : w) sum += static_cast<double>(x);
    if (weights.second["mean"])
      band("mean weight", sum / static_cast<double>(w.size()), weights.second["mean"]);
    for (const auto& edge : weights.second["edges"])
      band("weight " + edge.first.as<std::string>(), static_cast<double>(w.at(edge.first.as<std::size_t>())),
           edge.second);
    const auto each = weights.second["each"];
    if (each && each.size() != w.size())
      fmt::print("  {:8} {} weights, expected {}  <-- WRONG\n", name, w.size(), each.size()), ++wrong;
    else if (each)
      for (std::size_t i = 0; i < w.size(); ++i) {
        const double x = each[i].as<double>();  // within the rounding of some ten steps to float
        within("weight " + std::to_string(i), static_cast<double>(w[i]), x * (1 - 1e-6), x * (1 + 1e-6));
      }
    if (!weights.second["mean"] && !weights.second["edges"] && !each)
      throw std::runtime_error(file.string() + ": nothing is expected of " + name);
  }
  // A synapse's variable at a time, or divided by what it is at another.
  for (const auto& w : expected["devices"]) {
    const auto projection = w["projection"].as<std::string>(), variable = w["variable"].as<std::string>();
    std::uint32_t k = 0;
    while (k < net.weights.size() && (net.projections[net.weights[k].projection].name != projection ||
                                      net.projections[net.weights[k].projection]
                                              .synapse->model.variables.data[net.weights[k].variable]
                                              .name != variable))
      ++k;
    if (k == net.weights.size())
      throw std::runtime_error(variable + " of " + projection + " is not recorded");
    const auto& r = net.weights[k];
    const auto width = simulation.weight_widths()[k];
    const auto at = [&](const YAML::Node& time) {
      const Tick tick = std::llround(number(time, "ms") * ticks);
      if ((tick - r.from) % r.every) throw std::runtime_error("no frame at " + time.as<std::string>());
      return static_cast<double>(counter.sampled[k].at(
          static_cast<std::size_t>((tick - r.from) / r.every) * width + w["synapse"].as<std::size_t>()));
    };
    const double x = w["over"] ? at(w["at"]) / at(w["over"]) : at(w["at"]);
    const double low = w["between"][0].as<double>(), high = w["between"][1].as<double>();
    const bool fine = x >= low && x <= high;
    fmt::print("  {} of {} {}: {:.8g}, expected {} to {}{}\n", variable, projection,
               w["synapse"].as<std::size_t>(), x, low, high, fine ? "" : "  <-- WRONG");
    wrong += !fine;
  }
  if (!expected["rates"] && !expected["modulation"] && !expected["spikes"] && !expected["weights"] &&
      !expected["devices"])
    throw std::runtime_error(file.string() + " expects nothing");
  return wrong;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) return fmt::print(stderr, "usage: check_network FILE|FOLDER...\n"), EXIT_FAILURE;
  int wrong = 0, files = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      wrong += check(argv[i]);
      ++files;
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
      if (entry.path().filename().string().starts_with("expected")) {
        wrong += check(entry.path());
        ++files;
      }
  }
  return wrong == 0 && files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return EXIT_FAILURE;
}
