"""The stages of one search after retrieval: score parts, rescore sounds, extend parts, select the top intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.query.plan import QueryPlan
from pesearch.search.refine.sound_rescorer import SoundRescorer
from pesearch.search.retrieve.candidates import widen
from pesearch.search.retrieve.cue_matches import CueMatches
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.certainty_track import build_track, find_intervals, term_upper_bound
from pesearch.search.score.interval import Interval, rank_key
from pesearch.search.score.intervals import TermBounds, combine, non_max_suppression, plan_upper_bounds
from pesearch.search.score.part_scores import PartScores, score_parts
from pesearch.types import Event, Part

if TYPE_CHECKING:
    from pesearch.store.library import Library

MIN_RESCORED = 10
"""At least this many of the best intervals are rescored by sound detection, which may change their order."""

MAX_RESCORED = 200
"""At most this many intervals are rescored, unless more moments are requested."""

RESCORE_RATIO = 0.05
"""Further intervals are rescored while they score at least this share of the best one, however many are requested: a
shorter answer is the beginning of a longer one."""


Scored = tuple[Part, Interval]
"""An interval, and the part in which it was found."""


class Refiner:
    """Scores and refines the parts of files that may match one query.

    Call `score` with the retrieved parts, then `rescore_sounds`, then `expand`. The scores of parts and their
    intervals are cached; an analysis of a file's sound drops the intervals of all its parts.
    """

    def __init__(
        self,
        library: Library,
        plan: QueryPlan,
        calibration: Calibration,
        cue_matches: CueMatches,
        rescorer: SoundRescorer,
    ) -> None:
        self._library = library
        self._plan = plan
        self._calibration = calibration
        self._cue_matches = cue_matches
        self._rescorer = rescorer
        self._part_scores: dict[Part, PartScores] = {}
        self._wider: dict[Part, PartScores] = {}
        self._intervals: dict[Part, list[Interval]] = {}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that are scored."""
        return tuple(self._part_scores)

    def part_scores(self, part: Part) -> PartScores:
        """The scores of a part that was scored, or of a wider one to which `expand` extended an interval."""
        return self._part_scores.get(part) or self._wider[part]

    def score(self, parts: Sequence[Part]) -> None:
        """Adds parts and scores them."""
        self._part_scores.update(self._scores_of(parts))

    def _scores_of(self, parts: Sequence[Part]) -> dict[Part, PartScores]:
        self._cue_matches.load(parts)
        return score_parts(self._library, self._plan, self._calibration, parts)

    def rescore_sounds(self, count: int) -> None:
        """Rescores by sound detection the best intervals, of at least `count` that are compared."""
        best = self.top(max(count, MAX_RESCORED)) if self._rescorer.phrases else []
        for rank, (part, interval) in enumerate(best):
            if rank >= MIN_RESCORED and interval.score < RESCORE_RATIO * best[0][1].score:
                break
            if self._rescorer.rescore(self._part_scores[part].file, interval):
                for stale in [other for other in self._intervals if other.file_id == part.file_id]:
                    del self._intervals[stale]

    def expand(self, count: int, per_file: int | None) -> list[Scored]:
        """The result of `top`, with each interval that is cut off by the end of its part extended beyond it.

        Order and scores are those of `top`, so that a shorter answer is the beginning of a longer one. Intervals that
        overlap a better one when they are extended are left out.
        """
        left_out = 0
        while True:
            best = self.top(count + left_out, None if per_file is None else per_file + left_out)
            extended = self._extend(best)
            if len(best) - len(extended) <= left_out:
                return _first(extended, count, per_file)
            left_out = len(best) - len(extended)

    def _extend(self, best: Sequence[Scored]) -> list[Scored]:
        """The intervals, extended, without those that overlap a better one."""
        extended = dict(enumerate(best))
        cut = [number for number, scored in extended.items() if _is_cut(*scored)]
        while cut:
            wider = {number: self._widened(extended[number][0]) for number in cut}
            self._wider.update(self._scores_of([part for part in wider.values() if part not in self._wider]))
            for number, part in wider.items():
                if (interval := self._containing(part, best[number][1])) is not None:
                    extended[number] = part, interval
            extended = _without_overlaps(extended)
            cut = [number for number in cut if number in extended and extended[number][0] == wider[number]]
            cut = [number for number in cut if _is_cut(*extended[number])]
        return list(extended.values())

    def _widened(self, part: Part) -> Part:
        return widen(part, self.part_scores(part).file.info.duration_seconds)

    def _containing(self, part: Part, interval: Interval) -> Interval | None:
        """The interval of a wider part that covers most of an interval, with the score of that one."""
        found = max(self.intervals(part), key=lambda other: -other.gap(interval), default=None)
        return replace(found, score=interval.score) if found is not None and found.overlaps(interval) else None

    def top(self, count: int, per_file: int | None = None) -> list[Scored]:
        """The best `count` intervals, best first, without overlaps, and at most `per_file` of each file.

        Intervals of a part are computed only if its upper bound allows one of them among the best.
        """
        bounds = self._upper_bounds()
        best: list[Scored] = []
        for part in sorted(bounds, key=lambda part: -bounds[part]):
            if len(best) == count and bounds[part] < best[-1][1].score:
                break
            candidates = self.intervals(part)[: count if per_file is None else per_file]
            best = _select([*best, *((part, interval) for interval in candidates)], count, per_file)
        return best

    def intervals(self, part: Part) -> list[Interval]:
        """The intervals of a part that match the plan, with the sound detections so far."""
        if part not in self._intervals:
            self._intervals[part] = combine(self._plan.root, partial(self._term_intervals, part))
        return self._intervals[part]

    def events(self, file_id: int, interval: Interval) -> Iterator[Event]:
        """The located sounds that overlap an interval."""
        for detections in self._rescorer.detections(file_id).values():
            for event in detections.events:
                if event.start_seconds < interval.end_seconds and event.end_seconds > interval.start_seconds:
                    yield event

    def _upper_bounds(self) -> dict[Part, float]:
        """An upper bound of the scores of each part's intervals; 1 if there are detections in its file."""
        bounds: list[float] = plan_upper_bounds(self._plan.root, self._term_bounds).tolist()
        return {
            part: 1.0 if self._rescorer.detections(part.file_id) else bound
            for part, bound in zip(self._part_scores, bounds, strict=True)
        }

    def _term_bounds(self, term: int) -> TermBounds:
        weight = self._plan.terms[term].weight
        bounds = [
            max(
                term_upper_bound(scored, term),
                *(interval.score for interval in self._cue_matches.of(term, part, weight)),
                0.0,
            )
            for part, scored in self._part_scores.items()
        ]
        return TermBounds(np.array(bounds), weight)

    def _term_intervals(self, part: Part, term: int) -> Sequence[Interval]:
        scored, weight = self.part_scores(part), self._plan.terms[term].weight
        detections = self._rescorer.detections(part.file_id).get(term)
        intervals = find_intervals(build_track(scored, term, detections), weight, scored.first_step)
        of_cues = self._cue_matches.of(term, part, weight)
        return non_max_suppression([*intervals, *of_cues]) if of_cues else intervals


def _select(candidates: Sequence[Scored], count: int, per_file: int | None) -> list[Scored]:
    """The best candidates, without two that overlap in one file."""
    selected: list[Scored] = []
    by_file: dict[int, list[Interval]] = defaultdict(list)
    for part, interval in sorted(candidates, key=lambda pair: (rank_key(pair[1]), pair[0].file_id)):
        in_file = by_file[part.file_id]
        if len(in_file) != per_file and not any(interval.overlaps(other) for other in in_file):
            in_file.append(interval)
            selected.append((part, interval))
        if len(selected) == count:
            break
    return selected


def _first(extended: Sequence[Scored], count: int, per_file: int | None) -> list[Scored]:
    """The first `count`, at most `per_file` of each file."""
    first: list[Scored] = []
    in_file: Counter[int] = Counter()
    for part, interval in extended:
        if len(first) < count and (per_file is None or in_file[part.file_id] < per_file):
            in_file[part.file_id] += 1
            first.append((part, interval))
    return first


def _without_overlaps(extended: Mapping[int, Scored]) -> dict[int, Scored]:
    """The intervals that overlap none before them in their file."""
    by_file: dict[int, list[Interval]] = defaultdict(list)
    kept: dict[int, Scored] = {}
    for number, (part, interval) in extended.items():
        if not any(interval.overlaps(other) for other in by_file[part.file_id]):
            by_file[part.file_id].append(interval)
            kept[number] = part, interval
    return kept


def _is_cut(part: Part, interval: Interval) -> bool:
    """Whether an interval may continue before or after its part."""
    if interval.is_everywhere:
        return False
    at_start = part.start_seconds > 0.0 and interval.start_seconds <= part.start_seconds
    return at_start or interval.end_seconds >= part.end_seconds
