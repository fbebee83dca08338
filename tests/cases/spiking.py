"""spinet train and run of spiking layers, from YAML to gradients, outputs and spikes, against numpy; recorded spikes.

spiking.py SPINET
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

SPINET = os.path.abspath(sys.argv[1])
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout
SPIKING = """spinet: 1
name: spikes
duration: 1 ms
parameters:
  code: rate
  surrogate: fast_sigmoid
  learned: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}
populations:
  image: {model: image_task, shape: [6, 6], params: {period: 200 ms, encoding: $code, steps: 7, step: 1 ms, surrogate: $surrogate, slope: 4}}
  h1: {model: lif_delta, shape: [2, 4, 4], params: {NEURON}, initial: {V: 1 mV}}
  h2: {model: lif_delta, shape: [5], params: {NEURON}, initial: {V: 1 mV}}
  out: {model: lif_delta, shape: [3], params: {NEURON}, initial: {V: 1 mV}}
projections:
  conv: {from: image, to: h1, connect: {convolution: {kernel: 3}}, synapse: $learned}
  in: {from: h1, to: h2, connect: dense, synapse: $learned}
  read: {from: h2, to: out, connect: dense, synapse: $learned}
  answers: {from: out, to: "image[0:3]", connect: one_to_one, synapse: {model: static, delay: 0.1 ms}}
training: {epochs: 1, batch: 12, rate: 1, optimiser: sgd}
"""
NEURON = "E_L: 1 mV, v_reset: 0.9 mV, v_th: 1.4 mV, tau_m: 5 ms, t_ref: 0 ms"
STEPS = 7


def encoded(code, pixels):
    """What comes in at each step, [step, image, pixel]."""
    level = np.floor(pixels.astype(float) * 65536 + 0.5).astype(int)
    steps = np.arange(STEPS)[:, None, None]
    if code == "rate":
        return ((level * (steps + 1) + 32768) // 65536 - (level * steps + 32768) // 65536).astype(float)
    if code == "latency":
        return ((np.minimum((65536 - level) * STEPS // 65536, STEPS - 1) == steps) & (level > 0)).astype(float)
    return np.repeat(pixels.astype(float)[None], STEPS, 0)


class SpikingNet:
    """The layers of SPIKING, step by step, each number beside its derivatives with respect to all weights."""

    def __init__(self, weights, kind, neuron, left):
        """neuron: leak, fade, gain, threshold, reset above rest, soft; left: of the answers of each step."""
        self.kind, self.neuron, self.left = kind, neuron, left
        count = sum(w.size for w in weights)
        self.layers, at = [], 0
        for w in weights:
            index = np.arange(at, at + w.size).reshape(w.shape)
            at += w.size
            if w.ndim == 4:  # each kernel laid over the image
                rows = np.full((w.shape[0], 4, 4, 6, 6), -1)
                for y in range(4):
                    for x in range(4):
                        rows[:, y, x, y:y + 3, x:x + 3] = index[:, 0]
                index = rows.reshape(-1, 36)
            used = index >= 0
            value = np.where(used, np.concatenate([v.ravel() for v in weights])[index], 0)
            d = np.zeros((*index.shape, count))
            d[used, index[used]] = 1
            self.layers.append((value, d))
        self.count, self.most = count, 0

    def surrogate(self, u):
        slope, (_, _, _, threshold, _, _) = 4, self.neuron
        v = slope * (u / threshold - 1)
        return (1 / (1 + abs(v)) ** 2 if self.kind == "fast_sigmoid" else 1 / (1 + v * v)) / threshold

    def image(self, frames, spiking_output):
        """Outputs, their derivatives, and the spikes of each layer, of an image given step by step."""
        leak, fade, gain, threshold, reset, soft = self.neuron
        zero = [(np.zeros(len(v)), np.zeros((len(v), self.count))) for v, _ in self.layers]
        current, left = list(zero), list(zero)
        out, d_out, spikes = np.zeros(3), np.zeros((3, self.count)), np.zeros(3)
        for x, share in zip(frames, self.left):
            dx = np.zeros((len(x), self.count))
            for i, (w, dw) in enumerate(self.layers):
                x, dx = w @ x, np.einsum("ijp,j->ip", dw, x) + w @ dx
                if i == len(self.layers) - 1 and not spiking_output:
                    break
                current[i] = fade * current[i][0] + x, fade * current[i][1] + dx
                u, du = (leak * a + gain * b for a, b in zip(left[i], current[i]))
                s = (u >= threshold).astype(float)
                if soft:  # what is left may be at the threshold still: another spike
                    s *= 1 + np.floor((u - threshold) / (threshold - reset))
                spikes[i] += s.sum()
                self.most = max(self.most, s.max())
                after = u - s * (threshold - reset) if soft else reset
                left[i] = np.where(s > 0, after, u), du if soft else du * (1 - s)[:, None]
                x, dx = s, du * self.surrogate(u)[:, None]
            out, d_out = out + share * x, d_out + share * dx
        return out, d_out, spikes

    def all(self, frames, labels, spiking_output):
        """Outputs and spikes of all images, and the gradient of the mean cross entropy."""
        gradient, outputs, spikes = np.zeros(self.count), [], []
        for n, label in enumerate(labels):
            out, d_out, fired = self.image(frames[:, n], spiking_output)
            p = np.exp(out) / np.exp(out).sum()
            p[label] -= 1
            gradient += p @ d_out / len(labels)
            outputs.append(out), spikes.append(fired)
        return np.array(outputs), np.array(spikes), gradient


def numbers(path):
    """All that does not depend on the machine: datasets and attributes, without wall times and command lines."""
    found = {}
    with h5py.File(path, "r") as f:
        def take(name, o):
            for key, value in o.attrs.items():
                if key not in ("seconds", "status"):
                    found[f"{name}@{key}"] = np.asarray(value).tobytes()
            if isinstance(o, h5py.Dataset) and name.split("/")[-1] not in ("seconds", "command_line"):
                found[name] = np.asarray(o[()]).tobytes()
        f.visititems(take)
    return found


class Spiking(unittest.TestCase):
    """From YAML to gradients, outputs and spikes, against numpy."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spinet-spiking-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "s.yaml").write_text(SPIKING.replace("NEURON", NEURON))
        random = np.random.default_rng(3)
        self.images = np.where(random.random((12, 6, 6)) < 0.6, random.random((12, 6, 6)), 0).astype("f4")
        self.images[0, 0, :4] = 0, 1, 0.5, 1e-6
        self.labels = (np.arange(12) % 3).astype("u1")
        for part in ("train", "test"):
            np.save(self.folder / f"{part}-images.npy", self.images)
            np.save(self.folder / f"{part}-labels.npy", self.labels)

    def spinet(self, *words, code=0):
        done = subprocess.run([SPINET, *map(str, words)], cwd=self.folder, text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr

    def train(self, *words, code=0):
        return self.spinet("train", "s.yaml", "--data", ".", "--no-report", "--quiet", *words, code=code)

    def weights(self, path, at=""):
        with h5py.File(self.folder / path) as f:
            return [f[f"{at}connections/{n}/weights"][:].astype(float) for n in ("conv", "in", "read")]

    def check(self, code, kind, soft, integrators, leaky, frames=None):
        sets = [f"parameters.code={code}", f"parameters.surrogate={kind}"]
        threshold = 0.2 if soft else {"latency": 0.1, "events": 0.2}.get(code, 0.4)  # a spike a pixel is little
        neuron = f"E_L: 1 mV, v_reset: 0.9 mV, v_th: {1 + threshold} mV, tau_m: 5 ms" + (", reset: soft" if soft else "")
        neuron += ", tau_syn: 3 ms, R: 20 MOhm" if integrators else ", t_ref: 0 ms"
        (self.folder / "s.yaml").write_text(SPIKING.replace("NEURON", neuron))
        if integrators:
            sets.append("parameters.learned={model: static, port: charge, weight: {fan_in: uniform}, delay: 0.1 ms}")
            sets += [f"populations.{p}.model=integrator" for p in ("h1", "h2")]
        if leaky:
            sets += ["populations.image.params={period: 200 ms, encoding: $code, steps: 7, step: 1 ms, onset: 190 ms, tau_out: 4 ms, surrogate: $surrogate, slope: 4}",
                     "populations.out={model: linear, shape: [3]}",
                     "projections.read.synapse={model: static, weight: {fan_in: uniform}, delay: 0.1 ms}"]
        elif integrators:
            sets.append("populations.out.model=integrator")
        words = [w for s in sets for w in ("--set", s)]
        self.train("-o", "begin.h5", "--force", "--rate", 1e-12, *words)
        self.train("-o", "end.h5", "--force", *words)
        leak, fade, gain = np.exp(-1 / 5), 0, 1
        if integrators:  # what 1 pC makes of V in a step: 4 mV low-passed with 3 ms, on a membrane of 5 ms
            fade, gain = np.exp(-1 / 3), 1000 * 0.02 / (5 - 3) * (np.exp(-1 / 5) - np.exp(-1 / 3))
        # An answer comes 0.4 ms after its pixels, and is read 0.1 ms before the next image.
        left = np.exp(-(200 - 0.1 - 190 - 0.4 - np.arange(STEPS)) / 4) if leaky else np.ones(STEPS)
        begin = self.weights("begin.h5", "last/")
        net = SpikingNet(begin, kind, (leak, fade, gain, threshold, -0.1, soft), left)
        frames = encoded(code, self.images.reshape(12, 36)) if frames is None else frames
        outputs, spikes, gradient = net.all(frames, self.labels, not leaky)
        self.most = net.most
        self.assertGreater(spikes[:, :2].sum(0).min(), 5)
        made = np.concatenate([(a - b).ravel() for a, b in zip(begin, self.weights("end.h5", "last/"))])
        np.testing.assert_allclose(made, gradient, atol=3e-6 * abs(gradient).max() + 2e-7)
        self.assertGreater(np.count_nonzero(abs(gradient) > 1e-4), 20)
        self.spinet("run", "s.yaml", "--weights", "begin.h5", "--data", ".", "-o", "run.h5", "--force", *words)
        with h5py.File(self.folder / "run.h5") as log:
            got = log["images/outputs"][:]
            fired = np.stack([log[f"images/spikes/{p}"][:] for p in ("h1", "h2", "out")], 1)
        return got, fired, outputs, spikes

    def test_gradients_and_events_are_those_of_numpy(self):
        # Impulses act at once: spikes lie on the grid, so that events are what the steps are.  With a soft reset what
        # is left may be above the threshold still; then the next spike comes with the next tick, of the same step.
        for case in (("rate", "fast_sigmoid", False, False, False), ("latency", "arctan", False, False, True),
                     ("current", "arctan", True, False, False)):
            with self.subTest(case):
                got, fired, outputs, spikes = self.check(*case)
                if case[2]:
                    self.assertGreater(self.most, 1)  # some spike more than once a step
                np.testing.assert_allclose(got, outputs, atol=1e-5)
                layers = 2 if case[-1] else 3
                np.testing.assert_array_equal(fired[:, :layers], spikes[:, :layers])

    def test_low_passed_neurons(self):
        # Spikes lie between steps: gradients are those of the steps, events are near them.
        self.check("current", "arctan", False, True, True)

    def test_the_same_on_ranks_and_after_a_stop(self):
        words = ["--epochs", 6, "--batch", 5, "--set", "training.optimiser=adam", "--rate", 1e-2]
        self.train("-o", "whole.h5", *words)
        self.train("-o", "parts.h5", "--epochs", 2, *words[2:])
        self.train("-o", "parts.h5", *words, "--resume")
        a = numbers(self.folder / "whole.h5")
        for path in ["parts.h5"] + (["two.h5"] if HAS_MPI else []):
            if path == "two.h5":
                self.train("-o", path, *words, "-n", 2)
            b = numbers(self.folder / path)
            self.assertEqual([k for k in a if a[k] != b.get(k)], [])

    def test_killed_within_an_epoch(self):
        words = ["--epochs", 3, "--batch", 1, "--set", "training.optimiser=adam", "--rate", 1e-2]
        for part in ("train", "test"):
            np.save(self.folder / f"{part}-images.npy", np.concatenate([self.images] * 200))
            np.save(self.folder / f"{part}-labels.npy", np.concatenate([self.labels] * 200))
        self.train("-o", "whole.h5", *words)
        arguments = [SPINET, "train", "s.yaml", "--data", ".", "--no-report", "--resume", "-o", "killed.h5", *map(str, words)]
        within = []
        for signal_number in (signal.SIGINT, signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
            run = subprocess.Popen(arguments, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for line in run.stderr:  # said as the first batch of a process begins, and after each epoch
                if "to train on" in line:
                    break
            time.sleep(0.05)
            run.send_signal(signal_number)
            run.communicate()
            with h5py.File(self.folder / "killed.h5") as f:
                within.append(int(f["training/state"].attrs.get("batches", 0)))
        self.assertTrue(any(0 < n < 2400 for n in within), within)
        self.train("-o", "killed.h5", *words, "--resume")
        a, b = numbers(self.folder / "whole.h5"), numbers(self.folder / "killed.h5")
        self.assertEqual([k for k in a if a[k] != b.get(k)], [])

    def recordings(self, between):
        """Spikes of 12 samples, those of all neurons on the steps or `between` them; counts [step, sample, neuron]."""
        random = np.random.default_rng(5)
        counts = np.zeros((STEPS, 12, 36))
        for part in ("train", "test"):
            (self.folder / f"{part}-images.npy").unlink(missing_ok=True)
            (self.folder / f"{part}-labels.npy").unlink(missing_ok=True)
        (self.folder / "spikes").mkdir(exist_ok=True)
        names = []
        for n in range(12):
            neurons = random.integers(0, 36, 40 if n else 0)
            steps = random.integers(0, STEPS, len(neurons))
            times = steps + (random.random(len(neurons)) if between else 0)
            np.add.at(counts, (steps, n, neurons), 1)
            names.append(f"spikes/{n}" + (".h5" if n == 1 else ".csv"))
            if n == 1:
                with h5py.File(self.folder / names[n], "w") as f:
                    order = np.argsort(times, kind="stable")
                    f["spikes/some/timestamps"], f["spikes/some/node_ids"] = times[order], neurons[order].astype("u8")
                    f["spikes/some/timestamps"].attrs["units"] = "ms"
            elif n == 2:
                rows = [f"{float(t) / 1000!r}, {i}" for t, i in zip(times, neurons)]
                (self.folder / names[n]).write_text("# in seconds\ntime [s],neuron\n" + "\n".join(rows))
            else:
                begin = "neuron,time\n" if n == 0 else "\ufeff" if n == 3 else ""  # silence; a byte order mark
                (self.folder / names[n]).write_text(begin + "".join(f"{i},{float(t)!r}\r\n" for t, i in zip(times, neurons)))
        table = "file,label\n" + "".join(f"{name},{n % 3}\n" for n, name in enumerate(names))
        for part in ("train", "test"):
            (self.folder / f"{part}.csv").write_text(table)
        return counts

    def test_recorded_spikes(self):
        counts = self.recordings(between=False)
        got, fired, outputs, spikes = self.check("events", "arctan", False, False, False, counts)
        np.testing.assert_allclose(got, outputs, atol=1e-5)
        np.testing.assert_array_equal(fired, spikes)
        self.check("events", "fast_sigmoid", False, False, True, self.recordings(between=True))

    def test_recordings_that_are_refused(self):
        self.recordings(between=False)
        table, sample = self.folder / "train.csv", self.folder / "spikes" / "0.csv"
        events = ("--set", "parameters.code=events")

        def refused(says, *words):
            self.assertIn(says, self.train("-o", "no.h5", *words, code=2))

        refused("these are recorded spikes, and the input encodes pixels; encoding: events")
        for text, says in (("3,1.5\n\n36,2\n", "spikes/0.csv, line 3: a recorded spike is of neuron 36, the input has 36 neurons"),
                           ("neuron,time\n3,7\n", "spikes/0.csv, line 2: a spike is at 7 ms, and 7 steps of 1 ms end at 7 ms"),
                           ("", "0.csv: is empty; a sample without spikes is a file with the line 'neuron,time' alone"),
                           ("# none\n", "0.csv: is empty"),
                           ("3,1\nx,2\n", "0.csv: line 2: 'x' is no number; neuron is expected"),
                           ("3,nan\n", "0.csv: line 1: 'nan' is no number; time is expected"),
                           ("3,-1\n", "0.csv: line 1: a spike -1 ms after the sample's begin"),
                           ("1.5,1\n", "0.csv: line 1: there is no neuron 1.5"), ("3\n", "two columns are expected, neuron and time"),
                           ("neuron,time [V]\n", "'V' is no unit of time; s, ms, us and ns are"), ("3,\0", "0.csv: is no text")):
            with self.subTest(text):
                sample.write_text(text)
                refused(says, *events)
        sample.write_text("neuron,time\n")
        for text, says in (("spikes/0.csv,3\n", "train.csv: line 1: label 3; there are 3 classes, counted from 0"),
                           ("spikes/none.csv,0\n", "none.csv: there is no such file"), ("spikes,0\n", "spikes: is no file"),
                           ("../train.csv,0\n", "'../train.csv' leaves the folder of the table"),
                           ("/etc/passwd,0\n", "'/etc/passwd' leaves the folder of the table"),
                           ("file,label\n", "train.csv: lists no samples"), (",1\n", "a file is expected before the comma")):
            with self.subTest(text):
                table.write_text(text)
                refused(says, *events)
        (self.folder / "spikes" / "bad.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
        table.write_text("spikes/bad.h5,0\n")
        refused("bad.h5", *events)
        np.save(self.folder / "train-images.npy", self.images)
        refused("has training images twice", *events)

    def test_pixels_that_are_no_rates(self):
        # numpy: where(pixels clipped to 0..1 != pixels); other encodings take any number.
        images = self.images.astype("f4") / 255
        images[3, 0, 1] = 1.25
        first = np.argwhere(np.clip(images, 0, 1) != images)[0]
        for part in ("train", "test"):
            (self.folder / f"{part}.csv").unlink(missing_ok=True)
            np.save(self.folder / f"{part}-images.npy", images)
            np.save(self.folder / f"{part}-labels.npy", self.labels)
        for code in ("rate", "latency"):
            said = self.train("-o", "no.h5", "--set", f"parameters.code={code}", code=2)
            self.assertIn(f"pixel {first[1] * images.shape[2] + first[2]} of image {first[0]} is 1.25, and encoding: {code} takes pixels from 0 to 1", said)
        self.train("-o", "current.h5", "--set", "parameters.code=current", "--epochs", 1)

    def test_digits(self):
        # networks/spiking_digits on the small sample: its README has 20 epochs.
        folder = pathlib.Path(__file__).resolve().parents[2] / "networks"
        network, data = folder / "spiking_digits" / "digits.yaml", folder / "fashion_mnist" / "sample"
        self.spinet("train", network, "--data", data, "-o", "digits.h5", "--epochs", 3, "--no-report", "--quiet")
        self.spinet("run", network, "--weights", "digits.h5", "--data", data, "-o", "run.h5")
        with h5py.File(self.folder / "digits.h5") as f:
            confusion = f["training/test/confusion"][:]
        with h5py.File(self.folder / "run.h5") as log:
            predicted, labels = log["images/predicted"][:], log["images/labels"][:]
        self.assertGreater(np.trace(confusion), 120)
        events = np.zeros((10, 10), int)
        np.add.at(events, (labels, predicted), 1)
        np.testing.assert_array_equal(events, confusion)

    def test_what_no_layer_can_be(self):
        for change, says in (
                ("populations.image.params.encoding=graded", "'h1' spikes, and 'image' shows graded images; encoding: rate, latency, current or events"),
                ("populations.image.params.period=50 ms", "'h1' is not at rest again when the next image begins: 44 ms lie between, 80 are 16 of its time constants"),
                ("populations.h2.initial.V=0 mV", "'h2' does not begin at rest, as training does; initial: {V: 1 mV}"),
                ("populations.h2.params={t_ref: 2 ms}", "'h2' is refractory, which training does not reckon with; t_ref: 0 ms"),
                ("projections.in.normalise=batch", "'in' normalises, which makes biases, and layers of images that come in steps have none"),
                ("populations.image.params.step=40 ms", "onset, (steps - 1) * step and latency together must be shorter than period"),
                ("parameters.surrogate=sigmoid", "sigmoid"),
                ("populations.h1.shape=[2, 5, 4]", "h1")):
            with self.subTest(change):
                self.assertIn(says, self.train("-o", "no.h5", "--set", change, code=2))
        self.assertFalse((self.folder / "no.h5").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
