"""Checksums and parity of rows: a damaged row is recognised when it is read, and restored if it is the only one.

Each record batch carries checksums and PARITY_ROWS parity rows in its Arrow metadata. A parity row is the XOR of every
PARITY_ROWS-th row of the batch, as in RAID 5, so that up to PARITY_ROWS adjacent rows can be restored: a flipped bit, a
lost sector of 4 KiB if a row has 1024 dimensions. The checksums are CRC-32, which finds all damage of up to 32 adjacent
bits and misses one in 4e9 of the rest.

Shards of older programs have neither. Their rows are left out if they are implausible: not finite, or with a value far
above all others of their batch, as after a flipped bit in an exponent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from pesearch.store.shards.row_ranges import RowIds, RowMask

PARITY_ROWS = 4
"""Parity rows of a record batch: 0.1 % of a full one."""

MAX_VALUE_RATIO = 64
"""The greatest value of a plausible row is at most this many times the median of those of the rows read with it. It is
3.5 at most with the starter models; a flipped top bit of an exponent makes it thousands."""

Columns = Sequence[npt.NDArray[Any]]
"""Columns of n rows each, contiguous: any number of [n], then one of [n, dim]."""

Checksums = npt.NDArray[np.uint32]

_Bytes = npt.NDArray[np.uint8]

_KEYS = b"row_crc32", b"row_scalars_crc32", b"scalars_crc32", b"row_parity"


@dataclass(frozen=True, slots=True, eq=False)
class RowGuard:
    """The checksums and parity rows of a record batch.

    rows: Of each row of the last column, the vectors or features, uint32 [n]. row_scalars: Of each row of the columns
    [n], the times of segments. scalars: Of each of these columns as a whole: all times are needed to find the rows of a
    part of a file, and are checked without reading the vectors. parity: uint8 [PARITY_ROWS, row bytes].
    """

    rows: Checksums
    row_scalars: Checksums
    scalars: Checksums
    parity: _Bytes

    @classmethod
    def of(cls, columns: Columns) -> RowGuard:
        """The guard of undamaged rows."""
        parity = np.concatenate([_parity(_as_bytes(column)) for column in columns], axis=1)
        return cls(row_checksums(columns[-1]), row_checksums(*columns[:-1]), _column_checksums(columns[:-1]), parity)

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None, rows: int) -> RowGuard | None:
        """The guard in the metadata of a record batch; None if it has none."""
        *checksums, parity = ((metadata or {}).get(key, b"") for key in _KEYS)
        of_rows, of_row_scalars, of_scalars = (np.frombuffer(each[: len(each) // 4 * 4], "<u4") for each in checksums)
        if len(of_rows) != rows or len(of_row_scalars) not in (0, rows) or not parity or len(parity) % PARITY_ROWS:
            return None
        return cls(of_rows, of_row_scalars, of_scalars, np.frombuffer(parity, np.uint8).reshape(PARITY_ROWS, -1))

    def to_metadata(self) -> dict[bytes, bytes]:
        """The metadata for a record batch."""
        checksums = (each.astype("<u4").tobytes() for each in (self.rows, self.row_scalars, self.scalars))
        return dict(zip(_KEYS, (*checksums, self.parity.tobytes()), strict=True))

    def fits_scalars(self, columns: Columns) -> bool:
        """Whether the columns [n] are as written."""
        return np.array_equal(self.scalars, _column_checksums(columns[:-1]))

    def damaged_rows(self, columns: Columns) -> RowIds:
        """The rows that are not as written."""
        is_damaged = row_checksums(columns[-1]) != self.rows
        if len(columns) > 1:
            is_damaged |= row_checksums(*columns[:-1]) != self.row_scalars
        return np.flatnonzero(is_damaged)


@dataclass(frozen=True, slots=True, eq=False)
class RestoredRows:
    """The columns of a record batch with `restored` rows, without meaning in `lost` rows."""

    columns: Columns
    restored: RowIds
    lost: RowIds


def row_checksums(*columns: npt.NDArray[Any]) -> Checksums:
    """The CRC-32 of each row over some columns, uint32 [n]; empty without columns."""
    checksums: Iterable[int] = repeat(0)
    for column in columns:
        checksums = map(crc32, _as_bytes(column), checksums)
    return np.fromiter(checksums, np.uint32, len(columns[0])) if columns else np.empty(0, np.uint32)


def restore(columns: Columns, guard: RowGuard | None) -> RestoredRows:
    """Check all rows of a record batch, and restore those that can be."""
    if guard is None:
        return RestoredRows(columns, np.empty(0, np.int64), np.flatnonzero(~are_plausible(columns[-1])))
    damaged = guard.damaged_rows(columns)
    rows = _join(columns)
    if not len(damaged) or guard.parity.shape[1] != rows.shape[1]:
        return RestoredRows(columns, np.empty(0, np.int64), damaged)
    intact_checksums = []  # of rows whose checksum is damaged, not their values
    for row in damaged[[(damaged % PARITY_ROWS == row % PARITY_ROWS).sum() == 1 for row in damaged]]:
        stored, group = rows[row].copy(), rows[row % PARITY_ROWS :: PARITY_ROWS]
        rows[row] = 0
        rows[row] = _xor(group) ^ guard.parity[row % PARITY_ROWS]
        if (rows[row] == stored).all():
            intact_checksums.append(row)
    columns = _split(rows, columns)
    lost = np.setdiff1d(guard.damaged_rows(columns), np.array(intact_checksums, np.int64))
    return RestoredRows(columns, np.setdiff1d(damaged, lost), lost)


def _column_checksums(columns: Columns) -> Checksums:
    return np.array([crc32(np.ascontiguousarray(column).data) for column in columns], np.uint32)


def are_plausible(values: npt.NDArray[np.float16]) -> RowMask:
    """Whether rows without checksums [n, dim] may be undamaged."""
    if not values.size:
        return np.ones(len(values), np.bool_)
    magnitudes = (np.ascontiguousarray(values).view(np.uint16) & 0x7FFF).max(axis=1).view(np.float16).astype(np.float32)
    finite = np.isfinite(magnitudes)
    usual = np.median(magnitudes[finite]) if finite.any() else 0.0
    plausible: RowMask = finite & (magnitudes <= max(usual * MAX_VALUE_RATIO, np.finfo(np.float16).tiny))
    return plausible


def _join(columns: Columns) -> _Bytes:
    """The bytes of the rows, uint8 [n, row bytes]: a copy."""
    return np.concatenate([_as_bytes(column) for column in columns], axis=1)


def _split(rows: _Bytes, like: Columns) -> Columns:
    """The columns of rows from `_join`."""
    widths = [_as_bytes(column).shape[1] for column in like]
    parts = np.split(rows, np.cumsum(widths)[:-1], axis=1)
    return [
        np.ascontiguousarray(part).view(column.dtype).reshape(column.shape)
        for part, column in zip(parts, like, strict=True)
    ]


def _as_bytes(column: npt.NDArray[Any]) -> _Bytes:
    """The bytes of each row of a column, uint8 [n, bytes]."""
    row_bytes = column.itemsize * math.prod(column.shape[1:])
    return np.ascontiguousarray(column).reshape(-1).view(np.uint8).reshape(len(column), row_bytes)


def _parity(rows: _Bytes) -> _Bytes:
    return np.stack([_xor(rows[group::PARITY_ROWS]) for group in range(PARITY_ROWS)])


def _xor(rows: _Bytes) -> _Bytes:
    """The XOR of rows, uint8 [row bytes]."""
    combined: _Bytes = np.bitwise_xor.reduce(rows, axis=0)
    return combined
