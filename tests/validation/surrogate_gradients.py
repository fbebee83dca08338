#!/usr/bin/env python3
"""Gradients of small spiking networks with surrogate derivatives, for tests/unit/layers.cpp: prints a table.

  tests/validation/surrogate_gradients.py > tests/validation/surrogate_gradients.csv

Forwards: beside each number its derivatives with respect to all parameters, step by step; no backpropagation.
In a step a current fades and takes the input, a potential leaks and takes the current; at the threshold or above
there is a spike (with a soft reset as many as it is times the threshold), whose derivative is the surrogate's, and then a reset, which counts as given. 6 -> 5 -> 4 -> 3
neurons, the last ones linear and added up over 7 steps; cross entropy, mean of 3 images.
"""
import numpy as np

SIZES, STEPS, IMAGES = [6, 5, 4, 3], 7, 3
BETA, ALPHA, THRESHOLD, SLOPE = 0.8, 0.4, 0.9, 2.5


class Number:
    """Values and, in the last axis of `d`, their derivatives."""

    def __init__(self, v, d):
        self.v, self.d = v, d

    def __add__(self, o):
        return Number(self.v + o.v, self.d + o.d)

    def times(self, f):
        return Number(self.v * f, self.d * np.asarray(f)[..., None])


def parameters():
    """Biases and weights layer by layer, weights [target][source]."""
    count = sum(n * (1 + m) for m, n in zip(SIZES, SIZES[1:]))
    p = np.array([0.5 * np.sin(1.7 * i + 0.3) + 0.08 for i in range(count)])
    at, layers = 0, []
    for m, n in zip(SIZES, SIZES[1:]):
        b = Number(p[at:at + n], np.eye(count)[at:at + n])
        at += n
        w = Number(p[at:at + n * m].reshape(n, m), np.eye(count)[at:at + n * m].reshape(n, m, count))
        at += n * m
        layers.append((b, w))
    return layers, count


def weigh(b, w, x):
    return Number(w.v @ x.v + b.v, np.einsum("ijp,j->ip", w.d, x.v) + w.v @ x.d + b.d)


def surrogate(kind, u):
    v = SLOPE * (u / THRESHOLD - 1)
    return (1 / (1 + abs(v)) ** 2 if kind == "fast_sigmoid" else 1 / (1 + v ** 2)) / THRESHOLD


def run(kind, soft, fade):
    layers, count = parameters()
    total, spikes = np.zeros(count), 0
    for image in range(IMAGES):
        x0 = np.array([0.5 + 0.5 * np.cos(2.1 * (image * SIZES[0] + i)) for i in range(SIZES[0])])
        state = [(Number(np.zeros(n), np.zeros((n, count))),) * 2 for n in SIZES[1:-1]]
        out = Number(np.zeros(3), np.zeros((3, count)))
        for _ in range(STEPS):
            x = Number(x0, np.zeros((SIZES[0], count)))
            for i, (b, w) in enumerate(layers):
                x = weigh(b, w, x)
                if i == len(layers) - 1:
                    out = out + x
                    continue
                current, left = state[i]
                current = current.times(np.full(len(x.v), fade)) + x
                u = left.times(np.full(len(x.v), BETA)) + current
                s = (u.v >= THRESHOLD).astype(float)
                if soft:  # what is left may be enough for more spikes
                    s *= np.floor(u.v / THRESHOLD)
                spikes += s.sum()
                left = Number(u.v - THRESHOLD * s, u.d) if soft else u.times(1 - s)
                state[i] = current, left
                x = Number(s, u.d * surrogate(kind, u.v)[:, None])
        p = np.exp(out.v) / np.exp(out.v).sum()
        p[image % 3] -= 1
        total += p @ out.d / IMAGES
    return total, spikes


print("# made by surrogate_gradients.py: surrogate, soft reset, synaptic decay, spikes, gradient of each parameter")
for kind in ("fast_sigmoid", "arctan"):
    for soft in (0, 1):
        for fade in (0, ALPHA):
            g, spikes = run(kind, soft, fade)
            print(",".join([kind, str(soft), str(fade), str(int(spikes))] + [repr(float(x)) for x in g]))
