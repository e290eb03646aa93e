"""Test the detection of copied images by features of a frozen backbone and by thumbnails.

    python benchmarks/near_duplicates.py
    python benchmarks/near_duplicates.py --data digits --image-size 32
    python benchmarks/near_duplicates.py --weights none

The benchmark makes copies of training images with several encodings and sizes. It finds each copy's
nearest neighbour among all training images, as `learner.check()` does for validation and test
images. For each kind of copy, it prints the fraction whose nearest neighbour is the original, and
quantiles of the cosine and of the thumbnails' correlation. It prints the same quantiles for the
validation and test images, with the most similar pairs. The thresholds in
docs/explanation/check-limits.md come from this benchmark.
"""

import argparse
import io
import tempfile
from pathlib import Path

import common
import numpy as np

WAYS = {
    "JPEG, quality 95": (1.0, 95),
    "JPEG, quality 75": (1.0, 75),
    "JPEG, quality 50": (1.0, 50),
    "JPEG, quality 30": (1.0, 30),
    "JPEG, quality 10": (1.0, 10),
    "half size, quality 90": (0.5, 90),
    "3/4 size, quality 75": (0.75, 75),
    "double size, quality 75": (2.0, 75),
    "quarter size, quality 90": (0.25, 90),
    "mirrored": (-1.0, 95),
    "central 80%": (-0.8, 95),
}


def copy(image: np.ndarray, scale: float, quality: int) -> bytes:
    """Return a scaled copy of a uint8 image (h, w, 3) as JPEG. A scale < 0 mirrors or crops."""
    from PIL import Image, ImageOps

    made = Image.fromarray(image)
    if scale == -1:
        made = ImageOps.mirror(made)
    elif scale < 0:
        made = ImageOps.crop(made, round((1 + scale) / 2 * min(made.size)))
    else:
        made = made.resize([max(1, round(side * scale)) for side in made.size])
    kept = io.BytesIO()
    made.save(kept, "JPEG", quality=quality)
    return kept.getvalue()


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cifar = common.ROOT.parent / "shared/data/cifar10-mini"
    parser.add_argument("--data", default=f"folder:{cifar}", help="folder:PATH or digits")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--weights", default="imagenet", help="none: random weights")
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--copies", type=int, default=100, help="number of copies of each kind")
    parser.add_argument("--shown", type=int, default=8, help="number of similar pairs to print")
    args = parser.parse_args()

    import tensorflow as tf

    import keras_tl as ktl
    from keras_tl.data.images.decoder import decode_image
    from keras_tl.data.images.image_split import ImageSplit
    from keras_tl.features.store import Features
    from keras_tl.preflight.neighbours import nearest
    from keras_tl.preflight.thumbnails import correlations

    if args.data == "digits":
        data = ktl.ImageData.digits()
    else:
        data = ktl.ImageData.from_folder(args.data.removeprefix("folder:"))
    learner = ktl.Learner(
        args.backbone,
        data,
        weights=None if args.weights == "none" else args.weights,
        image_size=args.image_size,
        seed=0,
    )
    train = data.split("train")
    known = learner.trainer.features.of(train)
    print(
        f"{'':26} {'found':>6} {'cosine: least':>14} {'5%':>6} {'correlation: least':>19} {'5%':>6}"
    )
    rows = np.sort(np.random.default_rng(0).permutation(len(train))[: args.copies])
    with tempfile.TemporaryDirectory() as folder:
        for way, (scale, quality) in WAYS.items():
            paths = []
            for row in rows:
                image = train.images[row]
                if train.in_files:
                    image = decode_image(tf.io.read_file(image)).numpy()
                path = Path(folder, f"{len(paths)}.jpg")
                path.write_bytes(copy(np.uint8(image), scale, quality))
                paths.append(str(path))
            made = ImageSplit(tuple(paths), train.labels[rows])
            vectors = np.concatenate([*learner.trainer.features.batches(made)])
            copies = Features(vectors.shape, rows=vectors)
            found, cosines = (x[:, 0] for x in nearest(copies, known, 1))
            alike = correlations(made, train.take(rows))
            print(
                f"{way:26} {(found == rows).mean():6.2f} {cosines.min():14.3f} "
                f"{np.quantile(cosines, 0.05):6.3f} {alike.min():19.4f} "
                f"{np.quantile(alike, 0.05):6.4f}"
            )
    for name in ("validation", "test"):
        split = data.split(name)
        found, cosines = (x[:, 0] for x in nearest(learner.trainer.features.of(split), known, 1))
        alike = correlations(split, train.take(found))
        print(
            f"{name}: cosine 50% {np.median(cosines):.3f}, 99% {np.quantile(cosines, 0.99):.3f}; "
            f"correlation 50% {np.median(alike):.3f}, 99% {np.quantile(alike, 0.99):.3f}"
        )
        for row in np.argsort(-alike)[: args.shown]:
            pair = f"{row} = train {found[row]}"
            if split.in_files:
                pair = f"{split.images[row]} = {train.images[found[row]]}"
            print(f"  correlation {alike[row]:.4f}, cosine {cosines[row]:.3f}: {pair}")


if __name__ == "__main__":
    main()
