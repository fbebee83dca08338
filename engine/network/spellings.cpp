#include "network/spellings.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "network/suggest.hpp"

namespace spinet {
namespace {

constexpr auto model = Spelling::Of::population_model;
constexpr auto synapse_model = Spelling::Of::synapse_model;
constexpr auto rule = Spelling::Of::rule;
constexpr auto variable = Spelling::Of::variable;
constexpr auto word = Spelling::Of::key;

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
    {model, "iaf_psc_alpha", "model: lif_alpha", ""},
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
    {model, "IF_curr_alpha", "model: lif_alpha", ""},
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
    {synapse_model, "static_synapse", "model: static", ""},
    {synapse_model, "StaticSynapse", "model: static", ""},
    {synapse_model, "static_synapse_hom_w", "model: static", ""},
    {synapse_model, "stdp_synapse", "model: stdp", ""},
    {synapse_model, "stdp_synapse_hom", "model: stdp", ""},
    {synapse_model, "stdp_triplet_synapse", "model: stdp", "pairs of spikes count, not triplets"},
    {synapse_model, "vogels_sprekeler_synapse", "model: istdp", ""},
    {synapse_model, "stdp_pl_synapse_hom", "model: stdp", "powers of the weight are mu_plus and mu_minus"},
    {synapse_model, "STDPMechanism", "model: stdp", ""},
    {synapse_model, "SpikePairRule", "model: stdp", ""},
    {synapse_model, "stdp_dopamine_synapse", "model: rstdp",
     "a reward comes from `schedule` or an environment"},
    {synapse_model, "tsodyks_synapse", "model: tsodyks_markram", ""},
    {synapse_model, "tsodyks_synapse_hom", "model: tsodyks_markram", ""},
    {synapse_model, "tsodyks2_synapse", "model: tsodyks_markram", ""},
    {synapse_model, "TsodyksMarkramSynapse", "model: tsodyks_markram", ""},
    {synapse_model, "expsyn", "model: static",
     "the time course belongs to the neuron: tau_syn_exc of lif_cond_exp"},
    {synapse_model, "exp2syn", "model: static",
     "the time course belongs to the neuron: tau_syn_exc of lif_cond_exp"},
    {synapse_model, "gap_junction", "", no_gap_junctions},
    {synapse_model, "ElectricalSynapse", "", no_gap_junctions},

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
    {word, "nodes", "populations: @", ""},
    {word, "neurons", "populations: @", ""},
    {word, "edges", "projections: @", ""},
    {word, "connections", "projections: @", ""},
    {word, "synapses", "projections: @", ""},
    {word, "inputs", "populations: @", own_inputs},
    {word, "stimuli", "populations: @", own_inputs},
    {word, "recorders", "record: ...", ""},
    {word, "monitors", "record: ...", ""},
    {word, "sim_time", "duration: @", ""},
    {word, "simtime", "duration: @", ""},
    {word, "tstop", "duration: @", ""},
    {word, "run", "duration: @", "", "populations"},
    {word, "neuron_groups", "populations: @", ""},
    {word, "networks", "populations: ...", "and `projections`: nodes and edges are written here"},
    {word, "output", "", "`record` says what is logged, `spinet run -o OUT.h5` where", "populations"},
    {word, "nodes_file", "", "nodes are written here: populations: {NAME: {model: ..., size: ...}}"},
    {word, "edges_file", "connect: {sonata: ...}", "the name of the file"},
    {word, "rng_seed", "seed: @", ""},
    {word, "dt", "every: @", "", "variable"},
    {word, "dt", "", no_grid, "time_resolution"},
    {word, "resolution", "", no_grid, "time_resolution"},
    {word, "min_delay", "", "the shortest delay is found, not given"},
    {word, "threads", "", no_threads},
    {word, "num_threads", "", no_threads},
    {word, "local_num_threads", "", no_threads},
    {word, "layers", "", by_distance},
    {word, "mask", "", by_distance},
    {word, "kernel", "", by_distance},
    {word, "compartments", "", no_compartments},
    {word, "morphology", "", no_compartments},
    {word, "mechanisms", "", no_compartments},
    {word, "gap_junction", "", no_gap_junctions},
    {word, "gap_junctions", "", no_gap_junctions},

    // Keys of a population and its parameters.
    {word, "n", "size: @", ""},
    {word, "count", "size: @", ""},
    {word, "cells", "size: @", ""},
    {word, "cells", "population: @", "", "variable"},
    {word, "cellclass", "model: @", "", "size"},
    {word, "celltype", "model: @", "", "size"},
    {word, "model_template", "model: @", "", "size"},
    {word, "cellparams", "params: @", ""},
    {word, "dynamics_params", "params: @", "they are written here, not in a file"},
    {word, "cell_kind", "model: @", "", "size"},
    {word, "spike_times", "spikes: ...", "times of each neuron, with units: {0: [1 ms, 2 ms]}"},
    {word, "spike_times", "", own_list},
    {word, "schedule", "", own_list, "spikes"},
    {word, "regular_schedule", "", own_list},
    {word, "indices", "", own_list, "size"},
    {word, "times", "", own_list, "size"},
    {word, "rates", "params: {rate: ...}", "", "size"},
    {word, "refractory", "params: {t_ref: ...}", "", "size"},
    {word, "e_rev_E", "E_exc: @", ""},
    {word, "e_rev_I", "E_inh: @", ""},
    {word, "initial_values", "initial: @", ""},
    {word, "V_m", "V: @", ""},
    {word, "V_m", "", "it is a variable; at t = 0 by initial: {V: @}, beside 'params'", "tau_m"},
    {word, "g_L", "", leak, "tau_m"},
    {word, "gL", "", leak, "tau_m"},
    {word, "g_leak", "", leak, "tau_m"},
    {word, "I_e", "I_dc: @", ""},
    {word, "i_offset", "I_dc: @", ""},
    {word, "tau_syn_ex", "tau_syn_exc: @", ""},
    {word, "tau_syn_E", "tau_syn_exc: @", ""},
    {word, "tau_syn_in", "tau_syn_inh: @", ""},
    {word, "tau_syn_I", "tau_syn_inh: @", ""},
    {word, "tau_refrac", "t_ref: @", ""},
    {word, "refractory", "t_ref: @", ""},
    {word, "v_rest", "E_L: @", ""},
    {word, "cm", "C_m: @", ""},
    {word, "C", "C_m: @", ""},
    {word, "v_thresh", "v_th: @", ""},
    {word, "threshold", "v_th: @", ""},
    {word, "threshold", "", no_equations},
    {word, "reset", "v_reset: @", ""},
    {word, "reset", "", no_equations},
    {word, "eqs", "", no_equations},
    {word, "equations", "", no_equations},
    {word, "on_pre", "", no_equations},
    {word, "on_post", "", no_equations},

    // Keys of a projection.
    {word, "pre", "from: @", "", "connect"},
    {word, "source", "from: @", "", "connect"},
    {word, "presynaptic_population", "from: @", "", "connect"},
    {word, "postsynaptic_population", "to: @", "", "connect"},
    {word, "connections_on", "connect: ...", "a rule, or a list of pairs"},
    {word, "condition", "", no_condition},
    {word, "local", "", no_gap_junctions, "connect"},
    {word, "peer", "", no_gap_junctions, "connect"},
    {word, "post", "to: @", "", "connect"},
    {word, "target", "to: @", "", "connect"},
    {word, "conn_spec", "connect: @", ""},
    {word, "connector", "connect: @", ""},
    {word, "rule", "connect: @", ""},
    {word, "syn_spec", "synapse: @", ""},
    {word, "synapse_type", "synapse: {model: @, weight: ..., delay: ...}", ""},
    {word, "weight", "synapse: {model: ..., weight: @}", ""},
    {word, "delay", "synapse: {model: ..., delay: @}", ""},
    {word, "receptor_type", "port: ...", "a port has a name"},
    {word, "receptor_type", "synapse: {model: ..., port: ...}", "a port has a name"},
    {word, "receptor", "port: ...", "a port has a name"},
    {word, "synapse_model", "model: @", "", "delay"},
    {word, "syn_weight", "weight: @", ""},
    {word, "w", "weight: @", ""},
    {word, "indegree", "fixed_indegree: @", ""},
    {word, "indegree", "connect: {fixed_indegree: @}", ""},
    {word, "outdegree", "fixed_outdegree: @", ""},
    {word, "outdegree", "connect: {fixed_outdegree: @}", ""},
    {word, "p", "pairwise_bernoulli: @", ""},
    {word, "p", "connect: {pairwise_bernoulli: @}", ""},
    {word, "p_connect", "pairwise_bernoulli: @", ""},
    {word, "n", "fixed_total_number: @", ""},
    {word, "n", "connect: {fixed_total_number: @}", ""},
    {word, "allow_autapses", "autapses: @", ""},
    {word, "allow_self_connections", "autapses: @", ""},
    {word, "allow_multapses", "multapses: @", ""},
    {word, "with_replacement", "multapses: @", ""},
    {word, "make_symmetric", "",
     "there are no symmetric rules: a second projection has 'from' and 'to' swapped"},

    // Keys of a record.
    {word, "spike_recorder", "spikes: @", "", "reports"},
    {word, "SpikeMonitor", "spikes: @", "", "reports"},
    {word, "spike_detector", "spikes: @", "", "reports"},
    {word, "weight_recorder", "weights: [{projection: ..., every: ...}]", ""},
    {word, "multimeter", a_report, ""},
    {word, "StateMonitor", a_report, ""},
    {word, "voltmeter", a_report, ""},
    {word, "record_from", "variable: @", ""},
    {word, "variable_name", "variable: @", "", "every"},
    {word, "node_set", "population: @", "", "variable"},
    {word, "interval", "every: @", ""},
    {word, "start", "from: @", "", "population"},
    {word, "stop", "to: @", "", "population"},
    {word, "start", "", always_on, "rate"},
    {word, "stop", "", always_on, "rate"},
    {word, "duration", "", always_on, "rate"},

    {word, "start_time", "from: @", "", "population"},
    {word, "end_time", "to: @", "", "population"},

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
  if (s.of == word)
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
         ((right_key == "model" || right_key == "synapse") && s.of == synapse_model) ||
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
  const Spelling* s = spelling(word, given, allowed);
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
