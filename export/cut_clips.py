"""Cutting selections into clip files."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.export.clip_selection import Selection
from pesearch.export.output_file import rename_to_free_name
from pesearch.export.safe_names import safe_stem
from pesearch.formatting import span
from pesearch.media.cut_clip import cut_clip, muxing
from pesearch.store.disk.durable import AtomicFile, undone_by


@dataclass(frozen=True, slots=True)
class Clip:
    """A selection and the file it was cut to."""

    selection: Selection
    path: Path


@dataclass(frozen=True, slots=True)
class CutFailure:
    """A selection that could not be cut, and the reason."""

    selection: Selection
    reason: str


def cut_clips(selections: Iterable[Selection], folder: Path, reencode: bool = False) -> Iterator[Clip | CutFailure]:
    """Cut each selection into `folder`, which must exist, and yield each outcome; a failure does not stop the others.

    By default packets are copied: fast and lossless, but the clip begins at the last key frame before the selection.
    `reencode` is frame-accurate: H.264 and AAC in MP4, or FLAC for sound alone. Stills are copied unchanged. Files
    are written under a temporary name, and existing files are never replaced. Raises OSError for the folder.
    """
    for selection in selections:
        try:
            yield Clip(selection, _cut(selection, folder, reencode))
        except MediaError as error:
            yield CutFailure(selection, str(error))


def _cut(selection: Selection, folder: Path, reencode: bool) -> Path:
    if not selection.path.exists():
        raise MediaError("it is not there: is its drive connected?")
    if selection.is_still:
        suffix, times = selection.path.suffix, ""
    else:
        how = muxing(selection.path, reencode)
        suffix, times = how.suffix, "_" + span(*selection.interval_seconds).replace(":", "-")
    name = safe_stem(selection.path) + times
    part = folder / f".{name}.{os.getpid()}.part"
    try:
        if selection.is_still:
            shutil.copyfile(selection.path, part)
        else:
            cut_clip(selection.path, *selection.interval_seconds, part, how)
        return rename_to_free_name(part, folder, name, suffix)
    finally:
        part.unlink(missing_ok=True)
