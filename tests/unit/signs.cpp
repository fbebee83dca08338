// On a port with a sign every weight acts with that sign, whatever the model of the neuron and of the synapse
// and however the weight is given: what a synapse does there equals, to the bit, what a static one does whose
// weight has the sign written out.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "network/loader.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// V of three neurons of `model` that hear ten spikes of five sources through synapses `synapse`.
std::vector<float> heard(const std::string& model, const std::string& synapse,
                         const std::string& connect = "all_to_all") {
  const std::string text =
      "spinet: 1\nduration: 60 ms\npopulations:\n  in: {model: spike_source, size: 5, spikes: [[5 ms, 40 "
      "ms], [6 ms, 41 ms], [7 ms, 42 ms], [7 ms, 42 ms], [9 ms, 43 ms]]}\n"
      "  cells: {model: " +
      model + ", size: 3}\nprojections:\n  p: {from: in, to: cells, connect: " + connect +
      ", synapse: {delay: 1 ms, " + synapse +
      "}}\nrecord: {reports: [{population: cells, variable: V, every: 1 ms}]}\n";
  const Network net = load_text(text, "signs.yaml", builtin());
  Run one = run(net);  // both kinds of block
  const auto two = on_ranks(net, 2);
  CHECK(one.recorder.same_samples(two));
  return one.recorder.report(0);
}

}  // namespace

TEST_CASE("magnitudes on an inhibitory port inhibit: every synapse model, every way to give a weight") {
  struct Target {
    std::string model, unit;
    bool current;
  };
  for (const Target& t :
       {Target{"lif_exp", "pA", true}, Target{"adex", "pA", true}, Target{"lif_cond_exp", "nS", false}}) {
    INFO(t.model);
    const std::string w = "40 " + t.unit;
    const auto inhibited = heard(t.model, "model: static, weight: -" + w),
               excited = heard(t.model, "model: static, weight: " + w + ", port: exc");
    CHECK(inhibited.back() < inhibited.front());
    CHECK(excited.back() > inhibited.back());
    // Neither changes in this run, or only by what is switched off.
    for (const std::string& synapse :
         {std::string("model: static"), std::string("model: stdp, lambda: 0, w_max: 100 ") + t.unit,
          std::string("model: rstdp, w_max: 100 ") + t.unit, std::string("model: istdp, eta: 0 ") + t.unit}) {
      INFO(synapse);
      CHECK(heard(t.model, synapse + ", port: inh, weight: " + w) == inhibited);
      CHECK(heard(t.model, synapse + ", port: inh, weight: {uniform: {low: " + w + ", high: 40.000000001 " +
                               t.unit + "}}") == inhibited);
      CHECK(heard(t.model, synapse + ", port: exc, weight: " + w) == excited);
      CHECK(heard(t.model, synapse + ", weight: " + w) == excited);
    }
    CHECK(heard(t.model, "model: static, port: inh, weight: -" + w) == inhibited);
    const std::string short_term = "model: tsodyks_markram, U: 0.3, tau_rec: 50 ms";
    CHECK(heard(t.model, short_term + ", port: inh, weight: " + w) ==
          heard(t.model, short_term + ", weight: -" + w));
    const std::string valve = "model: spin_valve, u: 0.7, w_max: 80 " + t.unit;
    CHECK(heard(t.model, valve + ", port: inh").back() < inhibited.front());
    CHECK(heard(t.model, valve + ", port: inh") ==
          heard(t.model, "model: spin_valve, u: 0.7, w_max: -80 " + t.unit));
    const std::string rows = "{list: [[0, 0, 4 U], [1, 1, 0 U], [1, 2, 7 U]]}",
                      negative = "{list: [[0, 0, -4 U], [1, 1, 0 U], [1, 2, -7 U]]}";
    const auto with_unit = [&](std::string s) {
      for (std::size_t at; (at = s.find('U')) != std::string::npos;) s.replace(at, 1, t.unit);
      return s;
    };
    CHECK(heard(t.model, "model: static, port: inh", with_unit(rows)) ==
          heard(t.model, "model: static", with_unit(negative)));
    const auto csv = std::filesystem::temp_directory_path() / "signs.csv";
    std::ofstream(csv) << "source,target,weight\n0,0,4\n1,1,0\n1,2,7\n";
    CHECK(heard(t.model, "model: stdp, lambda: 0, port: inh, w_max: 100 " + t.unit,
                "{list: '" + csv.string() + "'}") == heard(t.model, "model: static", with_unit(negative)));
    std::filesystem::remove(csv);
  }
}

TEST_CASE("a port without a sign takes weights as they are, or turned where the network says so") {
  const auto negative = heard("lif_delta", "model: static, weight: -2 mV"),
             positive = heard("lif_delta", "model: static, weight: 2 mV");
  CHECK(negative.back() < positive.back());
  CHECK(heard("lif_delta", "model: stdp, lambda: 0, weight: 2 mV") == positive);
  CHECK(heard("lif_delta", "model: stdp, lambda: 0, weight: 2 mV, sign: -1") == negative);
  CHECK(heard("lif_delta", "model: istdp, eta: 0 mV, weight: 2 mV, sign: -1") == negative);
}

TEST_CASE("weights that are switched keep their sign, drives that are superposed, too") {
  const std::string head =
      "spinet: 1\nduration: 200 ms\npopulations:\n  noise: {model: poisson, size: 3, params: {rate: 500 "
      "Hz}}\n  cells: {model: lif_exp, size: 3}\nprojections:\n"
      "  p: {from: noise, to: cells, connect: one_to_one, synapse: {model: static, delay: 1 ms, ";
  const std::string record = "record: {reports: [{population: cells, variable: V, every: 1 ms}]}\n",
                    half = "schedule: [{at: 100 ms, weights: 0.5, to: p}]\n";
  const auto of = [&](const std::string& synapse, const std::string& schedule) {
    return run(load_text(head + synapse + "}}\n" + schedule + record, "signs.yaml", builtin()))
        .recorder.report(0);
  };
  for (const std::string& schedule : {std::string(), half}) {
    CHECK(of("weight: 30 pA, port: inh", schedule) == of("weight: -30 pA", schedule));
    CHECK(of("weight: {uniform: {low: 20 pA, high: 30 pA}}, port: inh", schedule).back() < -70);
  }
  CHECK(of("weight: 30 pA, port: inh", half) != of("weight: 30 pA, port: inh", ""));
}
