// A transport that fails when told to: how tests make a rank die at a chosen moment.
#pragma once
#include "comm/transport.hpp"

namespace spinet {

struct InjectedFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Passes everything on to `inner`, but on rank `rank` the `call`-th collective (counted from 1) throws
/// InjectedFault instead of communicating, as if that rank had failed just before it.
class FaultyTransport final : public Transport {
 public:
  FaultyTransport(Transport& inner, int rank, std::uint64_t call) : inner_(inner), rank_(rank), call_(call) {}
  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  void all_gather(std::span<const std::byte> mine, Gathered& all) override {
    count();
    inner_.all_gather(mine, all);
  }
  void gather(std::span<const std::byte> mine, Gathered& all) override {
    count();
    inner_.gather(mine, all);
  }
  std::uint64_t calls() const { return calls_; }

 private:
  void count() {
    if (++calls_ == call_ && rank() == rank_)
      throw InjectedFault("injected fault on rank " + std::to_string(rank_) + " at collective " +
                          std::to_string(call_));
  }
  Transport& inner_;
  int rank_;
  std::uint64_t call_, calls_ = 0;
};

}  // namespace spinet
