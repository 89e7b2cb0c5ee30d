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
