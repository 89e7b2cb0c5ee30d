"""Vectors of texts that every search compares with, `indexes/texts.vectors`: a cache that can be deleted at any time.

To embed them takes the text towers of a large model set up to a minute on a CPU.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import numpy as np

from pesearch.errors import LibraryUnavailable, NoSpaceLeft
from pesearch.store.disk.durable import write_atomically
from pesearch.store.disk.permissions import may_write
from pesearch.store.index.compressed_file import INDEX_FOLDER
from pesearch.types import FloatArray, Space, SpaceName

CHECKSUM_BYTES = 4
"""Size of the CRC-32 of the rest at the start, big-endian. A line of JSON follows, then the vectors, float32."""


def read_text_vectors(folder: Path, spaces: Sequence[Space], texts: Sequence[str]) -> dict[SpaceName, FloatArray]:
    """The vectors of `texts` in each space of the library in `folder`, float32 [texts, dim]; empty if they are missing,
    damaged, or were made for other texts or model revisions."""
    try:
        content = _path(folder).read_bytes()
    except OSError:
        return {}
    header, _, payload = content[CHECKSUM_BYTES:].partition(b"\n")
    checksum, rest = int.from_bytes(content[:CHECKSUM_BYTES]), content[CHECKSUM_BYTES:]
    if not rest or crc32(rest) != checksum or header != _header(spaces, texts):
        return {}
    edges = np.cumsum([len(texts) * space.dim for space in spaces])[:-1]
    parts = zip(spaces, np.split(np.frombuffer(payload, np.float32), edges), strict=True)
    return {space.name: part.reshape(len(texts), space.dim) for space, part in parts}


def keep_text_vectors(
    folder: Path, spaces: Sequence[Space], texts: Sequence[str], vectors: Mapping[SpaceName, FloatArray]
) -> None:
    """Store the vectors of `texts` in all `spaces`, unless the folder is read-only, another user's or full."""
    parts = [np.ascontiguousarray(vectors[space.name], np.float32).tobytes() for space in spaces]
    content = b"".join([_header(spaces, texts), b"\n", *parts])
    path = _path(folder)
    with suppress(OSError, LibraryUnavailable, NoSpaceLeft):
        if not may_write(folder):
            return
        path.parent.mkdir(exist_ok=True)
        checksum = crc32(content).to_bytes(CHECKSUM_BYTES)
        write_atomically(path, lambda sink: sink.write(checksum + content), durable=False)


def _header(spaces: Sequence[Space], texts: Sequence[str]) -> bytes:
    made_for = [[space.name.value, space.model, space.revision, space.dim] for space in spaces]
    digest = hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()
    return json.dumps({"texts": digest, "spaces": made_for}).encode()


def _path(folder: Path) -> Path:
    return folder / INDEX_FOLDER / "texts.vectors"
