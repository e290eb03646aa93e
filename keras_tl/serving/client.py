"""`Client`: send items to TF Serving by REST or gRPC, and return the predictions."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_tl.base.choices import OnInvalid
from keras_tl.base.config import ON_INVALID, check_choice, check_range
from keras_tl.base.results import MultilabelPredictions, Predictions, RegressionPredictions
from keras_tl.data.images.image_inputs import read_inputs
from keras_tl.data.prediction_items import PredictionItems
from keras_tl.data.texts.text_inputs import read_texts
from keras_tl.errors import ServingError, listed
from keras_tl.serving.answers import (
    Answers,
    check_kind,
    check_one_each,
    differ,
    fits,
    names_from,
    read_answers,
)
from keras_tl.serving.remote import RemoteModel
from keras_tl.serving.transport import Target

_CLASSIFY = "classify"
_EMBED = "embed"


class Client(RemoteModel):
    """Client of a model that `learner.export` wrote and TF Serving serves.

    The constructor sends no request. When a call first needs the signatures or the class names, the
    client reads them from the server and keeps them. If later outputs do not fit the signatures or
    the class names, the client reads signatures and class names again.

    Args:
        address: For REST, `http://HOST:PORT` or `https://HOST:PORT` (default port of TF Serving:
            8501). For gRPC, `grpc://HOST:PORT` (default port: 8500), with the pip extra `grpc`.
        model: Name of the model on the server.
        version: Number of the version to use.
        label: Label of the version to use, such as `"stable"`. Without `version` and `label`, the
            server uses the latest version.
        class_names: Class names in the order of the outputs. By default, the client reads the class
            names from the signature `classify` of the model. If the model has no signature
            `classify`, the client knows the names only of classes that the server returned as the
            `label` of an item. The name of every other class is its number.
        timeout: Seconds to wait for an answer in each try.
        retries: Number of retries if there is no answer, or if the server is busy (status 429, 502,
            503, 504, UNAVAILABLE or RESOURCE_EXHAUSTED). The first retry comes at once, the second
            after 0.4 seconds. Each later pause is twice as long as the pause before, and at most
            `timeout` seconds long. If the server names a time (`Retry-After`), the client waits for
            this time, but not longer than `timeout`.

    Raises:
        ConfigError: An argument is invalid, or tensorflow-serving-api is missing.

    Example:
        >>> client = ktl.serving.Client("http://localhost:8501", "photos", timeout=10)
        >>> client.close()
    """

    def __init__(
        self,
        address: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        class_names: Sequence[str] | None = None,
        timeout: float = 60.0,
        retries: int = 3,
    ):
        super().__init__(Target(address.rstrip("/"), model, version, label, timeout, retries))
        self._given_names = None if class_names is None else tuple(class_names)
        self._told_names: tuple[str, ...] | None = None

    def predict(
        self,
        items: Any,
        *,
        signature: str | None = None,
        batch_size: int = 32,
        on_invalid: OnInvalid = "raise",
    ) -> Predictions | MultilabelPredictions | RegressionPredictions:
        """Return the predictions of the model for items, as `learner.predict` does.

        Args:
            items: Items as for `learner.predict`. Images: a path, a folder, bytes, an array, or a
                list of these (see `keras_tl.data.images.image_inputs.read_inputs`). Texts: a text,
                a list of texts, or a list of pairs (see
                `keras_tl.data.texts.text_inputs.read_texts`). A data frame must have the column
                `path` or `text`, and for pairs of texts also the column `text_pair`.
            signature: Name of the signature to call. By default, the client calls
                `serving_default`, or `pixels` for arrays.
            batch_size: Number of items in one request.
            on_invalid: Treatment of files and bytes that are no image, and of texts that are empty
                or not UTF-8, as in `learner.predict`. With `"raise"`, the client raises an error
                that names the invalid items. With `"skip"`, the predictions do not contain invalid
                items. With `"keep"`, the predictions contain invalid items, with `valid` false and
                the reason.

        Returns:
            The predictions, in the order of the items. For a classification, the predictions
            contain probabilities in [0, 1], float32 (n, classes). For a regression, the predictions
            contain values, float32 (n,).

        Raises:
            DataError: An item is invalid, or has a type that `items` does not list. The message
                names this item.
            ServingError: The server does not answer, or its answer is not as expected.

        Example:
            >>> predictions = client.predict(["photos/red/0.png", "photos/red/1.png"])
            >>> predictions.labels
            ['red', 'red']
        """
        answers, given = self._answers(items, signature, batch_size, on_invalid)
        check_kind(answers)
        names = self._names_for(answers) if "probabilities" in answers else ()
        found = read_answers(answers, names, given.sources)
        if found.valid is not None and on_invalid == "keep":
            found = dataclasses.replace(found, reasons=given.reasons(found.valid))
        return found.only_valid() if on_invalid == "skip" else found

    def embed(
        self, items: Any, *, batch_size: int = 32, on_invalid: OnInvalid = "raise"
    ) -> np.ndarray:
        """Return the features of the backbone, as `learner.features` does.

        Args:
            items: Items as in `predict`, but no arrays: the signature `embed` accepts no arrays.
            batch_size: Number of items in one request.
            on_invalid: Treatment of invalid items, as in `predict`. With `"keep"`, the features of
                invalid items are NaN.

        Returns:
            The features of the n items: float32 array (n, d), in the order of the items.

        Raises:
            DataError: An item is invalid, or has a type that `predict` does not accept either. The
                message names this item.
            ServingError: The items are arrays, the server does not answer, or its answer is not as
                expected.

        Example:
            >>> client.embed(["photos/red/0.png", "photos/red/1.png"]).shape
            (2, 16)
        """
        answers, _ = self._answers(items, _EMBED, batch_size, on_invalid)
        with self._target.reading():
            features = answers["features"]
        if "valid" not in answers:
            return features
        valid = answers["valid"]
        if on_invalid == "skip":
            return features[valid]
        return np.where(valid[:, None], features, np.float32(np.nan))

    def _answers(
        self, items: Any, signature: str | None, batch_size: int, on_invalid: OnInvalid
    ) -> tuple[Answers, PredictionItems]:
        """Send `items` in batches. Return the outputs for all items, and the items as read."""
        check_range("batch_size", batch_size, 1, whole=True)
        check_choice("on_invalid", on_invalid, ON_INVALID)
        given = _read_items(items, _inputs_of(self._signatures), on_invalid)
        parts = []
        for usual, inputs in given.questions(batch_size):
            parts.append(self.ask(signature or usual, inputs))
            check_one_each(parts[-1], inputs)
        if differ(parts):
            self._forget()
            raise ServingError(
                f"The server {self._target.address} switched to another version between two "
                "batches. The outputs of both versions differ in names or number of classes. "
                "Repeat the call."
            )
        answers = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        valid = answers.get("valid", np.ones(len(given), bool))
        if on_invalid == "raise" or (on_invalid == "skip" and not valid.any()):
            given.check_valid(valid)
        return answers, given

    def _names_for(self, answers: Answers) -> tuple[str, ...]:
        """Return the class names in the order of the outputs.

        If the server has switched to a version with different classes, the client reads the class
        names again.
        """
        names = self._names() or names_from(answers)
        if not fits(answers, names) and self._given_names is None:
            self._forget()
            names = self._names() or names_from(answers)
        if not fits(answers, names):
            raise ServingError(
                f"The model's {answers['probabilities'].shape[1]} classes do not have these "
                f"{len(names)} names: {listed(names)}. Pass the names in the order of the outputs "
                "as class_names=. If the server is switching to another version, repeat the call."
            )
        return names

    def _names(self) -> tuple[str, ...] | None:
        if self._given_names is not None:
            return self._given_names
        if self._told_names is None and _CLASSIFY in self._signatures:
            # Send an empty image or text, because only the class names in the answer matter.
            takes = _inputs_of(self._signatures) & {"image_bytes", "text", "text_pair"}
            with self._explaining():
                told = self._transport.classify(_CLASSIFY, dict.fromkeys(sorted(takes), b""))
            self._told_names = tuple(told)
        return self._told_names

    def _forget(self) -> None:
        super()._forget()
        self._told_names = None


def _inputs_of(signatures: Mapping[str, Any]) -> set[str]:
    return {name for signature in signatures.values() for name in signature["inputs"]}


def _read_items(items: Any, takes: set[str], on_invalid: OnInvalid) -> PredictionItems:
    """Read the items as images or as texts, depending on the inputs that the model takes."""
    if takes & {"image_bytes", "pixels"}:
        return read_inputs(items, on_invalid=on_invalid)
    if "text" in takes:
        return read_texts(items, are_pairs="text_pair" in takes, on_invalid=on_invalid)
    raise ServingError(
        "Expected a model that learner.export() wrote, with the input 'image_bytes' or 'text'. "
        f"The inputs of this model are {listed(sorted(takes))}. Use client.ask(signature, inputs)."
    )
