"""What is said, found in a real library of clips with subtitles beside them and in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.cues import CueKind
from pesearch.encoders.model_set import ModelSet
from pesearch.search.retrieve.cue_words import SCATTERED_WORDS_SCORE, CueMatch, find_phrase, find_words
from pesearch.store.library import Library, create_library
from tests.indexer.conftest import models, models_folder, sample  # noqa: F401  # the same tiny models and clips
from tests.indexer.runs import run

SRT = """1
00:00:00,500 --> 00:00:01,500
Ladies and gentlemen, mind

2
00:00:01,600 --> 00:00:02,500
the gap between the train

3
00:00:02,600 --> 00:00:03,500
and the Platform!
"""


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory, models: ModelSet, sample: Callable[[str], Path]) -> Library:  # noqa: F811  # the fixtures
    folder = tmp_path_factory.mktemp("talking")
    for name in ("a.wav", "b.flac", "c.mp3"):
        shutil.copy(sample(f"tone{Path(name).suffix}"), folder / name)
    (folder / "a.en.srt").write_text(SRT)
    (folder / "b.txt").write_text("a platform and a train\n")
    (folder / "c.srt").write_text("00:00:01,000 --> 00:00:02,000\nThe train between stations\n")
    library = create_library(tmp_path_factory.mktemp("library") / "library", models.name, models.spaces)
    run(folder, library, models)
    return library


def told(library: Library, matches: list[CueMatch]) -> list[tuple[str, float, float]]:
    return [(library.file(each.file_id).path.name, each.start_seconds, each.end_seconds) for each in matches]


def test_phrase_inside_one_cue(talking: Library) -> None:
    (match,) = find_phrase(talking, "The GAP between", 5)
    assert told(talking, [match]) == [("a.wav", 1.6, 2.5)]
    assert (match.text, match.source, match.kind) == ("the gap between the train", "a.en.srt", CueKind.SUBTITLE)
    assert match.is_literal and match.score == 1.0


def test_phrase_that_goes_on_in_the_next_cue(talking: Library) -> None:
    (match,) = find_phrase(talking, "mind the gap", 5)
    assert told(talking, [match]) == [("a.wav", 0.5, 2.5)]
    assert match.text == "Ladies and gentlemen, mind the gap between the train"
    assert told(talking, find_phrase(talking, "train and the platform", 5)) == [("a.wav", 1.6, 3.5)]
    assert told(talking, find_phrase(talking, "mind the gap between the train and", 5)) == [("a.wav", 0.5, 3.5)]


def test_what_is_not_said_is_not_found(talking: Library) -> None:
    assert find_phrase(talking, "mind the train", 5) == []
    assert find_phrase(talking, "a platform", 5) == []  # written in a caption, not said
    assert told(talking, find_phrase(talking, "a platform", 5, kinds=None))[0][0] == "b.flac"
    assert find_phrase(talking, "...", 5) == find_words(talking, "", 5) == []


def test_words_apart_score_by_their_share(talking: Library) -> None:
    found = find_words(talking, "stations train", 5)
    assert [name for name, *_ in told(talking, found)] == ["c.mp3", "a.wav"]
    assert [match.score for match in found] == pytest.approx([SCATTERED_WORDS_SCORE, SCATTERED_WORDS_SCORE / 2])
    assert find_words(talking, "the train between", 5)[0].is_literal
    assert all(0 < match.score <= 1 for match in found)


def test_only_in_some_files(talking: Library) -> None:
    wanted = next(file.id for file in talking.files() if file.path.name == "c.mp3")
    assert {match.file_id for match in find_words(talking, "train", 5, frozenset({wanted}))} == {wanted}
    assert find_phrase(talking, "mind the gap", 5, frozenset({wanted})) == []
