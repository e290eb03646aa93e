"""Frozen dataclasses of settings, which check their values and convert to and from JSON."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self, get_args

from keras_tl.base.choices import (
    BatchNormMode,
    CachePlace,
    ExportFormat,
    ExportPrecision,
    Monitor,
    Objective,
    OnInvalid,
    OptimizerName,
    PoolingName,
    ScheduleName,
)
from keras_tl.errors import ConfigError, quoted, unknown

POOLINGS: tuple[PoolingName, ...] = get_args(PoolingName)
SCHEDULES: tuple[ScheduleName, ...] = get_args(ScheduleName)
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)
MONITORS: tuple[Monitor, ...] = get_args(Monitor)
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
BATCH_NORMS: tuple[BatchNormMode, ...] = get_args(BatchNormMode)
# The name of a ULMFiT backbone is this prefix, followed by the folder of its language model.
ULMFIT = "ulmfit:"
# Number of tokens in the shortest pair of texts: [CLS] a [SEP] b [SEP].
SHORTEST_SEQUENCE = 5
CACHES: tuple[CachePlace, ...] = get_args(CachePlace)
ON_INVALID: tuple[OnInvalid, ...] = get_args(OnInvalid)
SAVED_MODEL: Literal["savedmodel"] = "savedmodel"
EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
EXPORT_PRECISIONS: tuple[ExportPrecision, ...] = get_args(ExportPrecision)


def check_choice(kind: str, value: object, choices: Sequence[str]) -> None:
    """Raise `ConfigError` unless `value` is one of `choices`. The message names valid choices."""
    if value not in choices:
        raise ConfigError(unknown(kind, value, choices))


def check_range(
    name: str, value: Any, low: float, high: float = float("inf"), whole: bool = False
) -> None:
    """Raise `ConfigError` unless `value` is a number in [low, high] (an integer if `whole`)."""
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        limits = f"of at least {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"
        raise ConfigError(f"{name} must be {kind} {limits}. Received: {quoted(value)}.")


class JsonConfig:
    """Base class of dataclasses that can be converted to JSON types and back."""

    # Type checkers need this declaration: all subclasses are dataclasses and have the attribute.
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def to_json(self) -> dict[str, Any]:
        """Return the dataclass's fields by name, with values that JSON can store.

        Example:
            >>> sorted(ktl.HeadConfig(hidden=(64,)).to_json())
            ['batch_norm', 'dropout', 'hidden', 'pooling']
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Create an object of this class from the result of `to_json`.

        Raises:
            ConfigError: `values` has an unknown key. The message suggests similar keys, or lists
                all known keys.

        Example:
            >>> ktl.HeadConfig.from_json({"pooling": "max", "hidden": [64]}).hidden
            (64,)
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in known:
                raise ConfigError(unknown(f"key of {cls.__name__}", key, known))
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@dataclasses.dataclass(frozen=True)
class HeadConfig(JsonConfig):
    """Layers of the head: pooling -> (dropout, Dense, ReLU)* -> dropout -> Dense logits.

    Attributes:
        pooling: Method that reduces the features to a vector. For image feature maps (h, w, c):
            `"avg"` or `"max"` over the positions (c values), or `"flatten"` (h * w * c values; the
            feature cache then holds whole feature maps). For texts: `"avg"` or `"max"` over all
            tokens except padding, `"first"` (the first token, [CLS] in BERT), `"pooled"` (the
            `pooled_output` of the encoder), or `"concat"` (the last token, the maximum and the
            mean, concatenated: Howard and Ruder, 2018, arXiv:1801.06146, sec. 3.3). For a backbone
            that returns one vector per item, leave `pooling` out.
        hidden: Number of units of each hidden Dense layer (with ReLU), from features to logits.
        dropout: Dropout probability before each Dense layer, in [0, 0.99]. With hidden layers,
            `dropout=None` means 0.2. Without hidden layers, `dropout=None` means 0, because an L2
            penalty regularises the head (see `Phase.l2`).
        batch_norm: Whether BatchNorm normalises the input of each Dense layer, before the dropout
            (Howard and Ruder, 2018, arXiv:1801.06146, sec. 3.3).

    Example:
        >>> head = ktl.HeadConfig(pooling="max", hidden=(256,))
        >>> head.dropout_rate, head.is_linear
        (0.2, False)
    """

    pooling: PoolingName = "avg"
    _: dataclasses.KW_ONLY
    hidden: tuple[int, ...] = ()
    dropout: float | None = None
    batch_norm: bool = False

    def __post_init__(self) -> None:
        check_choice("pooling", self.pooling, POOLINGS)
        if self.dropout is not None:
            check_range("dropout", self.dropout, 0, 0.99)
        if not isinstance(self.hidden, (tuple, list)):
            raise ConfigError(
                "hidden must be a tuple of layer widths, such as (256,). "
                f"Received: {quoted(self.hidden)}."
            )
        # Convert a list to a tuple, so that this object equals the result of `from_json`.
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for width in self.hidden:
            check_range("hidden width", width, 1, whole=True)

    @property
    def dropout_rate(self) -> float:
        """Dropout probability: the value of `dropout`, or its default if `dropout` is `None`.

        Example:
            >>> ktl.HeadConfig().dropout_rate, ktl.HeadConfig(hidden=(64,)).dropout_rate
            (0.0, 0.2)
        """
        return self.dropout if self.dropout is not None else 0.2 if self.hidden else 0.0

    @property
    def is_linear(self) -> bool:
        """Whether the head is one Dense layer without dropout or batch normalisation.

        Example:
            >>> ktl.HeadConfig().is_linear
            True
        """
        return not (self.hidden or self.batch_norm or self.dropout_rate)


@dataclasses.dataclass(frozen=True)
class CacheConfig(JsonConfig):
    """Settings of the cache that stores the frozen backbone's features for later epochs and runs.

    Attributes:
        where: `"auto"` stores features on disk, and also in memory up to `memory_limit`. `"disk"`
            stores features only on disk and reads them row by row, so that memory use stays
            constant. `"memory"` stores features only in the memory of this process. `"off"` stores
            no features: the backbone runs in every epoch.
        folder: Folder of the cache, not allowed with `where="memory"`. `folder=None` means the
            folder in `$KERAS_TL_CACHE`, or `~/.cache/keras_tl` if `$KERAS_TL_CACHE` is not set.
        full_hash: Whether to recognise image files by a SHA-256 of the content, instead of path,
            size and modification time.
        memory_limit: Maximum size in bytes of the features that `"auto"` stores in memory.
        folder_limit: Maximum size of the stored features in the folder, in bytes. To make room for
            new features, keras_tl deletes the least recently used features, but not the features
            that the current training uses.

    Example:
        >>> cache = ktl.CacheConfig(where="disk", folder="features")
        >>> cache.full_hash
        False
    """

    where: CachePlace = "auto"
    _: dataclasses.KW_ONLY
    folder: str | None = None
    full_hash: bool = False
    memory_limit: int = 2**30
    folder_limit: int = 20 * 2**30

    @classmethod
    def of(cls, cache: "CachePlace | CacheConfig") -> "CacheConfig":
        """Return `cache` if it is a `CacheConfig`, else a `CacheConfig` with `where=cache`.

        Example:
            >>> ktl.CacheConfig.of("off") == ktl.CacheConfig(where="off")
            True
        """
        return cache if isinstance(cache, CacheConfig) else cls(cache)

    def __post_init__(self) -> None:
        check_choice("cache", self.where, CACHES)
        if self.where == "memory" and self.folder is not None:
            raise ConfigError(
                "With where='memory', the cache writes no files, so folder= has no effect. "
                f"Received: folder={quoted(self.folder)}. Leave folder= out, or use where='auto' "
                "or where='disk'."
            )
        check_range("memory_limit", self.memory_limit, 0, whole=True)
        check_range("folder_limit", self.folder_limit, 0, whole=True)


@dataclasses.dataclass(frozen=True)
class Phase(JsonConfig):
    """Settings of a training phase: which layers to train, how long, and how.

    Attributes:
        name: Name of the phase: `"head"` for feature extraction, another name for fine-tuning.
        epochs: Number of passes over the training split.
        min_steps: Minimum number of training steps. If `epochs` epochs have fewer than `min_steps`
            steps, training runs for more epochs.
        learning_rate: Peak learning rate of the optimizer. `"auto"` computes the learning rate from
            the size of the backbone's weights, see `keras_tl.training.auto_learning_rate`.
            `PhaseRecord` stores the computed learning rate.
        unfreeze: Blocks of the backbone to train: `None` (only the head is trained), `"all"`, the
            number of last blocks, or the name of a block (this block and all later blocks).
        objective: `"labels"`: the model learns to predict the labels. `"contrastive"`: only the
            backbone learns, so that items of one class get similar features, see
            `keras_tl.training.contrastive`. An epoch of contrastive training has at least ten
            batches.
        unfreeze_every: Number of epochs after which one more block is unfrozen, from the last block
            to the first (Howard and Ruder, 2018, arXiv:1801.06146, sec. 3.3). `unfreeze_every=None`
            unfreezes all blocks of `unfreeze` at the start. `"auto"` unfreezes one more block in
            every epoch, or several blocks if the phase has fewer epochs than blocks.
        discriminative_factor: Learning rate of a block divided by the learning rate of the next
            block towards the input, at least 1. The head has `learning_rate`, and the last block
            has `learning_rate` divided by `discriminative_factor`. Howard and Ruder (2018, sec.
            3.2) use the factor 2.6.
        optimizer: Name of the optimizer: `"adam"`, `"adamw"` or `"sgd"` (momentum 0.9).
        weight_decay: Decoupled weight decay of AdamW (Loshchilov and Hutter, 2019,
            arXiv:1711.05101), multiplied by the learning rate in each step. Biases and
            normalisation layers have no weight decay. Optimizers other than `"adamw"` need
            `weight_decay=0`.
        schedule: Schedule of the learning rate: `"constant"`; `"cosine"` (Loshchilov and Hutter,
            2017, arXiv:1608.03983, eq. 5, one cycle down to 0); `"linear"`, down to 0;
            `"slanted_triangular"` (Howard and Ruder, 2018, arXiv:1801.06146, eq. 3); or
            `"one_cycle"` (Smith, 2018, arXiv:1803.09820). `keras_tl.training.schedules` implements
            all schedules but `"constant"` and `"cosine"`.
        warmup: Fraction of all steps, in [0, 1], in which the learning rate rises linearly to the
            peak. The schedules `"slanted_triangular"` and `"one_cycle"` always begin with a rise of
            their own shape. `warmup=0` means 0.1 for `"slanted_triangular"` (`cut_frac` of Howard
            and Ruder) and 0.25 for `"one_cycle"` (the default of fastai).
        l2: Strength of the L2 penalty on the Dense layers of the head while the backbone is frozen.
            The penalty applies to the kernels for standardised features (see
            `keras_tl.training.head_solver.Solution`). With `l2="auto"`, cross-validation on the
            training features chooses the strength, which is 0 if the head has hidden layers. If
            `l2` is a number or `"auto"`, a solver sets a head of one Dense layer to its optimum
            before the first epoch. With `l2=None` or BatchNorm in the head, the head has no L2
            penalty, and no solver runs.
        clip_norm: Maximum L2 norm of all gradients together, or `None` for no clipping. Gradients
            with a larger norm are scaled down to this norm (Pascanu et al., 2013, arXiv:1211.5063,
            sec. 3.2).
        batch_size: Number of images or texts per step, on all replicas together.
        patience: Number of epochs without a better validation result after which training stops. If
            `patience` is a number and there is a validation split, training ends with the weights
            of the best epoch. With `patience=None` or without a validation split, training does not
            stop early and ends with the last weights. Use `patience=None` for training from random
            weights, where the validation loss is often lowest before the model learns anything.
        monitor: Criterion of the best epoch: the lowest validation `"loss"`, or the best validation
            `"metric"` (accuracy for classes). Unlike accuracy, the loss also measures the
            confidence of predictions. The accuracy of text encoders often rises long after the
            epoch with the lowest loss.
        batch_norm: `"affine"`: gamma and beta of unfrozen BatchNorm layers are trained, and the
            moving statistics stay fixed. `"frozen"`: gamma, beta and the moving statistics stay
            fixed. `"live"`: BatchNorm layers use the statistics of the batch and update the moving
            statistics (momentum at most 0.9), for training from random weights.
        label_smoothing: Fraction of the label probability that is spread over all classes, in [0,
            0.99] (Szegedy et al., 2016, arXiv:1512.00567, sec. 7). The validation loss includes
            label smoothing.
        class_weight: Weights of the classes in the training loss: `None` (all weights are 1),
            `"balanced"` (every class has the same total weight), or a dictionary from class names
            to weights (1 for missing names). Validation ignores class weights.

    Example:
        >>> phase = ktl.Phase(name="last blocks", epochs=5, learning_rate=1e-4, unfreeze=2)
        >>> phase.unfreeze, phase.objective
        (2, 'labels')
    """

    name: str
    _: dataclasses.KW_ONLY
    epochs: int
    learning_rate: float | Literal["auto"]
    unfreeze: str | int | None = None
    optimizer: OptimizerName = "adam"
    weight_decay: float = 0.0
    schedule: ScheduleName = "constant"
    warmup: float = 0.0
    clip_norm: float | None = None
    batch_size: int = 32
    patience: int | None = 5
    monitor: Monitor = "loss"
    batch_norm: BatchNormMode = "affine"
    label_smoothing: float = 0.0
    class_weight: Literal["balanced"] | dict[str, float] | None = None
    discriminative_factor: float = 1.0
    unfreeze_every: int | Literal["auto"] | None = None
    min_steps: int = 0
    l2: float | Literal["auto"] | None = None
    objective: Objective = "labels"

    def __post_init__(self) -> None:
        check_range("epochs", self.epochs, 1, whole=True)
        check_range("min_steps", self.min_steps, 0, whole=True)
        _check_auto_or_range("l2", self.l2, 0)
        if self.learning_rate != "auto":
            check_range("learning_rate", self.learning_rate, 0, 1e3)
        check_range("discriminative_factor", self.discriminative_factor, 1, 1e3)
        _check_auto_or_range("unfreeze_every", self.unfreeze_every, 1, whole=True)
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
        check_range("label_smoothing", self.label_smoothing, 0, 0.99)
        if isinstance(self.class_weight, dict):
            for name, weight in self.class_weight.items():
                check_range(f"class_weight[{quoted(name)}]", weight, 0)
        elif self.class_weight is not None:
            check_choice("class_weight", self.class_weight, ("balanced",))
        self._check_unfreeze()

    def _check_unfreeze(self) -> None:
        """Check that `l2`, `unfreeze_every` and `objective` fit the value of `unfreeze`."""
        if self.unfreeze is not None and self.l2 is not None:
            raise ConfigError(
                "l2= works only in a phase that trains the head alone. Received: unfreeze="
                f"{quoted(self.unfreeze)}. Set l2=None, or use weight_decay= instead of l2=."
            )
        needs = None
        if self.unfreeze_every is not None:
            needs = "unfreeze_every= needs a phase that unfreezes blocks"
        elif self.objective == "contrastive":
            needs = "objective='contrastive' trains the backbone"
        if self.unfreeze is None and needs is not None:
            raise ConfigError(
                f"{needs}, but unfreeze is None. Set unfreeze='all', a number of blocks, or the "
                "name of a block."
            )


def _check_auto_or_range(name: str, value: object, low: float, whole: bool = False) -> None:
    """Raise `ConfigError` unless `value` is `None`, `"auto"` or a number of at least `low`."""
    if isinstance(value, str):
        check_choice(name, value, ("auto",))
    elif value is not None:
        check_range(name, value, low, whole=whole)


def family_of(backbone: str, image_size: tuple[int, int] | None) -> str:
    """Return the kind of a backbone, which sets defaults: `"image"`, `"text"` or `"ulmfit"`."""
    if image_size is not None:
        return "image"
    return "ulmfit" if backbone.startswith(ULMFIT) else "text"


@dataclasses.dataclass(frozen=True)
class ModelConfig(JsonConfig):
    """Configuration of a model: all settings needed to build the model again, without weights.

    Attributes:
        backbone: Name of a catalogue backbone, a TF-Hub module, a KerasHub preset, a language
            model, or the user's network.
        architecture: Keras configuration of a network that is not in the catalogue, as JSON types.
        output_block: Name of the block whose output is the backbone's output, or `None` for the
            last block.
        image_size: (height, width) of the model inputs in pixels. `None` for texts.
        resize: Method to resize images to `image_size`.
        value_range: Pixel values of black and of white in 16-bit image files, or `None` for (0,
            65535).
        task: Name of the task, which decides the outputs of the head, the loss and the metrics.
        class_names: Names of the classes, in the order of the logits, or an empty tuple for a
            regression.
        head: Configuration of the head.
        precision: Keras dtype policy of the backbone, such as `"mixed_float16"`.
        target_mean: For a regression, mean of the training targets, in the unit of the targets.
        target_scale: For a regression, standard deviation of the training targets, in the unit of
            the targets.
        sequence_length: Number of tokens that the model reads from each text, or `None` if the
            model takes strings or images.
        are_pairs: Whether items are pairs of texts.
        temperature: Divisor of the logits in predictions, see `keras_tl.evaluation.calibration`. 1
            means no calibration.
        thresholds: Decision thresholds on the probability: one for the second class of a binary
            task, or one per label of a multi-label task. An empty tuple means that all thresholds
            are 0.5.

    Example:
        >>> learner.config.task, learner.config.image_size, learner.config.temperature
        ('binary', (16, 16), 1.0)
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
        """Modality of the model's inputs, a key of `keras_tl.models.modalities.MODALITIES`.

        Example:
            >>> learner.config.item
            'image'
        """
        return "text" if self.image_size is None else "image"

    @property
    def family(self) -> str:
        """Kind of the backbone: `"image"`, `"text"` or `"ulmfit"`, see `family_of`.

        Example:
            >>> learner.config.family
            'image'
        """
        return family_of(self.backbone, self.image_size)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Create a configuration from the result of `to_json`.

        Example:
            >>> ktl.ModelConfig.from_json(learner.config.to_json()).class_names
            ('blue', 'red')
        """
        return super().from_json(values | {"head": HeadConfig.from_json(values.get("head", {}))})
