r"""Measure the test accuracy of fine-tuning with several settings, from the same trained head.

    python benchmarks/fine_tuning.py
    python benchmarks/fine_tuning.py --seeds 3 --settings '[{}, {"learning_rate": 1e-5}]'
    python benchmarks/fine_tuning.py --backbone resnet50 --image-size 32 --data digits \
        --pretrain folder:../shared/data/cifar10-mini
    python benchmarks/fine_tuning.py --validation 0.15 \
        --settings '[{"policy": "gradual", "learning_rate": 3e-4}]'

For each seed and setting, a new process trains the head for 20 epochs on cached features. It then
calls `fine_tune` with that setting (`{}`: the defaults). By default there is no validation split,
so no fine-tuning is undone. `--validation 0.15` takes a validation split from the training images.
`fine_tune` then keeps the best epoch's weights, and you can choose settings by the validation
accuracy. `--pretrain` is for backbones without available weights. It first trains the backbone from
random weights, on the classes of the given data that are not in `--classes`. The benchmark prints
mean accuracies before and after fine-tuning and median seconds (`--json`: every run). The tables in
docs/explanation/fine-tuning-defaults.md come from it.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import common

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3)
SETTINGS = [*({"learning_rate": rate} for rate in RATES), {"unfreeze": 3}]


def pretrain(
    data: str, backbone: str, image_size: int, without: list[str], epochs: int, out: str
) -> dict[str, Any]:
    """Train a backbone from random weights. Call this function in a new process.

    Args:
        data: SPEC of the data, such as `"digits"` or `"folder:PATH"`.
        backbone: Name of the backbone.
        image_size: Side of the input images in pixels.
        without: Names of classes to leave out.
        epochs: Number of epochs.
        out: Folder for the saved run.

    Returns:
        The test metrics.
    """
    import keras_tl as ktl
    from keras_tl.data.specs import load_spec

    images = load_spec(data, image_size=image_size)
    seen = images.subset([name for name in images.class_names if name not in without])
    learner = ktl.Learner(backbone, seen, weights=None, seed=0, verbose=False)
    learner.fine_tune(epochs, policy="scratch")
    learner.save(out)
    return learner.evaluate()


def tune(
    data: str,
    backbone: str,
    image_size: int,
    classes: list[str] | None,
    per_class: int | None,
    validation: float,
    seed: int,
    setting: dict[str, Any],
) -> dict[str, Any]:
    """Train a head, then fine-tune. Call this function in a new process.

    Args:
        data: SPEC of the data.
        backbone: Name of the backbone, or `run:PATH`.
        image_size: Side in pixels.
        classes: Classes to learn. `None`: all.
        per_class: Training images of each class. `None`: all.
        validation: Fraction of the training images for the validation split.
        seed: Seed of the learner, and of the draw of the training images.
        setting: Arguments of `fine_tune`.

    Returns:
        Test accuracy before and after fine-tuning, the seconds of fine-tuning, and with a
        validation split the validation accuracy after fine-tuning.
    """
    import time

    import keras_tl as ktl
    from keras_tl.data.specs import load_spec

    images = load_spec(data, image_size=image_size, validation_split=validation)
    images = images.subset(classes, per_class=per_class, seed=seed)
    learner = ktl.Learner(backbone, images, precision="float32", seed=seed, verbose=False)
    learner.fit_head(epochs=20)
    before = learner.evaluate()["accuracy"]
    began = time.perf_counter()
    learner.fine_tune(**setting)
    seconds = time.perf_counter() - began
    found = {"before": before, "after": learner.evaluate()["accuracy"], "seconds": seconds}
    if validation:
        found["validation"] = learner.evaluate("validation")["accuracy"]
    return found


def main() -> None:
    """Run every setting with every seed, and print the mean accuracies."""
    cifar = common.ROOT.parent / "shared/data/cifar10-mini"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="SPEC", default=f"folder:{cifar}")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--classes", nargs="+")
    parser.add_argument("--per-class", type=int)
    parser.add_argument("--validation", type=float, default=0, metavar="SHARE")
    parser.add_argument("--pretrain", metavar="SPEC")
    parser.add_argument("--pretrain-epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--settings", type=json.loads, default=SETTINGS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    for spec in (args.data, args.pretrain or args.data):
        kind, _, folder = spec.partition(":")
        if kind == "folder" and not Path(folder).is_dir():
            print(f"Skipped: there is no folder {folder}.")
            sys.exit()
    result = {"machine": common.machine(), "runs": []}
    with tempfile.TemporaryDirectory() as folder:
        backbone = args.backbone
        if args.pretrain:
            common.say(f"pretraining {args.backbone} on {args.pretrain}")
            result["pretrained"] = common.fresh(
                "fine_tuning:pretrain",
                data=args.pretrain,
                backbone=args.backbone,
                image_size=args.image_size,
                without=args.classes or [],
                epochs=args.pretrain_epochs,
                path=Path(folder) / "source",
            )
            backbone = f"run:{folder}/source"
        for seed in range(args.seeds):
            for setting in args.settings:
                common.say(f"seed {seed}: fine_tune({setting})")
                run = common.fresh(
                    "fine_tuning:tune",
                    data=args.data,
                    backbone=backbone,
                    image_size=args.image_size,
                    classes=args.classes,
                    per_class=args.per_class,
                    validation=args.validation,
                    seed=seed,
                    setting=setting,
                )
                result["runs"].append({"seed": seed, "setting": setting} | run)
                common.say(str(run))
    accuracies = ["before", "after", *(["validation"] if args.validation else [])]
    rows = []
    for setting in args.settings:
        runs = [run for run in result["runs"] if run["setting"] == setting]
        name = ", ".join(f"{key}={value}" for key, value in setting.items()) or "default"
        rows.append(
            [
                name,
                *(f"{statistics.mean(r[key] for r in runs):.3f}" for key in accuracies),
                f"{statistics.median(r['seconds'] for r in runs):.0f}",
            ]
        )
    header = ["fine_tune(...)", "accuracy before", *accuracies[1:], "seconds"]
    common.show(result, common.table(header, rows), args.json)


if __name__ == "__main__":
    main()
