// Arrivals of a block with few slices: packets of events that are looked up when their window comes
// (core/block/arrivals.hpp).
#pragma once
#include "core/block/arrivals.hpp"
#include "network/checked.hpp"

namespace spinet {

class PacketArrivals final : public ArrivalStore {
 public:
  PacketArrivals(const Ring& ring, const BlockSynapses& synapses, const Network& network);
  Tick post(std::span<const Emission> some, Tick from) override;
  Tick post_together(std::uint32_t family, std::span<const Emission> some) override;
  Tick next(Tick from) override;
  void open(Tick from) override;
  std::span<const Hit> take() override;
  void clear() override;
  void pending(Tick now, std::vector<PendingEvent>& to) const override;

 private:
  struct Packet {
    std::uint32_t offset;  ///< in the window
    std::uint32_t slice;   ///< the first
    std::uint32_t first;   ///< event, in `Slot::events`
    std::uint32_t count;   ///< of events, which arrive at all their slices; 0: one event, at `slice` alone
  };
  struct Slot {
    std::vector<Packet> packets;
    Emissions events;
  };
  struct Arrival {
    std::uint32_t offset, slice;
    Emission event;
  };
  Tick post_any(std::span<const Emission> some, Tick from);
  void put(std::uint64_t place, const Arrival& a);
  void draw_near(std::uint64_t window);
  bool begin(Slot& slot);  ///< says whether it had none before
  void see_due() {
    due_ = taken_ < open_.packets.size() ? from_ + static_cast<Tick>(open_.packets[taken_].offset) : never;
  }
  std::vector<std::uint32_t>
      steps_;  ///< by family: the delay of all its slices here, 0 if they differ or there are none
  std::vector<Slot> slots_;
  Slot open_;      ///< the present window's
  Tick from_ = 0;  ///< its begin
  std::size_t taken_ = 0;
  std::vector<Slot>
      spare_;  ///< memory that is used again: last out, first in, so that it is still in the cache
  Far<Arrival> far_;
};

}  // namespace spinet
