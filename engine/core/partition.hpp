// Who owns what.  The unit of partition is a run of `Network::block` gids of one population; kernel groups
// are neurons of one model and one set of shared parameters.  Nothing here touches a random number.
#pragma once
#include <cstdint>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

struct GidRun {
  Gid first;
  std::uint32_t count;
  std::uint32_t population;
  int owner;
};

class Partition {
 public:
  Partition(const Network& network, int ranks);
  const std::vector<GidRun>& runs() const { return runs_; }
  std::uint32_t run_of(Gid gid) const {
    const std::uint32_t p = population_of(gid);
    return first_run_[p] + (together_[p] ? 0 : (gid - first_gid_[p]) / block_);
  }
  std::uint32_t population_of(Gid gid) const;

 private:
  std::vector<GidRun> runs_;
  std::vector<std::uint32_t> first_run_;
  std::vector<Gid> first_gid_;
  std::vector<bool> together_;  ///< environments: one run
  std::uint32_t block_;
};

}  // namespace spinet
