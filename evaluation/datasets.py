"""Datasets as their users have them on disk: which clips a split lists, and which of them are here and in a library."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.evaluation.ground_truth import Truth
from pesearch.evaluation.library_clips import IndexedFiles
from pesearch.media.sniff import has_media_name
from pesearch.types import MediaFile

if TYPE_CHECKING:
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class DatasetClip:
    """A clip as a dataset lists it. Its file has one of the `stems` as its name without suffix; there may be several,
    the sound and the picture apart."""

    name: str
    stems: tuple[str, ...]
    captions: tuple[str, ...] = ()
    events: tuple[Truth, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedClip:
    """A clip and its files in a library."""

    clip: DatasetClip
    files: tuple[MediaFile, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """How many clips of a split there are: listed, on this disk, in the library; the names of those that are not.

    `unindexed` are on disk and not in the library.
    """

    listed: int
    on_disk: int
    indexed: int
    missing: tuple[str, ...]
    unindexed: tuple[str, ...]


class DatasetFolder:
    """A folder of annotations and media, walked once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, list[Path]] = defaultdict(list)
        self._folders: dict[str, Path] = {}
        self._media: dict[str, list[Path]] = defaultdict(list)
        for place, folders, names in os.walk(folder, followlinks=True):
            folders.sort()
            for name in folders:
                self._folders.setdefault(name, Path(place) / name)
            for name in sorted(names):
                path = Path(place) / name
                self._files[name].append(path)
                if has_media_name(path):
                    self._media[path.stem].append(path)

    def files(self, *names: str) -> list[Path]:
        """The files of any of these names, the first name's first."""
        return [path for name in names for path in self._files.get(name, ())]

    def subfolder(self, name: str) -> Path | None:
        """The first folder of that name."""
        return self._folders.get(name)

    def media(self, stems: Sequence[str]) -> list[Path]:
        """The media files of any of these names, the first name's first."""
        return [path for stem in dict.fromkeys(stems) for path in self._media.get(stem, ())]


def place(clips: Sequence[DatasetClip], folder: DatasetFolder, library: Library) -> tuple[list[PlacedClip], Presence]:
    """The clips that are in the library, and how many there are."""
    indexed = IndexedFiles(library)
    placed, missing, unindexed = [], [], []
    for clip in clips:
        paths = folder.media(clip.stems)
        files = {file.id: file for path in paths if (file := indexed.at(path))}
        if files:
            placed.append(PlacedClip(clip, tuple(files.values())))
        elif paths:
            unindexed.append(clip.name)
        else:
            missing.append(clip.name)
    on_disk = len(clips) - len(missing)
    return placed, Presence(len(clips), on_disk, len(placed), tuple(missing), tuple(unindexed))
