"""Records which known files a crawl of their folder did not find: deleted ones, and those that are left out now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pesearch.indexer.progress_events import Excluded
from pesearch.indexer.volumes import offline_volumes
from pesearch.locations import Absence, Location, can_reach, is_gone
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer


def record_absences(
    found: Sequence[Location], unfound: Sequence[Path], library: Library, writer: Writer
) -> Iterator[Excluded]:
    """Record why the known paths `unfound` are not among those `found` by a complete crawl. Raises LibraryError.

    Files on drives that are not connected are neither missing nor excluded.
    """
    known, before, offline = library.known(), library.absences(), offline_volumes(library)
    absences: dict[Path, Absence] = {}
    for path in unfound:
        if path not in known or known[path].file_id is None:
            continue
        if not is_gone(path):
            if can_reach(path):
                absences[path] = Absence.EXCLUDED
                yield Excluded(path)
        elif known[path].volume not in offline and (known[path].volume or can_reach(path.parent)):
            absences[path] = Absence.MISSING
    found_again = [location.path for location in found if location.path in before]
    if found_again or any(before.get(path) != reason for path, reason in absences.items()):
        writer.record_absences(found_again, absences)
