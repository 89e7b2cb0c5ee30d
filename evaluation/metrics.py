"""Figures of retrieval and of event detection: pure functions over arrays and spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Span = tuple[float, float]
"""From onset to offset, in seconds."""

Scores = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]

ONSET_COLLAR_SECONDS = 0.2
"""How far an onset may be off: the collar of the DCASE challenges' event-based F-score (Mesaros et al. 2016)."""


def first_relevant_ranks(scores: Scores, relevant: Flags) -> npt.NDArray[np.int64]:
    """The rank (from 1) of each query's best relevant item; both arrays are [queries, items].

    Whatever is not relevant and ties with it counts as ahead of it, so a constant score earns nothing.
    A query without a relevant item raises ValueError.
    """
    if not relevant.any(axis=1).all():
        raise ValueError("a query has no relevant item")
    best = np.where(relevant, scores, -np.inf).max(axis=1, keepdims=True)
    ahead: npt.NDArray[np.int64] = ((scores >= best) & ~relevant).sum(axis=1)
    return ahead + 1


def recall_at(ranks: npt.NDArray[np.int64], k: int) -> float:
    """Share of queries whose first relevant item is among the first `k`; NaN without queries."""
    return float(np.mean(ranks <= k)) if len(ranks) else float("nan")


def auroc(scores: Scores, positive: Flags) -> float:
    """Area under the ROC curve of 1-d scores: the chance that a positive scores above a negative, ties being half.

    This is the Mann-Whitney U statistic over the number of pairs (Hanley and McNeil 1982). NaN where there are
    no positives or no negatives.
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
    """Intersection over union of two spans; 0 where neither lasts."""
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    return shared / union if union > 0 else 0.0


def best_iou(truth: Span, found: Iterable[Span]) -> float:
    """The IoU of the found span that fits the truth best; 0 where nothing was found."""
    return max((iou(truth, span) for span in found), default=0.0)


def matched_onsets(truths: Sequence[float], found: Sequence[float], collar: float = ONSET_COLLAR_SECONDS) -> int:
    """How many onsets can be paired one to one within the collar.

    Pairing both in order of time is the largest pairing there is, since every collar is equally wide.
    """
    waiting, pairs = sorted(truths), 0
    for onset in sorted(found):
        while waiting and waiting[0] < onset - collar:
            waiting.pop(0)
        if waiting and waiting[0] <= onset + collar:
            waiting.pop(0)
            pairs += 1
    return pairs


def f1(matched: int, truths: int, found: int) -> float:
    """Harmonic mean of precision and recall from counts; NaN where there was nothing to find and nothing found."""
    return 2 * matched / (truths + found) if truths + found else float("nan")


def mean(values: Iterable[float]) -> float:
    """Mean of what is a number; NaN where nothing is."""
    kept = [value for value in values if not np.isnan(value)]
    return float(np.mean(kept)) if kept else float("nan")


def calibration_error(probabilities: Scores, right: Flags, bins: int = 10) -> float:
    """The expected calibration error: how far the mean probability lies from the share that is right, in equal bins of
    probability, weighed by how many fall into each (Naeini et al. 2015). NaN without probabilities."""
    if not len(probabilities):
        return float("nan")
    places = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(places, weights=probabilities - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(probabilities))
