#!/usr/bin/env python3
"""The work of layers_epoch in PyTorch (Debian: python3-torch), on one thread: torch_epoch.py [relu|set2] [images].

Prints seconds, and seconds of the processor, for 60,000 images. Images of noise, batches of 64; curves as one would write them: two exponentials of the
input for all sixteen, stacked, and a linear read-out."""
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)


class Em(nn.Module):
    def __init__(self, curves=16):
        super().__init__()
        k = torch.arange(curves, dtype=torch.float32)
        self.constant, self.parts = 0.01 * k, torch.stack([0.5 - 0.05 * k, -0.4 + 0.05 * k])
        self.read_out = nn.Linear(curves, 1)

    def forward(self, x):
        n = 3 * x.reshape(-1)
        curves = torch.addmm(self.constant, torch.stack([torch.exp(-n / 4), torch.exp(-n / 25)], 1), self.parts)
        return self.read_out(curves).reshape(x.shape)


def net(answer):
    return nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 6, 5), answer(), nn.AvgPool2d(2),
                         nn.BatchNorm2d(6), nn.Conv2d(6, 16, 5), answer(), nn.AvgPool2d(2), nn.Flatten(),
                         nn.BatchNorm1d(256), nn.Linear(256, 120), answer(),
                         nn.BatchNorm1d(120), nn.Linear(120, 84), answer(), nn.BatchNorm1d(84), nn.Linear(84, 10))


kind, images = sys.argv[1] if len(sys.argv) > 1 else "set2", int(sys.argv[2]) if len(sys.argv) > 2 else 60000
model = net(nn.ReLU if kind == "relu" else Em)
adam, loss_of = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()
x, y = torch.rand(64, 1, 28, 28).repeat(1, 3, 1, 1), torch.arange(64) % 10


def steps(count):
    for _ in range(count):
        adam.zero_grad()
        loss_of(model(x), y).backward()
        adam.step()


steps(2)
count = (images + 63) // 64
before, busy = time.perf_counter(), time.process_time()
steps(count)
each = 60000 / (64 * count)
print(f"{(time.perf_counter() - before) * each:.3f} {(time.process_time() - busy) * each:.3f}")
