"""Compare the outputs of an exported file with the outputs of the model."""

from collections.abc import Mapping

import numpy as np

from keras_tl.tasks import THRESHOLD

Answers = Mapping[str, np.ndarray]

# Largest allowed difference from the model's outputs, relative for values above 1. Measured
# differences on photos and texts were at most 3e-6 (float32) and 1.4e-2 (float16), see
# docs/how-to/other-runtimes.md, "Size and speed of the files".
TOLERANCES = {"float32": 1e-4, "float16": 5e-2}

_DECIDED = ("class_id", "labels_mask")


def compare(
    answers: Answers, expected: Answers, precision: str, thresholds: tuple[float, ...] = ()
) -> tuple[dict, list[str]]:
    """Compare the outputs of an exported file with the expected outputs of the model.

    Returns:
        The largest difference of each float output (relative for values above 1), and a sentence
        without full stop for each wrong output.
    """
    differences, problems = {}, []
    if set(answers) != set(expected):
        return {}, [f"the file has the outputs {sorted(answers)}, the model has {sorted(expected)}"]
    for name, values in expected.items():
        found = answers[name]
        if (found.shape, found.dtype) != (values.shape, values.dtype):
            problems.append(
                f"{name} is {found.dtype}{list(found.shape)}, but in the model "
                f"{values.dtype}{list(values.shape)}"
            )
        elif name in _DECIDED:
            if not np.array_equal(found, _decided(name, answers["probabilities"], thresholds)):
                problems.append(f"{name} contradicts the probabilities that the file returns")
        else:
            difference = np.abs(found - values) / np.maximum(np.abs(values), 1)
            differences[name] = float(difference.max(initial=0))
            # `not ... <= ...` is also true if the difference is NaN.
            if not differences[name] <= TOLERANCES[precision]:
                problems.append(
                    f"{name} differs by {differences[name]:.1e} (allowed: "
                    f"{TOLERANCES[precision]:.0e} in {precision})"
                )
    return differences, problems


def _decided(name: str, probabilities: np.ndarray, thresholds: tuple[float, ...]) -> np.ndarray:
    """Return the decisions that follow from the file's probabilities.

    At nearly equal probabilities, or near a threshold, the model itself may decide differently,
    because its probabilities differ slightly from those of the file.
    """
    at = np.array(thresholds or THRESHOLD, probabilities.dtype)
    if name == "labels_mask":
        return probabilities > at
    return probabilities[:, 1] > at if thresholds else probabilities.argmax(-1)
