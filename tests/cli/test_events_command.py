"""`pesearch events` on the way: how far it is."""

from __future__ import annotations

import pytest

from pesearch.cli import query_command as asking
from pesearch.cli.query_command import hearing_shown


def test_nothing_is_shown_of_what_is_quick(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # stderr is taken for a terminal
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 1000.0)
    with hearing_shown() as heard:
        heard(5.0, 10.0)
    assert "hearing" not in capsys.readouterr().err


def test_what_takes_long_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.0)
    with hearing_shown() as heard:
        heard(5.0, 10.0)
        heard(10.0, 10.0)
    shown = capsys.readouterr()
    assert "hearing" in shown.err
    assert shown.out == ""
