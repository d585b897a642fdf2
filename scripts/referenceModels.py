"""The small models of the reference cases, as PyTorch modules, and their cases with weights by formula."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def named(**modules):
    block = nn.Sequential()
    for name, module in modules.items():
        block.add_module(name, module)
    return block


class Flattening(nn.Module):
    """blocks one after the other; what goes into the last of them is flat"""

    def __init__(self, **blocks):
        super().__init__()
        for name, block in blocks.items():
            self.add_module(name, block)

    def forward(self, x):
        *first, last = self.children()
        for block in first:
            x = block(x)
        return last(torch.flatten(x, 1))


def lenet():
    return Flattening(
        layer1=named(conv1=nn.Conv2d(1, 6, 3, padding=1), pool1=nn.MaxPool2d(2)),
        layer2=named(conv2=nn.Conv2d(6, 16, 5), pool2=nn.MaxPool2d(2)),
        layer3=named(fc1=nn.Linear(400, 120), fc2=nn.Linear(120, 84), fc3=nn.Linear(84, 10)),
    )


def tinyvgg(hidden=10):
    conv = lambda i: nn.Conv2d(i, hidden, 3, padding=1)
    block = lambda i: nn.Sequential(conv(i), nn.ReLU(), conv(hidden), nn.ReLU(), nn.MaxPool2d(2))
    return Flattening(block_1=block(1), block_2=block(hidden), classifier=named(**{"1": nn.Linear(49 * hidden, 10)}))


def mnistcnn():
    block = lambda i, o: [nn.Conv2d(i, o, 3), nn.BatchNorm2d(o), nn.ReLU()]
    return Flattening(
        layer1=nn.Sequential(*block(1, 16)),
        layer2=nn.Sequential(*block(16, 32), nn.MaxPool2d(2)),
        layer3=nn.Sequential(*block(32, 64)),
        layer4=nn.Sequential(*block(64, 128), nn.MaxPool2d(2)),
        fc=nn.Sequential(nn.Linear(2048, 1024), nn.ReLU(), nn.Linear(1024, 128), nn.Linear(128, 10)),
    )


models = {"lenet": lenet, "tinyvgg": tinyvgg, "mnistcnn": mnistcnn}
mask = 0xFFFFFFFF


def values(shape, seed, bound):
    """uniform numbers by position: the formula of the README, in 64-bit arithmetic"""
    h = (torch.arange(math.prod(shape), dtype=torch.int64) * 0x9E3779B1 + seed) & mask
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & mask
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & mask
    h = h ^ (h >> 16)
    return ((h.double() / 2**32 * 2 - 1) * bound).float().double().reshape(shape)


def by_formula(model, gain):
    seed = 0
    norms = {n for n, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
    with torch.no_grad():
        for name, p in model.named_parameters():
            seed += 1
            bound = math.sqrt(gain / math.prod(p.shape[1:])) if p.dim() > 1 else 0.1
            p.copy_(values(p.shape, seed, bound))
            if p.dim() == 1 and name.endswith("weight") and name.rsplit(".", 1)[0] in norms:
                p.copy_((p + 1).float().double())
    return model


def build(name, gain):
    return by_formula(models[name]().double(), gain)


def state_of(model):
    return [[n, list(t.shape)] for n, t in model.state_dict().items() if not n.endswith("num_batches_tracked")]


def model_cases():
    for name, batch, gain, bound, seed in [
        ("lenet", 3, 2, 2.0, 77),
        ("lenet", 1, 6, 0.5, 4000),
        ("tinyvgg", 5, 3, 1.5, 123),
        ("mnistcnn", 4, 2, 1.0, 9),
    ]:
        model = build(name, gain)
        x = values([batch, 1, 28, 28], seed, bound)
        targets = [(7 * i + 2) % 10 for i in range(batch)]
        logits = model.eval()(x).detach()
        loss = F.cross_entropy(model.train()(x), torch.tensor(targets))
        loss.backward()
        case = {
            "name": f"model/{name}-{batch}",
            "kind": "model",
            "model": name,
            "weightGain": gain,
            "input": {"shape": list(x.shape), "seed": seed, "bound": bound},
            "targets": targets,
            "params": sum(p.numel() for p in model.parameters()),
            "state": state_of(model),
            "outputs": ["logits"],
            "trainLossDropout0": loss.item(),
            "gradNorms": {n: p.grad.norm().item() for n, p in model.named_parameters()},
            "tol": 2e-3,
        }
        yield case, {"logits": logits}


def optimizer_of(params, type, **options):
    makers = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    makers |= {"rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad}
    snake = lambda name: "".join("_" + c.lower() if c.isupper() else c for c in name)
    return makers[type](params, **{snake(k): v for k, v in options.items()})


def training_cases():
    for name, batch, gain, steps, optimizer in [
        ("lenet", 8, 1, 10, {"type": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True}),
        ("lenet", 5, 2, 8, {"type": "rmsprop", "lr": 0.001, "momentum": 0.5, "centered": True}),
        ("lenet", 4, 1, 8, {"type": "adamw", "lr": 0.002, "weightDecay": 0.1, "amsgrad": True}),
        ("tinyvgg", 6, 2, 8, {"type": "adagrad", "lr": 0.01, "lrDecay": 0.1}),
        ("tinyvgg", 10, 1, 8, {"type": "adam", "lr": 0.003, "betas": [0.8, 0.99]}),
        ("mnistcnn", 4, 1, 4, {"type": "sgd", "lr": 0.01, "momentum": 0.9, "weightDecay": 0.0005}),
    ]:
        losses = []
        model = build(name, gain).train()
        updates = optimizer_of(model.parameters(), **optimizer)
        for step in range(steps):
            x = values([batch, 1, 28, 28], 900 + step, 1.0)
            loss = F.cross_entropy(model(x), (torch.arange(batch) * (step + 3)) % 10)
            updates.zero_grad()
            loss.backward()
            updates.step()
            losses.append(loss.item())
        case = {
            "name": f"training/{name}-{optimizer['type']}",
            "kind": "training",
            "model": name,
            "weightGain": gain,
            "input": {"shape": [batch, 1, 28, 28], "firstSeed": 900, "bound": 1.0},
            "targets": "(arange(batch) * (step + 3)) % classes, step from 0",
            "classes": 10,
            "steps": steps,
            "optimizer": optimizer,
            "losses": losses,
            "tol": 1e-3,
        }
        yield case, {}
