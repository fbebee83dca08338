// Arrivals of a block with few slices: the hits themselves, in packets that are sorted when their window
// comes (core/block/arrivals.hpp).
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
  /// Arrivals of one tick: at one slice, or at all those of one population's neurons; slices ascend.
  struct Packet {
    std::uint32_t offset;  ///< in the window
    std::uint32_t slice;   ///< the first
    std::uint32_t first;   ///< in `WindowArrivals::hits`
    std::uint32_t count;   ///< of hits
  };
  /// Arrivals of a window.
  struct WindowArrivals {
    std::vector<Packet> packets;
    Reused<Hit> hits;  ///< as the packets were posted
  };
  struct Arrival {
    std::uint32_t offset, slice;
  };
  Tick post_any(std::span<const Emission> some, Tick from);
  void put(std::uint64_t place, const Arrival& a, double payload);
  void sort(WindowArrivals& held);
  void draw_near(std::uint64_t window);
  struct Begun {
    WindowArrivals& held;
    bool first;  ///< it had none before
  };
  Begun begin(std::uint64_t place) {
    std::uint32_t& at = at_[place];
    if (at != none) return {held_[at], false};
    if (spare_.empty()) add_spare();
    at = spare_.back();
    spare_.pop_back();
    return {held_[at], true};
  }
  void add_spare();
  void empty(std::uint32_t held);
  static void add(WindowArrivals& held, const Arrival& a, double payload) {
    held.packets.push_back({a.offset, a.slice, static_cast<std::uint32_t>(held.hits.size()), 1});
    held.hits.push_back({payload, a.slice});
  }
  void see_due() {
    const std::vector<Packet>& packets = held_[open_].packets;
    due_ = taken_ < packets.size() ? from_ + static_cast<Tick>(packets[taken_].offset) : never;
  }
  /// How the neurons of a family end here.
  struct FamilySlices {
    std::uint32_t steps;  ///< the delay of all its slices here, 0 if they differ or there are none
    bool one_each;        ///< each of its neurons has one slice here
  };
  std::vector<FamilySlices> families_;  ///< by family
  static constexpr std::uint32_t none = 0xFFFFFFFFu;
  /// Of windows with arrivals, and spare ones, whose memory is used again:
  std::vector<WindowArrivals> held_;
  std::vector<std::uint32_t> spare_;        ///< last out, first in, so that it is still in the cache
  std::vector<std::uint32_t> at_;           ///< by place of the ring: what is held for the window, or `none`
  std::uint32_t open_ = none;               ///< what is held for the present window
  Tick from_ = 0;                           ///< its begin
  std::size_t taken_ = 0, hits_taken_ = 0;  ///< packets, and their hits
  Reused<Hit> sorted_;
  Far<Arrival> far_;
};

}  // namespace spinet
