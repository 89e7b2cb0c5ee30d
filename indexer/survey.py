"""Decides for each file that a crawl found whether it is unchanged, has only moved, or must be embedded."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

from pesearch.audio_track import AudioTrack
from pesearch.cpu_count import usable_cpus
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.indexer.copies import CopyFinder, identify
from pesearch.indexer.progress_events import Failed, FailedBefore, NotMedia, Replaced, Unchanged
from pesearch.locations import Location, is_gone
from pesearch.media.ffmpeg import ensure_ffmpeg
from pesearch.media.fingerprint import Fingerprint, has_fingerprint
from pesearch.media.probe import probe
from pesearch.media.sniff import sniff
from pesearch.media.suffixes import has_media_name
from pesearch.store.catalogue.files import KnownLocation, KnownLocations
from pesearch.store.library import Library
from pesearch.types import Failure, MediaFile, MediaInfo
from pesearch.volumes import volumes_with_stable_inodes

VANISHED = "vanished: deleted or renamed since its folder was listed"
"""The reason why a file that was found is not indexed."""

_BATCH_FILES = 256
"""Files handed to the threads at a time: few enough to stop soon, enough to keep the threads busy."""


@dataclass(frozen=True, slots=True)
class KnownContent:
    """Content that is in the library, at a location that is new or has another time.

    `previous` is the earlier path of this very file, where volume and inode identify it.
    """

    location: Location
    file: MediaFile
    previous: Path | None = None


@dataclass(frozen=True, slots=True)
class NewContent:
    """Content that is not in the library."""

    location: Location
    fingerprint: Fingerprint
    info: MediaInfo


@dataclass(frozen=True, slots=True)
class EmbedTask:
    """Content to embed: it is read at `location`; `copies` are other files with the same content.

    `audio_track` is the user's choice, see `pesearch.media.audio_choice`.
    """

    location: Location
    copies: tuple[Location, ...]
    fingerprint: str
    info: MediaInfo
    audio_track: AudioTrack | None = None


_Comparison = Unchanged | FailedBefore | NotMedia | Failed | KnownContent | NewContent
SurveyResult = _Comparison | Replaced


def survey(found: Sequence[Location], library: Library, retry_failed: bool) -> Iterator[SurveyResult]:
    """Compares each file with the library, without decoding. Files recognised without opening them come first.

    A file with the size and time of a known one, but another inode, is read for its fingerprint, once: the content of a
    restored backup is the same, that of another file is not. This needs a file system that keeps inode numbers.

    Raises FFmpegMissing, LibraryError.
    """
    known = library.known()
    for result in _compare(found, known, library, retry_failed):
        if _is_replacement(result, known):
            yield Replaced(result.location.path)
        yield result


def _compare(
    found: Sequence[Location], known: KnownLocations, library: Library, retry_failed: bool
) -> Iterator[_Comparison]:
    copies, volumes = CopyFinder(), volumes_with_stable_inodes()
    to_open: list[Location] = []
    for location in found:
        recorded = known.get(location.path)
        is_other = recorded is not None and recorded.has_other_inode(location) and location.volume in volumes
        result = None if is_other else _as_known(location, recorded, library, retry_failed)
        result = result or _as_moved(location, known, library)
        if result is None:
            to_open.append(location)
        else:
            yield result
    with ThreadPoolExecutor(min(8, 2 * usable_cpus()), "pesearch-survey") as threads:
        for start in range(0, len(to_open), _BATCH_FILES):
            batch = to_open[start : start + _BATCH_FILES]
            for opened in threads.map(lambda location: _inspect(location, known.get(location.path), library), batch):
                yield _distinguish(opened, copies, known) if isinstance(opened, NewContent) else opened


def group_by_content(new: Iterable[NewContent], audio_track: AudioTrack | None) -> tuple[EmbedTask, ...]:
    """One task for each distinct content, in the order in which they were found."""
    by_fingerprint: dict[str, list[NewContent]] = {}
    for each in new:
        by_fingerprint.setdefault(each.fingerprint.digest, []).append(each)
    return tuple(
        EmbedTask(first.location, tuple(copy.location for copy in copies), digest, first.info, audio_track)
        for digest, (first, *copies) in by_fingerprint.items()
    )


def without_stamp(location: Location) -> Location:
    """The location with size and time 0: a file recorded so is opened again in the next run.

    Used for temporary failures, and for files whose data was discarded by `pesearch doctor --repair`.
    """
    return Location(location.path, 0, 0)


def is_access_error(error: MediaError) -> bool:
    """Whether the system denied access to a file (rights, an offline share), rather than the file being damaged.

    Decoders raise OSError for damage too: without an errno, or with EINVAL for a seek out of range.
    """
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno not in (None, errno.EINVAL)


def _as_known(
    location: Location, known: KnownLocation | None, library: Library, retry_failed: bool
) -> Unchanged | FailedBefore | KnownContent | None:
    """The result for a file whose path, size and time are in the library."""
    if known is None or not known.is_unchanged(location):
        return None
    if known.failure is not None:
        return None if retry_failed else FailedBefore(Failure(location, known.failure))
    if known.file_id is not None and location.volume not in ("", known.volume):
        return KnownContent(location, library.file(known.file_id))  # its volume is not recorded yet
    return Unchanged(location)


def _as_moved(location: Location, known: KnownLocations, library: Library) -> KnownContent | None:
    """The result for a file that its volume and inode identify as one known at another path: not opened."""
    previous = known.find_moved(location)
    file_id = None if previous is None else known[previous].file_id
    file = None if file_id is None else library.file(file_id)
    return KnownContent(location, file, previous) if file and _is_complete(file) else None


def _is_complete(file: MediaFile) -> bool:
    """Whether the library has all vectors and features of a file."""
    return not any(location == without_stamp(location) for location in file.locations)


def _inspect(
    location: Location, known: KnownLocation | None, library: Library
) -> NotMedia | Failed | KnownContent | NewContent:
    try:
        kind = sniff(location.path)
        if kind is None and known is None and not has_media_name(location.path):
            return NotMedia(location)
        recorded = _recorded_content(location, known, library)
        if recorded is not None:
            return KnownContent(location, recorded)
        content = identify(location, library)
        if content.file and _is_complete(content.file):
            return KnownContent(location, content.file)
        ensure_ffmpeg()  # its libraries only now: torch is not imported where nothing is new
        return NewContent(location, content.fingerprint, probe(location.path, library.audio_track, kind))
    except FFmpegMissing:
        raise
    except MediaError as error:
        if location.size_bytes == 0 and known is None and not has_media_name(location.path):
            return NotMedia(location)
        return _failed(location, known, error)


def _recorded_content(location: Location, known: KnownLocation | None, library: Library) -> MediaFile | None:
    """The file that the library has at a path with this size and time, if that has its content. Errors: MediaError."""
    if known is None or known.file_id is None or not known.is_unchanged(location):
        return None
    file = library.file(known.file_id)
    return file if _is_complete(file) and has_fingerprint(location.path, file.fingerprint) else None


def _is_replacement(result: _Comparison, known: KnownLocations) -> TypeGuard[KnownContent | NewContent]:
    """Whether a file that is in the library was replaced by another of the same size and time."""
    if not isinstance(result, KnownContent | NewContent):
        return False
    before = known.get(result.location.path)
    if before is None or before.file_id is None or not before.is_unchanged(result.location):
        return False
    return isinstance(result, NewContent) or result.file.id != before.file_id


def _distinguish(new: NewContent, copies: CopyFinder, known: KnownLocations) -> NewContent | Failed:
    try:
        return replace(new, fingerprint=copies.distinct(new.location, new.fingerprint))
    except MediaError as error:
        return _failed(new.location, known.get(new.location.path), error)


def _failed(location: Location, known: KnownLocation | None, error: MediaError) -> Failed:
    if is_gone(location.path):
        return Failed(Failure(_unread_location(location, known), VANISHED))
    read = not is_access_error(error)
    return Failed(Failure(location if read else _unread_location(location, known), str(error)))


def _unread_location(location: Location, known: KnownLocation | None) -> Location:
    """The size and time under which the failure of a file that could not be accessed is recorded.

    It keeps the recorded ones, so that the next run retries it, and the vectors of an earlier run stay.
    """
    if known is None:
        return without_stamp(location)
    return Location(location.path, known.size_bytes, known.modified_ns, known.volume, known.inode)
