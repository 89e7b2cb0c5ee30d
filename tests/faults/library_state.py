"""What a library holds, by value, and whether it is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

from pesearch.errors import LibraryDamaged, LibraryNotFound
from pesearch.store.catalogue.connection import reading
from pesearch.store.catalogue.create import migrate_catalogue
from pesearch.store.catalogue.stamp import read_stamp
from pesearch.store.examination import examine
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.write.writer import Writer
from pesearch.types import SpaceName
from tests.store.contents import SPACES, encoded


@dataclass(frozen=True, slots=True)
class LibraryState:
    """The contents of a library: facts as text, none if there is no library. `shards` are the registered files,
    relative to its folder; `damage` is what doctor finds. `is_announced`: the generation file has the last commit."""

    contents: frozenset[str]
    shards: frozenset[Path]
    damage: frozenset[str]
    is_announced: bool


NO_LIBRARY = LibraryState(frozenset(), frozenset(), frozenset(), False)


def read_state(folder: Path) -> LibraryState:
    """The state of the library in a folder."""
    try:
        migrate_catalogue(folder)
        with reading(folder):  # all reads share it
            library = Library(folder)
            contents = frozenset(_contents(library))
            found = examine(folder)
    except LibraryNotFound:
        return NO_LIBRARY
    damage = {str(each.shard.relative_path) for each in found.damaged}
    if found.lost_commits:
        damage.add(f"{found.lost_commits} lost commits")
    snapshot = library._generation.snapshot
    shards = frozenset(shard.relative_path for shard in snapshot.shards)
    return LibraryState(contents, shards, frozenset(damage), read_stamp(folder) == snapshot.stamp)


def commit_next(folder: Path) -> None:
    """What the next command may do: add a file, to a new library if there is none."""
    try:
        library = open_library(folder)
    except LibraryNotFound:
        library = create_library(folder, "made-up", SPACES)
    with patch.object(Writer, "maintain", lambda self: iter(())), library.writer() as writer:
        writer.add([encoded("/next", "next", steps=5)])


def unregistered_files(folder: Path, state: LibraryState) -> set[str]:
    """The files in the folders of shards that are no registered shards, relative to the library's folder."""
    found = (path for name in ("vectors", "features") for path in (folder / name).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in found} - {str(path) for path in state.shards}


def _contents(library: Library) -> Iterator[str]:
    yield f"{library.model_set} {library.spaces} {library.failures()}"
    yield f"rows of cues: {library.rows(SpaceName.CUE)}"
    for file in library.files():
        yield f"{file} {library.cues(file.id)}"
        yield f"{file.id} features {_digest(partial(library.features, file.id))}"
        for space in library.spaces:
            yield f"{file.id} {space.name} {_digest(partial(library.vectors, file.id, space.name))}"


def _digest(read: Callable[[], object]) -> str:
    """The hash of stored numbers; `damaged` if they cannot be read."""
    try:
        stored = read()
    except LibraryDamaged:
        return "damaged"
    if stored is None:
        return "none"
    numbers = getattr(stored, "steps", None)
    numbers = getattr(stored, "vectors", None) if numbers is None else numbers
    return hashlib.blake2b(numbers.tobytes(), digest_size=8).hexdigest()
