"""Model cards: what they say of a run, what they keep to themselves, and how it is written."""

import dataclasses
import html
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
from markdown_it import MarkdownIt

from keras_tl.base.config import HeadConfig, Phase
from keras_tl.data.labelled_data import PLACES
from keras_tl.errors import ConfigError
from keras_tl.evaluation.metrics import measure
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.slices import measure_slices
from keras_tl.models.source_kinds import LEARNER, MODEL
from keras_tl.report.blocks import Cell, Section, Table
from keras_tl.report.card import read_sections, write_card
from keras_tl.report.facts import facts_of
from keras_tl.report.limits import limits_of
from keras_tl.report.pretraining import public_place, weights_text
from keras_tl.report.rendering import escaped, prose_as_html, prose_as_markdown, render
from keras_tl.report.sections.classes import per_class
from keras_tl.report.sections.summary import grouping_notes as summary_notes
from keras_tl.report.split_metrics import MetricEstimate
from keras_tl.tasks import TASKS
from keras_tl.training.policies import HEADS
from tests.export.conftest import SECTIONS

CARD, FACTS = "MODEL_CARD.md", "model.json"
# As `fit_head(epochs=10)` of a head with hidden layers is recorded.
HEAD = dataclasses.replace(HEADS["image"], min_steps=0)
FINE = Phase(
    "tune",
    epochs=4,
    learning_rate=1e-4,
    unfreeze=2,
    optimizer="adamw",
    patience=None,
    class_weight={"a b": 2.0},
)
PRIVATE = "/home/somebody/secret"


def rendered(text):
    """As GitHub shows it."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)


class Cells(HTMLParser):
    """The texts of table cells, headings and paragraphs, and every tag there is."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag in ("td", "th", "h1", "h2", "p"):
            self.texts.append("")

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data


def counts(names, number):
    return dict.fromkeys(names, number)


def measured(task, labels, logits, names):
    """What `evaluate()` gives."""
    return measure(TASKS[task](names), PredictionRecord(np.array(labels), np.array(logits)))


def make_run(names=("cat", "dog", "emu"), items=300, right=0.9, **changes):
    """What a run records of images of as many classes, with so many test items."""
    labels = [n % len(names) for n in range(items)]
    answers = [
        c if n >= (1 - right) * items else (c + 1) % len(names) for n, c in enumerate(labels)
    ]
    logits = [[9.0 * (c == answer) for c in range(len(names))] for answer in answers]
    epoch = {"loss": 0.5, "val_loss": float("nan"), "val_accuracy": 0.75, "learning_rate": 0.0}
    split = {"items": 900, "classes": counts(names, 900 // len(names)), "fingerprint": "f" * 64}
    run = {
        "config": {
            "backbone": "resnet50",
            "image_size": [224, 224],
            "resize": "crop",
            "task": "multiclass",
            "class_names": list(names),
            "head": HeadConfig(hidden=(8,)).to_json(),
            "precision": "float32",
            "architecture": None,
            "output_block": None,
            "sequence_length": None,
            "are_pairs": False,
            "target_mean": 0.0,
            "target_scale": 1.0,
        },
        "seed": 7,
        "weights": "imagenet",
        "ancestry": [],
        "history": [
            record(HEAD, [epoch, epoch], augment=[]),
            record(FINE, [epoch], best_epoch=0, augment=["standard", "Mine"]),
        ],
        "evaluations": {"test": measured("multiclass", labels, logits, names)},
        "data": {
            "task": "multiclass",
            "class_names": list(names),
            "resize": "crop",
            "split_settings": {"validation_split": 0.15, "test_split": 0.15, "seed": 0},
            "source_settings": {"kind": "tfds", "data_dir": PRIVATE, "image": "image"},
            "fingerprint_of": "files",
            "checked": {"items": 1210, "left_out": 10},
            "unused_files": {"item": "image", "unlabelled": {"seg_pred": 3}},
            "splits": {"train": split, "test": split | {"items": items}},
        },
        "versions": {"keras": "3.12.0"},
        "fit": None,
        "is_as_trained": True,
    }
    config = changes.pop("config", {})
    data = changes.pop("data", {})
    run |= changes
    run["config"] |= config
    run["data"] = None if data is None else run["data"] | data
    return run


def record(phase, epochs, best_epoch=1, **others):
    shared = {"phase": phase.to_json(), "epochs": epochs, "best_epoch": best_epoch}
    return shared | {"seconds": 1.5, "cached": False} | others


def facts_from(run):
    bare = SimpleNamespace(module=None, preprocessor=None)
    return facts_of(run, {"backbone": 1000, "head": 20}, bare)


def card_of(run, name="photos", sections=None):
    return write_card(facts_from(run), name, sections)[CARD]


NASTY = {
    "pipe": "a|b",
    "escaped-pipe": r"a\|b",
    "lines": "a\n\n# b\r\n- c",
    "backticks": "`a` ``b`` ```c",
    "emphasis": "*a* _b_ __c__ **d** e_f_g",
    "html": "<script>alert(1)</script> <b>&amp;</b> <!-- x",
    "link": "[a](javascript:b) ![c](d) <https://e.f> [g]: h",
    "links-of-github": "https://e.f/g_h www.i.j",
    "hashes": "# C# #",
    "strike": "~~a~~ $b$",
    "controls": "a\x00b\u2028c\u202ed",
    "backslash": "a\\",
    "unicode": "Ünïcode ☃ 漢字",
}


@pytest.mark.parametrize("name", NASTY)
def test_what_users_call_things_is_shown_as_it_is(name):
    text = NASTY[name]
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    table = Table("counts", ["class", "n"], [[text, Cell("1")]])
    section = Section("own", text, [table])
    written = render("card.md", tags=[], pipeline_tag="", name=text, sections=[section])
    found = Cells(rendered(written.partition("\n---\n\n")[2]))
    assert [part.strip() for part in found.texts] == [
        *(f"Model card: {shown}", shown, "counts:"),
        *("class", "n", shown, "1"),
    ]
    # GitHub makes links of these, the renderer here does not.
    assert not re.search(r"(?<!\\)://|www\.", escaped(text))
    assert found.tags == {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("name", NASTY)
def test_in_sentences_only_pairs_of_backticks_mean_something(name):
    """Both documents show the same characters, and no other element."""
    text = f"Call `learner.f(x='*')` of {NASTY[name]}."
    documents = rendered(prose_as_markdown(text)), f"<p>{prose_as_html(text)}</p>"
    pages = [Cells(document) for document in documents]
    assert all("<code>learner.f(x='*')</code>" in html.unescape(one) for one in documents)
    assert all(page.tags <= {"p", "code"} for page in pages)
    shown = ["".join(c if c.isprintable() else " " for c in page.texts[0]) for page in pages]
    assert shown[0].split() == shown[1].split()


def test_a_card_has_its_sections_whatever_the_names_are():
    names = tuple(NASTY.values())
    run = make_run(names, config={"backbone": "re|s<net>"}, weights=f"{PRIVATE}/`w`.h5")
    text = card_of(run, "a|b <i>", {"My | heading": "As *I* write.", "Intended use": "Birds."})
    page = rendered(text.partition("\n---\n\n")[2])
    assert not {"script", "b", "i", "img", "a", "del"} & Cells(page).tags
    assert re.findall("<h[12]>(.*?)</h[12]>", page) == [
        "Model card: a|b &lt;i&gt;",
        "Model details",
        "Intended use",
        "My | heading",
        "Training and evaluation data",
        "Metrics",
        "Training",
        "Limits and risks",
        "How to reproduce",
        "Versions",
    ]
    assert "<p>As <em>I</em> write.</p>" in page
    # A row for each class in the data, and one in the metrics.
    for name in names:
        assert page.count(f"<td>{rendered(escaped(name))[3:-5]}</td>") == 2


@pytest.mark.parametrize("count", [100, 101])
def test_of_many_classes_the_first_and_the_worst_are_shown(count):
    names = tuple(f"class {n}" for n in range(count))
    texts = write_card(facts_from(make_run(names, items=300)), "photos")
    sections = texts[CARD].split("\n## ")
    data, metrics = (
        next(text for text in sections if text.startswith(heading))
        for heading in ("Training and evaluation data", "Metrics")
    )
    assert data.count("| class ") == 100 + 1
    assert metrics.count("| class ") == 100
    assert ("the 100 with the lowest F1 of 101" in metrics) == (count > 100)
    # The first 30 items are those that are answered wrongly.
    assert "| class 0 |" in metrics
    assert "| class 100 |" not in metrics + data
    found = json.loads(texts[FACTS])["evaluations"]["test"]
    assert len(found["per_class"]) == count
    assert (found["confusion_matrix"] is not None) == (count <= 100)


@pytest.mark.parametrize("name", sorted(PLACES))
def test_folders_of_the_machine_are_asked_for_and_not_told(name):
    kind = {"root": "csv", "data_dir": "tfds"}[name]
    settings = {"kind": kind, "image": "file", name: PRIVATE}
    facts = facts_from(make_run(data={"source_settings": settings}))
    text = json.dumps(facts.to_json()) + write_card(facts, "photos")[CARD]
    assert PRIVATE not in text
    assert {"kind", name}.isdisjoint(facts.data.settings)
    assert facts.data.settings["image"] == "file"
    said = " ".join(" ".join(facts.calls).split())
    assert f'ImageData.from_{kind}( ..., image="file",' in said
    assert f"{name}=...," in said


def test_what_is_private_is_not_told():
    run = make_run(
        weights=f"run:{PRIVATE}/runs/old",
        config={"backbone": f"tfhub:{PRIVATE}/module"},
        ancestry=[
            {
                "kind": "training",
                "weights": f"ulmfit:{PRIVATE}/lm",
                "task": "binary",
                "class_names": ["a", "b"],
                "data": {"items": 12, "fingerprint": None},
                "history": make_run()["history"],
            },
            {"kind": "language model", "texts": 30, "tokens": 4000, "files": ["x.txt"]},
        ],
    )
    texts = write_card(facts_from(run), "photos")
    for text in texts.values():
        assert "secret" not in text
        assert "x.txt" not in text
        assert "run:old" in text
    facts = json.loads(texts[FACTS])
    assert facts["data"]["kind"] == "tfds"
    first, second = facts["pretraining"]["ancestry"]
    assert (first["weights"], first["data"]["items"]) == ("ulmfit:lm", 12)
    assert (second["texts"], second["tokens"]) == (30, 4000)
    assert facts["pretraining"]["kind"] == "language model"
    assert "1. binary: a, b; 12 items; started from ulmfit:lm; phases" in texts[CARD]
    assert "2. language model; 30 texts; 4,000 tokens\n" in texts[CARD]
    assert "The backbone is a language model" in facts["limits"]["Inherited bias"]
    assert "This document lists all earlier trainings" in facts["limits"]["Inherited bias"]


WRITTEN = {
    "imagenet": "imagenet",
    "/home/me/w.h5": "w.h5",
    r"C:\Users\me\w.h5": "w.h5",
    "run:runs/photos/": "run:photos",
    "kerashub:bert_tiny_en_uncased": "kerashub:bert_tiny_en_uncased",
    "tfhub:https://tfhub.dev/google/x/1": "tfhub:https://tfhub.dev/google/x/1",
    "tfhub:https://me:pass@host:81/x?token=1#y": "tfhub:https://host:81/x",
    "tfhub:file:///home/me/module": "tfhub:module",
    "ulmfit:.": "ulmfit:.",
}


def test_weights_that_came_with_an_object_are_named_in_words():
    assert weights_text(MODEL) == "weights of the keras.Model"
    assert weights_text(LEARNER) == "weights of another learner"


@pytest.mark.parametrize("place", WRITTEN)
def test_of_a_path_only_the_last_part_is_told(place):
    assert public_place(place) == WRITTEN[place]


WEIGHTS = {
    "catalogue": ({}, "ImageNet", "MIT"),
    "file": ({"weights": "w.h5"}, "other", None),
    "random": ({"weights": None}, "random", None),
    "unknown-here": ({"config": {"backbone": "registered"}}, "ImageNet", None),
    "hub": ({"weights": "tfhub:https://tfhub.dev/x/1"}, "TF-Hub module", None),
    "own": ({"weights": MODEL}, "other", None),
    "borrowed": ({"weights": LEARNER}, "other", None),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_licence_is_told_where_it_is_known_and_never_guessed(name):
    changes, kind, licence = WEIGHTS[name]
    facts = facts_from(make_run(**changes))
    found = facts.pretraining
    assert (found.kind, found.licence) == (kind, licence)
    assert ("ImageNet" in limits_of(facts)["Inherited bias"]) == (kind == "ImageNet")
    card = card_of(make_run(**changes))
    unknown = licence is None and kind != "random"
    assert ("| Weights' licence | not recorded |" in card) == unknown


WARNINGS = {
    "none": ({}, []),
    "untrained": ({"history": []}, ["The head is untrained"]),
    "changed": ({"is_as_trained": False}, ["The weights were changed after the last phase"]),
    "not-evaluated": (
        {"evaluations": {}},
        ["The model was not evaluated on the test split: run `learner.eval"],
    ),
    "no-test-split": (
        {"evaluations": {}, "data": {"splits": {"train": {"items": 9, "fingerprint": None}}}},
        ["The model was not evaluated: the data have no test split"],
    ),
    "no-data": ({"data": None}, ["The training data are not recorded"]),
    "other-data": (
        {"data": {"splits": {n: {"items": 9, "fingerprint": ""} for n in ("train", "test")}}},
        ["The metrics were measured on 300 items, but the test split"],
    ),
    "no-better-than-guessing": ({"right": 0.35}, ["The model is not clearly better than"]),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings_stand_near_the_top(name):
    changes, expected = WARNINGS[name]
    card = card_of(make_run(**changes))
    found = re.findall(r"^> \*\*Warning\.\*\* (.*)$", card.partition("## Model details")[0], re.M)
    assert len(found) == len(expected)
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(start)


def binary_run(order, threshold):
    """A run of two classes, one in ten of which is yes, by how well its items are ordered."""
    labels = np.array([0] * 180 + [1] * 20)
    noise = np.random.default_rng(0).normal(size=200)
    outcomes = PredictionRecord(
        labels, (noise + {"well": 2.5, "not": 0}[order] * labels - 3)[:, None]
    )
    thresholds = () if threshold is None else (threshold,)
    found = measure(TASKS["binary"](("no", "yes"), thresholds=thresholds), outcomes)
    config = {"task": "binary", "class_names": ["no", "yes"], "thresholds": list(thresholds)}
    data = {"splits": {"train": {"items": 9, "fingerprint": None}}}
    return make_run(("no", "yes"), config=config, data=data, evaluations={"test": found})


NOT_BETTER = "not clearly better than always predicting the most frequent class"
# How the items are ordered, the chosen threshold, what is said, and what is not.
VERDICTS = {
    "threshold-of-the-user": ("well", 0.05, None, "not clearly better"),
    "threshold-does-not-help-a-random-order": ("not", 0.05, "better than guessing: AUC", "most fr"),
    "well-ordered-without-a-threshold": (
        "well",
        None,
        "better than a random order (AUC 0.9",
        "guess",
    ),
    "random-order-without-a-threshold": ("not", None, NOT_BETTER, "choose_thresholds"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_a_chosen_threshold_is_judged_by_the_order_of_the_items(name):
    order, threshold, said, unsaid = VERDICTS[name]
    warnings = card_of(binary_run(order, threshold)).partition("## Model details")[0]
    assert said is None or said in warnings
    assert unsaid not in warnings


def imbalanced(rarest):
    split = {"items": 90, "classes": {"cat": 60, "dog": 50, "emu": rarest}, "fingerprint": ""}
    return {"data": {"splits": {"train": split}}}


def with_slices(right):
    """An evaluation by two cameras, one of which has so many of its answers right."""
    answers = (np.arange(80) < round(40 * (1 - right))).astype(int)
    names, outcomes = ("cat", "dog", "emu"), PredictionRecord(np.zeros(80, int), np.eye(3)[answers])
    by = ["old"] * 40 + ["new"] * 40
    slices = measure_slices(TASKS["multiclass"](names), outcomes, "camera", by).to_json()
    return {
        "evaluations": {"test": measure(TASKS["multiclass"](names), outcomes) | {"slices": slices}}
    }


NOT_SCALED = {"config": {"temperature": 1.0}}
LIMITS = {
    "calibrated": (
        {"config": {"temperature": 1.75}},
        "Calibration",
        "divided by the temperature 1.750, fitted on the validation split. On the test split the",
    ),
    "not-calibrated": (
        NOT_SCALED,
        "Calibration",
        "are not calibrated. Calibrate them with `learner.calibrate()`",
    ),
    "not-measured": ({"evaluations": {}}, "Calibration", "was not measured"),
    "groups": ({}, "Groups", "The metrics cover whole splits and whole classes"),
    "worse-group": (
        with_slices(0.5),
        "Groups",
        "worse than the rest in accuracy: old (0.5 against",
    ),
    "equal-groups": (with_slices(0.975), "Groups", "column camera. No group is clearly worse"),
    "small-test-set": ({"items": 60}, "Small test set", "lie between 79.9% and 95.3%"),
    "large-test-set": ({}, "Small test set", None),
    "few-of-a-class": ({"items": 60}, "Classes with few test items", "3 of 3 classes"),
    "imbalanced": (imbalanced(20), "Class imbalance", "3.0 times as many as the rarest class (20)"),
    "nearly-even": (imbalanced(31), "Class imbalance", None),
    "empty-class": (imbalanced(0), "Class imbalance", "A class has no image in training"),
    "left-out": ({}, "Unusable items", "Of the 1,210 images of the data, 10 could not be used"),
    "files": ({}, "Fingerprints of the data", "paths, sizes and times"),
    "content": ({"data": {"fingerprint_of": "content"}}, "Fingerprints of the data", "same images"),
    "text": (
        {"config": {"image_size": None, "sequence_length": 48}},
        "Unusable items",
        "The model reads at most 48 tokens of a text",
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_those_of_the_facts(name):
    changes, heading, part = LIMITS[name]
    limits = limits_of(facts_from(make_run(**changes)))
    assert (heading in limits) == (part is not None)
    assert part is None or part in limits[heading]


def test_intervals_of_classes_are_of_what_was_counted():
    """Two of four cats are found, and one of three answers "cat" is wrong."""
    labels, answers = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0, 1])
    names = ("cat", "dog", "emu")
    evaluation = measured("multiclass", labels, np.eye(3)[answers], names)
    found = facts_from(make_run(evaluations={"test": evaluation})).test
    cat, emu = (found.per_class[name].metrics for name in ("cat", "emu"))
    # Two of five are cats and answered so: their Wilson interval, as that of their F1.
    low, high = (f1 / (2 - f1) for f1 in cat["f1"].interval)
    assert (low, high) == pytest.approx((0.118, 0.769), abs=1e-3)
    # Newcombe, 1998, eq. of method 3, by hand.
    assert cat["recall"].interval == pytest.approx([0.150, 0.850], abs=1e-3)
    assert cat["precision"].interval == pytest.approx([0.208, 0.939], abs=1e-3)
    assert found.most_frequent_share == pytest.approx(4 / 6)
    for name in ("recall", "precision", "f1"):
        assert emu[name] == MetricEstimate(None, None)


def grouped(groups):
    """Return the metrics of 60 items in the given number of groups, from the column `patient`."""
    labels, names = np.arange(60) % 3, ("cat", "dog", "emu")
    outcomes = PredictionRecord(labels, 9 * np.eye(3)[(labels + (np.arange(60) < 20)) % 3])
    outcomes = outcomes.in_groups(np.arange(60) % groups, "patient")
    return measure(TASKS["multiclass"](names), outcomes)


# Number of groups of the test split, and what the card and the summary say.
GROUPED = {
    1: ("All items belong to 1 group (patient).", None),
    5: ("With fewer than 10 groups, intervals are too narrow.", "5 groups (patient)"),
    60: ("Intervals of the test split treat the 60 groups (patient) as", "60 groups (patient)"),
}


@pytest.mark.parametrize("count", GROUPED)
def test_intervals_that_count_groups_say_so(count):
    said, named = GROUPED[count]
    run = make_run(evaluations={"test": grouped(count), "validation": grouped(12)})
    facts = facts_from(run)
    texts = [block.text for block in summary_notes(facts)]
    assert said in texts[0]
    assert "validation split treat the 12 groups" in texts[1]
    card = card_of(run)
    assert all(text in html.unescape(rendered(card)) for text in texts)
    caption = per_class(facts.test, "test").caption
    assert caption.endswith("(Wilson, 1927)" if named is None else f"{named} as independent)")
    assert facts.to_json()["evaluations"]["test"]["grouping"] == {"by": "patient", "count": count}


def test_without_groups_nothing_is_said_of_them():
    run = make_run()
    assert summary_notes(facts_from(run)) == []
    assert "independent" not in card_of(run)


def test_temperature_and_thresholds_are_told():
    config = {"temperature": 1.75, "thresholds": (0.25,), "class_names": ["no", "yes"]}
    run = make_run(("no", "yes"), config=config | {"task": "binary"}, evaluations={})
    card = card_of(run)
    for line in (
        "| Temperature | 1.7500 |",
        "| Thresholds | yes above 0.2500 |",
        "learner.calibrate()",
    ):
        assert line in card
    assert "learner.choose_thresholds(...)" in card
    for word in ("| Temperature |", "| Thresholds |", "choose_thresholds"):
        assert word not in card_of(make_run(config={"temperature": 1.0, "thresholds": ()}))


@pytest.mark.parametrize("task", ["binary", "multilabel", "regression"])
def test_every_task_has_a_card(task):
    rng = np.random.default_rng(0)
    names = {"binary": ("no", "yes"), "multilabel": ("a", "b"), "regression": ()}[task]
    columns = 2 if task == "multilabel" else 1
    logits = rng.normal(size=(40, columns))
    labels = (logits + rng.normal(size=logits.shape) > 0).astype(int)
    labels = {"multilabel": labels, "binary": labels[:, 0], "regression": logits[:, 0] + 0.5}[task]
    evaluation = measured(task, labels, logits, names)
    split = {"items": 40, "classes": counts(names, 20), "fingerprint": "f"}
    run = make_run(
        config={"task": task, "class_names": list(names)},
        evaluations={"test": evaluation},
        data={"splits": {"train": split, "test": split}},
    )
    facts = json.loads(json.dumps(facts_from(run).to_json(), allow_nan=False))
    told = {n: v["value"] for n, v in facts["evaluations"]["test"]["metrics"].items()}
    known = {n: v for n, v in evaluation.items() if isinstance(v, float)}
    assert told == pytest.approx(known)
    if task == "regression":
        low, high = facts["evaluations"]["test"]["metrics"]["mae"]["interval"]
        assert low == high == pytest.approx(0.5)
    # The items' own values are data.
    assert "values" not in facts["evaluations"]["test"]
    for name in names:
        assert f"| {name} | 20 | 20 |" in card_of(run)


@pytest.mark.parametrize("backbone", ["resnet50", "tfhub:https://tfhub.dev/x/1"])
def test_the_calls_make_the_same_phases(backbone):
    weights = "imagenet" if backbone == "resnet50" else backbone
    run = make_run(weights=weights, config={"backbone": backbone})
    toolkit = Mock(Phase=Phase, HeadConfig=HeadConfig)
    lines = [line for line in facts_from(run).calls if not line.startswith("import")]
    assert all(len(line) < 100 for line in lines)
    exec("\n".join(lines), {"ktl": toolkit, "Mine": Mock()})
    (arguments, named) = toolkit.Learner.call_args
    assert arguments == (backbone, toolkit.ImageData.from_tfds.return_value)
    assert named["head"] == HeadConfig(hidden=(8,))
    assert (named["seed"], named.get("weights")) == (7, "imagenet" if ":" not in backbone else None)
    assert toolkit.ImageData.from_tfds.call_args.kwargs == {
        "data_dir": ...,
        "image": "image",
        "validation_split": 0.15,
        "test_split": 0.15,
        "seed": 0,
        "resize": "crop",
    }
    learner = toolkit.Learner.return_value
    assert learner.fit_head.call_args.kwargs == {"epochs": HEAD.epochs, "augment": False}
    assert learner.fine_tune.call_args.kwargs["policy"] == FINE


@pytest.mark.parametrize("content", [None, b"no JSON", b"\xff", b"[]"])
def test_a_file_of_sections_that_cannot_be_used_is_refused(content, tmp_path):
    path = tmp_path / "card.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="that only you can write"):
        read_sections(path)
    path.write_text(json.dumps(SECTIONS))
    assert read_sections(path) == SECTIONS
