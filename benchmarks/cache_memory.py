"""Measure the peak memory of head training on spatial features in a disk cache.

    python benchmarks/cache_memory.py

For each number of images, a new process with an empty cache folder extracts the features and runs
fit_head with `CacheConfig("disk")` and `HeadConfig(pooling="flatten")`. The benchmark prints each
run's peak memory, the size of its features on disk and its seconds. Then it prints the ratio of the
peak memory of the largest run to that of the smallest run. The targets are less than 3 GiB, and a
ratio of at most 1.2. `--counts 2000,5000,20000` adds other numbers of images. `--json` prints one
line.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import common

MOST_BYTES = 3 * common.GIB
MOST_RATIO = 1.2


def train(
    photos: str, cache: str, backbone: str, image_size: int, epochs: int, where: str
) -> dict[str, Any]:
    """Train a head. Call this function in a new process.

    Args:
        photos: Folder of class folders.
        cache: Empty folder for the cache.
        backbone: Name of the backbone.
        image_size: Side of the input images in pixels.
        epochs: Number of epochs.
        where: Place of the feature cache, see `CacheConfig.where`.
    """
    import keras_tl as ktl

    data = ktl.ImageData.from_folder(
        photos, image_size=image_size, validation_split=0, test_split=0
    )
    head = ktl.HeadConfig(pooling="flatten")
    learner = ktl.Learner(backbone, data, head=head, precision="float32", seed=0, verbose=False)
    folder = None if where == "memory" else cache
    learner.fit_head(epochs, cache=ktl.CacheConfig(where, folder=folder))
    return {
        "images": len(data.split("train")),
        "shape": learner.trainer.parts.extractor.output_shape[1:],
        "disk_bytes": sum(file.stat().st_size for file in Path(cache).rglob("features.bin")),
    }


def measure(count: int, options: argparse.Namespace) -> dict[str, Any]:
    """Write the images, then train on them. Each of the two steps runs in a new process."""
    with tempfile.TemporaryDirectory(prefix="keras_tl_bench_") as scratch:
        photos, cache = Path(scratch, "photos"), Path(scratch, "cache")
        common.say(f"{count} images: writing them")
        side = options.image_size
        common.fresh("synthetic:write_photos", folder=photos, count=count, height=side, width=side)
        common.say(f"{count} images: training")
        return common.fresh(
            "cache_memory:train",
            photos=photos,
            cache=cache,
            backbone=options.backbone,
            image_size=options.image_size,
            epochs=options.epochs,
            where=options.cache,
        )


def main() -> None:
    """Run the benchmark for each number of images, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=common.counts, default=[2000, 20000])
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--cache", choices=("disk", "auto", "memory"), default="disk")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    facts = common.machine()
    runs = [measure(count, options) for count in options.counts]
    peaks = [run["peak_bytes"] for run in runs]
    ratio = peaks[-1] / peaks[0]
    targets = {"below_3_gib": max(peaks) < MOST_BYTES}
    if len(runs) > 1:
        targets["flat"] = ratio <= MOST_RATIO
    result = {
        "machine": facts,
        "options": vars(options),
        "runs": runs,
        "ratio": ratio,
        "targets": targets,
    }
    rows = [
        [
            str(run["images"]),
            f"{run['peak_bytes'] / common.MIB:.0f}",
            f"{run['disk_bytes'] / common.MIB:.0f}",
            f"{run['wall_seconds']:.1f}",
        ]
        for run in runs
    ]
    shape = " x ".join(map(str, runs[0]["shape"]))
    lines = [
        f"{options.backbone} at {options.image_size} px, features {shape}, {options.epochs} "
        f"epochs, cache {options.cache}",
        *common.table(["images", "peak MiB", "features MiB", "wall s"], rows),
        f"Every peak below 3 GiB: {common.verdict(targets['below_3_gib'])}",
    ]
    if "flat" in targets:
        lines.append(
            f"{runs[-1]['images']} images over {runs[0]['images']}: {ratio:.3f}, at most "
            f"{MOST_RATIO}: {common.verdict(targets['flat'])}"
        )
    common.show(result, lines, options.json)


if __name__ == "__main__":
    main()
