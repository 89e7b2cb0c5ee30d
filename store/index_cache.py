"""Compressed indexes on disk: `indexes/<space>.index`, caches that can be deleted at any time.

A file is the CRC-32 of the rest, one line of JSON that says what it was made for, the files that it covers (ids and
rows, int64) and the index as FAISS writes it. Which files it covers is compared with the catalogue whenever it is
opened: those that are gone are left out of searches, those that came later are searched beside it. So neither a commit
nor a compaction makes it wrong.

The writer builds and renews it, at the end of its work and under its lock: then no two processes build at once,
nobody who asks waits for it, and a library that cannot be written to is as good as any.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

from pesearch.store.compressed import CompressedIndex
from pesearch.store.disk import write_durably
from pesearch.store.layout import Layout
from pesearch.types import Space, SpaceName

INDEX_FOLDER = "indexes"
FORMAT = 1
CHECKSUM_BYTES, HEAD_BYTES = 4, 4096


@dataclass(frozen=True, slots=True, eq=False)
class CacheFile:
    """A cache that is whole and was made for this very space of this library; `payload` is in the memory map."""

    layout: Layout
    trained_rows: int
    payload: npt.NDArray[np.uint8]

    def index(self) -> CompressedIndex:
        """Read the index into memory."""
        return CompressedIndex(self.layout, self.trained_rows, faiss.deserialize_index(self.payload))


class CacheMark(NamedTuple):
    """Number and time, in nanoseconds, of a cache as a file."""

    number: int
    modified_ns: int


def cache_path(folder: Path, space: SpaceName) -> Path:
    """Where the cache of a space is, in the library in `folder`."""
    return folder / INDEX_FOLDER / f"{space.value}.index"


def cache_mark(folder: Path, space: SpaceName) -> CacheMark | None:
    """What sets apart the cache that is there from the one before; None when there is none."""
    try:
        status = cache_path(folder, space).stat()
    except OSError:  # what cannot be looked at cannot be read either
        return None
    return CacheMark(status.st_ino, status.st_mtime_ns)


def write_cache(folder: Path, birth: str, space: Space, covering: CompressedIndex) -> None:
    """Write a cache in place of the one that is there."""
    files = np.stack([covering.layout.file_ids, covering.layout.counts])
    head = {"made_for": _made_for(birth, space), "files": files.shape[1], "trained_rows": covering.trained_rows}
    parts = [json.dumps(head).encode() + b"\n", files.tobytes(), faiss.serialize_index(covering.index).data]
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    path = cache_path(folder, space.name)
    path.parent.mkdir(exist_ok=True)
    write_durably(path, lambda sink: sink.writelines([checksum.to_bytes(CHECKSUM_BYTES), *parts]))


def read_cache(folder: Path, birth: str, space: Space) -> CacheFile | None:
    """The cache of a space; None when there is none, or when it is damaged, or made for something else."""
    try:
        content = np.memmap(cache_path(folder, space.name), dtype=np.uint8, mode="r")
    except (OSError, ValueError):  # not there, not readable, or empty
        return None
    whole = content[CHECKSUM_BYTES:]
    if not len(whole) or zlib.crc32(whole) != int.from_bytes(content[:CHECKSUM_BYTES].tobytes()):
        return None
    line = whole[:HEAD_BYTES].tobytes().partition(b"\n")[0]
    head = json.loads(line)
    if head["made_for"] != _made_for(birth, space):
        return None
    body = whole[len(line) + 1 :]
    file_ids, counts = np.frombuffer(body.data, dtype=np.int64, count=2 * head["files"]).reshape(2, -1)
    return CacheFile(Layout.of(file_ids, counts), head["trained_rows"], body[16 * head["files"] :])


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


def _line(head: dict[str, Any]) -> bytes:
    return json.dumps(head).encode() + b"\n"
