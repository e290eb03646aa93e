"""Configuration as frozen dataclasses, checked on construction, with a JSON round trip."""

import dataclasses
from typing import Any, Self

from keras_tl.errors import ConfigError, quoted, unknown

POOLINGS = ("avg", "max", "flatten", "first", "pooled", "concat")
SCHEDULES = ("constant", "cosine", "linear", "slanted_triangular", "one_cycle")
OPTIMIZERS = ("adam", "adamw", "sgd")
MONITORS = ("loss", "metric")
OBJECTIVES = ("labels", "contrastive")
BATCH_NORMS = ("affine", "frozen", "live")
# Prefix of the folder of a language model.
ULMFIT = "ulmfit:"
# [CLS] a [SEP] b [SEP]
SHORTEST_SEQUENCE = 5
CACHES = ("auto", "memory", "disk", "off")
# Treatment of unreadable items: raise an error, leave out, or keep without a prediction.
ON_INVALID = ("raise", "skip", "keep")
SAVED_MODEL = "savedmodel"
EXPORT_FORMATS = (SAVED_MODEL, "litert", "onnx")
EXPORT_PRECISIONS = ("float32", "float16")


def check_choice(kind: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise `ConfigError` that names the choices, unless `value` is one of them."""
    if value not in choices:
        raise ConfigError(unknown(kind, value, choices))


def check_range(
    name: str, value: object, low: float, high: float = float("inf"), whole: bool = False
) -> None:
    """Raise `ConfigError` unless `value` is a number in [low, high] (an integer if `whole`)."""
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        limits = f"of at least {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"
        raise ConfigError(f"{name} must be {kind} {limits}. Received: {quoted(value)}.")


class JsonConfig:
    """Adds a JSON round trip to a dataclass."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Make the dataclass from the result of `to_json`.

        Raises:
            ConfigError: A key is unknown. The message lists the known keys.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in known:
                raise ConfigError(unknown(f"key of {cls.__name__}", key, known))
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@dataclasses.dataclass(frozen=True)
class HeadConfig(JsonConfig):
    """The head: pooling -> (dropout, Dense, ReLU)* -> dropout -> Dense logits.

    Attributes:
        pooling: Method that turns features into a vector. For image feature maps (h, w, c): `"avg"`
            or `"max"` over the positions (c values), or `"flatten"` (h * w * c values; the feature
            cache then holds the maps). For texts: `"avg"` or `"max"` over the tokens without
            padding, `"first"` (the first token, [CLS] in BERT), `"pooled"` (the `pooled_output` of
            the encoder), or `"concat"` (the last token, the maximum and the mean, concatenated:
            Howard and Ruder, 2018, arXiv:1801.06146, sec. 3.3).
        hidden: Widths of the hidden Dense layers with ReLU, from features to logits.
        dropout: Share of the values dropped before each Dense layer, in [0, 1). `None` means 0.2
            with hidden layers, else 0, because an L2 penalty regularises the head (see `Phase.l2`).
        batch_norm: Whether to normalise the input of each Dense layer, before the dropout (Howard
            and Ruder, sec. 3.3).
    """

    pooling: str = "avg"
    hidden: tuple[int, ...] = ()
    dropout: float | None = None
    batch_norm: bool = False

    def __post_init__(self):
        check_choice("pooling", self.pooling, POOLINGS)
        if self.dropout is not None:
            check_range("dropout", self.dropout, 0, 0.99)
        if not isinstance(self.hidden, (tuple, list)):
            raise ConfigError(
                "hidden must be a tuple of layer widths, such as (256,). "
                f"Received: {quoted(self.hidden)}."
            )
        # A list would not equal itself after a JSON round trip.
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for width in self.hidden:
            check_range("hidden width", width, 1, whole=True)

    @property
    def dropout_rate(self) -> float:
        """`dropout`, or its default."""
        return self.dropout if self.dropout is not None else 0.2 if self.hidden else 0.0

    @property
    def is_linear(self) -> bool:
        """Whether the head is one Dense layer without dropout or batch normalisation."""
        return not (self.hidden or self.batch_norm or self.dropout_rate)


@dataclasses.dataclass(frozen=True)
class CacheConfig(JsonConfig):
    """Place of the features of the frozen backbone between epochs and between processes.

    Attributes:
        where: `"auto"`: on disk, read into memory up to `memory_limit`. `"disk"`: always read from
            disk row by row, so that memory use stays constant. `"memory"`: only in this process,
            nothing is written. `"off"`: nothing is stored, the backbone runs in every epoch.
        folder: Folder of the cache. `None` means `$KERAS_TL_CACHE`, else `~/.cache/keras_tl`.
        full_hash: Whether to identify files by a SHA-256 of their content, instead of path, size
            and modification time.
        memory_limit: Maximum number of bytes of the features that `"auto"` holds in memory.
        folder_limit: Maximum number of bytes of the folder. The least recently used entries go
            first.
    """

    where: str = "auto"
    folder: str | None = None
    full_hash: bool = False
    memory_limit: int = 2**30
    folder_limit: int = 20 * 2**30

    @classmethod
    def of(cls, cache: "str | CacheConfig") -> "CacheConfig":
        """Read the argument `cache=`: a configuration, or its `where`."""
        return cache if isinstance(cache, CacheConfig) else cls(cache)

    def __post_init__(self):
        check_choice("cache", self.where, CACHES)
        check_range("memory_limit", self.memory_limit, 0, whole=True)
        check_range("folder_limit", self.folder_limit, 0, whole=True)


@dataclasses.dataclass(frozen=True)
class Phase(JsonConfig):
    """Settings of a training phase: the trained part, the duration, the optimisation.

    Attributes:
        name: `"head"` for feature extraction, another name for a fine-tuning phase.
        epochs: Passes over the training split.
        min_steps: Minimum number of steps. A phase with fewer steps gets more epochs.
        learning_rate: Peak learning rate of the optimizer. `"auto"` derives it from the size of the
            weights of the backbone, see `keras_tl.training.auto_learning_rate`. The record of the
            phase stores the number.
        unfreeze: `None` (only the head is trained), `"all"`, a number of blocks counted from the
            head down, or the name of a block (this block and all blocks above it).
        objective: `"labels"`: the model learns to predict the labels. `"contrastive"`: only the
            backbone learns, namely features that are similar within a class, see
            `keras_tl.training.contrastive`. Its epochs have at least ten batches.
        unfreeze_every: Epochs between unfreezing a block and the block below it, the last block
            first (Howard and Ruder, 2018, arXiv:1801.06146, sec. 3.3). `None` unfreezes all blocks
            at once. `"auto"`: one more block in every epoch, or as many as needed to train all
            blocks in the last epoch.
        discriminative_factor: Divisor of the learning rate from a block to the block below, at
            least 1. The last block has the learning rate of the head, `learning_rate` (Howard and
            Ruder, sec. 3.2, with 2.6).
        optimizer: `"adam"`, `"adamw"` or `"sgd"` (momentum 0.9).
        weight_decay: Decoupled weight decay of AdamW (Loshchilov and Hutter, 2019,
            arXiv:1711.05101), per step and unit of learning rate. Never applied to biases and
            normalisation.
        schedule: `"constant"`; `"cosine"` (Loshchilov and Hutter, 2017, arXiv:1608.03983, eq. 5,
            one cycle down to 0); `"linear"`, down to 0; `"slanted_triangular"` (Howard and Ruder,
            2018, arXiv:1801.06146, eq. 3); or `"one_cycle"` (Smith, 2018, arXiv:1803.09820). The
            last three are in `keras_tl.training.schedules`.
        warmup: Share of all steps, in [0, 1], in which the learning rate rises linearly to its
            peak. `"slanted_triangular"` and `"one_cycle"` always rise, each with its own start and
            shape. For them, 0 means the published share, 0.1 (`cut_frac`) or 0.25, and another
            value is the share.
        l2: Strength of the L2 penalty on the Dense layers of a head on the frozen backbone, for
            standardised features (see `keras_tl.training.head_solver.Solution`). `"auto"`: chosen
            by cross-validation on the features of the training split, or 0 with hidden layers. A
            head of one Dense layer then begins at the optimum. `None`: no penalty and no solver.
        clip_norm: Maximum norm of all gradients together. Larger gradients are scaled down (Pascanu
            et al., 2013, arXiv:1211.5063, sec. 3.2). `None` means no clipping.
        batch_size: Images or texts per step, over all replicas.
        patience: Epochs without a better validation result before training stops. The best weights
            are always restored. Without a validation split, training does not stop early. `None`:
            training does not stop early and keeps the last weights. This suits training from random
            weights, whose validation loss is often lowest before anything is learned.
        monitor: Criterion of a better result: a lower validation `"loss"`, or a better `"metric"`
            (accuracy for classes). The loss also measures confidence. Text encoders often gain
            accuracy long after the lowest loss.
        batch_norm: `"affine"`: gamma and beta of unfrozen BatchNorm layers are trained, their
            moving statistics stay fixed. `"frozen"`: gamma and beta stay fixed too. `"live"`:
            layers use the statistics of the batch and update the moving statistics (momentum at
            most 0.9), for training from random weights.
        label_smoothing: Share of a label that is spread over all classes, in [0, 1) (Szegedy et
            al., 2016, arXiv:1512.00567, sec. 7). The validation loss includes it.
        class_weight: `None`; `"balanced"`: every class has the same total weight; or a dictionary
            from class names to weights (1 for missing names). Only for training.
    """

    name: str
    epochs: int
    learning_rate: float | str
    unfreeze: str | int | None = None
    optimizer: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup: float = 0.0
    clip_norm: float | None = None
    batch_size: int = 32
    patience: int | None = 5
    monitor: str = "loss"
    batch_norm: str = "affine"
    label_smoothing: float = 0.0
    class_weight: str | dict[str, float] | None = None
    discriminative_factor: float = 1.0
    unfreeze_every: int | str | None = None
    min_steps: int = 0
    l2: float | str | None = None
    objective: str = "labels"

    def __post_init__(self):
        check_range("epochs", self.epochs, 1, whole=True)
        check_range("min_steps", self.min_steps, 0, whole=True)
        self._check_l2()
        if self.learning_rate != "auto":
            check_range("learning_rate", self.learning_rate, 0, 1e3)
        check_range("discriminative_factor", self.discriminative_factor, 1, 1e3)
        self._check_unfreeze_every()
        check_range("weight_decay", self.weight_decay, 0, 1)
        check_range("warmup", self.warmup, 0, 1)
        if self.clip_norm is not None:
            check_range("clip_norm", self.clip_norm, 1e-9)
        check_range("batch_size", self.batch_size, 1, whole=True)
        if self.patience is not None:
            check_range("patience", self.patience, 1, whole=True)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("monitor", self.monitor, MONITORS)
        check_choice("batch_norm", self.batch_norm, BATCH_NORMS)
        check_choice("objective", self.objective, OBJECTIVES)
        if self.objective == "contrastive" and self.unfreeze is None:
            raise ConfigError(
                "objective='contrastive' trains the backbone, but unfreeze is None. Set "
                "unfreeze='all', a number of blocks, or the name of a block."
            )
        check_range("label_smoothing", self.label_smoothing, 0, 0.99)
        if isinstance(self.class_weight, dict):
            for name, weight in self.class_weight.items():
                check_range(f"class_weight[{quoted(name)}]", weight, 0)
        elif self.class_weight is not None:
            check_choice("class_weight", self.class_weight, ("balanced",))

    def _check_l2(self) -> None:
        if isinstance(self.l2, str):
            check_choice("l2", self.l2, ("auto",))
        elif self.l2 is not None:
            check_range("l2", self.l2, 0)
        if self.l2 is not None and self.unfreeze is not None:
            raise ConfigError(
                "l2= works only in a phase that trains the head alone. Received: unfreeze="
                f"{quoted(self.unfreeze)}. Set l2=None, or use weight_decay= instead of l2=."
            )

    def _check_unfreeze_every(self) -> None:
        if self.unfreeze_every is None:
            return
        if isinstance(self.unfreeze_every, str):
            check_choice("unfreeze_every", self.unfreeze_every, ("auto",))
        else:
            check_range("unfreeze_every", self.unfreeze_every, 1, whole=True)
        if self.unfreeze is None:
            raise ConfigError(
                "unfreeze_every= needs a phase that unfreezes blocks, but unfreeze is None. Set "
                "unfreeze='all', a number of blocks, or the name of a block."
            )


def family_of(backbone: str, image_size: tuple[int, int] | None) -> str:
    """Return the key of the defaults of a backbone: `"image"`, `"text"` or `"ulmfit"`.

    Args:
        backbone: Name in a `ModelConfig`.
        image_size: (height, width). `None` for texts.
    """
    if image_size is not None:
        return "image"
    return "ulmfit" if backbone.startswith(ULMFIT) else "text"


@dataclasses.dataclass(frozen=True)
class ModelConfig(JsonConfig):
    """Configuration of a model: enough to build it again, without its weights.

    Attributes:
        backbone: Name from the catalogue, of a TF-Hub module, of a KerasHub preset, of a language
            model, or of a network of the user.
        architecture: Keras serialisation of a network that is not in the catalogue.
        output_block: Block whose output is the output of the backbone. `None` means the last block.
        image_size: (height, width) of the pixels. `None` for texts.
        resize: Method to resize images to `image_size`.
        value_range: Values of black and white in image files of 16 bits. `None` means (0, 65535).
        task: Decides the outputs of the head, the loss and the metrics.
        class_names: Classes in the order of the logits. Empty for a regression.
        head: The head.
        precision: Keras dtype policy of the backbone.
        target_mean: Mean of the training targets of a regression, in their unit.
        target_scale: Standard deviation of the training targets of a regression, in their unit.
        sequence_length: Tokens that the model reads of a text. `None` means strings.
        are_pairs: Whether items are pairs of texts.
        temperature: Divisor of the logits in predictions, see `keras_tl.evaluation.calibration`. 1
            means no calibration.
        thresholds: Decision thresholds on the probability: one for the second class of a binary
            task, or one per label of a multi-label task. Empty means 0.5.
    """

    backbone: str
    image_size: tuple[int, int] | None
    resize: str | None
    task: str
    class_names: tuple[str, ...]
    head: HeadConfig = HeadConfig()
    precision: str = "float32"
    architecture: dict[str, Any] | None = None
    output_block: str | None = None
    target_mean: float = 0.0
    target_scale: float = 1.0
    sequence_length: int | None = None
    are_pairs: bool = False
    temperature: float = 1.0
    thresholds: tuple[float, ...] = ()
    value_range: tuple[int, int] | None = None

    @property
    def item(self) -> str:
        """Name of the modality, see `keras_tl.models.modalities.MODALITIES`."""
        return "text" if self.image_size is None else "image"

    @property
    def family(self) -> str:
        """See `family_of`."""
        return family_of(self.backbone, self.image_size)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Make the configuration from the result of `to_json`."""
        return super().from_json(values | {"head": HeadConfig.from_json(values.get("head", {}))})
