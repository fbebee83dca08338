"""What `spinet validate` says of memory against what runs take; networks that fit nowhere; many populations.

usage: memory.py SPINET NETWORKS [all]     all: the large shipped networks and the largest extremes, too
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
TOO_LOW, TOO_HIGH = 0.2, 0.3  # arrays are counted in huge pages, of which the kernel does not give all
failures = []


def measured(words, folder):
    """Exit code, output, peak bytes (no fewer than this script's own: it stays small) and CPU seconds of a process."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([SPINET, *words], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        seconds = usage.ru_utime + usage.ru_stime
        return child.returncode, out.read().decode(), usage.ru_maxrss * 1024, seconds


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
    line = f"said {said / 1e6:8.1f} MB, took {peak / 1e6:8.1f} MB: {said / peak - 1:+.0%}"
    print(f"{name:32} {line}  ({seconds:.1f} s)", flush=True)
    if not -TOO_LOW <= said / peak - 1 <= TOO_HIGH:
        failures.append(f"{name}: {line}")
    return peak


def network(populations, projections=(), record="", duration="100 ms"):
    lines = ["spinet: 1", f"duration: {duration}", "populations:"]
    for title, some in ((None, populations), ("projections:", projections)):
        some = [some] if isinstance(some, str) else some
        lines += ([title] if title and some else []) + [f"  {x}" for x in some]
    return "\n".join(lines + ([f"record: {record}"] if record else [])) + "\n"


def driven(size, name="exc"):
    return f"{name}: {{model: lif_exp, size: {size}, params: {{I_dc: 500 pA, t_ref: 2 ms}}}}"


def noise(size, rate, name="noise"):
    return f"{name}: {{model: poisson, size: {size}, params: {{rate: {rate}}}}}"


def wires(connect, weight="1 pA", delay="1.5 ms", model="static", source="exc", target="exc", name="p"):
    weight = f"weight: {weight}, " if weight else ""
    return (f"{name}: {{from: {source}, to: {target}, connect: {connect}, "
            f"synapse: {{model: {model}, {weight}delay: {delay}}}}}")


def indegree(n):
    return f"{{fixed_indegree: {n}}}"


def large_in_neurons_and_synapses():
    uniform = "{uniform: {low: 1 %s, high: %d %s}}"
    return {
        "one neuron": network("a: {model: lif_exp, size: 1}"),
        "many neurons": network(f"a: {{model: lif_exp, size: {3000000 if ALL else 400000}}}", duration="10 ms"),
        "thresholds that differ": network(
            "a: {model: adex, size: 300000, params: {v_th: {normal: {mean: -50 mV, sd: 1 mV}}}}", duration="1 ms"),
        "many synapses of one weight": network(driven(4000), wires(indegree(4000)), duration="20 ms"),
        "many weights and delays": network(driven(2000), wires(indegree(2000), uniform % ("pA", 2, "pA"),
                                                               uniform % ("ms", 5, "ms")), duration="20 ms"),
        "plastic synapses": network(driven(1500), wires(indegree(1500), "0.1 pA", model="stdp"),
                                    duration="50 ms"),
        "devices": network(driven(600), wires(indegree(600), None, model="spin_valve"), duration="20 ms"),
        "long delays, few events": network(driven(300), wires(
            indegree(300), delay="{lognormal: {median: 1.5 ms, sigma: 3}}")),
        "arrivals far ahead": network([noise(3000, "20 Hz"), driven(3000)], wires(
            indegree(100), delay="{exponential: {mean: 1 s}}", source="noise"), duration="10 s" if ALL else "2 s"),
    }


def many_and_recorded(folder):
    many = range(3000)
    spikes = 3000 if ALL else 600  # of a thousand neurons
    with open(os.path.join(folder, "spikes.csv"), "w") as f:
        f.write("neuron,time\n")
        for t in range(spikes):
            f.write("".join(f"{i},{t}.5\n" for i in range(1000)))
    return {
        "many populations": network([f"p{i}: {{model: lif_exp, size: 2}}" for i in many]),
        "many recordings": network([driven(2, f"p{i}") for i in many], record="{spikes: all}"),
        "weights recorded": network(driven(800), wires(indegree(500), "0.1 pA", model="stdp"),
                                    duration="50 ms", record="{weights: [{projection: p, every: 10 ms}], edges: [p]}"),
        "weights on change": network([noise(100, "50 Hz"), driven(100)],
                                     wires("all_to_all", "1 pA", model="stdp", source="noise"),
                                     record="{weights: [{projection: p, on_change: true}]}", duration="5 s"),
        "weights that all change at once": network(
            driven(1000), wires(indegree(700), "10 pA", model="stdp"),
            record="{weights: [{projection: p, on_change: true}]}", duration="10 ms"),
        "many recordings, no spikes": network([f"p{i}: {{model: lif_exp, size: 1}}" for i in many],
                                              record="{spikes: all}", duration="10 ms"),
        "drives one to one": network([noise(10, "1 kHz", f"n{i}") for i in range(300)] +
                                     [f"p{i}: {{model: lif_exp, size: 10}}" for i in range(300)],
                                     [wires("one_to_one", delay=f"{1 + i / 10} ms", source=f"n{i}",
                                            target=f"p{i}", name=f"d{i}") for i in range(300)]),
        "drives onto the same": network(
            [noise(10, "1 kHz", f"n{i}") for i in range(500)] + [driven(10)],
            [wires("one_to_one", source=f"n{i}", name=f"d{i}") for i in range(500)]),
        "spikes of a file": network(["list: {model: spike_source, size: 1000, spikes: spikes.csv}",
                                     driven(1000)], wires("one_to_one", source="list"), duration=f"{spikes} ms"),
        "one wide report": network(driven(20000),
                                   record="{reports: [{population: exc, variable: V, every: 1 ms}]}"),
        "many frames": network("a: {model: lif_exp, size: 1}", duration="36 s",
                               record="{reports: [{population: a, variable: V, every: 10 us}]}"),
    }


def shipped():
    small = ["two_neurons/two_neurons", "stdp_pair/stdp_pair", "rstdp_conditioning/rstdp_conditioning",
             "spin_valve_pulses/spin_valve_pulses", "spin_valve_field/spin_valve_field",
             "actor_critic_xor/reference", "actor_critic_xor/device", "parity_3/parity_3"]
    medium = ["brunel/delta", "coba/coba"]
    large = ["brunel/exp", "brunel/stdp", "cuba/cuba", "microcircuit/microcircuit"] if ALL else []
    for name in small + medium + large:
        shorter = [] if name in small else ["--duration", "200ms"]
        yield name, [os.path.join(NETWORKS, name + ".yaml"), *shorter]


def write(folder, name, text):
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


def fits_nowhere(folder):
    """Refused before anything is taken, on all ranks alike; read, estimated and dry-run all the same."""
    path = write(folder, "huge", network("a: {model: lif_delta, size: 1000000}",
                                         wires(indegree(2000000), "0.1 mV", source="a", target="a")))
    code, text, _, _ = measured(["validate", path], folder)
    assert code == 0 and "it does not fit; from" in text and "a rank" in text, text
    starts = [[SPINET, "run", path]]
    if HAS_MPI:
        mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2"]
        starts += [[SPINET, "run", path, "-n", "2"], [*mpirun, SPINET, "run", path]]
    for start in starts:
        r = subprocess.run(start, cwd=folder, text=True, capture_output=True, timeout=100)
        assert r.returncode == 2 and r.stderr.count("does not fit") == 1, (start, r.returncode, r.stderr)
        assert "projection p" in r.stderr and os.listdir(folder) == ["huge.yaml"], r.stderr
    for ranks in ("1", "4"):
        code, text, peak, _ = measured(["run", "--dry-run", "--ranks", ranks, path], folder)
        assert code == 0 and "have not been built" in text and peak < 500e6, (text, peak)
    os.remove(path)


def many_populations(folder):
    text = network([driven(5, f"p{i}") for i in range(4000)], record="{spikes: all}")
    path = write(folder, "recorded", text)
    peak = compare("4,000 recorded populations", [path], folder)
    assert peak < 300e6, peak
    populations = [f"p{i}: {{model: lif_exp, size: 2}}" for i in range(100_000)]
    path = write(folder, "populations", network(populations, [
        wires("one_to_one", source=f"p{i}", target=f"p{i + 1}", name=f"c{i}")
        for i in range(0, 100_000, 10)]))
    code, text, peak, seconds = measured(["validate", path], folder)
    print(f"100,000 populations: read in {seconds:.1f} s of CPU time, {peak / 1e6:.0f} MB")
    assert code == 0 and seconds < 10, (text, seconds)


def main():
    begin = time.time()
    with tempfile.TemporaryDirectory(prefix="spinet-memory-") as folder:
        fits_nowhere(folder)
        for name, text in {**large_in_neurons_and_synapses(), **many_and_recorded(folder)}.items():
            compare(name, [write(folder, "n", text)], folder)
        for name, words in shipped():
            compare(name, words, folder)
        many_populations(folder)
    print(f"{time.time() - begin:.0f} s")
    assert not failures, "\n" + "\n".join(failures)


if __name__ == "__main__":
    main()
