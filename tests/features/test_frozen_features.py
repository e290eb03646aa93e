"""The features of all splits: weights are hashed once per change, files are read once."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import CacheError, ConfigError
from keras_tl.features import store
from keras_tl.features.fingerprints import WeightsFingerprint, weights_fingerprint
from tests.conditions import audited
from tests.conftest import make_small_learner


def everything_cheap(learner, cache):
    learner.fit_head(cache=cache)
    for split in ("train", "validation", "test"):
        learner.evaluate(split)
    learner.cross_validate(folds=3)
    learner.features(learner.data.split("test"), cache=cache)
    learner.calibrate()


def test_everything_cheap_hashes_the_weights_once_and_reads_each_file_once(tiny_data, tmp_path):
    cache = ktl.CacheConfig(folder=str(tmp_path))
    # The second learner finds the features of the first.
    for _ in range(2):
        learner = make_small_learner(tiny_data, preflight=True)
        first = learner.trainer.features.weights()
        with audited("open") as opened:
            everything_cheap(learner, cache)
        names = [Path(str(path)).name for path, mode, _ in opened if mode == "r"]
        assert names.count("features.bin") == 3
        # A second hash would be an equal text, but not the same object.
        assert learner.trainer.features.weights() is first


def test_a_change_by_the_user_is_noticed(tiny_data):
    learner = make_small_learner(tiny_data)
    before = learner.features(learner.data.split("test"), cache="memory")
    network = learner.backbone.network
    network.set_weights([2 * value for value in network.get_weights()])
    after = learner.features(learner.data.split("test"), cache="memory")
    assert np.abs(after - before).max() > 0.01


@pytest.mark.parametrize("where", ["memory", "off"])
def test_features_stay_where_an_earlier_call_put_them(tiny_data, where, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_TL_CACHE", str(tmp_path))
    learner = make_small_learner(tiny_data)
    learner.fit_head(epochs=1, cache=where)
    train = tiny_data.split("train")
    learner.features(train)
    assert learner.trainer.features.has(train) == (where == "memory")
    assert not any(tmp_path.rglob("features.bin"))
    learner.features(train, cache="auto")
    assert any(tmp_path.rglob("features.bin"))


@pytest.mark.parametrize("on_invalid", ["raise", "skip"])
def test_a_place_for_features_that_are_not_stored_is_refused(tiny_data, tmp_path, on_invalid):
    learner, test = make_small_learner(tiny_data), tiny_data.split("test")
    items = test.images if on_invalid == "raise" else test
    for cache in ("memory", "disk", ktl.CacheConfig(folder=str(tmp_path))):
        with pytest.raises(ConfigError, match="only the features of a whole split"):
            learner.features(items, cache=cache, on_invalid=on_invalid)
    for cache in ("auto", "off", None):
        assert len(learner.features(items, cache=cache, on_invalid=on_invalid)) == len(test)


@pytest.mark.parametrize("cache", ["auto", "memory", "disk", "off"])
def test_a_change_of_the_returned_array_does_not_change_the_cache(tiny_data, tmp_path, cache):
    learner = make_small_learner(tiny_data)
    config = ktl.CacheConfig(cache, folder=None if cache == "memory" else str(tmp_path))
    test = tiny_data.split("test")
    found = learner.features(test, cache=config)
    expected = found.copy()
    found += 1
    np.testing.assert_allclose(learner.features(test, cache=config), expected, rtol=1e-6)


def test_without_a_place_for_the_features_the_model_keeps_its_decision_rule(tiny_data, tmp_path):
    learner = make_small_learner(tiny_data)
    learner.fit_head(epochs=1, cache="memory")
    learner._state.set_decision_rule(dataclasses.replace(learner.config, temperature=2.0))
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), data=tiny_data, verbose=False)
    (tmp_path / "file").touch()
    cache = ktl.CacheConfig("disk", folder=str(tmp_path / "file"))
    for each in (learner, loaded):
        known = each._state.trained_with
        with pytest.raises(CacheError, match="Cannot write the feature cache"):
            each.fit_head(cache=cache)
        assert each.config.temperature == 2
        assert each._state.trained_with == known


@pytest.mark.parametrize("scale", [1.0, 1.0 + 1e-7])
def test_any_change_of_a_weight_is_another_fingerprint(tiny_data, scale):
    backbone = make_small_learner(tiny_data).backbone
    known = WeightsFingerprint(backbone)
    first = known()
    weight = backbone.weights[0]
    value = weight.numpy()
    value.flat[0] = (
        np.float32(value.flat[0] * scale)
        if scale == 1
        else np.nextafter(value.flat[0], np.float32(np.inf))
    )
    weight.assign(value)
    assert known() == weights_fingerprint(backbone)
    assert (known() == first) == (scale == 1)


def test_features_of_a_fine_tuned_backbone_are_its_own_and_not_on_disk(tiny_data, tmp_path):
    cache = ktl.CacheConfig(folder=str(tmp_path))
    learner = make_small_learner(tiny_data)
    with eagerly():
        learner.fit_head(cache=cache)
        kept = {*tmp_path.rglob("features.bin")}
        learner.fine_tune(1, learning_rate=0.01, augment=False)
        learner.fit_head(cache=cache)
    assert {*tmp_path.rglob("features.bin")} == kept
    live = learner.trainer.parts.extractor(tiny_data.split("test").images, training=False)
    np.testing.assert_allclose(
        learner.features(learner.data.split("test"), cache=cache), live, rtol=1e-4, atol=1e-5
    )
    assert not learner.trainer.features.is_original


def test_a_loaded_run_knows_that_its_backbone_was_trained(tiny_data, tmp_path):
    learner = make_small_learner(tiny_data)
    with eagerly():
        learner.fine_tune(1, augment=False)
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), data=tiny_data, verbose=False)
    assert not loaded.trainer.features.is_original


def test_the_same_settings_keep_what_is_in_memory(tiny_data):
    learner = make_small_learner(tiny_data)
    learner.fit_head(cache="memory")
    features = learner.trainer.features
    seen = []
    batches = features.batches
    features.batches = lambda split: seen.append(len(split)) or batches(split)
    learner.fit_head(cache="memory")
    assert seen == []


def test_what_is_in_memory_keeps_to_its_limit(tmp_path):
    rows = np.zeros((10, 4), np.float32)
    config = ktl.CacheConfig(folder=str(tmp_path), memory_limit=2 * rows.nbytes)
    kept = store.FeatureStore(config)
    for name in "abc":
        kept.get({"name": name}, rows.shape, lambda: [rows])
    assert len(kept._in_memory) == 2
    assert dataclasses.astuple(config) == dataclasses.astuple(kept.config)
