"""spinet run --data: images event by event, against numpy; what the log has of them; what is refused.

images.py SPINET NETWORKS [unittest arguments]

With SPINET_DATA=DIR that has fashion-mnist, its first test images are shown, too.
"""
import gzip
import hashlib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

SPINET, NETWORKS = (os.path.abspath(a) for a in (sys.argv.pop(1), sys.argv.pop(1)))
SAMPLE = os.path.join(NETWORKS, "fashion_mnist", "sample")
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout

NETWORK = """spinet: 1
name: small
duration: 1 ms
delay_resolution: 0.1 ms
populations:
  image: {model: image_task, shape: [2, 28, 28]}
  c1: {model: relu, shape: [3, 12, 12], params: {bias: {fan_in: uniform}}}
  p1: {model: linear, shape: [3, 6, 6]}
  out: {model: linear, shape: [10], params: {bias: {fan_in: uniform}}}
projections:
  conv: {from: image, to: c1, connect: {convolution: {kernel: 5, stride: 2}}, normalise: batch,
         synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  pool: {from: c1, to: p1, connect: {pool: {kind: average, size: 2}}, synapse: {model: static, delay: 0.1 ms}}
  read: {from: p1, to: out, connect: dense, normalise: batch,
         synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  answers: {from: out, to: "image[0:10]", connect: one_to_one, synapse: {model: static, weight: 1, delay: 0.1 ms}}
record: {spikes: [out]}
"""
# A device at each crossing of pixels and outputs, half way up the logarithm of its conductance.
DEVICES = """spinet: 1
name: small
duration: 1 ms
parameters: {counts: 1}
populations:
  image: {model: image_task, shape: [1, 28, 28]}
  out: {model: linear, shape: [10]}
projections:
  devices: {from: image, to: out, connect: all_to_all,
            synapse: {model: spin_valve, u: 0.5, w_max: 1, energy: $counts, read_voltage: 0.2 V, read_width: 3 ms, delay: 0.1 ms}}
  answers: {from: out, to: "image[0:10]", connect: one_to_one, synapse: {model: static, weight: 1, delay: 0.1 ms}}
record:
  weights: [{projection: devices, variable: u, every: 1 ms}]
"""
MEASURED = """spinet: 1
name: small
duration: 1 ms
populations:
  image: {model: image_task, shape: [1, 28, 28]}
  e: {model: em_activation, shape: [12], params: {bias: {fan_in: uniform}, gain: 2}, curves: {file: measured.csv, taus: [3, 40]}}
  out: {model: linear, shape: [10], params: {bias: {fan_in: uniform}}}
projections:
  hear: {from: image, to: e, connect: dense, synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  read: {from: e, to: out, connect: dense, synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  answers: {from: out, to: "image[0:10]", connect: one_to_one, synapse: {model: static, weight: 1, delay: 0.1 ms}}
training: {epochs: 2, rate: 1e-2}
"""
# What a model must agree with: engine/log/FORMAT.md.
PARTS = ["layer image: 2 x 28 x 28, linear", "layer c1: 3 x 12 x 12, relu, 3 biases", "layer p1: 3 x 6 x 6, linear",
         "layer out: 10, linear, 10 biases",
         "connection conv: image (2 x 28 x 28) -> c1 (3 x 12 x 12), convolution 5 x 5, stride 2 x 2, normalised",
         "connection pool: c1 (3 x 12 x 12) -> p1 (3 x 6 x 6), average pool 2 x 2, stride 2 x 2",
         "connection read: p1 (3 x 6 x 6) -> out (10), dense, normalised"]
EPSILON = 1e-5


def idx(path):
    data = gzip.open(path).read()
    dimensions = data[3]
    shape = struct.unpack(">" + "I" * dimensions, data[4:4 + 4 * dimensions])
    return np.frombuffer(data[4 + 4 * dimensions:], np.uint8).reshape(shape)


def trained(seed=7):
    """Numbers as training might leave them."""
    rng = np.random.default_rng(seed)
    f = np.float32
    return {"layers/c1/bias": rng.normal(0, .3, 3).astype(f), "layers/out/bias": rng.normal(0, .3, 10).astype(f),
            "connections/conv/weights": rng.normal(0, .4, (3, 2, 5, 5)).astype(f),
            "connections/conv/scale": rng.normal(1, .2, 2).astype(f), "connections/conv/shift": rng.normal(0, .2, 2).astype(f),
            "connections/conv/mean": rng.normal(.3, .1, 2).astype(f), "connections/conv/variance": rng.uniform(.1, 2, 2).astype(f),
            "connections/read/weights": rng.normal(0, .2, (10, 108)).astype(f),
            "connections/read/scale": rng.normal(1, .2, 108).astype(f), "connections/read/shift": rng.normal(0, .2, 108).astype(f),
            "connections/read/mean": rng.normal(.5, .2, 108).astype(f), "connections/read/variance": rng.uniform(.1, 2, 108).astype(f)}


def write_model(path, numbers, parts=PARTS):
    with h5py.File(path, "w") as f:
        g = f.create_group("model")
        g.attrs["model"], g.attrs["format_version"] = np.uint32(0x4C4D5053), np.uint32(1)
        g.attrs["digest"] = np.bytes_(hashlib.sha256("".join(p + "\n" for p in parts).encode()).hexdigest())
        g["parts"] = np.array([p.encode() for p in parts])
        for name, values in numbers.items():
            f[name] = values


def forward(m, images):
    """What every layer answers, in double."""
    m = {k: v.astype(float) for k, v in m.items()}

    def norm(x, c, axes):
        shape = [1, -1] + [1] * axes
        one = [m[f"connections/{c}/{k}"].reshape(shape) for k in ("scale", "shift", "mean", "variance")]
        return one[0] * (x - one[2]) / np.sqrt(one[3] + EPSILON) + one[1]

    x = np.repeat((images.astype(np.float32) / np.float32(255)).astype(float)[:, None], 2, 1)
    y = norm(x, "conv", 2)
    w = m["connections/conv/weights"]
    c1 = np.zeros((len(x), 3, 12, 12)) + m["layers/c1/bias"][None, :, None, None]
    for i in range(5):
        for j in range(5):
            c1 += np.einsum("nchw,oc->nohw", y[:, :, i:i + 23:2, j:j + 23:2], w[:, :, i, j])
    c1 = np.maximum(c1, 0)
    p1 = c1.reshape(len(x), 3, 6, 2, 6, 2).mean((3, 5))
    out = norm(p1.reshape(len(x), -1), "read", 0) @ m["connections/read/weights"].T + m["layers/out/bias"]
    return {"image": x, "c1": c1, "p1": p1, "out": out}


def fan_outs():
    """How many synapses an answer of each neuron arrives at."""
    seen = np.array([sum(0 <= y - i and (y - i) % 2 == 0 and (y - i) // 2 < 12 for i in range(5)) for y in range(28)])
    return {"image": np.broadcast_to(3 * np.outer(seen, seen), (2, 28, 28)), "c1": np.ones((3, 12, 12), int),
            "p1": np.full((3, 6, 6), 10), "out": np.ones(10, int)}


class Images(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-images-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "small.yaml").write_text(NETWORK)
        self.model = trained()
        write_model(self.folder / "m.h5", self.model)

    def spinet(self, *words, command="run"):
        file = "small.yaml" if command in ("run", "validate") else "small.h5"
        return subprocess.run([SPINET, command, file, *map(str, words)], cwd=self.folder, text=True,
                              capture_output=True, timeout=120)

    def fine(self, *words):
        r = self.spinet(*words)
        self.assertEqual(r.returncode, 0, r.stderr)
        return r.stdout

    def refused(self, why, *words):
        r = self.spinet(*words)
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertIn(why, r.stderr)
        self.assertFalse((self.folder / "small.h5").exists())

    def check_log(self, images, labels, numbers):
        """Everything in the log against numpy."""
        answers, fan_out = forward(self.model, images), fan_outs()
        with h5py.File(self.folder / "small.h5") as log:
            g = log["images"]
            self.assertEqual(g.attrs["population"], b"image")
            self.assertEqual(g.attrs["weights"], b"m.h5")
            np.testing.assert_array_equal(g["numbers"][:], numbers)
            np.testing.assert_array_equal(g["labels"][:], labels)
            np.testing.assert_allclose(g["outputs"][:], answers["out"], atol=1e-5)
            np.testing.assert_array_equal(g["predicted"][:], answers["out"].argmax(1))
            np.testing.assert_array_equal(g["right"][:], g["predicted"][:] == labels)
            self.assertEqual(g.attrs["accuracy"], g["right"][:].mean())
            confusion = np.zeros((10, 10), int)
            np.add.at(confusion, (labels, g["predicted"][:]), 1)
            np.testing.assert_array_equal(g["confusion"][:], confusion)
            self.assertEqual(g.attrs["without_energy"], b"no projection has devices that say what they spend")
            self.assertNotIn("energy", g)
            events = 0
            for layer, y in answers.items():
                on = y != 0
                np.testing.assert_array_equal(g["spikes"][layer][:], on.reshape(len(on), -1).sum(1))
                each = (on * fan_out[layer]).reshape(len(on), -1).sum(1)
                np.testing.assert_array_equal(g["events"][layer][:], each)
                events += each.sum()
            self.assertEqual(log["spinet/statistics"].attrs["deliveries"], events)
            # As for any other run: what the network records, and the environment's metrics.
            self.assertEqual(len(log["spikes/out/node_ids"]), np.count_nonzero(answers["out"]))
            self.assertEqual(list(log["spikes"]), ["out"])
            self.assertNotIn("report", log)
            metrics = log["metrics/image"]
            np.testing.assert_array_equal(metrics["label"][:], labels)
            np.testing.assert_array_equal(metrics["predicted"][:], g["predicted"][:])
            np.testing.assert_array_equal(metrics["right"][:], g["predicted"][:] == labels)
            return {k: g[k][:] for k in ("outputs", "predicted")}, (g["predicted"][:] == labels).mean()

    def test_the_sample_is_what_numpy_computes(self):
        images, labels = (idx(os.path.join(SAMPLE, f"t10k-{k}-ubyte.gz")) for k in ("images-idx3", "labels-idx1"))
        text = self.fine("--data", SAMPLE, "--weights", "m.h5")
        first, accuracy = self.check_log(images, labels, np.arange(200))
        self.assertIn(f"accuracy {100 * accuracy:.2f} %: {round(200 * accuracy)} of 200 test images", text)
        self.assertIn("Next: spinet report small.h5", text)
        self.assertIn("energy: no projection has devices that say what they spend\n", text)
        self.check_what_is_shown(text)
        for words in [["-n", 3]] * HAS_MPI + [["--set", "block=4"]]:
            self.fine("--data", SAMPLE, "--weights", "m.h5", "--force", *words)
            again, _ = self.check_log(images, labels, np.arange(200))
            for k in first:
                np.testing.assert_array_equal(first[k], again[k])

    def check_what_is_shown(self, text):
        """`info` says of the log what the run said; the report has it, too."""
        said = self.spinet(command="info").stdout
        for line in text[text.index("an image"):text.index("accuracy")].splitlines():
            self.assertIn(line, said)
        data = json.loads(self.spinet("--json", command="info").stdout)["images"]
        self.assertEqual(self.spinet("--force", "--figures", "figures", "-o", "small.html", command="report").returncode, 0)
        page = (self.folder / "small.html").read_text()
        self.assertEqual(json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])["images"], data)
        self.assertIn("Labels and answers", (self.folder / "figures/confusion.svg").read_text())
        with h5py.File(self.folder / "small.h5") as log:
            g = log["images"]
            self.assertEqual(data["confusion"], g["confusion"][:].ravel().tolist())
            self.assertEqual(data["accuracy"], g.attrs["accuracy"])
            self.assertEqual([layer["name"] for layer in data["layers"]], ["image", "c1", "p1", "out"])
            for layer in data["layers"]:
                self.assertAlmostEqual(layer["events"], g["events"][layer["name"]][:].mean(), delta=1e-6 * layer["events"])

    def test_energy_of_devices(self):
        (self.folder / "small.yaml").write_text(DEVICES)
        images = idx(os.path.join(SAMPLE, "t10k-images-idx3-ubyte.gz"))[4:9]
        read = np.sqrt(0.64 * 89) * 1e-6 * 0.2**2 * 3e-3 * 1e9  # nJ: G V^2 t
        wanted = 10 * read * np.count_nonzero(images.reshape(5, -1), 1)
        for words in [[]] + [["-n", 3]] * HAS_MPI:
            text = self.fine("--data", SAMPLE, "--images", "4..8", "--force", *words)
            with h5py.File(self.folder / "small.h5") as log:
                np.testing.assert_allclose(log["images/energy/devices"][:], wanted, rtol=1e-5)
                self.assertEqual(log["images"].attrs["without_energy"], b"")
                self.assertEqual(list(log["weights"]), ["devices.u"])  # what the network records, and no more
                self.assertEqual(log["weights/devices.u/data"].shape, (6, 7840))
            self.assertIn(f"energy of devices an image: {wanted.mean() / 1000:.4g} uJ (devices {wanted.mean() / 1000:.4g} uJ)", text)
        self.assertIn("energy of devices an image:", self.spinet(command="info").stdout)
        text = self.fine("--data", SAMPLE, "--images", "4", "--force", "--set", "parameters.counts=0")
        self.assertIn("energy: not counted: `energy: 1` among the parameters of devices (spin_valve) has it counted", text)

    def test_measured_curves(self):
        """Three measured devices: fitted, trained with, and run, against numpy's fit and sums."""
        rng, taus = np.random.default_rng(11), np.array([3, 40])
        pulses = np.array([0, 1, 2, 3, 5, 8, 12, 17, 23, 30, 40, 50, 64])
        curves = 40 + rng.normal(0, 5, (3, 1)) + rng.normal(0, 9, (3, 2)) @ np.exp(-pulses / taus[:, None]) + rng.normal(0, .3, (3, 13))
        np.savetxt(self.folder / "measured.csv", np.column_stack([pulses, curves.T]), delimiter=",", header="pulses,a,b,c", comments="", fmt="%.17g")
        (self.folder / "small.yaml").write_text(MEASURED)
        r = subprocess.run([SPINET, "train", "small.yaml", "--data", SAMPLE, "-o", "m.h5", "--force", "--no-report"], cwd=self.folder, text=True, capture_output=True, timeout=120)
        self.assertEqual(r.returncode, 0, r.stderr)
        self.fine("--data", SAMPLE, "--weights", "m.h5")
        fits = np.linalg.lstsq(np.column_stack([np.ones(13), np.exp(-pulses[:, None] / taus)]), curves.T, rcond=None)[0][1:] / np.ptp(curves)
        with h5py.File(self.folder / "m.h5") as f:
            m = {k: f[k][:].astype(float) for k in ("layers/e/bias", "layers/e/read_out", "layers/out/bias", "connections/hear/weights", "connections/read/weights")}
        x = idx(os.path.join(SAMPLE, "t10k-images-idx3-ubyte.gz")).reshape(200, -1) / 255 @ m["connections/hear/weights"].T + m["layers/e/bias"]
        states = (np.exp(-2 * x[..., None] / taus) - 1) @ fits
        y = states @ m["layers/e/read_out"][:3] + m["layers/e/read_out"][3]
        with h5py.File(self.folder / "small.h5") as log:
            np.testing.assert_allclose(log["images/outputs"][:], y @ m["connections/read/weights"].T + m["layers/out/bias"], atol=1e-4)

    def test_headers_of_measured_curves(self):
        (self.folder / "small.yaml").write_text(MEASURED)
        rows = "0,1,2\n1,2,3\n2,3,5\n3,3,5.5\n"
        for text in ("\ufeff# measured\r\npulses,a,b\r\n" + rows, '"a",pulses,"b, of Tuesday"\n' + rows, "pulses,a [Ohm],b [kOhm]\r" + rows.replace("\n", "\r")):
            (self.folder / "measured.csv").write_bytes(text.encode())
            r = self.spinet(command="validate")
            self.assertEqual(r.returncode, 0, r.stderr)
        for text, says in (("", "'measured.csv' is empty"), ("Pulses,a\n" + rows, "'measured.csv' has no column 'pulses'"), ("pulses;a\n" + rows, "has no column 'pulses'"),
                           ("pulses\n1\n2\n3\n", "has no curve beside 'pulses'"), ("pulses,a,\n" + rows, "has no name for its column 3"),
                           ("pulses," + ",".join(map(str, range(2000))) + "\n", "has 2000 curves, and at most 1024 can be read out"), ("pulses,a,a\n" + rows, "column 'a' is there twice")):
            (self.folder / "measured.csv").write_text(text)
            self.assertIn(says, self.spinet(command="validate").stderr)

    def test_tables_of_a_run(self):
        self.fine("--data", SAMPLE, "--weights", "m.h5", "--images", "3..7")
        r = subprocess.run([SPINET, "export", "small.h5", "--to", "csv", "--force"], cwd=self.folder, text=True, capture_output=True)
        self.assertEqual(r.returncode, 0, r.stderr)
        table = np.genfromtxt(self.folder / "small_csv" / "images_image.csv", delimiter=",", names=True)
        with h5py.File(self.folder / "small.h5") as log:
            g = log["images"]
            np.testing.assert_array_equal(table["image"], g["numbers"][:])
            for name in ("predicted", "right"):
                np.testing.assert_array_equal(table[name], g[name][:])
            np.testing.assert_array_equal(table["label"], g["labels"][:])
            np.testing.assert_array_equal(np.stack([table[f"output_{c}"] for c in range(10)], 1).astype("f4"), g["outputs"][:])
            for layer in g["spikes"]:
                np.testing.assert_array_equal(table[f"spikes_{layer}"], g[f"spikes/{layer}"][:])
                np.testing.assert_array_equal(table[f"events_{layer}"], g[f"events/{layer}"][:])

    def test_some_images_of_other_files(self):
        rng = np.random.default_rng(3)
        images = rng.integers(0, 256, (9, 28, 28)).astype(np.uint8) * (rng.random((9, 28, 28)) < 0.2).astype(np.uint8)
        labels = np.arange(9)
        np.save(self.folder / "test-images.npy", images)
        np.save(self.folder / "test-labels.npy", labels)
        with h5py.File(self.folder / "train.h5", "w") as f:
            f["images"], f["labels"] = (images / np.float32(255)).astype(np.float32), labels
        self.fine("--data", ".", "--weights", "m.h5", "--images", "3..7")
        self.check_log(images[3:8], labels[3:8], np.arange(3, 8))
        self.fine("--data", ".", "--weights", "m.h5", "--images", "8", "--part", "train", "--force")
        self.check_log(images[8:], labels[8:], [8])

    def test_without_a_model_it_says_so(self):
        self.assertIn("with initial weights", self.fine("--data", SAMPLE, "--images", "0..1"))

    def test_what_is_refused(self):
        data = ["--data", SAMPLE]
        self.refused("image shows images: --data DIR says where they are")
        self.refused("there is no such folder", "--data", "nowhere")
        self.refused("has no test images", "--data", ".")
        self.refused("--images 0..200: there are 200 images, 0 to 199", *data, "--images", "0..200")
        self.refused("--images 7..3: the last is before the first", *data, "--images", "7..3")
        self.refused("--images 1-3: one number or the first and the last", *data, "--images", "1-3")
        self.refused("m2.h5: there is no such file", *data, "--weights", "m2.h5")
        write_model(self.folder / "m2.h5", self.model, [p.replace("12 x 12", "13 x 13") for p in PARTS])
        self.refused("is a model of another network: layer c1 is 3 x 13 x 13", *data, "--weights", "m2.h5")
        (self.folder / "m2.h5").write_bytes(b"nothing")
        self.refused("m2.h5: ", *data, "--weights", "m2.h5")
        self.refused("a run that shows images keeps no checkpoints", *data, "--checkpoint-every", "1 ms")
        self.refused("--weights requires --data", "--weights", "m.h5")
        np.save(self.folder / "test-images.npy", np.zeros((3, 28, 27), np.uint8))
        np.save(self.folder / "test-labels.npy", np.array([0, 9, 10]))
        self.refused("image 2 has the label 10; there are 10 classes", "--data", ".")
        np.save(self.folder / "test-labels.npy", np.array([0, 9, 3]))
        self.refused("images are 1 x 28 x 27 (channels, rows, columns), the input is 2 x 28 x 28", "--data", ".")
        whole = (self.folder / "test-images.npy").read_bytes()
        for shape, says in ((b"(3, 99999999999999999999, 4)", "announces 99999999999999999999 numbers in a dimension, more than any file holds"),
                            (b"(3, 1000000000000, 4)", "is truncated: it announces 3 x 1000000000000 x 4 pixels"), (b"(3, 2.5, 4)", "a shape that is not made of whole numbers"),
                            (b"()", "is one number and no array")):
            (self.folder / "test-images.npy").write_bytes(whole.replace(b"(3, 28, 27), }" + b" " * 20, (shape + b", }").ljust(34)))
            self.refused(says, "--data", ".")
        (self.folder / "small.yaml").write_text("spinet: 1\nduration: 1 ms\npopulations: {a: {model: lif_delta, size: 3}}\n")
        self.refused("no population shows images", *data)

    @unittest.skipUnless(os.path.isdir(os.path.join(os.environ.get("SPINET_DATA", ""), "fashion-mnist")), "SPINET_DATA")
    def test_fashion_mnist(self):
        data = os.path.join(os.environ["SPINET_DATA"], "fashion-mnist")
        images, labels = (idx(os.path.join(data, f"t10k-{k}-ubyte.gz")) for k in ("images-idx3", "labels-idx1"))
        self.fine("--data", data, "--weights", "m.h5", "--images", "0..99")
        self.check_log(images[:100], labels[:100], np.arange(100))


if __name__ == "__main__":
    unittest.main()
