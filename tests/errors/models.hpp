// Models with rich field tables for the tests of the loader.  They describe; they do not simulate.
#pragma once
#include "network/catalogue.hpp"
#include "spinet/device.hpp"
#include "spinet/neuron.hpp"
#include "spinet/reward.hpp"
#include "spinet/source.hpp"
#include "spinet/synapse.hpp"

namespace spinet::test {

/// A neuron with two signed ports, one without a sign, and a check across fields.
struct Cell {
  static constexpr const char* name = "cell";
  static constexpr const char* doc = "Test neuron with an excitatory and an inhibitory port.";
  struct Params {
    double tau_m, C_m, E_L, v_th, v_reset, t_ref, I_dc, share;
    float steps;
  };
  struct State {
    double v;
    float i;
  };
  static constexpr Port ports[] = {{"exc", "pA", "excitatory current", 1, 0},
                                   {"inh", "pA", "inhibitory current", -1, 0},
                                   {"any", "pA", "current of either sign", 0, 0}};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_m, "tau_m", "ms", 10, above(0), shared, "membrane time constant")
        .add(&Params::C_m, "C_m", "pF", 250, above(0), 0, "capacitance")
        .add(&Params::E_L, "E_L", "mV", -65, any(), 0, "resting potential")
        .add(&Params::v_th, "v_th", "mV", -50, any(), 0, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", -65, any(), 0, "reset")
        .add(&Params::t_ref, "t_ref", "ms", 2, at_least(0), 0, "refractory time")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "direct current")
        .add(&Params::share, "share", "1", 0.5, between(0, 1), scheduled, "a share")
        .add(&Params::steps, "steps", "1", 3, {1, 100, high_open}, integer, "a number of steps");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::v, "V", "mV", -65, any(), initial | recorded, "membrane potential")
        .add(&State::i, "I_syn", "pA", 0, any(), recorded, "synaptic current");
    return t;
  }
  static const char* check(const Params& p) {
    return p.v_reset < p.v_th ? nullptr : "v_reset must be below v_th";
  }
  static void init(Neurons<Cell>, std::uint32_t, const Params&, const double*) {}
  static void arrive(Neurons<Cell>, Tick, std::uint32_t, std::uint32_t, double) {}
  static constexpr Stimulus stimuli[] = {device::field, reward};
  static void on_control(Neurons<Cell>, Tick, const Control&, std::span<const std::uint32_t>) {}
  static void set(Neurons<Cell>, Tick, std::uint32_t, const Params&) {}
  static double read(Neurons<Cell>, Tick, std::uint32_t, std::uint32_t) { return 0; }
};

/// A neuron with one port whose weights are voltages.
struct Jump {
  static constexpr const char* name = "jump";
  static constexpr const char* doc = "Test neuron with one port.";
  struct Params {
    double tau_m, v_th;
  };
  struct State {
    double v;
  };
  static constexpr Port ports[] = {{"in", "mV", "jump", 0, 1}};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_m, "tau_m", "ms", 20, above(0), shared, "membrane time constant")
        .add(&Params::v_th, "v_th", "mV", 20, any(), 0, "threshold");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::v, "V", "mV", 0, any(), initial | recorded, "membrane potential");
    return t;
  }
  static void init(Neurons<Jump>, std::uint32_t, const Params&, const double*) {}
  static void arrive(Neurons<Jump>, Tick, std::uint32_t, std::uint32_t, double) {}
  static double read(Neurons<Jump>, Tick, std::uint32_t, std::uint32_t) { return 0; }
};

/// A neuron whose ports can only be named, in the order opposite to Cell's.
struct Gates {
  static constexpr const char* name = "gates";
  static constexpr const char* doc = "Test neuron with two unsigned ports.";
  struct Params {
    double x;
  };
  struct State {
    double v;
  };
  static constexpr Port ports[] = {{"inh", "pA", "one", 0, 0}, {"exc", "pA", "other", 0, 0}};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::x, "x", "1", 0, any(), 0, "nothing");
    return t;
  }
  static auto variables() { return FieldTable<State>{}; }
  static void init(Neurons<Gates>, std::uint32_t, const Params&, const double*) {}
  static void arrive(Neurons<Gates>, Tick, std::uint32_t, std::uint32_t, double) {}
  static double read(Neurons<Gates>, Tick, std::uint32_t, std::uint32_t) { return 0; }
};

/// A source that may be superposed.
struct Noise {
  static constexpr const char* name = "noise";
  static constexpr const char* doc = "Test source with a rate.";
  static constexpr std::uint32_t superposable = 1;
  struct Params {
    double rate;
  };
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::rate, "rate", "Hz", 0, between(0, 1e9), scheduled, "mean rate");
    return t;
  }
  static double rate(const Params& p) { return p.rate * 1e-3; }
  static bool generate(const SourceUnit&, Tick, std::uint32_t, EventSink&) { return true; }
};

/// A source whose spikes the network lists.
struct Listed {
  static constexpr const char* name = "listed";
  static constexpr const char* doc = "Test source of listed spikes.";
  static constexpr std::uint32_t superposable = 0;
  struct Params {
    double nothing;
  };
  static auto params() { return FieldTable<Params>{}; }
  static double rate(const Params&) { return 0; }
  static bool generate(const SourceUnit&, Tick, std::uint32_t, EventSink&) { return true; }
};

/// A synapse with parameters, two of them in the unit of the port, and a second initial variable.
struct Device {
  static constexpr const char* name = "device";
  static constexpr const char* doc = "Test synapse with parameters.";
  struct Params {
    double tau, g_min, g_max, w_max, field_th;
  };
  struct State {
    float weight, trace;
  };
  static constexpr const char* reads[] = {"V"};
  static constexpr Stimulus stimuli[] = {device::field, reward};
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau, "tau", "s", 2, above(0), 0, "relaxation time")
        .add(&Params::g_min, "g_min", "nS", 640, at_least(0), scheduled, "least conductance")
        .add(&Params::g_max, "g_max", "nS", 89000, at_least(0), scheduled, "greatest conductance")
        .add(&Params::w_max, "w_max", "1", 100, at_least(0), port_unit, "greatest weight")
        .add(&Params::field_th, "field_th", "Oe", 90, at_least(0), 0, "field that switches");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "weight")
        .add(&State::trace, "trace", "1", 0, between(0, 1), initial, "trace");
    return t;
  }
  static const char* check(const Params& p) {
    return p.g_min < p.g_max ? nullptr : "g_min must be below g_max";
  }
  static float weight(State& s, const Nothing&, const Slice&) { return s.weight; }
  static void on_control(Synapses<Device>, const Control&) {}
  static void set(Synapses<Device>, const Params&, const Nothing&) {}
};

/// A synapse that responds to voltage pulses.
struct Valve {
  static constexpr const char* name = "valve";
  static constexpr const char* doc = "Test synapse that responds to pulses, fields and reads.";
  static constexpr Stimulus stimuli[] = {device::pulse, device::field, device::read};
  struct Params {};
  struct State {
    float u, reading;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::u, "u", "1", 0, between(0, 1), initial, "state")
        .add(&State::reading, "reading", "1", 0, any(), 0, "what was read last");
    return t;
  }
  static Sign sign(const Params&) { return Sign::positive; }
  static float weight(State& s, const Nothing&, const Slice&) { return s.u; }
  static void on_control(Synapses<Valve>, const Control&) {}
};

/// A constant weight, as the built-in `static`.
struct Plain {
  static constexpr const char* name = "plain";
  static constexpr const char* doc = "Test synapse of constant weight.";
  struct Params {};
  struct State {
    float weight;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "weight");
    return t;
  }
};

/// A device whose weights have one sign or both, and a history.
struct Pair {
  static constexpr const char* name = "pair";
  static constexpr const char* doc = "Test synapse of one device or two.";
  struct Params {
    double two, factor, tau;
  };
  struct State {
    double u;
  };
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::two, "two", "1", 0, between(0, 1), integer | scheduled, "1: weights of both signs")
        .add(&Params::factor, "factor", "1", 1, any(), port_unit | scheduled, "of the weight")
        .add(&Params::tau, "tau", "ms", 20, above(0), scheduled, "of the history");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::u, "u", "1", 0, between(0, 1), initial, "state");
    return t;
  }
  static Sign sign(const Params& p) {
    return p.two != 0 ? Sign::either : p.factor < 0 ? Sign::negative : Sign::positive;
  }
  static double post_tau(const Params& p) { return p.tau; }
  static void catch_up(Synapses<Pair>) {}
  static void set(Synapses<Pair>, const Params&, const Nothing&) {}
  static double weight(State& s, const Nothing&, const Slice&) { return s.u; }
};

inline Catalogue test_models() {
  Catalogue c;
  c.add(&neuron_table<Cell>().model, "test");
  c.add(&neuron_table<Jump>().model, "test");
  c.add(&neuron_table<Gates>().model, "test");
  c.add(&source_table<Noise>().model, "test");
  c.add(&source_table<Listed>().model, "test");
  c.add(&synapse_table<Device>().model, "test");
  c.add(&synapse_table<Plain>().model, "test");
  c.add(&synapse_table<Valve>().model, "test");
  c.add(&synapse_table<Pair>().model, "test");
  return c;
}

}  // namespace spinet::test
