"""`pesearch events` on the way: how far it is, and what an interrupt leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from pesearch.cli import asking
from pesearch.cli.asking import hearing_shown, locate
from pesearch.media.audio import AudioReader


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


def test_an_interrupt_is_one_line(
    sample_media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(reader: AudioReader, start_seconds: float, end_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AudioReader, "read", interrupted)
    assert locate(sample_media / "bell.mp4", ["bell"], "starter", None, tmp_path, "cpu", False) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "pesearch: interrupted"
