"""Clips that were cut for a tray: one archive on the disk of the server, until it was downloaded and forgotten."""

from __future__ import annotations

import re
import shutil
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from pesearch.app.storage_folders import kept_folder
from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.export.cut_clips import Clip, CutFailure, cut_clips
from pesearch.store.derived.lru_folder import CLIPS_FOLDER
from pesearch.store.disk.durable import AtomicFile

KEPT_SECONDS = 24 * 3600
"""A page that was left for a day is not come back to."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A ZIP of clips by its name, which nobody can guess; empty where none could be cut. And what could not be."""

    name: str
    not_cut: tuple[CutFailure, ...]


def pack(choices: Sequence[Selection], reencode: bool, library: Path, tell: Callable[[float], object]) -> Archive:
    """Cut each choice into a new archive, and tell how much is done, in 0..1.

    Raises ExportError where it cannot be written.
    """
    name, not_cut = uuid4().hex, []
    folder = kept_folder(library, CLIPS_FOLDER)
    file = AtomicFile(folder / f"{name}.zip", durable=False)
    try:
        folder.mkdir(exist_ok=True)
        _forget_old(folder)
        with TemporaryDirectory(prefix=".", dir=folder) as cut, zipfile.ZipFile(file.sink, "w") as archive:
            for number, outcome in enumerate(cut_clips(choices, Path(cut), reencode), start=1):
                if isinstance(outcome, Clip):
                    archive.write(outcome.path, outcome.path.name)
                    outcome.path.unlink()
                else:
                    not_cut.append(outcome)
                tell(number / len(choices))
        if len(not_cut) == len(choices):
            return Archive("", tuple(not_cut))
        file.commit()
        return Archive(name, tuple(not_cut))
    except OSError as error:
        raise ExportError(f"clips cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            file.abandon()


def archive_path(name: str, library: Path) -> Path | None:
    """The archive of that name; None when there is none."""
    if not re.fullmatch("[0-9a-f]{32}", name):
        return None
    path = kept_folder(library, CLIPS_FOLDER) / f"{name}.zip"
    return path if path.is_file() else None


def forget(name: str, library: Path) -> None:
    """Delete an archive that is no longer offered."""
    if path := archive_path(name, library):
        with suppress(OSError):  # the next one finds it
            path.unlink()


def _forget_old(folder: Path) -> None:
    """What was left when pages were closed and servers ended."""
    for path in folder.iterdir():
        with suppress(OSError):
            if path.stat().st_mtime > time.time() - KEPT_SECONDS:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
