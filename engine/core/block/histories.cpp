#include "core/block/histories.hpp"

#include "core/block/slices.hpp"

namespace spinet {

void Histories::make(const BlockSynapses& synapses, std::uint32_t neurons, const Network& net) {
  for (const Store& store : synapses.stores()) {
    of_store_.push_back(0xFFFFFFFFu);
    if (store.post_tau < 0 || store.targets.size() == 0) continue;
    const double post = store.post_tau * net.ticks_per_ms(), pre = store.pre_tau * net.ticks_per_ms();
    std::uint32_t h = 0;
    while (h < all_.size() && !(all_[h].post_tau() == post && all_[h].pre_tau() == pre)) ++h;
    // Trimmed often enough that histories stay short, seldom enough to cost nothing.
    if (h == all_.size()) all_.emplace_back(neurons, post, pre, static_cast<Tick>(1000 * net.ticks_per_ms()));
    of_store_.back() = h;
  }
  for (std::uint32_t s = 0; s < synapses.slice_count(); ++s)
    if (of(synapses.slice(s).store))
      longest_delay_ = std::max<Tick>(longest_delay_, net.delay_resolution * synapses.delay_steps(s));
}

void Histories::trim(Tick tick, SliceViews& slices, Heart& heart) {
  for (auto& h : all_)
    if (h.due() == tick) h.rebase(tick - 1);  // what is seen here is seen relative to the turn that ends
  BlockSynapses& synapses = slices.synapses();
  for (std::uint32_t i = 0; i < synapses.slice_count(); ++i) {
    const PostHistories* const h = of(synapses.slice(i).store);
    if (!h || h->due() != tick) continue;
    const SynapseTable& table = *synapses.stores()[synapses.slice(i).store].table;
    const Slice slice = slices.at(i, tick, 0);
    heart.synapse(table.model.name);
    table.catch_up(&slice);
    heart.synapse(nullptr);
    heart.beat();
  }
  trim_at_ = never;
  for (auto& h : all_) {
    if (h.due() == tick) h.trimmed(tick, longest_delay_);
    trim_at_ = std::min(trim_at_, h.due());
  }
}

void Histories::settle(Tick tick, SliceViews& slices) {
  if (all_.empty()) return;
  rebase(tick);
  BlockSynapses& synapses = slices.synapses();
  for (std::uint32_t i = 0; i < synapses.slice_count(); ++i) {
    if (!of(synapses.slice(i).store)) continue;
    const Slice slice = slices.at(i, tick, 0);
    synapses.stores()[synapses.slice(i).store].table->catch_up(&slice);
  }
}

std::vector<PastSpike> Histories::save(double tau, std::span<const Gid> gids) const {
  std::vector<PastSpike> all;
  for (std::uint32_t j = 0; j < gids.size(); ++j) {
    const PostHistory* longest = nullptr;  // of those with this trace, the one that was trimmed longest ago
    for (const auto& h : all_)
      if (h.post_tau() == tau && (!longest || h.heads()[j].count > longest->count)) longest = &h.heads()[j];
    for (std::uint32_t k = 0; longest && k < longest->count; ++k)
      all.push_back({(*longest)[k].tick, (*longest)[k].trace, gids[j], 0});
  }
  return all;
}

void Histories::restart(Tick at) {
  for (auto& h : all_) h.restart(at);
  trim_at_ = never;
}

void Histories::restore(double tau, std::uint32_t j, const PastSpike& p) {
  for (auto& h : all_)
    if (h.post_tau() == tau) h.append(j, p.tick, p.trace);
}

void Histories::restored(Tick at) {
  for (auto& h : all_) {
    h.restarted(at);
    trim_at_ = std::min(trim_at_, h.due());
  }
}

std::uint64_t Histories::bytes() const {
  std::uint64_t n = 0;
  for (const auto& h : all_) n += h.bytes();
  return n;
}

}  // namespace spinet
