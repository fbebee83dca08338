#include "core/block/controls.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "network/lookup.hpp"

namespace spinet {

Controls::Controls(const Network& network, Members& members, SliceViews& slices, Watched& watched,
                   Heart& heart)
    : network_(network),
      members_(members),
      slices_(slices),
      synapses_(slices.synapses()),
      watched_(watched),
      heart_(heart) {
  const auto& stores = synapses_.stores();
  store_of_projection_.assign(network_.projections.size(), static_cast<std::uint32_t>(stores.size()));
  for (std::uint32_t k = 0; k < stores.size(); ++k)
    for (const auto p : stores[k].projections) store_of_projection_[p] = k;
  of_store_.resize(stores.size());
  by_target_.resize(stores.size());
  const auto hears = [](const Store& x) { return x.table->on_control != nullptr; };
  if (std::none_of(stores.begin(), stores.end(), hears)) return;
  for (Gid gid = 0; gid < network_.gid_count(); ++gid)
    for (std::uint32_t i = synapses_.slices_begin(gid); i < synapses_.slices_end(gid); ++i)
      if (const auto k = synapses_.slice(i).store; hears(stores[k]))
        controlled_.push_back({i, k, gid, stores[k].table, 0});
  for (std::uint32_t k = 0; k < stores.size(); ++k)
    if (stores[k].table->draws && hears(stores[k])) drawing_.push_back(k);
  number_replicas();
  for (const Controlled& c : controlled_) of_store_[c.store].push_back(c);
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

/// Counts a stimulus at the projections that it is addressed to, all of their synapses or some.
void Controls::count(const ScheduledControl& s, Tick tick) {
  for (const auto k : drawing_) {
    Store& store = synapses_.stores()[k];
    const std::uint32_t p =
        store.projections[0];  // synapses that draw share their store with no other projection
    const auto replica = static_cast<std::uint32_t>(s.to.replica);
    if (s.to.replica >= 0 && p % network_.replica_count() != replica) continue;
    if (!s.to.everyone() && !s.to.names(p)) continue;
    if (store.controlled_at != tick) store.controls = 0;
    store.controlled_at = tick;
    ++store.controls;
  }
}

void Controls::hand_over(const ScheduledControl& s, Tick tick) {
  if (controlled_.empty()) return;
  if (!drawing_.empty()) count(s, tick);
  Sent sent{tick, *s.stimulus, s.control_at(tick)};
  if (s.to.everyone()) return to_everyone(sent, s.to.replica);
  for (const Place& place : s.to.places) to_place(sent, place);
}

/// Does a model answer it?  Then the control has the model's number.
bool Controls::answered(const SynapseTable& table, Sent& sent) const {
  sent.control.stimulus = stimulus_of(table.model, sent.stimulus);
  return table.on_control && sent.control.stimulus < table.model.stimulus_count;
}

void Controls::to_everyone(Sent& sent, std::int32_t replica) {
  if (!values_of_store_.empty()) read_targets(sent.tick);
  std::size_t i = 0, end = controlled_.size();
  if (replica >= 0) {
    i = of_replica_[static_cast<std::size_t>(replica)];
    end = of_replica_[static_cast<std::size_t>(replica) + 1];
  }
  while (i < end) {  // those that follow each other with the same model
    const std::size_t behind = std::min(end, controlled_[i].behind);
    if (answered(*controlled_[i].table, sent)) to_some(std::span(controlled_).subspan(i, behind - i), sent);
    i = behind;
  }
}

void Controls::to_place(Sent& sent, const Place& place) {
  const std::uint32_t* const p = projection_of(place);
  if (!p) return;  // neurons
  const std::uint32_t k = store_of(*p);
  if (k == synapses_.stores().size() || !answered(*synapses_.stores()[k].table, sent)) return;
  const Projection& projection = network_.projections[*p];
  if (std::holds_alternative<WholeProjection>(place)) return to_projection(sent, k);
  if (const auto* row = std::get_if<Row>(&place))
    return to_row(sent, k, gid_at(projection.sources, row->source));
  if (const auto* column = std::get_if<Column>(&place))
    return to_column(sent, k, gid_at(projection.targets, column->target));
  if (const auto* points = std::get_if<CrossPoints>(&place)) return to_cross_points(sent, k, *points);
  to_pairs(sent, std::get<Pairs>(place));
}

void Controls::to_projection(Sent& sent, std::uint32_t store) {
  if (!values_of_store_.empty()) read_targets(sent.tick);
  to_some(of_store_[store], sent);
}

void Controls::to_row(Sent& sent, std::uint32_t store, Gid source) {
  if (!values_of_store_.empty()) read_targets(sent.tick);
  const SynapseTable* const table = synapses_.stores()[store].table;
  for (std::uint32_t i = synapses_.slices_begin(source); i < synapses_.slices_end(source); ++i) {
    if (synapses_.slice(i).store != store) continue;
    const Controlled one{i, store, source, table, 0};
    to_some(std::span(&one, 1), sent);
  }
}

void Controls::to_column(Sent& sent, std::uint32_t store, Gid target) {
  const std::uint32_t j = members_.index_of(target);
  if (j == members_.size() || members_.gids()[j] != target) return;
  const ByTarget& index = by_target(store);
  const auto begin = index.first[j], end = index.first[j + 1];
  to_spots(store, std::span(index.spots).subspan(begin, end - begin), sent);
}

void Controls::to_pairs(Sent& sent, const Pairs& pairs) {
  const Projection& p = network_.projections[pairs.projection];
  const std::uint32_t k = store_of(pairs.projection);
  const std::uint16_t* const targets = synapses_.stores()[k].targets.data();
  spots_.clear();
  for (const auto& a : pairs.synapses) {
    const Gid target = gid_at(p.targets, a.target), source = gid_at(p.sources, a.source);
    const std::uint32_t j = members_.index_of(target);
    if (j == members_.size() || members_.gids()[j] != target) continue;
    for (std::uint32_t i = synapses_.slices_begin(source); i < synapses_.slices_end(source); ++i) {
      const SliceEntry& slice = synapses_.slice(i);
      if (slice.store != k) continue;
      const std::uint16_t *const begin = targets + slice.begin, *const end = begin + slice.count;
      for (const std::uint16_t* t = begin; (t = std::find(t, end, static_cast<std::uint16_t>(j))) != end; ++t)
        spots_.push_back({i, static_cast<std::uint32_t>(t - begin)});
    }
  }
  to_spots(k, spots_, sent);
}

/// To slices of one model.
void Controls::to_some(std::span<const Controlled> some, const Sent& sent) {
  for (; !some.empty();) {
    const SynapseTable& table = *some[0].table;
    const std::size_t n = std::min<std::size_t>(some.size(), slices_.at_once());
    for (std::size_t k = 0; k < n; ++k) {
      Slice& slice = slices_.at(some[k].slice, some[k].source, sent.tick, 0);
      if (table.draws) slices_.key_control(some[k].slice, slice);
      shown_[k] = &slice;
    }
    heart_.synapse(table.model.name);
    table.on_control(shown_, static_cast<std::uint32_t>(n), &sent.control);
    heart_.synapse(nullptr);
    if (watched_.any_changes())
      for (std::size_t k = 0; k < n; ++k)
        watched_.controlled({some[k].slice, 0, shown_[k]->count}, sent.tick, sent.stimulus);
    some = some.subspan(n);
  }
}

void Controls::to_spots(std::uint32_t store, std::span<const Spot> spots, const Sent& sent) {
  pieces_.clear();
  for (const auto [s, i] : spots) pieces_.push_back({s, i, 1});
  to_pieces(store, pieces_, sent);
}

/// To some synapses of a store, those that follow each other as a slice.
void Controls::to_pieces(std::uint32_t store, std::span<const Piece> pieces, const Sent& sent) {
  const SynapseTable& table = *synapses_.stores()[store].table;
  parts_.resize(std::min<std::size_t>(pieces.size(), SliceViews::most_at_once));
  for (; !pieces.empty();) {
    const std::size_t n = std::min(pieces.size(), parts_.size());
    for (std::size_t k = 0; k < n; ++k) {
      const auto [s, first, count] = pieces[k];
      Slice& part = parts_[k] = slices_.at(s, sent.tick, 0);
      if (table.draws) slices_.key_control(s, part);
      part.count = count;
      part.values = nullptr;  // they have not been read for this tick
      part.targets += first;
      part.state = static_cast<std::byte*>(part.state) + std::size_t{first} * table.state_size;
      __builtin_prefetch(part.state, 1);  // in a column each lies elsewhere
      if (part.copies) part.copies += first;
      shown_[k] = &part;
    }
    heart_.synapse(table.model.name);
    table.on_control(shown_, static_cast<std::uint32_t>(n), &sent.control);
    heart_.synapse(nullptr);
    if (watched_.any_changes())
      for (std::size_t k = 0; k < n; ++k) watched_.controlled(pieces[k], sent.tick, sent.stimulus);
    pieces = pieces.subspan(n);
  }
}

const Controls::ByTarget& Controls::by_target(std::uint32_t store) {
  ByTarget& index = by_target_[store];
  if (!index.first.empty()) return index;
  const std::uint16_t* const targets = synapses_.stores()[store].targets.data();
  index.first.assign(members_.size() + std::size_t{1}, 0);
  std::uint64_t all = 0;
  for (const Controlled& c : of_store_[store]) {
    const SliceEntry& slice = synapses_.slice(c.slice);
    for (std::uint32_t i = 0; i < slice.count; ++i) ++index.first[targets[slice.begin + i] + std::size_t{1}];
    all += slice.count;
  }
  std::partial_sum(index.first.begin(), index.first.end(), index.first.begin());
  index.spots.resize(all);
  std::vector<std::uint32_t> next(index.first.begin(), index.first.end() - 1);
  for (const Controlled& c : of_store_[store]) {
    const SliceEntry& slice = synapses_.slice(c.slice);
    for (std::uint32_t i = 0; i < slice.count; ++i)
      index.spots[next[targets[slice.begin + i]]++] = {c.slice, i};
  }
  return index;
}

Store* Controls::set_store(const ScheduledControl& s) {
  const std::uint32_t k = store_of(*projection_of(s.to.places[0]));
  return k == synapses_.stores().size() ? nullptr : &synapses_.stores()[k];
}

void Controls::set(const Ordered& o, Tick tick) {
  const ScheduledControl& s = *o.entry;
  Store* const store = set_store(s);  // of this projection alone
  if (!store) return;
  const SynapseTable& table = *store->table;
  put(store->next_params.data(), table.model.params.data[s.field], s.value_at(tick));
  if (!o.complete) return;
  Buffer<std::byte> next(table.shared_size);
  if (table.prepare) table.prepare(next.data(), store->next_params.data(), &members_.block.run);
  const auto is_mine = [&](std::uint32_t i) {
    return &synapses_.stores()[synapses_.slice(i).store] == store;
  };
  for (std::uint32_t i = 0; i < synapses_.slice_count(); ++i) {
    if (!is_mine(i)) continue;
    Slice slice = slices_.at(i, tick, 0);
    slice.values = nullptr;
    if (table.catch_up) table.catch_up(&slice);
    if (table.set) table.set(&slice, store->next_params.data(), next.data());
  }
  std::memcpy(store->shared.data(), next.data(), table.shared_size);
  store->params = store->next_params;
  for (std::uint32_t i = 0; i < synapses_.slice_count() && watched_.any_changes(); ++i)
    if (is_mine(i)) watched_.changed(i, tick);
}

void Controls::restore_set(const ScheduledControl& s, Tick tick) {
  Store* const store = set_store(s);
  if (!store) return;
  put(store->params.data(), store->table->model.params.data[s.field], s.value_at(tick));
  store->next_params = store->params;
  if (store->table->prepare)
    store->table->prepare(store->shared.data(), store->params.data(), &members_.block.run);
}

}  // namespace spinet
