"""Columns that are kept to make groups by stay with their items."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import keras_tl as ktl
from keras_tl.data import specs
from keras_tl.errors import ConfigError, DataError

COUNT = 36


def camera_of(number):
    """What the column holds for an item, which its name tells."""
    return ["phone", "", "web cam", "1"][number % 4]


def expected(number):
    return camera_of(number) or "no value"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A table of images of three classes; one of them cannot be decoded."""
    tmp_path, rows = tmp_path_factory.mktemp("photos"), []
    for number in range(COUNT):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{'abc'[number % 3]},{camera_of(number)}")
    (tmp_path / "7.png").write_bytes(b"no image")
    (tmp_path / "t.csv").write_text("\n".join(["path,label,camera", *rows]))
    return tmp_path


@pytest.fixture
def texts(tmp_path):
    """Tables of texts and of pairs, one of them of a validation split; one text is empty."""
    lines = [
        {
            "text": "" if n == 7 else f"text {n}",
            "other": f"other {n}",
            "label": "ab"[n % 2],
            # A key that is not there is an empty cell.
            **({"camera": camera_of(n)} if camera_of(n) else {}),
        }
        for n in range(COUNT)
    ]
    for name, part in (("t", lines[:24]), ("v", lines[24:])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, part)))
    return tmp_path


def make_texts(folder, **options):
    paths = {"path": folder / "t.jsonl", "validation": folder / "v.jsonl"}
    return ktl.TextData.from_csv(**paths, **options, slices=["camera"], max_bad=0.1, verbose=False)


MAKERS = {
    "csv": lambda folder: ktl.ImageData.from_csv(
        folder / "t.csv", slices=["camera"], max_bad=0.1, verbose=False
    ),
    "frame": lambda folder: ktl.ImageData.from_dataframe(
        pd.read_csv(folder / "t.csv"), root=folder, slices=["camera"], max_bad=0.1, verbose=False
    ),
    "texts": make_texts,
    "pairs": lambda folder: make_texts(folder, text_pair="other"),
}


def number_of(source):
    source = source[1] if isinstance(source, tuple) else source
    return int(source.rpartition("/")[2].removesuffix(".png").split()[-1])


def check_aligned(splits):
    seen = [number_of(source) for split in splits for source in split.sources]
    for split in splits:
        cameras = [expected(number_of(source)) for source in split.sources]
        assert split.slices["camera"].tolist() == cameras
    return seen


@pytest.mark.parametrize("name", MAKERS)
def test_they_stay_with_their_items(request, name):
    folder = request.getfixturevalue("photos" if name in ("csv", "frame") else "texts")
    data = MAKERS[name](folder)
    assert len(data.checked.bad) == 1
    assert set(data.splits) == {"train", "validation", "test"}
    assert sorted(check_aligned(data.splits.values())) == [n for n in range(COUNT) if n != 7]
    fewer = data.subset(["b", "a"], per_class=4)
    assert len(fewer.split("train")) == 8
    check_aligned(fewer.splits.values())
    train = data.split("train")
    check_aligned([train.sample(5, seed=1), train.take(np.array([4, 2, 2]))])


def test_a_frame_may_have_any_names(photos):
    frame = pd.read_csv(photos / "t.csv").rename(columns={"camera": ("from", 1)})
    data = ktl.ImageData.from_dataframe(
        frame, root=photos, slices=[("from", 1), "label"], max_bad=1
    )
    split = data.split("test")
    assert [*split.slices] == [("from", 1), "label"]
    names = [data.class_names[label] for label in split.labels]
    assert split.slices["label"].tolist() == names


def test_a_command_line_can_ask_for_others_than_were_recorded(photos):
    spec = f"csv:{photos / 't.csv'}"
    data = specs.load_spec(spec, slices=["camera"], max_bad=0.1)
    recorded = json.loads(json.dumps(data.describe()))["source_settings"]
    assert [*specs.load_spec(spec, recorded, max_bad=0.1).split("test").slices] == ["camera"]
    again = specs.load_spec(spec, recorded, slices=["label"], max_bad=0.1)
    assert [*again.split("test").slices] == ["label"]
    # Where none are asked for, nothing is recorded of them.
    assert "slices" not in specs.load_spec(spec, max_bad=0.1).source_settings
    with pytest.raises(ConfigError, match=r"slices= \(--by\) is for csv:PATH, not for digits"):
        specs.load_spec("digits", slices=["camera"])


WRONG = {
    "text": ("camera", ConfigError, r"slices= as a list of columns, such as \['camera'\]"),
    "unknown": (["camara"], DataError, "has no column 'camara'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes(photos, name):
    slices, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        ktl.ImageData.from_csv(photos / "t.csv", slices=slices)
