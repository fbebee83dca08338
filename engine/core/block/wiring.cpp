#include "core/block/wiring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "core/finite.hpp"
#include "network/as_given.hpp"
#include "network/extended.hpp"

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

StateMaker::StateMaker(const Network& net, const Wiring& w, const void* shared, const void* params)
    : projection_(w.connector.projection), wiring_(w), prototype_(projection_.synapse->state_size) {
  const SynapseTable& t = *projection_.synapse;
  const auto& fields = t.model.variables;
  for (std::uint32_t f = 0; f < fields.count; ++f) {
    put(prototype_.data(), fields.data[f], fields.data[f].preset);
    if (!(fields.data[f].flags & initial)) continue;
    drawn_.push_back(&fields.data[f]);
    numbers_.push_back(draw_number(t, f));
  }
  static constexpr std::uint16_t first = 0;
  static constexpr std::uint8_t copy = 0;
  static constexpr Gid gid = 0;  // the key of a slice here is that of its one synapse
  slice_.payload = 1;
  slice_.count = 1;
  slice_.targets = &first;
  slice_.gids = &gid;
  slice_.copies = &copy;
  slice_.shared = shared;
  slice_.params = params;
  slice_.extras = t.extras;
  slice_.run = {net.ticks_per_ms()};
  keyed_ = t.extras || (t.draws && t.init);
  if (t.extras && t.extras->drawn_count != 0 && t.check) own_params_.resize(t.params_size);
}

/// The synapse as its model wants it, where it has a record for each device.
void StateMaker::begin(std::byte* state, const DrawnEdge& e, std::uint32_t target) {
  const SynapseTable& t = *projection_.synapse;
  for (std::uint32_t d = 0; !own_params_.empty() && d < t.extras->devices; ++d) {
    std::memcpy(own_params_.data(), slice_.params, own_params_.size());
    t.extras->put_drawn(state, d, own_params_.data());
    as_given(t.model.params, own_params_.data());
    const char* const problem = t.check(own_params_.data());
    if (!problem) continue;
    std::string drawn;
    for (const auto& [parameter, from] : projection_.drawn_params)
      drawn += (drawn.empty() ? "" : ", ") + std::string(t.model.params.data[parameter].name) + " = " +
               shortest(get(own_params_.data(), t.model.params.data[parameter])) + " " +
               t.model.params.data[parameter].unit;
    throw std::runtime_error("projection " + projection_.name + ": the device from source " +
                             std::to_string(e.source) + " to target " + std::to_string(target) + " draws " +
                             drawn + ": " + problem + "; give a distribution 'min' or 'max'");
  }
  if (!t.init) return;
  constexpr std::uint64_t of_init = 0xFFFFFFFF;
  const auto w =
      draw(wiring_.variable_key, std::uint64_t{e.source} << 32 | target, of_init << 32 | e.weight_word);
  slice_.random = {w[0], w[1]};
  slice_.state = state;
  t.init(&slice_);
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
  state_ = Buffer<std::byte>(t.state_size);
  slice_state_.resize(t.slice_state_size);
  params_.resize(t.params_size);
  for (std::uint32_t f = 0; f < t.model.params.count; ++f)
    put(params_.data(), t.model.params.data[f], p.params[f]);
  const RunInfo run{net.ticks_per_ms()};
  if (t.prepare) t.prepare(shared_.data(), params_.data(), &run);
  maker_.emplace(net, wiring, shared_.data(), params_.data());
}

double InitialState::of(const DrawnEdge& e, std::uint32_t stretch, std::vector<double>& values) {
  if (variables_.empty()) return wiring_.weight_of(e);
  const SynapseTable& t = *wiring_.connector.projection.synapse;
  maker_->make(state_.data(), e, stretch * target_stretch + e.target);
  for (const auto v : variables_) values.push_back(get(state_.data(), t.model.variables.data[v]));
  if (weight_given_) return wiring_.weight_of(e);
  if (!weight_known_) return std::numeric_limits<double>::quiet_NaN();
  constexpr std::uint16_t target = 0;
  constexpr std::uint8_t copy = 0;
  const Gid gid = wiring_.connector.target_gid(stretch, e.target);
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
  s.delay = net_.delay_resolution *
            wiring_.delay_steps(e, stretch * target_stretch + e.target, net_.delay_resolution);
  s.run = {net_.ticks_per_ms()};
  s.extras = t.extras;
  s.params = params_.data();
  return t.read(&s, 0, 0);
}

double BlockEdges::expected(const std::vector<std::uint32_t>& projections) const {
  double sum = 0;
  for (const auto p : projections) {
    const Connector& connector = wirings[p]->connector;
    double targets = 0, here = 0;
    for (const auto& r : connector.projection.targets) {
      targets += r.count;
      for (Gid gid = r.first; gid < r.first + r.count; ++gid)
        here += locator.in_block(gid, block) != Locator::nowhere;
    }
    if (here > 0) sum += connector.expected() * here / targets;
  }
  return sum;
}

}  // namespace spinet
