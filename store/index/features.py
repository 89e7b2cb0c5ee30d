"""Reading the codec features of a file from its shard."""

from __future__ import annotations

from pesearch.store.catalogue.snapshot import Snapshot
from pesearch.store.shards.damage import DamageRegistry
from pesearch.store.shards.features import feature_schema, join_steps
from pesearch.types import CodecFeatures


def read_features(
    damage: DamageRegistry, snapshot: Snapshot, file_id: int, start_step: int, stop_step: int | None
) -> CodecFeatures | None:
    """A copy of the steps from `start_step` to before `stop_step` (None: the end) that the file has.

    None when the file has no features, or some of its steps are damaged: sounds are then located in the file itself.
    Raises FileNotFoundError when its shard was deleted.
    """
    extent = next(snapshot.features.of_file(file_id).joined(), None)
    if extent is None or not damage.keeps(extent, feature_schema(extent.shard.dim)):
        return None
    shard, first = extent.shard, extent.first_row
    start = min(max(start_step, 0), extent.rows)
    stop = extent.rows if stop_step is None else min(max(stop_step, start), extent.rows)
    batches = damage.read(shard, feature_schema(shard.dim), first + start, first + stop)
    steps = join_steps(batches, shard.dim, first + start, first + stop)
    return CodecFeatures(shard.codec, steps) if len(steps) == stop - start else None  # it was cut off since the check
