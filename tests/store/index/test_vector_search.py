"""Exact search: equal to a ranking by NumPy for any vectors, filter and k."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from pesearch.store.library import Library, create_library
from pesearch.types import EncodedFile, MediaInfo, MediaKind, Space, SpaceName, SpaceVectors
from tests.store.contents import AUDIO, encoded, location, queries

DIM, FILES, ROWS = 64, 40, 50
SPACE = Space(SpaceName.AUDIO, "made-up", "1", DIM)


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.random.default_rng(5).standard_normal((FILES * ROWS, DIM)).astype(np.float16).astype(np.float32)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, values: np.ndarray) -> Library:
    """Two commits, so that the index has several shards."""
    library = create_library(tmp_path_factory.mktemp("filled") / "library", "made-up", [SPACE])
    segments = np.stack([np.arange(ROWS), np.arange(ROWS) + 1.5], axis=1)
    info = MediaInfo(MediaKind.AUDIO, ROWS + 1.0, None, None)
    files = [
        EncodedFile(location(f"/{number:03}"), f"{number}", info, (SpaceVectors(SPACE.name, segments, part),))
        for number, part in enumerate(np.split(values, FILES))
    ]
    with library.writer() as writer:
        writer.add(files[:25])
        writer.add(files[25:])
    return library


@pytest.mark.parametrize("k", [1, 10, FILES * ROWS, FILES * ROWS + 7])
@pytest.mark.parametrize("file_ids", [None, frozenset({3}), frozenset(range(10, 31))], ids=["all", "one", "half"])
def test_ranking_is_that_of_numpy(filled: Library, values: np.ndarray, k: int, file_ids: frozenset[int] | None) -> None:
    asked = np.random.default_rng(6).standard_normal((3, DIM)).astype(np.float32)
    owners = np.repeat(np.arange(1, FILES + 1), ROWS)
    allowed = np.ones(len(owners), bool) if file_ids is None else np.isin(owners, list(file_ids))
    for hits, scores in zip(filled.search(SPACE.name, asked, k, file_ids), asked @ values.T, strict=True):
        best = np.flatnonzero(allowed)[np.argsort(-scores[allowed])][:k]
        assert [hit.score for hit in hits] == pytest.approx(scores[best].tolist(), abs=1e-4)
        assert {(hit.file_id, int(hit.start_seconds)) for hit in hits} == {(owners[row], row % ROWS) for row in best}
        assert all(hit.end_seconds == hit.start_seconds + 1.5 for hit in hits)


def test_spaces_are_searched_in_parallel_and_in_a_fork(filled: Library) -> None:
    asked = np.random.default_rng(7).standard_normal((5, DIM)).astype(np.float32)
    expected = {SPACE.name: filled.search(SPACE.name, asked, 3)}
    assert filled.search_spaces({SPACE.name: asked}, 3) == expected
    if not (child := os.fork()):
        signal.alarm(60)  # without threads of its own the fork would wait forever
        os._exit(filled.search_spaces({SPACE.name: asked}, 3) != expected)
    assert os.waitpid(child, 0)[1] == 0


def test_query_of_another_dimension_is_refused(filled: Library) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        filled.search(SPACE.name, np.ones((1, DIM + 1), dtype=np.float32), 3)


def test_no_queries_or_k_of_0_finds_nothing(filled: Library) -> None:
    assert filled.search(SPACE.name, np.empty((0, DIM), dtype=np.float32), 3) == []
    assert filled.search(SPACE.name, np.ones((2, DIM), dtype=np.float32), 0) == [[], []]


def test_index_is_opened_once_per_generation(library: Library, tmp_path: Path) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
        first = library.search(SpaceName.AUDIO, queries(AUDIO), 3)
        (library.folder / "library.duckdb").rename(tmp_path / "elsewhere")
        assert library.search(SpaceName.AUDIO, queries(AUDIO), 3) == first
        (tmp_path / "elsewhere").rename(library.folder / "library.duckdb")
        writer.add([encoded("/b", "two")])
    assert {hit.file_id for hit in library.search(SpaceName.AUDIO, queries(AUDIO), 9)[0]} == {1, 2}
