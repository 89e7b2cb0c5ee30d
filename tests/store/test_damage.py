"""Damage in shards while they are read: rows are left out or restored and their files named; nothing else changes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pesearch.errors import LibraryUnavailable
from pesearch.store.index import mapped_rows
from pesearch.store.library import Library, open_library
from pesearch.store.shards import reader as shard_reader
from pesearch.store.shards.parity import PARITY_ROWS
from pesearch.types import Part
from tests.store.contents import AUDIO, FRAME, encoded, queries, vectors

ROWS = 16
FILES = ("one", "two", "three")


@pytest.fixture
def filled(library: Library) -> Library:
    with library.writer() as writer:
        writer.add([encoded(f"/{name}", name, rows=ROWS, steps=40) for name in FILES])
    return library


@pytest.fixture(params=["in memory", "mapped"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How shards are read."""
    if request.param == "mapped":
        monkeypatch.setattr(shard_reader, "MAX_IN_MEMORY_BYTES", 0)
    return str(request.param)


def damage(library: Library, changes: dict[bytes, bytes]) -> Path:
    """Replace bytes of the shard of AUDIO."""
    (path,) = (library.folder / "vectors" / "audio").iterdir()
    content = path.read_bytes()
    for before, after in changes.items():
        assert before in content
        content = content.replace(before, after)
    path.write_bytes(content)
    return path


def row(name: str, number: int) -> bytes:
    """The bytes of a vector of AUDIO."""
    return vectors(name, AUDIO, ROWS).vectors[number].astype(np.float16).tobytes()


def with_nan(values: bytes) -> bytes:
    return values[:-2] + np.array([np.nan], np.float16).tobytes()


def lose_rows(library: Library) -> Path:
    """Damage rows 1 and 5 of file "two", which are of one parity group."""
    assert (ROWS + 1) % PARITY_ROWS == (ROWS + 5) % PARITY_ROWS
    return damage(library, {row("two", 1): with_nan(row("two", 1)), row("two", 5): with_nan(row("two", 5))})


@pytest.mark.usefixtures("way")
def test_a_damaged_row_is_restored_and_its_file_named(filled: Library) -> None:
    expected = filled.search(AUDIO.name, queries(AUDIO), 99)
    path = damage(filled, {row("two", 1): with_nan(row("two", 1))})
    reader = open_library(filled.folder)
    found = reader.search(AUDIO.name, queries(AUDIO), 99)
    for hits, clean in zip(found, expected, strict=True):
        np.testing.assert_array_equal(hits.scores, clean.scores)
        np.testing.assert_array_equal(hits.segments, clean.segments)
    (named,) = reader.damage()
    assert (named.path, named.data, named.shard.name) == (Path("/two"), "audio", path.name)
    assert (named.rows, named.lost, named.restored) == (ROWS, 0, 1)


@pytest.mark.usefixtures("way")
def test_lost_rows_are_left_out_of_everything_that_is_read(filled: Library) -> None:
    lose_rows(filled)
    reader = open_library(filled.folder)
    kept = [0, 2, 3, 4, *range(6, ROWS)]
    written = {name: vectors(name, AUDIO, ROWS) for name in FILES}
    for name, hits in zip(
        ("one", "three"), (reader.vectors(1, AUDIO.name), reader.vectors(3, AUDIO.name)), strict=True
    ):
        np.testing.assert_array_equal(hits.vectors, written[name].vectors)
    of_two = reader.vectors(2, AUDIO.name)
    np.testing.assert_array_equal(of_two.vectors, written["two"].vectors[kept])
    np.testing.assert_array_equal(of_two.segments, written["two"].segments[kept])
    (read,) = reader.vectors_of([Part(2, 0.0, 3.0), Part(3, 0.0, 1.0), Part(2, 5.2, 5.8)], AUDIO.name)
    assert read.parts == [Part(2, 0.0, 3.0), Part(3, 0.0, 1.0)]
    np.testing.assert_array_equal(read.vectors[:2], written["two"].vectors[[0, 2]])
    (hits, _) = reader.search(AUDIO.name, queries(AUDIO), 99)
    everything = np.concatenate([written["one"].vectors, written["two"].vectors[kept], written["three"].vectors])
    np.testing.assert_allclose(hits.scores, np.sort(everything @ queries(AUDIO)[0])[::-1], rtol=1e-5)
    assert reader.rows(AUDIO.name) == len(reader.sample(AUDIO.name, 99)) == 3 * ROWS - 2
    assert reader.rows(FRAME.name) == 3 * ROWS
    (named,) = reader.damage()
    assert (named.path, named.lost, named.restored) == (Path("/two"), 2, 0)
    assert str(named) == "2 of its 16 audio vectors are damaged and left out"


def test_damage_that_is_found_during_a_read_of_a_pinned_library(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mapped rows are checked when they are read for the first time, and only then."""
    monkeypatch.setattr(shard_reader, "MAX_IN_MEMORY_BYTES", 0)
    lose_rows(filled)
    pinned = open_library(filled.folder).pinned()
    (first,) = pinned.vectors_of([Part(1, 0.0, 99.0)], AUDIO.name)
    assert (len(first.vectors), pinned.damage(), pinned.rows(AUDIO.name)) == (ROWS, (), 3 * ROWS)
    (second,) = pinned.vectors_of([Part(1, 0.0, 99.0), Part(2, 0.0, 99.0)], AUDIO.name)
    assert (len(second.vectors), pinned.rows(AUDIO.name)) == (2 * ROWS - 2, 3 * ROWS - 2)
    checked = []
    compute = mapped_rows.row_checksums
    monkeypatch.setattr(mapped_rows, "row_checksums", lambda values: checked.append(values) or compute(values))
    pinned.vectors(1, AUDIO.name)
    assert checked == []


@pytest.mark.usefixtures("way")
def test_a_damaged_time_does_not_move_a_segment(filled: Library) -> None:
    times = np.arange(ROWS, dtype=np.float64)  # the starts of each file
    (path,) = (filled.folder / "vectors" / "audio").iterdir()
    content = path.read_bytes()
    at = content.index(np.concatenate([times, times]).tobytes()) + 8 * 2 + 6
    path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
    reader = open_library(filled.folder)
    np.testing.assert_array_equal(reader.vectors(1, AUDIO.name).segments[:, 0], times)
    assert [(named.path, named.restored) for named in reader.damage()] == [(Path("/one"), 1)]


@pytest.mark.usefixtures("way")
def test_a_truncated_shard_leaves_other_spaces_and_names_its_files(filled: Library) -> None:
    (path,) = (filled.folder / "vectors" / "audio").iterdir()
    path.write_bytes(path.read_bytes()[:-9])
    reader = open_library(filled.folder)
    assert [len(hits) for hits in reader.search(AUDIO.name, queries(AUDIO), 9)] == [0, 0]
    assert [len(hits) for hits in reader.search(FRAME.name, queries(FRAME), 9)] == [9, 9]
    assert [(named.path.name, named.lost) for named in reader.damage()] == [(name, ROWS) for name in sorted(FILES)]
    assert {"has the wrong size" in named.reason and path.name in named.reason for named in reader.damage()} == {True}


def exit_of(action: Callable[[], object]) -> int:
    """The wait status of a child process that runs `action`: a signal would end this one."""
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_mapped_shard_that_is_cut_off_later_does_not_end_the_process(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_reader, "MAX_IN_MEMORY_BYTES", 0)
    reader = open_library(filled.folder)
    assert reader.rows(AUDIO.name) == 3 * ROWS
    (path,) = (filled.folder / "vectors" / "audio").iterdir()

    def read() -> None:
        os.truncate(path, 0)
        assert len(reader.vectors(1, AUDIO.name).vectors) == len(reader.search(AUDIO.name, queries(AUDIO), 9)[0]) == 0
        assert [named.path.name for named in reader.damage()] == sorted(FILES)
        os._exit(0)

    assert exit_of(read) == 0


def test_a_damaged_shard_that_is_cut_off_later_is_examined_again(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_reader, "MAX_IN_MEMORY_BYTES", 0)
    path = lose_rows(filled)
    (features,) = (filled.folder / "features").iterdir()
    steps = filled.features(1)
    assert steps is not None
    features.write_bytes(features.read_bytes().replace(steps.steps[3].tobytes(), with_nan(steps.steps[3].tobytes())))
    reader = open_library(filled.folder)
    assert len(reader.search(AUDIO.name, queries(AUDIO), 99)[0]) == 3 * ROWS - 2
    assert reader.features(1) is not None

    def read() -> None:
        os.truncate(path, 0)
        os.truncate(features, 0)
        assert len(reader.vectors(1, AUDIO.name).vectors) == len(reader.search(AUDIO.name, queries(AUDIO), 9)[0]) == 0
        assert reader.features(1) is reader.features(3) is None
        os._exit(0)

    assert exit_of(read) == 0


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_shard_that_cannot_be_read_now_is_no_damage(
    filled: Library, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Its drive may come back: nothing is left out, and the line sends nobody to repair it."""
    opened = Path.open

    def refuse(path: Path, mode: str = "r", **options: Any) -> object:
        if path.suffix == ".arrow":
            raise OSError(code, os.strerror(code), str(path))
        return opened(path, mode, **options)

    monkeypatch.setattr(Path, "open", refuse)
    reader = open_library(filled.folder)
    with pytest.raises(LibraryUnavailable, match=os.strerror(code)) as caught:
        reader.search(AUDIO.name, queries(AUDIO), 3)
    assert "repair" not in str(caught.value)
    assert reader.damage() == ()
    monkeypatch.undo()
    assert len(reader.search(AUDIO.name, queries(AUDIO), 99)[0]) == 3 * ROWS


@pytest.mark.usefixtures("way")
def test_features_are_restored_or_not_used(filled: Library) -> None:
    (path,) = (filled.folder / "features").iterdir()
    steps = [filled.features(number).steps for number in (1, 2, 3)]  # type: ignore[union-attr]
    content = path.read_bytes()
    flipped = content.replace(steps[1][7].tobytes(), with_nan(steps[1][7].tobytes()))
    path.write_bytes(flipped)
    reader = open_library(filled.folder)
    np.testing.assert_array_equal(reader.features(2).steps, steps[1])  # type: ignore[union-attr]
    assert [(named.path, named.restored, named.lost) for named in reader.damage()] == [(Path("/two"), 1, 0)]
    other = steps[1][7 + PARITY_ROWS].tobytes()
    path.write_bytes(flipped.replace(other, with_nan(other)))
    reader = open_library(filled.folder)
    assert reader.features(2, 0, 1) is None  # none of its steps is used, whichever is asked for
    np.testing.assert_array_equal(reader.features(3).steps, steps[2])  # type: ignore[union-attr]
    (named,) = reader.damage()
    assert str(named) == "its stored sound features are damaged and not used"


def test_each_state_of_a_shard_is_verified_once(filled: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_reader, "MAX_IN_MEMORY_BYTES", 0)
    reader = open_library(filled.folder)
    assert reader.rows(AUDIO.name) == 3 * ROWS  # mapped before
    assert len(list(reader.verify())) == 3
    monkeypatch.setattr(mapped_rows, "row_checksums", None)  # what was verified as a whole is not checked by rows
    assert len(reader.vectors(1, AUDIO.name).vectors) == ROWS
    monkeypatch.undo()
    assert (list(reader.verify()), reader.damage()) == ([], ())
    path = lose_rows(filled)
    assert [found.name for found in reader.verify()] == [path.name]
    assert [(named.path, named.lost) for named in reader.damage()] == [(Path("/two"), 2)]
    assert reader.rows(AUDIO.name) == 3 * ROWS - 2


def test_a_checksum_that_fits_no_row_names_all_files_of_the_shard(filled: Library) -> None:
    """The origin of the vectors, which no search reads."""
    path = damage(filled, {b"made-up-audio": b"made-up-audIo"})
    reader = open_library(filled.folder)
    assert len(reader.search(AUDIO.name, queries(AUDIO), 99)[0]) == 3 * ROWS
    assert reader.damage() == ()
    assert path.name in [found.name for found in reader.verify()]
    assert {str(named) for named in reader.damage()} == {"its audio may differ from what was written"}
    assert len(reader.search(AUDIO.name, queries(AUDIO), 99)[0]) == 3 * ROWS


def test_spaces_in_memory_can_be_checked_without_a_search(filled: Library) -> None:
    lose_rows(filled)
    reader = open_library(filled.folder)
    reader.check_in_memory()
    assert [named.lost for named in reader.damage()] == [2]
