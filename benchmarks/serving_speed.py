"""Compare the speed of an export with the Keras model: latency of one item, speed for 32 items.

    python benchmarks/serving_speed.py
    python benchmarks/serving_speed.py --models efficientnet_lite0 --rounds 50

One process calls four functions in turn. The Keras model of the learner (as a `tf.function`) and
the preprocessed signature of the export (`pixels`, `tokens`) take decoded input. `serving_default`
takes files of 500 x 375 pixels, or texts. The fourth function only decodes and resizes, or
tokenises, as the export does. The benchmark prints median times relative to the Keras model. It
also subtracts the time of decoding from the time of `serving_default` in the same round, and prints
the median difference relative to the Keras model. The target is at most 1.1 times the time of the
Keras model.

`minilm` is the encoder of text_pair.py on texts of TREC-6. Without these texts, the benchmark skips
`minilm`.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
from text_pair import load, pair_in

SIZES = (1, 32)
TARGET = 1.1
BARE, NUMBERS, RAW, READING = "bare Keras", "numbers", "serving_default", "decoding"


def photo_learner(backbone: str, photos: str):
    """Return a learner on photos with an untrained head, and the bytes of its image files."""
    import keras_tl as ktl

    data = ktl.ImageData.from_folder(photos, verbose=False)
    learner = ktl.Learner(backbone, data, seed=0, verbose=False)
    files = sorted(Path(photos).rglob("*.jpg"))[: max(SIZES)]
    return learner, [file.read_bytes() for file in files]


def text_learner(modules: dict[str, str], texts: str):
    """Return a learner on texts with an untrained head, and some of its texts."""
    import keras_tl as ktl

    learner = ktl.Learner(data=load(texts), seed=0, verbose=False, **modules)
    return learner, [text.encode() for text in learner.data.split("test").texts[: max(SIZES)]]


def measure(kind: str, rounds: int, folder: str, **arguments: Any) -> dict[str, Any]:
    """Time all functions in turn. Call this function in a new process.

    Args:
        kind: `"photo"` or `"text"`.
        rounds: Number of calls of each function.
        folder: Folder in which to write the export.
        arguments: Arguments of `photo_learner` or `text_learner`.

    Returns:
        `"seconds"`: seconds of every call, for each batch size and function.
    """
    import tensorflow as tf

    learner, items = {"photo": photo_learner, "text": text_learner}[kind](**arguments)
    signatures = tf.saved_model.load(str(learner.export(folder))).signatures
    (raw_name,) = signatures[RAW].structured_input_signature[1]
    name = next(name for name in ("pixels", "tokens") if name in signatures)
    read = tf.function(lambda raw: learner.trainer.parts.modality.read_raw({raw_name: raw})[0])
    bare = tf.function(lambda inputs: learner.model(inputs, training=False))
    seconds = {}
    for size in SIZES:
        raw = tf.constant((items * size)[:size])
        inputs = read(raw)
        numbers = inputs if isinstance(inputs, dict) else {name: inputs}
        ways = {
            BARE: lambda given=inputs: bare(given),
            NUMBERS: lambda given=numbers: signatures[name](**given),
            RAW: lambda given=raw: signatures[RAW](**{raw_name: given}),
            READING: lambda given=raw: read(given),
        }
        seconds[size] = in_turns(ways, rounds)
    return {"seconds": seconds}


def in_turns(ways: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Call all functions in turns. Return seconds of calls, without the first three rounds."""
    import tensorflow as tf

    found = {name: [] for name in ways}
    for number in range(rounds + 3):
        for name, call in ways.items():
            began = time.perf_counter()
            tf.nest.map_structure(lambda tensor: tensor.numpy(), call())
            if number >= 3:
                found[name].append(time.perf_counter() - began)
    return found


def summary(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Return ratios of median times to the Keras model's, also of times minus decoding."""
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    less = [a - b for a, b in zip(seconds[RAW], seconds[READING], strict=True)]
    ratios = {name: medians[name] / medians[BARE] for name in (NUMBERS, RAW)}
    return ratios | {"without decoding": statistics.median(less) / medians[BARE]}


def lines_of(model: str, found: dict[str, Any]) -> list[str]:
    """Return the table of one model."""
    rows = []
    for size, seconds in found["seconds"].items():
        ratios = summary(seconds)
        for name, values in seconds.items():
            median = statistics.median(values)
            ratio = f"{ratios[name]:.2f}" if name in ratios else ""
            rows.append([name, size, f"{median * 1000:.1f}", f"{int(size) / median:.0f}", ratio])
        less = ratios["without decoding"]
        rows.append([f"{RAW} minus {READING}", size, "", "", f"{less:.2f}"])
    held = all(
        summary(seconds)[way] <= TARGET
        for seconds in found["seconds"].values()
        for way in (NUMBERS, "without decoding")
    )
    header = [model, "batch", "ms", "items/s", "over bare"]
    return [*common.table(header, rows), f"At most {TARGET}: {common.verdict(held)}", ""]


def main() -> None:
    """Run the benchmark and print the results."""
    texts = common.ROOT.parent / "shared/data/trec6"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["efficientnet_lite0", "minilm"])
    parser.add_argument("--texts", type=Path, default=texts, help="folder of train.csv, test.csv")
    parser.add_argument("--modules", type=Path, help="folder that keeps the modules of minilm")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result, lines = {"machine": common.machine(), "models": {}}, []
    with tempfile.TemporaryDirectory(prefix="keras_tl_bench_") as scratch:
        for model in args.models:
            if model == "minilm":
                if not args.texts.is_dir():
                    common.say(f"Skipped {model}: there is no folder {args.texts}.")
                    continue
                modules = pair_in(args.modules or Path(scratch, "modules"))
                given = {"kind": "text", "modules": modules, "texts": args.texts}
            else:
                photos = Path(scratch, "photos")
                if not photos.exists():
                    common.fresh(
                        "synthetic:write_photos", folder=photos, count=64, height=375, width=500
                    )
                given = {"kind": "photo", "backbone": model, "photos": photos}
            common.say(f"Measuring {model}")
            folder = Path(scratch, "exports", model)
            found = common.fresh(
                "serving_speed:measure", rounds=args.rounds, folder=folder, **given
            )
            result["models"][model] = found
            lines += lines_of(model, found)
    if not result["models"]:
        sys.exit("Nothing was measured.")
    common.show(result, lines, args.json)


if __name__ == "__main__":
    main()
