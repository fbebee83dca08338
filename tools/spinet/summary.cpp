#include "summary.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "network/estimate.hpp"
#include "network/printable.hpp"
#include "text.hpp"

namespace spinet::tool {

namespace {

constexpr double fast_hz = 200;

/// What a person should know before believing the figures: who never fired, who fires very fast.  How many
/// neurons of a population are saturated is known to the report, which has the rate of each.
std::string remarks(const Network& n, const Statistics& s, double seconds) {
  std::string silent, fast;
  for (std::size_t i = 0; i < std::min(n.populations.size(), s.spikes_of_population.size()); ++i) {
    const auto& p = n.populations[i];
    if (!p.neuron() || p.neuron()->environment || p.neuron()->graded || p.size == 0 || seconds <= 0) continue;
    const double rate = static_cast<double>(s.spikes_of_population[i]) / seconds / p.size;
    if (s.spikes_of_population[i] == 0) silent += (silent.empty() ? "" : ", ") + p.name;
    if (rate > fast_hz) fast += (fast.empty() ? "" : ", ") + p.name;
  }
  std::string text;
  if (!silent.empty()) text += fmt::format("\nNote: no neuron fired in {}\n", silent);
  if (!fast.empty()) text += fmt::format("\nNote: over {:g} Hz in the mean: {}\n", fast_hz, fast);
  return text;
}

}  // namespace

std::string summary(const Network& n, const Totals& t, const std::filesystem::path& log) {
  const Statistics& s = t.statistics;
  const double model = static_cast<double>(s.reached) * n.seconds_per_tick;
  std::size_t width = 10;
  for (const auto& p : n.populations) width = std::max(width, p.name.size());

  std::string out =
      fmt::format("\n{:<{}}  {:>11}  {:>14}  {:>10}\n", "population", width, "neurons", "spikes", "rate");
  for (std::size_t i = 0; i < n.populations.size(); ++i) {
    const auto& p = n.populations[i];
    if (!p.neuron()) continue;  // superposed sources are not counted
    const std::uint64_t spikes = i < s.spikes_of_population.size() ? s.spikes_of_population[i] : 0;
    const double rate = model > 0 && p.size > 0 ? static_cast<double>(spikes) / model / p.size : 0;
    out += fmt::format("{:<{}}  {:>11}  {:>14}  {:>10}\n", p.name, width, grouped(p.size), grouped(spikes),
                       rate_text(rate));
  }
  out += remarks(n, s, model);
  const double run = std::max(s.run_seconds, 1e-9);
  // A resumed run has worked on a part only.
  const double worked = static_cast<double>(s.reached - s.began) * n.seconds_per_tick;
  out +=
      fmt::format("\n{} of model time in {}: {:.3g} x real time on {} rank{}\n", time_text(worked),
                  time_text(s.run_seconds), run / std::max(worked, 1e-12), t.ranks, t.ranks == 1 ? "" : "s");
  if (s.began > 0)
    out += fmt::format("resumed at {}, reached {}\n",
                       time_text(static_cast<double>(s.began) * n.seconds_per_tick), time_text(model));
  out += fmt::format("read {}, built {}, ran {}, closed the log {}\n", time_text(t.load_seconds),
                     time_text(s.build_seconds), time_text(s.run_seconds), time_text(t.close_seconds));
  const auto before = s.events_before ? fmt::format(", {} of them before the checkpoint",
                                                    count_text(static_cast<double>(s.events_before)))
                                      : "";
  out += fmt::format("{}, {} events{} ({} events/s), peak memory {}\n", plural(s.synapses, "synapse"),
                     count_text(static_cast<double>(s.events())), before, count_text(s.events_per_second()),
                     readable_bytes(static_cast<double>(t.peak_bytes)));
  std::error_code no_file;
  const auto bytes = std::filesystem::file_size(log, no_file);
  if (!no_file)
    out += fmt::format("{}  {}\n", printable_line(log.string()), readable_bytes(static_cast<double>(bytes)));
  return out;
}

}  // namespace spinet::tool
