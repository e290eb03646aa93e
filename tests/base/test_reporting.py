"""What people see while it works."""

import pytest

from keras_tl.base.reporting import Reporter, reworded, size_text, time_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (4000, "3.9 KiB"),
        (3 * 2**20, "3.0 MiB"),
        (2**30, "1.0 GiB"),
        (5000 * 2**30, "5,000.0 GiB"),
    ],
)
def test_sizes_are_never_shown_as_nothing(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (0.4, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2.0 h"),
    ],
)
def test_times_have_a_suitable_unit(seconds, text):
    assert time_text(seconds) == text


@pytest.mark.parametrize(("done", "shown"), [(8, " 8/13"), (13, "13/13"), (16, "13/13")])
def test_a_bar_never_passes_its_end(done, shown, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    with Reporter().bar("Evaluating", 13) as tell:
        tell(done)
    assert shown in capsys.readouterr().err


def test_a_command_that_prints_results_itself_keeps_only_progress(capsys):
    reporter = Reporter()
    reporter.say_result("first")
    reporter.writes_results = False
    reporter.say_result("second")
    reporter.say("progress")
    assert capsys.readouterr().err.split() == ["first", "progress"]


def test_a_command_changes_the_wording(capsys):
    reporter = Reporter()
    reporter.say("Pass cache='off'.")
    with reworded(lambda message: message.replace("cache='off'", "--cache off")):
        reporter.say("Pass cache='off'.")
        Reporter().say("Leave cache='off' out.")
    reporter.say("Pass cache='off'.")
    said = ["Pass cache='off'.", "Pass --cache off.", "Leave --cache off out.", "Pass cache='off'."]
    assert capsys.readouterr().err.splitlines() == said


def test_nothing_is_said_unless_asked_for(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    reporter = Reporter(verbose=False)
    reporter.say("anything")
    with reporter.bar("Evaluating", 13) as tell:
        tell(1)
    assert capsys.readouterr() == ("", "")
