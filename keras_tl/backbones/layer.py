"""Layer that holds a backbone and decides how the inner network runs.

Keras 3's `fit` passes `training=True` down a functional model. It overrides a `training=False`
given when the model was built (keras-team/keras#20285). The BatchNorm statistics of an unfrozen
backbone then move, and the pretrained features are lost. Here `call` runs the inner network with an
explicit value, which nothing outside can override.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import keras

from keras_tl.base.keras_compat import layers_of, own_variables
from keras_tl.errors import BackboneError

if TYPE_CHECKING:
    from keras_tl.backbones.texts import TextPreprocessor

# Largest momentum of live moving statistics. Keras's default, 0.99, is for long training. After 100
# steps, more than a third of a moving variance is still its initial 1. The network then behaves
# differently in validation than in training.
LIVE_MOMENTUM = 0.9


@keras.saving.register_keras_serializable("keras_tl")
class Backbone(keras.layers.Layer):
    """Pretrained network inside a model.

    * Frozen (`trainable=False`): the whole network runs in inference mode, without dropout and
      stochastic depth. So cached features equal features computed during training.
    * Unfrozen: dropout and stochastic depth are active in training. BatchNorm layers still use
      their moving statistics, which never change. Their gamma and beta can be trained. Only
      `unfreeze(..., batch_norm="live")`, for random weights, lets the statistics move.

    A network with a TF-Hub module follows these rules as far as the module can, see
    `keras_tl.backbones.hub.HubLayer`. `batch_norm` has no effect inside a module.

    Args:
        network: Network with its preprocessing, from pixels in [0, 255], float32 (batch, height,
            width, 3), to feature maps (batch, h, w, c). TF-Hub modules and text encoders take other
            inputs.
        blocks: Names and layers of the blocks, from input to output. The layers are among
            `leaf_layers`. Layers of nested models may have equal names.

    Attributes:
        network: The argument `network`.
        source: Name in `ModelConfig.backbone`: a name of the catalogue, a TF-Hub module, a KerasHub
            preset, a language model, or a user's own network.
        weights_source: Source of the weights: `"imagenet"`, a path, or a source such as
            `"run:PATH"`. `None`: the weights are random.
        output_block: Block after which the network is cut. `None`: the network is whole.
        architecture: Keras configuration of the uncut network, if it is not from the catalogue.
        module: Folder of a TF-Hub module.
        preprocessor: Preprocessor of texts. `None`: the network takes images or strings.
        longest: Largest number of tokens that the network has positions for. `None`: unknown.
        identity: Identifier of the network's graph in the keys of the feature cache.
        ancestry: Earlier trainings, the latest first, see `keras_tl.runs.ancestry`.
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
        # Store positions: Keras would track lists of layers, and save their weights twice.
        self._blocks = [(name, [places[id(layer)] for layer in layers]) for name, layers in blocks]
        self.trainable = False

    def set_facts(self, **facts: Any) -> Self:
        """Set attributes from `source` to `ancestry` by name, and return the backbone."""
        # Bypass Keras's tracking: it would put the preprocessor into checkpoints and exports.
        vars(self).update(facts)
        return self

    @property
    def facts(self) -> dict[str, Any]:
        """Attributes that `set_facts` sets, by name."""
        return {name: getattr(self, name) for name in _FACTS}

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(height, width) of the network's input pixels. `None`: the network takes texts."""
        given = self.network.input
        takes_pixels = isinstance(given, keras.KerasTensor) and len(given.shape) == 4
        return tuple(given.shape[1:3]) if takes_pixels else None

    @property
    def config_fields(self) -> dict[str, Any]:
        """Fields of `ModelConfig` that describe the backbone."""
        return {
            "backbone": self.source,
            "image_size": self.image_size,
            "output_block": self.output_block,
            "architecture": self.architecture,
            "sequence_length": self.preprocessor and self.preprocessor.sequence_length,
        }

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks, from input to output."""
        return tuple(name for name, _ in self._blocks)

    def block_layers(self, block: str) -> list[keras.layers.Layer]:
        """Return the leaf layers of one block."""
        leaves = leaf_layers(self.network)
        return [leaves[place] for place in dict(self._blocks)[block]]

    def leave_out(self, block: str) -> None:
        """Remove a block that the head does not read. It is never trained."""
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
        """Make these blocks trainable and freeze the others.

        Compile the model afterwards (`keras_tl.training.freezing.prepare` does both).

        Args:
            blocks: Names of the blocks. An empty tuple freezes the whole network.
            batch_norm: Mode of the blocks' BatchNorm layers. `"affine"`: gamma and beta are
                trained. `"frozen"`: gamma and beta are fixed. `"live"`: as `"affine"`, but with the
                batch's statistics, which also update the moving statistics (momentum at most 0.9).
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

        A BatchNorm layer updates its statistics only while its own `trainable` is true. The
        variables' flags stay unchanged, because they decide which variables the optimizer gets.
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
        # User code may have set `trainable` of a layer inside.
        self._pin_statistics()
        return self.network(inputs, training=bool(training) and self.trainable)

    def compute_output_spec(self, inputs, training=None):
        # From shapes alone Keras would guess dtypes, and the network may return a dict.
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
        # A saved optimizer matches the variables that were trainable.
        unfrozen, batch_norm = config.pop("unfrozen"), config.pop("batch_norm")
        leaves = leaf_layers(network)
        blocks = [(name, [leaves[n] for n in places]) for name, places in config.pop("blocks")]
        backbone = cls(network, blocks, **config)
        backbone.unfreeze(tuple(unfrozen), batch_norm)
        return backbone


_FACTS = tuple(Backbone.__annotations__)


def leaf_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a network that hold no other layers, in the order of the graph.

    A layer with `parts`, such as a TF-Hub module, is replaced by its parts.
    """
    return [path[-1] for path in leaf_paths(network)]


def leaf_paths(network: keras.Model) -> list[tuple[keras.layers.Layer, ...]]:
    """Return the path to each of `leaf_layers`: the nested models around it, then the layer."""
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
    # Keras skips an assignment of the current value, and the variables with it. Set the variables
    # too: `_pin_statistics` may have changed their flags.
    for part in layers_of(layer):
        part.trainable = value
        for variable in own_variables(part):
            variable.trainable = value
