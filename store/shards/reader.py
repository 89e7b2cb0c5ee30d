"""Reading shards: small ones into memory, large ones mapped.

If the file of a mapped shard is cut off, or its disk fails, reading a page of it ends the process (SIGBUS).
`ShardFile.is_whole` is asked before each read, which leaves a disk that fails during the read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pyarrow as pa

from pesearch.store.disk.os_errors import unavailable
from pesearch.store.disk.page_cache import read_ahead, read_neighbours, read_single_pages
from pesearch.store.shards.format import Shard, shard_damaged, to_array
from pesearch.store.shards.parity import Columns, RowGuard, are_plausible, row_checksums

MAX_IN_MEMORY_BYTES = 1 << 20
"""Shards up to this size are read into memory: there are at most `compaction.MAX_SMALL_SHARDS` of a kind."""

HEAD_BYTES = 1 << 20
"""Start of a mapped shard that is read ahead: checksums and times of its first batch, 28 bytes for each row."""

READ_AHEAD_BYTES = 1 << 17
"""Bytes that are read ahead at a time: Linux reads at most its readahead window, which is 128 KiB by default."""


@dataclass(frozen=True, slots=True, eq=False)
class ShardFile:
    """The content of a shard, in memory or mapped."""

    shard: Shard
    path: Path
    content: bytes | mmap

    @classmethod
    def open(cls, folder: Path, shard: Shard) -> ShardFile:
        """Open a shard of the library in `folder`. Errors as in `read_batches`."""
        path = folder / shard.relative_path
        try:
            if path.stat().st_size != shard.size_bytes:
                raise shard_damaged(path, "has the wrong size")
            with path.open("rb") as file:
                is_small = shard.size_bytes <= MAX_IN_MEMORY_BYTES
                content = file.read() if is_small else mmap(file.fileno(), 0, access=ACCESS_READ)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unavailable(folder, shard.relative_path, error.errno) from error
        opened = cls(shard, path, content)
        opened.ensure_whole()
        return opened

    @property
    def is_whole(self) -> bool:
        """Whether the file of a mapped shard was not cut off."""
        size_bytes = len(self.content) if isinstance(self.content, bytes) else self.content.size()
        return size_bytes == self.shard.size_bytes

    @contextmanager
    def reading_head(self) -> Iterator[None]:
        """Reads the head of a mapped shard ahead, and other pages without their neighbours, which are vectors.

        A page fault reads a whole readahead window otherwise: megabytes of each shard on some systems.
        """
        if isinstance(self.content, bytes):
            yield
            return
        read_single_pages(self.content)
        for start in range(0, min(HEAD_BYTES, len(self.content)), READ_AHEAD_BYTES):
            read_ahead(self.content, start, READ_AHEAD_BYTES)
        try:
            yield
        finally:
            read_neighbours(self.content)

    def ensure_whole(self) -> None:
        """Raises LibraryDamaged unless `is_whole`."""
        if not self.is_whole:
            raise shard_damaged(self.path, "has the wrong size")


@dataclass(frozen=True, slots=True, eq=False)
class RowBatch:
    """A record batch of a shard, from row `first_row`: views of its columns, [n] or [n, dim].

    Shards of older programs have no `guard`. With `is_checked`, all rows were compared with it.
    """

    file: ShardFile
    first_row: int
    columns: Columns
    guard: RowGuard | None
    is_checked: bool = False

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.columns[0])

    def fits_times(self) -> bool:
        """Whether the file is whole, and the times of its segments are as written."""
        return self.file.is_whole and (self.guard is None or self.guard.fits_scalars(self.columns))

    def fits(self, rows: slice) -> bool:
        """Whether the file is whole, and some vectors or features are as written, or plausible."""
        if not self.file.is_whole:
            return False
        values = self.columns[-1][rows]
        if self.is_checked or self.guard is None:
            return self.is_checked or bool(are_plausible(values).all())
        return bool((row_checksums(values) == self.guard.rows[rows]).all())


def read_batches(
    folder: Path, shard: Shard, schema: pa.Schema, start: int = 0, stop: int | None = None
) -> list[RowBatch]:
    """The record batches with rows `start:stop` of a shard of the library in `folder`.

    Raises FileNotFoundError when the shard does not exist, LibraryDamaged when it differs from what was written,
    LibraryUnavailable when it cannot be read now.
    """
    file = ShardFile.open(folder, shard)
    try:
        with file.reading_head():
            reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(file.content)))
            if reader.schema.equals(schema) and _count(reader) == shard.rows:
                return list(_between(file, reader, start, shard.rows if stop is None else stop))
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
        raise shard_damaged(file.path, "cannot be read") from error
    raise shard_damaged(file.path, "has other rows than the catalogue")


def _count(reader: pa.RecordBatchFileReader) -> int:
    last = reader.num_record_batches - 1
    return int(last * reader.get_batch(0).num_rows + reader.get_batch(last).num_rows) if last >= 0 else 0


def _between(file: ShardFile, reader: pa.RecordBatchFileReader, start: int, stop: int) -> Iterator[RowBatch]:
    size = reader.get_batch(0).num_rows
    for first in range(start // size * size, stop, size):
        batch, metadata = reader.get_batch_with_custom_metadata(first // size)
        batch.validate()
        columns = [to_array(column) for column in batch.columns]
        if {len(column) for column in columns} != {batch.num_rows}:
            raise ValueError("columns of other lengths")
        yield RowBatch(file, first, columns, RowGuard.from_metadata(metadata, batch.num_rows))
