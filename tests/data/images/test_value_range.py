"""PNG files of 16 bits that hold fewer: decoded by a range of values, in every place alike."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

import keras_tl as ktl
from keras_tl.cli import cli
from keras_tl.data.images.decoder import decode_image
from keras_tl.data.images.value_range import values_in_sample
from keras_tl.errors import ConfigError
from keras_tl.preflight.checks import CHECKS
from keras_tl.preflight.context import CheckContext
from tests.conftest import export_unverified, make_small_learner
from tests.made_images import RGB, encode

TWELVE = (0, 4095)
SIDE = 16


def png_of(values):
    """A PNG file of 16 bits a value, (height, width, channels)."""
    return tf.io.encode_png(np.asarray(values, np.uint16)).numpy()


def ramp(*values):
    return np.array(values).reshape(1, -1, 1)


# The values in the file; the range; the levels that they become.
LEVELS = {
    "all": ([0, 255, 256, 65535], None, [0, 0, 1, 255]),
    "all-said": ([0, 255, 256, 65535], (0, 65535), [0, 0, 1, 255]),
    "12-bits": ([0, 15, 16, 2048, 4095], TWELVE, [0, 0, 1, 128, 255]),
    "10-bits": ([0, 3, 4, 512, 1023], (0, 1023), [0, 0, 1, 128, 255]),
    "8-bits": ([0, 1, 128, 255], (0, 255), [0, 1, 128, 255]),
    "beyond": ([4096, 65535], TWELVE, [255, 255]),
    "a-window": ([0, 999, 1000, 1500, 2000, 2001], (1000, 2000), [0, 0, 0, 127, 255, 255]),
    "two-levels": ([6, 7, 8, 9], (7, 8), [0, 0, 128, 255]),
}


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("channels", ["grey", "grey-alpha", "colours", "colours-alpha"])
def test_values_become_levels(name, channels):
    values, value_range, expected = LEVELS[name]
    parts = [ramp(*values)] * (1 if "grey" in channels else 3)
    content = png_of(np.concatenate(parts + [ramp(*values) * 0] * ("alpha" in channels), -1))
    pixels = decode_image(tf.constant(content), None, value_range).numpy()
    np.testing.assert_array_equal(pixels[0], np.repeat(np.array(expected)[:, None], 3, axis=1))


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("JPEG", {}), ("WebP", {})])
def test_files_of_8_bits_are_taken_as_they_are(kind, options):
    content = tf.constant(encode(RGB, kind, **options))
    np.testing.assert_array_equal(decode_image(content, None, TWELVE), decode_image(content))


WRONG = [(0,), (0, 1, 2), (4095, 0), (5, 5), (-1, 9), (0, 65536), (0, 1.5), (0, "9"), 4095, "12"]


@pytest.mark.parametrize("value_range", WRONG, ids=str)
def test_anything_else_than_a_range_is_refused(tmp_path, value_range):
    with pytest.raises(ConfigError, match="value_range must be two whole numbers from 0 to 65535"):
        ktl.ImageData.from_folder(tmp_path, value_range=value_range)


def pictures(seed=0, count=24):
    """(count, SIDE, SIDE) values of 12 bits, of two kinds: dark at the left, or at the right."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, 3500, SIDE)[None, None].repeat(SIDE, 1)
    made = slope + rng.integers(0, 500, (count, SIDE, SIDE))
    made[1::2] = made[1::2, :, ::-1]
    made[0, 0, :2] = 0, 4095
    return made.astype(np.uint16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("scans")
    for number, values in enumerate(pictures()):
        file = root / "lr"[number % 2] / f"{number:02}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(png_of(values[..., None]))
    return root


@pytest.fixture(scope="module")
def table(folder):
    files = sorted(folder.rglob("*.png"))
    rows = {"path": [*map(str, files)], "label": [file.parent.name for file in files]}
    frame = pd.DataFrame(rows)
    frame.to_csv(folder / "table.csv", index=False)
    return frame


def dataset(table):
    contents = [Path(path).read_bytes() for path in table.path]
    return tf.data.Dataset.from_tensor_slices((contents, [*table.label]))


SOURCES = {
    "folder": lambda folder, table, **o: ktl.ImageData.from_folder(folder, **o),
    "csv": lambda folder, table, **o: ktl.ImageData.from_csv(folder / "table.csv", **o),
    "frame": lambda folder, table, **o: ktl.ImageData.from_dataframe(table, **o),
    "tfdata": lambda folder, table, **o: ktl.ImageData.from_tfdata(dataset(table), **o),
    "unchecked": lambda folder, table, **o: ktl.ImageData.from_folder(
        folder, check_files=False, **o
    ),
}


def finding(data):
    return CHECKS["value-range"](CheckContext(data))


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_of_files_says_the_range_and_takes_it(folder, table, name):
    data = SOURCES[name](folder, table, verbose=False)
    found = finding(data)
    assert (found.name, found.severity) == ("value-range", "warning")
    assert "files have 16 bits per value. The values in them range from 0 to 4,095." in found.what
    assert "these values cover 16 of 256 grey levels: the images are dark." in found.what
    assert "value_range=(0, 4095) (--value-range 0 4095)" in found.action
    # The advice of these two would be wrong.
    assert CHECKS["pixel-range"](CheckContext(data)) is None
    given = SOURCES[name](folder, table, value_range=TWELVE, verbose=False)
    assert given.value_range == TWELVE
    assert finding(given) is None
    if name not in ("folder", "tfdata"):
        return  # The pixels of all files come from one decoder, which takes seconds to start.
    before, after = (CheckContext(part).pixels for part in (data, given))
    assert before.max() < 16
    assert after.max() > 200


def test_arrays_have_no_range():
    with pytest.raises(ConfigError, match="These images are arrays"):
        ktl.ImageData.from_arrays(pictures() // 16, [0, 1] * 12, value_range=TWELVE)


# The range that was given, and the severity and a part of what is said of values up to 4095.
SAID = {
    "dark": ((0, 16383), "warning", "With white at 16,383, these values cover 64 of 256"),
    "a-little-dark": ((0, 5000), None, ""),
    "white": ((0, 1023), "note", "Values below 0 become black, values above 1,023 become white."),
    "black": ((100, 4095), "note", "Values below 100 become black"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_range_that_does_not_fit_is_said(folder, name):
    value_range, severity, part = SAID[name]
    found = finding(ktl.ImageData.from_folder(folder, value_range=value_range, verbose=False))
    assert (found and found.severity) == severity
    assert part in (found.what if found else "")


@pytest.mark.parametrize("check", [True, False])
def test_files_of_8_bits_are_not_named_and_have_no_range(tmp_path, check):
    for number in range(12):
        file = tmp_path / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray((pictures()[number] // 16).astype(np.uint8)).save(file)
    options = {"check_files": check, "verbose": False}
    assert finding(ktl.ImageData.from_folder(tmp_path, **options)) is None
    found = finding(ktl.ImageData.from_folder(tmp_path, value_range=TWELVE, **options))
    assert found.severity == "warning"
    assert "value_range=(0, 4095) has no effect" in found.what


def test_values_of_all_16_bits_are_fine(tmp_path):
    for number in range(12):
        file = tmp_path / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(png_of(pictures()[number][..., None] * 16.0))
    assert finding(ktl.ImageData.from_folder(tmp_path, verbose=False)) is None


def test_the_file_check_counts_them_also_from_its_cache(folder):
    (folder / "l" / "damaged.png").write_bytes(png_of(pictures()[0][..., None])[:60])
    checks = [
        ktl.ImageData.from_folder(folder, max_bad=0.5, verbose=False).checked for _ in range(2)
    ]
    (folder / "l" / "damaged.png").unlink()
    assert checks[1].from_cache == 25
    for check in checks:
        assert (
            "24 of 24 files have 16 bits per value. The values in them range from 0 to 4,095."
            in (check.describe())
        )
        assert (check.values.low, check.values.high, check.values.fitting) == (0, 4095, TWELVE)
        assert check.to_json()["values"]["count"] == 24


def test_transparency_is_no_value_and_damaged_files_are_passed_over(tmp_path):
    values = np.stack([pictures()[1], np.full((SIDE, SIDE), 65535)], axis=-1)
    (tmp_path / "a.png").write_bytes(png_of(values))
    (tmp_path / "b.png").write_bytes(png_of(values)[:70])
    paths = [str(tmp_path / name) for name in ("a.png", "b.png", "none.png")]
    assert values_in_sample(paths).high == pictures()[1].max()


@pytest.mark.slow
def test_learner_run_and_export_see_the_same_pixels(folder, tmp_path):
    data = ktl.ImageData.from_folder(folder, value_range=TWELVE, resize="stretch", verbose=False)
    learner = make_small_learner(data, image_size=SIDE)
    paths = sorted(folder.rglob("*.png"))[:6]
    contents = [path.read_bytes() for path in paths]
    shown = np.stack([decode_image(tf.constant(c), None, TWELVE).numpy() for c in contents])
    expected = learner.predict(shown).probabilities
    assert np.abs(expected - learner.predict(shown // 16).probabilities).max() > 1e-3
    np.testing.assert_allclose(learner.predict(paths).probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(learner.predict(contents).probabilities, expected, atol=1e-5)
    for given in (paths, contents):
        np.testing.assert_allclose(learner.features(given), learner.features(shown), atol=1e-4)
    learner.save(tmp_path / "run")
    again = ktl.Learner.load(tmp_path / "run")
    assert again.config.value_range == TWELVE
    np.testing.assert_allclose(again.predict(paths).probabilities, expected, atol=1e-5)
    exported = tf.saved_model.load(str(export_unverified(again, tmp_path / "model")))
    found = exported.signatures["serving_default"](image_bytes=tf.constant(contents))
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    card = (tmp_path / "model" / "1" / "MODEL_CARD.md").read_text("utf-8")
    assert "16-bit values from 0 to 4095" in card


def test_the_range_is_part_of_the_cache_key(folder):
    keys = [
        make_small_learner(
            ktl.ImageData.from_folder(folder, value_range=value_range, verbose=False)
        ).trainer.parts.modality.cache_key
        for value_range in (None, TWELVE, (0, 1023))
    ]
    assert len({json.dumps(key) for key in keys}) == 3


def test_the_command_line_takes_the_range(folder):
    for command in ("train", "compare", "rank", "cross-validate"):
        assert any("--value-range" in option.opts for option in cli.commands[command].params)
    asked = ["train", "--data", f"folder:{folder}", "--check", "--json"]
    names = []
    for more in ([], ["--value-range", "0", "4095"]):
        printed = json.loads(CliRunner().invoke(cli, [*asked, *more]).stdout)
        names.append([finding["name"] for finding in printed["preflight"]["findings"]])
    assert "value-range" in names[0]
    assert "value-range" not in names[1]
