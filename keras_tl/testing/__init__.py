"""Conformance suite: checks that every backbone must pass, built-in backbones and your own.

A case names a backbone of the catalogue or a backbone that you have registered with
`keras_tl.backbones.register`. This test checks two cases::

    from keras_tl import testing

    @testing.parametrize_with_checks([testing.Case("resnet50"), testing.Case("mobilenet")])
    def test_backbone(case, check, tmp_path):
        check(case, tmp_path)

If the backbone is a function that builds a `keras.Model`, set `preprocess=` too. TF-Hub modules and
KerasHub presets have the same names as for `Learner`. For text encoders, set `task=`::

    Case("tfhub:modules/vectors", image_size=96)
    Case("tfhub:modules/sentences", task=words)
    Case("kerashub:bert_tiny_en_uncased", task=words)
    Case("tfhub:modules/bert", task=words, preprocess="modules/vocab.txt", repeatable=False)

The tasks are `colours` (images), `words` and `word_pairs` (English texts). Your own task is a
function that takes the case and returns `ImageData` or `TextData`. Set `repeatable=False` if no
seed reaches the dropout of a module from Keras 2. Set `tunable=False` for a module that cannot be
fine-tuned.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from keras_tl.testing.cases import CASES, Case, colours, word_pairs, words
from keras_tl.testing.checks import CHECKS

if TYPE_CHECKING:
    import pytest

__all__ = [
    "CASES",
    "CHECKS",
    "Case",
    "colours",
    "parametrize_with_checks",
    "word_pairs",
    "words",
]


def parametrize_with_checks(
    cases: Iterable[Case],
    *,
    marks: Callable[[Case, Callable[..., Any]], Iterable[Any]] = lambda case, check: (),
) -> "pytest.MarkDecorator":
    """Parametrize a test over all pairs of a case and a check that applies to this case.

    Args:
        cases: Backbones to check, with their settings. The test takes the arguments `case` and
            `check`.
        marks: Function that takes a case and a check, and returns pytest marks for the pair, such
            as `[pytest.mark.slow]`.

    Returns:
        A decorator for a test function.

    Example:
        >>> case = ktl.testing.Case(backbone="resnet50", image_size=32)
        >>> ktl.testing.parametrize_with_checks([case]).name
        'parametrize'
    """
    # Only this function needs pytest, which users need not install.
    import pytest

    return pytest.mark.parametrize(
        ("case", "check"),
        [
            pytest.param(
                case,
                check,
                id=f"{case.name}-{check.__name__.removeprefix('check_')}",
                marks=tuple(marks(case, check)),
            )
            for case in cases
            for check in CHECKS
            if check.applies(case)
        ],
    )
