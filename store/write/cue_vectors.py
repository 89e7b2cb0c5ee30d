"""Write the vectors of cues while they are embedded: a source may have 100,000, which would take 400 MB."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from pesearch.store.catalogue.cue_extents import add_cue_vectors
from pesearch.store.disk.durable import undone_by
from pesearch.store.shards.vectors import VectorStream, check_storable
from pesearch.store.write.locked_library import LockedLibrary
from pesearch.types import Space, SpaceName, SpaceVectors

BATCH_ROWS = 4096
"""Vectors per record batch, and in memory: 8 MiB at 1024 numbers each."""


class CueVectorStream:
    """One shard of cue vectors. It is committed at the end of the context, or deleted after an error.

    Methods raise NoSpaceLeft and LibraryError.
    """

    def __init__(self, library: LockedLibrary, space: Space) -> None:
        self._library = library
        self._space = space
        self._rows: VectorStream | None = None
        self._counts: dict[int, int] = {}

    def append(self, source_id: int, vectors: SpaceVectors) -> None:
        """Append vectors of the next cues of a source, in order; those of a source follow each other.

        Raises ValueError for vectors that do not fit the space or are not finite in float16.
        """
        if vectors.space is not SpaceName.CUE or vectors.vectors.shape[1] != self._space.dim:
            raise ValueError(f"{vectors!r} does not fit the space of cues")
        check_storable(vectors)
        with self._library.folder() as folder:
            if self._rows is None:
                self._rows = VectorStream(folder, self._space, BATCH_ROWS)
            self._rows.append(vectors)
        self._counts[source_id] = self._counts.get(source_id, 0) + len(vectors.vectors)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rows is None:
            return
        if error is not None:
            self._rows.discard()
            return
        with self._library.folder(), undone_by(self._rows.discard):
            shard = self._rows.finish()
        self._library.commit(lambda connection: add_cue_vectors(connection, shard, list(self._counts.items())))
