// Who owns what.  The unit of partition is a stretch of at most `Network::block` gids of one population,
// which ends where a unit of its drive ends; kernel groups are neurons of one model and one set of shared
// parameters.  Nothing here touches a random number.
#pragma once
#include <cstdint>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

struct GidStretch {
  Gid first;
  std::uint32_t count;
  std::uint32_t population;
  int owner;
};

class Partition {
 public:
  Partition(const Network& network, int ranks);
  const std::vector<GidStretch>& stretches() const { return stretches_; }
  std::uint32_t stretch_of(Gid gid) const {
    const std::uint32_t p = population_of(gid);
    return first_stretch_[p] + (together_[p] ? 0 : (lead_[p] + gid - first_gid_[p]) / block_);
  }
  std::uint32_t population_of(Gid gid) const;

 private:
  std::vector<GidStretch> stretches_;
  std::vector<std::uint32_t> first_stretch_;
  std::vector<Gid> first_gid_;
  std::vector<std::uint32_t> lead_;  ///< how much shorter than the others a population's first stretch is
  std::vector<bool> together_;       ///< environments: one stretch
  std::uint32_t block_;
};

}  // namespace spinet
