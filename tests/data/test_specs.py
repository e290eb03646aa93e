"""Sources by a word on the command line, and reading again what a run was trained on."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from keras_tl.base.files import write_checksums, write_json
from keras_tl.cli import cli
from keras_tl.data import specs
from keras_tl.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of two classes, and two tables of its images."""
    tmp_path, rows = tmp_path_factory.mktemp("photos"), []
    for number in range(24):
        path = tmp_path / "photos" / ("cat", "dog")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (10 * number, 0, 200)).save(path)
        rows.append(f"{path.relative_to(tmp_path)},{path.parent.name},{number % 3 == 0:d}")
    (tmp_path / "plain.csv").write_text("path,label,wet\n" + "\n".join(rows) + "\n")
    (tmp_path / "other.csv").write_text("file,class,wet\n" + "\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def tiny(tmp_path):
    """The folder of a prepared data set of TensorFlow Datasets."""
    with tfds.core.registered.skip_registration():

        class Tiny(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                label = tfds.features.ClassLabel(names=["a", "b"])
                features = {"image": tfds.features.Image(), "kind": label, "wet": label}
                return tfds.core.DatasetInfo(
                    builder=self, features=tfds.features.FeaturesDict(features)
                )

            def _split_generators(self, dl_manager):
                return {"train": self._generate_examples()}

            def _generate_examples(self):
                for n in range(24):
                    yield n, {"image": np.full((4, 4, 3), n, np.uint8), "kind": n % 2, "wet": 0}

        Tiny(data_dir=tmp_path / "tfds").download_and_prepare()
    return tmp_path / "tfds"


# What the specification says after the folder, options, task and class names.
SPECS = {
    "folder": ("folder:{}/photos", {}, "binary", ("cat", "dog")),
    "csv": ("csv:{}/plain.csv", {}, "binary", ("cat", "dog")),
    "csv-columns": (
        "csv:{}/other.csv",
        {"image": "file", "label": "class"},
        "binary",
        ("cat", "dog"),
    ),
    "csv-number": (
        "csv:{}/other.csv",
        {"image": "file", "label": "wet", "task": "regression"},
        "regression",
        (),
    ),
    "csv-ids": (
        "csv:{}/other.csv",
        {"image": "file", "label": "wet", "task": "binary"},
        "binary",
        ("0", "1"),
    ),
    "csv-several": (
        "csv:{}/other.csv",
        {"image": "file", "label": ["wet"]},
        "multilabel",
        ("wet",),
    ),
    "csv-separator": (
        "csv:{}/plain.csv",
        {"separator": "a"},
        "multilabel",
        ("c", "dog", "t"),
    ),
    "digits": ("digits", {}, "multiclass", tuple("0123456789")),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_source_is_read_and_read_again_as_a_run_recorded_it(photos, name):
    spec, options, task, class_names = SPECS[name]
    spec = spec.replace("{}", str(photos))
    data = specs.load_spec(spec, seed=3, **options)
    assert (data.task, data.class_names) == (task, class_names)
    recorded = json.loads(json.dumps(data.describe()))
    assert recorded["source_settings"]["kind"] == spec.partition(":")[0]
    again = specs.load_spec(spec, recorded["source_settings"], **recorded["split_settings"])
    assert again.describe() == data.describe()
    # A run of the time before sources were recorded.
    if not options:
        assert specs.load_spec(spec, None, seed=3).describe() == data.describe()


def test_a_tfds_source(tiny):
    options = {"data_dir": str(tiny), "label": "kind"}
    data = specs.load_spec("tfds:tiny", download=False, **options)
    assert data.class_names == ("a", "b")
    recorded = json.loads(json.dumps(data.describe()))
    again = specs.load_spec("tfds:tiny", recorded["source_settings"], download=False)
    assert again.describe() == data.describe()


def test_options_count_before_what_was_recorded(photos):
    spec = f"csv:{photos}/other.csv"
    data = specs.load_spec(spec, image="file", label="class")
    other = specs.load_spec(spec, data.source_settings, label="wet")
    assert other.class_names == ("0", "1")


def test_what_was_recorded_of_another_kind_of_source_does_not_count(photos):
    recorded = specs.load_spec(f"csv:{photos}/other.csv", image="file", label="class")
    data = specs.load_spec(f"folder:{photos}/photos", recorded.source_settings)
    assert data.class_names == recorded.class_names


SPEC_ERRORS = {
    "unknown": ("foldr:x", {}, ConfigError, r"Unknown data source 'foldr'. Did you mean 'folder'?"),
    "all": ("", {}, ConfigError, r"The forms are folder:PATH, csv:PATH, tfds:NAME, digits"),
    "no-path": ("folder", {}, ConfigError, r"Expected the data as folder:PATH. Received: 'folder'"),
    "no-csv": ("csv:", {}, ConfigError, r"Expected the data as csv:PATH"),
    "no-name": ("tfds:", {}, ConfigError, r"Expected the data as tfds:NAME"),
    "digits-path": ("digits:x", {}, ConfigError, r"Expected the data as digits. Received"),
    "missing-folder": ("folder:{}/no", {}, DataError, r"no' does not exist"),
    "missing-csv": ("csv:{}/no.csv", {}, DataError, r"Cannot read the table '.*no.csv'"),
    "folder-column": (
        "folder:{}",
        {"label": "label"},
        ConfigError,
        r"label= \(--label-column\) is for csv:PATH and tfds:NAME, not for folder:PATH. Leave",
    ),
    "digits-task": (
        "digits",
        {"task": "binary"},
        ConfigError,
        r"task= \(--task\) is for csv:PATH and tfds:NAME, not for digits",
    ),
    "csv-download": (
        "csv:{}/plain.csv",
        {"download": False},
        ConfigError,
        r"download= \(--no-download\) is for tfds:NAME, not for csv:PATH",
    ),
    "folder-root": (
        "folder:{}",
        {"root": "x"},
        ConfigError,
        r"root= \(--root\) is for csv:PATH, not for folder:PATH",
    ),
    "tfds-split": (
        "tfds:tiny",
        {"split": "x"},
        ConfigError,
        r"split= \(--split-column\) is for csv",
    ),
}


@pytest.mark.parametrize("name", SPEC_ERRORS)
def test_a_specification_that_cannot_be_used_is_explained(tmp_path, name):
    spec, options, error, message = SPEC_ERRORS[name]
    with pytest.raises(error, match=message) as caught:
        specs.load_spec(spec.replace("{}", str(tmp_path)), **options)
    assert "\n" not in str(caught.value)


# Options of the command line, and what `load_spec` gets.
ARGUMENTS = [
    ([], {}),
    (["--image-column", "file"], {"image": "file"}),
    (["--label-column", "a"], {"label": "a"}),
    (["--label-column", "a", "--label-column", "b"], {"label": ["a", "b"]}),
    (
        ["--split-column", "part", "--label-separator", ",", "--task", "multilabel"],
        {"split": "part", "separator": ",", "task": "multilabel"},
    ),
    (["--root", "photos"], {"root": Path("photos")}),
    (["--data-dir", "d", "--no-download"], {"data_dir": "d", "download": False}),
]


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize(("arguments", "expected"), ARGUMENTS)
def test_options_of_the_command_line_reach_the_source(
    tmp_path, monkeypatch, command, arguments, expected
):
    calls = []

    def see(place, **options):
        calls.append((place, options))
        raise DataError("enough seen")

    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    source = specs.SourceKind("PATH", images=see, takes=frozenset(specs.FLAGS))
    monkeypatch.setitem(specs.SOURCES, "seen", source)
    run = tmp_path / "run"
    run.mkdir()
    # A run of the time before sources were recorded, when `check_files` was called `check`.
    settings = {"seed": 5, "check": False}
    write_json(run / "run.json", {"data": {"resize": "pad", "split_settings": settings}})
    write_checksums(run)
    own = {
        "train": ["--split-seed", "5", "--resize", "pad", "--out", str(tmp_path / "new")],
        "evaluate": [str(run)],
    }
    with pytest.raises(DataError, match="enough seen"):
        cli.main(
            [command, *own[command], "--data", "seen:t.csv", *arguments], standalone_mode=False
        )
    ((place, options),) = calls
    assert place == "t.csv"
    assert {key: options[key] for key in options if key in specs.FLAGS} == expected
    assert (options["seed"], options["resize"]) == (5, "pad")
    assert options.get("check_files") is (False if command == "evaluate" else None)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("photos", r"Did you mean 'folder:photos'\?"),
        ("table.csv", r"Did you mean 'csv:table.csv'\?"),
        ("phtoos", r"Unknown data source 'phtoos'"),
        ("s3://b/photos", r"not support s3:// paths"),
    ],
)
def test_a_path_without_its_kind(spec, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "table.csv").write_text("path,label")
    with pytest.raises(ConfigError, match=message):
        specs.load_spec(spec)
