"""A network with a convolution and a batch norm that stand in it twice, as PyTorch trains it.

    /usr/bin/python3 scripts/referenceSharing.py property-tests/models/golden/sharing.json
"""

import json
import sys

import torch
from torch import nn

torch.manual_seed(4)
conv, norm = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2)
net = nn.Sequential(conv, norm, nn.ReLU(), conv, norm, nn.Flatten(), nn.Linear(2 * 4 * 3, 3)).double()
with torch.no_grad():
    for p in net.parameters():
        p.copy_(torch.randn(p.shape).double().div(2).float())
names = ["conv.weight", "conv.bias", "norm.weight", "norm.bias", "fc.weight", "fc.bias"]
params = dict(zip(names, net.parameters()))
x = torch.randn(3, 2, 4, 3).double().float().double()
numbers = lambda t: {"shape": list(t.shape), "data": t.detach().flatten().tolist()}
found = {"input": numbers(x), "params": {n: numbers(p) for n, p in params.items()}}
loss = nn.functional.cross_entropy(net.train()(x), torch.tensor([0, 2, 1]))
loss.backward()
found["loss"] = loss.item()
found["gradients"] = {n: numbers(p.grad) for n, p in params.items()}
found["buffers"] = {f"norm.{n}": numbers(b.double()) for n, b in norm.named_buffers()}
found["logits"] = numbers(net.eval()(x))
with open(sys.argv[1], "w") as f:
    json.dump(found, f)
    f.write("\n")
