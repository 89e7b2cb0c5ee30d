"""Search small libraries in the ways of large ones."""

from __future__ import annotations

import pytest

from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.mutations import set_vector_backend
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index import compressed_index as compressed
from pesearch.store.index import maintenance as renewal
from pesearch.store.index import vector_search as vectors
from pesearch.store.index.milvus import search as milvus_index
from pesearch.store.library import Library


def compress(patch: pytest.MonkeyPatch) -> None:
    """Every space has a compressed index, which every writer brings up to its last row; all else is as it is."""
    patch.setattr(vectors, "MAX_FLAT_BYTES", 0)
    patch.setattr(vectors, "MAX_FLAT_CUE_BYTES", 0)
    patch.setattr(renewal, "MIN_UNCOVERED_ROWS", 0)
    patch.setattr(renewal, "MIN_UNCOVERED_SHARE", 0)


def compress_without_loss(patch: pytest.MonkeyPatch) -> None:
    """As `compress`, with all rows in the shortlist, so that answers are exact."""
    compress(patch)
    patch.setattr(compressed, "MAX_EXACT_ROWS", 0)
    patch.setattr(compressed, "MIN_SHORTLIST", 1 << 30)


def ask_milvus(patch: pytest.MonkeyPatch) -> None:
    """Even a handful of rows is not read from the shards, unless all of them are asked for."""
    patch.setattr(milvus_index, "FLAT_EXTRA_ROWS", 0)


def on_milvus(library: Library, address: MilvusAddress) -> None:
    """Put an empty library on a Milvus without a new generation."""
    with transaction(library.folder) as connection:
        set_vector_backend(connection, address)
    library._generation = library._read()
