#include "core/block/delivery.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/finite.hpp"

namespace spinet {

Delivery::Delivery(const Parts& parts) : to_(parts), synapses_(parts.slices.synapses()), targets_(at_once) {
  for (const Store& store : synapses_.stores()) {
    const SynapseTable& table = *store.table;
    Way way{};
    way.targets = store.targets.data();
    way.gain = store.sign;
    way.port = store.port;
    way.sign = store.weight_sign;
    if (store.uniform) way.weight = store.weight;
    else if (table.on_pre) way.table = &table;
    else if (store.shared_weights) way.weights = store.shared_weights, way.which = store.which.data();
    else way.weights = reinterpret_cast<const float*>(store.state.data());
    // A store without synapses here may be of other neurons' ports.
    way.evaluates = store.port < to_.table.port_count && to_.table.ports[store.port].evaluates != 0;
    way.looks = way.table && table.read_count != 0 && !table.reads_at_control;
    const auto alike = [&](const Way& w) {
      return w.table == way.table && w.port == way.port && w.sign == way.sign && !w.weights == !way.weights &&
             !w.which == !way.which;
    };
    const auto first = std::find_if(ways_.begin(), ways_.end(), alike);
    way.kind = static_cast<std::uint32_t>(first - ways_.begin());
    ways_.push_back(way);
  }
  const std::size_t most = std::max<std::size_t>(synapses_.longest_slice() + 1, at_once);
  to_.requests.room(limit::requests_per_arrival * most);
  weights_.resize(most);
  find_neighbours();
}

void Delivery::find_neighbours() {
  if (std::none_of(ways_.begin(), ways_.end(), [](const Way& w) { return w.evaluates; })) return;
  for (std::uint32_t s = 0; s < synapses_.slice_count(); ++s) {
    const SliceEntry& e = synapses_.slice(s);
    const std::span targets(ways_[e.store].targets + e.begin, e.count);
    const auto apart = [](std::uint16_t a, std::uint16_t b) { return b != a + 1; };
    const bool all = std::adjacent_find(targets.begin(), targets.end(), apart) == targets.end();
    neighbours_.push_back(all);
  }
}

namespace {

/// Copies the targets of a short slice: most have very few, and a call would cost more than these.
void copy_targets(const std::uint16_t* from, std::uint32_t count, std::uint16_t* to) {
  if (count < 4) {
    to[0] = from[0];
    for (std::uint32_t i = 1; i < count; ++i) to[i] = from[i];
    return;
  }
  std::uint32_t i = 0;
  for (; i + 4 <= count; i += 4) std::memcpy(to + i, from + i, 4 * sizeof *to);
  std::memcpy(to + count - 4, from + count - 4, 4 * sizeof *to);
}

}  // namespace

void Delivery::deliver(std::span<const Hit> hits, Tick tick) {
  const Hit *h = hits.data(), *const end = h + hits.size();
  while (h != end) {
    const SliceEntry& e = synapses_.slice(h->slice);
    const Way& way = ways_[e.store];
    if (way.table) {
      h = make(h, end, tick);
    } else if (goes_by_itself(e, way, end - h)) {
      finish(tick);
      if (way.which) {
        deliver_shared(*h++, tick);
        continue;
      }
      const float* const weights = way.weights ? way.weights + e.begin : nullptr;
      receive_from(*h++, {tick, e.count, way.port, nullptr, weights, nullptr, way.weight, 1});
    } else if (way.which) {
      h = gather(h, end, tick, [](const Way& w, const SliceEntry& of, double scale, std::uint32_t i) {
        return static_cast<double>(w.weights[w.which[of.begin + i]]) * scale;
      });
    } else if (way.weights) {
      h = gather(h, end, tick, [](const Way& w, const SliceEntry& of, double scale, std::uint32_t i) {
        return static_cast<double>(w.weights[of.begin + i]) * scale;
      });
    } else {
      h = gather(h, end, tick, [](const Way& w, const SliceEntry&, double scale, std::uint32_t) {
        return w.weight * scale;
      });
    }
  }
}

/// A slice by itself whose synapses share weights.
void Delivery::deliver_shared(const Hit& hit, Tick tick) {
  const SliceEntry& e = synapses_.slice(hit.slice);
  const Way& way = ways_[e.store];
  const float* const shared = way.weights;
  const std::uint32_t* const which = way.which + e.begin;
  double* const weights = weights_.data();
#pragma GCC unroll 4
  for (std::uint32_t i = 0; i < e.count; ++i) weights[i] = static_cast<double>(shared[which[i]]);
  receive_from(hit, {tick, e.count, way.port, nullptr, nullptr, weights_.data(), 0, 1});
}

/// Gathers what arrives at the slices of `first` and of those that follow, as long as they are of one kind
/// and may be gathered.  `weight(way, slice, scale, i)` is that of synapse `i` times `scale`.  Returns the
/// first hit that is left.  In networks of some dozens of neurons most of the work is here and in `show`:
/// nothing is looked up for a synapse, and little for a hit.
template <class Weight>
const Hit* Delivery::gather(const Hit* const first, const Hit* const end, Tick tick, Weight&& weight) {
  std::uint32_t store = synapses_.slice(first->slice).store;
  const Way* way = &ways_[store];
  const std::uint32_t kind = way->kind;
  if (port_ != way->port) finish(tick);
  port_ = way->port;
  double* const weights = weights_.data();
  std::uint16_t* const targets = targets_.data();
  std::uint32_t n = gathered_;
  const Hit* h = first;
  for (; h != end; ++h) {
    const SliceEntry& e = synapses_.slice(h->slice);
    if (e.store != store) {
      way = &ways_[store = e.store];
      if (way->kind != kind || way->gain == 0) break;
    }
    const std::uint32_t count = e.count;
    const double scale = scale_of(*h, *way);
    if (count == 1 && n < at_once) {  // most often: no loop
      targets[n] = way->targets[e.begin];
      weights[n++] = weight(*way, e, scale, 0);
      continue;
    }
    if (count > short_slice) break;
    if (n + count > at_once) {
      gathered_ = std::exchange(n, 0);
      hand_over(tick);
    }
    copy_targets(way->targets + e.begin, count, targets + n);
    for (std::uint32_t i = 0; i < count; ++i) weights[n + i] = weight(*way, e, scale, i);
    if (way->evaluates) evaluate(h->slice, count, n);
    n += count;
  }
  gathered_ = n;
  return h;
}

/// `first`, and those that follow and are of its kind, each at another slice: their model makes the weights
/// in one call. Returns the first hit that is left.
const Hit* Delivery::make(const Hit* const first, const Hit* const end, Tick tick) {
  const SliceEntry& e = synapses_.slice(first->slice);
  const Way& way = ways_[e.store];
  if (goes_by_itself(e, way, end - first)) {
    finish(tick);
    show(0, *first, *way.table, tick);
    ask(first, {1, e.count, false}, weights_.data(), tick);
    receive_from(*first, {tick, e.count, way.port, nullptr, nullptr, weights_.data(), 0, 1});
    return first + 1;
  }
  if (gathered_ != 0 && (way.looks || port_ != way.port || gathered_ + e.count > at_once)) hand_over(tick);
  port_ = way.port;
  double* w = weights_.data() + gathered_;  // where they stay
  const Shown n = show(first, end, tick);
  ask(first, n, w, tick);
  gathered_ += n.synapses;
  if (n.scaled)
    for (const Hit& hit : std::span(first, n.slices)) {
      const double scale = scale_of(hit, way_of(hit));
      for (const double* const behind = w + synapses_.slice(hit.slice).count; w != behind; ++w) *w *= scale;
    }
  return first + n.slices;
}

/// Puts the slices of one call of a model into `shown_`, and their targets behind those that are gathered.
Delivery::Shown Delivery::show(const Hit* const first, const Hit* const end, Tick tick) {
  std::uint32_t store = synapses_.slice(first->slice).store;
  const Way* way = &ways_[store];
  const SynapseTable& table = *way->table;
  const std::uint32_t kind = way->kind, room = at_once - gathered_;
  const std::uint32_t most = way->looks ? 1 : to_.slices.at_once();
  std::uint16_t* const targets = targets_.data() + gathered_;
  Shown n{0, 0, false};
  for (const Hit* h = first; n.slices != most && h != end; ++h) {
    const SliceEntry& e = synapses_.slice(h->slice);
    if (h != first) {
      if (e.store != store) {
        way = &ways_[store = e.store];
        if (way->kind != kind || way->gain == 0) break;
      }
      if (h->slice <= h[-1].slice || e.count > short_slice || n.synapses + e.count > room) break;
    }
    show(n.slices++, *h, table, tick);
    copy_targets(way->targets + e.begin, e.count, targets + n.synapses);
    if (way->evaluates) evaluate(h->slice, e.count, gathered_ + n.synapses);
    n.synapses += e.count;
    n.scaled |= scale_of(*h, *way) != 1;
  }
  return n;
}

/// The model of the slices that are shown makes their weights.
void Delivery::ask(const Hit* const first, const Shown& n, double* made, Tick tick) {
  const Way& way = way_of(*first);
  to_.heart.synapse(way.table->model.name);
  way.table->on_pre(shown_, n.slices, made);
  to_.heart.synapse(nullptr);
  if (!all_allowed(made, n.synapses, way.sign)) [[unlikely]]
    refuse(first, n.slices, made, tick);
  if (to_.watched.any_changes())
    for (const Hit& hit : std::span(first, n.slices)) to_.watched.changed(hit.slice, tick);
}

/// One of the slices has handed out weights that it may not.
void Delivery::refuse(const Hit* first, std::uint32_t slices, const double* weights, Tick tick) const {
  for (const Hit& hit : std::span(first, slices)) {
    const std::uint32_t count = synapses_.slice(hit.slice).count;
    if (!all_allowed(weights, count, way_of(hit).sign)) to_.faults.weights(hit.slice, {weights, count}, tick);
    weights += count;
  }
}

void Delivery::hand_over(Tick tick) {
  arrivals += gathered_;
  if (to_.table.ports[port_].evaluates) evaluate_up_to(gathered_);
  evaluated_ = 0;
  receive({tick, std::exchange(gathered_, 0), port_, targets_.data(), nullptr, weights_.data(), 0, 1});
}

/// All synapses of the slice of `hit`, straight from where their weights lie.
void Delivery::receive_from(const Hit& hit, Arrivals a) {
  const SliceEntry& e = synapses_.slice(hit.slice);
  const Way& way = ways_[e.store];
  arrivals += e.count;
  if (way.gain == 0) return;
  a.targets = way.targets + e.begin;
  a.scale = scale_of(hit, way);
  if (way.evaluates) {
    if (neighbours_[hit.slice]) to_.requests.evaluations.add_range(*a.targets, a.count);
    else to_.requests.evaluations.add(std::span(a.targets, a.count));
  }
  receive(a);
}

void Delivery::receive(const Arrivals& a) {
  to_.table.receive(&to_.block, &a);
  if (to_.requests.any()) to_.requests.take(a.tick, limit::requests_per_arrival * a.count, Ask::test);
}

}  // namespace spinet
