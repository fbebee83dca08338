"""A disk that fills while a run writes its log: a clear message, exit code 3, and a log with all spikes to the last commit.

usage: full_disk.py SPINET

Mounts a tmpfs of 48 MB, for which it must be root; exit code 77 where that is not allowed.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy

SPINET = os.path.abspath(sys.argv[1])
NETWORK = """spinet: 1
duration: {duration}
populations:
  noise: {{model: poisson, size: 1000, params: {{rate: 200 Hz}}}}
record: {{spikes: [noise]}}
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def spikes(path, before=None):
    with h5py.File(path) as log:
        t, n = log["spikes/noise/timestamps"][:], log["spikes/noise/node_ids"][:]
        reached = int(log["spinet"].attrs["reached_ticks"]) * 1e-6
        status = log["spinet"].attrs["status"].decode()
    end = reached if before is None else before
    keep = t < end
    assert before is not None or keep.all(), "spikes after the time reached"
    return t[keep], n[keep], reached, status


def without_shared_memory(folder):
    """A /dev/shm of 64 kB, mounted for the command alone: ranks that share memory must not need it."""
    network = os.path.join(folder, "short.yaml")
    with open(network, "w") as f:
        f.write(NETWORK.format(duration="100 ms"))
    small = 'mount -t tmpfs -o size=64k none /dev/shm || exit 77; exec "$@"'
    run = subprocess.run(["unshare", "-m", "bash", "-c", small, "-", SPINET, "run", network, "-n", "2", "-o", os.path.join(folder, "s.h5")],
                         capture_output=True, text=True, timeout=100)
    print(run.stderr)
    if run.returncode == 77:
        print("no mounts of its own for a command here: a full /dev/shm was not tried")
    assert run.returncode in (0, 77), f"with a full /dev/shm: exit code {run.returncode}"


def main():
    if os.geteuid() != 0:
        skip("mounting a small disk takes root")
    with tempfile.TemporaryDirectory(prefix="spinet-full-disk-") as folder:
        disk = os.path.join(folder, "disk")
        os.mkdir(disk)
        if "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout:
            without_shared_memory(folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            skip("a tmpfs cannot be mounted here: " + mounted.stderr.strip())
        try:
            check(folder, disk)
        finally:
            subprocess.run(["umount", disk], check=True)


def check(folder, disk):
    network = os.path.join(folder, "n.yaml")
    with open(network, "w") as f:
        f.write(NETWORK.format(duration="1000 s"))  # far more than the disk takes, and several commits (a second apart) before
    log = os.path.join(disk, "full.h5")
    run = subprocess.run([SPINET, "run", network, "-o", log], capture_output=True, text=True, timeout=300)
    print(run.stderr)
    assert run.returncode == 3, f"exit code {run.returncode}"
    last = run.stderr.strip().splitlines()
    assert any("full.h5" in line and "No space left on device" in line for line in last), "the message names neither the log nor the reason"
    assert os.path.getsize(log) > 0

    # As it lies there, on the full disk, spinet shows it.
    info = subprocess.run([SPINET, "info", log], capture_output=True, text=True, timeout=60)
    print(info.stdout, info.stderr)
    assert info.returncode == 0, "spinet info on the full disk"
    # Moved to a disk with room (file and journal), it is put in order and read.
    moved = os.path.join(folder, "moved.h5")
    shutil.copy(log, moved)
    if os.path.exists(log + ".journal"):
        shutil.copy(log + ".journal", moved + ".journal")
    info = subprocess.run([SPINET, "info", "--repair", moved], capture_output=True, text=True, timeout=60)
    assert info.returncode == 0, info.stderr
    t, n, reached, status = spikes(moved)
    whole = os.path.join(folder, "whole.h5")
    subprocess.run([SPINET, "run", network, "-o", whole, "--duration", f"{reached}ms"], check=True, capture_output=True)
    expected = spikes(whole, reached)
    print(f"{len(t)} spikes, up to {reached} ms, status {status}")
    assert status in ("interrupted", "killed"), status
    assert reached > 500 and len(t) > 50_000, "hardly anything was committed"
    assert numpy.array_equal(t, expected[0]) and numpy.array_equal(n, expected[1]), "the log is not that of a whole run up to its last commit"
    # Where there is no room for a log at all, nothing is left behind.
    os.remove(log)
    if os.path.exists(log + ".journal"):
        os.remove(log + ".journal")
    with open(os.path.join(disk, "filler"), "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
    run = subprocess.run([SPINET, "run", network, "-o", log], capture_output=True, text=True, timeout=60)
    print(run.stderr)
    assert run.returncode == 3 and "No space left on device" in run.stderr, (run.returncode, run.stderr)
    for room in (8, 40, 130):  # kB
        os.truncate(os.path.join(disk, "filler"), os.path.getsize(os.path.join(disk, "filler")) - room * 1024)
        files = sorted(os.listdir(disk))
        device = subprocess.run([SPINET, "device", "spin_valve", "--pulses", "500 x 2.5 V 5 ms, 500 x -2.35 V 5 ms", "-o", os.path.join(disk, "d.h5")],
                                capture_output=True, text=True, timeout=60)
        print(room, device.stderr)
        assert device.returncode == 3 and "No space left on device" in device.stderr, (device.returncode, device.stderr)
        assert sorted(set(os.listdir(disk)) - {"d.h5"}) == files, os.listdir(disk)
        if os.path.exists(os.path.join(disk, "d.h5")):  # there was no room for the picture alone
            h5py.File(os.path.join(disk, "d.h5")).close()
            os.remove(os.path.join(disk, "d.h5"))
        with open(os.path.join(disk, "filler"), "ab", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass


main()
