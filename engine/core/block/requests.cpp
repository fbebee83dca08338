#include "core/block/requests.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace spinet {

Requests::Requests(NeuronBlock& block, const NeuronTable& table, std::span<const Gid> gids,
                   const Faults& faults, std::vector<Posted>& posted)
    : evaluations(block.size), block_(block), table_(table), gids_(gids), faults_(faults), posted_(posted) {
  block_.out = &outbox_;
  room(limit::requests_per_neuron * gids.size() + limit::requests_per_train);
  if (table.environment && !gids.empty()) outbox_.posting_capacity = limit::postings;
  postings_.resize(outbox_.posting_capacity + 1);
  outbox_.postings = postings_.data();
}

void Requests::room(std::size_t n) {
  if (requests_.size() > n) return;
  requests_.resize(n + 1);  // one for what exceeds the room
  outbox_.data = requests_.data();
  outbox_.capacity = static_cast<std::uint32_t>(n);
}

void Requests::window(Tick length) {
  calendar_ = Calendar(length);
  soon_.clear();
}

void Requests::take(Tick now, std::size_t most, Ask first) {
  const Request* const asked = outbox_.data;
  const std::uint32_t n = std::exchange(outbox_.size, 0);
  if (n > most)
    faults_.model(now, "asks for " + std::to_string(n) + " things in one call, where " +
                           std::to_string(most) + " are allowed");
  const bool emits = now >= from_;  // not in the past of a block that slept
  const auto may_emit = [&](const Request& r) {
    return emits && r.tick == now && r.neuron < block_.size &&
           (table_.graded ? std::isfinite(r.payload) : r.payload == 1);
  };
  Emission* emitted = emits ? out_->room(n) : nullptr;
  std::uint32_t i = 0;
  if (!histories_)  // most often, evaluated neurons that all emit
    for (const Gid* const gids = gids_.data(); i < n && asked[i].ask == Ask::emit && may_emit(asked[i]); ++i)
      *emitted++ = {asked[i].tick, asked[i].payload, gids[asked[i].neuron]};
  for (; i < n; ++i) {
    const Request& r = asked[i];
    if (r.ask == Ask::emit) {
      if (!may_emit(r)) faults_.request(r, now, from_);
      *emitted++ = {r.tick, r.payload, gids_[r.neuron]};
      if (histories_) histories_->add(r.neuron, r.tick);
    } else {
      if (r.tick < now || (r.tick == now && r.ask < first) || r.neuron >= block_.size || r.ask > Ask::emit)
        faults_.request(r, now, from_);
      tests += r.ask == Ask::test;
      if (r.tick != present_ || r.ask == Ask::wake) calendar_.push({r.tick, r.ask, r.neuron});
      else if (r.ask == Ask::evaluate) evaluations.add(std::span(&r.neuron, 1));
      else soon_.push_back(r.neuron);
    }
  }
  if (emits) out_->filled(emitted);
  if (outbox_.posting_count) take_postings(now);
}

void Requests::take_postings(Tick now) {
  const std::uint32_t n = std::exchange(outbox_.posting_count, 0);
  if (n > outbox_.posting_capacity) faults_.postings(n, now);
  for (std::uint32_t i = 0; i < n; ++i) {
    const Posting& p = outbox_.postings[i];
    faults_.posting(p, now);
    std::uint32_t number = 0;
    for (const auto& other : posted_) number += other.tick == p.tick;
    posted_.push_back({p.tick, gids_[0], number, p.control, p.to});
  }
}

Tick Requests::next_in_date() {
  Tick next = calendar_.next();
  for (; next != never && calendar_.front().phase == Ask::test; next = calendar_.next()) {
    if (!table_.out_of_date(&block_, next, calendar_.front().neuron)) break;
    calendar_.pop();
  }
  return next;
}

std::span<const std::uint32_t> Requests::due(Ask phase, Tick now) {
  due_.clear();
  while (calendar_.next() == now && calendar_.front().phase == phase) {
    const std::uint32_t j = calendar_.front().neuron;
    if (due_.empty() || due_.back() != j) due_.push_back(j);  // several may have asked for the same
    calendar_.pop();
  }
  if (phase == Ask::test && !soon_.empty()) {
    due_.insert(due_.end(), soon_.begin(), soon_.end());
    soon_.clear();
    if (!std::is_sorted(due_.begin(), due_.end())) std::sort(due_.begin(), due_.end());
    due_.erase(std::unique(due_.begin(), due_.end()), due_.end());
  }
  if (phase == Ask::evaluate && !evaluations.empty()) {
    evaluations.add(std::span<const std::uint32_t>(due_));
    return evaluations.take();
  }
  return due_;
}

std::vector<Calendar::Entry> Requests::waiting() const {
  auto all = calendar_.entries();
  // Which of the tests that are out of date have been dropped already depends on what else lies in the block.
  std::erase_if(all, [&](const Calendar::Entry& e) {
    return e.phase == Ask::test && table_.out_of_date && table_.out_of_date(&block_, e.tick, e.neuron);
  });
  std::sort(all.begin(), all.end(), [](const Calendar::Entry& a, const Calendar::Entry& b) { return b > a; });
  const auto same = [](const Calendar::Entry& a, const Calendar::Entry& b) { return !(a > b) && !(b > a); };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

}  // namespace spinet
