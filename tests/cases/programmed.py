"""Programmed models, event by event: the devices of the file, their noise and energy, against device synapses of a network and numpy.

programmed.py SPINET
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

SPINET = os.path.abspath(sys.argv[1])
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout
DENSE = """spinet: 1
name: dense
duration: 10 ms
populations:
  image: {model: image_task, shape: [1, 8, 8], params: {period: 1 ms}}
  out: {model: linear, shape: [4], params: {bias: {fan_in: uniform}}}
projections:
  read: {from: image, to: out, connect: dense, synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  answers: {from: out, to: "image[0:4]", connect: one_to_one, synapse: {model: static, delay: 0.1 ms}}
training: {epochs: 3, batch: 16, rate: 1e-2}
"""
# The same devices as synapses of a network, one projection for each sign.
SYNAPSES = """spinet: 1
name: synapses
duration: 10 ms
populations:
  image: {model: image_task, shape: [1, 8, 8], params: {period: 1 ms}}
  out: {model: linear, shape: [4]}
projections:
  plus: {from: image, to: out, connect: {list: plus.csv}, synapse: {model: pvdf, energy: 1, read_voltage: 0.3 V, read_width: 2 ms, delay: 0.1 ms}}
  minus: {from: image, to: out, connect: {list: minus.csv}, synapse: {model: pvdf, w_max: -100, energy: 1, read_voltage: 0.3 V, read_width: 2 ms, delay: 0.1 ms}}
  answers: {from: out, to: "image[0:4]", connect: one_to_one, synapse: {model: static, delay: 0.1 ms}}
record:
  weights: [{projection: plus, every: 1 ms}, {projection: minus, every: 1 ms}]
"""
LAYERED = """spinet: 1
name: layered
duration: 10 ms
parameters: {learned: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
populations:
  image: {model: image_task, shape: [2, 8, 8], params: {period: 1 ms}}
  c1: {model: relu, shape: [4, 4, 4], params: {bias: {fan_in: uniform}}}
  out: {model: linear, shape: [4], params: {bias: {fan_in: uniform}}}
projections:
  conv1: {from: image, to: c1, connect: {convolution: {kernel: 3, stride: 2, padding: 1, groups: 2}}, normalise: batch, synapse: $learned}
  read: {from: c1, to: out, connect: dense, normalise: batch, synapse: $learned}
  answers: {from: out, to: "image[0:4]", connect: one_to_one, synapse: {model: static, delay: 0.1 ms}}
training: {epochs: 3, batch: 16, rate: 1e-2}
"""
HIDDEN = """spinet: 1
name: hidden
duration: 10 ms
parameters: {learned: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
populations:
  image: {model: image_task, shape: [1, 8, 8], params: {period: 1 ms}}
  h: {model: relu, shape: [12], params: {bias: {fan_in: uniform}}}
  out: {model: linear, shape: [4], params: {bias: {fan_in: uniform}}}
projections:
  first: {from: image, to: h, connect: dense, synapse: $learned}
  read: {from: h, to: out, connect: dense, synapse: $learned}
  answers: {from: out, to: "image[0:4]", connect: one_to_one, synapse: {model: static, delay: 0.1 ms}}
training: {epochs: 3, batch: 16, rate: 1e-2}
"""
# Recorded spikes: each of 64 neurons sends some in steps of 1 ms; a read-out that adds up, or neurons that spike.
EVENTS = """spinet: 1
name: events
duration: 10 ms
populations:
  image: {model: image_task, shape: [1, 8, 8], params: {period: 40 ms, encoding: events, steps: 3, step: 1 ms}}
  out: {model: linear, shape: [4]}
projections:
  read: {from: image, to: out, connect: dense, synapse: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}}
  answers: {from: out, to: "image[0:4]", connect: one_to_one, synapse: {model: static, delay: 0.1 ms}}
training: {epochs: 3, batch: 16, rate: 1e-2}
"""
SPIKING = EVENTS.replace("name: events", "name: spiking").replace(
    "{model: linear, shape: [4]}",
    "{model: lif_delta, shape: [4], params: {tau_m: 1 ms, E_L: 0 mV, v_reset: 0 mV, v_th: 1 mV, t_ref: 0 ms}, initial: {V: 0 mV}}")
GLASSY = ("--device", "glassy", "--up", "2 V 5 ms", "--down", "-2.2 V 1 ms", "--tolerance", "4")
PVDF = ("--device", "pvdf", "--up", "-1.3 V 5 ms", "--down", "1.5 V 5 ms", "--param", "read_voltage=0.3 V", "--param", "read_width=2 ms")
OTHERS = {"pcm": ("2 V 1 ms", "-2 V 1 ms", "--param", "noise_1f=0"), "spin_valve": ("2.5 V 2 ms", "-2.35 V 1 ms")}


def bars(count, seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, count).astype("u1")
    images = random.integers(0, 110, (count, 8, 8)).astype("u1")
    images[:, ::3, ::2] = 0
    for image, label in zip(images, labels):
        image[2 * label:2 * label + 2] += 110
    return images, labels


class Programmed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="spinet-programmed-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "data").mkdir()
        for part, count, seed in (("train", 200, 1), ("test", 100, 2)):
            images, labels = bars(count, seed)
            np.save(cls.folder / "data" / f"{part}-images.npy", images)
            np.save(cls.folder / "data" / f"{part}-labels.npy", labels)
        cls.pixels = (images.astype("f4") / np.float32(255)).astype(float).reshape(100, 64)
        cls.write_spikes()
        for name, text in (("dense", DENSE), ("layered", LAYERED), ("synapses", SYNAPSES), ("hidden", HIDDEN), ("events", EVENTS),
                           ("spiking", SPIKING)):
            (cls.folder / f"{name}.yaml").write_text(text)
        for name in ("dense", "layered", "hidden", "events", "spiking"):
            cls.run_spinet("train", f"{name}.yaml", "--data", cls.data_of(name), "-o", f"{name}.h5", "--no-report")

    @staticmethod
    def data_of(name):
        return "spikes" if name in ("events", "spiking") else "data"

    @classmethod
    def write_spikes(cls):
        """Some spikes of the label's rows and of others, all at begins of steps; and how many each neuron sends in each step."""
        random, folder = np.random.default_rng(3), cls.folder / "spikes"
        folder.mkdir()
        for part, count in (("train", 60), ("test", 40)):
            labels, table = random.integers(0, 4, count), []
            cls.spikes, cls.spike_labels = np.zeros((count, 3, 64)), labels
            for i, label in enumerate(labels):
                there = random.random((3, 64)) < 0.1
                there[:, 16 * label:16 * label + 16] |= random.random((3, 16)) < 0.4
                cls.spikes[i] = there
                (folder / f"{part}{i}.csv").write_text("".join(f"{neuron},{step}\n" for step, neuron in np.argwhere(there)))
                table.append(f"{part}{i}.csv,{label}\n")
            (folder / f"{part}.csv").write_text("file,label\n" + "".join(table))

    @classmethod
    def run_spinet(cls, *arguments, code=0):
        done = subprocess.run([SPINET, *map(str, arguments)], cwd=cls.folder, text=True, capture_output=True, timeout=60)
        assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def program(self, name, *arguments, device=PVDF):
        return self.run_spinet("program", f"{name}.yaml", "--weights", f"{name}.h5", "--data", self.data_of(name), *device, "-o", "programmed.h5",
                               "--force", *arguments).stdout

    def show(self, name, *arguments):
        """What a run makes of the images: outputs, energies, and all that it says."""
        done = self.run_spinet("run", f"{name}.yaml", "--data", self.data_of(name), *arguments, "-o", "run.h5", "--force")
        with h5py.File(self.folder / "run.h5") as f:
            g = f["images"]
            energies = {n: d[:] for n, d in g["energy"].items()} if "energy" in g else {}
            for n in energies:
                self.assertEqual(g["energy"][n].attrs["units"], "nJ")
            return g["outputs"][:], energies, g.attrs["accuracy"], done.stdout + done.stderr

    def as_synapses(self):
        """The devices of `dense` as synapses: what they send without noise, [target, source] of either sign, outputs, energies."""
        with h5py.File(self.folder / "programmed.h5") as f:
            s = f["devices/state/read/variables/s"][:].reshape(4, 64, 2)
        for k, name in enumerate(("plus", "minus")):
            rows = [f"{i},{j},{s[j, i, k]!r}" for j in range(4) for i in range(64)]
            (self.folder / f"{name}.csv").write_text("source,target,weight\n" + "\n".join(rows).replace("np.float64(", "").replace(")", ""))
        outputs, energies, _, _ = self.show("synapses")
        with h5py.File(self.folder / "run.h5") as f:
            weights = []
            for name in ("plus", "minus"):
                g, w = f[f"weights/{name}"], np.zeros((4, 64))
                w[g["mapping/target_node_id"][:].astype(int), g["mapping/source_node_id"][:].astype(int)] = g["data"][0]
                weights.append(w)
        return weights, outputs, energies

    def test_devices_of_the_file_are_those_of_a_network(self):
        said = self.program("dense", "--param", "energy=1", "--most", 200)
        self.assertRegex(said, r"(?m)^[\d.]+ uJ, [\d.]+ nJ a pulse, for pulses and reads of writing$")
        outputs, energies, accuracy, said_by_run = self.show("dense", "--weights", "programmed.h5")
        self.assertIn("energy of devices an image:", said_by_run)
        with h5py.File(self.folder / "programmed.h5") as f:
            g = f["devices"]
            self.assertEqual(accuracy, g["accuracy"][0])
            scale = g["state/read"].attrs["greatest"] / (g["high"][0] - g["low"][0])
            weights, bias = f["connections/read/weights"][:].astype(float), f["layers/out/bias"][:]
        np.testing.assert_allclose(outputs, self.pixels @ weights.T + bias, rtol=1e-5, atol=1e-5)
        (plus, minus), sums, paid = self.as_synapses()
        np.testing.assert_allclose((plus + minus) * scale, weights, rtol=0, atol=1e-6)
        np.testing.assert_allclose(outputs, sums * scale + bias, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(energies["read"], paid["plus"] + paid["minus"], rtol=1e-4)
        # An event is a read of two devices at 0.3 V, 2 ms long, of G_max = 100 of weight: nJ of uS V^2 ms.
        self.assertGreater(energies["read"].min(), 0)

    def test_noise_of_reads(self):
        noise, each = 0.2, 4
        self.program("dense", "--param", f"read_noise={noise}", "--images-per-read", each, "--most", 200)
        outputs = self.show("dense", "--weights", "programmed.h5")[0]
        (plus, minus), _, _ = self.as_synapses()
        with h5py.File(self.folder / "programmed.h5") as f:
            g = f["devices"]
            scale = g["state/read"].attrs["greatest"] / (g["high"][0] - g["low"][0])
            bias = f["layers/out/bias"][:]
        off = outputs - (self.pixels @ (plus + minus).T * scale + bias)
        sd = noise * scale * np.sqrt(self.pixels**2 @ (plus**2 + minus**2).T)
        self.assertAlmostEqual(np.std(off / sd), 1, delta=0.25)  # 25 reads of four outputs
        # Images that one read serves see the same weights: what is off is linear in the pixels, of 4 images of 64 pixels any; reads differ.
        again = self.show("dense", "--weights", "programmed.h5", "--images", "0..3")[0]
        self.assertEqual(again.tolist(), outputs[:4].tolist())
        other = self.show("dense", "--weights", "programmed.h5", "--images", "1..4")[0]
        self.assertEqual(other[:3].tolist(), outputs[1:4].tolist())   # the first read, of images 1 to 4
        self.assertNotEqual(other[3].tolist(), outputs[4].tolist())   # the second read, elsewhere
        if HAS_MPI:
            self.assertEqual(self.show("dense", "--weights", "programmed.h5", "-n", 2)[0].tobytes(), outputs.tobytes())

    def test_layers_and_other_devices(self):
        for device, (up, down, *quiet) in OTHERS.items():
            for options in ((), ("--single",), ("--spread", f"{'G_max' if device == 'pcm' else 'g'}=10%", "--param", "stuck=0.05")):
                chosen = ("--device", device, "--up", up, "--down", down, "--tolerance", 4, *quiet)
                self.program("layered", "--param", "energy=1", "--after", "1h", *options, device=chosen)
                with h5py.File(self.folder / "programmed.h5") as f:
                    wanted = f["devices/accuracy"][1]
                    self.assertIn("state", f["devices"])
                    with h5py.File(self.folder / "last.h5", "w") as to:  # the weights as read last, as a model without devices
                        for name in ("model", "layers", "connections"):
                            f.copy(name, to)
                outputs, energies, accuracy, _ = self.show("layered", "--weights", "programmed.h5")
                self.assertAlmostEqual(accuracy, wanted, delta=0.0101)
                plain = self.show("layered", "--weights", "last.h5")[0]
                np.testing.assert_allclose(outputs, plain, rtol=1e-3, atol=1e-3)
                self.assertEqual(sorted(energies), ["conv1", "read"])
                # Padding and stride: a pixel of the dark costs nothing, others what they meet.
                self.assertTrue(np.all(energies["conv1"] > 0))

    def model_of(self, *names):
        """Weights [target, source] and the converter after them, of layers that nothing normalises."""
        with h5py.File(self.folder / "programmed.h5") as f:
            g = f["devices/converters"]
            at = {name.decode(): k for k, name in enumerate(g["layers"][:])}
            layers = []
            for connection, layer in names:
                bias = f[f"layers/{layer}/bias"][:].astype(float) if f"layers/{layer}/bias" in f else 0
                steps, reach = 2.0 ** (g["bits"][at[layer]] - 1) - 1, g["range"][at[layer]]
                layers.append((f[f"connections/{connection}/weights"][:].astype(float), bias, steps, reach))
            return layers, f["devices/accuracy"][0]

    @staticmethod
    def converted(x, steps, reach):
        return np.clip(np.rint(x / reach * steps), -steps, steps) * reach / steps

    def test_converters(self):
        for bits, share in ((3, 1), (5, 0.6)):
            self.program("hidden", "--most", 200, "--adc-bits", bits, "--adc-range", share)
            (first, read), wanted = self.model_of(("first", "h"), ("read", "out"))
            sums = self.pixels @ first[0].T + first[1]
            hidden = np.maximum(self.converted(sums, *first[2:]), 0)
            expected = self.converted(hidden @ read[0].T + read[1], *read[2:])
            outputs, _, accuracy, said = self.show("hidden", "--weights", "programmed.h5")
            np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-6)   # a step is 0.05 at least
            self.assertLess(len(np.unique(np.round(outputs, 6))), 2 ** bits)
            self.assertEqual(accuracy, wanted)
            with h5py.File(self.folder / "hidden.h5") as f:     # the range is that of the training images with the weights as trained
                trained = [f["connections/first/weights"][:].astype(float), f["layers/h/bias"][:]]
            train = bars(200, 1)[0].reshape(200, 64) / 255
            self.assertAlmostEqual(first[3], share * np.abs(train @ trained[0].T + trained[1]).max(), delta=1e-5)
            self.assertIn(f"h: a converter of {bits} bits over", self.run_spinet("info", "programmed.h5").stdout)
        # Convolutions and normalisation: the same predictions.  Sums within rounding of a step's middle may go either way.
        self.program("layered", "--adc-bits", 4)
        outputs, _, accuracy, _ = self.show("layered", "--weights", "programmed.h5")
        with h5py.File(self.folder / "programmed.h5") as f:
            self.assertAlmostEqual(accuracy, f["devices/accuracy"][0], delta=0.0101)
            self.assertGreater(f["devices/accuracy"][0], 0.5)
        # What a network says of its layers acts wherever nothing is trained, and a converter of 1 bit is none.
        text = HIDDEN.replace("shape: [12], params: {", "shape: [12], params: {adc_bits: 4, adc_range: 2, ")
        (self.folder / "own.yaml").write_text(text)
        shutil.copy(self.folder / "hidden.h5", self.folder / "own.h5")
        self.program("own", "--most", 200)
        (first,), wanted = self.model_of(("first", "h"))
        self.assertEqual((first[2], first[3]), (7, 2))
        self.assertEqual(self.show("own", "--weights", "programmed.h5")[2], wanted)
        self.assertNotIn("converters", self.show("own", "--weights", "programmed.h5")[3])
        said = self.show("own", "--weights", "programmed.h5", "--set", "populations.h.params.adc_bits=3")   # those of the file come first
        self.assertEqual(said[2], wanted)
        self.assertIn("converters of h are those of programmed.h5, not the network's own", said[3])
        refused = self.run_spinet("program", "own.yaml", "--weights", "own.h5", "--data", "data", *PVDF, "--adc-range", 2, code=2).stderr
        self.assertIn("--adc-range: there are no converters without --adc-bits", refused)
        (self.folder / "own.yaml").write_text(text.replace("adc_bits: 4", "adc_bits: 1"))
        self.assertIn("adc_bits is 0, no converter, or at least 2", self.run_spinet("validate", "own.yaml", code=2).stderr)

    def test_recorded_spikes(self):
        self.program("events", "--most", 200, "--adc-bits", 4)
        ((weights, _, steps, reach),), wanted = self.model_of(("read", "out"))
        sums = self.spikes @ weights.T                  # of each step
        expected = self.converted(sums, steps, reach).sum(axis=1)
        outputs, _, accuracy, _ = self.show("events", "--weights", "programmed.h5")
        np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5)
        self.assertEqual(accuracy, wanted)
        self.assertEqual(accuracy, np.mean(np.argmax(expected, axis=1) == self.spike_labels))
        self.assertGreater(accuracy, 0.6)
        # The range is that of sums of a step, with the weights as trained: not of an image's.
        with h5py.File(self.folder / "events.h5") as f:
            self.assertGreater(reach, 0)
            largest = np.abs(self.all_train_spikes() @ f["connections/read/weights"][:].T).max()
            self.assertAlmostEqual(reach, largest, delta=1e-5)
        self.program("spiking", "--most", 200)
        with h5py.File(self.folder / "programmed.h5") as f:
            wanted = f["devices/accuracy"][0]
        self.assertEqual(self.show("spiking", "--weights", "programmed.h5")[2], wanted)
        refused = self.run_spinet("program", "spiking.yaml", "--weights", "spiking.h5", "--data", "spikes", *PVDF, "--adc-bits", 4, code=2)
        self.assertEqual(refused.stdout, "")
        self.assertIn("--adc-bits: neurons of out integrate what arrives, so that no converter reads a sum", refused.stderr)

    def all_train_spikes(self):
        all_of = np.zeros((60, 3, 64))
        for i in range(60):
            for line in (self.folder / "spikes" / f"train{i}.csv").read_text().split():
                neuron, step = map(int, line.split(","))
                all_of[i, step, neuron] += 1
        return all_of

    def test_devices_that_relax(self):
        for options in ((), ("--spread", "V_up=2%", "--spread", "G_min=5%"), ("--param", "read_noise=0.1", "--param", "stuck=0.1", "--compensate")):
            for after in ((), ("--after", "1s,1h")):
                said = self.program("dense", "--images-per-read", 30, *options, *after, device=GLASSY)
                with h5py.File(self.folder / "programmed.h5") as f:
                    g = f["devices"]
                    wanted, done, at_end, later = g["accuracy"][-1], g["error"][0], g["error_at_end"][0], g["rms_error"][:]
                    weights, bias = f["connections/read/weights"][:].astype(float), f["layers/out/bias"][:]
                outputs, _, accuracy, _ = self.show("dense", "--weights", "programmed.h5")
                # The first read is that of the file, and later ones go on from it.
                np.testing.assert_allclose(outputs[:30], (self.pixels @ weights.T + bias)[:30], rtol=1e-5, atol=1e-5)
                self.assertEqual(accuracy, wanted)
                self.assertAlmostEqual(at_end, later[0], delta=1e-12)
                self.assertGreater(at_end, 1.2 * done)    # devices that are done relax while others are written
                self.assertRegex(said, rf"(?m)^read .* {100 * done:.2f} % +{100 * at_end:.2f} %$")
                self.assertRegex(said, rf"(?m)^ +writing .* {100 * at_end:.2f} %$")
                if after:
                    self.assertTrue(np.all(np.diff(later) > 0))
        # Relaxation goes on: what is read 10 s later is not what is read at once.
        self.program("dense", "--images-per-read", 1, "--read-period", "10s", device=GLASSY)
        outputs = self.show("dense", "--weights", "programmed.h5")[0]
        with h5py.File(self.folder / "programmed.h5") as f:
            still = self.pixels @ f["connections/read/weights"][:].T + f["layers/out/bias"][:]
        off = np.abs(outputs - still).max(axis=1)
        self.assertLess(off[0], 1e-5)
        self.assertGreater(off[-1], 0.05 * np.abs(still).max())
        if HAS_MPI:
            self.assertEqual(self.show("dense", "--weights", "programmed.h5", "-n", 2)[0].tobytes(), outputs.tobytes())

    def test_what_info_says(self):
        self.program("dense", "--param", "energy=1", "--after", "1h", "--most", 200)
        text = self.run_spinet("info", "programmed.h5").stdout
        self.assertRegex(text, r"(?m)^read +pvdf +[\d.]+ % +[\d.]+ +[\d.]+ % +[\d.]+ %$")
        self.assertRegex(text, r"(?m)^[\d.]+ uJ for pulses and reads of writing$")
        self.assertRegex(text, r"(?m)^ +1 h +[\d.]+ % +[\d.]+ +[\d.]+ %$")
        self.assertIn("\nNext: spinet run dense.yaml --weights programmed.h5 --data DIR\n", text)
        data = json.loads(self.run_spinet("info", "programmed.h5", "--json").stdout)
        with h5py.File(self.folder / "programmed.h5") as f:
            self.assertEqual(data["devices"]["accuracy"], f["devices/accuracy"][:].tolist())
            self.assertEqual(data["devices"]["energy_nJ"], f["devices"].attrs["energy"])
            self.assertEqual(data["devices"]["rms_error"], f["devices/rms_error"][:].tolist())
        said = self.run_spinet("learn", "dense.yaml", "--data", "data", "--epochs", 2, *PVDF, "--param", "energy=1", "-o", "learnt.h5").stdout
        self.assertRegex(said, r"(?m)^[\d.]+ uJ, [\d.]+ nJ a pulse, for pulses and reads of learning; [\d.]+ uJ before it$")
        self.assertIn("Next: spinet info learnt.h5\n", said)
        with h5py.File(self.folder / "learnt.h5") as f:
            energy = f["learning/energy"]
            self.assertEqual(energy.attrs["units"], "nJ")
            self.assertTrue(np.all(np.diff(energy[:]) > 0) and energy[0] > 0)
            total = energy[-1]
        text = self.run_spinet("info", "learnt.h5").stdout
        self.assertRegex(text, r"learnt +rule pulses, device pvdf, 2 epochs: [\d.]+ % of test images at the end")
        self.assertIn("Next: spinet run dense.yaml --weights learnt.h5 --data DIR", text)
        self.assertEqual(json.loads(self.run_spinet("info", "learnt.h5", "--json").stdout)["learning"]["energy_nJ"][-1], total)

    def test_what_is_refused(self):
        for option in (("--device", "pvdf"), ("--up", "1 V 1 ms"), ("--param", "energy=1"), ("--most", 5), ("--slots", 3)):
            refused = self.run_spinet("learn", "dense.yaml", "--data", "data", "--rule", "exact", *option, code=2).stderr
            self.assertIn(f"{option[0]}: --rule exact learns numbers, without devices", refused)
        refused = self.run_spinet("learn", "dense.yaml", "--data", "data", *PVDF, "--transfer-rate", "0.1", code=2).stderr
        self.assertIn("--transfer-rate is for --rule tiki_taka, not pulses", refused)
        self.program("dense")

        def broken(change, says):
            shutil.copy(self.folder / "programmed.h5", self.folder / "broken.h5")
            with h5py.File(self.folder / "broken.h5", "r+") as f:
                change(f["devices"])
            for command in (("run", "dense.yaml", "--data", "data", "--weights", "broken.h5", "-o", "no.h5"),):
                self.assertIn(says, self.run_spinet(*command, code=2).stderr)

        def too_large(g):
            g["state/read/variables/s"][7] = 1.5

        def too_few(g):
            s = g["state/read/variables/s"][:-1]
            del g["state/read/variables/s"]
            g["state/read/variables/s"] = s

        def another(g):
            del g["models"]
            g["models"] = np.array([b"pcn"])

        broken(too_large, "a device has s = 1.5")
        broken(too_few, "s has 511 numbers, not 512")
        broken(another, "has devices of model pcn, which is not there")
        broken(lambda g: g["state"].pop("read"), "has no devices of projection 'read'")
        self.program("dense", "--adc-bits", 4, device=GLASSY)

        def other_bytes(g):
            g["state/read/states"][100] ^= 1

        def no_range(g):
            g["converters/range"][0] = -1

        broken(other_bytes, "states are not what was written: their SHA-256 is another")
        broken(lambda g: g["state/read"].attrs.__setitem__("build", "0.0.1 glassy"), 'it has states of devices as "0.0.1 glassy" keeps them')
        broken(no_range, "the converter of out has 4 bits over -1")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
