#include "train/course.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>

#include "network/digest.hpp"

namespace spinet::train {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

layers::Descent descent_of(const Task& t) {
  layers::Descent d;
  d.optimiser = t.training.optimiser == layers::Training::Optimiser::adam ? layers::Optimiser::adam
                                                                          : layers::Optimiser::sgd;
  d.beta1 = t.training.beta1;
  d.beta2 = t.training.beta2;
  d.epsilon = t.training.epsilon;
  d.momentum = t.training.momentum;
  d.weight_decay = t.training.weight_decay;
  d.seed = t.seed;
  return d;
}

/// Curves, decays and shares of dropout: what a model may do without, but a course of training may not.
std::string digest_of_values(const layers::Plan& plan) {
  Sha256 hash;
  const auto add = [&](double x) { hash.add(std::as_bytes(std::span(&x, 1))); };
  for (const auto& line : parts_of(plan)) hash.add(line + '\n');
  for (const auto& l : plan.layers) {
    add(l.curves.gain), add(l.curves.n_min), add(l.curves.n_max);
    for (const double tau : l.curves.taus) add(tau);
    for (const auto& c : l.curves.curves) {
      add(c.constant);
      for (const double a : c.amplitudes) add(a);
    }
    add(l.spiking.membrane_decay), add(l.spiking.synaptic_decay), add(l.spiking.threshold);
    add(l.spiking.soft_reset), add(l.spiking.slope), add(static_cast<double>(l.spiking.surrogate));
    if (l.spiking.reset != 0) add(l.spiking.reset);
  }
  for (const auto& c : plan.connections)
    add(c.dropout), add(c.fixed), add(c.normalisation.momentum), add(c.normalisation.epsilon);
  add(plan.steps);
  if (plan.code != encoding::Code::graded) add(static_cast<double>(plan.code)), add(plan.step);
  for (const double x : plan.left) add(x);
  return hex(hash.finish()).substr(0, 16);
}

bool any(Transport& t, bool mine) {
  if (t.size() == 1) return mine;
  const std::uint8_t word = mine;
  Gathered all;
  t.all_gather(std::as_bytes(std::span(&word, 1)), all);
  return std::any_of(all.bytes.begin(), all.bytes.end(), [](std::byte b) { return b != std::byte{0}; });
}

double chosen_accuracy(const Record& r, const Epoch& e) {
  return r.chosen_by == "validation" ? e.validation_accuracy : e.test_accuracy;
}

bool patience_over(const Task& t, const Record& r) {
  return t.training.patience > 0 && r.epochs.size() >= r.best_epoch + t.training.patience;
}

/// One process of a course.
class Run {
 public:
  Run(const Task& task, Record record, Transport& transport, const Hooks& hooks)
      : task_(task),
        transport_(transport),
        hooks_(hooks),
        record_(std::move(record)),
        split_(split(task.training_images.count, task.training.validation, task.seed)),
        all_test_(task.test_images.count),
        trainer_(task.plan, record_.last, descent_of(task), transport) {
    std::iota(all_test_.begin(), all_test_.end(), 0u);
    if (record_.state.steps > 0) trainer_.restore(record_.last, record_.state);
  }

  Record go() {
    record_.status = Status::running;
    record_.wanted = task_.training.epochs;
    try {
      while (record_.epochs.size() < record_.wanted) {
        if (patience_over(task_, record_)) {
          record_.status = Status::ended_early;
          break;
        }
        if (!epoch()) {
          record_.status = Status::stopped;
          break;
        }
      }
      if (record_.status == Status::running) record_.status = Status::complete;
    } catch (const layers::NotFinite& e) {
      record_.status = Status::failed;
      record_.message = fmt::format("epoch {}, batch {}: {}", record_.epochs.size() + 1, at_ + 1, e.what());
    }
    keep();
    return std::move(record_);
  }

 private:
  /// False when it was stopped; then the record is of the middle of the epoch.
  bool epoch() {
    const auto number = record_.epochs.size();
    const auto order = order_of(split_.training, task_.seed, number);
    const auto batches = batches_of(order.size(), task_.training.batch);
    Epoch e;
    e.rate = task_.training.rate_in(static_cast<std::uint32_t>(number), task_.training.epochs);
    Partial done = record_.partial;
    for (at_ = done.batches; at_ < batches; ++at_) {
      if (any(transport_, hooks_.stop && hooks_.stop())) {
        hold(done);
        return false;
      }
      step(order, e.rate, done);
      if (hooks_.progress)
        hooks_.progress({number + 1, record_.wanted, at_ + 1, batches,
                         done.loss / static_cast<double>(done.images),
                         static_cast<double>(done.right) / static_cast<double>(done.images)});
    }
    e.loss = done.loss / static_cast<double>(done.images);
    e.accuracy = static_cast<double>(done.right) / static_cast<double>(done.images);
    e.seconds = done.seconds;
    look(e);
    hold({});
    if (hooks_.epoch) hooks_.epoch(record_);
    if (record_.epochs.size() < record_.wanted) keep();  // after the last one `go` does
    return true;
  }

  void step(const std::vector<std::uint32_t>& order, double rate, Partial& done) {
    const auto begin = Clock::now();
    const std::size_t first = at_ * task_.training.batch;
    const std::span some =
        std::span(order).subspan(first, std::min<std::size_t>(task_.training.batch, order.size() - first));
    lay_out_share(task_.training_images, task_.plan, some, transport_, pixels_);
    labels_.clear();
    for (const auto i : some) labels_.push_back(task_.training_images.labels[i]);
    const auto channels = images::channels_in(task_.training_images, task_.plan.input());
    const auto outcome = trainer_.step({pixels_, labels_, channels}, rate);
    ++done.batches;
    done.images += some.size();
    done.right += outcome.right;
    done.loss += outcome.loss * static_cast<double>(some.size());
    done.seconds += since(begin);
  }

  /// How good the model is now; the best one is kept.
  void look(Epoch& e) {
    const auto& model = trainer_.model();
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    e.validation_loss = e.validation_accuracy = e.recalibrated_validation_accuracy = none;
    const auto recalibrated =
        recalibrated_on(task_.plan, model, task_.training_images, split_.training, transport_);
    const auto on = [&](const layers::Model& m, const images::Images& images,
                        std::span<const std::uint32_t> which) {
      return examine(task_.plan, m, images, which, transport_);
    };
    if (!split_.validation.empty()) {
      const auto validation = on(model, task_.training_images, split_.validation);
      e.validation_loss = validation.loss;
      e.validation_accuracy = validation.accuracy();
      e.recalibrated_validation_accuracy =
          on(recalibrated, task_.training_images, split_.validation).accuracy();
    }
    Examined tested = on(model, task_.test_images, all_test_);
    e.test_loss = tested.loss;
    e.test_accuracy = tested.accuracy();
    e.recalibrated_accuracy =
        task_.plan.statistics ? on(recalibrated, task_.test_images, all_test_).accuracy() : e.test_accuracy;
    record_.epochs.push_back(e);
    const bool better =
        record_.best_epoch == 0 ||
        chosen_accuracy(record_, e) > chosen_accuracy(record_, record_.epochs[record_.best_epoch - 1]);
    if (better) {
      record_.best_epoch = record_.epochs.size();
      record_.best = model;
      record_.test = std::move(tested);
      show_worst();
    }
  }

  void show_worst() {
    record_.image_shape = task_.test_images.recorded() ? task_.plan.input() : task_.test_images.shape;
    std::vector<std::uint32_t> which;
    for (const auto& w : record_.test.worst) which.push_back(w.image);
    record_.worst_pixels.resize(which.size() * record_.image_shape.size());
    images::lay_out(task_.test_images, record_.image_shape, which, record_.worst_pixels);
  }

  /// The record is of now.
  void hold(const Partial& partial) {
    record_.last = trainer_.model();
    record_.state = trainer_.state();
    record_.partial = partial;
  }
  void keep() {
    if (hooks_.keep) hooks_.keep(record_);
  }

  const Task& task_;
  Transport& transport_;
  const Hooks& hooks_;
  Record record_;
  Split split_;
  std::vector<std::uint32_t> all_test_;
  layers::Trainer trainer_;
  std::uint64_t at_ = 0;  ///< batches done in this epoch
  std::vector<float> pixels_;
  std::vector<std::uint32_t> labels_;
};

}  // namespace

std::uint64_t batches_of(std::size_t images, std::uint32_t batch) {
  const auto whole = images / batch, rest = images % batch;
  return whole + (rest > 1 || (rest == 1 && batch == 1) || (whole == 0 && rest == 1) ? 1 : 0);
}

std::string network_line(const layers::Plan& plan) {
  return "network (shapes, curves, decays) = " + digest_of_values(plan);
}

Recipe recipe_of(const Task& t) {
  const auto& d = t.training;
  Recipe lines;
  const auto add = [&](const char* name, const std::string& value) {
    lines.push_back(fmt::format("{} = {}", name, value));
  };
  const bool adam = d.optimiser == layers::Training::Optimiser::adam;
  lines.push_back(network_line(t.plan));
  add("seed", fmt::format("{}", t.seed));
  add("batch", fmt::format("{}", d.batch));
  add("rate", fmt::format("{}", d.rate));
  add("optimiser", adam ? fmt::format("adam, beta1 {}, beta2 {}, epsilon {}", d.beta1, d.beta2, d.epsilon)
                        : fmt::format("sgd, momentum {}", d.momentum));
  add("weight_decay", fmt::format("{}", d.weight_decay));
  switch (d.schedule) {
    case layers::Training::Schedule::constant:
      add("schedule", "constant");
      break;
    case layers::Training::Schedule::step:
      add("schedule", fmt::format("times {} every {} epochs", d.factor, d.every));
      break;
    case layers::Training::Schedule::cosine:  // over all epochs, so that their number matters
      add("schedule", fmt::format("cosine down to {} over {} epochs", d.least, d.epochs));
      break;
  }
  add("validation", fmt::format("{}", d.validation));
  add("training images",
      fmt::format("{} ({:016x})", t.training_images.count, images::fingerprint(t.training_images)));
  add("test images", fmt::format("{} ({:016x})", t.test_images.count, images::fingerprint(t.test_images)));
  for (const auto& l : t.plan.layers)  // training is the same, but the best epoch is chosen by tests
    if (l.whole) lines.push_back(fmt::format("mode of {} = pulses", l.name));
  return lines;
}

Record beginning(const Task& task, const layers::Model& initial) {
  Record r;
  r.best = r.last = initial;
  r.wanted = task.training.epochs;
  r.seed = task.seed;
  r.recipe = recipe_of(task);
  r.chosen_by = task.training.validation > 0 ? "validation" : "test";
  r.image_shape = task.test_images.shape;
  return r;
}

Record run(const Task& task, Record record, Transport& transport, const Hooks& hooks) {
  return Run(task, std::move(record), transport, hooks).go();
}

}  // namespace spinet::train
