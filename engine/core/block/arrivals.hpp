// Arrivals to come, by window.  Two ways to keep them:
//   Slots    a record of eight bytes for each slice, whatever the number of its synapses (and eight for its payload where the
//            network has graded events), sorted when their window comes: blocks with many slices
//   Packets  the events themselves, those of one population and tick together where its slices all have one delay, looked
//            up when their window comes: blocks with few slices, where a record for each would cost more than its synapses
// Both keep arrivals beyond the reach of their ring one by one in a second level until it has come so far.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/emission.hpp"
#include "core/queue/far.hpp"
#include "core/queue/ring.hpp"
#include "core/block/synapses.hpp"

namespace spinet {

/// An event on its way to a slice, for checkpoints.
struct PendingEvent {
  Emission event;
  std::uint32_t slice;
};

class Slots {
 public:
  struct Arrivals {
    std::span<const std::uint64_t> keys;  ///< offset in the window << 32 | slice
    const double* payloads;               ///< of each of them, or null: all 1
  };
  Slots() = default;
  /// `graded`: events have payloads.
  Slots(const Ring& ring, bool graded) : ring_(ring), graded_(graded), slots_(ring.size()), far_(ring.size(), graded) {}
  /// Arrivals of these events at all slices of their sources; those before `from` are left out.  Returns the begin of the
  /// first window that had none before, or `never`.
  Tick post(std::span<const Emission> some, const BlockSynapses& synapses, Tick from);
  /// Takes out those of the window that begins at `from`, sorted by offset and slice.  They stay until something is posted.
  Arrivals take(Tick from);
  void clear();
  Tick next(Tick from) {
    if (!far_.empty()) return next_of_all(from);
    return ring_.next(from);
  }
  /// Appends all that is to come from the window of `now` on, those of a slice and tick in their order.
  void pending(const BlockSynapses& synapses, Tick resolution, Tick now, std::vector<PendingEvent>& to) const;

 private:
  struct Slot {
    std::vector<std::uint64_t> keys;
    std::vector<double> payloads;
  };
  struct Arrival {
    std::uint32_t offset, slice;
    std::uint64_t key() const { return static_cast<std::uint64_t>(offset) << 32 | slice; }
  };
  Tick post_any(std::span<const Emission> some, const BlockSynapses& synapses, Tick from);
  void put(std::uint64_t place, const Arrival& a, double payload);
  void draw_near(std::uint64_t window);
  Tick next_of_all(Tick from);
  void sort(Slot& slot);
  Ring ring_;
  bool graded_ = false;
  std::vector<Slot> slots_;
  std::vector<std::uint64_t> taken_, buffer_;
  Slot present_;
  std::vector<std::pair<std::uint64_t, double>> buffer_graded_;
  Far<Arrival> far_;
};

class Packets {
 public:
  struct Packet {
    std::uint32_t offset;  ///< in the window
    std::uint32_t slice;   ///< the first
    std::uint32_t first;   ///< event, in `Arrivals::events`
    std::uint32_t count : 31;  ///< of events, which arrive at all their slices; 0: one event, at `slice` alone
    std::uint32_t alike : 1;   ///< each of these sources has one slice here, and they can be delivered in one go
  };
  struct Arrivals {
    std::span<const Packet> packets;
    const Emission* events;
  };
  Packets() = default;
  explicit Packets(const Ring& ring) : ring_(ring), slots_(ring.size()), far_(ring.size(), false) {}
  /// As Slots::post.
  Tick post(std::span<const Emission> some, const BlockSynapses& synapses, Tick from);
  /// The same for events of one tick and population, each of another source, whose slices here all have `steps` of delay.
  Tick post_together(std::span<const Emission> some, const BlockSynapses& synapses, std::uint32_t steps, bool alike);
  /// As Slots::take.
  Arrivals take(Tick from);
  void clear();
  Tick next(Tick from) {
    if (!far_.empty()) return next_of_all(from);
    return ring_.next(from);
  }
  /// As Slots::pending; an event that arrives at all its slices comes once, with the first of them.
  void pending(std::vector<PendingEvent>& to) const;

 private:
  struct Slot {
    std::vector<Packet> packets;
    Emissions events;
  };
  struct Arrival {
    std::uint32_t offset, slice;
    Emission event;
  };
  Tick post_any(std::span<const Emission> some, const BlockSynapses& synapses, Tick from);
  void put(std::uint64_t place, const Arrival& a);
  void draw_near(std::uint64_t window);
  Tick next_of_all(Tick from);
  bool begin(Slot& slot);  ///< says whether it had none before
  Ring ring_;
  std::vector<Slot> slots_;
  Slot present_;
  std::vector<Slot> spare_;  ///< memory that is used again: last out, first in, so that it is still in the cache
  Far<Arrival> far_;
};

}  // namespace spinet
