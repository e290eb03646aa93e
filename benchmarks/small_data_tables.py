"""Tables and targets of `small_data.py`, computed from its results file."""

import dataclasses
import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from common import table, verdict
from paired import Mean, mean_over

Row = dict[str, Any]

FROZEN = ("fit_head", "logistic", "knn")
TUNED = ("fine_tune", "fit", "guide")
LEGEND = (
    "A value is the mean over the data sets. After ±: half the 95% interval for other draws of "
    "training items from these data sets. In brackets: half the 95% interval for other data sets."
)


@dataclasses.dataclass(frozen=True)
class Runs:
    """Result rows, grouped by data set, number of items of each class, draw and contender."""

    rows: dict[tuple[str, int, int], dict[str, Row]]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Runs":
        """Group and sort the rows of a results file."""
        found: dict[tuple[str, int, int], dict[str, Row]] = {}
        for row in rows:
            place = row["set"], row["size"], row["draw"]
            found.setdefault(place, {})[row["contender"]] = row
        return cls(dict(sorted(found.items())))

    def where_all(self, contenders: Iterable[str]) -> "Runs":
        """Return only the runs on training items with which all of these contenders have a run."""
        wanted = set(contenders)
        return Runs({place: by for place, by in self.rows.items() if wanted <= set(by)})

    def only(self, sizes: Iterable[int] = (), kind: str | None = None) -> "Runs":
        """Return only the runs of some sizes, or of one kind of data."""
        sizes = set(sizes)
        return Runs(
            {
                place: by
                for place, by in self.rows.items()
                if (not sizes or place[1] in sizes)
                and (kind is None or next(iter(by.values()))["kind"] == kind)
            }
        )

    @property
    def contenders(self) -> list[str]:
        """Names of the contenders that have a row."""
        found = {name for by in self.rows.values() for name in by}
        return [name for name in (*FROZEN, *TUNED) if name in found]

    @property
    def sizes(self) -> list[int]:
        """Numbers of training items of each class that have a row."""
        return sorted({size for _, size, _ in self.rows})

    def mean(self, contender: str, field: str, minus: str | None = None) -> Mean | None:
        """Return the mean of a field, or of the paired difference to another contender's field.

        Each draw counts with its mean over the sizes, because a larger draw contains the smaller
        draw.
        """
        runs = self.where_all([contender] if minus is None else [contender, minus])
        values: dict[str, dict[int, list[float]]] = {}
        for (name, _, draw), by in runs.rows.items():
            less = by[minus][field] if minus else 0.0
            values.setdefault(name, {}).setdefault(draw, []).append(by[contender][field] - less)
        if not values:
            return None
        return mean_over(
            {name: [statistics.mean(each) for each in of.values()] for name, of in values.items()}
        )

    def cells(self, field: str, *contenders: str) -> dict[tuple[str, int], list[float]]:
        """Return the mean of a field over the draws, for each cell and contender."""
        found: dict[tuple[str, int], list[dict[str, Row]]] = {}
        for (name, size, _), by in self.where_all(contenders).rows.items():
            found.setdefault((name, size), []).append(by)
        return {
            cell: [statistics.mean(by[name][field] for by in draws) for name in contenders]
            for cell, draws in found.items()
        }


def report(rows: Iterable[Row]) -> list[str]:
    """Return the lines of all tables in Markdown, and the lines about the targets."""
    runs = Runs.of(rows)
    if not runs.rows:
        return ["There are no results yet."]
    lines = ["## All data sets", ""]
    frozen = [name for name in runs.contenders if name in FROZEN]
    lines += _means(runs.where_all(frozen), frozen)
    tuned = [name for name in runs.contenders if name in TUNED]
    if tuned:
        lines += ["", "## The data sets of the contenders that change the backbone", ""]
        lines += _means(runs.where_all(runs.contenders), runs.contenders)
    lines += ["", "## Accuracy of each cell", "", *_cells(runs), "", "## Targets", ""]
    return lines + [f"* {line}" for line in targets(runs)]


def _means(runs: Runs, contenders: Sequence[str]) -> list[str]:
    if not runs.rows:
        return ["No training items are common to all contenders yet."]
    rows = []
    for size in runs.sizes:
        at = runs.only(sizes=[size])
        for name in contenders:
            seconds = statistics.median(by[name]["seconds"] for by in at.rows.values())
            rows.append(
                [
                    name,
                    str(size),
                    _shown(at.mean(name, "accuracy")),
                    _shown(at.mean(name, "log_loss")),
                    _difference(at, name),
                    f"{seconds:.1f}",
                ]
            )
    header = ["contender", "a class", "accuracy", "log loss", "accuracy - logistic", "seconds"]
    sets = sorted({name for name, _, _ in runs.rows})
    draws = len({draw for _, _, draw in runs.rows})
    about = f"{len(sets)} data sets ({', '.join(sets)}), up to {draws} draws; seconds: median."
    return [*table(header, rows), "", f"{about} {LEGEND}"]


def _difference(runs: Runs, name: str) -> str:
    if name == "logistic" or "logistic" not in runs.contenders:
        return ""
    found = runs.mean(name, "accuracy", "logistic")
    if found is None:
        return ""
    return f"{found.value:+.3f}{_intervals(found)}"


def _shown(found: Mean) -> str:
    return f"{found.value:.3f}{_half(' ± {:.3f}', found.draws)}"


def _intervals(found: Mean) -> str:
    return _half(" ± {:.3f}", found.draws) + _half(" [{:.3f}]", found.sets)


def _half(form: str, width: float) -> str:
    """Format the half-width of an interval. Empty if there is only one draw or data set."""
    return "" if math.isnan(width) else form.format(width)


def _cells(runs: Runs) -> list[str]:
    contenders = runs.contenders
    shown, short = [], {}
    for name, size in dict.fromkeys((name, size) for name, size, _ in runs.rows):
        of = [by for place, by in runs.rows.items() if place[:2] == (name, size)]
        any_row = next(iter(of[0].values()))
        if any_row["short"]:
            short[name, size] = ", ".join(f"{k} {n}" for k, n in any_row["short"].items())
        values = [[by[who]["accuracy"] for by in of if who in by] for who in contenders]
        shown.append(
            [
                name,
                f"{size}{'*' if any_row['short'] else ''}",
                str(any_row["items"]),
                *(f"{statistics.mean(each):.3f}" if each else "" for each in values),
            ]
        )
    notes = [
        f"\\* {name} at {size}: these classes have fewer items, so all are used: {counts}."
        for (name, size), counts in short.items()
    ]
    lines = table(["data set", "a class", "items", *contenders], shown)
    return [*lines, "", *notes] if notes else lines


def targets(runs: Runs) -> list[str]:
    """Return a line for each target: the measured value, and whether the target is met."""
    lines = [
        _at_least("fit_head - logistic, mean accuracy", runs, "fit_head", "logistic", -0.003),
        _worst("fit_head - logistic, worst cell", runs, ("fit_head", "logistic"), -0.02),
    ]
    loss = runs.mean("fit_head", "log_loss", "logistic")
    name = "fit_head - logistic, mean log loss"
    if loss is None:
        lines.append(f"{name}: not measured")
    else:
        lines.append(f"{name}: {loss.value:+.3f}, at most 0: {verdict(loss.value <= 0)}")
    images = runs.only(kind="image", sizes=(30, 100))
    name = "fit - logistic, mean accuracy on images at 30 and 100 a class"
    lines.append(_at_least(name, images, "fit", "logistic", 0.03))
    for sizes, limit in (((30, 100), -0.01), ((10,), -0.02)):
        at = ", ".join(map(str, sizes))
        name = f"fit - the better of fit_head and fine_tune, worst cell at {at} a class"
        lines.append(_worst(name, runs.only(sizes), ("fit", "fit_head", "fine_tune"), limit))
    return [*lines, _cost(runs)]


def _at_least(name: str, runs: Runs, ours: str, theirs: str, limit: float) -> str:
    found = runs.mean(ours, "accuracy", theirs)
    if found is None:
        return f"{name}: not measured"
    holds = verdict(found.value >= limit)
    return f"{name}: {found.value:+.4f}{_intervals(found)}, at least {limit:+.3f}: {holds}"


def _worst(name: str, runs: Runs, contenders: tuple[str, ...], limit: float) -> str:
    differences = {
        cell: ours - max(others)
        for cell, (ours, *others) in runs.cells("accuracy", *contenders).items()
    }
    if not differences:
        return f"{name}: not measured"
    (where, size), worst = min(differences.items(), key=lambda pair: pair[1])
    holds = verdict(worst >= limit)
    return f"{name}: {worst:+.4f} ({where}, {size} a class), at least {limit:+.3f}: {holds}"


def _cost(runs: Runs) -> str:
    name = "seconds of fit over those of fine_tune"
    ratios = [
        by["fit"]["seconds"] / by["fine_tune"]["seconds"]
        for by in runs.where_all(["fit", "fine_tune"]).rows.values()
    ]
    if not ratios:
        return f"{name}: not measured"
    middle, worst = statistics.median(ratios), max(ratios)
    holds = f"at most 1.5: {verdict(worst <= 1.5)}; at most 6 (folds): {verdict(worst <= 6)}"
    return f"{name}: median {middle:.2f}, most {worst:.2f}; {holds}"
