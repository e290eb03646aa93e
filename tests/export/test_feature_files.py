"""Features as files: the same rows, in either format, or nothing at all."""

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from keras_tl.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for number in range(70):  # more than a batch
        pixels = rng.integers(0, 255, (8, 9, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number:02}.png")
    return tmp_path / "photos"


def test_a_folder_to_either_format(small_learner, folder, tmp_path):
    expected = small_learner.features(folder)
    assert expected.shape == (70, 16)
    assert expected.dtype == np.float32
    assert small_learner.save_features(folder, tmp_path / "f.npy") == (70, 16)
    np.testing.assert_array_equal(np.load(tmp_path / "f.npy"), expected)
    assert small_learner.save_features(folder, tmp_path / "f.parquet") == (70, 16)
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table.column_names == ["source", "features"]
    assert table["source"].to_pylist() == [str(p) for p in sorted(folder.iterdir())]
    np.testing.assert_array_equal(np.stack(table["features"].to_numpy()), expected)


def test_pixels_are_numbered(small_learner, tiny_data, tmp_path):
    pixels = tiny_data.split("test").images
    small_learner.save_features(pixels, tmp_path / "f.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table["source"].to_pylist() == [str(number) for number in range(len(pixels))]


def test_nothing_is_left_of_what_fails(small_learner, folder, tmp_path):
    with pytest.raises(ConfigError, match=r"Unknown format of features '.csv'"):
        small_learner.save_features(folder, tmp_path / "f.csv")
    (folder / "69.png").write_bytes(b"damaged")
    for name in ("f.npy", "f.parquet"):
        with pytest.raises(DataError, match=r"69\.png"):
            small_learner.save_features(folder, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["photos"]
