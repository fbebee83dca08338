"""What commands write: no log is lost to another command, a name, a link, a kill or a missing journal.

outputs.py SPINET [PAIRS] [unittest arguments]"""
import os
import pathlib
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

SPINET = os.path.abspath(sys.argv[1])
PAIRS = int(sys.argv[2]) if len(sys.argv) > 2 else 12
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout

SMALL = """\
spinet: 1
name: small
duration: 300 ms
populations:
  p: {model: lif_delta, size: 20, params: {I_dc: 500 pA}, initial: {V: {uniform: {low: -70 mV, high: -55 mV}}}}
  played: {model: spike_source, size: 3, spikes: {file: spikes.csv}}
projections:
  all: {from: p, to: p, connect: {fixed_indegree: 4}, synapse: {model: stdp, weight: 0.1 mV, w_max: 1 mV, delay: 1 ms}}
  play: {from: played, to: p, connect: {fixed_indegree: 1}, synapse: {model: static, weight: 0.2 mV, delay: 1 ms}}
record:
  spikes: [p]
  weights: [{projection: all, every: 20 ms}]
"""
LONG = SMALL.replace("300 ms", "100000 s").replace("name: small", "name: long").replace("every: 20 ms", "every: 1 s")
CSV = "time [ms],neuron\n1,0\n2.5,1\n250,2\n"


def spikes(path):
    with h5py.File(path, "r") as f:
        return f["spinet"].attrs["status"].decode(), int(f["spinet"].attrs["seed"]), f["spikes/p/timestamps"][()], f["spikes/p/node_ids"][()]


class Outputs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-outputs-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "small.yaml").write_text(SMALL)
        (self.folder / "long.yaml").write_text(LONG)
        (self.folder / "spikes.csv").write_text(CSV)

    def start(self, *arguments, **more):
        return subprocess.Popen([SPINET, *map(str, arguments)], cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def spinet(self, *arguments, code=0, **more):
        done = subprocess.run([SPINET, *map(str, arguments)], cwd=self.folder, text=True, capture_output=True, timeout=120, **more)
        self.assertEqual(done.returncode, code, (arguments, done.stdout, done.stderr))
        return done

    def refused(self, message, *arguments, code=2):
        """Exit code 2, the message, and nothing changed."""
        files = lambda: {p.name: p.read_bytes() for p in self.folder.iterdir() if p.is_file() and not p.is_symlink() and p.suffix != ".lock"}
        before = files()
        done = self.spinet(*arguments, code=code)
        self.assertIn(message, done.stderr)
        self.assertEqual(files(), before)

    def litter(self):
        return sorted(p.name for p in self.folder.iterdir() if ".new-" in p.name or p.name.endswith((".lock", ".journal", ".next")) or ".runs." in p.name)

    def pairs(self, command, check, clear=()):
        """Two of a command at once, PAIRS times: who ends with 0 has its result, the other says why not."""
        lost = both = 0
        for k in range(PAIRS):
            for name in clear:
                (self.folder / name).unlink(missing_ok=True)
            two = [self.start(*command(0)), self.start(*command(1))]
            said = [p.communicate(timeout=120) for p in two]
            codes = [p.returncode for p in two]
            self.assertIn(0, codes, said)
            for code, (_, errors) in zip(codes, said):
                self.assertIn(code, (0, 2), said)
                if code == 2:
                    self.assertRegex(errors, "is in use: a run is still writing it|exists already", said)
            both += codes == [0, 0]
            lost += codes.count(2)
            check([i for i in (0, 1) if codes[i] == 0])
            self.assertEqual(self.litter(), [])
        return lost, both

    def test_two_runs_with_one_output(self):
        self.spinet("run", "small.yaml", "--seed", 1, "-o", "one.h5")
        self.spinet("run", "small.yaml", "--seed", 2, "-o", "two.h5")
        right = [spikes(self.folder / "one.h5"), spikes(self.folder / "two.h5")]

        def check(winners):
            log = spikes(self.folder / "out.h5")
            self.assertIn(log[1] - 1, winners)
            self.assertEqual(log[0], "complete")
            for a, b in zip(log[2:], right[log[1] - 1][2:]):
                np.testing.assert_array_equal(a, b)

        lost, _ = self.pairs(lambda i: ("run", "small.yaml", "--seed", i + 1, "-o", "out.h5", "--quiet"), check, clear=["out.h5"])
        self.assertEqual(lost, PAIRS)
        self.pairs(lambda i: ("run", "small.yaml", "--seed", i + 1, "-o", "out.h5", "--quiet", "--force"), check)

    def test_two_resumptions_of_one_run(self):
        self.spinet("run", "small.yaml", "-o", "out.h5", "--checkpoint-every", "100 ms", "--quiet")
        right = spikes(self.folder / "out.h5")

        def check(_):
            for a, b in zip(spikes(self.folder / "out.h5"), right):
                np.testing.assert_array_equal(a, b)

        self.pairs(lambda i: ("resume", "out.ckpt.1.h5", "--quiet"), check)

    def test_two_sweeps_with_one_output(self):
        def check(_):
            with h5py.File(self.folder / "sweep.h5") as f:
                self.assertEqual(int(f["sweep"].attrs["done"]), 6)

        self.pairs(lambda i: ("sweep", "small.yaml", "--trials", 6, "-o", "sweep.h5", "--quiet"), check, clear=["sweep.h5"])

    def test_two_reports_and_exports(self):
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet")
        self.pairs(lambda i: ("report", "out.h5", "--force"), lambda _: self.assertIn("</html>", (self.folder / "out.html").read_text()[-200:]))
        self.pairs(lambda i: ("export", "out.h5", "--to", "nwb", "--force"), lambda _: h5py.File(self.folder / "out.nwb").close())
        self.pairs(lambda i: ("export", "out.h5", "--to", "csv", "--force"),
                   lambda _: self.assertGreater(len((self.folder / "out_csv/spikes_p.csv").read_text().splitlines()), 20))

    def running(self, *more):
        for old in self.folder.glob("long.*h5*"):
            old.unlink()
        run = self.start("run", "long.yaml", "-o", "long.h5", "--quiet", *more)
        self.addCleanup(run.communicate, timeout=60)
        self.addCleanup(run.kill)
        for _ in range(600):
            if (self.folder / "long.h5.journal").exists():
                return run
            time.sleep(0.05)
        self.fail("no log")

    def test_a_running_log(self):
        run = self.running()
        for command in (["run", "small.yaml", "-o", "long.h5"], ["run", "small.yaml", "-o", "long.h5", "--force"], ["run", "small.yaml", "-o", "./long.h5", "--force"],
                        ["sweep", "small.yaml", "--trials", "2", "-o", "long.h5", "--force"], ["report", "long.h5"], ["export", "long.h5", "--to", "csv"],
                        ["view", "long.h5"], ["device", "spin_valve", "--pulses", "1 V 1 ms", "-o", "long.h5", "--force"]):
            begin = time.time()
            done = self.spinet(*command, code=2)
            self.assertIn(f"long.h5: is in use: a run is still writing it (process {run.pid} on ", done.stderr, command)
            self.assertLess(time.time() - begin, 20)
        done = self.spinet("info", "long.h5")
        self.assertRegex(done.stdout, rf"is being written by process {run.pid} on ")
        self.assertIn("long.h5 and long.h5.journal belong together", done.stdout)
        if HAS_MPI:
            self.assertIn("is in use", self.spinet("run", "small.yaml", "-n", 2, "-o", "long.h5", "--force", code=2).stderr)
        run.kill()
        run.wait()
        self.spinet("info", "--repair", "long.h5")
        self.assertEqual(self.litter(), [])

    def test_a_missing_journal(self):
        run = self.running("--checkpoint-wall", "1s")
        for _ in range(100):
            if list(self.folder.glob("long.ckpt.[23].h5")):
                break
            time.sleep(0.1)
        time.sleep(0.5)
        run.kill()
        run.wait()
        (self.folder / "long.h5.journal").rename(self.folder / "aside")
        shown = self.spinet("info", "long.h5").stdout
        self.assertIn("killed", shown)
        self.assertIn("its journal is missing: what this file lacks was in long.h5.journal only", shown)
        checkpoint = max(self.folder.glob("long.ckpt.*.h5"), key=lambda p: int(p.name.split(".")[2])).name
        with h5py.File(self.folder / "long.h5", "r") as f:
            whole, rows = int(f["spinet"].attrs["whole_ticks"]), f["spikes/p/timestamps"].shape[0]
        with h5py.File(self.folder / checkpoint, "r") as f:
            at = int(f.attrs["at_ticks"])
        if whole < at:
            self.refused("long.h5.journal, which is not there", "resume", checkpoint)
        for command in (["export", "long.h5", "--to", "csv"], ["view", "long.h5"]):
            done = self.spinet(*command)
            self.assertIn("its journal is missing", done.stdout + done.stderr)
        rate = lambda text: float(re.search(r"(?:\np .*|mean)\s([0-9.]+) Hz", text)[1])
        self.assertAlmostEqual(rate(shown), rate(done.stdout), delta=0.06)  # of the same spikes, in the same time
        (self.folder / "aside").rename(self.folder / "long.h5.journal")
        self.assertNotIn("missing", self.spinet("info", "--repair", "long.h5").stdout)
        self.assertGreater(len(spikes(self.folder / "long.h5")[2]), rows)

    def test_weights_after_a_kill(self):
        run = self.running("--checkpoint-wall", "500ms")
        time.sleep(3)
        run.kill()
        run.wait()
        self.spinet("info", "--repair", "long.h5")
        with h5py.File(self.folder / "long.h5") as f:
            frames, (first, end, step) = f["weights/all/data"].shape[0], f["weights/all/mapping/time"][()]
        self.assertGreater(frames, 0)
        self.assertEqual(end, first + frames * step)

    def test_the_older_checkpoint_is_named(self):
        self.spinet("run", "small.yaml", "-o", "out.h5", "--checkpoint-every", "100 ms", "--quiet")
        with h5py.File(self.folder / "out.ckpt.1.h5") as a, h5py.File(self.folder / "out.ckpt.2.h5") as b:
            first, second = int(a.attrs["at_ticks"]), int(b.attrs["at_ticks"])
        # As a resumption from the first leaves it that was killed soon.
        with h5py.File(self.folder / "out.h5", "a") as f:
            g = f["spinet"].attrs
            g.modify("reached_ticks", np.int64((first + second) // 2))
        self.refused("Next: spinet resume out.ckpt.1.h5", "resume", "out.ckpt.2.h5")
        self.spinet("resume", "out.ckpt.1.h5", "--quiet")

    def test_inputs_are_not_replaced(self):
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", "100 ms")
        os.link(self.folder / "small.yaml", self.folder / "same.yaml")
        (self.folder / "again.yaml").write_text(SMALL.replace("spikes.csv", "out.h5, population: p").replace("size: 3", "size: 20"))
        device = ["device", "spin_valve", "--pulses", "1 V 1 ms"]
        for command, output in [
            (["run", "small.yaml"], "small.yaml"), (["run", "small.yaml"], "same.yaml"), (["run", "small.yaml"], "spikes.csv"),
            (["run", "again.yaml"], "out.h5"), (["sweep", "small.yaml", "--trials", "2"], "small.yaml"),
            (["sweep", "small.yaml", "--trials", "2"], "spikes.csv"), (["sweep", "again.yaml", "--trials", "2"], "out.h5"),
            (["resume", "out.ckpt.1.h5"], "small.yaml"), (["resume", "out.ckpt.1.h5"], "spikes.csv"), (["resume", "out.ckpt.1.h5"], "out.ckpt.1.h5"),
            (["report", "out.h5"], "out.h5"), (["report", "out.h5"], "small.yaml"), (["report", "out.h5"], "spikes.csv"),
            (["export", "out.h5", "--to", "nwb"], "out.h5"), (["export", "out.h5", "--to", "nwb"], "small.yaml"), (["export", "out.h5", "--to", "nwb"], "spikes.csv"),
        ]:
            with self.subTest(command=command, output=output):
                self.refused(f"{output}: is ", *command, "-o", output, "--force")
        # What is no file of ours to replace: links, folders, devices.
        (self.folder / "folder").mkdir()
        (self.folder / "link.h5").symlink_to("out.h5")
        (self.folder / "dangling").symlink_to("nowhere")
        os.mkfifo(self.folder / "pipe")
        commands = [["run", "small.yaml"], ["sweep", "small.yaml", "--trials", "2"], ["resume", "out.ckpt.1.h5"], ["report", "out.h5"], ["export", "out.h5", "--to", "nwb"], device]
        for command in commands:
            for output, message in (("folder", "is a folder"), ("link.h5", "is "), ("dangling", "is a symbolic link"), ("pipe", "is not a regular file"),
                                    ("/dev/null", "is not a regular file")):
                with self.subTest(command=command, output=output):
                    self.refused(f"{output}: {message}", *command, "-o", output, "--force")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        self.assertTrue((self.folder / "dangling").is_symlink() and (self.folder / "folder").is_dir())
        # A table of an export is a file among others.
        (self.folder / "out_csv").mkdir()
        (self.folder / "out_csv/spikes_p.csv").symlink_to("../spikes.csv")
        self.refused("is ", "export", "out.h5", "--to", "csv", "--force")

    def others(self, *names):
        """Things of these names that are none of ours, one after the other: text, a link, a FIFO, a folder."""
        for name in names:
            path = self.folder / name
            for make in (lambda: path.write_text("mine"), lambda: path.symlink_to("spikes.csv"), lambda: path.symlink_to("nowhere"), lambda: os.mkfifo(path), path.mkdir):
                make()
                kind = stat.S_IFMT(os.lstat(path).st_mode)
                with self.subTest(name=name, kind=oct(kind)):
                    yield name
                    self.assertEqual(stat.S_IFMT(os.lstat(path).st_mode), kind)
                path.rmdir() if stat.S_ISDIR(kind) else path.unlink()

    def test_what_is_not_ours_beside_a_log(self):
        checkpointed = ["run", "small.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", "45 ms"]
        for name in self.others("out.ckpt.1.h5", "out.ckpt.5.h5", "out.h5.journal"):
            self.refused("is none; it is not replaced", *checkpointed, "--force")
        for name in self.others("out.h5.lock"):
            self.refused("is not a lock of spinet", *checkpointed, "--force")
        self.assertFalse((self.folder / "out.h5").exists())
        (self.folder / "out.ckpt.3.h5").write_text("mine")
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet")  # writes no checkpoints
        (self.folder / "out.ckpt.3.h5").unlink()
        self.spinet(*checkpointed, "--force")
        self.assertEqual(sorted(p.name for p in self.folder.glob("out.ckpt.*")), ["out.ckpt.5.h5", "out.ckpt.6.h5"])
        for name in self.others("out.h5.journal"):
            self.refused("is none; it is not replaced", "resume", "out.ckpt.6.h5")

    def test_what_is_not_ours_comes_later(self):
        run = self.running("--checkpoint-wall", "300ms")
        for _ in range(200):
            if (self.folder / "long.ckpt.1.h5").exists():
                break
            time.sleep(0.05)
        mine = self.folder / "long.ckpt.4.h5"
        mine.write_text("mine")
        for _ in range(200):
            if (self.folder / "long.ckpt.7.h5").exists():  # by then 4 would have been removed as too old
                break
            time.sleep(0.05)
        run.terminate()
        _, said = run.communicate(timeout=60)
        self.assertEqual(mine.read_text(), "mine")
        self.assertEqual(said.count("long.ckpt.4.h5: this checkpoint cannot be written and is dropped: there is something else of this name"), 1, said)
        self.assertTrue((self.folder / "long.ckpt.7.h5").exists() or (self.folder / "long.ckpt.8.h5").exists())

    def test_empty_options(self):
        for option in ("--checkpoint-every", "--checkpoint-wall", "--duration", "--seed", "-o"):
            self.refused("a value is missing", "run", "small.yaml", option, "")

    def test_checkpoints_of_two_logs(self):
        for name in ("rate.1", "rate.2", "rate", "rate.h5"):
            self.spinet("run", "small.yaml", "-o", name, "--quiet", "--checkpoint-every", "100 ms")
        for name in ("rate.1.ckpt.1", "rate.2.ckpt.1", "rate.ckpt.1", "rate.ckpt.1.h5"):
            self.assertTrue((self.folder / name).exists(), name)
            self.spinet("resume", name, "--quiet")

    def test_nothing_is_left_of_a_kill(self):
        for k in range(max(PAIRS, 8)):
            run = self.start("run", "small.yaml", "-o", "out.h5", "--quiet", "--force", "--checkpoint-every", "20 ms")
            time.sleep(0.01 * (k % 12))
            run.kill()
            run.communicate()
            if (self.folder / "out.h5").exists():
                self.spinet("info", "out.h5")
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet", "--force")
        self.assertEqual(self.litter(), [])

    def test_output_that_cannot_be_written(self):
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", "100 ms")
        with h5py.File(self.folder / "out.h5") as f:
            self.assertEqual(f["spinet"].attrs["status"], b"complete")
        for command in (["version"], ["--help"], ["run", "--help"], ["models"], ["models", "stdp"], ["graph", "small.yaml"], ["validate", "small.yaml"], ["info", "out.h5"],
                        ["view", "out.h5"], ["report", "out.h5"], ["export", "out.h5", "--to", "csv", "--force"], ["run", "small.yaml", "-o", "out.h5", "--force"],
                        ["run", "small.yaml", "--dry-run"], ["resume", "out.ckpt.1.h5"], ["sweep", "small.yaml", "--trials", "2", "-o", "sweep.h5"],
                        ["sweep", "--report", "sweep.h5"], ["device", "spin_valve", "--pulses", "1 V 1 ms"], ["init", "two_neurons"]):
            with self.subTest(command), open("/dev/full", "w") as full:
                done = subprocess.run([SPINET, *command], cwd=self.folder, text=True, stdout=full, stderr=subprocess.PIPE, timeout=60)
                self.assertEqual(done.returncode, 3, (command, done.stderr))
                self.assertRegex(done.stderr, "No space left on device|cannot be written")
        self.assertEqual(spikes(self.folder / "out.h5")[0], "complete")
        for more in ([], ["--json"]) if HAS_MPI else []:
            with self.subTest(more), open("/dev/full", "w") as full:
                done = subprocess.run([SPINET, "run", "small.yaml", "-n", "2", "-o", "two.h5", "--force", *more], cwd=self.folder, text=True, stdout=full,
                                      stderr=subprocess.PIPE, timeout=60)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn("the output cannot be written: No space left on device", done.stderr)
        if HAS_MPI:
            self.assertIn('"status":"complete"', self.spinet("run", "small.yaml", "-n", 2, "-o", "two.h5", "--force", "--json").stdout)
        # A closed output is one that cannot be written; no file of ours gets its number.
        done = subprocess.run(f"exec {SPINET} run small.yaml -o closed.h5 >&- 2>&-", shell=True, cwd=self.folder, timeout=60)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(spikes(self.folder / "closed.h5")[0], "complete")

    def with_room(self, room, *arguments):
        """The command, with files of at most so many bytes: a disk that fills, for who is not root."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        return subprocess.run([SPINET, *map(str, arguments)], cwd=self.folder, text=True, capture_output=True, timeout=120,
                              preexec_fn=limit, restore_signals=False)

    def test_files_that_cannot_be_written(self):
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet")
        self.spinet("sweep", "small.yaml", "--vary", "populations.p.params.I_dc=[400 pA, 500 pA]", "-o", "sweep.h5", "--quiet")
        device = ["device", "spin_valve", "--pulses", "500 x 2.5 V 5 ms, 500 x -2.35 V 5 ms", "-o", "d.h5"]
        for rooms, name, command in (((500, 4000, 40000, 100000), "d.h5", device),
                                     ((500, 4000), "out.nwb", ["export", "out.h5", "--to", "nwb"]), ((500,), "spikes_p.csv", ["export", "out.h5", "--to", "csv"]),
                                     ((500, 20000), "out.html", ["report", "out.h5"]), ((500,), "sweep.rate.p.svg", ["sweep", "--report", "sweep.h5", "--metric", "rate.p", "-o", "sweep.rate.p.svg"]),
                                     ((500,), "balanced.yaml", ["init", "balanced"]), ((500, 4000), "new.h5", ["sweep", "small.yaml", "--trials", 2, "-o", "new.h5"])):
            for room in rooms:
                with self.subTest(command, room=room):
                    done = self.with_room(room, *command)
                    self.assertEqual(done.returncode, 3, done.stderr)
                    self.assertRegex(done.stderr, rf"(?m)^.*{re.escape(name)}: .*File too large$")
                    self.assertNotIn("HDF5", done.stderr)
                    self.assertEqual(self.litter(), [])
                    self.assertEqual(list(self.folder.rglob(name)), [])

    def test_a_sweep_whose_table_cannot_be_written(self):
        command = ["sweep", "small.yaml", "--trials", 300, "-o", "sweep.h5", "--quiet"]
        self.spinet(*command)
        size = (self.folder / "sweep.h5").stat().st_size
        (self.folder / "sweep.h5").unlink()
        done = self.with_room(size - 1000, *command)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, r"^spinet: .*sweep.h5: .*File too large\n$")
        with h5py.File(self.folder / "sweep.h5") as f:  # as it was before the first run
            self.assertEqual(int(f["sweep"].attrs["done"]), 0)
        # Its rows are in the journals: nothing is left to run.
        again = self.spinet("sweep", "small.yaml", "--trials", 300, "-o", "sweep.h5")
        self.assertIn("is finished; nothing was left to run", again.stdout)
        with h5py.File(self.folder / "sweep.h5") as f:
            self.assertEqual(f["runs/run"].shape, (300,))
        self.assertEqual(self.litter(), [])

    def test_weights_before_their_first_frame(self):
        """As a run leaves them that is killed while it begins."""
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet")
        with h5py.File(self.folder / "out.h5", "r+") as f:
            f["weights/all/data"].resize(0, axis=0)
            for ids in ("source_node_id", "target_node_id"):
                f["weights/all/mapping"][ids].resize(0, axis=0)
        for command in (["info", "out.h5"], ["view", "out.h5"], ["report", "out.h5"], ["export", "out.h5", "--to", "csv"]):
            done = self.spinet(*command)
            self.assertNotIn("cannot be read", done.stdout + done.stderr, command)

    def test_a_log_that_is_being_read(self):
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet")
        before = (self.folder / "out.h5").read_bytes()
        with h5py.File(self.folder / "out.h5", "r"):
            for ranks in ([], ["-n", 2]) if HAS_MPI else ([],):
                self.refused("out.h5: is in use: another process reads it", "run", "small.yaml", "-o", "out.h5", "--force", *ranks)
        self.assertEqual((self.folder / "out.h5").read_bytes(), before)
        self.spinet("run", "small.yaml", "-o", "out.h5", "--force", "--quiet")

    def children(self, pid, step=0.1):
        """Of any of its threads; waits until there are some."""
        for _ in range(300):
            found = []
            for thread in os.listdir(f"/proc/{pid}/task"):
                try:
                    with open(f"/proc/{pid}/task/{thread}/children") as f:
                        found += [int(x) for x in f.read().split()]
                except OSError:
                    pass  # the thread has ended
            if found:
                return found
            time.sleep(step)
        self.fail(f"process {pid} has no children")

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_a_rank_killed_while_it_starts(self):
        for delay in (0, 0, 0.03, 0.06, 0.09, 0.12):
            run = self.start("run", "long.yaml", "-n", 2, "-o", "long.h5", "--quiet", "--force")
            self.addCleanup(run.communicate, timeout=60)
            self.addCleanup(run.kill)
            mpirun = self.children(run.pid, 0.001)[0]
            victim = self.children(mpirun, 0.001)[-1]
            time.sleep(delay)
            os.kill(victim, signal.SIGKILL)
            _, errors = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 3)
            self.assertIn("ended abnormally", errors)

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_mpirun_killed(self):
        for who in ("mpirun", "rank"):
            run = self.running("-n", 2)
            mpirun = self.children(run.pid)[0]
            victim = mpirun if who == "mpirun" else self.children(mpirun)[-1]
            os.kill(victim, signal.SIGKILL)
            _, errors = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 3)
            self.assertRegex(errors, "ended abnormally: (mpirun|a rank) was killed by signal 9 ")
            time.sleep(1)  # ranks without mpirun end
            self.spinet("info", "long.h5")

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_ranks_with_other_files(self):
        for name in "ab":
            (self.folder / name).mkdir()
        script = self.folder / "start"
        script.write_text(f'#!/bin/sh\n[ "$OMPI_COMM_WORLD_RANK" = 1 ] && cd b || cd a\nexec {SPINET} "$@" $(cat more)\n')
        script.chmod(0o755)

        def start(*arguments, yaml=SMALL, csv=CSV, more=""):
            for name, y, c, m in (("a", SMALL, CSV, ""), ("b", yaml, csv, more)):
                (self.folder / name / "net.yaml").write_text(y)
                (self.folder / name / "spikes.csv").write_text(c) if c else (self.folder / name / "spikes.csv").unlink()
                (self.folder / name / "more").write_text(m)
            return subprocess.run(["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2", script, *arguments], cwd=self.folder, text=True, capture_output=True,
                                  timeout=120)

        for arguments in (["run", "net.yaml", "-o", "../out.h5", "--quiet"], ["sweep", "net.yaml", "--trials", "2", "-o", "../out.h5", "--quiet"]):
            for other, message in (({"yaml": SMALL.replace("0.2 mV", "0.3 mV")}, "has another text of the network"), ({"csv": CSV.replace("250", "200")}, "has another data file spikes.csv"),
                                   ({"more": "--duration 200ms"}, "has another set of values given with options")):
                with self.subTest(arguments=arguments, other=other):
                    done = start(*arguments, **other)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertRegex(done.stderr, f"rank 1 on .* {message}")
                    self.assertEqual(done.stderr.count("would not run the same"), 1, done.stderr)
                    self.assertNotRegex(done.stderr, "[0-9a-f]{64}")
                    if "yaml" in other:
                        self.assertRegex(done.stderr, "another text of the network \\('(net.yaml|small)'")
                    self.assertFalse((self.folder / "out.h5").exists())
            done = start(*arguments, csv=None)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, "there is no file 'spikes.csv'(.|\n)*so it is for rank 1 on .*, but not for rank 0")
            done = start(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            (self.folder / "out.h5").unlink()

    def test_a_changed_data_file(self):
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", "100 ms")
        self.spinet("sweep", "small.yaml", "--trials", "2", "-o", "sweep.h5", "--quiet")
        right = spikes(self.folder / "out.h5")
        (self.folder / "spikes.csv").write_text(CSV.replace("250", "249"))
        self.refused("'data file spikes.csv' is not what it was when the run began", "resume", "out.ckpt.1.h5")
        if HAS_MPI:
            self.refused("is not what it was when the run began", "resume", "out.ckpt.1.h5", "-n", 2)
        self.refused("holds another sweep: other data files", "sweep", "small.yaml", "--trials", "2", "-o", "sweep.h5")
        (self.folder / "spikes.csv").write_text(CSV)
        self.spinet("resume", "out.ckpt.1.h5", "--quiet")
        for a, b in zip(spikes(self.folder / "out.h5"), right):
            np.testing.assert_array_equal(a, b)

    def test_what_cannot_be_read(self):
        (self.folder / "empty.h5").write_bytes(b"")
        (self.folder / "text.h5").write_text("text")
        (self.folder / "folder").mkdir()
        self.spinet("run", "small.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", "100 ms")
        whole = (self.folder / "out.ckpt.1.h5").read_bytes()
        (self.folder / "cut.h5").write_bytes(whole[:5000])
        os.mkfifo(self.folder / "pipe")
        for command in (["resume"], ["info"], ["report"], ["view"], ["sweep", "--report"]):
            for name, message in (("empty.h5", "is empty"), ("pipe", "is not a regular file"), ("text.h5", "is not an HDF5 file"), ("folder", "folder"), ("cut.h5", "truncated or damaged"),
                                  ("nowhere.h5", "no such file")):
                with self.subTest(command=command, name=name):
                    self.refused(message, *command, name)
        if os.geteuid() == 0:  # root reads everything; a process without its rights does not
            shutil.copy("/usr/bin/setpriv", self.folder) if os.path.exists("/usr/bin/setpriv") else self.skipTest("no setpriv")
            os.chmod(self.folder, 0o777)
            os.chmod(self.folder / "out.h5", 0)
            done = subprocess.run(["/usr/bin/setpriv", "--reuid", "65534", "--clear-groups", SPINET, "info", "out.h5"], cwd=self.folder, text=True, capture_output=True)
            if "spinet" in done.stderr or "out.h5" in done.stderr:
                self.assertIn("Permission denied", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
