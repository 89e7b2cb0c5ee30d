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


def look_at(library: Library, models: ModelSet, *parts: Part) -> Refiner:
    probe = QueryVector(0, SpaceName.AUDIO, np.array(WANTED, dtype=np.float32), Measure.SIMILARITY)
    asked = QueryPlan(0, (Words("a term"),), (True,))
    look = Refiner(
        library, asked, Calibration([probe], {}), CueMatches({}), SoundRescorer(library, models, {}, Event())
    )
    look.at(parts)
    return look


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
    look = look_at(library, starter, Part(file.id, max(middle - 10.0, 0.0), middle + 15.0))
    ((part, stretch),) = look.whole(10, None)
    assert (stretch.start_seconds, stretch.end_seconds) == (5.0 * first, 5.0 * last + 10.0)
    assert list(look.parts) == [part]


def test_two_parts_that_grow_into_each_other_are_one(make_library: MakeLibrary, starter: ModelSet) -> None:
    library = film(make_library, lambda n: 20 <= n <= 60)
    (file,) = library.files()
    look = look_at(library, starter, Part(file.id, 110.0, 135.0), Part(file.id, 280.0, 305.0))
    assert len(look.best(10)) == 2
    ((_, stretch),) = look.whole(10, None)
    assert (stretch.start_seconds, stretch.end_seconds) == (100.0, 310.0)


def test_the_best_are_those_of_a_look_at_everything(make_library: MakeLibrary, starter: ModelSet) -> None:
    turns = np.random.default_rng(3).uniform(0, np.pi / 2, (30, 3))
    library = make_library(
        {
            f"{n}.wav": {SpaceName.AUDIO: [[float(np.cos(turn)), float(np.sin(turn))] for turn in row]}
            for n, row in enumerate(turns)
        },
        20.0,
    )
    look = look_at(library, starter, *(Part(file.id, 0.0, math.inf) for file in library.files()))
    every = [stretch.score for part in look.parts for stretch in look.stretches(part)]
    for count in (1, 5, 1000):
        found = look.best(count)
        assert [stretch.score for _, stretch in found] == sorted(every, reverse=True)[:count]
    assert len({part for part, _ in look.best(1000, per_file=1)}) == len(look.best(1000, per_file=1)) == 30
