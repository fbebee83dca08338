"""spinet sweep: the same table on any number of ranks and after kills; failures; the report against numpy; messages.

sweep.py SPINET NETWORKS PLUGINS
"""
import math
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.dom.minidom

import h5py
import numpy as np

SPINET, NETWORKS, PLUGINS = (os.path.abspath(a) for a in sys.argv[1:4])
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout
XOR = os.path.join(NETWORKS, "actor_critic_xor", "reference.yaml")
# Short trials: most reach 0.3 before 250 epochs, some do not.
SHORT = [XOR, "--set", "until=reward_filtered >= 0.7", "--duration", "16s", "--vary", "parameters.rate=0.5:1.1:0.3",
         "--vary", "parameters.rule=[linear, power]", "--trials", "12"]

NO_TASK = """
spinet: 1
duration: 200 ms
parameters: {w: 1 mV, latency: 5 ms}
populations:
  noise: {model: poisson, size: 10, params: {rate: 100 Hz}}
  p: {model: lif_delta, size: 5, params: {tau_m: 20 ms, C_m: 250 pF, I_dc: 150 pA}}
  q: {model: hasty, size: 1, params: {latency: $latency}}
projections:
  in: {from: noise, to: p, connect: {fixed_indegree: 3}, synapse: {model: static, weight: $w, delay: 1 ms}}
  out: {from: p, to: q, connect: all_to_all, synapse: {model: static, weight: 1, delay: 1 ms}}
record: {spikes: [p], reports: {population: p, variable: V, every: 1 ms}}
"""


def datasets(path, without="timing"):
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, o: found.update({name: (o.dtype.str, o[()].tobytes())})
                     if isinstance(o, h5py.Dataset) and not name.startswith(without) else None)
        for group in f:
            for name, value in f[group].attrs.items():
                found[f"{group}@{name}"] = np.asarray(value).tobytes()
    return found


class Sweep(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-sweep-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def sweep(self, *arguments, code=0, **options):
        done = subprocess.run([SPINET, "sweep", *map(str, arguments)], cwd=self.folder, text=True, capture_output=True, timeout=300, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def same(self, a, b):
        a, b = datasets(self.folder / a), datasets(self.folder / b)
        self.assertEqual(a.keys(), b.keys())
        for name in a:
            self.assertEqual(a[name], b[name], name)

    def files(self):
        return sorted(p.name for p in self.folder.iterdir())

    def test_ranks(self):
        done = self.sweep(*SHORT, "-o", "one.h5")
        self.assertIn("Next: spinet sweep --report one.h5", done.stdout)
        self.assertRegex(done.stdout, r"72 runs in .* on 1 rank: .* runs/s")
        self.assertIn("actor_critic_xor: 6 combinations x 12 trials on 1 rank\n", done.stderr)
        for ranks in (2, 3) if HAS_MPI else ():
            self.sweep(*SHORT, "-o", f"{ranks}.h5", "-n", ranks, "--quiet")
            self.same("one.h5", f"{ranks}.h5")
        for together in (1, 5):
            self.sweep(*SHORT, "-o", f"together_{together}.h5", "--together", together, "--quiet")
            self.same("one.h5", f"together_{together}.h5")
        self.assertEqual([f for f in self.files() if not f.endswith(".h5")], [])

        with h5py.File(self.folder / "one.h5") as f:
            runs, head = f["runs"], f["sweep"].attrs
            self.assertEqual((head["runs"], head["done"], head["finished"], head["trials"], head["seed"]), (72, 72, 1, 12, 1))
            self.assertEqual(list(runs["run"]), list(range(72)))
            self.assertEqual(list(runs["seed"]), [1 + k for _ in range(6) for k in range(12)])
            self.assertEqual(list(runs["parameters.rate"]), [r for r in (0.5, 0.8, 1.1) for _ in range(24)])
            self.assertEqual(list(runs["parameters.rule"]), [r for _ in range(3) for r in (b"linear", b"power") for _ in range(12)])
            met, epoch, filtered = runs["until_met"][:], runs["epoch"][:], runs["reward_filtered"][:]
            self.assertEqual(set(runs["status"]), {b"ok"})
            self.assertGreater(met.sum(), 5)
            self.assertLess(met.sum(), 72)
            self.assertTrue(np.array_equal(met == 1, filtered >= 0.7))
            self.assertTrue(np.all(epoch[met == 0] == 267))  # 16 s of 60 ms: the last epoch is not whole
            self.assertTrue(np.all(epoch[met == 1] <= 267))
            begin, x, y = f["curves/begin"][:], f["curves/x"][:], f["curves/y"][:]
            for i in range(72):
                xs, ys = x[begin[i]:begin[i + 1]], y[begin[i]:begin[i + 1]]
                self.assertLessEqual(len(xs), 500)
                self.assertGreater(len(xs), 100)
                self.assertTrue(np.all(np.diff(xs) >= 0))
                self.assertEqual((xs[-1], ys[-1]), (np.float32(epoch[i]), np.float32(filtered[i])))
            rates, reached = runs["rate.actor_out"][:], runs["reached"][:]
            self.assertTrue(np.all((rates > 10) & (rates < 170)))  # at most one spike in 6 ms
            self.assertTrue(np.all(reached[met == 0] == 16))

        # A row is what `spinet run` gives with this seed and these values.
        one = subprocess.run([SPINET, "run", *SHORT[:5], "--set", "parameters.rate=0.8", "--set", "parameters.rule=linear", "--seed", "4", "-o", "run.h5", "--quiet"],
                             cwd=self.folder, text=True, capture_output=True)
        self.assertEqual(one.returncode, 0, one.stderr)
        with h5py.File(self.folder / "one.h5") as f, h5py.File(self.folder / "run.h5") as log:
            row = 2 * 12 + 3
            spikes = len(log["spikes/actor_out/timestamps"])
            self.assertAlmostEqual(f["runs/rate.actor_out"][row] * f["runs/reached"][row], spikes, places=6)

    def kill_all(self, process):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # mpirun has a group of its own; it and its ranks end when the command has.
        for _ in range(100):
            left = subprocess.run(["pgrep", "-f", str(self.folder / "killed.h5")], capture_output=True, text=True).stdout.split()
            for pid in left:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not left:
                return
            time.sleep(0.05)

    def test_kill(self):
        self.sweep(*SHORT, "-o", "whole.h5", "--quiet")
        begin = time.time()
        self.sweep(*SHORT, "-o", "again.h5", "--quiet")
        seconds = time.time() - begin
        chance = random.Random(5)
        out = self.folder / "killed.h5"
        unfinished = 0
        for trial in range(8):
            for f in self.folder.glob("killed*"):
                f.unlink()
            last = 0
            for attempt in range(200):
                ranks = chance.choice((1, 2, 3)) if HAS_MPI else 1
                process = subprocess.Popen([SPINET, "sweep", *SHORT, "-o", str(out), "-n", str(ranks), "--quiet"], cwd=self.folder, start_new_session=True,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                try:
                    process.wait(chance.uniform(0.05, 0.6) * seconds + (0.3 if ranks > 1 else 0) + 0.03 * attempt)
                except subprocess.TimeoutExpired:
                    pass
                if process.poll() is None:
                    self.kill_all(process)
                    unfinished += 1
                else:
                    self.assertEqual(process.returncode, 0, process.stderr.read())
                process.stdout.close(), process.stderr.close()
                if out.exists():
                    with h5py.File(out) as f:  # readable at any moment
                        done, total = int(f["sweep"].attrs["done"]), int(f["sweep"].attrs["runs"])
                        self.assertEqual(len(f["runs/run"]), done)
                        self.assertGreaterEqual(done, last)
                        last = done
                    if done == total and process.returncode == 0:
                        break
            self.assertEqual(last, 72)
            self.same("whole.h5", "killed.h5")
            self.assertEqual([f for f in self.files() if f.startswith("killed")], ["killed.h5"])
        self.assertGreaterEqual(unfinished, 5)  # or hardly anything was tested

    def test_stop_and_go_on(self):
        process = subprocess.Popen([SPINET, "sweep", XOR, "--trials", "2000", "-o", "long.h5"], cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        journal = self.folder / "long.h5.runs.0"
        until = time.time() + 60
        while not (journal.exists() and journal.stat().st_size > 5000) and time.time() < until:
            time.sleep(0.05)
        again = self.sweep(XOR, "--trials", "2000", "-o", "long.h5", code=2)
        self.assertIn("is in use: a run is still writing it", again.stderr)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3)
        self.assertRegex(error, r"stopped by SIGINT after \d+ of 2,000 runs; long.h5 holds them, and the same command goes on")
        with h5py.File(self.folder / "long.h5") as f:
            self.assertEqual(f["sweep"].attrs["finished"], 0)
            self.assertGreater(f["sweep"].attrs["done"], 0)
        refused = self.sweep(XOR, "--trials", "1999", "-o", "long.h5", code=2)
        self.assertIn("long.h5: holds another sweep: --trials 2000, not 1999; give another name with -o, or --force to replace it", refused.stderr)
        for more, what in ((["--seed", "2"], "seed 1, not 2"), (["--set", "parameters.rate=1"], "values replaced"), (["--vary", "parameters.rate=[1,2]"], "--vary none, not")):
            self.assertIn(what, self.sweep(XOR, "--trials", "2000", "-o", "long.h5", *more, code=2).stderr)
        self.sweep(*SHORT, "-o", "long.h5", "--force", "--quiet")
        done = self.sweep(*SHORT, "-o", "long.h5")
        self.assertIn("72 of 72 runs are there already", done.stderr)
        self.assertIn("nothing was left to run", done.stdout)

    def test_without_environment_and_with_failures(self):
        (self.folder / "net.yaml").write_text(NO_TASK)
        vary = ["net.yaml", "--plugin-path", PLUGINS, "--vary", "parameters.w=[1 mV, 8 mV]", "--vary", "parameters.latency=[0 ms, 5 ms]", "--trials", "4"]
        done = self.sweep(*vary, "-o", "out.h5")
        self.assertRegex(done.stderr, r"\d of 16 runs failed, the first with parameters.w=\d mV, parameters.latency=0 ms, seed \d: population 'q', neuron 0 \(\w+\), at [\d.]+ ms: posts control events sooner")
        with h5py.File(self.folder / "out.h5") as f:
            runs = f["runs"]
            self.assertEqual(list(runs["parameters.w"])[::8], [1, 8])
            unit = runs["parameters.w"].attrs["unit"]
            self.assertEqual(unit.decode() if isinstance(unit, bytes) else unit, "mV")
            failed, rate = runs["status"][:] == b"failed", runs["rate.p"][:]
            # A run fails where a spike comes; trials with one seed are paired.
            latency = runs["parameters.latency"][:]
            self.assertTrue(np.array_equal(failed[latency == 0], rate[latency == 5] > 0))
            self.assertGreater(failed.sum(), 1)
            for message in runs["message"][:][failed]:
                self.assertRegex(message, rb"^population 'q', neuron 0 \(\w+\), at [\d.]+ ms: posts control events sooner than the network's shortest delay$")
            self.assertEqual(set(runs["message"][:][~failed]), {b""})
            self.assertTrue(np.array_equal(np.isnan(runs["spikes"][:]), failed))
            self.assertTrue(np.allclose(rate[~failed] * 0.2 * 5, runs["spikes"][:][~failed]))
            self.assertEqual(set(runs) - {"run", "trial", "seed", "parameters.w", "parameters.latency", "status", "message", "until_met", "reached", "spikes"}, {"reward", "rate.p", "rate.q"})
        self.sweep(*vary, "-o", "alone.h5", "--together", "1")
        self.same("out.h5", "alone.h5")
        if HAS_MPI:
            self.sweep(*vary, "-o", "two.h5", "-n", "2")
            self.same("out.h5", "two.h5")
        report = self.sweep("--report", "out.h5").stdout
        self.assertRegex(report, r"w +latency +n +mean +sd +median +p90 +failed")
        self.assertEqual(self.files().count("out.svg"), 1)
        done = self.sweep("net.yaml", "--plugin-path", PLUGINS, "--set", "parameters.latency=0", "--set", "parameters.w=20 mV", "--trials", "2", "-o", "all_fail.h5", code=3)
        self.assertIn("2 of 2 runs failed", done.stderr)

    def test_metrics_with_the_names_of_columns(self):
        """`reached` is model time in every sweep, and a metric of `programmer`."""
        with open(self.folder / "p.yaml", "w") as f:
            f.write("spinet: 1\nduration: 10 s\nparameters: {u: 0.5}\npopulations:\n"
                    "  p: {model: programmer, size: 4, drives: devices, params: {wanted: [7, 9, 12, 20], tolerance: 0.5}}\nprojections:\n"
                    "  devices: {from: \"p[0:2]\", to: \"p[0:2]\", connect: all_to_all,\n"
                    "            synapse: {model: spin_valve, port: reading, w_max: 89, delay: 1 ms, u: $u}}\nuntil: devices >= 4\n")
        self.sweep("p.yaml", "--vary", "parameters.u=[0.3, 0.6]", "--trials", "2", "-o", "p.h5")
        with h5py.File(self.folder / "p.h5") as f:
            runs = f["runs"]
            self.assertEqual(list(runs["metric.reached"]), [1, 1, 1, 1])  # all of its devices
            self.assertTrue(((runs["reached"][:] > 0) & (runs["reached"][:] < 10)).all())
            self.assertEqual(runs["reached"].attrs["unit"], b"s" if isinstance(runs["reached"].attrs["unit"], bytes) else "s")
        self.assertIn("metric.reached", self.sweep("--report", "p.h5", "--metric", "metric.reached").stdout)
        before = (self.folder / "p.h5").read_bytes()
        self.sweep("p.yaml", "--vary", "parameters.u=[0.3, 0.6]", "--trials", "2", "-o", "p.h5")  # reads it back
        self.assertEqual((self.folder / "p.h5").read_bytes(), before)

    def test_report(self):
        self.sweep(*SHORT, "-o", "s.h5", "--quiet")
        done = subprocess.run([SPINET, "report", "s.h5"], cwd=self.folder, text=True, capture_output=True, timeout=60)
        self.assertIn("holds the results of a sweep, not the log of a run: spinet sweep --report shows them", done.stderr)
        report = self.sweep("--report", "s.h5", "--group", "parameters.rule=linear", "--against", "rule=power", "-o", "figure.svg").stdout
        with h5py.File(self.folder / "s.h5") as f:
            rate, rule, met, epoch = (f["runs"][c][:] for c in ("parameters.rate", "parameters.rule", "until_met", "epoch"))
        lines = [re.split(r"\s{2,}", line.strip()) for line in report.splitlines() if re.match(r"0\.|1\.", line)]
        self.assertEqual(len(lines), 6)

        def close(text, value):
            if text == "-":
                self.assertTrue(math.isnan(value))
            else:
                self.assertAlmostEqual(float(text), value, delta=0.0501 if abs(value) >= 100 else 5e-4 * max(abs(value), 1))

        for line in lines:
            here = (rate == float(line[0])) & (rule == line[1].encode())
            x = epoch[here & (met == 1)]
            self.assertEqual(int(line[2]), len(x))
            close(line[3], x.mean() if len(x) else math.nan)
            close(line[4], x.std(ddof=1) if len(x) > 1 else math.nan)
            close(line[5], np.median(x) if len(x) else math.nan)
            close(line[6], np.percentile(x, 90) if len(x) else math.nan)
            close(line[7].removesuffix(" %"), 100 * (1 - len(x) / here.sum()))
            close(line[8], epoch[here].mean())

        a, b = epoch[(rule == b"linear") & (met == 1)], epoch[(rule == b"power") & (met == 1)]
        va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
        t, df = (a.mean() - b.mean()) / math.sqrt(va + vb), (va + vb) ** 2 / (va ** 2 / (len(a) - 1) + vb ** 2 / (len(b) - 1))
        # p by integrating the density of t, apart from any beta function.
        z = np.linspace(0, abs(t), 200_001)
        density = np.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi) * (1 + z * z / df) ** (-(df + 1) / 2)
        step = z[1] - z[0]
        inside = step / 3 * (density[0] + density[-1] + 4 * density[1:-1:2].sum() + 2 * density[2:-1:2].sum())
        found = re.search(r"t = (\S+), df = (\S+), two-sided p = (\S+)", report)
        self.assertAlmostEqual(float(found[1]), t, delta=1e-3)
        self.assertAlmostEqual(float(found[2]), df, delta=1e-2)
        self.assertAlmostEqual(float(found[3]), 1 - 2 * inside, delta=2e-4)
        self.assertIn(f"(n = {len(a)})", report)

        for name, least in (("figure.svg", 2), ("figure_curves.svg", 6)):
            svg = xml.dom.minidom.parse(str(self.folder / name))
            paths = [p for p in svg.getElementsByTagName("path") if p.getAttribute("stroke-width")]
            self.assertGreaterEqual(len(paths), least)
            self.assertLess((self.folder / name).stat().st_size, 400_000)
            self.assertNotIn("nan", (self.folder / name).read_text())
            self.assertNotIn("inf", (self.folder / name).read_text())
        # Every trial has its thin line.
        thin = [p for p in svg.getElementsByTagName("path") if p.getAttribute("stroke-width") == "0.5"]
        self.assertEqual(sum(p.getAttribute("d").count("M") for p in thin), 72)

        other = self.sweep("--report", "s.h5", "--metric", "rate.actor_out").stdout
        self.assertIn("rate.actor_out", other)
        for arguments, what in ((["--metric", "epocs"], "did you mean 'epoch'"), (["--group", "rule=linear"], "--against"),
                                (["--group", "rule=nonlinear", "--against", "rule=power"], "'nonlinear' was not among the values"),
                                (["--group", "rul=linear", "--against", "rule=power"], "'rul' was not varied"),
                                (["--group", "rule=linear", "--against", "rate=0.5"], "both hold")):
            self.assertIn(what, self.sweep("--report", "s.h5", *arguments, code=2).stderr)
        (self.folder / "text.h5").write_text("no")
        self.assertIn("text.h5", self.sweep("--report", "text.h5", code=2).stderr)
        self.assertIn("no such file", self.sweep("--report", "none.h5", code=2).stderr)

    def test_bad_input(self):
        for arguments, what in (
                (["--vary", "parameters.ratee=1:2:1"], "--vary:1:12: error: the network has no 'parameters.ratee'\n 1 | parameters.ratee=1\n   |            ^^^^^\n   help: did you mean 'rate'?"),
                (["--vary", "parameters.rate=1:2:0"], "the step is 0"),
                (["--vary", "parameters.rate=2:1:0.5"], "the range is empty"),
                (["--vary", "parameters.rate=[]"], "the list is empty"),
                (["--vary", "parameters.rate=1:2:1", "--vary", "parameters.rate=[3]"], "varied twice"),
                (["--vary", "seed=1:5:1"], "--trials"),
                (["--vary", "parameters.rate=1:2:1", "--set", "parameters.rate=1"], "is varied and given with --set"),
                (["--vary", "parameters.rule=[linear, quadratic]"], "'update' cannot be 'quadratic'"),
                (["--vary", "parameters.rule=[linear, quadratic]"], "so it is with parameters.rule=quadratic; nothing has been run"),
                (["--vary", "parameters.flip=-0.5:0.5:0.5"], "'flip' must be from 0 to 1"),
                (["--vary", "populations.task.params.deadline=[5 ms, 2 ms]"], "the shortest path back to it takes 3 ms"),
                (["--vary", "until=[reward_filtered >= 0.9, rewards >= 2]"], "no metric 'rewards'"),
                ([], "nothing to sweep over")):
            with self.subTest(arguments):
                done = self.sweep(XOR, *arguments, "-o", "out.h5", code=2)
                self.assertIn(what, done.stderr)
                self.assertEqual(self.files(), [])
                if HAS_MPI:
                    self.assertIn(what, self.sweep(XOR, *arguments, "-o", "out.h5", "-n", "2", code=2).stderr)
        self.assertIn("-o OUT.h5 is missing", self.sweep(XOR, "--trials", "3", code=2).stderr)
        self.assertIn("FILE is missing", self.sweep("--trials", "3", "-o", "x.h5", code=2).stderr)
        self.assertIn("there is no folder", self.sweep(XOR, "--trials", "3", "-o", "no/x.h5", code=2).stderr)
        (self.folder / "there.h5").write_text("text")
        self.assertIn("there.h5: is not an HDF5 file", self.sweep(XOR, "--trials", "3", "-o", "there.h5", code=2).stderr)
        self.assertEqual((self.folder / "there.h5").read_text(), "text")

    def test_what_is_not_ours_stays(self):
        elsewhere = self.folder / "elsewhere"
        elsewhere.write_text("kept")
        for suffix in (".runs.0", ".runs.7", ".next"):
            path = self.folder / ("out.h5" + suffix)
            for make in (lambda: path.write_text("notes of mine"), lambda: path.symlink_to(elsewhere), lambda: os.mkfifo(path)):
                make()
                for force in ([], ["--force"]):
                    done = self.sweep(XOR, "--trials", "3", "-o", "out.h5", *force, code=2)
                    self.assertIn(path.name + ": is called as a file of a running sweep of out.h5 would be, but is none", done.stderr)
                self.assertEqual(self.files(), sorted(["elsewhere", path.name]))
                path.unlink()
        self.assertEqual(elsewhere.read_text(), "kept")

    def test_paths_varied_together(self):
        done = self.sweep(XOR, "--duration", "1s", "--vary", "projections.actor_in.synapse.update,projections.actor_bias.synapse.update=[linear, power]",
                          "--trials", "3", "-o", "joint.h5", "--quiet")
        self.assertEqual(done.stdout + done.stderr, "")
        self.sweep(XOR, "--duration", "1s", "--vary", "parameters.rule=[linear, power]", "--trials", "3", "-o", "rule.h5", "--quiet")
        with h5py.File(self.folder / "joint.h5") as a, h5py.File(self.folder / "rule.h5") as b:
            self.assertEqual(list(a["runs"]["projections.actor_in.synapse.update,projections.actor_bias.synapse.update"]), list(b["runs"]["parameters.rule"]))
            self.assertTrue(np.array_equal(a["curves/y"][:], b["curves/y"][:]))
            self.assertFalse(np.array_equal(a["runs/rate.actor_out"][:3], a["runs/rate.actor_out"][3:]))
        report = self.sweep("--report", "joint.h5", "--group", "update=linear", "--against", "update=power").stdout
        self.assertIn("Welch's t-test needs two runs", report)  # nothing converges in a second


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
