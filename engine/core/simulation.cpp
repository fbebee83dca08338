#include "core/simulation.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>

#include "core/failure.hpp"
#include "core/simulation_parts.hpp"

namespace spinet {

/// New control events of environments, pending[first..]: checked, sorted in, and looked through for the end of the run.
void Simulation::Impl::take_posted(std::size_t first, Tick to) {
  for (std::size_t i = first; i < pending.size(); ++i) {
    const Posted& p = pending[i];
    if (p.tick < to)
      guarded([&] { throw std::runtime_error("environment " + net.populations[partition.population_of(p.gid)].name + " posts control events sooner than the network's shortest delay"); });
    if (!net.until || p.control.kind != Control::Kind::reward) continue;
    const std::uint32_t r = partition.population_of(p.gid) - net.until->population;  // the replica
    if (r >= ends.size()) continue;
    const double x = p.control.value[net.until->metric];
    if (net.until->at_least ? x >= net.until->threshold : x <= net.until->threshold) {
      if (p.tick + 1 < ends[r]) stats.replicas[r].until_met = p.tick;
      ends[r] = std::min(ends[r], p.tick + 1);  // what it reports still acts
      first_end = std::min(first_end, ends[r]);
    }
  }
  if (net.until) {
    const auto last = std::max_element(ends.begin(), ends.end());
    end = *last;
    stats.until_met = stats.replicas[static_cast<std::size_t>(last - ends.begin())].until_met;
  }
  std::sort(pending.begin(), pending.end(), [](const Posted& a, const Posted& b) {
    return std::tie(a.tick, a.gid, a.number) < std::tie(b.tick, b.gid, b.number);
  });
}

/// A neuron fires at most once a tick.  The emissions are the same on all ranks, and so is what is thrown.
void Simulation::Impl::check_distinct(const Emissions& sorted) const {
  const auto same = [&](const Emission& a, const Emission& b) {
    return a.tick == b.tick && a.gid == b.gid && net.populations[partition.population_of(a.gid)].neuron();
  };
  const Emission* const e = std::adjacent_find(sorted.begin(), sorted.end(), same);
  if (e == sorted.end()) return;
  throw ModelFailure::of(net, e->gid, e->tick, "fires twice in one tick");
}

/// Throws if a model, none knows which, has changed the floating-point mode, and makes it what it was.
void Simulation::Impl::check_mode(const char* when) const {
  const FloatingPointMode now = FloatingPointMode::now();
  if (now == mode) [[likely]] return;
  mode.restore();
  std::set<std::string> models;
  for (const auto& p : net.populations) models.insert(p.model->name);
  for (const auto& p : net.projections)
    if (p.synapse) models.insert(p.synapse->model.name);
  std::string all;
  for (const auto& name : models) all += (all.empty() ? "" : ", ") + name;
  throw std::runtime_error("one of the models (" + all + "), " + when + ", " + mode_reason(now.changed_since(mode)));
}

/// Looks for what is not a number in all neurons and synapses, on all ranks.
void Simulation::Impl::check_numbers(Tick at) {
  guarded([&] {
    for (const auto& b : blocks) b->check_numbers(at);
    check_mode("when read");
  });
  agree();
}

/// This rank's message: it has failed, and why.
void Simulation::Impl::append_failure(Head& head) {
  std::string text = "unknown error";
  try {
    std::rethrow_exception(own_failure);
  } catch (const std::exception& e) {
    text = e.what();
  } catch (...) {
  }
  head.flags |= failed;
  head.count = static_cast<std::uint32_t>(text.size());
  append(message, &head, 1);
  append(message, text.data(), text.size());
}

void Simulation::Impl::agree() {
  if (transport.size() == 1) {
    if (own_failure) std::rethrow_exception(own_failure);
    return;
  }
  Head head{never, 0, 0, 0, 0};
  message.clear();
  if (own_failure) append_failure(head);
  else append(message, &head, 1);
  transport.all_gather(message, gathered);
  throw_if_failed();
}

/// Leaves out what neurons of a replica emit that has ended, while others go on.
void Simulation::Impl::drop_ended(Emissions& all) const {
  Emission* to = all.data();
  for (const Emission& e : all)
    if (e.tick < ends[population_of_gid[e.gid].replica]) *to++ = e;
  all.filled(to);
}

/// Sends this rank's part of a window to all and receives theirs: `all` gets everyone's emissions, `pending` the control
/// events, and `head` becomes that of all ranks together.
void Simulation::Impl::exchange(Head& head, Tick from, const Emissions& own, Emissions& all) {
  message.clear();
  if (own_failure) {
    append_failure(head);
  } else {
    head.count = static_cast<std::uint32_t>(own.size());
    for (const auto& b : blocks) head.posted += b->posted.size();
    append(message, &head, 1);
    for (const auto& e : own) {
      const WireSpike s{static_cast<std::uint32_t>(e.tick - from), e.gid};
      append(message, &s, 1);
    }
    if (graded)
      for (const auto& e : own) append(message, &e.payload, 1);
    for (auto& b : blocks) {
      append(message, b->posted.data(), b->posted.size());
      b->posted.clear();
    }
  }
  transport.all_gather(message, gathered);
  throw_if_failed();

  all.clear();
  Head together{never, 0, 0, 0, 0};
  for (int r = 0; r < transport.size(); ++r) {
    const auto part = gathered.of(r);
    const std::byte* at = part.data();
    std::memcpy(&head, at, sizeof head);
    at += sizeof head;
    together.next = std::min(together.next, head.next);
    together.flags |= head.flags;
    together.deliveries += head.deliveries;
    for (std::uint32_t i = 0; i < head.count; ++i) {
      WireSpike s;
      std::memcpy(&s, at + i * sizeof s, sizeof s);
      double payload = 1;
      if (graded) std::memcpy(&payload, at + head.count * sizeof s + i * sizeof payload, sizeof payload);
      all.push_back({from + s.offset, payload, s.gid});
    }
    at = part.data() + part.size() - head.posted * sizeof(Posted);
    for (std::uint64_t i = 0; i < head.posted; ++i) std::memcpy(&pending.emplace_back(), at + i * sizeof(Posted), sizeof(Posted));
  }
  head = together;
}

Statistics Simulation::Impl::run(Recorder* recorder, const RunHooks& hooks) {
  const auto begin = Clock::now();
  auto last_progress = begin, last_flush = begin;
  const bool first_rank = transport.rank() == 0, alone = transport.size() == 1;
  if (!first_rank) recorder = nullptr;

  // Which spikes are logged: by family, then by population, and by id where only some are.
  std::vector<std::vector<const SpikeRecording*>> recordings(net.family_count());
  for (const auto& s : net.spikes) recordings[s.population / net.replica_count()].push_back(&s);

  if (recorder && stats.began == 0)
    guarded([&] {
      record_edges(*recorder, hooks.stop);
      for (std::uint32_t r = 0; r < watched.size(); ++r) recorder->watched(r, watched[r]);
    });

  guarded([&] { check_mode("while the network was built"); });
  Emissions own, everyones;
  Emissions& all = alone ? own : everyones;
  std::vector<Spike> emitted, logged;
  Tick from = stats.began;
  Actions actions(net, from);
  const Checkpoints& checkpoints = hooks.checkpoints;
  heart.stop_at(hooks.stop);
  Tick next_checkpoint = checkpoints.every > 0 ? (from / checkpoints.every + 1) * checkpoints.every : never;
  auto last_checkpoint = begin;
  std::vector<Action> planned, with_posted;
  std::size_t posted_count = 0;
  std::uint64_t clock_turn = 0, deliveries = 0;
  if (end == 0) end = net.duration;
  ends.assign(net.replica_count(), end);
  stats.replicas.assign(ends.size(), {end, stats.until_met});
  first_end = end;
  const std::uint32_t replicas = net.replica_count();
  if (replicas > 1)
    for (Gid gid = 0; gid < net.gid_count(); ++gid) population_of_gid.push_back({partition.population_of(gid) / replicas, partition.population_of(gid) % replicas});
  while (from < end) {
    const Tick to = std::min(from + window, end);
    planned.clear();
    actions.take(to, planned);
    mark_complete(planned);
    for (const Action& a : planned) {
      if (a.report >= 0) ++frames_waiting[static_cast<std::size_t>(a.report)];
      if (a.weights >= 0) ++frames_waiting[net.reports.size() + static_cast<std::size_t>(a.weights)];
    }
    std::span<const Action> due(planned);
    const bool scheduled = !due.empty();
    if (!pending.empty() && pending.front().tick < to) {  // after the schedule's of their tick, before samples
      posted_count = 0;
      with_posted.assign(due.begin(), due.end());
      std::size_t n = 0;
      for (; n < pending.size() && pending[n].tick < to; ++n) {
        const Posted& p = pending[n];
        const std::uint32_t replica = replicas == 1 ? 0 : population_of_gid[p.gid].replica;
        if (p.tick >= ends[replica]) continue;
        if (posted_count == posted_now.size()) posted_now.emplace_back();
        ScheduledControl& acts = posted_now[posted_count++];
        acts.tick = p.tick;
        acts.control = p.control;
        const auto place = std::find_if(with_posted.begin(), with_posted.end(), [&](const Action& a) { return a.tick > p.tick || (a.tick == p.tick && !a.control); });
        with_posted.insert(place, {p.tick, &acts, -1, -1, -1, false, replicas == 1 ? -1 : static_cast<std::int32_t>(replica)});
        if (p.control.kind == Control::Kind::batch_end && !net.weight_events.empty()) sample_epoch(p, with_posted);
        if (recorder && p.control.kind == Control::Kind::reward) {
          const std::uint32_t population = partition.population_of(p.gid);
          guarded([&] { recorder->metrics(population, p.tick, std::span(p.control.value).first(net.populations[population].neuron()->metric_count)); });
        }
      }
      pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(n));
      due = with_posted;
    }

    // The clock is asked now and then only: a window may take less time than that.
    const bool look = (++clock_turn & (all.size() > 100 ? 0 : 63)) == 0;
    own.clear();
    Head head{never, 0, 0, 0, 0};
    guarded([&] {
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        Block& block = *blocks[b];
        if (block.retired()) continue;
        if (from >= first_end && block.replica() && from >= ends[*block.replica()] && !collects()) {  // samples go on
          block.retire();
          continue;
        }
        const bool acts = scheduled || (!due.empty() && block.obeys());
        if (acts || block.due() < to) {
          block.walk({from, to, end}, acts ? due : std::span<const Action>(), own, samples[b]);
          block.check_mode(mode, from, to);
        }
        head.next = std::min(head.next, block.due());
      }
      emitted.clear();
      for (auto& e : emitters) {
        e.emit(to, emitted, heart);
        head.next = std::min(head.next, e.next());
      }
      if (!emitters.empty()) check_mode("generating spikes");
      for (const auto& s : emitted) own.push_back({s.tick, 1, s.gid});
      head.next = std::min(head.next, actions.next());
    });

    if (window_abandoned) head.flags |= abandoned, own.clear();
    if (hooks.stop && hooks.stop->load(std::memory_order_relaxed)) head.flags |= stop_wanted;
    if (look && first_rank && collects() && seconds_since(last_flush) > 5) head.flags |= flush_wanted;
    if (!net.weight_events.empty())
      for (const auto& b : blocks)
        for (const auto& some : b->noted())
          if (some.size() > 65536) head.flags |= flush_wanted;
    if (look && first_rank && checkpoints.seconds > 0 && seconds_since(last_checkpoint) > checkpoints.seconds) head.flags |= checkpoint_wanted;
    if (look || to >= end) {
      head.deliveries = earlier.deliveries + earlier.superposed;
      for (const auto& b : blocks) head.deliveries += b->deliveries() + b->superposed();
    }
    const auto before = pending.size();
    if (alone) {
      if (own_failure) std::rethrow_exception(own_failure);
      for (auto& b : blocks)
        if (!b->posted.empty()) {
          pending.insert(pending.end(), b->posted.begin(), b->posted.end());
          b->posted.clear();
        }
    } else {
      exchange(head, from, own, all);
    }
    Tick next = head.next;
    const std::uint32_t flags = head.flags;
    if (flags & abandoned) {
      abandon_window(from, due, recorder);
      break;
    }
    if (head.deliveries) deliveries = head.deliveries;
    if (pending.size() > before) take_posted(before, to);
    if (!pending.empty()) next = std::min(next, pending.front().tick);
    if (to > first_end && replicas > 1) drop_ended(all);
    const auto earlier = [](const Emission& a, const Emission& b) { return a.tick != b.tick ? a.tick < b.tick : a.gid < b.gid; };
    const auto not_later = [&](const Emission& a, const Emission& b) { return !earlier(a, b); };
    bool distinct = std::adjacent_find(all.begin(), all.end(), not_later) == all.end();  // and sorted: most windows
    if (!distinct) {
      std::stable_sort(all.data(), all.data() + all.size(), earlier);
      distinct = std::adjacent_find(all.begin(), all.end(), not_later) == all.end();
      if (!distinct) check_distinct(all);
    }
    if (!all.empty() && lookahead != never) next = std::min(next, all.front().tick + lookahead);

    logged.clear();
    for (const Emission *e = all.begin(), *last = all.end(); e != last;) {  // run by run of one family and tick
      const std::uint32_t family = replicas == 1 ? partition.population_of(e->gid) : population_of_gid[e->gid].family;
      const Population& p = net.populations[family * replicas];  // the family's first
      const Emission* const first = e;
      const Gid beyond = p.first + replicas * p.size;
      if (last[-1].tick == e->tick && last[-1].gid < beyond) e = last;
      else while (e != last && e->gid < beyond && e->tick == first->tick) ++e;
      const std::span run(first, e);
      for (Block* b : listeners[family])
        if (distinct) b->post_together(family, run);
        else b->post(run);
      std::uint64_t* count = &stats.spikes_of_population[family * replicas];
      if (replicas == 1) *count += run.size();
      else
        for (Gid next = p.first + p.size; const Emission& x : run) {
          for (; x.gid >= next; next += p.size) ++count;
          ++*count;
        }
      if (p.neuron()) stats.spikes += run.size();
      if (!recorder || recordings[family].empty()) continue;
      for (const Emission& e : run)
        for (const auto* s : recordings[family]) {
          const std::uint32_t id = e.gid - net.populations[s->population].first;
          if (id < p.size && e.tick >= s->from && e.tick < s->to && (s->ids.empty() || std::binary_search(s->ids.begin(), s->ids.end(), id))) {
            logged.push_back({e.tick, e.gid});
            break;
          }
        }
    }
    ++stats.windows;
    stats.reached = to;
    // What waits on all ranks, known to all: by the number of frames, whose width does not change.
    std::uint64_t waiting = 0;
    for (std::size_t r = 0; r < series(); ++r)
      waiting += frames_waiting[r] * (r < net.reports.size() ? net.reports[r].ids.size() : weights_expected[r - net.reports.size()]);
    const bool last = to >= end || (flags & stop_wanted);
    const bool checkpoint = to < end && (to >= next_checkpoint || (flags & checkpoint_wanted) || ((flags & stop_wanted) && checkpoints.at_stop));
    const bool flush = last || checkpoint || (flags & flush_wanted) || waiting > (1u << 20);
    if (recorder && !logged.empty()) guarded([&] { recorder->spikes(logged); });
    if (flush) {
      flush_reports(recorder);
      last_flush = Clock::now();
    }
    if (recorder && (flush || (look && !collects()))) guarded([&] { recorder->commit(to); });
    if (checkpoint) {
      const auto start = Clock::now();
      check_numbers(to);
      if (recorder) guarded([&] { recorder->secure(to); });
      save(first_rank ? checkpoints.sink : nullptr, to);
      if (checkpoints.every > 0) next_checkpoint = (to / checkpoints.every + 1) * checkpoints.every;
      last_checkpoint = Clock::now();
      ++stats.checkpoints;
      stats.checkpoint_seconds += seconds_since(start);
    }
    if ((look || last) && first_rank && hooks.progress) {
      const auto now = Clock::now();
      if (last || now - last_progress > std::chrono::milliseconds(100)) {
        last_progress = now;
        hooks.progress({to, stats.spikes, deliveries});
      }
    }
    if (flags & stop_wanted) {
      stats.stopped = to < end;
      break;
    }
    from = next == never ? end : next < to + window ? to : next / window * window;
    if (from >= end && to < end) {  // nothing more will happen: the rest is silence
      stats.reached = end;
      flush_reports(recorder);
      if (recorder) guarded([&] { recorder->commit(end); });
      if (first_rank && hooks.progress) hooks.progress({end, stats.spikes, deliveries});
    }
  }
  check_numbers(std::max<Tick>(stats.reached, 1));
  for (std::size_t r = 0; r < ends.size(); ++r) stats.replicas[r].reached = std::min(ends[r], stats.reached);
  stats.deliveries = earlier.deliveries, stats.superposed = earlier.superposed, stats.threshold_tests = earlier.tests;
  stats.events_before = stats.events();
  for (const auto& b : blocks) {
    stats.deliveries += b->deliveries();
    stats.superposed += b->superposed();
    stats.threshold_tests += b->tests();
    stats.history_bytes += b->history_bytes();
  }
  stats.run_seconds = seconds_since(begin);
  return stats;
}

Simulation::Simulation(const Network& network, Transport& transport, SimulationOptions options)
    : impl_(std::make_unique<Impl>(network, transport, options)) {}
Simulation::~Simulation() = default;
Statistics Simulation::run(Recorder* recorder, const RunHooks& hooks) { return impl_->run(recorder, hooks); }
const std::vector<std::uint64_t>& Simulation::weight_widths() const { return impl_->edges_recorded; }
const Statistics& Simulation::built() const { return impl_->stats; }

Tick Simulation::window() const { return impl_->window; }

std::uint64_t Simulation::owned() const {
  std::uint64_t n = 0;
  for (const auto& b : impl_->blocks) n += b->gids().size();
  return n;
}

}  // namespace spinet
