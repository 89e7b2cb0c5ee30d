"""Cutting selections into clip files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pesearch.errors import ExportError, MediaError
from pesearch.export.clip_selection import Selection
from pesearch.export.output_file import commit_to_free_name, new_name
from pesearch.export.safe_names import safe_stem
from pesearch.formatting import format_span
from pesearch.locations import is_gone, is_missing
from pesearch.media.cut_clip import ClipFormat, choose_clip_format, cut_clip
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
            yield Clip(selection, cut_to_folder(selection, folder, reencode))
        except MediaError as error:
            yield CutFailure(selection, str(error))


def cut_to_folder(selection: Selection, folder: Path, reencode: bool = False) -> Path:
    """Cut a selection into `folder`, under a free name, and return its path. Raises MediaError, OSError."""
    with _source(selection, reencode) as source:
        file = AtomicFile(folder / source.clip_name, durable=False)
        with undone_by(file.abandon):
            source.cut_to(file)
            return commit_to_free_name(file, folder, source.clip_name, source.suffix)


def cut_to_file(selection: Selection, target: Path, reencode: bool = False) -> Path:
    """Cut a selection to a new file, as `cut_clips` does, and return `target`.

    Raises ExportError where something exists already, and for a suffix that the clip does not have; MediaError if the
    media file cannot be read; OSError.
    """
    with _source(selection, reencode) as source:
        if target.suffix.lower() != source.suffix.lower():
            raise ExportError(f"{target}: this clip is a {source.suffix} file, and needs that suffix")
        file = AtomicFile(target, durable=False)
        with new_name(target), undone_by(file.abandon):
            source.cut_to(file)
            file.commit()
    return target


@dataclass(frozen=True, slots=True)
class _Source:
    """An open file, its `path` for programs, and how it is cut: `clip_format` is None for a still, which is copied."""

    selection: Selection
    opened: OpenFile
    path: Path
    clip_format: ClipFormat | None

    @property
    def suffix(self) -> str:
        return self.selection.path.suffix if self.clip_format is None else self.clip_format.suffix

    @property
    def clip_name(self) -> str:
        times = "" if self.clip_format is None else "_" + format_span(*self.selection.interval_seconds)
        return safe_stem(self.selection.path) + times.replace(":", "-")

    def cut_to(self, file: AtomicFile) -> None:
        if self.clip_format is None:
            _copy_still(self.opened, self.path, file.sink)
        else:
            cut_clip(self.path, *self.selection.interval_seconds, file.temporary, self.clip_format)


@contextmanager
def _source(selection: Selection, reencode: bool) -> Iterator[_Source]:
    with _open(selection) as opened, opened.link() as path:
        clip_format = None if selection.is_still else choose_clip_format(path, reencode)
        yield _Source(selection, opened, path, clip_format)


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
