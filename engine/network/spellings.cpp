#include "network/spellings.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "network/suggest.hpp"

namespace spinet {
namespace {

constexpr auto model = Spelling::Of::population_model;
constexpr auto synapse = Spelling::Of::synapse_model;
constexpr auto rule = Spelling::Of::rule;
constexpr auto variable = Spelling::Of::variable;
constexpr auto key = Spelling::Of::key;

constexpr std::string_view by_distance =
    "populations have `positions`, and `connect: {distance: ...}` connects by distance";
constexpr std::string_view no_compartments =
    "there are no compartments, morphologies and ion channels: neurons are points";
constexpr std::string_view no_gap_junctions =
    "there are no gap junctions: synapses transmit spikes, after a delay";
constexpr std::string_view no_equations =
    "there are no equations in a network: `spinet models` lists the models, models/README.md says how to add "
    "one";
constexpr std::string_view no_threads = "there are no threads; for several ranks: spinet run FILE -n 4";
constexpr std::string_view no_grid =
    "there is no time grid: spike times are exact to the `time_resolution`, 1 ns if not given";
constexpr std::string_view nearly_adex =
    "the same spike initiation and adaptation, but its synapses are exponential currents (pA)";
constexpr std::string_view no_device =
    "there are no current devices: the current is the parameter I_dc of the neurons, which `schedule` may "
    "set";
constexpr std::string_view not_recorded_so =
    "recording is no population: `record` has a key `spikes`, a list of populations";
constexpr std::string_view not_sampled_so =
    "recording is no population: `record` has a key `reports`, a list of {population: ..., variable: ..., "
    "every: ...}";
constexpr std::string_view own_times = "`spikes` lists the times of each neuron";
constexpr std::string_view own_inputs = "inputs are populations of source models";
constexpr std::string_view a_report = "reports: [{population: ..., variable: ..., every: ...}]";
constexpr std::string_view own_list =
    "`spikes` lists the times of each neuron, with units, beside 'model': spikes: {0: [1 ms, 2 ms]}";
constexpr std::string_view always_on =
    "a source fires all through the run; `schedule` sets its rate: {at: 1 s, set: {NAME: {rate: 0 Hz}}}";
constexpr std::string_view no_condition =
    "there are no conditions: a rule or a list says which pairs; `autapses: false` is i != j";
constexpr std::string_view exact_always = "spikes are exact in time here";
constexpr std::string_view synapse_there =
    "it is a model of synapses: synapse: {model: static, ...}; the time course belongs to the neuron: "
    "tau_syn_exc of lif_cond_exp";
constexpr std::string_view weights_so =
    "recording is no population: `record` has a key `weights`, a list of {projection: ..., every: ...}";
constexpr std::string_view leak = "the leak conductance follows from two parameters, C_m / tau_m";

// The first row that fits answers.
constexpr Spelling table[] = {
    // Neurons and sources of NEST.
    {model, "iaf_psc_exp", "model: lif_exp", ""},
    {model, "iaf_psc_delta", "model: lif_delta", ""},
    {model, "iaf_psc_alpha", "model: lif_exp", "there are no alpha-shaped currents"},
    {model, "iaf_cond_exp", "model: lif_cond_exp", ""},
    {model, "iaf_cond_alpha", "model: lif_cond_exp", "there are no alpha-shaped conductances"},
    {model, "aeif_psc_exp", "model: adex", ""},
    {model, "aeif_cond_exp", "model: adex", nearly_adex},
    {model, "aeif_cond_alpha", "model: adex", nearly_adex},
    {model, "hh_psc_alpha", "model: hodgkin_huxley", "its synapses are exponential conductances (nS)"},
    {model, "poisson_generator", "model: poisson", ""},
    {model, "spike_generator", "model: spike_source", own_times},
    {model, "parrot_neuron", "",
     "there are no parrots: a source has as many targets as its projections give it"},
    {model, "dc_generator", "", no_device},
    {model, "step_current_generator", "", no_device},
    {model, "noise_generator", "",
     "there are no current devices: `schedule` sets I_dc from a distribution, again and again "
     "(networks/README.md, noise currents)"},
    {model, "spike_recorder", "", not_recorded_so},
    {model, "spike_detector", "", not_recorded_so},
    {model, "weight_recorder", "", weights_so},
    {model, "iaf_psc_exp_ps", "model: lif_exp", exact_always},
    {model, "iaf_psc_delta_ps", "model: lif_delta", exact_always},
    {model, "lif", "model: lif_delta", "lif_exp has synaptic currents that decay, lif_cond_exp conductances"},
    {model, "multimeter", "", not_sampled_so},
    {model, "voltmeter", "", not_sampled_so},
    // Of PyNN.
    {model, "IF_curr_exp", "model: lif_exp", ""},
    {model, "IF_curr_delta", "model: lif_delta", ""},
    {model, "IF_curr_alpha", "model: lif_exp", "there are no alpha-shaped currents"},
    {model, "IF_cond_exp", "model: lif_cond_exp", ""},
    {model, "IF_cond_alpha", "model: lif_cond_exp", "there are no alpha-shaped conductances"},
    {model, "EIF_cond_exp_isfa_ista", "model: adex", nearly_adex},
    {model, "EIF_cond_alpha_isfa_ista", "model: adex", nearly_adex},
    {model, "HH_cond_exp", "model: hodgkin_huxley", ""},
    {model, "SpikeSourcePoisson", "model: poisson", ""},
    {model, "SpikeSourceArray", "model: spike_source", own_times},
    // Of Brian2, Arbor and SONATA.
    {model, "NeuronGroup", "", no_equations},
    {model, "PoissonGroup", "model: poisson", ""},
    {model, "SpikeGeneratorGroup", "model: spike_source", own_times},
    {model, "lif_cell", "model: lif_delta", ""},
    {model, "PoissonInput", "model: poisson", "a population of sources, and a projection from it"},
    {model, "TimedArray", "",
     "values in time are a waveform of the schedule: {at: 0 s, set: {NAME: {I_dc: {waveform: {csv: {file: "
     "values.csv}}}}}}"},
    {model, "spike_source_cell", "model: spike_source", own_times},
    {model, "expsyn", "", synapse_there},
    {model, "exp2syn", "", synapse_there},
    {model, "cable_cell", "", no_compartments},
    {model, "biophysical", "", no_compartments},
    {model, "virtual", "model: spike_source", "a SONATA spikes file is given as spikes: {file: ...}"},

    // Synapses.
    {synapse, "static_synapse", "model: static", ""},
    {synapse, "StaticSynapse", "model: static", ""},
    {synapse, "static_synapse_hom_w", "model: static", ""},
    {synapse, "stdp_synapse", "model: stdp", ""},
    {synapse, "stdp_synapse_hom", "model: stdp", ""},
    {synapse, "stdp_triplet_synapse", "model: stdp", "pairs of spikes count, not triplets"},
    {synapse, "vogels_sprekeler_synapse", "model: istdp", ""},
    {synapse, "stdp_pl_synapse_hom", "model: stdp", "powers of the weight are mu_plus and mu_minus"},
    {synapse, "STDPMechanism", "model: stdp", ""},
    {synapse, "SpikePairRule", "model: stdp", ""},
    {synapse, "stdp_dopamine_synapse", "model: rstdp", "a reward comes from `schedule` or an environment"},
    {synapse, "tsodyks_synapse", "model: tsodyks_markram", ""},
    {synapse, "tsodyks_synapse_hom", "model: tsodyks_markram", ""},
    {synapse, "tsodyks2_synapse", "model: tsodyks_markram", ""},
    {synapse, "TsodyksMarkramSynapse", "model: tsodyks_markram", ""},
    {synapse, "expsyn", "model: static",
     "the time course belongs to the neuron: tau_syn_exc of lif_cond_exp"},
    {synapse, "exp2syn", "model: static",
     "the time course belongs to the neuron: tau_syn_exc of lif_cond_exp"},
    {synapse, "gap_junction", "", no_gap_junctions},
    {synapse, "ElectricalSynapse", "", no_gap_junctions},

    // Rules.
    {rule, "AllToAllConnector", "connect: all_to_all", ""},
    {rule, "OneToOneConnector", "connect: one_to_one", ""},
    {rule, "FixedProbabilityConnector", "connect: {pairwise_bernoulli: @}", ""},
    {rule, "FixedNumberPreConnector", "connect: {fixed_indegree: @}", ""},
    {rule, "FixedNumberPostConnector", "connect: {fixed_outdegree: @}", ""},
    {rule, "FixedTotalNumberConnector", "connect: {fixed_total_number: @}", ""},
    {rule, "FromListConnector", "connect: {list: @}", "rows are [source, target, weight, delay]"},
    {rule, "FromFileConnector", "connect: {list: @}", "a CSV file"},
    {rule, "DistanceDependentProbabilityConnector", "", by_distance},
    {rule, "pairwise_poisson", "",
     "there is no such rule: fixed_total_number draws as many connections as that makes in the mean"},
    {rule, "condition", "", no_condition},
    {rule, "symmetric_pairwise_bernoulli", "",
     "there are no symmetric rules: a list holds both directions of each pair"},

    // Sections of a network.
    {key, "nodes", "populations: @", ""},
    {key, "neurons", "populations: @", ""},
    {key, "edges", "projections: @", ""},
    {key, "connections", "projections: @", ""},
    {key, "synapses", "projections: @", ""},
    {key, "inputs", "populations: @", own_inputs},
    {key, "stimuli", "populations: @", own_inputs},
    {key, "recorders", "record: ...", ""},
    {key, "monitors", "record: ...", ""},
    {key, "sim_time", "duration: @", ""},
    {key, "simtime", "duration: @", ""},
    {key, "tstop", "duration: @", ""},
    {key, "run", "duration: @", "", "populations"},
    {key, "neuron_groups", "populations: @", ""},
    {key, "networks", "populations: ...", "and `projections`: nodes and edges are written here"},
    {key, "output", "", "`record` says what is logged, `spinet run -o OUT.h5` where", "populations"},
    {key, "nodes_file", "", "nodes are written here: populations: {NAME: {model: ..., size: ...}}"},
    {key, "edges_file", "connect: {sonata: ...}", "the name of the file"},
    {key, "rng_seed", "seed: @", ""},
    {key, "dt", "every: @", "", "variable"},
    {key, "dt", "", no_grid, "time_resolution"},
    {key, "resolution", "", no_grid, "time_resolution"},
    {key, "min_delay", "", "the shortest delay is found, not given"},
    {key, "threads", "", no_threads},
    {key, "num_threads", "", no_threads},
    {key, "local_num_threads", "", no_threads},
    {key, "layers", "", by_distance},
    {key, "mask", "", by_distance},
    {key, "kernel", "", by_distance},
    {key, "compartments", "", no_compartments},
    {key, "morphology", "", no_compartments},
    {key, "mechanisms", "", no_compartments},
    {key, "gap_junction", "", no_gap_junctions},
    {key, "gap_junctions", "", no_gap_junctions},

    // Keys of a population and its parameters.
    {key, "n", "size: @", ""},
    {key, "count", "size: @", ""},
    {key, "cells", "size: @", ""},
    {key, "cells", "population: @", "", "variable"},
    {key, "cellclass", "model: @", "", "size"},
    {key, "celltype", "model: @", "", "size"},
    {key, "model_template", "model: @", "", "size"},
    {key, "cellparams", "params: @", ""},
    {key, "dynamics_params", "params: @", "they are written here, not in a file"},
    {key, "cell_kind", "model: @", "", "size"},
    {key, "spike_times", "spikes: ...", "times of each neuron, with units: {0: [1 ms, 2 ms]}"},
    {key, "spike_times", "", own_list},
    {key, "schedule", "", own_list, "spikes"},
    {key, "regular_schedule", "", own_list},
    {key, "indices", "", own_list, "size"},
    {key, "times", "", own_list, "size"},
    {key, "rates", "params: {rate: ...}", "", "size"},
    {key, "refractory", "params: {t_ref: ...}", "", "size"},
    {key, "e_rev_E", "E_exc: @", ""},
    {key, "e_rev_I", "E_inh: @", ""},
    {key, "initial_values", "initial: @", ""},
    {key, "V_m", "V: @", ""},
    {key, "V_m", "", "it is a variable; at t = 0 by initial: {V: @}, beside 'params'", "tau_m"},
    {key, "g_L", "", leak, "tau_m"},
    {key, "gL", "", leak, "tau_m"},
    {key, "g_leak", "", leak, "tau_m"},
    {key, "I_e", "I_dc: @", ""},
    {key, "i_offset", "I_dc: @", ""},
    {key, "tau_syn_ex", "tau_syn_exc: @", ""},
    {key, "tau_syn_E", "tau_syn_exc: @", ""},
    {key, "tau_syn_in", "tau_syn_inh: @", ""},
    {key, "tau_syn_I", "tau_syn_inh: @", ""},
    {key, "tau_refrac", "t_ref: @", ""},
    {key, "refractory", "t_ref: @", ""},
    {key, "v_rest", "E_L: @", ""},
    {key, "cm", "C_m: @", ""},
    {key, "C", "C_m: @", ""},
    {key, "v_thresh", "v_th: @", ""},
    {key, "threshold", "v_th: @", ""},
    {key, "threshold", "", no_equations},
    {key, "reset", "v_reset: @", ""},
    {key, "reset", "", no_equations},
    {key, "eqs", "", no_equations},
    {key, "equations", "", no_equations},
    {key, "on_pre", "", no_equations},
    {key, "on_post", "", no_equations},

    // Keys of a projection.
    {key, "pre", "from: @", "", "connect"},
    {key, "source", "from: @", "", "connect"},
    {key, "presynaptic_population", "from: @", "", "connect"},
    {key, "postsynaptic_population", "to: @", "", "connect"},
    {key, "connections_on", "connect: ...", "a rule, or a list of pairs"},
    {key, "condition", "", no_condition},
    {key, "local", "", no_gap_junctions, "connect"},
    {key, "peer", "", no_gap_junctions, "connect"},
    {key, "post", "to: @", "", "connect"},
    {key, "target", "to: @", "", "connect"},
    {key, "conn_spec", "connect: @", ""},
    {key, "connector", "connect: @", ""},
    {key, "rule", "connect: @", ""},
    {key, "syn_spec", "synapse: @", ""},
    {key, "synapse_type", "synapse: {model: @, weight: ..., delay: ...}", ""},
    {key, "weight", "synapse: {model: ..., weight: @}", ""},
    {key, "delay", "synapse: {model: ..., delay: @}", ""},
    {key, "receptor_type", "port: ...", "a port has a name"},
    {key, "receptor_type", "synapse: {model: ..., port: ...}", "a port has a name"},
    {key, "receptor", "port: ...", "a port has a name"},
    {key, "synapse_model", "model: @", "", "delay"},
    {key, "syn_weight", "weight: @", ""},
    {key, "w", "weight: @", ""},
    {key, "indegree", "fixed_indegree: @", ""},
    {key, "indegree", "connect: {fixed_indegree: @}", ""},
    {key, "outdegree", "fixed_outdegree: @", ""},
    {key, "outdegree", "connect: {fixed_outdegree: @}", ""},
    {key, "p", "pairwise_bernoulli: @", ""},
    {key, "p", "connect: {pairwise_bernoulli: @}", ""},
    {key, "p_connect", "pairwise_bernoulli: @", ""},
    {key, "n", "fixed_total_number: @", ""},
    {key, "n", "connect: {fixed_total_number: @}", ""},
    {key, "allow_autapses", "autapses: @", ""},
    {key, "allow_self_connections", "autapses: @", ""},
    {key, "allow_multapses", "multapses: @", ""},
    {key, "with_replacement", "multapses: @", ""},
    {key, "make_symmetric", "",
     "there are no symmetric rules: a second projection has 'from' and 'to' swapped"},

    // Keys of a record.
    {key, "spike_recorder", "spikes: @", "", "reports"},
    {key, "SpikeMonitor", "spikes: @", "", "reports"},
    {key, "spike_detector", "spikes: @", "", "reports"},
    {key, "weight_recorder", "weights: [{projection: ..., every: ...}]", ""},
    {key, "multimeter", a_report, ""},
    {key, "StateMonitor", a_report, ""},
    {key, "voltmeter", a_report, ""},
    {key, "record_from", "variable: @", ""},
    {key, "variable_name", "variable: @", "", "every"},
    {key, "node_set", "population: @", "", "variable"},
    {key, "interval", "every: @", ""},
    {key, "start", "from: @", "", "population"},
    {key, "stop", "to: @", "", "population"},
    {key, "start", "", always_on, "rate"},
    {key, "stop", "", always_on, "rate"},
    {key, "duration", "", always_on, "rate"},

    {key, "start_time", "from: @", "", "population"},
    {key, "end_time", "to: @", "", "population"},

    // Variables.
    {variable, "V_m", "variable: V", ""},
    {variable, "v_soma", "variable: V", ""},
    {variable, "I_syn_ex", "variable: I_syn", "the currents of both ports together"},
    {variable, "I_syn_in", "variable: I_syn", "the currents of both ports together"},
    {variable, "gsyn_exc", "variable: g_exc", ""},
    {variable, "gsyn_inh", "variable: g_inh", ""},
    {variable, "g_ex", "variable: g_exc", ""},
    {variable, "g_in", "variable: g_inh", ""},
};

// Units written out: a prefix and a name, each of them perhaps in the plural.
struct Word {
  std::string_view word, symbol;
};
constexpr Word prefix_words[] = {{"", ""},       {"femto", "f"}, {"pico", "p"}, {"nano", "n"}, {"micro", "u"},
                                 {"milli", "m"}, {"kilo", "k"},  {"mega", "M"}, {"meg", "M"},  {"giga", "G"}};
constexpr Word unit_words[] = {{"second", "s"}, {"volt", "V"},    {"ampere", "A"},   {"amp", "A"},
                               {"farad", "F"},  {"siemens", "S"}, {"ohm", "Ohm"},    {"hertz", "Hz"},
                               {"tesla", "T"},  {"gauss", "G"},   {"oersted", "Oe"}, {"meter", "m"},
                               {"metre", "m"},  {"kelvin", "K"},  {"joule", "J"},    {"watt", "W"}};
constexpr Word odd_words[] = {{"msec", "ms"},    {"usec", "us"},     {"nsec", "ns"},     {"sec", "s"},
                              {"minute", "min"}, {"hour", "h"},      {"day", "d"},       {"namp", "nA"},
                              {"pamp", "pA"},    {"uamp", "uA"},     {"pfarad", "pF"},   {"nfarad", "nF"},
                              {"ufarad", "uF"},  {"nsiemens", "nS"}, {"usiemens", "uS"}, {"mho", "S"},
                              {"umho", "uS"},    {"percent", "%"}};

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view key_of(const Spelling& s) { return s.right.substr(0, s.right.find(':')); }
/// What follows the key.
std::string_view value_of(const Spelling& s) {
  return s.right.empty() ? s.right : s.right.substr(s.right.find(':') + 2);
}

/// Whether the answer can be given here: the key, or the model, that it names is one of those allowed.
bool fits(const Spelling& s, const std::vector<std::string>& allowed) {
  const auto is_allowed = [&](std::string_view name) {
    return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  };
  if (s.of == key)
    return (s.right.empty() || is_allowed(key_of(s))) && (s.beside.empty() || is_allowed(s.beside));
  return s.right.empty() || s.of == rule || is_allowed(value_of(s));
}

/// A name among the values of another simulator, as it is here: models and variables have names of their own.
std::string translated(std::string_view right_key, std::string_view value) {
  // Neither a text nor the name of a file stands for a map.
  if (right_key == "params" || right_key == "initial")
    return value.starts_with('{') ? std::string(value) : "...";
  if (right_key == "autapses" || right_key == "multapses")
    for (const auto& [said, is] : {std::pair("true", "true"),
                                   {"yes", "true"},
                                   {"on", "true"},
                                   {"1", "true"},
                                   {"false", "false"},
                                   {"no", "false"},
                                   {"off", "false"},
                                   {"0", "false"}})
      if (same(value, said)) return is;
  // Lengths of runs are in ms elsewhere.
  if (right_key == "duration" && !value.empty() &&
      value.find_first_not_of("0123456789.eE+-") == std::string_view::npos)
    return std::string(value) + " ms";
  const auto colon = value.rfind(':');
  const bool scheme =
      right_key == "model" && colon != std::string_view::npos;  // "nest:iaf_psc_exp", "ctdb:cell.hoc"
  if (scheme) value = value.substr(colon + 1);
  for (const auto& s : table)
    if (!s.right.empty() && same(s.given, value) &&
        ((right_key == "model" && s.of == model) ||
         ((right_key == "model" || right_key == "synapse") && s.of == synapse) ||
         (right_key == "variable" && s.of == variable)))
      return std::string(value_of(s));
  return scheme ? "..." : std::string(value);
}

std::string put_in(std::string_view text, std::string_view value) {
  std::string all(text);
  if (const auto at = all.find('@'); at != std::string::npos) all.replace(at, 1, value);
  return all;
}

}  // namespace

std::span<const Spelling> spellings() { return table; }

const Spelling* spelling(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed) {
  for (const auto& s : table)
    if (s.of == of && same(s.given, given) && fits(s, allowed)) return &s;
  return nullptr;
}

std::string right_key(std::string_view given, const std::vector<std::string>& allowed) {
  const Spelling* s = spelling(key, given, allowed);
  return s ? std::string(key_of(*s)) : std::string();
}

std::string right_name(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed) {
  const Spelling* s = spelling(of, given, allowed);
  if (!s || s->right.empty()) return {};
  const auto value = value_of(*s);
  return std::string(value.starts_with('{') ? value.substr(1, value.find(':') - 1) : value);
}

std::string answer(const Spelling& s, std::string_view given) {
  const std::string value = given.empty() ? "..." : translated(key_of(s), given);
  const std::string say = put_in(s.say, value);
  if (s.right.empty()) return say;
  return "here: " + put_in(s.right, value) + (say.empty() ? "" : " (" + say + ")");
}

std::string meant(Spelling::Of of, std::string_view given, const std::vector<std::string>& allowed,
                  std::string_view kind) {
  const Spelling* s = spelling(of, given, allowed);
  return s ? answer(*s) : suggest(given, allowed, kind);
}

std::string unit_symbol(std::string_view written_out) {
  const auto is = [&](std::string_view prefix, std::string_view name) {
    const auto whole = std::string(prefix) + std::string(name);
    return same(whole, written_out) || same(whole + "s", written_out);
  };
  for (const auto& w : odd_words)
    if (is("", w.word)) return std::string(w.symbol);
  for (const auto& p : prefix_words)
    for (const auto& u : unit_words)
      if (is(p.word, u.word)) return std::string(p.symbol) + std::string(u.symbol);
  return {};
}

}  // namespace spinet
