"""Measure the input of a network's first BatchNorm layer for right and wrong preprocessing.

    python benchmarks/preprocessing_seen.py

The benchmark uses EfficientNet-Lite0 with every preprocessing. The images are photos and digits:
unchanged, darker, or divided by 255. It prints the standard deviation of the input of the first
BatchNorm layer, relative to the standard deviation in the network's training. The limits of the
check in docs/explanation/check-limits.md come from this benchmark.
"""

import argparse
from pathlib import Path

import common
import numpy as np

COUNT = 32


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=common.ROOT.parent / "shared/data")
    parser.add_argument("--image-size", type=int, default=96)
    args = parser.parse_args()

    import keras_tl as ktl
    from keras_tl.backbones.preprocessing import PREPROCESSINGS
    from keras_tl.backbones.user_models import network_of
    from keras_tl.data.images.image_split import ImageSplit
    from keras_tl.preflight.input_statistics import first_statistics
    from keras_tl.preflight.thumbnails import pixels_at

    size = (args.image_size, args.image_size)
    bare = ktl.backbones.load("efficientnet_lite0", image_size=size).layers[-1]
    photos = sorted(map(str, (args.data / "imagenet-check").glob("*.JPEG")))[:COUNT]
    splits = {
        "CIFAR-10": ktl.ImageData.from_folder(args.data / "cifar10-mini", verbose=False)
        .split("train")
        .sample(COUNT, seed=0),
        "ImageNet": ImageSplit(tuple(photos), np.zeros(len(photos), np.int64)),
        "digits": ktl.ImageData.digits().split("train").sample(COUNT, seed=0),
    }
    pixels = {name: pixels_at(split, size, "crop") for name, split in splits.items()}
    pixels["ImageNet, 0.3 of its brightness"] = 0.3 * pixels["ImageNet"]
    pixels["CIFAR-10, divided by 255"] = pixels["CIFAR-10"] / 255
    print(f"{'':32}" + "".join(f"{name:>9}" for name in PREPROCESSINGS))
    for name, images in pixels.items():
        found = [
            first_statistics(network_of(bare, preprocess, size), images)[1]
            for preprocess in PREPROCESSINGS
        ]
        print(f"{name:32}" + "".join(f"{ratio:9.3g}" for ratio in found))


if __name__ == "__main__":
    main()
