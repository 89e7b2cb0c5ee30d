"""The cohort: distinct everyday texts, each of one kind."""

from __future__ import annotations

from pesearch.search.score.cohort import COHORT, COHORT_SLICES, NAMES, SENTENCES, SOUNDS, THINGS, CohortKind
from pesearch.search.score.match_threshold import MATCH_QUANTILE


def test_texts_are_distinct_and_have_no_spaces_to_lose() -> None:
    assert len({text.casefold() for text in COHORT}) == len(COHORT) == len(THINGS) + len(SOUNDS) + len(SENTENCES)
    assert all(text and text == " ".join(text.split()) for text in COHORT)


def test_the_kinds_cover_the_cohort_once_and_in_order() -> None:
    assert [text for kind in CohortKind for text in COHORT[COHORT_SLICES[kind]]] == list(COHORT)
    assert COHORT[COHORT_SLICES[CohortKind.NAMES]] == NAMES == (*THINGS, *SOUNDS)
    assert COHORT[COHORT_SLICES[CohortKind.SENTENCES]] == SENTENCES


def test_things_come_first() -> None:
    """`normalization` and `cue_meaning` take them from the beginning of the cohort's vectors."""
    assert COHORT[: len(THINGS)] == THINGS


def test_each_kind_has_texts_above_the_quantile_of_matches() -> None:
    for part in COHORT_SLICES.values():
        assert (part.stop - part.start) * (1 - MATCH_QUANTILE) >= 3
