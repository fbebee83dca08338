"""Damaged logs into every command that reads one: a message and exit code 2 or 3, or a result; never a crash or a hang.

usage: damage.py SPINET [unittest arguments].  SPINET_DAMAGE_TRIALS=4000 for more than 400 mutants.
"""
import collections
import concurrent.futures
import os
import random
import shutil
import subprocess
import time

from support import Folder, SPINET, add_weights, main

TRIALS = int(os.environ.get("SPINET_DAMAGE_TRIALS", "400"))
COMMANDS = [("info",), ("view", "--ascii"), ("report", "-o", "{}/out.html", "--force"), ("export", "--to", "csv", "-o", "{}/csv", "--force"), ("export", "--to", "nwb", "-o", "{}/out.nwb", "--force")]

CHECKPOINTED = """
spinet: 1
duration: 200 ms
populations:
  noise: {model: poisson, size: 12, params: {rate: 3 kHz}}
  post: {model: lif_exp, size: 12, params: {tau_m: 20 ms, E_L: 0 mV, v_th: 10 mV, v_reset: 0 mV}, initial: {V: 0 mV}}
projections:
  p: {from: noise, to: post, connect: {fixed_indegree: 6}, synapse: {model: stdp, port: exc, weight: 60 pA, delay: 1.5 ms}}
record: {spikes: [post], weights: [{projection: p, every: 20 ms}, {projection: p, on_change: true, to: 20 ms}], reports: {population: post, variable: V, every: 5 ms}}
"""


def mutant(whole, seed):
    """Flipped bits, changed bytes, extreme numbers, copied blocks, a cut end."""
    r, b = random.Random(seed), bytearray(whole)
    for _ in range(r.randint(1, 6)):
        at, kind = r.randrange(len(b)), r.randrange(6)
        if kind == 0:
            b[at] ^= 1 << r.randrange(8)
        elif kind == 1:
            b[at] = r.randrange(256)
        elif kind == 2:
            size, to = r.randrange(64), r.randrange(len(b))
            part = b[at:at + size]
            b[to:to + len(part)] = part[:len(b) - to]
        elif kind == 3 and r.randrange(8) == 0:
            del b[at + 1:]
        elif kind in (4, 5):
            at -= at % 8 if kind == 5 else 0
            size = min(8, len(b) - at)
            b[at:at + size] = (b"\0" if kind == 5 else b"\xff") * size
    return bytes(b)


class Damage(Folder):
    logs = ("two_neurons", "balanced")

    def one(self, seed, wholes, sound=False):
        folder = self.path(f"trial{seed}")
        os.mkdir(folder)
        log, results = os.path.join(folder, "log.h5"), []
        whole = wholes[seed % len(wholes)]
        damaged = whole if sound else mutant(whole, seed)
        # Each mutant goes into `info` and one of the others; a sound log into all.
        for command in COMMANDS if sound else (COMMANDS[0], COMMANDS[1 + seed // len(wholes) % (len(COMMANDS) - 1)]):
            with open(log, "wb") as f:
                f.write(damaged)
            begin = time.time()
            name, *rest = (c.format(folder) for c in command)
            done = self.spinet(name, log, *rest)
            results.append((seed, " ".join(command[:3]), done.returncode, done.stderr, time.time() - begin))
        left = [n for n in os.listdir(folder) if (".new-" in n or ".lock" in n)]
        shutil.rmtree(folder)
        return results, left

    def test_mutants(self):
        wholes = []
        # A small log, in which most mutants hit what describes the data, and one in which they hit data.
        for name in ("two_neurons.h5", "balanced.h5"):
            if name == "two_neurons.h5":
                add_weights(self.path(name), edges=5, frames=4)
            with open(self.path(name), "rb") as f:
                wholes.append(f.read())
        sound, left = self.one(-1, wholes, sound=True)
        self.assertEqual([r[2] for r in sound], [0] * len(COMMANDS), sound)
        codes, inside_hdf5, wrong = collections.Counter(), [], []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for results, left in pool.map(lambda seed: self.one(seed, wholes), range(TRIALS)):
                if left:
                    wrong.append((results[0][0], left))
                for seed, command, code, message, seconds in results:
                    codes[code] += 1
                    if code not in (0, 2, 3) or (code and not message.strip()) or "with code" in message or seconds > 90:
                        wrong.append((seed, command, code, message[:300], seconds))
                    if "crashed in the HDF5 library" in message or "does not come to an end" in message:
                        inside_hdf5.append((seed, command, message))
        print(f"{TRIALS} mutants, {sum(codes.values())} commands: " + ", ".join(f"{n} ended with {c}" for c, n in sorted(codes.items())) + f"; {len(inside_hdf5)} crashes and endless loops inside HDF5 became messages")
        for crash in inside_hdf5:
            print(*crash)
        self.assertEqual(wrong, [])
        self.assertGreater(codes[2], TRIALS // 5)  # the damage is felt
        # HDF5 1.10.8 fails on some of 4,000 mutants; many more would be ours.
        self.assertLessEqual(len({seed for seed, *_ in inside_hdf5}), 2 + TRIALS // 200)

    def test_checkpoints_and_their_logs(self):
        """Into `resume`: a damaged checkpoint, or a sound one with a damaged log."""
        with open(self.path("c.yaml"), "w") as f:
            f.write(CHECKPOINTED)
        self.run_spinet("run", "c.yaml", "-o", "c.h5", "--quiet", "--checkpoint-every", "60ms")
        newest = max((n for n in os.listdir(self.folder) if n.startswith("c.ckpt.")), key=lambda n: int(n.split(".")[2]))
        with open(self.path(newest), "rb") as f, open(self.path("c.h5"), "rb") as g:
            checkpoint, log = f.read(), g.read()
        trials = TRIALS // 5

        def one(seed):
            folder = self.path(f"resume{seed}")
            os.mkdir(folder)
            hurt_log = seed % 2 == 1
            for name, data, hurt in ((newest, checkpoint, seed >= 0 and not hurt_log), ("c.h5", log, seed >= 0 and hurt_log)):
                with open(os.path.join(folder, name), "wb") as f:
                    f.write(mutant(data, seed) if hurt else data)
            begin = time.time()
            done = self.spinet("resume", os.path.join(folder, newest), "--quiet")
            shutil.rmtree(folder)
            return seed, done.returncode, done.stderr, time.time() - begin
        # A mutant may be the original: zeros written over zeros.
        damaged = sum(mutant(checkpoint, seed) != checkpoint for seed in range(0, trials, 2))
        self.assertGreater(damaged, trials // 3)
        self.assertEqual(one(-2)[1], 0, one(-2))
        codes, wrong = collections.Counter(), []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for seed, code, message, seconds in pool.map(one, range(trials)):
                codes[code] += 1
                if code not in (0, 2, 3) or (code and not message.strip()) or seconds > 90:
                    wrong.append((seed, code, message[:300], seconds))
        print(f"{trials} mutants into resume: " + ", ".join(f"{n} ended with {c}" for c, n in sorted(codes.items())))
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(codes[2], damaged)  # every damaged checkpoint is found

    def test_a_crash_becomes_a_message(self):
        """The safety net itself: the reading process is killed by a signal."""
        for name, message in (("SEGV", "is damaged: reading it crashed in the HDF5 library"), ("XCPU", "does not come to an end"), ("KILL", "the reader was killed")):
            drain, full = os.pipe()  # the reader waits to print, so that there is time to kill it
            os.set_blocking(full, False)
            try:
                while True:
                    os.write(full, b"x" * 4096)
            except BlockingIOError:
                os.set_blocking(full, True)
            run = subprocess.Popen([SPINET, "info", "two_neurons.h5"], cwd=self.folder, text=True, stdout=full, stderr=subprocess.PIPE)
            os.close(full)
            child, begin = "", time.time()
            while not child and time.time() - begin < 30:
                with open(f"/proc/{run.pid}/task/{run.pid}/children") as f:
                    child = f.read().strip()
                time.sleep(0.01)
            time.sleep(0.1)
            subprocess.run(["kill", f"-{name}", child], check=True)
            _, err = run.communicate(timeout=30)
            os.close(drain)
            self.assertEqual(run.returncode, 3 if name == "KILL" else 2, err)
            self.assertIn(message, err)
            self.assertEqual(err.count("\n"), 1)


main()
