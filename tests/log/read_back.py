"""Reads a log with h5py alone and compares everything in it with what was written: read_back.py LOG_DRIVER."""
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

from synthetic import EXC, INH, frames, population

failures = []


def expect(what, got, want):
    same = got == want if not isinstance(want, np.ndarray) else (
        isinstance(got, np.ndarray) and got.shape == want.shape and bool((got == want).all()))
    if not same:
        failures.append(f"{what}: {got!r}, expected {want!r}")


def expect_dataset(d, dtype, values, units=None, chunks=None):
    expect(d.name + " type", d.dtype, np.dtype(dtype))
    expect(d.name, d[()], np.asarray(values, dtype))
    if units is not None:
        expect_text_attribute(d, "units", units)
    if chunks is not None:
        expect(d.name + " chunks", d.chunks, chunks)
        expect(d.name + " filters", (d.compression, d.shuffle), ("gzip", True))


def expect_text_attribute(at, name, text):
    """Scalar variable-length UTF-8, as SONATA wants it."""
    a = h5py.h5a.open(at.id, name.encode())
    t = a.get_type()
    expect(f"{at.name}@{name} is variable-length", t.is_variable_str(), True)
    expect(f"{at.name}@{name} character set", t.get_cset(), h5py.h5t.CSET_UTF8)
    expect(f"{at.name}@{name} is scalar", a.get_space().get_simple_extent_type(), h5py.h5s.SCALAR)
    expect(f"{at.name}@{name}", at.attrs[name], text)


def expect_fixed_text(at, name, text):
    t = h5py.h5a.open(at.id, name.encode()).get_type()
    expect(f"{at.name}@{name} is of fixed length", t.is_variable_str(), False)
    expect(f"{at.name}@{name} character set", t.get_cset(), h5py.h5t.CSET_UTF8)
    expect(f"{at.name}@{name}", at.attrs[name].decode(), text)


def check_full(path):
    with h5py.File(path, "r") as f:
        expect("groups", sorted(f), ["edges", "report", "spikes", "spinet"])
        expect("magic", f.attrs["magic"], 0x0A7A)
        expect("magic type", f.attrs["magic"].dtype, np.dtype("u4"))
        expect("version", f.attrs["version"], np.array([0, 1], "u4"))
        check_spikes(f)
        check_reports(f)
        check_edges(f)
        check_provenance(f["spinet"])


def check_spikes(f):
    expect("spike populations", sorted(f["spikes"]), ["exc", "inh", "quiet"])
    ticks_of = {"exc": population(500, 40, 0, EXC), "inh": population(500, 40, EXC, INH), "quiet": ([], [])}
    for name, (ticks, ids) in ticks_of.items():
        g = f["spikes"][name]
        expect(f"datasets of {name}", sorted(g), ["node_ids", "timestamps"])
        expect_dataset(g["timestamps"], "<f8", np.asarray(ticks) / 1e6, "ms", (1024,))
        expect_dataset(g["node_ids"], "<u8", ids, None, (1024,))
        expect(f"ticks of {name} from its timestamps",
               np.rint(g["timestamps"][()] * f["spinet"].attrs["ticks_per_ms"]).astype("i8"), np.asarray(ticks, "i8"))
        sorting = h5py.h5a.open(g.id, b"sorting")
        t = sorting.get_type()
        expect("sorting", g.attrs["sorting"], 2)
        expect("sorting's base type", t.get_super().equal(h5py.h5t.STD_U8LE), True)
        expect("sorting's values", h5py.check_enum_dtype(g.attrs.get_id("sorting").dtype),
               {"none": 0, "by_id": 1, "by_time": 2})


def check_reports(f):
    expect("report places", sorted(f["report"]), ["exc", "exc.exc_g", "inh"])
    # name: place, population, variable, unit, ids, first tick, step, frames
    reports = {"exc_v": ("exc", "exc", "V", "mV", [0, 5, 99], 0, 1000, 500),
               "exc_g": ("exc.exc_g", "exc", "g", "nS", [1, 2], 1000, 2000, 250),
               "inh_v": ("inh", "inh", "V", "mV", [24], 0, 1000, 500)}
    expect("links to reports", sorted(f["spinet/reports"]), sorted(reports))
    for r, (name, (place, pop, variable, units, ids, first, step, count)) in enumerate(reports.items()):
        g = f["report"][place]
        expect(f"link to {name}", f["spinet/reports"][name] == g, True)
        for key, value in {"name": name, "population": pop, "variable": variable, "variable_units": units}.items():
            expect_fixed_text(g, key, value)
        expect(f"first tick of {name}", (g.attrs["start_ticks"], g.attrs["step_ticks"]), (first, step))
        expect_dataset(g["data"], "<f4", frames(r, ids, count), units, (1024 // len(ids), len(ids)))
        m = g["mapping"]
        expect(f"mapping of {name}", sorted(m), ["element_ids", "index_pointers", "node_ids", "time"])
        expect_dataset(m["node_ids"], "<u8", ids)
        is_sorted = m["node_ids"].attrs["sorted"]
        expect("node_ids@sorted", (is_sorted, is_sorted.dtype), (1, np.dtype("u1")))
        expect_dataset(m["index_pointers"], "<u8", np.arange(len(ids) + 1))
        expect_dataset(m["element_ids"], "<u4", np.zeros(len(ids)))
        expect_dataset(m["time"], "<f8", [first / 1e6, (first + step * count) / 1e6, step / 1e6], "ms")


def check_edges(f):
    first = {"exc": 0, "inh": EXC}
    size = {"exc": EXC, "inh": INH}
    places = {"inh_exc": (0, "inh_exc", "inh", "exc")}
    places.update({f"all.{s}.{t}": (1, "all", s, t) for s in first for t in first})
    expect("edge populations", sorted(f["edges"]), sorted(places))
    for place, (index, projection, source, target) in places.items():
        g = f["edges"][place]
        expect(f"datasets of {place}", sorted(g),
               ["0", "edge_group_id", "edge_group_index", "edge_type_id", "source_node_id", "target_node_id"])
        for key, value in {"projection": projection, "synapse": "test_synapse",
                           "source": source, "target": target}.items():
            expect_fixed_text(g, key, value)
        expect_text_attribute(g["source_node_id"], "node_population", source)
        expect_text_attribute(g["target_node_id"], "node_population", target)
        t, s = (a.ravel() for a in np.meshgrid(np.arange(size[target]), np.arange(size[source]), indexing="ij"))
        sg, tg = s + first[source], t + first[target]
        expect_dataset(g["source_node_id"], "<u8", s, None, (1024,))
        expect_dataset(g["target_node_id"], "<u8", t, None, (1024,))
        expect_dataset(g["edge_type_id"], "<i8", np.full(len(s), index), None, (1024,))
        expect_dataset(g["edge_group_id"], "<u8", np.zeros(len(s)), None, (1024,))
        expect_dataset(g["edge_group_index"], "<u8", np.arange(len(s)), None, (1024,))
        expect(f"attributes of {place}", sorted(g["0"]), ["delay", "syn_weight"])
        expect_dataset(g["0/syn_weight"], "<f8", 0.25 * sg - tg, "pA", (1024,))
        expect_dataset(g["0/delay"], "<f8", (1 + (sg + tg) % 20) / 10, "ms", (1024,))


def check_provenance(g):
    a = g.attrs
    for name, text in {"version": "0.1.0", "started": "2024-05-06T07:08:09Z", "host": "node17", "network_name": "small",
                       "network_path": "networks/small.yaml"}.items():
        expect_fixed_text(g, name, text)
    for name, (dtype, value) in {
            "format_version": ("u4", 1), "ranks": ("u4", 2), "seed": ("u4", 7), "duration_ticks": ("i8", 10**9),
            "reached_ticks": ("i8", 500000), "time_resolution": ("f8", 1e-9), "ticks_per_ms": ("f8", 1e6)}.items():
        expect(name, (a[name], a[name].dtype), (value, np.dtype(dtype)))
    expect("status", a["status"], b"complete")
    expect("length of run_id", len(a["run_id"]), 32)
    expect("finished", len(a["finished"]), 20)
    expect("network text", g["network"].asstr()[()], "spinet: 1\nname: small  # été, 5 µs\n")
    expect("command line", g["command_line"].asstr()[()], "spinet run small.yaml -n 2")
    expect("overrides", [x.decode() for x in g["overrides"]], ["parameters.g=4.5", "seed=7"])
    table = g["populations"][()]
    expect("population table", [tuple(x) for x in table.tolist()],
           [(b"exc", b"test_neuron", b"neuron", 0, 100), (b"inh", b"test_neuron", b"neuron", 100, 25),
            (b"quiet", b"test_neuron", b"neuron", 125, 7), (b"noise", b"test_source", b"source", 132, 132)])
    expect("columns", table.dtype.names, ("name", "model", "kind", "first_gid", "size"))
    s = g["statistics"]
    expect("figures", (s.attrs["spikes"], s.attrs["synapses"], s.attrs["run_seconds"]), (12345, 777, 1.5))
    expect_dataset(s["spikes_of_population"], "<u8", [12000, 345, 0, 9])


def check_long(path):
    with h5py.File(path, "r") as f:
        g = f["spikes/exc"]
        ticks = np.array([2**k + k + d for k in range(59) for d in (0, 1)], "i8")
        expect_dataset(g["ticks"], "<i8", ticks, "ticks")
        expect_dataset(g["timestamps"], "<f8", ticks / 1e9, "ms")
        expect("status", f["spinet"].attrs["status"], b"stopped")


driver = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    for what, check in {"full": check_full, "long": check_long}.items():
        path = pathlib.Path(folder) / f"{what}.h5"
        subprocess.run([driver, what, path], check=True)
        check(path)
        again = subprocess.run([driver, what, path], capture_output=True, text=True)
        expect(f"overwriting {what}", (again.returncode, "exists already" in again.stderr), (3, True))
        expect("files left behind", sorted(p.name for p in pathlib.Path(folder).glob(f"{what}*")), [f"{what}.h5"])
print("\n".join(failures) or "everything written was read back")
sys.exit(bool(failures))
