"""Reconciles a library with the files that were found: locations are updated, nothing is embedded."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pesearch.indexer.progress_events import Failed, Outcome, Relocated, Unchanged
from pesearch.indexer.survey import KnownContent, NewContent, SurveyResult
from pesearch.locations import is_gone
from pesearch.store.catalogue.files import KnownLocations
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer


@dataclass(frozen=True, slots=True)
class Changes:
    """The results of a survey that change the library, in the order in which the files were found."""

    new: list[NewContent] = field(default_factory=list)
    known: list[KnownContent] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)


def collect_changes(results: Iterable[SurveyResult]) -> Generator[Outcome, None, Changes]:
    """Yields the results that change nothing; returns the others."""
    changes = Changes()
    for result in results:
        if isinstance(result, NewContent):
            changes.new.append(result)
        elif isinstance(result, KnownContent):
            changes.known.append(result)
        elif isinstance(result, Failed):
            changes.failed.append(result)
        else:
            yield result
    return changes


def update_locations(changes: Changes, gone: Sequence[Path], library: Library, writer: Writer) -> Iterator[Outcome]:
    """Records new locations of known content and removes those in `gone`. Raises LibraryError.

    The last location of a content is not removed: it may be on an offline drive. Content that has left a path was
    moved, also if other content is there now, as when two files swap their names.
    """
    known = changes.known
    left_behind = [each.previous for each in known if each.previous and is_gone(each.previous)]
    if known:
        writer.add_locations([(each.file.id, each.location) for each in known])
    if forgettable := [*_with_other_locations(gone, library.known()), *left_behind]:
        writer.forget(forgettable)
    remaining, overwritten = library.known(), {new.location.path for new in changes.new}
    for each in known:
        before = [location.path for location in each.file.locations]
        if each.location.path in before:
            yield Unchanged(each.location)
            continue
        kept = {location.path for location in remaining.of_file(each.file.id)} - overwritten
        yield Relocated(each.location, next((path for path in before if path not in kept), None))


def _with_other_locations(gone: Sequence[Path], known: KnownLocations) -> Iterator[Path]:
    """The paths whose file, if any, is also at a path that is not gone."""
    leaving = set(gone)
    for path in gone:
        file_id = known[path].file_id
        if file_id is None or any(location.path not in leaving for location in known.of_file(file_id)):
            yield path
