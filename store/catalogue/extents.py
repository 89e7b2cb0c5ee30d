"""Where the rows of files are in the shards, as columns: an object per file would make snapshots slow to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import duckdb
import numpy as np

from pesearch.store.shards.format import FeatureShard, Shard, VectorShard
from pesearch.store.shards.records import Extent
from pesearch.store.shards.row_ranges import RowIds, RowRanges
from pesearch.types import SpaceName

_Shard = TypeVar("_Shard", bound=Shard, covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class Extents(Generic[_Shard]):
    """Extents sorted by file id: `rows[i]` rows of file `file_ids[i]`, from row `first_rows[i]` of the shard
    `shards[shard_numbers[i]]`. Columns int64 [n]."""

    shards: Mapping[int, _Shard]
    file_ids: RowIds
    shard_numbers: RowIds
    first_rows: RowIds
    rows: RowIds

    def of_file(self, file_id: int) -> Extents[_Shard]:
        """The extents of one file."""
        start, stop = np.searchsorted(self.file_ids, [file_id, file_id + 1])
        columns = (self.file_ids, self.shard_numbers, self.first_rows, self.rows)
        return Extents(self.shards, *(column[start:stop] for column in columns))

    def without(self, lost: Mapping[int, RowIds]) -> Extents[_Shard]:
        """The extents without the `lost` rows of some shards (sorted), by the numbers of these."""
        if not lost:
            return self
        columns = (self.file_ids, self.shard_numbers, self.first_rows, self.rows)
        extents = zip(*(column.tolist() for column in columns), strict=True)
        kept = [piece for extent in extents for piece in _cut(*extent, lost=lost.get(extent[1]))]
        return Extents(self.shards, *np.array(kept, np.int64).reshape(-1, len(_COLUMNS)).T)

    def joined(self) -> Iterator[Extent[_Shard]]:
        """The same rows in the same order, with adjacent extents of a shard merged."""
        same_shard = self.shard_numbers[1:] == self.shard_numbers[:-1]
        follows = same_shard & (self.first_rows[1:] == self.first_rows[:-1] + self.rows[:-1])
        first = np.flatnonzero(np.concatenate([[True], ~follows]))[: len(self.rows)]
        rows = np.add.reduceat(self.rows, first) if len(first) else self.rows
        for number, first_row, count in zip(
            self.shard_numbers[first].tolist(), self.first_rows[first].tolist(), rows.tolist(), strict=True
        ):
            yield Extent(self.shards[number], first_row, count)

    def layout(self) -> RowRanges:
        """The rows of each file, when the rows of all extents are numbered in order."""
        unique, first = np.unique(self.file_ids, return_index=True)
        return RowRanges.of(unique, np.add.reduceat(self.rows, first) if len(first) else self.rows)


def _cut(
    file_id: int, shard_number: int, first_row: int, rows: int, *, lost: RowIds | None
) -> Iterator[tuple[int, int, int, int]]:
    """The pieces of an extent between lost rows."""
    stop = first_row + rows
    inside = [] if lost is None else lost[(lost >= first_row) & (lost < stop)].tolist()
    for first, next_lost in zip([first_row, *(row + 1 for row in inside)], [*inside, stop], strict=True):
        if first < next_lost:
            yield file_id, shard_number, first, next_lost - first


def read_shards(connection: duckdb.DuckDBPyConnection) -> list[Shard]:
    """All registered shards, of vectors and of features."""
    return [*_vector_shards(connection).values(), *_feature_shards(connection).values()]


def read_vector_extents(connection: duckdb.DuckDBPyConnection) -> Mapping[SpaceName, Extents[VectorShard]]:
    """The extents of the vectors in each space that has shards. Those of cues have source ids as `file_ids`."""
    columns = connection.execute("""
        SELECT file_id, shards.rowid AS shard_number, first_row, every.rows AS rows
        FROM (
            SELECT file_id, shard, first_row, rows FROM extents
            UNION ALL SELECT source_id, shard, first_row, rows FROM cue_extents
        ) AS every JOIN shards ON shard = name ORDER BY file_id, first_row""").fetchnumpy()
    extents: dict[SpaceName, Extents[VectorShard]] = {}
    for space, shards in _by_space(_vector_shards(connection)).items():
        is_of_space = np.isin(columns["shard_number"], list(shards))
        extents[space] = Extents(shards, *(columns[name][is_of_space] for name in _COLUMNS))
    return extents


def no_extents() -> Extents[VectorShard]:
    """The extents of a space without vectors."""
    return Extents({}, *(np.empty(0, np.int64) for _ in _COLUMNS))


def read_feature_extents(connection: duckdb.DuckDBPyConnection) -> Extents[FeatureShard]:
    """The extents of codec features: one for each file that has features."""
    columns = connection.execute("""
        SELECT file_id, feature_shards.rowid AS shard_number, first_row, feature_extents.rows AS rows
        FROM feature_extents JOIN feature_shards ON shard = name ORDER BY file_id""").fetchnumpy()
    return Extents(_feature_shards(connection), *(columns[name] for name in _COLUMNS))


_COLUMNS = ("file_id", "shard_number", "first_row", "rows")


def _vector_shards(connection: duckdb.DuckDBPyConnection) -> dict[int, VectorShard]:
    rows = connection.execute("SELECT rowid, name, space, rows, size_bytes, checksum FROM shards").fetchall()
    return {number: VectorShard(name, SpaceName(space), *rest) for number, name, space, *rest in rows}


def _feature_shards(connection: duckdb.DuckDBPyConnection) -> dict[int, FeatureShard]:
    rows = connection.execute(
        "SELECT rowid, name, codec, dim, rows, size_bytes, checksum FROM feature_shards"
    ).fetchall()
    return {number: FeatureShard(*rest) for number, *rest in rows}


def _by_space(shards: Mapping[int, VectorShard]) -> Mapping[SpaceName, Mapping[int, VectorShard]]:
    spaces: dict[SpaceName, dict[int, VectorShard]] = {}
    for number, shard in shards.items():
        spaces.setdefault(shard.space, {})[number] = shard
    return spaces
