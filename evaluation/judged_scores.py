"""Scores of which it is known whether they belong to an answer: what `pesearch calibrate` fits to.

Judged queries, annotated clips and public datasets all become judged queries here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.evaluation.datasets import IndexedClip
from pesearch.evaluation.ground_truth import ClipTruth, Truth
from pesearch.evaluation.judgements import JudgedQuery, Relevant
from pesearch.evaluation.library_clips import IndexedFiles
from pesearch.evaluation.ranked_metrics import file_ids_of
from pesearch.search.query.language.nodes import Sense, Words
from pesearch.search.query.plan import compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.score.library_normalizer import ScoreNormalizers
from pesearch.search.search import search

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library
    from pesearch.types import Moment

COMPARED_MOMENTS = 50
"""Moments per query, at most one of a file, among which the best one that is no answer is looked for."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """Judged queries about some files of a library.

    file_ids: The files that were judged for each query; None for all of the library.
    is_complete: Whether a file that was judged and is not named as relevant is known to be irrelevant; with captions,
        others may fit.
    """

    queries: tuple[JudgedQuery, ...]
    file_ids: frozenset[int] | None = None
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class JudgedScore:
    """The score of a moment, and whether the moment is an answer; `query` is the number of its query."""

    query: int
    is_sentence: bool
    score: float
    is_answer: bool


def of_clips(truths: Sequence[ClipTruth], library: Library) -> Judgements:
    """A query for each thing that is seen or heard in annotated clips, and for each phrase that is said."""
    indexed = IndexedFiles(library)
    files = frozenset(file.id for truth in truths if (file := indexed.find(truth.path)))
    names, said = defaultdict[str, list[Relevant]](list), defaultdict[str, list[Relevant]](list)
    for clip in truths:
        for truth in (*clip.heard, *clip.seen):
            names[truth.what].append(_relevant(clip, truth))
        for truth in clip.said:
            said[truth.what].append(_relevant(clip, truth))
    queries = [
        JudgedQuery(text, speech, tuple(relevant))
        for texts, speech in ((names, False), (said, True))
        for text, relevant in texts.items()
    ]
    return Judgements(tuple(queries), files)


def of_dataset(clips: Sequence[IndexedClip]) -> Judgements:
    """A query for each label of a dataset with sound events, or for the first caption of each clip."""
    labels, captions = defaultdict[str, list[Relevant]](list), list[JudgedQuery]()
    for indexed in clips:
        for event in indexed.clip.events:
            labels[event.what] += [
                Relevant(file.path, event.start_seconds, event.end_seconds, 1.0) for file in indexed.files
            ]
        for caption in indexed.clip.captions[:1]:
            captions.append(
                JudgedQuery(caption, False, tuple(Relevant(file.path, None, None, 1.0) for file in indexed.files))
            )
    files = frozenset(file.id for indexed in clips for file in indexed.files)
    if labels:
        return Judgements(tuple(JudgedQuery(text, False, tuple(found)) for text, found in labels.items()), files)
    return Judgements(tuple(captions), files, is_complete=False)


def judged_scores(judgements: Judgements, library: Library, models: ModelSet) -> Iterator[tuple[JudgedScore, ...]]:
    """For each query the score of its best moment, and of the best one that is known to be no answer.

    The scores are those of the model set, without a recalibration of the library. A query that is not plain words,
    or whose best moment is a matching subtitle, has none. Raises LibraryError before the first if a judged file is not
    in the library.
    """
    file_ids, normalizers = file_ids_of(judgements.queries, library), ScoreNormalizers(is_recalibrated=False)
    for number, query in enumerate(judgements.queries):
        request = SearchRequest(query.text, speech=query.speech, k=COMPARED_MOMENTS, per_file=1)
        if (is_sentence := _is_sentence(request)) is None:
            yield ()
            continue
        moments = _judged(search(library, models, request, normalizers=normalizers).moments, judgements)
        relevant = {file_ids[entry.path] for entry in query.relevant}
        answers = [
            any(entry.overlaps(moment) for entry in query.relevant if file_ids[entry.path] == moment.file.id)
            for moment in moments
        ]
        others = [at for at, moment in enumerate(moments) if moment.file.id not in relevant]
        chosen = dict.fromkeys([*range(min(len(moments), 1)), *others[: 1 if judgements.is_complete else 0]])
        yield tuple(
            JudgedScore(number, is_sentence, moments[at].score, answers[at]) for at in chosen if not moments[at].cues
        )


def _is_sentence(request: SearchRequest) -> bool | None:
    """Whether a query is about what is said; None if it is about both, or more than plain words."""
    terms = compile_query(request).terms
    kinds = {term.sense is Sense.SAID for term in terms if isinstance(term, Words) and term.sense is not Sense.TEXT}
    return kinds.pop() if len(kinds) == 1 and all(isinstance(term, Words) for term in terms) else None


def _judged(moments: Iterable[Moment], judgements: Judgements) -> list[Moment]:
    files = judgements.file_ids
    return [moment for moment in moments if files is None or moment.file.id in files]


def _relevant(clip: ClipTruth, truth: Truth) -> Relevant:
    return Relevant(clip.path, truth.start_seconds, truth.end_seconds, 1.0)
