"""Saved runs of a learner."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from keras_tl.base.config import ModelConfig
from keras_tl.base.files import local_path
from keras_tl.data.image_data import ImageData
from keras_tl.data.text_data import TextData
from keras_tl.errors import DataError, RunError
from keras_tl.evaluation.outcomes import read_outcomes
from keras_tl.learner.state import State
from keras_tl.models.device import choose_strategy
from keras_tl.preflight.findings import Findings
from keras_tl.report.exhibits import Exhibits
from keras_tl.report.facts import library_versions
from keras_tl.report.page import is_report, page_of
from keras_tl.runs.history import PhaseRecord
from keras_tl.runs.run_files import (
    REPORT,
    check_target,
    load_run_weights,
    read_run,
    run_files,
    run_results,
    write_run,
)
from keras_tl.selection.result import FitResult
from keras_tl.tasks import get_task

_FORMAT = 1


class Saving(State):
    """The part of a learner that saves it and loads it."""

    def save(self, path: str | os.PathLike, overwrite: bool = False) -> Path:
        """Save the run: configuration, weights, history, evaluations; JSON, HDF5, NumPy arrays.

        A learner replaces without being asked the run that it was loaded from or saved to, unless
        the run has changed since. Your own files in the run's folder are kept, and a report that is
        there is made anew.

        Args:
            path: the run's folder.
            overwrite: replace another run that is there.

        Returns:
            The run's folder.

        Raises:
            ConfigError: another run is there, and `overwrite` is false.
            RunError: the path holds something that is not a run.
        """
        path = local_path(path)
        check_target(path, overwrite or self._own_files.hold(path))
        report = page_of(self._material()) if is_report(path / REPORT) else None
        write_run(path, self._about(), self.model, self._files, self._results(), report)
        self._note_run(path)
        return path

    def _note_run(self, path: Path) -> None:
        self._own_files.note(path)
        if is_report(path / REPORT):
            self._own_files.note(path / REPORT)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike,
        data: ImageData | TextData | None = None,
        strategy: str | tf.distribute.Strategy = "auto",
        verbose: bool = True,
    ) -> Self:
        """Loads a saved run; it predicts and exports at once, and trains on given `data`.

        Raises:
            RunError: there is no run, it is damaged, or it is of a later version.
            DataError: the data have other classes than the run.
        """
        path = local_path(path)
        about = read_run(path)
        if about["format"] > _FORMAT:
            raise RunError(f"{path} was written by a later version of keras_tl. Update keras_tl.")
        config = ModelConfig.from_json(about["config"])
        if data is not None:
            _check_same_task(config, data)
        learner = cls.__new__(cls)
        chosen, files = choose_strategy(strategy), run_files(path)
        learner._build(config, None, chosen, about["seed"], data, verbose, files=files)
        load_run_weights(path, learner.model)
        learner.weights = about["weights"]
        learner._ancestry = tuple(about.get("ancestry", ()))
        learner._trained_with = {key: about[key] for key in ("data", "versions")}
        if not learner.has_own("train"):
            learner._reporter.say(
                "These are not the data the run was trained on, or they are split otherwise: "
                "images it has seen in training may be among those it is tested on."
            )
        learner.evaluations = about["evaluations"]
        results = run_results(path)
        learner.outcomes = read_outcomes(results, learner.evaluations)
        splits = () if data is None else data.splits
        others = [name for name in splits if not learner.has_own(name)]
        learner.exhibits = Exhibits.among(results).without_maps_of(others)
        if (fitted := about.get("fit")) is not None:
            learner.fitted = FitResult.from_json(fitted)
        if (found := about.get("findings")) is not None:
            learner.findings = Findings.from_json(found)
        learner._trainer.remember([PhaseRecord.from_json(row) for row in about["history"]])
        learner._note_run(Path(path))
        return learner

    def has_own(self, split: str) -> bool:
        """Whether the items of a split are the run's: those that it records of its data.

        Files are known by path, size and time: moved or copied ones are others. Without data, or
        without such a split, there are no others.

        Args:
            split: its name. Where the run records none, the training split decides.
        """
        if self.data is None or split not in self.data.splits or self._trained_with is None:
            return True
        recorded = (self._trained_with["data"] or {}).get("splits", {})
        name = split if split in recorded else "train"
        known = recorded.get(name, {}).get("fingerprint")
        return known is not None and known == self.data.splits[name].identity

    def keep(self, path: str | os.PathLike, splits: Collection[str]) -> bool:
        """Saves into the run that was loaded what has been measured or fitted since.

        Where splits are not the run's own (see `has_own`) what it says of its own data stays:
        of this learner it is given temperature and thresholds only.

        Args:
            path: where the run was loaded from.
            splits: names of the splits that were measured.

        Returns:
            Whether the splits are the run's own.
        """
        if not all(map(self.has_own, splits)):
            own = type(self).load(path, verbose=False)
            own.answer_as(self.config)
            own.save(path)
            self._own_files = own._own_files
            return False
        if "test" in splits:
            # It was answered anew, and `keras-tl report` has no data to look at.
            self.prepare_report()
        self.save(path)
        return True

    def _results(self) -> dict[str, bytes]:
        """The files with what was measured item by item."""
        files = dict(self.exhibits.files)
        for split, outcomes in self.outcomes.items():
            files |= outcomes.to_files(split)
        return files

    def _about(self) -> dict[str, Any]:
        """What a run records beside its weights, as JSON types."""
        trained_with = self._trained_with or {
            "data": self.data.describe() if self.data is not None else None,
            "versions": library_versions(),
        }
        return {
            "format": _FORMAT,
            "config": self.config.to_json(),
            "seed": self.seed,
            "weights": self.weights,
            "ancestry": list(self._ancestry),
            "history": [record.to_json() for record in self.history],
            "evaluations": self.evaluations,
            "fit": None if self.fitted is None else self.fitted.to_json(),
            "findings": None if self.findings is None else self.findings.to_json(),
            **trained_with,
        }


def _check_same_task(config: ModelConfig, data: ImageData | TextData) -> None:
    if config.is_text != isinstance(data, TextData):
        raise DataError(
            f"The run is for {'texts' if config.is_text else 'images'}; the data are not. Pass "
            "the data it was trained on, or make a new Learner."
        )
    # Two classes may have a logit each: `task="multiclass"` of the data that were trained on.
    have_one_class = all(get_task(name).has_one_class for name in (data.task, config.task))
    if data.task != config.task and not have_one_class:
        raise DataError(
            f"The run was trained for {config.task}; the data are for {data.task}. Pass the data "
            "it was trained on, or make a new Learner."
        )
    if data.class_names != config.class_names:
        raise DataError(
            f"The run knows the classes {', '.join(config.class_names)}; the data have "
            f"{', '.join(data.class_names)}. Pass the data it was trained on, or make a new "
            "Learner."
        )
