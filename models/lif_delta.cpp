// lif_delta: leaky integrate-and-fire with delta synapses, exact in exponential frames.
#include "spinet/neuron.hpp"
struct LifDelta {
  static constexpr const char* name = "lif_delta";
  static constexpr const char* doc = "Leaky integrate-and-fire neuron; a spike of weight w moves V by w at once.";
  struct Params { double tau_m, C_m, E_L, v_th, v_reset, t_ref, I_dc; };
  struct State { double a; };
  static constexpr spinet::Port ports[] = {{"in", "mV", "jump of the membrane potential", 0, 1}};
  static auto params() { return spinet::FieldTable<Params>{}; }
  static auto variables() { return spinet::FieldTable<State>{}; }
  static void init(spinet::Neurons<LifDelta>, std::uint32_t, const Params&, const double*) {}
  static void arrive(spinet::Neurons<LifDelta>, spinet::Tick, std::uint32_t, std::uint32_t, double) {}
  static double read(spinet::Neurons<LifDelta>, spinet::Tick, std::uint32_t, std::uint32_t) { return 0; }
};
SPINET_MODEL(spinet::neuron_table<LifDelta>())
