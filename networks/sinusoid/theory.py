#!/usr/bin/env python3
"""The transfer function of leaky integrate-and-fire neurons in white noise, and what a run of sinusoid.yaml has of it.

B. Lindner, L. Schimansky-Geier, "Transmission of noise coded versus additive signals through a neuronal ensemble" (2001), with
dv/dt = (mu - v)/tau + sqrt(2 D/tau) xi, threshold v_th, reset v_r, refractory time t_ref.  A signal s cos(w t) in mu, or in D, changes
the rate by |A| s cos(w t + arg A); A is chi_mu or chi_D below.  Needs mpmath.

    theory.py FREQUENCY_HZ ...                the theory, for what sinusoid.yaml has
    theory.py --log LOG.h5 --frequency HZ     and a run at this frequency (h5py, numpy)
"""
import argparse

import mpmath as mp

TAU, V_TH, V_R, T_REF = 0.02, 20.0, 10.0, 0.002           # s, mV, mV, s
JUMP, RATE_E, RATE_I, REST = 0.1, 10000.0, 10000.0, 19.0  # mV, Hz, Hz, mV
DELAY = 0.0001  # s, of the events
MU = REST + TAU * JUMP * (RATE_E - RATE_I)
D = 0.5 * TAU * JUMP**2 * (RATE_E + RATE_I)


def rate(mu=MU, d=D):
    """Stationary rate [Hz] (Siegert)."""
    ends = [(mu - V_TH) / mp.sqrt(2 * d), (mu - V_R) / mp.sqrt(2 * d)]
    integral = mp.quad(lambda x: mp.erfc(x) * mp.exp(x * x), ends)
    return 1 / (T_REF + TAU * mp.sqrt(mp.pi) * integral)


def susceptibilities(frequency):
    """chi_mu [Hz/mV] and chi_D [Hz/mV^2] at a frequency [Hz]; phases as of exp(-i w t): a lag is positive in arg."""
    w = 2 * mp.pi * frequency * TAU
    s, r0 = mp.sqrt(D), rate() * TAU
    delta = (V_R**2 - V_TH**2 + 2 * MU * (V_TH - V_R)) / (4 * D)
    x_th, x_r = (MU - V_TH) / s, (MU - V_R) / s
    i = mp.mpc(0, 1)
    below = mp.pcfd(i * w, x_th) - mp.exp(delta) * mp.exp(i * w * T_REF / TAU) * mp.pcfd(i * w, x_r)
    over_mu = mp.pcfd(i * w - 1, x_th) - mp.exp(delta) * mp.pcfd(i * w - 1, x_r)
    chi_mu = r0 * i * w / s / (i * w - 1) * over_mu / below
    over_d = mp.pcfd(i * w - 2, x_th) - mp.exp(delta) * mp.pcfd(i * w - 2, x_r)
    chi_d = r0 * i * w * (i * w - 1) / (D * (2 - i * w)) * over_d / below
    return chi_mu / TAU, chi_d / TAU


def responses(frequency, current=1.0, extra=1.0):
    """Amplitude [Hz] and lag [turns] of the rate, for a current worth `current` mV and for `extra` Hz of excitation."""
    chi_mu, chi_d = susceptibilities(frequency)
    by_current = chi_mu * current
    by_rate = chi_mu * TAU * JUMP * extra + chi_d * 0.5 * TAU * JUMP**2 * extra
    return [(float(abs(x)), float(mp.arg(x) / (2 * mp.pi))) for x in (by_current, by_rate)]


def measured(log, population, frequency, begin=0.2):
    """Amplitude [Hz] and lag [turns] of the first harmonic in a log's spikes, from `begin` [s] over whole periods."""
    import h5py
    import numpy as np
    with h5py.File(log) as f:
        times = f[f"spikes/{population}/timestamps"][:] / 1000
        end = float(f["spinet"].attrs["duration_ms"]) / 1000 if "duration_ms" in f["spinet"].attrs else times.max()
        size = {row["name"].decode(): row["size"] for row in f["spinet/populations"][:]}[population]
    end = begin + np.floor((end - begin) * frequency + 1e-9) / frequency
    times = times[(times >= begin) & (times < end)]
    z = 2 * np.exp(-2j * np.pi * frequency * times).sum() / (int(size) * (end - begin))  # of sin: -i
    return abs(z), -np.angle(z * 1j) / (2 * np.pi)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("frequencies", nargs="*", type=float)
    p.add_argument("--log")
    p.add_argument("--frequency", type=float)
    a = p.parse_args()
    if not a.frequencies and a.frequency is None:
        p.error("which frequency? for example: theory.py 20")
    print(f"mu {MU} mV, D {D:.3g} mV^2, rate {float(rate()):.3f} Hz")
    for f in a.frequencies or [a.frequency]:
        (x, lag), (y, late) = responses(f, 0.5, 250.0)
        late += DELAY * f
        print(f"{f:7.2f} Hz  by current {x:.3f} Hz, lag {lag:+.4f}   by rate {y:.3f} Hz, lag {late:+.4f}")
        if a.log:
            (x, lag), (y, late) = (measured(a.log, name, f) for name in ("by_current", "by_rate"))
            print(f"  in the run  by current {x:.3f} Hz, lag {lag:+.4f}   by rate {y:.3f} Hz, lag {late:+.4f}")


if __name__ == "__main__":
    main()
