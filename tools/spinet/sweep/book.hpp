// What rank 0 of a sweep keeps: how far it is, and OUT.h5.
#pragma once
#include <fmt/core.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "progress.hpp"
#include "sweep/results.hpp"
#include "sweep/store.hpp"
#include "text.hpp"

namespace spinet::tool {

using Clock = std::chrono::steady_clock;
inline double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// The line that says how far a sweep is.
class SweepProgress {
 public:
  SweepProgress(Show show, std::uint64_t runs, std::uint64_t before)
      : show_(show), runs_(runs), before_(before) {}
  ~SweepProgress() {
    if (show_ == Show::line && width_) fmt::print(stderr, "\r{:{}}\r", "", width_);
  }
  void operator()(std::uint64_t done, std::uint64_t failed) {
    const auto now = Clock::now();
    const auto tenths = 10 * done / std::max<std::uint64_t>(1, runs_);
    if (show_ == Show::nothing || done == before_) return;
    if (show_ == Show::line && now - shown_ < std::chrono::milliseconds(200)) return;
    if (show_ == Show::lines && (tenths <= tenths_ || now - shown_ < std::chrono::seconds(1)) &&
        now - shown_ < std::chrono::seconds(30))
      return;
    shown_ = now;
    tenths_ = tenths;
    const double seconds = seconds_since(begin_),
                 rate = static_cast<double>(done - before_) / std::max(seconds, 1e-9);
    std::string line = fmt::format("{:3.0f} %  {} of {} runs",
                                   100.0 * static_cast<double>(done) / static_cast<double>(runs_),
                                   grouped(done), grouped(runs_));
    if (failed) line += fmt::format("  {} failed", grouped(failed));
    if (done < runs_ && rate > 0)
      line += fmt::format("  {} to go  {:.3g} runs/s",
                          time_text(std::max(0.1, static_cast<double>(runs_ - done) / rate)), rate);
    if (show_ == Show::line) fmt::print(stderr, "\r{:<{}}", line, width_);
    else fmt::print(stderr, "{}\n", line);
    std::fflush(stderr);
    width_ = line.size();
  }

 private:
  Show show_;
  std::uint64_t runs_, before_, tenths_ = 0;
  Clock::time_point begin_ = Clock::now(), shown_ = begin_;
  std::size_t width_ = 0;
};

/// Rank 0's book: takes in what ranks have written, and writes OUT.h5 often enough.
class Book {
 public:
  Book(Sweep& sweep, const std::filesystem::path& path, Show show)
      : sweep_(sweep),
        path_(path),
        reader_(path, identity(sweep)),
        line_(show, sweep.runs(), sweep.rows.size()) {
    for (const auto& [i, r] : sweep.rows) failed_ += r.failed;
  }
  void now_and_then() {
    if (Clock::now() - read_ < std::chrono::milliseconds(200)) return;
    read();
    line_(sweep_.rows.size(), failed_);
    // Writing all of it takes longer as it grows: at most a fiftieth of the time goes into it.
    if (seconds_since(written_) > std::max(10.0, 50 * write_seconds_) && sweep_.rows.size() > rows_written_)
      write();
  }
  void read() {
    for (auto& r : reader_.read()) {
      const bool failed = r.failed;
      if (sweep_.rows.emplace(r.run, std::move(r)).second) failed_ += failed;
    }
    read_ = Clock::now();
  }
  void write() {
    const auto begin = Clock::now();
    rows_written_ = sweep_.rows.size();
    write_sweep(path_, sweep_);
    written_ = Clock::now();
    write_seconds_ = seconds_since(begin);
  }
  std::uint64_t failed() const { return failed_; }

 private:
  Sweep& sweep_;
  std::filesystem::path path_;
  JournalReader reader_;
  SweepProgress line_;
  std::uint64_t failed_ = 0;
  Clock::time_point read_ = Clock::now(), written_ = read_;
  double write_seconds_ = 0;
  std::size_t rows_written_ = 0;
};

}  // namespace spinet::tool
