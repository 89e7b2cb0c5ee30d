"""`pesearch remove` and `pesearch gc`: taking things out of a library."""

from __future__ import annotations

import sys
from pathlib import Path

from pesearch.cli.refresh_progress import follow_refresh
from pesearch.cli.render import size


def remove_paths(paths: list[Path], folder: Path) -> int:
    """Take out the files at or under these paths; 1 when the library knows none of them."""
    from pesearch.store.library import open_library

    library = open_library(folder)
    tops = [path.absolute() for path in paths]
    known = library.known()
    asked = [path for path in known if any(path.is_relative_to(top) for top in tops)]
    whole = {file.id for file in library.files() if all(place.path in asked for place in file.locations)}
    if not asked:
        print("nothing of this is in the library", file=sys.stderr)
        return 1
    with library.writer() as writer:
        writer.remove(whole)
        writer.forget(path for path in asked if known[path].file_id not in whole)
        follow_refresh(writer.maintain())
        writer.sweep_previews()
    print(f"{len(asked)} paths removed from the library, {len(whole)} files with their vectors", file=sys.stderr)
    return 0


def collect(folder: Path) -> None:
    """Merge small shards, delete what nothing refers to, and bring back search indexes that are missing."""
    from pesearch.store.library import open_library

    with open_library(folder).writer() as writer:
        renewed = follow_refresh(writer.maintain())
        freed = writer.sweep() + writer.sweep_previews()
    built = f", search index built: {', '.join(renewed)}" if renewed else ""
    print(f"{size(freed)} freed{built}", file=sys.stderr)
