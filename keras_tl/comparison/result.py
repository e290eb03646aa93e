"""`Comparison`: what a comparison has found, as a text, a figure and JSON."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from matplotlib.figure import Figure

from keras_tl.base.files import local_path
from keras_tl.comparison.measures import curve
from keras_tl.comparison.shipping import Choice, choose
from keras_tl.comparison.skill import Skill
from keras_tl.comparison.statistics import Estimate
from keras_tl.comparison.store import Store
from keras_tl.comparison.verdict import ARMS, Outcomes, Verdict, decide
from keras_tl.comparison.wording import (
    about_text,
    choice_text,
    logme_text,
    look_text,
    measures_text,
    size_text,
    verdict_text,
)
from keras_tl.errors import RunError
from keras_tl.evaluation import plots


@dataclasses.dataclass(frozen=True)
class ArmCurve:
    """An arm's learning curve: the skill on the test split after each pass.

    Attributes:
        mean: over seeds and items, with 95% intervals that count both; one a pass.
        by_seed: for each seed its mean over the items, one a pass.
        seconds: the median time of a run; those that found features in the cache are quicker.
    """

    mean: tuple[Estimate, ...]
    by_seed: tuple[tuple[float, ...], ...]
    seconds: float

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Reads what `dataclasses.asdict` gives."""
        mean = tuple(Estimate(**estimate) for estimate in values["mean"])
        return cls(mean, tuple(map(tuple, values["by_seed"])), values["seconds"])


@dataclasses.dataclass(frozen=True)
class OfSize:
    """What was found with one size of the training split.

    Attributes:
        size: training items as they were asked for; `None`: all.
        seeds: those of which all arms are finished.
        curves: by arm, in the order of `keras_tl.comparison.verdict.ARMS`.
        verdicts: on the frozen arm and on the fine-tuned one.
        ship: which arm to ship.
    """

    size: int | None
    seeds: tuple[int, ...]
    curves: dict[str, ArmCurve]
    verdicts: tuple[Verdict, ...]
    ship: Choice

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Reads what `dataclasses.asdict` gives."""
        return cls(
            values["size"],
            tuple(values["seeds"]),
            {arm: ArmCurve.from_json(found) for arm, found in values["curves"].items()},
            tuple(map(Verdict.from_json, values["verdicts"])),
            Choice(**values["ship"]),
        )


@dataclasses.dataclass(frozen=True, repr=False)
class Comparison:
    """Transfer against the same network from scratch.

    Attributes:
        what: what was compared: the model, its weights, the budget, the data; JSON types.
        skill: the name of the metric whose means are compared.
        min_difference: the smallest difference in it that matters.
        sizes: what was found, for each size of the training split.
        folder: where the runs are kept.
        logme: of the frozen features before training, `"pretrained"` and `"random"`; see
            `keras_tl.comparison.running.scores`.
        look: 1, unless verdicts had been given with other seeds or sizes before, see
            `keras_tl.comparison.statistics.level_of`.
    """

    what: dict[str, Any]
    skill: str
    min_difference: float
    sizes: tuple[OfSize, ...]
    folder: str
    logme: dict[str, float]
    look: int = 1

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts on all sizes."""
        return tuple(verdict for found in self.sizes for verdict in found.verdicts)

    @property
    def epochs(self) -> int:
        """The budget: passes over the training split, the same for all arms."""
        return self.what["budget"]["epochs"]

    @classmethod
    def of_outcomes(
        cls,
        what: dict[str, Any],
        min_difference: float,
        outcomes: Mapping[int | None, Outcomes],
        seeds: Mapping[int | None, tuple[int, ...]],
        seconds: Mapping[int | None, Mapping[str, float]],
        folder: str,
        logme: dict[str, float],
        look: int = 1,
    ) -> Self:
        """Decides, from the outcomes of the runs.

        Args:
            what: see `Comparison`.
            min_difference: see `Comparison`.
            outcomes: by size and arm, float arrays (seeds, epochs, items).
            seeds: by size.
            seconds: by size and arm, the median of a run.
            folder: where the runs are kept.
            logme: see `Comparison`.
            look: see `Comparison`.
        """
        skill, verdicts = Skill.from_json(what["skill"]), decide(outcomes, min_difference, look)
        sizes = [
            OfSize(
                size,
                seeds[size],
                {
                    arm: ArmCurve(
                        tuple(curve(values, skill.lowest)),
                        tuple(map(tuple, values.mean(axis=2, dtype=np.float64).tolist())),
                        seconds[size][arm],
                    )
                    for arm, values in arms.items()
                },
                tuple(verdict for verdict in verdicts if verdict.size == size),
                choose(arms, min_difference),
            )
            for size, arms in outcomes.items()
        ]
        return cls(what, skill.name, min_difference, tuple(sizes), folder, logme, look)

    @classmethod
    def load(cls, folder: str | Path, min_difference: float | None = None) -> Self:
        """Reads the finished runs in a folder, also of a comparison that was interrupted.

        Args:
            folder: what `keras_tl.compare` has written.
            min_difference: the smallest difference that matters; `None`: what was said then.

        Raises:
            RunError: there is no comparison, a run is damaged, or no seed has all arms finished.
        """
        store = Store(local_path(folder))
        plan = store.plan()
        if min_difference is None:
            min_difference = plan["min_difference"]
        outcomes, seeds, seconds = {}, {}, {}
        for size in plan["sizes"]:
            seeds[size] = tuple(
                seed
                for seed in plan["seeds"]
                if all(store.is_finished(arm, size, seed) for arm in ARMS)
            )
            if seeds[size]:
                found = {arm: [store.read(arm, size, seed) for seed in seeds[size]] for arm in ARMS}
                outcomes[size] = {
                    arm: np.stack([o for o, _ in runs]) for arm, runs in found.items()
                }
                seconds[size] = {
                    arm: float(np.median([about["seconds"] for _, about in runs]))
                    for arm, runs in found.items()
                }
        if not outcomes:
            raise RunError(
                f"The comparison in {folder} has no seed of which all arms are finished. Call "
                "keras_tl.compare() or keras-tl compare again: it goes on with what is missing."
            )
        return cls.of_outcomes(
            plan["what"],
            min_difference,
            outcomes,
            seeds,
            seconds,
            str(store.folder),
            plan["logme"],
            store.look,
        )

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Reads `to_json`'s result."""
        return cls(**{**values, "sizes": tuple(map(OfSize.from_json, values["sizes"]))})

    def sentences(self) -> dict[str, Any]:
        """What was found in words, for a report.

        Returns:
            `about`: what was compared, and how; `sizes`: for each size `title`, how many training
            items there were, `verdicts`, one on each arm, and `ship`, which to ship.
        """
        sizes = [
            {
                "title": size_text(found.size),
                "verdicts": [
                    verdict_text(v, self.skill, self.min_difference) for v in found.verdicts
                ],
                "ship": choice_text(found.ship),
            }
            for found in self.sizes
        ]
        about = [about_text(self.what, self.skill), logme_text(self.logme)]
        if self.look > 1:
            about.append(look_text(self.look))
        return {"about": " ".join(about), "sizes": sizes}

    def describe(self) -> str:
        """The verdicts in words, and how they were reached."""
        words = self.sentences()
        lines = [words["about"]]
        for found, said in zip(self.sizes, words["sizes"], strict=True):
            if len(self.sizes) > 1 or found.size is not None:
                lines.append(f"With {said['title']}:")
            for verdict, sentence in zip(found.verdicts, said["verdicts"], strict=True):
                lines += [sentence, f"    {measures_text(verdict)}"]
            lines.append(said["ship"])
        return "\n".join(lines)

    def plot(self) -> Figure:
        """The learning curves of the arms, with 95% intervals; one picture a size."""
        return plots.comparison(self.to_json()["sizes"], self.skill)

    def __repr__(self) -> str:
        return self.describe()
