"""What is to be done with each file that a crawl found: nothing, a note in the library, or embedding."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import FFmpegMissing, MediaError
from pesearch.indexer.progress_events import Failed, FailedBefore, NotMedia, Unchanged
from pesearch.locations import Location
from pesearch.media.fingerprint import fingerprint
from pesearch.media.probe import probe
from pesearch.media.sniff import has_media_name, sniff
from pesearch.store.catalogue.files import KnownLocation, KnownLocations
from pesearch.store.library import Library
from pesearch.types import Failure, MediaFile, MediaInfo

_LOOKING_AHEAD = 256
"""Files that are handed to the threads at a time: few enough to stop soon, enough to keep them busy."""


@dataclass(frozen=True, slots=True)
class Known:
    """Content that the library has, at a place that it does not know yet, or with a new time.

    `previous` is where this very file was, when its volume tells.
    """

    location: Location
    file: MediaFile
    previous: Path | None = None


@dataclass(frozen=True, slots=True)
class New:
    """Content that the library does not have."""

    location: Location
    fingerprint: str
    info: MediaInfo


@dataclass(frozen=True, slots=True)
class Work:
    """Content to embed: `location` is where it will be read, `copies` are the other places where it lies."""

    location: Location
    copies: tuple[Location, ...]
    fingerprint: str
    info: MediaInfo


Finding = Unchanged | FailedBefore | NotMedia | Failed | Known | New


def survey(found: Sequence[Location], library: Library, retry_failed: bool) -> Iterator[Finding]:
    """What each file is, without decoding any: those that the library knows unchanged come first, unopened."""
    known = library.known()
    to_open: list[Location] = []
    for location in found:
        settled = _as_known(location, known.get(location.path), library, retry_failed)
        settled = settled or _as_moved(location, known, library)
        if settled is None:
            to_open.append(location)
        else:
            yield settled
    with ThreadPoolExecutor(min(8, 2 * (os.cpu_count() or 1)), "pesearch-survey") as threads:
        for start in range(0, len(to_open), _LOOKING_AHEAD):
            part = to_open[start : start + _LOOKING_AHEAD]
            yield from threads.map(lambda location: _look(location, known.get(location.path), library), part)


def group(new: Iterable[New]) -> tuple[Work, ...]:
    """One piece of work for each content, in the order in which they were found."""
    places: dict[str, list[New]] = {}
    for each in new:
        places.setdefault(each.fingerprint, []).append(each)
    return tuple(
        Work(first.location, tuple(copy.location for copy in copies), first.fingerprint, first.info)
        for first, *copies in places.values()
    )


def vanished(missed: Iterable[Path], roots: Sequence[Path], blind: Iterable[Path]) -> list[Path]:
    """Of known paths that a crawl of `roots` did not come by, those where nothing stands any more.

    What lies in a root that is gone (its drive may be away) or under `blind` (could not be looked into) is none.
    """
    present = [root for root in roots if root.is_dir()]
    hidden = set(blind)
    return [
        path
        for path in missed
        if any(path.is_relative_to(root) for root in present)
        and hidden.isdisjoint((path, *path.parents))
        and not os.path.lexists(path)
    ]


def unseen(location: Location) -> Location:
    """A place without size and time: what is remembered so is tried again in the next run.

    Failures are, and files of which the library has lost vectors or features (`pesearch doctor --repair`).
    """
    return Location(location.path, 0, 0)


def kept_out(error: MediaError) -> bool:
    """Whether the system kept a file from being read (rights, a share that is away), rather than its own damage.

    Decoders, too, raise OSError for damage: without a number, or EINVAL for a seek to nowhere.
    """
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno not in (None, errno.EINVAL)


def _as_known(
    location: Location, known: KnownLocation | None, library: Library, retry_failed: bool
) -> Unchanged | FailedBefore | Known | None:
    if known is None or not known.is_unchanged(location):
        return None
    if known.failure is not None:
        return None if retry_failed else FailedBefore(Failure(location, known.failure))
    if known.file_id is not None and location.volume not in ("", known.volume):
        return Known(location, library.file(known.file_id))  # the library was not told yet on which volume it is
    return Unchanged(location)


def _as_moved(location: Location, known: KnownLocations, library: Library) -> Known | None:
    """The very file that is known at another place, which its volume tells: it need not be opened."""
    previous = known.find_moved(location)
    file_id = None if previous is None else known[previous].file_id
    file = None if file_id is None else library.file(file_id)
    return Known(location, file, previous) if file and _is_whole(file) else None


def _is_whole(file: MediaFile) -> bool:
    """Whether the library has lost nothing of what it held of a file."""
    return not any(place == unseen(place) for place in file.locations)


def _look(location: Location, known: KnownLocation | None, library: Library) -> NotMedia | Failed | Known | New:
    try:
        if sniff(location.path) is None and known is None and not has_media_name(location.path):
            return NotMedia(location)
        content = fingerprint(location.path)
        file = library.find(content)
        return Known(location, file) if file and _is_whole(file) else New(location, content, probe(location.path))
    except FFmpegMissing:
        raise
    except MediaError as error:
        if location.size_bytes == 0 and known is None and not has_media_name(location.path):
            return NotMedia(location)
        return Failed(Failure(_stamp(location, known, error), str(error)))


def _stamp(location: Location, known: KnownLocation | None, error: MediaError) -> Location:
    """Under which size and time a failure is remembered.

    A file that the system would not let be read has not been seen: it keeps the stamp of what is known of it, so
    that the next run tries again, and what was indexed from it earlier stays.
    """
    if not kept_out(error):
        return location
    return unseen(location) if known is None else Location(location.path, known.size_bytes, known.modified_ns)
