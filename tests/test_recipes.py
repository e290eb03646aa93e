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


def prepare_cats_vs_dogs(data_dir, folder, monkeypatch):
    """Has TensorFlow Datasets prepare its `cats_vs_dogs`, from an archive of a few photos."""
    archive = folder / "archive.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for number in range(20):
            name = f"PetImages/{('Cat', 'Dog')[number % 2]}/{number}.jpg"
            content.writestr(name, small_photo(number))
    builder = tfds.builder("cats_vs_dogs", data_dir=data_dir)
    module = sys.modules[type(builder).__module__]
    monkeypatch.setattr(module, "_NUM_CORRUPT_IMAGES", 0)
    monkeypatch.setattr(tfds.download.DownloadManager, "download", lambda *_: archive)
    builder.download_and_prepare()


def run_notebook(notebook, folder):
    """Runs every cell; the notebook's files land in the folder."""
    cells = nbformat.read(RECIPES / notebook, as_version=4)
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
def test_quickstart(tmp_path):
    cells = run_notebook("quickstart.ipynb", tmp_path)
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    pictures = [o["data"]["image/png"] for o in outputs if "image/png" in o.get("data", {})]
    files = sorted((tmp_path / "plots").glob("*.png"))
    assert sorted(map(base64.b64decode, pictures)) == sorted(f.read_bytes() for f in files)
    assert len(files) == 3
    written = "".join(o["text"] for o in outputs if o.get("name") == "stdout")
    head, tuned = map(float, re.findall(r"Test accuracy: (\S+)", written))
    assert 0.8 < head < tuned
    # One line an epoch, no control codes, no display of rich's own.
    assert re.findall(r"^(?:head|fine-tune) +epoch +(\d+)/", written, re.MULTILINE) == [
        str(epoch) for epochs in (20, 3) for epoch in range(1, epochs + 1)
    ]
    assert "\x1b" not in written
    assert not any("text/html" in output.get("data", {}) for output in outputs)
    assert (tmp_path / "saved_models" / "digits" / "1" / "saved_model.pb").exists()


def test_the_notebook_shows_what_it_gives():
    cells = nbformat.read(RECIPES / "quickstart.ipynb", as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert [o for o in outputs if o.output_type == "error"] == []
