#!/usr/bin/env python3
"""Spike times of izhikevich, hodgkin_huxley, lif_alpha and glif3 by an integrator that shares nothing with Spinet's.

neurons_reference.py MODEL > MODEL_reference.csv
    Extrapolation (Bulirsch and Stoer) in 34 digits, error of a step under 1e-20: the data of tests/unit/neurons.cpp.
    Needs python3-mpmath; some minutes.

The file: see two_ways.py.
"""
import random
import sys

from mpmath import ceil, exp, mp, mpf, nstr

from extrapolation import extrapolated

mp.dps = 34
MS = 10 ** 6
e1 = exp(mpf(1))


class Izhikevich:
    params = dict(a=0.02, b=0.2, c=-65, d=8, v_peak=30, tau_syn_exc=2, tau_syn_inh=2, I_dc=0)
    initial = dict(v=-70, u=-14)
    ports = 2
    low = mpf(-90)

    @staticmethod
    def slope(p, y):
        v, u, e, i = y
        return [mpf("0.04") * v * v + 5 * v + 140 - u + e + i + p["I_dc"], p["a"] * (p["b"] * v - u),
                -e / p["tau_syn_exc"], -i / p["tau_syn_inh"]]

    @staticmethod
    def threshold(p, y):
        return p["v_peak"]

    @staticmethod
    def reset(p, y):
        y[0] = p["c"]
        y[1] += p["d"]

    @staticmethod
    def arrive(p, y, port, w):
        y[2 + port] += w

    cases = {
        "regular": dict(params=dict(I_dc=10)),
        "chattering": dict(params=dict(c=-50, d=2, I_dc=10)),
        "fast": dict(params=dict(a=0.1, d=2, I_dc=12)),
        "synapses": dict(params=dict(tau_syn_exc=1.5, tau_syn_inh=4, I_dc=2), events=(1, 60, 9, -6)),
    }
    duration = 80


class HodgkinHuxley:
    params = dict(C_m=200, g_L=10, E_L=-60, g_Na=20000, E_Na=50, g_K=6000, E_K=-90, V_T=-63, v_th=-20, E_exc=0, E_inh=-80,
                  tau_syn_exc=5, tau_syn_inh=10, I_dc=0)
    initial = dict(V=-60, m=0.063, h=0.981, n=0.098)
    ports = 2

    @staticmethod
    def slope(p, y):
        V, m, h, n, e, i = y
        v = V - p["V_T"]
        ratio = lambda x: x / (exp(x) - 1) if x != 0 else mpf(1)
        am, bm = mpf("0.32") * 4 * ratio((13 - v) / 4), mpf("0.28") * 5 * ratio((v - 40) / 5)
        ah, bh = mpf("0.128") * exp((17 - v) / 18), 4 / (1 + exp((40 - v) / 5))
        an, bn = mpf("0.032") * 5 * ratio((15 - v) / 5), mpf("0.5") * exp((10 - v) / 40)
        dV = (p["g_L"] * (p["E_L"] - V) + e * (p["E_exc"] - V) + i * (p["E_inh"] - V) + p["I_dc"]
              - p["g_Na"] * m ** 3 * h * (V - p["E_Na"]) - p["g_K"] * n ** 4 * (V - p["E_K"])) / p["C_m"]
        return [dV, am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n, -e / p["tau_syn_exc"],
                -i / p["tau_syn_inh"]]

    @staticmethod
    def threshold(p, y):
        return p["v_th"]

    reset = None

    @staticmethod
    def arrive(p, y, port, w):
        y[4 + port] += abs(w)

    cases = {
        "current": dict(params=dict(I_dc=300)),
        "synapses": dict(params=dict(), events=(2, 60, 12, 40)),
    }
    duration = 40


class LifAlpha:
    """y: V, then of each port the current and its alpha function's other variable."""
    params = dict(tau_m=10, C_m=250, tau_syn_exc=2, tau_syn_inh=3, E_L=-70, v_th=-55, v_reset=-68, t_ref=2, I_dc=0, reset=0)
    initial = dict(V=-66)
    ports, hidden = 2, 4

    @staticmethod
    def slope(p, y):
        V, e, de, i, di = y
        te, ti = p["tau_syn_exc"], p["tau_syn_inh"]
        return [(p["E_L"] - V) / p["tau_m"] + (p["I_dc"] + e + i) / p["C_m"], de - e / te, -de / te, di - i / ti, -di / ti]

    @classmethod
    def rest(cls, p, y):
        return [mpf(0)] + cls.slope(p, y)[1:]

    @staticmethod
    def threshold(p, y):
        return p["v_th"]

    @staticmethod
    def reset(p, y):
        y[0] = p["v_reset"] + (y[0] - p["v_th"] if p["reset"] else 0)

    @staticmethod
    def arrive(p, y, port, w):
        y[2 + 2 * port] += w * e1 / p[("tau_syn_exc", "tau_syn_inh")[port]]

    cases = {
        "current": dict(params=dict(I_dc=420)),
        "synapses": dict(params=dict(I_dc=200), events=(3, 60, [(0, 400), (0, 300), (0, 500), (1, -250)])),
        "equal": dict(params=dict(tau_m=5, tau_syn_exc=5, tau_syn_inh="5.01", t_ref=0), events=(4, 60, [(0, 500), (0, 250), (1, -250)])),
        "soft": dict(params=dict(I_dc=200, t_ref=0, reset=1), events=(6, 40, [(0, 3000), (0, 300), (0, 500), (1, -250)])),
        "slow": dict(params=dict(tau_m=1000, tau_syn_exc=30, I_dc=20), events=(5, 40, [(0, 60), (0, 90), (1, -90)])),
    }
    duration = 80


class Glif3:
    """y: V, the after-spike currents, then of each port the current and its alpha function's other variable."""
    params = dict(C_m="58.72", G="9.43", E_L="-78.85", v_th="-51.68", v_reset="-76", t_ref="3.75", k_1="0.003", k_2="0.1",
                  A_1="-9.18", A_2="-198.94", r_1=1, r_2=1, tau_syn_1=2, tau_syn_2=1, tau_syn_3=8, tau_syn_4="6.25", I_dc=0)
    initial = dict(V=-75)
    ports, hidden = 4, 10

    @staticmethod
    def slope(p, y):
        V, I = y[0], y[1] + y[2] + p["I_dc"]
        out = [mpf(0), -p["k_1"] * y[1], -p["k_2"] * y[2]]
        for k in range(4):
            i, d, tau = y[3 + 2 * k], y[4 + 2 * k], p[f"tau_syn_{k + 1}"]
            I += i
            out += [d - i / tau, -d / tau]
        out[0] = (I - p["G"] * (V - p["E_L"])) / p["C_m"]
        return out

    @classmethod
    def rest(cls, p, y):
        return [mpf(0)] * 3 + cls.slope(p, y)[3:]

    threshold = LifAlpha.threshold

    @classmethod
    def reset(cls, p, y):
        y[0] = p["v_reset"]
        for j in (1, 2):
            y[j] = p[f"A_{j}"] + p[f"r_{j}"] * exp(-p[f"k_{j}"] * p["t_ref"]) * y[j]

    @staticmethod
    def arrive(p, y, port, w):
        y[4 + 2 * port] += w * e1 / p[f"tau_syn_{port + 1}"]

    cases = {
        "current": dict(params=dict(I_dc=450)),
        "leftovers": dict(params=dict(I_dc=500, r_1="0.5", r_2="0.2", A_1=30)),
        "synapses": dict(params=dict(I_dc=200), events=(6, 60, [(0, 150), (1, 250), (2, 60), (3, -80)])),
    }
    duration = 80


MODELS = {"izhikevich": Izhikevich, "hodgkin_huxley": HodgkinHuxley, "lif_alpha": LifAlpha, "glif3": Glif3}


def simulate(model, name, case):
    params = {**model.params, **case["params"]}
    for key, value in params.items():
        print(f"parameter,{name},{key},{value}")
    for key, value in model.initial.items():
        print(f"initial,{name},{key},{value}")
    end = model.duration * MS
    print(f"duration,{name},{end}")
    events = []
    if "events" in case:
        seed, count, *choices = case["events"]
        rng = random.Random(seed)
        for t in sorted(rng.sample(range(1, end), count)):
            if len(choices) == 1:
                events.append((t, *rng.choice(choices[0])))
            else:
                port = 0 if rng.random() < 0.75 else 1
                events.append((t, port, choices[port]))
    for t, port, w in events:
        print(f"arrival,{name},{t},{port},{w}")
    p = {k: mpf(v) for k, v in params.items()}
    f = lambda y: model.slope(p, y)
    y = [mpf(repr(v)) for v in model.initial.values()] + [mpf(0)] * getattr(model, "hidden", model.ports)
    rest, free = getattr(model, "rest", None), 0
    marks = sorted([(t, 1, port, w) for t, port, w in events] + [(end // 7 * k, 0, 0, 0) for k in range(1, 7)])
    tick, h, spikes = 0, mpf("0.05"), 0
    for until, kind, port, w in marks + [(end, 2, 0, 0)]:
        now, stop = mpf(0), mpf(until - tick) / MS
        while now < stop:
            held = rest is not None and free - (tick + now * MS) > mpf(10) ** -15
            h = min(h, stop - now, *([free / mpf(MS) - mpf(tick) / MS - now] if held else []))
            new, error = extrapolated((lambda y: rest(p, y)) if held else f, y, h, 8)
            if error > mpf(10) ** -20:
                h *= mpf("0.6")
                continue
            if held:
                y = new
                now += h
                h *= mpf("1.25")
                continue
            level = model.threshold(p, y)
            falls = f(y)[0] > 0 > f(new)[0] and max(y[0], new[0]) > level - 1
            if y[0] < level and new[0] < level and falls and h > mpf(10) ** -4:
                h /= 8
                continue
            if y[0] < level <= new[0]:
                low, high = mpf(0), h
                while high - low > mpf(10) ** -10:
                    middle = (low + high) / 2
                    low, high = (middle, high) if extrapolated(f, y, middle, 8)[0][0] < level else (low, middle)
                at = tick + int(ceil((now + high) * MS))
                if at < end:
                    print(f"spike,{name},{at}")
                    spikes += 1
                if model.reset:
                    y, _ = extrapolated(f, y, high, 8)
                    left = mpf(at - tick) / MS - now - high
                    if rest is not None:
                        y, _ = extrapolated(f, y, left, 8)
                        free = at + int(p["t_ref"] * MS + mpf("0.5"))
                    else:
                        for k, tau in enumerate((p["tau_syn_exc"], p["tau_syn_inh"])):
                            y[-model.ports + k] *= exp(-left / tau)
                    model.reset(p, y)
                    now = mpf(at - tick) / MS
                    h = mpf("0.01")
                    continue
            y = new
            now += h
            h *= mpf("1.25")
        tick = until
        if kind == 1:
            model.arrive(p, y, port, mpf(w))
        elif kind == 0:
            for i, variable in enumerate(model.initial):
                print(f"value,{name},{tick},{variable},{nstr(y[i], 17)}")
    print(f"{name}: {spikes} spikes", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in MODELS:
        sys.exit(__doc__)
    for name, case in MODELS[sys.argv[1]].cases.items():
        simulate(MODELS[sys.argv[1]], name, case)
