"""The face of the room: a question to a library, answered with moments.

answer = search(open_library(folder), open_model_set("starter"), Question("siren and train"))
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from pesearch.errors import SnapshotExpired
from pesearch.search.blas_threads import on_one_core
from pesearch.search.encode.query_encoder import encode_query
from pesearch.search.query.plan import QueryPlan, compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.search.refine.refiner import Refiner
from pesearch.search.refine.sound_rescorer import SoundRescorer
from pesearch.search.result import CALIBRATED, CONFIDENT, SIMILARITY, SearchResult
from pesearch.search.retrieve.cue_matches import match_cues
from pesearch.search.retrieve.cue_meaning import Meaning
from pesearch.search.retrieve.retriever import retrieve
from pesearch.search.score.calibration import calibration_for
from pesearch.search.score.evidence import evidence_of
from pesearch.search.score.normalization import ScoreNormalizers, score_normalizers
from pesearch.types import Moment

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

__all__ = ["CONFIDENT", "SearchResult", "search"]


def search(library: Library, models: ModelSet, request: SearchRequest, unwanted: Event | None = None) -> SearchResult:
    """Answers with at most `request.k` moments; for any thread. Once `unwanted` is set no more sounds are located.

    Raises ModelMismatch where the library is not of these models, QueryError for an example that cannot be read.
    """
    held, unwanted = score_normalizers(library), unwanted or Event()
    while True:
        try:
            with on_one_core():
                return _answer(library.pinned(), held, models, request, unwanted)
        except SnapshotExpired:
            continue  # the library is asked as it is now


def _answer(
    library: Library, held: ScoreNormalizers, models: ModelSet, request: SearchRequest, unwanted: Event
) -> SearchResult:
    library.require(models.name, models.spaces)
    asked = compile_query(request)
    return SearchResult(
        query=str(request),
        model=models.name,
        library=library.folder,
        moments=_moments(library, held, models, request, asked, unwanted),
        score_kind=SIMILARITY if asked.is_example_only else CALIBRATED,
    )


def _moments(
    library: Library,
    held: ScoreNormalizers,
    models: ModelSet,
    request: SearchRequest,
    asked: QueryPlan,
    unwanted: Event,
) -> tuple[Moment, ...]:
    wanted = request.files
    allowed = None if wanted.keeps_all else frozenset(file.id for file in library.files() if wanted.keeps(file))
    probes = encode_query(asked, models)
    written = match_cues(library, asked, allowed, Meaning(library, held, models, probes))
    found = retrieve(library, asked, probes, request.k, allowed, written.rankings(asked))
    listener = SoundRescorer(library, models, asked.phrases if request.locate else {}, unwanted)
    look = Refiner(library, asked, calibration_for(library, held, models, probes), written, listener)
    look.at(found.parts)
    look.hear(request.k)
    return tuple(
        Moment(
            rank=rank,
            file=look.parts[part].file,
            start_seconds=stretch.start_seconds,
            end_seconds=min(stretch.end_seconds, look.parts[part].file.info.duration_seconds),
            score=stretch.score,
            evidence=evidence_of(look.parts[part], stretch, asked, found.hits),
            cues=written.cues(asked, part.file_id, stretch),
            events=tuple(sorted(look.events(part.file_id, stretch), key=lambda event: event.start_seconds)),
        )
        for rank, (part, stretch) in enumerate(look.whole(request.k, request.per_file), start=1)
    )
