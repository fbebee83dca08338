#include "core/block/packet_arrivals.hpp"

#include <algorithm>
#include <utility>

namespace spinet {

PacketArrivals::PacketArrivals(const Ring& ring, const BlockSynapses& synapses, const Network& net)
    : ArrivalStore(ring, synapses), at_(ring.size(), none), far_(ring.size(), Payloads::each) {
  for (std::uint32_t f = 0; f < net.family_count(); ++f) {
    const GidRange all = net.family(f);
    const std::uint32_t begin = all.count ? synapses.slices_begin(all.first) : 0;
    const std::uint32_t end = all.count ? synapses.slices_end(all.first + all.count - 1) : 0;
    std::uint32_t steps = begin != end ? synapses.delay_steps(begin) : 0;
    for (std::uint32_t s = begin; s < end; ++s)
      if (synapses.delay_steps(s) != steps) steps = 0;
    bool one_each = end - begin == all.count;
    for (Gid gid = all.first; one_each && gid < all.first + all.count; ++gid)
      one_each = synapses.slices_end(gid) == synapses.slices_begin(gid) + 1;
    families_.push_back({steps, one_each});
  }
}

void PacketArrivals::add_spare() {
  spare_.push_back(static_cast<std::uint32_t>(held_.size()));
  held_.emplace_back();
}

void PacketArrivals::empty(std::uint32_t held) {
  held_[held].packets.clear();
  held_[held].hits.clear();
  spare_.push_back(held);
}

Tick PacketArrivals::post(std::span<const Emission> some, Tick from) {
  if (!ring_.whole()) return post_any(some, from);
  return detail::post_each(ring_, some, synapses_, from,
                           [this](std::uint64_t place, Tick offset, std::uint32_t s, const Emission& e) {
                             const auto [held, first] = begin(place);
                             add(held, {static_cast<std::uint32_t>(offset), s}, e.payload);
                             return first;
                           });
}

Tick PacketArrivals::post_any(std::span<const Emission> some, Tick from) {
  return detail::post_each_any(ring_, some, synapses_, from,
                               [this](const Ring::AnyArrival& at, std::uint32_t s, const Emission& e) {
                                 const Arrival a{static_cast<std::uint32_t>(at.offset), s};
                                 if (at.far) far_.put(at.window, a, e.payload);
                                 else put(ring_.place_of(at.window), a, e.payload);
                               });
}

void PacketArrivals::put(std::uint64_t place, const Arrival& a, double payload) {
  const auto [held, first] = begin(place);
  if (first) ring_.fill(place);
  add(held, a, payload);
}

Tick PacketArrivals::post_together(std::uint32_t family, std::span<const Emission> some) {
  const auto [steps, one_each] = families_[family];
  if (steps == 0 || !ring_.whole()) return post(some, 0);
  const auto [place, window, offset] = ring_.arrival(some.front().tick, steps);
  const auto [held, first] = begin(place);
  // Each is of another neuron, and they ascend: no more slices than lie between the first and the last.
  const std::uint32_t* const slices = synapses_.slices_of_sources();
  const std::uint32_t begin = slices[some.front().gid];
  Hit* const hits = held.hits.room(slices[some.back().gid + 1] - begin);
  Hit* to = hits;
  if (one_each)  // nothing to look up
    for (const std::uint32_t ahead = begin - some.front().gid; const Emission& e : some)
      *to++ = {e.payload, e.gid + ahead};
  else
    for (const Emission& e : some)
      for (std::uint32_t s = slices[e.gid], end = slices[e.gid + 1]; s != end; ++s) *to++ = {e.payload, s};
  held.packets.push_back({static_cast<std::uint32_t>(offset), begin,
                          static_cast<std::uint32_t>(held.hits.size()),
                          static_cast<std::uint32_t>(to - hits)});
  held.hits.filled(to);
  if (!first) return never;
  ring_.fill(place);
  return window;
}

void PacketArrivals::draw_near(std::uint64_t window) {
  far_.reached(window, [this](std::uint64_t at, const Arrival& a, double payload) {
    put(ring_.place_of(at), a, payload);
  });
}

Tick PacketArrivals::next(Tick from) {
  if (far_.empty()) return ring_.next(from);
  draw_near(ring_.window_of(from).first);
  return detail::first_of(ring_, far_, from);
}

void PacketArrivals::open(Tick from) {
  from_ = from;
  taken_ = hits_taken_ = 0;
  if (!far_.empty()) draw_near(ring_.window_of(from).first);
  if (open_ != none) empty(open_);
  const std::uint64_t place = ring_.place(from);
  open_ = std::exchange(at_[place], none);
  due_ = never;
  if (open_ == none) return;
  ring_.empty(place);
  sort(held_[open_]);
  see_due();
}

/// By tick and slice, the hits as the packets.  Slices are numbered by source, so a population's lie
/// together.  Of one slice, events keep the order in which they came.
void PacketArrivals::sort(WindowArrivals& held) {
  const auto earlier = [](const Packet& a, const Packet& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.slice < b.slice;
  };
  if (std::is_sorted(held.packets.begin(), held.packets.end(), earlier)) return;
  std::stable_sort(held.packets.begin(), held.packets.end(), earlier);
  sorted_.clear();
  Hit* to = sorted_.room(held.hits.size());
  for (const Packet& p : held.packets) to = std::copy_n(held.hits.begin() + p.first, p.count, to);
  sorted_.filled(to);
  held.hits.swap(sorted_);
}

std::span<const Hit> PacketArrivals::take() {
  const auto& [packets, hits] = held_[open_];
  const std::uint32_t offset = packets[taken_].offset;
  const Hit* const first = hits.begin() + hits_taken_;
  for (; taken_ < packets.size() && packets[taken_].offset == offset; ++taken_)
    hits_taken_ += packets[taken_].count;
  see_due();
  return {first, hits.begin() + hits_taken_};
}

void PacketArrivals::clear() {
  for (std::uint32_t& held : at_)
    if (held != none) empty(std::exchange(held, none));
  ring_.empty_all();
  far_.clear();
}

void PacketArrivals::pending(Tick now, std::vector<PendingEvent>& to) const {
  for (std::uint64_t place = 0; place < at_.size(); ++place) {
    if (at_[place] == none) continue;
    const auto& [packets, hits] = held_[at_[place]];
    for (const Packet& p : packets)
      for (const Hit& hit : std::span(hits.begin() + p.first, p.count))
        to.push_back(pending_at(ring_.window_at(place, now), p.offset, hit));
  }
  far_.each([&](std::uint64_t window, const Arrival& a, double payload) {
    to.push_back(pending_at(window, a.offset, {payload, a.slice}));
  });
}

}  // namespace spinet
