"""The folders for files made for the page: in the library, or in a temporary folder if the library is read-only, or
another user's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pesearch.store.derived.lru_folder import CLIPS_FOLDER, PROXY_FOLDER, THUMBNAIL_FOLDER, LruFolder
from pesearch.store.disk.permissions import locks_owner_out, may_write
from pesearch.temporary_folder import TemporaryFolder

MAX_THUMBNAIL_BYTES = 512 << 20

MAX_PROXY_BYTES = 4 << 30

MAX_CLIPS_BYTES = 4 << 30


@cache
def thumbnail_cache(library: Path) -> LruFolder:
    """The thumbnails and waveforms of a library; a read-only library keeps no new ones."""
    folder = _writable_folder(library, THUMBNAIL_FOLDER) if locks_owner_out(library) else library / THUMBNAIL_FOLDER
    return LruFolder(folder, MAX_THUMBNAIL_BYTES)


@cache
def proxy_cache(library: Path) -> LruFolder:
    """The playable versions of files that browsers cannot play themselves."""
    return LruFolder(_writable_folder(library, PROXY_FOLDER), MAX_PROXY_BYTES)


@cache
def clip_archives(library: Path) -> LruFolder:
    """The archives of clips that were cut for a tray."""
    return LruFolder(_writable_folder(library, CLIPS_FOLDER), MAX_CLIPS_BYTES)


def _writable_folder(library: Path, name: str) -> Path:
    if may_write(library):
        return library / name
    return Path(_temporary_folder(name).name)


@cache
def _temporary_folder(name: str) -> TemporaryFolder:
    return TemporaryFolder()
