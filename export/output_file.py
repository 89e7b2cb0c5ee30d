"""Writing exports: files atomically, and never over one of another kind; FIFOs and devices as they are."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from pesearch.cues import EXPORTED_CHAPTERS
from pesearch.errors import ExportError
from pesearch.export.formats import ExportFormat, format_of
from pesearch.store.disk.durable import AtomicFile, undone_by, write_atomically


def write_document(document: bytes, path: Path, export_format: ExportFormat) -> None:
    """Write a document to a stream or a file, replacing an existing one only if it has the suffix of the same format.

    A link stays, and its target is written. Raises ExportError if the existing file has another suffix; OSError.
    """
    if is_stream(path):
        with path.open("wb") as stream:
            stream.write(document)
        return
    path = Path(os.path.realpath(path))  # Path.resolve raises RuntimeError for circular links
    if path.exists() and format_of(path) is not export_format:
        raise ExportError(f"{path.name} already exists and is not a .{export_format} file: choose another name")
    write_atomically(path, lambda sink: sink.write(document), durable=False)


def is_stream(path: Path) -> bool:
    """Whether there is a FIFO or a device at a path, or at the target of a link: it is written to, not replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def write_new_document(document: bytes, folder: Path, name: str, export_format: ExportFormat) -> Path:
    """Write a document into a folder under a free name, which is returned. Raises OSError."""
    file = AtomicFile(folder / name, durable=False)
    with undone_by(file.abandon):
        file.sink.write(document)
        return commit_to_free_name(file, folder, name, f".{export_format}")


def write_chapters(document: bytes, folder: Path, stem: str, written: Collection[Path]) -> Path:
    """Write the chapters of a film to STEM.chapters.vtt, or to STEM.chapters_2.vtt, ...; returns the path.

    The first of these is taken that does not exist or holds chapters that were exported before, except those `written`
    in the same export: films of the same name keep a document each. Raises OSError.
    """
    name, suffix = f"{stem}.chapters", f".{ExportFormat.VTT}"
    for number in count(1):
        path = folder / _numbered(name, number, suffix)
        if path in written:
            continue
        if _has_exported_chapters(path):
            write_document(document, path, ExportFormat.VTT)
            break
        if not path.exists():
            return write_new_document(document, folder, name, ExportFormat.VTT)
    return path


def _has_exported_chapters(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return EXPORTED_CHAPTERS.encode() in file.read(200)


def _numbered(name: str, number: int, suffix: str) -> str:
    return f"{name}{suffix}" if number == 1 else f"{name}_{number}{suffix}"


def commit_to_free_name(file: AtomicFile, folder: Path, name: str, suffix: str) -> Path:
    """Rename a finished file to NAME.SUFFIX, or to NAME_2.SUFFIX, NAME_3.SUFFIX, ... if that exists.

    An empty file reserves the name first, so two processes never get the same one. The loop is bounded by the number
    of files in the folder: each turn skips one that exists.
    """
    for number in count(1):
        path = folder / _numbered(name, number, suffix)
        try:
            path.touch(exist_ok=False)
            break
        except FileExistsError:
            continue
    file.commit(path)
    return path


@contextmanager
def new_name(path: Path) -> Iterator[None]:
    """Reserve the name of a new file by an empty one, which the block replaces; after an error it is removed.

    Raises ExportError if the name is taken, OSError.
    """
    try:
        path.open("xb").close()
    except FileExistsError as error:
        raise ExportError(f"{path} already exists: choose another name") from error
    with undone_by(path.unlink):
        yield
