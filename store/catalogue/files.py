"""What a library knows of paths and of files: rows of the catalogue, made into objects when they are asked for.

A library of 100,000 files is opened for every question and every scan, which then look at few of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from pesearch.locations import Location
from pesearch.types import AudioStream, Failure, MediaFile, MediaInfo, MediaKind, VideoStream


@dataclass(frozen=True, slots=True)
class KnownLocation:
    """What a library knows of a path: the file it holds, or the reason why it could not be indexed.

    Both are set when a file that was indexed could not be read again although it did not change.
    """

    size_bytes: int
    modified_ns: int
    file_id: int | None
    failure: str | None
    volume: str = ""
    inode: int = 0

    def is_still(self, place: Location) -> bool:
        """Whether what lies there now has the size and time that it had then: then it is taken to be the same."""
        return (self.size_bytes, self.modified_ns) == (place.size_bytes, place.modified_ns)


class KnownLocations(Mapping[Path, KnownLocation]):
    """All that the library knows of paths, in the order of their bytes."""

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

    def others(self, paths: Iterable[Path]) -> list[Path]:
        """The paths that are known, but not among these."""
        named = set(map(os.fsencode, paths))
        return [Path(os.fsdecode(path)) for path in self._rows if path not in named]

    def failures(self) -> list[Failure]:
        """The places that could not be indexed, with reasons."""
        return [
            Failure(self._location(path), reason)
            for path, (_, _, _, reason, *_) in self._rows.items()
            if reason is not None
        ]

    def find_moved(self, place: Location) -> Path | None:
        """Where the same file of the same volume was, with this name, size and time; none when it was never indexed."""
        if not place.volume:
            return None
        found = (Path(os.fsdecode(path)) for path in self._by_inode.get((place.volume, place.inode), ()))
        return next((path for path in found if path.name == place.path.name and self[path].is_still(place)), None)

    def only_on(self, volumes: Collection[str]) -> Mapping[str, int]:
        """How many files have all their places on these volumes, each counted for the volume of its first place."""
        counts: Counter[str] = Counter()
        for paths in self._by_file.values():
            names = [self._rows[path][4] for path in paths]
            if all(name in volumes for name in names):
                counts[names[0]] += 1
        return counts

    def of_file(self, file_id: int) -> tuple[Location, ...]:
        """The places of a file."""
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
    """The media files of the library by id, in the order in which they came; `places` says where they are."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, places: KnownLocations) -> None:
        rows = connection.execute("""
            SELECT id, fingerprint, kind, duration_seconds,
                video.codec, video.width, video.height, video.frames_per_second,
                audio.codec, audio.sample_rate, audio.channels
            FROM files ORDER BY id""")
        self._rows: dict[int, tuple[Any, ...]] = {row[0]: row for row in rows.fetchall()}
        self._places = places

    def __getitem__(self, file_id: int) -> MediaFile:
        _, fingerprint, kind, duration_seconds, *streams = self._rows[file_id]
        info = MediaInfo(MediaKind(kind), duration_seconds, _video(streams[:4]), _audio(streams[4:]))
        return MediaFile(file_id, fingerprint, info, self._places.of_file(file_id))

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, fingerprint: str) -> MediaFile | None:
        """The file of that content."""
        file_id = self._ids.get(fingerprint)
        return None if file_id is None else self[file_id]

    @cached_property
    def all(self) -> Sequence[MediaFile]:
        """Every file, made once."""
        return tuple(self.values())

    def kinds(self) -> Mapping[MediaKind, int]:
        """How many files there are of each kind."""
        counts = Counter(row[2] for row in self._rows.values())
        return {kind: counts[kind.value] for kind in MediaKind}

    def duration_seconds(self) -> float:
        """How long all of them last."""
        return float(sum(row[3] for row in self._rows.values()))

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {row[1]: file_id for file_id, row in self._rows.items()}


def _video(columns: Sequence[Any]) -> VideoStream | None:
    return None if columns[0] is None else VideoStream(*columns)


def _audio(columns: Sequence[Any]) -> AudioStream | None:
    return None if columns[0] is None else AudioStream(*columns)
