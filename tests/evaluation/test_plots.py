"""Plots, from recorded results."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_tl.base.config import Phase
from keras_tl.base.results import Predictions
from keras_tl.errors import ConfigError
from keras_tl.evaluation import plots
from keras_tl.evaluation.calibration import measure_calibration
from keras_tl.evaluation.metrics import measure
from keras_tl.evaluation.pca_projection import PcaProjection
from keras_tl.evaluation.plots.style import RIGHT, WRONG
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import TASKS
from tests.made_outcomes import NAMES as OUTCOME_NAMES
from tests.made_outcomes import make_outcomes, make_task

EPOCH = {"loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.7}
HISTORY = [
    PhaseRecord(
        Phase("head", epochs=2, learning_rate=1e-3), (EPOCH, EPOCH), 1.0, best_epoch=2, cached=True
    ),
    PhaseRecord(
        Phase("fine-tune", epochs=1, learning_rate=1e-4, unfreeze="all"),
        (EPOCH,),
        9.0,
        0,
        cached=False,
    ),
]
NAMES = ("<cat>", "dog & co")
METRICS = TASKS["multiclass"](NAMES).measure(np.array([0, 1, 1]), np.eye(2)[[0, 1, 0]] * 3)


def test_the_curves_run_over_all_phases():
    for axes, metric in zip(plots.learning_curves(HISTORY).axes, ("loss", "accuracy"), strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        assert lines["training"].get_xdata() == pytest.approx([1, 2, 3])
        assert lines["validation"].get_ydata() == pytest.approx([EPOCH[f"val_{metric}"]] * 3)
        assert [text.get_text() for text in axes.texts] == ["head", "fine-tune"]
        begins = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
        assert begins == [0.5, 2.5]
        # The weights of the second epoch were kept, and then none.
        kept = [line.get_xydata().tolist() for line in axes.lines if line.get_markersize() == 9]
        assert kept == [[[2, EPOCH[metric]]], [[2, EPOCH[f"val_{metric}"]]]]
    assert [axes.get_ylabel() for axes in plots.learning_curves(HISTORY).axes] == [
        "cross-entropy (nats)",
        "accuracy",
    ]


def test_the_rates_of_phases_are_shown_step_by_step():
    phases = [
        Phase("head", epochs=2, learning_rate=1e-3),
        Phase("tune", epochs=3, learning_rate=1e-4, schedule="slanted_triangular"),
        Phase("short", epochs=1, learning_rate=1e-4, schedule="cosine", warmup=0.5),
    ]
    figure = plots.learning_rates(phases, 10)
    for axes, phase in zip(figure.axes, phases, strict=True):
        assert axes.get_title() == f"{phase.name}: {phase.schedule}"
        steps, rates = axes.lines[0].get_data()
        np.testing.assert_array_equal(steps, np.arange(10 * phase.epochs))
        assert max(rates) == pytest.approx(phase.learning_rate)
        assert len(axes.lines) == phase.epochs
    assert figure.axes[1].lines[0].get_ydata()[[0, 3, -1]] == pytest.approx(
        [1e-4 / 32, 1e-4, 1e-4 / 32 * (1 + 31 / 27)]
    )
    with pytest.raises(ConfigError, match="steps_per_epoch must be a whole number of at least 1"):
        plots.learning_rates(phases, 0)


def test_curves_of_a_training_that_diverged_at_once():
    epoch = {"loss": np.nan, "accuracy": 0.1}
    history = [
        PhaseRecord(Phase("head", epochs=1, learning_rate=1e3), (epoch,), 1.0, 0, cached=True)
    ]
    without, with_one = plots.learning_curves(history).axes
    assert without.get_legend() is None
    assert with_one.get_legend()


def test_curves_without_validation():
    epoch = {"loss": 0.5, "accuracy": 0.8}
    history = [
        PhaseRecord(Phase("head", epochs=1, learning_rate=1e-3), (epoch,), 1.0, 1, cached=True)
    ]
    labels = [line.get_label() for line in plots.learning_curves(history).axes[0].lines]
    assert "training" in labels
    assert "validation" not in labels


def test_the_confusion_matrix_shows_every_count():
    axes = plots.confusion(METRICS["confusion_matrix"], NAMES).axes[0]
    # The second of class 1 was taken for class 0: rows are true classes.
    counts = {text.get_position(): text.get_text() for text in axes.texts}
    assert counts == {(0, 0): "1", (0, 1): "1", (1, 1): "1"}
    # The counts of many classes would overlap.
    many = tuple(map(str, range(31)))
    assert not plots.confusion(np.eye(31, dtype=int), many).axes[0].texts


@pytest.mark.parametrize("count", [1, 6, 7])
def test_the_grid_names_what_is_wrong(count):
    predictions = Predictions(np.tile([[0.9, 0.1]], (count, 1)), NAMES)
    labels = np.arange(count) % 2
    truths = [NAMES[label] for label in labels]
    figure = plots.prediction_grid(np.zeros((count, 4, 4, 3)), truths, predictions)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == count
    assert [("true: dog" in title) for title in titles] == [label == 1 for label in labels]
    colours = [axes.title.get_color() for axes in figure.axes if axes.get_title()]
    assert colours == [WRONG if label == 1 else RIGHT for label in labels]


@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel", "regression"])
def test_whatever_was_measured_is_drawn(task):
    names = OUTCOME_NAMES[task]
    figures = plots.metric_figures(measure(make_task(task), make_outcomes(task)), names)
    expected = {
        "multiclass": ["Confusion matrix", "Reliability"],
        "binary": ["Confusion matrix", "ROC curve", "Precision and recall", "Reliability"],
        "multilabel": ["ROC curve", "Precision and recall", "Reliability", "Average precision"],
        "regression": ["Predicted and true values"],
    }[task]
    assert [*figures] == expected


@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_areas_under_thinned_curves_are_those_of_all_points(task):
    outcomes = make_outcomes(task, 3000)
    metrics = measure(make_task(task), outcomes)
    areas = plots.roc_areas(metrics, OUTCOME_NAMES[task])
    if task == "binary":
        assert areas == {"yes": metrics["auc"]}
    else:
        assert areas == {name: row["auc"] for name, row in metrics["per_class"].items()}
    curves = plots.roc_curves(metrics, OUTCOME_NAMES[task])
    assert all(len(points) <= 200 for points in curves.values())
    assert plots.area_texts(curves, areas) == {n: f"{area:.3f}" for n, area in areas.items()}


def test_of_many_curves_the_lowest_are_drawn():
    rng = np.random.default_rng(0)
    areas = {f"l{number}": area for number, area in enumerate(rng.permutation(12) / 12)}
    # The area under a line from (0, a) to (1, a) is a.
    metrics = {"roc": {name: [[0, area], [1, area]] for name, area in areas.items()} | {"no": []}}
    curves = plots.roc_curves(metrics, (*areas, "no"))
    assert sorted(curves) == sorted(sorted(areas, key=areas.get)[:8])
    few = {name: metrics["roc"][name] for name in ("l0", "l1")}
    assert [*plots.roc_curves({"roc": few | {"no": []}}, ())] == ["l0", "l1"]
    assert plots.roc_curves({"roc": few["l0"]}, ("no", "yes")) == {"yes": few["l0"]}
    assert plots.roc_curves({}, ("a", "b")) == {}
    drawn = plots.roc(few).axes[0]
    named = [line.get_label() for line in drawn.lines]
    assert named == [f"{name}, area {areas[name]:.3f}" for name in few] + ["chance"]


def test_the_precision_recall_curve_has_a_line_for_each_label_that_is_there():
    curves = {"x": [[0.5, 1.0, 0.9], [1.0, 0.7, 0.1]], "absent": []}
    (line,) = plots.precision_recall(curves).axes[0].lines
    assert line.get_label() == "x"
    assert line.get_xydata().tolist() == [[0, 1], [0.5, 1], [1, 0.7]]


def test_the_reliability_diagram_has_a_point_for_each_bin_that_is_not_empty():
    found = measure_calibration(make_task("multiclass"), make_outcomes("multiclass"))
    axes = plots.reliability(found).axes[0]
    bins = [one for one in found.bins if one.items]
    expected = [(one.confidence, one.frequency) for one in bins]
    np.testing.assert_allclose(axes.collections[-1].get_offsets(), expected)
    ends = [segment[:, 1] for segment in axes.containers[0].lines[2][0].get_segments()]
    np.testing.assert_allclose(ends, [one.interval for one in bins], atol=1e-9)


def test_what_is_on_which_axis():
    values = [[1.0, 5.0], [2.0, 7.0]]
    axes = plots.scatter(values).axes[0]
    assert axes.lines[0].get_xydata().tolist() == values
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("true value", "predicted value")
    points = [[0.0, 0.0], [0.25, 0.75], [1.0, 1.0]]
    axes = plots.roc({"cat": points}).axes[0]
    assert axes.lines[0].get_xydata().tolist() == points
    assert axes.lines[0].get_label() == "cat, area 0.750"
    assert axes.get_xlabel() == "false positive rate"
    axes = plots.roc({"cat": points}, {"cat": 0.7512}).axes[0]
    assert axes.lines[0].get_label() == "cat, area 0.751"
    rows = {name: {"average_precision": x, "items": 3} for name, x in (("a", 0.9), ("b", None))}
    axes = plots.average_precisions(rows).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0, 0.9]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b (3)", "a (3)"]


def test_the_arms_have_a_curve_and_a_band_each():
    arms = ("scratch", "frozen", "fine-tuned")
    curves = {
        arm: {"mean": [{"mean": m, "low": m - 0.1, "high": m + 0.05} for m in (0.2 + n, 0.4 + n)]}
        for n, arm in enumerate(arms)
    }
    axes = Figure().subplots()
    plots.draw_comparison(axes, curves, "accuracy")
    assert [line.get_label() for line in axes.lines] == [*arms]
    assert len({line.get_color() for line in axes.lines}) == 3
    for n, (line, band) in enumerate(zip(axes.lines, axes.collections, strict=True)):
        np.testing.assert_allclose(line.get_xydata(), [[1, 0.2 + n], [2, 0.4 + n]])
        corners = {tuple(corner) for corner in band.get_paths()[0].vertices.round(9)}
        edges = [(1, 0.1), (1, 0.25), (2, 0.3), (2, 0.45)]
        assert {(x, round(y + n, 9)) for x, y in edges} == corners
    # A single seed has no interval.
    alone = {"frozen": {"mean": [{"mean": 0.2, "low": None, "high": None}]}}
    sizes = [{"size": size, "curves": alone} for size in (1000, None)]
    pictures = plots.comparison(sizes, "accuracy").axes
    assert [axes.get_title() for axes in pictures] == ["1,000 items", "all items"]
    assert [(len(axes.lines), len(axes.collections)) for axes in pictures] == [(1, 0)] * 2


def test_the_area_under_a_precision_recall_curve_is_the_average_precision():
    points = [[0.5, 1.0, 0.9], [0.5, 0.5, 0.8], [1.0, 2 / 3, 0.7]]
    axes = plots.precision_recall({"a": points}).axes[0]
    recall, precision = axes.lines[0].get_data()
    assert axes.lines[0].get_drawstyle() == "steps-pre"
    assert np.sum(np.diff(recall) * precision[1:]) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_items_of_the_map_are_told_apart_by_class_or_value():
    rng = np.random.default_rng(0)
    names = tuple(f"c{number}" for number in range(12))
    labels = np.repeat(np.arange(12), np.arange(1, 13))
    found = PcaProjection.of("test", labels, rng.normal(size=(len(labels), 4)))
    axes = plots.pca_plots({"now": found}, TASKS["multiclass"](names)).axes[0]
    shown = {text.get_text() for text in axes.get_legend().get_texts()}
    # The two rarest share a mark.
    assert shown == {"others", *names[2:]}
    assert sum(len(line.get_xdata()) for line in axes.lines) == len(labels)
    assert f"({found.explained[0]:.0%} of" in axes.get_xlabel()
    assert found.explained[0] > found.explained[1] + 0.02
    values = PcaProjection.of("test", labels.astype(np.float32), rng.normal(size=(len(labels), 4)))
    axes = plots.pca_plots({"now": values}, TASKS["regression"]()).axes[0]
    np.testing.assert_array_equal(axes.collections[0].get_array(), labels)


@pytest.mark.parametrize("name", ["$x^2$", "$\\bad{$", "a\nb", "x" * 100])
def test_names_of_the_users_are_texts_not_mathematics(name):
    figure = plots.confusion([[1, 0], [0, 1]], (name, "b"))
    # Drawn in earnest: mathematics that cannot be read would be an error.
    figure.savefig(io.BytesIO(), format="svg")
    shown = figure.axes[0].get_xticklabels()[0]
    assert shown.get_text().replace("\\$", "$")[:23] == " ".join(name.split())[:23]
