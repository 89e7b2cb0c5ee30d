"""Datasets on disk: the clips that a split lists, and which of them have files and are in a library."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.evaluation.ground_truth import Truth
from pesearch.evaluation.library_clips import IndexedFiles
from pesearch.media.suffixes import has_media_name
from pesearch.types import MediaFile

if TYPE_CHECKING:
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class DatasetClip:
    """A clip as annotated. Its files have one of the `stems` as their name without suffix; sound and picture may be
    separate files."""

    name: str
    stems: tuple[str, ...]
    captions: tuple[str, ...] = ()
    events: tuple[Truth, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexedClip:
    """A clip and its files in the library."""

    clip: DatasetClip
    files: tuple[MediaFile, ...]


@dataclass(frozen=True, slots=True)
class ClipAvailability:
    """Number of clips of a split that are listed, on disk and in the library.

    `missing` names those without a file, `unindexed` those with a file that is not in the library.
    """

    listed: int
    on_disk: int
    indexed: int
    missing: tuple[str, ...]
    unindexed: tuple[str, ...]


class DatasetFolder:
    """Index of a dataset folder, which is walked once, following links."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, list[Path]] = defaultdict(list)
        self._folders: dict[str, Path] = {}
        self._media: dict[str, list[Path]] = defaultdict(list)
        for parent, folders, names in os.walk(folder, followlinks=True):
            folders.sort()
            for name in folders:
                self._folders.setdefault(name, Path(parent) / name)
            for name in sorted(names):
                path = Path(parent) / name
                self._files[name].append(path)
                if has_media_name(path):
                    self._media[path.stem].append(path)

    def files(self, *names: str) -> list[Path]:
        """All files with one of these names, in the order of `names`."""
        return [path for name in names for path in self._files.get(name, ())]

    def subfolder(self, name: str) -> Path | None:
        """The first folder with this name."""
        return self._folders.get(name)

    def media(self, stems: Sequence[str]) -> list[Path]:
        """All media files with one of these stems, in the order of `stems`."""
        return [path for stem in dict.fromkeys(stems) for path in self._media.get(stem, ())]


def match_clips(
    clips: Sequence[DatasetClip], folder: DatasetFolder, library: Library
) -> tuple[list[IndexedClip], ClipAvailability]:
    """The clips that are in the library, and how many are not."""
    indexed = IndexedFiles(library)
    matched, missing, unindexed = [], [], []
    for clip in clips:
        paths = folder.media(clip.stems)
        files = {file.id: file for path in paths if (file := indexed.find(path))}
        if files:
            matched.append(IndexedClip(clip, tuple(files.values())))
        elif paths:
            unindexed.append(clip.name)
        else:
            missing.append(clip.name)
    on_disk = len(clips) - len(missing)
    return matched, ClipAvailability(len(clips), on_disk, len(matched), tuple(missing), tuple(unindexed))
