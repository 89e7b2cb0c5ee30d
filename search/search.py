"""The face of the room: a question to a library, answered with moments.

answer = search(open_library(folder), open_model_set("starter"), Question("siren and train"))
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.errors import LibraryMoved
from pesearch.search.asked import Asked, take_apart
from pesearch.search.background import Backgrounds, backgrounds
from pesearch.search.calibrate import CALIBRATED, LIKENESS, Calibration, Measure, Probe
from pesearch.search.combine import Stretch, apart, best_first, combine, most
from pesearch.search.evidence import evidence_of, ranks_of
from pesearch.search.likeliest import joined, widened
from pesearch.search.listen import Listener
from pesearch.search.question import Question
from pesearch.search.retrieve import probes_of, retrieve
from pesearch.search.score import PartScores, score_parts
from pesearch.search.track import stretches, surest, track
from pesearch.search.written import Written, find_written
from pesearch.types import Event, Moment, Part

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

CONFIDENT = 0.5
"""A moment below this is more likely wrong than right: it is no answer, unless all are asked for."""

LEAST_HEARD, MOST_HEARD, HEARD_SHARE = 10, 200, 0.05
"""So many of the best stretches are heard again, if fewer are asked for, and those that are so likely beside the best
one, up to so many: hearing may change their order."""


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
    """One question on its way: the parts of files that may answer it, and what was heard of them."""

    library: Library
    asked: Asked
    calibration: Calibration
    written: Written
    listener: Listener
    parts: dict[Part, PartScores] = field(default_factory=dict)
    found: dict[Part, list[Stretch]] = field(default_factory=dict)

    def look(self, parts: Sequence[Part]) -> None:
        """Look at parts closely."""
        self.parts.update(score_parts(self.library, self.asked, self.calibration, parts))

    def best(self, count: int, per_file: int | None = None) -> list[tuple[Part, Stretch]]:
        """The stretches that answer best, as many as are asked for in all and of each file.

        A part is searched only while it may hold one of them.
        """
        bounds = {part: self._bound(part) for part in self.parts}
        found: list[tuple[Part, Stretch]] = []
        for part in sorted(bounds, key=lambda part: -bounds[part]):
            if len(found) == count and bounds[part] < found[-1][1].score:
                break
            found = _chosen([*found, *((part, stretch) for stretch in self.stretches(part))], count, per_file)
        return found

    def stretches(self, part: Part) -> list[Stretch]:
        """The stretches of a part that answer, as far as it has been heard."""
        if part not in self.found:
            self.found[part] = combine(self.asked.plan, partial(self._of_term, part))
        return self.found[part]

    def whole(self, count: int, per_file: int | None) -> list[tuple[Part, Stretch]]:
        """As `best`, of parts that are made wider as long as one of these stretches ends where its part does."""
        best = self.best(count, per_file)
        while cut := {part for part, stretch in best if _is_cut(part, stretch)}:
            wide = [widened(part, self.parts[part].file.info.duration_seconds) for part in cut]
            together = list(joined([*wide, *(part for part in self.parts if part not in cut)]))
            for part in self.parts.keys() - set(together):
                del self.parts[part]
                self.found.pop(part, None)
            self.look([part for part in together if part not in self.parts])
            best = self.best(count, per_file)
        return best

    def hear(self, count: int) -> None:
        """Listen to the best stretches, at least so many."""
        best = self.best(max(count, MOST_HEARD)) if self.listener.phrases else []
        for rank, (part, stretch) in enumerate(best):
            if rank >= count and stretch.score < HEARD_SHARE * best[0][1].score:
                break
            if self.listener.listen(self.parts[part].file, stretch):
                for other in [other for other in self.found if other.file_id == part.file_id]:
                    del self.found[other]

    def events(self, file_id: int, stretch: Stretch) -> Iterator[Event]:
        """The named sounds that were located in a stretch."""
        for hearing in self.listener.hearings(file_id).values():
            for event in hearing.events:
                if event.start_seconds < stretch.end_seconds and event.end_seconds > stretch.start_seconds:
                    yield event

    def _bound(self, part: Part) -> float:
        """No stretch of a part scores more. Where its file was heard, it is searched anyway."""
        is_heard = bool(self.listener.hearings(part.file_id))
        return 1.0 if is_heard else most(self.asked.plan, partial(self._best_of_term, part))

    def _best_of_term(self, part: Part, term: int) -> Stretch:
        weight = self.asked.terms[term].weight
        written = (stretch.score for stretch in self.written.of(term, part.file_id, weight))
        return Stretch(0.0, 0.0, max(surest(self.parts[part], term), *written, 0.0), weight)

    def _of_term(self, part: Part, term: int) -> Sequence[Stretch]:
        scored, weight = self.parts[part], self.asked.terms[term].weight
        hearing = self.listener.hearings(part.file_id).get(term)
        placed = stretches(track(scored, term, hearing), weight, scored.first_step)
        written = [each for each in self.written.of(term, part.file_id, weight) if _is_in(part, each)]
        return apart([*placed, *written]) if written else placed


def _chosen(found: Sequence[tuple[Part, Stretch]], count: int, per_file: int | None) -> list[tuple[Part, Stretch]]:
    """The best ones, of which none overlaps another of its file."""
    chosen: list[tuple[Part, Stretch]] = []
    of_file: dict[int, list[Stretch]] = defaultdict(list)
    for part, stretch in sorted(found, key=lambda one: (best_first(one[1]), one[0].file_id)):
        mine = of_file[part.file_id]
        if len(mine) != per_file and not any(stretch.overlaps(other) for other in mine):
            mine.append(stretch)
            chosen.append((part, stretch))
        if len(chosen) == count:
            break
    return chosen


def _is_in(part: Part, stretch: Stretch) -> bool:
    """Whether what is written has to do with a part."""
    return stretch.is_everywhere or part.start_seconds <= stretch.start_seconds <= part.end_seconds


def _is_cut(part: Part, stretch: Stretch) -> bool:
    """Whether a stretch might go on before its part, or after it."""
    if stretch.is_everywhere:
        return False
    begins = part.start_seconds > 0.0 and stretch.start_seconds <= part.start_seconds
    return begins or stretch.end_seconds >= part.end_seconds


def _moments(library: Library, held: Backgrounds, models: ModelSet, question: Question) -> tuple[Moment, ...]:
    wanted = question.files
    allowed = None if wanted.keeps_all else frozenset(file.id for file in library.files() if wanted.keeps(file))
    asked = take_apart(question)
    probes = probes_of(asked, models)
    written = find_written(library, asked, allowed)
    found = retrieve(library, asked, probes, question.k, allowed, written.rankings(asked))
    listener = Listener(library, models, asked.phrases if question.locate else {})
    search = _Search(library, asked, calibration_of(library, held, models, probes), written, listener)
    search.look(found.parts)
    search.hear(max(question.k, LEAST_HEARD))
    ranks = ranks_of(found)
    return tuple(
        Moment(
            rank=rank,
            file=search.parts[part].file,
            start_seconds=stretch.start_seconds,
            end_seconds=min(stretch.end_seconds, search.parts[part].file.info.duration_seconds),
            score=stretch.score,
            evidence=evidence_of(search.parts[part], stretch, asked, ranks),
            cues=written.cues(asked, part.file_id, stretch),
            events=tuple(sorted(search.events(part.file_id, stretch), key=lambda event: event.start_seconds)),
        )
        for rank, (part, stretch) in enumerate(search.whole(question.k, question.per_file), start=1)
    )


def calibration_of(library: Library, held: Backgrounds, models: ModelSet, probes: Sequence[Probe]) -> Calibration:
    """How the scores of these probes are read in this library."""
    spaces = {probe.space for probe in probes if probe.measure is not Measure.LIKENESS}
    of = {space: held.of(library, models, space) for space in spaces}
    return Calibration(probes, {space: background for space, background in of.items() if background is not None})
