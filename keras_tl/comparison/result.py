"""`Comparison`: the result of a comparison, as text, figure and JSON."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from matplotlib.figure import Figure

from keras_tl.base.choices import Arm
from keras_tl.base.files import local_path
from keras_tl.comparison import wording
from keras_tl.comparison.curve_measures import curve
from keras_tl.comparison.model_selection import Choice, choose
from keras_tl.comparison.skill import Skill
from keras_tl.comparison.statistics import Estimate, by_group
from keras_tl.comparison.store import Store
from keras_tl.comparison.verdict import ARMS, Verdict, decide
from keras_tl.errors import RunError
from keras_tl.evaluation import plots
from keras_tl.evaluation.grouping import Grouping, if_several


@dataclasses.dataclass(frozen=True)
class ArmCurve:
    """Learning curve of a trained variant (arm): the skill on the test split after each epoch.

    Attributes:
        mean: Mean skill after each epoch, with 95% intervals over seeds and test items.
        by_seed: Mean skill of each seed after each epoch.
        seconds: Median time of the arm's runs in seconds. Runs with cached features are faster.

    Example:
        >>> curve = comparison.sizes[0].curves["frozen"]
        >>> len(curve.mean), len(curve.by_seed)
        (3, 3)
    """

    mean: tuple[Estimate, ...]
    by_seed: tuple[tuple[float, ...], ...]
    seconds: float

    @classmethod
    def of(cls, skills: np.ndarray, seconds: Sequence[float], lowest: float) -> Self:
        """Compute the curve from `skills` in [`lowest`, 1], float (seeds, epochs, items).

        Example:
            >>> skills = np.random.default_rng(0).random((3, 2, 10))
            >>> ArmCurve.of(skills, seconds=[1.0, 2.0, 3.0], lowest=0.0).seconds
            2.0
        """
        by_seed = skills.mean(axis=2, dtype=np.float64).tolist()
        mean = tuple(curve(skills, lowest))
        return cls(mean, tuple(map(tuple, by_seed)), float(np.median(seconds)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Create an `ArmCurve` from the dict that `dataclasses.asdict` returned.

        Example:
            >>> import dataclasses
            >>> curve = comparison.sizes[0].curves["frozen"]
            >>> ArmCurve.from_json(dataclasses.asdict(curve)) == curve
            True
        """
        mean = tuple(Estimate(**estimate) for estimate in values["mean"])
        return cls(mean, tuple(map(tuple, values["by_seed"])), values["seconds"])


@dataclasses.dataclass(frozen=True)
class OfSize:
    """Results of a comparison for one training set size.

    Attributes:
        size: Requested number of training items, or `None` for all training items.
        seeds: Seeds with finished runs of all arms.
        curves: Learning curves by arm, in the order of `keras_tl.comparison.verdict.ARMS`.
        verdicts: Verdicts on the frozen and the fine-tuned arm.
        ship: Choice of the arm to ship.

    Example:
        >>> found = comparison.sizes[0]
        >>> found.size is None, found.seeds, sorted(found.curves)
        (True, (0, 1, 2), ['fine-tuned', 'frozen', 'scratch'])
    """

    size: int | None
    seeds: tuple[int, ...]
    curves: dict[Arm, ArmCurve]
    verdicts: tuple[Verdict, ...]
    ship: Choice

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Create an `OfSize` from the dict that `dataclasses.asdict` returned.

        Example:
            >>> import dataclasses
            >>> found = comparison.sizes[0]
            >>> OfSize.from_json(dataclasses.asdict(found)).seeds
            (0, 1, 2)
        """
        return cls(
            values["size"],
            tuple(values["seeds"]),
            {arm: ArmCurve.from_json(found) for arm, found in values["curves"].items()},
            tuple(map(Verdict.from_json, values["verdicts"])),
            Choice(**values["ship"]),
        )


@dataclasses.dataclass(frozen=True, repr=False)
class Comparison:
    """Result of a comparison of transfer learning with training from scratch.

    Attributes:
        what: Model, weights, budget and data of the comparison, as JSON types.
        skill: Name of the metric that the comparison uses, such as `"accuracy"`.
        min_difference: Smallest difference in the metric `skill` that matters to the user.
        sizes: Results of the comparison for each training set size.
        folder: Folder with the runs of the comparison.
        logme: LogME of the frozen features before training, with `"pretrained"` and `"random"`
            weights, see `keras_tl.comparison.running.scores`.
        look: Number of this analysis of the comparison, 1 for the first. Earlier verdicts for other
            seeds or sizes count as earlier analyses, see
            `keras_tl.comparison.statistics.level_of`.
        grouping: Column and number of the groups of dependent test items. `None`: no groups.

    Example:
        >>> comparison.epochs, comparison.skill
        (3, 'accuracy')
        >>> [verdict.arm for verdict in comparison.verdicts]
        ['frozen', 'fine-tuned']
    """

    what: dict[str, Any]
    skill: str
    min_difference: float
    sizes: tuple[OfSize, ...]
    folder: str
    logme: dict[str, float]
    look: int = 1
    grouping: Grouping | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Verdicts on the pretrained arms, for all training set sizes.

        Example:
            >>> [verdict.seeds for verdict in comparison.verdicts]
            [3, 3]
        """
        return tuple(verdict for found in self.sizes for verdict in found.verdicts)

    @property
    def epochs(self) -> int:
        """Budget of each variant (arm): the number of epochs.

        Example:
            >>> comparison.epochs
            3
        """
        return self.what["budget"]["epochs"]

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, min_difference: float | None = None) -> Self:
        """Read the finished runs of a comparison, also if the comparison was interrupted.

        Args:
            path: Folder that `keras_tl.compare` wrote.
            min_difference: Smallest difference in the metric that matters to you, or `None` for the
                value that `keras_tl.compare` received.

        Raises:
            RunError: `path` holds no comparison, a run is damaged, or no seed has finished runs of
                all arms.

        Example:
            >>> again = ktl.Comparison.load(comparison.folder)
            >>> again.describe() == comparison.describe()
            True
        """
        store = Store(local_path(path))
        plan = store.plan()
        if min_difference is None:
            min_difference = plan["min_difference"]
        skill = Skill.from_json(plan["what"]["skill"])
        grouped = plan.get("groups")  # Comparisons of earlier versions recorded no groups.
        numbers = None if grouped is None else np.array(grouped["numbers"])
        groups = if_several(numbers)
        skills, seeds, curves = {}, {}, {}
        for size in plan["sizes"]:
            finished = [
                seed
                for seed in plan["seeds"]
                if all(store.is_finished(arm, size, seed) for arm in ARMS)
            ]
            if finished:
                runs = {arm: [store.read(arm, size, seed) for seed in finished] for arm in ARMS}
                skills[size] = {arm: np.stack([x for x, _ in found]) for arm, found in runs.items()}
                if groups is not None:
                    skills[size] = {arm: by_group(x, groups) for arm, x in skills[size].items()}
                seeds[size] = tuple(finished)
                curves[size] = {
                    arm: ArmCurve.of(
                        skills[size][arm], [about["seconds"] for _, about in found], skill.lowest
                    )
                    for arm, found in runs.items()
                }
        if not skills:
            raise RunError(
                f"The comparison in {path} has no seed with all arms finished. Repeat the call "
                "of keras_tl.compare() or keras-tl compare: the comparison continues with the "
                "missing runs."
            )
        items = None if groups is None else len(groups)
        verdicts = decide(skills, min_difference, store.look, items)
        sizes = tuple(
            OfSize(
                size,
                seeds[size],
                curves[size],
                tuple(verdict for verdict in verdicts if verdict.size == size),
                choose(arms, min_difference),
            )
            for size, arms in skills.items()
        )
        return cls(
            plan["what"],
            skill.name,
            min_difference,
            sizes,
            str(store.folder),
            plan["logme"],
            store.look,
            None if grouped is None else Grouping.of(numbers, grouped["by"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the result of the comparison as JSON types.

        Example:
            >>> comparison.to_json()["min_difference"]
            0.05
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Create a `Comparison` from the dict that `to_json` returned.

        Example:
            >>> again = ktl.Comparison.from_json(comparison.to_json())
            >>> again.describe() == comparison.describe()
            True
        """
        grouping = values.get("grouping") and Grouping.from_json(values["grouping"])
        sizes = tuple(map(OfSize.from_json, values["sizes"]))
        return cls(**{**values, "sizes": sizes, "grouping": grouping})

    def sentences(self) -> dict[str, Any]:
        """Return the result of the comparison in words, for a report.

        `about` is a text on the compared networks and the method. `sizes` has a dict for each
        training set size: `title` (number of items), `verdicts` (a sentence on each pretrained arm)
        and `ship` (a sentence on the arm to ship).

        Example:
            >>> words = comparison.sentences()
            >>> sorted(words), words["sizes"][0]["title"]
            (['about', 'sizes'], 'all training items')
        """
        sizes = [
            {
                "title": wording.size_text(found.size),
                "verdicts": [
                    wording.verdict_text(verdict, self.skill, self.min_difference)
                    for verdict in found.verdicts
                ],
                "ship": wording.choice_text(found.ship),
            }
            for found in self.sizes
        ]
        networks = wording.about_text(self.what, self.skill, self.grouping)
        about = [networks, wording.logme_text(self.logme)]
        if self.look > 1:
            about.append(wording.look_text(self.look))
        return {"about": " ".join(about), "sizes": sizes}

    def describe(self) -> str:
        """Describe the verdicts and the measures of the learning curves.

        Example:
            >>> comparison.describe().splitlines()[-1].startswith("Ship: ")
            True
        """
        words = self.sentences()
        lines = [words["about"]]
        for found, said in zip(self.sizes, words["sizes"], strict=True):
            if len(self.sizes) > 1 or found.size is not None:
                lines.append(f"With {said['title']}:")
            for verdict, sentence in zip(found.verdicts, said["verdicts"], strict=True):
                lines += [sentence, f"    {wording.measures_text(verdict)}"]
            lines.append(said["ship"])
        return "\n".join(lines)

    def plot(self) -> Figure:
        """Plot the learning curves of the arms with 95% intervals, for each training set size.

        Example:
            >>> type(comparison.plot()).__name__
            'Figure'
        """
        return plots.comparison(self.to_json()["sizes"], self.skill)

    def __repr__(self) -> str:
        return self.describe()
