"""Spans by cumulative sums: the best segmentation, and independent of the pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pesearch.search.events.change_detector import ChangeDetector
from pesearch.search.events.noise import Logits

EVIDENCE = arrays(np.float64, st.integers(0, 80), elements=st.integers(-4, 4).map(float))
COSTS = st.integers(1, 12).map(float)


def spans_in(evidence: Logits, cost: float, cuts: list[int] | None = None) -> list[tuple[int, int]]:
    detector = ChangeDetector()
    pieces = np.split(evidence, sorted(min(cut, len(evidence)) for cut in cuts or []))
    found = [span for piece in pieces for span in detector.push(piece, piece, cost)] + detector.finish()
    return [(onset.step, offset.step) for onset, offset in found]


def best_total(evidence: Logits, cost: float) -> float:
    """The highest evidence in any disjoint spans, each at a cost, by dynamic programming over two states."""
    outside, inside = 0.0, -np.inf
    for value in evidence.tolist():
        outside, inside = max(outside, inside), max(inside, outside - cost) + value
        outside = max(outside, inside)
    return outside


@given(EVIDENCE, COSTS)
def test_the_spans_have_the_most_evidence_of_all_at_this_cost_each(evidence: Logits, cost: float) -> None:
    total = sum(evidence[start:stop].sum() - cost for start, stop in spans_in(evidence, cost))
    assert total == best_total(evidence, cost)


@given(EVIDENCE, COSTS, st.lists(st.integers(0, 80)))
def test_pieces_give_the_same_spans(evidence: Logits, cost: float, cuts: list[int]) -> None:
    assert spans_in(evidence, cost, cuts) == spans_in(evidence, cost)


@given(EVIDENCE, COSTS)
def test_every_span_and_every_pause_exceeds_the_cost(evidence: Logits, cost: float) -> None:
    spans = spans_in(evidence, cost)
    assert all(evidence[start:stop].sum() > cost for start, stop in spans)
    assert all(-evidence[before[1] : after[0]].sum() > cost for before, after in pairwise(spans))


@given(EVIDENCE, COSTS, st.integers(0, 3))
def test_more_evidence_covers_at_least_as_much(evidence: Logits, cost: float, more: int) -> None:
    def covered(level: int) -> set[int]:
        return {step for start, stop in spans_in(evidence + level, cost) for step in range(start, stop)}

    assert covered(0) <= covered(more)


def test_sums_at_onset_and_offset() -> None:
    detector = ChangeDetector()
    evidence, values = np.array([-1.0, 2.0, 2.0, 2.0, -9.0]), np.array([0.1, 0.7, 0.8, 0.9, 0.1])
    ((onset, offset),) = detector.push(evidence, values, 5.0)
    assert (onset.step, offset.step) == (1, 4)
    assert (onset.evidence, offset.evidence) == (-1.0, 5.0)
    assert np.isclose(offset.total - onset.total, 2.4)
    assert detector.finish() == []
