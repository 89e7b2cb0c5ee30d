"""The face of the room: a question to a library, answered with moments.

answer = search(open_library(folder), open_model_set("starter"), Question("siren and train"))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.errors import LibraryMoved
from pesearch.search.asked import Asked, take_apart
from pesearch.search.background import Backgrounds, backgrounds
from pesearch.search.calibrate import CALIBRATED, LIKENESS, Calibration, Measure, Probe
from pesearch.search.combine import Stretch, apart, best_first, combine
from pesearch.search.evidence import evidence_of, ranks_of
from pesearch.search.listen import Listener
from pesearch.search.question import Question
from pesearch.search.retrieve import probes_of, retrieve
from pesearch.search.score import FileScores, score_files
from pesearch.search.track import stretches, track
from pesearch.search.written import Written, find_written
from pesearch.types import Event, Moment

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

CONFIDENT = 0.5
"""A moment below this is more likely wrong than right: it is no answer, unless all are asked for."""

LEAST_HEARD, HEARD_SHARE = 10, 0.05
"""So many of the best stretches are heard again, if fewer are asked for, and those that are so likely beside the best
one: hearing may change their order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The moments that answer a question, best first; those that score `CONFIDENT` and more are likely to be right.

    `score_kind` says what the moments' scores are: "calibrated", or "likeness" where only examples are asked with.
    """

    query: str
    model: str
    library: Path
    moments: tuple[Moment, ...]
    score_kind: str

    @property
    def confident(self) -> bool:
        """Whether the best moment is likely to be right."""
        return bool(self.matches)

    def is_match(self, moment: Moment) -> bool:
        """Whether a moment is likely to be right."""
        return moment.score >= CONFIDENT

    @property
    def matches(self) -> tuple[Moment, ...]:
        """The moments that are likely to be right: the answer, unless all are asked for."""
        return tuple(moment for moment in self.moments if self.is_match(moment))


def search(library: Library, models: ModelSet, question: Question) -> Answer:
    """Answers with at most `question.k` moments.

    Raises OtherModelSet where the library is not of these models, QuestionError for an example that cannot be read.
    """
    held = backgrounds(library)
    while True:
        try:
            return _answer(library.pinned(), held, models, question)
        except LibraryMoved:
            continue  # the library is asked as it is now


def _answer(library: Library, held: Backgrounds, models: ModelSet, question: Question) -> Answer:
    library.require(models.name, models.spaces)
    return Answer(
        query=str(question),
        model=models.name,
        library=library.folder,
        moments=_moments(library, held, models, question),
        score_kind=CALIBRATED if question.text.strip() else LIKENESS,
    )


@dataclass(frozen=True, slots=True)
class _Search:
    """One question on its way: what is asked, the files that may answer, and what was heard of them."""

    asked: Asked
    files: dict[int, FileScores]
    written: Written
    listener: Listener
    found: dict[int, list[Stretch]] = field(default_factory=dict)

    def best(self) -> list[tuple[int, Stretch]]:
        """The stretches of all files that answer, best first."""
        found = [(number, stretch) for number in self.files for stretch in self.stretches(number)]
        return sorted(found, key=lambda one: (best_first(one[1]), one[0]))

    def stretches(self, number: int) -> list[Stretch]:
        """The stretches of one file that answer, as far as it has been heard."""
        if number not in self.found:
            self.found[number] = combine(self.asked.plan, partial(self._of_term, number))
        return self.found[number]

    def answers(self, question: Question) -> list[tuple[int, Stretch]]:
        """The best stretches, as many as are asked for in all and of each file."""
        taken: Counter[int] = Counter()
        chosen: list[tuple[int, Stretch]] = []
        for number, stretch in self.best():
            if question.per_file is None or taken[number] < question.per_file:
                taken[number] += 1
                chosen.append((number, stretch))
        return chosen[: question.k]

    def hear(self, count: int) -> None:
        """Listen to the best stretches, at least so many."""
        best = self.best() if self.listener.phrases else []
        for rank, (number, stretch) in enumerate(best):
            if rank >= count and stretch.score < HEARD_SHARE * best[0][1].score:
                break
            if self.listener.listen(self.files[number].file, stretch):
                self.found.pop(number, None)

    def events(self, number: int, stretch: Stretch) -> Iterator[Event]:
        """The named sounds that were located in a stretch."""
        for hearing in self.listener.hearings(number).values():
            for event in hearing.events:
                if event.start_seconds < stretch.end_seconds and event.end_seconds > stretch.start_seconds:
                    yield event

    def _of_term(self, number: int, term: int) -> Sequence[Stretch]:
        hearing, weight = self.listener.hearings(number).get(term), self.asked.terms[term].weight
        return apart(
            [*stretches(track(self.files[number], term, hearing), weight), *self.written.of(term, number, weight)]
        )


def _moments(library: Library, held: Backgrounds, models: ModelSet, question: Question) -> tuple[Moment, ...]:
    wanted = question.files
    allowed = None if wanted.keeps_all else frozenset(file.id for file in library.files() if wanted.keeps(file))
    asked = take_apart(question)
    probes = probes_of(asked, models)
    written = find_written(library, asked, allowed)
    found = retrieve(library, asked, probes, question.k, allowed, written.files(asked))
    calibration = calibration_of(library, held, models, probes)
    files = score_files(library, asked, calibration, found.file_ids)
    listener = Listener(library, models, asked.phrases if question.locate else {})
    search = _Search(asked, files, written, listener)
    search.hear(max(question.k, LEAST_HEARD))
    ranks = ranks_of(found)
    return tuple(
        Moment(
            rank=rank,
            file=files[number].file,
            start_seconds=stretch.start_seconds,
            end_seconds=min(stretch.end_seconds, files[number].file.info.duration_seconds),
            score=stretch.score,
            evidence=evidence_of(files[number], stretch, asked, ranks),
            cues=written.cues(asked, number, stretch),
            events=tuple(sorted(search.events(number, stretch), key=lambda event: event.start_seconds)),
        )
        for rank, (number, stretch) in enumerate(search.answers(question), start=1)
    )


def calibration_of(library: Library, held: Backgrounds, models: ModelSet, probes: Sequence[Probe]) -> Calibration:
    """How the scores of these probes are read in this library."""
    spaces = {probe.space for probe in probes if probe.measure is not Measure.LIKENESS}
    of = {space: held.of(library, models, space) for space in spaces}
    return Calibration(probes, {space: background for space, background in of.items() if background is not None})
