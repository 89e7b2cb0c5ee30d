"""Exports on disk: whole or not there at all, and never in place of what somebody else made."""

from __future__ import annotations

import os
from pathlib import Path

from pesearch.errors import ExportError
from pesearch.export.formats import Form, form_of


def write_document(document: bytes, path: Path, form: Form) -> None:
    """Write a document, in place of an older one of that form.

    Errors: ExportError where something else has that name; OSError.
    """
    if path.exists() and form_of(path) is not form:
        raise ExportError(f"{path.name} is there already, and its ending is not that of {form}: name another file")
    part = path.with_name(f".{os.getpid()}.part")
    try:
        part.write_bytes(document)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def add_document(document: bytes, folder: Path, name: str, form: Form) -> Path:
    """Write a document into a folder under a name that is free there. Errors: OSError."""
    part = folder / f".{name}.{os.getpid()}.part"
    try:
        part.write_bytes(document)
        return kept(part, folder, name, f".{form}")
    finally:
        part.unlink(missing_ok=True)


def kept(part: Path, folder: Path, name: str, suffix: str) -> Path:
    """Rename a finished file to NAME.SUFFIX, or NAME_2.SUFFIX and so on where that is taken.

    The name is made first, as an empty file, so that of two who want it only one gets it.
    """
    number = 1
    while True:
        path = folder / (f"{name}{suffix}" if number == 1 else f"{name}_{number}{suffix}")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            number += 1
            continue
        part.replace(path)
        return path
