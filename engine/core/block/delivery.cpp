#include "core/block/delivery.hpp"

#include <algorithm>
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
    else way.weights = reinterpret_cast<const float*>(store.state.data());
    way.looks = way.table && table.read_count != 0 && !table.reads_at_control;
    const auto alike = [&](const Way& w) {
      return w.table == way.table && w.port == way.port && w.sign == way.sign && !w.weights == !way.weights;
    };
    const auto first = std::find_if(ways_.begin(), ways_.end(), alike);
    way.kind = static_cast<std::uint32_t>(first - ways_.begin());
    ways_.push_back(way);
  }
  const std::size_t most = std::max<std::size_t>(synapses_.longest_slice() + 1, at_once);
  to_.requests.room(limit::requests_per_arrival * most);
  weights_.resize(most);
  narrow_.resize(most);
}

void Delivery::deliver(std::span<const Hit> hits, Tick tick) {
  const Hit *h = hits.data(), *const end = h + hits.size();
  while (h != end) {
    const SliceEntry& e = synapses_.slice(h->slice);
    const Way& way = ways_[e.store];
    if (way.table) {
      h = make(h, end, tick);
    } else if (goes_by_itself(e, end - h)) {
      finish(tick);
      const float* const weights = way.weights ? way.weights + e.begin : nullptr;
      receive_from(*h++, {tick, e.count, way.port, nullptr, weights, nullptr, way.weight, 1});
    } else if (way.weights) {
      h = gather(h, end, tick, [](const Way& w, const SliceEntry& of, double scale, double* to) {
        const float* const from = w.weights + of.begin;
        to[0] = static_cast<double>(from[0]) * scale;
        for (std::uint32_t i = 1; i < of.count; ++i) to[i] = static_cast<double>(from[i]) * scale;
      });
    } else {
      h = gather(h, end, tick, [](const Way& w, const SliceEntry& of, double scale, double* to) {
        const double all = w.weight * scale;
        to[0] = all;
        for (std::uint32_t i = 1; i < of.count; ++i) to[i] = all;
      });
    }
  }
}

/// Gathers what arrives at the slices of `first` and of those that follow, as long as they are short and of
/// one kind. `put(way, slice, scale, to)` writes the weights of a slice, each times `scale`.  Returns the
/// first hit that is left. In networks of some dozens of neurons most of the work is here: nothing is looked
/// up for a synapse, and little for a hit.
template <class Put>
const Hit* Delivery::gather(const Hit* const first, const Hit* const end, Tick tick, Put&& put) {
  std::uint32_t store = synapses_.slice(first->slice).store;
  const Way* way = &ways_[store];
  const std::uint32_t kind = way->kind;
  if (port_ != way->port) finish(tick);
  port_ = way->port;
  double* const weights = weights_.data();
  std::uint16_t* const targets = targets_.data();
  std::uint32_t n = gathered_, all = 0;
  const Hit* h = first;
  for (; h != end; ++h) {
    const SliceEntry& e = synapses_.slice(h->slice);
    if (e.store != store) {
      way = &ways_[store = e.store];
      if (way->kind != kind) break;
    }
    const std::uint32_t count = e.count;
    if (count > short_slice) break;
    if (n + count > at_once) {
      gathered_ = std::exchange(n, 0);
      hand_over(tick);
    }
    const std::uint16_t* const from = way->targets + e.begin;
    targets[n] = from[0];  // often the only one: no loop
    for (std::uint32_t i = 1; i < count; ++i) targets[n + i] = from[i];
    put(*way, e, scale_of(*h, *way), weights + n);
    if (way->gain != 0) n += count;
    all += count;
  }
  gathered_ = n;
  arrivals += all;
  return h;
}

/// `first`, and those that follow and are of its kind, each at another slice: their model makes the weights
/// in one call. Returns the first hit that is left.
const Hit* Delivery::make(const Hit* const first, const Hit* const end, Tick tick) {
  const SliceEntry& e = synapses_.slice(first->slice);
  const Way& way = ways_[e.store];
  const bool by_itself = goes_by_itself(e, end - first);
  const bool fits = port_ == way.port && gathered_ + e.count <= at_once;
  if (gathered_ != 0 && (way.looks || by_itself || !fits)) hand_over(tick);
  const auto [slices, synapses] = show(first, end, tick);
  double* const made = weights_.data() + gathered_;  // where they stay, if they are gathered
  to_.heart.synapse(way.table->model.name);
  if (way.table->weight_kind == 1) {
    way.table->on_pre(shown_, slices, narrow_.data());
    std::copy_n(narrow_.data(), synapses, made);
  } else {
    way.table->on_pre(shown_, slices, made);
  }
  to_.heart.synapse(nullptr);
  if (!all_allowed(made, synapses, way.sign)) [[unlikely]]
    refuse(first, slices, made, tick);
  if (to_.watched.any_changes())
    for (const Hit& hit : std::span(first, slices)) to_.watched.changed(hit.slice, tick);
  if (!by_itself) {
    gather(first, first + slices, tick,
           [from = made](const Way&, const SliceEntry& of, double scale, double* to) mutable {
             const double* const weights = std::exchange(from, from + of.count);
             if (weights == to && scale == 1) return;  // most often
             for (std::uint32_t i = 0; i < of.count; ++i) to[i] = weights[i] * scale;
           });
  } else {
    receive_from(*first, {tick, e.count, way.port, nullptr, nullptr, made, 0, 1});
  }
  return first + slices;
}

/// Puts the slices of one call of a model into `shown_`.
Delivery::Shown Delivery::show(const Hit* const first, const Hit* const end, Tick tick) {
  const Way& way = way_of(*first);
  const std::uint32_t count = synapses_.slice(first->slice).count, room = at_once - gathered_;
  const std::uint32_t most = count <= short_slice && !way.looks ? to_.slices.at_once() : 1;
  Shown n{0, 0};
  for (const Hit* h = first; n.slices != most && h != end; ++h) {
    const SliceEntry& e = synapses_.slice(h->slice);
    if (h != first) {
      if (ways_[e.store].kind != way.kind || h->slice <= h[-1].slice) break;
      if (e.count > short_slice || n.synapses + e.count > room) break;
    }
    Slice& s = to_.slices.at(h->slice, tick, h->payload);
    if (way.table->draws) to_.slices.key_arrival(h->slice, s);
    shown_[n.slices++] = &s;
    n.synapses += e.count;
  }
  return n;
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
  receive(a);
}

void Delivery::receive(const Arrivals& a) {
  to_.table.receive(&to_.block, &a);
  if (to_.requests.any()) to_.requests.take(a.tick, limit::requests_per_arrival * a.count, Ask::test);
  if (to_.table.ports[a.port].evaluates) to_.requests.evaluations.add(std::span(a.targets, a.count));
}

}  // namespace spinet
