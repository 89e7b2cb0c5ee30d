"""The library as a folder: creating, opening, what is stored, what is refused."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.errors import LibraryDamaged, LibraryError, LibraryNotFound, ModelMismatch
from pesearch.store.library import Library, create_library, open_library
from pesearch.types import MediaKind, SpaceName, SpaceVectors
from tests.store.contents import AUDIO, FRAME, SECONDS, SPACES, encoded, failure, location, queries, vectors
from tests.store.templates import copy_library


def test_opens_with_all_commits(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
        writer.record_failures(failure("/b"))
    again = open_library(library.folder)
    assert (again.model_set, again.spaces, again.generation()) == ("made-up", SPACES, 2)
    assert (again.files(), again.known(), again.failures()) == (library.files(), library.known(), library.failures())
    assert again.files()[0].info == encoded("/a", "one").info


def test_no_library(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound, match="pesearch index"):
        open_library(tmp_path)


def test_second_library_in_one_folder_is_refused(library: Library) -> None:
    with pytest.raises(LibraryError, match="already"):
        create_library(library.folder, "made-up", SPACES)
    assert open_library(library.folder).spaces == SPACES


def test_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="cannot be used"):
        create_library(tmp_path / "file" / "library", "made-up", SPACES)


def test_folders_of_any_name_without_backslash_and_question_mark(empty_library: Path, tmp_path: Path) -> None:
    odd = copy_library(empty_library, tmp_path / 'it\'s "a" #%&$`{x}[y]* 東京\n')
    with odd.writer() as writer:
        writer.add([encoded("/a", "one")])
    assert len(open_library(odd.folder).files()) == 1
    for name in ("end\\", "back\\slash", "what?", "what?/library"):
        with pytest.raises(LibraryError, match="rename it"):
            create_library(tmp_path / name, "made-up", SPACES)
        assert not (tmp_path / name).exists()
    moved = shutil.copytree(odd.folder, tmp_path / "moved?")
    with pytest.raises(LibraryError, match="rename it"):
        open_library(moved)


def test_interrupted_creation_can_be_repeated(tmp_path: Path) -> None:
    (tmp_path / "library.duckdb.new").write_bytes(b"half a catalogue")
    assert create_library(tmp_path, "made-up", SPACES).files() == []
    assert not (tmp_path / "library.duckdb.new").exists()


def test_damaged_catalogue(library: Library) -> None:
    (library.folder / "library.duckdb").write_bytes(b"not a catalogue" * 1000)
    with pytest.raises(LibraryDamaged, match="cannot be read"):
        open_library(library.folder)


def test_other_model_set_is_refused(library: Library) -> None:
    library.require("made-up", list(reversed(SPACES)))
    with pytest.raises(ModelMismatch, match="--model made-up"):
        library.require("small", SPACES)
    with pytest.raises(ModelMismatch, match="another revision"):
        library.require("made-up", [AUDIO, replace(FRAME, revision="2")])


def test_other_window_length_is_not_written_to(library: Library) -> None:
    with duckdb.connect(library.folder / "library.duckdb") as connection:
        connection.execute("UPDATE library SET window_seconds = 4")
    with pytest.raises(ModelMismatch, match="windows"), open_library(library.folder).writer():
        pass


def test_status(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one"), encoded("/copy", "one"), encoded("/b", "two", rows=4)])
        writer.record_failures(failure("/c"))
    status = library.status()
    assert (status.files, status.failures, status.generation, status.model_set) == (2, 1, 2, "made-up")
    assert status.files_by_kind == {MediaKind.VIDEO: 2, MediaKind.AUDIO: 0, MediaKind.IMAGE: 0}
    assert status.hours == pytest.approx(2 * SECONDS / 3600)
    assert status.vectors == {SpaceName.AUDIO: 7, SpaceName.FRAME: 7}
    assert status.size_bytes >= (library.folder / "library.duckdb").stat().st_size


def test_vectors_of_one_file(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one"), encoded("/b", "two", rows=5)])
    stored, wanted = library.vectors(2, SpaceName.FRAME), vectors("two", FRAME, 5)
    np.testing.assert_array_equal(stored.vectors, wanted.vectors)
    np.testing.assert_array_equal(stored.segments, wanted.segments)
    assert library.vectors(77, SpaceName.FRAME).vectors.shape == (0, FRAME.dim)


def test_space_that_the_library_does_not_have(library: Library) -> None:
    assert library.search(SpaceName.VIDEO, queries(AUDIO, 3), 5) == [[], [], []]
    with pytest.raises(LibraryError, match="video"):
        library.vectors(1, SpaceName.VIDEO)


@pytest.mark.parametrize("value", [np.nan, np.inf, 70_000.0])
def test_vectors_that_do_not_fit_float16_are_refused(library: Library, value: float) -> None:
    bad = SpaceVectors(SpaceName.AUDIO, np.array([[0.0, 1.0]]), np.full((1, AUDIO.dim), value, dtype=np.float32))
    with library.writer() as writer, pytest.raises(ValueError, match="not finite in float16"):
        writer.add([encoded("/good", "good"), replace(encoded("/bad", "bad"), vectors=(bad,))])
    assert (library.generation(), library.files()) == (0, [])


def test_vectors_of_another_dimension_are_refused(library: Library) -> None:
    wide = SpaceVectors(SpaceName.AUDIO, np.array([[0.0, 1.0]]), np.ones((1, AUDIO.dim + 1), dtype=np.float32))
    with library.writer() as writer, pytest.raises(ValueError, match="does not fit"):
        writer.add([replace(encoded("/a", "one"), vectors=(wide,))])


def test_pinned_library_stays_at_its_generation(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
        pinned = library.pinned()
        writer.remove([1])
    assert [file.fingerprint for file in pinned.files()] == ["one"]
    assert len(pinned.search(SpaceName.AUDIO, queries(AUDIO, 1), 9)[0]) == 3
    assert (pinned.generation(), library.generation()) == (1, 2)


def test_library_that_replaces_another_in_its_folder_is_seen(library: Library) -> None:
    (library.folder / "library.duckdb").unlink()
    create_library(library.folder, "another", [AUDIO])
    assert (library.model_set, library.spaces) == ("another", (AUDIO,))


@settings(max_examples=5)
@given(names=st.sets(st.binary(min_size=1, max_size=60).filter(lambda name: not set(name) & {0, 0x2F}), min_size=1))
def test_paths_of_any_bytes(tmp_path_factory: pytest.TempPathFactory, empty_library: Path, names: set[bytes]) -> None:
    library = copy_library(empty_library, tmp_path_factory.mktemp("any") / "library")
    paths = [os.fsdecode(b"/folder/" + name) for name in sorted(names - {b".", b".."})]
    with library.writer() as writer:
        writer.add([encoded(path, f"content {number}") for number, path in enumerate(paths)])
        writer.record_failures(*(failure(f"{path}.bad", f"cannot read {path}") for path in paths))
    assert {str(path) for path in library.known()} == {*paths, *(f"{path}.bad" for path in paths)}
    assert [str(file.path) for file in library.files()] == paths
    assert all(each.reason.isprintable() or each.reason.encode("utf-8") for each in library.failures())


def test_time_of_any_size(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/past", "old", modified_ns=-(2**62)), encoded("/future", "new", modified_ns=2**62)])
    assert [place.modified_ns for place in library.known().values()] == [2**62, -(2**62)]
    assert library.files()[0].locations == (location("/past", -(2**62)),)
