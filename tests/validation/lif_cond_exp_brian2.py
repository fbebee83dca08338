#!/usr/bin/env python3
"""The lif_cond_exp model against two integrators that share nothing with it.

lif_cond_exp_brian2.py reference > lif_cond_exp_reference.csv
    Spike times of the cases below by Taylor series of order 24 in 40 digits (error of a step under 1e-20): the data of
    tests/unit/lif_cond_exp.cpp.  Needs python3-mpmath; about two minutes.
lif_cond_exp_brian2.py converge [DT_MS...]
    Runs the cases in Brian2 at ever smaller time steps (two or more) and prints the largest distance of its spike times
    from the reference; fails (exit code 1) unless this falls with dt as a method of first order must.  Needs python3-brian.

The file: see two_ways.py.  Presets: benchmark 1 of R. Brette et
al., "Simulation of networks of spiking neurons: a review of tools and strategies" (2007).
"""
import random

from two_ways import TICK, main, spikes_of, write_reference

PRESETS = dict(C_m=200, g_L=10, E_L=-60, E_exc=0, E_inh=-80, v_th=-50, v_reset=-60, t_ref=5, tau_syn_exc=5,
               tau_syn_inh=10, I_dc=0)
DURATION = 300.0  # ms


def arrivals(seed, n, weight_exc, weight_inh, grid):
    """n random events, four fifths of them excitatory, at multiples of `grid` ticks."""
    rng = random.Random(seed)
    ticks = sorted(rng.sample(range(1, int(DURATION / TICK) // grid), n))
    return [(t * grid, *((0, weight_exc) if rng.random() < 0.8 else (1, weight_inh))) for t in ticks]


CASES = {
    "current": dict(params=dict(I_dc=130, t_ref=2)),
    "benchmark": dict(params={}, arrivals=arrivals(1, 800, 6, 40, 100_000)),
    "no_refractory": dict(params=dict(t_ref=0, I_dc=80), arrivals=arrivals(2, 400, 4, 20, 100_000)),
    "fast": dict(params=dict(tau_syn_exc=0.4, tau_syn_inh=1.5, E_L=-70, E_inh=-75, v_reset=-68, t_ref=1.7, C_m=120),
                 arrivals=arrivals(3, 900, 30, 40, 100_000)),
    "strong": dict(params=dict(t_ref=1), arrivals=arrivals(4, 200, 150, 400, 100_000)),
    "off_grid": dict(params=dict(t_ref=1.3, I_dc=60, tau_syn_exc=2.7), arrivals=arrivals(5, 700, 8, 30, 1), brian=False),
    # Peaks of V between arrivals touch the threshold or do not.
    "peaks": dict(params=dict(t_ref=0.5, v_th=-56.2, tau_syn_exc=1), arrivals=arrivals(6, 250, 14, 10, 1), brian=False),
    "steps": dict(params=dict(t_ref=3), changes=[(50_000_000, "I_dc", 150), (150_000_000, "I_dc", -100),
                                                 (200_000_000, "I_dc", 300.5)]),
}


def full(case):
    return {**PRESETS, **case["params"]}


# --- reference ------------------------------------------------------------------------------------------------------

class Neuron:
    """One neuron, (V, g_exc, g_inh), by Taylor series; spikes and resets lie on ticks."""
    ORDER, STEP = 24, "0.1"  # ms

    def __init__(self, case):
        self.set(full(case))
        self.V, self.g = self.p["E_L"], [mpf(0), mpf(0)]
        self.tick, self.free, self.spikes = 0, 0, []

    def set(self, params):
        self.p = {k: mpf(v) for k, v in params.items()}

    def arrive(self, port, weight):
        self.g[port] += weight

    def values(self):
        return self.V, self.g[0]

    def series(self):
        """Coefficients of V(t) about now, from C V' = g_L (E_L - V) + sum g (E - V) + I."""
        p = self.p
        g = [[self.g[k]] for k in range(2)]
        for k, tau in enumerate((p["tau_syn_exc"], p["tau_syn_inh"])):
            for n in range(1, self.ORDER):
                g[k].append(-g[k][-1] / tau / n)
        V = [self.V]
        for n in range(self.ORDER):
            right = (p["g_L"] * p["E_L"] + p["I_dc"] if n == 0 else 0) - p["g_L"] * V[n]
            for k, E in enumerate((p["E_exc"], p["E_inh"])):
                right += g[k][n] * E - sum(g[k][i] * V[n - i] for i in range(n + 1))
            V.append(right / p["C_m"] / (n + 1))
        return V

    @staticmethod
    def value(c, t):
        s = mpf(0)
        for x in reversed(c):
            s = s * t + x
        return s

    def decay(self, t):
        self.g = [g * exp(-t / self.p[tau]) for g, tau in zip(self.g, ("tau_syn_exc", "tau_syn_inh"))]

    def first_crossing(self, c, h):
        """The first t in (0, h] with V(t) >= v_th, or None.  V has at most one maximum in so short a step."""
        th = self.p["v_th"]
        slope = [n * x for n, x in enumerate(c)][1:]
        high = h
        if self.value(c, h) < th:
            if not (self.value(slope, mpf(0)) > 0 > self.value(slope, h)):
                return None
            low, high = mpf(0), h
            for _ in range(80):
                middle = (low + high) / 2
                low, high = (middle, high) if self.value(slope, middle) > 0 else (low, middle)
            if self.value(c, high) < th:
                return None
        low = mpf(0)
        while high - low > mpf(10) ** -15:
            middle = (low + high) / 2
            low, high = (middle, high) if self.value(c, middle) < th else (low, middle)
        return high

    def to(self, end):
        while self.tick < end:
            t = (min(self.free, end) - self.tick) * mpf(10) ** -6
            if t > 0:
                self.decay(t)
                self.tick = min(self.free, end)
                continue
            now, stop = mpf(0), (end - self.tick) * mpf(10) ** -6
            while now < stop:
                # Shorter where conductances make V follow faster.
                h = min(mpf(self.STEP) / (1 + (self.g[0] + self.g[1]) / self.p["C_m"]), stop - now)
                c = self.series()
                at = self.first_crossing(c, h)
                if at is not None:
                    tick = self.tick + int(ceil((now + at) * mpf(10) ** 6))
                    self.decay((tick - self.tick) * mpf(10) ** -6 - now)
                    self.V, self.tick = self.p["v_reset"], tick
                    self.spikes.append(tick)
                    self.free = tick + int(round(self.p["t_ref"] * 10 ** 6))
                    break
                self.V = self.value(c, h)
                self.decay(h)
                now += h
            else:
                self.tick = end


def reference():
    write_reference(DURATION, {n: (full(c), c) for n, c in CASES.items()}, Neuron, ("V", "g_exc"))


# --- Brian2 ---------------------------------------------------------------------------------------------------------

def brian_spikes(dt_ms):
    """Spike times [ms] per case."""
    return spikes_of({n: (full(c), c) for n, c in CASES.items() if c.get("brian", True)}, DURATION, dt_ms, """
    dv/dt = (g_L*(E_L - v) + x*(E_exc - v) + y*(E_inh - v) + I_dc)/C_m/ms : 1 (unless refractory)
    dx/dt = -x/tau_syn_exc/ms : 1
    dy/dt = -y/tau_syn_inh/ms : 1
    """, "v >= v_th", "v = v_reset")


if __name__ == "__main__":
    from mpmath import ceil, exp, mp, mpf
    mp.dps = 40
    main(__doc__, "lif_cond_exp", reference, brian_spikes)
