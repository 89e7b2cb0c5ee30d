"""Verify a shard: its size, its rows, and the checksum of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from pesearch.errors import LibraryDamaged
from pesearch.store.disk.os_errors import unavailable
from pesearch.store.disk.page_cache import drop_from_memory
from pesearch.store.shards.features import feature_schema
from pesearch.store.shards.format import Shard, VectorShard, is_as_written, shard_damaged
from pesearch.store.shards.reader import read_batches
from pesearch.store.shards.vectors import vector_schema
from pesearch.types import Space, SpaceName


def shard_schema(shard: Shard, spaces: Mapping[SpaceName, Space]) -> pa.Schema:
    """The schema of a shard of a library with these spaces."""
    return vector_schema(spaces[shard.space].dim) if isinstance(shard, VectorShard) else feature_schema(shard.dim)


def find_damage(folder: Path, shard: Shard, spaces: Mapping[SpaceName, Space]) -> LibraryDamaged | None:
    """Read a whole shard of the library in `folder`; the error that reading it raises if it is damaged, else None.

    A shard that seems damaged is read again, from the disk instead of memory: a wrong bit may come from the memory or
    the cable. A shard without a checksum is only checked for values that are not finite, which are never written.
    Raises LibraryUnavailable when the shard cannot be read now.
    """
    if _read_damage(folder, shard, spaces) is None:
        return None
    drop_from_memory(folder / shard.relative_path)
    return _read_damage(folder, shard, spaces)


def _read_damage(folder: Path, shard: Shard, spaces: Mapping[SpaceName, Space]) -> LibraryDamaged | None:
    path = folder / shard.relative_path
    try:
        batches = read_batches(folder, shard, shard_schema(shard, spaces))
        if shard.checksum is not None:
            is_intact = is_as_written(path, shard)
        else:
            is_intact = all(np.isfinite(batch.columns[-1]).all() for batch in batches)
    except FileNotFoundError:
        return shard_damaged(path, "is missing")
    except OSError as error:
        raise unavailable(folder, shard.relative_path, error.errno) from error
    except LibraryDamaged as error:
        return error
    return None if is_intact else shard_damaged(path, "differs from what was written")
