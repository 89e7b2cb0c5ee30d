"""The cues of files: of new ones with their vectors, of known ones whenever something beside them has changed.

Reading them decodes and embeds nothing. What was read is remembered with its size and time, also when it held nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pesearch.cues import CueSource
from pesearch.indexer.progress_events import CuesLeftOut, CuesTaken
from pesearch.locations import Location
from pesearch.media.cues import CueReadResult, read_embedded_cues, read_sidecar
from pesearch.media.sidecars import Sidecar, Sidecars
from pesearch.store.catalogue.cues import KnownSource
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.types import MediaFile, MediaInfo

_THREADS = 4
_FILES_A_COMMIT = 64


@dataclass(frozen=True, slots=True)
class CuesRead:
    """What was read of a file and beside it, and what of that is to be told."""

    sources: tuple[CueSource, ...]
    remarks: tuple[CuesLeftOut, ...]


@dataclass(frozen=True, slots=True)
class _Stale:
    """A file at a place where cues are to be read: its inside, these sidecars; `gone` are known sources to forget."""

    file: MediaFile
    location: Location
    inside: bool
    sidecars: tuple[Sidecar, ...]
    gone: tuple[int, ...]


def read_cues(places: Sequence[Location], info: MediaInfo, sidecars: Sidecars) -> CuesRead:
    """All cues of a content that lies at these places."""
    beside = [(place, sidecar) for place in places for sidecar in sidecars.find(place.path)]
    return _read(places[0].path, info, True, beside)


def refresh_cues(found: Sequence[Location], library: Library, writer: Writer) -> Iterator[CuesTaken | CuesLeftOut]:
    """Brings the cues of the files that stand at `found`, so far as they are known, up to what lies there now."""
    stale = _stale(found, library.pinned())
    with ThreadPoolExecutor(_THREADS, "pesearch-cues") as threads:
        for start in range(0, len(stale), _FILES_A_COMMIT):
            part = stale[start : start + _FILES_A_COMMIT]
            read = list(threads.map(_read_stale, part))
            writer.store_cues(
                [(each.file.id, source) for each, found in zip(part, read, strict=True) for source in found.sources],
                [source_id for each in part for source_id in each.gone],
            )
            for each, now in zip(part, read, strict=True):
                yield from now.remarks
                if count := sum(len(source.cues) for source in now.sources):
                    yield CuesTaken(each.location, count)


def _stale(found: Sequence[Location], library: Library) -> list[_Stale]:
    known, sidecars = library.known(), Sidecars()
    sources: dict[int, list[KnownSource]] = defaultdict(list)
    for source in library.cue_sources():
        sources[source.file_id].append(source)
    looked_into = {file_id for file_id, each in sources.items() if any(source.sidecar is None for source in each)}
    stale = []
    for location in found:
        place = known.get(location.path)
        if place is None or place.file_id is None or place.failure is not None or not place.is_unchanged(location):
            continue
        beside = {each.location.path: each for each in sidecars.find(location.path)}
        before = {source.sidecar.path: source for source in sources[place.file_id] if source.sidecar is not None}
        gone = [path for path, source in before.items() if source.beside == location.path and path not in beside]
        changed = [each for path, each in beside.items() if path not in before or before[path].sidecar != each.location]
        inside = place.file_id not in looked_into
        looked_into.add(place.file_id)
        if inside or changed or gone:
            ids = tuple(before[path].id for path in gone)
            stale.append(_Stale(library.file(place.file_id), location, inside, tuple(changed), ids))
    return stale


def _read_stale(stale: _Stale) -> CuesRead:
    beside = [(stale.location, sidecar) for sidecar in stale.sidecars]
    return _read(stale.location.path, stale.file.info, stale.inside, beside)


def _read(media: Path, info: MediaInfo, inside: bool, beside: Sequence[tuple[Location, Sidecar]]) -> CuesRead:
    readings: list[tuple[Path, CueReadResult]] = [(media, read_embedded_cues(media, info))] if inside else []
    for place, sidecar in beside:
        readings.append((sidecar.location.path, read_sidecar(sidecar, place.path, info.duration_seconds)))
    return CuesRead(
        tuple(reading.source for _, reading in readings if reading.source is not None),
        tuple(CuesLeftOut(path, reading.remark) for path, reading in readings if reading.remark is not None),
    )
