"""Repeated cues count once: in results, in merged rankings, and in the chance sample."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pesearch.cues import CueKind, FoundBy
from pesearch.encoders.io_types import TextVectors
from pesearch.search.query.language.nodes import Words
from pesearch.search.query.operators import All
from pesearch.search.query.plan import QueryPlan
from pesearch.search.retrieve.cue_matches import CueMatches
from pesearch.search.retrieve.cue_meaning import CUE_SAMPLE_SIZE, CueNormalizer, cue_normalizer
from pesearch.search.retrieve.cue_words import CueMatch, WordSearch
from pesearch.search.retrieve.term_cues import TermCues
from pesearch.search.score.cohort import COHORT, THINGS
from pesearch.search.score.interval import Interval
from pesearch.search.score.library_normalizer import ScoreNormalizers
from pesearch.store.library import Library
from pesearch.types import FloatArray, Part, SpaceName

MakeLibrary = Callable[..., Library]


def match(
    text: str, score: float, found_by: FoundBy = FoundBy.WORDS, start: float = 1.0, kind: CueKind = CueKind.SUBTITLE
) -> CueMatch:
    return CueMatch(1, start, start + 1.0, text, kind, "a.srt", score, found_by)


PLAN = QueryPlan(All((0, 1), (2,)), (Words("siren"), Words("car"), Words("dog")), (True, True, False))


def of_terms(library: Library, *terms: list[CueMatch]) -> CueMatches:
    """Matches of terms by meaning."""
    index = library.full_text()
    return CueMatches({number: TermCues(index, WordSearch(), None, matches) for number, matches in enumerate(terms)})


@pytest.fixture
def empty(make_library: MakeLibrary) -> Library:
    return make_library({})


def test_a_cue_that_matches_several_terms_is_shown_once_and_words_come_first(empty: Library) -> None:
    matches = of_terms(
        empty,
        [match("a siren in a car", 0.7, FoundBy.MEANING), match("a siren", 0.8)],
        [match("a siren in a car", 0.8)],
        [match("a dog", 0.8)],
    )
    matches.load([Part(1, 0.0, 10.0), Part(2, 0.0, 10.0)])
    cues = matches.cues(PLAN, 1, Interval(0.0, 10.0, 1.0))
    assert [(cue.text, cue.found_by) for cue in cues] == [
        ("a siren", FoundBy.WORDS),
        ("a siren in a car", FoundBy.WORDS),
    ]
    assert matches.cues(PLAN, 1, Interval(2.5, 10.0, 1.0)) == matches.cues(PLAN, 2, Interval(0.0, 10.0, 1.0)) == ()


def test_a_cue_is_shown_with_its_better_match(empty: Library) -> None:
    """Of equal scores, the match by words."""
    by_words, by_meaning = match("a siren", 0.4), match("a siren", 0.7, FoundBy.MEANING)
    other, tie = match("siren", 0.6), match("siren", 0.6, FoundBy.MEANING)
    matches = of_terms(empty, [by_words, other, by_meaning, tie])
    matches.load([Part(1, 0.0, math.inf)])
    found = matches.cues(PLAN, 1, Interval(0.0, 10.0, 1.0))
    assert [(cue.text, cue.found_by) for cue in found] == [("siren", FoundBy.WORDS), ("a siren", FoundBy.MEANING)]
    assert max(interval.score for interval in matches.of(0, Part(1, 0.0, 10.0), 1.0)) == pytest.approx(0.7 * 0.95)


def test_the_scores_of_cues_as_intervals(empty: Library) -> None:
    matches = of_terms(empty, [match("Siren", 1.0, kind=CueKind.TITLE), match("a siren", 0.8)])
    assert matches.of(0, Part(1, 1.5, 9.0), 2.0) == [
        Interval(1.0, 2.0, 0.95, 2.0, is_everywhere=True),
        Interval(1.0, 2.0, pytest.approx(0.76), 2.0),
    ]
    assert matches.of(0, Part(1, 2.0, 9.0), 1.0) == [Interval(1.0, 2.0, 0.95, 1.0, is_everywhere=True)]
    assert matches.of(0, Part(2, 0.0, 9.0), 1.0) == matches.of(1, Part(1, 0.0, 9.0), 1.0) == []


def test_a_repeated_cue_is_one_text_of_the_chance_sample() -> None:
    """Ninety repetitions of `[music]` leave the median at the four distinct texts and the everyday thing."""
    distinct = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]], dtype=np.float32)
    sample = np.concatenate([np.repeat(distinct[:1], 90, axis=0), distinct[1:]])
    things = np.array([[0.0, -1.0]], dtype=np.float32)
    cues = CueNormalizer.of(sample, things, 93)
    assert sorted(map(tuple, cues.texts.tolist())) == sorted(map(tuple, np.concatenate([distinct, things]).tolist()))
    stats = cues.chance_stats(np.array([[1.0, 0.0]], dtype=np.float32))
    assert float(stats.median[0]) == pytest.approx(0.6, abs=1e-6)
    assert float(stats.spread[0]) == pytest.approx(0.6, abs=1e-6)


def test_a_query_scores_by_chance_at_least_what_it_scores_on_everyday_things() -> None:
    """Its cosines with cues are 0, those with things 0.8 and 0.6: their median is 0.7, their spread 0.34 times 0.2."""
    cues = np.array([[0.0, 1.0], [0.0, -1.0], [0.0, 0.5], [0.0, 0.2], [0.0, 0.1]], dtype=np.float32)
    things = np.array([[0.8, 0.6], [0.6, 0.8]], dtype=np.float32)
    stats = CueNormalizer.of(cues, things, 5).chance_stats(np.array([[1.0, 0.0]], dtype=np.float32))
    assert float(stats.median[0]) == pytest.approx(0.7, abs=1e-6)
    assert float(stats.spread[0]) == pytest.approx(0.34 * 0.2, abs=1e-6)


def test_the_spread_of_cosines_has_a_lower_bound() -> None:
    same = np.array([[1.0, 0.0]], dtype=np.float32)
    stats = CueNormalizer.of(same, same, 1).chance_stats(same)
    assert (float(stats.median[0]), float(stats.spread[0])) == pytest.approx((1.0, 0.05))


def test_the_threshold_of_cues_depends_on_their_number() -> None:
    """Three spreads above the expected maximum of 1000 normal scores, 3.716922."""
    same = np.array([[1.0, 0.0]], dtype=np.float32)
    assert CueNormalizer.of(same, same, 1000).threshold.centre == pytest.approx(6.716922, abs=1e-6)


def test_the_cue_normalizer_is_rebuilt_when_cues_have_changed_by_more_than_a_twentieth() -> None:
    count, read = 100, list[int]()

    def sample(space: SpaceName, at_most: int) -> FloatArray:
        assert (space, at_most) == (SpaceName.CUE, CUE_SAMPLE_SIZE)
        read.append(count)
        return np.eye(2, dtype=np.float32)

    class Embedded(ScoreNormalizers):
        def cohort(self, library: object, models: object) -> TextVectors:
            return TextVectors(None, None, np.ones((len(COHORT), 2), np.float32), None)

    library: Any = SimpleNamespace(rows=lambda space: count, sample=sample)
    models: Any = None
    normalizers = Embedded()

    def current() -> CueNormalizer | None:
        return cue_normalizer(library, normalizers, models)

    first = current()
    assert first is not None
    assert (first.rows, len(first.things), len(first.texts)) == (100, len(THINGS), 2 + len(THINGS))
    count = 105
    assert current() is first
    count = 106
    second = current()
    assert second is not None and second.rows == 106
    assert read == [100, 106]
    count = 0
    assert current() is None
