"""The manifest of a collection: the files that it covers. `indexes/<space>.milvus`, written by the writer only.

A reader searches files that are not in the manifest exactly, so it never asks Milvus for rows that may be missing.
Files of which Milvus may have some rows, after an interrupted change, are `partial`: searches filter them out. A
manifest that is deleted, or was made for something else, covers nothing: the next writer fills the collection again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.cache_file import read_cache_file, write_cache_file
from pesearch.store.index.compressed_file import INDEX_FOLDER
from pesearch.store.index.milvus.collection import IndexKind, MilvusCollection
from pesearch.store.shards.row_ranges import RowIds, RowRanges
from pesearch.types import Space

MANIFEST_FORMAT = 1
"""Format version of the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """`layout`: the files whose rows are all in the collection. `partial`: ids of files that may have some there.

    Both are in rising order.
    """

    kind: IndexKind
    layout: RowRanges
    partial: RowIds

    @property
    def stored(self) -> RowIds:
        """The ids of all files that may have rows in the collection, in rising order."""
        return np.union1d(self.layout.file_ids, self.partial)


@dataclass(frozen=True, slots=True)
class SpaceOnMilvus:
    """A space of a library on Milvus: its collection, and the manifest in the library's `folder`."""

    folder: Path
    library_id: str
    space: Space
    address: MilvusAddress

    @property
    def path(self) -> Path:
        """The file of the manifest."""
        return self.folder / INDEX_FOLDER / f"{self.space.name.value}.milvus"

    @property
    def collection(self) -> MilvusCollection:
        """The collection. Its name depends on the folder: a copy of a library has collections of its own."""
        place = hashlib.sha256(str(self.folder.resolve()).encode(errors="surrogateescape")).hexdigest()[:8]
        name = f"pesearch_{self.library_id}_{place}_{self.space.name.value}"
        return MilvusCollection(self.address, name, self.space.dim)

    def read_manifest(self) -> Manifest | None:
        """The manifest; None when it is missing or unusable."""
        cached = read_cache_file(self.path, self._made_for())
        if cached is None:
            return None
        partial = np.array(cached.header["unsure"], dtype=np.int64)
        return Manifest(IndexKind(cached.header["kind"]), cached.layout, partial)

    def write_manifest(self, manifest: Manifest) -> None:
        """Write or replace the manifest."""
        header = {"kind": manifest.kind.value, "unsure": manifest.partial.tolist()}
        write_cache_file(self.path, self._made_for(), header, manifest.layout)

    def _made_for(self) -> Mapping[str, Any]:
        return {
            "format": MANIFEST_FORMAT,
            "collection": self.collection.name,
            "address": str(self.address),
            "model": self.space.model,
            "revision": self.space.revision,
            "dim": self.space.dim,
        }
