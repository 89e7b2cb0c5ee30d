"""`pesearch remove` and `pesearch gc`: removing files from a library, and freeing disk space."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pesearch.cli.exit_codes import NOTHING_FOUND
from pesearch.cli.options import LibraryOption, library_folder


def remove_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files or folders to remove from the library.")
    ],
    library: LibraryOption = None,
) -> None:
    """Remove files from the library. The media files stay.

    Exit codes: 0 removed, 1 none of the paths is in the library, 2 error.

    \b
    Examples:
      pesearch remove ~/videos/old
      pesearch remove a.mp4 b.mp4
    """
    from pesearch.cli.refresh_progress import follow_refresh
    from pesearch.indexer.removal import plan_removal
    from pesearch.store.library import open_library

    opened = open_library(library_folder(library))
    removal = plan_removal(opened, paths)
    if not removal.paths:
        print("none of these paths is in the library", file=sys.stderr)
        raise typer.Exit(NOTHING_FOUND)
    with opened.writer() as writer:
        writer.remove(removal.file_ids)
        writer.forget(removal.copies)
        follow_refresh(writer.maintain())
        writer.sweep_previews()
    print(f"removed {len(removal.paths)} paths and the vectors of {len(removal.file_ids)} files", file=sys.stderr)


def gc_command(library: LibraryOption = None) -> None:
    """Free disk space in a library.

    Deletes data that nothing refers to, merges small shards, and rebuilds missing search indexes. Folders of what
    `pesearch doctor --repair` took out of use are named, with their size, and not deleted.

    \b
    Example:
      pesearch gc
    """
    from pesearch.cli.refresh_progress import follow_refresh
    from pesearch.cli.render import format_size
    from pesearch.store.library import open_library
    from pesearch.store.status import quarantine_sizes

    folder = library_folder(library)
    with open_library(folder).writer() as writer:
        updated = follow_refresh(writer.maintain())
        freed_bytes = writer.sweep() + writer.sweep_previews()
    built = f", search index built: {', '.join(updated)}" if updated else ""
    print(f"{format_size(freed_bytes)} freed{built}", file=sys.stderr)
    for name, size_bytes in quarantine_sizes(folder).items():
        print(
            f"{name} takes {format_size(size_bytes)}: `pesearch doctor --restore {name}` takes back what is good in "
            "it; delete the folder to free it",
            file=sys.stderr,
        )
