r"""Write an example of every format that users store, for tests that later versions load them.

    python tools/make_format_fixtures.py 0.2.0

The tool trains tiny learners, of every task and every source of backbones, and writes
`tests/formats/VERSION/`:

    items/           images, 16 x 16; the texts are in expected.json
    runs/            saved runs
    exports/         a folder for each format, with exports of some of the runs
    features/        features of the images, in both file formats
    language_model/  language model that `keras_tl.ulmfit` trained
    vocabulary.txt   vocabulary of the language model
    comparison/      folder of a comparison of transfer learning with training from scratch
    values/          an object of every public class with `from_json`, as JSON
    expected.json    the items, the labels, and the numbers that each stored file must give
    checksums.json   SHA-256 of all other files

`tests/test_stored_formats.py` loads these files. Run the tool once for each minor version, before
its release. The files of a released version never change: the tool does not write them again.
"""

import argparse
import dataclasses
import inspect
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SIZE = 16
# With 50 validation items, `fit` compares models without cross-validation, which would take longer.
COUNTS = {
    "images": {"train": 24, "validation": 12, "test": 12},
    "texts": {"train": 24, "validation": 50, "test": 12},
}
WORDS = ("good", "bad", "film", "the")
LARGEST = 2_000_000


@dataclasses.dataclass(frozen=True)
class Run:
    """A learner to train and to save.

    Attributes:
        name: Name of the run.
        items: Kind of the items: `"images"`, `"texts"` or `"pairs"`.
        task: Kind of the task.
        backbone: Function that returns the backbone argument of `Learner`. The current folder is a
            temporary folder, so the run records relative paths.
        options: Other arguments of `Learner`.
        train: Function that trains the learner, and returns objects to store in `values/`.
        formats: Formats and precisions of the exports of this run.
        extra: Module that the run needs, from an extra of the package, or `None`.
    """

    name: str
    items: str
    task: str
    backbone: Callable[[], Any]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    train: Callable[[Any], Mapping[str, Any]] | None = None
    formats: tuple[tuple[str, str], ...] = ()
    extra: str | None = None


def own_network() -> Any:
    """Return a user's network, with BatchNorm and dropout."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(6, 3, strides=2, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="first_norm")(x)
    x = keras.layers.Dropout(0.2)(keras.layers.ReLU()(x))
    return keras.Model(inputs, keras.layers.Conv2D(8, 3, name="second")(x), name="own")


def made(kind: str, maker: str, **options: Any) -> Callable[[], str]:
    """Return a function that makes a network by `tests.MODULE.FUNCTION` and returns its handle."""

    def handle() -> str:
        module, _, function = maker.partition(":")
        folder = Path(function)
        if not folder.exists():
            makers = __import__(f"tests.{module}", fromlist=[function])
            getattr(makers, function)(folder, **options)
        return f"{kind}:{folder}"

    return handle


def save_preprocessor(folder: Path) -> Path:
    """Save a TF-Hub module that converts texts to 8 tokens: a word is a token."""
    import tensorflow as tf

    keys = tf.constant(["[CLS]", *WORDS])
    # The encoder's numbers of these tokens, see `tests.hub_modules.write_vocabulary`.
    values = tf.constant([2, 4, 5, 6, 7], tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), 1)

    def call(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        words = tf.strings.split(tf.strings.join([tf.fill(tf.shape(texts), "[CLS]"), texts], " "))
        ids = tf.cast(table.lookup(words.to_tensor("", shape=(None, 8))), tf.int32)
        mask = tf.cast(tf.sequence_mask(words.row_lengths(), 8), tf.int32)[:, :8]
        tokens = {"input_word_ids": ids * mask, "input_mask": mask}
        return tokens | {"input_type_ids": tf.zeros_like(ids)}

    root = tf.train.Checkpoint(table=table)
    root.__call__ = tf.function(call)
    root.__call__.get_concrete_function(tf.TensorSpec((None,), tf.string))
    tf.saved_model.save(root, str(folder))
    return folder


def of_language_model() -> str:
    """Train a language model, then fine-tune it. Return the handle of the fine-tuned model."""
    from keras_tl import ulmfit

    def short(phase: Any) -> Any:
        return dataclasses.replace(phase, epochs=1, batch_size=4)

    texts = ["the good film is good .", "the bad film is bad ."] * 16
    limits = ulmfit.VocabularyLimits(min_frequency=1)
    sizes = {"embedding_size": 4, "hidden_size": 6, "layers": 1}
    counts = {word: 1 for text in texts for word in text.split()}
    vocabulary = ulmfit.Vocabulary.from_counts(counts, min_frequency=1)
    model = ulmfit.pretrain(
        texts,
        "pretrained",
        size=ulmfit.AwdLstmConfig(len(vocabulary), **sizes),
        vocabulary=vocabulary,
        phase=short(ulmfit.PRETRAINING),
        verbose=False,
    )
    ulmfit.fine_tune_lm(
        model,
        ["the plot is good ."] * 16,
        path="language_model",
        vocabulary=limits,
        phase=short(ulmfit.FINE_TUNING),
        verbose=False,
    )
    return "ulmfit:language_model"


def head(learner: Any) -> dict[str, Any]:
    """Train the head alone."""
    learner.fit_head(epochs=2)
    return {}


def fine_tuned(learner: Any) -> dict[str, Any]:
    """Train in two phases, calibrate, choose a threshold, evaluate groups, and make a report."""
    import keras_tl as ktl

    learner.fit_head(epochs=2)
    learner.fine_tune(epochs=2)
    calibrated = learner.calibrate()
    learner.choose_thresholds()
    slices = learner.evaluate(by=["left", "right"] * 6).slices
    comparison = ktl.compare(
        own_network(),
        learner.data,
        seeds=3,
        protocol=ktl.Protocol(epochs=2),
        path="comparison",
        verbose=False,
        **OWN,
    )
    # The report makes further files for the run: pictures, feature maps, the comparison.
    learner.report("report.html", comparison=comparison)
    record = learner.history[-1]
    return {
        "Calibration": calibrated.before["validation"],
        "Comparison": comparison,
        "Finding": next(iter(learner.check())),
        "Findings": learner.check(),
        "HeadConfig": learner.config.head,
        "ModelConfig": learner.config,
        "Phase": record.phase,
        "PhaseRecord": record,
        "Slice": slices.slices[0],
        "Slices": slices,
        "Verdict": comparison.verdicts[0],
    }


def fitted(learner: Any) -> dict[str, Any]:
    """Train with `fit`, which compares models on the validation split."""
    result = learner.fit()
    return {"FitResult": result, "Candidate": result.candidates[0]}


def with_thresholds(learner: Any) -> dict[str, Any]:
    """Train the head, and choose a threshold for each label."""
    learner.fit_head(epochs=2)
    learner.choose_thresholds()
    return {}


def sources_of_values() -> dict[str, Any]:
    """Return objects to store in `values/` that need no learner."""
    import keras_tl as ktl
    from keras_tl.ulmfit import AwdLstmConfig

    return {
        "AwdLstmConfig": AwdLstmConfig(20, embedding_size=4, hidden_size=6),
        "CacheConfig": ktl.CacheConfig("disk", folder="features"),
    }


def runs(version: Any) -> tuple[Run, ...]:
    """Return the table of runs, for the items and labels of a version."""
    import keras_tl as ktl

    saved, files = ("savedmodel", "float32"), [*itertools.product(("litert", "onnx"), PRECISIONS)]
    tokens = {"preprocess": "vocab.txt"}
    encoder = made("tfhub", "hub_modules:make_encoder", layers=1)
    strings = made("tfhub", "hub_modules:make_text_module")
    words = of_language_model
    roberta = made("kerashub", "kerashub_presets:make_roberta", layers=1)

    def earlier_run() -> str:
        earlier = ktl.Learner(own_network(), version.data("images", "multiclass"), **QUIET, **OWN)
        head(earlier)
        return f"run:{earlier.save('earlier')}"

    several = ktl.HeadConfig("max", hidden=(6,))
    return (
        Run("own", "images", "binary", own_network, OWN, fine_tuned, (saved, *files)),
        Run("run", "images", "multiclass", earlier_run, {}, head),
        Run(
            "catalogue",
            *("images", "multilabel", lambda: "efficientnet_lite0"),
            # Twice the size of the images: the smallest that the network accepts.
            {"image_size": 2 * SIZE, "output_block": "block1", "head": several},
            with_thresholds,
        ),
        Run("tfhub-strings", "texts", "regression", strings, {}, head, (saved,)),
        Run("tfhub-pairs", "pairs", "binary", encoder, tokens, fitted, (("onnx", "float32"),)),
        Run(
            "tfhub-module",
            *("texts", "multilabel", encoder),
            {"preprocess": f"tfhub:{save_preprocessor(Path('preprocessor'))}"},
            head,
        ),
        Run(
            "kerashub",
            *("texts", "regression", roberta, {}, head),
            extra="keras_hub",
        ),
        Run("ulmfit", "texts", "multiclass", words, {}, head, (("litert", "float32"),)),
    )


OWN = {"preprocess": "tf", "image_size": SIZE}
QUIET = {"seed": 0, "precision": "float32", "strategy": "single", "verbose": False}
PRECISIONS = ("float32", "float16")


def labels_of(task: str, shares: np.ndarray) -> list[Any]:
    """Return labels that a model can learn from the fractions of colours, float (n, 3)."""
    if task == "multiclass":
        return [("red", "green", "blue")[n] for n in shares.argmax(axis=1)]
    if task == "binary":
        return ["warm" if x > 0.5 else "cold" for x in shares[:, 0]]
    if task == "multilabel":
        return [[n for n, x in zip("rgb", row, strict=True) if x > 0.5] for row in shares]
    return [round(float(x), 3) for x in 1000 + 500 * shares.mean(axis=1)]


def write_items(folder: Path) -> dict[str, Any]:
    """Write the images. Return the items and the labels of each split, for expected.json."""
    rng = np.random.default_rng(0)
    (folder / "items").mkdir(parents=True)
    items, labels = {}, {}
    for kind, counts in COUNTS.items():
        shares = {split: rng.uniform(0, 1, (count, 3)) for split, count in counts.items()}
        # Labels with noise: `fit` compares no models if the head predicts all items correctly.
        noisy = {split: rows + rng.normal(0, 0.3, rows.shape) for split, rows in shares.items()}
        labels[kind] = {
            task: {split: labels_of(task, rows) for split, rows in noisy.items()} for task in TASKS
        }
        items[kind] = {
            split: [MAKERS[kind](row, rng, folder) for row in rows]
            for split, rows in shares.items()
        }
    pairs = {split: [[WORDS[3], text] for text in texts] for split, texts in items["texts"].items()}
    return {"items": items | {"pairs": pairs}, "labels": labels | {"pairs": labels["texts"]}}


def write_image(shares: np.ndarray, rng: np.random.Generator, folder: Path) -> str:
    """Write an image with the given fractions of colours. Return its name."""
    from PIL import Image

    name = f"items/{len(list((folder / 'items').iterdir())):02}.png"
    # Blocks of 4 x 4 pixels, so that the file is small.
    pixels = shares * 200 + rng.uniform(0, 55, (SIZE // 4, SIZE // 4, 3))
    pixels = pixels.astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    Image.fromarray(pixels).save(folder / name)
    return name


def make_text(shares: np.ndarray, rng: np.random.Generator, folder: Path) -> str:
    """Return a text whose words are as frequent as the given fractions."""
    counts = 1 + (4 * shares).astype(int)
    words = [w for w, n in zip(WORDS, counts, strict=False) for _ in range(n)]
    return " ".join([*words, WORDS[3], *["."] * rng.integers(3)])


MAKERS = {"images": write_image, "texts": make_text}
TASKS = ("multiclass", "binary", "multilabel", "regression")


def rounded(value: Any) -> Any:
    """Round the floats in a value of JSON types."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


class Writer:
    """Trains the runs and writes their files into the folder of a version."""

    def __init__(self, folder: Path):
        import keras_tl
        from tests.stored_formats import StoredVersion

        self.folder = folder
        self.expected = {
            "version": keras_tl.__version__,
            **write_items(folder),
            "runs": {},
            "exports": {},
        }
        self.values = sources_of_values()
        self.save()
        self.version = StoredVersion(folder)

    def save(self) -> None:
        """Write expected.json, with 8 digits of each number: float32 has no more."""
        text = json.dumps(rounded(self.expected), ensure_ascii=False)
        (self.folder / "expected.json").write_text(text + "\n", "utf-8")

    def write_run(self, run: Run) -> None:
        """Train a learner, save its run and its exports, and record their numbers."""
        import keras_tl as ktl
        from tests.stored_formats import metrics_of, numbers_of

        learner = ktl.Learner(
            run.backbone(),
            self.version.data(run.items, run.task),
            **QUIET,
            **run.options,
        )
        self.values |= run.train(learner) if run.train else {}
        evaluation = learner.evaluations.get("test") or learner.evaluate()
        learner.save(f"runs/{run.name}")
        items = self.version.items(run.items)
        self.expected["runs"][run.name] = {
            "items": run.items,
            "task": run.task,
            "needs": run.extra,
            "predictions": numbers_of(learner.predict(items)),
            "metrics": metrics_of(evaluation),
            "features": learner.features(items).tolist(),
        }
        if run.name == "own":
            for suffix in ("npy", "parquet"):
                path = f"features/own.{suffix}"
                # Pass pixels, because paths would be in the Parquet file.
                ktl.save_features(learner, self.version.pixels(), path=path)
        for kind, precision in run.formats:
            self.write_export(learner, run, kind, precision)

    def write_export(self, learner: Any, run: Run, kind: str, precision: str) -> None:
        """Export a learner and record the outputs of the export."""
        from keras_tl.export.runtimes.file_export import RUNTIMES
        from tests.stored_formats import arrays_of, ask_file, ask_saved_model

        path = f"exports/{kind}/{run.name}"
        options = {"format": kind, "precision": precision}
        if kind in RUNTIMES:
            half = "-float16" if precision == "float16" else ""
            path += f"{half}{RUNTIMES[kind].suffix}"
            file = learner.export(path, **options)
            outputs = ask_file(self.version, kind, file, run.items)
        else:
            folder = learner.export(path, serving=True, card={"Intended use": "Tests."}, **options)
            outputs = ask_saved_model(self.version, folder, run.items)
        self.expected["exports"][path] = {
            **options,
            "run": run.name,
            "items": run.items,
            "outputs": arrays_of(outputs),
        }

    def write_others(self) -> None:
        """Write the language model's expectations, the comparison's, and `values/`."""
        from keras_tl import ulmfit

        model = ulmfit.load_language_model("language_model")
        model.vocabulary.save("vocabulary.txt")
        texts = self.expected["items"]["texts"]["train"]
        tokens = model.tokenizer.stream(texts)
        self.expected["language_model"] = {
            "tokens": [int(token) for token in tokens],
            "perplexity": ulmfit.perplexity(model, tokens, batch_size=2),
        }
        for name, value in self.values.items():
            Path("values").mkdir(exist_ok=True)
            text = json.dumps(value.to_json(), ensure_ascii=False)
            Path("values", f"{name}.json").write_text(text + "\n", "utf-8")
        names = ("runs", "exports", "features", "values", "comparison", "language_model")
        for name in names:
            shutil.copytree(name, self.folder / name)
        shutil.copy("vocabulary.txt", self.folder)
        self.save()


def paths_in(folder: Path, *folders: Path) -> list[str]:
    """Return a line for each file that names one of the folders of this machine."""
    wanted = {os.fsencode(path) for path in folders if len(path.parts) > 1}
    return [
        f"{file.relative_to(folder)} holds the path {found.decode()}"
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        for found in wanted
        if found in file.read_bytes()
    ]


def released(version: str) -> bool:
    """Return whether CHANGELOG has a date for the version."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return re.search(rf"^## \[{re.escape(version)}\] - \d", text, re.M) is not None


def write(version: str) -> Path:
    """Write the files of a version. Return the folder."""
    from keras_tl.base.files import write_checksums
    from tests import hub_modules

    target = ROOT / "tests" / "formats" / version
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        os.environ["KERAS_TL_CACHE"] = str(work / "cache")
        os.chdir(work)
        try:
            hub_modules.write_vocabulary(Path("vocab.txt"))
            writer = Writer(work / version)
            for run in runs(writer.version):
                print(time.strftime("%X"), run.name, file=sys.stderr)
                writer.write_run(run)
            writer.write_others()
        finally:
            os.chdir(before)
        folder = writer.folder
        write_checksums(folder)
        found = paths_in(folder, work, Path(tempfile.gettempdir()), Path.home(), ROOT)
        if found:
            raise SystemExit("\n".join(["Nothing was written.", *found]))
        sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
        for part in sorted(folder.iterdir()):
            found = [part, *part.rglob("*")]
            print(part.name, f"{sum(f.stat().st_size for f in found if f.is_file()):,} bytes")
        print(f"{len(sizes)} files, {sum(sizes):,} bytes")
        if sum(sizes) > LARGEST:
            raise SystemExit(f"Expected at most {LARGEST:,} bytes. Nothing was written.")
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(folder, target)
    return target


def main() -> None:
    """Write the files of the version on the command line."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]))
    parser.add_argument("version", help="version without .dev0, such as 0.2.0")
    parser.add_argument("--overwrite", action="store_true", help="replace unreleased files")
    args = parser.parse_args()
    if released(args.version):
        raise SystemExit(f"{args.version} is released: its files never change.")
    if (ROOT / "tests" / "formats" / args.version).exists() and not args.overwrite:
        raise SystemExit(f"Files of {args.version} exist. To replace them, pass --overwrite.")
    print(write(args.version))


if __name__ == "__main__":
    sys.path.append(str(ROOT))
    main()
