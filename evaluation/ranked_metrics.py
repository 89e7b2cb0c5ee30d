"""Metrics over judged queries: each is searched as `pesearch query` does, and its moments are graded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pesearch.errors import LibraryError
from pesearch.evaluation.judgements import JudgedQuery, Relevant
from pesearch.evaluation.library_clips import IndexedFiles
from pesearch.evaluation.metrics import auroc, calibration_error, mean
from pesearch.evaluation.ranking import ndcg_of_grades
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library
    from pesearch.types import Moment

MOMENT_LIMIT = 10
"""Moments per query: the default of `pesearch query`."""


@dataclass(frozen=True, slots=True)
class GradedRanking:
    """A search result with relevance grades.

    `grades` are those of the moments in their order, 0 for irrelevant ones; `ideal` are those of all relevant entries
    in descending order. `confident` is that of the result, `score` that of its best moment (0 without moments).
    """

    grades: tuple[float, ...]
    ideal: tuple[float, ...]
    confident: bool
    score: float

    @property
    def is_answerable(self) -> bool:
        """Whether anything in the library is relevant."""
        return bool(self.ideal)


@dataclass(frozen=True, slots=True)
class QueryMetrics:
    """Metrics over `queries` queries, of which `answerable` have a relevant entry; 0..1, NaN without data.

    `r1` to `ndcg10` are over the answerable queries, confident or not: recall at 1, 5 and 10 moments, mean average
    precision and nDCG of ten. `answered` is the fraction of them with a confident result, `abstained` the fraction of
    the other queries without one. `answer_auroc` is the probability that the best moment of an answerable query scores
    above that of an unanswerable one. `calibration_error` compares the score of best moments with their precision.
    """

    queries: int
    answerable: int
    r1: float
    r5: float
    r10: float
    map: float
    ndcg10: float
    answered: float
    abstained: float
    answer_auroc: float
    calibration_error: float


def grade_queries(queries: Sequence[JudgedQuery], library: Library, models: ModelSet) -> Iterator[GradedRanking]:
    """Search and grade each query. Raises LibraryError before the first if a judged file is not in the library."""
    file_ids = file_ids_of(queries, library)
    for query in queries:
        result = search(library, models, SearchRequest(text=query.text, speech=query.speech, k=MOMENT_LIMIT))
        yield grade_moments(result.moments, result.confident, query.relevant, file_ids)


def grade_moments(
    moments: Sequence[Moment], confident: bool, relevant: Sequence[Relevant], file_ids: Mapping[Path, int]
) -> GradedRanking:
    """Grade moments, best first, against the relevant entries; `file_ids` has the library id of each of their paths.

    Each entry counts once, for the first moment that overlaps it. Further moments of entries that were counted already
    are skipped: they have no grade.
    """
    remaining, grades = sorted(relevant, key=lambda entry: -entry.grade), []
    for moment in moments:
        same_file = [entry for entry in relevant if file_ids[entry.path] == moment.file.id]
        matches = [entry for entry in same_file if entry.overlaps(moment)]
        new = next((entry for entry in remaining if entry in matches), None)
        if new is not None:
            remaining.remove(new)
            grades.append(new.grade)
        elif not matches:
            grades.append(0.0)
    return GradedRanking(
        grades=tuple(grades),
        ideal=tuple(sorted((entry.grade for entry in relevant), reverse=True)),
        confident=confident,
        score=moments[0].score if moments else 0.0,
    )


def query_metrics(rankings: Sequence[GradedRanking]) -> QueryMetrics:
    """Metrics over all graded queries."""
    answerable = [ranking for ranking in rankings if ranking.is_answerable]
    unanswerable = [ranking for ranking in rankings if not ranking.is_answerable]
    scores = np.array([ranking.score for ranking in rankings])
    return QueryMetrics(
        queries=len(rankings),
        answerable=len(answerable),
        r1=_recall(answerable, 1),
        r5=_recall(answerable, 5),
        r10=_recall(answerable, 10),
        map=mean(_average_precision(ranking) for ranking in answerable),
        ndcg10=mean(_ndcg(ranking) for ranking in answerable),
        answered=mean(float(ranking.confident) for ranking in answerable),
        abstained=mean(float(not ranking.confident) for ranking in unanswerable),
        answer_auroc=auroc(scores, np.array([ranking.is_answerable for ranking in rankings], dtype=bool)),
        calibration_error=calibration_error(
            scores, np.array([any(ranking.grades[:1]) for ranking in rankings], dtype=bool)
        ),
    )


def _recall(rankings: Sequence[GradedRanking], k: int) -> float:
    return mean(float(any(ranking.grades[:k])) for ranking in rankings)


def _average_precision(ranking: GradedRanking) -> float:
    """AP@10: relevant entries that were not found count 0, up to ten of them."""
    is_relevant = np.array(ranking.grades) > 0
    precisions = np.cumsum(is_relevant) / np.arange(1, len(is_relevant) + 1)
    return float(precisions[is_relevant].sum()) / min(len(ranking.ideal), MOMENT_LIMIT)


def _ndcg(ranking: GradedRanking) -> float:
    return float(ndcg_of_grades(np.array([ranking.grades]), np.array([ranking.ideal]), MOMENT_LIMIT)[0])


def file_ids_of(queries: Sequence[JudgedQuery], library: Library) -> dict[Path, int]:
    """The id of each judged file. Raises LibraryError if one is not in the library."""
    indexed = IndexedFiles(library)
    files = {entry.path: indexed.find(entry.path) for query in queries for entry in query.relevant}
    missing = sorted(path for path, file in files.items() if file is None)
    if missing:
        raise LibraryError(
            f"{len(missing)} of {len(files)} judged files are not in the library {library.folder}, such as "
            f"{missing[0]}: run `pesearch index {missing[0].parent} --library {library.folder}` first"
        )
    return {path: file.id for path, file in files.items() if file is not None}
