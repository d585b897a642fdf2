"""Learning rates of PyTorch's schedules over 30 steps, alone and composed, and what a plateau does to them.

    /usr/bin/python3 scripts/referenceSchedules.py property-tests/pipelines/pytorchSchedules.json
"""

import itertools
import json
import math
import sys

import torch

S = torch.optim.lr_scheduler
steps = 30
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
snake = lambda name: "".join("_" + c.lower() if c.isupper() else c for c in name)
snaked = lambda options: {torch_names.get(k, snake(k)): v for k, v in options.items()}


def build(optimizer, of):
    kind, options = of
    if kind == "sequential":
        parts, milestones = options
        return S.SequentialLR(optimizer, [build(optimizer, p) for p in parts], milestones)
    if kind == "chained":
        return S.ChainedScheduler([build(optimizer, p) for p in options[0]])
    more = {"cycle_momentum": False} if kind == "oneCycle" else {}
    return kinds[kind](optimizer, **snaked(options), **more)


def rates(of):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    schedule = build(optimizer, of)
    found = []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < steps:
            schedule.step()
    return found


def cycles():
    for anneal, three in itertools.product(["cos", "linear"], [False, True]):
        for start in [0.05, 0.3, 0.5]:
            yield "oneCycle", {"maxLr": 0.7, "totalSteps": 30, "pctStart": start, "annealStrategy": anneal, "threePhase": three}
    yield "oneCycle", {"maxLr": 0.7, "totalSteps": 31, "pctStart": 0.0, "divFactor": 2, "finalDivFactor": 3}
    yield "oneCycle", {"maxLr": 0.7, "totalSteps": 31, "pctStart": 1.0, "divFactor": 2, "finalDivFactor": 3}


alone = [
    *cycles(),
    ("linear", {"startFactor": 0.013, "endFactor": 0.77, "totalIters": 23}),
    ("linear", {"startFactor": 0.9, "endFactor": 0.0, "totalIters": 11}),
    ("linear", {"startFactor": 0.4, "endFactor": 0.4, "totalIters": 3}),
    ("linear", {"startFactor": 0.5, "totalIters": 1}),
    *(("polynomial", {"totalIters": 17, "power": p}) for p in [0.5, 2, 3.7]),
    ("polynomial", {"totalIters": 1}),
    ("multiStep", {"milestones": [4, 4, 4, 10, 10, 25]}),
    ("multiStep", {"milestones": [20, 5, 5, 12], "gamma": 1.5}),
    ("step", {"stepSize": 1, "gamma": 0.95}),
    ("step", {"stepSize": 7}),
    ("exponential", {"gamma": 1.03}),
    ("constant", {"factor": 0.2, "totalIters": 19}),
    ("constant", {"factor": 1.0, "totalIters": 1}),
    ("cosine", {"tMax": 1}),
    ("cosine", {"tMax": 9, "etaMin": 0.004}),
    ("cosine", {"tMax": 60}),
    ("cosineRestarts", {"t0": 1}),
    ("cosineRestarts", {"t0": 1, "tMult": 2, "etaMin": 0.02}),
    ("cosineRestarts", {"t0": 4, "tMult": 3}),
    ("cosineRestarts", {"t0": 7}),
]
warmUp = ("linear", {"startFactor": 0.2, "totalIters": 5})
decay = ("exponential", {"gamma": 0.93})
composed = [
    ("sequential", [[warmUp, ("cosine", {"tMax": 25})], [5]]),
    ("sequential", [[warmUp, ("cosine", {"tMax": 8, "etaMin": 0.01}), decay], [5, 13]]),
    ("sequential", [[("constant", {"factor": 0.5, "totalIters": 3}), ("step", {"stepSize": 4, "gamma": 0.5})], [7]]),
    ("sequential", [[decay, ("multiStep", {"milestones": [2, 2, 6]}), ("polynomial", {"totalIters": 6, "power": 2})], [1, 20]]),
    ("sequential", [[("polynomial", {"totalIters": 4}), ("cosineRestarts", {"t0": 4, "tMult": 2})], [6]]),
    ("sequential", [[("cosineRestarts", {"t0": 3}), ("linear", {"endFactor": 0.1, "startFactor": 1.0, "totalIters": 9})], [10]]),
    ("chained", [[warmUp, decay]]),
    ("chained", [[warmUp, ("step", {"stepSize": 6, "gamma": 0.7}), ("multiStep", {"milestones": [3, 3, 19], "gamma": 0.8})]]),
    ("chained", [[("constant", {"factor": 0.1, "totalIters": 8}), ("polynomial", {"totalIters": 40, "power": 1.5})]]),
    ("chained", [[("cosine", {"tMax": 29}), decay, ("linear", {"startFactor": 0.7, "endFactor": 0.3, "totalIters": 12})]]),
    ("chained", [[decay]]),
]

metrics = [round(math.sin(i * 1.7) / (1 + i / 6) - i / 40, 3) for i in range(20)] + [-0.5] * 6 + [0.9, -0.9, -0.901, 2.0]


def plateau(options):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    schedule = S.ReduceLROnPlateau(optimizer, **snaked(options))
    found = []
    for metric in metrics:
        schedule.step(metric)
        found.append(optimizer.param_groups[0]["lr"])
    return found


plateaus = [
    {"mode": mode, "thresholdMode": kind, "threshold": threshold, "patience": patience, "cooldown": cooldown, "factor": 0.6}
    for mode, kind in itertools.product(["min", "max"], ["rel", "abs"])
    for threshold, patience, cooldown in [(0.1, 0, 0), (0.01, 2, 3), (0, 1, 1)]
]
plateaus += [{"patience": 1, "minLr": 0.03, "factor": 0.7}, {"mode": "max", "patience": 0, "eps": 0.02, "factor": 0.5}]
found = {
    "madeBy": f"PyTorch {torch.__version__}",
    "lr": 0.1,
    "schedules": [{"of": of, "lrs": rates(of)} for of in [*alone, *composed]],
    "plateau": {"metrics": metrics, "cases": [{"options": o, "lrs": plateau(o)} for o in plateaus]},
}
with open(sys.argv[1], "w") as f:
    json.dump(found, f)
    f.write("\n")
