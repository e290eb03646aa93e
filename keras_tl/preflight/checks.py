"""Table of all preflight checks, and the function that runs these checks."""

from collections.abc import Callable

from keras_tl.errors import KerasTLError
from keras_tl.preflight import (
    feature_scale,
    head,
    image_duplicates,
    images,
    labels,
    reader_guesses,
    text_duplicates,
    texts,
    value_range,
)
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.finding_text import folder_of
from keras_tl.preflight.findings import Finding, Findings, NotChecked, Unreadable

Checking = Callable[[CheckContext], Finding | None]


def _by_modality(**checks: Checking) -> Checking:
    """Return a check that runs one of `checks`: the check for the data's modality, if any."""

    def check(context: CheckContext) -> Finding | None:
        found = checks.get(context.data.item)
        return None if found is None else found(context)

    return check


# `CHECKS` maps names of findings to checks. To add a check, add a line.
# The checks run in this order: checks of labels, then checks of items, then checks of the model.
CHECKS: dict[str, Checking] = {
    "folder-layout": reader_guesses.folder_layout,
    "unused-files": reader_guesses.unused_files,
    "label-type": reader_guesses.label_type,
    "labels-out-of-range": labels.labels_out_of_range,
    "unused-classes": labels.unused_classes,
    "few-items": labels.few_items,
    "class-imbalance": labels.class_imbalance,
    "constant-targets": labels.constant_targets,
    "small-test-split": labels.small_test_split,
    "exact-duplicates": _by_modality(
        image=image_duplicates.duplicate_images, text=text_duplicates.duplicate_texts
    ),
    "value-range": _by_modality(image=value_range.value_range),
    "pixel-range": _by_modality(image=images.pixel_range),
    "image-size": _by_modality(image=images.image_sizes),
    "preprocessing": _by_modality(image=images.preprocessing),
    "unknown-tokens": _by_modality(text=texts.unknown_tokens),
    "other-tokens": _by_modality(text=texts.other_tokens),
    "truncated-texts": _by_modality(text=texts.truncated_texts),
    "non-finite-features": head.non_finite_features,
    "constant-features": head.constant_features,
    "feature-scale": feature_scale.feature_scale,
    "initial-loss": head.initial_loss,
    "one-batch": head.one_batch,
    "near-duplicates": _by_modality(
        image=image_duplicates.near_duplicate_images, text=text_duplicates.equal_words
    ),
}


def run_checks(context: CheckContext) -> Findings:
    """Run every possible check. Stop after a finding of severity `"error"`: later checks may fail.

    A failed check must not prevent training. If a check itself fails, or a held-out split is
    unreadable, the result lists the check as not done. The function raises only errors that would
    also stop training.

    Findings name files by paths inside the data folder, because users share reports.

    Raises:
        DataError: A training item is unreadable.
        CacheError: The feature cache cannot store the features of the training split.
    """
    findings: list[Finding] = []
    not_checked: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name, check in CHECKS.items():
        if findings and findings[-1].severity == "error":
            not_checked[name] = f"the error {findings[-1].name} must be corrected first"
            continue
        try:
            found = check(context)
        except NotChecked as reason:
            not_checked[name] = str(reason)
        except Unreadable as reason:
            failed[name] = str(reason)
        except KerasTLError:
            raise
        except Exception as error:
            failed[name] = f"the check failed, {type(error).__name__}: {error}"[:300]
        else:
            findings += [found] if found is not None else []
    return Findings(findings, not_checked | failed, failed).without(folder_of(context.data))
