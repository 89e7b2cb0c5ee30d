"""Figures of rankings: how well many queries each order the items of a gallery. Pure functions over arrays.

Among equal scores the worse item stands first, so a constant score earns nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.metrics import Flags, Scores, first_relevant_ranks, recall_at

Figures = npt.NDArray[np.float64]

REWEIGHT_SCALE = 10.0
"""What PE-AV's scores are multiplied by before the dual softmax: `--reweight-scale 10` in Meta's perception_models,
apps/pe/docs/evaluation.md."""


@dataclass(frozen=True, slots=True)
class RankingFigures:
    """Means over the queries, 0..1; NaN without queries. `r1`, `r5` and `r10` are the shares of queries with something
    relevant among the first 1, 5 and 10; `map` is the mean average precision."""

    r1: float
    r5: float
    r10: float
    map: float
    ndcg10: float


def average_precisions(scores: Scores, relevant: Flags) -> Figures:
    """The average precision of each query, float64 [queries]; both arrays are [queries, items].

    The mean, over a query's relevant items, of the precision at their ranks (Manning, Raghavan and Schütze 2008,
    8.4). A query without a relevant item raises ValueError.
    """
    if not relevant.any(axis=1).all():
        raise ValueError("a query has no relevant item")
    hits = np.take_along_axis(relevant, _best_first(scores, relevant), axis=1)
    precisions = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    summed: Figures = np.where(hits, precisions, 0.0).sum(axis=1)
    mean: Figures = summed / hits.sum(axis=1)
    return mean


def ndcg_at(scores: Scores, grades: npt.NDArray[np.floating], k: int) -> Figures:
    """The normalised discounted cumulative gain of each query's first `k` items, float64 [queries].

    `grades` [queries, items] are the gains, 0 for what is not relevant; the item at rank r counts 1 / log2(r + 1) of
    its gain, and 1 is the best order there is (Järvelin and Kekäläinen 2002). ValueError for a query of no gain.
    """
    if not (grades > 0).any(axis=1).all():
        raise ValueError("a query has no relevant item")
    discounts = 1.0 / np.log2(np.arange(min(k, grades.shape[1])) + 2.0)
    gained = np.take_along_axis(grades, _best_first(scores, grades), axis=1)[:, : len(discounts)]
    best = -np.sort(-grades, axis=1)[:, : len(discounts)]
    result: Figures = (gained @ discounts) / (best @ discounts)
    return result


def column_log_sums(blocks: Iterable[Scores]) -> Figures:
    """log(sum(exp(column))) over all the queries of the blocks [some queries, items], float64 [items]."""
    total: Figures | None = None
    for block in blocks:
        highest = block.max(axis=0)
        here: Figures = np.asarray(highest + np.log(np.exp(block - highest).sum(axis=0)), dtype=np.float64)
        total = here if total is None else np.logaddexp(total, here, dtype=np.float64)
    if total is None:
        raise ValueError("there are no queries")
    return total


def dual_softmax(scores: Scores, log_sums: Figures) -> Figures:
    """Scores [queries, items] weighted by each item's softmax over all the queries, whose `column_log_sums` are given.

    An item that many queries like counts less for each. Nothing that answers one query at a time can do this. The
    formula is that of `metrics/zeroshot_retrieval.py` in apps/pe/clip_benchmark of Meta's perception_models.
    """
    weighted: Figures = np.asarray(scores * np.exp(scores - log_sums), dtype=np.float64)
    return weighted


def ranking_figures(blocks: Iterable[tuple[Scores, Flags]]) -> RankingFigures:
    """The figures over all queries, which come as blocks of scores and flags [some queries, items]."""
    ranks, precisions, gains = [], [], []
    for scores, relevant in blocks:
        ranks.append(first_relevant_ranks(scores, relevant))
        precisions.append(average_precisions(scores, relevant))
        gains.append(ndcg_at(scores, relevant.astype(np.float64), 10))
    if not ranks:
        return RankingFigures(math.nan, math.nan, math.nan, math.nan, math.nan)
    found = np.concatenate(ranks)
    return RankingFigures(
        r1=recall_at(found, 1),
        r5=recall_at(found, 5),
        r10=recall_at(found, 10),
        map=float(np.concatenate(precisions).mean()),
        ndcg10=float(np.concatenate(gains).mean()),
    )


def _best_first(scores: Scores, worth: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
    """The items of each query from the highest score down; among equal scores the less worthy first."""
    return np.lexsort((worth, -scores), axis=1)
