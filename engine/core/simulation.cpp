#include "core/simulation.hpp"

#include "core/simulation_parts.hpp"

namespace spinet {

Simulation::Simulation(const Network& network, Transport& transport, SimulationOptions options)
    : impl_(std::make_unique<Impl>(network, transport, options)) {}
Simulation::~Simulation() = default;
Statistics Simulation::run(Recorder* recorder, const RunHooks& hooks) { return impl_->run(recorder, hooks); }
const std::vector<std::uint64_t>& Simulation::weight_widths() const { return impl_->edges_recorded; }
const Statistics& Simulation::built() const { return impl_->stats; }

Tick Simulation::window() const { return impl_->window; }
std::span<float> Simulation::shared_weights(std::uint32_t p) { return impl_->wirings.at(p)->shared_weights; }

std::uint64_t Simulation::owned() const {
  std::uint64_t n = 0;
  for (const auto& b : impl_->blocks) n += b->gids().size();
  return n;
}

std::vector<std::uint64_t> Simulation::fan_out() const {
  std::vector<std::uint64_t> synapses(impl_->net.gid_count());
  for (const auto& b : impl_->blocks) {
    const BlockSynapses& some = b->synapses();
    for (Gid g = 0; g < synapses.size(); ++g)
      for (std::uint32_t s = some.slices_begin(g); s < some.slices_end(g); ++s)
        synapses[g] += some.slice(s).count;
  }
  return synapses;
}

}  // namespace spinet
