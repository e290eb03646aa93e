"""What a learner keeps for its report, and that a saved run gives the same report without data."""

import dataclasses
import json

import numpy as np
import pytest

import keras_tl as ktl
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
    assert sorted(learner.exhibits.top_items()) == sorted(rows)


def test_both_maps_are_of_the_same_items(tuned):
    learner = tuned[0]
    before, after = (learner.exhibits.feature_map(when) for when in (BEFORE, AFTER))
    assert before.split == after.split
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
        verdict = {"arm": "frozen", "outcome": "helps", "final": estimate, "start": estimate}
        verdict |= {"slope": single, "area": estimate, "epochs_to_match": 3}
        curve = {"mean": [estimate, estimate], "by_seed": [[0.1, 0.2]], "seconds": 1.0}
        curves = dict.fromkeys(("scratch", "frozen"), curve)
        sizes = [{"size": size, "curves": curves, "verdicts": [verdict]} for size in (30, None)]
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
        "after pass 3",
    ):
        assert part in page.said
    assert "helps here was not measured" not in page.said
    learner.save(tmp_path / "run")
    again = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert again.report(tmp_path / "again.html").read_bytes() == path.read_bytes()
    with pytest.raises(ConfigError, match=r"what keras_tl.compare\(\) gave. Received: str"):
        learner.report(tmp_path / "no.html", comparison="folder")
    assert not (tmp_path / "no.html").exists()
    assert json.loads(learner.exhibits.files["comparison.json"])["skill"] == "accuracy"
