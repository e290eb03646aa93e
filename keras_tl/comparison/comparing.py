"""`keras_tl.compare`: compare transfer learning with training from scratch."""

import dataclasses
import gc
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import keras

from keras_tl.base.choices import CachePlace, SplitName
from keras_tl.base.config import CacheConfig, check_range
from keras_tl.base.files import json_text, local_path
from keras_tl.base.reporting import Reporter, time_text
from keras_tl.comparison.budget import Protocol
from keras_tl.comparison.cost import Cost, Job, estimate
from keras_tl.comparison.result import Comparison
from keras_tl.comparison.running import Setup, run, scores
from keras_tl.comparison.skill import Skill
from keras_tl.comparison.store import Store
from keras_tl.comparison.verdict import ARMS, SCRATCH
from keras_tl.data.image_data import ImageData
from keras_tl.data.images.augmentation import names_of
from keras_tl.data.labelled_data import groups_of
from keras_tl.data.text_data import TextData
from keras_tl.errors import ConfigError, DataError, quoted
from keras_tl.evaluation.grouping import group_numbers
from keras_tl.features.fingerprints import weights_fingerprint
from keras_tl.learner import Learner
from keras_tl.learner.options import LearnerOptions
from keras_tl.tasks import get_task
from keras_tl.training.policies import head_phase

PROTOCOL = Protocol()
# Arguments of `Learner` that the learner of every arm receives. All other arguments have already
# taken effect in the backbone that every arm copies.
_OF_ALL_ARMS = ("head", "precision", "strategy")


def compare(
    backbone: str | keras.Model | Learner,
    data: ImageData | TextData,
    *,
    seeds: int | Sequence[int] = 5,
    sizes: Sequence[int | None] = (None,),
    protocol: Protocol = PROTOCOL,
    min_difference: float = 0.05,
    path: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    cache: CachePlace | CacheConfig = "auto",
    verbose: bool = True,
    **options: Unpack[LearnerOptions],
) -> Comparison | Cost:
    """Compare transfer learning with training from scratch: three variants, several seeds.

    All variants (arms) have the same data, head and number of epochs.
    `"scratch"` trains the network from random weights. `"frozen"` trains the head on the frozen
    backbone. `"fine-tuned"` trains the head first, then head and backbone. After every epoch, each
    arm is evaluated on the test split. No arm stops early or selects an epoch: the weights after
    the last epoch count. The comparison does not use the validation split. If the data have groups,
    the statistical test counts the groups of the test split, not its items.

    A run is the training of one arm with one seed. The function saves every finished run in `path`.
    A second call of `compare` trains only the missing runs. You can add seeds and sizes later, but
    the statistical test is then stricter, see docs/explanation/verdict.md.

    Args:
        backbone: Backbone as in `Learner`. A TF-Hub module cannot have random weights.
        data: Data with a training and a test split.
        seeds: Number of seeds (0, 1, ...), or a list of seeds. Use at least 3 seeds. One seed gives
            no verdict.
        sizes: Training set sizes to compare, in items. Each seed selects other training items.
            Every training set has the class proportions of the data, and an item of every class.
            `None` stands for all training items.
        protocol: Settings for training the arms, such as `ktl.Protocol(epochs=10)`.
        min_difference: Smallest difference in the test metric that matters to you. For the verdict
            "no difference", the whole confidence interval must lie within +-`min_difference`.
        path: Folder of the comparison, or `None` for a folder in `runs/` whose name depends on the
            inputs of the comparison.
        dry_run: Whether to estimate only the training time, and to train nothing.
        cache: Place to store the features, as in `Learner.fit_head`.
        verbose: Whether to report progress on standard error.
        options: Arguments of `Learner`, see `LearnerOptions`. `weights` must not be `None`.

    Returns:
        The result of the comparison, or with `dry_run` the estimated training time.

    Raises:
        ConfigError: An argument is not as described above.
        BackboneError: The backbone does not exist, or cannot have random weights.
        DataError: The test split is missing or has fewer than 2 items, or a file cannot be read.
        RunError: `path` holds another comparison or other files.

    Example:
        >>> cost = ktl.compare(learner, data, seeds=3, dry_run=True, verbose=False)
        >>> cost.runs
        9
    """
    if options.get("weights", "") is None:
        raise ConfigError(
            "weights=None stands for random weights, which the arm from scratch already has. "
            "Expected pretrained weights: pass weights='imagenet' or the path of a weights file."
        )
    folder = None if path is None else local_path(path)
    check_range("min_difference", min_difference, 1e-9)
    wanted = _seeds(seeds)
    data, amounts = _checked(data, sizes)
    source = Learner(backbone, data, seed=0, verbose=False, **options)
    augment = protocol.augment
    cache = CacheConfig.of(cache)
    setup = Setup(
        source=source,
        options={name: value for name, value in options.items() if name in _OF_ALL_ARMS},
        data=data,
        skill=Skill.of(data.task, *(data.split(name).labels for name in ("train", "test"))),
        budget=protocol.budget(
            source.config.family,
            head_phase(source.config, augment is not False or cache.where == "off", epochs=1),
        ),
        # `augment=True` selects the augmentation that the data define, as in `Learner`.
        augment=data.augmentation if augment is True else augment,
        cache=cache,
    )
    what = _what(setup)
    name = hashlib.sha256(json_text(what).encode()).hexdigest()[:8]
    store = Store(Path("runs", f"compare-{name}") if folder is None else folder)
    store.check(what)
    jobs = [(arm, size, seed) for size in amounts for seed in wanted for arm in ARMS]
    missing = [job for job in jobs if not store.is_finished(*job)]
    if missing:
        # Fail before any training if the backbone cannot have random weights.
        setup.learner(SCRATCH, data, seed=0)
    cost = estimate(setup, missing, len(jobs) - len(missing))
    if dry_run:
        return cost
    reporter = Reporter(verbose)
    reporter.say(cost.describe())
    store.begin(
        what,
        {
            "seeds": wanted,
            "sizes": amounts,
            "min_difference": min_difference,
            "logme": store.plan()["logme"] if store.is_begun else scores(setup),
            "groups": _test_groups(data),
        },
    )
    _run_all(setup, missing, store, reporter)
    found = Comparison.load(store.folder)
    store.note_look()
    return found


def _seeds(asked: int | Sequence[int]) -> tuple[int, ...]:
    if not isinstance(asked, Sequence):
        check_range("seeds", asked, 1, whole=True)
        return tuple(range(asked))
    for seed in asked:
        check_range("a seed", seed, 0, whole=True)
    if not asked or len(set(asked)) < len(asked):
        raise ConfigError(
            f"seeds must hold at least one seed, and no seed twice. Received: {quoted(asked)}."
        )
    return tuple(asked)


def _checked(
    data: ImageData | TextData, sizes: Sequence[int | None]
) -> tuple[ImageData | TextData, tuple[int | None, ...]]:
    """Check the arguments. Return the data without validation split, and the distinct sizes."""
    if len(data.split("test")) < 2:
        raise DataError(
            f"A comparison needs at least 2 test items. Received: {len(data.split('test'))}. Add "
            "items to the test split."
        )
    if not isinstance(sizes, Sequence) or not sizes:
        raise ConfigError(
            "sizes must be a list with at least one number of training items, such as [100, 500, "
            f"None]. None stands for all training items. Received: {quoted(sizes)}."
        )
    items = len(data.split("train"))
    # A training set needs an item of every class, and at least two items.
    fewest = max(len(data.class_names) if get_task(data.task).has_one_class else 0, 2)
    for size in sizes:
        if size is not None:
            check_range("a size", size, fewest, items, whole=True)
    names: tuple[SplitName, ...] = ("train", "test")
    splits: Any = {name: data.split(name) for name in names}
    amounts = dict.fromkeys(None if size == items else size for size in sizes)
    return dataclasses.replace(data, splits=splits), tuple(amounts)


def _what(setup: Setup) -> dict[str, Any]:
    """Return the facts that all runs of a comparison must have in common, as JSON types."""
    model = setup.source.config.to_json()
    # Remove the numbers in Keras's automatic names, because these numbers vary. Also remove the
    # values of `trainable`, because `trainable` is not part of the network.
    architecture = re.sub(
        r'_\d+"|"trainable": (true|false)', '"', json_text(model.pop("architecture"))
    )
    about = setup.data.describe()
    return {
        "model": model | {"architecture": hashlib.sha256(architecture.encode()).hexdigest()},
        "weights": weights_fingerprint(setup.source.backbone),
        "skill": setup.skill.to_json(),
        "budget": setup.budget.to_json(),
        "augment": list(names_of(setup.augment)),
        "data": {key: about[key] for key in ("task", "class_names", "splits", "split_settings")}
        | {"labels": {name: split.label_fingerprint for name, split in setup.data.splits.items()}},
    }


def _test_groups(data: ImageData | TextData) -> dict[str, Any] | None:
    """Return the column of groups (`by`) and the group number of each test item (`numbers`)."""
    groups = groups_of(data.split("test"), data.groups)
    if groups is None:
        return None
    return {"by": str(data.groups), "numbers": group_numbers(groups).tolist()}


def _run_all(setup: Setup, jobs: Sequence[Job], store: Store, reporter: Reporter) -> None:
    for number, (arm, size, seed) in enumerate(jobs, 1):
        done = run(setup, arm, size, seed)
        store.write(arm, size, seed, done.skills, {"seconds": done.seconds})
        items = "all" if size is None else f"{size:,}"
        reporter.say(
            f"{number}/{len(jobs)}  {arm:<10}  {items} items, seed {seed}: "
            f"{setup.skill.name} {done.skills[-1].mean():.4f}  {time_text(done.seconds)}"
        )
        # Free the memory of the learner now: reference cycles would keep its weights in memory.
        gc.collect()
