// How a run ends in the middle of a window.
#include <algorithm>

#include "core/simulation_parts.hpp"

namespace spinet {

/// A window that takes long was left when the run was asked to stop: the log ends where it began, as if it
/// had not been. Models are in the middle of it, so there is nothing to go on from, and no checkpoint.
void Simulation::Impl::abandon_window(Tick from, std::span<const Action> due, Recorder* recorder) {
  const std::size_t reports = net.reports.size();
  for (const Action& a : due) {
    if (const auto* r = std::get_if<SampleReport>(&a.what)) --frames_waiting[r->report];
    if (const auto* w = std::get_if<SampleWeights>(&a.what)) --frames_waiting[reports + w->recording];
  }
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    for (std::size_t r = 0; r < series(); ++r)
      samples[b][r].resize(frames_waiting[r] * (r < reports ? blocks[b]->sampled[r].size()
                                                            : blocks[b]->watched_count(r - reports)));
    for (auto& noted : blocks[b]->noted())
      noted.erase(
          std::find_if(noted.begin(), noted.end(), [&](const WeightEvent& e) { return e.tick >= from; }),
          noted.end());
  }
  stats.reached = std::max(stats.began, from);
  stats.stopped = true;
  flush_reports(recorder);
  if (recorder) guarded([&] { recorder->commit(stats.reached); });
}

}  // namespace spinet
