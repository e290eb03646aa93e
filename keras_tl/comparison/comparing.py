"""`keras_tl.compare`: transfer against the same network from scratch."""

import dataclasses
import gc
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_tl.base.config import CacheConfig, check_range
from keras_tl.base.files import json_text, local_path
from keras_tl.base.reporting import Reporter
from keras_tl.comparison.budget import Protocol
from keras_tl.comparison.cost import Cost, Job, estimate, time_text
from keras_tl.comparison.result import Comparison
from keras_tl.comparison.running import Subject, run, scores
from keras_tl.comparison.skill import Skill
from keras_tl.comparison.store import Store
from keras_tl.comparison.verdict import ARMS, SCRATCH
from keras_tl.data.image_data import ImageData
from keras_tl.data.images.augmentation import names_of
from keras_tl.data.labelled_data import LabelledData
from keras_tl.data.text_data import TextData
from keras_tl.errors import ConfigError, DataError, quoted
from keras_tl.features.fingerprints import weights_fingerprint
from keras_tl.learner import Learner
from keras_tl.tasks import get_task
from keras_tl.training.policies import head_phase

PROTOCOL = Protocol()
# The arguments of `Learner` that the learners of all arms are made with; a copy of a backbone has
# the others.
_OF_ALL_ARMS = ("head", "precision", "strategy")


def compare(
    backbone: str | keras.Model | Learner,
    data: ImageData | TextData,
    *,
    seeds: int | Sequence[int] = 5,
    sizes: Sequence[int | None] = (None,),
    protocol: Protocol = PROTOCOL,
    min_difference: float = 0.05,
    out: str | os.PathLike | None = None,
    dry_run: bool = False,
    cache: str | CacheConfig = "auto",
    verbose: bool = True,
    **options: Any,
) -> Comparison | Cost:
    """Whether transfer helps on these data: three arms, over several seeds.

    On the same data, splits and head, with the same number of passes over the training split:
    `"scratch"`, the same network with random weights; `"frozen"`, the head on the frozen backbone;
    `"fine-tuned"`, the head first, then both. The test split is evaluated after every pass, and
    nothing is stopped or chosen by it; the last weights count. The validation split is not used.

    Every finished run is kept in `out`. Called again, the comparison goes on with what is missing;
    more seeds and sizes can be asked for later, at the price of a stricter test. How it decides is
    in docs/comparison.md.

    Args:
        backbone: as `Learner` takes it; not a TF-Hub module, which has no random weights.
        data: with a training and a test split.
        seeds: how many (0, 1, ...), or which; at least 3 for a verdict.
        sizes: numbers of training items, drawn anew for each seed, each class in proportion and at
            least once; `None`: all.
        protocol: how the arms are trained, such as `ktl.Protocol(epochs=10)`.
        min_difference: the smallest difference in skill that matters to you: what cannot be told
            from 0 is "no measurable difference" only if it is certainly smaller.
        out: the folder of the comparison; `None`: one below `runs/`, named by what is compared.
        dry_run: only say what it will cost.
        cache: where features are kept, as in `Learner.fit_head`.
        verbose: report progress on standard error.
        options: arguments of `Learner`, such as `image_size`; `weights` not `None`.

    Returns:
        What was found; with `dry_run` the cost.

    Raises:
        ConfigError: an argument is not as described.
        BackboneError: there is no such backbone, or it cannot be had with random weights.
        DataError: there is no test split, or a file cannot be read.
        RunError: `out` holds another comparison, or something else.
    """
    if options.get("weights", "") is None:
        raise ConfigError(
            "weights=None is the arm from scratch itself. Expected the weights to be compared with "
            "it: 'imagenet' or the path of a weights file."
        )
    out = None if out is None else local_path(out)
    check_range("min_difference", min_difference, 1e-9)
    wanted = _seeds(seeds)
    data, amounts = _checked(data, sizes)
    source = Learner(backbone, data, seed=0, verbose=False, **options)
    augment = protocol.augment
    cache = CacheConfig.of(cache)
    subject = Subject(
        source=source,
        options={name: options[name] for name in _OF_ALL_ARMS if name in options},
        data=data,
        skill=Skill.of(data.task, *(data.split(name).labels for name in ("train", "test"))),
        budget=protocol.budget(
            source.config.family,
            head_phase(source.config, augment is not False or cache.where == "off", epochs=1),
        ),
        # The data's own, as `Learner` takes it.
        augment=data.augmentation if augment is True else augment,
        cache=cache,
    )
    what = _what(subject)
    store = Store(_folder(what) if out is None else out)
    store.check(what)
    jobs = [(arm, size, seed) for size in amounts for seed in wanted for arm in ARMS]
    missing = [job for job in jobs if not store.is_finished(*job)]
    if missing:
        # Before anything is trained, an arm that cannot be had says so.
        subject.learner(SCRATCH, data, seed=0)
    cost = estimate(subject, missing, len(jobs) - len(missing))
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
            "logme": store.plan()["logme"] if store.is_begun else scores(subject),
        },
    )
    _run_all(subject, missing, store, reporter)
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
            f"Expected at least one seed, and no seed twice. Received: {quoted(asked)}."
        )
    return tuple(asked)


def _checked(
    data: LabelledData, sizes: Sequence[int | None]
) -> tuple[LabelledData, tuple[int | None, ...]]:
    """The data without their validation split, and the sizes that differ; both are right."""
    if len(data.split("test")) < 2:
        raise DataError("A comparison needs at least 2 test items. Add some to the test split.")
    if not isinstance(sizes, Sequence) or not sizes:
        raise ConfigError(
            "sizes must be a list of at least one number of training items, such as [100, 500, "
            f"None]; None stands for all. Received: {quoted(sizes)}."
        )
    items = len(data.split("train"))
    for size in sizes:
        if size is not None:
            check_range("a size", size, _fewest(data), items, whole=True)
    splits = {name: data.split(name) for name in ("train", "test")}
    amounts = dict.fromkeys(None if size == items else size for size in sizes)
    return dataclasses.replace(data, splits=splits), tuple(amounts)


def _fewest(data: LabelledData) -> int:
    """Training items: one of each class, where an item has one; at least 2."""
    return max(len(data.class_names) if get_task(data.task).has_one_class else 0, 2)


def _what(subject: Subject) -> dict[str, Any]:
    """All that must be equal for runs to belong together, as JSON types."""
    model = subject.source.config.to_json()
    # Keras numbers the names it gives, and what is frozen is not the network's to say.
    architecture = re.sub(
        r'_\d+"|"trainable": (true|false)', '"', json_text(model.pop("architecture"))
    )
    about = subject.data.describe()
    return {
        "model": model | {"architecture": hashlib.sha256(architecture.encode()).hexdigest()},
        "weights": weights_fingerprint(subject.source.backbone),
        "skill": subject.skill.to_json(),
        "budget": subject.budget.to_json(),
        "augment": list(names_of(subject.augment)),
        "data": {key: about[key] for key in ("task", "class_names", "splits", "split_settings")}
        | {
            "labels": {name: split.label_fingerprint for name, split in subject.data.splits.items()}
        },
    }


def _folder(what: dict[str, Any]) -> Path:
    name = hashlib.sha256(json_text(what).encode()).hexdigest()[:8]
    return Path("runs") / f"compare-{name}"


def _run_all(subject: Subject, jobs: Sequence[Job], store: Store, reporter: Reporter) -> None:
    for number, (arm, size, seed) in enumerate(jobs, 1):
        done = run(subject, arm, size, seed)
        store.write(arm, size, seed, done.outcomes, {"seconds": done.seconds})
        items = "all" if size is None else f"{size:,}"
        reporter.say(
            f"{number}/{len(jobs)}  {arm:<10}  {items} items, seed {seed}: "
            f"{subject.skill.name} {done.outcomes[-1].mean():.4f}  {time_text(done.seconds)}"
        )
        # A learner is full of cycles, and its weights are large.
        gc.collect()
