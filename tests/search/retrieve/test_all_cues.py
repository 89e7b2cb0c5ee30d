"""What a query combines or excludes is compared with all cues that match, however many do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pesearch.cues import Cue, CueKind, FoundBy
from pesearch.encoders.model_set import ModelSet
from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.retrieve.cue_matches import CueMatches, match_cues
from pesearch.search.retrieve.cue_meaning import MeaningMatcher, SimilarCues
from pesearch.search.retrieve.cue_words import WordSearch, cue_match
from pesearch.search.retrieve.term_cues import TermCues
from pesearch.search.score.library_normalizer import score_normalizers
from pesearch.search.search import search
from pesearch.store.library import Library, create_library
from pesearch.types import Moment, Part
from tests.search.conftest import encoded


def library_of(folder: Path, models: ModelSet, cues: Mapping[str, Sequence[Cue]], seconds: float = 10.0) -> Library:
    """A library of files without vectors, with these cues."""
    library = create_library(folder / "library", models.name, models.spaces)
    with library.writer() as writer:
        writer.add([encoded(folder / name, {}, seconds, each) for name, each in cues.items()])
    return library


def lines(*texts: str, seconds: float = 3.0) -> list[Cue]:
    """Lines of subtitles one after the other, with a pause of half a second."""
    return [
        Cue(seconds * number, seconds * (number + 1) - 0.5, text, CueKind.SUBTITLE, "a.srt")
        for number, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def stills(starter: ModelSet, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """300 captioned stills; the last 40 are quiet."""
    captions = [f"alpha {'noise' if n < 260 else 'quiet'} picture {n}" for n in range(300)]
    cues = {f"p{n}.png": [Cue(0.0, 0.0, text, CueKind.DESCRIPTION, "a.txt")] for n, text in enumerate(captions)}
    return library_of(tmp_path_factory.mktemp("stills"), starter, cues)


@pytest.fixture(scope="module")
def ticking(starter: ModelSet, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Six minutes of sound with 120 subtitles."""
    cues = {"tick.wav": lines(*(f"tick word {n}" for n in range(120)))}
    return library_of(tmp_path_factory.mktemp("ticking"), starter, cues, 360.0)


def ask(library: Library, models: ModelSet, text: str, k: int = 1000) -> tuple[Moment, ...]:
    return search(library, models, SearchRequest(text, k=k)).matches


def names(moments: Sequence[Moment]) -> set[str]:
    return {moment.file.path.name for moment in moments}


QUIET = {f"p{n}.png" for n in range(260, 300)}


@pytest.mark.parametrize("query", ['"alpha" AND "quiet"', '"alpha" -"noise"', "text:alpha -text:noise"])
def test_forty_of_three_hundred_stills(stills: Library, starter: ModelSet, query: str) -> None:
    found = ask(stills, starter, query)
    assert len(found) == 40 and names(found) == QUIET
    assert names(ask(stills, starter, query, k=10)) <= QUIET and len(ask(stills, starter, query, k=10)) == 10


def test_all_stills_are_found(stills: Library, starter: ModelSet) -> None:
    assert len(names(ask(stills, starter, '"alpha"'))) == 300


def test_a_still_whose_caption_has_the_excluded_word_is_not_found(stills: Library, starter: ModelSet) -> None:
    assert names(ask(stills, starter, '"picture 250"')) == {"p250.png"}
    assert ask(stills, starter, '"picture 250" -"noise"') == ()
    assert names(ask(stills, starter, '"picture 270" -"noise"')) == {"p270.png"}


def test_all_lines_of_a_film_are_found(ticking: Library, starter: ModelSet) -> None:
    assert [moment.start_seconds for moment in ask(ticking, starter, '"tick"')] == [3.0 * n for n in range(120)]


def test_a_frequent_and_a_rare_word_in_one_line(ticking: Library, starter: ModelSet) -> None:
    for query in ('"tick" AND "word 100"', '"word 100" AND "tick"', '"tick" AND "word 100" WITHIN 5m'):
        best = ask(ticking, starter, query)[0]
        assert (best.start_seconds, best.end_seconds) == (300.0, 302.5)
    (then,) = ask(ticking, starter, '"word 99" THEN "tick" THEN "word 101"')
    assert (then.start_seconds, then.end_seconds) == (297.0, 305.5)


def test_a_rare_line_with_a_frequent_excluded_word(ticking: Library, starter: ModelSet) -> None:
    assert len(ask(ticking, starter, '"word 100"')) == 1
    assert ask(ticking, starter, '"word 100" -"tick"') == ask(ticking, starter, 'said:"word 100" -said:"tick"') == ()


def test_two_frequent_words_that_meet_once(starter: ModelSet, tmp_path: Path) -> None:
    """Alice and Bob speak 600 times in each of five films, minutes apart but for one."""
    talk = [*["alice says"] * 600, *["silence"] * 20, *["bob says"] * 600]
    cues = {f"{n}.wav": lines(*talk) for n in range(5)}
    cues["3.wav"][300] = replace(cues["3.wav"][300], text="alice says a long sentence to bob")
    library = library_of(tmp_path, starter, cues, 4000.0)
    for query in ('"alice" AND "bob"', '"alice" AND ("bob" OR "nobody")', '"bob" AND ("alice" AND "says")'):
        best = ask(library, starter, query, k=1)[0]
        assert (best.file.path.name, best.start_seconds) == ("3.wav", 900.0)


def cue_matches(library: Library, models: ModelSet, request: SearchRequest) -> CueMatches:
    plan = compile_query(request)
    meaning = MeaningMatcher(library, score_normalizers(library), models, ())
    return match_cues(library, plan, None, meaning, request.k)


@pytest.mark.parametrize("query", ['"alpha"', 'text:(alpha "noise")', '"alpha" -"noise"', '"alpha" AND "picture"'])
def test_more_moments_only_lengthen_the_rankings(
    stills: Library, starter: ModelSet, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pesearch.search.retrieve.cue_matches.MIN_RANKED_CUES", 1)
    few, many = (cue_matches(stills, starter, SearchRequest(query, k=k)).rankings for k in (1, 50))
    assert few and len(few) == len(many)
    for short, long in zip(few, many, strict=True):
        assert long.file_ids[: len(short.file_ids)].tolist() == short.file_ids.tolist()


def test_a_phrase_that_goes_on_in_the_next_line_is_found_in_any_file(starter: ModelSet, tmp_path: Path) -> None:
    often = ["the mind gap of the mind", "gap of mind the", "a gap the mind"] * 5
    cues = {f"{n}.wav": lines(*often) for n in range(25)}
    cues["two.wav"] = lines("gentlemen please mind", "the gap when leaving")
    cues["three.wav"] = lines("please mind", "the", "gap when leaving")
    cues["pause.wav"] = [cues["two.wav"][0], replace(cues["two.wav"][1], start_seconds=5.6, end_seconds=7.0)]
    library = library_of(tmp_path, starter, cues, 60.0)
    for query in ('"mind the gap"', 'said:"mind the gap"', "said:(mind the gap)"):
        found = {moment.file.path.name: moment for moment in ask(library, starter, query) if moment.score > 0.9}
        assert found.keys() == {"two.wav", "three.wav"}
        assert (found["two.wav"].start_seconds, found["two.wav"].end_seconds) == (0.0, 5.5)
        assert next(cue.text for cue in found["three.wav"].cues) == "please mind the gap when leaving"
    (both,) = ask(library, starter, '"gentlemen" AND "mind the gap when"')
    assert both.file.path.name == "two.wav"


def test_a_long_chapter_excludes_all_its_time(starter: ModelSet, tmp_path: Path) -> None:
    film = lines(*(f"line {n}" for n in range(400)))
    chapter = Cue(0.0, 900.0, "noise", CueKind.CHAPTER, "chapters")
    library = library_of(tmp_path, starter, {"film.wav": [chapter, *film]}, 1200.0)
    assert ask(library, starter, '"line 200" -"noise"') == ()
    assert len(ask(library, starter, '"line 350" -"noise"')) == 1


def test_terms_with_too_many_similar_cues_are_searched_again_in_the_parts(ticking: Library) -> None:
    """All 120 cues mean the same as the term; one is known before its part is scored, and two in the part."""
    (file,) = ticking.files()
    similar = [cue_match(file.id, cue, 0.7, FoundBy.MEANING) for cue in ticking.cues(file.id)]

    def find_similar(file_ids: frozenset[int]) -> dict[int, SimilarCues]:
        assert file_ids == {file.id}
        return {0: SimilarCues(tuple(similar[:2]), is_complete=False)}

    known = TermCues(ticking.full_text(), WordSearch(), None, similar[:1])
    matches = CueMatches({0: known}, find_similar=find_similar)
    assert matches.limited_terms == frozenset()
    found = {interval.start_seconds for interval in matches.of(0, Part(file.id, 0.0, 360.0), 1.0)}
    assert found == {0.0, 3.0} and matches.limited_terms == {0}
