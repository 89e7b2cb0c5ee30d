"""Choices as clips: each cut to a file of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.export.clip_selection import Selection
from pesearch.export.output_file import commit_to_free_name
from pesearch.export.safe_names import safe_stem
from pesearch.formatting import span
from pesearch.media.cut_clip import cut_clip, muxing
from pesearch.store.disk.durable import AtomicFile, undone_by


@dataclass(frozen=True, slots=True)
class Clip:
    """A choice that is a file of its own now."""

    choice: Selection
    path: Path


@dataclass(frozen=True, slots=True)
class NotCut:
    """A choice that could not be cut, and why."""

    choice: Selection
    reason: str


def cut_clips(choices: Iterable[Selection], folder: Path, reencode: bool = False) -> Iterator[Clip | NotCut]:
    """Cut each choice into the folder, which must exist, and give each outcome as it comes; one failing stops no other.

    Copied packets (quick, as good as the file) begin at the key frame before the moment, so the clip begins somewhat
    earlier; `reencode` is exact to a frame: H.264 and AAC in MP4, sound alone as FLAC. A still is copied as it is.
    A clip appears under its name when it is whole, and never in place of another file. Errors: OSError of the folder.
    """
    for choice in choices:
        try:
            yield Clip(choice, _cut(choice, folder, reencode))
        except MediaError as error:
            yield NotCut(choice, str(error))


def _cut(choice: Selection, folder: Path, reencode: bool) -> Path:
    if not choice.path.exists():
        raise MediaError("it is not there: is its drive connected?")
    if choice.is_still:
        suffix, times = choice.path.suffix, ""
    else:
        how = choose_clip_format(choice.path, reencode)
        suffix, times = how.suffix, "_" + format_span(*choice.stretch_seconds).replace(":", "-")
    name = safe_stem(choice.path) + times
    file = AtomicFile(folder / name, durable=False)
    with undone_by(file.abandon):
        if choice.is_still:
            shutil.copyfile(choice.path, file.temporary)
        else:
            cut_clip(choice.path, *choice.stretch_seconds, file.temporary, how)
        return commit_to_free_name(file, folder, name, suffix)
