#!/usr/bin/env python3
"""A raster and rates of a log: tools/raster OUT.h5 [-o FILE.svg] [--from MS] [--to MS] [--neurons N]

Draws at most N neurons of each population (evenly spaced) and the population's rate in bins of 1 ms. One path per
population keeps the SVG small. Needs h5py and numpy. With -o FILE.png or FILE.pdf, the same figure by matplotlib.
An example of spinet_log.py.
"""
import argparse
import pathlib
import sys

import numpy as np

from spinet_log import Log, LogError

COLOURS = ["#1f5fa8", "#c0392b", "#2e8b57", "#8e5ea2", "#b8860b", "#16808f", "#7a4a2b", "#555555"]


def shown_neurons(size, most):
    return np.unique(np.linspace(0, size - 1, min(most, size)).astype(int))


def rows_of(nodes, shown):
    """The row of each spike, and whether its neuron is shown."""
    row = np.minimum(np.searchsorted(shown, nodes), len(shown) - 1)
    return row, shown[row] == nodes


def rate_of(times, size, begin, end, bin_ms):
    counts, edges = np.histogram(times, np.arange(begin, end + bin_ms, bin_ms))
    return edges, counts / size / bin_ms * 1e3


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("log")
    p.add_argument("-o", "--output")
    p.add_argument("--from", dest="begin", type=float, default=0)
    p.add_argument("--to", dest="end", type=float)
    p.add_argument("--neurons", type=int, default=40)
    a = p.parse_args()
    out = pathlib.Path(a.output or pathlib.Path(a.log).with_suffix(".svg"))
    try:
        with Log(a.log) as log:
            end = a.end or log.reached_ms
            sizes = {name: log.populations[name].size for name in log.recorded}
            spikes = {name: log.spikes(name).between(a.begin, end) for name in log.recorded}
            if out.suffix == ".svg":
                out.write_text(svg(log.name, sizes, spikes, a.begin, end, a.neurons))
            else:
                plot(out, log.name, sizes, spikes, a.begin, end, a.neurons)
    except (LogError, ImportError) as e:
        sys.exit(f"raster: {e}")
    print(f"{out}  {out.stat().st_size / 1000:.0f} kB")


def svg(name, sizes, spikes, begin, end, neurons):
    left, width, top, gap, row = 70, 820, 34, 14, 3.0
    span = max(end - begin, 1e-9)
    x = lambda t: left + (t - begin) / span * width
    body, y = [], top
    for k, (population, found) in enumerate(spikes.items()):
        colour = COLOURS[k % len(COLOURS)]
        shown = shown_neurons(sizes[population], neurons)
        place, drawn = rows_of(found.nodes, shown)
        # Relative moves, rounded to a tenth of a pixel: about 8 bytes a spike.
        path = "".join(f"M{x(t):.1f} {y + row * r:.1f}v{row - .6:.1f}" for t, r in zip(found.times_ms[drawn], place[drawn]))
        height = row * len(shown)
        body.append(f'<text x="{left - 8}" y="{y + height / 2:.0f}" text-anchor="end" fill="{colour}">{population}</text>'
                    f'<path d="{path}" stroke="{colour}" stroke-width="1.1" fill="none"/>')
        y += height + gap
        edges, rate = rate_of(found.times_ms, sizes[population], begin, end, max(1.0, span / width))
        most = max(rate.max(initial=0), 1)
        line = " ".join(f"{x(t):.1f},{y + 46 - 44 * r / most:.1f}" for t, r in zip(edges[:-1], rate))
        body.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1"/>'
                    f'<text x="{left - 8}" y="{y + 12}" text-anchor="end" class="s">{most:.0f} Hz</text>'
                    f'<text x="{left - 8}" y="{y + 46}" text-anchor="end" class="s">0</text>')
        y += 46 + gap
    ticks = np.linspace(begin, end, 6)
    body += [f'<text x="{x(t):.0f}" y="{y + 12}" text-anchor="middle" class="s">{t:g} ms</text>' for t in ticks]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 30} {y + 24:.0f}" font-family="sans-serif" '
            f'font-size="13"><style>.s{{font-size:10px;fill:#555}}</style><rect width="100%" height="100%" fill="white"/>'
            f'<text x="{left}" y="20">{name}</text>{"".join(body)}</svg>')


def plot(out, name, sizes, spikes, begin, end, neurons):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(2 * len(spikes), sharex=True, squeeze=False, figsize=(10, 3.2 * len(spikes)), gridspec_kw={"height_ratios": [3, 1] * len(spikes)})
    for k, (population, found) in enumerate(spikes.items()):
        raster, rates = axes[2 * k][0], axes[2 * k + 1][0]
        place, drawn = rows_of(found.nodes, shown_neurons(sizes[population], neurons))
        raster.scatter(found.times_ms[drawn], place[drawn], s=14, linewidths=.8, marker="|", color=COLOURS[k % len(COLOURS)])
        raster.set_ylabel(population)
        edges, rate = rate_of(found.times_ms, sizes[population], begin, end, max(1.0, (end - begin) / 820))
        rates.stairs(rate, edges, color=COLOURS[k % len(COLOURS)])
        rates.set_ylabel("rate (Hz)")
    axes[0][0].set_title(name)
    axes[-1][0].set(xlabel="time (ms)", xlim=(begin, end))
    figure.savefig(out)


if __name__ == "__main__":
    main()
