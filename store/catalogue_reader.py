"""What a library answers from its catalogue alone, without shards: files, places, states, cues."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pesearch.audio_track import AudioTrack
from pesearch.cues import Cue
from pesearch.errors import ModelMismatch, UnknownFile
from pesearch.locations import Absence
from pesearch.store.catalogue.absences import read_absences
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
from pesearch.store.generation_reader import GenerationReader
from pesearch.store.shards.row_ranges import RowIds
from pesearch.store.status import LibraryStatus, compute_status
from pesearch.types import Failure, MediaFile, Space
from pesearch.volume import Volume


class CatalogueReader(GenerationReader):
    """Answers about what is in a library, from the last committed generation or the pinned one."""

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
        """A media file by id. Raises UnknownFile when it is not, or no longer, in the library."""
        file = self._now().snapshot.files.get(file_id)
        if file is None:
            raise UnknownFile(f"The library {self.folder} has no file {file_id}: it was removed")
        return file

    def find(self, fingerprint: str) -> MediaFile | None:
        """The media file with this content, if there is one."""
        return self._now().snapshot.files.find(fingerprint)

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

    def cues(self, file_id: int) -> tuple[Cue, ...]:
        """The cues of one file by time; none if the file is not in the library."""
        return self._from_catalogue(lambda connection: cues_of_file(connection, file_id))

    def cue_sources(self) -> list[KnownSource]:
        """All sources that were read for cues, with size and time at that point: sidecars and media files."""
        return self._from_catalogue(read_known_sources)

    def cues_to_embed(self) -> CueSources:
        """The sources whose cues are not embedded yet."""
        return self._from_catalogue(sources_without_vectors)

    def cues_of(self, source_ids: RowIds, first: int = 0, count: int | None = None) -> list[StoredCue]:
        """The cues of sources, in order: all of them, or `count` from number `first` on."""
        return self._from_catalogue(lambda connection: list(cues_of_sources(connection, source_ids, first, count)))
