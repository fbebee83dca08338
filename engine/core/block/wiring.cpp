#include "core/block/wiring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace spinet {

Wiring::Wiring(const Network& net, std::uint32_t index, const std::atomic<bool>* stop)
    : connector(net, index, stop),
      delay(net.projections[index].delay, net.delay_resolution),
      variable_key(stream_key(net.projection_identity(index), Purpose::synapse)),
      least_delay(delay.least()),
      most_delay(delay.most()) {
  const auto& p = net.projections[index];
  for (const auto& d : p.state) state.emplace_back(d);
  for (const double w : p.shared_weights) shared_weights.push_back(static_cast<float>(w));
  if (p.listed_delays && !p.edges.empty()) {
    least_delay = 0xFFFFFFFFu;
    most_delay = 0;
    for (const auto& e : p.edges) {
      const auto steps = static_cast<std::uint32_t>(
          std::max<Tick>(1, (e.delay + net.delay_resolution / 2) / net.delay_resolution));
      least_delay = std::min(least_delay, steps);
      most_delay = std::max(most_delay, steps);
    }
  }
  if (!p.delay_by_distance) return;
  by_distance_.emplace(Ends(net, p));
  const auto steps = [&](double ticks) {
    return static_cast<std::uint32_t>(
        std::max(1.0, std::floor(ticks / static_cast<double>(net.delay_resolution) + 0.5)));
  };
  least_delay = steps(p.delay.a);
  most_delay = steps(p.delay.b);
}

Wiring::ByDistance::ByDistance(const Ends& ends)
    : space(ends),
      sources(positions_of(ends.network, ends.projection.sources)),
      targets(positions_of(ends.network, ends.projection.targets)) {}

double Wiring::weight_of(const DrawnEdge& e) const {
  const auto& p = connector.projection;
  if (!shared_weights.empty()) return static_cast<double>(shared_weights.at(e.weight_word));
  return p.listed_weights ? p.edges[e.listed].weight : state[0](uniform01(e.weight_word));
}

std::uint32_t Wiring::delay_steps(const DrawnEdge& e, std::uint32_t target, Tick resolution) const {
  const auto& p = connector.projection;
  if (by_distance_) {
    const double um =
        by_distance_->space.distance(by_distance_->sources[e.source], by_distance_->targets[target]);
    const double ticks = p.delay_by_distance->offset + p.delay_by_distance->per_um * um;
    const double steps = std::floor(ticks / static_cast<double>(resolution) + 0.5);
    return static_cast<std::uint32_t>(std::clamp<double>(steps, least_delay, most_delay));
  }
  if (!p.listed_delays) return delay.least() + delay(e.delay_word);
  return static_cast<std::uint32_t>(
      std::max<Tick>(1, (p.edges[e.listed].delay + resolution / 2) / resolution));
}

StateMaker::StateMaker(const Projection& p, const Wiring& w, const void* shared)
    : projection_(p), wiring_(w), shared_(shared), prototype_(p.synapse->state_size) {
  const auto& fields = p.synapse->model.variables;
  for (std::uint32_t f = 0; f < fields.count; ++f) {
    put(prototype_.data(), fields.data[f], fields.data[f].preset);
    if (fields.data[f].flags & initial) drawn_.push_back(&fields.data[f]);
  }
}

InitialState::InitialState(const Network& net, std::uint32_t index, const Wiring& wiring)
    : net_(net), wiring_(wiring), variables_(edge_variables(*net.projections[index].synapse)) {
  const Projection& p = net.projections[index];
  const SynapseTable& t = *p.synapse;
  const Fields& fields = t.model.variables;
  if (variables_.empty()) return;
  weight_given_ = !(fields.data[0].flags & port_unit) || fields.data[0].flags & Flag::initial;
  // Before the run there are neither targets nor histories that a model could look at.
  weight_known_ = !t.post_tau && (t.read_count == 0 || t.reads_at_control);
  shared_ = Buffer<std::byte>(t.shared_size);
  state_.resize(t.state_size);
  slice_state_.resize(t.slice_state_size);
  std::vector<std::byte> params(t.params_size);
  for (std::uint32_t f = 0; f < t.model.params.count; ++f)
    put(params.data(), t.model.params.data[f], p.params[f]);
  const RunInfo run{net.ticks_per_ms()};
  if (t.prepare) t.prepare(shared_.data(), params.data(), &run);
}

double InitialState::of(const DrawnEdge& e, std::uint32_t run, std::vector<double>& values) {
  if (variables_.empty()) return wiring_.weight_of(e);
  const SynapseTable& t = *wiring_.connector.projection.synapse;
  const StateMaker maker(wiring_.connector.projection, wiring_, shared_.data());
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
  s.shared = shared_.data();
  s.gids = &gid;
  s.copies = &copy;
  s.delay =
      net_.delay_resolution * wiring_.delay_steps(e, run * target_run + e.target, net_.delay_resolution);
  s.run = {net_.ticks_per_ms()};
  return t.read(&s, 0, 0);
}

}  // namespace spinet
