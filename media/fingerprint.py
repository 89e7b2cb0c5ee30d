"""The content of a file as one short name, cheap for files of any size."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.file_head import raise_unreadable, read_head

_PART_BYTES = 1 << 20


def fingerprint(path: Path) -> str:
    """BLAKE2b over the size and three parts of 1 MiB (head, middle, tail), 40 hexadecimal digits.

    Files up to 3 MiB are seen whole. In larger ones a change that keeps the size and touches none of the three parts
    goes unseen: rewriting tags, cutting or encoding again does not (headers, indexes and size change), patching a
    few bytes deep inside may. Names, times and permissions are not part of it.

    Errors: MediaError when the file is empty, cannot be read, is gone, or is no regular file.
    """
    read_head(path, 1)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=20)
            for start in _starts(size):
                file.seek(start)
                digest.update(file.read(_PART_BYTES))
    except OSError as error:
        raise_unreadable(error)
    if size == 0:
        raise MediaError("empty file (0 bytes)")
    return digest.hexdigest()


def _starts(size_bytes: int) -> list[int]:
    if size_bytes <= 3 * _PART_BYTES:
        return list(range(0, size_bytes, _PART_BYTES))
    return [0, (size_bytes - _PART_BYTES) // 2, size_bytes - _PART_BYTES]
