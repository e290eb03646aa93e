"""Configuration as frozen dataclasses, checked when made, with a JSON round trip."""

import dataclasses
from typing import Any, Self

from keras_tl.errors import ConfigError, quoted, unknown

POOLINGS = ("avg", "max", "flatten", "first", "pooled", "concat")
SCHEDULES = ("constant", "cosine", "linear", "slanted_triangular", "one_cycle")
OPTIMIZERS = ("adam", "adamw", "sgd")
MONITORS = ("loss", "metric")
OBJECTIVES = ("labels", "contrastive")
BATCH_NORMS = ("affine", "frozen", "live")
# What stands before the folder of a language model.
ULMFIT = "ulmfit:"
# [CLS] a [SEP] b [SEP]
SHORTEST_SEQUENCE = 5
CACHES = ("auto", "memory", "disk", "off")
# What becomes of files that are not images: an error, left out, or kept without an answer.
ON_INVALID = ("raise", "skip", "keep")
SAVED_MODEL = "savedmodel"
EXPORT_FORMATS = (SAVED_MODEL, "litert", "onnx")
EXPORT_PRECISIONS = ("float32", "float16")


def check_choice(kind: str, value: object, choices: tuple[str, ...]) -> None:
    """Raises `ConfigError`, naming the choices, unless `value` is one of them."""
    if value not in choices:
        raise ConfigError(unknown(kind, value, choices))


def check_range(
    name: str, value: object, low: float, high: float = float("inf"), whole: bool = False
) -> None:
    """Raises `ConfigError` unless `value` is a number in [low, high] (whole if asked)."""
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        limits = f"of at least {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"
        raise ConfigError(f"{name} must be {kind} {limits}. Received: {quoted(value)}.")


class JsonConfig:
    """Adds a JSON round trip to a dataclass; unknown keys are an error that lists the known."""

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Builds the dataclass from `to_json`'s result.

        Raises:
            ConfigError: a key is unknown; the message lists the known ones.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in known:
                raise ConfigError(unknown(f"key of {cls.__name__}", key, known))
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@dataclasses.dataclass(frozen=True)
class HeadConfig(JsonConfig):
    """The head: pooling -> (Dense, ReLU)* -> dropout -> Dense logits.

    Attributes:
        pooling: how feature maps (h, w, c) become a vector: `"avg"` or `"max"` over the
            positions (c values), or `"flatten"` (h * w * c values; the feature cache then
            holds the maps). Of texts: `"avg"` or `"max"` over the tokens that are not padding,
            `"first"` (the first token, which BERT calls [CLS]), `"pooled"` (what the encoder
            gives as `pooled_output`), or `"concat"` (the last token, the maximum and the mean, one
            after the other, as in Howard and Ruder, 2018, arXiv:1801.06146, sec. 3.3).
        hidden: widths of hidden Dense layers with ReLU, from features to logits.
        dropout: share of the values dropped before each Dense layer, in [0, 1); `None`: 0.2 with
            hidden layers, else 0, as an L2 penalty does its work (see `Phase.l2`).
        batch_norm: normalise what each Dense layer takes, before the dropout (the same, sec. 3.3).
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
            raise ConfigError(f"hidden must be a tuple of widths. Received: {quoted(self.hidden)}.")
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
        """Whether the head is one Dense layer on the features, with nothing random in it."""
        return not (self.hidden or self.batch_norm or self.dropout_rate)


@dataclasses.dataclass(frozen=True)
class CacheConfig(JsonConfig):
    """Where the frozen backbone's features are kept between epochs and between processes.

    Attributes:
        where: `"auto"`: written to disk, read back into memory while they fit in
            `memory_limit`; `"disk"`: always read row by row from disk, so that memory stays
            flat; `"memory"`: kept in this process only, nothing is written; `"off"`: the
            backbone runs live in every epoch.
        folder: folder of the cache; `None` means `$KERAS_TL_CACHE`, else
            `~/.cache/keras_tl`.
        full_hash: identify files by a SHA-256 of their content, not by path, size and
            modification time.
        memory_limit: bytes up to which `"auto"` reads one split's features into memory.
        folder_limit: bytes the folder may hold; the entries unused for longest go first.
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
    """One phase of training: what is trained, for how long, and at which rates.

    Attributes:
        name: `"head"` for feature extraction, another name for a fine-tuning phase.
        epochs: passes over the training split.
        min_steps: with more passes where they make fewer steps than this.
        learning_rate: peak learning rate of the optimizer's update; `"auto"`: by the size of the
            backbone's weights, see `keras_tl.training.relative_rate`. The record of a phase has
            the number.
        unfreeze: `None` (only the head is trained), `"all"`, the number of blocks counted
            from the head down, or a block's name (that block and all above it).
        objective: `"labels"`: head and backbone learn to predict the labels; `"contrastive"`: the
            backbone alone learns features that are alike within a class, see
            `keras_tl.training.contrastive`. An epoch of it has at least ten batches.
        unfreeze_every: `None`: these blocks are unfrozen at once; a number: the last block first,
            and after every so many epochs the one below it (Howard and Ruder, 2018,
            arXiv:1801.06146, sec. 3.3); `"auto"`: one more in every epoch, or as many as it takes
            to train all of them in the last epoch.
        discriminative_factor: the learning rate of a block is that of the block above it divided
            by this, at least 1; the last block's that of the head, which is `learning_rate` (the
            same, sec. 3.2, where it is 2.6).
        optimizer: `"adam"`, `"adamw"` or `"sgd"` (momentum 0.9).
        weight_decay: AdamW's decoupled decay (Loshchilov and Hutter, 2019, arXiv:1711.05101)
            per step and unit of learning rate; never applied to biases and normalisation.
        schedule: `"constant"`; `"cosine"` (Loshchilov and Hutter, 2017, arXiv:1608.03983,
            eq. 5, one cycle down to 0); `"linear"`, down to 0; `"slanted_triangular"` (Howard and
            Ruder, 2018, arXiv:1801.06146, eq. 3); or `"one_cycle"` (Smith, 2018,
            arXiv:1803.09820). The last two are in `keras_tl.training.schedules`.
        warmup: share of all steps, in [0, 1], in which the rate rises linearly from 0.
            `"slanted_triangular"` and `"one_cycle"` always rise, from where they say and in the
            shape that they say: 0 means the share that was published for them, 0.1 (`cut_frac`)
            and 0.25, another value is the share.
        l2: of a head on the frozen backbone: the strength of an L2 penalty on its Dense layers, for
            standardised features (see `keras_tl.training.head_solver.Solution`); `"auto"`: chosen
            by cross-validation on the training split's features. A head of one Dense layer then
            begins at the optimum. `None`: no penalty, and nothing is solved.
        clip_norm: gradients are scaled down to this norm of all of them together (Pascanu et al.,
            2013, arXiv:1211.5063, sec. 3.2); `None`: never.
        batch_size: images or texts per step, over all replicas.
        patience: epochs without a better result on the validation split before training stops;
            the best weights are restored in any case. Without a validation split nothing stops.
            `None`: nothing stops and the last weights are kept, for training from random weights,
            whose validation loss is often lowest before anything has been learned.
        monitor: what is better: a lower validation `"loss"`, or a better `"metric"` (accuracy
            where there are classes). The loss also says how sure the answers may be; encoders of
            texts get more of them right long after it is lowest.
        batch_norm: `"affine"`: gamma and beta of unfrozen BatchNorm layers are trained, their
            moving statistics never move; `"frozen"`: gamma and beta neither; `"live"`: the
            statistics are those of the batch and move (momentum at most 0.9), for training from
            random weights.
        label_smoothing: share of a label that is spread over all classes, in [0, 1) (Szegedy et
            al., 2016, arXiv:1512.00567, sec. 7). The validation loss counts it too.
        class_weight: `None`; `"balanced"`: every class weighs the same however many items it
            has; or weights by the classes' names (1 where not given). Only for training.
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
                "objective='contrastive' trains the backbone; unfreeze is None. Set unfreeze to "
                "'all', a number of blocks, or a block's name."
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
                "l2= is for a phase that trains the head alone. Expected l2=None with unfreeze="
                f"{quoted(self.unfreeze)}; weight_decay= is for phases that unfreeze."
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
                "unfreeze_every= is for a phase that unfreezes blocks; unfreeze is None. Set it "
                "to 'all', a number of blocks, or a block's name."
            )


def family_of(backbone: str, image_size: tuple[int, int] | None) -> str:
    """What a backbone's defaults depend on: `"image"`, `"text"` or `"ulmfit"`.

    Args:
        backbone: its name in a `ModelConfig`.
        image_size: (height, width); `None`: it takes texts.
    """
    if image_size is not None:
        return "image"
    return "ulmfit" if backbone.startswith(ULMFIT) else "text"


@dataclasses.dataclass(frozen=True)
class ModelConfig(JsonConfig):
    """What a model is, apart from its weights: enough to build it again.

    Attributes:
        backbone: a name from the catalogue, of a TF-Hub module, of a preset of KerasHub, of a
            language model, or of a network of the user's own.
        architecture: a network that is not the catalogue's as Keras serialises it.
        output_block: the block whose output is the backbone's; `None` for the last.
        image_size: (height, width) of the pixels; `None`: it is for texts.
        resize: how images get to that size.
        value_range: the values of black and of white in image files of 16 bits; `None`: (0, 65535).
        task: decides the head's outputs, the loss and the metrics.
        class_names: the classes, in the order of the logits; none for a regression.
        head: the head.
        precision: Keras dtype policy of the backbone.
        target_mean: regression: mean of the training targets, in their unit.
        target_scale: regression: their standard deviation, in their unit.
        sequence_length: tokens that the model reads of a text; `None`: it takes strings.
        are_pairs: whether an item is a pair of texts.
        temperature: what answers divide the logits by, see `keras_tl.evaluation.calibration`; 1:
            they are not calibrated.
        thresholds: the probability above which the answer is yes: of a binary task one, for the
            second class, of a multi-label one one a label; none: 0.5.
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
        """Builds the configuration from `to_json`'s result."""
        return super().from_json(values | {"head": HeadConfig.from_json(values.get("head", {}))})
