"""spinet train: the same model after kills, signals and on two ranks; messages; a full disk; the report's page.

train.py SPINET
"""
import json
import os
import pathlib
import re
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
NETWORK = """spinet: 1
name: bars
duration: 10 ms
parameters:
  learned: {model: static, weight: {fan_in: uniform}, delay: 0.1 ms}
populations:
  image: {model: image_task, shape: [1, 8, 8], params: {period: 1 ms}}
  c1: {model: relu, shape: [4, 6, 6], params: {bias: {fan_in: uniform}}}
  out: {model: linear, shape: [4], params: {bias: {fan_in: uniform}}}
projections:
  conv1: {from: image, to: c1, connect: {convolution: {kernel: 3}}, normalise: batch, synapse: $learned}
  read: {from: c1, to: out, connect: dense, normalise: batch, dropout: 0.1, synapse: $learned}
  answers: {from: out, to: "image[0:4]", connect: one_to_one, synapse: {model: static, delay: 0.1 ms}}
training: {epochs: 4, batch: 16, rate: 1e-2, validation: 20 %}
"""


def bars(count, seed):
    """Noise with a bright bar in one of four places, which is its label."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, count).astype("u1")
    images = random.integers(0, 110, (count, 8, 8)).astype("u1")
    for image, label in zip(images, labels):
        image[2 * label:2 * label + 2] += 110
    return images, labels


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


class Train(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="spinet-train-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "bars.yaml").write_text(NETWORK)
        (cls.folder / "plain.yaml").write_text(cls.DENSE)
        data = cls.folder / "data"
        data.mkdir()
        for part, count, seed in (("train", 200, 1), ("test", 100, 2)):
            images, labels = bars(count, seed)
            np.save(data / f"{part}-images.npy", images)
            np.save(data / f"{part}-labels.npy", labels)
        cls.done = cls.train("-o", "whole.h5")

    @classmethod
    def run_spinet(cls, *arguments, code=0):
        done = subprocess.run([SPINET, *map(str, arguments)], cwd=cls.folder, text=True, capture_output=True, timeout=120)
        assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    @classmethod
    def train(cls, *arguments, code=0):
        return cls.run_spinet("train", "bars.yaml", "--data", "data", *arguments, code=code)

    def same(self, path, other="whole.h5"):
        a, b = numbers(self.folder / other), numbers(self.folder / path)
        self.assertEqual(a.keys(), b.keys())
        for name in a:
            self.assertEqual(a[name], b[name], name)

    def test_a_new_user_sees_accuracy_rise(self):
        with h5py.File(self.folder / "whole.h5") as f:
            epochs = f["training/epochs"]
            self.assertEqual(len(epochs["loss"]), 4)
            self.assertLess(epochs["loss"][3], 0.6 * epochs["loss"][0])
            self.assertGreater(epochs["test_accuracy"][3], 0.9)
            self.assertTrue(np.all(epochs["seconds"][:] > 0))
            self.assertEqual(f["connections/conv1/weights"].shape, (4, 1, 3, 3))
            self.assertEqual(f["connections/read/weights"].shape, (4, 144))
            self.assertEqual(f["training/test/confusion"][:].sum(), 100)
            best = f["training"].attrs["best_epoch"]
            self.assertEqual(best, 1 + np.argmax(epochs["validation_accuracy"][:]))
            self.assertEqual(np.trace(f["training/test/confusion"][:]) / 100, epochs["test_accuracy"][int(best) - 1])
        self.assertRegex(self.done.stderr, r"bars: 910 parameters; images: 160 to train on, 40 to validate with, 100 to test with; 1 rank\n")
        self.assertEqual(len(re.findall(r"^epoch +\d+  loss [\d.]+  accuracy [\d.]+ %  validation [\d.]+ %  test", self.done.stderr, re.M)), 4)
        self.assertIn("Next: spinet run bars.yaml --weights whole.h5 --data data\n", self.done.stdout)
        self.assertRegex(self.done.stdout, r"(?m)^best    epoch \d: validation")

    def test_the_first_look_of_the_documentation(self):
        network = pathlib.Path(__file__).resolve().parents[2] / "networks/fashion_mnist"
        began = time.monotonic()
        self.run_spinet("train", network / "relu.yaml", "--data", network / "sample", "-o", "look.h5")
        self.assertLess(time.monotonic() - began, 60)
        with h5py.File(self.folder / "look.h5") as f:
            self.assertEqual(f["training"].attrs["chosen_by"], b"validation")
            test, best = f["training/epochs/test_accuracy"][:], int(f["training"].attrs["best_epoch"])
        self.assertLess(test[0], 0.5)
        self.assertGreater(test[best - 1], 0.9)

    def test_the_same_after_kills(self):
        # Killed again and again, at moments that differ, it comes to the same end.
        arguments = [SPINET, "train", "bars.yaml", "--data", "data", "-o", "killed.h5", "--no-report", "--resume"]
        kills = 0
        for k in range(40):
            run = subprocess.Popen(arguments, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for line in run.stderr:
                if line.startswith("epoch"):
                    break
            time.sleep(0.001 * (k % 3))
            run.kill()
            run.stderr.close()
            if run.wait() == 0:
                break
            kills += 1
        self.train("-o", "killed.h5", "--no-report", "--resume")
        self.assertGreater(kills, 0)
        self.same("killed.h5")

    def test_the_same_after_ctrl_c(self):
        arguments = [SPINET, "train", "bars.yaml", "--data", "data", "-o", "stopped.h5", "--epochs", "100000"]
        run = subprocess.Popen(arguments, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in run.stderr:
            if line.startswith("epoch   6"):
                break
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=60)[1]
        self.assertEqual(run.returncode, 3)
        self.assertIn("stopped by SIGINT; stopped.h5 has it all, and the same command with --resume goes on", said)
        with h5py.File(self.folder / "stopped.h5") as f:
            done = len(f["training/epochs/loss"])
            self.assertEqual(f["training"].attrs["status"].decode(), "stopped")
        self.train("-o", "stopped.h5", "--epochs", done + 1, "--resume", "--no-report")
        self.train("-o", "at_once.h5", "--epochs", done + 1, "--no-report")
        self.same("stopped.h5", "at_once.h5")

    @unittest.skipUnless(HAS_MPI, "built without MPI")
    def test_the_same_on_any_number_of_ranks(self):
        for ranks in (2, 3, 4, 8, 9):  # a batch has 8 shards: the ninth rank has none
            with self.subTest(ranks=ranks):
                done = self.train("-o", "ranks.h5", "-n", ranks, "--no-report", "--force")
                self.assertIn(f"{ranks} ranks", done.stderr)
                self.same("ranks.h5")

    def test_bad_input(self):
        def refused(*arguments, says):
            said = self.run_spinet("train", *arguments, code=2).stderr
            self.assertIn(says, said)

        refused("bars.yaml", "--data", "nowhere", says="nowhere")
        refused("bars.yaml", "--data", "data", "-o", "whole.h5", says="whole.h5: exists already; --resume goes on with it")
        refused("bars.yaml", "--data", "data", "-o", "bars.yaml", "--force", says="bars.yaml: is the network that is read")
        refused("bars.yaml", "--data", "data", "-o", "data/train-images.npy", "--force", says="is a file of images that are read")
        refused("bars.yaml", "--data", "data", "-o", "whole.h5", "--resume", "--batch", 8, says="batch is 16 there and 8 here")
        refused("bars.yaml", "--data", "data", "-o", "whole.h5", "--resume", "--set", "populations.c1.shape=[5, 6, 6]",
                says="is a model of another network: layer c1 is 4 x 6 x 6, relu, 4 biases in the model, and 5 x 6 x 6, relu, 5 biases in the network")
        refused("bars.yaml", "--data", "data", "--set", "populations.image.shape=[1, 9, 8]", "--set", "populations.c1.shape=[4, 7, 6]", says="8 x 8")
        (self.folder / "text.h5").write_text("no model")
        refused("bars.yaml", "--data", "data", "-o", "text.h5", "--resume", says="text.h5: cannot be read as a model")
        self.assertEqual((self.folder / "text.h5").read_text(), "no model")

    def test_what_is_fixed_stays(self):
        said = self.run_spinet("validate", "bars.yaml", "--set", "training.fixed=[conv1]").stdout
        self.assertRegex(said, r"parameters +868 to be trained, 42 fixed\n")  # 36 weights, scale and shift, 4 biases
        said = self.train("-o", "fixed.h5", "--set", "training.fixed=[conv1]", "--no-report", "--epochs", "1").stderr
        self.assertIn("bars: 910 parameters, 42 of them fixed; images:", said)
        self.train("-o", "fixed.h5", "--set", "training.fixed=[conv1]", "--no-report", "--epochs", "2", "--resume")
        with h5py.File(self.folder / "fixed.h5") as f:
            self.assertEqual((f["connections/conv1/scale"][0], f["connections/conv1/shift"][0]), (1, 0))
            self.assertNotEqual(f["connections/read/scale"][0], 1)

    EM = NETWORK.replace("model: relu, ", "model: em_activation, curves: em_reference, ").replace(
        "bias: {fan_in: uniform}}}\n  out", "bias: {fan_in: uniform}, mode: $mode, n_max: 64, gain: 3}}\n  out").replace(
        "parameters:\n", "parameters:\n  mode: formula\n")

    def test_another_mode_or_gain(self):
        (self.folder / "em.yaml").write_text(self.EM)
        train = ("train", "em.yaml", "--data", "data", "--epochs", "1", "--no-report", "--set")
        self.run_spinet(*train, "parameters.mode=formula", "-o", "formula.h5")
        self.run_spinet(*train, "parameters.mode=pulses", "-o", "pulses.h5")
        for model, mode, there, here in (("pulses.h5", "formula", "there", "here"), ("formula.h5", "pulses", "here", "there")):
            said = self.run_spinet(*train, f"parameters.mode={mode}", "-o", model, "--resume", code=2).stderr
            self.assertIn(f"{model}: was trained in another way: mode of c1 is pulses {there} and not {here}; only --epochs may change", said)
        # A model in which other numbers have been trained: `run` and `program` say so alike.
        gain = ("--data", "data", "--weights", "formula.h5", "--set", "populations.c1.params.gain=30")
        said = [self.run_spinet(*command).stderr for command in (
            ("run", "em.yaml", *gain, "-o", "em_run.h5"), ("program", "em.yaml", *gain, *self.PCM, "--projections", "conv1"))]
        for text in said:
            self.assertIn("note: formula.h5 was trained with another gain, clamp, curve, decay", text)
        said = self.run_spinet("program", "em.yaml", *gain[:4], *self.PCM, "--projections", "conv1").stderr
        self.assertEqual(said, "")

    def test_notes_on_images_and_losses(self):
        (self.folder / "floats").mkdir()
        for part in ("train", "test"):
            for what in ("images", "labels"):
                x = np.load(self.folder / "data" / f"{part}-{what}.npy")
                np.save(self.folder / "floats" / f"{part}-{what}.npy", x.astype("f4") if what == "images" else x)
        said = self.run_spinet("train", "bars.yaml", "--data", "floats", "--epochs", "1", "-o", "floats.h5", "--no-report").stderr
        self.assertRegex(said, r"(?m)^note: floats/train-images.npy: pixels lie from 0 to 2\d\d and are taken as they are, where 0 to 1 is usual; divide them by 2\d\d$")
        self.assertNotIn("pixels lie", self.done.stderr)
        said = self.train("-o", "few.h5", "--set", "training.validation=0.995", code=2).stderr
        self.assertIn("training: 'conv1' is normalised over the images of a batch, and only one of 200 images is left to train on; "
                      "give more images, or a smaller share to `validation`", said)
        said = self.train("-o", "few.h5", "--batch", 1, code=2).stderr
        self.assertIn("and a batch has only one; give a batch of 2 or more", said)
        said = self.run_spinet("train", "plain.yaml", "--data", "floats", "--epochs", "2", "--rate", "1e6", "--set", "training.optimiser=sgd", "--force",
                               "-o", "wild2.h5", "--no-report").stderr
        self.assertRegex(said, r"(?m)^epoch +1  loss \d\.\d{3}e\+\d\d  accuracy")

    def test_a_number_that_is_none(self):
        said = self.train("-o", "wild.h5", "--rate", "1e6", "--set", "training.optimiser=sgd", "--epochs", "50", code=3)
        self.assertRegex(said.stderr, r"spinet: epoch \d+, batch \d+: .*(c1|out|conv1|read).*; wild.h5 has the model after \d+ epochs?; a lower --rate may help")
        with h5py.File(self.folder / "wild.h5") as f:
            self.assertEqual(f["training"].attrs["status"].decode(), "failed")
            for name in ("last/connections/read/weights", "connections/read/weights"):
                self.assertTrue(np.all(np.isfinite(f[name][:])), name)

    @unittest.skipUnless(os.geteuid() == 0, "mounting a small disk takes root")
    def test_a_full_disk(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True).returncode:
            self.skipTest("a tmpfs cannot be mounted here")
        try:
            self.train("-o", "disk/m.h5", "--epochs", 2, "--no-report")
            before = (disk / "m.h5").read_bytes()
            free = os.statvfs(disk).f_bavail * 4096
            (disk / "filler").write_bytes(bytes(max(0, free - 16384)))
            said = self.train("-o", "disk/m.h5", "--resume", "--no-report", code=3)
            self.assertIn("disk/m.h5", said.stderr)
            self.assertIn("No space left on device", said.stderr)
            self.assertEqual((disk / "m.h5").read_bytes(), before)
            self.assertEqual(sorted(p.name for p in disk.iterdir()), ["filler", "m.h5"])
        finally:
            subprocess.run(["umount", disk], check=True)

    PCM = ("--device", "pcm", "--up", "2 V 1 ms", "--down", "-2 V 1 ms", "--tolerance", "4")

    def program(self, *arguments, code=0, device=PCM):
        return self.run_spinet("program", "bars.yaml", "--data", "data", "--weights", "whole.h5", *device, *arguments, code=code)

    def test_programmed_weights(self):
        # What the devices show goes on to a run, event by event, with the same accuracy.
        said = self.program("--after", "1s,1h,365d", "-o", "programmed.h5").stdout
        self.assertRegex(said, r"(?m)^conv1 +72 +100.00 % +\d")
        self.assertRegex(said, r"(?m)^read +1,152 +")
        with h5py.File(self.folder / "programmed.h5") as f, h5py.File(self.folder / "whole.h5") as before:
            g = f["devices"]
            self.assertEqual(g["seconds"][:].tolist(), [0, 1, 3600, 365 * 86400])
            self.assertGreater(g["accuracy"][0], 0.85)
            for name in ("conv1", "read"):
                then, now = before[f"connections/{name}/weights"][:], f[f"connections/{name}/weights"][:]
                # Exponents of g >= 0.1 have a sd of at most 0.023, what is left after a year one of 33 %: 1 / sqrt(1 + 0.33^2).
                self.assertGreater(np.corrcoef(then.ravel(), now.ravel())[0, 1], 0.95)
                lost = np.abs(now).sum() / np.abs(then).sum()
                self.assertTrue(0.2 < lost < 0.7, lost)  # (1 a / 20 s)^-nu, nu from 0.05 to 0.1
            for name in ("layers/c1/bias", "connections/read/scale"):
                self.assertEqual(before[name][:].tolist(), f[name][:].tolist(), name)
        again = self.program("--after", "1s,1h,365d", "-o", "again.h5").stdout
        self.assertEqual(said.replace("programmed.h5", "again.h5"), again)
        self.assertEqual(numbers(self.folder / "programmed.h5"), numbers(self.folder / "again.h5"))
        self.program("--after", "1s,1h,365d", "--param", "noise_1f=0", "-o", "quiet.h5")
        run = self.run_spinet("run", "bars.yaml", "--data", "data", "--weights", "quiet.h5", "-o", "run.h5").stdout
        with h5py.File(self.folder / "quiet.h5") as f:
            self.assertIn(f"{100 * f['devices/accuracy'][3]:.1f}", run)

    def test_programming_and_the_readout(self):
        def accuracy(*arguments):
            return float(re.search(r"(?m)^ +writing +([\d.]+) %", self.program(*arguments).stdout)[1])

        plain = accuracy()
        self.assertEqual(plain, accuracy("--adc-bits", 24))
        self.assertLess(accuracy("--adc-bits", 2, "--adc-range", 20), 60)  # all sums are 0
        said = self.program("--set", "devices={adc_range: 20}").stderr
        self.assertIn("note: adc_range is of converters, and without adc_bits there are none", said)
        self.assertLess(accuracy("--param", "stuck=1"), 60)
        self.assertGreater(accuracy("--projections", "conv1", "--param", "read_noise=0.1", "--recalibrate"), 60)

    def test_programming_bad_input(self):
        def refused(*arguments, says, device=self.PCM):
            self.assertIn(says, self.program(*arguments, code=2, device=device).stderr)

        refused(says="a pulse up must raise what events find", device=("--device", "pcm", "--up", "-2 V 1 ms", "--down", "2 V 1 ms"))
        refused("--projections", "conv2", says="--projections: 'conv2' is no projection with weights that are trained; did you mean 'conv1'?")
        refused("--after", "1h,1s", says="--after 1h,1s: times must grow")
        refused("--period", "1ms", says="--period 1ms: a pulse begins half way")
        refused("--spread", "w_max=5%", says="'w_max' is a parameter of all synapses of the projection and must be one number")
        refused("-o", "whole.h5", "--force", says="whole.h5: is the model that is read")
        refused("--images", "0..200", says="--images 0..200: there are 100 images")
        refused("--param", "step=0", says="time and noise do it, and the pulses are too weak to program by")
        refused(says="synapses of model static ignore voltage pulses", device=("--device", "static", "--up", "1 V 1 ms", "--down", "-1 V 1 ms"))
        refused(says="one pulse is wanted", device=("--device", "pcm", "--up", "3 x 2 V 1 ms", "--down", "-2 V 1 ms"))

    # How a network says which devices its weights are for, and what of `spinet program` says the same.
    MAPPED = {
        "pcm": ("step: 0.02", "program: {up: [2 V, 1 ms], down: [-2 V, 1 ms], tolerance: 4 %, most: 200, spread: {G_max: 10 %}}",
                ["--up", "2 V 1 ms", "--down", "-2 V 1 ms", "--tolerance", "4", "--most", "200", "--spread", "G_max=10%", "--param", "step=0.02"]),
        "pvdf": ("pair: 0", "program: {up: [-1.3 V, 5 ms], down: [1.5 V, 5 ms], period: 30 ms}",
                 ["--up", "-1.3 V 5 ms", "--down", "1.5 V 5 ms", "--period", "30ms", "--single"]),
        "glassy": ("pair: 1, stuck: 0.01", "program: {up: [2 V, 5 ms], down: [-2.2 V, 1 ms]}",
                   ["--up", "2 V 5 ms", "--down", "-2.2 V 1 ms", "--param", "stuck=0.01"]),
        "spin_valve": ("pair: 1", "program: {up: [2.5 V, 2 ms], down: [-2.35 V, 1 ms], spread: {V_th: 50 mV}}",
                       ["--up", "2.5 V 2 ms", "--down", "-2.35 V 1 ms", "--spread", "V_th=50mV", "--single", "--param", "pair=1"]),
        "mtj": ("pair: 1, junctions: 4", "program: {up: [0.15 V, 10.7 ns], down: [-0.15 V, 10.7 ns], tolerance: 14 %, spread: {V_c: 5 %}}",
                ["--up", "0.15 V 10.7 ns", "--down", "-0.15 V 10.7 ns", "--tolerance", "14", "--spread", "V_c=5%", "--param", "junctions=4"]),
        "sot_device": ("pair: 1", "program: {up: [8 mA, 1 ms], down: [-8 mA, 1 ms]}", ["--up", "8 mA 1 ms", "--down", "-8 mA 1 ms"]),
    }

    def test_devices_that_the_network_names(self):
        def found(name):
            with h5py.File(self.folder / name) as f:
                return {n: f[n][()].tobytes() for g in ("connections", "layers", "devices") for n in self.datasets(f[g]) if not n.endswith("models")}

        for model, (params, program, options) in self.MAPPED.items():
            text = NETWORK.replace("{model: static, weight:", f"{{model: {model}, {params}, {program}, weight:", 1)
            (self.folder / "mapped.yaml").write_text(text + "devices: {seed: 3, after: [1 s, 1 h], compensate: true, adc_bits: 8}\n")
            common = ("--data", "data", "--weights", "whole.h5", "--force", "-o")
            self.run_spinet("program", "mapped.yaml", *common, "by_network.h5")
            self.run_spinet("program", "bars.yaml", *common, "by_options.h5", "--device", model, *options, "--device-seed", "3", "--after", "1s,1h",
                            "--compensate", "--adc-bits", "8")
            self.assertEqual(found("by_network.h5"), found("by_options.h5"), model)
        # Options come before what the network says; it is trained and run with numbers.
        self.run_spinet("program", "mapped.yaml", *common, "by_network.h5", "--device", "pcm", *self.MAPPED["pcm"][2])
        self.run_spinet("program", "bars.yaml", *common, "by_options.h5", "--device", "pcm", *self.MAPPED["pcm"][2], "--device-seed", "3", "--after",
                        "1s,1h", "--compensate", "--adc-bits", "8")
        self.assertEqual(found("by_network.h5"), found("by_options.h5"))
        self.run_spinet("train", "mapped.yaml", "--data", "data", "-o", "mapped.h5", "--no-report")
        with h5py.File(self.folder / "mapped.h5") as f, h5py.File(self.folder / "whole.h5") as plain:
            for name in ("connections/conv1/weights", "connections/read/weights", "layers/c1/bias"):
                self.assertEqual(f[name][:].tolist(), plain[name][:].tolist(), name)
        said = self.run_spinet("run", "mapped.yaml", "--data", "data", "--weights", "mapped.h5", "-o", "mapped_run.h5", "--force")
        self.assertIn("the weights of conv1, read are meant for devices", said.stdout + said.stderr)
        outputs = []
        for ranks in (1, 2) if HAS_MPI else (1,):
            said = self.run_spinet("run", "mapped.yaml", "--data", "data", "--weights", "by_network.h5", "-n", ranks, "-o", "mapped_run.h5", "--force")
            self.assertNotIn("meant for devices", said.stdout + said.stderr)
            with h5py.File(self.folder / "mapped_run.h5") as f:
                outputs.append(f["images/outputs"][()].tobytes())
        self.assertEqual(outputs[0], outputs[-1])

    DENSE = re.sub(r"(?m)^  (c1|conv1):.*\n", "", NETWORK).replace("from: c1", "from: image").replace("normalise: batch, dropout: 0.1, ", "")
    PVDF = ("--device", "pvdf", "--up", "-1.3 V 2 ms", "--down", "1.5 V 2 ms", "--most", "200")

    def test_learning_and_the_networks_training(self):
        def learnt(*sets):
            done = self.run_spinet("learn", "plain.yaml", "--data", "data", "--rule", "exact", "-o", "learnt.h5", "--force", *sets)
            with h5py.File(self.folder / "learnt.h5") as f:
                self.assertNotIn("saturated", f["learning"])
                return done.stderr, f["learning/loss"][1:].tolist()

        said, losses = learnt()
        self.assertEqual(said, "note: images come one by one here, so that of the network's training rate, batch, optimiser, validation are not used; "
                               "the rate is 0.05\n")
        self.assertEqual(len(losses), 4)
        said, again = learnt("--rate", "0.05", "--epochs", "2")
        self.assertEqual(said, "note: images come one by one here, so that of the network's training batch, optimiser, validation are not used\n")
        self.assertEqual(again, losses[:2])
        plain = ("--set", "training={epochs: 3, batch: 1, optimiser: sgd, rate: 0.05}")
        self.assertEqual(learnt(*plain), ("", losses[:3]))
        self.assertNotEqual(learnt("--set", "training={epochs: 3, batch: 1, optimiser: sgd, rate: 0.01}")[1], losses[:3])

    def test_saturated_trains(self):
        said = self.run_spinet("learn", "plain.yaml", "--data", "data", "--epochs", "1", *self.PVDF, "--rate", "0.5", "--slots", "1", "-o", "saturated.h5")
        self.assertRegex(said.stderr, r"(?m)^note: [\d.]+ % of the trains were saturated, with a pulse in every slot and more wanted, and weights changed by "
                                      r"0\.\d\d of what the rate asks; a lower --rate, more --slots, a greater --reach or pulses of a greater step are the ways out$")
        self.assertRegex(said.stdout, r"(?m)^ +epoch +loss +accuracy +test +pulses +saturated$")
        with h5py.File(self.folder / "saturated.h5") as f:
            share = f["learning/saturated"][:]
            self.assertTrue(np.isnan(share[0]) and 0.05 < share[1] < 1, share)
            self.assertIn(f" {100 * share[1]:.2f} %\n", said.stdout)
        said = self.run_spinet("learn", "plain.yaml", "--data", "data", "--epochs", "1", *self.PVDF, "--rate", "0.001")
        self.assertNotIn("saturated,", said.stderr)

    def test_learning_on_devices_that_the_network_names(self):
        dense = self.DENSE
        (self.folder / "mapped.yaml").write_text(dense.replace("{model: static, weight:", "{model: pvdf, program: {up: [-1.3 V, 2 ms], down: [1.5 V, 2 ms], most: 200}, weight:", 1))
        common = ("--data", "data", "--epochs", "1", "--force", "-o")
        self.run_spinet("learn", "mapped.yaml", *common, "by_network.h5")
        self.run_spinet("learn", "plain.yaml", *common, "by_options.h5", "--device", "pvdf", "--up", "-1.3 V 2 ms", "--down", "1.5 V 2 ms", "--most", "200")
        with h5py.File(self.folder / "by_network.h5") as a, h5py.File(self.folder / "by_options.h5") as b:
            for name in ("connections/read/weights", "layers/out/bias", "learning/loss"):
                self.assertEqual(a[name][()].tobytes(), b[name][()].tobytes(), name)
            self.assertGreater(a["learning/pulses"][1], 0)
        refused = self.run_spinet("learn", "plain.yaml", *common, "no.h5", code=2).stderr
        self.assertIn("the network names no devices for these weights, so that --device, --up and --down must", refused)
        refused = self.run_spinet("learn", "mapped.yaml", *common, "no.h5", "--device", "pcm", code=2).stderr
        self.assertIn("what the network says of these weights is for devices of model pvdf, so that --device pcm needs --up and --down", refused)
        (self.folder / "bad.yaml").write_text(dense.replace("dense, synapse", "all_to_all, synapse"))
        refused = self.run_spinet("learn", "bad.yaml", *common, "no.h5", code=2).stderr
        self.assertRegex(refused, r"(?m)^bad.yaml:\d+:3: error: cannot be trained: 'read' connects by all_to_all.*\n +\d+ \|   read: ")

    @staticmethod
    def datasets(group):
        names = []
        group.visititems(lambda _, o: names.append(o.name[1:]) if isinstance(o, h5py.Dataset) else None)
        return names

    def test_the_report(self):
        page = (self.folder / "whole.html").read_text()
        data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])["training"]
        with h5py.File(self.folder / "whole.h5") as f:
            np.testing.assert_allclose(data["epochs"]["loss"], f["training/epochs/loss"][:], rtol=1e-8)
            self.assertEqual(data["confusion"], f["training/test/confusion"][:].ravel().tolist())
            np.testing.assert_allclose(data["filters"]["values"], f["connections/conv1/weights"][:].ravel(), rtol=1e-5)
            self.assertEqual(len(data["worst"]["images"]), len(f["training/test/worst/image"]))
        self.run_spinet("report", "whole.h5", "--figures", "figures")
        made = {p.name for p in (self.folder / "figures").iterdir()}
        self.assertLessEqual({"accuracy.svg", "loss.svg", "confusion.svg", "filters.svg"}, made)
        self.train("-o", "short.h5", "--epochs", 2, "--no-report")
        self.run_spinet("report", "short.h5", "--figures", "short")
        for figure in ("accuracy.svg", "loss.svg"):  # no half epochs on the axis, which comes before the other
            shown = re.findall(r'<text [^>]*text-anchor="middle"[^>]*>([\d.]+)</text>', (self.folder / "short" / figure).read_text())
            self.assertEqual(shown, ["0", "1", "2"])
        (self.folder / "mine.html").write_text("mine")
        self.run_spinet("report", "whole.h5", "-o", "mine.html", code=2)
        self.assertEqual((self.folder / "mine.html").read_text(), "mine")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
