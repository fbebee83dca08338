"""Logs to look at, and the command under test.  SPINET is the first argument of every test here."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

SPINET = os.path.abspath(sys.argv[1])
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ACTOR_CRITIC = os.path.join(SOURCE, "networks/actor_critic_xor/reference.yaml")
TWO_NEURONS = os.path.join(SOURCE, "networks/two_neurons/two_neurons.yaml")


def add_weights(path, projection="recurrent", edges=300, frames=21):
    """Weight frames and weight events as FORMAT.md has them: a random walk between bounds."""
    random = np.random.default_rng(1)
    with h5py.File(path, "a") as log:
        head = log["spinet"].attrs
        end = float(head["reached_ticks"] / head["ticks_per_ms"])
        walk = np.clip(45 + np.cumsum(random.normal(0, 2, (frames, edges)), axis=0), 0, 90).astype("f4")
        group = log.create_group(f"weights/{projection}")
        data = group.create_dataset("data", data=walk, chunks=(4, edges), compression=1, shuffle=True)
        data.attrs["units"] = "pA"
        step = end / (frames - 1)
        group["mapping/time"] = np.array([0, frames * step, step])
        for ids in ("source_node_id", "target_node_id"):
            group[f"mapping/{ids}"] = random.integers(0, 100, edges).astype("u8")
        events = log.create_group(f"weight_events/{projection}")
        events["timestamps"] = np.sort(random.uniform(0, end, 50))
        events["edge_ids"] = random.integers(0, 3, 50).astype("u8")
        events["values"] = random.normal(45, 5, 50).astype("f4")
    return walk


class Folder(unittest.TestCase):
    """A folder of its own for each test class, with the logs that `logs` names."""
    logs = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="spinet-report-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        if "two_neurons" in cls.logs:
            cls.run_spinet("run", TWO_NEURONS, "-o", "two_neurons.h5", "--quiet")
        if "balanced" in cls.logs:
            cls.run_spinet("init", "balanced")
            cls.run_spinet("run", "balanced.yaml", "--duration", "300ms", "--quiet")
            cls.walk = add_weights(cls.path("balanced.h5"))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def run_spinet(cls, *arguments):
        done = cls.spinet(*arguments)
        if done.returncode:
            raise AssertionError(f"spinet {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    @classmethod
    def spinet(cls, *arguments, **environment):
        return subprocess.run([SPINET, *arguments], cwd=cls.folder, text=True, capture_output=True, timeout=120, env={**os.environ, **environment})

    @classmethod
    def sources(cls):
        """A network with sources that would be silent, saturated and synchronous if they were neurons, all recorded."""
        with open(cls.path("sources.yaml"), "w") as f:
            f.write("""spinet: 1
name: sources
duration: 300 ms
populations:
  exc: {model: lif_exp, size: 20, params: {I_dc: 400 pA}}
  quiet: {model: poisson, size: 10, params: {rate: 0 Hz}}
  busy: {model: poisson, size: 10, params: {rate: 900 Hz}}
  together: {model: spike_source, size: 10, spikes: [%s]}
projections:
  in: {from: busy, to: exc, connect: {fixed_indegree: 2}, synapse: {model: static, weight: 1 pA, delay: 1 ms}}
record:
  spikes: [exc, quiet, busy, together]
""" % ", ".join(["[" + ", ".join(f"{3 + 7 * k} ms" for k in range(40)) + "]"] * 10))
        return "sources.yaml"

    @classmethod
    def frames(cls):
        """A network with one device, whose conductance is logged at 0, 1, 2, 3 s of 4 s; a field changes it at 2 s."""
        with open(cls.path("frames.yaml"), "w") as f:
            f.write("""spinet: 1
name: frames
duration: 4 s
populations:
  a: {model: spike_source, size: 1, spikes: [[0.5 s]]}
  b: {model: lif_delta, size: 1}
projections:
  p: {from: a, to: b, connect: one_to_one, synapse: {model: spin_valve, w_max: 10 mV, delay: 1 ms, u: 0.9}}
schedule:
  - {at: 2 s, field: 90 Oe}
record:
  weights: {projection: p, variable: G, every: 1 s}
""")
        return "frames.yaml"

    @classmethod
    def copy(cls, name, to):
        shutil.copy(cls.path(name), cls.path(to))
        return cls.path(to)

    def refused(self, *arguments, message, code=2):
        """The command fails with one message and no trace."""
        done = self.spinet(*arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(message, done.stderr)
        self.assertNotIn("crashed", done.stderr)
        return done


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
