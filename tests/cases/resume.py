"""Kills runs with SIGKILL at random moments and resumes them on other numbers of ranks: the data must be those of the
run without interruption.  Then SIGTERM, and checkpoints that must be refused.

resume.py SPINET [TRIALS]"""
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

NETWORK = """\
spinet: 1
duration: 2 s
seed: 5
block: 16
populations:
  exc:
    model: lif_exp
    size: 160
    params: {tau_m: 20 ms, tau_syn_exc: 0.5 ms, tau_syn_inh: 0.5 ms, E_L: 0 mV, v_th: 20 mV, v_reset: 0 mV}
    initial: {V: {uniform: {low: 0 mV, high: 19 mV}}}
  inh: {like: exc, size: 40}
  noise: {model: poisson, size: 200, params: {rate: 9 kHz}}
projections:
  plastic: {from: exc, to: exc, connect: {fixed_indegree: 30},
            synapse: {model: stdp, weight: 120 pA, w_max: 300 pA, lambda: 0.02, delay: {uniform: {low: 1 ms, high: 4 ms}}}}
  learning: {from: exc, to: inh, connect: {fixed_indegree: 30},
             synapse: {model: rstdp, weight: 120 pA, w_max: 300 pA, delay: 1.5 ms}}
  inhibitory: {from: inh, to: [exc, inh], connect: {fixed_indegree: 8}, synapse: {model: tsodyks_markram, weight: -900 pA, delay: 1.5 ms}}
  drive: {from: noise, to: [exc, inh], connect: one_to_one, synapse: {model: static, weight: 75 pA, delay: 1.5 ms}}
schedule:
  - {at: 500 ms, set: {exc: {I_dc: 20 pA}}}
  - {at: 800 ms, reward: 0.5}
  - {at: 1.2 s, set: {noise: {rate: 9.3 kHz}}}
  - {at: 1.5 s, reward: -0.2}
  - {at: 600 ms, weights: 0.8, to: plastic}
  - {at: 900 ms, weights: off, to: inhibitory}
  - {at: 930 ms, weights: on, to: inhibitory}
record:
  spikes: [exc, inh, noise]
  reports: {population: exc, variable: V, every: 7 ms, ids: {every: 40}}
  weights: [{projection: plastic, every: 150 ms}, {projection: learning, every: 200 ms, variable: c}, {projection: learning, on_change: true, at: 777 ms},
            {projection: plastic, on_change: true, from: 300 ms}]
"""


def datasets(path):
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, o: found.update({name: o[()]}) if isinstance(o, h5py.Dataset) and not name.startswith("spinet") else None)
    return found


def same(a, b):
    assert a.keys() == b.keys(), sorted(a.keys() ^ b.keys())
    for name in a:
        assert np.array_equal(a[name], b[name]), f"{name} differs"


def sealed(contents):
    """A checkpoint's bytes with the end that they would have, had they been written so."""
    if contents[-40:-32] == b"SPCKSEAL":
        contents = contents[:-40]
    return bytes(contents) + b"SPCKSEAL" + hashlib.sha256(contents).digest()


def main():
    spinet, trials = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
    chance = random.Random(3)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "net.yaml").write_text(NETWORK)

        def run(*arguments, **more):
            return subprocess.run([spinet, *map(str, arguments)], capture_output=True, text=True, cwd=folder, **more)

        begin = time.time()
        done = run("run", "net.yaml", "-o", "whole.h5", "--quiet")
        assert done.returncode == 0, done.stderr
        seconds = time.time() - begin
        whole = datasets(folder / "whole.h5")
        assert len(whole["spikes/exc/timestamps"]) > 1500, len(whole["spikes/exc/timestamps"])

        def newest():
            return max(folder.glob("out.ckpt.*.h5"), key=lambda p: int(p.name.split(".")[2]), default=None)

        resumed = 0
        for trial in range(trials):
            for old in folder.glob("out.*"):
                old.unlink()
            command = [spinet, "run", "net.yaml", "-o", "out.h5", "--quiet", "--force", "--checkpoint-every", "90 ms"]
            for attempt in range(20):  # a resumed run is killed as well, until one comes to its end
                process = subprocess.Popen(command, cwd=folder, start_new_session=True)
                if attempt < 2:
                    time.sleep(chance.uniform(0.2, 1.0) * seconds)
                    while newest() is None and process.poll() is None:  # a busy machine has not got far by then
                        time.sleep(0.01)
                    process.kill()
                code = process.wait()
                if code == 0:
                    break
                at = newest()
                if at is None:
                    continue
                resumed += 1
                command = [spinet, "resume", at.name, "--quiet", "--checkpoint-every", "110 ms"]
            assert code == 0, code
            same(whole, datasets(folder / "out.h5"))
            assert len(list(folder.glob("out.ckpt.*.h5"))) <= 3
        assert resumed >= trials // 2, f"only {resumed} of {trials} trials were resumed"

        # On several ranks, from a checkpoint of a run on one, and the other way round.
        for ranks, then in ((1, 3), (2, 1)):
            for old in folder.glob("out.*"):
                old.unlink()
            first = run("run", "net.yaml", "-o", "out.h5", "-n", ranks, "--checkpoint-every", "400 ms")
            assert first.returncode == 0, first.stderr
            assert "the last is" in first.stdout, first.stdout
            (folder / "out.h5.before").write_bytes(b"anything")
            again = run("resume", newest().name, "-n", then, "-o", "other.h5", "--force")
            assert again.returncode == 0, again.stderr
            same(whole, datasets(folder / "other.h5"))
            same(whole, datasets(folder / "out.h5"))
            assert (folder / "out.h5.before").read_bytes() == b"anything"

        # SIGTERM: a last checkpoint, and the command to go on.
        for old in folder.glob("out.*"):
            old.unlink()
        process = subprocess.Popen([spinet, "run", "net.yaml", "-o", "out.h5", "--checkpoint-every", "1900 ms"], cwd=folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while not (folder / "out.h5.journal").exists() and process.poll() is None:  # while it is built there is nothing to go on with
            time.sleep(0.01)
        time.sleep(0.2 * seconds)
        process.send_signal(signal.SIGTERM)
        said, errors = process.communicate()
        assert process.returncode == 3, (process.returncode, errors)
        assert f"Next: spinet resume {newest().name}" in said, said
        again = run("resume", newest().name)
        assert again.returncode == 0, again.stderr
        same(whole, datasets(folder / "out.h5"))

        # Refused, with a reason.
        good = run("run", "net.yaml", "-o", "out.h5", "--force", "--quiet", "--checkpoint-every", "400 ms", "--duration", "1 s")
        assert good.returncode == 0, good.stderr
        checkpoint = newest()
        bytes_of = checkpoint.read_bytes()

        def refused(what, reason, *arguments):
            r = run("resume", what, *arguments)
            assert r.returncode == 2 and reason in r.stderr, (what, r.returncode, r.stderr)

        refused("nothing.h5", "no such file")
        refused("net.yaml", "is not an HDF5 file")
        refused("out.h5", "this is a log, not a checkpoint")
        (folder / "cut.ckpt.1.h5").write_bytes(bytes_of[: len(bytes_of) // 2])
        refused("cut.ckpt.1.h5", "cut.ckpt.1.h5")
        broken = bytearray(bytes_of)
        with h5py.File(checkpoint, "r") as f:
            at = f["state/synapses|plastic"].id.get_chunk_info(0).byte_offset
        broken[at + 100] ^= 0x40
        (folder / "flip.ckpt.1.h5").write_bytes(broken)
        refused("flip.ckpt.1.h5", "damaged")
        # Whatever a checkpoint says is checked: attributes, names, states that are whole for HDF5.
        def changed(change, reason, seal=False):
            (folder / "out.ckpt.7.h5").write_bytes(bytes_of)
            with h5py.File(folder / "out.ckpt.7.h5", "r+") as f:
                change(f)
            now = (folder / "out.ckpt.7.h5").read_bytes()
            now = sealed(now) if seal else now[:-40] + bytes_of[-40:] if now[-40:-32] == b"SPCKSEAL" else now + bytes_of[-40:]
            (folder / "out.ckpt.7.h5").write_bytes(now)
            log = (folder / "out.h5").read_bytes()
            r = run("resume", "out.ckpt.7.h5", "--quiet")
            assert r.returncode == 2 and reason in r.stderr, (reason, r.returncode, r.stderr)
            assert (folder / "out.h5").read_bytes() == log
            (folder / "out.ckpt.7.h5").unlink()

        def rows(f, name, factor):
            old = f["state"][name][:]
            f["state"][name].resize((int(len(old) * factor),))
            if factor > 1:
                f["state"][name][:] = np.tile(old, factor)

        def link(f):
            del f["state/run"]
            f["state/run"] = h5py.ExternalLink("moved.h5", "/x")

        other = "is not what was written"
        for attribute, value in (("at_ticks", 0), ("at_ticks", -1), ("at_ticks", 1_000_000_000), ("seed", 6), ("duration_ticks", 1)):
            changed(lambda f: f.attrs.modify(attribute, f.attrs[attribute].dtype.type(value)), other)
        for name in ("emissions", "agenda"):
            for factor in (0.5, 2):
                changed(lambda f: rows(f, name, factor), other)
        changed(lambda f: f["state"].move("agenda", "agendb"), other)
        changed(lambda f: f.attrs.modify("at_ticks", f.attrs["at_ticks"] - 1), "is of another time than the checkpoint says", seal=True)
        changed(link, "is a link to elsewhere", seal=True)
        (folder / "unfinished.ckpt.1.h5").write_bytes(bytes_of[:-40])
        refused("unfinished.ckpt.1.h5", "its end, with its digest, is missing")

        def foreign_log(f):
            del f["log"]
            f.create_dataset("log", data=np.bytes_("foreign.h5"), dtype=h5py.string_dtype("utf-8", 10))

        with h5py.File(folder / "foreign.h5", "w") as f:
            f["x"] = 1
        changed(foreign_log, "not the log of a Spinet run", seal=True)

        def two_lines(f):
            del f["log"]
            f.create_dataset("log", data=np.bytes_("a\nb: all is well"), dtype=h5py.string_dtype("utf-8", 16))

        changed(two_lines, "its log a b: all is well is missing", seal=True)
        # Data of the log that cannot be read: the user's to put right, and nothing is changed.
        sound = (folder / "out.h5").read_bytes()
        with h5py.File(folder / "out.h5", "r") as f:
            chunk = f["spikes/exc/timestamps"].id.get_chunk_info(0)
        torn = bytearray(sound)
        torn[chunk.byte_offset:chunk.byte_offset + chunk.size] = b"\x5a" * chunk.size
        (folder / "out.h5").write_bytes(torn)
        refused(checkpoint.name, "out.h5: ")
        assert (folder / "out.h5").read_bytes() == torn and not list(folder.glob("*.new-*"))
        (folder / "out.h5").write_bytes(sound)
        (folder / "out.h5").rename(folder / "moved.h5")
        refused(checkpoint.name, "its log")
        other = run("run", "net.yaml", "-o", "out.h5", "--quiet", "--seed", "9", "--duration", "1 s")
        assert other.returncode == 0, other.stderr
        refused(checkpoint.name, "is the log of another run; a checkpoint goes on with the log that it was written beside")
        for _ in range(25):  # anything may be wrong with a file
            broken = bytearray(bytes_of)
            for _ in range(chance.randrange(1, 6)):
                broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
            (folder / "flip.ckpt.1.h5").write_bytes(broken)
            r = run("resume", "flip.ckpt.1.h5", "-o", "flipped.h5", "--force", "--quiet", timeout=60)
            assert r.returncode == 2 or broken == bytes_of, (r.returncode, r.stderr)
    print(f"{trials} killed runs, {resumed} resumed: the same data")


main()
