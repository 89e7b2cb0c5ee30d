"""Compressed indexes on disk, `indexes/<space>.index`: caches that can be deleted at any time.

The file is a cache (`cache_file`) whose payload is the index as FAISS serializes it. A reader compares the files
that it covers with the catalogue: removed files are left out of searches, later files are searched exactly in addition.
So neither a commit nor a compaction makes the index wrong.

The writer builds and updates it, in pauses of its work and at the end, while it holds the lock: two processes never
build at the same time, no search waits for a build, and a read-only library works as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any

from pesearch.store.index.cache_file import read_cache_file, write_cache_file
from pesearch.store.index.compressed_index import CompressedIndex
from pesearch.store.shards.row_ranges import RowRanges
from pesearch.types import Space, SpaceName

INDEX_FOLDER = "indexes"
"""Folder of all index caches, in the library."""

COMPRESSED_FORMAT = 2
"""Format version of the file."""

READ_BLOCK_BYTES = 1 << 20
"""Bytes that FAISS reads at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class CompressedFile:
    """An intact cache that was made for this space of this library. The read position of `content` is at the index."""

    layout: RowRanges
    trained_rows: int
    content: mmap

    def load(self) -> CompressedIndex:
        """Read the index into memory; only once."""
        import faiss

        # FAISS's type stubs do not list the readers that its Python layer adds.
        reader = faiss.PyCallbackIOReader(self.content.read, READ_BLOCK_BYTES)  # type: ignore[attr-defined]  # no stub
        return CompressedIndex(self.layout, self.trained_rows, faiss.read_index(reader))


def compressed_path(folder: Path, space: SpaceName) -> Path:
    """The index file of a space, in the library in `folder`."""
    return folder / INDEX_FOLDER / f"{space.value}.index"


def write_compressed(folder: Path, library_id: str, space: Space, index: CompressedIndex) -> None:
    """Write or replace the index file of a space."""
    import faiss

    header = {"trained_rows": index.trained_rows}
    payload = faiss.serialize_index(index.index).data
    write_cache_file(compressed_path(folder, space.name), _made_for(library_id, space), header, index.layout, [payload])


def read_compressed(folder: Path, library_id: str, space: Space) -> CompressedFile | None:
    """The index file of a space; None when it is missing, damaged, or was made for something else."""
    cached = read_cache_file(compressed_path(folder, space.name), _made_for(library_id, space))
    return None if cached is None else CompressedFile(cached.layout, cached.header["trained_rows"], cached.content)


def _made_for(library_id: str, space: Space) -> dict[str, Any]:
    """A cache is usable only when all of this matches. Another FAISS version may write another format."""
    import faiss

    return {
        "format": COMPRESSED_FORMAT,
        "faiss": faiss.__version__,
        "birth": library_id,
        "space": space.name.value,
        "model": space.model,
        "revision": space.revision,
        "dim": space.dim,
    }
