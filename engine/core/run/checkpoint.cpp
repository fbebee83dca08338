// Saving and restoring a run between two windows.  Neurons are named by gid, synapses by (projection, target, number among
// the target's in the order of the draws), slices by (projection, source gid, delay): whoever owns them now.
#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <stdexcept>

#include "core/simulation_parts.hpp"

namespace spinet {
namespace {

struct RunState {
  Tick at, window, end, until_met;
  std::uint64_t spikes, deliveries, superposed, tests, windows, populations;
};
struct SliceHead {
  Gid source;
  std::uint32_t delay;
};

std::string neurons_of(const Population& p) { return "neurons/" + p.name; }
std::string synapses_of(const Projection& p) { return "synapses/" + p.name; }
std::string slices_of(const Projection& p) { return "slices/" + p.name; }

/// Do the synapses of projection `p` change during a run?
bool lives(const Network& net, std::uint32_t p) {
  const SynapseTable& t = *net.projections[p].synapse;
  return t.on_pre || t.on_control || t.slice_state_size || is_set(net.schedule, p);
}

template <class T>
std::vector<T> read_all(const CheckpointSource& from, const std::string& name) {
  const auto bytes = from.size(name);
  if (bytes % sizeof(T)) throw std::runtime_error("'" + name + "' has a part of an entry");
  std::vector<T> all(bytes / sizeof(T));
  from.read(name, 0, std::as_writable_bytes(std::span(all)));
  return all;
}

/// The synapses of a projection that end in one block, by target: how many each has, and where they are in the store.
struct ByTarget {
  std::vector<std::uint32_t> count;      ///< by target of the projection
  std::vector<std::uint32_t> positions;  ///< sorted by target, then draw
};
ByTarget by_target(const BlockSynapses& synapses, std::uint32_t p, const Network& net, const std::vector<std::unique_ptr<Wiring>>& wirings,
                   const Locator& locator, std::uint32_t block) {
  ByTarget r;
  r.count.assign(net.projections[p].target_count(), 0);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> drawn;
  synapses.edges_of(p, net, wirings, locator, block, [&](const DrawnEdge&, std::uint32_t target, std::uint32_t position) {
    drawn.push_back({target, position});
    ++r.count[target];
  });
  std::vector<std::uint32_t> begin(r.count.size());
  std::exclusive_scan(r.count.begin(), r.count.end(), begin.begin(), 0u);
  r.positions.resize(drawn.size());
  for (const auto& [target, position] : drawn) r.positions[begin[target]++] = position;
  return r;
}

}  // namespace

/// Brings `mine` of every rank to rank 0, which appends them, rank by rank, to `name`.
void Simulation::Impl::collect(CheckpointSink* sink, const std::string& name, std::span<const std::byte> mine) {
  Gathered all;
  transport.gather(mine, all);
  if (!sink) return;
  guarded([&] {
    for (int r = 0; r < transport.size(); ++r) sink->put(name, all.of(r));
  });
}

void Simulation::Impl::save(CheckpointSink* sink, Tick at) {
  for (auto& b : blocks) b->settle(at);

  std::uint64_t sums[3] = {};
  for (const auto& b : blocks) sums[0] += b->deliveries(), sums[1] += b->superposed(at), sums[2] += b->tests();
  Gathered all;
  transport.gather(std::as_bytes(std::span(sums)), all);
  if (sink)
    guarded([&] {
      RunState state{at, window, end, stats.until_met, stats.spikes, earlier.deliveries, earlier.superposed, earlier.tests, stats.windows, net.populations.size()};
      for (int r = 0; r < transport.size(); ++r) {
        std::memcpy(sums, all.of(r).data(), sizeof sums);
        state.deliveries += sums[0], state.superposed += sums[1], state.tests += sums[2];
      }
      sink->begin(at);
      sink->put("run", std::as_bytes(std::span(&state, 1)));
      sink->put("spikes_of_population", std::as_bytes(std::span(stats.spikes_of_population)));
      sink->put("postings", std::as_bytes(std::span(pending)));
    });
  save_emissions(sink, at);

  std::vector<std::byte> bytes;
  std::vector<Block::Asked> asked;
  for (const auto& b : blocks) {
    const auto some = b->save_agenda();
    asked.insert(asked.end(), some.begin(), some.end());
  }
  collect(sink, "agenda", std::as_bytes(std::span(asked)));

  // Neurons: each rank's as (gid, bytes); rank 0 puts them in order.
  for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
    const Population& population = net.populations[p];
    if (!population.neuron()) continue;
    const std::size_t each = Block::bytes_of_neuron(*groups[group_of_population.at(p)]->table);
    bytes.clear();
    for (const auto& b : blocks) {
      for (auto [j, last] = b->members(population); j < last; ++j) {
        append(bytes, &b->gids()[j], 1);
        bytes.resize(bytes.size() + each);
        b->save_neuron(j, bytes.data() + bytes.size() - each);
      }
    }
    transport.gather(bytes, all);
    if (!sink) continue;
    guarded([&] {
      std::vector<std::byte> ordered(population.size * each);
      for (std::size_t at_byte = 0; at_byte + sizeof(Gid) + each <= all.bytes.size(); at_byte += sizeof(Gid) + each) {
        Gid gid;
        std::memcpy(&gid, all.bytes.data() + at_byte, sizeof gid);
        std::memcpy(ordered.data() + (gid - population.first) * each, all.bytes.data() + at_byte + sizeof gid, each);
      }
      sink->put(neurons_of(population), ordered);
    });
  }

  // Histories, under the number of their time constant among all of the network.
  const auto taus = all_taus();
  for (std::size_t k = 0; k < taus.size(); ++k) {
    std::vector<Block::Past> past;
    for (const auto& b : blocks) {
      const auto some = b->save_history(taus[k]);
      past.insert(past.end(), some.begin(), some.end());
    }
    collect(sink, "history/" + std::to_string(k), std::as_bytes(std::span(past)));
  }

  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    const Projection& projection = net.projections[p];
    if (!lives(net, p) || wirings[p]->connector.run_count() == 0) continue;
    const std::size_t each = projection.synapse->state_size;
    const std::uint64_t targets = projection.target_count();

    // Counts of all targets, then states in pieces of some targets that rank 0 can hold.
    std::vector<ByTarget> mine;
    std::vector<std::uint32_t> counts(targets, 0);
    for (std::uint32_t b = 0; b < blocks.size(); ++b) {
      mine.push_back(by_target(blocks[b]->synapses(), p, net, wirings, locator, b));
      for (std::uint64_t t = 0; t < targets; ++t) counts[t] += mine.back().count[t];
    }
    transport.all_gather(std::as_bytes(std::span(counts)), all);
    std::vector<std::uint32_t> total(targets, 0);
    std::vector<int> owner(targets, 0);
    for (int r = 0; r < transport.size(); ++r)
      for (std::uint64_t t = 0; t < targets; ++t) {
        std::uint32_t n;
        std::memcpy(&n, all.of(r).data() + t * sizeof n, sizeof n);
        if (n) total[t] = n, owner[t] = r;
      }
    if (sink) guarded([&] { sink->put(synapses_of(projection) + "/counts", std::as_bytes(std::span(total))); });
    std::vector<std::size_t> taken(blocks.size(), 0);
    for (std::uint64_t from = 0; from < targets;) {
      std::uint64_t to = from, edges = 0;
      while (to < targets && (edges == 0 || (edges + total[to]) * each < (std::uint64_t{256} << 20))) edges += total[to++];
      bytes.clear();
      for (std::uint64_t t = from; t < to; ++t)
        for (std::size_t b = 0; b < blocks.size(); ++b) {
          if (!mine[b].count[t]) continue;
          const Store& store = blocks[b]->synapses().stores()[blocks[b]->synapses().store_of(p)];
          for (std::uint32_t k = 0; k < mine[b].count[t]; ++k) {
            const std::byte* const state = store.state_of(mine[b].positions[taken[b]++]);
            bytes.insert(bytes.end(), state, state + each);
          }
        }
      transport.gather(bytes, all);
      if (sink)
        guarded([&] {
          std::vector<std::byte> ordered;
          ordered.reserve(edges * each);
          std::vector<std::size_t> at_byte(all.begin.begin(), all.begin.end() - 1);
          for (std::uint64_t t = from; t < to; ++t) {
            auto& place = at_byte[static_cast<std::size_t>(owner[t])];
            ordered.insert(ordered.end(), all.bytes.begin() + static_cast<std::ptrdiff_t>(place), all.bytes.begin() + static_cast<std::ptrdiff_t>(place + total[t] * each));
            place += total[t] * each;
          }
          sink->put(synapses_of(projection), ordered);
        });
      from = to;
    }

    if (const std::size_t of_slice = projection.synapse->slice_state_size) {
      bytes.clear();
      for (const auto& b : blocks) {
        auto& synapses = b->synapses();
        const std::uint32_t k = synapses.store_of(p);
        if (k == synapses.stores().size()) continue;
        for (Gid gid = 0; gid < net.gid_count(); ++gid)
          for (std::uint32_t s = synapses.slices_begin(gid); s < synapses.slices_end(gid); ++s) {
            if (synapses.slice(s).store != k) continue;
            const SliceHead head{gid, synapses.delay_steps(s)};
            append(bytes, &head, 1);
            append(bytes, synapses.slice_state(s), of_slice);
          }
      }
      transport.gather(bytes, all);
      if (sink)
        guarded([&] {  // several blocks have slices of one source, all in the same state
          std::set<std::pair<Gid, std::uint32_t>> seen;
          std::vector<std::byte> once;
          const std::size_t row = sizeof(SliceHead) + of_slice;
          for (std::size_t i = 0; i + row <= all.bytes.size(); i += row) {
            SliceHead head;
            std::memcpy(&head, all.bytes.data() + i, sizeof head);
            if (seen.insert({head.source, head.delay}).second) append(once, all.bytes.data() + i, row);
          }
          sink->put(slices_of(projection), once);
        });
    }
  }
  save_changes(sink);
  if (sink) guarded([&] { sink->end(); });
}

/// Events on their way, each once, though several blocks wait for it.
void Simulation::Impl::save_emissions(CheckpointSink* sink, Tick at) {
  const auto earlier = [](const Emission& a, const Emission& b) { return a.tick != b.tick ? a.tick < b.tick : a.gid < b.gid; };
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
    for (std::uint32_t f = 0; f < p.synapse->model.params.count; ++f) put(params.data(), p.synapse->model.params.data[f], p.params[f]);
    taus.insert(p.synapse->post_tau(params.data()) * net.ticks_per_ms());
  }
  return {taus.begin(), taus.end()};
}

void Simulation::Impl::restore(const CheckpointSource& from) {
  const auto states = read_all<RunState>(from, "run");
  if (states.size() != 1 || states[0].window != window || states[0].populations != net.populations.size())
    throw std::runtime_error("it is of another network");
  const RunState& state = states[0];
  const Tick at = state.at;
  if (at < 1 || at > net.duration) throw std::runtime_error("it lies outside the run");
  const auto counts = read_all<std::uint64_t>(from, "spikes_of_population");
  if (counts.size() != net.populations.size()) throw std::runtime_error("it is of another network");

  for (auto& b : blocks) b->restore_begin(at, net.schedule);
  for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
    const Population& population = net.populations[p];
    if (!population.neuron()) continue;
    const std::size_t each = Block::bytes_of_neuron(*groups[group_of_population.at(p)]->table);
    const auto all = read_all<std::byte>(from, neurons_of(population));
    if (all.size() != population.size * each) throw std::runtime_error("population " + population.name + " has another size or model in it");
    for (auto& b : blocks)
      for (auto [j, last] = b->members(population); j < last; ++j) b->restore_neuron(j, all.data() + (b->gids()[j] - population.first) * each);
  }

  const auto block_of = [&](Gid gid) -> Block* {
    if (gid >= net.gid_count()) throw std::runtime_error("it names a neuron that the network does not have");
    const auto place = locator.of_run(partition.run_of(gid));
    return place.block == Locator::nowhere ? nullptr : blocks[place.block].get();
  };
  for (const auto& a : read_all<Block::Asked>(from, "agenda")) {
    if (a.tick < at || a.phase > static_cast<std::uint32_t>(Ask::evaluate)) throw std::runtime_error("'agenda' is damaged");
    if (Block* b = block_of(a.gid)) b->restore_asked(a);
  }
  const auto taus = all_taus();
  for (std::size_t k = 0; k < taus.size(); ++k)
    for (const auto& p : read_all<Block::Past>(from, "history/" + std::to_string(k)))
      if (Block* b = block_of(p.gid)) b->restore_past(taus[k], p);
  for (auto& b : blocks) b->restore_end(at);

  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    const Projection& projection = net.projections[p];
    if (!lives(net, p) || wirings[p]->connector.run_count() == 0) continue;
    const std::size_t each = projection.synapse->state_size;
    const auto number = read_all<std::uint32_t>(from, synapses_of(projection) + "/counts");
    std::vector<std::uint64_t> begin(number.size() + 1, 0);
    std::inclusive_scan(number.begin(), number.end(), begin.begin() + 1, std::plus<>{}, std::uint64_t{0});
    if (number.size() != projection.target_count() || from.size(synapses_of(projection)) != begin.back() * each)
      throw std::runtime_error("projection " + projection.name + " has other synapses in it");
    for (std::uint32_t b = 0; b < blocks.size(); ++b) {
      auto& synapses = blocks[b]->synapses();
      const std::uint32_t k = synapses.store_of(p);
      if (k == synapses.stores().size()) continue;
      Store& store = synapses.stores()[k];
      const auto mine = by_target(synapses, p, net, wirings, locator, b);
      std::vector<std::byte> states_of_target;
      for (std::uint64_t t = 0, taken = 0; t < number.size();) {
        if (!mine.count[t]) {
          ++t;
          continue;
        }
        std::uint64_t last = t;  // neighbours are read together
        while (last < number.size() && mine.count[last] && (begin[last] - begin[t]) * each < (std::uint64_t{64} << 20)) ++last;
        states_of_target.resize((begin[last] - begin[t]) * each);
        from.read(synapses_of(projection), begin[t] * each, states_of_target);
        const std::byte* source = states_of_target.data();
        for (; t < last; ++t) {
          if (mine.count[t] != number[t]) throw std::runtime_error("projection " + projection.name + " has other synapses in it");
          for (std::uint32_t i = 0; i < number[t]; ++i, source += each)
            std::memcpy(store.state.data() + std::uint64_t{mine.positions[taken++]} * each, source, each);
        }
      }
      if (const std::size_t of_slice = projection.synapse->slice_state_size) {
        const auto rows = read_all<std::byte>(from, slices_of(projection));
        const std::size_t row = sizeof(SliceHead) + of_slice;
        for (std::size_t i = 0; i + row <= rows.size(); i += row) {
          SliceHead head;
          std::memcpy(&head, rows.data() + i, sizeof head);
          if (head.source >= net.gid_count()) throw std::runtime_error("'" + slices_of(projection) + "' is damaged");
          for (std::uint32_t s = synapses.slices_begin(head.source); s < synapses.slices_end(head.source); ++s)
            if (synapses.slice(s).store == k && synapses.delay_steps(s) == head.delay)
              std::memcpy(synapses.slice_state(s), rows.data() + i + sizeof head, of_slice);
        }
      }
    }
  }

  pending = read_all<Posted>(from, "postings");
  for (const auto& p : pending)
    if (p.tick < at || p.gid >= net.gid_count() || !net.populations[partition.population_of(p.gid)].neuron()) throw std::runtime_error("'postings' is damaged");
  end = std::clamp<Tick>(state.end, at, net.duration);
  stats.until_met = state.until_met;
  const auto on_their_way = read_all<Emission>(from, "emissions");
  for (const auto& e : on_their_way) {
    if (e.tick < 0 || e.tick >= at || e.gid >= net.gid_count()) throw std::runtime_error("'emissions' is damaged");
    for (auto& b : blocks) b->post({&e, 1}, at);
  }
  for (auto& e : emitters) e.resume(at, heart);
  restore_changes(from);
  stats.spikes = state.spikes;
  stats.windows = state.windows;
  stats.began = stats.reached = at;
  stats.spikes_of_population = counts;
  if (transport.rank() == 0) earlier = {state.deliveries, state.superposed, state.tests};
}

void Simulation::restore(const CheckpointSource& from) { impl_->restore(from); }

}  // namespace spinet
