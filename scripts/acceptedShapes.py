"""Which shapes PyTorch takes, op by op, and what shapes it gives for them.

    /usr/bin/python3 scripts/acceptedShapes.py property-tests/ops/acceptedShapes.json

Each op is called as property-tests/support/samples.ts calls it: with the shapes there, then with one of its inputs
changed (a dimension more or fewer, a size one larger, halved or none at all). `null` is a refusal.
"""

import json
import pathlib
import sys
import warnings

import torch
import torch.nn.functional as F

warnings.simplefilter("ignore")
image, matrix = [2, 4, 6, 7], [3, 5]
one = lambda f: ([matrix], f)
two = lambda f: ([matrix, [5]], f)
pair = lambda f: ([matrix, matrix], f)

ops = {
    "abs": one(torch.abs),
    "adaptiveAvgPool2d": ([image], lambda x: F.adaptive_avg_pool2d(x, 4)),
    "adaptiveMaxPool2d": ([image], lambda x: F.adaptive_max_pool2d(x, 4)),
    "add": two(torch.add),
    "amax": one(lambda x: torch.amax(x, 1)),
    "amin": one(lambda x: torch.amin(x, 1)),
    "argmax": one(lambda x: torch.argmax(x, 1)),
    "avgPool2d": ([image], lambda x: F.avg_pool2d(x, 3, 2, 1)),
    "batchNorm2d": ([image, [4], [4]], lambda x, w, b: batch_norm(x, w, b)),
    "binaryCrossEntropyWithLogits": pair(F.binary_cross_entropy_with_logits),
    "concat": pair(lambda a, b: torch.cat([a, b], 1)),
    "conv2d": ([image, [6, 4, 3, 3], [6]], lambda x, w, b: F.conv2d(x, w, b, padding=1)),
    "convTranspose2d": ([image, [4, 3, 3, 3]], lambda x, w: F.conv_transpose2d(x, w, stride=2)),
    "crossEntropy": ([matrix, [3]], lambda x, t: classes(F.cross_entropy, x, t)),
    "div": two(torch.div),
    "elu": one(F.elu),
    "embedding": ([[3], matrix], lambda i, w: F.embedding(i.long(), w)),
    "equal": two(torch.eq),
    "erf": one(torch.erf),
    "exp": one(torch.exp),
    "expandTo": one(lambda x: x.expand(2, 3, 5)),
    "flatten": ([image], lambda x: torch.flatten(x, 1)),
    "gelu": one(F.gelu),
    "greater": two(torch.gt),
    "greaterEqual": two(torch.ge),
    "groupNorm": ([image], lambda x: F.group_norm(x, 2)),
    "hardswish": one(F.hardswish),
    "huberLoss": pair(F.huber_loss),
    "interpolate": ([image], lambda x: F.interpolate(x, size=(5, 5), mode="bilinear")),
    "l1Loss": pair(F.l1_loss),
    "layerNorm": one(lambda x: F.layer_norm(x, [5])),
    "leakyRelu": one(F.leaky_relu),
    "less": two(torch.lt),
    "lessEqual": two(torch.le),
    "linear": ([matrix, [4, 5], [4]], F.linear),
    "localResponseNorm": ([image], lambda x: F.local_response_norm(x, 5)),
    "log": one(torch.log),
    "logSoftmax": one(lambda x: F.log_softmax(x, 1)),
    "matmul": ([matrix, [5, 4]], torch.matmul),
    "maxPool2d": ([image], lambda x: F.max_pool2d(x, 3, 2)),
    "maximum": two(torch.maximum),
    "mean": one(lambda x: torch.mean(x, 1)),
    "minimum": two(torch.minimum),
    "mseLoss": pair(F.mse_loss),
    "mul": two(torch.mul),
    "neg": one(torch.neg),
    "nllLoss": ([matrix, [3]], lambda x, t: classes(F.nll_loss, x, t)),
    "pad": ([image], lambda x: F.pad(x, (1, 2, 3, 0), "reflect")),
    "permute": ([image], lambda x: x.permute(0, 3, 1, 2)),
    "pow": two(torch.pow),
    "reciprocal": one(torch.reciprocal),
    "relu": one(F.relu),
    "relu6": one(F.relu6),
    "reshape": one(lambda x: x.reshape(15)),
    "rsqrt": one(torch.rsqrt),
    "sigmoid": one(torch.sigmoid),
    "sign": one(torch.sign),
    "silu": one(F.silu),
    "slice": one(lambda x: x[:, 1:3]),
    "softmax": one(lambda x: F.softmax(x, 1)),
    "softplus": one(F.softplus),
    "sqrt": one(torch.sqrt),
    "square": one(torch.square),
    "sub": two(torch.sub),
    "sum": one(lambda x: torch.sum(x, 1)),
    "sumTo": one(lambda x: x.sum_to_size(5)),
    "tanh": one(torch.tanh),
    "variance": one(lambda x: torch.var(x, 1)),
    "where": two(lambda a, b: torch.where(a > 0, b, torch.zeros(()))),
}


def batch_norm(x, w, b):
    # the layer takes batches of images only
    layer = torch.nn.BatchNorm2d(len(x[0]) if x.dim() == 4 else 1, affine=False, track_running_stats=False)
    layer._check_input_dim(x)
    return F.batch_norm(x, None, None, w, b, True)


def classes(loss, x, t):
    # with as many dimensions as the logits, targets are probabilities
    return loss(x, t if t.dim() == x.dim() and loss is F.cross_entropy else t.long())


def changed(shape):
    yield []
    yield shape[1:]
    yield shape[:-1]
    yield [2, *shape]
    yield [*shape, 2]
    for d, size in enumerate(shape):
        for other in [size + 1, size // 2, 0]:
            yield [*shape[:d], other, *shape[d + 1 :]]


found = {}
for name, (inputs, f) in ops.items():
    trials = [inputs] + [[*inputs[:i], s, *inputs[i + 1 :]] for i, own in enumerate(inputs) for s in changed(own)]
    rows = []
    for shapes in trials:
        try:
            y = f(*[torch.zeros(s) for s in shapes])
            rows.append([shapes, list(y.shape)])
        except (RuntimeError, ValueError, IndexError, TypeError, AssertionError, NotImplementedError):
            rows.append([shapes, None])
    assert rows[0][1] is not None, name
    found[name] = [r for i, r in enumerate(rows) if r not in rows[:i]]
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(rows, separators=(',', ':'))}" for name, rows in found.items())
pathlib.Path(sys.argv[1]).write_text(f"{{\n{lines}\n}}\n")
