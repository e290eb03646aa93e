"""What whoever deploys a model has to know: sentences about its facts."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_tl.evaluation.slices import Slices
from keras_tl.export.card.pretraining import IMAGENET, RANDOM
from keras_tl.models.modalities import MODALITIES
from keras_tl.runs.ancestry import LANGUAGE_MODEL
from keras_tl.tasks import get_task

# A confidence interval wider than this hides differences that matter in use.
_WIDE = 0.1
# From here on the most frequent class has twice the weight of the rarest one in the loss.
_IMBALANCED = 2.0
# With fewer items of a class, a recall of a half is only known to within about 17 points.
_FEW = 30

Facts = Mapping[str, Any]


def warnings_of(facts: Facts) -> list[str]:
    """What makes a model unfit for use, or its card unfit to judge it by; one sentence each."""
    found = []
    if not facts["training"]:
        found.append("The head is untrained: its answers mean nothing.")
    if facts["data"] is None:
        found.append("What the model was trained on is not recorded.")
    test = facts["evaluations"].get("test")
    splits = {} if facts["data"] is None else facts["data"]["splits"]
    if facts["untested"] is not None:
        found.append(facts["untested"])
    elif test is None and splits and "test" not in splits:
        found.append(
            "Not evaluated: the data have no test split. Keep one (`test_split=0.15`), or nobody "
            "can tell how good the model is."
        )
    elif test is None:
        found.append(
            "Not evaluated on the test split: run `learner.evaluate()` before `learner.export()`."
        )
    else:
        found += _doubts(test, splits.get("test"))
        found += _guesses(test, facts["answers"]["thresholds"])
    return found


def _doubts(test: Facts, split: Facts | None) -> list[str]:
    found = []
    if split is not None and split["items"] != test["items"]:
        found.append(
            f"The metrics are of {test['items']:,} items; the test split of the data that the "
            f"model was trained with has {split['items']:,}. They are of other data."
        )
    elif split is not None and _differ(test["fingerprint"], split["fingerprint"]):
        found.append(
            "The metrics are of other data than the test split that the model was trained with, "
            "or its files have been moved or changed since."
        )
    return found


def _guesses(test: Facts, thresholds: Sequence[float]) -> list[str]:
    """Whether the model is better than guessing; by what it can be judged by."""
    share, accuracy, auc = (
        test.get("most_frequent_share"),
        test["metrics"].get("accuracy", {}).get("interval"),
        test["metrics"].get("auc", {}),
    )
    ranks = auc.get("interval") is not None and auc["interval"][0] > 0.5
    if share is None or accuracy is None or accuracy[0] > share:
        return []
    if not thresholds:
        said = (
            "The model is not surely better than always answering the most frequent class, which "
            f"is right {share:.1%} of the time."
        )
        if ranks:
            said += (
                f" Its order of the items is better than a random one (AUC {auc['value']:.3f}): "
                "`learner.choose_thresholds()` chooses another threshold than 0.5."
            )
        return [said]
    # A chosen threshold gives up accuracy for precision or recall; it does not change the order.
    if ranks or auc.get("interval") is None:
        return []
    return [
        f"The model is not surely better than guessing: AUC {auc['value']:.3f}, with a "
        f"95% interval from {auc['interval'][0]:.3f}; a random order of the items has 0.5."
    ]


def _differ(one: str | None, other: str | None) -> bool:
    return None not in (one, other) and one != other


def limits_of(facts: Facts) -> dict[str, str]:
    """Limits and risks, by their headings."""
    item = facts["task"]["item"]
    found = {
        "Out of domain": _out_of_domain(facts),
        "Inherited bias": _bias(facts),
        "Groups": _groups(facts),
    }
    if get_task(facts["task"]["kind"]).has_probabilities:
        found["Calibration"] = _calibration(facts)
    test = facts["evaluations"].get("test")
    if test is not None:
        found |= _test_set(test, item)
    if facts["data"] is not None:
        found |= _data(facts["data"], item)
    return found | {"Unusable items": _unusable(facts), "Licences": _licences(facts)}


def _groups(facts: Facts) -> str:
    item = facts["task"]["item"]
    others = (
        f"groups of {item}s, such as those of one {MODALITIES[item].group_examples} or group of "
        "people, was not measured."
    )
    measured = facts["evaluations"].get("test", {}).get("slices")
    if measured is None:
        return (
            f"The metrics are over whole splits and classes. How the model does on other {others}"
        )
    slices = Slices.from_json(measured)
    by = "values of the user's own" if slices.by is None else f"the column {slices.by}"
    return f"Measured by {by}. {slices.verdict()} How the model does on other {others}"


def _calibration(facts: Facts) -> str:
    temperature = facts["answers"]["temperature"]
    if temperature == 1:
        found = "The probabilities are not calibrated (`learner.calibrate()` does it)."
    else:
        found = (
            "The probabilities are calibrated by temperature scaling (Guo et al., 2017, "
            f"arXiv:1706.04599): the logits are divided by {temperature:.3f}, fitted on the "
            "validation split."
        )
    metrics = facts["evaluations"].get("test", {}).get("metrics", {})
    if "ece" in metrics:
        measured = (
            f"On the test split their expected calibration error is {metrics['ece']['value']:.3f}."
        )
    else:
        measured = "How often an answer of 0.9 is right was not measured."
    return f"{found} {measured} Measure it on data of your own before a threshold decides anything."


def _out_of_domain(facts: Facts) -> str:
    task, item = get_task(facts["task"]["kind"]), facts["task"]["item"]
    sure = ", often with a high probability (Hendrycks and Gimpel, 2017, arXiv:1610.02136)"
    return (
        f"The model answers anything with {task.answers_with}, also {item}s that are unlike those "
        f"it was trained on{sure if task.has_probabilities else ''}. It never says that it does "
        "not know."
    )


def _bias(facts: Facts) -> str:
    before, item = facts["pretraining"], facts["task"]["item"]
    own = f"It repeats what is biased in the {item}s of this task and in their labels."
    if before["kind"] == IMAGENET:
        inherited = (
            "The backbone was pretrained on ImageNet: photographs from the web, labelled by "
            "people, in which places, people and things are shown unevenly (Yang et al., 2020, "
            "arXiv:1912.07726)."
        )
    elif before["kind"] == RANDOM:
        inherited = "The weights were random before any training."
    elif before["kind"] == LANGUAGE_MODEL:
        inherited = "The backbone is a language model: it was trained to say what its texts say."
    else:
        inherited = "What the backbone was pretrained on at first is not recorded."
    if before["ancestry"]:
        inherited += " Model details lists what it was trained on before this task."
    elif before["kind"] == RANDOM:
        return f"{inherited} {own}"
    return f"{inherited} The model inherits the bias in that; fine-tuning does not remove it. {own}"


def _licences(facts: Facts) -> str:
    found = "Under which licence the model may be given on is not for this card to say, and that "
    found += f"of the {facts['task']['item']}s it was trained on is not recorded."
    if facts["pretraining"]["kind"] == IMAGENET:
        found += (
            " The licence of the weights is the one they were published under; ImageNet's own "
            "terms allow its images for non-commercial research and education only."
        )
    return found


def _test_set(test: Facts, item: str) -> dict[str, str]:
    found = {}
    interval = test["metrics"].get("accuracy", {}).get("interval")
    counts = {name: row["items"] for name, row in test.get("per_class", {}).items()}
    if interval is not None and interval[1] - interval[0] > _WIDE:
        found["Small test set"] = (
            f"With {test['items']:,} {item}s the accuracy is only known to lie between "
            f"{interval[0]:.1%} and {interval[1]:.1%} (95% confidence)."
        )
    few = [name for name, count in counts.items() if count < _FEW]
    if few:
        found["Classes with few test items"] = (
            f"{len(few):,} of {len(counts):,} classes have fewer than {_FEW} {item}s in the test "
            f"split, the rarest {min(counts.values()):,}. Read their intervals, not their metrics."
        )
    return found


def _data(data: Facts, item: str) -> dict[str, str]:
    found = {}
    counts = data["splits"]["train"].get("classes") or {}
    most, least = max(counts.values(), default=0), min(counts.values(), default=0)
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
    }.get(data["fingerprint_of"], "Whoever has the same data can confirm that they were used.")
    found["Fingerprints of the data"] = f"{how} Counts and names of classes are told as well."
    return found


def _unusable(facts: Facts) -> str:
    found = MODALITIES[facts["task"]["item"]].unusable
    length = facts["input"].get("sequence_length")
    if length is not None:
        found += f" Of a longer text the model reads {length:,} tokens."
    checked = facts["data"] and facts["data"]["checked"]
    if checked and checked["left_out"]:
        found += (
            f" Of the {checked['items']:,} {facts['task']['item']}s of the data, "
            f"{checked['left_out']:,} could not be used and are in no split and no metric."
        )
    return found
