"""The Brunel network in Brian2, C++ standalone: brian_brunel.py delta|exp|stdp MILLISECONDS THREADS FOLDER; prints JSON."""
import json, logging, sys, tempfile

logging.disable(logging.WARNING)
import numpy as np
from brian2 import *

variant, duration, threads, folder = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
set_device("cpp_standalone", directory=tempfile.mkdtemp(dir=folder), build_on_run=True)
prefs.devices.cpp_standalone.openmp_threads = threads
defaultclock.dt = 0.1 * ms
if variant == "delta":
    model, variable, jump = "dv/dt = -v/(20*ms) : volt (unless refractory)", "v", 0.1 * mV
    after = " * int(not_refractory_post)"
else:
    model = "dv/dt = -v/(20*ms) + isyn/(250*pF) : volt (unless refractory)\ndisyn/dt = -isyn/(0.5*ms) : amp"
    variable, jump, after = "isyn", 50 * pA, ""
neurons = NeuronGroup(12500, model, threshold="v >= 20*mV", reset="v = 0*mV", refractory=2 * ms, method="exact")
rng = np.random.default_rng(1)
projections = []


def project(first, count, targets, indegree, factor):
    s = Synapses(neurons[first:first + count], neurons[targets.start:targets.stop], namespace={"w": factor * jump},
                 on_pre=f"{variable}_post += w{after}", delay=1.5 * ms)
    return s, rng.integers(0, count, (targets.stop - targets.start) * indegree), np.repeat(np.arange(targets.stop - targets.start), indegree)


def plastic():
    """Exc to exc: pair rule, multiplicative on both sides, w_max 100 pA; the delay on the post pathway, as a dendritic one."""
    s = Synapses(neurons[:10000], neurons[:10000],
                 """w : 1
                    dpre/dt = -pre/(20*ms) : 1 (event-driven)
                    dpost/dt = -post/(20*ms) : 1 (event-driven)""",
                 on_pre={"transmit": f"{variable}_post += w*50*pA", "pre": "pre += 1\nw -= 0.01*w*post"},
                 on_post={"post": "post += 1\nw += 0.01*(2 - w)*pre"},
                 delay={"transmit": 1.5 * ms, "post": 1.5 * ms})
    return s, rng.integers(0, 10000, 10000 * 1000), np.repeat(np.arange(10000), 1000)


def connect(made):
    s, i, j = made
    s.connect(i=i, j=j)
    if hasattr(s, "w") and variant == "stdp" and "w" in s.variables:
        s.w = 1
    projections.append(s)


if variant == "stdp":
    connect(plastic())
    connect(project(0, 10000, slice(10000, 12500), 1000, 1))
    connect(project(10000, 2500, slice(0, 12500), 250, -5))
else:
    connect(project(0, 10000, slice(0, 12500), 1000, 1))
    connect(project(10000, 2500, slice(0, 12500), 250, -5))
drive = PoissonInput(neurons, variable, 1000, 20 * Hz, jump)
spikes = SpikeMonitor(neurons, record=False)
Network(neurons, drive, spikes, *projections).run(duration * ms)
print(json.dumps({"seconds_per_second": device._last_run_time / duration * 1e3,
                  "rate": spikes.num_spikes / 12500 / duration * 1e3}))
