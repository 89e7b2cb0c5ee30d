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
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", readable=False, help="Files or folders to remove from the library."),
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Only files that were deleted. Those on disconnected drives stay.")
    ] = False,
    excluded: Annotated[
        bool, typer.Option("--excluded", help="Only files that ignore files or --exclude leave out now.")
    ] = False,
    library: LibraryOption = None,
) -> None:
    """Remove files from the library. The media files stay.

    --missing and --excluded go by the last `pesearch index` of a folder; without PATH they remove such files anywhere.
    A PATH that is neither on this machine nor in the library is an error, and nothing is removed.

    Exit codes: 0 removed, 1 nothing to remove, 2 error.

    \b
    Examples:
      pesearch remove ~/videos/old
      pesearch remove a.mp4 b.mp4
      pesearch remove --missing
    """
    from pesearch.cli.refresh_progress import follow_refresh
    from pesearch.formatting import count_files
    from pesearch.indexer.removal import plan_removal
    from pesearch.locations import Absence
    from pesearch.store.library import open_library

    absences = [reason for reason, is_asked in ((Absence.MISSING, missing), (Absence.EXCLUDED, excluded)) if is_asked]
    if not paths and not absences:
        raise typer.BadParameter("Name files or folders, or use --missing or --excluded.", param_hint="PATH")
    opened = open_library(library_folder(library))
    removal = plan_removal(opened, paths or [], absences)
    if not removal.paths:
        kinds = " or ".join(absences)
        print(f"no {kinds} files" if absences else "none of these paths is in the library", file=sys.stderr)
        raise typer.Exit(NOTHING_FOUND)
    with opened.writer() as writer:
        writer.remove(removal.file_ids)
        writer.forget(removal.copies)
        follow_refresh(writer.maintain())
        writer.sweep_previews()
    removed = f"{len(removal.paths)} path{'' if len(removal.paths) == 1 else 's'}"
    print(f"removed {removed} and the vectors of {count_files(len(removal.file_ids))}", file=sys.stderr)


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
    for name, each in quarantine_sizes(folder).items():
        restore = f"`pesearch doctor --restore {name}` takes back what is good in it; " if each.is_restorable else ""
        print(f"{name} takes {format_size(each.size_bytes)}: {restore}delete the folder to free it", file=sys.stderr)
