// What a network will take, from its description alone: nothing is drawn, nothing is allocated.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "network/checked.hpp"
#include "network/memory.hpp"

namespace spinet {

/// Hz, of one member of a population in the mean: of sources as they are given, over a run of `seconds`;
/// neurons have `rate`.
double mean_rate(const Population& p, double rate, double seconds);

struct Estimate {
  std::uint64_t neurons = 0;
  std::uint64_t sources = 0;      ///< members of source populations
  double synapses = 0;            ///< stored, expected
  double superposed = 0;          ///< connections that are drawn in superposition and not stored
  Tick lookahead = never;         ///< `never` without connections
  double windows_per_second = 0;  ///< of model time; 0 without connections
  double mean_slice = 0;          ///< synapses delivered by one record, over all slices
  Memory memory;
  double report_bytes = 0, edge_bytes = 0, weight_bytes = 0, position_bytes = 0;
  bool weight_changes = false;    ///< some weights are recorded as they change: nobody knows how often
  double spike_bytes_per_hz = 0;  ///< log of the recorded populations if every neuron fired at 1 Hz
};
Estimate estimate(const Network& n);

/// What `spinet validate` prints, several lines; memory is added by who knows machines.
std::string describe(const Network& n, const Estimate& e);

/// "3.2 GB"; decimal multiples.
std::string readable_bytes(double bytes);

}  // namespace spinet
