"""What a learner keeps for its report, and that a saved run gives the same report without data."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.comparison.cost import Cost
from keras_tl.data.sources import ImageSplit
from keras_tl.errors import ConfigError, DataError
from keras_tl.report.exhibits import AFTER, BEFORE
from tests.conftest import make_small_learner, make_tiny_data
from tests.made_reports import Page


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A learner that was fine-tuned and reported, its report, and its run."""
    folder = tmp_path_factory.mktemp("tuned")
    learner = make_small_learner(make_tiny_data(per_class=24))
    learner.fit_head(1, cache="memory")
    learner.fine_tune(1)
    page = learner.report(folder / "report.html").read_bytes()
    return learner, page, learner.save(folder / "run")


def test_a_saved_run_gives_the_same_report_byte_for_byte(tuned, tmp_path):
    learner, page, run = tuned
    loaded = ktl.Learner.load(run, verbose=False)
    assert loaded.exhibits == learner.exhibits
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
    rows = [one.row for one in learner.top_losses("test", count).items]
    shown = [f"row {row} of the test split" for row in rows]
    places = [page.said.index(part) for part in shown]
    assert places == sorted(places)
    kept, images = learner.exhibits.top_items(), learner.data.split("test").images
    assert sorted(kept) == sorted(rows)
    for one in learner.top_losses("test", count).items:
        assert kept[one.row]["seen"] == one.predicted
        content = learner.exhibits.files[kept[one.row]["image"]]
        distances = np.abs(tf.io.decode_jpeg(content).numpy() - images).mean(axis=(1, 2, 3))
        assert distances.argmin() == one.row
    assert learner._material().overfitting["statement"][1:] in page.said


def test_both_maps_are_of_the_same_items(tuned):
    learner = tuned[0]
    before, after = (learner.exhibits.feature_map(when) for when in (BEFORE, AFTER))
    assert before.split == after.split == "test"
    np.testing.assert_array_equal(before.labels, after.labels)
    assert not np.array_equal(before.points, after.points)


def test_what_is_kept_is_of_the_weights_as_they_are(tuned):
    learner = make_small_learner(make_tiny_data())
    learner.fit_head(1, cache="memory")
    learner.prepare_report()
    assert learner.exhibits.feature_map(BEFORE) is None
    kept = learner.exhibits
    assert kept.top_items()
    learner.evaluate("validation")
    assert learner.exhibits == kept
    learner.evaluate()
    assert learner.exhibits.top_items() is None
    assert learner.exhibits.feature_map(AFTER) is not None
    learner.fit_head(1, cache="memory")
    assert learner.exhibits.files == {}


def test_a_report_is_of_the_answers_as_calibrated(tuned):
    learner = ktl.Learner.load(tuned[2], verbose=False)
    learner.config = dataclasses.replace(learner.config, temperature=2.0)
    given, known = learner._material().outcomes["test"], learner.outcomes["test"]
    np.testing.assert_allclose(2 * given.logits, known.logits, rtol=1e-6)


def test_a_network_that_diverged_is_not_measured(tmp_path):
    learner = make_small_learner(make_tiny_data())
    learner.head.set_weights(
        [np.full_like(weight, np.nan) for weight in learner.head.get_weights()]
    )
    count = len(learner.data.split("test"))
    for call in (learner.evaluate, learner.prepare_report, learner.top_losses):
        with pytest.raises(
            ConfigError, match=f"to {count} of the {count} images of the test split"
        ):
            call()
    assert learner.evaluations == learner.outcomes == {}


def test_a_test_split_that_has_gone_does_not_stop_fine_tuning():
    data = make_tiny_data()
    gone = ImageSplit(("gone.png",) * 3, np.arange(3))
    learner = make_small_learner(dataclasses.replace(data, splits=data.splits | {"test": gone}))
    learner.fit_head(1, cache="memory")
    learner.fine_tune(1)
    assert learner.history[-1].phase.name == "fine-tune"
    assert learner.exhibits.feature_map(BEFORE) is None


def test_the_pictures_of_a_notebook(tuned):
    learner, _, run = tuned
    drawn = ("curves", "confusion", "calibration", "top_losses", "features")
    for name in drawn:
        assert getattr(learner, f"plot_{name}")().axes
    loaded = ktl.Learner.load(run, verbose=False)
    for name in drawn:
        if name == "top_losses":
            with pytest.raises(DataError, match="loaded without data"):
                loaded.plot_top_losses()
        else:
            assert getattr(loaded, f"plot_{name}")().axes
    untrained = make_small_learner(make_tiny_data())
    with pytest.raises(ConfigError, match="untrained: there are no curves"):
        untrained.plot_curves()


class Compared:
    """A comparison, by what it says of itself."""

    def __init__(self, folder):
        self.folder = folder

    def describe(self):
        """Words."""
        return "lite against scratch.\nfrozen: transfer helps.\nShip: frozen."

    def to_json(self):
        """Numbers."""
        estimate = {"mean": 0.125, "low": 0.0625, "high": 0.1875, "confidence": 0.975}
        single = estimate | {"low": None, "high": None}
        first = estimate | {"mean": 0.5}
        verdict = {"arm": "frozen", "outcome": "helps", "final": estimate, "start": first}
        verdict |= {"slope": single, "area": estimate, "epochs_to_match": 3}
        curve = {"mean": [estimate, estimate], "by_seed": [[0.1, 0.2]], "seconds": 1.0}
        curves = dict.fromkeys(("scratch", "frozen"), curve)
        few = verdict | {"outcome": "hurts"}
        sizes = [
            {"size": size, "curves": curves, "verdicts": [one]}
            for size, one in ((30, few), (None, verdict), (20, few))
        ]
        return {"skill": "accuracy", "sizes": sizes, "folder": self.folder}


def test_a_comparison_gives_the_verdict_and_is_kept(tuned, tmp_path):
    run = tuned[2]
    learner = ktl.Learner.load(run, verbose=False)
    path = learner.report(tmp_path / "report.html", comparison=Compared("/secret/place"))
    page = Page(path.read_text("utf-8"))
    assert "/secret" not in path.read_text("utf-8")
    for part in (
        "Does transfer help? frozen: helps, +0.125 (97.5% interval +0.062 to +0.188)",
        "Ship: frozen.",
        "trained on 30 training items",
        "arm verdict start slope a pass mean of all passes final as good as",
        "frozen hurts +0.500 +0.062 to +0.188 +0.125 +0.125 +0.062 to +0.188 +0.125",
        "after pass 3",
    ):
        assert part in page.said
    assert "helps here was not measured" not in page.said
    learner.save(tmp_path / "run")
    again = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert again.report(tmp_path / "again.html").read_bytes() == path.read_bytes()
    for other in ("folder", Cost(1, 0, {})):
        with pytest.raises(
            ConfigError, match=r"what keras_tl.compare\(\) gave. Received: (str|Cost)"
        ):
            learner.report(tmp_path / "no.html", comparison=other)
    assert not (tmp_path / "no.html").exists()
    assert json.loads(learner.exhibits.files["comparison.json"])["skill"] == "accuracy"
