"""Clip files: their names and durations, and failures."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pesearch.export.clip_selection import Selection, with_media_info
from pesearch.export.cut_clips import Clip, CutFailure, cut_clips
from pesearch.locations import Location
from pesearch.media.fingerprint import fingerprint
from pesearch.media.probe import probe
from pesearch.media.verified_file import CHANGED
from pesearch.types import MediaFile
from tests.indexer.trees import public_folder, without_rights


def test_a_failure_does_not_stop_the_others(sample_media: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (tmp_path / "broken.mp4").write_bytes((sample_media / "bell.mp4").read_bytes()[:3000])
    film = sample_media / "siren_train.mp4"
    paths = [film, tmp_path / "gone.mp4", film, tmp_path / "broken.mp4", sample_media / "red_ball.png"]
    times = [(0.0, 0.0) if path.suffix == ".png" else (2.0, 4.0) for path in paths]
    selections = [with_media_info(Selection(path, *span)) for path, span in zip(paths, times, strict=True)]
    outcomes = list(cut_clips(selections, folder))
    assert [type(outcome) for outcome in outcomes] == [Clip, CutFailure, Clip, CutFailure, Clip]
    assert isinstance(outcomes[1], CutFailure) and outcomes[1].reason == "not found: it was deleted or moved"
    assert isinstance(outcomes[3], CutFailure) and "moov" in outcomes[3].reason
    names = ["siren_train_00-02.0-00-04.0.mp4", "siren_train_00-02.0-00-04.0_2.mp4", "red_ball.png"]
    assert [outcome.path.name for outcome in outcomes if isinstance(outcome, Clip)] == names
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)  # no temporary files
    assert (folder / "red_ball.png").read_bytes() == (sample_media / "red_ball.png").read_bytes()


def test_failures_tell_absent_folders_absent_files_and_locked_ones_apart() -> None:
    """Root may read everything; the clips would go to a folder that is never written to."""
    with public_folder() as root:
        for name in ("locked.mp4", "closed/film.mp4"):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(b"film")
        (root / "locked.mp4").chmod(0)
        (root / "closed").chmod(0)
        with without_rights():
            names = ("gone.mp4", "no folder/film.mp4", "locked.mp4", "closed/film.mp4")
            outcomes = list(cut_clips([Selection(root / name, 0.0, 1.0) for name in names], root))
        (root / "closed").chmod(0o755)
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, CutFailure)] == [
        "not found: it was deleted or moved",
        "offline: connect its drive",
        "no permission to read it",
        "no permission to read it",
    ]


def test_existing_files_are_never_replaced(sample_media: Path, tmp_path: Path) -> None:
    existing = tmp_path / "bell_00-01.0-00-02.0.mp4"
    existing.write_text("existing")
    (outcome,) = cut_clips([with_media_info(Selection(sample_media / "bell.mp4", 1.0, 2.0))], tmp_path)
    assert isinstance(outcome, Clip) and outcome.path.name == "bell_00-01.0-00-02.0_2.mp4"
    assert existing.read_text() == "existing"


@pytest.mark.parametrize("name", [b"new\nline \xff.mp4", b"\xe6\x97\xa5" * 80 + b".mp4", b" .. .mp4", b"a:b?*.mp4"])
def test_clips_of_files_with_unusual_names(sample_media: Path, tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    shutil.copy(sample_media / "bell.mp4", path)
    (outcome,) = cut_clips([with_media_info(Selection(path, 1.0, 2.0))], tmp_path, reencode=True)
    assert isinstance(outcome, Clip)
    assert outcome.path.name.isprintable()
    assert probe(outcome.path).duration_seconds == pytest.approx(1.0, abs=1 / 15)


def test_padding_is_limited_to_the_file(sample_media: Path, tmp_path: Path) -> None:
    selection = with_media_info(Selection(sample_media / "bell.mp4", 1.0, 2.0))
    assert selection.media
    far = replace(selection, end_seconds=1000.0).padded(5.0)
    assert far.interval_seconds == (0.0, selection.media.duration_seconds)
    (outcome,) = cut_clips([far], tmp_path)
    assert isinstance(outcome, Clip)
    assert probe(outcome.path).duration_seconds == pytest.approx(selection.media.duration_seconds, abs=0.1)


@pytest.mark.parametrize(
    ("name", "reason"), [("/dev/zero", "not a regular file"), ("fifo", "not a regular file"), ("text", "not an image")]
)
def test_only_images_are_copied_as_stills(tmp_path: Path, name: str, reason: str) -> None:
    """Without media info whatever ends at 0 is taken for a still: `/dev/zero` would fill the disk."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "text").write_text("no image")
    folder = tmp_path / "clips"
    folder.mkdir()
    selection = with_media_info(Selection(tmp_path / name, 0.0, 0.0))
    assert list(cut_clips([selection], folder)) == [CutFailure(selection, reason)]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", ["bell.mp4", "red_ball.png"])
def test_clips_of_a_library_show_what_was_indexed(sample_media: Path, tmp_path: Path, name: str) -> None:
    path, folder = tmp_path / name, tmp_path / "clips"
    folder.mkdir()
    shutil.copy(sample_media / name, path)
    file = MediaFile(1, fingerprint(path).digest, probe(path), (Location.of_file(path),))
    selection = Selection(path, 0.0, 1.0, media=file.info, file=file)
    assert [type(outcome) for outcome in cut_clips([selection], folder)] == [Clip]
    path.unlink()
    path.symlink_to(sample_media / "dog_bark.mp4")
    assert list(cut_clips([selection], folder)) == [CutFailure(selection, CHANGED)]
    assert len(list(folder.iterdir())) == 1
