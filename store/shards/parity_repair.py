"""Write a damaged shard again from its parity rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from pesearch.errors import LibraryDamaged
from pesearch.store.disk.durable import AtomicFile, undone_by
from pesearch.store.shards.format import HashedSink, Shard, to_record_batch
from pesearch.store.shards.parity import RowGuard, restore
from pesearch.store.shards.reader import read_batches


def repair_by_parity(folder: Path, shard: Shard, schema: pa.Schema) -> bool:
    """Replace a damaged shard of the library in `folder` by the very bytes that were written, if parity restores them:
    only a file with the checksum of the shard takes its place. Whether it did.

    Raises FileNotFoundError, LibraryUnavailable, OSError.
    """
    try:
        batches = read_batches(folder, shard, schema)
    except LibraryDamaged:
        return False
    restored = [restore(batch.columns, batch.guard) for batch in batches]
    if shard.checksum is None or any(len(found.lost) for found in restored):
        return False
    file = AtomicFile(folder / shard.relative_path, durable=True)
    with undone_by(file.abandon):
        sink, written = HashedSink(file.sink), _schema_with_metadata(folder, shard)
        with pa.ipc.new_file(sink, written) as writer:
            for found in restored:
                guard = RowGuard.of(found.columns)
                writer.write_batch(to_record_batch(written, found.columns), custom_metadata=guard.to_metadata())
        if sink.hash.hexdigest() == shard.checksum:
            file.commit()
            return True
    file.abandon()
    return False


def _schema_with_metadata(folder: Path, shard: Shard) -> pa.Schema:
    return pa.ipc.open_file(pa.BufferReader((folder / shard.relative_path).read_bytes())).schema
