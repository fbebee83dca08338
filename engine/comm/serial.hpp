// The transport of a run on one rank: no message layer at all.
#pragma once
#include "comm/transport.hpp"

namespace spinet {

class SerialTransport final : public Transport {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_gather(std::span<const std::byte> mine, Gathered& all) override { copy(mine, all); }
  void gather(std::span<const std::byte> mine, Gathered& all) override { copy(mine, all); }

 private:
  static void copy(std::span<const std::byte> mine, Gathered& all);
};

}  // namespace spinet
