// Saving and restoring a run between two windows.  Neurons are named by gid, whoever owns them now; synapses
// are in checkpoint_synapses.cpp.
#include <algorithm>
#include <iterator>
#include <set>

#include "core/run/checkpoint_parts.hpp"

namespace spinet {
namespace {

struct RunState {
  Tick at, window, end, until_met;
  std::uint64_t spikes, deliveries, superposed, tests, windows, populations;
};

std::string neurons_of(const Population& p) { return "neurons/" + p.name; }

/// Do the synapses of projection `p` change during a run?
bool lives(const Network& net, std::uint32_t p) {
  const SynapseTable& t = *net.projections[p].synapse;
  return t.on_pre || t.on_control || t.slice_state_size || is_set(net.schedule, p);
}

}  // namespace

/// Brings `mine` of every rank to rank 0, which appends them, rank by rank, to `name`.
void Simulation::Impl::collect(CheckpointSink* sink, const std::string& name,
                               std::span<const std::byte> mine) {
  Gathered all;
  transport.gather(mine, all);
  if (!sink) return;
  guarded([&] {
    for (int r = 0; r < transport.size(); ++r) sink->put(name, all.of(r));
  });
}

void Simulation::Impl::save(CheckpointSink* sink, Tick at) {
  for (auto& b : blocks) b->settle(at);
  save_figures(sink, at);
  save_emissions(sink, at);
  std::vector<Block::Asked> asked;
  for (const auto& b : blocks) {
    const auto some = b->save_requests();
    asked.insert(asked.end(), some.begin(), some.end());
  }
  collect(sink, "agenda", std::as_bytes(std::span(asked)));
  for (const auto& population : net.populations)
    if (population.neuron()) save_neurons(sink, population);
  save_histories(sink);
  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    if (!lives(net, p) || wirings[p]->connector.stretch_count() == 0) continue;
    save_synapses(sink, p);
    if (net.projections[p].synapse->slice_state_size) save_slices(sink, p);
  }
  save_changes(sink);
  if (sink) guarded([&] { sink->end(); });
}

/// How far the run has come, and what it has counted.
void Simulation::Impl::save_figures(CheckpointSink* sink, Tick at) {
  std::uint64_t sums[3] = {};
  for (const auto& b : blocks)
    sums[0] += b->deliveries(), sums[1] += b->superposed_arrivals(at), sums[2] += b->tests();
  Gathered all;
  transport.gather(std::as_bytes(std::span(sums)), all);
  if (!sink) return;
  guarded([&] {
    RunState state{at,
                   window,
                   end,
                   stats.until_met,
                   stats.spikes,
                   earlier.deliveries,
                   earlier.superposed,
                   earlier.tests,
                   stats.windows,
                   net.populations.size()};
    for (int r = 0; r < transport.size(); ++r) {
      std::memcpy(sums, all.of(r).data(), sizeof sums);
      state.deliveries += sums[0], state.superposed += sums[1], state.tests += sums[2];
    }
    sink->begin(at);
    sink->put("run", std::as_bytes(std::span(&state, 1)));
    sink->put("spikes_of_population", std::as_bytes(std::span(stats.spikes_of_population)));
    sink->put("postings", std::as_bytes(std::span(pending)));
  });
}

/// Bytes of a neuron of the population in a checkpoint.
std::size_t Simulation::Impl::bytes_of_neuron(const Population& population) const {
  const auto p = static_cast<std::size_t>(&population - net.populations.data());
  return Block::bytes_of_neuron(*groups[group_of_population.at(p)]->table);
}

/// Each rank's as (gid, bytes); rank 0 puts them in order.
void Simulation::Impl::save_neurons(CheckpointSink* sink, const Population& population) {
  const std::size_t each = bytes_of_neuron(population);
  std::vector<std::byte> bytes;
  for (const auto& b : blocks) {
    for (auto [j, last] = b->members(population); j < last; ++j) {
      append(bytes, &b->gids()[j], 1);
      bytes.resize(bytes.size() + each);
      b->save_neuron(j, bytes.data() + bytes.size() - each);
    }
  }
  Gathered all;
  transport.gather(bytes, all);
  if (!sink) return;
  guarded([&] {
    std::vector<std::byte> ordered(population.size * each);
    for (std::size_t at = 0; at + sizeof(Gid) + each <= all.bytes.size(); at += sizeof(Gid) + each) {
      Gid gid;
      std::memcpy(&gid, all.bytes.data() + at, sizeof gid);
      std::memcpy(ordered.data() + (gid - population.first) * each, all.bytes.data() + at + sizeof gid, each);
    }
    sink->put(neurons_of(population), ordered);
  });
}

/// Under the number of their time constant among all of the network.
void Simulation::Impl::save_histories(CheckpointSink* sink) {
  const auto taus = all_taus();
  for (std::size_t k = 0; k < taus.size(); ++k) {
    std::vector<Block::Past> past;
    for (const auto& b : blocks) {
      const auto some = b->save_history(taus[k]);
      past.insert(past.end(), some.begin(), some.end());
    }
    collect(sink, "history/" + std::to_string(k), std::as_bytes(std::span(past)));
  }
}

/// Events on their way, each once, though several blocks wait for it.
void Simulation::Impl::save_emissions(CheckpointSink* sink, Tick at) {
  const auto earlier = [](const Emission& a, const Emission& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.gid < b.gid;
  };
  const auto add = [&](std::vector<Emission>& all, std::span<const Emission> some) {
    std::vector<Emission> both;  // of equal ones, as many as the one or the other has, not as both have
    std::set_union(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(both), earlier);
    all.swap(both);
  };
  std::vector<Emission> mine;
  for (const auto& b : blocks) add(mine, b->save_arrivals(at));
  Gathered all;
  transport.gather(std::as_bytes(std::span(mine)), all);
  if (!sink) return;
  guarded([&] {
    std::vector<Emission> together, of_rank;
    for (int r = 0; r < transport.size(); ++r) {
      of_rank.resize(all.of(r).size() / sizeof(Emission));
      if (!of_rank.empty()) std::memcpy(of_rank.data(), all.of(r).data(), all.of(r).size());
      add(together, of_rank);
    }
    sink->put("emissions", std::as_bytes(std::span(together)));
  });
}

/// The time constants of histories in the network, ascending; the same on all ranks.
std::vector<double> Simulation::Impl::all_taus() {
  std::set<double> taus;
  for (const auto& p : net.projections) {
    if (!p.synapse->post_tau) continue;
    std::vector<std::byte> params(p.synapse->params_size);
    for (std::uint32_t f = 0; f < p.synapse->model.params.count; ++f)
      put(params.data(), p.synapse->model.params.data[f], p.params[f]);
    taus.insert(p.synapse->post_tau(params.data()) * net.ticks_per_ms());
  }
  return {taus.begin(), taus.end()};
}

void Simulation::Impl::restore(const CheckpointSource& from) {
  const auto states = read_all<RunState>(from, "run");
  if (states.size() != 1 || states[0].window != window || states[0].populations != net.populations.size())
    throw UnfitCheckpoint("", "is of another network");
  const RunState& state = states[0];
  const Tick at = state.at;
  if (at < 1 || at > net.duration) throw UnfitCheckpoint("", "lies outside the run");
  const auto counts = read_all<std::uint64_t>(from, "spikes_of_population");
  if (counts.size() != net.populations.size()) throw UnfitCheckpoint("", "is of another network");

  for (auto& b : blocks) b->restore_begin(at, net.schedule);
  for (const auto& population : net.populations)
    if (population.neuron()) restore_neurons(from, population);
  restore_asked(from, at);
  for (auto& b : blocks) b->restore_end(at);
  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    if (!lives(net, p) || wirings[p]->connector.stretch_count() == 0) continue;
    restore_synapses(from, p);
    if (net.projections[p].synapse->slice_state_size) restore_slices(from, p);
  }
  end = std::clamp<Tick>(state.end, at, net.duration);
  stats.until_met = state.until_met;
  restore_events(from, at);
  for (auto& e : emitters) e.resume(at, heart);
  restore_changes(from);
  stats.spikes = state.spikes;
  stats.windows = state.windows;
  stats.began = stats.reached = at;
  stats.spikes_of_population = counts;
  if (transport.rank() == 0) earlier = {state.deliveries, state.superposed, state.tests};
}

void Simulation::Impl::restore_neurons(const CheckpointSource& from, const Population& population) {
  const std::size_t each = bytes_of_neuron(population);
  const auto all = read_all<std::byte>(from, neurons_of(population));
  if (all.size() != population.size * each)
    throw UnfitCheckpoint(neurons_of(population), "has another size or model");
  for (auto& b : blocks)
    for (auto [j, last] = b->members(population); j < last; ++j)
      b->restore_neuron(j, all.data() + (b->gids()[j] - population.first) * each);
}

/// What neurons have asked for, and histories.
void Simulation::Impl::restore_asked(const CheckpointSource& from, Tick at) {
  const auto block_of = [&](Gid gid) -> Block* {
    if (gid >= net.gid_count()) throw UnfitCheckpoint("", "names a neuron that the network does not have");
    const auto place = locator.of_stretch(partition.stretch_of(gid));
    return place.block == Locator::nowhere ? nullptr : blocks[place.block].get();
  };
  for (const auto& a : read_all<Block::Asked>(from, "agenda")) {
    if (a.tick < at || a.phase > static_cast<std::uint32_t>(Ask::evaluate))
      throw UnfitCheckpoint("agenda", "is damaged");
    if (Block* b = block_of(a.gid)) b->restore_asked(a);
  }
  const auto taus = all_taus();
  for (std::size_t k = 0; k < taus.size(); ++k)
    for (const auto& p : read_all<Block::Past>(from, "history/" + std::to_string(k)))
      if (Block* b = block_of(p.gid)) b->restore_past(taus[k], p);
}

/// Control events and spikes on their way.
void Simulation::Impl::restore_events(const CheckpointSource& from, Tick at) {
  pending = read_all<Posted>(from, "postings");
  for (const auto& p : pending)
    if (p.tick < at || p.gid >= net.gid_count() || !net.populations[partition.population_of(p.gid)].neuron())
      throw UnfitCheckpoint("postings", "is damaged");
  for (const auto& e : read_all<Emission>(from, "emissions")) {
    if (e.tick < 0 || e.tick >= at || e.gid >= net.gid_count())
      throw UnfitCheckpoint("emissions", "is damaged");
    for (auto& b : blocks) b->post({&e, 1}, at);
  }
}

void Simulation::restore(const CheckpointSource& from) { impl_->restore(from); }

}  // namespace spinet
