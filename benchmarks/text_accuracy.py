r"""Measure the test accuracy on SST-2 and TREC-6 of a head on a frozen BERT, then of fine-tuning.

    python benchmarks/text_accuracy.py
    python benchmarks/text_accuracy.py --seeds 0 --settings '[{}, {"learning_rate": 1e-4}]'
    python benchmarks/text_accuracy.py --poolings avg first pooled --settings '[]'

For each data set, pooling and seed, a new process trains the head with its defaults on cached
features. For each setting, another process trains the head and then calls `fine_tune` (`{}`: with
its defaults). The benchmark prints mean accuracies on validation and test, and the median seconds.
The encoder is all-MiniLM-L6-v2 as a TF-Hub module, see text_pair.py. `--modules FOLDER` keeps this
module. The table in docs/explanation/text-defaults.md comes from this benchmark.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
from text_pair import load, pair_in

TARGETS = {"sst2": (0.80, 0.88), "trec6": (0.89, 0.95)}


def train(
    data: str,
    modules: dict[str, str],
    pooling: str,
    seed: int,
    setting: dict[str, Any] | None,
    head: dict[str, Any],
) -> dict[str, Any]:
    """Train a head. If `setting` is not `None`, fine-tune. Call this function in a new process."""
    import keras_tl as ktl

    learner = ktl.Learner(
        data=load(data), head=ktl.HeadConfig(pooling), seed=seed, verbose=False, **modules
    )
    began = time.perf_counter()
    learner.fit_head(**head)
    if setting is not None:
        began = time.perf_counter()
        learner.fine_tune(**setting)
    seconds = time.perf_counter() - began
    accuracy = {split: learner.evaluate(split)["accuracy"] for split in ("validation", "test")}
    return accuracy | {"seconds": seconds}


def main() -> None:
    """Run every combination of data set, pooling, setting and seed. Print the results."""
    shared = common.ROOT.parent / "shared/data"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", default=[shared / n for n in TARGETS])
    parser.add_argument("--modules", type=Path, help="folder that keeps the modules")
    parser.add_argument("--poolings", nargs="+", default=["avg"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--settings", type=json.loads, default=[{}])
    parser.add_argument("--head", type=json.loads, default={}, help="arguments of fit_head")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    absent = [folder for folder in args.data if not folder.is_dir()]
    if absent:
        print(f"Skipped: there is no folder {absent[0]}.")
        sys.exit()
    result = {"machine": common.machine(), "runs": []}
    with tempfile.TemporaryDirectory() as temporary:
        modules = pair_in(args.modules or temporary)
        for data in args.data:
            for pooling in args.poolings:
                for seed in args.seeds:
                    for setting in (None, *args.settings):
                        about = {"data": data.name, "pooling": pooling, "setting": setting}
                        run = common.fresh(
                            "text_accuracy:train",
                            modules=modules,
                            seed=seed,
                            head=args.head,
                            **(about | {"data": data}),
                        )
                        result["runs"].append(about | {"seed": seed} | run)
                        common.say(f"{about} seed {seed}: {run}")
    rows = []
    for key in dict.fromkeys(map(_key, result["runs"])):
        runs = [run for run in result["runs"] if _key(run) == key]
        means = [statistics.mean(run[split] for run in runs) for split in ("validation", "test")]
        seconds = statistics.median(run["seconds"] for run in runs)
        rows.append([*key, *(f"{mean:.3f}" for mean in means), f"{seconds:.0f}"])
    header = ["data", "pooling", "phase", "validation", "test", "seconds"]
    lines = common.table(header, rows)
    if args.poolings == ["avg"] and {} in args.settings:
        lines += [""]
        for name, targets in TARGETS.items():
            for phase, target in zip(("frozen", "fine-tuned"), targets, strict=True):
                found = [float(row[4]) for row in rows if row[:3] == [name, "avg", phase]]
                lines += [
                    f"{name} {phase}: at least {target:.2f}: {common.verdict(mean >= target)}"
                    for mean in found
                ]
    common.show(result, lines, args.json)


def _key(run: dict[str, Any]) -> tuple[str, str, str]:
    setting = run["setting"]
    changed = ", ".join(f"{key}={value}" for key, value in (setting or {}).items())
    phase = "frozen" if setting is None else f"fine-tuned {changed}".strip()
    return run["data"], run["pooling"], phase


if __name__ == "__main__":
    main()
