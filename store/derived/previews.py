"""Preview pictures of indexed files, shown while their drive is disconnected.

A ZIP for each content, `pictures/ab/abcd....zip`, of JPEGs named by their time in milliseconds. They are not in the
catalogue, may be missing, and are not synced; a full disk is not an error.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pesearch.store.derived.lru_folder import PROXY_FOLDER, THUMBNAIL_FOLDER
from pesearch.store.disk.durable import write_atomically

PREVIEW_FOLDER = "pictures"


@dataclass(frozen=True, slots=True)
class Preview:
    """A frame of a file at a time, as JPEG."""

    at_seconds: float
    jpeg: bytes


def keep_previews(library: Path, fingerprint: str, pictures: Sequence[Preview]) -> None:
    """Store the previews of a content in place of earlier ones, if there are any and the disk has room."""
    if not pictures:
        return
    path = _path(library, fingerprint)

    def write(sink: BinaryIO) -> None:
        with zipfile.ZipFile(sink, "w") as archive:
            for picture in pictures:
                archive.writestr(zipfile.ZipInfo(f"{round(picture.at_seconds * 1000)}.jpg"), picture.jpeg)

    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, write, durable=False)


def nearest_preview(library: Path, fingerprint: str, at_seconds: float) -> bytes | None:
    """The preview of a content nearest to a time, as JPEG; None if there is no readable one."""
    try:
        with zipfile.ZipFile(_path(library, fingerprint)) as archive:
            times = {int(name.removesuffix(".jpg")): name for name in archive.namelist()}
            nearest = min(times, key=lambda at_ms: abs(at_ms - at_seconds * 1000), default=None)
            return None if nearest is None else archive.read(times[nearest])
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile):  # all of them from damaged ZIPs
        return None


def sweep_previews(library: Path, fingerprints: Collection[str]) -> int:
    """Delete previews, thumbnails and proxies of other contents than these. Bytes freed. Raises OSError."""
    kept = list((library / PREVIEW_FOLDER).glob("*/*"))
    made = (path for name in (THUMBNAIL_FOLDER, PROXY_FOLDER) for path in (library / name).glob("[!.]*"))
    unfinished = [path for path in kept if _OWN_NAME.fullmatch(path.name) and path.suffix != ".zip"]
    named = ((path, _OWN_NAME.fullmatch(path.name)) for path in (*kept, *made))
    unneeded = [path for path, name in named if name and name["fingerprint"] not in fingerprints]
    return _delete(dict.fromkeys([*unfinished, *unneeded]))


_OWN_NAME = re.compile(r"(?P<fingerprint>[0-9a-f]{40})[-.].*|\.[0-9a-f]{32}\.part")
"""The names of previews, thumbnails and proxies, and of unfinished ones. Other files in a folder, which may be a link,
are never touched."""


def _path(library: Path, fingerprint: str) -> Path:
    return library / PREVIEW_FOLDER / fingerprint[:2] / f"{fingerprint}.zip"


def _delete(paths: Iterable[Path]) -> int:
    freed_bytes = 0
    for path in paths:
        with suppress(FileNotFoundError):  # a server may delete thumbnails meanwhile
            freed_bytes += path.stat().st_size
            path.unlink()
    return freed_bytes
