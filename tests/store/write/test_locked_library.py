"""A library that is moved, deleted or replaced during a write: nothing is written to what takes its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.errors import LibraryError
from pesearch.store.derived.previews import Preview
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.store.write.writer import Writer
from tests.store.contents import SPACES, encoded, features


def move(folder: Path) -> None:
    folder.rename(folder.with_name("old"))


def replace(folder: Path) -> None:
    move(folder)
    with create_library(folder, "made-up", SPACES).writer() as writer:
        writer.add([encoded("/other", "other", steps=5)])


def replace_by_link(folder: Path) -> None:
    move(folder)
    with create_library(folder.with_name("other"), "made-up", SPACES).writer() as writer:
        writer.add([encoded("/other", "other")])
    folder.symlink_to(folder.with_name("other"))


def restore_folder(folder: Path) -> None:
    move(folder)
    shutil.copytree(folder.with_name("backup"), folder)


def restore_files(folder: Path) -> None:
    """As rsync does: files are replaced, the folder and the lock stay."""
    for name in ("library.duckdb", "generation"):
        shutil.copy2(folder.with_name("backup") / name, folder / "restored")
        (folder / "restored").rename(folder / name)


REPLACEMENTS: dict[str, Callable[[Path], None]] = {
    "moved": move,
    "deleted": shutil.rmtree,
    "another library": replace,
    "a link to another library": replace_by_link,
    "a backup of the folder": restore_folder,
    "a backup of the catalogue": restore_files,
    "without the lock file": lambda folder: (folder / "writer.lock").unlink(),
}

CHANGES: dict[str, Callable[[Writer], object]] = {
    "add": lambda writer: writer.add([encoded("/new", "new", steps=5)]),
    "remove": lambda writer: writer.remove([1]),
    "compact": Writer.compact,
    "maintain": lambda writer: list(writer.maintain()),
    "sweep": Writer.sweep,
    "sweep previews": Writer.sweep_previews,
    "keep previews": lambda writer: writer.keep_previews("one", [Preview(0.0, b"jpeg")]),
}


def tree(folder: Path) -> dict[str, bytes | None]:
    """All files and folders below a folder; none if it does not exist."""
    found = folder.rglob("*") if folder.exists() else ()
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in found}


@pytest.mark.parametrize("kind", REPLACEMENTS)
def test_nothing_is_written_to_what_takes_its_place(library: Library, kind: str) -> None:
    folder = library.folder
    shutil.copytree(folder, folder.with_name("backup"))
    with pytest.raises(LibraryError, match="moved, deleted or replaced"), library.writer() as writer:
        writer.add([encoded("/a", "one", steps=5)])
        REPLACEMENTS[kind](folder)
        there = tree(folder)
        for change in CHANGES.values():
            if kind == "a backup of the catalogue" and change in (CHANGES["add"], CHANGES["keep previews"]):
                continue  # the folder is still its own: shards there are swept
            with pytest.raises(LibraryError, match="moved, deleted or replaced"):
                change(writer)
            assert tree(folder) == there
        writer.add([encoded("/b", "two")])


def test_a_stream_writes_nothing_to_another_library(library: Library) -> None:
    film = encoded("/film", "film")
    stream = StreamingShardWriter(library.folder, SPACES)
    stream.add_vectors(film.vectors[0])
    replace(library.folder)
    there = tree(library.folder)
    with pytest.raises(LibraryError, match="moved, deleted or replaced"):
        stream.add_vectors(film.vectors[1])
    with pytest.raises(LibraryError, match="moved, deleted or replaced"):
        stream.add_features(features("film", 5))
    with pytest.raises(LibraryError, match="moved, deleted or replaced"):
        stream.finish(film.location, film.fingerprint, film.info)
    stream.discard()
    assert tree(library.folder) == there


def test_what_was_committed_is_in_the_moved_library(library: Library) -> None:
    with pytest.raises(LibraryError, match="moved, deleted or replaced"), library.writer() as writer:
        writer.add([encoded("/a", "one")])
        replace(library.folder)
        writer.add([encoded("/b", "two")])
    moved = open_library(library.folder.with_name("old"))
    assert [file.fingerprint for file in moved.files()] == ["one"]
    with moved.writer() as writer:
        writer.add([encoded("/b", "two")])
    assert [file.fingerprint for file in moved.files()] == ["one", "two"]
    assert [file.fingerprint for file in open_library(library.folder).files()] == ["other"]
