"""Warnings and limits in sentences: facts that everyone who deploys a model must know."""

from keras_tl.models.modalities import MODALITIES
from keras_tl.report.data_facts import DataFacts, SplitFacts
from keras_tl.report.facts import Facts
from keras_tl.report.pretraining import IMAGENET, RANDOM
from keras_tl.report.split_metrics import MetricEstimate, SplitMetrics
from keras_tl.runs.ancestry import LANGUAGE_MODEL

# A confidence interval wider than this hides differences that matter in use.
_WIDE = 0.1
# Items of the most frequent class divided by items of the rarest class. Above this ratio, the
# report says that the classes are imbalanced.
_IMBALANCED = 2.0
# With 30 items of a class, the 95% interval of a recall of 0.5 is about +-0.17.
_FEW = 30
_NOT_RECORDED = MetricEstimate(None)


def warnings_of(facts: Facts) -> list[str]:
    """Return the reasons not to use a model, or not to trust its model card."""
    found = []
    if not facts.history:
        found.append(
            "The head is untrained, so the predictions mean nothing. Train the head with "
            "`learner.fit_head()`."
        )
    if not facts.is_as_trained:
        found.append(
            "The weights were changed after the last phase of training, by other code or by an "
            "interrupted training. The recorded phases describe the earlier weights. Train again "
            "to get a matching record."
        )
    if facts.data is None:
        found.append("The training data are not recorded.")
    splits = {} if facts.data is None else facts.data.splits
    if facts.untested is not None:
        found.append(facts.untested)
    elif facts.test is not None:
        found += _doubts(facts.test, splits.get("test"))
        found += _guesses(facts.test, has_thresholds=bool(facts.config.thresholds))
    elif splits and "test" not in splits:
        found.append(
            "The model was not evaluated: the data have no test split. Load the data with "
            "`test_split=0.15` and train again. Only unseen items show how good the model is."
        )
    else:
        found.append(
            "The model was not evaluated on the test split: run `learner.evaluate()` or `keras-tl "
            "evaluate` before the export."
        )
    return found


def _doubts(test: SplitMetrics, split: SplitFacts | None) -> list[str]:
    if split is None:
        return []
    if split.items != test.items:
        return [
            f"The metrics were measured on {test.items:,} items, but the test split of the "
            f"training run has {split.items:,} items. The metrics therefore describe other data."
        ]
    if None in (both := {test.fingerprint, split.fingerprint}) or len(both) == 1:
        return []
    return [
        "The metrics were not measured on the test split of the training run, or the files of "
        "this split were moved or changed."
    ]


def _guesses(test: SplitMetrics, has_thresholds: bool) -> list[str]:
    """Return a warning if neither accuracy nor AUC is clearly better than guessing."""
    share = test.most_frequent_share
    accuracy = test.metrics.get("accuracy", _NOT_RECORDED).interval
    auc = test.metrics.get("auc", _NOT_RECORDED)
    ranks = auc.interval is not None and auc.interval[0] > 0.5
    if share is None or accuracy is None or accuracy[0] > share:
        return []
    if not has_thresholds:
        said = (
            "The model is not clearly better than always predicting the most frequent class, which "
            f"is right for {share:.1%} of the items."
        )
        if ranks:
            said += (
                f" But the model ranks the items better than a random order (AUC {auc.value:.3f}). "
                "Choose a decision threshold other than 0.5 with `learner.choose_thresholds()` or "
                "`keras-tl thresholds`."
            )
        return [said]
    # A chosen threshold trades accuracy for precision or recall, but does not change the AUC.
    if ranks or auc.interval is None:
        return []
    return [
        f"The model is not clearly better than guessing: AUC {auc.value:.3f}, with a 95% interval "
        f"from {auc.interval[0]:.3f}. A random order of the items has an AUC of 0.5."
    ]


def limits_of(facts: Facts) -> dict[str, str]:
    """Return the limits and risks: a dict from heading to text."""
    found = {
        "Out of domain": _out_of_domain(facts),
        "Inherited bias": _bias(facts),
        "Groups": _groups(facts),
    }
    if facts.task.has_probabilities:
        found["Calibration"] = _calibration(facts)
    if facts.test is not None:
        found |= _test_set(facts.test, facts.item)
    if facts.data is not None:
        found |= _data(facts.data, facts.item)
    return found | {"Unusable items": _unusable(facts), "Licences": _licences(facts)}


def _out_of_domain(facts: Facts) -> str:
    sure = ", often with a high probability (Hendrycks and Gimpel, 2017, arXiv:1610.02136)"
    return (
        f"For every input the model predicts {facts.task.answers_with}, also for {facts.item}s "
        f"unlike the training data{sure if facts.task.has_probabilities else ''}. The model does "
        "not report unfamiliar inputs."
    )


def _bias(facts: Facts) -> str:
    before, item = facts.pretraining, facts.item
    own = f"The model learns the bias in the {item}s of this task and in their labels."
    inherited = {
        IMAGENET: "The backbone was pretrained on ImageNet: photographs from the web that people "
        "labelled. ImageNet represents places, people and things unevenly (Yang et al., 2020, "
        "arXiv:1912.07726).",
        RANDOM: "The weights were random before any training.",
        LANGUAGE_MODEL: "The backbone is a language model, which was trained to reproduce its "
        "texts.",
    }.get(before.kind, "The first pretraining data of the backbone are not recorded.")
    if before.ancestry:
        inherited += " This document lists all earlier trainings of the backbone."
    elif before.kind == RANDOM:
        return f"{inherited} {own}"
    return (
        f"{inherited} The model inherits the bias of this pretraining, and fine-tuning does not "
        f"remove the bias. {own}"
    )


def _groups(facts: Facts) -> str:
    others = (
        f"The metrics of other groups of {facts.item}s, such as one "
        f"{MODALITIES[facts.item].group_examples} or group of people, were not measured."
    )
    slices = facts.test and facts.test.slices
    if slices is None:
        return f"The metrics cover whole splits and whole classes. {others}"
    by = "group that the user passed" if slices.by is None else f"value of the column {slices.by}"
    return f"The metrics were also measured for each {by}. {slices.verdict()} {others}"


def _calibration(facts: Facts) -> str:
    if facts.config.temperature == 1:
        found = (
            "The probabilities are not calibrated. Calibrate them with `learner.calibrate()` or "
            "`keras-tl calibrate`."
        )
    else:
        found = (
            "The probabilities are calibrated by temperature scaling (Guo et al., 2017, "
            f"arXiv:1706.04599). The logits are divided by the temperature "
            f"{facts.config.temperature:.3f}, fitted on the validation split."
        )
    if facts.test is None:
        measured = "The calibration error was not measured on the test split."
    else:
        error = facts.test.metrics["ece"].value
        measured = f"On the test split the expected calibration error is {error:.3f}."
    return (
        f"{found} {measured} Measure the calibration error on your own data before you set a "
        "decision threshold."
    )


def _test_set(test: SplitMetrics, item: str) -> dict[str, str]:
    found = {}
    interval = test.metrics.get("accuracy", _NOT_RECORDED).interval
    counts = [row.items for row in test.per_class.values()]
    if interval is not None and interval[1] - interval[0] > _WIDE:
        found["Small test set"] = (
            f"With only {test.items:,} test {item}s, the accuracy may lie between "
            f"{interval[0]:.1%} and {interval[1]:.1%} (95% confidence interval)."
        )
    if few := sum(count < _FEW for count in counts):
        found["Classes with few test items"] = (
            f"{few:,} of {len(counts):,} classes have fewer than {_FEW} {item}s in the test "
            f"split. The rarest class has {min(counts):,}. Read the confidence intervals of these "
            "classes, not only the metrics."
        )
    return found


def _data(data: DataFacts, item: str) -> dict[str, str]:
    found = {}
    counts = data.splits["train"].classes.values()
    most, least = max(counts, default=0), min(counts, default=0)
    if most and not least:
        found["Class imbalance"] = (
            f"A class has no {item} in training. The most frequent class has {most:,} items."
        )
    elif least and most >= _IMBALANCED * least:
        found["Class imbalance"] = (
            f"The most frequent class has {most:,} {item}s in training, {most / least:.1f} times "
            f"as many as the rarest class ({least:,}). Models tend to predict rare classes too "
            "seldom."
        )
    how = {
        "content": (
            f"The fingerprints are SHA-256 of the {item}s in their order. The fingerprints do not "
            f"reveal the {item}s, but anyone who has the same {item}s can confirm their use."
        ),
        "files": (
            "The fingerprints are SHA-256 of the files' paths, sizes and times in their order, not "
            "of the contents. The fingerprints do not reveal the files, but anyone who has the "
            "same files at the same paths can confirm their use."
        ),
    }[data.fingerprint_of]
    found["Fingerprints of the data"] = (
        f"{how} This document also shows the names and item counts of the classes."
    )
    return found


def _unusable(facts: Facts) -> str:
    found = MODALITIES[facts.item].unusable
    if facts.config.sequence_length is not None:
        found += f" The model reads at most {facts.config.sequence_length:,} tokens of a text."
    checked = facts.data and facts.data.checked
    if checked and checked["left_out"]:
        found += (
            f" Of the {checked['items']:,} {facts.item}s of the data, "
            f"{checked['left_out']:,} could not be used. No split and no metric contains these "
            "items."
        )
    return found


def _licences(facts: Facts) -> str:
    found = (
        "No licence is stated for the model. Choose a licence before you share the model. The "
        f"licence of the training {facts.item}s is not recorded."
    )
    if facts.pretraining.kind == IMAGENET:
        found += (
            " The weights have the licence under which they were published. The terms of "
            "ImageNet allow its images only for non-commercial research and education."
        )
    return found
