"""Paths and files of a library: rows of the catalogue, turned into objects on access.

Every query and every scan opens the library, which may have 100,000 files, but reads few of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import duckdb

from pesearch.locations import Location
from pesearch.store.catalogue.cues import files_with_sidecar_subtitles
from pesearch.store.catalogue.properties import KnownProperties
from pesearch.store.catalogue.remarks import KnownRemarks
from pesearch.types import AudioStream, Failure, MediaFile, MediaInfo, MediaKind, VideoStream

RECENT_FILES = 1024
"""A query reads each of its 80 files several times."""


@dataclass(frozen=True, slots=True)
class KnownLocation:
    """The record of a path: the id of its file, or the reason why it could not be indexed.

    Both are set when an indexed file could not be read again although its size and time are the same.
    """

    size_bytes: int
    modified_ns: int
    file_id: int | None
    failure: str | None
    volume: str = ""
    inode: int = 0

    def is_unchanged(self, location: Location) -> bool:
        """Whether size and modification time are the same, which counts as the same content."""
        return (self.size_bytes, self.modified_ns) == (location.size_bytes, location.modified_ns)

    def has_other_inode(self, location: Location) -> bool:
        """Whether another file of the same volume is at its path, provided that its file system keeps inode numbers."""
        are_known = 0 not in (self.inode, location.inode)
        return are_known and self.volume == location.volume and self.inode != location.inode


class KnownLocations(Mapping[Path, KnownLocation]):
    """All known paths, sorted by their bytes."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        rows = connection.execute(
            "SELECT path, size_bytes, modified_ns, file_id, reason, volume, inode FROM locations ORDER BY path"
        )
        self._rows: dict[bytes, tuple[Any, ...]] = {path: tuple(rest) for path, *rest in rows.fetchall()}

    def __getitem__(self, path: Path) -> KnownLocation:
        return KnownLocation(*self._rows[os.fsencode(path)])

    def __iter__(self) -> Iterator[Path]:
        return (Path(os.fsdecode(path)) for path in self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def paths_except(self, paths: Iterable[Path]) -> list[Path]:
        """The known paths that are not in `paths`."""
        named = set(map(os.fsencode, paths))
        return [Path(os.fsdecode(path)) for path in self._rows if path not in named]

    def failures(self) -> list[Failure]:
        """The paths that could not be indexed, with reasons."""
        return [
            Failure(self._location(path), reason)
            for path, (_, _, _, reason, *_) in self._rows.items()
            if reason is not None
        ]

    def find_moved(self, location: Location) -> Path | None:
        """The former path of an indexed file, by volume, inode, file name, size and time. None if there is none."""
        if not location.volume:
            return None
        found = (Path(os.fsdecode(path)) for path in self._by_inode.get((location.volume, location.inode), ()))
        return next(
            (path for path in found if path.name == location.path.name and self[path].is_unchanged(location)), None
        )

    def only_on(self, volumes: Collection[str]) -> Mapping[str, int]:
        """The number of files whose paths are all on these volumes, by the volume of the first path."""
        counts: Counter[str] = Counter()
        for paths in self._by_file.values():
            names = [self._rows[path][4] for path in paths]
            if all(name in volumes for name in names):
                counts[names[0]] += 1
        return counts

    def of_file(self, file_id: int) -> tuple[Location, ...]:
        """The locations of a file."""
        return tuple(map(self._location, self._by_file.get(file_id, ())))

    @cached_property
    def _by_file(self) -> dict[int, list[bytes]]:
        paths: dict[int, list[bytes]] = {}
        for path, (_, _, file_id, *_) in self._rows.items():
            if file_id is not None:
                paths.setdefault(file_id, []).append(path)
        return paths

    @cached_property
    def _by_inode(self) -> dict[tuple[str, int], list[bytes]]:
        paths: dict[tuple[str, int], list[bytes]] = {}
        for path, (_, _, file_id, reason, volume, inode) in self._rows.items():
            if volume and file_id is not None and reason is None:
                paths.setdefault((volume, inode), []).append(path)
        return paths

    def _location(self, path: bytes) -> Location:
        size_bytes, modified_ns, _, _, volume, inode = self._rows[path]
        return Location(Path(os.fsdecode(path)), size_bytes, modified_ns, volume, inode)


class KnownFiles(Mapping[int, MediaFile]):
    """The media files by id, in the order in which they were added.

    `locations` has where they are, `remarks` what is not in the library of them, `properties` what those of them say
    about their recording that were read for it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, locations: KnownLocations) -> None:
        rows = connection.execute("""
            SELECT id, fingerprint, kind, duration_seconds,
                video.codec, video.width, video.height, video.frames_per_second,
                audio.codec, audio.sample_rate, audio.channels
            FROM files ORDER BY id""")
        self._rows: dict[int, tuple[Any, ...]] = {row[0]: row for row in rows.fetchall()}
        self._locations = locations
        self.remarks = KnownRemarks(connection)
        self.properties = KnownProperties(connection)
        self._subtitled = files_with_sidecar_subtitles(connection)
        self._recent = lru_cache(RECENT_FILES)(self._read)

    def __getitem__(self, file_id: int) -> MediaFile:
        return self._recent(file_id)

    def _read(self, file_id: int) -> MediaFile:
        _, fingerprint, kind, duration_seconds, *streams = self._rows[file_id]
        info = MediaInfo(MediaKind(kind), duration_seconds, _video(streams[:4]), _audio(streams[4:]))
        return MediaFile(
            file_id,
            fingerprint,
            info,
            self._locations.of_file(file_id),
            self.remarks.of_file(file_id),
            self.properties.get(file_id),
            file_id in self._subtitled,
        )

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, fingerprint: str) -> MediaFile | None:
        """The file with this content, if there is one."""
        file_id = self._ids.get(fingerprint)
        return None if file_id is None else self[file_id]

    @cached_property
    def all(self) -> Sequence[MediaFile]:
        """All files, built once."""
        return tuple(self.values())

    def kinds(self) -> Mapping[MediaKind, int]:
        """The number of files of each kind."""
        counts = Counter(row[2] for row in self._rows.values())
        return {kind: counts[kind.value] for kind in MediaKind}

    def duration_seconds(self) -> float:
        """The total duration."""
        return float(sum(row[3] for row in self._rows.values()))

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {row[1]: file_id for file_id, row in self._rows.items()}


def _video(columns: Sequence[Any]) -> VideoStream | None:
    return None if columns[0] is None else VideoStream(*columns)


def _audio(columns: Sequence[Any]) -> AudioStream | None:
    return None if columns[0] is None else AudioStream(*columns)
