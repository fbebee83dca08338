// What ranks tell each other in a window, and what it must not contain.
#include "core/simulation_parts.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/errors.hpp"
#include "core/failure.hpp"
#include "network/grouping.hpp"
#include "network/lookup.hpp"

namespace spinet {

const Stimulus& Simulation::Impl::stimulus_of(const Posted& p) const {
  return net.populations[partition.population_of(p.gid)].neuron()->posts[p.control.stimulus];
}

/// As if the schedule had it.
ScheduledControl Simulation::Impl::entry_of(const Posted& p) const {
  ScheduledControl c;
  c.tick = p.tick;
  c.kind = ScheduledControl::Kind::stimulus;
  c.stimulus = &stimulus_of(p);
  std::copy(std::begin(p.control.value), std::end(p.control.value), c.value);
  if (p.to.kind == PostedTo::Kind::everyone) return c;
  const std::uint32_t q = net.populations[partition.population_of(p.gid)].drives[p.to.projection];
  if (const auto scheme = net.projections[q].crossbar; scheme && lies_across(*c.stimulus)) {
    CrossPoints points{q, {}, {}, *scheme};
    if (p.to.kind != PostedTo::Kind::column && p.to.kind != PostedTo::Kind::projection)
      points.rows = {p.to.source};
    if (p.to.kind != PostedTo::Kind::row && p.to.kind != PostedTo::Kind::projection)
      points.columns = {p.to.target};
    c.to.places = {std::move(points)};
    return c;
  }
  switch (p.to.kind) {
    case PostedTo::Kind::row:
      c.to.places = {Row{q, p.to.source}};
      break;
    case PostedTo::Kind::column:
      c.to.places = {Column{q, p.to.target}};
      break;
    case PostedTo::Kind::pair:
      c.to.places = {Pairs{q, {{p.to.source, p.to.target}}}};
      break;
    default:
      c.to.places = {WholeProjection{q}};
  }
  return c;
}

/// Whom an environment addresses by a pair must be there: the rank that has the target knows.
void Simulation::Impl::look_for_pair(const Posted& p) const {
  const std::uint32_t q = net.populations[partition.population_of(p.gid)].drives[p.to.projection];
  const Projection& projection = net.projections[q];
  const Gid target = gid_at(projection.targets, p.to.target);
  const std::uint32_t stretch = partition.stretch_of(target), block = locator.of_stretch(stretch).block;
  if (partition.stretches()[stretch].owner != transport.rank() || block == Locator::nowhere) return;
  const std::uint32_t j = locator.in_block(target, block);
  if (blocks[block]->synapses().connects(q, gid_at(projection.sources, p.to.source), j)) return;
  if (is_superposed(net, projection)) return;
  throw ModelFailure::of(net, p.gid, p.tick,
                         "addresses what it posts to the synapse from source " + std::to_string(p.to.source) +
                             " to target " + std::to_string(p.to.target) + " of '" + projection.name +
                             "', but none was drawn between them");
}

/// New control events of environments, pending[first..]: checked, sorted in, and looked through for the end
/// of the run.
void Simulation::Impl::take_posted(std::size_t first, Tick to) {
  for (std::size_t i = first; i < pending.size(); ++i) {
    const Posted& p = pending[i];
    if (p.tick < to)
      guarded([&] {
        throw ModelFailure::of(net, p.gid, p.tick,
                               "posts control events sooner than the network's shortest delay");
      });
    if (p.to.kind == PostedTo::Kind::pair) guarded([&] { look_for_pair(p); });
    if (!net.until || !(stimulus_of(p).flags & scored)) continue;
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

/// Where each replica ends, as far as is known: at the duration, until its stop condition is met.
void Simulation::Impl::begin_replicas() {
  if (end == 0) end = net.duration;
  const std::uint32_t replicas = net.replica_count();
  ends.assign(replicas, end);
  stats.replicas.assign(replicas, {end, stats.until_met});
  first_end = end;
  if (replicas == 1) return;
  for (Gid gid = 0; gid < net.gid_count(); ++gid) {
    const std::uint32_t p = partition.population_of(gid);
    population_of_gid.push_back({p / replicas, p % replicas});
  }
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
  if (now == mode) [[likely]]
    return;
  mode.restore();
  std::set<std::string> models;
  for (const auto& p : net.populations) models.insert(p.model->name);
  for (const auto& p : net.projections)
    if (p.synapse) models.insert(p.synapse->model.name);
  throw ModeChanged("one of the models", std::move(models), when, now.changed_since(mode));
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

/// Sends this rank's part of a window to all and receives theirs: `all` gets everyone's emissions, `pending`
/// the control events, and `head` becomes that of all ranks together.
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
    for (std::uint64_t i = 0; i < head.posted; ++i)
      std::memcpy(&pending.emplace_back(), at + i * sizeof(Posted), sizeof(Posted));
  }
  head = together;
}

}  // namespace spinet
