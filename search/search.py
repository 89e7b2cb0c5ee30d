"""The face of the room: a question to a library, answered with moments.

answer = search(open_library(folder), open_model_set("starter"), Question("siren and train"))
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.errors import LibraryMoved
from pesearch.search.calibrate import LIKENESS, PROBABILITY
from pesearch.search.evidence import ranks_of, stretches_of
from pesearch.search.listen import Heard, listen
from pesearch.search.moments import best_first, merge
from pesearch.search.question import Question
from pesearch.search.retrieve import ask, retrieve
from pesearch.search.score import FileScores, score_file
from pesearch.types import Moment

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

CONFIDENT = 0.25
"""A best moment below this is no answer. On the sample clips, with the starter set: words from outside the world reach
0.01 at most, words of other clips 0.12, the right clip 0.4 and more."""

LEAST_HEARD = 10
"""So many of the best moments are heard again, if fewer are asked for: hearing may change their order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The moments that answer a question, best first; `confident` tells whether the best one is likely to be right.

    `score_kind` says what the moments' scores are: "model", or "likeness" where only examples are asked with.
    """

    query: str
    model: str
    library: Path
    moments: tuple[Moment, ...]
    confident: bool
    score_kind: str

    @property
    def matches(self) -> tuple[Moment, ...]:
        """The moments to show as an answer: none where not even the best is likely to be right."""
        return self.moments if self.confident else ()


def search(library: Library, models: ModelSet, question: Question) -> Answer:
    """Answers with at most `question.k` moments.

    Raises OtherModelSet where the library is not of these models, QuestionError for an example that cannot be read.
    """
    while True:
        try:
            return _answer(library.pinned(), models, question)
        except LibraryMoved:
            continue  # the library is asked as it is now


def _answer(library: Library, models: ModelSet, question: Question) -> Answer:
    library.require(models.name, models.spaces)
    moments = _moments(library, models, question)
    return Answer(
        query=str(question),
        model=models.name,
        library=library.folder,
        moments=moments,
        confident=bool(moments) and moments[0].score >= CONFIDENT,
        score_kind=PROBABILITY if question.text.strip() else LIKENESS,
    )


def _moments(library: Library, models: ModelSet, question: Question) -> tuple[Moment, ...]:
    wanted = question.files
    allowed = None if wanted.keeps_all else frozenset(file.id for file in library.files() if wanted.keeps(file))
    asked = ask(question, models)
    found = retrieve(library, asked, question.k, allowed)
    scores = {number: score_file(library, models, asked, library.file(number)) for number in found.file_ids}
    ranks = ranks_of(found)
    stretches = merge(one for file in scores.values() for one in stretches_of(file, asked, ranks))
    best = stretches[: max(question.k, LEAST_HEARD)]
    heard = sorted(listen(best, scores, asked, models, library), key=lambda one: best_first(one.stretch))
    return tuple(_moment(rank, one, scores) for rank, one in enumerate(heard[: question.k], start=1))


def _moment(rank: int, heard: Heard, scores: dict[int, FileScores]) -> Moment:
    stretch = heard.stretch
    return Moment(
        rank=rank,
        file=scores[stretch.file_id].file,
        start_seconds=stretch.start_seconds,
        end_seconds=stretch.end_seconds,
        score=stretch.score,
        evidence=tuple(sorted(stretch.evidence, key=lambda hit: (hit.rank, hit.space, hit.start_seconds))),
        events=heard.events,
    )
