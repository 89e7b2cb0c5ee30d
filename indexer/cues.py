"""Reads the cues of new files when they are committed, and of known files when a sidecar was added, changed or removed.

Reading cues decodes and embeds no media. Each sidecar is recorded with its size and time, even if it has no cues;
one that the file system refuses to open with size and time 0, so that the next run tries again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.cues import CueSource
from pesearch.heap_trim import trim_heap
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
"""Threads that read cues, of a file each; they mostly wait for files."""

_MAX_BYTES_AT_ONCE = 4 << 20
"""Sidecars that are read at the same time, unless one is larger: a film has 100 kB, and reading takes three times the
size."""

MAX_BATCH_FILES = 64
"""Files whose cues are updated in one transaction."""

MAX_BATCH_CUES = 100_000
"""A transaction is completed once its files have this many cues: with their text they take 20 MB or more."""


@dataclass(frozen=True, slots=True)
class FileCues:
    """The cues embedded in a file and in its sidecars, and the remarks on them."""

    sources: tuple[CueSource, ...]
    remarks: tuple[Remark, ...]

    @property
    def count(self) -> int:
        """The number of cues."""
        return sum(len(source.cues) for source in self.sources)


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
    batch: list[tuple[_StaleFile, FileCues]] = []
    with ThreadPoolExecutor(_THREADS, "pesearch-cues") as threads:
        for together in _read_together(_stale(found, library.pinned())):
            batch += zip(together, threads.map(_read_stale, together), strict=True)
            if len(batch) >= MAX_BATCH_FILES or sum(cues.count for _, cues in batch) >= MAX_BATCH_CUES:
                yield from _store(batch, writer)
                batch.clear()
                trim_heap()
    if batch:
        yield from _store(batch, writer)


def _read_together(stale: Iterable[_StaleFile]) -> Iterator[list[_StaleFile]]:
    """The files in groups of _THREADS, smaller ones where their sidecars are large."""
    group: list[_StaleFile] = []
    size_bytes = 0
    for each in stale:
        own_bytes = sum(sidecar.location.size_bytes for sidecar in each.sidecars)
        if group and (len(group) == _THREADS or size_bytes + own_bytes > _MAX_BYTES_AT_ONCE):
            yield group
            group, size_bytes = [], 0
        group.append(each)
        size_bytes += own_bytes
    if group:
        yield group


def _store(batch: Sequence[tuple[_StaleFile, FileCues]], writer: Writer) -> Iterator[CuesUpdated | Remarked]:
    """One transaction."""
    trim_heap()  # of what reading the cues left
    new = [
        (stale.file.id, source)
        for stale, cues in batch
        for source in cues.sources
        if (source.sidecar, source.remark) not in stale.recorded
    ]
    gone = [source_id for stale, _ in batch for source_id in stale.gone]
    if new or gone:
        writer.store_cues(new, gone)
    for stale, cues in batch:
        if cues.remarks:
            yield Remarked(stale.location.path, cues.remarks)
        if cues.count:
            yield CuesUpdated(stale.location, cues.count)


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
