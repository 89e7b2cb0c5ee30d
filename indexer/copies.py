"""Which files have the same content: they are embedded once, and found at all of their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.indexer.progress_events import CopiesCompared
from pesearch.locations import Location
from pesearch.media.fingerprint import (
    MAX_UNSAMPLED_BYTES,
    Fingerprint,
    fingerprint,
    same_content,
    sampled_fingerprint,
    whole_fingerprint,
)
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.types import MediaFile


@dataclass(frozen=True, slots=True)
class Identity:
    """The fingerprint of the content at a location, and the file of the library that has this content, if any."""

    location: Location
    fingerprint: Fingerprint
    file: MediaFile | None = None


def identify(location: Location, library: Library) -> Identity:
    """Find the content of a file in a library.

    Equal samples are no proof: unless the file is the same one, or a copy that kept name and time, all of it is
    compared with a file of that content. Errors: MediaError.
    """
    path = location.path
    content = fingerprint(path)
    file = library.find(content.digest)
    if file is not None and (content.is_whole or _is_copy(location, file)):
        return Identity(location, content, file)
    if (
        content.is_whole and location.size_bytes > MAX_UNSAMPLED_BYTES
    ):  # libraries of older programs have the digest of samples
        former = library.find(sampled_fingerprint(path))
        if former is not None and not _is_at(path, former) and _is_copy(location, former):
            return Identity(location, Fingerprint(former.fingerprint, is_whole=False), former)
    elif not content.is_whole and file is not None:
        content = Fingerprint(whole_fingerprint(path), is_whole=True)
        file = library.find(content.digest)
    return Identity(location, content, file)


@dataclass(slots=True)
class CopyFinder:
    """Distinguishes new files that have equal samples, as they come."""

    _firsts: dict[str, Location] = field(default_factory=dict)

    def distinct(self, location: Location, content: Fingerprint) -> Fingerprint:
        """The fingerprint of a file: of all of it, if an earlier file with the same samples differs from it.

        Errors: MediaError.
        """
        first = self._firsts.setdefault(content.digest, location)
        is_known = content.is_whole or first is location or _kept_name_and_time(location, first)
        if is_known or same_content(location.path, first.path):
            return content
        return Fingerprint(whole_fingerprint(location.path), is_whole=True)


def separate_copies(library: Library, writer: Writer) -> Iterator[CopiesCompared]:
    """Compare what an older program took for copies, once. Files that stand for different contents are removed from the
    library, so that a survey finds each content as new. Raises LibraryError.

    Only what can be read now is compared: the others stay to be compared later.
    """
    files = library.uncompared_copies()
    for done, file in enumerate(files, start=1):
        yield CopiesCompared(done, len(files))
        present = [known for known in file.locations if _is_unchanged(known)]
        are_same = _are_copies(present)
        if not are_same or len(present) == len(file.locations):
            writer.settle_copies([file.id], [] if are_same else [file.id])


def _are_copies(locations: Sequence[Location]) -> bool:
    try:
        return all(
            _kept_name_and_time(one, other) or same_content(one.path, other.path) for one, other in pairwise(locations)
        )
    except MediaError:
        return True  # a file that cannot be read now is no reason to embed the others again


def _is_copy(location: Location, file: MediaFile) -> bool:
    """Whether the content at `location` is that of a file with the same samples."""
    if _is_at(location.path, file) or any(_kept_name_and_time(location, known) for known in file.locations):
        return True
    present = next((known.path for known in file.locations if _is_unchanged(known)), None)
    if present is not None:
        return same_content(location.path, present)
    return any(  # its drive is offline, or it was moved
        known.path.name == location.path.name or known.modified_ns == location.modified_ns for known in file.locations
    )


def _is_at(path: Path, file: MediaFile) -> bool:
    return any(known.path == path for known in file.locations)


def _kept_name_and_time(one: Location, other: Location) -> bool:
    return one.path.name == other.path.name and one.modified_ns == other.modified_ns


def _is_unchanged(known: Location) -> bool:
    try:
        return Location.of_file(known.path) == known
    except OSError:
        return False
