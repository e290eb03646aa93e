r"""Compare accuracy with a few items of each class with scikit-learn on the same features.

    python benchmarks/small_data.py
    python benchmarks/small_data.py --sets digits sst2 --sizes 5 10 --draws 1
    python benchmarks/small_data.py --contenders fit_head --minutes 60
    python benchmarks/small_data.py --forget fit_head fine_tune fit
    python benchmarks/small_data.py --table

The benchmark draws a few items of each class from small data sets. The contenders of
small_data_contenders.py learn from the same items. Each finished run adds a line to a results file.
The next call does only the missing runs, so you can stop the benchmark at any time. `--table` only
prints the tables of the results. If you change the toolkit, call `--forget` with the contenders
that use the toolkit.
"""

import argparse
import dataclasses
import gc
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import common
import numpy as np
from data_sets import TABLE_SETS, DataSet
from results_file import ResultsFile
from small_data_tables import FROZEN, TUNED, report

KEY = ("set", "size", "draw", "contender")
# Keras clips probabilities at the same value. Nearest neighbours can give the true class a
# probability of 0.
SMALLEST_PROBABILITY = 1e-7


@dataclasses.dataclass(frozen=True)
class Plan:
    """Runs to do: all combinations of contenders, data sets, sizes and draws.

    Attributes:
        contenders: Names of the contenders.
        sets: Names of the data sets.
        sizes: Numbers of training items of each class.
        draws: Number of random draws of training items.
    """

    contenders: tuple[str, ...]
    sets: tuple[str, ...]
    sizes: tuple[int, ...]
    draws: int

    def keys(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the key of each run on a data set."""
        if name in self.sets:
            for draw in range(self.draws):
                for size in self.sizes:
                    for contender in self.contenders:
                        values = (name, size, draw, contender)
                        yield dict(zip(KEY, values, strict=True))


PLANS = (
    Plan(FROZEN, tuple(TABLE_SETS), (5, 10, 30, 100), 5),
    Plan(TUNED, ("cifar10-mini", "animal-shapes", "sst2", "trec6"), (10, 30, 100), 3),
)


def measures(probabilities: np.ndarray, numbers: np.ndarray) -> dict[str, float]:
    """Return the accuracy and the mean cross-entropy.

    Args:
        probabilities: Predicted probabilities, float (n, classes).
        numbers: Indices of the true classes, int (n,).
    """
    right = probabilities[np.arange(len(numbers)), numbers]
    return {
        "accuracy": float(np.mean(probabilities.argmax(axis=1) == numbers)),
        "log_loss": float(-np.log(np.clip(right, SMALLEST_PROBABILITY, 1)).mean()),
    }


def run_set(
    data_set: DataSet, wanted: list[dict[str, Any]], results: ResultsFile, until: float
) -> int:
    """Run contenders on a data set. Save a row for each run. Return the number of failed runs.

    Args:
        data_set: Data set to read.
        wanted: Keys of the runs to do.
        results: File to which the rows are added.
        until: Start no run after this value of `time.monotonic()`.
    """
    import keras
    from small_data_contenders import CONTENDERS, Course, missing

    failed, course, told = 0, None, set()
    for key in wanted:
        contender = key["contender"]
        if reason := missing(contender, data_set.kind):
            if contender not in told:
                common.say(f"Skipped {contender} on {data_set.name}: {reason}")
                told.add(contender)
            continue
        if time.monotonic() >= until:
            break
        try:
            course = course or Course(data_set)
            rows = course.division.draw(key["size"], key["draw"])
            _ = course.test_features  # Not timed: the first network of a process.
            answer = CONTENDERS[contender](course, rows, key["draw"])
            found = measures(answer.probabilities, course.test_numbers)
        except Exception:  # Continue with the other runs. The next call repeats this run.
            common.say(f"Failed: {key}\n{traceback.format_exc()}")
            failed += 1
            continue
        row = key | found
        row |= {
            "seconds": round(answer.seconds, 3),
            "items": len(rows),
            "test_items": len(course.test_numbers),
            "kind": data_set.kind,
            "short": course.division.short_classes(key["size"]),
            "load": round(os.getloadavg()[0], 1),
        }
        results.add(row)
        common.say(
            f"{data_set.name} {key['size']} a class, draw {key['draw']}, {contender}: accuracy "
            f"{row['accuracy']:.3f}, log loss {row['log_loss']:.3f}, {row['seconds']:.1f} s"
        )
        keras.backend.clear_session()
        gc.collect()
    return failed


def main() -> None:
    """Do the missing runs, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=TABLE_SETS, metavar="SET")
    parser.add_argument("--sizes", nargs="+", type=int, help="items a class, at least 2")
    parser.add_argument("--draws", type=int, help="number of draws")
    parser.add_argument("--contenders", nargs="+", choices=FROZEN + TUNED, metavar="CONTENDER")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no run later")
    parser.add_argument("--out", type=Path, default=common.ROOT / "benchmarks/results")
    parser.add_argument("--table", action="store_true", help="only print the tables")
    parser.add_argument("--forget", nargs="+", choices=FROZEN + TUNED, metavar="CONTENDER")
    args = parser.parse_args()
    until = time.monotonic() + 60 * args.minutes
    if min(args.sizes or [2]) < 2:
        parser.error(f"--sizes: expected at least 2 items a class. Received: {min(args.sizes)}.")
    results = ResultsFile(args.out / "small_data.jsonl", KEY)
    if args.forget:
        count = results.forget(lambda row: row["contender"] in args.forget)
        print(f"Removed {count} rows of {', '.join(args.forget)}.")
        return
    failed = 0 if args.table else run_missing(args, results, until)
    print("\n".join(report(results.rows())))
    sys.exit(1 if failed else 0)


def missing_keys(args: argparse.Namespace, results: ResultsFile) -> dict[str, list[dict[str, Any]]]:
    """Return the keys of the requested runs that have no result yet, by data set."""
    plans = [
        dataclasses.replace(
            plan,
            contenders=tuple(c for c in plan.contenders if c in (args.contenders or [c])),
            sets=tuple(args.sets or plan.sets),
            sizes=tuple(args.sizes or plan.sizes),
            draws=args.draws or plan.draws,
        )
        for plan in PLANS
    ]
    done = {results.key_of(row) for row in results.rows()}
    found = {}
    for name in TABLE_SETS:
        keys = [key for plan in plans for key in plan.keys(name)]
        if wanted := [key for key in keys if results.key_of(key) not in done]:
            found[name] = wanted
    return found


def run_missing(args: argparse.Namespace, results: ResultsFile, until: float) -> int:
    """Do the requested runs that have no result yet. Return the number of failed runs."""
    failed = 0
    for name, wanted in missing_keys(args, results).items():
        data_set = TABLE_SETS[name]
        if reason := data_set.missing():
            common.say(f"Skipped {reason}")
            continue
        failed += run_set(data_set, wanted, results, until)
    return failed


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # This process runs hundreds of networks, and oneDNN's own allocator never frees memory.
    os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")
    # Each run makes new networks, so TensorFlow warns of many traces.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    main()
