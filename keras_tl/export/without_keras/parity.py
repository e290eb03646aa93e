"""Compare the outputs of an export with the recorded outputs of the model."""

import numpy as np

from . import graph
from .errors import first_line
from .examples import decode_array


def compare(session, signatures, recorded: dict) -> tuple[list[str], dict]:
    """Call every signature with its recorded inputs and compare the outputs.

    Returns:
        Sentences about problems, and the largest difference between recorded and new values, by
        signature and output (relative for values above 1). A difference is `None` if dtype, shape,
        integers or strings are wrong, or if an output is NaN or infinite.
    """
    problems, differences = [], {}
    for name, example in recorded.items():
        try:
            arrays = {key: decode_array(array) for key, array in example["inputs"].items()}
            answers = graph.ask(session, signatures[name], arrays, example["outputs"])
        except KeyError as error:
            problems.append(
                f"The recorded examples name {error.args[0]}, which is no input or output of {name}"
                if name in signatures
                else f"The recorded examples call {name}, which is no signature of the export"
            )
            continue
        except Exception as error:
            problems.append(f"{name} fails on its recorded examples: {first_line(error)}")
            continue
        differences[name] = {}
        for output, array in example["outputs"].items():
            difference, problem = _difference(answers[output], decode_array(array))
            differences[name][output] = difference
            if problem:
                problems.append(f"{name}/{output} {problem}")
    return problems, differences


def _difference(answer: np.ndarray, expected: np.ndarray) -> tuple[float | None, str | None]:
    if (answer.shape, answer.dtype) != (expected.shape, expected.dtype):
        return None, (
            f"is {answer.dtype}{list(answer.shape)}, but was {expected.dtype}"
            f"{list(expected.shape)} at the time of the export"
        )
    if answer.dtype.kind != "f":
        same = np.array_equal(answer, expected)
        return (0.0, None) if same else (None, "differs from the output of the model")
    # The difference is relative for values above 1, because regression values may be large.
    difference = np.abs(answer - expected) / np.maximum(np.abs(expected), 1)
    largest = float(difference.max(initial=0))
    return (largest, None) if np.isfinite(largest) else (None, "is not finite")
