"""Clean data for the checks, in which faults are planted, and a model for them."""

import dataclasses

import numpy as np
import tensorflow as tf

import keras_tl as ktl
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.preflight.context import CheckContext, CheckedModel
from tests.conftest import make_small_learner

SIDE = 16
SIZES = {"train": 120, "validation": 45, "test": 160}


def make_pictures(count, seed, side=SIDE):
    """float32 (count, side, side, 3) whole numbers in [0, 255]: soft shapes, no two alike."""
    rng = np.random.default_rng(seed)
    # As in photos, more of it is brightness than colour.
    coarse = rng.uniform(0, 255, (count, 5, 5, 1)) + rng.normal(0, 20, (count, 5, 5, 3))
    return np.round(np.clip(tf.image.resize(coarse, (side, side), "bicubic"), 0, 255))


def make_clean(classes=3):
    """Images of a few classes in three splits, with nothing to be found."""
    splits = {
        name: ImageSplit(make_pictures(count, seed), np.arange(count) % classes)
        for seed, (name, count) in enumerate(SIZES.items())
    }
    given = {name: (split.images, split.labels) for name, split in splits.items()}
    x, y = given.pop("train")
    names = [f"class {number}" for number in range(classes)]
    return ktl.ImageData.from_arrays(x, y, class_names=names, verbose=False, **given)


def changed(data, name, **fields):
    """The same data with another split of that name: other images, or other labels."""
    split = dataclasses.replace(data.splits[name], **fields)
    return dataclasses.replace(data, splits=data.splits | {name: split})


def make_learner(data, **options):
    return make_small_learner(
        data, **{"image_size": SIDE, "as_made": True, "preflight": True} | options
    )


def subject_of(learner, data):
    """Data that are looked at by a learner that was made for others like them."""
    parts = (learner.config, learner.trainer.parts, learner.trainer.parts.modality, learner.trainer)
    return CheckContext(data, CheckedModel(*parts, features="all"))
