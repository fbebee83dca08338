"""spinet export, read back with csv and h5py; the Python reader and its example.  usage: export.py SPINET [...]"""
import csv
import os
import subprocess
import sys
import uuid

import h5py
import numpy as np

from support import Folder, SOURCE, SPINET, main

sys.path.insert(0, os.path.join(SOURCE, "tools/python"))
from spinet_log import Log, LogError


class Csv(Folder):
    logs = ("two_neurons", "balanced")

    def table(self, *path):
        with open(self.path(os.path.join(*path)), newline="") as f:
            rows = list(csv.reader(f))
        return rows[0], rows[1:]

    def test_tables(self):
        self.run_spinet("export", "balanced.h5", "--to", "csv")
        self.assertEqual(sorted(os.listdir(self.path("balanced_csv"))),
                         ["spikes_exc.csv", "spikes_inh.csv", "weight_events_recurrent.csv", "weights_recurrent.csv"])
        with h5py.File(self.path("balanced.h5")) as log:
            for population, group in log["spikes"].items():
                head, rows = self.table("balanced_csv", f"spikes_{population}.csv")
                self.assertEqual(head, ["time_ms", "neuron"])
                self.assertEqual([float(r[0]) for r in rows], list(group["timestamps"][:]))  # to the last bit
                self.assertEqual([int(r[1]) for r in rows], list(group["node_ids"][:]))
            group = log["weights/recurrent"]
            head, rows = self.table("balanced_csv", "weights_recurrent.csv")
            self.assertEqual(head, ["time_ms", "edge", "source", "target", "weight"])
            self.assertEqual(len(rows), 21 * 300)
            np.testing.assert_array_equal(np.array([r[4] for r in rows], "f4").reshape(21, 300), group["data"][:])
            self.assertEqual([int(r[2]) for r in rows[300:600]], list(group["mapping/source_node_id"][:]))
            np.testing.assert_allclose([float(r[0]) for r in rows[::300]], np.arange(21) * 15.0)
            head, rows = self.table("balanced_csv", "weight_events_recurrent.csv")
            self.assertEqual([float(r[0]) for r in rows], list(log["weight_events/recurrent/timestamps"][:]))

    def test_reports(self):
        self.run_spinet("export", "two_neurons.h5", "--to", "csv", "-o", "tables")
        with h5py.File(self.path("two_neurons.h5")) as log:
            for name, group in log["spinet/reports"].items():
                head, rows = self.table("tables", f"report_{name}.csv")
                self.assertEqual(head, ["time_ms", "neuron_0"])
                np.testing.assert_array_equal(np.array([r[1] for r in rows], "f4"), group["data"][:, 0])
                np.testing.assert_allclose([float(r[0]) for r in rows], np.arange(len(rows)) * 0.1, atol=1e-9)

    def test_existing_files_are_kept(self):
        os.mkdir(self.path("kept"))
        with open(self.path("kept/spikes_exc.csv"), "w") as f:
            f.write("mine")
        self.refused("export", "balanced.h5", "--to", "csv", "-o", "kept", message="spikes_exc.csv: exists already")
        with open(self.path("kept/spikes_exc.csv")) as f:
            self.assertEqual(f.read(), "mine")
        self.run_spinet("export", "balanced.h5", "--to", "csv", "-o", "kept", "--force")
        self.refused("export", "balanced.h5", "--to", "csv", "-o", "balanced.h5", message="cannot be made a folder")
        self.refused("export", "balanced.h5", "--to", "nwb", "-o", "two_neurons.h5", message="exists already")
        self.refused("export", "balanced.h5", "--to", "nwb", "-o", "balanced.h5", "--force", message="is the log itself")
        self.assertEqual(self.spinet("export", "balanced.h5", "--to", "xls").returncode, 2)

    def test_what_a_killed_export_has_left(self):
        os.makedirs(self.path("killed"), exist_ok=True)
        for name in ("spikes_exc.csv.new-0123456789abcdef", "mine.csv.new-1", "mine.new-0123456789abcdef"):
            with open(self.path(f"killed/{name}"), "w") as f:
                f.write("half")
        self.run_spinet("export", "two_neurons.h5", "--to", "csv", "-o", "killed")
        left = {n for n in os.listdir(self.path("killed")) if ".new-" in n}
        self.assertEqual(left, {"mine.csv.new-1", "mine.new-0123456789abcdef"})

    def test_malformed_weights(self):
        with h5py.File(self.copy("balanced.h5", "bad.h5"), "a") as log:
            del log["weights/recurrent/mapping/time"]
        self.refused("export", "bad.h5", "--to", "csv", message="the weights of recurrent cannot be read: dataset mapping/time")

    def test_a_full_disk(self):
        """A limit of 16 kB on files stands for a disk that is full; the signal that comes with it is ignored."""
        for command in ("report balanced.h5 -o full.html", "export balanced.h5 --to nwb -o full.nwb", "export balanced.h5 --to csv -o full_csv"):
            done = subprocess.run(f"trap '' XFSZ; ulimit -f 32; exec {SPINET} {command}", shell=True, cwd=self.folder, text=True, capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            self.assertRegex(done.stderr, "^spinet: full.*: (cannot be written|cannot write): .")
            self.assertEqual(done.stderr.count("\n"), 1)
        self.assertEqual([n for n in os.listdir(self.folder) if n in ("full.html", "full.nwb") or (".new-" in n or ".lock" in n)], [])
        self.assertEqual(os.listdir(self.path("full_csv")), [])

    def test_nothing_is_left_of_a_failed_export(self):
        before = set(os.listdir(self.folder))
        with h5py.File(self.copy("balanced.h5", "torn.h5"), "a") as log:
            log["spikes/exc/timestamps"][7] = -5
        for to, output in (("nwb", "torn.nwb"), ("csv", "torn_csv")):
            self.refused("export", "torn.h5", "--to", to, message="spike 7 of exc has the time -5 ms")
        self.assertFalse(os.path.exists(self.path("torn.nwb")))
        self.assertEqual([n for n in os.listdir(self.folder) if (".new-" in n or ".lock" in n)], [])
        self.assertEqual(os.listdir(self.path("torn_csv")), [])
        self.assertEqual(set(os.listdir(self.folder)) - before, {"torn.h5", "torn_csv"})


class Nwb(Folder):
    """Against the schema's text (nwb.file.yaml, nwb.misc.yaml, nwb.base.yaml of 2.6.0; table.yaml of hdmf-common)."""
    logs = ("two_neurons", "balanced")

    def exported(self, name):
        self.run_spinet("export", f"{name}.h5", "--to", "nwb", "--force")
        return h5py.File(self.path(f"{name}.nwb"))

    def test_required_of_a_file(self):
        with self.exported("two_neurons") as nwb:
            self.assertEqual({k: nwb.attrs[k] for k in ("namespace", "neurodata_type", "nwb_version")}, {"namespace": "core", "neurodata_type": "NWBFile", "nwb_version": "2.6.0"})
            self.assertLessEqual({"acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates"}, {n for n in self.groups(nwb)})
            for text in ("identifier", "session_description", "session_start_time", "timestamps_reference_time"):
                self.assertTrue(nwb[text].shape == () and nwb[text].asstr()[()], text)
            self.assertRegex(nwb["session_start_time"].asstr()[()], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertRegex(nwb["file_create_date"].asstr()[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertIn("seed 1", nwb["general/experiment_description"].asstr()[()])
            self.assertIn("populations:", nwb["general/source_script"].asstr()[()])
            self.assertIn("file_name", nwb["general/source_script"].attrs)
            self.assertEqual(nwb["general/subject"].attrs["neurodata_type"], "Subject")
            self.assertTrue(nwb["general/subject/subject_id"].asstr()[()])

    @staticmethod
    def groups(nwb):
        found = []
        nwb.visit(found.append)
        return found

    def test_objects_are_typed(self):
        with self.exported("two_neurons") as nwb:
            ids = []
            def look(name, item):
                if "neurodata_type" in item.attrs:
                    self.assertIn(item.attrs["namespace"], ("core", "hdmf-common"), name)
                    ids.append(str(uuid.UUID(item.attrs["object_id"])))
            look("/", nwb)
            nwb.visititems(look)
            self.assertGreaterEqual(len(ids), 10)
            self.assertEqual(len(set(ids)), len(ids))

    def test_units(self):
        for name in ("two_neurons", "balanced"):
            with self.exported(name) as nwb, h5py.File(self.path(f"{name}.h5")) as log:
                units = nwb["units"]
                self.assertEqual(units.attrs["neurodata_type"], "Units")
                self.assertEqual(list(units.attrs["colnames"]), ["population", "neuron", "spike_times"])
                for column, kind in (("spike_times", "VectorData"), ("spike_times_index", "VectorIndex"), ("population", "VectorData"), ("neuron", "VectorData"), ("id", "ElementIdentifiers")):
                    self.assertEqual((units[column].attrs["namespace"], units[column].attrs["neurodata_type"]), ("hdmf-common", kind))
                    if column != "id":
                        self.assertTrue(units[column].attrs["description"])
                self.assertEqual(nwb[units["spike_times_index"].attrs["target"]].name, "/units/spike_times")
                ends, times = units["spike_times_index"][:], units["spike_times"][:]
                self.assertEqual(list(units["id"][:]), list(range(len(ends))))
                self.assertEqual(ends[-1], len(times))
                trains = np.split(times, ends[:-1].astype(int))
                unit = 0
                sizes = {r["name"].decode(): int(r["size"]) for r in log["spinet/populations"][:]}
                names = [r["name"].decode() for r in log["spinet/populations"][:] if r["name"].decode() in log["spikes"]]
                for population in names:
                    nodes, ms = log[f"spikes/{population}/node_ids"][:], log[f"spikes/{population}/timestamps"][:]
                    for node in range(sizes[population]):
                        self.assertEqual((units["population"].asstr()[unit] if unit < 5 else population, units["neuron"][unit] if unit < 5 else node), (population, node))
                        np.testing.assert_allclose(trains[unit], ms[nodes == node] / 1e3, rtol=0, atol=1e-12)
                        unit += 1
                self.assertEqual(unit, len(ends))

    def test_series(self):
        with self.exported("two_neurons") as nwb, h5py.File(self.path("two_neurons.h5")) as log:
            self.assertEqual(set(nwb["acquisition"]), set(log["spinet/reports"]))
            for name, series in nwb["acquisition"].items():
                self.assertEqual(series.attrs["neurodata_type"], "TimeSeries")
                np.testing.assert_array_equal(series["data"][:], log[f"spinet/reports/{name}/data"][:])
                self.assertEqual((series["data"].attrs["unit"], series["data"].attrs["conversion"]), ("mV", 1))
                self.assertEqual((series["starting_time"][()], series["starting_time"].attrs["unit"]), (0, "seconds"))
                self.assertAlmostEqual(float(series["starting_time"].attrs["rate"]), 10000, places=1)


class Reader(Folder):
    logs = ("two_neurons", "balanced")

    def test_reader(self):
        with Log(self.path("balanced.h5")) as log, h5py.File(self.path("balanced.h5")) as raw:
            self.assertEqual((log.name, log.seed, log.reached_ms, log.status, log.recorded), ("balanced", 42, 300.0, "complete", ["exc", "inh"]))
            self.assertIn("populations:", log.network)
            spikes = log.spikes("exc")
            np.testing.assert_array_equal(spikes.times_ms, raw["spikes/exc/timestamps"][:])
            np.testing.assert_array_equal(spikes.ticks / log.ticks_per_ms, spikes.times_ms)
            part = spikes.between(100, 200)
            self.assertTrue(100 <= part.times_ms[0] <= part.times_ms[-1] < 200)
            self.assertAlmostEqual(log.rate("exc", 100, 200), len(part.nodes) / 1000 / 0.1)
            np.testing.assert_array_equal(spikes.of(7), spikes.times_ms[spikes.nodes == 7])
            w = log.weights("recurrent")
            self.assertEqual((log.weighted, w.units, w.values.shape, len(w.sources), w.times_ms[-1]), (["recurrent"], "pA", (21, 300), 300, 300.0))
            np.testing.assert_array_equal(w.values[:], self.walk)
            self.assertEqual(len(log.weight_events("recurrent").values), 50)
            for call in (lambda: log.spikes("nobody"), lambda: log.report("none"), lambda: log.weights("none"), lambda: log.weight_events("none")):
                with self.assertRaises(LogError):
                    call()
        with Log(self.path("two_neurons.h5")) as log:
            v = log.report("driver_V")
            self.assertEqual((v.variable, v.units, v.population, list(v.nodes), v.values.shape), ("V", "mV", "driver", [0], (1000, 1)))
            self.assertAlmostEqual(v.times_ms[7], 0.7)

    def test_what_is_no_log(self):
        with open(self.path("text.h5"), "w") as f:
            f.write("text")
        with h5py.File(self.path("other.h5"), "w") as f:
            f["x"] = 1
        self.copy("two_neurons.h5", "killed.h5")
        open(self.path("killed.h5.journal"), "w").close()
        for name, message in (("text.h5", "cannot be opened"), ("other.h5", "not the log of a Spinet run"), ("killed.h5", "spinet info --repair")):
            with self.assertRaisesRegex(LogError, message):
                Log(self.path(name))

    def test_example(self):
        done = subprocess.run([os.path.join(SOURCE, "tools/raster"), "balanced.h5", "--neurons", "30"], cwd=self.folder, text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("balanced.svg")) as f, Log(self.path("balanced.h5")) as log:
            drawn = f.read().count("M")
            expected = sum(int(np.isin(log.spikes(p).nodes, np.unique(np.linspace(0, log.populations[p].size - 1, 30).astype(int))).sum()) for p in ("exc", "inh"))
        self.assertEqual(drawn, expected)
        done = subprocess.run([os.path.join(SOURCE, "tools/raster"), "nowhere.h5"], cwd=self.folder, text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1)


main()
