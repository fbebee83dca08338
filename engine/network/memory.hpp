// What a run takes in memory, from the network's description alone.
#pragma once
#include <vector>

#include "network/checked.hpp"

namespace spinet {

/// Bytes of a run at their highest, beyond the program itself and the network as it has been read.  Neurons
/// are taken to fire at 10 Hz where it matters.
struct Memory {
  double every_rank = 0;                         ///< tables that each rank has whole
  double shared = 0;                             ///< neurons and synapses: all ranks together
  double first_rank = 0;                         ///< the log and the samples on their way to it
  double slices = 0;                             ///< expected, of all synapses together
  std::vector<double> populations, projections;  ///< parts of `shared`
  /// Of one of `ranks`, in the mean.
  double of_rank(int rank, int ranks) const {
    return every_rank + shared / ranks + (rank == 0 ? first_rank : 0);
  }
};
Memory memory_of(const Network& n);

}  // namespace spinet
