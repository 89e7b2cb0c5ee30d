"""Ranking metrics: average precision, nDCG, recall, and the dual softmax. Pure functions over arrays.

Ties are broken against the ranking: the less relevant item goes first, so a constant score gains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.metrics import Flags, Scores, first_relevant_ranks, recall_at

FloatVector = npt.NDArray[np.float64]

REWEIGHT_SCALE = 10.0
"""Factor on PE-AV scores before the dual softmax: `--reweight-scale 10` in Meta's perception_models,
apps/pe/docs/evaluation.md."""


@dataclass(frozen=True, slots=True)
class RankingMetrics:
    """Means over the queries, 0..1; NaN without queries.

    `r1`, `r5` and `r10` are the fractions of queries with a relevant item in the top 1, 5 and 10; `map` is the mean
    average precision.
    """

    r1: float
    r5: float
    r10: float
    map: float
    ndcg10: float


def average_precisions(scores: Scores, relevant: Flags) -> FloatVector:
    """The average precision of each query, float64 [queries]; both arrays are [queries, items].

    The mean, over a query's relevant items, of the precision at their ranks (Manning, Raghavan and Schütze 2008,
    8.4). Raises ValueError for a query without a relevant item.
    """
    if not relevant.any(axis=1).all():
        raise ValueError("a query has no relevant item")
    hits = np.take_along_axis(relevant, _best_first(scores, relevant), axis=1)
    precisions = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    sums: FloatVector = np.where(hits, precisions, 0.0).sum(axis=1)
    mean: FloatVector = sums / hits.sum(axis=1)
    return mean


def ndcg_at(scores: Scores, grades: npt.NDArray[np.floating], k: int) -> FloatVector:
    """nDCG@k of each query, float64 [queries], from scores and grades [queries, items]; see `ndcg_of_grades`.

    Raises ValueError for a query without a positive grade.
    """
    if not (grades > 0).any(axis=1).all():
        raise ValueError("a query has no relevant item")
    ranked = np.take_along_axis(grades, _best_first(scores, grades), axis=1)
    return ndcg_of_grades(ranked, -np.sort(-grades, axis=1), k)


def ndcg_of_grades(ranked: npt.NDArray[np.floating], ideal: npt.NDArray[np.floating], k: int) -> FloatVector:
    """Normalised discounted cumulative gain of rankings (Järvelin and Kekäläinen 2002), float64 [queries].

    `ranked` [queries, items] are the grades in the order of the ranking, 0 for irrelevant items; `ideal` are the grades
    of all relevant items in descending order. The gain at rank r is divided by log2(r + 1).
    """
    result: FloatVector = np.asarray(_dcg(ranked, k) / _dcg(ideal, k), dtype=np.float64)
    return result


def _dcg(grades: npt.NDArray[np.floating], k: int) -> FloatVector:
    top = grades[:, :k]
    gain: FloatVector = np.asarray(top @ (1.0 / np.log2(np.arange(top.shape[1]) + 2.0)), dtype=np.float64)
    return gain


def column_log_sums(blocks: Iterable[Scores]) -> FloatVector:
    """log(sum(exp(column))) over the queries of all blocks [some queries, items], float64 [items]."""
    total: FloatVector | None = None
    for block in blocks:
        maxima = block.max(axis=0)
        sums: FloatVector = np.asarray(maxima + np.log(np.exp(block - maxima).sum(axis=0)), dtype=np.float64)
        total = sums if total is None else np.logaddexp(total, sums, dtype=np.float64)
    if total is None:
        raise ValueError("there are no queries")
    return total


def dual_softmax(scores: Scores, log_sums: FloatVector) -> FloatVector:
    """Scores [queries, items] weighted by the softmax of each item over all queries, given its `column_log_sums`.

    Items that score high for many queries are weighted down, which needs all queries at once. The formula is that of
    `metrics/zeroshot_retrieval.py` in apps/pe/clip_benchmark of Meta's perception_models.
    """
    weighted: FloatVector = np.asarray(scores * np.exp(scores - log_sums), dtype=np.float64)
    return weighted


def ranking_metrics(blocks: Iterable[tuple[Scores, Flags]]) -> RankingMetrics:
    """Metrics over all queries, given in blocks of scores and relevance flags [some queries, items]."""
    ranks, precisions, gains = [], [], []
    for scores, relevant in blocks:
        ranks.append(first_relevant_ranks(scores, relevant))
        precisions.append(average_precisions(scores, relevant))
        gains.append(ndcg_at(scores, relevant.astype(np.float64), 10))
    if not ranks:
        return RankingMetrics(math.nan, math.nan, math.nan, math.nan, math.nan)
    all_ranks = np.concatenate(ranks)
    return RankingMetrics(
        r1=recall_at(all_ranks, 1),
        r5=recall_at(all_ranks, 5),
        r10=recall_at(all_ranks, 10),
        map=float(np.concatenate(precisions).mean()),
        ndcg10=float(np.concatenate(gains).mean()),
    )


def _best_first(scores: Scores, grades: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
    """Item indexes by descending score; in a tie the lower grade first."""
    return np.lexsort((grades, -scores), axis=1)
