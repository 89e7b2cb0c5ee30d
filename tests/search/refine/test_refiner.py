"""Refinement: parts are widened around their intervals, and the best are selected."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Event

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Words
from pesearch.search.query.plan import QueryPlan
from pesearch.search.refine.refiner import Refiner
from pesearch.search.refine.sound_rescorer import SoundRescorer
from pesearch.search.retrieve.cue_matches import CueMatches
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.interval import Interval
from pesearch.store.library import Library
from pesearch.types import Part, SpaceName

MakeLibrary = Callable[..., Library]

SECONDS = 1000.0
MATCH, OTHER = [1.0, 0.0], [0.0, 1.0]


def refiner_of(library: Library, models: ModelSet, *parts: Part) -> Refiner:
    query = QueryVector(0, SpaceName.AUDIO, np.array(MATCH, dtype=np.float32), Measure.SIMILARITY)
    plan = QueryPlan(0, (Words("a term"),), (True,))
    refiner = Refiner(
        library, plan, Calibration(plan, [query], None), CueMatches({}), SoundRescorer(library, models, {}, Event())
    )
    refiner.score(parts)
    return refiner


def film(make_library: MakeLibrary, matches: Callable[[int], bool]) -> Library:
    """A film whose window n, at 5n seconds, matches if `matches(n)`."""
    return make_library({"a.wav": {SpaceName.AUDIO: [MATCH if matches(n) else OTHER for n in range(199)]}}, SECONDS)


@pytest.mark.parametrize(("first", "last"), [(60, 64), (0, 198), (20, 150), (190, 198)])
def test_a_part_is_widened_until_its_interval_ends_in_it(
    make_library: MakeLibrary, starter: ModelSet, first: int, last: int
) -> None:
    library = film(make_library, lambda n: first <= n <= last)
    (file,) = library.files()
    middle = 5.0 * ((first + last) // 2)
    refiner = refiner_of(library, starter, Part(file.id, max(middle - 10.0, 0.0), middle + 15.0))
    ((part, interval),) = refiner.expand(10, None)
    assert (interval.start_seconds, interval.end_seconds) == (5.0 * first, 5.0 * last + 10.0)
    assert refiner.part_scores(part).part == part


def test_an_extended_interval_keeps_its_score(make_library: MakeLibrary, starter: ModelSet) -> None:
    """What is better beyond its part does not raise it: that would depend on how many moments are extended."""
    levels = [0.8 if n < 60 else 0.96 if n < 70 else 0.1 for n in range(199)]
    library = make_library({"a.wav": {SpaceName.AUDIO: [[x, (1 - x * x) ** 0.5] for x in levels]}}, SECONDS)
    refiner = refiner_of(library, starter, Part(1, 250.0, 300.0))
    ((_, interval),) = refiner.expand(10, None)
    assert (interval.start_seconds, interval.end_seconds, interval.score) == pytest.approx((0.0, 355.0, 0.8), abs=0.01)


def test_intervals_that_overlap_when_they_are_extended_are_one(make_library: MakeLibrary, starter: ModelSet) -> None:
    library = film(make_library, lambda n: 20 <= n <= 60)
    (file,) = library.files()
    refiner = refiner_of(library, starter, Part(file.id, 110.0, 135.0), Part(file.id, 280.0, 305.0))
    assert len(refiner.top(10)) == 2
    ((_, interval),) = refiner.expand(10, None)
    assert (interval.start_seconds, interval.end_seconds) == (100.0, 310.0)


def test_top_equals_a_full_evaluation(make_library: MakeLibrary, starter: ModelSet) -> None:
    turns = np.random.default_rng(3).uniform(0, np.pi / 2, (30, 3))
    library = make_library(
        {
            f"{n}.wav": {SpaceName.AUDIO: [[float(np.cos(turn)), float(np.sin(turn))] for turn in row]}
            for n, row in enumerate(turns)
        },
        20.0,
    )
    refiner = refiner_of(library, starter, *(Part(file.id, 0.0, math.inf) for file in library.files()))
    scores = [interval.score for part in refiner.parts for interval in refiner.intervals(part)]
    for count in (1, 5, 1000):
        found = refiner.top(count)
        assert [interval.score for _, interval in found] == sorted(scores, reverse=True)[:count]
    assert len({part for part, _ in refiner.top(1000, per_file=1)}) == len(refiner.top(1000, per_file=1)) == 30


class Counting:
    """A rescorer that notes what it is given."""

    def __init__(self) -> None:
        self.phrases, self.rescored = {"a term": 0}, list[float]()

    def detections(self, file_id: int) -> dict[int, object]:
        return {}

    def rescore(self, file: object, interval: Interval) -> bool:
        self.rescored.append(interval.score)
        return False


def test_the_rescored_intervals_do_not_depend_on_the_number_requested(
    make_library: MakeLibrary, starter: ModelSet
) -> None:
    """The ten best, and further ones as long as they score a twentieth of the best: 20 of 30 here."""
    levels = [0.9**n for n in range(20)] + [0.01] * 10
    library = make_library({f"{n}.wav": {SpaceName.AUDIO: [[x, (1 - x * x) ** 0.5]]} for n, x in enumerate(levels)})
    rescored = []
    for count in (1, 5, 50):
        refiner = refiner_of(library, starter, *(Part(file.id, 0.0, math.inf) for file in library.files()))
        refiner._rescorer = counting = Counting()  # type: ignore[assignment]  # it has what a refiner uses
        refiner.rescore_sounds(count)
        rescored.append(counting.rescored)
    assert rescored[0] == rescored[1] == rescored[2] == pytest.approx(levels[:20], abs=1e-3)
