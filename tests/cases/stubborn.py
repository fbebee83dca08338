"""Models that do not return, go round in one tick, or cannot go on: a run ends with who, when and why, and its log is read.

usage: stubborn.py SPINET PLUGINS [unittest arguments]
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py

SPINET, PLUGINS = (os.path.abspath(a) for a in sys.argv[1:3])
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout
RANKS = ((), ("-n", "2")) if HAS_MPI else ((),)

STUBBORN = """
spinet: 1
name: net
duration: 100 s
partition: round_robin
populations:
  fine: {model: lif_delta, size: 300, params: {I_dc: 500 pA}}
  bad: {model: stubborn, size: 3, params: {at: %s, how: %d}}
record:
  spikes: [fine]
"""
ENDLESS_SYNAPSE = """
spinet: 1
name: net
duration: 100 s
populations:
  fine: {model: lif_delta, size: 3, params: {I_dc: 500 pA}}
  drive: {model: spike_source, size: 1, spikes: {0: [2 s]}}
projections:
  onto: {from: drive, to: fine, synapse: {model: release, delay: 1 ms}, connect: all_to_all}
record:
  spikes: [fine]
"""
EVERY_TICK = """
spinet: 1
name: net
duration: 100 s
populations:
  n: {model: lif_delta, size: 1, params: {t_ref: 0 ms, v_reset: -55.00000000000001 mV, I_dc: 10 nA}}
"""
LONG_TO_BUILD = """
spinet: 1
name: net
duration: 1 s
populations:
  n: {model: lif_delta, size: 60000}
projections:
  p: {from: n, to: n, connect: {fixed_indegree: 5000}, synapse: {model: static, weight: 0.1 mV, delay: 1.5 ms}}
"""
INFINITE = """
spinet: 1
name: net
duration: 100 ms
populations:
  fine: {model: lif_delta, size: 1}
  s: {model: spike_source, size: 1, spikes: {0: [1 ms]}}
projections:
  p: {from: s, to: fine, connect: all_to_all, synapse: {model: spin_valve, u: 0.1, energy: 1, read_voltage: 1.0e+200 V, delay: 1 ms}}
schedule:
  - {at: 50 ms, read: p}
record:
  weights: [{projection: p, every: 10 ms, variable: energy}]
"""
LOOPS, FAILS, GOES_ROUND, FIRES_TWICE, NO_NUMBER = range(5)


class Stubborn(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-stubborn-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def command(self, *arguments):
        return [SPINET, *arguments]

    def write(self, text):
        with open(os.path.join(self.folder, "net.yaml"), "w") as out:
            out.write(text)

    def run_network(self, text, *more):
        self.write(text)
        return subprocess.run(self.command("run", "net.yaml", "--force", "--plugin-path", PLUGINS, *more), cwd=self.folder, text=True,
                              capture_output=True, timeout=60)

    def spikes(self):
        shown = subprocess.run(self.command("info", "--repair", "net.h5"), cwd=self.folder, text=True, capture_output=True, timeout=60)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        with h5py.File(os.path.join(self.folder, "net.h5")) as log:
            return log["spikes/fine/timestamps"][:]

    def stop(self, text, *more, after=2.0, how=signal.SIGTERM):
        """Runs, asks to stop, and returns the exit code, what was said, and how many seconds it took."""
        self.write(text)
        run = subprocess.Popen(self.command("run", "net.yaml", "--force", "--quiet", "--plugin-path", PLUGINS, *more), cwd=self.folder, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        begin = time.time()
        while not os.path.exists(os.path.join(self.folder, "net.h5")) and time.time() - begin < 30:
            time.sleep(0.05)
        time.sleep(after)
        self.assertIsNone(run.poll())
        asked = time.time()
        run.send_signal(how)
        out, err = run.communicate(timeout=30)
        return run.returncode, err, time.time() - asked

    def test_a_model_that_does_not_return(self):
        for ranks in RANKS:
            for how in (signal.SIGTERM, signal.SIGINT):
                with self.subTest((ranks, how)):
                    code, err, took = self.stop(STUBBORN % ("5 s", LOOPS), *ranks, how=how)
                    self.assertEqual(code, 3, err)
                    self.assertIn("model 'stubborn' (population 'bad') does not return", err)
                    self.assertLess(took, 5)  # a second, and what a busy machine adds
                    # What was committed is there; all of it may lie within the first second of wall time, before a commit.
                    self.assertLessEqual(max(self.spikes(), default=0), 5000)

    def test_a_synapse_that_does_not_return(self):
        code, err, _ = self.stop(ENDLESS_SYNAPSE)
        self.assertEqual(code, 3, err)
        self.assertIn("synapse model 'release' (onto population 'fine') does not return", err)

    def test_a_window_without_end(self):
        """One neuron that fires at every tick: a window of ten million spikes is left within a second."""
        for ranks in RANKS:
            with self.subTest(ranks):
                code, err, took = self.stop(EVERY_TICK, *ranks)
                self.assertEqual(code, 3, err)
                self.assertIn("stopped by", err)
                self.assertLess(took, 5)

    def test_a_network_that_is_being_built(self):
        """300 million synapses take many seconds; nothing is written, and no lock is left."""
        self.write(LONG_TO_BUILD)
        for ranks in RANKS:
            with self.subTest(ranks):
                run = subprocess.Popen(self.command("run", "net.yaml", *ranks), cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                while "building" not in run.stderr.readline():
                    self.assertIsNone(run.poll())
                time.sleep(0.5)
                asked = time.time()
                run.send_signal(signal.SIGTERM)
                _, err = run.communicate(timeout=30)
                self.assertEqual(run.returncode, 3, err)
                self.assertEqual(err.count("spinet: stopped by "), 1, err)
                self.assertIn("while the network was built; nothing has been written", err)
                self.assertLess(time.time() - asked, 5)  # a second, and what a busy machine adds
                self.assertEqual(os.listdir(self.folder), ["net.yaml"])

    def test_a_model_that_cannot_go_on(self):
        for how, why in ((FAILS, "has had enough"), (GOES_ROUND, "asks for `test` in a tick in which that is over"),
                         (FIRES_TWICE, "fires twice in one tick"), (NO_NUMBER, "emits the payload nan")):
            for ranks in RANKS:
                with self.subTest((how, ranks)):
                    done = self.run_network(STUBBORN % ("2 s", how), *ranks)
                    self.assertEqual(done.returncode, 3, done.stderr)
                    self.assertIn(f"population 'bad', neuron 0 (stubborn), at 2000 ms: {why}", done.stderr)
                    times = self.spikes()
                    self.assertGreater(len(times), 0)
                    self.assertLess(times.max(), 2000)

    def test_no_good_from_the_start(self):
        for ranks in RANKS:
            done = self.run_network(STUBBORN % ("0 s", FAILS), *ranks)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertEqual(done.stderr.count("population 'bad', neuron 0 (stubborn), at 0 ms: no good from the start"), 1, done.stderr)

    def test_what_cannot_be_integrated(self):
        for model, params, drive in (("adex", "{I_dc: 1.0e+12 pA}", None), ("lif_cond_exp", "{}", "1.0e+12 nS"), ("lif_cond_exp", "{}", "1.0e+20 nS"),
                                     ("lif_cond_exp", "{}", "-1.0e+12 nS")):
            with self.subTest((model, drive)):
                text = f"spinet: 1\nname: net\nduration: 1 s\npopulations:\n  n: {{model: {model}, size: 2, params: {params}}}\n"
                if drive:
                    text += ("  d: {model: spike_source, size: 1, spikes: {0: [10 ms]}}\nprojections:\n"
                             f"  p: {{from: d, to: n, connect: all_to_all, synapse: {{model: static, weight: {drive}, delay: 1 ms}}}}\n")
                done = self.run_network(text)
                if done.returncode == 0 and model == "lif_cond_exp":
                    continue  # it could be followed after all
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertRegex(done.stderr, rf"population 'n', neuron 0 \({model}\), at [0-9.e-]+ ms: ")

    def test_what_is_infinite(self):
        done = self.run_network(INFINITE)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("at 10 ms: the synapse from neuron 0 of 's' (projection 'p', spin_valve) has a variable energy that is infinite", done.stderr)

    def test_what_a_frame_cannot_hold(self):
        done = self.run_network("spinet: 1\nname: net\nduration: 10 ms\npopulations:\n"
                                "  n: {model: lif_delta, size: 1, initial: {V: -1.0e+39 mV}}\n"
                                "record: {reports: {population: n, variable: V, every: 1 ms}}\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("its variable V is -1e+39, more than the 4-byte numbers of a log hold", done.stderr)

    def test_a_rate_that_cannot_be_drawn(self):
        rate = "spinet: 1\nname: net\nduration: 1 s\npopulations:\n  p: {model: poisson, size: 1, params: {rate: %s}}\nrecord: {spikes: [p]}\n"
        done = self.run_network(rate % "1.0e+15 Hz")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("'rate' must be from 0 to", done.stderr)
        done = self.run_network(rate % "{lognormal: {median: 1.0e+15 Hz, sigma: 0.1}}")
        self.assertIn(done.returncode, (2, 3), done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
