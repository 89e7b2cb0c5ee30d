"""Reads the cues of new files when they are committed, and of known files when a sidecar was added, changed or removed.

Reading cues decodes and embeds no media. Each sidecar is recorded with its size and time, even if it has no cues;
one that the file system refuses to open with size and time 0, so that the next run tries again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.cues import CueSource
from pesearch.indexer.progress_events import CuesUpdated, Remarked
from pesearch.indexer.survey import without_stamp
from pesearch.locations import Location, is_gone
from pesearch.media.cues import read_embedded_cues, read_sidecar
from pesearch.media.sidecars import Sidecar, Sidecars
from pesearch.store.catalogue.cues import KnownSource
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.types import MediaFile, MediaInfo, Remark

_THREADS = 4
"""Threads that read cues; they mostly wait for files."""

_FILES_PER_COMMIT = 64
"""Files whose cues are updated in one transaction."""


@dataclass(frozen=True, slots=True)
class FileCues:
    """The cues embedded in a file and in its sidecars, and the remarks on them."""

    sources: tuple[CueSource, ...]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class _StaleFile:
    """A known file whose cues must be read: those inside it if `inside`, and these sidecars.

    `gone` are the ids of sources whose sidecar no longer exists, `recorded` the sidecars and remarks in the library.
    """

    file: MediaFile
    location: Location
    inside: bool
    sidecars: tuple[Sidecar, ...]
    gone: tuple[int, ...]
    recorded: frozenset[tuple[Location, str | None]]


def read_cues(locations: Sequence[Location], info: MediaInfo, sidecars: Sidecars) -> FileCues:
    """All cues of one content, in the file and in the sidecars of all its locations."""
    located = [(location, sidecar) for location in locations for sidecar in sidecars.find(location.path)]
    return _read(locations[0].path, info, True, located)


def refresh_cues(found: Sequence[Location], library: Library, writer: Writer) -> Iterator[CuesUpdated | Remarked]:
    """Updates the cues of the known files at `found` to the sidecars that are there now.

    Cues inside a file are read once; a changed file is new content. Raises LibraryError.
    """
    stale = _stale(found, library.pinned())
    with ThreadPoolExecutor(_THREADS, "pesearch-cues") as threads:
        for start in range(0, len(stale), _FILES_PER_COMMIT):
            batch = stale[start : start + _FILES_PER_COMMIT]
            read = list(threads.map(_read_stale, batch))
            new = [
                (each.file.id, source)
                for each, cues in zip(batch, read, strict=True)
                for source in cues.sources
                if (source.sidecar, source.remark) not in each.recorded
            ]
            gone = [source_id for each in batch for source_id in each.gone]
            if new or gone:
                writer.store_cues(new, gone)
            for each, cues in zip(batch, read, strict=True):
                if cues.remarks:
                    yield Remarked(each.location.path, cues.remarks)
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
        gone = [
            path
            for path, source in recorded.items()
            if source.beside == location.path and path not in present and is_gone(path)
        ]
        changed = [
            each for path, each in present.items() if path not in recorded or recorded[path].sidecar != each.location
        ]
        inside = entry.file_id not in known_inside
        known_inside.add(entry.file_id)
        if inside or changed or gone:
            ids = tuple(recorded[path].id for path in gone)
            known_remarks = frozenset((each.sidecar, each.remark) for each in recorded.values() if each.sidecar)
            stale.append(_StaleFile(library.file(entry.file_id), location, inside, tuple(changed), ids, known_remarks))
    return stale


def _read_stale(stale: _StaleFile) -> FileCues:
    located = [(stale.location, sidecar) for sidecar in stale.sidecars]
    return _read(stale.location.path, stale.file.info, stale.inside, located)


def _read(media: Path, info: MediaInfo, inside: bool, located: Sequence[tuple[Location, Sidecar]]) -> FileCues:
    sources, remarks = [], []
    if inside:
        embedded = read_embedded_cues(media, info)
        remarks += [Remark(embedded.remark)] if embedded.remark else []
        sources += [replace(embedded.source, remark=embedded.remark)] if embedded.source else []
    for location, sidecar in located:
        reading = read_sidecar(sidecar, location.path, info.duration_seconds)
        unread = CueSource(without_stamp(sidecar.location), location.path, ())
        sources.append(replace(reading.source or unread, remark=reading.remark))
        remarks += [Remark(reading.remark, sidecar=sidecar.location.path)] if reading.remark else []
    return FileCues(tuple(sources), tuple(remarks))
