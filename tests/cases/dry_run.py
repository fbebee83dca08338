"""spinet run --dry-run against a real run on two ranks, and on thousands of ranks that are not there.

usage: dry_run.py SPINET
"""
import os
import re
import subprocess
import sys
import tempfile

import h5py

SPINET = os.path.abspath(sys.argv[1])
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout
NETWORK = """spinet: 1
duration: 200 ms
block: 32
populations:
  exc: {model: lif_exp, size: 800, params: {I_dc: 500 pA, t_ref: 2 ms}}
  inh: {like: exc, size: 200}
  noise: {model: poisson, size: 1000, params: {rate: 2 kHz}}
  slow: {model: poisson, size: 100, params: {rate: 50 Hz}}
projections:
  e: {from: exc, to: [exc, inh], connect: {fixed_outdegree: 40}, synapse: {model: static, weight: 5 pA, delay: {uniform: {low: 0.5 ms, high: 3 ms}}}}
  i: {from: inh, to: [exc, inh], connect: {fixed_indegree: 10}, synapse: {model: static, weight: -30 pA, delay: 0.5 ms}}
  drive: {from: noise, to: [exc, inh], connect: one_to_one, synapse: {model: static, weight: 5 pA, delay: 1 ms}}
  more: {from: slow, to: exc, connect: {pairwise_bernoulli: 0.2}, synapse: {model: static, weight: 5 pA, delay: 1 ms}}
record: {spikes: [exc, inh], reports: [{population: exc, variable: V, every: 1 ms}]}
"""
UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}


def number(text):
    value = text.replace(",", "").split()
    return float(value[0]) * UNITS[value[1] if len(value) > 1 else ""]


def dry(folder, *words):
    r = subprocess.run([SPINET, "run", "--dry-run", "n.yaml", *words], cwd=folder, text=True, capture_output=True, timeout=120)
    assert r.returncode == 0, r.stderr
    assert os.listdir(folder) == ["n.yaml"] or "n.h5" in os.listdir(folder), "a dry run has written something"
    rows = []
    for line in r.stdout.splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if cells[0].isdigit():
            rows.append(dict(zip(("rank", "neurons", "sources", "synapses", "slices", "mean", "memory", "events", "sends"), cells)))
    return r.stdout, rows


def main():
    with tempfile.TemporaryDirectory(prefix="spinet-dry-run-") as folder:
        with open(os.path.join(folder, "n.yaml"), "w") as f:
            f.write(NETWORK)
        ranks = 2 if HAS_MPI else 1
        text, rows = dry(folder, "-n", str(ranks))
        print(text)
        assert len(rows) == ranks
        assert sum(number(r["neurons"]) for r in rows) == 1000
        assert sum(number(r["sources"]) for r in rows) == 1100
        r = subprocess.run([SPINET, "run", "n.yaml", "-n", str(ranks)], cwd=folder, text=True, capture_output=True, timeout=120)
        assert r.returncode == 0, r.stderr
        with h5py.File(os.path.join(folder, "n.h5")) as log:
            s = {k: v for k, v in log["spinet/statistics"].attrs.items()}
            neurons_rate = sum(int(n) for n in log["spinet/statistics/spikes_of_population"][:2]) / 1000 / 0.2
        assert sum(number(r["synapses"]) for r in rows) == s["synapses"], (rows, s)
        assert sum(number(r["slices"]) for r in rows) == s["slices"], (rows, s)
        # With the rate that the run had, the traffic is that of the run.
        text, rows = dry(folder, "--ranks", str(ranks), "--rate", f"{neurons_rate:.6g}")
        events = sum(number(r["events"]) for r in rows)
        real = s["events"] / 0.2
        assert abs(events / real - 1) < 0.03, (events, real)
        spikes = number(re.search(r"([\d.,]+ ?[kMG]?) spikes and", text).group(1))
        assert abs(spikes / (neurons_rate * 1000 + 100 * 50) - 1) < 0.01, (spikes, neurons_rate)
        windows = number(re.search(r"([\d.,]+ ?[kMG]?) exchanges", text).group(1))
        assert windows == 2000, windows  # the shortest delay is 0.5 ms
        # Many ranks: a few are built, no MPI is asked for.
        text, rows = dry(folder, "--ranks", "4096")
        print(text)
        assert len(rows) == 8  # as tools/README.md says
        assert "4,064 ranks without neurons" in text or "ranks without neurons" in text
        assert max(number(r["neurons"]) for r in rows) == 32 and min(number(r["neurons"]) for r in rows) == 0
        r = subprocess.run([SPINET, "run", "--rate", "5", "n.yaml"], cwd=folder, text=True, capture_output=True)
        assert r.returncode == 2 and "--dry-run" in r.stderr, r.stderr


main()
