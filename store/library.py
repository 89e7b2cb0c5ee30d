"""A library on disk: many readers, one writer at a time.

library = open_library(folder)
hits = library.search(SpaceName.AUDIO, queries, k=50)
with library.writer() as writer:
    writer.add(batch)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np

from pesearch.audio_track import AudioTrack
from pesearch.cues import Cue, CueHit
from pesearch.damage import DamagedFile
from pesearch.errors import LibraryError, ModelMismatch, NoSpaceLeft
from pesearch.locations import Absence, Volume
from pesearch.search_hits import Hits
from pesearch.store.catalogue.absences import read_absences
from pesearch.store.catalogue.create import (
    apply_migrations,
    create_catalogue,
    migrate_catalogue,
    needs_migration,
)
from pesearch.store.catalogue.cue_extents import sources_without_vectors
from pesearch.store.catalogue.cues import (
    CueSources,
    KnownSource,
    StoredCue,
    count_cues,
    cues_of_file,
    cues_of_sources,
    read_known_sources,
)
from pesearch.store.catalogue.files import KnownLocations
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.cue_search import SimilarCues, find_similar_cues
from pesearch.store.derived.previews import nearest_preview
from pesearch.store.disk.durable import disk_errors
from pesearch.store.disk.lock import writer_lock
from pesearch.store.disk.regular_files import require_regular_files
from pesearch.store.generation import Generation
from pesearch.store.generation_reader import GenerationReader
from pesearch.store.index.ann_registry import AnnRegistry
from pesearch.store.index.fulltext import FullTextIndex
from pesearch.store.index.fulltext_file import FullTextRegistry
from pesearch.store.index.mapped_rows import MappedRows
from pesearch.store.index.milvus.sync import MilvusState, milvus_state
from pesearch.store.index.part_vectors import PartVectors, batch_parts, read_parts, read_vectors
from pesearch.store.index.vector_search import search_threads
from pesearch.store.recalibration import write_recalibration
from pesearch.store.shards.checksum import shard_schema
from pesearch.store.shards.damage import DamageRegistry
from pesearch.store.shards.row_ranges import RowIds
from pesearch.store.status import LibraryStatus, compute_status
from pesearch.store.write.writer import Writer
from pesearch.types import CodecFeatures, Failure, FloatArray, MediaFile, Part, Space, SpaceName, SpaceVectors


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


class Library(GenerationReader):
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

    @property
    def model_set(self) -> str:
        """The name of the model set that made the vectors."""
        return self._now().snapshot.model_set

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The spaces of the media vectors, fixed when the library was created."""
        return self._now().snapshot.spaces

    @property
    def milvus(self) -> MilvusAddress | None:
        """The Milvus that searches the vectors; None if FAISS does, in this process."""
        return self._now().snapshot.milvus

    @property
    def audio_track(self) -> AudioTrack | None:
        """The audio track that is searched, where a file has it; None for the one that players choose."""
        return self._now().snapshot.audio_track

    def uncompared_copies(self) -> list[MediaFile]:
        """Files with several locations that a program took for copies by parts of their content."""
        ids = self._from_catalogue(lambda connection: connection.execute("FROM uncompared_copies").fetchall())
        files = self._now().snapshot.files
        return [files[file_id] for (file_id,) in ids if file_id in files]

    def absences(self) -> Mapping[Path, Absence]:
        """The known paths that the last indexing run of their folder did not find, though their drive was connected."""
        return self._from_catalogue(read_absences)

    def milvus_state(self) -> MilvusState | None:
        """The state of the library's collections on Milvus. Raises VectorServerError when that does not answer."""
        return milvus_state(self.folder, self._now().snapshot)

    def pinned(self) -> Library:
        """A library that stays at this generation, whatever is committed later.

        Its methods raise SnapshotExpired when they need data that was removed from the disk since.
        """
        return Library(self.folder, ann=self._ann, damage=self._damage, text=self._text, pinned_to=self._now())

    def generation(self) -> int:
        """The number of the last commit. It only increases."""
        return self._now().snapshot.generation

    def require(self, model_set: str, spaces: Sequence[Space]) -> None:
        """Raises ModelMismatch unless the library was created with this model set, in these revisions."""
        snapshot = self._now().snapshot
        if snapshot.model_set == model_set and set(snapshot.spaces) == set(spaces):
            return
        other = "another revision of it" if snapshot.model_set == model_set else f"the model set {snapshot.model_set}"
        raise ModelMismatch(
            f"The library {self.folder} was created with {other}: "
            f"use `--model {snapshot.model_set}`, or `pesearch index PATH --model {model_set} --library NEW_FOLDER`"
        )

    def status(self) -> LibraryStatus:
        """Counts of the contents of the library, and its size on disk."""
        return compute_status(self.folder, self._now().snapshot, self._from_catalogue(count_cues))

    def files(self) -> list[MediaFile]:
        """All media files, in the order in which they were added."""
        return list(self._now().snapshot.files.all)

    def files_without_properties(self) -> frozenset[int]:
        """The ids of the files that were not read for their properties yet."""
        files = self._now().snapshot.files
        return frozenset(files.keys() - files.properties.keys())

    def file(self, file_id: int) -> MediaFile:
        """A media file by id. Raises LibraryError when it is not, or no longer, in the library."""
        file = self._now().snapshot.files.get(file_id)
        if file is None:
            raise LibraryError(f"The library {self.folder} has no file {file_id}: it was removed")
        return file

    def find(self, fingerprint: str) -> MediaFile | None:
        """The media file with this content, if there is one."""
        return self._now().snapshot.files.find(fingerprint)

    def preview(self, file: MediaFile, at_seconds: float) -> bytes | None:
        """The stored preview frame of a file nearest to a time, as JPEG; None when there is none that can be read."""
        return nearest_preview(self.folder, file.fingerprint, at_seconds)

    def known(self) -> KnownLocations:
        """Every path that was indexed or failed, with its size and time then."""
        return self._now().snapshot.locations

    def volumes(self) -> tuple[Volume, ...]:
        """The volumes on which files were found, and where each was last mounted."""
        return self._now().snapshot.volumes

    def only_on(self, volumes: Collection[str]) -> Mapping[str, int]:
        """The number of files whose paths are all on these volumes; each is counted once, for one of them."""
        return self._now().snapshot.locations.only_on(volumes)

    def failures(self) -> list[Failure]:
        """The files that could not be indexed, with reasons, by path."""
        return self._now().snapshot.locations.failures()

    def files_with_remarks(self) -> list[MediaFile]:
        """The media files of which something is not in the library, or was guessed: those with remarks."""
        files = self._now().snapshot.files
        return [files[file_id] for file_id in files.remarks.file_ids()]

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

        for batch in batch_parts(self._from_shards(rows), parts):
            found = self._from_shards(partial(lambda batch, generation: read_parts(rows(generation), batch), batch))
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

    def cues(self, file_id: int) -> tuple[Cue, ...]:
        """The cues of one file by time; none if the file is not in the library."""
        return self._from_catalogue(lambda connection: cues_of_file(connection, file_id))

    def cue_sources(self) -> list[KnownSource]:
        """All sources that were read for cues, with size and time at that point: sidecars and media files."""
        return self._from_catalogue(read_known_sources)

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

    def cues_to_embed(self) -> CueSources:
        """The sources whose cues are not embedded yet."""
        return self._from_catalogue(sources_without_vectors)

    def cues_of(self, source_ids: RowIds) -> list[StoredCue]:
        """The cues of sources, in order."""
        return self._from_catalogue(lambda connection: cues_of_sources(connection, source_ids))

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """Hold the writer's lock and change the library. Raises LibraryBusy, which names its holder.

        At the end, unless there was an error, shards are compacted, indexes refreshed (`Writer.maintain`) and the
        catalogue copied.
        """
        with writer_lock(self.folder) as lock:
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
