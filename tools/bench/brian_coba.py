"""networks/coba in Brian2, C++ standalone: brian_coba.py MILLISECONDS THREADS FOLDER [DT_MS [METHOD]]; prints JSON."""
import json, logging, sys, tempfile

logging.disable(logging.WARNING)
import numpy as np
from brian2 import *

duration, threads, folder = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
step, method = float(sys.argv[4]) if len(sys.argv) > 4 else 0.1, sys.argv[5] if len(sys.argv) > 5 else "exponential_euler"
set_device("cpp_standalone", directory=tempfile.mkdtemp(dir=folder), build_on_run=True)
prefs.devices.cpp_standalone.openmp_threads = threads
defaultclock.dt = step * ms
neurons = NeuronGroup(4000, """
    dv/dt = (10*nS*(-60*mV - v) + ge*(0*mV - v) + gi*(-80*mV - v)) / (200*pF) : volt (unless refractory)
    dge/dt = -ge/(5*ms) : siemens
    dgi/dt = -gi/(10*ms) : siemens""", threshold="v >= -50*mV", reset="v = -60*mV", refractory=5 * ms, method=method)
rng = np.random.default_rng(1)
neurons.v = rng.uniform(-60, -50, 4000) * mV
objects = []
for first, last, variable, weight in ((0, 3200, "ge", 6), (3200, 4000, "gi", 67)):
    s = Synapses(neurons[first:last], neurons, on_pre=f"{variable}_post += {weight}*nS", delay=0.1 * ms)
    i, j = np.nonzero(rng.random((last - first, 4000)) < 0.02)
    s.connect(i=i, j=j)
    objects.append(s)
begin = PoissonGroup(4000, rates="300*Hz*int(t < 50*ms)")
start = Synapses(begin, neurons, on_pre="ge_post += 6*nS")
start.connect(j="i")
spikes = SpikeMonitor(neurons, record=False)
Network(neurons, begin, start, spikes, *objects).run(duration * ms)
print(json.dumps({"seconds_per_second": device._last_run_time / duration * 1e3, "rate": spikes.num_spikes / 4000 / duration * 1e3}))
