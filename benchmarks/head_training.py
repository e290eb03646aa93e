"""Compare complete head training with the method of the Keras guide and with scikit-learn.

    python benchmarks/head_training.py

The benchmark runs each contender in new processes, with the same images, weights, image size and
number of epochs. With every seed, it runs all contenders, in a rotated order:

    ours            Learner, fit_head with an empty feature cache, evaluate
    guide           the frozen backbone inside the model, Model.fit, one evaluate at the end
    guide-validated the same, with a test after every epoch, as the guide does
    logistic        features once through Model.predict, then LogisticRegression

For each contender, it prints the median seconds (measured by the parent process and by the process
itself), the mean test accuracy and the median peak memory. Then it prints the ratios of the
medians. `--guide-epochs` sets a smaller number of epochs for the guide, which the rows of the guide
then show. `--json` prints one line.
"""

import argparse
import itertools
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import common

DEFAULT_DATA = "../shared/data/cifar10-mini"
CONTENDERS = ("ours", "guide", "guide-validated", "logistic")


def measure(options: argparse.Namespace, data: Path) -> dict[str, list[dict[str, Any]]]:
    """Run every contender with every seed, in a rotated order."""
    runs = {name: [] for name in options.contenders}
    with tempfile.TemporaryDirectory(prefix="keras_tl_bench_") as scratch:
        saved = Path(scratch, "backbone.keras")
        common.say(f"Saving {options.backbone}")
        common.fresh(
            "contenders:save_backbone",
            name=options.backbone,
            image_size=options.image_size,
            path=saved,
        )
        for seed in range(options.seeds):
            shift = seed % len(runs)
            for name in [*options.contenders[shift:], *options.contenders[:shift]]:
                run = _run(name, options, data, saved, seed)
                runs[name].append(run)
                common.say(
                    f"seed {seed}  {name:<15}  {run['wall_seconds']:.1f} s  "
                    f"accuracy {run['accuracy']:.4f}"
                )
    return runs


def _run(
    name: str, options: argparse.Namespace, data: Path, saved: Path, seed: int
) -> dict[str, Any]:
    given = {"data": data, "image_size": options.image_size, "seed": seed, "backbone": saved}
    epochs = epochs_of(name, options)
    if name == "logistic":
        return common.fresh("contenders:logistic", **given)
    if name != "ours":
        validate = name == "guide-validated"
        return common.fresh("contenders:guide", **given, epochs=epochs, validate=validate)
    given["backbone"] = options.backbone
    with tempfile.TemporaryDirectory(prefix="keras_tl_bench_cache_") as cache:
        return common.fresh("contenders:ours", **given, epochs=epochs, cache=cache)


def epochs_of(name: str, options: argparse.Namespace) -> int | None:
    """Return the number of epochs of a contender, or `None` if it has no epochs."""
    if name == "logistic":
        return None
    return options.epochs if name == "ours" else options.guide_epochs or options.epochs


def summary(runs: dict[str, list[dict[str, Any]]], options: argparse.Namespace) -> dict[str, Any]:
    """Return each contender's medians and mean accuracy, and the ratios of `ours` to the others.

    Raises:
        SystemExit: The contenders used different numbers of images.
    """
    seen = {tuple(run["images"]) for several in runs.values() for run in several}
    if len(seen) > 1:
        sys.exit(f"The contenders saw different numbers of images (train, test): {sorted(seen)}.")
    found = {
        name: {
            "epochs": epochs_of(name, options),
            "accuracy": statistics.fmean(run["accuracy"] for run in several),
            "runs": several,
        }
        | {
            key: statistics.median(run[key] for run in several)
            for key in ("wall_seconds", "child_seconds", "peak_bytes")
        }
        for name, several in runs.items()
    }
    ratios = {
        f"ours/{name}": found["ours"]["wall_seconds"] / found[name]["wall_seconds"]
        for name in found
        if "ours" in found and name != "ours"
    }
    return {"images": list(seen.pop()), "contenders": found, "ratios": ratios}


def lines(result: dict[str, Any]) -> list[str]:
    """Return the summary as text."""
    options, (train, test) = result["options"], result["images"]
    rows = [
        [
            name,
            str(one["epochs"] or "-"),
            f"{one['wall_seconds']:.1f}",
            f"{one['child_seconds']:.1f}",
            f"{one['accuracy']:.4f}",
            f"{one['peak_bytes'] / common.MIB:.0f}",
        ]
        for name, one in result["contenders"].items()
    ]
    header = ["contender", "epochs", "wall s", "child s", "accuracy", "peak MiB"]
    text = [
        f"{options['backbone']} at {options['image_size']} px, {train} train and {test} test "
        f"images, {options['seeds']} seeds; seconds and memory: medians, accuracy: mean",
        *common.table(header, rows),
    ]
    for name, ratio in result["ratios"].items():
        other = result["contenders"][name.removeprefix("ours/")]["epochs"]
        unequal = other not in (None, options["epochs"])
        note = f"; ours ran {options['epochs']} epochs, the other {other}" if unequal else ""
        text.append(f"{name}: {ratio:.4f} of the wall time ({1 / ratio:.1f} times as fast{note})")
    return text


def parse() -> tuple[argparse.Namespace, Path]:
    """Return the options and the folder of images. Exit with a message if there is no folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--data", help=f"folder with train/ and test/ (default {DEFAULT_DATA})")
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="default %(default)s")
    parser.add_argument("--guide-epochs", type=int, help="epochs of the guide (default --epochs)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.contenders = list(dict.fromkeys(options.contenders.split(",")))
    if strange := set(options.contenders) - set(CONTENDERS):
        parser.error(f"no contender {', '.join(strange)}. Expected: {', '.join(CONTENDERS)}")
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    data = Path(options.data) if options.data else common.ROOT / DEFAULT_DATA
    options.data = options.data or DEFAULT_DATA
    if missing := [name for name in ("train", "test") if not (data / name).is_dir()]:
        needed = f"no folder {' or '.join(missing)} in {options.data}"
        if options.data != DEFAULT_DATA:
            parser.error(needed)
        reason = f"{needed}. Pass --data FOLDER with train/<class>/* and test/<class>/*."
        print(json.dumps({"skipped": reason}) if options.json else f"Skipped: {reason}")
        sys.exit()
    return options, data


def main() -> None:
    """Run the benchmark and print the results."""
    options, data = parse()
    facts = common.machine()
    # Read every file once, so that not only the first contender waits for the disk.
    for path in itertools.chain(*(data.joinpath(name).rglob("*.*") for name in ("train", "test"))):
        if path.is_file():
            path.read_bytes()
    found = summary(measure(options, data), options)
    result = {"machine": facts, "options": vars(options)} | found
    common.show(result, lines(result), options.json)


if __name__ == "__main__":
    main()
