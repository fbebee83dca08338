#!/usr/bin/env python3
"""The STDP window as an SVG: window.py stdp_pair.h5 [-o window.svg].  Needs h5py and numpy.

For every synapse: its change of weight over the run against the time from the presynaptic to the postsynaptic spike as the
synapse sees it (the postsynaptic one a delay later), both from the log alone.
"""
import argparse

import h5py
import numpy as np

DELAY = 1.0  # ms


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("log")
    p.add_argument("-o", "--output", default="window.svg")
    a = p.parse_args()
    with h5py.File(a.log) as f:
        weights = f["weights/plastic/data"]
        change = weights[-1] - weights[0]
        target = f["weights/plastic/mapping/target_node_id"][:]
        pre = f["spikes/pre/timestamps"][:]
        times, ids = f["spikes/post/timestamps"][:], f["spikes/post/node_ids"][:]
    dt = np.array([np.median(times[ids == j] + DELAY - pre) for j in target])
    x = lambda t: 330 + t * 6.5
    y = lambda w: 160 - w / np.abs(change).max() * 120
    points = "".join(f'<circle cx="{x(t):.1f}" cy="{y(w):.1f}" r="3" fill="{"#1f5fa8" if t > 0 else "#c0392b" if t < 0 else "#555"}"/>'
                     for t, w in zip(dt, change))
    marks = "".join(f'<text x="{x(t):.0f}" y="312" text-anchor="middle" class="s">{t:g} ms</text>' for t in (-40, -20, 0, 20, 40))
    marks += "".join(f'<text x="62" y="{y(w) + 4:.0f}" text-anchor="end" class="s">{1e3 * w:+g} uV</text>' for w in (-0.05, 0.05))
    with open(a.output, "w") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 340" font-family="sans-serif" font-size="13">'
                  f'<style>.s{{font-size:11px;fill:#555}}</style><rect width="100%" height="100%" fill="white"/>'
                  f'<path d="M70 {y(0):.0f}H590M{x(0):.0f} 30V295" stroke="#bbb"/>{points}{marks}'
                  f'<text x="330" y="20" text-anchor="middle">change of weight after ten pairings</text>'
                  f'<text x="330" y="332" text-anchor="middle" class="s">postsynaptic minus presynaptic time at the synapse</text></svg>\n')


main()
