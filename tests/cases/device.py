"""`spinet device`: protocols, figures, pictures, fits against closed forms; `programmer`, which uses what it finds.

usage: device.py SPINET PLUGINS [unittest arguments]
"""
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

import h5py
import numpy as np

SPINET, PLUGINS = (os.path.abspath(a) for a in sys.argv[1:3])

def text_of(path):
    with open(path) as f:
        return f.read()


ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

# The spin valve as tools/README.md and plugins/spin_valve.hpp describe it, once more.
G_MIN, G_MAX, V_TH, V_0 = 0.64, 89.0, 1.2, 0.25
SPAN = math.log(G_MAX / G_MIN)


def k_of(V, k0):
    over = abs(V) - V_TH
    return k0 * math.expm1(over / V_0) if over > 0 else 0


def rate(share, V):
    """k0 such that 50 pulses of V, 5 ms go `share` of the range."""
    return -math.log1p(-share) / 0.25 / math.expm1((abs(V) - V_TH) / V_0)


K_UP, K_DOWN = rate(math.log(47) / SPAN, 2.5), rate(math.log(31) / SPAN, 2.35)


def after(u, V, t):
    if V > 0:
        return 1 - (1 - u) * math.exp(-k_of(V, K_UP) * t)
    return u * math.exp(-k_of(V, K_DOWN) * t)


def G_of(u):
    return G_MIN * math.exp(SPAN * u)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spinet-device-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_it(self, *arguments, code=0):
        done = subprocess.run([SPINET, *arguments], cwd=self.folder, text=True, capture_output=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def device(self, protocol, *more, model="spin_valve", code=0):
        return self.run_it("device", model, "--pulses", protocol, *more, code=code)

    def record(self, protocol, *more, model="spin_valve"):
        self.device(protocol, "-o", "d.h5", "--force", *more, model=model)
        with h5py.File(self.path("d.h5")) as f:
            data = {name: f["variables"][name][:] for name in f["variables"]}
            data.update({"steps/" + name: f["steps"][name][:] for name in f["steps"]})
        return data


class Protocols(Case):
    def test_pulses_ramps_and_groups(self):
        d = self.record("2 x (-4 V 1 s, 1 V..3 V..2 V 5 ms in 4), 2.5 V 1 ms..100 ms in 2 log every 1 s # a comment\n3 x 2 V 5 ms", "--param", "u=0.3")
        ramp = [1, 1.5, 2, 2.5, 3, 2.75, 2.5, 2.25, 2]
        self.assertEqual(list(d["steps/amplitude"]), 2 * ([-4.0] + ramp) + 3 * [2.5] + 3 * [2.0])
        np.testing.assert_allclose(d["steps/width"][20:23], [1e-3, 1e-2, 0.1], rtol=1e-12)
        np.testing.assert_allclose(np.diff(d["steps/begin"])[18:24], [0.01, 0.01, 1, 1, 1, 0.01], rtol=1e-9)
        u = [0.3]
        for V, t in zip(d["steps/amplitude"], d["steps/width"]):
            u.append(after(u[-1], V, t))
        np.testing.assert_allclose(d["u"], u, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(d["G"], [G_of(x) for x in u], rtol=1e-9)

    def test_a_field_loop_turns_the_electrodes(self):
        d = self.record("field -350 Oe..350 Oe..-350 Oe in 70", "--param", "u=1")
        B = d["steps/field"] * 1e4
        antiparallel = [abs(G - 111.25) < 1e-9 for G in d["G"][1:]]
        up = np.arange(71)
        for k in up:
            self.assertEqual(antiparallel[k], 89.5 < B[k] < 249.5, B[k])
        for k in range(71, 141):
            self.assertEqual(antiparallel[k], -249.5 < B[k] < -89.5, B[k])

    def test_a_protocol_that_takes_too_long_and_two_processes(self):
        self.assertIn("takes 9000000002 s; at most 9e+09 s can be", self.device("pause 9e9 s, 2 V 1 s", code=2))
        for command in (["device", "spin_valve", "--pulses", "2 V 5 ms"], ["crossbar", "x.h5"]):
            done = subprocess.run([SPINET, *command], text=True, capture_output=True, cwd=self.folder,
                                  env={**os.environ, "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"})
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(f"spinet {command[0]}: works on one rank, and a launcher has started 2", done.stderr)

    def test_a_parameter_that_changes_and_pauses(self):
        leaky = ("--plugin-path", PLUGINS)
        d = self.record("1 V 1 s every 1 s, set temperature 200 K, pause 100 s in 20, set temperature 50 K..400 K in 1 every 10 s", *leaky, model="leaky")
        x = [0, math.exp(-0.01), math.exp(-0.01)] + [math.exp(-0.01 - 0.1 * k) for k in range(1, 21)]
        x += [x[-1] * math.exp(-0.05), x[-1] * math.exp(-0.05 - 0.4)]
        np.testing.assert_allclose(d["x"], x, rtol=1e-9)
        self.assertIn("'set temperature 300 K..2000 K in 4': with temperature 1575 K, E_max must be above 10 kT",
                      self.device("4 V 1 s, set temperature 300 K..2000 K in 4, pause 1 s", model="glassy", code=2))
        d = self.record("1 V 1 s, pause 1000 s in 5 log", *leaky, model="leaky")
        np.testing.assert_allclose(np.diff(d["steps/begin"])[1:], np.diff([0, 0.1, 1, 10, 100]), rtol=1e-6)
        self.assertIn("half of the change of x by '1 V 1 s' is gone after 69.31 s", self.device("pause 1 s, 1 V 1 s", "--retention", *leaky, model="leaky"))
        self.assertIn("is left after 30 years", self.device("2.5 V 5 ms", "--retention"))

    def test_a_file_and_the_examples_of_the_readme(self):
        with open(self.path("p.txt"), "w") as f:
            f.write("# up, then down\n-4 V 1 s\n50 x 2.5 V 5 ms\n\n4 V 1 s, 50 x -2.35 V 5 ms\n")
        self.assertIn("x 47", self.device("@p.txt"))
        self.assertIn("nowhere.txt' cannot be read", self.device("@nowhere.txt", code=2))
        d = self.record("1.5 V..3 V 5 ms in 30")
        np.savetxt(self.path("measured.csv"), d["G"], header="G [uS]", comments="")
        readme = text_of(os.path.join(ROOT, "tools", "README.md"))
        commands = re.findall(r"^    spinet (device .*)$", readme, re.M)
        self.assertGreaterEqual(len(commands), 6)
        for command in commands:
            self.run_it(*shlex.split(command), "--force")
        table = re.findall(r"^\| (`.*?`) \|", readme[readme.index("| element | |"):readme.index("Every variable is read")], re.M)
        elements = [e for cell in table for e in re.findall("`([^`]*)`", cell)]
        self.assertGreaterEqual(len(elements), 10)
        for e in elements:
            self.device(e, *(("--plugin-path", PLUGINS) if e.startswith("set") else ()), model="leaky" if e.startswith("set") else "spin_valve")

    def test_mistakes_are_shown_where_they_are(self):
        for protocol, message in [
            ("50 x 2.5 V 5 mV", "--pulses:1:12: the width must be a time; '5 mV' is a voltage\n  | 50 x 2.5 V 5 mV\n  |            ^"),
            ("2.5 V 5 ms 3 V", "takes no further number"),
            ("2.5 V", "the width is missing"),
            ("1 V..3 V 5 ms", "a ramp needs a number of steps"),
            ("1 V..3 V 5 ms..10 ms in 3", "an element has one ramp"),
            ("-1 V..3 V 5 ms in 3 log", "between values of one sign"),
            ("2 V 5 ms in 3", "there is none"),
            ("1 V..3 V 5 ms in 0", "1 to 10,000,000"),
            ("3 x (2 V 5 ms", "this '(' is not closed"),
            ("2 V 5 ms)", "this ')' closes nothing"),
            (" # nothing", "nothing is done"),
            ("light 3 W", "does not answer 'light'"),
            ("feld 3 mT", "did you mean 'field'?"),
            ("field 3 V", "the value must be a magnetic field; '3 V' is a voltage"),
            ("field paralel", "did you mean 'parallel'?"),
            ("set G_max 3 uS", "cannot be changed during a run"),
            ("set temp 3 K", "has no parameter 'temp'"),
            ("pause -1 s", "must be above 0 s"),
            ("pause 1e12 s", "at most 9e+09 s"),
            ("9 x pause 9e9 s", "the protocol takes 8.1e+10 s"),
            ("2 V nan ms", "'nan' is no value of 'pulse'"),
            ("2 V 1e999 s", "is too large"),
            ("2 V 5 ms; 3 V 5 ms", "unknown unit 'ms;'"),
            ("10000 x (10000 x 1 V 1 ms)", "1 to 10,000,000 steps"),
            ("(" * 40 + "1 V 1 ms" + ")" * 40, "groups in one another"),
        ]:
            with self.subTest(protocol):
                self.assertIn(message, self.device(protocol, code=2))
        for more, message in [
            (["--variable", "F"], "no variable 'F'"),
            (["--axis", "G"], "an axis is given as"),
            (["--axis", "F=log"], "no variable 'F'"),
            (["--against", "colour"], "nothing that steps have"),
            (["--against", "field", "--html", "a.html"], "no step of the protocol has a value of 'field'"),
            (["--devices", "0"], "1 to 1,000,000 devices"),
            (["--spread", "V_th"], "NAME=VALUE"),
            (["--param", "V_th=1 V", "--param", "V_th=2 V"], "'V_th' is named twice"),
            (["--spread", "V_th=3 uS"], "must be a voltage"),
            (["--spread", "V_th=-3 %"], "not below 0"),
            (["--spread", "k_up=3 %"], "is worked out by the model"),
            (["--spread", "pair=3 %"], "whole number"),
            (["--devices", "200", "--spread", "G_max=300%"], " uS and cannot be: G_"),
            (["--thresholds", "3 V"], "--thresholds"),
            (["--free", "V_th"], "--fit names the measured table"),
            (["--fit", "none.csv", "--free", "V_th"], "'none.csv' cannot be read"),
        ]:
            with self.subTest(more):
                self.assertIn(message, self.device("2 V 5 ms", *more, code=2))


class Figures(Case):
    def test_curvature_is_that_of_the_exponential(self):
        """In the linear map G is an exponential in the pulses: alpha = 50 k t."""
        out = self.device("-4 V 100 s, 50 x 2.5 V 5 ms, 4 V 100 s, 50 x -2.35 V 5 ms", "--param", "linear=1")
        up = -math.log1p(-46 * G_MIN / (G_MAX - G_MIN))
        down = -math.log1p(-(1 - 1 / 31) * G_MAX / (G_MAX - G_MIN))
        found = [float(line.split()[-2]) for line in out.split("\n") if line.startswith("50 x")]
        np.testing.assert_allclose(found, [up, down], atol=6e-4)

    def test_thresholds(self):
        out = self.device("1 V 1 ms", "--param", "u=0.5", "--thresholds", "1s")
        found = [float(x) for x in re.findall(r"threshold (\S+) V", out)]
        np.testing.assert_allclose(found, [V_TH, -V_TH], atol=1e-5)
        out = self.device("1 V 1 ms", "--param", "u=0.5", "--thresholds", "5ms", "--change", "0.01")
        found = [float(x) for x in re.findall(r"threshold (\S+) V", out)]
        # SPAN 0.5 (1 - exp(-k t)) = ln 1.01, and ln(1 / 0.99) downwards
        wanted = []
        for sign, k0, size in ((1, K_UP, math.log(1.01)), (-1, K_DOWN, -math.log(0.99))):
            k = -math.log1p(-size / (0.5 * SPAN)) / 5e-3
            wanted.append(sign * (V_TH + V_0 * math.log1p(k / k0)))
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
        self.assertIn("no threshold up to 100 V", self.device("4 V 1000 s", "--thresholds", "1s"))

    def test_knobs_that_devices_draw_about_0(self):
        self.assertIn("a share of 0 is 0", self.device("read", "--devices", "2", "--spread", "read_noise=20%", code=2))
        reads = self.record("read", "--devices", "20", "--spread", "read_noise=0.2", "--param", "u=0.5")["reading"][1]
        self.assertGreater(reads.std(), 0)

    def test_devices_pay_for_what_flows_while_they_relax(self):
        paid = [self.record("4 V 10 ms, 0.9 V 10 s, -0.9 V 100 s", "--param", "energy=1", model=m)["energy"] for m in ("glassy", "glassy_6", "glassy_ensemble")]
        np.testing.assert_allclose(paid[0][1:], paid[2][1:], rtol=2e-3)
        np.testing.assert_allclose(paid[1][1:], paid[2][1:], rtol=2e-3)

    def test_devices_differ_as_they_are_told(self):
        n = 2000
        d = self.record("2.5 V 5 ms", "--devices", str(n), "--spread", "g=10%", "--spread", "V_th=50mV", "--param", "u=0.5", "--param", "k_up=0.03 1/s")
        self.assertEqual(d["G"].shape, (2, n))
        g = d["G"][0] / math.sqrt(0.64 * 89)  # u = 0.5 is the middle of ln G
        s = math.sqrt(math.log1p(0.01))
        self.assertLess(abs(np.log(g).mean() + s * s / 2), 4 * s / math.sqrt(n))
        self.assertLess(abs(np.log(g).std() / s - 1), 4 / math.sqrt(2 * n))
        # What V_th each has had, from what the pulse has done.
        k = -np.log((1 - d["u"][1]) / 0.5) / 5e-3
        V_th = 2.5 - V_0 * np.log1p(k / 0.03)
        self.assertLess(abs(V_th.mean() - V_TH), 4 * 0.05 / math.sqrt(n))
        self.assertLess(abs(V_th.std() / 0.05 - 1), 4 / math.sqrt(2 * n))
        self.assertLess(abs(np.corrcoef(g, V_th)[0, 1]), 4 / math.sqrt(n))
        out = self.device("2.5 V 5 ms", "--devices", str(n), "--spread", "g=10%", "--param", "u=0.5", "--param", "k_up=0.03 1/s")
        for q, x in re.findall(r"(\d+) %: ([0-9.]+)", out):
            d1 = np.quantile(g, int(q) / 100) * G_of(1 - 0.5 * math.exp(-k_of(2.5, 0.03) * 5e-3))
            self.assertAlmostEqual(float(x) / d1, 1, 3)
        again = self.record("2.5 V 5 ms", "--devices", str(n), "--spread", "g=10%", "--spread", "V_th=50mV", "--param", "u=0.5", "--param", "k_up=0.03 1/s")
        self.assertTrue((again["G"] == d["G"]).all())
        with h5py.File(self.path("d.h5")) as f:
            np.testing.assert_allclose(f["devices/V_th"][:], V_th, rtol=1e-9)
            np.testing.assert_allclose(f["devices/g"][:], g, rtol=1e-6)
        for more, message in [(("V_th=5%", "V_th=50mV"), "--spread: 'V_th' is named twice"),
                              (("stuck=10%",), "'stuck' is a parameter of all synapses of the projection and must be one number"),
                              (("w_max=10%",), "'w_max' is a parameter of all synapses of the projection and must be one number")]:
            self.assertIn(message, self.device("2.5 V 5 ms", "--devices", "5", *(f"--spread={s}" for s in more), code=2))
        other = self.record("2.5 V 5 ms", "--devices", "5", "--spread", "g=10%", "--seed", "2")
        self.assertTrue((other["G"][0] != d["G"][0][:5]).all())

    def test_what_the_model_works_out_is_that_of_the_middle(self):
        """As in a network: k_up, of V_th and others, is one for all; a second device has its own numbers."""
        alone = self.record("2.5 V 5 ms", "--param", "u=0")["u"][-1]
        d = self.record("2.5 V 5 ms", "--devices", "12", "--spread", "V_th=5%", "--param", "u=0")
        with h5py.File(self.path("d.h5")) as f:
            over = lambda V_th: np.expm1((2.5 - V_th) / V_0)
            np.testing.assert_allclose(np.log1p(-d["u"][1]) / math.log1p(-alone), over(f["devices/V_th"][:]) / over(V_TH), rtol=1e-9)
        d = self.record("2.5 V 5 ms", "--devices", "12", "--spread", "G_max=5%", "--param", "u=0.5", "--param", "u2=0.5", "--param", "pair=1")
        with h5py.File(self.path("d.h5")) as f:
            first, second = f["devices/G_max"][:], f["devices/G_max2"][:]
        self.assertTrue((first != second).all())
        np.testing.assert_allclose(d["G"][0] / d["G2"][0], np.sqrt(first / second), rtol=1e-6)

    def test_weights_go_by_the_middle_of_what_differs(self):
        for model, start, spread in (("pcm", "weight=0.5", "G_max=20%"), ("pvdf", "s=0.8", "G_max=20%"), ("spin_valve", "u=0.8", "G_max=20%"),
                                     ("mtj", "u=1", "g=20%")):
            more = ["--param=programming_noise=0"] if model == "pcm" else []
            pulse = "5 x 2 V 1 ms" if model == "pcm" else "pause 1 s"
            d = self.record(pulse, "--devices", "12", f"--param={start}", "--spread", spread, *more, model=model)
            self.assertGreater(d["G"][-1].std() / d["G"][-1].mean(), 0.05, model)
            # Weights differ as conductances do: no device makes up for its own range.
            slope, offset = np.polyfit(d["G"][-1], d["weight"][-1], 1)
            np.testing.assert_allclose(d["weight"][-1], slope * d["G"][-1] + offset, rtol=1e-5, err_msg=model)
            self.assertGreater(d["weight"][-1].std() / d["weight"][-1].mean(), 0.05, model)

    def test_tunnel_junctions(self):
        """Levels of eight of them: each pulse switches those that are left with one probability; energies of those that stay."""
        pulses = "30 x 0.15 V 10.7 ns every 1 ms"
        d = self.record(pulses, "--param", "junctions=8", "--param", "energy=1", "--devices", "60", model="mtj")
        up = 8 * d["u"]
        self.assertEqual(d["G"].shape, (31, 60))
        np.testing.assert_allclose(d["G"], 8e3 / 15 + up * (1e3 / 6 - 1e3 / 15), rtol=1e-9)
        self.assertTrue((np.diff(up, axis=0) >= 0).all() and set(np.unique(up)) == set(range(9)))
        for k in (1, 10, 30):  # binomial
            p = 1 - 0.9**k
            self.assertLess(abs(d["u"][k].mean() - p), 4 * math.sqrt(p * (1 - p) / 480) + 0.003)
        stay = up[1] == 0
        np.testing.assert_allclose(1e6 * d["energy"][1][stay], 8 * 1e6 * 0.15**2 / 15e3 * 10.7, rtol=1e-9)
        self.assertFalse((self.record(pulses, "--param", "junctions=8", "--devices", "60", "--seed", "2", model="mtj")["u"] == d["u"]).all())

    def test_pictures(self):
        for name, protocol, more, labels in [
            ("steps", "-4 V 1 s, 50 x 2.5 V 5 ms", ["--variable", "G,energy"], ["G uS", "energy nJ", ">step<"]),
            ("field", "field -350 Oe..350 Oe..-350 Oe in 70", ["--param", "u=1"], ["G uS", "field T"]),
            ("iv", "0 V..3 V..-4 V..0 V 10 ms in 50 every 10 ms", ["--variable", "I,G"], ["I uA", "amplitude V"]),
            ("pause", "pause 1000 s in 30 log", ["--axis", "x=log", "--axis", "G=log"], ["time s"]),
            ("many", "20 x 2.5 V 5 ms", ["--devices", "20", "--spread", "g=20%"], ['class="band"']),
        ]:
            with self.subTest(name):
                self.device(protocol, *more, "-o", f"{name}.h5", "--html", f"{name}.html")
                svg = text_of(self.path(f"{name}.svg"))
                xml.dom.minidom.parseString(svg)
                html = text_of(self.path(f"{name}.html"))
                self.assertIn(svg, html)
                self.assertNotRegex(html, r"<script|<link|src=|url\((?!#)")
                self.assertNotRegex(svg, r"nan|inf[^o]")
                for label in labels:
                    self.assertIn(label, svg)


    def test_axes_have_round_numbers_where_they_belong(self):
        """Of each axis: numbers m 10^k apart with m = 1, 2 or 5 (of a logarithm: such numbers), where the data's scale has them."""
        for name, protocol, more, logarithmic in [
            ("linear", "50 x 2.5 V 5 ms", ["--axis", "G=linear"], False),
            ("log", "-4 V 1 s, 50 x 2.5 V 5 ms", ["--axis", "G=log"], True),
            ("narrow", "50 x 1.21 V 1 us", ["--param", "u=0.5", "--axis", "G=linear"], False),  # changes in the sixth digit
            ("loop", "field -350 Oe..350 Oe..-350 Oe in 70", ["--param", "u=1", "--axis", "G=linear"], False),
        ]:
            with self.subTest(name):
                d = self.record(protocol, *more)
                svg = text_of(self.path("d.svg"))
                marks = [(float(y), float(v)) for y, v in re.findall(r'<path d="M80 (\S+)h640" [^>]*/><text [^>]*>([^<]+)</text>', svg.split("<rect x=")[0])]
                x = [float(v) for v in re.findall(r'text-anchor="middle" class="s">([^<]+)</text>', svg)]
                low, high = d["G"].min(), d["G"].max()
                for values in ([v for _, v in marks], x):
                    self.assertGreaterEqual(len(values), 2)
                    self.assertLessEqual(len(values), 12)
                    self.assertEqual(values, sorted(set(values)))
                    if values is x or not logarithmic:
                        step = np.diff(values)
                        np.testing.assert_allclose(step, step[0], rtol=1e-6)
                    for v in values if logarithmic and values is not x else [step[0]]:
                        lead = abs(v) / 10 ** math.floor(math.log10(abs(v)) + 1e-9)
                        self.assertTrue(any(abs(lead - m) < 1e-4 for m in (1, 2, 5, 10)), v)
                self.assertTrue(all(low - 1e-9 <= v <= high * (1 + 1e-9) for _, v in marks))
                scale = (lambda v: math.log(v)) if logarithmic else (lambda v: v)
                a, b = np.polyfit([scale(v) for _, v in marks], [y for y, _ in marks], 1)
                for y, v in marks:
                    self.assertLess(abs(a * scale(v) + b - y), 0.2)
        # A change of the last digit has an end, too.
        self.device("1.2000000000001 V 1 ns", "--param", "u=0.5", "--variable", "u", "-o", "last.h5")


class Presets(Case):
    def test_a_preset_is_the_parameters_that_the_model_lists(self):
        listed = self.run_it("models", "glassy")
        self.assertRegex(listed, r"(?s)Presets: name, source, parameters.*lsmo_gaq3_co .*A. Shumilin.*temperature")
        self.assertNotIn("Presets", self.run_it("models", "static"))
        protocol = "4 V 1 s, -3 V 5 ms, pause 100 s"
        plain = self.record(protocol, model="glassy")["G"]
        warm = self.record(protocol, "--preset", "lsmo_gaq3_co_3x1", model="glassy")["G"]
        said = self.record(protocol, "--param", "temperature=100 K", model="glassy")["G"]
        self.assertTrue((warm == said).all())
        self.assertTrue((warm[1:] != plain[1:]).all())
        over = self.record(protocol, "--preset", "lsmo_gaq3_co_3x1", "--param", "temperature=76 K", model="glassy")["G"]
        self.assertTrue((over == plain).all())
        with h5py.File(self.path("d.h5")) as f:
            self.assertEqual(f.attrs["preset"].decode(), "lsmo_gaq3_co_3x1")
        self.assertIn("did you mean 'lsmo_gaq3_co'?", self.device(protocol, "--preset", "lsmo_gaq_co", model="glassy", code=2))
        self.assertIn("model static", self.run_it("device", "static", "--pulses", "1 V 1 ms", code=2))
        # A network with the preset is the network with its parameters.
        for name, synapse in (("a", "preset: lsmo_gaq3_co_3x1"), ("b", "temperature: 100 K")):
            with open(self.path(name + ".yaml"), "w") as f:
                f.write("spinet: 1\nduration: 3 s\npopulations: {r: {model: lif_delta, size: 2}}\nprojections:\n"
                        f"  d: {{from: r, to: r, connect: all_to_all, synapse: {{model: glassy, w_max: 1 mV, {synapse}, delay: 1 ms}}}}\n"
                        "schedule:\n  - {at: 1 s, pulse: {amplitude: 4 V, width: 1 s}, to: d}\n"
                        "record: {weights: {projection: d, variable: G, every: 500 ms}}\n")
            self.run_it("run", name + ".yaml", "-o", name + ".h5")
        with h5py.File(self.path("a.h5")) as a, h5py.File(self.path("b.h5")) as b:
            self.assertTrue((a["weights/d.G/data"][:] == b["weights/d.G/data"][:]).all())
            self.assertGreater(np.ptp(a["weights/d.G/data"][:]), 0)


class Fits(Case):
    START = ["--param", "k_up=0.1 1/s", "--param", "V_0=0.4V", "--param", "V_th=0.9V"]
    TRUE = {"k_up": 0.03, "V_0": 0.25, "V_th": 1.2}
    PROTOCOL = "-4 V 10 s, 1 V..3 V 5 ms in 40, 20 x 1.8 V 50 ms"

    def measured(self, noise=0.0, seed=0):
        G = self.record(self.PROTOCOL, *(f"--param={k}={v}{unit}" for (k, v), unit in zip(self.TRUE.items(), (" 1/s", "V", "V"))))["G"][1:]
        G = G * np.exp(noise * np.random.default_rng(seed).standard_normal(len(G))) * 1e-3  # mS
        with open(self.path("m.csv"), "w") as f:
            f.write("reading,G [mS]\n" + "".join(f"{k + 1},{x:.17g}\n" for k, x in enumerate(G)))

    def fit(self, start=None, free="k_up,V_0,V_th"):
        out = self.device(self.PROTOCOL, *(start or self.START), "--fit", "m.csv", "--free", free)
        found = {n: (float(x), float(a), float(b)) for n, x, a, b in re.findall(r"^  (\w+) +(\S+)[^%\n]*95 %: (\S+) to (\S+)", out, re.M)}
        return out, found

    def test_parameters_are_recovered(self):
        self.measured()
        for start in (self.START, ["--param", "k_up=1e-3 1/s", "--param", "V_0=0.1V", "--param", "V_th=2V"],
                      ["--param", "k_up=1 1/s", "--param", "V_0=1V", "--param", "V_th=0.3V"]):
            out, found = self.fit(start)
            for name, value in self.TRUE.items():
                self.assertLess(abs(found[name][0] / value - 1), 0.02, out)
        yaml = re.search(r"synapse: \{(.*)\}", out).group(1)
        with open(self.path("n.yaml"), "w") as f:
            f.write("spinet: 1\nduration: 1 ms\npopulations: {n: {model: lif_delta, size: 2}}\nprojections:\n"
                    f"  p: {{from: n, to: n, connect: one_to_one, synapse: {{{yaml}, delay: 1 ms}}}}\n")
        self.run_it("validate", "n.yaml")

    def test_intervals_cover(self):
        """Of 12 noisy tables and three parameters each, 95 % intervals hold the truth in all but a few: fewer than 29 of 36
        would come once in 1e4 times if the three were independent, and a hundred times as often if they were one."""
        held, logs, halves = 0, [], []
        for seed in range(12):
            self.measured(0.01, seed)
            out, found = self.fit()
            held += sum(found[n][1] <= v <= found[n][2] for n, v in self.TRUE.items())
            logs.append([math.log(found[n][0]) for n in self.TRUE])
            halves.append([math.log(found[n][2] / found[n][1]) / 2 for n in self.TRUE])
        self.assertGreaterEqual(held, 29)
        # As wide as the estimates scatter: t of 59 degrees of freedom is 2.00, and an sd of twelve is known to a fifth.
        ratio = np.mean(halves, axis=0) / (2.0 * np.std(logs, axis=0, ddof=1))
        self.assertTrue(((ratio > 0.5) & (ratio < 2)).all(), ratio)

    def test_devices_that_keep_their_state_in_few_bits(self):
        protocol = "4 V 1 s, -4 V 1 s, pause 12 s, 20 x 2 V 5 ms every 8 s, 20 x -2.8 V 5 ms every 8 s"
        for model in ("glassy", "glassy_6"):
            G = self.record(protocol, "--param=lift_up=0.3eV", "--param=power_down=3", model=model)["G"]
            with open(self.path("m.csv"), "w") as f:
                f.write("reading,G [uS]\n" + "".join(f"{k},{x:.9g}\n" for k, x in enumerate(G)))
            for free in ("lift_up,power_down", "power_down,lift_up"):
                out = self.device(protocol, "--fit", "m.csv", "--free", free, model=model)
                found = {n: (float(x), float(a), float(b)) for n, x, a, b in re.findall(r"^  (\w+) +(\S+)[^%\n]*95 %: (\S+) to (\S+)", out, re.M)}
                for name, value in (("lift_up", 0.3), ("power_down", 3)):
                    self.assertLess(abs(found[name][0] / value - 1), 0.02, out)
                    self.assertTrue(found[name][1] <= value <= found[name][2], out)

    def test_times_whose_range_is_wide(self):
        """The range of a time constant ends at 1e15 ms: no scale to search on."""
        protocol = "10 x 10 mA 10 ms every 100 ms, pause 8 s in 20, 10 x 12 mA 10 ms every 1 s"
        true = {"tau_v": 2500, "tau_h": 700, "I_0": 11}
        m = self.record(protocol, "--param=tau_v=2500ms", "--param=tau_h=700ms", "--param=I_0=11mA", model="sot_device")["m"]
        with open(self.path("m.csv"), "w") as f:
            f.write("reading,m\n" + "".join(f"{k},{x:.12g}\n" for k, x in enumerate(m)))
        out = self.device(protocol, "--fit", "m.csv", "--free", ",".join(true), model="sot_device")
        for name, value in true.items():
            self.assertLess(abs(float(re.search(rf"^  {name} +(\S+)", out, re.M).group(1)) / value - 1), 1e-4, out)

    def test_what_a_table_hardly_shows_is_not_known(self):
        """nu_0 acts by its logarithm, and less than the few bits of a state resolve."""
        protocol = ("3 x (4 V 1 s, -4 V 1 s), pause 12 s, 20 x 2 V 5 ms every 8 s, 3 x 3 V 5 ms every 8 s, "
                    "20 x -2.8 V 5 ms every 8 s, 3 x -3.5 V 1 ms every 1 s, pause 1e4 s in 10 log")
        G = self.record(protocol, "--param=nu_0=5e12 1/s", "--param=lift_down=0.015eV", model="glassy")["G"]
        with open(self.path("m.csv"), "w") as f:
            f.write("reading,G [uS]\n" + "".join(f"{k},{x:.9g}\n" for k, x in enumerate(G)))
        out = self.device(protocol, "--fit", "m.csv", "--free", "nu_0,lift_down,G_min", model="glassy")
        self.assertRegex(out, r"nu_0 .* 95 %: not known")
        self.assertRegex(out, r"lift_down +0\.015 eV +95 %: 0\.0149\d* to 0\.0150\d*")

    def test_a_table_that_the_model_cannot_follow(self):
        """Conductances that first hardly rise under equal pulses, then fast: no k_up makes them."""
        with open(self.path("m.csv"), "w") as f:
            f.write("reading,G [uS]\n" + "".join(f"{k},{8 + 80 / (1 + math.exp(10 - k / 2)):.6g}\n" for k in range(1, 41)))
        out = self.device("40 x 2 V 5 ms", "--param", "u=0.5", "--param", "k_up=0.1 1/s", "--fit", "m.csv", "--free", "k_up")
        self.assertIn("They are no noise", out)
        self.assertIn("95 %: not known", out)

    def known(self, protocol, table, *more, model="spin_valve"):
        """95 % intervals of a fit, None where nothing is known, and what it prints."""
        with open(self.path("m.csv"), "w") as f:
            f.write("reading,G [uS]\n" + "".join(f"{k},{x:.9g}\n" for k, x in enumerate(table)))
        out = self.device(protocol, "--fit", "m.csv", *more, model=model)
        told = re.findall(r"^  (\w+) +\S+[^%\n]*95 %: (?:not known|(\S+) to (\S+))", out, re.M)
        return {n: (float(a), float(b)) if a else None for n, a, b in told}, out

    def noisy(self, protocol, noise, *params, model="spin_valve", seed=0):
        G = self.record(protocol, *(f"--param={p}" for p in params), model=model)["G"]
        return G * np.exp(noise * np.random.default_rng(seed).standard_normal(len(G)))

    def test_parameters_that_run_away_along_a_valley(self):
        """Far over the threshold k exp(-V_th/V_0) is all that shows; drift within t0 shows nu/t0."""
        protocol = "-4 V 1 s, 20 x 2.5 V 5 ms, 20 x -2.35 V 5 ms, 1.8 V..3 V 5 ms in 8"
        table = self.noisy(protocol, 0.02, "V_th=1.35V", "V_0=0.31V", "k_up=0.05 1/s", "k_down=0.04 1/s")
        found, out = self.known(protocol, table, "--param=k_up=0.03 1/s", "--param=k_down=0.03 1/s", "--free=V_th,V_0,k_up,k_down")
        self.assertRegex(out, r"V_th .*not known \(not told apart from .*k_up")
        self.assertRegex(out, r"k_up .*not known \(not told apart from .*V_th")
        self.assertIsNone(found["k_down"], out)
        self.assertTrue(found["V_0"] is None or found["V_0"][0] <= 0.31 <= found["V_0"][1], out)
        quiet = ["nu_sd=0", "programming_noise=0", "noise_1f=0", "weight=50"]
        table = self.noisy("pause 10 s in 10", 0.005, "nu=0.06", *quiet, model="pcm")
        found, out = self.known("pause 10 s in 10", table, "--free=nu,t0", *(f"--param={p}" for p in ["nu=0.05", *quiet]), model="pcm")
        self.assertEqual(found, {"nu": None, "t0": None}, out)
        self.assertRegex(out, r"nu .*not told apart from t0")

    def test_a_ridge(self):
        """One amplitude tells lift_down 3^power_down only."""
        protocol = "4 V 1 s, -4 V 1 s, pause 12 s, 10 x 2 V 5 ms every 8 s, pause 1000 s in 10 log"
        for noise in (0, 0.005):
            table = self.noisy(protocol, noise, "lift_down=0.025eV", "power_down=3", model="glassy")
            found, out = self.known(protocol, table, "--free=lift_down,power_down", model="glassy")
            self.assertEqual(found, {"lift_down": None, "power_down": None}, out)
            self.assertIn("not told apart from power_down", out)

    def test_a_best_value_of_zero(self):
        protocol = "4 V 1 s, field -350 Oe..350 Oe in 40"
        for MG in (0, 0.001):
            found, out = self.known(protocol, self.noisy(protocol, 0.01, f"MG_max={MG}"), "--free=MG_max")
            low, high = found["MG_max"]
            self.assertEqual(low, 0, out)
            self.assertTrue(MG < high < 0.02, out)
        for seed in range(5):  # noise may raise it from 0; the truth stays within
            found, out = self.known(protocol, self.noisy(protocol, 0.01, "MG_max=0.006", seed=seed), "--free=MG_max")
            self.assertTrue(found["MG_max"] is None or found["MG_max"][0] <= 0.006 <= found["MG_max"][1] < 0.05, out)

    def test_tables_as_other_programs_write_them(self):
        self.measured()
        plain, found = self.fit()
        with open(self.path("m.csv")) as f:
            lines = f.read().splitlines()
        lines[0] = '"reading","G [mS]"'
        with open(self.path("m.csv"), "w", encoding="utf-8-sig", newline="") as f:
            f.write("\r\n".join(["# measured in May", *lines[:3], "", "# and after lunch", *lines[3:]]) + "\r\n")
        self.assertEqual(self.fit(), (plain, found))

    def test_parameters_that_do_the_same(self):
        """k multiplies k_up: only the product shows.  And a start so far off that nothing changes is refused."""
        self.measured()
        with open(self.path("m1.csv"), "w") as f:
            f.write("G\n1\n3\n")
        out, found = self.fit(["--param", "k_up=0.05 1/s"], "k_up,k")
        self.assertIn("do not tell these parameters apart", out)
        self.assertEqual(found, {})
        self.assertIn("k_up changes nothing that was measured: start elsewhere",
                      self.device("2.5 V 5 ms", "--param", "k_up=1e9 1/s", "--fit", "m1.csv", "--free", "k_up", code=2))

    def test_what_cannot_be_fitted(self):
        with open(self.path("m.csv"), "w") as f:
            f.write("reading,G\n1,3\n2,3\n")
        for more, message in [
            (["--free", "k_up,V_0,V_th"], "3 parameters cannot be fitted to 2 measured values: there are more parameters than points"),
            (["--free", "k_upp"], "did you mean 'k_up'?"),
            (["--free", "pair"], "no parameter 'pair' that can be fitted"),
            (["--free", "k_down"], "a value to start from: --param k_down=..."),
            (["--free", "V_0,V_0"], "named twice"),
            (["--free", "iv_scale"], "iv_scale starts from 0 and is searched by factors; give the fit a value above 0 to start from: --param iv_scale=..."),
            ([], "--free says which"),
        ]:
            self.assertIn(message, self.device("2 x 2 V 5 ms", *self.START, "--fit", "m.csv", *more, code=2))
        self.assertIn("the protocol makes 2 (0, before", self.device("2 V 5 ms", *self.START, "--fit", "m.csv", "--free", "V_0", code=2))
        self.assertIn("k_up changes nothing that was measured", self.device("2 x 0.1 V 5 ms", *self.START, "--fit", "m.csv", "--free", "V_0,k_up", code=2))
        with open(self.path("flat.csv"), "w") as f:
            f.write("reading,G\n0,0.64\n1,0.64\n2,0.64\n")
        for start in ("k_up=1e9 1/s", "k_up=1e-9 1/s"):
            self.assertIn("k_up changes nothing that was measured: the table is constant, G is 0.64 uS in all of its 3 rows",
                          self.device("2 x 2 V 5 ms", "--param", start, "--fit", "flat.csv", "--free", "k_up", code=2))
        for text, message in [("F\n1\n", "'F' is no variable"), ("G [V]\n1\n", "a unit of a conductance is wanted"), ("G\n1,2\n", "m.csv:2: 2 values where"),
                              ("G\nx\n", "'x' is no number"), ("G\n", "no measured values"), ("", "m.csv:1: no column is a variable"), ("reading\n1\n", "no column is a variable"),
                              ("reading,G\n-1,2\n", "no number of a reading"), ("G\nnan\n", "'nan' is no number"),
                              ("G\n1\n0x1p0\n", "m.csv:3: '0x1p0' is no decimal number"), ("G [uS],G [mS]\n1,1\n", "m.csv:1: two columns are 'G'"),
                              ("reading,reading,G\n0,0,1\n", "m.csv:1: two columns are 'reading'"),
                              ("reading [s],G\n0,1\n", "m.csv:1: 'reading [s]': the number of a reading (0, 1, ...) has no unit")]:
            with open(self.path("m.csv"), "w") as f:
                f.write(text)
            self.assertIn(message, self.device("2 V 5 ms", *self.START, "--fit", "m.csv", "--free", "V_0", code=2))


class Programmer(Case):
    NETWORK = """
spinet: 1
name: programming
duration: 40 s
populations:
  p: {{model: programmer, size: {size}, drives: devices, params: {{wanted: {wanted}, tolerance: {tolerance}, most: {most}, step: {step},
       up_width: {width}, down_width: {width}, deadline: 2 ms, latency: 1 ms, period: 15 ms}}}}
projections:
  devices: {{from: "p[0:{rows}]", to: "p[0:{columns}]", connect: {connect},
            synapse: {{model: spin_valve, port: reading, w_max: 89, delay: 1 ms, u: {u}, read_noise: {noise}}}}}
record:
  spikes: {spikes}
  reports:
    - {{population: p, variable: reading, every: 100 ms}}
    - {{population: p, variable: pulses, every: 100 ms}}
    - {{population: p, variable: finished, every: 100 ms}}
"""

    def write(self, wanted, **kind):
        values = dict(size=len(wanted), wanted=[round(float(x), 6) for x in wanted], tolerance=0.5, most=60, step="0 V", width="1 ms", rows=1, columns=len(wanted),
                      connect="all_to_all", u=0.5, noise=0, spikes="[]")
        values.update(kind)
        with open(self.path("p.yaml"), "w") as f:
            f.write(self.NETWORK.format(**values))

    def program(self, wanted, ranks=1, **kind):
        """Readings and pulses of all devices, and the statistics at the end; a reading is G in uS."""
        self.write(wanted, **kind)
        self.run_it("run", "p.yaml", "-n", str(ranks), "-o", "p.h5", "--force")
        with h5py.File(self.path("p.h5")) as f:
            last = [f[f"spinet/reports/p_{n}/data"][-1] for n in ("reading", "pulses", "finished")]
            metrics = f["metrics/p"]
            return *(x.astype(float) for x in last), {n: metrics[n][:] for n in ("devices", "reached", "pulses", "error")}

    @staticmethod
    def expected(wanted, u=0.5, tolerance=0.5, most=60, step=0.0, width=1e-3):
        readings, pulses = [], []
        for w in wanted:
            x, n = u, 0
            while abs(G_of(x) - w) > tolerance and n < most:
                x = after(x, 2.5 + step * n if G_of(x) < w else -2.35 - step * n, width)
                n += 1
            readings.append(G_of(x))
            pulses.append(n)
        return np.array(readings), np.array(pulses)

    WANTED = [7.5, 9, 12, 20, 30, 50, 70, 85, 7, 5, 3, 2, 1.2, 0.9, 0.7, 10, 11, 40, 1.5, 60]

    def test_devices_reach_what_is_wanted_in_as_many_pulses_as_the_closed_form(self):
        for kind in (dict(rows=4, columns=5), dict(rows=20, columns=20, connect="one_to_one"), dict(rows=1, columns=20)):
            for rule in (dict(), dict(step=0.02), dict(width=5e-3, most=10)):
                with self.subTest(kind=kind, rule=rule):
                    said = dict(rule)
                    said["step"] = f"{rule.get('step', 0)} V"
                    said["width"] = f"{1e3 * rule.get('width', 1e-3):g} ms"
                    G, pulses, finished, metrics = self.program(self.WANTED, **kind, **said)
                    wanted_G, wanted_pulses = self.expected(np.array(self.WANTED), **rule)
                    self.assertTrue((finished == 1).all())
                    np.testing.assert_array_equal(pulses, wanted_pulses)
                    np.testing.assert_allclose(G, wanted_G, rtol=1e-6)
                    off = G - np.array(self.WANTED)
                    self.assertEqual(metrics["devices"][-1], 20)
                    self.assertAlmostEqual(metrics["reached"][-1], np.mean(abs(off) <= 0.5), 9)
                    self.assertAlmostEqual(metrics["pulses"][-1], pulses.mean(), 9)
                    self.assertAlmostEqual(metrics["error"][-1], math.sqrt((off ** 2).mean()), 5)

    def test_devices_that_are_finished_are_read_no_more(self):
        _, pulses, _, _ = self.program(self.WANTED, rows=20, columns=20, connect="one_to_one", spikes="[p]")
        with h5py.File(self.path("p.h5")) as f:
            reads = np.bincount(f["spikes/p/node_ids"][:].astype(int), minlength=20)
        np.testing.assert_array_equal(reads, pulses + 1)

    def test_the_same_on_any_number_of_ranks(self):
        one = self.program(self.WANTED, rows=4, columns=5, noise=0.02)
        for ranks in (2, 3):
            other = self.program(self.WANTED, ranks, rows=4, columns=5, noise=0.02)
            for a, b in zip(one[:3], other[:3]):
                self.assertTrue((a == b).all())
            for name in one[3]:
                self.assertTrue((one[3][name] == other[3][name]).all())

    def test_the_same_in_any_blocks_and_after_a_checkpoint(self):
        def whole():
            with h5py.File(self.path("p.h5")) as f:
                found = {}
                f.visititems(lambda name, o: found.update({name: o[()]}) if isinstance(o, h5py.Dataset) and not name.startswith("spinet") else None)
            return found
        self.write(self.WANTED, rows=4, columns=5, noise=0.02)

        def run(*options):
            self.run_it("run", "p.yaml", "--duration", "600 ms", "-o", "p.h5", "--force", *options)
            return whole()
        one = run()
        self.assertGreater(len(one["metrics/p/timestamps"]), 2)
        self.assertGreater(one["report/p.p_pulses/data"][-1].sum(), 20)

        def same(other):
            self.assertEqual(one.keys(), other.keys())
            for name, values in one.items():
                np.testing.assert_array_equal(values, other[name], name)
        same(run("--set", "block=4", "-n", "2"))
        # A checkpoint between a comparison and its pulse, in the midst of the rounds.
        same(run("--set", "block=1", "--checkpoint-every", "212.5 ms"))
        first = sorted(name for name in os.listdir(self.folder) if name.startswith("p.ckpt."))[0]
        self.run_it("resume", first, "-n", "2")
        same(whole())

    def test_statistics_against_the_size_of_pulses(self):
        rng = np.random.default_rng(1)
        wanted = np.exp(rng.uniform(math.log(2), math.log(60), 20))
        pulses, error = [], []
        for width in ("0.5 ms", "2 ms", "8 ms"):
            _, _, _, metrics = self.program(wanted, width=width, tolerance=0.1, most=700)
            pulses.append(metrics["pulses"][-1])
            error.append(metrics["error"][-1])
        for width, n, e in zip((5e-4, 2e-3, 8e-3), pulses, error):
            G, count = self.expected(np.round(wanted, 6), tolerance=0.1, most=700, width=width)
            self.assertAlmostEqual(n, count.mean(), 9)
            self.assertAlmostEqual(e, math.sqrt(((G - np.round(wanted, 6)) ** 2).mean()), 5)

    def test_mistakes(self):
        self.write([3, 4, 5], rows=2, columns=2)
        self.assertIn("p.yaml:6:3: error: environment 'p': the devices do not fit its members", self.run_it("validate", "p.yaml", code=2))
        self.write(12 * [3], rows=4, columns=3, connect="{pairwise_bernoulli: 0.5}")
        self.assertRegex(self.run_it("run", "p.yaml", "-n", "2", "-o", "p.h5", code=3), "addresses what it posts to the synapse from source . to target . of 'devices', but none was drawn")
        self.write([3, 4], width="13 ms")
        self.assertIn("a device would be read during a pulse", self.run_it("validate", "p.yaml", code=2))
        self.write([3, 4])
        text = text_of(self.path("p.yaml"))
        for old, new, code, message in [("drives: devices, ", "", 2, "it drives no projection"), ("p[0:1]", "p[1:2]", 2, "source 0 of 'devices' is member 1 of 'p'"),
                                        ("spin_valve, port: reading, w_max: 89, delay: 1 ms, u: 0.5, read_noise: 0", "static, port: reading, weight: 3, delay: 1 ms", 2, "static, which answers nothing that programmer posts"), ("deadline: 2 ms", "deadline: 0.5 ms", 2, "reads the answer after"),
                                        ("latency: 1 ms", "latency: 0.5 ms", 2, "sooner than an event travels")]:
            with open(self.path("q.yaml"), "w") as f:
                f.write(text.replace(old, new))
            self.assertIn(message, self.run_it("run", "q.yaml", "-o", "q.h5", code=code))


class Crossbars(Case):
    """`spinet crossbar` on the state that runs have left, against Kirchhoff's laws node by node (numpy)."""

    def array(self, conductances):
        """A log of devices of these conductances [uS]."""
        G = np.asarray(conductances, float)
        rows, columns = G.shape
        with open(self.path("devices.csv"), "w") as f:
            f.write("source,target,weight [mV]\n" + "".join(f"{i},{j},{G[i, j]:.17g}\n" for i in range(rows) for j in range(columns)))
        with open(self.path("c.yaml"), "w") as f:
            f.write(f"spinet: 1\nduration: 1 ms\npopulations: {{r: {{model: lif_delta, size: {rows}}}, c: {{model: lif_delta, size: {columns}}}}}\n"
                    "projections:\n  d: {from: r, to: c, connect: {list: devices.csv}, layout: crossbar,\n"
                    "      synapse: {model: pcm, G_max: 1e4 uS, w_max: 1e4 mV, programming_noise: 0, drift: 0, delay: 1 ms}}\n"
                    "record: {weights: {projection: d, variable: G, every: 1 ms}}\n")
        self.run_it("run", "c.yaml", "-o", "c.h5", "--force")

    def crossbar(self, *options, log="c.h5"):
        return self.run_it("crossbar", log, *options)

    @staticmethod
    def amperes(text):
        value, unit = re.match(r"(\S+) (\w*)A\b", text).groups()
        return float(value) * {"": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}[unit]

    def columns(self, out):
        """Wanted and found."""
        return np.array([[self.amperes(x) for x in re.split(r"  +", line.strip())[1:3]] for line in out.splitlines() if re.match(r" +\d+ ", line)]).T

    def said(self, out, what):
        return self.amperes(re.search(rf"^{what} +(\S+ \w+)", out, re.M).group(1))

    @staticmethod
    def kirchhoff(G, V, R):
        """Currents through all devices: rows driven at column 0, columns at ground behind the last row, R between crossings."""
        rows, columns = G.shape
        n, g = rows * columns, 1 / R
        A, b = np.zeros((2 * n, 2 * n)), np.zeros(2 * n)

        def join(k, m, g):
            A[k, k] += g
            A[m, m] += g
            A[k, m] -= g
            A[m, k] -= g
        for i in range(rows):
            for j in range(columns):
                k = i * columns + j
                join(k, n + k, G[i, j])
                if j:
                    join(k - 1, k, g)
                else:
                    A[k, k] += g
                    b[k] += g * V[i]
                if i + 1 < rows:
                    join(n + k, n + k + columns, g)
                else:
                    A[n + k, n + k] += g
        v = np.linalg.solve(A, b)
        return G * (v[:n] - v[n:]).reshape(rows, columns)

    def test_the_published_example_of_3_by_5(self):
        """badcrossbar (D. Joksas, A. Mehonic, 2020): its inputs, resistances and the current that its page prints."""
        G = 1 / np.array([[345, 903, 755, 257, 646], [652, 401, 508, 166, 454], [442, 874, 190, 244, 635]])
        V = (2.6, 1.1, 3.3)
        I = self.kirchhoff(G, V, 0.5)
        self.assertAlmostEqual(I[0, 3], 0.009856197822795886, 15)
        self.array(1e6 * G)
        volts = ("--voltage", ",".join(f"{v} V" for v in V))
        wanted, found = self.columns(self.crossbar(*volts, "--line-resistance", "0.5 Ohm"))
        np.testing.assert_allclose(wanted, np.dot(V, G), rtol=6e-5)
        np.testing.assert_allclose(found, I.sum(axis=0), rtol=6e-5)
        one = self.crossbar(*volts, "--line-resistance", "0.5 Ohm", "--device", "0", "3", "--lines", "driven")
        self.assertIn("through it", one)
        self.assertAlmostEqual(self.said(one, "through it"), 9.8562e-3, 8)
        self.assertAlmostEqual(self.said(one, "read"), I[:, 3].sum(), 6)
        for i in range(3):
            for j in range(5):
                one = self.crossbar(*volts, "--line-resistance", "0.5 Ohm", "--device", str(i), str(j), "--lines", "driven")
                self.assertLess(abs(self.said(one, "through it") / I[i, j] - 1), 6e-5)

    def test_two_by_two_on_paper(self):
        a, b, c, d, V = 10, 20, 40, 50, 0.2
        self.array([[a, b], [c, d]])
        sneak = 1e-6 * V / (1 / b + 1 / d + 1 / c)
        free = self.crossbar("--voltage", "0.2 V", "--device", "0", "0", "--lines", "floating")
        held = self.crossbar("--voltage", "0.2 V", "--device", "0", "0")
        self.assertAlmostEqual(self.said(free, "read") / (1e-6 * V * a + sneak), 1, 4)
        self.assertAlmostEqual(self.said(free, "sneak currents") / sneak, 1, 4)
        self.assertAlmostEqual(self.said(held, "read") / (1e-6 * V * a), 1, 4)
        self.assertEqual(self.said(held, "sneak currents"), 0)
        found = self.columns(self.crossbar("--voltage", "0.2 V,0.1 V"))[1]
        np.testing.assert_allclose(found, [1e-6 * (V * a + 0.1 * c), 1e-6 * (V * b + 0.1 * d)], rtol=6e-5)

    def test_places_without_devices(self):
        """Four devices at 4 x 3 crossings: row 1 and column 1 have none, and keep their numbers."""
        G = np.zeros((4, 3))
        places = ((0, 0, 0.9), (0, 2, 0.8), (2, 0, 0.7), (3, 2, 0.6))
        for i, j, u in places:
            G[i, j] = 1e-6 * G_of(u)
        with open(self.path("s.yaml"), "w") as f:
            f.write("spinet: 1\nduration: 1 ms\npopulations: {r: {model: lif_delta, size: 5}, c: {model: lif_delta, size: 3}}\nprojections:\n"
                    f"  d: {{from: \"r[1:5]\", to: c, connect: {{list: {[list(p) for p in places]}}}, layout: {{crossbar: {{rows: 4, columns: 3}}}},\n"
                    "      synapse: {model: spin_valve, w_max: 1 mV, delay: 1 ms}}\nrecord: {weights: {projection: d, variable: G, every: 1 ms}}\n")
        self.run_it("run", "s.yaml", "-o", "s.h5")
        with h5py.File(self.path("s.h5")) as f:
            self.assertEqual(f["weights/d.G/mapping/sources"][:].tolist(), [[0, 1, 4]])
            self.assertEqual(f["weights/d.G/mapping/targets"][:].tolist(), [[1, 0, 3]])
        out = self.crossbar("--line-resistance", "1 kOhm", log="s.h5")
        self.assertIn("4 x 3 crossings with 4 devices", out)
        wanted, found = self.columns(out)
        np.testing.assert_allclose(wanted, 0.1 * G.sum(axis=0), rtol=6e-5)
        np.testing.assert_allclose(found, self.kirchhoff(G, 4 * [0.1], 1e3).sum(axis=0), rtol=6e-5, atol=1e-15)
        for i, j, u in places:
            one = self.crossbar("--device", str(i), str(j), log="s.h5")
            self.assertLess(abs(self.said(one, "V G") / (0.1 * G[i, j]) - 1), 6e-5)
        empty = self.crossbar("--device", "2", "1", "--lines", "floating", log="s.h5")
        self.assertEqual([self.said(empty, w) for w in ("V G", "through it", "read")], [0, 0, 0])
        free = self.crossbar("--device", "2", "0", "--lines", "floating", log="s.h5")  # rows 0 and 3 and column 2 come to 0.1 V and 0 V
        self.assertLess(abs(self.said(free, "read") / (0.1 * G[2, 0]) - 1), 6e-5)
        self.assertIn("4 rows and 3 columns", self.run_it("crossbar", "s.h5", "--device", "4", "0", code=2))

    def test_a_log_of_single_times(self):
        """Values at listed times are of chosen devices, and no frame: what is wanted is said with its names."""
        self.array([[10, 20], [40, 50]])
        with open(self.path("c.yaml")) as f:
            text = f.read()
        with open(self.path("t.yaml"), "w") as f:
            f.write(text.replace("every: 1 ms}", "at: [0 s]}"))
        self.run_it("run", "t.yaml", "-o", "t.h5", "--force")
        said = self.run_it("crossbar", "t.h5", code=2)
        self.assertIn("the log has no frames of any, and values at single times or changes of d (G)", said)
        self.assertIn("weights: {projection: d, variable: G, every: 1 s}", said)

    def test_a_log_without_the_size(self):
        """Of an older version: the lines with devices, and a line says so."""
        self.array([[10, 20], [40, 50]])
        with h5py.File(self.path("c.h5"), "r+") as f:
            del f["weights/d.G/mapping/sources"], f["weights/d.G/mapping/targets"]
        np.testing.assert_allclose(self.columns(self.crossbar())[1], [5e-6, 7e-6], rtol=6e-5)
        done = subprocess.run([SPINET, "crossbar", "c.h5"], cwd=self.folder, text=True, capture_output=True)
        self.assertIn("lines without devices are not known", done.stderr)

    def test_the_4_by_3_crossbar_of_glassy_devices(self):
        """The state that programming has left: conductances from 1e-4 to 90 uS, lines of 0, 1 Ohm and 10 kOhm."""
        self.run_it("run", os.path.join(ROOT, "networks", "crossbar_4x3", "crossbar_4x3.yaml"), "-o", "p.h5")
        with h5py.File(self.path("p.h5")) as f:
            w = f["weights/devices.G"]
            last = w["data"][-1] * 1e-6
            source, target = w["mapping/source_node_id"][:], w["mapping/target_node_id"][:]
        G = np.zeros((3, 4))
        G[source, target] = last
        self.assertTrue((G > 0).all())
        self.assertGreater(G.max() / G.min(), 100)
        for R in (0, 1, 1e4):
            I = self.kirchhoff(G, 3 * [0.1], R).sum(axis=0) if R else 0.1 * G.sum(axis=0)
            wanted, found = self.columns(self.crossbar("--line-resistance", f"{R} Ohm", log="p.h5"))
            np.testing.assert_allclose(wanted, 0.1 * G.sum(axis=0), rtol=6e-5)
            np.testing.assert_allclose(found, I, rtol=6e-5)


class Lists(Case):
    def write(self, table, V_th="{constant: 1.2 V}"):
        with open(self.path("e.csv"), "w") as f:
            f.write(table)
        with open(self.path("l.yaml"), "w") as f:
            f.write("spinet: 1\nduration: 1 ms\npopulations: {a: {model: lif_delta, size: 3}}\nprojections:\n"
                    "  d: {from: a, to: a, connect: {list: e.csv}, layout: crossbar,\n"
                    f"      synapse: {{model: spin_valve, w_max: 1 mV, delay: 1 ms, V_th: {V_th}}}}}\n"
                    "schedule: [{at: 0.5 ms, pulse: {amplitude: 2.3 V, width: 0.1 ms}, to: d, rows: 0, columns: 1}]\n"
                    "record: {weights: [{projection: d, variable: V_th, every: 1 ms}, {projection: d, every: 1 ms}]}\n")

    def test_a_column_of_a_drawn_parameter(self):
        self.write("V_th [mV],source,target,weight\n1100,2,0,0.5\n1300,0,1,0.25\n1150.5,1,0,0.75\n")
        self.run_it("run", "l.yaml", "-o", "l.h5")
        with h5py.File(self.path("l.h5")) as f:
            w = f["weights/d.V_th"]
            rows = zip(w["mapping/source_node_id"][:], w["mapping/target_node_id"][:], w["data"][0], strict=True)
            self.assertEqual(sorted((int(s), int(t), round(float(v), 6)) for s, t, v in rows), [(0, 1, 1.3), (1, 0, 1.1505), (2, 0, 1.1)])
        out = self.run_it("validate", "l.yaml")  # thresholds of the file, 1.15 V beyond one of three
        self.assertIn("beyond the threshold (V_th) of 33 % of them", out)
        self.assertRegex(out, r"output +24 bytes of weights \(before compression\)")

    def test_a_column_of_a_knob_that_is_0_elsewhere(self):
        for knob, value in [("read_noise", 0.25), ("flicker_noise", 0.25), ("telegraph_noise", 0.25), ("cycle_noise", 0.25), ("endurance", 1)]:
            logs = []
            for table, given in [(f"source,target,{knob}\n0,1,{value}\n1,0,{value}\n", "{constant: 0}"), ("source,target\n0,1\n1,0\n", value), ("source,target\n0,1\n1,0\n", 0)]:
                self.write(table, f"1.2 V, u: 0.5, telegraph_empty: 1 us, {knob}: {given}")
                with open(self.path("l.yaml")) as f:
                    text = f.read().replace("variable: V_th, every", "every").replace("duration: 1 ms", "duration: 9 ms").replace(
                        "schedule: [", "schedule: [{at: 5 ms, pulse: {amplitude: 2.3 V, width: 0.1 ms}, to: d}, {at: 6 ms, read: d}, ").replace(
                        "{projection: d, every: 1 ms}]", "{projection: d, variable: u, every: 1 ms}]")
                with open(self.path("l.yaml"), "w") as f:
                    f.write(text)
                self.run_it("run", "l.yaml", "-o", "l.h5", "--force")
                with h5py.File(self.path("l.h5")) as f:
                    logs.append([f["weights/d.u/data"][:].tolist(), f["weight_events/d.reading/values"][:].tolist()])
            self.assertEqual(logs[0], logs[1])
            self.assertNotEqual(logs[0], logs[2], knob)

    def test_mistakes(self):
        for table, V_th, message in [("source,target,V_th\n0,1,-1\n", "{constant: 1.2 V}", "e.csv:2:5"), ("source,target,V_th [mA]\n0,1,1\n", "{constant: 1.2 V}", "is no unit for column 'V_th'"),
                                     ("source,target,V_th\n0,1,1\n", "1.2 V", "unknown column 'V_th'"), ("0,1,0.5,1,1.2\n", "{constant: 1.2 V}", "without a first line that names them")]:
            self.write(table, V_th)
            self.assertIn(message, self.run_it("validate", "l.yaml", code=2))
        with open(self.path("l.yaml")) as f:
            text = f.read().replace("w_max: 1 mV", "w_max: 1 mV, u2: 0.5")
        with open(self.path("l.yaml"), "w") as f:
            f.write(text)
        with open(self.path("e.csv"), "w") as f:
            f.write("source,target,u2\n0,1,0.5\n")
        self.assertIn("values of 'u2' are given in the list and in 'synapse', too", self.run_it("validate", "l.yaml", code=2))

    def test_the_drawn_parameter_is_to_blame(self):
        self.write("0,1\n", "1.2 V, G_min: 0.64 uS, G_max: {normal: {mean: 89 uS, sd: 20 uS}}")
        message = self.run_it("validate", "l.yaml", code=2)
        self.assertIn("some devices would draw such values of 'G_max': give it 'min' or 'max'", message)
        line, caret = message.splitlines()[1:3]
        self.assertTrue(line[caret.index("^"):].startswith("{normal: {mean: 89"), message)


class Mistakes(Case):
    def test_choices_have_names(self):
        self.assertIn("did you mean 'window'", self.device("2.5 V 5 ms", "--param", "endurance=5", "--param", "worn=windo", code=2))
        self.device("2.5 V 5 ms", "--param", "endurance=5", "--param", "worn=window")

    def test_protocols_that_are_no_text(self):
        self.assertIn("is a folder, not a file", self.device("@" + self.folder, code=2))
        self.assertIn("has more than 1 MiB", self.device("@/dev/zero", code=2))
        with open(self.path("long.txt"), "w") as f:
            f.write("2.5 V 5 ms, " * 20000 + "2.5 Q 5 ms")
        message = self.device("@long.txt", code=2)
        self.assertIn("unknown unit 'Q'", message)
        self.assertLess(len(message), 400)
        line, caret = message.splitlines()[1:3]
        self.assertEqual(line[caret.index("^")], "Q")

    def test_numbers_and_axes(self):
        self.assertIn("must be a finite number", self.device("2.5 V 5 ms", "--spread", "u=nan", code=2))
        self.assertIn("values go down to -0.009", self.device("field -90 Oe..90 Oe in 4", "--axis", "x=log", "-o", "x.h5", code=2))
        self.assertFalse(os.path.exists(self.path("x.h5")))

    def test_options_of_crossbars(self):
        with open(self.path("c.yaml"), "w") as f:
            f.write("spinet: 1\nduration: 1 ms\npopulations: {a: {model: lif_delta, size: 2}}\nprojections:\n"
                    "  d: {from: a, to: a, connect: all_to_all, synapse: {model: spin_valve, w_max: 1 mV, delay: 1 ms, u: 0.5}}\n"
                    "record: {weights: {projection: d, variable: G, every: 1 ms}}\n")
        self.run_it("run", "c.yaml", "-o", "c.h5")
        for options, message in [("--lines floating", "--lines needs --device"), ("--device 0 1 --voltage 1V,2V", "--voltage: one for the row of --device"),
                                 ("--device 0 1 --lines driven --voltage 1V,2V,3V", "3 voltages do not fit a crossbar of 2 rows"), ("--adc-range 1mA", "--adc-range needs --adc-bits"), ("--device 1 1 --pairs", "--pairs is about all columns"),
                                 ("--V0 1mV --voltage 10V", "voltages 1e+04 times V_0 apart"), ("--line-resistance -1Ohm", "--line-resistance '-1Ohm': it must not be below 0")]:
            self.assertIn(message, self.run_it("crossbar", "c.h5", *options.split(), code=2))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
