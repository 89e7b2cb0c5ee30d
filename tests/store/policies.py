"""Search small libraries in the ways of large ones."""

from __future__ import annotations

import pytest

from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.mutations import set_vector_backend
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index import ivf_rabitq as compressed
from pesearch.store.index import maintenance as renewal
from pesearch.store.index import vector_search as vectors
from pesearch.store.index.milvus import search as milvus_index
from pesearch.store.library import Library


def compress(patch: pytest.MonkeyPatch) -> None:
    """Give every space a compressed index, which every writer completes. Nothing else changes."""
    patch.setattr(vectors, "EXACT_BYTES", 0)
    patch.setattr(renewal, "LEAST_NEW_ROWS", 0)
    patch.setattr(renewal, "NEW_SHARE", 0)


def compress_without_loss(patch: pytest.MonkeyPatch) -> None:
    """As `compress`, with all rows in the shortlist, so that answers are exact."""
    compress(patch)
    patch.setattr(compressed, "SMALL_CHOICE", 0)
    patch.setattr(compressed, "SHORTLIST", 1 << 30)


def ask_milvus(patch: pytest.MonkeyPatch) -> None:
    """Search the Milvus even for a few rows, which would be read from the shards, unless all rows are asked for."""
    patch.setattr(milvus_index, "FLAT_MORE", 0)


def on_milvus(library: Library, address: MilvusAddress) -> None:
    """Put an empty library on a Milvus without a new generation."""
    with transaction(library.folder) as connection:
        set_vector_backend(connection, address)
    library._generation = library._read()
