"""Cutting selections into clip files."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.export.clip_selection import Selection
from pesearch.export.output_file import commit_to_free_name
from pesearch.export.safe_names import safe_stem
from pesearch.formatting import format_span
from pesearch.locations import can_reach
from pesearch.media.cut_clip import choose_clip_format, cut_clip
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
    if not can_reach(selection.path):
        raise MediaError("file not found: is its drive connected?")
    if selection.is_still:
        suffix, times = selection.path.suffix, ""
    else:
        clip_format = choose_clip_format(selection.path, reencode)
        suffix, times = clip_format.suffix, "_" + format_span(*selection.interval_seconds).replace(":", "-")
    name = safe_stem(selection.path) + times
    file = AtomicFile(folder / name, durable=False)
    with undone_by(file.abandon):
        if selection.is_still:
            shutil.copyfile(selection.path, file.temporary)
        else:
            cut_clip(selection.path, *selection.interval_seconds, file.temporary, clip_format)
        return commit_to_free_name(file, folder, name, suffix)
