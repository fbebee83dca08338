#include "sweep/runs.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "comm/serial.hpp"
#include "connect/rule.hpp"
#include "core/failure.hpp"
#include "core/simulation.hpp"
#include "network/estimate.hpp"
#include "network/replicas.hpp"
#include "signals.hpp"
#include "sweep/book.hpp"

namespace spinet::tool {

Prepared prepare(const std::string& file, const LoadOptions& base, const Catalogue& catalogue,
                 const Plan& plan, std::uint64_t combination) {
  LoadOptions options = base;
  options.varied = plan.overrides(combination);
  Prepared p{load(file, catalogue, options), {}};
  p.net.spikes.clear();
  p.net.reports.clear();
  p.net.weights.clear();
  p.net.weight_events.clear();
  p.net.edge_recordings.clear();
  std::vector<std::string> axes;
  for (const auto& a : plan.axes) axes.push_back(a.name());
  p.columns = columns(p.net, axes);
  return p;
}

namespace {

/// Runs with the seeds of these trials, side by side; empty when they have been stopped by a signal.  A
/// failure of any is thrown.
std::vector<Row> run_together(Prepared& p, std::span<const std::uint64_t> runs,
                              const std::vector<std::uint32_t>& seeds,
                              const std::function<void()>& now_and_then) {
  const auto begin = Clock::now();
  const Network net = replicate(p.net, seeds);
  const std::size_t n = runs.size(), populations = p.net.populations.size();
  SerialTransport alone;
  Simulation simulation(net, alone, {.pulse = &pulse, .stop = &stop_wanted});
  Meters meters(p.net, p.columns, n);
  RunHooks hooks;
  hooks.stop = &stop_wanted;
  if (now_and_then) hooks.progress = [&](const Progress&) { now_and_then(); };
  const Statistics s = simulation.run(&meters, hooks);
  if (s.stopped) return {};
  std::vector<Row> rows(n);
  for (std::size_t r = 0; r < n; ++r) {
    Row& row = rows[r];
    row.run = runs[r];
    meters.put_into(row, r);
    row.until_met = s.replicas[r].until_met != never;
    row.reached = static_cast<double>(s.replicas[r].reached) * p.net.seconds_per_tick;
    for (std::size_t i = 0; i < populations; ++i) {
      const auto& population = p.net.populations[i];
      const auto spikes = static_cast<double>(s.spikes_of_population[i * n + r]);
      if (!population.neuron()) continue;
      row.spikes += spikes;
      row.rates.emplace_back(population.name, spikes / row.reached / population.size);
    }
    row.seconds = seconds_since(begin) / static_cast<double>(n);
  }
  return rows;
}

}  // namespace

std::vector<Row> run_some(Prepared& p, std::span<const std::uint64_t> runs,
                          const std::vector<std::uint32_t>& seeds,
                          const std::function<void()>& now_and_then) {
  const auto begin = Clock::now();
  std::string message;
  try {
    return run_together(p, runs, seeds, now_and_then);
  } catch (const Stopped&) {
    return {};
  } catch (const std::bad_alloc&) {
    message = "out of memory";
  } catch (const std::exception& e) {
    message = e.what();
  }
  std::vector<Row> rows;
  if (runs.size() == 1) {
    Row& row = rows.emplace_back();
    row.run = runs[0];
    row.failed = true;
    row.message = message;
    row.seconds = seconds_since(begin);
  }
  for (std::size_t r = 0; runs.size() > 1 && r < runs.size(); ++r) {
    const auto one = run_some(p, runs.subspan(r, 1), {seeds[r]}, now_and_then);
    if (one.empty()) break;
    rows.push_back(one[0]);
  }
  return rows;
}

/// What is saved is the work per window, block and call of a
/// model; what is lost is that each has the first-level cache to itself.  (Measured with the XOR task, 170
/// neurons and synapses: 8 to 12 are best.)
std::uint64_t pays_off(const Network& net) {
  double size = net.gid_count();
  for (const auto& p : net.projections) size += expected_synapses(net, p);
  constexpr double all = 1536, most = 16;
  return static_cast<std::uint64_t>(std::clamp(all / size, 1.0, most));
}

}  // namespace spinet::tool
