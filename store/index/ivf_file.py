"""Compressed indexes on disk: `indexes/<space>.index`, caches that can be deleted at any time.

A file is a cache as `cache_file` has it, with the index as FAISS writes it. Which files it covers is compared with the
catalogue whenever it is opened: those that are gone are left out of searches, those that came later are searched beside
it. So neither a commit nor a compaction makes it wrong.

The writer builds and renews it, in pauses of its work and at the end, under its lock: then no two processes build at
once, nobody who asks waits for it, and a library that cannot be written to is as good as any.
"""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any

import faiss

from pesearch.store.index.cache_file import read_cached, write_cached
from pesearch.store.index.ivf_rabitq import IvfRabitqIndex
from pesearch.store.shards.row_ranges import RowRanges
from pesearch.types import Space, SpaceName

INDEX_FOLDER = "indexes"
FORMAT = 1
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class CacheFile:
    """A cache that is whole and was made for this very space of this library; `content` stands where the index is."""

    layout: RowRanges
    trained_rows: int
    content: mmap

    def index(self) -> IvfRabitqIndex:
        """Read the index into memory, once."""
        # FAISS's type stubs do not know the readers that its Python layer adds.
        reader = faiss.PyCallbackIOReader(self.content.read, READ_BYTES)  # type: ignore[attr-defined]  # no stub
        return IvfRabitqIndex(self.layout, self.trained_rows, faiss.read_index(reader))


def cache_path(folder: Path, space: SpaceName) -> Path:
    """Where the cache of a space is, in the library in `folder`."""
    return folder / INDEX_FOLDER / f"{space.value}.index"


def write_cache(folder: Path, library_id: str, space: Space, covering: IvfRabitqIndex) -> None:
    """Write a cache in place of the one that is there."""
    says = {"trained_rows": covering.trained_rows}
    index = faiss.serialize_index(covering.index).data
    write_cached(cache_path(folder, space.name), _made_for(library_id, space), says, covering.layout, [index])


def read_cache(folder: Path, library_id: str, space: Space) -> CacheFile | None:
    """The cache of a space; None when there is none, or when it is damaged, or made for something else."""
    cached = read_cached(cache_path(folder, space.name), _made_for(library_id, space))
    return None if cached is None else CacheFile(cached.layout, cached.says["trained_rows"], cached.content)


def _made_for(library_id: str, space: Space) -> dict[str, Any]:
    """What must be the same for a cache to be of use; another FAISS may write another format."""
    return {
        "format": FORMAT,
        "faiss": faiss.__version__,
        "birth": library_id,
        "space": space.name.value,
        "model": space.model,
        "revision": space.revision,
        "dim": space.dim,
    }
