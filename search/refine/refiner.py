"""One question on its way: the parts of files that may answer it, looked at closely, heard, and made wider."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pesearch.search.query.plan import QueryPlan
from pesearch.search.refine.sound_rescorer import SoundRescorer
from pesearch.search.retrieve.candidates import joined, widened
from pesearch.search.retrieve.cue_matches import CueMatches
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.certainty_track import stretches, surest, track
from pesearch.search.score.intervals import Interval, best_first, combine, most, non_max_suppression
from pesearch.search.score.part_scores import PartScores, score_parts
from pesearch.types import Event, Part

if TYPE_CHECKING:
    from pesearch.store.library import Library

LEAST_HEARD, MOST_HEARD, HEARD_SHARE = 10, 200, 0.05
"""So many of the best stretches are heard again, if fewer are asked for, and those that are so likely beside the best
one, up to so many: hearing may change their order."""


@dataclass(frozen=True, slots=True)
class Refiner:
    """One question on its way: the parts of files that may answer it, and what was heard of them."""

    library: Library
    asked: QueryPlan
    calibration: Calibration
    written: CueMatches
    listener: SoundRescorer
    parts: dict[Part, PartScores] = field(default_factory=dict)
    found: dict[Part, list[Interval]] = field(default_factory=dict)

    def at(self, parts: Sequence[Part]) -> None:
        """Look at parts closely."""
        self.parts.update(score_parts(self.library, self.asked, self.calibration, parts))

    def best(self, count: int, per_file: int | None = None) -> list[tuple[Part, Interval]]:
        """The stretches that answer best, as many as are asked for in all and of each file.

        A part is searched only while it may hold one of them.
        """
        bounds = {part: self._bound(part) for part in self.parts}
        found: list[tuple[Part, Interval]] = []
        for part in sorted(bounds, key=lambda part: -bounds[part]):
            if len(found) == count and bounds[part] < found[-1][1].score:
                break
            more = self.stretches(part)[: count if per_file is None else per_file]
            found = _chosen([*found, *((part, stretch) for stretch in more)], count, per_file)
        return found

    def stretches(self, part: Part) -> list[Interval]:
        """The stretches of a part that answer, as far as it has been heard."""
        if part not in self.found:
            self.found[part] = combine(self.asked.plan, partial(self._of_term, part))
        return self.found[part]

    def whole(self, count: int, per_file: int | None) -> list[tuple[Part, Interval]]:
        """As `best`, of parts that are made wider as long as one of these stretches ends where its part does."""
        best = self.best(count, per_file)
        while cut := {part for part, stretch in best if _is_cut(part, stretch)}:
            wide = [widened(part, self.parts[part].file.info.duration_seconds) for part in cut]
            together = list(joined([*wide, *(part for part in self.parts if part not in cut)]))
            for part in self.parts.keys() - set(together):
                del self.parts[part]
                self.found.pop(part, None)
            self.at([part for part in together if part not in self.parts])
            best = self.best(count, per_file)
        return best

    def hear(self, count: int) -> None:
        """Listen to the best stretches, so many and those that may come before one of them."""
        best = self.best(max(count, MOST_HEARD)) if self.listener.phrases else []
        for rank, (part, stretch) in enumerate(best):
            if rank >= max(count, LEAST_HEARD) and stretch.score < HEARD_SHARE * best[0][1].score:
                break
            if self.listener.listen(self.parts[part].file, stretch):
                for other in [other for other in self.found if other.file_id == part.file_id]:
                    del self.found[other]

    def events(self, file_id: int, stretch: Interval) -> Iterator[Event]:
        """The named sounds that were located in a stretch."""
        for hearing in self.listener.hearings(file_id).values():
            for event in hearing.events:
                if event.start_seconds < stretch.end_seconds and event.end_seconds > stretch.start_seconds:
                    yield event

    def _bound(self, part: Part) -> float:
        """No stretch of a part scores more. Where its file was heard, it is searched anyway."""
        is_heard = bool(self.listener.hearings(part.file_id))
        return 1.0 if is_heard else most(self.asked.plan, partial(self._best_of_term, part))

    def _best_of_term(self, part: Part, term: int) -> Interval:
        weight = self.asked.terms[term].weight
        written = (stretch.score for stretch in self.written.of(term, part.file_id, weight))
        return Interval(0.0, 0.0, max(surest(self.parts[part], term), *written, 0.0), weight)

    def _of_term(self, part: Part, term: int) -> Sequence[Interval]:
        scored, weight = self.parts[part], self.asked.terms[term].weight
        hearing = self.listener.hearings(part.file_id).get(term)
        placed = stretches(track(scored, term, hearing), weight, scored.first_step)
        written = [each for each in self.written.of(term, part.file_id, weight) if _is_in(part, each)]
        return non_max_suppression([*placed, *written]) if written else placed


def _chosen(found: Sequence[tuple[Part, Interval]], count: int, per_file: int | None) -> list[tuple[Part, Interval]]:
    """The best ones, of which none overlaps another of its file."""
    chosen: list[tuple[Part, Interval]] = []
    of_file: dict[int, list[Interval]] = defaultdict(list)
    for part, stretch in sorted(found, key=lambda one: (best_first(one[1]), one[0].file_id)):
        mine = of_file[part.file_id]
        if len(mine) != per_file and not any(stretch.overlaps(other) for other in mine):
            mine.append(stretch)
            chosen.append((part, stretch))
        if len(chosen) == count:
            break
    return chosen


def _is_in(part: Part, stretch: Interval) -> bool:
    """Whether what is written has to do with a part."""
    return stretch.is_everywhere or part.start_seconds <= stretch.start_seconds <= part.end_seconds


def _is_cut(part: Part, stretch: Interval) -> bool:
    """Whether a stretch might go on before its part, or after it."""
    if stretch.is_everywhere:
        return False
    begins = part.start_seconds > 0.0 and stretch.start_seconds <= part.start_seconds
    return begins or stretch.end_seconds >= part.end_seconds
