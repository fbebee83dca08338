// Writes logs of synthetic data for the tests in Python: `log_driver full|stream|long|recover OUT.h5`.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "fixture.hpp"
#include "log/reader.hpp"
#include "log/writer.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

const RunProvenance provenance{"0.1.0", 2, "spinet run small.yaml -n 2", "2024-05-06T07:08:09Z", "node17"};

void write_full(const std::string& path) {
  const auto network = small_network();
  RunLogOptions options;
  options.chunk = 1024;
  RunLog log(path, network, provenance, options);
  for (const auto p : network.edge_recordings) log.edges(p, edges(network, p));
  for (std::uint64_t w = 0; w < 500; ++w) record_window(log, network, w, 40);
  Statistics s;
  s.spikes = 12345;
  s.synapses = 777;
  s.run_seconds = 1.5;
  s.spikes_of_population = {12000, 345, 0, 9};
  log.finish(s, 500 * window, Ending::complete);
}

/// Runs until it is killed; after each window whose commit is durable, a line with the tick.
void stream(const std::string& path) {
  auto network = small_network();
  network.edge_recordings.clear();
  RunLogOptions options;
  options.flush_seconds = 0.02;
  options.tail_seconds = 0.05;
  options.chunk = 4096;
  RunLog log(path, network, provenance, options);
  Tick said = 0;
  for (std::uint64_t w = 0;; ++w) {
    record_window(log, network, w, 200);
    if (log.durable() == said) continue;
    said = log.durable();
    std::printf("%lld\n", static_cast<long long>(said));
    std::fflush(stdout);
  }
}

/// Ticks past 2^51, which milliseconds in a double cannot tell apart.
void write_long(const std::string& path) {
  auto network = small_network();
  network.reports.clear();
  network.edge_recordings.clear();
  network.seconds_per_tick = 1e-12;
  network.duration = Tick{1} << 60;
  RunLog log(path, network, provenance);
  for (int k = 0; k < 59; ++k) {
    const Spike two[] = {{(Tick{1} << k) + k, 3}, {(Tick{1} << k) + k + 1, 4}};
    log.spikes(two);
  }
  log.finish({}, network.duration, Ending::stopped);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const std::string what = arguments[1], path = arguments[2];
  try {
    if (what == "full") write_full(path);
    else if (what == "stream") stream(path);
    else if (what == "long") write_long(path);
    else if (what == "recover") recover(path);
    else return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 3;
  }
}
