"""Moments: cutting them to clips, and how they are shown."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import pesearch
from pesearch.locations import Location
from pesearch.media.probe import probe

FRAME_SECONDS = 1 / 15


@pytest.fixture(scope="module")
def film(samples: pesearch.Library, sample_media: Path) -> pesearch.Moment:
    (moment,) = samples.search("train", k=1, folder=sample_media / "siren_train.mp4")
    return moment


def test_a_clip_is_written_under_the_name_that_was_given(film: pesearch.Moment, tmp_path: Path) -> None:
    target = film.cut(str(tmp_path / "train.mp4"), reencode=True)
    assert target == tmp_path / "train.mp4"
    assert probe(target).duration_seconds == pytest.approx(film.end_seconds - film.start_seconds, abs=FRAME_SECONDS)
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_created_and_names_the_clip(film: pesearch.Moment, tmp_path: Path) -> None:
    first, second = film.cut(tmp_path / "new" / "clips"), film.cut(tmp_path / "new" / "clips")
    assert first.parent == second.parent == tmp_path / "new" / "clips"
    assert first.name.startswith("siren_train_00-")
    assert second.stem == f"{first.stem}_2"


def test_an_image_is_copied(samples: pesearch.Library, sample_media: Path, tmp_path: Path) -> None:
    (moment,) = samples.search("red ball", kind="image", all=True)
    assert moment.cut(tmp_path / "ball.png").read_bytes() == (sample_media / "red_ball.png").read_bytes()


def test_an_existing_file_stays(film: pesearch.Moment, tmp_path: Path) -> None:
    (tmp_path / "kept.mp4").write_text("mine")
    with pytest.raises(pesearch.ExportError, match=r"kept\.mp4 already exists"):
        film.cut(tmp_path / "kept.mp4")
    assert (tmp_path / "kept.mp4").read_text() == "mine"
    assert list(tmp_path.iterdir()) == [tmp_path / "kept.mp4"]


def test_a_suffix_that_the_clip_does_not_have_is_refused(film: pesearch.Moment, tmp_path: Path) -> None:
    with pytest.raises(pesearch.ExportError, match=r"clip\.avi: this clip is a \.mp4 file"):
        film.cut(tmp_path / "clip.avi")
    with pytest.raises(pesearch.ExportError, match="cannot be written: No such file or directory"):
        film.cut(tmp_path / "nowhere" / "clip.mp4")


@pytest.mark.parametrize(("folder", "reason"), [("here", "deleted or moved"), ("drive/not/connected", "offline")])
def test_a_file_that_is_not_there_cannot_be_cut(
    film: pesearch.Moment, tmp_path: Path, folder: str, reason: str
) -> None:
    (tmp_path / "here").mkdir()
    path = tmp_path / folder / "film.mp4"
    gone = replace(film, file=replace(film.file, locations=(Location(path, 1, 1),)))
    with pytest.raises(pesearch.MediaError, match=f"^{path}: .*{reason}"):
        gone.cut(tmp_path / "clip.mp4")
    assert not (tmp_path / "clip.mp4").exists()


def test_other_content_is_not_cut(film: pesearch.Moment, sample_media: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(sample_media / "bell.mp4", tmp_path / "film.mp4"))
    changed = replace(film, file=replace(film.file, locations=(Location(path, 1, 1),)))
    with pytest.raises(pesearch.MediaError, match="changed since it was indexed"):
        changed.cut(tmp_path / "clip.mp4")


def test_they_are_shown_on_one_line_each(film: pesearch.Moment) -> None:
    span = f"{film.start_seconds:.1f} to {film.end_seconds:.1f} s"
    line = f"Moment('{film.path}', {span}, score {film.score:.2f})"
    assert repr(film) == line
    assert repr(pesearch.Moments("train", (film, film))) == f"Moments('train',\n  {line},\n  {line})"


def test_they_are_a_sequence(film: pesearch.Moment) -> None:
    moments = pesearch.Moments("train", (film, replace(film, rank=2)))
    assert [moment.rank for moment in moments] == [1, 2]
    assert (moments[-1].rank, len(moments), moments[:1]) == (2, 2, (film,))
    assert film.query == "train"
