"""Test accuracy of fine-tuning at several settings, from the same trained head.

    python benchmarks/fine_tuning.py
    python benchmarks/fine_tuning.py --seeds 3 --settings '[{}, {"learning_rate": 1e-5}]'

For each seed and setting a new process trains the head for 20 epochs on cached features and then
calls `fine_tune` with that setting (`{}` is the default). Prints the mean test accuracies before
and after and the median seconds of fine-tuning; with `--json` every run. The table in
docs/fine_tuning.md was made with it.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import common

SETTINGS = [
    {},
    *({"learning_rate": rate} for rate in (1e-5, 1e-4, 5e-4, 1e-3)),
    {"unfreeze": 3},
]


def tune(
    data: str, backbone: str, image_size: int, seed: int, setting: dict[str, Any]
) -> dict[str, Any]:
    """Trains a head, then fine-tunes; to be run in a process of its own.

    Args:
        data: folder with `train/` and `test/`.
        backbone: name of the backbone.
        image_size: side in pixels.
        seed: of the learner.
        setting: arguments of `fine_tune`.

    Returns:
        Test accuracy before and after, and the seconds between.
    """
    import time

    import keras_tl as ktl

    images = ktl.ImageData.from_folder(data, image_size, validation_split=0)
    learner = ktl.Learner(backbone, images, precision="float32", seed=seed, verbose=False)
    learner.fit_head(epochs=20)
    before = learner.evaluate()["accuracy"]
    began = time.perf_counter()
    learner.fine_tune(**setting)
    seconds = time.perf_counter() - began
    return {"before": before, "after": learner.evaluate()["accuracy"], "seconds": seconds}


def main() -> None:
    """Runs every setting with every seed, in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=common.ROOT.parent / "shared/data/cifar10-mini")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--settings", type=json.loads, default=SETTINGS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not Path(args.data).is_dir():
        print(f"Skipped: there is no folder {args.data}.")
        sys.exit()
    result = {"machine": common.machine(), "runs": []}
    for seed in range(args.seeds):
        for setting in args.settings:
            common.say(f"seed {seed}: fine_tune({setting})")
            run = common.fresh(
                "fine_tuning:tune",
                data=str(args.data),
                backbone=args.backbone,
                image_size=args.image_size,
                seed=seed,
                setting=setting,
            )
            result["runs"].append({"seed": seed, "setting": setting} | run)
    rows = []
    for setting in args.settings:
        runs = [run for run in result["runs"] if run["setting"] == setting]
        name = ", ".join(f"{key}={value}" for key, value in setting.items()) or "default"
        rows.append(
            [
                name,
                *(f"{statistics.mean(r[key] for r in runs):.3f}" for key in ("before", "after")),
                f"{statistics.median(r['seconds'] for r in runs):.0f}",
            ]
        )
    header = ["fine_tune(...)", "accuracy before", "after", "seconds"]
    common.show(result, common.table(header, rows), args.json)


if __name__ == "__main__":
    main()
