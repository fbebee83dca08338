"""What the scripts of single neurons share: the reference of many digits, and Brian2's spike times as dt goes to 0 against it.

A reference file has one line per fact: `parameter,CASE,NAME,VALUE`, `initial,CASE,NAME,VALUE`, `arrival,CASE,TICK,PORT,WEIGHT`,
`change,CASE,TICK,NAME,VALUE`, `spike,CASE,TICK`, `value,CASE,TICK,VARIABLE,VALUE` and `duration,CASE,TICK`; a tick is 1 ns.
"""
import pathlib
import sys

TICK = 1e-6  # ms


def write_reference(duration, cases, neuron, variables):
    """Prints the file.  `cases`: (parameters, arrivals and changes) by name; `neuron(case)` has `to`, `set`, `arrive`, `values`,
    `spikes`; `variables` names its values, V first, which begins at E_L."""
    from mpmath import nstr
    end = round(duration / TICK)
    for name, (params, case) in cases.items():
        arrivals, changes = case.get("arrivals", []), case.get("changes", [])
        for key, value in params.items():
            print(f"parameter,{name},{key},{value}")
        print(f"initial,{name},V,{params['E_L']}")
        print(f"duration,{name},{end}")
        events = [(t, 1, port, w) for t, port, w in arrivals] + [(t, 0, what, value) for t, what, value in changes]
        n = neuron(case)
        for tick, kind, what, value in sorted(events + [(end // 7 * k, -1, "", 0) for k in range(1, 7)], key=lambda e: e[:2]):
            n.to(tick)
            if kind == -1:
                for variable, x in zip(variables, n.values()):
                    print(f"value,{name},{tick},{variable},{nstr(x, 17)}")
            elif kind == 0:
                print(f"change,{name},{tick},{what},{value}")
                params[what] = value
                n.set(params)
            else:
                print(f"arrival,{name},{tick},{what},{value}")
                n.arrive(what, value)
        n.to(end)
        for tick in n.spikes:
            if tick < end:
                print(f"spike,{name},{tick}")
        print(f"{name}: {len(n.spikes)} spikes", file=sys.stderr)


def spikes_of(cases, duration, dt_ms, equations, threshold, reset):
    """Spike times [ms] by case in Brian2: V is `v`, what arrives by the two ports adds to `x` and `y`."""
    import brian2 as b2
    from brian2 import NeuronGroup, Network, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms
    names, all_params = list(cases), [params for params, _ in cases.values()]
    b2.defaultclock.dt = dt_ms * ms
    group = NeuronGroup(len(names), equations + "\n".join(f"{p} : 1" for p in all_params[0]), threshold=threshold,
                        reset=reset, refractory="t_ref*ms", method="rk4")
    for p in all_params[0]:
        setattr(group, p, [params[p] for params in all_params])
    group.v = "E_L"
    events = [(t * TICK, j, port, w) for j, n in enumerate(names) for t, port, w in cases[n][1].get("arrivals", [])]
    source = SpikeGeneratorGroup(len(events), range(len(events)), [e[0] for e in events] * ms)
    synapses = Synapses(source, group, "we : 1\nwi : 1", on_pre="x += we; y += wi")
    synapses.connect(i=list(range(len(events))), j=[e[1] for e in events])
    synapses.we = [e[3] if e[2] == 0 else 0 for e in events]
    synapses.wi = [e[3] if e[2] == 1 else 0 for e in events]
    monitor = SpikeMonitor(group)
    network = Network(group, source, synapses, monitor)
    now = 0.0
    changes = sorted((t * TICK, j, what, value) for j, n in enumerate(names)
                     for t, what, value in cases[n][1].get("changes", []))
    for t, j, what, value in changes + [(duration, None, None, None)]:
        network.run((t - now) * ms)
        now = t
        if j is not None:
            getattr(group, what)[j] = value
    trains = monitor.spike_trains()
    return {n: [float(t / ms) for t in trains[j]] for j, n in enumerate(names)}


def main(doc, model, reference, brian_spikes):
    """The command line of the scripts: `reference`, or `converge [DT_MS...]`."""
    if sys.argv[1:] == ["reference"]:
        reference()
    elif sys.argv[1:2] == ["converge"]:
        file = pathlib.Path(__file__).with_name(f"{model}_reference.csv")
        steps = [float(x) for x in sys.argv[2:]] or [0.05, 0.01, 0.002]
        sys.exit(converge(steps, read_reference(file, TICK), brian_spikes))
    else:
        sys.exit(doc)


def read_reference(file, tick):
    """Spike times [ms] by case, from the lines `spike,CASE,TICKS`."""
    expected = {}
    for line in file.read_text().splitlines():
        fields = line.split(",")
        if fields[0] == "spike":
            expected.setdefault(fields[1], []).append(int(fields[2]) * tick)
    return expected


def converge(steps, expected, spikes):
    """Prints the largest distance by case and step; 1 if some case does not converge.  `spikes(dt)`: times [ms] by case."""
    distances = []
    for dt in steps:
        row = {}
        for name, times in spikes(dt).items():
            want = expected.get(name, [])
            row[name] = max((abs(a - b) for a, b in zip(times, want)), default=0.0) \
                if len(times) == len(want) else float("inf")
        distances.append(row)
    print("largest distance of Brian2's spike times from the reference [ms]")
    print(f"{'case':22}" + "".join(f"dt = {dt:<8g}" for dt in steps))
    failed = False
    for name in distances[0]:
        row = [d[name] for d in distances]
        # First order, with a factor 2 to spare: where a spike falls on the grid is chance.  Or within a step already.
        good = row[-1] < float("inf") and (row[-1] <= steps[-1] or row[-1] <= 2 * steps[-1] / steps[-2] * row[-2])
        failed |= not good
        print(f"{name:22}" + "".join(f"{d:<13.3g}" for d in row) + ("" if good else "  DOES NOT CONVERGE"))
    return 1 if failed else 0
