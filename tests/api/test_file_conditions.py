"""Conditions on files as Python values: the same filters as the words of the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pesearch.api.file_conditions import file_filter
from pesearch.errors import QueryError
from pesearch.place import Place
from pesearch.search.query.file_filter import EVERY_FILE, FileFilter
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.picture_range import parse_frame_rate, parse_size
from pesearch.search.query.property_filter import Area, PropertyFilter
from pesearch.types import MediaKind

NONE: dict[str, Any] = {
    "folder": None, "after": None, "before": None, "file_date": False, "kind": None, "longer": None, "shorter": None,
    "camera": "", "near": None, "size": None, "fps": None, "codec": "", "orientation": None, "has": (), "online": False,
}  # fmt: skip


def filter_of(**conditions: Any) -> FileFilter:
    return file_filter(**NONE | conditions)


def test_without_conditions_every_file_is_searched() -> None:
    assert filter_of() == EVERY_FILE


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"folder": "/a"}, FileFilter(under=(Path("/a"),))),
        ({"folder": Path("/a")}, FileFilter(under=(Path("/a"),))),
        ({"folder": ["/a", Path("/b")]}, FileFilter(under=(Path("/a"), Path("/b")))),
        ({"folder": "~/a"}, FileFilter(under=(Path.home() / "a",))),
        ({"after": "2026-01-31"}, FileFilter(after=datetime(2026, 1, 31))),
        ({"after": date(2026, 1, 31)}, FileFilter(after=datetime(2026, 1, 31))),
        ({"before": datetime(2026, 1, 31, 12, tzinfo=UTC)}, FileFilter(before=datetime(2026, 1, 31, 12, tzinfo=UTC))),
        ({"after": "2026-01-31", "file_date": True}, FileFilter(after=datetime(2026, 1, 31), by_file_time=True)),
        ({"kind": "audio"}, FileFilter(kind=MediaKind.AUDIO)),
        ({"longer": 90, "shorter": "1h30m"}, FileFilter(min_duration_seconds=90, max_duration_seconds=5400)),
        ({"online": True}, FileFilter(online=True)),
    ],
)
def test_files(conditions: dict[str, Any], expected: FileFilter) -> None:
    assert filter_of(**conditions) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"camera": "iPhone"}, PropertyFilter(camera="iPhone")),
        ({"near": (48.858, 2.294)}, PropertyFilter(near=Area(Place(48.858, 2.294), 1.0))),
        ({"near": (48.858, 2.294, 5)}, PropertyFilter(near=Area(Place(48.858, 2.294), 5.0))),
        ({"near": "48.858,2.294,5"}, PropertyFilter(near=Area(Place(48.858, 2.294), 5.0))),
        ({"size": ">=720p"}, PropertyFilter(size=parse_size(">=720p"))),
        ({"fps": 25}, PropertyFilter(frame_rate=parse_frame_rate("25"))),
        ({"fps": 30000 / 1001}, PropertyFilter(frame_rate=parse_frame_rate("29.97"))),
        ({"fps": ">=50"}, PropertyFilter(frame_rate=parse_frame_rate(">=50"))),
        ({"codec": "h264"}, PropertyFilter(codec="h264")),
        ({"orientation": "portrait"}, PropertyFilter(orientation=Orientation.PORTRAIT)),
        ({"has": "audio"}, PropertyFilter(has=(Feature.AUDIO,))),
        ({"has": ["audio", Feature.PLACE]}, PropertyFilter(has=(Feature.AUDIO, Feature.PLACE))),
    ],
)
def test_properties(conditions: dict[str, Any], expected: PropertyFilter) -> None:
    assert filter_of(**conditions) == FileFilter(properties=expected)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"has": "sound"}, "has is 'sound': choose from audio, video, subtitles, place"),
        ({"orientation": "round"}, "orientation is 'round': choose from portrait, landscape, square"),
        ({"folder": ["/a", " "]}, "folder is empty"),
        ({"after": "yesterday"}, "is not a date"),
        ({"near": (91.0, 0.0)}, "is not a place"),
        ({"fps": 0.0}, "is not a frame rate"),
        ({"longer": 9, "shorter": 3}, "above the longest"),
    ],
)
def test_what_makes_no_sense_is_refused(conditions: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        filter_of(**conditions)
