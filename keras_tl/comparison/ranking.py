"""Ranks backbones for given data before any training: frozen features, and a score of them."""

import gc
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras

from keras_tl.backbones.catalogue import get_spec
from keras_tl.comparison.transferability import logme, target_columns
from keras_tl.config import CacheConfig, check_range
from keras_tl.data.images import ImageData
from keras_tl.data.splits import draw
from keras_tl.data.texts import TextData
from keras_tl.errors import CacheError, ConfigError, DataError, KerasTLError
from keras_tl.learner import Learner
from keras_tl.reporting import Reporter
from keras_tl.tables import paragraphs_html, table_html, table_text

_METHOD = "LogME (You et al., 2021, arXiv:2102.11005), nats per item"
_HEADER = ("backbone", "LogME", "features", "weights", "seconds")


@dataclass(frozen=True)
class RankedBackbone:
    """What was found of one backbone.

    Attributes:
        name: what it was called, with its options.
        score: LogME, see `keras_tl.comparison.transferability.logme`; higher is better; `None` if
            it could not be had.
        width: of its features, as the head is given them.
        parameters: its weights, counted.
        seconds: wall time for loading it, running it over the items and scoring; little for
            features that were in the cache.
        error: why there is no score.
    """

    name: str
    score: float | None = None
    width: int | None = None
    parameters: int | None = None
    seconds: float = 0.0
    error: str | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """What a table shows: name, score, width, weights, seconds."""
        if self.score is None:
            return (self.name, "-", "-", "-", "-")
        numbers = f"{self.score:.4f}", f"{self.width:,}", f"{self.parameters:,}"
        return (self.name, *numbers, f"{self.seconds:.1f}")


@dataclass(frozen=True)
class Ranking:
    """Backbones, the most promising first.

    Attributes:
        rows: one a backbone, by falling score; those without one last.
        task: of the data.
        items: of the training split that were looked at.
        item: what one is called.
        seed: of the draw of the items and of random weights.
    """

    rows: tuple[RankedBackbone, ...]
    task: str
    items: int
    item: str
    seed: int

    @property
    def best(self) -> RankedBackbone:
        """The one with the highest score."""
        return self.rows[0]

    def describe(self) -> str:
        """A table as plain text, and what it can and cannot say."""
        table = table_text(_HEADER, [row.cells for row in self.rows])
        return "\n".join([table, *self._notes])

    @property
    def _notes(self) -> list[str]:
        """What could not be ranked and why, and what the scores say."""
        errors = [f"{row.name}: {row.error}" for row in self.rows if row.error]
        scores = (
            f"Frozen features of {self.items:,} training {self.item}s, scored by {_METHOD}; higher "
            "is better. The scores order the backbones for a head on frozen features; fine-tuning "
            "can change the order, and only a trained model tells how good one is."
        )
        return [*errors, scores]

    def to_json(self) -> dict[str, Any]:
        """The ranking as JSON types."""
        return asdict(self) | {"rows": [asdict(row) for row in self.rows], "method": _METHOD}

    def __str__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        """The table, as notebooks show it."""
        return table_html(_HEADER, [row.cells for row in self.rows]) + paragraphs_html(*self._notes)


def rank_backbones(
    data: ImageData | TextData,
    backbones: Sequence[str | keras.Model | Learner | Mapping[str, Any]],
    items: int = 2000,
    seed: int = 0,
    cache: str | CacheConfig = "auto",
    verbose: bool = True,
    **options: Any,
) -> Ranking:
    """Ranks backbones for a head on their frozen features, without training.

    Each runs once over the same items of the training split, by way of the feature cache, and is
    scored by `keras_tl.comparison.transferability.logme`. The other splits are not looked at.

    Args:
        data: what is to be learned.
        backbones: each is what `Learner` takes as backbone; or a dict of `Learner`'s arguments,
            such as `{"backbone": "efficientnet_lite0", "output_block": "block6"}`, with a `"name"`
            of your own if you like.
        items: of the training split at most so many, drawn so that each class has its share and
            at least one; of several labels, or of a regression, at random.
        seed: of the draw, and of the backbones' random weights.
        cache: where features are kept, as in `Learner.fit_head`.
        verbose: report progress on standard error.
        options: arguments of `Learner` for all of them, such as `image_size`; those of a dict
            come first.

    Returns:
        The backbones with their scores. One that cannot be loaded, or does not fit the data, is
        listed last with the reason, and the others are ranked all the same.

    Raises:
        BackboneError: the catalogue has no such name; found out before anything runs.
        ConfigError: there is no backbone, one is given twice, an argument is not as described, or
            none of the backbones has a score.
        DataError: the data cannot be read, or their labels are all the same.
        CacheError: the features cannot be kept where asked.
    """
    check_range("items", items, 2, whole=True)
    named = dict(_named(backbones))
    reporter = Reporter(verbose)
    train = data.split("train")
    chosen = train if len(train) <= items else train.take(draw(train.labels, items, seed))
    target_columns(chosen.labels, data.task)  # Where there is nothing to tell apart, it says so.
    rows = []
    for number, (name, own) in enumerate(named.items(), start=1):
        began = time.perf_counter()
        try:
            settings = {"seed": seed, **options, **own, "verbose": verbose}
            learner = Learner(data=data, **settings)
            features = learner.split_features(chosen, cache)
            row = RankedBackbone(
                name,
                score=logme(features, chosen.labels, data.task),
                width=features.shape[1],
                parameters=learner.backbone.count_params(),
                seconds=time.perf_counter() - began,
            )
        except (DataError, CacheError):  # It is no fault of the backbone.
            raise
        except KerasTLError as error:
            row = RankedBackbone(name, seconds=time.perf_counter() - began, error=str(error))
        rows.append(row)
        # A learner is full of cycles, and its weights are large.
        learner = features = None
        gc.collect()
        found = row.error or f"LogME {row.score:.4f}"
        reporter.say(f"{number}/{len(named)} {name}: {found}  {row.seconds:.1f} s")
    rows.sort(key=lambda row: -math.inf if row.score is None else row.score, reverse=True)
    if rows[0].score is None:
        reasons = " ".join(f"{row.name}: {row.error}" for row in rows)
        raise ConfigError(f"None of the backbones could be ranked. {reasons}")
    return Ranking(tuple(rows), data.task, len(chosen), data.item, seed)


def _named(
    backbones: Sequence[str | keras.Model | Learner | Mapping[str, Any]],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each is called, and what it says of `Learner`'s arguments.

    Raises:
        BackboneError: see `rank_backbones`.
        ConfigError: see `rank_backbones`.
    """
    if isinstance(backbones, (str, keras.Model, Learner, Mapping)) or not backbones:
        raise ConfigError(
            "backbones must be a list of at least one, such as ['efficientnet_lite0', 'resnet50']. "
            f"Received: {backbones!r}."
        )
    names = set()
    for given in backbones:
        own = dict(given) if isinstance(given, Mapping) else {"backbone": given}
        if "backbone" not in own:
            raise ConfigError(
                "A backbone given as a dict needs the key 'backbone', beside other arguments of "
                f"Learner. Received: {given!r}."
            )
        if isinstance(own["backbone"], str) and ":" not in own["backbone"]:
            get_spec(own["backbone"])  # A slip of the pen is found before anything runs.
        name = own.pop("name", None) or _name_of(own)
        if name in names:
            raise ConfigError(
                f"The backbone {name} is given twice. Leave one out, or give each a 'name' of its "
                "own: {'name': ..., 'backbone': ...}."
            )
        names.add(name)
        yield name, own


def _name_of(own: Mapping[str, Any]) -> str:
    backbone = own["backbone"]
    if isinstance(backbone, Learner):
        backbone = f"learner of {backbone.config.backbone}"
    elif isinstance(backbone, keras.Model):
        backbone = backbone.name
    others = ", ".join(f"{key}={value}" for key, value in own.items() if key != "backbone")
    return f"{backbone} ({others})" if others else str(backbone)
