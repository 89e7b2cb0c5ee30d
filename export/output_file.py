"""Exports on disk: whole or not there at all, and never in place of what somebody else made."""

from __future__ import annotations

from pathlib import Path

from pesearch.errors import ExportError
from pesearch.export.formats import Form, form_of
from pesearch.store.disk.durable import AtomicFile, undone_by, write_atomically


def write_document(document: bytes, path: Path, form: Form) -> None:
    """Write a document, in place of an older one of that form.

    Errors: ExportError where something else has that name; OSError.
    """
    if path.exists() and form_of(path) is not form:
        raise ExportError(f"{path.name} is there already, and its ending is not that of {form}: name another file")
    write_atomically(path, lambda sink: sink.write(document), durable=False)


def add_document(document: bytes, folder: Path, name: str, form: Form) -> Path:
    """Write a document into a folder under a name that is free there. Errors: OSError."""
    file = AtomicFile(folder / name, durable=False)
    with undone_by(file.abandon):
        file.sink.write(document)
        return commit_to_free_name(file, folder, name, f".{form}")


def commit_to_free_name(file: AtomicFile, folder: Path, name: str, suffix: str) -> Path:
    """Rename a finished file to NAME.SUFFIX, or NAME_2.SUFFIX and so on where that is taken.

    The name is reserved by an empty file first, so that of two processes that want it only one gets it.
    """
    number = 1
    while True:
        path = folder / (f"{name}{suffix}" if number == 1 else f"{name}_{number}{suffix}")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            number += 1
            continue
        file.commit(path)
        return path
