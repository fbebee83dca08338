// Arrivals to come at the slices of one block, by window.  Two ways to keep them behind one interface:
//   SortedArrivals  a record of eight bytes for each slice, whatever the number of its synapses (and eight
//   for its payload
//                   where the network has graded events), sorted when their window comes: blocks with many
//                   slices
//   PacketArrivals  packets of hits, those of one population and tick together where its slices all have one
//                   delay: blocks with few slices, where sorting and copying a record for each would cost
//                   more than its synapses
// Both keep arrivals beyond the reach of their ring one by one in a second level until it has come so far.
//
// Order: within a tick by slice, which are numbered by (source gid, store, delay); events of one slice and
// tick as they came.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/block/synapses.hpp"
#include "core/emission.hpp"
#include "core/queue/far.hpp"
#include "core/queue/ring.hpp"

namespace spinet {

/// An event that arrives at a slice.
struct Hit {
  double payload;
  std::uint32_t slice;
};

/// An event on its way to a slice, for checkpoints.
struct PendingEvent {
  Emission event;
  std::uint32_t slice;
};

class ArrivalStore {
 public:
  /// `synapses` must outlive it.
  ArrivalStore(const Ring& ring, const BlockSynapses& synapses) : ring_(ring), synapses_(synapses) {}
  virtual ~ArrivalStore() = default;
  /// Arrivals of these events at all slices of their sources; those before `from` are left out.  Returns the
  /// begin of the first window that had none before, or `never`.
  virtual Tick post(std::span<const Emission> some, Tick from) = 0;
  /// The same for events of one family (Network::family) and tick, each of another neuron.
  virtual Tick post_together(std::uint32_t, std::span<const Emission> some) { return post(some, 0); }
  /// Begin of the first window from that of `from` on that has arrivals; `never` if there is none.
  virtual Tick next(Tick from) = 0;
  /// Takes out the arrivals of the window that begins at `from`, in order.
  virtual void open(Tick from) = 0;
  /// Tick of the first that has not been taken yet; `never` if all have.
  Tick due() const { return due_; }
  /// The next ones, all of tick `due`; there may be more of it.  They hold until the next call.
  virtual std::span<const Hit> take() = 0;
  virtual void clear() = 0;
  /// Appends all that is to come from the window of `now` on, those of a slice and tick in their order.
  virtual void pending(Tick now, std::vector<PendingEvent>& to) const = 0;

 protected:
  /// The event that arrives at a slice at this offset of a window.
  PendingEvent pending_at(std::uint64_t window, std::uint32_t offset, const Hit& hit) const {
    const Tick at = static_cast<Tick>(window) * ring_.window() + offset;
    const Tick sent = at - ring_.resolution() * synapses_.delay_steps(hit.slice);
    return {{sent, hit.payload, synapses_.source_of(hit.slice)}, hit.slice};
  }
  Ring ring_;
  const BlockSynapses& synapses_;
  Tick due_ = never;
};

namespace detail {
/// Calls put(place, offset, slice, event) for every arrival from `from` on; it says whether its place had
/// none before.
template <class Put>
Tick post_each(Ring& ring, std::span<const Emission> some, const BlockSynapses& synapses, Tick from,
               Put&& put) {
  Tick first = never;
  for (const Emission& e : some) {
    const std::uint32_t end = synapses.slices_end(e.gid);
    for (std::uint32_t s = synapses.slices_begin(e.gid); s < end; ++s) {
      const auto [place, begin, offset] = ring.arrival(e.tick, synapses.delay_steps(s));
      if (begin + offset < from || !put(place, offset, s, e)) continue;
      ring.fill(place);
      first = std::min(first, begin);
    }
  }
  return first;
}

/// The same where delays may reach beyond the ring: put(arrival, slice, event) puts it where it belongs.
template <class Put>
Tick post_each_any(const Ring& ring, std::span<const Emission> some, const BlockSynapses& synapses, Tick from,
                   Put&& put) {
  Tick first = never;
  for (const Emission& e : some)
    for (std::uint32_t s = synapses.slices_begin(e.gid); s < synapses.slices_end(e.gid); ++s) {
      const Ring::AnyArrival a = ring.any_arrival(e.tick, synapses.delay_steps(s));
      const Tick begin = static_cast<Tick>(a.window) * ring.window();
      if (a.never || begin + a.offset < from) continue;
      put(a, s, e);
      first = std::min(first, begin);
    }
  return first;
}

/// Begin of the first window with arrivals in a ring or beyond it.
template <class Beyond>
Tick first_of(const Ring& ring, const Far<Beyond>& far, Tick from) {
  return std::min(ring.next(from), far.empty() ? never : static_cast<Tick>(far.first()) * ring.window());
}
}  // namespace detail

}  // namespace spinet
