r"""Compare the LogME score of `rank_backbones` with a classifier's accuracy on the same features.

    python benchmarks/ranking.py
    python benchmarks/ranking.py --sizes 64 --items 500 2000

The backbones are EfficientNet-Lite0, cut off after each of its blocks, at several image sizes, with
ImageNet weights and with random weights. The benchmark prints their scores, and the accuracy on the
test folder of scikit-learn's `LogisticRegression`, trained on standardised features of all training
images. It prints the rank correlations between scores and accuracies, for each number of scored
training images in `--items`. Everything runs in one process, with a temporary feature cache. The
table in docs/explanation/ranking.md comes from this benchmark.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import common
import numpy as np

NAME = "efficientnet_lite0"


def measure(data: str, sizes: list[int], random_sizes: list[int], items: list[int]):
    """Return scores and accuracies of all backbones, in the order of their last blocks."""
    from scipy.stats import kendalltau, spearmanr

    import keras_tl as ktl

    blocks = [block.name for block in ktl.backbones.CATALOGUE[NAME].blocks]
    given = [
        {"backbone": NAME, "image_size": size, "output_block": block, "weights": weights}
        for weights, of_these in (("imagenet", sizes), (None, random_sizes))
        for size in of_these
        for block in blocks[1:]
    ]
    for one in given:
        one["name"] = f"{one['weights'] or 'random'} {one['image_size']} px {one['output_block']}"
    with tempfile.TemporaryDirectory() as folder:
        cache = ktl.CacheConfig(folder=folder)
        photos = ktl.ImageData.from_folder(data, validation_split=0, verbose=False)
        accuracies = {one["name"]: _accuracy(photos, one, cache) for one in given}
        rankings = [
            ktl.rank_backbones(photos, given, max_items=count, cache=cache, verbose=False)
            for count in items
        ]
    scores = [{row.name: row for row in ranking.rows} for ranking in rankings]
    rows = [
        {
            "name": name,
            "width": scores[0][name].width,
            "scores": [found[name].score for found in scores],
            "accuracy": accuracy,
            "seconds": scores[-1][name].seconds,
        }
        for name, accuracy in accuracies.items()
    ]
    correlations = {}
    for group in ("all", "imagenet", "random"):
        chosen = [row for row in rows if group in ("all", row["name"].split()[0])]
        if len(chosen) > 2:
            truth = [row["accuracy"] for row in chosen]
            each = [[row["scores"][n] for row in chosen] for n in range(len(items))]
            correlations[group] = {
                "backbones": len(chosen),
                "spearman": [float(spearmanr(found, truth).statistic) for found in each],
                "kendall": [float(kendalltau(found, truth).statistic) for found in each],
                "best_found": [truth[int(np.argmax(found))] - max(truth) for found in each],
            }
    return {"rows": rows, "correlations": correlations}


def _accuracy(photos: Any, one: dict[str, Any], cache: Any) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import keras_tl as ktl

    settings = {key: value for key, value in one.items() if key != "name"}
    learner = ktl.Learner(data=photos, seed=0, verbose=False, **settings)
    train, test = (
        learner.features(learner.data.split(name), cache=cache) for name in ("train", "test")
    )
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    classifier.fit(train, photos.split("train").labels)
    accuracy = classifier.score(test, photos.split("test").labels)
    common.say(f"{one['name']}: accuracy {accuracy:.3f}")
    return float(accuracy)


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=common.ROOT.parent / "shared/data/cifar10-mini"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 96])
    parser.add_argument("--random-sizes", type=int, nargs="*", default=[64])
    parser.add_argument("--items", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"Skipped: there is no folder {args.data}.")
        sys.exit()
    result = {"machine": common.machine(), "items": args.items}
    result |= measure(str(args.data), args.sizes, args.random_sizes, args.items)
    rows = [
        [
            row["name"],
            str(row["width"]),
            *(f"{score:.4f}" for score in row["scores"]),
            f"{row['accuracy']:.3f}",
            f"{row['seconds']:.1f}",
        ]
        for row in sorted(result["rows"], key=lambda row: -row["scores"][-1])
    ]
    names = [f"LogME of {count:,}" for count in args.items]
    lines = common.table(["backbone", "features", *names, "accuracy", "seconds"], rows)
    for group, found in result["correlations"].items():
        spearman, kendall = (
            ", ".join(f"{value:.3f}" for value in found[name]) for name in ("spearman", "kendall")
        )
        lost = ", ".join(f"{value:+.3f}" for value in found["best_found"])
        lines.append(
            f"{group} ({found['backbones']}): Spearman {spearman}; Kendall {kendall}; accuracy of "
            f"the backbone with the best score minus the best accuracy {lost}"
        )
    common.show(result, lines, args.json)


if __name__ == "__main__":
    main()
