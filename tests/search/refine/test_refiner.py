"""Parts of long files, looked at until the whole answer lies in them."""

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
from pesearch.store.library import Library
from pesearch.types import Part, SpaceName

MakeLibrary = Callable[..., Library]

SECONDS = 1000.0
WANTED, OTHER = [1.0, 0.0], [0.0, 1.0]


def refiner_of(library: Library, models: ModelSet, *parts: Part) -> Refiner:
    query = QueryVector(0, SpaceName.AUDIO, np.array(WANTED, dtype=np.float32), Measure.SIMILARITY)
    plan = QueryPlan(0, (Words("a term"),), (True,))
    refiner = Refiner(
        library, plan, Calibration([query], {}), CueMatches({}), SoundRescorer(library, models, {}, Event())
    )
    refiner.score(parts)
    return refiner


def film(make_library: MakeLibrary, wanted: Callable[[int], bool]) -> Library:
    """A film whose windows are what is asked for where `wanted` says so; window n begins at 5n seconds."""
    return make_library({"a.wav": {SpaceName.AUDIO: [WANTED if wanted(n) else OTHER for n in range(199)]}}, SECONDS)


@pytest.mark.parametrize(("first", "last"), [(60, 64), (0, 198), (20, 150), (190, 198)])
def test_a_part_is_made_wider_until_its_answer_ends_in_it(
    make_library: MakeLibrary, starter: ModelSet, first: int, last: int
) -> None:
    library = film(make_library, lambda n: first <= n <= last)
    (file,) = library.files()
    middle = 5.0 * ((first + last) // 2)
    refiner = refiner_of(library, starter, Part(file.id, max(middle - 10.0, 0.0), middle + 15.0))
    ((part, interval),) = refiner.expand(10, None)
    assert (interval.start_seconds, interval.end_seconds) == (5.0 * first, 5.0 * last + 10.0)
    assert list(refiner.parts) == [part]


def test_two_parts_that_grow_into_each_other_are_one(make_library: MakeLibrary, starter: ModelSet) -> None:
    library = film(make_library, lambda n: 20 <= n <= 60)
    (file,) = library.files()
    refiner = refiner_of(library, starter, Part(file.id, 110.0, 135.0), Part(file.id, 280.0, 305.0))
    assert len(refiner.top(10)) == 2
    ((_, interval),) = refiner.expand(10, None)
    assert (interval.start_seconds, interval.end_seconds) == (100.0, 310.0)


def test_the_best_are_those_of_a_look_at_everything(make_library: MakeLibrary, starter: ModelSet) -> None:
    turns = np.random.default_rng(3).uniform(0, np.pi / 2, (30, 3))
    library = make_library(
        {
            f"{n}.wav": {SpaceName.AUDIO: [[float(np.cos(turn)), float(np.sin(turn))] for turn in row]}
            for n, row in enumerate(turns)
        },
        20.0,
    )
    refiner = refiner_of(library, starter, *(Part(file.id, 0.0, math.inf) for file in library.files()))
    every = [interval.score for part in refiner.parts for interval in refiner.intervals(part)]
    for count in (1, 5, 1000):
        found = refiner.top(count)
        assert [interval.score for _, interval in found] == sorted(every, reverse=True)[:count]
    assert len({part for part, _ in refiner.top(1000, per_file=1)}) == len(refiner.top(1000, per_file=1)) == 30
