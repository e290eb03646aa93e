"""Features as files: the same rows, in either format, or nothing at all."""

import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

import keras_tl as ktl
from keras_tl.errors import ConfigError, DataError
from keras_tl.export.feature_files import write_features


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for number in range(70):  # more than a batch
        pixels = rng.integers(0, 255, (8, 9, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number:02}.jpg")
    return tmp_path / "photos"


def test_a_folder_to_either_format(small_learner, folder, tmp_path):
    assert ktl.save_features(small_learner, folder, path=tmp_path / "f.npy") == (70, 16)
    expected = np.load(tmp_path / "f.npy")
    assert expected.shape == (70, 16)
    assert expected.dtype == np.float32
    assert ktl.save_features(small_learner, folder, path=tmp_path / "f.parquet") == (70, 16)
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table.column_names == ["source", "features"]
    assert table["source"].to_pylist() == [str(p) for p in sorted(folder.iterdir())]
    np.testing.assert_array_equal(np.stack(table["features"].to_numpy()), expected)


def test_a_file_name_that_is_no_utf8_is_written_with_escapes(small_learner, folder, tmp_path):
    os.rename(folder / "69.jpg", os.fsencode(folder) + b"/caf\xe9.jpg")
    ktl.save_features(small_learner, folder, path=tmp_path / "f.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table["source"].to_pylist()[-1] == str(folder / r"caf\udce9.jpg")


@pytest.mark.parametrize("name", ["f.npy", "f.parquet"])
def test_a_full_disk_is_found_before_anything_is_computed(tmp_path, name):
    shape = (10**9, 10**9)  # No disk holds so many features.
    with pytest.raises(ConfigError, match=r"need .* on disk, .* more than '.*' has left"):
        write_features(tmp_path / "new" / name, iter([None]), shape, ("",) * 70)
    assert list((tmp_path / "new").iterdir()) == []


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from keras_tl.export.feature_files import write_features
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
computed = []
try:
    write_features(Path(sys.argv[1]), (computed.append(1) for _ in "a"), (70, 16), ("",) * 70)
except OSError as error:
    print(len(computed), type(error).__name__)
"""


def test_space_that_cannot_be_reserved_is_an_error_before_the_first_batch(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path / "f.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0 OSError\n")
    assert list(tmp_path.iterdir()) == []


def test_pixels_are_numbered(small_learner, tiny_data, tmp_path):
    pixels = tiny_data.split("test").images
    ktl.save_features(small_learner, pixels, path=tmp_path / "f.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table["source"].to_pylist() == [str(number) for number in range(len(pixels))]


def test_nothing_is_left_of_what_fails(small_learner, folder, tmp_path):
    with pytest.raises(ConfigError, match=r"Unknown format of features '.csv'"):
        ktl.save_features(small_learner, folder, path=tmp_path / "f.csv")
    (folder / "69.jpg").write_bytes(b"damaged")
    for name in ("f.npy", "f.parquet"):
        with pytest.raises(DataError, match=r"69\.jpg"):
            ktl.save_features(small_learner, folder, path=tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["photos"]
