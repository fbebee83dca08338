"""The command as people use it: exit codes, messages, logs, signals, ranks.

usage: command.py SPINET RANK_FAILURE PLUGINS [unittest arguments]
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py

SPINET, RANK_FAILURE, PLUGINS = (os.path.abspath(a) for a in sys.argv[1:4])
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout

LONG = """
spinet: 1
name: long
duration: 100000 s
populations:
  p: {model: lif_delta, size: 200, params: {I_dc: 500 pA}}
projections:
  all: {from: p, to: p, connect: {fixed_indegree: 20}, synapse: {model: static, weight: 0.01 mV, delay: 1 ms}}
record:
  spikes: [p]
"""


def spikes(path, population):
    with h5py.File(path) as log:
        group = log["spikes"][population]
        return list(group["timestamps"][:]), list(group["node_ids"][:])


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-command-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def spinet(self, *arguments, **options):
        return subprocess.run([SPINET, *arguments], cwd=self.folder, text=True, capture_output=True, timeout=60, **options)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)

    def test_first_steps(self):
        for name in ("two_neurons", "balanced", "stdp"):
            with self.subTest(name):
                done = self.spinet("init", name)
                self.assertEqual((done.returncode, done.stdout), (0, f"wrote {name}.yaml\nNext: spinet run {name}.yaml\n"))
                self.assertEqual(self.spinet("init", name).returncode, 2)
                self.assertEqual(self.spinet("validate", f"{name}.yaml").returncode, 0)
                done = self.spinet("run", f"{name}.yaml")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"Next: spinet report {name}.h5", done.stdout)
                done = self.spinet("info", f"{name}.h5")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("complete", done.stdout)
                self.assertTrue(self.spinet("graph", f"{name}.yaml").stdout.startswith("digraph"))
        self.assertGreater(len(spikes(self.path("two_neurons.h5"), "driver")[0]), 5)
        rate = len(spikes(self.path("balanced.h5"), "exc")[0]) / 1000 / 0.5
        self.assertTrue(1 < rate < 100, rate)
        with h5py.File(self.path("stdp.h5")) as f:
            plastic = f["weights/plastic"]
            last, source = plastic["data"][-1], plastic["mapping/source_node_id"][:]
        self.assertGreater(last[source < 50].mean(), 0.35)  # from 0.25
        self.assertLess(last[source >= 50].mean(), 0.25)

    def test_exit_codes_and_messages(self):
        for arguments, message in [
            (["rnu"], "no command 'rnu'; did you mean 'run'?"),
            (["run"], "FILE is required"),
            (["run", "nowhere.yaml"], "nowhere.yaml"),
            (["run", "x.yaml", "--set", "g"], "a value is given as PATH=VALUE"),
            (["models", "lif_detla"], "did you mean 'lif_delta'?"),
            (["check-plugin", "nowhere.so"], "nowhere.so: cannot be loaded"),
            (["info", "nowhere.h5"], "nowhere.h5: no such file"),
            (["run", "x.yaml", "--plugin-path", "nowhere"], "nowhere: no such folder of plugins"),
            (["run", "x.yaml", "-n", "0"], "--ranks: Value 0 not in range"),
        ]:
            with self.subTest(arguments):
                done = self.spinet(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(message, done.stdout + done.stderr)
        self.assertEqual(self.spinet("--help").returncode, 0)
        self.assertIn("Exit codes: 0 fine, 2 the input is wrong, 3 the run failed", self.spinet("run", "--help").stdout)

    def test_an_existing_log_is_kept(self):
        self.spinet("init")
        self.write("two_neurons.h5", "precious")
        done = self.spinet("run", "two_neurons.yaml")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, "two_neurons.h5: exists already; give another name with -o, or --force to replace it\n")
        with open(self.path("two_neurons.h5")) as kept:
            self.assertEqual(kept.read(), "precious")
        self.assertEqual(self.spinet("run", "two_neurons.yaml", "--force", "--quiet").returncode, 0)
        done = self.spinet("run", "two_neurons.yaml", "-o", "nowhere/x.h5")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))

    def test_overrides(self):
        self.spinet("init", "balanced")
        done = self.spinet("run", "balanced.yaml", "--set", "parameters.g=8", "--duration", "100ms", "--seed", "7", "--quiet")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        shown = self.spinet("info", "balanced.h5").stdout
        self.assertIn("parameters.g=8", shown)
        self.assertIn("100 ms of 100 ms", shown)
        self.assertIn("seed      7", shown)

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_ranks_give_the_same_data(self):
        self.spinet("init", "balanced")
        logs = []
        for ranks in ("1", "2", "3"):
            done = self.spinet("run", "balanced.yaml", "-n", ranks, "-o", f"{ranks}.h5", "--duration", "200ms")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.count("Next: spinet report"), 1)
            logs.append([spikes(self.path(f"{ranks}.h5"), p) for p in ("exc", "inh")])
        self.assertGreater(len(logs[0][0][0]), 100)
        self.assertEqual(logs[0], logs[1])
        self.assertEqual(logs[0], logs[2])

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_errors_are_printed_once(self):
        self.write("bad.yaml", LONG.replace("lif_delta", "lif_detla"))
        for command in (["run", "bad.yaml"], ["run", "bad.yaml", "-n", "3"]):
            done = self.spinet(*command)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stderr.count("lif_detla'"), 1, done.stderr)

    def stopped_run(self, *ranks, to_group=False, signals=(signal.SIGINT,)):
        self.write("long.yaml", LONG)
        run = subprocess.Popen([SPINET, "run", "long.yaml", *ranks], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
        begin = time.time()
        while not (os.path.exists(self.path("long.h5"))) and time.time() - begin < 30:
            time.sleep(0.05)
        time.sleep(1)
        for s in signals:
            (os.killpg if to_group else os.kill)(run.pid, s)
            time.sleep(0.2)
        out, err = run.communicate(timeout=30)
        return run.returncode, out, err

    def check_stopped(self, code, err):
        self.assertEqual(code, 3, err)
        self.assertIn("spinet: stopped by", err)
        self.assertIn("of 27 h", err)
        self.assertIn("long.h5 holds everything before that", err)
        shown = self.spinet("info", "long.h5").stdout
        self.assertIn("stopped", shown)
        self.assertGreater(len(spikes(self.path("long.h5"), "p")[0]), 0)

    def test_a_signal_closes_the_log(self):
        for s in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(s):
                code, _, err = self.stopped_run("--force", signals=(s,))
                self.check_stopped(code, err)

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_a_signal_closes_the_log_of_several_ranks(self):
        for s, to_group in ((signal.SIGINT, True), (signal.SIGTERM, False)):
            with self.subTest(s):
                code, _, err = self.stopped_run("-n", "2", "--force", signals=(s,), to_group=to_group)
                self.check_stopped(code, err)
                self.assertEqual(err.count("stopped by"), 1)

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_a_failing_rank_ends_the_others(self):
        mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "3", RANK_FAILURE]
        for how, code, message in [("outside", 3, "rank 1 has failed"), ("wrong_input", 2, "rank 1 has failed"),
                                   ("everywhere", 2, "all have failed"), ("endless", 3, "rank 1 has failed"),
                                   ("early", 3, "rank 1 ended while other ranks wait for it")]:
            with self.subTest(how):
                begin = time.time()
                done = subprocess.run([*mpirun, how], text=True, capture_output=True, timeout=30)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertEqual(done.stderr.count(message + "\n"), 3 if how == "everywhere" else 1, done.stderr)
                self.assertLess(time.time() - begin, 20)

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_a_foreign_launcher_is_refused(self):
        self.spinet("init")
        done = self.spinet("run", "two_neurons.yaml", env={**os.environ, "PMI_SIZE": "4"})
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("the launcher started 4 processes (PMI_SIZE), but MPI sees only this one", done.stderr)
        self.assertFalse(os.path.exists(self.path("two_neurons.h5")))

    def test_check_plugin(self):
        plugin = lambda name: os.path.join(PLUGINS, name + ".so")
        done = self.spinet("check-plugin", plugin("synapse_sound"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"all \d+ checks passed")
        done = self.spinet("check-plugin", plugin("synapse_libm"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("imports exp; spinet/math.hpp has the same functions", done.stdout)
        done = self.spinet("check-plugin", plugin("synapse_crash"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("crashed (Segmentation fault) in the check after the last one above", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
