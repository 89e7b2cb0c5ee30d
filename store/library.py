"""The face of the room: a library on disk, read by many, written by one at a time.

library = open_library(folder)
hits = library.search(SpaceName.AUDIO, queries, k=50)
with library.writer() as writer:
    writer.add(batch)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np

from pesearch import timeline
from pesearch.cues import Cue, CueHit, CueKind
from pesearch.errors import LibraryError, ModelMismatch, SnapshotExpired, VectorServerError
from pesearch.locations import Volume
from pesearch.search_hits import Hits
from pesearch.store.catalogue.create import bring_up, create_catalogue, is_older, migrate_catalogue, reading_as_now
from pesearch.store.catalogue.cue_extents import sources_without_vectors
from pesearch.store.catalogue.cues import (
    CueSources,
    FoundIn,
    KnownSource,
    count_cues,
    cues_of_file,
    cues_of_sources,
    known_sources,
)
from pesearch.store.catalogue.files import KnownLocations
from pesearch.store.catalogue.snapshot import is_last, read_snapshot, stamp_in_catalogue
from pesearch.store.catalogue.stamp import read_stamp
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.cue_search import CuesFound, find_cues
from pesearch.store.derived.previews import nearest_preview
from pesearch.store.disk.lock import writer_lock
from pesearch.store.generation import Generation
from pesearch.store.index.ann_registry import AnnRegistry
from pesearch.store.index.features import read_features
from pesearch.store.index.fulltext_file import FullTextRegistry
from pesearch.store.index.milvus.sync import MilvusState, milvus_state
from pesearch.store.index.vector_search import PartVectors, read_vectors, side_by_side, vectors_of_parts
from pesearch.store.shards.format import shard_damaged
from pesearch.store.shards.row_ranges import RowIds
from pesearch.store.status import LibraryStatus, status_of
from pesearch.store.write.writer import Writer
from pesearch.types import CodecFeatures, Failure, FloatArray, MediaFile, Part, Space, SpaceName, SpaceVectors

_Answer = TypeVar("_Answer")


def create_library(folder: Path, model_set: str, spaces: Sequence[Space]) -> Library:
    """Make an empty library for one model set. `LibraryError` when the folder holds one already."""
    create_catalogue(folder, model_set, spaces)
    return Library(folder)


def open_library(folder: Path) -> Library:
    """The library in `folder`. `LibraryNotFound`, `LibraryTooNew` or `LibraryDamaged` when there is none to use."""
    migrate_catalogue(folder)
    return Library(folder)


class Library:
    """A reader. Each method answers from the last committed generation, which it keeps in memory until the next.

    Several methods that must agree with each other are asked of one `pinned()` library. Safe to share among threads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._is_pinned = False
        self._coverings = AnnRegistry(folder)
        self._text = FullTextRegistry(folder)
        self._generation = self._read()

    @property
    def model_set(self) -> str:
        """The name of the model set that made the vectors."""
        return self._now().snapshot.model_set

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The spaces that the library has, as fixed when it was made."""
        return self._now().snapshot.spaces

    @property
    def milvus(self) -> MilvusAddress | None:
        """The Milvus that searches the vectors; None when FAISS does, here."""
        return self._now().snapshot.milvus

    def milvus_state(self) -> MilvusState | None:
        """What that Milvus holds. `VectorServerError` when it cannot be asked."""
        return milvus_state(self.folder, self._now().snapshot)

    def pinned(self) -> Library:
        """This library as it is now: it stays at this generation, whatever is committed meanwhile.

        `SnapshotExpired` from what needs the disk, when what this generation had there was swept.
        """
        pinned = object.__new__(Library)
        pinned.folder, pinned._is_pinned, pinned._generation = self.folder, True, self._now()
        pinned._coverings, pinned._text = self._coverings, self._text
        return pinned

    def generation(self) -> int:
        """The number of the last committed state. It only rises."""
        return self._now().snapshot.generation

    def require(self, model_set: str, spaces: Sequence[Space]) -> None:
        """`ModelMismatch` unless this very model set, with these revisions, made the library."""
        snapshot = self._now().snapshot
        if snapshot.model_set == model_set and set(snapshot.spaces) == set(spaces):
            return
        other = "another revision of it" if snapshot.model_set == model_set else f"the model set {snapshot.model_set}"
        raise ModelMismatch(
            f"The library {self.folder} was made with {other}: "
            f"use `--model {snapshot.model_set}`, or `pesearch index PATH --model {model_set} --library NEW_FOLDER`"
        )

    def status(self) -> LibraryStatus:
        """What the library holds, and its size on disk."""
        return status_of(self.folder, self._now().snapshot, self._from_catalogue(count_cues))

    def files(self) -> list[MediaFile]:
        """All media files, in the order in which they came."""
        return list(self._now().snapshot.files.all)

    def file(self, file_id: int) -> MediaFile:
        """The media file of a hit. `LibraryError` when it is not (or no longer) in the library."""
        file = self._now().snapshot.files.get(file_id)
        if file is None:
            raise LibraryError(f"The library {self.folder} holds no file {file_id}: it was removed meanwhile")
        return file

    def find(self, fingerprint: str) -> MediaFile | None:
        """The media file of that content."""
        return self._now().snapshot.files.find(fingerprint)

    def preview(self, file: MediaFile, at_seconds: float) -> bytes | None:
        """The stored preview frame of a file nearest to a time, as JPEG; None when there is none that can be read."""
        return nearest_preview(self.folder, file.fingerprint, at_seconds)

    def known(self) -> KnownLocations:
        """Every path that the library has seen, with the size and time that it had then."""
        return self._now().snapshot.places

    def volumes(self) -> tuple[Volume, ...]:
        """The volumes on which files were found, and where each was mounted then."""
        return self._now().snapshot.volumes

    def only_on(self, volumes: Collection[str]) -> Mapping[str, int]:
        """Of how many files all places are on the volumes of these names; each counts for one of them."""
        return self._now().snapshot.places.only_on(volumes)

    def failures(self) -> list[Failure]:
        """The files that could not be indexed, with reasons, by path."""
        return self._now().snapshot.places.failures()

    def search(
        self, space: SpaceName, queries: FloatArray, k: int, file_ids: frozenset[int] | None = None
    ) -> list[Hits]:
        """The k best segments for each of `queries` [q, dim] by dot product; only in `file_ids` when given.

        The score is the exact product of the query in float32 with the stored vector in float16. In a large space a
        few of the k best may be missed (`status` says what holds). One that the library does not have finds nothing.
        `VectorServerError` when a Milvus is to search and cannot be asked.
        """

        def answer(generation: Generation) -> list[Hits]:
            known = generation.snapshot.space(space)
            none = [Hits.none(space)] * len(queries)
            return generation.search(known, queries, k, file_ids) if known else none

        return self._from_shards(answer)

    def search_spaces(
        self, queries: Mapping[SpaceName, FloatArray], k: int, file_ids: frozenset[int] | None = None
    ) -> dict[SpaceName, list[Hits]]:
        """As `search`, in several spaces side by side, the largest first."""
        spaces = sorted(queries, key=self.rows, reverse=True)
        with side_by_side(len(spaces)) as threads:
            found = threads.map(lambda space: self.search(space, queries[space], k, file_ids), spaces)
            return dict(zip(spaces, found, strict=True))

    def vectors(self, file_id: int, space: SpaceName) -> SpaceVectors:
        """The vectors of one file in one space, as stored. `LibraryError` when the library has no such space."""

        def answer(generation: Generation) -> SpaceVectors:
            return read_vectors(generation.rows_with(self._space(generation, space), file_id), file_id)

        return self._from_shards(answer)

    def vectors_of(self, parts: Sequence[Part], space: SpaceName) -> Iterator[PartVectors]:
        """The vectors of parts of files in one space, some parts at a time, so that they need not all fit in memory."""
        rows = self._from_shards(lambda generation: generation.rows(self._space(generation, space)))
        yield from vectors_of_parts(rows, parts)

    def rows(self, space: SpaceName) -> int:
        """How many vectors the space has."""

        def answer(generation: Generation) -> int:
            known = generation.snapshot.space(space)
            return generation.rows(known).layout.rows if known else 0

        return self._from_shards(answer)

    def sample(self, space: SpaceName, count: int) -> FloatArray:
        """At most so many vectors of a space, evenly spread over its files, float32 [n, dim]."""

        def answer(generation: Generation) -> FloatArray:
            rows = generation.rows(self._space(generation, space))
            numbers = np.linspace(0, rows.layout.rows - 1, min(count, rows.layout.rows)).astype(np.int64)
            return rows.vectors(numbers).astype(np.float32)

        return self._from_shards(answer)

    def features(self, file_id: int, start_step: int = 0, stop_step: int | None = None) -> CodecFeatures | None:
        """The codec features of one file, as stored: its steps from `start_step` to before `stop_step`, or to the end.

        Steps that the file does not have are left out; only those that are asked for are read from the disk. None when
        the file has no features.
        """

        def answer(generation: Generation) -> CodecFeatures | None:
            return read_features(self.folder, generation.snapshot, file_id, start_step, stop_step)

        return self._from_shards(answer)

    def cues(self, file_id: int) -> tuple[Cue, ...]:
        """The timed texts of one file, in the order of time: none when it is not (or no longer) in the library."""
        return self._from_catalogue(lambda connection: cues_of_file(connection, file_id))

    def cue_sources(self) -> list[KnownSource]:
        """Where cues were looked for, as it was then: sidecars, and files that were looked into."""
        return self._from_catalogue(known_sources)

    def search_cues(
        self,
        query: str,
        k: int,
        file_ids: frozenset[int] | None = None,
        kinds: frozenset[CueKind] | None = None,
    ) -> list[CueHit]:
        """The k best cues for words, `"a phrase"` or `prefix*`; only in `file_ids`, and of `kinds`, when given.

        Small and large letters are the same, and accents make no difference. What is quoted must be there; of plain
        words the more and the rarer, the better (BM25).
        """
        snapshot = self._now().snapshot
        return self._text.index(snapshot.library_id, snapshot.stamp, self._from_catalogue).search(
            query, k, file_ids, kinds
        )

    def find_similar_cues(
        self,
        queries: FloatArray,
        least: FloatArray,
        k: int,
        file_ids: frozenset[int] | None = None,
    ) -> list[list[CueHit]]:
        """For each of `queries` [q, dim] the k best cues by dot product, of those that score at least `least` [q]; only
        in `file_ids` when given. None where no cue has been embedded."""

        def answer(generation: Generation) -> CuesFound:
            return find_cues(generation, queries, least, k, file_ids)

        found = self._from_shards(answer)
        return self._from_catalogue(found.read) if len(found.scores) else [[]] * len(queries)

    def cues_to_embed(self) -> CueSources:
        """The sources that hold cues without vectors."""
        return self._from_catalogue(sources_without_vectors)

    def cues_of(self, source_ids: RowIds) -> list[FoundIn]:
        """The cues of sources, those of each in their order."""
        return self._from_catalogue(lambda connection: cues_of_sources(connection, source_ids))

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """Hold the writer's lock, and change the library. `LibraryBusy` names the process that has the lock.

        At the end, unless an error ends it, the library is tidied (`Writer.maintain`).
        """
        with writer_lock(self.folder):
            if is_older(self.folder):
                bring_up(self.folder)
            snapshot = self._read(self._generation).snapshot
            grid = (timeline.WINDOW_SECONDS, timeline.HOP_SECONDS, timeline.FRAMES_PER_SECOND)
            if (snapshot.window_seconds, snapshot.hop_seconds, snapshot.frames_per_second) != grid:
                raise ModelMismatch(
                    f"The library {self.folder} was cut into windows of another length: index into a new library"
                )
            writer = Writer(self.folder, snapshot)
            yield writer
            for _ in writer.maintain():  # nothing is left to do where that was followed already
                pass

    def _space(self, generation: Generation, name: SpaceName) -> Space:
        known = generation.snapshot.space(name)
        if known is None:
            raise LibraryError(f"The library {self.folder} has no vectors of the kind {name}")
        return known

    def _from_shards(self, answer: Callable[[Generation], _Answer]) -> _Answer:
        """An answer that needs shards, or a Milvus; asked again when what it needs is gone with its generation."""
        while True:
            generation = self._now()
            try:
                return answer(generation)
            except (FileNotFoundError, VectorServerError) as error:
                if self._is_pinned and read_stamp(self.folder) != generation.snapshot.stamp:
                    raise SnapshotExpired(f"The library {self.folder} was changed meanwhile: ask again") from error
                if self._now() is generation:
                    if isinstance(error, VectorServerError):
                        raise
                    raise shard_damaged(error.filename, "is gone") from error

    def _from_catalogue(self, answer: Callable[[duckdb.DuckDBPyConnection], _Answer]) -> _Answer:
        """An answer from the catalogue. `SnapshotExpired` of a pinned library, when it is of a later generation."""
        with reading_as_now(self.folder) as connection:
            if self._is_pinned:
                stamp = self._generation.snapshot.stamp
                if stamp_in_catalogue(connection) != stamp and read_stamp(self.folder) != stamp:
                    raise SnapshotExpired(f"The library {self.folder} was changed meanwhile: ask again")
            return answer(connection)

    def _now(self) -> Generation:
        """The last committed generation; the one in memory while the generation file says that it is the last."""
        held = self._generation
        if self._is_pinned or read_stamp(self.folder) == held.snapshot.stamp:
            return held
        self._generation = self._read(held)
        return self._generation

    def _read(self, held: Generation | None = None) -> Generation:
        """The last committed generation: the one that is held, if the catalogue still stands at it."""
        with reading_as_now(self.folder) as connection:
            if held is not None and is_last(connection, held.snapshot):
                return held
            return Generation(self.folder, read_snapshot(connection), self._coverings)
