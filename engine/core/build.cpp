// Construction of one rank's part of a network.
#include <algorithm>
#include <stdexcept>

#include "core/failure.hpp"
#include "core/input_builder.hpp"
#include "network/grouping.hpp"
#include "network/lookup.hpp"

namespace spinet {

Simulation::Impl::Impl(const Network& network, Transport& t, const SimulationOptions& options)
    : net(network), transport(t), partition(network, t.size()), locator(partition), heart(options.pulse) {
  const auto begin = Clock::now();
  std::string problem;
  std::uint32_t stopped = 0;
  try {
    build(options);
  } catch (const std::bad_alloc&) {
    problem = "out of memory while building the network; use fewer neurons or synapses, or more ranks";
  } catch (const Stopped& e) {
    problem = e.what();
    own_failure = std::current_exception();
    stopped = stop_wanted;
  } catch (const std::exception& e) {
    problem = e.what();
    own_failure = std::current_exception();
  }
  // Everyone learns whether all could build: nobody waits for a rank that is gone.
  Head head{0, 0, static_cast<std::uint32_t>(problem.size()), problem.empty() ? 0u : failed | stopped, 0};
  std::vector<std::byte> message;
  append(message, &head, 1);
  append(message, problem.data(), problem.size());
  transport.all_gather(message, gathered);
  throw_if_failed();
  prepare_reports();
  stats.build_seconds = seconds_since(begin);
}

void Simulation::Impl::throw_if_failed() {
  for (int r = 0; r < transport.size(); ++r) {
    const auto part = gathered.of(r);
    Head head;
    std::memcpy(&head, part.data(), sizeof head);
    if (!(head.flags & failed)) continue;
    if (head.flags & stop_wanted) throw Stopped();
    if (own_failure && r == transport.rank()) std::rethrow_exception(own_failure);
    throw RankFailed(r, std::string(reinterpret_cast<const char*>(part.data()) + sizeof head, head.count));
  }
}

void Simulation::Impl::build(const SimulationOptions& options) {
  make_groups();
  Tick shortest = never;
  for (const auto& g : groups)
    if (g->frame_length) shortest = std::min(shortest, g->frame_length);
  slab = Source::slab(net, shortest);
  make_blocks(options.l2_bytes ? options.l2_bytes : usual_block_bytes());

  std::vector<bool> superposed;
  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    wirings.push_back(std::make_unique<Wiring>(net, p, options.stop));
    superposed.push_back(is_superposed(net, net.projections[p]));
    if (!superposed[p] && net.projections[p].target_count() && net.projections[p].source_count())
      lookahead = std::min(lookahead, net.delay_resolution * wirings[p]->least_delay);
  }
  const Tick cap = options.window_cap
                       ? options.window_cap
                       : std::min<Tick>(static_cast<Tick>(10 * net.ticks_per_ms()), Tick{1} << 30);
  window = std::max<Tick>(1, std::min({lookahead, cap, sampling_cap()}));

  auto input = InputBuilder(*this, superposed).make(options.order);
  for (std::uint32_t b = 0; b < blocks.size(); ++b) {
    auto synapses = std::make_unique<BlockSynapses>(edges_into(b), superposed);
    stats.stored_synapses += synapses->synapse_count();
    stats.slices += synapses->slice_count();
    stats.synapse_bytes += synapses->bytes();
    blocks[b]->connect(std::move(synapses), std::move(input[b]), {window, graded, options.small_slices});
  }
  for (const auto& w : wirings) stats.synapse_bytes += w->shared_weights.size() * sizeof(float);
  stats.synapses += stats.stored_synapses;
  for (std::uint32_t f = 0; f < net.family_count(); ++f) {
    auto& some = listeners.emplace_back();
    for (const auto& b : blocks)
      if (b->hears(f)) some.push_back(b.get());
  }
  stats.spikes_of_population.assign(net.populations.size(), 0);
  make_emitters(superposed);
  for (auto& b : blocks) b->start();
  for (auto& w : wirings) w->connector.built();
  samples.assign(blocks.size(), std::vector<std::vector<float>>(series()));
}

/// Ticks in which no more is sampled than memory should hold, since samples are handed over between windows.
Tick Simulation::Impl::sampling_cap() const {
  constexpr double most = 1 << 22, of_action = 16;  // values, and what an action takes in their place
  double per_tick = 0;
  for (const auto& r : net.reports)
    per_tick += (static_cast<double>(r.ids.size()) + of_action) / static_cast<double>(r.every);
  for (const auto& w : net.weights)
    per_tick += (wirings[w.projection]->connector.expected() + of_action) / static_cast<double>(w.every);
  for (const auto& s : net.schedule) {
    const Tick every = s.waveform() ? s.waveform()->resolution : s.count > 1 ? s.every : 0;
    if (every > 0) per_tick += of_action / static_cast<double>(every);
  }
  const double cap = most / std::max(per_tick, 1e-9);
  return std::max<Tick>(1, static_cast<Tick>(cap));
}

void Simulation::Impl::make_groups() {
  std::map<std::pair<const NeuronTable*, std::vector<double>>, std::uint32_t> group_of;
  for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
    const Population& population = net.populations[p];
    const NeuronTable* table = population.neuron();
    if (!table) continue;
    graded |= table->graded != 0;
    Kernel kernel = kernel_of(net, p);
    if (kernel.fault) throw ModelFailure(net, p, 0, 0, kernel.fault);
    table = kernel.table;
    const RunInfo run{net.ticks_per_ms()};
    const Tick frame = table->frame ? table->frame(kernel.params.data(), &run) : 0;
    if (table->frame && frame <= 0)
      throw ModelFailure(net, p, 0, 0, "its frames have " + std::to_string(frame) + " ticks");
    const auto [known, fresh] =
        group_of.try_emplace({table, kernel.key}, static_cast<std::uint32_t>(groups.size()));
    if (fresh) {
      groups.push_back(std::make_unique<KernelGroup>(
          KernelGroup{table, kernel.key, Buffer<std::byte>(table->shared_size), frame}));
      prototypes.push_back(std::move(kernel.params));
    }
    auto& group = *groups[known->second];
    group.frame_length = std::min(group.frame_length, frame);
    group_of_population[p] = known->second;
  }
  const RunInfo run{net.ticks_per_ms()};
  for (std::size_t g = 0; g < groups.size(); ++g)
    if (groups[g]->table->prepare)
      groups[g]->table->prepare(groups[g]->shared.data(), prototypes[g].data(), &run,
                                groups[g]->frame_length);
}

void Simulation::Impl::make_blocks(std::uint64_t l2_bytes) {
  std::vector<std::vector<std::uint32_t>> stretches_of(groups.size());  // this rank's
  for (std::uint32_t r = 0; r < partition.stretches().size(); ++r) {
    const GidStretch& stretch = partition.stretches()[r];
    if (const auto group = group_of_population.find(stretch.population);
        stretch.owner == transport.rank() && group != group_of_population.end())
      stretches_of[group->second].push_back(r);
  }
  for (std::uint32_t g = 0; g < groups.size(); ++g) {
    const std::uint64_t most = most_in_block(net, *groups[g]->table, l2_bytes);
    std::vector<Gid> gids;
    const auto close = [&] {
      if (!gids.empty()) blocks.push_back(std::make_unique<Block>(net, *groups[g], std::move(gids), heart));
      gids.clear();
    };
    for (const std::uint32_t r : stretches_of[g]) {
      const GidStretch& stretch = partition.stretches()[r];
      if (gids.size() + stretch.count > most) close();
      locator.place(r, {static_cast<std::uint32_t>(blocks.size()), static_cast<std::uint32_t>(gids.size())});
      for (std::uint32_t i = 0; i < stretch.count; ++i) gids.push_back(stretch.first + i);
    }
    close();
  }
}

void Simulation::Impl::make_emitters(const std::vector<bool>& superposed) {
  std::vector<bool> needed(net.populations.size(), false);  // recorded, or heard other than in superposition
  for (const auto& s : net.spikes) needed[s.population] = true;
  for (std::uint32_t q = 0; q < net.projections.size(); ++q)
    for (const auto& r : net.projections[q].sources)
      for (std::uint32_t p = population_of(net, r.first);
           !superposed[q] && p < needed.size() && net.populations[p].first < r.first + r.count; ++p)
        needed[p] = true;
  for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
    const Population& population = net.populations[p];
    if (!population.source()) continue;
    if (!needed[p]) {
      stats.spikes_of_population[p] = Statistics::not_counted;
      continue;
    }
    for (std::uint32_t unit = 0; unit * source_unit < population.size; ++unit) {
      const Gid first = population.first + unit * source_unit;
      std::vector<bool> own(std::min(source_unit, population.size - unit * source_unit));
      bool any = false;
      for (std::uint32_t i = 0; i < own.size(); ++i) {
        own[i] = partition.stretches()[partition.stretch_of(first + i)].owner == transport.rank();
        any = any || own[i];
      }
      if (any) emitters.emplace_back(Source(net, p, unit), first, std::move(own), slab);
    }
  }
}

}  // namespace spinet
