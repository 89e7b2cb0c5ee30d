"""Reading the codec features of a file from its shard."""

from __future__ import annotations

from pathlib import Path

from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.shards.features import read_steps
from pesearch.types import CodecFeatures


def read_features(
    folder: Path, snapshot: Snapshot, file_id: int, start_step: int, stop_step: int | None
) -> CodecFeatures | None:
    """A copy of the steps from `start_step` to before `stop_step` (None: the end) that the file has.

    None when the file has no features. Raises FileNotFoundError when its shard was deleted, LibraryDamaged.
    """
    extent = next(snapshot.features.of_file(file_id).joined(), None)
    if extent is None:
        return None
    shard, first = extent.shard, extent.first_row
    start = min(max(start_step, 0), extent.rows)
    stop = extent.rows if stop_step is None else min(max(stop_step, start), extent.rows)
    return CodecFeatures(shard.codec, read_steps(folder, shard, first + start, first + stop))
