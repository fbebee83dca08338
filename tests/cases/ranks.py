"""The same data on any number of ranks, whatever is recorded: whole networks through the command, read back with h5py.

usage: ranks.py SPINET [unittest arguments]
"""
import os
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

SPINET = os.path.abspath(sys.argv[1])
NETWORKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ranks")
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout
RANKS = (1, 2, 3, 4, 8)

EVERYTHING = """record:
  spikes: all
  reports:
{reports}
  edges: [{edges}]
"""


def data(path):
    """All that must not depend on ranks: every dataset outside /spinet, as type and bytes, with its attributes."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith("spinet/"):
            found[name] = (str(item.dtype), item.shape, numpy.asarray(item[()]).tobytes(),
                           sorted((k, str(v)) for k, v in item.attrs.items()))

    with h5py.File(path) as log:
        log.visititems(visit)
    return found


def trains(path):
    with h5py.File(path) as log:
        return {p: (g["timestamps"][:], g["node_ids"][:]) for p, g in log.get("spikes", {}).items()}


def counts(path):
    """Spikes of each population of neurons, recorded or not."""
    with h5py.File(path) as log:
        return {p["name"].decode(): int(n) for p, n in zip(log["spinet/populations"][:], log["spinet/statistics/spikes_of_population"][:])
                if p["kind"] == b"neuron"}


class Ranks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-ranks-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_network(self, network, ranks, name):
        out = os.path.join(self.folder, f"{name}.h5")
        done = subprocess.run([SPINET, "run", network, "-n", str(ranks), "-o", out, "--quiet"], text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(out) as log:
            self.assertEqual(log["spinet"].attrs["ranks"], ranks)
        return out

    def same_on_all(self, name, least):
        """`least`: spikes that a population must have, so that equality means something."""
        network = os.path.join(NETWORKS, name + ".yaml")
        first = self.run_network(network, 1, "1")
        expected = data(first)
        self.assertTrue(any(n.startswith("report/") and n.endswith("/data") for n in expected), expected.keys())
        for population, (times, _) in trains(first).items():
            # Before, between and after the scheduled changes.
            third = numpy.histogram(times, bins=3, range=(0, times[-1]))[0]
            self.assertGreater(third.min(), least, f"{population}: {third}")
        for ranks in RANKS[1:]:
            with self.subTest(ranks=ranks):
                got = data(self.run_network(network, ranks, str(ranks)))
                self.assertEqual(got.keys(), expected.keys())
                for dataset in expected:
                    self.assertTrue(got[dataset] == expected[dataset], f"{dataset} on {ranks} ranks differs from that on one")

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_delta(self):
        self.same_on_all("delta", 300)

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_exponential(self):
        self.same_on_all("exponential", 50)

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_small(self):
        self.same_on_all("small", 10)

    def test_recording_changes_no_spike(self):
        for name, reports in (("delta", ("exc V", "inh V")), ("exponential", ("exc V", "exc I_syn", "inh V", "slow V"))):
            with open(os.path.join(NETWORKS, name + ".yaml")) as file:
                text = file.read()
            network, record = text.split("record:\n")
            edges = [line.split(":")[0].strip() for line in network.split("projections:\n")[1].splitlines() if "{from:" in line]
            variants = {
                "everything": network + EVERYTHING.format(edges=", ".join(edges), reports="\n".join(
                    "    - {{population: {}, variable: {}, every: 0.7 ms}}".format(*r.split()) for r in reports)),
                "some": network + "record:\n  spikes: [{population: exc, ids: [5, 300..900], from: 30 ms}]\n",
                "nothing": network,
            }
            usual = self.run_network(os.path.join(NETWORKS, name + ".yaml"), 1, f"{name}_usual")
            expected, number = trains(usual), counts(usual)
            for (variant, text), ranks in zip(variants.items(), (2, 3, 1) if HAS_MPI else (1, 1, 1)):
                with self.subTest(name, variant=variant, ranks=ranks):
                    file = os.path.join(self.folder, f"{name}_{variant}.yaml")
                    with open(file, "w") as out:
                        out.write(text)
                    log = self.run_network(file, ranks, f"{name}_{variant}")
                    got = trains(log)
                    self.assertEqual(counts(log), number)
                    if variant == "nothing":
                        self.assertEqual(got, {})
                    elif variant == "some":
                        times, ids = expected["exc"]
                        kept = ((ids == 5) | ((ids >= 300) & (ids <= 900))) & (times >= 30)
                        self.assertGreater(kept.sum(), 200)
                        numpy.testing.assert_array_equal(got["exc"][0], times[kept])
                        numpy.testing.assert_array_equal(got["exc"][1], ids[kept])
                    else:
                        self.assertGreater(len(got["noise"][0]), 1_000_000)
                        with h5py.File(log) as recorded:
                            self.assertEqual(len(recorded["spinet/reports"]), len(reports))
                            self.assertEqual({e.split(".")[0] for e in recorded["edges"]}, set(edges))
                        for population, (times, ids) in expected.items():
                            every = 3 if (name, population) == ("exponential", "slow") else 1
                            kept = got[population][1] % every == 0
                            numpy.testing.assert_array_equal(got[population][0][kept], times)
                            numpy.testing.assert_array_equal(got[population][1][kept], ids)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
