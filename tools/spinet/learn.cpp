// spinet learn: gradient descent with dense weights on devices, which change by their own pulses.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>

#include "comm/serial.hpp"
#include "inputs.hpp"
#include "layers/trainer.hpp"
#include "log/h5.hpp"
#include "log/model_file.hpp"
#include "mapping/device_file.hpp"
#include "mapping/learner.hpp"
#include "network/printable.hpp"
#include "number_range.hpp"
#include "on_devices.hpp"
#include "outputs.hpp"
#include "ranks.hpp"
#include "text.hpp"
#include "train/examine.hpp"

namespace spinet::tool {
namespace {

struct LearnOptions {
  NetworkOptions network;
  WritingOptions writing;
  std::string data, output, rule = "pulses";
  mapping::Learning learning;
  std::optional<std::uint32_t> epochs;
  std::optional<double> rate;
  bool force = false;
};

mapping::Rule rule_of(const std::string& name) {
  if (name == "exact") return mapping::Rule::exact;
  return name == "tiki_taka" ? mapping::Rule::tiki_taka : mapping::Rule::pulses;
}

/// Is the rate of this training one of plain descent, image by image, as learning is?
bool is_plain(const layers::Training& t) {
  return t.optimiser == layers::Training::Optimiser::sgd && t.momentum == 0 && t.batch == 1;
}

/// What the network says of training, and learning does otherwise.
std::string not_used(const layers::Training& t, bool rate_given) {
  using layers::Training;
  std::string names;
  const auto add = [&](bool there, const char* name) {
    if (there) names += (names.empty() ? "" : ", ") + std::string(name);
  };
  add(!is_plain(t) && !rate_given, "rate");
  add(t.batch != 1, "batch");
  add(t.optimiser != Training::Optimiser::sgd || t.momentum != 0, "optimiser");
  add(t.weight_decay != 0, "weight_decay");
  add(t.schedule != Training::Schedule::constant, "schedule");
  add(t.validation > 0, "validation");
  add(t.patience > 0, "patience");
  return names;
}

class LearnRun {
 public:
  explicit LearnRun(const LearnOptions& o) : o_(o), catalogue_(read_catalogue(o.network.plugin_path)) {
    network_ = read_network(o.network, catalogue_, &files_);
    try {
      layered_ = layers::layered(network_);
    } catch (const layers::NotLayered& e) {
      throw unfit(network_, e.place, fmt::format("cannot be trained: {}", e.what()));
    }
    if (const auto why = mapping::not_learnable(layered_.plan); !why.empty())
      throw UserError(fmt::format("{}: cannot learn on devices: {}", o.network.file, printable_line(why)));
    train_ = images_of(o.data, images::Part::train, layered_.plan);
    test_ = images_of(o.data, images::Part::test, layered_.plan);
    for (const auto* images : {&train_, &test_})
      if (const auto text = images::remark(*images, layered_.plan.code); !text.empty())
        fmt::print(stderr, "note: {}\n", printable_line(text));
    set_learning();
    set_material();
    if (!o.output.empty()) check_output(o.output, Replace{o.force}, inputs());
  }

  int go() {
    const auto lock = o_.output.empty() ? nullptr : claim_output(o_.output, Replace{o_.force}, inputs());
    mapping::Learner learner(layered_.plan, layered_.initial, learning_, material_);
    fmt::print("{}: rule {}, {}, {} to learn from, {} to test with\n\n", network_.name, o_.rule,
               material_.table ? material_.table->model.name : "no devices", plural(train_.count, "image"),
               grouped(test_.count));
    fmt::print("{:>6} {:>8} {:>10} {:>10} {:>14} {:>10}\n", "epoch", "loss", "accuracy", "test", "pulses",
               on_devices() ? "saturated" : "");
    show(learner, {}, 0);
    for (std::uint32_t e = 1; e <= learning_.epochs; ++e) show(learner, learner.epoch(train_), e);
    say_of_trains(learner.trains());
    if (spent_.back() > 0)
      fmt::print("\n{} for pulses and reads of learning; {:.4g} uJ before it\n",
                 spent_text(spent_.back() - spent_.front(), static_cast<std::int64_t>(pulses_.back())),
                 spent_.front() * 1e-3);
    if (!o_.output.empty()) keep(learner);
    return fine;
  }

 private:
  bool on_devices() const { return learning_.rule != mapping::Rule::exact; }
  /// Of the network's training, what means the same here.
  void set_learning() {
    learning_ = o_.learning;
    learning_.rule = rule_of(o_.rule);
    learning_.seed = network_.seed;
    if (const auto& said = network_.training) {
      learning_.epochs = said->epochs;
      if (is_plain(*said)) learning_.rate = said->rate;
      if (const auto names = not_used(*said, o_.rate.has_value()); !names.empty())
        fmt::print(stderr,
                   "note: images come one by one here, so that of the network's training {} {} not used{}\n",
                   names, names.find(',') == std::string::npos ? "is" : "are",
                   o_.rate ? "" : fmt::format("; the rate is {}", learning_.rate));
    }
    learning_.epochs = o_.epochs.value_or(learning_.epochs);
    learning_.rate = o_.rate.value_or(learning_.rate);
  }
  void set_material() {
    if (!on_devices()) return;
    const DeviceMapping* said = nullptr;
    const Projection* by = nullptr;
    for (const layers::Connection& c : layered_.plan.connections) {
      const Projection& p = network_.projections[c.projection];
      if (c.weights.count == 0 || !p.mapping) continue;
      if (said && !(*said == *p.mapping) && o_.writing.device.empty())
        throw UserError(
            fmt::format("{}: '{}' and '{}' name different devices, and one kind learns; --device says which",
                        o_.network.file, by->name, p.name));
      if (!said) said = p.mapping.get(), by = &p;
    }
    devices_ = chosen_devices(o_.writing, catalogue_, said);
    const std::uint32_t seed = o_.writing.seed.value_or(network_.devices.value_or(DeviceReading{}).seed);
    material_.table = devices_.table;
    material_.scheme = scheme_of(devices_, seed);
    material_.scheme.pairs = false;
    material_.make = [this, seed](std::uint32_t first, std::uint32_t count) {
      return some_devices(devices_, seed, first, count);
    };
  }
  std::vector<Input> inputs() const {
    std::vector<Input> inputs{{o_.network.file, "the network that is read"}};
    for (const auto& [name, path] : files_) inputs.push_back({path, "a data file of the network"});
    for (const auto* images : {&train_, &test_})
      for (const auto& file : images->files) inputs.push_back({file, "a file of images that are read"});
    return inputs;
  }

  void show(mapping::Learner& learner, const mapping::Learner::Epoch& e, std::uint32_t number) {
    SerialTransport alone;
    std::vector<std::uint32_t> all(test_.count);
    std::iota(all.begin(), all.end(), 0u);
    const double test = train::examine(layered_.plan, learner.read(), test_, all, alone).accuracy();
    tested_.push_back(test);
    loss_.push_back(number > 0 ? e.loss : std::numeric_limits<double>::quiet_NaN());
    pulses_.push_back(static_cast<double>(e.pulses));
    spent_.push_back(learner.spent());
    const mapping::Trains so_far = learner.trains();
    const double saturated = static_cast<double>(so_far.saturated - trains_.saturated) /
                             static_cast<double>(so_far.sent - trains_.sent);
    trains_ = so_far;
    saturated_.push_back(saturated);
    fmt::print("{:>6} {:>8} {:>10} {:>10} {:>14} {:>10}\n", number, number ? loss_text(e.loss) : "",
               number ? percent(e.accuracy) : "", percent(test), grouped(e.pulses),
               std::isnan(saturated) ? "" : percent(saturated));
    std::fflush(stdout);
  }
  static std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }
  /// Weights that change by much less than they should for want of slots.
  static void say_of_trains(const mapping::Trains& t) {
    constexpr double enough = 0.95;
    if (!(t.made < enough * t.wanted)) return;
    fmt::print(
        stderr,
        "note: {} of the trains were saturated, with a pulse in every slot and more wanted, and weights "
        "changed by {:.2f} of what the rate asks; a lower --rate, more --slots, a greater --reach or "
        "pulses of a greater step are the ways out\n",
        percent(static_cast<double>(t.saturated) / static_cast<double>(t.sent)), t.made / t.wanted);
  }
  void keep(mapping::Learner& learner) const {
    ModelOrigin origin{SPINET_VERSION, network_.name, o_.network.file, network_.source_text, {}};
    for (const auto& [path, value] : load_options(o_.network).overrides)
      origin.overrides.push_back(path + "=" + value);
    write_model(o_.output, layered_.plan, origin, learner.read(), [&](hid_t file) {
      mapping::write_learnt(file, {o_.rule, material_.table ? material_.table->model.name : "none", tested_,
                                   loss_, pulses_, spent_, saturated_});
    });
    fmt::print("\nmodel   {}\n\nNext: spinet info {}\n", printable(o_.output), in_shell(o_.output));
  }

  const LearnOptions& o_;
  const Catalogue catalogue_;
  DataFiles files_;
  Network network_;
  layers::Layered layered_;
  images::Images train_, test_;
  mapping::Learning learning_;
  DeviceMapping devices_;
  mapping::Material material_;
  mapping::Trains trains_;                              ///< by the end of the last epoch
  std::vector<double> tested_, loss_, pulses_, spent_;  ///< before the first epoch, and after each
  std::vector<double> saturated_;                       ///< in each
};

void add_rule(CLI::App& sub, LearnOptions& o) {
  sub.add_option("--rule", o.rule, "How weights change: by pulses, tiki_taka, or exact (numbers, no devices)")
      ->check(CLI::IsMember({"pulses", "tiki_taka", "exact"}))
      ->capture_default_str();
  sub.add_option("--epochs", o.epochs, "How often all images are shown (the network's; without training: 10)")
      ->check(CLI::Range(0, 1'000'000));
  sub.add_option("--rate", o.rate, "Learning rate (0.05, or that of plain descent, sgd with batch: 1)")
      ->check(number_range(1e-12, 1e6));
  sub.add_option("--slots", o.learning.slots, "Pulses in a train, from which coincidences come")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  sub.add_option("--reach", o.learning.reach,
                 "Weight at the top of the devices' range; its negative at the bottom")
      ->check(number_range(1e-6, 1e6))
      ->capture_default_str();
  sub.add_option("--transfer-every", o.learning.every, "Of tiki_taka: updates from transfer to transfer")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  sub.add_option("--transfer-rate", o.learning.transfer, "Of tiki_taka: learning rate of transfers")
      ->check(number_range(1e-12, 1e6))
      ->capture_default_str();
  sub.add_option("--balancing", o.learning.balancing,
                 "Of tiki_taka: pulses, up and down in turn, that find where both undo each other")
      ->check(CLI::Range(0, 100'000'000))
      ->capture_default_str();
}

/// Options that mean nothing to a rule are refused: they would be ignored in silence.
void refuse_unused(const CLI::App& sub, const std::string& rule) {
  static constexpr const char* devices[] = {"--device", "--up",     "--down",        "--preset",
                                            "--param",  "--spread", "--device-seed", "--tolerance",
                                            "--most",   "--period", "--slots",       "--reach"};
  static constexpr const char* transfers[] = {"--transfer-every", "--transfer-rate", "--balancing"};
  if (rule == "exact")
    for (const char* name : devices)
      if (sub.count(name))
        throw UserError(fmt::format("{}: --rule exact learns numbers, without devices", name));
  if (rule != "tiki_taka")
    for (const char* name : transfers)
      if (sub.count(name)) throw UserError(fmt::format("{} is for --rule tiki_taka, not {}", name, rule));
}

}  // namespace

void add_learn(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "learn", "Train a network of dense layers in situ: weights on devices, changed by their pulses");
  auto o = std::make_shared<LearnOptions>();
  add_network_options(*sub, o->network);
  sub->add_option("--data", o->data, "The images: a folder with files of IDX, NPY or HDF5")
      ->required()
      ->type_name("DIR");
  add_rule(*sub, *o);
  add_writing_options(*sub, o->writing);
  sub->add_option("-o,--output", o->output, "The model at the end, as one read of the devices shows it")
      ->type_name("OUT.h5");
  sub->add_flag("--force", o->force, "Replace an existing file");
  sub->footer(
      "Images come one by one. A weight is a device less another one, which does not learn; the former are\n"
      "written to the weights that the network begins with, and from then on change by pulses where trains "
      "of\n"
      "their row and column meet. Biases are numbers.");
  sub->callback([o, sub, &action] {
    action = [o, sub] {
      refuse_ranks("learn");
      refuse_unused(*sub, o->rule);
      return LearnRun(*o).go();
    };
  });
}

}  // namespace spinet::tool
