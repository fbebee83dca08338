#include "network/spellings.hpp"

#include <algorithm>
#include <cctype>

#include "network/suggest.hpp"

namespace spinet {
namespace {

constexpr auto model = Spelling::Of::population_model;
constexpr auto synapse = Spelling::Of::synapse_model;
constexpr auto rule = Spelling::Of::rule;
constexpr auto key = Spelling::Of::key;
constexpr auto unit = Spelling::Of::unit;

constexpr std::string_view some_populations = "populations: {exc: {model: lif_exp, size: 100}}";
constexpr std::string_view some_projections = "projections: {p: {from: exc, to: exc, connect: {fixed_indegree: 10}, synapse: {model: static, weight: 10 pA, delay: 1.5 ms}}}";
constexpr std::string_view some_synapse = "synapse: {model: static, weight: 10 pA, delay: 1.5 ms}";
constexpr std::string_view no_geometry = "there are no positions and distances: connections follow a rule or a list";
constexpr std::string_view no_compartments = "there are no compartments, morphologies and ion channels: neurons are points";
constexpr std::string_view no_gap_junctions = "there are no gap junctions: synapses transmit spikes, after a delay";
constexpr std::string_view no_equations = "there are no equations in a network: `spinet models` lists the models, models/README.md says how to add one";
constexpr std::string_view no_threads = "there are no threads; for several ranks: spinet run FILE -n 4";
constexpr std::string_view currents = "its synapses are exponential currents (pA)";
constexpr std::string_view no_device = "there are no current devices: the current is a parameter, params: {I_dc: 300 pA}, which `schedule` may set";

// The first row that fits answers.
constexpr Spelling table[] = {
    // Neurons and sources of NEST.
    {model, "iaf_psc_exp", "model: lif_exp", ""},
    {model, "iaf_psc_delta", "model: lif_delta", ""},
    {model, "iaf_psc_alpha", "model: lif_exp", "there are no alpha-shaped currents"},
    {model, "iaf_cond_exp", "model: lif_cond_exp", ""},
    {model, "iaf_cond_alpha", "model: lif_cond_exp", "there are no alpha-shaped conductances"},
    {model, "aeif_psc_exp", "model: adex", currents},
    {model, "aeif_cond_exp", "model: adex", currents},
    {model, "aeif_cond_alpha", "model: adex", currents},
    {model, "hh_psc_alpha", "", "there is no Hodgkin-Huxley neuron; adex has a spike initiation of its own"},
    {model, "izhikevich", "", "there is no Izhikevich neuron; adex has the same kinds of firing"},
    {model, "poisson_generator", "model: poisson, params: {rate: 8 kHz}", ""},
    {model, "spike_generator", "model: spike_source, spikes: [[10 ms], [20 ms]]", "a list of times per neuron"},
    {model, "parrot_neuron", "", "there are no parrots: a source has as many targets as its projections give it"},
    {model, "dc_generator", "", no_device},
    {model, "step_current_generator", "", no_device},
    {model, "noise_generator", "", "there are no current devices: `schedule` sets I_dc from a distribution, again and again (networks/README.md, noise currents)"},
    {model, "spike_recorder", "", "recording is no population: record: {spikes: [exc]}"},
    {model, "spike_detector", "", "recording is no population: record: {spikes: [exc]}"},
    {model, "multimeter", "", "recording is no population: record: {reports: [{population: exc, variable: V, every: 1 ms}]}"},
    {model, "voltmeter", "", "recording is no population: record: {reports: [{population: exc, variable: V, every: 1 ms}]}"},
    // Of PyNN.
    {model, "IF_curr_exp", "model: lif_exp", ""},
    {model, "IF_curr_delta", "model: lif_delta", ""},
    {model, "IF_curr_alpha", "model: lif_exp", "there are no alpha-shaped currents"},
    {model, "IF_cond_exp", "model: lif_cond_exp", ""},
    {model, "EIF_cond_exp_isfa_ista", "model: adex", currents},
    {model, "HH_cond_exp", "", "there is no Hodgkin-Huxley neuron; adex has a spike initiation of its own"},
    {model, "SpikeSourcePoisson", "model: poisson, params: {rate: 8 kHz}", ""},
    {model, "SpikeSourceArray", "model: spike_source, spikes: [[10 ms], [20 ms]]", "a list of times per neuron"},
    // Of Brian2, Arbor and SONATA.
    {model, "NeuronGroup", "", no_equations},
    {model, "PoissonGroup", "model: poisson, params: {rate: 8 kHz}", ""},
    {model, "SpikeGeneratorGroup", "model: spike_source, spikes: [[10 ms], [20 ms]]", "a list of times per neuron"},
    {model, "lif_cell", "model: lif_delta", ""},
    {model, "cable_cell", "", no_compartments},
    {model, "biophysical", "", no_compartments},
    {model, "virtual", "model: spike_source, spikes: [[10 ms], [20 ms]]", "a SONATA spikes file is given as spikes: {file: input.h5}"},

    // Synapses.
    {synapse, "static_synapse", "model: static", ""},
    {synapse, "StaticSynapse", "model: static", ""},
    {synapse, "stdp_synapse", "model: stdp", ""},
    {synapse, "stdp_pl_synapse_hom", "model: stdp", "powers of the weight are mu_plus and mu_minus"},
    {synapse, "STDPMechanism", "model: stdp", ""},
    {synapse, "SpikePairRule", "model: stdp", ""},
    {synapse, "stdp_dopamine_synapse", "model: rstdp", "a reward comes from `schedule` or an environment"},
    {synapse, "tsodyks_synapse", "model: tsodyks_markram", ""},
    {synapse, "tsodyks2_synapse", "model: tsodyks_markram", ""},
    {synapse, "TsodyksMarkramSynapse", "model: tsodyks_markram", ""},
    {synapse, "expsyn", "model: static", "the time course belongs to the neuron: tau_syn_exc of lif_cond_exp"},
    {synapse, "exp2syn", "model: static", "the time course belongs to the neuron: tau_syn_exc of lif_cond_exp"},
    {synapse, "gap_junction", "", no_gap_junctions},
    {synapse, "ElectricalSynapse", "", no_gap_junctions},

    // Rules.
    {rule, "AllToAllConnector", "connect: all_to_all", ""},
    {rule, "OneToOneConnector", "connect: one_to_one", ""},
    {rule, "FixedProbabilityConnector", "connect: {pairwise_bernoulli: 0.1}", ""},
    {rule, "FixedNumberPreConnector", "connect: {fixed_indegree: 10}", ""},
    {rule, "FixedNumberPostConnector", "connect: {fixed_outdegree: 10}", ""},
    {rule, "FixedTotalNumberConnector", "connect: {fixed_total_number: 100}", ""},
    {rule, "FromListConnector", "connect: {list: [[0, 1], [1, 0]]}", "rows are [source, target, weight, delay]"},
    {rule, "FromFileConnector", "connect: {list: [[0, 1], [1, 0]]}", "or a CSV file, {list: edges.csv}"},
    {rule, "DistanceDependentProbabilityConnector", "", no_geometry},
    {rule, "symmetric_pairwise_bernoulli", "", "there are no symmetric rules: a list holds both directions of each pair"},

    // Sections of a network.
    {key, "nodes", some_populations, ""},
    {key, "neurons", some_populations, ""},
    {key, "edges", some_projections, ""},
    {key, "connections", some_projections, ""},
    {key, "synapses", some_projections, ""},
    {key, "inputs", "populations: {noise: {model: poisson, size: 100, params: {rate: 8 kHz}}}", "inputs are populations of source models"},
    {key, "stimuli", "populations: {noise: {model: poisson, size: 100, params: {rate: 8 kHz}}}", "inputs are populations of source models"},
    {key, "recorders", "record: {spikes: [exc]}", ""},
    {key, "monitors", "record: {spikes: [exc]}", ""},
    {key, "sim_time", "duration: 1 s", ""},
    {key, "simtime", "duration: 1 s", ""},
    {key, "tstop", "duration: 1 s", ""},
    {key, "rng_seed", "seed: 1", ""},
    {key, "dt", "time_resolution: 1 ns", "there is no time grid: spike times are exact to this tick"},
    {key, "resolution", "time_resolution: 1 ns", "there is no time grid: spike times are exact to this tick"},
    {key, "min_delay", "", "the shortest delay is found, not given"},
    {key, "threads", "", no_threads},
    {key, "num_threads", "", no_threads},
    {key, "local_num_threads", "", no_threads},
    {key, "layers", "", no_geometry},
    {key, "positions", "", no_geometry},
    {key, "mask", "", no_geometry},
    {key, "kernel", "", no_geometry},
    {key, "compartments", "", no_compartments},
    {key, "morphology", "", no_compartments},
    {key, "mechanisms", "", no_compartments},
    {key, "gap_junction", "", no_gap_junctions},
    {key, "gap_junctions", "", no_gap_junctions},

    // Keys of a population and its parameters.
    {key, "n", "size: 2", ""},
    {key, "cells", "size: 2", ""},
    {key, "cellclass", "model: lif_exp", "", "size"},
    {key, "celltype", "model: lif_exp", "", "size"},
    {key, "model_template", "model: lif_exp", "", "size"},
    {key, "cellparams", "params: {tau_m: 10 ms}", ""},
    {key, "dynamics_params", "params: {tau_m: 10 ms}", ""},
    {key, "initial_values", "initial: {V: -65 mV}", ""},
    {key, "V_m", "V: -65 mV", ""},
    {key, "I_e", "I_dc: 300 pA", ""},
    {key, "i_offset", "I_dc: 300 pA", ""},
    {key, "tau_syn_ex", "tau_syn_exc: 2 ms", ""},
    {key, "tau_syn_E", "tau_syn_exc: 2 ms", ""},
    {key, "tau_syn_in", "tau_syn_inh: 2 ms", ""},
    {key, "tau_syn_I", "tau_syn_inh: 2 ms", ""},
    {key, "tau_refrac", "t_ref: 2 ms", ""},
    {key, "refractory", "t_ref: 2 ms", ""},
    {key, "v_rest", "E_L: -70 mV", ""},
    {key, "cm", "C_m: 250 pF", ""},
    {key, "v_thresh", "v_th: -50 mV", ""},
    {key, "threshold", "v_th: -50 mV", ""},
    {key, "threshold", "", no_equations},
    {key, "reset", "v_reset: -70 mV", ""},
    {key, "reset", "", no_equations},
    {key, "eqs", "", no_equations},
    {key, "equations", "", no_equations},
    {key, "on_pre", "", no_equations},
    {key, "on_post", "", no_equations},

    // Keys of a projection.
    {key, "pre", "from: exc", "", "connect"},
    {key, "source", "from: exc", "", "connect"},
    {key, "post", "to: exc", "", "connect"},
    {key, "target", "to: exc", "", "connect"},
    {key, "conn_spec", "connect: {fixed_indegree: 10}", ""},
    {key, "connector", "connect: {fixed_indegree: 10}", ""},
    {key, "rule", "connect: {fixed_indegree: 10}", ""},
    {key, "syn_spec", some_synapse, ""},
    {key, "synapse_type", some_synapse, ""},
    {key, "weight", some_synapse, ""},
    {key, "delay", some_synapse, ""},
    {key, "receptor_type", "port: exc", "a port has a name"},
    {key, "receptor_type", "synapse: {model: static, weight: 10 pA, delay: 1.5 ms, port: exc}", ""},
    {key, "receptor", "port: exc", ""},
    {key, "synapse_model", "model: static", "", "delay"},
    {key, "syn_weight", "weight: 10 pA", ""},
    {key, "w", "weight: 10 pA", ""},
    {key, "indegree", "fixed_indegree: 10", ""},
    {key, "outdegree", "fixed_outdegree: 10", ""},
    {key, "p", "pairwise_bernoulli: 0.1", ""},
    {key, "p_connect", "pairwise_bernoulli: 0.1", ""},
    {key, "n", "fixed_total_number: 100", ""},
    {key, "allow_autapses", "autapses: false", ""},
    {key, "allow_self_connections", "autapses: false", ""},
    {key, "allow_multapses", "multapses: false", ""},
    {key, "with_replacement", "multapses: false", ""},
    {key, "make_symmetric", "", "there are no symmetric rules: a second projection has 'from' and 'to' swapped"},

    // Keys of a record.
    {key, "spike_recorder", "spikes: [exc]", "", "reports"},
    {key, "multimeter", "reports: [{population: exc, variable: V, every: 1 ms}]", ""},
    {key, "voltmeter", "reports: [{population: exc, variable: V, every: 1 ms}]", ""},
    {key, "record_from", "variable: V", ""},
    {key, "interval", "every: 1 ms", ""},
    {key, "start", "from: 100 ms", "", "population"},
    {key, "stop", "to: 200 ms", "", "population"},

    // Units.
    {unit, "msec", "10 ms", ""},
    {unit, "millisecond", "10 ms", ""},
    {unit, "sec", "10 s", ""},
    {unit, "second", "10 s", ""},
    {unit, "millivolt", "10 mV", ""},
    {unit, "volt", "10 V", ""},
    {unit, "picoamp", "10 pA", ""},
    {unit, "nanoamp", "10 nA", ""},
    {unit, "picofarad", "10 pF", ""},
    {unit, "nanosiemens", "10 nS", ""},
    {unit, "nsiemens", "10 nS", ""},
    {unit, "umho", "10 uS", ""},
    {unit, "hertz", "10 Hz", ""},
    {unit, "megaohm", "10 MOhm", ""},
};

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// Whether the answer can be given here: the key, or the model, that it names is one of those allowed.
bool fits(const Spelling& s, const std::vector<std::string>& allowed) {
  const auto is_allowed = [&](std::string_view name) { return std::find(allowed.begin(), allowed.end(), name) != allowed.end(); };
  if (s.right.empty() || s.of == rule || s.of == unit) return true;
  const auto colon = s.right.find(':');
  if (s.of == key) return is_allowed(s.right.substr(0, colon)) && (s.beside.empty() || is_allowed(s.beside));
  const auto name = s.right.substr(colon + 2);
  return is_allowed(name.substr(0, name.find(',')));
}

}  // namespace

std::span<const Spelling> spellings() { return table; }

std::string right_key(std::string_view given, const std::vector<std::string>& allowed) {
  for (const auto& s : table)
    if (s.of == key && same(s.given, given) && fits(s, allowed)) return std::string(s.right.substr(0, s.right.find(':')));
  return {};
}

std::string foreign(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed) {
  for (const auto& s : table) {
    if (s.of != of || !same(s.given, given) || !fits(s, allowed)) continue;
    if (s.right.empty()) return std::string(s.say);
    const std::string right = "here: " + std::string(s.right);
    return s.say.empty() ? right : right + " (" + std::string(s.say) + ")";
  }
  return {};
}

std::string meant(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed, std::string_view kind) {
  auto answer = foreign(of, given, allowed);
  return answer.empty() ? suggest(given, allowed, kind) : answer;
}

}  // namespace spinet
