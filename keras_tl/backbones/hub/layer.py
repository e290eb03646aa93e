"""A TF-Hub module as a Keras 3 layer that shares the module's own variables.

`hub.KerasLayer` is a layer of Keras 2, which Keras 3 refuses (tensorflow/tensorflow#63849).
"""

import contextlib
import re
import sys
from typing import Any

import keras
import tensorflow as tf

from keras_tl.backbones.hub.module import HubModule, Kind
from keras_tl.backbones.hub.saved_model import resources_of
from keras_tl.backbones.spec import POOLER
from keras_tl.base.keras_compat import layers_of
from keras_tl.errors import BackboneError

# Layers of a transformer: "transformer/layer_3/...", "encoder/layer_3/...",
# "transformer_layer_3/...".
_NUMBERED = re.compile(r"(?:^|/)(?:[a-z]+_)?layer_(\d+)/")

# "pooler_transform/kernel", "pooled_dense/kernel"
_OF_POOLER = re.compile(r"(?:^|/)pool(?:er|ed)")


class HubLayer(keras.layers.Layer):
    """Runs a module.

    Its variables are `keras.Variable`s that share the storage of the module's: what freezing,
    optimizers, weight files and exports see are the real ones. They belong to `parts`, a layer
    for each block, and only those that the publisher lists in `trainable_variables` can ever be
    trained.

    * It computes in float32, whatever the dtype policy: the types of a SavedModel are fixed.
    * `training=True` reaches the module while the layer is trainable, unless `moves_statistics`:
      a module cannot separate dropout from BatchNorm, so one that would move statistics is run
      with `training=False` in fine-tuning too. Its statistics are pinned, its dropout is off; its
      other variables, gamma and beta among them, are trained.
    * The module's `regularization_losses` are added to the loss in training, as published and
      without further scaling; never in evaluation, so that the validation loss is that of the task.

    Args:
        module: the module.

    Attributes:
        module: the module.
        parts: a layer for each block, named after it.
        resources: lookup tables and asset files, which an export has to track.
    """

    def __init__(self, module: HubModule, **kwargs):
        # autocast would round pixels, and cannot reach the inside of the module.
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.module = module
        # Lookup tables and asset files, which an export has to track beside the variables.
        self.resources = resources_of(module.loaded)
        self.parts = [HubPart(name, part) for name, part in _blocks(module)]
        self.built = True

    @property
    def kind(self) -> Kind:
        """What the module takes."""
        return self.module.kind

    @property
    def moves_statistics(self) -> bool:
        """Whether the module is fine-tuned with `training=False` to pin its statistics."""
        return self.module.moves_statistics

    @property
    def frozen_because(self) -> str | None:
        """Why the module cannot be trained, in a sentence; `None` if it can."""
        return self.module.frozen_because

    def call(self, inputs, training=None):
        live = bool(training) and self.trainable
        if live:
            for loss in self.module.regularization_losses:
                self.add_loss(loss())
        return self.module(inputs, training=live and not self.moves_statistics)

    def get_config(self) -> dict[str, Any]:
        raise BackboneError(
            f"The TF-Hub module {self.module.name} is a program, which a Keras configuration "
            "cannot hold. Save the learner (learner.save) or export it (learner.export)."
        )


class HubPart(keras.layers.Layer):
    """The variables of one block of a module; it computes nothing.

    Args:
        name: of the block.
        variables: each with whether it may be trained.
    """

    def __init__(self, name: str, variables: list[tuple[tf.Variable, bool]]):
        super().__init__(name=name, dtype="float32", autocast=False)
        self.shared = [_shared(variable, trainable) for variable, trainable in variables]
        self.built = True


def find_hub_layers(model: keras.Model) -> list[HubLayer]:
    """The hub layers in a model, at any depth."""
    return [layer for layer in layers_of(model) if isinstance(layer, HubLayer)]


def _shared(variable: tf.Variable, trainable: bool) -> keras.Variable:
    *scopes, name = _path(variable).split("/")
    with contextlib.ExitStack() as stack:
        for scope in scopes:
            stack.enter_context(keras.name_scope(scope))
        # Given a tf.Variable, Keras keeps it instead of making one.
        return keras.Variable(variable, trainable=trainable, name=name)


def _path(variable: tf.Variable) -> str:
    return variable.name.split(":")[0].strip("/")


def _blocks(module: HubModule) -> list[tuple[str, list[tuple[tf.Variable, bool]]]]:
    """Sorts a module's variables into blocks, from input to output.

    Those of a transformer are its embeddings, its layers by their numbers, what else comes after
    (`top`), and its pooler, which only `pooled_output` needs, with what else is never trained.
    Another module is one block, `module`.
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
