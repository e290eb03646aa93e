"""The conformance suite: what must hold of every backbone, for ours and for yours.

from keras_tl.testing import Case, parametrize_with_checks

@parametrize_with_checks([Case("resnet50", image_size=32)])
def test_backbone(case, check, tmp_path):
    check(case, tmp_path)

A case names a backbone of the catalogue or one that is registered (`keras_tl.backbones.register`),
or holds a function that builds a `keras.Model`, and then `preprocess=`. A TF-Hub module or a preset
of KerasHub is named as for `Learner`, and `task=` makes texts for one that takes texts:

Case("tfhub:modules/vectors", image_size=96)
Case("tfhub:modules/sentences", task=words)
Case("kerashub:bert_tiny_en_uncased", task=words)
Case("tfhub:modules/bert", task=words, preprocess="modules/vocab.txt", repeatable=False)

The tasks are `colours` (images), `words` and `word_pairs` (English texts), or a function of your
own that takes the case and gives `ImageData` or `TextData`. `repeatable=False` is for a module with
dropout that no seed reaches, as Keras 2 saved it; `tunable=False` for one that can only be used
frozen.
"""

from collections.abc import Callable, Iterable

import pytest

from keras_tl.testing.cases import CASES, Case, colours, word_pairs, words
from keras_tl.testing.checks import CHECKS

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
    cases: Iterable[Case], marks: Callable[[Case, Callable], Iterable] = lambda case, check: ()
) -> pytest.MarkDecorator:
    """Runs a test, which takes `case` and `check`, for every pair that applies.

    Args:
        cases: the backbones.
        marks: gives the pytest marks of a pair, such as `pytest.mark.slow`.
    """
    return pytest.mark.parametrize(
        ("case", "check"),
        [
            pytest.param(
                case,
                check,
                id=f"{case.name}-{check.__name__.removeprefix('check_')}",
                marks=marks(case, check),
            )
            for case in cases
            for check in CHECKS
            if check.applies(case)
        ],
    )
