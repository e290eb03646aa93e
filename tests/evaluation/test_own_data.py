"""What a run says was measured is of its own data; of other data it is measured again."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

import keras_tl as ktl
from keras_tl.base.files import write_checksums
from keras_tl.cli import cli
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation.calibration import measure_calibration, with_temperature
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.learner.measuring import evaluation_of
from keras_tl.learner.reporting import facts, prepare_report
from keras_tl.learner.saving import keep
from keras_tl.report.limits import limits_of, warnings_of
from tests.conftest import make_small_learner, make_tiny_data
from tests.made_reports import Page

# Files of other formats than JPEG start a decoder that takes seconds to load.
pytestmark = pytest.mark.usefixtures("unchecked_files")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A table of images of two classes, and a run on them that measured nothing."""
    folder = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    rows = ["path,label,camera"]
    for number in range(60):
        pixels = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
        (folder / f"{number}.jpg").write_bytes(tf.io.encode_jpeg(pixels).numpy())
        rows.append(f"{number}.jpg,{'ab'[number % 2]},{'xy'[number // 30]}")
    table = folder / "images.csv"
    table.write_text("\n".join(rows))
    data = ktl.ImageData.from_csv(table, test_split=0.3, validation_split=0.3, verbose=False)
    learner = make_small_learner(data)
    return table, data, learner, learner.save(folder / "run")


@pytest.fixture(scope="module")
def made_measured(made, tmp_path_factory):
    """The same run after the validation and test splits were measured."""
    run = shutil.copytree(made[-1], tmp_path_factory.mktemp("measured") / "run")
    loaded = ktl.Learner.load(run, data=made[1], verbose=False)
    loaded.evaluate("validation")
    prepare_report(loaded._state)
    return loaded.save(run)


@pytest.fixture
def run(made, tmp_path):
    """A copy of the run that measured nothing."""
    return shutil.copytree(made[-1], tmp_path / "run")


@pytest.fixture
def measured(made_measured, tmp_path):
    """A copy of the one that was measured."""
    return shutil.copytree(made_measured, tmp_path / "run")


def with_other_images(data):
    """The same splits and labels, of other images."""
    rng = np.random.default_rng(1)
    splits = {
        name: ImageSplit(rng.uniform(0, 255, (len(split), 32, 32, 3)), split.labels)
        for name, split in data.splits.items()
    }
    return dataclasses.replace(data, splits=splits)


@pytest.fixture
def other_table(made, tmp_path):
    """The same table beside other images with the same names."""
    rng = np.random.default_rng(2)
    for number in range(60):
        pixels = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
        (tmp_path / f"{number}.jpg").write_bytes(tf.io.encode_jpeg(pixels).numpy())
    return shutil.copy(made[0], tmp_path / "images.csv")


def call(*arguments, json_too=True):
    flags = ["--json"] if json_too else []
    done = CliRunner().invoke(cli, [*map(str, arguments), *flags], catch_exceptions=False)
    assert done.exit_code == 0
    return json.loads(done.stdout) if json_too else done.stdout


def read(run):
    return json.loads((run / "run.json").read_text("utf-8"))


def results(run):
    return {file.name: file.read_bytes() for file in (run / "results").iterdir()}


def test_items_that_are_the_same_are_not_measured_again(made, measured):
    data = dataclasses.replace(
        made[1], splits={n: s.take(np.arange(len(s))) for n, s in made[1].splits.items()}
    )
    loaded = ktl.Learner.load(measured, data=data, verbose=False)
    known = {split: found.raw for split, found in loaded.evaluations.items()}
    for _ in range(2):
        evaluation_of(loaded._state, "test").top_losses()
        loaded.calibrate()
        ktl.figures.top_losses(loaded)
        prepare_report(loaded._state)
    assert {*known} == {"test", "validation"}
    assert all(found.raw is known[split] for split, found in loaded.evaluations.items())


@pytest.fixture
def elsewhere(made, made_measured):
    """The run with other images that have the same labels."""
    return ktl.Learner.load(made_measured, data=with_other_images(made[1]), verbose=False)


ASKS = {
    "top losses": lambda learner: evaluation_of(learner._state, "test").top_losses(),
    "calibrate": ktl.Learner.calibrate,
    "thresholds": ktl.Learner.choose_thresholds,
    "report": lambda learner: prepare_report(learner._state),
}


@pytest.mark.parametrize("ask", ASKS)
def test_other_items_with_the_same_labels_are_measured(elsewhere, ask):
    before = elsewhere.evaluations["test"].raw.logits
    found = ASKS[ask](elsewhere)
    now = PredictionRecord(
        elsewhere.data.split("test").labels, elsewhere.trainer.logits(elsewhere.data.split("test"))
    )
    np.testing.assert_array_equal(elsewhere.evaluations["test"].raw.logits, now.logits)
    assert not np.array_equal(before, now.logits)
    if ask == "calibrate":
        assert found.before["test"] == measure_calibration(elsewhere.task.undecided, now)
    if ask == "report":
        assert all(one["place"] is None for one in elsewhere._state.artifacts.top_items().values())
    warnings = " ".join(warnings_of(facts(elsewhere._state)))
    assert "or the files of this split were moved or changed" in warnings


def test_a_run_that_does_not_say_of_what_it_measured_is_measured_again(made, measured, tmp_path):
    page = ktl.Learner.load(measured, verbose=False).report(tmp_path / "1.html").read_bytes()
    about = read(measured)
    for metrics in about["evaluations"].values():
        del metrics["fingerprint"]
    (measured / "run.json").write_text(json.dumps(about))
    write_checksums(measured)
    loaded = ktl.Learner.load(measured, data=made[1], verbose=False)
    known = loaded.evaluations["test"].raw
    evaluation_of(loaded._state, "test")
    assert loaded.evaluations["test"].raw is not known
    # Without data it is what there is.
    again = ktl.Learner.load(measured, verbose=False)
    assert again.report(tmp_path / "2.html").read_bytes() == page
    assert again._state.artifacts.pca_projection("after") is not None


def test_what_is_fitted_is_kept_with_pictures_that_explain_it(made, measured, tmp_path):
    learner = ktl.Learner.load(measured, data=made[1], verbose=False)
    before = learner._state.artifacts.top_items()
    shares = learner.task.probabilities(learner.evaluations["test"].record.logits)[:, 0]
    learner._state.set_decision_rule(
        dataclasses.replace(learner.config, thresholds=(float(np.median(shares)),))
    )
    # What explains another answer has gone at once; there may be no data to make a new one from.
    answers = [
        learner.config.class_names[label]
        for label in learner.task.decisions(learner.evaluations["test"].record.logits)
    ]
    gone = {row for row, one in before.items() if one["seen"] != answers[row]}
    assert 0 < len(gone) < len(before)
    for row, one in learner._state.artifacts.top_items().items():
        assert (one["seen"] is None) == (row in gone)
        assert ("gradcam" in one) == (row not in gone)
        assert (before[row]["gradcam"] in learner._state.artifacts.files) == (row not in gone)
    assert keep(learner._state, measured, ["test", "validation"])
    now = ktl.Learner.load(measured, verbose=False)
    shown = now._state.artifacts.top_items()
    for one in now.evaluations["test"].top_losses(12).items:
        assert shown[one.row]["seen"] == one.predicted
        assert {
            shown[one.row]["image"],
            shown[one.row]["gradcam"],
        } <= now._state.artifacts.files.keys()
    with_data = learner.report(tmp_path / "1.html").read_bytes()
    assert now.report(tmp_path / "2.html").read_bytes() == with_data


def test_other_data_do_not_replace_what_a_run_measured(elsewhere, measured):
    before, kept = read(measured), results(measured)
    elsewhere._state.set_decision_rule(with_temperature(elsewhere.config, 3.0))
    assert not keep(elsewhere._state, measured, ["test"])
    after = read(measured)
    assert after["config"]["temperature"] == 3
    assert results(measured) == kept
    for split, metrics in after["evaluations"].items():
        assert metrics["fingerprint"] == before["evaluations"][split]["fingerprint"]
        assert metrics["accuracy"] == before["evaluations"][split]["accuracy"]
        assert metrics["loss"] != before["evaluations"][split]["loss"]


def test_what_is_evaluated_by_command_is_in_the_report(made, run, tmp_path):
    asked = ("--data", f"csv:{made[0]}", "--by", "camera")
    ktl.Learner.load(run, verbose=False).report(run / "report.html")
    said = call("evaluate", run, *asked, json_too=False)
    assert "Saved the run" in said
    assert "Updated its report.html." in said
    learner = ktl.Learner.load(run, verbose=False)
    report = learner.report(tmp_path / "report.html")
    assert (run / "report.html").read_bytes() == report.read_bytes()
    page = Page(report.read_text("utf-8"))
    assert "was not evaluated on the test split" not in page.said
    assert "Groups by camera" in page.said
    assert len(page.all("img")) == 24
    groups = limits_of(facts(learner._state))["Groups"]
    assert "measured for each value of the column camera" in groups


def test_of_other_data_and_where_nothing_can_be_written_the_command_keeps_nothing(
    made, run, other_table
):
    # A temporary name beside so long a name is too long for a file system.
    run = run.rename(run.with_name("r" * 250))
    files = {file.name: file.read_bytes() for file in run.iterdir()}
    said = call("evaluate", run, "--data", f"csv:{other_table}", json_too=False)
    assert "compares files by path, size and modification time" in said
    found = call("evaluate", run, "--data", f"csv:{made[0]}")
    assert (found["kept"], found["items"]) == (False, 18)
    assert {file.name: file.read_bytes() for file in run.iterdir()} == files


@pytest.mark.slow
def test_what_is_fitted_by_command_is_in_the_report(made, measured, other_table):
    spec = ("--data", f"csv:{made[0]}")
    call("thresholds", measured, *spec, "--min-precision", 0.6)
    call("calibrate", measured, *spec)
    assert call("evaluate", measured, *spec, "--split", "validation")["kept"]
    now = ktl.Learner.load(measured, verbose=False)
    assert now.config.temperature != 1
    assert now.config.thresholds
    shown = now._state.artifacts.top_items()
    assert all(
        shown[one.row]["seen"] == one.predicted
        for one in now.evaluations["test"].top_losses(12).items
    )
    kept = results(measured)
    said = call("calibrate", measured, "--data", f"csv:{other_table}", json_too=False)
    assert "The run keeps its earlier metrics" in said
    assert results(measured) == kept


def test_the_task_of_a_run_on_arrays_reads_a_table(tmp_path):
    names = ["a", "a;b", "b"]
    pixels = np.random.default_rng(0).integers(0, 255, (18, 32, 32, 3)).astype(np.float32)
    options = {"task": "multiclass", "verbose": False}
    data = ktl.ImageData.from_arrays(pixels, np.resize(names, 18), **options)
    make_small_learner(data).save(tmp_path / "run")
    rows = ["path,label,split"]
    for number in range(18):
        Image.fromarray(pixels[number].astype(np.uint8)).save(tmp_path / f"{number}.jpg")
        rows.append(f"{number}.jpg,{names[number % 3]},{'test' if number > 8 else 'train'}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    table = f"csv:{tmp_path / 'table.csv'}"
    # Without the run's task, the cells are several labels an item.
    guessed = ktl.ImageData.from_csv(tmp_path / "table.csv", split="split", verbose=False)
    assert guessed.task == "multilabel"
    found = call("evaluate", tmp_path / "run", "--data", table, "--split-column", "split")
    assert (found["items"], found["kept"], [*found["per_class"]]) == (9, False, names)


@pytest.mark.parametrize("command", ["evaluate", "calibrate", "thresholds", "losses"])
def test_without_data_a_run_tells_which_it_was_trained_on(run, command):
    with pytest.raises(
        ConfigError,
        match=r"Missing option '--data'.* 18 test items of 2 classes \('a', 'b'\), from --data "
        r"csv:PATH\. The run does not record the place of the data: pass --data csv:PATH again",
    ):
        call(command, run)


def test_a_run_of_data_in_memory_says_so(tmp_path):
    run = make_small_learner(make_tiny_data()).save(tmp_path / "run")
    with pytest.raises(ConfigError, match=r"trained on .*, from data in memory\. In Python, load"):
        call("evaluate", run)


def without_recorded_data(run):
    """Change a saved run: it does not record its data."""
    about = read(run) | {"data": None}
    (run / "run.json").write_text(json.dumps(about), "utf-8")
    write_checksums(run)


@pytest.mark.parametrize("command", ["evaluate", "calibrate", "thresholds", "losses"])
def test_a_run_without_recorded_data_needs_the_option(run, command):
    without_recorded_data(run)
    with pytest.raises(
        ConfigError, match=r"Missing option '--data'\. The run .* does not record its data\. Pass"
    ):
        call(command, run)


def test_a_run_without_recorded_data_is_evaluated_on_the_given_data(made, run):
    without_recorded_data(run)
    found = call("evaluate", run, "--data", f"csv:{made[0]}")
    # Without the run's settings, the default fraction of 0.15 is the test split.
    assert (found["items"], found["kept"]) == (9, False)


def test_a_run_of_images_says_that_texts_do_not_fit(run, tmp_path):
    table = tmp_path / "texts.csv"
    table.write_text("text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(40)))
    with pytest.raises(DataError, match=r"no column 'path'\. It has: 'text', 'label'\. Name the"):
        call("evaluate", run, "--data", f"csv:{table}")
    with pytest.raises(DataError, match="The run is for images, but the data have other items"):
        call("evaluate", run, "--data", f"csv:{table}", "--text-column", "text")


def test_groups_of_a_table_do_not_matter_for_a_folder(made, tmp_path):
    data = ktl.ImageData.from_csv(made[0], groups="camera", test_split=0, verbose=False)
    run = make_small_learner(data).save(tmp_path / "run")
    for number in range(60):
        folder = tmp_path / "images" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(made[0].parent / f"{number}.jpg", folder)
    found = call("evaluate", run, "--data", f"folder:{tmp_path / 'images'}", "--split", "train")
    assert found["kept"] is False


def test_a_run_on_data_of_a_package_needs_no_data(tmp_path):
    data = ktl.ImageData.digits(image_size=32).subset(per_class=5)
    learner = make_small_learner(dataclasses.replace(data, source_settings={"kind": "digits"}))
    run = learner.save(tmp_path / "run")
    done = CliRunner().invoke(cli, ["evaluate", str(run), "--json"], catch_exceptions=False)
    # Before click 8.2 standard error is part of what a runner calls stdout.
    said, brace, found = done.output.partition("{")
    assert "Data: digits, the training data of the run." in said
    assert json.loads(brace + found) == call("evaluate", run, "--data", "digits")
