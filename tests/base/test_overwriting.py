"""Nothing is overwritten unless asked for; the user's files are kept; no stale report is left."""

import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

import keras_tl as ktl
from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.base.overwriting import OwnFiles, check_new
from keras_tl.cli import cli
from keras_tl.errors import ConfigError
from keras_tl.ulmfit import Vocabulary, pretrain
from tests.conftest import make_small_learner, make_tiny_data
from tests.language_models import make_language_model


@pytest.fixture(scope="module")
def learner():
    made = make_small_learner(make_tiny_data(4))
    made.evaluate()
    return made


@pytest.fixture(scope="module")
def other():
    made = make_small_learner(make_tiny_data(4), seed=1)
    made.evaluate()
    return made


def save_language_model(learner, path, **options):
    make_language_model().save(path, **options)


# What writes, by what it writes.
WRITERS = {
    "run": lambda learner, path, **options: learner.save(path / "run", **options),
    "report": lambda learner, path, **options: learner.report(path / "r.html", **options),
    "npy": lambda learner, path, **options: ktl.save_features(
        learner, np.zeros((2, 32, 32, 3)), path=path / "f.npy", **options
    ),
    "parquet": lambda learner, path, **options: ktl.save_features(
        learner, np.zeros((2, 32, 32, 3)), path=path / "f.parquet", **options
    ),
    "plots": lambda learner, path, **options: ktl.figures.save(learner, path / "plots", **options),
    "language-model": lambda learner, path, **options: save_language_model(
        learner, path / "lm", **options
    ),
    "vocabulary": lambda learner, path, **options: Vocabulary([*MARKS, "cat"]).save(
        path / "words.txt", **options
    ),
}


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_overwritten_unasked(learner, other, tmp_path, name):
    write = WRITERS[name]
    write(learner, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match=r"exists\. Expected a path.*overwrite=True"):
        write(other, tmp_path)
    assert contents(tmp_path) == before
    write(other, tmp_path, overwrite=True)
    assert contents(tmp_path).keys() == before.keys()


@pytest.mark.parametrize("file", ["a.onnx", "a.onnx.json"])
def test_a_file_of_another_runtime_is_not_overwritten_unasked(learner, tmp_path, file):
    (tmp_path / file).write_text("mine")
    with pytest.raises(ConfigError, match=f"{file} exists.*overwrite=True"):
        learner.export(tmp_path / "a.onnx", format="onnx")
    assert contents(tmp_path) == {file: b"mine"}


def test_a_language_model_is_refused_before_it_is_trained(tmp_path):
    make_language_model().save(tmp_path / "lm")
    with pytest.raises(ConfigError, match="overwrite=True"):
        pretrain([], tmp_path / "lm")  # Without a text: nothing was read.


COMMANDS = {
    "train": (["train", "--data", "digits", "--out", "{}/run"], "run"),
    "demo": (["demo", "--out", "{}/run"], "run"),
    "demo-plots": (["demo", "--out", "{}/new"], "new_plots"),
    "features": (["features", "{}/run", "{}/a.png", "--out", "{}/f.npy"], "f.npy"),
    "report": (["report", "{}/run", "--out", "{}/r.html"], "r.html"),
    "report-of-the-user": (["report", "{}/run"], "run/report.html"),
    "export": (["export", "{}/run", "--out", "{}/a.onnx", "--format", "onnx"], "a.onnx"),
    "compare": (["compare", "--data", "digits", "--plot", "{}/c.png"], "c.png"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_refuse_before_they_begin(learner, tmp_path, name):
    arguments, there = COMMANDS[name]
    learner.save(tmp_path / "run")
    if not (tmp_path / there).exists():
        (tmp_path / there).write_text("mine")
    before = contents(tmp_path)
    done = CliRunner().invoke(cli, [argument.format(tmp_path) for argument in arguments])
    assert isinstance(done.exception, ConfigError)
    assert f"{tmp_path / there} exists. Expected" in str(done.exception)
    assert "--overwrite" in str(done.exception)
    assert contents(tmp_path) == before


def test_a_learner_saves_again_where_it_was_saved_or_loaded(learner, other, tmp_path):
    run = learner.save(tmp_path / "run")
    learner.save(run)
    loaded = ktl.Learner.load(run, verbose=False)
    loaded.save(tmp_path / "sub" / ".." / "run")
    other.save(run, overwrite=True)
    for earlier in (learner, loaded):
        with pytest.raises(ConfigError, match="exists"):
            earlier.save(run)


def test_a_learner_writes_its_own_report_again(learner, other, tmp_path):
    page = learner.report(tmp_path / "report.html")
    learner.report(page)
    other.report(page, overwrite=True)
    with pytest.raises(ConfigError, match="exists"):
        learner.report(page)


def test_the_users_own_files_in_a_run_are_kept(learner, tmp_path):
    run = learner.save(tmp_path / "run")
    for name in ("notes.txt", "logs/events", "module/mine", "results/mine.json", ".hidden"):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_text(name)
    os.symlink("nowhere", run / "link")
    other = make_small_learner(make_tiny_data(4), seed=2)
    other.save(run, overwrite=True)
    for name in ("notes.txt", "logs/events", "module/mine", "results/mine.json", ".hidden"):
        assert (run / name).read_text() == name
    assert os.readlink(run / "link") == "nowhere"
    # They are neither a part of the run nor in its way, and files that the run lost are gone.
    loaded = ktl.Learner.load(run, verbose=False)
    assert loaded.trainer.seed == other.trainer.seed
    assert loaded.evaluations == {}
    assert {f.name for f in (run / "results").iterdir()} == {"mine.json"}
    assert {f.name for f in tmp_path.iterdir()} == {"run"}


def test_a_report_in_a_run_is_made_anew(learner, tmp_path):
    run = make_small_learner(make_tiny_data(4)).save(tmp_path / "run")
    loaded = ktl.Learner.load(run, data=make_tiny_data(4), verbose=False)
    before = loaded.report(run / "report.html").read_bytes()
    loaded.evaluate()
    loaded.save(run)
    after = (run / "report.html").read_bytes()
    assert after != before
    again = ktl.Learner.load(run, verbose=False)
    assert again.report(tmp_path / "again.html").read_bytes() == after
    assert again.report(run / "report.html").read_bytes() == after
    (run / "report.html").write_text("mine")
    with pytest.raises(ConfigError, match="exists"):
        again.report(run / "report.html")
    again.save(run)
    assert (run / "report.html").read_text() == "mine"


def test_a_language_model_keeps_the_users_files(tmp_path):
    make_language_model().save(tmp_path / "lm")
    (tmp_path / "lm" / "notes.txt").write_text("mine")
    make_language_model().save(tmp_path / "lm", overwrite=True)
    assert (tmp_path / "lm" / "notes.txt").read_text() == "mine"


def test_a_folder_without_checksums_is_nobodys_own(tmp_path):
    own = OwnFiles()
    own.note(tmp_path)
    assert not own.hold(tmp_path)
    assert not own.hold(tmp_path / "missing")
    check_new(tmp_path / "missing")
    os.symlink("nowhere", tmp_path / "link")
    with pytest.raises(ConfigError, match="link exists"):
        check_new(tmp_path / "link")


def test_a_damaged_list_of_checksums_keeps_what_may_be_the_users(learner, other, tmp_path):
    run = learner.save(tmp_path / "run")
    (run / "checksums.json").write_text("[")
    (run / "notes.txt").write_text("mine")
    other.save(run, overwrite=True)
    assert (run / "notes.txt").read_text() == "mine"
    assert "notes.txt" not in json.loads((run / "checksums.json").read_text())
    assert ktl.Learner.load(run, verbose=False).trainer.seed == other.trainer.seed


def test_a_report_is_not_written_where_its_plots_cannot_be(learner, tmp_path):
    run = learner.save(tmp_path / "run")
    (tmp_path / "plots").mkdir()
    loaded = ktl.Learner.load(run, verbose=False)
    kept = tmp_path / "plots" / ktl.figures.save(loaded, tmp_path / "others")[0].name
    kept.write_text("mine")
    options = ["--out", str(tmp_path / "r.html"), "--plots", str(tmp_path / "plots")]
    result = CliRunner().invoke(cli, ["report", str(run), *options])
    assert f"{kept.name} exists" in str(result.exception)
    assert kept.read_text() == "mine"
    assert not (tmp_path / "r.html").exists()
