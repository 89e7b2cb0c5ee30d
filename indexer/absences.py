"""Records which known files a crawl of their folder did not find: deleted ones, and those that are left out now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pesearch.indexer.progress_events import Excluded, Missing
from pesearch.locations import Absence, Location, can_reach, is_missing
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.volumes import mounted_volumes


def record_absences(
    found: Sequence[Location], unfound: Sequence[Path], library: Library, writer: Writer
) -> Iterator[Missing | Excluded]:
    """Record why the known paths `unfound` are not among those `found` by a crawl. Raises LibraryError.

    Files on drives that are not connected are neither missing nor excluded.
    """
    known, before, mounted = library.known(), library.absences(), mounted_volumes()
    absences: dict[Path, Absence] = {}
    for path in unfound:
        if path not in known or known[path].file_id is None:
            continue
        if is_missing(path, known[path].volume, mounted):
            absences[path] = Absence.MISSING
            yield Missing(path)
        elif can_reach(path):
            absences[path] = Absence.EXCLUDED
            yield Excluded(path)
    found_again = [location.path for location in found if location.path in before]
    if found_again or any(before.get(path) != reason for path, reason in absences.items()):
        writer.record_absences(found_again, absences)
