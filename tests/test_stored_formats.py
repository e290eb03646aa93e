"""Files of earlier versions load, and give the numbers that they gave when they were stored."""

import itertools
import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pyarrow.parquet
import pytest
import tensorflow as tf
from packaging.version import Version

import keras_tl as ktl
from keras_tl import ulmfit
from keras_tl.backbones.texts.saving import _KINDS as PREPROCESSORS
from keras_tl.base.config import EXPORT_FORMATS, EXPORT_PRECISIONS, SAVED_MODEL
from keras_tl.base.files import CHECKSUMS, changed_files, manifest
from keras_tl.export.export_facts import read_export
from keras_tl.export.server_configuration import write_serving
from keras_tl.export.verification import verify
from keras_tl.models.source_kinds import MODEL
from keras_tl.models.sources import SOURCES
from keras_tl.serving import Client
from keras_tl.tasks import TASKS
from tests.conftest import export_unverified
from tests.serving_server import serving
from tests.stored_formats import (
    arrays_of,
    ask_file,
    ask_saved_model,
    metrics_of,
    numbers_of,
    stored_versions,
)

ROOT = Path(__file__).parents[1]
TOLERANCE = 1e-5
VERSIONS = stored_versions()
NEWEST = VERSIONS[-1]
# The fast tier loads these; the others take minutes.
FAST = (
    "own",
    "exports/savedmodel/tfhub-strings",
    "exports/onnx/own.onnx",
    "exports/litert/own.tflite",
)


def rows_of(section):
    """A row for each stored file of a kind, of all versions."""
    return [
        pytest.param(
            version,
            name,
            id=f"{version}-{name.removeprefix('exports/')}",
            marks=() if name in FAST else pytest.mark.slow,
        )
        for version in VERSIONS
        for name in version.expected[section]
    ]


def check(found, expected):
    """Numbers differ by at most the tolerance, relative for values above 1. All else is equal."""
    if isinstance(expected, dict):
        assert expected.keys() <= found.keys()
        for name, value in expected.items():
            check(found[name], value)
        return
    if isinstance(expected, list) and not all(isinstance(x, (int, float)) for x in expected):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            check(*pair)
    elif isinstance(expected, (list, float)):
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
    else:
        assert found == expected


def skip_with_older_libraries(version):
    """Older releases of Keras and TensorFlow need not read files of newer ones."""
    about = json.loads(next(version.folder.rglob("run.json")).read_text("utf-8"))
    for library in (keras, tf):
        stored, here = about["versions"][library.__name__], library.__version__
        if Version(here).release[:2] < Version(stored).release[:2]:
            pytest.skip(f"the files were written with {library.__name__} {stored}")


def load(version, name, **options):
    """Loads a run, or skips the test if the libraries that it needs are missing or older."""
    skip_with_older_libraries(version)
    needed = version.expected["runs"][name]["needs"]
    if needed is not None:
        pytest.importorskip(needed, reason="it needs a newer Keras than ours may be")
    return ktl.Learner.load(version.folder / "runs" / name, verbose=False, **options)


# What must be stored.


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_no_stored_file_changes(version):
    assert list(changed_files(version.folder)) == []
    files = {f.relative_to(version.folder) for f in version.folder.rglob("*") if f.is_file()}
    assert {f.as_posix() for f in files} - {CHECKSUMS} == manifest(version.folder).keys()


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_no_stored_file_names_a_folder_of_a_machine(version):
    for file in version.folder.rglob("*"):
        if file.is_file():
            assert not re.search(rb"/(home|root|tmp|Users|var/folders)/", file.read_bytes()), file


def test_each_released_minor_version_is_stored():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    released = map(Version, re.findall(r"^## \[([\d.]+)\] - \d", changelog, re.M))
    minor = {f"{v.major}.{v.minor}.0" for v in released if v >= Version("0.2.0")}
    assert minor <= set(map(str, VERSIONS))
    assert all(
        Version(version.expected["version"]).base_version == str(version) for version in VERSIONS
    )


def stored_files(name):
    return [json.loads(file.read_text("utf-8")) for file in sorted(NEWEST.folder.rglob(name))]


def kinds_that_must_be_stored():
    """For each list of the toolkit: its entries, and those that the newest version stored."""
    exports = NEWEST.expected["exports"].values()
    pairs = {(x["format"], x["precision"]) for x in exports}
    files = [kind for kind in EXPORT_FORMATS if kind != SAVED_MODEL]
    yield (
        "exports",
        {
            (SAVED_MODEL, "float32"),
            *itertools.product(files, EXPORT_PRECISIONS),
        },
        pairs,
    )
    about = stored_files("run.json")
    configs = [run["config"] for run in about]
    # Other tests register tasks of their own.
    tasks = {name for name, task in TASKS.items() if task.__module__.startswith("keras_tl.")}
    yield "tasks", tasks, {config["task"] for config in configs}
    weights = [str(run["weights"]) for run in about]
    prefixes = {MODEL, *(key for key in SOURCES if isinstance(key, str) and key)}
    yield "sources", prefixes, {key for key in prefixes for w in weights if w.startswith(key)}
    names = {config["backbone"] for config in configs}
    yield "catalogue", {True}, {name in ktl.backbones.CATALOGUE for name in names}
    kinds = {found["kind"] for found in stored_files("preprocessor.json") if "kind" in found}
    yield "preprocessors", set(PREPROCESSORS), kinds
    public = [getattr(ktl, name) for name in ktl.__all__] + [ulmfit.AwdLstmConfig]
    values = {one.__name__ for one in public if hasattr(one, "from_json")}
    yield "values", values, {file.stem for file in (NEWEST.folder / "values").iterdir()}
    yield (
        "feature files",
        {".npy", ".parquet"},
        {file.suffix for file in (NEWEST.folder / "features").iterdir()},
    )


@pytest.mark.parametrize(
    ("wanted", "stored"), [pytest.param(*row[1:], id=row[0]) for row in kinds_that_must_be_stored()]
)
def test_every_kind_is_stored(wanted, stored):
    """If this fails: python tools/make_format_fixtures.py, with the version to be released."""
    assert wanted <= stored


# Runs.


@pytest.mark.parametrize(("version", "name"), rows_of("runs"))
def test_a_run_loads_and_gives_the_stored_numbers(version, name, tmp_path):
    expected = version.expected["runs"][name]
    items = version.items(expected["items"])
    learner = load(version, name)
    check(numbers_of(learner.predict(items)), expected["predictions"])
    check(learner.features(items).tolist(), expected["features"])
    check(metrics_of(learner.evaluations["test"]), expected["metrics"])
    assert learner.history.epoch
    assert learner.config.task in repr(learner)
    page = learner.report(tmp_path / "report.html").read_text("utf-8")
    assert all(label in page for label in learner.config.class_names)


@pytest.mark.parametrize(("version", "name"), rows_of("runs"))
def test_a_run_loads_with_its_data(version, name):
    expected = version.expected["runs"][name]
    data = version.data(expected["items"], expected["task"])
    learner = load(version, name, data=data)
    # Otherwise, fingerprints have changed: it would say that the data are not those of the run.
    assert all(map(learner._state.is_training_data, data.splits))
    stored = learner.evaluations["test"]
    assert stored.raw.are_of(data.split("test"))
    measured = learner.evaluate()
    check(metrics_of(measured), expected["metrics"])
    check(measured.raw.logits.tolist(), stored.raw.logits.tolist())
    assert stored.top_losses(3).to_json()


@pytest.mark.slow
@pytest.mark.parametrize(("version", "name"), rows_of("runs"))
def test_a_run_is_saved_exported_and_trained_further(version, name, tmp_path):
    expected = version.expected["runs"][name]
    data = version.data(expected["items"], expected["task"])
    items = version.items(expected["items"])
    learner = load(version, name, data=data)
    again = ktl.Learner.load(learner.save(tmp_path / "again"), verbose=False)
    check(numbers_of(again.predict(items)), expected["predictions"])
    folder = export_unverified(again, tmp_path / "export")
    facts = json.loads((folder / "model.json").read_text("utf-8"))
    assert facts["config"]["task"] == expected["task"]
    assert len(facts["history"]) == len(again.history)
    own = {"head": learner.config.head, "image_size": learner.config.image_size}
    backbone = ktl.Learner(f"run:{tmp_path / 'again'}", data, seed=0, verbose=False, **own)
    check(backbone.features(items).tolist(), expected["features"])
    learner.fit_head(epochs=1)
    assert len(learner.history.epoch) > len(again.history.epoch)


# Exports.


@pytest.mark.parametrize(("version", "name"), rows_of("exports"))
def test_an_export_gives_the_stored_numbers(version, name):
    expected = version.expected["exports"][name]
    path = version.folder / name
    if expected["format"] == SAVED_MODEL:
        skip_with_older_libraries(version)
        outputs = ask_saved_model(version, path / "1", expected["items"])
    else:
        outputs = ask_file(version, expected["format"], path, expected["items"])
    check(arrays_of(outputs), expected["outputs"])
    predictions = version.expected["runs"][expected["run"]]["predictions"]
    numbers = outputs.get("probabilities", outputs.get("value"))
    run_numbers = predictions.get("probabilities", predictions.get("values"))
    tolerance = TOLERANCE if expected["precision"] == "float32" else 5e-3
    np.testing.assert_allclose(numbers, run_numbers, rtol=tolerance, atol=tolerance)


SAVED_MODELS = [
    row for row in rows_of("exports") if row.values[1].startswith(f"exports/{SAVED_MODEL}/")
]


@pytest.mark.slow
@pytest.mark.parametrize(("version", "name"), SAVED_MODELS)
def test_an_export_is_verified(version, name):
    found = verify(version.folder / name, timings=False)
    assert found.problems == ()
    assert found.notes == ()
    assert set(found.differences) == set(found.signatures)


@pytest.mark.parametrize(("version", "name"), SAVED_MODELS)
def test_files_for_servers_are_written_for_an_export(version, name, tmp_path):
    """And those that the earlier version wrote do not count as changed by the user."""
    folder = shutil.copytree(version.folder / name, tmp_path / Path(name).name)
    found = read_export(folder)
    assert {"serving_default", "embed", found.standard} <= found.signatures.keys()
    run = version.folder / "runs" / version.expected["exports"][name]["run"] / "run.json"
    assert list(found.labels) == json.loads(run.read_text("utf-8"))["config"]["class_names"]
    assert write_serving(folder) == (folder / "serving", ())


@pytest.fixture(scope="module")
def addresses():
    models = {
        f"{row.values[0]}-{Path(row.values[1]).name}": row.values[0].folder / row.values[1]
        for row in SAVED_MODELS
    }
    with serving(models) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["rest", "grpc"])
@pytest.mark.parametrize(("version", "name"), SAVED_MODELS)
def test_a_server_gives_the_stored_numbers(addresses, version, name, protocol):
    expected = version.expected["exports"][name]
    with Client(addresses[protocol], f"{version}-{Path(name).name}") as client:
        served = client.predict(version.items(expected["items"]))
    check(numbers_of(served), version.expected["runs"][expected["run"]]["predictions"])


# All else.


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_values_are_read(version):
    homes = [ktl, ulmfit]
    for file in sorted((version.folder / "values").iterdir()):
        kind = next(getattr(home, file.stem) for home in homes if hasattr(home, file.stem))
        stored = json.loads(file.read_text("utf-8"))
        check(json.loads(json.dumps(kind.from_json(stored).to_json())), stored)


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_features_are_read(version):
    features = version.expected["runs"]["own"]["features"]
    folder = version.folder / "features"
    check(np.load(folder / "own.npy").tolist(), features)
    table = pyarrow.parquet.read_table(folder / "own.parquet")
    assert table.column_names == ["source", "features"]
    check(table["features"].to_pylist(), features)


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_a_language_model_is_read(version, tmp_path):
    expected = version.expected["language_model"]
    model = ulmfit.load_language_model(version.folder / "language_model")
    assert model.vocabulary == ulmfit.Vocabulary.load(version.folder / "vocabulary.txt")
    tokens = model.tokenizer.stream(version.items("texts", "train"))
    assert tokens.tolist() == expected["tokens"]
    check(ulmfit.perplexity(model, tokens, batch_size=2), expected["perplexity"])


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_a_comparison_is_read(version):
    stored = json.loads((version.folder / "values" / "Comparison.json").read_text("utf-8"))
    found = json.loads(json.dumps(ktl.Comparison.load(version.folder / "comparison").to_json()))
    for one, other in zip(found["sizes"], stored["sizes"], strict=True):
        check(one["seeds"], other["seeds"])
        for arm, curve in other["curves"].items():
            check(one["curves"][arm]["by_seed"], curve["by_seed"])
        outcomes = [[verdict["outcome"] for verdict in x["verdicts"]] for x in (one, other)]
        assert outcomes[0] == outcomes[1]
