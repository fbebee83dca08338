#include "core/block/controls.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace spinet {
namespace {

/// Number `i` along concatenated ranges.
Gid gid_at(const std::vector<GidRange>& ranges, std::uint32_t i) {
  std::size_t r = 0;
  while (i >= ranges[r].count) i -= ranges[r++].count;
  return ranges[r].first + i;
}

/// Is it addressed to one of the store's projections?
bool is_addressed(const ScheduledControl& s, const Store& store) {
  return std::any_of(store.projections.begin(), store.projections.end(), [&](std::uint32_t p) {
    return std::find(s.projections.begin(), s.projections.end(), p) != s.projections.end();
  });
}

}  // namespace

Controls::Controls(const Network& network, Members& members, SliceViews& slices, Watched& watched,
                   Heart& heart)
    : network_(network),
      members_(members),
      slices_(slices),
      synapses_(slices.synapses()),
      watched_(watched),
      heart_(heart) {
  const auto& stores = synapses_.stores();
  const auto hears = [](const Store& x) { return x.table->on_control != nullptr; };
  if (std::none_of(stores.begin(), stores.end(), hears)) return;
  for (Gid gid = 0; gid < network_.gid_count(); ++gid)
    for (std::uint32_t i = synapses_.slices_begin(gid); i < synapses_.slices_end(gid); ++i)
      if (const auto k = synapses_.slice(i).store; hears(stores[k]))
        controlled_.push_back({i, k, gid, stores[k].table, 0});
  for (std::uint32_t k = 0; k < stores.size(); ++k)
    if (stores[k].table->draws && hears(stores[k])) drawing_.push_back(k);
  number_replicas();
  for (std::size_t i = controlled_.size(); i-- > 0;) {
    const bool same = i + 1 < controlled_.size() && controlled_[i].table == controlled_[i + 1].table;
    controlled_[i].behind = same ? controlled_[i + 1].behind : i + 1;
  }
  prepare_reads();
}

void Controls::number_replicas() {
  const auto replica_of = [&](const Controlled& c) {
    return synapses_.stores()[c.store].projections[0] % network_.replica_count();
  };
  std::stable_sort(controlled_.begin(), controlled_.end(),
                   [&](const Controlled& a, const Controlled& b) { return replica_of(a) < replica_of(b); });
  for (std::uint32_t r = 0; r <= network_.replica_count(); ++r) {
    const auto first = std::partition_point(controlled_.begin(), controlled_.end(),
                                            [&](const Controlled& c) { return replica_of(c) < r; });
    of_replica_.push_back(static_cast<std::size_t>(first - controlled_.begin()));
  }
}

/// Where most neurons have synapses whose rules read them at control events and then only, each variable is
/// read once for all.
void Controls::prepare_reads() {
  const auto reads_here = [&](std::uint32_t k) {
    return synapses_.stores()[k].table->reads_at_control && !slices_.reads(k).empty();
  };
  std::uint64_t readers = 0;
  for (const Controlled& one : controlled_)
    if (reads_here(one.store)) readers += synapses_.slice(one.slice).count;
  if (readers == 0 || readers < members_.size() || !members_.table().read_all) return;
  values_.resize(members_.table().model.variables.count);
  values_of_store_.resize(synapses_.stores().size());
  for (std::uint32_t k = 0; k < values_of_store_.size(); ++k) {
    if (!reads_here(k)) continue;
    for (const auto v : slices_.reads(k)) {
      if (v < values_.size()) values_[v].resize(members_.size());
      values_of_store_[k].push_back(v < values_.size() ? values_[v].data() : nullptr);
    }
    slices_.set_values(k, values_of_store_[k].data());
  }
}

void Controls::read_targets(Tick tick) {
  if (values_at_ == tick) return;
  values_at_ = tick;
  for (std::uint32_t v = 0; v < values_.size(); ++v)
    if (!values_[v].empty()) members_.table().read_all(&members_.block, tick, v, values_[v].data());
}

/// Counts a control event at the projections whose synapses it is addressed to, all or some of them.
void Controls::count(const Action& a) {
  const ScheduledControl& s = *a.control;
  for (const auto k : drawing_) {
    Store& store = synapses_.stores()[k];
    const std::uint32_t p =
        store.projections[0];  // synapses that draw share their store with no other projection
    if (a.replica >= 0 && p % network_.replica_count() != static_cast<std::uint32_t>(a.replica)) continue;
    if (!s.projections.empty() && !is_addressed(s, store)) continue;
    if (s.projections.empty() && !s.who.empty()) continue;
    if (store.controlled_at != a.tick) store.controls = 0;
    store.controlled_at = a.tick;
    ++store.controls;
  }
}

void Controls::hand_over(const Action& a) {
  if (controlled_.empty()) return;
  const ScheduledControl& s = *a.control;
  if (!drawing_.empty()) count(a);
  if (!s.synapses.empty()) return hand_over_named(s, a.tick);
  const bool everyone = s.who.empty() && s.projections.empty();
  if (!everyone && s.projections.empty()) return;
  const auto is_mine = [&](const Controlled& c) {
    return everyone || is_addressed(s, synapses_.stores()[c.store]);
  };
  if (!values_of_store_.empty()) read_targets(a.tick);
  std::size_t i = 0, end = controlled_.size();
  if (a.replica >= 0) {
    i = of_replica_[static_cast<std::size_t>(a.replica)];
    end = of_replica_[static_cast<std::size_t>(a.replica) + 1];
  }
  while (i < end) {  // those that follow each other with the same model in one call
    if (!is_mine(controlled_[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i, behind = std::min({end, controlled_[i].behind, i + slices_.at_once()});
    if (everyone) i = behind;
    else
      while (i < behind && is_mine(controlled_[i])) ++i;
    hand_over_some(begin, i, a.tick, s.control);
  }
}

/// To `controlled_[begin .. end)`, which have one model.
void Controls::hand_over_some(std::size_t begin, std::size_t end, Tick tick, const Control& control) {
  const SynapseTable& table = *controlled_[begin].table;
  const auto n = static_cast<std::uint32_t>(end - begin);
  for (std::uint32_t k = 0; k < n; ++k) {
    const Controlled& c = controlled_[begin + k];
    Slice& slice = slices_.at(c.slice, c.source, tick, 0);
    if (table.draws) slices_.key_control(c.slice, slice);
    shown_[k] = &slice;
  }
  heart_.synapse(table.model.name);
  table.on_control(shown_, n, &control);
  heart_.synapse(nullptr);
  if (watched_.any_changes())
    for (std::size_t k = begin; k < end; ++k) watched_.controlled(controlled_[k].slice, tick, control);
}

/// To single synapses, each as a slice of one.
void Controls::hand_over_named(const ScheduledControl& s, Tick tick) {
  const Projection& p = network_.projections[s.projections[0]];
  const std::uint32_t k = synapses_.store_of(s.projections[0]);
  for (const auto& a : s.synapses) {
    const Gid target = gid_at(p.targets, a.target), source = gid_at(p.sources, a.source);
    const std::uint32_t j = members_.index_of(target);
    if (j == members_.size() || members_.gids()[j] != target) continue;
    for (std::uint32_t i = synapses_.slices_begin(source); i < synapses_.slices_end(source); ++i) {
      if (synapses_.slice(i).store != k) continue;
      hand_over_of_slice(i, j, slices_.at(i, source, tick, 0), s.control);
      if (watched_.any_changes()) watched_.controlled(i, tick, s.control);
    }
  }
}

/// To the synapses of a slice that end at neuron `target`.
void Controls::hand_over_of_slice(std::uint32_t s, std::uint32_t target, Slice one, const Control& control) {
  const SynapseTable& table = *synapses_.stores()[synapses_.slice(s).store].table;
  const std::uint32_t all = std::exchange(one.count, 1);
  one.values = nullptr;  // they have not been read for this tick
  if (table.draws) slices_.key_control(s, one);
  for (std::uint32_t n = 0; n < all; ++n) {
    if (*one.targets == target) {
      heart_.synapse(table.model.name);
      table.on_control_of(one, control);
      heart_.synapse(nullptr);
    }
    ++one.targets;
    one.state = static_cast<std::byte*>(one.state) + table.state_size;
    if (one.copies) ++one.copies;
  }
}

Store* Controls::store_of(const ScheduledControl& s) {
  const std::uint32_t k = synapses_.store_of(s.projections[0]);
  return k == synapses_.stores().size() ? nullptr : &synapses_.stores()[k];
}

void Controls::set(const Action& a) {
  const ScheduledControl& s = *a.control;
  Store* const store = store_of(s);  // of this projection alone
  if (!store) return;
  const SynapseTable& table = *store->table;
  put(store->params.data(), table.model.params.data[s.control.field], s.control.value[0]);
  if (!a.complete) return;
  Buffer<std::byte> next(table.shared_size);
  if (table.prepare) table.prepare(next.data(), store->params.data(), &members_.block.run);
  const auto is_mine = [&](std::uint32_t i) {
    return &synapses_.stores()[synapses_.slice(i).store] == store;
  };
  for (std::uint32_t i = 0; i < synapses_.slice_count(); ++i) {
    if (!is_mine(i)) continue;
    Slice slice = slices_.at(i, a.tick, 0);
    slice.values = nullptr;
    if (table.catch_up) table.catch_up(&slice);
    if (table.set) table.set(&slice, store->params.data(), next.data());
  }
  std::memcpy(store->shared.data(), next.data(), table.shared_size);
  for (std::uint32_t i = 0; i < synapses_.slice_count() && watched_.any_changes(); ++i)
    if (is_mine(i)) watched_.changed(i, a.tick);
}

void Controls::restore_set(const ScheduledControl& s) {
  Store* const store = store_of(s);
  if (!store) return;
  put(store->params.data(), store->table->model.params.data[s.control.field], s.control.value[0]);
  if (store->table->prepare)
    store->table->prepare(store->shared.data(), store->params.data(), &members_.block.run);
}

}  // namespace spinet
