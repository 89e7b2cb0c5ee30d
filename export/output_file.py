"""Writing exports to disk: atomically, and never over a file of another kind."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from pesearch.errors import ExportError
from pesearch.export.formats import ExportFormat, format_of


def write_document(document: bytes, path: Path, export_format: ExportFormat) -> None:
    """Write a document, replacing an existing file only if it has the suffix of the same format.

    Raises ExportError if the existing file has another suffix; OSError.
    """
    if path.exists() and format_of(path) is not export_format:
        raise ExportError(f"{path.name} already exists and is not a .{export_format} file: choose another name")
    part = path.with_name(f".{os.getpid()}.part")
    try:
        part.write_bytes(document)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_new_document(document: bytes, folder: Path, name: str, export_format: ExportFormat) -> Path:
    """Write a document into a folder under a free name, which is returned. Raises OSError."""
    part = folder / f".{name}.{os.getpid()}.part"
    try:
        part.write_bytes(document)
        return rename_to_free_name(part, folder, name, f".{export_format}")
    finally:
        part.unlink(missing_ok=True)


def rename_to_free_name(part: Path, folder: Path, name: str, suffix: str) -> Path:
    """Rename a finished file to NAME.SUFFIX, or to NAME_2.SUFFIX, NAME_3.SUFFIX, ... if that exists.

    An empty file reserves the name first, so two processes never get the same one. The loop is bounded by the number
    of files in the folder: each turn skips one that exists.
    """
    for number in count(1):
        path = folder / (f"{name}{suffix}" if number == 1 else f"{name}_{number}{suffix}")
        try:
            path.touch(exist_ok=False)
            break
        except FileExistsError:
            continue
    part.replace(path)
    return path
