"""Computes the parameters of the reference cases of optimisers anew, with PyTorch in float64.

    /usr/bin/python3 scripts/referenceOptimizers.py property-tests/conformance/golden

From each case's p0 and q0 it applies the case's gradients, and writes p1, q1, p2, q2, ... into tensors.safetensors.
"""

import json
import pathlib
import struct
import sys

import torch

folder = pathlib.Path(sys.argv[1])
cases = json.loads((folder / "cases.json").read_text())["cases"]
data = bytearray((folder / "tensors.safetensors").read_bytes())
(size,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8 : 8 + size])


def place(name):
    begin, end = header[name]["data_offsets"]
    return 8 + size + begin, 8 + size + end


def read(name):
    begin, end = place(name)
    flat = torch.frombuffer(bytes(data[begin:end]), dtype=torch.float32).double()
    return flat.reshape(header[name]["shape"])


def write(name, tensor):
    begin, end = place(name)
    data[begin:end] = tensor.detach().float().contiguous().numpy().tobytes()


makers = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
}
snake = lambda name: "".join("_" + c.lower() if c.isupper() else c for c in name)

for case in cases:
    if case["kind"] != "optimizer":
        continue
    params = [read(f"{case['name']}/{p}0").clone().requires_grad_() for p in case["params"]]
    optimizer = makers[case["optimizer"]](params, **{snake(k): v for k, v in case["attrs"].items()})
    for step in range(1, case["steps"] + 1):
        for name, p in zip(case["params"], params):
            p.grad = read(f"{case['name']}/g{name}{step}")
        optimizer.step()
        for name, p in zip(case["params"], params):
            write(f"{case['name']}/{name}{step}", p)

(folder / "tensors.safetensors").write_bytes(data)
print(f"PyTorch {torch.__version__}")
