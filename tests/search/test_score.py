"""A close look at one file: windows as cells, and the best segment in each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.encoders.model_set import ModelSet
from pesearch.search.calibrate import Measure, Probe
from pesearch.search.retrieve import Asked
from pesearch.search.score import SPACES, best_in_cells, file_cells, ranges, score_file
from pesearch.store.library import Library
from pesearch.timeline import grid, windows
from pesearch.types import SpaceName

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
        inside = values[(middles > start) & (middles < end)]
        assert found[cell] == pytest.approx(inside.max(axis=0) if len(inside) else [0.0, 0.0])


def test_a_still_image_is_its_own_cell() -> None:
    still = np.zeros((1, 2))
    assert best_in_cells(still, still, np.array([[0.7]])).tolist() == [[0.7]]


MakeLibrary = Callable[..., Library]


def test_a_file_is_as_certain_as_its_vectors_say(make_library: MakeLibrary, starter: ModelSet) -> None:
    library = make_library({"a.mp4": {SpaceName.AUDIO: [[1, 0], [0, 1]], SpaceName.FRAME: [[1, 0]]}}, seconds=15.0)
    probes = (likeness(0, SpaceName.AUDIO, [1, 0]), likeness(0, SpaceName.FRAME, [0, 1]))
    (file,) = library.files()
    scores = score_file(library, starter, Asked(1, (), probes), file)
    assert scores.cells.tolist() == file_cells(file).tolist() == [[0, 10], [5, 15]]
    assert scores.certainties[:, 0, AUDIO] == pytest.approx([1.0, 0.0], abs=1e-3)
    assert scores.certainties[:, 0, FRAME] == pytest.approx([0.0, 0.0], abs=1e-3)


def test_of_several_vectors_for_one_part_the_best_counts(make_library: MakeLibrary, starter: ModelSet) -> None:
    library = make_library({"a.wav": {SpaceName.AUDIO: [[0, 1]]}})
    probes = (likeness(0, SpaceName.AUDIO, [1, 0]), likeness(0, SpaceName.AUDIO, [0, 1]))
    scores = score_file(library, starter, Asked(1, (), probes), library.files()[0])
    assert scores.certainties[0, 0, AUDIO] == pytest.approx(1.0, abs=1e-3)
    assert scores.spaces[SpaceName.AUDIO].probes.tolist() == [1]


def test_parts_are_kept_apart(make_library: MakeLibrary, starter: ModelSet) -> None:
    library = make_library({"a.wav": {SpaceName.AUDIO: [[0, 1]]}})
    probes = (likeness(0, SpaceName.AUDIO, [1, 1]), likeness(1, SpaceName.AUDIO, [1, 0]))
    probes += (likeness(2, SpaceName.AUDIO, [0, 1]),)
    scores = score_file(library, starter, Asked(1, ("x", "y"), probes), library.files()[0])
    assert scores.certainties[0, :, AUDIO] == pytest.approx([0.5**0.5, 0.0, 1.0], abs=1e-3)


def likeness(part: int, space: SpaceName, vector: list[float]) -> Probe:
    return Probe(part, space, np.array(vector, dtype=np.float32), Measure.LIKENESS)
