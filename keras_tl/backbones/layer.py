"""Keras layer that holds a pretrained network and controls the network's training mode.

In Keras 3, `fit` passes `training=True` to all layers of a functional model, even to a layer that
was called with `training=False` (keras-team/keras#20285). With `training=True`, the BatchNorm
statistics of an unfrozen backbone would change, and the pretrained features would be lost. To
prevent this loss, `Backbone.call` passes an explicit `training` value to the inner network. Code
outside the layer cannot override the `training` value of the inner network.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import keras

from keras_tl.base.keras_compat import layers_of, own_variables
from keras_tl.errors import BackboneError

if TYPE_CHECKING:
    from keras_tl.backbones.texts import TextPreprocessor

# Largest BatchNorm momentum in the mode "live". Keras's default, 0.99, suits only long training:
# after 100 steps, the initial value 1 still has a weight of 0.37 in each moving variance. With this
# weight, the network's outputs in validation would differ from its outputs in training.
LIVE_MOMENTUM = 0.9


@keras.saving.register_keras_serializable("keras_tl")
class Backbone(keras.layers.Layer):
    """Keras layer that holds a pretrained network.

    * Frozen (`trainable=False`): the whole network runs in inference mode, without dropout and
      stochastic depth. Features from a frozen backbone are the same in training and in the cache.
    * Unfrozen: dropout and stochastic depth are active in training. In training, BatchNorm layers
      use their moving statistics, which stay fixed. BatchNorm's gamma and beta can be trained. Only
      `unfreeze(..., batch_norm="live")`, meant for random weights, updates the moving statistics.

    TF-Hub modules cannot follow all rules for frozen and unfrozen backbones, see
    `keras_tl.backbones.hub.HubLayer`. For a TF-Hub module, `batch_norm` of `unfreeze` has no
    effect.

    Args:
        network: Network with its preprocessing. The network maps pixels in [0, 255], float32
            (batch, height, width, 3), to feature maps (batch, h, w, c). Text encoders and some
            TF-Hub modules take other inputs than pixels.
        blocks: Name and layers of each block, from input to output. Each layer of a block must be
            in `leaf_layers(network)`. Layers in different nested models may have the same name.

    Attributes:
        network: Network with its preprocessing, as given to the constructor.
        source: Value of `ModelConfig.backbone`: a name in the catalogue, a TF-Hub module, a
            KerasHub preset, a language model, or a user's own network.
        weights_source: Source of the weights: `"imagenet"`, a path, or a source such as
            `"run:PATH"`. `None` means that the weights are random.
        output_block: Name of the block after which the network was cut, or `None` if the network
            was not cut.
        architecture: Keras configuration of the network before it was cut, or `None` if the network
            comes from a `BackboneSpec` or a TF-Hub module.
        module: Folder of the TF-Hub module in the network, or `None` if the network contains no
            TF-Hub module.
        preprocessor: Object that converts texts to the network's tokens, or `None` if the network
            takes images or strings.
        longest: Largest number of tokens per text that the network can read. `None`: unknown.
        identity: Text that identifies the network's graph in the keys of the feature cache.
        ancestry: Records of earlier trainings of the weights, latest first, see
            `keras_tl.runs.ancestry`.

    Example:
        >>> learner.backbone.trainable, learner.backbone.network.output_shape[-1]
        (False, 16)
    """

    source: str = ""
    weights_source: str | None = None
    output_block: str | None = None
    architecture: dict[str, Any] | None = None
    module: Path | None = None
    preprocessor: "TextPreprocessor | None" = None
    longest: int | None = None
    identity: str = ""
    ancestry: tuple[dict[str, Any], ...] = ()

    def __init__(
        self,
        network: keras.Model,
        blocks: list[tuple[str, list[keras.layers.Layer]]],
        name: str = "backbone",
        **kwargs,
    ):
        # Autocast would round the pixels to half precision before the preprocessing.
        super().__init__(name=name, autocast=False, **kwargs)
        self.network = network
        places = {id(layer): place for place, layer in enumerate(leaf_layers(network))}
        # Store positions instead of layers: Keras would track lists of layers, and save their
        # weights twice.
        self._blocks = [(name, [places[id(layer)] for layer in layers]) for name, layers in blocks]
        self.trainable = False

    def set_facts(self, **facts: Any) -> Self:
        """Set attributes (any of `source`, `weights_source`, ..., `ancestry`). Return `self`."""
        # Bypass Keras's tracking: it would put the preprocessor into checkpoints and exports.
        vars(self).update(facts)
        return self

    @property
    def facts(self) -> dict[str, Any]:
        """Values of all attributes that `set_facts` can set, by name."""
        return {name: getattr(self, name) for name in _FACTS}

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(height, width) of the network's input pixels, or `None` if the network takes texts.

        Example:
            >>> learner.backbone.image_size
            (16, 16)
        """
        given = self.network.input
        takes_pixels = isinstance(given, keras.KerasTensor) and len(given.shape) == 4
        return tuple(given.shape[1:3]) if takes_pixels else None

    @property
    def config_fields(self) -> dict[str, Any]:
        """Values of those fields of `ModelConfig` that describe the backbone, by field name."""
        return {
            "backbone": self.source,
            "image_size": self.image_size,
            "output_block": self.output_block,
            "architecture": self.architecture,
            "sequence_length": self.preprocessor and self.preprocessor.sequence_length,
        }

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks, from input to output.

        Example:
            >>> learner.backbone.blocks[-1]
            'second'
        """
        return tuple(name for name, _ in self._blocks)

    def block_layers(self, block: str) -> list[keras.layers.Layer]:
        """Return the leaf layers of one block."""
        leaves = leaf_layers(self.network)
        return [leaves[place] for place in dict(self._blocks)[block]]

    def leave_out(self, block: str) -> None:
        """Remove a block whose output the head does not use, so that the block is never trained."""
        self._blocks = [(name, places) for name, places in self._blocks if name != block]

    @property
    def trainable(self) -> bool:
        """Whether any part of the network may be trained."""
        return super().trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in layers_of(self.network) if value else ():
            reason = getattr(layer, "frozen_because", None)
            if reason is not None:
                raise BackboneError(reason)
        keras.layers.Layer.trainable.fset(self, value)
        self._batch_norm_mode = "affine"
        self._set_blocks(self.blocks if value else ())

    def unfreeze(self, blocks: tuple[str, ...], batch_norm: str = "affine") -> None:
        """Make the given blocks trainable, and freeze all other blocks.

        Compile the Keras model after you call `unfreeze`. `keras_tl.training.freezing.prepare`
        unfreezes blocks and compiles the model.

        Args:
            blocks: Names of the blocks. An empty tuple freezes the whole network.
            batch_norm: Mode of the BatchNorm layers in the given blocks. `"affine"`: gamma and beta
                are trained. `"frozen"`: gamma and beta are fixed. `"live"`: gamma and beta are
                trained, and training normalises with the statistics of the batch. In the mode
                `"live"`, training also updates the moving statistics (momentum at most 0.9).
        """
        self.trainable = bool(blocks)
        self._batch_norm_mode = batch_norm
        self._set_blocks(blocks)
        for layer in self._batch_norms():
            if batch_norm == "frozen":
                _set_trainable(layer, False)
            if batch_norm == "live":
                layer.momentum = min(layer.momentum, LIVE_MOMENTUM)

    def _set_blocks(self, blocks: tuple[str, ...]) -> None:
        self._unfrozen = tuple(blocks)
        chosen = {id(layer) for block in blocks for layer in self.block_layers(block)}
        for layer in leaf_layers(self.network):
            _set_trainable(layer, id(layer) in chosen)
        self._pin_statistics()

    def _pin_statistics(self) -> None:
        """Put BatchNorm layers into inference mode, except in the mode `"live"`.

        A BatchNorm layer updates its statistics only while the layer's `trainable` is true. The
        flags `trainable` of the variables stay unchanged: these flags decide which variables are
        optimized.
        """
        for layer in () if self._batch_norm_mode == "live" else self._batch_norms():
            if layer.trainable:
                flags = [variable.trainable for variable in layer.weights]
                layer.trainable = False
                for variable, flag in zip(layer.weights, flags, strict=True):
                    variable.trainable = flag

    def _batch_norms(self) -> list[keras.layers.BatchNormalization]:
        layers = layers_of(self.network, include_self=False)
        return [x for x in layers if isinstance(x, keras.layers.BatchNormalization)]

    def call(self, inputs, training=None):
        # User code may have set `trainable` of an inner layer since the last call.
        self._pin_statistics()
        return self.network(inputs, training=bool(training) and self.trainable)

    def compute_output_spec(self, inputs, training=None):
        # Keras's default `compute_output_spec` would guess the dtypes of the outputs. The network
        # may return a dict.
        return self.network.compute_output_spec(inputs)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "network": keras.saving.serialize_keras_object(self.network),
            "blocks": self._blocks,
            "unfrozen": list(self._unfrozen),
            "batch_norm": self._batch_norm_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Backbone":
        config = dict(config)
        network = keras.saving.deserialize_keras_object(config.pop("network"))
        # Restore the trainable flags: a saved optimizer has a state for each trainable variable.
        unfrozen, batch_norm = config.pop("unfrozen"), config.pop("batch_norm")
        leaves = leaf_layers(network)
        blocks = [(name, [leaves[n] for n in places]) for name, places in config.pop("blocks")]
        backbone = cls(network, blocks, **config)
        backbone.unfreeze(tuple(unfrozen), batch_norm)
        return backbone


_FACTS = tuple(Backbone.__annotations__)


def leaf_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a network that hold no other layers, in the order of the graph.

    If a layer has the attribute `parts`, as `HubLayer` does, the parts are listed in its place.
    """
    return [path[-1] for path in leaf_paths(network)]


def leaf_paths(network: keras.Model) -> list[tuple[keras.layers.Layer, ...]]:
    """Return the path to each leaf layer: the nested models around the layer, then the layer."""
    paths = {}
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            inner = [(layer, *path) for path in leaf_paths(layer)]
        else:
            inner = [(part,) for part in getattr(layer, "parts", [layer])]
        for path in inner:
            paths.setdefault(id(path[-1]), path)
    return list(paths.values())


def _set_trainable(layer: keras.layers.Layer, value: bool) -> None:
    # If `layer.trainable` already equals `value`, Keras does not set `trainable` of the layer's
    # variables. Set `trainable` of the variables here, because `_pin_statistics` changes only
    # `trainable` of layers.
    for part in layers_of(layer):
        part.trainable = value
        for variable in own_variables(part):
            variable.trainable = value
