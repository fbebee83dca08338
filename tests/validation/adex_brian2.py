#!/usr/bin/env python3
"""The adex model against two integrators that share nothing with it.

adex_brian2.py reference > adex_reference.csv
    Spike times of the cases below by extrapolation (Bulirsch and Stoer) in 30 digits, local error under 1e-20: the
    data of tests/unit/adex.cpp.  Needs python3-mpmath; about five minutes.
adex_brian2.py converge [DT_MS...]
    Runs the cases in Brian2 at ever smaller time steps (two or more) and prints the largest distance of its spike times from the
    reference; fails (exit code 1) unless this falls with dt as a method of first order must.  Needs python3-brian.

The file: see two_ways.py.
Firing patterns: R. Naud, N. Marcille, C. Clopath and W. Gerstner, "Firing patterns in the adaptive exponential
integrate-and-fire model" (2008), table 1.
"""
import random

from two_ways import TICK, main, spikes_of, write_reference

PRESETS = dict(C_m=281, g_L=30, E_L=-70.6, v_th=-50.4, Delta_T=2, a=4, b=80.5, tau_w=144, v_peak=0, v_reset=-60,
               t_ref=0, tau_syn_exc=2, tau_syn_inh=2, I_dc=0)


def pattern(C_m, g_L, E_L, a, tau_w, b, v_reset, I_dc):
    return dict(params=dict(C_m=C_m, g_L=g_L, E_L=E_L, v_th=-50, Delta_T=2, a=a, tau_w=tau_w, b=b, v_reset=v_reset,
                            I_dc=I_dc))


def arrivals(seed, n, duration, weight_exc, weight_inh, grid):
    """n random events, two thirds of them excitatory, at multiples of `grid` ticks."""
    rng = random.Random(seed)
    ticks = sorted(rng.sample(range(1, int(duration / TICK) // grid), n))
    return [(t * grid, *((0, weight_exc) if rng.random() < 2 / 3 else (1, weight_inh))) for t in ticks]


CASES = {
    "tonic": pattern(200, 10, -70, 2, 30, 0, -58, 500),
    "adapting": pattern(200, 12, -70, 2, 300, 60, -58, 500),
    "initial_burst": pattern(130, 18, -58, 4, 150, 120, -50, 400),
    "bursting": pattern(200, 10, -58, 2, 120, 100, -46, 210),
    "delayed_accelerating": pattern(200, 12, -70, -10, 300, 0, -58, 300),
    "delayed_bursting": pattern(100, 10, -65, -10, 90, 30, -47, 110),
    "transient": pattern(100, 10, -65, 10, 90, 100, -47, 180),
    "refractory": dict(params=dict(I_dc=900, t_ref=3.7, v_peak=20)),
    # On a grid that Brian2 hits, and not.
    "synapses": dict(params=dict(t_ref=2, I_dc=600, tau_syn_inh=5),
                     arrivals=arrivals(1, 400, 400, 600, -400, 100_000)),
    "off_grid": dict(params=dict(t_ref=1.3, I_dc=700, tau_syn_exc=1.1, tau_syn_inh=8, b=20),
                     arrivals=arrivals(2, 1200, 400, 1100, -250, 1), brian=False),
    # v_peak below v_th: no upswing; peaks between arrivals touch v_peak or do not.
    "low_peak": dict(params=dict(v_peak=-53, t_ref=1, I_dc=330, b=10, tau_w=40, tau_syn_inh=4),
                     arrivals=arrivals(3, 600, 400, 400, -300, 100_000)),
    "steps": dict(params=dict(I_dc=0, b=40), changes=[(50_000_000, "I_dc", 800), (200_000_000, "I_dc", -300),
                                                      (250_000_000, "I_dc", 700.5)]),
}
DURATION = 400.0  # ms


def full(case):
    return {**PRESETS, **case["params"]}


# --- reference ------------------------------------------------------------------------------------------------------

class Neuron:
    """One neuron, (V, w, I_exc, I_inh), by steps of high order; spikes and resets lie on ticks."""

    def __init__(self, case):
        self.set(full(case))
        self.y = [self.p["E_L"], mpf(0), mpf(0), mpf(0)]
        self.tick, self.free, self.spikes = 0, 0, []

    def set(self, params):
        self.p = {k: mpf(v) for k, v in params.items()}

    def slope(self, y):
        p, (V, w, e, i) = self.p, y
        x = (V - p["v_th"]) / p["Delta_T"]
        if x > 3000:
            raise OverflowError
        dV = (p["g_L"] * (p["E_L"] - V + p["Delta_T"] * exp(x)) - w + e + i + p["I_dc"]) / p["C_m"]
        return [dV, (p["a"] * (V - p["E_L"]) - w) / p["tau_w"], -e / p["tau_syn_exc"], -i / p["tau_syn_inh"]]

    def arrive(self, port, weight):
        self.y[2 + port] += weight

    def values(self):
        return self.y[:2]

    def free_until(self, end):
        """Integrates to tick `end`, spikes included."""
        t, stop, h = mpf(0), (end - self.tick) * mpf(10) ** -6, mpf("0.05")
        peak = self.p["v_peak"]
        while t < stop:
            h = min(h, stop - t)
            # Near the upswing a step covers little more than one e-fold of the exponential.
            try:
                y, error = extrapolated(self.slope, self.y, h, 9)
            except OverflowError:
                h /= 4
                continue
            if error > mpf(10) ** -20:
                h *= mpf("0.6")
                continue
            rising, falls = self.slope(self.y)[0] > 0, self.slope(y)[0] < 0
            if y[0] < peak and rising and falls and h > mpf(10) ** -5 and max(y[0], self.y[0]) > peak - 1:
                h /= 8  # a maximum near the peak
                continue
            if y[0] >= peak:
                h = self.root(h, peak)
                y, _ = extrapolated(self.slope, self.y, h, 9)
                self.fire(self.tick + int(ceil((t + h) * mpf(10) ** 6)), y, t + h)
                return
            self.y = y
            t += h
            h *= mpf("1.3")
        self.tick = end

    def root(self, high, peak):
        low = mpf(0)
        while high - low > mpf(10) ** -9:
            h = (low + high) / 2
            low, high = (h, high) if extrapolated(self.slope, self.y, h, 9)[0][0] < peak else (low, h)
        return high

    def fire(self, tick, y, elapsed):
        rest = (tick - self.tick) * mpf(10) ** -6 - elapsed
        p = self.p
        self.y = [p["v_reset"], y[1] + p["b"], y[2] * exp(-rest / p["tau_syn_exc"]),
                  y[3] * exp(-rest / p["tau_syn_inh"])]
        self.tick = tick
        self.spikes.append(tick)
        self.free = tick + int(round(p["t_ref"] * 10 ** 6))

    def to(self, end):
        while self.tick < end:
            if self.tick < self.free:
                until = min(self.free, end)
                t, p = (until - self.tick) * mpf(10) ** -6, self.p
                rest = p["a"] * (self.y[0] - p["E_L"])
                self.y = [self.y[0], rest + (self.y[1] - rest) * exp(-t / p["tau_w"]),
                          self.y[2] * exp(-t / p["tau_syn_exc"]), self.y[3] * exp(-t / p["tau_syn_inh"])]
                self.tick = until
            else:
                self.free_until(end)


def reference():
    write_reference(DURATION, {n: (full(c), c) for n, c in CASES.items()}, Neuron, ("V", "w"))


# --- Brian2 ---------------------------------------------------------------------------------------------------------

def brian_spikes(dt_ms):
    """Spike times [ms] per case."""
    return spikes_of({n: (full(c), c) for n, c in CASES.items() if c.get("brian", True)}, DURATION, dt_ms, """
    dv/dt = (g_L*(E_L - v + upswing) - w + x + y + I_dc)/C_m/ms : 1 (unless refractory)
    upswing = Delta_T*exp((below - v_th)/Delta_T) : 1
    dw/dt = (a*(below - E_L) - w)/tau_w/ms : 1
    below = clip(v, -1e3, v_peak) : 1  # in the step in which V runs away
    dx/dt = -x/tau_syn_exc/ms : 1
    dy/dt = -y/tau_syn_inh/ms : 1
    """, "v >= v_peak", "v = v_reset; w += b")


if __name__ == "__main__":
    from mpmath import ceil, exp, mp, mpf
    from extrapolation import extrapolated
    mp.dps = 30
    main(__doc__, "adex", reference, brian_spikes)
