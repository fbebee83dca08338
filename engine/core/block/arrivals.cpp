#include "core/block/arrivals.hpp"

#include <algorithm>
#include <tuple>

namespace spinet {

namespace {
/// Calls put(place, offset, slice, event) for every arrival from `from` on; it says whether its place had none before.
template <class Put>
Tick post_each(Ring& ring, std::span<const Emission> some, const BlockSynapses& synapses, Tick from, Put&& put) {
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

/// The same where delays may reach beyond the ring: put(window, offset, slice, event, far) puts it where it belongs.
template <class Put>
Tick post_each_any(const Ring& ring, std::span<const Emission> some, const BlockSynapses& synapses, Tick from, Put&& put) {
  Tick first = never;
  for (const Emission& e : some)
    for (std::uint32_t s = synapses.slices_begin(e.gid); s < synapses.slices_end(e.gid); ++s) {
      const auto a = ring.any_arrival(e.tick, synapses.delay_steps(s));
      const Tick begin = static_cast<Tick>(a.window) * ring.window();
      if (a.never || begin + a.offset < from) continue;
      put(a.window, a.offset, s, e, a.far);
      first = std::min(first, begin);
    }
  return first;
}

/// Begin of the first window with arrivals in a ring or beyond it.
template <class Beyond>
Tick first_of(const Ring& ring, const Far<Beyond>& far, Tick from) {
  return std::min(ring.next(from), far.empty() ? never : static_cast<Tick>(far.first()) * ring.window());
}
}  // namespace

Tick Slots::post(std::span<const Emission> some, const BlockSynapses& synapses, Tick from) {
  if (!ring_.whole()) return post_any(some, synapses, from);
  return post_each(ring_, some, synapses, from, [this](std::uint64_t place, Tick offset, std::uint32_t s, const Emission& e) {
    Slot& slot = slots_[place];
    const bool first = slot.keys.empty();
    slot.keys.push_back(static_cast<std::uint64_t>(offset) << 32 | s);
    if (graded_) slot.payloads.push_back(e.payload);
    return first;
  });
}

Tick Slots::post_any(std::span<const Emission> some, const BlockSynapses& synapses, Tick from) {
  return post_each_any(ring_, some, synapses, from, [this](std::uint64_t window, Tick offset, std::uint32_t s, const Emission& e, bool far) {
    const Arrival a{static_cast<std::uint32_t>(offset), s};
    if (far) far_.put(window, a, e.payload);
    else put(ring_.place_of(window), a, e.payload);
  });
}

void Slots::put(std::uint64_t place, const Arrival& a, double payload) {
  Slot& slot = slots_[place];
  if (slot.keys.empty()) ring_.fill(place);
  slot.keys.push_back(a.key());
  if (graded_) slot.payloads.push_back(payload);
}

void Slots::draw_near(std::uint64_t window) {
  far_.reached(window, [this](std::uint64_t at, const Arrival& a, double payload) { put(ring_.place_of(at), a, payload); });
}

Tick Slots::next_of_all(Tick from) {
  draw_near(ring_.window_of(from).first);
  return first_of(ring_, far_, from);
}

void Slots::pending(const BlockSynapses& synapses, Tick resolution, Tick now, std::vector<PendingEvent>& to) const {
  const auto add = [&](std::uint64_t window, std::uint64_t key, double payload) {
    const auto slice = static_cast<std::uint32_t>(key);
    const Tick at = static_cast<Tick>(window) * ring_.window() + static_cast<Tick>(key >> 32);
    to.push_back({{at - resolution * synapses.delay_steps(slice), payload, synapses.source_of(slice)}, slice});
  };
  for (std::uint64_t place = 0; place < slots_.size(); ++place) {
    const Slot& slot = slots_[place];
    const std::uint64_t window = ring_.window_at(place, now);
    for (std::size_t i = 0; i < slot.keys.size(); ++i) add(window, slot.keys[i], graded_ ? slot.payloads[i] : 1);
  }
  far_.each([&](std::uint64_t window, const Arrival& a, double payload) { add(window, a.key(), payload); });
}

Slots::Arrivals Slots::take(Tick from) {
  if (!far_.empty()) draw_near(ring_.window_of(from).first);
  const std::uint64_t place = ring_.place(from);
  Slot& slot = slots_[place];
  if (slot.keys.empty()) return {};
  ring_.empty(place);
  std::swap(present_, slot);
  slot.keys.clear();
  slot.payloads.clear();
  if (!std::is_sorted(present_.keys.begin(), present_.keys.end())) sort(present_);
  return {present_.keys, graded_ ? present_.payloads.data() : nullptr};
}

void Slots::clear() {
  for (auto& slot : slots_) slot.keys.clear(), slot.payloads.clear();
  ring_.empty_all();
  far_.clear();
}

void Slots::sort(Slot& slot) {
  auto& keys = slot.keys;
  if (graded_) {
    buffer_graded_.clear();
    for (std::size_t i = 0; i < keys.size(); ++i) buffer_graded_.push_back({keys[i], slot.payloads[i]});
    // Equal keys are events of one neuron in one tick: they keep the order in which it sent them.
    std::stable_sort(buffer_graded_.begin(), buffer_graded_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < keys.size(); ++i) std::tie(keys[i], slot.payloads[i]) = buffer_graded_[i];
    return;
  }
  if (keys.size() < 48) return std::sort(keys.begin(), keys.end());
  // By offset: least significant digit first, 8 bits a pass.  Ties are put right below.
  buffer_.resize(keys.size());
  for (int shift = 32; (static_cast<std::uint64_t>(ring_.window() - 1) << 32) >> shift; shift += 8) {
    std::uint32_t begin[256] = {}, sum = 0;
    for (const auto k : keys) ++begin[(k >> shift) & 255];
    for (auto& b : begin) sum += std::exchange(b, sum);
    for (const auto k : keys) buffer_[begin[(k >> shift) & 255]++] = k;
    keys.swap(buffer_);
  }
  for (std::size_t i = 0; i + 1 < keys.size();) {
    if (keys[i] >> 32 != keys[i + 1] >> 32) {
      ++i;
      continue;
    }
    std::size_t j = i + 1;
    while (j < keys.size() && keys[j] >> 32 == keys[i] >> 32) ++j;
    std::sort(keys.begin() + static_cast<std::ptrdiff_t>(i), keys.begin() + static_cast<std::ptrdiff_t>(j));
    i = j;
  }
}

bool Packets::begin(Slot& slot) {
  if (!slot.packets.empty()) return false;
  if (!spare_.empty()) {
    std::swap(slot, spare_.back());
    spare_.pop_back();
  }
  return true;
}

Tick Packets::post(std::span<const Emission> some, const BlockSynapses& synapses, Tick from) {
  if (!ring_.whole()) return post_any(some, synapses, from);
  return post_each(ring_, some, synapses, from, [this](std::uint64_t place, Tick offset, std::uint32_t s, const Emission& e) {
    Slot& slot = slots_[place];
    const bool first = begin(slot);
    slot.packets.push_back({static_cast<std::uint32_t>(offset), s, static_cast<std::uint32_t>(slot.events.size()), 0, 0});
    slot.events.push_back(e);
    return first;
  });
}

Tick Packets::post_any(std::span<const Emission> some, const BlockSynapses& synapses, Tick from) {
  return post_each_any(ring_, some, synapses, from, [this](std::uint64_t window, Tick offset, std::uint32_t s, const Emission& e, bool far) {
    const Arrival a{static_cast<std::uint32_t>(offset), s, e};
    if (far) far_.put(window, a, 1);  // the event has its payload
    else put(ring_.place_of(window), a);
  });
}

void Packets::put(std::uint64_t place, const Arrival& a) {
  Slot& slot = slots_[place];
  if (begin(slot)) ring_.fill(place);
  slot.packets.push_back({a.offset, a.slice, static_cast<std::uint32_t>(slot.events.size()), 0, 0});
  slot.events.push_back(a.event);
}

void Packets::draw_near(std::uint64_t window) {
  far_.reached(window, [this](std::uint64_t at, const Arrival& a, double) { put(ring_.place_of(at), a); });
}

Tick Packets::next_of_all(Tick from) {
  draw_near(ring_.window_of(from).first);
  return first_of(ring_, far_, from);
}

void Packets::pending(std::vector<PendingEvent>& to) const {
  for (const Slot& slot : slots_)
    for (const Packet& p : slot.packets)
      for (std::uint32_t k = 0; k < std::max(1u, std::uint32_t{p.count}); ++k) to.push_back({slot.events.begin()[p.first + k], p.slice});
  far_.each([&](std::uint64_t, const Arrival& a, double) { to.push_back({a.event, a.slice}); });
}

Tick Packets::post_together(std::span<const Emission> some, const BlockSynapses& synapses, std::uint32_t steps, bool alike) {
  if (!ring_.whole()) return post_any(some, synapses, 0);
  const auto [place, window, offset] = ring_.arrival(some.front().tick, steps);
  Slot& slot = slots_[place];
  const bool first = begin(slot);
  slot.packets.push_back({static_cast<std::uint32_t>(offset), synapses.slices_begin(some.front().gid), static_cast<std::uint32_t>(slot.events.size()), static_cast<std::uint32_t>(some.size() & 0x7FFFFFFFu), alike});
  slot.events.filled(std::copy(some.begin(), some.end(), slot.events.room(some.size())));
  if (!first) return never;
  ring_.fill(place);
  return window;
}

Packets::Arrivals Packets::take(Tick from) {
  if (!far_.empty()) draw_near(ring_.window_of(from).first);
  const std::uint64_t place = ring_.place(from);
  Slot& slot = slots_[place];
  if (slot.packets.empty()) return {};
  ring_.empty(place);
  present_.packets.clear();
  present_.events.clear();
  spare_.push_back(std::move(present_));
  present_ = std::move(slot);
  slot = {};
  // Slices are numbered by source, so a population's lie together.  Of one slice, events keep the order in which they came.
  const auto earlier = [](const Packet& a, const Packet& b) { return a.offset != b.offset ? a.offset < b.offset : a.slice < b.slice; };
  if (!std::is_sorted(present_.packets.begin(), present_.packets.end(), earlier)) std::stable_sort(present_.packets.begin(), present_.packets.end(), earlier);
  return {present_.packets, present_.events.begin()};
}

void Packets::clear() {
  for (auto& slot : slots_) slot.packets.clear(), slot.events.clear();
  ring_.empty_all();
  far_.clear();
}

}  // namespace spinet
