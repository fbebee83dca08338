"""Reference of the switching probability of tunnel junctions: the density of a macrospin of one axis, by finite volumes, uniform in the angle.

mtj_reference.py > mtj_reference.csv

dp/dt = d/dz [(1 - z^2) ((i - z) p + p' / (2 Delta))] from exp(Delta z^2) on z > 0; switched: z < 0.  1,200 cells, steps of 1 % of the time, by
scipy's solver of banded systems; nothing is shared with plugins/mtj_law.hpp.  Only probabilities from 1e-3 to 0.999 are written.
"""
import numpy as np
from scipy.linalg import solve_banded

CELLS = 1200


def probabilities(Delta, i, times):
    edges = np.cos(np.linspace(0, np.pi, CELLS + 1))
    z, volume = np.cos((np.arange(CELLS) + 0.5) * np.pi / CELLS), edges[:-1] - edges[1:]
    rise = np.diff(-Delta * z**2 + 2 * Delta * i * z)
    rate = (1 - edges[1:-1]**2) / (2 * Delta * (z[:-1] - z[1:]))
    forth, back = rate * rise / np.expm1(rise), -rate * rise / np.expm1(-rise)
    A = np.zeros((3, CELLS))
    A[0, 1:], A[2, :-1] = back / volume[:-1], forth / volume[1:]
    A[1, :-1] -= forth / volume[:-1]
    A[1, 1:] -= back / volume[1:]

    def rates(p):
        q = A[1] * p
        q[:-1] += A[0, 1:] * p[1:]
        q[1:] += A[2, :-1] * p[:-1]
        return q

    def implicit(dt, p):
        M = -dt * A
        M[1] += 1
        return solve_banded((1, 1), M, p)

    p = np.where(z > 0, np.exp(Delta * (z**2 - 1)), 0)
    p /= (p * volume).sum()
    t, a = 0.0, 1 - np.sqrt(0.5)  # a two-stage method of second order, both stages implicit
    found = []
    for end in times:
        while t < end * (1 - 1e-12):
            dt = min(max(2e-3, 0.01 * t), end - t)
            first = implicit(a * dt, rates(p))
            second = implicit(a * dt, rates(p + (1 - a) * dt * first))
            p = p + dt * ((1 - a) * first + a * second)
            t += dt
        found.append((p * volume)[z < 0].sum())
    return found


print("Delta,i,w,P")
for Delta in (20, 40, 48, 60, 75, 80):
    for i in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 2.5, 3, 4):
        times = np.geomspace(0.3, 1e4, 25) if Delta * (1 - i)**2 < 9 or i > 1 else np.geomspace(1e3, 1e7, 10)
        for w, P in zip(times, probabilities(Delta, i, times)):
            if 1e-3 < P < 0.999:
                print(f"{Delta},{i},{w:.6g},{P:.5f}")
            if P > 0.999:
                break
