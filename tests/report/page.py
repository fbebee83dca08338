"""spinet report: what the page's data say against the log, and the page itself in headless Chromium.

usage: page.py SPINET [unittest arguments].  Exit code 77: no Chromium, so that only the data were checked.
"""
import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import h5py
import numpy as np

from browser import CHROMIUM, HANDS_ON, SAVE_PICTURES, SAVE_TABLES, Dom, open_all, print_page
from support import ACTOR_CRITIC, Folder, unittest


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))


def points_of(population):
    raw, numbers, n, shift = base64.b64decode(population["points"]["data"]), [], 0, 0
    for byte in raw:
        n |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            numbers.append(n)
            n = shift = 0
    return np.cumsum(numbers[0::2]), np.array(numbers[1::2])


class Data(Folder):
    logs = ("two_neurons", "balanced")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_spinet("report", "balanced.h5")
        with open(cls.path("balanced.html"), encoding="utf-8") as f:
            cls.page = f.read()
        cls.data = data_of(cls.page)

    def spikes(self, population):
        with h5py.File(self.path("balanced.h5")) as log:
            group = log[f"spikes/{population}"]
            return np.rint(group["timestamps"][:] * log["spinet"].attrs["ticks_per_ms"]).astype("i8"), group["node_ids"][:].astype("i8")

    def test_nothing_is_loaded(self):
        self.assertIn("default-src 'none'", self.page)
        for outside in re.findall(r'(?:src|href)\s*=\s*["\']?([^"\' >]+)', self.page.split('id="data"')[0]):
            self.assertTrue(outside.startswith("data:"), outside)
        self.assertNotRegex(self.page.replace("http://www.w3.org/2000/svg", ""), r"https?://|@import|url\((?!#)")

    def test_what_ran(self):
        run = self.data["run"]
        with h5py.File(self.path("balanced.h5")) as log:
            head = log["spinet"].attrs
            self.assertEqual((run["network"], run["seed"], run["ranks"], run["version"].encode()), ("balanced", int(head["seed"]), int(head["ranks"]), head["version"]))
            self.assertEqual(self.data["yaml"], log["spinet/network"][()].decode())
        self.assertEqual((run["duration_s"], run["reached_s"]), (0.3, 0.3))
        self.assertEqual(run["status"], "complete")
        self.assertGreater(run["run_s"], 0)

    def test_raster(self):
        for p in self.data["populations"]:
            ticks, nodes = self.spikes(p["name"])
            self.assertTrue(p["points"]["whole"])
            found = points_of(p)
            np.testing.assert_array_equal(found[0], ticks)
            np.testing.assert_array_equal(found[1], nodes)
            d = p["density"]
            cells = np.frombuffer(base64.b64decode(d["data"]), "u1" if d["bytes"] == 1 else "<u2").reshape(d["rows"], d["columns"])
            self.assertEqual(int(cells.sum()), len(ticks))
            rows = np.bincount(nodes * d["rows"] // p["size"], minlength=d["rows"])
            np.testing.assert_array_equal(cells.sum(axis=1), rows)

    def test_rates_and_intervals(self):
        for p in self.data["populations"]:
            ticks, nodes = self.spikes(p["name"])
            self.assertEqual(sum(p["counts"]), len(ticks))
            bins = np.floor(ticks / (self.data["bin_ms"] * 1e6) + 1e-12).astype(int)
            np.testing.assert_array_equal(p["counts"], np.bincount(bins, minlength=len(p["counts"])))
            self.assertAlmostEqual(p["rate"], len(ticks) / p["size"] / 0.3, delta=1e-4 * p["rate"])
            count = np.bincount(nodes, minlength=p["size"])
            self.assertEqual(p["active"], int((count > 0).sum()))
            edges = p["rates"]["from"] + p["rates"]["width"] * np.arange(len(p["rates"]["counts"]) + 1)
            np.testing.assert_array_equal(p["rates"]["counts"], np.histogram(count / 0.3 + 1e-6, edges)[0])
            trains = [ticks[nodes == n] / 1e6 for n in np.flatnonzero(count > 1)]
            isi = np.concatenate([np.diff(t) for t in trains])
            self.assertEqual(p["isi"]["intervals"], len(isi))
            first = self.data["isi_bins"]["first_decade"] + p["isi"]["first"] / self.data["isi_bins"]["per_decade"]
            found = np.histogram(np.log10(isi), first + np.arange(len(p["isi"]["counts"]) + 1) / self.data["isi_bins"]["per_decade"])[0]
            np.testing.assert_array_equal(p["isi"]["counts"], found)
            cv = [np.std(np.diff(t), ddof=1) / np.mean(np.diff(t)) for t in trains if len(t) > self.data["cv_intervals"]]
            self.assertEqual(p["cvs"]["n"], len(cv))
            if cv:
                self.assertAlmostEqual(p["cvs"]["mean"], np.mean(cv), places=5)

    def test_correlation(self):
        checked = 0
        for p in self.data["populations"]:
            ticks, nodes = self.spikes(p["name"])
            rows = min(100, p["size"])
            starts = [-(-r * p["size"] // rows) for r in range(rows + 1)]
            chosen = [a + (b - a - 1) // 2 for a, b in zip(starts, starts[1:])]
            trains = [ticks[nodes == n] / 1e6 for n in chosen]
            trains = [t for t in trains if len(t) >= self.data["least_spikes"]][:60]
            self.assertEqual(p["correlation_neurons"], len(trains))
            if len(trains) < 2:
                continue
            bins = np.arange(0, 300 + 1e-9, self.data["correlation_bin_ms"])
            c = np.corrcoef([np.histogram(t, bins)[0] for t in trains])[np.triu_indices(len(trains), 1)]
            self.assertEqual(p["correlations"]["n"], len(c))
            self.assertAlmostEqual(p["correlations"]["mean"], c.mean(), places=5)
            self.assertEqual(sum(p["correlation"]["counts"]), len(c))
            checked += 1
        self.assertGreater(checked, 0)

    def test_weights(self):
        w, = self.data["weights"]
        self.assertEqual((w["name"], w["units"], w["edges"], len(w["shown"])), ("recurrent", "pA", 300, 21))
        edges = w["from"] + w["width"] * np.arange(len(w["shown"][0]["counts"]) + 1)
        for frame, walk in zip(w["shown"], self.walk.astype("f8")):
            self.assertAlmostEqual(frame["mean"], walk.mean(), places=4)
            self.assertAlmostEqual(frame["sd"], walk.std(ddof=1), places=4)
            self.assertEqual((sum(frame["counts"]), frame["min"], frame["max"]), (300, *(float(f"{x:.7g}") for x in (walk.min(), walk.max()))))
            found = np.histogram(walk, edges)[0]
            self.assertLessEqual(np.abs(found - frame["counts"]).max(), 1)  # a weight on the edge of a bin
        c, = self.data["changes"]
        self.assertEqual(sum(s["changes"] for s in c["synapses"]), 50)

    def test_traces(self):
        self.run_spinet("report", "two_neurons.h5")
        with open(self.path("two_neurons.html"), encoding="utf-8") as f:
            traces = data_of(f.read())["traces"]
        with h5py.File(self.path("two_neurons.h5")) as log:
            self.assertEqual(len(traces), len(log["report"]))
            for t in traces:
                values = log[f"spinet/reports/{t['name']}/data"][:]
                self.assertEqual((t["units"], t["frames"]), ("mV", len(values)))
                np.testing.assert_allclose(t["shown"][0]["low"], values[:, 0], rtol=1e-5)

    def test_long_traces_keep_their_extremes(self):
        path = self.copy("two_neurons.h5", "long.h5")
        values = np.sin(np.arange(10_000)).astype("f4")
        values[4321] = 1000
        with h5py.File(path, "a") as log:
            place = next(iter(log["report"].values()))
            time, units = place["mapping/time"], place["data"].attrs["units"]
            time[1] = time[0] + len(values) * time[2]
            del place["data"]
            place.create_dataset("data", data=values[:, None]).attrs["units"] = units
        self.run_spinet("report", "long.h5")
        with open(self.path("long.html"), encoding="utf-8") as f:
            trace = data_of(f.read())["traces"][0]
        n = trace["per_point"]
        self.assertEqual(n, 9)
        np.testing.assert_allclose(trace["shown"][0]["high"], [values[i:i + n].max() for i in range(0, len(values), n)], rtol=1e-5)
        np.testing.assert_allclose(trace["shown"][0]["low"], [values[i:i + n].min() for i in range(0, len(values), n)], rtol=1e-5)

    def spikes_written(self, name, trains, size=50):
        """two_neurons.h5 with other spikes of its driver, which is now of `size` neurons; end: 100 ms."""
        path = self.copy("two_neurons.h5", name)
        spikes = sorted((t, n) for n, train in enumerate(trains) for t in train)
        with h5py.File(path, "a") as log:
            rows = log["spinet/populations"][:]
            rows["size"][[r["name"] == b"driver" for r in rows]] = size
            log["spinet/populations"][...] = rows
            group = log["spikes/driver"]
            group.attrs["neurons"] = np.uint64(size)
            for column, values, kind in (("timestamps", [t for t, _ in spikes], "f8"), ("node_ids", [n for _, n in spikes], "u8")):
                del group[column]
                group[column] = np.array(values, kind)
        return self.run_spinet("report", name).stdout

    def test_warnings(self):
        self.assertNotIn("driver is", self.run_spinet("report", "two_neurons.h5", "-o", "calm.html").stdout)
        self.assertIn("No spike of driver was recorded", self.spikes_written("silent.h5", []))
        self.assertIn("driver is saturated: 100 %", self.spikes_written("saturated.h5", [np.arange(1 + n / 100, 100, 2.5) for n in range(50)]))
        together = self.spikes_written("synchronous.h5", [np.arange(3 + n / 1000, 100, 7) for n in range(50)])
        self.assertIn("driver is synchronous", together)
        random = np.random.default_rng(2)
        apart = self.spikes_written("apart.h5", [np.unique(np.round(random.uniform(0, 100, 14), 3)) for _ in range(50)])
        self.assertNotIn("driver is", apart)

    def test_a_sample_keeps_whole_neurons(self):
        """More spikes than one report keeps: evenly spaced neurons, each with all its spikes."""
        random = np.random.default_rng(3)
        trains = [np.unique(np.round(random.uniform(0, 99, 1200), 4)) for _ in range(1000)]
        self.spikes_written("many.h5", trains, size=1000)
        self.assertLess(os.path.getsize(self.path("many.html")), 5_000_000)
        with open(self.path("many.html"), encoding="utf-8") as f:
            p = next(p for p in data_of(f.read())["populations"] if p["name"] == "driver")
        self.assertFalse(p["points"]["whole"])
        self.assertEqual(len(p["points"]["nodes"]), p["points"]["rows"])
        self.assertGreaterEqual(p["points"]["rows"], 128)
        ticks, rows = points_of(p)
        for row, node in enumerate(p["points"]["nodes"]):
            np.testing.assert_allclose(ticks[rows == row] / 1e6, trains[node], atol=1e-6)
        self.assertLess(np.ptp(np.diff(p["points"]["nodes"])), 3)

    def test_what_excites_and_what_inhibits(self):
        signs = {p["name"]: p["sign"] for p in self.data["run"]["populations"]}
        self.assertEqual(signs, {"exc": 1, "inh": -1, "noise": 1})
        self.assertEqual({p["name"]: p["sign"] for p in self.data["populations"]}, {"exc": 1, "inh": -1})
        with h5py.File(self.copy("balanced.h5", "unsigned.h5"), "a") as log:
            del log["spinet/signs"]
        self.run_spinet("report", "unsigned.h5")
        with open(self.path("unsigned.html"), encoding="utf-8") as f:
            self.assertEqual({p["sign"] for p in data_of(f.read())["populations"]}, {0})

    def test_signs_of_a_population_that_does_both(self):
        """a has weights of both signs, b magnitudes on a port that inhibits, c none."""
        with open(self.path("mixed.yaml"), "w") as f:
            synapse = lambda weight: f"connect: all_to_all, synapse: {{model: static, {weight}, delay: 1 ms}}"
            f.write("spinet: 1\nname: mixed\nduration: 5 ms\npopulations:\n" + "".join(f"  {n}: {{model: lif_exp, size: 2}}\n" for n in "abc") +
                    f"projections:\n  plus: {{from: a, to: c, {synapse('weight: 5 pA')}}}\n  minus: {{from: a, to: c, {synapse('weight: -5 pA')}}}\n"
                    f"  magnitudes: {{from: b, to: c, {synapse('port: inh, weight: 5 pA')}}}\nrecord: {{spikes: [a, b, c]}}\n")
        self.run_spinet("run", "mixed.yaml", "--quiet", "-o", "mixed.h5")
        with h5py.File(self.path("mixed.h5")) as log:
            self.assertEqual(list(log["spinet/signs"]), [0, -1, 0])

    def test_sources_are_not_neurons(self):
        """A source is no silent, saturated or synchronous population, and its rates make no bins for neurons."""
        self.run_spinet("run", self.sources(), "--quiet", "-o", "sources.h5")
        out = self.run_spinet("report", "sources.h5").stdout
        for name in ("quiet", "busy", "together"):
            self.assertNotIn(f"{name} is", out)
        with open(self.path("sources.html"), encoding="utf-8") as f:
            of = {p["name"]: p for p in data_of(f.read())["populations"]}
        self.assertEqual({n: p["kind"] for n, p in of.items()}, {"exc": "neuron", "quiet": "source", "busy": "source", "together": "source"})
        self.assertEqual((of["busy"]["spikes"] > 0, of["quiet"]["spikes"], of["together"]["correlations"]["mean"] > 0.5), (True, 0, True))
        self.assertLess(of["exc"]["rates"]["width"] * len(of["exc"]["rates"]["counts"]), of["busy"]["rate"] / 2)

    def test_templates_warn_of_nothing(self):
        for name in ("two_neurons", "balanced", "stdp"):
            self.run_spinet("init", name, "-o", f"first_{name}.yaml")
            self.run_spinet("run", f"first_{name}.yaml", "--quiet", "-o", f"first_{name}.h5")
            self.assertNotIn("Warning", self.run_spinet("report", f"first_{name}.h5").stdout, name)

    def test_text_of_others_stays_text(self):
        path = self.copy("two_neurons.h5", "names.h5")
        with h5py.File(path, "a") as log:
            log["spinet"].attrs["network_name"] = np.bytes_(b"</script><script>alert(1)</script>\xff\x1b[2J")
        self.run_spinet("report", "names.h5")
        with open(self.path("names.html"), encoding="utf-8") as f:
            page = f.read()
        self.assertNotIn("<script>alert", page)
        self.assertEqual(data_of(page)["run"]["network"], "</script><script>alert(1)</script>\ufffd\ufffd[2J")

    def test_rates_are_of_what_was_recorded(self):
        """Every fourth neuron, in the second 150 ms: rates, silence and intervals refer to these."""
        with open(self.path("balanced.yaml")) as f:
            text = re.sub(r"(?ms)^record:.*?(?=^\S|\Z)", "", f.read())
        with open(self.path("part.yaml"), "w") as f:
            f.write(text + "\nrecord:\n  spikes: [{population: exc, every: 4, from: 150 ms}, inh]\n")
        self.run_spinet("run", "part.yaml", "--duration", "300ms", "--quiet", "-o", "part.h5")
        self.run_spinet("report", "part.h5")
        with open(self.path("part.html"), encoding="utf-8") as f:
            exc, inh = data_of(f.read())["populations"]
        ticks, nodes = self.spikes("exc")
        seen = (ticks >= 150_000_000) & (nodes % 4 == 0)
        self.assertEqual((exc["from"], exc["to"], exc["neurons"], exc["size"], inh["from"], inh["neurons"]), (150, 300, 250, 1000, 0, 250))
        self.assertEqual(exc["spikes"], int(seen.sum()))
        self.assertAlmostEqual(exc["rate"], seen.sum() / 250 / 0.15, delta=1e-4 * exc["rate"])
        self.assertEqual(sum(exc["rates"]["counts"]) + exc["rates"]["above"], 250)
        view = self.run_spinet("view", "part.h5", "--ascii").stdout
        self.assertIn(f"mean {seen.sum() / 250 / 0.15:.4g} Hz, {250 - len(np.unique(nodes[seen]))} of 250 recorded neurons silent "
                      "from 150 ms to 300 ms", view)
        rows = min(100, 1000)
        chosen = [(r * 1000 // rows) + (10 - 1) // 2 for r in range(rows)]
        trains = [ticks[seen & (nodes == n)] / 1e6 for n in chosen]
        trains = [t for t in trains if len(t) >= self.data["least_spikes"]][:60]
        self.assertEqual(exc["correlation_neurons"], len(trains))

    def test_what_was_not_recorded_is_not_silent(self):
        """What fired and what of it was recorded are kept apart, each with its own rate."""
        with open(self.path("parts.yaml"), "w") as f:
            f.write("""spinet: 1
name: parts
duration: 2 s
populations:
  a: {model: lif_delta, size: 10, params: {I_dc: 400 pA}}
  b: {model: lif_delta, size: 4, params: {I_dc: [0 pA, 0 pA, 0 pA, 400 pA]}}
  none: {model: lif_delta, size: 5}
  driver: {model: spike_source, size: 1, spikes: [1 ms]}
schedule: [{at: 500 ms, set: {a: {I_dc: 0 pA}}}]
record: {spikes: [{population: a, from: 1 s, to: 1500 ms}, {population: b, ids: [0, 1, 2]}, none, driver]}
""")
        self.run_spinet("run", "parts.yaml", "--quiet", "-o", "parts.h5")
        run = json.loads(self.run_spinet("info", "parts.h5", "--json").stdout)
        fired = {p["name"]: (p["fired"], p["spikes"]) for p in run["populations"] if p["kind"] == "neuron"}
        self.assertTrue(fired["a"][0] > 0 and fired["b"][0] > 0 and fired["a"][1] == fired["b"][1] == 0, fired)
        shown = self.run_spinet("info", "parts.h5").stdout
        self.assertRegex(shown, rf"\na +lif_delta +10 +{fired['a'][0]} +{fired['a'][0] / 20:g} Hz +0 +0 Hz\n")
        self.assertRegex(shown, r"\ndriver +spike_source +1 +1 +0.5 Hz +1 +0.5 Hz\n")
        self.assertIn("recorded  a: 10 of 10 neurons from 1 s to 1.5 s\nrecorded  b: 3 of 4 neurons\n", shown)
        said = self.run_spinet("report", "parts.h5").stdout
        self.assertIn(f"No spike of a was recorded: none of its 10 neurons fired from 1 s to 1.5 s. "
                      f"In the whole run its 10 neurons fired {fired['a'][0]} times.", said)
        self.assertIn("No spike of b was recorded: none of its 3 recorded neurons fired.", said)
        self.assertEqual([w.split(" is silent")[0].split()[-1] for w in said.splitlines() if "is silent" in w], ["none"])
        view = self.run_spinet("view", "parts.h5", "--ascii").stdout
        self.assertIn("10 of 10 neurons silent from 1 s to 1.5 s", view)
        self.assertIn("3 of 3 recorded neurons silent", view)

    def test_more_neurons_fired_than_were_recorded(self):
        """A damaged number must not become a negative one."""
        with h5py.File(self.copy("balanced.h5", "few.h5"), "a") as log:
            log["spikes/exc"].attrs["neurons"] = np.uint64(3)
        self.run_spinet("report", "few.h5")
        with open(self.path("few.html"), encoding="utf-8") as f:
            exc = data_of(f.read())["populations"][0]
        self.assertEqual(exc["neurons"], exc["active"])
        self.assertRegex(self.run_spinet("view", "few.h5", "--ascii").stdout, r"Hz, 0 of [\d,]+ (recorded )?neurons silent")
        with h5py.File(self.path("few.h5"), "a") as log:
            log["spikes/exc"].attrs["neurons"] = np.uint64(5000)
        self.refused("report", "few.h5", message="what was recorded of exc makes no sense")

    def test_files_are_not_lost(self):
        with open(self.path("notes.html"), "w") as f:
            f.write("mine")
        self.refused("report", "two_neurons.h5", "-o", "notes.html", message="notes.html: exists already")
        self.refused("report", "two_neurons.h5", "-o", "two_neurons.h5", message="is the log itself")
        self.refused("report", "two_neurons.h5", "--force", "-o", "two_neurons.h5", message="is the log itself")
        self.refused("report", "two_neurons.h5", "-o", "nowhere/x.html", message="there is no folder")
        self.refused("report", "nowhere.h5", message="nowhere.h5: no such file")
        self.refused("report", self.folder, message="is a folder, not a log")
        with open(self.path("notes.html")) as f:
            self.assertEqual(f.read(), "mine")
        self.run_spinet("report", "two_neurons.h5", "-o", "notes.html", "--force")
        self.run_spinet("report", "two_neurons.h5", "-o", "notes.html")  # a report replaces a report

    def test_malformed_weights_are_a_warning(self):
        def broken(name, change):
            with h5py.File(self.copy("balanced.h5", name), "a") as log:
                change(log)
            return self.run_spinet("report", name).stdout

        def no_units(log): del log["weights/recurrent/data"].attrs["units"]
        def no_mapping(log): del log["weights/recurrent/mapping"]
        def few_targets(log):
            del log["weights/recurrent/mapping/target_node_id"]
            log["weights/recurrent/mapping/target_node_id"] = np.zeros(7, "u8")
        def flat(log):
            del log["weights/recurrent/data"]
            log["weights/recurrent/data"] = np.zeros(300, "f4")
        def no_values(log): del log["weight_events/recurrent/values"]
        def a_file(log):
            del log["weights/recurrent"]
            log["weights/recurrent"] = 1.0
        for name, change, message in (("units", no_units, "units"), ("mapping", no_mapping, "mapping"), ("targets", few_targets, "target_node_id has 7 edges, data has 300"),
                                      ("flat", flat, "has 1 dimensions, not 2"), ("values", no_values, "values"), ("leaf", a_file, "recurrent")):
            with self.subTest(name):
                out = broken(f"{name}.h5", change)
                self.assertIn("of recurrent cannot be shown:", out)
                self.assertIn(message, out)

    def test_a_run_that_recorded_nothing(self):
        with h5py.File(self.copy("two_neurons.h5", "empty.h5"), "a") as log:
            for group in ("spikes", "report"):
                del log[group]
            log.create_group("spikes")
        self.run_spinet("report", "empty.h5")
        with open(self.path("empty.html"), encoding="utf-8") as f:
            self.assertEqual(data_of(f.read())["populations"], [])


@unittest.skipUnless(CHROMIUM, "no Chromium (Debian: chromium): the page was not opened")
class Browser(Folder):
    logs = ("two_neurons", "balanced")

    VIEWS = (("balanced", "balanced.html", "", 1200, False), ("balanced dark", "balanced.html", "", 1200, True), ("balanced narrow", "balanced.html", "", 420, False),
             ("zoomed", "balanced.html", "#from=100&to=120&show=spikes", 1200, False), ("density", "balanced.html", "#show=density", 1200, False),
             ("two_neurons", "two_neurons.html", "", 1200, True), ("tables", "tables.html", "", 1200, False), ("hands", "hands.html", "", 1200, False),
             ("pictures", "pictures.html", "", 1200, True), ("sources", "sources.html", "", 1200, False), ("long", "long.html", "#show=density", 1200, False),
             ("empty", "empty.html", "", 1200, False), ("metrics", "metrics.html", "", 1200, False), ("frames", "frames.html", "", 1200, False))

    @classmethod
    def setUpClass(cls):
        """All pages, opened in two starts of the browser: a light and a dark one."""
        super().setUpClass()
        with h5py.File(cls.copy("two_neurons.h5", "empty.h5"), "a") as log:
            for group in ("spikes", "report"):
                del log[group]
            log.create_group("spikes")
        cls.run_spinet("run", cls.sources(), "--quiet", "-o", "sources.h5")
        cls.run_spinet("run", "balanced.yaml", "--duration", "2s", "--quiet", "-o", "long.h5")
        cls.run_spinet("run", ACTOR_CRITIC, "--duration", "12s", "--quiet", "-o", "metrics.h5")
        cls.run_spinet("run", cls.frames(), "--quiet", "-o", "frames.h5")
        for name in ("balanced", "two_neurons", "empty", "sources", "long", "metrics", "frames"):
            cls.run_spinet("report", f"{name}.h5")
        for name, base, script in (("tables", "balanced", SAVE_TABLES), ("hands", "balanced", HANDS_ON), ("pictures", "two_neurons", SAVE_PICTURES)):
            with open(cls.path(f"{base}.html"), encoding="utf-8") as f, open(cls.path(f"{name}.html"), "w", encoding="utf-8") as out:
                out.write(f.read().replace("</body>", script))
        cls.pages, cls.console = {}, []
        for dark in (False, True):
            found, console = open_all(cls.folder, [v[:4] for v in cls.VIEWS if v[4] == dark], dark)
            cls.pages.update(found)
            cls.console += console

    def test_the_console_is_silent(self):
        self.assertEqual(self.console, [])
        self.assertEqual(set(self.pages), {v[0] for v in self.VIEWS})

    @staticmethod
    def figure(text, name):
        return re.search(rf'<figure id="{name}".*?</figure>', text, re.S).group(0)

    def check_figures(self, text, expected):
        dom = Dom(text)
        self.assertEqual(dom.root.get("data-ready"), "true")
        for name in expected:
            with self.subTest(name):
                self.assertIn(name, dom.figures)
                self.assertEqual(dom.figures[name]["attributes"].get("data-drawn"), "true")
                self.assertGreater(dom.figures[name]["tags"].get("path", 0) + dom.figures[name]["tags"].get("image", 0) + dom.figures[name]["tags"].get("canvas", 0), 0)
        return dom

    EVERYWHERE = ("raster", "rates", "rate-distribution", "isi")

    def test_a_recurrent_network(self):
        for name in ("balanced", "balanced dark", "balanced narrow"):
            with self.subTest(name):
                dom = self.check_figures(self.pages[name], (*self.EVERYWHERE, "cv", "correlation", "weights-0", "changes-0"))
                self.assertGreater(int(dom.figures["raster"]["canvas"]["data-marks"]), 0)

    def test_zoom(self):
        with h5py.File(self.path("balanced.h5")) as log:
            shown = sum(int(((t >= 100) & (t < 120)).sum()) for t in (g["timestamps"][:] for g in log["spikes"].values()))
        self.assertGreater(shown, 10)
        canvas = Dom(self.pages["zoomed"]).figures["raster"]["canvas"]
        self.assertEqual((canvas["data-shown"], int(canvas["data-marks"])), ("spikes", shown))
        canvas = Dom(self.pages["density"]).figures["raster"]["canvas"]
        self.assertEqual(canvas["data-shown"], "density")

    def test_two_neurons(self):
        self.check_figures(self.pages["two_neurons"], (*self.EVERYWHERE, "trace-0", "trace-1"))

    def test_tables(self):
        tables = json.loads(re.search(r'<script type="application/json" id="tables">(.*?)</script>', self.pages["tables"], re.S).group(1))
        names = {n.removeprefix("balanced_").removesuffix(".csv") for n in tables}
        self.assertEqual(names, {"populations", "spikes", "density", "rates", "rate_distribution", "isi", "cv", "correlation", "weights_recurrent", "final_weights_recurrent", "weight_changes_recurrent"})
        rows = {name: [line.split(",") for line in tables[f"balanced_{name}.csv"].splitlines()] for name in names}
        for name, table in rows.items():
            self.assertGreater(len(table), 1, name)
            self.assertEqual({len(r) for r in table}, {len(table[0])}, name)
        with h5py.File(self.path("balanced.h5")) as log:
            for population, group in log["spikes"].items():
                mine = [r for r in rows["spikes"][1:] if r[0] == population]
                np.testing.assert_array_equal([int(r[1]) for r in mine], group["node_ids"][:])
                np.testing.assert_allclose([float(r[2]) for r in mine], group["timestamps"][:], rtol=1e-12)
                self.assertEqual(sum(int(r[4]) for r in rows["density"][1:] if r[0] == population), len(mine))
        self.assertEqual(sum(int(x) for x in rows["weights_recurrent"][1][5:]), 300)
        self.assertEqual(sum(int(r[2]) for r in rows["final_weights_recurrent"][1:]), 300)
        self.assertEqual([int(r[2]) for r in rows["final_weights_recurrent"][1:] if int(r[2])], [int(x) for x in rows["weights_recurrent"][-1][5:] if int(x)])
        self.assertEqual(len(rows["weight_changes_recurrent"]), 51)

    def test_hands_on(self):
        """Buttons, keys, the wheel, dragging, and hiding a population."""
        steps = dict(json.loads(re.search(r'<script type="application/json" id="steps">(.*?)</script>', self.pages["hands"], re.S).group(1)))
        near = lambda step, *window: np.testing.assert_allclose(steps[step][:4], window, atol=1e-6, err_msg=step)
        near("start", 0, 300, 0, 1)
        near("zoomed by button", 75, 225, 0, 1)
        near("later", 150, 300, 0, 1)
        near("earlier by key", 120, 270, 0, 1)
        near("neurons by key", 120, 270, 0.25, 0.75)
        near("all", 0, 300, 0, 1)
        self.assertEqual(steps["plain wheel"][:4], steps["all"][:4])  # it scrolls the page
        self.assertLess(steps["wheel with Ctrl"][1] - steps["wheel with Ctrl"][0], 299)
        self.assertGreater(steps["dragged"][0], steps["wheel with Ctrl"][0] + 1)
        self.assertAlmostEqual(steps["dragged"][1] - steps["dragged"][0], steps["wheel with Ctrl"][1] - steps["wheel with Ctrl"][0])
        self.assertEqual(steps["hidden"][4], 1)
        self.assertEqual(steps["shown again"][4], 2)
        self.assertTrue(0 < steps["hidden"][5] < steps["shown again"][5])

    def test_pictures(self):
        """Every figure has buttons for SVG and PNG; the SVG holds the spikes and the labels of the axes."""
        text = self.pages["pictures"]
        saved = json.loads(re.search(r'<script type="application/json" id="pictures">(.*?)</script>', text, re.S).group(1))
        files = {name: base64.b64decode(url.split(",")[1]) for name, url in saved.items()}
        drawn = [f["attributes"]["data-name"] for f in Dom(text).figures.values() if f["attributes"].get("data-drawn") and f["tags"].get("svg")]
        self.assertGreater(len(drawn), 4)
        self.assertEqual(set(files), {f"two_neurons_{name}.{kind}" for name in drawn for kind in ("svg", "png")})
        for name, content in files.items():
            if name.endswith(".png"):
                self.assertEqual(content[:8], b"\x89PNG\r\n\x1a\n", name)
                width, height = np.frombuffer(content[16:24], ">u4")
                self.assertTrue(width > 900 and height > 300, name)
            else:
                self.assertNotIn(b"var(", content, name)
                self.assertIn(b'fill="#ffffff"', content, name)  # paper, though the page is dark
                xml.etree.ElementTree.fromstring(content)
        raster, sources = (xml.etree.ElementTree.fromstring(files[f"two_neurons_{name}.svg"]) for name in ("raster", "source_raster"))
        marks = {p.get("data-population"): p.get("d").count("M") for root in (raster, sources) for p in root.iter("{http://www.w3.org/2000/svg}path") if p.get("data-population")}
        with h5py.File(self.path("two_neurons.h5")) as log:
            self.assertEqual(marks, {name: len(g["timestamps"]) for name, g in log["spikes"].items()})
        self.assertTrue({"neuron", "time (ms)", "driver", "follower"} <= set(raster.itertext()))

    def test_sources_have_axes_of_their_own(self):
        text = self.pages["sources"]
        self.check_figures(text, (*self.EVERYWHERE, "source-raster", "source-rates"))
        self.assertIn(">exc<", self.figure(text, "rates"))
        self.assertNotIn(">busy<", self.figure(text, "rates"))
        self.assertIn(">busy<", self.figure(text, "source-rates"))
        caption = re.search("<figcaption>(.*?)<", self.figure(text, "source-raster")).group(1)
        self.assertTrue(caption.startswith("Excitatory: busy. "), caption)  # names, no colours that are not there

    def test_seconds_and_colours_that_are_numbers(self):
        text = self.pages["long"]
        labels = re.findall(r'<text class="label"[^>]*>([^<]*)<', text.split("<script")[0])
        self.assertIn("time (s)", labels)
        self.assertNotIn("time (ms)", labels)
        raster = self.figure(text, "raster")
        self.assertEqual(len(re.findall(r'class="scale"', raster)), 2)  # one for each population

    def test_nothing_recorded(self):
        self.assertEqual(Dom(self.pages["empty"]).root.get("data-ready"), "true")

    def test_frames_of_weights_stand_at_their_times(self):
        """Frames at 0, 1, 2, 3 s of 4 s: the axis ends with the last, the lines pass through them, and the variable has its name."""
        text = self.figure(self.pages["frames"], "weights-0")
        ticks = {float(label): float(x) for x, label in re.findall(r'<text class="tick" x="([\d.]+)"[^>]*text-anchor="middle">([\d.]+)<', text)}
        self.assertEqual((min(ticks), max(ticks)), (0, 3))
        mean = [float(x) for x in re.findall(r"[ML]([\d.]+) ", re.search(r'<path d="([^"]*)" data-line="mean"', text).group(1))]
        np.testing.assert_allclose(mean, [ticks[0] + (ticks[3] - ticks[0]) * k / 3 for k in range(4)], atol=0.1)
        self.assertIn(">G (uS)<", text)

    def test_metrics(self):
        text = self.pages["metrics"]
        shown = {f["attributes"]["data-name"] for f in Dom(text).figures.values() if f["attributes"].get("id", "").startswith("metric-")}
        self.assertEqual(shown, {f"metric_task_{m}" for m in ("epoch", "expected", "reward", "reward_filtered")})
        metrics = {m["metric"]: m for m in data_of(text)["metrics"]}
        with h5py.File(self.path("metrics.h5")) as log:
            for name, m in metrics.items():
                values, n = log[f"metrics/task/{name}"][:], m["per_point"]
                self.assertEqual((m["rewards"], n), (len(values), -(-len(values) // 600)))
                np.testing.assert_allclose(m["means"], [values[i:i + n].mean() for i in range(0, len(values), n)], rtol=1e-6)


POPPLER = shutil.which("pdftotext") and shutil.which("pdftoppm")


@unittest.skipUnless(CHROMIUM and POPPLER, "no Chromium or no Poppler (Debian: chromium, poppler-utils): nothing was printed")
class Paper(Folder):
    WIDTH = 690 * 0.75  # of the report, in the middle of the paper, in points
    LONG = "pyramidal_cells_of_layer_2_3_with_a_name_that_goes_on"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(cls.path("paper.yaml"), "w") as f:
            f.write(f"""spinet: 1
name: paper
duration: 10 s
populations:
  {cls.LONG}: {{model: lif_delta, size: 3}}
  clock: {{model: spike_source, size: 1, spikes: [[1 s, 2 s, 3 s, 4 s, 5 s, 6 s, 7 s, 8 s, 9 s, 9.99 s]]}}
  noise: {{model: poisson, size: 1, params: {{rate: 1 Hz}}}}
  unit_that_is_not_recorded: {{model: stochastic_binary, size: 1}}
projections:
  excite: {{from: clock, to: {cls.LONG}, connect: all_to_all, synapse: {{model: static, weight: 100 mV, delay: 1 ms}}}}
  itself: {{from: {cls.LONG}, to: {cls.LONG}, connect: all_to_all, synapse: {{model: static, weight: 0.01 mV, delay: 1 ms}}}}
record:
  spikes: [{cls.LONG}, clock]
""")
        cls.run_spinet("run", "paper.yaml", "--quiet", "-o", "paper.h5")
        cls.run_spinet("report", "paper.h5")

    def print(self, page, address=""):
        """Words as (page, x, y, text), in points from the left and the top of the page; and the pages' widths."""
        print_page(self.folder, page, address)
        text = subprocess.run(["pdftotext", "-bbox", self.path("page.pdf"), "-"], text=True, capture_output=True, check=True).stdout
        words, widths = [], []
        for line in text.splitlines():
            if found := re.search(r'<page width="([\d.]+)"', line):
                widths.append(float(found.group(1)))
            elif found := re.search(r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*)</word>', line):
                x0, y0, x1, y1 = (float(found.group(k)) for k in range(1, 5))
                self.assertTrue(0 < x0 and x1 <= widths[-1] / 2 + self.WIDTH / 2, f"{found.group(5)} is cut: {line}")
                words.append((len(widths), (x0 + x1) / 2, (y0 + y1) / 2, html.unescape(found.group(5))))
        return words

    def blue_at(self, page, area):
        """Where columns of the area (x, y, x, y, in points) have much blue, in points from its left."""
        dpi = 300
        subprocess.run(["pdftoppm", "-r", str(dpi), "-f", str(page), "-l", str(page), self.path("page.pdf"), self.path("page")], check=True)
        picture, = (n for n in os.listdir(self.folder) if n.startswith("page") and n.endswith(".ppm"))
        with open(self.path(picture), "rb") as f:
            content = f.read()
        _, size, _, pixels = content.split(b"\n", 3)
        columns, rows = map(int, size.split())
        rgb = np.frombuffer(pixels, "u1").reshape(rows, columns, 3).astype(int)
        os.remove(self.path(picture))
        at = dpi / 72
        x0, y0, x1, y1 = (int(v * at) for v in area)
        blue = np.flatnonzero(((rgb[y0:y1, x0:x1, 2] - rgb[y0:y1, x0:x1, 0]) > 35).sum(axis=0) > 10) / at
        return [r.mean() for r in np.split(blue, np.flatnonzero(np.diff(blue) > 1.5) + 1)]

    def check_spikes(self, words):
        page, _, title, _ = next(w for w in words if w[3] == "Raster")
        row = {}
        for p, x, y, text in words:
            if p == page and y > title + 20 and text in ("0", "10"):
                row.setdefault(round(y), {})[text] = x
        height, ends = next((y, r) for y, r in sorted(row.items()) if len(r) == 2)
        with h5py.File(self.path("paper.h5")) as log:
            times = np.unique(log[f"spikes/{self.LONG}/timestamps"][:]) / 1e3
        found = self.blue_at(page, (ends["0"] - 3, title + 10, ends["10"] + 4, height - 8))
        np.testing.assert_allclose(np.array(found) - 3, times / 10 * (ends["10"] - ends["0"]), atol=1)

    def test_spikes_one_by_one(self):
        """At their times, though the long name takes another part of the paper than of the window; names and tables are whole."""
        words = self.print("paper.html", "#show=spikes")
        self.check_spikes(words)
        joined = "".join(w[3] for w in words)
        for wanted in (self.LONG, "clock", "noise", "–no–", f"spikes:[{self.LONG},clock]"):  # the last: of the end of the network
            self.assertIn(wanted, joined)
        above = words[:words.index(next(w for w in words if w[3] == "Raster"))]
        table = "".join(w[3] for w in above)
        head = next(k for k, w in enumerate(above) if w[3] == "population")
        second = next(w[1] for w in above[head:] if w[3] == "model")
        first_column = [w for w in above if w[1] < second - 2]
        self.assertIn(self.LONG, "".join(w[3] for w in sorted(first_column, key=lambda w: w[2])))
        self.assertEqual(table.count("Hz"), 5)  # fired, and recorded where that was asked for
        self.assertLessEqual({"population", "neurons", "silent", "median", "CV", "correlation"}, {w[3] for w in words if w[0] == 1})

    def test_density(self):
        words = self.print("paper.html", "#show=density")
        self.check_spikes(words)
        self.assertNotIn("Zoom", {w[3] for w in words})  # on paper nobody can


if __name__ == "__main__":
    done = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2, exit=False).result
    sys.exit(1 if not done.wasSuccessful() else 77 if not CHROMIUM else 0)
