"""Warnings and limits in sentences: facts that everyone who deploys a model must know."""

from keras_tl.models.modalities import MODALITIES
from keras_tl.report.data_facts import DataFacts, SplitFacts
from keras_tl.report.facts import Facts
from keras_tl.report.pretraining import IMAGENET, RANDOM
from keras_tl.report.split_metrics import MetricEstimate, SplitMetrics
from keras_tl.runs.ancestry import LANGUAGE_MODEL

# A wider confidence interval hides differences that matter in use.
_WIDE = 0.1
# At this ratio, the most frequent class has twice the weight of the rarest one in the loss.
_IMBALANCED = 2.0
# With 30 items of a class, the 95% interval of a recall of 0.5 is about +-17 points.
_FEW = 30
_NOT_RECORDED = MetricEstimate(None)


def warnings_of(facts: Facts) -> list[str]:
    """Return the reasons not to use a model, or not to trust its card, a sentence or two each."""
    found = []
    if not facts.history:
        found.append("The head is untrained: its answers mean nothing.")
    if not facts.is_as_trained:
        found.append(
            "The weights were changed after the last phase of training, by other code or by an "
            "interrupted training. The records of training are of other weights."
        )
    if facts.data is None:
        found.append("What the model was trained on is not recorded.")
    splits = {} if facts.data is None else facts.data.splits
    if facts.untested is not None:
        found.append(facts.untested)
    elif facts.test is not None:
        found += _doubts(facts.test, splits.get("test"))
        found += _guesses(facts.test, has_thresholds=bool(facts.config.thresholds))
    elif splits and "test" not in splits:
        found.append(
            "Not evaluated: the data have no test split. Keep one (`test_split=0.15`), or nobody "
            "can tell how good the model is."
        )
    else:
        found.append(
            "Not evaluated on the test split: run `learner.evaluate()` before `learner.export()`."
        )
    return found


def _doubts(test: SplitMetrics, split: SplitFacts | None) -> list[str]:
    if split is None:
        return []
    if split.items != test.items:
        return [
            f"The metrics are of {test.items:,} items; the test split of the data that the "
            f"model was trained with has {split.items:,}. They are of other data."
        ]
    if None in (both := {test.fingerprint, split.fingerprint}) or len(both) == 1:
        return []
    return [
        "The metrics are of other data than the test split that the model was trained with, "
        "or its files have been moved or changed since."
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
            "The model is not surely better than always answering the most frequent class, which "
            f"is right {share:.1%} of the time."
        )
        if ranks:
            said += (
                f" Its order of the items is better than a random one (AUC {auc.value:.3f}): "
                "`learner.choose_thresholds()` chooses another threshold than 0.5."
            )
        return [said]
    # A chosen threshold trades accuracy for precision or recall. It does not change the AUC.
    if ranks or auc.interval is None:
        return []
    return [
        f"The model is not surely better than guessing: AUC {auc.value:.3f}, with a "
        f"95% interval from {auc.interval[0]:.3f}; a random order of the items has 0.5."
    ]


def limits_of(facts: Facts) -> dict[str, str]:
    """Return the limits and risks by heading."""
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
        f"The model answers anything with {facts.task.answers_with}, also {facts.item}s that are "
        f"unlike those it was trained on{sure if facts.task.has_probabilities else ''}. It never "
        "says that it does not know."
    )


def _bias(facts: Facts) -> str:
    before, item = facts.pretraining, facts.item
    own = f"It repeats what is biased in the {item}s of this task and in their labels."
    inherited = {
        IMAGENET: "The backbone was pretrained on ImageNet: photographs from the web, labelled by "
        "people, in which places, people and things are shown unevenly (Yang et al., 2020, "
        "arXiv:1912.07726).",
        RANDOM: "The weights were random before any training.",
        LANGUAGE_MODEL: "The backbone is a language model: it was trained to say what its texts "
        "say.",
    }.get(before.kind, "What the backbone was pretrained on at first is not recorded.")
    if before.ancestry:
        inherited += " The details of the model list what it was trained on before this task."
    elif before.kind == RANDOM:
        return f"{inherited} {own}"
    return f"{inherited} The model inherits the bias in that; fine-tuning does not remove it. {own}"


def _groups(facts: Facts) -> str:
    others = (
        f"How the model does on other groups of {facts.item}s, such as those of one "
        f"{MODALITIES[facts.item].group_examples} or group of people, was not measured."
    )
    slices = facts.test and facts.test.slices
    if slices is None:
        return f"The metrics are over whole splits and classes. {others}"
    by = "values of the user's own" if slices.by is None else f"the column {slices.by}"
    return f"Measured by {by}. {slices.verdict()} {others}"


def _calibration(facts: Facts) -> str:
    if facts.config.temperature == 1:
        found = "The probabilities are not calibrated (`learner.calibrate()` does it)."
    else:
        found = (
            "The probabilities are calibrated by temperature scaling (Guo et al., 2017, "
            f"arXiv:1706.04599): the logits are divided by {facts.config.temperature:.3f}, fitted "
            "on the validation split."
        )
    if facts.test is None:
        measured = "How often an answer of 0.9 is right was not measured."
    else:
        error = facts.test.metrics["ece"].value
        measured = f"On the test split their expected calibration error is {error:.3f}."
    return f"{found} {measured} Measure it on data of your own before a threshold decides anything."


def _test_set(test: SplitMetrics, item: str) -> dict[str, str]:
    found = {}
    interval = test.metrics.get("accuracy", _NOT_RECORDED).interval
    counts = [row.items for row in test.per_class.values()]
    if interval is not None and interval[1] - interval[0] > _WIDE:
        found["Small test set"] = (
            f"With {test.items:,} {item}s the accuracy is only known to lie between "
            f"{interval[0]:.1%} and {interval[1]:.1%} (95% confidence)."
        )
    if few := sum(count < _FEW for count in counts):
        found["Classes with few test items"] = (
            f"{few:,} of {len(counts):,} classes have fewer than {_FEW} {item}s in the test "
            f"split, the rarest {min(counts):,}. Read their intervals, not their metrics."
        )
    return found


def _data(data: DataFacts, item: str) -> dict[str, str]:
    found = {}
    counts = data.splits["train"].classes.values()
    most, least = max(counts, default=0), min(counts, default=0)
    if most and not least:
        found["Class imbalance"] = (
            f"A class has no {item} in training; the most frequent one has {most:,}."
        )
    elif least and most >= _IMBALANCED * least:
        found["Class imbalance"] = (
            f"The most frequent class has {most:,} {item}s in training, {most / least:.1f} times "
            f"as many as the rarest one ({least:,}). Rare classes tend to be answered too seldom."
        )
    how = {
        "content": (
            f"They are SHA-256 of the {item}s in their order. No {item} can be read from them, but "
            "whoever has the same ones can confirm that they were used."
        ),
        "files": (
            "They are SHA-256 of the files' paths, sizes and times in their order, not of what is "
            "in them. No file can be read from them, but whoever has the same files in the same "
            "place can confirm that they were used."
        ),
    }[data.fingerprint_of]
    found["Fingerprints of the data"] = f"{how} Counts and names of classes are told as well."
    return found


def _unusable(facts: Facts) -> str:
    found = MODALITIES[facts.item].unusable
    if facts.config.sequence_length is not None:
        found += f" Of a longer text the model reads {facts.config.sequence_length:,} tokens."
    checked = facts.data and facts.data.checked
    if checked and checked["left_out"]:
        found += (
            f" Of the {checked['items']:,} {facts.item}s of the data, "
            f"{checked['left_out']:,} could not be used and are in no split and no metric."
        )
    return found


def _licences(facts: Facts) -> str:
    found = (
        "No licence is stated for the model. Choose one before you share it. The "
        f"licence of the {facts.item}s it was trained on is not recorded."
    )
    if facts.pretraining.kind == IMAGENET:
        found += (
            " The licence of the weights is the one they were published under; ImageNet's own "
            "terms allow its images for non-commercial research and education only."
        )
    return found
