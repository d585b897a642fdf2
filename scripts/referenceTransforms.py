"""What torchvision makes of some pictures: the known values of property-tests/pipelines/transforms.test.ts.

Run with a Python that has torch and torchvision (made with 1.13 and 0.14):
    python3 scripts/referenceTransforms.py > property-tests/pipelines/torchvision.json
"""
import base64
import io
import json

import numpy as np
import torch
import torchvision
import torchvision.transforms as T
import torchvision.transforms.functional as F
from PIL import Image
from torchvision.transforms import InterpolationMode as I

torch.manual_seed(0)


def packed(t):
    return {"shape": list(t.shape), "data": base64.b64encode(t.contiguous().to(torch.float32).numpy().tobytes()).decode()}


wide = torch.rand(3, 7, 10)
tall = torch.rand(3, 9, 6)
grey = torch.rand(1, 8, 8)
# greys, blacks and whites among the colours: where hue and saturation are not defined
edge = torch.rand(3, 4, 6)
edge[:, 0, :] = 0.5
edge[:, 1, 0] = 0
edge[:, 1, 1] = 1
edge[1, 2, :] = edge[0, 2, :]
inputs = {"wide": wide, "tall": tall, "grey": grey, "edge": edge}
cases = []


def case(name, on, options, f):
    cases.append({"name": name, "input": on, "options": options, "output": packed(f(inputs[on]))})


for on in ["wide", "tall", "grey"]:
    for size in [[3, 4], [14, 5], [4, 13], [7, 10], 5, 12]:
        for antialias in [True, False]:
            case("resize", on, {"size": size, "antialias": antialias}, lambda x: F.resize(x, size, antialias=antialias))
    for size in [5, [4, 3], [12, 5], [5, 13], 11]:
        case("centerCrop", on, {"size": size}, lambda x: F.center_crop(x, size))
for on, mode, padding in [
    ("wide", "constant", 2), ("wide", "constant", [1, 2]), ("wide", "constant", [0, 1, 2, 3]), ("tall", "edge", [3, 1, 0, 2]),
    ("tall", "reflect", [2, 4, 5, 1]), ("tall", "symmetric", [6, 2, 1, 9]), ("grey", "reflect", 3),
]:
    case("pad", on, {"padding": padding, "mode": mode, "fill": 0.25},
         lambda x: F.pad(x, padding, 0.25 if mode == "constant" else 0, mode))
case("hflip", "wide", {}, F.hflip)
case("vflip", "wide", {}, F.vflip)
for on in ["wide", "tall", "grey"]:
    for angle in [0, 17, 90, -120.5, 180]:
        for mode in ["nearest", "bilinear"]:
            # a quarter turn of sides that are odd and even falls between two pixels: rounding errors decide which it is
            if angle == 90 and mode == "nearest" and on != "grey":
                continue
            case("rotate", on, {"angle": angle, "interpolation": mode, "fill": 0.3},
                 lambda x: F.rotate(x, angle, I(mode), fill=[0.3]))
case("rotate", "wide", {"angle": 33, "interpolation": "bilinear", "fill": 0, "center": [2, 5]},
     lambda x: F.rotate(x, 33, I.BILINEAR, center=[2, 5], fill=[0.0]))
for on in ["wide", "grey", "edge"]:
    for factor in [0, 0.4, 1, 1.9]:
        case("brightness", on, {"factor": factor}, lambda x: F.adjust_brightness(x, factor))
        case("contrast", on, {"factor": factor}, lambda x: F.adjust_contrast(x, factor))
        case("saturation", on, {"factor": factor}, lambda x: F.adjust_saturation(x, factor))
    for factor in [-0.5, -0.13, 0.2, 0.5]:
        case("hue", on, {"factor": factor}, lambda x: F.adjust_hue(x, factor))
for n in [1, 3]:
    case("grayscale", "edge", {"channels": n}, lambda x: F.rgb_to_grayscale(x, n))
case("normalize", "wide", {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.25, 2]}, lambda x: F.normalize(x, [0.1, 0.2, 0.3], [0.5, 0.25, 2]))
case("normalize", "grey", {"mean": [0.5], "std": [0.5]}, lambda x: F.normalize(x, [0.5], [0.5]))
for region in [[1, 2, 5, 6], [0, 0, 7, 10], [6, 9, 1, 1], [2, 0, 3, 10]]:
    top, left, h, w = region
    for antialias in [True, False]:
        case("resizedCrop", "wide", {"region": region, "size": [4, 5], "antialias": antialias},
             lambda x: F.resized_crop(x, top, left, h, w, [4, 5], antialias=antialias))
bytes_ = torch.randint(0, 256, (5, 4, 3), dtype=torch.uint8)
inputs["bytes"] = bytes_.to(torch.float32)
case("toTensor", "bytes", {}, lambda _: F.to_tensor(bytes_.numpy()))


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    data = out.getvalue()
    return data, {m: np.asarray(Image.open(io.BytesIO(data)).convert(m)) for m in ["RGB", "L"]}


smooth = (np.add.outer(np.arange(13) * 9, np.arange(11) * 11)[..., None] + np.array([0, 20, 40])).clip(0, 255).astype(np.uint8)
rgba = np.dstack([smooth, np.full(smooth.shape[:2], 77, np.uint8)])
palette = Image.fromarray(smooth).quantize(16)
pictures = []
for name, image, kind, options in [
    ("rgb", Image.fromarray(smooth), "PNG", {}), ("grey", Image.fromarray(smooth[..., 0]), "PNG", {}),
    ("alpha", Image.fromarray(rgba), "PNG", {}), ("palette", palette, "PNG", {}),
    ("photo", Image.fromarray(smooth), "JPEG", {"quality": 95}),
    ("greyphoto", Image.fromarray(smooth[..., 0]), "JPEG", {"quality": 95}),
]:
    data, decoded = encoded(image, kind, **options)
    pictures.append({
        "name": name, "file": base64.b64encode(data).decode(), "extension": {"PNG": "png", "JPEG": "jpg"}[kind],
        "rgb": packed(torch.from_numpy(decoded["RGB"].copy()).permute(2, 0, 1)),
        "grey": packed(torch.from_numpy(decoded["L"].copy())[None]),
    })
print(json.dumps({
    "torch": torch.__version__, "torchvision": torchvision.__version__,
    "inputs": {k: packed(v) for k, v in inputs.items()}, "cases": cases, "pictures": pictures,
}, indent=None, separators=(",", ":")))
