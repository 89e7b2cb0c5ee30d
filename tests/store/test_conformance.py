"""What any library does, on disk or as the twin in memory, by each way to search vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import LibraryError
from pesearch.store.library import Library
from pesearch.types import SpaceName
from tests.store.contents import AUDIO, CODEC, FRAME, encoded, failure, features, location, queries, vectors
from tests.store.twin import Twin

pytestmark = pytest.mark.slow

Either = Library | Twin


def paths(library: Either, content: str) -> list[str]:
    file = library.find(content)
    return [] if file is None else [str(place.path) for place in file.locations]


def found(library: Either) -> set[int]:
    """The files that any search can find."""
    return {hit.file_id for hit in library.search(SpaceName.AUDIO, queries(AUDIO, 1), 1000)[0]}


def test_empty_library_finds_nothing(either: Either) -> None:
    assert either.search(SpaceName.AUDIO, queries(AUDIO), 5) == [[], []]
    assert either.files() == []


def test_finds_a_segment_by_its_own_vector(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one"), encoded("/b", "two", rows=5)])
    wanted = vectors("two", FRAME, 5).vectors[3:4]
    hits = either.search(SpaceName.FRAME, wanted, 4)[0]
    best = hits[0]
    assert (either.file(best.file_id).fingerprint, best.start_seconds, best.end_seconds) == ("two", 3.0, 4.0)
    assert best.score == pytest.approx(float((wanted**2).sum()), rel=1e-5)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_filter_applies_before_the_limit(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded(f"/{number}", f"content {number}") for number in range(20)])
    rare = either.files()[13]
    hits = either.search(SpaceName.AUDIO, queries(AUDIO, 1), 3, frozenset([rare.id]))[0]
    assert [hit.file_id for hit in hits] == [rare.id] * 3
    assert either.search(SpaceName.AUDIO, queries(AUDIO, 1), 3, frozenset()) == [[]]


def test_one_content_at_two_locations_is_one_file(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one"), encoded("/copy", "one")])
        writer.add([encoded("/later", "one")])
    assert paths(either, "one") == ["/a", "/copy", "/later"]
    assert len(either.search(SpaceName.AUDIO, queries(AUDIO, 1), 100)[0]) == 3


def test_ids_follow_the_batch_and_are_never_reused(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/z", "z"), encoded("/a", "a")])
        writer.remove([2])
        writer.add([encoded("/a", "a")])
    assert [(file.id, file.fingerprint) for file in either.files()] == [(1, "z"), (3, "a")]


def test_changed_content_replaces_the_old(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "old"), encoded("/b", "other")])
        writer.add([encoded("/a", "new", modified_ns=8)])
    assert either.find("old") is None
    assert paths(either, "new") == ["/a"]
    assert found(either) == {file.id for file in either.files()}


def test_changed_content_keeps_its_other_location(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "old"), encoded("/copy", "old")])
        writer.add([encoded("/a", "new")])
    assert (paths(either, "old"), paths(either, "new")) == (["/copy"], ["/a"])


def test_last_of_two_files_at_one_path_counts(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "first"), encoded("/a", "second")])
    assert [file.fingerprint for file in either.files()] == ["second"]
    assert len(found(either)) == 1


def test_moved_file_keeps_its_vectors(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/old", "one")])
        file = either.files()[0]
        writer.add_locations([(file.id, location("/new"))])
        writer.forget([Path("/old")])
    assert paths(either, "one") == ["/new"]
    assert found(either) == {file.id}


def test_last_location_of_a_file_is_not_removed(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/drive/a", "one"), encoded("/drive/copy", "one")])
        writer.record_failures(failure("/drive/broken"))
        writer.forget([Path("/drive/a"), Path("/drive/copy"), Path("/drive/broken")])
    assert paths(either, "one") == ["/drive/a", "/drive/copy"]
    assert either.failures() == []


def test_unknown_file_id_is_refused(either: Either) -> None:
    with either.writer() as writer, pytest.raises(LibraryError, match="99"):
        writer.add_locations([(99, location("/a"))])
    assert (either.generation(), either.known()) == (0, {})


def test_failure_is_stored_until_the_file_is_read(either: Either) -> None:
    with either.writer() as writer:
        writer.record_failures(failure("/b", "it is empty"), failure("/a", "it is not media"))
        assert either.failures() == [failure("/a", "it is not media"), failure("/b", "it is empty")]
        writer.add([encoded("/b", "one", modified_ns=9)])
    assert either.failures() == [failure("/a", "it is not media")]
    assert either.known()[Path("/b")].file_id == either.files()[0].id


def test_changed_file_that_cannot_be_read_loses_its_content(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one")])
        writer.record_failures(failure("/a", modified_ns=8))
    assert either.files() == []
    assert found(either) == set()


def test_unchanged_file_that_cannot_be_read_keeps_its_content(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one")])
        writer.record_failures(failure("/a", "input/output error"))
    place = either.known()[Path("/a")]
    assert (place.file_id, place.failure) == (either.files()[0].id, "input/output error")
    assert found(either) == {place.file_id}


def test_removed_file_is_not_found(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one"), encoded("/copy", "one"), encoded("/b", "two")])
        one = either.find("one")
        assert one is not None
        writer.remove([one.id, 12345])
    assert [file.fingerprint for file in either.files()] == ["two"]
    assert one.id not in found(either)
    with pytest.raises(LibraryError):
        either.file(one.id)


def test_every_change_raises_the_generation(either: Either) -> None:
    with either.writer() as writer:
        made = [
            writer.add([encoded("/a", "one")]),
            writer.record_failures(failure("/b")),
            writer.forget([]),
            writer.remove([1]),
        ]
    assert made == [1, 2, 3, 4]
    assert either.generation() == 4


def test_file_without_vectors_is_listed(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one", rows=0)])
    assert paths(either, "one") == ["/a"]
    assert either.search(SpaceName.FRAME, np.ones((1, FRAME.dim), dtype=np.float32), 3) == [[]]


def test_features_of_a_file(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one", steps=7), encoded("/b", "two"), encoded("/c", "three", rows=0, steps=4)])
    for file_id, content, steps in ((1, "one", 7), (3, "three", 4)):
        kept = either.features(file_id)
        assert kept is not None
        assert (kept.codec, kept.steps.dtype) == (CODEC, np.float16)
        np.testing.assert_array_equal(kept.steps, features(content, steps).steps)
    assert either.features(2) is None
    assert either.features(77) is None


def test_range_of_features(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one", steps=3), encoded("/b", "two", steps=7)])
    for start, stop in [(0, 0), (2, 5), (2, None), (5, 100), (7, 9), (100, 200), (5, 2)]:
        kept = either.features(2, start, stop)
        assert kept is not None
        np.testing.assert_array_equal(kept.steps, features("two", 7).steps[start:stop], f"{start}:{stop}")


def test_known_content_gets_features_once(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one")])
        writer.add([encoded("/copy", "one", steps=5), encoded("/another", "one", steps=5, codec="another")])
        writer.add([encoded("/a", "one", steps=9), encoded("/later", "one")])
    kept = either.features(1)
    assert kept is not None
    assert (kept.codec, len(kept.steps)) == (CODEC, 5)
    assert len(either.search(SpaceName.AUDIO, queries(AUDIO, 1), 100)[0]) == 3


def test_features_are_removed_with_their_file(either: Either) -> None:
    with either.writer() as writer:
        writer.add([encoded("/a", "one", steps=5), encoded("/b", "two", steps=5)])
        writer.remove([1])
        writer.add([encoded("/b", "new"), encoded("/a", "one")])
    assert [file.id for file in either.files()] == [3, 4]
    assert [either.features(file_id) for file_id in range(1, 5)] == [None] * 4
