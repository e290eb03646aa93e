"""Batches of equally many items of each class, drawn anew in every epoch."""

import numpy as np
import pytest

from keras_tl.data.images.image_pipeline import ImagePipeline
from keras_tl.training.class_batches import ClassBatches, class_batches

# Items of each class, batch size, replicas; classes and items a class in a replica's share.
PLANS = {
    "two-classes": ([8, 8], 16, 1, 2, 8),
    "unequal": ([40, 3], 16, 1, 2, 8),
    "fewer-than-fit": ([3, 3, 3], 32, 1, 3, 3),
    "one-a-class": ([1, 1, 1], 32, 1, 3, 2),
    "left-over": ([9] * 6, 32, 1, 6, 5),
    "many-classes": ([5] * 20, 32, 1, 8, 4),
    "smallest": ([5] * 3, 4, 1, 2, 2),
    "small-and-odd": ([5] * 3, 7, 1, 2, 3),
    "two-replicas": ([9] * 6, 32, 2, 4, 4),
    "an-absent-class": ([6, 0, 6], 16, 1, 2, 6),
}


def labels_of(counts):
    return np.repeat(np.arange(len(counts)), counts)


@pytest.mark.parametrize("name", PLANS)
def test_each_share_has_equally_many_items_of_each_of_its_classes(name):
    counts, batch_size, replicas, classes, items = PLANS[name]
    labels = labels_of(counts)
    plan = ClassBatches(labels, batch_size, replicas, seed=0)
    rows = plan.rows(0)
    assert rows.shape == (plan.count, plan.size) == (plan.count, replicas * classes * items)
    assert plan.size <= batch_size
    for share in rows.reshape(plan.count * replicas, -1):
        numbers, found = np.unique(labels[share], return_counts=True)
        assert (len(numbers), set(found)) == (classes, {items})
        for number in numbers:
            drawn = share[labels[share] == number]
            assert len(set(drawn)) == min(items, counts[number])


@pytest.mark.parametrize("name", PLANS)
def test_items_of_a_class_are_drawn_equally_often(name):
    counts, batch_size, replicas, *_ = PLANS[name]
    labels = labels_of(counts)
    often = np.bincount(ClassBatches(labels, batch_size, replicas, 0).rows(3).ravel())
    for number in np.unique(labels):
        assert np.ptp(often[labels == number]) <= 1


def test_an_epoch_has_every_item_and_at_least_ten_batches():
    for count, expected in ((16, 10), (320, 10), (321, 11), (1000, 32)):
        labels = np.arange(count) % 2
        plan = ClassBatches(labels, 32, 1, 0)
        assert plan.count == expected
        assert set(plan.rows(0).ravel()) == set(range(count))


def test_a_seed_and_an_epoch_fix_the_rows():
    plan = ClassBatches(labels_of([9, 9]), 8, 1, seed=5)
    assert np.array_equal(plan.rows(2), plan.rows(2))
    assert not np.array_equal(plan.rows(2), plan.rows(3))
    assert not np.array_equal(plan.rows(2), ClassBatches(plan.labels, 8, 1, seed=6).rows(2))


def test_the_dataset_gives_what_was_drawn_and_another_draw_next_time(tiny_data):
    split = tiny_data.split("train")
    # Pixels that tell the row.
    pipeline = ImagePipeline((32, 32), "stretch")
    batches = class_batches(pipeline, split, 12, 1, seed=4)
    plan = ClassBatches(split.labels, 12, 1, seed=4)
    assert int(batches.cardinality()) == plan.count
    for epoch in range(2):
        for rows, (pixels, labels) in zip(plan.rows(epoch), batches, strict=True):
            np.testing.assert_array_equal(labels, split.labels[rows])
            np.testing.assert_allclose(pixels, split.images[rows], rtol=1e-6)
