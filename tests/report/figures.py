"""spinet report --figures: every figure as SVG, against the log.

usage: figures.py SPINET [unittest arguments]
"""
import os
import re
import xml.etree.ElementTree

import h5py

from support import Folder, main

SVG = "{http://www.w3.org/2000/svg}"


class Figures(Folder):
    logs = ("two_neurons", "balanced")

    def figures(self, log, *options):
        """Name -> (root, texts) of every picture of a log."""
        self.run_spinet("report", log, "--figures", "pictures", "--force", *options)
        found = {}
        for name in os.listdir(self.path("pictures")):
            root = xml.etree.ElementTree.parse(self.path(f"pictures/{name}")).getroot()
            self.assertEqual(root.tag, SVG + "svg", name)
            found[name.removesuffix(".svg")] = (root, [t.text or "" for t in root.iter(SVG + "text")])
            os.remove(self.path(f"pictures/{name}"))
        return found

    @staticmethod
    def paths(root):
        """Of what the file names: [(name, path data)]."""
        return [(p.get("data-name"), p.get("d")) for p in root.iter(SVG + "path") if p.get("data-name")]

    def test_spikes_one_by_one(self):
        found = self.figures("two_neurons.h5")
        self.assertLessEqual({"raster", "rates", "rate_distribution", "isi"}, set(found))
        self.assertEqual(sum(name.startswith("trace_") for name in found), 2)
        root, texts = found["raster"]
        x0, x1 = (float(next(t for t in root.iter(SVG + "text") if t.text == end).get("x")) for end in ("0", "100"))
        with h5py.File(self.path("two_neurons.h5")) as log:
            for name, d in self.paths(root):
                at = [float(x) for x in re.findall(r"M([\d.]+) ", d)]
                times = log[f"spikes/{name}/timestamps"][:]
                self.assertEqual(len(at), len(times))
                for x, t in zip(at, times):
                    self.assertAlmostEqual(x, x0 + (x1 - x0) * t / 100, delta=0.1)
        self.assertEqual({name for name, _ in self.paths(root)}, {"driver", "follower"})
        self.assertEqual({name for name, _ in self.paths(found["source_raster"][0])}, {"stimulus"})
        self.assertLessEqual({"time (ms)", "neuron", "driver (excitatory)", "follower (inhibitory)"}, set(texts))

    def test_labels_of_axes(self):
        found = self.figures("balanced.h5")
        axes = {"raster": ("time (ms)", "neuron"), "rates": ("time (ms)", "rate (Hz)"), "rate_distribution": ("rate (Hz)", "% of neurons"), "isi": ("ISI (ms)", "% of intervals"),
                "cv": ("coefficient of variation", "% of neurons"), "correlation": ("correlation coefficient", "% of pairs"), "weights_recurrent": ("time (ms)", "weight (pA)"),
                "final_weights_recurrent": ("weight (pA)", "synapses"), "weight_changes_recurrent": ("time (ms)", "weight")}
        self.assertEqual(set(found), set(axes))
        for name, (root, _) in found.items():
            self.assertEqual(tuple(t.text for t in root.iter(SVG + "text") if t.get("class") == "label"), axes[name], name)
        colour = {name: root.get("stroke") for name, root in ((p.get("data-name"), p) for p in found["rates"][0].iter(SVG + "path")) if name}
        self.assertEqual(colour, {"exc": "#1f5fa8", "inh": "#c4432b"})

    def test_final_weights(self):
        """The heights of the steps are the numbers of synapses of the last frame."""
        root, texts = self.figures("balanced.h5")["final_weights_recurrent"]
        (name, d), = self.paths(root)
        ticks = {float(t.text): float(t.get("y")) - 3.5 for t in root.iter(SVG + "text") if t.get("text-anchor") == "end" and t.get("class") == "s"}
        low, high = min(ticks), max(ticks)
        unit = (ticks[low] - ticks[high]) / (high - low)
        heights = [(ticks[low] - float(y)) / unit + low for y in re.findall(r"[ML][\d.]+ ([\d.]+)H", d)]
        self.assertEqual((name, sum(round(h) for h in heights)), ("recurrent", 300))

    def test_density_seconds_and_colour_bars(self):
        self.run_spinet("run", "balanced.yaml", "--duration", "2s", "--quiet", "-o", "long.h5")
        root, texts = self.figures("long.h5")["raster"]
        self.assertIn("time (s)", texts)
        self.assertIn("spikes per cell, exc (excitatory)", texts)
        self.assertEqual(sum(r.get("class") == "scale" for r in root.iter(SVG + "rect")), 16)  # two bars of eight levels
        self.assertEqual({name for name, _ in self.paths(root)}, {"exc", "inh"})

    def test_sources(self):
        self.run_spinet("run", self.sources(), "--quiet", "-o", "sources.h5")
        found = self.figures("sources.h5")
        self.assertEqual({name for name, _ in self.paths(found["rates"][0])}, {"exc"})
        self.assertEqual({name for name, _ in self.paths(found["source_rates"][0])}, {"quiet", "busy", "together"})

    def test_files_are_not_lost(self):
        os.makedirs(self.path("mine"))
        with open(self.path("mine/rates.svg"), "w") as f:
            f.write("<svg/>")
        self.refused("report", "two_neurons.h5", "--figures", "mine", message="rates.svg: exists already")
        self.assertEqual(os.listdir(self.path("mine")), ["rates.svg"])
        self.refused("report", "two_neurons.h5", "--figures", "two_neurons.h5", message="two_neurons.h5")
        self.run_spinet("report", "two_neurons.h5", "--figures", "mine", "--force")
        self.run_spinet("report", "two_neurons.h5", "--figures", "mine")  # pictures replace pictures
        self.assertFalse(os.path.exists(self.path("two_neurons.html")))

    def test_names_of_others(self):
        with h5py.File(self.copy("two_neurons.h5", "names.h5"), "a") as log:
            log["spinet"].attrs["network_name"] = "a<b>&\"c\""
            rows = log["report"]
            for k, name in enumerate(list(rows)):
                rows[name].attrs["variable"] = f"../<{k}>"
        found = self.figures("names.h5")
        self.assertTrue(all(re.fullmatch(r"[\w.-]+", name) for name in found), list(found))
        self.assertTrue(any(t.startswith('a<b>&"c"') for t in found["rates"][1]))


if __name__ == "__main__":
    main()
