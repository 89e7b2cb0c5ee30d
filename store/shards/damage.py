"""Damage found in shards while they were read: which rows are lost, and which were restored.

Lost rows are left out, as if their files had none there: no score, and no statistic of other files, comes from them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from pesearch.errors import LibraryDamaged
from pesearch.store.shards.format import Shard, is_as_written, shard_damaged
from pesearch.store.shards.parity import restore
from pesearch.store.shards.reader import RowBatch, read_batches
from pesearch.store.shards.records import Extent
from pesearch.store.shards.row_ranges import RowIds


class RowsDamaged(Exception):
    """A row that was read differs from what was written: the read starts again, without it."""


@dataclass(frozen=True, slots=True, eq=False)
class ShardDamage:
    """Damage of a shard: the error, the `lost` and `restored` rows (sorted), and what can be read of it."""

    shard: Shard
    error: LibraryDamaged
    lost: RowIds
    restored: RowIds
    batches: list[RowBatch]


class DamageRegistry:
    """The damage found so far in a library, whatever the generation. Safe to share among threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[Shard, ShardDamage] = {}
        self._intact: set[Extent[Shard]] = set()
        self._verified: set[tuple[str, int, int]] = set()
        self._version = 0
        self._lock = threading.Lock()

    @property
    def version(self) -> int:
        """It changes with all damage that is found."""
        return self._version

    def find(self, shard: Shard) -> ShardDamage | None:
        """The damage of a shard, if any was found."""
        return self._found.get(shard)

    def read(self, shard: Shard, schema: pa.Schema, start: int = 0, stop: int | None = None) -> list[RowBatch]:
        """As `read_batches`, with restored rows; nothing if the shard is damaged as a whole.

        Shards in memory are checked, mapped ones only for the times of their segments.
        """
        if (known := self.find(shard)) is None:
            try:
                batches = read_batches(self._folder, shard, schema, start, stop)
            except LibraryDamaged as error:
                return self._record(ShardDamage(shard, error, np.arange(shard.rows), _NO_ROWS, [])).batches
            in_memory = all(isinstance(batch.file.content, bytes) for batch in batches)
            if all(batch.fits_times() and (not in_memory or batch.fits(slice(None))) for batch in batches):
                return [replace(batch, is_checked=in_memory) for batch in batches]
            known = self.examine(shard, schema)
        elif not all(batch.file.is_whole for batch in known.batches):
            known = self.examine(shard, schema)
        stop = shard.rows if stop is None else stop
        return [batch for batch in known.batches if batch.first_row < stop and batch.first_row + batch.rows > start]

    def keeps(self, extent: Extent[Shard], schema: pa.Schema) -> bool:
        """Whether no row of an extent is lost. All are checked, once."""
        shard, first, stop = extent.shard, extent.first_row, extent.first_row + extent.rows
        if extent not in self._intact:
            at = first
            while at < stop and self.find(shard) is None:  # one at a time: a long file has many
                (batch,) = self.read(shard, schema, at, at + 1) or (None,)
                if batch is not None and not batch.fits(_rows_between(batch, first, stop)):
                    self.examine(shard, schema)
                at = stop if batch is None else batch.first_row + batch.rows
            self._intact.add(extent)
        known = self.find(shard)
        return known is None or not ((known.lost >= first) & (known.lost < stop)).any()

    def examine(self, shard: Shard, schema: pa.Schema) -> ShardDamage:
        """Check all rows of a shard that is damaged, and restore those that can be."""
        error = shard_damaged(self._folder / shard.relative_path, "differs from what was written")
        lost, restored, batches = [_NO_ROWS], [_NO_ROWS], []
        try:
            for batch in read_batches(self._folder, shard, schema):
                batch.file.ensure_whole()
                found = restore(batch.columns, batch.guard)
                lost.append(batch.first_row + found.lost)
                restored.append(batch.first_row + found.restored)
                batches.append(replace(batch, columns=found.columns, is_checked=True))
        except LibraryDamaged as damaged:
            error, lost, restored, batches = damaged, [np.arange(shard.rows)], [_NO_ROWS], []
        return self._record(ShardDamage(shard, error, np.concatenate(lost), np.concatenate(restored), batches))

    def verify(self, shard: Shard, schema: pa.Schema) -> bool:
        """Compare a whole shard with its checksum, unless this was done for its size and time. Whether it was done.

        Raises OSError.
        """
        path = self._folder / shard.relative_path
        status = path.stat()
        state = shard.name, status.st_size, status.st_mtime_ns
        if state in self._verified:
            return False
        if not is_as_written(path, shard):
            self.examine(shard, schema)
        self._verified.add(state)
        return True

    def _record(self, damage: ShardDamage) -> ShardDamage:
        with self._lock:
            self._found[damage.shard] = damage
            self._version += 1
        return damage


_NO_ROWS: RowIds = np.empty(0, np.int64)


def _rows_between(batch: RowBatch, first: int, stop: int) -> slice:
    """The rows of a batch from row `first` of the shard to before `stop`."""
    return slice(max(first - batch.first_row, 0), max(stop - batch.first_row, 0))
