"""A library on disk: many readers, one writer at a time.

library = open_library(folder)
hits = library.search(SpaceName.AUDIO, queries, k=50)
with library.writer() as writer:
    writer.add(batch)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np

from pesearch.cues import CueHit
from pesearch.damage import DamagedFile
from pesearch.errors import LibraryError, NoSpaceLeft
from pesearch.search_hits import Hits
from pesearch.store.catalogue.create import (
    apply_migrations,
    create_catalogue,
    migrate_catalogue,
    needs_migration,
)
from pesearch.store.catalogue_reader import CatalogueReader
from pesearch.store.cue_search import SimilarCues, find_similar_cues
from pesearch.store.derived.previews import nearest_preview
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.lock import writer_lock
from pesearch.store.disk.regular_files import require_regular_files
from pesearch.store.generation import Generation
from pesearch.store.index.ann_registry import AnnRegistry
from pesearch.store.index.fulltext import FullTextIndex
from pesearch.store.index.fulltext_file import FullTextRegistry
from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.index.milvus.sync import MilvusState, milvus_state
from pesearch.store.index.part_vectors import PartRanges, PartVectors, read_vectors
from pesearch.store.index.vector_search import search_threads
from pesearch.store.recalibration import write_recalibration
from pesearch.store.shards.checksum import shard_schema
from pesearch.store.shards.damage import DamageRegistry
from pesearch.store.shards.row_ranges import RowIds
from pesearch.store.write.writer import Writer
from pesearch.types import CodecFeatures, FloatArray, MediaFile, Part, Space, SpaceName, SpaceVectors


def create_library(folder: Path, model_set: str, spaces: Sequence[Space]) -> Library:
    """Create an empty library for one model set. Raises LibraryError when the folder contains one already."""
    create_catalogue(folder, model_set, spaces)
    write_recalibration(folder, None)  # of a library that was there before
    return Library(folder)


def open_library(folder: Path) -> Library:
    """Open the library in `folder`. Raises LibraryError: LibraryNotFound, LibraryTooNew, LibraryDamaged, ..."""
    require_regular_files(folder)
    migrate_catalogue(folder)
    return Library(folder)


class Library(CatalogueReader):
    """A library for reading. Each method answers from the last committed generation, or from the pinned one.

    Use one `pinned()` library for several calls that must see the same generation. Safe to share among threads.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ann: AnnRegistry | None = None,
        damage: DamageRegistry | None = None,
        text: FullTextRegistry | None = None,
        pinned_to: Generation | None = None,
    ) -> None:
        """`open_library` opens a library. The keywords are for `pinned`, which shares the indexes of this library."""
        super().__init__(folder, ann or AnnRegistry(folder), damage or DamageRegistry(folder), pinned_to)
        self._text = text or FullTextRegistry(folder)

    def milvus_state(self) -> MilvusState | None:
        """The state of the library's collections on Milvus. Raises VectorServerError when that does not answer."""
        return milvus_state(self.folder, self._now().snapshot)

    def pinned(self) -> Library:
        """A library that stays at this generation, whatever is committed later.

        Its methods raise SnapshotExpired when they need data that was removed from the disk since.
        """
        return Library(self.folder, ann=self._ann, damage=self._damage, text=self._text, pinned_to=self._now())

    def preview(self, file: MediaFile, at_seconds: float) -> bytes | None:
        """The stored preview frame of a file nearest to a time, as JPEG; None when there is none that can be read."""
        return nearest_preview(self.folder, file.fingerprint, at_seconds)

    def search(
        self, space: SpaceName, queries: FloatArray, k: int, file_ids: frozenset[int] | None = None
    ) -> list[Hits]:
        """The k segments with the highest dot product, for each of `queries` [q, dim]; only in `file_ids` when given.

        Scores are exact: the query in float32 with the stored vector in float16. In a large space the index may miss
        a few of the k best (see `status().policies`). A space that the library does not have has no hits.
        Raises VectorServerError when the library is on a Milvus that does not answer.
        """

        def answer(generation: Generation) -> list[Hits]:
            known = generation.snapshot.space(space)
            none = [Hits.empty(space)] * len(queries)
            return generation.search(known, queries, k, file_ids) if known else none

        return self._from_shards(answer)

    def search_spaces(
        self, queries: Mapping[SpaceName, FloatArray], k: int, file_ids: frozenset[int] | None = None
    ) -> dict[SpaceName, list[Hits]]:
        """As `search`, in several spaces in parallel, the largest first."""
        spaces = sorted(queries, key=self.rows, reverse=True)
        found = search_threads().map(lambda space: self.search(space, queries[space], k, file_ids), spaces)
        return dict(zip(spaces, found, strict=True))

    def vectors(self, file_id: int, space: SpaceName) -> SpaceVectors:
        """The vectors of one file in one space, as stored. Raises LibraryError if the library does not have the
        space."""

        def answer(generation: Generation) -> SpaceVectors:
            return read_vectors(generation.rows_with(self._space(generation, space), file_id), file_id)

        return self._from_shards(answer)

    def vectors_of(self, parts: Sequence[Part], space: SpaceName) -> Iterator[PartVectors]:
        """The vectors of parts of files in one space, a few parts at a time: they need not all fit into memory."""

        def rows(generation: Generation) -> MappedRows:
            return generation.rows(self._space(generation, space))

        def read(batch: PartRanges, generation: Generation) -> PartVectors | None:
            return batch.within(rows(generation)).read()

        for batch in self._from_shards(lambda generation: PartRanges.of(rows(generation), parts)).batches():
            found = self._from_shards(partial(read, batch))
            if found is not None:
                yield found

    def rows(self, space: SpaceName) -> int:
        """The number of vectors in a space."""

        def answer(generation: Generation) -> int:
            known = generation.snapshot.space(space)
            return generation.rows(known).layout.rows if known else 0

        return self._from_shards(answer)

    def file_ids(self, space: SpaceName) -> RowIds:
        """The ids of the files with vectors in a space, int64 [n], ascending."""
        return self._from_shards(lambda generation: generation.rows(self._space(generation, space)).layout.file_ids)

    def sample(self, space: SpaceName, count: int) -> FloatArray:
        """At most `count` vectors of a space, evenly spread over its files, float32 [n, dim]."""

        def answer(generation: Generation) -> FloatArray:
            rows = generation.rows(self._space(generation, space))
            numbers = np.linspace(0, rows.layout.rows - 1, min(count, rows.layout.rows)).astype(np.int64)
            return rows.vectors(numbers).astype(np.float32)

        return self._from_shards(answer)

    def features(self, file_id: int, start_step: int = 0, stop_step: int | None = None) -> CodecFeatures | None:
        """The codec features of one file, as stored: its steps in `start_step:stop_step`, or to the end.

        Steps beyond the end are left out, and only the requested ones are read into memory. None when the file has no
        features, or some of them are damaged.
        """

        def answer(generation: Generation) -> CodecFeatures | None:
            return generation.features(file_id, start_step, stop_step)

        return self._from_shards(answer)

    def damage(self) -> tuple[DamagedFile, ...]:
        """The files whose vectors or features were found to be damaged so far, in this process, by path."""
        return self._now().damage()

    def check_in_memory(self) -> None:
        """Check what every search reads: the sizes of all shards, and the vectors of spaces that it holds in memory.

        Raises LibraryDamaged when a shard is missing, LibraryError when one cannot be read now.
        """
        for space in self._now().snapshot.searched:
            self._from_shards(partial(lambda space, generation: generation.check_in_memory(space), space))

    def verify(self) -> Iterator[Path]:
        """Compare each shard with its checksum, once for each of its states in this process; its path, after each.

        Raises LibraryError when one cannot be read now.
        """
        generation = self._now()
        spaces = {space.name: space for space in generation.snapshot.searched}
        for shard in generation.snapshot.shards:
            with disk_errors(self.folder), suppress(FileNotFoundError):  # merged or removed meanwhile
                if self._damage.verify(shard, shard_schema(shard, spaces)):
                    if self._damage.find(shard) is None:
                        generation.mark_checked(shard)
                    yield shard.relative_path

    def full_text(self) -> FullTextIndex:
        """The index of the words of all cues at this generation. Its searches all see the same cues."""
        snapshot = self._now().snapshot
        return self._text.index(snapshot.library_id, snapshot.stamp, self._from_catalogue)

    def find_similar_cues(
        self, queries: FloatArray, min_scores: FloatArray, k: int, file_ids: frozenset[int] | None = None
    ) -> list[list[CueHit]]:
        """The k cues with the highest dot product, of those with at least `min_scores` [q], for each of `queries`
        [q, dim]; only in `file_ids` when given."""

        def answer(generation: Generation) -> SimilarCues:
            return find_similar_cues(generation, queries, min_scores, k, file_ids)

        found = self._from_shards(answer)
        return self._from_catalogue(found.read) if len(found.scores) else [[]] * len(queries)

    @contextmanager
    def writer(self, *, as_root: bool = False) -> Iterator[Writer]:
        """Hold the writer's lock and change the library. Raises LibraryBusy, which names its holder, and
        LibraryUnavailable for root in the library of another user, unless `as_root`.

        At the end, unless there was an error, shards are compacted, indexes refreshed (`Writer.maintain`) and the
        catalogue copied.
        """
        with writer_lock(self.folder, as_root=as_root) as lock:
            if needs_migration(self.folder):
                apply_migrations(self.folder)
            writer = Writer(lock, self._read(self._generation).snapshot)
            yield writer
            for _ in writer.maintain():  # nothing is left to do if the caller did it
                pass
            with suppress(NoSpaceLeft):  # the last copy stays
                writer.back_up()

    def _space(self, generation: Generation, name: SpaceName) -> Space:
        known = generation.snapshot.space(name)
        if known is None:
            raise LibraryError(f"The library {self.folder} has no {name} vectors")
        return known
