#include "core/block/sorted_arrivals.hpp"

#include <algorithm>
#include <tuple>

namespace spinet {

SortedArrivals::SortedArrivals(const Ring& ring, const BlockSynapses& synapses, Payloads payloads)
    : ArrivalStore(ring, synapses),
      graded_(payloads == Payloads::each),
      held_(ring.size()),
      far_(ring.size(), payloads) {}

Tick SortedArrivals::post(std::span<const Emission> some, Tick from) {
  if (!ring_.whole()) return post_any(some, from);
  return detail::post_each(ring_, some, synapses_, from,
                           [this](std::uint64_t place, Tick offset, std::uint32_t s, const Emission& e) {
                             WindowArrivals& held = held_[place];
                             const bool first = held.keys.empty();
                             held.keys.push_back(static_cast<std::uint64_t>(offset) << 32 | s);
                             if (graded_) held.payloads.push_back(e.payload);
                             return first;
                           });
}

Tick SortedArrivals::post_any(std::span<const Emission> some, Tick from) {
  return detail::post_each_any(ring_, some, synapses_, from,
                               [this](const Ring::AnyArrival& at, std::uint32_t s, const Emission& e) {
                                 const Arrival a{static_cast<std::uint32_t>(at.offset), s};
                                 if (at.far) far_.put(at.window, a, e.payload);
                                 else put(ring_.place_of(at.window), a, e.payload);
                               });
}

void SortedArrivals::put(std::uint64_t place, const Arrival& a, double payload) {
  WindowArrivals& held = held_[place];
  if (held.keys.empty()) ring_.fill(place);
  held.keys.push_back(a.key());
  if (graded_) held.payloads.push_back(payload);
}

void SortedArrivals::draw_near(std::uint64_t window) {
  far_.reached(window, [this](std::uint64_t at, const Arrival& a, double payload) {
    put(ring_.place_of(at), a, payload);
  });
}

Tick SortedArrivals::next(Tick from) {
  if (far_.empty()) return ring_.next(from);
  draw_near(ring_.window_of(from).first);
  return detail::first_of(ring_, far_, from);
}

// Most slices lie far from each other in memory.  Ahead of time: the entries of those that come soon, the
// synapses of those that come next, and no more in one go than the cache holds.
namespace {
constexpr std::size_t entries_ahead = 16, synapses_ahead = 4, at_once = 16;
}

void SortedArrivals::open(Tick from) {
  from_ = from;
  taken_ = 0;
  open_.keys.clear();
  open_.payloads.clear();
  due_ = never;
  if (!far_.empty()) draw_near(ring_.window_of(from).first);
  const std::uint64_t place = ring_.place(from);
  WindowArrivals& held = held_[place];
  if (held.keys.empty()) return;
  ring_.empty(place);
  std::swap(open_, held);
  if (!std::is_sorted(open_.keys.begin(), open_.keys.end())) sort(open_);
  for (std::size_t k = 0; k < std::min(entries_ahead, open_.keys.size()); ++k)
    synapses_.prefetch_entry(static_cast<std::uint32_t>(open_.keys[k]));
  see_due();
}

void SortedArrivals::see_due() {
  due_ = taken_ < open_.keys.size() ? from_ + static_cast<Tick>(open_.keys[taken_] >> 32) : never;
}

std::span<const Hit> SortedArrivals::take() {
  hits_.clear();
  const std::uint64_t* const keys = open_.keys.data();
  const std::size_t end = open_.keys.size(), most = std::min(end, taken_ + at_once);
  for (const std::uint64_t offset = keys[taken_] >> 32; taken_ < most && keys[taken_] >> 32 == offset;
       ++taken_) {
    if (end - taken_ > entries_ahead)
      synapses_.prefetch_entry(static_cast<std::uint32_t>(keys[taken_ + entries_ahead]));
    if (end - taken_ > synapses_ahead)
      synapses_.prefetch_data(static_cast<std::uint32_t>(keys[taken_ + synapses_ahead]));
    hits_.push_back({graded_ ? open_.payloads[taken_] : 1, static_cast<std::uint32_t>(keys[taken_])});
  }
  see_due();
  return hits_;
}

void SortedArrivals::clear() {
  for (auto& held : held_) held.keys.clear(), held.payloads.clear();
  ring_.empty_all();
  far_.clear();
}

void SortedArrivals::pending(Tick now, std::vector<PendingEvent>& to) const {
  const auto add = [&](std::uint64_t window, std::uint64_t key, double payload) {
    const auto slice = static_cast<std::uint32_t>(key);
    to.push_back(pending_at(window, static_cast<std::uint32_t>(key >> 32), {payload, slice}));
  };
  for (std::uint64_t place = 0; place < held_.size(); ++place) {
    const WindowArrivals& held = held_[place];
    const std::uint64_t window = ring_.window_at(place, now);
    for (std::size_t i = 0; i < held.keys.size(); ++i)
      add(window, held.keys[i], graded_ ? held.payloads[i] : 1);
  }
  far_.each([&](std::uint64_t window, const Arrival& a, double payload) { add(window, a.key(), payload); });
}

void SortedArrivals::sort(WindowArrivals& held) {
  auto& keys = held.keys;
  if (graded_) {
    buffer_graded_.clear();
    for (std::size_t i = 0; i < keys.size(); ++i) buffer_graded_.push_back({keys[i], held.payloads[i]});
    // Equal keys are events of one neuron in one tick: they keep the order in which it sent them.
    std::stable_sort(buffer_graded_.begin(), buffer_graded_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < keys.size(); ++i) std::tie(keys[i], held.payloads[i]) = buffer_graded_[i];
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
    std::size_t j = i + 1;
    while (j < keys.size() && keys[j] >> 32 == keys[i] >> 32) ++j;
    if (j - i > 1)
      std::sort(keys.begin() + static_cast<std::ptrdiff_t>(i), keys.begin() + static_cast<std::ptrdiff_t>(j));
    i = j;
  }
}

}  // namespace spinet
