"""Times are measured on items of all classes, also if the data are sorted by class."""

import contextlib
import types

import numpy as np
import pytest

from keras_tl.base.config import Phase
from keras_tl.training.timing import rehearse, seconds_an_item
from tests.conftest import make_tiny_data


class WithoutTraining:
    """A trainer that only remembers the items on which times are measured."""

    seed = 0

    def __init__(self):
        self.seen = []
        self.features = types.SimpleNamespace(batches=self.batches)

    def batches(self, split):
        self.seen.append(split)
        return iter([np.zeros((len(split), 1))])

    @contextlib.contextmanager
    def trial(self):
        yield self

    def run(self, phase, data, augment, callbacks):
        self.seen.append(data.split("train"))
        for batch in range(3):
            for callback in callbacks:
                callback.on_train_batch_end(batch, {})


@pytest.mark.parametrize("batch_size", [1, 2, 1000])
def test_a_rehearsal_has_items_of_all_classes(batch_size):
    data, trainer = make_tiny_data(per_class=40), WithoutTraining()
    labels = data.split("train").labels
    assert np.all(np.diff(labels) >= 0)
    phase = Phase("short", epochs=1, learning_rate=1e-3, unfreeze="all", batch_size=batch_size)
    assert rehearse(trainer, data, phase, False, item=0.5).item == 0.5
    (few,) = trainer.seen
    assert len(few) == min(6 * batch_size, len(labels))
    assert np.unique(few.labels).tolist() == [0, 1, 2]


def test_the_time_of_an_item_is_that_of_items_of_all_classes():
    train, trainer = make_tiny_data(per_class=80).split("train"), WithoutTraining()
    assert np.unique(train.labels[:50]).tolist() == [0]
    assert seconds_an_item(trainer, train) >= 0
    assert len(trainer.seen) == 3
    assert np.unique(trainer.seen[0].labels).tolist() == [0, 1, 2]
