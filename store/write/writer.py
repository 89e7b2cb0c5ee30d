"""Change a library: each method is one transaction and returns the new generation.

Shards are durable before the transaction that registers them. An interruption in between leaves unregistered shards,
which the next writer sweeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import duckdb

from pesearch import timeline
from pesearch.audio_track import AudioTrack
from pesearch.cues import CueSource
from pesearch.errors import ModelMismatch, NoSpaceLeft
from pesearch.locations import Absence, Location
from pesearch.store.catalogue.absences import store_absences
from pesearch.store.catalogue.backup import back_up_catalogue
from pesearch.store.catalogue.connection import close_idle_databases
from pesearch.store.catalogue.cues import drop_sources, store_cues
from pesearch.store.catalogue.discard_manifest import read_manifests
from pesearch.store.catalogue.extents import read_shards
from pesearch.store.catalogue.mutations import (
    add_files,
    forget_locations,
    record_compared_copies,
    record_failures,
    record_volumes,
    register_merged_shard,
    remove_files,
    rolled_back_ns,
    set_audio_track,
    set_locations,
    set_vector_backend,
)
from pesearch.store.catalogue.properties import store_properties
from pesearch.store.catalogue.snapshot import Snapshot, read_snapshot
from pesearch.store.catalogue.stamp import read_stamp, require_last_commit, write_stamp
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.derived.previews import Preview, keep_previews, sweep_previews
from pesearch.store.disk.lock import WriterLock
from pesearch.store.disk.quarantine import move, new_quarantine
from pesearch.store.index.maintenance import IndexRefresh, refresh_indexes
from pesearch.store.index.milvus.named_addresses import remember
from pesearch.store.index.milvus.sync import drop_collections
from pesearch.store.shards.format import Shard, find_strays
from pesearch.store.shards.presence import require_folders
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write.batch import check_files, collect_shards, write_files
from pesearch.store.write.compaction import find_groups, merge_group
from pesearch.store.write.cue_vectors import CueVectorStream
from pesearch.store.write.locked_library import LockedLibrary
from pesearch.types import EncodedFile, Failure, MediaProperties, Space, SpaceName
from pesearch.volume import Volume

BATCHES_PER_COMPACTION = 64
"""Number of batches between compactions: five minutes of an indexing run, at a batch every 5 s."""

MANY_CUES = 20_000
"""From so many cues in a transaction on, the memory that DuckDB keeps of them is released: 45 MiB after 95,000 cues of
200 characters."""


class Writer:
    """The only writer of a library, from `Library.writer()`. `NoSpaceLeft` from a method leaves it intact.

    Methods raise LibraryError, and change nothing, once another library is in the folder.
    """

    def __init__(self, lock: WriterLock, snapshot: Snapshot) -> None:
        folder = lock.folder
        grid = (timeline.WINDOW_SECONDS, timeline.HOP_SECONDS, timeline.FRAMES_PER_SECOND)
        if (snapshot.window_seconds, snapshot.hop_seconds, snapshot.frames_per_second) != grid:
            raise ModelMismatch(
                f"The library {folder} was indexed in windows of another length: index into a new library"
            )
        self._library = LockedLibrary(lock, snapshot)
        self._spaces: Mapping[SpaceName, Space] = {space.name: space for space in snapshot.spaces}
        self._searched: Mapping[SpaceName, Space] = {space.name: space for space in snapshot.searched}
        self._added = 0
        self._replaced: list[Shard] = []
        self._maintained_stamp = ""
        require_last_commit(folder, read_stamp(folder), snapshot)
        require_folders(folder, snapshot.shards)
        with self._library.folder():
            write_stamp(folder, snapshot.stamp)
        self.sweep()

    def add(self, batch: Sequence[EncodedFile | StreamedFile]) -> int:
        """Commit encoded files. A file replaces another content at the same path; the last of two at one path counts.

        A known content gets another location, and keeps its vectors and features; features are added if it has none,
        cues replace those of the same source, and remarks those of its media. A content without locations is removed
        with all its data. Raises ValueError for vectors that do not fit the library's spaces or are not finite in
        float16, and for features that are not finite float16; then nothing is committed.
        """
        files = list({file.location.path: file for file in batch}.values())
        encoded = [file for file in files if isinstance(file, EncodedFile)]
        check_files(encoded, self._spaces)
        self._added += 1
        if self._added % BATCHES_PER_COMPACTION == 0:
            self.compact()
            with suppress(NoSpaceLeft):
                self.back_up()  # a long run would lose more if the catalogue were damaged before its end
        with self._library.folder() as folder:
            written = write_files(folder, encoded, self._spaces)
        written += collect_shards(file for file in batch if isinstance(file, StreamedFile))
        generation = self._library.commit(lambda connection: add_files(connection, files, written))
        _release_memory(source for file in files for source in file.cues)
        return generation

    def keep_previews(self, fingerprint: str, pictures: Sequence[Preview]) -> None:
        """Store preview pictures of a content, if the disk has room."""
        with self._library.folder() as folder:
            keep_previews(folder, fingerprint, pictures)

    def add_locations(self, located: Sequence[tuple[int, Location]]) -> int:
        """Add locations of known files, (file id, location), or update size and time of known locations.

        Raises LibraryError for an unknown file id.
        """
        latest = {location.path: (file_id, location) for file_id, location in located}
        return self._library.commit(lambda connection: set_locations(connection, list(latest.values())))

    def record_volumes(self, volumes: Sequence[Volume]) -> int:
        """Store where volumes are mounted now."""
        return self._library.commit(lambda connection: record_volumes(connection, volumes))

    def record_failures(self, *failures: Failure) -> int:
        """Store why files could not be indexed. A path keeps its file only if size and time are still the same.

        The last of several failures of one path counts.
        """
        latest = {failure.location.path: failure for failure in failures}
        return self._library.commit(lambda connection: record_failures(connection, list(latest.values())))

    def store_cues(self, read: Sequence[tuple[int, CueSource]], removed: Iterable[int] = ()) -> int:
        """Store cues of known files, (file id, source), replacing those of the same source. `removed`: source ids
        (`KnownSource.id`) that no longer exist."""
        removed_ids = list(removed)

        def change(connection: duckdb.DuckDBPyConnection) -> None:
            drop_sources(connection, removed_ids)
            store_cues(connection, read)

        generation = self._library.commit(change)
        _release_memory(source for _, source in read)
        return generation

    def store_properties(self, read: Sequence[tuple[int, MediaProperties]]) -> int:
        """Store what known files say about their recording, (file id, properties)."""
        return self._library.commit(lambda connection: store_properties(connection, read))

    def cue_vectors(self) -> CueVectorStream:
        """A shard for the vectors of sources (`Library.cues_to_embed`), one per cue, committed when its context ends.

        Sources that have vectors already or were removed are left out.
        """
        return CueVectorStream(self._library, self._searched[SpaceName.CUE])

    def remove(self, file_ids: Iterable[int]) -> int:
        """Remove files from the library: locations, vectors, features, cues. Media files are never touched."""
        ids = list(file_ids)
        return self._library.commit(lambda connection: remove_files(connection, ids))

    def forget(self, paths: Iterable[Path]) -> int:
        """Remove paths that no longer exist: failures, and locations of files that have another location.

        The last location of a file is kept: when a drive is disconnected its files are offline, not removed.
        """
        removed = list(paths)
        return self._library.commit(lambda connection: forget_locations(connection, removed))

    def record_absences(self, found: Iterable[Path], absences: Mapping[Path, Absence]) -> int:
        """Store why known paths were not found, and that others were `found` again."""
        present = list(found)
        return self._library.commit(lambda connection: store_absences(connection, present, absences))

    def settle_copies(self, file_ids: Iterable[int], removed: Iterable[int]) -> int:
        """Note that the locations of files have been compared (`Library.uncompared_copies`). Those `removed` stood for
        different contents, and are removed with all their data."""
        compared, ids = list(file_ids), list(removed)

        def change(connection: duckdb.DuckDBPyConnection) -> None:
            record_compared_copies(connection, compared)
            remove_files(connection, ids)

        return self._library.commit(change)

    def set_vector_backend(self, milvus: MilvusAddress | None) -> list[str]:
        """Set the vector search backend: a Milvus, which `maintain` then fills, or FAISS (None).

        It counts as named by the user. Collections on the previous Milvus are dropped. Returns the names of those that
        could not be dropped.
        """
        if milvus is not None:
            remember(milvus)
        with self._library.reading() as connection:
            before = read_snapshot(connection)
        if before.milvus == milvus:
            return []
        self._library.commit(partial(set_vector_backend, milvus=milvus))
        with self._library.folder() as folder:
            return drop_collections(folder, before)

    def set_audio_track(self, track: AudioTrack | None) -> int:
        """Set the audio track that is searched; None for the one that players choose. Vectors stay as they are."""
        return self._library.commit(partial(set_audio_track, track=track))

    def compact(self) -> None:
        """Merge shards where too many are small or mostly unused; each merge is one transaction.

        The old shards stay for readers of earlier generations until the next compaction or sweep. Without room for a
        merged shard the small ones stay.
        """
        with self._library.reading() as connection:
            groups = find_groups(connection)
        with suppress(NoSpaceLeft):
            self._delete_replaced()
            for group in groups:
                with self._library.folder() as folder:
                    merged = merge_group(folder, group, self._searched)
                if merged is not None:
                    self._library.commit(partial(register_merged_shard, merged=merged))
                    self._replaced += merged.replaced

    def maintain(self) -> Iterator[IndexRefresh]:
        """Compact shards, then refresh the indexes of large spaces, step by step; can be stopped after any step.

        Errors of an index are steps too, not exceptions. Does nothing if nothing was committed since the last call.
        """
        self.compact()
        with self._library.folder() as folder:
            stamp = read_stamp(folder)
        if self._maintained_stamp != stamp:
            self._maintained_stamp = stamp
            with self._library.reading() as connection:
                snapshot = read_snapshot(connection)
            yield from refresh_indexes(folder, snapshot)

    def sweep(self) -> int:
        """Delete shards that are not registered, or no longer used, except discarded ones. Bytes freed."""
        with self._library.reading() as connection:
            shards, rolled_back = read_shards(connection), rolled_back_ns(connection)
        with self._library.folder() as folder:
            shards += [each.shard for record in read_manifests(folder).values() for each in record.shards]
            strays = find_strays(folder, shards)
            if not strays:
                return 0
            self.back_up()  # the last copy of the catalogue may refer to them
            unused = [path for path in strays if path.stat().st_mtime_ns > rolled_back]
            if lost := [path.relative_to(folder) for path in strays if path not in unused]:
                with new_quarantine(folder) as target:
                    move(folder, target, lost)  # of commits that a repair could not see
            freed_bytes = sum(path.stat().st_size for path in unused)
            for path in unused:
                path.unlink()
            return freed_bytes

    def back_up(self) -> None:
        """Copy the catalogue, if it changed since it was copied last."""
        with self._library.folder() as folder:
            back_up_catalogue(folder, read_stamp(folder))

    def sweep_previews(self) -> int:
        """Delete previews, thumbnails and proxies of files that are no longer in the library. Bytes freed."""
        with self._library.reading() as connection:
            fingerprints = {row[0] for row in connection.execute("SELECT fingerprint FROM files").fetchall()}
        with self._library.folder() as folder:
            return sweep_previews(folder, fingerprints)

    def _delete_replaced(self) -> None:
        """Delete shards that earlier compactions replaced, once the copy of the catalogue does not refer to them."""
        if self._replaced:
            self.back_up()
            with self._library.folder() as folder:
                while self._replaced:
                    (folder / self._replaced.pop().relative_path).unlink(missing_ok=True)


def _release_memory(stored: Iterable[CueSource]) -> None:
    """Return the memory of a transaction with many cues to the system."""
    if sum(len(source.cues) for source in stored) >= MANY_CUES:
        close_idle_databases()
