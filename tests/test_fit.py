"""`Learner.fit`: the evidence is honest, and the learner ends with the model that was chosen."""

import contextlib
import dataclasses
import html
import io

import keras
import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError, DataError
from keras_tl.learner import fitting
from keras_tl.learner.reporting import facts
from keras_tl.learner.training import run_all
from keras_tl.selection.candidates import mean_losses
from keras_tl.selection.evidence import along_the_line, out_of_fold
from keras_tl.training import policies
from keras_tl.training.fine_tuned_folds import FineTunedFolds
from keras_tl.training.timing import Costs
from keras_tl.training.weight_average import WeightAverage
from tests import kerashub_presets
from tests.conftest import make_small_learner, make_tiny_data
from tests.training.test_contrastive import make_texts
from tests.training.test_head_optimum import hard_data

SHORT = Phase(
    "fine-tune", epochs=1, learning_rate=1e-3, unfreeze="all", optimizer="adamw", batch_size=16
)


@pytest.fixture
def short(monkeypatch):
    """Fine-tuning in no time: TensorFlow traces a step for longer than a few steps take."""
    with eagerly():
        yield use(monkeypatch, SHORT)


@pytest.fixture
def traced(monkeypatch):
    """The same with traced steps, as users train."""
    return use(monkeypatch, SHORT)


def use(monkeypatch, phase):
    monkeypatch.setitem(policies.POLICIES, "standard", {"image": (phase,)})
    monkeypatch.delitem(policies.FEWEST_STEPS, "standard")
    return phase


def fresh(data, **options):
    return make_small_learner(data, as_made=True, **options)


def with_validation(data, items):
    """The same data with a validation split of so many items, repeated if need be."""
    known = data.split("validation")
    rows = np.resize(np.arange(len(known)), items)
    return dataclasses.replace(data, splits=data.splits | {"validation": known.take(rows)})


@pytest.fixture(scope="module")
def compared():
    """A learner of items in groups after `fit`, and its messages."""
    data = hard_data()
    splits = {}
    for name, split in data.splits.items():
        patients = np.array([f"{name} {row // 4}" for row in range(len(split))])
        splits[name] = dataclasses.replace(split, slices={"patient": patients})
    grouped = dataclasses.replace(data, splits=splits, split_settings={"groups": "patient"})
    learner = fresh(grouped)
    console = learner._state.reporter.console
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said), eagerly():
        use(patch, SHORT)
        console.quiet = False
        learner.fit(augment=False)
        console.quiet = True
    return learner, said.getvalue()


@pytest.fixture(scope="module")
def validated():
    """A learner with enough validation items after `fit`, and the record of its earlier head."""
    learner = fresh(with_validation(hard_data(), 50))
    with pytest.MonkeyPatch.context() as patch, eagerly():
        use(patch, SHORT)
        head = learner.fit_head()
        learner.fit(augment=False)
    return learner, head


def test_few_validation_items_compare_out_of_fold(compared):
    learner, said = compared
    data, result = learner.data, learner.history.fitted
    items = len(data.split("train")) + len(data.split("validation"))
    assert (result.plan.evidence, result.plan.folds, result.plan.items) == ("out-of-fold", 3, items)
    assert [candidate.share for candidate in result.candidates] == [0, 0.25, 0.5, 0.75, 1]
    assert result.kept in [candidate.share for candidate in result.candidates]
    assert result.trained_on == len(data.split("train"))
    assert result.estimate is None
    assert result.grouping.by == "patient"
    assert result.grouping.describe("Intervals of the comparison") in result.remarks
    assert said.index("Plan:") < said.index("fine-tune (fold 1 of 3)") < said.index("Kept:")
    assert set(result.seconds) >= {"head", "comparison"}
    page = result._repr_html_()
    assert "<table>" in page
    assert all(html.escape(said) in page for said in result.remarks)


def test_groups_stay_in_one_fold(compared):
    learner, _ = compared
    seen = []

    class Untrained(FineTunedFolds):
        def logits(self, split, features, numbers):
            seen.append((split, numbers))
            return {0.0: np.zeros((len(split), self.trainer.task.outputs), np.float32)}

    head = policies.SOLVED_HEAD
    folds = Untrained(learner.trainer, learner.data, head, (SHORT,), False, (0.0,))
    out_of_fold(folds, ["train", "validation"], 3, seed=0)
    ((split, numbers),) = seen
    for patient in np.unique(split.slices["patient"]):
        assert len(np.unique(numbers[split.slices["patient"] == patient])) == 1


def test_a_saved_run_knows_what_was_kept(short, compared, tmp_path):
    learner, _ = compared
    result = learner.history.fitted
    learner.evaluate()
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert loaded.history.fitted == result
    assert repr(loaded.history.fitted) == repr(result)
    report = loaded.report(tmp_path / "report.html").read_text()
    assert "Kept: " in report
    assert "learner.fit(augment=False)" in report
    assert "untouched" not in report
    loaded = ktl.Learner.load(tmp_path / "run", data=learner.data, verbose=False)
    loaded.fit_head()
    assert loaded.history.fitted is None


def test_the_kept_weights_are_those_on_the_line(short, monkeypatch):
    monkeypatch.setattr("keras_tl.learner.fitting.choose", lambda found, default: found[1])
    data = with_validation(hard_data(), 50)
    learner, by_hand = fresh(data), fresh(data)
    result = learner.fit(augment=False)
    assert result.kept == 0.25
    by_hand.fit_head()
    before = by_hand.model.get_weights()
    by_hand.fine_tune(policy=dataclasses.replace(short, patience=None), augment=False)
    for kept, first, last in zip(
        learner.model.get_weights(), before, by_hand.model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(kept, 0.75 * first + 0.25 * last, rtol=1e-4, atol=1e-6)
    assert [record.share for record in learner.history] == [1, 0.25]


def test_enough_validation_items_compare_by_themselves(validated):
    learner, _ = validated
    result = learner.history.fitted
    assert (result.plan.evidence, result.plan.trainings, result.plan.items) == ("validation", 1, 50)
    kept = next(c for c in result.candidates if c.share == result.kept)
    found = learner.evaluate("validation")
    assert found["accuracy"] == pytest.approx(kept.metric)
    # The loss of a candidate is that with its best temperature.
    learner.calibrate()
    assert kept.loss == pytest.approx(learner.evaluations["validation"]["loss"], rel=1e-3)
    assert [record.phase.name for record in learner.history] == ["head", "fine-tune"]


def test_a_head_that_was_just_trained_is_not_trained_again(validated):
    learner, head = validated
    assert learner.history[0] is head
    assert sum(record.phase.unfreeze is None for record in learner.history) == 1


def test_a_head_of_augmented_images_is_trained_again(short, monkeypatch):
    quick = dataclasses.replace(policies.HEADS["image"], epochs=1, min_steps=0)
    monkeypatch.setitem(policies.HEADS, "image", quick)
    data = with_validation(hard_data(), 50)
    learner = fresh(data, head=ktl.HeadConfig(hidden=(4,)))
    learner.fit_head(augment="no-flip")
    learner.fit(augment=False)
    first, second, *_ = learner.history
    assert first.phase == second.phase
    assert (first.augment, second.augment) == (("no-flip",), ())


@pytest.mark.parametrize("validation_items", [pytest.param(0, marks=pytest.mark.slow), 50])
def test_a_ruinous_learning_rate_ends_with_the_head(monkeypatch, validation_items):
    use(monkeypatch, dataclasses.replace(SHORT, learning_rate=1.0, optimizer="adam"))
    data = with_validation(hard_data(), validation_items)
    if not validation_items:
        data = dataclasses.replace(
            data, splits={name: data.split(name) for name in ("train", "test")}
        )
    learner = fresh(data)
    with eagerly():
        learner.fit_head()
        head = learner.model.get_weights()
        result = learner.fit(augment=False)
    assert (result.kept, result.name) == (0.0, "head")
    assert "lower than the mean loss of the default" in result.reason
    for kept, wanted in zip(learner.model.get_weights(), head, strict=True):
        np.testing.assert_allclose(kept, wanted, rtol=1e-5, atol=1e-7)
    # The backbone is as it came: its features are read, and a second call may begin.
    assert learner.trainer.features.is_original
    learner.cross_validate(folds=2)


def test_no_item_answers_for_itself(short):
    """A fold's labels do not reach its predictions, at any place on the line."""
    data = hard_data()
    train = data.split("train")
    learner = make_small_learner(data)

    def predictions(labels):
        changed = dataclasses.replace(train, labels=labels)
        folds = FineTunedFolds(
            learner.trainer,
            dataclasses.replace(data, splits={"train": changed}),
            policies.SOLVED_HEAD,
            (dataclasses.replace(short, patience=None),),
            False,
            (0.0, 0.5, 1.0),
        )
        rows = learner.trainer.features.of(changed).all_rows
        numbers = np.arange(len(changed)) % 2
        before = learner.model.get_weights()
        found = folds.logits(changed, rows, numbers)
        for was, now in zip(before, learner.model.get_weights(), strict=True):
            np.testing.assert_array_equal(was, now)
        return found

    is_out = np.arange(len(train)) % 2 == 0
    classes = len(data.class_names)
    swapped = np.where(is_out, (train.labels + 1) % classes, train.labels)
    first, other = predictions(train.labels), predictions(swapped)
    for share in first:
        np.testing.assert_allclose(first[share][is_out], other[share][is_out], atol=1e-5)
        assert np.abs(first[share][~is_out] - other[share][~is_out]).max() > 1e-3


@pytest.mark.slow
def test_one_seed_repeats_it(traced):
    learners = [fresh(hard_data()) for _ in range(2)]
    results = [learner.fit(augment=False) for learner in learners]
    assert results[0].candidates == results[1].candidates
    for one, other in zip(*(learner.model.get_weights() for learner in learners), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_refit_fine_tunes_on_all_items(traced):
    data = hard_data()
    total = sum(map(len, data.splits.values()))
    learner = fresh(data)
    result = learner.fit(refit=True, augment=False)
    assert (result.refit, result.trained_on, result.plan.items) == (True, total, total)
    kept = next(c for c in result.candidates if c.share == result.kept)
    assert result.estimate["accuracy"] == pytest.approx(kept.metric)
    assert "learner.fit(refit=True, augment=False)" in "\n".join(facts(learner._state).calls)


def easy_data(per_class, validation_items):
    """Images that every head tells apart, with so many validation images."""
    data = make_tiny_data(per_class)
    if validation_items:
        return with_validation(data, validation_items)
    return dataclasses.replace(data, splits={name: data.split(name) for name in ("train", "test")})


@pytest.mark.parametrize(
    ("per_class", "validation_items", "refit", "said"),
    [
        (12, 50, False, "the head predicts all 50 validation images right"),
        (30, 0, False, "in cross-validation, the head predicts all {} held-out images right"),
        (30, 0, True, "in cross-validation, the head predicts all {} held-out images right"),
    ],
)
def test_nothing_is_fine_tuned_where_the_head_is_right_on_all(
    per_class, validation_items, refit, said
):
    data = easy_data(per_class, validation_items)
    learner = fresh(data)
    result = learner.fit(refit=refit, augment=False)
    assert (result.kept, result.plan.trainings, result.candidates) == (0.0, 0, ())
    judged = sum(len(split) for name, split in data.splits.items() if refit or name != "test")
    assert said.format(judged) in result.describe()
    assert {record.phase.unfreeze for record in learner.history} == {None}
    assert result.refit == refit


def test_a_head_that_errs_once_is_fine_tuned(short):
    data = easy_data(12, 50)
    validation = data.split("validation")
    labels = validation.labels.copy()
    labels[0] = (labels[0] + 1) % 3
    wrong = dataclasses.replace(validation, labels=labels)
    data = dataclasses.replace(data, splits=data.splits | {"validation": wrong})
    assert fresh(data).fit(augment=False).plan.trainings == 1


def test_few_items_do_not_show_that_nothing_is_to_gain(short):
    data = easy_data(12, 0)
    assert len(data.split("train")) < policies.ENOUGH_TO_VALIDATE
    assert fresh(data).fit(augment=False).plan.trainings == 4


@pytest.fixture(scope="module")
def hurried():
    """A learner that had no time to fine-tune, with a head that all items trained."""
    learner = fresh(hard_data())
    with pytest.MonkeyPatch.context() as patch, eagerly():
        use(patch, SHORT)
        learner.fit(minutes=0.01, refit=True, augment=False)
    return learner


def test_a_budget_too_small_keeps_the_head(hurried):
    result = hurried.history.fitted
    assert (result.kept, result.plan.trainings, result.candidates) == (0.0, 0, ())
    assert "too short for fine-tuning" in result.describe()
    assert "<table>" not in result._repr_html_()
    assert [record.phase.name for record in hurried.history] == ["head"]


def test_refit_trains_on_all_items_and_says_so(hurried, tmp_path):
    total, result = sum(map(len, hard_data().splits.values())), hurried.history.fitted
    assert (result.refit, result.trained_on, result.plan.items) == (True, total, total)
    assert [*hurried.data.splits] == ["train"]
    assert len(hurried.data.split("train")) == total
    assert 0 <= result.estimate["accuracy"] <= 1
    assert "by cross-validation of the head" in result.describe()
    assert "no untouched test split exists" in result.describe()
    with pytest.raises(DataError, match="no test split"):
        hurried.evaluate()
    hurried.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert loaded.history.fitted == result
    assert loaded.history == hurried.history
    calls = "\n".join(facts(hurried._state).calls)
    assert "learner.fit(minutes=0.01, refit=True, augment=False)" in calls
    assert "no untouched test split exists" in loaded.report(tmp_path / "l.html").read_text()


def slow_steps(trainer, data, phase, augment, item):
    """Costs with which five minutes are enough for two trainings on all items, but not for four."""
    steps = trainer.steps_of(phase, data.joined([*data.splits]))
    return Costs(100 / steps, 0.0, 0.0, measured=True)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("test", "measured on the test split, before the training on the test items"),
        ("validation", "on the validation split, by which the model was also chosen"),
    ],
)
def test_refit_estimates_before_it_trains_on_the_items(short, monkeypatch, split, said):
    monkeypatch.setattr(fitting, "choose", lambda found, default: found[1])
    monkeypatch.setattr(fitting, "rehearse", slow_steps)
    data = with_validation(hard_data(), 50)
    names = [name for name in ("train", "validation", "test") if split == "test" or name != "test"]
    data = dataclasses.replace(data, splits={name: data.split(name) for name in names})
    whole = dataclasses.replace(data, splits={"train": data.joined(names)})
    learner, without, by_hand = fresh(data), fresh(data), fresh(whole)
    result = learner.fit(minutes=5, refit=True, augment=False)
    assert (result.plan.evidence, result.plan.trainings, result.kept) == ("validation", 2, 0.25)
    assert said in result.describe()
    without.fit(augment=False)
    found = without.evaluate(split)
    for name in ("accuracy", "loss"):
        assert result.estimate[name] == pytest.approx(found[name], rel=1e-4)
    # The second training begins anew: with the pretrained backbone, on all items.
    by_hand.fit_head()
    before = by_hand.model.get_weights()
    by_hand.fine_tune(policy=dataclasses.replace(short, patience=None), augment=False)
    for kept, first, last in zip(
        learner.model.get_weights(), before, by_hand.model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(kept, 0.75 * first + 0.25 * last, rtol=1e-3, atol=1e-5)
    assert [record.share for record in learner.history] == [1, 0.25]


@pytest.mark.parametrize("is_worse", [False, True])
def test_without_a_comparison_the_training_items_show_a_barrier(short, monkeypatch, is_worse):
    plan = fitting.make_plan

    def uncompared(*arguments):
        planned = {"evidence": "none", "folds": 0, "trainings": 1}
        return dataclasses.replace(plan(*arguments), **planned)

    monkeypatch.setattr(fitting, "make_plan", uncompared)
    losses = {0.0: 0.5, 0.75: 0.6 if is_worse else 0.4, 1.0: 0.3}
    monkeypatch.setattr(fitting, "mean_losses", lambda task, seen: {s: losses[s] for s in seen})
    learner = fresh(hard_data())
    result = learner.fit(augment=False)
    assert (result.kept, result.candidates) == (1.0 if is_worse else 0.75, ())
    assert [record.share for record in learner.history] == [1, result.kept]
    assert "Without a comparison" in result.plan.describe()


@pytest.mark.slow
def test_a_budget_is_planned_with_measured_steps(traced, capsys):
    learner = fresh(hard_data())
    learner._state.reporter.console.quiet = False
    result = learner.fit(minutes=30, augment=False)
    assert result.plan.measured
    assert result.plan.seconds < result.plan.seconds_left <= 30 * 60
    assert result.plan.folds == 3
    assert "about" not in next(
        line for line in capsys.readouterr().err.splitlines() if line.startswith("Plan:")
    )


def test_it_begins_with_the_pretrained_backbone(short):
    learner = fresh(hard_data())
    learner.fine_tune(policy=dataclasses.replace(short, patience=None), augment=False)
    with pytest.raises(ConfigError, match="was fine-tuned on labels of these data: train"):
        learner.fit()


@pytest.mark.parametrize("refit", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_fine_tuned_run_is_fitted_to_other_data_and_remembers_the_first(short, tmp_path, refit):
    first = make_tiny_data()
    learner = fresh(first)
    learner.fine_tune(policy=dataclasses.replace(short, patience=None), augment=False)
    train = first.split("train")
    learned, other = train.identity, train.take(np.arange(len(train) - 2))
    second = dataclasses.replace(first, splits=first.splits | {"train": other})
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), data=second, verbose=False)
    loaded.fit(augment=False, refit=refit)
    prints = [record.train_fingerprint for record in loaded.history]
    assert prints[:2] == [learned, learned]
    assert {*prints[2:]} == {loaded.data.split("train").identity}
    assert "# These phases had other data, which are not recorded: head, fine-tune" in "\n".join(
        facts(loaded._state).calls
    )
    again = ktl.Learner(f"run:{loaded.save(tmp_path / 'both')}", first, verbose=False)
    assert "train" in again._state.learned_splits
    assert not loaded.trainer.features.is_original


def test_an_interrupted_fine_tuning_counts_after_a_later_head(short):
    def interrupt(batch, logs):
        raise KeyboardInterrupt

    learner = fresh(make_tiny_data())
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    learner.fit_head()
    with pytest.raises(KeyboardInterrupt):
        learner.fine_tune(policy=short, augment=False, callbacks=[callback])
    learner.fit_head()
    assert learner._state.learned_splits == ("train",)
    assert not learner.trainer.features.is_original
    with pytest.raises(ConfigError, match="labels of these data: train"):
        learner.cross_validate()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"minutes": 0}, "minutes must be a number of at least 0.01"),
        ({"minutes": "5"}, "minutes must be a number"),
        ({"augment": "blur"}, "augment"),
        ({"class_weight": {"mauve": 2.0}}, "mauve"),
        ({"label_smoothing": 1.5}, "label_smoothing"),
    ],
    ids=str,
)
def test_wrong_arguments(arguments, message):
    learner = fresh(make_tiny_data())
    with pytest.raises(ConfigError, match=message):
        learner.fit(**arguments)
    assert learner.history == ()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_other_tasks(short, task):
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 255, (40, 32, 32, 3)).astype(np.float32)
    means = pixels[:, :, :, 0].mean(axis=(1, 2))
    labels = means if task == "regression" else [[int(m > 127), 1 - int(m > 127)] for m in means]
    data = ktl.ImageData.from_arrays(pixels, np.array(labels), task=task)
    result = fresh(data).fit(augment=False)
    assert result.primary_metric in result.describe() or "mean" in result.describe()
    assert all(np.isfinite(candidate.loss) for candidate in result.candidates)


@pytest.mark.slow
def test_the_evidence_is_what_evaluate_would_say(short):
    """The loss of a candidate is the mean of the losses of its predictions."""
    learner = fresh(hard_data())
    learner.fit_head()
    phases = (dataclasses.replace(short, patience=None),)
    folds = FineTunedFolds(
        learner.trainer, learner.data, policies.SOLVED_HEAD, phases, False, (0.0, 1.0)
    )
    outcomes = out_of_fold(folds, ["train", "validation"], 3, learner.trainer.seed)
    result = fresh(hard_data()).fit(augment=False)
    by_share = {candidate.share: candidate for candidate in result.candidates}
    for share, found in outcomes.items():
        expected = mean_losses(learner.task, {share: found})[share]
        assert by_share[share].loss == pytest.approx(expected, rel=1e-3)


@pytest.fixture(scope="module")
def alone():
    """The result in float32 on one device."""
    with pytest.MonkeyPatch.context() as patch, eagerly():
        use(patch, SHORT)
        return fresh(hard_data()).fit(augment=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"strategy": "mirrored"}, {"precision": "mixed_bfloat16"}, {"precision": "mixed_float16"}],
    ids=str,
)
def test_replicas_and_half_precision(traced, alone, options):
    learner = fresh(hard_data(), **options)
    result = learner.fit(augment=False)
    assert len(result.candidates) == 5
    assert all(np.isfinite(candidate.loss) for candidate in result.candidates)
    # The head does as well as in float32 on one device.
    assert result.candidates[0].loss == pytest.approx(alone.candidates[0].loss, abs=0.05)


@pytest.mark.slow
def test_a_few_texts_are_fine_tuned_by_pairs(tmp_path):
    pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
    preset = kerashub_presets.make_bert(tmp_path / "preset")
    data = make_texts(validation_split=0.2)
    learner = ktl.Learner(f"kerashub:{preset}", data, seed=0, verbose=False)
    result = learner.fit()
    assert result.policy == "contrastive"
    assert [candidate.share for candidate in result.candidates] == [0, 1]
    names = [record.phase.name for record in learner.history]
    assert names == (["head", "contrastive", "head"] if result.kept else ["head"])
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    texts = data.split("test").texts
    np.testing.assert_array_equal(
        loaded.predict(texts).probabilities, learner.predict(texts).probabilities
    )


WIDE = ktl.HeadConfig(hidden=(128,), dropout=0.0)


@pytest.mark.parametrize(
    ("batch_norm", "patience"),
    [
        (False, None),
        pytest.param(False, 1, marks=pytest.mark.slow),
        pytest.param(True, None, marks=pytest.mark.slow),
    ],
)
def test_the_head_of_a_fold_has_not_seen_the_fold(batch_norm, patience):
    """Labels that have nothing to do with the images: a head that saw them knows them by heart."""
    data = hard_data()
    labels = np.random.default_rng(0).integers(0, 3, len(data.split("train")))
    train = dataclasses.replace(data.split("train"), labels=labels)
    head = dataclasses.replace(WIDE, batch_norm=batch_norm)
    learner = fresh(dataclasses.replace(data, splits={"train": train}), head=head)
    learner.fit_head(epochs=150, learning_rate=0.02)
    assert learner.evaluate("train")["accuracy"] > 0.8
    brief = dataclasses.replace(policies.HEADS["image"], epochs=2, min_steps=0)
    brief = dataclasses.replace(brief, patience=patience)
    folds = FineTunedFolds(learner.trainer, learner.data, brief, (), False, (0.0,))
    with eagerly():
        found = out_of_fold(folds, ["train"], 3, seed=0)
    assert (learner.task.decisions(found[0.0].logits) == labels).mean() < 0.6


def test_a_head_of_other_data_is_trained_again(short, tmp_path):
    learner = fresh(hard_data())
    learner.fit_head()
    learner.save(tmp_path / "run")
    other = with_validation(hard_data(count=80), 50)
    loaded = ktl.Learner.load(tmp_path / "run", data=other, verbose=False)
    loaded.fit(augment=False)
    phases = [record.phase.name for record in loaded.history]
    assert phases[:2] == ["head", "head"]


def tuned_with_line():
    """A fine-tuned learner, and the line from the weights of its head phase to its weights."""
    learner = fresh(hard_data())
    phase = dataclasses.replace(SHORT, patience=None)
    with eagerly():
        learner.fit_head()
        before = learner.model.get_weights()
        run_all(learner._state, (phase,), augment=False, callbacks=())
    return learner, WeightAverage.to_now(learner.model, before)


def test_an_interrupted_comparison_leaves_the_weights_that_the_history_tells_of():
    learner, line = tuned_with_line()
    calls = []

    class Interrupted:
        parts = learner.trainer.parts

        def logits(self, split):
            calls.append(learner.model.get_weights())
            if len(calls) == 2:
                raise KeyboardInterrupt
            return learner.trainer.logits(split)

    with pytest.raises(KeyboardInterrupt):
        along_the_line(Interrupted(), line, (0.0, 0.5, 1.0), learner.data.split("validation"))
    assert not all(map(np.array_equal, calls[1], line.after))
    for now, wanted in zip(learner.model.get_weights(), line.after, strict=True):
        np.testing.assert_array_equal(now, wanted)
    assert learner.history[-1].share == 1


@pytest.mark.slow
def test_curves_say_nothing_of_an_average():
    learner, line = tuned_with_line()
    learner.trainer.keep_share(line, 0.75, 1)
    assert learner.history[-1].share == 0.75
    found = ktl.overfitting(learner)
    assert (found.state, found.phases[-1].reason) == ("unknown", "averaged")
    assert "fit() or a callback kept other weights" in found.statement
