"""Vectors on disk: round trip, damage, sweeping."""

from __future__ import annotations

from dataclasses import replace
from mmap import MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, mmap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pesearch.errors import LibraryDamaged, LibraryUnavailable
from pesearch.store.library import Library
from pesearch.store.shards import reader
from pesearch.store.shards.format import VectorShard, find_strays
from pesearch.store.shards.vectors import VectorStream, check_storable, map_shard, slice_rows, write_shard
from pesearch.types import SpaceName, SpaceVectors
from tests.store.contents import AUDIO, encoded, queries, vectors

WIDTH = AUDIO.dim
VALUES = arrays.arrays(
    np.float32, st.tuples(st.integers(0, 5), st.just(WIDTH)), elements=st.floats(-65504, 65504, width=32)
)


@pytest.fixture
def shard(tmp_path: Path) -> VectorShard:
    return write_shard(tmp_path, AUDIO, [vectors("one", AUDIO, 3), vectors("two", AUDIO, 2)])


@given(parts=st.lists(VALUES, min_size=1, max_size=3).filter(lambda parts: sum(map(len, parts)) > 0))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, parts: list[np.ndarray]) -> None:
    folder = tmp_path_factory.mktemp("shards")
    files = [SpaceVectors(AUDIO.name, np.arange(2.0 * len(part)).reshape(-1, 2), part) for part in parts]
    for file in files:
        check_storable(file)
    (rows,) = map_shard(folder, write_shard(folder, AUDIO, files), WIDTH)
    np.testing.assert_array_equal(rows.vectors, np.concatenate(parts).astype(np.float16))
    np.testing.assert_array_equal(rows.segments, np.concatenate([file.segments for file in files]))


@given(batch_rows=st.integers(1, 6), data=st.data())
def test_any_range_over_record_batches(
    tmp_path_factory: pytest.TempPathFactory, batch_rows: int, data: st.DataObject
) -> None:
    folder, whole = tmp_path_factory.mktemp("shards"), vectors("one", AUDIO, 10)
    stream = VectorStream(folder, AUDIO, batch_rows)
    stream.append(whole)
    batches = map_shard(folder, stream.finish(), WIDTH)
    first = data.draw(st.integers(0, 9))
    count = data.draw(st.integers(1, 10 - first))
    found = np.concatenate([part.vectors for part in slice_rows(batches, first, count)])
    assert np.array_equal(found, whole.vectors[first : first + count])


@pytest.mark.parametrize("dim", [WIDTH, WIDTH + 1], ids=["intact", "not as expected"])
def test_a_mapped_shard_is_opened_without_reading_its_vectors_ahead(
    tmp_path: Path, shard: VectorShard, dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only while it is opened: scans and builds read vectors one after the other."""
    advice = []

    class RecordingMap(mmap):
        def madvise(self, option: int, *extent: int) -> None:
            advice.append((option, *extent))
            super().madvise(option, *extent)

    monkeypatch.setattr(reader, "mmap", RecordingMap)
    monkeypatch.setattr(reader, "MAX_IN_MEMORY_BYTES", 0)
    try:
        (rows,) = map_shard(tmp_path, shard, dim)
        np.testing.assert_array_equal(rows.vectors[:3], vectors("one", AUDIO, 3).vectors.astype(np.float16))
    except LibraryDamaged:
        assert dim != WIDTH
    assert advice == [(MADV_RANDOM,), (MADV_WILLNEED, 0, reader.READ_AHEAD_BYTES), (MADV_NORMAL,)]


def test_plain_arrow_reads_a_shard_and_its_origin(tmp_path: Path, shard: VectorShard) -> None:
    table = pa.ipc.open_file(tmp_path / shard.relative_path).read_all()
    assert table.column_names == ["start_seconds", "end_seconds", "vector"]
    assert table.schema.field("vector").type == pa.list_(pa.float16(), WIDTH)
    assert table.schema.metadata == {b"space": b"audio", b"model": b"made-up-audio", b"revision": b"1"}


def test_no_temporary_file_is_left(tmp_path: Path, shard: VectorShard) -> None:
    assert [path.name for path in (tmp_path / "vectors" / "audio").iterdir()] == [shard.name]


def test_truncated_shard(tmp_path: Path, shard: VectorShard) -> None:
    path = tmp_path / shard.relative_path
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(LibraryDamaged, match="wrong size"):
        map_shard(tmp_path, shard, WIDTH)


def test_shard_of_other_bytes(tmp_path: Path, shard: VectorShard) -> None:
    (tmp_path / shard.relative_path).write_bytes(b"x" * shard.size_bytes)
    with pytest.raises(LibraryDamaged, match="cannot be read"):
        map_shard(tmp_path, shard, WIDTH)


def test_shard_of_other_rows(tmp_path: Path, shard: VectorShard) -> None:
    with pytest.raises(LibraryDamaged, match="other rows"):
        map_shard(tmp_path, shard, WIDTH * 2)
    with pytest.raises(LibraryDamaged, match="other rows"):
        map_shard(tmp_path, replace(shard, rows=4), WIDTH)


def test_missing_shards_are_an_error_and_not_an_empty_answer(library: Library) -> None:
    """One that is missing beside another is damage; if all of a folder are, its drive may not be connected."""
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
        writer.add([encoded("/b", "two")])
    first, second = (library.folder / "vectors" / "audio").iterdir()
    first.unlink()
    with pytest.raises(LibraryDamaged, match="is missing"):
        library.search(SpaceName.AUDIO, queries(AUDIO), 3)
    second.unlink()
    with pytest.raises(LibraryUnavailable, match="connect its drive"):
        library.search(SpaceName.AUDIO, queries(AUDIO), 3)
    assert len(library.search(SpaceName.FRAME, np.ones((1, 16), dtype=np.float32), 9)[0]) == 6


def test_strays_are_shards_that_are_not_registered_and_nothing_else(tmp_path: Path, shard: VectorShard) -> None:
    """`vectors` may be a drive, and a folder in it a link to the user's documents."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "thesis.tex").write_text("years of work")
    (documents / "a.arrow").write_text("a table of another program")
    (tmp_path / "vectors" / "x").symlink_to(documents)
    strays = [tmp_path / "vectors" / "frame" / f"{'0' * 32}.arrow{end}" for end in ("", ".new")]
    strays[0].parent.mkdir()
    for stray in strays:
        stray.write_bytes(b"half")
    assert sorted(find_strays(tmp_path, [shard])) == strays


def test_next_writer_sweeps_the_vectors_of_removed_files(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
        writer.add([encoded("/b", "two")])
        writer.remove([1])
    with library.writer():
        assert len(list(library.folder.glob("vectors/*/*"))) == 2
    assert {hit.file_id for hit in library.search(SpaceName.AUDIO, queries(AUDIO), 9)[0]} == {2}
