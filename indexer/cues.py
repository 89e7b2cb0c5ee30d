"""Reads the cues of new files when they are committed, and of known files when a sidecar was added, changed or removed.

Reading cues decodes and embeds no media. Each sidecar is recorded with its size and time, even if it has no cues.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pesearch.cues import CueSource
from pesearch.indexer.progress_events import CuesSkipped, CuesUpdated
from pesearch.locations import Location
from pesearch.media.cues import CueReadResult, read_embedded_cues, read_sidecar
from pesearch.media.sidecars import Sidecar, Sidecars
from pesearch.store.catalogue.cues import KnownSource
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.types import MediaFile, MediaInfo

_THREADS = 4
"""Threads that read cues; they mostly wait for files."""

_FILES_PER_COMMIT = 64
"""Files whose cues are updated in one transaction."""


@dataclass(frozen=True, slots=True)
class FileCues:
    """The cues embedded in a file and in its sidecars, and the sidecars to report."""

    sources: tuple[CueSource, ...]
    skipped: tuple[CuesSkipped, ...]


@dataclass(frozen=True, slots=True)
class _StaleFile:
    """A known file whose cues must be read: those inside it if `inside`, and these sidecars.

    `gone` are the ids of sources whose sidecar no longer exists.
    """

    file: MediaFile
    location: Location
    inside: bool
    sidecars: tuple[Sidecar, ...]
    gone: tuple[int, ...]


def read_cues(locations: Sequence[Location], info: MediaInfo, sidecars: Sidecars) -> FileCues:
    """All cues of one content, in the file and in the sidecars of all its locations."""
    located = [(location, sidecar) for location in locations for sidecar in sidecars.find(location.path)]
    return _read(locations[0].path, info, True, located)


def refresh_cues(found: Sequence[Location], library: Library, writer: Writer) -> Iterator[CuesUpdated | CuesSkipped]:
    """Updates the cues of the known files at `found` to the sidecars that are there now.

    Cues inside a file are read once; a changed file is new content. Raises LibraryError.
    """
    stale = _stale(found, library.pinned())
    with ThreadPoolExecutor(_THREADS, "pesearch-cues") as threads:
        for start in range(0, len(stale), _FILES_PER_COMMIT):
            batch = stale[start : start + _FILES_PER_COMMIT]
            read = list(threads.map(_read_stale, batch))
            writer.store_cues(
                [(each.file.id, source) for each, cues in zip(batch, read, strict=True) for source in cues.sources],
                [source_id for each in batch for source_id in each.gone],
            )
            for each, cues in zip(batch, read, strict=True):
                yield from cues.skipped
                if count := sum(len(source.cues) for source in cues.sources):
                    yield CuesUpdated(each.location, count)


def _stale(found: Sequence[Location], library: Library) -> list[_StaleFile]:
    known, sidecars = library.known(), Sidecars()
    sources: dict[int, list[KnownSource]] = defaultdict(list)
    for source in library.cue_sources():
        sources[source.file_id].append(source)
    known_inside = {file_id for file_id, each in sources.items() if any(source.sidecar is None for source in each)}
    stale = []
    for location in found:
        entry = known.get(location.path)
        if entry is None or entry.file_id is None or entry.failure is not None or not entry.is_unchanged(location):
            continue
        present = {each.location.path: each for each in sidecars.find(location.path)}
        recorded = {source.sidecar.path: source for source in sources[entry.file_id] if source.sidecar is not None}
        gone = [path for path, source in recorded.items() if source.beside == location.path and path not in present]
        changed = [
            each for path, each in present.items() if path not in recorded or recorded[path].sidecar != each.location
        ]
        inside = entry.file_id not in known_inside
        known_inside.add(entry.file_id)
        if inside or changed or gone:
            ids = tuple(recorded[path].id for path in gone)
            stale.append(_StaleFile(library.file(entry.file_id), location, inside, tuple(changed), ids))
    return stale


def _read_stale(stale: _StaleFile) -> FileCues:
    located = [(stale.location, sidecar) for sidecar in stale.sidecars]
    return _read(stale.location.path, stale.file.info, stale.inside, located)


def _read(media: Path, info: MediaInfo, inside: bool, located: Sequence[tuple[Location, Sidecar]]) -> FileCues:
    readings: list[tuple[Path, CueReadResult]] = [(media, read_embedded_cues(media, info))] if inside else []
    for location, sidecar in located:
        readings.append((sidecar.location.path, read_sidecar(sidecar, location.path, info.duration_seconds)))
    return FileCues(
        tuple(reading.source for _, reading in readings if reading.source is not None),
        tuple(CuesSkipped(path, reading.remark) for path, reading in readings if reading.remark is not None),
    )
