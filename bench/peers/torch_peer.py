"""PyTorch as a peer: reads one JSON object per line and answers with one."""

import json
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

threads = int(sys.argv[1])
torch.set_num_threads(threads)


# ---------- numbers by formula, as the reference cases have them


def values(shape, seed, bound):
    count = int(np.prod(shape))
    out = np.empty(count, dtype=np.float32)
    for start in range(0, count, 1 << 22):
        stop = min(count, start + (1 << 22))
        h = np.arange(start, stop, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
        out[start:stop] = (h / 2**32 * 2 - 1) * bound
    return torch.from_numpy(out).reshape(shape)


def fill(model):
    """the weights of the formula, with gain 1"""
    seed = 0
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked") or "running_" in name:
            continue
        seed += 1
        if tensor.dim() >= 2:
            value = values(tensor.shape, seed, (1 / tensor[0].numel()) ** 0.5)
        else:
            value = values(tensor.shape, seed, 0.1)
            if name.endswith("weight"):
                value = 1 + value
        tensor.copy_(value)
    return model


# ---------- models


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential()
        self.layer1.add_module("conv1", nn.Conv2d(1, 6, 3, padding=1))
        self.layer1.add_module("pool1", nn.MaxPool2d(2))
        self.layer2 = nn.Sequential()
        self.layer2.add_module("conv2", nn.Conv2d(6, 16, 5))
        self.layer2.add_module("pool2", nn.MaxPool2d(2))
        self.layer3 = nn.Sequential()
        self.layer3.add_module("fc1", nn.Linear(400, 120))
        self.layer3.add_module("fc2", nn.Linear(120, 84))
        self.layer3.add_module("fc3", nn.Linear(84, 10))

    def forward(self, x):
        return self.layer3(torch.flatten(self.layer2(self.layer1(x)), 1))


class TinyVGG(nn.Module):
    def __init__(self):
        super().__init__()

        def block(i, o):
            return nn.Sequential(
                nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.Conv2d(o, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
            )

        self.block_1, self.block_2 = block(1, 10), block(10, 10)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(490, 10))

    def forward(self, x):
        return self.classifier(self.block_2(self.block_1(x)))


class MnistCnn(nn.Module):
    def __init__(self):
        super().__init__()

        def block(i, o):
            return [nn.Conv2d(i, o, 3), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]

        self.layer1 = nn.Sequential(*block(1, 16))
        self.layer2 = nn.Sequential(*block(16, 32), nn.MaxPool2d(2, 2))
        self.layer3 = nn.Sequential(*block(32, 64))
        self.layer4 = nn.Sequential(*block(64, 128), nn.MaxPool2d(2, 2))
        self.fc = nn.Sequential(
            nn.Linear(2048, 1024), nn.ReLU(inplace=True), nn.Linear(1024, 128), nn.Linear(128, 10)
        )

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.view(x.size(0), -1))


own = {"lenet": LeNet, "tinyvgg": TinyVGG, "mnistcnn": MnistCnn}


def make(name):
    if name in own:
        return fill(own[name]())
    try:
        import torchvision
    except ImportError:
        return None
    # its own initialisation of large models takes long, and is overwritten
    nothing = {f: getattr(nn.init, f) for f in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_", "trunc_normal_")}
    for f in nothing:
        setattr(nn.init, f, lambda tensor, *_, **__: tensor)
    try:
        return fill(getattr(torchvision.models, name)())
    finally:
        for f, before in nothing.items():
            setattr(nn.init, f, before)


def optimizer_of(model, given):
    if given["type"] == "adam":
        return torch.optim.Adam(model.parameters(), lr=given["lr"])
    return torch.optim.SGD(model.parameters(), lr=given["lr"], momentum=given.get("momentum", 0))


# ---------- jobs: each gives a function that does one iteration and gives the result


def contraction(form):
    if form["_tag"] == "MatMul":
        m, n, k = form["m"], form["n"], form["k"]
        a = values([k, m] if form["transposeA"] else [m, k], 1, 1)
        b = values([n, k] if form["transposeB"] else [k, n], 2, 1)
        a, b = (a.t() if form["transposeA"] else a), (b.t() if form["transposeB"] else b)
        return lambda: a @ b
    stride, padding, dilation, groups = (form[k] for k in ("stride", "padding", "dilation", "groups"))
    x = [form["n"], form["c"], form["h"], form["w"]]
    w = [form["o"], form["c"] // groups, *form["kernel"]]
    y = [form["n"], form["o"], form["oh"], form["ow"]]
    if form["pass"] == "forward":
        x, w = values(x, 1, 1), values(w, 2, 1)
        return lambda: F.conv2d(x, w, None, stride, padding, dilation, groups)
    backward = torch.ops.aten.convolution_backward
    if form["pass"] == "inputGradient":
        dy, x, w, at = values(y, 1, 1), torch.zeros(x), values(w, 2, 1), 0
    else:
        x, dy, w, at = values(x, 1, 1), values(y, 2, 1), torch.zeros(w), 1
    mask = [at == 0, at == 1, False]
    return lambda: backward(dy, x, w, None, stride, padding, dilation, False, [0, 0], groups, mask)[at]


batches = 4


def inputs(job, step):
    x = values([job["batch"], *job["sample"]], 5000 + step, 1)
    y = torch.arange(job["batch"]) * (step + 3) % 10
    return x, y


def stepper(model, job, dtype=torch.float32):
    """a function that takes one training step on the next batch and gives its loss"""
    model.train()
    optimizer = optimizer_of(model, job["optimizer"])
    data = [inputs(job, i) for i in range(batches)]
    data = [(x.to(dtype), y) for x, y in data]
    step = -1

    def run():
        nonlocal step
        step += 1
        x, y = data[step % batches]
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


def network(job):
    model = make(job["model"])
    if model is None:
        return None
    if job["training"]:
        return stepper(model, job)
    model.eval()
    x, _ = inputs(job, 0)
    return lambda: model(x)


def losses(job, steps):
    """without dropout; in float64 where memory allows"""
    model = make(job["model"])
    if model is None:
        return None
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    large = sum(p.numel() for p in model.parameters()) > 1e8
    if not large:
        model.double()
    run = stepper(model, job, torch.float32 if large else torch.float64)
    return [run() for _ in range(steps)]


def bandwidth(job):
    n, shape = int(np.prod(job["shape"])), job["shape"]
    x = values(shape, 1, 1)
    name = job["name"]
    if name == "relu":
        return lambda: torch.relu(x)
    if name == "relu in place":
        return lambda: torch.relu_(x)
    if name == "add":
        y = values(shape, 2, 1)
        return lambda: x + y
    if name == "max pooling":
        return lambda: F.max_pool2d(x, 2)
    if name == "average pooling":
        return lambda: F.avg_pool2d(x, 2)
    if name == "exp":
        return lambda: torch.exp(x)
    if name == "max pooling and gradient":
        x.requires_grad_(True)
        dy = values([*shape[:2], shape[2] // 2, shape[3] // 2], 2, 1)

        def pool():
            with torch.enable_grad():
                return torch.autograd.grad(F.max_pool2d(x, 2), x, dy)[0]

        return pool
    if name == "overlapping max pooling":
        return lambda: F.max_pool2d(x, 3, 2)
    if name == "overlapping max pooling and gradient":
        x.requires_grad_(True)
        dy = values([*shape[:2], (shape[2] - 1) // 2, (shape[3] - 1) // 2], 2, 1)

        def overlapping():
            with torch.enable_grad():
                return torch.autograd.grad(F.max_pool2d(x, 3, 2), x, dy)[0]

        return overlapping
    if name == "layer normalisation":
        return lambda: F.layer_norm(x, x.shape[1:])
    if name == "softmax":
        return lambda: F.softmax(x, 1)
    if name == "local response normalisation":
        return lambda: F.local_response_norm(x, 5)
    if name == "batch normalisation":
        return lambda: F.batch_norm(x, None, None, training=True)
    if name == "batch normalisation gradient":
        x.requires_grad_(True)
        dy = values(shape, 2, 1)

        def norm():
            with torch.enable_grad():
                return torch.autograd.grad(F.batch_norm(x, None, None, training=True), x, dy)[0]

        return norm
    if name in ("adam", "sgd with momentum"):
        p = nn.Parameter(x)
        p.grad = values(shape, 2, 1)
        adam = torch.optim.Adam([p], lr=1e-3)
        optimizer = adam if name == "adam" else torch.optim.SGD([p], lr=1e-3, momentum=0.9)

        def step():
            optimizer.step()
            return p.detach()

        return step
    return None


def pictures(job):
    """an epoch of a folder of pictures with the usual augmentation, by as many processes as there are threads"""
    try:
        from torchvision import datasets, transforms
    except ImportError:
        return None
    augmentation = transforms.Compose(
        [
            transforms.RandomResizedCrop(job["side"]),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    loader = torch.utils.data.DataLoader(
        datasets.ImageFolder(job["folder"], augmentation),
        batch_size=job["batch"],
        shuffle=True,
        drop_last=True,
        num_workers=threads,
        persistent_workers=True,
    )

    def epoch():
        for x, _ in loader:
            last = x
        return last

    return epoch


def data(job):
    """an epoch as is usual: each picture to a tensor, shuffled, in batches"""
    try:
        from torchvision.datasets.mnist import read_image_file, read_label_file
        from torchvision.transforms import ToTensor
    except ImportError:
        return None
    images = read_image_file(job["folder"] + "/train-images-idx3-ubyte").numpy()
    labels = read_label_file(job["folder"] + "/train-labels-idx1-ubyte")
    to_tensor = ToTensor()

    class Digits(torch.utils.data.Dataset):
        def __len__(self):
            return len(images)

        def __getitem__(self, i):
            return to_tensor(images[i]), int(labels[i])

    loader = torch.utils.data.DataLoader(Digits(), batch_size=job["batch"], shuffle=True, drop_last=True)

    def epoch():
        for x, _ in loader:
            last = x
        return last

    return epoch


current = None
result = None
inference = False
taken = 0


def run(iterations):
    global result, taken
    taken += iterations
    start = time.perf_counter()
    with torch.set_grad_enabled(not inference):
        for _ in range(iterations):
            result = current()
    return (time.perf_counter() - start) * 1000


def prepare(job):
    global current, result, inference, taken
    current = result = None
    taken = 0
    inference = job["kind"] != "step" or not job["training"]
    if job["kind"] == "contraction":
        current = contraction(job["form"])
    elif job["kind"] == "step":
        current = network(job)
    elif job["kind"] == "data":
        current = pictures(job) if "side" in job else data(job)
    else:
        current = bandwidth(job)
    if current is None:
        return {"unsupported": "torchvision is not installed" if job["kind"] in ("step", "data") else "not written"}
    ms = first = run(1)
    while first < 300 and ms > 0:
        ms = run(1)
        first += max(ms, 1)
    return {"ms": ms}


def blas():
    torch.ones(64, 64) @ torch.ones(64, 64)
    try:
        with open("/proc/self/maps") as maps:
            loaded = maps.read().lower()
    except OSError:
        return "its own BLAS"
    return next((name for name in ("OpenBLAS", "MKL") if f"lib{name.lower()}" in loaded), "its own BLAS")


def answer(request):
    global current, result
    op = request["op"]
    if op == "hello":
        return {"description": f"PyTorch {torch.__version__} with {blas()} ({sys.executable}), {torch.get_num_threads()} threads"}
    if op == "prepare":
        with torch.no_grad():
            if request["job"]["kind"] == "step" and request["job"]["training"]:
                with torch.enable_grad():
                    return prepare(request["job"])
            return prepare(request["job"])
    if op == "run":
        return {"ms": run(request["iterations"])}
    if op == "values":
        flat = result.reshape(-1) if torch.is_tensor(result) else torch.tensor([result])
        return {"values": [float(flat[i]) for i in request["at"]], "iterations": taken}
    if op == "losses":
        found = losses(request["job"], request["steps"])
        return {"unsupported": "torchvision is not installed"} if found is None else {"losses": found}
    current = result = None
    return {}


for text in sys.stdin:
    try:
        reply = answer(json.loads(text))
    except (RuntimeError, MemoryError, AttributeError) as error:
        reply = {"unsupported": f"{type(error).__name__}: {str(error).splitlines()[0]}"}
    print(json.dumps(reply), flush=True)
