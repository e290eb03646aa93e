"""Files that cannot be used are left out of the data, before anything is split or trained."""

import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import keras_tl as ktl
from keras_tl.cli import cli
from keras_tl.data.folders.unused_files import sort_files
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.errors import DataError
from tests.conftest import small_network

NAMES = ("cat", "dog")


def jpeg(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (20, 20, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def photos(tmp_path):
    """Forty photos of two classes; the first three of the first class cannot be used."""
    for number in range(40):
        folder = tmp_path / "photos" / NAMES[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:02}.jpg").write_bytes(jpeg(number))
    cats = tmp_path / "photos" / "cat"
    (cats / "00.jpg").write_bytes(b"")
    (cats / "02.jpg").write_bytes(jpeg(2)[:300])
    (cats / "04.jpg").write_bytes(b"<html></html>")
    return tmp_path / "photos"


def paths_of(data):
    return sorted(path for split in data.splits.values() for path in split.images)


def test_bad_files_are_left_out_and_named_and_training_finishes(photos, capsys):
    data = ktl.ImageData.from_folder(photos, max_bad=0.1)
    bad = [str(photos / "cat" / f"{number:02}.jpg") for number in (0, 2, 4)]
    assert sorted(file.path for file in data.checked.bad) == bad
    assert paths_of(data) == sorted(set(sort_files(photos, IMAGE_FILES)[0]) - set(bad))
    learner = ktl.Learner(small_network(), data, image_size=20, preprocess="tf", preflight=False)
    said = capsys.readouterr().err
    assert "3 of 40 files are left out" in said
    assert "empty (0 bytes)" in said
    learner.fit_head(epochs=1)
    assert learner.evaluate()["items"] == len(data.split("test"))


def test_too_many_bad_files_stop_it(photos):
    with pytest.raises(DataError, match=r"at most 5\.0% unusable files.*found 3 of 40 \(7\.5%\)"):
        ktl.ImageData.from_folder(photos)


def test_without_the_check_everything_is_kept(photos):
    data = ktl.ImageData.from_folder(photos, check_files=False)
    assert data.checked is None
    assert paths_of(data) == sort_files(photos, IMAGE_FILES)[0]


def test_the_same_settings_make_the_same_splits(photos):
    data = ktl.ImageData.from_folder(photos, max_bad=0.1, seed=3)
    again = ktl.ImageData.from_folder(photos, **data.split_settings)
    assert again.checked.from_cache == 40
    assert {n: s.images for n, s in again.splits.items()} == {
        n: s.images for n, s in data.splits.items()
    }


def test_copies_under_two_labels_are_found_across_splits(photos, tmp_path):
    root = tmp_path / "split"
    for split in ("train", "test"):
        (root / split).mkdir(parents=True)
        for name in NAMES:
            (root / split / name).mkdir()
            for number in range(8):
                content = jpeg(100 * (split == "test") + 10 * (name == "dog") + number)
                (root / split / name / f"{number}.jpg").write_bytes(content)
    (root / "test" / "dog" / "0.jpg").write_bytes(jpeg(0))  # train/cat/0.jpg
    data = ktl.ImageData.from_folder(root, max_bad=0.1)
    assert {file.kind for file in data.checked.bad} == {"two labels"}
    assert len(data.checked.bad) == 2


def test_a_class_without_a_usable_file_is_named(photos):
    for file in (photos / "cat").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DataError, match=r"No file of the class 'cat' can be used.*empty"):
        ktl.ImageData.from_folder(photos, max_bad=1.0)


def test_the_file_that_is_named_is_of_the_class_that_is_lost(photos):
    (photos / "cat" / "00.jpg").write_bytes(b"")
    for file in (photos / "dog").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DataError, match=r"of the class 'dog' can .*For example: \S*/dog/.*empty"):
        ktl.ImageData.from_folder(photos, max_bad=1.0)


def run(*arguments):
    done = CliRunner().invoke(cli, ["train", *map(str, arguments)], catch_exceptions=False)
    return done.output


def test_the_command_line_shows_what_is_wrong_and_trains_nothing(photos, tmp_path):
    (photos / "cat" / "IMG_1.HEIC").touch()
    text = run("--data", f"folder:{photos}", "--check")
    for part in (
        "3 of 40 files are left out",
        "04.jpg: not an image",
        "training would stop",
        "Not used: 1 file of other kinds (1 .heic). Convert photos in other",
        "warning (unused-files)",
    ):
        assert part in text
    found = json.loads(run("--data", f"folder:{photos}", "--check", "--json"))
    assert found["checked"] == 40
    assert len(found["bad"]) == 3
    assert found["unused"]["suffixes"] == {".heic": 1}
    text = run("--data", f"folder:{photos}", "--check", "--max-bad", 0.1)
    assert "training would stop" not in text
    assert not (tmp_path / "run").exists()
