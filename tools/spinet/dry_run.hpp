// spinet run --dry-run: what a run on many ranks will take, found on one.
#pragma once
#include <string>
#include <vector>

#include "network/checked.hpp"

namespace spinet::tool {

/// A rank's part, built for real and let go again.
struct RankPart {
  int rank;
  std::uint64_t neurons, sources, synapses, stored, slices;  ///< synapses, and those of them that are stored
  double bytes;                                              ///< of neurons, synapses and their tables
  bool built;         ///< else it is too large for this machine, and synapses, slices and bytes are estimates
  double sent;        ///< spikes per second of model time
  double deliveries;  ///< synaptic events per second of model time, superposed input included
};
struct DryRun {
  std::vector<RankPart> parts;           ///< of the ranks sampled
  int idle = 0;                          ///< ranks without neurons
  double least = 0, mean = 0, most = 0;  ///< neurons per rank, all ranks
  double windows = 0;                    ///< per second of model time
  double spikes = 0;                     ///< per second of model time, of all ranks: what every rank receives
  double bytes = 0;                      ///< the same in bytes, heads of messages included
};

/// Builds the parts of up to `samples` of the ranks, one after the other.  Neurons are taken to fire at
/// `rate` Hz, sources at their own rates.  What this machine cannot hold is estimated.  Throws
/// std::runtime_error for what cannot be drawn.
DryRun dry_run(const Network& network, int ranks, double rate, int samples = 8);

/// The table for people.
std::string describe(const Network& network, const DryRun& d, int ranks, double rate);

}  // namespace spinet::tool
