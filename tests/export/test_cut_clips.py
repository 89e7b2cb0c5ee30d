"""Clips as files: their names, what becomes of those that fail."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection, looked_up
from pesearch.export.cut_clips import Clip, NotCut, cut_clips
from pesearch.export.formats import Form
from pesearch.export.output_file import write_document
from pesearch.media.probe import probe


def test_one_that_fails_stops_no_other(sample_media: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (tmp_path / "broken.mp4").write_bytes((sample_media / "bell.mp4").read_bytes()[:3000])
    film = sample_media / "siren_train.mp4"
    paths = [film, tmp_path / "gone.mp4", film, tmp_path / "broken.mp4", sample_media / "red_ball.png"]
    chosen = [looked_up(Selection(path, 0.0 if path.suffix == ".png" else 2.0, 0.0 if path.suffix == ".png" else 4.0))
              for path in paths]  # fmt: skip
    outcomes = list(cut_clips(chosen, folder))
    assert [type(outcome) for outcome in outcomes] == [Clip, NotCut, Clip, NotCut, Clip]
    assert isinstance(outcomes[1], NotCut) and "drive" in outcomes[1].reason
    assert isinstance(outcomes[3], NotCut) and "moov" in outcomes[3].reason
    names = ["siren_train_00-02.0-00-04.0.mp4", "siren_train_00-02.0-00-04.0_2.mp4", "red_ball.png"]
    assert [outcome.path.name for outcome in outcomes if isinstance(outcome, Clip)] == names
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)  # and nothing half done
    assert (folder / "red_ball.png").read_bytes() == (sample_media / "red_ball.png").read_bytes()


def test_no_file_is_replaced(sample_media: Path, tmp_path: Path) -> None:
    mine = tmp_path / "bell_00-01.0-00-02.0.mp4"
    mine.write_text("mine")
    (outcome,) = cut_clips([looked_up(Selection(sample_media / "bell.mp4", 1.0, 2.0))], tmp_path)
    assert isinstance(outcome, Clip) and outcome.path.name == "bell_00-01.0-00-02.0_2.mp4"
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", [b"new\nline \xff.mp4", b"\xe6\x97\xa5" * 80 + b".mp4", b" .. .mp4", b"a:b?*.mp4"])
def test_any_name_gives_a_clip(sample_media: Path, tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    shutil.copy(sample_media / "bell.mp4", path)
    (outcome,) = cut_clips([looked_up(Selection(path, 1.0, 2.0))], tmp_path, reencode=True)
    assert isinstance(outcome, Clip)
    assert outcome.path.name.isprintable()
    assert probe(outcome.path).duration_seconds == pytest.approx(1.0, abs=1 / 15)


def test_a_clip_ends_with_its_file(sample_media: Path, tmp_path: Path) -> None:
    choice = looked_up(Selection(sample_media / "bell.mp4", 1.0, 2.0))
    assert choice.media
    far = replace(choice, end_seconds=1000.0).padded(5.0)
    assert far.stretch_seconds == (0.0, choice.media.duration_seconds)
    (outcome,) = cut_clips([far], tmp_path)
    assert isinstance(outcome, Clip)
    assert probe(outcome.path).duration_seconds == pytest.approx(choice.media.duration_seconds, abs=0.1)


def test_a_document_replaces_only_one_of_its_form(tmp_path: Path) -> None:
    list_, film = tmp_path / "cuts.csv", tmp_path / "film.mp4"
    for path in (list_, film):
        path.write_text("old")
    write_document(b"new", list_, Form.CSV)
    assert list_.read_text() == "new"
    with pytest.raises(ExportError, match=r"film\.mp4 is there already"):
        write_document(b"new", film, Form.CSV)
    assert film.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
