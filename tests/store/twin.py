"""A plain model of a library, in memory with NumPy: the answers that the real one must give."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pesearch.errors import LibraryError
from pesearch.locations import Location
from pesearch.store.catalogue.files import KnownLocation
from pesearch.types import (
    CodecFeatures,
    EncodedFile,
    Failure,
    FloatArray,
    Hit,
    MediaFile,
    MediaInfo,
    SpaceName,
    SpaceVectors,
)


class Twin:
    """Reader and writer in one. Locations are stored by path, contents by id."""

    def __init__(self) -> None:
        self._generation = 0
        self._places: dict[Path, KnownLocation] = {}
        self._contents: dict[int, tuple[str, MediaInfo, tuple[SpaceVectors, ...]]] = {}
        self._features: dict[int, CodecFeatures] = {}
        self._next_id = 1

    @contextmanager
    def writer(self) -> Iterator[Twin]:
        yield self

    def copy(self) -> Twin:
        """An independent copy."""
        other = copy.copy(self)
        other._places, other._contents, other._features = dict(self._places), dict(self._contents), dict(self._features)
        return other

    def generation(self) -> int:
        return self._generation

    def add(self, batch: Sequence[EncodedFile]) -> int:
        for file in {file.location.path: file for file in batch}.values():
            file_id = self._id(file)
            self._place(file.location, file_id)
            if file.features is not None:
                self._features.setdefault(file_id, file.features)
        return self._commit()

    def add_locations(self, places: Sequence[tuple[int, Location]]) -> int:
        for file_id, place in places:
            if file_id not in self._contents:
                raise LibraryError(str(file_id))
            self._place(place, file_id)
        return self._commit()

    def record_failures(self, *failures: Failure) -> int:
        for failure in {failure.location.path: failure for failure in failures}.values():
            place = failure.location
            old = self._places.get(place.path)
            same = old is not None and (old.size_bytes, old.modified_ns) == (place.size_bytes, place.modified_ns)
            self._place(place, old.file_id if old is not None and same else None, failure.reason)
        return self._commit()

    def remove(self, file_ids: Iterable[int]) -> int:
        gone = set(file_ids)
        self._places = {path: place for path, place in self._places.items() if place.file_id not in gone}
        return self._commit()

    def forget(self, paths: Iterable[Path]) -> int:
        gone = set(paths)
        elsewhere = {place.file_id for path, place in self._places.items() if path not in gone} | {None}
        self._places = {
            path: place for path, place in self._places.items() if path not in gone or place.file_id not in elsewhere
        }
        return self._commit()

    def known(self) -> dict[Path, KnownLocation]:
        return dict(self._places)

    def failures(self) -> list[Failure]:
        return [
            Failure(Location(path, place.size_bytes, place.modified_ns), place.failure)
            for path, place in sorted(self._places.items())
            if place.failure is not None
        ]

    def files(self) -> list[MediaFile]:
        return [self.file(file_id) for file_id in sorted(self._contents)]

    def file(self, file_id: int) -> MediaFile:
        if file_id not in self._contents:
            raise LibraryError(str(file_id))
        fingerprint, info, _ = self._contents[file_id]
        places = sorted((path, place) for path, place in self._places.items() if place.file_id == file_id)
        return MediaFile(
            file_id, fingerprint, info, tuple(Location(path, at.size_bytes, at.modified_ns) for path, at in places)
        )

    def find(self, fingerprint: str) -> MediaFile | None:
        return next((file for file in self.files() if file.fingerprint == fingerprint), None)

    def features(self, file_id: int, start_step: int = 0, stop_step: int | None = None) -> CodecFeatures | None:
        found = self._features.get(file_id)
        return None if found is None else CodecFeatures(found.codec, found.steps[start_step:stop_step])

    def search(
        self, space: SpaceName, queries: FloatArray, k: int, file_ids: frozenset[int] | None = None
    ) -> list[list[Hit]]:
        rows = [
            (file_id, segment, vector)
            for file_id in self._contents
            for segment, vector in zip(*self._rows(file_id, space), strict=True)
            if file_ids is None or file_id in file_ids
        ]
        return [self._best(space, rows, query, k) for query in queries]

    def _best(
        self, space: SpaceName, rows: list[tuple[int, FloatArray, FloatArray]], query: FloatArray, k: int
    ) -> list[Hit]:
        scored = sorted(rows, key=lambda row: -float(row[2] @ query))[:k]
        return [
            Hit(file_id, space, float(segment[0]), float(segment[1]), float(vector @ query), rank)
            for rank, (file_id, segment, vector) in enumerate(scored, start=1)
        ]

    def _rows(self, file_id: int, space: SpaceName) -> tuple[list[FloatArray], list[FloatArray]]:
        parts = [part for part in self._contents[file_id][2] if part.space == space]
        segments = [segment for part in parts for segment in part.segments]
        return segments, [vector.astype(np.float16).astype(np.float32) for part in parts for vector in part.vectors]

    def _id(self, file: EncodedFile) -> int:
        for file_id, (fingerprint, _, _) in self._contents.items():
            if fingerprint == file.fingerprint:
                return file_id
        self._contents[self._next_id] = (file.fingerprint, file.info, file.vectors)
        self._next_id += 1
        return self._next_id - 1

    def _place(self, place: Location, file_id: int | None, reason: str | None = None) -> None:
        self._places[place.path] = KnownLocation(place.size_bytes, place.modified_ns, file_id, reason)

    def _commit(self) -> int:
        held = {place.file_id for place in self._places.values()}
        self._contents = {file_id: content for file_id, content in self._contents.items() if file_id in held}
        self._features = {file_id: features for file_id, features in self._features.items() if file_id in held}
        self._generation += 1
        return self._generation
