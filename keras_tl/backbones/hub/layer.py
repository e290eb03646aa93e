"""Keras 3 layer that runs a TF-Hub module and shares the module's variables.

`tensorflow_hub.KerasLayer` is a Keras 2 layer, which Keras 3 refuses (tensorflow/tensorflow#63849).
"""

import contextlib
import re
import sys
from typing import Any

import keras
import tensorflow as tf

from keras_tl.backbones.hub.module import HubModule
from keras_tl.backbones.hub.saved_model import resources_of
from keras_tl.backbones.spec import POOLER
from keras_tl.base.keras_compat import layers_of
from keras_tl.errors import BackboneError

# Names of variables in a transformer's layers: "transformer/layer_3/...", "encoder/layer_3/...",
# "transformer_layer_3/...".
_NUMBERED = re.compile(r"(?:^|/)(?:[a-z]+_)?layer_(\d+)/")

# Names of variables in the pooler: "pooler_transform/kernel", "pooled_dense/kernel".
_OF_POOLER = re.compile(r"(?:^|/)pool(?:er|ed)")


class HubLayer(keras.layers.Layer):
    """Layer that runs a TF-Hub module.

    The variables of this layer are `keras.Variable`s that share the storage of the module's
    variables. Because of the shared storage, freezing, optimizers, weight files and exports work on
    the module's variables, not on copies. The variables belong to `parts`, which has a layer for
    each block. Only variables that the publisher lists in `trainable_variables` can be trained.

    * The layer computes in float32 under any dtype policy, because a SavedModel has fixed dtypes.
    * If the layer is trainable, training calls the module with `training=True`. A TF-Hub module has
      one `training` flag for both dropout and BatchNorm. If `training=True` would change BatchNorm
      statistics (`HubModule.moves_statistics`), the layer always calls the module with
      `training=False`. With `training=False`, BatchNorm statistics stay fixed, and dropout is off.
      The module's trainable variables, including gamma and beta, are trained in either case.
    * In training, the module's `regularization_losses` are added to the loss, as published and
      without further scaling. Evaluation does not add `regularization_losses`: the validation loss
      is the loss of the task alone.

    Args:
        module: TF-Hub module that the layer runs.

    Attributes:
        module: TF-Hub module that was given to the constructor.
        parts: Layers that hold the variables, one layer for each block, named after the block.
        resources: Lookup tables and asset files that an export must track.
    """

    def __init__(self, module: HubModule, **kwargs):
        # Under mixed precision, Keras would cast the inputs to half precision by default. But the
        # dtypes in a TF-Hub module are fixed.
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.module = module
        self.resources = resources_of(module.loaded)
        self.parts = [HubPart(name, part) for name, part in _blocks(module)]
        self.built = True

    @property
    def frozen_because(self) -> str | None:
        """Sentence that says why the module cannot be trained, or `None` if it can be trained."""
        return self.module.frozen_because

    def call(self, inputs, training=None):
        live = bool(training) and self.trainable
        if live:
            for loss in self.module.regularization_losses:
                self.add_loss(loss())
        return self.module(inputs, training=live and not self.module.moves_statistics)

    def get_config(self) -> dict[str, Any]:
        raise BackboneError(
            f"A Keras configuration cannot contain the TF-Hub module {self.module.name}, a "
            "TensorFlow program. Call learner.save() or learner.export() instead."
        )


class HubPart(keras.layers.Layer):
    """Layer that computes nothing: it holds the variables of one block of a TF-Hub module."""

    def __init__(self, name: str, variables: list[tuple[tf.Variable, bool]]):
        super().__init__(name=name, dtype="float32", autocast=False)
        self.shared = [_shared(variable, trainable) for variable, trainable in variables]
        self.built = True


def find_hub_layers(model: keras.Model) -> list[HubLayer]:
    """Return the hub layers in a model, at any depth."""
    return [layer for layer in layers_of(model) if isinstance(layer, HubLayer)]


def _shared(variable: tf.Variable, trainable: bool) -> keras.Variable:
    *scopes, name = _path(variable).split("/")
    with contextlib.ExitStack() as stack:
        for scope in scopes:
            stack.enter_context(keras.name_scope(scope))
        # `keras.Variable` uses a given tf.Variable and creates no new variable.
        return keras.Variable(variable, trainable=trainable, name=name)


def _path(variable: tf.Variable) -> str:
    return variable.name.split(":")[0].strip("/")


def _blocks(module: HubModule) -> list[tuple[str, list[tuple[tf.Variable, bool]]]]:
    """Assign a module's variables to blocks, from input to output.

    The blocks of a transformer are `embeddings`, its numbered layers, `top` (other trainable
    variables), and the pooler, which only `pooled_output` needs. A variable that is never trained
    is assigned to the pooler, unless it belongs to the embeddings or a numbered layer. A module
    that is no transformer is one block, `module`.
    """
    trainable = {id(variable) for variable in module.trainable_variables}
    numbered = [_NUMBERED.search(_path(variable)) for variable in module.variables]
    blocks = {}
    for variable, match in zip(module.variables, numbered, strict=True):
        if not any(numbered):
            place = (0, "module")
        elif match:
            place = (1 + int(match[1]), f"layer_{int(match[1])}")
        elif "embedding" in _path(variable):
            place = (0, "embeddings")
        elif _OF_POOLER.search(_path(variable)) or id(variable) not in trainable:
            place = (float("inf"), POOLER)
        else:
            place = (sys.maxsize, "top")
        blocks.setdefault(place, []).append((variable, id(variable) in trainable))
    return [(name, blocks[place, name]) for place, name in sorted(blocks)]
