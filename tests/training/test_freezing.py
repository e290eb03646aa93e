"""Which blocks `unfreeze` means, and the compile that follows."""

import keras
import pytest

from keras_tl.base.config import Phase
from keras_tl.errors import ConfigError
from keras_tl.training.freezing import blocks_to_unfreeze, prepare

BLOCKS = ("stem", "block1", "block2", "top")


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (None, ()),
        ("all", BLOCKS),
        (1, ("top",)),
        (3, ("block1", "block2", "top")),
        (4, BLOCKS),
        ("block2", ("block2", "top")),
        ("stem", BLOCKS),
    ],
)
def test_blocks_from_the_head_down(which, expected):
    assert blocks_to_unfreeze(BLOCKS, which) == expected


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("block9", "Unknown block 'block9'. Did you mean 'block"),
        ("conv", "Expected one of: 'all', 'stem', 'block1', 'block2', 'top'"),
        (0, "from 1 to 4. Received: 0. The blocks are: stem, block1, block2, top."),
        (5, "Received: 5"),
        (True, "Received: True"),
        (1.5, "Received: 1.5"),
    ],
)
def test_others_are_refused(which, message):
    with pytest.raises(ConfigError, match=message):
        blocks_to_unfreeze(BLOCKS, which)


def test_a_wrong_block_is_said_before_anything_is_trained(small_learner):
    with pytest.raises(ConfigError, match="Unknown block 'nowhere'"):
        small_learner.fine_tune(unfreeze="nowhere")
    assert small_learner.history == ()


def test_preparing_compiles_with_what_is_trainable(small_learner):
    model, backbone = small_learner.model, small_learner.backbone
    for which, count in ((None, 2), (1, 4), ("all", 8), (None, 2)):
        phase = Phase("p", epochs=1, learning_rate=0.1, unfreeze=which)
        prepare(model, backbone, phase, steps=1, task=small_learner.task)
        model.optimizer.build(model.trainable_variables)
        assert len(model.trainable_variables) == count
        assert isinstance(model.loss, keras.losses.SparseCategoricalCrossentropy)
        assert model.jit_compile is False
