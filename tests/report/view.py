"""spinet view: fits its width, shows what is in the log, needs no UTF-8.  usage: view.py SPINET [unittest arguments]"""
import os
import re
import subprocess

import h5py
import numpy as np

from support import Folder, SPINET, main


class View(Folder):
    logs = ("two_neurons", "balanced")

    def lines(self, *arguments, **environment):
        done = self.spinet("view", *arguments, **{"LC_ALL": "C.UTF-8", "COLUMNS": "", **environment})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_width(self):
        for width in (30, 57, 80, 200):
            for log in ("two_neurons.h5", "balanced.h5"):
                for ascii in ((), ("--ascii",)):
                    with self.subTest(width=width, log=log, ascii=ascii):
                        lines = self.lines(log, "--width", str(width), *ascii)
                        self.assertLessEqual(max(map(len, lines[1:])), width)  # the first line is for reading, not a plot
                        self.assertGreater(max(map(len, lines)), width - 3)
        self.assertEqual(max(map(len, self.lines("balanced.h5", COLUMNS="70")[1:])), 70)
        self.assertEqual(self.lines("balanced.h5"), self.lines("balanced.h5", "--width", "80"))

    def test_characters(self):
        utf8 = "\n".join(self.lines("balanced.h5"))
        self.assertRegex(utf8, "[\u2801-\u28ff]")
        self.assertRegex(utf8, "[\u2581-\u2588]")
        for text in (self.lines("balanced.h5", "--ascii"), self.lines("balanced.h5", LC_ALL="C")):
            self.assertTrue("\n".join(text).isascii())
            self.assertRegex("\n".join(text), "[.:+#]{3}")
        for text in (utf8, "\n".join(self.lines("balanced.h5", "--ascii"))):
            self.assertIn("Raster", text)
            self.assertIn("Population rates in bins of", text)
            self.assertIn("Rates of neurons", text)

    def test_every_spike_of_two_neurons_is_a_dot(self):
        lines = self.lines("two_neurons.h5", "--width", "80")
        dots = {}
        for line in lines[2:]:
            if line.startswith("Population"):
                break
            name, _, braille = line.strip().partition(" ")
            if any("\u2800" <= c <= "\u28ff" for c in braille):
                dots[name] = [2 * i + x for i, c in enumerate(braille) for x, bits in ((0, 0x47), (1, 0xB8)) if (ord(c) - 0x2800) & bits]
        with h5py.File(self.path("two_neurons.h5")) as log:
            for population, group in log["spikes"].items():
                columns = 2 * (80 - 8 - 1)
                self.assertEqual(dots[population], [int(t / 100 * columns) for t in group["timestamps"][:]], population)

    def test_figures(self):
        text = "\n".join(self.lines("balanced.h5"))
        with h5py.File(self.path("balanced.h5")) as log:
            for population, size in (("exc", 1000), ("inh", 250)):
                nodes = log[f"spikes/{population}/node_ids"][:]
                silent = size - len(np.unique(nodes))
                self.assertIn(f"mean {len(nodes) / size / 0.3:.4g} Hz, {silent} of {size:,} neurons silent", text)

    def test_window(self):
        lines = self.lines("balanced.h5", "--from", "100", "--to", "150")
        self.assertIn("Raster, 100 ms to 150 ms", "\n".join(lines))
        for arguments, message in ((["--from", "300"], "not before the end of the run"), (["--from", "100", "--to", "50"], "not before --to"),
                                   (["--width", "5"], "not in range"), (["--from", "-1"], "--from")):
            done = self.spinet("view", "balanced.h5", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(message, done.stdout + done.stderr)

    def test_a_closed_pipe_and_a_full_disk(self):
        done = subprocess.run(f"{SPINET} view balanced.h5 | head -1", shell=True, cwd=self.folder, text=True, capture_output=True, timeout=60)
        self.assertEqual((done.stdout.count("\n"), done.stderr), (1, ""))
        with open("/dev/full", "w") as full:
            done = subprocess.run([SPINET, "view", "balanced.h5"], cwd=self.folder, text=True, stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (3, 1))
        self.assertRegex(done.stderr, "^spinet: .*(cannot write|cannot be written)")

    def test_missing(self):
        self.refused("view", "nowhere.h5", message="nowhere.h5: no such file")
        with open(self.path("text.h5"), "w") as f:
            f.write("not HDF5")
        self.refused("view", "text.h5", message="text.h5: ")


main()
