"""`Learner`: its parts put together, and how one is made."""

import os
import random
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_tl.backbones.loading import seeded
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.config import CacheConfig, HeadConfig, ModelConfig, family_of
from keras_tl.base.reporting import Reporter
from keras_tl.data.image_data import ImageData
from keras_tl.data.images.image_options import ImageSize, check_image_size
from keras_tl.data.text_data import TextData
from keras_tl.errors import ConfigError, quoted
from keras_tl.evaluation.ranking import Ranking
from keras_tl.learner.answering import Answering
from keras_tl.learner.fitting import Fitting
from keras_tl.learner.picturing import Picturing
from keras_tl.learner.ranking import rank
from keras_tl.learner.showing import Showing
from keras_tl.models.assembly import assemble
from keras_tl.models.device import choose_precision, choose_strategy
from keras_tl.models.sources import find_backbone
from keras_tl.runs.ancestry import ancestry_of
from keras_tl.tasks import get_task
from keras_tl.training.policies import HEAD_CONFIGS


class Learner(Fitting, Answering, Picturing, Showing):
    """A pretrained backbone and a head for the data at hand.

    Args:
        backbone: a name from the catalogue (`keras_tl.backbones.CATALOGUE`); `"auto"` for the best
            of those whose weights are on this machine, see `rank_backbones`; `"run:PATH"` for
            the trained backbone of a saved run, or another learner for its; `"tfhub:HANDLE"` for a
            module of TF-Hub, HANDLE being its URL or its folder (a module is a program: use only
            what you trust); `"kerashub:PRESET"` for a preset of KerasHub, by its name or its
            folder; `"ulmfit:PATH"` for a language model that `keras_tl.ulmfit` saved; or a
            `keras.Model`, or the path of a `.keras` file, with `preprocess=`. The model is copied:
            training does not change it.
        data: what to learn; decides the task and the number of classes.
        weights: `"imagenet"`, or the path of a weights file, for a backbone from the catalogue;
            `None` for random weights, whatever the backbone (not for a TF-Hub module).
        image_size: side in pixels, or (height, width); `None`: the data's, else the size the
            backbone was trained at.
        output_block: the block whose output is the features; `None`: the last one.
        head: what the head is made of; `None`: the backbone's
            `keras_tl.training.policies.HEAD_CONFIGS`.
        precision: `"auto"`, `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.
        strategy: `"auto"`, `"single"`, `"mirrored"`, `"tpu"` or a `tf.distribute.Strategy`. Give
            all learners of a process the same strategy object: TensorFlow takes the reductions of
            one object for those of another (tensorflow/tensorflow#62790). The names do so.
        seed: makes everything random repeatable; `None`: drawn, and kept in `learner.seed`.
        preprocess: for a `keras.Model` as backbone: what it expects of the pixels.
        preprocessor: for an encoder of texts: `"tfhub:HANDLE"`; the path of a WordPiece
            `vocab.txt`, of a `tokenizer.json`, or of a folder with one of them; or a
            `keras_tl.backbones.texts.TextPreprocessor`, such as `keras_tl.WordPiecePreprocessor(
            "vocab.txt", lower_case=True, strip_accents=False)`; `None`: its own.
        verbose: report progress on standard error.
        check: look at the data and the model before the first training, see `check()`.

    Raises:
        BackboneError: the backbone is unknown or cannot be built so.
        WeightsError: the weights are missing or do not fit.
        ConfigError: another argument is not as described.
    """

    # How `Learner("auto", data)` chose its backbone.
    ranking: Ranking | None = None

    def __init__(
        self,
        backbone: "str | keras.Model | Learner",
        data: ImageData | TextData,
        weights: str | os.PathLike | None = "imagenet",
        image_size: ImageSize = None,
        output_block: str | None = None,
        head: HeadConfig | None = None,
        precision: str = "auto",
        strategy: str | tf.distribute.Strategy = "auto",
        seed: int | None = None,
        preprocess: str | Preprocessing | None = None,
        preprocessor: str | TextPreprocessor | None = None,
        verbose: bool = True,
        check: bool = True,
    ):
        ancestry = ()
        if isinstance(backbone, Learner):
            ancestry, backbone = ancestry_of(backbone._about()), backbone.backbone
        precision = choose_precision(precision)
        seed = random.SystemRandom().randrange(2**31) if seed is None else seed
        if isinstance(backbone, str) and backbone == "auto":
            backbone, self.ranking = self._best_backbone(
                data,
                seed,
                verbose,
                weights=weights,
                image_size=image_size,
                strategy=strategy,
                head=head,
                precision=precision,
                output_block=output_block,
            )
        if not isinstance(head, (HeadConfig, type(None))):
            raise ConfigError(
                "head must be a keras_tl.HeadConfig, such as HeadConfig(hidden=(256,)). Received: "
                f"{quoted(head)}."
            )
        with seeded(seed):
            found = find_backbone(
                backbone,
                weights=weights,
                image_size=check_image_size(image_size) or getattr(data, "image_size", None),
                output_block=output_block,
                preprocess=preprocess,
                precision=precision,
                preprocessor=preprocessor,
                ancestry=ancestry,
                texts=data.split("train") if isinstance(data, TextData) else None,
                sequence_length=getattr(data, "sequence_length", None),
            )
        config = ModelConfig(
            **found.config_fields,
            resize=getattr(data, "resize", None),
            value_range=getattr(data, "value_range", None),
            are_pairs=getattr(data, "is_pair", False),
            task=data.task,
            class_names=data.class_names,
            head=head or HEAD_CONFIGS[family_of(found.source, found.image_size)],
            precision=precision,
            **get_task(data.task).target_fields(data.split("train").labels),
        )
        chosen = choose_strategy(strategy)
        self._build(config, assemble(config, found, chosen, seed), chosen, seed, data, verbose)
        self._is_checked = check
        if data.checked is not None and data.checked.bad:
            self._reporter.say(
                f"{data.checked.summary()}\ndata.checked.describe() and keras-tl train --check "
                "name each of them."
            )

    def _best_backbone(
        self, data: ImageData | TextData, seed: int, verbose: bool, **options: Any
    ) -> tuple[str, Ranking]:
        if options["weights"] != "imagenet":
            raise ConfigError(
                "Learner('auto') chooses among pretrained backbones; expected weights='imagenet'. "
                f"Received: {quoted(options['weights'])}. Name a backbone to give it other weights."
            )
        found = rank_backbones(data, seed=seed, verbose=verbose, check=False, **options)
        Reporter(verbose).say(found.describe())
        return found.chosen, found


def rank_backbones(
    data: ImageData | TextData,
    backbones: Sequence[str | keras.Model | Learner | Mapping[str, Any]] | None = None,
    items: int = 2000,
    seed: int = 0,
    cache: str | CacheConfig = "auto",
    verbose: bool = True,
    **options: Any,
) -> Ranking:
    """Rank backbones for a head on their frozen features, by cross-validation.

    Each backbone runs once over the same items of the training split, by way of the feature
    cache. A head is cross-validated on the features; LogME stands beside its metric. The other
    splits are not looked at.

    Args:
        data: the labelled items.
        backbones: each is what `Learner` takes as backbone; or a dict of `Learner`'s arguments,
            such as `{"backbone": "efficientnet_lite0", "output_block": "block6"}`, with a `"name"`
            of your own if you like. `None`: those of the catalogue whose weights are on this
            machine, see `keras_tl.backbones.at_hand.backbones_at_hand`.
        items: of the training split at most so many, drawn so that each class has its share and
            at least one; of several labels, or of a regression, at random.
        seed: of the draw, of the folds, and of the backbones' random weights.
        cache: where features are kept, as in `Learner.fit_head`.
        verbose: report progress on standard error.
        options: arguments of `Learner` for all of them, such as `image_size`; those of a dict
            come first. `preprocess` is for the Keras models among them.

    Returns:
        The backbones with their measurements; `.best` is the fastest one within one standard
        error of the best metric. A backbone that cannot be loaded, or does not fit the data, is
        listed last with the reason.

    Raises:
        BackboneError: the catalogue has no such name; found out before anything runs.
        ConfigError: there is no backbone, one is given twice, an argument is not as described, or
            none of the backbones can be measured.
        DataError: the data cannot be read, or their labels are all the same.
        CacheError: the features cannot be kept where asked.

    Example:
        >>> keras_tl.rank_backbones(data).best.name  # doctest: +SKIP
    """
    return rank(Learner, data, backbones, items, seed, cache, verbose, **options)
