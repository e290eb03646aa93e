"""Convert the named outputs of a server to predictions."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_tl.base.results import MultilabelPredictions, Predictions, RegressionPredictions
from keras_tl.errors import MOST_QUOTED, ServingError
from keras_tl.serving.transport import Values

Answers = Mapping[str, np.ndarray]


def check_one_each(answers: Answers, inputs: Mapping[str, Values]) -> None:
    """Raise `ServingError` unless each output has one row for each item of the batch."""
    (count,) = {len(values) for values in inputs.values()}
    for name, rows in sorted(answers.items()):
        if np.shape(rows)[:1] != (count,):
            raise ServingError(
                f"Expected {count} rows of {name!r}, one row per sent item. Received an array of "
                f"shape {np.shape(rows)}. Use a model that learner.export() wrote."
            )


def differ(parts: Sequence[Answers]) -> bool:
    """Return whether the outputs of several batches have different names or shapes."""
    kinds = [{name: rows.shape[1:] for name, rows in part.items()} for part in parts]
    return any(kind != kinds[0] for kind in kinds)


def check_kind(answers: Answers) -> None:
    """Raise `ServingError` if the outputs are no predictions: for example, if they are features."""
    if np.ndim(answers.get("value")) == 1 or np.ndim(answers.get("probabilities")) == 2:
        return
    received = ", ".join(f"{name!r} {rows.shape}" for name, rows in sorted(answers.items()))
    raise ServingError(
        "Expected 'probabilities' (items, classes) or 'value' (items,) from the signature. "
        f"Received: {received[:MOST_QUOTED]}. Use client.embed(items) for features, "
        "client.ask(signature, inputs) for other outputs."
    )


def read_answers(
    answers: Answers, class_names: tuple[str, ...], sources: tuple[str, ...] | None
) -> Predictions | MultilabelPredictions | RegressionPredictions:
    """Convert outputs of a signature to the predictions that `learner.predict` returns.

    Args:
        answers: Outputs of a signature for all items, already checked by `check_kind`.
        class_names: Class names in the order of the model's outputs, or an empty tuple for a
            regression.
        sources: Path or text of each item, or `None` for items that are arrays or bytes.
    """
    valid = answers.get("valid")
    if "value" in answers:
        return RegressionPredictions(answers["value"], sources, valid)
    if "labels_mask" in answers:
        probabilities, mask = answers["probabilities"], answers["labels_mask"]
        return MultilabelPredictions(probabilities, mask, class_names, sources, valid)
    chosen = answers.get("class_id")
    return Predictions(answers["probabilities"], class_names, sources, valid, chosen)


def fits(answers: Answers, class_names: tuple[str, ...]) -> bool:
    """Return whether `class_names` has a name for each class, and agrees with the items' labels."""
    if answers["probabilities"].shape[1] != len(class_names):
        return False
    return all(class_names[number : number + 1] == (label,) for number, label in _best(answers))


def names_from(answers: Answers) -> tuple[str, ...]:
    """Return a name for each class: the label in the outputs, or the number of the class."""
    names = [str(number) for number in range(answers["probabilities"].shape[1])]
    for number, label in _best(answers):
        if number < len(names):
            names[number] = label
    return tuple(names)


def _best(answers: Answers) -> list[tuple[int, str]]:
    """Return number and name of the best class of each valid item."""
    pairs = zip(answers.get("class_id", ()), answers.get("label", ()), strict=True)
    return [(int(number), label) for number, label in pairs if number >= 0]
