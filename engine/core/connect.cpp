#include "core/connect.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_set>

#include "core/failure.hpp"
#include "spinet/math.hpp"
#include "spinet/random_batch.hpp"

namespace spinet {
namespace {

constexpr std::uint64_t most_kept_counts = std::uint64_t{8} << 20;  // 32 MB

/// Collects edges and hands them on a batch at a time.
class Batch {
 public:
  explicit Batch(const std::function<void(const DrawnEdge*, std::size_t)>& take) : take_(take) {}
  ~Batch() { flush(); }
  void add(const DrawnEdge& e) {
    if (n_ == edges_.size()) flush();
    edges_[n_++] = e;
  }

 private:
  void flush() {
    if (n_) take_(edges_.data(), n_);
    n_ = 0;
  }
  const std::function<void(const DrawnEdge*, std::size_t)>& take_;
  std::size_t n_ = 0;
  std::array<DrawnEdge, 512> edges_;
};

/// The Philox blocks (entity, 0), (entity, 1), ... of a key, made many at a time.
class WordStream {
 public:
  WordStream(RandomKey key, std::uint64_t entity) : key_(key), entity_(entity) {}
  std::array<std::uint32_t, 4> next() {
    if (at_ == blocks) {
      philox_fill(key_, entity_, counter_, words_, blocks);
      counter_ += blocks;
      at_ = 0;
    }
    const std::uint32_t i = at_++;
    return {words_[philox_place(i, 0)], words_[philox_place(i, 1)], words_[philox_place(i, 2)], words_[philox_place(i, 3)]};
  }
  std::uint64_t counter() const { return counter_ - blocks + at_ - 1; }  ///< of the block returned last

 private:
  static constexpr std::uint32_t blocks = 128;
  RandomKey key_;
  std::uint64_t entity_, counter_ = 0;
  std::uint32_t at_ = blocks;
  std::uint32_t words_[philox_words(blocks)];
};

std::uint64_t count(const std::vector<GidRange>& ranges) {
  std::uint64_t n = 0;
  for (const auto& r : ranges) n += r.count;
  return n;
}

}  // namespace

Connector::Connector(const Network& net, std::uint32_t index, const std::atomic<bool>* stop)
    : projection(net.projections[index]),
      sources_(projection.sources),
      targets_(projection.targets),
      source_count_(static_cast<std::uint32_t>(count(sources_))),
      target_count_(static_cast<std::uint32_t>(count(targets_))),
      runs_((target_count_ + target_run - 1) / target_run),
      stop_(stop),
      key_(stream_key(net.projection_identity(index), Purpose::connect)),
      again_(stream_key(net.projection_identity(index), Purpose::again)),
      split_key_(stream_key(net.projection_identity(index), Purpose::split)) {
  const auto& p = projection;
  if (p.rule == Rule::listed) {
    listed_begin_.resize(runs_ + 1);
    for (std::uint32_t r = 0; r <= runs_; ++r)
      listed_begin_[r] = static_cast<std::uint64_t>(
          std::partition_point(p.edges.begin(), p.edges.end(),
                               [&](const ListedEdge& e) { return e.target < std::uint64_t{r} * target_run; }) -
          p.edges.begin());
  }
  if (p.rule == Rule::fixed_total_number) {
    pairs_before_.assign(runs_ + 1, 0);
    for (std::uint32_t r = 0; r < runs_; ++r) {
      std::uint64_t pairs = std::uint64_t{targets_in(r)} * source_count_;
      if (!p.autapses)
        for (std::uint32_t t = 0; t < targets_in(r); ++t) {
          const Gid gid = target_gid(r, t);
          for (const auto& s : sources_) pairs -= gid - s.first < s.count;
        }
      pairs_before_[r + 1] = pairs_before_[r] + pairs;
    }
    if (p.number > 0 && pairs_before_[runs_] == 0) throw std::runtime_error("projection " + p.name + ": no pair of neurons is allowed");
    if (!p.multapses && p.number > pairs_before_[runs_])
      throw std::runtime_error("projection " + p.name + ": more synapses than different pairs of neurons");
    number_of_run_.assign(runs_, 0);
    if (runs_) split(0, runs_, p.number, 1);
  }
  if (p.rule == Rule::fixed_outdegree && p.number > 0)
    for (std::uint32_t s = 0; s < source_count_; ++s) {
      const bool self = !p.autapses && target_index(source_gid(s)) < target_count_;
      const std::uint64_t eligible = target_count_ - (self ? 1 : 0);
      if (eligible == 0) throw std::runtime_error("projection " + p.name + ": a source has no target but itself");
      if (!p.multapses && p.number > eligible) throw std::runtime_error("projection " + p.name + ": more synapses of a source than different targets");
    }
}

/// Splits `number` synapses over the runs [first, last): a binary tree, one draw per inner node.
void Connector::split(std::uint32_t first, std::uint32_t last, std::uint64_t number, std::uint64_t node) {
  if (last - first == 1) {
    number_of_run_[first] = number;
    return;
  }
  const std::uint32_t middle = first + (last - first) / 2;
  const std::uint64_t all = pairs_before_[last] - pairs_before_[first], left = pairs_before_[middle] - pairs_before_[first];
  const auto w = draw(split_key_, node, 0);
  const double u = uniform01(w[0], w[1]);
  const std::uint64_t to_left = projection.multapses
                                    ? binomial(number, static_cast<double>(left) / static_cast<double>(all), u)
                                    : hypergeometric(all, left, number, u);
  split(first, middle, to_left, 2 * node);
  split(middle, last, number - to_left, 2 * node + 1);
}

std::uint32_t Connector::target_index(Gid gid) const {
  std::uint32_t before = 0;
  for (const auto& r : targets_) {
    if (gid - r.first < r.count) return before + (gid - r.first);
    before += r.count;
  }
  return target_count_;
}

const std::vector<std::uint32_t>& Connector::outgoing(std::uint32_t run) const {
  const auto& p = projection;
  // Edges are drawn at least twice, the tree need not be.
  const bool keep = std::uint64_t{source_count_} * runs_ <= most_kept_counts;
  if (keep) {
    kept_.resize(runs_);
    if (!kept_[run].empty()) return kept_[run];
  }
  const auto holds = [run](const Node& n) { return n.first <= run && run < n.last; };
  while (!path_.empty() && !holds(path_.back())) {
    Node done = std::move(path_.back());
    path_.pop_back();
    if (path_.empty()) break;
    const Node& parent = path_.back();
    if (!holds(parent) || done.first != parent.first || run < done.last) continue;
    for (std::uint32_t s = 0; s < source_count_; ++s) done.counts[s] = parent.counts[s] - done.counts[s];  // its right half
    path_.push_back({done.last, parent.last, 2 * parent.number + 1, std::move(done.counts)});
  }
  if (path_.empty()) path_.push_back({0, runs_, 1, std::vector<std::uint32_t>(source_count_, static_cast<std::uint32_t>(p.number))});
  while (path_.back().last - path_.back().first > 1) {
    const Node& n = path_.back();
    const std::uint32_t middle = n.first + (n.last - n.first) / 2;
    const std::uint32_t begin = n.first * target_run, cut = middle * target_run, end = std::min(n.last * target_run, target_count_);
    const bool left = run < middle;
    Node next{left ? n.first : middle, left ? middle : n.last, 2 * n.number + (left ? 0 : 1), std::vector<std::uint32_t>(source_count_)};
    for (std::uint32_t s = 0; s < source_count_; ++s) {
      if (!n.counts[s]) continue;
      const std::uint32_t self = p.autapses ? target_count_ : target_index(source_gid(s));
      const std::uint64_t all = end - begin - (self >= begin && self < end), here = cut - begin - (self >= begin && self < cut);
      const auto w = draw(split_key_, (n.number << 32) | s, 0);
      const double u = uniform01(w[0], w[1]);
      const auto to_left = static_cast<std::uint32_t>(p.multapses ? binomial(n.counts[s], static_cast<double>(here) / static_cast<double>(all), u)
                                                                  : hypergeometric(all, here, n.counts[s], u));
      next.counts[s] = left ? to_left : n.counts[s] - to_left;
    }
    path_.push_back(std::move(next));
  }
  if (keep) return kept_[run] = path_.back().counts;
  return path_.back().counts;
}

std::uint64_t Connector::expected() const {
  const auto& p = projection;
  switch (p.rule) {
    case Rule::one_to_one: return target_count_;
    case Rule::all_to_all: return std::uint64_t{source_count_} * target_count_;
    case Rule::fixed_indegree: return p.number * target_count_;
    case Rule::fixed_outdegree: return p.number * source_count_;
    case Rule::fixed_total_number: return p.number;
    case Rule::pairwise_bernoulli:
      return static_cast<std::uint64_t>(p.probability * static_cast<double>(source_count_) * static_cast<double>(target_count_));
    case Rule::listed: return p.edges.size();
  }
  return 0;
}

void Connector::edges(std::uint32_t run, const bool* wanted,
                      const std::function<void(const DrawnEdge*, std::size_t)>& take) const {
  if (stop_ && stop_->load(std::memory_order_relaxed)) throw Stopped();
  if (projection.weights_from.empty() || projection.rule == Rule::listed) draw_edges(run, wanted, take);
  else match(run, wanted, take);
}

/// Finds for every edge drawn its place among those that a file has weights of.  Throws where the two are not the same.
void Connector::match(std::uint32_t run, const bool* wanted, const std::function<void(const DrawnEdge*, std::size_t)>& take) const {
  const auto& list = projection.edges;
  const auto before = [](const ListedEdge& a, const ListedEdge& b) { return a.target != b.target ? a.target < b.target : a.source < b.source; };
  const std::uint32_t base = run * target_run;
  const auto begin_of = [&](std::uint32_t target) {
    return static_cast<std::size_t>(std::lower_bound(list.begin(), list.end(), ListedEdge{0, target, 0, 0}, before) - list.begin());
  };
  const auto refuse = [&](std::uint32_t source, std::uint32_t target, const char* file_has) {
    throw std::runtime_error("projection " + projection.name + " takes its weights from '" + projection.weights_from + "', but that run had other connections: it has " +
                             file_has + " synapse from source " + std::to_string(source) + " to target " + std::to_string(target) + " than are drawn now");
  };
  const std::size_t first = begin_of(base);
  std::vector<std::uint32_t> used(begin_of(base + targets_in(run)) - first, 0);  // at the first of equals: how many are
  std::vector<std::uint64_t> found(targets_in(run), 0);
  std::vector<DrawnEdge> matched;
  std::optional<DrawnEdge> missing;  // thrown below: the batches are drawn in a place that must not be left by an exception
  draw_edges(run, wanted, [&](const DrawnEdge* e, std::size_t n) {
    if (missing) return;
    matched.assign(e, e + n);
    for (auto& edge : matched) {
      const ListedEdge wanted_edge{edge.source, base + edge.target, 0, 0};
      const auto at = static_cast<std::size_t>(std::lower_bound(list.begin(), list.end(), wanted_edge, before) - list.begin());
      const std::size_t place = at < first + used.size() ? at + used[at - first]++ : list.size();
      if (place >= list.size() || list[place].source != edge.source || list[place].target != base + edge.target) {
        missing = edge;
        return;
      }
      edge.listed = static_cast<std::uint32_t>(place);
      ++found[edge.target];
    }
    take(matched.data(), n);
  });
  if (missing) refuse(missing->source, base + missing->target, "fewer");
  for (std::uint32_t t = 0; t < targets_in(run); ++t) {
    if (!wanted[t]) continue;
    const std::size_t begin = begin_of(base + t);
    if (begin_of(base + t + 1) - begin == found[t]) continue;
    for (std::size_t i = begin;; ++i) {  // the first that was not drawn
      std::size_t equals = i;
      while (equals > begin && list[equals - 1].source == list[i].source) --equals;
      if (i - equals >= used[equals - first]) refuse(list[i].source, base + t, "more");
    }
  }
}

void Connector::draw_edges(std::uint32_t run, const bool* wanted,
                           const std::function<void(const DrawnEdge*, std::size_t)>& take) const {
  const auto& p = projection;
  const std::uint32_t targets = targets_in(run), base = run * target_run;
  Batch batch(take);
  switch (p.rule) {
    case Rule::one_to_one:
      for (std::uint32_t t = 0; t < targets; ++t) {
        if (!wanted[t] || (!p.autapses && source_gid(base + t) == target_gid(run, t))) continue;
        const auto w = draw(key_, base + t, 0);
        batch.add({base + t, t, w[2], w[3], 0});
      }
      return;
    case Rule::all_to_all:
      for (std::uint32_t t = 0; t < targets; ++t) {
        if (!wanted[t]) continue;
        const Gid self = p.autapses ? 0 : target_gid(run, t);
        WordStream words(key_, base + t);
        for (std::uint32_t s = 0; s < source_count_; ++s) {
          const auto w = words.next();
          if (!p.autapses && source_gid(s) == self) continue;
          batch.add({s, t, w[2], w[3], 0});
        }
      }
      return;
    case Rule::fixed_indegree: {
      if (p.number == 0) return;
      std::vector<std::uint32_t> taken(p.multapses ? 0 : source_count_, 0xFFFFFFFFu);
      for (std::uint32_t t = 0; t < targets; ++t) {
        if (!wanted[t]) continue;
        const Gid self = p.autapses ? 0 : target_gid(run, t);
        WordStream words(key_, base + t);
        for (std::uint64_t k = 0; k < p.number;) {
          const auto w = words.next();
          const std::uint32_t s = below(source_count_, w[0], again_, base + t, words.counter());
          if (!p.autapses && source_gid(s) == self) continue;
          if (!p.multapses) {
            if (taken[s] == t) continue;
            taken[s] = t;
          }
          batch.add({s, t, w[2], w[3], 0});
          ++k;
        }
      }
      return;
    }
    case Rule::fixed_outdegree: {
      if (p.number == 0) return;
      const auto& counts = outgoing(run);
      WordStream words(key_, run);
      std::uint32_t taken[target_run];  // 1 + the source that took the target
      std::fill(std::begin(taken), std::end(taken), 0);
      for (std::uint32_t s = 0; s < source_count_; ++s) {
        if (!counts[s]) continue;
        const std::uint32_t self = p.autapses ? target_count_ : target_index(source_gid(s));
        const bool here = self >= base && self < base + targets;
        const std::uint32_t eligible = targets - here;
        for (std::uint32_t k = 0; k < counts[s]; ++k) {
          const auto w = words.next();
          // Without multapses: Floyd's sampling, one word per target (J. Bentley, R. Floyd, "A sample of brilliance", 1987).
          const std::uint32_t range = p.multapses ? eligible : eligible - counts[s] + k + 1;
          std::uint32_t t = below(range, w[0], again_, (std::uint64_t{3} << 32) + run, words.counter());
          if (!p.multapses) {
            if (taken[t] == s + 1) t = range - 1;
            taken[t] = s + 1;
          }
          if (here && t >= self - base) ++t;
          if (wanted[t]) batch.add({s, t, w[2], w[3], 0});
        }
      }
      return;
    }
    case Rule::fixed_total_number: {
      WordStream words(key_, run);
      std::unordered_set<std::uint64_t> taken;
      for (std::uint64_t k = 0; k < number_of_run_[run];) {
        const auto w = words.next();
        const std::uint32_t s = below(source_count_, w[0], again_, (std::uint64_t{1} << 32) + run, words.counter());
        const std::uint32_t t = below(targets, w[1], again_, (std::uint64_t{2} << 32) + run, words.counter());
        if (!p.autapses && source_gid(s) == target_gid(run, t)) continue;
        if (!p.multapses && !taken.insert(std::uint64_t{s} * target_run + t).second) continue;
        if (wanted[t]) batch.add({s, t, w[2], w[3], 0});
        ++k;
      }
      return;
    }
    case Rule::pairwise_bernoulli: {
      if (p.probability <= 0) return;
      const double scale = p.probability < 1 ? 1 / math::log1p(-p.probability) : 0;
      for (std::uint32_t t = 0; t < targets; ++t) {
        if (!wanted[t]) continue;
        const Gid self = p.autapses ? 0 : target_gid(run, t);
        WordStream words(key_, base + t);
        std::uint64_t s = 0;
        for (;; ++s) {  // geometric gaps between successes
          const auto w = words.next();
          const double gap = math::log(uniform01(w[0], w[1])) * scale;
          if (gap >= static_cast<double>(source_count_)) break;
          s += static_cast<std::uint64_t>(gap);
          if (s >= source_count_) break;
          if (!p.autapses && source_gid(static_cast<std::uint32_t>(s)) == self) continue;
          batch.add({static_cast<std::uint32_t>(s), t, w[2], w[3], 0});
        }
      }
      return;
    }
    case Rule::listed:
      for (std::uint64_t e = listed_begin_[run]; e < listed_begin_[run + 1]; ++e) {
        const std::uint32_t t = p.edges[e].target - base;
        if (!wanted[t] || (!p.autapses && source_gid(p.edges[e].source) == target_gid(run, t))) continue;
        const auto w = draw(key_, e, 0);
        batch.add({p.edges[e].source, t, w[2], w[3], static_cast<std::uint32_t>(e)});
      }
      return;
  }
}

std::string missing_synapse(const Network& net) {
  struct Named {
    const std::vector<SynapseAddress>* synapses;
    const char* who;
  };
  std::map<std::uint32_t, std::vector<Named>> addressed;
  for (const auto& c : net.schedule)
    if (!c.synapses.empty()) addressed[c.projections[0]].push_back({&c.synapses, "the schedule addresses"});
  for (const auto& r : net.weight_events)
    if (!r.synapses.empty()) addressed[r.projection].push_back({&r.synapses, "`record` names"});
  for (const auto& [p, controls] : addressed) {
    const Connector connector(net, p);
    std::map<std::uint32_t, std::map<std::pair<std::uint32_t, std::uint32_t>, bool>> ends;  // by run: (target, source), found
    for (const auto& c : controls)
      for (const auto& a : *c.synapses) ends[a.target / target_run][{a.target % target_run, a.source}] = false;
    for (auto& [run, some] : ends) {
      bool wanted[target_run] = {};
      for (const auto& [end, found] : some) wanted[end.first] = true;
      connector.edges(run, wanted, [&, &some = some](const DrawnEdge* e, std::size_t n) {
        for (; n; --n, ++e)
          if (const auto at = some.find({e->target, e->source}); at != some.end()) at->second = true;
      });
    }
    for (const auto& c : controls)
      for (const auto& a : *c.synapses)
        if (!ends[a.target / target_run][{a.target % target_run, a.source}])
          return std::string(c.who) + " a synapse from source " + std::to_string(a.source) + " to target " + std::to_string(a.target) + " of projection '" +
                 net.projections[p].name + "', but none was drawn between them; `record: {edges: [" + net.projections[p].name + "]}` logs those that were";
  }
  return {};
}

}  // namespace spinet
