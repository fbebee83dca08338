"""The Brunel network in Brian2, C++ standalone: brian_brunel.py delta|exp MILLISECONDS THREADS FOLDER; prints JSON."""
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
for first, count, indegree, factor in ((0, 10000, 1000, 1), (10000, 2500, 250, -5)):
    s = Synapses(neurons[first:first + count], neurons, namespace={"w": factor * jump}, on_pre=f"{variable}_post += w{after}", delay=1.5 * ms)
    s.connect(i=rng.integers(0, count, 12500 * indegree), j=np.repeat(np.arange(12500), indegree))
    projections.append(s)
drive = PoissonInput(neurons, variable, 1000, 20 * Hz, jump)
spikes = SpikeMonitor(neurons, record=False)
Network(neurons, drive, spikes, *projections).run(duration * ms)
print(json.dumps({"seconds_per_second": device._last_run_time / duration * 1e3,
                  "rate": spikes.num_spikes / 12500 / duration * 1e3}))
