#include "core/run/run_loop.hpp"

#include <algorithm>

namespace spinet {

// Steps of an almost empty window take a hundred nanoseconds together: they are inlined, and `go` stands
// last.

Statistics Simulation::Impl::run(Recorder* recorder, const RunHooks& hooks) {
  return RunLoop(*this, transport.rank() == 0 ? recorder : nullptr, hooks).go();
}

Simulation::Impl::RunLoop::RunLoop(Simulation::Impl& simulation, Recorder* recorder, const RunHooks& hooks)
    : s_(simulation),
      recorder_(recorder),
      hooks_(hooks),
      first_rank_(s_.transport.rank() == 0),
      alone_(s_.transport.size() == 1),
      replicas_(s_.net.replica_count()),
      recordings_(s_.net.family_count()),
      from_(s_.stats.began) {
  for (const auto& r : s_.net.spikes) recordings_[r.population / replicas_].push_back(&r);
  if (const Tick every = hooks_.checkpoints.every; every > 0) next_checkpoint_ = (from_ / every + 1) * every;
}

/// Connectivity is logged before the first window of a run, not of its continuation.
void Simulation::Impl::RunLoop::begin_log() {
  if (!recorder_ || s_.stats.began != 0) return;
  s_.guarded([&] {
    s_.record_edges(*recorder_, hooks_.stop);
    for (std::uint32_t r = 0; r < s_.watched.size(); ++r) recorder_->watched(r, s_.watched[r]);
  });
}

// --- plan ---

inline void Simulation::Impl::RunLoop::plan() {
  planned_.clear();
  actions_.take(to_, planned_);
  mark_complete(planned_);
  for (const Action& a : planned_) {
    if (const auto* r = std::get_if<SampleReport>(&a.what)) ++s_.frames_waiting[r->report];
    if (const auto* w = std::get_if<SampleWeights>(&a.what))
      ++s_.frames_waiting[s_.net.reports.size() + w->recording];
  }
  due_ = planned_;
  scheduled_ = !due_.empty();
  if (!s_.pending.empty() && s_.pending.front().tick < to_) plan_posted();
}

/// Adds the control events of environments that act now: after the schedule's of their tick, before samples.
void Simulation::Impl::RunLoop::plan_posted() {
  with_posted_.assign(planned_.begin(), planned_.end());
  std::size_t count = 0, n = 0;
  for (; n < s_.pending.size() && s_.pending[n].tick < to_; ++n) {
    const Posted& p = s_.pending[n];
    const std::uint32_t replica = replicas_ == 1 ? 0 : s_.population_of_gid[p.gid].replica;
    if (p.tick >= s_.ends[replica]) continue;
    if (count == s_.posted_now.size()) s_.posted_now.emplace_back();
    ScheduledControl& acts = s_.posted_now[count++];
    acts = s_.entry_of(p);
    if (replicas_ > 1) acts.to.replica = static_cast<std::int32_t>(replica);
    const auto later = [&](const Action& a) { return a.tick > p.tick || (a.tick == p.tick && !a.ordered()); };
    const auto place = std::find_if(with_posted_.begin(), with_posted_.end(), later);
    with_posted_.insert(place, {p.tick, Ordered{&acts, false}});
    if (acts.stimulus->flags & batched && !s_.net.weight_events.empty()) s_.sample_epoch(p, with_posted_);
    if (recorder_ && acts.stimulus->flags & scored) {
      const std::uint32_t population = s_.partition.population_of(p.gid);
      const std::size_t metrics = s_.net.populations[population].neuron()->metric_count;
      s_.guarded([&] { recorder_->metrics(population, p.tick, std::span(p.control.value).first(metrics)); });
    }
  }
  s_.pending.erase(s_.pending.begin(), s_.pending.begin() + static_cast<std::ptrdiff_t>(n));
  due_ = with_posted_;
}

// --- walk ---

inline void Simulation::Impl::RunLoop::walk() {
  look_ = (++clock_turn_ & (all().size() > 100 ? 0 : 63)) == 0;
  own_.clear();
  head_ = {never, 0, 0, 0, 0};
  s_.guarded([&] {
    for (std::size_t b = 0; b < s_.blocks.size(); ++b) walk_block(b);
    draw_sources();
    head_.next = std::min(head_.next, actions_.next());
  });
  if (s_.window_abandoned) head_.flags |= abandoned, own_.clear();
}

inline void Simulation::Impl::RunLoop::walk_block(std::size_t b) {
  Block& block = *s_.blocks[b];
  if (block.retired()) return;
  if (from_ >= s_.first_end && block.replica() && from_ >= s_.ends[*block.replica()] &&
      !s_.collects()) {  // samples go on
    block.retire(from_);
    return;
  }
  const bool acts = scheduled_ || (!due_.empty() && block.obeys());
  if (acts || block.due() < to_) {
    block.walk({from_, to_, s_.end}, acts ? due_ : std::span<const Action>(), own_, s_.samples[b]);
    block.check_mode(s_.mode, from_, to_);
  }
  head_.next = std::min(head_.next, block.due());
}

/// Sources that are not drawn by the blocks themselves.
void Simulation::Impl::RunLoop::draw_sources() {
  drawn_.clear();
  for (auto& e : s_.emitters) {
    e.emit(to_, drawn_, s_.heart);
    head_.next = std::min(head_.next, e.next());
  }
  if (!s_.emitters.empty()) s_.check_mode("generating spikes");
  for (const auto& e : drawn_) own_.push_back({e.tick, 1, e.gid});
}

// --- exchange ---

/// What this rank wants of all.
inline void Simulation::Impl::RunLoop::wishes() {
  if (asked_to_stop()) head_.flags |= stop_wanted;
  if (look_ && first_rank_ && s_.collects() && seconds_since(last_flush_) > 5) head_.flags |= flush_wanted;
  if (!s_.net.weight_events.empty())
    for (const auto& b : s_.blocks)
      for (const auto& some : b->noted())
        if (some.size() > 65536) head_.flags |= flush_wanted;
  const double wall = hooks_.checkpoints.seconds;
  if (look_ && first_rank_ && wall > 0 && seconds_since(last_checkpoint_) > wall)
    head_.flags |= checkpoint_wanted;
  if (look_ || to_ >= s_.end) {
    head_.deliveries = s_.earlier.deliveries + s_.earlier.superposed;
    for (const auto& b : s_.blocks) head_.deliveries += b->deliveries() + b->superposed_arrivals(to_);
  }
}

inline void Simulation::Impl::RunLoop::exchange() {
  const auto before = s_.pending.size();
  if (alone_) {
    if (s_.own_failure) std::rethrow_exception(s_.own_failure);
    for (auto& b : s_.blocks)
      if (!b->posted.empty()) {
        s_.pending.insert(s_.pending.end(), b->posted.begin(), b->posted.end());
        b->posted.clear();
      }
  } else {
    s_.exchange(head_, from_, own_, everyones_);
  }
  if (head_.flags & abandoned) return;
  next_ = head_.next;
  if (head_.deliveries) deliveries_ = head_.deliveries;
  if (s_.pending.size() > before) s_.take_posted(before, to_);
  if (!s_.pending.empty()) next_ = std::min(next_, s_.pending.front().tick);
}

// --- order and post ---

inline void Simulation::Impl::RunLoop::order() {
  auto& all = this->all();
  if (to_ > s_.first_end && replicas_ > 1) s_.drop_ended(all);
  const auto earlier = [](const Emission& a, const Emission& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.gid < b.gid;
  };
  const auto not_later = [&](const Emission& a, const Emission& b) { return !earlier(a, b); };
  distinct_ = std::adjacent_find(all.begin(), all.end(), not_later) == all.end();  // and sorted: most windows
  if (!distinct_) {
    std::stable_sort(all.data(), all.data() + all.size(), earlier);
    distinct_ = std::adjacent_find(all.begin(), all.end(), not_later) == all.end();
    if (!distinct_) s_.check_distinct(all);
  }
  if (!all.empty() && s_.lookahead != never) next_ = std::min(next_, all.front().tick + s_.lookahead);
}

/// Stretch by stretch: of one family at one tick, or the rest if all of it is of one family.
inline void Simulation::Impl::RunLoop::post() {
  logged_.clear();
  const Emissions& all = this->all();
  for (const Emission *e = all.begin(), *last = all.end(); e != last;) {
    const std::uint32_t family =
        replicas_ == 1 ? s_.partition.population_of(e->gid) : s_.population_of_gid[e->gid].family;
    const Population& p = s_.net.populations[family * replicas_];  // the family's first
    const Emission* const first = e;
    const Gid beyond = p.first + replicas_ * p.size;
    if (last[-1].tick == e->tick && last[-1].gid < beyond) e = last;
    else
      while (e != last && e->gid < beyond && e->tick == first->tick) ++e;
    post_stretch(family, {first, e});
  }
  ++s_.stats.windows;
  s_.stats.reached = to_;
}

inline void Simulation::Impl::RunLoop::post_stretch(std::uint32_t family, std::span<const Emission> stretch) {
  for (Block* b : s_.listeners[family])
    if (distinct_) b->post_together(family, stretch);
    else b->post(stretch);
  count(family, stretch);
  if (recorder_ && !recordings_[family].empty()) choose_logged(family, stretch);
}

inline void Simulation::Impl::RunLoop::count(std::uint32_t family, std::span<const Emission> stretch) {
  const Population& p = s_.net.populations[family * replicas_];
  std::uint64_t* count = &s_.stats.spikes_of_population[family * replicas_];
  if (replicas_ == 1) *count += stretch.size();
  else
    for (Gid next = p.first + p.size; const Emission& e : stretch) {
      for (; e.gid >= next; next += p.size) ++count;
      ++*count;
    }
  if (p.neuron()) s_.stats.spikes += stretch.size();
}

inline void Simulation::Impl::RunLoop::choose_logged(std::uint32_t family,
                                                     std::span<const Emission> stretch) {
  for (const Emission& e : stretch)
    for (const auto* r : recordings_[family]) {
      const std::uint32_t id = e.gid - s_.net.populations[r->population].first;
      if (id >= s_.net.populations[r->population].size || e.tick < r->from || e.tick >= r->to) continue;
      if (!r->ids.empty() && !std::binary_search(r->ids.begin(), r->ids.end(), id)) continue;
      logged_.push_back({e.tick, e.gid});
      break;
    }
}

// --- keep ---

void Simulation::Impl::RunLoop::keep() {
  // What waits on all ranks, known to all: by the number of frames, whose width does not change.
  std::uint64_t waiting = 0;
  const std::size_t reports = s_.net.reports.size();
  for (std::size_t r = 0; r < s_.series(); ++r)
    waiting += s_.frames_waiting[r] *
               (r < reports ? s_.net.reports[r].ids.size() : s_.weights_expected[r - reports]);
  const bool stops = head_.flags & stop_wanted, last = to_ >= s_.end || stops;
  const bool checkpoint = to_ < s_.end && (to_ >= next_checkpoint_ || (head_.flags & checkpoint_wanted) ||
                                           (stops && hooks_.checkpoints.at_stop));
  const bool flush = last || checkpoint || (head_.flags & flush_wanted) || waiting > (1u << 20);
  if (recorder_ && !logged_.empty()) s_.guarded([&] { recorder_->spikes(logged_); });
  if (flush) {
    s_.flush_reports(recorder_);
    last_flush_ = Clock::now();
  }
  if (recorder_ && (flush || (look_ && !s_.collects()))) s_.guarded([&] { recorder_->commit(to_); });
  if (checkpoint) write_checkpoint();
  const auto is_due = [&] { return Clock::now() - last_progress_ > std::chrono::milliseconds(100); };
  if (first_rank_ && hooks_.progress && (last || (look_ && is_due()))) show_progress();
}

/// The log is on the disk before the checkpoint that goes on with it.
void Simulation::Impl::RunLoop::write_checkpoint() {
  const auto start = Clock::now();
  s_.check_numbers(to_);
  if (recorder_) s_.guarded([&] { recorder_->secure(to_); });
  s_.save(first_rank_ ? hooks_.checkpoints.sink : nullptr, to_);
  if (const Tick every = hooks_.checkpoints.every; every > 0) next_checkpoint_ = (to_ / every + 1) * every;
  last_checkpoint_ = Clock::now();
  ++s_.stats.checkpoints;
  s_.stats.checkpoint_seconds += seconds_since(start);
}

void Simulation::Impl::RunLoop::show_progress() {
  last_progress_ = Clock::now();
  hooks_.progress({to_, s_.stats.spikes, deliveries_});
}

// --- advance ---

/// Says whether there is another window.
inline bool Simulation::Impl::RunLoop::advance() {
  if (head_.flags & stop_wanted) {
    s_.stats.stopped = to_ < s_.end;
    return false;
  }
  from_ = next_ == never ? s_.end : next_ < to_ + s_.window ? to_ : next_ / s_.window * s_.window;
  if (from_ >= s_.end && to_ < s_.end) finish_silently();
  return true;
}

/// Nothing more will happen.
void Simulation::Impl::RunLoop::finish_silently() {
  s_.stats.reached = s_.end;
  s_.flush_reports(recorder_);
  if (recorder_) s_.guarded([&] { recorder_->commit(s_.end); });
  if (first_rank_ && hooks_.progress) hooks_.progress({s_.end, s_.stats.spikes, deliveries_});
}

void Simulation::Impl::RunLoop::sum_up() {
  auto& stats = s_.stats;
  s_.check_numbers(std::max<Tick>(stats.reached, 1));
  for (std::size_t r = 0; r < s_.ends.size(); ++r)
    stats.replicas[r].reached = std::min(s_.ends[r], stats.reached);
  stats.deliveries = s_.earlier.deliveries;
  stats.superposed = s_.earlier.superposed;
  stats.threshold_tests = s_.earlier.tests;
  stats.events_before = stats.events();
  for (const auto& b : s_.blocks) {
    stats.deliveries += b->deliveries();
    stats.superposed += b->superposed_arrivals(stats.reached);
    stats.threshold_tests += b->tests();
    stats.history_bytes += b->history_bytes();
  }
  stats.run_seconds = seconds_since(begin_);
}

// --- all of it ---

Statistics Simulation::Impl::RunLoop::go() {
  begin_log();
  s_.guarded([&] { s_.check_mode("while the network was built"); });
  actions_ = Actions(s_.net, from_);
  s_.heart.stop_at(hooks_.stop);
  s_.begin_replicas();
  while (from_ < s_.end) {
    to_ = std::min(from_ + s_.window, s_.end);
    if (hooks_.window) [[unlikely]]
      hooks_.window(from_);
    plan();
    walk();
    wishes();
    exchange();
    if (head_.flags & abandoned) {
      s_.abandon_window(from_, due_, recorder_);
      break;
    }
    order();
    post();
    keep();
    if (!advance()) break;
  }
  sum_up();
  return s_.stats;
}

}  // namespace spinet
