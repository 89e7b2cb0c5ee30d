"""Known files that a crawl of their folder did not find: deleted ones, and those that are left out now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pesearch.indexer.progress_events import Excluded, Missing, Restored
from pesearch.locations import Absence, Location, can_reach, is_gone, is_missing
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.volumes import mounted_volumes


def unfound(
    library: Library, found: Iterable[Location], roots: Sequence[Path], unreadable: Iterable[Path]
) -> list[Path]:
    """The known paths below `roots` that a crawl of these did not find.

    Below a root that does not exist those that were deleted with it; the drive of the others may be offline. Paths
    below one of `unreadable` are left out.
    """
    present, deleted = list(filter(can_reach, roots)), list(filter(is_gone, roots))
    known, mounted = library.known(), mounted_volumes() if deleted else {}
    others = known.paths_except(location.path for location in found)
    lost = [path for path in others if _is_below(path, deleted) and is_missing(path, known[path].volume, mounted)]
    hidden = set(unreadable).difference(deleted)
    not_found = dict.fromkeys([*(path for path in others if _is_below(path, present)), *lost])
    return [path for path in not_found if hidden.isdisjoint((path, *path.parents))]


def _is_below(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


def current_absences(library: Library) -> dict[Path, Absence]:
    """The recorded absences that still hold: without files that are back, and those that are not there any more."""
    return {
        path: reason
        for path, reason in library.absences().items()
        if (can_reach(path) if reason is Absence.EXCLUDED else is_gone(path))
    }


def record_absences(
    found: Sequence[Location], not_found: Sequence[Path], library: Library, writer: Writer
) -> Iterator[Missing | Excluded | Restored]:
    """Record why the known paths `not_found` are not among those `found` by a crawl, and which are found again. Raises
    LibraryError.

    Files on drives that are not connected are neither missing nor excluded.
    """
    known, before, mounted = library.known(), library.absences(), mounted_volumes()
    absences: dict[Path, Absence] = {}
    for path in not_found:
        if path not in known or known[path].file_id is None:
            continue
        if is_missing(path, known[path].volume, mounted):
            absences[path] = Absence.MISSING
            yield Missing(path)
        elif can_reach(path):
            absences[path] = Absence.EXCLUDED
            yield Excluded(path)
    found_again = [location for location in found if location.path in before]
    for location in found_again:
        if (recorded := known.get(location.path)) is not None and recorded.is_unchanged(location):
            yield Restored(location.path)
    if found_again or any(before.get(path) != reason for path, reason in absences.items()):
        writer.record_absences([location.path for location in found_again], absences)
