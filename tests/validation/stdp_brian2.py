#!/usr/bin/env python3
"""The stdp model against Brian2: stdp_brian2.py > stdp_reference.csv (needs python3-brian; half a minute).

A few fixed spike trains on each side, all pairs connected, every synapse with its own delay d.  Spinet's delay is
dendritic.  Two ways to say that in Brian2, which differ by a shift of the synapse's time:
    post   a delay d on the post pathway, none on the pre pathway: time at the synapse
    both   a delay d on the pre pathway, which transmits, and 2 d on the post pathway: time at the neuron
No two spikes meet at one synapse at the same time: Brian2 has its own order there.

Lines: `spike,SIDE,NEURON,TICK`, `case,CASE,NAME,VALUE`, `delay,I,J,TICK`, `weight,CASE,WAY,I,J,TIME,W` (before the step at
TIME ticks), `sent,CASE,J,SUM` (sum of the weights that neuron J has got); a tick is 1 ns, weights are in units of w_max.
"""
import random

import brian2 as b2
import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, StateMonitor, Synapses, ms

b2.prefs.codegen.target = "numpy"
STEP = 100_000  # ticks
DURATION = 6_000  # steps
PRE, POST = 4, 3
SAMPLES = list(range(500, DURATION, 500)) + [DURATION - 1]
CASES = {
    "additive": dict(tau_plus=20, tau_minus=20, lamda=0.01, alpha=1.05, mu_plus=0, mu_minus=0, nearest=0),
    "power": dict(tau_plus=15, tau_minus=34, lamda=0.05, alpha=1, mu_plus=0.4, mu_minus=0.4, nearest=0),
    "multiplicative": dict(tau_plus=20, tau_minus=20, lamda=0.05, alpha=1, mu_plus=1, mu_minus=1, nearest=0),
    "bounded": dict(tau_plus=25, tau_minus=10, lamda=0.3, alpha=1.2, mu_plus=0, mu_minus=0, nearest=0),
    "nearest": dict(tau_plus=17, tau_minus=34, lamda=0.03, alpha=0.6, mu_plus=0, mu_minus=1, nearest=1),
}


def data():
    """Trains in steps, and delays in steps, without ties at any synapse in either way of counting."""
    rng = random.Random(7)
    delays = [[rng.choice((1, 3, 10, 15, 42, 200)) for _ in range(POST)] for _ in range(PRE)]
    pre = [sorted(rng.sample(range(20, DURATION - 500), rng.randint(15, 30))) for _ in range(PRE)]
    post = [sorted(rng.sample(range(20, DURATION - 500), rng.randint(15, 30))) for _ in range(POST)]
    for i in range(PRE):
        for j in range(POST):
            post[j] = [s for s in post[j] if s + delays[i][j] not in pre[i]]
    return delays, pre, post


def simulate(p, way, delays, pre, post):
    b2.start_scope()
    b2.defaultclock.dt = 0.1 * ms

    def source(trains):
        pairs = [(k, t) for k, train in enumerate(trains) for t in train]
        return SpikeGeneratorGroup(len(trains), [k for k, _ in pairs], [t * 0.1 for _, t in pairs] * ms)

    before, after = source(pre), source(post)
    heard = NeuronGroup(POST, "g : 1")
    synapses = Synapses(before, after, """
        w : 1
        sent : 1
        dx/dt = -x / (tau_plus*ms) : 1 (event-driven)
        dy/dt = -y / (tau_minus*ms) : 1 (event-driven)""",
        on_pre="""
        w = clip(w - alpha*lamda*w**mu_minus*y, 0, 1)
        x = 1 + x*(1 - nearest)
        sent += w""",
        on_post="""
        w = clip(w + lamda*(1 - w)**mu_plus*x, 0, 1)
        y = 1 + y*(1 - nearest)""",
        namespace=p, method="exact")
    synapses.connect()
    d = np.array([delays[i][j] for i, j in zip(synapses.i[:], synapses.j[:])]) * 0.1
    synapses.pre.delay = (0 if way == "post" else 1) * d * ms
    synapses.post.delay = (1 if way == "post" else 2) * d * ms
    synapses.w = 0.5
    monitor = StateMonitor(synapses, "w", record=True, when="start")
    Network(before, after, heard, synapses, monitor).run(DURATION * 0.1 * ms)
    return synapses.i[:], synapses.j[:], monitor.w, synapses.sent[:]


def main():
    delays, pre, post = data()
    for side, trains in (("pre", pre), ("post", post)):
        for k, train in enumerate(trains):
            for t in train:
                print(f"spike,{side},{k},{t * STEP}")
    for i in range(PRE):
        for j in range(POST):
            print(f"delay,{i},{j},{delays[i][j] * STEP}")
    for name, p in CASES.items():
        for key, value in p.items():
            print(f"case,{name},{key.replace('lamda', 'lambda')},{value}")
        for way in ("post", "both"):
            sources, targets, w, sent = simulate(p, way, delays, pre, post)
            for i, j, train in zip(sources, targets, w):
                for t in SAMPLES:
                    print(f"weight,{name},{way},{i},{j},{t * STEP},{train[t]:.12g}")
            if way == "both":
                for j in range(POST):
                    print(f"sent,{name},{j},{sum(s for s, k in zip(sent, targets) if k == j):.12g}")


main()
