"""Reads the properties of files: of new ones when they are committed, of those of an older library once, by probing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pesearch.errors import FFmpegMissing, MediaError
from pesearch.indexer.progress_events import PropertiesRead
from pesearch.indexer.survey import is_access_error
from pesearch.locations import Location
from pesearch.media.properties import read_properties
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.types import MediaFile, MediaKind, MediaProperties

_THREADS = 4
"""Threads that wait for ffprobe."""

_FILES_PER_COMMIT = 128
"""Files whose properties are stored in one transaction: some seconds of probing, lost when a run is stopped."""


@dataclass(frozen=True, slots=True)
class _UnreadFile:
    """A file whose properties are not in the library, and where it is now."""

    file: MediaFile
    location: Location


def properties_of(location: Location, kind: MediaKind) -> MediaProperties | None:
    """The properties of the file; empty if it has none that can be read, None if it cannot be accessed now."""
    try:
        return read_properties(location.path, kind)
    except FFmpegMissing:
        raise
    except MediaError as error:
        return None if is_access_error(error) else MediaProperties()
    except OSError:
        return None


def refresh_properties(found: Sequence[Location], library: Library, writer: Writer) -> Iterator[PropertiesRead]:
    """Stores the properties of those known files at `found` that were indexed before there were any.

    Files elsewhere, such as on an offline drive, follow when they are found. Raises LibraryError, FFmpegMissing.
    """
    unread = _unread(found, library.pinned())
    with ThreadPoolExecutor(_THREADS, "pesearch-properties") as threads:
        for start in range(0, len(unread), _FILES_PER_COMMIT):
            yield PropertiesRead(start, len(unread))
            batch = unread[start : start + _FILES_PER_COMMIT]
            read = threads.map(lambda each: properties_of(each.location, each.file.info.kind), batch)
            writer.store_properties(
                [(each.file.id, properties) for each, properties in zip(batch, read, strict=True) if properties]
            )
    if unread:
        yield PropertiesRead(len(unread), len(unread))


def _unread(found: Sequence[Location], library: Library) -> list[_UnreadFile]:
    """Each file once, at the first of its locations that was found unchanged."""
    missing, known = set(library.files_without_properties()), library.known()
    unread = []
    for location in found if missing else ():
        entry = known.get(location.path)
        if entry is None or entry.file_id not in missing or entry.failure is not None:
            continue
        if entry.is_unchanged(location):
            missing.remove(entry.file_id)
            unread.append(_UnreadFile(library.file(entry.file_id), location))
    return unread
