"""The cues that can be part of a match equal those that a comparison of all cues finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.cues import Cue, CueKind
from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.retrieve import cue_times
from pesearch.search.retrieve.cue_join import CueJoin
from pesearch.search.retrieve.cue_times import OVERLAP_SECONDS, CueTimes
from pesearch.search.retrieve.cue_words import compile_words
from pesearch.search.retrieve.term_cues import TermCues
from pesearch.store.catalogue.cues import StoredCue
from pesearch.store.index.fulltext import build_fulltext

TEXTS = st.sampled_from(["a", "b", "c", "a b", "a c", "a b c"])
STARTS = st.integers(0, 40).map(lambda number: 5.0 * number)
CUES = st.lists(st.tuples(st.integers(1, 3), STARTS, st.sampled_from([0.0, 4.0, 200.0]), TEXTS), max_size=12)
SHARED = [(1, 0.0, 4.0, text) for text in ("a", "a", "b", "c")]


def candidates(cues: Sequence[tuple[int, float, float, str]], query: str, count: int) -> list[list[tuple[int, float]]]:
    """The rankings for a query, as (file id, start)."""
    stored = [
        StoredCue(number, file_id, Cue(start, start + length, text, CueKind.CHAPTER, "chapters"))
        for number, (file_id, start, length, text) in enumerate(cues)
    ]
    index = build_fulltext(None, np.arange(len(stored)), (), stored)
    plan = compile_query(SearchRequest(query))
    terms = {number: TermCues(index, compile_words(term), None) for number, term in enumerate(plan.terms)}
    return [
        list(zip(found.times.file_ids.tolist(), found.times.starts.tolist(), strict=True))
        for found in CueJoin(plan, terms).candidates(count)
        if len(found)
    ]


@given(CUES, st.sampled_from([1, 100]), st.booleans())
def test_each_match_of_two_words_has_a_candidate(
    cues: list[tuple[int, float, float, str]], count: int, in_files: bool
) -> None:
    """Candidates are cues of the rarer word that have one of the other within a window and the limit of AND."""
    with pytest.MonkeyPatch.context() as patch:
        if in_files:
            patch.setattr(cue_times, "MAX_SCOPE_BLOCKS", 0)
            patch.setattr(cue_times, "MAX_SCOPE_FILES", count)
        found = candidates(cues, '"a" AND "b"', 100)
        least = candidates(cues, '"a" AND "b"', count)
    of_word = {word: [cue for cue in cues if word in cue[3].split()] for word in "ab"}
    rare, other = sorted(of_word.values(), key=len)
    expected = {
        (file_id, start)
        for file_id, start, length, _ in rare
        for other_file, other_start, other_length, _ in other
        if file_id == other_file
        and max(other_start - start - max(length, 0.01), start - other_start - max(other_length, 0.01)) <= 20.0
    }
    assert {candidate for ranking in found for candidate in ranking} == expected
    assert [long[: len(short)] for long, short in zip(found, least, strict=True)] == least


def test_a_term_next_to_a_rarer_one_is_left_out() -> None:
    assert candidates(SHARED, '"a" AND "b"', 10) == [[(1, 0.0)]]
    assert candidates(SHARED, '"b" AND ("a" OR "c")', 10) == [[(1, 0.0)]]
    assert candidates(SHARED, '"a" OR "b"', 10) == [[(1, 0.0), (1, 0.0)], [(1, 0.0)]]
    assert candidates(SHARED, '"a" AND "none"', 10) == []


def test_a_match_is_a_candidate_behind_any_number_of_better_cues() -> None:
    """The cue with "a" in file 50 is longer than the others, and so the last by BM25."""
    cues = [(file_id, 0.0, 4.0, "a") for file_id in range(1, 40)] + [(50, 0.0, 4.0, "a c c c c c c c")]
    cues += [(file_id, 8.0, 4.0, "b") for file_id in range(50, 100)]
    assert candidates(cues, '"a" AND "b"', 1) == [[(50, 0.0)]]


def test_cues_that_overlap_an_excluded_one_come_last() -> None:
    cues = [(1, 0.0, 4.0, "a b"), (2, 0.0, 4.0, "a c"), (3, 0.0, 4.0, "b"), (3, 4.0, 4.0, "a c")]
    assert candidates(cues, '"a" -"b"', 10) == [[(2, 0.0), (3, 4.0), (1, 0.0)]]
    assert candidates(cues, '"a" -("b" AND "none")', 10) == [[(1, 0.0), (2, 0.0), (3, 4.0)]]


def test_a_cue_about_the_whole_file_is_near_all_of_it() -> None:
    columns = np.array([0.0, 500.0, 500.0]), np.array([0.0, 504.0, 504.0])
    cues = CueTimes(np.array([1, 1, 2]), *columns, np.array([True, False, False]))
    title, still = cues.take(np.array([0])), CueTimes(np.array([7]), np.zeros(1), np.zeros(1), np.zeros(1, np.bool_))
    assert cues.are_near(title, 5.0).tolist() == [True, True, False]
    assert still.are_near(still, OVERLAP_SECONDS).tolist() == [True]
    touching = CueTimes(np.array([1]), np.array([504.0]), np.array([506.0]), np.array([False]))
    assert cues.take(np.array([1])).are_near(touching, OVERLAP_SECONDS).tolist() == [False]
    assert cues.take(np.array([1])).are_near(touching, 0.0).tolist() == [True]
