"""What a learner keeps for its report, and that a saved run gives the same report without data."""

import dataclasses
import html
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.cli import cli
from keras_tl.comparison.cost import Cost
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation.losses import TopLosses
from keras_tl.evaluation.ranking import RankedBackbone, Ranking
from keras_tl.evaluation.thresholds import Thresholds
from keras_tl.learner.reporting import prepare_report, report_context
from keras_tl.preflight.findings import Findings
from keras_tl.report.artifacts import AFTER, BEFORE
from tests.conftest import make_small_learner, make_tiny_data
from tests.made_comparisons import write_comparison
from tests.made_outcomes import NAMES, make_outcomes
from tests.made_reports import Page


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A learner that was fine-tuned and reported, its report, and its run."""
    folder = tmp_path_factory.mktemp("tuned")
    # Its checks extract the features of all splits, as those of users do.
    learner = make_small_learner(make_tiny_data(per_class=24), preflight=True)
    learner.fit_head(1, cache="memory")
    with eagerly():
        learner.fine_tune(1, augment=False)
    page = learner.report(folder / "report.html").read_bytes()
    return learner, page, learner.save(folder / "run")


def test_a_saved_run_gives_the_same_report_byte_for_byte(tuned, tmp_path):
    learner, page, run = tuned
    loaded = ktl.Learner.load(run, verbose=False)
    assert loaded._state.artifacts == learner._state.artifacts
    assert loaded.report(tmp_path / "again.html").read_bytes() == page
    assert loaded.save(tmp_path / "copy")
    copy = ktl.Learner.load(tmp_path / "copy", verbose=False)
    assert copy.report(tmp_path / "copy.html").read_bytes() == page
    assert learner.report(tmp_path / "twice.html").read_bytes() == page
    assert loaded._repr_html_() == learner._repr_html_()


def test_a_report_shows_the_items_with_the_largest_losses(tuned):
    learner, text, _ = tuned
    page = Page(text.decode())
    count = min(12, len(learner.data.split("test")))
    assert len(page.all("img")) == 2 * count
    rows = [one.row for one in learner.evaluations["test"].top_losses(count).items]
    shown = [f"row {row} of the test split" for row in rows]
    places = [page.said.index(part) for part in shown]
    assert places == sorted(places)
    kept, images = learner._state.artifacts.top_items(), learner.data.split("test").images
    assert sorted(kept) == sorted(rows)
    for one in learner.evaluations["test"].top_losses(count).items:
        assert kept[one.row]["seen"] == one.predicted
        content = learner._state.artifacts.files[kept[one.row]["image"]]
        distances = np.abs(tf.io.decode_jpeg(content).numpy() - images).mean(axis=(1, 2, 3))
        assert distances.argmin() == one.row
    assert report_context(learner._state).overfitting.statement[1:] in page.said


def test_both_maps_are_of_the_same_items(tuned):
    learner = tuned[0]
    before, after = (learner._state.artifacts.pca_projection(when) for when in (BEFORE, AFTER))
    assert before.split == after.split == "test"
    np.testing.assert_array_equal(before.labels, after.labels)
    assert not np.array_equal(before.points, after.points)


def test_what_is_kept_is_of_the_weights_as_they_are(tuned):
    learner = make_small_learner(make_tiny_data())
    learner.fit_head(1, cache="memory")
    prepare_report(learner._state)
    assert learner._state.artifacts.pca_projection(BEFORE) is None
    kept = learner._state.artifacts
    assert kept.top_items()
    learner.evaluate("validation")
    assert learner._state.artifacts == kept
    learner.evaluate()
    assert learner._state.artifacts.top_items() is None
    assert learner._state.artifacts.pca_projection(AFTER) is not None
    learner.fit_head(1, cache="memory")
    assert learner._state.artifacts.files == {}


def test_a_report_is_of_the_answers_as_calibrated(tuned):
    learner = ktl.Learner.load(tuned[2], verbose=False)
    learner._state.set_decision_rule(dataclasses.replace(learner.config, temperature=2.0))
    given, known = report_context(learner._state).test.record, learner.evaluations["test"].raw
    np.testing.assert_allclose(2 * given.logits, known.logits, rtol=1e-6)


def test_a_network_that_diverged_is_not_measured():
    learner = make_small_learner(make_tiny_data())
    learner.trainer.parts.head.set_weights(
        [np.full_like(weight, np.nan) for weight in learner.trainer.parts.head.get_weights()]
    )
    count = len(learner.data.split("test"))
    for call in (learner.evaluate, lambda: prepare_report(learner._state)):
        with pytest.raises(
            ConfigError, match=f"of {count} of the {count} images of the test split"
        ):
            call()
    assert learner.evaluations == {}


def test_a_test_split_that_has_gone_does_not_stop_fine_tuning():
    data = make_tiny_data()
    gone = ImageSplit(("gone.png",) * 3, np.arange(3))
    learner = make_small_learner(dataclasses.replace(data, splits=data.splits | {"test": gone}))
    with eagerly():
        learner.fit_head(1, cache="memory")
        learner.fine_tune(1, augment=False)
    assert learner.history[-1].phase.name == "fine-tune"
    assert learner._state.artifacts.pca_projection(BEFORE) is None


FIGURES = {
    "comparison": ktl.figures.comparison,
    "curves": lambda learner: learner.history.plot(),
    "features": ktl.figures.features,
    "top losses": ktl.figures.top_losses,
    "confusion": lambda learner: learner.evaluations["test"].plot_confusion(),
    "calibration": lambda learner: learner.evaluations["test"].plot_calibration(),
    "roc": lambda learner: learner.evaluations["test"].plot_roc(),
    "precision and recall": lambda learner: learner.evaluations["test"].plot_precision_recall(),
    "values": lambda learner: learner.evaluations["test"].plot_values(),
}


def test_the_pictures_of_a_notebook(tuned, compared):
    learner, _, run = tuned
    loaded = ktl.Learner.load(run, verbose=False)
    for name in ("curves", "confusion", "calibration", "top losses", "features"):
        drawn = [FIGURES[name](one) for one in (learner, loaded)]
        # A saved run needs no data for any of them.
        counts = [len(figure.axes) for figure in drawn]
        assert counts[0] == counts[1] > 0
    with pytest.raises(DataError, match="loaded without data"):
        ktl.figures.top_losses(loaded, split="validation")
    untrained = make_small_learner(make_tiny_data())
    with pytest.raises(ConfigError, match="untrained: there are no curves"):
        untrained.history.plot()


@pytest.mark.parametrize("split", ["test", "validation"])
def test_beside_an_image_stands_what_speaks_for_its_answer(tuned, split):
    learner = tuned[0]
    kept = learner._state.artifacts
    shown = [
        axes for axes in ktl.figures.top_losses(learner, count=3, split=split).axes if axes.images
    ]
    titles = [axes.get_title() for axes in shown]
    for place, one in enumerate(learner.evaluations[split].top_losses(3).items):
        assert titles[2 * place] == f"{one.predicted}\ntrue: {one.true}"
        assert titles[2 * place + 1] == f"evidence\nfor {one.predicted}"
        plain, coloured = (axes.images[0].get_array() for axes in shown[2 * place :][:2])
        assert not np.array_equal(plain, coloured)
    assert len(shown) == 6
    assert learner._state.artifacts == kept


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The folder of a comparison: frozen helps, and of fine-tuned nothing is known."""
    return write_comparison(tmp_path_factory.mktemp("secret") / "compared", sizes=(30, None))


def test_a_comparison_gives_the_verdict_first_and_is_kept(tuned, compared, tmp_path):
    learner, found = ktl.Learner.load(tuned[2], verbose=False), ktl.Comparison.load(compared)
    assert [one.outcome for one in found.sizes[1].verdicts] == ["helps", "undecided"]
    path = learner.report(tmp_path / "report.html", comparison=found)
    text = path.read_text("utf-8")
    for word in ("secret", "somebody", "undecided", "was not compared with training from scratch"):
        assert word not in text
    assert not any(b"secret" in content for content in learner._state.artifacts.files.values())
    summary, _, section = html.unescape(text).partition('<section id="comparison"')
    of_few, of_all = found.sentences()["sizes"]
    for sentence in (*of_all["verdicts"], of_all["ship"]):
        assert sentence[1:] in summary
    for sentence in (*of_few["verdicts"], *of_all["verdicts"]):
        assert sentence[1:] in section
        assert sentence in str(found)
    assert of_few["verdicts"][0] not in summary
    learner.save(tmp_path / "run")
    again = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert again._state.artifacts == learner._state.artifacts
    # It is not of this model's weights.
    assert (
        again._state.artifacts.before_training().comparison() == again._state.artifacts.comparison()
    )


@pytest.mark.slow
def test_the_command_keeps_a_comparison_in_the_run(tuned, compared, tmp_path):
    run = shutil.copytree(tuned[2], tmp_path / "run")

    def call(*options):
        arguments = ["report", run, *options, "--json"]
        done = CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)
        return json.loads(done.stdout)

    found = call("--comparison", compared, "--plots", tmp_path / "plots")
    page = Path(found["report"]).read_bytes()
    assert Path(found["report"]) == run / "report.html"
    assert b"Does transfer learning help?" in page
    assert {Path(path).stem for path in found["plots"]} == {
        *("comparison", "learning_curves", "confusion_matrix", "reliability"),
        *("top_losses", "features"),
    }
    assert Path(call()["report"]).read_bytes() == page


# What also has `describe` and `to_json`, and a text.
OTHERS = {
    "a-cost": Cost(3, 0, {"frozen": 1.0}),
    "a-ranking": Ranking(
        (RankedBackbone("a", 0.5, (0.4, 0.6), 1.0, 2, 3, 0.1),),
        "binary",
        "accuracy",
        2,
        "image",
        0,
        "a",
    ),
    "thresholds": Thresholds("largest F1", ()),
    "top-losses": TopLosses("test", (), "nats"),
    "findings": Findings(),
    "a-folder": "runs/compared",
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_comparison_is_refused_before_anything_is_kept(tuned, tmp_path, name):
    learner = tuned[0]
    before = learner._state.artifacts
    with pytest.raises(
        ConfigError, match=rf"keras_tl\.compare\(\).*Received: {type(OTHERS[name]).__name__}\."
    ):
        learner.report(tmp_path / "no.html", comparison=OTHERS[name])
    assert learner._state.artifacts == before
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("change", [{"task": "binary"}, {"class_names": ["red", "blue", "green"]}])
def test_a_comparison_on_other_data_is_refused(tuned, compared, tmp_path, change):
    found = ktl.Comparison.load(compared)
    other = dataclasses.replace(found, what=found.what | {"model": found.what["model"] | change})
    with pytest.raises(ConfigError, match="this model: multiclass of red, green, blue"):
        tuned[0].report(tmp_path / "no.html", comparison=other)
    assert [*tmp_path.iterdir()] == []


def test_a_comparison_is_kept_only_if_its_page_was_written(tuned, compared, tmp_path):
    learner = tuned[0]
    # The temporary name of so long a name is too long for a file system.
    path = tmp_path / f"{'r' * 240}.html"
    with pytest.raises(OSError, match="too long"):
        learner.report(path, comparison=ktl.Comparison.load(compared))
    assert learner._state.artifacts.comparison() is None


def test_what_there_is_no_picture_of_is_said(tuned):
    for name, error, says in (
        ("comparison", ConfigError, "has no comparison with"),
        ("roc", ConfigError, "Decision thresholds need"),
        ("precision and recall", ConfigError, "Decision thresholds need"),
        ("values", ConfigError, "needs a regression"),
    ):
        with pytest.raises(error, match=says):
            FIGURES[name](tuned[0])


def test_two_items_make_no_map_of_features():
    data = make_tiny_data()
    splits = {"train": data.split("train"), "test": data.split("test").take([0, 1])}
    learner = make_small_learner(dataclasses.replace(data, splits=splits))
    learner.fit_head(1, cache="memory")
    with pytest.raises(DataError, match="at least three items of a test or validation split"):
        ktl.figures.features(learner)


def with_outcomes(learner, task, count=40):
    """A learner of another task that answered a test split as constructed."""
    state, outcomes = learner._state, make_outcomes(task, count)
    state.config = dataclasses.replace(learner.config, task=task, class_names=NAMES[task])
    found = ktl.Evaluation.of("test", state.task, raw=outcomes, weights=state.measured.weights)
    state.measured.evaluations = {"test": found}
    return learner


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("binary", ("confusion", "calibration", "roc", "precision and recall")),
        ("multilabel", ("calibration", "precision and recall")),
        ("regression", ("values",)),
    ],
)
def test_every_task_has_the_pictures_of_its_report(tuned, task, names):
    learner = with_outcomes(ktl.Learner.load(tuned[2], verbose=False), task)
    for name in names:
        assert FIGURES[name](learner).axes[0].has_data()
