// The transport of a single rank, without the engine's own.
#pragma once
#include "comm/transport.hpp"

namespace spinet::test {

class OneRank : public Transport {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_gather(std::span<const std::byte> mine, Gathered& all) override {
    all.bytes.assign(mine.begin(), mine.end());
    all.begin = {0, mine.size()};
  }
  void gather(std::span<const std::byte> mine, Gathered& all) override { all_gather(mine, all); }
};

}  // namespace spinet::test
