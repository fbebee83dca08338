"""Kills a run before every single write, and lets every single write fail: nothing committed is lost, nothing crashes.

every_write.py SPINET SHIM [SEED [SECONDS]]      (1, 60)

A small run with checkpoints, its resumption, `info` and `report` are repeated, each time with the shim (shim.cpp) that kills
the process before the n-th call that changes a file, or makes the call fail, for all n in a random order until the time is
over; then it starts again with another seed's order.  After each:
  - the log opens, and what it says it has is what the undisturbed run has, up to a time not before the newest checkpoint;
  - going on from the newest checkpoint gives the undisturbed run's data;
  - a failing call ends no process with a signal: a checkpoint is dropped with one line, a log that fails ends with exit 3;
  - the next command leaves no half-made files behind.
"""
import collections
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

NETWORK = """\
spinet: 1
duration: 200 ms
seed: 5
populations:
  exc:
    model: lif_exp
    size: 40
    params: {tau_m: 20 ms, tau_syn_exc: 0.5 ms, tau_syn_inh: 0.5 ms, E_L: 0 mV, v_th: 20 mV, v_reset: 0 mV}
    initial: {V: {uniform: {low: 0 mV, high: 19 mV}}}
  noise: {model: poisson, size: 40, params: {rate: 9 kHz}}
projections:
  plastic: {from: exc, to: exc, connect: {fixed_indegree: 10},
            synapse: {model: stdp, weight: 120 pA, w_max: 300 pA, lambda: 0.02, delay: {uniform: {low: 1 ms, high: 4 ms}}}}
  drive: {from: noise, to: exc, connect: one_to_one, synapse: {model: static, weight: 75 pA, delay: 1.5 ms}}
record:
  spikes: [exc, noise]
  edges: [plastic]
  reports: {population: exc, variable: V, every: 7 ms, ids: {every: 10}}
  weights: [{projection: plastic, every: 50 ms}, {projection: plastic, on_change: true, from: 100 ms}]
"""
EVERY = "45 ms"
LEFT_OVER = (".new", ".before")


def datasets(path):
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, o: found.update({name: o[()]}) if isinstance(o, h5py.Dataset) and not name.startswith("spinet") else None)
        reached, status = int(f["spinet"].attrs["reached_ticks"]), f["spinet"].attrs["status"].decode()
    return found, reached, status


class EveryWrite:
    def __init__(self, spinet, shim, folder, seed):
        self.spinet, self.shim, self.root = os.path.abspath(spinet), os.path.abspath(shim), folder
        self.folder = folder / "run"
        self.counter = folder / "counter"
        self.chance = random.Random(seed)
        self.done = collections.Counter()
        self.fresh()
        self.must("run", "net.yaml", "-o", "whole.h5", "--quiet")
        self.whole = datasets(self.folder / "whole.h5")[0]
        assert len(self.whole["spikes/exc/timestamps"]) > 50

    def fresh(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        (self.folder / "net.yaml").write_text(NETWORK)

    def command(self, *arguments, at=0, how="kill", part="", always=False):
        """Runs spinet; (exit code, what it said, calls counted)."""
        self.counter.write_bytes(bytes(8))
        environment = dict(os.environ, LD_PRELOAD=self.shim, EVERY_WRITE_FOLDER=str(self.folder), EVERY_WRITE_COUNTER=str(self.counter),
                           EVERY_WRITE_AT=str(at), EVERY_WRITE_HOW=how, EVERY_WRITE_PART=part, EVERY_WRITE_ALWAYS="1" if always else "0")
        done = subprocess.run([self.spinet, *map(str, arguments)], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr, int.from_bytes(self.counter.read_bytes(), "little")

    def must(self, *arguments, code=0):
        got, said, _ = self.command(*arguments)
        assert got == code, (arguments, got, said)
        return said

    # --- what must hold ---

    def newest(self):
        """The newest checkpoint, and the tick that it is of."""
        found = sorted((int(p.name.split(".")[2]), p) for p in self.folder.glob("out.ckpt.*.h5"))
        if not found:
            return None, 0
        with h5py.File(found[-1][1], "r") as f:
            return found[-1][1].name, int(f.attrs["at_ticks"])

    def check_prefix(self, least):
        """The repaired log has exactly the undisturbed run's data before the time that it has reached."""
        data, reached, status = datasets(self.folder / "out.h5")
        assert reached >= least, f"reached {reached}, but {least} had been committed"
        assert data.keys() == self.whole.keys(), data.keys() ^ self.whole.keys()
        for name, whole in self.whole.items():
            if name.endswith("mapping/time"):
                continue
            if name.split("/")[0] in ("spikes", "weight_events") and "mapping" not in name:
                times = self.whole[name.rsplit("/", 1)[0] + "/timestamps"]
                whole = whole[: int(np.searchsorted(np.rint(times * 1e6), reached))]
            elif name.endswith("/data"):
                start, _, step = self.whole[name.rsplit("/", 1)[0] + "/mapping/time"]
                frames = int(np.ceil(max(0, reached - round(start * 1e6)) / round(step * 1e6)))
                whole = whole[: min(frames, len(whole))]
            elif reached == 0:
                continue  # edges may not have been committed
            assert np.array_equal(data[name], whole), f"{name} is not that of the undisturbed run before {reached}: {len(data[name])}, {len(whole)}"
        return status

    def check_whole(self):
        data, _, status = datasets(self.folder / "out.h5")
        assert status == "complete", status
        assert data.keys() == self.whole.keys()
        for name in data:
            assert np.array_equal(data[name], self.whole[name]), f"{name} differs"

    def check_clean(self, what):
        names = sorted(p.name for p in self.folder.iterdir())
        left = [n for n in names if any(x in n for x in LEFT_OVER) or n == "out.h5.journal"]
        assert not left, f"after {what} there are {names}"
        assert sum(".ckpt." in n for n in names) <= 3, names

    def go_on(self):
        """The next commands after a kill: all is there."""
        checkpoint, at = self.newest()
        if (self.folder / "out.h5").exists():
            self.must("info", "out.h5")
            self.must("info", "--repair", "out.h5")
            self.check_prefix(at)
        if checkpoint:
            self.must("resume", checkpoint, "--quiet", "--checkpoint-every", EVERY)
        else:
            self.must("run", "net.yaml", "-o", "out.h5", "--quiet", "--force", "--checkpoint-every", EVERY)
        self.check_whole()
        self.check_clean("going on")

    # --- the trials ---

    def kill_run(self, n, how):
        self.fresh()
        code, said, _ = self.command("run", "net.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", EVERY, at=n, how=how)
        assert code == -signal.SIGKILL, (code, said)
        self.go_on()

    def kill_resume(self, n, how):
        self.fresh()
        self.must("run", "net.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", EVERY)
        first = self.newest()[0]
        code, said, _ = self.command("resume", first, "--quiet", "--checkpoint-every", EVERY, at=n, how=how)
        assert code == -signal.SIGKILL, (code, said)
        self.go_on()

    def killed_half_way(self):
        """A run that was killed after its second checkpoint, as files."""
        kept = self.root / "killed"
        if not kept.exists():
            self.fresh()
            calls = self.command("run", "net.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", EVERY)[2]
            self.fresh()
            self.command("run", "net.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", EVERY, at=calls * 2 // 3)
            shutil.copytree(self.folder, kept)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(kept, self.folder)

    def kill_repair(self, n, how):
        self.killed_half_way()
        code, said, _ = self.command("info", "--repair", "out.h5", at=n, how=how)
        # A file is first looked at by a process of its own, which may be the one that is killed.
        assert code == -signal.SIGKILL or (code == 3 and "the reader was killed" in said), (code, said)
        self.go_on()

    def kill_report(self, n, how):
        self.killed_half_way()
        code, said, _ = self.command("report", "out.h5", at=n, how=how)
        assert code != 0, (code, said)
        self.must("report", "out.h5", "--force")
        self.go_on()

    def fail_checkpoint(self, n, how, ranks=1):
        self.fresh()
        always = self.chance.random() < 0.3
        code, said, _ = self.command("run", "net.yaml", "-o", "out.h5", "--checkpoint-every", EVERY, "-n", ranks, at=n, how=how, part=".ckpt.", always=always)
        assert code == 0, (code, said)
        self.check_whole()
        dropped = [line for line in said.splitlines() if "is dropped" in line]
        assert always or len(dropped) <= 1, said
        assert all("the run goes on" in line and ("No space left" in line or "Input/output" in line) for line in dropped), said
        checkpoint, _ = self.newest()
        if checkpoint and not always:
            self.must("resume", checkpoint, "--quiet", "--checkpoint-every", EVERY)
            self.check_whole()
            self.check_clean("going on")

    def fail_run(self, n, how, ranks=1):
        self.fresh()
        always = self.chance.random() < 0.3
        code, said, _ = self.command("run", "net.yaml", "-o", "out.h5", "--checkpoint-every", EVERY, "-n", ranks, at=n, how=how, always=always)
        assert code in (0, 3), (code, said)
        checkpoint, at = self.newest()
        if (self.folder / "out.h5").exists():
            self.must("info", "--repair", "out.h5")
            self.check_prefix(at)
        if code == 0:
            self.check_whole()
        else:
            assert "No space left" in said or "Input/output" in said, said
            self.go_on()

    def calls(self, trial):
        """How many calls a trial has to choose from."""
        run = ("run", "net.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", EVERY)
        if trial in ("kill_run", "fail_run", "fail_checkpoint"):
            self.fresh()
            return self.command(*run, part=".ckpt." if trial == "fail_checkpoint" else "")[2]
        if trial == "kill_resume":
            self.fresh()
            self.must(*run)
            return self.command("resume", self.newest()[0], "--quiet", "--checkpoint-every", EVERY)[2]
        self.killed_half_way()
        return self.command(*(("info", "--repair") if trial == "kill_repair" else ("report",)), "out.h5")[2]

    def all_trials(self):
        """Every (trial, n, how, ranks) once."""
        trials = []
        for trial in ("kill_run", "kill_resume", "kill_repair", "kill_report", "fail_run", "fail_checkpoint"):
            calls = self.calls(trial)
            print(f"{trial}: {calls} calls", flush=True)
            for n in range(1, calls + 1):
                if trial.startswith("kill"):
                    trials += [(trial, n, how, 1) for how in ("kill", "torn")]
                else:
                    trials += [(trial, n, how, ranks) for how in ("ENOSPC", "EIO") for ranks in (1, 2)]
        return trials

    def trial(self, trial, n, how, ranks):
        if ranks > 1:
            getattr(self, trial)(n, how, ranks)
        else:
            getattr(self, trial)(n, how)
        self.done[trial] += 1


def main():
    spinet, shim = sys.argv[1], sys.argv[2]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    end = time.time() + (float(sys.argv[4]) if len(sys.argv) > 4 else 60)
    with tempfile.TemporaryDirectory(prefix="spinet-every-write-") as name:
        loop = EveryWrite(spinet, shim, pathlib.Path(name).resolve(), seed)
        trials = loop.all_trials()
        while time.time() < end:
            loop.chance.shuffle(trials)
            for trial in trials:
                if time.time() >= end:
                    break
                try:
                    loop.trial(*trial)
                except BaseException:
                    print("seed", seed, *trial, sorted(p.name for p in loop.folder.iterdir()), flush=True)
                    raise
    print(f"of {len(trials)}: " + ", ".join(f"{k} {v}" for k, v in sorted(loop.done.items())))


main()
