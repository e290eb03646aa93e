"""The conformance suite on every backbone of the catalogue, and on models of a user's own."""

import keras

from keras_tl.backbones import CATALOGUE
from keras_tl.testing import CASES, Case, parametrize_with_checks


def small_network_with_batch_norm():
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="first_norm")(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(inputs, keras.layers.Conv2D(16, 3, name="second")(x), name="small")


OWN = Case(small_network_with_batch_norm, preprocess="tf")


def test_every_backbone_has_a_row():
    assert sorted(case.name for case in CASES) == sorted(CATALOGUE)


@parametrize_with_checks([*CASES, OWN])
def test_backbone(case, check, tmp_path):
    check(case, tmp_path)
