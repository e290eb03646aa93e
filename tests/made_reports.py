"""What a report is made from, made up: every task, images and texts, and how a page is read."""

import json
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from keras_tl.base.config import ModelConfig, Phase
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.pca_projection import PcaProjection
from keras_tl.report.artifacts import AFTER, BEFORE, Artifacts, keep_projection, keep_top_items
from keras_tl.report.context import ReportContext
from keras_tl.report.facts import facts_of
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import task_of
from tests.made_outcomes import NAMES, make_outcomes

VOID = {"meta", "link", "br", "img"}


def make_history(watched="accuracy"):
    """A head and a fine-tuning that did not help."""
    values = {"loss": 0.5, watched: 0.8, "val_loss": 0.6, f"val_{watched}": 0.7}
    return (
        PhaseRecord(
            Phase("head", epochs=2, learning_rate=1e-3),
            (values, values),
            1.0,
            best_epoch=2,
            cached=True,
        ),
        PhaseRecord(
            Phase("fine-tune", epochs=1, learning_rate=1e-4, unfreeze="all"),
            (values,),
            9.0,
            0,
            cached=False,
        ),
    )


def make_material(
    task="multiclass",
    names=None,
    items=40,
    are_texts=False,
    text="A film.",
    kept=True,
    history=None,
    raw=None,
    **more,
):
    """The material of a run; without what it keeps of items if not `kept`."""
    names = NAMES[task] if names is None else names
    config = ModelConfig(
        backbone="made-up",
        image_size=None if are_texts else (32, 32),
        resize=None if are_texts else "crop",
        task=task,
        class_names=names,
    )
    raw = make_outcomes(task, items) if raw is None else raw
    test = Evaluation.of("test", task_of(config), raw=raw, weights="weights")
    classes = dict.fromkeys(names, items)
    about = {
        "config": config.to_json(),
        "seed": 0,
        "weights": None,
        "ancestry": [],
        "history": [
            record.to_json() for record in history or make_history(task_of(config).monitor)
        ],
        "evaluations": {"test": test.metrics},
        "data": {
            "task": task,
            "source_settings": {},
            "split_settings": {"seed": 0},
            "fingerprint_of": "content",
            "checked": None,
            "unused_files": None,
            "splits": {
                name: {"items": items, "classes": classes, "fingerprint": "0" * 64}
                for name in ("train", "test")
            },
        },
        "versions": {"python": "3.11"},
        "fit": None,
        "is_as_trained": True,
    }
    about = json.loads(json.dumps(about))
    bare = SimpleNamespace(module=None, preprocessor=None)
    facts = facts_of(about, {"backbone": 10, "head": 2}, bare)
    return ReportContext(
        facts=facts,
        test=test,
        artifacts=make_exhibits(test, are_texts, text) if kept else Artifacts(),
        **more,
    )


def make_exhibits(test, are_texts, text):
    """PCA projections, and the items with the largest losses: noise, or texts."""
    outcomes = test.record
    rng = np.random.default_rng(0)
    count = min(len(outcomes), 500)
    files = {}
    for when in (BEFORE, AFTER):
        found = PcaProjection.of("test", outcomes.labels[:count], rng.normal(size=(count, 8)))
        files |= keep_projection(when, found)
    rows = np.arange(len(outcomes))
    texts = TextSplit((text,) * len(rows), None, outcomes.labels)
    files |= keep_top_items(rows, texts, None, None, test.task, outcomes)
    if not are_texts:
        about = json.loads(files["top_losses.json"])
        noise = tf.constant(rng.integers(0, 256, (224, 224, 3)), tf.uint8)
        picture = tf.io.encode_jpeg(noise, quality=88).numpy()
        for one in about:
            row = one["row"]
            one |= {
                "texts": [],
                "place": text,
                "seen": "it",
                "places": [7, 7],
                "image": f"top_loss_{row}.jpg",
            }
            one["gradcam"] = one["image"]
            files[one["image"]] = picture
        files["top_losses.json"] = json.dumps(about).encode()
    return Artifacts(files)


class Page(HTMLParser):
    """A page as a parser sees it; raises where elements are not closed in turn."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        """Notes an element."""
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        """Notes an element of SVG that is closed at once."""
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        """Closes the last one."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Notes what people read."""
        if "style" not in self.open:
            self.text.append(data)

    def all(self, *tags):
        """The attributes of the elements with these tags, in order."""
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def said(self):
        """All texts with single spaces."""
        return " ".join(" ".join(self.text).split())
