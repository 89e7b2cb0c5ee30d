"""The laws of merging stretches into moments."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pesearch.search.moments import Stretch, merge
from pesearch.types import Hit, SpaceName

TIMES = st.integers(0, 40).map(float)


@st.composite
def stretches(draw: st.DrawFn) -> Stretch:
    file_id = draw(st.integers(1, 3))
    start, end = sorted((draw(TIMES), draw(TIMES)))
    score = draw(st.integers(0, 100)) / 100
    hit = Hit(file_id, draw(st.sampled_from(SpaceName)), start, end, score, draw(st.integers(1, 9)))
    return Stretch(file_id, start, end, score, frozenset({hit}))


MANY = st.lists(stretches(), max_size=12)


@given(MANY)
def test_no_two_moments_of_a_file_overlap(given: list[Stretch]) -> None:
    merged = merge(given)
    assert not any(a.overlaps(b) for number, a in enumerate(merged) for b in merged[:number])


@given(MANY, st.randoms())
def test_the_order_given_does_not_matter(given: list[Stretch], random: Random) -> None:
    shuffled = list(given)
    random.shuffle(shuffled)
    assert merge(shuffled) == merge(given)


@given(MANY)
def test_merging_again_changes_nothing(given: list[Stretch]) -> None:
    assert merge(merge(given)) == merge(given)


@given(MANY)
def test_evidence_time_and_the_best_score_are_kept(given: list[Stretch]) -> None:
    merged = merge(given)
    assert frozenset[Hit]().union(*(one.evidence for one in merged)) == frozenset[Hit]().union(
        *(one.evidence for one in given)
    )
    for one in given:
        (home,) = [other for other in merged if one.evidence <= other.evidence and covers(other, one)]
        assert home.score >= one.score
    assert {one.score for one in merged} <= {one.score for one in given}


def covers(outer: Stretch, inner: Stretch) -> bool:
    return (
        outer.file_id == inner.file_id
        and outer.start_seconds <= inner.start_seconds
        and inner.end_seconds <= outer.end_seconds
    )


@given(MANY)
def test_the_best_score_comes_first(given: list[Stretch]) -> None:
    scores = [one.score for one in merge(given)]
    assert scores == sorted(scores, reverse=True)


def test_windows_that_overlap_by_half_become_one_and_those_that_touch_do_not() -> None:
    windows = [Stretch(1, start, start + 10.0, 0.5, frozenset()) for start in (0.0, 5.0, 15.0)]
    assert [(one.start_seconds, one.end_seconds) for one in merge(windows)] == [(0.0, 15.0), (15.0, 25.0)]


def test_the_same_still_image_twice_is_one_moment() -> None:
    still = Stretch(1, 0.0, 0.0, 0.5, frozenset())
    assert merge([still, still]) == [still]
