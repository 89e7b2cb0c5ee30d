"""A library indexed by an earlier version opens, and answers as recorded.

`libraries/starter_schema_7.zip` was made by `pesearch index` (schema 7, starter set) from four files of sample_media
and one subtitle file; `starter_schema_7.json` is what `pesearch query --json --all` printed for each request, recorded
again when scores were first compared with a cohort. The media files are gone: scores, events and cues come from what
the library keeps.
"""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.search.query.file_filter import FileFilter
from pesearch.search.query.property_filter import PropertyFilter
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.search.serialize import moment_object
from pesearch.store.library import Library, open_library

KEPT = Path(__file__).with_name("libraries")

REQUESTS = {
    "words": SearchRequest("siren and train"),
    "sequence": SearchRequest("heard:siren THEN seen:train"),
    "cue": SearchRequest('text:"platform two"'),
    "speech": SearchRequest("mind the gap", speech=True),
}

TIME_TOLERANCE_SECONDS = 0.041
"""One step of PE-A-Frame: an edge may fall on the next step where the last bits of a CPU differ."""

SCORE_TOLERANCE = 2e-3


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("kept")
    shutil.unpack_archive(KEPT / "starter_schema_7.zip", folder)
    return open_library(folder)


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_it_answers_as_recorded(name: str, library: Library, starter: ModelSet) -> None:
    result = search(library, starter, REQUESTS[name])
    expected = json.loads((KEPT / "starter_schema_7.json").read_text())[name]
    found = [moment_object(result, moment) for moment in result.moments]
    for moment in found:
        assert Path(moment["path"]) in [location.path for location in library.file(moment.pop("file_id")).locations]
        assert moment.pop("recording")["date_source"] in (None, "file_time")  # added by later programs
        assert moment.pop("online") is moment.pop("missing") is False  # their drive is of another machine
    assert flat(found) == pytest.approx(flat(expected), abs=SCORE_TOLERANCE)


def test_files_whose_recording_was_never_read_are_counted(library: Library, starter: ModelSet) -> None:
    def unread(**conditions: Any) -> tuple[int | None, int]:
        request = SearchRequest("siren and train", locate=False, files=FileFilter(**conditions))
        result = search(library, starter, request)
        return result.kept_files, result.unread_files

    assert unread(before=datetime(1990, 1, 1)) == (0, 4)
    assert unread(properties=PropertyFilter(camera="canon")) == (0, 4)
    assert unread(after=datetime(1990, 1, 1)) == (4, 0)
    assert unread(before=datetime(1990, 1, 1), by_file_time=True) == (0, 0)
    assert unread(properties=PropertyFilter(codec="aac"))[1] == 0
    assert unread() == (None, 0)


def flat(moments: list[dict[str, Any]]) -> dict[str, Any]:
    """Every value by its path; times in units of their tolerance, so that one tolerance serves all."""
    values: dict[str, Any] = {}

    def walk(place: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{place}.{key}", inner)
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                walk(f"{place}[{number}]", inner)
        elif place.endswith((".start", ".end")):
            values[place] = value * SCORE_TOLERANCE / TIME_TOLERANCE_SECONDS
        else:
            values[place] = value

    walk("", moments)
    return values
