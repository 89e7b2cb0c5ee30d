"""A query finds cues that say the same in other words, and none that mean something else."""

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
    """A clip of a drum with unrelated subtitles, and its library."""
    folder = tmp_path_factory.mktemp("meaning")
    shutil.copy(sample_media / "drum.mp4", folder / "drum.mp4")
    (folder / "drum.srt").write_text(SUBTITLES.format("a locomotive can be seen"))
    create_library(folder / "library", starter.name, starter.spaces)
    run_index(folder, starter)
    return folder


def run_index(folder: Path, starter: ModelSet) -> list[Outcome]:
    return list(index([folder], open_library(folder / "library"), starter))


def matches(folder: Path, starter: ModelSet, text: str) -> tuple[Moment, ...]:
    return search(open_library(folder / "library"), starter, SearchRequest(text)).matches


@pytest.mark.parametrize("text", ["railway train", "said:(railway train)", "text:(railway train)"])
def test_a_paraphrase_finds_the_subtitle_by_meaning(folder: Path, starter: ModelSet, text: str) -> None:
    (best,) = matches(folder, starter, text)
    assert (best.file.path.name, best.start_seconds, best.end_seconds) == ("drum.mp4", 1.0, 2.0)
    assert [(cue.text, cue.found_by) for cue in best.cues] == [("a locomotive can be seen", FoundBy.MEANING)]
    (by_words,) = matches(folder, starter, "text:(a locomotive)")
    assert [cue.found_by for cue in by_words.cues] == [FoundBy.WORDS] and by_words.score > best.score


@pytest.mark.parametrize(
    "text", ["text:thunderclap", "text:(green house)", "said:helicopter", "text:(what time is it)"]
)
def test_other_meanings_are_not_found(folder: Path, starter: ModelSet, text: str) -> None:
    assert matches(folder, starter, text) == ()


@pytest.mark.parametrize("text", ['text:"railway train"', "text:railw*", "seen:(railway train)"])
def test_phrases_prefixes_and_pictures_do_not_match_by_meaning(folder: Path, starter: ModelSet, text: str) -> None:
    assert matches(folder, starter, text) == ()


def test_missing_cue_vectors_are_made_without_reading_the_media(folder: Path, starter: ModelSet) -> None:
    with transaction(folder / "library") as connection:
        connection.execute("DELETE FROM cue_extents")
        connection.execute("UPDATE library SET generation = generation + 1")
    assert len(open_library(folder / "library").cues_to_embed().ids) == 1
    outcomes = run_index(folder, starter)
    embedded = [each for each in outcomes if isinstance(each, CuesEmbedded)]
    assert (embedded[0].done, embedded[-1].done, embedded[-1].total) == (0, 2, 2)
    assert not any(isinstance(each, Indexed) for each in outcomes)
    assert len(matches(folder, starter, "text:(railway train)")) == 1
    assert not any(isinstance(each, CuesEmbedded) for each in run_index(folder, starter))


def test_a_sidecar_is_edited_and_deleted(folder: Path, starter: ModelSet) -> None:
    sidecar = folder / "drum.srt"
    sidecar.write_text(SUBTITLES.format("an automobile"))
    run_index(folder, starter)
    assert matches(folder, starter, "text:(railway train)") == ()
    (best,) = matches(folder, starter, "text:(motor car)")
    assert (best.start_seconds, best.end_seconds) == (1.0, 2.0)
    sidecar.unlink()
    run_index(folder, starter)
    assert matches(folder, starter, "text:(motor car)") == ()
    sidecar.write_text(SUBTITLES.format("a locomotive can be seen"))
    run_index(folder, starter)
    assert len(matches(folder, starter, "railway train")) == 1
