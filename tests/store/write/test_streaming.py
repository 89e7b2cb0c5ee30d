"""A file that is written bit by bit is stored as one that is written as a whole."""

from __future__ import annotations

import resource
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.errors import NoSpaceLeft
from pesearch.store.library import Library, create_library
from pesearch.store.shards import features as feature_shards
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write import streaming as draft
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.types import CodecFeatures, EncodedFile, SpaceVectors
from tests.store.contents import AUDIO, SPACES, encoded, features, vectors


def streamed(library: Library, file: EncodedFile, cuts: list[int]) -> StreamedFile:
    """The same file through a draft: its rows up to each cut at a time."""
    made = StreamingShardWriter(library.folder, SPACES)
    for part in file.vectors:
        bounds = sorted({0, *(min(cut, len(part.vectors)) for cut in cuts), len(part.vectors)})
        for start, stop in pairwise(bounds):
            made.add_vectors(SpaceVectors(part.space, part.segments[start:stop], part.vectors[start:stop]))
    if file.features is not None:
        for steps in np.split(file.features.steps, sorted(cut for cut in cuts if cut < len(file.features.steps))):
            made.add_features(CodecFeatures(file.features.codec, steps))
    return made.finish(file.location, file.fingerprint, file.info)


def on_disk(library: Library) -> list[Path]:
    return [
        path for folder in ("vectors", "features") for path in (library.folder / folder).rglob("*") if path.is_file()
    ]


@settings(max_examples=20)
@given(rows=st.integers(1, 30), steps=st.integers(0, 40), cuts=st.lists(st.integers(1, 40), max_size=6))
def test_it_holds_the_same(tmp_path_factory: pytest.TempPathFactory, rows: int, steps: int, cuts: list[int]) -> None:
    library = create_library(tmp_path_factory.mktemp("draft") / "library", "made-up", SPACES)
    whole = encoded("/film.mp4", "one", rows=rows, steps=steps)
    with pytest.MonkeyPatch.context() as patch, library.writer() as writer:
        patch.setattr(draft, "BATCH_ROWS", 4)
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


def test_a_known_content_keeps_what_it_has(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one", steps=5)])
    before = set(on_disk(library))
    with library.writer() as writer:
        writer.add([streamed(library, encoded("/b", "one", steps=5), [])])
        assert len(library.files()) == 1
        writer.sweep()
    assert set(on_disk(library)) == before


def test_what_was_left_behind_is_swept(library: Library) -> None:
    """By a process that ended before its file did, or before it was registered."""
    ended = StreamingShardWriter(library.folder, SPACES)
    ended.add_vectors(vectors("one", AUDIO, 3))
    streamed(library, encoded("/a", "two", steps=4), [])
    assert len(on_disk(library)) == 4
    with library.writer():
        assert on_disk(library) == []
    ended.discard()


def test_nothing_is_left_of_what_is_discarded(library: Library) -> None:
    made = StreamingShardWriter(library.folder, SPACES)
    made.add_vectors(vectors("one", AUDIO, 3))
    made.add_features(features("one", 4))
    made.finish(encoded("/a", "one").location, "one", encoded("/a", "one").info)
    made.discard()
    other = StreamingShardWriter(library.folder, SPACES)
    other.add_features(features("one", 4))
    other.discard()
    assert on_disk(library) == []


def test_features_can_be_dropped(library: Library) -> None:
    file = encoded("/a", "one")
    with library.writer() as writer:
        made = StreamingShardWriter(library.folder, SPACES)
        made.add_vectors(vectors("one", AUDIO, 3))
        made.add_features(features("one", 4))
        made.drop_features()
        writer.add([made.finish(file.location, file.fingerprint, file.info)])
    assert library.features(library.files()[0].id) is None


def test_what_the_library_would_not_take(library: Library) -> None:
    made = StreamingShardWriter(library.folder, SPACES)
    with pytest.raises(ValueError, match="not finite"):
        made.add_vectors(SpaceVectors(AUDIO.name, np.array([[0.0, 1.0]]), np.full((1, AUDIO.dim), np.inf, np.float32)))
    with pytest.raises(ValueError, match="not float16"):
        made.add_features(CodecFeatures("codec", np.zeros((1, 4), np.float32)))
    assert on_disk(library) == []


def test_a_full_disk(library: Library) -> None:
    """No file may grow beyond 1000 bytes: to a program that is a full disk."""
    made, file = StreamingShardWriter(library.folder, SPACES), encoded("/a", "one")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(NoSpaceLeft, match="make room"):
            made.add_vectors(vectors("one", AUDIO, 300))
            made.finish(file.location, file.fingerprint, file.info)
        made.discard()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert on_disk(library) == []
