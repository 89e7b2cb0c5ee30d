"""Searches a library for moments.

result = search(open_library(folder), open_model_set("starter"), SearchRequest("siren and train"))
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from pesearch.blas_threads import on_one_core
from pesearch.errors import QueryError, SnapshotExpired
from pesearch.search.encode.query_encoder import encode_query
from pesearch.search.query.plan import QueryPlan, compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.refine.near_duplicates import compared_moments, distinct_moments
from pesearch.search.refine.refiner import Refiner
from pesearch.search.refine.sound_rescorer import SoundRescorer
from pesearch.search.result import CALIBRATED, CONFIDENT, SIMILARITY, SearchResult
from pesearch.search.retrieve.cue_matches import match_cues
from pesearch.search.retrieve.cue_meaning import MeaningMatcher
from pesearch.search.retrieve.retriever import retrieve
from pesearch.search.score.calibration import calibration_for
from pesearch.search.score.evidence import select_evidence
from pesearch.search.score.library_normalizer import ScoreNormalizers, score_normalizers
from pesearch.types import Moment

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

__all__ = ["CONFIDENT", "SearchResult", "on_snapshot", "search"]

_Answer = TypeVar("_Answer")

MAX_SNAPSHOT_ATTEMPTS = 10
"""A search starts over on the current snapshot if its own expires; it fails after this many attempts."""


def search(
    library: Library,
    models: ModelSet,
    request: SearchRequest,
    cancelled: Event | None = None,
    normalizers: ScoreNormalizers | None = None,
) -> SearchResult:
    """Returns at most `request.k` moments. Thread-safe. Once `cancelled` is set, no further sounds are located.

    `normalizers` are those of the library, unless given.
    Raises ModelMismatch if the library was made with other models, QueryError for an unreadable example,
    SnapshotExpired if the library changed during each of MAX_SNAPSHOT_ATTEMPTS.
    """
    chosen, cancelled = normalizers or score_normalizers(library), cancelled or Event()
    with on_one_core():
        return on_snapshot(library, lambda pinned: _search_snapshot(pinned, chosen, models, request, cancelled))


def on_snapshot(library: Library, answer: Callable[[Library], _Answer]) -> _Answer:
    """Calls `answer` on a snapshot of a library, and again on the current one if the snapshot expires.

    Raises SnapshotExpired if the library changed during each of MAX_SNAPSHOT_ATTEMPTS.
    """
    for _ in range(MAX_SNAPSHOT_ATTEMPTS):
        try:
            return answer(library.pinned())
        except SnapshotExpired:
            continue
    raise SnapshotExpired(f"the library {library.folder} keeps changing: try again when indexing is done")


def _search_snapshot(
    library: Library, normalizers: ScoreNormalizers, models: ModelSet, request: SearchRequest, cancelled: Event
) -> SearchResult:
    library.require(models.name, models.spaces)
    plan = compile_query(request)
    files = request.files
    file_ids = None if files.keeps_all else frozenset(file.id for file in library.files() if files.keeps(file))
    may_have_typo = not file_ids or len(files.under) > 1  # of several paths one may be wrong while others have files
    if may_have_typo and (problem := files.problem(library.known())):
        raise QueryError(problem)
    unread = library.files_without_properties() if files.asks_recording else frozenset()
    moments = _find_moments(library, normalizers, models, request, plan, file_ids, cancelled)
    return SearchResult(
        query=str(request),
        model=models.name,
        library=library.folder,
        moments=moments,
        score_kind=SIMILARITY if plan.is_example_only else CALIBRATED,
        is_measured=any((models.description.matching.measured_on, normalizers.recalibration(library))),
        kept_files=None if file_ids is None else len(file_ids),
        unread_files=len(unread - (file_ids or frozenset())),
        compared=compared_moments(moments, request.k) if request.dedupe else None,
        damaged=library.damage(),
    )


def _find_moments(
    library: Library,
    normalizers: ScoreNormalizers,
    models: ModelSet,
    request: SearchRequest,
    plan: QueryPlan,
    file_ids: frozenset[int] | None,
    cancelled: Event,
) -> tuple[Moment, ...]:
    query_vectors = encode_query(plan, models)
    meaning = MeaningMatcher(library, normalizers, models, query_vectors)
    calibration = calibration_for(library, normalizers, models, plan, query_vectors)
    rescorer = SoundRescorer(library, models, plan.phrases if request.locate else {}, cancelled)

    def rank(count: int) -> tuple[Moment, ...]:
        cue_matches = match_cues(library, plan, file_ids, meaning, count)
        retrieved = retrieve(library, plan, query_vectors, count, file_ids, cue_matches.rankings)
        refiner = Refiner(library, plan, calibration, cue_matches, rescorer)
        refiner.score(retrieved.parts)
        refiner.rescore_sounds(request.k)
        moments: list[Moment] = []
        for number, (part, interval) in enumerate(refiner.expand(count, request.per_file), start=1):
            scores = refiner.part_scores(part)
            moments.append(
                Moment(
                    rank=number,
                    file=request.files.at_kept_locations(scores.file),
                    start_seconds=interval.start_seconds,
                    end_seconds=min(interval.end_seconds, scores.file.info.duration_seconds),
                    score=interval.score,
                    evidence=select_evidence(scores, interval, plan, retrieved.hits),
                    cues=cue_matches.cues(plan, part.file_id, interval),
                    events=tuple(sorted(refiner.events(part.file_id, interval), key=lambda event: event.start_seconds)),
                )
            )
        return tuple(moments)

    if not request.dedupe:
        return rank(request.k)
    return distinct_moments(rank, library, normalizers.of(library, models).typical_distances, request.k)
