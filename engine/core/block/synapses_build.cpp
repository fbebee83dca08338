// Construction of a block's synapses, in two passes over the same draws: the first counts them by (source,
// delay), which gives the slices and where each begins; the second writes every synapse into the next free
// place of its slice.  Nothing of the size of the synapses is kept between the passes: drawing an edge again
// costs less than moving it.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/block/synapses.hpp"
#include "core/errors.hpp"
#include "core/finite.hpp"
#include "network/grouping.hpp"

namespace spinet {
/// One store's slices while building.  `visit(f)` calls f(EndingEdge, projection) for the edges of the store
/// that end in the block, in canonical order.  In tables, a row is a source, and a column a delay.
struct BlockSynapses::Part {
  std::vector<SliceEntry> slices;
  std::vector<std::uint32_t> delays, first;  ///< `first` by source gid - low
  Gid low = 0, high = 0;
  std::uint32_t store = 0, least = 0, longest = 0;
  std::uint64_t steps = 1;  ///< different delays that may be drawn
  std::uint64_t total = 0;  ///< synapses
  bool sparse = false;
  std::uint64_t rows() const { return high - low; }
  std::uint64_t row_of(const EndingEdge& e) const { return e.source - low; }
  std::uint32_t step_of(const EndingEdge& e) const { return e.delay - least; }
  /// Rows whose counts lie in memory together: 256 MB.
  std::uint64_t rows_at_once() const {
    return std::clamp<std::uint64_t>((std::uint64_t{64} << 20) / steps, 1,
                                     std::max<std::uint64_t>(1, rows()));
  }

  void add(std::uint32_t step, std::uint32_t count) {
    slices.push_back({total, count, store});
    delays.push_back(least + step);
    total += count;
    longest = std::max(longest, count);
  }
  template <class Visit>
  void count(const Visit& visit) {
    first.reserve(rows() + 1);
    sparse ? count_sparse(visit) : count_dense(visit);
    first.push_back(static_cast<std::uint32_t>(slices.size()));
  }
  /// A table of counts by (source, delay); a large one is done in pieces of sources, each drawing all edges
  /// again.
  template <class Visit>
  void count_dense(const Visit& visit) {
    const std::uint64_t at_once = rows_at_once();
    Buffer<std::uint32_t> table(at_once * steps);
    for (std::uint64_t row0 = 0; row0 < rows(); row0 += at_once) {
      std::memset(table.data(), 0, table.bytes());
      visit([&](const EndingEdge& e, std::uint32_t) {
        if (row_of(e) - row0 < at_once) ++table[(row_of(e) - row0) * steps + step_of(e)];
      });
      for (std::uint64_t row = 0; row < std::min(at_once, rows() - row0); ++row) {
        first.push_back(static_cast<std::uint32_t>(slices.size()));
        for (std::uint32_t d = 0; d < steps; ++d)
          if (const std::uint32_t n = table[row * steps + d]) add(d, n);
      }
    }
  }
  /// Where most cells of that table would be empty: the cells themselves, sorted, in pieces of sources with
  /// some million edges.
  template <class Visit>
  void count_sparse(const Visit& visit) {
    constexpr std::uint64_t most_cells = 8 << 20;
    std::vector<std::uint32_t> of_row(rows(), 0);
    visit([&](const EndingEdge& e, std::uint32_t) { ++of_row[row_of(e)]; });
    std::vector<std::uint64_t> cells;
    for (std::uint64_t row0 = 0, end; row0 < rows(); row0 = end) {
      std::uint64_t n = of_row[row0];
      for (end = row0 + 1; end < rows() && n + of_row[end] <= most_cells; ++end) n += of_row[end];
      cells.clear();
      visit([&](const EndingEdge& e, std::uint32_t) {
        if (row_of(e) >= row0 && row_of(e) < end) cells.push_back(row_of(e) << 32 | step_of(e));
      });
      std::sort(cells.begin(), cells.end());
      std::size_t i = 0;
      for (std::uint64_t row = row0; row < end; ++row) {
        first.push_back(static_cast<std::uint32_t>(slices.size()));
        while (i < cells.size() && cells[i] >> 32 == row) {
          const std::size_t begin = i;
          while (i < cells.size() && cells[i] == cells[begin]) ++i;
          add(static_cast<std::uint32_t>(cells[begin]), static_cast<std::uint32_t>(i - begin));
        }
      }
    }
  }
  /// Calls f(EndingEdge, projection, place in the store) for all edges.
  template <class Visit, class F>
  void place(const Visit& visit, F&& f) const {
    if (sparse) {
      std::vector<std::uint32_t> taken(slices.size(), 0);
      visit([&](const EndingEdge& e, std::uint32_t p) {
        const auto begin = delays.begin() + first[row_of(e)], end = delays.begin() + first[row_of(e) + 1];
        const auto s = static_cast<std::size_t>(std::lower_bound(begin, end, e.delay) - delays.begin());
        f(e, p, static_cast<std::uint32_t>(slices[s].begin) + taken[s]++);
      });
      return;
    }
    const std::uint64_t at_once = rows_at_once();
    Buffer<std::uint32_t> table(at_once * steps);
    for (std::uint64_t row0 = 0; row0 < rows(); row0 += at_once) {
      for (std::uint64_t row = 0; row < std::min(at_once, rows() - row0); ++row)
        for (std::uint32_t s = first[row0 + row]; s < first[row0 + row + 1]; ++s)
          table[row * steps + delays[s] - least] = static_cast<std::uint32_t>(slices[s].begin);
      visit([&](const EndingEdge& e, std::uint32_t p) {
        if (row_of(e) - row0 < at_once) f(e, p, table[(row_of(e) - row0) * steps + step_of(e)]++);
      });
    }
  }
};

BlockSynapses::BlockSynapses(const BlockEdges& from, const std::vector<bool>& superposed) {
  const auto& [net, wirings, locator, block] = from;
  for (std::uint32_t p = 0; p < net.projections.size(); ++p)
    if (!superposed[p] && wirings[p]->connector.stretch_count() != 0) put_into_store(net, p, *wirings[p]);
  std::vector<Part> parts(stores_.size());
  for (std::uint32_t k = 0; k < stores_.size(); ++k) fill(from, k, parts[k]);
  number_slices(net, parts);
}

/// The store of projection `p`: one that there is, or a new one.
void BlockSynapses::put_into_store(const Network& net, std::uint32_t p, const Wiring& wiring) {
  const auto& projection = net.projections[p];
  const bool uniform = has_uniform_weight(net, p);
  for (Store& s : stores_)
    if (share_store(net, p, s.projections[0])) return s.projections.push_back(p);
  Store s{};
  s.table = projection.synapse;
  s.port = projection.port;
  s.sign = projection.sign;
  s.uniform = uniform;
  s.weight = uniform ? static_cast<float>(wiring.state[0](0.5)) : 0;  // as where each has its own
  if (!wiring.shared_weights.empty()) {
    if (s.table->on_pre || s.table->on_control)
      throw ProjectionFailure(projection, std::string("synapses of model ") + s.table->model.name +
                                              " have states of their own and cannot share weights");
    s.shared_weights = wiring.shared_weights.data();
  }
  s.shared = Buffer<std::byte>(s.table->shared_size);
  s.params.resize(s.table->params_size);
  const Fields& fields = s.table->model.params;
  for (std::uint32_t f = 0; f < fields.count; ++f) put(s.params.data(), fields.data[f], projection.params[f]);
  const RunInfo run{net.ticks_per_ms()};
  s.next_params = s.params;
  if (s.table->prepare) s.table->prepare(s.shared.data(), s.params.data(), &run);
  if (s.table->post_tau) s.post_tau = s.table->post_tau(s.params.data());
  if (s.table->pre_tau) s.pre_tau = s.table->pre_tau(s.params.data());
  for (const double tau : {s.table->post_tau ? s.post_tau : 0, s.pre_tau})
    if (!std::isfinite(tau) || tau < 0)
      throw ProjectionFailure(projection, std::string("the time constant of a trace of model ") +
                                              s.table->model.name + " is " + shortest(tau) + " ms");
  s.random = stream_key(net.projection_identity(p), Purpose::event);
  s.projections.push_back(p);
  stores_.push_back(std::move(s));
}

/// Both passes for store `k`.
void BlockSynapses::fill(const BlockEdges& from, std::uint32_t k, Part& part) {
  Store& store = stores_[k];
  part.store = k;
  part.low = part.least = 0xFFFFFFFFu;
  for (const auto p : store.projections) {
    part.least = std::min(part.least, from.wirings[p]->least_delay);
    store.most_delay = std::max(store.most_delay, from.wirings[p]->most_delay);
    for (const auto& r : from.network.projections[p].sources) {
      part.low = std::min(part.low, r.first);
      part.high = std::max(part.high, r.first + r.count);
    }
  }
  part.steps = std::uint64_t{store.most_delay} - part.least + 1;
  const double cells = static_cast<double>(part.rows()) * static_cast<double>(part.steps);
  part.sparse = cells > 1 << 20 && cells / 16 > from.expected(store.projections);
  const auto visit = [&](auto&& f) {
    for (const auto p : store.projections) from.each(p, [&](const EndingEdge& e) { f(e, p); });
  };
  part.count(visit);
  longest_ = std::max(longest_, part.longest);
  if (part.total > 0xFFFFFFFFull)
    throw TooMany("synapses of one kind in one block", 0xFFFFFFFFu, "use more ranks");
  synapses_ += part.total;
  write(from, part, visit);
  if (store.table->draws) count_copies(from.network, part);
}

/// The second pass: targets and states.
template <class Visit>
void BlockSynapses::write(const BlockEdges& from, const Part& part, const Visit& visit) {
  Store& store = stores_[part.store];
  store.targets = Buffer<std::uint16_t>(part.total);
  if (!store.stateless()) store.state = Buffer<std::byte>(part.total * store.table->state_size);
  if (store.shared_weights) return share(from, part, visit);
  std::vector<StateMaker> makers;
  for (const auto p : store.projections)
    makers.emplace_back(from.network, *from.wirings[p], store.shared.data(), store.params.data());
  const bool only_weight = !store.table->on_pre;
  auto* const weights = reinterpret_cast<float*>(store.state.data());
  std::uint32_t present = 0xFFFFFFFFu;
  std::size_t maker = 0;
  part.place(
      visit, [&](const EndingEdge& e, std::uint32_t p, std::uint32_t at) __attribute__((always_inline)) {
        store.targets[at] = e.local;
        if (store.uniform) return;
        if (only_weight) {
          weights[at] = static_cast<float>(from.wirings[p]->weight_of(e.drawn));
          return;
        }
        if (p != present) {
          present = p;
          const auto place = std::find(store.projections.begin(), store.projections.end(), p);
          maker = static_cast<std::size_t>(place - store.projections.begin());
        }
        makers[maker].make(store.state.data() + std::uint64_t{at} * store.table->state_size, e.drawn,
                           e.target);
      });
}

/// The second pass where weights are shared: targets, and which weight each synapse takes.
template <class Visit>
void BlockSynapses::share(const BlockEdges& from, const Part& part, const Visit& visit) {
  Store& store = stores_[part.store];
  store.which = Buffer<std::uint32_t>(part.total);
  const std::uint32_t p = store.projections[0];  // the only one
  const std::size_t weights = from.wirings[p]->shared_weights.size();
  part.place(visit, [&](const EndingEdge& e, std::uint32_t, std::uint32_t at) {
    const std::uint32_t which = e.drawn.weight_word;
    if (which >= weights)
      throw ProjectionFailure(from.network.projections[p], "its rule gives a synapse the shared weight " +
                                                               std::to_string(which) + " of " +
                                                               std::to_string(weights));
    store.targets[at] = e.local;
    store.which[at] = which;
  });
}

/// Tells apart the synapses of one source, delay and target, for models that draw random numbers.
void BlockSynapses::count_copies(const Network& net, const Part& part) {
  Store& store = stores_[part.store];
  store.copies = Buffer<std::uint8_t>(part.total);
  std::vector<std::uint32_t> seen(65536, 0);
  for (const auto& slice : part.slices) {
    for (std::uint64_t i = slice.begin; i < slice.begin + slice.count; ++i) {
      const std::uint32_t copy = seen[store.targets[i]]++;
      if (copy > 255)
        throw ProjectionFailure(
            net.projections[store.projections[0]],
            "more than 256 synapses between one pair of neurons with one delay; a model that draws random "
            "numbers cannot tell them apart");
      store.copies[i] = static_cast<std::uint8_t>(copy);
    }
    for (std::uint64_t i = slice.begin; i < slice.begin + slice.count; ++i) seen[store.targets[i]] = 0;
  }
}

/// One numbering over all stores: by source gid, then store, then delay.
void BlockSynapses::number_slices(const Network& net, const std::vector<Part>& parts) {
  std::uint64_t all = 0;
  for (const auto& part : parts) all += part.slices.size();
  if (all > 0xFFFFFFFFull) throw TooMany("slices in one block", 0xFFFFFFFFu, "use more ranks");
  first_ = Buffer<std::uint32_t>(net.gid_count() + 1);
  slices_ = Buffer<SliceEntry>(all);
  delays_ = Buffer<std::uint32_t>(all);
  const auto has_state = [](const Store& s) { return s.table->slice_state_size > 0; };
  if (std::any_of(stores_.begin(), stores_.end(), has_state)) number_ = Buffer<std::uint32_t>(all);
  std::uint32_t n = 0;
  for (Gid gid = 0; gid < net.gid_count(); ++gid) {
    if (n) first_[gid] = n;  // pages of zeros that nobody has written take no memory
    for (const auto& part : parts) {
      if (gid < part.low || gid >= part.high) continue;
      for (std::uint32_t s = part.first[gid - part.low]; s < part.first[gid - part.low + 1]; ++s, ++n) {
        slices_[n] = part.slices[s];
        delays_[n] = part.delays[s];
        if (number_.size()) number_[n] = s;
      }
    }
  }
  if (n) first_[net.gid_count()] = n;
  for (std::size_t k = 0; k < stores_.size(); ++k)
    stores_[k].slice_state = Buffer<std::byte>(parts[k].slices.size() * stores_[k].table->slice_state_size);
}

}  // namespace spinet
