"""Every argument that takes a path: `~` is the home folder, other file systems are refused."""

import functools
import inspect
import os
import typing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import keras_tl as ktl
from keras_tl import ulmfit
from keras_tl.backbones.texts import WordPiecePreprocessor
from keras_tl.base.config import CacheConfig
from keras_tl.base.files import cache_root, local_path
from keras_tl.cli import cli, main
from keras_tl.cli.group import LocalPath
from keras_tl.errors import ConfigError
from keras_tl.export.server_configuration import write_serving
from keras_tl.export.verification import verify
from tests.conftest import make_small_learner, make_tiny_data

PIXELS = np.zeros((1, 32, 32, 3), np.uint8)
REMOTE = ("gs://bucket/x", "s3://bucket/x", "hdfs://host/x", "file:///x", "https://host/x")
FRAME = pd.DataFrame({"path": ["gs://bucket/a.png"] * 8, "label": ["a", "b"] * 4})


@pytest.mark.parametrize("path", [*REMOTE, *map(Path, REMOTE)])
def test_other_file_systems_are_refused_by_their_name(path):
    scheme = str(path).partition(":")[0]
    with pytest.raises(ConfigError, match=rf"not support {scheme}:// paths\. Copy the files"):
        local_path(path)


def test_local_paths_stay_as_they_are(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    for path in ("a", "a/b", "/a", "C:/a", "a:b", "2024-01-01T00:00:00/a", "~/a", "~", "a/~", ""):
        expected = path.replace("~", "/home/me", 1) if path.startswith("~") else path
        assert local_path(path) == local_path(Path(path)) == Path(expected)


@pytest.mark.parametrize("path", [3, None, b"a", ["a"], "x" * 5000, "a\0b"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ConfigError, match="Expected a path") as error:
        local_path(path)
    assert len(str(error.value)) < 400


@pytest.fixture(scope="module")
def data():
    return make_tiny_data()


@pytest.fixture(scope="module")
def learner(data):
    return make_small_learner(data)


def learn(data, backbone="efficientnet_lite0", **options):
    return ktl.Learner(backbone, data, image_size=32, seed=0, verbose=False, **options)


# What is called with a path, given a learner and data.
CALLS = {
    "from_folder": lambda path, learner, data: ktl.ImageData.from_folder(path),
    "from_csv": lambda path, learner, data: ktl.ImageData.from_csv(path),
    "root-of-a-frame": lambda path, learner, data: ktl.ImageData.from_dataframe(FRAME, root=path),
    "texts-from_folder": lambda path, learner, data: ktl.TextData.from_folder(path),
    "texts-from_csv": lambda path, learner, data: ktl.TextData.from_csv(path),
    "texts-for-testing": lambda path, learner, data: ktl.TextData.from_csv(__file__, test=path),
    "weights": lambda path, learner, data: learn(data, weights=path),
    "run": lambda path, learner, data: learn(data, f"run:{path}"),
    "keras-file": lambda path, learner, data: learn(data, f"{path}.keras", preprocess="none"),
    "language-model": lambda path, learner, data: learn(data, f"ulmfit:{path}"),
    "vocabulary": lambda path, learner, data: WordPiecePreprocessor(path),
    "cache": lambda path, learner, data: learner.fit_head(
        1, cache=CacheConfig("disk", folder=path)
    ),
    "features-of-a-split": lambda path, learner, data: learner.features(
        data.split("test"), cache=CacheConfig("disk", folder=path)
    ),
    "save": lambda path, learner, data: learner.save(path),
    "load": lambda path, learner, data: ktl.Learner.load(path),
    "report": lambda path, learner, data: learner.report(path),
    "save_plots": lambda path, learner, data: ktl.figures.save(learner, path),
    "predict": lambda path, learner, data: learner.predict(path),
    "predict-a-list": lambda path, learner, data: learner.predict([path]),
    "features": lambda path, learner, data: learner.features(path),
    "save_features": lambda path, learner, data: ktl.save_features(
        learner, PIXELS, path=f"{path}.npy"
    ),
    "export": lambda path, learner, data: learner.export(path),
    "export-onnx": lambda path, learner, data: learner.export(f"{path}.onnx", format="onnx"),
    "verify": lambda path, learner, data: verify(path),
    "write_serving": lambda path, learner, data: write_serving(path),
    "compare": lambda path, learner, data: ktl.compare("efficientnet_lite0", data, path=path),
    "comparison": lambda path, learner, data: ktl.Comparison.load(path),
    "pretrain": lambda path, learner, data: ulmfit.pretrain(["a text"], path),
    "corpus": lambda path, learner, data: ulmfit.pretrain([Path(path)], "model"),
    "load_language_model": lambda path, learner, data: ulmfit.load_language_model(path),
    "load_fastai": lambda path, learner, data: ulmfit.load_fastai(path),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_argument_refuses_other_file_systems(name, learner, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"not support gs:// paths"):
        CALLS[name]("gs://bucket/x", learner, data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["s3", "hdfs"])
def test_folders_of_prepared_data_sets_are_local_or_of_google(scheme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = functools.partial(ulmfit.tfds_texts, limit=None)
    for make in (ktl.ImageData.from_tfds, ktl.TextData.from_tfds, texts):
        with pytest.raises(ConfigError, match=f"not support {scheme}:// paths"):
            make("some_data", data_dir=f"{scheme}://host/x", download=False)
    assert list(tmp_path.iterdir()) == []


def test_paths_in_a_table_and_the_cache_folder_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"Received: 'gs://bucket/a\.png'"):
        ktl.ImageData.from_dataframe(FRAME)
    monkeypatch.setenv("KERAS_TL_CACHE", "s3://bucket/cache")
    with pytest.raises(ConfigError, match=r"not support s3:// paths"):
        cache_root()


DATA = ("--data", "digits")
COMMANDS = {
    "train-data": ("train", "--data", "folder:{}", "--out", "run"),
    "train-table": ("train", "--data", "csv:{}", "--out", "run"),
    "train-root": ("train", "--data", "csv:t.csv", "--root", "{}", "--out", "run"),
    "train-out": ("train", *DATA, "--out", "{}"),
    "train-weights": (
        *("train", *DATA, "--out", "run", "--weights", "{}"),
        *("--image-size", "32", "--head-epochs", "1"),
    ),
    "evaluate": ("evaluate", "{}", *DATA),
    "calibrate": ("calibrate", "{}", *DATA),
    "thresholds": ("thresholds", "{}", *DATA),
    "losses": ("losses", "{}", *DATA),
    "predict": ("predict", "{}", "a.png"),
    "features": ("features", "{}", "a.png", "--out", "f.npy"),
    "features-out": ("features", "run", "a.png", "--out", "{}"),
    "report": ("report", "{}"),
    "report-out": ("report", "run", "--out", "{}"),
    "report-plots": ("report", "run", "--plots", "{}"),
    "report-comparison": ("report", "run", "--comparison", "{}"),
    "export": ("export", "{}", "--out", "model"),
    "export-out": ("export", "run", "--out", "{}"),
    "export-card": ("export", "run", "--out", "model", "--card", "{}"),
    "verify": ("verify", "{}"),
    "compare-out": ("compare", *DATA, "--out", "{}"),
    "compare-plot": ("compare", *DATA, "--plot", "{}"),
    "rank": ("rank", "--data", "folder:{}"),
    "cross-validate": ("cross-validate", "--data", "folder:{}"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_other_file_systems(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = [part.replace("{}", "s3://bucket/x") for part in COMMANDS[name]]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert "'s3://bucket/x'. keras_tl does not support s3:// paths" in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_every_option_that_is_a_path_is_one_of_ours():
    found = []
    for command in cli.commands.values():
        hints = inspect.get_annotations(inspect.unwrap(command.callback))
        for parameter in command.params:
            hint = hints.get(parameter.name)
            if Path in (hint, *typing.get_args(hint)):
                found.append(parameter)
                assert isinstance(parameter.type, LocalPath), (command.name, parameter.name)
    assert len(found) > 12


def test_a_home_folder_is_found_by_everything(learner, data, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    # Where `~` is no folder.
    monkeypatch.chdir(os.path.realpath(tmp_path.parent))
    for number in range(16):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS[0] + number).save(path)
    (tmp_path / "photos.csv").write_text(
        "path,label\n" + "".join(f"{'ab'[n % 2]}/{n}.jpg,{'ab'[n % 2]}\n" for n in range(16))
    )
    assert ktl.ImageData.from_folder("~/photos", verbose=False).class_names == ("a", "b")
    for options in ({"root": "~/photos"}, {"root": Path("~", "photos")}):
        table = ktl.ImageData.from_csv("~/photos.csv", verbose=False, **options)
        assert table.class_names == ("a", "b")
    assert learner.save("~/run") == tmp_path / "run"
    again = ktl.Learner.load("~/run", verbose=False)
    expected = learner.predict(PIXELS).probabilities
    np.testing.assert_allclose(again.predict(PIXELS).probabilities, expected, atol=1e-6)
    assert ktl.save_features(learner, "~/photos", path="~/f.npy") == (16, 16)
    assert learner.report("~/r.html") == tmp_path / "r.html"
    learner.features(learner.data.split("test"), cache=CacheConfig("disk", folder="~/cache"))
    borrowed = learn(data, "run:~/run")
    np.testing.assert_array_equal(borrowed.features(PIXELS), learner.features(PIXELS))
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"photos", "photos.csv", "run", "f.npy", "r.html", "cache"}
