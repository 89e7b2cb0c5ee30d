"""The form of a cache beside the shards: what it was made for, which files it covers, and what it holds of them.

A file is the CRC-32 of the rest, one line of JSON that says what it was made for, the files that it covers (ids and
rows, int64), and whatever else belongs to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from mmap import ACCESS_READ, MADV_WILLNEED, mmap
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from pesearch.store.disk.durable import write_durably
from pesearch.store.shards.row_ranges import RowRanges

CHECKSUM_BYTES = 4


class Cached(NamedTuple):
    """A cache that is whole and was made for what is asked; `content` stands where the rest of it is."""

    says: Mapping[str, Any]
    layout: RowRanges
    content: mmap


def write_cached(
    path: Path,
    made_for: Mapping[str, Any],
    says: Mapping[str, Any],
    covered: RowRanges,
    rest: Sequence[memoryview] = (),
) -> None:
    """Write a cache in place of the one that is there. `says` is more of its JSON."""
    files = np.stack([covered.file_ids, covered.counts])
    head = {"made_for": made_for, "files": files.shape[1], **says}
    parts: list[bytes | memoryview] = [json.dumps(head).encode() + b"\n", files.tobytes(), *rest]
    checksum = 0
    for part in parts:
        checksum = crc32(part, checksum)
    path.parent.mkdir(exist_ok=True)
    write_durably(path, lambda sink: sink.writelines([checksum.to_bytes(CHECKSUM_BYTES), *parts]))


def read_cached(path: Path, made_for: Mapping[str, Any]) -> Cached | None:
    """A cache; None when there is none, or when it is damaged, or made for something else."""
    try:
        with path.open("rb") as source:
            content = mmap(source.fileno(), 0, access=ACCESS_READ)
            content.madvise(MADV_WILLNEED)  # all of it, and not page by page
    except (OSError, ValueError):  # not there, not readable, or empty
        return None
    checksum = content.read(CHECKSUM_BYTES)
    if len(content) == CHECKSUM_BYTES or crc32(memoryview(content)[CHECKSUM_BYTES:]) != int.from_bytes(checksum):
        return None
    head = json.loads(content.readline())
    if head["made_for"] != made_for:
        return None
    file_ids, counts = np.frombuffer(content.read(16 * head["files"]), dtype=np.int64).reshape(2, -1)
    return Cached(head, RowRanges.of(file_ids, counts), content)
