"""Which parts of files are worth a closer look."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Words
from pesearch.search.query.plan import QueryPlan
from pesearch.search.retrieve.retriever import MIN_PARTS, Retrieved, retrieve
from pesearch.store.library import Library
from pesearch.types import Part, SpaceName

MakeLibrary = Callable[..., Library]

NORTH, EAST, BOTH = [0.0, 1.0], [1.0, 0.0], [0.7, 0.7]


def ask(
    library: Library, *queries: tuple[SpaceName, list[float]], files: frozenset[int] | None = None, wanted: bool = True
) -> Retrieved:
    made = [QueryVector(0, space, np.array(vector, dtype=np.float32), Measure.SIMILARITY) for space, vector in queries]
    return retrieve(library, QueryPlan(0, (Words("a term"),), (wanted,)), made, 1, files)


def names(library: Library, found: Retrieved) -> list[str]:
    return [library.file(part.file_id).path.name for part in found.parts]


def test_the_nearest_file_comes_first(make_library: MakeLibrary) -> None:
    library = make_library({"n.wav": {SpaceName.AUDIO: [NORTH]}, "e.wav": {SpaceName.AUDIO: [EAST]}})
    found = ask(library, (SpaceName.AUDIO, EAST))
    assert names(library, found) == ["e.wav", "n.wav"]
    assert [hit.rank for hit in found.hits[0]] == [1, 2]


def test_what_several_vectors_find_comes_before_what_only_one_finds(make_library: MakeLibrary) -> None:
    library = make_library(
        {"one.mp4": {SpaceName.AUDIO: [EAST]}, "both.mp4": {SpaceName.AUDIO: [BOTH], SpaceName.FRAME: [EAST]}}
    )
    found = ask(library, (SpaceName.AUDIO, EAST), (SpaceName.FRAME, EAST))
    assert [len(hits) for hits in found.hits] == [2, 1]
    assert names(library, found) == ["both.mp4", "one.mp4"]


def test_each_probe_has_the_hits_of_its_own_space(make_library: MakeLibrary) -> None:
    library = make_library({"a.mp4": {SpaceName.AUDIO: [NORTH], SpaceName.FRAME: [EAST, NORTH]}})
    found = ask(library, (SpaceName.FRAME, NORTH), (SpaceName.AUDIO, NORTH))
    assert [[hit.space for hit in hits] for hits in found.hits] == [[SpaceName.FRAME] * 2, [SpaceName.AUDIO]]
    assert found.hits[0][0].start_seconds == 0.625


def test_only_the_files_asked_for_are_found(make_library: MakeLibrary) -> None:
    library = make_library({"n.wav": {SpaceName.AUDIO: [NORTH]}, "e.wav": {SpaceName.AUDIO: [EAST]}})
    (north,) = (file.id for file in library.files() if file.path.name == "n.wav")
    assert ask(library, (SpaceName.AUDIO, EAST), files=frozenset({north})).parts == (Part(north, 0.0, math.inf),)
    assert ask(library, (SpaceName.AUDIO, EAST), files=frozenset()).parts == ()


def test_many_files_are_cut_to_the_likeliest(make_library: MakeLibrary) -> None:
    turns = np.linspace(0, np.pi / 2, MIN_PARTS + 10)
    files = {f"{n}.wav": {SpaceName.AUDIO: [[float(np.cos(t)), float(np.sin(t))]]} for n, t in enumerate(turns)}
    library = make_library(files)
    found = ask(library, (SpaceName.AUDIO, EAST))
    assert names(library, found) == [f"{n}.wav" for n in range(MIN_PARTS)]


def test_what_is_excluded_finds_nothing_by_itself(make_library: MakeLibrary) -> None:
    library = make_library({"e.wav": {SpaceName.AUDIO: [EAST]}})
    assert ask(library, (SpaceName.AUDIO, EAST), wanted=False).parts == ()
