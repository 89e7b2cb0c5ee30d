"""Which parts of long files are worth a closer look."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.search.retrieve.candidates import WHOLE_FILE_GAP_SECONDS, Ranking, merge_touching, rank_candidates, widen
from pesearch.timeline import HOP_SECONDS, WINDOW_SECONDS
from pesearch.types import Part

DURATION = 3600.0

TIMES = st.integers(0, 700).map(lambda hop: hop * HOP_SECONDS)
WINDOWS = st.builds(lambda file_id, start: Part(file_id, start, start + WINDOW_SECONDS), st.integers(1, 3), TIMES)
RANKINGS = st.lists(st.lists(WINDOWS, max_size=20), max_size=4)


def of(rankings: list[list[Part]], max_gap: float = 0.0, count: int = 40) -> tuple[Part, ...]:
    return rank_candidates(map(Ranking.of, rankings), max_gap, count, lambda _: DURATION)


@given(RANKINGS, st.sampled_from([0.0, 10.0, 30.0]))
def test_all_that_was_found_lies_in_a_part_with_what_is_in_reach_of_it(
    rankings: list[list[Part]], max_gap: float
) -> None:
    parts = of(rankings, max_gap, count=1000)
    for found in (found for ranking in rankings for found in ranking):
        start, end = max(found.start_seconds - max_gap, 0.0), min(found.end_seconds + max_gap, DURATION)
        around = [part for part in parts if part.file_id == found.file_id]
        assert any(part.start_seconds <= start and part.end_seconds >= end for part in around)


@given(RANKINGS, st.integers(1, 10))
def test_parts_of_one_file_lie_apart_and_are_no_more_than_asked_for(rankings: list[list[Part]], count: int) -> None:
    parts = of(rankings, count=count)
    assert len(parts) <= count
    for a, b in combinations(sorted(parts, key=lambda part: (part.file_id, part.start_seconds)), 2):
        assert a.file_id != b.file_id or a.end_seconds < b.start_seconds


def test_what_two_rankings_find_near_each_other_comes_first() -> None:
    alone, here, near = Part(1, 0.0, 10.0), Part(1, 1000.0, 1010.0), Part(1, 1015.0, 1025.0)
    parts = of([[alone, here], [near]], max_gap=10.0)
    assert parts[0].start_seconds <= 990.0
    assert parts[0].end_seconds >= 1035.0
    assert parts[1].start_seconds == 0.0


def test_what_was_found_of_all_of_a_file_counts_at_each_of_its_places() -> None:
    title = Part(2, 0.0, math.inf)
    parts = of([[Part(1, 0.0, 10.0), Part(2, 500.0, 510.0)], [title]])
    assert [part.file_id for part in parts] == [2, 1]
    assert parts[0].start_seconds > 400.0
    assert of([[title]]) == (Part(2, 0.0, 15.0),)


def test_a_question_that_reaches_far_is_looked_for_in_whole_files() -> None:
    assert of([[Part(1, 500.0, 510.0)]], max_gap=WHOLE_FILE_GAP_SECONDS + 1) == (Part(1, 0.0, math.inf),)


def test_a_still_is_a_part_by_itself() -> None:
    assert rank_candidates([Ranking.of([Part(1, 0.0, 0.0)])], 0.0, 1, lambda _: 0.0) == (Part(1, 0.0, math.inf),)


def test_a_part_that_is_made_wider_ends_with_its_file() -> None:
    wide = widen(Part(1, 100.0, 150.0), DURATION)
    assert wide == Part(1, 50.0, 200.0)
    assert widen(Part(1, 20.0, 60.0), 90.0) == Part(1, 0.0, math.inf)
    assert widen(Part(1, 3500.0, math.inf), DURATION) == Part(1, 3400.0, math.inf)


def test_parts_that_touch_are_one() -> None:
    parts = [Part(1, 0.0, 20.0), Part(2, 0.0, 20.0), Part(1, 40.0, 60.0), Part(1, 20.0, 40.0)]
    assert list(merge_touching(parts)) == [Part(1, 0.0, 60.0), Part(2, 0.0, 20.0)]
    assert list(merge_touching([])) == []


@pytest.mark.parametrize("duration", [7.0, 25.0, 61.3])
def test_a_short_file_is_looked_at_whole(duration: float) -> None:
    (part,) = rank_candidates([Ranking.of([Part(1, 0.0, min(duration, 10.0))])], 60.0, 1, lambda _: duration)
    assert part == Part(1, 0.0, math.inf)
