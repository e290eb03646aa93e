"""A smoke run of every recipe."""

import base64
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import nbclient
import nbformat
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_tl.training.policies import FEWEST_STEPS
from tests import hub_modules, kerashub_presets

RECIPES = Path(__file__).parents[1] / "recipes"


def small_photo(number):
    rng = np.random.default_rng(number)
    return tf.io.encode_jpeg(rng.integers(0, 255, (32, 32, 3)).astype(np.uint8)).numpy()


def small_photos(folder, classes=("cat", "dog"), per_class=8):
    for index, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            content = small_photo(index * per_class + number)
            (folder / name / f"{number}.jpg").write_bytes(content)
    return folder


def random_weights(constructor, folder):
    """A weights file as Keras reads it; what is in it does not matter here."""
    path = folder / f"{constructor}.weights.h5"
    network = getattr(keras.applications, constructor)(weights=None, include_top=False)
    network.save_weights(path)
    return path


# Two moods that one word tells apart.
MOODS = {"good": ["good", "the good film", "good film ."], "bad": ["bad", "bad film", "the bad s"]}


def small_texts(per_class=9, first=0):
    """Texts and their moods, in turns; all are different."""
    for number in range(first, first + per_class):
        for mood, phrases in MOODS.items():
            yield phrases[number % 3] + " film" * (number // 3), mood


def small_tables(folder, per_class=9):
    """Three CSV files of texts and moods."""
    folder.mkdir()
    for number, split in enumerate(("train", "validation", "test")):
        texts = small_texts(per_class, per_class * number)
        lines = [f"{text},{mood}" for text, mood in texts]
        (folder / f"{split}.csv").write_text("\n".join(["text,label", *lines]) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Handles of a tiny encoder and of its preprocessing."""
    folder = tmp_path_factory.mktemp("modules")
    vocabulary = hub_modules.write_vocabulary(folder / "vocab.txt")
    return (
        f"tfhub:{hub_modules.make_encoder(folder / 'encoder')}",
        f"tfhub:{hub_modules.make_preprocessor(folder / 'preprocess', vocabulary)}",
    )


def prepare(name, data_dir, downloaded, monkeypatch):
    """Has TensorFlow Datasets prepare a data set of its own, without a download."""
    monkeypatch.setattr(tfds.download.DownloadManager, "download", lambda *_: downloaded)
    tfds.builder(name, data_dir=data_dir).download_and_prepare()


def prepare_imdb_reviews(data_dir, folder, monkeypatch):
    """Its `imdb_reviews`, from an archive of a few reviews."""
    archive = folder / "archive.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for split, first in (("train", 0), ("test", 20)):
            for number, (text, mood) in enumerate(small_texts(20, first)):
                part = {"good": "pos", "bad": "neg"}[mood]
                content.writestr(f"aclImdb/{split}/{part}/{number}.txt", text)
        content.writestr("aclImdb/train/unsup/0.txt", "the film")
    prepare("imdb_reviews", data_dir, archive, monkeypatch)


def prepare_mrpc(data_dir, folder, monkeypatch):
    """Its `glue/mrpc`, from tables of a few pairs."""
    lines = ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"]
    for number, (text, mood) in enumerate(small_texts(24)):
        lines.append(f"{mood == 'good':d}\t{number}\t{number}\tthe film\t{text}")
    files = {name: folder / f"{name}.tsv" for name in ("train", "test", "dev_ids")}
    # It is published with a byte order mark, which the builder skips.
    files["train"].write_text("\n".join(lines), "utf-8-sig")
    files["test"].write_text("\n".join(lines[:5]), "utf-8")
    files["dev_ids"].write_text("".join(f"{n}\t{n}\n" for n in range(8)), "utf-8")
    prepare("glue/mrpc", data_dir, files, monkeypatch)


def prepare_cats_vs_dogs(data_dir, folder, monkeypatch):
    """Its `cats_vs_dogs`, from an archive of a few photos."""
    archive = folder / "archive.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for number in range(20):
            name = f"PetImages/{('Cat', 'Dog')[number % 2]}/{number}.jpg"
            content.writestr(name, small_photo(number))
        # The builder expects as many files that are no JPEG as the published archive has.
        for number in range(20, 20 + 1738):
            content.writestr(f"PetImages/Cat/{number}.jpg", b"")
    prepare("cats_vs_dogs", data_dir, archive, monkeypatch)


def run_notebook(notebook, folder, **parameters):
    """Runs every cell; the notebook's files land in the folder.

    Values given take the place of those in the cell that is tagged so.
    """
    cells = nbformat.read(RECIPES / notebook, as_version=4)
    if parameters:
        (cell,) = (c for c in cells.cells if "parameters" in c.metadata.get("tags", ()))
        names = set(re.findall(r"^(\w+) =", cell.source, re.MULTILINE))
        assert names == set(parameters)
        cell.source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    place = {"metadata": {"path": str(folder)}}
    return nbclient.NotebookClient(cells, timeout=600, resources=place).execute().cells


def run_recipe(recipe, *arguments):
    command = [sys.executable, RECIPES / recipe, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_recipe_has_a_smoke_run_here():
    source = Path(__file__).read_text("utf-8")
    recipes = [r for ending in ("py", "ipynb") for r in RECIPES.rglob(f"*.{ending}")]
    assert recipes
    assert [r.name for r in recipes if f'"{r.name}",' not in source] == []


@pytest.mark.slow
def test_photos(tmp_path):
    out = run_recipe(
        "photos.py",
        *(small_photos(tmp_path / "photos"), "--image-size", 32, "--head-epochs", 1),
        *("--fine-tune-epochs", 1, "--out", tmp_path / "run", "--export", tmp_path / "model"),
    )
    assert "Test accuracy after fine-tuning" in out
    assert (tmp_path / "run.html").exists()
    assert (tmp_path / "model" / "1" / "saved_model.pb").exists()


@pytest.mark.slow
def test_few_shot(tmp_path):
    out = run_recipe(
        "few_shot.py",
        *(small_photos(tmp_path / "photos"), "--image-size", 32, "--per-class", 2, 3),
        *("--seeds", 2, "--epochs", 1, "--out", tmp_path / "few.png"),
    )
    assert "  2 images a class: test accuracy" in out
    assert "  3 images a class: test accuracy" in out
    assert (tmp_path / "few.png").exists()


@pytest.mark.slow
def test_vgg16(tmp_path):
    out = run_recipe(
        "vgg16.py",
        *(small_photos(tmp_path / "photos"), "--weights", random_weights("VGG16", tmp_path)),
        *("--image-size", 32, "--head-epochs", 1, "--epochs", 1, "--out", tmp_path / "run"),
    )
    for phase in ("with the network frozen", "after block5", "after all"):
        assert f"Test accuracy {phase}: " in out
    assert (tmp_path / "run.html").exists()


@pytest.mark.slow
def test_cats_vs_dogs(tmp_path, monkeypatch):
    prepare_cats_vs_dogs(tmp_path / "data", tmp_path, monkeypatch)
    out = run_recipe(
        "cats_vs_dogs.py",
        *("--guide", "--data-dir", tmp_path / "data", "--image-size", 32, "--head-epochs", 1),
        *("--weights", random_weights("ResNet50", tmp_path), "--epochs", 1),
        *("--export", tmp_path / "model"),
    )
    for way in ("ours", "guide"):
        for phase in ("head", "fine-tuning"):
            assert re.search(rf"{way}: test accuracy \d\.\d+ after {phase}, \d+ s", out)
    assert (tmp_path / "model" / "1" / "saved_model.pb").exists()


@pytest.mark.slow
def test_related_task(tmp_path):
    photos = tmp_path / "photos"
    for split in ("train", "test"):
        small_photos(photos / split, ("car", "cat", "dog", "ship"))
    epochs = [f"--{name}-epochs" for name in ("source", "head", "fine-tune", "scratch")]
    out = run_recipe(
        "related_task.py",
        *(photos, "--backbone", "vgg16", "--targets", "cat", "dog", "--seeds", 2),
        *("--per-class", 3, "--out", tmp_path / "curves.png"),
        *(argument for name in epochs for argument in (name, 1)),
    )
    assert out.startswith("Source, car, ship: test accuracy ")
    assert re.search(r"transfer - scratch: -?\d\.\d{3} \[-?\d\.\d{3}, -?\d\.\d{3}\]", out)
    assert (tmp_path / "curves.png").exists()


@pytest.mark.slow
def test_imdb_reviews(tmp_path, encoder, monkeypatch):
    prepare_imdb_reviews(tmp_path / "data", tmp_path, monkeypatch)
    backbone, preprocessor = encoder
    out = run_recipe(
        "imdb_reviews.py",
        *("--data-dir", tmp_path / "data", "--backbone", backbone, "--preprocess", preprocessor),
        *("--sequence-length", 16, "--head-epochs", 1, "--epochs", 1),
        *("--out", tmp_path / "run", "--export", tmp_path / "model"),
    )
    assert "34 train, 6 validation, 40 test" in out
    assert "Test accuracy after fine-tuning: " in out
    assert re.search(r"^(pos|neg) \(\d+\.\d%\): I laughed, ", out, re.MULTILINE)
    assert (tmp_path / "run.html").exists()
    assert (tmp_path / "model" / "1" / "saved_model.pb").exists()


@pytest.mark.slow
def test_sst2(tmp_path):
    pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
    out = run_recipe(
        "sst2.py",
        *("--data", small_tables(tmp_path / "data"), "--per-class", 8),
        *("--backbone", f"kerashub:{kerashub_presets.make_bert(tmp_path / 'preset')}"),
        *("--head-epochs", 1, "--epochs", 1),
        *("--out", tmp_path / "run", "--export", tmp_path / "model"),
    )
    assert "16 train, 18 validation, 18 test" in out
    for phase in ("the head", "fine-tuning"):
        assert f"Test accuracy after {phase}: " in out
    assert re.search(r"^(good|bad) \(\d+\.\d%\): a gripping story", out, re.MULTILINE)
    assert (tmp_path / "run.html").exists()
    assert (tmp_path / "model" / "1" / "saved_model.pb").exists()


@pytest.mark.slow
def test_sentence_pairs(tmp_path, encoder, monkeypatch):
    prepare_mrpc(tmp_path / "data", tmp_path, monkeypatch)
    backbone, preprocessor = encoder
    out = run_recipe(
        "sentence_pairs.py",
        *("--data-dir", tmp_path / "data", "--backbone", backbone, "--preprocess", preprocessor),
        *("--head-epochs", 1, "--epochs", 1),
        *("--out", tmp_path / "run", "--export", tmp_path / "model"),
    )
    assert "34 train, 8 validation, 6 test" in out
    assert "equivalent: accuracy 0.5000" in out
    assert re.search(r"After fine-tuning: accuracy \S+, auc \S+, average_precision \d", out)
    answers = r"^(not_)?equivalent, predicted (not_)?equivalent \(\d+\.\d%\): the film \| "
    assert len(re.findall(answers, out, re.MULTILINE)) == 3
    assert (tmp_path / "run.html").exists()
    assert (tmp_path / "model" / "1" / "saved_model.pb").exists()


@pytest.mark.slow
def test_ulmfit(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(text for text, _ in small_texts(200)), "utf-8")
    out = run_recipe(
        "ulmfit.py",
        *(small_tables(tmp_path / "data", per_class=60), "--per-class", 8, "--size", "tiny"),
        *("--corpus", corpus, "--out", tmp_path / "run", "--export", tmp_path / "model"),
    )
    assert "16 train, 120 validation, 120 test" in out
    for phase in ("the head", "fine-tuning"):
        assert f"Test accuracy after {phase}: " in out
    for folder in ("pretrained", "run_language_model"):
        assert (tmp_path / folder / "language_model.json").exists()
    assert (tmp_path / "run.html").exists()
    assert (tmp_path / "model" / "1" / "saved_model.pb").exists()


def check_notebook(cells, folder, epochs):
    """Its pictures are its files, its progress is plain text; gives what it has printed.

    `epochs` are those planned for the head and for fine-tuning.
    """
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    pictures = [o["data"]["image/png"] for o in outputs if "image/png" in o.get("data", {})]
    files = sorted((folder / "plots").glob("*.png"))
    assert sorted(map(base64.b64decode, pictures)) == sorted(f.read_bytes() for f in files)
    assert {"confusion_matrix", "reliability"} <= {file.stem for file in files}
    written = "".join(o["text"] for o in outputs if o.get("name") == "stdout")
    # One line an epoch, no control codes, no display of rich's own.
    lines = re.findall(r"^(head|fine-tune) +epoch +(\d+)/(\d+)", written, re.MULTILINE)
    for name, planned in zip(("head", "fine-tune"), epochs, strict=True):
        ran = [(int(epoch), int(count)) for phase, epoch, count in lines if phase == name]
        # Early stopping may end a phase.
        assert ran == [(epoch, planned) for epoch in range(1, len(ran) + 1)]
        assert 0 < len(ran) <= planned
    assert "\x1b" not in written
    assert not any("text/html" in output.get("data", {}) for output in outputs)
    return written


@pytest.mark.slow
def test_quickstart(tmp_path):
    written = check_notebook(run_notebook("quickstart.ipynb", tmp_path), tmp_path, (20, 16))
    # So many digits can be right after the head that fine-tuning changes none of the test split.
    head, tuned = map(float, re.findall(r"Test accuracy: (\S+)", written))
    assert 0.9 < head <= tuned
    assert (tmp_path / "saved_models" / "digits" / "1" / "saved_model.pb").exists()


@pytest.mark.slow
def test_texts(tmp_path, encoder):
    backbone, preprocessor = encoder
    cells = run_notebook(
        "texts.ipynb",
        tmp_path,
        ENCODER=backbone,
        PREPROCESSOR=preprocessor,
        FOLDER=str(small_tables(tmp_path / "data")),
        PER_CLASS=8,
    )
    written = check_notebook(cells, tmp_path, (1, FEWEST_STEPS["standard"]["text"]))
    assert "16 train, 18 validation, 18 test" in written
    assert len(re.findall(r"Test accuracy: \S+", written)) == 2
    assert re.search(r"^(good|bad) \(\d+\.\d%\): told with wit", written, re.MULTILINE)
    assert (tmp_path / "saved_models" / "texts" / "1" / "saved_model.pb").exists()


@pytest.mark.parametrize("notebook", ["quickstart.ipynb", "texts.ipynb"])
def test_a_notebook_shows_what_it_gives(notebook):
    cells = nbformat.read(RECIPES / notebook, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3
    assert [o for o in outputs if o.output_type == "error"] == []
    # Nothing of the machine that it ran on: no absolute path.
    shown = [o.get("text", o.get("data", {}).get("text/plain", "")) for o in outputs]
    assert [text for text in shown if re.search(r"(?<![\w.])/\w+/", text)] == []
