"""How well a classifier that is fitted to the answers tells present from absent things by the same deviations.

What it cannot tell apart, no threshold can: the deviations hold no more. It is a logistic regression on the best
deviation of a query in each space, and for each hypothesis of `search/score/hypotheses.py`; spoken phrases, which are
searched in one space, have one of their own. Each query is scored by classifiers that were fitted to other queries.

It is generous, and a bound from above: other wordings of a query are among those it was fitted to, and it knows which
share of the queries of a kind have an answer. Where the deviations hold nothing it gives that share, as no search can:
compare it with what is reached for each kind of query, and not only for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.absences import Presence, QueryKind
from benchmarks.abstention import Abstention
from benchmarks.figures import Row
from pesearch.encoders.model_set import ModelSet
from pesearch.evaluation.logistic import fit_logistic, logistic
from pesearch.search.encode.query_encoder import encode_query
from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.score.calibration import calibration_for
from pesearch.search.score.hypotheses import hypothesis_deviations
from pesearch.search.score.library_normalizer import score_normalizers
from pesearch.search.score.match_threshold import Deviations
from pesearch.search.score.part_scores import PartScores, score_parts
from pesearch.search.score.window_pooling import WindowRows, top_quarter_mean
from pesearch.store.library import Library
from pesearch.types import MEDIA_SPACES, Part

FOLDS = 10

REPEATS = 10
"""Divisions into folds, over which the probabilities of a query are averaged."""

RIDGE = 1.0
"""Penalty on the squared weights of standardised features."""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Oracle:
    """The figures of `search` and of the oracle, for all queries or for those of one kind."""

    part: str
    what: str
    kind: str
    reached: Abstention
    oracle: Abstention

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.what}, {self.kind} ({self.reached.questions})", "reached    oracle")
        for name in ("auroc", "calibration_error", "answered_there", "answered_absent"):
            both = (getattr(self.reached, name), getattr(self.oracle, name))
            yield Row(f"  {name.replace('_', ' ')}", "{:.3f}     {:.3f}".format(*both))


def compare_with_oracle(
    what: str, questions: Sequence[Presence], deviations: Deviations, reached: Floats, seed: int
) -> Iterator[Oracle]:
    """The oracle beside what is reached, for all queries and for each kind.

    deviations: As of `best_deviations`. reached: The score of the best moment of each query.
    """
    there = np.array([each.is_there for each in questions])
    said = np.array([each.kind is QueryKind.SAID for each in questions])
    predicted = np.zeros(len(questions))
    for group in (said, ~said):
        if group.any():
            predicted[group] = cross_validated(deviations[group], there[group], seed)
    for kind in (None, *QueryKind):
        chosen = np.array([kind in (None, each.kind) for each in questions])
        if chosen.any():
            figures = (Abstention.of(scores[chosen], there[chosen]) for scores in (reached, predicted))
            yield Oracle("oracle", what, kind or "all", *figures)


def best_deviations(library: Library, models: ModelSet, texts: Sequence[str]) -> Deviations:
    """The deviation of each text in its best window, float64 [texts, spaces + hypotheses]: in each of MEDIA_SPACES, and
    of each hypothesis. NaN for a space that the text is not searched in."""
    parts = [Part(file.id, 0.0, math.inf) for file in library.files()]
    best = []
    for text in texts:
        plan = compile_query(SearchRequest(text))
        query_vectors = encode_query(plan, models)
        calibration = calibration_for(library, score_normalizers(library), models, plan, query_vectors)
        scored = score_parts(library, plan, calibration, parts)
        by_space = np.concatenate([_by_window(part) for part in scored.values()])
        by_hypothesis = hypothesis_deviations(by_space, [True] * len(MEDIA_SPACES))
        both = np.concatenate([by_space, by_hypothesis], axis=1)
        maxima = np.where(np.isnan(both), -np.inf, both).max(axis=0)
        best.append(np.where(np.isinf(maxima), np.nan, maxima))
    return np.array(best)


def _by_window(part: PartScores) -> Deviations:
    """The deviations of the first term in each window of a part and each of MEDIA_SPACES."""
    deviations = np.full((len(part.windows), len(MEDIA_SPACES)), np.nan)
    for space, scored in part.spaces.items():
        rows = WindowRows.of([part.windows], scored.segments, np.zeros(len(scored.segments), np.int64))
        deviations[:, MEDIA_SPACES.index(space)] = top_quarter_mean(scored.deviations[:, :1], rows)[:, 0]
    return deviations


def cross_validated(features: Floats, labels: Flags, seed: int) -> Floats:
    """The probability of each row [n] by classifiers that were fitted without it.

    features: float64 [n, columns]; columns of NaN only count for nothing.
    Raises ValueError if fewer than two rows have either label.
    """
    known = features[:, ~np.isnan(features).all(axis=0)]
    folds = min(FOLDS, int(labels.sum()), int((~labels).sum()))
    if folds < 2:
        raise ValueError("each label needs two rows")
    rng, total = np.random.default_rng(seed), np.zeros(len(labels))
    ridge = np.array([1e-9, *[RIDGE] * known.shape[1]])  # none on the intercept
    for _ in range(REPEATS):
        fold_of = _stratified_folds(labels, folds, rng)
        for fold in range(folds):
            others = fold_of != fold
            centre, scale = known[others].mean(axis=0), np.maximum(known[others].std(axis=0), 1e-9)
            design = _with_intercept((known - centre) / scale)
            weights = fit_logistic(design[others], labels[others], np.zeros(design.shape[1]), ridge)
            total[~others] += logistic(design[~others] @ weights)
    return total / REPEATS


def _with_intercept(features: Floats) -> Floats:
    return np.column_stack([np.ones(len(features)), features])


def _stratified_folds(labels: Flags, folds: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """A fold of each row [n]; the rows of each label are spread evenly."""
    fold_of = np.empty(len(labels), np.int64)
    for label in (True, False):
        at = rng.permutation(np.flatnonzero(labels == label))
        fold_of[at] = np.arange(len(at)) % folds
    return fold_of
