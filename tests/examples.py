"""Names and files that the examples in docstrings use. docs/reference/index.md lists them."""

import ast
import contextlib
import functools
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

import keras_tl as ktl
from keras_tl.backbones.loading import seeded
from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.comparison.result import Comparison
from keras_tl.evaluation.calibration import calibrate
from keras_tl.evaluation.intervals import Interval
from keras_tl.evaluation.ranking import RankedBackbone, Ranking
from keras_tl.evaluation.thresholds import Rule, choose_thresholds
from keras_tl.preflight.findings import Finding, Findings
from keras_tl.selection.candidates import Candidate
from keras_tl.selection.plan import Plan
from keras_tl.selection.result import FitResult
from keras_tl.serving import Client
from keras_tl.ulmfit import AwdLstmConfig, LanguageModel, Vocabulary
from tests.conftest import small_network
from tests.made_comparisons import WHAT, write_comparison
from tests.made_outcomes import make_outcomes, make_task

CLASSES = ("blue", "red")
REVIEWS = ("a good film", "a bad film")
RATINGS = ("good", "bad")


def coloured(per_class, seed):
    """Return noisy images of two colours, float32 (2 * per_class, 16, 16, 3), and their labels."""
    labels = np.tile(CLASSES, per_class)
    pixels = np.random.default_rng(seed).uniform(0, 80, (len(labels), 16, 16, 3))
    pixels[np.arange(len(labels)), :, :, np.where(labels == "blue", 2, 0)] += 150
    return pixels.astype(np.float32), labels.tolist()


def reviews(per_class):
    return list(REVIEWS) * per_class, list(RATINGS) * per_class


def write_files(folder):
    """Write photos and reviews (ten files of each class), their CSV files, and a vocabulary."""
    photos, texts = ["path,label"], ["text,label"]
    for number, (pixels, name) in enumerate(zip(*coloured(10, seed=3), strict=True)):
        path = f"photos/{name}/{number // 2}.png"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / path)
        photos.append(f"{path},{name}")
    for number, (text, name) in enumerate(zip(*reviews(10), strict=True)):
        path = folder / "reviews" / name / f"{number // 2}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        texts.append(f"{text},{name}")
    (folder / "photos.csv").write_text("\n".join([*photos, ""]), "utf-8")
    (folder / "reviews.csv").write_text("\n".join([*texts, ""]), "utf-8")
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "good", "bad", "film"]
    (folder / "vocab.txt").write_text("\n".join([*tokens, ""]), "utf-8")


class Examples:
    """Objects, made at their first use, and files in `folder`, for the examples."""

    # Names of objects in the examples.
    names = (
        *("data", "texts", "network", "learner", "new", "run", "lm", "client", "comparison", "cv"),
        *("rates", "calibrated", "thresholds", "findings", "fitted", "ranking"),
    )
    # Files that take long to write. They are written only if an example names them.
    files = ("tfds", "wt103")

    def __init__(self, folder):
        self.folder = folder
        self._stack = contextlib.ExitStack()
        write_files(folder)

    def close(self):
        self._stack.close()

    def needed_by(self, source):
        """Return the objects that an example needs, by name, and write the files that it names."""
        for name in set(re.findall(r"\w+", source)).intersection(self.files):
            getattr(self, name)
        names = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
        own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        used = {node.id for node in names} - own
        return {name: getattr(self, name) for name in self.names if name in used}

    @functools.cached_property
    def data(self):
        held_out = {"validation": coloured(4, seed=1), "test": coloured(4, seed=2)}
        return ktl.ImageData.from_arrays(*coloured(12, seed=0), **held_out, image_size=16)

    @functools.cached_property
    def texts(self):
        return ktl.TextData.from_arrays(*reviews(8), validation=reviews(2), test=reviews(2))

    @functools.cached_property
    def network(self):
        with seeded(0):
            return small_network()

    @property
    def new(self):
        settings = {"preprocess": "tf", "seed": 0, "verbose": False, "preflight": False}
        return ktl.Learner(self.network, self.data, **settings)

    @functools.cached_property
    def learner(self):
        learner = self.new
        learner.fit_head(epochs=2)
        return learner

    @functools.cached_property
    def run(self):
        return str(self.learner.save(self.folder / "runs" / "first"))

    @functools.cached_property
    def lm(self):
        vocabulary = Vocabulary([*MARKS, "the", "good", "bad", "film", "."])
        sizes = {"vocabulary_size": len(vocabulary), "embedding_size": 4, "hidden_size": 6}
        return LanguageModel.new(AwdLstmConfig(**sizes, layers=1), vocabulary, seed=0)

    @functools.cached_property
    def client(self):
        return Client(self._stack.enter_context(rest_server()), "photos")

    @functools.cached_property
    def comparison(self):
        model = {"backbone": "efficientnet_lite0", "task": "binary", "class_names": [*CLASSES]}
        what = WHAT | {"model": model, "skill": {"task": "binary"}}
        return Comparison.load(write_comparison(self.folder / "comparison", what=what))

    @functools.cached_property
    def cv(self):
        return self.learner.cross_validate(folds=5)

    @functools.cached_property
    def rates(self):
        return self.learner.lr_find(steps=10)

    @functools.cached_property
    def calibrated(self):
        return calibrate(make_task("binary"), {"validation": make_outcomes("binary", sureness=3)})

    @functools.cached_property
    def thresholds(self):
        records = {"validation": make_outcomes("binary")}
        return choose_thresholds(make_task("binary"), records, Rule())

    @functools.cached_property
    def findings(self):
        few = "The class red has 3 training images."
        numbers = "The labels are whole numbers. They were read as classes."
        found = (
            Finding(
                name="few-items", severity="warning", what=few, action="Add images of this class."
            ),
            Finding(
                name="label-type",
                severity="note",
                what=numbers,
                action="To change this, pass task=",
            ),
        )
        return Findings(found, not_checked={"leakage": "there is no test split"})

    @functools.cached_property
    def fitted(self):
        gain = Interval(mean=0.04, low=0.01, high=0.07)
        loss = Interval(mean=-0.05, low=-0.08, high=-0.02)
        candidates = (
            Candidate(share=0.0, loss=0.4, metric=0.88, difference=None, better=loss),
            Candidate(share=0.75, loss=0.35, metric=0.92, difference=gain, better=None),
        )
        plan = Plan(
            evidence="validation",
            items=50,
            folds=0,
            trainings=1,
            steps=200,
            seconds=20.0,
            measured=True,
            minutes=None,
            seconds_left=None,
        )
        return FitResult(
            kept=0.75,
            default=0.75,
            policy="standard",
            candidates=candidates,
            plan=plan,
            seconds={"head": 3.0, "fine-tuning": 20.0},
            primary_metric="accuracy",
            item="image",
            trained_on=350,
        )

    @functools.cached_property
    def ranking(self):
        def row(name, metric, width, parameters, item_seconds):
            return RankedBackbone(
                name=name,
                metric=metric,
                interval=(metric - 0.05, metric + 0.05),
                score=0.12,
                width=width,
                parameters=parameters,
                item_seconds=item_seconds,
                seconds=10.0,
            )

        rows = (
            row("resnet50", 0.91, 2048, 23_587_712, 0.045),
            row("efficientnet_lite0", 0.9, 1280, 3_371_824, 0.009),
        )
        return Ranking(
            rows=rows,
            task="binary",
            primary_metric="accuracy",
            items=500,
            item="image",
            seed=0,
            chosen="efficientnet_lite0",
        )

    @functools.cached_property
    def tfds(self):
        """Write two prepared data sets: images of three classes, and reviews of two classes."""
        import tensorflow_datasets

        from tests.data.tfds import test_tf_data_sets

        features = tensorflow_datasets.features
        kind = {"text": features.Text(), "label": features.ClassLabel(names=["neg", "pos"])}

        def row(number):
            return {"text": REVIEWS[number % 2], "label": number % 2}

        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(test_tf_data_sets.KINDS, "reviews", (kind, row))
            test_tf_data_sets.prepare(self.folder / "tfds" / "images")
            splits = {"train": range(24)}
            test_tf_data_sets.prepare(self.folder / "tfds" / "texts", "reviews", splits)

    @functools.cached_property
    def wt103(self):
        """Write the two files of a fastai language model, with tiny weights."""
        from tests.backbones.test_awd_fastai import write_folder

        write_folder(self.folder / "wt103-fwd")


def _tensor(name, dtype, *shape):
    sizes = [{"size": str(size)} for size in (-1, *shape)]
    return {name: {"dtype": f"DT_{dtype}", "tensor_shape": {"dim": sizes}}}


_BYTES = _tensor("image_bytes", "STRING")
_VALID = _tensor("valid", "BOOL")
_CLASSES = (
    _tensor("probabilities", "FLOAT", 2) | _tensor("class_id", "INT64") | _tensor("label", "STRING")
)
_SIGNATURES = {
    "serving_default": (_BYTES, _CLASSES | _VALID),
    "embed": (_BYTES, _tensor("features", "FLOAT", 16) | _VALID),
    "pixels": (_tensor("pixels", "FLOAT", -1, -1, 3), _CLASSES),
    "classify": (
        _tensor("inputs", "STRING"),
        _tensor("classes", "STRING", 2) | _tensor("scores", "FLOAT", 2),
    ),
}
# Outputs for one item of the class red.
_OUTPUTS = {
    "probabilities": [0.25, 0.75],
    "class_id": 1,
    "label": "red",
    "features": [0.0] * 16,
    "valid": True,
}


def answer(path, body):
    """Return the response of TF Serving's REST API for version 3 of an image model."""
    if path.endswith("/metadata"):
        signatures = {
            name: {"inputs": inputs, "outputs": outputs, "method_name": ""}
            for name, (inputs, outputs) in _SIGNATURES.items()
        }
        metadata = {"signature_def": {"signature_def": signatures}}
        return {"model_spec": {"version": "3"}, "metadata": metadata}
    if path.endswith(":classify"):
        return {"results": [[["blue", 0.25], ["red", 0.75]]]}
    if path.endswith(":predict"):
        (inputs,) = body["inputs"].values()
        _, outputs = _SIGNATURES[body["signature_name"]]
        return {"outputs": {name: [_OUTPUTS[name]] * len(inputs) for name in outputs}}
    return {"model_version_status": [{"version": "3", "state": "AVAILABLE"}]}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = json.dumps(answer(self.path, json.loads(body or "null"))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def rest_server():
    """Run a server in this process that responds as TF Serving does. Yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
