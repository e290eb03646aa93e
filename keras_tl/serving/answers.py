"""A server's named outputs as predictions."""

from collections.abc import Mapping

import numpy as np

from keras_tl.errors import ServingError, listed
from keras_tl.results import MultilabelPredictions, Predictions, RegressionPredictions

Answers = Mapping[str, np.ndarray]


def read_answers(
    answers: Answers, class_names: tuple[str, ...], sources: tuple[str, ...] | None
) -> Predictions | MultilabelPredictions | RegressionPredictions:
    """The results that `learner.predict` gives.

    Args:
        answers: the outputs of a signature for all items.
        class_names: the classes' names, in the order of the outputs; of a regression, none.
        sources: what the items are called, or `None`.

    Raises:
        ServingError: the outputs are no predictions.
    """
    valid = answers.get("valid")
    if "value" in answers:
        return RegressionPredictions(answers["value"], sources, valid)
    if "labels_mask" in answers:
        probabilities, mask = answers["probabilities"], answers["labels_mask"]
        return MultilabelPredictions(probabilities, mask, class_names, sources, valid)
    if "probabilities" in answers:
        chosen = answers.get("class_id")
        return Predictions(answers["probabilities"], class_names, sources, valid, chosen)
    raise ServingError(
        "Expected 'probabilities' or 'value' from the signature. Received: "
        f"{listed(sorted(answers))}. Use client.embed(items) for features, "
        "client.ask(signature, inputs) for anything else."
    )


def fits(answers: Answers, class_names: tuple[str, ...]) -> bool:
    """Whether the names can be those of the answers' classes."""
    if answers["probabilities"].shape[1] != len(class_names):
        return False
    return all(class_names[number] == label for number, label in _best(answers))


def names_from(answers: Answers) -> tuple[str, ...]:
    """The name of each class that is the best of an item, the number of each other one."""
    names = [str(number) for number in range(answers["probabilities"].shape[1])]
    for number, label in _best(answers):
        names[number] = label
    return tuple(names)


def _best(answers: Answers) -> list[tuple[int, str]]:
    """Number and name of each item's best class; bytes that are no image have none."""
    pairs = zip(answers.get("class_id", ()), answers.get("label", ()), strict=True)
    return [(int(number), label) for number, label in pairs if number >= 0]
