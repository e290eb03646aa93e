"""Private names of Keras and TensorFlow, in the installed versions."""

import keras
import pytest
import tensorflow as tf

from keras_tl.base.keras_compat import graph_nodes, handle_of


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


def functional():
    inputs = keras.Input((2,))
    return keras.Model(inputs, keras.layers.Dense(1, name="dense")(inputs))


def sequential():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])


@pytest.mark.parametrize(
    ("made", "layers"),
    [(functional, ["dense"]), (sequential, ["dense"]), (Subclassed, []), (keras.Sequential, [])],
)
def test_the_nodes_of_every_kind_of_model(made, layers):
    names = [node.operation.name for node in graph_nodes(made())]
    assert [name for name in names if name == "dense"] == layers
    assert bool(names) == bool(layers)


def test_the_handle_of_a_variable_is_what_a_function_captures():
    variable = tf.Variable(1.0)
    function = tf.function(lambda: variable + 1, autograph=False)
    trace = function.get_concrete_function()
    assert [outside is handle_of(variable) for outside, _ in trace.graph.captures] == [True]
