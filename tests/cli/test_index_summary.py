"""The summary of an indexing run, from made-up outcomes."""

from __future__ import annotations

import json
from pathlib import Path

from pesearch.cli.index_summary import Summary
from pesearch.indexer.progress_events import (
    CuesEmbedded,
    CuesUpdated,
    Excluded,
    Failed,
    FailedBefore,
    Indexed,
    Missing,
    NotMedia,
    Outcome,
    PropertiesRead,
    Relocated,
    Remarked,
    Replaced,
    RunTimings,
    Unchanged,
)
from pesearch.locations import Location
from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress
from pesearch.types import Failure, MediaInfo, MediaKind, Remark

PLACE = Location(Path("/a\n.mp4"), 1, 1)
FAILURE = Failure(PLACE, "empty file")
REMARKS = (
    Remark("pictures could not be decoded at 00:12.0", 0.625),
    Remark("no subtitles", sidecar=Path("/a\n.srt")),
)
SPENT = RunTimings(
    elapsed_seconds=60.0, decode_seconds=9.0, wait_seconds=1.0, tower_seconds=20.0, codec_seconds=10.0,
    transformers_seconds=5.0, commit_seconds=2.0, index_seconds=0.5, warnings=("cuda:0: memory ran out",),
)  # fmt: skip


def summary_of(*outcomes: Outcome) -> Summary:
    summary = Summary()
    for outcome in outcomes:
        summary.count(outcome)
    summary.elapsed_seconds = 60.0
    return summary


def test_every_count_is_reported() -> None:
    info = MediaInfo(MediaKind.AUDIO, 360.0, None, None)
    summary = summary_of(
        Indexed(PLACE, info, 0.3), Indexed(PLACE, info, 0.0), Unchanged(PLACE), Relocated(PLACE, PLACE.path),
        Relocated(PLACE, None), Replaced(PLACE.path), Missing(PLACE.path), Excluded(PLACE.path), NotMedia(PLACE),
        Failed(FAILURE), FailedBefore(FAILURE), CuesUpdated(PLACE, 7), PropertiesRead(5, 5),
        CuesEmbedded(3, 9), CuesEmbedded(6, 9, 6), CuesEmbedded(9, 9, 3), Remarked(PLACE.path, REMARKS),
        RefreshFailed("audio", "disk full"), SPENT,
    )  # fmt: skip
    assert list(summary.lines()) == [
        "2 files indexed, 12.0 min of media, 12.0 x real time, in 60 s, 1 unchanged, 1 relocated, 1 copy, 1 missing, "
        "1 excluded, 1 failed before, 7 new cues of files already indexed, 9 cues embedded, dates and places of 5 "
        "files read, 1 with remarks, 1 failed",
        "missing files stay searchable: `pesearch status` lists and `pesearch remove --missing` removes them",
        "excluded files stay searchable: `pesearch remove --excluded` removes them",
        "time: decode 9.0 s, wait 1.0 s, tower 20.0 s, codec 10.0 s, transformers 5.0 s, commit 2.0 s, index 0.5 s; "
        "bound by: tower",
        "cuda:0: memory ran out",
        "the search index of audio could not be updated (disk full): no data is lost; rows that it lacks are searched "
        "exactly, which may be slow, until the next run updates it",
        "0.3 s of media could not be decoded and are not in the library",
        "remark: /a\\n.mp4: pictures could not be decoded at 00:12.0 (0.6 s); a\\n.srt: no subtitles",
        "replaced: /a\\n.mp4: other content of the same size and time",
        "failed: /a\\n.mp4: empty file",
        "failed files are retried when they change, or with --retry-failed",
    ]
    report = json.loads(summary.json())
    assert report["replaced"] == ["/a\\n.mp4"]
    assert report["failed"] == [{"path": "/a\\n.mp4", "reason": "empty file"}]
    assert report["remarks"] == [
        {
            "path": "/a\n.mp4",
            "reason": "pictures could not be decoded at 00:12.0",
            "seconds": 0.625,
            "sidecar": None,
        },
        {"path": "/a\n.mp4", "reason": "no subtitles", "seconds": None, "sidecar": "/a\n.srt"},
    ]
    assert report["troubles"] == summary.warnings()
    counts = ("indexed", "unchanged", "relocated", "copies", "missing", "not_media", "failed_before", "cues_taken")
    assert [report[name] for name in counts] == [2, 1, 1, 1, 1, 1, 1, 7] and report["properties_read"] == 5
    assert (report["media_seconds"], report["unread_seconds"], report["elapsed_seconds"]) == (720.0, 0.3, 60.0)
    assert report["cues_embedded"] == 9
    assert (report["stages_seconds"]["tower"], report["bound_by"]) == (20.0, "tower")


def test_files_that_are_not_media_are_only_counted_where_there_is_nothing_else() -> None:
    """Named on the command line, or in a folder of another kind: the user would wonder."""
    assert list(summary_of(NotMedia(PLACE), NotMedia(PLACE)).lines()) == ["0 files indexed, no media in 2 files"]
    assert list(summary_of(NotMedia(PLACE), Unchanged(PLACE)).lines()) == ["0 files indexed, 1 unchanged"]


def test_an_index_that_is_updated_after_a_failure_is_not_reported() -> None:
    summary = summary_of(RefreshFailed("audio", "disk full"), RefreshProgress("audio", 0.0))
    assert summary.warnings() == []
    assert list(summary.lines()) == ["0 files indexed"]


def test_indexes_that_failed_for_the_same_reason_share_a_line() -> None:
    summary = summary_of(RefreshFailed("audio", "disk full"), RefreshFailed("video", "disk full"))
    (line,) = summary.warnings()
    assert line.startswith("the search index of audio, video could not be updated (disk full): ")
