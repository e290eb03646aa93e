"""The feature cache: found again when nothing changed, never when anything did."""

import functools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.backbones.loading import seeded
from keras_tl.base.config import CacheConfig, HeadConfig
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import CacheError
from keras_tl.features.store import Features, FeatureStore
from tests.conftest import make_small_learner, make_tiny_data, small_network

MADE_FROM = {"images": "a", "weights": "b"}
ROWS = np.random.default_rng(0).normal(size=(10, 2, 3)).astype(np.float32)


class Counter:
    """Gives the rows in two batches and counts how often it was asked."""

    def __init__(self, rows=ROWS):
        self.rows, self.asked = rows, 0

    def __call__(self):
        self.asked += 1
        yield self.rows[:4]
        yield self.rows[4:]


@pytest.mark.parametrize("where", ["auto", "disk", "memory"])
def test_rows_come_back_as_they_were(tmp_path, where):
    folder = None if where == "memory" else str(tmp_path)
    cache = FeatureStore(CacheConfig(where, folder=folder))
    compute = Counter()
    for _ in range(2):
        features = cache.get(MADE_FROM, ROWS.shape, compute)
        np.testing.assert_array_equal(features.read(np.array([7, 0, 7])), ROWS[[7, 0, 7]])
    assert compute.asked == 1
    assert (features.rows is None) == (where == "disk")
    assert any(tmp_path.rglob("features.bin")) == (where != "memory")


def test_large_features_stay_on_disk(tmp_path):
    cache = FeatureStore(CacheConfig(folder=str(tmp_path), memory_limit=ROWS.nbytes - 1))
    assert cache.get(MADE_FROM, ROWS.shape, Counter()).rows is None


@pytest.mark.parametrize("changed", ["images", "weights", "something new"])
def test_anything_changed_is_another_entry(tmp_path, changed):
    cache = FeatureStore(CacheConfig(folder=str(tmp_path)))
    cache.get(MADE_FROM, ROWS.shape, Counter())
    compute = Counter()
    cache.get(MADE_FROM | {changed: "other"}, ROWS.shape, compute)
    assert compute.asked == 1


def test_an_interrupted_extraction_leaves_nothing(tmp_path):
    def fails():
        yield ROWS[:4]
        raise RuntimeError("power cut")

    cache = FeatureStore(CacheConfig(folder=str(tmp_path)))
    with pytest.raises(RuntimeError, match="power cut"):
        cache.get(MADE_FROM, ROWS.shape, fails)
    assert list((tmp_path / "features").iterdir()) == []


def test_a_truncated_entry_is_computed_again(tmp_path):
    cache = FeatureStore(CacheConfig(folder=str(tmp_path)))
    cache.get(MADE_FROM, ROWS.shape, Counter())
    (file,) = tmp_path.rglob("features.bin")
    os.truncate(file, 100)
    compute = Counter()
    cache = FeatureStore(CacheConfig(folder=str(tmp_path)))
    features = cache.get(MADE_FROM, ROWS.shape, compute)
    assert compute.asked == 1
    np.testing.assert_array_equal(features.read(np.arange(10)), ROWS)


def test_a_wrong_number_of_rows_is_refused(tmp_path):
    cache = FeatureStore(CacheConfig(folder=str(tmp_path)))
    with pytest.raises(CacheError, match=r"Expected features of 10 items\. Received features of 9"):
        cache.get(MADE_FROM, ROWS.shape, Counter(ROWS[:9]))


def test_the_folder_keeps_to_its_limit(tmp_path):
    config = CacheConfig(folder=str(tmp_path), folder_limit=int(2.5 * ROWS.nbytes))
    cache = FeatureStore(config)
    seen = set()
    for number in range(3):
        cache.get({"entry": number}, ROWS.shape, Counter())
        (newest,) = set(tmp_path.glob("features/*")) - seen
        os.utime(newest, (number, number))
        seen = set(tmp_path.glob("features/*"))
    asked = []
    for number in (1, 2, 0):
        compute = Counter()
        FeatureStore(config).get({"entry": number}, ROWS.shape, compute)
        asked.append(compute.asked)
    assert asked == [0, 0, 1]


@pytest.mark.parametrize("where", ["auto", "disk"])
def test_files_of_others_in_the_folder_are_passed_over(tmp_path, where):
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "notes.txt").write_text("not features")
    (folder / "gone").symlink_to(folder / "nowhere")
    config = CacheConfig(where, folder=str(tmp_path), folder_limit=1)
    for number in range(2):
        features = FeatureStore(config).get({"entry": number}, ROWS.shape, Counter())
        np.testing.assert_array_equal(features.read(np.arange(10)), ROWS)
    assert (folder / "notes.txt").read_text() == "not features"
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("call", ["iterdir", "utime"])
def test_another_process_may_delete_features_at_any_moment(tmp_path, monkeypatch, call):
    config = CacheConfig(folder=str(tmp_path))
    FeatureStore(config).get({"entry": "old"}, ROWS.shape, Counter())
    (old,) = tmp_path.glob("features/*")

    def deleting(owner, name):
        original = getattr(owner, name)

        def changed(*args, **options):
            found = original(*args, **options)
            found = iter(list(found)) if name == "iterdir" else found
            monkeypatch.setattr(owner, name, original)
            shutil.rmtree(old)
            return found

        monkeypatch.setattr(owner, name, changed)

    deleting(Path if call == "iterdir" else os, call)
    compute = Counter()
    asked = {"entry": "new" if call == "iterdir" else "old"}
    features = FeatureStore(config).get(asked, ROWS.shape, compute)
    assert compute.asked == 1
    np.testing.assert_array_equal(features.read(np.arange(10)), ROWS)


def test_features_that_training_reads_from_the_disk_are_not_deleted(tmp_path):
    config = CacheConfig("disk", folder=str(tmp_path), folder_limit=int(1.5 * ROWS.nbytes))
    FeatureStore(config).get({"entry": "of another run"}, ROWS.shape, Counter())
    cache = FeatureStore(config)
    train, validation = (cache.get({"entry": x}, ROWS.shape, Counter()) for x in "tv")
    for features in (train, validation):
        np.testing.assert_array_equal(features.read(np.arange(10)), ROWS)
    assert len(list(tmp_path.glob("features/*"))) == 2


def test_no_room_is_said_before_anything_is_written(tmp_path):
    cache = FeatureStore(CacheConfig(folder=str(tmp_path)))
    with pytest.raises(CacheError, match=r"need .* GiB on disk, .* GiB more than .*cache='off'"):
        cache.get(MADE_FROM, (10**15,), Counter())
    assert list((tmp_path / "features").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    cache = FeatureStore(CacheConfig(folder=str(tmp_path / "file")))
    with pytest.raises(CacheError, match=r"Cannot write the feature cache.*KERAS_TL_CACHE"):
        cache.get(MADE_FROM, ROWS.shape, Counter())


def test_batches_hold_every_row_with_its_label():
    features = Features(ROWS.shape, rows=ROWS)
    labels = np.arange(10)
    orders = []
    for seed in (0, 0, 1, None):
        batches = list(features.dataset(labels, 4, seed).as_numpy_iterator())
        for rows, chosen in batches:
            np.testing.assert_array_equal(rows, ROWS[chosen])
        orders.append(np.concatenate([chosen for _, chosen in batches]).tolist())
        assert sorted(orders[-1]) == list(range(10))
    assert orders[0] == orders[1] != orders[2]
    assert orders[3] == list(range(10))


def images_in(folder, seed=0):
    rng = np.random.default_rng(seed)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(6):
            pixels = rng.integers(0, 255, (20, 20, 3)).astype(np.uint8)
            (folder / name / f"{number}.jpg").write_bytes(tf.io.encode_jpeg(pixels).numpy())
    return folder


def runs_of_backbone(learner, ask, batches):
    """How many images go through the backbone for an answer, which gives these batches."""
    seen = []
    learner.trainer.features.batches = lambda split: seen.append(len(split)) or batches(split)
    with eagerly():
        ask(learner)
    return sum(seen)


# The first block only: it stands for all.
USUAL = {
    "image_size": 32,
    "preprocess": "tf",
    "precision": "float32",
    "seed": 0,
    "output_block": "first",
}


@functools.cache
def network():
    with seeded(0):
        return small_network()


def learner_of_photos(folder, resize="crop", backbone=None, **options):
    data = ktl.ImageData.from_folder(folder, validation_split=0, test_split=0, resize=resize)
    return ktl.Learner(backbone or network(), data, verbose=False, **(USUAL | options))


def runs_on_photos(folder, cache, **options):
    learner = learner_of_photos(folder, **options)
    shape = learner.trainer.parts.extractor.output_shape[1:]

    def batches(split):
        # Only their number is read, and a data set of files takes seconds to start.
        yield np.zeros((len(split), *shape), np.float32)

    def ask(learner):
        learner.features(learner.data.split("train"), cache=cache)

    return runs_of_backbone(learner, ask, batches)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Photos, and what their first run leaves in the cache."""
    folder = tmp_path_factory.mktemp("first")
    photos, cache = images_in(folder / "photos"), folder / "cache"
    learner, config = learner_of_photos(photos), CacheConfig(folder=str(cache))
    # Asking for features finds what training has kept.
    batches = learner.trainer.features.batches
    assert runs_of_backbone(learner, lambda x: x.fit_head(epochs=1, cache=config), batches) == 12
    shutil.copytree(photos, folder / "as they were")
    return photos, cache


@pytest.fixture
def photos_and_cache(first_run, tmp_path):
    """The same, to be changed."""
    photos, cache = first_run
    shutil.rmtree(photos)
    shutil.copytree(photos.parent / "as they were", photos)
    return photos, CacheConfig(folder=str(shutil.copytree(cache, tmp_path / "cache")))


def change_nothing(folder):
    pass


def change_content(folder):
    file = folder / "cat" / "0.jpg"
    file.write_bytes((folder / "cat" / "1.jpg").read_bytes())


def touch(folder):
    os.utime(folder / "cat" / "0.jpg", (1, 1))


def rename(folder):
    (folder / "cat" / "0.jpg").rename(folder / "cat" / "0b.jpg")


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (change_nothing, {}, 0),
        (change_content, {}, 12),
        (touch, {}, 12),
        (rename, {}, 12),
        (change_nothing, {"image_size": 40}, 12),
        (change_nothing, {"resize": "stretch"}, 12),
        (change_nothing, {"precision": "mixed_bfloat16"}, 12),
        (change_nothing, {"head": HeadConfig(pooling="max")}, 12),
        (change_nothing, {"output_block": "second"}, 12),
        (change_nothing, {"seed": 5}, 0),
        (change_nothing, {"head": HeadConfig(hidden=(4,))}, 0),
    ],
)
def test_the_learner_knows_when_features_still_hold(photos_and_cache, change, options, expected):
    photos, cache = photos_and_cache
    change(photos)
    assert runs_on_photos(photos, cache, **options) == expected


def test_other_weights_give_other_features(photos_and_cache):
    photos, cache = photos_and_cache
    named = {"backbone": "efficientnet_lite0", "preprocess": None, "output_block": "block1"}
    ran = [runs_on_photos(photos, cache, **named, weights=w) for w in ("imagenet", None)]
    assert ran == [12, 12]
    assert runs_on_photos(photos, cache, **named) == 0


def test_a_full_hash_survives_touching_but_no_change_of_content(tmp_path):
    folder = images_in(tmp_path / "photos")
    cache = CacheConfig(folder=str(tmp_path / "cache"), full_hash=True)
    ran = []
    for change in (touch, change_content, change_nothing):
        ran.append(runs_on_photos(folder, cache))
        change(folder)
    assert ran == [12, 0, 12]


def test_augmentation_is_never_cached(tmp_path):
    learner = make_small_learner(make_tiny_data())
    cache = CacheConfig(folder=str(tmp_path))
    with eagerly():
        record = learner.fit_head(epochs=1, augment=True, cache=cache)
    assert not record.cached
    # The head began at the optimum of the images as they are.
    splits = learner.data.splits.values()
    live = [
        np.asarray(learner.trainer.parts.extractor(x.images, training=False)).ravel()
        for x in splits
    ]
    for file in tmp_path.rglob("features.bin"):
        kept = np.fromfile(file, np.float32)
        of_one_size = [rows for rows in live if rows.shape == kept.shape]
        assert any(np.allclose(kept, rows, rtol=1e-4, atol=1e-5) for rows in of_one_size)
