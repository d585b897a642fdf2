"""Layers with options, as PyTorch builds, prints and computes them: once in evaluation and twice in training.

    /usr/bin/python3 scripts/referenceLayers.py property-tests/models/golden/layers.json
"""

import json
import sys

import torch
from torch import nn

image = [2, 4, 3, 6]
layers = {
    "batchNorm2d": (nn.BatchNorm2d(4, eps=1e-3, momentum=0.3), image),
    "batchNorm2d/noAffine": (nn.BatchNorm2d(4, affine=False), image),
    "batchNorm2d/untracked": (nn.BatchNorm2d(4, track_running_stats=False), image),
    "batchNorm2d/bare": (nn.BatchNorm2d(4, affine=False, track_running_stats=False), image),
    "batchNorm2d/cumulative": (nn.BatchNorm2d(4, momentum=None, affine=False), image),
    "groupNorm/noAffine": (nn.GroupNorm(2, 4, affine=False), image),
    "layerNorm/noAffine": (nn.LayerNorm(6, elementwise_affine=False), image),
    "conv2d/reflect": (nn.Conv2d(4, 2, 3, padding=(2, 1), padding_mode="reflect"), image),
    "conv2d/replicate": (nn.Conv2d(4, 6, 3, stride=2, padding=2, groups=2, bias=False, padding_mode="replicate"), image),
    "conv2d/circularSame": (nn.Conv2d(4, 2, (2, 3), padding="same", dilation=(1, 2), padding_mode="circular"), image),
    "linear/noBias": (nn.Linear(6, 2, bias=False), image),
    "adaptiveAvgPool2d/height": (nn.AdaptiveAvgPool2d((None, 4)), image),
    "adaptiveMaxPool2d/width": (nn.AdaptiveMaxPool2d((2, None)), image),
    "adaptiveAvgPool2d/both": (nn.AdaptiveAvgPool2d((None, None)), image),
    "embedding/padding": (nn.Embedding(4, 3, padding_idx=-2), [2, 3]),
    "flatten/inner": (nn.Flatten(1, 2), image),
    "flatten/all": (nn.Flatten(0), image),
    "elu/inplace": (nn.ELU(0.5, inplace=True), image),
    "leakyRelu/inplace": (nn.LeakyReLU(0.2, inplace=True), image),
    "silu/inplace": (nn.SiLU(inplace=True), image),
    "dropout/inplace": (nn.Dropout(0.0, inplace=True), image),
}
generator = torch.Generator().manual_seed(6)
normal = lambda shape: (torch.randn(shape, generator=generator, dtype=torch.float64) * 100).round() / 100
numbers = lambda t: {"shape": list(t.shape), "data": [float(f"{v:.7g}") for v in t.detach().double().flatten()]}
found = {}
for name, (layer, shape) in layers.items():
    layer = layer.double()
    table = isinstance(layer, nn.Embedding)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(normal(p.shape))
    whole = lambda: torch.randint(0, 4, shape, generator=generator).double()
    xs = [whole() if table else normal(shape) * 2 + 1 for _ in range(3)]
    call = lambda x: layer(x.long()) if table else layer(x.clone())
    case = {"printed": str(layer), "state": {n: numbers(t) for n, t in layer.state_dict().items()}}
    case |= {"inputs": [numbers(x) for x in xs], "parameters": sum(p.numel() for p in layer.parameters())}
    case["training"] = [numbers(call(x)) for x in xs[:2]]
    if table:
        # of the sum of what is looked up
        call(xs[2]).sum().backward()
        case["gradient"] = numbers(layer.weight.grad)
    case["after"] = {n: numbers(t) for n, t in layer.state_dict().items()}
    case["evaluated"] = numbers(layer.eval()(xs[2].long() if table else xs[2].clone()))
    found[name] = case
with open(sys.argv[1], "w") as f:
    json.dump(found, f)
    f.write("\n")
