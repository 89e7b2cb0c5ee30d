"""Changing a library: each method is one transaction and returns the generation that it made.

Vectors and features come first: a shard is whole and durable under its name before the transaction that registers it.
What is interrupted in between leaves a shard that nobody registered, and the next writer sweeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import duckdb

from pesearch.cues import CueSource
from pesearch.errors import LibraryDamaged, NoSpaceLeft
from pesearch.locations import Location, Volume
from pesearch.store.catalogue.connection import reading, transaction
from pesearch.store.catalogue.cue_extents import add_cue_vectors
from pesearch.store.catalogue.cues import drop_sources, take_cues
from pesearch.store.catalogue.extents import read_shards
from pesearch.store.catalogue.mutations import (
    add_files,
    fail_locations,
    forget_locations,
    merge_shards,
    place_files,
    raise_generation,
    remove_files,
    search_vectors_at,
    see_volumes,
)
from pesearch.store.catalogue.snapshot import Snapshot, read_snapshot
from pesearch.store.catalogue.stamp import lost_commits, read_stamp, write_stamp
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.derived.previews import Preview, keep_previews, sweep_previews
from pesearch.store.disk.durable import disk_errors
from pesearch.store.index.maintenance import IndexRefresh, refresh_indexes
from pesearch.store.index.milvus.sync import drop_collections
from pesearch.store.shards.format import Shard, sweep_shards
from pesearch.store.shards.records import StreamedFile
from pesearch.store.shards.vectors import check_storable, write_shard
from pesearch.store.write.batch import check_files, write_files, written_before
from pesearch.store.write.compaction import groups_to_merge, merge
from pesearch.types import EncodedFile, Failure, Space, SpaceName, SpaceVectors

MERGE_EVERY = 64
"""So many batches are added between two looks for shards to merge: five minutes of a run, at one batch in 5 s."""


class Writer:
    """The one writer of a library, from `Library.writer()`. `NoSpaceLeft` from any method leaves the library whole."""

    def __init__(self, folder: Path, snapshot: Snapshot) -> None:
        self._folder = folder
        self._birth = snapshot.library_id
        self._spaces: Mapping[SpaceName, Space] = {space.name: space for space in snapshot.spaces}
        self._searched: Mapping[SpaceName, Space] = {space.name: space for space in snapshot.searched}
        self._added = 0
        self._replaced: list[Shard] = []
        self._tidied = ""
        if lost := lost_commits(read_stamp(folder), snapshot):
            raise LibraryDamaged(
                f"The last {lost} commits of the library {folder} are missing: run `pesearch doctor --repair`"
            )
        with disk_errors(folder):
            write_stamp(folder, snapshot.stamp)
        self.sweep()

    def add(self, batch: Sequence[EncodedFile | StreamedFile]) -> int:
        """Commit encoded files. One that stands at the path of another content replaces it there.

        A content that is known gets one more location and keeps the vectors and features it has; features are added
        when it has none, and cues replace those of the same source. A content that no location holds any more is
        dropped with all that it has. Of two that stand at one path the later one counts. `ValueError` for vectors that
        do not fit the library's spaces, or are not finite in float16, and for features that are not finite float16;
        then nothing is committed.
        """
        files = list({file.location.path: file for file in batch}.values())
        encoded = [file for file in files if isinstance(file, EncodedFile)]
        check_files(encoded, self._spaces)
        self._added += 1
        if self._added % MERGE_EVERY == 0:
            self.merge()
        written = write_files(self._folder, encoded, self._spaces)
        written += written_before(file for file in batch if isinstance(file, StreamedFile))
        return self._commit(lambda connection: add_files(connection, files, written))

    def keep_previews(self, fingerprint: str, pictures: Sequence[Preview]) -> None:
        """Keep the pictures of a content, where there is room for them."""
        keep_previews(self._folder, fingerprint, pictures)

    def add_location(self, file_id: int, location: Location) -> int:
        """Say that a known file stands at this location too, or still, after a change of its time."""
        return self.add_locations([(file_id, location)])

    def add_locations(self, places: Sequence[tuple[int, Location]]) -> int:
        """`add_location` for many in one transaction. `LibraryError` for a file that is not known."""
        latest = {place.path: (file_id, place) for file_id, place in places}
        return self._commit(lambda connection: place_files(connection, list(latest.values())))

    def see(self, volumes: Sequence[Volume]) -> int:
        """Remember where volumes are mounted now."""
        return self._commit(lambda connection: see_volumes(connection, volumes))

    def fail(self, *failures: Failure) -> int:
        """Remember why files could not be indexed. A path whose bytes have changed no longer holds what it held.

        Of several failures of one path the last counts.
        """
        latest = {failure.location.path: failure for failure in failures}
        return self._commit(lambda connection: fail_locations(connection, list(latest.values())))

    def take_cues(self, read: Sequence[tuple[int, CueSource]], gone: Iterable[int] = ()) -> int:
        """Keep the cues that were read of files that are known; a source read before is replaced. `gone` are sources
        (`KnownSource.id`) that are there no more."""
        dropped = list(gone)

        def change(connection: duckdb.DuckDBPyConnection) -> None:
            drop_sources(connection, dropped)
            take_cues(connection, read)

        return self._commit(change)

    def add_cue_vectors(self, embedded: Sequence[tuple[int, SpaceVectors]]) -> int:
        """Keep the vectors of sources of cues (`Library.cues_to_embed`), one for each cue, in their order.

        `ValueError` for vectors that do not fit the space, or are not finite in float16. What is known of a source
        stays, and one that is there no more is left out.
        """
        space = self._searched[SpaceName.CUE]
        for _, vectors in embedded:
            if vectors.space is not SpaceName.CUE or vectors.vectors.shape[1] != space.dim:
                raise ValueError(f"{vectors!r} does not fit the space of cues")
            check_storable(vectors)
        with disk_errors(self._folder):
            shard = write_shard(self._folder, space, [vectors for _, vectors in embedded])
        sources = [(source_id, len(vectors.vectors)) for source_id, vectors in embedded]
        return self._commit(lambda connection: add_cue_vectors(connection, shard, sources))

    def remove(self, file_ids: Iterable[int]) -> int:
        """Drop files from the library: their places, vectors and features. The media itself is not touched."""
        ids = list(file_ids)
        return self._commit(lambda connection: remove_files(connection, ids))

    def forget(self, paths: Iterable[Path]) -> int:
        """Forget paths where nothing stands any more: failures, and places of files that are known elsewhere too.

        The last place of a file is kept, so that a drive that is away makes its files offline and loses none.
        """
        gone = list(paths)
        return self._commit(lambda connection: forget_locations(connection, gone))

    def search_vectors_at(self, milvus: MilvusAddress | None) -> list[str]:
        """Choose what searches the vectors: a Milvus, which `maintain` then fills, or FAISS (None).

        What another one held is dropped there; the names of the collections that could not be are the answer.
        """
        with reading(self._folder) as connection:
            before = read_snapshot(connection)
        if before.milvus == milvus:
            return []
        self._commit(partial(search_vectors_at, milvus=milvus))
        return drop_collections(self._folder, before)

    def merge(self) -> None:
        """Merge shards where too many are small, or mostly unused; each merge is one transaction.

        The old ones stay for readers of an earlier generation: until the next merge of this writer, or the next sweep.
        A disk without room for a merged shard keeps the small ones, and nothing is lost.
        """
        for shard in self._replaced:
            (self._folder / shard.place).unlink(missing_ok=True)
        self._replaced.clear()
        with reading(self._folder) as connection:
            groups = groups_to_merge(connection)
        with suppress(NoSpaceLeft):
            for group in groups:
                with disk_errors(self._folder):
                    merged = merge(self._folder, group, self._searched)
                if merged is not None:
                    self._commit(partial(merge_shards, merged=merged))
                    self._replaced += merged.replaced

    def maintain(self) -> Iterator[IndexRefresh]:
        """Merge shards, then bring the indexes of large spaces up to what is committed, step by step.

        It can be left at any step; what goes wrong with an index is a step too, and no error. At once over when
        nothing was committed since the last time.
        """
        self.merge()
        if self._tidied != (stamp := read_stamp(self._folder)):
            self._tidied = stamp
            with reading(self._folder) as connection:
                snapshot = read_snapshot(connection)
            yield from refresh_indexes(self._folder, snapshot)

    def sweep(self) -> int:
        """Delete shards that no transaction registered, or that hold nothing any more. Bytes freed."""
        with reading(self._folder) as connection:
            shards = read_shards(connection)
        with disk_errors(self._folder):
            return sweep_shards(self._folder, shards)

    def sweep_previews(self) -> int:
        """Delete pictures, thumbnails and proxies of what is not in the library any more. Bytes freed."""
        with reading(self._folder) as connection:
            fingerprints = {row[0] for row in connection.execute("SELECT fingerprint FROM files").fetchall()}
        with disk_errors(self._folder):
            return sweep_previews(self._folder, fingerprints)

    def _commit(self, change: Callable[[duckdb.DuckDBPyConnection], None]) -> int:
        with transaction(self._folder) as connection:
            change(connection)
            generation = raise_generation(connection)
        with disk_errors(self._folder):
            write_stamp(self._folder, f"{generation} {self._birth}")
        return generation
