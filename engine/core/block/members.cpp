#include "core/block/members.hpp"

#include <algorithm>
#include <cstring>

#include "connect/draws.hpp"
#include "core/actions.hpp"
#include "core/block/requests.hpp"
#include "network/lookup.hpp"

namespace spinet {
namespace {

bool sets_parameters(const Network& net) {
  return std::any_of(net.schedule.begin(), net.schedule.end(),
                     [](const ScheduledControl& s) { return s.sets(); });
}

}  // namespace

/// Draws the parameters and initial values of neurons, one after the other: one draw per neuron and field,
/// keyed by gid.
class Members::Drawer {
 public:
  Drawer(const Network& net, const NeuronTable& table)
      : net_(net), table_(table), params_(table.params_size) {}
  /// The neuron `gid`, of population `p`.
  void draw(std::uint32_t p, Gid gid) {
    if (p != present_) begin(p);
    index_ = gid - net_.populations[p].first;
    const Population& population = net_.populations[p];
    const Fields& fields = table_.model.params;
    for (std::uint32_t f = 0; f < fields.count; ++f)
      put(params_.data(), fields.data[f], value(population.params[f], of_params_[f], Purpose::parameter, f));
    for (std::uint32_t v = 0; v < population.initial.size(); ++v)
      initial_[v] = value(population.initial[v], of_initial_[v], Purpose::initial, v);
  }
  std::uint32_t present() const { return present_; }
  const Network::Identity& identity() const { return who_; }
  const std::vector<std::byte>& params() const { return params_; }
  const double* initial() const { return initial_.data(); }

 private:
  void begin(std::uint32_t p) {
    present_ = p;
    who_ = net_.population_identity(p);
    of_params_.clear();
    of_initial_.clear();
    for (const auto& d : net_.populations[p].params) of_params_.emplace_back(d);
    for (const auto& d : net_.populations[p].initial) of_initial_.emplace_back(d);
    initial_.assign(std::max<std::size_t>(1, net_.populations[p].initial.size()), 0);
  }
  double value(const Distribution& d, const Sampler& s, Purpose purpose, std::uint32_t field) const {
    if (d.kind == Distribution::Kind::listed) return d.values[index_];
    if (s.constant()) return s(0.5);
    const auto w = spinet::draw(stream_key(who_, purpose), who_.first + index_, field);
    return s(uniform01(w[0], w[1]));
  }
  const Network& net_;
  const NeuronTable& table_;
  std::uint32_t present_ = 0xFFFFFFFFu, index_ = 0;
  Network::Identity who_{};
  std::vector<Sampler> of_params_, of_initial_;
  std::vector<std::byte> params_;
  std::vector<double> initial_;
};

Members::Members(const Network& net, const KernelGroup& group, std::vector<Gid> gids)
    : network_(net),
      table_(*group.table),
      gids_(std::move(gids)),
      keys_(gids_.size()),
      state_(gids_.size() * table_.state_size),
      constants_(gids_.size() * table_.constants_size),
      common_(table_.common_size) {
  block.state = state_.data();
  block.constants = constants_.data();
  block.common = common_.data();
  block.shared = group.shared.data();
  block.size = static_cast<std::uint32_t>(gids_.size());
  block.frame_length = group.frame_length;
  block.run = RunInfo{net.ticks_per_ms()};
  if (net.replica_count() > 1) drawn_as_ = gids_, replicas_.resize(gids_.size());
  block.gids = drawn_as_.empty() ? gids_.data() : drawn_as_.data();
  block.random = keys_.data();
  if (!table_.environment || gids_.empty()) return;
  const Population& p = net.populations[population_of(net, gids_[0])];
  for (const auto i : p.drives) {
    const Projection& driven = net.projections[i];
    driven_.push_back({static_cast<std::uint32_t>(driven.source_count()),
                       static_cast<std::uint32_t>(driven.target_count())});
  }
  block.driven = driven_.data();
  block.driven_count = static_cast<std::uint32_t>(driven_.size());
  const std::size_t columns = std::size_t{p.pattern_inputs} + p.pattern_targets;
  block.table = p.patterns.data();
  block.table_inputs = p.pattern_inputs;
  block.table_targets = p.pattern_targets;
  block.table_rows = columns ? static_cast<std::uint32_t>(p.patterns.size() / columns) : 0;
}

void Members::init(const Requests& requests, const Faults& faults, Heart& heart) {
  const bool scheduled_changes = sets_parameters(network_);
  Drawer drawer(network_, table_);
  for (std::uint32_t j = 0; j < block.size; ++j) {
    heart.beat();
    const std::uint32_t before = drawer.present();
    const auto is_of = [&](std::uint32_t p) {
      return gids_[j] - network_.populations[p].first < network_.populations[p].size;
    };
    const std::uint32_t population =
        before != 0xFFFFFFFFu && is_of(before) ? before : population_of(network_, gids_[j]);
    drawer.draw(population, gids_[j]);
    keys_[j] = stream_key(drawer.identity().seed, Purpose::neuron, 0);
    if (!replicas_.empty()) {
      drawn_as_[j] = drawer.identity().first + (gids_[j] - network_.populations[population].first);
      replicas_[j] = population % network_.replica_count();
    }
    table_.init(&block, j, drawer.params().data(), drawer.initial());
    if (requests.too_many_for(j + 1)) faults.neuron(j, 0, "asks for more than there is room for, in `init`");
    if (scheduled_changes) params_.push_back(drawer.params());
  }
  if (!replicas_.empty() && replicas_.front() == replicas_.back() &&
      std::is_sorted(replicas_.begin(), replicas_.end()))
    replica_ = replicas_.front();
}

std::uint32_t Members::index_of(Gid gid) const {
  return static_cast<std::uint32_t>(std::lower_bound(gids_.begin(), gids_.end(), gid) - gids_.begin());
}

std::pair<std::uint32_t, std::uint32_t> Members::of(const Population& p) const {
  const std::uint32_t begin = index_of(p.first);
  const auto end = std::partition_point(gids_.begin() + begin, gids_.end(),
                                        [&](Gid gid) { return gid - p.first < p.size; });
  return {begin, static_cast<std::uint32_t>(end - gids_.begin())};
}

void Members::addressed(const Address& to, std::vector<std::uint32_t>& js) const {
  const auto add = [&](std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t j = begin; j < end; ++j)
      if (to.replica < 0 || replicas_.empty() || replicas_[j] == static_cast<std::uint32_t>(to.replica))
        js.push_back(j);
  };
  if (to.everyone()) return add(0, block.size);
  for (const Place& place : to.places)
    if (const auto* r = std::get_if<GidRange>(&place); r && r->count) {
      const std::uint32_t begin = index_of(r->first);
      const auto last = std::upper_bound(gids_.begin() + begin, gids_.end(), r->first + (r->count - 1));
      add(begin, static_cast<std::uint32_t>(last - gids_.begin()));
    }
  if (to.places.size() == 1) return;
  std::sort(js.begin(), js.end());  // ranges may overlap
  js.erase(std::unique(js.begin(), js.end()), js.end());
}

void Members::set(const Ordered& o, Tick tick, std::span<const std::uint32_t> js) {
  const ScheduledControl& s = *o.entry;
  const Field& f = table_.model.params.data[s.field];
  const Waveform* const w = s.waveform();
  if (w && table_.follow && table_.followed == s.field && tick < w->until) {
    const Followed course = w->followed(s.tick, tick - s.tick);
    for (const auto j : js) table_.follow(&block, tick, j, &course);
    return;
  }
  std::optional<Sampler> sampler;
  if (s.drawn()) sampler.emplace(*s.drawn());
  const double same = s.value_at(tick);
  for (const auto j : js) {
    double x = same;
    if (sampler) {
      const RandomKey key = stream_key(keys_[j].seed, Purpose::redrawn, s.field);
      const auto words = draw(key, block.gids[j], static_cast<std::uint64_t>(tick));
      x = (*sampler)(uniform01(words[0], words[1]));
    }
    put(params_[j].data(), f, x);
    if (o.complete && table_.set) table_.set(&block, tick, j, params_[j].data());
  }
}

void Members::save(std::uint32_t j, std::byte* to) const {
  std::memcpy(to, state_.data() + std::size_t{j} * table_.state_size, table_.state_size);
  const std::size_t size = table_.constants_size;
  if (size) std::memcpy(to + table_.state_size, constants_.data() + std::size_t{j} * size, size);
}

void Members::restore(std::uint32_t j, const std::byte* from) {
  std::memcpy(state_.data() + std::size_t{j} * table_.state_size, from, table_.state_size);
  const std::size_t size = table_.constants_size;
  if (size) std::memcpy(constants_.data() + std::size_t{j} * size, from + table_.state_size, size);
}

}  // namespace spinet
