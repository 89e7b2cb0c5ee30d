"""A close look at parts of files."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Words
from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.calibration import Calibration
from pesearch.search.score.part_scores import SPACES, PartScores, score_parts
from pesearch.search.score.window_pooling import file_cells
from pesearch.store.library import Library
from pesearch.types import Part, SpaceName

FRAME, AUDIO = SPACES.index(SpaceName.FRAME), SPACES.index(SpaceName.AUDIO)


MakeLibrary = Callable[..., Library]


def test_a_file_is_as_certain_as_its_vectors_say(make_library: MakeLibrary) -> None:
    library = make_library({"a.mp4": {SpaceName.AUDIO: [[1, 0], [0, 1]], SpaceName.FRAME: [[1, 0]]}}, seconds=15.0)
    (file,) = library.files()
    scores = scored(library, likeness(0, SpaceName.AUDIO, [1, 0]), likeness(0, SpaceName.FRAME, [0, 1]))
    assert scores.cells.tolist() == file_cells(file).tolist() == [[0, 10], [5, 15]]
    assert scores.certainties[:, 0, AUDIO] == pytest.approx([1.0, 0.0], abs=1e-3)
    assert scores.certainties[:, 0, FRAME] == pytest.approx([0.0, 0.0], abs=1e-3)


def test_of_several_vectors_for_one_term_the_best_counts(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {SpaceName.AUDIO: [[0, 1]]}})
    scores = scored(library, likeness(0, SpaceName.AUDIO, [1, 0]), likeness(0, SpaceName.AUDIO, [0, 1]))
    assert scores.certainties[0, 0, AUDIO] == pytest.approx(1.0, abs=1e-3)
    assert scores.spaces[SpaceName.AUDIO].probes.tolist() == [1]


def test_terms_are_kept_apart_and_what_is_excluded_is_no_evidence(make_library: MakeLibrary) -> None:
    library = make_library({"a.wav": {SpaceName.AUDIO: [[0, 1]]}})
    probes = [likeness(0, SpaceName.AUDIO, [1, 1]), likeness(1, SpaceName.AUDIO, [1, 0])]
    scores = scored(library, *probes, likeness(2, SpaceName.AUDIO, [0, 1]), is_positive=(True, True, False))
    assert scores.certainties[0, :, AUDIO] == pytest.approx([0.5**0.5, 0.0, 1.0], abs=1e-3)
    assert scores.spaces[SpaceName.AUDIO].probes.tolist() == [0]


def scored(library: Library, *probes: QueryVector, is_positive: tuple[bool, ...] = (True,)) -> PartScores:
    terms = tuple(Words(f"term {number}") for number in range(len(is_positive)))
    whole = whole_of(library)[0]
    return score_parts(library, QueryPlan(0, terms, is_positive), Calibration(probes, {}), [whole])[whole]


def whole_of(library: Library) -> list[Part]:
    return [Part(file.id, 0.0, math.inf) for file in library.files()]


def likeness(part: int, space: SpaceName, vector: list[float]) -> QueryVector:
    return QueryVector(part, space, np.array(vector, dtype=np.float32), Measure.SIMILARITY)


def test_many_files_at_once_score_as_each_alone(make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    library = make_library(
        {f"{n}.mp4": {SpaceName.AUDIO: [[1, n]], SpaceName.FRAME: [[n, 1]] * n} for n in range(1, 6)}
    )
    asked, probe = QueryPlan(0, (Words("a term"),), (True,)), likeness(0, SpaceName.AUDIO, [1, 1])
    calibration = Calibration([probe, likeness(0, SpaceName.FRAME, [1, 0])], {})
    parts = whole_of(library)
    together = score_parts(library, asked, calibration, parts)
    monkeypatch.setattr("pesearch.store.index.part_vectors.PART_BATCH_ROWS", 1)  # each file by itself
    alone = score_parts(library, asked, calibration, parts)
    assert list(together) == list(alone) == parts
    for part in parts:
        assert together[part].certainties == pytest.approx(alone[part].certainties)
        assert together[part].spaces.keys() == alone[part].spaces.keys()


def test_a_part_of_a_file_scores_as_it_does_in_the_whole(make_library: MakeLibrary) -> None:
    rows = [[float(np.cos(n)), float(np.sin(n))] for n in range(64)]
    library = make_library({"a.mp4": {SpaceName.AUDIO: rows[:7], SpaceName.FRAME: rows}}, seconds=40.0)
    asked = QueryPlan(0, (Words("a term"),), (True,))
    calibration = Calibration([likeness(0, space, [1, 0]) for space in (SpaceName.AUDIO, SpaceName.FRAME)], {})
    (whole,) = whole_of(library)
    part = replace(whole, start_seconds=10.0, end_seconds=30.0)
    all_of_it = score_parts(library, asked, calibration, [whole])[whole]
    some = score_parts(library, asked, calibration, [part])[part]
    inside = (all_of_it.cells[:, 0] >= 10.0) & (all_of_it.cells[:, 1] <= 30.0)
    assert some.cells.tolist() == all_of_it.cells[inside].tolist() == [[10, 20], [15, 25], [20, 30]]
    assert some.certainties == pytest.approx(all_of_it.certainties[inside])
    assert (some.first_step, some.steps) == (250, 500)
