"""How well `search` answers judged queries: each is asked as a user would ask it, and the moments are looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pesearch.errors import LibraryError
from pesearch.evaluation.judgements import JudgedQuery, Relevant
from pesearch.evaluation.library_clips import IndexedFiles
from pesearch.evaluation.metrics import auroc, calibration_error, mean
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library
    from pesearch.types import Moment

MOMENTS = 10
"""So many moments are asked for: what `pesearch query` shows."""


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """What the moments of an answer are worth: `grades` in their order, 0 for wrong ones; `ideal` all the grades that
    there are to gain, best first. `confident` and `score` are the answer's own (`score` that of its best moment)."""

    grades: tuple[float, ...]
    ideal: tuple[float, ...]
    confident: bool
    score: float

    @property
    def is_answerable(self) -> bool:
        """Whether the library holds an answer at all."""
        return bool(self.ideal)


@dataclass(frozen=True, slots=True)
class QueryFigures:
    """Figures over `queries` questions, of which the library answers `answerable`; shares 0..1, NaN of nothing.

    `r1` to `ndcg10` are over the answerable ones, whether the program was confident or not: something right among the
    first 1, 5, 10 moments, mean average precision of ten moments, and nDCG. `answered` is the share of these that it
    was confident of, `abstained` the share of the others that it was not. `answer_auroc` is the chance that an
    answerable question's best moment scores above the other's, and `calibration_error` how far these scores are from
    the share of best moments that are right.
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


def judge(queries: Sequence[JudgedQuery], library: Library, models: ModelSet) -> Iterator[JudgedAnswer]:
    """Asks each query. Raises LibraryError before the first where a judged file is not in the library."""
    file_ids = _file_ids(queries, library)
    for query in queries:
        answer = search(library, models, SearchRequest(text=query.text, speech=query.speech, k=MOMENTS))
        yield judged(answer.moments, answer.confident, query.relevant, file_ids)


def judged(
    moments: Sequence[Moment], confident: bool, relevant: Sequence[Relevant], file_ids: Mapping[Path, int]
) -> JudgedAnswer:
    """Holds the moments of an answer against what is relevant, whose paths are those of `file_ids`.

    Each relevant entry is gained once, by the first moment that meets it; a further moment of what was gained already
    is passed over, neither right nor wrong.
    """
    waiting, grades = sorted(relevant, key=lambda entry: -entry.grade), []
    for moment in moments:
        of_file = [entry for entry in relevant if file_ids[entry.path] == moment.file.id]
        met = [entry for entry in of_file if entry.shares_time_with(moment)]
        new = next((entry for entry in waiting if entry in met), None)
        if new is not None:
            waiting.remove(new)
            grades.append(new.grade)
        elif not met:
            grades.append(0.0)
    return JudgedAnswer(
        grades=tuple(grades),
        ideal=tuple(sorted((entry.grade for entry in relevant), reverse=True)),
        confident=confident,
        score=moments[0].score if moments else 0.0,
    )


def query_figures(answers: Sequence[JudgedAnswer]) -> QueryFigures:
    """The figures over all answers."""
    answerable = [answer for answer in answers if answer.is_answerable]
    others = [answer for answer in answers if not answer.is_answerable]
    scores = np.array([answer.score for answer in answers])
    return QueryFigures(
        queries=len(answers),
        answerable=len(answerable),
        r1=_found(answerable, 1),
        r5=_found(answerable, 5),
        r10=_found(answerable, 10),
        map=mean(_average_precision(answer) for answer in answerable),
        ndcg10=mean(_ndcg(answer) for answer in answerable),
        answered=mean(float(answer.confident) for answer in answerable),
        abstained=mean(float(not answer.confident) for answer in others),
        answer_auroc=auroc(scores, np.array([answer.is_answerable for answer in answers], dtype=bool)),
        calibration_error=calibration_error(
            scores, np.array([any(answer.grades[:1]) for answer in answers], dtype=bool)
        ),
    )


def _found(answers: Sequence[JudgedAnswer], k: int) -> float:
    return mean(float(any(answer.grades[:k])) for answer in answers)


def _average_precision(answer: JudgedAnswer) -> float:
    """Of the moments asked for: what was not found among them counts 0, as far as there was room for it."""
    right = np.array(answer.grades) > 0
    precisions = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(precisions[right].sum()) / min(len(answer.ideal), MOMENTS)


def _ndcg(answer: JudgedAnswer) -> float:
    return _discounted(answer.grades) / _discounted(answer.ideal)


def _discounted(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades[:10], start=1))


def _file_ids(queries: Sequence[JudgedQuery], library: Library) -> dict[Path, int]:
    """The ids of all judged files."""
    indexed = IndexedFiles(library)
    files = {entry.path: indexed.at(entry.path) for query in queries for entry in query.relevant}
    missing = sorted(path for path, file in files.items() if file is None)
    if missing:
        raise LibraryError(
            f"{len(missing)} of {len(files)} judged files are not in the library {library.folder}, as {missing[0]}: "
            f"run `pesearch index {missing[0].parent} --library {library.folder}` first"
        )
    return {path: file.id for path, file in files.items() if file is not None}
