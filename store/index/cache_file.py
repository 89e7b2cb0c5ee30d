"""File format of the caches in `indexes/`: the key of the cache, the files that it covers, and a payload.

Layout: the CRC-32 of the rest (4 bytes), a line of JSON (the header), the covered files (ids and row counts, int64),
and the payload.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from pesearch.store.disk.durable import write_durably
from pesearch.store.disk.page_cache import read_ahead
from pesearch.store.shards.row_ranges import RowRanges

CHECKSUM_BYTES = 4
"""Size of the CRC-32 at the start, big-endian."""


class CacheFile(NamedTuple):
    """An intact cache. The read position of `content` is at the payload."""

    header: Mapping[str, Any]
    layout: RowRanges
    content: mmap


def write_cache_file(
    path: Path,
    made_for: Mapping[str, Any],
    header: Mapping[str, Any],
    covered: RowRanges,
    payload: Sequence[memoryview] = (),
) -> None:
    """Write or replace a cache. `header` holds more entries for its JSON."""
    files = np.stack([covered.file_ids, covered.counts])
    entries = {"made_for": made_for, "files": files.shape[1], **header}
    parts: list[bytes | memoryview] = [json.dumps(entries).encode() + b"\n", files.tobytes(), *payload]
    checksum = 0
    for part in parts:
        checksum = crc32(part, checksum)
    path.parent.mkdir(exist_ok=True)
    write_durably(path, lambda sink: sink.writelines([checksum.to_bytes(CHECKSUM_BYTES), *parts]))


def read_cache_file(path: Path, made_for: Mapping[str, Any]) -> CacheFile | None:
    """A cache; None when it is missing, damaged, or was made for something else."""
    try:
        with path.open("rb") as source:
            content = mmap(source.fileno(), 0, access=ACCESS_READ)
            read_ahead(content, 0, len(content))
    except (OSError, ValueError):  # missing, unreadable, or empty
        return None
    checksum = content.read(CHECKSUM_BYTES)
    if len(content) == CHECKSUM_BYTES or crc32(memoryview(content)[CHECKSUM_BYTES:]) != int.from_bytes(checksum):
        return None
    header = json.loads(content.readline())
    if header["made_for"] != made_for:
        return None
    file_ids, counts = np.frombuffer(content.read(16 * header["files"]), dtype=np.int64).reshape(2, -1)
    return CacheFile(header, RowRanges.of(file_ids, counts), content)
