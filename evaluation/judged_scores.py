"""Scores of which it is known whether they belong to an answer: what `pesearch calibrate` fits to.

Judged queries, annotated clips and public datasets all become judged queries here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.evaluation.datasets import IndexedClip
from pesearch.evaluation.ground_truth import ClipTruth
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
"""Moments per query, at most one of a file, among which the best one that answers nothing is looked for."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """Judged queries about some files of a library.

    file_ids: The files that were judged for each query; None for all of the library.
    is_complete: Whether a file that was judged and is not named as relevant is known to be irrelevant. People name what
        they know, and a caption may fit other clips, too.
    """

    queries: tuple[JudgedQuery, ...]
    file_ids: frozenset[int] | None = None
    is_complete: bool = False


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
    relevant = defaultdict[Words, list[Relevant]](list)
    for clip in truths:
        for sense, found in ((Sense.HEARD, clip.heard), (Sense.SEEN, clip.seen), (Sense.SAID, clip.said)):
            for truth in found:
                judgement = Relevant(clip.path, truth.start_seconds, truth.end_seconds, 1.0)
                relevant[Words(truth.what, sense)].append(judgement)
    return Judgements(_queries(relevant), files, is_complete=True)


def of_dataset(clips: Sequence[IndexedClip]) -> Judgements:
    """A query for each label of a dataset with sound events, or for the first caption of each clip."""
    labels, captions = defaultdict[Words, list[Relevant]](list), list[JudgedQuery]()
    for indexed in clips:
        paths = [file.path for file in indexed.files]
        for event in indexed.clip.events:
            times = event.start_seconds, event.end_seconds
            labels[Words(event.what, Sense.HEARD)] += [Relevant(path, *times, 1.0) for path in paths]
        for caption in indexed.clip.captions[:1]:
            captions.append(JudgedQuery(caption, False, tuple(Relevant(path, None, None, 1.0) for path in paths)))
    files = frozenset(file.id for indexed in clips for file in indexed.files)
    return Judgements(_queries(labels) or tuple(captions), files, is_complete=bool(labels))


def _queries(relevant: Mapping[Words, Sequence[Relevant]]) -> tuple[JudgedQuery, ...]:
    return tuple(JudgedQuery(str(words), False, tuple(entries)) for words, entries in relevant.items())


def judged_scores(
    judgements: Judgements, library: Library, models: ModelSet, is_recalibrated: bool = False
) -> Iterator[tuple[JudgedScore, ...]]:
    """For each query the score of its best moment, and of the best one that is known not to answer.

    The scores are those of the model set, unless `is_recalibrated`. A copy of an earlier query, one that is not only
    words that must match, or one whose best moment is a matching subtitle has none. Raises LibraryError before the
    first if a judged file is not in the library.
    """
    file_ids, normalizers = file_ids_of(judgements.queries, library), ScoreNormalizers(is_recalibrated)
    known: set[tuple[str, bool]] = set()
    for number, query in enumerate(judgements.queries):
        request = SearchRequest(query.text, speech=query.speech, k=COMPARED_MOMENTS, per_file=1)
        is_copy = (query.text, query.speech) in known
        known.add((query.text, query.speech))
        if is_copy or (is_sentence := _is_sentence(request)) is None:
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
    """Whether a query is about what is said; None if it is about both, or not only about words that must match."""
    plan = compile_query(request)
    terms = plan.terms if all(plan.is_positive) else ()
    kinds = {term.sense is Sense.SAID for term in terms if isinstance(term, Words) and term.sense is not Sense.TEXT}
    return kinds.pop() if len(kinds) == 1 and all(isinstance(term, Words) for term in terms) else None


def _judged(moments: Iterable[Moment], judgements: Judgements) -> list[Moment]:
    files = judgements.file_ids
    return [moment for moment in moments if files is None or moment.file.id in files]
