"""Kills a writer with SIGKILL at random moments; what it had committed must be in the file.

kill.py LOG_DRIVER [TRIALS]

In every third trial the repair is killed too, and repeated."""
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

from synthetic import EXC, INH, WINDOW, frames, population

PER_WINDOW = 200


def compare(path, least):
    with h5py.File(path, "r") as f:
        reached = int(f["spinet"].attrs["reached_ticks"])
        assert reached >= least, f"reached tick {reached}, but {least} had been committed"
        windows = reached // WINDOW
        for name, first, size in (("exc", 0, EXC), ("inh", EXC, INH)):
            ticks, ids = population(windows, PER_WINDOW, first, size)
            g = f["spikes"][name]
            assert np.array_equal(g["timestamps"][()], ticks / 1e6), f"timestamps of {name} differ"
            assert np.array_equal(g["node_ids"][()], ids), f"node ids of {name} differ"
        data = f["report/exc/data"][()]
        assert np.array_equal(data, frames(0, [0, 5, 99], windows)), "the report differs"
        return windows


def trial(driver, folder, number, chance):
    path = folder / f"{number}.h5"
    writer = subprocess.Popen([driver, "stream", path], stdout=subprocess.PIPE, text=True)
    time.sleep(chance.uniform(0.02, 1.0))
    writer.kill()
    said = writer.communicate()[0].split("\n")[:-1]  # a last line without its end was not finished
    if not path.exists():
        assert not said
        return "killed before the file had its name"
    try:
        with h5py.File(path, "r") as f:
            as_found = f["spikes/exc/timestamps"].shape[0] == f["spikes/exc/timestamps"][()].shape[0]
    except (OSError, KeyError, RuntimeError):
        as_found = False
    torn = ""
    if number % 3 == 0:
        repair = subprocess.Popen([driver, "recover", path])
        time.sleep(chance.uniform(0.0, 0.03))
        repair.kill()
        repair.wait()
        torn = ", its repair killed too"
    subprocess.run([driver, "recover", path], check=True)
    windows = compare(path, int(said[-1]) if said else 0)
    assert not path.with_name(path.name + ".journal").exists()
    size = path.stat().st_size
    path.unlink()
    unreadable = "" if as_found else " (unreadable before repair)"
    return f"{len(said)} commits, {windows} windows, {size} bytes{torn}{unreadable}"


driver, trials = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 15
seed = random.randrange(2**32)
chance = random.Random(seed)
print(f"seed {seed}")
with tempfile.TemporaryDirectory() as name:
    for k in range(trials):
        print(f"trial {k + 1}: {trial(driver, pathlib.Path(name), k, chance)}", flush=True)
print(f"{trials} of {trials}")
