// spinet program: the weights of a trained network on devices, and what the devices make of its accuracy.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>

#include "comm/serial.hpp"
#include "image_run.hpp"
#include "inputs.hpp"
#include "layers/plan_of.hpp"
#include "log/h5.hpp"
#include "log/model_file.hpp"
#include "mapping/device_file.hpp"
#include "mapping/device_model.hpp"
#include "network/printable.hpp"
#include "network/suggest.hpp"
#include "number_range.hpp"
#include "on_devices.hpp"
#include "outputs.hpp"
#include "ranks.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

using mapping::Mapped;

struct ProgramOptions {
  NetworkOptions network;
  std::string weights, data, numbers, output, after, reads;
  WritingOptions writing;
  std::vector<std::string> projections;
  std::optional<double> adc_range;
  std::optional<std::uint32_t> adc_bits, per_read;
  bool single = false, compensate = false, recalibrate = false, force = false;
};

/// All that is read.
struct Given {
  Network network;
  layers::Layered layered;
  layers::Model model;
  ModelOrigin origin;
  DeviceReading reading;
  images::Images test, train;  ///< the latter where it is needed
  std::vector<std::uint32_t> which;
  DataFiles files;
  std::vector<Input> inputs;
};

std::vector<double> times_of(const std::string& after) {
  std::vector<double> all;
  for (std::size_t at = 0; at < after.size();) {
    const std::size_t comma = std::min(after.find(',', at), after.size());
    const std::size_t begin = std::min(after.find_first_not_of(' ', at), comma);
    const double t = time_in(after.substr(begin, comma - begin), 1, "--after");
    if (!(t > (all.empty() ? 0 : all.back())))
      throw UserError(fmt::format("--after {}: times must grow", after));
    if (t > 6e9) throw UserError(fmt::format("--after {}: longer than 190 years", after));
    all.push_back(t);
    at = comma + 1;
  }
  return all;
}

/// What the network says of its devices, and in its place what options say.
DeviceReading reading_of(const ProgramOptions& o, const Network& network) {
  DeviceReading r = network.devices.value_or(DeviceReading{});
  r.seed = o.writing.seed.value_or(r.seed);
  if (!o.after.empty()) r.after = times_of(o.after);
  r.compensate = r.compensate || o.compensate;
  r.recalibrate = r.recalibrate || o.recalibrate;
  r.adc_bits = o.adc_bits.value_or(r.adc_bits);
  r.adc_range = o.adc_range.value_or(r.adc_range);
  r.images_per_read = o.per_read.value_or(r.images_per_read);
  if (!o.reads.empty()) r.read_period = time_in(o.reads, 1, "--read-period");
  return r;
}

std::unique_ptr<Given> read_given(const ProgramOptions& o, const Catalogue& catalogue) {
  auto g = std::make_unique<Given>();
  g->network = read_network(o.network, catalogue, &g->files);
  try {
    g->layered = layers::layered(g->network);
  } catch (const layers::NotLayered& e) {
    throw unfit(g->network, e.place,
                fmt::format("there are no weights that could be programmed: {}", e.what()));
  }
  const layers::Plan& plan = g->layered.plan;
  as_input([&] {
    g->model = read_model(o.weights, plan);
    g->origin = read_model_origin(o.weights);
  });
  g->test = images_of(o.data, images::Part::test, plan);
  const ImageRange range = range_of_images(o.numbers, g->test.count);
  g->which.resize(range.count);
  std::iota(g->which.begin(), g->which.end(), range.first);
  g->reading = reading_of(o, g->network);
  if (g->reading.recalibrate || g->reading.adc_bits > 0)
    g->train = images_of(o.data, images::Part::train, plan);
  g->inputs = {{o.network.file, "the network that is read"}, {o.weights, "the model that is read"}};
  for (const auto& [name, path] : g->files) g->inputs.push_back({path, "a data file of the network"});
  for (const auto* images : {&g->test, &g->train})
    for (const auto& file : images->files) g->inputs.push_back({file, "a file of images that are read"});
  if (!o.output.empty()) check_output(o.output, Replace{o.force}, g->inputs);
  return g;
}

/// The connections whose weights go onto devices: those named, those of which the network says so, or all
/// that have weights.
std::vector<std::size_t> connections_of(const ProgramOptions& o, const Given& given) {
  const layers::Plan& plan = given.layered.plan;
  std::vector<std::size_t> all, mapped;
  std::vector<std::string> names;
  for (std::size_t c = 0; c < plan.connections.size(); ++c) {
    if (plan.connections[c].weights.count == 0) continue;
    names.push_back(plan.connections[c].name);
    all.push_back(c);
    if (given.network.projections[plan.connections[c].projection].mapping) mapped.push_back(c);
  }
  if (o.projections.empty()) return mapped.empty() ? all : mapped;
  std::vector<std::size_t> chosen;
  for (const auto& name : o.projections) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      throw UserError(fmt::format("--projections: {} is no projection with weights that are trained; {}",
                                  in_quotes(name), suggest(name, names, "projections")));
    chosen.push_back(all[static_cast<std::size_t>(at - names.begin())]);
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

struct Line {
  double seconds = 0, error = 0, accuracy = 0, loss = 0;
};

class Programming {
 public:
  Programming(const ProgramOptions& o, const Catalogue& catalogue)
      : o_(o),
        catalogue_(catalogue),
        given_(read_given(o, catalogue)),
        plan_(given_->layered.plan),
        model_(plan_, given_->model) {}

  int go() {
    if (!o_.output.empty()) lock_ = claim_output(o_.output, Replace{o_.force}, given_->inputs);
    prepare();
    if (const DeviceReading& r = given_->reading; r.adc_bits == 0 && r.adc_range != 1)
      fmt::print(stderr, "note: adc_range is of converters, and without adc_bits there are none\n");
    if (const auto note = difference_from_training(o_.weights, plan_); !note.empty())
      fmt::print(stderr, "note: {}\n", note);
    const double before = say_what_was();
    if (given_->reading.adc_bits > 0) convert();
    write();
    std::vector<double> times{0};
    times.insert(times.end(), given_->reading.after.begin(), given_->reading.after.end());
    fmt::print("\n{:>12} {:>9} {:>8} {:>10}\n", "after", "accuracy", "loss", "rms error");
    for (const double t : times) {
      lines_.push_back(show(t, !o_.output.empty() && t == times.back()));
      const Line& l = lines_.back();
      fmt::print("{:>12} {:>9} {:>8} {:>10}\n", t > 0 ? exact_time_text(t) : "writing", percent(l.accuracy),
                 loss_text(l.loss), percent(l.error));
      std::fflush(stdout);
    }
    if (!o_.output.empty()) keep(before);
    return fine;
  }

 private:
  static std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

  /// What goes where, and what pulses do there, before anything is said.
  void prepare() {
    for (const std::size_t c : connections_of(o_, *given_)) {
      const Projection& p = given_->network.projections[plan_.connections[c].projection];
      DeviceMapping on = chosen_devices(o_.writing, catalogue_, p.mapping.get());
      on.pairs = on.pairs && !o_.single;
      const auto scheme = scheme_of(on, given_->reading.seed);
      goals_.push_back({c, std::move(on), scheme});
    }
    look_at_converters();
  }
  /// Neurons that spike have none.
  void look_at_converters() const {
    if (o_.adc_range && given_->reading.adc_bits == 0)
      throw UserError("--adc-range: there are no converters without --adc-bits; sums are exact");
    if (given_->reading.adc_bits == 0) return;
    std::string spiking;
    bool any = false;
    for (const layers::Connection& c : plan_.connections) {
      const layers::Layer& l = plan_.layers[c.target];
      if (c.weights.count == 0) continue;
      if (l.answer == layers::Answer::lif) spiking += (spiking.empty() ? "" : ", ") + l.name;
      else any = true;
    }
    const auto why = fmt::format("neurons of {} integrate what arrives, so that no converter reads a sum",
                                 printable(spiking));
    if (!any) throw UserError((o_.adc_bits ? "--adc-bits: " : "'adc_bits' of 'devices': ") + why);
    if (!spiking.empty()) fmt::print("note: {}\n\n", why);
  }
  double accuracy(const layers::Plan& plan) {
    SerialTransport alone;
    return train::examine(plan, given_->model, given_->test, given_->which, alone).accuracy();
  }
  /// The accuracy of the model as it was trained and, of neurons that pulse devices, as they are.
  double say_what_was() {
    layers::Plan formula = plan_;
    bool any = false;
    for (auto& l : formula.layers) any = any || l.whole, l.whole = false;
    const double before = accuracy(formula);
    fmt::print("{} of {} images with the weights of {}\n", percent(before), grouped(given_->which.size()),
               printable(o_.weights));
    if (any) fmt::print("{} with whole numbers of pulses\n", percent(accuracy(plan_)));
    fmt::print("\n");
    return before;
  }
  void convert() {
    constexpr std::uint32_t most = 1024;
    std::vector<std::uint32_t> some(std::min(most, given_->train.count));
    std::iota(some.begin(), some.end(), 0u);
    const images::Input input = images::input_of(plan_);
    std::vector<float> pixels(some.size() * input.size());
    images::lay_out(given_->train, input, some, pixels);
    mapping::add_converters(plan_, given_->model, pixels,
                            {given_->reading.adc_bits, given_->reading.adc_range});
  }

  void write() {
    std::uint32_t first = 0;
    fmt::print("{:<12} {:>9} {:>10} {:>8} {:>10} {:>11}\n", "projection", "devices", "reached", "pulses",
               "rms error", "at the end");
    for (const Goal& goal : goals_) {
      const std::size_t c = goal.connection;
      const layers::Part& part = plan_.connections[c].weights;
      const std::uint32_t count = Mapped::devices_of(part.count, goal.scheme);
      Mapped on(*goal.on.table, some_devices(goal.on, given_->reading.seed, first, count), goal.scheme,
                std::span(given_->model.parameters).subspan(part.first, part.count));
      written_.push_back(on.write());
      names_.push_back(plan_.connections[c].name);
      const auto& w = written_.back();
      fmt::print("{:<12} {:>9} {:>10} {:>8.2f} {:>10} {:>11}\n", printable(names_.back()), grouped(w.devices),
                 percent(static_cast<double>(w.reached) / static_cast<double>(w.devices)), w.pulses,
                 percent(w.error), percent(w.error_at_end));
      spent_ += on.spent();
      pulses_ += w.pulses * static_cast<double>(w.devices);
      model_.map(c, std::move(on));
      first += count;
    }
    if (spent_ > 0)
      fmt::print("{} for pulses and reads of writing\n", spent_text(spent_, std::llround(pulses_)));
  }

  /// The images, so long after writing; `last`: it is for then that the devices are kept.
  Line show(double seconds, bool last) {
    const mapping::DeviceModel::When when{
        seconds, given_->reading.compensate ? Mapped::Reading::compensated : Mapped::Reading::plain};
    std::vector<float> statistics;
    shown_ = model_.read(when);
    const double error = error_of_all();
    for (auto& [connection, on] : model_.mapped())
      if (last) kept_.push_back(on.kept());
    if (given_->reading.recalibrate) {
      SerialTransport alone;
      std::vector<std::uint32_t> all(given_->train.count);
      std::iota(all.begin(), all.end(), 0u);
      shown_ = train::recalibrated_on(plan_, shown_, given_->train, all, alone);
      statistics = shown_.statistics;
    }
    const auto e = model_.examine(when, {given_->reading.images_per_read, given_->reading.read_period},
                                  given_->test, given_->which, statistics);
    return {seconds, error, e.accuracy(), e.loss};
  }
  double error_of_all() {
    double squares = 0, devices = 0;
    for (std::size_t k = 0; k < written_.size(); ++k) {
      const double error = model_.mapped()[k].second.error(), n = static_cast<double>(written_[k].devices);
      squares += error * error * n, devices += n;
    }
    return devices > 0 ? std::sqrt(squares / devices) : 0;
  }

  void keep(double before) {
    mapping::Programmed p;
    for (std::size_t k = 0; k < goals_.size(); ++k) {
      const auto& w = written_[k];
      p.projections.push_back({names_[k], goals_[k].on.table->model.name,
                               static_cast<double>(w.reached) / static_cast<double>(w.devices), w.pulses,
                               w.error, w.error_at_end, goals_[k].scheme.range});
    }
    for (const Line& l : lines_) {
      p.seconds.push_back(l.seconds), p.error.push_back(l.error);
      p.accuracy.push_back(l.accuracy), p.loss.push_back(l.loss);
    }
    p.images = given_->which.size();
    p.accuracy_before = before, p.spent = spent_;
    p.images_per_read = given_->reading.images_per_read, p.read_period = given_->reading.read_period;
    for (const layers::Layer& l : plan_.layers)
      if (l.converter.bits > 0) p.converters.push_back({l.name, l.converter});
    p.compensate = given_->reading.compensate;
    write_model(o_.output, plan_, given_->origin, shown_, [&](hid_t file) {
      mapping::write_programmed(file, p);
      for (std::size_t k = 0; k < kept_.size(); ++k)
        mapping::write_devices(file, names_[k], kept_[k], *goals_[k].on.table, catalogue_);
    });
    fmt::print("\nmodel   {}\n", printable(o_.output));
    fmt::print("\nNext: spinet run {} --weights {} --data {}\n", o_.network.file, o_.output, o_.data);
  }

  const ProgramOptions& o_;
  const Catalogue& catalogue_;
  std::unique_ptr<Given> given_;
  layers::Plan& plan_;
  mapping::DeviceModel model_;
  struct Goal {
    std::size_t connection;
    DeviceMapping on;
    mapping::Scheme scheme;
  };
  std::vector<Goal> goals_;
  std::shared_ptr<OutputLock> lock_;
  std::vector<mapping::Written> written_;
  std::vector<std::string> names_;
  std::vector<Line> lines_;
  layers::Model shown_;              ///< at the last time
  std::vector<mapping::Kept> kept_;  ///< the devices then, by projection
  double spent_ = 0, pulses_ = 0;    ///< by writing: nJ, pulses on all devices
};

void add_what_is_programmed(CLI::App& sub, ProgramOptions& o) {
  add_network_options(sub, o.network);
  sub.add_option("--weights", o.weights, "The model of `spinet train` that is programmed")
      ->required()
      ->type_name("MODEL.h5");
  sub.add_option("--data", o.data, "The images: a folder with files of IDX, NPY or HDF5")
      ->required()
      ->type_name("DIR");
  sub.add_option("--images", o.numbers, "Which test images: 0..9999, or one number (all)")->type_name("A..B");
  sub.add_option("--projections", o.projections,
                 "Whose weights go onto devices: conv1,read (those of which the network says so, or all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAMES");
  sub.add_option("-o,--output", o.output, "The model as the devices show it at the last time of --after")
      ->type_name("OUT.h5");
  sub.add_flag("--force", o.force, "Replace an existing file");
}

void add_reads(CLI::App& sub, ProgramOptions& o) {
  sub.add_flag("--single", o.single,
               "One device a weight, from the middle of its range; else a pair, one for either sign");
  sub.add_option("--after", o.after, "Times after writing at which images are shown again: 1s,1h,1d,365d")
      ->type_name("TIMES");
  sub.add_flag("--compensate", o.compensate,
               "Scale the weights of a projection by what all its readings together have lost since writing");
  sub.add_flag("--recalibrate", o.recalibrate,
               "Estimate batch normalisation anew on the training images, with the weights as read");
  sub.add_option("--adc-bits", o.adc_bits, "Of the converters behind each layer's sums (exact)")
      ->check(CLI::Range(2, 32));
  sub.add_option("--adc-range", o.adc_range,
                 "Their range, over the greatest sum of 1,024 training images (1)")
      ->check(number_range(1e-6, 1e6));
  sub.add_option("--images-per-read", o.per_read, "Images that one read of all devices serves (250)")
      ->check(CLI::Range(1, 1'000'000'000));
  sub.add_option("--read-period", o.reads, "From one such read to the next (1ms)")
      ->type_name("TIME")
      ->check(not_empty);
}

}  // namespace

void add_program(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("program",
                                 "Write the weights of a trained network onto devices, and show it images");
  auto o = std::make_shared<ProgramOptions>();
  add_what_is_programmed(*sub, *o);
  add_writing_options(*sub, o->writing);
  add_reads(*sub, *o);
  sub->footer(
      "Each projection's weights are scaled to the range of the devices, which is what --most pulses --up "
      "and "
      "then --down\n"
      "reach, none of them stuck or worn, less 5 % at either end. Devices are read and pulsed until their "
      "readings are within the "
      "tolerance "
      "(write and\n"
      "verify), all side by side. Biases, normalisation and read-outs of curves stay numbers.");
  sub->callback([o, &action] {
    action = [o] {
      refuse_ranks("program");
      const auto catalogue = read_catalogue(o->network.plugin_path);
      return Programming(*o, catalogue).go();
    };
  });
}

}  // namespace spinet::tool
