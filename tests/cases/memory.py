"""What `spinet validate` says of memory against what runs take; networks that fit nowhere; many populations; many frames.

usage: memory.py SPINET NETWORKS [all]     all: the large shipped networks, too
"""
import os
import re
import subprocess
import sys
import tempfile
import time

SPINET, NETWORKS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ALL = "all" in sys.argv[3:]
HAS_MPI = "MPI no" not in subprocess.run([SPINET, "version"], text=True, capture_output=True).stdout
UNITS = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15}
WITHIN = 0.2
failures = []


def measured(words, folder):
    """Exit code, output, peak bytes and CPU seconds of a process."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([SPINET, *words], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return child.returncode, out.read().decode(), usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def estimate(words, folder):
    code, text, _, _ = measured(["validate", *words], folder)
    assert code == 0, text
    found = re.search(r"memory +about ([\d.]+) (\w+) on one rank", text)
    assert found, text
    return float(found[1]) * UNITS[found[2]]


def compare(name, words, folder):
    """The peak of a run, held against what validate says."""
    said = estimate(words, folder)
    log = os.path.join(folder, "compare.h5")
    code, text, peak, seconds = measured(["run", *words, "-o", log, "--force", "--quiet"], folder)
    assert code == 0, text
    os.remove(log)
    print(f"{name:32} said {said / 1e6:8.1f} MB, took {peak / 1e6:8.1f} MB: {said / peak - 1:+.0%}  ({seconds:.1f} s)", flush=True)
    if abs(said / peak - 1) > WITHIN:
        failures.append(f"{name}: said {said / 1e6:.1f} MB, took {peak / 1e6:.1f} MB")
    return peak


DRIVEN = "exc: {model: lif_exp, size: %d, params: {I_dc: 500 pA, t_ref: 2 ms}}"


def network(populations, projections="", record="", duration="100 ms", more=""):
    text = f"spinet: 1\nduration: {duration}\n{more}populations:\n"
    text += "".join(f"  {p}\n" for p in ([populations] if isinstance(populations, str) else populations))
    if projections:
        text += "projections:\n" + "".join(f"  {p}\n" for p in ([projections] if isinstance(projections, str) else projections))
    return text + (f"record: {record}\n" if record else "")


def syn(weight="1 pA", delay="1.5 ms", model="static"):
    return f"synapse: {{model: {model}, weight: {weight}, delay: {delay}}}"


def extremes():
    """Networks that are large in one thing each."""
    many = range(3000)
    return {
        "tiny": network("a: {model: lif_exp, size: 1}"),
        "many neurons": network("a: {model: lif_exp, size: 400000}", duration="10 ms"),
        "many synapses of one weight": network(DRIVEN % 4000, "p: {from: exc, to: exc, connect: {fixed_indegree: 4000}, " + syn() + "}", duration="20 ms"),
        "many weights and delays": network(DRIVEN % 2000, "p: {from: exc, to: exc, connect: {fixed_indegree: 2000}, " +
                                           syn("{uniform: {low: 1 pA, high: 2 pA}}", "{uniform: {low: 1 ms, high: 5 ms}}") + "}", duration="20 ms"),
        "many populations": network([f"p{i}: {{model: lif_exp, size: 2}}" for i in many]),
        "many recordings": network([f"p{i}: {{model: lif_exp, size: 2, params: {{I_dc: 500 pA}}}}" for i in many], record="{spikes: [%s]}" % ", ".join(f"p{i}" for i in many)),
        "long delays": network(DRIVEN % 300, "p: {from: exc, to: exc, connect: {fixed_indegree: 300}, " + syn(delay="{lognormal: {median: 1.5 ms, sigma: 3}}") + "}"),
        "plastic synapses": network(DRIVEN % 1500, "p: {from: exc, to: exc, connect: {fixed_indegree: 1500}, " + syn("0.1 pA", model="stdp") + "}", duration="50 ms"),
        "devices": network(DRIVEN % 600, "p: {from: exc, to: exc, connect: {fixed_indegree: 600}, synapse: {model: spin_valve, delay: 1.5 ms}}", duration="20 ms"),
        "weights recorded": network(DRIVEN % 800, "p: {from: exc, to: exc, connect: {fixed_indegree: 500}, " + syn("0.1 pA", model="stdp") + "}",
                                    record="{weights: [{projection: p, every: 10 ms}], edges: [p]}", duration="50 ms"),
        "drives one to one": network([f"n{i}: {{model: poisson, size: 10, params: {{rate: 1 kHz}}}}" for i in range(300)] +
                                     [f"p{i}: {{model: lif_exp, size: 10}}" for i in range(300)],
                                     [f"d{i}: {{from: n{i}, to: p{i}, connect: one_to_one, {syn(delay=f'{1 + i / 10} ms')}}}" for i in range(300)]),
        "one wide report": network(DRIVEN % 20000, record="{reports: [{population: exc, variable: V, every: 1 ms}]}"),
    }


def shipped():
    small = ["two_neurons/two_neurons.yaml", "stdp_pair/stdp_pair.yaml", "rstdp_conditioning/rstdp_conditioning.yaml", "spin_valve_pulses/spin_valve_pulses.yaml",
             "spin_valve_field/spin_valve_field.yaml", "actor_critic_xor/reference.yaml", "actor_critic_xor/device.yaml", "parity_3/parity_3.yaml"]
    large = ["brunel/delta.yaml", "brunel/exp.yaml", "brunel/stdp.yaml", "coba/coba.yaml", "cuba/cuba.yaml", "microcircuit/microcircuit.yaml",
             "actor_critic_xor/text_faithful.yaml"]
    return small + (large if ALL else ["brunel/delta.yaml", "coba/coba.yaml"])


def write(folder, name, text):
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def fits_nowhere(folder):
    """Refused before anything is taken, on all ranks alike; read, estimated and dry-run all the same."""
    path = write(folder, "huge", network("a: {model: lif_delta, size: 1000000}", "p: {from: a, to: a, connect: {fixed_indegree: 2000000}, " + syn("0.1 mV") + "}"))
    code, text, _, _ = measured(["validate", path], folder)
    assert code == 0 and "it does not fit; from" in text and "a rank" in text, text
    starts = [[SPINET, "run", path]]
    if HAS_MPI:
        starts += [[SPINET, "run", path, "-n", "2"], ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2", SPINET, "run", path]]
    for start in starts:
        r = subprocess.run(start, cwd=folder, text=True, capture_output=True, timeout=100)
        assert r.returncode == 2 and r.stderr.count("does not fit") == 1 and "projection p" in r.stderr, (start, r.returncode, r.stderr)
        assert sorted(os.listdir(folder)) == ["huge.yaml"], os.listdir(folder)
    for ranks in ("1", "4"):
        code, text, peak, _ = measured(["run", "--dry-run", "--ranks", ranks, path], folder)
        assert code == 0 and "have not been built" in text and peak < 500e6, (text, peak)
    os.remove(path)


def many_populations(folder):
    names = [f"p{i}" for i in range(4000)]
    path = write(folder, "recorded", network([f"{n}: {{model: lif_exp, size: 5, params: {{I_dc: 500 pA}}}}" for n in names], record="{spikes: [%s]}" % ", ".join(names), duration="1 s"))
    code, text, peak, seconds = measured(["run", path, "--quiet"], folder)
    print(f"4,000 recorded populations: {peak / 1e6:.0f} MB, {seconds:.1f} s")
    assert code == 0 and peak < 300e6, (text, peak)
    text = network([f"p{i}: {{model: lif_exp, size: 2}}" for i in range(100_000)], [f"c{i}: {{from: p{i}, to: p{i + 1}, connect: one_to_one, {syn()}}}" for i in range(0, 100_000, 10)])
    path = write(folder, "populations", text)
    code, text, peak, seconds = measured(["validate", path], folder)
    print(f"100,000 populations: read in {seconds:.1f} s of CPU time, {peak / 1e6:.0f} MB")
    assert code == 0 and seconds < 10, (text, seconds)


def many_frames(folder):
    """36 million frames are not a list made before the run; a tenth of them shows it."""
    path = write(folder, "frames", network("a: {model: lif_exp, size: 1}", record="{reports: [{population: a, variable: V, every: 10 us}]}", duration="36 s"))
    peak = compare("3.6 million frames", [path], folder)
    assert peak < 120e6, peak


def main():
    begin = time.time()
    with tempfile.TemporaryDirectory(prefix="spinet-memory-") as folder:
        fits_nowhere(folder)
        for name, text in extremes().items():
            compare(name, [write(folder, "n", text)], folder)
        for name in shipped():
            compare(name, [os.path.join(NETWORKS, name), "--duration", "1s" if ALL else "200ms"] if "brunel" in name or "coba" in name or "cuba" in name or "micro" in name
                    else [os.path.join(NETWORKS, name)], folder)
        many_frames(folder)
        many_populations(folder)
    print(f"{time.time() - begin:.0f} s")
    assert not failures, "\n" + "\n".join(failures)


main()
