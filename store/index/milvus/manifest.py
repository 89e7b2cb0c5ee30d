"""Which files a collection on a Milvus covers: `indexes/<space>.milvus`, written by the writer, read by every reader.

What is not said to be covered is searched beside the collection, so a reader never asks a Milvus for what it may not
have; what may be there all the same is `unsure`, and a search leaves it out. A file that is deleted, or made for
something else, covers nothing: the next writer fills the collection again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.cache_file import read_cached, write_cached
from pesearch.store.index.ivf_file import INDEX_FOLDER
from pesearch.store.index.milvus.collection import IndexKind, MilvusCollection
from pesearch.store.shards.row_ranges import RowIds, RowRanges
from pesearch.types import Space

FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """`layout` is of the files of which all rows are in the collection, in rising order.

    Of `unsure` files [files], in rising order, some may be.
    """

    kind: IndexKind
    layout: RowRanges
    unsure: RowIds

    @property
    def held(self) -> RowIds:
        """All files of which rows may be in the collection, in rising order."""
        return np.union1d(self.layout.file_ids, self.unsure)


@dataclass(frozen=True, slots=True)
class SpaceOnMilvus:
    """A space of the library that is born as `library_id` and lies in `folder`, on a Milvus."""

    folder: Path
    library_id: str
    space: Space
    address: MilvusAddress

    @property
    def path(self) -> Path:
        """Where it is said what the collection covers."""
        return self.folder / INDEX_FOLDER / f"{self.space.name.value}.milvus"

    @property
    def collection(self) -> MilvusCollection:
        """Its collection. A copy of a library, which lies elsewhere, has its own: it goes its own way."""
        place = hashlib.sha256(str(self.folder.resolve()).encode(errors="surrogateescape")).hexdigest()[:8]
        name = f"pesearch_{self.library_id}_{place}_{self.space.name.value}"
        return MilvusCollection(self.address, name, self.space.dim)

    def read(self) -> Manifest | None:
        """What the collection covers; None where nothing, or nothing of use, says so."""
        cached = read_cached(self.path, self._made_for())
        if cached is None:
            return None
        unsure = np.array(cached.says["unsure"], dtype=np.int64)
        return Manifest(IndexKind(cached.says["kind"]), cached.layout, unsure)

    def write(self, cover: Manifest) -> None:
        """Say what the collection covers from now on."""
        says = {"kind": cover.kind.value, "unsure": cover.unsure.tolist()}
        write_cached(self.path, self._made_for(), says, cover.layout)

    def _made_for(self) -> Mapping[str, Any]:
        return {
            "format": FORMAT,
            "collection": self.collection.name,
            "address": str(self.address),
            "model": self.space.model,
            "revision": self.space.revision,
            "dim": self.space.dim,
        }
