#include "core/input/unordered.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace spinet {
namespace {

inline void members_of_any(std::span<const std::uint32_t> keys, std::uint8_t* out) {
  for (std::size_t i = 0; i < keys.size(); ++i) out[i] = static_cast<std::uint8_t>(keys[i]);
}
[[SPINET_WIDE]] void members_of_wide(std::span<const std::uint32_t> keys, std::uint8_t* out) {
  members_of_any(keys, out);
}

/// Keys of at least `least`.
inline std::uint32_t count_any(std::span<const std::uint32_t> keys, std::uint32_t least) {
  std::uint32_t n = 0;
  for (const std::uint32_t key : keys) n += key >= least;
  return n;
}
[[SPINET_WIDE]] std::uint32_t count_wide(std::span<const std::uint32_t> keys, std::uint32_t least) {
  return count_any(keys, least);
}

}  // namespace

void UnorderedInput::Unit::draw(Tick from, Tick length) {
  keys = source.events(from, length);
  members.clear();
}

/// Appends those of the keys that are of `member`, in their order.  It has few of them: a search through
/// bytes passes over the rest, dozens at a time.
void UnorderedInput::Unit::pick(std::uint32_t member, std::vector<std::uint32_t>& to) {
  if (members.size() != keys.size()) {
    members.resize(keys.size());
    (detail::wide() ? members_of_wide : members_of_any)(keys, members.data());
  }
  const std::uint8_t *const begin = members.data(), *const end = begin + members.size();
  for (const std::uint8_t* m = begin; m != end; ++m) {
    m = static_cast<const std::uint8_t*>(
        std::memchr(m, static_cast<int>(member), static_cast<std::size_t>(end - m)));
    if (!m) return;
    to.push_back(keys[static_cast<std::size_t>(m - begin)]);
  }
}

void UnorderedInput::add(Source source, std::vector<std::uint16_t> targets,
                         const std::vector<double>& weights) {
  Unit u{std::move(source), std::move(targets), {}, 0, {}, {}, {}, {}};
  for (std::uint32_t m = 0; m < u.targets.size(); ++m) {
    const std::uint16_t target = u.targets[m];
    if (target == 0xFFFF) continue;
    weigh(target, weights[m]);
    ++u.size;
    u.here[m] = 1;
    if (u.stretches.empty() || u.stretches.back().member + u.stretches.back().count != m ||
        u.stretches.back().target + u.stretches.back().count != target)
      u.stretches.push_back({m, target, 0});
    ++u.stretches.back().count;
  }
  units_.push_back(std::move(u));
}

void UnorderedInput::connect(NeuronBlock& block, const NeuronTable& table, Requests& requests,
                             const Faults& faults) {
  all_weighed();
  block_ = &block, table_ = &table, requests_ = &requests, faults_ = &faults;
  place_of_.assign(block.size, {nowhere, 0});
  exact_ = Buffer<std::uint8_t>(block.size);
  std::fill_n(exact_.data(), block.size, std::uint8_t{1});
  block.exact = exact_.data();
  kept_.resize(table.state_size);
  for (std::uint32_t k = 0; k < units_.size(); ++k) {
    Unit& u = units_[k];
    for (std::uint32_t m = 0; m < u.targets.size(); ++m)
      if (u.targets[m] != 0xFFFF) place_of_[u.targets[m]] = {k & nowhere, m & 255}, mark_exact(u.targets[m]);
  }
  turn_ = next_begin();
}

/// Where the next slab with events begins, from that of `from_` on, which becomes the one.
Tick UnorderedInput::next_begin() {
  Tick soonest = never;
  for (const Unit& u : units_) {
    soonest = std::min(soonest, u.source.next(from_));
    if (soonest <= from_) break;
  }
  if (soonest == never) return never;
  from_ = std::max(from_, soonest / slab_ * slab_);
  return from_ + delay_;
}

void UnorderedInput::take_turn(Tick now) {
  const Tick next = next_begin();
  if (next != now) {
    end(now);
    turn_ = next;
    return;
  }
  begin(now);
  become_virtual(now);
  for (Unit& u : units_) take(u, now);
  sort_train();
  from_ += slab_;
}

void UnorderedInput::begin(Tick now) {
  base_ = block_->slab_begin = now;
  turn_ = block_->slab_end = now + slab_;
  keys_.clear();
}

/// All that may be.
void UnorderedInput::become_virtual(Tick now) {
  auto& js = scratch_;
  js.clear();
  for (Unit& u : units_) {
    for (const std::uint16_t member : u.exact) js.push_back(u.targets[member]), exact_[js.back()] = 0;
    u.exact.clear();
  }
  const auto n = static_cast<std::uint32_t>(js.size()), stay = table_->begin_slab(block_, js.data(), n);
  if (stay > n) faults_->model(now, "says that more neurons stay exact than were");
  for (std::uint32_t k = 0; k < stay; ++k) mark_exact(js[k]);
}

/// Draws a unit's events of the slab that begins; they go into the states of neurons or into the train.
void UnorderedInput::take(Unit& u, Tick now) {
  u.draw(from_, slab_);
  drawn_so_far_ += count(u, now);
  if (u.exact.size() < u.size) {
    const SlabEvents drawn{u.keys.data(),
                           static_cast<std::uint32_t>(u.keys.size()),
                           static_cast<std::uint32_t>(u.stretches.size()),
                           u.stretches.data(),
                           weight_,
                           weight_of()};
    MemberBits might_cross{};
    table_->take_slab(block_, &drawn, &might_cross);
    for (std::uint32_t w = 0; w < 4; ++w)
      for (std::uint64_t bits = might_cross.word[w]; bits; bits &= bits - 1) {
        const std::uint32_t member = 64 * w + static_cast<std::uint32_t>(std::countr_zero(bits));
        if (member >= u.targets.size() || u.targets[member] == 0xFFFF)
          faults_->model(now, "says that a neuron might cross that gets nothing");
        if (const std::uint32_t j = u.targets[member]; !exact_[j]) mark_exact(j), look(j, now);
      }
  }
  if (!u.exact.empty()) put_in_order(u, now);
}

/// The present slab is over, and none follows: its neurons look ahead for themselves.
void UnorderedInput::end(Tick now) {
  for (const Unit& u : units_)
    for (const std::uint16_t j : u.targets)
      if (j != 0xFFFF && !exact_[j]) mark_exact(j), look(j, now);
}

void UnorderedInput::mark_exact(std::uint32_t j) {
  exact_[j] = 1;
  units_[place_of_[j].unit].exact.push_back(static_cast<std::uint16_t>(place_of_[j].member));
}

void UnorderedInput::look(std::uint32_t j, Tick now) {
  table_->look(block_, j, now);
  if (requests_->any()) requests_->take(now, requests_->most_for(1));
}

/// The unit's events at `from` and later, of neurons that are exact, go into the train, in any order.
void UnorderedInput::put_in_order(Unit& u, Tick from) {
  const auto put = [&](std::uint32_t key) {
    const std::uint16_t j = u.targets[key & 0xFFFF];
    if (base_ + (key >> 16) >= from) keys_.push_back((key & 0xFFFF0000u) | j);
  };
  if (u.exact.size() > 8) {
    for (const std::uint32_t key : u.keys)
      if (const std::uint16_t j = u.targets[key & 0xFFFF]; j != 0xFFFF && exact_[j]) put(key);
    return;
  }
  picked_.clear();
  for (const std::uint16_t member : u.exact) u.pick(member, picked_);
  for (const std::uint32_t key : picked_) put(key);
}

void UnorderedInput::sort_train() {
  const std::size_t n = keys_.size();
  if (n < 256) {
    std::sort(keys_.begin(), keys_.end());
  } else {  // by offset, byte by byte; equal ticks may stand in any order, since each target has one source
    std::array<std::uint32_t, 256> at[2] = {};
    for (const std::uint32_t key : keys_) ++at[0][(key >> 16) & 255], ++at[1][key >> 24];
    scratch_.resize(n);
    for (int byte = 0; byte < 2; ++byte) {
      std::uint32_t sum = 0;
      for (auto& x : at[byte]) sum += std::exchange(x, sum);
      for (const std::uint32_t key : keys_) scratch_[at[byte][(key >> (16 + 8 * byte)) & 255]++] = key;
      keys_.swap(scratch_);
    }
  }
  at_ = 0, drawn_ = n;
  keys_.push_back(last_key);
}

void UnorderedInput::make_exact(std::uint32_t j, Tick from) {
  if (exact_[j]) return;
  mark_exact(j);
  const auto out = later(place_of_[j], from);
  if (out.empty()) return;
  table_->take_out(block_, j, out.data(), static_cast<std::uint32_t>(out.size()), weight(j));
  for (const std::uint32_t key : out) {
    const std::uint32_t own = (key & 0xFFFF0000u) | j;
    const auto left = keys_.begin() + static_cast<std::ptrdiff_t>(at_);
    keys_.insert(std::upper_bound(left, keys_.end() - 1, own), own);
    ++drawn_;
  }
}

/// Events of the neuron at this place at `from` and later, as they were drawn; until the next call.
std::span<const std::uint32_t> UnorderedInput::later(const Place& place, Tick from) {
  picked_.clear();
  units_[place.unit].pick(place.member, picked_);
  std::erase_if(picked_, [&](std::uint32_t key) { return base_ + (key >> 16) < from; });
  return picked_;
}

double UnorderedInput::read(Tick tick, std::uint32_t j, std::uint32_t variable) {
  const auto out = later(place_of_[j], tick);
  if (out.empty()) return table_->read(block_, tick, j, variable);
  std::byte* const state = static_cast<std::byte*>(block_->state) + std::size_t{j} * table_->state_size;
  std::memcpy(kept_.data(), state, kept_.size());
  table_->take_out(block_, j, out.data(), static_cast<std::uint32_t>(out.size()), weight(j));
  const double x = table_->read(block_, tick, j, variable);
  std::memcpy(state, kept_.data(), kept_.size());
  return x;
}

/// The unit's events at `from` and later, those without a target here left out.
std::uint64_t UnorderedInput::count(const Unit& u, Tick from) const {
  const bool all_here = u.size == u.source.size();
  if (from <= base_ && all_here) return u.keys.size();
  if (from - base_ >= 65536) return 0;
  const std::uint32_t least = from <= base_ ? 0 : static_cast<std::uint32_t>(from - base_) << 16;
  if (all_here) return (detail::wide() ? count_wide : count_any)(u.keys, least);
  const std::uint8_t* const here = u.here.data();
  std::uint32_t n = 0;
#pragma GCC unroll 4
  for (const std::uint32_t key : u.keys) n += key >= least ? here[key & 255] : 0;
  return n;
}

std::uint64_t UnorderedInput::arrivals(Tick at) const {
  std::uint64_t n = drawn_so_far_;
  if (at < block_->slab_end)
    for (const Unit& u : units_) n -= count(u, at);
  return n;
}

/// The slab that tick `at - 1` lies in is drawn again.
void UnorderedInput::resume(Tick at) {
  for (Unit& u : units_) u.exact.clear();
  for (std::uint32_t j = 0; j < block_->size; ++j) {
    if (place_of_[j].unit == nowhere) exact_[j] = 1;
    else if (exact_[j]) mark_exact(j);
  }
  from_ = std::max<Tick>(0, at - 1 - delay_) / slab_ * slab_;
  turn_ = next_begin();
  if (turn_ >= at) return end(at);
  begin(turn_);
  table_->begin_slab(block_, nullptr, 0);
  for (Unit& u : units_) {
    u.draw(from_, slab_);
    drawn_so_far_ += count(u, at);
    put_in_order(u, at);
  }
  sort_train();
  from_ += slab_;
}

}  // namespace spinet
