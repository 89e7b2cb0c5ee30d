"""A question finds the cue that says the same in other words, at its time; what no cue means is not found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pesearch.cues import FoundBy
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import CuesEmbedded, Indexed, Outcome
from pesearch.indexer.run import index
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.catalogue.connection import transaction
from pesearch.store.library import create_library, open_library
from pesearch.types import Moment

SUBTITLES = """1
00:00:01,000 --> 00:00:02,000
{}

2
00:00:02,500 --> 00:00:03,000
I never thought that an elephant would do
"""


@pytest.fixture(scope="module")
def folder(starter: ModelSet, sample_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drum with subtitles of other things, and its library."""
    folder = tmp_path_factory.mktemp("meaning")
    shutil.copy(sample_media / "drum.mp4", folder / "drum.mp4")
    (folder / "drum.srt").write_text(SUBTITLES.format("a locomotive can be seen"))
    create_library(folder / "library", starter.name, starter.spaces)
    brought_up(folder, starter)
    return folder


def brought_up(folder: Path, starter: ModelSet) -> list[Outcome]:
    return list(index([folder], open_library(folder / "library"), starter))


def asked(folder: Path, starter: ModelSet, text: str) -> tuple[Moment, ...]:
    return search(open_library(folder / "library"), starter, SearchRequest(text)).matches


@pytest.mark.parametrize("text", ["railway train", "said:(railway train)", "text:(railway train)"])
def test_other_words_find_the_subtitle_and_say_so(folder: Path, starter: ModelSet, text: str) -> None:
    (best,) = asked(folder, starter, text)
    assert (best.file.path.name, best.start_seconds, best.end_seconds) == ("drum.mp4", 1.0, 2.0)
    assert [(cue.text, cue.found_by) for cue in best.cues] == [("a locomotive can be seen", FoundBy.MEANING)]
    (by_words,) = asked(folder, starter, "text:(a locomotive)")
    assert [cue.found_by for cue in by_words.cues] == [FoundBy.WORDS] and by_words.score > best.score


@pytest.mark.parametrize(
    "text", ["text:thunderclap", "text:(green house)", "said:helicopter", "text:(what time is it)"]
)
def test_what_no_cue_means_is_not_found(folder: Path, starter: ModelSet, text: str) -> None:
    assert asked(folder, starter, text) == ()


@pytest.mark.parametrize("text", ['text:"railway train"', "text:railw*", "seen:(railway train)"])
def test_quotes_prefixes_and_pictures_do_not_ask_for_meaning(folder: Path, starter: ModelSet, text: str) -> None:
    assert asked(folder, starter, text) == ()


def test_a_library_without_vectors_of_cues_gets_them_without_its_media(folder: Path, starter: ModelSet) -> None:
    with transaction(folder / "library") as connection:
        connection.execute("DELETE FROM cue_extents")
        connection.execute("UPDATE library SET generation = generation + 1")
    assert len(open_library(folder / "library").cues_to_embed().ids) == 1
    outcomes = brought_up(folder, starter)
    told = [each for each in outcomes if isinstance(each, CuesEmbedded)]
    assert (told[0].done, told[-1].done, told[-1].total) == (0, 2, 2)
    assert not any(isinstance(each, Indexed) for each in outcomes)
    assert len(asked(folder, starter, "text:(railway train)")) == 1
    assert not any(isinstance(each, CuesEmbedded) for each in brought_up(folder, starter))


def test_a_sidecar_that_changes_and_goes(folder: Path, starter: ModelSet) -> None:
    sidecar = folder / "drum.srt"
    sidecar.write_text(SUBTITLES.format("an automobile"))
    brought_up(folder, starter)
    assert asked(folder, starter, "text:(railway train)") == ()
    (best,) = asked(folder, starter, "text:(motor car)")
    assert (best.start_seconds, best.end_seconds) == (1.0, 2.0)
    sidecar.unlink()
    brought_up(folder, starter)
    assert asked(folder, starter, "text:(motor car)") == ()
    sidecar.write_text(SUBTITLES.format("a locomotive can be seen"))
    brought_up(folder, starter)
    assert len(asked(folder, starter, "railway train")) == 1
