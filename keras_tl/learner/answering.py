"""What a learner answers: here, as features, and as an export elsewhere."""

import dataclasses
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from keras_tl.base.config import ON_INVALID, SAVED_MODEL, CacheConfig, check_choice
from keras_tl.base.files import local_path
from keras_tl.base.overwriting import check_new
from keras_tl.base.results import MultilabelPredictions, Predictions, RegressionPredictions
from keras_tl.data.images.image_inputs import ImageInput
from keras_tl.data.items import Items
from keras_tl.data.labelled_data import Split
from keras_tl.data.texts.text_inputs import TextInput
from keras_tl.errors import ConfigError, quoted
from keras_tl.export.feature_files import check_feature_file, write_features
from keras_tl.export.runtimes.numeric import NumericModel
from keras_tl.export.runtimes.writing import export_file, find_runtime
from keras_tl.export.saved_model import export_version
from keras_tl.export.server_configuration import check_serving, write_serving
from keras_tl.export.serving import BATCH, VALID
from keras_tl.features.rows import with_gaps
from keras_tl.learner.state import State
from keras_tl.report.card import write_card


class Answering(State):
    """The part of a learner that answers, and is exported to answer."""

    def predict(
        self, items: ImageInput | TextInput, on_invalid: str = "raise"
    ) -> Predictions | MultilabelPredictions | RegressionPredictions:
        """Labels and probabilities, or values, from the same graph that `export` writes.

        Args:
            items: images: a path, a folder, bytes, an array, or a list of one of these (see
                `keras_tl.data.images.image_inputs.read_inputs`). Texts: a text, a list of texts,
                or a list of pairs (see `keras_tl.data.texts.text_inputs.read_texts`). Both: a
                split, a `tf.data.Dataset`, or a `pandas.DataFrame` with the columns of the training
                data.
            on_invalid: what to do about files and bytes that are no image, and texts that are
                blank or not UTF-8: `"raise"` an error that names them, `"skip"` them, or `"keep"`
                them, with `valid` false and the reason in the results. The last two say why on
                standard error.

        Raises:
            DataError: something given is no such item; the message names it.
            ConfigError: a path is of a file system that is not supported.
        """
        given = self._read(items, on_invalid)
        answers = self.serving_model.answers_to(given.questions(BATCH))
        found = self.task.predictions(answers, given.sources)
        if VALID in answers:
            self._report_invalid(given, answers[VALID], on_invalid)
            if on_invalid != "raise":
                reasons = given.reasons(answers[VALID])
                found = dataclasses.replace(found, valid=answers[VALID], reasons=reasons)
        return found.only_valid() if on_invalid == "skip" else found

    def features(self, items: ImageInput | TextInput, on_invalid: str = "raise") -> np.ndarray:
        """The fixed feature extractor: what the head is given, as vectors.

        Args:
            items: as for `predict`.
            on_invalid: as for `predict`; the features of items that are kept are NaN.

        Returns:
            float32 array (n, d).
        """
        _, batches = self._feature_batches(items, on_invalid)
        return np.concatenate(list(batches))

    def split_features(
        self, split: str | Split = "train", cache: str | CacheConfig = "auto"
    ) -> np.ndarray:
        """The same of a split of the data, from the feature cache or computed and kept there.

        Args:
            split: its name; or items of your own choice, such as `data.split("train").take(rows)`.
            cache: as in `fit_head`, which finds there what was computed here.

        Returns:
            float32 array (n, d), in the split's order.

        Raises:
            DataError: there are no data, or no such split.
            CacheError: the features cannot be kept where asked.
        """
        chosen = self._need_data().split(split) if isinstance(split, str) else split
        config = cache if isinstance(cache, CacheConfig) else CacheConfig(cache)
        if config.where == "off":
            rows = np.concatenate(list(self._trainer.features.batches(chosen)))
        else:
            self._trainer.features.keep_in(config)
            rows = self._trainer.features.of(chosen).all_rows
        return rows.reshape(len(rows), -1)

    def save_features(
        self,
        items: ImageInput | TextInput,
        path: str | os.PathLike,
        on_invalid: str = "raise",
        overwrite: bool = False,
    ) -> tuple[int, int]:
        """Writes the same to a file, a batch at a time, for other tools.

        Args:
            items: as for `predict`.
            path: `.npy` for an array (n, d); `.parquet` for columns `source` (the image's path or
                number, or the text) and `features` (a list of d float32).
            on_invalid: as for `features`.
            overwrite: replace a file that is there.

        Returns:
            (n, d).

        Raises:
            ConfigError: the path ends otherwise, is of a file system that is not supported, or
                there is a file and `overwrite` is false.
        """
        path = local_path(path)
        check_feature_file(path)
        check_new(path, overwrite=overwrite)
        sources, batches = self._feature_batches(items, on_invalid)
        shape = (len(sources), math.prod(self.extractor.output_shape[1:]))
        write_features(path, batches, shape, sources)
        return shape

    def _read(self, items: ImageInput | TextInput, on_invalid: str) -> Items:
        check_choice("on_invalid", on_invalid, ON_INVALID)
        given = self._modality.read(items, self._source_settings, on_invalid)
        for unused in given.unused:
            self._reporter.say(unused.advice)
        return given

    def _feature_batches(
        self, items: ImageInput | TextInput, on_invalid: str
    ) -> tuple[tuple[str, ...], Iterator[np.ndarray]]:
        """What the items are called, and their features, a batch (k, d) at a time."""
        given = self._read(items, on_invalid)
        sources = given.sources or tuple(map(str, range(len(given))))
        if on_invalid == "raise":
            return sources, self._rows_of(given)
        valid = given.valid()
        self._report_invalid(given, valid, on_invalid)
        rows = np.flatnonzero(valid)
        batches = self._rows_of(given.take(rows)) if len(rows) else iter(())
        if on_invalid == "skip":
            return tuple(sources[row] for row in rows), batches
        return sources, with_gaps(batches, valid, math.prod(self.extractor.output_shape[1:]))

    def _rows_of(self, given: Items) -> Iterator[np.ndarray]:
        batches = self._trainer.features.batches(self._modality.as_split(given))
        return (np.reshape(batch, (len(batch), -1)) for batch in batches)

    def _report_invalid(self, given: Items, valid: np.ndarray, on_invalid: str) -> None:
        """Says which items have no answer, and why.

        Raises:
            DataError: that is an error, or no item is left.
        """
        if on_invalid == "raise" or (on_invalid == "skip" and not valid.any()):
            given.check_valid(valid)
        bad = np.flatnonzero(~valid)
        if len(bad):
            done = "Left out" if on_invalid == "skip" else "Kept without an answer"
            reasons = "\n".join(map(given.reason, bad))
            self._reporter.say(f"{done}: {len(bad):,} of {len(valid):,} {given.item}s.\n{reasons}")

    def export(
        self,
        path: str | os.PathLike,
        format: str = SAVED_MODEL,
        precision: str = "float32",
        serving: bool = False,
        card: Mapping[str, str] | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Writes the next version of a SavedModel below `path`, verified; or another format.

        Args:
            path: the model's folder, such as `saved_models/photos`; of another format the file.
            format: `"savedmodel"`; `"litert"` or `"onnx"`, which take numbers only and need the
                extra of the same name: see `keras_tl.export.runtimes.writing.export_file`.
            precision: of those two, `"float32"` or `"float16"`.
            serving: write `serving/` beside the versions of a SavedModel too, configuration and
                clients for those who run a server (see
                `export.server_configuration.write_serving`).
            card: sections of a SavedModel's card that only you can write, by their headings, in
                Markdown, such as `{"Intended use": "..."}`.
            overwrite: of another format, replace the files that are there. A version of a
                SavedModel is never replaced.

        Returns:
            The folder of the version, such as `saved_models/photos/1`; or the file.

        Raises:
            ConfigError: an argument is not as described, the extra is missing, or, with `serving`,
                the folder's name cannot be a model's name on a server. Or there is a file of
                another format, and `overwrite` is false. Nothing is written.
            ExportError: what was written does not answer as the model does; it is not kept. Or the
                model cannot be converted.
        """
        path = local_path(path)
        if runtime := find_runtime(path, format, precision):
            if serving or card is not None:
                raise ConfigError(
                    "Only a SavedModel has a folder for servers and a model card. Expected "
                    f"neither serving= nor card= with format={quoted(format)}; export a SavedModel "
                    "for them."
                )
            model = NumericModel(self.serving_model, self._twin, self.task, self._modality)
            worst = export_file(model, path, runtime, precision, overwrite)
            self._reporter.say(f"Exported {path}: compared, largest difference {worst:.1e}.")
            return path
        if serving:
            check_serving(path)
        made_up = self._modality.made_up()
        texts = write_card(self._facts(), path.resolve().name, card)
        version, found = export_version(self.serving_model, made_up, self.class_names, path, texts)
        worst = max(d for outputs in found.differences.values() for d in outputs.values())
        self._reporter.say(f"Exported {version}: verified, largest difference {worst:.1e}.")
        if serving:
            folder, kept = write_serving(version)
            changed = f" Kept what was changed or added: {', '.join(kept)}." if kept else ""
            self._reporter.say(f"Wrote {folder}.{changed}")
        return version
