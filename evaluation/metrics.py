"""Metrics of retrieval and event detection: pure functions over arrays and time spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Span = tuple[float, float]
"""Onset and offset in seconds."""

Scores = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]

ONSET_COLLAR_SECONDS = 0.2
"""Tolerance of onsets in the event-based F-score of the DCASE challenges (Mesaros et al. 2016)."""


def first_relevant_ranks(scores: Scores, relevant: Flags) -> npt.NDArray[np.int64]:
    """Rank (from 1) of the first relevant item of each query; both arrays are [queries, items].

    Irrelevant items with the same score rank first, so a constant score gains nothing. Raises ValueError for a query
    without a relevant item.
    """
    if not relevant.any(axis=1).all():
        raise ValueError("a query has no relevant item")
    best = np.where(relevant, scores, -np.inf).max(axis=1, keepdims=True)
    ahead: npt.NDArray[np.int64] = ((scores >= best) & ~relevant).sum(axis=1)
    return ahead + 1


def recall_at(ranks: npt.NDArray[np.int64], k: int) -> float:
    """Fraction of queries whose first relevant item is in the top `k`; NaN without queries."""
    return float(np.mean(ranks <= k)) if len(ranks) else float("nan")


def auroc(scores: Scores, positive: Flags) -> float:
    """Area under the ROC curve of 1-d scores: the probability that a positive scores above a negative, ties half.

    This is the Mann-Whitney U statistic divided by the number of pairs (Hanley and McNeil 1982). NaN without positives
    or without negatives.
    """
    positives = int(positive.sum())
    negatives = positive.size - positives
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = mean_rank[inverse][positive].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def iou(a: Span, b: Span) -> float:
    """Intersection over union of two spans; 0 if both are empty."""
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    return shared / union if union > 0 else 0.0


def best_iou(truth: Span, found: Iterable[Span]) -> float:
    """Highest IoU of a found span with the truth; 0 if none was found."""
    return max((iou(truth, span) for span in found), default=0.0)


def matched_onsets(truths: Sequence[float], found: Sequence[float], collar: float = ONSET_COLLAR_SECONDS) -> int:
    """Size of the largest one-to-one matching of onsets within the collar.

    Matching greedily in order of time is optimal, because all collars are equally wide.
    """
    remaining, pairs = sorted(truths), 0
    for onset in sorted(found):
        while remaining and remaining[0] < onset - collar:
            remaining.pop(0)
        if remaining and remaining[0] <= onset + collar:
            remaining.pop(0)
            pairs += 1
    return pairs


def f1(matched: int, truths: int, found: int) -> float:
    """Harmonic mean of precision and recall from counts; NaN without true and without found items."""
    return 2 * matched / (truths + found) if truths + found else float("nan")


def mean(values: Iterable[float]) -> float:
    """Mean of the values that are not NaN; NaN if there are none."""
    numbers = [value for value in values if not np.isnan(value)]
    return float(np.mean(numbers)) if numbers else float("nan")


def calibration_error(probabilities: Scores, correct: Flags, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): the difference between mean probability and accuracy in `bins`
    bins of equal width, weighted by their size. NaN without probabilities."""
    if not len(probabilities):
        return float("nan")
    bin_of = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(bin_of, weights=probabilities - correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(probabilities))
