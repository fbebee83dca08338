#include "core/block/packet_arrivals.hpp"

#include <algorithm>

namespace spinet {

PacketArrivals::PacketArrivals(const Ring& ring, const BlockSynapses& synapses, const Network& net)
    : ArrivalStore(ring, synapses), slots_(ring.size()), far_(ring.size(), false) {
  for (std::uint32_t f = 0; f < net.family_count(); ++f) {
    const GidRange all = net.family(f);
    const std::uint32_t begin = all.count ? synapses.slices_begin(all.first) : 0;
    const std::uint32_t end = all.count ? synapses.slices_end(all.first + all.count - 1) : 0;
    std::uint32_t steps = begin != end ? synapses.delay_steps(begin) : 0;
    for (std::uint32_t s = begin; s < end; ++s)
      if (synapses.delay_steps(s) != steps) steps = 0;
    steps_.push_back(steps);
  }
}

bool PacketArrivals::begin(Slot& slot) {
  if (!slot.packets.empty()) return false;
  if (!spare_.empty()) {
    std::swap(slot, spare_.back());
    spare_.pop_back();
  }
  return true;
}

Tick PacketArrivals::post(std::span<const Emission> some, Tick from) {
  if (!ring_.whole()) return post_any(some, from);
  return detail::post_each(ring_, some, synapses_, from,
                           [this](std::uint64_t place, Tick offset, std::uint32_t s, const Emission& e) {
                             Slot& slot = slots_[place];
                             const bool first = begin(slot);
                             const auto event = static_cast<std::uint32_t>(slot.events.size());
                             slot.packets.push_back({static_cast<std::uint32_t>(offset), s, event, 0});
                             slot.events.push_back(e);
                             return first;
                           });
}

Tick PacketArrivals::post_any(std::span<const Emission> some, Tick from) {
  return detail::post_each_any(ring_, some, synapses_, from,
                               [this](const Ring::AnyArrival& at, std::uint32_t s, const Emission& e) {
                                 const Arrival a{static_cast<std::uint32_t>(at.offset), s, e};
                                 if (at.far) far_.put(at.window, a, 1);  // the event has its payload
                                 else put(ring_.place_of(at.window), a);
                               });
}

void PacketArrivals::put(std::uint64_t place, const Arrival& a) {
  Slot& slot = slots_[place];
  if (begin(slot)) ring_.fill(place);
  slot.packets.push_back({a.offset, a.slice, static_cast<std::uint32_t>(slot.events.size()), 0});
  slot.events.push_back(a.event);
}

Tick PacketArrivals::post_together(std::uint32_t family, std::span<const Emission> some) {
  const std::uint32_t steps = steps_[family];
  if (steps == 0 || !ring_.whole()) return post(some, 0);
  const auto [place, window, offset] = ring_.arrival(some.front().tick, steps);
  Slot& slot = slots_[place];
  const bool first = begin(slot);
  slot.packets.push_back({static_cast<std::uint32_t>(offset), synapses_.slices_begin(some.front().gid),
                          static_cast<std::uint32_t>(slot.events.size()),
                          static_cast<std::uint32_t>(some.size())});
  slot.events.filled(std::copy(some.begin(), some.end(), slot.events.room(some.size())));
  if (!first) return never;
  ring_.fill(place);
  return window;
}

void PacketArrivals::draw_near(std::uint64_t window) {
  far_.reached(window, [this](std::uint64_t at, const Arrival& a, double) { put(ring_.place_of(at), a); });
}

Tick PacketArrivals::next(Tick from) {
  if (far_.empty()) return ring_.next(from);
  draw_near(ring_.window_of(from).first);
  return detail::first_of(ring_, far_, from);
}

void PacketArrivals::open(Tick from) {
  from_ = from;
  taken_ = 0;
  if (!far_.empty()) draw_near(ring_.window_of(from).first);
  open_.packets.clear();
  open_.events.clear();
  due_ = never;
  const std::uint64_t place = ring_.place(from);
  Slot& slot = slots_[place];
  if (slot.packets.empty()) return;
  ring_.empty(place);
  std::swap(open_, slot);
  spare_.push_back(std::move(slot));
  // Slices are numbered by source, so a population's lie together.  Of one slice, events keep the order in
  // which they came.
  const auto earlier = [](const Packet& a, const Packet& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.slice < b.slice;
  };
  if (!std::is_sorted(open_.packets.begin(), open_.packets.end(), earlier))
    std::stable_sort(open_.packets.begin(), open_.packets.end(), earlier);
  see_due();
}

std::span<const Hit> PacketArrivals::take() {
  const std::vector<Packet>& packets = open_.packets;
  const Emission* const events = open_.events.begin();
  const std::uint32_t offset = packets[taken_].offset;
  std::size_t n = 0;
  const auto room = [&](std::size_t more) {
    if (n + more > hits_.size()) hits_.resize(2 * (n + more));
    return hits_.data() + n;
  };
  for (; taken_ < packets.size() && packets[taken_].offset == offset; ++taken_) {
    const Packet& p = packets[taken_];
    const Emission* const e = events + p.first;
    if (p.count == 0) {
      *room(1) = {e->payload, p.slice};
      ++n;
      continue;
    }
    // Each is of another neuron, and they ascend: no more slices than lie between the first and the last.
    Hit* to = room(synapses_.slices_end(e[p.count - 1].gid) - p.slice);
    for (const Emission& one : std::span(e, p.count))
      for (std::uint32_t s = synapses_.slices_begin(one.gid), end = synapses_.slices_end(one.gid); s != end;
           ++s)
        *to++ = {one.payload, s};
    n = static_cast<std::size_t>(to - hits_.data());
  }
  see_due();
  return {hits_.data(), n};
}

void PacketArrivals::clear() {
  for (auto& slot : slots_) slot.packets.clear(), slot.events.clear();
  ring_.empty_all();
  far_.clear();
}

void PacketArrivals::pending(Tick, std::vector<PendingEvent>& to) const {
  for (const Slot& slot : slots_)
    for (const Packet& p : slot.packets)
      for (std::uint32_t k = 0; k < std::max(1u, p.count); ++k)
        to.push_back({slot.events.begin()[p.first + k], p.slice});
  far_.each([&](std::uint64_t, const Arrival& a, double) { to.push_back({a.event, a.slice}); });
}

}  // namespace spinet
