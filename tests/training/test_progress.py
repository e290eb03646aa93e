"""What people see of a phase: a display on a terminal, lines elsewhere, and order afterwards."""

import contextlib
import functools
import io
import re

import keras
import pytest
from rich.console import Console

from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.base.reporting import Reporter
from keras_tl.training.dashboard import Dashboard, Pace, duration, sparkline
from keras_tl.training.optimizers import make_schedule
from tests.conftest import make_small_learner, make_tiny_data
from tests.training.test_phases import harder_data

HIDE, SHOW, ESCAPE = "\x1b[?25l", "\x1b[?25h", "\x1b"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def paced(clock, *events, steps=10, epochs=3, following=0):
    """A pace after events: what happened, its number if it has one, seconds since the last."""
    pace = Pace(steps, epochs, following, clock)
    for name, *number, seconds in events:
        clock.now += seconds
        getattr(pace, name)(*number)
    return pace


TRACED = [("start_epoch", 0, 0), ("step", 1, 60)]
ONE_EPOCH = [*TRACED, ("step", 10, 9), ("start_validation", 1), ("end_validation", 4)]

# Events; then steps a second, seconds left, seconds left with 2 epochs of later phases.
PACES = {
    "nothing": ([], None, None, None),
    "one-step": (TRACED, None, None, None),
    "two-steps": ([*TRACED, ("step", 2, 2)], 0.5, 56, 96),
    "eight-at-a-time": ([("start_epoch", 0, 0), ("step", 2, 60), ("step", 10, 4)], 2, 10, 20),
    "past-the-end": ([("start_epoch", 0, 0), ("step", 8, 60), ("step", 16, 1)], 2, 10, 20),
    "validated": ([*ONE_EPOCH, ("start_epoch", 1, 0)], 1, 28, 56),
    "second-epoch": ([*ONE_EPOCH, ("start_epoch", 1, 7), ("step", 5, 5)], 1, 23, 51),
    "at-the-end": ([*ONE_EPOCH, ("start_epoch", 2, 0), ("step", 10, 10)], 1, 4, 32),
}


@pytest.mark.parametrize("name", PACES)
def test_the_time_left_is_that_of_the_steps_and_validations_to_come(name):
    events, per_second, left, in_all = PACES[name]
    pace = paced(Clock(), *events, following=2)
    assert (pace.per_second, pace.left, pace.left_in_all) == (
        per_second,
        pytest.approx(left),
        pytest.approx(in_all),
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (245, "4:05"), (3845, "1:04:05")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([1.0], ""),
        ([1, 8], "▁█"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([2, 2, 2], "▁▁▁"),
        ([0, float("nan"), 7], "▁ █"),
        ([0, float("inf")], ""),
    ],
)
def test_sparklines(values, line):
    assert sparkline(values) == line


def frame(**changes):
    clock = Clock()
    pace = paced(clock, *ONE_EPOCH, ("start_epoch", 1, 0), ("step", 4, 4), following=2)
    rows = [
        {"loss": 0.9, "accuracy": 0.5, "val_loss": 0.8, "val_accuracy": 0.625},
        {"loss": 0.7, "accuracy": 0.6, "val_loss": 0.85, "val_accuracy": 0.75},
    ]
    state = {
        "following": 2,
        "monitor": ("loss", False),
        "epoch": 2,
        "step": 4,
        "logs": {"loss": 0.5123, "accuracy": 0.6667},
        "done": rows,
        "rate": 1e-4,
        "pace": pace,
    }
    return Dashboard("fine-tune", 3, 10, 32, "image", **(state | changes))


def drawn(dashboard, **options):
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, **options)
    console.print(dashboard)
    return console.file.getvalue().splitlines()


def test_a_frame_says_all_that_is_known():
    top, bar, heads, loss, accuracy, foot, _ = drawn(frame(), width=100)
    assert top.startswith("╭─ fine-tune: epoch 2 of 3 ─")
    assert "4/10  32 images/s" in bar
    assert heads.split()[1:-1] == ["training", "validation"]
    in_words = [" ".join(line.strip("│").split()) for line in (loss, accuracy)]
    assert in_words == [
        "loss 0.5123 █▄▁ 0.8500 ▁█ best 0.8000, epoch 1",
        "accuracy 0.6667 ▁▅█ 0.7500 ▁█",
    ]
    assert foot.strip("│ ") == "learning rate 1.0e-04   0:24 left   0:52 left with the later phases"


@pytest.mark.parametrize(
    ("changes", "there", "absent"),
    [
        ({"is_validating": True}, "4/10  validation", "images/s"),
        ({"step": 16}, "10/10", "16"),
        ({"monitor": ("accuracy", True)}, "best 0.7500, epoch 2", "0.8000"),
        ({"monitor": None}, "0.8500", "best"),
        ({"following": 0}, "0:24 left", "later phases"),
        ({"done": []}, "0.5123", "best"),
        ({"done": [], "logs": {}}, "rate", "training"),
        ({"rate": None}, "0:24 left", "rate"),
        ({"done": [{"loss": 1.0}]}, "0.5123", "best"),
        ({"pace": Pace(10, 3)}, "starting", "left"),
    ],
)
def test_what_a_frame_says_depends_on(changes, there, absent):
    text = "\n".join(drawn(frame(**changes), width=100))
    assert there in text
    assert absent not in text


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_frame_fits_its_terminal(width):
    lines = drawn(frame(), width=width)
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) == min(width, 78)
    assert len(lines) == (8 if width < 80 else 7)
    assert all(number in "".join(lines) for number in ("0.5123", "0.8500", "0.6667", "0.7500"))


def test_a_long_phase_fits_too():
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    rows = [dict.fromkeys(names, 1 / epoch) for epoch in range(1, 100)]
    text = "\n".join(drawn(frame(done=rows, monitor=("accuracy", False)), width=80))
    assert "best 0.0101, epoch 99" in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


def test_a_terminal_that_knows_only_ascii():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(file=file, force_terminal=True, width=80).print(frame())
    file.seek(0)
    assert "0.5123" in file.read()


@pytest.fixture(scope="module")
def learner():
    """With as many validation items as choose the best epoch."""
    return make_small_learner(harder_data(50))


def watch(learner, **options):
    """The text that a learner writes from now on to its terminal or file."""
    file = io.StringIO()
    console = Console(file=file, highlight=False, width=80, **options)
    learner._state.reporter.console = learner._state.reporter._bars = console
    return file


def test_on_a_terminal_a_phase_is_shown_while_it_trains(learner):
    file = watch(learner, force_terminal=True, color_system=None)
    record = learner.fit_head(epochs=3, cache="memory")
    text = file.getvalue()
    last = text[text.rindex("╭─ head: epoch 3 of 3 ─") :]
    losses = [[row[name] for row in record.epochs] for name in ("loss", "val_loss")]
    shown = [f"{values[-1]:.4f}  {sparkline(values)}" for values in losses]
    assert re.search(rf"loss +{shown[0]} +{shown[1]} +best {min(losses[1]):.4f}, epoch", last)
    assert "0:00 left" in last
    assert text.count(HIDE) == text.count(SHOW) > 0
    # The lines of the epochs stay above it.
    assert re.search(r"head +epoch  3/3  accuracy", text)


def test_elsewhere_there_are_only_lines(learner):
    file = watch(learner)
    learner.fit_head(epochs=2, cache="memory")
    lines = file.getvalue().splitlines()
    assert ESCAPE not in file.getvalue()
    assert [line.split()[:3] for line in lines[:2]] == [
        ["head", "epoch", "1/2"],
        ["head", "epoch", "2/2"],
    ]
    assert not any("╭" in line for line in lines)


def test_a_phase_is_told_the_epochs_of_those_after_it(learner, monkeypatch):
    asked = []

    def run(phase, data, augment, callbacks, following, stop_after):
        asked.append(following)
        if not following:
            raise KeyboardInterrupt

    monkeypatch.setattr(learner.trainer, "run", run)
    epochs = {"first": 1, "second": 2, "third": 4}
    with pytest.raises(KeyboardInterrupt):
        learner.fine_tune(
            policy=[
                Phase(name, epochs=n, learning_rate=1e-3, unfreeze="all", batch_norm="live")
                for name, n in epochs.items()
            ]
        )
    assert asked == [6, 4, 0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_the_terminal_in_order(learner, error):
    class Failing(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            # What is asked for meanwhile shows no second thing.
            before = file.getvalue().count(HIDE)
            with learner._state.reporter.bar("Evaluating", 3) as tell:
                tell(1)
            assert file.getvalue().count(HIDE) == before
            raise error

    file = watch(learner, force_terminal=True, color_system=None)
    # Who holds the traceback, as an interactive session does, keeps the display from going alone.
    with pytest.raises(error) as caught:
        learner.fit_head(epochs=2, cache="memory", callbacks=[Failing()])
    # Shown, then hidden with the cursor back, then nothing more.
    text = file.getvalue()
    assert text.rindex("╭─ head") < text.rindex(SHOW)
    assert text.count(HIDE) == text.count(SHOW)
    assert text.endswith("\x1b[1A\x1b[2K")
    assert caught.type is error
    with learner._state.reporter.bar("Evaluating", 3) as tell:
        tell(1)
    assert file.getvalue().count(HIDE) == text.count(HIDE) + 1


@pytest.mark.parametrize("quiet", ["not-verbose", "dumb"])
def test_nothing_is_drawn_where_it_cannot_be(quiet, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb" if quiet == "dumb" else "xterm")
    assert not Reporter(verbose=quiet == "dumb").can_draw
    monkeypatch.setenv("TERM", "xterm")
    assert Reporter().can_draw


# How the learning rate of a phase of one epoch changes, by the settings of the phase.
RATES = {
    "cosine": {"schedule": "cosine", "warmup": 0.0},
    "linear": {"schedule": "linear", "warmup": 0.0},
    "slanted": {"schedule": "slanted_triangular"},
    "one-cycle": {"schedule": "one_cycle"},
    "constant": {"schedule": "constant", "warmup": 0.0},
    "head": {"schedule": "cosine", "unfreeze": None},
    "own-rates": {"schedule": "cosine", "discriminative_factor": 2.0},
}


@pytest.fixture(scope="module")
def trained():
    """A function that gives the learner of a precision, with a trained head."""

    @functools.cache
    def learner_of(precision):
        made = make_small_learner(make_tiny_data(), precision=precision)
        with eagerly():
            made.fit_head(epochs=1)
        return made

    return learner_of


# With mixed_float16, the steps are traced, as users train.
@pytest.mark.parametrize(
    ("name", "precision"),
    [
        *((name, "float32") for name in RATES),
        ("cosine", "mixed_float16"),
        pytest.param("own-rates", "mixed_float16", marks=pytest.mark.slow),
    ],
)
def test_the_rate_of_an_epoch_is_that_of_its_last_step(trained, name, precision):
    learner = trained(precision)
    settings = {"unfreeze": "all", "patience": None, "batch_size": 8} | RATES[name]
    phase = Phase("tune", epochs=1, learning_rate=0.05, **settings)
    with eagerly() if precision == "float32" else contextlib.nullcontext():
        file = watch(learner)
        if phase.unfreeze is None:
            record = learner.fit_head(policy=phase)
        else:
            (record,) = learner.fine_tune(policy=phase, augment=False)
    (row,) = record.epochs
    steps = -(-len(learner.data.split("train")) // 8)
    schedule = make_schedule(phase, steps)
    expected = float(schedule(steps - 1)) if callable(schedule) else schedule
    assert row["learning_rate"] == pytest.approx(expected, rel=1e-4)
    assert expected > 0
    assert f"learning rate {expected:.1e}" in file.getvalue()
