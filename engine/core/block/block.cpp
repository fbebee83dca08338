#include "core/block/block.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <ranges>
#include <set>
#include <tuple>
#include <utility>

#include "core/draws.hpp"
#include "core/failure.hpp"
#include "core/finite.hpp"
#include "network/lookup.hpp"

namespace spinet {
namespace {

std::size_t aligned(std::size_t n) { return std::max<std::size_t>(n, 64); }

/// The neuron's gid as random numbers count it.
Gid drawn_as(const Network& net, Gid gid) {
  if (net.replica_count() == 1) return gid;
  const std::uint32_t p = population_of(net, gid);
  return net.population_identity(p).first + (gid - net.populations[p].first);
}

/// The key of event `k` of a tick at a slice whose first event has `first`: each draws anew.  No tick is -1.
RandomKey key_of_event(RandomKey first, std::uint32_t k) {
  if (k == 0) return first;
  const auto w = draw(first, k, ~std::uint64_t{0});
  return {w[0], w[1]};
}

/// Number `i` along concatenated ranges.
Gid gid_at(const std::vector<GidRange>& ranges, std::uint32_t i) {
  std::size_t r = 0;
  while (i >= ranges[r].count) i -= ranges[r++].count;
  return ranges[r].first + i;
}

}  // namespace

Block::Block(const Network& net, const KernelGroup& group, std::vector<Gid> gids, Heart& heart)
    : network_(net),
      table_(*group.table),
      heart_(heart),
      population_name_(gids.empty() ? "" : net.populations[population_of(net, gids[0])].name.c_str()),
      gids_(std::move(gids)),
      state_(aligned(gids_.size() * table_.state_size)),
      constants_(aligned(gids_.size() * table_.constants_size)),
      common_(aligned(table_.common_size)) {
  c_.state = state_.data();
  c_.constants = constants_.data();
  c_.common = common_.data();
  c_.shared = group.shared.data();
  c_.out = &outbox_;
  c_.size = static_cast<std::uint32_t>(gids_.size());
  c_.frame_length = group.frame_length;
  c_.run = RunInfo{net.ticks_per_ms()};
  room(limit::requests_per_neuron * gids_.size() + limit::requests_per_train);
  evaluations_ = Evaluations(c_.size);
  if (table_.environment && !gids_.empty()) {
    const Population& p = net.populations[population_of(net, gids_[0])];
    c_.table = p.patterns.data();
    c_.table_inputs = p.pattern_inputs;
    c_.table_targets = p.pattern_targets;
    const std::size_t columns = std::size_t{p.pattern_inputs} + p.pattern_targets;
    c_.table_rows = columns ? static_cast<std::uint32_t>(p.patterns.size() / columns) : 0;
    outbox_.posting_capacity = limit::postings;
  }
  postings_.resize(outbox_.posting_capacity + 1);
  outbox_.postings = postings_.data();

  bool scheduled_changes = false;
  for (const auto& s : net.schedule) scheduled_changes |= s.control.kind == Control::Kind::set_parameter;

  // Parameters and initial values: one draw per neuron and field, keyed by gid.
  const auto& fields = table_.model.params;
  std::vector<std::byte> params(table_.params_size);
  std::vector<double> values;
  std::uint32_t present = 0xFFFFFFFFu;
  std::vector<Sampler> param_samplers, initial_samplers;
  keys_.resize(c_.size);
  if (net.replica_count() > 1) drawn_as_ = gids_, replicas_.resize(c_.size);
  c_.gids = drawn_as_.empty() ? gids_.data() : drawn_as_.data();
  c_.random = keys_.data();
  Network::Identity who{};
  const AtWork at_work(*this);
  for (std::uint32_t j = 0; j < c_.size; ++j) {
    heart_.beat();
    const std::uint32_t population = present != 0xFFFFFFFFu && gids_[j] - net.populations[present].first < net.populations[present].size
                                         ? present : population_of(net, gids_[j]);
    const Population& p = net.populations[population];
    if (population != present) {
      present = population;
      who = net.population_identity(population);
      param_samplers.clear();
      initial_samplers.clear();
      for (const auto& d : p.params) param_samplers.emplace_back(d);
      for (const auto& d : p.initial) initial_samplers.emplace_back(d);
      values.assign(std::max<std::size_t>(1, p.initial.size()), 0);
    }
    keys_[j] = stream_key(who.seed, Purpose::neuron, 0);
    if (!replicas_.empty()) {
      drawn_as_[j] = who.first + (gids_[j] - p.first);
      replicas_[j] = population % net.replica_count();
    }
    const auto value = [&](const Distribution& d, const Sampler& s, Purpose purpose, std::uint32_t field) {
      if (d.kind == Distribution::Kind::listed) return d.values[gids_[j] - p.first];
      if (s.constant()) return s(0.5);
      const auto w = draw(stream_key(who, purpose), c_.gids[j], field);
      return s(uniform01(w[0], w[1]));
    };
    for (std::uint32_t f = 0; f < fields.count; ++f) {
      const double x = value(p.params[f], param_samplers[f], Purpose::parameter, f);
      put(params.data(), fields.data[f], x);
    }
    for (std::uint32_t v = 0; v < p.initial.size(); ++v) values[v] = value(p.initial[v], initial_samplers[v], Purpose::initial, v);
    table_.init(&c_, j, params.data(), values.data());
    if (outbox_.size > most_for(j + 1)) fail(j, 0, "asks for more than there is room for, in `init`");
    if (scheduled_changes) params_.push_back(params);
  }
  if (!replicas_.empty() && replicas_.front() == replicas_.back() && std::is_sorted(replicas_.begin(), replicas_.end())) replica_ = replicas_.front();
  for (const auto& report : net.reports) {
    const Population& p = net.populations[report.population];
    auto& js = sampled.emplace_back();
    for (auto [j, end] = members(p); j < end; ++j)
      if (std::binary_search(report.ids.begin(), report.ids.end(), gids_[j] - p.first)) js.push_back(j);
  }
}

void Block::room(std::size_t n) {
  if (requests_.size() > n) return;
  requests_.resize(n + 1);  // one for what exceeds the room
  outbox_.data = requests_.data();
  outbox_.capacity = static_cast<std::uint32_t>(n);
}

void Block::connect(std::unique_ptr<BlockSynapses> synapses, std::vector<TrainGroup> trains, Tick window, bool graded, std::uint32_t small_slices) {
  synapses_ = std::move(synapses);
  trains_ = std::move(trains);
  window_ = window;
  agenda_ = Calendar(window);
  std::uint32_t most_steps = 0;
  for (std::uint32_t s = 0; s < synapses_->slice_count(); ++s) most_steps = std::max(most_steps, synapses_->delay_steps(s));
  small_ = synapses_->slice_count() <= small_slices;
  const Ring ring(window, network_.delay_resolution, most_steps, network_.duration);
  if (small_) packets_ = Packets(ring);
  else slots_ = Slots(ring, graded);
  for (std::uint32_t f = 0; f < network_.family_count(); ++f) {
    const GidRange all = network_.family(f);
    const std::uint32_t begin = all.count ? synapses_->slices_begin(all.first) : 0, end = all.count ? synapses_->slices_end(all.first + all.count - 1) : 0;
    Heard& heard = heard_.emplace_back();
    heard.any = begin != end;
    heard.steps = begin != end ? synapses_->delay_steps(begin) : 0;
    for (std::uint32_t s = begin; s < end && heard.steps; ++s)
      if (synapses_->delay_steps(s) != heard.steps) heard.steps = 0;
  }
  const std::size_t most = std::max<std::size_t>(synapses_->longest_slice() + 1, at_once);
  room(limit::requests_per_arrival * most);
  weights_.resize(most);

  if (std::any_of(synapses_->stores().begin(), synapses_->stores().end(), [](const Store& x) { return x.table->on_control != nullptr; }))
    for (Gid gid = 0; gid < network_.gid_count(); ++gid)
      for (std::uint32_t i = synapses_->slices_begin(gid); i < synapses_->slices_end(gid); ++i)
        if (const auto k = synapses_->slice(i).store; synapses_->stores()[k].table->on_control) controlled_.push_back({i, k, gid, synapses_->stores()[k].table, 0});
  for (std::uint32_t k = 0; k < synapses_->stores().size(); ++k) {
    const SynapseTable& t = *synapses_->stores()[k].table;
    if (t.draws && t.on_control) drawing_.push_back(k);
    if (t.draws) occasions_.resize(small_ ? synapses_->slice_count() : 1);
  }
  const auto replica_of = [&](const Controlled& c) { return synapses_->stores()[c.store].projections[0] % network_.replica_count(); };
  std::stable_sort(controlled_.begin(), controlled_.end(), [&](const Controlled& a, const Controlled& b) { return replica_of(a) < replica_of(b); });
  for (std::uint32_t r = 0; r <= network_.replica_count(); ++r)
    controlled_begin_.push_back(static_cast<std::size_t>(std::partition_point(controlled_.begin(), controlled_.end(), [&](const Controlled& c) { return replica_of(c) < r; }) - controlled_.begin()));
  for (Store& store : synapses_->stores()) {
    if (store.targets.size() > 0) store.weight_sign = table_.ports[store.port].sign * static_cast<int>(store.sign);
    auto& reads = reads_of_store_.emplace_back();
    for (std::uint32_t k = 0; k < store.table->read_count; ++k) {
      const Fields& variables = table_.model.variables;
      std::uint32_t v = 0;
      while (v < variables.count && std::strcmp(variables.data[v].name, store.table->reads[k])) ++v;
      reads.push_back(v);  // of a store without synapses here it may be none
    }
    history_of_store_.push_back(0xFFFFFFFFu);
    if (store.post_tau < 0 || store.targets.size() == 0) continue;
    const double post = store.post_tau * network_.ticks_per_ms(), pre = store.pre_tau * network_.ticks_per_ms();
    std::uint32_t h = 0;
    while (h < histories_.size() && !(histories_[h].post_tau() == post && histories_[h].pre_tau() == pre)) ++h;
    // Swept often enough that histories stay short, seldom enough to cost nothing.
    if (h == histories_.size()) histories_.emplace_back(c_.size, post, pre, static_cast<Tick>(1000 * network_.ticks_per_ms()));
    history_of_store_.back() = h;
  }
  for (std::uint32_t s = 0; s < synapses_->slice_count(); ++s)
    if (history_of_store_[synapses_->slice(s).store] < histories_.size()) plastic_delay_ = std::max<Tick>(plastic_delay_, network_.delay_resolution * synapses_->delay_steps(s));
  arrivals_only_ = c_.frame_length == 0 && trains_.empty() && histories_.empty();
  if (small_) {
    prepare_small();
    prepare_reads();
  }
}

/// What a small block keeps of each slice, so that an arrival asks nothing else.
void Block::prepare_small() {
  together_.resize(at_once);
  for (std::uint32_t i = 0; i < synapses_->slice_count(); ++i) {
    prepared_.push_back(view(i, synapses_->source_of(i), 0, 1));
    if (!occasions_.empty()) keys_of_slices_.push_back(prepared_.back().random);
    const SliceEntry& e = synapses_->slice(i);
    const Store& store = synapses_->stores()[e.store];
    const bool switched = std::any_of(store.projections.begin(), store.projections.end(), [&](std::uint32_t p) { return is_switched(network_.schedule, p); });
    const bool reads = store.table->read_count != 0 && !store.table->reads_at_control;  // and so must see what came before
    Short& slice = short_.emplace_back();
    slice.targets = store.targets.data() + e.begin;
    slice.weight = store.sign * store.weight;
    if (!store.uniform && store.table->weight_kind == 0) slice.weights = reinterpret_cast<const float*>(store.state_of(e.begin));
    slice.table = store.table;
    slice.count = e.count;
    slice.port = store.port;
    slice.sign = store.weight_sign;
    const bool turned = store.sign != 1 && !store.uniform;  // magnitudes: `deliver` gives them their sign
    if (e.count > few || switched || turned || reads) slice.way = Short::alone;
    else if (store.uniform) slice.way = Short::uniform;
    else slice.way = store.table->weight_kind == 0 ? Short::single : store.table->weight_kind == 1 ? Short::on_pre32 : Short::on_pre64;
    slice.contiguous = e.count <= 64;
    for (std::uint32_t k = 1; k < e.count; ++k) slice.contiguous = slice.contiguous && slice.targets[k] == slice.targets[0] + k;
  }
  for (std::uint32_t f = 0; f < network_.family_count(); ++f) {
    const GidRange all = network_.family(f);
    if (!heard_[f].any) continue;
    const std::uint32_t begin = synapses_->slices_begin(all.first);
    bool& alike = heard_[f].alike;
    alike = synapses_->slices_end(all.first + all.count - 1) == begin + all.count;
    for (std::uint32_t i = 0; i < all.count && alike; ++i) alike = synapses_->slices_begin(all.first + i) == begin + i && short_[begin].alike(short_[begin + i], i);
  }
  for (std::size_t i = controlled_.size(); i-- > 0;)
    controlled_[i].behind = i + 1 < controlled_.size() && controlled_[i].table == controlled_[i + 1].table ? controlled_[i + 1].behind : i + 1;
  for (const Controlled& one : controlled_) controlled_here_.push_back(&prepared_[one.slice]);
}

/// Where most neurons have synapses whose rules read them at control events, each variable is read once for all.
void Block::prepare_reads() {
  std::uint64_t readers = 0;
  for (const Controlled& one : controlled_)
    if (!reads_of_store_[one.store].empty()) readers += synapses_->slice(one.slice).count;
  if (readers == 0 || readers < c_.size || !table_.read_all) return;
  reads_together_ = true;
  values_.resize(table_.model.variables.count);
  for (const auto& reads : reads_of_store_)
    for (const auto v : reads)
      if (v < values_.size()) values_[v].resize(c_.size);
  for (const auto& reads : reads_of_store_) {
    auto& values = values_of_store_.emplace_back();
    for (const auto v : reads) values.push_back(v < values_.size() ? values_[v].data() : nullptr);
  }
  for (std::size_t i = 0; i < controlled_.size(); ++i)
    if (controlled_[i].table->reads_at_control) controlled_here_[i]->values = values_of_store_[controlled_[i].store].data();
}

void Block::read_targets(Tick tick) {
  if (values_at_ == tick) return;
  values_at_ = tick;
  for (std::uint32_t v = 0; v < values_.size(); ++v)
    if (!values_[v].empty()) table_.read_all(&c_, tick, v, values_[v].data());
}

void Block::watch(std::uint32_t w, std::vector<std::uint32_t> positions) {
  if (watched_.size() <= w) watched_.resize(w + 1);
  watched_[w] = std::move(positions);
}

std::uint64_t Block::history_bytes() const {
  std::uint64_t n = 0;
  for (const auto& h : histories_) n += h.bytes();
  return n;
}

/// Has the synapses take in the histories, so that these can be forgotten.
void Block::sweep(Tick tick) {
  for (auto& h : histories_)
    if (h.due() == tick) h.rebase(tick - 1);  // what is seen here is seen relative to the turn that ends
  for (std::uint32_t i = 0; i < synapses_->slice_count(); ++i)
    if (const auto k = synapses_->slice(i).store; history_of_store_[k] < histories_.size() && histories_[history_of_store_[k]].due() == tick) {
      const Slice slice = view(i, tick, 0);
      const SynapseTable& table = *synapses_->stores()[k].table;
      in_synapse(table, [&] { table.catch_up(&slice); });
      heart_.beat();
    }
  sweep_at_ = never;
  for (auto& h : histories_) {
    if (h.due() == tick) h.swept(tick, plastic_delay_);
    sweep_at_ = std::min(sweep_at_, h.due());
  }
}

/// The weights of recording `w` as events arriving at `tick` would meet them.
void Block::sample_weights(std::uint32_t w, Tick tick, std::vector<float>& to) {
  if (w >= watched_.size() || watched_[w].empty()) return;
  const WeightRecording& recording = network_.weights[w];
  const std::uint32_t k = synapses_->store_of(recording.projection);
  const Store& store = synapses_->stores()[k];
  if (store.uniform) {
    to.insert(to.end(), watched_[w].size(), static_cast<float>(store.weight));
    return;
  }
  std::vector<float> values(store.targets.size());
  for (std::uint32_t s = 0; s < synapses_->slice_count(); ++s) {
    if (synapses_->slice(s).store != k) continue;
    const Slice slice = view(s, tick, 0);
    for (std::uint32_t i = 0; i < slice.count; ++i)
      values[synapses_->slice(s).begin + i] = static_cast<float>(number(store.table->read(&slice, i, recording.variable), s, i, recording.variable, tick));
  }
  for (const auto position : watched_[w]) to.push_back(values[position]);
}

void Block::start() {
  const AtWork at_work(*this);
  out_ = nullptr;
  from_ = never;  // nothing is emitted before the run
  drain(0, most_for(c_.size));  // what `init` has asked for
  if (!c_.frame_length || !table_.renormalise) return;
  asleep_ = table_.renormalise(&c_, 0) != 0;
  drain(0, most_for(c_.size));
}

void Block::drain(Tick now, std::size_t most, Ask first, bool here) {
  const Request* const asked = outbox_.data;
  const std::uint32_t n = std::exchange(outbox_.size, 0);
  if (n > most) fail_model(now, "asks for " + std::to_string(n) + " things in one call, where " + std::to_string(most) + " are allowed");
  const bool emits = now >= from_;  // not in the past of a block that slept
  const auto may_emit = [&](const Request& r) {
    return emits && r.tick == now && r.neuron < c_.size && (table_.graded ? std::isfinite(r.payload) : r.payload == 1);
  };
  Emission* emitted = emits ? out_->room(n) : nullptr;
  std::uint32_t i = 0;
  if (histories_.empty())  // most often, evaluated neurons that all emit
    for (const Gid* const gids = gids_.data(); i < n && asked[i].ask == Ask::emit && may_emit(asked[i]); ++i)
      *emitted++ = {asked[i].tick, asked[i].payload, gids[asked[i].neuron]};
  for (; i < n; ++i) {
    const Request& r = asked[i];
    if (r.ask == Ask::emit) {
      if (!may_emit(r)) refuse(r, now);
      *emitted++ = {r.tick, r.payload, gids_[r.neuron]};
      for (auto& h : histories_) {
        h.rebase(r.tick);
        h.add(r.neuron, r.tick);
        sweep_at_ = std::min(sweep_at_, h.due());
      }
    } else {
      if (r.tick < now || (r.tick == now && r.ask < first) || r.neuron >= c_.size || r.ask > Ask::emit) refuse(r, now);
      tests += r.ask == Ask::test;
      if (r.tick != now || !here) agenda_.push({r.tick, r.ask, r.neuron});
      else if (r.ask == Ask::evaluate) evaluations_.add(std::span(&r.neuron, 1));
      else soon_.push_back(r.neuron);
    }
  }
  if (emits) out_->filled(emitted);
  if (outbox_.posting_count) take_postings(now);
}

void Block::wake_up(Tick tick) {
  if (!c_.frame_length) return;
  const Tick begin = tick / c_.frame_length * c_.frame_length;
  if (begin == c_.frame_begin) {
    asleep_ = false;
    return;
  }
  const auto frames = static_cast<std::uint64_t>((begin - c_.frame_begin) / c_.frame_length);
  c_.frame_begin = begin;
  asleep_ = false;
  if (table_.renormalise) table_.renormalise(&c_, frames);
  drain(begin, most_for(c_.size));
}

void Block::next_frame(Tick begin) {
  c_.frame_begin = begin;
  if (table_.renormalise) asleep_ = table_.renormalise(&c_, 1) != 0;
  drain(begin, most_for(c_.size));
}

Slice Block::view(std::uint32_t s, Gid source, Tick tick, double payload) {
  const SliceEntry& e = synapses_->slice(s);
  Store& store = synapses_->stores()[e.store];
  Slice slice{};
  slice.tick = tick;
  slice.delay = network_.delay_resolution * synapses_->delay_steps(s);
  slice.payload = payload;
  slice.count = e.count;
  slice.source = drawn_as(network_, source);
  slice.targets = store.targets.data() + e.begin;
  slice.state = store.state.data() + e.begin * store.table->state_size;
  if (store.table->slice_state_size) slice.slice_state = synapses_->slice_state(s);
  slice.shared = store.shared.data();
  if (const auto h = history_of_store_[e.store]; h < histories_.size()) {
    slice.history = histories_[h].heads();
    slice.base = histories_[h].base();
  }
  slice.gids = c_.gids;
  if (store.table->draws) {
    slice.copies = store.copies.data() + e.begin;
    const auto w = draw(store.random, slice.source, synapses_->delay_steps(s));
    slice.random = {w[0], w[1]};
  }
  slice.neuron = &table_;
  slice.block = &c_;
  slice.reads = reads_of_store_[e.store].data();
  slice.run = c_.run;
  return slice;
}

/// Numbers an arrival at slice `i` among the events of its tick.  What it counts are events of one source, delay and
/// projection, the same in all blocks: one source's slice of a projection may lie in several.
void Block::key_arrival(std::uint32_t i, Slice& s) {
  Occasion& last = small_ ? occasions_[i] : occasions_[0];
  if (last.tick == s.tick && last.slice == i) ++last.count;
  else last = {s.tick, i, 0};
  const Store& store = synapses_->stores()[synapses_->slice(i).store];
  const std::uint32_t before = store.controlled_at == s.tick ? store.controls : 0;
  s.random = key_of_event(small_ ? keys_of_slices_[i] : s.random, before + last.count);
}

/// The same for a control event that `count_control` has counted.
void Block::key_control(Slice& s, std::uint32_t i) {
  const Store& store = synapses_->stores()[synapses_->slice(i).store];
  s.random = key_of_event(small_ ? keys_of_slices_[i] : s.random, store.controls - 1);
}

/// Counts a control event at the projections whose synapses it is addressed to, all or some of them.
void Block::count_control(const ScheduledControl& s, Tick tick, std::int32_t replica) {
  for (const auto k : drawing_) {
    Store& store = synapses_->stores()[k];
    const std::uint32_t p = store.projections[0];  // synapses that draw share their store with no other projection
    if (replica >= 0 && p % network_.replica_count() != static_cast<std::uint32_t>(replica)) continue;
    if (!s.projections.empty() && std::count(s.projections.begin(), s.projections.end(), p) == 0) continue;
    if (s.projections.empty() && !s.who.empty()) continue;
    if (store.controlled_at != tick) store.controls = 0;
    store.controlled_at = tick;
    ++store.controls;
  }
}

/// Hands a control event to all slices of the projections it is addressed to, or of all (of a replica) if it has no address.
void Block::control_synapses(const ScheduledControl& s, Tick tick, std::int32_t replica) {
  if (controlled_.empty()) return;
  if (!drawing_.empty()) count_control(s, tick, replica);
  if (!s.synapses.empty()) return control_named(s, tick);
  auto& stores = synapses_->stores();
  const bool everyone = s.who.empty() && s.projections.empty();
  if (!everyone && s.projections.empty()) return;
  const auto is_mine = [&](const Store& store) {
    return std::any_of(store.projections.begin(), store.projections.end(),
                                   [&](std::uint32_t p) { return std::count(s.projections.begin(), s.projections.end(), p) > 0; });
  };
  if (reads_together_) read_targets(tick);
  std::size_t first = 0, end = controlled_.size();
  if (replica >= 0) first = controlled_begin_[static_cast<std::size_t>(replica)], end = controlled_begin_[static_cast<std::size_t>(replica) + 1];
  for (std::size_t i = first; i < end;) {
    const Controlled& one = controlled_[i];
    if (!everyone && !is_mine(stores[one.store])) {
      ++i;
      continue;
    }
    if (!small_) {
      Slice slice = view(one.slice, one.source, tick, 0);
      if (one.table->draws) key_control(slice, one.slice);
      in_synapse(*one.table, [&] { one.table->on_control_of(slice, s.control); });
      ++i;
    } else {  // those that follow with the same model in one call
      const std::size_t begin = i;
      const std::size_t behind = std::min(end, one.behind);
      if (everyone) i = behind;
      else while (i < behind && is_mine(stores[controlled_[i].store])) ++i;
      for (std::size_t k = begin; k < i; ++k) controlled_here_[k]->tick = tick, controlled_here_[k]->payload = 0;
      for (std::size_t k = begin; k < i && one.table->draws; ++k) key_control(*controlled_here_[k], controlled_[k].slice);
      for (std::size_t k = begin; k < i && !histories_.empty(); ++k)
        if (controlled_here_[k]->history) controlled_here_[k]->base = histories_[history_of_store_[controlled_[k].store]].base();
      const bool show = reads_together_ && !one.table->reads_at_control;  // else nobody else reads: `values` may stay
      for (std::size_t k = begin; k < i && show; ++k) controlled_here_[k]->values = values_of_store_[controlled_[k].store].data();
      in_synapse(*one.table, [&] { one.table->on_control(controlled_here_.data() + begin, static_cast<std::uint32_t>(i - begin), &s.control); });
      for (std::size_t k = begin; k < i && show; ++k) controlled_here_[k]->values = nullptr;
    }
    if (!first_changing_.empty())
      for (const Controlled* k = &one; k != controlled_.data() + i; ++k) note_slice(k->slice, tick, s.control.kind == Control::Kind::read);
  }
}

/// The same for single synapses, each as a slice of one.
void Block::control_named(const ScheduledControl& s, Tick tick) {
  const Projection& p = network_.projections[s.projections[0]];
  const std::uint32_t k = synapses_->store_of(s.projections[0]);
  for (const auto& a : s.synapses) {
    const Gid target = gid_at(p.targets, a.target), source = gid_at(p.sources, a.source);
    const std::uint32_t j = index_of(target);
    if (j == gids_.size() || gids_[j] != target) continue;
    for (std::uint32_t i = synapses_->slices_begin(source); i < synapses_->slices_end(source); ++i) {
      if (synapses_->slice(i).store != k) continue;
      Slice one = !small_ ? view(i, source, tick, 0) : view(i, tick, 0);
      one.values = nullptr;
      const std::uint32_t all = std::exchange(one.count, 1);
      const SynapseTable& table = *synapses_->stores()[k].table;
      if (table.draws) key_control(one, i);
      for (std::uint32_t n = 0; n < all; ++n) {
        if (*one.targets == j) in_synapse(table, [&] { table.on_control_of(one, s.control); });
        ++one.targets;
        one.state = static_cast<std::byte*>(one.state) + table.state_size;
        if (one.copies) ++one.copies;
      }
      if (!first_changing_.empty()) note_slice(i, tick, s.control.kind == Control::Kind::read);
    }
  }
}

void Block::deliver(std::uint32_t s, Tick tick, double payload) {
  const SliceEntry& e = synapses_->slice(s);
  const Store& store = synapses_->stores()[e.store];
  const SynapseTable& table = *store.table;
  Arrivals a{tick, e.count, store.port, store.targets.data() + e.begin, nullptr, nullptr, store.weight, payload};
  if (!store.uniform) {
    if (table.weight_kind == 0) {
      a.weights = reinterpret_cast<const float*>(store.state_of(e.begin));
    } else {
      if (small_) {
        Slice& slice = at(s, tick, payload);
        if (table.draws) key_arrival(s, slice);
        in_synapse(table, [&] { table.on_pre_of(slice, weights_.data()); });
      } else {
        Slice slice = view(s, tick, payload);
        if (table.draws) key_arrival(s, slice);
        in_synapse(table, [&] { table.on_pre_of(slice, weights_.data()); });
      }
      const auto* const w32 = reinterpret_cast<const float*>(weights_.data());
      const bool allowed = table.weight_kind == 1 ? all_allowed<16>(w32, e.count, store.weight_sign)
                                                  : all_allowed<16>(weights_.data(), e.count, store.weight_sign);
      if (!allowed) [[unlikely]]
        fail_weights(s, table.weight_kind == 1 ? nullptr : weights_.data(), w32, tick);
      if (!first_changing_.empty()) note_slice(s, tick);
      if (table.weight_kind == 1) a.weights = w32;
      else a.weights64 = weights_.data();
      if (table.graded) a.scale = 1;
    }
  }
  a.scale *= store.gain;
  deliveries += e.count;
  if (store.gain == 0) return;
  table_.receive(&c_, &a);
  if (!table_.ports[store.port].evaluates) return;
  evaluations_.add(std::span(a.targets, a.count));
}

/// Arrivals of one tick in a small block, of slices with few synapses: they go to the model together, as long as they have
/// one port, with the weights that it would have seen one by one.
class Block::Together {
 public:
  Together(Block& b, Tick tick) : weights(b.weights_.data()), targets(b.together_.data()), b_(b), tick_(tick) {}
  Together(const Together&) = delete;
  /// Makes room for the synapses of a slice with this port.
  void begin(std::uint32_t port) {
    if (port == port_ && !full()) return;
    hand_over();
    port_ = port;
    evaluates_ = b_.table_.ports[port].evaluates != 0;
  }
  bool full() const { return full(n); }
  static bool full(std::uint32_t n) { return n + few > at_once; }
  /// The targets of a slice as the next ones, from place `at` on; their weights are written elsewhere.
  void add(const std::uint16_t* some, std::uint32_t count, bool contiguous, std::uint32_t at) {
    std::uint16_t* const to = targets + at;
    for (std::uint32_t i = 0; i < count; ++i) to[i] = some[i];
    if (!evaluates_) return;
    if (contiguous && b_.evaluations_.has_bits()) b_.evaluations_.add_range(some[0], count);
    else b_.evaluations_.add(std::span(some, count));
  }
  /// The next `count` targets have been written, and their weights.
  void added(std::uint32_t count) {
    if (evaluates_) b_.evaluations_.add(std::span<const std::uint16_t>(targets + n, count));
    n += count;
  }
  void hand_over() {
    if (n == 0) return;
    const Arrivals a{tick_, n, port_, targets, nullptr, weights, 0, 1};
    n = 0;
    b_.deliveries += a.count;
    b_.table_.receive(&b_.c_, &a);
    if (b_.asked()) b_.drain(tick_, limit::requests_per_arrival * a.count, Ask::test, true);
  }
  double* const weights;
  std::uint16_t* const targets;
  std::uint32_t n = 0;

 private:
  Block& b_;
  Tick tick_;
  std::uint32_t port_ = 0xFFFFFFFFu;
  bool evaluates_ = false;
};

/// Events 0 .. n - 1, each at one slice, `slice_of(k)`; these are alike.
template <class SliceOf, class PayloadOf>
void Block::deliver_alike(std::uint32_t n, SliceOf&& slice_of, PayloadOf&& payload_of, Tick tick, Together& to) {
  const std::uint32_t first = slice_of(0);
  const Short& kind = short_[first];
  for (std::uint32_t k = 0; k < n;) {
    to.begin(kind.port);
    const std::uint32_t begin = k;
    if (kind.way == Short::uniform) {
      const double weight = kind.weight;
      if (kind.count == 1) {
        const std::uint32_t end = k + std::min(n - k, at_once - to.n);
        double* const w = to.weights + to.n;
        std::uint16_t* const targets = to.targets + to.n;
        for (; k < end; ++k) targets[k - begin] = kind.targets[slice_of(k) - first], w[k - begin] = weight * payload_of(k);
        to.added(k - begin);
        continue;
      }
      std::uint32_t at = to.n;
      for (; k < n && !to.full(at); ++k, at += kind.count) {
        std::fill_n(to.weights + at, kind.count, weight * payload_of(k));
        to.add(kind.targets + std::size_t{slice_of(k) - first} * kind.count, kind.count, kind.contiguous, at);
      }
      to.n = at;
      continue;
    }
    double* const weights = to.weights + to.n;
    std::uint32_t count = 0;
    for (; k < n && !to.full(to.n + count); ++k) {
      Slice& s = at(slice_of(k), tick, payload_of(k));
      if (kind.table->draws) key_arrival(slice_of(k), s);
      batch_[k - begin] = &s;
      to.add(s.targets, s.count, kind.contiguous, to.n + count);
      count += s.count;
    }
    to.n += count;
    const std::uint32_t slices = k - begin;
    if (kind.way == Short::on_pre64) {
      in_synapse(*kind.table, [&] { kind.table->on_pre(batch_, slices, weights); });
    } else if (kind.way == Short::on_pre32) {
      in_synapse(*kind.table, [&] { kind.table->on_pre(batch_, slices, weights32_); });
      std::copy(weights32_, weights32_ + count, weights);
    } else {
      double* w = weights;
      for (std::uint32_t i = 0; i < slices; ++i) w = std::copy_n(short_[slice_of(begin + i)].weights, batch_[i]->count, w);
    }
    if (kind.way != Short::single && !all_allowed(weights, count, kind.sign)) [[unlikely]]
      for (const double* w = weights; const std::uint32_t i : std::views::iota(0u, slices)) {
        if (!all_allowed(w, batch_[i]->count, kind.sign)) fail_weights(slice_of(begin + i), w, nullptr, tick);
        w += batch_[i]->count;
      }
    if (kind.way == Short::single || !kind.table->graded) {
      double* w = weights;
      for (std::uint32_t i = 0; i < slices; ++i)
        for (std::uint32_t j = 0; j < batch_[i]->count; ++j) *w++ *= payload_of(begin + i);
    }
    if (kind.way != Short::single && !first_changing_.empty())
      for (std::uint32_t i = 0; i < slices; ++i) note_slice(slice_of(begin + i), tick);
  }
}

void Block::deliver_event(std::uint32_t s, double payload, Tick tick, Together& to) {
  const Short& slice = short_[s];
  if (slice.way == Short::alone) {
    to.hand_over();
    deliver(s, tick, payload);
    if (asked()) drain(tick, limit::requests_per_arrival * slice.count, Ask::test, true);
    return;
  }
  to.begin(slice.port);
  double* const w = to.weights + to.n;
  to.add(slice.targets, slice.count, slice.contiguous, to.n);
  to.n += slice.count;
  if (slice.way == Short::uniform) return void(std::fill_n(w, slice.count, slice.weight * payload));
  const double scale = slice.way != Short::single && slice.table->graded ? 1 : payload;
  const float* single = slice.weights;
  if (slice.way != Short::single) {
    Slice& event = at(s, tick, payload);
    if (slice.table->draws) key_arrival(s, event);
    if (slice.way == Short::on_pre32) single = weights32_;
    in_synapse(*slice.table, [&] { slice.table->on_pre_of(event, slice.way == Short::on_pre64 ? static_cast<void*>(w) : weights32_); });
  }
  if (slice.way != Short::single && !first_changing_.empty()) note_slice(s, tick);
  const bool allowed = slice.way == Short::on_pre64   ? all_allowed(w, slice.count, slice.sign)
                       : slice.way == Short::on_pre32 ? all_allowed(single, slice.count, slice.sign)
                                                      : true;
  if (!allowed) [[unlikely]]
    fail_weights(s, slice.way == Short::on_pre64 ? w : nullptr, single, tick);
  for (std::uint32_t i = 0; i != slice.count; ++i) w[i] = (slice.way == Short::on_pre64 ? w[i] : static_cast<double>(single[i])) * scale;
}

/// Arrivals of one tick in a small block.  Returns the first later packet.
const Packets::Packet* Block::deliver_packets(const Packets::Packet* packet, const Packets::Packet* end, const Emission* events, std::uint32_t offset, Tick tick) {
  Together together(*this, tick);
  while (packet != end && packet->offset == offset) {
    const Packets::Packet* const first = packet++;
    const Emission* const e = events + first->first;
    if (first->alike) {
      deliver_alike(first->count, [=](std::uint32_t k) { return first->slice + (e[k].gid - e->gid); }, [=](std::uint32_t k) { return e[k].payload; }, tick, together);
      continue;
    }
    if (first->count > 0) {
      for (const Emission& one : std::span(e, first->count))
        for (std::uint32_t s = synapses_->slices_begin(one.gid); s != synapses_->slices_end(one.gid); ++s) deliver_event(s, one.payload, tick, together);
      continue;
    }
    // Single slices, with those that follow and are like the first.
    const auto follows = [&] { return packet != end && packet->offset == offset && packet->count == 0 && packet->slice > packet[-1].slice; };
    while (follows() && short_[first->slice].alike(short_[packet->slice], packet->slice - first->slice)) ++packet;
    if (packet - first == 1) deliver_event(first->slice, e->payload, tick, together);
    else deliver_alike(static_cast<std::uint32_t>(packet - first), [=](std::uint32_t k) { return first[k].slice; }, [=](std::uint32_t k) { return events[first[k].first].payload; }, tick, together);
  }
  together.hand_over();
  return packet;
}

Tick Block::next_in_date() {
  Tick next = agenda_.next();
  for (; next != never && agenda_.front().phase == Ask::test && table_.out_of_date(&c_, next, agenda_.front().neuron); next = agenda_.next())
    agenda_.pop();
  return next;
}

void Block::run_phase(Ask phase, Tick tick) {
  due_.clear();
  while (agenda_.next() == tick && agenda_.front().phase == phase) {
    const std::uint32_t j = agenda_.front().neuron;
    if (due_.empty() || due_.back() != j) due_.push_back(j);  // several may have asked for the same
    agenda_.pop();
  }
  if (phase == Ask::test && !soon_.empty()) {
    due_.insert(due_.end(), soon_.begin(), soon_.end());
    soon_.clear();
    if (!std::is_sorted(due_.begin(), due_.end())) std::sort(due_.begin(), due_.end());
    due_.erase(std::unique(due_.begin(), due_.end()), due_.end());
  }
  std::span<const std::uint32_t> js(due_);
  if (phase == Ask::evaluate && !evaluations_.empty()) {
    evaluations_.add(js);
    js = evaluations_.take();
  }
  if (js.empty()) return;
  const auto n = static_cast<std::uint32_t>(js.size());
  if (phase == Ask::wake && table_.wake) table_.wake(&c_, tick, js.data(), n);
  if (phase == Ask::test && table_.test) table_.test(&c_, tick, js.data(), n);
  if (phase == Ask::evaluate && table_.evaluate) table_.evaluate(&c_, tick, js.data(), n);
  drain(tick, most_for(n), phase == Ask::wake ? Ask::test : phase == Ask::test ? Ask::evaluate : Ask::emit, true);
}

namespace {

bool sets(const Action& a) { return a.control && a.control->control.kind == Control::Kind::set_parameter; }

}  // namespace

void mark_complete(std::span<Action> actions) {
  struct Less {
    bool operator()(const ScheduledControl* a, const ScheduledControl* b) const {
      if (a->projections != b->projections) return a->projections < b->projections;
      const auto less = [](const GidRange& x, const GidRange& y) { return std::tie(x.first, x.count) < std::tie(y.first, y.count); };
      return std::lexicographical_compare(a->who.begin(), a->who.end(), b->who.begin(), b->who.end(), less);
    }
  };
  std::set<const ScheduledControl*, Less> later;  // addresses of those that follow in the same run of settings
  for (std::size_t i = actions.size(); i-- > 0;) {
    Action& a = actions[i];
    if (!sets(a) || (i + 1 < actions.size() && actions[i + 1].tick != a.tick)) later.clear();
    if (sets(a)) a.complete = later.insert(a.control).second;
  }
}

void Block::act(const Action& a, std::vector<std::vector<float>>& samples) {
  if (a.report >= 0) {
    const auto r = static_cast<std::size_t>(a.report);
    for (const auto j : sampled[r])
      samples[r].push_back(static_cast<float>(number(table_.read(&c_, a.tick, j, network_.reports[r].variable), j, network_.reports[r].variable, a.tick)));
    return;
  }
  if (a.weights >= 0) {
    const auto w = static_cast<std::size_t>(a.weights);
    return sample_weights(static_cast<std::uint32_t>(w), a.tick, samples[network_.reports.size() + w]);
  }
  if (a.events >= 0) return note_recording(static_cast<std::uint32_t>(a.events), a.tick, a.all);
  const ScheduledControl& s = *a.control;
  if (s.control.kind == Control::Kind::transmission) {
    for (const auto p : s.projections)
      if (const auto k = synapses_->store_of(p); k < synapses_->stores().size()) {
        Store& store = synapses_->stores()[k];
        store.gain = store.sign * s.control.value[0];
      }
    return;
  }
  const bool set = sets(a);
  if (set && !s.projections.empty()) return set_synapses(s, a.tick, a.complete);
  if (!set) control_synapses(s, a.tick, a.replica);
  if (s.control.kind == Control::Kind::read) return note_readings(s, a.tick);
  if (!set && !table_.on_control) return;
  if (s.control.kind == Control::Kind::pulse) return;  // neurons feel none; trains may be long
  due_.clear();
  for (std::uint32_t j = 0; j < c_.size; ++j) {
    bool mine = s.who.empty() && s.projections.empty();
    for (const auto& r : s.who) mine |= gids_[j] - r.first < r.count;
    if (a.replica >= 0 && !replicas_.empty()) mine &= replicas_[j] == static_cast<std::uint32_t>(a.replica);
    if (mine) due_.push_back(j);
  }
  if (due_.empty()) return;
  values_at_ = -1;
  if (set) set_neurons(s, a.tick, a.complete);
  else table_.on_control(&c_, a.tick, &s.control, due_.data(), static_cast<std::uint32_t>(due_.size()));
  drain(a.tick, most_for(due_.size()));
}

/// A parameter of the neurons `due_`; the model hears of it once all that change with it are `complete`.
void Block::set_neurons(const ScheduledControl& s, Tick tick, bool complete) {
  const Field& f = table_.model.params.data[s.control.field];
  std::optional<Sampler> sampler;
  if (s.drawn) sampler.emplace(*s.drawn);
  for (const auto j : due_) {
    double x = s.control.value[0];
    if (sampler) {
      const auto w = draw(stream_key(keys_[j].seed, Purpose::redrawn, s.control.field), c_.gids[j], static_cast<std::uint64_t>(tick));
      x = (*sampler)(uniform01(w[0], w[1]));
    }
    put(params_[j].data(), f, x);
    if (complete && table_.set) table_.set(&c_, tick, j, params_[j].data());
  }
}

/// The same for the synapses of a projection.  What they have not taken in yet of the time before is theirs with the old
/// parameters.
void Block::set_synapses(const ScheduledControl& s, Tick tick, bool complete) {
  const std::uint32_t k = synapses_->store_of(s.projections[0]);
  if (k == synapses_->stores().size()) return;
  Store& store = synapses_->stores()[k];  // of this projection alone
  const SynapseTable& table = *store.table;
  put(store.params.data(), table.model.params.data[s.control.field], s.control.value[0]);
  if (!complete) return;
  Buffer<std::byte> next(table.shared_size);
  if (table.prepare) table.prepare(next.data(), store.params.data(), &c_.run);
  for (std::uint32_t i = 0; i < synapses_->slice_count(); ++i) {
    if (synapses_->slice(i).store != k) continue;
    Slice slice = view(i, tick, 0);
    slice.values = nullptr;
    if (table.catch_up) table.catch_up(&slice);
    if (table.set) table.set(&slice, store.params.data(), next.data());
  }
  std::memcpy(store.shared.data(), next.data(), table.shared_size);
  for (std::uint32_t i = 0; i < synapses_->slice_count() && !first_changing_.empty(); ++i)
    if (synapses_->slice(i).store == k) note_slice(i, tick);
}

/// What a `set` before a checkpoint has left; the states come from there.
void Block::restore_synapse_params(const ScheduledControl& s) {
  const std::uint32_t k = synapses_->store_of(s.projections[0]);
  if (k == synapses_->stores().size()) return;
  Store& store = synapses_->stores()[k];
  put(store.params.data(), store.table->model.params.data[s.control.field], s.control.value[0]);
  if (store.table->prepare) store.table->prepare(store.shared.data(), store.params.data(), &c_.run);
}

Tick Block::next(Tick from, Tick horizon) {
  Tick soonest = std::min({small_ ? packets_.next(from) : slots_.next(from), agenda_.next(), sweep_at_});
  if (!asleep_ && c_.frame_length) soonest = std::min(soonest, c_.frame_begin + c_.frame_length);
  if (soonest > from)
    for (auto& t : trains_) soonest = std::min(soonest, t.next(horizon));
  return std::max(soonest, from);
}

// --- checkpoints ---

void Block::save_neuron(std::uint32_t j, std::byte* to) const {
  std::memcpy(to, state_.data() + std::size_t{j} * table_.state_size, table_.state_size);
  if (table_.constants_size) std::memcpy(to + table_.state_size, constants_.data() + std::size_t{j} * table_.constants_size, table_.constants_size);
}

std::vector<Emission> Block::save_arrivals(Tick at) const {
  std::vector<PendingEvent> pending;
  if (small_) packets_.pending(pending);
  else slots_.pending(*synapses_, network_.delay_resolution, at, pending);
  const auto key = [](const PendingEvent& p) { return std::tuple(p.event.tick, p.event.gid, p.slice); };
  std::stable_sort(pending.begin(), pending.end(), [&](const PendingEvent& a, const PendingEvent& b) { return key(a) < key(b); });
  // All events of a neuron and tick are on their way to each of its slices, or have arrived there: one slice tells of all.
  std::vector<Emission> all;
  std::uint32_t slice = 0;
  for (const auto& p : pending) {
    if (all.empty() || all.back().tick != p.event.tick || all.back().gid != p.event.gid) slice = p.slice;
    if (p.slice == slice) all.push_back(p.event);
  }
  return all;
}

std::vector<Block::Asked> Block::save_agenda() const {
  std::vector<Asked> all;
  auto entries = agenda_.entries();
  // Which of the tests that are out of date have been dropped already depends on what else lies in the block.
  std::erase_if(entries, [&](const Calendar::Entry& e) { return e.phase == Ask::test && table_.out_of_date && table_.out_of_date(&c_, e.tick, e.neuron); });
  std::sort(entries.begin(), entries.end(), [](const Calendar::Entry& a, const Calendar::Entry& b) { return b > a; });
  for (const auto& e : entries)
    if (const Asked a{e.tick, static_cast<std::uint32_t>(e.phase), gids_[e.neuron]};
        all.empty() || all.back().tick != a.tick || all.back().phase != a.phase || all.back().gid != a.gid)
      all.push_back(a);
  return all;
}

std::vector<double> Block::taus() const {
  std::vector<double> all;
  for (const auto& h : histories_)
    if (std::find(all.begin(), all.end(), h.post_tau()) == all.end()) all.push_back(h.post_tau());
  return all;
}

std::vector<Block::Past> Block::save_history(double tau) const {
  std::vector<Past> all;
  for (std::uint32_t j = 0; j < c_.size; ++j) {
    const PostHistory* longest = nullptr;  // of those with this trace, the one that was swept longest ago
    for (const auto& h : histories_)
      if (h.post_tau() == tau && (!longest || h.heads()[j].count > longest->count)) longest = &h.heads()[j];
    for (std::uint32_t k = 0; longest && k < longest->count; ++k) all.push_back({(*longest)[k].tick, (*longest)[k].trace, gids_[j], 0});
  }
  return all;
}

void Block::settle(Tick at) {
  if (asleep_) {
    wake_up(at - 1);
    due_at_ = std::min(due_at_, at);
  }
  if (histories_.empty()) return;
  for (auto& h : histories_) h.rebase(at - 1);
  for (std::uint32_t i = 0; i < synapses_->slice_count(); ++i)
    if (const auto k = synapses_->slice(i).store; history_of_store_[k] < histories_.size()) {
      const Slice slice = view(i, at - 1, 0);
      synapses_->stores()[k].table->catch_up(&slice);
    }
}

void Block::restore_begin(Tick at, std::span<const ScheduledControl> schedule) {
  std::vector<std::vector<float>> none;
  std::vector<Action> last;  // what models keep per block, and parameters for later changes
  for (const auto& s : schedule) {
    if (s.tick >= at || (s.control.kind != Control::Kind::set_parameter && s.control.kind != Control::Kind::transmission)) continue;
    const Tick times = s.every > 0 ? std::min<Tick>(s.count - 1, (at - 1 - s.tick) / s.every) : 0;
    last.push_back({s.tick + times * s.every, &s, -1, -1});
  }
  std::stable_sort(last.begin(), last.end(), [](const Action& a, const Action& b) { return a.tick < b.tick; });
  mark_complete(last);
  for (const auto& a : last) {
    if (sets(a) && !a.control->projections.empty()) {
      restore_synapse_params(*a.control);
      continue;
    }
    if (c_.frame_length) c_.frame_begin = a.tick / c_.frame_length * c_.frame_length;
    act(a, none);
  }
  outbox_.size = 0;
  agenda_ = Calendar(window_);
  slots_.clear();
  packets_.clear();
  due_at_ = 0;
  for (auto& h : histories_) h.restart(at);
  asleep_ = false;
  if (c_.frame_length) c_.frame_begin = (at - 1) / c_.frame_length * c_.frame_length;
  for (auto& t : trains_) t.resume(at);
  sweep_at_ = never;
}

void Block::restore_neuron(std::uint32_t j, const std::byte* from) {
  std::memcpy(state_.data() + std::size_t{j} * table_.state_size, from, table_.state_size);
  if (table_.constants_size) std::memcpy(constants_.data() + std::size_t{j} * table_.constants_size, from + table_.state_size, table_.constants_size);
}

std::pair<std::uint32_t, std::uint32_t> Block::members(const Population& p) const {
  const std::uint32_t begin = index_of(p.first);
  return {begin, static_cast<std::uint32_t>(std::partition_point(gids_.begin() + begin, gids_.end(), [&](Gid gid) { return gid - p.first < p.size; }) - gids_.begin())};
}

std::uint32_t Block::index_of(Gid gid) const {  // gids of a block ascend
  return static_cast<std::uint32_t>(std::lower_bound(gids_.begin(), gids_.end(), gid) - gids_.begin());
}

void Block::restore_asked(const Asked& a) { agenda_.push({a.tick, static_cast<Ask>(a.phase), index_of(a.gid)}); }

void Block::restore_past(double tau, const Past& p) {
  for (auto& h : histories_)
    if (h.post_tau() == tau) h.append(index_of(p.gid), p.tick, p.trace);
}

void Block::restore_end(Tick at) {
  for (auto& h : histories_) {
    h.restarted(at);
    sweep_at_ = std::min(sweep_at_, h.due());
  }
}

/// Arrivals of the tick `now` in a large block, keys from `key` on; returns the first later one.
const std::uint64_t* Block::deliver_tick(const std::uint64_t* key, const std::uint64_t* end, const double* payloads, Tick from, Tick now) {
  constexpr std::ptrdiff_t data_ahead = 4;
  for (const auto offset = static_cast<std::uint64_t>(now - from); key != end && *key >> 32 == offset; ++key) {
    if (end - key > entry_ahead) synapses_->prefetch_entry(static_cast<std::uint32_t>(key[entry_ahead]));
    if (end - key > data_ahead) synapses_->prefetch_data(static_cast<std::uint32_t>(key[data_ahead]));
    deliver(static_cast<std::uint32_t>(*key), now, payloads ? *payloads++ : 1);
    if (asked()) drain(now, limit::requests_per_arrival * synapses_->slice(static_cast<std::uint32_t>(*key)).count, Ask::test, true);
  }
  return key;
}

void Block::walk(Tick from, Tick to, Tick horizon, std::span<const Action> actions, Emissions& out,
                 std::vector<std::vector<float>>& samples) {
  out_ = &out;
  from_ = from;
  const AtWork at_work(*this);
  if (small_) {
    const Packets::Arrivals arrivals = packets_.take(from);
    const Packets::Packet *packet = arrivals.packets.data(), *const end = packet + arrivals.packets.size();
    walk_window(to, actions, samples, [&] { return packet != end ? from + packet->offset : to; },
                [&](Tick now) { if (packet != end) packet = deliver_packets(packet, end, arrivals.events, static_cast<std::uint32_t>(now - from), now); });
  } else {
    const Slots::Arrivals arrivals = slots_.take(from);
    const std::uint64_t *const begin = arrivals.keys.data(), *const end = begin + arrivals.keys.size(), *key = begin;
    for (std::ptrdiff_t k = 0; k < std::min(entry_ahead, end - key); ++k) synapses_->prefetch_entry(static_cast<std::uint32_t>(key[k]));
    walk_window(to, actions, samples, [&] { return key != end ? from + static_cast<Tick>(*key >> 32) : to; },
                [&](Tick now) { key = deliver_tick(key, end, arrivals.payloads ? arrivals.payloads + (key - begin) : nullptr, from, now); });
  }
  due_at_ = next(to, horizon);
}

/// `next_arrival()`: its tick, or `to`; `deliver_now(tick)`: those of a tick.
template <class Next, class Deliver>
void Block::walk_window(Tick to, std::span<const Action> actions, std::vector<std::vector<float>>& samples, Next&& next_arrival, Deliver&& deliver_now) {
  for (;;) {
    if ((++turns_ & 63) == 0) heart_.beat();
    // The next tick with anything but superposed arrivals.
    Tick now = std::min(next_arrival(), next_asked());
    if (!actions.empty()) now = std::min(now, actions.front().tick);
    if (!arrivals_only_) {
      now = std::min(now, sweep_at_);
      if (!asleep_ && c_.frame_length) now = std::min(now, c_.frame_begin + c_.frame_length);
      if (superposed_before(std::min(now, to))) continue;
    }
    if (now >= to) return;

    if (!arrivals_only_) {
      if (asleep_) wake_up(now);
      else if (c_.frame_length && now == c_.frame_begin + c_.frame_length) next_frame(now);
      if (now == sweep_at_) sweep(now);
      for (auto& h : histories_) h.rebase(now);
    }
    values_at_ = -1;
    for (; !actions.empty() && actions.front().tick == now; actions = actions.subspan(1)) act(actions.front(), samples);
    if (agenda_.next() == now) run_phase(Ask::wake, now);
    deliver_now(now);
    for (auto& t : trains_)
      while (t.next(now + 1) == now) take_train(t, now + 1, now);
    if (!soon_.empty() || agenda_.next() == now) run_phase(Ask::test, now);
    if (!evaluations_.empty() || agenda_.next() == now) run_phase(Ask::evaluate, now);
  }
}

/// The next superposed arrivals before `now`, if there are any: of several trains the one that is due goes first, up to the
/// next of the others.
bool Block::superposed_before(Tick now) {
  TrainGroup* first = nullptr;
  Tick soonest = now, second = now;
  for (auto& t : trains_) {
    const Tick tick = t.next(now);
    if (tick < soonest) second = soonest, soonest = tick, first = &t;
    else second = std::min(second, tick);
  }
  if (!first) return false;
  if (asleep_) wake_up(soonest);
  else take_train(*first, std::max(second, soonest + 1), soonest);
  return true;
}

/// Hands over arrivals of `train` before `until`, the first of which is at `soonest`.
void Block::take_train(TrainGroup& t, Tick until, Tick soonest) {
  const bool evaluates = table_.ports[t.port()].evaluates;  // then tick by tick
  const Train train = t.train(evaluates ? soonest + 1 : until);
  const std::uint32_t n = table_.receive_train(&c_, &train);
  if (n == 0 || n > t.left() || train.keys[n - 1] >= train.limit)
    fail_model(soonest, "says that it has taken " + std::to_string(n) + " arrivals of a train");
  t.taken(n);
  superposed += n;
  if (asked()) drain(train.base + (train.keys[n - 1] >> 16), limit::requests_per_train, Ask::test);
  if (evaluates)
    for (std::uint32_t i = 0; i < n; ++i) agenda_.push({soonest, Ask::evaluate, train.keys[i] & 0xFFFFu});
}

}  // namespace spinet
