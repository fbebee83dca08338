"""Reads the log of a Spinet run, OUT.h5, with h5py and numpy alone.

    from spinet_log import Log
    with Log("brunel.h5") as log:
        spikes = log.spikes("exc")
        print(spikes.times_ms[:5], spikes.nodes[:5], log.rate("exc"))

engine/log/FORMAT.md describes the file. Whatever is absent or does not fit is a LogError that says what.
"""
import dataclasses
import os

import h5py
import numpy as np

FORMAT_VERSION = 1


class LogError(Exception):
    """The file is not a log, or a part of it is missing or damaged."""


@dataclasses.dataclass(frozen=True)
class Population:
    name: str
    model: str
    kind: str  # neuron or source
    first_gid: int
    size: int
    recorded: bool


@dataclasses.dataclass(frozen=True)
class Spikes:
    """Sorted by time, then by node."""
    times_ms: np.ndarray  # f8
    nodes: np.ndarray  # u8, index in the population
    ticks: np.ndarray  # i8, exact

    def of(self, node):
        """Spike times of one neuron, in ms."""
        return self.times_ms[self.nodes == node]

    def between(self, begin_ms, end_ms):
        part = slice(*np.searchsorted(self.times_ms, [begin_ms, end_ms]))
        return Spikes(self.times_ms[part], self.nodes[part], self.ticks[part])


@dataclasses.dataclass(frozen=True)
class Report:
    """A recorded variable: values[frame, k] of neuron nodes[k]."""
    name: str
    population: str
    variable: str
    units: str
    times_ms: np.ndarray
    nodes: np.ndarray
    values: h5py.Dataset  # read on access: values[:], values[100:200, 0]


@dataclasses.dataclass(frozen=True)
class Weights:
    """Weight frames of a projection: values[frame, edge]."""
    projection: str
    units: str
    times_ms: np.ndarray
    sources: np.ndarray  # node ids, one per edge
    targets: np.ndarray
    values: h5py.Dataset


@dataclasses.dataclass(frozen=True)
class WeightEvents:
    """Values of chosen synapses at irregular times: changes, chosen times or epochs, reads.  A row per event."""
    projection: str
    times_ms: np.ndarray
    edges: np.ndarray          # row of the synapse among the projection's edges, by target, then in the order of drawing
    values: np.ndarray
    sources: np.ndarray = None  # node ids of the synapse's ends
    targets: np.ndarray = None


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class Log:
    def __init__(self, path):
        self.path = os.fspath(path)
        if os.path.exists(self.path + ".journal"):
            raise LogError(f"{self.path}: its writer was killed or is still at work; `spinet info --repair {self.path}` puts it in order")
        try:
            self.file = h5py.File(self.path, "r")
        except OSError as e:
            raise LogError(f"{self.path}: cannot be opened: {e}") from None
        if "spinet" not in self.file:
            self.file.close()
            raise LogError(f"{self.path}: is an HDF5 file, but not the log of a Spinet run")
        head = self._get("spinet").attrs
        if head["format_version"] > FORMAT_VERSION:
            raise LogError(f"{self.path}: was written by a newer Spinet (log format {head['format_version']})")
        if _text(head["status"]) == "running":
            self.file.close()
            raise LogError(f"{self.path}: its run was killed and {os.path.basename(self.path)}.journal, which has what this file lacks, is missing; "
                           f"`spinet info {self.path}` says up to when it is whole")
        self.ticks_per_ms = float(head["ticks_per_ms"])
        self.name = _text(head["network_name"])
        self.status = _text(head["status"])
        self.seed = int(head["seed"])
        self.ranks = int(head["ranks"])
        self.version = _text(head["version"])
        self.reached_ms = int(head["reached_ticks"]) / self.ticks_per_ms
        self.duration_ms = int(head["duration_ticks"]) / self.ticks_per_ms
        recorded = self.file["spikes"] if "spikes" in self.file else {}
        self.populations = {
            _text(row["name"]): Population(_text(row["name"]), _text(row["model"]), _text(row["kind"]), int(row["first_gid"]), int(row["size"]), _text(row["name"]) in recorded)
            for row in self._get("spinet/populations")[:]
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()

    def _get(self, path):
        if path not in self.file:
            raise LogError(f"{self.path}: has no {path}")
        return self.file[path]

    def _names(self, group):
        return list(self.file[group]) if group in self.file else []

    @property
    def network(self):
        """The YAML as it was read."""
        return _text(self._get("spinet/network")[()])

    @property
    def recorded(self):
        """Names of the populations with recorded spikes, in the order of the network."""
        return [p.name for p in self.populations.values() if p.recorded]

    def spikes(self, population):
        if population not in self.recorded:
            raise LogError(f"{self.path}: has no spikes of a population {population!r} (it has: {', '.join(self.recorded) or 'none'})")
        group = self._get(f"spikes/{population}")
        times, nodes = group["timestamps"][:], group["node_ids"][:]
        if len(times) != len(nodes):
            raise LogError(f"{self.path}: {population} has {len(times)} times but {len(nodes)} node ids")
        ticks = group["ticks"][:] if "ticks" in group else np.rint(times * self.ticks_per_ms).astype("i8")
        return Spikes(times, nodes, ticks)

    def rate(self, population, begin_ms=0, end_ms=None):
        """Mean rate of a population's neurons, in Hz."""
        end_ms = self.reached_ms if end_ms is None else end_ms
        n = len(self.spikes(population).between(begin_ms, end_ms).times_ms)
        return n / self.populations[population].size / (end_ms - begin_ms) * 1e3

    def positions(self, population):
        """Where the neurons are, in um: one row for each, of two or three numbers."""
        group = self._get(f"nodes/{population}/0")
        columns = [group[axis][:] for axis in ("x", "y", "z") if axis in group]
        if not columns or any(len(c) != self.populations[population].size for c in columns):
            raise LogError(f"{self.path}: the positions of {population} are not one for each neuron")
        return np.stack(columns, axis=1)

    @property
    def reports(self):
        return [_text(self.file[f"report/{place}"].attrs["name"]) for place in self._names("report")]

    def report(self, name):
        for place in self._names("report"):
            group = self._get(f"report/{place}")
            if _text(group.attrs["name"]) != name:
                continue
            values, nodes = self._get(f"report/{place}/data"), self._get(f"report/{place}/mapping/node_ids")[:]
            if values.ndim != 2 or values.shape[1] != len(nodes):
                raise LogError(f"{self.path}: report {name} has {len(nodes)} node ids for data of shape {values.shape}")
            times = (int(group.attrs["start_ticks"]) + np.arange(len(values)) * int(group.attrs["step_ticks"])) / self.ticks_per_ms
            return Report(name, _text(group.attrs["population"]), _text(group.attrs["variable"]), _text(group.attrs["variable_units"]), times, nodes, values)
        raise LogError(f"{self.path}: has no report {name!r} (it has: {', '.join(self.reports) or 'none'})")

    @property
    def weighted(self):
        """Names of the projections with weight frames."""
        return self._names("weights")

    def weights(self, projection):
        at = f"weights/{projection}"
        values, time = self._get(f"{at}/data"), self._get(f"{at}/mapping/time")[:]
        sources, targets = self._get(f"{at}/mapping/source_node_id")[:], self._get(f"{at}/mapping/target_node_id")[:]
        if values.ndim != 2 or len(time) != 3 or not values.shape[1] == len(sources) == len(targets):
            raise LogError(f"{self.path}: the weights of {projection} do not fit their mapping")
        return Weights(projection, _text(values.attrs.get("units", "")), time[0] + np.arange(len(values)) * time[2], sources, targets, values)

    @property
    def changing(self):
        """Names of the projections (or PROJECTION.VARIABLE) with weight events."""
        return self._names("weight_events")

    def weight_events(self, projection):
        group = self._get(f"weight_events/{projection}")
        columns = [self._get(f"{group.name}/{c}")[:] for c in ("timestamps", "edge_ids", "values")]
        if len({len(c) for c in columns}) != 1:
            raise LogError(f"{self.path}: the weight events of {projection} have columns of different lengths")
        if "mapping" not in group:
            return WeightEvents(projection, *columns)
        ids, sources, targets = (self._get(f"{group.name}/mapping/{c}")[:] for c in ("edge_ids", "source_node_id", "target_node_id"))
        if not len(ids) == len(sources) == len(targets) or not np.all(np.isin(columns[1], ids)):
            raise LogError(f"{self.path}: the weight events of {projection} do not fit their mapping")
        rows = np.searchsorted(ids, columns[1])
        return WeightEvents(projection, *columns, sources[rows], targets[rows])
