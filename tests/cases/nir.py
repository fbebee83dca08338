"""NIR graphs: what `spinet import` makes of them runs as their equations say, and comes back out equal; bad ones are refused.

usage: nir.py SPINET [unittest arguments]
"""
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

SPINET = os.path.abspath(sys.argv[1])
DATA = pathlib.Path(os.environ["SPINET_DATA"]) / "nir" if os.environ.get("SPINET_DATA") else None
F = numpy.float32


def node(kind, **fields):
    return dict(fields, type=kind)


def graph(nodes, *edges):
    """Edges as texts, "a b"."""
    return {"type": "NIRGraph", "nodes": nodes, "edges": [e.split() for e in edges]}


def chain(*nodes):
    """Input, nodes, Output in a row: i, a, b, ..., o."""
    names = ["i", *"abcdefghjk"[:len(nodes) - 2], "o"]
    return graph(dict(zip(names, nodes)), *(f"{x} {y}" for x, y in zip(names, names[1:])))


def write(group, n):
    for key, value in n.items():
        if key == "nodes":
            for name, child in value.items():
                write(group.create_group("nodes/" + name), child)
        elif key == "edges":
            group.create_dataset("edges", data=value, dtype=h5py.string_dtype()) if len(value) else group.create_dataset("edges", shape=(0, 2), dtype=h5py.string_dtype())
        elif isinstance(value, dict):
            write(group.create_group(key), value)
        elif isinstance(value, h5py.Empty):
            group[key] = value
        else:
            group.create_dataset(key, data=value)


def contents(path):
    """All datasets of a graph: type, shape and values."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            value = item[()]
            found[name] = (str(item.dtype), item.shape, "empty" if isinstance(value, h5py.Empty) else value.tolist() if hasattr(value, "tolist") else value)
        else:
            found[name] = "group"
    with h5py.File(path) as f:
        f.visititems(visit)
    return found


def shape(*n):
    return numpy.array(n)


def inputs(*n):
    return node("Input", shape=shape(*n))


def outputs(*n):
    return node("Output", shape=shape(*n))


def neurons(kind, n, **more):
    full = {k: numpy.full(n, v, F) for k, v in more.items()}
    return node(kind, **full)


def lif(n, tau=0.0025, r=1., v_leak=0., v_threshold=0.1, **more):
    return neurons("LIF", n, tau=tau, r=r, v_leak=v_leak, v_threshold=v_threshold, **more)


def cuba(kind, n, tau_mem=0.01, tau_syn=0.003, r=1., v_leak=0., w_in=1., **more):
    return neurons(kind, n, tau_mem=tau_mem, tau_syn=tau_syn, r=r, v_leak=v_leak, w_in=w_in, **more)


def conv(weight, bias=None, **more):
    values = dict(stride=1, padding=0, dilation=1, groups=1)
    values.update(more)
    dims = weight.ndim - 2
    full = {k: numpy.array(v if k == "groups" else numpy.broadcast_to(v, dims)) if not isinstance(v, (str, h5py.Empty)) else v for k, v in values.items()}
    return node(f"Conv{dims}d", weight=F(weight), bias=F(numpy.zeros(len(weight)) if bias is None else bias), **full)


def correlate(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    """What Conv2d is, index by index."""
    out, into, rows, columns = weight.shape
    x = numpy.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    height, width = (1 + (n - 1 - dilation * (k - 1)) // stride for n, k in zip(x.shape[1:], (rows, columns)))
    y = numpy.zeros((out, height, width))
    for o in range(out):
        first = o // (out // groups) * into
        for a in range(rows):
            for b in range(columns):
                part = x[first:first + into, a * dilation:, b * dilation:][:, :(height - 1) * stride + 1:stride, :(width - 1) * stride + 1:stride]
                y[o] += numpy.tensordot(weight[o, :, a, b], part, 1)
        y[o] += bias[o]
    return y


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-nir-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def spinet(self, *words):
        return subprocess.run([SPINET, *map(str, words)], text=True, capture_output=True, cwd=self.folder, timeout=100)

    def good(self, *words):
        done = self.spinet(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def graph(self, g, name="g.nir"):
        with h5py.File(self.folder / name, "w") as f:
            f["version"] = "0.2.0"
            write(f.create_group("node"), g)

    def imported(self, g, *options):
        self.graph(g)
        return self.good("import", "g.nir", "--force", *options)

    def network(self):
        return (self.folder / "g.yaml").read_text()

    def run_it(self, duration="100 ms", record=None, *options):
        """Spikes in ms by neuron, and reports, by population."""
        if record:
            text = self.network().split("record:")[0]
            (self.folder / "g.yaml").write_text(text + "record:\n" + record)
        self.good("run", "g.yaml", "-o", "g.h5", "--force", "--duration", duration, *options)
        spikes, reports = {}, {}
        with h5py.File(self.folder / "g.h5") as f:
            for p, g in f.get("spikes", {}).items():
                spikes[p] = sorted(zip(g["timestamps"][:].tolist(), g["node_ids"][:].tolist()))
            for p, g in f.get("report", {}).items():
                reports[p] = g["data"][:]
        return spikes, reports

    def spikes(self, rows):
        (self.folder / "in.csv").write_text("neuron,time\n" + "".join(f"{n},{t}\n" for n, t in rows))

    def current(self, rows):
        (self.folder / "in.csv").write_text("time [ms],value\n" + "".join(f"{t},{v}\n" for t, v in rows))

    def back(self):
        self.good("export", "g.yaml", "--to", "nir", "-o", "back.nir", "--force")
        return contents(self.folder / "back.nir")


class RoundTrip(Case):
    def test_every_node_comes_back_equal(self):
        rng = numpy.random.default_rng(1)
        w = lambda *n: rng.normal(size=n).astype(F)
        inner = graph({"input": inputs(4), "w": node("Linear", weight=w(4, 4)), "output": outputs(4)}, "input w", "w output")
        outer = graph({"input": inputs(4), "inner": inner, "n": lif(4, v_reset=-.1), "output": outputs(4)}, "input inner", "inner n", "n output")
        nodes = {
            "in": inputs(2, 9, 9), "c2": conv(w(4, 1, 3, 3), w(4), stride=(2, 1), padding=1, groups=2, input_shape=shape(9, 9)),
            "if": node("IF", r=F(numpy.ones((4, 5, 9))), v_threshold=F(rng.uniform(1, 2, (4, 5, 9)))), "sum": node("SumPool2d", kernel_size=shape(2, 2), stride=shape(2, 2), padding=shape(1, 1)),
            "flat": node("Flatten", start_dim=0, end_dim=-1, input_type=shape(4, 3, 5)), "fc.1": node("Affine", weight=w(4, 60), bias=w(4)),
            "lif1.lif": cuba("CubaLIF", 4, v_threshold=1), "lif1.w_rec": node("Linear", weight=rng.normal(size=(4, 4))),
            "nested": outer, "scale": node("Scale", scale=w(4)), "delay": node("Delay", delay=numpy.array([0, .001, .0015, .01])), "thr": node("Threshold", threshold=F(numpy.ones(4))),
            "li": neurons("LI", 4, tau=.01, r=2, v_leak=.5), "i": neurons("I", 4, r=1), "culi": node("CubaLI", tau_mem=numpy.float64(.01), tau_syn=numpy.float64(.02), r=numpy.float64(1), v_leak=numpy.float64(0)),
            "avg": node("AvgPool2d", kernel_size=numpy.array(3), stride=numpy.array(3), padding=numpy.array(0)), "lif3": lif((2, 3, 3)), "c1": conv(w(3, 4, 1), input_shape=numpy.array(1)),
            "if3": node("IF", r=F(1), v_threshold=F(1), metadata={"author": "x", "more": {"n": shape(3)}}), "o1": outputs(4), "o2": outputs(4), "o3": outputs(4), "o4": outputs(2, 3, 3), "o5": outputs(3, 1)}
        nodes["c3"] = conv(w(2, 2, 3, 3), padding="same", input_shape=h5py.Empty("f"))
        g = graph(nodes, "in c2", "c2 if", "if sum", "sum flat", "flat fc.1", "fc.1 lif1.lif", "lif1.lif lif1.w_rec", "lif1.w_rec lif1.lif", "lif1.lif nested", "nested scale", "scale delay",
                  "delay thr", "thr li", "thr i", "thr culi", "li o1", "i o2", "culi o3", "in c3", "c3 avg", "avg lif3", "lif3 o4", "thr c1", "c1 if3", "if3 o5")
        for options in [(), ("--spike", "1ms", "--euler", "0.5ms", "--reset", "subtract"), ("--area", "0.3ms"), ("--input", "current", "--spike", "0.2ms")]:
            said = self.imported(g, *options)
            for line in said.split("so:\n")[1].split("Next")[0].strip().split("\n"):
                self.assertIn("# " + line, self.network())
            self.assertEqual(self.back(), contents(self.folder / "g.nir"))
        self.run_it("20 ms")

    def test_what_was_changed_is_exported(self):
        self.imported(chain(inputs(2), node("Affine", weight=F([[1, 2], [3, 0]]), bias=F([.5, .25])), cuba("CubaLIF", 2, v_threshold=1), outputs(2)), "--euler", "1ms")
        text = self.network().replace("v_th: 1 mV", "v_th: [2 mV, 3 mV]").replace("tau_syn: 0.00", "tau_syn: 0.01").replace("[0.5 pA, 0.25 pA]", "[1 pA, 0 pA]")
        (self.folder / "g.yaml").write_text(text)
        with h5py.File(self.folder / "g.nir.h5", "r+") as f:
            f["edges/i_to_b/0/syn_weight"][:] = [5, 6, 7]  # 0 to 0, 0 to 1, 1 to 0
        now, was = self.back(), contents(self.folder / "g.nir")
        changed = {k: now[k][2] for k in now if now[k] != was[k]}
        tau = changed.pop("node/nodes/b/tau_syn")
        written = float(text.split("tau_syn: ")[1].split(" s")[0])
        numpy.testing.assert_allclose(tau, .001 / (1 - math.exp(-.001 / written)), rtol=1e-7)
        self.assertEqual(changed, {"node/nodes/b/v_threshold": [2, 3], "node/nodes/a/weight": [[5, 7], [6, 0]], "node/nodes/a/bias": [1, 0]})

    def test_what_a_graph_cannot_say_is_refused(self):
        self.imported(chain(inputs(2), node("Linear", weight=F([[1, 2], [3, 0]])), lif(2), outputs(2)))
        text = self.network()
        for old, new, said in [("v_th: 0.1", "I_dc: 1 pA, v_th: 0.1", "I_dc"), ("params: {", "params: {leak: off, ", "leak"), ("projections:", "  more: {model: integrator, size: 1}\nprojections:", "more"),
                               ("b: {model: integrator", "b: {model: lif_delta", "")]:
            (self.folder / "g.yaml").write_text(text.replace(old, new, 1))
            done = self.spinet("export", "g.yaml", "--to", "nir", "-o", "no.nir")
            self.assertEqual((done.returncode, said in done.stderr, (self.folder / "no.nir").exists()), (2, True, False), done.stderr)
        (self.folder / "g.nir.h5").unlink()
        self.good("init", "two_neurons")
        done = self.spinet("export", "two_neurons.yaml", "--to", "nir")
        self.assertEqual(done.returncode, 2)
        self.assertIn("was not made of a NIR graph", done.stderr)


class Equations(Case):
    def test_a_current_held_gives_the_spikes_of_the_closed_form(self):
        self.current([(0, 0), (10, .3), (60, 0)])
        self.imported(chain(inputs(1), node("Affine", weight=F([[2], [1]]), bias=F([0, .05])), lif(2, tau=.01, v_threshold=.25), outputs(2)), "--current", "in.csv")
        spikes = self.run_it()[0]["b"]
        interval = -10 * math.log(1 - .25 / .6)  # f32 of 0.3 and 0.01 are off by 3e-8
        want = [10.1 + k * interval for k in range(1, 100) if k * interval < 50]
        self.assertEqual([n for t, n in spikes if n == 0], [0] * len(want))
        numpy.testing.assert_allclose([t for t, n in spikes if n == 0], want, atol=3e-5)
        rest, start = .35, .05 * (1 - math.exp(-1.01))
        first = 10.1 + 10 * math.log((rest - start) / (rest - .25))
        numpy.testing.assert_allclose([t for t, n in spikes if n == 1][0], first, atol=3e-5)

    def test_an_impulse_moves_v_by_r_w_over_tau(self):
        self.spikes([(0, 10)])
        self.imported(chain(inputs(1), node("Linear", weight=F([[.002], [-.001]])), node("LI", tau=F([.01, .02]), r=F([3, 4]), v_leak=F([0, .5])), outputs(2)), "--spikes", "in.csv", "--delay", "1ms")
        v = self.run_it("50 ms")[1]["b"]
        t = numpy.arange(len(v))[:, None] * 1e-3
        tau, r, leak, w = (numpy.array(x, F).astype(float) for x in ([.01, .02], [3, 4], [0, .5], [.002, -.001]))
        want = leak * (1 - numpy.exp(-t / tau)) + numpy.where(t > .0111, r * w / tau * numpy.exp(-(t - .011) / tau), 0)
        later = numpy.abs(t[:, 0] - .011) > 1e-6
        numpy.testing.assert_allclose(v[later], want[later], rtol=1e-5, atol=1e-7)  # reports are 4-byte numbers

    def test_a_spike_that_lasts_is_low_passed(self):
        tau_s, tau_m, w_in, r = .003, .01, 20., 2.
        self.spikes([(0, 10), (0, 13)])
        self.imported(chain(inputs(1), node("Affine", weight=F([[1.5]]), bias=F([.01])), cuba("CubaLI", 1, tau_mem=tau_m, tau_syn=tau_s, w_in=w_in, r=r), outputs(1)), "--spikes", "in.csv", "--spike", "2ms")
        v = self.run_it("60 ms")[1]["b"][:, 0]
        def step(t):  # answer to a current 1 from 0 on
            s, m = numpy.float64(F(tau_s)), numpy.float64(F(tau_m))
            return numpy.where(t > 0, r * w_in * (1 - (m * numpy.exp(-t / m) - s * numpy.exp(-t / s)) / (m - s)), 0)
        t = numpy.arange(len(v)) * 2e-3
        want = .01 * step(t) + 1.5 * (step(t - .012) - step(t - .014) + step(t - .015) - step(t - .017))
        numpy.testing.assert_allclose(v, want, rtol=1e-5, atol=1e-7)

    def test_euler_steps_come_out_as_they_were_trained(self):
        """With tau made exact for the step, V on the grid is what Euler's method has."""
        rng = numpy.random.default_rng(2)
        train = [rng.random(200) < .3 for _ in range(5)]
        weight = rng.normal(0, 3, (4, 5)).astype(F)
        self.spikes([(n, k) for n, s in enumerate(train) for k in numpy.flatnonzero(s)])
        self.imported(chain(inputs(5), node("Linear", weight=weight), neurons("LI", 4, tau=.004, r=2, v_leak=.1), outputs(4)), "--spikes", "in.csv", "--spike", "1ms", "--euler", "1ms")
        v = self.run_it("200 ms")[1]["b"]
        x, share = numpy.zeros(4), 1e-3 / numpy.float64(F(.004))
        for k in range(199):
            numpy.testing.assert_allclose(v[k], x, rtol=1e-5, atol=1e-5)
            current = weight.astype(float) @ [s[k - 1] if k else 0. for s in train]  # a connection takes a step
            x = x + share * (numpy.float64(F(.1)) - x + 2 * current)

    def layers(self, layers, events, steps):
        """Layers of perfect integrators, tick by tick, a spike a tick at most: spikes of the last one, (step, neuron)."""
        found, state = [], [0.] * len(layers)
        for k in range(steps):
            ticks = [events[k]]
            for i, (f, threshold) in enumerate(layers):
                sent = []
                while True:
                    fires = numpy.asarray(state[i] >= threshold)  # what is left from the spike before comes before arrivals
                    if len(sent) < len(ticks):
                        state[i] = state[i] + f(ticks[len(sent)])
                    fires = fires | (state[i] >= threshold)
                    if len(sent) >= len(ticks) and not fires.any():
                        break
                    state[i] = state[i] - threshold * fires
                    sent.append(fires.astype(float))
                ticks = sent
            found += [(k, n) for t in ticks for n in numpy.flatnonzero(t)]
        return sorted(found)

    def test_convolutions_and_pools_against_loops(self):
        rng = numpy.random.default_rng(3)
        # Multiples of 1/4: sums are exact, so that V at the threshold is there in any order of adding.
        w1, w2 = (F(rng.integers(-4, 9, n) / 4) for n in ((4, 1, 3, 3), (3, 4, 2, 2)))
        w3 = F(rng.integers(-3, 6, (5, 12)) / 4)
        first = dict(stride=2, padding=1, groups=2)
        second = dict(stride=1, padding=1, dilation=2, groups=1)
        n1 = correlate(numpy.zeros((2, 8, 10)), w1, numpy.zeros(4), **first).shape
        pooled = (n1[0], n1[1] // 2, (n1[2] - 1) // 2)
        n2 = correlate(numpy.zeros(pooled), w2, numpy.zeros(3), **second).shape
        one = lambda n, th: node("IF", r=numpy.ones(n, F), v_threshold=numpy.full(n, th, F))
        g = chain(inputs(2, 8, 10), conv(w1, **first), one(n1, 1), node("SumPool2d", kernel_size=shape(2, 3), stride=shape(2, 2), padding=shape(0, 0)), conv(w2, **second), one(n2, 2),
                  node("AvgPool2d", kernel_size=shape(2, 2), stride=shape(1, 2), padding=shape(1, 1)), node("Flatten", start_dim=0, end_dim=-1), None, one(5, 1), outputs(5))
        average = lambda x: sum(numpy.pad(x, ((0, 0), (1, 1), (1, 1)))[:, a:a + n2[1] + 1, b::2][:, :, :(n2[2] + 2) // 2] for a in (0, 1) for b in (0, 1)) / 4
        size = average(numpy.zeros(n2)).size
        w3 = F(rng.integers(-3, 6, (5, size)) / 4)
        g["nodes"]["h"] = node("Linear", weight=w3)
        summed = lambda x: sum(x[:, a::2, b:b + 2 * pooled[2] - 1:2] for a in (0, 1) for b in (0, 1, 2))
        events = {}
        rows = []
        for k in range(30):
            x = (rng.random((2, 8, 10)) < .1).astype(float)
            events[k] = x
            rows += [(n, k) for n in numpy.flatnonzero(x)]
        want = self.layers([(lambda x: correlate(x, w1, numpy.zeros(4), **first), 1), (lambda x: correlate(summed(x), w2, numpy.zeros(3), **second), 2), (lambda x: w3.astype(float) @ average(x).reshape(-1), 1)], events, 30)
        self.spikes(rows)
        self.imported(g, "--spikes", "in.csv", "--reset", "subtract")
        spikes = self.run_it("40 ms")[0]["j"]
        # Spikes of one neuron in one step follow one another by a tick.
        self.assertEqual(sorted((int(t - .25), n) for t, n in spikes), want)
        self.assertGreater(len(want), 30)

    def test_conv1d_scale_and_delay(self):
        self.spikes([(0, 1), (3, 5)])
        g = chain(inputs(2, 3), conv(numpy.array([[[1, 2], [3, 4]]])), node("Scale", scale=F([.5, -1])), node("Delay", delay=numpy.array([.002, .0015])), node("I", r=F([1, 2])), outputs(2))
        self.imported(g, "--spikes", "in.csv")
        self.assertIn("delay_resolution: 0.1 ms", self.network())
        v = self.run_it("10 ms")[1]["d"]
        want = lambda t: [.5 * (t > 3.1) + 1.5 * (t > 7.1), 0]
        for k in (20, 30, 40, 50, 60, 70, 72, 90):
            numpy.testing.assert_allclose(v[k], want(k / 10))

    def test_threshold(self):
        g = chain(inputs(2), node("Linear", weight=F([[1, 1], [2, 2]])), node("Threshold", threshold=F([1, 1])), outputs(2))
        self.spikes([(0, 1), (1, 1), (0, 5), (1, 6)])
        self.imported(g, "--spikes", "in.csv")
        spikes = self.run_it("10 ms", "  spikes: [b]\n")[0]["b"]
        self.assertEqual([(round(t, 6), n) for t, n in spikes], [(1.1, 0), (1.1, 1), (5.1, 1), (6.1, 1)])
        self.current([(0, 0), (2, .4), (3, .6), (4, 0)])
        self.imported(chain(inputs(1), node("Linear", weight=F([[1], [2]])), node("Threshold", threshold=F([.5, .5])), node("I", r=F([1, 1])), outputs(2)), "--current", "in.csv")
        v = self.run_it("10 ms")[1]["c"]  # the integral of 1 ms, or 2 ms, of 1
        numpy.testing.assert_allclose(v[-1], [.001, .002], rtol=1e-6)

    def test_recurrent_neurons_in_a_nested_graph(self):
        inner = graph({"input": inputs(2), "n": node("IF", r=F([1, 1]), v_threshold=F([1, 1])), "w.rec": node("Linear", weight=F([[0, 1], [1, 0]])), "output": outputs(2)},
                      "input n", "n w.rec", "w.rec n", "n output")
        self.spikes([(0, 1)])
        self.imported(graph({"in": inputs(2), "net": inner, "out": outputs(2)}, "in net", "net out"), "--spikes", "in.csv", "--delay", "2ms")
        spikes = self.run_it("12 ms")[0]["net_n"]
        self.assertEqual([(round(t, 6), n) for t, n in spikes], [(3, 0), (5, 1), (7, 0), (9, 1), (11, 0)])

    def test_any_ranks_and_blocks_give_the_same(self):
        rng = numpy.random.default_rng(5)
        g = graph({"i": inputs(20), "w": node("Linear", weight=F(rng.normal(0, 3, (30, 20)))), "n": cuba("CubaLIF", 30, tau_syn=.002, w_in=3, v_threshold=.3), "r": node("Affine", weight=F(rng.normal(0, .3, (30, 30))), bias=F(rng.normal(0, .05, 30))), "o": outputs(30)},
                  "i w", "w n", "n r", "r n", "n o")
        self.spikes([(n, t) for n in range(20) for t in numpy.sort(rng.uniform(0, 50, 10)).round(6)])
        self.imported(g, "--spikes", "in.csv", "--spike", "0.5ms")
        base = self.run_it("60 ms")[0]["n"]
        self.assertGreater(len(base), 50)
        self.assertEqual(self.run_it("60 ms", None, "--set", "block=3")[0]["n"], base)
        if "MPI no" not in self.good("version"):
            self.assertEqual(self.run_it("60 ms", None, "-n", "2", "--set", "block=1")[0]["n"], base)


class Refused(Case):
    def refused(self, said, *options, file="g.nir"):
        done = self.spinet("import", file, *options)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(said, done.stderr)
        self.assertIn(file, done.stderr)
        self.assertFalse((self.folder / "g.yaml").exists())

    def test_graphs_that_are_wrong(self):
        weight = node("Linear", weight=F(numpy.ones((2, 2))))
        good = lambda *middle: chain(inputs(2), *middle, outputs(2))
        for g, said in [
                (good(node("Liner", weight=F([[1]]))), "did you mean 'Linear'"),
                (good(node("Linear", weights=F([[1]]))), "unknown field 'weights'"),
                (good(node("Affine", weight=F(numpy.ones((2, 2))))), "'bias' of node 'a' (Affine) is missing"),
                (good(node("Linear", weight=F([1, 2]))), "2 dimensions are expected"),
                (good(node("Linear", weight="text")), "numbers are expected"),
                (good(node("Linear", weight=F(numpy.ones((2, 3))))), "sends the shape [2], and 'a' (Linear) takes [3]"),
                (good(node("Affine", weight=F(numpy.ones((2, 2))), bias=F([1]))), "has the shape [1]"),
                (good(node("Linear", weight=F([[numpy.nan, 1], [1, 1]]))), "no number"),
                (good(weight, lif(2, tau=0.)), "'tau' has the value 0 s; it must be above 0"),
                (good(weight, lif(2, v_threshold=-1)), "it would fire without end"),
                (good(weight, lif(2), lif(3)), "sends the shape [2], and 'c' (LIF) takes [3]"),
                (good(neurons("LI", 2, tau=1, r=1, v_leak=0), weight, lif(2)), "sends a potential"),
                (good(node("LIF", tau=F(1), r=F(1), v_leak=F(0), v_threshold="1")), "numbers are expected"),
                (graph({"i": inputs(2), "a": weight, "b": weight, "o": outputs(2)}, "i a", "a b", "b a", "b o"), "circle of nodes without a neuron"),
                (graph({"i": inputs(2), "o": outputs(2)}, "i p"), "there is no node 'p'"),
                (graph({"i": inputs(2), "o": outputs(2)}, "i o", "i o"), "listed twice"),
                (graph({"i": inputs(2), "o": outputs(2)}, "o i"), "is an Input, and gets something"),
                (chain(inputs(1, 4, 4), conv(numpy.ones((1, 1, 5, 5))), outputs(1)), "the kernel reaches over 5 elements"),
                (chain(inputs(3, 4, 4), conv(numpy.ones((2, 1, 3, 3)), groups=2), outputs(1)), "3 channels in 2 groups"),
                (chain(inputs(1, 4, 4), conv(numpy.ones((1, 1, 3, 3)), stride=0), outputs(1)), "at least 1"),
                (chain(inputs(1, 4, 4), conv(numpy.ones((1, 1, 3, 3)), padding="full"), outputs(1)), "'same' or 'valid'"),
                (chain(inputs(2 ** 31, 2 ** 31), outputs(1)), "too many elements"),
                (chain(inputs(-1), outputs(1)), "at least 1"),
                (good(node("Delay", delay=F([-1, 0])), lif(2)), "a delay below 0 s"),
                (chain(inputs(2), node("Linear", weight=F(numpy.ones((2, 2)))), {**lif(2), "tau": numpy.full(2, 1e300)}, outputs(2)), "must be from 0.001 ms to 1e+97 s; it is 1e+300 s"),
                ({"type": "NIRGraph", "nodes": {"i": inputs(1)}}, "has no 'edges'"),
                ({"type": "NIRGraph", "edges": []}, "has no 'nodes'"),
                (node("Linear", weight=F([[1]])), "a NIRGraph is expected"),
                ({"type": "NIRGraph", "nodes": {"i": {"shape": shape(1)}}, "edges": []}, "has no 'type'"),
                ({"type": "NIRGraph", "nodes": {"i": inputs(1)}, "edges": numpy.array([1, 2])}, ""),
                (graph({"i": inputs(1), "s": graph({"x": inputs(1), "y": inputs(1)}), "o": outputs(1)}, "i s"), "2 inputs"),
        ]:
            with self.subTest(said=said):
                self.graph(g) if not isinstance(g.get("edges"), numpy.ndarray) else None
                if isinstance(g.get("edges"), numpy.ndarray):
                    with h5py.File(self.folder / "g.nir", "w") as f:
                        f["node/type"], f["node/edges"] = "NIRGraph", g["edges"]
                        write(f.create_group("node/nodes/i"), inputs(1))
                self.refused(said)

    def test_options_that_do_not_fit(self):
        self.graph(chain(inputs(2), node("Linear", weight=F(numpy.ones((2, 2)))), lif(2), outputs(2)))
        for options, said in [(("--euler", "3ms"), "not longer than the step"), (("--spikes", "none.csv"), "none.csv: there is no such file")]:
            done = self.spinet("import", "g.nir", *options)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)
        for options in [("--spike", "0s"), ("--spike", "fast"), ("--delay", "0.1ns"), ("--reset", "none"), ("--input", "current", "--spikes", "g.nir"), ("--area", "1ms", "--spike", "1ms"), ("-o", "g.nir")]:
            self.assertEqual(self.spinet("import", "g.nir", *options).returncode, 2, options)
        self.assertEqual(self.spinet("import", "none.nir").returncode, 2)

    def test_files_that_mean_harm(self):
        def hostile(change, said):
            with self.subTest(said=said):
                self.graph(chain(inputs(2), node("Linear", weight=F(numpy.ones((2, 2)))), lif(2), outputs(2)))
                with h5py.File(self.folder / "g.nir", "r+") as f:
                    change(f["node/nodes"])
                self.refused(said)

        def replaced(path, make):
            def change(nodes):
                del nodes[path]
                make(nodes, path)
            return change
        hostile(replaced("a/weight", lambda n, p: n.create_dataset(p, shape=(1 << 15, 1 << 15), dtype=F, chunks=(1024, 1024))), "claims more data than the file holds")
        hostile(replaced("a/weight", lambda n, p: n.__setitem__(p, h5py.ExternalLink("/etc/passwd", "x"))), "is a link to elsewhere")
        hostile(replaced("a", lambda n, p: n.__setitem__(p, h5py.SoftLink("/node/nodes/b"))), "is a link to elsewhere")
        hostile(replaced("a/weight", lambda n, p: n.create_dataset(p, (2, 2), F, external=[("/etc/passwd", 0, 16)])), "external storage")
        hostile(replaced("a/weight", lambda n, p: n.create_dataset(p, data=numpy.ones((2, 2), numpy.complex64))), "plain number type")
        hostile(replaced("a/weight", lambda n, p: n.create_group(p)), "is a group")
        hostile(replaced("a/type", lambda n, p: n.__setitem__(p, 3)), "is not a text")
        hostile(replaced("a/type", lambda n, p: n.__setitem__(p, "Lin\x1b[2Jear")), "control characters")
        hostile(lambda n: n.__setitem__("deep", n.parent), "")
        (self.folder / "g.nir").write_bytes(b"no HDF5 at all")
        self.refused("g.nir")
        with h5py.File(self.folder / "g.nir", "w"):
            pass
        self.refused("no group /node")


@unittest.skipUnless(DATA and DATA.is_dir(), "SPINET_DATA has no folder nir: graphs of other frameworks are not tested")
class Others(Case):
    def taken(self, name, *options):
        (self.folder / "g.nir").write_bytes((DATA / name).read_bytes())
        self.good("import", "g.nir", "--force", *options)

    def test_they_come_back_equal(self):
        for name in sorted(DATA.glob("*.nir")):
            self.taken(name)
            self.assertEqual(self.back(), contents(name))

    def test_the_exact_neuron(self):
        """One framework holds its input for a step, the other takes it at once, at the step's begin."""
        exact = numpy.loadtxt(DATA / "lif_exact.csv", delimiter=",")
        self.current([(k / 10, v) for k, v in enumerate(exact[:, 0])])
        self.taken("lif_norse.nir", "--current", "in.csv")
        spikes, reports = self.run_it("100.3 ms", "  spikes: [n1]\n  reports: [{population: n1, variable: V, every: 0.1 ms}]\n")
        rows = lambda spikes: [math.floor((t - .1) / .1 + 1e-6) for t, _ in spikes]  # a connection takes 0.1 ms
        self.assertEqual(rows(spikes["n1"]), [460, 510, 710, 760])
        numpy.testing.assert_allclose(reports["n1"][2:1002, 0], exact[:, 1], atol=2e-6)
        self.spikes([(0, k / 10) for k in numpy.flatnonzero(exact[:, 0])])
        self.taken("lif_rockpool.nir", "--spikes", "in.csv", "--area", "0.1ms")
        self.assertEqual(rows(self.run_it("100.3 ms")[0]["n1_LIFNeuronTorch"]), [460, 510, 710, 760])

    def test_the_convolutional_network(self):
        rng = numpy.random.default_rng(7)
        with h5py.File(DATA / "cnn_sinabs.nir") as f:
            n = {k: {field: v[()] for field, v in g.items()} for k, g in f["node/nodes"].items()}
        pool = lambda x: x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]
        c = lambda k, stride=1: lambda x: correlate(x, n[k]["weight"].astype(float), n[k]["bias"], stride=stride, padding=1)
        layers = [(c("0", 2), 1), (c("2"), 1), (lambda x: c("5")(pool(x)), 1), (lambda x: n["9"]["weight"].astype(float) @ pool(x).reshape(-1), 1), (lambda x: n["11"]["weight"].astype(float) @ x, 1)]
        events = {k: (rng.random((2, 34, 34)) < .03).astype(float) for k in range(10)}
        self.spikes([(i, k) for k, x in events.items() for i in numpy.flatnonzero(x)])
        self.taken("cnn_sinabs.nir", "--spikes", "in.csv", "--reset", "subtract")
        spikes = self.run_it("20 ms")[0]["n12"]
        want = Equations.layers(self, layers, events, 10)
        self.assertEqual(sorted((int(t - .45), i) for t, i in spikes), want)

    def test_the_recurrent_network_runs(self):
        self.spikes([(i, 1 + 3 * i + k) for i in range(12) for k in range(20)])
        self.taken("braille_noDelay_bias_zero.nir", "--spikes", "in.csv", "--spike", "0.1ms", "--euler", "0.1ms")
        self.assertGreater(len(self.run_it("60 ms")[0]["lif2"]), 10)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=1)
