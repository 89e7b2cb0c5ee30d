"""A close look at one file: windows as cells, and the best segment in each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.search.asked import Asked
from pesearch.search.calibrate import Calibration, Measure, Probe
from pesearch.search.language.syntax import Words
from pesearch.search.score import SPACES, PartScores, best_in_cells, file_cells, ranges, score_parts
from pesearch.store.library import Library
from pesearch.timeline import grid, windows
from pesearch.types import Part, SpaceName

FRAME, AUDIO = SPACES.index(SpaceName.FRAME), SPACES.index(SpaceName.AUDIO)


@given(st.floats(0.1, 200))
def test_each_window_lies_in_its_own_cell_and_not_in_one_that_it_half_overlaps(duration: float) -> None:
    cells = windows(duration)
    first, stop = ranges(cells, cells)
    for cell, (begin, end) in enumerate(zip(first, stop, strict=True)):
        assert begin <= cell < end
        assert all(cells[cell, 0] < middle < cells[cell, 1] for middle in cells[begin:end].mean(axis=1))
    if len(cells) > 2:
        assert (first[0], stop[0]) == (0, 1)


@given(st.floats(0.1, 100), st.integers(0, 1000))
def test_the_best_in_a_cell_is_what_a_slow_look_finds(duration: float, seed: int) -> None:
    times = grid(0.0, duration)
    frames = np.stack([times, times + 0.625], axis=1)
    values = np.random.default_rng(seed).random((len(frames), 2))
    cells = windows(duration)
    found = best_in_cells(cells, frames, values)
    middles = frames.mean(axis=1)
    for cell, (start, end) in enumerate(cells):
        inside = values[(middles > start) & (middles < end)] if len(cells) > 1 else values
        assert found[cell] == pytest.approx(inside.max(axis=0) if len(inside) else [0.0, 0.0])


def test_a_still_image_is_its_own_cell() -> None:
    still = np.zeros((1, 2))
    assert best_in_cells(still, still, np.array([[0.7]])).tolist() == [[0.7]]


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
    scores = scored(library, *probes, likeness(2, SpaceName.AUDIO, [0, 1]), looked_for=(True, True, False))
    assert scores.certainties[0, :, AUDIO] == pytest.approx([0.5**0.5, 0.0, 1.0], abs=1e-3)
    assert scores.spaces[SpaceName.AUDIO].probes.tolist() == [0]


def scored(library: Library, *probes: Probe, looked_for: tuple[bool, ...] = (True,)) -> PartScores:
    terms = tuple(Words(f"term {number}") for number in range(len(looked_for)))
    whole = whole_of(library)[0]
    return score_parts(library, Asked(0, terms, looked_for), Calibration(probes, {}), [whole])[whole]


def whole_of(library: Library) -> list[Part]:
    return [Part(file.id, 0.0, math.inf) for file in library.files()]


def likeness(part: int, space: SpaceName, vector: list[float]) -> Probe:
    return Probe(part, space, np.array(vector, dtype=np.float32), Measure.LIKENESS)


def test_many_files_at_once_score_as_each_alone(make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    library = make_library(
        {f"{n}.mp4": {SpaceName.AUDIO: [[1, n]], SpaceName.FRAME: [[n, 1]] * n} for n in range(1, 6)}
    )
    asked, probe = Asked(0, (Words("a term"),), (True,)), likeness(0, SpaceName.AUDIO, [1, 1])
    calibration = Calibration([probe, likeness(0, SpaceName.FRAME, [1, 0])], {})
    parts = whole_of(library)
    together = score_parts(library, asked, calibration, parts)
    monkeypatch.setattr("pesearch.store.vectors.PARTS_ROWS", 1)  # each file by itself
    alone = score_parts(library, asked, calibration, parts)
    assert list(together) == list(alone) == parts
    for part in parts:
        assert together[part].certainties == pytest.approx(alone[part].certainties)
        assert together[part].spaces.keys() == alone[part].spaces.keys()


def test_a_part_of_a_file_scores_as_it_does_in_the_whole(make_library: MakeLibrary) -> None:
    rows = [[float(np.cos(n)), float(np.sin(n))] for n in range(64)]
    library = make_library({"a.mp4": {SpaceName.AUDIO: rows[:7], SpaceName.FRAME: rows}}, seconds=40.0)
    asked = Asked(0, (Words("a term"),), (True,))
    calibration = Calibration([likeness(0, space, [1, 0]) for space in (SpaceName.AUDIO, SpaceName.FRAME)], {})
    (whole,) = whole_of(library)
    part = replace(whole, start_seconds=10.0, end_seconds=30.0)
    all_of_it = score_parts(library, asked, calibration, [whole])[whole]
    some = score_parts(library, asked, calibration, [part])[part]
    inside = (all_of_it.cells[:, 0] >= 10.0) & (all_of_it.cells[:, 1] <= 30.0)
    assert some.cells.tolist() == all_of_it.cells[inside].tolist() == [[10, 20], [15, 25], [20, 30]]
    assert some.certainties == pytest.approx(all_of_it.certainties[inside])
    assert (some.first_step, some.steps) == (250, 500)
