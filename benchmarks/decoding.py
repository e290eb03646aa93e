"""Measure the images per second of the input pipeline, compared with Keras's own pipeline.

    python benchmarks/decoding.py

Both pipelines decode JPEG files of 500 x 375 pixels and resize them to 224 pixels. The benchmark
compares `ImagePipeline.ordered` (central crop, antialiased bicubic) with
`keras.utils.image_dataset_from_directory` (bicubic), without and with `crop_to_aspect_ratio=True`.
They alternate in one process. The benchmark prints medians over the rounds after the first, and the
ratio of keras_tl's median to Keras's. `--json` prints one line.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import common


def compare(photos: str, image_size: int, batch_size: int, rounds: int) -> dict[str, Any]:
    """Read all photos with each pipeline in turn. Call this function in a new process.

    Args:
        photos: Folder of class folders.
        image_size: Side of the resized images in pixels.
        batch_size: Number of images in a batch.
        rounds: Number of passes of each pipeline over all photos.

    Returns:
        `"rates"`: images a second in each round, by pipeline.
    """
    import keras

    import keras_tl as ktl
    from keras_tl.data.images.image_pipeline import ImagePipeline

    split = ktl.ImageData.from_folder(photos, validation_split=0, test_split=0).split("train")
    size = (image_size, image_size)

    def of_keras(crop: bool):
        return keras.utils.image_dataset_from_directory(
            photos,
            image_size=size,
            interpolation="bicubic",
            batch_size=batch_size,
            shuffle=False,
            crop_to_aspect_ratio=crop,
            verbose=False,
        )

    pipelines = {
        "ours": ImagePipeline(size, "crop").ordered(split, batch_size),
        "keras": of_keras(crop=False),
        "keras, crop": of_keras(crop=True),
    }
    rates = {name: [] for name in pipelines}
    for number in range(rounds + 1):
        for name, dataset in pipelines.items():
            began = time.perf_counter()
            images = sum(int(pixels.shape[0]) for pixels, _ in dataset)
            assert images == len(split)
            if number:
                rates[name].append(images / (time.perf_counter() - began))
    return {"rates": rates}


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="images (default %(default)s)")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    facts = common.machine()
    with tempfile.TemporaryDirectory(prefix="keras_tl_bench_") as scratch:
        photos = Path(scratch, "photos")
        common.say(f"Writing {options.count} photos")
        written = common.fresh(
            "synthetic:write_photos", folder=photos, count=options.count, height=375, width=500
        )
        common.say("Decoding")
        found = common.fresh(
            "decoding:compare",
            photos=photos,
            image_size=options.image_size,
            batch_size=options.batch_size,
            rounds=options.rounds,
        )
    medians = {name: statistics.median(rates) for name, rates in found["rates"].items()}
    ratios = {f"ours/{name}": medians["ours"] / medians[name] for name in medians if name != "ours"}
    result = {
        "machine": facts,
        "options": vars(options),
        "bytes_per_image": written["bytes"] / options.count,
        "medians": medians,
        "ratios": ratios,
    } | found
    rows = [
        [name, f"{median:.0f}", f"{median / facts['cores']:.0f}", f"{medians['ours'] / median:.2f}"]
        for name, median in medians.items()
    ]
    lines = [
        f"{options.count} JPEG files of 500 x 375 ({result['bytes_per_image'] / 1024:.0f} KiB "
        f"each) to {options.image_size} px, median of {options.rounds} rounds",
        *common.table(["pipeline", "images/s", "images/s a core", "ours over it"], rows),
    ]
    common.show(result, lines, options.json)


if __name__ == "__main__":
    main()
