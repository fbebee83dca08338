"""SONATA edges as input: what a run logs is read back as its connections and gives the same spikes; bad files are refused.

usage: sonata_edges.py SPINET [unittest arguments]
"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

SPINET = os.path.abspath(sys.argv[1])
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout

NETWORK = """spinet: 1
seed: 3
duration: 150 ms
block: 16
populations:
  exc: {{model: lif_exp, size: 300, params: {{I_dc: 600 pA, v_th: {{uniform: {{low: -52 mV, high: -48 mV}}}}}}, initial: {{V: {{uniform: {{low: -65 mV, high: -50 mV}}}}}}}}
  inh: {{like: exc, size: 60}}
projections:
  e: {{from: exc, to: [exc, inh], connect: {e}, synapse: {{model: static, port: exc, {e_values}}}}}
  part: {{from: ["inh[10:60]", "exc[100:200]"], to: "exc[50:]", connect: {part}, synapse: {{model: static, port: inh, {part_values}}}}}
  plastic: {{from: exc, to: inh, connect: {plastic}, synapse: {{model: stdp, port: exc, w_max: 200 pA, {plastic_values}}}}}
record:
  spikes: [exc, inh]
  edges: [e, part, plastic]
"""
DRAWN = dict(
    e="{fixed_indegree: 20}", e_values="weight: {normal: {mean: 60 pA, sd: 20 pA, min: 0 pA}}, delay: {uniform: {low: 0.5 ms, high: 3 ms}}",
    part="{fixed_outdegree: 30}", part_values="weight: {uniform: {low: -200 pA, high: -20 pA}}, delay: 1.3 ms",
    plastic="{pairwise_bernoulli: 0.1}", plastic_values="weight: {uniform: {low: 0 pA, high: 100 pA}}, delay: 1 ms")
READ = dict(e="{sonata: drawn.h5}", e_values="", part="{sonata: drawn.h5}", part_values="", plastic="{sonata: drawn.h5, population: plastic}", plastic_values="")

SMALL = """spinet: 1
duration: 20 ms
populations:
  s: {{model: spike_source, size: 4, spikes: {{0: [1 ms], 1: [2 ms], 2: [3 ms], 3: [4 ms]}}}}
  n: {{model: lif_delta, size: 3}}
projections:
  p: {{from: {source}, to: {target}, connect: {{sonata: {file}{name}}}, synapse: {{model: static{values}}}}}
record: {{spikes: [n], edges: [p]}}
"""


def trains(path):
    with h5py.File(path) as log:
        return {p: (g["timestamps"][:].tobytes(), g["node_ids"][:].tobytes(), len(g["node_ids"])) for p, g in log["spikes"].items()}


def edges(path):
    with h5py.File(path) as log:
        return {p: [g[k][:].tobytes() for k in ("source_node_id", "target_node_id", "0/syn_weight", "0/delay")] for p, g in log["edges"].items()}


class SonataEdges(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-sonata-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(text)

    def spinet(self, *words):
        return subprocess.run([SPINET, *words], text=True, capture_output=True, cwd=self.folder, timeout=120)

    def small(self, source="s", target="n", file="edges.h5", name="", values=""):
        self.write("small.yaml", SMALL.format(source=source, target=target, file=file, name=name, values=values))
        return self.spinet("run", "small.yaml", "-o", "small.h5", "--force")

    def file(self, sources=(0, 1, 3), targets=(0, 1, 2), weights=(30., 31., 32.), delays=(1., 2., .5), population="conn", units=None, name="edges.h5", nodes=("a", "b")):
        with h5py.File(os.path.join(self.folder, name), "w") as f:
            g = f.create_group("edges/" + population)
            for column, ids, node in (("source_node_id", sources, nodes[0]), ("target_node_id", targets, nodes[1])):
                d = g.create_dataset(column, data=numpy.array(ids, "u8"))
                if node is not None:
                    d.attrs["node_population"] = node
            g["edge_group_id"] = numpy.zeros(len(sources), "u4")
            g["edge_group_index"] = numpy.arange(len(sources), dtype="u8")
            g.create_group("0")
            if weights is not None:
                g["0/syn_weight"] = numpy.array(weights)
                if units:
                    g["0/syn_weight"].attrs["units"] = units
            if delays is not None:
                g["0/delay"] = numpy.array(delays)
            return g.name

    def change(self, f):
        with h5py.File(os.path.join(self.folder, "edges.h5"), "r+") as h:
            f(h["edges/conn"])

    def refused(self, result, *words):
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("small.yaml:7:", result.stderr)
        for w in words:
            self.assertIn(w, result.stderr)
        self.assertNotRegex(result.stderr, r"edges\.h5': \S*edges\.h5")  # its name is said once
        self.assertFalse(os.path.exists(os.path.join(self.folder, "small.h5")))

    def test_round_trip(self):
        self.write("drawn.yaml", NETWORK.format(**DRAWN))
        self.write("read.yaml", NETWORK.format(**READ))
        r = self.spinet("run", "drawn.yaml", "-o", "drawn.h5")
        self.assertEqual(r.returncode, 0, r.stderr)
        expected = trains(os.path.join(self.folder, "drawn.h5"))
        self.assertGreater(expected["exc"][2], 1000)
        for ranks in (1, 2, 3) if HAS_MPI else (1,):
            r = self.spinet("run", "read.yaml", "-n", str(ranks), "-o", f"read{ranks}.h5") if ranks > 1 else self.spinet("run", "read.yaml", "-o", "read1.h5")
            self.assertEqual(r.returncode, 0, r.stderr)
            path = os.path.join(self.folder, f"read{ranks}.h5")
            self.assertEqual(trains(path), expected)
            self.assertEqual(edges(path), edges(os.path.join(self.folder, "drawn.h5")))

    def test_a_file_from_elsewhere(self):
        self.file()
        r = self.small()  # the only edge population, whatever its name? no: it must be named
        self.refused(r, "has no edges of a population \"p\" (it has: conn)")
        r = self.small(name=", population: conn")
        self.assertEqual(r.returncode, 0, r.stderr)
        with h5py.File(os.path.join(self.folder, "small.h5")) as log:
            g = log["spikes/n"]
            self.assertEqual([(i, t) for i, t in zip(g["node_ids"][:], g["timestamps"][:])], [(0, 2.0), (1, 4.0), (2, 4.5)])
        # Weights and delays of the synapse replace those of the file.
        self.assertEqual(self.small(name=", population: conn", values=", weight: 0.1 mV, delay: 3 ms").returncode, 0)
        with h5py.File(os.path.join(self.folder, "small.h5")) as log:
            self.assertEqual(len(log["spikes/n/node_ids"]), 0)
            self.assertEqual(set(log["edges/p/0/delay"][:]), {3.0})
        # Units are converted; properties may be in another order than the edges.
        self.file(weights=(.030, .031, .032), units="V")
        self.assertEqual(self.small(name=", population: conn").returncode, 0)
        with h5py.File(os.path.join(self.folder, "small.h5")) as log:
            numpy.testing.assert_allclose(log["edges/p/0/syn_weight"][:], [30, 31, 32], rtol=1e-6)
        self.file(weights=(32., 30., 31.), delays=(.5, 1., 2.))
        self.change(lambda g: g["edge_group_index"].write_direct(numpy.array([1, 2, 0], "u8")))
        self.assertEqual(self.small(name=", population: conn").returncode, 0)
        with h5py.File(os.path.join(self.folder, "small.h5")) as log:
            self.assertEqual(list(log["edges/p/0/delay"][:]), [1, 2, .5])

    def test_nsyns(self):
        """An edge with nsyns is so many synapses."""
        named = dict(name=", population: conn")
        for kind in ("u4", "i8", "f8"):
            self.file()
            self.change(lambda g: g.create_dataset("0/nsyns", data=numpy.array([2, 0, 3], kind)))
            r = self.small(**named)
            self.assertEqual(r.returncode, 0, r.stderr)
            with h5py.File(os.path.join(self.folder, "small.h5")) as log:
                g = log["edges/p"]
                self.assertEqual(list(zip(g["source_node_id"][:], g["target_node_id"][:], g["0/syn_weight"][:], g["0/delay"][:])),
                                 [(0, 0, 30, 1)] * 2 + [(3, 2, 32, .5)] * 3)
        os.remove(os.path.join(self.folder, "small.h5"))
        for bad, reason in ((-1, "edge 1 of conn has -1 synapses (nsyns)"), (1.5, "edge 1 of conn has 1.5 synapses (nsyns)"), (float("nan"), "edge 1 of conn has nan synapses (nsyns)"),
                            (1e30, "memory would not hold them"), (1e11, "memory would not hold them")):
            self.file()
            self.change(lambda g: g.create_dataset("0/nsyns", data=numpy.array([1, bad, 1], "f8")))
            self.refused(self.small(**named), reason)

    def test_node_ids_that_are_none(self):
        named = dict(name=", population: conn")
        for column in ("source_node_id", "target_node_id", "edge_group_id", "edge_group_index"):
            for bad, kind in ((-1, "i8"), (-1, "i2"), (1.7, "f8"), (float("nan"), "f4"), (1e30, "f8")):
                self.file()

                def put(g):
                    del g[column]
                    g.create_dataset(column, data=numpy.array([0, bad, 0], kind))
                self.change(put)
                if column.endswith("node_id"):
                    self.change(lambda g: g[column].attrs.__setitem__("node_population", "a"))
                self.refused(self.small(**named), f"entry 1 of {column} is ", "whole numbers from 0 to")

    def test_parts_count_within_the_population(self):
        self.file(sources=(1, 3), targets=(2, 2), weights=(30., 30.), delays=(1., 1.))
        self.assertEqual(self.small(source='"s[1:]"', target='"n[2]"', name=", population: conn").returncode, 0)
        with h5py.File(os.path.join(self.folder, "small.h5")) as log:
            self.assertEqual(list(log["edges/p/source_node_id"][:]), [1, 3])
            self.assertEqual(list(log["spikes/n/timestamps"][:]), [3, 5])
        os.remove(os.path.join(self.folder, "small.h5"))
        self.refused(self.small(source='"s[2:]"', name=", population: conn"), "edge 0 of conn has the source node 1, which is not among those of 's' that the projection names")

    def test_refused(self):
        named = dict(name=", population: conn")
        self.refused(self.small(**named), "there is no file 'edges.h5'")
        self.file(sources=(0, 4, 1))
        self.refused(self.small(**named), "edge 1 of conn has the source node 4, but 's' has only 4, counted from 0")
        self.file(targets=(0, 2**63, 1))
        self.refused(self.small(**named), "has the target node 9223372036854775808, but 'n' has only 3")
        self.file(targets=(0, 1))
        self.refused(self.small(**named), "conn has 3 source nodes but 2 target nodes")
        self.file(weights=(1., 2.))
        self.refused(self.small(**named), "edge 2 of conn has the group index 2, but there are 2 values of 'syn_weight'")
        self.file(weights=(1., float("nan"), 2.))
        self.refused(self.small(**named), "edge 1 of conn: 'weight' must be")
        self.file(delays=(1., 1.55, 1.))
        self.refused(self.small(**named), "edge 1 of conn: a delay must be a multiple of delay_resolution (0.1 ms); it is 1.55 ms")
        self.file(delays=(1., float("inf"), 1.))
        self.refused(self.small(**named), "edge 1 of conn has a delay that is no number")
        self.file(weights=None)
        self.refused(self.small(**named), "edges of conn have no weights (syn_weight)", "give a 'weight' in 'synapse'")
        self.file(delays=None)
        self.refused(self.small(**named), "edges of conn have no delays")
        self.file(units="pA")
        self.refused(self.small(**named), "the weights of conn are in pA; these synapses take mV")
        self.file(nodes=("n", "n"))  # names a population of this network, and another
        self.refused(self.small(**named), "edges of conn come from nodes of 'n', which 'from' does not name")
        self.file()
        self.refused(self.small(source="[s, n]", **named), "edges of conn come from nodes of 'a', which 'from' does not name")
        self.refused(self.small(name=", population: other"), 'has no edges of a population "other" (it has: conn)')
        self.refused(self.small(name=", multapses: false"), "'multapses' means nothing for rule sonata")
        with h5py.File(os.path.join(self.folder, "edges.h5"), "w") as f:
            f["spikes/n"] = [1]
        self.refused(self.small(**named), "has no group /edges: it is not a SONATA edges file")
        self.write("edges.h5", "source,target\n0,1\n")
        self.refused(self.small(**named), "edges.h5")

    def test_damage(self):
        """Random byte flips and cuts: a message or a run, never a crash."""
        self.file(sources=[0, 1, 2, 3] * 50, targets=[0, 1, 2, 0] * 50, weights=[1.] * 200, delays=[1.] * 200)
        whole = pathlib.Path(self.folder, "edges.h5").read_bytes()
        rng = random.Random(1)
        refused = 0
        for trial in range(150):
            data = bytearray(whole)
            if trial % 10 == 0:
                del data[rng.randrange(len(data)):]
            for _ in range(rng.randint(1, 8)):
                if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
            with open(os.path.join(self.folder, "edges.h5"), "wb") as f:
                f.write(data)
            self.write("small.yaml", SMALL.format(source="s", target="n", file="edges.h5", name=", population: conn", values=""))
            r = self.spinet("validate", "small.yaml")
            self.assertIn(r.returncode, (0, 2), f"trial {trial}: {r.stderr}")
            refused += r.returncode > 0
        self.assertGreater(refused, 20)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
