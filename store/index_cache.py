"""Compressed indexes on disk: `indexes/<space>.index`, caches that can be deleted at any time.

A file is the CRC-32 of the rest, one line of JSON that says what it was made for, the files that it covers (ids and
rows, int64) and the index as FAISS writes it. Which files it covers is compared with the catalogue whenever it is
opened: those that are gone are left out of searches, those that came later are searched beside it. So neither a commit
nor a compaction makes it wrong.

The writer builds and renews it, in pauses of its work and at the end, under its lock: then no two processes build at
once, nobody who asks waits for it, and a library that cannot be written to is as good as any.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from mmap import ACCESS_READ, MADV_WILLNEED, mmap
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import faiss
import numpy as np

from pesearch.store.compressed import CompressedIndex
from pesearch.store.disk import write_durably
from pesearch.store.layout import Layout
from pesearch.types import Space, SpaceName

INDEX_FOLDER = "indexes"
FORMAT = 1
CHECKSUM_BYTES, READ_BYTES = 4, 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class CacheFile:
    """A cache that is whole and was made for this very space of this library; `content` stands where the index is."""

    layout: Layout
    trained_rows: int
    content: mmap

    def index(self) -> CompressedIndex:
        """Read the index into memory, once."""
        # FAISS's type stubs do not know the readers that its Python layer adds.
        reader = faiss.PyCallbackIOReader(self.content.read, READ_BYTES)  # type: ignore[attr-defined]  # no stub
        return CompressedIndex(self.layout, self.trained_rows, faiss.read_index(reader))


def cache_path(folder: Path, space: SpaceName) -> Path:
    """Where the cache of a space is, in the library in `folder`."""
    return folder / INDEX_FOLDER / f"{space.value}.index"


def write_cache(folder: Path, birth: str, space: Space, covering: CompressedIndex) -> None:
    """Write a cache in place of the one that is there."""
    files = np.stack([covering.layout.file_ids, covering.layout.counts])
    head = {"made_for": _made_for(birth, space), "files": files.shape[1], "trained_rows": covering.trained_rows}
    payload = faiss.serialize_index(covering.index).data
    parts: list[bytes | memoryview] = [json.dumps(head).encode() + b"\n", files.tobytes(), payload]
    checksum = 0
    for part in parts:
        checksum = crc32(part, checksum)
    path = cache_path(folder, space.name)
    path.parent.mkdir(exist_ok=True)
    write_durably(path, lambda sink: sink.writelines([checksum.to_bytes(CHECKSUM_BYTES), *parts]))


def read_cache(folder: Path, birth: str, space: Space) -> CacheFile | None:
    """The cache of a space; None when there is none, or when it is damaged, or made for something else."""
    try:
        with cache_path(folder, space.name).open("rb") as source:
            content = mmap(source.fileno(), 0, access=ACCESS_READ)
            content.madvise(MADV_WILLNEED)  # all of it, and not page by page
    except (OSError, ValueError):  # not there, not readable, or empty
        return None
    checksum = content.read(CHECKSUM_BYTES)
    if len(content) == CHECKSUM_BYTES or crc32(memoryview(content)[CHECKSUM_BYTES:]) != int.from_bytes(checksum):
        return None
    head = json.loads(content.readline())
    if head["made_for"] != _made_for(birth, space):
        return None
    file_ids, counts = np.frombuffer(content.read(16 * head["files"]), dtype=np.int64).reshape(2, -1)
    return CacheFile(Layout.of(file_ids, counts), head["trained_rows"], content)


class OpenCaches:
    """The indexes that a reader has in memory, one for each space: they serve one generation after the other.

    One is read again when its file was replaced; when the file is gone, or of no use any more, the index stays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: dict[SpaceName, _Opened] = {}
        self._opening = threading.Lock()

    def index(self, birth: str, space: Space) -> CompressedIndex | None:
        """The index of a space, if there is one."""
        with self._opening:
            kept = self._opened.get(space.name)
            if kept is not None and kept.birth != birth:
                kept = None
            mark = self._mark(space)
            if mark is not None and (kept is None or kept.mark != mark):
                cache = read_cache(self._folder, birth, space)
                old = None if kept is None else kept.found
                kept = self._opened[space.name] = _Opened(birth, mark, old if cache is None else cache.index())
            return None if kept is None else kept.found

    def _mark(self, space: Space) -> tuple[int, int] | None:
        """What sets a file apart from the one that it replaced."""
        try:
            status = cache_path(self._folder, space.name).stat()
        except OSError:  # what cannot be looked at cannot be read either
            return None
        return status.st_ino, status.st_mtime_ns


class _Opened(NamedTuple):
    birth: str
    mark: tuple[int, int]
    found: CompressedIndex | None


def _made_for(birth: str, space: Space) -> dict[str, Any]:
    """What must be the same for a cache to be of use; another FAISS may write another format."""
    return {
        "format": FORMAT,
        "faiss": faiss.__version__,
        "birth": birth,
        "space": space.name.value,
        "model": space.model,
        "revision": space.revision,
        "dim": space.dim,
    }
