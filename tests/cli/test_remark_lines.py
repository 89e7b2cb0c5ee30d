"""Remarks in the terminal: a line for each file, long lists cut and counted."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from pesearch.cli import index_progress
from pesearch.cli.index_summary import Summary
from pesearch.cli.remark_lines import MAX_FILES, remark_line, remark_lines, remark_objects
from pesearch.cli.status_command import status_remark_lines
from pesearch.damage import DamagedFile
from pesearch.indexer.progress_events import (
    CuesUpdated,
    Damaged,
    Excluded,
    Indexed,
    Missing,
    Outcome,
    Plan,
    Relocated,
    Remarked,
    Replaced,
    Restored,
)
from pesearch.locations import Location
from pesearch.types import MediaFile, MediaInfo, MediaKind, Remark

TRACKS = Remark("2 of 3 sound tracks are not searched", 754.0)
SIDECAR = Remark("holds no subtitles", sidecar=Path("/a b.en.srt"))
MANY = [(Path(f"/{number}.mp4"), (TRACKS,)) for number in range(MAX_FILES + 3)]


def test_the_remarks_of_a_file_are_one_line() -> None:
    assert remark_line((Path("/a\n.mp4"), (TRACKS, SIDECAR, Remark("its clock\nwas guessed", 6.24)))) == (
        "/a\\n.mp4: 2 of 3 sound tracks are not searched (12.6 min); a b.en.srt: holds no subtitles; "
        "its clock\\nwas guessed (6.2 s)"
    )


def test_many_remarks_of_a_file_are_counted() -> None:
    remarks = [Remark(f"reason {number}", 3600.0 * number) for number in range(1, 8)]
    assert remark_line((Path("/a.mp4"), remarks)) == (
        "/a.mp4: reason 1 (1.0 h); reason 2 (2.0 h); reason 3 (3.0 h); reason 4 (4.0 h); "
        "and 3 more: `pesearch status --json`"
    )


def test_many_files_are_counted() -> None:
    lines = list(remark_lines(MANY))
    assert len(lines) == MAX_FILES + 1
    assert lines[-1] == "and 3 more files: `pesearch status --remarks`"
    assert list(remark_lines(MANY, None)) == [remark_line(each) for each in MANY]
    assert list(remark_lines(MANY[:MAX_FILES])) == lines[:-1]


def test_the_json_has_every_remark() -> None:
    assert len(remark_objects(MANY)) == len(MANY)
    assert remark_objects([(Path("/a.mp4"), (TRACKS, SIDECAR))]) == [
        {"path": "/a.mp4", "reason": TRACKS.reason, "seconds": 754.0, "sidecar": None},
        {"path": "/a.mp4", "reason": "holds no subtitles", "seconds": None, "sidecar": "/a b.en.srt"},
    ]


def media_file(number: int, path: Path, remarks: tuple[Remark, ...]) -> MediaFile:
    return MediaFile(number, "f", MediaInfo(MediaKind.AUDIO, 9.0, None, None), (Location(path, 1, 1),), remarks)


def test_status_lists_the_first_files_and_all_on_request() -> None:
    files = [media_file(number, path, (*remarks, SIDECAR)) for number, (path, remarks) in enumerate(MANY)]
    first = list(status_remark_lines(files, show_all=False))
    assert first[:2] == ["remarks     46 on 23 files", f"  {remark_line((files[0].path, files[0].remarks))}"]
    assert (len(first), first[-1]) == (MAX_FILES + 2, "  and 3 more files: `pesearch status --remarks`")
    assert len(list(status_remark_lines(files, show_all=True))) == len(MANY) + 1
    assert list(status_remark_lines([], show_all=False)) == ["remarks     0"]


def follow(*outcomes: Outcome, monkeypatch: pytest.MonkeyPatch, names_files: bool = False) -> list[str]:
    """What `pesearch index` prints while these outcomes come; with `names_files` as with --watch."""
    shown = io.StringIO()
    monkeypatch.setattr("rich.console.Console", lambda **options: Console(**options | {"file": shown}))
    index_progress.follow(outcomes, Summary(), names_files)
    return shown.getvalue().splitlines()


def test_index_shows_remarks_as_they_come_and_never_floods(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass of --watch, which begins with a plan, shows its own."""
    many = [Remarked(path, remarks) for path, remarks in MANY]
    lines = follow(*many, Plan(1, 9.0), many[0], monkeypatch=monkeypatch)
    assert lines == [
        *(f"remark: {remark_line(each)}" for each in MANY[:MAX_FILES]),
        "remark: further ones are in the summary",
        f"remark: {remark_line(MANY[0])}",
    ]


def test_watching_names_damaged_files(monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = DamagedFile(Path("/a.mp4"), "audio", Path("vectors/audio/a.arrow"), rows=4, lost=1, restored=0, reason="")
    assert follow(Damaged((damaged,)), monkeypatch=monkeypatch) == [
        "/a.mp4: 1 of its 4 audio vectors are damaged and left out: run `pesearch doctor`"
    ]


def test_the_summary_counts_files_and_joins_what_is_said_of_one_file() -> None:
    summary = Summary()
    for outcome in (Remarked(Path("/a.mp4"), (TRACKS,)), Remarked(Path("/a.mp4"), (SIDECAR,))):
        summary.count(outcome)
    assert list(summary.lines()) == [
        "0 files indexed, 1 with remarks",
        f"remark: {remark_line((Path('/a.mp4'), (TRACKS, SIDECAR)))}",
    ]


def test_watching_names_each_file_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Location(Path("/a.mp4"), 1, 1), Path("/b.mp4")
    outcomes: dict[Outcome, str] = {
        Indexed(a, MediaInfo(MediaKind.AUDIO, 1.0, None, None), 0.0): "indexed: /a.mp4",
        Relocated(a, b): "relocated: /a.mp4, before /b.mp4",
        Relocated(a, None): "copy: /a.mp4",
        Replaced(b): "replaced: /b.mp4: other content of the same size and time",
        Missing(b): "missing: /b.mp4",
        Excluded(b): "excluded: /b.mp4",
        Restored(b): "restored: /b.mp4",
        CuesUpdated(a, 3): "cues: /a.mp4: 3 new or changed",
    }
    assert follow(*outcomes, monkeypatch=monkeypatch, names_files=True) == list(outcomes.values())
    assert follow(*outcomes, monkeypatch=monkeypatch) == []
