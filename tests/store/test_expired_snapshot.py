"""Readers whose generation was replaced, and its shards deleted, while they read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import LibraryDamaged, SnapshotExpired, VectorServerError
from pesearch.search_hits import Hits
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.generation import MAX_INDEX_TRIES, Generation
from pesearch.store.generation_reader import MAX_SNAPSHOT_TRIES
from pesearch.store.library import Library, open_library
from pesearch.types import FloatArray, Space
from tests.store.contents import AUDIO, encoded, queries, vectors


class ExpiringReads:
    """Reads of rows that find their shard deleted by a commit made just then, as often as `times`."""

    def __init__(self, library: Library, times: int, patch: pytest.MonkeyPatch) -> None:
        self._library, self._times = library, times
        self._rows_with = Generation.rows_with
        self.generations: list[int] = []
        patch.setattr(
            Generation, "rows_with", lambda generation, space, file_id: self._read(generation, space, file_id)
        )

    def _read(self, generation: Generation, space: Space, file_id: int) -> object:
        self.generations.append(generation.snapshot.generation)
        if len(self.generations) > self._times:
            return self._rows_with(generation, space, file_id)
        with self._library.writer() as writer:
            writer.add([])
        raise FileNotFoundError(2, "No such file", "vectors/audio/gone.arrow")


@pytest.fixture
def filled(library: Library) -> Library:
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
    return library


def test_an_expired_snapshot_is_read_again_at_the_next_generation(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = ExpiringReads(open_library(filled.folder), MAX_SNAPSHOT_TRIES - 1, monkeypatch)
    np.testing.assert_array_equal(filled.vectors(1, AUDIO.name).vectors, vectors("one", AUDIO, 3).vectors)
    assert reads.generations == [1, 2, 3, 4, 5, 6, 7, 8]


def test_reads_of_a_library_that_keeps_changing_end_with_an_error(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = ExpiringReads(open_library(filled.folder), 1000, monkeypatch)
    with pytest.raises(SnapshotExpired, match=r"changes faster than it can be read: try again later$") as caught:
        filled.vectors(1, AUDIO.name)
    assert "\n" not in str(caught.value)
    assert reads.generations == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_pinned_library_does_not_go_to_the_next_generation(filled: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = ExpiringReads(open_library(filled.folder), 1000, monkeypatch)
    pinned = filled.pinned()
    with pytest.raises(SnapshotExpired, match="changed during the read: try again"):
        pinned.vectors(1, AUDIO.name)
    assert reads.generations == [1]


def test_a_shard_that_is_missing_without_a_commit_is_damage(filled: Library) -> None:
    (shard,) = (filled.folder / "vectors" / "audio").iterdir()
    with filled.writer() as writer:
        writer.add([encoded("/b", "two")])
    shard.unlink()
    with pytest.raises(LibraryDamaged, match=r"is missing: run `pesearch doctor --repair`"):
        open_library(filled.folder).vectors(1, AUDIO.name)


def test_pinned_libraries_share_indexes_and_are_made_by_the_constructor(filled: Library) -> None:
    pinned = filled.pinned()
    assert vars(pinned).keys() == vars(filled).keys()
    assert (pinned._ann, pinned._text, pinned._generation) == (filled._ann, filled._text, filled._generation)
    assert pinned.pinned().generation() == 1


class Index:
    """A search index that fails as a Milvus that loses its rows, or answers."""

    def __init__(self, hits: Hits | None) -> None:
        self._hits = hits

    def search(self, queries: FloatArray, k: int, file_ids: frozenset[int] | None) -> list[Hits]:
        if self._hits is None:
            raise VectorServerError("rows are missing")
        return [self._hits]


class ReplacedIndexes(Generation):
    """A generation on a Milvus whose index a writer replaces between searches, as often as `times`."""

    def __init__(self, folder: Path, generation: Generation, times: int, *, fails: bool) -> None:
        self.snapshot = generation.snapshot
        self._folder = folder
        answer = Hits.empty(AUDIO.name)
        self._replaced = [Index(None if fails else answer) for _ in range(times)]
        self._last = Index(answer)
        self.searched = 0

    def index(self, space: Space) -> Index:  # type: ignore[override]
        """Each index is asked for twice: to be searched, and to see whether it is still the same."""
        number = (self.searched + 1) // 2
        self.searched += 1
        return self._replaced[number] if number < len(self._replaced) else self._last


@pytest.mark.parametrize("fails", [True, False], ids=["rows are missing", "rows are old"])
def test_a_milvus_that_changed_meanwhile_is_searched_again(
    library: Library, milvus: MilvusAddress, fails: bool
) -> None:
    with library.writer() as writer:
        writer.set_vector_backend(milvus)
    found = ReplacedIndexes(library.folder, open_library(library.folder)._generation, MAX_INDEX_TRIES - 1, fails=fails)
    assert [len(hits) for hits in found.search(AUDIO, queries(AUDIO, 1), 5, None)] == [0]
    assert found.searched == 2 * MAX_INDEX_TRIES == 16
    endless = ReplacedIndexes(library.folder, open_library(library.folder)._generation, 1000, fails=fails)
    with pytest.raises(VectorServerError, match=r"changes faster than it can be searched: try again later$"):
        endless.search(AUDIO, queries(AUDIO, 1), 5, None)
    assert endless.searched == 16
