"""The pages "Coming from": our code runs on tiny local data, the code of the others parses."""

import ast
import re
import shlex
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from keras_tl.cli import cli
from tests import hub_modules, kerashub_presets
from tests.backbones.test_awd_fastai import write_folder
from tests.page_blocks import FENCE
from tests.page_files import write_photos

FOLDER = Path(__file__).parents[1] / "docs" / "coming-from"
PAGES = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "index")
# Of names that need a network, the folders that stand for them here.
LOCAL = {"kerashub:bert_small_en_uncased": "kerashub:bert"}


def blocks(page, kind):
    """The contents of a page's code blocks of a kind, such as `python`."""
    text = (FOLDER / f"{page}.md").read_text("utf-8")
    return [content for _, _, found, content in FENCE.findall(text) if found == kind]


def write_reviews(path, per_class=12):
    """Reviews of words that are in the vocabularies of all tiny models."""
    lines = [
        f"the cat {mood} film{' the' * number},{mood}"
        for number in range(per_class)
        for mood in ("good", "bad")
    ]
    path.write_text("\n".join(["review,mood", *lines]) + "\n", "utf-8")


def save_keras_model(path):
    inputs = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(8, 3, strides=4)(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    keras.Model(inputs, x, name="mine").save(path)


def save_classifier(folder):
    """A preset without a head in `bert`, and a classifier with the same encoder."""
    reason = "it needs a newer Keras than ours may be"
    models = pytest.importorskip("keras_hub", reason=reason).models
    preset = kerashub_presets.make_bert(folder / "bert")
    classifier = models.TextClassifier.from_preset(str(preset), num_classes=2)
    classifier.save_to_preset(str(folder / "my_classifier"))


# What the user of another tool brings.
BROUGHT = {
    "fastai": lambda folder: write_folder(folder / "fastai_lm"),
    "keras": lambda folder: save_keras_model(folder / "my_backbone.keras"),
    "kerashub": save_classifier,
    "model-maker": lambda folder: pytest.importorskip("ai_edge_litert"),
    "scikit-learn": lambda folder: None,
    "tf-hub-retrain": lambda folder: hub_modules.make_image_module(folder / "my_module", size=32),
}
# What the code of a page writes.
WRITTEN = {
    "fastai": ["saved_models/photos/1/saved_model.pb", "runs/photos", "runs/lm"],
    "keras": ["runs/photos"],
    "kerashub": ["runs/reviews"],
    "model-maker": ["photos.tflite", "photos.tflite.json"],
    "scikit-learn": ["photos.parquet"],
    "tf-hub-retrain": ["runs/photos", "saved_models/photos/1/saved_model.pb"],
}


def run_commands(page):
    """Runs the lines of a page that call our command line."""
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            if program == "keras-tl":
                done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
                assert done.exit_code == 0, done.output


def run_page(page, folder):
    """Runs our code of a page, in its order; gives the names that the code has set."""
    write_photos(folder / "photos")
    write_reviews(folder / "reviews.csv")
    BROUGHT[page](folder)
    run_commands(page)
    names = {}
    for block in blocks(page, "python"):
        code = block
        for handle, local in LOCAL.items():
            code = code.replace(handle, local)
        exec(compile(code, f"{page}.md", "exec"), names)
    return names


def test_every_page_has_code_of_both_and_is_run():
    assert set(PAGES) == set(BROUGHT) == set(WRITTEN)
    for page in PAGES:
        text = (FOLDER / f"{page}.md").read_text("utf-8")
        assert re.search(r"^```\{code-block\} \w+\n:caption: ", text, re.M), page
        assert blocks(page, "python"), page


@pytest.mark.parametrize("page", [page for page in PAGES if page != "scikit-learn"])
@pytest.mark.slow
def test_our_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_page(page, tmp_path)
    assert 0 <= names["learner"].evaluate()["accuracy"] <= 1
    assert [name for name in WRITTEN[page] if not (tmp_path / name).exists()] == []


def test_a_logistic_regression_becomes_the_head(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_page("scikit-learn", tmp_path)
    learner, test = names["learner"], names["test"]
    expected = names["classifier"].predict_proba(learner.features(test))
    np.testing.assert_allclose(learner.predict(test).probabilities, expected, atol=1e-3)
    assert [name for name in WRITTEN["scikit-learn"] if not (tmp_path / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_the_others_parses(page):
    for block in blocks(page, "{code-block} python"):
        options, _, code = block.partition("\n\n")
        assert options.startswith(":caption: ")
        ast.parse(code)
