#include "core/input/train.hpp"

#include <algorithm>

namespace spinet {

void SortedTrain::weigh(std::uint16_t target, double weight) {
  if (target >= weight_while_adding_.size()) weight_while_adding_.resize(target + 1u, 0);
  weight_while_adding_[target] = weight;
  if (weight_ == weight) return;
  one_weight_ = one_weight_ && weight_ != weight_;  // the first one replaces NaN
  weight_ = weight;
}

void SortedTrain::all_weighed() {
  if (!one_weight_) {
    weight_of_ = Buffer<double>(65536);
    std::copy(weight_while_adding_.begin(), weight_while_adding_.end(), weight_of_.data());
  }
  std::vector<double>().swap(weight_while_adding_);
}

Train SortedTrain::train(Tick to) const {
  const Tick offset = to - base_;
  return {base_,
          keys_.data() + at_,
          offset >= 65536 ? last_key : static_cast<std::uint32_t>(offset) << 16,
          port_,
          weight_,
          weight_of()};
}

bool TrainGroup::fits(Tick delay, std::uint32_t port, Tick slab,
                      const std::vector<std::uint16_t>& targets) const {
  if (delay != delay_ || port != port_ || slab != slab_) return false;
  return std::none_of(targets.begin(), targets.end(),
                      [&](std::uint16_t t) { return t != 0xFFFF && t < used_.size() && used_[t]; });
}

void TrainGroup::add(Source source, std::vector<std::uint16_t> targets, const std::vector<double>& weights) {
  bool contiguous = source.size() == source_unit;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    contiguous = contiguous && targets[i] != 0xFFFF && targets[i] == targets[0] + i;
    if (targets[i] == 0xFFFF) continue;
    if (targets[i] >= used_.size()) used_.resize(targets[i] + 1u, false);
    used_[targets[i]] = true;
    weigh(targets[i], weights[i]);
  }
  inputs_.push_back({std::move(source), std::move(targets), 0});
  inputs_.back().base = contiguous ? inputs_.back().targets[0] : 0xFFFFFFFFu;
}

void TrainGroup::finish() {
  all_weighed();
  std::vector<bool>().swap(used_);
}

Tick TrainGroup::next(Tick horizon) {
  while (keys_[at_] == last_key) {
    Tick soonest = never;
    for (const auto& in : inputs_) {
      soonest = std::min(soonest, in.source.next(from_));
      if (soonest <= from_) break;
    }
    if (soonest == never) return never;
    from_ = std::max(from_, soonest / slab_ * slab_);
    if (from_ + delay_ >= horizon) return never;
    refill();
  }
  return base_ + (keys_[at_] >> 16);
}

void TrainGroup::refill() {
  // Radix sort by offset, two passes of 8 bits.  The first goes straight into buckets of a fixed size, which
  // times that are uniform overflow about never (then it starts again with larger ones); the second has its
  // counts from the first. The order of equal ticks is immaterial: each target has one source here, and equal
  // keys are equal.
  std::uint32_t total = 0;
  for (;;) {
    if (const std::size_t room = std::size_t{512} * bucket_size_; buckets_->size() < room)
      buckets_->resize(room);
    std::uint32_t* const buckets = buckets_->data();
    std::uint32_t at[256], high[256] = {};  // where the next key of each bucket goes; keys per upper byte
    for (std::uint32_t b = 0; b < 256; ++b) at[b] = b * bucket_size_;
    total = 0;
    bool fits = true;
    for (auto& in : inputs_) {
      const auto events = in.source.events(from_, slab_);
      total += static_cast<std::uint32_t>(events.size());
      fits = 256 * bucket_size_ + total <=
             buckets_->size();  // memory holds even if all had gone to the last bucket
      if (!fits) break;
      const auto put = [&](std::uint32_t key) __attribute__((always_inline)) {
        buckets[at[(key >> 16) & 255]++] = key;
        ++high[key >> 24];
      };
      if (in.base != 0xFFFFFFFFu) {
        for (const std::uint32_t key : events) put(key + in.base);
      } else {
        for (const std::uint32_t key : events)
          if (in.targets[key & 0xFFFF] != 0xFFFF) put((key & 0xFFFF0000u) | in.targets[key & 0xFFFF]);
      }
    }
    std::uint32_t most = 0;
    for (std::uint32_t b = 0; b < 256; ++b) most = std::max(most, at[b] - b * bucket_size_);
    if (!fits || most > bucket_size_) {  // a bucket ran into the next one
      bucket_size_ =
          (std::max(most, bucket_size_) * 3 / 2 + 16) | 1;  // odd: buckets do not share the same cache sets
      continue;
    }
    total = 0;
    for (auto& h : high) total += std::exchange(h, total);
    if (keys_.size() < total + 1) keys_.resize(total + total / 8 + 64);
    std::uint32_t* const keys = keys_.data();
    for (std::uint32_t b = 0; b < 256; ++b)
      for (const std::uint32_t *k = buckets + b * bucket_size_, *end = buckets + at[b]; k != end; ++k)
        keys[high[*k >> 24]++] = *k;
    break;
  }
  keys_[total] = last_key;
  drawn_ = total;
  at_ = 0;
  base_ = from_ + delay_;
  from_ += slab_;
}

void TrainGroup::resume(Tick at) {
  from_ = std::max<Tick>(0, at - delay_) / slab_ * slab_;
  refill();
  while (keys_[at_] != last_key && base_ + (keys_[at_] >> 16) < at) ++at_;
}

}  // namespace spinet
