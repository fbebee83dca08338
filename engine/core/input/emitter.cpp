#include "core/input/emitter.hpp"

#include <algorithm>

namespace spinet {

Tick Emitter::next() const {
  Tick soonest = source_.next(from_);
  if (soonest != never) soonest = std::max(soonest, from_);
  for (const auto& s : left_) soonest = std::min(soonest, s.tick);
  return soonest;
}

void Emitter::emit(Tick to, std::vector<Spike>& out, Heart& heart) {
  if (from_ < to) heart.enter(source_.population().model->name, source_.population().name.c_str());
  while (from_ < to) {
    const Tick soonest = source_.next(from_);
    if (soonest >= to) break;
    from_ = std::max(from_, soonest / slab_ * slab_);
    for (const std::uint32_t key : source_.events(from_, slab_))
      if (own_[key & 0xFFFF]) left_.push_back({from_ + (key >> 16), first_ + (key & 0xFFFF)});
    from_ += slab_;
    heart.beat();
  }
  heart.leave();
  const auto due =
      std::stable_partition(left_.begin(), left_.end(), [to](const Spike& s) { return s.tick >= to; });
  out.insert(out.end(), due, left_.end());
  left_.erase(due, left_.end());
}

void Emitter::resume(Tick at, Heart& heart) {
  std::vector<Spike> before;
  left_.clear();
  from_ = at / slab_ * slab_;
  emit(at, before, heart);
}

}  // namespace spinet
