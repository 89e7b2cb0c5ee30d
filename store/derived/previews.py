"""Small pictures of what was indexed: of media on a drive that is away there is still something to look at.

A ZIP for each content, `pictures/ab/abcd....zip`, of JPEGs that are named by their time in milliseconds. The catalogue
does not know them: what is missing is not shown, nothing is brought to the disk for certain, a full disk keeps none.
"""

from __future__ import annotations

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
    """What a file shows at a time, as JPEG."""

    at_seconds: float
    jpeg: bytes


def keep_previews(library: Path, fingerprint: str, pictures: Sequence[Preview]) -> None:
    """Keep the pictures of a content, if it has any and the disk lets us, in place of those that were kept before."""
    if not pictures:
        return
    path = _path(library, fingerprint)

    def write(sink: BinaryIO) -> None:
        with zipfile.ZipFile(sink, "w") as archive:
            for picture in pictures:
                archive.writestr(zipfile.ZipInfo(f"{round(picture.at_seconds * 1000)}.jpg"), picture.jpeg)

    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, write)


def nearest_preview(library: Path, fingerprint: str, at_seconds: float) -> bytes | None:
    """The kept picture of a content that is nearest to a time, as JPEG; None when there is none that can be read."""
    try:
        with zipfile.ZipFile(_path(library, fingerprint)) as archive:
            times = {int(name.removesuffix(".jpg")): name for name in archive.namelist()}
            nearest = min(times, key=lambda at_ms: abs(at_ms - at_seconds * 1000), default=None)
            return None if nearest is None else archive.read(times[nearest])
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile):  # a damaged ZIP gives any of them
        return None


def sweep_previews(library: Path, fingerprints: Collection[str]) -> int:
    """Delete what was made of other contents than these: their pictures, thumbnails and proxies. Bytes freed.

    Raises OSError.
    """
    kept = (library / PREVIEW_FOLDER).glob("*/*")
    made = (path for name in (THUMBNAIL_FOLDER, PROXY_FOLDER) for path in (library / name).glob("[!.]*"))
    strays = [path for path in kept if path.suffix != ".zip" or path.stem not in fingerprints]
    return _delete([*strays, *(path for path in made if path.name.split("-")[0] not in fingerprints)])


def _path(library: Path, fingerprint: str) -> Path:
    return library / PREVIEW_FOLDER / fingerprint[:2] / f"{fingerprint}.zip"


def _delete(paths: Iterable[Path]) -> int:
    freed_bytes = 0
    for path in paths:
        with suppress(FileNotFoundError):  # a server makes room meanwhile
            freed_bytes += path.stat().st_size
            path.unlink()
    return freed_bytes
