"""Compaction: small shards are merged, and no answer changes."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pesearch.store.doctor import examine
from pesearch.store.library import Library, open_library
from pesearch.store.write import compaction
from pesearch.store.write import writer as writer_module
from pesearch.types import CodecFeatures, SpaceVectors
from tests.store.contents import AUDIO, CODEC, SPACES, encoded, features, queries, vectors
from tests.store.test_doctor import shard_of


@pytest.fixture(autouse=True)
def small_limit() -> Iterator[None]:
    """Five small shards are merged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "MAX_SMALL_SHARDS", 4)
        yield


def commit_each(library: Library, count: int, first: int = 0) -> None:
    with library.writer() as writer:
        for number in range(first, first + count):
            codec = "another" if number % 2 else CODEC
            writer.add([encoded(f"/{number}", f"content {number}", rows=number % 3 + 1, steps=4, codec=codec)])


def assert_all(library: Library, numbers: range) -> None:
    """Every file has its vectors and features, and each row is found once."""
    assert [file.fingerprint for file in library.files()] == [f"content {number}" for number in numbers]
    for number, file in zip(numbers, library.files(), strict=True):
        for space in SPACES:
            stored, wanted = library.vectors(file.id, space.name), vectors(file.fingerprint, space, number % 3 + 1)
            np.testing.assert_array_equal(stored.vectors, wanted.vectors)
            np.testing.assert_array_equal(stored.segments, wanted.segments)
        kept = library.features(file.id)
        expected = features(file.fingerprint, 4, "another" if number % 2 else CODEC)
        assert kept is not None and kept.codec == expected.codec
        np.testing.assert_array_equal(kept.steps, expected.steps)
    hits = library.search(AUDIO.name, queries(AUDIO), 1000)[0]
    assert len({(hit.file_id, hit.start_seconds) for hit in hits}) == len(hits) == sum(n % 3 + 1 for n in numbers)


def shards(library: Library, folder: str) -> set[Path]:
    return set((library.folder / folder).iterdir())


def test_few_small_shards_are_not_merged(library: Library) -> None:
    commit_each(library, 4)
    assert (library.generation(), len(shards(library, "vectors/audio"))) == (4, 4)


def test_many_small_shards_are_merged_into_one(library: Library) -> None:
    commit_each(library, 10)
    reader = library.pinned()
    assert_all(library, range(10))
    assert library.generation() == 10 + 4  # two spaces, two codecs
    assert len(shards(library, "vectors/audio")) == 11  # the old ones stay for readers
    assert_all(reader, range(10))
    with library.writer() as writer:
        assert len(shards(library, "vectors/audio")) == len(shards(library, "vectors/frame")) == 1
        assert len(shards(library, "features")) == 2
        writer.compact()
    assert library.generation() == 14
    assert_all(open_library(library.folder), range(10))
    assert examine(library.folder).damaged == ()


def test_rows_of_removed_files_are_dropped(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded(f"/{number}", f"content {number}", rows=300, steps=50) for number in range(5)])
    before = sum(path.stat().st_size for path in shards(library, "vectors/audio"))
    with library.writer() as writer:
        writer.remove([1, 2])
    assert library.generation() == 2
    with library.writer() as writer:
        writer.remove([3])
    with library.writer():
        assert sum(path.stat().st_size for path in shards(library, "vectors/audio")) < before / 2
    for file in library.files():
        np.testing.assert_array_equal(
            library.vectors(file.id, AUDIO.name).vectors, vectors(file.fingerprint, AUDIO, 300).vectors
        )


def test_merged_shards_have_a_size_limit(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "MAX_MERGED_BYTES", 4000)
    commit_each(library, 8)
    with library.writer():
        assert 1 < len(shards(library, "vectors/audio")) < 8
    assert_all(library, range(8))


def test_long_run_compacts_meanwhile_and_deletes_merged_shards(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BATCHES_PER_COMPACTION", 6)
    with library.writer() as writer:
        for number in range(18):
            writer.add([encoded(f"/{number}", f"content {number}", rows=number % 3 + 1, steps=4, codec=CODEC)])
        assert len(shards(library, "vectors/audio")) < 14
    assert len(library.files()) == 18
    assert examine(library.folder).damaged == ()


def test_damaged_shard_is_not_merged(library: Library) -> None:
    commit_each(library, 4)
    shard = shard_of(library, "vectors/audio", 2)
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 4
    shard.write_bytes(content)
    commit_each(library, 4, first=4)
    (found,) = examine(library.folder).damaged
    assert found.shard.name == shard.name
    assert shard_of(library, "vectors/audio", 1) == shard_of(library, "vectors/audio", 8) != shard


def test_memory_does_not_grow_with_the_merged_shards(library: Library) -> None:
    rows = 15_000
    values = np.ones((rows, AUDIO.dim), dtype=np.float32)
    segments = np.stack([np.arange(rows), np.arange(1, rows + 1)], axis=1).astype(np.float64)
    steps = CodecFeatures(CODEC, np.ones((rows, 8), dtype=np.float16))
    with library.writer() as writer:
        for number in range(20):
            parts = (SpaceVectors(AUDIO.name, segments, values),)
            writer.add([replace(encoded(f"/{number}", str(number)), vectors=parts, features=steps)])
        merged_bytes = sum(path.stat().st_size for path in shards(library, "vectors/audio"))
        tracemalloc.start()
        try:
            writer.compact()
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(shards(library, "vectors/audio")) == 21
    assert peak_bytes < merged_bytes / 4


def test_full_disk_keeps_the_small_shards(library: Library) -> None:
    with library.writer() as writer:
        for number in range(6):
            writer.add([encoded(f"/{number}", f"content {number}", rows=40, steps=4)])
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
        try:
            writer.compact()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert library.generation() == 6
        assert len(list((library.folder / "vectors").rglob("*.arrow*"))) == 12
    assert library.generation() > 6
    assert len(library.search(AUDIO.name, queries(AUDIO), 1000)[0]) == 240
