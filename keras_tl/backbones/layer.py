"""The backbone as one layer that decides what its inside sees.

Keras 3's `fit` passes `training=True` down a functional model and so overrides a
`training=False` that was given when the model was built (keras-team/keras#20285): once such a
backbone is unfrozen, its BatchNorm statistics move and the pretrained features are lost. Here
`call` runs the inner network with an explicit value, which nothing outside can override.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import keras

from keras_tl.base.keras_compat import layers_of, own_variables
from keras_tl.errors import BackboneError

if TYPE_CHECKING:
    from keras_tl.backbones.texts import TextPreprocessor

# The largest momentum of moving statistics that move. Keras's default, 0.99, is for long training:
# after 100 steps more than a third of a moving variance is still the 1 it began with, and what
# the network does in validation has little to do with what was trained.
LIVE_MOMENTUM = 0.9


@keras.saving.register_keras_serializable("keras_tl")
class Backbone(keras.layers.Layer):
    """A pretrained network inside a model.

    * Frozen (`trainable=False`): all of it runs in inference mode, dropout and stochastic depth
      off too, so that features computed once equal features computed live.
    * Unfrozen: dropout and stochastic depth are live in training. BatchNorm layers keep using
      their moving statistics, which never change; their gamma and beta can be trained. Only
      `unfreeze(..., batch_norm="live")`, for random weights, lets the statistics move.

    A network that holds a TF-Hub module keeps these promises as far as the module can, see
    `keras_tl.backbones.hub.HubLayer`; `batch_norm` has no say in what is inside a module.

    Args:
        network: the bare network, preprocessing inside: float32 (batch, height, width, 3)
            pixels in [0, 255] to feature maps (batch, h, w, c), or what a TF-Hub module takes.
        blocks: the parts of the network from input to output: names, and the layers of each, of
            those of `leaf_layers`. Layers of nested models may have equal names.

    Attributes:
        network: the bare network.
        source: the name in `ModelConfig.backbone`: of the catalogue, of a TF-Hub module, of a
            preset of KerasHub, of a language model, or of a network of the user's own.
        weights_source: where the weights come from: `"imagenet"`, a path, a place such as
            `"run:PATH"`; `None`: they are random.
        output_block: the block after which the network is cut off; `None`: it is whole.
        architecture: a network that is not the catalogue's, before the cut, as Keras serialises it.
        module: the folder of a TF-Hub module.
        preprocessor: turns texts into tokens; `None`: the network takes images or strings.
        longest: the most tokens that the network has positions for; `None`: unknown.
        identity: identifies the network's graph in the keys of the feature cache.
        ancestry: the trainings before, the latest first, see `keras_tl.runs.ancestry`.
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
        # autocast would round the pixels to half precision before the preprocessing sees them.
        super().__init__(name=name, autocast=False, **kwargs)
        self.network = network
        places = {id(layer): place for place, layer in enumerate(leaf_layers(network))}
        # Keras would track lists of layers, and save their weights twice.
        self._blocks = [(name, [places[id(layer)] for layer in layers]) for name, layers in blocks]
        self.trainable = False

    def set_facts(self, **facts: Any) -> Self:
        """Set attributes from `source` to `ancestry`, by name, and return the backbone."""
        # Keras tracks what is assigned: checkpoints and exports would hold the preprocessor.
        vars(self).update(facts)
        return self

    @property
    def facts(self) -> dict[str, Any]:
        """The attributes that `set_facts` sets."""
        return {name: getattr(self, name) for name in _FACTS}

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(height, width) of the pixels that the network takes; `None`: it takes texts."""
        given = self.network.input
        takes_pixels = isinstance(given, keras.KerasTensor) and len(given.shape) == 4
        return tuple(given.shape[1:3]) if takes_pixels else None

    @property
    def config_fields(self) -> dict[str, Any]:
        """The fields of `ModelConfig` that describe the backbone."""
        return {
            "backbone": self.source,
            "image_size": self.image_size,
            "output_block": self.output_block,
            "architecture": self.architecture,
            "sequence_length": self.preprocessor and self.preprocessor.sequence_length,
        }

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the blocks, from input to output."""
        return tuple(name for name, _ in self._blocks)

    def block_layers(self, block: str) -> list[keras.layers.Layer]:
        """The layers of one block, innermost level."""
        leaves = leaf_layers(self.network)
        return [leaves[place] for place in dict(self._blocks)[block]]

    def leave_out(self, block: str) -> None:
        """Forget a block that the head does not read: it is never trained."""
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
        """Makes these blocks trainable and freezes the others.

        Compile afterwards (`keras_tl.training.freezing.prepare` does both).

        Args:
            blocks: names; none of them freezes everything.
            batch_norm: `"affine"`: gamma and beta of their BatchNorm layers are trained;
                `"frozen"`: they are not; `"live"`: they are, and their statistics are the
                batch's and move, with a momentum of at most 0.9.
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
        """Puts BatchNorm layers into inference mode unless they are live; no flag is touched.

        A BatchNorm layer updates its statistics only while its own `trainable` is true; what
        the optimizer gets is decided by its variables' flags.
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
        # Somebody may have set a layer inside trainable.
        self._pin_statistics()
        return self.network(inputs, training=bool(training) and self.trainable)

    def compute_output_spec(self, inputs, training=None):
        # Of a shape alone Keras would guess the type, and a network may give a dict of several.
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
        # The optimizer of a saved model fits the trainable weights.
        unfrozen, batch_norm = config.pop("unfrozen"), config.pop("batch_norm")
        leaves = leaf_layers(network)
        blocks = [(name, [leaves[n] for n in places]) for name, places in config.pop("blocks")]
        backbone = cls(network, blocks, **config)
        backbone.unfreeze(tuple(unfrozen), batch_norm)
        return backbone


_FACTS = tuple(Backbone.__annotations__)


def leaf_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """The layers of a network that hold no other layers, in the order of the graph.

    A layer with `parts`, such as a TF-Hub module, stands for those.
    """
    return [path[-1] for path in leaf_paths(network)]


def leaf_paths(network: keras.Model) -> list[tuple[keras.layers.Layer, ...]]:
    """Each of `leaf_layers` behind the models inside the network that it lies in."""
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
    # Keras skips an assignment of the value that is already there, and with it the variables,
    # whose flags `_pin_statistics` may have set otherwise.
    for part in layers_of(layer):
        part.trainable = value
        for variable in own_variables(part):
            variable.trainable = value
