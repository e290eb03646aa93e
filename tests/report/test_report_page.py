"""The page: well formed, complete, asking for nothing, safe, legible; from made-up material."""

import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from keras_tl import report
from keras_tl.base.config import ModelConfig, Phase
from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.overfitting import Overfitting, find_overfitting
from keras_tl.evaluation.plots import style
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.remedy import Remedy
from keras_tl.preflight.findings import Finding, Findings
from keras_tl.report.artifacts import BEFORE, Artifacts, keep_top_items
from keras_tl.report.page import page_of, summary_of, write_report
from keras_tl.report.sections.classes import classes
from keras_tl.report.sections.probabilities import probabilities
from keras_tl.report.sections.training import training
from keras_tl.report.split_metrics import SplitMetrics
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import TASKS
from tests.made_outcomes import NAMES, make_outcomes
from tests.made_reports import Page, make_history, make_material

CASES = {
    "multiclass": ("multiclass", False),
    "binary": ("binary", False),
    "multilabel": ("multilabel", False),
    "regression": ("regression", False),
    "texts": ("multiclass", True),
    "binary-texts": ("binary", True),
}
# By task, the links to sections and the captions of its tables and plots.
SECTIONS = [
    "summary",
    "training",
    "classes",
    "probabilities",
    "losses",
    "features",
    "data",
    "model",
]
PARTS = {
    "multiclass": ("most frequent class", "Confusion matrix", "Reliability"),
    "binary": ("most frequent class", "Confusion matrix", "ROC curve", "Precision against recall"),
    "multilabel": ("mean average precision is", "ranking at random", "Precision against recall"),
    "regression": ("off by", "training mean", "Predicted against true values"),
}
STYLE = Path(report.__file__).with_name("templates") / "style.css"


@pytest.fixture(scope="module")
def pages():
    """The page of each case, made once."""
    return {
        case: page_of(make_material(task, are_texts=are_texts))
        for case, (task, are_texts) in CASES.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_a_page_holds_every_part_of_its_task(pages, case):
    task, are_texts = CASES[case]
    page = Page(pages[case])
    found = [attributes["id"] for attributes in page.all("section")]
    expected = [key for key in SECTIONS if task != "regression" or key != "probabilities"]
    assert found == [
        {"classes": "values"}.get(k, k) if task == "regression" else k for k in expected
    ]
    spoken = page.said + " ".join(a.get("aria-label", "") for a in page.all("svg"))
    shared = ("Learning curves of the loss", "fine-tune", "none was better", "nearest neighbour")
    parts = (*PARTS[task], *(part for part in shared if task != "regression" or "near" not in part))
    for part in (*parts, "keras-tl compare", "learner = ktl.Learner("):
        assert part in spoken, part
    assert len(page.all("img")) == (0 if are_texts else 24)
    assert page.said.count("A film.") == 12
    assert ("Grad-CAM" in page.said) == (not are_texts)


@pytest.mark.parametrize("case", CASES)
def test_a_page_is_well_formed_and_asks_for_nothing(pages, case):
    page = Page(pages[case])
    assert page.all("html") == [{"lang": "en"}]
    assert not page.all("script", "iframe", "object", "embed", "form")
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                assert value.startswith(("#", "data:")), (tag, value)
            assert "url(" not in (value or "") or "url(#" in value, (tag, value)
    assert not re.search(r"https?://|@import|url\([^#]", pages[case])
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:")
    assert [a["content"] for a in page.all("meta") if a.get("name") == "viewport"]
    # The rules of a plot would hold for the whole page; its colours are the page's, light and dark.
    assert len(page.all("style")) == 1
    drawn = pages[case].partition("</style>")[2]
    assert "var(--first)" in drawn
    for colour in (style.INK, style.SOFT, style.FIRST, style.SECOND, *style.GROUPS):
        assert colour not in drawn
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointers = [a.get("href") or a.get("xlink:href", "") for a in page.all("a", "use")]
    pointers += re.findall(r"url\((#[^)]*)\)", pages[case])
    assert {pointer[1:] for pointer in pointers} <= set(ids)


@pytest.mark.parametrize("case", CASES)
def test_a_page_can_be_read_without_seeing_it(pages, case):
    page = Page(pages[case])
    assert all(attributes["alt"] for attributes in page.all("img"))
    pictures = page.all("svg")
    assert pictures
    assert all(a["role"] == "img" and a["aria-label"] for a in pictures)
    assert {a["scope"] for a in page.all("th")} == {"row", "col"}
    assert len(page.all("caption")) == len(page.all("table"))
    # The headings are one of the first level and then those of the sections.
    levels = [tag for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels == ["h1", *["h2"] * len(page.all("section"))]
    assert all(a["tabindex"] == "0" for a in page.all("pre"))


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '#1f5fa8 $\\bad{$ --> </style></svg> id="x" {{ 7 * 7 }} {% raw %}',
)


@pytest.mark.parametrize(("task", "case"), [("multilabel", "multilabel"), ("multiclass", "texts")])
def test_texts_of_the_users_are_shown_and_nothing_else(pages, task, case):
    names, text = HOSTILE, "\n".join(HOSTILE)
    page = Page(page_of(make_material(task, names, are_texts=case == "texts", text=text)))
    assert not page.all("script")
    # Colours are those of the page in what is drawn, not in what is said.
    assert "var(" not in page.said
    tags = [{tag for tag, _ in one.elements} for one in (page, Page(pages[case]))]
    assert tags[0] == tags[1]
    assert not [a for _, a in page.elements if "onerror" in a or a.get("id") == "x"]
    for name in names:
        assert " ".join(name.split()) in page.said
    assert " ".join(text.split()) in page.said


def test_a_run_that_kept_nothing_says_how_to_get_it():
    page = Page(page_of(make_material(kept=False)))
    for part in ("were not kept in the run", "learner.evaluate()", "features were not kept"):
        assert part in page.said
    assert "Confusion matrix" in page.said
    assert page.all("img") == []


def test_an_untrained_model_that_was_not_measured():
    report_context = make_material()
    facts = dataclasses.replace(report_context.facts, evaluations={}, data=None, history=())
    page = Page(page_of(dataclasses.replace(report_context, facts=facts, test=None)))
    for part in ("was not evaluated on", "learner.fit_head()", "data are not recorded"):
        assert part in page.said


def test_of_items_without_labels_little_is_defined():
    raw = PredictionRecord(np.zeros((8, 3), np.float32), make_outcomes("multilabel", 8).logits)
    context = make_material("multilabel", raw=raw)
    page = Page(page_of(context))
    assert "mean average precision is not defined." in page.said
    assert "ROC curve" not in page.said
    for draw in (context.test.plot_roc, context.test.plot_precision_recall):
        with pytest.raises(DataError, match=r"The test split has no .* curve\. The curve needs"):
            draw()
    with pytest.raises(ConfigError, match=r"exactly one class per item\. The task is multilabel"):
        context.test.plot_confusion()


def test_what_the_checks_and_the_phases_say_where_there_is_little_to_say():
    head, tuned = make_history()
    phase = dataclasses.replace(tuned.phase, unfreeze="block5")
    tuned = dataclasses.replace(tuned, phase=phase, best_epoch=1)
    context = make_material(history=(head, tuned), findings=Findings())
    files = {name: x for name, x in context.artifacts.files.items() if BEFORE not in name}
    said = Page(page_of(dataclasses.replace(context, artifacts=Artifacts(files)))).said
    for part in (
        "The checks before training found no problem.",
        "backbone from block5 on",
        "The features before fine-tuning were not kept",
    ):
        assert part in said
    assert "Not checked" not in said


def test_numbers_are_where_they_belong(pages):
    report_context = make_material()
    names, counts = report_context.task.class_names, report_context.test["confusion_matrix"]
    assert counts != np.transpose(counts).tolist()
    tables = {block.caption.split(":")[0]: block for block in classes(report_context).blocks}
    table = tables["Confusion matrix"]
    assert table.head == ["true class", *names]
    shown = [[int(cell.text or 0) for cell in row[1:]] for row in table.rows]
    assert (shown, [row[0] for row in table.rows]) == (counts, [*names])
    shares = [[cell.share for cell in row[1:]] for row in table.rows]
    assert np.sum(shares, axis=1) == pytest.approx(1)
    assert Page(pages["multiclass"]).all("small")
    found = report_context.test.top_losses(12).items
    alts = [attributes["alt"] for attributes in Page(pages["multiclass"]).all("img")]
    assert alts[::2] == [f"A film.: predicted {one.predicted}, true {one.true}" for one in found]
    assert set(alts[1::2]) == {"Grad-CAM of the same image for it"}


def test_of_many_classes_the_largest_confusions_and_the_worst_are_shown():
    names = tuple(f"class {number}" for number in range(101))
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(101), 3)
    answers = np.where(np.arange(303) % 9, labels, rng.integers(0, 101, 303))
    answers[labels == 5] = 6
    outcomes = PredictionRecord(labels, np.eye(101, dtype=np.float32)[answers])
    test = Evaluation.of("test", TASKS["multiclass"](names), raw=outcomes, weights="weights")
    report_context = make_material()
    facts = dataclasses.replace(report_context.facts, evaluations={"test": SplitMetrics.of(test)})
    worst, confusions = classes(dataclasses.replace(report_context, facts=facts, test=test)).blocks
    assert "the 100 with the lowest F1 of 101" in worst.caption
    scores = [float(row[4].text) for row in worst.rows]
    assert (len(scores), scores, scores[0]) == (100, sorted(scores), 0)
    assert confusions.rows[0] == ["class 5", "class 6", "3", "100%"]


def test_of_many_labels_the_curves_of_the_worst_are_drawn():
    names = tuple(f"label {number}" for number in range(9))
    labels = np.random.default_rng(0).integers(0, 2, (40, 9)).astype(np.float32)
    logits = np.random.default_rng(1).normal(size=(40, 9)).astype(np.float32)
    logits[:, 4] = labels[:, 4]
    outcomes, report_context = PredictionRecord(labels, logits), make_material("multilabel")
    config = dataclasses.replace(report_context.facts.config, class_names=names)
    facts = dataclasses.replace(report_context.facts, config=config)
    test = Evaluation.of("test", TASKS["multilabel"](names), raw=outcomes, weights="weights")
    changed = dataclasses.replace(report_context, facts=facts, test=test)
    shown = probabilities(changed).blocks[-1].plots[-1]
    assert "the 8 labels with the lowest average precision, of 9 labels" in shown.caption
    alt = shown.svg.partition(">")[0]
    assert [name for name in names if name not in alt] == ["label 4"]


def test_warnings_thresholds_and_what_was_left_out_are_said():
    report_context = make_material("binary")
    data = dataclasses.replace(
        report_context.facts.data,
        checked={"items": 50, "left_out": 7},
        unused_files=UnusedFiles("image", suffixes={".heic": 3}),
    )
    config = dataclasses.replace(report_context.facts.config, thresholds=(0.75,), temperature=2.0)
    facts = dataclasses.replace(report_context.facts, untested="Careful.", data=data, config=config)
    page = Page(page_of(dataclasses.replace(report_context, facts=facts)))
    assert "Careful." in page.said
    assert "Chosen decision thresholds: yes above 0.7500." in page.said
    assert "a temperature of 2.000" in page.said
    assert "50 items; 7 unusable items left out" in page.said
    assert "Not used: 3 files of other kinds (3 .heic)." in page.said


def test_what_a_number_is_measured_by():
    report_context = make_material("regression")
    config = dataclasses.replace(report_context.facts.config, target_mean=10.0)
    facts = dataclasses.replace(report_context.facts, config=config)
    said = summary_of(dataclasses.replace(report_context, facts=facts))
    off = np.abs(report_context.test.raw.labels - 10).mean()
    assert f"always predicting the training mean would be off by {off:.4g}" in said
    report_context = make_material("multilabel")
    share = report_context.test.raw.labels.mean()
    assert f"ranking at random would give about {share:.3f}" in summary_of(report_context)


def test_the_course_of_the_training_in_words():
    first, second = make_history()
    low = {"loss": 0.25, "accuracy": 0.9, "val_loss": 0.3, "val_accuracy": 0.85}
    first = dataclasses.replace(first, epochs=(first.epochs[0], low))
    curves, table = training(make_material(history=(first, second))).blocks
    alt = curves.plots[0].svg.partition(">")[0]
    assert "head, training: 0.5 to 0.25. head, validation: 0.6 to 0.3." in alt
    assert "fine-tune, training: 0.5 to 0.5." in alt
    assert table.rows[0] == [
        *("head", "head", "2 of 2", "2", "0.001", "32", "not recorded"),
        *("loss 0.3, accuracy 0.85", "1.0"),
    ]


def test_where_the_data_lie_stays_behind_and_long_texts_are_cut():
    rows, labels = np.arange(2), np.zeros(2, np.int64)
    files = ImageSplit(("/home/me/a/b.jpg", "c.jpg"), labels)
    texts = TextSplit(("x" * 5000, "y"), ("z" * 5000, "z"), labels)
    kept = [
        json.loads(keep_top_items(rows, split, None, None, None, None)["top_losses.json"])
        for split in (files, texts)
    ]
    assert [one["place"] for one in kept[0]] == ["a/b.jpg", "c.jpg"]
    assert [[len(text) for text in one["texts"]] for one in kept[1]] == [[600, 600], [1, 1]]


def test_pictures_are_kept_no_larger_than_they_are_shown():
    outcomes, pixels = make_outcomes("binary", 2), np.zeros((2, 300, 448, 3), np.float32)
    # What gives vectors has no Grad-CAM.
    parts = SimpleNamespace(backbone=lambda pixels, training: {"vectors": pixels})
    split, rows = ImageSplit(pixels, outcomes.labels), np.array([3, 8])
    files = keep_top_items(rows, split, pixels, parts, TASKS["binary"](("a", "b")), outcomes)
    assert {*files} == {"top_losses.json", "top_loss_3.jpg", "top_loss_8.jpg"}
    assert tf.io.decode_jpeg(files["top_loss_8.jpg"]).shape == (150, 224, 3)


def test_what_others_have_found_is_shown():
    remedy = Remedy("Augment the images.", "p()")
    finding = Finding("leak", "error", "One is in both.", "Remove it.")
    report_context = make_material(
        overfitting=Overfitting("overfits", "the model overfits.", (), (remedy,)),
        findings=Findings([finding], {"sizes": "no files"}),
    )
    page = Page(page_of(report_context))
    told = dataclasses.astuple(finding)
    expected = ("The model overfits.", "augment the images", "p()", *told)
    for part in (*expected, "sizes (no files)"):
        assert part in page.said


def test_gap_trend_best_epoch_and_what_stopping_saved_are_shown():
    rows = [
        {"loss": 1 - 0.2 * n, "accuracy": 0.6 + 0.1 * n, "val_loss": loss, "val_accuracy": 0.5}
        for n, loss in enumerate((0.9, 0.7, 0.75, 0.95))
    ]
    record = PhaseRecord(
        Phase("head", epochs=6, learning_rate=1e-3), tuple(rows), 1.0, best_epoch=2, cached=True
    )
    task = TASKS["multiclass"](NAMES["multiclass"])
    config = ModelConfig("made-up", (32, 32), "crop", task=task.kind, class_names=NAMES[task.kind])
    found = find_overfitting([record], task, config, ("a", "b"), 400)
    page = Page(page_of(make_material(history=(record,), overfitting=found)))
    for part in (
        found.statement[1:],
        "head 0.700 0.500 +0.200 or more +0.1000 2 of 4 by loss 2 of 6 0.2500 of loss",
        *(one.command or one.python for one in found.remedies),
    ):
        assert part in page.said
    assert len(found.remedies) == 2


def test_a_roc_curve_is_drawn_for_each_label_that_has_one():
    report_context = make_material("multilabel")
    corner, diagonal = [[0, 0], [0, 1], [1, 1]], [[0, 0], [1, 1]]
    for curves, said in (
        ({"x": corner, "y": diagonal, "z": []}, "Areas under the curves: x 1.000, y 0.500"),
        (
            {f"l{n}": diagonal for n in range(9)} | {"x": corner},
            "the 8 labels with the lowest area",
        ),
    ):
        metrics = {**report_context.test, "roc": curves}
        # Without the areas in the metrics, the curves determine the areas.
        metrics["per_class"] = {n: row | {"auc": None} for n, row in metrics["per_class"].items()}
        test = dataclasses.replace(report_context.test, metrics=metrics)
        changed = dataclasses.replace(report_context, test=test)
        (spoken,) = [
            a["aria-label"] for a in Page(page_of(changed)).all("svg") if "ROC" in a["aria-label"]
        ]
        assert said in spoken
        assert ("x 1.000" in spoken) == (len(curves) == 3)


def test_many_items_and_classes_stay_small(tmp_path):
    names = tuple(f"class {number}" for number in range(3))
    write_report(tmp_path / "report.html", make_material("multiclass", names, items=1000))
    assert (tmp_path / "report.html").stat().st_size < 5_000_000


def test_the_same_material_makes_the_same_bytes(pages):
    assert page_of(make_material()) == pages["multiclass"]


def test_a_report_that_cannot_be_made_leaves_nothing(tmp_path):
    made = make_material()
    facts = dataclasses.replace(made.facts, history=(None,))
    broken = dataclasses.replace(made, facts=facts)
    with pytest.raises(AttributeError):
        write_report(tmp_path / "report.html", broken)
    assert list(tmp_path.iterdir()) == []


def test_the_summary_for_notebooks_is_a_part_of_a_page():
    text = summary_of(make_material())
    page = Page(text)
    assert "of the predictions are right" in page.said
    assert not page.all("html", "style", "h1")


def luminance(colour):
    """Relative luminance of sRGB in [0, 255] (WCAG 2.2)."""
    shares = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), shares, strict=True))


def contrast(first, second):
    """Between 1 and 21 (WCAG 2.2)."""
    light, dark = sorted(map(luminance, (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def read_colours(scheme):
    """The stylesheet's variables that are colours, of light or dark."""
    light, _, dark = STYLE.read_text("utf-8").partition("@media (prefers-color-scheme: dark)")
    found = {}
    for text in (light, dark.partition("}\n}")[0])[: 1 if scheme == "light" else 2]:
        for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text):
            found[name] = [int(value[i : i + 2], 16) for i in (1, 3, 5)]
        for name, value in re.findall(r"--([\w-]+): (\d+ \d+ \d+)", text):
            found[name] = [int(part) for part in value.split()]
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_can_be_told_apart(scheme):
    colours = read_colours(scheme)
    strongest = float(re.search(r"var\(--share\) \* ([.\d]+)", STYLE.read_text("utf-8"))[1])
    shaded = [
        strongest * a + (1 - strongest) * b
        for a, b in zip(colours["shade"], colours["card"], strict=True)
    ]
    texts = [
        *((text, ground) for text in ("ink", "soft", "link") for ground in ("page", "card")),
        ("ink", "warning"),
        ("ink", "code"),
    ]
    for text, ground in texts:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["ink"], shaded) >= 4.5
    drawn = [name for name in colours if name in ("first", "second") or name.startswith("group-")]
    assert len(drawn) == 12
    for name in drawn:
        assert contrast(colours[name], colours["card"]) >= 3, name
