"""Runs with plugins that break the contract: each ends with exit code 3 and a message that says who, when and why; a plugin
that crashes or ends the program is named.

usage: faulty.py SPINET PLUGINS
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py

SPINET, PLUGINS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout
NEURONS = """spinet: 1
duration: 100 ms
populations:
  noise: {model: poisson, size: 40, params: {rate: 300 Hz}}
  cells: {model: counter, size: 40%(params)s}
projections:
  drive: {from: noise, to: cells, connect: {fixed_indegree: 20}, synapse: {model: static, weight: 5 mV, delay: 1 ms}}
schedule:
  - {at: 20 ms, reward: -1}
record: {spikes: [cells]%(more)s}
"""
SYNAPSES = """spinet: 1
duration: 100 ms
populations:
  noise: {model: poisson, size: 40, params: {rate: 300 Hz}}
  cells: {model: lif_delta, size: 40}
projections:
  drive: {from: noise, to: cells, connect: {fixed_indegree: 20}, synapse: {model: release, weight: 1 mV, delay: 1 ms%(params)s}}
schedule:
  - {at: 20 ms, reward: -1}
record: {spikes: [cells]%(more)s}
"""
SOURCES = """spinet: 1
duration: 100 ms
populations:
  noise: {model: bernoulli, size: 40%(params)s}
  cells: {model: lif_delta, size: 40}
projections:
  drive: {from: noise, to: cells, connect: {fixed_indegree: 20}, synapse: {model: static, weight: 1 mV, delay: 1 ms}}
record: {spikes: [cells]%(more)s}
"""
JUDGE = """spinet: 1
duration: 100 ms
populations:
  noise: {model: poisson, size: 40, params: {rate: 300 Hz}}
  cells: {model: judge, size: 1%(params)s}
projections:
  drive: {from: noise, to: cells, connect: all_to_all, synapse: {model: static, weight: 1, delay: 1 ms}}
record: {spikes: [noise]%(more)s}
"""


class Faulty(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="spinet-faulty-")
        self.addCleanup(shutil.rmtree, self.folder)

    def run_with(self, plugin, network, *words, params="", more="", command="run"):
        plugins = os.path.join(self.folder, "plugins")
        shutil.rmtree(plugins, ignore_errors=True)
        os.mkdir(plugins)
        shutil.copy(os.path.join(PLUGINS, plugin + ".so"), plugins)
        with open(os.path.join(self.folder, "n.yaml"), "w") as f:
            f.write(network % {"params": params, "more": more})
        if command == "run" and "--force" not in words:
            words = (*words, "--force")
        return subprocess.run([SPINET, command, "n.yaml", "--plugin-path", "plugins", *words], cwd=self.folder, text=True,
                              capture_output=True, timeout=120)

    def assert_ends(self, pattern, plugin, network, **more):
        for words in [[], ["-n", "2"]] if HAS_MPI else [[]]:
            done = self.run_with(plugin, network, "-o", "out.h5", "--force", *words, **more)
            self.assertEqual(done.returncode, 3, (plugin, words, done.stdout, done.stderr))
            self.assertRegex(done.stderr, pattern, (plugin, words))

    def test_sound_ones_run(self):
        for plugin, network in [("neuron_sound", NEURONS), ("synapse_sound", SYNAPSES), ("source_sound", SOURCES), ("environment_sound", JUDGE)]:
            done = self.run_with(plugin, network, "-o", plugin + ".h5")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_neurons(self):
        who = r"population 'cells', neuron \d+ \(counter\), at [\d.]+ ms: "
        for plugin, reason in [("past", "asks for `test` in the past, at "), ("twice", "fires twice in one tick"), ("passed", "asks for `wake` in a tick in which that is over"),
                               ("payload", "emits the payload 0.5, and does not say that it is graded"), ("reward_nan", "its variable v is not a number"),
                               ("posts", "posts control events, and is no environment")]:
            self.assert_ends(who + re.escape(reason), "neuron_" + plugin, NEURONS)
        self.assert_ends(who + r"\(or another one of this call\) the model asks for neuron \d+ of a block of \d+", "neuron_stranger", NEURONS)
        self.assert_ends(who + r"\(or another one of this call\) the model asks for \d+ things in one call, where \d+ are allowed", "neuron_greedy", NEURONS)

    def test_numbers_of_neurons_in_reports(self):
        self.assert_ends(r"population 'cells', neuron \d+ \(counter\), at 2[0-9] ms: its variable v is not a number", "neuron_reward_nan", NEURONS,
                         more=", reports: [{population: cells, variable: v, every: 1 ms}]")

    def test_synapses(self):
        who = r"population 'cells', neuron \d+ \(lif_delta\), at [\d.]+ ms: the synapse from neuron \d+ of 'noise' \(projection 'drive', release\) "
        self.assert_ends(who + "transmits -?(nan|inf)", "synapse_infinite", SYNAPSES)
        self.assert_ends(who + "transmits -?nan", "synapse_nan_at_end", SYNAPSES, params=", p: 1")
        self.assert_ends(who + "(transmits -?nan|has a variable weight that is not a number)", "synapse_reward_nan", SYNAPSES)
        self.assert_ends(who + "has a variable twice that is not a number", "synapse_unread", SYNAPSES, more=", weights: [{projection: drive, variable: twice, every: 10 ms}]")

    def test_signs(self):
        network = SYNAPSES.replace("model: lif_delta", "model: lif_exp").replace("weight: 1 mV", "port: inh, weight: 10 pA")
        done = self.run_with("synapse_sound", network, "-o", "out.h5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_ends(r"\(projection 'drive', release\) transmits -[\d.]+, where port 'inh' takes no weight below 0 of it", "synapse_negative", network)

    def test_the_floating_point_mode(self):
        why = r" has changed the processor's floating-point mode \(%s\); results would depend on the number of ranks"
        self.assert_ends(r"population 'cells', from [\d.]+ ms to [\d.]+ ms: one of its models \(lif_delta, release\)" + why % "rounding", "synapse_rounding", SYNAPSES)
        self.assert_ends(why % "flushing of denormal numbers", "synapse_flushing", SYNAPSES)
        self.assert_ends(r"population 'cells', .*\(counter\)" + why % "rounding", "neuron_rounding", NEURONS)
        self.assert_ends(r"one of the models \(bernoulli, lif_delta, static\), generating spikes," + why % "rounding", "source_rounding", SOURCES)

    def test_an_unread_change_is_found_at_the_end(self):
        # The noise ends before the reward: nothing is transmitted any more.
        network = SYNAPSES.replace("rate: 300 Hz", "rate: 0.001 Hz")
        self.assert_ends("has a variable weight that is not a number", "synapse_reward_nan", network)

    def test_sources(self):
        who = r"population 'noise', neuron \d+ \(bernoulli\), at [\d.]+ ms: "
        self.assert_ends(who + "an event of neuron 40 of a unit of 40", "source_foreign_neuron", SOURCES)
        self.assert_ends(who + "more than 268 million events", "source_endless", SOURCES)
        self.assert_ends(who + "the rate is -?nan per ms", "source_rate_at_end", SOURCES, params=", params: {p: 1}")

    def test_environments(self):
        who = r"population 'cells', neuron 0 \(judge\), at [\d.]+ ms: "
        self.assert_ends(who + "posts 17 control events in one call, where 16 are allowed", "environment_postings", JUDGE)
        self.assert_ends(who + "posts stimulus 1, counted from 0, but has only 1", "environment_kind", JUDGE)
        self.assert_ends(who + "posts a control event with a value that is not finite", "environment_nan_reward", JUDGE)
        self.assert_ends(who + "posts control events sooner than the network's shortest delay", "environment_past", JUDGE)

    def test_crashes_are_named(self):
        for command in ("run", "validate"):
            for flaw, what in [("crash", "has crashed: Segmentation fault"), ("abort", "has crashed: Aborted"), ("throw", "has crashed: Aborted"), ("exit", "has ended the program")]:
                done = self.run_with("entry_" + flaw, SYNAPSES, command=command)
                self.assertEqual(done.returncode, 3, (flaw, done.stderr))
                self.assertIn("plugins/entry_%s.so %s" % (flaw, what), done.stderr)
        for words in [[], ["-n", "2"]] if HAS_MPI else [[]]:
            done = self.run_with("synapse_crash", SYNAPSES, *words)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("plugins/synapse_crash.so has crashed: Segmentation fault", done.stderr)
            done = self.run_with("synapse_ends", SYNAPSES, *words)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("plugins/synapse_ends.so has ended the program", done.stderr)

    def test_a_computed_variable_leaves_the_state(self):
        # 'twice' (preset 0.1) is computed; 'released', the first in the state, begins at zero.
        done = self.run_with("synapse_sound", SYNAPSES, "-o", "out.h5", more=", weights: [{projection: drive, variable: released, every: 100 ms}]")
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(os.path.join(self.folder, "out.h5")) as log:
            values = log["weights/drive.released/data"][()]
        self.assertGreater(values.size, 0)
        self.assertTrue((values == 0).all(), values)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
