"""Searches of cues by their words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pesearch.cues import Cue, CueKind
from pesearch.search.query.language.nodes import Literal, Sense, Words
from pesearch.search.query.plan import Term
from pesearch.search.retrieve.cue_words import SCATTERED_WORDS_SCORE, CueMatch, compile_words
from pesearch.search.retrieve.term_cues import TermCues
from pesearch.store.library import Library

MakeLibrary = Callable[..., Library]

CUES = {
    "a.wav": [
        Cue(0.5, 1.5, "Ladies and gentlemen, mind", CueKind.SUBTITLE, "a.en.srt", "en"),
        Cue(1.6, 2.5, "the gap between the train", CueKind.SUBTITLE, "a.en.srt", "en"),
        Cue(2.6, 3.5, "and the Platform!", CueKind.SUBTITLE, "a.en.srt", "en"),
    ],
    "b.wav": [Cue(0.0, 10.0, "a platform and a train", CueKind.DESCRIPTION, "b.txt")],
    "c.wav": [Cue(1.0, 2.0, "The train between stations", CueKind.SUBTITLE, "c.srt")],
}


@pytest.fixture
def library(make_library: MakeLibrary) -> Library:
    return make_library({name: {} for name in CUES}, 10.0, CUES)


def find(library: Library, term: Term, file_ids: frozenset[int] | None = None) -> list[CueMatch]:
    """All cues that match a term, best first."""
    cues = TermCues(library.full_text(), compile_words(term), file_ids)
    found = cues.within(None)
    assert len(found) == cues.count
    return cues.read(found)


def find_phrase(library: Library, phrase: str, file_ids: frozenset[int] | None = None) -> list[CueMatch]:
    return find(library, Literal(phrase, Sense.SAID), file_ids)


def find_words(library: Library, text: str, file_ids: frozenset[int] | None = None) -> list[CueMatch]:
    return find(library, Words(text, Sense.SAID), file_ids)


def times(library: Library, matches: list[CueMatch]) -> list[tuple[str, float, float]]:
    return [(library.file(match.file_id).path.name, match.start_seconds, match.end_seconds) for match in matches]


def test_a_phrase_inside_one_cue(library: Library) -> None:
    (match,) = find_phrase(library, "The GAP between")
    assert times(library, [match]) == [("a.wav", 1.6, 2.5)]
    assert (match.text, match.source, match.kind) == ("the gap between the train", "a.en.srt", CueKind.SUBTITLE)
    assert match.is_literal and match.score == 1.0


def test_a_phrase_across_cues(library: Library) -> None:
    (match,) = find_phrase(library, "mind the gap")
    assert times(library, [match]) == [("a.wav", 0.5, 2.5)]
    assert match.text == "Ladies and gentlemen, mind the gap between the train"
    assert times(library, find_phrase(library, "train and the platform")) == [("a.wav", 1.6, 3.5)]
    assert times(library, find_phrase(library, "mind the gap between the train and")) == [("a.wav", 0.5, 3.5)]


def test_a_phrase_does_not_continue_after_a_pause(make_library: MakeLibrary) -> None:
    first = Cue(0.0, 1.0, "mind", CueKind.SUBTITLE, "a.srt")
    cues = {
        "short.wav": [first, Cue(4.0, 5.0, "the gap", CueKind.SUBTITLE, "a.srt")],
        "long.wav": [first, Cue(4.1, 5.0, "the gap", CueKind.SUBTITLE, "a.srt")],
    }
    library = make_library({name: {} for name in cues}, 10.0, cues)
    assert times(library, find_phrase(library, "mind the gap")) == [("short.wav", 0.0, 5.0)]


def test_other_words_are_not_found(library: Library) -> None:
    assert find_phrase(library, "mind the train") == []
    assert find_phrase(library, "a platform") == []  # in a caption, not spoken
    assert times(library, find(library, Literal("a platform")))[0][0] == "b.wav"
    assert find_phrase(library, "...") == find_words(library, "") == []


def test_scattered_words_score_by_their_share(library: Library) -> None:
    matches = find_words(library, "stations train")
    assert [name for name, *_ in times(library, matches)] == ["c.wav", "a.wav"]
    assert [match.score for match in matches] == pytest.approx([SCATTERED_WORDS_SCORE, SCATTERED_WORDS_SCORE / 2])
    assert [match.score for match in matches] == pytest.approx([0.8, 0.4])
    assert find_words(library, "the train between")[0].is_literal
    assert all(0 < match.score <= 1 for match in matches)


def test_file_ids_restrict_the_search(library: Library) -> None:
    only = next(file.id for file in library.files() if file.path.name == "c.wav")
    assert {match.file_id for match in find_words(library, "train", frozenset({only}))} == {only}
    assert find_phrase(library, "mind the gap", frozenset({only})) == []


@pytest.mark.parametrize(
    ("query", "plain", "spoken"),
    [
        ("東京", ["tokyo"], [("tokyo", 1.0)]),
        ("東京タワー", ["tokyo"], [("tokyo", 1.0)]),
        ("タワー東京", [], [("tokyo", 0.8 * 3 / 4)]),
        ("京都 東山", ["kyoto"], [("kyoto", 0.8)]),
        ("か", [], []),  # the cue has が
        ("กรุงเทพ", ["bangkok"], [("bangkok", 1.0)]),
        ("เทพกรุง", [], [("bangkok", 0.8 * 5 / 6)]),
        ("शहर", ["hindi"], [("hindi", 1.0)]),
        ("Lodz zolw", ["lodz"], [("lodz", 1.0)]),
        ("שלום", ["hebrew"], [("hebrew", 1.0)]),
        ("東*", ["tokyo", "kyoto"], [("tokyo", 1.0), ("kyoto", 1.0)]),
        ("東京タ*", ["tokyo"], [("tokyo", 1.0)]),
    ],
)
def test_words_in_every_script(
    make_library: MakeLibrary, query: str, plain: list[str], spoken: list[tuple[str, float]]
) -> None:
    texts = {
        "tokyo": "東京タワーが見える",
        "kyoto": "京都の東山へ行きます",
        "bangkok": "ฉันรักกรุงเทพมหานคร",
        "hindi": "यह शहर है",
        "lodz": "Łódź żółw",
        "hebrew": "שָׁלוֹם עולם",
    }
    cues = {f"{name}.wav": [Cue(0.0, 5.0, text, CueKind.SUBTITLE, f"{name}.srt")] for name, text in texts.items()}
    library = make_library({name: {} for name in cues}, 10.0, cues)
    anywhere = find(library, Words(query))
    assert {library.file(match.file_id).path.stem for match in anywhere} == set(plain)
    said = [(library.file(match.file_id).path.stem, match.score) for match in find_words(library, query)]
    assert sorted(said) == sorted((name, pytest.approx(score)) for name, score in spoken)
