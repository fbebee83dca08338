#include "progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "network/estimate.hpp"
#include "text.hpp"

namespace spinet::tool {

Show what_suits() {
  // A rank under mpirun writes to a pipe or to a terminal that mpirun made up; only who started mpirun knows
  // better.
  if (const char* terminal = std::getenv("SPINET_TERMINAL"))
    return std::string_view(terminal) == "1" ? Show::line : Show::lines;
  return isatty(STDERR_FILENO) && !std::getenv("OMPI_COMM_WORLD_SIZE") ? Show::line : Show::lines;
}

ProgressLine::ProgressLine(Show show, const Network& n, std::filesystem::path log, Tick began)
    : show_(show),
      duration_seconds_(static_cast<double>(n.duration) * n.seconds_per_tick),
      seconds_per_tick_(n.seconds_per_tick),
      began_seconds_(static_cast<double>(began) * n.seconds_per_tick),
      log_(std::move(log)) {}

ProgressLine::~ProgressLine() {
  if (show_ == Show::line && width_) fmt::print(stderr, "\r{:{}}\r", "", width_);
}

void ProgressLine::note(const std::string& text) {
  fmt::print(stderr, "{}{:{}}{}spinet: {}\n", width_ ? "\r" : "", "", width_, width_ ? "\r" : "", text);
  std::fflush(stderr);
  width_ = 0;
}

std::string ProgressLine::text(const Progress& p, double seconds) const {
  const double now = static_cast<double>(p.now) * seconds_per_tick_,
               part = duration_seconds_ > 0 ? now / duration_seconds_ : 1;
  std::error_code no_file;
  const auto bytes = std::filesystem::file_size(log_, no_file);
  std::string line =
      fmt::format("{:3.0f} %  {} of {}", 100 * part, time_text(now), time_text(duration_seconds_));
  const double done = now - began_seconds_, all = duration_seconds_ - began_seconds_;
  if (done > 0.01 * all && part < 1)
    line += fmt::format("  {} to go", time_text(std::max(0.1, seconds * (all - done) / done)));
  line += fmt::format("  {} events/s  {} spikes", count_text(rate_), grouped(p.spikes));
  if (!no_file) line += fmt::format("  {}", readable_bytes(static_cast<double>(bytes)));
  return line;
}

void ProgressLine::operator()(const Progress& p) {
  if (show_ == Show::nothing) return;
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  if (!heard_ && began_seconds_ > 0)
    last_deliveries_ = p.deliveries;  // those before the checkpoint are among them
  heard_ = true;
  if (seconds - last_seconds_ > 0.5 || last_seconds_ == 0) {
    rate_ = static_cast<double>(p.deliveries - last_deliveries_) / std::max(1e-9, seconds - last_seconds_);
    last_seconds_ = seconds;
    last_deliveries_ = p.deliveries;
  }
  const auto tenths =
      duration_seconds_ > 0
          ? static_cast<int>(10 * static_cast<double>(p.now) * seconds_per_tick_ / duration_seconds_)
          : 10;
  if (show_ == Show::lines) {
    if (tenths <= tenths_ && now - shown_ < std::chrono::seconds(10)) return;
    if (tenths <= tenths_ && shown_ == Clock::time_point{}) return void(shown_ = now);
    tenths_ = tenths;
    shown_ = now;
    fmt::print(stderr, "{}\n", text(p, seconds));
  } else {
    const std::string line = text(p, seconds);
    fmt::print(stderr, "\r{:<{}}", line, width_);
    width_ = line.size();
  }
  std::fflush(stderr);
}

}  // namespace spinet::tool
