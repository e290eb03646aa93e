r"""Compare settings of fine-tuning on few photos: learning rates, steps, augmentation, averages.

    python benchmarks/few_photos.py
    python benchmarks/few_photos.py --sets fashion --sizes 30 --rates 3e-4 1e-3 --steps 100
    python benchmarks/few_photos.py --backbones vgg16 --vgg16-weights vgg16.weights.h5 --sizes 30
    python benchmarks/few_photos.py --no-augment
    python benchmarks/few_photos.py --table

The benchmark draws a few photos a class from data sets that no table of results shows
(`CHOOSING_SETS`). It trains the head. From this head, it fine-tunes the whole network with each
setting. It prints accuracy and mean cross-entropy on 500 test photos for the model before
fine-tuning, for the fine-tuned model, and for averages of their weights (with 0.25, 0.5 or 0.75 of
the fine-tuned weights). `moving average` is an exponential moving average of the weights of all
steps (momentum 0.98). Each finished run adds a line to a results file. The next call runs only the
missing runs. The defaults of `fine_tune` and `fit` come from these results:
docs/explanation/fit.md has the table.
"""

import argparse
import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import common
import numpy as np
from data_sets import CHOOSING_SETS
from draws import data_of, divided
from results_file import ResultsFile
from small_data import measures

KEY = ("set", "backbone", "size", "draw", "rate", "steps", "augment", "image_size", "schedule")
IMAGES = [name for name, found in CHOOSING_SETS.items() if found.kind == "image"]
SHARES = (0.25, 0.5, 0.75, 1.0)
TESTED, MOMENTUM = 500, 0.98


def moving_average() -> Any:
    """Return a Keras callback that averages the weights of all steps in `.average`."""
    import keras

    class MovingAverage(keras.callbacks.Callback):
        """Exponential moving average of the weights, with a smaller momentum in the first steps."""

        def on_train_begin(self, logs=None):
            """Set the average to the current weights."""
            self.steps, self.average = 0, [np.array(w) for w in self.model.get_weights()]

        def on_train_batch_end(self, batch, logs=None):
            """Add the weights after a step to the average."""
            self.steps += 1
            momentum = min(MOMENTUM, self.steps / (self.steps + 9))
            pairs = zip(self.average, self.model.get_weights(), strict=True)
            self.average = [momentum * old + (1 - momentum) * new for old, new in pairs]

    return MovingAverage()


class Course:
    """A learner with a trained head on a draw of photos, and the test photos."""

    def __init__(self, key: dict[str, Any], weights: Path | None):
        import keras_tl as ktl

        data_set = dataclasses.replace(CHOOSING_SETS[key["set"]], size=key["image_size"])
        division = divided(data_set)
        tested = np.random.default_rng(1).permutation(division.test)[:TESTED]
        self._numbers, self._photos = division.numbers(tested), division.take(tested)
        rows = division.draw(key["size"], key["draw"])
        options = {"weights": weights} if key["backbone"] == "vgg16" else {}
        data = data_of(data_set, division, rows)
        options |= {"seed": key["draw"], "verbose": False, "preflight": False}
        self.learner = ktl.Learner(key["backbone"], data, **options)
        self.learner.fit_head(cache="memory")
        self.before = self.learner.model.get_weights()
        self.head = self.measured()

    def measured(self) -> list[float]:
        """Return the model's accuracy and mean cross-entropy on the test photos."""
        probabilities = self.learner.predict(self._photos).probabilities
        return [round(value, 4) for value in measures(probabilities, self._numbers).values()]

    def run(self, key: dict[str, Any]) -> dict[str, Any]:
        """Fine-tune with a setting. Return results of the fine-tuned and averaged models."""
        from keras_tl.training.policies import POLICIES
        from keras_tl.training.weight_average import WeightAverage

        learner, model = self.learner, self.learner.model
        model.set_weights(self.before)
        phase = dataclasses.replace(
            POLICIES["standard"]["image"][0],
            **{"learning_rate": key["rate"], "epochs": 1, "min_steps": key["steps"]},
            **{"patience": None, "schedule": key["schedule"]},
        )
        averaged, began = moving_average(), time.perf_counter()
        learner.fine_tune(policy=phase, augment=key["augment"], callbacks=[averaged])
        found = {"head": self.head, "seconds": round(time.perf_counter() - began, 1)}
        line = WeightAverage.to_now(model, self.before)
        for share in SHARES:
            line.move(model, share)
            found[f"{share:g}"] = self.measured()
        model.set_weights(averaged.average)
        return found | {"moving average": self.measured()}


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of a Markdown table, with the means over the draws."""
    columns = ["head", *(f"{share:g}" for share in SHARES), "moving average"]
    names = [name for name in KEY if name != "draw"]
    grouped: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(tuple(row[name] for name in names), []).append(row)
    lines = [
        f"| {' | '.join([*names, 'draws', *columns])} |",
        f"| {' | '.join(['---'] * len(names))} | {' | '.join(['---:'] * (len(columns) + 1))} |",
    ]
    for key in sorted(grouped, key=str):
        found = grouped[key]
        cells = [str(value) for value in key] + [str(len(found))]
        for column in columns:
            accuracy, loss = np.mean([row[column] for row in found], axis=0)
            cells.append(f"{accuracy:.3f}, {loss:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Run the missing settings, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=IMAGES, default=IMAGES)
    parser.add_argument("--backbones", nargs="+", default=["efficientnet_lite0"])
    parser.add_argument("--vgg16-weights", type=Path, help="see tools/convert_vgg16.py")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 30, 100])
    parser.add_argument("--draws", nargs="+", type=int, default=[0])
    parser.add_argument("--rates", nargs="+", type=float, default=[1e-4, 3e-4, 1e-3])
    parser.add_argument("--steps", nargs="+", type=int, default=[100, 300])
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--schedule", default="cosine")
    parser.add_argument("--no-augment", action="store_true")
    parser.add_argument("--out", type=Path, default=common.ROOT / "benchmarks/results")
    parser.add_argument("--table", action="store_true", help="print the table only")
    args = parser.parse_args()
    results = ResultsFile(args.out / "few_photos.jsonl", KEY)
    courses = [
        {"set": name, "backbone": backbone, "size": size, "draw": draw}
        for backbone in args.backbones
        for size in args.sizes
        for name in args.sets
        for draw in args.draws
    ]
    settings = [{"rate": rate, "steps": steps} for steps in args.steps for rate in args.rates]
    shared = {"augment": not args.no_augment, "image_size": args.image_size}
    shared["schedule"] = args.schedule
    for course in () if args.table else courses:
        run_missing([course | setting | shared for setting in settings], results, args)
    print("\n".join(table(results.rows())))


def run_missing(keys: list[dict[str, Any]], results: ResultsFile, args: argparse.Namespace) -> None:
    """For one draw, run the settings that have no result yet."""
    import keras

    done = {results.key_of(row) for row in results.rows()}
    keys = [key for key in keys if results.key_of(key) not in done]
    if not keys:
        return
    if reason := CHOOSING_SETS[keys[0]["set"]].missing():
        common.say(f"Skipped {reason}")
        return
    course = Course(keys[0], args.vgg16_weights)
    for key in keys:
        row = key | course.run(key)
        results.add(row)
        common.say(str(row))
    keras.backend.clear_session()


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
