"""Verify a shard: its size, its rows, and the checksum of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from pesearch.errors import LibraryDamaged
from pesearch.store.shards.features import feature_schema
from pesearch.store.shards.format import Shard, VectorShard, from_half_column, new_hash, read_rows, shard_damaged
from pesearch.store.shards.vectors import vector_schema
from pesearch.types import Space, SpaceName

_PIECE_BYTES = 1 << 20


def find_damage(folder: Path, shard: Shard, spaces: Mapping[SpaceName, Space]) -> LibraryDamaged | None:
    """Read a whole shard of the library in `folder`; the error that reading it raises if it is damaged, else None.

    A shard without a checksum is only checked for values that are not finite, which are never written.
    """
    path = folder / shard.relative_path
    is_of_vectors = isinstance(shard, VectorShard)
    schema = vector_schema(spaces[shard.space].dim) if isinstance(shard, VectorShard) else feature_schema(shard.dim)
    try:
        batches = read_rows(folder, shard, schema)
        if shard.checksum is not None:
            is_as_written = _checksum(path) == shard.checksum
        else:
            is_as_written = all(_is_finite(batch.column(2 if is_of_vectors else 0)) for batch in batches)
    except FileNotFoundError:
        return shard_damaged(path, "is missing")
    except OSError as error:
        return shard_damaged(path, f"cannot be read ({error.strerror})")
    except LibraryDamaged as error:
        return error
    return None if is_as_written else shard_damaged(path, "differs from what was written")


def _checksum(path: Path) -> str:
    checksum = new_hash()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            checksum.update(piece)
    return checksum.hexdigest()


def _is_finite(column: pa.Array) -> bool:
    return bool(np.isfinite(from_half_column(column)).all())
