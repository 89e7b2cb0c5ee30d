"""A streamed file is stored like one that is added at once."""

from __future__ import annotations

import resource
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.errors import NoSpaceLeft
from pesearch.store.library import Library
from pesearch.store.shards import features as feature_shards
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write import streaming
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.types import CodecFeatures, EncodedFile, SpaceVectors
from tests.store.contents import AUDIO, SPACES, encoded, features, vectors
from tests.store.templates import copy_library


def streamed(library: Library, file: EncodedFile, cuts: list[int]) -> StreamedFile:
    """The same file, streamed in parts that end at `cuts`."""
    stream = StreamingShardWriter(library.folder, SPACES)
    for part in file.vectors:
        bounds = sorted({0, *(min(cut, len(part.vectors)) for cut in cuts), len(part.vectors)})
        for start, stop in pairwise(bounds):
            stream.add_vectors(SpaceVectors(part.space, part.segments[start:stop], part.vectors[start:stop]))
    if file.features is not None:
        for steps in np.split(file.features.steps, sorted(cut for cut in cuts if cut < len(file.features.steps))):
            stream.add_features(CodecFeatures(file.features.codec, steps))
    return stream.finish(file.location, file.fingerprint, file.info)


def on_disk(library: Library) -> list[Path]:
    return [
        path for folder in ("vectors", "features") for path in (library.folder / folder).rglob("*") if path.is_file()
    ]


@settings(max_examples=10)
@given(rows=st.integers(1, 30), steps=st.integers(0, 40), cuts=st.lists(st.integers(1, 40), max_size=6))
def test_streamed_file_is_stored_like_an_encoded_one(
    tmp_path_factory: pytest.TempPathFactory, empty_library: Path, rows: int, steps: int, cuts: list[int]
) -> None:
    library = copy_library(empty_library, tmp_path_factory.mktemp("streamed") / "library")
    whole = encoded("/film.mp4", "one", rows=rows, steps=steps)
    with pytest.MonkeyPatch.context() as patch, library.writer() as writer:
        patch.setattr(streaming, "BATCH_ROWS", 4)
        patch.setattr(feature_shards, "BATCH_STEPS", 8)
        writer.add([streamed(library, whole, cuts), encoded("/other.mp4", "two", rows=2, steps=3)])
    (file, other) = library.files()
    assert (file.locations, file.info) == ((whole.location,), whole.info)
    for space, expected in zip(SPACES, whole.vectors, strict=True):
        stored = library.vectors(file.id, space.name)
        assert np.array_equal(stored.segments, expected.segments)
        assert np.array_equal(stored.vectors, expected.vectors)
        hits = library.search(space.name, expected.vectors[-1:], rows, frozenset({file.id}))[0]
        scores = {hit.start_seconds: hit.score for hit in hits}
        np.testing.assert_allclose(
            [scores[row] for row in range(rows)], expected.vectors @ expected.vectors[-1], 1e-4, 1e-4
        )
    kept, expected_features = library.features(file.id), whole.features
    assert (kept is None) == (expected_features is None)
    if kept is not None and expected_features is not None:
        assert np.array_equal(kept.steps, expected_features.steps)
        part = library.features(file.id, steps // 3, steps // 2 + 1)
        assert part is not None
        assert np.array_equal(part.steps, expected_features.steps[steps // 3 : steps // 2 + 1])
    assert len(library.vectors(other.id, AUDIO.name).vectors) == 2


def test_known_content_keeps_its_vectors_and_features(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one", steps=5)])
    before = set(on_disk(library))
    with library.writer() as writer:
        writer.add([streamed(library, encoded("/b", "one", steps=5), [])])
        assert len(library.files()) == 1
        writer.sweep()
    assert set(on_disk(library)) == before


def test_shards_of_interrupted_streams_are_swept(library: Library) -> None:
    """Of a process that ended before it finished the file, or before the file was registered."""
    ended = StreamingShardWriter(library.folder, SPACES)
    ended.add_vectors(vectors("one", AUDIO, 3))
    streamed(library, encoded("/a", "two", steps=4), [])
    assert len(on_disk(library)) == 4
    with library.writer():
        assert on_disk(library) == []
    ended.discard()


def test_discarded_stream_leaves_no_shard(library: Library) -> None:
    stream = StreamingShardWriter(library.folder, SPACES)
    stream.add_vectors(vectors("one", AUDIO, 3))
    stream.add_features(features("one", 4))
    stream.finish(encoded("/a", "one").location, "one", encoded("/a", "one").info)
    stream.discard()
    other = StreamingShardWriter(library.folder, SPACES)
    other.add_features(features("one", 4))
    other.discard()
    assert on_disk(library) == []


def test_features_can_be_dropped(library: Library) -> None:
    file = encoded("/a", "one")
    with library.writer() as writer:
        stream = StreamingShardWriter(library.folder, SPACES)
        stream.add_vectors(vectors("one", AUDIO, 3))
        stream.add_features(features("one", 4))
        stream.drop_features()
        writer.add([stream.finish(file.location, file.fingerprint, file.info)])
    assert library.features(library.files()[0].id) is None


def test_values_that_are_not_finite_float16_are_refused(library: Library) -> None:
    stream = StreamingShardWriter(library.folder, SPACES)
    with pytest.raises(ValueError, match="not finite"):
        stream.add_vectors(
            SpaceVectors(AUDIO.name, np.array([[0.0, 1.0]]), np.full((1, AUDIO.dim), np.inf, np.float32))
        )
    with pytest.raises(ValueError, match="not float16"):
        stream.add_features(CodecFeatures("codec", np.zeros((1, 4), np.float32)))
    assert on_disk(library) == []


def test_segments_out_of_order_are_refused(library: Library) -> None:
    ordered = vectors("one", AUDIO, 4)
    swapped = SpaceVectors(AUDIO.name, ordered.segments[[0, 2, 1, 3]], ordered.vectors)
    with pytest.raises(ValueError, match="not in order of time"), library.writer() as writer:
        writer.add([replace(encoded("/a", "one"), vectors=(swapped,))])
    stream = StreamingShardWriter(library.folder, SPACES)
    stream.add_vectors(SpaceVectors(AUDIO.name, ordered.segments[2:], ordered.vectors[2:]))
    with pytest.raises(ValueError, match="begins before"):
        stream.add_vectors(SpaceVectors(AUDIO.name, ordered.segments[:2], ordered.vectors[:2]))
    stream.discard()
    assert on_disk(library) == []


def test_full_disk_leaves_no_shard(library: Library) -> None:
    """A file size limit of 1000 bytes stands in for a full disk."""
    stream, file = StreamingShardWriter(library.folder, SPACES), encoded("/a", "one")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(NoSpaceLeft, match="make room"):
            stream.add_vectors(vectors("one", AUDIO, 300))
            stream.finish(file.location, file.fingerprint, file.info)
        stream.discard()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert on_disk(library) == []
