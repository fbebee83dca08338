// Blocks and checkpoints: what of a block's state is saved between two windows, and how another takes it
// over.  Neurons are named by gid, events by tick and source: no block and no rank is in it.
#include <algorithm>
#include <tuple>

#include "core/block/block.hpp"
#include "network/lookup.hpp"

namespace spinet {

void Block::check_numbers(Tick at) const {
  // A sleeping block is still in the frame in which it fell asleep.
  const NeuronBlock& b = members_.block;
  const Tick now = b.frame_length ? std::min(at - 1, b.frame_begin + b.frame_length - 1) : at - 1;
  if (!members_.intact()) faults_.model(now, "has written outside its memory");
  for (std::uint32_t v = 0; v < table_.model.variables.count; ++v)
    for (std::uint32_t j = 0; j < b.size; ++j) faults_.number(table_.read(&b, now, j, v), j, v, now);
  for (std::uint32_t k = 0; k < synapses_->stores().size(); ++k) {
    const Store& store = synapses_->stores()[k];
    if (store.stateless()) continue;
    for (std::uint32_t v = 0; v < store.table->model.variables.count; ++v) {
      const Field& f = store.table->model.variables.data[v];
      if (f.offset == no_place || f.part != 0) continue;
      double sum = 0;  // of nothing but zeros, if all are finite
      for (std::uint64_t i = 0; i < store.targets.size(); ++i) sum += 0 * get(store.state_of(i), f);
      if (sum == 0) continue;
      for (std::uint32_t s = 0; s < synapses_->slice_count(); ++s)
        for (std::uint32_t i = 0; i < synapses_->slice(s).count && synapses_->slice(s).store == k; ++i)
          faults_.number(get(store.state_of(synapses_->slice(s).begin + i), f), {s, i, v}, now);
    }
  }
}

void Block::settle(Tick at) {
  if (asleep_) {
    wake_up(at - 1);
    due_at_ = std::min(due_at_, at);
  }
  histories_.settle(at - 1, *slices_);
}

std::vector<Emission> Block::save_arrivals(Tick at) const {
  std::vector<PendingEvent> pending;
  arrivals_->pending(at, pending);
  const auto key = [](const PendingEvent& p) { return std::tuple(p.event.tick, p.event.gid, p.slice); };
  std::stable_sort(pending.begin(), pending.end(),
                   [&](const PendingEvent& a, const PendingEvent& b) { return key(a) < key(b); });
  // All events of a neuron and tick are on their way to each of its slices, or have arrived there: one slice
  // tells of all.
  std::vector<Emission> all;
  std::uint32_t slice = 0;
  for (const auto& p : pending) {
    if (all.empty() || all.back().tick != p.event.tick || all.back().gid != p.event.gid) slice = p.slice;
    if (p.slice == slice) all.push_back(p.event);
  }
  return all;
}

std::vector<Block::Asked> Block::save_requests() const {
  std::vector<Asked> all;
  for (const auto& e : requests_.waiting())
    all.push_back({e.tick, static_cast<std::uint32_t>(e.phase), gids()[e.neuron]});
  return all;
}

void Block::restore_begin(Tick at, std::span<const ScheduledControl> schedule) {
  std::vector<Action> last;  // what models keep per block, and parameters for later changes
  for (const auto& s : schedule) {
    if (s.tick >= at || s.kind == ScheduledControl::Kind::stimulus) continue;
    const auto whom = follows(network_, s) ? ScheduledControl::Whom::followers : ScheduledControl::Whom::all;
    last.push_back({s.last_before(at, whom), Ordered{&s}});
  }
  std::stable_sort(last.begin(), last.end(),
                   [](const Action& a, const Action& b) { return a.tick < b.tick; });
  mark_complete(last);
  NeuronBlock& b = members_.block;
  for (const auto& a : last) {
    const Ordered& o = *a.ordered();
    if (o.entry->sets() && !o.entry->to.names_neurons()) {
      controls_->restore_set(*o.entry, a.tick);
      continue;
    }
    if (b.frame_length) b.frame_begin = a.tick / b.frame_length * b.frame_length;
    if (!o.entry->sets()) {
      obey(o, a.tick);
      continue;
    }
    // The states are still those of the begin, on which nothing has acted: whatever they ask for, or cannot
    // bear, does not count.
    addressed_.clear();
    members_.addressed(o.entry->to, addressed_);
    members_.set(o, a.tick, addressed_);
    b.out->size = b.out->posting_count = 0;
  }
  requests_.window(window_);
  arrivals_->clear();
  due_at_ = 0;
  histories_.restart(at);
  asleep_ = false;
  if (b.frame_length) b.frame_begin = (at - 1) / b.frame_length * b.frame_length;
}

void Block::restore_end(Tick at) {
  histories_.restored(at);
  input_->resume(at);
}

// State, constants, and whether it is exact where it might not be.
std::size_t Block::bytes_of_neuron(const NeuronTable& table) {
  return table.state_size + table.constants_size + (table.take_slab ? 1 : 0);
}

void Block::save_neuron(std::uint32_t j, std::byte* to) const {
  members_.save(j, to);
  if (table_.take_slab) to[bytes_of_neuron(table_) - 1] = std::byte{!members_.block.is_virtual(j)};
}

void Block::restore_neuron(std::uint32_t j, const std::byte* from) {
  members_.restore(j, from);
  if (table_.take_slab && from[bytes_of_neuron(table_) - 1] == std::byte{0}) input_->restore_virtual(j);
}

void Block::restore_asked(const Asked& a) {
  requests_.ask(a.tick, static_cast<Ask>(a.phase), members_.index_of(a.gid));
}

}  // namespace spinet
