"""Plans the removal of paths from a library."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pesearch.errors import PesearchError
from pesearch.indexer.absences import current_absences
from pesearch.locations import Absence
from pesearch.path_scope import PathScope
from pesearch.store.catalogue.files import KnownLocation
from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class Removal:
    """`paths` are the known paths to remove. `file_ids` lose their last location with them, and so are dropped with
    their vectors; `copies` are those of `paths` whose content is still known at another location."""

    paths: tuple[Path, ...]
    file_ids: frozenset[int]
    copies: tuple[Path, ...]


def plan_removal(library: Library, paths: Sequence[Path], absences: Collection[Absence] = ()) -> Removal:
    """Find the known paths at or below `paths`, as people name them; all if there are none.

    With `absences` only those that the last indexing run did not find for one of these reasons, if that still holds.
    Raises PesearchError for a path where nothing is found, neither on this machine nor in the library.
    """
    known, scope = library.known(), PathScope(paths)
    if problem := scope.problem(known):
        raise PesearchError(problem)
    absent = [path for path, reason in current_absences(library).items() if reason in absences] if absences else []
    chosen = absent if absences else known
    removed = dict.fromkeys(_named(scope, known, chosen) if paths else chosen)
    file_ids = frozenset(
        file.id for file in library.files() if all(location.path in removed for location in file.locations)
    )
    copies = tuple(path for path in removed if known[path].file_id not in file_ids)
    return Removal(tuple(removed), file_ids, copies)


def _named(scope: PathScope, known: Mapping[Path, KnownLocation], chosen: Iterable[Path]) -> Iterator[Path]:
    """Those of the chosen paths that are in the scope, which decides between the paths of one file."""
    by_file: dict[int | Path, list[Path]] = {}
    for path in chosen:
        file_id = known[path].file_id
        by_file.setdefault(path if file_id is None else file_id, []).append(path)
    return chain.from_iterable(map(scope.covered, by_file.values()))
