"""Selection of the parts of long files to score, by reciprocal rank fusion."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.search.retrieve.candidates import (
    WHOLE_FILE_GAP_SECONDS,
    HopKeys,
    Ranking,
    _reciprocal_rank_fusion,
    merge_touching,
    rank_candidates,
    widen,
)
from pesearch.timeline import HOP_SECONDS, WINDOW_SECONDS
from pesearch.types import Part

DURATION = 3600.0

TIMES = st.integers(0, 700).map(lambda hop: hop * HOP_SECONDS)
WINDOWS = st.builds(lambda file_id, start: Part(file_id, start, start + WINDOW_SECONDS), st.integers(1, 3), TIMES)
RANKINGS = st.lists(st.lists(WINDOWS, max_size=20), max_size=4)


def of(rankings: list[list[Part]], max_gap: float = 0.0, count: int = 40) -> tuple[Part, ...]:
    return rank_candidates(map(Ranking.of, rankings), max_gap, count, lambda _: DURATION)


@given(RANKINGS, st.sampled_from([0.0, 10.0, 30.0]))
def test_parts_contain_all_hits_with_the_gap_around_them(rankings: list[list[Part]], max_gap: float) -> None:
    parts = of(rankings, max_gap, count=1000)
    for found in (found for ranking in rankings for found in ranking):
        start, end = max(found.start_seconds - max_gap, 0.0), min(found.end_seconds + max_gap, DURATION)
        around = [part for part in parts if part.file_id == found.file_id]
        assert any(part.start_seconds <= start and part.end_seconds >= end for part in around)


@given(RANKINGS, st.integers(1, 10))
def test_parts_of_one_file_do_not_overlap_and_count_limits_them(rankings: list[list[Part]], count: int) -> None:
    parts = of(rankings, count=count)
    assert len(parts) <= count
    for a, b in combinations(sorted(parts, key=lambda part: (part.file_id, part.start_seconds)), 2):
        assert a.file_id != b.file_id or a.end_seconds < b.start_seconds


def test_hits_of_two_rankings_near_each_other_come_first() -> None:
    alone, here, near = Part(1, 0.0, 10.0), Part(1, 1000.0, 1010.0), Part(1, 1015.0, 1025.0)
    parts = of([[alone, here], [near]], max_gap=10.0)
    assert parts[0].start_seconds <= 990.0
    assert parts[0].end_seconds >= 1035.0
    assert parts[1].start_seconds == 0.0


def test_a_hit_on_a_whole_file_counts_at_each_other_hit_in_it() -> None:
    title = Part(2, 0.0, math.inf)
    parts = of([[Part(1, 0.0, 10.0), Part(2, 500.0, 510.0)], [title]])
    assert [part.file_id for part in parts] == [2, 1]
    assert parts[0].start_seconds > 400.0
    assert of([[title]]) == (Part(2, 0.0, 15.0),)


def test_a_query_with_a_large_gap_selects_whole_files() -> None:
    assert of([[Part(1, 500.0, 510.0)]], max_gap=WHOLE_FILE_GAP_SECONDS + 1) == (Part(1, 0.0, math.inf),)


def test_a_still_image_is_one_part() -> None:
    assert rank_candidates([Ranking.of([Part(1, 0.0, 0.0)])], 0.0, 1, lambda _: 0.0) == (Part(1, 0.0, math.inf),)


def test_a_widened_part_is_clipped_to_its_file() -> None:
    wide = widen(Part(1, 100.0, 150.0), DURATION)
    assert wide == Part(1, 50.0, 200.0)
    assert widen(Part(1, 20.0, 60.0), 90.0) == Part(1, 0.0, math.inf)
    assert widen(Part(1, 3500.0, math.inf), DURATION) == Part(1, 3400.0, math.inf)


def test_touching_parts_are_merged() -> None:
    parts = [Part(1, 0.0, 20.0), Part(2, 0.0, 20.0), Part(1, 40.0, 60.0), Part(1, 20.0, 40.0)]
    assert list(merge_touching(parts)) == [Part(1, 0.0, 60.0), Part(2, 0.0, 20.0)]
    assert list(merge_touching([])) == []


@pytest.mark.parametrize("duration", [7.0, 25.0, 61.3])
def test_a_short_file_is_one_part(duration: float) -> None:
    (part,) = rank_candidates([Ranking.of([Part(1, 0.0, min(duration, 10.0))])], 60.0, 1, lambda _: duration)
    assert part == Part(1, 0.0, math.inf)


def test_two_middling_ranks_outweigh_one_first_rank() -> None:
    """By k = 60: 1 / 61 < 2 / 70. A small k would put the first rank of a single ranking first."""
    others = [[Part(100 + 10 * ranking + n, 0.0, 10.0) for n in range(9)] for ranking in range(2)]
    twice = Part(2, 0.0, 10.0)
    parts = of([[Part(1, 0.0, 10.0)], [*others[0], twice], [*others[1], twice]])
    assert [part.file_id for part in parts][:2] == [2, 1]


def test_fused_scores_are_the_sums_of_reciprocal_ranks() -> None:
    def ranked(*keys_and_ranks: tuple[int, int]) -> tuple[HopKeys, HopKeys]:
        keys, ranks = zip(*keys_and_ranks, strict=True)
        return np.array(keys, dtype=np.int64), np.array(ranks, dtype=np.int64)

    keys, scores = _reciprocal_rank_fusion([ranked((5, 1), (7, 2), (5, 3)), ranked((7, 4))])
    assert keys.tolist() == [5, 7]
    assert scores == pytest.approx([1 / 61, 1 / 62 + 1 / 64], abs=1e-12)  # the best rank of each ranking only


def files_in(*ids: int) -> list[Part]:
    return [Part(file_id, 0.0, 10.0) for file_id in ids]


@pytest.mark.parametrize("others", [10, 100, 1000])
def test_a_file_that_is_first_in_one_of_five_rankings_is_a_candidate(others: int) -> None:
    """However many files are in all five: a still is in the ranking of one space only."""
    everywhere = [files_in(*np.roll(np.arange(2, 2 + others), 7 * shift)) for shift in range(5)]
    for only in range(5):
        rankings = [files_in(1) + found if number == only else found for number, found in enumerate(everywhere)]
        assert 1 in {part.file_id for part in of(rankings, count=20)}


def test_half_of_the_parts_are_the_heads_of_the_rankings() -> None:
    """Two rankings have files 1 to 4 and 11 to 14 first; files 21 to 40 are later in both, and fused score higher."""
    both = list(range(21, 41))
    one, other = files_in(1, 2, 3, 4, *both), files_in(11, 12, 13, 14, *both)
    assert {part.file_id for part in of([one, other], count=8)} == {1, 11, 2, 12, 21, 22, 23, 24}
    assert {part.file_id for part in of([one, other], count=5)} == {1, 11, 2, 21, 22}  # three of five are heads
    assert {part.file_id for part in of([one, other], count=1)} == {1}


def test_the_parts_are_in_the_order_of_their_fused_scores() -> None:
    both = list(range(21, 41))
    parts = of([files_in(1, 2, *both), files_in(11, 12, *both)], count=8)
    assert [part.file_id for part in parts] == [21, 22, 23, 24, 1, 11, 2, 12]


def test_a_title_and_a_hit_in_the_same_file_are_one_head() -> None:
    """The head of a ranking of whole files is the best hop of that file."""
    title, hit, others = Part(1, 0.0, math.inf), Part(1, 500.0, 510.0), files_in(*range(2, 30))
    parts = of([[title], [*others, hit], others], count=4)
    (found,) = (part for part in parts if part.file_id == 1)
    assert found.start_seconds > 400.0


@given(RANKINGS, st.integers(1, 12), st.integers(0, 12), st.sampled_from([0.0, 10.0]))
def test_what_a_smaller_count_selects_a_larger_one_selects_too(
    rankings: list[list[Part]], count: int, more: int, max_gap: float
) -> None:
    many = of(rankings, max_gap, count + more)
    for part in of(rankings, max_gap, count):
        assert any(
            other.file_id == part.file_id
            and other.start_seconds < part.end_seconds
            and part.start_seconds < other.end_seconds
            for other in many
        )


@given(RANKINGS, st.integers(1, 10))
def test_the_best_of_each_ranking_is_within_a_part_while_there_is_room(rankings: list[list[Part]], count: int) -> None:
    firsts = [ranking[0] for ranking in rankings if ranking]
    parts = of(rankings, count=2 * max(count, len(firsts)))
    for first in firsts:
        assert any(
            part.file_id == first.file_id and part.start_seconds <= first.start_seconds < part.end_seconds
            for part in parts
        )
