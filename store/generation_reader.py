"""Which generation of a library answers: the last committed one, or the one that it is pinned to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb

from pesearch.errors import SnapshotExpired, VectorServerError
from pesearch.store.catalogue.create import reading_migrated
from pesearch.store.catalogue.snapshot import is_current, read_catalogue_stamp, read_snapshot
from pesearch.store.catalogue.stamp import read_stamp
from pesearch.store.generation import Generation
from pesearch.store.index.ann_registry import AnnRegistry
from pesearch.store.shards.damage import DamageRegistry, RowsDamaged
from pesearch.store.shards.presence import shard_missing

MAX_SNAPSHOT_TRIES = 8
"""Maximum number of generations that a read tries, when each is replaced and its shards are deleted before the read
ends. A writer deletes shards only at its start and when it merges again, minutes apart."""

_Answer = TypeVar("_Answer")


class GenerationReader:
    """Answers from one generation of the library in `folder`, which is kept in memory until the next commit."""

    def __init__(self, folder: Path, ann: AnnRegistry, damage: DamageRegistry, pinned_to: Generation | None) -> None:
        self.folder = folder
        self._ann = ann
        self._damage = damage
        self._is_pinned = pinned_to is not None
        self._generation = pinned_to or self._read()

    def _from_shards(self, answer: Callable[[Generation], _Answer]) -> _Answer:
        """Calls `answer`, which needs shards or a Milvus, and again on the next generation if those were removed.

        Raises SnapshotExpired for a pinned library, or after MAX_SNAPSHOT_TRIES generations.
        """
        for _ in range(MAX_SNAPSHOT_TRIES):
            generation = self._now()
            try:
                return _without_damage(answer, generation)
            except (FileNotFoundError, VectorServerError) as error:
                if self._is_pinned and read_stamp(self.folder) != generation.snapshot.stamp:
                    raise self._expired() from error
                if self._now() is generation:
                    if isinstance(error, VectorServerError):
                        raise
                    raise shard_missing(self.folder, generation.snapshot.shards, Path(error.filename)) from error
        raise SnapshotExpired(f"The library {self.folder} changes faster than it can be read: try again later")

    def _from_catalogue(self, answer: Callable[[duckdb.DuckDBPyConnection], _Answer]) -> _Answer:
        """An answer from the catalogue. Raises SnapshotExpired for a pinned library when the catalogue is at a later
        one."""
        with reading_migrated(self.folder) as connection:
            if self._is_pinned:
                stamp = self._generation.snapshot.stamp
                if read_catalogue_stamp(connection) != stamp and read_stamp(self.folder) != stamp:
                    raise self._expired()
            return answer(connection)

    def _expired(self) -> SnapshotExpired:
        return SnapshotExpired(f"The library {self.folder} changed during the read: try again")

    def _now(self) -> Generation:
        """The last committed generation, from memory if the generation file still has that number."""
        cached = self._generation
        if self._is_pinned or read_stamp(self.folder) == cached.snapshot.stamp:
            return cached
        self._generation = self._read(cached)
        return self._generation

    def _read(self, cached: Generation | None = None) -> Generation:
        """The last committed generation: `cached`, if the catalogue is still at it."""
        with reading_migrated(self.folder) as connection:
            if cached is not None and is_current(connection, cached.snapshot):
                return cached
            return Generation(self.folder, read_snapshot(connection), self._ann, self._damage)


def _without_damage(answer: Callable[[Generation], _Answer], generation: Generation) -> _Answer:
    """Calls `answer`, and again without the damaged rows that it finds."""
    while True:
        try:
            return answer(generation)
        except RowsDamaged:
            continue  # a shard is examined once, as a whole: there are at most as many tries as shards
