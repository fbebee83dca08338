#include "core/block/synapses.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "core/finite.hpp"

namespace spinet {

Wiring::Wiring(const Network& net, std::uint32_t index, const std::atomic<bool>* stop)
    : connector(net, index, stop),
      delay(net.projections[index].delay, net.delay_resolution),
      variable_key(stream_key(net.projection_identity(index), Purpose::synapse)),
      least_delay(delay.least()),
      most_delay(delay.most()) {
  const auto& p = net.projections[index];
  for (const auto& d : p.state) state.emplace_back(d);
  if (p.listed_delays && !p.edges.empty()) {
    least_delay = 0xFFFFFFFFu;
    most_delay = 0;
    for (const auto& e : p.edges) {
      const auto steps = static_cast<std::uint32_t>(std::max<Tick>(1, (e.delay + net.delay_resolution / 2) / net.delay_resolution));
      least_delay = std::min(least_delay, steps);
      most_delay = std::max(most_delay, steps);
    }
  }
}

double Wiring::weight_of(const DrawnEdge& e) const {
  const auto& p = connector.projection;
  return p.listed_weights ? p.edges[e.listed].weight : state[0](uniform01(e.weight_word));
}

std::uint32_t Wiring::delay_steps(const DrawnEdge& e, Tick resolution) const {
  const auto& p = connector.projection;
  if (!p.listed_delays) return delay.least() + delay(e.delay_word);
  return static_cast<std::uint32_t>(std::max<Tick>(1, (p.edges[e.listed].delay + resolution / 2) / resolution));
}

namespace {

/// Two projections share a store if their synapses are plain weights and differ in nothing but where they come from, now
/// and whatever the schedule does.
bool same_store(const Network& net, std::uint32_t p, std::uint32_t q, bool uniform_a, bool uniform_b) {
  const Projection &a = net.projections[p], &b = net.projections[q];
  const auto changes = [&](std::uint32_t i) { return is_switched(net.schedule, i) || is_set(net.schedule, i); };
  return a.synapse == b.synapse && a.synapse->weight_kind == 0 && !a.synapse->on_control && a.port == b.port && a.sign == b.sign &&
         a.params == b.params && uniform_a == uniform_b && (!uniform_a || a.state[0].a == b.state[0].a) &&
         !changes(p) && !changes(q);
}

/// Calls f(edge, source gid, steps of delay, local target, target's index in the projection) for the edges of projection
/// `p` that end in `block`, in canonical order.
template <class F>
void for_edges(const Network& net, const Wiring& wiring, const Locator& locator, std::uint32_t block, F&& f) {
  const Connector& connector = wiring.connector;
  const bool one_delay = wiring.least_delay == wiring.most_delay;
  const auto& sources = connector.projection.sources;
  for (std::uint32_t run = 0; run < connector.run_count(); ++run) {
    std::uint16_t local[target_run];
    bool wanted[target_run], any = false;
    for (std::uint32_t t = 0; t < connector.targets_in(run); ++t) {
      const std::uint32_t j = locator.in_block(connector.target_gid(run, t), block);
      wanted[t] = j != Locator::nowhere;
      local[t] = static_cast<std::uint16_t>(j);
      any |= wanted[t];
    }
    if (!any) continue;
    connector.edges(run, wanted, [&](const DrawnEdge* e, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        const Gid gid = sources.size() == 1 ? sources[0].first + e[i].source : connector.source_gid(e[i].source);
        const std::uint32_t d = one_delay ? wiring.least_delay : wiring.delay_steps(e[i], net.delay_resolution);
        f(e[i], gid, d, local[e[i].target], run * target_run + e[i].target);
      }
    });
  }
}

bool has_uniform_weight(const Network& net, std::uint32_t index, const Wiring& w) {
  const Projection& p = net.projections[index];
  return p.synapse->weight_kind == 0 && !p.synapse->on_control && !p.listed_weights && w.state[0].constant() && !is_set(net.schedule, index);
}

/// Writes the variables of a synapse that the network initialises.
class StateMaker {
 public:
  StateMaker(const Projection& p, const Wiring& w, const Store& store) : projection_(p), wiring_(w), store_(store) {
    const auto& fields = p.synapse->model.variables;
    prototype_.resize(p.synapse->state_size);
    for (std::uint32_t f = 0; f < fields.count; ++f) {
      put(prototype_.data(), fields.data[f], fields.data[f].preset);
      if (fields.data[f].flags & initial) drawn_.push_back(&fields.data[f]);
    }
  }
  void make(std::byte* state, const DrawnEdge& e, std::uint32_t target) const {
    std::memcpy(state, prototype_.data(), prototype_.size());
    for (std::size_t v = 0; v < drawn_.size(); ++v) {
      double value;
      if (v == 0) {
        value = wiring_.weight_of(e);
      } else if (projection_.lists(v)) {
        value = projection_.listed_state[v][e.listed];
      } else {
        const auto w = draw(wiring_.variable_key, (std::uint64_t{e.source} << 32) | target, (std::uint64_t{v} << 32) | e.weight_word);
        value = wiring_.state[v](uniform01(w[0], w[1]));
      }
      put(state, *drawn_[v], value);
    }
    if (store_.table->init) store_.table->init(state, store_.shared.data());
  }

 private:
  const Projection& projection_;
  const Wiring& wiring_;
  const Store& store_;
  std::vector<std::byte> prototype_;
  std::vector<const Field*> drawn_;
};

}  // namespace

InitialState::InitialState(const Network& net, std::uint32_t index, const Wiring& wiring)
    : net_(net), wiring_(wiring), variables_(edge_variables(*net.projections[index].synapse)), store_(std::make_unique<Store>()) {
  const Projection& p = net.projections[index];
  const SynapseTable& t = *p.synapse;
  const Fields& fields = t.model.variables;
  if (variables_.empty()) return;
  weight_given_ = !(fields.data[0].flags & port_unit) || fields.data[0].flags & Flag::initial;
  // Before the run there are neither targets nor histories that a model could look at.
  weight_known_ = !t.post_tau && (t.read_count == 0 || t.reads_at_control);
  store_->table = &t;
  store_->shared = Buffer<std::byte>(t.shared_size);
  state_.resize(t.state_size);
  slice_state_.resize(t.slice_state_size);
  std::vector<std::byte> params(t.params_size);
  for (std::uint32_t f = 0; f < t.model.params.count; ++f) put(params.data(), t.model.params.data[f], p.params[f]);
  const RunInfo run{net.ticks_per_ms()};
  if (t.prepare) t.prepare(store_->shared.data(), params.data(), &run);
}
InitialState::~InitialState() = default;

double InitialState::of(const DrawnEdge& e, std::uint32_t run, std::vector<double>& values) {
  if (variables_.empty()) return wiring_.weight_of(e);
  const SynapseTable& t = *store_->table;
  const StateMaker maker(wiring_.connector.projection, wiring_, *store_);
  maker.make(state_.data(), e, run * target_run + e.target);
  for (const auto v : variables_) values.push_back(get(state_.data(), t.model.variables.data[v]));
  if (weight_given_) return wiring_.weight_of(e);
  if (!weight_known_) return std::numeric_limits<double>::quiet_NaN();
  constexpr std::uint16_t target = 0;
  constexpr std::uint8_t copy = 0;
  const Gid gid = wiring_.connector.target_gid(run, e.target);
  Slice s{};
  s.payload = 1;
  s.count = 1;
  s.source = wiring_.connector.source_gid(e.source);
  s.targets = &target;
  s.state = state_.data();
  s.slice_state = slice_state_.data();
  s.shared = store_->shared.data();
  s.gids = &gid;
  s.copies = &copy;
  s.delay = net_.delay_resolution * wiring_.delay_steps(e, net_.delay_resolution);
  s.run = {net_.ticks_per_ms()};
  return t.read(&s, 0, 0);
}

/// One store's slices while building.  `visit(f)` calls f(edge, row, steps above the least, local target, target, projection)
/// for the edges of the store that end in the block, in canonical order; a row is a source.
struct BlockSynapses::Part {
  std::vector<SliceEntry> slices;
  std::vector<std::uint32_t> delays, first;  ///< `first` by source gid - low
  Gid low = 0, high = 0;
  std::uint32_t store = 0, least = 0, longest = 0;
  std::uint64_t steps = 1;                   ///< different delays that may be drawn
  std::uint64_t total = 0;                   ///< synapses
  bool sparse = false;
  std::uint64_t rows() const { return high - low; }
  /// Rows whose counts lie in memory together: 256 MB.
  std::uint64_t rows_at_once() const { return std::clamp<std::uint64_t>((std::uint64_t{64} << 20) / steps, 1, std::max<std::uint64_t>(1, rows())); }

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
  /// A table of counts by (source, delay); a large one is done in pieces of sources, each drawing all edges again.
  template <class Visit>
  void count_dense(const Visit& visit) {
    const std::uint64_t at_once = rows_at_once();
    Buffer<std::uint32_t> table(at_once * steps);
    for (std::uint64_t row0 = 0; row0 < rows(); row0 += at_once) {
      std::memset(table.data(), 0, table.bytes());
      visit([&](const DrawnEdge&, std::uint64_t row, std::uint32_t step, std::uint16_t, std::uint32_t, std::uint32_t) {
        if (row - row0 < at_once) ++table[(row - row0) * steps + step];
      });
      for (std::uint64_t row = 0; row < std::min(at_once, rows() - row0); ++row) {
        first.push_back(static_cast<std::uint32_t>(slices.size()));
        for (std::uint32_t d = 0; d < steps; ++d)
          if (const std::uint32_t n = table[row * steps + d]) add(d, n);
      }
    }
  }
  /// Where most cells of that table would be empty: the cells themselves, sorted, in pieces of sources with some million edges.
  template <class Visit>
  void count_sparse(const Visit& visit) {
    constexpr std::uint64_t most_cells = 8 << 20;
    std::vector<std::uint32_t> of_row(rows(), 0);
    visit([&](const DrawnEdge&, std::uint64_t row, std::uint32_t, std::uint16_t, std::uint32_t, std::uint32_t) { ++of_row[row]; });
    std::vector<std::uint64_t> cells;
    for (std::uint64_t row0 = 0, end; row0 < rows(); row0 = end) {
      std::uint64_t n = of_row[row0];
      for (end = row0 + 1; end < rows() && n + of_row[end] <= most_cells; ++end) n += of_row[end];
      cells.clear();
      visit([&](const DrawnEdge&, std::uint64_t row, std::uint32_t step, std::uint16_t, std::uint32_t, std::uint32_t) {
        if (row >= row0 && row < end) cells.push_back(row << 32 | step);
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
  /// Calls f(edge, place in the store, local target, target, projection) for all edges.
  template <class Visit, class F>
  void place(const Visit& visit, F&& f) const {
    if (sparse) {
      std::vector<std::uint32_t> taken(slices.size(), 0);
      visit([&](const DrawnEdge& e, std::uint64_t row, std::uint32_t step, std::uint16_t local, std::uint32_t target, std::uint32_t p) {
        const auto s = static_cast<std::size_t>(std::lower_bound(delays.begin() + first[row], delays.begin() + first[row + 1], least + step) - delays.begin());
        f(e, static_cast<std::uint32_t>(slices[s].begin) + taken[s]++, local, target, p);
      });
      return;
    }
    const std::uint64_t at_once = rows_at_once();
    Buffer<std::uint32_t> table(at_once * steps);
    for (std::uint64_t row0 = 0; row0 < rows(); row0 += at_once) {
      for (std::uint64_t row = 0; row < std::min(at_once, rows() - row0); ++row)
        for (std::uint32_t s = first[row0 + row]; s < first[row0 + row + 1]; ++s)
          table[row * steps + delays[s] - least] = static_cast<std::uint32_t>(slices[s].begin);
      visit([&](const DrawnEdge& e, std::uint64_t row, std::uint32_t step, std::uint16_t local, std::uint32_t target, std::uint32_t p) {
        if (row - row0 < at_once) f(e, table[(row - row0) * steps + step]++, local, target, p);
      });
    }
  }
};

BlockSynapses::BlockSynapses(const Network& net, const std::vector<std::unique_ptr<Wiring>>& wirings, const std::vector<bool>& superposed,
                             const Locator& locator, std::uint32_t block) {
  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    if (superposed[p] || wirings[p]->connector.run_count() == 0) continue;
    const auto& projection = net.projections[p];
    const bool uniform = has_uniform_weight(net, p, *wirings[p]);
    auto match = std::find_if(stores_.begin(), stores_.end(), [&](const Store& s) {
      return same_store(net, p, s.projections[0], uniform, s.uniform);
    });
    if (match == stores_.end()) {
      Store s{};
      s.table = projection.synapse;
      s.port = projection.port;
      s.sign = s.gain = projection.sign;
      s.uniform = uniform;
      s.weight = uniform ? static_cast<float>(wirings[p]->state[0](0.5)) : 0;  // as where each has its own
      s.shared = Buffer<std::byte>(s.table->shared_size);
      s.params.resize(s.table->params_size);
      const Fields& fields = s.table->model.params;
      for (std::uint32_t f = 0; f < fields.count; ++f) put(s.params.data(), fields.data[f], projection.params[f]);
      const RunInfo run{net.ticks_per_ms()};
      if (s.table->prepare) s.table->prepare(s.shared.data(), s.params.data(), &run);
      if (s.table->post_tau) s.post_tau = s.table->post_tau(s.params.data());
      if (s.table->pre_tau) s.pre_tau = s.table->pre_tau(s.params.data());
      for (const double tau : {s.table->post_tau ? s.post_tau : 0, s.pre_tau})
        if (!std::isfinite(tau) || tau < 0)
          throw std::runtime_error("projection " + projection.name + " (" + s.table->model.name + "): the time constant of a trace is " + shortest(tau) + " ms");
      s.random = stream_key(net.projection_identity(p), Purpose::event);
      stores_.push_back(std::move(s));
      match = stores_.end() - 1;
    }
    match->projections.push_back(p);
  }

  std::vector<Part> parts(stores_.size());
  for (std::size_t k = 0; k < stores_.size(); ++k) {
    Store& store = stores_[k];
    Part& part = parts[k];
    part.store = static_cast<std::uint32_t>(k);
    part.low = 0xFFFFFFFFu;
    part.least = 0xFFFFFFFFu;
    std::uint64_t expected = 0;
    for (const auto p : store.projections) {
      part.least = std::min(part.least, wirings[p]->least_delay);
      store.most_delay = std::max(store.most_delay, wirings[p]->most_delay);
      expected += wirings[p]->connector.expected();
      for (const auto& r : net.projections[p].sources) {
        part.low = std::min(part.low, r.first);
        part.high = std::max(part.high, r.first + r.count);
      }
    }
    part.steps = std::uint64_t{store.most_delay} - part.least + 1;
    part.sparse = part.rows() * part.steps > (1 << 20) && part.rows() * part.steps / 16 > expected;
    const auto visit = [&](auto&& f) {
      for (const auto p : store.projections)
        for_edges(net, *wirings[p], locator, block,
                  [&](const DrawnEdge& e, Gid gid, std::uint32_t d, std::uint16_t local, std::uint32_t target) { f(e, gid - part.low, d - part.least, local, target, p); });
    };
    part.count(visit);
    const std::uint64_t total = part.total;
    longest_ = std::max(longest_, part.longest);
    if (total > 0xFFFFFFFFull) throw std::runtime_error("more than 4294967295 synapses of one kind in one block; use more ranks");

    store.targets = Buffer<std::uint16_t>(total);
    if (!store.uniform) store.state = Buffer<std::byte>(total * store.table->state_size);
    std::vector<StateMaker> makers;
    for (const auto p : store.projections) makers.emplace_back(net.projections[p], *wirings[p], store);
    const bool only_weight = store.table->weight_kind == 0;
    auto* const weights = reinterpret_cast<float*>(store.state.data());
    std::uint32_t present = 0xFFFFFFFFu;
    std::size_t maker = 0;
    part.place(visit, [&](const DrawnEdge& e, std::uint32_t at, std::uint16_t local, std::uint32_t target, std::uint32_t p) {
      store.targets[at] = local;
      if (store.uniform) return;
      if (only_weight) {
        weights[at] = static_cast<float>(wirings[p]->weight_of(e));
        return;
      }
      if (p != present) {
        present = p;
        maker = static_cast<std::size_t>(std::find(store.projections.begin(), store.projections.end(), p) - store.projections.begin());
      }
      makers[maker].make(store.state.data() + std::uint64_t{at} * store.table->state_size, e, target);
    });
    synapses_ += total;
    if (store.table->draws) {
      store.copies = Buffer<std::uint8_t>(total);
      std::vector<std::uint32_t> seen(65536, 0);
      for (const auto& slice : part.slices) {
        for (std::uint64_t i = slice.begin; i < slice.begin + slice.count; ++i) {
          const std::uint32_t copy = seen[store.targets[i]]++;
          if (copy > 255)
            throw std::runtime_error("projection " + net.projections[store.projections[0]].name +
                                     ": more than 256 synapses between one pair of neurons with one delay; a model that draws random numbers cannot tell them apart");
          store.copies[i] = static_cast<std::uint8_t>(copy);
        }
        for (std::uint64_t i = slice.begin; i < slice.begin + slice.count; ++i) seen[store.targets[i]] = 0;
      }
    }
  }

  // One numbering over all stores: by source gid, then store, then delay.
  std::uint64_t all = 0;
  for (const auto& part : parts) all += part.slices.size();
  if (all > 0xFFFFFFFFull) throw std::runtime_error("more than 4294967295 slices in one block; use more ranks");
  first_ = Buffer<std::uint32_t>(net.gid_count() + 1);
  slices_ = Buffer<SliceEntry>(all);
  delays_ = Buffer<std::uint32_t>(all);
  if (std::any_of(stores_.begin(), stores_.end(), [](const Store& s) { return s.table->slice_state_size > 0; })) number_ = Buffer<std::uint32_t>(all);
  std::uint32_t n = 0;
  for (Gid gid = 0; gid < net.gid_count(); ++gid) {
    if (n) first_[gid] = n;  // pages of zeros that nobody has written take no memory
    for (auto& part : parts) {
      if (gid < part.low || gid >= part.high) continue;
      for (std::uint32_t s = part.first[gid - part.low]; s < part.first[gid - part.low + 1]; ++s, ++n) {
        slices_[n] = part.slices[s];
        delays_[n] = part.delays[s];
        if (number_.size()) number_[n] = s;
      }
    }
  }
  if (n) first_[net.gid_count()] = n;
  for (std::size_t k = 0; k < stores_.size(); ++k) stores_[k].slice_state = Buffer<std::byte>(parts[k].slices.size() * stores_[k].table->slice_state_size);
}

std::uint32_t BlockSynapses::store_of(std::uint32_t p) const {
  std::uint32_t k = 0;
  while (k < stores_.size() && !std::count(stores_[k].projections.begin(), stores_[k].projections.end(), p)) ++k;
  return k;
}

void BlockSynapses::edges_of(std::uint32_t p, const Network& net, const std::vector<std::unique_ptr<Wiring>>& wirings, const Locator& locator,
                             std::uint32_t block, const EdgeVisitor& f) const {
  const std::uint32_t k = store_of(p);
  if (k == stores_.size()) return;
  std::vector<std::uint32_t> taken(slices_.size(), 0);  // edges of each slice so far; they came in this order when it was built
  for (const auto q : stores_[k].projections)
    for_edges(net, *wirings[q], locator, block, [&](const DrawnEdge& e, Gid gid, std::uint32_t d, std::uint16_t, std::uint32_t target) {
      std::uint32_t low = first_[gid], high = first_[gid + 1];  // a source's slices lie by (store, delay)
      while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (slices_[middle].store < k || (slices_[middle].store == k && delays_[middle] < d)) low = middle + 1;
        else high = middle;
      }
      const std::uint32_t position = static_cast<std::uint32_t>(slices_[low].begin) + taken[low]++;
      if (q == p) f(e, target, position);
    });
}

std::uint64_t BlockSynapses::bytes() const {
  std::uint64_t n = first_.bytes() + slices_.bytes() + delays_.bytes() + number_.bytes();
  for (const auto& s : stores_) n += s.targets.bytes() + s.state.bytes() + s.slice_state.bytes() + s.copies.bytes();
  return n;
}

}  // namespace spinet
