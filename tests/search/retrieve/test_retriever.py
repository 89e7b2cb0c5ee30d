"""Vector search of all spaces, and the parts of files that it selects."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Words
from pesearch.search.query.plan import QueryPlan
from pesearch.search.retrieve.retriever import PARTS_PER_MOMENT, STABLE_MOMENTS, Retrieved, retrieve
from pesearch.store.library import Library
from pesearch.types import Part, SpaceName

MakeLibrary = Callable[..., Library]

NORTH, EAST, BOTH = [0.0, 1.0], [1.0, 0.0], [0.7, 0.7]


def run(
    library: Library,
    *searched: tuple[SpaceName, list[float]],
    files: frozenset[int] | None = None,
    positive: bool = True,
    k: int = 1,
) -> Retrieved:
    queries = [
        QueryVector(0, space, np.array(vector, dtype=np.float32), Measure.SIMILARITY) for space, vector in searched
    ]
    return retrieve(library, QueryPlan(0, (Words("a term"),), (positive,)), queries, k, files)


def names(library: Library, found: Retrieved) -> list[str]:
    return [library.file(part.file_id).path.name for part in found.parts]


def test_the_nearest_file_is_first(make_library: MakeLibrary) -> None:
    library = make_library({"n.wav": {SpaceName.AUDIO: [NORTH]}, "e.wav": {SpaceName.AUDIO: [EAST]}})
    found = run(library, (SpaceName.AUDIO, EAST))
    assert names(library, found) == ["e.wav", "n.wav"]
    assert [hit.rank for hit in found.hits[0]] == [1, 2]


def test_a_file_found_by_several_vectors_is_first(make_library: MakeLibrary) -> None:
    library = make_library(
        {"one.mp4": {SpaceName.AUDIO: [EAST]}, "both.mp4": {SpaceName.AUDIO: [BOTH], SpaceName.FRAME: [EAST]}}
    )
    found = run(library, (SpaceName.AUDIO, EAST), (SpaceName.FRAME, EAST))
    assert [len(hits) for hits in found.hits] == [2, 1]
    assert names(library, found) == ["both.mp4", "one.mp4"]


def test_each_vector_has_the_hits_of_its_own_space(make_library: MakeLibrary) -> None:
    library = make_library({"a.mp4": {SpaceName.AUDIO: [NORTH], SpaceName.FRAME: [EAST, NORTH]}})
    found = run(library, (SpaceName.FRAME, NORTH), (SpaceName.AUDIO, NORTH))
    assert [[hit.space for hit in hits] for hits in found.hits] == [[SpaceName.FRAME] * 2, [SpaceName.AUDIO]]
    assert found.hits[0][0].start_seconds == 0.625


def test_file_ids_restrict_the_search(make_library: MakeLibrary) -> None:
    library = make_library({"n.wav": {SpaceName.AUDIO: [NORTH]}, "e.wav": {SpaceName.AUDIO: [EAST]}})
    (north,) = (file.id for file in library.files() if file.path.name == "n.wav")
    assert run(library, (SpaceName.AUDIO, EAST), files=frozenset({north})).parts == (Part(north, 0.0, math.inf),)
    assert run(library, (SpaceName.AUDIO, EAST), files=frozenset()).parts == ()


@pytest.fixture
def ranked(make_library: MakeLibrary) -> Library:
    """110 files, the n-th at rank n + 1 for EAST."""
    turns = np.linspace(0.3, np.pi / 2, 110)
    return make_library(
        {f"{n}.wav": {SpaceName.AUDIO: [[float(np.cos(t)), float(np.sin(t))]]} for n, t in enumerate(turns)}
    )


@pytest.mark.parametrize("k", [1, 5, 50])
def test_eighty_parts_are_scored_for_up_to_fifty_moments(ranked: Library, k: int) -> None:
    found = run(ranked, (SpaceName.AUDIO, EAST), k=k)
    assert PARTS_PER_MOMENT * STABLE_MOMENTS == 80
    assert names(ranked, found) == [f"{n}.wav" for n in range(80)]
    assert len(found.hits[0]) == 100  # of 110


def test_more_moments_need_more_parts(ranked: Library) -> None:
    assert names(ranked, run(ranked, (SpaceName.AUDIO, EAST), k=65)) == [f"{n}.wav" for n in range(104)]


def test_an_excluded_term_retrieves_nothing(make_library: MakeLibrary) -> None:
    library = make_library({"e.wav": {SpaceName.AUDIO: [EAST]}})
    assert run(library, (SpaceName.AUDIO, EAST), positive=False).parts == ()
