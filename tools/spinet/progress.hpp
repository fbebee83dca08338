// The line that says how far a run is.
#pragma once
#include <chrono>
#include <filesystem>

#include "core/simulation.hpp"
#include "network/checked.hpp"

namespace spinet::tool {

enum class Show {
  nothing,
  line,   ///< one line on a terminal, rewritten
  lines,  ///< for batch logs: a line every tenth of the run or ten seconds
};
/// What suits stderr.  Under `spinet run -n`, the terminal is that of the command itself (SPINET_TERMINAL).
Show what_suits();

class ProgressLine {
 public:
  /// `began`: where a resumed run goes on; what was before is not counted in its speed.
  ProgressLine(Show show, const Network& network, std::filesystem::path log, Tick began = 0);
  ~ProgressLine();
  void operator()(const Progress& p);
  /// A line of its own on stderr, whatever is shown otherwise.
  void note(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;
  std::string text(const Progress& p, double seconds) const;
  Show show_;
  double duration_seconds_, seconds_per_tick_, began_seconds_;
  std::filesystem::path log_;
  Clock::time_point begin_ = Clock::now(), shown_{};
  int tenths_ = 0;
  bool heard_ = false;
  std::uint64_t last_deliveries_ = 0;
  double last_seconds_ = 0, rate_ = 0;
  std::size_t width_ = 0;
};

}  // namespace spinet::tool
