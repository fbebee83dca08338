#!/usr/bin/env python3
"""Small recurrent networks of lif_delta and lif_exp in Brian2, for a comparison spike by spike (networks_brian2.cpp).

networks_brian2.py make
    Writes the networks: brian2/NAME.yaml, its connections and its input as CSV files.
networks_brian2.py reference [DT_MS...]
    Runs them in Brian2 (python3-brian, numpy target) at these time steps, 0.005 and 0.001 ms unless given, and
    writes brian2/NAME_reference.csv with the columns dt [ms],neuron,time [ms]; some minutes.

Brian2 works on a grid: the potential at the end of a step is compared with the threshold, the spike has the time of the
step's begin, and arrivals act after that comparison, one step late; the delays here are one step shorter for that. A
crossing between two arrivals is then up to one step early in Brian2, and every synapse that passes it on may add
another. What the grid has, input and delays, is exact.
"""
import pathlib
import random
import sys

FOLDER = pathlib.Path(__file__).resolve().parent / "brian2"
DURATION = 100  # ms; longer, and errors of a step grow past telling which spike is which
EXC, INH, INPUTS = 16, 4, 10
# Model, parameters of exc and of inh (mV, ms, pF, pA), unit and sizes of the weights.  Brian2 rounds refractory periods to
# steps: these are whole ones.
NETWORKS = {
    "delta": dict(
        model="lif_delta", unit="mV", exc_weight=1.5, inh_weight=-4.0, in_weight=5.0, seed=5,
        exc=dict(tau_m=10, C_m=200, E_L=-65, v_th=-50, v_reset=-62, t_ref=2.005, I_dc=320),
        inh=dict(tau_m=10, C_m=200, E_L=-65, v_th=-50, v_reset=-65, t_ref=1.005, I_dc=0)),
    "exponential": dict(
        model="lif_exp", unit="pA", exc_weight=200.0, inh_weight=-300.0, in_weight=1400.0, seed=6,
        exc=dict(tau_m=10, C_m=200, E_L=-65, v_th=-50, v_reset=-62, t_ref=2.005, I_dc=250, tau_syn_exc=1.5, tau_syn_inh=5),
        inh=dict(tau_m=8, C_m=200, E_L=-65, v_th=-50, v_reset=-65, t_ref=1.005, I_dc=0, tau_syn_exc=1, tau_syn_inh=1)),
}
UNITS = dict(tau_m="ms", C_m="pF", E_L="mV", v_th="mV", v_reset="mV", t_ref="ms", I_dc="pA", tau_syn_exc="ms", tau_syn_inh="ms")


def make(name, n):
    rng = random.Random(n["seed"])
    for source, size, weight, share in (("exc", EXC, n["exc_weight"], 0.25), ("inh", INH, n["inh_weight"], 0.5), ("in", INPUTS, n["in_weight"], 0.3)):
        with open(FOLDER / f"{name}_{source}.csv", "w") as out:
            print(f"source,target,weight [{n['unit']}],delay [ms]", file=out)
            for s in range(size):
                for t in range(EXC + INH):
                    if rng.random() < share:  # weights that a 4-byte float holds
                        print(f"{s},{t},{round(64 * weight * rng.uniform(0.5, 1.5)) / 64},{rng.randint(5, 40) / 10}", file=out)
    with open(FOLDER / f"{name}_input.csv", "w") as out:
        print("neuron,time [ms]", file=out)
        for t in sorted(rng.sample(range(1, DURATION * 100), 8 * INPUTS)):
            print(f"{rng.randrange(INPUTS)},{t / 100}", file=out)
    text = lambda values: ", ".join(f"{k}: {v} {UNITS[k]}" for k, v in values.items())
    listed = lambda source, to: f"{{from: {source}, to: {to}, connect: {{list: {name}_{source}.csv}}, synapse: {{model: static}}}}"
    (FOLDER / f"{name}.yaml").write_text(f"""# Made by networks_brian2.py.
spinet: 1
name: {name}
duration: {DURATION} ms
populations:
  exc:
    model: {n['model']}
    size: {EXC}
    params: {{{text(n['exc'])}}}
    initial: {{V: {n['exc']['E_L']} mV}}
  inh:
    model: {n['model']}
    size: {INH}
    params: {{{text(n['inh'])}}}
    initial: {{V: {n['inh']['E_L']} mV}}
  in: {{model: spike_source, size: {INPUTS}, spikes: {name}_input.csv}}
projections:
  of_exc: {listed("exc", "[exc, inh]")}
  of_inh: {listed("inh", "[exc, inh]")}
  of_in: {listed("in", "[exc, inh]")}
record:
  spikes: [exc, inh]
""")


def rows(file):
    with open(FOLDER / file) as lines:
        return [[float(x) for x in line.split(",")] for line in list(lines)[1:]]


def simulate(name, n, dt):
    """Spikes (neuron, ms) of Brian2; inh counts on from exc."""
    import brian2 as b
    b.prefs.codegen.target = "numpy"
    b.start_scope()
    b.defaultclock.dt = dt * b.ms
    delta = n["model"] == "lif_delta"
    # In mV, ms and pA; per neuron, so that one group holds both populations.
    equations = """
        tau_m : second (constant)
        v_inf : 1 (constant)
        v_th : 1 (constant)
        v_reset : 1 (constant)
        t_ref : second (constant)
    """
    if delta:
        equations += "dv/dt = (v_inf - v) / tau_m : 1 (unless refractory)\n"
    else:
        equations += """
        resistance : 1 (constant)
        tau_e : second (constant)
        tau_i : second (constant)
        dv/dt = (v_inf - v + resistance * (ie + ii)) / tau_m : 1 (unless refractory)
        die/dt = -ie / tau_e : 1
        dii/dt = -ii / tau_i : 1
        """
    cells = b.NeuronGroup(EXC + INH, equations, threshold="v > v_th", reset="v = v_reset", refractory="t_ref", method="exact")
    for part, p in ((slice(0, EXC), n["exc"]), (slice(EXC, EXC + INH), n["inh"])):
        resistance = p["tau_m"] / p["C_m"]  # mV/pA
        cells.tau_m[part] = p["tau_m"] * b.ms
        cells.v_inf[part] = p["E_L"] + resistance * p["I_dc"]
        cells.v_th[part] = p["v_th"]
        cells.v_reset[part] = p["v_reset"]
        cells.t_ref[part] = p["t_ref"] * b.ms
        cells.v[part] = p["E_L"]
        if not delta:
            cells.resistance[part] = resistance
            cells.tau_e[part] = p["tau_syn_exc"] * b.ms
            cells.tau_i[part] = p["tau_syn_inh"] * b.ms
    index, times = zip(*rows(f"{name}_input.csv"))
    source = b.SpikeGeneratorGroup(INPUTS, [int(i) for i in index], list(times) * b.ms)
    net = b.Network(cells, source)
    for who, group, first in (("exc", cells, 0), ("inh", cells, EXC), ("in", source, 0)):
        edges = rows(f"{name}_{who}.csv")
        if delta:  # an arrival in the refractory period is lost
            synapses = b.Synapses(group, cells, "w : 1", on_pre="v_post += w * int(not_refractory_post)")
        else:
            synapses = b.Synapses(group, cells, "w : 1", on_pre="ii_post += w" if who == "inh" else "ie_post += w")
        synapses.connect(i=[first + int(e[0]) for e in edges], j=[int(e[1]) for e in edges])
        synapses.w = [e[2] for e in edges]
        synapses.delay = [e[3] - dt for e in edges] * b.ms
        net.add(synapses)
    spikes = b.SpikeMonitor(cells)
    net.add(spikes)
    net.run(DURATION * b.ms)
    return sorted((int(i), float(t / b.ms)) for i, t in zip(spikes.i, spikes.t))


def main():
    if sys.argv[1:2] == ["make"]:
        for name, n in NETWORKS.items():
            make(name, n)
    elif sys.argv[1:2] == ["reference"]:
        for name, n in NETWORKS.items():
            found = {dt: simulate(name, n, dt) for dt in [float(x) for x in sys.argv[2:]] or [0.005, 0.001]}
            with open(FOLDER / f"{name}_reference.csv", "w") as out:
                print("dt [ms],neuron,time [ms]", file=out)
                for dt, spikes in found.items():
                    for i, t in spikes:
                        print(f"{dt:g},{i},{t:.4f}", file=out)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
