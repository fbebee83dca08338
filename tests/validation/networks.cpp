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
#include <optional>

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

/// Amplitude [per tick and neuron] and lag [turns] of the first harmonic of a rate at a frequency [per tick],
/// from whole periods of [from, to).
std::pair<double, double> harmonic(const std::vector<Tick>& times, std::uint32_t neurons, double frequency,
                                   Tick from, Tick to) {
  double c = 0, s = 0;
  for (const Tick t : times) {
    if (t < from || t >= to) continue;
    const double angle = 2 * M_PI * std::fmod(static_cast<double>(t) * frequency, 1.0);
    c += std::cos(angle), s += std::sin(angle);
  }
  const double scale = 2 / (static_cast<double>(neurons) * static_cast<double>(to - from));
  return {scale * std::hypot(c, s), std::atan2(-c, s) / (2 * M_PI)};  // of a sine: c = 0, s > 0
}

double number(const YAML::Node& n, const std::string& unit) {
  const auto text = n.as<std::string>();
  if (!text.ends_with(" " + unit)) throw std::runtime_error("'" + text + "' is not in " + unit);
  return std::stod(text);
}

/// What a file of expectations says of a network, and a run of it.
class Expected {
 public:
  explicit Expected(const std::filesystem::path& file);
  /// Prints what was found; how much of it is wrong.
  int compare();

 private:
  Network network() const;
  void rates();
  void modulation();
  void spikes();
  void weights();
  void devices();
  double value_at(const YAML::Node& time, std::uint32_t recording, std::size_t synapse) const;
  std::uint32_t recording_of(const std::string& projection, const std::string& variable) const;
  /// `text` says what was found and what was expected.
  void judge(bool fine, const std::string& text) {
    fmt::print("  {}{}\n", text, fine ? "" : "  <-- WRONG");
    wrong_ += !fine;
  }
  double ms(const YAML::Node& n) const { return number(n, "ms"); }

  std::filesystem::path file_;
  YAML::Node expected_;
  Catalogue catalogue_;
  Network net_;
  Tick from_;
  std::uint32_t recorded_;  ///< weight recordings of the network's own
  std::optional<Counter> counter_;
  std::vector<std::uint64_t> widths_;  ///< synapses in a frame of each weight recording
  double run_seconds_ = 0;
  std::uint64_t spikes_ = 0;
  int wrong_ = 0;
};

Network Expected::network() const {
  LoadOptions options;
  for (const auto& o : expected_["set"])
    options.overrides.emplace_back(o.first.as<std::string>(), o.second.as<std::string>());
  return load(file_.parent_path() / expected_["network"].as<std::string>(), catalogue_, options);
}

Expected::Expected(const std::filesystem::path& file)
    : file_(file), expected_(YAML::LoadFile(file.string())) {
  add_builtin(catalogue_);
  net_ = network();
  from_ = expected_["from"] ? std::llround(ms(expected_["from"]) * net_.ticks_per_ms()) : 0;
  // Weights as they are at the end; recording them changes nothing.
  recorded_ = static_cast<std::uint32_t>(net_.weights.size());
  for (const auto& w : expected_["weights"]) {
    const auto name = w.first.as<std::string>();
    const auto p = std::find_if(net_.projections.begin(), net_.projections.end(),
                                [&](const Projection& x) { return x.name == name; });
    if (p == net_.projections.end()) throw std::runtime_error("no projection " + name);
    net_.weights.push_back({static_cast<std::uint32_t>(p - net_.projections.begin()), 0, net_.duration,
                            net_.duration - 1, never});
  }
  counter_.emplace(net_, from_);
  test::OneRank one;
  Simulation simulation(net_, one);
  const auto statistics = simulation.run(&*counter_);
  run_seconds_ = statistics.run_seconds;
  spikes_ = statistics.spikes;
  for (const auto width : simulation.weight_widths()) widths_.push_back(width);
}

int Expected::compare() {
  fmt::print("{}: {} spikes, {:.3g} s\n", file_.string(), spikes_, run_seconds_);
  rates();
  modulation();
  spikes();
  weights();
  devices();
  const auto any = {"rates", "modulation", "spikes", "weights", "devices"};
  if (std::none_of(any.begin(), any.end(), [&](const char* what) { return bool(expected_[what]); }))
    throw std::runtime_error(file_.string() + " expects nothing");
  return wrong_;
}

void Expected::rates() {
  const double seconds = static_cast<double>(net_.duration - from_) * net_.seconds_per_tick;
  for (const auto& band : expected_["rates"]) {
    const auto name = band.first.as<std::string>();
    std::uint64_t neurons = 0, spikes = 0;
    for (const auto& p : net_.populations)
      if (p.name == name || (name == "all" && p.neuron()))
        neurons += p.size, spikes += counter_->count[p.name];
    const double low = number(band.second[0], "Hz"), high = number(band.second[1], "Hz");
    const double rate = static_cast<double>(spikes) / static_cast<double>(neurons) / seconds;
    judge(rate >= low && rate <= high,
          fmt::format("{:8} {:9.4f} Hz, expected {} to {} Hz", name, rate, low, high));
  }
}

void Expected::modulation() {
  for (const auto& m : expected_["modulation"]) {
    const auto name = m.first.as<std::string>();
    const double per_tick = number(m.second["frequency"], "Hz") * net_.seconds_per_tick;
    const auto period = static_cast<Tick>(std::llround(1 / per_tick));
    const Tick to = from_ + (net_.duration - from_) / period * period;
    const auto p = std::find_if(net_.populations.begin(), net_.populations.end(),
                                [&](const Population& x) { return x.name == name; });
    if (p == net_.populations.end()) throw std::runtime_error("no population " + name);
    const auto [amplitude, lag] = harmonic(counter_->times[name], p->size, per_tick, from_, to);
    const auto within = [&](const char* what, double x, const YAML::Node& band) {
      const double low = band[0].as<double>(), high = band[1].as<double>();
      judge(x >= low && x <= high,
            fmt::format("{:10} {} {:.4f}, expected {} to {}", name, what, x, low, high));
    };
    within("amplitude [Hz]", amplitude / net_.seconds_per_tick, m.second["amplitude"]);
    within("lag [turns]", lag, m.second["lag"]);
  }
}

void Expected::spikes() {
  for (const auto& train : expected_["spikes"]) {
    const auto name = train.first.as<std::string>();
    std::vector<Tick> wanted;
    for (const auto& t : train.second) wanted.push_back(t.as<Tick>());
    const std::vector<Tick>& got = counter_->times[name];
    judge(got == wanted, fmt::format("{:8} {} spikes at the expected ticks", name, wanted.size()));
    if (got != wanted) fmt::print("    got [{}]\n", fmt::join(got, ", "));
  }
}

void Expected::weights() {
  std::uint32_t index = recorded_;
  for (const auto& weights : expected_["weights"]) {
    const auto name = weights.first.as<std::string>();
    const auto& w = counter_->final[index++];
    const auto within = [&](const std::string& what, double x, double low, double high) {
      judge(x >= low && x <= high,
            fmt::format("{:8} {} {:.6f}, expected {} to {}", name, what, x, low, high));
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
      judge(false, fmt::format("{:8} {} weights, expected {}", name, w.size(), each.size()));
    else if (each)
      for (std::size_t i = 0; i < w.size(); ++i) {
        const double x = each[i].as<double>();  // within the rounding of some ten steps to float
        within("weight " + std::to_string(i), static_cast<double>(w[i]), x * (1 - 1e-6), x * (1 + 1e-6));
      }
    if (!weights.second["mean"] && !weights.second["edges"] && !each)
      throw std::runtime_error(file_.string() + ": nothing is expected of " + name);
  }
}

/// A synapse's variable at a time, or divided by what it is at another.
void Expected::devices() {
  for (const auto& w : expected_["devices"]) {
    const auto projection = w["projection"].as<std::string>(), variable = w["variable"].as<std::string>();
    const auto synapse = w["synapse"].as<std::size_t>();
    const std::uint32_t k = recording_of(projection, variable);
    double x = value_at(w["at"], k, synapse);
    if (w["over"]) x /= value_at(w["over"], k, synapse);
    const double low = w["between"][0].as<double>(), high = w["between"][1].as<double>();
    judge(x >= low && x <= high,
          fmt::format("{} of {} {}: {:.8g}, expected {} to {}", variable, projection, synapse, x, low, high));
  }
}

std::uint32_t Expected::recording_of(const std::string& projection, const std::string& variable) const {
  for (std::uint32_t k = 0; k < net_.weights.size(); ++k) {
    const Projection& p = net_.projections[net_.weights[k].projection];
    if (p.name == projection && p.synapse->model.variables.data[net_.weights[k].variable].name == variable)
      return k;
  }
  throw std::runtime_error(variable + " of " + projection + " is not recorded");
}

double Expected::value_at(const YAML::Node& time, std::uint32_t k, std::size_t synapse) const {
  const auto& r = net_.weights[k];
  const Tick tick = std::llround(ms(time) * net_.ticks_per_ms());
  if ((tick - r.from) % r.every) throw std::runtime_error("no frame at " + time.as<std::string>());
  const auto frame = static_cast<std::size_t>((tick - r.from) / r.every);
  return static_cast<double>(counter_->sampled.at(k).at(frame * widths_[k] + synapse));
}

int check(const std::filesystem::path& file) { return Expected(file).compare(); }

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
