"""Writes a second folder of reference cases, computed by PyTorch: other shapes, options, optimisers and models.

    /usr/bin/python3 scripts/referenceCases.py property-tests/conformance/varied

The form is that of property-tests/conformance/golden/README.md. Ops, optimisers and losses are computed in float64.
"""

import json
import math
import pathlib
import struct
import sys

import numpy
import torch
import torch.nn.functional as F

from referenceModels import model_cases, training_cases

folder = pathlib.Path(sys.argv[1])
generator = torch.Generator().manual_seed(20)
cases = []
tensors = {}
snake = lambda name: "".join("_" + c.lower() if c.isupper() else c for c in name)
snaked = lambda attrs: {snake(k): v for k, v in attrs.items()}


def keep(case, name, tensor):
    tensors[f"{case}/{name}"] = tensor.detach().to(torch.float32).contiguous()


def rounded(tensor):
    """what float32 holds of it, so that PyTorch computes with the numbers that the file has"""
    return tensor.to(torch.float32).to(torch.float64)


def normal(*shape):
    return rounded(torch.randn(shape, generator=generator, dtype=torch.float64))


def between(low, high, *shape):
    return rounded(torch.rand(shape, generator=generator, dtype=torch.float64) * (high - low) + low)


def whole(low, high, *shape):
    return torch.randint(low, high, shape, generator=generator).double()


def op(name, f, inputs, attrs=None, grads=None, tol=2e-4, state=None):
    """one case: `f` of the inputs and of the state, and the gradients of sum(y * dy)"""
    inputs = {n: t.clone() for n, t in inputs.items()}
    grads = [n for n in inputs if n not in ("target", "index")] if grads is None else grads
    case = {"name": name, "kind": "op", "op": name.split("/")[0], "attrs": attrs or {}, "inputs": list(inputs)}
    for n, t in {**inputs, **(state or {})}.items():
        keep(name, n, t)
    held = {n: t.clone() for n, t in (state or {}).items()}
    for n in grads:
        inputs[n].requires_grad_()
    y = f(**inputs, **held)
    keep(name, "y", y)
    case |= {"outputs": ["y"], "grads": grads, "tol": tol, "cotangent": "dy"}
    if grads:
        dy = normal(*y.shape)
        keep(name, "dy", dy)
        for n, g in zip(grads, torch.autograd.grad((y * dy).sum(), [inputs[n] for n in grads])):
            keep(name, f"d{n}", g)
    if state:
        after = {f"new{n[0].upper()}{n[1:]}": t for n, t in held.items()}
        case |= {"state": list(state), "newState": list(after)}
        for n, t in after.items():
            keep(name, n, t)
    cases.append(case)


# ---------- convolutions


def conv(name, shape, weight, bias=True, same=None, **attrs):
    x, w = normal(*shape), normal(*weight) / 3
    inputs = {"x": x, "weight": w} | ({"bias": normal(weight[0])} if bias else {})

    def f(x, weight, bias=None):
        mode, padding = attrs.get("paddingMode", "zeros"), attrs.get("padding", 0)
        rest = dict(stride=attrs.get("stride", 1), dilation=attrs.get("dilation", 1), groups=attrs.get("groups", 1))
        if mode == "zeros":
            return F.conv2d(x, weight, bias, padding=padding, **rest)
        # as nn.Conv2d does: pads first
        module = torch.nn.Conv2d(
            x.shape[-3], weight.shape[0], weight.shape[2:], padding=padding, padding_mode=mode, bias=False, **rest
        ).double()
        return module._conv_forward(x, weight, bias)

    op(f"conv2d/{name}", f, inputs, {k: list(v) if isinstance(v, tuple) else v for k, v in attrs.items()})


conv("same-even", (1, 2, 5, 6), (3, 2, 4, 2), padding="same")
conv("same-dilated", (1, 2, 6, 7), (2, 2, 3, 2), padding="same", dilation=(2, 3))
conv("same-circular", (2, 2, 5, 5), (3, 2, 2, 3), padding="same", paddingMode="circular")
conv("same-reflect-grouped", (1, 4, 6, 5), (4, 2, 3, 4), padding="same", paddingMode="reflect", groups=2)
conv("valid", (2, 3, 6, 5), (4, 3, 3, 2), padding="valid", stride=(2, 1))
conv("valid-replicate", (1, 2, 5, 5), (2, 2, 3, 3), padding="valid", paddingMode="replicate")
conv("stride3-dilated-grouped", (2, 4, 11, 10), (6, 2, 3, 2), stride=(3, 2), padding=(2, 1), dilation=(2, 1), groups=2)
conv("depthwise-multiplier", (2, 3, 7, 7), (6, 1, 3, 3), padding=(1, 1), groups=3, bias=False)
conv("reflect-stride2", (1, 2, 7, 6), (3, 2, 3, 3), padding=(2, 1), paddingMode="reflect", stride=2)
conv("replicate-dilated", (1, 2, 6, 6), (2, 2, 2, 3), padding=(1, 3), paddingMode="replicate", dilation=2)
conv("circular-grouped", (1, 4, 5, 4), (2, 2, 3, 3), padding=(2, 1), paddingMode="circular", groups=2, bias=False)
conv("one-window", (3, 2, 4, 5), (3, 2, 4, 5))
conv("wide-padding", (1, 1, 2, 2), (2, 1, 3, 3), padding=(3, 4))
conv("unbatched", (2, 6, 5), (3, 2, 3, 3), padding=1)


def transposed(name, shape, weight, bias=True, **attrs):
    inputs = {"x": normal(*shape), "weight": normal(*weight) / 3}
    if bias:
        inputs["bias"] = normal(weight[1] * attrs.get("groups", 1))
    f = lambda x, weight, bias=None: F.conv_transpose2d(x, weight, bias, **snaked(attrs))
    op(f"convTranspose2d/{name}", f, inputs, attrs)


transposed("plain", (2, 3, 4, 5), (3, 2, 3, 2))
transposed("grouped", (1, 4, 3, 4), (4, 3, 2, 3), stride=[2, 3], groups=2, bias=False)
transposed("dilated", (1, 2, 4, 3), (2, 3, 3, 2), stride=[3, 2], padding=[2, 1], outputPadding=[2, 1], dilation=[2, 3])
transposed("stride1-padded", (2, 2, 5, 5), (2, 2, 3, 3), padding=[1, 2])
transposed("depthwise", (1, 3, 4, 4), (3, 1, 4, 4), stride=2, padding=1, groups=3)

# ---------- linear and matmul

op("linear/three-dimensional", F.linear, {"x": normal(2, 3, 4), "weight": normal(5, 4), "bias": normal(5)})
op("linear/no-bias", F.linear, {"x": normal(3, 7), "weight": normal(2, 7)})
op("linear/vector", F.linear, {"x": normal(4), "weight": normal(3, 4), "bias": normal(3)})
op("linear/four-dimensional", F.linear, {"x": normal(2, 1, 3, 4), "weight": normal(2, 4), "bias": normal(2)})
for name, a, b in [
    ("vectors", (5,), (5,)),
    ("matrix-vector", (3, 4), (4,)),
    ("vector-matrix", (4,), (4, 3)),
    ("batch-vector", (2, 3, 4), (4,)),
    ("vector-batch", (3,), (2, 3, 4)),
    ("batch-matrix", (2, 3, 4), (4, 5)),
    ("matrix-batch", (3, 4), (2, 4, 2)),
    ("broadcast", (2, 1, 3, 4), (3, 4, 2)),
    ("broadcast-ones", (1, 3, 2), (4, 2, 3)),
    ("four", (2, 3, 2, 5), (2, 3, 5, 2)),
    ("four-one", (2, 3, 2, 5), (1, 1, 5, 2)),
]:
    op(f"matmul/{name}", lambda a, b: torch.matmul(a, b), {"a": normal(*a), "b": normal(*b)}, tol=5e-4)

# ---------- pooling

for name, shape, attrs in [
    ("rectangular", (2, 2, 6, 7), dict(kernelSize=[2, 3], stride=[1, 2])),
    ("padded-overlap", (1, 2, 7, 6), dict(kernelSize=[3, 2], stride=[2, 1], padding=[1, 1])),
    ("ceil", (1, 1, 6, 8), dict(kernelSize=3, stride=2, ceilMode=True)),
    ("ceil-drops-last", (1, 2, 5, 5), dict(kernelSize=[2, 2], stride=[3, 3], padding=[1, 1], ceilMode=True)),
    ("dilated-padded-ceil", (1, 1, 9, 8), dict(kernelSize=3, stride=2, padding=1, dilation=[2, 1], ceilMode=True)),
    ("default-stride", (2, 3, 6, 6), dict(kernelSize=3, stride=None)),
    ("unbatched", (2, 5, 5), dict(kernelSize=2, stride=1)),
]:
    op(f"maxPool2d/{name}", lambda x: F.max_pool2d(x, **snaked(attrs)), {"x": normal(*shape)}, attrs)
ties = dict(kernelSize=[3, 3], stride=[1, 1], padding=[1, 1])
op("maxPool2d/ties", lambda x: F.max_pool2d(x, **snaked(ties)), {"x": whole(0, 2, 1, 2, 5, 5)}, ties)
for name, shape, attrs in [
    ("rectangular", (2, 1, 7, 8), dict(kernelSize=[2, 4], stride=[2, 1])),
    ("padded-ceil", (1, 2, 6, 5), dict(kernelSize=3, stride=2, padding=1, ceilMode=True)),
    ("exclude", (1, 1, 5, 6), dict(kernelSize=[3, 2], padding=[1, 1], countIncludePad=False)),
    ("ceil-exclude-stride3", (1, 1, 8, 7), dict(kernelSize=4, stride=3, padding=2, ceilMode=True, countIncludePad=False)),
    ("divisor", (1, 2, 6, 6), dict(kernelSize=2, stride=2, divisorOverride=3)),
    ("divisor-ceil", (1, 1, 5, 5), dict(kernelSize=3, stride=2, padding=1, ceilMode=True, divisorOverride=7)),
    ("unbatched", (3, 4, 5), dict(kernelSize=[2, 2], stride=None)),
]:
    op(f"avgPool2d/{name}", lambda x: F.avg_pool2d(x, **snaked(attrs)), {"x": normal(*shape)}, attrs)
for name, shape, size in [
    ("whole", (2, 3, 5, 4), 1),
    ("uneven", (1, 2, 7, 5), [3, 2]),
    ("enlarged", (1, 2, 3, 2), [7, 5]),
    ("one-side", (1, 1, 6, 7), [6, 3]),
    ("unbatched", (2, 5, 6), [2, 4]),
    ("keep-height", (1, 2, 5, 6), [None, 3]),
]:
    attrs = {"outputSize": size}
    op(f"adaptiveAvgPool2d/{name}", lambda x: F.adaptive_avg_pool2d(x, size), {"x": normal(*shape)}, attrs)
    op(f"adaptiveMaxPool2d/{name}", lambda x: F.adaptive_max_pool2d(x, size), {"x": normal(*shape)}, attrs)

# ---------- element by element

edges = torch.tensor([-30, -20, -6, -3, -1e-3, 1e-3, 3, 6, 19.5, 21, 30], dtype=torch.float64)
edges = rounded(edges)
for name, f, attrs, x in [
    ("relu/vector", F.relu, {}, normal(7)),
    ("relu/five-dimensional", F.relu, {}, normal(2, 1, 2, 2, 3)),
    ("relu6/beyond", F.relu6, {}, normal(3, 5) * 6),
    ("leakyRelu/slope", F.leaky_relu, {"negativeSlope": 0.3}, normal(4, 3)),
    ("leakyRelu/default", F.leaky_relu, {}, normal(2, 3, 2)),
    ("elu/alpha", F.elu, {"alpha": 0.4}, edges),
    ("gelu/tanh", F.gelu, {"approximate": "tanh"}, edges),
    ("gelu/default", F.gelu, {}, normal(2, 5) * 2),
    ("silu/edges", F.silu, {}, edges),
    ("sigmoid/edges", torch.sigmoid, {}, edges),
    ("tanh/edges", torch.tanh, {}, edges),
    ("softplus/beta", F.softplus, {"beta": 2, "threshold": 5}, edges),
    ("softplus/default", F.softplus, {}, edges),
    ("hardswish/edges", F.hardswish, {}, normal(3, 6) * 4),
    ("exp/three-dimensional", torch.exp, {}, normal(2, 2, 3)),
    ("log/small", torch.log, {}, between(1e-3, 4, 9)),
    ("sqrt/matrix", torch.sqrt, {}, between(0.1, 9, 3, 4)),
    ("rsqrt/matrix", torch.rsqrt, {}, between(0.1, 9, 3, 4)),
    ("reciprocal/signed", torch.reciprocal, {}, between(0.5, 2, 6) * torch.tensor([1, -1, 1, 1, -1, -1.0])),
    ("abs/scalar", torch.abs, {}, normal()),
    ("neg/vector", torch.neg, {}, normal(4)),
    ("square/four", torch.square, {}, normal(2, 1, 2, 2)),
]:
    op(name, lambda x: f(x, **snaked(attrs)), {"x": rounded(x)}, attrs)
for n, f in [("add", torch.add), ("sub", torch.sub), ("mul", torch.mul), ("div", torch.div)]:
    b = lambda *shape: between(0.5, 2, *shape)
    op(f"{n}/both-broadcast", lambda a, b: f(a, b), {"a": normal(2, 1, 3, 1), "b": b(4, 1, 5)})
    op(f"{n}/scalar", lambda a, b: f(a, b), {"a": normal(2, 3), "b": b()})
for n, f in [("maximum", torch.maximum), ("minimum", torch.minimum)]:
    op(f"{n}/ties", lambda a, b: f(a, b), {"a": whole(-1, 2, 3, 4), "b": whole(-1, 2, 4)})
op("pow/tensors", lambda a, b: torch.pow(a, b), {"a": between(0.3, 2, 2, 3), "b": normal(3)})
for exponent in [3, 2, 0.5, -1.5, 0]:
    x = between(0.3, 2, 2, 3) if exponent % 1 else normal(2, 3)
    op(f"pow/by {exponent}", lambda x: torch.pow(x, exponent), {"x": x}, {"exponent": exponent})

# ---------- reductions

for n, f in [("sum", torch.sum), ("mean", torch.mean), ("amax", torch.amax), ("amin", torch.amin)]:
    for name, shape, attrs in [
        ("negative", (2, 3, 4), {"dim": [-1], "keepDim": False}),
        ("several-negative", (2, 3, 2, 2), {"dim": [-3, -1], "keepDim": True}),
        ("unordered", (2, 3, 4), {"dim": [2, 0], "keepDim": False}),
        ("one-number", (3, 4), {"dim": 0, "keepDim": True}),
        ("all", (2, 3, 2), {}),
    ]:
        given = {"dim": attrs["dim"], "keepdim": attrs["keepDim"]} if attrs else {"dim": tuple(range(len(shape)))}
        op(f"{n}/{name}", lambda x: f(x, **given), {"x": normal(*shape)}, attrs)
op("amax/ties", lambda x: torch.amax(x, dim=[1]), {"x": whole(0, 2, 3, 5)}, {"dim": [1]})
for name, attrs in [
    ("all", {}),
    ("biased", {"dim": [1], "unbiased": False}),
    ("unbiased", {"dim": [-2, -1], "unbiased": True, "keepDim": True}),
    ("correction0", {"dim": [0, 2], "correction": 0}),
    ("correction2", {"dim": [2], "correction": 2, "keepDim": True}),
]:
    given = {("keepdim" if k == "keepDim" else k): v for k, v in attrs.items()}
    op(f"variance/{name}", lambda x: torch.var(x, **given), {"x": normal(2, 3, 4)}, attrs)
for name, attrs, x in [
    ("all", {}, normal(3, 4)),
    ("negative", {"dim": -1}, normal(2, 3, 4)),
    ("keep", {"dim": 1, "keepDim": True}, normal(2, 3, 4)),
    ("ties", {"dim": 0}, whole(0, 2, 4, 5)),
]:
    given = {("keepdim" if k == "keepDim" else k): v for k, v in attrs.items()}
    op(f"argmax/{name}", lambda x: torch.argmax(x, **given).double(), {"x": x}, attrs, grads=[])
for name, shape, dim in [("first", (3, 4), 0), ("negative", (2, 3, 4), -1), ("middle", (2, 3, 2, 2), 1), ("vector", (5,), 0)]:
    op(f"softmax/{name}", lambda x: F.softmax(x, dim), {"x": normal(*shape) * 3}, {"dim": dim})
    op(f"logSoftmax/{name}", lambda x: F.log_softmax(x, dim), {"x": normal(*shape) * 3}, {"dim": dim})
op("softmax/large", lambda x: F.softmax(x, -1), {"x": rounded(normal(3, 4) * 80)}, {"dim": -1})

# ---------- normalisation


def batch_norm(name, shape, attrs, affine=True, tracked=True):
    c = shape[1]
    inputs = {"x": normal(*shape) * 2 + 1} | ({"weight": normal(c), "bias": normal(c)} if affine else {})
    state = {"runningMean": normal(c), "runningVar": between(0.5, 2, c)} if tracked else None
    given = {"momentum": attrs.get("momentum", 0.1), "eps": attrs.get("eps", 1e-5)}
    training = attrs.get("training", False) or not tracked

    def f(x, weight=None, bias=None, runningMean=None, runningVar=None):
        return F.batch_norm(x, runningMean, runningVar, weight, bias, training, **given)

    inputs = {n: rounded(t) for n, t in inputs.items()}
    op(f"batchNorm2d/{name}", f, inputs, attrs, tol=5e-4, state=state)


batch_norm("momentum", (3, 2, 4, 3), {"training": True, "momentum": 0.3, "eps": 1e-3})
batch_norm("momentum-one", (2, 3, 2, 2), {"training": True, "momentum": 1.0})
batch_norm("not-affine", (4, 2, 3, 3), {"training": True}, affine=False)
batch_norm("not-affine-evaluation", (2, 2, 3, 3), {"training": False, "eps": 1e-2}, affine=False)
batch_norm("not-tracked", (2, 3, 3, 2), {"training": True}, tracked=False)
batch_norm("not-tracked-evaluation", (2, 3, 3, 2), {"training": False}, tracked=False, affine=False)
batch_norm("one-pixel", (6, 2, 1, 1), {"training": True})
for name, shape, own, affine, attrs in [
    ("last", (3, 4), (4,), True, {}),
    ("two-dimensions", (2, 3, 4, 5), (4, 5), True, {"eps": 1e-3}),
    ("all-but-batch", (2, 3, 2, 2), (3, 2, 2), True, {}),
    ("plain", (2, 6), (6,), False, {"eps": 1e-5}),
]:
    inputs = {"x": normal(*shape)} | ({"weight": normal(*own), "bias": normal(*own)} if affine else {})
    f = lambda x, weight=None, bias=None: F.layer_norm(x, own, weight, bias, attrs.get("eps", 1e-5))
    op(f"layerNorm/{name}", f, inputs, {"normalizedShape": list(own), **attrs}, tol=5e-4)
weight_only = {"x": normal(2, 5), "weight": normal(5)}
op("layerNorm/weight-only", lambda x, weight: F.layer_norm(x, (5,), weight), weight_only, {"normalizedShape": [5]}, tol=5e-4)
for name, shape, groups, affine in [
    ("layer-like", (2, 4, 3, 3), 1, True),
    ("instance-like", (2, 3, 4, 2), 3, True),
    ("flat", (3, 6), 2, True),
    ("plain", (2, 6, 5), 3, False),
]:
    c = shape[1]
    inputs = {"x": normal(*shape)} | ({"weight": normal(c), "bias": normal(c)} if affine else {})
    attrs = {"numGroups": groups, "eps": 1e-4}
    f = lambda x, weight=None, bias=None: F.group_norm(x, groups, weight, bias, 1e-4)
    op(f"groupNorm/{name}", f, inputs, attrs, tol=5e-4)
for name, shape, attrs in [
    ("even", (2, 5, 2, 2), {"size": 4, "alpha": 0.5, "beta": 0.6, "k": 1.5}),
    ("wider-than-channels", (1, 3, 2, 3), {"size": 7}),
    ("one", (1, 4, 3), {"size": 1, "alpha": 1.0}),
    ("flat-space", (2, 4, 5), {"size": 3, "alpha": 0.1, "k": 2}),
]:
    op(f"localResponseNorm/{name}", lambda x: F.local_response_norm(x, **snaked(attrs)), {"x": normal(*shape)}, attrs)

# ---------- losses


def classes(name, shape, attrs, weighted=False, probabilities=False, ignored=None, loss="crossEntropy"):
    c = shape[1] if len(shape) > 1 else shape[0]
    x = normal(*shape)
    if probabilities:
        target = rounded(F.softmax(normal(*shape), dim=1 if len(shape) > 1 else 0))
    else:
        target = whole(0, c, shape[0], *shape[2:]) if len(shape) > 1 else whole(0, c)
        if ignored is not None:
            target.view(-1)[::3] = ignored
    if loss == "nllLoss":
        x = rounded(F.log_softmax(x, 1 if len(shape) > 1 else 0))
    inputs = {"x": x, "target": target} | ({"weight": between(0.5, 2, c)} if weighted else {})
    of = F.nll_loss if loss == "nllLoss" else F.cross_entropy
    f = lambda x, target, weight=None: of(x, target if probabilities else target.long(), weight, **snaked(attrs))
    op(f"{loss}/{name}", f, inputs, attrs, grads=["x"])


for reduction in ["mean", "sum", "none"]:
    r = {"reduction": reduction}
    classes(f"images-{reduction}", (2, 3, 2, 3), r, weighted=True, ignored=-100)
    classes(f"smooth-ignored-{reduction}", (6, 4), {"labelSmoothing": 0.2, "ignoreIndex": -1, **r}, ignored=-1)
    classes(f"smooth-weighted-{reduction}", (5, 4), {"labelSmoothing": 0.3, **r}, weighted=True)
    classes(f"probabilities-{reduction}", (3, 4), {"labelSmoothing": 0.1, **r}, weighted=True, probabilities=True)
    classes(f"negative-ignored-{reduction}", (6, 3), {"ignoreIndex": -5, **r}, ignored=-5, loss="nllLoss")
    classes(f"images-{reduction}", (2, 3, 2, 2), r, weighted=True, loss="nllLoss")
classes("smooth-weighted-ignored", (6, 4), {"labelSmoothing": 0.2, "ignoreIndex": -1, "reduction": "mean"}, weighted=True, ignored=-1)
classes("smooth-weighted-ignored-images", (2, 3, 2, 2), {"labelSmoothing": 0.2, "ignoreIndex": 1, "reduction": "sum"}, weighted=True, ignored=1)
classes("ignored-class", (6, 4), {"ignoreIndex": 2, "reduction": "mean"}, weighted=True, ignored=2)
classes("one-dimension", (2, 3, 4), {})
classes("three-dimensions", (2, 3, 2, 1, 2), {"labelSmoothing": 0.1})
classes("probabilities-images", (2, 3, 2, 2), {}, probabilities=True)
classes("unbatched", (5,), {})
classes("unbatched-none", (5,), {"reduction": "none", "labelSmoothing": 0.1}, weighted=True)
classes("unbatched", (4,), {}, weighted=True, loss="nllLoss")
for n, f, options in [
    ("mseLoss", F.mse_loss, {}),
    ("l1Loss", F.l1_loss, {}),
    ("huberLoss", F.huber_loss, {"delta": 0.4}),
    ("huberLoss", F.huber_loss, {"delta": 2.5}),
]:
    for reduction in ["mean", "sum", "none"]:
        attrs = {"reduction": reduction, **options}
        inputs = {"x": normal(3, 2, 2), "target": normal(3, 2, 2)}
        tag = f"{reduction}{'-' + str(options['delta']) if options else ''}"
        op(f"{n}/three-dimensional-{tag}", lambda x, target: f(x, target, **attrs), inputs, attrs, grads=["x", "target"])
for reduction in ["mean", "sum", "none"]:
    attrs = {"reduction": reduction}
    inputs = {"x": normal(3, 4) * 3, "target": between(0, 1, 3, 4), "weight": between(0.5, 2, 4), "posWeight": between(0.5, 3, 4)}
    inputs = {n: rounded(t) for n, t in inputs.items()}
    f = lambda x, target, weight, posWeight: F.binary_cross_entropy_with_logits(
        x, target, weight, pos_weight=posWeight, reduction=reduction
    )
    op(f"binaryCrossEntropyWithLogits/weights-{reduction}", f, inputs, attrs, grads=["x"])
extreme = {"x": rounded(edges * 4), "target": whole(0, 2, 11)}
op("binaryCrossEntropyWithLogits/extreme", lambda x, target: F.binary_cross_entropy_with_logits(x, target), extreme)

# ---------- shapes

for name, shape, start, end in [("all", (2, 3, 4), 0, -1), ("middle", (2, 3, 4, 5), 1, 2), ("first-two", (2, 3, 4), 0, 1), ("negative", (2, 3, 4, 2), -3, -2), ("none", (2, 3), 1, 1)]:
    op(f"flatten/{name}", lambda x: torch.flatten(x, start, end), {"x": normal(*shape)}, {"startDim": start, "endDim": end})
op("flatten/default", lambda x: torch.flatten(x), {"x": normal(2, 3, 2)})
for name, shape, to in [("rest", (2, 3, 4), [4, -1]), ("scalar-like", (1, 1), []), ("same", (2, 6), [3, 2, 2])]:
    op(f"reshape/{name}", lambda x: torch.reshape(x, to), {"x": normal(*shape)}, {"shape": to})
for name, shape, dims in [("transpose", (3, 4), [1, 0]), ("negative", (2, 3, 4), [-1, 0, 1]), ("reverse", (2, 1, 3, 2), [3, 2, 1, 0])]:
    op(f"permute/{name}", lambda x: x.permute(dims), {"x": normal(*shape)}, {"dims": dims})
for name, shapes, dim in [("three", [(2, 1, 3), (2, 2, 3), (2, 3, 3)], 1), ("negative", [(2, 3, 1), (2, 3, 2)], -1), ("first", [(1, 3), (2, 3), (1, 3), (4, 3)], 0), ("one", [(2, 3)], 1)]:
    inputs = {"abcd"[i]: normal(*s) for i, s in enumerate(shapes)}
    op(f"concat/{name}", lambda **t: torch.cat(list(t.values()), dim), inputs, {"dim": dim})
for name, shape, padding, mode, value in [
    ("vector", (5,), [1, 2], "constant", 1.5),
    ("one-side-matrix", (3, 4), [0, 2], "constant", 0),
    ("matrix", (3, 4), [1, 0, 2, 1], "constant", -2),
    ("channels", (2, 3, 4), [1, 1, 0, 2, 1, 0], "constant", 0.5),
    ("four", (1, 2, 3, 2), [1, 0, 0, 1, 2, 1, 1, 1], "constant", 0),
    ("crop", (2, 5, 6), [-1, 2, 1, -2], "constant", 3),
    ("reflect-line", (2, 3, 6), [3, 2], "reflect", None),
    ("reflect-image", (1, 2, 5, 4), [2, 3, 4, 1], "reflect", None),
    ("reflect-unbatched", (2, 4, 5), [1, 2, 3, 0], "reflect", None),
    ("replicate-line", (1, 2, 4), [3, 5], "replicate", None),
    ("replicate-image", (1, 2, 3, 4), [0, 4, 5, 1], "replicate", None),
    ("circular-line", (2, 2, 5), [3, 5], "circular", None),
    ("circular-image", (2, 1, 4, 5), [2, 1, 4, 3], "circular", None),
]:
    attrs = {"padding": padding, "mode": mode} | ({} if value is None else {"value": value})
    op(f"pad/{name}", lambda x: F.pad(x, padding, mode, value or 0), {"x": normal(*shape)}, attrs)
for name, shape, attrs in [
    ("step", (3, 9), {"dim": 1, "start": 1, "end": 8, "step": 3}),
    ("negative", (2, 6, 3), {"dim": -2, "start": -4, "end": -1}),
    ("beyond", (4, 3), {"dim": 0, "start": 2, "end": 100}),
    ("before", (4, 3), {"dim": 0, "start": -100, "end": 2, "step": 2}),
    ("open", (2, 5), {"dim": 1, "start": 2, "end": None}),
]:
    index = slice(attrs["start"], attrs["end"], attrs.get("step"))
    f = lambda x: x[(slice(None),) * (attrs["dim"] % x.dim()) + (index,)]
    op(f"slice/{name}", f, {"x": normal(*shape)}, attrs)
for name, shape, attrs in [
    ("nearest-down", (1, 2, 7, 6), {"size": [3, 4], "mode": "nearest"}),
    ("nearest-scale", (1, 1, 3, 4), {"scaleFactor": 2, "mode": "nearest"}),
    ("nearest-scales", (1, 2, 5, 4), {"scaleFactor": [1.5, 2.5], "mode": "nearest"}),
    ("nearest-half", (1, 1, 7, 9), {"scaleFactor": 0.5, "mode": "nearest"}),
    ("nearest-recomputed", (1, 1, 5, 7), {"scaleFactor": 1.3, "mode": "nearest", "recomputeScaleFactor": True}),
    ("bilinear-down", (1, 2, 7, 5), {"size": [3, 2], "mode": "bilinear", "alignCorners": False}),
    ("bilinear-corners", (2, 1, 4, 3), {"size": [7, 5], "mode": "bilinear", "alignCorners": True}),
    ("bilinear-corners-down", (1, 1, 6, 7), {"size": [3, 4], "mode": "bilinear", "alignCorners": True}),
    ("bilinear-corners-one", (1, 2, 4, 3), {"size": [1, 4], "mode": "bilinear", "alignCorners": True}),
    ("bilinear-scale", (1, 2, 4, 5), {"scaleFactor": 2, "mode": "bilinear", "alignCorners": False}),
    ("bilinear-scales", (1, 1, 5, 7), {"scaleFactor": [1.5, 0.7], "mode": "bilinear"}),
    ("bilinear-recomputed", (1, 1, 5, 7), {"scaleFactor": [1.5, 0.7], "mode": "bilinear", "recomputeScaleFactor": True}),
    ("bilinear-scale-corners", (1, 1, 4, 5), {"scaleFactor": [2.3, 1.7], "mode": "bilinear", "alignCorners": True}),
]:
    op(f"interpolate/{name}", lambda x: F.interpolate(x, **snaked(attrs)), {"x": normal(*shape)}, attrs)
for name, shape, attrs in [("plain", (4,), {}), ("matrix", (2, 3), {"paddingIdx": 1}), ("negative-padding", (5,), {"paddingIdx": -1})]:
    inputs = {"index": (torch.arange(math.prod(shape)) * 3 % 4).double().reshape(shape), "weight": normal(4, 3)}
    op(f"embedding/{name}", lambda index, weight: F.embedding(index.long(), weight, **snaked(attrs)), inputs, attrs)

# ---------- optimisers

makers = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
}
for name, attrs in [
    ("sgd", {"lr": 0.2, "momentum": 0.8, "dampening": 0.3}),
    ("sgd", {"lr": 0.1, "momentum": 0.5, "dampening": 0.5, "weightDecay": 0.1, "maximize": True}),
    ("sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01}),
    ("adam", {"lr": 0.05, "betas": [0.8, 0.9], "eps": 1e-3, "weightDecay": 0.1}),
    ("adam", {"lr": 0.02, "amsgrad": True}),
    ("adam", {"lr": 0.02, "amsgrad": True, "weightDecay": 0.05, "maximize": True}),
    ("adamw", {}),
    ("adamw", {"lr": 0.03, "betas": [0.7, 0.95], "eps": 1e-2, "amsgrad": True, "weightDecay": 0}),
    ("adamw", {"lr": 0.01, "maximize": True}),
    ("rmsprop", {"lr": 0.02, "alpha": 0.9, "eps": 1e-3, "weightDecay": 0.1}),
    ("rmsprop", {"lr": 0.01, "momentum": 0.7}),
    ("rmsprop", {"lr": 0.01, "centered": True, "momentum": 0.5, "eps": 1e-2}),
    ("rmsprop", {"lr": 0.01, "centered": True, "maximize": True, "eps": 1e-2}),
    ("adagrad", {"lr": 0.1, "lrDecay": 0.2, "weightDecay": 0.05}),
    ("adagrad", {"lr": 0.05, "initialAccumulatorValue": 0.3, "eps": 1e-4, "maximize": True}),
]:
    case = {"name": f"optimizer/{name}-{'-'.join(attrs) or 'default'}", "kind": "optimizer", "optimizer": name}
    params = {"p": normal(3, 4), "q": normal(5)}
    leaves = {n: t.clone().requires_grad_() for n, t in params.items()}
    for n, t in params.items():
        keep(case["name"], f"{n}0", t)
    optimizer = makers[name](list(leaves.values()), **snaked(attrs))
    for step in range(1, 6):
        for n, t in leaves.items():
            t.grad = normal(*t.shape)
            keep(case["name"], f"g{n}{step}", t.grad)
        optimizer.step()
        for n, t in leaves.items():
            keep(case["name"], f"{n}{step}", t)
    cases.append(case | {"attrs": attrs, "params": list(params), "steps": 5, "tol": 2e-5})

# ---------- schedules

S = torch.optim.lr_scheduler
kinds = {
    "step": S.StepLR,
    "multiStep": S.MultiStepLR,
    "exponential": S.ExponentialLR,
    "cosine": S.CosineAnnealingLR,
    "cosineRestarts": S.CosineAnnealingWarmRestarts,
    "oneCycle": S.OneCycleLR,
    "linear": S.LinearLR,
    "polynomial": S.PolynomialLR,
    "constant": S.ConstantLR,
}
torch_names = {"tMax": "T_max", "t0": "T_0", "tMult": "T_mult"}


def scheduler(kind, optimizer, attrs):
    given = {torch_names.get(k, snake(k)): v for k, v in attrs.items() if k != "lr"}
    if kind == "oneCycle":
        given["cycle_momentum"] = False
    return kinds[kind](optimizer, **given)


def rates(lr, of, steps):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    schedule = of(optimizer)
    found = []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < steps:
            schedule.step()
    return found


for kind, attrs, steps in [
    ("step", {"stepSize": 4}, 11),
    ("multiStep", {"milestones": [1, 3, 3, 7], "gamma": 0.5}, 10),
    ("multiStep", {"milestones": [6, 2]}, 10),
    ("exponential", {"gamma": 0.5}, 8),
    ("cosine", {"tMax": 4}, 13),
    ("cosineRestarts", {"t0": 3, "tMult": 2, "etaMin": 0.01}, 14),
    ("cosineRestarts", {"t0": 4}, 10),
    ("oneCycle", {"maxLr": 0.3, "totalSteps": 10, "annealStrategy": "linear"}, 10),
    ("oneCycle", {"maxLr": 0.3, "totalSteps": 16, "pctStart": 0.25, "divFactor": 10, "finalDivFactor": 100}, 16),
    ("oneCycle", {"maxLr": 0.2, "totalSteps": 20, "pctStart": 0.3, "threePhase": True}, 20),
    ("oneCycle", {"maxLr": 0.2, "totalSteps": 15, "pctStart": 0.4, "threePhase": True, "annealStrategy": "linear"}, 15),
    ("linear", {}, 8),
    ("linear", {"startFactor": 1.0, "endFactor": 0.2, "totalIters": 6}, 9),
    ("polynomial", {}, 8),
    ("polynomial", {"totalIters": 6, "power": 2.0}, 9),
    ("constant", {}, 8),
    ("constant", {"factor": 0.25, "totalIters": 3}, 6),
]:
    found = rates(0.1, lambda o: scheduler(kind, o, attrs), steps)
    name = f"schedule/{kind}-{'-'.join(attrs) or 'default'}"
    given = {"lr": 0.1, **attrs}
    cases.append({"name": name, "kind": "schedule", "schedule": kind, "attrs": given, "lrs": found, "tol": 1e-6})

# ---------- rare ones: last, so that the numbers of those above stay

conv("same-even-grouped-dilated", (2, 4, 5, 7), (6, 2, 2, 4), padding="same", groups=2, dilation=(3, 1))
conv("dilated-depthwise-stride", (1, 6, 13, 11), (6, 1, 3, 3), stride=2, padding=2, dilation=3, groups=6)
conv("one-pixel", (1, 1, 1, 1), (1, 1, 3, 3), padding=1)
conv("kernel-beyond-image", (2, 2, 2, 3), (3, 2, 5, 4), padding=(2, 1))
conv("odd-channels", (2, 17, 6, 5), (19, 17, 3, 2), padding=(0, 3))
conv("unbatched-same-grouped", (4, 5, 6), (4, 2, 4, 3), padding="same", groups=2)
conv("circular-whole", (1, 1, 3, 4), (2, 1, 3, 3), padding=(3, 4), paddingMode="circular")
conv("replicate-one-pixel", (1, 2, 1, 1), (2, 2, 3, 3), padding=2, paddingMode="replicate", dilation=2)
transposed("output-padding-of-a-stride", (1, 2, 3, 3), (2, 2, 3, 3), dilation=3, outputPadding=2, padding=2)
transposed("stride-beyond-kernel", (1, 1, 2, 3), (1, 3, 2, 2), stride=[5, 4], outputPadding=[4, 3])
transposed("unbatched", (3, 4, 5), (3, 2, 3, 3), stride=2, padding=1, outputPadding=1)
asymmetric = dict(kernelSize=[3, 5], stride=[2, 3], padding=[1, 2], ceilMode=True)
line = dict(kernelSize=[1, 4], stride=[1, 3], padding=[0, 2], ceilMode=True)
for name, shape, attrs in [("asymmetric-ceil", (1, 2, 7, 10), asymmetric), ("line-ceil", (1, 1, 1, 9), line)]:
    op(f"maxPool2d/{name}", lambda x: F.max_pool2d(x, **snaked(attrs)), {"x": normal(*shape)}, attrs)
    op(f"avgPool2d/{name}", lambda x: F.avg_pool2d(x, **snaked(attrs)), {"x": normal(*shape)}, attrs)
    given = {**attrs, "countIncludePad": False}
    op(f"avgPool2d/{name}-exclude", lambda x: F.avg_pool2d(x, **snaked(given)), {"x": normal(*shape)}, given)
negative_divisor = dict(kernelSize=[2, 3], stride=1, padding=[1, 1], divisorOverride=-2)
op("avgPool2d/negative-divisor", lambda x: F.avg_pool2d(x, **snaked(negative_divisor)), {"x": normal(1, 2, 5, 6)}, negative_divisor)
# zeros of both signs, and what is near and far (nothing subnormal: graphics cards may take that for zero)
zeros = rounded(torch.tensor([-0.0, 0.0, 1e-30, -1e-30, 50.0, -50.0], dtype=torch.float64))
for n, f in [("elu", F.elu), ("silu", F.silu), ("gelu", F.gelu), ("softplus", F.softplus), ("leakyRelu", F.leaky_relu)]:
    op(f"{n}/zeros", lambda x: f(x), {"x": zeros})
for name, a, b in [("scalar-second", (2, 3), ()), ("scalar-first", (), (2, 3)), ("crossed", (3, 1, 5), (4, 1)), ("rank-five", (1, 2, 1, 2, 1), (2, 3))]:
    op(f"sub/{name}", lambda a, b: a - b, {"a": normal(*a), "b": normal(*b)})
    op(f"div/{name}", lambda a, b: a / b, {"a": normal(*a), "b": between(0.5, 2, *b)})
for before in [0, 4]:
    x, own = normal(3, 2, 2, 2), {"weight": normal(2), "bias": normal(2)}
    state = {"runningMean": normal(2), "runningVar": between(0.5, 2, 2), "numBatchesTracked": torch.tensor([float(before)]).double()}

    def cumulative(x, weight, bias, runningMean, runningVar, numBatchesTracked):
        numBatchesTracked += 1
        return F.batch_norm(x, runningMean, runningVar, weight, bias, True, 1 / numBatchesTracked.item())

    attrs = {"training": True, "momentum": None}
    op(f"batchNorm2d/cumulative-{before}", cumulative, {"x": x, **own}, attrs, tol=5e-4, state=state)
op("layerNorm/whole", lambda x: F.layer_norm(x, (2, 3)), {"x": normal(2, 3)}, {"normalizedShape": [2, 3]}, tol=5e-4)
for reduction in ["mean", "sum", "none"]:
    all_three = {"labelSmoothing": 0.4, "ignoreIndex": 3, "reduction": reduction}
    classes(f"smooth-weighted-ignored-class-{reduction}", (9, 5), all_three, weighted=True, ignored=3)
    classes(f"one-class-{reduction}", (3, 1), {"reduction": reduction})
    classes(f"wholly-smooth-{reduction}", (4, 3), {"labelSmoothing": 1.0, "reduction": reduction}, weighted=True)
op("interpolate/nearest-third", lambda x: F.interpolate(x, scale_factor=0.34), {"x": normal(1, 1, 9, 10)}, {"scaleFactor": 0.34, "mode": "nearest"})
op("matmul/rank-five", lambda a, b: a @ b, {"a": normal(2, 1, 2, 3, 4), "b": normal(3, 1, 4, 2)}, tol=5e-4)

for made, made_tensors in [*model_cases(), *training_cases()]:
    cases.append(made)
    for name, tensor in made_tensors.items():
        keep(made["name"], name, tensor)

# ---------- the two files

assert len({c["name"] for c in cases}) == len(cases), "two cases have one name"
header, offset, chunks = {}, 0, []
for name, tensor in tensors.items():
    raw = numpy.ascontiguousarray(tensor.numpy().astype("<f4")).tobytes()
    header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(raw)]}
    offset += len(raw)
    chunks.append(raw)
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
folder.mkdir(parents=True, exist_ok=True)
(folder / "tensors.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))
about = f"PyTorch {torch.__version__}, float64; scripts/referenceCases.py"
lines = ",\n".join(json.dumps(c) for c in cases)
(folder / "cases.json").write_text(f'{{"reference": {json.dumps(about)}, "cases": [\n{lines}\n]}}\n')
assert all(math.isfinite(v) for t in tensors.values() for v in [t.abs().sum().item()]), "a number is not finite"
print(f"{len(cases)} cases, {len(text) + offset} bytes of tensors")
