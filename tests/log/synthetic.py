"""The synthetic data of fixture.cpp, computed independently."""
import numpy as np

WINDOW = 1000
EXC, INH = 100, 25


def mix(x):
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def spikes(windows, per_window):
    """(ticks, gids) of windows 0 .. windows - 1, sorted by (tick, gid), without repeats."""
    x = mix(np.arange(windows * per_window, dtype=np.uint64))
    ticks = (np.arange(windows * per_window) // per_window) * WINDOW + (x % np.uint64(WINDOW)).astype(np.int64)
    gids = ((x >> np.uint64(32)) % np.uint64(EXC + INH)).astype(np.int64)
    both = np.unique(ticks * 1024 + gids)
    return both // 1024, both % 1024


def population(windows, per_window, first, size):
    """(ticks, node ids) of the population of gids first .. first + size - 1."""
    ticks, gids = spikes(windows, per_window)
    mine = (gids >= first) & (gids < first + size)
    return ticks[mine], gids[mine] - first


def frames(report, ids, count):
    f = np.arange(count)[:, None] % 4096
    return (np.float32(report * 1000) + np.array(ids, np.float32)[None, :]) + f.astype(np.float32) / np.float32(4096)
