"""Installs Spinet into a temporary folder, builds the models that plugins/README.md and models/README.md write from nothing
against the installed package, checks them, runs networks with them and compares potential and spikes with closed forms.

usage: install.py SOURCE BUILD COMPILER
"""
import math
import os
import re
import subprocess
import sys
import tempfile

import h5py

NETWORK = """
spinet: 1
name: depression
duration: 1 s
populations:
  pre: {model: spike_source, size: 1, spikes: [%s]}
  post:
    model: lif_delta
    size: 1
    params: {tau_m: 200 ms, E_L: 0 mV, v_th: 1000 mV, v_reset: 0 mV}
    initial: {V: 0 mV}
projections:
  synapse:
    from: pre
    to: post
    connect: all_to_all
    synapse: {model: depressing, weight: 4 mV, U: 0.4, tau_rec: 300 ms, delay: 2 ms}
record:
  reports:
    - {name: voltage, population: post, variable: V, every: 1 ms}
"""
TONIC = """
spinet: 1
name: tonic
duration: 10 s
populations:
  cell: {model: quadratic, size: 3, params: {I: 0.1 mV/ms}, initial: {v: -30 mV}}
  judge: {model: referee, size: 1, params: {period: 200 ms, latency: 3 ms, wanted: 2}}
projections:
  heard: {from: cell, to: judge, connect: all_to_all, synapse: {model: static, weight: 1, delay: 2 ms}}
until: reward >= 10
record:
  spikes: [cell]
"""
SPIKES = [100, 120, 140, 160, 180, 400, 420, 900]  # ms


def run(*command, **options):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit code {done.returncode}\n{done.stdout}")
    return done.stdout


def potential(times):
    """The potential [mV] at `times` [ms], in closed form from arrival to arrival."""
    u, tau_rec, tau_m, weight, delay = 0.4, 300.0, 200.0, 4.0, 2.0
    jumps, x, last = [], 1.0, None
    for spike in SPIKES:
        if last is not None:
            x = 1 - (1 - x) * math.exp(-(spike - last) / tau_rec)
        jumps.append((spike + delay, weight * u * x))
        x, last = x * (1 - u), spike
    # A report shows the value at the beginning of a tick, before the arrivals of that tick.
    return [sum(jump * math.exp(-(t - at) / tau_m) for at, jump in jumps if at < t) for t in times]


def check_tonic(folder):
    """Three alike neurons fire with the period of the closed form; the referee stops the run after its first period that
    holds four spikes of each."""
    a, current, v = 0.04, 0.1, 30.0
    period = 2 * math.atan(v * math.sqrt(a / current)) / math.sqrt(a * current)
    first = next(n for n in range(1, 100) if sum(200 * (n - 1) < k * period + 2 < 200 * n for k in range(1, 1000)) >= 4)
    with h5py.File(os.path.join(folder, "tonic.h5")) as log:
        times = sorted(t for t, i in zip(log["spikes/cell/timestamps"][:], log["spikes/cell/node_ids"][:]) if i == 0)
    expected = [k * period for k in range(1, 1 + int((200 * first + 3) / period))]
    assert len(times) == len(expected) and len(times) > 3, (times, expected)
    worst = max(abs(a - b) for a, b in zip(times, expected))
    assert worst < 1e-5, f"spikes are off by {worst} ms"
    print(f"{len(times)} spikes within {worst:.1e} ms of the closed form")


def main(source, build, compiler):
    readme = open(os.path.join(source, "plugins", "README.md")).read()
    cpp = re.search(r"```cpp\n(.*?)```", readme, re.S).group(1)
    neuron, environment = re.findall(r"```cpp\n(.*?)```", open(os.path.join(source, "models", "README.md")).read(), re.S)
    cmake = re.search(r"```cmake\n(.*?)```", readme, re.S).group(1)
    with tempfile.TemporaryDirectory(prefix="spinet-install-") as folder:
        prefix, plugin = os.path.join(folder, "prefix"), os.path.join(folder, "plugin")
        os.mkdir(plugin)
        run("cmake", "--install", build, "--prefix", prefix)
        cmake += "spinet_add_plugin(quadratic quadratic.cpp)\nspinet_add_plugin(referee referee.cpp)\n"
        for name, text in (("depressing.cpp", cpp), ("quadratic.cpp", neuron), ("referee.cpp", environment), ("tonic.yaml", TONIC),
                           ("CMakeLists.txt", cmake), ("network.yaml", NETWORK % ", ".join(f"{t} ms" for t in SPIKES))):
            with open(os.path.join(plugin, name), "w") as out:
                out.write(text)
        run("cmake", "-G", "Ninja", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={compiler}", cwd=plugin)
        commands = run("cmake", "--build", "build", "--verbose", cwd=plugin)
        assert "-ffp-contract=off" in commands, "the flags that results depend on must come with the package"

        spinet = os.path.join(prefix, "bin", "spinet")
        for model in ("depressing", "quadratic", "referee"):
            print(run(spinet, "check-plugin", f"build/{model}.so", cwd=plugin))
        run(spinet, "run", "tonic.yaml", "--plugin-path", "build", "--quiet", cwd=plugin)
        check_tonic(plugin)
        shown = run(spinet, "models", "depressing", "--plugin-path", "build", cwd=plugin)
        assert "tau_rec" in shown and "time constant of recovery" in shown, shown
        run(spinet, "run", "network.yaml", "--plugin-path", "build", "--quiet", cwd=plugin)

        with h5py.File(os.path.join(plugin, "depression.h5")) as log:
            reports = []
            log.visititems(lambda name, item: reports.append(item) if name.startswith("report") and name.endswith("/data") else None)
            (data,) = reports
            start, _, step = data.parent["mapping/time"][:]
            seen = data[:, 0]
        times = [start + i * step for i in range(len(seen))]
        worst = max(abs(a - b) for a, b in zip(seen, potential(times)))
        assert len(seen) >= 1000 and max(seen) > 2, (len(seen), max(seen))
        assert worst < 2e-6, f"the potential is off by {worst} mV"  # single precision of weights and reports at 4 mV
        print(f"{len(seen)} samples of the potential within {worst:.1e} mV of the closed form")


main(*sys.argv[1:])
