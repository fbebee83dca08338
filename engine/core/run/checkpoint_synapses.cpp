// The synapses of a checkpoint, named by (projection, target, number among the target's in the order of the
// draws), and their slices, by (projection, source gid, delay): whoever owns them now.
#include <functional>
#include <numeric>
#include <set>

#include "core/run/checkpoint_parts.hpp"

namespace spinet {
namespace {

constexpr std::uint64_t most_gathered = std::uint64_t{256} << 20,
                        most_read = std::uint64_t{64} << 20;  // bytes

struct SliceHead {
  Gid source;
  std::uint32_t delay;
};

std::string synapses_of(const Projection& p) { return "synapses/" + p.name; }
std::string slices_of(const Projection& p) { return "slices/" + p.name; }

[[noreturn]] void refuse_others(const Projection& p) {
  throw UnfitCheckpoint(synapses_of(p), "has other synapses");
}

/// The synapses of a projection that end in one block, by target: how many each has, and where they are in
/// the store.
struct ByTarget {
  std::vector<std::uint32_t> count;      ///< by target of the projection
  std::vector<std::uint32_t> positions;  ///< sorted by target, then draw
};
ByTarget by_target(const BlockSynapses& synapses, std::uint32_t p, const BlockEdges& all) {
  ByTarget r;
  r.count.assign(all.network.projections[p].target_count(), 0);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> drawn;
  synapses.edges_of(p, all, [&](const DrawnEdge&, std::uint32_t target, std::uint32_t position) {
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

/// Counts of all targets, then states in pieces of some targets that rank 0 can hold.
void Simulation::Impl::save_synapses(CheckpointSink* sink, std::uint32_t p) {
  const Projection& projection = net.projections[p];
  const std::size_t each = projection.synapse->state_size;
  const std::uint64_t targets = projection.target_count();
  std::vector<ByTarget> mine;
  std::vector<std::uint32_t> counts(targets, 0);
  for (std::uint32_t b = 0; b < blocks.size(); ++b) {
    mine.push_back(by_target(blocks[b]->synapses(), p, edges_into(b)));
    for (std::uint64_t t = 0; t < targets; ++t) counts[t] += mine.back().count[t];
  }
  Gathered all;
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
  std::vector<std::byte> bytes;
  for (std::uint64_t from = 0, to = 0; from < targets; from = to) {
    std::uint64_t edges = 0;
    while (to < targets && (edges == 0 || (edges + total[to]) * each < most_gathered)) edges += total[to++];
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
    if (!sink) continue;
    guarded([&] {
      std::vector<std::byte> ordered;
      ordered.reserve(edges * each);
      std::vector<std::size_t> begin(all.begin.begin(), all.begin.end() - 1);
      for (std::uint64_t t = from; t < to; ++t) {
        auto& place = begin[static_cast<std::size_t>(owner[t])];
        const auto first = all.bytes.begin() + static_cast<std::ptrdiff_t>(place);
        ordered.insert(ordered.end(), first, first + static_cast<std::ptrdiff_t>(total[t] * each));
        place += total[t] * each;
      }
      sink->put(synapses_of(projection), ordered);
    });
  }
}

void Simulation::Impl::save_slices(CheckpointSink* sink, std::uint32_t p) {
  const std::size_t of_slice = net.projections[p].synapse->slice_state_size;
  std::vector<std::byte> bytes;
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
  Gathered all;
  transport.gather(bytes, all);
  if (!sink) return;
  guarded([&] {  // several blocks have slices of one source, all in the same state
    std::set<std::pair<Gid, std::uint32_t>> seen;
    std::vector<std::byte> once;
    const std::size_t row = sizeof(SliceHead) + of_slice;
    for (std::size_t i = 0; i + row <= all.bytes.size(); i += row) {
      SliceHead head;
      std::memcpy(&head, all.bytes.data() + i, sizeof head);
      if (seen.insert({head.source, head.delay}).second) append(once, all.bytes.data() + i, row);
    }
    sink->put(slices_of(net.projections[p]), once);
  });
}

void Simulation::Impl::restore_synapses(const CheckpointSource& from, std::uint32_t p) {
  const Projection& projection = net.projections[p];
  const std::size_t each = projection.synapse->state_size;
  const auto number = read_all<std::uint32_t>(from, synapses_of(projection) + "/counts");
  std::vector<std::uint64_t> begin(number.size() + 1, 0);
  std::inclusive_scan(number.begin(), number.end(), begin.begin() + 1, std::plus<>{}, std::uint64_t{0});
  if (number.size() != projection.target_count() || from.size(synapses_of(projection)) != begin.back() * each)
    refuse_others(projection);
  for (std::uint32_t b = 0; b < blocks.size(); ++b) {
    auto& synapses = blocks[b]->synapses();
    const std::uint32_t k = synapses.store_of(p);
    if (k == synapses.stores().size()) continue;
    Store& store = synapses.stores()[k];
    const auto mine = by_target(synapses, p, edges_into(b));
    std::vector<std::byte> states;
    for (std::uint64_t t = 0, taken = 0; t < number.size();) {
      if (!mine.count[t]) {
        ++t;
        continue;
      }
      std::uint64_t last = t;  // neighbours are read together
      while (last < number.size() && mine.count[last] && (begin[last] - begin[t]) * each < most_read) ++last;
      states.resize((begin[last] - begin[t]) * each);
      from.read(synapses_of(projection), begin[t] * each, states);
      const std::byte* source = states.data();
      for (; t < last; ++t) {
        if (mine.count[t] != number[t]) refuse_others(projection);
        for (std::uint32_t i = 0; i < number[t]; ++i, source += each)
          std::memcpy(store.state.data() + std::uint64_t{mine.positions[taken++]} * each, source, each);
      }
    }
  }
}

void Simulation::Impl::restore_slices(const CheckpointSource& from, std::uint32_t p) {
  const Projection& projection = net.projections[p];
  const std::size_t of_slice = projection.synapse->slice_state_size, row = sizeof(SliceHead) + of_slice;
  const auto rows = read_all<std::byte>(from, slices_of(projection));
  for (std::size_t i = 0; i + row <= rows.size(); i += row) {
    SliceHead head;
    std::memcpy(&head, rows.data() + i, sizeof head);
    if (head.source >= net.gid_count()) throw UnfitCheckpoint(slices_of(projection), "is damaged");
    for (auto& b : blocks) {
      auto& synapses = b->synapses();
      const std::uint32_t k = synapses.store_of(p);
      if (k == synapses.stores().size()) continue;
      for (std::uint32_t s = synapses.slices_begin(head.source); s < synapses.slices_end(head.source); ++s)
        if (synapses.slice(s).store == k && synapses.delay_steps(s) == head.delay)
          std::memcpy(synapses.slice_state(s), rows.data() + i + sizeof head, of_slice);
    }
  }
}

}  // namespace spinet
