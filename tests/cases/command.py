"""The command as people use it: exit codes, messages, logs, signals, ranks.

usage: command.py SPINET RANK_FAILURE PLUGINS [unittest arguments]
"""
import json
import os
import re
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


ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def first_network(readme):
    """The first network of a README, of a fence or indented, as it stands there."""
    lines = open(os.path.join(ROOT, readme)).read().split("\n")
    begin = next(i for i, line in enumerate(lines) if line.strip() == "spinet: 1")
    indent = len(lines[begin]) - len(lines[begin].lstrip())
    network = []
    for line in lines[begin:]:
        if line.startswith("```") or (line and len(line) - len(line.lstrip()) < indent):
            break
        network.append(line[indent:])
    return "\n".join(network).rstrip() + "\n"


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
        self.assertLess(last[source >= 50].mean(), 0.235)

    def test_networks_of_the_readmes(self):
        """What the READMEs begin with runs as it stands there, and every population of neurons fires."""
        for readme, populations, duration in (("README.md", ["driven", "target"], []), ("networks/README.md", ["exc", "inh"], ["--duration", "60ms"])):
            with self.subTest(readme):
                self.write("readme.yaml", first_network(readme))
                done = self.spinet("run", "readme.yaml", "-o", "readme.h5", "--force", *duration)
                self.assertEqual(done.returncode, 0, done.stderr)
                for name in populations:
                    self.assertGreater(len(spikes(self.path("readme.h5"), name)[0]), 1, name)

    def test_amounts_and_times_are_printed_alike(self):
        self.write("n.yaml", "spinet: 1\nduration: 20 s\npopulations:\n  a: {model: lif_exp, size: 12500}\nprojections:\n"
                   "  p: {from: a, to: a, connect: {fixed_indegree: 10}, synapse: {model: static, weight: 1 pA, delay: 1.5 ms}}\n")
        text = self.spinet("validate", "n.yaml").stdout
        self.assertIn("n: 1 population, 1 projection, 20 s\n", text)
        self.assertIn("12,500\n", text)
        self.assertIn("125,000\n", text)
        self.assertIn("20 min\n", self.spinet("validate", "n.yaml", "--duration", "1200s").stdout)
        self.assertIn("90.5 s\n", self.spinet("validate", "n.yaml", "--duration", "90.5s").stdout)
        self.write("n.yaml", LONG.replace("0.01 mV, delay: 1 ms", "0.01 mV, delay: 500000 s"))
        bound = self.spinet("validate", "n.yaml").stderr.split("at most ")[1].split(";")[0]
        self.write("n.yaml", LONG.replace("0.01 mV, delay: 1 ms", f"0.01 mV, delay: {bound}"))
        self.assertEqual((bound, self.spinet("validate", "n.yaml").returncode), ("429496.7295 s", 0))

    def test_device(self):
        done = self.spinet("device", "spin_valve", "--pulses", "-4 V 1 s, 50 x 2.5 V 5 ms every 20 ms, 3 x 0.1V 1ms", "--param", "G_min=640 nS",
                           "--param", "energy=1", "-o", "d.h5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"50 x 2.5 V 5 ms every 20 ms +0.64 uS +30.08 uS +x 47 +5.7 % +-?\d+\.\d+ +0\.\d+")
        self.assertIn("ON/OFF ratio 47: G from 0.64 to 30.08 uS", done.stdout)
        with h5py.File(self.path("d.h5")) as f:
            self.assertEqual(f.attrs["model"].decode(), "spin_valve")
            G, begin = f["variables/G"][:], f["steps/begin"][:]
            self.assertEqual((len(G), len(begin)), (55, 54))
            self.assertEqual(f["variables/G"].attrs["unit"].decode(), "uS")
            self.assertAlmostEqual(G[51] / G[1], 47, 6)
            self.assertAlmostEqual(begin[50] - begin[1], 49 * 0.02, 9)
            self.assertTrue((f["variables/energy"][1:] > f["variables/energy"][:-1]).all())
        with open(self.path("d.svg")) as picture:
            self.assertTrue(picture.read().rstrip().endswith("</svg>"))
        read = lambda *more: self.spinet("device", "spin_valve", "--param", "u=1", "--pulses", "0.1 V 1 ms", *more).stdout
        self.assertIn("No pulse changed anything", read())
        self.assertIn("111.25 uS", read("--field", "90 Oe"))
        self.assertIn("111.25 uS", read("--field", "antiparallel"))
        self.assertIn(" 89 uS", read("--field", "8.9 mT"))
        for arguments, message in [
            (["spin_vale"], "did you mean 'spin_valve'?"),
            (["stdp"], "synapses of model stdp ignore voltage pulses; models that respond: "),
            (["rstdp"], "ignore voltage pulses"),
            (["spin_valve", "--pulses", "50 x 2.5 V"], "is no series of pulses"),
            (["spin_valve", "--pulses", "5 ms 2.5 V"], "the amplitude must be a voltage; '5 ms' is a time"),
            (["spin_valve", "--pulses", "5 V 2.5 mA"], "the width must be a time; '2.5 mA' is a current"),
            (["spin_valve", "--pulses", "5 V 0 s"], "must be above 0 s"),
            (["spin_valve", "--pulses", "2 x 5 V 2 s every 1 s"], "overlap"),
            (["spin_valve", "--pulses", "0 x 5 V 2 s"], "1 to 10,000,000"),
            (["spin_valve", "--field", "90 mV"], "a magnetic field is wanted"),
            (["spin_valve", "--param", "G_mx=3 uS"], "did you mean 'G_max'?"),
            (["spin_valve", "--param", "G_max=3 mV"], "'G_max' must be a conductance"),
            (["spin_valve", "--param", "G_max=3"], "'G_max' must be a conductance"),
            (["spin_valve", "--param", "u=1.5"], "'u' must be from 0 to 1"),
            (["spin_valve", "--param", "G_max=0.5 uS"], "G_min must be below G_max"),
            (["spin_valve", "--variable", "g3"], "no variable 'g3'"),
            (["spin_valve", "-o", "d.h5"], "d.h5: exists already"),
            (["spin_valve", "-o", "nowhere/d.h5"], "there is no folder"),
        ]:
            with self.subTest(arguments):
                pulses = [] if "--pulses" in arguments else ["--pulses", "2 V 5 ms"]
                done = self.spinet("device", *arguments, *pulses)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(message, done.stderr)

    def test_a_pulse_on_a_synapse_that_was_not_drawn(self):
        self.write("n.yaml", "spinet: 1\nduration: 1 s\npopulations:\n  n: {model: lif_delta, size: 50}\nprojections:\n"
                   "  p: {from: n, to: n, connect: {fixed_indegree: 1, autapses: false}, synapse: {model: spin_valve, delay: 1 ms}}\nschedule:\n"
                   "  - {at: 1 ms, pulse: {amplitude: 2 V, width: 1 ms}, to: p, synapses: [[4, 4]]}\n")
        for command in ("validate", "run"):
            done = self.spinet(command, "n.yaml")
            self.assertEqual(done.returncode, 2)
            self.assertIn("n.yaml:8:72: error: there is no synapse from source 4 to target 4: 'p' has drawn none", done.stderr)

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
            (["report", "x.h5", "--figures", ""], "--figures: a value is missing"),
            (["report", "x.h5", "-o", ""], "a value is missing"),
            (["init", "-o", ""], "a value is missing"),
            (["export", "x.h5", "--to", "csv", "-o", ""], "a value is missing"),
            (["models", ""], "a value is missing"),
            (["models", "stdp", "--plugin-path", ""], "--plugin-path: a value is missing"),
            (["check-plugin", ""], "a value is missing"),
            (["view", "x.h5", "--from", "-5"], "'-5' is no number of milliseconds"),
            (["view", "x.h5", "--to", "50ms"], "'50ms' is no number of milliseconds"),
            (["view", "x.h5", "--from", "nan"], "'nan' is no number of milliseconds"),
            (["run", "x.yaml", "--dry-run", "--json"], "--dry-run excludes --json"),
        ]:
            with self.subTest(arguments):
                done = self.spinet(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(message, done.stdout + done.stderr)
        self.assertEqual(self.spinet("--help").returncode, 0)
        self.assertIn("Exit codes: 0 fine, 2 the input is wrong, 3 the run failed", self.spinet("run", "--help").stdout)

    def test_a_resumed_run_counts_what_it_does_itself(self):
        self.write("half.yaml", """spinet: 1
duration: 1 s
populations:
  noise: {model: poisson, size: 100, params: {rate: 1 kHz}}
  n: {model: lif_delta, size: 100}
projections:
  p: {from: noise, to: n, connect: all_to_all, synapse: {model: static, weight: 1 uV, delay: 1 ms}}
schedule: [{at: 400 ms, set: {noise: {rate: 0 Hz}}}]
record: {reports: [{population: n, variable: V, every: 1 ms}]}
""")
        self.assertEqual(self.spinet("run", "half.yaml", "--checkpoint-every", "500ms", "--quiet").returncode, 0)
        checkpoint = min(f for f in os.listdir(self.folder) if ".ckpt." in f)
        done = self.spinet("resume", checkpoint, "--json", "-o", "rest.h5")
        self.assertEqual(done.returncode, 0, done.stderr)
        speeds = re.findall(r"(\S+(?: [kMG])?) events/s", done.stderr)
        self.assertTrue(speeds and set(speeds) == {"0"}, done.stderr)
        run = json.loads(done.stdout)
        self.assertGreater(run["events"], 1_000_000)
        self.assertEqual((run["events_before"], run["deliveries"] + run["superposed"]), (run["events"], run["events"]))
        self.assertEqual((run["events_per_second"], run["stored_synapses"] <= run["synapses"]), (0, True))

    def test_choices_are_shown_as_words(self):
        shown = self.spinet("models", "reward_rule").stdout
        self.assertRegex(shown, r"  write +batch +batch \| each ")
        self.assertNotRegex(shown, r"  write .*whole number")

    def test_times_of_checkpoints(self):
        self.write("long.yaml", LONG)
        for time, reason in (("0.1ns", "shorter than a tick"), ("1e-300s", "shorter than a tick"), ("1e300s", "too long"), ("0s", "a time is wanted"), ("-1s", "a time is wanted")):
            done = self.spinet("run", "long.yaml", "--duration", "1ms", "--checkpoint-every", time)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(f"--checkpoint-every {time}: ", done.stderr)
            self.assertIn(reason, done.stderr)
            self.assertFalse(os.path.exists(self.path("long.h5")))

    @unittest.skipUnless(HAS_MPI, "needs MPI")
    def test_more_ranks_than_cores(self):
        self.write("long.yaml", LONG)
        ranks = len(os.sched_getaffinity(0)) + 1
        done = self.spinet("run", "long.yaml", "--duration", "1ms", "-n", str(ranks))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count(f"note: {ranks} ranks on "), 1, done.stderr)
        self.assertNotIn("note:", self.spinet("run", "long.yaml", "--duration", "1ms", "-n", str(ranks), "--quiet", "--force").stderr)

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
        self.assertIn("synapse_crash.so: crashed (Segmentation fault) in this check: writes only its own memory; with the default parameters (--seed 1)", done.stderr)
        done = self.spinet("check-plugin", plugin("synapse_forever_at_end"), "--time-limit", "1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("not done after 1 s in this check: writes only its own memory; with p = 1 (--seed 1)", done.stderr)
        done = self.spinet("check-plugin", plugin("synapse_ends"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("synapse_ends.so: ended the program in this check: writes only its own memory", done.stderr)
        for flaw, what in [("crash", "crashed (Segmentation fault)"), ("abort", "crashed (Aborted)"), ("exit", "ended the program"), ("throw", "crashed (Aborted)")]:
            done = self.spinet("check-plugin", plugin("entry_" + flaw))
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("entry_%s.so: %s in this check: its table is sound" % (flaw, what), done.stderr)

    def test_seed_of_check_plugin(self):
        for seed in ("2", "4294967295"):
            done = self.spinet("check-plugin", os.path.join(PLUGINS, "neuron_sound.so"), "--seed", seed)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("--seed " + seed, done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
