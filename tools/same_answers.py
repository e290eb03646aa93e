r"""Record the outputs of a table of tiny runs, to compare two versions of the toolkit.

    python tools/same_answers.py record answers-before.json --sources /tmp/sources
    python tools/same_answers.py record answers-after.json --sources /tmp/sources
    python tools/same_answers.py compare answers-before.json answers-after.json

Each run trains a head and fine-tunes for one epoch. The tool then records all outputs that a user
can get: features, predictions, metrics, a saved and loaded run, an export with its signatures, the
model card and the report. It records the SHA-256 of arrays, so the comparison is exact to the bit.
First make two records of the same version on one machine: these records must be equal.

`--sources` is a folder for the tiny networks, which the first call makes. Both versions of the
toolkit use these networks. Run both versions with the same checkout of this file, with PYTHONPATH
set to the version under test.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import html
import json
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SIZE = 32
COUNT = 60
WORDS = ("good", "bad", "film", "the")
# Parts of a text that differ from call to call: base64 data, dates, durations, speeds.
VARIES = (
    (re.compile(r"data:[\w/+.-]+;base64,[\w+/=]+"), "DATA"),
    (re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?"), "DATE"),
    (re.compile(r"\b[\d.,]+(?= ?(ms|s|seconds?|minutes?|min|images/s|items/s|texts/s)\b)"), "TIME"),
)


@dataclasses.dataclass(frozen=True)
class Run:
    """Configuration of a tiny run.

    Attributes:
        name: Name of the run in the record.
        task: Kind of the task, such as `"regression"`.
        is_text: Whether the items are texts, not images.
        backbone: Function that takes the folder of sources and returns the backbone argument of
            `Learner`.
        options: Other arguments of `Learner`.
    """

    name: str
    task: str
    is_text: bool
    backbone: Callable[[Path], Any]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def labels_of(task: str, shares: np.ndarray) -> Any:
    """Return labels that a model can learn from the fractions of colours, float (n, 3)."""
    if task == "multiclass":
        return np.array(["red", "green", "blue"])[shares.argmax(axis=1)]
    if task == "binary":
        return np.where(shares[:, 0] > 0.5, "warm", "cold")
    if task == "multilabel":
        return [[n for n, x in zip("rgb", row, strict=True) if x > 0.5] for row in shares]
    return 1000 + 500 * shares.mean(axis=1)


def make_data(run: Run) -> tuple[Any, Any]:
    """Return the data of a run, and five items for `predict`."""
    import keras_tl as ktl

    rng = np.random.default_rng(0)
    shares = rng.uniform(0, 1, (COUNT, 3))
    labels = labels_of(run.task, shares)
    if run.is_text:
        texts = [
            " ".join(w for w, x in zip(WORDS, row, strict=False) for _ in range(1 + int(4 * x)))
            for row in shares
        ]
        data = ktl.TextData.from_arrays(texts, labels, test_split=0.3, verbose=False)
        return data, texts[:5]
    noise = rng.uniform(0, 20, (COUNT, SIZE, SIZE, 3))
    images = (shares[:, None, None, :] * 235 + noise).astype(np.float32)
    return ktl.ImageData.from_arrays(images, labels, test_split=0.3), images[:5]


def _named(name: str) -> Callable[[Path], str]:
    return lambda folder: name


def _made(kind: str, name: str, maker: str) -> Callable[[Path], str]:
    """Return the handle of a network. If it is missing, `tests.MODULE.FUNCTION` makes it."""

    def handle(folder: Path) -> str:
        target = folder / name
        if not target.exists():
            module, _, function = maker.partition(":")
            module = __import__(f"tests.{module}", fromlist=[function])
            getattr(module, function)(target)
        return f"{kind}:{target}"

    return handle


def _own(folder: Path) -> Any:
    """Return a `keras.Model` such as a user may pass, with BatchNorm and dropout."""
    import keras

    target = folder / "own.keras"
    if not target.exists():
        keras.utils.set_random_seed(0)
        inputs = keras.Input((None, None, 3))
        x = keras.layers.Conv2D(8, 3, strides=2, name="first")(inputs)
        x = keras.layers.BatchNormalization(name="first_norm")(x)
        x = keras.layers.Dropout(0.5)(keras.layers.ReLU()(x))
        keras.Model(inputs, keras.layers.Conv2D(16, 3, name="second")(x), name="own").save(target)
    return keras.saving.load_model(target)


def _encoder(folder: Path) -> str:
    from tests import hub_modules

    target = folder / "encoder"
    if not target.exists():
        # Remove this dropout: no seed controls it, so it would differ from call to call.
        hub_modules.make_encoder(target, dropout=0.0)
        hub_modules.write_vocabulary(folder / "vocab.txt")
    return f"tfhub:{target}"


TASKS = ("multiclass", "binary", "multilabel", "regression")
BERT = _made("kerashub", "bert", "kerashub_presets:make_bert")
OWN = {"preprocess": "tf", "image_size": SIZE}
RUNS = (
    *(Run(f"images-own-{task}", task, False, _own, OWN) for task in TASKS),
    *(Run(f"texts-kerashub-{task}", task, True, BERT) for task in TASKS),
    Run("catalogue-lite0", "multiclass", False, _named("efficientnet_lite0"), {"image_size": SIZE}),
    Run(
        "catalogue-mobilenet_v2",
        "binary",
        False,
        _named("mobilenet_v2"),
        {"image_size": SIZE, "weights": None},
    ),
    Run(
        "hub-image",
        "multiclass",
        False,
        _made("tfhub", "image", "hub_modules:make_image_module"),
        {"image_size": SIZE},
    ),
    Run(
        "hub-strings",
        "multiclass",
        True,
        _made("tfhub", "strings", "hub_modules:make_text_module"),
    ),
    Run("hub-encoder", "binary", True, _encoder, {"preprocess": "vocab.txt"}),
    Run(
        "kerashub-resnet",
        "multiclass",
        False,
        _made("kerashub", "resnet", "kerashub_presets:make_resnet"),
        {"image_size": SIZE},
    ),
    Run(
        "ulmfit",
        "multiclass",
        True,
        _made("ulmfit", "awd_lstm", "language_models:save_language_model"),
    ),
)


def plain(value: Any) -> Any:
    """Convert a value to JSON: arrays to dtype, shape and SHA-256, mappings in order."""
    if isinstance(value, Mapping):
        return {str(key): plain(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)) and not all(isinstance(x, (str, bytes)) for x in value):
        return [plain(x) for x in value]
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        return [x.decode() if isinstance(x, bytes) else str(x) for x in array.ravel().tolist()]
    if not array.ndim:
        return array.item()
    found = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    first = [float(f"{x:.6g}") for x in array.ravel()[:3].tolist()]
    return f"{array.dtype}{list(array.shape)} {found} {first}"


def masked(text: str, *folders: Path) -> list[str]:
    """Return the lines of a text, with the parts that differ from call to call masked."""
    for number, folder in enumerate(folders):
        text = text.replace(str(folder), f"FOLDER{number}")
    for pattern, name in VARIES:
        text = pattern.sub(name, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def without_seconds(lines: list[str], learner: Any) -> list[str]:
    """Mask the seconds of the phases in a table, alone in a line or in the last column."""
    for record in learner.history:
        seconds = f"{record.seconds:.1f}"
        lines = ["TIME" if line == seconds else line for line in lines]
        lines = [re.sub(rf"\| {re.escape(seconds)} \|$", "| TIME |", line) for line in lines]
    return lines


def text_of_page(page: str) -> str:
    """Return the visible text of an HTML page, with one line for each text element."""
    page = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", page)
    return html.unescape(re.sub(r"<[^>]+>", "\n", page))


def phase_facts(learner: Any) -> list[Any]:
    """Return the logs of every epoch of every phase, and the best epoch."""
    return [
        [record.best_epoch, [_without_times(epoch) for epoch in record.epochs]]
        for record in learner.history
    ]


def _without_times(epoch: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in epoch.items() if "second" not in name}


def exported(folder: Path) -> dict[str, Any]:
    """Return the signatures of an export: names, dtypes and shapes of inputs and outputs."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(folder)).signatures
    return {
        name: {
            "inputs": sorted(str(x) for x in signature.structured_input_signature[1].values()),
            "outputs": {k: str(x) for k, x in sorted(signature.structured_outputs.items())},
        }
        for name, signature in signatures.items()
    }


def steps(run: Run, sources: Path, work: Path) -> Iterator[tuple[str, Any]]:
    """Train a run. Yield the name and the value of every output to record."""
    import keras_tl as ktl

    data, items = make_data(run)
    options = dict(run.options)
    if (own := sources / options.get("preprocess", "none")).is_file():
        options["preprocess"] = str(own)
    backbone = run.backbone(sources)
    learner = ktl.Learner(backbone, data, seed=0, verbose=False, precision="float32", **options)
    yield "data", masked(json.dumps(data.describe(), default=str), sources, work)
    yield "features", learner.features(items)
    learner.fit_head()
    yield "head", phase_facts(learner)
    yield "head metrics", dict(learner.evaluate())
    yield "cross_validate", dict(learner.cross_validate(folds=3))
    learner.fine_tune(epochs=1)
    yield "phases", phase_facts(learner)
    yield "metrics", dict(learner.evaluate())
    if run.task != "regression":
        learner.calibrate()
    if run.task in ("binary", "multilabel"):
        learner.choose_thresholds()
    yield "final metrics", dict(learner.evaluate())
    yield "predictions", learner.predict(items).to_json()
    yield "logits", learner.trainer.logits(learner.data.split("test"))
    yield (
        "top losses",
        masked(learner.evaluations["test"].top_losses(count=5).describe(), sources, work),
    )
    yield "findings", masked(str(learner.history.findings), sources, work)
    yield "overfitting", masked(str(ktl.overfitting(learner)), sources, work)
    learner.save(work / "run")
    loaded = ktl.Learner.load(work / "run", data=data, verbose=False)
    yield "loaded predictions", loaded.predict(items).to_json()
    version = loaded.export(work / "export")
    yield "signatures", exported(version)
    cards = sorted(version.rglob("*.md"))
    read = [masked(x.read_text("utf-8"), sources, work) for x in cards]
    yield "card", [without_seconds(lines, learner) for lines in read]
    page = learner.report(work / "report.html").read_text("utf-8")
    yield "report", without_seconds(masked(text_of_page(page), sources, work), learner)
    yield "repr", masked(f"{learner!r}\n{data!r}", sources, work)


def fitted(sources: Path, work: Path) -> Iterator[tuple[str, Any]]:
    """Yield the results of `fit` and `rank_backbones`, and predictions after `fit`."""
    import keras_tl as ktl

    data, items = make_data(RUNS[0])
    learner = ktl.Learner(_own(sources), data, seed=0, verbose=False, **OWN)
    result = learner.fit(refit=True)
    yield "fit", masked(result.describe(), sources, work)
    yield "fitted predictions", learner.predict(items).to_json()
    own = {"backbone": _own(sources), "name": "own", "preprocess": "tf"}
    lite0 = {"backbone": "efficientnet_lite0"}
    ranking = ktl.rank_backbones(data, [own, lite0], verbose=False, image_size=SIZE)
    yield "ranking", [[row.name, row.metric, row.interval, row.score] for row in ranking.rows]


def record(sources: Path, names: list[str] | None) -> dict[str, Any]:
    """Return the outputs of every run in the table."""
    answers = {}
    table: dict[str, Callable[[Path, Path], Iterator[tuple[str, Any]]]] = {
        run.name: lambda sources, work, run=run: steps(run, sources, work) for run in RUNS
    }
    table["fit"] = fitted
    for name, ask in table.items():
        if names and name not in names:
            continue
        answers[name] = {}
        with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
            stack.callback(lambda name=name: print(name, len(answers[name]), file=sys.stderr))
            os.environ["KERAS_TL_CACHE"] = str(Path(work) / "cache")
            try:
                for step, value in ask(sources, Path(work)):
                    answers[name][step] = plain(value)
            except Exception:
                answers[name]["error"] = masked(traceback.format_exc(limit=-3), sources, Path(work))
                traceback.print_exc()
    return answers


def differences(first: Any, second: Any, path: str = "") -> Iterator[str]:
    """Yield a line for each value that differs between two records."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in dict.fromkeys([*first, *second]):
            name = f"{path}/{key}"
            if key not in first or key not in second:
                yield f"{name}: only in the {'first' if key in first else 'second'} record"
            else:
                yield from differences(first[key], second[key], name)
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, pair in enumerate(zip(first, second, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
    elif isinstance(first, list) and isinstance(second, list):
        lines = [json.dumps(x) for x in first], [json.dumps(x) for x in second]
        for mine, other, sign in ((lines[0], lines[1], "-"), (lines[1], lines[0], "+")):
            yield from (f"{path} {sign} {line}" for line in mine if line not in other)
    elif json.dumps(first) != json.dumps(second):  # NaN is not equal to itself.
        yield f"{path}: {first!r} -> {second!r}"


def main() -> None:
    """Record, or compare two records. Exit status 1: records differ, or a run failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("out", type=Path)
    recording.add_argument("--sources", type=Path, required=True)
    recording.add_argument("--runs", nargs="+")
    comparing = commands.add_parser("compare")
    comparing.add_argument("first", type=Path)
    comparing.add_argument("second", type=Path)
    args = parser.parse_args()
    if args.command == "record":
        args.sources.mkdir(parents=True, exist_ok=True)
        answers = record(args.sources.resolve(), args.runs)
        args.out.write_text(json.dumps(answers, indent=1) + "\n", "utf-8")
        sys.exit(1 if any("error" in run for run in answers.values()) else 0)
    records = [json.loads(path.read_text("utf-8")) for path in (args.first, args.second)]
    found = list(differences(*records))
    print("\n".join(found) or "The records are equal.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    sys.path.append(str(ROOT))
    main()
