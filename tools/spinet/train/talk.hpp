// What `spinet train` prints while it works.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "progress.hpp"
#include "train/course.hpp"

namespace spinet::train {

/// The line that says how far training is, and one for each epoch.
class ProgressTalk {
 public:
  explicit ProgressTalk(tool::Show show) : show_(show) {}
  ~ProgressTalk();
  void batch(const Progress& p);
  void epoch(const Record& r);

 private:
  using Clock = std::chrono::steady_clock;
  void clear();
  tool::Show show_;
  Clock::time_point begin_ = Clock::now(), shown_{};
  std::uint64_t done_ = 0;  ///< batches in this process
  std::size_t width_ = 0;
};

/// "epoch   3  loss 0.4312  accuracy 84.21 %  validation 84.90 %  test 84.13 % (recalibrated 84.35 %)  1.1 s"
std::string epoch_text(const Record& r, std::size_t epoch);
/// What has come of it, for a person: several lines.
std::string summary_text(const Record& r);

}  // namespace spinet::train
