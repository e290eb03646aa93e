"""Whatever users ask about, in Python and on the command line: one answer an item, or an error."""

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

import keras_tl as ktl
from keras_tl.cli import cli
from keras_tl.cli.items import read_items
from keras_tl.data.texts.text_inputs import read_texts
from keras_tl.data.texts.text_values import BLANK_PROBLEM
from keras_tl.errors import ConfigError, DataError
from tests import hub_modules
from tests.conditions import audited
from tests.conftest import make_small_learner, make_tiny_data
from tests.test_text_journey import make_texts

REVIEWS = ["good film", "the bad s", "good"]
DAMAGED = {"damaged.png": b"\x89PNG\r\n\x1a\n no more", "empty.jpg": b"", "text.png": b"a text"}
# Why each of them has no answer.
WHY = {
    "damaged.png": "truncated or damaged PNG",
    "empty.jpg": "empty (0 bytes)",
    "text.png": "not an image: text that begins with 'a text'",
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three images, the same with alpha."""
    folder = tmp_path_factory.mktemp("photos")
    pixels = np.random.default_rng(0).integers(0, 255, (3, 20, 30, 4)).astype(np.uint8)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    return make_small_learner(make_tiny_data())


@pytest.fixture(scope="module")
def answers(learner, photos):
    """Probabilities and features of the images in their folder."""
    return learner.predict(photos).probabilities, learner.features(photos)


@pytest.fixture(scope="module")
def run(learner, tmp_path_factory):
    return learner.save(tmp_path_factory.mktemp("runs") / "images")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A learner of texts that were the column `review` of a table, and its run."""
    folder = tmp_path_factory.mktemp("texts")
    module = hub_modules.make_text_module(folder / "module")
    given = make_texts().split("train")
    frame = pd.DataFrame({"review": given.texts, "label": given.labels, "text": "no review"})
    data = ktl.TextData.from_dataframe(frame, text="review", validation_split=0, verbose=False)
    learner = ktl.Learner(f"tfhub:{module}", data, seed=0, verbose=False)
    ktl.testing.cases.randomise_head(learner)
    return learner, learner.save(folder / "run")


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs the command line: the JSON on standard output, and standard error."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def call(*arguments):
        capsys.readouterr()
        cli.main([*map(str, arguments), "--json"], standalone_mode=False)
        captured = capsys.readouterr()
        return json.loads(captured.out), captured.err

    return call


def pixels_of(folder):
    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))]


IMAGES = {
    "pattern": lambda folder: f"{folder}/*.png",
    "array": lambda folder: np.stack(pixels_of(folder)),
    "arrays": pixels_of,
    "without-alpha": lambda folder: np.stack(pixels_of(folder))[..., :3],
    "images": lambda folder: [Image.open(path) for path in sorted(folder.glob("*.png"))],
    "tensor": lambda folder: tf.constant(np.stack(pixels_of(folder))),
    "data-set": lambda folder: tf.data.Dataset.from_tensor_slices(pixels_of(folder)).batch(2),
    "buffers": lambda folder: [io.BytesIO(p.read_bytes()) for p in sorted(folder.glob("*.png"))],
    "frame": lambda folder: pd.DataFrame({"path": sorted(map(str, folder.glob("*.png")))}),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_answered_one_by_one(learner, photos, answers, tmp_path, name):
    expected, features = answers
    asked = IMAGES[name](photos)
    np.testing.assert_allclose(learner.predict(asked).probabilities, expected, atol=1e-5)
    asked = IMAGES[name](photos)  # Streams are read to their end.
    if name != "frame":  # The decoder of files takes seconds to start: the pattern starts it here.
        np.testing.assert_allclose(learner.features(asked), features, atol=1e-4)
        asked = IMAGES[name](photos)
    if name == "pattern":
        return
    assert ktl.save_features(learner, asked, path=tmp_path / "f.npy") == (3, 16)
    np.testing.assert_allclose(np.load(tmp_path / "f.npy"), features, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_one_array_is_one_image(learner, channels):
    image = np.random.default_rng(1).integers(0, 255, (20, 30, channels)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if channels == 1 else image).save(file, "PNG")
    expected = learner.predict(file).probabilities
    np.testing.assert_allclose(learner.predict(image).probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(learner.features(image), learner.features(file), atol=1e-4)


def test_channels_first_are_refused(learner, tmp_path):
    asked = np.zeros((3, 20, 30), np.uint8)
    for ask in (learner.predict, learner.features):
        with pytest.raises(DataError, match=r"channels first, or 3 grey images"):
            ask(asked)
    with pytest.raises(DataError, match=r"channels first, or 3 grey images"):
        ktl.save_features(learner, asked, path=tmp_path / "f.npy")


def test_images_of_several_sizes_get_the_answers_of_each(learner):
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 255, (n, 40, 3)).astype(np.uint8) for n in (30, 30, 50, 30)]
    each = [learner.predict(image).probabilities[0] for image in images]
    np.testing.assert_allclose(learner.predict(images).probabilities, each, atol=1e-5)
    each = [learner.features(image)[0] for image in images]
    np.testing.assert_allclose(learner.features(images), each, atol=1e-4)


def test_a_split_is_answered(learner):
    split = learner.data.split("test")
    expected = learner.predict(split.images).probabilities
    np.testing.assert_array_equal(learner.predict(split).probabilities, expected)


@pytest.fixture
def mixed(photos, tmp_path):
    """A folder in which three files are not images, and the numbers of those that are."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for path in photos.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for name, content in DAMAGED.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("method", ["predict", "features"])
def test_bad_files_are_named_skipped_or_kept(learner, answers, mixed, method, capsys):
    names = sorted(path.name for path in mixed.iterdir())
    good = [number for number, name in enumerate(names) if name not in DAMAGED]

    def ask(items, on_invalid="raise"):
        found = getattr(learner, method)(items, on_invalid=on_invalid)
        return found if method == "features" else found.probabilities

    with pytest.raises(DataError, match=r"Cannot decode .*damaged\.png"):
        ask(mixed)
    expected = answers[method == "features"]
    gone = [*(mixed / name for name in names), mixed / "gone.png"]
    np.testing.assert_allclose(ask(gone, "skip"), expected, atol=1e-4)
    kept = ask(mixed, "keep")
    assert len(kept) == len(names)
    np.testing.assert_allclose(kept[good], expected, atol=1e-4)
    if method == "features":
        assert np.isnan(np.delete(kept, good, axis=0)).all()
    with pytest.raises(DataError, match=r"Cannot read the image .*gone\.png"):
        ask(gone)
    with pytest.raises(ConfigError, match=r"Unknown on_invalid 'drop'"):
        ask(mixed, "drop")
    if method == "features":
        return  # Each of the rest starts the decoder of files, which takes seconds.
    with pytest.raises(DataError, match=r"Cannot decode .*empty\.jpg"):
        ask([mixed / "empty.jpg"], "skip")
    contents = [(mixed / name).read_bytes() for name in names]
    np.testing.assert_allclose(ask(contents, "skip"), expected, atol=1e-4)


@pytest.mark.parametrize("method", ["predict", "features"])
def test_a_folder_is_walked_once(learner, photos, tmp_path, method, capsys):
    folder = tmp_path / "asked"
    for name in ("in", "in/in"):
        (folder / name).mkdir(parents=True)
        (folder / name / "notes.md").touch()
        (folder / name / "a.png").write_bytes((photos / "0.png").read_bytes())
    console = learner._state.reporter.console
    console.quiet = False
    capsys.readouterr()
    for asked in ([folder],) if method == "features" else (folder, [folder]):
        with audited("os.scandir") as walked:
            assert len(getattr(learner, method)(asked)) == 2
        names = (os.path.relpath(str(path), folder) for (path,) in walked)
        assert sorted(name for name in names if ".." not in name) == [".", "in", "in/in"]
        assert "Not used: 2 files of other kinds (2 .md)" in capsys.readouterr().err
    console.quiet = True


def test_the_error_names_all_that_is_bad(learner, mixed):
    with pytest.raises(DataError) as error:
        learner.predict(mixed)
    assert all(name in str(error.value) for name in DAMAGED)
    assert "(6 images in all)" in str(error.value)


def test_the_command_line_leaves_out_or_marks_bad_files(command, run, mixed, tmp_path):
    with pytest.raises(DataError, match=r"--on-invalid skip"):
        command("predict", run, mixed)
    found, said = command("predict", run, mixed, "--on-invalid", "keep")
    invalid = [row["source"] for row in found if row.get("valid") is False]
    assert invalid == [str(mixed / name) for name in sorted(DAMAGED)]
    assert "Kept as invalid: 3 of 6 images." in said
    assert [row["reason"] for row in found if "reason" in row] == [*map(WHY.get, sorted(DAMAGED))]
    out = tmp_path / "f.npy"
    found, said = command("features", run, mixed, "--out", out, "--on-invalid", "skip")
    assert found["items"] == len(np.load(out)) == 3
    assert "Left out: 3 of 6 images." in said
    assert all(name in said for name in DAMAGED)


def test_texts_are_answered_one_by_one(reader, tmp_path):
    learner, _ = reader
    expected = learner.predict(REVIEWS)
    frame = pd.DataFrame({"review": REVIEWS, "text": "bad"})
    dataset = tf.data.Dataset.from_tensor_slices((REVIEWS, [0, 1, 0]))
    for asked in (frame, frame["review"], np.array(REVIEWS), tf.constant(REVIEWS), dataset):
        found = learner.predict(asked)
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        assert found.sources == tuple(REVIEWS)
        np.testing.assert_array_equal(learner.features(asked), learner.features(REVIEWS))
    split = learner.data.split("test")
    assert learner.predict(split).sources == split.texts
    for asked in ({"review": REVIEWS}, frame.drop(columns="review")):
        for ask in (learner.predict, learner.features):
            with pytest.raises(DataError):
                ask(asked)


def test_texts_have_no_pictures(reader):
    with pytest.raises(ConfigError, match=r"The items are texts, not images\. learner\.report"):
        ktl.figures.top_losses(reader[0])


@pytest.mark.parametrize("literal", [False, True])
def test_on_the_command_line_the_texts_of_pairs_alternate(literal):
    learner = SimpleNamespace(config=SimpleNamespace(item="text", are_pairs=True))
    found = read_texts(read_items(learner, Path("run"), tuple("abcd"), literal), are_pairs=True)
    assert (found.texts, found.pairs) == (("a", "c"), ("b", "d"))
    with pytest.raises(click.UsageError, match=r"an even number of texts\. Received 3\."):
        read_items(learner, Path("run"), tuple("abc"), literal)


NO_TEXTS = {"blank.txt": b" \n", "latin.txt": b"caf\xe9"}


@pytest.fixture
def pages(tmp_path):
    """A folder of two texts, two files that are no texts, and one of another kind."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, content in {"a.txt": b"good film", "m.txt": b"bad", **NO_TEXTS}.items():
        (folder / name).write_bytes(content)
    (folder / "page.pdf").write_bytes(b"%PDF")
    return folder


def test_texts_without_an_answer_are_named_skipped_or_kept(reader, pages, tmp_path, capsys):
    learner, run = reader
    learner = ktl.Learner.load(run, verbose=True)
    given = ["good film", " ", b"caf\xe9", "bad"]
    expected = learner.predict(["good film", "bad"]).probabilities
    features = learner.features(["good film", "bad"])
    for asked, shown in ((given, ("Item 1 of 4", "item 2")), (pages, NO_TEXTS)):
        with pytest.raises(
            DataError,
            match=r"no prediction for .* \(4 texts in all\)\. "
            r"Pass on_invalid='skip' .* to leave them out",
        ):
            learner.predict(asked)
        with pytest.raises(DataError, match=r"\(--on-invalid skip\)"):
            learner.features(asked)
        for on_invalid, done in (("skip", "Left out"), ("keep", "Kept as invalid")):
            capsys.readouterr()
            found = learner.predict(asked, on_invalid=on_invalid)
            said = capsys.readouterr().err
            assert f"{done}: 2 of 4 texts." in said
            assert all(name in said for name in shown)
            assert ("Not used: 1 file of other kinds (1 .pdf)" in said) == (asked is pages)
            rows = np.ones(2, bool) if on_invalid == "skip" else found.valid
            np.testing.assert_allclose(found.probabilities[rows], expected, atol=1e-6)
            rows_of_features = learner.features(asked, on_invalid=on_invalid)
            np.testing.assert_allclose(rows_of_features[rows], features, atol=1e-6)
            assert np.isnan(rows_of_features[~rows]).all()
            ktl.save_features(
                learner, asked, path=tmp_path / "f.npy", on_invalid=on_invalid, overwrite=True
            )
            np.testing.assert_allclose(np.load(tmp_path / "f.npy"), rows_of_features, atol=1e-6)
    for asked, valid in ((given, [True, False, False, True]), (given[1:3], [False, False])):
        kept = learner.features(asked, on_invalid="keep")
        assert (~np.isnan(kept).any(axis=1)).tolist() == valid
    kept = learner.predict(given, on_invalid="keep")
    assert kept.labels[1:3] == ["", ""]
    assert str(kept[1]) == f"no prediction ({BLANK_PROBLEM})"
    with pytest.raises(DataError, match=r"Item 0 of 1 is blank"):
        learner.predict([""], on_invalid="skip")


def test_the_command_line_leaves_out_or_marks_bad_texts(command, reader, pages):
    _, run = reader
    found, said = command("predict", run, f"folder:{pages}", "--on-invalid", "skip")
    assert [row["source"] for row in found] == [str(pages / "a.txt"), str(pages / "m.txt")]
    assert "Left out: 2 of 4 texts." in said
    found, said = command("predict", run, f"folder:{pages}", "--on-invalid", "keep")
    assert [row.get("valid") for row in found] == [None, False, False, None]
    reasons = [BLANK_PROBLEM, "not UTF-8: invalid bytes in line 1"]
    assert [row.get("reason") for row in found] == [None, *reasons, None]
    assert all(name in said for name in NO_TEXTS)
    gone = [pages / "gone.txt", pages / "a.txt"]
    found, said = command("predict", run, *gone, "--on-invalid", "skip")
    assert [row["source"] for row in found] == [str(pages / "a.txt")]
    assert "Cannot read the text" in said


# What stands after the run, in a folder of files; the texts that are answered.
COMMANDS = {
    "texts": (["good film", "bad"], ["good film", "bad"]),
    "file": (["one.txt"], ["the good\nfilm"]),
    "files-and-texts": (["one.txt", "bad"], ["the good\nfilm", "bad"]),
    "folder": (["folder:more"], ["bad"]),
    "table": (["table.csv"], ["good, good", "bad"]),
    "named-table": (["csv:table.csv"], ["good, good", "bad"]),
    "lines": (["lines.jsonl"], ["one.txt"]),
    "literal": (["--literal", "one.txt", "csv:table.csv"], ["one.txt", "csv:table.csv"]),
    "long": (["good " * 2000 + ".txt"], ["good " * 2000 + ".txt"]),
    "sentence": (["a film like good.txt"], ["a film like good.txt"]),
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more").mkdir()
    (tmp_path / "one.txt").write_text("the good\nfilm")
    (tmp_path / "more" / "two.txt").write_text("bad")
    (tmp_path / "table.csv").write_text('review,label\n"good, good",good\nbad,bad\n')
    (tmp_path / "lines.jsonl").write_text('{"review": "one.txt"}\n')


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_reads_files_of_texts(reader, files, name):
    arguments, texts = COMMANDS[name]
    learner, run = reader
    items = tuple(argument for argument in arguments if argument != "--literal")
    asked = read_items(learner, run, items, literal="--literal" in arguments)
    expected = learner.predict([text.encode() for text in texts])
    np.testing.assert_array_equal(learner.predict(asked).probabilities, expected.probabilities)


@pytest.mark.parametrize("name", ["table", "literal"])
def test_commands_answer_files_of_texts(command, reader, files, name):
    arguments, texts = COMMANDS[name]
    learner, run = reader
    expected = learner.predict([text.encode() for text in texts])
    found, _ = command("predict", run, *arguments)
    assert [row["probabilities"] for row in found] == [
        row["probabilities"] for row in expected.to_json()
    ]
    found, _ = command("features", run, *arguments, "--out", "f.npy", "--overwrite")
    assert found["items"] == len(texts)
    np.testing.assert_array_equal(np.load("f.npy"), learner.features([t.encode() for t in texts]))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["absent.txt"], r"Cannot read the text 'absent\.txt'"),
        (["csv:absent.csv"], r"Cannot read the table 'absent\.csv'"),
        (["table.csv", "bad"], r"Expected one table and no other items"),
        (["more"], r"paths of existing files or folders.*folder:PATH for contents, or --literal"),
    ],
)
def test_the_command_line_says_what_it_cannot_read(command, reader, files, items, message):
    with pytest.raises(ktl.errors.KerasTLError, match=message):
        command("predict", reader[1], *items)


def test_the_command_line_reads_tables_and_patterns_of_images(
    command, learner, run, photos, tmp_path
):
    expected = [str(photos / "1.png"), str(photos / "0.png")]
    table = tmp_path / "table.csv"
    table.write_text("path,label\n{},red\n{},blue\n".format(*expected))
    found, _ = command("predict", run, f"csv:{table}")
    assert [row["source"] for row in found] == expected

    def read(item, literal=False):
        return read_items(learner, run, (item,), literal)

    assert [*learner.predict(read(str(table))).sources] == expected
    assert read(f"{photos}/*.png") == f"{photos}/*.png"
    assert read(f"folder:{photos}") == photos
    with pytest.raises(ConfigError, match="--literal is for texts"):
        read("a.png", literal=True)
