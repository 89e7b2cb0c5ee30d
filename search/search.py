"""The face of the room: a question to a library, answered with moments.

answer = search(open_library(folder), open_model_set("starter"), Question("siren and train"))
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from pesearch.errors import LibraryMoved
from pesearch.search.blas_threads import on_one_core
from pesearch.search.encode.query_encoder import probes_of
from pesearch.search.query.plan import Asked, take_apart
from pesearch.search.query.request import Question
from pesearch.search.refine.refiner import Look
from pesearch.search.refine.sound_rescorer import Listener
from pesearch.search.result import CONFIDENT, Answer
from pesearch.search.retrieve.cue_matches import find_written
from pesearch.search.retrieve.cue_meaning import Meaning
from pesearch.search.retrieve.retriever import retrieve
from pesearch.search.score.calibration import CALIBRATED, LIKENESS, calibration_of
from pesearch.search.score.evidence import evidence_of
from pesearch.search.score.normalization import Backgrounds, backgrounds
from pesearch.types import Moment

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

__all__ = ["CONFIDENT", "Answer", "search"]


def search(library: Library, models: ModelSet, question: Question, unwanted: Event | None = None) -> Answer:
    """Answers with at most `question.k` moments; for any thread. Once `unwanted` is set no more sounds are located.

    Raises OtherModelSet where the library is not of these models, QuestionError for an example that cannot be read.
    """
    held, unwanted = backgrounds(library), unwanted or Event()
    while True:
        try:
            with on_one_core():
                return _answer(library.pinned(), held, models, question, unwanted)
        except LibraryMoved:
            continue  # the library is asked as it is now


def _answer(library: Library, held: Backgrounds, models: ModelSet, question: Question, unwanted: Event) -> Answer:
    library.require(models.name, models.spaces)
    asked = take_apart(question)
    return Answer(
        query=str(question),
        model=models.name,
        library=library.folder,
        moments=_moments(library, held, models, question, asked, unwanted),
        score_kind=LIKENESS if asked.has_only_examples else CALIBRATED,
    )


def _moments(
    library: Library, held: Backgrounds, models: ModelSet, question: Question, asked: Asked, unwanted: Event
) -> tuple[Moment, ...]:
    wanted = question.files
    allowed = None if wanted.keeps_all else frozenset(file.id for file in library.files() if wanted.keeps(file))
    probes = probes_of(asked, models)
    written = find_written(library, asked, allowed, Meaning(library, held, models, probes))
    found = retrieve(library, asked, probes, question.k, allowed, written.rankings(asked))
    listener = Listener(library, models, asked.phrases if question.locate else {}, unwanted)
    look = Look(library, asked, calibration_of(library, held, models, probes), written, listener)
    look.at(found.parts)
    look.hear(question.k)
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
        for rank, (part, stretch) in enumerate(look.whole(question.k, question.per_file), start=1)
    )
