#!/usr/bin/env python3
"""All weights over time as an SVG: weights.py rstdp_conditioning.h5 [-o weights.svg].  Needs h5py and numpy."""
import argparse

import h5py
import numpy as np


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("log")
    p.add_argument("-o", "--output", default="weights.svg")
    a = p.parse_args()
    with h5py.File(a.log) as f:
        group = f["weights/plastic"]
        weights = group["data"][::5]
        begin, end, _ = group["mapping/time"][:] / 1000
    t = np.linspace(begin, end, len(weights))
    x, y = lambda s: 60 + 540 * s / end, lambda w: 290 - 250 * w

    def line(i, colour, width):
        points = " ".join(f"{x(s):.0f},{y(w):.0f}" for s, w in zip(t, weights[:, i]))
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'

    others = "".join(line(i, "#ccc", 0.5) for i in range(2, weights.shape[1], 4))
    marks = "".join(f'<text x="{x(s):.0f}" y="308" text-anchor="middle" class="s">{s:g} s</text>' for s in np.linspace(0, end, 6))
    marks += "".join(f'<text x="52" y="{y(w) + 4:.0f}" text-anchor="end" class="s">{w:g} mV</text>' for w in (0, 0.5, 1))
    with open(a.output, "w") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 320" font-family="sans-serif" font-size="13">'
                  f'<style>.s{{font-size:11px;fill:#555}}</style><rect width="100%" height="100%" fill="white"/>{others}'
                  f'{line(1, "#c0392b", 1.5)}{line(0, "#1f5fa8", 2)}{marks}'
                  f'<text x="60" y="22" fill="#1f5fa8">paired, rewarded</text><text x="210" y="22" fill="#c0392b">paired, not rewarded</text>'
                  f'<text x="390" y="22" fill="#888">neither (a quarter of them)</text></svg>\n')


main()
