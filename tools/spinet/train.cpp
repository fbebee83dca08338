// spinet train: gradient descent on a layered network.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>

#include "comm/collectively.hpp"
#include "inputs.hpp"
#include "layers/plan_of.hpp"
#include "layers/spiking.hpp"
#include "layers/trainer.hpp"
#include "look/output.hpp"
#include "look/training.hpp"
#include "network/digest.hpp"
#include "network/estimate.hpp"
#include "network/printable.hpp"
#include "number_range.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "ranks.hpp"
#include "signals.hpp"
#include "text.hpp"
#include "train/course.hpp"
#include "train/talk.hpp"

namespace spinet::tool {
namespace {

struct TrainOptions {
  NetworkOptions network;
  std::string data, output;
  std::optional<std::uint32_t> epochs, batch;
  std::optional<double> rate;
  int ranks = 0;  ///< 0: not given
  bool resume = false, force = false, quiet = false, no_report = false;

  std::string model_path() const {
    if (!output.empty()) return output;
    return std::filesystem::path(network.file).stem().string() + "_model.h5";
  }
};

/// All that is read: the network, what can be trained of it, and images.
struct Inputs {
  Network network;
  layers::Layered layered;
  layers::Training training;
  images::Images train, test;
  DataFiles files;
  train::Task task() const { return {layered.plan, training, network.seed, train, test}; }
};

images::Images read_part(const TrainOptions& o, images::Part part, const layers::Plan& plan) {
  try {
    auto images = images::read(o.data, part, plan.classes());
    const auto fault = images::misfit(images, images::input_of(plan));
    if (!fault.empty())
      throw UserError(fmt::format("{}: {}", images.files.empty() ? o.data : images.files[0].string(), fault));
    if (images.count == 0) throw UserError(fmt::format("{}: has no images", o.data));
    return images;
  } catch (const images::Error& e) {
    throw UserError(printable_line(e.what()));
  }
}

layers::Training training_of(const TrainOptions& o, const Network& network) {
  auto t = network.training.value_or(layers::Training{});
  if (o.epochs) t.epochs = *o.epochs;
  if (o.batch) t.batch = *o.batch;
  if (o.rate) t.rate = *o.rate;
  if (t.patience > 0 && t.validation <= 0)
    throw UserError(
        fmt::format("{}: training: patience looks at the accuracy on images that are left out, and "
                    "none are; give `validation: 10 %`, or leave patience out",
                    o.network.file));
  return t;
}

/// What a network and its images ask of the training.
void check_training(const TrainOptions& o, const Inputs& in) {
  const auto& t = in.training;
  const auto out = static_cast<std::uint32_t>(std::round(t.validation * in.train.count));
  if (out >= in.train.count)
    throw UserError(fmt::format("{}: training: validation leaves none of {} images to train on",
                                o.network.file, grouped(in.train.count)));
  if (t.validation > 0 && out == 0)
    throw UserError(
        fmt::format("{}: training: validation of {} is less than one of {} images; give a "
                    "larger share, or 0 to choose the best epoch by the test images",
                    o.network.file, t.validation, grouped(in.train.count)));
  const std::size_t left = in.train.count - out;
  for (const auto& c : in.layered.plan.connections)
    if (c.normalisation.on && std::min<std::size_t>(t.batch, left) < 2)
      throw UserError(fmt::format("{}: training: '{}' is normalised over the images of a batch, and {}",
                                  o.network.file, in.network.projections[c.projection].name,
                                  t.batch < 2
                                      ? "a batch has only one; give a batch of 2 or more"
                                      : fmt::format("only one of {} is left to train on; give more images{}",
                                                    plural(in.train.count, "image"),
                                                    out > 0 ? ", or a smaller share to `validation`" : "")));
}

void check_model_path(const TrainOptions& o, const Inputs& in) {
  std::vector<Input> inputs{{o.network.file, "the network that is read"}};
  for (const auto& [name, path] : in.files) inputs.push_back({path, "a data file of the network"});
  for (const auto* images : {&in.train, &in.test})
    for (const auto& file : images->files) inputs.push_back({file, "a file of images that are read"});
  const auto path = o.model_path();
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !o.resume && !o.force && is_model(path))
    throw UserError(fmt::format(
        "{}: exists already; --resume goes on with it, --force begins anew, -o gives another name", path));
  check_output(path, Replace{o.resume || o.force}, inputs);
}

std::unique_ptr<Inputs> read_inputs(const TrainOptions& o) {
  const auto catalogue = read_catalogue(o.network.plugin_path);
  auto in = std::make_unique<Inputs>();
  in->network = read_network(o.network, catalogue, &in->files);
  in->training = training_of(o, in->network);
  try {
    in->layered = layers::layered(in->network);
  } catch (const layers::NotLayered& e) {
    throw unfit(in->network, e.place, fmt::format("cannot be trained: {}", e.what()));
  }
  in->train = read_part(o, images::Part::train, in->layered.plan);
  in->test = read_part(o, images::Part::test, in->layered.plan);
  check_training(o, *in);
  check_model_path(o, *in);
  return in;
}

/// What the file of an earlier process has, or what to begin with.
train::Record record_of(const TrainOptions& o, const Inputs& in) {
  const auto path = o.model_path();
  if (!o.resume || !std::filesystem::exists(path)) return train::beginning(in.task(), in.layered.initial);
  auto record = train::read_record(path, in.layered.plan);
  const auto recipe = train::recipe_of(in.task());
  if (const auto d = train::difference(record.recipe, recipe); !d.empty())
    throw UserError(fmt::format(
        "{}: was trained in another way: {}; only --epochs may change on the way, and not where the schedule "
        "of the rate goes by it; --force begins anew",
        path, printable_line(d)));
  if (record.best_epoch == 0 && !record.epochs.empty())
    throw UserError(fmt::format("{}: is damaged: no epoch is the best one", path));
  record.message.clear();
  return record;
}

/// A training on this rank.  Rank 0 has the file.
class TrainRun {
 public:
  TrainRun(Transport& t, const TrainOptions& o)
      : t_(t),
        o_(o),
        first_(t.rank() == 0),
        path_(o.model_path()),
        talk_(first_ && !o.quiet ? what_suits() : Show::nothing) {}
  int go() {
    collectively(t_, [&] {
      in_ = read_inputs(o_);
      if (first_) lock_ = lock_output(path_);
    });
    collectively(t_, [&] { record_ = record_of(o_, *in_); });
    require_same(t_, manifest());
    if (first_ && !o_.quiet) announce();
    std::string command;
    for (const auto& word : own_command_line()) command += (command.empty() ? "" : " ") + word;
    record_.command_line = command;
    record_.data = o_.data;
    origin_ = {SPINET_VERSION, in_->network.name, o_.network.file, in_->network.source_text, {}};
    for (const auto& [path, value] : load_options(o_.network).overrides)
      origin_.overrides.push_back(path + "=" + value);
    keep(record_);  // so that a disk that is full or not there is found now
    train();
    return end();
  }

 private:
  Manifest manifest() const {
    Manifest m;
    for (const auto& line : train::recipe_of(in_->task()))
      m["training: " + line.substr(0, line.find(" = "))] = line;
    const auto& r = record_;
    m["model to begin with"] = hex(sha256(std::as_bytes(std::span(r.last.parameters)))) +
                               fmt::format(" {} {} {}", r.state.steps, r.epochs.size(), r.partial.batches);
    m["version of spinet"] = SPINET_VERSION;
    m["number of epochs"] = std::to_string(in_->training.epochs);
    return m;
  }
  void announce() const;
  void keep(const train::Record& r) {
    collectively(t_, [&] {
      if (first_) train::write_record(path_, in_->layered.plan, origin_, r);
    });
  }
  void train() {
    train::Hooks hooks;
    hooks.stop = [] { return stop_wanted.load(); };
    if (first_) hooks.progress = [&](const train::Progress& p) { talk_.batch(p); };
    if (first_) hooks.epoch = [&](const train::Record& r) { talk_.epoch(r); };
    hooks.keep = [&](const train::Record& r) { keep(r); };
    const auto task = in_->task();
    try {
      record_ = train::run(task, std::move(record_), t_, hooks);
    } catch (const std::invalid_argument& e) {
      throw UserError(fmt::format("{}: is damaged: {}", path_, e.what()));
    }
  }
  int end();
  void report() const;

  Transport& t_;
  const TrainOptions& o_;
  const bool first_;
  const std::string path_;
  std::unique_ptr<Inputs> in_;
  std::shared_ptr<OutputLock> lock_;  ///< on rank 0
  train::Record record_;
  ModelOrigin origin_;
  train::ProgressTalk talk_;
};

/// The options that have made the network what it is, to be typed again.
std::string options_of(const NetworkOptions& o) {
  std::string all;
  for (const auto& s : o.set) all += " --set " + in_shell(s);
  if (!o.seed.empty()) all += " --seed " + in_shell(o.seed);
  for (const auto& p : o.plugin_path) all += " --plugin-path " + in_shell(p);
  return all;
}

void TrainRun::announce() const {
  const auto s = train::split(in_->train.count, in_->training.validation, in_->network.seed);
  std::size_t fixed = 0;
  for (const auto& part : layers::fixed_parts(in_->layered.plan)) fixed += part.count;
  fmt::print(stderr, "{}: {}{}; images: {} to train on, {} to validate with, {} to test with; {}\n",
             in_->network.name, plural(in_->layered.plan.parameters, "parameter"),
             fixed ? fmt::format(", {} of them fixed", grouped(fixed)) : "", grouped(s.training.size()),
             grouped(s.validation.size()), grouped(in_->test.count),
             plural(static_cast<std::uint64_t>(t_.size()), "rank"));
  for (const auto* images : {&in_->train, &in_->test})
    if (const auto text = images::remark(*images, in_->layered.plan.code); !text.empty())
      fmt::print(stderr, "note: {}\n", printable_line(text));
  if (const auto names = layers::between_steps(in_->layered.plan); !names.empty())
    fmt::print(stderr,
               "note: neurons of {} low-pass what they hear and cross their thresholds between the steps "
               "that training "
               "goes in: a run, whose times are exact, may name other classes than it does\n",
               names);
  if (!record_.epochs.empty() || record_.partial.batches)
    fmt::print(
        stderr, "{}: goes on after {}{}\n", path_, plural(record_.epochs.size(), "epoch"),
        record_.partial.batches ? fmt::format(" and {} batches", grouped(record_.partial.batches)) : "");
  else if (o_.resume) fmt::print(stderr, "{}: has nothing to go on from, so training begins\n", path_);
  std::fflush(stderr);
}

/// The report beside the model; what stands there and is no report stays.
void TrainRun::report() const {
  const auto page = std::filesystem::path(path_).replace_extension(".html");
  try {
    look::write_training_page(path_, page, Replace::no);
    if (!o_.quiet) fmt::print("report  {}\n", page.string());
  } catch (const std::exception& e) {
    fmt::print(stderr, "spinet: no report: {}\n", printable_line(e.what()));
  }
}

int TrainRun::end() {
  if (!first_)
    return record_.status == train::Status::failed || record_.status == train::Status::stopped ? run_failed
                                                                                               : fine;
  using train::Status;
  if (!o_.quiet) fmt::print("{}model   {}\n", train::summary_text(record_), path_);
  if (record_.status == Status::failed) {
    fmt::print(stderr, "spinet: {}; {} has the model after {}; a lower --rate may help\n",
               printable_line(record_.message), path_, plural(record_.epochs.size(), "epoch"));
    return run_failed;
  }
  if (record_.status == Status::stopped) {
    fmt::print(stderr, "spinet: stopped by {}; {} has it all, and the same command with --resume goes on\n",
               *stop_signal() ? stop_signal() : "a signal", path_);
    return run_failed;
  }
  if (!o_.no_report) report();
  if (!o_.quiet)
    fmt::print("\nNext: spinet run {}{} --weights {} --data {}\n", in_shell(o_.network.file),
               options_of(o_.network), in_shell(path_), in_shell(o_.data));
  std::fflush(stdout);
  return fine;
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("train", "Train a layered network on images by gradient descent");
  auto o = std::make_shared<TrainOptions>();
  add_network_options(*sub, o->network);
  sub->add_option("--data", o->data, "The images: a folder with files of IDX, NPY or HDF5")
      ->type_name("DIR")
      ->required();
  sub->add_option("--epochs", o->epochs, "Epochs in all, in place of the network's")
      ->check(CLI::Range(1, 1'000'000));
  sub->add_option("--rate", o->rate, "Learning rate, in place of the network's")
      ->check(number_range(1e-12, 1e6));
  sub->add_option("--batch", o->batch, "Images of a batch, in place of the network's")
      ->check(CLI::Range(1, 1'000'000));
  sub->add_option("-o,--output", o->output, "The model, kept after every epoch (FILE_model.h5 without .yaml)")
      ->type_name("model.h5");
  sub->add_flag("--resume", o->resume, "Go on where the model's file says that training was left");
  sub->add_option("-n,--ranks", o->ranks, "Ranks that share each batch; the numbers are the same on any")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  sub->add_flag("--no-report", o->no_report, "Write no report beside the model");
  sub->add_flag("--quiet", o->quiet, "Print nothing but errors");
  sub->add_flag("--force", o->force, "Begin anew where the model's file exists")->excludes("--resume");
  sub->footer(
      "The model's file has the best model, the last one, and what each epoch gave; `spinet report model.h5` "
      "shows it.\n"
      "Ctrl-C ends training after the present batch; the same command with --resume goes on, bit for bit.\n"
      "Exit codes: 0 fine, 2 the input is wrong, 3 training failed or was stopped.");
  sub->callback([o, &action] {
    action = [o] {
      const auto check = [&] {
        refuse_in_use(o->model_path());
        const auto in = read_inputs(*o);
        record_of(*o, *in);
      };
      return on_ranks(o->ranks, check, [&](Transport& t) { return TrainRun(t, *o).go(); });
    };
  });
}

}  // namespace spinet::tool
