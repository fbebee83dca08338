#include "train/talk.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "text.hpp"

namespace spinet::train {

using tool::Show;

namespace {

std::string percent(double part) { return fmt::format("{:.2f} %", 100 * part); }

double seconds_of_all(const Record& r) {
  double all = r.partial.seconds;
  for (const auto& e : r.epochs) all += e.seconds;
  return all;
}

std::string accuracies(const Epoch& e) {
  std::string text;
  if (!std::isnan(e.validation_accuracy))
    text += fmt::format("validation {}  ", percent(e.validation_accuracy));
  text += fmt::format("test {}", percent(e.test_accuracy));
  if (e.recalibrated_accuracy != e.test_accuracy)
    text += fmt::format(" (recalibrated {})", percent(e.recalibrated_accuracy));
  return text;
}

}  // namespace

std::string epoch_text(const Record& r, std::size_t epoch) {
  const Epoch& e = r.epochs.at(epoch);
  return fmt::format("epoch {:>3}  loss {}  accuracy {}  {}  {}", epoch + 1, tool::loss_text(e.loss),
                     percent(e.accuracy), accuracies(e), tool::time_text(e.seconds));
}

std::string summary_text(const Record& r) {
  const auto done = r.epochs.size();
  std::string text = fmt::format("{} of {}", done, tool::plural(r.wanted, "epoch"));
  if (r.partial.batches) text += fmt::format(" and {} of the next", tool::plural(r.partial.batches, "batch"));
  const double seconds = seconds_of_all(r);
  text += fmt::format(" in {}", tool::time_text(seconds));
  if (done > 1 && !r.partial.batches)
    text += fmt::format(", {} each", tool::time_text(seconds / static_cast<double>(done)));
  if (r.status == Status::ended_early) text += "; no better one had come for as long as patience lasts";
  text += '\n';
  if (r.best_epoch == 0) return text;
  const Epoch& best = r.epochs[r.best_epoch - 1];
  text += fmt::format("best    epoch {}: {}\n", r.best_epoch, accuracies(best));
  if (r.chosen_by == "test")
    text +=
        "        chosen by its accuracy on the test images, which flatters it: `validation: 10 %` keeps some "
        "apart\n";
  if (r.best_epoch != done) text += fmt::format("last    epoch {}: {}\n", done, accuracies(r.epochs.back()));
  return text;
}

ProgressTalk::~ProgressTalk() { clear(); }

void ProgressTalk::clear() {
  if (show_ == Show::line && width_) fmt::print(stderr, "\r{:{}}\r", "", width_);
  width_ = 0;
}

void ProgressTalk::batch(const Progress& p) {
  ++done_;
  if (show_ == Show::nothing) return;
  const auto now = Clock::now();
  const bool line = show_ == Show::line;
  if (shown_ == Clock::time_point{}) shown_ = now;
  if (now - shown_ < (line ? std::chrono::milliseconds(200) : std::chrono::milliseconds(30'000))) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count(),
               left = static_cast<double>(p.epochs * p.batches) -
                      static_cast<double>((p.epoch - 1) * p.batches + p.batch);
  const auto text = fmt::format("epoch {:>3} of {}  {:3.0f} %  loss {}  accuracy {}  {} to go", p.epoch,
                                p.epochs, 100 * static_cast<double>(p.batch) / static_cast<double>(p.batches),
                                tool::loss_text(p.loss), percent(p.accuracy),
                                tool::time_text(std::max(0.1, seconds * left / static_cast<double>(done_))));
  if (line) fmt::print(stderr, "\r{:<{}}", text, width_);
  else fmt::print(stderr, "{}\n", text);
  width_ = text.size();
  std::fflush(stderr);
}

void ProgressTalk::epoch(const Record& r) {
  if (show_ == Show::nothing) return;
  clear();
  fmt::print(stderr, "{}\n", epoch_text(r, r.epochs.size() - 1));
  std::fflush(stderr);
}

}  // namespace spinet::train
