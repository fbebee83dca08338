#include "core/input/drawn_input.hpp"

namespace spinet {

void DrawnInput::take_before(Tick until) {
  SortedTrain* first = nullptr;
  Tick soonest = until, second = until;
  const auto look_at = [&](SortedTrain& t, Tick tick) {
    if (tick < soonest) second = soonest, soonest = tick, first = &t;
    else second = std::min(second, tick);
  };
  for (auto& t : trains_) look_at(t, t.next(until));
  if (unordered_) look_at(*unordered_, unordered_->next_left());
  if (first) take(*first, std::max(second, soonest + 1), soonest);
}

void DrawnInput::take_at(Tick now) {
  for (auto& t : trains_)
    while (t.next(now + 1) == now) take(t, now + 1, now);
  if (unordered_)
    while (unordered_->next_left() == now) take(*unordered_, now + 1, now);
}

/// Arrivals of `t` before `until`, the first of which is at `soonest`.
void DrawnInput::take(SortedTrain& t, Tick until, Tick soonest) {
  const bool evaluates = table_.ports[t.port()].evaluates;  // then tick by tick
  const Train train = t.train(evaluates ? soonest + 1 : until);
  const std::uint32_t n = table_.receive_train(&block_, &train);
  if (n == 0 || n > t.left() || train.keys[n - 1] >= train.limit)
    faults_.model(soonest, "says that it has taken " + std::to_string(n) + " arrivals of a train");
  t.taken(n);
  if (!unordered_ || &t != &*unordered_) in_order_ += n;  // that counts its own
  if (requests_.any())
    requests_.take(train.base + (train.keys[n - 1] >> 16), limit::requests_per_train, Ask::test);
  if (!evaluates) return;
  for (std::uint32_t i = 0; i < n; ++i) requests_.ask(soonest, Ask::evaluate, train.keys[i] & 0xFFFFu);
}

}  // namespace spinet
