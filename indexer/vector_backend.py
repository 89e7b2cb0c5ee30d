"""Checks and changes the vector search backend of a library: FAISS in this process, or a Milvus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pesearch.store.index.maintenance import IndexRefresh
from pesearch.store.index.milvus.sync import resolve_vectors
from pesearch.store.library import open_library


def check_backend(vectors: str) -> None:
    """Raise VectorServerError unless `vectors` (faiss, milvus:FILE.db, milvus:http://HOST:PORT) can be used."""
    resolve_vectors(vectors)


def change_backend(folder: Path, vectors: str, report: Callable[[str], None]) -> Iterator[IndexRefresh]:
    """Search the vectors of the library in `folder` with the backend `vectors` from now on, and fill it.

    Yields the steps of filling it. `report` gets a line for each collection that stays on an old Milvus because that
    cannot be reached. Raises VectorServerError, before anything is changed, if the new backend cannot be used.
    """
    library = open_library(folder)
    address = resolve_vectors(vectors)
    with library.writer() as writer:
        before = library.milvus
        for name in writer.set_vector_backend(address):
            report(f"collection {name} remains on {before}, which was not reached: drop it there")
        yield from writer.maintain()
