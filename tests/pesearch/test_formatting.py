"""Evidence, cues and times as text."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pesearch import locations
from pesearch.capture_time import CaptureTime, DateSource
from pesearch.cues import CueKind, FoundBy, FoundCue
from pesearch.formatting import (
    format_absence,
    format_clock,
    format_cue,
    format_evidence,
    format_recording,
    format_remark,
    format_span,
    printable,
    quote_path,
)
from pesearch.locations import Location
from pesearch.place import Place
from pesearch.types import (
    AudioStream,
    Hit,
    MediaFile,
    MediaInfo,
    MediaKind,
    MediaProperties,
    Remark,
    SpaceName,
    VideoStream,
)
from pesearch.volume import Volume


def test_a_file_is_offline_or_was_not_found_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "here.wav").touch()
    names = ["here.wav", "deleted.wav", "drive/film.wav"]
    info = MediaInfo(MediaKind.AUDIO, 1.0, None, None)
    files = [MediaFile(1, "f", info, (Location(tmp_path / name, 1, 1),)) for name in names]
    assert [format_absence(file) for file in files] == ["", "not found", "offline"]
    assert [(file.is_online, file.is_missing) for file in files] == [(True, False), (False, True), (False, False)]
    on_drive = MediaFile(1, "f", info, (*files[1].locations, *files[2].locations))
    elsewhere = MediaFile(1, "f", info, (*files[1].locations, *files[0].locations))
    assert [format_absence(file) for file in (on_drive, elsewhere)] == ["offline", ""]


def test_the_mount_table_is_read_for_absent_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def mounted_volumes() -> dict[int, Volume]:
        read.append("mounts")
        return {}

    monkeypatch.setattr(locations, "mounted_volumes", mounted_volumes)
    (tmp_path / "here.wav").touch()
    assert not Location(tmp_path / "here.wav", 1, 1).is_missing
    assert read == []
    assert Location(tmp_path / "deleted.wav", 1, 1).is_missing
    assert read == ["mounts"]


def test_clock_and_span_are_rounded_to_tenths_of_a_second() -> None:
    assert [format_clock(seconds) for seconds in (0.0, 59.99, 62.34, 3723.5)] == [
        "00:00.0",
        "01:00.0",
        "01:02.3",
        "1:02:03.5",
    ]
    assert format_span(1.26, 62) == "00:01.3-01:02.0"


def test_evidence_shows_the_best_rank_of_each_sense_best_first() -> None:
    ranks = [(SpaceName.FRAME, 3), (SpaceName.AUDIO, 2), (SpaceName.VIDEO, 7), (SpaceName.AUDIO_VIDEO, 1)]
    hits = [Hit(1, space, 0.0, 10.0, 0.5, rank) for space, rank in ranks]
    assert format_evidence(hits) == "seen and heard #1, heard #2, seen #3"
    assert format_evidence([]) == ""


@pytest.mark.parametrize(
    ("kind", "found_by", "text"),
    [
        (CueKind.SUBTITLE, FoundBy.WORDS, 'subtitle 00:01.2-00:02.1 "mind the gap" (film.srt)'),
        (CueKind.CHAPTER, FoundBy.MEANING, 'chapter 00:01.2-00:02.1 "mind the gap" (film.srt, by meaning)'),
        (CueKind.TITLE, FoundBy.WORDS, 'title "mind the gap" (film.srt)'),
    ],
)
def test_cues_have_kind_time_text_and_source(kind: CueKind, found_by: FoundBy, text: str) -> None:
    assert format_cue(FoundCue(1.2, 2.1, "mind the gap", kind, "film.srt", found_by=found_by)) == text


def test_long_cues_are_cut_to_100_characters() -> None:
    assert f'"{"a" * 99}…"' in format_cue(FoundCue(0, 1, "a" * 101, CueKind.SUBTITLE, "film.srt"))
    assert f'"{"a" * 100}"' in format_cue(FoundCue(0, 1, "a" * 100, CueKind.SUBTITLE, "film.srt"))


def test_paths_and_text_stay_on_one_line() -> None:
    assert quote_path(Path("a b.mp4")) == "'a b.mp4'"
    assert quote_path(Path("a\nb'.mp4")) == r"$'a\x0ab\x27.mp4'"
    assert printable("a\nb\x1b") == r"a\nb\x1b"
    assert printable("a\nb", replacement="?") == "a?b"


def test_lengths_in_remarks_are_never_zero() -> None:
    assert format_remark(Remark("damaged", 0.04)) == "damaged (less than 0.1 s)"
    assert format_remark(Remark("damaged", 0.06)) == "damaged (0.1 s)"
    assert format_remark(Remark("damaged", 750.0)) == "damaged (12.5 min)"
    assert format_remark(Remark("damaged")) == "damaged"


def test_a_recording_is_one_line_of_what_is_known() -> None:
    info = MediaInfo(MediaKind.VIDEO, 9.0, VideoStream("hevc", 1080, 1920, 29.97003), AudioStream("aac", 48_000, 2))
    abroad = datetime(2019, 7, 4, 23, 34, 56, tzinfo=timezone(timedelta(hours=-3.5)))
    properties = MediaProperties(
        (CaptureTime(abroad, DateSource.QUICKTIME),), Place(48.8584, 2.2945), "Apple iPhone X", 90, 0
    )
    here = (Location(Path("/a/VID_20190704_123456.mp4"), 1, 0),)
    assert format_recording(MediaFile(1, "f", info, here, properties=properties)) == (
        "2019-07-04 23:34 -03:30 · Apple iPhone X · 1080x1920, 29.97 fps, hevc, aac · 48.85840, 2.29450"
    )
    sound = MediaInfo(MediaKind.AUDIO, 9.0, None, AudioStream("flac", 48_000, 2))
    assert format_recording(MediaFile(1, "f", sound, here)) == "2019-07-04 12:34 (by its name) · flac"
    still = MediaInfo(MediaKind.IMAGE, 0.0, VideoStream("jpeg", 64, 48, 0.0), None)
    noon_ns = int(datetime(2024, 3, 1, 12).timestamp()) * 10**9
    assert format_recording(MediaFile(1, "f", still, (Location(Path("/a.jpg"), 1, noon_ns),))) == (
        "2024-03-01 12:00 (file date) · 64x48, jpeg"
    )
