"""What viewers and programs may name: files and folders of the library, and no other path of the machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pesearch.errors import QueryError
from pesearch.media.verified_file import open_indexed
from pesearch.path_scope import PathScope
from pesearch.search.query.language.nodes import Example, Literal, Node, Not, Words
from pesearch.search.query.language.parser import parse
from pesearch.store.library import Library


def ensure_library_examples(text: str, library: Library) -> None:
    """Check that the examples named in a query are files of the library, unchanged; nothing else is opened.

    Raises QueryError for another path, whether or not there is a file; MediaError; QuerySyntaxError.
    """
    for example in _examples(parse(text)):
        if not _is_unchanged_file(example.resolved_path, library):
            raise QueryError(f"{example.path} is not a file of this library")


def ensure_library_files(paths: Iterable[Path], library: Library) -> None:
    """Check that paths are those of files of the library, unchanged; nothing else is opened.

    Raises QueryError for another path, MediaError.
    """
    for path in paths:
        if not _is_unchanged_file(path, library):
            raise QueryError(f"{path} is not a file of this library")


def ensure_library_folders(paths: Iterable[Path], library: Library) -> None:
    """Check that at or below each path the library has a file, whatever else there is on this machine.

    Raises QueryError.
    """
    known = library.known()
    for path in paths:
        if not path.is_absolute():
            raise QueryError(f"{path} is not an absolute path")
        if PathScope([path]).find(known) is None:
            raise QueryError(f"nothing of {path} is in this library")


def _is_unchanged_file(path: Path, library: Library) -> bool:
    """Whether the library has a file at a path. Raises MediaError when it has changed since it was indexed."""
    location = library.known().get(path)
    if location is None or location.file_id is None:
        return False
    open_indexed(library.file(location.file_id)).close()
    return True


def _examples(node: Node) -> Iterator[Example]:
    match node:
        case Example():
            yield node
        case Words() | Literal():
            return
        case Not(part):
            yield from _examples(part)
        case _:
            for each in node.parts:
                yield from _examples(each)
