"""Rank backbones before training, by a cross-validated head on their frozen features."""

import dataclasses
import gc
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.user_models import is_keras_file
from keras_tl.base.config import CacheConfig, check_range
from keras_tl.base.reporting import Reporter
from keras_tl.data.image_data import ImageData
from keras_tl.data.labelled_data import Split, groups_of
from keras_tl.data.splits import draw
from keras_tl.data.text_data import TextData
from keras_tl.errors import BackboneError, CacheError, ConfigError, DataError, KerasTLError, quoted
from keras_tl.evaluation.cross_validation import LabelledFeatures, cross_validate
from keras_tl.evaluation.grouping import Grouping
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.ranking import RankedBackbone, Ranking, choose_backbone
from keras_tl.evaluation.transferability import logme, target_columns
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.models.modalities import MODALITIES
from keras_tl.tasks import get_task
from keras_tl.training.head_solver import FOLDS
from keras_tl.training.policies import head_phase
from keras_tl.training.timing import seconds_an_item


def rank(
    learner_class: type,
    data: ImageData | TextData,
    backbones: Sequence[Any] | None = None,
    max_items: int = 2000,
    seed: int = 0,
    cache: str | CacheConfig = "auto",
    verbose: bool = True,
    **options: Any,
) -> Ranking:
    """Rank backbones, see `keras_tl.rank_backbones`.

    `learner_class` is the class `Learner`: an import in this module would be circular.
    """
    check_range("max_items", max_items, 2, whole=True)
    if backbones is None:
        backbones = MODALITIES[data.item].backbones_without_download()
    named = dict(_named(backbones, learner_class))
    reporter = Reporter(verbose)
    train = data.split("train")
    chosen = train if len(train) <= max_items else train.take(draw(train.labels, max_items, seed))
    # Raise `DataError` before any backbone runs, if all labels are equal.
    target_columns(chosen.labels, get_task(data.task))
    groups = groups_of(chosen, data.groups)
    rows, records, task = [], {}, None
    for number, (name, own) in enumerate(named.items(), start=1):
        began = time.perf_counter()
        try:
            settings = {"seed": seed, **_shared(options, own, data), **own, "verbose": verbose}
            learner = learner_class(data=data, **settings)
            _check_unlearned(learner)
            features = learner.features(chosen, cache=cache)
            task = learner.task
            row, records[name] = _measured(learner, name, chosen, features, groups, seed)
            row = dataclasses.replace(row, seconds=time.perf_counter() - began)
        except (DataError, CacheError):  # Other backbones would fail with the same error.
            raise
        except KerasTLError as error:
            row = RankedBackbone(name, seconds=time.perf_counter() - began, error=str(error))
        rows.append(row)
        # A learner has reference cycles: only the garbage collector frees its large weights.
        learner = features = None
        gc.collect()
        found = row.error or f"{title_of(task.primary_metric)} {number_text(row.metric)}"
        reporter.say(f"{number}/{len(named)} {name}: {found}  {row.seconds:.1f} s")
    if not records:
        reasons = " ".join(f"{row.name}: {row.error}" for row in rows)
        raise ConfigError(f"None of the backbones could be ranked. {reasons}")
    sign = 1.0 if task.more_is_better else -1.0
    rows.sort(key=lambda row: -math.inf if row.metric is None else sign * row.metric, reverse=True)
    seconds = {row.name: row.item_seconds for row in rows}
    best = choose_backbone(task.undecided, records, seconds, groups)
    names = data.task, task.primary_metric
    grouping = Grouping.of(groups, data.groups)
    return Ranking(tuple(rows), *names, len(chosen), data.item, seed, best, grouping)


def _shared(
    options: Mapping[str, Any], own: Mapping[str, Any], data: ImageData | TextData
) -> dict[str, Any]:
    """Return `options`, without `preprocess` if the backbone has its own preprocessing."""
    backbone = own["backbone"]
    takes_all = (
        MODALITIES[data.item].can_preprocess
        or isinstance(backbone, keras.Model)
        or is_keras_file(backbone)
    )
    return {key: value for key, value in options.items() if takes_all or key != "preprocess"}


def _check_unlearned(learner: Any) -> None:
    if "train" in learner._state.learned_splits:
        raise BackboneError(
            "This backbone was fine-tuned on these training items. Rank a backbone that was not "
            "fine-tuned on these items."
        )


def _measured(
    learner: Any,
    name: str,
    split: Split,
    features: np.ndarray,
    groups: np.ndarray | None,
    seed: int,
) -> tuple[RankedBackbone, PredictionRecord]:
    """Return a backbone's row of the ranking, without `seconds`, and out-of-fold predictions."""
    trainer, count = learner.trainer, len(split)
    training = trainer.out_of_fold(head_phase(learner.config), count, seed)
    parts = count if groups is None else len(np.unique(groups))
    items = LabelledFeatures(split.labels, features, np.full(count, "train"), None, groups)
    found = cross_validate(training, items, min(FOLDS, parts))
    ends = found["intervals"][found.primary_metric]
    row = RankedBackbone(
        name,
        metric=found[found.primary_metric],
        interval=None if ends is None else tuple(ends),
        score=logme(features.reshape(count, -1), split.labels, type(learner.task)),
        width=math.prod(features.shape[1:]),
        parameters=learner.backbone.count_params(),
        item_seconds=seconds_an_item(trainer, split),
    )
    return row, found.records[0]


def _named(backbones: Sequence[Any], learner_class: type) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each backbone and its arguments for `Learner`."""
    if isinstance(backbones, (str, keras.Model, learner_class, Mapping)) or not backbones:
        raise ConfigError(
            "backbones must be a list of at least one backbone, such as ['efficientnet_lite0', "
            f"'resnet50']. Received: {quoted(backbones)}."
        )
    names = set()
    for given in backbones:
        own = dict(given) if isinstance(given, Mapping) else {"backbone": given}
        if "backbone" not in own:
            raise ConfigError(
                "A dict in backbones= needs the key 'backbone', and may have other arguments of "
                f"Learner. Received: {quoted(given)}."
            )
        is_name = isinstance(own["backbone"], str) and ":" not in own["backbone"]
        if is_name and not is_keras_file(own["backbone"]):
            get_spec(own["backbone"])  # Find a misspelled name before any backbone runs.
        name = own.pop("name", None) or _name_of(own, learner_class)
        if name in names:
            raise ConfigError(
                f"The backbone {name} is given twice. Leave out one entry, or give each "
                "entry its own name: {'name': ..., 'backbone': ...}."
            )
        names.add(name)
        yield name, own


def _name_of(own: Mapping[str, Any], learner_class: type) -> str:
    backbone = own["backbone"]
    if isinstance(backbone, learner_class):
        backbone = f"learner of {backbone.config.backbone}"
    elif isinstance(backbone, keras.Model):
        backbone = backbone.name
    others = ", ".join(f"{key}={value}" for key, value in own.items() if key != "backbone")
    return f"{backbone} ({others})" if others else str(backbone)
