"""Weight events in the log, read with h5py and the Python reader; networks that begin with the weights of an earlier run.

weights.py SPINET TOOLS_PYTHON"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

SPINET = os.path.abspath(sys.argv.pop(1))
sys.path.insert(0, os.path.abspath(sys.argv.pop(1)))
import spinet_log  # noqa: E402

NETWORK = """\
spinet: 1
duration: 1200 ms
seed: {seed}
block: 4
populations:
  pre: {{model: poisson, size: 30, params: {{rate: 30 Hz}}}}
  a: {{model: lif_exp, size: 9, params: {{tau_m: 20 ms, E_L: 0 mV, v_th: 10 mV, v_reset: 0 mV}}, initial: {{V: 0 mV}}}}
  b: {{like: a, size: 7}}
projections:
  p: {{from: pre, to: [b, "a[2:9]"], connect: {connect},
      synapse: {{model: stdp, port: exc, {weight}, w_max: 600 pA, lambda: 0.05, delay: {{uniform: {{low: 1 ms, high: 3 ms}}}}}}}}
  v: {{from: pre, to: a, connect: {{pairwise_bernoulli: 0.2}}, synapse: {{model: spin_valve, port: exc, w_max: 10 pA, {u}, delay: 1.5 ms}}}}
schedule:
  - {{at: 300 ms, pulse: {{amplitude: 2.5 V, width: 5 ms, count: 3, period: 10 ms}}, to: v}}
  - {{at: 800 ms, read: v}}
record:
  spikes: [a, b]
  edges: [p]
  weights:
    - {{projection: p, every: 100 ms}}
    - {{projection: p, on_change: true, at: [0 s, 1199 ms]}}
    - {{projection: v, variable: u, at: [0 s, 1.1 s]}}
"""
FIRST = {"seed": 4, "connect": "{fixed_indegree: 12}", "weight": "weight: {uniform: {low: 200 pA, high: 400 pA}}", "u": "u: {uniform: {low: 0.1, high: 0.4}}"}


def datasets(path):
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, o: found.update({name: o[()]}) if isinstance(o, h5py.Dataset) and not name.startswith("spinet") else None)
    return found


def f_weight(state):
    """Weight of a pair in parallel electrodes [mV], w_max 10 mV."""
    G, G2 = (state[g] * 0.64 * np.exp(np.log(89 / 0.64) * state[u]) for g, u in (("g", "u"), ("g2", "u2")))
    return 10 * (G - G2) / 89


class Weights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="spinet-weights-")
        cls.addClassCleanup(lambda: subprocess.run(["rm", "-r", cls.folder]))
        cls.run_network("old")

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def run_network(cls, name, *more, fails=False, **values):
        with open(cls.path(name + ".yaml"), "w") as f:
            f.write(NETWORK.format(**(FIRST | values)))
        done = subprocess.run([SPINET, "run", name + ".yaml", "-o", name + ".h5", "--quiet", *more], cwd=cls.folder, capture_output=True, text=True)
        if not fails and done.returncode:
            raise AssertionError(done.stderr)
        return done

    def test_the_log_with_h5py(self):
        with h5py.File(self.path("old.h5")) as f:
            g, frames = f["weight_events/p"], f["weights/p"]
            self.assertEqual((g["timestamps"].dtype, g["edge_ids"].dtype, g["values"].dtype), ("<f8", "<u8", "<f8"))
            self.assertEqual((g["timestamps"].attrs["units"], g["values"].attrs["units"], g.attrs["variable"].decode()), ("ms", "pA", "weight"))
            t, e, w = g["timestamps"][:], g["edge_ids"][:], g["values"][:]
            self.assertTrue(np.array_equal(np.lexsort((e, t)), np.arange(len(t))))
            n = 14 * 12
            self.assertGreater(len(t), 3 * n)
            for name in ("source_node_id", "target_node_id", "source_population", "target_population"):
                self.assertTrue(np.array_equal(g["mapping"][name][:], frames["mapping"][name][:]))
            self.assertTrue(np.array_equal(g["mapping/edge_ids"][:], np.arange(n)))
            # Folded up, events give every frame, but for what postsynaptic spikes alone have changed since (potentiation:
            # the frames show it, the events with the next arrival).
            last, same = np.full(n, np.nan), 0
            k = 0
            for frame in range(frames["data"].shape[0]):
                while k < len(t) and t[k] <= 100 * frame:
                    last[e[k]] = w[k]
                    k += 1
                shown = frames["data"][frame].astype("f8")
                same += np.sum(shown == last)
                self.assertTrue(np.all(shown >= last))
            self.assertGreater(same, 0.3 * frames["data"].size)
            at_second = t == 1000
            self.assertTrue(np.array_equal(w[at_second], frames["data"][10].astype("f8")[e[at_second]]))
            self.assertEqual(np.sum(f["weight_events/v.u/timestamps"][:] == 1100), len(f["weight_events/v.u/mapping/edge_ids"]))
            self.assertTrue(np.all(f["weight_events/v.reading/timestamps"][:] == 800))
            u = f["weight_events/v.u/values"][:]
            G = 0.64 * (89 / 0.64) ** u[len(u) // 2:]
            np.testing.assert_allclose(f["weight_events/v.reading/values"][:], G, rtol=1e-12)

    def test_any_number_of_ranks(self):
        whole = datasets(self.path("old.h5"))
        for k in (2, 3):
            self.run_network(f"ranks{k}", "-n", str(k))
            other = datasets(self.path(f"ranks{k}.h5"))
            self.assertEqual(whole.keys(), other.keys())
            for name in whole:
                self.assertTrue(np.array_equal(whole[name], other[name]), name)

    def test_info_and_the_reader(self):
        shown = subprocess.run([SPINET, "info", self.path("old.h5")], capture_output=True, text=True).stdout
        with h5py.File(self.path("old.h5")) as f:
            n = len(f["weight_events/p/timestamps"])
            self.assertIn(f"p: {n:,} events of 168 synapses", shown)
            with spinet_log.Log(self.path("old.h5")) as log:
                self.assertEqual(log.changing, ["p", "v.reading", "v.u"])
                events = log.weight_events("p")
                self.assertEqual(len(events.values), n)
                self.assertTrue(np.array_equal(events.sources, f["weights/p/mapping/source_node_id"][:][events.edges]))
                self.assertTrue(np.array_equal(events.targets, f["weights/p/mapping/target_node_id"][:][events.edges]))

    def begins_with(self, name):
        with h5py.File(self.path(name + ".h5")) as f:
            g = f["weight_events/p"]
            return g["values"][:168]

    def test_weights_of_an_earlier_run(self):
        with h5py.File(self.path("old.h5")) as f:
            frame, edges = f["weights/p/data"][-1].astype("f8"), np.concatenate([f[f"edges/p.pre.{x}/0/syn_weight"][:] for x in "ba"])
            g = f["weight_events/p"]
            events = np.full(168, np.nan)
            for e, w in zip(g["edge_ids"][:], g["values"][:]):
                events[e] = w
            u = f["weight_events/v.u"]["values"][:][f["weight_events/v.u"]["timestamps"][:] == 1100]
        self.assertFalse(np.array_equal(frame, events))
        for values, expected in (("frame", frame), ("events", events), ("edges", edges.astype("f4").astype("f8"))):
            for k in ("1", "2"):
                name = f"from_{values}{k}"
                self.run_network(name, "-n", k, weight=f"weights: {{from: old.h5, values: {values}}}")
                self.assertTrue(np.array_equal(self.begins_with(name), expected), name)
        self.run_network("device", u="weights: {from: old.h5, values: events}")
        with h5py.File(self.path("device.h5")) as f:
            self.assertTrue(np.array_equal(f["weight_events/v.u/values"][:len(u)], u))

    def pairs(self, name, fails=False, **values):
        """Pairs of devices with spread: what runs change of them is u and u2."""
        network = """\
spinet: 1
duration: 300 ms
seed: 8
populations:
  pre: {{model: spike_source, size: 3, spikes: [[10 ms], [20 ms], [30 ms]]}}
  post: {{model: lif_delta, size: 4}}
projections:
  v: {{from: pre, to: post, connect: {connect}, synapse: {{model: spin_valve, pair: 1, w_max: 10 mV, {state}, {spread}, delay: 1 ms}}}}
schedule:
  - {{at: 50 ms, pulse: {{amplitude: 2 V, width: 5 ms, count: 9, period: 10 ms}}, to: v}}
record:
  edges: [v]
  weights: [{record}]
"""
        given = {"connect": "all_to_all", "state": "u: {uniform: {low: 0, high: 0.5}}, u2: {uniform: {low: 0.5, high: 1}}",
                 "spread": "g: {normal: {mean: 1, sd: 0.1, min: 0.5}}, k: {normal: {mean: 1, sd: 0.1, min: 0.5}}",
                 "record": "{projection: v, variable: u, on_change: true}, {projection: v, variable: u2, on_change: true}, {projection: v, every: 100 ms}"}
        with open(self.path(name + ".yaml"), "w") as f:
            f.write(network.format(**(given | values)))
        done = subprocess.run([SPINET, "run", name + ".yaml", "-o", name + ".h5", "--quiet"], cwd=self.folder, capture_output=True, text=True)
        if not fails and done.returncode:
            raise AssertionError(done.stderr)
        return done

    def test_all_that_a_run_changes_comes_from_the_log(self):
        self.pairs("pairs")
        with h5py.File(self.path("pairs.h5")) as f:
            last = {v: f[f"weight_events/v.{v}/values"][:][-12:] for v in ("u", "u2")}
            drawn = {v: f[f"edges/v/0/{v}"][:] for v in ("u", "u2", "g", "k", "g2", "k2")}
            shown = f["weights/v/data"][0]
            self.assertEqual(f["edges/v/0/u2"].attrs["units"], "1")
            self.assertEqual(f["edges/v/0/syn_weight"].attrs["units"], "mV")
        self.assertGreater(len(set(drawn["g"])), 10)
        np.testing.assert_array_equal(f_weight(drawn).astype("f4"), shown)
        # A second run begins where the first ended: u and u2 from its events, the spread as the network draws it, or in
        # another order of the edges, from a list.
        self.pairs("second", state="weights: {from: pairs.h5, values: events}")
        rows = "[" + ", ".join(f"[{s}, {t}]" for s in (2, 0, 1) for t in (3, 1, 0, 2)) + "]"
        self.pairs("listed", connect="{list: %s}" % rows, state="weights: {from: pairs.h5, values: events}")
        for name in ("second", "listed"):
            with h5py.File(self.path(name + ".h5")) as f:
                g = f["edges/v"]
                order = np.lexsort((g["source_node_id"][:], g["target_node_id"][:]))
                for v in ("u", "u2"):
                    np.testing.assert_array_equal(g[f"0/{v}"][:][order], last[v])
                if name == "second":
                    for v in ("g", "k2"):
                        np.testing.assert_array_equal(g[f"0/{v}"][:], drawn[v])
        # From the edges: everything at t = 0.
        self.pairs("edges", state="weights: {from: pairs.h5, values: edges}", spread="g: {constant: 1}, k: {constant: 1}")
        with h5py.File(self.path("edges.h5")) as f:
            for v in drawn:
                np.testing.assert_array_equal(f[f"edges/v/0/{v}"][:], drawn[v])

    def test_what_the_log_lacks_is_named(self):
        self.pairs("half", record="{projection: v, variable: u, on_change: true}")
        message = "has no events of u2 of projection v; /weight_events has: v.u"
        done = self.pairs("bad", fails=True, state="weights: {from: half.h5, values: events}")
        self.assertEqual(done.returncode, 2)
        self.assertIn(message, done.stderr)
        self.assertIn("a run changes 'u2' of these synapses: log it as well as 'u', or give it in 'synapse'", done.stderr)
        self.pairs("given", state="weights: {from: half.h5, values: events}, u2: 0.25")
        with h5py.File(self.path("given.h5")) as f:
            self.assertEqual(set(f["edges/v/0/u2"][:]), {0.25})
        self.pairs("apart", record="{projection: v, variable: u, every: 100 ms}, {projection: v, variable: u2, every: 70 ms}")
        done = self.pairs("bad", fails=True, state="weights: {from: apart.h5}")
        self.assertIn("has its last frame of u2 at another time than that of u", done.stderr)
        for k, u2 in enumerate(("on_change: true, to: 100 ms", "at: [140 ms]", "on_change: true, at: [140 ms]")):
            self.pairs(f"apart{k}", record="{projection: v, variable: u, on_change: true}, {projection: v, variable: u2, %s}" % u2)
            done = self.pairs("bad", fails=True, state=f"weights: {{from: apart{k}.h5, values: events}}")
            self.assertEqual(done.returncode, 2)
            self.assertIn("has its events of u2 at other times than those of u", done.stderr)

    def test_edges_of_devices_are_read_back(self):
        self.pairs("devices")
        self.pairs("sonata", connect="{sonata: devices.h5}", state="read_noise: 0", spread="g: {constant: 1}, k: {constant: 1}")
        self.assertEqual(datasets(self.path("devices.h5")).keys(), datasets(self.path("sonata.h5")).keys())
        for name, values in datasets(self.path("devices.h5")).items():
            self.assertTrue(np.array_equal(values, datasets(self.path("sonata.h5"))[name]), name)
        # What 'synapse' gives replaces the file's; a file without the device's state is refused.
        self.pairs("sonata2", connect="{sonata: devices.h5}", state="u2: 0.5", spread="g: {constant: 1}, k: {constant: 1}")
        with h5py.File(self.path("sonata2.h5")) as f:
            self.assertEqual(set(f["edges/v/0/u2"][:]), {0.5})
        with h5py.File(self.path("devices.h5"), "r+") as f:
            del f["edges/v/0/u"]
        done = self.pairs("bad", fails=True, connect="{sonata: devices.h5}", state="read_noise: 0", spread="g: {constant: 1}, k: {constant: 1}")
        self.assertIn("edges of v have no 'u'", done.stderr)

    def test_a_drifting_memory_goes_on(self):
        """What was programmed in one run drifts on in the next, with its exponent and from its age; without them it is programmed anew."""
        text = """spinet: 1
duration: 200 s
populations: {{r: {{model: lif_delta, size: 5}}, c: {{model: lif_delta, size: 7}}}}
projections: {{d: {{from: r, to: c, connect: all_to_all, synapse: {{model: pcm, w_max: 1 mV, {state}, delay: 1 ms}}}}}}
record:
  edges: [d]
  weights: [{variables}]
"""

        def run(name, state, variables):
            more = ", ".join(f"{{projection: d, variable: {v}, at: [1 s, 150 s]}}, {{projection: d, variable: {v}, every: 150 s}}" for v in variables)
            with open(self.path(name + ".yaml"), "w") as f:
                f.write(text.format(state=state, variables=more))
            subprocess.run([SPINET, "run", name + ".yaml", "-o", name + ".h5", "--force", "--quiet"], cwd=self.folder, check=True)
            with h5py.File(self.path(name + ".h5")) as f:
                return {v: f["weight_events/d" + ("" if v == "weight" else "." + v)]["values"][:].reshape(2, 35) for v in variables}
        all_of_it = ("weight", "exponent", "age", "g")
        first = run("first", "weight: {uniform: {low: 0.2 mV, high: 0.8 mV}}", all_of_it)
        self.assertGreater(len(set(first["exponent"][0])), 30)
        for values in ("events", "frame"):
            then = run("then", f"weights: {{from: first.h5, values: {values}}}", all_of_it)
            np.testing.assert_allclose(then["weight"][0], first["weight"][1] * (171 / 170) ** -first["exponent"][1], rtol=1e-6)
            np.testing.assert_allclose(then["age"], 150 + first["age"], rtol=1e-6)
            for v in ("exponent", "g"):
                np.testing.assert_array_equal(then[v], first[v])
        begun = run("begun", "weights: {from: first.h5, values: edges}", all_of_it)
        for v in all_of_it:  # programmed once more, with the same draws
            np.testing.assert_array_equal(begun[v], first[v])
        run("alone", "weight: 0.5 mV", ("weight",))
        anew = run("anew", "weights: {from: alone.h5, values: events}", all_of_it)
        np.testing.assert_array_equal(anew["age"], first["age"])

    def test_two_reads_at_one_time(self):
        self.pairs("reads", spread="read_noise: 0.1, energy: 1", record="{projection: v, variable: energy, at: [100 ms, 290 ms]}")
        text = pathlib.Path(self.path("reads.yaml")).read_text()
        with open(self.path("reads.yaml"), "w") as f:
            f.write(text.replace("record:", "  - {at: 200 ms, read: v}\n  - {at: 200 ms, read: v}\nrecord:"))
        subprocess.run([SPINET, "run", "reads.yaml", "-o", "reads.h5", "--force", "--quiet"], cwd=self.folder, check=True)
        with h5py.File(self.path("reads.h5")) as f:
            g, spent = f["weight_events/v.reading"], f["weight_events/v.energy/values"][:]
            self.assertEqual(list(g["timestamps"][:]), [200] * 24)
            self.assertEqual(list(g["edge_ids"][:]), [k // 2 for k in range(24)])
            self.assertEqual(len(set(g["values"][:])), 24)
        self.assertTrue(np.all(spent[12:] > spent[:12]))

    def test_going_on_from_listed_connections(self):
        rows = "{list: [[0, 3], [5, 1], [0, 3], [7, 13]]}"
        delay = "weight: 300 pA"
        self.run_network("list", connect=rows, weight=delay)
        turned = "{list: [[7, 13], [0, 3], [0, 3], [5, 1]]}"
        self.run_network("list2", connect=turned, weight="weights: {from: list.h5}")
        with h5py.File(self.path("list.h5")) as old, h5py.File(self.path("list2.h5")) as new:
            self.assertTrue(np.array_equal(old["weights/p/data"][-1], new["weights/p/data"][0]))
        done = self.run_network("list3", connect="{list: [[7, 13], [0, 3], [5, 1]]}", weight="weights: {from: list.h5}", fails=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("is of other connections: it has a synapse from source 0 to target 3", done.stderr)

    def test_another_network_is_refused(self):
        for name, values, message in (
                ("seed", {"seed": 5}, "but that run had other connections: it has"),
                ("indegree", {"connect": "{fixed_indegree: 11}"}, "but that run had other connections: it has more synapse"),
                ("more", {"connect": "{fixed_indegree: 13}"}, "but that run had other connections: it has fewer synapse"),
                ("all", {"connect": "all_to_all"}, "but that run had other connections: it has fewer synapse"),
                ("file", {"weight": "weights: {from: nothing.h5}"}, "nothing.h5"),
                ("projection", {"weight": "weights: {from: old.h5, projection: q}"}, "has no frames of weight of projection q; /weights has: p"),
                ("values", {"weight": "weights: {from: old.h5, values: frames}"}, "did you mean 'frame'?"),
                ("other", {"weight": "weights: {from: old.h5, projection: v, values: events}"}, "has no events of weight of projection v"),
                ("twice", {"weight": "weight: 3 pA, weights: {from: old.h5}"}, "'weight' and 'weights' are given"),
                ("text", {"weight": "weights: {from: old.yaml}"}, "old.yaml")):
            for ranks in ("1", "2") if name in ("seed", "more") else ("1",):
                done = self.run_network("bad_" + name, "-n", ranks, fails=True, **({"weight": "weights: {from: old.h5}"} | values))
                self.assertIn(done.returncode, (2, 3), name)
                self.assertIn(message, done.stderr, name)
                self.assertFalse(os.path.exists(self.path(f"bad_{name}.h5")), name)


unittest.main(verbosity=1)
