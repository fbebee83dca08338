"""spinet report --figures: every figure as SVG, against the log.

usage: figures.py SPINET [unittest arguments]
"""
import json
import os
import re
import xml.etree.ElementTree

import h5py

from support import ACTOR_CRITIC, Folder, main

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
        axes = {"raster": ("time (ms)", "neuron"), "rates": ("time (ms)", "rate (Hz)"), "rate_distribution": ("rate (Hz)", "% of neurons"), "isi": ("interspike interval (ms)", "% of intervals"),
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

    def test_intervals_of_any_length(self):
        """Seconds where milliseconds would be thousands; numbers on an axis that is a part of a decade."""
        for name, duration, times, label in (("slow", "30 s", "1 ms, 2 s, 13 s, 13.01 s", "interspike interval (s)"),
                                             ("quick", "3 us", "0.1 us, 1.1 us, 2.1 us", "interspike interval (ms)")):
            with open(self.path(f"{name}.yaml"), "w") as f:
                f.write(f"spinet: 1\nname: {name}\nduration: {duration}\ndelay_resolution: 100 ns\npopulations:\n"
                        f"  source: {{model: spike_source, size: 1, spikes: [{times}]}}\n"
                        "  n: {model: lif_delta, size: 1, params: {t_ref: 100 ns}}\n"
                        "projections: {p: {from: source, to: n, connect: all_to_all, "
                        "synapse: {model: static, weight: 100 mV, delay: 100 ns}}}\nrecord: {spikes: [n]}\n")
            self.run_spinet("run", f"{name}.yaml", "--quiet", "-o", f"{name}.h5")
            root, texts = self.figures(f"{name}.h5")["isi"]
            numbers = [t.text for t in root.iter(SVG + "text") if t.get("class") == "s" and t.get("text-anchor") == "middle"]
            self.assertIn(label, texts)
            self.assertGreaterEqual(len(numbers), 2, numbers)
            self.assertLess(max(map(float, numbers)), 1000)

    def test_many_populations(self):
        """14 of one sign: each has its name beside its rows, and no two the same colour and dashes."""
        names = [f"population_{k}_with_a_long_name".ljust(60, "x") for k in range(14)]
        with open(self.path("many.yaml"), "w") as f:
            f.write("spinet: 1\nname: many\nduration: 100 ms\npopulations:\n")
            f.write("".join(f"  {n}: {{model: lif_exp, size: {3 if k else 2000}, params: {{I_dc: 400 pA}}}}\n" for k, n in enumerate(names)))
            f.write("projections:\n" + "".join(f"  p{k}: {{from: {n}, to: {n}, connect: one_to_one, synapse: {{model: static, weight: 1 pA, delay: 1 ms}}}}\n" for k, n in enumerate(names)))
            f.write("record: {spikes: all}\n")
        self.run_spinet("run", "many.yaml", "--quiet", "-o", "many.h5")
        found = self.figures("many.h5")
        beside = "".join(t.text for t in found["raster"][0].iter(SVG + "text") if t.get("text-anchor") == "end" and t.get("font-size") == "11")
        for name in names:
            self.assertIn(name, beside)
        lines = [p for p in found["rates"][0].iter(SVG + "path") if p.get("data-name")]
        self.assertEqual(len({(p.get("stroke"), p.get("stroke-dasharray")) for p in lines}), 14)
        self.run_spinet("report", "many.h5")
        with open(self.path("many.html"), encoding="utf-8") as f:
            page = f.read()
        for p in json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))["populations"]:
            line = next(q for q in lines if q.get("data-name") == p["name"])
            self.assertEqual((re.search(rf"--{p['colour']}: (#\w+);", page).group(1), p["dashes"]), (line.get("stroke"), line.get("stroke-dasharray", "")))

    def test_frames_of_weights_stand_at_their_times(self):
        """Frames at 0, 1, 2, 3 s of 4 s: the axis ends with the last, the mean passes through them, and the variable has its name."""
        self.run_spinet("run", self.frames(), "--quiet", "-o", "frames.h5")
        root, texts = self.figures("frames.h5")["weights_p.G"]
        ticks = {float(t.text): float(t.get("x")) for t in root.iter(SVG + "text") if t.get("text-anchor") == "middle" and t.get("class") == "s"}
        self.assertEqual((min(ticks), max(ticks)), (0, 3))
        mean = [float(x) for x in re.findall(r"[ML]([\d.]+) ", dict(self.paths(root))["mean"])]
        for k, x in enumerate(mean):
            self.assertAlmostEqual(x, ticks[0] + (ticks[3] - ticks[0]) * k / 3, delta=0.1)
        self.assertEqual(len(mean), 4)
        self.assertIn("G (uS)", texts)

    def test_metrics(self):
        self.run_spinet("run", ACTOR_CRITIC, "--duration", "6s", "--quiet", "-o", "metrics.h5")
        found = self.figures("metrics.h5")
        self.assertEqual({n for n in found if n.startswith("metric_")}, {f"metric_task_{m}" for m in ("epoch", "expected", "reward", "reward_filtered")})
        root, texts = found["metric_task_reward"]
        with h5py.File(self.path("metrics.h5")) as log:
            rewards = log["metrics/task/reward"][:]
        per_point = -(-len(rewards) // 600)
        ticks = {float(t.text): float(t.get("y")) - 3.5 for t in root.iter(SVG + "text") if t.get("text-anchor") == "end" and t.get("class") == "s"}
        (name, d), = self.paths(root)
        heights = [(ticks[0] - float(y)) / (ticks[0] - ticks[1]) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", d)]
        self.assertEqual((name, len(heights)), ("reward", -(-len(rewards) // per_point)))
        for k, h in enumerate(heights):
            self.assertAlmostEqual(h, rewards[k * per_point:(k + 1) * per_point].mean(), delta=0.002)

    def test_metrics_of_others(self):
        """What cannot be read of metrics is a warning, and the rest is drawn."""
        self.run_spinet("run", ACTOR_CRITIC, "--duration", "1s", "--quiet", "-o", "short.h5")
        with h5py.File(self.copy("short.h5", "broken.h5"), "a") as log:
            del log["metrics/task/reward"]
            log["metrics/task/reward"] = [1.0, 2.0]
        self.assertIn("The metrics of task cannot be shown: reward has 2 rows", self.run_spinet("report", "broken.h5", "--figures", "broken").stdout)
        self.assertIn("rates.svg", os.listdir(self.path("broken")))

    def test_sources(self):
        self.run_spinet("run", self.sources(), "--quiet", "-o", "sources.h5")
        found = self.figures("sources.h5")
        self.assertEqual({name for name, _ in self.paths(found["rates"][0])}, {"exc"})
        self.assertEqual({name for name, _ in self.paths(found["source_rates"][0])}, {"quiet", "busy", "together"})

    def test_files_are_not_lost(self):
        os.makedirs(self.path("mine"))
        with open(self.path("mine/rates.svg"), "w") as f:
            f.write("<svg/>")
        self.refused("report", "two_neurons.h5", "--figures", "mine", message="rates.svg: exists already and is no figure of Spinet; give another folder with --figures")
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
