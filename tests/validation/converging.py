"""Brian2's spike times as dt goes to 0 against a reference of more digits: what the scripts beside share."""


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
