"""The table of the checks, and what runs it."""

from collections.abc import Callable

from keras_tl.errors import KerasTLError
from keras_tl.preflight import duplicates, head, images, labels, readings, scale, texts, values
from keras_tl.preflight.findings import Finding, Findings, NotChecked, Unreadable
from keras_tl.preflight.subject import Subject
from keras_tl.preflight.wording import folder_of

# By the name of what each finds, in the order in which they are done: those that need the labels
# only, the items, the model. A new check is one more line.
CHECKS: dict[str, Callable[[Subject], Finding | None]] = {
    "folder-layout": readings.folder_layout,
    "unused-files": readings.unused_files,
    "label-type": readings.label_type,
    "labels-out-of-range": labels.labels_out_of_range,
    "unused-classes": labels.unused_classes,
    "few-items": labels.few_items,
    "class-imbalance": labels.class_imbalance,
    "constant-targets": labels.constant_targets,
    "small-test-split": labels.small_test_split,
    "exact-duplicates": duplicates.exact_duplicates,
    "value-range": values.value_range,
    "pixel-range": images.pixel_range,
    "image-size": images.image_sizes,
    "preprocessing": images.preprocessing,
    "unknown-tokens": texts.unknown_tokens,
    "other-tokens": texts.other_tokens,
    "truncated-texts": texts.truncated_texts,
    "non-finite-features": head.non_finite_features,
    "constant-features": head.constant_features,
    "feature-scale": scale.feature_scale,
    "initial-loss": head.initial_loss,
    "one-batch": head.one_batch,
    "near-duplicates": duplicates.near_duplicates,
}


def run_checks(subject: Subject) -> Findings:
    """Does every check that can be done; an error ends them, as others would fail on it.

    A check that fails for a reason of its own, or because a held-out split cannot be read, is named
    among those not done: neither may keep anybody from training. Only what training itself would
    stop at is raised.

    Files are named by their paths inside the folder of the data: findings are part of a report,
    which is passed on.

    Raises:
        DataError: a training item cannot be read.
        CacheError: the features of the training split cannot be kept where asked.
    """
    findings: list[Finding] = []
    not_checked: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name, check in CHECKS.items():
        if findings and findings[-1].severity == "error":
            not_checked[name] = f"{findings[-1].name} has to be put right first"
            continue
        try:
            found = check(subject)
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
    return Findings(findings, not_checked | failed, failed).without(folder_of(subject.data))
