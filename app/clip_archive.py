"""ZIP archives of the clips cut for a tray, kept on the server's disk until they are too old, or need too much room."""

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

from pesearch.app.storage_folders import MAX_CLIPS_BYTES, clip_archives
from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.export.cut_clips import Clip, CutFailure, cut_clips
from pesearch.store.disk.durable import AtomicFile

MAX_AGE_SECONDS = 24 * 3600
"""Older archives are deleted when the next one is created: by then their page is assumed to be closed."""

MAX_ARCHIVE_BYTES = MAX_CLIPS_BYTES // 2
"""The largest archive."""


@dataclass(frozen=True, slots=True)
class ClipArchive:
    """An archive by its unguessable name, "" when no clip could be cut; and the selections that could not be cut."""

    name: str
    not_cut: tuple[CutFailure, ...]


def create_archive(
    selections: Sequence[Selection], reencode: bool, library: Path, on_progress: Callable[[float], object]
) -> ClipArchive:
    """Cut each selection into a new archive. `on_progress` gets the fraction done, in 0..1, after each clip.

    Raises ExportError when the archive cannot be written, or becomes too large.
    """
    name, not_cut = uuid4().hex, []
    archives = clip_archives(library)
    folder = archives.folder
    file = AtomicFile(folder / f"{name}.zip", durable=False)
    try:
        folder.mkdir(exist_ok=True)
        _delete_old(folder)
        with TemporaryDirectory(prefix=".", dir=folder) as scratch, zipfile.ZipFile(file.sink, "w") as archive:
            for number, outcome in enumerate(cut_clips(selections, Path(scratch), reencode), start=1):
                if isinstance(outcome, Clip):
                    if outcome.path.stat().st_size + file.sink.tell() > MAX_ARCHIVE_BYTES:
                        raise ExportError(
                            f"the clips take more than {MAX_ARCHIVE_BYTES >> 30} GB: choose fewer, or cut them in a "
                            "terminal with `pesearch export`"
                        )
                    archive.write(outcome.path, outcome.path.name)
                    outcome.path.unlink()
                else:
                    not_cut.append(outcome)
                on_progress(number / len(selections))
        if len(not_cut) == len(selections):
            return ClipArchive("", tuple(not_cut))
        archives.make_room(file.commit())
        return ClipArchive(name, tuple(not_cut))
    except OSError as error:
        raise ExportError(f"clips cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            file.abandon()


def archive_path(name: str, library: Path) -> Path | None:
    """The file of the archive with that name; None when there is none."""
    if not re.fullmatch("[0-9a-f]{32}", name):
        return None
    return clip_archives(library).path(f"{name}.zip")


def delete_archive(name: str, library: Path) -> None:
    """Delete an archive that is no longer offered for download."""
    if path := archive_path(name, library):
        with suppress(OSError):  # deleted later, when it is too old
            path.unlink()


def _delete_old(folder: Path) -> None:
    """Delete archives and scratch folders left behind by closed pages and stopped servers."""
    for path in folder.iterdir():
        with suppress(OSError):
            if path.stat().st_mtime > time.time() - MAX_AGE_SECONDS:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
