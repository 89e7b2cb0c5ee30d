"""Searches of subtitles and titles, alone and combined with sounds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.run import index
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import SearchResult, search
from pesearch.store.library import Library, create_library

pytestmark = pytest.mark.slow

SUBTITLES = """1
00:00:01,000 --> 00:00:02,000
Please mind the gap.

2
00:00:03,000 --> 00:00:04,000
Thank you.
"""


@pytest.fixture(scope="module")
def library(starter: ModelSet, sample_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("subtitles")
    for name in ("bell.mp4", "drum.mp4", "speech_platform.mp4"):
        shutil.copy(sample_media / name, folder / name)
    (folder / "bell.srt").write_text(SUBTITLES)
    made = create_library(folder / "library", starter.name, starter.spaces)
    list(index([folder], made, starter))
    return made


def run(library: Library, starter: ModelSet, text: str) -> SearchResult:
    return search(library, starter, SearchRequest(text))


@pytest.mark.parametrize("text", ['"mind the gap"', 'text:"Mind the GAP"', "text:(please mind gap)", "text:pleas*"])
def test_words_of_a_subtitle_find_its_times(library: Library, starter: ModelSet, text: str) -> None:
    (best,) = run(library, starter, text).matches
    assert best.file.path.name == "bell.mp4"
    assert (best.start_seconds, best.end_seconds) == (1.0, 2.0)
    assert [(cue.text, cue.source) for cue in best.cues] == [("Please mind the gap.", "bell.srt")]


def test_spoken_words_are_found_in_subtitles_and_by_sound(library: Library, starter: ModelSet) -> None:
    matches = run(library, starter, 'said:"mind the gap"').matches
    found = {moment.file.path.name: (bool(moment.cues), bool(moment.evidence)) for moment in matches}
    assert found["bell.mp4"][0]
    assert found["speech_platform.mp4"] == (False, True)


def test_a_subtitle_and_a_sound_make_one_moment(library: Library, starter: ModelSet) -> None:
    best = run(library, starter, '"thank you" AND heard:bell').matches[0]
    assert best.file.path.name == "bell.mp4"
    assert best.start_seconds < 1.0 and best.end_seconds == 4.0


def test_absent_words_are_not_found(library: Library, starter: ModelSet) -> None:
    assert run(library, starter, '"gap the mind"').moments == ()
    assert run(library, starter, "text:helicopter").moments == ()
