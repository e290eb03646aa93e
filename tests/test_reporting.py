"""What people see while it works."""

import pytest

from keras_tl.reporting import Reporter


@pytest.mark.parametrize(("done", "shown"), [(8, " 8/13"), (13, "13/13"), (16, "13/13")])
def test_a_bar_never_passes_its_end(done, shown, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    with Reporter().bar("Evaluating", 13) as tell:
        tell(done)
    assert shown in capsys.readouterr().err


def test_nothing_is_said_unless_asked_for(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    reporter = Reporter(verbose=False)
    reporter.say("anything")
    with reporter.bar("Evaluating", 13) as tell:
        tell(1)
    assert capsys.readouterr() == ("", "")
