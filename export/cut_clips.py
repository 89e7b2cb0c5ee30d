"""Cutting selections into clip files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pesearch.errors import MediaError
from pesearch.export.clip_selection import Selection
from pesearch.export.output_file import commit_to_free_name
from pesearch.export.safe_names import safe_stem
from pesearch.formatting import format_span
from pesearch.locations import is_gone, is_missing
from pesearch.media.cut_clip import choose_clip_format, cut_clip
from pesearch.media.sniff import sniff
from pesearch.media.verified_file import OpenFile, open_indexed, open_regular
from pesearch.store.disk.durable import AtomicFile, undone_by
from pesearch.types import MediaKind

_COPY_BYTES = 1 << 20
"""Read at a time."""


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
    with _open(selection) as opened, opened.link() as source:
        if selection.is_still:
            clip_format, suffix, times = None, selection.path.suffix, ""
        else:
            clip_format = choose_clip_format(source, reencode)
            suffix, times = clip_format.suffix, "_" + format_span(*selection.interval_seconds).replace(":", "-")
        name = safe_stem(selection.path) + times
        file = AtomicFile(folder / name, durable=False)
        with undone_by(file.abandon):
            if clip_format is None:
                _copy_still(opened, source, file.sink)
            else:
                cut_clip(source, *selection.interval_seconds, file.temporary, clip_format)
            return commit_to_free_name(file, folder, name, suffix)


def _open(selection: Selection) -> OpenFile:
    """The file of a selection: the one that was indexed, or any regular file where no library is known.

    Errors: MediaError, which tells an absent folder, an absent file, and one that cannot be read apart.
    """
    if is_gone(selection.path):
        is_deleted = is_missing(selection.path, "", {})
        raise MediaError("not found: it was deleted or moved" if is_deleted else "offline: connect its drive")
    return open_regular(selection.path) if selection.file is None else open_indexed(selection.file)


def _copy_still(opened: OpenFile, source: Path, target: BinaryIO) -> None:
    """Copy an image unchanged, as long as it was when it was opened."""
    if sniff(source) is not MediaKind.IMAGE:
        raise MediaError("not an image")
    left, offset = opened.status.st_size, 0
    while left and (chunk := opened.read_at(offset, min(left, _COPY_BYTES))):
        target.write(chunk)
        offset, left = offset + len(chunk), left - len(chunk)
